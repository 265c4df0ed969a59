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
                self.path = re.sub("^http://[^/]*", "", self.path)  # as one who asks a proxy says it
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


# What each kind is configured with, and what it sends until a phase has ended, by the beginning of the path.
KINDS = {
    "wechat": ("""    wechat_configs:
      - {send_resolved: true, api_url: 'SINK/wechat1/cgi', corp_id: 'c o&', api_secret: 'sEcReT/9', to_user: 'u1|{{ .CommonLabels.severity }}', agent_id: '100'}
      - {send_resolved: true, api_url: 'SINK/wechat2/', corp_id: c, api_secret: sEcReT, message_type: markdown, message: 'm <b> {{ .Status }}', to_party: p, to_tag: t}
""",
               {"/wechat1/": [2, 1, 1], "/wechat2/": [2, 1, 1]}),
    "opsgenie": ("""    opsgenie_configs:
      - {api_url: 'SINK/opsgenie1/x?q=1', api_key: 'k{{ .CommonLabels.severity }} ', message: '{{ .CommonLabels.alertname }} LONG', update_alerts: true,
         details: {b: '{{ .CommonLabels.severity }}', severity: own, a: '<x>'}, entity: e, actions: ' a, b,,', tags: 't1,,t2 ', note: n, priority: P1,
         responders: [{name: 'a, b,,c', type: teams}, {id: '{{ .CommonLabels.nope }}', type: '{{ .CommonLabels.nope }}'}, {username: u, type: USER}]}
      - {api_url: 'SINK/opsgenie2', api_key: k}
""",
                 {"/opsgenie1/": [3, 3, 1], "/opsgenie2/": [1, 1, 1]}),
    "incidentio": ("""    incidentio_configs:
      - {url: 'SINK/incidentio1?x=1', alert_source_token: tok}
      - {url: 'SINK/incidentio2', http_config: {authorization: {credentials: z}}, max_alerts: 1}
""",
                   {"/incidentio1": [1, 1, 1], "/incidentio2": [1, 1, 1]}),
    "victorops": ("""    victorops_configs:
      - {api_url: 'SINK/victorops1', api_key: 'k k', routing_key: 'r/{{ .CommonLabels.severity }} x?', message_type: '{{ .CommonLabels.severity }}',
         custom_fields: {z: '{{ .CommonLabels.severity }}', a: '<1>', aa: ''}, state_message: 'LONGEST'}
      - {api_url: 'SINK/victorops2/', api_key: k, routing_key: r, message_type: WARNING}
      - {api_url: 'SINK/victorops3/?q=1', api_key: k, routing_key: r, message_type: ''}
""",
                  {f"/victorops{i}/": [1, 1, 1] for i in (1, 2, 3)}),
    "pushover": ("""    pushover_configs:
      - {token: 'tOkEn', user_key: 'uSeR', title: 'A LONGER', message: '<b>{{ .CommonLabels.alertname }}</b> {{ .CommonAnnotations.summary }} LONGER', html: true,
         url: 'http://x/?LONGER', http_config: &h {proxy_url: SINK, tls_config: {ca_file: CERT}}}
      - {token: 'tOkEn', user_key: 'uSeR2', title: '', message: ' {{ .CommonLabels.nope }} ', monospace: true, url: '', url_title: '{{ .Status }}', device: 'd',
         sound: 's', priority: '1', retry: 90s, expire: 1h30m, ttl: 2m, http_config: *h}
      - {token: 'tOkEn', user_key: 'uSeR3', http_config: *h}
""",
                 {"/1/messages.json?": [3, 3, 3]}),
    "sns": ("""    sns_configs:
      - {api_url: 'SINK/sns1/x y', sigv4: &s {region: us-east-1, access_key: AKID, secret_key: sEcReT/1}, topic_arn: 'arn:aws:sns:us-east-1:1:{{ .CommonLabels.severity }}.fifo',
         attributes: {z: last, b: '{{ .CommonLabels.severity }}', a: '<&>', e: ''}, subject: '{{ .CommonLabels.alertname }} 长 *~'}
      - {api_url: 'SINK/sns2/', sigv4: *s, phone_number: '+1555', message: 'LONG', attributes: {z: last}}
      - {api_url: 'SINK/sns3/', sigv4: {profile: two}, topic_arn: t, subject: '', message: ''}
      - {api_url: 'SINK/sns4/', sigv4: {region: us-east-1, access_key: AKID, secret_key: sEcReT/1, role_arn: 'arn:aws:iam::1:role/r x', external_id: 'e&1'}, target_arn: t}
      - {api_url: 'SINK/sns5/', sigv4: *s, topic_arn: '{{ .CommonLabels.nope }}', target_arn: t, phone_number: '{{ .CommonLabels.nope }}'}
""",
            {f"/sns{i}/": [1, 1, 1] for i in (1, 2, 3, 4, 5)}),
    # texts of one's own: the built-in one has fewer blank lines than Alertmanager's, differences.md
    "jira": ("""    jira_configs:
      - {api_url: SINK/none1/rest/api/2, project: 'P"\\{{ .CommonLabels.severity }}', issue_type: Bug, summary: 'LONGER', description: 'LONGEST', labels: [z b, a, '{{ .CommonLabels.alertname }}'],
         wont_fix_resolution: "won't \\"do\\"", reopen_transition: Re, reopen_duration: 2d, resolve_transition: Done,
         fields: {customfield_1: {value: '{{ .CommonLabels.severity }}', id: '007'}, components: [{name: x}], flag: true, nothing: {a: null}}}
      - {api_url: SINK/none2/rest/api/3/, project: P, issue_type: T, description: '{"type":"doc", "version": 1,"content":[1.0, "<b>"]}', priority: ''}
      - {api_url: SINK/new1/rest/api/2, project: P, issue_type: T, description: &d '{{ .Status }} {{ .CommonAnnotations.summary }}', reopen_transition: Re, resolve_transition: Done, reopen_duration: 90m}
      - {api_url: SINK/new2/rest/api/2/, api_type: cloud, project: P, issue_type: T, summary: {template: x, enable_update: false}, description: *d, resolve_transition: Nope}
      - {api_url: SINK/new3/rest/api/3, api_type: cloud, project: P, issue_type: T, description: {template: '{}', enable_update: false}}
      - {api_url: SINK/new4/rest/api/2, project: P, issue_type: T, description: {template: x, enable_update: false}, summary: {template: x, enable_update: false}}
      - {api_url: SINK/done1/rest/api/2, project: P, issue_type: T, description: *d, reopen_transition: Re, resolve_transition: Done, reopen_duration: 90s}
      - {api_url: SINK/done2/rest/api/2, project: P, issue_type: T, description: *d, fields: {summary: own, labels: [q]}}
""",
             {"/none1/": [2, 2, 1], "/none2/": [2, 2, 1], "/new1/": [2, 2, 4], "/new2/": [2, 2, 3], "/new3/": [2, 2, 2],
              "/new4/": [2, 2, 2], "/done1/": [4, 4, 2], "/done2/": [2, 2, 2]}),
}


