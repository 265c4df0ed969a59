"""The event recorder: Alertmanager's JSON field by field; outputs that hang or are full cost events, and never a page."""
import fcntl, resource

from harness import *

FEATURE = "--enable-feature=event-recorder"


def config(sink, outputs, more=""):
    return (f"route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}\n"
            f"receivers: [{{name: hook, webhook_configs: [{{url: '{sink.url}'}}]}}]\n{more}event_recorder: {outputs}\n")


def events(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [json.loads(line) for line in f.read().split('\n') if line]


def kinds(evs):
    return [k for e in evs for k in e["data"]]


# -- beside Alertmanager --

BOTH = """
route: {receiver: w, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h, routes: [{receiver: w, matchers: ['team="x"', 'env=~"p.*"']}]}
receivers: [{name: w, webhook_configs: [{url: 'http://127.0.0.1:1/unused'}, {url: 'URL'}]}]
inhibit_rules: [{source_matchers: ['alertname="Up"'], target_matchers: ['alertname="Down"'], equal: [zone, cluster]}]
event_recorder: {file_outputs: [{path: EVENTS}]}
"""


def plain(event):
    """Without what is its own in each: times of now, ids."""
    e = json.loads(json.dumps(event))
    silence = [v.get("silence") for v in e["data"].values() if isinstance(v, dict) and "silence" in v]
    for s in silence:
        assert re.fullmatch("[0-9a-f-]{36}", s.pop("id"))
        for k in ("startsAt", "endsAt", "updatedAt"):
            assert re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(\d{3}|\d{6}|\d{9}))?Z", s.pop(k))
    for n in e["data"].values():
        if "flushId" in n:
            assert int(n.pop("flushId")) > 0
        if "groupUuid" in n.get("groupInfo", {}):
            assert re.fullmatch("[0-9a-f-]{36}", n["groupInfo"].pop("groupUuid"))
        n.pop("buildContext", None), n.pop("version", None)
    text = json.dumps(e["data"], sort_keys=True)
    return re.sub(r'"(startsAt|endsAt)": "20(2[6-9]|[3-9]\d)-[^"]*"', r'"\1": "T"', text.replace("2026-01-01T00:00:00.500Z", "START"))


def tell(url):
    """What is posted to both."""
    post = lambda path, body: equal(request("POST", url + "/api/v2" + path, body).status, 200, path) or None
    silence = {"matchers": [{"name": "alertname", "value": "Sil.*", "isRegex": True, "isEqual": True}], "startsAt": stamp(), "endsAt": stamp(600),
               "createdBy": "me", "comment": "c <&>"}
    id = request("POST", url + "/api/v2/silences", silence).json()["silenceID"]
    x = {"labels": {"alertname": "X", "team": "x", "env": "prod"}, "annotations": {"summary": "s <b>&\u2028é", "empty": ""}, "startsAt": "2026-01-01T00:00:00.5Z"}
    post("/alerts", [{"labels": {"alertname": "Up", "zone": "a"}}, {"labels": {"alertname": "Down", "zone": "a"}}, {"labels": {"alertname": "Silly"}}, x])
    time.sleep(1.5)
    post("/silences", {**silence, "id": id, "comment": "d"})
    post("/alerts", [{**x, "endsAt": stamp(-1)}])
    return id


