"""The verdict of `tocsin lint` on each file of Prometheus' fixtures beside promtool 2.42's; differences must be known."""
import glob, json, os, re, subprocess
from harness import *

SHARED = os.environ.get("TOCSIN_SHARED", "")
# file: (what promtool says, what we say, why)
KNOWN = {
    "promtool-testdata/features.yml": ("bad", "ok", "newer than 2.42"),
    "promtool-testdata/rules-bad.yml": ("bad", "ok", "needs the template parser"),
    "rulefmt-testdata/legacy_validation_annotation.bad.yaml": ("bad", "ok", "refused by the legacy name scheme only"),
    "rulefmt-testdata/utf-8_annotation.good.yaml": ("bad", "ok", "UTF-8 names are newer than 2.42"),
    "rulefmt-testdata/utf-8_lname.good.yaml": ("bad", "ok", "UTF-8 names are newer than 2.42"),
    "promtool-testdata/authorization_credentials_file.bad.yml": ("bad", "ok", "scrape_configs come later"),
    "promtool-testdata/config_with_tls_files.yml": ("bad", "ok", "scrape_configs come later"),
    "promtool-testdata/config_with_rule_files.yml": ("bad", "ok", "a pattern without a match is a warning"),
    "promtool-testdata/prometheus-aws-sd-empty-region.good.yml": ("bad", "ok", "scrape_configs come later"),
    "promtool-testdata/url_in_alert_targetgroup_with_relabel_config.bad.yml": ("bad", "ok", "alerting comes later"),
    "promtool-testdata/url_in_scrape_targetgroup_with_relabel_config.bad.yml": ("bad", "ok", "scrape_configs come later"),
}
CONFIG = re.compile(r"^(global|scrape_configs|rule_files|alerting|remote_write):", re.M)


def verdicts(promtool, path):
    with open(path, errors="replace") as f:
        text = f.read()
    if re.search(r"^tests:", text, re.M):
        return None
    kind = "config" if CONFIG.search(text) else "rules"
    theirs = subprocess.run([promtool, "check", kind, path], capture_output=True, text=True)
    ours = subprocess.run([os.environ["TOCSIN"], "lint", "-q", "-o", "github", path], capture_output=True, text=True)
    assert ours.returncode in (0, 1), (path, ours.returncode, ours.stderr)
    if ours.returncode == 1:
        assert re.search(r"::error file=.*,line=\d+,col=\d+", ours.stdout), (path, ours.stdout)
    return "bad" if theirs.returncode == 1 else "ok", "bad" if ours.returncode else "ok"


def test_fixtures():
    promtool = peer("promtool")
    base = os.path.join(SHARED, "conformance/rules/prometheus/")
    files = sorted(glob.glob(base + "*testdata*/*.y*ml") + glob.glob(base + "rules-fixtures/*.y*ml"))
    if not files and os.environ.get("CI") != "true":
        raise Skip("no conformance data")
    equal_count, known, tests, wrong = 0, 0, 0, []
    for path in files:
        name = path[len(base):]
        v = verdicts(promtool, path)
        if v is None:
            tests += 1
        elif name in KNOWN and v == KNOWN[name][:2]:
            known += 1
        elif v[0] == v[1]:
            equal_count += 1
        else:
            wrong.append(f"{name}: promtool {v[0]}, tocsin {v[1]}")
    print(f"{len(files)} files: {equal_count} equal, {known} known differences, {tests} unit-test files, {len(wrong)} unexplained")
    assert files and not wrong, "\n".join(wrong)


# -- tests of rules --

NEWER = {"no-test-group-interval.yml", "unittest.yml", "values.yml"}  # need a newer promtool than 2.42
NEWEST = {"start-time-test.yml"}  # than 3.5

