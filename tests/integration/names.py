"""Bad names and values at every entrance: refused with words, or taken by the rules (an empty value is no label, bytes of JSON
that are no UTF-8 are U+FFFD), never more. One table of names and values, one of entrances; each pair in one run."""
import base64, collections, struct, subprocess, uuid

from harness import *
from push_protobuf import COUNTER, TYPE, family, message, varint
from scraping import TEXT, answered, targets

JSON = {"Content-Type": "application/json"}
LONG = b"y" * (1 << 20)
# What it is called, its bytes.
TEXTS = [("empty", b""), ("nul", b"a\0b"), ("newline", b"a\nb"), ("carriage return", b"a\rb"), ("bad UTF-8", b"a\xff\xfeb"),
         ("surrogate", b"a\xed\xa0\x80b"), ("overlong", b"a\xc0\x80b"), ("C1 and bidi", "a\u009b\u202eb".encode()), ("long", LONG)]
REFUSED, TAKEN = "refused", "taken"


def quoted(b):
    """In double quotes of an exposition, PromQL or YAML."""
    return b'"' + b.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def said(status, body):
    """A refusal has words."""
    assert status // 100 in (2, 4), (status, body[:300])
    if status // 100 == 4:
        assert len(body.strip()) > 8 or status == 404, (status, body)
        return REFUSED
    return TAKEN


class World:
    def __init__(self, d, e, t):
        self.d, self.e, self.t = d, e, t

    def post(self, path, body, headers, method="POST"):
        r = request(method, self.t.url + path, body, headers=headers, timeout=30)
        return said(r.status, r.body)

    def query(self, text):
        return self.post("/api/v1/query", b"query=" + urllib.parse.quote_from_bytes(text).encode(),
                         {"Content-Type": "application/x-www-form-urlencoded"})


def pushed(name, value):
    return lambda w, n, v: w.post("/metrics/job/text", b"m{" + name(n) + b"=" + value(v) + b"} 1\n", {"Content-Type": "text/plain"})


def push_protobuf(w, n, v):
    m = message((1, message((1, n), (2, v))), (3, message((1, 1.0))))
    f = message((1, "m"), (3, COUNTER), (4, m))
    return w.post("/metrics/job/proto", varint(len(f)) + f, {"Content-Type": TYPE})


def push_path(w, n, v):
    b64 = base64.urlsafe_b64encode(v).rstrip(b"=").decode() or "="
    if len(b64) > 8000:
        return REFUSED  # no URL is as long
    return w.post("/metrics/job/path/" + urllib.parse.quote_from_bytes(n[:3000], safe="") + "@base64/" + b64, b"m 1\n",
                  {"Content-Type": "text/plain"})


def json_text(b):
    """The bytes in quotes, as they are but for what JSON must escape."""
    return b'"' + b.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\0", b"\\u0000").replace(
        b"\n", b"\\n").replace(b"\r", b"\\r") + b'"'


def post_alert(w, n, v):
    return w.post("/api/v2/alerts", b'[{"labels":{"alertname":"P",' + json_text(n) + b":" + json_text(v) + b"}}]", JSON)


def post_silence(w, n, v):
    return w.post("/api/v2/silences", b'{"matchers":[{"name":%s,"value":%s,"isRegex":false},{"name":"a","value":"b"}],"startsAt":'
                  b'"%s","endsAt":"%s","createdBy":"me","comment":"c"}' % (json_text(n), json_text(v), stamp().encode(),
                                                                        stamp(60).encode()), JSON)


def post_render(w, n, v):
    return w.post("/api/v2/templates/render", b'{"template":"{{ .CommonLabels }}","alerts":[{"labels":{"alertname":"T",%s:%s}}]}'
                  % (json_text(n), json_text(v)), JSON)


def filtered(w, n, v):
    text = urllib.parse.quote_from_bytes(quoted(n[:3000]) + b"=" + quoted(v[:3000]))
    r = w.t.get("/api/v2/alerts?filter=" + text)
    return said(r.status, r.body)


def label_replace(w, n, v):
    return w.query(b"label_replace(vector(1), " + quoted(n) + b", " + quoted(v) + b', "", "")')


def label_join(w, n, v):
    return w.query(b"label_join(label_replace(vector(1), \"x\", \"1\", \"\", \"\"), " + quoted(n) + b", " + quoted(v) + b', "x", "x")')


def count_values(w, n, v):
    return w.query(b"count_values(" + quoted(n) + b", vector(1))")


def matcher(w, n, v):
    return w.query(b"{" + quoted(n) + b"=" + quoted(v) + b",__name__=\"m\"}")