def test_beside_alertmanager():
    program = os.path.join(NEWER, "usr/bin/prometheus-alertmanager")
    if not os.path.exists(program):
        raise Skip("newer peers are missing: ./dev deps, with Debian unstable in reach")
    with folder() as d, Sink() as s:
        os.mkdir(f"{d}/am"), os.mkdir(f"{d}/own")
        text = BOTH.replace("{url: 'http://127.0.0.1:1/unused'}, ", "").replace("URL", s.url)
        port = free_port()
        write(f"{d}/am/am.yml", text.replace("EVENTS", f"{d}/am/events"))
        with Process([program, f"--config.file={d}/am/am.yml", f"--storage.path={d}/am", f"--web.listen-address=127.0.0.1:{port}",
                      "--cluster.listen-address=", FEATURE], cwd=SOURCE) as am, \
             Tocsin(text.replace("EVENTS", "events"), f"{d}/own", FEATURE) as t:
            until("Alertmanager listens", lambda: "Listening on" in am.text(), 20)
            ids = [tell(u) for u in (f"http://127.0.0.1:{port}", t.url)]
            for name in ("am", "own"):
                until(f"{name}: the end is told", lambda: "alertResolved" in kinds(events(f"{d}/{name}/events")), 15)
                until(f"{name}: the silence holds as it is now", lambda: any(e["data"].get("silenceMutedAlert", {}).get("silence", {}).get("comment") == "d"
                                                                            for e in events(f"{d}/{name}/events")), 15)
            for u, id in zip((f"http://127.0.0.1:{port}", t.url), ids):
                equal(request("DELETE", f"{u}/api/v2/silence/{id}").status, 200)
            am.p.terminate(), am.wait()
            t.stop()
        theirs, ours = events(f"{d}/am/events"), events(f"{d}/own/events")
        for e in ours:
            equal(sorted(e), ["@timestamp", "data", "instance"])
            equal(e["instance"], theirs[0]["instance"])
        # Of an alert that ends, Alertmanager says again that it was grouped; a silence and an inhibition are told of at each look.
        seen = [{plain(e) for e in evs if not ("alertGrouped" in e["data"] and e["data"]["alertGrouped"]["alert"]["details"].get("resolved"))}
                for evs in (theirs, ours)]
        equal((sorted(seen[1] - seen[0]), sorted(seen[0] - seen[1])), ([], []), "events of ours alone, of Alertmanager's alone")
        equal(len({k for e in ours for k in e["data"]}), 10, "every type there is")
        equal((kinds(ours)[0], kinds(ours)[-1]), ("alertmanagerStartupEvent", "alertmanagerShutdownEvent"))


# -- files --

def test_a_file_that_is_moved_away():
    with folder() as d, Sink() as s, Tocsin(config(s, "{file_outputs: [{path: log/events}]}"), d, FEATURE, files={}) as t:
        until("it says that it cannot write", lambda: "events cannot be written" in t.text())
        assert t.metric("alertmanager_events_dropped_total") >= 1
    with folder() as d, Sink() as s:
        os.mkdir(f"{d}/log")
        with Tocsin(config(s, "{file_outputs: [{path: log/events}]}"), d, FEATURE) as t:
            t.alert(alertname="A", ends=600)
            until("it is written", lambda: "notification" in kinds(events(f"{d}/log/events")))
            equal(os.stat(f"{d}/log/events").st_mode & 0o777, 0o640)
            os.rename(f"{d}/log/events", f"{d}/log/events.1")
            t.alert(alertname="B", ends=600)
            until("a new one is written", lambda: "notification" in kinds(events(f"{d}/log/events")))
            equal([e["data"]["alertCreated"]["alert"]["name"] for e in events(f"{d}/log/events") if "alertCreated" in e["data"]], ["B"])
            until("its bytes are counted", lambda: t.metric("alertmanager_event_recorder_bytes_written_total") ==
                  sum(os.path.getsize(f"{d}/log/{n}") for n in ("events", "events.1")))
            equal((t.metric("alertmanager_events_recorded_total", event_type="alert_created"), t.metric("alertmanager_events_dropped_total"),
                   t.metric("alertmanager_event_output_drops_total", output=f"{d}/log/events")), (2, 0, 0))


