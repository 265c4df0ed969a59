"""Every annotation and templated label of public rule sets, and queries of templates: tocsin expands them as Prometheus.

Each becomes a rule of its own whose expression is a constant with the labels that the text reads, once with a small value
and once with a big one. Debian's Prometheus and tocsin evaluate the same file; the expanded texts must agree.
"""
import json, os, re, sys
from harness import *
from oracle import SHARED, documents, yaml

VALUES = ["0.0123", "12345678.9"]
READ = re.compile(r'(?:\$labels|\.Labels)\.(\w+)|index\s+(?:\$labels|\.Labels)\s+["`](\w+)')

QUERIES = """{{ query "vector(3)" | len }}|{{ query "vector(3)" | first | value }}|{{ with query "vector(3)" }}{{ . | first | value | humanize }}{{ end }}
{{ range query (printf "vector(%f)" $value) }}{{ .Value }} {{ .Labels }}{{ end }}|{{ range query "label_replace(vector(1), 'a', 'x', '', '')" }}{{ .Labels.a }}{{ .Labels.b }}={{ .Value }}{{ end }}
{{ query "label_replace(vector(1), 'a', 'x', '', '')" | first | label "a" }}|{{ query "label_replace(vector(1), '__value__', 'x', '', '')" | first | strvalue }}
{{ range query "label_replace(vector(1), 'a', 'z', '', '') or label_replace(vector(2), 'a', 'b', '', '')" | sortByLabel "a" }}{{ .Labels.a }}={{ .Value }} {{ end }}
{{ query "absent(up)" | len }}|{{ query "vector(1) > 2" | len }}|{{ query "vector(1) > 2" | first | value }}|{{ query "vector(" }}|{{ query "nofunc(1)" }}|{{ query "1" | first | value }}|{{ query "time()" | first | value | printf "%.0f" | len }}
{{ query 3 }}|{{ query }}|{{ first 3 }}|{{ label "a" 3 }}|{{ label "a" (query "vector(1)") }}|{{ value (query "vector(1)") }}|{{ sortByLabel "a" 3 }}|{{ (query "vector(1)" | first).Nope }}|{{ query "vector(1)[1m]" }}|{{ query "'text'" }}
{{ if query "vector(1)" }}yes{{ else }}no{{ end }}|{{ if query "vector(1) > 2" }}yes{{ else }}no{{ end }}|{{ index (query "vector(4)") 0 | value }}|{{ (index (query "vector(4)") 0).Value }}|{{ printf "%T" (query "vector(1)" | first | value) }}
{{ $x := query "vector(5)" | first | value }}{{ $x }}|{{ query (printf "vector(%v)" (query "vector(6)" | first | value)) | first | value }}|{{ define "n" }}{{ query . | first | value }}{{ end }}{{ template "n" "vector(7)" }}
{{ externalURL }} {{ pathPrefix }} {{ $externalURL }} {{ $externalLabels.dc }} {{ $externalLabels }}|{{ $labels }}|{{ .Labels }} {{ .Value }}|{{ printf "%d" $value }} {{ $value | humanize1024 }}|{{ graphLink "a b" }}"""


def texts_of(node, out):
    """Annotations and templated labels of all alerting rules below node, wherever the file keeps them."""
    if isinstance(node, list):
        for x in node:
            texts_of(x, out)
    elif isinstance(node, dict):
        if "alert" in node:
            for kind in ("annotations", "labels"):
                for v in (node.get(kind) or {}).values() if isinstance(node.get(kind), dict) else ():
                    if isinstance(v, str) and "{{" in v:
                        out.setdefault(v, None)
        for x in node.values():
            texts_of(x, out)


def corpus():
    out = {}
    docs, unread = documents()
    texts_of(docs, out)
    return list(out), len(docs), unread


def rule(n, text, value):
    expr = f"vector({value})"
    for name in sorted({a or b for a, b in READ.findall(text)} - {"alertname", "__name__"}):
        expr = f"label_replace({expr}, '{name}', '{name}-1.x:9', '', '')"
    return {"alert": f"R{n}", "expr": expr, "annotations": {"text": text}, "labels": {"templated": text}}