def listed(w, n, v):
    """In a target list from a server: what is refused leaves the list before."""
    w.e.pages["/list"] = 200, JSON, b'[{"targets":["%s"],"labels":{%s:%s}}]' % (w.e.address.encode(), json_text(n), json_text(v))
    seen = len([p for p, _ in w.e.requests if p == "/list"])
    until("it is asked for", lambda: len([p for p, _ in w.e.requests if p == "/list"]) > seen + 1)
    return TAKEN


def in_file(w, n, v):
    path = os.path.join(w.d, "list.json")
    with open(path + ".new", "wb") as f:
        f.write(b'[{"targets":["%s"],"labels":{%s:%s}}]' % (w.e.address.encode(), json_text(n), json_text(v)))
    os.rename(path + ".new", path)
    time.sleep(0.4)
    return TAKEN


def scraped(w, n, v):
    w.e.pages["/metrics"] = 200, {"Content-Type": TEXT}, b"m{" + quoted(n) + b"=" + quoted(v) + b"} 1\n"
    seen = len(w.e.requests)
    until("it is scraped", lambda: len([1 for p, _ in w.e.requests[seen:] if p == "/metrics"]) > 2)
    return TAKEN


def a_source(w, n, v):
    w.e.pages["/api/v1/query"] = 200, JSON, (b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{%s:%s},"value":'
                                             b'[%d,"1"]}]}}' % (json_text(n), json_text(v), time.time()))
    seen = len(w.e.requests)
    until("it is asked", lambda: len([1 for p, _ in w.e.requests[seen:] if p == "/api/v1/query"]) > 1)
    return TAKEN


LIVE = [pushed(quoted, quoted), push_protobuf, push_path, post_alert, post_silence, post_render, filtered, label_replace, label_join,
        count_values, matcher, listed, in_file, scraped, a_source]

CONFIG = """global: {scrape_interval: 300ms, scrape_timeout: 300ms, evaluation_interval: 300ms}
storage: {keep: all}
push: {}
sources: [{name: p, url: 'http://%(e)s'}]
rule_files: [{files: [r.yml], source: p}, {files: [o.yml], source: own}]
scrape_configs:
  - {job_name: scraped, static_configs: [{targets: ['%(e)s']}]}
  - {job_name: listed, metrics_path: /none, http_sd_configs: [{url: 'http://%(e)s/list', refresh_interval: 200ms}]}
  - {job_name: file, metrics_path: /none, file_sd_configs: [{files: [list.json], refresh_interval: 200ms}]}
route: {receiver: hook, group_by: [...], group_wait: 0s}
receivers: [{name: hook, webhook_configs: [{url: '%(sink)s'}]}]
"""
RULES = "groups: [{name: g, rules: [{record: 'r:x', expr: asked}, {alert: A, expr: asked}]}]"
OWN = "groups: [{name: o, rules: [{record: 'o:m', expr: m}, {alert: O, expr: m, annotations: {s: '{{ $labels }}'}}]}]"


def clean(t):
    """Everything that is shown is UTF-8, and no label has no name or no value."""
    equal(t.p.poll(), None, "the program ended: exit code")
    for a in json.loads(t.get("/api/v2/alerts", timeout=30).body.decode("utf-8")):
        assert "" not in a["labels"] and "" not in a["labels"].values(), a["labels"]
    for path in ("/api/v1/query?query=" + urllib.parse.quote('{__name__=~".+"}'), "/api/v1/rules", "/api/v1/targets", "/api/v2/silences"):
        r = t.get(path, timeout=30)
        equal(r.status, 200, path)
        text = r.body.decode("utf-8")
        if "query=" in path:
            for s in json.loads(text)["data"]["result"]:
                assert "" not in s["metric"] and "" not in s["metric"].values(), s["metric"]
    t.get("/metrics").body.decode("utf-8")


def test_live():
    with folder() as d, Sink() as sink, Exporter() as e:
        handler = e.server.RequestHandlerClass
        handler.do_POST = lambda self: (self.rfile.read(int(self.headers["Content-Length"])), self.do_GET())
        e.text("/metrics", "m 1\n")
        with Tocsin(CONFIG % {"e": e.address, "sink": sink.url}, d, files={"r.yml": RULES, "o.yml": OWN}) as t:
            w, verdicts = World(d, e, t), {}
            for enter in LIVE:
                for what, text in TEXTS:
                    for n, v in ((text, b"value"), (b"name", text), (text, text)):
                        try:
                            verdicts.setdefault(what, []).append(enter(w, n, v))
                            equal(t.p.poll(), None, "exit code")
                        except Exception as x:
                            raise AssertionError(f"{enter.__name__}: {what} {n[:9]!r}={v[:9]!r}: {x}")
                clean(t)
            print({k: (v.count(REFUSED), v.count(TAKEN)) for k, v in verdicts.items()})
            t.alert(alertname="After")
            until("pages go out", lambda: any("After" in str(r.body) for r in sink.got), 20)
            t.stop()


