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
            until("a line each says so", lambda: len(lines(t, "the last list stays")) == 2)
            # another file of the entry is news all the same
            write(os.path.join(d, "t2.json"), json.dumps([{"targets": ["127.0.0.1:1"]}]))
            until("the other file is read", lambda: len([x for x in targets(t)["activeTargets"] if x["scrapePool"] == "f"]) == 2)
            write(os.path.join(d, "t1.json"), good(e))
            e.pages["/sd"] = 200, {"Content-Type": "application/json"}, good(e).encode()
            until("both are read again", lambda: not failing("f") and not failing("u"))
            equal(t.metric("tocsin_target_list_failing", **u), 0.0)
            until("a line each says so", lambda: len(lines(t, "targets are looked up again")) == 2)
            write(os.path.join(d, "named.json"), good(e).replace("/a", "/c"))
            until("it is found", lambda: len([x for x in targets(t)["activeTargets"] if x["scrapePool"] == "f"]) == 3)
            os.remove(os.path.join(d, "named.json"))
            until("a file that is named is missed", lambda: "named.json" in failing("f"))
            equal(len([x for x in targets(t)["activeTargets"] if x["scrapePool"] == "f"]), 3, "its targets stay")
            os.remove(os.path.join(d, "t2.json"))
            until("one of several that match may go", lambda: len([x for x in targets(t)["activeTargets"] if x["scrapePool"] == "f"]) == 2)


def test_lists_that_go_all_at_once_stay():
    """A volume that is not mounted any more, say."""
    with folder() as d, Exporter() as e:
        e.text("/metrics", "m 1\n")
        os.mkdir(os.path.join(d, "lists"))
        write(os.path.join(d, "lists", "a.yml"), "- targets: ['%s']\n" % e.address)
        with Tocsin(config("{job_name: f, file_sd_configs: [{files: ['lists/*.yml'], refresh_interval: 200ms}]}"), d) as t:
            up = lambda: [x["health"] for x in targets(t)["activeTargets"]]
            until("it is found", lambda: up() == ["up"])
            os.rename(os.path.join(d, "lists"), os.path.join(d, "gone"))
            until("that they are gone is told", lambda: "no file is there any more" in lists(t)["f"]["lastError"])
            equal(up(), ["up"])
            os.rename(os.path.join(d, "gone"), os.path.join(d, "lists"))
            until("they are back", lambda: lists(t)["f"]["lastError"] == "")


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
                until("one line says so", lambda: len(lines(t, "holds its state")) == 1)
                p.say([])
                until("a whole answer ends it", lambda: rule(t)["state"] == "inactive")
                until("the source is well", lambda: names(t) == [])
                until("one line says so", lambda: len(lines(t, "answers are whole")) == 1)
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
            until("numbers make no change, another warning does", lambda: len(lines(t, "an evaluation warns")) == 2)


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


if __name__ == "__main__":
    main()
