"""What pages show: the board's pages and totals, its stream that is shared, resumed and bounded, and what was told."""
import queue, zlib
from harness import *

CONFIG = """route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1h
  routes:
    - {receiver: oncall, matchers: ['team="gpu"'], continue: true}
    - {receiver: hook}
receivers:
  - {name: hook, webhook_configs: [{url: '%s'}]}
  - {name: oncall, webhook_configs: [{url: '%s'}]}
"""
QUIET = "route: {receiver: r, group_by: [alertname], group_wait: 1h, group_interval: 1h}\nreceivers: [{name: r}]\n"


def ask(t, **params):
    r = t.get("/api/tocsin/board?" + urllib.parse.urlencode(params, doseq=True))
    equal(r.status, 200, r.body)
    return r.json()


def rows(board):
    return [board["groups"][k] for k in board["order"]]


def post(t, alerts):
    equal(t.post("/api/v2/alerts", [{"labels": a} for a in alerts]).status, 200)


def silence(t, seconds=3600, **labels):
    return t.post("/api/v2/silences", {"matchers": [{"name": n, "value": v, "isRegex": False} for n, v in labels.items()], "createdBy": "me",
                                       "comment": "known", "startsAt": stamp(), "endsAt": stamp(seconds)}).json()["silenceID"]


class Stream:
    """A page that follows: events as they come, by a thread that reads."""

    def __init__(self, t, *windows, last=None, gzip=False):
        self.events, self.comments, self.ended, self.status = queue.Queue(), 0, threading.Event(), 0
        self.id, self.bytes = None, 0
        query = "&".join("window=" + urllib.parse.quote(w, safe="") for w in windows)
        host, port = t.address.rsplit(":", 1)
        self.s = socket.create_connection((host, int(port)), timeout=30)
        head = f"GET /api/tocsin/stream?{query} HTTP/1.1\r\nHost: x\r\n" + (f"Last-Event-ID: {last}\r\n" if last else "") + ("Accept-Encoding: gzip\r\n" if gzip else "")
        self.s.sendall((head + "\r\n").encode())
        self.gzip = gzip
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        f = self.s.makefile("rb")
        z = zlib.decompressobj(31) if self.gzip else None
        try:
            self.status = int(f.readline().split()[1])
            while f.readline() not in (b"\r\n", b""):
                pass
            text = b""
            while True:
                n = int(f.readline() or b"0", 16)
                if n == 0:
                    break
                piece = f.read(n)
                f.readline()
                self.bytes += n
                text += z.decompress(piece) if z else piece
                while b"\n\n" in text:
                    event, text = text.split(b"\n\n", 1)
                    self._take(event.decode())
        except (OSError, ValueError):
            pass
        self.ended.set()

    def _take(self, event):
        if event.startswith(":"):
            self.comments += 1
            return
        fields = dict(line.split(": ", 1) for line in event.split("\n"))
        if "id" in fields:
            self.id = fields["id"]
            self.events.put((fields["event"], json.loads(fields["data"])))

    def next(self, seconds=10):
        return self.events.get(timeout=seconds)

    def close(self):
        self.s.close()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()


def apply(page, change):
    """What a page does with a change."""
    page["totals"] = change.get("totals", page["totals"])
    page["groups"].update(change["groups"])
    page["order"] = change.get("order", page["order"])
    page["groups"] = {k: page["groups"][k] for k in page["order"]}
    return page


def same(page, board):
    """Without what differs between two windows: revision, time, name."""
    pick = lambda x: json.dumps({k: x[k] for k in ("totals", "order", "groups")}, sort_keys=True)
    return pick(page) == pick(board)


