"""Power cuts on a disk that forgets every write since the last completed sync: what was answered 2xx is there afterwards,
and nothing is sent twice but what was on its way. A full disk, a read-only one and a slow one keep no page back.

POWERCUT_ROUNDS=200 for a long run."""
import random, threading
from harness import *

LIBRARY = os.path.join(os.path.dirname(PROGRAM), "tests", "libpowercut.so")
ROUNDS = int(os.environ.get("POWERCUT_ROUNDS", "10"))


class Disk:
    def __init__(self, d):
        if not os.path.exists(LIBRARY):
            raise Skip("no preloaded disk in this build")
        self.folder, self.durable, self.mode_file = d + "/data", d + "/durable", d + "/mode"
        os.makedirs(self.folder)
        os.makedirs(self.durable)
        self.env = {**os.environ, "LD_PRELOAD": LIBRARY, "POWERCUT_FOLDER": self.folder,
                    "POWERCUT_DURABLE": self.durable, "POWERCUT_MODE": self.mode_file}

    def mode(self, m):
        write(self.mode_file, m)

    def names(self, below=""):
        """What stands in the folder and below it: path -> inode, None of a folder."""
        found = {}
        with contextlib.suppress(FileNotFoundError):
            for line in open(self.durable + "/names" + below.replace("/", "@")).read().splitlines():
                inode, name = line.split(" ", 1)
                path = below + "/" + name.rstrip("/")
                found[path] = None if name.endswith("/") else inode
                if name.endswith("/"):
                    found.update(self.names(path))
        return found

    def cut(self):
        """Lays the state that is left, after the process was killed."""
        contents = {}
        for path, inode in self.names().items():
            contents[path] = inode and b""
            with contextlib.suppress(FileNotFoundError):
                contents[path] = inode and open(f"{self.durable}/{inode}", "rb").read()
        for where in [self.folder, self.durable]:
            shutil.rmtree(where)
            os.makedirs(where, mode=0o700)
        for path, content in contents.items():
            full = self.folder + path
            if content is None:
                os.mkdir(full, 0o700)
            else:
                with open(full, "wb") as f:
                    f.write(content)
                    os.fsync(f.fileno())
                os.chmod(full, 0o600)
                shutil.copy(full, f"{self.durable}/{os.stat(full).st_ino}")
            parent, _, name = path.rpartition("/")
            with open(self.durable + "/names" + parent.replace("/", "@"), "a") as f:
                f.write(f"{os.stat(full).st_ino} {name}{'/' if content is None else ''}\n")


class Sender(threading.Thread):
    """Posts each alert once, and remembers which were taken; the same of silences and of pushed groups."""

    def __init__(self, t, number):
        super().__init__(daemon=True)
        self.t, self.number, self.alerts, self.silences, self.pushes = t, number, [], [], []

    def run(self):
        with contextlib.suppress(OSError):
            for n in range(1000):
                name = f"R{self.number}.{n}"
                body = [{"labels": {"alertname": name}, "endsAt": stamp(36000)}]
                if request("POST", self.t.url + "/api/v2/alerts", body, timeout=10).status == 200:
                    self.alerts.append(name)
                if n % 5 == 0:
                    s = {"matchers": [{"name": "nobody", "value": name, "isRegex": False}], "startsAt": stamp(),
                         "endsAt": stamp(36000), "createdBy": "me", "comment": name}
                    r = request("POST", self.t.url + "/api/v2/silences", s, timeout=10)
                    if r.status == 200:
                        self.silences.append(r.json()["silenceID"])
                if n % 5 == 1:
                    r = request("PUT", f"{self.t.url}/metrics/job/{name}", b"m 1\n", timeout=10,
                                headers={"Content-Type": "text/plain"})
                    if r.status == 200:
                        self.pushes.append(name)


def told(sink):
    """(when, alertname) of each request that the sink accepted."""
    return [(at, name) for at, name, _ in told_by(sink)]


def told_by(sink):
    """The same with the path it came to."""
    return [(g.at, a["labels"]["alertname"], g.path) for g in list(sink.got) for a in g.json()["alerts"]]


def check(t, alerts, silences, pushes=()):
    there = {a["labels"]["alertname"] for a in t.alerts()}
    equal(sorted(set(alerts) - there), [], "alerts that were answered 200 and are gone")
    there = {s["id"] for s in t.get("/api/v2/silences").json()}
    equal(sorted(set(silences) - there), [], "silences that were answered 200 and are gone")
    if pushes:
        there = {x["labels"]["job"] for x in t.get("/api/v1/targets?scrapePool=push").json()["data"]["activeTargets"]}
        equal(sorted(set(pushes) - there), [], "pushed groups that were answered 200 and are gone")