def test_a_disk_that_is_full():
    """Every page goes out; what is written is whole lines."""
    with folder() as d, Sink() as s:
        with Tocsin(config(s, "{file_outputs: [{path: events}]}"), d, FEATURE, restore_signals=False, storage=f"{d}/data") as t:
            until("it has begun", lambda: kinds(events(f"{d}/events")))
            t.alert(alertname="Before", ends=600)
            until("it is told", lambda: s.count() == 1)
            until("the log is there", lambda: "notification" in kinds(events(f"{d}/events")))
            size = os.path.getsize(f"{d}/events")
            _, hard = resource.prlimit(t.p.pid, resource.RLIMIT_FSIZE)
            most = max([size + 100] + [os.path.getsize(os.path.join(b, f)) + (1 << 20) for b, _, fs in os.walk(f"{d}/data") for f in fs])
            with open(f"{d}/events", "a") as f:  # up to what a file may have
                f.write(json.dumps({"data": {"x": "y" * (most - size - 150)}}) + "\n")
            resource.prlimit(t.p.pid, resource.RLIMIT_FSIZE, (most, hard))
            for n in range(20):
                t.alert(alertname=f"A{n}", ends=600)
            until("all are told", lambda: s.count() == 21)
            until("events were dropped", lambda: t.metric("alertmanager_event_output_drops_total", output=f"{d}/events") >= 20)
            equal(t.metric("tocsin_store_degraded"), 0)
            for line in open(f"{d}/events").read().strip().split('\n'):
                json.loads(line)
            resource.prlimit(t.p.pid, resource.RLIMIT_FSIZE, (hard, hard))
            t.alert(alertname="After", ends=600)
            until("events are written again", lambda: any(e["data"].get("alertCreated", {}).get("alert", {}).get("name") == "After" for e in events(f"{d}/events")))


# -- what hangs --

def test_a_standard_output_that_nobody_reads():
    with folder() as d, Sink() as s:
        write(f"{d}/tocsin.yml", config(s, "{stdout_outputs: [{}]}"))
        r, w = os.pipe()
        fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
        port = free_port()
        p = subprocess.Popen([PROGRAM, f"--config.file={d}/tocsin.yml", f"--storage.path={d}/data", f"--web.listen-address=127.0.0.1:{port}", FEATURE],
                             stdout=w, stderr=subprocess.DEVNULL)
        os.close(w)
        try:
            url = f"http://127.0.0.1:{port}"

            def ready():
                try:
                    return request("GET", url + "/-/ready", timeout=1).status == 200
                except OSError:
                    return False
            until("tocsin is ready", ready, 20)
            for n in range(100):
                equal(request("POST", url + "/api/v2/alerts", [{"labels": {"alertname": f"A{n}", "x": "y" * 500}, "endsAt": stamp(600)}]).status, 200)
            until("every page goes out", lambda: s.count() == 100)
            waiting = re.search(r"^alertmanager_event_recorder_queue_length (\d+)", request("GET", url + "/metrics").body.decode(), re.M)
            assert int(waiting.group(1)) > 100, waiting.group(0)
            began = time.monotonic()
            p.terminate()
            equal(p.wait(10), 0)
            assert time.monotonic() - began < 8
        finally:
            p.kill()
            os.close(r)


def test_a_service_that_hangs():
    with folder() as d, Sink() as s, Sink(otherwise=NOTHING) as hangs:
        outputs = f"{{webhook_outputs: [{{url: '{hangs.url}', timeout: 30s}}]}}"
        with Tocsin(config(s, outputs), d, FEATURE) as t:
            for n in range(40):
                t.post("/api/v2/alerts", [{"labels": {"alertname": f"A{n}", "i": str(i)}, "endsAt": stamp(600)} for i in range(20)])
            until("every page goes out", lambda: sum(len(r.json()["alerts"]) for r in s.accepted()) == 800, 20)
            equal(hangs.count(), 4, "workers")
            until("the rest is dropped", lambda: (t.metric("alertmanager_event_output_drops_total", output="webhook:0") or 0) > 100)
            equal(t.metric("alertmanager_event_recorder_queue_length"), 1028)
            began = time.monotonic()
            t.p.terminate()
            equal(t.wait(10), 0)
            assert time.monotonic() - began < 8


# -- services --

