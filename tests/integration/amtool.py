"""Debian's amtool as a client, and the shapes of API v2 that other clients rely on."""
import os, subprocess
from harness import *

CONFIG = """route: {receiver: hook, group_by: [alertname], group_wait: 0s, routes: [{receiver: gpu, matchers: ['team="gpu"']}]}
receivers: [{name: hook}, {name: gpu}]
"""


def amtool(t, d, *args, code=0):
    p = subprocess.run([peer("amtool"), "--alertmanager.url=" + t.url, "--no-version-check", *args],
                       capture_output=True, text=True, timeout=20, env={"HOME": d, "PATH": "/usr/bin:/bin"})
    equal(p.returncode, code, f"amtool {' '.join(args)}: {p.stdout}{p.stderr}")
    return p.stdout.strip()


def test_amtool():
    with folder() as d, Tocsin(CONFIG, d) as t:
        amtool(t, d, "alert", "add", "Slow", "gpu=0", "team=gpu", "--annotation=summary=it is slow",
               "--generator-url=http://prometheus.example/graph")
        amtool(t, d, "alert", "add", "Slow", "gpu=1", "team=gpu")
        got = amtool(t, d, "alert", "query", "-o", "extended", "gpu=0")
        assert 'gpu="0"' in got and "it is slow" in got and 'gpu="1"' not in got, got
        equal(len(json.loads(amtool(t, d, "-o", "json", "alert", "query", "gpu=~[01]", "--receiver=gpu"))), 2)

        id = amtool(t, d, "silence", "add", "alertname=Slow", "gpu=~0|9", "-a", "me", "-c", "known", "-d", "2h")
        equal(len(id), 36, "silence id")
        got = json.loads(amtool(t, d, "-o", "json", "silence", "query"))
        equal([(s["id"], s["createdBy"], s["comment"], s["status"]["state"]) for s in got],
              [(id, "me", "known", "active")])
        equal([a["labels"]["gpu"] for a in json.loads(amtool(t, d, "-o", "json", "alert", "query"))], ["1"])
        equal([a["labels"]["gpu"] for a in json.loads(amtool(t, d, "-o", "json", "alert", "query", "--silenced"))],
              ["0"])
        new = amtool(t, d, "silence", "update", "-d", "3h", "-c", "still known", id)
        assert id in new, new
        amtool(t, d, "silence", "expire", id)
        equal(json.loads(amtool(t, d, "-o", "json", "silence", "query")), [])
        equal(len(json.loads(amtool(t, d, "-o", "json", "silence", "query", "--expired"))), 1)
        assert "group_by" in amtool(t, d, "config", "show")
        amtool(t, d, "silence", "expire", "00000000-0000-4000-8000-000000000000", code=1)
        amtool(t, d, "cluster", "show")


