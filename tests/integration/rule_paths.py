"""A rule is known by the path of its file seen from the configuration file that names it: neither another way to write the
path, nor a folder that is moved, nor a reload that writes it otherwise makes an alert begin anew or end."""
from harness import *

RULES = """groups:
  - name: g
    interval: 4s
    rules:
      - {record: one, expr: vector(1)}
      - {alert: Pending, expr: 'one > 0', for: 1h}
      - {alert: Soon, expr: 'one > 0', for: 40s}
      - {alert: Firing, expr: 'one > 0'}
"""
CONFIG = """
rule_files: [%s]
route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers: [{name: r, webhook_configs: [{url: '%s'}]}]
"""


class Started(Process):
    """With these words on the command line, in that working folder."""

    def __init__(self, config, cwd, storage):
        super().__init__([PROGRAM, "--config.file=" + config, "--storage.path=" + storage,
                          "--web.listen-address=127.0.0.1:0"], cwd=cwd)
        self.url = "http://" + until("tocsin listens", lambda: Tocsin._listening(self), 20)

    def rules(self):
        return request("GET", self.url + "/api/v1/rules").json()["data"]["groups"]

    def active(self):
        return {a["labels"]["alertname"]: (a["state"], a["activeAt"])
                for a in request("GET", self.url + "/api/v1/alerts").json()["data"]["alerts"]}

    def ran(self):
        """The group's file, once it has run in this life."""
        text = request("GET", self.url + "/metrics").body.decode()
        m = re.search(r'prometheus_rule_group_iterations_total\{rule_group="(.*);g"\} [1-9]', text)
        return m and m.group(1)


def told(sink, status):
    return [a["labels"]["alertname"] for r in list(sink.got) for a in r.json()["alerts"] if a["status"] == status]


def test_the_same_file():
    with folder() as d, Sink() as sink:
        a, b, state = (os.path.join(d, x) for x in ("a", "b", "state"))
        os.makedirs(os.path.join(a, "rules"))
        write(os.path.join(a, "rules", "r.yml"), RULES)

        def name(folder, pattern):
            write(os.path.join(folder, "tocsin.yml"), CONFIG % (pattern, sink.url))

        name(a, "rules/r.yml")
        with Started(a + "/tocsin.yml", d, state) as t:
            until("it fires", lambda: "Firing" in told(sink, "firing"), 40)
            until("all are active", lambda: len(t.active()) == 3, 10)
            before = t.active()
            equal({k: v[0] for k, v in before.items()}, {"Pending": "pending", "Soon": "pending", "Firing": "firing"})
            name(a, "../a/rules/*.yml")
            runs = t.ran()
            equal(request("POST", t.url + "/-/reload", b"").status, 200)
            until("the other name is shown", lambda: t.rules()[0]["file"] != runs, 10)
            equal({k: v[1] for k, v in t.active().items()}, {k: v[1] for k, v in before.items()}, "after a reload")
            time.sleep(5)  # rows are written
            t.kill()
        for what, folder_now, config, cwd, pattern, file in (
                ("from the root", a, "tocsin.yml", a, a + "/rules/r.yml", a + "/rules/r.yml"),
                ("relative", a, "a/tocsin.yml", d, "rules/r.yml", "a/rules/r.yml"),
                ("twice", a, a + "/tocsin.yml", d, f"./rules/r.yml, {a}/rules/r.yml", a + "/./rules/r.yml"),
                ("moved", b, b + "/tocsin.yml", d, "rules/r.yml", b + "/rules/r.yml")):
            if folder_now == b:
                os.rename(a, b)
            name(folder_now, pattern)
            with Started(config, cwd, state) as t:
                until(what + ": it runs", lambda: t.ran() == file, 20)
                equal([g["file"] for g in t.rules()], [file], what)
                equal({k: v[1] for k, v in t.active().items()}, {k: v[1] for k, v in before.items()}, what)
                if what == "moved":
                    until("for goes on", lambda: t.active()["Soon"][0] == "firing", 50)
                    until("that is told", lambda: "Soon" in told(sink, "firing"))
                t.kill()
        equal(told(sink, "resolved"), [])


main()