def test_batches():
    with folder() as d, Sink() as s, Sink(503, 500) as taker:
        outputs = f"{{webhook_outputs: [{{url: '{taker.url}?key=SECRET', batch: true, batch_max_events: 3, retry_backoff: 50ms, workers: 1}}]}}"
        with Tocsin(config(s, outputs), d, FEATURE) as t:
            for n in range(5):
                t.alert(alertname=f"A{n}", ends=600)
            wanted = 1 + 3 * 5
            got = lambda: [e for r in taker.accepted() for e in r.json()]
            until("all events are taken", lambda: len(got()) == wanted)
            equal(len({json.dumps(e) for e in got()}), wanted, "each once")
            equal(taker.got[0].body, taker.got[2].body, "what was refused twice is asked again")
            assert all(1 <= len(r.json()) <= 3 for r in taker.got) and any(len(r.json()) == 3 for r in taker.got)
            equal(taker.got[0].headers["content-type"], "application/json")
            assert "SECRET" not in t.text() + t.get("/api/v2/status").body.decode() + t.get("/metrics").body.decode()
            equal(t.metric("alertmanager_event_output_drops_total", output="webhook:0"), 0)


def test_reload_and_one_by_one():
    with folder() as d, Sink() as s, Sink(*[500] * 3) as first, Sink() as second:
        url = lambda x: f"{{webhook_outputs: [{{url: '{x.url}', max_retries: 2, retry_backoff: 10ms, workers: 1}}], file_outputs: [{{path: events}}]}}"
        with Tocsin(config(s, url(first)), d, FEATURE) as t:
            t.alert(alertname="A", ends=600)
            until("what is refused twice is dropped", lambda: (t.metric("alertmanager_event_output_drops_total", output="webhook:0") or 0) >= 1)
            until("the rest is posted, one by one", lambda: {"alertGrouped", "notification"} <= {k for r in first.accepted() for k in r.json()["data"]})
            write(t.config_file, config(s, url(second)))
            equal(t.post("/-/reload", b"").status, 200)
            n = first.count()
            t.alert(alertname="B", ends=600)
            until("the new one is told", lambda: "notification" in {k for r in second.accepted() for k in r.json()["data"]})
            equal(first.count(), n)
            until("the file goes on", lambda: kinds(events(f"{d}/events")).count("notification") == 2)
            write(t.config_file, config(s, "{}").replace("event_recorder: {}", ""))
            equal(t.post("/-/reload", b"").status, 200)
            n = len(events(f"{d}/events"))
            t.alert(alertname="C", ends=600)
            until("it is told", lambda: s.count() == 3)
            t.stop()
            equal(len(events(f"{d}/events")), n, "nothing is recorded any more")


# -- its configuration --

def test_words():
    with folder() as d, Sink() as s:
        with Tocsin(config(s, "{file_outputs: [{path: events}]}"), d) as t:
            t.says("no events are recorded without --enable-feature=event-recorder")
            t.alert(alertname="A", ends=600)
            until("it is told", lambda: s.count() == 1)
            assert not os.path.exists(f"{d}/events")
        for outputs, words in (("{kafka_outputs: [{brokers: [b:9092], topic: t}]}", "events do not go to Kafka"),
                               ("{webhook_outputs: [{url: 'http://x/', batch_max_events: 3}]}", 'needs "batch: true"'),
                               ("{webhook_outputs: [{}]}", "url"), ("{file_outputs: [{}]}", "path"), ("{file_outputs: [{pth: x}]}", 'did you mean "path"')):
            p = subprocess.run([PROGRAM, "--config.file=" + write(f"{d}/c.yml", config(s, outputs)), f"--storage.path={d}/x", "--web.listen-address=127.0.0.1:0", FEATURE],
                               capture_output=True, text=True, timeout=20)
            assert p.returncode == 1 and words in p.stderr, (outputs, p.stderr)
        p = subprocess.run([PROGRAM, "lint", write(f"{d}/c.yml", config(s, "{kafka_outputs: [{brokers: [b:9092], topic: t}]}"))], capture_output=True, text=True, timeout=20)
        assert p.returncode == 0 and "events do not go to Kafka" in p.stdout + p.stderr, p


main()
