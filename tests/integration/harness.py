"""Starts tocsin and its peers for a test, and gives it a webhook receiver that behaves as told.

A test file defines test_* functions and ends with harness.main(). TOCSIN names the program, TOCSIN_SOURCE the project.
Everything listens on 127.0.0.1, on a port that the kernel picks, and is stopped when its `with` ends.
"""
import contextlib, email, email.policy, http.server, json, mmap, os, re, select, shutil, signal, socket, ssl, struct, subprocess, sys, tempfile, threading, time, traceback
import urllib.error, urllib.parse, urllib.request

SOURCE = os.environ.get("TOCSIN_SOURCE", os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))
PROGRAM = os.environ.get("TOCSIN", os.path.join(SOURCE, "build/release/tocsin"))
PEERS = os.path.join(SOURCE, "build/peers/usr/bin")
# TOCSIN_PEERS=newer: of Debian unstable what there is of it (Alertmanager 0.33, Prometheus 3.5, Pushgateway 1.11).
IS_NEWER, NEWER = os.environ.get("TOCSIN_PEERS") == "newer", os.path.join(SOURCE, "build/newer")
WALLCLOCK = os.path.join(os.path.dirname(PROGRAM), "tests", "libwallclock.so")
SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:)")


class Skip(Exception):
    pass


def peer(name):
    """Path of a program that ./dev deps unpacked; skips the test when it is missing, in CI only newer ones."""
    path = os.path.join(NEWER, "usr/bin", name)
    if IS_NEWER and not os.path.exists(NEWER + "/.complete"):
        raise Skip("newer peers are missing: ./dev deps, with Debian unstable in reach")
    if IS_NEWER and os.path.exists(path):
        return path
    path = os.path.join(PEERS, name)
    if not os.path.exists(path):
        raise (AssertionError if os.environ.get("CI") == "true" else Skip)(f"{name} is missing: ./dev deps")
    return path


