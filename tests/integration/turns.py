"""How long the loop is held by what is large: each kind of work at ALERTS alerts (turns.py ALERTS, default 10,000), a fifth as
many groups, a tenth as many rules, a twentieth as many silences. In a release build no piece takes over 250 ms of the loop's CPU."""
from harness import *

ALERTS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 10000
GROUPS, RULES, SILENCES = ALERTS // 5, ALERTS // 10, ALERTS // 20
HELD_MAX = 0.25
SANITIZED = "/release/" not in PROGRAM
LONG = re.compile(r'msg="a piece of work held the loop" work=(\S+) seconds=(\S+)')
CONFIG = """route:
  {receiver: quiet, group_by: [g], group_wait: 1h, routes: [
  {receiver: sink, matchers: [one=yes], group_by: [one], group_wait: 1s, group_interval: 1s, repeat_interval: 1h, continue: %s},
  {receiver: sink, matchers: [many=yes], group_by: [g], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}]}
receivers: [{name: quiet}, {name: sink, webhook_configs: [{url: '%s', max_alerts: 1}]}]
inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [cluster]}]
rule_files: [rules.yml]
"""
HOUR = {"startsAt": stamp(-60), "endsAt": stamp(3600)}


def rules():
    return "- {name: all, interval: 2s, rules: [" + ", ".join(
        f'{{alert: R{i}, expr: vector(1), labels: {{one: no}}}}' for i in range(RULES)) + "]}\n"


def labelled(kind, **more):
    return [{"labels": {"alertname": kind, "i": str(i), "g": str(i % GROUPS), **more}, **HOUR} for i in range(ALERTS)]


class Steps:
    """Does one thing after the other and says which pieces held the loop meanwhile."""

    def __init__(self, t):
        self.t, self.at, self.held, self.turns = t, 0, {}, {}

    def longest(self):
        text = self.t.text()
        text, self.at = text[self.at:], len(text)
        found = {}
        for work, seconds in LONG.findall(text):
            found[work] = max(found.get(work, 0), float(seconds))
        return found

    def step(self, what, do):
        began = time.monotonic()
        do()
        time.sleep(0.05)
        found = self.longest()
        self.held[what] = found
        print(f"{what:46} {time.monotonic() - began:6.2f} s   " + ", ".join(
            f"{w} {s * 1000:.0f} ms" for w, s in sorted(found.items(), key=lambda x: -x[1])), flush=True)


def post(t, alerts, a_request=None):
    size = a_request or len(alerts)
    for i in range(0, len(alerts), size):
        equal(t.post("/api/v2/alerts", alerts[i:i + size], timeout=100).status, 200)


def get(t, path):
    r = t.get(path, timeout=100)
    equal(r.status, 200, r.body[:300])
    return r


def silence(t, name, value, is_regex=False, minutes=60):
    return t.post("/api/v2/silences", {"matchers": [{"name": name, "value": value, "isRegex": is_regex}], "createdBy": "x", "comment": "x",
                                       "startsAt": stamp(), "endsAt": stamp(60 * minutes)}, timeout=100).json()["silenceID"]


def lists(s, t, when):
    for path in ("/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences", "/metrics", "/api/v1/rules", "/api/v1/alerts",
                 "/api/v2/receivers", "/api/v2/status", "/api/tocsin/overview", "/api/v2/explain?alertname=A"):
        s.step(f"{when}: GET {path}", lambda: get(t, path))


def drive(d, sink, t, s):
    config = lambda flag: write(os.path.join(d, "tocsin.yml"), CONFIG % (flag, sink.url))
    s.step("rules run", lambda: until("all rules fire", lambda: len(t.alerts()) == RULES, 60))
    s.step("one request of all alerts", lambda: post(t, labelled("A", cluster="a", severity="warning")))
    s.step("the same again", lambda: post(t, labelled("A", cluster="a", severity="warning")))
    lists(s, t, "quiet")
    s.step("sources of inhibition", lambda: post(t, labelled("B", cluster="a", severity="critical")[:ALERTS // 2]))
    lists(s, t, "inhibited")
    s.step("silences", lambda: [silence(t, "i", str(i)) for i in range(min(SILENCES, 500))])
    ids = []
    s.step("a silence of all", lambda: ids.append(silence(t, "alertname", "A|B", True)))
    lists(s, t, "silenced")
    s.step("it is expired", lambda: equal(request("DELETE", f"{t.url}/api/v2/silence/{ids[0]}", timeout=100).status, 200))
    s.step("a group of all is told", lambda: (post(t, labelled("C", one="yes")), until("it is told", lambda: sink.count() >= 1, 100)))
    before = sink.count()
    s.step("many groups are told", lambda: (post(t, labelled("D", many="yes")), until("all are told", lambda: sink.count() - before >= GROUPS, 100)))
    config("true")
    s.step("reload", lambda: equal(t.post("/-/reload", None, timeout=100).status, 200))
    ended = [{**a, "endsAt": stamp(-1)} for a in labelled("A", cluster="a", severity="warning") + labelled("C", one="yes")]
    s.step("all end", lambda: post(t, ended))
    old = [{"labels": {**a["labels"], "alertname": "E"}, "startsAt": stamp(-9000), "endsAt": stamp(-8000)} for a in labelled("A")]
    s.step("alerts that have long ended", lambda: post(t, old))
    if ALERTS > 10000:
        s.step("they are collected", lambda: time.sleep(32))


def test_no_piece_is_long():
    with folder() as d, Sink() as sink:
        with Tocsin(CONFIG % ("false", sink.url), d, "--log.level=debug", files={"rules.yml": "groups:\n" + rules()}) as t:
            s = Steps(t)
            drive(d, sink, t, s)
            page = get(t, "/metrics").body.decode()
            print("\n".join(x for x in page.split("\n") if x.startswith("tocsin_turn") and not x.endswith(" 0")))
            turns = lambda le: float(re.search(r'^tocsin_turn_seconds_bucket{le="%s"} (\S+)' % re.escape(le), page, re.M).group(1))
            longest = {w: float(v) for w, v in re.findall(r'^tocsin_turn_longest_seconds{work="(\w+)"} (\S+)', page, re.M)}
            assert turns("+Inf") > 100 and longest["alerts"] > 0 and longest["gc"] >= 0, longest
            loop = get(t, "/api/tocsin/overview?loop=true").json()["loop"]
            equal((loop["longestWork"], loop["longestWorkSeconds"]), max(longest.items(), key=lambda x: x[1]), "the page says the same")
            t.stop()
            if not SANITIZED:
                held = {w: v for w, v in longest.items() if v > HELD_MAX}
                assert not held, f"{held} s of the loop's CPU in one piece"


main()