def test_pages():
    with folder() as d, Sink() as sink, Tocsin(CONFIG % (sink.url, sink.url), d) as t:
        equal(ask(t)["totals"]["alerts"], 0)
        post(t, [{"alertname": "Slow", "severity": "warning", "gpu": "0", "job": "vllm"}, {"alertname": "Slow", "severity": "warning", "gpu": "1", "job": "vllm"}])
        post(t, [{"alertname": "Down", "severity": "critical", "team": "gpu"}, {"alertname": "Note", "severity": "info", "job": "x"}])
        b = ask(t, by="job")
        equal([(g["labels"]["alertname"], g["receiver"]) for g in rows(b)], [("Down", "oncall"), ("Down", "hook"), ("Slow", "hook"), ("Note", "hook")]
              if rows(b)[0]["receiver"] == "oncall" else [("Down", "hook"), ("Down", "oncall"), ("Slow", "hook"), ("Note", "hook")], "worst first")
        totals = b["totals"]
        equal((totals["alerts"], totals["groups"], totals["states"]), (4, 4, {"firing": 4, "silenced": 0, "inhibited": 0, "pending": 0}))
        equal([(s["severity"], s["rank"], s["alerts"]) for s in totals["severities"]], [("critical", 0, 1), ("warning", 2, 2), ("info", 3, 1)])
        equal({v["value"]: v["alerts"] for v in totals["by"]["values"]}, {"vllm": 2, "x": 1, "": 1})
        slow = rows(b)[2]
        equal((slow["shared"], slow["counts"]["firing"]), ({"alertname": "Slow", "job": "vllm", "severity": "warning"}, 2))
        equal(sorted(a["labels"]["gpu"] for a in slow["alerts"]), ["0", "1"])
        assert slow["nextFlush"] and len(slow["key"]) == 16, slow
        # pages, filters, text
        equal([g["labels"]["alertname"] for g in rows(ask(t, offset=2, limit=1))], ["Slow"])
        one = ask(t, filter=['severity="warning"', 'gpu="1"'])
        equal((one["totals"]["alerts"], len(rows(one)[0]["alerts"])), (1, 1))
        equal([g["labels"]["alertname"] for g in rows(ask(t, q="VLLM"))], ["Slow"])
        equal({g["receiver"] for g in rows(ask(t, receiver="oncall"))}, {"oncall"})
        equal([g["key"] for g in rows(ask(t, group=slow["key"], alerts=1))], [slow["key"]])
        equal(len(rows(ask(t, group=slow["key"], alerts=1))[0]["alerts"]), 1)
        equal([g["labels"]["alertname"] for g in rows(ask(t, severity="info,warning"))], ["Slow", "Note"])
        # what is held comes last, and says by whom; who asks at once sees it
        id = silence(t, alertname="Down")
        b = ask(t)
        equal([g["state"] for g in rows(b)], ["firing", "firing", "silenced", "silenced"])
        held = rows(b)[2]["alerts"][0]["silencedBy"][0]
        equal((held["id"], held["createdBy"], held["comment"]), (id, "me", "known"))
        equal(b["totals"]["states"]["silenced"], 1, "an alert of two groups is one")
        equal({g["state"] for g in rows(ask(t, state="silenced"))}, {"silenced"})
        # who has it is told so
        tag = t.get("/api/tocsin/board").headers["ETag"]
        until("nothing changes any more", lambda: t.get("/api/tocsin/board", headers={"If-None-Match": t.get("/api/tocsin/board").headers["ETag"]}).status == 304)
        post(t, [{"alertname": "New"}])
        equal(t.get("/api/tocsin/board", headers={"If-None-Match": tag}).status, 200)
        for bad in ("filter=%3D", "state=asleep", "limit=x"):
            equal(t.get("/api/tocsin/board?" + bad).status, 400, bad)
        equal([x["name"] for x in t.get("/api/tocsin/labels?begins=a").json()], ["alertname"])
        equal({x["value"]: x["alerts"] for x in t.get("/api/tocsin/labels/gpu").json()}, {"0": 1, "1": 1})
        until("the day has begun", lambda: rows(ask(t))[0].get("strip", "").endswith("2"))


