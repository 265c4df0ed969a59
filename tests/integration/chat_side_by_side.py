"""Alertmanager and tocsin with the same chat receivers and alerts, a firing, a partly and a wholly resolved group: method,
path, headers and body of each request to the byte."""
from harness import *

# Every key of each kind; what is long is cut, what is empty is left out or kept, as the kind has it.
KINDS = {
    "telegram": """
      - {api_url: 'U/tg-default', bot_token: '12:abc', chat_id: -100}
      - {api_url: 'U/tg-all/', bot_token: '12:abc', chat_id: 7, message_thread_id: 3, disable_notifications: true, parse_mode: MarkdownV2,
         message: '{{ .CommonLabels.node }} _x_ {{ .Status }}'}
      - {api_url: 'U/tg-html', bot_token_file: D/token, chat_id: 7, message: '<b>{{ .CommonLabels.node }}</b> &
         <a href="{{ (index .Alerts 0).GeneratorURL }}">{{ .CommonAnnotations.summary }}</a>'}
      - {api_url: 'U/tg-file', bot_token: '12:abc', chat_id_file: D/chat, message: m}
      - {api_url: 'U/tg-long', bot_token: '12:abc', chat_id: 7, parse_mode: '', message: 'LONG'}
      - {api_url: 'U/tg-long-html', bot_token: '12:abc', chat_id: 7, message: 'LONG'}
      - {api_url: 'U/tg-empty', bot_token: '12:abc', chat_id: 7, parse_mode: Markdown, message: '{{ .CommonAnnotations.none }}'}
""",
    "discord": """
      - {webhook_url: 'U/dc-default'}
      - {webhook_url: 'U/dc-all?wait=true', content: 'c {{ .CommonLabels.node }}', title: 't {{ .Status }}', message: m, username: 'u{{ .Status }}',
         avatar_url: 'http://a/{{ .Status }}'}
      - {webhook_url_file: D/dc, content: 'LONG', title: 'LONG', message: 'LONG'}
      - {webhook_url: 'U/dc-empty', title: '', message: ''}
""",
    "msteams": """
      - {webhook_url: 'U/mt-default'}
      - {webhook_url: 'U/mt-all', title: 't {{ .CommonLabels.node }}', summary: 's{{ .Status }}', text: 'x {{ .CommonAnnotations.summary }}'}
      - {webhook_url: 'U/mt-empty', title: '', summary: '', text: ''}
      - {webhook_url: 'U/mt-long', text: 'LONG'}
""",
    "msteamsv2": """
      - {webhook_url: 'U/m2-default'}
      - {webhook_url: 'U/m2-all', title: 't {{ .CommonLabels.node }}', text: 'x {{ .CommonAnnotations.summary }}'}
      - {webhook_url: 'U/m2-empty', title: '', text: ''}
      - {webhook_url: 'U/m2-long', text: 'LONG'}
""",
    "webex": """
      - {api_url: 'U/wx-default?a=b', room_id: 'r{{ .Status }}', http_config: {authorization: {credentials: tok}}}
      - {api_url: 'U/wx-long', room_id: r, message: 'LONG', http_config: {authorization: {type: Other, credentials_file: D/token}}}
      - {api_url: 'U/wx-long-1', room_id: r, message: '.LONG', http_config: {authorization: {credentials: tok}}}
      - {api_url: 'U/wx-long-2', room_id: r, message: '..LONG', http_config: {authorization: {credentials: tok}}}
      - {api_url: 'U/wx-empty', room_id: '{{ .CommonAnnotations.none }}', message: '', http_config: {authorization: {credentials: tok}}}
""",
    "rocketchat": """
      - {api_url: 'U/rc-default', token: T, token_id: I, send_resolved: true}
      - api_url: 'U/rc-all/?a=b'
        token_file: D/token
        token_id: I
        send_resolved: true
        channel: '#c{{ .Status }}'
        color: 'c{{ .Status }}'
        title: 'LONG'
        title_link: 'http://l/{{ .Status }}'
        text: 'x {{ .CommonLabels.node }}'
        emoji: ':e{{ .Status }}:'
        icon_url: 'http://i/{{ .Status }}'
        image_url: 'http://img/{{ .Status }}'
        thumb_url: 'http://th/{{ .Status }}'
        link_names: true
        short_fields: true
        fields: [{title: 'f{{ .Status }}', value: '{{ .CommonLabels.node }}'}, {title: g, value: h, short: false}, {title: '', value: ''}]
        actions: [{type: other, text: 't{{ .Status }}', url: 'http://u/{{ .Status }}', imageurl: 'http://im', iswebview: true,
                   webviewheightratio: full, msg: 'm{{ .Status }}', msginchatwindow: true, msgprocessingtype: sendMessage}, {}]
      - {api_url: 'U/rc-less', token: T, token_id: I, send_resolved: true, emoji: ':x:', title: '', color: '', title_link: '',
         fields: [{title: a, value: b}]}
""",
    "mattermost": """
      - {webhook_url: 'U/mm-default'}
      - webhook_url: 'U/mm-all'
        channel: 'c{{ .Status }}'
        username: 'u{{ .Status }}'
        text: 'x {{ .CommonLabels.node }}'
        fallback: 'f{{ .Status }}'
        color: 'c{{ .Status }}'
        pretext: 'p{{ .Status }}'
        author_name: 'an{{ .Status }}'
        author_link: 'http://al/{{ .Status }}'
        author_icon: 'http://ai/{{ .Status }}'
        title: 't{{ .Status }}'
        title_link: 'http://tl/{{ .Status }}'
        fields: [{title: 'f{{ .Status }}', value: '{{ .CommonLabels.node }}', short: true}, {title: g, value: h, short: false}, {title: g, value: h}]
        thumb_url: 'http://th/{{ .Status }}'
        footer: 'fo{{ .Status }}'
        footer_icon: 'http://fi/{{ .Status }}'
        image_url: 'http://im/{{ .Status }}'
        icon_url: 'http://iu/{{ .Status }}'
        icon_emoji: ':e{{ .Status }}:'
        type: 'ty{{ .Status }}'
        props: {card: 'card {{ .Status }} {{ .CommonLabels.node }}'}
        priority: {priority: Urgent, requested_ack: true, persistent_notifications: true}
      - webhook_url: 'U/mm-attachments'
        channel: c
        text: 'LONG'
        type: t
        props: {card: c}
        priority: {priority: '{{ if eq .Status "firing" }}important{{ else }}standard{{ end }}', requested_ack: true, persistent_notifications: true}
        attachments:
          - {fallback: 'f{{ .Status }}', color: c, pretext: p, text: 't {{ .CommonLabels.node }}', author_name: an, author_link: 'http://al',
             author_icon: 'http://ai', title: t, title_link: 'http://tl', fields: [{title: a, value: '{{ .Status }}', short: true}],
             thumb_url: 'http://th', footer: fo, footer_icon: 'http://fi', image_url: 'http://im'}
          - {text: 'LONG'}
          - {}
      - {webhook_url: 'U/mm-long', text: 'LONG', props: {card: '{{ .CommonAnnotations.none }}'}, priority: {priority: 'other', requested_ack: true}}
      - {webhook_url: 'U/mm-empty', text: '', title: '', fallback: '', color: '', title_link: '', username: '', props: {}, priority: {requested_ack: true}}
      - {webhook_url: 'U/mm-urgent', text: x, fields: [{title: a, value: '{{ .CommonAnnotations.none }}'}], priority: {priority: urgent}}
      - {webhook_url: 'U/mm-nothing', text: x, attachments: [], priority: {priority: '{{ .CommonAnnotations.none }}', requested_ack: true}}
""",
}
NEWER_KINDS = {"msteams", "msteamsv2", "rocketchat", "mattermost"}
NEWER_KEYS = re.compile(r"(message_thread_id:|chat_id_file:|bot_token_file:|content:|username:|avatar_url:|webhook_url_file:|room_id: '|LONG)")  # than 0.25
# Sections of their own text have a blank line more there.
SPACED = re.compile(r"/(mt|m2|mm)-default")
# Without a chat in it Alertmanager falls over.
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 80\r\nConnection: close\r\n\r\n' + \
    b'{"ok":true,"success":true,"result":{"message_id":1,"chat":{"id":1}}}'.ljust(80)
