"""HTTPS connections are shared by requests of equal settings, and by no others: each pair of settings in one run, the first just
before the second, to one server; a reload; a tunnel through a proxy."""
from harness import *


class Secure(Listener):
    """An HTTPS server that keeps connections open. got: (path, number of the connection, name in the client's certificate)."""

    def __init__(self, context):
        self.context, self.got, self.connections = context, [], 0
        self.lock = threading.Lock()
        self.listen()

    def _serve(self, c):
        with self.lock:
            self.connections += 1
            number = self.connections
        try:
            c = self.context.wrap_socket(c, server_side=True)
            subject = dict(x[0] for x in (c.getpeercert() or {}).get("subject", ()))
            f = c.makefile("rb")
            while True:
                line = f.readline().decode().split()
                if not line:
                    return
                size = 0
                while (h := f.readline().strip()):
                    if h.lower().startswith(b"content-length:"):
                        size = int(h.split(b":")[1])
                f.read(size)
                self.got.append((line[1], number, subject.get("commonName")))
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except OSError:
            pass
        finally:
            c.close()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.s.close()


def hooks(server, receivers):
    """receivers: name -> http_config."""
    routes = "".join(f"    - {{receiver: {n}, matchers: ['r=\"{n}\"']}}\n" for n in receivers)
    return ("route:\n  receiver: none\n  group_by: [r, alertname]\n  group_wait: 0s\n  group_interval: 5m\n  repeat_interval: 1h\n"
            f"  routes:\n{routes}receivers:\n  - name: none\n" +
            "".join(f"  - name: {n}\n    webhook_configs: [{{url: 'https://127.0.0.1:{server.port}/{n}', http_config: {keys}}}]\n"
                    for n, keys in receivers.items()))


def told(t, server, name, sent=True):
    before = len(server.got)
    t.alert(alertname=f"A{time.monotonic_ns()}", r=name)
    until(name, lambda: len(server.got) > before if sent else "retry" in became(t, name))
    equal(len(server.got), before + sent, f"requests of {name}")
    until("the answer is counted", lambda: t.metric("alertmanager_notifications_total", integration="webhook") == len(server.got))
    return server.got[-1][1:] if sent else None


def certificates(d):
    cert, context = certificate(d)
    for name in ("alice", "bob"):
        os.mkdir(f"{d}/{name}")
        own, _ = certificate(f"{d}/{name}", name, f"DNS:{name}")
        context.load_verify_locations(own)
    context.verify_mode = ssl.CERT_OPTIONAL
    return cert, context


def test_no_pair_shares_a_connection():
    with folder() as d:
        cert, context = certificates(d)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        tls = lambda more="": f"tls_config: {{ca_file: '{cert}'{more}}}"
        client = lambda name: tls(f", cert_file: '{d}/{name}/cert.pem', key_file: '{d}/{name}/key.pem'")
        user = lambda name: f"{tls()}, basic_auth: {{username: {name}, password: x}}"
        token = lambda text: f"{tls()}, authorization: {{credentials: {text}}}"
        skips = "tls_config: {insecure_skip_verify: true}"
        with Secure(context) as server, Proxy() as proxy:
            tunnel = lambda name: f"{tls()}, proxy_url: '{proxy.url}', proxy_connect_header: {{X-Tenant: [{name}]}}"
            same = [tls(), client("alice"), skips, user("a"), token("a"), tunnel("a")]
            apart = [(tls(), skips), (tls(), client("alice")), (client("alice"), tls()), (client("alice"), client("bob")),
                     (user("a"), user("b")), (token("a"), token("b")), (tls(), user("a")), (tunnel("a"), tunnel("b")),
                     (tls(), tunnel("a"))]
            refused = [(skips, "tls_config: {}"), (skips, f"tls_config: {{ca_file: '{d}/bob/cert.pem'}}"),
                       (tls(), f"tls_config: {{ca_file: '{d}/bob/cert.pem'}}"), (tls(), tls(", server_name: other.example")),
                       (tls(), tls(", min_version: TLS13"))]
            receivers = {}
            for kind, pairs in (("same", [(x, x) for x in same]), ("apart", apart), ("refused", refused)):
                for i, pair in enumerate(pairs):
                    receivers[f"{kind}-{i}-a"], receivers[f"{kind}-{i}-b"] = ("{%s}" % x for x in pair)
            with Tocsin(hooks(server, receivers), d) as t:
                for a in [n for n in receivers if n.endswith("a")]:
                    b, kind = a[:-1] + "b", a.split("-")[0]
                    first, second = told(t, server, a), told(t, server, b, kind != "refused")
                    text = f"{receivers[a]} and {receivers[b]}"
                    if second is not None:
                        equal(second[0] == first[0], kind == "same", f"one connection for {text}")
                    for name, (_, who) in ((a, first), (b, second or (0, None))):
                        m = re.search("/(alice|bob)/cert.pem', key", receivers[name])
                        equal(who, m and m.group(1), receivers[name])
            equal(proxy.seen, ["a", "b"])


def test_no_connection_survives_a_reload():
    """Nor a certificate that was renewed in its place."""
    with folder() as d:
        cert, context = certificates(d)
        with Secure(context) as server:
            who = lambda name: "{tls_config: {ca_file: '%s', cert_file: '%s/%s/cert.pem', key_file: '%s/%s/key.pem'}}" % (cert, d, name, d, name)
            with Tocsin(hooks(server, {"a": who("alice")}), d) as t:
                equal(told(t, server, "a"), (1, "alice"))
                equal(told(t, server, "a"), (1, "alice"))
                write(t.config_file, hooks(server, {"a": who("bob")}))
                equal(t.post("/-/reload", b"").status, 200)
                equal(told(t, server, "a"), (2, "bob"))
                for name in ("cert.pem", "key.pem"):
                    shutil.copy(f"{d}/alice/{name}", f"{d}/bob/{name}")
                equal(told(t, server, "a")[1], "alice")
                write(t.config_file, hooks(server, {"a": "{tls_config: {}}"}))
                equal(t.post("/-/reload", b"").status, 200)
                told(t, server, "a", False)


main()
