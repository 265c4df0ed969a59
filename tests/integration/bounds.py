"""What anybody may post: bodies out of the ordinary, and how much work they make."""
import json
import threading
import time
from harness import *

JSON = {"Content-Type": "application/json"}


def raw(t, path, body):
    return t.post(path, body, headers=JSON)


def test_an_odd_alert_spoils_no_batch():
    """As Go's encoding/json reads them: Alertmanager takes all of these."""
    good = b'{"labels":{"alertname":"Good","n":"%d"}}'
    odd = [b'{"labels":{"alertname":"Nul","a":"x\\u0000y"}}',
           b'{"labels":{"alertname":"Null","a":null}}',
           b'{"labels":{"alertname":"Nulls","a":"1"},"annotations":{"b":null},"generatorURL":null,"startsAt":null}',
           b'{"labels":{"alertname":"Lone","a":"\\ud83d"}}',
           b'{"labels":{"alertname":"Bytes","a":"\xff\xfe"}}',
           b'{"labels":{"alertname":"Case","a":"1"},"Annotations":{"s":"t"},"GENERATORURL":"http://x"}',
           b'null']
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        for i, alert in enumerate(odd):
            r = raw(t, "/api/v2/alerts", b"[" + good % i + b"," + alert + b"]")
            equal(r.status, 200, f"{alert}: {r.body}")
        for body in (b"[" + good % 99 + b"]\0\n}behind", b"[] []", b"null"):
            r = raw(t, "/api/v2/alerts", body)
            equal(r.status, 200, r.body)
        got = {a["labels"]["alertname"]: a for a in t.alerts()}
        equal(sorted(got), ["Bytes", "Case", "Good", "Lone", "Nul", "Null", "Nulls"])
        equal(got["Nul"]["labels"]["a"], "x\0y")
        equal(got["Null"]["labels"], {"alertname": "Null"})
        equal(got["Nulls"]["annotations"], {"b": ""})
        equal(got["Lone"]["labels"]["a"], "\ufffd")
        equal(got["Bytes"]["labels"]["a"], "\ufffd\ufffd")
        equal((got["Case"]["annotations"], got["Case"]["generatorURL"]), ({"s": "t"}, "http://x"))
        equal(len([a for a in t.alerts() if a["labels"]["alertname"] == "Good"]), len(odd) + 1)
        until("told", lambda: {"Nul", "Lone"} <= {r.json()["groupLabels"]["alertname"] for r in sink.got})


def test_keys_in_any_case_resolve():
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        body = '[{"labels":{"alertname":"Past"},"StartsAt":"%s","EndsAt":"%s"}]' % (stamp(-60), stamp(-30))
        equal(raw(t, "/api/v2/alerts", body.encode()).status, 200)
        equal(t.alerts(), [])
        time.sleep(1)
        equal(sink.count(), 0, "messages about an alert that ended before it came")
        silence = {"Matchers": [{"Name": "a", "VALUE": "b", "isregex": False}, None], "startsat": stamp(), "ENDSAT": stamp(60),
                   "CreatedBy": "me", "comment": "x\0\ud800"}
        r = raw(t, "/api/v2/silences", json.dumps(silence).encode() + b"x")
        equal(r.status, 200, r.body)
        equal(t.get("/api/v2/silences").json()[0]["comment"], "x\0\ufffd")


def pairs(n):
    """In no order."""
    return {f"a{(i * 7919) % n:x}": "" for i in range(n)}


def longest(t, work):
    """How long the loop kept somebody waiting while work() ran."""
    worst, thread = 0, threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        began = time.monotonic()
        t.get("/-/healthy", timeout=60)
        worst = max(worst, time.monotonic() - began)
    return worst


