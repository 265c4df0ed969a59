"""From Debian's Alertmanager to tocsin and back: what was announced is not announced again, silences stay in force."""
import subprocess
from harness import *

CONFIG = """route: {receiver: hook, group_by: [alertname], group_wait: 200ms, group_interval: 1s, repeat_interval: 1h,
  routes: [{match_re: {n: '[0-9]'}, routes: [{match_re: {alertname: 'A[5-9]'}}]}, {matchers: ['n=~"1."']}]}
receivers: [{name: hook, webhook_configs: [{url: '%s'}]}]
"""
GROUPS, SILENCES = 50, 5


def post_all(url, since):
    alerts = [{"labels": {"alertname": f"A{i}", "n": str(i)}, "startsAt": since} for i in range(GROUPS)]
    alerts += [{"labels": {"alertname": f"Silenced{i}", "quiet": str(i)}, "startsAt": since} for i in range(SILENCES)]
    equal(request("POST", url + "/api/v2/alerts", alerts).status, 200)


def silence_all(url, ends):
    for i in range(SILENCES):
        s = {"matchers": [{"name": "quiet", "value": f"{i}|x", "isRegex": True}], "startsAt": stamp(), "endsAt": ends,
             "createdBy": "me", "comment": f"number {i}"}
        equal(request("POST", url + "/api/v2/silences", s).status, 200)


def silences(url):
    got = request("GET", url + "/api/v2/silences").json()
    return sorted((s["id"], s["comment"], s["createdBy"], str(s["matchers"]), s["startsAt"][:19], s["endsAt"][:19])
                  for s in got if s["status"]["state"] == "active")


def run(*args, code=0):
    p = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=30)
    equal(p.returncode, code, p.stdout + p.stderr)
    return p.stdout + p.stderr


def test_there_and_back():
    with folder() as d, Sink() as sink:
        since = stamp(-60)
        with Alertmanager(CONFIG % sink.url, d) as am:
            silence_all(am.url, stamp(3600))
            post_all(am.url, since)
            until("all groups are announced", lambda: len(sink.got) >= GROUPS, 20)
            time.sleep(1.5)
            equal(len(sink.got), GROUPS, "before")
            wanted, port = silences(am.url), am.port
            am.p.terminate()
            am.wait()
        data = os.path.join(d, "data")
        assert f"imported {SILENCES} silences and {GROUPS} entries" in run("import", "alertmanager", d + "/am", "--storage.path=" + data)

        with Tocsin(CONFIG % sink.url, d, storage=data, listen=f"127.0.0.1:{port}") as t:
            equal(silences(t.url), wanted, "silences after the import")
            post_all(t.url, since)
            time.sleep(3.5)
            equal(len(sink.got), GROUPS, "repeats after the import")
            assert "in use by pid" in run("export", "alertmanager", d + "/back", "--storage.path=" + data, code=1)
            t.stop()
        out = run("export", "alertmanager", d + "/back", "--storage.path=" + data)
        assert f"exported {SILENCES} silences and {GROUPS} entries" in out, out

        shutil.rmtree(d + "/am")
        shutil.copytree(d + "/back", d + "/am")
        with Alertmanager(CONFIG % sink.url, d, port) as am:
            equal(silences(am.url), wanted, "silences after the export")
            post_all(am.url, since)
            time.sleep(3.5)
            equal(len(sink.got), GROUPS, "repeats after the export")


def test_shadow():
    """Beside an Alertmanager that delivers: tocsin decides the same, shows it, and sends nothing."""
    with folder() as d, Sink() as real, Sink() as ours, Alertmanager(CONFIG % real.url, d) as am, \
            Tocsin(CONFIG % ours.url, d, "--notify.shadow") as t:
        since, ends = stamp(-60), stamp(3600)
        for url in [am.url, t.url]:
            silence_all(url, ends)
            post_all(url, since)
        until("Alertmanager announces all", lambda: len(real.got) == GROUPS, 20)
        sent = lambda: [h for h in t.get("/api/v2/notifications?limit=1000").json()["history"] if h["verdict"] == "delivered"]
        until("tocsin decided the same", lambda: len(sent()) == GROUPS)
        equal({h["why"] for h in sent()}, {"shadow: not sent"})
        equal(ours.got, [], "what a shadow sent")
        time.sleep(1.2)
        assert "0 differences" in run("compare", "--alertmanager", am.url, "--url", t.url)
        t.post("/api/v2/alerts", [{"labels": {"alertname": "Only"}}])
        until("the difference shows", lambda: subprocess.run(
            [PROGRAM, "compare", "--alertmanager", am.url, "--url", t.url], capture_output=True).returncode == 1)
        out = run("compare", "--alertmanager", am.url, "--url", t.url, code=1)
        assert 'alert {alertname="Only"} for hook in group {alertname="Only"}: active here, not at Alertmanager' in out, out
        run("compare", "--alertmanager", "http://127.0.0.1:1", "--url", t.url, code=3)
        run("compare", code=2)


def test_damaged_files():
    with folder() as d:
        data = d + "/data"
        os.makedirs(d + "/am")
        for name in ["silences", "nflog"]:
            write(d + "/am/" + name, "\x7fgarbage")
            assert f"{name}: " in run("import", "alertmanager", d + "/am", "--storage.path=" + data, code=1)
            os.remove(d + "/am/" + name)
        assert "cannot read" in run("import", "alertmanager", d + "/nowhere", "--storage.path=" + data, code=1)
        assert "neither" in run("import", "alertmanager", d + "/am", "--storage.path=" + data, code=1)
        run("import", "alertmanager", code=2)


main()