# Of each vendor's mark-up, headers and writing directions; who calls people is left to receivers/*/cases/mark_up.yml.
ODD = "\r\nBcc: x\t\u0001\u202e\u007f [x](javascript:1) **b** ```c `` <!-- </b> <a href='tg://user?id=1'> ||s|| \\ \"q\" '&amp;' {{ 1 }}"
UNTOLD = {"host", "user-agent", "content-length", "accept-encoding", "accept", "connection"}


def config(url, dir):
    text = """
route: {receiver: chat, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}
receivers:
  - name: chat
"""
    for kind, entries in KINDS.items():
        if IS_NEWER or kind not in NEWER_KINDS:
            text += f"    {kind}_configs:" + "      - ".join(e for e in re.split("^      - ", entries, flags=re.M) if IS_NEWER or not NEWER_KEYS.search(e))
    return text.replace("U/", url + "/").replace("D/", dir + "/").replace("LONG", "\u00e4<b>" * 9000)


def took(base, sink):
    """path -> (method, headers, body) of each request, in order."""
    out = {}
    for r in sorted(sink.got, key=lambda r: r.at):
        body = r.body.decode()
        if SPACED.match(r.path):
            body = re.sub(r'"text":"(\\n)+', '"text":"', re.sub(r"(\\n)+", r"\\n", body))
        out.setdefault(r.path, []).append((r.method, {k: v for k, v in r.headers.items() if k not in UNTOLD}, body.replace(base, "BASE")))
    return out