# Where a configuration has names and values: %n and %v.
WRITTEN = [
    "global: {external_labels: {%n: %v}}\n",
    "rule_files: [r.yml]\n---\ngroups: [{name: g, rules: [{record: x, expr: '1', labels: {%n: %v}}]}]\n",
    "rule_files: [r.yml]\n---\ngroups: [{name: g, rules: [{alert: x, expr: '1', labels: {%n: %v}, annotations: {%n: %v}}]}]\n",
    "rule_files: [r.yml]\n---\ngroups: [{name: %n, labels: {a: %v}, rules: [{record: %n, expr: '1'}]}]\n",
    "scrape_configs: [{job_name: x, static_configs: [{targets: [a], labels: {%n: %v}}]}]\n",
    "scrape_configs: [{job_name: %v, static_configs: [{targets: [%v]}]}]\n",
    "scrape_configs: [{job_name: x, relabel_configs: [{target_label: %n, replacement: %v}], static_configs: [{targets: [a]}]}]\n",
    "scrape_configs: [{job_name: x, metric_relabel_configs: [{source_labels: [%n], regex: %v, action: drop}], static_configs: [{targets: [a]}]}]\n",
    "scrape_configs: [{job_name: x, dns_sd_configs: [{names: [%v]}]}]\n",
    "alerting: {alert_relabel_configs: [{target_label: %n, replacement: %v}]}\n",
    "route: {receiver: r, group_by: [%n], routes: [{match: {%n: %v}}]}\nreceivers: [{name: r}]\n",
    "route: {receiver: %v}\nreceivers: [{name: %v}]\n",
    "route: {receiver: r}\nreceivers: [{name: r}]\ninhibit_rules: [{source_match: {%n: %v}, target_match: {a: b}, equal: [%n]}]\n",
    "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: %v}]}]\n",
]


def yaml_text(b):
    """In double quotes; bytes that YAML cannot write stand as they are, and make the file none."""
    return b'"' + b.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\0", b"\\0").replace(b"\n", b"\\n").replace(
        b"\r", b"\\r").replace("\u009b".encode(), b"\\x9b") + b'"'


def test_written():
    """lint loads what serve would load: it ends with findings or without, and says something of each file that it refuses."""
    with folder() as d:
        for form in WRITTEN:
            for what, text in TEXTS:
                for n, v in ((text, b"value"), (b"name", text)):
                    main, _, rules = form.encode().replace(b"%n", yaml_text(n)).replace(b"%v", yaml_text(v)).partition(b"---\n")
                    for name, body in (("tocsin.yml", main), ("r.yml", rules)):
                        with open(os.path.join(d, name), "wb") as f:
                            f.write(body)
                    p = subprocess.run([PROGRAM, "lint", os.path.join(d, "tocsin.yml")], capture_output=True, timeout=60)
                    assert p.returncode in (0, 1), (form, what, p.returncode, p.stderr[-2000:])
                    assert not SANITIZER.search(p.stderr.decode("utf-8", "replace")), p.stderr[-2000:]
                    if p.returncode == 1:
                        assert len(p.stdout + p.stderr) > 20, (form, what)


# -- files of an Alertmanager: where silences and entries of the log have texts --

def record(m):
    return varint(len(m)) + m


def moment(at):
    return message((1, int(at)))


def a_silence(name=b"n", value=b"v", author=b"me", comment=b"c", annotation=(b"a", b"b"), old=False):
    matcher = message((1, 0), (2, name), (3, value))
    m = [(1, str(uuid.uuid4())), (3, moment(time.time() - 60)), (4, moment(time.time() + 3600)), (5, moment(time.time() - 60)),
         (8, author), (9, comment), (10, message((1, annotation[0]), (2, annotation[1])))]
    m += [(2, matcher)] if old else [(11, message((1, matcher)))]
    return record(message((1, message(*m)), (2, moment(time.time() + 7200))))


def an_entry(key=b'{}:{alertname="A"}', receiver=b"hook", integration=b"webhook", kept=(b"k", b"v")):
    m = [(1, key), (2, message((1, receiver), (2, integration), (3, 0))), (5, moment(time.time() - 60)), (6, b"\x01\x02"),
         (8, message((1, kept[0]), (2, message((3, kept[1])))))]
    return record(message((1, message(*m)), (2, moment(time.time() + 7200))))


IMPORTED = {
    "matcher": lambda n, v: ("silences", a_silence(name=n, value=v)), "matcher of old": lambda n, v: ("silences", a_silence(name=n, value=v, old=True)),
    "author": lambda n, v: ("silences", a_silence(author=v, comment=n)), "annotation": lambda n, v: ("silences", a_silence(annotation=(n, v))),
    "group key": lambda n, v: ("nflog", an_entry(key=v)), "group": lambda n, v: ("nflog", an_entry(key=b"{}:{" + n + b"=" + quoted(v) + b"}")),
    "receiver": lambda n, v: ("nflog", an_entry(receiver=n, integration=v)), "kept": lambda n, v: ("nflog", an_entry(kept=(n, v))),
}


