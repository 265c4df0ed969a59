"""Memory that is not there: the n-th allocation fails, whoever made it, at the start or under load, and the power goes with it.
The program ends and the next start has all that was answered 2xx; or a library took it as an error and all goes on.

ALLOCATIONS_ROUNDS=200 for a long run."""
import collections, http.client, mmap, random, struct

import harness
from harness import *
from powercut import Disk, Sender, check, told

LIBRARY = os.path.join(os.path.dirname(PROGRAM), "tests", "liballocfail.so")
ROUNDS = int(os.environ.get("ALLOCATIONS_ROUNDS", "15"))
CONFIG = """global: {scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms}
push: {}
scrape_configs: [{job_name: e, static_configs: [{targets: ['%(e)s']}]}]
rule_files: [rules.yml]
"""
RULES = """groups: [{name: g, rules: [{record: 'r:m', expr: 'sum by (i) (m)'},
  {alert: Ruled, expr: 'm{i=~"[0-4].*"} > 0 or pushed', annotations: {s: '{{ $value | humanize }} of {{ $labels.i }}'}}]}]"""


class Allocations:
    def __init__(self, d):
        path = d + "/allocations"
        with open(path, "wb") as f:
            f.write(bytes(16))
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 16)
        self.path = path

    def made(self):
        return struct.unpack("<Q", self.map[:8])[0]

    def fail(self, n):
        """The n-th from the program's start; 0: none. Sets the count back when no program runs."""
        self.map[8:16] = struct.pack("<Q", n)

    def begin(self, n):
        self.map[:16] = struct.pack("<QQ", 0, n)

    def failed(self):
        return self.map[8:16] == bytes(8)


class Asker(threading.Thread):
    """Reads what there is to read, so that answers are made, too, and pushes."""
    PATHS = ["/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/explain", "/metrics", "/api/v1/rules", "/api/v1/targets", "/",
             "/api/v1/query?query=" + urllib.parse.quote("sum by (i) (rate(m[1m])) / on (i) r:m"),
             "/api/v2/silences", "/api/v2/status", "/api/v2/notifications"]

    def __init__(self, t):
        super().__init__(daemon=True)
        self.t = t

    def run(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                for path in self.PATHS:
                    request("GET", self.t.url + path, timeout=5)
                request("POST", self.t.url + "/metrics/job/j", b"pushed 1\n", {"Content-Type": "text/plain"}, timeout=5)
                request("POST", self.t.url + "/-/reload", b"", timeout=5)


def ended(t, seconds):
    end = time.monotonic() + seconds
    while t.p.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    return t.p.poll()


def how(t):
    """An end in words: out of memory it aborts, or refuses to start and says so."""
    code = t.wait()
    words = [line for line in t.text().splitlines() if "memory" in line.lower()]
    assert code != -signal.SIGSEGV, f"it ran into nothing:\n{t.text()[-3000:]}"
    assert code in (-signal.SIGABRT, 1), f"exit code {code}:\n{t.text()[-3000:]}"
    assert words or code == 1, f"an abort without words:\n{t.text()[-3000:]}"
    return "aborted" if code == -signal.SIGABRT else "refused to start"


class World:
    def __init__(self, d, sink, exporter):
        self.d, self.sink, self.disk, self.allocations = d, sink, Disk(d), Allocations(d)
        self.env = {**self.disk.env, "LD_PRELOAD": self.disk.env["LD_PRELOAD"] + ":" + LIBRARY, "ALLOCFAIL": self.allocations.path}
        self.config = CONFIG % {"e": exporter.address} + simple(sink, more="")
        self.alerts, self.silences, self.ends = [], [], collections.Counter()

    def start(self, fails=0):
        self.allocations.begin(fails)
        return Tocsin(self.config, self.d, storage=self.disk.folder, env=self.env, files={"rules.yml": RULES})

    def at_start(self, n):
        """The n-th allocation of a start fails."""
        try:
            t = self.start(n)
        except AssertionError as e:
            assert "tocsin ended" in str(e), e
            assert "ended with -11" not in str(e), e
            self.ends["at the start"] += 1
        else:
            with t:
                self.load(t, 0)
        self.disk.cut()

    def load(self, t, n):
        """The n-th from now fails; 0: one of the start does, or already has."""
        threads = [Sender(t, f"{len(self.alerts)}.{k}") for k in range(3)] + [Asker(t)]
        try:
            check(t, self.alerts, self.silences)
            if n:
                self.allocations.fail(self.allocations.made() + n)
            for s in threads:
                s.start()
            until("it fails", lambda: self.allocations.failed() or t.p.poll() is not None, 20, 0.002)
            if ended(t, 0.25) is None:
                self.goes_on(t)
                self.ends["went on"] += 1
                t.kill()
        except OSError:
            assert ended(t, 5) is not None, "it does not answer"
        if t.wait() != -signal.SIGKILL:
            self.ends[how(t)] += 1
        for s in threads:
            if s.ident is not None:
                s.join(10)
            self.alerts += getattr(s, "alerts", [])
            self.silences += getattr(s, "silences", [])

    def goes_on(self, t):
        """A library or a request had its error: pages go out, and rules run."""
        name = f"Still{len(self.alerts)}"
        until("it takes alerts", lambda: request("POST", t.url + "/api/v2/alerts", [
            {"labels": {"alertname": name}, "endsAt": stamp(36000)}]).status == 200)
        self.alerts.append(name)
        until("pages go out", lambda: name in {n for _, n in told(self.sink)}, 20)
        ran = lambda: [g["lastEvaluation"] for g in t.get("/api/v1/rules").json()["data"]["groups"]]
        before = ran()
        until("rules run", lambda: ran() != before)
        health = lambda: {x["health"] for x in t.get("/api/v1/targets").json()["data"]["activeTargets"]}
        until("targets answer", lambda: health() == {"up"})


def test_the_nth_allocation_fails():
    if not os.path.exists(LIBRARY):
        raise Skip("nothing can be preloaded in this build")
    harness.PROGRAM = os.path.join(os.path.dirname(PROGRAM), "tests", "tocsin_libc_malloc")
    rng = random.Random(int(os.environ.get("ALLOCATIONS_SEED", "5")))
    with folder() as d, Sink() as sink, Exporter() as e:
        e.text("/metrics", "".join(f"m{{i=\"{i}\"}} {i}\n" for i in range(20)))
        w = World(d, sink, e)
        with w.start() as t:
            starts = w.allocations.made()
            t.kill()
        w.disk.cut()
        for i in range(ROUNDS):
            if i % 4 == 0:
                w.at_start(rng.randrange(1, starts))
            else:
                with w.start() as t:
                    w.load(t, int(2 ** rng.uniform(0, 15)))
                w.disk.cut()
        with w.start() as t:
            check(t, w.alerts, w.silences)
            until("everything that was taken is told", lambda: set(w.alerts) <= {n for _, n in told(sink)}, 60)
            t.kill()
        print(f"{ROUNDS} allocations failed, {starts} in a start: {dict(w.ends)}; {len(w.alerts)} alerts and "
              f"{len(w.silences)} silences taken, all there")


if __name__ == "__main__":
    main()
