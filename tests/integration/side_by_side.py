"""Debian's Alertmanager and tocsin with the same configuration and alerts: what their receivers send, field by field."""
import json, os, random
from harness import *

# What 0.25 does not send yet, or what names the server itself.
NEWER = {"notification_reason", "routeLabels"}


def config(sink):
    return f"""
global: {{slack_api_url: '{sink.url}/slack'}}
route: {{receiver: all, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}}
receivers:
  - name: all
    webhook_configs: [{{url: '{sink.url}/webhook'}}]
    slack_configs:
      - channel: '#ops'
        send_resolved: true
        text: '{{{{ range .Alerts }}}}{{{{ .Annotations.summary }}}} <{{{{ .GeneratorURL }}}}|link>{{{{ end }}}}'
        fields: [{{title: Node, value: '{{{{ .CommonLabels.node }}}}', short: true}}]
        actions: [{{type: button, text: Runbook, url: 'http://r/{{{{ .CommonLabels.alertname }}}}'}}]
    pagerduty_configs:
      - routing_key: key
        url: '{sink.url}/pagerduty'
        severity: '{{{{ .CommonLabels.severity }}}}'
        details: {{more: '{{{{ .CommonAnnotations.summary }}}}'}}
        links: [{{href: 'http://l', text: '{{{{ .CommonLabels.node }}}}'}}]
"""


def collect(post, sink, count):
    """Firing, then resolved; returns path -> bodies in order."""
    a = {"labels": {"alertname": "Slow", "node": "g<7>", "severity": "critical"}, "annotations": {"summary": "p95 > 5 & rising"},
         "startsAt": "2026-01-01T00:00:00.000Z", "generatorURL": "http://p/graph?a=1&b=2"}
    post([{**a, "endsAt": stamp(600)}])
    until("firing messages", lambda: sink.count() >= 3, 15)
    post([{**a, "endsAt": "2026-01-01T01:00:00.000Z"}])
    until("resolved messages", lambda: sink.count() >= 6, 15)
    out = {}
    for r in sorted(sink.got, key=lambda r: r.at):
        body = r.json()
        out.setdefault(r.path.rsplit("/", 1)[1], []).append({k: v for k, v in body.items() if k not in NEWER})
    return out


def without_structure(body):
    """0.25 sends these four as text, 0.30 and later, which we follow, as JSON."""
    details = body.get("payload", {}).get("custom_details", {})
    for name in ("firing", "resolved", "num_firing", "num_resolved"):
        assert name in details, details
        del details[name]
    return body


def test_same_requests():
    with folder() as d, Sink() as one, Sink() as two:
        with Alertmanager(config(one), d) as am:
            theirs = collect(lambda b: equal(request("POST", am.url + "/api/v2/alerts", b).status, 200), one, 6)
        with Tocsin(config(two), d, "--web.external-url=http://same.example") as t:
            ours = collect(lambda b: equal(t.post("/api/v2/alerts", b).status, 200), two, 6)
        fields = 0
        for kind in ("webhook", "slack", "pagerduty"):
            equal(len(ours[kind]), len(theirs[kind]), kind)
            for i, (a, b) in enumerate(zip(theirs[kind], ours[kind])):
                fields += len(a)
                if kind == "pagerduty":
                    without_structure(a), without_structure(b)
                equal(json.loads(json.dumps(b).replace(two.url, one.url)), a, f"{kind} {i}")
        print(f"{fields} top-level fields of 6 requests equal")


def mixed_sets(seed):
    """Alerts and groups whose label names differ, in a random order."""
    r, sets = random.Random(seed), set()
    while len(sets) < 60:
        names = r.sample(["aa", "bb", "cc", "A", "job", "instance", "zz"], r.randrange(1, 4))
        sets.add(tuple(sorted((n, r.choice("xyz")) for n in names)))
    sets = sorted(sets)
    r.shuffle(sets)
    return [{"labels": {"alertname": "A", **dict(s)}, "endsAt": stamp(600)} for s in sets]


def order(server, sink):
    for a in mixed_sets(7):
        equal(request("POST", server.url + "/api/v2/alerts", [a]).status, 200)
    until("all of both routes are told", lambda: sum(len(g.json()["alerts"]) for g in sink.got if g.path.endswith("/one")) == 60, 15)
    one = next(g.json() for g in sink.got if g.path.endswith("/one"))
    groups = request("GET", server.url + "/api/v2/alerts/groups").json()
    return [a["labels"] for a in one["alerts"]], [g["labels"] for g in groups]


