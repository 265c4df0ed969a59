"""Trying things: receiver test by a server and by files, a drill of a rule's whole way. Nothing of what runs knows of them."""
from harness import *

RULES = """groups:
  - name: g
    interval: 1s
    rules:
      - alert: Hot
        expr: 'temperature{job="gpu", rack=~"r.*"} > 80'
        labels: {severity: critical, team: '{{ $labels.job }}-team'}
        annotations: {summary: 'rack {{ $labels.job }} at {{ $value }}', runbook_url: 'http://x/{{ $labels.alertname }}'}
      - {alert: Up, expr: vector(7) > 1, labels: {severity: page}, annotations: {summary: 'value {{ $value }}'}}
      - {alert: Apart, expr: 'sum by (zone) (x) > 1', annotations: {description: 'zone {{ $labels.zone }}'}}
"""


def config(sink, pager="", more=""):
    return f"""global: {{pagerduty_url: '{pager or sink.url}'}}
rule_files: [r.yml]
route:
  receiver: hook
  group_by: [alertname, team]
  group_wait: 1h
  routes: [{{receiver: both, matchers: [severity=critical]}}]
receivers:
  - {{name: hook, webhook_configs: [{{url: '{sink.url}/hook'}}]}}
  - name: both
    webhook_configs: [{{url: '{sink.url}/both'}}]
    pagerduty_configs: [{{routing_key: SECRETKEY}}]
  - {{name: nobody}}
{more}"""


def server(d, sink, **more):
    return Tocsin(config(sink, **more), d, files={"r.yml": RULES})


def run(*args, code=0, **options):
    p = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **options)
    equal(p.returncode, code, f"{args}: {p.stdout}{p.stderr}")
    return p.stdout + p.stderr


def quiet(t):
    """What a trial must not touch."""
    names = ("alertmanager_notifications_total", "alertmanager_notification_requests_total", "alertmanager_alerts_received_total", "tocsin_outbox_entries",
             "alertmanager_notifications_failed_total", "alertmanager_nflog_queries_total")
    counts = [line for line in t.get("/metrics").body.decode().splitlines() if line.startswith(names)]
    return counts, sorted(json.dumps(a["labels"]) for a in t.alerts()), t.get("/api/v2/notifications").body


def pages(sink):
    return [r.json() for r in sink.got if "routing_key" in r.json()]


def accepted(sink):
    sink.otherwise = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def test_a_receiver_by_the_server():
    with folder() as d, Sink() as s:
        accepted(s)
        with server(d, s) as t:
            until("the rules have run", lambda: t.alerts())
            before = quiet(t)
            said = run("receiver", "test", "both", "--url", t.url)
            assert "webhook[0]: delivered (status 202" in said and "pagerduty[0]: delivered" in said, said
            assert "pagerduty[0] (closed again): delivered" in said, said
            hook = [r.json() for r in s.got if r.path.endswith("/both")]
            equal([(m["alerts"][0]["labels"]["alertname"], m["status"]) for m in hook], [("TocsinTest", "firing")])
            equal([p["event_action"] for p in pages(s)], ["trigger", "resolve"], "what it opened is closed")
            equal(len({p["dedup_key"] for p in pages(s)}), 1)
            equal(quiet(t), before, "nothing else has changed")
            assert "did you mean 'both'" in run("receiver", "test", "boht", "--url", t.url, code=1)
            assert "nothing is sent" in run("receiver", "test", "nobody", "--url", t.url)
            answer = json.loads(run("receiver", "test", "hook", "--url", t.url, "-o", "json", "--resolved"))
            equal((answer["results"][0]["told"], answer["results"][0]["verdict"]), ("resolved", "delivered"))


