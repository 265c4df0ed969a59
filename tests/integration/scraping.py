"""Scraping: well-behaved, broken and hostile exporters, discovery, restarts; the same series as Debian's Prometheus."""
import contextlib, gzip

from harness import *

def config(*jobs, keep="all", interval="500ms"):
    return "global: {scrape_interval: %s}\nstorage: {keep: %s}\nscrape_configs: [%s]\n" % (interval, keep, ", ".join(jobs))


def job(name, address, path="/metrics", more=""):
    return "{job_name: %s, metrics_path: %s, static_configs: [{targets: ['%s']}]%s}" % (name, path, address, more)


def targets(t):
    return {x["scrapePool"]: x for x in t.get("/api/v1/targets").json()["data"]["activeTargets"]}


def value(t, query):
    r = t.get("/api/v1/query?query=" + urllib.parse.quote(query)).json()["data"]["result"]
    return {json.dumps(x["metric"], sort_keys=True): float(x["value"][1]) for x in r}


def answered(t, jobs):
    def all_done():
        now = targets(t)
        return len(now) == jobs and all(x["health"] != "unknown" for x in now.values()) and now
    return until("every target has answered", all_done)


def test_a_broken_exporter_costs_only_its_own_target():
    def slow():
        time.sleep(2)
        return 200, {"Content-Type": TEXT}, b"slow 1\n"

    with folder() as d, Exporter() as e:
        e.text("/good", "good 1\n")
        e.text("/broken", "a 1\nb one\n")
        e.text("/huge", "x{n=\"%s\"} 1\n" % ("y" * 20000))
        e.text("/bomb", gzip.compress(b"#" + b" " * (16 << 20) + b"\n", 9), **{"Content-Encoding": "gzip"})
        e.text("/zipped", gzip.compress(b"zipped 7\n"), **{"Content-Encoding": "gzip"})
        e.text("/cut", gzip.compress(b"cut 7\n" * 1000)[:-9], **{"Content-Encoding": "gzip"})
        e.pages["/html"] = 200, {"Content-Type": "text/html"}, b"good 1\n"
        e.pages["/slow"] = slow
        jobs = [job(p, e.address, "/" + p, ", body_size_limit: 10KB" if p == "huge" else "")
                for p in ("good", "broken", "huge", "bomb", "zipped", "cut", "html", "slow", "absent")]
        with Tocsin(config(*jobs), d) as t:
            answered(t, len(jobs))
            # A machine that is busy for half a second may keep a good one away, too.
            now = until("the good ones are up", lambda: (lambda now: {
                j for j, x in now.items() if x["health"] == "up"} == {"good", "zipped"} and now)(targets(t)))
            for name, why in {"broken": "line 2: a value is not a number", "huge": "", "cut": "ends early",
                              "bomb": "", "html": "text/html", "slow": "time", "absent": "404"}.items():
                assert now[name]["lastError"] and why in now[name]["lastError"], (name, now[name]["lastError"])
            equal(list(value(t, "zipped").values()), [7.0])
            equal(value(t, "a"), {}, "what stood before the broken line")
            until("up says so, too", lambda: sum(value(t, "up").values()) == 2.0)
            headers = next(h for path, h in e.requests if path == "/good")
            equal(headers["X-Prometheus-Scrape-Timeout-Seconds"], "0.5")
            equal(headers["Accept-Encoding"], "gzip")
            assert headers["Accept"].startswith("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,")
            t.stop()


def test_discovery_by_file_and_url():
    with folder() as d, Exporter() as e:
        for path in ("/a", "/b", "/c"):
            e.text(path, "m 1\n")
        e.pages["/sd"] = 200, {"Content-Type": "application/json"}, json.dumps(
            [{"targets": [e.address], "labels": {"__metrics_path__": "/b", "from": "url"}}]).encode()
        files = {"t.json": json.dumps([{"targets": [e.address], "labels": {"__metrics_path__": "/a", "from": "file"}}])}
        text = config("{job_name: f, file_sd_configs: [{files: ['*.json'], refresh_interval: 1s}]}",
                      "{job_name: u, http_sd_configs: [{url: 'http://%s/sd', refresh_interval: 1s}]}" % e.address)
        with Tocsin(text, d, files=files) as t:
            until("both are found", lambda: {json.loads(k)["from"] for k in value(t, "m")} == {"file", "url"})
            write(os.path.join(d, "t.json"), json.dumps(
                [{"targets": [e.address], "labels": {"__metrics_path__": "/c", "from": "changed"}}]))
            e.pages["/sd"] = 500, {}, b""
            until("the file is read again, the last list of the URL stays",
                  lambda: {json.loads(k)["from"] for k in value(t, "m")} == {"changed", "url"}, 15)
            write(os.path.join(d, "t.json"), "not a list")
            time.sleep(1.5)
            assert "changed" in str(value(t, "m")), "a broken file takes its targets away"
            t.stop()


