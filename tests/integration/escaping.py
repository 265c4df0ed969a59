"""Names that not every reader of metrics can read: quoted or escaped as its Accept asks, so that one of them costs nobody a target."""
from harness import *

CONFIG = "storage: {keep: all}\nrule_files: [rules.yml]\nroute: {receiver: r}\nreceivers: [{name: r}]\n"
RULES = """groups:
  - name: g
    interval: 1s
    rules:
      - {record: gpu.util_ratio, expr: vector(1), labels: {service.name: "a\\tb\\\\c", 'ns:pod': p, plain_name: q}}
      - {record: plain_name, expr: vector(2)}
"""
VALUE = '="a\tb\\\\c"'
UTF8 = ['# TYPE "gpu.util_ratio" untyped',
        '{"gpu.util_ratio",instance="","ns:pod"="p",plain_name="q","service.name"' + VALUE + "} 1"]
UNDERSCORES = ["# TYPE gpu_util_ratio untyped", 'gpu_util_ratio{instance="",ns_pod="p",plain_name="q",service_name' + VALUE + "} 1"]
DOTS = ["# TYPE gpu_dot_util__ratio untyped", 'gpu_dot_util__ratio{instance="",ns__pod="p",plain_name="q",service_dot_name' + VALUE + "} 1"]
VALUES = ["# TYPE U__gpu_2e_util__ratio untyped",
          'U__gpu_2e_util__ratio{instance="",U__ns_3a_pod="p",plain_name="q",U__service_2e_name' + VALUE + "} 1"]
PLAIN = ["# TYPE plain_name untyped", 'plain_name{instance=""} 2']
PROMETHEUS_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
PROMETHEUS_3 = ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
                "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
TEXT, OPEN = "text/plain; version=%s; charset=utf-8; escaping=%s", "application/openmetrics-text; version=%s; charset=utf-8; escaping=%s"

# Accept, what /federate then is (it is never OpenMetrics, as there) and what the program's own metrics are.
ACCEPTS = [
    (None, TEXT % ("0.0.4", "underscores"), UNDERSCORES, TEXT % ("0.0.4", "underscores")),
    ("*/*", TEXT % ("0.0.4", "underscores"), UNDERSCORES, TEXT % ("0.0.4", "underscores")),
    ("application/json", TEXT % ("0.0.4", "underscores"), UNDERSCORES, TEXT % ("0.0.4", "underscores")),
    ("text/plain;version=0.0.4;escaping=allow-utf-8", TEXT % ("0.0.4", "allow-utf-8"), UTF8, TEXT % ("0.0.4", "allow-utf-8")),
    ("text/plain; version=1.0.0; escaping=dots", TEXT % ("1.0.0", "dots"), DOTS, TEXT % ("1.0.0", "dots")),
    ("text/plain;escaping=values", TEXT % ("0.0.4", "values"), VALUES, TEXT % ("0.0.4", "values")),
    ("text/plain;escaping=rot13", TEXT % ("0.0.4", "underscores"), UNDERSCORES, TEXT % ("0.0.4", "underscores")),
    ("text/plain;q=0.1;escaping=dots,application/openmetrics-text;version=1.0.0;q=0.2;escaping=values", TEXT % ("0.0.4", "dots"), DOTS,
     OPEN % ("1.0.0", "values")),
    ("application/openmetrics-text;version=0.0.1", TEXT % ("0.0.4", "underscores"), UNDERSCORES, OPEN % ("0.0.1", "underscores")),
    ("application/openmetrics-text;version=2.0.0,text/plain;q=0.5", TEXT % ("0.0.4", "underscores"), UNDERSCORES, TEXT % ("0.0.4", "underscores")),
    (PROMETHEUS_2, TEXT % ("0.0.4", "underscores"), UNDERSCORES, OPEN % ("1.0.0", "underscores")),
    (PROMETHEUS_3, TEXT % ("1.0.0", "allow-utf-8"), UTF8, OPEN % ("1.0.0", "allow-utf-8")),
]


def lines(body):
    return [l if l[0] == "#" else l.rsplit(" ", 1)[0] for l in body.decode().splitlines()]


def test_what_accept_asks_for():
    with folder() as d, Tocsin(CONFIG, d, files={"rules.yml": RULES}) as t:
        path = "/federate?match[]=%7B__name__=~%22.%2B%22%7D"
        until("rules have run", lambda: b"plain_name{" in t.get(path).body)
        for accept, federated, names, own in ACCEPTS:
            headers = {"Accept": accept} if accept else {}
            r = t.get(path, headers=headers)
            equal(r.headers["Content-Type"], federated, accept)
            equal(lines(r.body), names + PLAIN, accept)
            r = t.get("/metrics", headers=headers)
            equal(r.headers["Content-Type"], own, accept)
            equal(r.body.endswith(b"# EOF\n"), own.startswith("application/"), accept)
            assert b"# TYPE tocsin_build_info gauge" in r.body, "names that everybody reads stay as they are"


def test_prometheus_scrapes_it():
    with folder() as d, Tocsin(CONFIG, d, files={"rules.yml": RULES}) as t, \
            Prometheus(d, [t.address], job="metrics_path: /federate, honor_labels: true, params: {'match[]': ['{__name__=~\".+\"}']}, ") as p:
        name, service, pod = ('"gpu.util_ratio"', '"service.name"', '"ns:pod"') if IS_NEWER else ("gpu_util_ratio", "service_name", "ns_pod")
        query = '{%s,%s="a\\tb\\\\c",%s="p"}' % (name if IS_NEWER else f'__name__="{name}"', service, pod)
        until("it is there", lambda: p.value(query) == 1, 30)
        equal((p.value("up"), p.value("plain_name")), (1, 2))


if __name__ == "__main__":
    main()
