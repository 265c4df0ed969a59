"""A label that tries everything: headers, mentions, links, markup. It is shown by every receiver and does nothing in any."""
import html.parser
from harness import *

EVIL = "x\r\nBcc: evil@e.example\r\n\r\n# head <!here> <@U1> <@all> <at id=all></at> <at user_id=\"all\">a</at> @all [a](http://x) ](http://x) \"}],\"a\":{ <script>alert(1)</script>"


def config(sink, smarthost):
    return f"""
global: {{slack_api_url: '{sink.url}/slack', smtp_smarthost: '{smarthost}', smtp_from: a@t.example, smtp_require_tls: false}}
route: {{receiver: all, group_by: [alertname, evil], group_wait: 0s, group_interval: 1m, repeat_interval: 1h}}
receivers:
  - name: all
    slack_configs:
      - channel: '#ops'
        text: '{{{{ range .Alerts }}}}{{{{ range .Labels.SortedPairs }}}}{{{{ .Value }}}} {{{{ end }}}}<http://ok|link>{{{{ end }}}}'
        fields: [{{title: '{{{{ .CommonLabels.evil }}}}', value: '{{{{ .GroupLabels.evil }}}}'}}]
    pagerduty_configs: [{{routing_key: key, url: '{sink.url}/pagerduty', details: {{more: 'a {{{{ .CommonLabels.evil }}}}'}}}}]
    dingtalk_configs:
      - url: '{sink.url}/dingtalk?access_token=t'
        mention: {{mobiles: ['{{{{ .CommonLabels.phone }}}}']}}
    feishu_configs:
      - url: '{sink.url}/feishu'
        mention: {{user_ids: ['{{{{ .CommonLabels.evil }}}}']}}
      - url: '{sink.url}/feishu_text'
        message_type: text
    wecom_configs:
      - url: '{sink.url}/wecom'
        mention: {{user_ids: ['{{{{ .CommonLabels.evil }}}}']}}
    googlechat_configs: [{{url: '{sink.url}/googlechat'}}]
    http_configs:
      - url: '{sink.url}/http?a={{{{ urlquery .CommonLabels.evil }}}}&b={{{{ .CommonLabels.evil }}}}'
        headers: {{X-Evil: '{{{{ .CommonLabels.evil }}}}'}}
        json: {{said: 'a {{{{ .CommonLabels.evil }}}}'}}
      - url: '{sink.url}/http_form'
        form: {{said: '{{{{ .CommonLabels.evil }}}}'}}
    email_configs:
      - to: ops@y.example
        headers: {{X-Evil: '{{{{ .CommonLabels.evil }}}}'}}
        text: '{{{{ .CommonLabels.evil }}}}'
"""


def strings(v):
    if isinstance(v, str):
        yield v
    for x in v.values() if isinstance(v, dict) else v if isinstance(v, list) else ():
        yield from strings(x)


def test_nothing_happens():
    box = Mailbox()
    with folder() as d, Sink() as sink, MailServer(box) as smtp, Tocsin(config(sink, smtp), d) as t:
        t.alert(alertname="A", evil=EVIL)
        kinds = until("all requests", lambda: (lambda k: len(k) == 9 and box.mails and k)(
            {r.path.split("/")[2].split("?")[0]: r for r in sink.got}))
    slack, page, ding = (kinds[k].json() for k in ("slack", "pagerduty", "dingtalk"))

    equal(set(slack), {"channel", "username", "attachments"})
    for s in strings(slack):
        assert "<!" not in s and "<@" not in s, s
    assert "&lt;!here>" in slack["attachments"][0]["text"] and "<http://ok|link>" in slack["attachments"][0]["text"], slack

    equal(set(page), {"routing_key", "dedup_key", "event_action", "client", "client_url", "payload"} | set(page) & {"links", "images"})
    equal(page["payload"]["custom_details"]["more"], "a " + EVIL)

    equal(ding["at"], {"atMobiles": [], "atUserIds": [], "isAtAll": False})
    text = ding["markdown"]["text"]
    assert "@all" in text and "](http://x)" not in text.replace("\\](http://x)", ""), text
    assert "\n# head" not in text and "\r" not in text, text

    card = kinds["feishu"].json()["card"]["elements"]
    equal([e["tag"] for e in card], ["markdown"])
    for s in (card[0]["content"], kinds["feishu_text"].json()["content"]["text"]):
        assert "<at" not in s, s
    assert "](http://x)" not in card[0]["content"] and "\r" not in card[0]["content"], card

    text = kinds["wecom"].json()["markdown"]["content"]
    assert "<@" not in text and "](http://x)" not in text and "<script" not in text and "\n# head" not in text, text

    chat = kinds["googlechat"].json()
    equal(set(chat), {"text", "thread"})
    equal([x for x in re.findall("<[^>]*>", chat["text"]) if not re.search(r"\|(Explain|Silence|Source|This group|Silence the group)>$", x)], [])
    assert "\n# head" not in chat["text"] and "\r" not in chat["text"], chat

    http = kinds["http"]
    equal(http.json(), {"said": "a " + EVIL})
    equal((http.headers["x-evil"], http.headers.get("bcc")), (EVIL.replace("\r", " ").replace("\n", " "), None))
    equal(urllib.parse.parse_qs(http.path.split("?", 1)[1])["a"], [EVIL])
    equal(urllib.parse.parse_qs(kinds["http_form"].body.decode()), {"said": [EVIL]})

    to, mail, _ = box.mails[0]
    equal(to, ["ops@y.example"])
    assert "Bcc" not in mail and "evil@e.example" in mail["X-Evil"], mail.as_string()
    equal(mail["To"], "ops@y.example")
    equal(mail.get_body(("plain",)).get_content().replace("\r\n", "\n").strip(), EVIL.replace("\r\n", "\n"))
    assert "<script>" not in mail.get_body(("html",)).get_content()


