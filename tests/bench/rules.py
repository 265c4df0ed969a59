#!/usr/bin/env python3
"""1,000 rules in 50 groups every 15 s on Debian's Prometheus: missed rounds, connections, CPU and memory; then the same on
a source that takes 10 s an answer: nothing piles up, and the groups say that they are late.

usage: TOCSIN=build/release/tocsin python3 tests/bench/rules.py [SECONDS]
"""
import http.server, os, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../integration"))
from harness import *

GROUPS, RULES, INTERVAL = 50, 20, 15
SECONDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 90


def rule_file():
    out = ["groups:"]
    for g in range(GROUPS):
        out += [f"  - name: g{g}", f"    interval: {INTERVAL}s", "    rules:"]
        out += [f"      - {{alert: A{g}_{r}, expr: 'up{{job=\"x{r}\"}} > {g + r}'}}" for r in range(RULES)]
    return "\n".join(out) + "\n"


def config(url, timeout="2m"):
    return f"sources: [{{name: p, url: '{url}', timeout: {timeout}}}]\nrule_files: [rules.yml]\n"


def connections(pid, port):
    """Established connections of the process to that port."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            inodes.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    n = 0
    with open(f"/proc/{pid}/net/tcp") as f:
        for line in f.readlines()[1:]:
            w = line.split()
            n += int(w[2].split(":")[1], 16) == port and w[3] == "01" and f"socket:[{w[9]}]" in inodes
    return n


def total(t, name):
    return sum(float(l.rsplit(" ", 1)[1]) for l in t.get("/metrics").body.decode().splitlines() if l.startswith(name + "{"))


def cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        w = f.read().rsplit(")", 1)[1].split()
    return (int(w[11]) + int(w[12])) / os.sysconf("SC_CLK_TCK")


def test_thousand_rules():
    with folder() as d, NodeExporter(d) as n, Prometheus(d, [n.address]) as p:
        port = int(p.url.rsplit(":", 1)[1])
        with Tocsin(config(p.url), d, files={"rules.yml": rule_file()}) as t:
            most, end, c0 = 0, time.time() + SECONDS, cpu(t.p.pid)
            while time.time() < end:
                most = max(most, connections(t.p.pid, port))
                time.sleep(0.01)
            missed, rounds = total(t, "prometheus_rule_group_iterations_missed_total"), total(t, "prometheus_rule_group_iterations_total")
            failed, evaluations = total(t, "prometheus_rule_evaluation_failures_total"), total(t, "prometheus_rule_evaluations_total")
            used = cpu(t.p.pid) - c0
            print(f"{GROUPS * RULES} rules, {SECONDS} s: {rounds:.0f} rounds, {missed:.0f} missed, {evaluations:.0f} evaluations, "
                  f"{failed:.0f} failed, at most {most} connections, {used:.2f} CPU s, "
                  f"{t.metric('process_resident_memory_bytes') / 1e6:.1f} MB, loop lag at most {t.metric('tocsin_loop_lag_max_seconds') * 1e3:.1f} ms")
            equal(missed, 0, "missed rounds")
            equal(failed, 0, "failed evaluations")
            assert most <= 8, most


class Slow(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(10)
        body = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *a):
        pass


def test_slow_source():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with folder() as d:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with Tocsin(config(url), d, files={"rules.yml": rule_file()}) as t:
            most, end = 0, time.time() + 75
            while time.time() < end:
                most = max(most, t.metric("tocsin_source_queries_waiting", source="p"))
                time.sleep(0.5)
            waiting = t.metric("tocsin_source_queries_waiting", source="p")
            held = connections(t.p.pid, server.server_address[1])
            print(f"10 s an answer: at most {most:.0f} queries wait (one a group), {held} connections, "
                  f"{total(t, 'prometheus_rule_group_iterations_total'):.0f} rounds under way or done, "
                  f"RSS {t.metric('process_resident_memory_bytes') / 1e6:.1f} MB, still waiting {waiting:.0f}")
            assert most <= GROUPS and held <= 8, (most, held)
            late = t.metric("tocsin_rule_groups_late")
            print(f"groups that say they are late: {late:.0f}")
            assert late > 0
    server.shutdown()


main()
