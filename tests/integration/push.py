"""Pushes as a Pushgateway takes them: the status codes, a rule over what was pushed, reload and restart, hostile senders."""
import base64, gzip, http.client

from harness import *

RULES = """
groups:
- name: g
  interval: 500ms
  rules:
  - {alert: Hot, expr: 'gpu_temperature > 80', labels: {severity: page}}
"""

TEXT = {"Content-Type": "text/plain; version=0.0.4"}


def config(push="{max_age: 3s}", more="", keep="selected"):
    return ("global: {scrape_interval: 500ms}\nrule_files: [r.yml]\nstorage: {keep: %s}\npush: %s\n%s" % (keep, push, more))


def push(t, method, path, body=b"", headers=TEXT):
    r = request(method, t.url + "/metrics/" + path, body.encode() if isinstance(body, str) else body, headers=headers)
    return r.status, r.body.decode()


def firing(t):
    return [a["labels"] for a in t.get("/api/v1/alerts").json()["data"]["alerts"] if a["state"] == "firing"]


def value(t, query):
    r = t.get("/api/v1/query?query=" + urllib.parse.quote(query)).json()["data"]["result"]
    return {json.dumps(x["metric"], sort_keys=True): float(x["value"][1]) for x in r}


def groups(t):
    return {x["scrapeUrl"]: x for x in t.get("/api/v1/targets?scrapePool=push").json()["data"]["activeTargets"]}


def test_an_alert_over_what_was_pushed():
    with folder() as d, Tocsin(config(), d, files={"r.yml": RULES}) as t:
        equal(push(t, "PUT", "job/train/node/n1", 'gpu_temperature{gpu="0"} 91\nother 1\n'), (200, ""))
        until("the rule fires", lambda: firing(t))
        equal(firing(t), [{"alertname": "Hot", "gpu": "0", "job": "train", "node": "n1", "severity": "page"}])
        equal(value(t, "other"), {}, "no rule selects it")
        equal(t.metric("tocsin_push_groups"), 1.0)
        equal(t.metric("tocsin_push_series"), 2.0)
        began = time.monotonic()
        until("nobody pushes any more: the alert ends", lambda: not firing(t), 6)
        assert time.monotonic() - began > 0.5, "the alert ended before max_age"
        until("the group is gone", lambda: t.metric("tocsin_push_groups") == 0)
        equal(t.metric("tocsin_push_groups_expired_total"), 1.0)
        equal(groups(t), {})

        push(t, "POST", "job/train/node/n1", "gpu_temperature 99\n")
        until("it fires again", lambda: firing(t))
        equal(push(t, "DELETE", "job/train/node/n1"), (202, ""))
        until("a DELETE ends it at once", lambda: not firing(t), 2)
        t.stop()


