"""The DingTalk bridge's place: an Alertmanager in front of it, DingTalk's robot (contrib/fakes) behind it."""
import resource

from harness import *

FAKE = os.path.join(SOURCE, "contrib/fakes/dingtalk.py")


class Robot(Process):
    """The fake of DingTalk: prints what it takes, a line each, and what it refuses."""

    def __init__(self, *flags):
        super().__init__([sys.executable, "-B", FAKE, "--port", "0", "--secret", "SECabc", *flags])
        self.url = until("the robot listens", lambda: self.log and self.log[0].strip())

    def taken(self):
        return [json.loads(line)["markdown"] for line in list(self.log)[1:] if line.startswith("{")]

    def refused(self):
        return sum(line.startswith("refused: 130101") for line in list(self.log))


def target(url, more=""):
    return f"targets:\n  ops: {{url: '{url}', secret: SECabc{more}}}\n"


def bridge(port=0, more=""):
    return f"dingtalk_bridge: {{listen_address: '127.0.0.1:{port}', config_file: config.yml{more}}}\n"


class Bridge(Tocsin):
    def __init__(self, dir, robot, *flags, port=0, file=None, config="", more="", **options):
        super().__init__(bridge(port, more) + config, dir, *flags, files={"config.yml": file or target(robot)}, **options)
        self.bridge = "http://" + until("the bridge listens", lambda: re.search(r"for DingTalk on\" address=([0-9.]+:\d+)", self.text()))[1]

    def send(self, body, name="ops", **kw):
        return request("POST", f"{self.bridge}/dingtalk/{name}/send", body, **kw)


def alert(name, status="firing", starts=1, **labels):
    return {"status": status, "labels": {"alertname": name, **labels}, "annotations": {"summary": "s " + name},
            "startsAt": f"2026-01-01T00:00:{starts:02}Z", "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-01-02T00:00:00Z",
            "generatorURL": "http://p/graph", "fingerprint": "0"}


def message(*alerts, group="g", **more):
    return {"receiver": "dd", "status": "firing", "alerts": list(alerts), "groupLabels": {"alertname": group}, "commonLabels": {},
            "commonAnnotations": {}, "externalURL": "http://am:9093", "version": "4", "groupKey": f'{{}}:{{alertname="{group}"}}', **more}


def busy(sink):
    """DingTalk is busy: every attempt is tried again."""
    sink.otherwise = b'HTTP/1.1 200 OK\r\nContent-Length: 27\r\nConnection: close\r\n\r\n{"errcode":-1,"errmsg":"-"}'


def free(sink):
    sink.otherwise = b'HTTP/1.1 200 OK\r\nContent-Length: 26\r\nConnection: close\r\n\r\n{"errcode":0,"errmsg":"o"}'


def texts(sink):
    return [r.json()["markdown"]["text"] for r in sink.got]


# -- the whole way --

NAMES = [f"Group{n:02}" for n in range(16)]


def times_told(robot, names, status):
    told = {n: 0 for n in names}
    for m in robot.taken():
        for n in names:
            told[n] += n in m["text"] and ("Firing" if status == "firing" else "Resolved") in m["text"]
    return told


