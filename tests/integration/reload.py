"""A new configuration is taken or refused as a whole, by signal and by HTTP."""
import contextlib, re, signal, subprocess
from harness import *


def raised(t, name="TocsinReloadFailed"):
    return any(a["labels"]["alertname"] == name for a in t.alerts())


def config(sink, wait="0s", more=""):
    return simple(sink, group_wait=wait, more=more)


BAD = "route: {receiver: nobody, group_wait: soon}\nreceivers: [{nam: r}]\n"


def test_by_http():
    with folder() as d, Sink() as old, Sink() as new, Tocsin(config(old), d) as t:
        before = t.metric("alertmanager_config_hash")
        write(t.config_file, BAD)
        r = t.post("/-/reload", b"")
        equal(r.status, 500, r.body)
        for what in (b"soon", b"nam", b"tocsin.yml:1", b"tocsin.yml:2"):
            assert what in r.body, (what, r.body)
        equal(t.metric("alertmanager_config_last_reload_successful"), 0)
        equal(t.metric("alertmanager_config_hash"), before)
        assert "hook" in t.get("/api/v2/status").json()["config"]["original"]
        until("TocsinReloadFailed", lambda: raised(t))
        until("told through the old configuration", lambda: any(
            a["labels"]["alertname"] == "TocsinReloadFailed" for r in old.got for a in r.json()["alerts"]))

        write(t.config_file, config(new))
        equal(t.post("/-/reload", b"").status, 200)
        equal(t.metric("alertmanager_config_last_reload_successful"), 1)
        assert t.metric("alertmanager_config_hash") != before
        until("cleared", lambda: not raised(t))
        t.alert(alertname="A")
        until("the new receiver is used", lambda: any(
            a["labels"]["alertname"] == "A" for r in new.got for a in r.json()["alerts"]))
        assert not any(a["labels"]["alertname"] == "A" for r in old.got for a in r.json()["alerts"])


def test_by_signal():
    with folder() as d, Sink() as s, Tocsin(config(s), d) as t:
        write(t.config_file, BAD)
        t.p.send_signal(signal.SIGHUP)
        until("TocsinReloadFailed", lambda: raised(t))
        equal(t.metric("alertmanager_config_last_reload_successful"), 0)
        write(t.config_file, config(s))
        t.p.send_signal(signal.SIGHUP)
        until("cleared", lambda: not raised(t))
        equal(t.metric("alertmanager_config_last_reload_successful"), 1)


EMPTY = ["", "# only a comment\n", "{}\n", "global:\n", "global: {}\n", "---\n", "null\n", "route:\nreceivers: []\n"]
NO_ROUTE = "global: {resolve_timeout: 5m}\n"


def test_an_empty_file_is_refused():
    """At a reload the old configuration stays, and goes on telling; at a start it is an error."""
    with folder() as d, Sink() as s, Tocsin(config(s), d) as t:
        for n, text in enumerate(EMPTY):
            write(t.config_file, text)
            for path in ("/-/reload", "/-/reload?allow_no_route=1", "/-/reload?dry_run=1"):
                r = t.post(path, b"")
                equal(r.status, 500, f"{text!r} {path}: {r.body!r}")
                assert b"says nothing" in r.body or text.startswith("route"), r.body
            t.alert(alertname=f"A{n}")
        until("all are told", lambda: {f"A{n}" for n in range(len(EMPTY))} <= {
            a["labels"]["alertname"] for g in s.got for a in g.json()["alerts"]}, 20)
        for text in EMPTY:
            write(d + "/empty.yml", text)
            p = subprocess.run([PROGRAM, f"--config.file={d}/empty.yml", f"--storage.path={d}/other", "--web.listen-address=127.0.0.1:0"],
                               capture_output=True, text=True, timeout=20)
            equal(p.returncode, 1, f"{text!r}: {p.stderr}")


def test_a_second_file_that_is_empty():
    with folder() as d, Sink() as s:
        write(d + "/more.yml", "silences: {max_duration: 1h}\n")
        with Tocsin(config(s), d, f"--config.file={d}/more.yml") as t:
            write(d + "/more.yml", "# nothing left\n")
            r = t.post("/-/reload", b"")
            equal(r.status, 500, r.body)
            assert b"more.yml:1" in r.body, r.body


def test_the_route_is_not_taken_away():
    """By mistake. Whoever means it says so: for one reload, or for all."""
    with folder() as d, Sink() as s, Tocsin(config(s), d) as t:
        write(t.config_file, NO_ROUTE)
        for path in ("/-/reload", "/-/reload?dry_run=1"):
            r = t.post(path, b"")
            equal(r.status, 500, r.body)
            assert b"told to nobody" in r.body and b"--allow-no-route" in r.body, r.body
        t.p.send_signal(signal.SIGHUP)
        until("told why", lambda: any("told to nobody" in a["annotations"].get("description", "") for a in t.alerts()
                                      if a["labels"]["alertname"] == "TocsinReloadFailed"))
        t.alert(alertname="A")
        until("told", lambda: any(a["labels"]["alertname"] == "A" for g in s.got for a in g.json()["alerts"]))
        p = subprocess.run([PROGRAM, "reload", "--url=" + t.url, "--allow-no-route"], capture_output=True, text=True)
        equal(p.returncode, 0, p.stdout + p.stderr)
        equal(t.post("/-/reload", b"").status, 200, "there is none to be taken away")
    with folder() as d, Sink() as s, Tocsin(config(s), d, "--allow-no-route") as t:
        write(t.config_file, NO_ROUTE)
        equal(t.post("/-/reload", b"").status, 200)


