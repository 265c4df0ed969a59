"""Pages under everything at once: pages.py [SECONDS [PAGES_A_SECOND]], default 60 and 100.

1,100 idle clients with a soft limit of 1,024 descriptors, 1,250 targets that refuse and 1,250 that hang, large queries and ranges
by eight clients, templates that take all of their steps by two, ten receivers that hang, /metrics every second, twenty rule
groups a second. Meanwhile a hundred clients post so many alerts a second, each a group and a page of its own. Prints how many
went out, how late, the memory, the slots that rules missed, and what the turns of the loop cost it in CPU; TOCSIN names another
program. The load comes from processes of its own: on two cores it is part of what is measured."""
import math, multiprocessing, resource, sys
sys.path.insert(0, __import__("os").path.join(__import__("os").path.dirname(__file__), "../integration"))
from harness import *

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60
RATE = float(sys.argv[2]) if len(sys.argv) > 2 else 100
GROUPS = 20
DEAD, HANG, CLIENTS = 1250, 10, 100
LATE, MEMORY = 0.2, 400 << 20
TURN, MOST_TURNS = 0.02, 0.01  # CPU of any turn, and of 999 in 1,000

CONFIG = """global: {scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}
storage: {keep: all}
rule_files: [rules.yml]
scrape_configs:
  - {job_name: wide, static_configs: [{targets: ['%(wide)s']}]}
  - {job_name: refused, static_configs: [{targets: [%(refused)s]}]}
  - {job_name: hanging, static_configs: [{targets: [%(hanging)s]}]}
route:
  receiver: pages
  group_by: [...]
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 1h
  routes:
    - {matchers: [hang=yes], receiver: hang, group_by: [...], group_wait: 0s, group_interval: 1s}
receivers:
  - {name: pages, webhook_configs: [{url: '%(sink)s', send_resolved: false}]}
  - {name: hang, webhook_configs: [%(hang)s]}
"""
RULES = "groups:\n" + "".join(
    f"- {{name: g{g}, rules: [{{record: 'r:m{g}', expr: 'sum by (j) (rate(m[30s]))'}}, {{alert: R{g}, expr: 'm{{i=\"{g}\"}} > 1e9'}}]}}\n" for g in range(GROUPS))


def post(url, path, body, headers, timeout):
    with contextlib.suppress(OSError):
        request("POST", url + path, body, headers, timeout=timeout)


def ask(url, query, ranged):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    while True:
        now = int(time.time())
        q = {"query": query, **({"start": now - 600, "end": now, "step": 1} if ranged else {})}
        post(url, "/api/v1/query_range" if ranged else "/api/v1/query", urllib.parse.urlencode(q).encode(), form, 120)


def render(url):
    body = json.dumps({"template": '{{ range 100000 }}{{ printf "%010000d" 1 }}{{ end }}'}).encode()
    while True:
        post(url, "/api/v2/templates/render", body, {"Content-Type": "application/json"}, 60)