def test_over_http():
    with folder() as d, Sink(*[(401, {}), 404]) as s:
        s.otherwise = 200
        with server(d, s) as t:
            post = lambda path, body=None: t.post(path, json.dumps(body).encode() if body is not None else b"")
            r = post("/api/v2/receivers/hook/test").json()
            first = r["results"][0]
            equal((r["receiver"], first["verdict"], first["status"]), ("hook", "refused", 401))
            assert "does not know them" not in first["error"] and "token" in first["advice"]["en"] and "令牌" in first["advice"]["zh"], first
            assert "地址" in post("/api/v2/receivers/hook/test").json()["results"][0]["advice"]["zh"]
            r = post("/api/v2/receivers/hook/test", {"labels": {"alertname": "GpuLost", "gpu": "3"}, "annotations": {"summary": "s"}}).json()
            equal((r["results"][0]["verdict"], r["results"][0]["advice"]), ("delivered", None))
            sent = s.got[-1].json()["alerts"][0]
            equal((sent["labels"], sent["annotations"]), ({"alertname": "[TEST] GpuLost", "gpu": "3"}, {"summary": "[TEST] s"}))
            equal(post("/api/v2/receivers/hook/test", {"ask": True}).json(), {"costs": []})
            for path, body, status in (("/api/v2/receivers/hok/test", {}, 404), ("/api/v2/receivers/hook", {}, 404), ("/api/v2/receivers/hook/test", [], 400),
                                       ("/api/v2/receivers/hook/test", {"lables": {}}, 400), ("/api/v2/receivers/hook/test", {"labels": {"a": 1}}, 400),
                                       ("/api/v2/receivers/hook/test", {"labels": {"a": "x" * 5000}}, 400), ("/api/v2/drill", {"alertname": "Hott"}, 404),
                                       ("/api/v2/drill", {}, 404)):
                r = post(path, body)
                equal(r.status, status, f"{path} {str(body)[:50]}: {r.body}")
            assert "did you mean 'Hot'" in post("/api/v2/drill", {"alertname": "Hott"}).json()
            equal(t.post("/api/v2/drill", b"x" * (1 << 20)).status, 413)
            equal(s.count(), 3)


def test_a_drill():
    with folder() as d, Sink() as s:
        accepted(s)
        with server(d, s) as t:
            until("the rules have run", lambda: t.alerts())
            t.post("/api/v2/silences", {"matchers": [{"name": "alertname", "value": "Hot", "isRegex": False}], "startsAt": stamp(-60), "endsAt": stamp(3600),
                                        "createdBy": "t", "comment": "c"})
            before = quiet(t)
            said = run("drill", "Hot", "--url", t.url)
            for words in ("rule of ", "r.yml", "the rule has no alert now: one is made up", 'alertname="Hot"', 'team="gpu-team"', 'severity="critical"',
                          "route to both, group {}/{severity=\"critical\"}:{alertname=\"Hot\", team=\"gpu-team\"}; the real one would be kept back now by a silence",
                          "both/webhook[0]: delivered", "both/pagerduty[0]: delivered", "both/pagerduty[0] (closed again): delivered"):
                assert words in said, (words, said)
            m = [r.json() for r in s.got if r.path.endswith("/both")][0]
            equal(m["alerts"][0]["labels"], {"alertname": "[DRILL] Hot", "job": "gpu", "severity": "critical", "team": "gpu-team"})
            equal(m["alerts"][0]["annotations"], {"summary": "[DRILL] rack gpu at 1", "runbook_url": "http://x/"})
            equal(m["groupLabels"], {"alertname": "[DRILL] Hot", "team": "gpu-team"})
            equal(quiet(t), before, "nothing else has changed")
            said = run("drill", "Up", "--url", t.url)
            assert "the rule's alert of now" in said and "hook/webhook[0]: delivered" in said, said
            equal(s.got[-1].json()["alerts"][0]["annotations"]["summary"], "[DRILL] value 7")
            run("drill", "Apart", "--url", t.url, "--label", "zone=b", "--label", "severity=critical")
            m = [r.json() for r in s.got if r.path.endswith("/both")][-1]
            equal((m["alerts"][0]["labels"]["zone"], m["alerts"][0]["annotations"]["description"]), ("b", "[DRILL] zone b"))
            assert m["alerts"][0]["annotations"]["summary"] == "[DRILL]"
            equal(quiet(t), before, "nothing else has changed")
            assert "did you mean 'Apart'" in run("drill", "Aprat", "--url", t.url, code=1)


def test_a_drill_closes_no_incident_of_the_real_one():
    with folder() as d, Sink() as s:
        accepted(s)
        text = config(s).replace("group_wait: 1h", "group_wait: 0s").replace("matchers: [severity=critical]", "matchers: [severity=page]")
        with Tocsin(text, d, files={"r.yml": RULES}) as t:
            until("the real one is told", lambda: pages(s))
            run("drill", "Up", "--url", t.url)
            until("the drill is over", lambda: len(pages(s)) == 3)
            keys = [p["dedup_key"] for p in pages(s)]
            equal([p["event_action"] for p in pages(s)], ["trigger", "trigger", "resolve"])
            assert keys[1] == keys[2] != keys[0], keys
            assert "[DRILL]" in pages(s)[1]["payload"]["summary"] and "[DRILL]" not in pages(s)[0]["payload"]["summary"]


