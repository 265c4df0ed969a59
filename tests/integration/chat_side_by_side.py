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
      - {api_url: 'U/tg-long', bot_token: '12:abc', chat_id: 7, parse_mode: '', message: 'LONG'}
      - {api_url: 'U/tg-long-html', bot_token: '12:abc', chat_id: 7, message: 'LONG'}
      - {api_url: 'U/tg-empty', bot_token: '12:abc', chat_id: 7, parse_mode: Markdown, message: '{{ .CommonAnnotations.none }}'}
""",
}
NEWER_KINDS = {"msteams", "msteamsv2", "rocketchat", "mattermost"}
NEWER_KEYS = re.compile(r"(message_thread_id:|bot_token_file:|content:|username:|avatar_url:|LONG)")  # than 0.25
# Sections of their own text have a blank line more there.
SPACED = re.compile(r"/(mt|m2|mm)-default")
# Without a chat in it Alertmanager falls over.
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 80\r\nConnection: close\r\n\r\n' + \
    b'{"ok":true,"success":true,"result":{"message_id":1,"chat":{"id":1}}}'.ljust(80)
UNTOLD = {"host", "user-agent", "content-length", "accept-encoding", "accept", "connection"}


def config(url, dir):
    text = """
route: {receiver: chat, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}
receivers:
  - name: chat
"""
    for kind, entries in KINDS.items():
        if IS_NEWER or kind not in NEWER_KINDS:
            text += f"    {kind}_configs:" + "      - ".join(e for e in entries.split("      - ") if IS_NEWER or not NEWER_KEYS.search(e))
    return text.replace("U/", url + "/").replace("D/", dir + "/").replace("LONG", "\u00e4<b>" * 9000)


def took(base, sink):
    """path -> (method, headers, body) of each request, in order."""
    out = {}
    for r in sorted(sink.got, key=lambda r: r.at):
        body = r.body.decode()
        if SPACED.match(r.path):
            body = re.sub(r"(\\n)+", r"\\n", body)
        out.setdefault(r.path, []).append((r.method, {k: v for k, v in r.headers.items() if k not in UNTOLD}, body.replace(base, "BASE")))
    return out


def test_same_requests():
    with folder() as d, Sink(otherwise=ANSWER) as one, Sink(otherwise=ANSWER) as two:
        write(f"{d}/token", "12:abc\n")
        bases = [s.url.rsplit("/", 1)[0] for s in (one, two)]
        texts = [config(b, d) for b in bases]
        entries = texts[0].count("      - ")
        with Alertmanager(texts[0], d) as am, Tocsin(texts[1], d, "--web.external-url=http://same.example") as t:
            a = {"labels": {"alertname": "Slow", "node": 'g<7> "x"', "severity": "critical"}, "startsAt": stamp(),
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
            bad += [f"{path} {i}: {p}: theirs {u!r:.1500}\nours {v!r:.1500}" for p, u, v in zip(("method", "headers", "body"), x, y) if u != v]
        equal(len(ours[path]), len(theirs[path]), path)
    assert not bad, "\n".join(bad)
    print(f"{sum(map(len, ours.values()))} requests of {entries} entries are the same")


main()
