"""Who cannot be told, and whose clock is wrong: alerts about it, to whoever else there is."""
import email.utils

from harness import *
from noise import Prom, RULES, lines, rule, sourced


def tell_time(exporter, ahead):
    """Its answers carry a Date that lies so many seconds ahead."""
    exporter.server.RequestHandlerClass.date_time_string = lambda self, timestamp=None: email.utils.formatdate(time.time() + ahead, usegmt=True)


def test_clocks_that_differ():
    with folder() as d, Prom() as p, Sink() as sink:
        dated = lambda ahead: (200, {"Date": email.utils.formatdate(time.time() + ahead, usegmt=True)})
        sink.otherwise = dated(0)
        more = simple(sink, repeat_interval="1s").replace("receivers:", "receivers:\n  - {name: idle}") + "global: {resolve_timeout: 1h}\n"
        with Tocsin(sourced(p, more), d, files={"r.yml": RULES}) as t:
            skewed = lambda: {a["labels"]["peer"]: a["annotations"]["description"] for a in t.alerts() if a["labels"]["alertname"] == "TocsinClockSkew"}
            t.alert(alertname="A")
            until("both have answered", lambda: sink.count() > 1 and rule(t)["health"] == "ok")
            equal(skewed(), {})
            tell_time(p, -3600)
            sink.otherwise = dated(100)
            until("both are told", lambda: set(skewed()) == {"source s", "receiver hook/webhook[0]"})
            assert re.search(r"the clock of source s is 3\d\d\d s behind ours", skewed()["source s"]), skewed()
            assert re.search(r"hook/webhook\[0\] is \d+ s ahead of ours", skewed()["receiver hook/webhook[0]"]), skewed()
            assert t.metric("tocsin_source_clock_skew_seconds", source="s") < -3000
            t.post("/-/reload", b"")
            tell_time(p, 20)
            until("a source within 30 s is well", lambda: set(skewed()) == {"receiver hook/webhook[0]"})
            sink.otherwise = dated(-20)
            until("so is a receiver", lambda: skewed() == {})


def test_a_reload_ends_nothing_that_is_told_of_a_source():
    with folder() as d:
        config = f"sources: [{{name: s, url: 'http://127.0.0.1:{free_port()}', down_after: 200ms}}]\nrule_files: [r.yml]\n"
        with Tocsin(config, d, files={"r.yml": RULES}) as t:
            told = lambda: [a["startsAt"] for a in t.alerts() if a["labels"]["alertname"] == "TocsinSourceDown"]
            since = until("it is told", told)
            for _ in range(2):
                equal(t.post("/-/reload", b"").status, 200)
                evaluations = lambda: rule(t)["evaluations"]
                n = evaluations()
                until("the rule has run again", lambda: evaluations() > n + 2)
            equal((told(), lines(t, "source is back")), (since, []))


def about(sink):
    """The receivers that a sink was told fail, firing."""
    return {a["labels"]["receiver"] for r in sink.accepted() for a in r.json()["alerts"]
            if a["labels"]["alertname"] == "TocsinReceiverFailing" and a["status"] == "firing"}


def test_a_receiver_that_fails_is_told_to_the_others():
    for failure in (400, 503, NOTHING):
        with folder() as d, Sink() as a, Sink() as b, Sink() as switch:
            a.otherwise = failure
            config = f"""
route: {{receiver: a, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h, routes: [{{matchers: [team="b"], receiver: b}}]}}
receivers:
{receiver("a", a, timeout="500ms")}{receiver("b", b)}
heartbeat: {{url: '{switch.url}', interval: 200ms, withhold_when_receivers_fail: true}}
"""
            with Tocsin(config, d) as t:
                until("it beats", lambda: switch.count() > 1)
                equal(t.metric("tocsin_receiver_failing", receiver="a"), 0.0)
                t.alert(alertname="A")
                # what has failed for too long is looked at twice a minute, and at each answer
                until("b is told", lambda: about(b) == {"a"}, 15)
                equal(t.metric("tocsin_receiver_failing", receiver="a"), 1.0)
                equal(t.metric("tocsin_receiver_failing", receiver="b"), 0.0)
                page = t.get("/api/tocsin/overview").json()["failingReceivers"]
                equal([x["receiver"] for x in page], ["a"])
                assert page[0]["why"].startswith("webhook[0]: "), page
                assert page[0]["why"] in t.get("/api/v2/explain?of_receiver=a&format=text").body.decode()
                until("the heartbeat is withheld", lambda: lines(t, "heartbeat held back"))
                beats = switch.count()
                a.otherwise = 200
                until("a is told", lambda: t.metric("tocsin_receiver_failing", receiver="a") == 0.0, 15)
                until("it beats again", lambda: switch.count() > beats)
                equal(about(a), set(), "the one that fails is not told of itself")


def test_a_receiver_that_tells_some_and_not_others():
    box = Mailbox({"b@y.example": "550 no such user here"})
    with folder() as d, MailServer(box) as smtp, Sink() as b:
        config = f"""
global: {{smtp_smarthost: '{smtp}', smtp_from: 'alerts@tocsin.example', smtp_require_tls: false}}
route: {{receiver: mail, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 2s, routes: [{{matchers: [team="b"], receiver: b}}]}}
receivers:
  - {{name: mail, email_configs: [{{to: 'a@x.example, b@y.example'}}]}}
{receiver("b", b)}
"""
        with Tocsin(config, d) as t:
            t.alert(alertname="A")
            until("b is told", lambda: about(b) == {"mail"})
            why = t.get("/api/tocsin/overview").json()["failingReceivers"][0]["why"]
            assert "delivered, but not to b@y.example" in why, why
            box.replies.clear()
            until("all are told", lambda: t.metric("tocsin_receiver_failing", receiver="mail") == 0.0)


def test_a_receiver_that_is_gone_fails_no_more():
    with folder() as d, Sink(otherwise=400) as a, Sink() as b:
        text = lambda child: f"""
route: {{receiver: b, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h, routes: [{{matchers: [team="a"], receiver: {child}}}]}}
receivers:
{receiver("b", b)}{receiver("a", a) if child == "a" else ""}
"""
        with Tocsin(text("a"), d) as t:
            t.alert(alertname="A", team="a")
            until("b is told", lambda: about(b) == {"a"})
            write(t.config_file, text("b"))
            equal(t.post("/-/reload", b"").status, 200)
            until("nothing fails any more", lambda: all(x["labels"]["alertname"] == "A" for x in t.alerts()))
            equal(t.get("/api/tocsin/overview").json()["failingReceivers"], [])


if __name__ == "__main__":
    main()
