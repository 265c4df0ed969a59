"""One attempt is one request: what may have been taken is not sent again behind our back, over HTTP/1.1 and HTTP/2; a connection
that was closed while nobody used it costs nothing. What is told of an attempt that failed is what was the matter."""
import resource

from harness import *

FRAME = 9
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1


class Server(Listener):
    """Reads each request whole. The first `together` are answered when all are there, so that as many connections are open; of the
    others the first `lost` get no answer but the end of the connection, then all get 200. moves: path -> where to, at once.
    got: the path of each, in order. closes: answers end the connection, a moment later. goes: of HTTP/2, how the server goes away
    at its next requests: "before", it has not looked at the stream; "with", it answers; "without" an answer."""

    def __init__(self, context=None, together=1, lost=0, moves=None, closes=False, goes=(), body=b"ok"):
        self.goes, self.body = list(goes), body
        self.context, self.lost, self.moves, self.closes = context, lost, moves or {}, closes
        self.together, self.barrier = together, threading.Barrier(together)
        self.lock, self.got, self.bodies, self.judged, self.ends = threading.Lock(), [], [], 0, 0
        self.listen()
        self.url = "%s://127.0.0.1:%d" % ("https" if context else "http", self.port)

    def status(self, path, body):
        """None: none."""
        with self.lock:
            self.got.append(path)
            self.bodies.append(body)
            if path in self.moves:
                return 307
            self.judged += 1
            early = self.judged <= self.together
            lost = not early and self.lost > 0
            self.lost -= lost
        if early:
            self.barrier.wait(10)
        return None if lost else 200

    def _serve(self, c):
        try:
            if self.context:
                c = self.context.wrap_socket(c, server_side=True)
            f = c.makefile("rb")
            two = self.context is not None and c.selected_alpn_protocol() == "h2"
            while self._two(c, f) if two else self._one(c, f):
                pass
            f.close()
        except (OSError, ValueError):
            pass
        finally:
            c.close()
            self.ends += 1

    def _one(self, c, f):
        line = f.readline().split()
        if not line:
            return False
        size = 0
        while (h := f.readline().strip()):
            if h.lower().startswith(b"content-length:"):
                size = int(h.split(b":")[1])
        path = line[1].decode()
        status = self.status(path, f.read(size))
        if status is None:
            return False
        to = f"Location: {self.moves[path]}\r\n" if status == 307 else ""
        c.sendall(f"HTTP/1.1 {status} Word\r\nContent-Length: 2\r\n{to}\r\nok".encode())
        return not self.closes

    def _two(self, c, f):
        """A connection's whole life: requests are told by the end of their stream, their heads are not read."""
        def send(kind, flags, stream, payload=b""):
            c.sendall(len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload)

        equal(f.read(24), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        send(SETTINGS, 0, 0)
        bodies = {}
        while len(head := f.read(FRAME)) == FRAME:
            size, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")
            payload = f.read(size)
            if kind in (SETTINGS, PING) and not flags & ACK:
                send(kind, ACK, 0, payload if kind == PING else b"")
            if kind == DATA:
                bodies[stream] = bodies.get(stream, b"") + payload
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                status = self.status("h2", bodies.get(stream, b""))
                early = self.judged <= self.together
                goes = self.goes.pop(0) if self.goes and not early else None
                if goes:  # last-stream-id, NO_ERROR
                    send(GOAWAY, 0, 0, (max(stream - 2, 0) if goes == "before" else stream).to_bytes(4, "big") + b"\0\0\0\0")
                if status is None or goes in ("before", "without"):
                    self.drain(c, f)
                    return False
                send(HEADERS, END_HEADERS, stream, b"\x88")  # :status 200
                send(DATA, END_STREAM, stream, self.body)
                if self.closes or goes:  # all that is on its way is read: a reset would take the answer with it
                    self.drain(c, f)
        return False

    def drain(self, c, f):
        c.settimeout(0.2)
        with contextlib.suppress(OSError):
            while f.read(1):
                pass

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.s.close()


def hook(server, more=""):
    return (f"route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 5m, repeat_interval: 1h}}\n"
            f"receivers:\n  - name: hook\n    webhook_configs:\n      - url: {server.url}/hook\n"
            "        http_config: {follow_redirects: true, tls_config: {insecure_skip_verify: true}%s}\n" % more)


def attempts(t):
    return t.metric("alertmanager_notification_requests_total", integration="webhook") or 0


def delivered(t, n):
    until(f"{n} are delivered", lambda: t.metric("alertmanager_notifications_total", integration="webhook") == n)


def lose(server, expected, more=""):
    """As many alerts as open connections, then one whose requests are lost. Returns how many attempts that took."""
    with folder() as d, Tocsin(hook(server, more), d) as t:
        for i in range(server.together):
            t.alert(alertname=f"Open{i}")
        delivered(t, server.together)
        before, was = len(server.got), attempts(t)
        t.alert(alertname="Lost")
        delivered(t, server.together + 1)
        equal({json.loads(b)["groupLabels"]["alertname"] for b in server.bodies[before:]}, {"Lost"}, "each whole")
        requests, n = len(server.got) - before, attempts(t) - was
        told = re.findall('attempt failed.*err="(.*)"', t.text())
        print(requests, "requests,", n, "attempts:", *sorted(set(told)))
        equal((requests, set(told)), (expected, {f"no answer from '{server.url}': the connection was lost"}), "requests, what is told")
        equal(len(told), n - 1, "failed attempts")
        return n


def test_kept_connections():
    with Server(together=4, lost=3) as s:
        equal(lose(s, 4), 4)


def test_kept_connections_through_a_proxy():
    """The proxy's answer to CONNECT is none to the request."""
    with folder() as d, Proxy() as p, Server(certificate(d)[1], together=4, lost=3) as s:
        equal(lose(s, 4, f", proxy_url: '{p.url}'"), 4)
        assert len(p.seen) >= 4, p.seen
        equal({a and a.split("/")[0] for a in p.agents}, {"User-Agent: tocsin"}, "who asks for tunnels")


def test_the_server_has_gone():
    """What is sent once more for a connection that was lost does not come to be sent; the words are of what was sent."""
    with Server(lost=1) as s, folder() as d, Tocsin(hook(s), d) as t:
        t.alert(alertname="Open")
        delivered(t, 1)
        s.s.close()
        t.alert(alertname="Lost")
        until("it is told", lambda: 'err="no answer from' in t.text())
        said = re.findall('attempt failed.*err="(.*?)"', t.text())[0]
        equal((said, len(s.got)), (f"no answer from '{s.url}': the connection was lost", 2))


def test_new_connections():
    with Server(closes=True, lost=2) as s:
        equal(lose(s, 3), 3)


def test_kept_connections_http2():
    with folder() as d:
        context = certificate(d)[1]
        context.set_alpn_protocols(["h2"])
        with Server(context, lost=2) as s:
            equal(lose(s, 3), 3)
            equal(set(s.got), {"h2"})


@contextlib.contextmanager
def h2(**how):
    with folder() as d:
        context = certificate(d)[1]
        context.set_alpn_protocols(["h2"])
        with Server(context, **how) as s:
            yield s


def test_a_server_that_goes_away():
    """GOAWAY before it has looked at a stream, or without an answer to it: the attempt has failed, with its reason, and the next
    one is the next request. With an answer: nothing is told twice, and what follows takes a new connection."""
    for goes in ("before", "without"):
        with h2(goes=[goes, goes]) as s, folder() as d, Tocsin(hook(s), d) as t:
            t.alert(alertname="Open")
            delivered(t, 1)
            t.alert(alertname="Told")
            delivered(t, 2)
            said = re.findall('attempt failed.*err="(.*?)"', t.text())
            equal((len(s.got), attempts(t)), (4, 4), f"{goes}: a request an attempt")
            equal(said, [f"no answer from '{s.url}': the server is going away (HTTP/2 GOAWAY)"] * 2)
            equal([json.loads(b)["groupLabels"]["alertname"] for b in s.bodies], ["Open"] + ["Told"] * 3, "each whole")
    with h2(goes=["with"]) as s, folder() as d, Tocsin(hook(s), d) as t:
        for i, name in enumerate(("Open", "Last", "Next")):
            t.alert(alertname=name)
            delivered(t, i + 1)
        equal((len(s.got), attempts(t), t.text().count("attempt failed")), (3, 3, 0))


def test_a_source_that_goes_away():
    """The same of a query: the rule's evaluation says why it failed, and the next one is answered."""
    answer = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"1"]}]}}'
    config = ("sources: [{name: p, url: '%s', tls_config: {insecure_skip_verify: true}}]\nrule_files: [r.yml]\n"
              "route: {receiver: r}\nreceivers: [{name: r}]\n")
    with h2(goes=["before", "without", "with"], body=answer) as s, folder() as d, \
            Tocsin(config % s.url, d, files={"r.yml": "groups: [{name: g, interval: 1s, rules: [{alert: A, expr: up}]}]\n"}) as t:
        errors = set()

        def rule():
            r = t.get("/api/v1/rules").json()["data"]["groups"][0]["rules"][0]
            errors.add(r.get("lastError", ""))
            return r
        until("it has gone away each way", lambda: rule() and not s.goes, 20)
        until("it is well again", lambda: rule()["health"] == "ok" and len(s.got) > 6, 20)
        equal(errors, {"", f"no answer from '{s.url}': the server is going away (HTTP/2 GOAWAY)"})
        assert [a["labels"]["alertname"] for a in t.alerts()] == ["A"], t.alerts()