def test_alertmanager_in_front_and_a_blocked_robot_behind():
    """DingTalk blocks it for ten minutes (here: as long as its own clock stands still), it is killed twice meanwhile."""
    with folder() as d, Robot("--rate", "8", "--window", "2", "--block", "2") as robot:
        wall, port = WallClock(d), free_port()
        am_config = (f"route: {{receiver: dd, group_by: [alertname], group_wait: 10ms, group_interval: 5m, repeat_interval: 4h}}\n"
                     f"receivers: [{{name: dd, webhook_configs: [{{url: 'http://127.0.0.1:{port}/dingtalk/ops/send'}}]}}]\n")

        def fire(am, names):
            r = request("POST", am.url + "/api/v2/alerts", [{"labels": {"alertname": n}} for n in names])
            equal(r.status, 200, "POST to Alertmanager")

        def passed_on(am, n):
            m = re.search(r'alertmanager_notifications_total\{[^}]*integration="webhook"[^}]*\} (\d+)', request("GET", am.url + "/metrics").body.decode())
            return m and int(m.group(1)) == n

        with Alertmanager(am_config, d) as am:
            with Bridge(d, robot.url, port=port, env=wall.env) as b:
                fire(am, NAMES[:12])
                until("the robot blocks", lambda: robot.refused() >= 1)
                until("eight are told", lambda: b.metric("tocsin_bridge_waiting_messages") == 4)
                equal(len(robot.taken()), 8)
                b.alert(alertname="commit", ends=60)  # answered when all that was before is on the disk
                b.kill()
            fire(am, NAMES[12:])  # to nobody: Alertmanager tries again
            with Bridge(d, robot.url, port=port, env=wall.env) as b:
                until("Alertmanager has passed all on", lambda: passed_on(am, len(NAMES)), 30)
                until("they wait", lambda: b.metric("tocsin_bridge_waiting_messages") == 8)
                b.kill()
            time_left = robot.refused()
            wall.set(660)
            until("the robot's window is over", lambda: (time.sleep(2.5), True)[1])
            with Bridge(d, robot.url, port=port, env=wall.env) as b:
                until("all are told", lambda: b.metric("tocsin_bridge_waiting_messages") == 0, 20)
                equal(times_told(robot, NAMES, "firing"), {n: 1 for n in NAMES}, "each is told once")
                equal(robot.refused(), time_left, "nothing was refused after the block")


def test_the_document_that_names_the_bridge():
    """The published Alertmanager configuration that posts to dingtalk-webhook:8060, as it is but for names, waits and the mails, whose
    failures would keep the group: firing and end."""
    shared = os.environ.get("TOCSIN_SHARED", os.path.join(SOURCE, "../shared"))
    path = os.path.join(shared, "conformance/seeds/seed-000-alertmanager.yml")
    if not os.path.exists(path):
        raise Skip(f"{path} is missing")
    text = open(path).read()
    assert "http://dingtalk-webhook:8060/dingtalk/critical/send" in text
    with folder() as d, Robot() as robot, Bridge(d, None, file=target(robot.url).replace("ops:", "critical:")) as b:
        for old, new in (("http://dingtalk-webhook:8060", b.bridge), ("group_wait: 30s", "group_wait: 100ms"),
                         ("group_interval: 5m", "group_interval: 1s")):
            assert old in text, old
            text = text.replace(old, new)
        text = re.sub(r"    email_configs:\n(?: {6,}.*\n)+", "", text)
        with Alertmanager(text, d) as am:
            labels = {"alertname": "HighErrorRate", "severity": "critical"}
            equal(request("POST", am.url + "/api/v2/alerts", [{"labels": labels, "annotations": {"summary": "error rate 6 %"}}]).status, 200)
            until("it is told", lambda: len(robot.taken()) == 1)
            assert "HighErrorRate" in robot.taken()[0]["title"] and "error rate 6 %" in robot.taken()[0]["text"], robot.taken()
            equal(request("POST", am.url + "/api/v2/alerts", [{"labels": labels, "endsAt": stamp(-1)}]).status, 200)
            until("its end is told", lambda: len(robot.taken()) == 2, 20)
            assert "RESOLVED" in robot.taken()[1]["title"], robot.taken()[1]


# -- what is kept together --

def test_what_waits_is_told_with_the_newest():
    """No resolve is lost though Alertmanager does not name it again, and nobody is told as firing who has ended."""
    with folder() as d, Sink() as s:
        busy(s)
        with Bridge(d, s.url) as b:
            equal(b.send(message(alert("A", pod="1"), alert("A", pod="2"))).status, 200)
            until("it was tried", lambda: s.count() >= 1)
            equal(b.send(message(alert("A", "resolved", pod="1"), alert("A", pod="2"))).status, 200)
            equal(b.send(message(alert("A", pod="2"), alert("A", pod="3"))).status, 200)
            equal(b.send(message(alert("B"), group="h")).status, 200)
            free(s)
            until("all is told", lambda: b.metric("tocsin_bridge_waiting_messages") == 0, 20)
            last = {}
            for text in texts(s):
                last["A" if "alertname: A" in text else "B"] = text
            firing, resolved = last["A"].split("Alerts Resolved")
            assert "pod: 2" in firing and "pod: 3" in firing and "pod: 1" not in firing, last["A"]
            assert "pod: 1" in resolved, last["A"]
            assert b.metric("tocsin_bridge_messages_joined_total") >= 1
            p = subprocess.run([PROGRAM, "notification", "list", "--url", b.url], capture_output=True, text=True, timeout=60)
            assert "1 firing, 1 resolved" in p.stdout and "another Alertmanager's, passed on" in p.stdout, p
            equal(b.metric("tocsin_bridge_messages_total"), 4)