def test_error_shapes():
    json_type = {"Content-Type": "application/json"}
    with folder() as d, Tocsin(CONFIG, d) as t:
        def code(r, status, code=None):
            equal(r.status, status, r.body)
            if code is not None:
                equal(r.json()["code"], code, r.body)
                assert r.json()["message"], r.body

        code(t.post("/api/v2/alerts", b"[]", headers={"Content-Type": "text/plain"}), 415, 415)
        code(t.post("/api/v2/alerts", b"", headers=json_type), 422, 602)
        code(t.post("/api/v2/alerts", b"[{", headers=json_type), 400, 400)
        code(t.post("/api/v2/alerts", [{}]), 422, 602)
        code(t.post("/api/v2/silences", {"matchers": []}), 422)
        ok = {"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": stamp(), "endsAt": stamp(60),
              "createdBy": "me", "comment": "c"}
        code(t.post("/api/v2/silences", {**ok, "matchers": []}), 422, 612)
        for field in ok:
            code(t.post("/api/v2/silences", {k: v for k, v in ok.items() if k != field}), 422, 602)
        r = t.post("/api/v2/silences", {**ok, "endsAt": stamp(-60)})
        code(r, 400)
        assert isinstance(r.json(), str), r.body
        r = t.post("/api/v2/silences", {**ok, "id": "00000000-0000-4000-8000-000000000000"})
        code(r, 404)
        code(t.get("/api/v2/silence/00000000-0000-4000-8000-000000000000"), 404)
        equal(t.get("/api/v2/silence/00000000-0000-4000-8000-000000000000").body, b"")
        code(t.get("/api/v2/silence/xyz"), 422, 601)
        r = t.get("/api/v2/alerts?filter=%7B")
        code(r, 400)
        assert isinstance(r.json(), str), r.body
        code(t.get("/api/v2/alerts?receiver=%5B"), 400)
        code(t.get("/api/v2/none"), 404, 404)
        r = request("DELETE", t.url + "/api/v2/alerts")
        code(r, 405, 405)
        assert "GET" in r.headers["Allow"] and "POST" in r.headers["Allow"], r.headers
        code(t.get("/api/v1/receivers"), 410)
        equal(t.get("/api/v1/receivers").json()["status"], "deprecated")
        code(t.post("/api/v1/alerts", []), 410)


def test_alert_shape():
    with folder() as d, Tocsin(CONFIG, d) as t:
        zero = "0001-01-01T00:00:00.000Z"
        equal(t.post("/api/v2/alerts", [{"labels": {"alertname": "A", "empty": ""}, "startsAt": zero, "endsAt": zero,
                                         "generatorURL": "http://p.example/g?x=1&y=2"}]).status, 200)
        [a] = t.alerts()
        equal(a["labels"], {"alertname": "A"})
        equal(a["annotations"], {})
        equal(a["receivers"], [{"name": "hook"}])
        equal(a["status"], {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": a["status"]["state"]})
        equal(a["generatorURL"], "http://p.example/g?x=1&y=2")
        assert re.fullmatch(r"[0-9a-f]{16}", a["fingerprint"]), a
        for k in ("startsAt", "endsAt", "updatedAt"):
            assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", a[k]), a
        [g] = t.get("/api/v2/alerts/groups").json()
        equal((g["labels"], g["receiver"], len(g["alerts"])), ({"alertname": "A"}, {"name": "hook"}, 1))
        equal([r["name"] for r in t.get("/api/v2/receivers").json()], ["hook", "gpu"])
        status = t.get("/api/v2/status").json()
        equal(status["cluster"], {"peers": [], "status": "disabled"})
        equal(set(status), {"cluster", "config", "uptime", "versionInfo"})
        t.alert(alertname="A", ends=0)
        until("ended alerts are not listed", lambda: not t.alerts())
        r = t.post("/api/v2/alerts", [{"labels": {"alertname": "good"}}, {"labels": {}},
                                      {"labels": {"alertname": "late"}, "startsAt": stamp(60), "endsAt": stamp(0)}])
        equal(r.status, 400, r.body)
        equal([a["labels"]["alertname"] for a in t.alerts()], ["good"], "the good ones of a partly bad request")


def test_cors():
    with folder() as d, Tocsin(CONFIG, d) as t:
        origin = {"Origin": "http://karma.example"}
        r = t.get("/api/v2/alerts", headers=origin)
        equal((r.headers["Access-Control-Allow-Origin"], r.headers["Vary"], r.headers["Cache-Control"]),
              ("*", "Origin", "no-store"))
        equal(t.get("/api/v2/alerts").headers["Access-Control-Allow-Origin"], None)
        r = request("OPTIONS", t.url + "/api/v2/alerts", headers={
            **origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"})
        equal(r.status, 204)
        assert "POST" in r.headers["Access-Control-Allow-Methods"], r.headers
        r = request("DELETE", t.url + "/api/v2/silence/00000000-0000-4000-8000-000000000000", headers=origin)
        equal(r.headers["Access-Control-Allow-Origin"], None)


main()
