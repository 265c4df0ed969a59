"""What the page at "/" is made of: its policy, its files, who gets them. What it shows is looked at in a browser: tests/ui/screens.mjs."""
import gzip, hashlib, http.client
from harness import *

CONFIG = "route: {receiver: hook, group_by: [alertname], group_wait: 0s}\nreceivers: [{name: hook}]\n"
DIST = os.path.join(SOURCE, "src/ui/dist")


def raw(t, path, **headers):
    c = http.client.HTTPConnection(t.address)
    c.request("GET", path, headers=headers)
    r = c.getresponse()
    body = r.read()
    c.close()
    return r.status, {k.lower(): v for k, v in r.getheaders()}, body


def test_files_and_policy():
    with folder() as d, Tocsin(CONFIG, d) as t:
        names = sorted(os.listdir(DIST))
        assert "app.js" in names and "worker.js" in names and "licenses.txt" in names, names
        for name in names:
            with open(os.path.join(DIST, name), "rb") as f:
                wanted = f.read()
            path = "/" if name == "index.html" else "/ui/" + name
            status, headers, body = raw(t, path)
            equal((status, body), (200, wanted), path)
            status, packed, body = raw(t, path, **{"Accept-Encoding": "gzip"})
            equal((status, packed["content-encoding"], gzip.decompress(body)), (200, "gzip", wanted), path)
            equal(headers["etag"], packed["etag"], path)
            equal(raw(t, path, **{"If-None-Match": headers["etag"]})[0], 304, path)
            equal((headers["x-content-type-options"], headers["cache-control"]), ("nosniff", "no-cache"), path)
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy and "*" not in policy, policy
        html = raw(t, "/")[2].decode()
        assert "<style" not in html and not re.search(r"<script(?![^>]*src=\"ui/)", html) and "http" not in html, html
        for name in ("app.js", "app.css"):
            assert raw(t, "/ui/" + name)[1]["content-type"].startswith({"js": "text/javascript", "css": "text/css"}[name.split(".")[1]])
        equal(raw(t, "/graph?g0.expr=up")[2], raw(t, "/")[2])
        for path in ("/ui/", "/ui/nothing.js", "/ui/..%2f..%2fetc/passwd"):
            assert raw(t, path)[0] in (400, 404), path
    with folder() as d, Tocsin(CONFIG, d, "--web.route-prefix=/x", "--web.external-url=http://h/x") as t:
        equal((raw(t, "/x/")[0], raw(t, "/x/ui/app.js")[0], raw(t, "/ui/app.js")[0]), (200, 200, 404))
        status, headers, _ = raw(t, "/")
        equal((status, headers["location"]), (302, "/x/"))


def test_the_first_page_is_small():
    loaded, size = ["index.html", "app.css"], 0
    with open(os.path.join(DIST, "app.js"), encoding="utf-8") as f:
        loaded += ["app.js"] + re.findall(r"from\"\./([^\"]+)\"", f.read())
    for name in set(loaded):
        with open(os.path.join(DIST, name), "rb") as f:
            size += len(gzip.compress(f.read(), 9))
    assert size < 60 << 10, size


def test_who_has_no_token_gets_the_page_and_no_data():
    with folder() as d, Tocsin(CONFIG + "web: {tokens: [{name: eyes, token: r, scope: read}]}\n", d) as t:
        equal([raw(t, p)[0] for p in ("/", "/ui/app.js", "/graph")], [200, 200, 200])
        equal({p: raw(t, p)[0] for p in ("/api/v2/alerts", "/api/tocsin/board", "/api/tocsin/stream", "/api/tocsin/whoami", "/metrics")},
              {p: 401 for p in ("/api/v2/alerts", "/api/tocsin/board", "/api/tocsin/stream", "/api/tocsin/whoami", "/metrics")})
        equal(t.post("/api/v2/silences", {}).status, 401)


def test_matchers_are_read_by_the_server():
    with folder() as d, Tocsin(CONFIG, d) as t:
        def read(text):
            r = t.get("/api/tocsin/matchers?" + urllib.parse.urlencode({"text": text}))
            return r.status, r.json()

        a, b = {"name": "a", "value": "b", "isRegex": False, "isEqual": True}, {"name": "c", "value": "d,\"e", "isRegex": True, "isEqual": False}
        for text in ('a="b", c!~"d,\\"e"', 'a="b"\nc!~"d,\\"e"', '{a="b"}\n\n  {c!~"d,\\"e",}\n', 'a=b,\nc!~"d,\\"e"'):
            equal(read(text), (200, [a, b]), text)
        for text in ("", "\n \n", "{}"):
            equal(read(text), (200, []), text)
        for text in ('a="b" c="d"', "nothing", 'a="b"\nc', 'a="b', 'a=~"("'):
            status, why = read(text)
            assert status == 400 and why.startswith("line "), (text, status, why)


def test_routes_with_what_they_hold():
    config = """route:
  receiver: hook
  group_by: [alertname]
  routes: [{receiver: gpu, matchers: ['team="gpu"'], group_by: ['...'], continue: true}]
receivers: [{name: hook}, {name: gpu}]
"""
    with folder() as d, Tocsin(config, d) as t:
        t.alert(alertname="A", team="gpu")
        t.alert(alertname="B")
        r = t.get("/api/tocsin/routes").json()["route"]
        equal((r["receiver"], r["groups"], r["alerts"], r["groupBy"]), ("hook", 1, 1, ["alertname"]))
        child = r["routes"][0]
        equal((child["receiver"], child["matchers"], child["groupByAll"], child["continue"], child["alerts"]), ("gpu", ['team="gpu"'], True, True, 1))
    with folder() as d, Tocsin("global: {resolve_timeout: 5m}\n", d) as t:
        equal(t.get("/api/tocsin/routes").json(), {"route": None})


main()
