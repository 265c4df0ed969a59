"""A label without a name never gets to the store, by whatever door it comes: the program stays up, and says which part it was.

On commit 3f3bd74 the first, the second and the last ended in a segmentation fault."""
from harness import *
from scraping import Exporter, answered, config, targets, value

PAGE = 'm{a="1",b="2"} 1\n'


def alive(t):
    equal(t.p.poll(), None, "the program ended: exit code")
    equal(t.get("/-/healthy").status, 200)


def test_relabeling():
    with folder() as d, Exporter() as e:
        e.text("/metrics", PAGE)
        rule = "[{action: labelmap, regex: 'a|job'}]"
        jobs = ["{job_name: %s, %s: %s, static_configs: [{targets: ['%s']}]}" % (name, key, rule, e.address)
                for name, key in [("before", "relabel_configs"), ("behind", "metric_relabel_configs")]]
        with Tocsin(config(*jobs), d) as t:
            found = answered(t, 2)
            equal({k: v["health"] for k, v in found.items()}, {"before": "up", "behind": "up"})
            until("samples of both", lambda: len(value(t, "m")) == 2)
            for series in value(t, "m"):
                assert '""' not in series, series
            t.says("does nothing")
            alive(t)


def test_lists():
    """By file and from a server; what was good before stays."""
    with folder() as d, Exporter() as e:
        e.text("/metrics", PAGE)
        good = [{"targets": [e.address], "labels": {"x": "1"}}]
        bad = [{"targets": [e.address], "labels": {"": "1", "x": "2"}}]
        listed = lambda l: (200, {"Content-Type": "application/json"}, json.dumps(l).encode())
        e.pages["/list"] = listed(good)
        write(os.path.join(d, "list.json"), json.dumps(good))
        jobs = [f"{{job_name: url, http_sd_configs: [{{url: 'http://{e.address}/list', refresh_interval: 500ms}}]}}",
                "{job_name: file, file_sd_configs: [{files: [list.json], refresh_interval: 500ms}]}"]
        with Tocsin(config(*jobs), d) as t:
            until("samples of both", lambda: len(value(t, 'm{x="1"}')) == 2)
            e.pages["/list"] = listed(bad)
            write(os.path.join(d, "list.json"), json.dumps(bad))
            until("both are refused", lambda: t.text().count("is not a label name") >= 2, 15)
            alive(t)
            equal({k: v["labels"]["x"] for k, v in targets(t).items()}, {"url": "1", "file": "1"}, "targets")


def test_pages():
    """In the text itself, which is refused as a whole, and over the push interface."""
    with folder() as d, Exporter() as e:
        e.text("/metrics", 'm{""="1"} 1\n')
        with Tocsin(config("{job_name: x, static_configs: [{targets: ['%s']}]}" % e.address) + "push: {}\n", d) as t:
            equal(answered(t, 1)["x"]["health"], "down")
            for path, body in [("job/a", 'm{""="1"} 1\n'), ("job/a", '{"",a="1"} 1\n'), ("job/a//b", "m 1\n")]:
                r = request("POST", t.url + "/metrics/" + path, body.encode(), headers={"Content-Type": "text/plain"})
                assert r.status in (400, 404), (path, body, r.status, r.body)
            alive(t)


def test_a_source():
    """Its answer is an error of the rules that asked, until it is right again."""
    with folder() as d, Exporter() as e:
        answer = lambda name: (200, {"Content-Type": "application/json"}, json.dumps({"status": "success", "data": {
            "resultType": "vector", "result": [{"metric": {name: "x"}, "value": [time.time(), "1"]}]}}).encode())
        handler = e.server.RequestHandlerClass
        handler.do_POST = lambda self: (self.rfile.read(int(self.headers["Content-Length"])), self.do_GET())
        e.pages["/api/v1/query"] = lambda: answer("")
        rules = "groups: [{name: g, interval: 500ms, rules: [{record: 'r:x', expr: asked}, {alert: A, expr: asked}]}]"
        text = ("storage: {keep: all}\nsources: [{name: p, url: 'http://%s'}]\n"
                "rule_files: [{files: [r.yml], source: p}]\n" % e.address)
        with Tocsin(text, d, files={"r.yml": rules}) as t:
            def errors():
                groups = t.get("/api/v1/rules").json()["data"]["groups"]
                return [r["lastError"] for r in groups[0]["rules"] if r.get("lastError")]
            until("the rules say why", lambda: sum("no name" in x for x in errors()) == 2, 15)
            alive(t)
            e.pages["/api/v1/query"] = lambda: answer("a")
            until("and recover", lambda: value(t, "r:x"), 15)


if __name__ == "__main__":
    main()
