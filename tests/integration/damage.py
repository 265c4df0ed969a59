"""What was stored and cannot be read is told, and what is sound behind it is read: samples, pushes, rows, the alert log. A
storage folder that is removed or replaced while it is in use is noticed, and pages go out all the same."""
import glob, sqlite3, subprocess

from harness import *

OWN = """storage: {keep: all}
push: {}
scrape_configs: [{job_name: x, scrape_interval: 200ms, scrape_timeout: 200ms, static_configs: [{targets: ['%s']}]}]
route: {receiver: r, group_by: [alertname, state], group_wait: 0s, group_interval: 1s}
receivers: [{name: r, webhook_configs: [{url: '%s'}]}]
"""


def told(sink, state):
    return [a for r in sink.got for a in r.json()["alerts"] if a["labels"].get("alertname") == "TocsinStoreDegraded"
            and a["labels"].get("state") == state]


def flip(path, share):
    with open(path, "r+b") as f:
        at = int(os.path.getsize(path) * share)
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x55]))


def verify(folder):
    p = subprocess.run([PROGRAM, "storage", "verify", folder], capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout


def test_samples_and_pushes():
    with folder() as d, Sink() as s, Exporter() as e:
        e.text("/metrics", "".join(f'm{{i="{i}"}} 1\n' for i in range(500)))
        config = OWN % (e.address, s.url)
        with Tocsin(config, d) as t:
            equal(t.post("/metrics/job/p", b"pushed 1\n", headers={"Content-Type": "text/plain"}).status // 100, 2)
            until("a while is scraped", lambda: len(e.requests) > 60, 40)
            time.sleep(6)  # it is in the log
            code, said = verify(t.storage)
            assert code == 0 and "state.db: in use" in said, said
            t.stop()
        code, said = verify(os.path.join(d, "data"))
        assert code == 0 and re.search(r"state.db: version 3, silence 0, .* sound", said), said
        segments = sorted(glob.glob(os.path.join(d, "data", "**", "samples-*.log"), recursive=True))
        big = max(segments, key=os.path.getsize)
        flip(big, 0.5)
        with contextlib.closing(sqlite3.connect(os.path.join(d, "data", "state.db"))) as db, db:
            equal(db.execute("UPDATE push SET body = substr(body, 1, length(body) - 3)").rowcount, 1, "rows of pushes")
        before = os.path.getsize(big)
        code, said = verify(os.path.join(d, "data"))
        equal((code, said.count("damaged at"), said.count("1 rows of push damaged")), (1, 1, 1), said)
        with Tocsin(config, d) as t:
            until("damage is told", lambda: told(s, "samples") and told(s, "alerts and rows"), 20)
            why = told(s, "alerts and rows")[0]["annotations"]["description"]
            assert "1 rows of table 'push'" in why and glob.glob(t.storage + "/state.db.damaged-*"), why
            assert t.metric("tocsin_store_damaged_total") == 2, t.get("/metrics").body
            why = told(s, "samples")[0]["annotations"]["description"]
            lost = int(why.split(": ")[1].split(" ")[0])
            assert 0 < lost < before / 4, why  # one record of many
            assert os.path.exists(big + ".damaged"), why
            r = t.get("/api/v1/query?query=" + urllib.parse.quote("count_over_time(m{i='7'}[5m])")).json()
            n = int(r["data"]["result"][0]["value"][1])
            assert n > 40, f"{n} samples of 60: what is behind the damage is read"
            t.stop()


def goes(d, sink):
    """Under the sandbox a new folder cannot be made: the store stays degraded, and says so."""
    with Tocsin(simple(sink), d) as t:
        t.alert(alertname="Before")
        until("it is stored", lambda: len(t.alerts()) == 1)
        shutil.rmtree(t.storage)
        until("it is noticed", lambda: any("TocsinStoreDegraded" in str(r.body) for r in sink.got), 60)
        r = t.post("/api/v2/alerts", [{"labels": {"alertname": "After"}}])
        assert r.status == 503 and b"in memory" in r.body, (r.status, r.body)
        until("pages go out", lambda: any('"After"' in r.body.decode() for r in sink.got), 20)
        equal(t.metric("tocsin_store_degraded"), 1)


def comes_back(d, sink):
    """Without it all is written anew."""
    with Tocsin(simple(sink), d, "--sandbox=off") as t:
        t.alert(alertname="Before")
        until("it is stored", lambda: len(t.alerts()) == 1)
        shutil.rmtree(t.storage)
        until("it is noticed", lambda: any("TocsinStoreDegraded" in str(r.body) for r in sink.got), 60)
        until("it is written anew", lambda: t.metric("tocsin_store_degraded") == 0, 30)
        t.alert(alertname="After")
        until("it is told", lambda: any('"After"' in r.body.decode() for r in sink.got))
        t.kill()
    with Tocsin(simple(sink), d, "--sandbox=off") as t:
        assert {"Before", "After"} <= {a["labels"]["alertname"] for a in t.alerts()}, t.alerts()


def is_replaced(d, sink):
    """Somebody restores a backup under a running program: neither is lost."""
    with Tocsin(simple(sink), d, "--sandbox=off") as t:
        os.rename(t.storage, t.storage + ".moved")
        shutil.copytree(t.storage + ".moved", t.storage)
        t.alert(alertname="Now")
        until("it is noticed", lambda: t.metric("tocsin_store_degraded") == 1, 60)
        until("it is written anew", lambda: t.metric("tocsin_store_degraded") == 0, 30)
        assert glob.glob(os.path.join(t.storage, "state.db.replaced-*")), os.listdir(t.storage)
        t.kill()
    with Tocsin(simple(sink), d, "--sandbox=off") as t:
        assert "Now" in {a["labels"]["alertname"] for a in t.alerts()}


def test_the_folder_goes():
    """Three ways at once: it takes half a minute to be noticed."""
    failures = []

    def play(what):
        try:
            with folder() as d, Sink() as s:
                what(d, s)
        except BaseException:
            failures.append(f"{what.__name__}: {traceback.format_exc()}")

    players = [threading.Thread(target=play, args=(what,)) for what in (goes, comes_back, is_replaced)]
    for p in players:
        p.start()
    for p in players:
        p.join()
    assert not failures, "\n".join(failures)


if __name__ == "__main__":
    main()