def test_a_second_try_of_the_sender():
    """The process dies between keeping a message and answering: its sender says it again, nobody is told twice."""
    with folder() as d, Sink() as s:
        busy(s)
        with Bridge(d, s.url) as b:
            equal(b.send(message(alert("A"))).status, 200)
            until("it was tried, and waits", lambda: b.metric("alertmanager_notification_requests_failed_total", integration="dingtalk"))
            equal(b.send(message(alert("A"))).status, 200, "while it waits")
            equal(b.metric("tocsin_bridge_messages_repeated_total"), 1)
            b.kill()
        free(s)
        with Bridge(d, s.url) as b:
            tried = until("it is told", lambda: b.metric("tocsin_bridge_waiting_messages") == 0 and s.count(), 20)
            equal(b.send(message(alert("A"))).status, 200, "after it was told")
            equal(b.metric("tocsin_bridge_messages_repeated_total"), 1)
            equal(b.metric("tocsin_bridge_messages_total"), 0)
            equal(b.send(message(alert("A", "resolved"))).status, 200)
            until("the end is told", lambda: s.count() == tried + 1)
            equal(b.send(message(alert("A", starts=9))).status, 200)
            until("it fires anew", lambda: s.count() == tried + 2)
            equal(b.send(message(alert("A", starts=9))).status, 200)
            until("a repeat that was answered is a repeat", lambda: s.count() == tried + 3)


def test_nothing_of_ours_keeps_it_back():
    """Silences and routes are for our own alerts; Alertmanager has decided this one."""
    with folder() as d, Sink() as s:
        free(s)
        with Bridge(d, s.url) as b:
            b.post("/api/v2/silences", {"matchers": [{"name": "alertname", "value": "A", "isRegex": False}], "startsAt": stamp(-60),
                                        "endsAt": stamp(3600), "createdBy": "t", "comment": "c"})
            equal(b.send(message(alert("A"))).status, 200)
            until("it is told", lambda: s.count() == 1)


# -- what is asked and answered --