def test_many_labels():
    """Over 20,000 in a body that is read on the loop, and larger ones on both workers: all by themselves, all looked up once."""
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        for what in ("labels", "annotations"):
            alert = {"labels": {"alertname": "Wide"}, "annotations": {}}
            alert[what].update({k: "x" for k in pairs(9_000)})
            equal(raw(t, "/api/v2/alerts", json.dumps([alert]).encode()).status, 200)
            alert[what].update(pairs(23_000) if what == "annotations" else {k: "x" for k in pairs(20_000)})
            body, got = json.dumps([{"labels": {"alertname": "Other"}}, alert], separators=(",", ":")).encode(), []
            assert len(body) < 256 << 10, len(body)
            worst = longest(t, lambda: got.append(raw(t, "/api/v2/alerts", body)))
            print(f"{len(alert[what])} {what}: the loop was held for {worst:.3f} s")
            equal(got[0].status, 400)
            assert b"more than 10000 labels or annotations" in got[0].body, got[0].body
            assert worst < 0.5, f"the loop was held for {worst:.2f} s"
        equal({a["labels"]["alertname"] for a in t.alerts()}, {"Wide", "Other"})
        big = json.dumps([{"labels": {k: "x" for k in pairs(60_000)}}]).encode()
        assert len(big) > 600_000
        began = time.monotonic()
        work = [threading.Thread(target=raw, args=(t, "/api/v2/alerts", big)) for _ in range(2)]
        [w.start() for w in work]
        [w.join() for w in work]
        took = time.monotonic() - began
        print(f"two bodies of {len(big)} bytes: {took:.2f} s")
        assert took < 3, took


def test_work_ends_with_its_client():
    """Templates that take all of their steps, again and again, by clients that do not wait."""
    text = '{{ $s := printf "%01000000d" 1 }}{{ range 1000 }}{{ if reReplaceAll "(0+0+)+1" "" $s }}{{ end }}{{ end }}'
    body = json.dumps({"text": text}).encode()
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        began = time.monotonic()
        for _ in range(4):
            try:
                request("POST", t.url + "/api/v2/templates/render", body, JSON, timeout=0.05)
            except OSError:
                pass
        r = raw(t, "/api/v2/templates/render", b'{"text":"{{ .Status }}"}')
        took = time.monotonic() - began
        equal((r.status, r.json()["output"]), (200, "firing"))
        print(f"rendered after {took:.2f} s")
        assert took < 30, took      # each would take minutes; a loaded machine under a sanitizer takes its time


def test_times_at_the_ends():
    with folder() as d, Sink() as sink:
        with Tocsin(simple(sink, more="silences: {max_duration: 1d}\n"), d) as t:
            for start, end, step in (("-9e15", "9e15", "1"), ("-9.2e15", "9.2e15", "9e9"), ("0", "9e15", "1"), ("-9e15", "0", "1000")):
                r = t.get(f"/api/v1/query_range?query=vector(1)&start={start}&end={end}&step={step}", timeout=60)
                equal(r.status, 400, f"{start} {end} {step}")
                assert b"11,000 points" in r.body, r.body
            for what in ("lookback_delta=9e15", "timeout=9e15", "time=1e16"):
                equal(t.get(f"/api/v1/query?query=up&{what}").status, 400, what)
            for time_ in ("9e15", "-9e15"):
                equal(t.get(f"/api/v1/query?query=up+offset+1y+%40+{time_}&time={time_}&lookback_delta=9e9").status, 200)
            for starts, ends in (("1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z"), ("0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"), (stamp(), stamp(90000))):
                r = t.post("/api/v2/silences", {"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": starts, "endsAt": ends,
                                                "createdBy": "me", "comment": "c"})
                equal(r.status, 400, f"{starts} {ends}")
                assert b"1440 minutes" in r.body, r.body
            for starts, ends in (("1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z"), ("9999-01-01T00:00:00Z", "9999-12-31T23:59:59Z")):
                r = t.post("/api/v2/alerts", [{"labels": {"alertname": "Long", "s": starts[:4]}, "startsAt": starts, "endsAt": ends}])
                equal(r.status, 200, r.body)
            equal(len(t.alerts()), 2)
            assert t.get("/api/tocsin/explain?alertname=Long").status in (200, 400, 404)


main()
