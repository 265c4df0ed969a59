#!/usr/bin/env python3
"""The examples for CI in contrib/ci run as they are written, over a repository with good rules and over one with bad ones.

    ci.py SOURCE PROGRAM"""
import os, re, shutil, subprocess, sys, tempfile
import xml.etree.ElementTree as xml

SOURCE, PROGRAM = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
sys.path.append(os.path.join(SOURCE, "build/peers/usr/lib/python3/dist-packages"))
try:
    import yaml
except ImportError:
    print("python3-yaml is missing")
    sys.exit(77)
RULES = "groups: [{name: g, rules: [{alert: A, expr: up == 0, for: 1m}]}]\n"
TEST = """rule_files: [../a.rules.yml]
tests:
  - input_series: [{series: up, values: '0x5'}]
    alert_rule_test: [{eval_time: 2m, alertname: A, exp_alerts: [{}]}]
"""
failed = 0


def read(name):
    with open(os.path.join(SOURCE, "contrib/ci", name)) as f:
        return yaml.safe_load(f)


def run(what, script, d, want, **env):
    global failed
    p = subprocess.run(["bash", "-ec", script], cwd=d, capture_output=True, text=True,
                       env={**os.environ, "PATH": os.path.dirname(PROGRAM) + ":" + os.environ["PATH"], **env})
    if (p.returncode == 0) != want:
        failed += 1
        print(f"{what}: exit code {p.returncode}\n{p.stdout}{p.stderr}")
    return p.stdout


def repository(d, rules, test):
    os.makedirs(os.path.join(d, "rules/tests"))
    for name, text in (("rules/a.rules.yml", rules), ("rules/tests/a_test.yml", test)):
        with open(os.path.join(d, name), "w") as f:
            f.write(text)


def main(d, good):
    repository(d, *((RULES, TEST) if good else (RULES.replace("== 0, for: 1m", ""), TEST.replace("alertname: A", "alertname: B"))))
    files = [os.path.join("rules", "a.rules.yml"), os.path.join("rules", "tests", "a_test.yml")]
    for hook in read("pre-commit-config.yaml")["repos"][0]["hooks"]:
        hits = [f for f in files if re.search(hook["files"], f)]
        assert hits, hook
        run(hook["id"], hook["entry"] + " " + " ".join(hits), d, good)
    for name, job in read("gitlab-ci.yml").items():
        run(f"GitLab's {name}", "\n".join(job["script"]), d, good)
        xml.parse(os.path.join(d, job["artifacts"]["reports"]["junit"]))
    for step in read("action.yml")["runs"]["steps"]:
        run(f"GitHub's {step['name']}", step["run"], d, good, TOCSIN="tocsin", PATHS="rules", FAIL_ON="warning",
            SARIF=os.path.join(d, "x.sarif"), TESTS="rules/tests/*.yml")
    assert os.path.getsize(os.path.join(d, "x.sarif")) > 1000


for is_good in (True, False):
    folder = tempfile.mkdtemp()
    main(folder, is_good)
    shutil.rmtree(folder)
print(f"{failed} failures")
sys.exit(failed != 0)