def test_behind_a_redirect():
    """The body goes out again where an answer asks for it, and only then."""
    with Server(together=4, lost=2, moves={"/hook": "/moved"}) as s:
        equal(lose(s, 6), 3)
        equal((s.got.count("/hook"), s.got.count("/moved")), (7, 7))


def test_closed_while_idle():
    for protocol in (None, "http/1.1", "h2"):
        with folder() as d:
            context = protocol and certificate(d)[1]
            if context:
                context.set_alpn_protocols([protocol])
            with Server(context, closes=True) as s, Tocsin(hook(s), d) as t:
                for i in range(5):
                    t.alert(alertname=f"A{i}")
                    delivered(t, i + 1)
                    until("the connection is closed", lambda: s.ends == i + 1)
                equal((len(s.got), attempts(t), s.got[0]), (5, 5, "h2" if protocol == "h2" else "/hook"), protocol)



def test_what_was_given_up_keeps_its_reason():
    """A message that failed and is overtaken by a newer one of its group."""
    for behaviour, reason in ((503, "serverError"), ((429, {}), "rateLimited"), (CLOSE, "other")):
        with Sink(otherwise=behaviour) as s, folder() as d, Tocsin(simple(s, group_interval="100ms"), d) as t:
            t.alert(alertname="A", n="1")
            until("an attempt has failed", lambda: t.metric("alertmanager_notification_requests_failed_total", integration="webhook"))
            t.alert(alertname="A", n="2")
            until(f"{reason} is counted", lambda: t.metric("alertmanager_notifications_failed_total", integration="webhook", reason=reason))
            equal(t.metric("alertmanager_notifications_failed_total", integration="webhook", reason="contextDeadlineExceeded"), 0)



