"""Messages and calls through the fakes of contrib/, which check signatures, sizes and limits as the vendors do: each provider, each
wrong key, what is said of it; a call that is answered, one that is not; and Slack, WeCom and mail through theirs."""
from harness import *


SMS = {"aliyun": "template: T1, sign_name: 某某科技, parameters: {name: '{{ .GroupLabels.alertname }}'}",
       "tencent": "template: T1, sign_name: 某某科技, app_id: '1400', parameters: {'1': '{{ .GroupLabels.alertname }}'}",
       "huawei": "template: T1, sign_name: 某某科技, from: '1069', parameters: {'1': '{{ .GroupLabels.alertname }} 10.0.0.1'}",
       "twilio": "from: '+15005550006', text: '{{ .GroupLabels.alertname }}'"}


def entry(provider, url, keys, kind="sms", number="+8613800138000", key="key0", secret="secret0"):
    if kind == "voice":
        keys = keys.replace("sign_name: 某某科技, ", "")
    return f"  - {{name: r, {kind}_configs: [{{provider: {provider}, api_url: '{url}', key_id: {key}, secret_key: {secret}, {keys}, numbers: ['{number}']}}]}}\n"


def test_messages():
    with folder() as d:
        for provider, keys in SMS.items():
            with Fake("sms", "--template=T1", "--sign-name=某某科技") as fake:
                code, said = receiver_test(entry(provider, fake.url, keys), d)
                equal(code, 0, said)
                got = until("the message", fake.messages)[0]
                assert got["to"].endswith("13800138000"), got
                assert "".join(got.get("values", {}).values()) + got.get("text", ""), got
                for bad, words in ({"key": "other"}, '"key_id"'), ({"secret": "other"}, '"secret_key"'):
                    code, said = receiver_test(entry(provider, fake.url, keys, **bad), d)
                    assert code == 1 and words in said, (provider, bad, said)
                    assert "secret0" not in said and "other" not in said.replace("another", "").replace("others", ""), said
                if provider != "twilio":
                    code, said = receiver_test(entry(provider, fake.url, keys.replace("T1", "T2")), d)
                    assert code == 1 and '"template" is no approved template' in said, (provider, said)
                    assert "怎么办：template 填服务商控制台里审核通过的模板" in said, said


def test_limits_of_a_number():
    with folder() as d, Fake("sms", "--per-day=1") as fake:
        equal(receiver_test(entry("aliyun", fake.url, SMS["aliyun"]), d)[0], 0)
        code, said = receiver_test(entry("aliyun", fake.url, SMS["aliyun"]), d)
        assert code == 1 and "no more go to this number today" in said, said
    with folder() as d, Fake("voice") as fake:
        code, said = receiver_test(entry("aliyun", fake.url, SMS["aliyun"], "voice", "13700137000"), d)
        assert code == 0 and "taken, would be asked how it went" in said, said
        for provider in ("tencent", "huawei"):  # what they take counts as answered
            number = "+86138001380" + str(len(provider)).zfill(2)
            code, said = receiver_test(entry(provider, fake.url, SMS[provider], "voice", number), d)
            equal(code, 0, said)
            code, said = receiver_test(entry(provider, fake.url, SMS[provider], "voice", number), d)
            assert code == 1 and ("a while" in said or "a minute" in said), said


def test_calls():
    """Answered at the first call, and at none: that is told, and called again not within a minute. A call that rings is no failure,
    and who dies meanwhile asks how it went and does not call once more."""
    with folder() as d, Fake("voice", "--rings=1", "--busy=13900139000", "--per-minute=0") as fake:
        config = f"""
route: {{receiver: ok, group_by: [alertname], group_wait: 0s, routes: [{{receiver: busy, matchers: [who=busy]}}]}}
receivers:
{entry("aliyun", fake.url, SMS["aliyun"], "voice").replace("name: r", "name: ok")}{entry("aliyun", fake.url, SMS["aliyun"], "voice", "13900139000").replace("name: r", "name: busy")}
"""
        with Tocsin(config, d) as t:
            t.alert(alertname="A")
            t.alert(alertname="B", who="busy")
            until("both ring", lambda: t.text().count("notification under way") == 2)
            equal(t.metric("alertmanager_notification_requests_failed_total", integration="voice") or 0, 0)
            t.kill()
        with Tocsin(config, d) as t:
            until("one was answered", lambda: t.metric("alertmanager_notifications_total", integration="voice") == 1, 40)
            until("the other was not", lambda: "unanswered" in t.text(), 40)
            equal(t.metric("alertmanager_notification_requests_failed_total", integration="voice"), 1)
            equal(len(fake.messages()), 2, "calls")
            assert "secret0" not in t.text()


