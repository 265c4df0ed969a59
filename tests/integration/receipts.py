"""How calls went, told by those who made them: Tencent and Huawei, which cannot be asked, and Twilio, which signs it, through
contrib/fakes/voice.py. Unanswered: the next call, then the fallback; answered: no fallback; whoever dies between the call and
its receipt counts the receipt; what is forged, unknown or broken changes nothing and says nothing."""
import base64
import hashlib
import hmac
import urllib.parse

from harness import *

NUMBER = "+8613800138000"
KEYS = {"tencent": "template: T1, app_id: '1400', parameters: {'1': '{{ .GroupLabels.alertname }}'}",
        "huawei": "template: T1, from: '+8651212345678', parameters: {'1': '{{ .GroupLabels.alertname }}'}",
        "twilio": "from: '+15005550006', text: '{{ .GroupLabels.alertname }}'",
        "aliyun": "template: T1, parameters: {name: '{{ .GroupLabels.alertname }}'}"}


def token(provider, key="key0", secret="secret0"):
    return hmac.new(secret.encode(), f"tocsin receipts {provider} {key}".encode(), hashlib.sha256).hexdigest()[:32]


def config_of(provider, fake, sink, port, more=""):
    return f"""
route: {{receiver: phone, group_by: [alertname], group_wait: 0s, group_interval: 5m}}
receivers:
- name: phone
  fallback: chat
  voice_configs:
  - {{provider: {provider}, api_url: '{fake.url}', key_id: key0, secret_key: secret0, {KEYS[provider]}, numbers: ['{NUMBER}'],
     receipt_url: 'http://127.0.0.1:{port}/', pace: [{{messages: 100, per: 1s}}]{more}}}
- {{name: chat, webhook_configs: [{{url: '{sink.url}'}}]}}
"""


class Phone:
    """A provider's fake, a sink for the fallback, and a server that is told how calls went at the port it says."""

    def __init__(self, d, provider, *arguments, more=""):
        self.port, self.provider = free_port(), provider
        self.url = f"http://127.0.0.1:{self.port}/receipts/{token(provider)}"
        self.fake = Fake("voice", "--per-minute=0", "--per-hour=0", "--per-day=0", f"--receipts={self.url}", *arguments)
        self.sink, self.d, self.more = Sink(), d, more

    def __enter__(self):
        self.config = config_of(self.provider, self.fake, self.sink, self.port, self.more)
        return self

    def __exit__(self, *args):
        self.sink.__exit__(*args)
        self.fake.__exit__(*args)

    def server(self):
        return Tocsin(self.config, self.d, listen=f"127.0.0.1:{self.port}")

    def told(self):
        return [x for x in self.fake.log if x.startswith("receipt of ")]


def test_answered():
    """At the first call, as the receipt says: told, no second call, no fallback."""
    for provider in KEYS:
        with folder() as d, Phone(d, provider, "--rings=1") as p, p.server() as t:
            t.alert(alertname="A", severity="critical")
            until(f"{provider} is heard", lambda: t.metric("alertmanager_notifications_total", integration="voice") == 1, 20)
            equal(len(p.fake.messages()), 1, provider)
            equal(p.sink.count(), 0, f"{provider}: messages of the fallback")
            equal(t.metric("alertmanager_notification_requests_failed_total", integration="voice") or 0, 0, provider)
            assert len(p.told()) == 1 and ": 200 {" in p.told()[0], p.told()
            assert "secret0" not in t.text() and token(provider) not in t.text()


def test_unanswered():
    """The next call a minute later, here as soon as its row may, then the fallback, which a critical one gets at once."""
    for provider in ("tencent", "huawei"):
        with folder() as d, Phone(d, provider, "--rings=0.3", f"--busy={NUMBER}", more=", calls: 1") as p, p.server() as t:
            t.alert(alertname="A")
            until("the fallback is told", p.sink.count, 20)
            equal(len(p.fake.messages()), 1, provider)
            t.says("1 calls, none answered")
        with folder() as d, Phone(d, provider, "--rings=0.3", f"--busy={NUMBER}") as p, p.server() as t:
            t.alert(alertname="A", severity="critical")
            until("the fallback is told after the first", p.sink.count, 20)
            t.says("unanswered")
            equal(len(p.fake.messages()), 1)


def test_next_call():
    """Unanswered, then a minute, then answered."""
    with folder() as d, Phone(d, "tencent", "--rings=0.3", "--unanswered=1") as p, p.server() as t:
        t.alert(alertname="A")
        until("the second call is answered", lambda: t.metric("alertmanager_notifications_total", integration="voice") == 1, 90)
        equal(len(p.fake.messages()), 2)
        equal(p.sink.count(), 0, "messages of the fallback")