def until(what, check, seconds=10.0, step=0.02):
    """Waits until check() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(step)


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def stamp(delta=0.0):
    t = time.time() + delta
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".%03dZ" % (t % 1 * 1000)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix="tocsin-test-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def request(method, url, body=None, headers=None, timeout=10):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    rq = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    if data is not None and not rq.has_header("Content-type"):
        rq.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(rq, timeout=timeout) as r:
            return Reply(r.status, r.headers, r.read())
    except urllib.error.HTTPError as e:
        return Reply(e.code, e.headers, e.read())


class Process:
    """A child with its log, ended with the `with` block."""

    def __init__(self, args, **options):
        self.log, self.args = [], args
        self.p = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                  **options)
        self.readers = [threading.Thread(target=self._read, args=(f,), daemon=True)
                        for f in (self.p.stdout, self.p.stderr)]
        for t in self.readers:
            t.start()

    def _read(self, f):
        for line in f:
            self.log.append(line)

    def text(self):
        return "".join(self.log)

    def says(self, *texts):
        """What is logged comes by a pipe, and may be later than what a request shows."""
        for text in texts:
            until(f"it says {text!r}", lambda: text in self.text(), 20)

    def wait(self, seconds=10):
        code = self.p.wait(seconds)
        for t in self.readers:
            t.join(5)
        return code

    def kill(self):
        """As the power going away."""
        if self.p.poll() is None:
            self.p.kill()
        self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.p.poll() is None:
            self.p.terminate()
            try:
                self.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


class Tocsin(Process):
    """config: text of the configuration. files: more files beside it. The storage survives when `dir` is given."""

    def __init__(self, config, dir, *flags, files=None, listen="127.0.0.1:0", storage=None, **options):
        self.dir, self.config_file = dir, os.path.join(dir, "tocsin.yml")
        self.storage = storage or os.path.join(dir, "data")
        write(self.config_file, config)
        for name, text in (files or {}).items():
            write(os.path.join(dir, name), text)
        super().__init__([PROGRAM, "--config.file=" + self.config_file, "--storage.path=" + self.storage,
                          "--web.listen-address=" + listen, *flags], **options)
        try:
            self.address = until("tocsin listens", self._listening, 20)
        except BaseException:
            self.kill()
            sys.stderr.write(self.text())
            raise
        self.url = "http://" + self.address

    def _listening(self):
        for line in list(self.log):
            m = "Listening on" in line and re.search(r'address="?([0-9.\[\]:a-f]+:\d+)', line)
            if m:
                return m.group(1)
        assert self.p.poll() is None, f"tocsin ended with {self.p.returncode}:\n{self.text()}"
        return None

    def get(self, path, **kw):
        return request("GET", self.url + path, **kw)

    def post(self, path, body, **kw):
        return request("POST", self.url + path, body, **kw)

    def alert(self, starts=None, ends=None, annotations=None, **labels):
        a = {"labels": labels, "annotations": annotations or {}}
        if starts is not None:
            a["startsAt"] = stamp(starts)
        if ends is not None:
            a["endsAt"] = stamp(ends)
        r = self.post("/api/v2/alerts", [a])
        equal(r.status, 200, f"POST of an alert: {r.body!r}")

    def alerts(self, query=""):
        r = self.get("/api/v2/alerts" + query)
        equal(r.status, 200, "GET /api/v2/alerts")
        return r.json()

    def metric(self, name, **labels):
        """Value of one series, None without it."""
        for line in self.get("/metrics").body.decode().splitlines():
            m = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
            if m and m.group(1) == name and dict(re.findall(r'(\w+)="([^"]*)"', m.group(2) or "")) == labels:
                return float(m.group(3))
        return None

    def stop(self):
        """Ends it as a service manager does; it must leave in order and without a finding of a sanitizer."""
        began = time.monotonic()
        self.p.send_signal(signal.SIGTERM)
        try:
            code = self.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("SIGTERM did not end tocsin within 10 s")
        self.took = time.monotonic() - began
        equal(code, 0, f"exit code after SIGTERM\n{self.text()}")

    def __exit__(self, *failure):
        if failure[0] is None and self.p.poll() is None:
            self.stop()
        super().__exit__(*failure)
        found = SANITIZER.search(self.text())
        if failure[0] is not None or found:
            sys.stderr.write("---- log of tocsin\n" + self.text()[-20000:] + "----\n")
        assert not found, "a sanitizer found something"


class NodeExporter(Process):
    """Debian's node exporter with one metric that the test sets: level."""

    def __init__(self, dir):
        self.address = f"127.0.0.1:{free_port()}"
        self.text_dir = os.path.join(dir, "textfile")
        os.makedirs(self.text_dir)
        self.set(0)
        super().__init__([peer("prometheus-node-exporter"), "--web.listen-address=" + self.address,
                          "--collector.disable-defaults", "--collector.textfile",
                          "--collector.textfile.directory=" + self.text_dir])

    def set(self, level):
        path = os.path.join(self.text_dir, "level.prom")
        write(path + ".new", f'# TYPE test_level gauge\ntest_level{{gpu="0"}} {level}\n')
        os.rename(path + ".new", path)


class Prometheus(Process):
    """Debian's Prometheus, scraping and evaluating every second. more: top-level YAML; job: more of the job that scrapes."""

    def __init__(self, dir, targets, more="", rules=None, port=None, job="", flags=()):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        base = os.path.join(dir, "prometheus")
        os.makedirs(base, exist_ok=True)
        text = "global: {scrape_interval: 1s, evaluation_interval: 1s}\n" + more
        if rules:
            write(os.path.join(base, "rules.yml"), rules)
            text += "rule_files: [rules.yml]\n"
        text += f"scrape_configs: [{{job_name: node, {job}static_configs: [{{targets: {json.dumps(targets)}}}]}}]\n"
        super().__init__([peer("prometheus"), "--config.file=" + write(os.path.join(base, "prometheus.yml"), text),
                          "--storage.tsdb.path=" + os.path.join(base, "data"),
                          f"--web.listen-address=127.0.0.1:{self.port}", *flags])
        until("Prometheus is ready", self._ready, 20)

    def _ready(self):
        assert self.p.poll() is None, self.text()
        try:
            return request("GET", self.url + "/-/ready", timeout=1).status == 200
        except OSError:
            return False

    def value(self, query):
        r = request("GET", self.url + "/api/v1/query?query=" + urllib.parse.quote(query)).json()["data"]["result"]
        return float(r[0]["value"][1]) if r else None