def test_paths_bodies_and_answers():
    b64 = lambda s: base64.urlsafe_b64encode(s.encode()).decode()
    with folder() as d, Tocsin(config("{max_age: 0s, body_size_limit: 64KiB}", keep="all"), d, "--web.route-prefix=/x/",
                               files={"r.yml": RULES}) as t:
        t.url += "/x"
        equal(push(t, "PUT", "job@base64/%s/dir@base64/%s/zone@base64/=" % (b64("a/b"), b64("/var/tmp")),
                   'm{zone="z",job="mine"} 1\n')[0], 200)
        equal(push(t, "PUT", "job/%E4%BD%9C%E4%B8%9A", "n 2")[0], 200, "no end of line")
        equal(push(t, "POST", "job/zip", gzip.compress(b"z 3\n"), {**TEXT, "Content-Encoding": "gzip"})[0], 200)
        equal(push(t, "POST", "job/om", "# TYPE c counter\nc_total 4\n# EOF\n",
                   {"Content-Type": "application/openmetrics-text; version=1.0.0"})[0], 200)
        equal(push(t, "POST", "job/form", "f 5\n", {"Content-Type": "application/x-www-form-urlencoded"})[0], 200)
        until("all are there", lambda: len(value(t, '{__name__=~"m|n|z|c_total|f"}')) == 5)
        equal(value(t, "m"), {'{"__name__": "m", "dir": "/var/tmp", "job": "a/b"}': 1.0})
        equal(list(value(t, 'n{job="作业"}').values()), [2.0])
        for path, body, headers, status, why in (
                ("job/", "m 1\n", TEXT, 400, "names no job"),
                ("job/a/b", "m 1\n", TEXT, 400, "no value"),
                ("job/a/b@base64/%%", "m 1\n", TEXT, 400, ""),
                ("job/a/b@base64/!", "m 1\n", TEXT, 400, "not base64"),
                ("job/a/__b/c", "m 1\n", TEXT, 400, "name of a label"),
                ("job/bad", "m 1\nm 2\n", TEXT, 400, "line 2: the series stands twice"),
                ("job/bad", "m 1 1000\n", TEXT, 400, "must not have a time"),
                ("job/bad", "m{ 1\n", TEXT, 400, "line 1"),
                ("job/bad", b"\xff\xfe\x00", TEXT, 400, "line 1"),
                ("job/bad", "x" * (65 << 10), TEXT, 413, "body_size_limit"),
                ("job/bad", gzip.compress(b"#" * (32 << 20)), {**TEXT, "Content-Encoding": "gzip"}, 413, ""),
                ("job/bad", b"\x0a\x00", {"Content-Type": "application/vnd.google.protobuf; encoding=delimited"}, 415, "")):
            got = push(t, "PUT", path, body, headers)
            assert got[0] == status and why in got[1], (path, body[:20], got)
        equal(t.get("/metrics/job/a").status, 405)
        now = groups(t)
        equal(now["/metrics/job/zip"]["health"], "up")
        equal(now["/metrics/job/bad"]["health"], "down")
        assert "line 1" in now["/metrics/job/bad"]["lastError"], now["/metrics/job/bad"]
        until("failures are metrics", lambda: value(t, 'push_failure_time_seconds{job="bad"} > 0'))
        equal(list(value(t, 'push_time_seconds{job="bad"}').values()), [0.0])
        t.stop()


def test_off_and_wrong_configurations():
    with folder() as d:
        with Tocsin("rule_files: [r.yml]\n", d, files={"r.yml": RULES}) as t:
            status, why = push(t, "PUT", "job/a", "m 1\n")
            assert status == 404 and "push" in why, (status, why)
        write(f"{d}/bad.yml", "push:\n  max_age: soon\n  max_groups: 0\n  maxage: 1\n")
        p = subprocess.run([PROGRAM, "lint", f"{d}/bad.yml"], capture_output=True, text=True)
        equal(p.returncode, 1)
        for place in ("bad.yml:2:12", "bad.yml:3:15", "bad.yml:4:3"):
            assert place in p.stdout + p.stderr, (place, p.stdout + p.stderr)


def test_tokens():
    tokens = "web: {tokens: [{name: r, token: r, scope: read}, {name: p, token: p, scope: push}, {name: a, token: a, scope: admin}]}\n"
    with folder() as d, Tocsin(config(more=tokens), d, files={"r.yml": RULES}) as t:
        def status(method, path, token):
            return request(method, t.url + path, b"m 1\n" if method == "PUT" else None,
                           headers={"Authorization": "Bearer " + token} if token else {}).status

        equal([status("PUT", "/metrics/job/a", x) for x in (None, "x", "r", "p", "a")], [401, 401, 403, 200, 200])
        equal([status("DELETE", "/metrics/job/a", x) for x in ("r", "p")], [403, 202])
        equal(status("POST", "/-/reload", "p"), 403)


