"""Other programs as clients of tocsin, and tocsin as theirs, with all that goes over the wire written down: a file a client in the
folder TRANSCRIPTS (./dev transcripts FOLDER), with the command, what it printed, and each request with its answer. Clients that
are not there are bytes as they send them."""
import glob, gzip
from harness import *

OUT = os.environ.get("TRANSCRIPTS")
CLIENTS = os.path.join(SOURCE, "build/clients/usr")
CONFIG = """storage: {keep: all}
push: {}
rule_files: [r.yml]
route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s,
        routes: [{receiver: hook, matchers: [severity="page"]}]}
receivers: [{name: hook, webhook_configs: [{url: '%s'}]}]
"""
RULES = "groups: [{name: g, interval: 1s, rules: [{record: one, expr: vector(1)}, {alert: Always, expr: one == 1}]}]\n"
BEGINS = re.compile(rb"(?:[A-Z]+ \S+ HTTP|HTTP)/[12]\.[01]|[A-Z]+ \S+ HTTP/")


class Wire(Listener):
    """Between a client and a server; said: ("client" or "server", bytes) of each connection, in order."""

    def __init__(self, address):
        self.host, self.to = address.rsplit(":", 1)
        self.said = []
        self.listen()
        self.address = f"127.0.0.1:{self.port}"
        self.url = "http://" + self.address

    def _serve(self, c):
        mine = []
        self.said.append(mine)
        with c, contextlib.suppress(OSError), socket.create_connection((self.host, int(self.to))) as s:
            ends = {c: (s, "client"), s: (c, "server")}
            while ends:
                for a in select.select(list(ends), [], [])[0]:
                    data = a.recv(65536)
                    other, who = ends[a]
                    if not data:
                        del ends[a]
                        other.shutdown(socket.SHUT_WR)
                    elif mine and mine[-1][0] == who:
                        mine[-1] = who, mine[-1][1] + data
                    else:
                        mine.append((who, data))
                    if data:
                        other.sendall(data)

    def close(self):
        self.s.close()


def shown(data, most=1200):
    """A message: its head, and of its body as much as can be read."""
    head, _, body = data.partition(b"\r\n\r\n") if BEGINS.match(data) else (b"", b"", data)
    if b"content-encoding: gzip" in head.lower():
        with contextlib.suppress(OSError, EOFError):
            body = gzip.decompress(body.split(b"\r\n", 1)[1] if b"chunked" in head.lower() else body)
    text = body.decode("utf-8", "backslashreplace").replace("\x00", "\\0")
    text = "".join(ch if ch >= " " or ch in "\n\t" else "\\x%02x" % ord(ch) for ch in text.replace("\r\n", "\n"))
    return head.decode("latin1").replace("\r\n", "\n") + (("\n\n" if head else "") + text[:most] + (" [...]" if len(text) > most else "") if text else "")


