"""What is known by the bytes it came in is what it would be if it were read: the same posts to two servers, one of which never knows,
because its alerts have their labels in two parts, leave the same alerts, groups and answers."""
import datetime, random
from harness import *

CONFIG = """
global: {resolve_timeout: 5m}
route: {receiver: one, group_by: [%s], group_wait: 1h, routes: [{matchers: ['kind="b"'], receiver: two, continue: %s}, {receiver: one}]}
receivers: [{name: one}, {name: two}]
"""
ROUTES = [CONFIG % x for x in [("alertname", "true"), ("alertname, kind", "false"), ("...", "true")]]
# What is no alert, or none that is taken, on a line by itself.
BAD = ['{"labels":{"a":1}}', '{"labels":{"a":"x"},"startsAt":"nope"}', '{"labels":{"a":"x"},"endsAt":7}', '{"labels":{}}', '{"annotations":{}}',
       '{"labels":{"a":"b"},"generatorURL":"::no"}', 'nul', '{"labels":{"":"x"}}', '{"labels":{"a":"b"', '{"labels":{"a":"\x01"}}', '{"labels":{"a":"b\\',
       '{"labels":{"a":"b"},"startsAt":"2030-01-01T00:00:00Z","endsAt":"2020-01-01T00:00:00Z"}', '{"labels":null}', '[]', 'null']


def quoted(r, s):
    return '"' + "".join("\\u%04x" % ord(c) if r.random() < 0.03 else json.dumps(c, ensure_ascii=False)[1:-1] for c in s) + '"'


def members(r, pairs):
    pairs = list(pairs.items())
    if r.random() < 0.3:
        r.shuffle(pairs)
    return "{" + ",".join(f"{quoted(r, k)}{r.choice(['', ' '])}:{quoted(r, v)}" for k, v in pairs) + "}"


class Sender:
    """Alerts that it tells again and again, mostly in the words that it used before."""

    def __init__(self, seed):
        self.r, self.words = random.Random(seed), {}

    def text(self, i):
        """The alert's text but for its times. Each part of it changes seldom, and by itself."""
        r = self.r
        parts = [lambda: f'"labels":{members(r, labels)}',
                 lambda: f'"annotations":{members(r, notes)}' if r.random() < 0.8 else "",
                 lambda: f'"generatorURL":"http://x/{r.randrange(2)}"' if r.random() < 0.8 else "",
                 lambda: '"Labels":{"i":"%d"}' % i if r.random() < 0.1 else "",
                 lambda: '"more":[{"labels":{"i":"0"}},1e3,null]' if r.random() < 0.2 else ""]
        labels = {"alertname": f"A{i % 7}", "kind": "ab"[i % 2], "i": str(i), "{\"": "}\\", "é": "ü" * (i % 5)}
        notes = {"summary": f"of {i}, {r.randrange(3)} {{}} \"\\", "empty": ""}
        words = self.words.setdefault(i, [make() for make in parts])
        for k, make in enumerate(parts):
            if r.random() < 0.05:
                words[k] = make()
        if r.random() < 0.05:
            words.sort(key=lambda _: r.random())
            self.words.pop(i)
        return ",".join(w for w in words if w)

    def times(self):
        hour = lambda n: time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() + n * 3600))
        ends = self.r.choice([hour(2), hour(2), hour(3), hour(-1), None])
        return f'"startsAt":"{hour(self.r.choice([-2, -3]))}"' + (f',"endsAt":"{ends}"' if ends else "")

    def body(self, n, of):
        """Two texts that say the same."""
        lines = [f"{{{self.text(self.r.randrange(of))},{self.times()}" for _ in range(n)]
        a, b = [l + "}" for l in lines], [l + ',"labels":{}}' for l in lines]
        if self.r.random() < 0.15:
            at, bad = self.r.randrange(n), self.r.choice(BAD)
            a[at] = b[at] = bad
        return "[" + ",\n".join(a) + "]", "[" + ",\n".join(b) + "]"


def seen(t):
    """What it lists. An end that was not given is some minutes ahead, one that a restart gave time is some seconds later."""
    def end(s):
        at = datetime.datetime.fromisoformat(s.replace("Z", "+00:00")).timestamp()
        return "soon" if at < time.time() + 600 else round(at / 600)
    of = lambda a: {k: end(v) if k == "endsAt" else v for k, v in a.items() if k != "updatedAt"}
    alerts = sorted((of(a) for a in t.alerts()), key=lambda a: a["fingerprint"])
    groups = [(g["labels"], g["receiver"], sorted(a["fingerprint"] for a in g["alerts"])) for g in t.get("/api/v2/alerts/groups").json()]
    return alerts, groups