def test_without_routes_and_with_rules():
    rules = "groups: [{name: g, interval: 200ms, rules: [{alert: Now, expr: vector(7)}, {alert: Soon, expr: vector(1), for: 1h}]}]\n"
    with folder() as d, Tocsin("rule_files: [r.yml]\n", d, files={"r.yml": rules}) as t:
        until("one waits", lambda: ask(t)["totals"]["states"]["pending"] == 1)
        b = until("it fires", lambda: next((b for b in [ask(t)] if b["order"]), None))
        equal([(g["shared"]["alertname"], g["receiver"], g["alerts"][0]["value"]) for g in rows(b)], [("Now", "", "7")])


def test_stream():
    with folder() as d, Tocsin(QUIET, d) as t:
        post(t, [{"alertname": f"A{i}", "severity": "warning"} for i in range(30)])
        with Stream(t, "limit=20") as s, Stream(t, "limit=20", "filter=alertname%3DA3", gzip=True) as packed:
            kind, page = s.next()
            equal((kind, page["window"], len(page["order"]), page["totals"]["groups"]), ("page", "limit=20", 20, 30))
            equal([packed.next()[0], packed.next()[0]], ["page", "page"])
            # a storm is a few frames
            begun = time.monotonic()
            for i in range(40):
                post(t, [{"alertname": f"B{i}", "severity": "critical", "i": str(i)}])
                time.sleep(0.02)
            took = time.monotonic() - begun
            frames = 0
            while not same(page, ask(t, limit=20)):
                kind, change = s.next()
                equal(kind, "change")
                page = apply(page, change)
                frames += 1
            assert frames <= took * 4 + 3, (frames, took)
            # what has gone on meanwhile is all that is told to who comes back
            last = s.id
            s.close()
            post(t, [{"alertname": "C", "severity": "critical"}])
            until("another reader has it", lambda: any(change["totals"]["groups"] == 71 for _, change in [packed.next()] if "totals" in change))
            with Stream(t, "limit=20", last=last) as again:
                kind, change = again.next()
                equal((kind, len(change["groups"])), ("change", 1))
                assert same(apply(page, change), ask(t, limit=20))
                last = again.id
            with Stream(t, "limit=20", last="0123456789abcdef-" + last.split("-")[1]) as stranger:
                equal(stranger.next()[0], "page", "of another life")
            with Stream(t, "limit=20", last=last) as idle:
                until("it has begun", lambda: t.metric("tocsin_board_streams") >= 1)
                until("somebody says that he is there", lambda: packed.comments, seconds=20)
                assert idle.events.empty(), "nothing has changed"
            # a configuration in force ends all streams, a stop does
            equal(t.post("/-/reload", None).status, 200)
            assert packed.ended.wait(5), "a reload ends streams"
            with Stream(t) as last:
                last.next()
                begun = time.monotonic()
                t.stop()
                assert time.monotonic() - begun < 5 and last.ended.wait(5)


def rss(t):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{t.p.pid}/status").read())[1]) / 1024


def test_many_and_slow_readers():
    """512 follow; who does not read costs what the kernel holds and 16 KB, and nobody else waits for him."""
    with folder() as d, Tocsin(QUIET, d, "--web.get-concurrency=8") as t:
        post(t, [{"alertname": f"A{i}", "severity": "warning", "text": "x" * 500} for i in range(200)])
        ask(t, limit=200)
        before = rss(t)
        host, port = t.address.rsplit(":", 1)
        sockets = []
        for i in range(512):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect((host, int(port)))
            s.sendall(b"GET /api/tocsin/stream?window=limit%3D200 HTTP/1.1\r\nHost: x\r\n\r\n")
            sockets.append(s)
            if i % 64 == 63:
                until("they follow", lambda: t.metric("tocsin_board_streams") == i + 1)
        with Stream(t) as one_more:
            until("one more is refused", lambda: one_more.status == 503)
        for k in range(20):
            post(t, [{"alertname": f"A{i}", "severity": "warning", "text": "y" * 500, "k": str(k)} for i in range(200)])
        equal(len(rows(ask(t, limit=500, alerts=1))), 200, "GETs are answered")
        until("frames were made", lambda: t.metric("tocsin_board_frames_total", kind="page") >= 512)
        grown = rss(t) - before
        assert grown < 100 or "Sanitizer" in t.text() or "/dev/" in PROGRAM, grown
        longest = t.get("/api/tocsin/overview?loop=true").json()["loop"]["longestTurnSeconds"]
        assert longest < float(os.environ.get("TOCSIN_LAG_MAX", "0.5")), longest
        for s in sockets:
            s.close()
        until("all have gone", lambda: t.metric("tocsin_board_streams") == 0)


