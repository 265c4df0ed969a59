"""Towards noise: what is unreadable, too much, half or gone resolves nothing, and is told."""
from harness import *


def config(*jobs, interval="500ms"):
    return "global: {scrape_interval: %s}\nstorage: {keep: all}\nscrape_configs: [%s]\n" % (interval, ", ".join(jobs))


def targets(t):
    return t.get("/api/v1/targets").json()["data"]


def lists(t):
    return {x["scrapePool"]: x for x in targets(t).get("targetLists", [])}


def lines(t, text):
    return [x for x in list(t.log) if text in x]


def test_target_lists_that_are_refused_stay():
    good = lambda e: json.dumps([{"targets": [e.address], "labels": {"__metrics_path__": "/a"}}])
    bad = lambda e: json.dumps([{"targets": [e.address], "metrics_path": "/b"}])
    with folder() as d, Exporter() as e:
        e.text("/a", "m 1\n")
        e.pages["/sd"] = 200, {"Content-Type": "application/json"}, good(e).encode()
        text = config("{job_name: f, file_sd_configs: [{files: ['t*.json', 'named.json'], refresh_interval: 200ms}]}",
                      "{job_name: u, http_sd_configs: [{url: 'http://%s/sd', refresh_interval: 200ms}]}" % e.address)
        with Tocsin(text, d, files={"t1.json": good(e), "named.json": "[]"}) as t:
            up = lambda: sorted(x["scrapePool"] for x in targets(t)["activeTargets"] if x["health"] == "up")
            until("both are found", lambda: up() == ["f", "u"])
            write(os.path.join(d, "t1.json"), bad(e))
            e.pages["/sd"] = 200, {"Content-Type": "application/json"}, bad(e).encode()
            failing = lambda job: lists(t)[job]["lastError"]
            until("the lists are refused", lambda: failing("f") and failing("u"))
            for job in ("f", "u"):
                assert '"metrics_path" belongs in the job' in failing(job) and "__metrics_path__" in failing(job), failing(job)
            equal(up(), ["f", "u"], "the last lists stay")
            u = {"kind": "http", "scrape_job": "u", "subject": "http://%s/sd" % e.address}
            equal(t.metric("tocsin_target_list_failing", **u), 1.0)
            until("failures are counted", lambda: t.metric("tocsin_target_list_failures_total", **u) > 2)
            equal(len(lines(t, "the last list stays")), 2, "one line a change")
            # another file of the entry is news all the same
            write(os.path.join(d, "t2.json"), json.dumps([{"targets": ["127.0.0.1:1"]}]))
            until("the other file is read", lambda: len([x for x in targets(t)["activeTargets"] if x["scrapePool"] == "f"]) == 2)
            write(os.path.join(d, "t1.json"), good(e))
            e.pages["/sd"] = 200, {"Content-Type": "application/json"}, good(e).encode()
            until("both are read again", lambda: not failing("f") and not failing("u"))
            equal(t.metric("tocsin_target_list_failing", **u), 0.0)
            equal(len(lines(t, "targets are looked up again")), 2)
            write(os.path.join(d, "named.json"), good(e).replace("/a", "/c"))
            until("it is found", lambda: len([x for x in targets(t)["activeTargets"] if x["scrapePool"] == "f"]) == 3)
            os.remove(os.path.join(d, "named.json"))
            until("a file that is named is missed", lambda: "named.json" in failing("f"))
            equal(len([x for x in targets(t)["activeTargets"] if x["scrapePool"] == "f"]), 3, "its targets stay")


def test_forty_targets_down_are_counted():
    port = free_port()
    jobs = ["{job_name: j%d, static_configs: [{targets: ['127.0.0.1:%d']}]}" % (i, port) for i in range(40)]
    with folder() as d:
        with Tocsin(config(*jobs), d) as t:
            until("what was left out is counted", lambda: lines(t, "left_out=30"), 16)
            equal(len([x for x in lines(t, 'msg="scrape failed"')]), 10)
            assert "level=WARN" in lines(t, "left_out=30")[0]
            assert not lines(t, "suppressed"), lines(t, "suppressed")


RULES = """
groups:
- name: g
  interval: 200ms
  rules:
  - {alert: Hot, expr: 'gpu > 90'}
"""


class Prom(Exporter):
    """A source that answers what it is told to."""

    def __init__(self):
        super().__init__()
        self.date = None
        self.say([])

    def say(self, values, headers=None, **more):
        result = [{"metric": m, **({} if v is None else {"value": [time.time(), str(v)]})} for m, v in values]
        body = {"status": "success", "data": {"resultType": "vector", "result": result}, **more}
        self.pages["/api/v1/query"] = 200, {"Content-Type": "application/json", **(headers or {})}, json.dumps(body).encode()


def sourced(p, more=""):
    return "sources: [{name: s, url: 'http://%s', down_after: 1s}]\nrule_files: [r.yml]\n%s" % (p.address, more)