# What a token, a message and a call are answered with by the services that are asked below.
ALL = json.dumps({"code": 0, "tenant_access_token": "t", "expire": 7200, "accessToken": "t", "expireIn": 7200, "errcode": 0,
                  "access_token": "t", "expires_in": 7200, "data": {"message_id": "om_1"}, "processQueryKey": "q"}).encode()


def apps(sink, sms, voice):
    phone = "key_id: key0, secret_key: secret0, numbers: ['+8613800138000']"
    value = "{{ .CommonLabels.evil }}"
    return f"""
route: {{receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 1h}}
receivers:
  - name: all
    feishu_app_configs: [{{api_url: '{sink.url}/feishu', app_id: a, app_secret: s, chats: [oc_1], users: ['{value}']}}]
    dingtalk_app_configs: [{{api_url: '{sink.url}/dingtalk', client_id: a, client_secret: s, chats: [cid1], ding: app, ding_users: [u1], ding_text: '{value}'}}]
    wechat_configs: [{{api_url: '{sink.url}/wechat/', corp_id: c, api_secret: s, agent_id: '1', to_user: u1, message_type: textcard, title: '{value}', message: '{value}'}}]
    sms_configs:
      - {{provider: aliyun, api_url: '{sms.url}', {phone}, sign_name: s, template: T, parameters: {{evil: '{value}'}}}}
      - {{provider: tencent, api_url: '{sms.url}', {phone}, app_id: '1', template: T, parameters: {{'1': '{value}'}}}}
      - {{provider: huawei, api_url: '{sms.url}', {phone}, from: '1069', template: T, parameters: {{'1': '{value}'}}}}
      - {{provider: twilio, api_url: '{sms.url}', {phone}, from: '+15005550006', text: '{value}'}}
    voice_configs:
      - {{provider: aliyun, api_url: '{voice.url}', {phone.replace("8000'", "8001'")}, template: T, parameters: {{evil: '{value}'}}}}
      - {{provider: tencent, api_url: '{voice.url}', {phone.replace("8000'", "8002'")}, app_id: '1', template: T, parameters: {{'1': '{value}'}}}}
      - {{provider: huawei, api_url: '{voice.url}', {phone.replace("8000'", "8003'")}, from: '+8610', template: T, parameters: {{'1': '{value}'}}}}
      - {{provider: twilio, api_url: '{voice.url}', {phone.replace("8000'", "8004'")}, from: '+15005550006', text: '{value}'}}
"""


def check_values(took, evil):
    for m in took:
        for v in m.get("values", {}).values():
            assert not re.search(r"[\r\n{}$【】]|://", v) and 0 < len(v) <= 35, m
        if m["vendor"] == "huawei" or "huawei" in m["vendor"]:
            assert all("." not in v and len(v) <= 20 for v in m["values"].values()), m
        if m["vendor"] == "twilio" and m["action"] == "call":
            said = re.fullmatch(r'<Response><Say loop="2">([^<]*)</Say></Response>', m["text"])
            assert said and not re.search("[\r\n<>]", said.group(1)), m["text"][:300]
        elif m["vendor"] == "twilio":
            assert m["text"] == evil or len(m["text"]) <= 1600, m["text"][:300]


