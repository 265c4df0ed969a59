"""A backup is one instant, and whole: what was answered before it began is in it, what was never asked is not; a server that
starts from it tells what it must, and nothing twice but what was on its way. What is wrong with a backup is told before a byte
is written.

BACKUP_ROUNDS=100 for a long run."""
import itertools, random, sqlite3
from harness import *

ROUNDS = int(os.environ.get("BACKUP_ROUNDS", "3"))
CONFIG = """storage: {keep: all}
push: {}
scrape_configs: [{job_name: x, scrape_interval: 200ms, scrape_timeout: 200ms, static_configs: [{targets: ['%s']}]}]
route: {receiver: r, group_by: [alertname], group_wait: 100ms, group_interval: 1s, repeat_interval: 4h}
receivers: [{name: r, webhook_configs: [{url: '%s', send_resolved: false}]}]
"""


def tocsin(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=120)


def done(p):
    assert p.returncode == 0, (p.args, p.returncode, p.stdout, p.stderr)
    return p.stdout


def refused(p, *words):
    assert p.returncode == 1 and all(w in p.stderr for w in words), (p.args, p.returncode, p.stdout, p.stderr, words)


def content(folder):
    """path -> bytes, of all files below."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = f.read()
    return found


class Load:
    """Posts alerts and creates silences until it is ended; knows what was asked, and what was answered."""

    def __init__(self, t):
        self.t, self.asked, self.answered, self.ended = t, set(), set(), False
        self.threads = [threading.Thread(target=self.run, args=(what,)) for what in (self.alert, self.alert, self.silence, self.push)]
        for w in self.threads:
            w.start()

    def run(self, what):
        for i in itertools.count():
            if self.ended:
                return
            name = f"{what.__name__}{threading.get_ident()}x{i}"
            self.asked.add(name)
            if what(name).status // 100 == 2:
                self.answered.add(name)
            time.sleep(0.01)

    def alert(self, name):
        return self.t.post("/api/v2/alerts", [{"labels": {"alertname": name}, "endsAt": stamp(3600)}])

    def silence(self, name):
        return self.t.post("/api/v2/silences", {
            "matchers": [{"name": "alertname", "value": name, "isRegex": False}], "startsAt": stamp(), "endsAt": stamp(3600),
            "createdBy": "test", "comment": name})

    def push(self, name):
        time.sleep(0.05)
        return self.t.post("/metrics/job/" + name, b"pushed 1\n", headers={"Content-Type": "text/plain"})

    def end(self):
        self.ended = True
        for w in self.threads:
            w.join()


def kept(t):
    names = {a["labels"]["alertname"] for a in t.alerts()}
    names |= {s["comment"] for s in t.get("/api/v2/silences").json()}
    groups = until("pushes are back", lambda: [g for g in t.get("/api/v1/targets").json()["data"]["activeTargets"]
                                              if g["labels"]["job"].startswith("push")], 20)
    return names | {g["labels"]["job"] for g in groups}


def told(sink):
    return [a["labels"]["alertname"] for r in list(sink.got) for a in r.json()["alerts"]]


def rows(path, table):
    db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    with contextlib.closing(db):
        return [bytes(k).decode() for k, in db.execute(f"SELECT key FROM {table}")]


def table(path, *names):
    db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    with contextlib.closing(db):
        return next(n for n in names if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [n]).fetchone())


def name_of(key):
    return re.search(r'alertname="([^"]*)"', key).group(1)


def one_round(load, t, d, round, exporter):
    seen = len(load.answered)
    until("there is load", lambda: len(load.answered) > seen + 60 and any(n.startswith("push") for n in load.answered), 20)
    answered = set(load.answered)
    backup, storage = f"{d}/backup{round}", f"{d}/restored{round}"
    done(tocsin("storage", "backup", backup, "--url", t.url))
    asked = set(load.asked)
    done(tocsin("storage", "verify", backup))
    done(tocsin("storage", "restore", backup, storage))
    path = backup + "/state.db"
    log, under_way = set(map(name_of, rows(path, table(path, "told", "nflog")))), set(map(name_of, rows(path, "outbox")))
    with Sink() as sink, Tocsin(CONFIG % (exporter.address, sink.url), d, storage=storage) as r:
        found = kept(r)
        assert answered <= found, f"round {round}: answered before, and not in it: {answered - found}"
        assert found <= asked, f"round {round}: never asked for: {found - asked}"
        alerts = {n for n in found if n.startswith("alert")}
        until("all is told", lambda: alerts - log <= set(told(sink)), 20)
        twice = set(told(sink)) & log - under_way
        assert not twice, f"round {round}: told again: {twice}"
        assert "is damaged" not in r.text() and "level=ERROR" not in r.text(), r.text()
    shutil.rmtree(backup)
    shutil.rmtree(storage)
    return len(found)


def test_under_load():
    with folder() as d, Sink() as s, Exporter() as e:
        e.text("/metrics", "".join(f'm{{i="{i}"}} 1\n' for i in range(200)))
        began = time.monotonic()
        for i in range(ROUNDS):
            if i % 10 == 0:  # what has come together is not what this is about
                t = Tocsin(CONFIG % (e.address, s.url), d, storage=f"{d}/data{i}").__enter__()
                load = Load(t)
            try:
                n = one_round(load, t, d, i, e)
            finally:
                if i % 10 == 9 or i == ROUNDS - 1 or sys.exc_info()[0]:
                    load.end()
                    t.__exit__(*sys.exc_info())
        print(f"{ROUNDS} backups under load restored in {time.monotonic() - began:.0f} s, the last with {n} alerts, silences and pushes")


def test_as_one_is_told():
    """info and verify of a server and of a folder; a server's backup and its folder's are the same rows."""
    with folder() as d, Sink() as s, Exporter() as e:
        e.text("/metrics", "m 1\n")
        with Tocsin(CONFIG % (e.address, s.url), d) as t:
            t.alert(alertname="A", ends=3600)
            t.post("/metrics/job/p", b"pushed 1\n", headers={"Content-Type": "text/plain"})
            until("it is told", lambda: told(s))
            until("it is scraped", lambda: e.requests)
            settle(t, s)
            info = json.loads(done(tocsin("storage", "info", "--url", t.url, "--output=json")))
            equal((info["inUse"], info["degraded"]), (True, False), "of a server")
            sizes = {x["name"]: (x["rows"], x["bytes"]) for x in info["tables"]}
            equal(sizes["silence"][0], 1, "silences")
            assert sizes["silence"][1] > 50 and info["samples"]["oldest"] <= info["samples"]["newest"], info
            assert "state.db" in done(tocsin("storage", "info", "--url", t.url))
            said = done(tocsin("storage", "verify", "--url", t.url))
            assert "silence 1" in said and "in use" not in said, said
            p = tocsin("storage", "info", t.storage)
            assert p.returncode == 0 and "in use" in p.stderr, (p.stdout, p.stderr)
            refused(tocsin("storage", "backup", d + "/b", "--storage.path", t.storage), "in use by pid")
            done(tocsin("storage", "backup", d + "/running/", "--url", t.url))
            until("the copy goes", lambda: not [n for n in os.listdir(t.storage) if "copy" in n])
            refused(tocsin("storage", "backup", d + "/running", "--url", t.url), "is not empty")
            tar = t.post("/api/tocsin/storage/backup", None).body
            write(d + "/tar", "")
            with open(d + "/tar", "wb") as f:
                f.write(tar)
            names = subprocess.run(["tar", "tf", d + "/tar"], capture_output=True, text=True, check=True).stdout.split()
            assert names[-1] == "MANIFEST" and "state.db" in names and "alerts.log" in names, names
            equal(t.post("/api/tocsin/storage/other", None).status, 404)
            t.kill()
        before = content(d + "/data")
        info = json.loads(done(tocsin("storage", "info", d + "/data", "-o", "json")))
        equal((info["inUse"], {x["name"]: x["rows"] for x in info["tables"]}["silence"]), (False, 1), "of a folder")
        done(tocsin("storage", "verify", d + "/data"))
        done(tocsin("storage", "backup", d + "/stopped", "--storage.path", d + "/data"))
        after = content(d + "/data")
        after["lock"] = before["lock"]
        equal(after, before, "the folder is what it was")
        equal([rows(f"{d}/{b}/state.db", "silence") for b in ("running", "stopped")], [rows(d + "/running/state.db", "silence")] * 2)
        for where, folders, names in os.walk(d + "/running"):
            assert not [n for n in names if os.stat(f"{where}/{n}").st_mode & 0o77] and not os.stat(where).st_mode & 0o77, where
        equal([n for n in os.listdir(d) if "partial" in n], [], "what is left over")


def test_scopes():
    with folder() as d, Sink() as s, Exporter() as e:
        tokens = "".join(f"\n    - {{name: {n}, scope: {n}, token: {n}{'x' * 20}}}" for n in ("admin", "read", "silence"))
        with Tocsin(CONFIG % (e.address, s.url) + "web:\n  tokens:" + tokens + "\n", d) as t:
            for name, status in (("admin", 200), ("read", 403), ("silence", 403)):
                r = t.post("/api/tocsin/storage/info", None, headers={"Authorization": f"Bearer {name}{'x' * 20}"})
                equal(r.status, status, name)


def a_backup(d):
    with Sink() as s, Exporter() as e:
        e.text("/metrics", "m 1\n")
        with Tocsin(CONFIG % (e.address, s.url), d) as t:
            t.alert(alertname="A", ends=3600)
            until("it is scraped", lambda: len(e.requests) > 3)
            done(tocsin("storage", "backup", d + "/good", "--url", t.url))
            t.kill()


def signed(lines):
    """A manifest that is right in itself."""
    text = "".join(lines)
    return text + f"end {crc32c(text.encode()):08x}\n"


def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c ^= b
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
    return c ^ 0xFFFFFFFF


def test_hostile():
    """Nothing is written, and it is said what is wrong and where."""
    r = random.Random(7)
    with folder() as d:
        a_backup(d)
        files = [n for n in content(d + "/good") if n != "MANIFEST"]

        def bad(what, change, *words):
            b, f = f"{d}/bad", f"{d}/new"
            shutil.copytree(d + "/good", b, symlinks=True)
            change(b)
            refused(tocsin("storage", "restore", b, f), *words)
            assert not os.path.exists(f), f"{what}: {os.listdir(f)}"
            if os.path.exists(b + "/MANIFEST"):
                equal(tocsin("storage", "verify", b).returncode, 1, what)
            shutil.rmtree(b)

        def flip(name):
            def change(b):
                with open(f"{b}/{name}", "r+b") as f:
                    f.seek(at := r.randrange(os.path.getsize(f"{b}/{name}")))
                    byte = f.read(1)[0]
                    f.seek(at)
                    f.write(bytes([byte ^ 1 << r.randrange(8)]))
            return change

        def manifest(edit):
            def change(b):
                with open(b + "/MANIFEST") as f:
                    lines = f.readlines()[:-1]
                write(b + "/MANIFEST", signed(edit(lines)))
            return change

        for name in [*files, "MANIFEST"]:
            bad("a flip", flip(name), name)
            if os.path.getsize(f"{d}/good/{name}"):
                bad("a cut", lambda b: os.truncate(f"{b}/{name}", os.path.getsize(f"{b}/{name}") - 1), name)
            bad("gone", lambda b: os.remove(f"{b}/{name}"), name)
            bad("a link", lambda b: (os.remove(f"{b}/{name}"), os.symlink(f"{d}/good/{name}", f"{b}/{name}")), name, "link")
        bad("a folder is a link", lambda b: (shutil.rmtree(b + "/samples"), os.symlink(d + "/good/samples", b + "/samples")), "samples")
        bad("a pipe", lambda b: (os.remove(b + "/alerts.log"), os.mkfifo(b + "/alerts.log")), "alerts.log")
        for name in ("../x", "/etc/passwd", "samples/../../x", "pushed/..", "lock", "state.db-wal", "a b", ""):
            bad(name, manifest(lambda lines: lines[:3] + [f"file 00000000 0 {name}\n"] + lines[3:]), "line 4", "not a file")
        bad("huge", manifest(lambda lines: [re.sub(r"^(file \w+) \d+ alerts.log", r"\1 9223372036854775807 alerts.log", x) for x in lines]),
            "alerts.log", "9223372036854775807")
        bad("twice", manifest(lambda lines: lines[:4] + lines[3:]), "line 5", "twice")
        bad("newer", manifest(lambda lines: ["tocsin backup 2\n"] + lines[1:]), "newer program")
        bad("no rows", manifest(lambda lines: [x for x in lines if "state.db" not in x]), "no state.db")
        refused(tocsin("storage", "restore", d + "/nowhere", d + "/new"), "MANIFEST")
        os.makedirs(d + "/new/restoring")
        with Sink() as s:
            write(d + "/t.yml", simple(s))
            p = tocsin("serve", "--config.file=" + d + "/t.yml", "--storage.path=" + d + "/new", "--web.listen-address=127.0.0.1:0")
            assert p.returncode == 1 and "restore was interrupted" in p.stderr, p.stderr
        done(tocsin("storage", "restore", d + "/good", d + "/new"))
        write(d + "/new/mine", "x")
        refused(tocsin("storage", "restore", d + "/good", d + "/new"), "not empty")
        said = done(tocsin("storage", "restore", "--force", d + "/good", d + "/new"))
        aside = re.search(r"what was there is in (\S+)", said).group(1)
        equal(content(aside)["mine"], b"x", "what was there")


class Sends:
    """A server that sends what it is told to."""

    def __init__(self, body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_port

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()


def test_hostile_server():
    import io, tarfile
    with folder() as d:
        a_backup(d)

        def archive(extra=()):
            b = io.BytesIO()
            with tarfile.open(fileobj=b, mode="w", format=tarfile.USTAR_FORMAT) as t:
                for info, data in extra:
                    t.addfile(info, io.BytesIO(data))
                for name, data in sorted(content(d + "/good").items(), key=lambda x: (x[0] == "MANIFEST", x[0])):
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    t.addfile(info, io.BytesIO(data))
            return b.getvalue()

        def entry(name, data=b"", **more):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for k, v in more.items():
                setattr(info, k, v)
            return info, data

        whole = archive()
        r = random.Random(3)
        at = r.randrange(512, len(whole) // 2)
        for body, *words in [
                (b"", "ends early"), (b"x" * 5000, "archive at 0"), (whole[:len(whole) // 2], "early"), (whole[:-10240], "early"),
                (whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:], ""),
                (archive(extra=[entry("../evil", b"x")]), "../evil"), (archive(extra=[entry("/tmp/evil", b"x")]), "/tmp/evil"),
                (archive(extra=[entry("state.db", type=tarfile.SYMTYPE, linkname="/etc/passwd")]), "not a regular file"),
                (archive(extra=[entry("samples", type=tarfile.DIRTYPE)]), "not a regular file"),
                (archive(extra=[entry("alerts.log", b"x")]), "alerts.log")]:
            with Sends(body) as s:
                refused(tocsin("storage", "backup", d + "/to", "--url", s.url), *words)
                equal([n for n in os.listdir(d) if n.startswith("to") and n != "tocsin.yml"], [], "what is left over")
        with Sends(whole) as s:
            done(tocsin("storage", "backup", d + "/to", "--url", s.url))
        equal(content(d + "/to"), content(d + "/good"))


main()
