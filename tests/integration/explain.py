"""explain and notification list against a live server: words and JSON, restarts, and silence and receiver views."""
import datetime, json, subprocess
from harness import *

CONFIG = """route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 500ms
  routes:
    - {receiver: oncall, matchers: ['severity="critical"'], continue: true, group_interval: 1m}
    - {receiver: gpu, matchers: ['team=~"gpu|llm"']}
receivers:
  - {name: nobody}
  - {name: oncall, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}
  - {name: gpu, webhook_configs: [{url: '%s'}]}
"""


def tocsin(t, *args, code=0):
    p = subprocess.run([PROGRAM, *args, "--url=" + t.url], capture_output=True, text=True, timeout=20)
    equal(p.returncode, code, f"tocsin {' '.join(args)}: {p.stdout}{p.stderr}")
    return p.stdout


def one(t, **params):
    got = t.get("/api/v2/explain?" + urllib.parse.urlencode(params, doseq=True))
    equal(got.status, 200, got.body)
    return got.json()["alerts"][0]


def verdicts(x):
    return {(r["receiver"], i["integration"]): i["verdict"] for r in x["routes"] for i in r["integrations"]}


def test_explain():
    with folder() as d, Sink() as sink, contextlib.ExitStack() as stack:
        t = stack.enter_context(Tocsin(CONFIG % sink.url, d))
        tocsin(t, "alert", "add", "Slow", "severity=critical", "team=gpu")
        until("the gpu team is told", lambda: sink.got)
        until("the log knows", lambda: verdicts(one(t, filter='alertname="Slow"'))[("gpu", "webhook")] == "told")
        x = one(t, filter=['alertname="Slow"'])
        equal(verdicts(x), {("oncall", "webhook"): verdicts(x)[("oncall", "webhook")], ("gpu", "webhook"): "told"})
        assert verdicts(x)[("oncall", "webhook")] in ("retrying", "sending"), x
        equal([(p["receiver"], p["verdict"]) for p in x["path"]],
              [("nobody", "passes"), ("oncall", "takes"), ("gpu", "takes")])
        assert one(t, fingerprint=x["fingerprint"])["labels"] == x["labels"]
        told = [h for h in x["history"] if h["verdict"] == "delivered"]
        equal([(h["receiver"], h["status"], h["attempt"]) for h in told], [("gpu", 200, 1)])

        text = tocsin(t, "explain", "alert", "Slow")
        assert "fires" not in text and "{alertname=\"Slow\"" in text and "attempts failed" in text, text
        assert "repeat interval elapsed" in text, text

        r = t.get("/api/v2/explain?of_receiver=oncall").json()
        assert r["lastSuccess"] is None and "cannot reach" in r["lastError"] and r["queued"] == 1, r
        assert "never since the start" in tocsin(t, "explain", "receiver", "oncall")

        id = tocsin(t, "silence", "add", "--comment", "known", "team=gpu").strip()
        until("what waits for the other receiver is taken back",
              lambda: t.get("/api/v2/explain?of_receiver=oncall").json()["queued"] == 0)
        x = one(t, filter="alertname=Slow")
        equal(verdicts(x)[("oncall", "webhook")], "silenced")
        equal(verdicts(x)[("gpu", "webhook")], "silenced")
        equal([s["id"] for s in x["silencedBy"]], [id])
        until("the flush records it", lambda: [h for h in one(t, filter="alertname=Slow")["history"]
                                               if h["verdict"] == "silenced" and h["by"] == [id]])
        s = t.get("/api/v2/explain?silence=" + id).json()
        equal((s["matching"], s["silence"]["comment"]), (1, "known"))
        assert s["history"] and all(id in h["by"] for h in s["history"]), s
        assert "matches 1 alerts" in tocsin(t, "explain", "silence", id)

        would = one(t, label=["severity=warning", "team=web"])
        equal((would["state"], [p.get("failed") for p in would["path"]]),
              ("unknown", [None, 'severity="critical"', 'team=~"gpu|llm"']))
        assert "fails at team=~" in tocsin(t, "explain", "route", "team=web")

        sent = json.loads(tocsin(t, "notification", "list", "-o", "json", "--receiver", "gpu"))["history"]
        equal([h["verdict"] for h in sent], ["delivered", "notify"])
        t.stop()
        t = stack.enter_context(Tocsin(CONFIG % sink.url, d))
        again = t.get("/api/v2/notifications?receiver=gpu").json()["history"]
        equal(again[-2:], sent, "the journal after a restart")


def waits(t, name):
    """(what for, whether a time is known, the words) of the first integration of an alert."""
    i = one(t, filter=f'alertname="{name}"')["routes"][0]["integrations"][0]
    return i.get("waitsFor"), i.get("waitsUntil") is not None, i["text"]