NOTHING, HALF, CLOSE = "nothing", "half", "close"  # bytes are an answer as it is, then the end


class Received:
    def __init__(self, method, path, headers, body, behaviour):
        self.at, self.method, self.path, self.headers, self.body, self.behaviour = time.monotonic(), method, path, headers, body, behaviour

    def json(self):
        return json.loads(self.body)


class Alertmanager(Process):
    """Debian's, from build/peers or build/newer; its storage is DIR/am."""

    def __init__(self, config, dir, port=None, flags=()):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        base = os.path.join(dir, "am")
        os.makedirs(base, exist_ok=True)
        super().__init__([peer("prometheus-alertmanager"), "--config.file=" + write(f"{base}/am.yml", config),
                          "--storage.path=" + base, f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
                          "--web.external-url=http://same.example", *flags], cwd=SOURCE)
        until("Alertmanager is ready", self._ready, 20)

    def _ready(self):
        assert self.p.poll() is None, self.text()
        try:
            return request("GET", self.url + "/-/ready", timeout=1).status == 200
        except OSError:
            return False


class Listener:
    """Accepts on a port that the kernel picks; each connection has a thread, which calls _serve(connection)."""

    def listen(self, host="127.0.0.1"):
        self.s = socket.create_server((host, 0), backlog=128)
        self.port = self.s.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()


class Proxy(Listener):
    """CONNECT and nothing else. seen: the X-Tenant of each tunnel, agents: who asked for it."""

    def __init__(self):
        self.seen, self.agents = [], []
        self.listen()
        self.url = "http://127.0.0.1:%d" % self.port

    def _serve(self, c):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += c.recv(1)
        lines = head.decode().split("\r\n")
        host, port = lines[0].split()[1].rsplit(":", 1)
        self.agents += [l for l in lines if l.lower().startswith("user-agent:")] or [None]
        self.seen += [l.split(":")[1].strip() for l in lines if l.lower().startswith("x-tenant:")] or [None]
        with c, socket.create_connection((host, int(port))) as s:
            c.sendall(b"HTTP/1.1 200 go on\r\n\r\n")
            while True:
                for a in select.select([c, s], [], [])[0]:
                    data = a.recv(65536)
                    if not data:
                        return
                    (s if a is c else c).sendall(data)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.s.close()


class Sink(Listener):
    """A webhook receiver. Each request takes the next behaviour of the script, then `otherwise`:
    a status, (status, {header: value}), NOTHING (holds the connection), HALF (of an answer), CLOSE (without an answer).
    """

    def __init__(self, *script, otherwise=200):
        self.script, self.otherwise, self.got = list(script), otherwise, []
        self.lock, self.held = threading.Lock(), []
        self.listen()
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def _serve(self, c):
        try:
            f = c.makefile("rb")
            while self._one(c, f):
                pass
        except (OSError, ValueError):
            pass

    def _one(self, c, f):
        line = f.readline().decode("latin1").split()
        if len(line) < 2:
            c.close()
            return False
        headers = {}
        while True:
            h = f.readline().decode("latin1").strip()
            if not h:
                break
            k, v = h.split(":", 1)
            headers[k.lower()] = v.strip()
        body = f.read(int(headers.get("content-length", 0)))
        with self.lock:
            b = self.script.pop(0) if self.script else self.otherwise
            self.got.append(Received(line[0], line[1], headers, body, b))
        if b == NOTHING:
            self.held.append(c)
            return False
        if b == CLOSE:
            f.close()
            c.close()
            return False
        if isinstance(b, bytes):
            c.sendall(b)
            c.shutdown(socket.SHUT_RDWR)
            return False
        if b == HALF:
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            c.shutdown(socket.SHUT_RDWR)
            return False
        status, extra = b if isinstance(b, tuple) else (b, {})
        head = f"HTTP/1.1 {status} Status\r\nContent-Length: 2\r\n" + "".join(f"{k}: {v}\r\n" for k, v in extra.items())
        c.sendall(head.encode() + b"\r\nok")
        return True

    def count(self):
        return len(self.got)

    def accepted(self):
        return [r for r in self.got if r.behaviour == 200]

    def close(self):
        self.s.close()
        for c in self.held:
            c.close()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()


TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Exporter:
    """Answers every path with what pages[path] says: (status, headers, body), or a function that gives it."""

    def __init__(self):
        exporter = self
        self.pages, self.requests = {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                exporter.requests.append((self.path, dict(self.headers)))
                page = exporter.pages.get(self.path, (404, {}, b""))
                status, headers, body = page() if callable(page) else page
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for k, v in {"Content-Length": str(len(body)), **headers}.items():
                        self.send_header(k, v)
                    self.end_headers()
                    self.wfile.write(body)

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *args: None  # a scraper that hangs up is what some tests are about
        self.address = "127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def text(self, path, body, **headers):
        self.pages[path] = 200, {"Content-Type": TEXT, **headers}, body.encode() if isinstance(body, str) else body

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()


class Mailbox:
    """What an aiosmtpd got. replies: recipient -> reply to RCPT TO; data: replies to DATA, one a mail, then 250."""

    def __init__(self, replies=None, data=()):
        self.replies, self.data, self.mails, self.lock = replies or {}, list(data), [], threading.Lock()
        self.sessions = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.replies.get(address, "250 fine")
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        self.sessions.append(session)
        with self.lock:
            reply = self.data.pop(0) if self.data else "250 taken"
            if reply.startswith("2"):
                self.mails.append((list(envelope.rcpt_tos), email.message_from_bytes(envelope.content, policy=email.policy.default),
                                   getattr(session, "login", None)))
        return reply


class MailServer:
    def __init__(self, box, users=None, host="127.0.0.1", port=None, **more):
        sys.path.append(os.path.join(PEERS, "../lib/python3/dist-packages"))
        try:
            from aiosmtpd.controller import Controller
            from aiosmtpd.smtp import AuthResult
        except ImportError:
            raise Skip("aiosmtpd is not there: ./dev deps")

        def auth(server, session, envelope, mechanism, data):
            ok = users is not None and users.get(data.login.decode()) == data.password.decode()
            session.login = mechanism if ok else None
            return AuthResult(success=ok)

        self.c = Controller(box, hostname=host, port=port or free_port(), authenticator=auth, auth_require_tls=False, **more)

    def __enter__(self):
        self.c.start()
        return f"127.0.0.1:{self.c.port}"

    def __exit__(self, *failure):
        self.c.stop()


def certificate(dir, name="127.0.0.1", alt="IP:127.0.0.1"):
    """A server's certificate that signs itself, and the context of a server that shows it."""
    if shutil.which("openssl") is None:
        raise Skip("openssl is not there")
    key, cert = os.path.join(dir, "key.pem"), os.path.join(dir, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj",
                    "/CN=" + name, "-addext", "subjectAltName=" + alt], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return cert, context


def settle(t, sink):
    """Returns when the answers to all that the sink has got are on the disk: commits are in order, and a silence is answered
    after its own. t is on its first start."""
    until("the answers are counted", lambda: (t.metric("alertmanager_notifications_total", integration="webhook") or 0) >= sink.count())
    r = t.post("/api/v2/silences", {"matchers": [{"name": "nobody", "value": "settles", "isRegex": False}], "startsAt": stamp(),
                                    "endsAt": stamp(3600), "createdBy": "test", "comment": "after all before it"})
    equal(r.status, 200, r.body)


def became(t, receiver):
    """What became of what the receiver was to be told, the newest first: "delivered", "retry", "failed"... The log may leave some out."""
    return [h["verdict"] for h in t.get(f"/api/v2/notifications?receiver={receiver}").json()["history"] if h["verdict"] != "notify"]


def own_resolver(test):
    """The address of a name server that is the only one that /etc/resolv.conf names: `test` of this file is run again where it
    is so, which needs root for the mount. None: that has been done, and it passed."""
    if os.environ.get("OWN_RESOLVER"):
        return os.environ["OWN_RESOLVER"]
    if os.geteuid() != 0:
        raise Skip("not root: cannot replace resolv.conf in a mount namespace")
    address = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"  # two builds are tested at the same time
    with folder() as d:
        conf = write(f"{d}/resolv.conf", f"nameserver {address}\noptions timeout:5 attempts:2\n")
        script = (f"mount --make-rprivate / && mount --bind {conf} /etc/resolv.conf || exit 77\n"
                  f"exec {sys.executable} -B {sys.argv[0]} {test}")
        unshare = ["unshare", "--mount", "--propagation", "unchanged"]
        if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            raise Skip("no mount namespaces here")
        p = subprocess.run([*unshare, "sh", "-c", script], env={**os.environ, "OWN_RESOLVER": address})
    if p.returncode == 77:
        raise Skip("cannot mount over resolv.conf here")
    equal(p.returncode, 0, "exit code inside the namespace")
    return None


def receiver(name, sink, path="", **keys):
    text = f"  - name: {name}\n    webhook_configs:\n      - url: {sink.url}{path}\n"
    return text + "".join(f"        {k}: {v}\n" for k, v in keys.items())


def simple(sink, group_wait="0s", group_interval="1s", repeat_interval="1h", more="", **keys):
    """One route to one webhook, grouped by alertname."""
    return (f"route:\n  receiver: hook\n  group_by: [alertname]\n  group_wait: {group_wait}\n"
            f"  group_interval: {group_interval}\n  repeat_interval: {repeat_interval}\n"
            f"receivers:\n{receiver('hook', sink, **keys)}{more}")


class WallClock:
    """What the process takes for CLOCK_REALTIME; set() is seen at once."""

    def __init__(self, dir):
        if not os.path.exists(WALLCLOCK):
            raise Skip("the clock cannot be preloaded into a sanitized build")
        path = os.path.join(dir, "ahead")
        with open(path, "wb") as f:
            f.write(struct.pack("l", 0))
        self.f = open(path, "r+b")
        self.page = mmap.mmap(self.f.fileno(), 8)
        self.env = {**os.environ, "LD_PRELOAD": WALLCLOCK, "WALLCLOCK": path}

    def set(self, seconds):
        self.page[:8] = struct.pack("l", seconds)


class Fake(Process):
    """One of contrib/fakes."""

    def __init__(self, kind, *flags):
        super().__init__([sys.executable, "-B", os.path.join(SOURCE, f"contrib/fakes/{kind}.py"), "--port=0", *flags],
                         env={**os.environ, "PYTHONPATH": os.path.join(PEERS, "../lib/python3/dist-packages")})
        self.url = until("the fake listens", lambda: self.log and self.log[0]).strip()

    def messages(self):
        return [json.loads(x) for x in self.log[1:] if x.startswith("{")]


def receiver_test(config, dir, name="r", *flags):
    path = write(os.path.join(dir, "t.yml"), "route: {receiver: r}\nreceivers:\n" + config)
    p = subprocess.run([PROGRAM, "receiver", "test", "--yes", "--config.file=" + path, *flags, name], capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout + p.stderr


def main():
    """Runs the test_* functions of the calling file, or those named on the command line."""
    tests = sys.modules["__main__"].__dict__
    names = sys.argv[1:] or [n for n in tests if n.startswith("test_")]
    failed = skipped = 0
    if not os.path.exists(PROGRAM):
        raise SystemExit(f"there is no {PROGRAM}: ./dev build")
    for name in names:
        began = time.monotonic()
        try:
            tests[name]()
            verdict = "ok"
        except Skip as e:
            verdict = f"skipped: {e}"
            skipped += 1
        except Exception:
            traceback.print_exc()
            verdict = "FAILED"
            failed += 1
        print(f"{name}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(1 if failed else 77 if skipped == len(names) else 0)