class Transcript:
    def __init__(self, name):
        self.name, self.text = name + ("-newer" if IS_NEWER else ""), ""

    def add(self, title, body=""):
        self.text += f"== {title}\n" + (body.rstrip() + "\n" if body else "") + "\n"

    def command(self, wire, args, shown_as=None, code=0, **options):
        """Runs it; its output and the requests that it made."""
        before = len(wire.said)
        p = subprocess.run(args, capture_output=True, text=True, timeout=60, errors="replace", **options)
        told = " ".join([os.path.basename(args[0]), *args[1:]]) if shown_as is None else shown_as
        self.add("$ " + told.replace(wire.url, "http://tocsin").replace(SOURCE, ""), p.stdout + p.stderr + f"[exit code {p.returncode}]")
        self.wire(wire, before)
        equal(p.returncode, code, f"{told}: {p.stdout}{p.stderr}")
        return p.stdout

    def wire(self, wire, since=0, most=30):
        for conversation in wire.said[since:][:most]:
            for who, data in conversation:
                self.add("> request" if who == "client" else "< answer", shown(data))

    def raw(self, wire, title, data, status):
        """Bytes as they are, and the answer."""
        before = len(wire.said)
        with socket.create_connection(("127.0.0.1", wire.port), timeout=10) as c:
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(OSError):
                while (more := c.recv(65536)):
                    got += more
        self.add(title)
        until("both ends are written down", lambda: len(wire.said) > before and len(wire.said[-1]) >= 2)
        self.wire(wire, before)
        final = [l for l in got.split(b"\r\n") if l.startswith(b"HTTP/1.1 ")][-1]
        equal(int(final.split()[1]), status, title)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if OUT:
            os.makedirs(OUT, exist_ok=True)
            write(os.path.join(OUT, self.name + ".txt"), re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", self.text))


@contextlib.contextmanager
def server(more=""):
    with folder() as d, Sink() as s, Tocsin(CONFIG % s.url + more, d, files={"r.yml": RULES}) as t:
        t.sink = s
        w = Wire(t.address)
        until("it fires", lambda: t.alerts("?filter=alertname%3DAlways"))
        yield t, w
        w.close()


def test_amtool():
    with server() as (t, w), Transcript("amtool") as x:
        run = lambda *args, **kw: x.command(w, [peer("amtool"), "--alertmanager.url=" + w.url, *args], env={"HOME": t.dir, "PATH": "/usr/bin:/bin"}, **kw)
        run("alert", "add", "Slow", "severity=page", "--annotation=summary=it is slow")
        assert "Slow" in run("alert", "query")
        equal([a["labels"]["alertname"] for a in json.loads(run("alert", "query", "-o", "json", "severity=page"))], ["Slow"])
        id = run("silence", "add", "-c", "known", "-a", "me", "alertname=Slow").strip()
        assert id[:8] in run("silence", "query")
        assert "Slow" not in run("alert", "query")
        run("silence", "update", "-d", "2h", id)
        run("silence", "expire", json.loads(run("silence", "query", "-o", "json"))[0]["id"])
        assert "hook" in run("config", "show")
        # 0.25 cannot read a webhook's address that is kept secret, as it is since 0.26
        run("config", "routes", "show", code=0 if IS_NEWER else 1)
        run("config", "routes", "test", "severity=page", code=0 if IS_NEWER else 1)
        run("cluster", "show")
        run("silence", "add", "-c", "x", "-a", "me", "alertname=A", "b=~(", code=1)
        run("check-config", write(t.dir + "/am.yml", "route: {receiver: r}\nreceivers: [{name: r}]\n"))


def test_promtool():
    with server() as (t, w), Transcript("promtool") as x:
        run = lambda *args, **kw: x.command(w, [peer("promtool"), *args], **kw)
        for check in ("healthy", "ready") if IS_NEWER else ():
            run("check", check, "--url=" + w.url)
        assert "one" in run("query", "instant", w.url, "one")
        now = int(time.time())
        run("query", "range", "--start=%d" % (now - 60), "--end=%d" % now, "--step=30s", w.url, "one")
        run("query", "series", "--match=one", w.url)
        assert "one" in run("query", "labels", w.url, "__name__")
        run("query", "instant", w.url, "one >", code=1)
        run("check", "rules", t.dir + "/r.yml")
        equal(request("GET", t.url + "/metrics").status, 200)
        x.add("promtool check metrics < /metrics", (p := subprocess.run([peer("promtool"), "check", "metrics"], input=request("GET", t.url + "/metrics").body,
                                                                  capture_output=True)).stdout.decode() + p.stderr.decode() + f"[exit code {p.returncode}]")


def test_prometheus():
    """As sender of alerts, as scraper of ours, and as a source that rules ask."""
    with server() as (t, w), folder() as d, Transcript("prometheus") as x:
        config = (f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [r.yml]\nscrape_configs: [{{job_name: tocsin, static_configs: [{{targets: ['{w.address}']}}]}}]\n"
                  f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{w.address}']}}]}}]}}\n")
        write(d + "/r.yml", "groups: [{name: p, rules: [{alert: FromPrometheus, for: 6s, expr: 'up{job=\"tocsin\"} == 1'}]}]\n")
        port = free_port()
        with Process([peer("prometheus"), "--config.file=" + write(d + "/p.yml", config), "--storage.tsdb.path=" + d + "/db",
                      f"--web.listen-address=127.0.0.1:{port}"]):
            until("its alert arrives, so its scrapes do", lambda: t.alerts("?filter=alertname%3DFromPrometheus"), 40)
            x.add("prometheus: scrapes http://tocsin/metrics, and sends an alert that is up{job='tocsin'} == 1")
            x.wire(w, most=4)
            back = Wire(f"127.0.0.1:{port}")
            with folder() as e, Tocsin(f"sources: [{{name: p, url: '{back.url}'}}]\nrule_files: [r.yml]\nroute: {{receiver: r}}\nreceivers: [{{name: r}}]\n", e,
                                       files={"r.yml": "groups: [{name: g, interval: 1s, rules: [{alert: Asked, expr: up == 1}]}]\n"}) as t2:
                until("its answer is an alert", lambda: t2.alerts("?filter=alertname%3DAsked"))
            x.add("tocsin: a rule asks Prometheus")
            x.wire(back, most=2)
            back.close()


ALERTS = b'[{"labels":{"alertname":"%s","severity":"page"},"annotations":{"summary":"gr\xc3\xbcn"}}]'


def test_curl():
    with server() as (t, w), Transcript("curl") as x:
        for protocol in ("--http2", "--http2-prior-knowledge", "--http1.0"):
            p = subprocess.run(["curl", "-sS", "-i", protocol, w.url + "/api/v2/status"], capture_output=True, text=True)
            x.add(f"$ curl -i {protocol} http://tocsin/api/v2/status", p.stdout[:600] + p.stderr + f"[exit code {p.returncode}]")
            if protocol != "--http2-prior-knowledge":  # clear text is HTTP/1.1 here, as there
                assert " 200 " in p.stdout.split("\n")[0], p.stdout
        x.command(w, ["curl", "-sS", "-i", "-X", "POST", "-H", "Content-Type: application/json", "-d", (ALERTS % b"Curl").decode(), w.url + "/api/v2/alerts"])
        x.command(w, ["curl", "-sS", "-i", "--compressed", w.url + "/api/v2/alerts?filter=alertname%3DCurl"])
        x.command(w, ["curl", "-sS", "-i", "--data-binary", "jobs_total 3\n", w.url + "/metrics/job/curl"])
        assert t.alerts("?filter=alertname%3DCurl")


def test_ab():
    if not os.path.exists(CLIENTS + "/bin/ab"):
        raise Skip("ab is missing: ./dev transcripts")
    with server() as (t, w), Transcript("ab") as x:
        lib = {**os.environ, "LD_LIBRARY_PATH": ":".join(glob.glob(CLIENTS + "/lib/*-linux-gnu"))}
        for more in ((), ("-k",)):
            p = subprocess.run([CLIENTS + "/bin/ab", "-q", "-n", "200", "-c", "10", *more, w.url + "/api/v2/alerts"], capture_output=True, text=True, env=lib)
            x.add("$ ab -n 200 -c 10 " + "".join(m + " " for m in more) + "http://tocsin/api/v2/alerts", p.stdout + p.stderr + f"[exit code {p.returncode}]")
            assert "Complete requests:      200" in p.stdout and "Non-2xx" not in p.stdout and "Failed requests:        0" in p.stdout, p.stdout
            x.wire(w, most=1)


def test_python_client():
    folder_ = CLIENTS + "/lib/python3/dist-packages"
    code = """
from prometheus_client import CollectorRegistry, Gauge, Counter, push_to_gateway, pushadd_to_gateway, delete_from_gateway
r = CollectorRegistry(); g = Gauge('last_run', 'When', ['who'], registry=r); g.labels('a/b').set(3); Counter('jobs', 'Jobs', registry=r).inc()
push_to_gateway(%(at)r, job='batch', registry=r); pushadd_to_gateway(%(at)r, job='batch', grouping_key={'path': 'a/b'}, registry=r)
delete_from_gateway(%(at)r, job='batch')
print('pushed')
"""
    if not os.path.isdir(folder_):
        raise Skip("prometheus_client is missing: ./dev transcripts")
    with server() as (t, w), Transcript("python-prometheus_client") as x:
        x.command(w, [sys.executable, "-c", code % {"at": w.address}], "python3: prometheus_client: push, pushadd, delete", env={**os.environ, "PYTHONPATH": folder_})
        groups = [g["labels"] for g in t.get("/api/v1/targets").json()["data"]["activeTargets"]]
        assert any(g.get("path") == "a/b" for g in groups), groups


def message(field, *parts):
    body = b"".join(parts)
    return bytes([field << 3 | 2, len(body)]) + body


def test_go_client():
    """As client_golang's push package has it: delimited protobuf, PUT and POST, Go's headers."""
    import struct
    metric = message(4, message(2, b"\x09" + struct.pack("<d", 7.0)))  # gauge
    family = message(1, b"go_last_run") + message(2, b"When.") + b"\x18\x01" + metric
    body = bytes([len(family)]) + family
    with server() as (t, w), Transcript("go-client_golang-push") as x:
        for method in ("PUT", "POST"):
            head = (f"{method} /metrics/job/go/instance@base64/YS9i HTTP/1.1\r\nHost: {w.address}\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {len(body)}\r\n"
                    "Content-Type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited\r\nAccept-Encoding: gzip\r\n\r\n")
            x.raw(w, f"client_golang: {method}", head.encode() + body, 200)
        x.raw(w, "client_golang: DELETE", f"DELETE /metrics/job/go/instance@base64/YS9i HTTP/1.1\r\nHost: {w.address}\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n".encode(), 202)


JAVA = """
import java.io.*; import java.net.*; import java.net.http.*; import java.nio.charset.StandardCharsets;
public class Client { public static void main(String[] a) throws Exception {
  String body = "[{\\"labels\\":{\\"alertname\\":\\"Java" + "%s" + "\\",\\"ort\\":\\"K\\u00f6ln\\"}}]";
  HttpURLConnection c = (HttpURLConnection) new URL(a[0] + "/api/v2/alerts").openConnection();
  c.setRequestMethod("POST"); c.setDoOutput(true); c.setRequestProperty("Content-Type", "application/json; charset=utf-8");
  c.setChunkedStreamingMode(64); c.setRequestProperty("Expect", "100-continue");
  try (OutputStream o = c.getOutputStream()) { o.write(body.replace("%s", "One").getBytes(StandardCharsets.UTF_8)); }
  System.out.println("HttpURLConnection: " + c.getResponseCode());
  HttpClient h = HttpClient.newHttpClient();
  HttpResponse<String> r = h.send(HttpRequest.newBuilder(URI.create(a[0] + "/api/v2/alerts")).header("Content-Type", "application/json")
      .expectContinue(a.length > 1).POST(HttpRequest.BodyPublishers.ofString(body.replace("%s", "Two"))).build(), HttpResponse.BodyHandlers.ofString());
  System.out.println("HttpClient: " + r.statusCode() + " " + r.version());
} }
"""


def test_java():
    if shutil.which("java") is None:
        raise Skip("there is no java")
    with server() as (t, w), Transcript("java") as x:
        path = write(t.dir + "/Client.java", JAVA)
        said = x.command(w, ["java", path, w.url, "expect"], "java Client.java http://tocsin expect")
        assert "HttpURLConnection: 200" in said and "HttpClient: 200" in said, said
        equal({a["labels"]["alertname"] for a in t.alerts("?filter=ort%3DK%C3%B6ln")}, {"JavaOne", "JavaTwo"})


def test_dotnet():
    """HttpClient's bytes: chunked, Expect, a charset; a UTF-8 byte order mark before the text, as StringContent may have it."""
    with server() as (t, w), Transcript("dotnet-HttpClient") as x:
        head = f"POST /api/v2/alerts HTTP/1.1\r\nHost: {w.address}\r\n%sContent-Type: application/json; charset=utf-8\r\n"
        body = ALERTS % b"Net"
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        x.raw(w, "PostAsJsonAsync: chunked", (head % "Transfer-Encoding: chunked\r\n").encode() + b"\r\n" + chunked, 200)
        x.raw(w, "StringContent, Expect: 100-continue", (head % "Expect: 100-continue\r\n").encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body, 200)
        x.raw(w, "StreamContent, chunked, Expect, a traceparent", (head % "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n").encode() + b"\r\n" + chunked, 200)
        assert t.alerts("?filter=alertname%3DNet")
        with Alertmanager("route: {receiver: r}\nreceivers: [{name: r}]\n", t.dir) as am:
            marked = b"\xef\xbb\xbf" + body
            for name, url in (("tocsin", w.url), ("Alertmanager", am.url)):
                r = request("POST", url + "/api/v2/alerts", marked, {"Content-Type": "application/json; charset=utf-8"})
                x.add(f"a byte order mark, to {name}", f"{r.status}\n{r.body.decode()}")
                equal(r.status, 400, name)


if __name__ == "__main__":
    main()