OURS = {
    "order.yml": """
rule_files: [rules.yml]
evaluation_interval: 30s
group_eval_order: [second, first]
tests:
  - name: the order of groups
    interval: 30s
    input_series: [{series: x, values: '0 1 2 3'}]
    promql_expr_test:
      - {expr: 'a', eval_time: 1m, exp_samples: [{labels: a, value: 1}]}
      - {expr: 'b', eval_time: 1m, exp_samples: [{labels: b, value: 2}]}
""",
    "states.yml": """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - name: pending, firing, resolved, kept
    interval: 1m
    input_series: [{series: 'y{p="q"}', values: '0 1x3 0x4'}]
    external_labels: {site: s}
    external_url: http://e/
    alert_rule_test:
      - {eval_time: 2m, alertname: Y}
      - eval_time: 3m
        alertname: Y
        exp_alerts:
          - exp_labels: {p: q, severity: s}
            exp_annotations: {text: '1 of q at s, http://e/'}
      - eval_time: 6m30s
        alertname: Y
        exp_alerts:
          - exp_labels: {p: q, severity: s}
            exp_annotations: {text: '1 of q at s, http://e/'}
      - {eval_time: 8m, alertname: Y}
    promql_expr_test:
      - {expr: 'ALERTS', eval_time: 1m, exp_samples: [{labels: 'ALERTS{alertname="Y",alertstate="pending",p="q",severity="s"}', value: 1}]}
      - {expr: 'ALERTS_FOR_STATE', eval_time: 1m, exp_samples: [{labels: 'ALERTS_FOR_STATE{alertname="Y",p="q",severity="s"}', value: 60}]}
      - {expr: 'count(ALERTS) or vector(0)', eval_time: 8m, exp_samples: [{labels: '{}', value: 0}]}
""",
    "values.yml": """
rule_files: [rules.yml]
tests:
  - name: notation
    interval: 15s
    input_series:
      - {series: 'v{a="1"}', values: '1 _ 3 stale 31 1e2 NaN -Inf 5-2x3 _x2 7x2'}
      - {series: 'v{a="2"}', values: '9x2'}
      - {series: 'v{a="2"}', values: '8x2'}
      - {series: h, values: '{{schema:0 sum:3 count:4 buckets:[1 2 1]}}x3 {{schema:0 sum:1 count:1 buckets:[1]}}'}
    promql_expr_test:
      - {expr: 'v', eval_time: 15s, exp_samples: [{labels: 'v{a="2"}', value: 8}, {labels: 'v{a="1"}', value: 1}]}
      - {expr: 'sum(v)', eval_time: 30s, exp_samples: [{value: 11}]}
      - {expr: 'v{a="1"}', eval_time: 45s}
      - {expr: 'count_over_time(v[1h])', eval_time: 5m, exp_samples: [{labels: '{a="1"}', value: 13}, {labels: '{a="2"}', value: 3}]}
      - {expr: 'histogram_count(h)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}
      - {expr: 'h', eval_time: 45s, exp_samples: [{labels: h, histogram: '{{schema:0 sum:3 count:4 counter_reset_hint:not_reset buckets:[1 2 1]}}'}]}
      - {expr: '1 + 1', exp_samples: [{value: 2}]}
      - {expr: 'max_over_time(v{a="2"}[2m:])', eval_time: 30s, exp_samples: [{labels: '{a="2"}', value: 8}]}
  - name: a record with a limit fails
    input_series: [{series: 'lim{a="1"}', values: '1 1'}, {series: 'lim{a="2"}', values: '_ 1'}]
    promql_expr_test: [{expr: 'limited', eval_time: 0s, exp_samples: [{labels: 'limited{a="1"}', value: 1}]}]
""",
}
RULES = """
groups:
  - {name: first, rules: [{record: b, expr: 'a + 1'}]}
  - {name: second, interval: 5m, rules: [{record: a, expr: 'x offset 30s'}]}
  - name: alerts
    rules:
      - alert: Y
        expr: y > 0
        for: 2m
        keep_firing_for: 3m
        labels: {severity: s}
        annotations: {text: '{{ $value }} of {{ $labels.p }} at {{ $externalLabels.site }}, {{ $externalURL }}'}
  - {name: limited, limit: 1, rules: [{record: limited, expr: lim}]}
"""


def broken(text, most):
    """The file with one thing changed that should matter, each."""
    for pattern, by in ((r"value: (-?[\d.]+)", lambda m: f"value: {float(m[1]) + 1:g}"),
                        (r"eval_time: (\d+)m", lambda m: f"eval_time: {int(m[1]) + 7}m"),
                        (r"alertname: (\w+)", lambda m: f"alertname: {m[1]}x"),
                        (r"severity: (\w+)", lambda m: f"severity: {m[1]}x"),
                        (r"values: (['\"])", lambda m: f"values: {m[1]}1 "),
                        (r"input_series:", lambda m: "input_serie:"),
                        (r"rule_files:", lambda m: "rule_file:")):
        hits = list(re.finditer(pattern, text))
        for m in hits[:most]:
            yield text[:m.start()] + by(m) + text[m.end():]


