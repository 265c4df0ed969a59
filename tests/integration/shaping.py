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


def named(messages, state):
    """Of each alert the message that told of it first."""
    first = {}
    for i, m in enumerate(messages):
        for found in re.findall(r"\*\*%s\*\* (\w+)" % state, m["text"]):
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
        with Tocsin(config(robot.url), d) as t:
            for i in range(500, 1000, 50):
                equal(t.post("/api/v2/alerts", alerts(names[i:i + 50])).status, 200)
            before = until("more have", lambda: len(robot.messages()) >= 12 and len(robot.messages()))
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
    with folder() as d, Robot() as robot, Tocsin(config(robot.url).replace("[alertname]", "[cluster]").replace("group_wait: 0s", "group_wait: 1s"), d) as t:
        names = [f"P{i:03d}" for i in range(300)]
        equal(t.post("/api/v2/alerts", alerts(names)).status, 200)
        until("all are named", lambda: len(named(robot.messages(), "FIRING")) == 300, 20)
        titles = [re.match(r"\[(\d+)/(\d+)\]", m["title"]).groups() for m in robot.messages()]
        n = int(titles[0][1])
        equal(titles, [(str(i), str(n)) for i in range(1, n + 1)])
        assert n > 1 and all("tocsin-word" in m["text"] and "…" not in m["text"] for m in robot.messages())
        equal(robot.refusals(), [])


main()