class Server(Process):
    def __init__(self, dir, rules):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = "global: {evaluation_interval: 5s, external_labels: {dc: ber}}\nrule_files: [%s]\n" % rules
        super().__init__([peer("prometheus"), "--config.file=" + write(os.path.join(dir, "prometheus.yml"), config),
                          "--storage.tsdb.path=" + os.path.join(dir, "prom"), "--web.external-url=http://ext.example/p",
                          f"--web.listen-address=127.0.0.1:{self.port}", "--web.route-prefix=/", "--log.level=error"])

    def alerts(self):
        assert self.p.poll() is None, self.text()
        try:
            r = request("GET", self.url + "/api/v1/alerts")
        except OSError:
            return []
        return r.json()["data"]["alerts"] if r.status == 200 else []  # it answers before it is ready


def rule_file(dir, rules):
    groups = [{"name": f"g{i}", "interval": "5s", "rules": rules[i:i + 100]} for i in range(0, len(rules), 100)]
    return write(os.path.join(dir, "all.rules.yml"), json.dumps({"groups": groups}))


def without_refused(dir, rules):
    """promtool refuses what does not parse; so must tocsin."""
    said = subprocess.run([peer("promtool"), "check", "rules", rule_file(dir, rules)], capture_output=True, text=True)
    names = set(re.findall(r'"(R\d+V\d)"', said.stderr))
    for r in rules:
        if r["alert"] in names:
            ours = subprocess.run([PROGRAM, "lint", rule_file(dir, [r])], capture_output=True, text=True)
            equal(ours.returncode, 1, f"exit code of lint for {r}")
    return [r for r in rules if r["alert"] not in names], len(names)


def by_name(alerts):
    """Expanded texts by alert; the label shows what a label's template gives."""
    def newer(text):
        return text and text.replace("Value float64 }", "Value interface {} }")  # since Prometheus 2.44

    return {a["labels"]["alertname"]: (newer(a["annotations"].get("text")), newer(a["labels"].get("templated"))) for a in alerts}


def test_expansion():
    if yaml is None or not os.path.isdir(os.path.join(SHARED, "conformance")):
        raise Skip("python3-yaml (./dev deps) or the conformance data are missing")
    texts, files, unread = corpus()
    texts += re.split(r"\n|(?<=\S)\|(?=\S)", QUERIES)
    rules = [rule(f"{i}V{j}", t, v) for i, t in enumerate(texts) for j, v in enumerate(VALUES)]
    with folder() as d:
        rules, refused = without_refused(d, rules)
        path = rule_file(d, rules)
        with Server(d, path) as p:
            # 4,000 queries that Prometheus answers: 15 CPU seconds of its own and of ours, whatever the machine gives.
            until("Prometheus has evaluated all", lambda: len(p.alerts()) >= len(rules), 120, 1)
            config = f"sources: [{{name: p, url: '{p.url}', external_url: http://ext.example/p}}]\n" \
                     f"global: {{external_labels: {{dc: ber}}}}\nrule_files: ['{path}']\n"
            with Tocsin(config, d) as t:
                ours = until("tocsin has evaluated all", lambda: (lambda a: len(a) >= len(rules) and a)(
                    t.get("/api/tocsin/overview").json()["rules"]), 120, 1)
            theirs = p.alerts()
        ours, theirs = by_name(ours), by_name(theirs)
    wrong = [(r["alert"], r["annotations"]["text"], theirs.get(r["alert"]), ours.get(r["alert"])) for r in rules
             if theirs.get(r["alert"]) != ours.get(r["alert"])]
    for name, text, want, got in wrong[:20]:
        print(f"{name} {text!r}\n  Prometheus {want}\n  tocsin     {got}")
    print(f"{len(texts)} texts of {files} files ({unread} are no YAML) x {len(VALUES)} values, as annotation and as label: "
          f"{len(rules) - len(wrong)} equal, {refused} refused by both, {len(wrong)} differ")
    equal(len(wrong), 0, "expansions that differ")


main()