PUSH = "push: {}\nstorage: {keep: all}\n"


def run(d, rounds, how):
    """Each start has a path of its own at the sink: what a killed one had sent may be read after the next one is up."""
    disk, alerts, silences, pushes, cuts = Disk(d), [], [], [], []
    rng = random.Random(7)
    with Sink() as sink:
        for i in range(rounds):
            with Tocsin(simple(sink, path=f"/{i}", more=PUSH), d, storage=disk.folder, env=disk.env) as t:
                check(t, alerts, silences, pushes)
                senders = [Sender(t, f"{i}.{k}") for k in range(4)]
                for s in senders:
                    s.start()
                time.sleep(rng.uniform(0.02, 0.4))
                t.kill()
                cuts.append(time.monotonic())
            for s in senders:
                s.join(10)
                alerts += s.alerts
                silences += s.silences
                pushes += s.pushes
            how(disk)
        with Tocsin(simple(sink, path=f"/{rounds}", more=PUSH), d, storage=disk.folder, env=disk.env) as t:
            check(t, alerts, silences, pushes)
            until("everything that was taken is told", lambda: set(alerts) <= {n for _, n in told(sink)}, 30)
            time.sleep(1.5)
            again = {}
            for at, name, path in told_by(sink):
                again.setdefault(name, []).append((int(path.rpartition("/")[2]), at))
            for name, times in again.items():
                times.sort()
                for (start, one), (later, _) in zip(times, times[1:]):
                    assert later > start and cuts[start] - one < 2, \
                        f"{name} was told again, with no cut on its way: {times}, cuts at {cuts}"
            duplicates = sum(len(v) - 1 for v in again.values())
            print(f"{rounds} cuts: {len(alerts)} alerts and {len(silences)} silences and {len(pushes)} pushes taken, all there; {duplicates} told twice")


def test_power_cuts():
    with folder() as d:
        run(d, ROUNDS, Disk.cut)


def test_kills():
    with folder() as d:
        run(d, ROUNDS, lambda disk: None)


class Changer(threading.Thread):
    """Tells the same alerts again and again, each round with other annotations: the alert log is written anew every few."""

    def __init__(self, t, round, names):
        super().__init__(daemon=True)
        self.t, self.round, self.names, self.answered = t, round, names, None

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                self.round += 1
                body = [{"labels": {"alertname": n}, "endsAt": stamp(36000),
                         "annotations": {"round": str(self.round), "text": f"{self.round}" * 300}} for n in self.names]
                if request("POST", self.t.url + "/api/v2/alerts", body, timeout=10).status == 200:
                    self.answered = self.round