def rule(t):
    return t.get("/api/v1/rules").json()["data"]["groups"][0]["rules"][0]


def names(t):
    return sorted(a["labels"]["alertname"] for a in t.alerts())


def test_a_partial_answer_holds():
    gpu = {"__name__": "gpu", "gpu": "0"}
    halves = [{"isPartial": True}, {"warnings": ["store a: no route to host"]}, {"values": [(gpu, None)]}]
    for half in halves:
        with folder() as d, Prom() as p:
            p.say([(gpu, 95)])
            with Tocsin(sourced(p), d, files={"r.yml": RULES}) as t:
                until("it fires", lambda: rule(t)["state"] == "firing" and names(t) == ["Hot"])
                assert "heldSince" not in rule(t)
                p.say(half.get("values", []), **{k: v for k, v in half.items() if k != "values"})
                until("it is held", lambda: "heldSince" in rule(t))
                until("for so long that the source is degraded", lambda: "TocsinSourceDegraded" in names(t))
                equal(rule(t)["state"], "firing", half)
                equal(rule(t)["health"], "ok")
                g = t.get("/api/v1/rules").json()["data"]["groups"][0]
                assert t.metric("tocsin_rule_held_seconds", rule="Hot", rule_group=g["file"] + ";g") >= 1.0
                f = next(a["fingerprint"] for a in t.alerts() if a["labels"]["alertname"] == "Hot")
                text = t.get("/api/v2/explain?format=text&fingerprint=" + f).body.decode()
                assert "holds its state since" in text and rule(t)["heldBecause"] in text, text
                assert "heldSince" in json.dumps(t.get("/api/v2/explain?fingerprint=" + f).json())
                equal(len(lines(t, "holds its state")), 1, "one line a change")
                p.say([])
                until("a whole answer ends it", lambda: rule(t)["state"] == "inactive")
                until("the source is well", lambda: names(t) == [])
                equal(len(lines(t, "answers are whole")), 1)
                equal(t.metric("tocsin_rule_held_seconds", rule="Hot", rule_group=g["file"] + ";g"), None)


def test_notes_are_kept_and_hold_nothing():
    """A warning about the expression itself is shown, and resolves what has ended."""
    warning, info = "PromQL warning: encountered a mix of histograms and floats (1:1)", "PromQL info: metric might not be a counter (1:%d)"
    with folder() as d, Prom() as p:
        p.say([({"gpu": "0"}, 95)], warnings=[warning], infos=[info % 1])
        with Tocsin(sourced(p), d, files={"r.yml": RULES}) as t:
            until("it fires", lambda: rule(t)["state"] == "firing")
            equal((rule(t)["warnings"], rule(t)["infos"]), ([warning], [info % 1]))
            for i in range(2, 6):
                p.say([], warnings=[warning, "results truncated due to limit"], infos=[info % i])
                until("it is read", lambda: rule(t)["infos"] == [info % i])
            equal(rule(t)["state"], "inactive")
            assert "heldSince" not in rule(t)
            equal(len(lines(t, "an evaluation warns")), 2, "numbers make no change")


def test_notes_of_our_own_evaluations():
    rules = RULES.replace("gpu > 90", "rate(level[10s]) >= 0")
    with folder() as d, Exporter() as e:
        e.text("/metrics", "level 1\n")
        text = config("{job_name: j, static_configs: [{targets: ['%s']}]}" % e.address, interval="200ms") + "rule_files: [r.yml]\n"
        with Tocsin(text, d, files={"r.yml": rules}) as t:
            until("it says so", lambda: rule(t).get("infos"))
            assert "might not be a counter" in rule(t)["infos"][0], rule(t)


def test_secret_files_that_are_missing():
    """They are read when they are needed; that one is not there is told at load, and at every one."""
    config = """
route: {{receiver: r}}
receivers:
  - name: r
    webhook_configs:
      - {{url_file: {d}/url, http_config: {{basic_auth: {{username: u, password_file: {d}/none}}, http_headers: {{X-Key: {{files: [key]}}}}}}}}
    telegram_configs: [{{bot_token_file: {d}/blank, chat_id_file: {d}/chat}}]
sources: [{{name: s, url: 'http://127.0.0.1:1', authorization: {{credentials_file: token}}}}]
"""
    with folder() as d:
        with Tocsin(config.format(d=d), d, files={"blank": "\n", "url": "http://127.0.0.1:1\n"}) as t:
            until("all are told", lambda: len(lines(t, "id=C010")) == 5)
            for key, why in [("password_file", "No such file"), ("http_headers.X-Key.files[0]", "No such file"), ("bot_token_file", "is empty"),
                             ("chat_id_file", "No such file"), ("credentials_file", "No such file")]:
                assert any(key in x and why in x for x in lines(t, "id=C010")), (key, lines(t, "id=C010"))
            equal(t.post("/-/reload", b"").status, 200)
            until("and at a reload", lambda: len(lines(t, "id=C010")) == 10)


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


if __name__ == "__main__":
    main()