def test_nothing_happens_by_telephone_and_in_applications():
    """What is long is cut, too: the fakes refuse what the vendors would."""
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ALL) + ALL
    for evil in (EVIL + " ${code} 【银行】 https://evil.example", "长<at id=all></at>${x}\n" * 400000):
        with folder() as d, Sink(otherwise=answer) as sink, Fake("sms") as sms, Fake("voice", "--per-minute=0") as voice, \
                Tocsin(apps(sink, sms, voice), d) as t:
            t.alert(alertname="A", evil=evil)
            until("messages and calls", lambda: len(sms.messages()) == 4 and len(voice.messages()) == 4)
            check_values(sms.messages() + voice.messages(), evil)
            kinds = until("all requests", lambda: (lambda k: len(k) == 4 and k)(
                {r.path.split("/", 2)[2]: r for r in sink.got if not re.search("(?i)token", r.path.split("?")[0])}))
            assert not [x for x in sms.log + voice.log if x.startswith("refused")], sms.log + voice.log
        feishu, group, ding = (next(r for p, r in kinds.items() if what in p) for what in ("feishu", "groupMessages", "ding/send"))
        card = next(r for p, r in kinds.items() if "wechat" in p).json()["textcard"]
        equal(feishu.json()["receive_id"], "oc_1", "the label is nobody's id")
        content = json.loads(feishu.json()["content"])
        equal([e["tag"] for e in content["elements"]], ["markdown"])
        assert len(feishu.body) <= 30000 and "<at" not in content["elements"][0]["content"], content
        param = json.loads(group.json()["msgParam"])
        equal(set(param), {"title", "text"})
        assert len(group.json()["msgParam"].encode()) <= 20000 and "](http://x)" not in param["text"].replace("\\](http://x)", ""), param
        equal((ding.json()["receiverUserIdList"], len(ding.json()["content"]) <= 200), (["u1"], True))
        assert "<" not in card["description"] and len(card["description"].encode()) <= 512 and len(card["title"].encode()) <= 128, card


# -- the readable texts --

MORE = EVIL + " \u202egnp </b><a href=\"http://x\">y</a> ![i](http://x/i.png) [x](javascript:1) <http://x|y> \n---\n> q *b* ~s~ |t| {x} [~admin]"
OURS = "https://alerts.example/"


def readable(sink, smarthost, language):
    keys = {
        "slack": "api_url: URL, channel: '#ops'", "discord": "webhook_url: URL", "telegram": "bot_token: '1:a', chat_id: 1, api_url: URL",
        "msteams": "webhook_url: URL", "msteamsv2": "webhook_url: URL", "mattermost": "webhook_url: URL",
        "rocketchat": "token: t, token_id: i, channel: '#ops', api_url: URL", "pushover": "user_key: u, token: t",
        "sns": "topic_arn: 'arn:aws:sns:r:1:t', api_url: URL, sigv4: {region: r, access_key: a, secret_key: s}",
        "opsgenie": "api_key: k, api_url: URL", "victorops": "api_key: k, routing_key: r, api_url: URL", "pagerduty": "routing_key: k, url: URL",
        "wechat": "api_url: URL, corp_id: c, api_secret: s, agent_id: '1', to_user: u", "dingtalk": "url: URL", "feishu": "url: URL",
        "wecom": "url: URL", "googlechat": "url: URL", "ntfy": "url: URL, topic: t"}
    entries = "".join(f"    {k}_configs: [{{{v.replace('URL', repr(f'{sink.url}/{k}/'))}}}]\n" for k, v in keys.items() if k != "pushover")
    return f"""
global: {{language: {language}, smtp_smarthost: '{smarthost}', smtp_from: a@t.example, smtp_require_tls: false, webex_api_url: '{sink.url}/webex/'}}
notifications: {{style: readable}}
route: {{receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 1h}}
receivers:
  - name: all
{entries}    webex_configs: [{{room_id: r, http_config: {{authorization: {{credentials: t}}}}}}]
    email_configs: [{{to: ops@y.example}}]
"""


