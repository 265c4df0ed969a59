"""--web.config.file: TLS, client certificates, users, headers, rate; all of it changed while the server runs. Tokens."""
import base64, ssl, subprocess, warnings
from harness import *

warnings.simplefilter("ignore", DeprecationWarning)
import crypt

CONFIG = "route: {receiver: hook, group_by: [alertname], group_wait: 0s}\nreceivers: [{name: hook}]\n"
SILENCES = "/api/v2/silences"


def bcrypt(password):
    return crypt.crypt(password, "$2b$06$abcdefghijklmnopqrstuu")


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token):
    return {"Authorization": "Bearer " + token}


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def make_ca(d):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=ca",
            "-keyout", f"{d}/ca.key", "-out", f"{d}/ca.pem")


def make_cert(d, name, san="IP:127.0.0.1"):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
            "-keyout", f"{d}/{name}.key", "-out", f"{d}/{name}.csr")
    write(f"{d}/{name}.ext", f"subjectAltName={san}\n")
    openssl("x509", "-req", "-in", f"{d}/{name}.csr", "-CA", f"{d}/ca.pem", "-CAkey", f"{d}/ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", f"{d}/{name}.ext", "-out", f"{d}/{name}.pem")


def tls_get(t, d, path="/api/v2/status", cert=None, version=None, sent=b""):
    """Status and the server certificate's serial number; None when TLS fails."""
    context = ssl.create_default_context(cafile=f"{d}/ca.pem")
    if cert:
        context.load_cert_chain(f"{d}/{cert}.pem", f"{d}/{cert}.key")
    if version:
        context.minimum_version = context.maximum_version = version
    host, port = t.address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=5) as raw, \
                context.wrap_socket(raw, server_hostname="127.0.0.1") as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    break
                answer += piece
            return int(answer.split()[1]), s.getpeercert()["serialNumber"], s.version(), answer
    except (ssl.SSLError, ConnectionError, IndexError):
        return None


def serve(d, web, *flags, config=CONFIG):
    path = write(f"{d}/web.yml", web)
    return Tocsin(config, d, "--web.config.file=" + path, *flags)


def test_tls():
    with folder() as d:
        make_ca(d)
        make_cert(d, "server")
        web = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
        with serve(d, web) as t:
            status, serial, version, _ = tls_get(t, d)
            equal((status, version), (200, "TLSv1.3"))
            equal(tls_get(t, d, version=ssl.TLSVersion.TLSv1_2)[2], "TLSv1.2")
            big = tls_get(t, d, path="/")[3]
            assert big.rstrip().endswith(b"</html>"), big[-100:]
            make_cert(d, "server")  # the certificate is renewed
            until("the new certificate is served", lambda: tls_get(t, d) is not None and tls_get(t, d)[1] != serial, 5)
            write(f"{d}/server.pem", "damaged")
            # A look between the two files of the renewal was refused, too: this one names the damaged file.
            until("a bad certificate is told of", lambda: any(
                "web configuration refused" in line and "cert" in line and "server.pem" in line for line in list(t.log)), 5)
            equal(tls_get(t, d)[0], 200, "the old one stays")
            make_cert(d, "server")
            write(f"{d}/web.yml", web.replace("}", ", min_version: TLS13}"))
            until("TLS 1.2 is refused", lambda: tls_get(t, d, version=ssl.TLSVersion.TLSv1_2) is None, 5)
            equal(tls_get(t, d)[0], 200)
            write(f"{d}/web.yml", web.replace("}", ", max_version: TLS12, cipher_suites: "
                                              "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384], curve_preferences: [CurveP256]}"))
            until("TLS 1.3 is off", lambda: tls_get(t, d)[2] == "TLSv1.2", 5)
            write(f"{d}/web.yml", "")
            until("clear text again", lambda: tls_get(t, d) is None and t.get("/-/ready").status == 200, 5)