def test_imported():
    """A file with a bad text is refused with words, whole, or taken; what is taken is shown as it should be, and goes out again."""
    with folder() as d, Sink() as sink:
        data, verdicts = os.path.join(d, "data"), {}
        for form, make in IMPORTED.items():
            for what, text in TEXTS:
                for n, v in ((text, b"value"), (b"name", text)):
                    shutil.rmtree(d + "/am", ignore_errors=True)
                    os.mkdir(d + "/am")
                    name, body = make(n, v)
                    with open(f"{d}/am/{name}", "wb") as f:
                        f.write(body)
                    p = subprocess.run([PROGRAM, "import", "alertmanager", d + "/am", "--storage.path=" + data], capture_output=True, timeout=60)
                    assert p.returncode in (0, 1), (form, what, p.returncode, p.stderr[-2000:])
                    assert not SANITIZER.search(p.stderr.decode("utf-8", "replace")), p.stderr[-2000:]
                    assert len(p.stdout + p.stderr) > 20, (form, what)
                    verdicts.setdefault(form, []).append(REFUSED if p.returncode else TAKEN)
        print({k: (v.count(REFUSED), v.count(TAKEN)) for k, v in verdicts.items()})
        with Tocsin(simple(sink), d, storage=data) as t:
            clean(t)
            for s in json.loads(t.get("/api/v2/silences", timeout=30).body.decode("utf-8")):
                assert all(m["name"] for m in s["matchers"]), s
            json.loads(t.get("/api/v2/notifications", timeout=30).body.decode("utf-8"))
            t.alert(alertname="After")
            until("pages go out", lambda: any("After" in str(r.body) for r in sink.got), 20)
            t.stop()
        p = subprocess.run([PROGRAM, "export", "alertmanager", d + "/back", "--storage.path=" + data], capture_output=True, timeout=60)
        equal(p.returncode, 0, p.stderr)


# -- a name server --

def dns_name(*labels):
    return b"".join(bytes([len(x)]) + x for x in labels if x) + b"\0"


# Targets of SRV records, and answers that are none: after the header, all of it.
DNS = [dns_name(t[:63], b"example") for _, t in TEXTS if t] + [
    dns_name(), dns_name(*[b"y" * 63] * 3), b"\xc0\x0c", b"\xc0\xff", b"\x3fy", b"\x80\0", b"\x05a.b c\0", b"\xc0"]


class NameServer:
    """Answers the SRV query of sN.example with the N-th of DNS as its target."""

    def __init__(self, address):
        self.asked = collections.Counter()
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.s.bind((address, 53))
        except OSError:
            raise Skip(f"port 53 of {address} is taken")
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                q, who = self.s.recvfrom(4096)
                m = re.match(rb".s(\d+)\x07example\0", q[12:], re.S)
                i = int(m.group(1)) if m else None
                self.asked[i] += 1
                question = q[12:12 + q[12:].index(b"\0") + 5]
                head = q[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if m else 0, 0, 0)
                target = DNS[i] if m else b""
                answer = b"\xc0\x0c" + struct.pack(">HHIH", 33, 1, 1, 6 + len(target)) + struct.pack(">HHH", 1, 1, 9100) + target
                self.s.sendto(head + question + (answer if m else b""), who)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.s.close()


def test_answers_of_a_name_server():
    address = own_resolver("test_answers_of_a_name_server")
    if address is None:
        return
    jobs = "".join(f"  - {{job_name: s{i}, dns_sd_configs: [{{names: [s{i}.example], type: SRV, refresh_interval: 1s}}]}}\n" for i in range(len(DNS)))
    with folder() as d, Sink() as sink, NameServer(address) as ns:
        text = "global: {scrape_interval: 1s, scrape_timeout: 500ms}\nstorage: {keep: all}\nscrape_configs:\n" + jobs + simple(sink)
        with Tocsin(text, d) as t:
            until("each name is asked for twice", lambda: all(ns.asked[i] > 1 for i in range(len(DNS))), 40)
            clean(t)
            got = {x["scrapePool"]: x["discoveredLabels"]["__address__"]
                   for x in json.loads(t.get("/api/v1/targets").body.decode("utf-8"))["data"]["activeTargets"]}
            print(got)
            assert all(a.isprintable() and a.isascii() for a in got.values()), got
            t.alert(alertname="After")
            until("pages go out", lambda: any("After" in str(r.body) for r in sink.got), 20)
            t.stop()


if __name__ == "__main__":
    main()
