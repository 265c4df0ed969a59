"""Alertmanager of Debian unstable and tocsin with the same configuration and alerts, at the same time: what they send to WeChat,
Opsgenie, incident.io, Pushover, SNS, Jira and VictorOps, byte for byte, for a group that fires, resolves in part and ends.

Signatures of AWS are worked out by a second implementation, which takes those of Amazon's SDK within Alertmanager, too."""
import hashlib, hmac, http.server, os, urllib.parse
os.environ["TOCSIN_PEERS"] = "newer"  # the other one knows but half of the kinds
from harness import *

SUMMARY = 'p95 > 5 & "rising" 上升'
LONG = "长" * 200


class Fake(http.server.ThreadingHTTPServer):
    """Records (method, path, headers, body) of each request; answers as answer(path, body) says. Behind CONNECT it speaks TLS."""
    daemon_threads = True

    def __init__(self, answer, context=None):
        fake, self.got = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self):
                self.send_response(200)
                self.end_headers()
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.setup_files()
                self.close_connection = False

            def setup_files(self):
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.got.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, text = answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_PUT = do_POST

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def of(self, prefix):
        return [g for g in list(self.got) if g[1].startswith(prefix)]

    def __exit__(self, *failure):
        self.shutdown()
        super().__exit__(*failure)


def phases(one, two, ours, theirs, counts):
    """The same alerts to both. counts: what each integration, known by the beginning of its path, sends until a phase has ended."""
    begin = stamp()
    a = {"labels": {"alertname": "Slow", "node": "g<7>", "severity": "critical"}, "annotations": {"summary": SUMMARY},
         "startsAt": begin, "generatorURL": "http://p/graph?a=1&b=2"}
    b = {**a, "labels": {**a["labels"], "node": "h8"}}

    def post(alerts, phase):
        for url in (ours, theirs):
            equal(request("POST", url + "/api/v2/alerts", alerts).status, 200)
        for who, fake in (("tocsin", one), ("Alertmanager", two)):
            for prefix, n in counts.items():
                try:
                    until("", lambda: len(fake.of(prefix)) >= sum(n[:phase]), 15)
                except AssertionError:
                    raise AssertionError(f"{who}, phase {phase}: {len(fake.of(prefix))} requests to {prefix}, wanted {sum(n[:phase])}")

    post([{**a, "endsAt": stamp(600)}, {**b, "endsAt": stamp(600)}], 1)
    end = stamp()
    post([{**b, "endsAt": end}], 2)
    post([{**a, "endsAt": end}], 3)


def compare(configs, answer, counts, tidy=lambda g, fake: g, context=None, env=None, sort=False):
    """sort: several integrations go to one address, which have no order among each other."""
    with folder() as d, Fake(answer, context) as one, Fake(answer, context) as two:
        def config(fake):
            return ("route: {receiver: all, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}\n"
                    "receivers:\n  - name: all\n" + configs.replace("SINK", fake.url))
        os.environ.update(env or {})
        os.environ["AWS_ENDPOINT_URL_STS"] = two.url + "/sts"
        with Alertmanager(config(two), d) as am:
            os.environ["AWS_ENDPOINT_URL_STS"] = one.url + "/sts"
            with Tocsin(config(one), d, "--web.external-url=http://same.example") as t:
                phases(one, two, t.url, am.url, counts)
                time.sleep(0.2)
                equal(t.get("/-/healthy").status, 200)
                log = t.text()
        total = 0
        for prefix, n in counts.items():
            got, wanted = ([tidy(g, f) for g in f.of(prefix)] for f in (one, two))
            if sort:
                got.sort(key=lambda g: g[1]), wanted.sort(key=lambda g: g[1])
            equal(len(got), len(wanted), f"requests to {prefix}")
            for i, (g, w) in enumerate(zip(got, wanted)):
                for part in range(len(w)):
                    equal(g[part], w[part], f"request {i} to {prefix}")
                total += 1
        print(f"{total} requests of {len(counts)} integrations equal")
        return log


def plain(g, fake):
    """What matters of a request. routeLabels came with 0.34, which Debian has not."""
    method, path, headers, body = g
    if path.startswith("/incidentio"):
        body = json.loads(body)
        body.pop("routeLabels", None)
        body = json.dumps(body)
    return method, path, {k: headers.get(k) for k in ("content-type", "authorization", "accept-language")}, body


def test_wechat():
    log = compare("""    wechat_configs:
      - {send_resolved: true, api_url: 'SINK/wechat1/cgi', corp_id: 'c o&', api_secret: 'sEcReT/1', to_user: 'u1|{{ .CommonLabels.severity }}', agent_id: '100'}
      - {send_resolved: true, api_url: 'SINK/wechat2/', corp_id: c, api_secret: sEcReT, message_type: markdown, message: 'm <b> {{ .Status }}', to_party: p, to_tag: t}
""", lambda path, body: (200, '{"errcode":0,"access_token":"tOkEn/1","expires_in":7200}' if "gettoken" in path else '{"errcode":0,"errmsg":"ok"}'),
                  {"/wechat1/": [2, 1, 1], "/wechat2/": [2, 1, 1]}, plain)
    assert "sEcReT" not in log and "tOkEn" not in log, log


