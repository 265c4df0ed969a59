"""Protobuf, which Go's push client sends: beside Debian's Pushgateway, the same bodies give the same series or are refused by both."""
import math, re, struct

from harness import *

TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM = range(5)


def varint(n):
    out = b""
    n &= 2**64 - 1
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3) + varint(value)


def message(*fields):
    return b"".join(field(*f) for f in fields)


def metric(number, value, time=None, **labels):
    return message(*((1, message((1, k), (2, v))) for k, v in labels.items()), (number, value),
                   *([(6, time)] if time is not None else []))


def family(name, kind, *metrics, help=None):
    m = message((1, name), *([(2, help)] if help is not None else []), (3, kind), *((4, x) for x in metrics))
    return varint(len(m)) + m


def simple(v):
    return message((1, v))


def histogram(count, total, *buckets):
    return message((1, count), (2, total), *((3, message((1, n), (2, le))) for le, n in buckets))


GOOD = {
    "simple": family("g", GAUGE, metric(2, simple(1.5), gpu="0"), metric(2, simple(-math.inf), gpu="1"), help="a\\b\nc") +
              family("c_total", COUNTER, metric(3, simple(1e300), node='q"\\\n,}')) + family("u", UNTYPED, metric(5, simple(0.1))) +
              family("no_labels", GAUGE, metric(2, simple(7.0))),
    "histogram": family("h", HISTOGRAM, metric(7, histogram(5, 2.5, (0.1, 1), (1.0, 3)), model="m"),
                        metric(7, histogram(2, 9.0, (1e-9, 0), (5.0, 1), (math.inf, 2)), model="n")),
    "summary": family("s", SUMMARY, metric(4, message((1, 9), (2, 3.25), (3, message((1, 0.5), (2, 0.25))),
                                                      (3, message((1, 0.99), (2, math.nan)))), path="/v1")),
    "bare": b"",
    "defaults": family("d", GAUGE, metric(2, b"")),  # a value of zero need not be written
    "unknown_fields": family("x", GAUGE, metric(2, simple(3.0)) + field(99, b"?") + field(98, 1)),
}
BAD = {
    "short": GOOD["simple"][:-3],
    "length": varint(2**63) + b"x",
    "varint": b"\xff" * 11,
    "noise": b"\x05hello",
    "text": b"m 1\n",
    "time": family("g", GAUGE, metric(2, simple(1.0), time=1000)),
    "kind": family("g", GAUGE, metric(3, simple(1.0))),
    "twice": family("g", GAUGE, metric(2, simple(1.0), a="b"), metric(2, simple(2.0), a="b")),
    "utf8": family("g", GAUGE, metric(2, simple(1.0), a=b"\xff\xfe".decode("latin1"))).replace(b"\xc3\xbf\xc3\xbe", b"\xff\xff\xff\xff"),
    "label": family("g", GAUGE, metric(2, simple(1.0), **{"": "b"})),
}


class Pushgateway(Process):
    def __init__(self):
        self.url = f"http://127.0.0.1:{free_port()}"
        super().__init__([peer("prometheus-pushgateway"), "--web.listen-address=" + self.url[7:]])
        until("the Pushgateway answers", self._ready)

    def _ready(self):
        try:
            return request("GET", self.url + "/-/ready").status == 200
        except OSError:
            return False

    def series(self, job):
        """{labels with __name__: value} of one job, as its page shows them."""
        out = {}
        for line in request("GET", self.url + "/metrics").body.decode().splitlines():
            m = re.fullmatch(r'(\w+)\{(.*)\} (\S+)', line)
            if m is None:
                continue
            ls = {k: v.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
                  for k, v in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m[2])}
            if ls.get("job") == job and not m[1].startswith("push_"):
                ls.pop("instance")
                out[json.dumps({"__name__": m[1], **ls}, sort_keys=True)] = float(m[3])
        return out


def pushed(url, job, body, kind=TYPE):
    r = request("PUT", f"{url}/metrics/job/{job}", body, headers={"Content-Type": kind})
    return r.status, r.body.decode()


def canonical(series):
    """Our store writes the bounds of buckets and quantiles as floats, 1.0 for 1."""
    out = {}
    for key, v in series.items():
        ls = json.loads(key)
        for name in ("le", "quantile"):
            if name in ls:
                ls[name] = str(float(ls[name]))
        out[json.dumps(ls, sort_keys=True)] = "NaN" if math.isnan(v) else v
    return out


def stored(t, job):
    q = urllib.parse.quote('{job="%s",__name__!~"push_.*"}' % job)
    r = t.get("/api/v1/query?query=" + q).json()["data"]["result"]
    return {json.dumps(x["metric"], sort_keys=True): float(x["value"][1]) for x in r}


CONFIG = "global: {scrape_interval: 500ms}\nstorage: {keep: all}\npush: {max_age: 0s}\n"


def test_good_bodies_beside_pushgateway():
    with folder() as d, Tocsin(CONFIG, d) as t, Pushgateway() as p:
        for name, body in GOOD.items():
            equal((name, pushed(t.url, name, body)), (name, (200, "")))
            equal((name, pushed(p.url, name, body)[0]), (name, 200))
        for name in GOOD:
            wanted = canonical(p.series(name))
            assert bool(wanted) == (name != "bare"), (name, wanted)
            until(f"{name} is stored", lambda: len(stored(t, name)) == len(wanted))
            equal(canonical(stored(t, name)), wanted, name)
        t.stop()


def test_bad_bodies_beside_pushgateway():
    with folder() as d, Tocsin(CONFIG, d) as t, Pushgateway() as p:
        for name, body in BAD.items():
            ours, theirs = pushed(t.url, name, body), (400, "")
            if not (IS_NEWER and name == "length"):  # 1.11 ends in a panic
                theirs = pushed(p.url, name, body)
            assert ours[0] == theirs[0] == 400 and ours[1], (name, ours, theirs)
        equal(pushed(t.url, "a", b"", TYPE.replace("delimited", "text"))[0], 415)
        equal(pushed(t.url, "a", family("", GAUGE, metric(2, simple(1.0))))[0], 400, "Pushgateway takes it, and no scrape reads it")
        equal(pushed(t.url, "a", b"", "application/vnd.google.protobuf")[0], 415)
        equal(pushed(t.url, "a", GOOD["simple"], TYPE.replace("; ", ";").replace("delimited", '"delimited"'))[0], 200)
        dotted = family("gpu.power", GAUGE, metric(2, simple(3.0), **{"gpu.id": "a b}"}))  # 1.5 knows no such names yet
        equal(pushed(t.url, "dotted", dotted)[0], 200)
        until("they are stored", lambda: list(stored(t, "dotted")) == ['{"__name__": "gpu.power", "gpu.id": "a b}", "job": "dotted"}'])
        wide = metric(7, histogram(1, 1.0, *((float(i), 1) for i in range(2000))), a="x" * 200_000)
        status, why = pushed(t.url, "wide", family("h", HISTOGRAM, wide))
        assert status == 429 and "as text" in why, (status, why)
        equal(t.get("/-/healthy").status, 200)
        t.stop()


if __name__ == "__main__":
    main()
