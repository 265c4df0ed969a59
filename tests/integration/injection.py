"""A label that tries everything: headers, mentions, links, markup. It is shown by every receiver and does nothing in any."""
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
    equal([x for x in re.findall("<[^>]*>", chat["text"]) if not re.search(r"\|(Graph|Alertmanager)>$", x)], [])
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


main()
