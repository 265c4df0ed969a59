"""What a robot takes: 20 messages a minute, 20,000 bytes each. A minute is 3 s here, in the robot and in the configuration."""
from harness import *

WINDOW = 3


class Robot(Process):
    """contrib/fakes/dingtalk.py, which blocks whoever sends too much."""

    def __init__(self, *flags):
        super().__init__([sys.executable, "-B", os.path.join(SOURCE, "contrib/fakes/dingtalk.py"), "--port", "0", "--token", "TOKEN", "--secret",
                          "SECret", "--keyword", "tocsin-word", "--rate", "20", "--window", str(WINDOW), "--block", "600", *flags])
        self.url = until("the robot listens", lambda: self.log and self.log[0].strip())

    def messages(self):
        return [json.loads(line)["markdown"] for line in self.log if line.startswith("{")]

    def refusals(self):
        return [line for line in self.log if line.startswith("refused")]


def config(url, more=""):
    return f"""
route: {{receiver: robot, group_by: [alertname], group_wait: 0s, group_interval: 5s, repeat_interval: 4h}}
receivers:
  - name: robot
    dingtalk_configs: [{{url: '{url}', secret: SECret, keywords: [tocsin-word], pace: [{{messages: 20, per: {WINDOW}s}}]{more}}}]
"""


def alerts(names, severity="warning", ended=False):
    return [{"labels": {"alertname": n, "severity": severity, "cluster": "gpu-cluster-a", "namespace": "inference"},
             "annotations": {"summary": f"the summary of {n}, which says a little more than nothing"},
             **({"endsAt": stamp(-1)} if ended else {"endsAt": stamp(600)})} for n in names]


def names_in(text, state):
    """Of a digest the names in its lines; of a group by itself the one that stands among its labels."""
    words = "Resolved" if state == "RESOLVED" else "Critical|Warning"
    if re.search(r"\*\*(?:%s): " % words, text.split("\n")[0]) and "alertname: " in text:
        return re.findall(r"alertname: (\w+)", text)
    return re.findall(r"\*\*(?:%s)\*\* (\w+)" % words, text)


def named(messages, state):
    """Of each alert the message that told of it first."""
    first = {}
    for i, m in enumerate(messages):
        for found in names_in(m["text"], state):
            first.setdefault(found, i)
    return first


def test_a_thousand_groups_and_a_critical_one():
    names = [f"G{i:04d}" for i in range(1000)]
    with folder() as d, Robot() as robot:
        with Tocsin(config(robot.url), d) as t:
            for i in range(0, 500, 50):
                equal(t.post("/api/v2/alerts", alerts(names[i:i + 50])).status, 200)
            until("some have arrived", lambda: len(robot.messages()) >= 5)
            t.kill()
        had = len(robot.messages())
        with Tocsin(config(robot.url), d) as t:
            for i in range(500, 1000, 50):
                equal(t.post("/api/v2/alerts", alerts(names[i:i + 50])).status, 200)
            before = until("more have", lambda: len(robot.messages()) >= had + 2 and len(robot.messages()))
            assert len(named(robot.messages(), "FIRING")) < 900, "many wait"
            equal(t.post("/api/v2/alerts", alerts(["Critical"], "critical")).status, 200)
            at = until("the critical one", lambda: named(robot.messages(), "FIRING").get("Critical"), 20)
            assert at <= before + 1, f"message {at}, when {before} had come"  # one may have been under way
            until("all are named", lambda: len(named(robot.messages(), "FIRING")) == 1001, 30)
            digests = [m for m in robot.messages() if m["title"].startswith("[DIGEST:")]
            assert digests and len(robot.messages()) < 60, (len(digests), len(robot.messages()))
            for i in range(0, 1000, 100):
                equal(t.post("/api/v2/alerts", alerts(names[i:i + 100], ended=True)).status, 200)
            until("all ends are named", lambda: len(named(robot.messages(), "RESOLVED")) == 1000, 40)
            equal(robot.refusals(), [])
            for m in robot.messages():
                assert "tocsin-word" in m["text"] and len(json.dumps(m, ensure_ascii=False).encode()) <= 20000


