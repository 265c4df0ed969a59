#!/usr/bin/env python3
"""10,000 rules in 100 groups every 15 s over series that tocsin scrapes, one in a hundred firing; meanwhile reloads of an
unchanged file, of one changed rule and of all rules changed. Missed rounds, CPU, memory, and how long the loop stood: its
own metric, and what a request for /-/healthy waits in the seconds around a reload and without one. At the end 200 rules are
asked why they are silent.

usage: TOCSIN=build/release/tocsin python3 tests/bench/many_rules.py [SECONDS]   run from the root; default 300
"""
import http.client, os, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../integration"))
from harness import *
from many_rules_text import *

SHARED = os.environ.get("TOCSIN_SHARED", os.path.join(SOURCE, "../shared"))
SECONDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 300
EVERY = 20  # seconds from reload to reload
EXPLAIN_MS = 50  # at most for a question why a rule is silent
CONFIG = """global: {scrape_interval: 15s, evaluation_interval: 15s}
scrape_configs: [{job_name: fleet, honor_labels: true, static_configs: [{targets: ['127.0.0.1:%d']}]}]
rule_files: [rules.yml]
"""


def total(text, name):
    return sum(float(l.rsplit(" ", 1)[1]) for l in text.splitlines() if l.startswith((name + "{", name + " ")))


def cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        w = f.read().rsplit(")", 1)[1].split()
    return (int(w[11]) + int(w[12])) / os.sysconf("SC_CLK_TCK")


def loop_cpu(pid):
    """Milliseconds that the loop's thread has run: what a reload adds to that of the requests bounds its stall, however
    busy the machine is."""
    with open(f"/proc/{pid}/task/{pid}/schedstat") as f:
        return int(f.read().split()[0]) / 1e6


class Probe(threading.Thread):
    """Asks for /-/healthy again and again: (when it was asked, how long it took)."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.c, self.took, self.is_on = http.client.HTTPConnection(address), [], True

    def run(self):
        while self.is_on:
            began = time.monotonic()
            self.c.request("GET", "/-/healthy")
            self.c.getresponse().read()
            self.took.append((began, time.monotonic() - began))
            time.sleep(0.002)

    def between(self, spans):
        v = sorted(d for at, d in self.took if any(a <= at <= b for a, b in spans))
        return "%5d asked, half within %.1f ms, 99 %% %.1f ms, at most %.1f ms" % (
            len(v), v[len(v) // 2] * 1e3, v[len(v) * 99 // 100] * 1e3, v[-1] * 1e3) if v else "none asked"


def lags(text):
    """Turns of the loop that were later than 10 ms, than 50 ms."""
    bucket = lambda le: total("\n".join(l for l in text.splitlines() if f'le="{le}"' in l), "tocsin_loop_lag_seconds_bucket")
    return bucket("+Inf") - bucket("0.01"), bucket("+Inf") - bucket("0.05")


def all_cpu(pid):
    """Milliseconds that all its threads have run."""
    out = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            out += int(f.read().split()[0]) / 1e6
    return out


def explained(t, n=200):
    """Why a rule is silent, of rules of all kinds: milliseconds a question, and of processors, whatever else ran meanwhile, which
    bounds what a question takes however busy the machine is."""
    took, used = [], []
    for i in range(n):
        g, r = i * 7 % GROUPS, i * 13 % RULES
        began, cpu_began = time.monotonic(), all_cpu(t.p.pid)
        rule, = t.get(f"/api/v2/explain?rule=A{g}_{r}").json()["rules"]
        took.append((time.monotonic() - began) * 1e3)
        used.append(all_cpu(t.p.pid) - cpu_began)
        reason = "no_metric" if r == MISSPELT else "comparison"
        equal((rule["error"], [c["reason"] for c in rule["causes"]]), ("", [] if r == FIRES else [reason]), rule["expr"])
    for what, v in ("", took), ("CPU ", used):
        v.sort()
        print(f"explain?rule=, {n} questions: half within {v[n // 2]:.1f} {what}ms, 99 % {v[n * 99 // 100]:.1f}, at most {v[-1]:.1f}")
    assert took[n // 2] < EXPLAIN_MS and used[n * 99 // 100] < EXPLAIN_MS, (took[-5:], used[-5:])


def test_ten_thousand_rules():
    port = free_port()
    with folder() as d, Process([sys.executable, SHARED + "/bench/exporter.py", f"--port={port}", f"--replicas={REPLICAS}"]):
        time.sleep(1)
        with Tocsin(CONFIG % port, d, files={"rules.yml": rules(0)}) as t:
            scraped = lambda: t.get("/metrics").body.decode()
            until("series", lambda: total(scraped(), "tocsin_tsdb_series") > 1000, 30)
            time.sleep(16)
            probe, end, kind, reloads = Probe(t.address), time.monotonic() + SECONDS, 0, {"same": [], "one": [], "all": []}
            before, used = scraped(), cpu(t.p.pid)
            probe.start()
            while time.monotonic() < end:
                time.sleep(EVERY - 5)
                idle, asked = loop_cpu(t.p.pid), len(probe.took)
                time.sleep(5)
                each = (loop_cpu(t.p.pid) - idle) / (len(probe.took) - asked)
                what = list(reloads)[kind % 3]
                kind += 1
                if what != "same":
                    write(os.path.join(d, "rules.yml"), rules(kind, 1 if what == "one" else GROUPS * RULES))
                began, load, loop, asked = time.monotonic(), cpu(t.p.pid), loop_cpu(t.p.pid), len(probe.took)
                equal(t.post("/-/reload", b"", timeout=60).status, 200)
                reloads[what].append((began, time.monotonic() + 0.2))
                print(f"  {what:4} reloaded in {time.monotonic() - began:.3f} s, {cpu(t.p.pid) - load:.2f} CPU s, "
                      f"of the loop {loop_cpu(t.p.pid) - loop - each * (len(probe.took) - asked):.1f} ms")
            probe.is_on = False
            after, used = scraped(), cpu(t.p.pid) - used
            diff = lambda name: total(after, name) - total(before, name)
            explained(t)
            firing = len([a for a in t.get("/api/v1/alerts").json()["data"]["alerts"] if a["state"] == "firing"])
            print(f"{GROUPS * RULES} rules, {total(after, 'tocsin_tsdb_series'):.0f} series, {SECONDS} s: "
                  f"{diff('prometheus_rule_evaluations_total'):.0f} evaluations, "
                  f"{total(after, 'prometheus_rule_group_iterations_missed_total'):.0f} rounds missed, "
                  f"{total(after, 'prometheus_rule_evaluation_failures_total'):.0f} failed, {firing} firing; {used:.1f} CPU s, "
                  f"{t.metric('process_resident_memory_bytes') / 1e6:.0f} MB")
            late, before_late = lags(after), lags(before)
            print(f"timers more than 10 ms late: {late[0] - before_late[0]:.0f}, 50 ms: {late[1] - before_late[1]:.0f}, "
                  f"at most {t.metric('tocsin_loop_lag_max_seconds') * 1e3:.1f} ms since the start")
            for what, spans in reloads.items():
                print(f"/-/healthy at a reload, {what:4}: {probe.between(spans)}")
            print(f"/-/healthy without one     : "
                  f"{probe.between([(b[1], b[1] + EVERY / 2) for v in reloads.values() for b in v])}")
            equal(total(after, "prometheus_rule_group_iterations_missed_total"), 0, "missed rounds")
            equal(total(after, "prometheus_rule_evaluation_failures_total"), 0, "failed evaluations")
            assert firing == GROUPS, firing


main()
