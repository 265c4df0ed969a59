"""What Prometheus' API tells of targets, metrics and the store, beside Prometheus 2.42 over the same targets."""
from harness import *

BODY = r"""# HELP a_total Things \\ that \n were.
# TYPE a_total counter
a_total{x="1"} 1
a_total{x="2"} 1
# TYPE b gauge
b 1
# HELP c Only help.
c 1
# TYPE d untyped
# HELP d first
# HELP d second
d 1
"""
OPEN = BODY.replace("# TYPE d untyped", "# TYPE d unknown") + "# TYPE e_seconds gauge\n# UNIT e_seconds seconds\n# HELP e_seconds Of \\\"it\\\".\ne_seconds 1\n# EOF\n"
BODY = BODY + "# HELP e_seconds Of \\\"it\\\".\ne_seconds 1\n"
ALERTING = ("alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:1', '127.0.0.1:2']}],"
            " relabel_configs: [{source_labels: [__address__], regex: '.*:2', action: drop}]}]}\n")


class Exporter:
    """/plain is text, anything else OpenMetrics, with other words after `second`."""

    def __enter__(self):
        exporter = self
        self.texts = {"/plain": ("text/plain; version=0.0.4", BODY), "/metrics": ("application/openmetrics-text; version=1.0.0", OPEN)}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                kind, body = exporter.texts[self.path]
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()


def config(address):
    return ("global: {scrape_interval: 1s}\n" + ALERTING + "scrape_configs:\n"
            f"- {{job_name: z, static_configs: [{{targets: ['{address}']}}]}}\n"
            f"- {{job_name: a, metrics_path: /plain, static_configs: [{{targets: ['{address}'], labels: {{k: v}}}}]}}\n")


class Other(Process):
    def __init__(self, dir, text):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__([peer("prometheus"), "--config.file=" + write(dir + "/prometheus.yml", text), "--storage.tsdb.path=" + dir + "/tsdb",
                          f"--web.listen-address=127.0.0.1:{port}"])

        until("Prometheus is ready", lambda: self.get("/-/ready").status == 200, 20)

    def get(self, path, **kw):
        try:
            return request("GET", self.url + path, **kw)
        except OSError:
            assert self.p.poll() is None, self.text()
            return Reply(0, {}, b"{}")


def canonical(path, j):
    """The order of lists is nobody's promise where Prometheus walks a map."""
    if path.startswith("targets/metadata") and j["status"] == "success":
        j["data"].sort(key=json.dumps)
    return j


def test_beside_prometheus():
    with Exporter() as e, folder() as d, folder() as o, Other(o, config(e.address)) as other, \
            Tocsin("storage: {keep: all}\n" + config(e.address), d) as t:
        count = lambda s: len(s.get("/api/v1/targets/metadata").json().get("data", []))
        until("both have scraped both", lambda: (count(t), count(other)) == (10, 10), 20)
        for path in ["metadata", "metadata?limit=0", "metadata?metric=d", "metadata?metric=zz", "metadata?limit=x",
                     "targets/metadata", "targets/metadata?metric=c", "targets/metadata?limit=0", "targets/metadata?match_target=%7Bjob=%22a%22%7D",
                     "targets/metadata?match_target=%7Bk!=%22%22%7D&limit=1", "targets/metadata?limit=x", "targets/metadata?metric=zz",
                     "alertmanagers", "scrape_pools"]:
            ours, theirs = (s.get("/api/v1/" + path) for s in (t, other))
            if path == "metadata":  # what is said twice of one metric stands in the order of a map
                ours, theirs = ([r.status, {k: sorted(v, key=json.dumps) for k, v in r.json()["data"].items()}] for r in (ours, theirs))
                equal(ours, theirs, path)
                continue
            equal((ours.status, canonical(path, ours.json())), (theirs.status, canonical(path, theirs.json())), path)
        equal(len(t.get("/api/v1/metadata").json()["data"]["e_seconds"]), 2)
        equal(len(t.get("/api/v1/metadata?limit_per_metric=1").json()["data"]["e_seconds"]), 1)
        equal([len(s.get("/api/v1/metadata?limit=" + n).json()["data"]) for s in (t, other) for n in ("1", "-1")], [1, 5] * 2)
        r = t.get("/api/v1/targets/metadata?match_target=x%7B")
        equal((r.status, r.json()["errorType"]), (400, "bad_data"))
        for path in ("query", "metadata", "nope"):
            ours, theirs = (request("OPTIONS", s.url + "/api/v1/" + path, headers={"Origin": "http://x"}) for s in (t, other))
            for name in ("Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin", "Vary"):
                equal((ours.status, ours.headers[name]), (theirs.status, theirs.headers[name].replace("http://x", "*")), f"{path} {name}")