def hang_alerts(url):
    i = 0
    while True:
        body = [{"labels": {"alertname": "Hang", "hang": "yes", "i": str(i + k)}} for k in range(10)]
        post(url, "/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}, 30)
        i += 10
        time.sleep(1)


def metrics(url):
    while True:
        with contextlib.suppress(OSError):
            request("GET", url + "/metrics", timeout=30)
        time.sleep(1)


def loads(url, done):
    queries = [("sum by (i) (sum_over_time({__name__=~\".+\"}[5m:1s]))", False), ("count_over_time(m[10m]) * on (i) group_left () m", True)]
    work = [(ask, (url, *queries[i % 2])) for i in range(8)] + [(render, (url,))] * 2 + [(hang_alerts, (url,)), (metrics, (url,))]
    for what, args in work:
        threading.Thread(target=what, args=args, daemon=True).start()
    done.wait()
    os._exit(0)


def exporter(ready):
    """In a process of its own: 5,000 series."""
    e = Exporter()
    e.text("/metrics", "".join(f'm{{i="{i}",j="{i % 10}"}} {i}\n' for i in range(5000)))
    ready.put(e.address)
    threading.Event().wait()


def status(t, key):
    with open(f"/proc/{t.p.pid}/status") as f:
        return int(re.search(key + r":\s+(\d+)", f.read()).group(1))


class Pager(threading.Thread):
    """Every `of`-th page, by one connection that stays."""

    def __init__(self, t, number, of, begin):
        super().__init__(daemon=True)
        self.address, self.number, self.of, self.begin, self.sent, self.refused = t.address, number, of, begin, {}, 0

    def run(self):
        import http.client
        host, port = self.address.rsplit(":", 1)
        c = http.client.HTTPConnection(host, int(port), timeout=60)
        for i in range(self.number, int(SECONDS * RATE), self.of):
            at = self.begin + i / RATE
            time.sleep(max(0, at - time.monotonic()))
            body = json.dumps([{"labels": {"alertname": "Page", "n": str(i)}, "endsAt": stamp(3600)}])
            try:
                c.request("POST", "/api/v2/alerts", body, {"Content-Type": "application/json"})
                r = c.getresponse()
                r.read()
                if r.status == 200:
                    self.sent[str(i)] = at  # late sending counts as late
                    continue
            except (OSError, http.client.HTTPException):
                c.close()
            self.refused += 1


class Turns:
    """What the loop's thread says of itself. Of a program that does not measure nothing is asked."""

    def __init__(self, page):
        found = lambda name: {float(le.replace("+Inf", "inf")): float(n) for le, n in re.findall(r'^%s_bucket{le="(\S+)"} (\S+)' % name, page, re.M)}
        one = lambda name: float((re.search(r"^%s (\S+)" % name, page, re.M) or [0, "nan"])[1])
        self.cpu, self.lag = found("tocsin_turn_seconds"), found("tocsin_turn_lag_seconds")
        self.most, self.sum = one("tocsin_turn_max_seconds"), one("tocsin_turn_seconds_sum")
        self.longest = sorted(((float(v), w) for w, v in re.findall(r'^tocsin_turn_longest_seconds{work="(\w+)"} (\S+)', page, re.M)), reverse=True)[:5]
        self.are_short = not self.cpu or (self.most <= TURN and self.share(self.cpu, MOST_TURNS) >= 0.999)

    @staticmethod
    def share(buckets, le):
        return buckets[le] / max(1, buckets[math.inf])

    def __str__(self):
        if not self.cpu:
            return "no figures of turns"
        over = lambda b: ", ".join(f"{(b[math.inf] - b[le]) / max(1, b[math.inf]) * 1e6:.0f} of a million over {le * 1000:g} ms" for le in (0.005, 0.01, 0.02, 0.05))
        return (f"{self.cpu[math.inf]:.0f} turns, {self.sum:.1f} s of CPU, the longest {self.most * 1000:.1f} ms: {over(self.cpu)}\n"
                f"by the wall: {over(self.lag)}\nlongest: " + ", ".join(f"{w} {s * 1000:.1f} ms" for s, w in self.longest))


def percent(v, p):
    return v[min(len(v) - 1, math.ceil(len(v) * p) - 1)] if v else math.nan


def measure(d, sink, wide, stack):
    hanging = stack.enter_context(contextlib.closing(socket.create_server(("0.0.0.0", 0), backlog=4096)))
    port = hanging.getsockname()[1]
    hang = [stack.enter_context(Sink(otherwise=NOTHING)) for _ in range(HANG)]
    config = CONFIG % {
        "wide": wide, "sink": sink.url, "hang": ", ".join(f"{{url: '{h.url}', timeout: 5s}}" for h in hang),
        "refused": ", ".join(f"'127.1.{i // 250}.{i % 250 + 1}:1'" for i in range(DEAD)),
        "hanging": ", ".join(f"'127.2.{i // 250}.{i % 250 + 1}:{port}'" for i in range(DEAD))}
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    t = stack.enter_context(Tocsin(config, d, files={"rules.yml": RULES},
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536),) * 2)
    until("rules run", lambda: all(not g["lastEvaluation"].startswith("0001") for g in t.get("/api/v1/rules", timeout=60).json()["data"]["groups"]), 60)
    host, p = t.address.rsplit(":", 1)
    idle = [stack.enter_context(contextlib.closing(socket.create_connection((host, int(p)), timeout=10))) for _ in range(1100)]
    done = multiprocessing.Event()
    load = multiprocessing.Process(target=loads, args=(t.url, done), daemon=True)
    load.start()
    time.sleep(2)
    begin = time.monotonic() + 0.5
    pagers = [Pager(t, k, CLIENTS, begin) for k in range(CLIENTS)]
    for x in pagers:
        x.start()
    for x in pagers:
        x.join(SECONDS + 120)
    sent = {n: at for x in pagers for n, at in x.sent.items()}
    told = lambda: {a["labels"].get("n"): g.at for g in reversed(list(sink.got)) for a in g.json()["alerts"]}
    end = time.monotonic() + 30
    while time.monotonic() < end and not set(sent) <= set(told()):
        time.sleep(0.2)
    done.set()
    at = told()
    late = sorted(at[n] - s for n, s in sent.items() if n in at)
    page = request("GET", t.url + "/metrics", timeout=120).body.decode()
    missed = sum(float(x) for x in re.findall(r"^prometheus_rule_group_iterations_missed_total\{.*\} (\S+)", page, re.M))
    lag = re.search(r"^tocsin_loop_lag_max_seconds (\S+)", page, re.M)
    turns = Turns(page)
    most = status(t, "VmHWM") << 10
    del idle
    print(f"{len(sent)} of {int(SECONDS * RATE)} pages taken, {sum(x.refused for x in pagers)} refused, {len(late)} went out, "
          f"{len(late) / SECONDS:.1f} a second; median {percent(late, .5) * 1000:.0f} ms, p99 {percent(late, .99) * 1000:.0f} ms, "
          f"most {late[-1] * 1000 if late else math.nan:.0f} ms; memory {most >> 20} MB; slots missed {missed:.0f}; "
          f"loop lag at most {float(lag.group(1)) * 1000 if lag else math.nan:.0f} ms; machine load {os.getloadavg()[0]:.1f}")
    print(turns)
    ok = turns.are_short and len(late) == int(SECONDS * RATE) and percent(late, .99) <= LATE and most <= MEMORY and missed == 0
    print("within the figures" if ok else f"not within the figures: all, p99 {LATE * 1000:.0f} ms, {MEMORY >> 20} MB, no slot missed, "
          f"turns under {TURN * 1000:.0f} ms and 999 of 1,000 under {MOST_TURNS * 1000:.0f} ms")
    load.kill()
    t.kill()
    return ok


def main():
    ready = multiprocessing.Queue()
    e = multiprocessing.Process(target=exporter, args=(ready,), daemon=True)
    e.start()
    with folder() as d, Sink() as sink, contextlib.ExitStack() as stack:
        ok = measure(d, sink, ready.get(timeout=20), stack)
    e.kill()
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
