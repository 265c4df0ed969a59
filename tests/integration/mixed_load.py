"""Everything at once in 256 MB: bodies, exporters and lines that never end, readers that do not read, large regexes, large
queries. The program neither ends nor leaves its memory, what is answered 2xx is there after the power went, pages go out."""
import math

from harness import *
from budgets import SANITIZED, Body, Endless, series
from scraping import config, job

MEMORY = 256 << 20
SECONDS = float(os.environ.get("MIXED_LOAD_SECONDS", "8"))
RULES = """groups:
  - {name: pages, interval: 500ms, rules: [{alert: Ruled, expr: 'good > 0'}, {record: 'r:m', expr: 'sum by (job) (m)'}]}
  - {name: heavy, interval: 1s, rules: [{alert: Wide, expr: 'm{i=~".*7.*"} > 1e9'}]}
"""
HOSTS = ["node%d.dc%d.example.com:9100" % (i, i % 7) for i in range(5000)]
JSON = {"Content-Type": "application/json"}


def peak(t):
    with open("/proc/%d/status" % t.p.pid) as f:
        return int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1)) << 10


class Load:
    """Threads that do one thing again and again until the end; what they are answered is counted by status."""

    def __init__(self, t):
        self.t, self.over, self.statuses, self.threads, self.lock = t, threading.Event(), {}, [], threading.Lock()

    def count(self, who, what):
        with self.lock:
            self.statuses[(who, what)] = self.statuses.get((who, what), 0) + 1

    def again(self, who, do, threads=1):
        def run():
            while not self.over.is_set():
                try:
                    self.count(who, do())
                except OSError:
                    self.count(who, "gone")
                    self.over.wait(0.05)
        for _ in range(threads):
            self.threads.append(threading.Thread(target=run, daemon=True))
            self.threads[-1].start()

    def ask(self, method, path, body=None, headers=None):
        return request(method, self.t.url + path, body, headers, timeout=60).status

    def query(self, text, path="query", **more):
        return self.ask("POST", "/api/v1/" + path, urllib.parse.urlencode({"query": text, **more}).encode(),
                        {"Content-Type": "application/x-www-form-urlencoded"})

    def end(self):
        self.over.set()
        for th in self.threads:
            th.join(90)
            assert not th.is_alive(), f"one still waits: {self.statuses}"


def unfinished(t, over):
    """Twenty bodies of 62 MB of which all but the end is sent, in turns; a new one for each that is refused."""
    def run():
        with contextlib.ExitStack() as stack:
            bodies = [stack.enter_context(Body(t, 62 << 20, "chunked" if i % 2 else None)) for i in range(20)]
            while not over.is_set():
                for i, b in enumerate(bodies):
                    if not b.push():
                        b.s.close()
                        with contextlib.suppress(OSError):
                            bodies[i] = stack.enter_context(Body(t, 62 << 20, "chunked" if i % 2 else None))
                over.wait(0.002)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def deaf(t, path):
    """Asks for a large answer and does not read it."""
    s = socket.create_connection(t.address.rsplit(":", 1))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return s


def begin(load, t):
    hosts = "|".join(HOSTS[:600])
    nested = "(" * 40 + "a?" + ")*" * 40
    batch = json.dumps([{"labels": {"alertname": "Bulk", "n": str(i)}, "annotations": {"a": "x" * 300}} for i in range(3000)]).encode()
    now = int(time.time())
    load.again("batches", lambda: load.ask("POST", "/api/v2/alerts", batch, JSON), 2)
    load.again("regexes", lambda: load.query('m{i=~"%s"}' % hosts))
    load.again("regexes", lambda: load.query('m{i=~"%s"}' % nested))
    load.again("regexes", lambda: load.ask("GET", "/api/v2/alerts?filter=" + urllib.parse.quote('n=~"%s"' % hosts[:4000])))
    load.again("silences", lambda: load.ask("POST", "/api/v2/silences", {
        "matchers": [{"name": "n", "value": "|".join(HOSTS[:600]), "isRegex": True}], "startsAt": stamp(), "endsAt": stamp(5),
        "createdBy": "me", "comment": "c"}))
    load.again("queries", lambda: load.query("sum by (i) (sum_over_time({__name__=~\".+\"}[5m:100ms]))"), 2)
    load.again("ranges", lambda: load.query("m * on (i) group_left () m", "query_range", start=now - 10000, end=now, step=1), 2)
    load.again("reads", lambda: load.ask("GET", "/api/v2/alerts"), 2)
    load.again("reads", lambda: load.ask("GET", "/api/v2/alerts/groups"))
    load.again("reads", lambda: load.ask("GET", "/api/v2/explain"))
    load.again("reads", lambda: load.ask("GET", "/metrics"))
    load.again("renders", lambda: load.ask("POST", "/api/v2/templates/render", {
        "template": '{{ range 100000 }}{{ printf "%01000000d" 1 }}{{ end }}'}))


