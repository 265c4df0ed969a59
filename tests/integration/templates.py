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


main()
