"""POST /api/v2/templates/render: the templates in force, files over them, errors with their place, limits."""
from harness import *

CONFIG = """
global: {language: zh, timezone: Europe/Berlin}
templates: [own.tmpl]
route: {receiver: r}
receivers: [{name: r}]
"""
FILES = {"own.tmpl": '{{ define "own" }}own {{ .Status }}{{ end }}'}
DATA = {"status": "resolved", "receiver": "r", "externalURL": "http://am", "groupLabels": {"alertname": "A"}, "commonLabels": {"alertname": "A"},
        "alerts": [{"status": "resolved", "labels": {"alertname": "A<b>"}, "startsAt": "2026-07-01T00:00:00Z", "endsAt": "2026-07-01T01:00:00Z"}]}


def render(t, status=200, **request):
    r = t.post("/api/v2/templates/render", request)
    equal(r.status, status, r.body)
    return r.json()


def test_render():
    with folder() as d, Tocsin(CONFIG, d, files=FILES) as t:
        equal(render(t, text='{{ template "own" . }}', data=DATA), {"output": "own resolved"})
        equal(render(t, text="a {{ .Status }} {{ (index .Alerts 0).Labels.alertname }}"), {"output": "a firing AlertNameExample"})
        equal(render(t, text='{{ template "__subject" . }}', data=DATA)["output"].strip(), "[恢复] A")
        equal(render(t, text="{{ (index .Alerts 0).StartsAt }}", data=DATA), {"output": "2026-07-01 02:00:00 +0200 CEST"})
        equal(render(t, text="{{ (index .Alerts 0).Labels.alertname }}", type="html", data=DATA), {"output": "A&lt;b&gt;"})
        assert render(t, text='{{ template "dingtalk.default.text" . }}', data=DATA)["output"].startswith("### ✅ **已恢复：A＜b>**")
        new = {"x.tmpl": '{{ define "own" }}new{{ end }}'}
        equal(render(t, text='{{ template "own" }}', files=new), {"output": "new"})
        equal(render(t, text='{{ template "own" . }}', data=DATA), {"output": "own resolved"}, "files are for one request")


def test_errors_have_a_place():
    with folder() as d, Tocsin(CONFIG, d, files=FILES) as t:
        e = render(t, 400, text="one\n{{ .Nope }}")
        equal((e["name"], e["line"], e["column"]), ("", 2, 4))
        assert "can't evaluate field Nope" in e["error"], e
        e = render(t, 400, text="x", files={"bad.tmpl": "\n\n{{ nofunc }}"})
        equal((e["name"], e["line"]), ("bad.tmpl", 3))
        e = render(t, 400, text='{{ if .Status }}<a href="{{ else }}<b>{{ end }}', type="html")
        assert "branches end in different contexts" in e["error"], e
        for bad in ({}, {"text": 3}, {"text": "x", "type": "pdf"}, {"text": "x", "data": 3}, {"text": "x", "nope": 1}):
            assert render(t, 400, **bad)["error"].startswith("request: "), bad


def test_endless_templates_stop():
    """And while they run, nobody waits for them."""
    with folder() as d, Tocsin(CONFIG, d, files=FILES) as t:
        for text in ('{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}', "{{ range 1000000000 }}{{ end }}",
                     "{{ range 1000000000 }}0123456789abcdef{{ end }}", '{{ $x := "x" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}'):
            began = time.monotonic()
            e = render(t, 400, text=text)["error"]
            assert any(w in e for w in ("steps", "longer than", "depth", "memory", "too long")), e
            assert time.monotonic() - began < 5, text


def test_labels_of_routes():
    """In the message and in the API; they may use one another."""
    with folder() as d, Sink() as s:
        config = simple(s).replace("  receiver: hook\n", "  receiver: hook\n  labels: {team: 'gpu-{{ .GroupLabels.alertname }}', "
                                   "channel: '#{{ routeLabels \"team\" }}', bad: '{{ .Nope }}'}\n", 1)
        with Tocsin(config, d) as t:
            t.alert(alertname="A", gpu="0")
            until("the message", s.count)
            wanted = {"channel": "#gpu-A", "team": "gpu-A"}
            equal(s.got[0].json()["routeLabels"], wanted)
            equal([g["routeLabels"] for g in t.get("/api/v2/alerts/groups").json()], [wanted])


def test_words_on_the_command_line():
    """--language, --style and --timezone, as a configuration has them."""
    def said(*flags, text='{{ template "slack.default.title" . }}|{{ template "slack.default.text" . }}'):
        p = subprocess.run([PROGRAM, "template", "render", "--template.text=" + text, *flags], capture_output=True, text=True)
        return p.stdout + p.stderr
    assert said().startswith("[FIRING:1] AlertNameExample (warning)"), said()
    assert said("--language=zh").startswith("[告警:1] AlertNameExample (warning)"), said("--language=zh")
    assert said("--style=readable").startswith("Warning: AlertNameExample|Since 2025-01-01 00:00:00 UTC"), said("--style=readable")
    zh = said("--style=readable", "--language=zh", "--timezone=Europe/Berlin")
    assert zh.startswith("警告：AlertNameExample|开始：2025-01-01 01:00:00 CET"), zh
    for flag in "--language=fr", "--style=nice", "--timezone=Mars/Base":
        assert flag.split("=")[1] in said(flag), said(flag)


def test_values_of_our_rules():
    """Readable texts show what the expression gave; Alertmanager's JSON has nothing of it."""
    rules = """
groups:
- name: g
  interval: 1s
  rules:
  - {alert: Deep, expr: vector(3.14159), labels: {severity: warning}, annotations: {summary: it is deep}}
  - {alert: Said, expr: vector(3.14159), annotations: {summary: it is said, value: three}}
"""
    with folder() as d, Sink() as readable, Sink() as plain:
        config = f"""
rule_files: [r.yml]
route: {{receiver: r, group_by: [alertname], group_wait: 0s}}
receivers:
- name: r
  ntfy_configs: [{{url: '{readable.url}', topic: t}}]
  webhook_configs: [{{url: '{plain.url}'}}]
"""
        with Tocsin(config, d, files={"r.yml": rules}):
            until("both are told", lambda: readable.count() == 2 and plain.count() == 2, 20)
            texts = {r.json()["title"]: r.json()["message"] for r in readable.got}
            assert "Value: 3.142\n" in texts["Warning: it is deep"], texts
            assert "Value: three" in "".join(texts.values()) and "".join(texts.values()).count("Value: ") == 2, texts
            for r in plain.got:
                equal(sorted(r.json()["alerts"][0]), ["annotations", "endsAt", "fingerprint", "generatorURL", "labels", "startsAt", "status"])
                assert "3.14" not in json.dumps(r.json()["alerts"][0]["annotations"]), r.json()


main()
