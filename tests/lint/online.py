#!/usr/bin/env python3
"""Lint beside an exporter that is asked over HTTP: it is read twice, and a counter must not fall in between. Lint beside a
Prometheus.

    online.py PROGRAM"""
import http.server, json, os, subprocess, sys, tempfile, threading, urllib.parse

READS = [
    """# TYPE jobs_total counter
jobs_total{queue="a"} 9
jobs_total{queue="b"} 4
# TYPE depth gauge
depth 7
# TYPE took_seconds histogram
took_seconds_bucket{le="1"} 3
took_seconds_bucket{le="+Inf"} 3
took_seconds_sum 2
took_seconds_count 3
""",
]
READS.append(READS[0].replace('jobs_total{queue="a"} 9', 'jobs_total{queue="a"} 5').replace("depth 7", "depth 1").replace("_count 3", "_count 2"))
asked = []


FEDERATED = """# TYPE up untyped
up{instance="i:1",job="node"} 1 1000
# TYPE jobs_total untyped
jobs_total{instance="i:1",job="node",queue="a"} 5 1000
"""


NOTHING = '{"data":{"result":[],"resultType":"vector"},"status":"success"}'


class Prometheus(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        path = urllib.parse.unquote(self.path)
        if path.startswith("/p/federate?"):
            body = FEDERATED
        elif "max_over_time" in path:
            body = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0.25"]}]}}' if "rate(jobs" in path else NOTHING
        elif "present_over_time" in path:
            body = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]}}' if "sometimes" in path else NOTHING
        elif "rate(jobs_total[5m])" in path:
            body = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]},{"metric":{},"value":[1,"2"]}]}}'
        else:
            body = NOTHING
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def prometheus(program, d):
    """What the rules select is asked for, once, and each alert's expression; job and instance are labels as others."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Prometheus)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rules = os.path.join(d, "rules.yml")
    open(rules, "w").write("""groups:
- name: g
  rules:
  - {alert: A, for: 1m, expr: 'rate(jobs_total[5m]) > 1'}
  - {alert: B, for: 1m, expr: 'up{job="nod"} == 0'}
  - {alert: C, for: 1m, expr: 'sum by (job) (jobs_total) / up > 7'}
  - {alert: D, for: 1m, expr: 'jobs_totl > 7'}
  - {alert: E, for: 1m, expr: 'sum by (qeue) (jobs_total) > 7'}
  - {alert: F, for: 1m, expr: 'rate(jobs_total[5m]) > 25'}
  - {alert: G, for: 1m, expr: 'sometimes > 7'}
  - {record: r, expr: 'rate(jobs_total[5m])'}
""")
    run = lambda u: subprocess.run([program, "lint", "-o", "json", "--metrics", u, rules], capture_output=True, text=True)
    url = f"http://127.0.0.1:{server.server_port}/p/"
    p = run(url)
    server.shutdown()
    server.server_close()
    dead = run(url)
    got = sorted((x["id"], x["line"]) for x in json.loads(p.stdout)["problems"])
    names = set(urllib.parse.unquote(Prometheus.asked[0]).split("?")[1].replace("match[]=", "").split("&"))
    yield f"a Prometheus: {got}", got == [("R041", 6), ("R043", 8), ("R080", 7), ("R081", 8), ("R082", 5), ("R083", 4), ("R083", 9), ("R086", 9), ("R087", 10)]
    yield f"it is asked for what is selected: {names}", names == {"jobs_total", "up", "jobs_totl", "sometimes"}
    queries = [urllib.parse.unquote(p.split("query=")[1]) for p in Prometheus.asked[1:]]
    yield "and for each alert", sum(" > " in q or " == " in q for q in queries) == 7
    yield "and once for what it was", queries.count("max(max_over_time((rate(jobs_total[5m]))[6h:15m]))") == 2
    yield "one that does not answer is told", dead.returncode == 1 and "cannot reach" in dead.stderr


def many(program, d):
    page, rules = os.path.join(d, "page"), os.path.join(d, "many.yml")
    open(page, "w").write("".join('x{a="%d",b="%d"} 1\n' % (i, i % 2) for i in range(10001)))
    open(rules, "w").write("groups: [{name: g, rules: [{record: r, expr: sum(x)}, {record: s, expr: 'sum(x{b=\"1\"})'}]}]\n")
    p = subprocess.run([program, "lint", "-o", "json", "--metrics", page, rules], capture_output=True, text=True)
    got = [(x["id"], x["column"]) for x in json.loads(p.stdout)["problems"]]
    yield f"more than 10,000 series are told, and 5,000 are not: {got}", got == [("R085", 50)]


class Exporter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        body = READS[(len(asked) - 1) % 2].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    program = os.path.abspath(sys.argv[1])
    server = http.server.HTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/metrics"
    with tempfile.TemporaryDirectory() as d:
        rules = os.path.join(d, "rules.yml")
        open(rules, "w").write("groups: [{name: g, rules: [{alert: A, for: 1m, expr: depht > 5}, {alert: B, for: 1m, expr: depth > 5}]}]\n")
        run = lambda u: subprocess.run([program, "lint", "-o", "json", "--metrics", u, rules], capture_output=True, text=True)
        p = run(url)
        got = sorted((x["id"], x["line"]) for x in json.loads(p.stdout)["problems"])
        wanted = [("M003", 2), ("M003", 10), ("R080", 1), ("R083", 1)]
        server.shutdown()
        server.server_close()
        dead = run(url)
    failed = 0
    with tempfile.TemporaryDirectory() as d:
        more = [*prometheus(program, d), *many(program, d)]
    for what, ok in (*more, ("two reads of the path", asked == ["/metrics"] * 2), (f"{got} is {wanted}", got == wanted),
                     ("an exporter that does not answer is told", dead.returncode == 1 and dead.stderr and not dead.stdout)):
        print(("ok   " if ok else "FAIL ") + what)
        failed += not ok
    sys.exit(failed != 0)


main()