def both(promtool, path):
    theirs = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True)
    ours = subprocess.run([os.environ["TOCSIN"], "test", path], capture_output=True, text=True)
    assert ours.returncode in (0, 1), (path, ours.returncode, ours.stderr)
    return theirs.returncode, ours.returncode, theirs.stdout + theirs.stderr, ours.stdout + ours.stderr


def test_unit_tests():
    """Files of tests, ours and those at hand, each as it is and broken in many ways: the verdict is promtool's."""
    with folder() as d:
        compare_unit_tests(peer("promtool"), d)


def compare_unit_tests(promtool, d):
    is_old = "version 2." in subprocess.run([promtool, "--version"], capture_output=True, text=True).stdout
    paths = []
    for name, text in {**OURS, "rules.yml": RULES}.items():
        path = os.path.join(d, name)
        with open(path, "w") as f:
            f.write(text)
        paths += [path] if name in OURS and not (is_old and name in NEWER) else []
    for path in glob.glob(SHARED + "/conformance/**/*.y*ml", recursive=True):
        with open(path, errors="replace") as f:
            if re.search(r"^tests:", f.read(), re.M) and os.path.basename(path) not in (NEWER | NEWEST if is_old else NEWEST):
                paths.append(path)
    wrong, counted = [], [0, 0]
    for path in sorted(paths):
        with open(path) as f:
            text = f.read()
        if path.startswith(d) and not is_old:
            assert both(promtool, path)[0] == 0, both(promtool, path)[2]
        for i, changed in enumerate([text, *list(broken(text, 1 if is_old else 2))[:5]]):
            beside = os.path.join(d if path.startswith(d) else os.path.dirname(path), f".changed-{os.getpid()}.yml")
            if path.startswith(d) or i == 0:
                target = beside if path.startswith(d) else path
            else:
                target = os.path.join(d, "changed.yml")
                changed = re.sub(r"(?m)^( *- )((?!/)[\w./*-]+\.ya?ml)$", lambda m: m[1] + os.path.join(os.path.dirname(path), m[2]), changed)
            if target != path:
                with open(target, "w") as f:
                    f.write(changed)
            theirs, ours, said, we = both(promtool, target)
            counted[ours] += 1
            if theirs != ours:
                wrong.append(f"{path} #{i}: promtool {theirs}, tocsin {ours}\n{said}\n{we}")
    print(f"{len(paths)} files, as they are and broken: {counted[0]} pass, {counted[1]} fail, {len(wrong)} differ")
    assert not wrong, "\n".join(wrong[:5])


def test_what_is_ours():
    with folder() as d:
        try_what_is_ours(d)


def try_what_is_ours(d):
    with open(os.path.join(d, "rules.yml"), "w") as f:
        f.write(RULES)
    with open(os.path.join(d, "am.yml"), "w") as f:
        f.write("route: {receiver: r, routes: [{receiver: p, matchers: [a=b], continue: true}, {receiver: q, matchers: [a=~\"b|c\"]}]}\n"
                "receivers: [{name: r}, {name: p}, {name: q}]\n")
    test = """
rule_files: [rules.yml]
config_files: [am.yml]
tests:
  - name: states
    input_series: [{series: 'y{p="q"}', values: '0 4x3'}]
    alert_rule_test:
      - {eval_time: 1m, alertname: Y, exp_alerts: [{exp_state: pending, exp_value: 4, exp_labels: {p: q, severity: s},
                                                    exp_annotations: {text: '4 of q at , '}}]}
  - name: routes
    route_test:
      - {labels: {a: b}, exp_receivers: [p, q]}
      - {labels: {a: c}, exp_receivers: [q]}
      - {labels: {}, exp_receivers: [r]}
"""
    path = os.path.join(d, "t.yml")

    def run(text, *args):
        with open(path, "w") as f:
            f.write(text)
        return subprocess.run([os.environ["TOCSIN"], "test", *args, path], capture_output=True, text=True)

    p = run(test, "--coverage", "--junit", os.path.join(d, "j.xml"))
    assert p.returncode == 0 and "2 passed" in p.stdout, p
    assert 'coverage: 1 of 4 rules' in p.stdout and 'record "a": it gave no sample' in p.stdout, p.stdout
    assert 'tests="2" failures="0"' in open(os.path.join(d, "j.xml")).read()
    for a, b in (("exp_value: 4", "exp_value: 5"), ("exp_state: pending", "exp_state: firing"), ("[p, q]", "[p]"),
                 ("exp_receivers: [r]", "exp_receivers: [q]"), ("exp_state: pending", "exp_state: waiting")):
        assert run(test.replace(a, b)).returncode == 1, (a, b)
    p = run(test.replace("exp_value: 4", "exp_value: 5"), "--run=rou")
    assert p.returncode == 0 and "1 passed" in p.stdout, p
    assert run(test, "--run=(").returncode == 2


