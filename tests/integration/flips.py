"""Bytes of a storage folder change, and files of it end early: each start comes up or says why not, and what was there and is
not restored is told by the log, the metric and `storage verify`.

The folder is one after a kill (with SQLite's log) or one after a stop in order. What a kill cannot tell from a power cut is the end
of the samples of the last five seconds, which were not synced: there the log and verify speak of a torn end.

FLIP_ROUNDS=500 for a long run, FLIP_SEED for another."""
import random, shutil
from harness import *

ROUNDS, SEED = int(os.environ.get("FLIP_ROUNDS", "20")), int(os.environ.get("FLIP_SEED", "1"))
CONFIG = """storage: {keep: all}
push: {}
scrape_configs: [{job_name: x, scrape_interval: 200ms, scrape_timeout: 200ms, static_configs: [{targets: ['%s']}]}]
route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
receivers: [{name: r, webhook_configs: [{url: '%s', send_resolved: false}]}]
"""
SAMPLES = "/api/v1/query?query=" + urllib.parse.quote("count_over_time({__name__=~'m[0-9]+|pushed'}[30m])")


def kept(t, until):
    """Everything that is shown of what was stored until then: name -> value."""
    found = {}
    for a in t.alerts():
        if not a["labels"]["alertname"].startswith("Tocsin"):
            found["alert " + json.dumps(a["labels"], sort_keys=True)] = json.dumps(a["annotations"], sort_keys=True) + a.get("generatorURL", "")
    for s in t.get("/api/v2/silences").json():
        found["silence " + s["id"]] = s["comment"] + json.dumps(s["matchers"]) + s["startsAt"] + s["endsAt"] + s["createdBy"]
    for g in t.get("/api/v1/targets").json()["data"]["activeTargets"]:
        if g["labels"]["job"] == "pushed":
            found["push " + json.dumps(g["labels"], sort_keys=True)] = ""
    for m in t.get(f"{SAMPLES}&time={until}").json()["data"]["result"]:
        found["sample " + json.dumps(m["metric"], sort_keys=True)] = float(m["value"][1])
    return found


def fill(d, e, sink, name, stop):
    """A folder with something of all kinds in each file."""
    e.requests.clear()
    with Tocsin(CONFIG % (e.address, sink.url), d, storage=name) as t:
        for i in range(30):
            t.alert(alertname=f"A{i}", annotations={"summary": "text " * 20 + str(i)}, ends=7200)
            r = t.post("/api/v2/silences", {"matchers": [{"name": "alertname", "value": f"S{i}", "isRegex": False}], "startsAt": stamp(),
                                            "endsAt": stamp(7200), "createdBy": "test", "comment": "because " * 10 + str(i)})
            equal(r.status, 200, r.body)
            t.post(f"/metrics/job/pushed/instance/{i}", f"pushed {i}\n".encode(), headers={"Content-Type": "text/plain"})
        until("all is told", lambda: len({a["labels"]["alertname"] for r in sink.got for a in r.json()["alerts"]}) >= 30, 20)
        until("a while is scraped", lambda: len(e.requests) > 10, 30)
        settle(t, sink)
        if stop:
            t.stop()
        else:
            until("the samples are synced", lambda: os.path.exists(name + "/samples/noted"), 20)
            synced = time.time()
            t.kill()
    return time.time() if stop else synced


def restored(d, e, storage, ended):
    """What a start shows, and what it says: (kept, damaged_total, log); None of kept: it did not start, and said why."""
    with Sink() as sink:
        e.requests.clear()
        try:
            t = Tocsin(CONFIG % (e.address, sink.url), d, storage=storage)
        except AssertionError as failure:
            code = re.search(r"ended with (-?\d+)", str(failure))
            assert code and code.group(1) == "1", f"it crashed: {failure}"
            return None, 0, str(failure)
        with t:
            until("the log is replayed", lambda: t.metric("tocsin_store_damaged_total") is not None and t.get("/-/ready").status == 200)
            until("samples are looked at", lambda: len(e.requests) > 0, 20)
            found = kept(t, ended)
            damaged = t.metric("tocsin_store_damaged_total")
            t.kill()
            assert not SANITIZER.search(t.text()), t.text()
            return found, damaged, t.text()


