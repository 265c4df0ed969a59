"""tocsin receiver test: Slack, PagerDuty, DingTalk and mail take the alert; the robots of DingTalk and Feishu in each security
mode, and what is said of each refusal."""
from harness import *


class Robot(Fake):
    kind, path = "dingtalk", "/robot/send?access_token="

    def __init__(self, *flags):
        super().__init__(self.kind, *flags)
        self.url = re.search(r"http://[0-9.:]+", self.url).group(0) + self.path


class Feishu(Robot):
    kind, path = "feishu", "/open-apis/bot/v2/hook/"


def test_all_four():
    box = Mailbox()
    with folder() as d, Sink() as sink, MailServer(box) as smtp, Robot("--secret=SEC1") as robot:
        code, said = receiver_test(f"""
  - name: r
    slack_configs: [{{api_url: '{sink.url}', channel: '#c'}}]
    pagerduty_configs: [{{routing_key: k, url: '{sink.url}'}}]
    dingtalk_configs: [{{url: '{robot.url}t0', secret: SEC1}}]
    email_configs: [{{smarthost: '{smtp}', from: a@t.example, to: o@x.example, require_tls: false}}]
""", d)
        equal(code, 0, said)
        for kind in ("slack", "pagerduty", "dingtalk", "email"):
            assert f"{kind}[0]: delivered" in said, said
        assert "pagerduty[0] (closed again): delivered" in said, said
        equal((sink.count(), len(box.mails), len(until("the robot's message", robot.messages))), (3, 1, 1))


def test_robot():
    """flags of the robot, keys of the entry, words of the refusal; none: it is taken."""
    cases = [((), "", None),
             (("--secret=SEC1",), "secret: SEC1", None),
             (("--keyword=alarm",), "keywords: [alarm]", None),
             (("--secret=SEC1", "--keyword=告警"), "secret: SEC1, keywords: [告警]", None),
             (("--secret=SEC1",), "secret: SEC2", 'set "secret"'),
             (("--secret=SEC1",), "", 'set "secret"'),
             (("--keyword=alarm",), "", 'set "keywords"'),
             (("--token=other",), "", '"access_token" is wrong'),
             (("--fail=130101",), "", "20 messages a minute"),
             (("--fail=400102",), "", "the robot is stopped"),
             (("--fail=-1",), "", "busy")]
    with folder() as d:
        for flags, keys, refusal in cases:
            with Robot(*flags) as robot:
                code, said = receiver_test(f"  - {{name: r, dingtalk_configs: [{{url: '{robot.url}t0', {keys}}}]}}\n", d)
                equal(code, 1 if refusal else 0, f"{flags} {keys}: {said}")
                assert refusal is None or refusal in said, (flags, keys, said)
                assert "SEC" not in said.replace("SEC...", ""), said


def test_feishu():
    cases = [((), "", None),
             (("--secret=SEC1",), "secret: SEC1", None),
             (("--secret=SEC1", "--keyword=告警"), "secret: SEC1, keywords: [告警], message_type: post", None),
             (("--keyword=alarm",), "keywords: [alarm], message_type: text", None),
             (("--secret=SEC1",), "secret: SEC2", 'set "secret"'),
             (("--secret=SEC1",), "", 'set "secret"'),
             (("--keyword=alarm",), "", 'set "keywords"'),
             (("--token=other",), "", '"token" is wrong'),
             (("--fail=11232",), "", "5 messages a second"),
             (("--fail=19022",), "", "IP address is not allowed")]
    with folder() as d:
        for flags, keys, refusal in cases:
            with Feishu(*flags) as robot:
                code, said = receiver_test(f"  - {{name: r, feishu_configs: [{{url: '{robot.url}t0', {keys}}}]}}\n", d)
                equal(code, 1 if refusal else 0, f"{flags} {keys}: {said}")
                assert refusal is None or refusal in said, (flags, keys, said)
                assert "SEC" not in said and "/hook/t0" not in said, said


def test_feishu_by_http():
    """The generic receiver says what Feishu's says: the body has a code, and what comes again is told by it."""
    keys = """
        json: {msg_type: text, content: {text: '{{ template "feishu.default.plain" . }} 告警 {{ .CommonLabels.alertname }}"'}}
        success: {json: {path: code, equals: 0}}
        retry: {status: [429, 5xx], json: {path: code, equals: [11232]}}
        max_bytes: 20KB
"""
    cases = [((), None), (("--keyword=告警",), None), (("--keyword=other",), '"code": 19024'), (("--token=other",), '"code": 19001'), (("--fail=11232",), '"code": 11232')]
    with folder() as d:
        for flags, refusal in cases:
            with Feishu(*flags) as robot:
                code, said = receiver_test(f"  - name: r\n    http_configs:\n      - url: '{robot.url}t0'{keys}", d)
                equal(code, 1 if refusal else 0, f"{flags}: {said}")
                assert refusal is None or refusal in said, (flags, said)
                assert "/hook/t0" not in said, said
                if refusal is None:
                    content = until("the message", robot.messages)[0]["content"]["text"]
                    assert content.startswith("Info: a test by ") and content.endswith('"') and "告警" in content, content


def test_a_long_message_fits():
    """20,000 bytes: what is cut is the text, behind whole runes, escapes and entities; who is called is still called."""
    with folder() as d, Feishu("--keyword=告警") as robot:
        text = "{{ range $i := untilStep 0 4000 1 }}告&lt;\\\"{{ end }}"
        code, said = receiver_test(f"  - {{name: r, feishu_configs: [{{url: '{robot.url}t0', keywords: [告警], text: '{text}', mention: {{all: true}}}}]}}\n", d)
        equal(code, 0, said)
        content = until("the message", robot.messages)[0]["card"]["elements"][0]["content"]
        head = content.split("…")[0]
        assert content.endswith("…\n\n告警\n<at id=all></at>") and len(head) > 4000, content[-100:]
        assert re.fullmatch(r'(?:告|&lt;|\\|")*', head), head[-40:]


main()
