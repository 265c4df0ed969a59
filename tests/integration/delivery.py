"""What a webhook receiver can answer, and what becomes of the notification."""
import datetime, time
from harness import *


def gaps(sink):
    return [round(b.at - a.at, 2) for a, b in zip(sink.got, sink.got[1:])]


def test_accepted_once():
    with folder() as d, Sink() as s, Tocsin(simple(s), d) as t:
        for _ in range(5):  # as Prometheus does
            t.alert(alertname="A", gpu="0")
            time.sleep(0.5)
        until("told", s.count)
        equal(s.count(), 1, "requests")
        body = s.got[0].json()
        equal((body["status"], body["receiver"], body["version"]), ("firing", "hook", "4"))
        equal(body["groupLabels"], {"alertname": "A"})
        equal(body["groupKey"], '{}:{alertname="A"}')
        t.alert(alertname="A", gpu="0", ends=0)
        until("resolved", lambda: s.count() == 2)
        equal(s.got[1].json()["status"], "resolved")
        until("counted", lambda: t.metric("alertmanager_notifications_total", integration="webhook") == 2)
        equal(t.metric("tocsin_outbox_entries", receiver="hook"), 0)


def test_a_message_says_what_changed():
    with folder() as d, Sink() as s, Tocsin(simple(s, changes="true"), d) as t:
        changes = lambda i: {a["labels"]["gpu"]: a["change"] for a in s.got[i].json()["alerts"]}
        t.alert(alertname="A", gpu="1")
        until("told", s.count)
        equal(changes(0), {"1": "added"})
        t.alert(alertname="A", gpu="0")
        t.alert(alertname="A", gpu="2")
        until("told of all", lambda: s.count() > 1 and len(changes(-1)) == 3)
        equal(changes(-1)["1"], "unchanged")
        t.alert(alertname="A", gpu="1", ends=0)
        until("told of the end", lambda: "resolved" in changes(-1).values())
        equal(changes(-1), {"0": "unchanged", "1": "resolved", "2": "unchanged"})


def test_400_is_final_until_the_next_flush():
    with folder() as d, Sink(400) as s, Tocsin(simple(s, group_interval="6s"), d) as t:
        t.alert(alertname="A")
        until("first request", s.count)
        time.sleep(2)
        equal(s.count(), 1, "requests within the interval")
        equal(t.metric("alertmanager_notifications_failed_total", integration="webhook", reason="clientError"), 1)
        until("the next flush tries again", lambda: s.accepted())
        equal(s.count(), 2, "requests")


def test_429_waits_as_told():
    with folder() as d, Sink((429, {"Retry-After": "2"})) as s, Tocsin(simple(s, group_interval="1m"), d) as t:
        t.alert(alertname="A")
        until("accepted", s.accepted)
        equal(s.count(), 2, "requests")
        assert 1.95 <= gaps(s)[0] <= 8, gaps(s)


def test_500_is_retried_with_backoff():
    with folder() as d, Sink(500, 502, 503) as s, Tocsin(simple(s, group_interval="1m"), d) as t:
        t.alert(alertname="A")
        until("accepted", s.accepted)
        equal(s.count(), 4, "requests")
        for i, gap in enumerate(gaps(s)):
            base = 0.5 * 1.5 ** i
            assert 0.49 * base <= gap <= 1.5 * base + 4, gaps(s)  # the next flush is a minute off
        equal(len({r.body for r in s.got}), 1, "bodies of the attempts")
        until("counted", lambda: t.metric("alertmanager_notification_requests_failed_total", integration="webhook") == 3)
        time.sleep(1)
        equal(s.count(), 4, "requests after the accepted one")


def test_no_answer_ends_at_the_deadline():
    with folder() as d, Sink(NOTHING) as s, Tocsin(simple(s, group_interval="1m", timeout="1s"), d) as t:
        t.alert(alertname="A")
        until("accepted", s.accepted)
        equal(s.count(), 2, "requests")
        assert 0.9 <= gaps(s)[0] <= 8, gaps(s)  # the pause has passed by then