def test_answers():
    with folder() as d, Sink() as s:
        free(s)
        with Bridge(d, s.url) as b:
            equal((b.send(message(alert("A")), "nobody").status, b.send(message(alert("A")), "ops/x").status), (404, 404))
            for body in (b"", b"{", b"[]", b'"x"', b"{}", b'{"alerts":7}', b'{"alerts":[1]}', b'{"alerts":[{"labels":[]}]}', b'{"alerts":[{"startsAt":"x"}]}',
                         b'{"alerts":' + b"[" * 100000):
                r = b.send(body)
                assert r.status == 400 and r.body.startswith(b"line 1, column "), (body[:40], r.status, r.body)
            equal(request("GET", b.bridge + "/dingtalk/ops/send").status, 405)
            equal(request("GET", b.bridge + "/api/v2/alerts").status, 404, "our own interface is elsewhere")
            equal([request("GET", b.bridge + "/-/" + p).status for p in ("healthy", "ready")], [200, 200])
            equal(b.send(b" " * (17 << 20)).status, 413)
            r = b.send(b'{"alerts":[' + b"{}," * 200000 + b"{}]}")
            assert r.status == 400 and b"more than 100000 alerts" in r.body, (r.status, r.body)
            equal((s.count(), b.metric("tocsin_bridge_messages_total")), (0, 0))
            equal(b.send(message(alert("A", big="x" * (10 << 20)))).status, 200, "a label of 10 MB")
            until("its message is cut", lambda: s.count() == 1)
            assert len(s.got[0].body) <= 20000
            until("its answer has come", lambda: b.metric("tocsin_bridge_waiting_bytes") == 0)
            slow = socket.create_connection(b.bridge[7:].split(":"))
            slow.sendall(b"POST /dingtalk/ops/send HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
            equal(b.send(message(alert("B"), group="b")).status, 200, "beside one who is slow")
            slow.close()
            equal(b.send({"alerts": [alert("C")]}).status, 200, "of somebody who names no group")
            until("all are told", lambda: s.count() == 3)


def test_what_cannot_be_kept_is_answered_503():
    """No file may grow: what is passed on goes out from memory, and its sender is told to try again."""
    with folder() as d, Sink() as s:
        free(s)
        with Bridge(d, s.url, restore_signals=False) as b:
            _, hard = resource.prlimit(b.p.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(b.p.pid, resource.RLIMIT_FSIZE, (0, hard))
            r = b.send(message(alert("A")), timeout=15)
            assert r.status == 503 and b"not on the disk" in r.body, (r.status, r.body)
            until("it is told all the same", lambda: s.count() >= 1)
            resource.prlimit(b.p.pid, resource.RLIMIT_FSIZE, (hard, hard))
            until("it is kept", lambda: b.send(message(alert("B"), group="b"), timeout=15).status == 200, 30)
            until("and told", lambda: any("alertname: B" in t for t in texts(s)))


# -- its configuration --

def test_texts_and_precedence():
    file = ("templates: ['*.tmpl']\ndefault_message: {title: 'D {{ .Receiver }}', text: '{{ template \"own\" . }} {{ .ExternalURL }}'}\n"
            "targets:\n  ops: {url: 'ROBOT', secret: SECabc}\n  dev: {url: 'ROBOT', mention: {mobiles: ['138']}, message: {text: '{{ range .AtMobiles }}@{{ . }}{{ end }} own text'}}\n")
    with folder() as d, Sink() as s:
        free(s)
        write(f"{d}/x.tmpl", '{{ define "own" }}OWN {{ len .Alerts }}{{ end }}')
        with Bridge(d, None, file=file.replace("ROBOT", s.url + "?access_token=t")) as b:
            for name in ("ops", "dev"):
                equal(b.send(message(alert("A")), name).status, 200)
                until(f"{name} is told", lambda: s.count() == (1 if name == "ops" else 2))
            equal([(r.json()["markdown"]["title"], r.json()["markdown"]["text"]) for r in s.got],
                  [("D dd", "OWN 1 http://am:9093"), ("D dd", "@138 own text")])
            assert "sign=" in s.got[0].path and "sign=" not in s.got[1].path
            equal(s.got[1].json()["at"]["atMobiles"], ["138"])
            p = subprocess.run([PROGRAM, "receiver", "test", "dingtalk/ops", "--url", b.url], capture_output=True, text=True, timeout=60)
            assert p.returncode == 0 and "dingtalk[0]: delivered" in p.stdout, p
            assert s.got[2].json()["markdown"]["text"].startswith("OWN 1 "), "a target is tried by its own templates"


def test_reload():
    with folder() as d, Sink() as s:
        free(s)
        with Bridge(d, s.url, more=", enable_lifecycle: true") as b:
            write(f"{d}/config.yml", target(s.url).replace("secret:", "sekret:"))
            r = request("POST", b.bridge + "/-/reload")
            assert r.status == 500 and b"config.yml:2" in r.body and b"sekret" in r.body, (r.status, r.body)
            equal(b.send(message(alert("A"))).status, 200, "the old one stays")
            write(f"{d}/config.yml", target(s.url).replace("ops", "night"))
            equal(request("PUT", b.bridge + "/-/reload").status, 200)
            equal([b.send(message(alert("A")), n).status for n in ("ops", "night")], [404, 200])
            port = free_port()
            write(b.config_file, bridge(port))
            equal(b.post("/-/reload", b"").status, 200)
            old, b.bridge = b.bridge, f"http://127.0.0.1:{port}"
            equal(b.send(message(alert("B"), group="b"), "night").status, 200)
            equal(request("POST", b.bridge + "/-/reload").status, 403)
            try:
                raise AssertionError(request("GET", old + "/-/ready").status)
            except OSError:
                pass
            with socket.create_server(("127.0.0.1", 0)) as taken:
                write(b.config_file, bridge(taken.getsockname()[1]))
                r = b.post("/-/reload", b"")
                assert r.status == 500 and b"dingtalk_bridge: '127.0.0.1:" in r.body and b"in use" in r.body, (r.status, r.body)
            equal(b.send(message(alert("B"), group="b"), "night").status, 200, "the old address stays")
            write(b.config_file, "route: {receiver: n}\nreceivers: [{name: n}]\n")
            equal(b.post("/-/reload", b"").status, 200)
            try:
                raise AssertionError(request("GET", b.bridge + "/-/ready").status)
            except OSError:
                pass


def lint(d, file, top=None):
    write(f"{d}/config.yml", file)
    p = subprocess.run([PROGRAM, "lint", write(f"{d}/t.yml", top or bridge())], capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout + p.stderr


def test_wrong_files():
    url = "http://x.example/robot/send?access_token=SECRET"
    with folder() as d:
        equal(lint(d, target(url))[0], 0)
        for file, place, words in (("targets: {}\n", "config.yml:1", "targets"),
                                   ("timeout: 5s\n", "config.yml:1", "targets"),
                                   (target(url) + "tmeout: 3s\n", "config.yml:3:1", 'did you mean "timeout"'),
                                   ("targets:\n  ops: {secret: x}\n", "config.yml:2", "url"),
                                   ("targets:\n  ops: {url: 'ftp://x/SECRET'}\n", "config.yml:2:14", "http"),
                                   (target(url, ", mention: {mobile: [1]}"), "config.yml:2", "mobiles"),
                                   (target(url).replace("ops", "9ops"), "config.yml:2:3", "begins with a letter"),
                                   ("targets: [a]\n", "config.yml:1:10", "mapping"),
                                   ("targets:\n\tops: 1\n", "config.yml:2:1", "token"),
                                   ("timeout: soon\n" + target(url), "config.yml:1:10", "soon")):
            code, said = lint(d, file)
            assert code == 1 and place in said and words in said and "SECRET" not in said, (file, said)
        code, said = lint(d, target(url, ", message: {text: '{{ .X | env }}'}"))
        assert said.count("C015") == 1 and "config.yml:2" in said and "env" in said and "SECRET" not in said, said
        os.remove(f"{d}/config.yml")
        p = subprocess.run([PROGRAM, "lint", f"{d}/t.yml"], capture_output=True, text=True, timeout=60)
        assert p.returncode == 1 and "config.yml" in p.stdout + p.stderr, p
        code, said = lint(d, target(url), bridge() + "route: {receiver: dingtalk/ops}\nreceivers: [{name: dingtalk/ops}]\n")
        assert code == 1 and "there is one already" in said, said
        equal(lint(d, target(url), bridge() + "route: {receiver: dingtalk/ops}\n")[0], 0, "a route may name a target")
        equal(lint(d, target(url), open(f"{d}/config.yml").read())[0], 0, "the file by itself")
        code, said = lint(d, target(url), target(url, ", mention: {mobile: [1]}"))
        assert code == 1 and "t.yml:2" in said and "mobiles" in said, said


def test_import():
    """The bridge's file as receivers: the same robot is told the same."""
    with folder() as d, Sink() as s:
        free(s)
        write(f"{d}/x.tmpl", '{{ define "own" }}OWN {{ len .Alerts }}{{ end }}')
        write(f"{d}/config.yml", f"templates: ['x.tmpl']\ntimeout: 3s\ntargets:\n  ops: {{url: '{s.url}', secret: SECabc, mention: {{all: true, mobiles: ['138']}}, "
                                 "message: {title: t, text: '{{ template \"own\" . }} @138'}}\n")
        p = subprocess.run([PROGRAM, "import", "dingtalk", f"{d}/config.yml", "--to-file", f"{d}/out.yml"], capture_output=True, text=True, timeout=60)
        equal((p.returncode, p.stdout, p.stderr, os.stat(f"{d}/out.yml").st_mode & 0o777), (0, "", "", 0o600))
        out = open(f"{d}/out.yml").read()
        printed = subprocess.run([PROGRAM, "import", "dingtalk", f"{d}/config.yml"], capture_output=True, text=True, timeout=60)
        equal(printed.stdout, out)
        with Tocsin("route: {receiver: ops, group_wait: 0s}\n" + out, d) as t:
            t.alert(alertname="A", ends=60)
            until("it is told", lambda: s.count() == 1)
            m = s.got[0].json()
            equal((m["markdown"], m["at"]["isAtAll"], m["at"]["atMobiles"]), ({"title": "t", "text": "OWN 1 @138"}, True, ["138"]))
        p = subprocess.run([PROGRAM, "import", "dingtalk", f"{d}/x.tmpl"], capture_output=True, text=True, timeout=60)
        assert p.returncode == 1 and p.stdout == "" and "x.tmpl:1" in p.stderr, p


main()