def lost(before, now):
    """Names of what was there and is not, or is another now. Samples go on being scraped."""
    return [k for k, v in before.items() if k not in now or (now[k] < v if k.startswith("sample ") else now[k] != v)]


def change(r, folder, file):
    """One or some flips, or a cut; returns what was done."""
    path, size = f"{folder}/{file}", os.path.getsize(f"{folder}/{file}")
    if r.random() < 0.3:
        at = r.randrange(size)
        os.truncate(path, at)
        return f"{file} of {size} bytes cut at {at}", True
    places = sorted(r.randrange(size) for _ in range(r.choice([1, 1, 1, 2, 5])))
    with open(path, "r+b") as f:
        texts = [m.start() for m in re.finditer(b"because ", f.read())]
        if texts and r.random() < 0.3:
            places = [r.choice(texts)]  # in what somebody wrote: no tree is wrong
        for at in places:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 1 << r.randrange(8)]))
    return f"{file} of {size} bytes flipped at {places}", False


def one_round(r, d, e, sources, counts):
    name, ended, before = r.choice(sources)
    folder = f"{d}/now"
    shutil.copytree(f"{d}/{name}", folder)
    files = [os.path.relpath(os.path.join(w, n), folder) for w, _, names in os.walk(folder) for n in names]
    files = sorted(n for n in files if n != "lock" and os.path.getsize(f"{folder}/{n}"))
    kind = r.choice(sorted({n.split("/")[0] for n in files}))
    did, is_cut = change(r, folder, r.choice([n for n in files if n.split("/")[0] == kind]))
    verified = subprocess.run([PROGRAM, "storage", "verify", folder], capture_output=True, text=True, timeout=60)
    assert verified.returncode in (0, 1), (did, verified)
    now, damaged, log = restored(d, e, folder, ended)
    if now is None:
        counts["refused"] += 1
        assert verified.returncode == 1 or "version" in log, f"{did}: it does not start, and verify is content: {log[-1500:]} {verified.stdout}"
        shutil.rmtree(folder)
        return
    gone = lost(before, now)
    if os.environ.get("FLIP_SHOW"):
        print(name, did, "lost", len(gone), gone[:2], "told", damaged, [x.split("msg=")[-1][:200] for x in log.splitlines() if "ERROR" in x or "torn" in x])
    counts["told"] += damaged > 0
    counts["lost"] += bool(gone)
    if gone and not damaged:
        torn = is_cut and "/samples/" in did and name == "killed" and "torn end" in log and "torn end" in verified.stdout
        counts["torn"] += torn
        assert torn, f"{name}: {did}: lost in silence: {gone[:5]} of {len(gone)}\n{verified.stdout}\n{log[-3000:]}"
    if gone and damaged:
        assert "stored state is damaged" in log, f"{did}: {log}"
        assert verified.returncode == 1, f"{did}: verify is content, and {len(gone)} are gone: {gone[:3]}\n{verified.stdout}"
    shutil.rmtree(folder)


def test_flips_and_cuts():
    r = random.Random(SEED)
    with folder() as d, Exporter() as e:
        e.text("/metrics", "".join(f'm{i % 7}{{i="{i}"}} {i}\n' for i in range(60)))
        sources = []
        for name, stop in (("killed", False), ("stopped", True)):
            with Sink() as s:
                ended = fill(d, e, s, f"{d}/{name}", stop)
            shutil.copytree(f"{d}/{name}", f"{d}/seen")
            before, damaged, log = restored(d, e, f"{d}/seen", ended)
            shutil.rmtree(f"{d}/seen")
            equal((damaged, len([k for k in before if k.startswith("alert")]), len([k for k in before if k.startswith("silence")])),
                  (0, 30, 31), name)
            assert [k for k in before if k.startswith("push")] and [k for k in before if k.startswith("sample")], before
            sources.append((name, ended, before))
        counts = dict.fromkeys(("refused", "told", "lost", "torn"), 0)
        for i in range(ROUNDS):
            one_round(r, d, e, sources, counts)
        print(f"{ROUNDS} rounds, seed {SEED}: {counts['lost']} lost something, {counts['told']} told of damage, {counts['torn']} ended "
              f"early as after a power cut, {counts['refused']} were not started with")


main()