def test_in_chinese():
    with folder() as d, Sink() as s, Tocsin(config(s).replace("global: {", "global: {language: zh, "), d, files={"r.yml": RULES}) as t:
        run("drill", "Up", "--url", t.url)
        equal(s.got[-1].json()["alerts"][0]["labels"]["alertname"], "[演练] Up")


def test_what_is_sent_goes_to_a_file():
    with folder() as d, Sink() as s:
        path = write(f"{d}/t.yml", config(s, more="    \n").replace("rule_files: [r.yml]\n", ""))
        run("receiver", "test", "both", "--config.file=" + path, f"--to-file={d}/out")
        out = open(f"{d}/out").read()
        assert out.startswith("POST <secret>\n") and '"TocsinTest"' in out and "SECRETKEY" not in out and '"routing_key":"<secret>"' in out, out
        equal((os.stat(f"{d}/out").st_mode & 0o777, s.count()), (0o600, 0))
        assert "a test by 'tocsin receiver test'" in run("receiver", "test", "hook", "--config.file=" + path, "--to-file=-").replace("\\u0027", "'")
        equal(s.count(), 0)


def test_explain_says_what_to_do():
    with folder() as d, Sink(otherwise=404) as s:
        with Tocsin(config(s).replace("group_wait: 1h", "group_wait: 0s"), d, files={"r.yml": RULES}) as t:
            until("it is refused", lambda: "404" in run("explain", "receiver", "hook", "--url", t.url))
            said = run("explain", "receiver", "hook", "--url", t.url)
            assert "what to do: look at the address" in said and "怎么办：检查地址" in said, said
            a = t.get("/api/v2/explain?of_receiver=hook").json()["advice"]
            assert "address" in a["en"] and "地址" in a["zh"], a


def test_what_costs_is_asked_before():
    numbers = "{provider: twilio, api_url: 'URL', access_key: AC1, secret_key: SECRET, from: '+1555', numbers: ['+15550001']}"
    with folder() as d, Sink(otherwise=201) as s:
        more = f"""  - name: paid
    webhook_configs: [{{url: '{s.url}/hook'}}]
    sms_configs: [{numbers.replace('URL', s.url)}]
"""
        with Tocsin(config(s, more=more), d, files={"r.yml": RULES}) as t:
            post = lambda body: t.post("/api/v2/receivers/paid/test", json.dumps(body).encode())
            equal(post({"ask": True}).json(), {"costs": ["paid/sms[0]"]})
            r = post({})
            assert r.status == 409 and "paid/sms[0]" in r.json() and "confirm" in r.json(), r.body
            said = run("receiver", "test", "paid", "--url", t.url, code=1)
            assert "these cost money, or ring:\n  paid/sms[0]\n" in said and "--yes sends them" in said, said
            assert "--yes sends them" in run("receiver", "test", "paid", "--config.file=" + t.config_file, code=1)
            equal(s.count(), 0, "nothing is sent")
            run("receiver", "test", "paid", "--config.file=" + t.config_file, "--to-file=-")
            equal(post({"confirm": True}).status, 200)
            equal(s.count(), 2)


def test_who_may():
    """A token that may only read does not send."""
    with folder() as d, Sink() as s:
        tokens = "web: {tokens: [{name: r, token: readreadread, scope: read}, {name: a, token: adminadmin, scope: admin}]}\n"
        with Tocsin(config(s) + tokens, d, files={"r.yml": RULES}) as t:
            for path in ("/api/v2/receivers/hook/test", "/api/v2/drill"):
                equal(t.post(path, b"{}", headers={"Authorization": "Bearer readreadread"}).status, 403)
                equal(t.post(path, b"{}").status, 401)
            equal(s.count(), 0)
            equal(t.post("/api/v2/receivers/hook/test", b"{}", headers={"Authorization": "Bearer adminadmin"}).status, 200)


def test_a_client_that_goes_and_a_stop():
    with folder() as d, Sink(otherwise=NOTHING) as s, server(d, s) as t:
        c = socket.create_connection(t.address.split(":"))
        c.sendall(b"POST /api/v2/receivers/hook/test HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        until("it is sent", lambda: s.count() == 1)
        c.close()
        c = socket.create_connection(t.address.split(":"))
        c.sendall(b"POST /api/v2/receivers/hook/test HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        until("it is sent", lambda: s.count() == 2)
        t.stop()


main()