class Raw(Listener):
    """serve: a function of a connection."""

    def __init__(self, serve):
        self.serve = serve
        self.listen()

    def _serve(self, c):
        try:
            with c:
                self.serve(c)
        except OSError:
            pass

    def __enter__(self):
        return f"127.0.0.1:{self.port}"

    def __exit__(self, *failure):
        self.s.close()


def says(text):
    """A server that reads a head and answers with text."""
    def serve(c):
        head = b""
        while b"\r\n\r\n" not in head:
            head += c.recv(1000) or b"\r\n\r\n"
        c.sendall(text)
        c.shutdown(socket.SHUT_WR)
        while c.recv(1000):
            pass
    return serve


def secure(context):
    def serve(c):
        with context.wrap_socket(c, server_side=True) as s:
            says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")(s)
    return serve


def told(url, *wanted, **http):
    """An attempt tells that, in one of these words."""
    conf = (f"route: {{receiver: hook, group_wait: 0s}}\nreceivers:\n  - name: hook\n    webhook_configs:\n      - url: {url}\n"
            f"        http_config: {json.dumps(http)}\n")
    with folder() as d, Tocsin(conf, d) as t:
        t.alert(alertname="A")
        until("the first attempt", lambda: (said := re.search('msg="notification .*err="(.*)"', t.text())) and said[1] in wanted)


def test_proxies():
    url = "https://hooks.test:9/x"
    reach = "cannot reach 'https://hooks.test:9': "
    no = "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n"
    with Raw(says((no % "407 Proxy Authentication Required").encode())) as p:
        told(url, reach + "the proxy answered status 407: it wants a login, or another one", proxy_url=f"http://{p}")
        told("http://hooks.test/x", "unexpected status code 407 (the proxy wants a login, or another one)", proxy_url=f"http://{p}")
    with Raw(says((no % "403 Forbidden").encode())) as p:
        told(url, reach + "the proxy answered status 403", proxy_url=f"http://{p}")
    with Raw(says(b"220 mail.test\r\n")) as p:
        told(url, reach + "the proxy did not answer in HTTP", proxy_url=f"http://{p}")