def negotiates(t, suite):
    """The name of the suite when the server takes this one alone, with TLS 1.2; None when it does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite + "@SECLEVEL=0")
    host, port = t.address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=5) as raw, context.wrap_socket(raw) as s:
            return s.cipher()[0]
    except (ssl.SSLError, ConnectionError):
        return None


def test_suites_and_versions():
    """By default no RSA key exchange and no CBC; who names such a suite has it. TLS 1.0 and 1.1 are not to be had."""
    web = "tls_server_config: {cert_file: cert.pem, key_file: key.pem%s}\n"
    with folder() as d:
        certificate(d)  # of RSA
        with serve(d, web % "") as t:
            for suite in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"):
                equal(negotiates(t, suite), suite)
            for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA",
                          "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-CAMELLIA128-SHA256", "ADH-AES128-GCM-SHA256", "PSK-AES128-GCM-SHA256"):
                equal(negotiates(t, suite), None, suite)
            write(f"{d}/web.yml", web % ", cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]")
            until("named, it is served", lambda: negotiates(t, "AES128-GCM-SHA256"), 5)
        for version in ("TLS10", "TLS11"):
            for key in ("min_version", "max_version"):
                path = write(f"{d}/web.yml", web % f", {key}: {version}")
                p = subprocess.run([PROGRAM, f"--config.file={d}/tocsin.yml", f"--storage.path={d}/data", "--web.listen-address=127.0.0.1:0",
                                    "--web.config.file=" + path], capture_output=True, text=True, timeout=20)
                equal(p.returncode, 1)
                assert f"{version} is broken and not served: TLS12 or TLS13" in p.stderr, p.stderr
        p = subprocess.run([PROGRAM, "lint", write(f"{d}/client.yml", "global: {http_config: {tls_config: {min_version: TLS10}}}\n"
                                                   "route: {receiver: r}\nreceivers: [{name: r}]\n")], capture_output=True, text=True)
        equal(p.returncode, 0, "a receiver may be that old: " + p.stdout)


def test_client_certificates():
    with folder() as d:
        make_ca(d)
        make_cert(d, "server")
        make_cert(d, "good", "DNS:ops.example")
        make_cert(d, "other", "DNS:other.example")
        section = "tls_server_config: {cert_file: server.pem, key_file: server.key, client_ca_file: ca.pem, client_auth_type: %s}\n"
        with serve(d, section % "RequireAndVerifyClientCert") as t:
            equal(tls_get(t, d), None, "without a certificate")
            equal(tls_get(t, d, cert="good")[0], 200)
            write(f"{d}/web.yml", section.replace("%s", "RequireAndVerifyClientCert, client_allowed_sans: [ops.example]"))
            until("names count", lambda: tls_get(t, d, cert="other") is None, 5)
            equal(tls_get(t, d, cert="good")[0], 200)
            write(f"{d}/web.yml", section % "VerifyClientCertIfGiven")
            until("a certificate is optional", lambda: tls_get(t, d) is not None, 5)
            equal(tls_get(t, d, cert="other")[0], 200)


def test_users_headers_and_rate():
    with folder() as d:
        users = f"basic_auth_users: {{me: '{bcrypt('secret')}', you: '{bcrypt('two:parts')}'}}\n"
        headers = "http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=9}}\n"
        with serve(d, users + headers) as t:
            r = t.get("/api/v2/alerts")
            equal((r.status, r.headers["WWW-Authenticate"], r.headers["X-Frame-Options"]), (401, "Basic", "deny"))
            for wrong in (basic("me", "wrong"), basic("nobody", "secret"), basic("me", ""), bearer("secret"),
                          {"Authorization": "Basic"}, {"Authorization": "Basic !"}, {"Authorization": "Basic bWU="}):
                equal(t.get("/-/ready", headers=wrong).status, 401, wrong)
            for _ in range(2):
                equal(t.get("/api/v2/alerts", headers=basic("me", "secret")).status, 200)
                equal(t.get("/api/v2/alerts", headers=basic("you", "two:parts")).status, 200)
            equal(t.post("/api/v2/alerts", [{"labels": {"a": "b"}}]).status, 401)
            equal(t.post("/api/v2/alerts", [{"labels": {"a": "b"}}], headers=basic("me", "secret")).status, 200)
            flood = [threading.Thread(target=t.get, args=("/",), kwargs={"headers": basic("me", f"wrong{i}")})
                     for i in range(60)]
            for f in flood:
                f.start()
            began = time.monotonic()
            equal(t.get("/api/v2/alerts", headers=basic("me", "secret")).status, 200, "remembered: waits for nobody")
            assert time.monotonic() - began < 0.5
            for f in flood:
                f.join()
            write(f"{d}/web.yml", users.replace(bcrypt("secret"), bcrypt("changed")))
            until("the old password is refused", lambda: t.get("/", headers=basic("me", "secret")).status == 401, 5)
            equal(t.get("/", headers=basic("me", "changed")).status, 200)
            write(f"{d}/web.yml", "rate_limit: {interval: 1h, burst: 3}\n")
            until("the rate counts", lambda: t.get("/").status == 429, 5)


def test_wrong_files():
    with folder() as d:
        write(f"{d}/tocsin.yml", CONFIG)
        for text, wanted in (("tls_server_config: {cert_file: x.pem}\n", "key"),
                             ("basic_auth_users: {me: plain}\n", "bcrypt"), ("nonsense: 1\n", "nonsense"),
                             ("tls_server_config: {cert_file: x.pem, key_file: y.pem}\n", "x.pem"),
                             ("tls_server_config: {cert: a, key: b, client_auth_type: RequireAndVerifyClientCert}\n", "client_ca"),
                             ("http_server_config: {headers: {Server: x}}\n", "Server"),
                             ("http_server_config: {headers: {X-Frame-Options: maybe}}\n", "X-Frame-Options")):
            path = write(f"{d}/web.yml", text)
            p = subprocess.run([PROGRAM, f"--config.file={d}/tocsin.yml", f"--storage.path={d}/data",
                                "--web.listen-address=127.0.0.1:0", "--web.config.file=" + path],
                               capture_output=True, text=True, timeout=20)
            equal(p.returncode, 1, text)
            assert "web.yml" in p.stderr and wanted in p.stderr, p.stderr


def silence(**labels):
    return {"matchers": [{"name": k, "value": v, "isRegex": False} for k, v in labels.items()], "startsAt": stamp(),
            "endsAt": stamp(60), "createdBy": "me", "comment": "c"}


def test_tokens():
    tokens = """web:
  tokens:
    - {name: dashboard, token: r-token, scope: read}
    - {name: gpu team, token_file: gpu.token, scope: silence, matchers: ['team=~"gpu|hpc"', 'env!="prod"']}
    - {name: root, token: a-token, scope: admin}