def test_what_a_message_waits_for():
    config = """route: {receiver: paced, group_by: [alertname], group_wait: 0s, group_interval: 1m, routes: [
  {receiver: asked, matchers: [to=asked]}, {receiver: failing, matchers: [to=failing]}, {receiver: silent, matchers: [to=silent]}]}
receivers:
- {name: paced, webhook_configs: [{url: '%(paced)s/', pace: [{messages: 2, per: 1h}]}]}
- {name: asked, webhook_configs: [{url: '%(asked)s/'}]}
- {name: failing, webhook_configs: [{url: '%(failing)s/'}]}
- {name: silent, webhook_configs: [{url: '%(silent)s/'}]}
"""
    with folder() as d, contextlib.ExitStack() as stack:
        sinks = {name: stack.enter_context(Sink()) for name in ("paced", "asked", "failing", "silent")}
        sinks["asked"].script = [(429, {"Retry-After": "200"})]
        sinks["failing"].script = [500] * 100
        sinks["silent"].script = [NOTHING] * 100
        t = stack.enter_context(Tocsin(config % {n: s.url for n, s in sinks.items()}, d))
        for to, names in (("paced", ["A", "B"]), ("asked", ["C"]), ("failing", ["D"]), ("silent", ["E"])):
            for name in names:
                t.alert(alertname=name, to=to)
            until(f"the sink {to} is asked", lambda: sinks[to].count())
        t.alert(alertname="F", to="asked")
        until("B waits for its pace", lambda: waits(t, "B")[0] == "pace")
        equal(waits(t, "B")[1], True)
        assert "takes no more until 20" in waits(t, "B")[2], waits(t, "B")
        until("F is left alone", lambda: waits(t, "F")[0] == "asked")
        assert waits(t, "F")[1] and "asked to be left alone until 20" in waits(t, "F")[2], waits(t, "F")
        until("D waits for its next attempt", lambda: waits(t, "D")[0] == "attempt")
        until("it says when", lambda: "attempts failed" in waits(t, "D")[2] and "tried again 20" in waits(t, "D")[2])
        equal(waits(t, "E"), (None, False, waits(t, "E")[2]))
        assert waits(t, "E")[2].startswith("being sent"), waits(t, "E")


def test_the_reason_outlives_a_restart():
    """Why an attempt failed lies with what waits: a kill later it is still what is said and counted."""
    config = CONFIG.replace("{name: nobody}", "{name: nobody, webhook_configs: [{url: '%s', send_resolved: false}]}")
    with folder() as d, Sink(otherwise=(429, {"Retry-After": "200"})) as sink:
        config = config % (sink.url, "http://127.0.0.1:1")
        with Tocsin(config, d) as t:
            tocsin(t, "alert", "add", "Slow")
            until("it waits", lambda: t.metric("alertmanager_notification_requests_failed_total", integration="webhook"))
            tocsin(t, "silence", "add", "--comment", "answered when all before it is written", "alertname=Other")
            said = tocsin(t, "explain", "alert", "Slow")
            assert "1 attempts failed: unexpected status code 429" in said, said
            t.kill()
        with Tocsin(config, d) as t:
            said = tocsin(t, "explain", "alert", "Slow")
            assert "1 attempts failed: unexpected status code 429" in said, said
            tocsin(t, "silence", "add", "--comment", "enough", "alertname=Slow")
            until("what waited is given up", lambda: t.metric("alertmanager_notifications_failed_total", integration="webhook", reason="rateLimited"))
            equal(t.metric("alertmanager_notifications_failed_total", integration="webhook", reason="contextDeadlineExceeded"), 0)