# "lost" is called where nothing is firing, "short" within "long", "nobody" by no receiver; the last file has nothing else
TEXTS = """{{ define "short" }}{{ .CommonAnnotations.summary }}{{ end }}
{{ define "long" }}{{ if .Alerts.Firing }}{{ template "short" . }}{{ else if .Alerts.Resolved }}over{{ else }}{{ template "lost" . }}{{ end }}{{ end }}
{{ define "lost" }}nothing{{ end }}
{{ define "slack.default.title" }}anew{{ end }}
{{ define "nobody" }}x{{ end }}
"""
ROUTER = """
templates: [texts/*.tmpl]
route:
  receiver: chat
  group_by: [job]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
  - {matchers: [severity="critical"], receiver: pager}
  - {matchers: [severity="info"], receiver: night, active_time_intervals: [night]}
inhibit_rules: [{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [job]}]
time_intervals:
- {name: night, time_intervals: [{location: Asia/Shanghai, times: [{start_time: '22:00', end_time: '24:00'}]}]}
receivers:
- {name: chat, webhook_configs: [{url: 'http://x/'}]}
- {name: night, webhook_configs: [{url: 'http://x/', send_resolved: false}]}
- name: pager
  fallback: chat
  webhook_configs: [{url: 'http://x/a'}, {url: 'http://x/b'}]
  slack_configs: [{api_url: 'http://x/', channel: '#a', send_resolved: true, text: '{{ template "long" . }}'}]
  email_configs: [{to: a@b.c, from: x@y.z, smarthost: 'm:25'}]
  sms_configs: [{provider: twilio, key_id: ACx, secret_key: t, from: '+1', numbers: ['+8613800000000'], text: '{{ .CommonAnnotations.summary }}'}]
"""
TOLD = """
rule_files: [told_rules.yml]
config_files: [router.yml]
tests:
  - name: from a rule, by every way of the receiver
    start_timestamp: 2026-01-05T10:00:00+08:00
    interval: 1m
    input_series: [{series: 'up{job="llm"}', values: '1 0x5 1x20'}, {series: 'slow{job="llm"}', values: '1x26'}]
    notification_test:
      - {receiver: chat, at: 30s, alerts: [Slow], group_labels: {job: llm}}
      - {receiver: pager, at: 3m30s, alerts: [Down], integrations: [slack, email, sms], text: ['服务 "llm" 停了']}
      - {receiver: pager, at: 3m30s, alerts: [Down], integrations: [webhook]}
      - {receiver: pager, at: 8m30s, status: resolved, integrations: ['webhook[0]', 'webhook[1]', slack]}
  - name: silenced, inhibited, at night
    start_timestamp: 2026-01-05T21:00:00+08:00
    run_for: 3h
    input_alerts:
      - {labels: {alertname: A, job: a}, at: 1m, for: 30m}
      - {labels: {alertname: B, job: b}, for: 10m}
      - {labels: {alertname: I, severity: info}, at: 10m}
    input_silences: [{matchers: 'job="a"', for: 1h}]
    notification_test:
      - {receiver: chat, at: 30s, alerts: [B]}
      - {receiver: chat, at: 10m30s, status: resolved}
      - {receiver: night, at: 1h, until: 1h1m, alerts: [I]}
  - name: a service is out of order
    run_for: 10m
    input_alerts: [{labels: {alertname: B, job: b}}]
    input_outages: [{receiver: chat, at: 0s, for: 3m}]
    notification_test:
      - {receiver: chat, at: 3m, until: 4m, alerts: [B]}
"""
TOLD_RULES = """
groups:
  - name: told
    rules:
      - {alert: Down, expr: up == 0, for: 2m, labels: {severity: critical}, annotations: {summary: '服务 "{{ $labels.job }}" 停了'}}
      - {alert: Slow, expr: slow > 0, labels: {severity: warning}}
"""