def test_a_group_that_is_too_long_goes_in_parts():
    """By a text that names them all; the readable one names ten."""
    text = ", text: '{{ range .Alerts }}- **Warning** {{ .Labels.alertname }}: {{ .Annotations.summary }}\n{{ range .Labels.SortedPairs }}  > {{ .Name }}: {{ .Value }}\n{{ end }}{{ end }}'"
    with folder() as d, Robot() as robot, \
            Tocsin(config(robot.url, text).replace("[alertname]", "[cluster]").replace("group_wait: 0s", "group_wait: 1s"), d) as t:
        names = [f"P{i:03d}" for i in range(300)]
        equal(t.post("/api/v2/alerts", alerts(names)).status, 200)
        until("all are named", lambda: len(named(robot.messages(), "FIRING")) == 300, 20)
        titles = [re.match(r"\[(\d+)/(\d+)\]", m["title"]).groups() for m in robot.messages()]
        n = int(titles[0][1])
        equal(titles, [(str(i), str(n)) for i in range(1, n + 1)])
        assert n > 1 and all("tocsin-word" in m["text"] and "…" not in m["text"] for m in robot.messages())
        equal(robot.refusals(), [])


def test_refusals_and_silence_and_what_comes_then():
    """Each is delivered once it works: within the wait that was asked for and a tenth, or the backoff; what hangs, within its timeout."""
    ok = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\nConnection: close\r\n\r\n{"errcode":0,"errmsg":""}'
    slow = (429, {"Retry-After": "2"})
    cases = {"429": (slow, 1.9, 4), "500": (500, 0.2, 4), "dies": (CLOSE, 0.2, 4), "half": (HALF, 0.2, 4), "hangs": (NOTHING, 0.9, 6)}
    with folder() as d:
        for name, (behaviour, least, most) in cases.items():
            with Sink(behaviour, otherwise=ok) as sink:
                os.mkdir(f"{d}/{name}")
                with Tocsin(config(sink.url, ", timeout: 1s"), f"{d}/{name}") as t:
                    t.alert(alertname="A", ends=600)
                    until(f"{name}: told again", lambda: sink.count() >= 2, 15)
                    gap = sink.got[1].at - sink.got[0].at
                    assert least <= gap <= most, f"{name}: again after {gap} s"
                    time.sleep(0.3)
                    equal(sink.count(), 2, name)


def test_the_token_is_rotated_while_it_waits():
    """What waits goes to the new robot, once; no token is on the disk."""
    with folder() as d, Robot() as robot:
        with Tocsin(config(f"http://127.0.0.1:{free_port()}/robot/send?access_token=OLDTOKEN"), d) as t:
            equal(t.post("/api/v2/alerts", alerts(["Stays", "Goes"])).status, 200)
            until("both were tried", lambda: t.text().count("notification attempt failed") >= 2)
            equal(t.post("/api/v2/alerts", alerts(["Goes"], ended=True)).status, 200)
            write(t.config_file, config(robot.url))
            equal(t.post("/-/reload", b"").status, 200)
            until("the new robot hears", lambda: "Stays" in named(robot.messages(), "FIRING"), 20)
            time.sleep(1)
            stays = sum(names_in(m["text"], "FIRING").count("Stays") for m in robot.messages())
            equal((stays, "Goes" in named(robot.messages()[1:], "FIRING")), (1, False))
        for folder_, _, files in os.walk(os.path.join(d, "data")):
            for f in files:
                with open(os.path.join(folder_, f), "rb") as one:
                    text = one.read()
                assert b"TOKEN" not in text and b"SECret" not in text, f


def test_a_receiver_that_is_gone():
    """Its firing alerts go where they are routed now."""
    with folder() as d, Robot() as robot, Tocsin(config(f"http://127.0.0.1:{free_port()}/x?access_token=OLD").replace("robot", "gone"), d) as t:
        equal(t.post("/api/v2/alerts", alerts(["Stays"])).status, 200)
        until("it was tried", lambda: "notification attempt failed" in t.text())
        write(t.config_file, config(robot.url))
        equal(t.post("/-/reload", b"").status, 200)
        until("the new receiver hears", lambda: "Stays" in named(robot.messages(), "FIRING"), 15)


main()