"""
    with folder() as d:
        write(f"{d}/gpu.token", "s-token\n")
        with Tocsin(CONFIG + tokens, d) as t:
            def status(method, path, body=None, token=None):
                return request(method, t.url + path, body, headers=bearer(token) if token else {}).status

            equal(t.get("/api/v2/alerts").headers["WWW-Authenticate"], "Bearer")
            equal([status("GET", "/api/v2/alerts", token=x) for x in (None, "x", "r-token", "s-token", "a-token")],
                  [401, 401, 200, 200, 200])
            alerts = [{"labels": {"a": "b"}}]
            equal([status("POST", "/api/v2/alerts", alerts, x) for x in ("r-token", "s-token", "a-token")], [403, 403, 200])
            equal([status("POST", "/-/reload", b"", x) for x in ("r-token", "s-token", "a-token")], [403, 403, 200])
            for body, wanted in ((silence(team="gpu", env="dev"), 200), (silence(team="gpu"), 403), (silence(env="dev"), 403),
                                 (silence(team="web", env="dev"), 403), (silence(team="gpu", env="prod"), 403),
                                 (silence(team="gpu", env="dev", node="7"), 200)):
                equal(status("POST", SILENCES, body, "s-token"), wanted, body["matchers"])
            equal(status("POST", SILENCES, silence(team="gpu", env="dev"), "r-token"), 403)
            r = request("POST", t.url + SILENCES, silence(team="web"), headers=bearer("a-token"))
            foreign = r.json()["silenceID"]
            equal(status("DELETE", "/api/v2/silence/" + foreign, token="s-token"), 403)
            equal(status("POST", SILENCES, {**silence(team="gpu", env="dev"), "id": foreign}, "s-token"), 403)
            own = [s["id"] for s in request("GET", t.url + SILENCES, headers=bearer("r-token")).json() if s["id"] != foreign]
            equal(status("DELETE", "/api/v2/silence/" + own[0], token="s-token"), 200)
            equal(status("DELETE", "/api/v2/silence/" + foreign, token="a-token"), 200)
            log = t.text()
            assert "a-token" not in log and "s-token" not in log
        users = f"basic_auth_users: {{me: '{bcrypt('secret')}'}}\n"
        with serve(d, users, config=CONFIG + tokens) as t:
            equal(t.get("/api/v2/status", headers=bearer("r-token")).status, 200)
            equal(t.get("/api/v2/status", headers=bearer("x")).status, 401)
            equal(t.get("/", headers=bearer("x")).status, 200, "the page, which asks for one, has no data")
            equal(t.post("/-/reload", b"", headers=basic("me", "secret")).status, 200, "users may do everything")
            equal(t.get("/api/v2/status").headers["WWW-Authenticate"], "Basic")
            equal(t.get("/api/v2/status", headers={"X-Tocsin-Page": "1"}).headers["WWW-Authenticate"], "Bearer", "the page asks by a form")


def test_routes_say_what_they_take():
    """A POST that changes nothing is for any token; the others are for those of their scope; with a prefix, and spelled otherwise."""
    tokens = "web: {tokens: [%s]}\n" % ", ".join(f"{{name: {s}, token: {s}, scope: {s}}}" for s in ("read", "silence", "push", "admin"))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reads = [("POST", "/api/v1/" + path, body) for path, body in
             (("query", b"query=1"), ("query_range", b"query=1&start=0&end=1&step=1"), ("format_query", b"query=1"), ("parse_query", b"query=1"),
              ("series", b"match[]=up"), ("labels", b""), ("query_exemplars", b""), ("%71uery", b"query=1"), ("alerts", b"[]"))]
    reads += [("POST", "/api/v2/templates/render", b"{}"), ("DELETE", "/api/v2/alerts", None), ("POST", "/nowhere", b"")]
    changes = [("POST", "/api/v2/alerts", b"[]", None), ("POST", "/-/reload", b"", None), ("PUT", "/-/reload", b"", None),
               ("POST", "/api/v2/silences", b"{}", "silence"), ("DELETE", "/api/v2/silence/x", None, "silence"),
               ("POST", "/metrics/job/j", b"a 1\n", "push"), ("PUT", "/metrics/job@base64/ag", b"a 1\n", "push"),
               ("DELETE", "/metrics/job/j", None, "push"), ("POST", "/api/v2/%61lerts", b"[]", None)]
    for prefix in ("", "/a b"):
        with folder() as d, Tocsin(CONFIG + tokens, d, "--web.route-prefix=" + prefix) as t:
            base = t.url + prefix.replace(" ", "%20")

            def is_let_in(method, path, body, scope):
                status = request(method, base + path, body, headers={**bearer(scope), **form}).status
                assert status != 401, path
                return status != 403

            for rq in reads:
                equal([is_let_in(*rq, s) for s in ("read", "silence", "push", "admin")], [True] * 4, rq)
            for *rq, scope in changes:
                equal([is_let_in(*rq, s) for s in ("read", "silence", "push", "admin")], [False, scope == "silence", scope == "push", True], rq)
            equal(request("POST", base + "/api/v1/query", b"query=7", headers={**bearer("read"), **form}).json()["data"]["result"][1], "7")


def test_command_line():
    with folder() as d:
        make_ca(d)
        make_cert(d, "server")
        web = f"tls_server_config: {{cert_file: server.pem, key_file: server.key}}\nbasic_auth_users: {{me: '{bcrypt('secret')}'}}\n"
        tokens = "web: {tokens: [{name: root, token: a-token, scope: admin}]}\n"
        write(f"{d}/password", "secret\n")
        write(f"{d}/token", "a-token\n")
        write(f"{d}/http.yml", "basic_auth: {username: me, password_file: password}\ntls_config: {ca_file: ca.pem}\n")
        with serve(d, web, config=CONFIG + tokens) as t:
            def cli(*flags):
                p = subprocess.run([PROGRAM, "silence", "list", f"--url=https://{t.address}", *flags],
                                   capture_output=True, text=True, timeout=20)
                return p.returncode, p.stderr

            equal(cli(f"--tls-ca-file={d}/ca.pem", "--user=me", f"--password-file={d}/password")[0], 0)
            equal(cli(f"--tls-ca-file={d}/ca.pem", f"--token-file={d}/token")[0], 0)
            equal(cli(f"--http.config.file={d}/http.yml")[0], 0)
            equal(cli(f"--tls-ca-file={d}/ca.pem")[0], 1)
            equal(cli(f"--user=me", f"--password-file={d}/password")[0], 3, "an unknown authority")
            code, text = cli(f"--tls-ca-file={d}/none.pem")
            assert code == 1 and "none.pem" in text, text
            code, text = cli(f"--http.config.file={d}/none.yml")
            assert code == 1 and "none.yml" in text, text


def silence_by(name, **labels):
    return {**silence(**labels), "createdBy": name}


def refused(t, reason):
    """The count, as a holder of the admin token sees it."""
    text = request("GET", t.url + "/metrics", headers=bearer("a-token")).body.decode()
    m = re.search(r'^tocsin_http_refused_total\{reason="%s"\} (\d+)' % reason, text, re.M)
    assert m, "there is no tocsin_http_refused_total"
    return int(m.group(1))


def test_who_is_refused_is_logged_and_counted():
    tokens = "web: {tokens: [{name: dashboard, token: r-token, scope: read}, {name: root, token: a-token, scope: admin}]}\n"
    users = f"basic_auth_users: {{me: '{bcrypt('secret')}'}}\n"
    with folder() as d, serve(d, users, config=CONFIG + tokens) as t:
        def refusals():
            return [line for line in list(t.log) if "request refused" in line]

        equal(t.get("/api/v2/alerts").status, 401)
        equal((refused(t, "no_credentials"), refusals()), (1, []), "a browser asks without, first")
        for headers, status, reason, name in ((bearer("guessed-one"), 401, "token", '""'), (basic("me", "guessed-two"), 401, "password", "me"),
                                              (basic("guessed-three", "x"), 401, "password", '""'),
                                              ({"Authorization": "Digest guessed-four"}, 401, "token", '""')):
            seen, before = len(refusals()), refused(t, reason)
            equal(t.get("/api/v2/silences?filter=a", headers=headers).status, status)
            equal(refused(t, reason), before + 1, headers)
            line, = until("it is logged", lambda: refusals()[seen:])
            assert f"reason={reason} name={name} address=127.0.0.1 route=/api/v2/silences" in line, line
        equal(t.post("/api/v2/alerts", [], headers=bearer("r-token")).status, 403)
        equal(refused(t, "scope"), 1)
        assert "reason=scope name=dashboard address=127.0.0.1 route=/api/v2/alerts" in until("it is logged", lambda: refusals()[4:])[0]
        for _ in range(50):
            equal(t.get("/api/v2/status", headers=bearer("guessed-one")).status, 401)
        equal(refused(t, "token"), 52)
        assert len(refusals()) <= 20, "a flood fills the log"
        assert "guessed" not in t.text(), "what was shown is a secret of somebody's"


def test_who_asks_comes_before_what_for():
    tokens = "web: {tokens: [{name: root, token: a-token, scope: admin}]}\n"
    xml = {"Accept": "text/xml"}
    with folder() as d, Tocsin(CONFIG + tokens, d) as t:
        for path in ("/api/v2/alerts", "/api/v2/status", "/api/v2/silence/nothing"):
            equal([t.get(path, headers=h).status for h in (xml, {**xml, **bearer("x")}, {**xml, **bearer("a-token")})], [401, 401, 406], path)
    with folder() as d, serve(d, f"basic_auth_users: {{me: '{bcrypt('secret')}'}}\n") as t:
        equal([t.get("/api/v2/alerts", headers=h).status for h in (xml, {**xml, **basic("me", "x")}, {**xml, **basic("me", "secret")})],
              [401, 401, 406])


def test_a_silence_has_its_tokens_name():
    tokens = "web: {tokens: [{name: gpu team, token: s-token, scope: silence}, {name: root, token: a-token, scope: admin}]}\n"
    with folder() as d:
        with Tocsin(CONFIG + tokens, d, "--log.silences") as t:
            def post(body, token):
                r = request("POST", t.url + SILENCES, body, headers=bearer(token))
                equal(r.status, 200, r.body)
                return r.json()["silenceID"]

            ids = {post(silence_by("alice", team="gpu"), "s-token"): ("gpu team", "alice"), post(silence_by("gpu team", team="a"), "s-token"): ("gpu team", None),
                   post({**silence_by("bob", team="b"), "annotations": {"ticket": "7", "createdBy": "carol"}}, "a-token"): ("root", "bob")}
        with Tocsin(CONFIG + tokens, d) as t:  # as it is on the disk
            got = {s["id"]: s for s in request("GET", t.url + SILENCES, headers=bearer("a-token")).json()}
            equal({i: (s["createdBy"], s.get("annotations", {}).get("createdBy")) for i, s in got.items()}, ids)
            equal([s["annotations"].get("ticket") for s in got.values() if s["createdBy"] == "root"], ["7"])
            write(f"{d}/token", "a-token\n")
            p = subprocess.run([PROGRAM, "silence", "list", "--url=" + t.url, f"--token-file={d}/token"], capture_output=True, text=True, timeout=20)
            assert "gpu team (given as alice)" in p.stdout, p.stdout
    with folder() as d, Tocsin(CONFIG, d) as t:
        equal(t.post(SILENCES, silence_by("alice", team="gpu")).status, 200)
        equal([(s["createdBy"], s.get("annotations")) for s in t.get(SILENCES).json()], [("alice", None)])


def test_who_may_post_alerts_may_do_nothing_else():
    tokens = "web: {tokens: [{name: prometheus, token: p-token, scope: alerts}, {name: root, token: a-token, scope: admin}]}\n"
    with folder() as d, Tocsin(CONFIG + tokens, d) as t:
        def status(method, path, body=None):
            return request(method, t.url + path, body, headers=bearer("p-token")).status

        equal(status("POST", "/api/v2/alerts", [{"labels": {"alertname": "A"}}]), 200)
        equal([a["labels"] for a in request("GET", t.url + "/api/v2/alerts", headers=bearer("a-token")).json()], [{"alertname": "A"}])
        for rq in (("GET", "/api/v2/alerts"), ("GET", "/api/tocsin/board"), ("GET", "/metrics"), ("GET", "/nowhere"), ("HEAD", "/api/v2/status"), ("DELETE", "/api/v2/alerts"),
                   ("POST", SILENCES, silence(a="b")), ("POST", "/-/reload", b""), ("POST", "/api/v1/query", b"query=1"),
                   ("POST", "/api/v2/templates/render", {}), ("PUT", "/metrics/job/j", b"a 1\n"), ("DELETE", "/api/v2/silence/x")):
            equal(status(*rq), 403, rq)


def test_an_instance_with_tokens_recognises_itself():
    rules = "groups: [{name: g, interval: 1s, rules: [{alert: Fires, expr: vector(1)}]}]\n"
    port = free_port()
    config = (CONFIG + "rule_files: [rules.yml]\nweb: {tokens: [{name: root, token: a-token, scope: admin}]}\n"
              f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]}}\n")
    users = f"basic_auth_users: {{me: '{bcrypt('secret')}'}}\n"
    for flags in ([], ["--web.config.file="]):
        with folder() as d:
            write(f"{d}/web.yml", users)
            with Tocsin(config, d, *[f + f"{d}/web.yml" for f in flags], files={"rules.yml": rules}, listen=f"127.0.0.1:{port}") as t:
                until("it met itself", lambda: "is this instance" in t.text())
                assert "takes no alerts" not in t.text(), t.text()
                equal(t.post("/api/v2/alerts", [], headers={"Tocsin-Instance": "another"}).status, 401)


if __name__ == "__main__":
    main()
