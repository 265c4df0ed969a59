"""State of this version is brought back to what 0.1.1 opens, used by it, and opened again: no silence is lost, nothing is told
twice. Without a 0.1.1 (TOCSIN_OLD names the program) the folder is compared with one that it left."""
import glob, sqlite3
from harness import *

OLD = os.environ.get("TOCSIN_OLD")
CONFIG = """storage: {keep: all}
push: {}
scrape_configs: [{job_name: x, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: ['%s']}]}]
route: {receiver: good, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h,
        routes: [{matchers: ['to = down'], receiver: down}]}
receivers: [{name: good, webhook_configs: [{url: '%s', send_resolved: true}]}, {name: down, webhook_configs: [{url: '%s'}]}]
"""
# 0.1.1's tables: columns with their types, and whether the table has a rowid.
TABLES = {t: ([("key", "BLOB"), ("value", "BLOB")], rowid)
          for t, rowid in (("silence", False), ("rule", False), ("meta", False), ("outbox", True), ("nflog", True), ("decision", True))}


def tocsin(*args):
    p = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60)
    assert p.returncode == 0, (args, p.returncode, p.stdout, p.stderr)
    return p.stdout


def told(sink):
    return [(r.json()["status"], r.json()["groupLabels"]["alertname"]) for r in list(sink.got)
            if not r.json()["groupLabels"]["alertname"].startswith("Tocsin")]


def silence(t, name):
    r = t.post("/api/v2/silences", {"matchers": [{"name": "alertname", "value": name, "isRegex": False}], "startsAt": stamp(),
                                    "endsAt": stamp(7200), "createdBy": "test", "comment": name})
    equal(r.status, 200, r.body)


def silences(t):
    return {s["comment"] for s in t.get("/api/v2/silences").json() if s["status"]["state"] == "active"}


def names(t):
    return {a["labels"]["alertname"] for a in t.alerts() if not a["labels"]["alertname"].startswith("Tocsin")}


def pushed(t):
    return {g["labels"]["instance"] for g in t.get("/api/v1/targets").json()["data"]["activeTargets"] if g["labels"]["job"] == "p"}


class Program:
    """Another program than this one, as long as it is used."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        import harness
        self.before, harness.PROGRAM = harness.PROGRAM, self.path

    def __exit__(self, *failure):
        import harness
        harness.PROGRAM = self.before


def look_at_tables(folder):
    db = sqlite3.connect(f"file:{folder}/state.db?immutable=1", uri=True)
    with contextlib.closing(db):
        equal(db.execute("PRAGMA user_version").fetchone(), (2,), "version")
        equal(db.execute("PRAGMA integrity_check").fetchone(), ("ok",), "check")
        found = {}
        for name, sql in db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
            found[name] = [(c[1], c[2]) for c in db.execute(f"PRAGMA table_info({name})")], "WITHOUT ROWID" not in sql
        equal(found, TABLES, "tables")
        equal(db.execute("SELECT count(*) FROM silence").fetchone()[0], 4, "silences")
        assert db.execute("SELECT count(*) FROM outbox").fetchone()[0] > 0, "what could not be told waits"
    files = glob.glob(folder + "/pushed/*")
    equal((len(files), {os.stat(f).st_mode & 0o777 for f in files}), (2, {0o600}), "files of pushes")


def test_back_and_forth():
    with folder() as d, Sink() as good, Sink(otherwise=503) as down, Exporter() as e:
        e.text("/metrics", "m 1\n")
        config = CONFIG % (e.address, good.url, down.url)
        with Tocsin(config, d) as t:
            for i in range(5):
                t.alert(alertname=f"A{i}", ends=7200)
            t.alert(alertname="Untold", to="down", ends=7200)
            for i in range(3):
                silence(t, f"S{i}")
            for i in range(2):
                equal(t.post(f"/metrics/job/p/instance/{i}", b"pushed 1\n", headers={"Content-Type": "text/plain"}).status // 100, 2)
            t.alert(alertname="S0", ends=7200)
            until("all is told", lambda: len(told(good)) >= 5 and told(down), 20)
            settle(t, good)
            until("it is scraped", lambda: e.requests)
            time.sleep(1.5)
            t.kill()
        data = os.path.join(d, "data")
        before = told(good)
        said = tocsin("storage", "downgrade", data)
        assert "2 pushed groups are files again" in said and "before-downgrade-" in said, said
        look_at_tables(data)
        tocsin("storage", "verify", data)
        assert "0.1.1 opens it" in tocsin("storage", "downgrade", data)
        kept = glob.glob(data + "/before-downgrade-*")
        equal(len(kept), 1, "kept")
        assert os.path.exists(kept[0] + "/state.db") and glob.glob(kept[0] + "/samples/*"), os.listdir(kept[0])
        used = {"S0", "S1", "S2", "after all before it"}
        if OLD:
            with Program(OLD), Tocsin(config, d) as t:
                for word in ("is damaged", "unreadable", "cannot be read"):
                    assert word not in t.text(), t.text()
                equal(silences(t), used, "silences, by 0.1.1")
                equal(names(t), {"A0", "A1", "A2", "A3", "A4", "Untold", "S0"}, "alerts, by 0.1.1")
                until("pushes, by 0.1.1", lambda: pushed(t) == {"0", "1"})
                silence(t, "Old")
                used.add("Old")
                t.alert(alertname="FromOld", ends=7200)
                t.alert(alertname="A4", ends=-1)
                until("0.1.1 tells what is new", lambda: {("firing", "FromOld"), ("resolved", "A4")} <= set(told(good)), 20)
                time.sleep(2)
                t.stop()
            before = before + [("firing", "FromOld"), ("resolved", "A4")]
            equal(sorted(told(good)), sorted(before), "by 0.1.1 nothing is told twice")
            with contextlib.closing(sqlite3.connect(f"file:{data}/state.db?mode=ro", uri=True)) as db:
                equal(db.execute("PRAGMA user_version").fetchone(), (2,), "that was 0.1.1")
        with Tocsin(config, d) as t:
            equal(silences(t), used, "silences")
            alerts = {"A0", "A1", "A2", "A3", "Untold", "S0"} | ({"FromOld"} if OLD else {"A4"})
            equal(names(t), alerts, "alerts")
            until("pushes", lambda: pushed(t) == {"0", "1"})
            down.otherwise = 200
            until("what waited is told", lambda: down.accepted(), 40)
            t.alert(alertname="A0", ends=-1)
            until("an end is told", lambda: ("resolved", "A0") in told(good), 20)
            time.sleep(1.5)
            equal(sorted(told(good)), sorted(before + [("resolved", "A0")]), "nothing is told twice")
            equal(len(down.accepted()), 1, "what waited")
            assert "is damaged" not in t.text(), t.text()


def test_in_use_or_damaged():
    with folder() as d, Sink() as s:
        with Tocsin(simple(s), d) as t:
            silence(t, "S")
            p = subprocess.run([PROGRAM, "storage", "downgrade", t.storage], capture_output=True, text=True)
            assert p.returncode == 1 and "in use by pid" in p.stderr, p.stderr
            t.stop()
        path = os.path.join(d, "data", "state.db")
        with open(path, "r+b") as f:
            body = f.read()
            at = body.index(b"test")
            f.seek(at)
            f.write(b"Test")
        p = subprocess.run([PROGRAM, "storage", "downgrade", os.path.join(d, "data")], capture_output=True, text=True)
        assert p.returncode == 1 and "damaged" in p.stderr and path in p.stderr, p.stderr
        assert not glob.glob(os.path.join(d, "data", "before-*")) and not os.path.exists(os.path.join(d, "data", "restoring"))


main()