def as_if_read(seed, steps, most, of):
    s = Sender(seed)
    with folder() as x, folder() as y:
        config = ROUTES[0]
        ts = [Tocsin(config, d) for d in (x, y)]
        try:
            for step in range(steps):
                bodies = s.body(s.r.randrange(1, most), of)
                for _ in range(s.r.choice([1, 1, 2])):
                    answers = [t.post("/api/v2/alerts", b.encode(), headers={"Content-Type": "application/json"}) for t, b in zip(ts, bodies)]
                    equal(answers[0].status, answers[1].status, f"{bodies[0]}: {answers[0].body!r} {answers[1].body!r}")
                    equal(answers[0].body, answers[1].body, bodies[0])
                if s.r.random() < 0.1:
                    config = s.r.choice(ROUTES)
                    for t in ts:
                        write(t.config_file, config)
                        equal(t.post("/-/reload", None).status, 200)
                if s.r.random() < 0.05:
                    for t in ts:
                        t.kill()
                    ts = [Tocsin(config, d) for d in (x, y)]
                left, right = map(seen, ts)
                equal(left, right, f"step {step} of seed {seed}")
            for t in ts:
                t.stop()
        finally:
            for t in ts:
                t.kill()


def test_few_alerts_many_times():
    for seed in range(3):
        as_if_read(seed, 60, 30, 25)


def test_bodies_that_are_taken_in_slices():
    """Some have an alert twice and more, in different words."""
    as_if_read(10, 25, 800, 300)


def test_bodies_that_are_read_on_a_worker():
    as_if_read(20, 12, 4000, 1500)


def test_what_is_not_plain_is_not_known():
    with folder() as d, Tocsin(ROUTES[0], d) as t:
        def told(text, status):
            for _ in range(3):
                equal(t.post("/api/v2/alerts", ("[" + text + "]").encode(), headers={"Content-Type": "application/json"}).status, status, text)
        told('{"labels":{"a":"b"},"labels":{}}', 200)
        told('{"labels":{}}', 400)
        told('{"labels":{"a":"b"},"annotations":null}', 200)
        told('{"labels":{"a":"b"},"annotations":{}}', 200)
        told('{"labels":{"a":"b","a":"c"}}', 200)
        told('{"labels":{"a":"c"},"annotations":{"x":"1"}},{"labels":{"a":"c"},"annotations":{"x":"2"}}', 200)
        equal(sorted((a["labels"]["a"], a["annotations"]) for a in t.alerts()), [("b", {}), ("c", {"x": "2"})])


def test_each_has_its_own_times():
    with folder() as d, Tocsin(ROUTES[0], d) as t:
        times = [("2020-01-01T00:00:00.000Z", "2099-01-02T00:00:00.000Z"), ("2020-01-01T00:00:00.000Z", "2099-01-03T00:00:00.000Z"),
                 ("2020-01-04T00:00:00.000Z", "2099-01-03T00:00:00.000Z"), ("2020-01-02T00:00:00.000Z", "2099-01-02T00:00:00.000Z")]
        for turn in (1, -1, 1):
            body = [{"labels": {"i": str(i)}, "startsAt": s, "endsAt": e} for i, (s, e) in enumerate(times[::turn])]
            equal(t.post("/api/v2/alerts", body).status, 200)
            got = sorted((a["labels"]["i"], a["endsAt"]) for a in t.alerts())
            equal(got, [(str(i), e) for i, (_, e) in enumerate(times[::turn])])
            if turn == 1:
                equal(min(a["startsAt"] for a in t.alerts() if a["labels"]["i"] == "1"), times[1][0])


def test_who_found_no_group_looks_again():
    """Also after a reload, whose groups are others, or the first."""
    for first in ROUTES[0], "global: {resolve_timeout: 5m}\n":
        with folder() as d, Tocsin(first, d, "--dispatch.max-groups=2") as t:
            def told():
                before = t.metric("alertmanager_dispatcher_aggregation_group_limit_reached_total")
                body = [{"labels": {"alertname": f"A{k}", "i": str(i)}, "endsAt": "2099-01-01T00:00:00Z"} for k in range(2) for i in range(2)]
                equal(t.post("/api/v2/alerts", body).status, 200)
                return t.metric("alertmanager_dispatcher_aggregation_group_limit_reached_total") - before
            equal([told(), told()], [0, 0])
            write(t.config_file, ROUTES[2])
            equal(t.post("/-/reload", None).status, 200)
            until("who has no group looks for one", lambda: told() == 2, 5)
            equal(told(), 2)


def test_its_end_and_its_beginning_are_seen():
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        again = lambda ends: t.post("/api/v2/alerts", ('[{"labels":{"alertname":"A"},"endsAt":"%s"}]' % stamp(ends)).encode(),
                                    headers={"Content-Type": "application/json"})
        for ends, state in [(600, "firing"), (600, "firing"), (-1, "resolved"), (600, "firing"), (-1, "resolved")]:
            equal(again(ends).status, 200)
            until("it is told as " + state, lambda: sink.accepted() and sink.accepted()[-1].json()["status"] == state)


main()