def test_reload_and_restart():
    with folder() as d:
        with Tocsin(config("{max_age: 1m}"), d, files={"r.yml": RULES}) as t:
            push(t, "PUT", "job/a", "gpu_temperature 99\n")
            until("it fires", lambda: firing(t))
            equal(t.post("/-/reload", b"").status, 200)
            time.sleep(1.2)
            equal([len(firing(t)), t.metric("tocsin_push_groups")], [1, 1.0], "after the reload")
            active = t.get("/api/v1/alerts").json()["data"]["alerts"][0]["activeAt"]
            time.sleep(1.5)  # the log is written each second
            t.kill()
        with Tocsin(config("{max_age: 1m}"), d, files={"r.yml": RULES}) as t:
            until("the log brings the alert back", lambda: firing(t))
            equal(t.get("/api/v1/alerts").json()["data"]["alerts"][0]["activeAt"], active)
            equal(t.metric("tocsin_push_groups"), 1.0, "the group is there, too")
            until("it goes on", lambda: list(value(t, "time() - timestamp(gpu_temperature) < 1").values()))
            push(t, "PUT", "job/a", "gpu_temperature 98\n")
            until("the stream goes on", lambda: list(value(t, "gpu_temperature").values()) == [98.0])
            equal(t.get("/api/v1/alerts").json()["data"]["alerts"][0]["activeAt"], active)
            write(t.config_file, config("{max_age: 1m}").replace("push: {max_age: 1m}\n", ""))
            equal(t.post("/-/reload", b"").status, 200)
            until("without the key it ends", lambda: not firing(t))
            equal(push(t, "PUT", "job/a", "m 1\n")[0], 404)
            t.stop()


def test_value_at_resolve():
    with folder() as d, Sink() as sink:
        more = ("notifications: {value_at_resolve: true}\nroute: {receiver: r, group_wait: 0s, group_interval: 1s}\n"
                "receivers: [{name: r, webhook_configs: [{url: '%s'}]}]\n" % sink.url)
        with Tocsin(config("{max_age: 1m}", more), d, files={"r.yml": RULES}) as t:
            push(t, "PUT", "job/a", "gpu_temperature 99\n")
            until("it fires", lambda: sink.count() == 1)
            push(t, "PUT", "job/a", "gpu_temperature 71.5\n")
            until("it ends", lambda: sink.count() == 2)
            alert, = sink.got[1].json()["alerts"]
            equal((alert["status"], alert["annotations"]), ("resolved", {"value_at_resolve": "71.5"}))
            changes = t.get("/api/tocsin/rule_history?rule=Hot").json()["data"][0]["changes"]
            equal([(c["state"], c["value"]) for c in changes], [("firing", "9.9e+01"), ("inactive", "7.15e+01")])
            t.stop()


def test_many_and_slow_senders():
    """Senders that hang up or crawl harm nobody; many groups at once are all there."""
    with folder() as d, Tocsin(config("{max_age: 1m, max_groups: 60}", keep="all"), d, files={"r.yml": RULES}) as t:
        host, port = t.address.split(":")
        crawlers = []
        for i in range(20):
            s = socket.create_connection((host, int(port)))
            s.sendall(b"PUT /metrics/job/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nm 1\n")
            crawlers.append(s)
        for i in range(20):  # the whole push, and gone before the answer
            s = socket.create_connection((host, int(port)))
            s.sendall(b"PUT /metrics/job/gone%d HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nm %3d\n" % (i, i))
            s.close()
        body = "".join('m{i="%d"} %d\n' % (i, i) for i in range(1000))

        def many(k):
            for j in range(20):
                equal(push(t, "PUT", "job/many/k/%d" % k, body)[0], 200)

        threads = [threading.Thread(target=many, args=(k,)) for k in range(8)]
        for x in threads:
            x.start()
        for x in threads:
            x.join()
        until("8000 series", lambda: list(value(t, 'count(m{job="many"})').values()) == [8000.0])
        for s in crawlers:
            s.close()
        statuses = [push(t, "PUT", "job/more/k/%d" % k, "m 1\n")[0] for k in range(60)]
        equal(set(statuses), {200, 429})
        assert t.metric("tocsin_push_groups") == 60.0
        t.stop()


main()