def test_opsgenie():
    compare("""    opsgenie_configs:
      - {api_url: 'SINK/opsgenie1/x?q=1', api_key: 'k{{ .CommonLabels.severity }} ', message: '{{ .CommonLabels.alertname }} LONG', update_alerts: true,
         details: {b: '{{ .CommonLabels.severity }}', severity: own, a: '<x>'}, entity: e, actions: ' a, b,,', tags: 't1,,t2 ', note: n, priority: P1,
         responders: [{name: 'a, b,,c', type: teams}, {id: '{{ .CommonLabels.nope }}', type: '{{ .CommonLabels.nope }}'}, {username: u, type: USER}]}
      - {api_url: 'SINK/opsgenie2', api_key: k}
""".replace("LONG", LONG), lambda path, body: (202, '{"requestId":"1"}'), {"/opsgenie1/": [3, 3, 1], "/opsgenie2/": [1, 1, 1]}, plain)


def test_incidentio():
    compare("""    incidentio_configs:
      - {url: 'SINK/incidentio1?x=1', alert_source_token: tok}
      - {url: 'SINK/incidentio2', http_config: {authorization: {credentials: z}}, max_alerts: 1}
""", lambda path, body: (202, "{}"), {"/incidentio1": [1, 1, 1], "/incidentio2": [1, 1, 1]}, plain)


def test_incidentio_too_large():
    """Alertmanager keeps the first alert, whatever it is, and sends more than 512 KiB if that is large; tocsin one that fires, and
    in the end without annotations."""
    with folder() as d, Fake(lambda path, body: (202, "{}")) as sink:
        with Tocsin(f"""
route: {{receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: r, incidentio_configs: [{{url: '{sink.url}', alert_source_token: t}}]}}]
""", d) as t:
            a = {"labels": {"alertname": "Slow", "node": "a"}, "annotations": {"big": "x" * 300000}, "startsAt": stamp(), "endsAt": stamp(600)}
            b = {**a, "labels": {"alertname": "Slow", "node": "b"}}
            for alerts, node, cut in (([a, b], "a", 1), ([{**a, "endsAt": stamp()}], "b", 1)):
                n = len(sink.got)
                equal(t.post("/api/v2/alerts", alerts).status, 200)
                until(f"a message of {node}", lambda: len(sink.got) > n, 5)
                body = json.loads(sink.got[-1][3])
                assert len(sink.got[-1][3]) <= 512 << 10, len(sink.got[-1][3])
                equal((body["status"], [x["labels"]["node"] for x in body["alerts"]], body["truncatedAlerts"], body["alerts"][0]["annotations"]),
                      ("firing", [node], cut, {}), "what is left")


def test_victorops():
    compare("""    victorops_configs:
      - {api_url: 'SINK/victorops1', api_key: 'k k', routing_key: 'r/{{ .CommonLabels.severity }} x?', message_type: '{{ .CommonLabels.severity }}',
         custom_fields: {z: '{{ .CommonLabels.severity }}', a: '<1>', aa: ''}, state_message: 'LONG'}
      - {api_url: 'SINK/victorops2/', api_key: k, routing_key: r, message_type: WARNING}
      - {api_url: 'SINK/victorops3/?q=1', api_key: k, routing_key: r, message_type: ''}
""".replace("LONG", LONG * 110), lambda path, body: (200, "{}"), {f"/victorops{i}/": [1, 1, 1] for i in (1, 2, 3)}, plain)


def test_pushover():
    with folder() as d:
        cert, context = certificate(d, "api.pushover.net", "DNS:api.pushover.net")
        log = compare("""    pushover_configs:
      - {token: 'tOkEn', user_key: 'uSeR', title: 'A LONG', message: '<b>{{ .CommonLabels.alertname }}</b> {{ .CommonAnnotations.summary }} LONG', html: true,
         url: 'http://x/?LONG', http_config: &h {proxy_url: SINK, tls_config: {ca_file: CERT}}}
      - {token: 'tOkEn', user_key: 'uSeR2', title: '', message: ' {{ .CommonLabels.nope }} ', monospace: true, url: '', url_title: '{{ .Status }}', device: 'd',
         sound: 's', priority: '1', retry: 90s, expire: 1h30m, ttl: 2m, http_config: *h}
      - {token: 'tOkEn', user_key: 'uSeR3', http_config: *h}
""".replace("LONG", LONG * 6).replace("CERT", cert), lambda path, body: (200, '{"status":1,"request":"r"}'),
                      {"/1/messages.json?": [3, 3, 3]}, lambda g, fake: plain(g, fake), context, sort=True)
    assert "tOkEn" not in log and "uSeR" not in log, log


main()