ROLE = ("<A><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>sEcReT3</SecretAccessKey><SessionToken>tOkEn</SessionToken>"
        "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></A>")
SECRETS = {"AKID": "sEcReT/1", "TWO": "sEcReT2", "ASIA": "sEcReT3"}


def signed(g):
    """Works out the signature of a request by what the documents of AWS say, and says by whom and for what it is signed."""
    method, path, headers, body = g
    m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/(\w+)/aws4_request, SignedHeaders=([\w;-]+), Signature=(\w{64})",
                     headers["authorization"])
    key, day, region, service, names, signature = m.groups()
    path, _, query = path.partition("?")
    canonical = "\n".join([method, urllib.parse.quote(path, safe="/"), query]
                          + [f"{n}:{headers[n].strip()}" for n in names.split(";")] + ["", names, hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], f"{day}/{region}/{service}/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    k = ("AWS4" + SECRETS[key]).encode()
    for word in (day, region, service, "aws4_request"):
        k = hmac.new(k, word.encode(), hashlib.sha256).digest()
    equal(hmac.new(k, text.encode(), hashlib.sha256).hexdigest(), signature, f"signature of {canonical!r}")
    assert {"host", "x-amz-date"} <= set(names.split(";")) and ("x-amz-security-token" in headers) == ("x-amz-security-token" in names)
    return key, region, service, headers.get("x-amz-security-token")


def aws(g):
    """Debian's does not know an external id yet. Its deduplication id is the same for all messages of a group: differences.md."""
    who, form = signed(g), urllib.parse.parse_qsl(g[3].decode(), keep_blank_values=True, strict_parsing=True)
    equal(urllib.parse.urlencode(form, quote_via=urllib.parse.quote_plus).encode(), g[3], "escaped as Go does")
    form = [(k, "*" if k in ("RoleSessionName", "MessageDeduplicationId") else v) for k, v in form if k != "ExternalId"]
    return g[0], g[1], g[2]["content-type"], who, form


def plain(g):
    """What matters of a request. routeLabels came with 0.34, which Debian has not."""
    method, path, headers, body = g
    if path.startswith("/incidentio"):
        body = json.loads(body)
        body.pop("routeLabels", None)
        body = json.dumps(body)
    return method, path, {k: headers.get(k) for k in ("content-type", "authorization", "accept-language")}, body


def jira_answer(path, body):
    """An issue is there by what the address says: none, new (open) or done."""
    if "/search" in path:
        kind = path.split("/")[1].rstrip("0123456789")
        if kind == "none":
            return 200, '{"issues":[],"total":0}'
        return 200, '{"issues":[{"key":"P-7","fields":{"status":{"name":"x","statusCategory":{"key":"%s"}}}},{"key":"P-8"}],"total":2}' % kind
    if path.endswith("/transitions") and not body:
        return 200, '{"transitions":[{"id":"5","name":"Other"},{"id":"11","name":"Re"},{"id":"31","name":"Done"}]}'
    return (201, '{"id":"1","key":"P-1"}') if path.endswith("/issue") else (204, "")


def answer(path, body):
    if path.startswith("/wechat"):
        return 200, '{"errcode":0,"access_token":"tOkEn/1","expires_in":7200}' if "gettoken" in path else '{"errcode":0,"errmsg":"ok"}'
    if path.startswith("/1/messages.json"):
        return 200, '{"status":1,"request":"r"}'
    if path.startswith("/sts"):
        return 200, ROLE
    if path.startswith("/sns"):
        return 200, "<P><PublishResult><MessageId>m</MessageId></PublishResult></P>"
    return jira_answer(path, body) if "/rest/api/" in path else (202, "{}")


def compare(prefix, one, two):
    """Requests of one integration, or of those that go to one address, which have no order among each other."""
    tidy = aws if prefix.startswith("/sns") else plain
    got, wanted = ([tidy(g) for g in f.of(prefix)] for f in (one, two))
    if prefix.startswith("/1/"):
        got.sort(), wanted.sort()
    equal(len(got), len(wanted), f"requests to {prefix}")
    for i, (g, w) in enumerate(zip(got, wanted)):
        for part in range(len(w)):
            equal(g[part], w[part], f"request {i} to {prefix}")
    return len(got)


def test_same_requests():
    counts = {prefix: n for kind in KINDS.values() for prefix, n in kind[1].items()}
    with folder() as d:
        cert, context = certificate(d, "api.pushover.net", "DNS:api.pushover.net")
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = write(
            f"{d}/credentials", "[default]\naws_access_key_id = D\naws_secret_access_key=d\n# x\n[two]\n"
            " aws_access_key_id=TWO\naws_secret_access_key = sEcReT2\naws_session_token = st/+=\n")
        os.environ["AWS_CONFIG_FILE"] = write(f"{d}/config", "[default]\nregion=eu-central-1\n[profile two]\nregion = cn-north-1\n")

        def config(fake):
            text = "".join(kind[0] for kind in KINDS.values())
            for word, by in (("LONGEST", LONG * 164), ("LONGER", LONG * 6), ("LONG", LONG), ("CERT", cert), ("SINK", fake.url)):
                text = text.replace(word, by)
            os.environ["AWS_ENDPOINT_URL_STS"] = fake.url + "/sts"
            return ("route: {receiver: all, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}\n"
                    "receivers:\n  - name: all\n" + text)

        with Fake(answer, context) as one, Fake(answer, context) as two:
            with Alertmanager(config(two), d) as am, Tocsin(config(one), d, "--web.external-url=http://same.example") as t:
                phases(one, two, t.url, am.url, counts)
                log = t.text()
            total = sum(compare(prefix, one, two) for prefix in counts)
            equal(aws(one.of("/sts")[0]), aws(two.of("/sts")[0]), "request for a role")
    for word in ("sEcReT", "tOkEn", "uSeR"):
        assert word not in log, log
    print(f"{total} requests of {len(counts)} integrations equal")


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


def test_sns_own():
    """What Alertmanager's has otherwise or not at all: the role is asked for once, with the external id; an id of its own for each
    message to a FIFO topic; no rune is cut; AWS_CA_BUNDLE, of more than 64 KiB."""
    with folder() as d:
        cert, context = certificate(d, "sns.us-east-1.amazonaws.com", "DNS:sns.us-east-1.amazonaws.com")
        bundle = write(f"{d}/bundle.pem", "# others\n" * 10000 + open(cert).read())
        with Fake(lambda path, body: (200, ROLE if b"AssumeRole" in body else "<MessageId>m</MessageId>"), context) as sink:
            os.environ.update({"AWS_ENDPOINT_URL_STS": sink.url + "/sts", "AWS_CA_BUNDLE": bundle})
            with Tocsin(f"""
route: {{receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: r
    sns_configs:
      - {{sigv4: &s {{region: us-east-1, access_key: AKID, secret_key: sEcReT/1, role_arn: r, external_id: 'e&1'}}, topic_arn: t.fifo, use_aws_http_client: true,
         http_config: {{proxy_url: '{sink.url}'}}}}
      - {{api_url: '{sink.url}/sms', sigv4: *s, phone_number: '+1', message: '{LONG * 3}'}}
""", d) as t:
                a = {"labels": {"alertname": "Slow"}, "startsAt": stamp(), "endsAt": stamp(600)}
                for n, alert in ((1, a), (2, {**a, "endsAt": stamp()})):
                    equal(t.post("/api/v2/alerts", [alert]).status, 200)
                    until("messages", lambda: sum(b"Publish" in g[3] for g in sink.got) == 2 * n, 15)
                log = t.text()
        forms = [(signed(g), dict(urllib.parse.parse_qsl(g[3].decode(), keep_blank_values=True))) for g in sink.got]
        asked = [f for who, f in forms if f["Action"] == "AssumeRole"]
        assert 1 <= len(asked) <= 2 and all(f["ExternalId"] == "e&1" for f in asked), asked  # both may begin at once
        topic = [f for who, f in forms if "TopicArn" in f]
        equal(len({f["MessageDeduplicationId"] for f in topic}), 2, "ids of two messages")
        equal(len({f["MessageGroupId"] for f in topic}), 1, "groups")
        sms = next(f for who, f in forms if "PhoneNumber" in f)
        equal((sms["Message"], sms["MessageAttributes.entry.1.Name"]), ("长" * 533, "truncated"))
        assert "sEcReT" not in log, log


main()