def texts_of(kind, request):
    """What people read: of services for incidents not the details, which are data."""
    if kind == "sns":
        return [v for k, v in urllib.parse.parse_qsl(request.body.decode()) if k in ("Message", "Subject")]
    body = request.json()
    if kind in ("dingtalk", "feishu", "telegram", "msteams"):  # besides a headline or summary, which is plain text there
        return [{"dingtalk": lambda: body["markdown"]["text"], "feishu": lambda: body["card"]["elements"][0]["content"],
                 "telegram": lambda: body["text"], "msteams": lambda: body["title"] + "\n" + body["text"]}[kind]()]
    if kind == "mattermost":
        assert "@all" not in body["attachments"][0].pop("fallback")
    if kind == "pagerduty":
        return [body["payload"]["summary"]]
    if kind == "opsgenie":
        return [body["message"], body["description"]]
    if kind == "victorops":
        return [body["state_message"], body["entity_display_name"]]
    return [s for s in strings(body) if s not in ("http://adaptivecards.io/schemas/adaptive-card.json", "http://schema.org/extensions")]


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [v for k, v in attributes if k in ("href", "src")]
        assert not [k for k, _ in attributes if k.startswith("on")], attributes


def check_links(kind, urls):
    assert urls and all(u.startswith(OURS) for u in urls), (kind, urls)


def check_readable(kind, text):
    assert "\u202e" not in text and "\r" not in text, (kind, text)
    plain = text.replace("\\\\", "")
    if kind in ("slack", "googlechat"):
        found = re.findall(r"<([^>]*)>", plain)
        assert all(f.startswith(OURS) for f in found), (kind, found)
    if kind == "telegram":
        page = Tags(text)
        assert page.tags <= {"b", "a"}, page.tags
        check_links(kind, page.links)
    if kind in ("dingtalk", "feishu", "wecom", "discord", "mattermost", "msteams", "msteamsv2", "webex", "rocketchat"):
        urls = re.findall(r"(?<!\\)\]\(([^)]*)\)", plain)
        assert all(u.startswith(OURS) for u in urls), (kind, urls)
    if kind in ("feishu", "wecom", "msteams", "webex", "rocketchat"):
        assert "<" not in plain, (kind, plain)
    if kind == "dingtalk":
        assert not re.search(r"<[a-z/!]", plain), plain
    if kind in ("slack", "discord", "mattermost", "rocketchat", "telegram", "webex"):
        assert not re.search(r"@(all|here|U1)", plain), (kind, plain)
    for line in text.split("\n")[1:]:
        assert not re.match(r"\s*(# |Bcc:|!\[)", line), (kind, line)


def test_nothing_happens_in_readable_texts():
    """Through every receiver, and with a label of 10 MB that all of them shorten by themselves."""
    answer = json.dumps({**json.loads(ALL), "ok": True, "status": 1, "success": True, "result": "success"}).encode()
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
    for language, evil in (("en", MORE), ("zh", MORE), ("en", (MORE + "长\n") * (10_000_000 // len((MORE + "长\n").encode()) + 1))):
        box = Mailbox()
        with folder() as d, Sink(otherwise=answer) as sink, MailServer(box) as smtp, \
                Tocsin(readable(sink, smtp, language), d, "--web.external-url=https://alerts.example/") as t:
            short = evil[:2000]
            alert = {"labels": {"alertname": "A " + short, "evil": evil}, "generatorURL": "javascript:alert(1)", "annotations": {
                "summary": short, "summary_zh": short, "description": short, "action": short, "runbook": short, "runbook_url": "javascript:" + short, "value": short}}
            # a disk that takes longer than 5 s for rows of 18 times 10 MB is answered by 503, and whoever sends does so again
            until("it is taken", lambda: t.post("/api/v2/alerts", [alert]).status == 200, 60)
            of_kinds = lambda: {r.path.split("/")[2]: r for r in sink.got if "gettoken" not in r.path}
            try:
                kinds = until("all requests", lambda: (lambda k: len(k) == 18 and box.mails and k)(of_kinds()), 60)
            except AssertionError:
                raise AssertionError(f"only {sorted(of_kinds())} and {len(box.mails)} mails") from None
        for kind, request in kinds.items():
            assert len(request.body) < 40000 or kind in ("pagerduty", "opsgenie"), (kind, len(request.body))  # they have all labels as details
            for text in texts_of(kind, request):
                check_readable(kind, text)
        for kind in ("dingtalk", "feishu", "wecom", "slack"):
            assert OURS in kinds[kind].body.decode(), kind
        to, mail, _ = box.mails[0]
        equal((to, mail["Bcc"], mail["To"]), (["ops@y.example"], None, "ops@y.example"))
        page, text = (mail.get_body((part,)).get_content() for part in ("html", "plain"))
        tags = Tags(page)
        check_links("email", tags.links)
        assert not tags.tags & {"script", "img", "iframe"} and "\u202e" not in page + text + mail["Subject"], tags.tags
        assert len(page) < 40000 and len(text) < 20000, (len(page), len(text))


main()
