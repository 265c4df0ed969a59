"""A folder that version 0.1.0 left by kill -9, opened now, whenever that is: all of it is read, nothing is said of damage, what
could not be told is told, and what ends is told under the key that opened it. tests/conformance/state_folder.c opens it on a
stepped clock, half a minute after it was left."""
import subprocess
from harness import *

FOLDER = os.path.join(os.environ.get("TOCSIN_SHARED", os.path.join(SOURCE, "../shared")), "conformance/state-0.1")
OLD_KEY = '{}/{team=~"db|storage"}:{alertname="Disk"}'
KEY = '{}/{team=~"^(?:db|storage)$"}:{alertname="Disk"}'


class Opened(Process):
    """Runs in a copy, as it ran then: a rule is known by the path of its file, too."""

    def __init__(self, d, good, down):
        for path, sink in (("21911/good", good), ("21912/down", down)):
            file = os.path.join(d, "alertmanager.yml")
            with open(file) as f:
                text = f.read()
            write(file, re.sub(r"http://127.0.0.1:\d+/" + path.split("/")[1], sink.url + "/" + path.split("/")[1], text))
        super().__init__([PROGRAM, "--config.file=alertmanager.yml", "--config.file=tocsin.yml", "--storage.path=state",
                          "--web.listen-address=127.0.0.1:0"], cwd=d)
        self.url = "http://" + until("tocsin listens", lambda: Tocsin._listening(self), 20)


def verify(d):
    return subprocess.run([PROGRAM, "storage", "verify", d + "/state"], stdout=subprocess.DEVNULL, timeout=60).returncode


def told(sink):
    return [(g.path.rpartition("/")[2], g.json()["status"], g.json()["groupKey"]) for g in list(sink.got)]


def copy(d):
    if not os.path.exists(FOLDER + "/README.md"):
        raise (AssertionError if os.environ.get("CI") == "true" else Skip)(f"there is no {FOLDER}")
    if time.gmtime().tm_year >= 2036:
        raise Skip("its alerts have ended")
    subprocess.run(["cp", "-r", FOLDER + "/.", d], check=True)


def posted(t):
    names = {"Posted", "Disk", "CannotBeTold", "Silenced"}
    return {a["labels"]["alertname"]: a["status"]["state"] for a in request("GET", t.url + "/api/v2/alerts").json()
            if a["labels"]["alertname"] in names}


def look(t):
    equal(posted(t), {"Posted": "active", "Disk": "active", "CannotBeTold": "active", "Silenced": "suppressed"}, "posted alerts")
    with open(FOLDER + "/silences.json") as f:
        wanted = {s["id"]: s["comment"] for s in json.load(f)}
    equal({s["id"]: s["comment"] for s in request("GET", t.url + "/api/v2/silences").json()}, wanted, "silences")
    groups = request("GET", t.url + "/api/v1/targets?scrapePool=push").json()["data"]["activeTargets"]
    equal(len(groups), 1, "pushed groups")
    for word in ("is damaged", "unreadable", "level=ERROR"):
        assert word not in t.text(), t.text()


def post_disk(t, ends):
    r = request("POST", t.url + "/api/v2/alerts", [{"labels": {"alertname": "Disk", "team": "db"}, "endsAt": stamp(ends)}])
    equal(r.status, 200, r.body)


def test_it_is_opened():
    with folder() as d, Sink() as good, Sink() as down:
        copy(d)
        equal(verify(d), 0, "what was left")
        with Opened(d, good, down) as t:
            equal(sorted(os.listdir(d + "/state/pushed.v2")), sorted(os.listdir(FOLDER + "/state/pushed")), "a copy is kept")
            assert os.path.exists(d + "/state/state.db.v2") and not os.path.exists(d + "/state/pushed"), os.listdir(d + "/state")
            until("the row in the outbox is sent", lambda: ("down", "firing", '{}/{severity="critical"}:{alertname="CannotBeTold"}')
                  in told(down))
            look(t)
            t.kill()
        with Opened(d, good, down) as t:
            look(t)
            until("Disk is known", lambda: "Disk" in posted(t))
            before = len([m for m in told(good) if m[2] in (OLD_KEY, KEY)])
            post_disk(t, -1)
            until("the end is told", lambda: [m for m in told(good) if m[1:] in (("resolved", OLD_KEY), ("resolved", KEY))], 20)
            about = [m for m in told(good) if m[2] in (OLD_KEY, KEY)]
            # its log entry lives for eight hours: within them it is the old incident that ends
            opened = about[0][2] if before else OLD_KEY
            equal(about[-1], ("good", "resolved", opened), "the end")
            ended = len(told(good))
            post_disk(t, 3600)
            until("the next is told", lambda: ("good", "firing", KEY) in told(good)[ended:], 25)


main()