def test_rules_go_on_after_a_kill():
    rules = """
groups:
- name: g
  interval: 1s
  rules:
  - {alert: Rate, expr: 'increase(n_total[1m]) > 0', for: 1s}
  - {alert: Gone, expr: 'absent(n_total)'}
"""
    with folder() as d, Exporter() as e:
        began = time.time()
        e.pages["/metrics"] = lambda: (200, {"Content-Type": TEXT},
                                       b"# TYPE n_total counter\nn_total %f\nother 1\n" % (time.time() - began))
        text = config(job("j", e.address), keep="selected", interval="2s") + "rule_files: [r.yml]\n"
        with Tocsin(text, d, files={"r.yml": rules}) as t:
            until("it fires", lambda: [a["labels"]["alertname"] for a in t.alerts()] == ["Rate"], 20)
            equal(value(t, "other"), {}, "what no rule reads is not kept")
            time.sleep(1.5)
            t.kill()
        with Tocsin(text, d) as t:
            until("samples are back", lambda: len(value(t, "n_total")) == 1)
            until("the log says so", lambda: 'msg="samples are back"' in t.text())
            for _ in range(20):
                names = {a["labels"]["alertname"] for a in t.alerts()}
                assert "Gone" not in names, "a rule ran before its samples were there"
                time.sleep(0.1)
            t.stop()


def series_of(base, start):
    r = request("GET", base + "/api/v1/series?match[]=" + urllib.parse.quote('{job=~".+"}') + "&start=%f" % start)
    return {json.dumps(x, sort_keys=True) for x in r.json()["data"]}


def canonical(text):
    """Prometheus 2 keeps le="1", tocsin writes le="1.0" as Prometheus 3."""
    return re.sub(r'"(le|quantile)": "(\d+)"', r'"\1": "\2.0"', text)


def test_same_series_as_prometheus():
    node_exporter, prometheus = peer("prometheus-node-exporter"), peer("prometheus")
    with folder() as d:
        node, port = "127.0.0.1:%d" % free_port(), free_port()
        rules = (", metric_relabel_configs: [{source_labels: [__name__], regex: 'go_(.*)', target_label: __name__, "
                 "replacement: 'golang_$1'}, {source_labels: [mode], regex: idle, action: drop}]")
        text = "global: {scrape_interval: 1s}\nscrape_configs: [%s]\n" % job("node", node, more=rules)
        base, start = "http://127.0.0.1:%d" % port, time.time()

        def is_up():
            try:
                return request("GET", base + "/-/ready").status == 200
            except OSError:
                return False

        with Process([node_exporter, "--web.listen-address=" + node]), \
                Process([prometheus, "--config.file=" + write(os.path.join(d, "prometheus.yml"), text),
                         "--storage.tsdb.path=" + os.path.join(d, "p"), "--web.listen-address=127.0.0.1:%d" % port]), \
                Tocsin(text + "storage: {keep: all}\n", d) as t:
            until("both have scraped", lambda: len(value(t, "up")) == 1 and is_up() and len(series_of(base, start)) > 100, 30)
            time.sleep(3)
            ours = {canonical(x) for x in series_of(t.url, start)}
            theirs = {canonical(x) for x in series_of(base, start)}
            equal(sorted(ours - theirs)[:5], [], "only here")
            equal(sorted(theirs - ours)[:5], [], "only there")
            assert len(ours) > 200, len(ours)
            t.stop()


if __name__ == "__main__":
    main()
