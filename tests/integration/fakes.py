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
    return f"  - {{name: r, {kind}_configs: [{{provider: {provider}, api_url: '{url}', access_key: {key}, secret_key: {secret}, {keys}, numbers: ['{number}']}}]}}\n"


def test_messages():
    with folder() as d:
        for provider, keys in SMS.items():
            with Fake("sms", "--template=T1", "--sign-name=某某科技") as fake:
                code, said = receiver_test(entry(provider, fake.url, keys), d)
                equal(code, 0, said)
                got = until("the message", fake.messages)[0]
                assert got["to"].endswith("13800138000"), got
                assert "".join(got.get("values", {}).values()) + got.get("text", ""), got
                for bad, words in ({"key": "other"}, '"access_key"'), ({"secret": "other"}, '"secret_key"'):
                    code, said = receiver_test(entry(provider, fake.url, keys, **bad), d)
                    assert code == 1 and words in said, (provider, bad, said)
                    assert "secret0" not in said and "other" not in said.replace("another", "").replace("others", ""), said
                if provider != "twilio":
                    code, said = receiver_test(entry(provider, fake.url, keys.replace("T1", "T2")), d)
                    assert code == 1 and '"template"' in said, (provider, said)


def test_limits_of_a_number():
    with folder() as d, Fake("sms", "--per-day=1") as fake:
        equal(receiver_test(entry("aliyun", fake.url, SMS["aliyun"]), d)[0], 0)
        code, said = receiver_test(entry("aliyun", fake.url, SMS["aliyun"]), d)
        assert code == 1 and "no more go to this number today" in said, said
    with folder() as d, Fake("voice") as fake:
        for provider in ("tencent", "huawei"):  # what they take counts as answered
            number = "+86138001380" + str(len(provider)).zfill(2)
            code, said = receiver_test(entry(provider, fake.url, SMS[provider], "voice", number), d)
            equal(code, 0, said)
            code, said = receiver_test(entry(provider, fake.url, SMS[provider], "voice", number), d)
            assert code == 1 and ("a while" in said or "a minute" in said), said


def test_calls():
    """Answered at the first call, and at none: that is told again and again, one call a minute at most."""
    with folder() as d, Fake("voice", "--rings=1", "--busy=13900139000", "--per-minute=0") as fake:
        config = f"""
route: {{receiver: ok, group_by: [alertname], group_wait: 0s, routes: [{{receiver: busy, matchers: [who=busy]}}]}}
receivers:
{entry("aliyun", fake.url, SMS["aliyun"], "voice").replace("name: r", "name: ok")}{entry("aliyun", fake.url, SMS["aliyun"], "voice", "13900139000").replace("name: r", "name: busy")}
"""
        with Tocsin(config, d) as t:
            t.alert(alertname="A")
            t.alert(alertname="B", who="busy")
            until("both are called", lambda: len(fake.messages()) == 2)
            until("one was answered", lambda: t.metric("alertmanager_notifications_total", integration="voice") == 1, 40)
            until("the other was not", lambda: "unanswered" in t.text(), 40)
            equal(len(fake.messages()), 2, "calls: the second to a number comes a minute after the first")
            assert "secret0" not in t.text()


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
        equal((len(until("both", lambda: len(slack.messages()) == 2 and slack.messages())), len(wecom.messages()), smtp.messages()[0]["to"]), (2, 2, ["b@x.example"]))
        code, said = receiver_test(f"  - {{name: r, wechat_configs: [{{api_url: '{wecom.url}cgi-bin/', corp_id: ww1, api_secret: s1, to_user: a}}]}}\n", d)
        assert code == 1 and '"api_secret" is wrong' in said, said
        code, said = receiver_test(f"  - {{name: r, slack_configs: [{{api_url: '{slack.url}services/T0/B0/y', channel: '#c'}}]}}\n", d)
        assert code == 1 and "no_service" in said, said


main()