def test_who_is_told():
    """Rules, routes, silences, windows, outages over simulated time: these messages and no others."""
    with folder() as d:
        for name, text in (("told_rules.yml", TOLD_RULES), ("router.yml", ROUTER)):
            with open(os.path.join(d, name), "w") as f:
                f.write(text)
        os.mkdir(os.path.join(d, "texts"))
        write(os.path.join(d, "texts", "default.tmpl"), TEXTS)
        write(os.path.join(d, "texts", "none.tmpl"), "{{/* nothing */}}")
        path = os.path.join(d, "told.yml")

        def run(text, *args):
            with open(path, "w") as f:
                f.write(text)
            return subprocess.run([os.environ["TOCSIN"], "test", *args, path], capture_output=True, text=True)

        p = run(TOLD, "--coverage")
        assert p.returncode == 0 and "3 passed" in p.stdout and not p.stderr, p
        assert "coverage: 2 of 2 rules" in p.stdout and "coverage: 3 of 3 routes" in p.stdout, p.stdout
        said = p.stdout[p.stdout.index("coverage: 3 of 5 templates"):]
        equal(re.findall(r'texts/default.tmpl:(\d+): template "(\w+)": no test', said), [("3", "lost"), ("5", "nobody")], said)
        for a, b, said in (("at: 3m30s", "at: 3m", "- 3m pager/slack firing: Down"), ("for: 3m}]", "for: 5m}]", "- 3m to 4m chat/webhook"),
                           ("停了']", "停']", ""), ("停了']", "停了!']", 'the text lacks "服务'), ("status: resolved}", "}", "- 10m30s chat/webhook firing"),
                           ("receiver: night, at: 1h,", "receiver: night, at: 2h,", "+ 1h30s night/webhook firing: I"),
                           ("[{receiver: chat, at: 0s", "[{receiver: nobody, at: 0s", "+ 30s chat/webhook"),
                           ("input_silences: [{matchers: 'job=\"a\"'", "input_silences: [{matchers: 'job=\"z\"'", "+ 1m30s chat/webhook firing: A"),
                           ("matchers: 'job=\"a\"'", "matchers: 'job=\"'", "input_silences:"), ("alerts: [I]", "alerts: [J]", "firing: J"),
                           ("receiver: night", "receiver: day", "there is no such receiver"), ("[webhook]", "[discord]", "no such integration"),
                           ("group_labels: {job: llm}", "group_labels: {job: x}", 'group {job="x"}'),
                           ("config_files: [router.yml]\n", "", "no file of config_files has routes")):
            assert a in TOLD, a
            p = run(TOLD.replace(a, b))
            assert p.returncode == (1 if said else 0) and said in p.stdout, (a, b, p.stdout, p.stderr)
        a, b = "sms_configs: [{provider: twilio, key_id: ACx, secret_key: t,", "webhook_configs: [{url: 'http://x/a'}, {url: 'http://x/b'}]"
        assert a in ROUTER and b in ROUTER  # secrets in files that are elsewhere: nothing is sent, and nothing is said of them
        write(os.path.join(d, "router.yml"), ROUTER.replace(a, a.replace("secret_key: t", "secret_key_file: /nowhere/key"))
              .replace(b, b.replace("url: 'http://x/b'", "url_file: /nowhere/url")))
        p = run(TOLD)
        assert p.returncode == 0 and "3 passed" in p.stdout and not p.stderr, p
        write(os.path.join(d, "router.yml"), ROUTER)
        os.mkdir(os.path.join(d, "below"))
        other = write(os.path.join(d, "below", "told.yml"), TOLD.replace("[told_rules.yml]", "[../told_rules.yml]").replace("[router.yml]", "[./../router.yml]"))
        p = run(TOLD, "--coverage", other)  # a file has one name, whichever test asks for it
        assert "coverage: 2 of 2 rules" in p.stdout and "coverage: 3 of 3 routes" in p.stdout, p.stdout
        p = run(TOLD.replace("receiver: night, at", "receiver: chat, at"), "--coverage", "--output=json")
        assert [r["reached"] for r in json.loads(p.stdout)["routes"]] == [True, True, False], p.stdout
        equal([(t["template"], t["reached"]) for t in json.loads(p.stdout)["templates"]],
              [("short", True), ("long", True), ("lost", False), ("slack.default.title", True), ("nobody", False)])


main()