def test_half_a_head_is_retried():
    with folder() as d, Sink(b"HTTP/1.1 200 OK\r\nX: ", CLOSE, b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nhalf") as s:
        with Tocsin(simple(s, group_interval="1m"), d) as t:
            t.alert(alertname="A")
            until("accepted", s.accepted)
            equal(s.count(), 4, "requests")


def test_a_status_suffices():
    """The body of a 2xx answer is cut off, or larger than anybody reads: it was delivered, and is not sent again."""
    chunked = b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2000000
    for answer in (HALF, chunked + b"100\r\nhalf", large, chunked + b"1e8480\r\n" + b"x" * 2000000 + b"\r\n0\r\n\r\n"):
        with folder() as d, Sink(otherwise=answer) as s, Tocsin(simple(s, group_interval="1m"), d) as t:
            t.alert(alertname="A")
            until("counted", lambda: t.metric("alertmanager_notifications_total", integration="webhook") == 1)
            time.sleep(1.5)  # the next attempts would be within half a second and a second
            equal(s.count(), 1, "requests")
            equal(t.metric("alertmanager_notification_requests_failed_total", integration="webhook"), 0)


def test_a_day_of_retry_after_is_five_minutes():
    with folder() as d, Sink((503, {"Retry-After": "86400"})) as s, Tocsin(simple(s, group_interval="1m"), d) as t:
        t.alert(alertname="A")
        until("logged", lambda: "it asks for a wait of 86400 s and gets 300" in t.text())
        said = t.get("/api/v2/explain?filter=alertname%3DA").body.decode()
        assert "gets 300" in said, said
        again = [h for h in t.get("/api/v2/notifications").json()["history"] if h["verdict"] == "retry"][0]
        at, due = (datetime.datetime.fromisoformat(again[k].replace("Z", "+00:00")) for k in ("at", "until"))
        assert 299 <= (due - at).total_seconds() <= 306  # and up to 5 s more, so that not all come at once


def test_a_silent_receiver_holds_up_nobody():
    with folder() as d, Sink(otherwise=NOTHING) as dead, Sink() as s:
        config = (f"route:\n  receiver: hook\n  group_by: [n]\n  group_wait: 0s\n"
                  f"  routes: [{{receiver: dead, matchers: ['to=dead']}}]\n"
                  f"receivers:\n{receiver('hook', s)}{receiver('dead', dead)}")
        with Tocsin(config, d) as t:
            for i in range(300):
                t.alert(alertname="A", to="dead", n=str(i))
            until("places taken", lambda: dead.count() >= 20)
            t.alert(alertname="A", n="live")
            until("delivered beside the dead one", s.accepted, 8)  # the dead one's deadline is five minutes
            t.kill()



def test_payload_of_your_own():
    """Strings of the payload are templates; what they give is read as YAML, so numbers and lists become structure."""
    payload = """{text: '{{ .CommonLabels.alertname }} is {{ .Status }}', count: '{{ len .Alerts }}',
                  names: '[{{ range .Alerts }}{{ .Labels.gpu }},{{ end }}]', fixed: {a: 1, b: true}}"""
    with folder() as d, Sink() as sink:
        with Tocsin(simple(sink, payload=payload.replace("\n", " ")), d) as t:
            t.alert(alertname="Slow", gpu="x7")
            until("the message", lambda: sink.count() == 1)
        equal(sink.got[0].json(), {"text": "Slow is firing", "count": 1, "names": ["x7"], "fixed": {"a": 1, "b": True}})


def slowest(t, seconds, done):
    """The longest that the loop kept a request for nothing waiting until done()."""
    worst, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and not done():
        began = time.monotonic()
        t.get("/-/healthy", timeout=60)
        worst = max(worst, time.monotonic() - began)
        time.sleep(0.02)
    assert done(), "nothing came"
    return worst


def test_a_slow_template_holds_up_nobody():
    """Its matches made the whole text be checked again, on the loop: 3.5 s at 150 kB, 14 s at 300 kB."""
    payload = """{text: '{{ reReplaceAll "é" "e" .CommonAnnotations.big }}'}"""
    with folder() as d, Sink() as sink, Tocsin(simple(sink, payload=payload), d) as t:
        t.alert(alertname="Slow", annotations={"big": "é" * 150_000})
        worst = slowest(t, 60, sink.accepted)
        print(f"the loop was held for {worst:.2f} s")
        assert worst < 2, f"the loop was held for {worst:.1f} s"
        equal(sink.got[0].json(), {"text": "e" * 150_000})


def test_a_template_without_end_is_told_plainly():
    payload = """{text: '{{ range 1000 }}{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}{{ end }}'}"""
    with folder() as d, Sink() as sink, Tocsin(simple(sink, payload=payload), d) as t:
        t.alert(alertname="Slow")
        worst = slowest(t, 60, sink.accepted)
        assert worst < 2, f"the loop was held for {worst:.1f} s"
        text = sink.got[0].json()["text"]
        assert text.startswith("[FIRING:1] Slow: template: ") and "steps" in text, text


def test_a_failing_template_is_told_plainly():
    payload = """{text: 'a {{ .CommonLabels.alertname.nope }}', fine: '{{ .Status }}'}"""
    with folder() as d, Sink() as sink, Tocsin(simple(sink, payload=payload), d) as t:
        t.alert(alertname="Slow")
        until("the message", sink.accepted)
        body = sink.got[0].json()
        assert body["text"].startswith("[FIRING:1] Slow: template: :1:18: executing"), body
        equal(body["fine"], "firing")
        until("the log says so", lambda: "delivered in part" in t.text())


def test_reload_and_stop_while_messages_are_rendered():
    payload = """{text: '{{ range 2000 }}{{ range 2000 }}{{ end }}{{ end }}{{ .CommonLabels.n }}'}"""
    config = """route: {receiver: hook, group_by: [n], group_wait: 0s}\nreceivers:\n"""
    with folder() as d, Sink() as sink:
        config += receiver("hook", sink, payload=payload)
        with Tocsin(config, d) as t:
            for i in range(40):
                t.alert(alertname="Slow", n=str(i))
                if i % 10 == 5:
                    equal(t.post("/-/reload", b"").status, 200)
            t.stop()
            # 2.3 s; under a sanitizer, where no clock can be preloaded, up to 9.5
            assert t.took < (9 if os.path.exists(WALLCLOCK) else 20), f"the stop took {t.took:.1f} s"
        with Tocsin(config, d) as t:
            until("all are told", lambda: len({r.json()["text"] for r in sink.got}) == 40, 60)


main()