def call_forty(d, fake, sink):
    """40 groups within a minute, of which each is critical. Returns their names, and what calls said of them, first to last."""
    names = [f"Card{k:02}Lost" for k in range(40)]
    config = f"""
route: {{receiver: phone, group_by: [alertname], group_wait: 0s, group_interval: 5m}}
receivers:
- name: phone
  fallback: chat
  voice_configs:
  - {{provider: twilio, api_url: '{fake.url}', key_id: key0, secret_key: secret0, from: '+15005550006', text: '{{{{ range .Groups }}}}{{{{ .GroupLabels.alertname }}}}, {{{{ end }}}}',
     numbers: ['+8613800138000'], pace: [{{messages: 1, per: {MINUTE}s}}, {{messages: 5, per: {60 * MINUTE}s}}, {{messages: 20, per: {1440 * MINUTE}s}}]}}
- {{name: chat, webhook_configs: [{{url: '{sink.url}'}}]}}
"""
    with Tocsin(config, d) as t:
        for name in names:
            t.alert(alertname=name, severity="critical")
            time.sleep(MINUTE / 50)
        yield names
        until("all are named", lambda: all(any(n in m["text"] for m in fake.messages()) for n in names), 10 * MINUTE)
        yield t


MINUTE = 3


def test_forty_groups_are_few_calls():
    """One at once, one for the rest: a second call within a minute is refused, as by Aliyun. Answered calls leave the fallback alone; of calls
    that nobody answers it is told each group."""
    with folder() as d, Fake("voice", f"--minute={MINUTE}", "--rings=0.2") as fake, Sink() as sink:
        for _ in call_forty(d, fake, sink):
            pass
        assert len(fake.messages()) <= 3 and not [x for x in fake.log if x.startswith("refused")], fake.log
        equal(sink.count(), 0, "messages of the fallback")
    with folder() as d, Fake("voice", f"--minute={MINUTE}", "--rings=0.2", "--busy=+8613800138000") as fake, Sink() as sink:
        steps = call_forty(d, fake, sink)
        names = next(steps)
        until("the fallback is told of all", lambda: {a["labels"]["alertname"] for r in sink.got for a in r.json()["alerts"]} == set(names), 40 * MINUTE, 0.2)
        assert not [x for x in fake.log if x.startswith("refused")], fake.log
        for _ in steps:
            pass


def test_a_variable_of_several_groups():
    """What they have in common is nothing: each is named, as far as there is room, and how many there are more."""
    with folder() as d, Fake("voice", f"--minute={MINUTE}", "--rings=0.2") as fake:
        entries = entry("aliyun", fake.url, SMS["aliyun"], "voice").replace("numbers:", f"pace: [{{messages: 1, per: {MINUTE}s}}], numbers:")
        with Tocsin("route: {receiver: r, group_by: [alertname], group_wait: 0s}\nreceivers:\n" + entries, d) as t:
            t.alert(alertname="First")
            until("the first call", fake.messages)
            for k in range(1, 5):
                t.alert(alertname=f"GroupName0{k}")
            until("one for the rest", lambda: len(fake.messages()) == 2)
            equal([m["values"]["name"] for m in fake.messages()], ["First", "GroupName01, GroupName02 +2"])


def test_applications():
    """A card that changes and rings, in a chat and by mail; a group, people and a DING; a token that ends is asked for anew."""
    with folder() as d, Fake("feishu", "--token-life=1") as feishu, Fake("dingtalk", "--token-life=1") as ding:
        at = {k: re.search("http://[0-9.:]+", f.url).group(0) for k, f in (("feishu", feishu), ("ding", ding))}
        config = f"""
route: {{receiver: apps, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: apps
    feishu_app_configs: [{{api_url: '{at["feishu"]}', app_id: cli_a1, app_secret: s1, chats: [oc_1], emails: [a@x.example], urgent: phone, urgent_users: [ou_1]}}]
    dingtalk_app_configs: [{{api_url: '{at["ding"]}', client_id: dinga1, client_secret: s1, chats: [cid1], users: [u1], ding: app}}]
"""
        paths = lambda f: [(m["path"].removeprefix("/v1.0/robot/").replace("/open-apis/im/v1/messages", ""),
                            m.get("receive_id") or m.get("openConversationId")) for m in f.messages()]
        with Tocsin(config, d) as t:
            t.alert(alertname="A", gpu="1")
            until("all are told", lambda: len(feishu.messages()) == 3 and len(ding.messages()) == 3)
            equal(paths(feishu), [("POST ", "oc_1"), ("PATCH /om_1/urgent_phone", None), ("POST ", "a@x.example")])
            equal(paths(ding), [("groupMessages/send", "cid1"), ("oToMessages/batchSend", None), ("ding/send", None)])
            time.sleep(1.1)  # the tokens end
            t.alert(alertname="A", gpu="1", ends=-0.1)
            until("the end is told", lambda: len(feishu.messages()) == 7 and len(ding.messages()) == 5)
            equal([p for p, _ in paths(feishu)[3:]], ["PATCH /om_1", "POST /om_1/reply", "PATCH /om_2", "POST /om_2/reply"])
            equal(json.loads(feishu.messages()[3]["content"])["header"]["template"], "green")
            t.alert(alertname="A", gpu="1")
            until("a new card", lambda: len(feishu.messages()) == 10)
            equal(paths(feishu)[7], ("POST ", "oc_1"))
    with folder() as d, Fake("feishu", "--no-chat=oc_1") as feishu, Fake("dingtalk", "--unknown=gone") as ding:
        at = re.search("http://[0-9.:]+", ding.url).group(0)
        code, said = receiver_test(f"  - name: r\n    dingtalk_app_configs: [{{api_url: '{at}', client_id: dinga1, client_secret: s1, users: [u1, gone]}}]\n", d)
        assert code == 0 and "delivered; gone: no such userId" in said, said
        for config, words in ((f"feishu_app_configs: [{{api_url: '{feishu.url.split('/open')[0]}', app_id: cli_a1, app_secret: s1, chats: [oc_1]}}]", "add it"),
                              (f"feishu_app_configs: [{{api_url: '{feishu.url.split('/open')[0]}', app_id: cli_a1, app_secret: s2, chats: [oc_1]}}]", '"app_secret" is wrong'),
                              (f"dingtalk_app_configs: [{{api_url: '{ding.url.split('/robot')[0]}', client_id: dinga1, client_secret: s2, chats: [cid1]}}]", '"client_secret" is wrong'),
                              (f"dingtalk_app_configs: [{{api_url: '{ding.url.split('/robot')[0]}', client_id: dinga1, client_secret: s1, robot_code: x, chats: [cid1]}}]", '"robot_code" is wrong')):
            code, said = receiver_test(f"  - name: r\n    {config}\n", d)
            assert code == 1 and words in said, said