def test_same_order():
    text = """
route:
  receiver: one
  group_wait: 2s
  group_by: [alertname]
  routes:
    - {matchers: ['alertname="A"'], receiver: one, group_by: [alertname], continue: true}
    - {matchers: ['alertname="A"'], receiver: many, group_by: ['...'], group_wait: 5m}
receivers: [{name: one, webhook_configs: [{url: '%s/one'}]}, {name: many}]
"""
    with folder() as d, Sink() as one, Sink() as two:
        with Alertmanager(text % one.url, d) as am:
            theirs = order(am, one)
        with Tocsin(text % two.url, d) as t:
            ours = order(t, two)
        equal(ours[0], theirs[0], "alerts of a message")
        equal(ours[1], theirs[1], "groups")


def mail_config(smarthost):
    """A sender with a Chinese name is left to mail.py: Alertmanager encodes the address with it, which no reader undoes."""
    return f"""
global: {{smtp_smarthost: '{smarthost}', smtp_from: 'Alerts <alerts@tocsin.example>', smtp_require_tls: false, smtp_hello: mail.example}}
route: {{receiver: mail, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}}
receivers:
  - name: mail
    email_configs:
      - to: 'One <a@x.example>, b@y.example'
        send_resolved: true
        headers: {{X-Team: '{{{{ .CommonLabels.node }}}}', Reply-To: 'ops@tocsin.example'}}
        text: '{{{{ template "__text_alert_list" .Alerts }}}}{{{{ .CommonAnnotations.summary }}}} = 5'
        html: '<p title="{{{{ .CommonLabels.node }}}}">{{{{ range .Alerts }}}}{{{{ .Annotations.summary }}}} <a href="{{{{ .GeneratorURL }}}}">l</a>{{{{ end }}}}</p>'
"""


def mails(post, box):
    a = {"labels": {"alertname": "显存不足", "node": "g<7>"}, "annotations": {"summary": "p95 > 5 & 上升 " + "x" * 100},
         "startsAt": "2026-01-01T00:00:00.000Z", "generatorURL": "http://p/graph?a=1&b=2"}
    post([{**a, "endsAt": stamp(600)}])
    until("the firing mail", lambda: len(box.mails) >= 1, 15)
    post([{**a, "endsAt": "2026-01-01T01:00:00.000Z"}])
    until("the resolved mail", lambda: len(box.mails) >= 2, 15)
    return box.mails


def shape(name, value):
    """Header values that differ by design: what is random or the time keeps its form only."""
    if name == "Message-Id":
        return re.sub(r"[0-9]+\.[0-9a-f]+@.*>", "TIME.RANDOM@HOST>", value)
    if name == "Date":
        return re.sub(r"[0-9]+", "0", re.sub(r"[A-Za-z]{3}", "Mon", value))
    if name == "Content-Type":
        return value.split(";")[0]
    return value


def fields(mail):
    to, m, _ = mail
    out = {"envelope": to, "headers": {k.title(): shape(k.title(), str(v)) for k, v in m.items()}}
    for part in m.iter_parts():
        out[part.get_content_type()] = (part["Content-Transfer-Encoding"], part.get_content_charset(), part.get_content().rstrip())
    return out


def test_same_mail():
    one, two = Mailbox(), Mailbox()
    with folder() as d, MailServer(one) as first, MailServer(two) as second:
        with Alertmanager(mail_config(first), d) as am:
            theirs = mails(lambda b: equal(request("POST", am.url + "/api/v2/alerts", b).status, 200), one)
        with Tocsin(mail_config(second), d, "--web.external-url=http://same.example") as t:
            ours = mails(lambda b: equal(t.post("/api/v2/alerts", b).status, 200), two)
    count = 0
    equal(len(ours), len(theirs), "mails")
    for a, b in zip(map(fields, theirs), map(fields, ours)):
        equal(b["headers"].pop("Auto-Submitted"), "auto-generated", "what keeps auto-responders still, which Alertmanager does not send")
        equal(b, a, "mail")
        count += len(a) + len(a["headers"])
    print(f"{count} fields of 2 mails equal")


main()
