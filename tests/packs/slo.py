"""tocsin slo: the same rules for the same objectives, which promtool takes and lint has nothing against; what is wrong is told with
its place; rules/slo is what it writes."""
from harness import *

VARIED = """slos:
  - {name: api.errors, service: "the team's", objective: 99.9, error: 'errors_total{a="b"}', total: requests_total, by: [region, tier], labels: {team: "a'b"}}
  - name: week
    service: s
    objective: 99
    window: 7d
    good: sum(rate(good_total[5m])) by (x)
    total: sum(rate(all_total[5m])) by (x)
    min_events: 0
    description: "what it's about"
  - {name: loose, service: s, objective: 90, good: g_total, total: t_total, window: 90d}
"""
WRONG = {  # a file -> where, and a part of what is said
    "slos: []\n": ("1:1", "missing or empty"),
    "a: b\n": ("1:1", 'unknown key "a"'),
    "slos:\n  - {name: a, service: s, objective: 100, error: e_total, total: t_total}\n": ("2:38", "below 100"),
    "slos:\n  - {name: a, service: s, objective: 99, error: e_total, good: g_total, total: t_total}\n": ("2:64", 'one of "good" and "error"'),
    "slos:\n  - {name: a, service: s, objective: 99, total: t_total}\n": ("2:49", 'one of "good" and "error"'),
    "slos:\n  - {name: a, service: s, objective: 99, error: 'e_total{', total: t_total}\n": ("2:49", "error: "),
    "slos:\n  - {name: a, service: s, objective: 99, error: 'e_total[5m]', total: t_total}\n": ("2:49", "without a range"),
    "slos:\n  - {name: a, service: s, objective: 99, error: '1', total: t_total}\n": ("2:49", "instant vector"),
    "slos:\n  - {name: 1a, service: s, objective: 99, error: e_total, total: t_total}\n": ("2:12", "a letter first"),
    "slos:\n  - {name: a, service: s, objective: 99, error: e_total, total: t_total, window: 1d}\n": ("2:82", "7d to 90d"),
    "slos:\n  - {name: a-b, service: s, objective: 99, error: e_total, total: t_total}\n  - {name: a_b, service: s, objective: 99, error: e_total, total: t_total}\n": ("3:12", "called the same"),
    "slos:\n  - {name: a, objective: 99, error: e_total, total: t_total}\n": ("2:5", '"service"'),
    "slos: [\n": ("2:1", ""),
}


def slo(path, code=0):
    p = subprocess.run([PROGRAM, "slo", path], capture_output=True, text=True)
    equal(p.returncode, code, p.stdout[-500:] + p.stderr)
    return p.stdout, p.stderr


def promtools():
    return [p for p in (os.path.join(PEERS, "promtool"), os.path.join(NEWER, "usr/bin/promtool")) if os.path.exists(p)] or [peer("promtool")]


def test_the_pack_is_up_to_date():
    folder_ = os.path.join(SOURCE, "rules/slo")
    equal(slo(folder_ + "/objectives/llm-service.yml")[0], open(folder_ + "/llm-service.yml").read(),
          "rules/slo/llm-service.yml: tocsin slo rules/slo/objectives/llm-service.yml")


def test_rules_of_many_forms():
    with folder() as d:
        path = write(d + "/slo.yml", VARIED)
        out, said = slo(path)
        equal((out, said), (slo(path)[0], ""), "the same file again")
        rules = write(d + "/rules.yml", out)
        for promtool in promtools():
            p = subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", rules], capture_output=True, text=True)
            equal(p.returncode, 0, p.stdout + p.stderr)
        p = subprocess.run([PROGRAM, "lint", "--fail-on=warning", rules], capture_output=True, text=True)
        equal(p.returncode, 0, p.stdout)
        alerts = re.findall(r"alert: (\w+)", out)
        equal(alerts, [f"SloApiErrorsBurn{w}" for w in ("1h", "6h", "1d", "3d")] + ["SloWeekBurn1h", "SloWeekBurn6h"]
              + [f"SloLooseBurn{w}" for w in ("1d", "3d")], "a burn that cannot be has no alert")
        assert "> 14.4 * 0.001\n" in out and "> 3.36 * 0.01\n" in out and "None for 1h: 43.2 times a budget of 10 %" in out, out


def test_what_is_wrong_has_its_place():
    with folder() as d:
        for text, (place, words) in WRONG.items():
            out, said = slo(write(d + "/slo.yml", text), 1)
            assert out == "" and f"slo.yml:{place}\n" in said and words in said, f"{text}{said}"
        assert "no such file" in slo(d + "/none.yml", 1)[1].lower()
    for args in ([], ["a", "b"]):
        equal(subprocess.run([PROGRAM, "slo", *args], capture_output=True).returncode, 2)
    p = subprocess.run([PROGRAM, "slo", "--help"], capture_output=True, text=True)
    assert p.returncode == 0 and "usage: tocsin slo" in p.stdout, p.stdout


def test_budgets_over_time():
    """Errors a tenth of a percent over 99.9 %: the ratio is what it is over each window, the budget goes as fast as it should."""
    with folder() as d:
        write(d + "/slo.yml", "slos:\n  - {name: a, service: s, objective: 99, error: e_total, total: t_total}\n")
        write(d + "/rules.yml", slo(d + "/slo.yml")[0])
        labels = '{service="s", slo="a"}'
        expect = {"slo:error_ratio:rate5m": 0.02, "slo:error_ratio:rate1h": 0.02, "slo:error_ratio:rate3d": 0.02, "slo:error_budget:remaining": -1,
                  "slo:events:rate5m": 10}
        tests = "".join(f"      - {{expr: 'round({n}, 0.001)', eval_time: 20m, exp_samples: [{{labels: '{labels}', value: {v}}}]}}\n" for n, v in expect.items())
        write(d + "/t.yml", "rule_files: [rules.yml]\nevaluation_interval: 1m\nfuzzy_compare: true\ntests:\n  - interval: 1m\n    input_series:\n"
              "      - {series: t_total, values: 0+600x30}\n      - {series: e_total, values: 0+12x30}\n    promql_expr_test:\n" + tests)
        p = subprocess.run([PROGRAM, "test", d + "/t.yml"], capture_output=True, text=True)
        equal(p.returncode, 0, p.stdout + p.stderr)


main()