def test_the_store():
    with Exporter() as e, folder() as d, folder() as o, Other(o, config(e.address)) as other, \
            Tocsin("storage: {keep: all}\n" + config(e.address), d) as t:
        # Its figures are kept for half a minute: it is asked once.
        series = lambda s: len(s.get("/api/v1/series?match[]=%7B__name__=~%22.%2B%22%7D").json().get("data", []))
        until("both have scraped both", lambda: (series(t), series(other)) == (22, 22), 20)
        ours, theirs = (s.get("/api/v1/status/tsdb").json()["data"] for s in (t, other))
        equal(ours.keys(), theirs.keys())
        equal(ours["headStats"].keys(), theirs["headStats"].keys())
        equal(ours["headStats"]["numLabelPairs"], theirs["headStats"]["numLabelPairs"])
        assert abs(ours["headStats"]["minTime"] / 1000 - time.time()) < 60 and ours["headStats"]["maxTime"] >= ours["headStats"]["minTime"], ours
        # Fewer than ten: whole. Prometheus 2 counts the bytes of each value once.
        for key in ("labelValueCountByLabelName", "memoryInBytesByLabelName")[:2 if IS_NEWER else 1]:
            equal(sorted(map(json.dumps, ours[key])), sorted(map(json.dumps, theirs[key])), key)
        for key in ("seriesCountByMetricName", "seriesCountByLabelValuePair"):  # of those that are equal, any
            equal([x["value"] for x in ours[key]], [x["value"] for x in theirs[key]], key)
        equal([len(t.get("/api/v1/status/tsdb?limit=2").json()["data"][k]) for k in ours if k != "headStats"], [2] * 4)
        for bad in ("0", "x", "-1"):
            equal(t.get("/api/v1/status/tsdb?limit=" + bad).status, 400)


def test_what_changes():
    with Exporter() as e, folder() as d, Tocsin("storage: {keep: all}\n" + config(e.address), d) as t:
        helps = lambda: sorted({x["help"] for x in t.get("/api/v1/targets/metadata?metric=c").json()["data"]})
        until("both are scraped", lambda: helps() == ["Only help."])
        kind, body = e.texts["/plain"]
        e.texts["/plain"] = (kind, body.replace("Only help.", "Another."))
        until("the one says something else", lambda: helps() == ["Another.", "Only help."])
        e.texts["/plain"] = (kind, body[:body.index("# HELP c")])
        until("and then nothing", lambda: helps() == ["Only help."])
        until("what is gone is gone", lambda: len(t.get("/api/v1/targets/metadata").json()["data"]) == 7)
        e.texts["/plain"] = (kind, "# HELP c Broken.\nc one\n")
        until("it is down", lambda: "down" in [x["health"] for x in t.get("/api/v1/targets").json()["data"]["activeTargets"]])
        equal(helps(), ["Only help."], "what a body says that is refused does not count")
        equal(t.get("/api/v1/notifications").json(), {"status": "success", "data": []})
        write(t.config_file, "nonsense: 1\n")
        equal(t.post("/-/reload", b"").status, 500)
        n, = t.get("/api/v1/notifications").json()["data"]
        equal((n["text"], n["active"]), ("Configuration reload has failed.", True))
        f = t.get("/api/v1/features").json()["data"]
        equal((f["promql_functions"]["rate"], f["promql_operators"]["unless"], f["promql_operators"]["topk"], f["service_discovery_providers"]["dns"]),
              (True,) * 4)


if __name__ == "__main__":
    main()
