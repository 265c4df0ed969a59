#!/usr/bin/env python3
"""What lint prints of findings for people and for programs, and what flags and --fix make of them.

    reports.py PROGRAM"""
import json, os, stat, subprocess, sys, tempfile
import xml.etree.ElementTree as xml

RULES = """\
groups:
  - name: g
    rules:
      - alert: A
        expr: up == 0
        fro: 1m
      - record: b
        expr: '{a="中文",b=~"c"} + topk('
      - record: c
        expr: x{a="中文",b=~"c"}
"""
failed = 0


def check(what, ok, got):
    global failed
    if not ok:
        failed += 1
        print(f"{what}: got {got}")


def lint(*args, cwd, want=None):
    p = subprocess.run([PROGRAM, "lint", *args], cwd=cwd, capture_output=True, text=True)
    if want is not None:
        check(f"lint {' '.join(args)}: exit code {want}", p.returncode == want, f"{p.returncode} {p.stderr}")
    return p.stdout


def main(d):
    path = os.path.join(d, "r <&>.yml")
    with open(path, "w") as f:
        f.write(RULES)
    name = os.path.basename(path)

    text = lint(name, cwd=d, want=1)
    lines = text.split("\n")
    at = next((i for i, l in enumerate(lines) if "unclosed" in l), None)
    check("every fault in one run", all(i in text for i in ("R002", "R005", "R046")), text)
    check("the column counts characters", at is not None and lines[at + 1].endswith(":8:39"), text)
    check("the caret counts cells", at is not None and lines[at + 4].index("^") == len("    8 | ") + 38 + 2, text)

    problems = json.loads(lint("-o", "json", name, cwd=d, want=1))["problems"]
    fix = next(g["fix"] for g in problems if g["id"] == "R002")
    source = RULES.encode()
    check("json's fix", source[fix["offset"]:][:fix["length"]] == b"fro" and fix["text"] == "for", fix)

    sarif = json.loads(lint("-o", "sarif", name, cwd=d, want=1))
    run = sarif["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    check("sarif's version", sarif["version"] == "2.1.0" and run["columnKind"] == "unicodeCodePoints", sarif)
    for r in run["results"]:
        place = r["locations"][0]["physicalLocation"]
        check("sarif's rule", rules[r["ruleIndex"]]["id"] == r["ruleId"], r)
        check("sarif's uri", place["artifactLocation"]["uri"] == "r%20%3C&%3E.yml", place)
        check("sarif's region", place["region"]["startLine"] in (6, 8, 10) and place["region"]["startColumn"] > 0, place)
    check("sarif's results", [r["ruleId"] for r in run["results"]] == [g["id"] for g in problems], run["results"])
    check("sarif's fix", sum("fixes" in r for r in run["results"]) == 1, run["results"])

    junit = xml.fromstring(lint("-o", "junit", name, cwd=d, want=1))
    check("junit's cases", [c.get("classname") for c in junit.iter("testcase")] == [name] * len(problems), xml.tostring(junit))
    check("junit's failures", junit.find("testsuite").get("failures") == str(len(problems)), xml.tostring(junit))
    style = xml.fromstring(lint("-o", "checkstyle", name, cwd=d, want=1))
    check("checkstyle", [(f.get("name"), len(f)) for f in style] == [(name, len(problems))], xml.tostring(style))
    check("github", lint("-o", "github", name, cwd=d, want=1).count("::error ") == 2, "")

    check("--disable", "R046" not in lint("--disable=R046,R005", name, cwd=d, want=1), "")
    off = lint("--severity=R002=info", "--severity=R005=off", "-o", "json", name, cwd=d, want=0)
    check("--severity", {g["id"]: g["severity"] for g in json.loads(off)["problems"]}.get("R002") == "info", off)
    lint("--fail-on=warning", "--disable=R002,R005", name, cwd=d, want=1)
    for args in (["--disable=R9"], ["--severity=R002=grave"], ["--severity=R002"], ["--explain=R9"]):
        lint(*args, name, cwd=d, want=2)
    check("--explain", "Good:" in lint("--explain=R046", cwd=d, want=0), "")
    check("--color", "\033[" in lint("--color=always", name, cwd=d, want=1), "")

    os.chmod(path, 0o640)
    os.symlink(name, os.path.join(d, "link.yml"))
    out = lint("--fix", "link.yml", cwd=d, want=1)
    check("--fix", open(path).read() == RULES.replace("fro:", "for:"), open(path).read())
    check("--fix shows the rest", "R002" not in out and "R005" in out, out)
    check("--fix keeps the mode", stat.S_IMODE(os.stat(path).st_mode) == 0o640, oct(os.stat(path).st_mode))
    check("--fix keeps the link", os.path.islink(os.path.join(d, "link.yml")), "")


def levels(d):
    """A configuration's "lint": of all of its folder, of some files; flags hold against it."""
    for folder, group in (("own", "h"), ("vendor", "g")):
        os.mkdir(os.path.join(d, folder))
        with open(os.path.join(d, folder, "r.yml"), "w") as f:
            f.write("groups: [{name: %s, rules: [{alert: %s, expr: absent(x)}, {record: %s, expr: 'up{a=~\"b\"}'}]}]\n" % (group, group, group))
    with open(os.path.join(d, "tocsin.yml"), "w") as f:
        f.write("""rule_files: [own/*.yml, vendor/*.yml]
lint:
  disable: [C003]
  severity: {R031: error}
  paths: [{files: ['vendor/*.yml'], severity: {R046: off, R031: info}}]
""")

    def found(*args, want):
        return sorted((g["file"], g["id"], g["severity"]) for g in json.loads(lint(*args, "-o", "json", cwd=d, want=want))["problems"])

    wanted = [("./own/r.yml", "R031", "error"), ("./own/r.yml", "R046", "warning"), ("./vendor/r.yml", "R031", "info")]
    got = found(".", want=1)
    check("lint: of a configuration", got == wanted, got)
    got = found(d, want=1)
    check("lint: by another path", [g[1:] for g in got] == [w[1:] for w in wanted], got)
    got = found("./tocsin.yml", "vendor/r.yml", "own/../own", want=1)
    check("lint: files by another name", [g[1:] for g in got] == [("R031", "error"), ("R046", "warning"), ("R031", "info")], got)
    got = found("--severity=R031=warning", "--disable=R046", ".", want=0)
    check("lint: and flags", {g[1:] for g in got} == {("R031", "warning")}, got)
    got = found("own", want=0)
    check("lint: without the configuration", ("own/r.yml", "R031", "warning") in got, got)


OBJECT = """apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: c, namespace: n}
spec:
  route:
    receiver: wechta
    groupBy: [job]
    groupWait: 30
    routes:
      - {receiver: wechat, matchers: [{name: severity, value: critcal}]}
      - {receiver: wechat, muteTimeIntervals: [night], groupWiat: 1s, matchers: [{name: severity, value: 'a"|b', matchType: '=~'}]}
      - {receiver: wechat, matchers: [{name: a, value: 'x|y', regex: true}]}
      - {receiver: wechat, matchers: [{name: a, value: x}]}
  receivers:
    - {name: wechat, wechatConfigs: [{apiURL: 'http://x'}]}
    - {name: other}
  inhibitRules:
    - {sourceMatch: [{name: severity, value: critical}], targetMatch: [{name: severity, value: warning, matchType: '='}], equal: [severity]}
"""

RECEIVERS = """apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: c, namespace: n}
spec:
  route:
    receiver: a
  receivers:
    - name: a
      slackConfigs:
        - {apiURL: {name: s, key: my_key}, titleLnk: t, thumb_url: 'http://h/', mrkdwn_in: [text]}
        - {apiURL: 'https://hooks.slack.com/x'}
      webhookConfigs: [{maxAlerts: 3}]
      pushoverConfigs: [{token: {name: s, key: k}}]
      msteamsConfigs: [{webhookUlr: {name: s, key: k}}]
      discordConfigs: [{title: t}]
  muteTimeIntervals:
    - {name: night, timeIntervals: [{times: [{startTime: '22:00', endTime: '07:00'}]}]}
"""


def objects(d):
    """AlertmanagerConfig: the keys are those of a configuration in camelCase, also in what is said and mended."""
    path = os.path.join(d, "object.yml")

    def found(text, want):
        open(path, "w").write("apiVersion: v1\nkind: Secret\n---\n" * ("---" in text) + text)
        return json.loads(lint("-o", "json", path, cwd=d, want=want))["problems"]

    got = found(OBJECT, 1)
    check("an object's keys", [(g["id"], g["line"]) for g in got] == [("C001", 8), ("C002", 11)], got)
    check("in its words", "route.groupWait" in got[0]["message"] and "groupWait" in got[1]["help"] and got[1]["fix"]["text"] == "groupWait", got)
    got = found(OBJECT.replace("groupWait: 30", "groupWait: 5s").replace("groupWiat: 1s", "groupWait: 1s"), 1)
    check("an object's routes", [(g["id"], g["line"]) for g in got] ==
          [("C006", 6), ("C036", 10), ("C006", 11), ("C020", 13), ("C021", 16), ("C024", 18)], got)
    good = OBJECT.replace("wechta", "wechat").replace("groupWait: 30", "groupWait: 5s").replace("groupWiat: 1s", "groupWait: 1s").replace("critcal", "critical")
    good = good.replace("[severity]}", "[alertname]}").replace("muteTimeIntervals: [night], ", "").replace("    - {name: other}\n", "").replace("value: x}", "value: z}")
    got = found(good.replace("v1alpha1", "v1beta1"), 0)
    check("a good object", got == [], got)
    got = found(RECEIVERS, 1)
    said = [(g["message"], g.get("fix", {}).get("text")) for g in got]
    check("a receiver's words", said == [
        ('receivers[0].slackConfigs[0]: unknown key "titleLnk"', "titleLink"),
        ('receivers[0].slackConfigs[0]: unknown key "thumb_url"', "thumbURL"),
        ('receivers[0].slackConfigs[0]: unknown key "mrkdwn_in"', "mrkdwnIn"),
        ('receivers[0].slackConfigs[1].apiURL: {name, key} of a Secret expected', None),
        ('receivers[0].webhookConfigs[0]: one of "url" and "urlSecret" is needed', None),
        ('receivers[0].pushoverConfigs[0]: one of "userKey" and "userKeyFile" is needed', None),
        ('receivers[0].msteamsConfigs[0]: unknown key "webhookUlr"', "webhookUrl"),
        ('receivers[0].discordConfigs[0]: "apiURL" is missing', None),
        ('muteTimeIntervals[0].timeIntervals[0].times[0]: "startTime" must be before "endTime"', None)], said)
    check("a receiver's places", [(g["line"], g["column"]) for g in got] == [(10, 44), (10, 57), (10, 81), (11, 20), (12, 24), (13, 25), (14, 25), (15, 24), (17, 46)], got)
    got = found("apiVersion: monitoring.coreos.com/v1beta1\nkind: AlertmanagerConfig\n", 1)
    check("an object without spec", [g["id"] for g in got] == ["C003"], got)


PROGRAM = os.path.abspath(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    objects(folder)
with tempfile.TemporaryDirectory() as folder:
    levels(folder)
with tempfile.TemporaryDirectory() as folder:
    main(folder)
print(f"{failed} failures")
sys.exit(failed != 0)