def test_cuts_while_the_alert_log_is_written_anew():
    with folder() as d, Sink() as sink:
        disk, names, round, answered, shorter = Disk(d), [f"C{n}" for n in range(1500)], 0, None, 0
        rng, log = random.Random(11), disk.folder + "/alerts.log"
        for i in range(ROUNDS // 2 + 1):
            with Tocsin(simple(sink, group_wait="1h"), d, storage=disk.folder, env=disk.env) as t:
                if answered is not None:
                    there = {a["labels"]["alertname"]: int(a["annotations"]["round"]) for a in t.alerts()}
                    equal(sorted(there), sorted(names), "alerts after a cut")
                    assert min(there.values()) >= answered, f"{answered} was answered, {min(there.values())} is there"
                changer = Changer(t, round, names)
                changer.start()
                until("a round is answered", lambda: changer.answered is not None, 30)
                end, last = time.monotonic() + rng.uniform(0.2, 1), 0
                while time.monotonic() < end:
                    size = os.path.getsize(log)
                    shorter, last = shorter + (size < last), size
                    time.sleep(0.002)
                t.kill()
            changer.join(20)
            round, answered = changer.round, changer.answered
            disk.cut()
        assert shorter > 0, "the log was never written anew: the test shows nothing"
        print(f"{round} rounds, {shorter} new logs, {answered} answered last")


def test_a_disk_that_lies_is_found_out():
    """The same with syncs that do nothing, as with synchronous=OFF: the test must fail."""
    with folder() as d:
        def lie(disk):
            disk.mode("l")
            disk.cut()
        try:
            run(d, 4, lie)
        except AssertionError as e:
            assert "are gone" in str(e), e
            return
        raise AssertionError("a disk that syncs nothing was not found out")


def trouble(mode, status):
    with folder() as d, Sink() as sink:
        disk = Disk(d)
        with Tocsin(simple(sink), d, storage=disk.folder, env=disk.env) as t:
            t.alert(alertname="Before", ends=3600)
            until("told", lambda: "Before" in {n for _, n in told(sink)})
            disk.mode(mode)
            started = time.monotonic()
            done = []
            body = [{"labels": {"alertname": "Critical"}, "endsAt": stamp(3600)}]
            post = threading.Thread(target=lambda: done.append(
                request("POST", t.url + "/api/v2/alerts", body, timeout=30).status))
            post.start()
            until("the page goes out", lambda: "Critical" in {n for _, n in told(sink)}, 6)
            post.join(30)
            assert done[0] in status, done
            disk.mode("-")
            until("the store is back", lambda: t.metric("tocsin_store_degraded") == 0, 60)
            t.alert(alertname="After", ends=3600)
            until("told", lambda: "After" in {n for _, n in told(sink)})
            time.sleep(1.5)
            t.kill()
        with Tocsin(simple(sink), d, storage=disk.folder, env=disk.env) as t:
            check(t, ["Before", "Critical", "After"], [])
            time.sleep(2.5)
            names = [n for _, n in told(sink) if not n.startswith("Tocsin")]
            equal(sorted(names), ["After", "Before", "Critical"], "what was told")
            print(f"{mode}: told {told(sink)[1][0] - started:.2f} s after it came")


def test_full_disk():
    trouble("f", [503])


def test_read_only_disk():
    trouble("r", [503])


def test_slow_disk():
    trouble("s", [200, 503])


def first_start(mode):
    """A start where nothing can be written: it says so, pages go out, and all is on the disk when there is room."""
    with folder() as d, Sink() as sink:
        disk = Disk(d)
        disk.mode(mode)
        with Tocsin(simple(sink), d, storage=disk.folder, env=disk.env) as t:
            until("it is known", lambda: t.metric("tocsin_store_degraded") == 1, 20)
            r = t.post("/api/v2/alerts", [{"labels": {"alertname": "First"}}])
            assert r.status == 503 and b"in memory" in r.body, (r.status, r.body)
            until("the page goes out", lambda: "First" in [n for _, n in told(sink)], 20)
            until("it is told", lambda: "TocsinStoreDegraded" in [n for _, n in told(sink)], 20)
            t.says("the store is degraded")
            disk.mode("")
            until("there is room again", lambda: t.metric("tocsin_store_degraded") == 0, 30)
            until("samples go to the disk, too", lambda: os.path.isdir(disk.folder + "/samples"), 20)
            t.alert(alertname="Second", ends=3600)
            until("the second is told", lambda: "Second" in [n for _, n in told(sink)], 20)
            settle(t, sink)
            t.kill()
        with Tocsin(simple(sink), d, storage=disk.folder, env=disk.env) as t:
            assert {"First", "Second"} <= {a["labels"]["alertname"] for a in t.alerts()}, t.alerts()
            assert t.metric("tocsin_store_degraded") == 0, "it goes on as ever"
        equal([n for _, n in told(sink) if n in ("First", "Second")], ["First", "Second"], "what was told")


def test_first_start_on_a_full_disk():
    first_start("f")


def test_first_start_on_a_read_only_disk():
    first_start("r")


def next_start(mode):
    """With a state that can be read and not be written nothing of it is forgotten."""
    with folder() as d, Sink() as sink:
        disk = Disk(d)
        with Tocsin(simple(sink), d, storage=disk.folder, env=disk.env) as t:
            t.alert(alertname="Before", ends=3600)
            until("it is told", lambda: told(sink))
            settle(t, sink)
            t.kill()
        disk.mode(mode)
        with Tocsin(simple(sink), d, storage=disk.folder, env=disk.env) as t:
            equal({a["labels"]["alertname"] for a in t.alerts()} - {"TocsinStoreDegraded"}, {"Before"}, "what was stored")
            equal(len(t.get("/api/v2/silences").json()), 1, "silences")
            r = t.post("/api/v2/alerts", [{"labels": {"alertname": "Now"}}])
            equal(r.status, 503, r.body)
            until("the page goes out", lambda: "Now" in [n for _, n in told(sink)], 20)
            disk.mode("")
            until("there is room again", lambda: t.metric("tocsin_store_degraded") == 0, 30)


def test_next_start_on_a_full_disk():
    next_start("f")


if __name__ == "__main__":
    main()