def test_ends_under_a_digest():
    """A group that a digest told: its end is said under that digest, which tells others, too; of a group with a message of its own that
    message is changed. What fires again is a new one."""
    with folder() as d, Fake("slack") as slack:
        config = f"""
route: {{receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
- name: r
  slack_configs: [{{app_token: xoxb-1, app_url: '{slack.url}api/chat.postMessage', channel: '#c', update_message: true, send_resolved: true, digest: true,
                   pace: [{{messages: 1, per: 2s}}], title: '{{{{ range .Groups }}}}{{{{ .GroupLabels.alertname }}}} {{{{ else }}}}{{{{ .GroupLabels.alertname }}}}{{{{ end }}}}'}}]
"""
        with Tocsin(config, d) as t:
            said = lambda: [(m["attachments"][0]["title"].strip(), "ts" in m, m.get("thread_ts", "")[-1:]) for m in slack.messages()]
            t.alert(alertname="A")
            until("the first", lambda: len(said()) == 1)
            for name in "BC":
                t.alert(alertname=name)
            until("a digest", lambda: len(said()) == 2)
            equal(said(), [("A", False, ""), ("B C", False, "")])
            time.sleep(3)  # the destination takes one at once again
            t.alert(alertname="B", ends=-0.1)
            until("the end of B", lambda: len(said()) == 3)
            time.sleep(3)
            t.alert(alertname="A", ends=-0.1)
            until("the end of A", lambda: len(said()) == 4)
            time.sleep(3)
            t.alert(alertname="B")
            until("B again", lambda: len(said()) == 5)
            equal(said()[2:], [("B", False, "1"), ("A", True, ""), ("B", False, "")])


def test_chat_and_mail():
    with folder() as d, Fake("slack") as slack, Fake("wecom", "--unknown=gone") as wecom, Fake("smtp", "--refuse=c@x.example=550") as smtp:
        if not smtp.url[0].isdigit():
            raise Skip("aiosmtpd is not there")
        code, said = receiver_test(f"""
  - name: r
    slack_configs:
      - {{api_url: '{slack.url}services/T0/B0/x', channel: '#c'}}
      - {{api_url: '{slack.url}api/chat.postMessage', channel: '#c', http_config: {{authorization: {{credentials: xoxb-1}}}}}}
    wecom_configs: [{{api_url: '{wecom.url}', key: k0}}]
    wechat_configs: [{{api_url: '{wecom.url}cgi-bin/', corp_id: ww1, api_secret: s0, agent_id: '1000002', to_user: 'zhangsan|gone'}}]
    email_configs: [{{smarthost: '{smtp.url}', from: a@t.example, to: 'b@x.example, c@x.example', require_tls: false}}]
""", d)
        equal(said.count("]: delivered"), 5, said)
        assert "gone" in said and "c@x.example" in said, said
        until("all", lambda: len(slack.messages()) == len(wecom.messages()) == 2 and smtp.messages())
        equal(smtp.messages()[0]["to"], ["b@x.example"])
        code, said = receiver_test(f"  - {{name: r, wechat_configs: [{{api_url: '{wecom.url}cgi-bin/', corp_id: ww1, api_secret: s1, to_user: a}}]}}\n", d)
        assert code == 1 and '"api_secret" is wrong' in said, said
        code, said = receiver_test(f"  - {{name: r, slack_configs: [{{api_url: '{slack.url}services/T0/B0/y', channel: '#c'}}]}}\n", d)
        assert code == 1 and "no_service" in said, said


main()