def test_times_are_those_of_the_terminal():
    """In words: the zone of who asks, whatever the server's; in JSON: UTC."""
    with folder() as d, Sink() as sink, Tocsin(CONFIG % sink.url, d, env={**os.environ, "TZ": "America/New_York"}) as t:
        tocsin(t, "alert", "add", "Slow", "severity=critical", "team=gpu")
        until("it is told", lambda: sink.got)
        id = tocsin(t, "silence", "add", "--comment", "at 2020-01-01T00:00:00Z", "alertname=Slow").strip()
        until("it is recorded", lambda: t.get("/api/v2/notifications").json()["history"])
        for what in (("explain", "alert", "Slow"), ("explain", "silence", id), ("explain", "receiver", "oncall"), ("notification", "list")):
            for zone, offset in (("Asia/Shanghai", "+08:00"), ("Asia/Kathmandu", "+05:45"), ("UTC", "+00:00"), ("America/St_Johns", "-03:30|-02:30")):
                said = subprocess.run([PROGRAM, *what, "--url=" + t.url], capture_output=True, text=True, timeout=20,
                                      env={**os.environ, "TZ": zone}).stdout
                times = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", said.replace("at 2020-01-01T00:00:00Z", ""))
                assert times or what[1] == "receiver", (what, said)
                for time_ in times:
                    assert time_[19:] in offset.split("|"), (what, zone, time_)
                    moment = datetime.datetime.fromisoformat(time_).timestamp()
                    assert abs(moment - time.time()) < 5 * 3600, (zone, time_)
        assert "at 2020-01-01T00:00:00Z" in tocsin(t, "explain", "silence", id), "others' words stay as they are"
        for bad in ("", "x", "CET-1CEST", "Z" * 5000):
            said = t.get("/api/v2/explain?format=text&filter=alertname%3DSlow&zone=" + bad).body.decode()
            assert re.search(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(", said) or bad == "CET-1CEST", said
        assert one(t, filter="alertname=Slow")["startsAt"].endswith("Z")


def test_muted_is_said_before_a_flush_finds_it():
    config = CONFIG % "http://127.0.0.1:1" + """time_intervals:
  - {name: always, time_intervals: [{times: [{start_time: '00:00', end_time: '24:00'}]}]}
"""
    config = config.replace("group_interval: 1m}", "group_wait: 1h, mute_time_intervals: [always]}")
    with folder() as d, Tocsin(config, d) as t:
        tocsin(t, "alert", "add", "Slow", "severity=critical", "team=gpu")
        states = {g["receiver"]["name"]: g["alerts"][0]["status"] for g in t.get("/api/v2/alerts/groups").json()}
        equal((states["oncall"]["state"], states["oncall"]["mutedBy"]), ("suppressed", ["always"]))
        equal((states["gpu"]["state"], states["gpu"]["mutedBy"]), ("active", []))
        equal([g["receiver"]["name"] for g in t.get("/api/v2/alerts/groups?muted=false").json()], ["gpu"])
        equal([g["receiver"]["name"] for g in t.get("/api/v2/alerts/groups?active=false").json()], [], "kept back by an interval alone is active for this, as there")
        # of an alert, whatever the group
        equal([a["status"]["state"] for a in t.get("/api/v2/alerts").json()], ["active"])
        for alert in (t.get("/api/tocsin/overview").json()["alerts"][0], one(t, filter="alertname=Slow")):
            equal({r["receiver"]: r["mutedBy"] for r in alert["routes"]}, {"oncall": ["always"], "gpu": []})


def test_bad_questions():
    with folder() as d, Tocsin(CONFIG % "http://127.0.0.1:1/", d) as t:
        for query, status in [("filter=a", 400), ("filter=%3D", 400), ("label=x", 400), ("label=a=1&label=a=2", 400),
                              ("silence=no", 404), ("of_receiver=no", 404), ("fingerprint=zz", 200),
                              ("fingerprint=0123456789abcdeg", 200), ("limit=x", 200), ("limit=99999999999999999999", 200),
                              ("&".join("label=l%d=v" % i for i in range(200)), 400)]:
            equal(t.get("/api/v2/explain?" + query).status, status, query)
        equal(t.get("/api/v2/notifications?since=yesterday").status, 400)
        tocsin(t, "explain", "silence", "no", code=1)
        tocsin(t, "explain", "alert", code=2)


def longest_beside(t, path):
    """Seconds that an answer took, the longest of the small ones beside it, and the answer."""
    got, longest = [], 0.0

    def ask():
        began = time.monotonic()
        r = t.get(path, timeout=120)
        got.append((time.monotonic() - began, r))

    asker = threading.Thread(target=ask)
    asker.start()
    while asker.is_alive():
        began = time.monotonic()
        t.get("/-/healthy", timeout=120)
        longest = max(longest, time.monotonic() - began)
    equal(got[0][1].status, 200, path)
    return got[0][0], longest, got[0][1]


def test_all_alerts_are_explained_beside_others():
    """Fifty of them, some in a turn; what goes between two turns is left out."""
    def batch(at, **more):
        return [{"labels": {"alertname": "A%d" % (i % 20), "host": "h%d" % i}, **more} for i in range(at, at + 10000)]

    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        for at in range(0, 40000, 10000):
            equal(t.post("/api/v2/alerts", batch(at), timeout=60).status, 200)
        ratios = []
        for _ in range(3):
            took, longest, r = longest_beside(t, "/api/v2/explain")
            equal(len(r.json()["alerts"]), 50)
            ratios.append(longest / took)
        print("longest of the others, as a part of the whole: " + ", ".join("%.2f" % x for x in ratios))
        assert min(ratios) < 0.6, ratios
        silence = {"matchers": [{"name": "alertname", "value": "A.*", "isRegex": True}], "startsAt": stamp(), "endsAt": stamp(600),
                   "createdBy": "me", "comment": "all"}
        id = t.post("/api/v2/silences", silence).json()["silenceID"]
        r = t.get("/api/v2/explain?silence=" + id).json()
        equal((r["matching"], len(r["alerts"]), r["silence"]["id"]), (40000, 10000, id))
        assert "39950 more alerts match" in t.get("/api/v2/explain?format=text", timeout=60).body.decode()
        equal(t.metric("alertmanager_alerts", state="suppressed"), 40000)
        asker = threading.Thread(target=lambda: t.get("/api/v2/explain?format=text", timeout=60))
        asker.start()
        equal(t.post("/api/v2/alerts", batch(0, endsAt=stamp(-1)), timeout=60).status, 200)
        equal(request("DELETE", t.url + "/api/v2/silence/" + id).status, 200)
        asker.join()
        equal(t.metric("alertmanager_alerts", state="active"), 30000)
        t.stop()


main()