class Pages:
    """Posts an alert every 50 ms and remembers which were taken, and when."""

    def __init__(self, t):
        self.t, self.taken, self.refused = t, {}, 0

    def run(self, seconds):
        end, n = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            name, sent = f"Page{n}", time.monotonic()
            status = request("POST", self.t.url + "/api/v2/alerts", [{"labels": {"alertname": name}, "endsAt": stamp(36000)}], timeout=30).status
            equal(status, 200, f"{name}, a small one among the large")
            self.taken[name] = sent
            n += 1
            time.sleep(max(0, sent + 0.05 - time.monotonic()))


def told(sink):
    """alertname -> when it was told first."""
    first = {}
    for g in list(sink.got):
        for a in g.json()["alerts"]:
            first.setdefault(a["labels"]["alertname"], g.at)
    return first


def test_everything_at_once():
    with folder() as d, Sink() as sink, contextlib.ExitStack() as stack, Exporter() as e:
        e.text("/good", "good 1\n")
        e.text("/wide", "".join(f'm{{i="{h}"}} 1\n' for h in HOSTS))
        endless = [stack.enter_context(Endless(b"", series)) for _ in range(3)]
        endless += [stack.enter_context(Endless(b"x{n=\"", lambda i: b"y" * (256 << 10))) for _ in range(2)]
        jobs = [job(f"endless{i}", x.address) for i, x in enumerate(endless)]
        jobs += [job("good", e.address, "/good"), job("wide", e.address, "/wide")]
        text = config(*jobs, keep="all", interval="1s") + "rule_files: [rules.yml]\n" + simple(sink, more="")
        with Tocsin(text, d, "--memory.max-bytes=%d" % MEMORY, files={"rules.yml": RULES}) as t:
            until("the exporter is read", lambda: t.get("/api/v1/query?query=count(m)").json()["data"]["result"], 20)
            load, pages = Load(t), Pages(t)
            body = unfinished(t, load.over)
            begin(load, t)
            held = [deaf(t, p) for p in ("/api/v2/alerts", "/api/v2/alerts/groups", "/metrics") for _ in range(10)]
            pages.run(SECONDS)
            until("everything that was taken is told", lambda: set(pages.taken) <= set(told(sink)), 30)
            at = told(sink)
            late = sorted(at[n] - sent for n, sent in pages.taken.items())
            most = peak(t)
            equal(t.p.poll(), None, "the program ended: exit code")
            slots = {g["name"]: g["lastEvaluation"] for g in t.get("/api/v1/rules", timeout=30).json()["data"]["groups"]}
            for x in endless:
                x.is_over = True
                x.s.close()
            for s in held:
                s.close()
            load.end()
            body.join(30)
            for kind in ("request_bodies", "scrapes"):
                until("all is given back", lambda: t.metric("tocsin_memory_budget_used_bytes", **{"class": kind}) == 0, 30)
            t.kill()
        print({k: load.statuses[k] for k in sorted(load.statuses, key=str)})
        print(f"{len(late)} pages: median {late[len(late) // 2] * 1000:.0f} ms, p99 {late[math.ceil(len(late) * .99) - 1] * 1000:.0f} ms; "
              f"memory {most >> 20} MB; {slots}")
        assert SANITIZED or most < MEMORY, f"{most >> 20} MB of {MEMORY >> 20}"
        with Tocsin(simple(sink), d, "--memory.max-bytes=%d" % MEMORY) as t:
            there = {a["labels"]["alertname"] for a in t.alerts()}
            equal(sorted(set(pages.taken) - there), [], "alerts that were answered 200 and are gone")


if __name__ == "__main__":
    main()
