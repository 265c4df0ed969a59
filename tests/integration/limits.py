"""What requests may be: sizes as there, bodies where none is read, lists that are cut; and flags of packages."""
from harness import *

CONFIG = """route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s, routes: [{matchers: [a=b], mute_time_intervals: [all]}]}
receivers: [{name: r, labels: {team: x}}]
inhibit_rules: [{source_matchers: [s=x], target_matchers: [t=x]}]
time_intervals: [{name: all, time_intervals: [{years: ['2020:2100']}]}]
"""
PLAIN = CONFIG.replace(", labels: {team: x}", "")  # 0.25 knows none


def silence(server):
    s = {"matchers": [{"name": "k", "value": "q", "isRegex": False}], "startsAt": stamp(), "endsAt": stamp(600), "createdBy": "m", "comment": "c"}
    return request("POST", server.url + "/api/v2/silences", s).json()["silenceID"]


def test_bodies_that_nobody_reads():
    with folder() as d, folder() as o, Tocsin(CONFIG, d) as t, Alertmanager(PLAIN, o) as am:
        for path in ("/api/v2/status", "/api/v2/alerts", "/-/healthy", "/metrics", "/api/v2/nope"):
            for body in (b"{}", b"x" * 300_000):
                equal([request("GET", s.url + path, body).status for s in (t, am)], [404 if "nope" in path else 200] * 2, path)
        equal([request("DELETE", s.url + "/api/v2/silence/" + silence(s), b'{"id": 1}').status for s in (t, am)], [200] * 2)
        equal(t.get("/api/v2/silences").json()[0]["status"]["state"], "expired")
        equal(request("POST", t.url + "/-/reload", b"reload=please").status, 200)
        with socket.create_connection(("127.0.0.1", int(t.address.rsplit(":", 1)[1]))) as c:
            c.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nGET /api/v2/status HTTP/1.1\r\n")
            c.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: c.recv(65536), b""))
        assert got.count(b"HTTP/1.1") == 1 and b"Connection: close" in got, got


def test_a_mebibyte_of_head():
    with folder() as d, folder() as o, Tocsin(CONFIG, d) as t, Alertmanager(PLAIN, o) as am:
        long = "/api/v2/alerts?filter=a%3D" + "x" * 1_000_000
        many = "/api/v2/alerts?" + "&".join(f"filter=a{i}%21%3Db" for i in range(9_000))
        for s in (t, am):
            equal((request("GET", s.url + long).status, request("GET", s.url + many).status), (200, 200))
            equal(request("GET", s.url + "/api/v2/alerts", headers={f"X-{i}": "y" * 6_000 for i in range(80)}).status, 200)
            assert request("GET", s.url + long + "x" * 100_000).status in (414, 431)


def test_heads_cost_little():
    memory = 64 << 20  # of which requests under way get an eighth
    with folder() as d, Tocsin(CONFIG, d, f"--memory.max-bytes={memory}") as t, contextlib.ExitStack() as stack:
        host, port = t.address.rsplit(":", 1)
        open, head = [], b"GET /?" + b"a" * 900_000
        for _ in range(60):
            c = stack.enter_context(socket.create_connection((host, int(port))))
            with contextlib.suppress(OSError):
                c.sendall(head)
            open.append(c)
        until("some are refused", lambda: t.metric("tocsin_memory_budget_refused_total", **{"class": "request_bodies"}) > 30)
        assert t.metric("tocsin_memory_budget_used_bytes", **{"class": "request_bodies"}) <= memory / 8
        equal(t.get("/-/healthy").status, 200)
        for c in open:
            c.close()
        until("they leave nothing", lambda: t.metric("tocsin_memory_budget_used_bytes", **{"class": "request_bodies"}) == 0)
        equal(t.get("/api/v2/alerts?filter=a%3D" + "x" * 1_000_000).status, 200)


def test_largest_post():
    with folder() as d, Tocsin(CONFIG, d, "--web.max-body-bytes=1000") as t:
        equal((t.post("/api/v2/alerts", b"[" + b" " * 990 + b"]").status, t.post("/api/v2/alerts", b"[" + b" " * 999 + b"]").status), (200, 413))
    p = subprocess.run([PROGRAM, "--web.max-body-bytes=0", "--config.file=/nowhere"], capture_output=True, text=True)
    assert p.returncode == 1 and "--web.max-body-bytes must be positive" in p.stderr, p