def test_killed_between():
    """kill -9 while it rings: the receipt after the restart counts, and there is no second call."""
    for provider, busy in ("tencent", []), ("huawei", [f"--busy={NUMBER}"]):
        with folder() as d, Phone(d, provider, "--rings=4", *busy, more=", calls: 1") as p:
            with p.server() as t:
                t.alert(alertname="A")
                until("it rings", lambda: "notification under way" in t.text())
                t.kill()
            with p.server() as t:
                if busy:
                    until("the fallback is told", p.sink.count, 20)
                else:
                    until("it counts", lambda: t.metric("alertmanager_notifications_total", integration="voice") == 1, 20)
                    equal(p.sink.count(), 0, "messages of the fallback")
                equal(len(p.fake.messages()), 1, "calls")


def post(url, body, headers=None):
    r = request("POST", url, body if isinstance(body, bytes) else body.encode(), headers)
    return r.status, r.body


def test_who_may_say_it():
    """A wrong token is no address; what is forged is refused; unknown calls, second receipts and broken bodies change nothing; a body
    has its bound."""
    with folder() as d, Phone(d, "twilio", "--rings=600") as p, p.server() as t:
        t.alert(alertname="A")
        until("it rings", lambda: "notification under way" in t.text())
        base = p.url.removesuffix(token("twilio"))
        fields = {"CallSid": "CAfake1", "CallStatus": "completed"}
        form = urllib.parse.urlencode(fields)

        def sign(fields, secret="secret0"):
            text = p.url + "".join(k + fields[k] for k in sorted(fields))
            return {"X-Twilio-Signature": base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()}

        unknown = post(base + token("tencent"), form, sign(fields))
        equal(unknown, post(t.url + "/nothing/here", form))
        equal(unknown[0], 404)
        for other in ("", "x", token("twilio")[:-1], token("twilio").upper(), token("twilio") + "0", "0" * 32, "0" * 4000):
            equal(post(base + other, form, sign(fields))[0], 404, other[:40])
        equal(post(p.url, form)[0], 403)
        equal(post(p.url, form, sign(fields, "other"))[0], 403)
        equal(post(p.url, form.replace("completed", "busy"), sign(fields))[0], 403)
        equal(post(p.url, "x" * 300000, sign(fields))[0], 413)
        equal(request("GET", p.url).status, 405)
        stranger = dict(fields, CallSid="CAfake2")
        answer = post(p.url, urllib.parse.urlencode(stranger), sign(stranger))
        equal(answer[0], 200)
        equal(t.metric("alertmanager_notifications_total", integration="voice") or 0, 0, "nothing has counted yet")
        equal(post(p.url, form, sign(fields)), answer, "known and unknown are answered alike")
        until("it counts", lambda: t.metric("alertmanager_notifications_total", integration="voice") == 1)
        failed = dict(fields, CallStatus="no-answer")
        equal(post(p.url, urllib.parse.urlencode(failed), sign(failed)), answer)
        time.sleep(1)
        equal(t.metric("alertmanager_notifications_total", integration="voice"), 1)
        equal(p.sink.count(), 0, "messages of the fallback")
    with folder() as d, Phone(d, "tencent", "--rings=600") as p, p.server() as t:
        t.alert(alertname="A")
        until("it rings", lambda: "notification under way" in t.text())
        for body in (b"", b"null", b"[]", b"{", b"{\"voiceprompt_callback\":", b"\x00\xff", b"[" * 100000, b'{"voiceprompt_callback":' * 1000):
            equal(post(p.url, body)[0], 400, str(body[:40]))
        for body in (b"{}", b'{"voiceprompt_callback":7}', b'{"voiceprompt_callback":{"callid":"","result":"0"}}',
                     b'{"voiceprompt_callback":{"callid":"CAfake1\\n+8613800138000","result":"0"}}'):
            equal(post(p.url, body)[0], 200, str(body))
        equal(t.metric("alertmanager_notifications_total", integration="voice") or 0, 0)
        equal(post(p.url, '{"voiceprompt_callback":{"callid":"CAfake1","result":"0"}}')[0], 200)
        until("it counts", lambda: t.metric("alertmanager_notifications_total", integration="voice") == 1)


def test_behind_a_password():
    """Where the server asks everybody for a password the address is enough, and lets in to nothing else."""
    with folder() as d, Phone(d, "tencent", "--rings=1") as p:
        p.config += "\nweb: {tokens: [{name: all, token: t0, scope: admin}]}\n"
        with p.server() as t:
            equal(t.get("/api/v2/alerts").status, 401)
            equal(t.post("/api/v2/alerts", [{"labels": {"alertname": "A"}}], headers={"Authorization": "Bearer t0"}).status, 200)
            until("it is heard", lambda: p.told() and ": 200 " in p.told()[0], 20)


def test_the_address_is_shown():
    with folder() as d, Phone(d, "tencent") as p:
        path = write(os.path.join(d, "shown.yml"), p.config)
        run = subprocess.run([PROGRAM, "receiver", "receipts", "--config.file", path], capture_output=True, text=True)
        equal(run.stdout, f"phone/voice[0] {p.url}\n", run.stderr)
        run = subprocess.run([PROGRAM, "receiver", "receipts", "--config.file", path, "chat"], capture_output=True, text=True)
        assert run.returncode == 1 and "receipt_url" in run.stderr, run.stderr


main()