def test_empty_rule_files_are_valid():
    with folder() as d, Sink() as s, Tocsin(config(s, more="rule_files: [r.yml]\n") , d, files={"r.yml": "groups: []\n"}) as t:
        for text in ("", "# none\n", "groups:\n", "{}\n"):
            write(d + "/r.yml", text)
            equal(t.post("/-/reload", b"").status, 200, repr(text))
            p = subprocess.run([PROGRAM, "lint", "--as", "rules", d + "/r.yml"], capture_output=True, text=True)
            equal(p.returncode, 0, repr(text) + p.stdout + p.stderr)
            assert "no groups" in p.stdout + p.stderr, (text, p.stdout, p.stderr)


def test_groups_and_log_survive():
    with folder() as d, Sink() as s, Tocsin(config(s), d) as t:
        t.alert(alertname="A")
        until("told", s.accepted)
        for _ in range(3):
            equal(t.post("/-/reload", b"").status, 200)
        time.sleep(2.5)
        equal(s.count(), 1, "requests")
        equal(len(t.alerts()), 1)


def test_delivery_under_way():
    with folder() as d, Sink(NOTHING) as s, Sink() as other, Tocsin(config(s), d) as t:
        t.alert(alertname="A")
        until("the request is out", s.count)
        write(t.config_file, config(other).replace("receiver: hook", "receiver: renamed").replace("name: hook", "name: renamed"))
        equal(t.post("/-/reload", b"").status, 200)
        until("the new receiver is told", other.accepted)


def test_what_removed_groups_recorded_ends():
    """As in Prometheus, though at once and not two intervals later; a group of another name goes on with the series."""
    def names():
        r = t.get("/api/v1/query?query=" + urllib.parse.quote('{__name__=~"gone|stays|lasts"}')).json()
        return {x["metric"]["__name__"] for x in r["data"]["result"]}

    rules = "groups:\n- {name: g, interval: 1s, rules: [{record: gone, expr: vector(1)}]}\n" \
            "- {name: old, interval: 1s, rules: [{record: stays, expr: vector(2)}]}\n" \
            "- {name: same, interval: 1s, rules: [{record: lasts, expr: vector(3)}]}\n"
    with folder() as d, Tocsin("rule_files: [r.yml]\n", d, files={"r.yml": rules}) as t:
        until("all record", lambda: names() == {"gone", "stays", "lasts"})
        write(os.path.join(d, "r.yml"), re.sub("- {name: g,.*\n", "", rules).replace("name: old", "name: new"))
        equal(t.post("/-/reload", b"").status, 200)
        until("the removed group's series has ended", lambda: "gone" not in names(), 5)
        until("the renamed group records", lambda: names() == {"stays", "lasts"}, 5)
        assert "was not stored" not in t.text(), t.text()
        t.stop()


def many_rules(text, n=4000):
    out = ["groups:"]
    for i in range(n):
        if i % 400 == 0:
            out += [f"  - name: g{i}", "    interval: 1s" if i == 0 else "    interval: 1h", "    rules:"]
        out.append("      - {alert: A%d, expr: 'vector(%d) > 0', for: 1h, annotations: {text: %s}}" % (i, i % 400 == 7, text))
    return "\n".join(out) + "\n"


def test_the_loop_goes_on_meanwhile():
    """Thousands of rules are read and made on a worker; everybody who asked is answered; what was pending goes on."""
    def active():
        return {(a["labels"]["alertname"], a["activeAt"], a["annotations"]["text"])
                for a in t.get("/api/v1/alerts").json()["data"]["alerts"]}

    def ask(path):
        answers.append((path, t.post(path, b"", timeout=60).status, time.monotonic()))

    def leave():
        with contextlib.suppress(OSError):
            t.post("/-/reload", b"")

    answers, answered_meanwhile = [], float("inf")
    with folder() as d, Tocsin("rule_files: [rules.yml]\n", d, files={"rules.yml": many_rules("old")}) as t:
        before = until("it is pending", active)
        write(os.path.join(d, "rules.yml"), many_rules("new"))
        asking = [threading.Thread(target=ask, args=(p,)) for p in ["/-/reload"] * 3 + ["/-/reload?dry_run=true"] * 2]
        for a in asking:
            a.start()
        with contextlib.suppress(OSError):
            t.post("/-/reload", b"", timeout=0.01)  # a client that does not wait
        t.p.send_signal(signal.SIGHUP)
        while not answers:
            equal(t.get("/-/healthy").status, 200)
            healthy = time.monotonic()
            if not answers:
                answered_meanwhile = healthy
        assert answered_meanwhile < answers[0][2], "the loop stood until the reload was done"
        for a in asking:
            a.join()
        equal(sorted((p, s) for p, s, _ in answers), sorted([("/-/reload", 200)] * 3 + [("/-/reload?dry_run=true", 200)] * 2))
        after = until("the new annotation", lambda: {x for x in active() if x[2] == "new"})
        equal({x[:2] for x in after}, {x[:2] for x in before}, "pending since")
        write(os.path.join(d, "rules.yml"), many_rules("new", 400))
        equal(t.post("/-/reload", b"", timeout=60).status, 200)
        equal(len(t.get("/api/v1/rules").json()["data"]["groups"]), 1)
        write(os.path.join(d, "rules.yml"), many_rules("last"))
        threading.Thread(target=leave, daemon=True).start()
        time.sleep(0.02)
        t.stop()  # in the middle of a reading: nothing leaks, nothing hangs


main()