def test_what_was_told():
    with folder() as d, Sink() as sink, contextlib.ExitStack() as stack:
        t = stack.enter_context(Tocsin(CONFIG % (sink.url, sink.url), d))

        def told(**params):
            r = t.get("/api/tocsin/notifications?" + urllib.parse.urlencode(params))
            equal(r.status, 200, r.body)
            return r.json()

        for i in range(5):
            t.alert(alertname=f"A{i}")
        t.alert(alertname="G", team="gpu")
        until("all is told", lambda: len(told(verdict="delivered")["notifications"]) == 7)
        all = told()
        equal((len(all["notifications"]), all["next"]), (14, None))
        assert all["notifications"][0]["at"] >= all["notifications"][-1]["at"], "newest first"
        equal({n["receiver"] for n in told(receiver="oncall")["notifications"]}, {"oncall"})
        g = next(a for a in t.alerts() if a["labels"]["alertname"] == "G")["fingerprint"]
        of_g = told(alert=g)["notifications"]
        equal(sorted((n["receiver"], n["verdict"]) for n in of_g), [("hook", "delivered"), ("hook", "notify"), ("oncall", "delivered"), ("oncall", "notify")])
        equal(next(n for n in of_g if n["verdict"] == "notify")["alerts"][0]["labels"]["alertname"], "G")
        equal(len(told(group='{}/{}:{alertname="A1"}')["notifications"]), 2)
        pages, cursor = [], ""
        while cursor is not None:
            p = told(limit=4, **({"cursor": cursor} if cursor else {}))
            pages.append(p["notifications"])
            cursor = p["next"]
        equal([len(p) for p in pages], [4, 4, 4, 2])
        equal([n for p in pages for n in p], all["notifications"])
        middle = all["notifications"][6]["at"]
        equal([n["at"] >= middle for n in told(since=middle)["notifications"]].count(False), 0)
        assert all["notifications"][-1] in told(until=middle)["notifications"]
        for bad in ("alert=x", "cursor=y", "since=whenever"):
            equal(t.get("/api/tocsin/notifications?" + bad).status, 400, bad)
        t.stop()
        t = stack.enter_context(Tocsin(CONFIG % (sink.url, sink.url), d))
        equal(told()["notifications"][-14:], all["notifications"], "a restart later")


def test_who_am_i():
    with folder() as d:
        config = QUIET + "web: {tokens: [{name: eyes, token: r, scope: read}, {name: hands, token: s, scope: silence}]}\n"
        with Tocsin(config, d) as t:
            who = lambda token: t.get("/api/tocsin/whoami", headers={"Authorization": "Bearer " + token})
            equal((who("r").json()["name"], who("r").json()["may"]), ("eyes", {"silence": False, "change": False}))
            equal(who("s").json()["may"], {"silence": True, "change": False})
            equal(who("x").status, 401)
            equal(t.get("/api/tocsin/stream").status, 401)
        with Tocsin(QUIET, d) as t:
            equal(t.get("/api/tocsin/whoami").json()["may"], {"silence": True, "change": True})


main()