def nested(n):
    text = "route:\n  receiver: r\n"
    for i in range(1, n):
        text += "  " * i + "routes:\n" + "  " * i + "- matchers: ['a=b']\n"
    return text + "receivers: [{name: r}]\n"


def test_nested_routes():
    with folder() as d:
        for n in (30, 100):
            file = write(d + "/am.yml", nested(n))
            p = subprocess.run([PROGRAM, "lint", file], capture_output=True, text=True)
            equal((p.returncode, subprocess.run([peer("amtool"), "check-config", file], capture_output=True).returncode), (0, 0), p.stdout)


def test_only_muted():
    with folder() as d, folder() as o, Tocsin(CONFIG, d) as t, Alertmanager(PLAIN, o) as am:
        for s in (t, am):
            silence(s)
            for ls in ({"alertname": "A", "a": "b"}, {"alertname": "B", "a": "b", "t": "x"}, {"alertname": "S", "s": "x"}, {"alertname": "Q", "k": "q"}):
                equal(request("POST", s.url + "/api/v2/alerts", [{"labels": ls}]).status, 200)
        for path in ("alerts/groups", "alerts"):
            for query in ("active=false", "active=false&silenced=false", "active=false&inhibited=false", "silenced=false"):
                def names(s):
                    found = request("GET", f"{s.url}/api/v2/{path}?{query}").json()
                    return sorted(a["labels"]["alertname"] for g in found for a in g.get("alerts", [g]))
                until(f"{path}?{query} is the same", lambda: names(t) == names(am), 5)


def test_receiver_labels():
    with folder() as d, Tocsin(CONFIG, d) as t:
        shown = t.get("/api/v2/status").json()["config"]["original"]
        assert "- name: r\n  labels:\n    name: r\n    team: x\n" in shown, shown
        equal(t.get("/api/v2/receivers").json()[0]["labels"], {"name": "r", "team": "x"})


def test_cut_lists():
    rules = "groups: [{name: g, interval: 1s, rules: [{record: a, expr: vector(1), labels: {x: '1'}}, {record: a, expr: vector(1), labels: {x: '2'}}]}]\n"
    with folder() as d, Tocsin(CONFIG + "storage: {keep: all}\nrule_files: [r.yml]\n", d, files={"r.yml": rules}) as t:
        until("rules have run", lambda: len(t.get("/api/v1/query?query=a").json()["data"]["result"]) == 2)
        for path in ("query?query=a", "series?match[]=a", "labels?match[]=a", "label/x/values?match[]=a",
                     f"query_range?query=a&step=1&start={time.time() - 1}&end={time.time()}"):
            path = "/api/v1/" + path + ("&" if "?" in path else "?")
            equal(t.get(path + "limit=1").json().get("warnings"), ["results truncated due to limit"], path)
            equal([t.get(path + "limit=" + n).json().get("warnings") for n in ("2", "0")], [None, None], path)


def test_an_alertmanager_never_reached():
    config = CONFIG + f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{free_port()}']}}]}}]}}\nrule_files: [r.yml]\n"
    rules = "groups: [{name: g, interval: 1s, rules: [{alert: A, expr: vector(1)}]}]\n"
    with folder() as d, Tocsin(config, d, files={"r.yml": rules}) as t:
        def errors():
            return sum(float(l.rsplit(" ", 1)[1]) for l in t.get("/metrics").body.decode().splitlines() if l.startswith("prometheus_notifications_errors_total"))
        until("the alerts that wait are counted", lambda: errors() >= 1, 15)


def test_flags_of_packages():
    with folder() as d, Tocsin(CONFIG, d, "--web.ui-path=/usr/share/prometheus/alertmanager/ui/") as t:
        equal(t.get("/-/healthy").status, 200)
    for args in (["--version"], ["--config.file=/nowhere", "--version"], ["lint", "--version"]):
        p = subprocess.run([PROGRAM, *args], capture_output=True, text=True)
        assert p.returncode == 0 and p.stdout.startswith("tocsin "), p


if __name__ == "__main__":
    main()
