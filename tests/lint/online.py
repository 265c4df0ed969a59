#!/usr/bin/env python3
"""Lint beside an exporter that is asked over HTTP: it is read twice, and a counter must not fall in between.

    online.py PROGRAM"""
import http.server, json, os, subprocess, sys, tempfile, threading

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
    for what, ok in (("two reads of the path", asked == ["/metrics"] * 2), (f"{got} is {wanted}", got == wanted),
                     ("an exporter that does not answer is told", dead.returncode == 1 and dead.stderr and not dead.stdout)):
        print(("ok   " if ok else "FAIL ") + what)
        failed += not ok
    sys.exit(failed != 0)


main()
