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


def compare(configs, answer, counts, tidy=lambda g, fake: g, context=None, before=lambda dir: "", env=None):
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


main()
