"""Rule files of Kubernetes: documents and lists of PrometheusRule run as rule files do, each object's groups are its own, and
a namespace can be made to bound what its rules read and give."""
from harness import *

RULE = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: %s, namespace: %s}
spec:
  groups:
  - name: g
    interval: 1s
    rules:
    - alert: A
      expr: %s
      labels: {namespace: elsewhere}
"""
ROUTE = "\nroute: {receiver: r}\nreceivers: [{name: r}]\n"


def as_list(kind, *objects):
    items = "".join("- " + o.replace("\n", "\n  ").rstrip() + "\n" for o in objects)
    return "apiVersion: v1\nkind: %s\nitems:\n%s" % (kind, items)


def groups(t):
    return {g["file"].rsplit("/k.yml")[-1]: g for g in t.get("/api/v1/rules").json()["data"]["groups"]}


def lint(d, text, *flags):
    path = write(os.path.join(d, "k.yml"), text)
    p = subprocess.run([PROGRAM, "lint", *flags, path], capture_output=True, text=True)
    return p.returncode, p.stdout + p.stderr


def test_documents_and_lists_run():
    a, b = RULE % ("slow", "team-a", "vector(1)"), RULE % ("slow", "team-b", "vector(2)")
    texts = ["# Source: chart\n---\n" + a + "---\n" + b, as_list("List", a, b), as_list("PrometheusRuleList", a, b),
             a + "---\nkind: ConfigMap\n---\n" + as_list("List", b)]
    for text in texts:
        with folder() as d, Tocsin("rule_files: [k.yml]" + ROUTE, d, files={"k.yml": text}) as t:
            until("both are there", lambda: sorted(groups(t)) == ["#team-a/slow", "#team-b/slow"])
            until("both fire", lambda: all(len(g["rules"][0]["alerts"]) == 1 for g in groups(t).values()))
            t.stop()
        with folder() as d:
            code, out = lint(d, text)
            equal(code, 0, out)
            assert "2 rules" in out, out


def test_a_namespace_bounds_its_rules():
    entry = "rule_files: [{files: k.yml, enforced_namespace_label: namespace}]" + ROUTE
    text = RULE % ("up", "team-a", "sum(rate(x{job=\"j\"}[5m])) or absent({__name__=~\"y.*\"})")
    with folder() as d, Tocsin(entry, d, files={"k.yml": text}) as t:
        rule = until("it is there", lambda: groups(t).get("#team-a/up"))["rules"][0]
        equal(rule["query"], 'sum(rate(x{namespace="team-a",job="j"}[5m])) or absent({namespace="team-a",__name__=~"y.*"})')
        until("the alert has the namespace", lambda: [x["labels"]["namespace"] for x in t.alerts()] == ["team-a"])
        t.stop()


def test_faults_have_their_place():
    good = RULE % ("a", "t", "vector(1)")
    faults = {
        "k.yml:10:18": good.replace("vector(1)", "sum(x"),
        "k.yml:7:5": good.replace("interval", "intervall"),
        "k.yml:4:7": good.replace("spec:", "spec: 5 #").split(" #")[0] + "\n",
        "k.yml:3:11": good.replace("name: a, ", ""),
        "k.yml:1:1": good.replace("PrometheusRule", "PrometheusRules"),
        "k.yml:13:1": good + "---\n" + good,                            # the object twice
        "k.yml:22:18": good + "---\n" + (RULE % ("b", "t", "rate(x)")), # in the second document
        "k.yml:13:15": as_list("List", good.replace("vector(1)", "nope(x)")),
    }
    with folder() as d:
        for place, text in faults.items():
            code, out = lint(d, text)
            equal(code, 1, place + "\n" + text + out)
            assert place in out, f"{place} is not named:\n{text}\n{out}"
        code, out = lint(d, RULE % ("a", "t", "x{namespace=\"u\"}"), "--enforced-namespace-label=namespace")
        assert code == 1 and "k.yml:10:13" in out and "another" in out, out
        code, out = lint(d, "groups: []\n", "--enforced-namespace-label=namespace")
        assert code == 1 and "no namespace is named" in out, out
        write(os.path.join(d, "tocsin.yml"), "rule_files: [k.yml]" + ROUTE)
        write(os.path.join(d, "k.yml"), good.replace("vector(1)", "sum(x"))
        p = subprocess.run([PROGRAM, "--config.file=" + os.path.join(d, "tocsin.yml"), "--storage.path=" + d],
                           capture_output=True, text=True)
        assert p.returncode == 1 and "k.yml:10:" in p.stderr, p.stderr


main()