def test_client_certificates():
    with folder() as d, folder() as other:
        cert, context = certificate(d)
        context.load_verify_locations(cert)
        context.verify_mode = ssl.CERT_REQUIRED
        foreign, _ = certificate(other, name="somebody")
        ours = {"cert_file": foreign, "key_file": other + "/key.pem"}
        # TLS 1.3: the server's last word may be lost with what it had not read
        lost = "the connection was lost; the server had asked for a client certificate, and "
        with Raw(secure(context)) as s:
            no = f"no answer from 'https://{s}': "
            told(f"https://{s}/x", no + "the server wants a client certificate, and tls_config has none", no + lost + "tls_config has none",
                 tls_config={"ca_file": cert})
            told(f"https://{s}/x", no + "the server refused our client certificate: unknown ca", no + lost + "may have refused ours",
                 tls_config={"ca_file": cert, **ours})
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            told(f"https://{s}/x", f"cannot reach 'https://{s}': the server refused TLS: handshake failure (it may want a client "
                 "certificate: tls_config has none)", tls_config={"ca_file": cert})
            told(f"https://{s}/x", f"cannot reach 'https://{s}': the server refused our client certificate: unknown ca",
                 tls_config={"ca_file": cert, **ours})


def test_a_client_certificate_was_asked_for():
    """The server's last word is lost."""
    with folder() as d:
        cert, context = certificate(d)
        context.load_verify_locations(cert)
        context.verify_mode = ssl.CERT_OPTIONAL

        def serve(c):
            with context.wrap_socket(c, server_side=True) as s:
                s.recv(1)

        with Raw(serve) as s:
            told(f"https://{s}/x", f"no answer from 'https://{s}': the connection was lost; the server had asked for a client "
                 "certificate, and tls_config has none", tls_config={"ca_file": cert})


def test_names_of_certificates():
    with folder() as d:
        cert, context = certificate(d, alt="DNS:a.test,DNS:b.test")
        with Raw(secure(context)) as s:
            told(f"https://{s}/x", f"cannot reach 'https://{s}': SSL: no alternative certificate subject name matches target host name "
                 "'127.0.0.1'; the certificate is for DNS:a.test, DNS:b.test", tls_config={"ca_file": cert})
            told(f"https://{s}/x", f"cannot reach 'https://{s}': SSL: no alternative certificate subject name matches target host name "
                 "'c.test'; the certificate is for DNS:a.test, DNS:b.test", tls_config={"ca_file": cert, "server_name": "c.test"})


def test_not_http():
    with Raw(lambda c: (c.sendall(b"220 mail.test\r\n"), c.recv(1000), c.shutdown(socket.SHUT_WR), c.recv(1000))) as s:
        told(f"http://{s}/x", f"no answer from 'http://{s}': what answers there does not speak HTTP")
        told(f"https://{s}/x", f"cannot reach 'https://{s}': what answers there does not speak TLS")
    with Raw(says(b"HTTP/1.1 banana\r\n\r\n")) as s:
        told(f"http://{s}/x", f"no answer from 'http://{s}': what answers there does not speak HTTP")
    with Raw(says(b"HTTP/1.1 302 Found\r\nLocation: ftp://a.test/b\r\nContent-Length: 0\r\n\r\n")) as s:
        told(f"http://{s}/x", f"no answer from 'http://{s}': it redirects to what is not HTTP", follow_redirects=True)


def test_no_descriptor_is_free():
    for host in ("127.0.0.1", "hooks.test"):
        conf = (f"route: {{receiver: hook, group_wait: 0s}}\nreceivers:\n  - name: hook\n    webhook_configs:\n"
                f"      - url: http://{host}:9/x\n")
        with folder() as d, Tocsin(conf, d) as t:
            c = http.client.HTTPConnection(t.address)
            c.connect()
            until("it is accepted", lambda: (c.request("GET", "/-/ready"), c.getresponse().read()))
            before = resource.prlimit(t.p.pid, resource.RLIMIT_NOFILE)
            limit = 1 + max(int(n) for n in os.listdir(f"/proc/{t.p.pid}/fd"))
            resource.prlimit(t.p.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
            body = json.dumps([{"labels": {"alertname": "A"}}])
            c.request("POST", "/api/v2/alerts", body, {"Content-Type": "application/json"})
            equal(c.getresponse().read(), b"")
            until("it is told", lambda: f"cannot reach 'http://{host}:9': too many open files, the limit is {limit} (" in t.text())
            resource.prlimit(t.p.pid, resource.RLIMIT_NOFILE, before)


main()