def behind(a, b):
    """What stands where they begin to differ."""
    n = len(os.path.commonprefix([a, b]))
    return f"theirs ...{a[max(0, n - 60):n + 100]!r}, ours ...{b[max(0, n - 60):n + 100]!r}"


def test_same_requests():
    with folder() as d, Sink(otherwise=ANSWER) as one, Sink(otherwise=ANSWER) as two:
        bases, texts = [s.url.rsplit("/", 1)[0] for s in (one, two)], []
        for i, base in enumerate(bases):
            os.mkdir(f"{d}/{i}")
            write(f"{d}/{i}/token", "12:abc\n")
            write(f"{d}/{i}/chat", "-1001\n")
            write(f"{d}/{i}/dc", base + "/dc-long\n")
            texts.append(config(base, f"{d}/{i}"))
        entries = len(re.findall("^      - ", texts[0], re.M))
        with Alertmanager(texts[0], d) as am, Tocsin(texts[1], d, "--web.external-url=http://same.example") as t:
            a = {"labels": {"alertname": "Slow", "node": 'g<7> "x"', "severity": "critical", "odd": ODD}, "startsAt": stamp(),
                 "annotations": {"summary": "p95 > 5 & \"rising\" \u00e9\u2028"},
                 "generatorURL": "http://p/graph?a=1&b=2"}
            b = {**a, "labels": {**a["labels"], "gpu": "1"}}

            def post(alerts, rounds):
                for server in (am, t):
                    assert server.p.poll() is None, server.text()
                    equal(request("POST", server.url + "/api/v2/alerts", alerts).status, 200)
                for who, s in (("Alertmanager", one), ("tocsin", two)):
                    until(f"{who}'s messages, round {rounds}", lambda: s.count() >= rounds * entries, 15)

            post([{**a, "endsAt": stamp(600)}, {**b, "endsAt": stamp(600)}], 1)
            post([{**b, "endsAt": stamp()}], 2)
            post([{**a, "endsAt": stamp()}], 3)
        theirs, ours = took(bases[0], one), took(bases[1], two)
    equal(sorted(ours), sorted(theirs), "paths")
    bad = []
    for path in sorted(theirs):
        for i, (x, y) in enumerate(zip(theirs[path], ours[path])):
            bad += [f"{path} {i}: {p}: {behind(str(u), str(v))}" for p, u, v in zip(("method", "headers", "body"), x, y) if u != v]
        equal(len(ours[path]), len(theirs[path]), path)
    assert not bad, "\n".join(bad)
    print(f"{sum(map(len, ours.values()))} requests of {entries} entries are the same")


main()
