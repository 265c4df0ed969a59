"""POST /api/tocsin/lint: what lint finds in the text of a rule file, and that a hostile one costs nobody else."""
import json, subprocess, threading
from harness import *

CONFIG = """
route: {receiver: r}
receivers: [{name: r}]
"""
RULES = """groups:
  - name: g
    rules:
      - alert: A
        expr: sum by (job) (rate(a_total[5m])) > 1
        annotations:
          summary: "{{ $labels.instance }} is slow"
"""


def lint(t, text, status=200):
    r = t.post("/api/tocsin/lint", text.encode() if isinstance(text, str) else text)
    equal(r.status, status, r.body)
    return r.json()["problems"] if status == 200 else r


def test_findings():
    with folder() as d, Tocsin(CONFIG, d) as t:
        found = [(p["id"], p["severity"], p["line"]) for p in lint(t, RULES)]
        assert any(line == 7 for _, _, line in found), found  # the label that the expression drops
        with open(f"{d}/same.yml", "w") as f:
            f.write(RULES)
        said = json.loads(subprocess.run([PROGRAM, "lint", "--as", "rules", "--output", "json", f"{d}/same.yml"], capture_output=True, text=True).stdout)
        equal(found, [(p["id"], p["severity"], p["line"]) for p in said["problems"]], "as the command says")
        equal([p["severity"] for p in lint(t, "groups: []\n")], ["info"])
        e = lint(t, RULES.replace("> 1", "> > 1"))
        equal((e[0]["severity"], e[0]["line"]), ("error", 5))
        e = lint(t, b"groups:\n\t- name: g\n")
        equal((e[0]["severity"], e[0]["line"]), ("error", 2))
        for text in b"", b"\x00\xff", b"[" * 20000, b"a: &a [*a]", b"- " * 20000, "é".encode() * 1000:
            lint(t, text)
        lint(t, b"a" * (65 << 10), 413)


def test_a_hostile_text_keeps_nobody():
    text = "groups:\n- name: g\n  rules:\n" + "".join(
        f'  - {{alert: A{i}, expr: "sum(rate(a_total{{x=~\\"(a|b)*{i}.*\\"}}[5m])) by (job) / on(x) b > 1", annotations: {{a: "{{{{ range query `a` }}}}{{{{ . }}}}{{{{ end }}}}"}}}}\n'
        for i in range(350))
    assert len(text) < 64 << 10, len(text)
    with folder() as d, Tocsin(CONFIG, d) as t:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(t.post("/api/tocsin/lint", text.encode()).status)) for _ in range(4)]
        for x in threads:
            x.start()
        for _ in range(20):
            equal(t.get("/-/ready").status, 200)
        for x in threads:
            x.join()
        equal(answers, [200] * 4)


main()
