"""A group of rules that did not change gets what its rules and links are made of beside it; and null in lists of targets."""
from harness import *

RULES = """groups: [{name: g, interval: 1s, rules: [{alert: A, expr: vector(1), annotations: {where: '{{ $externalLabels.dc }}'}}]}]
"""
CONFIG = """global: {{external_labels: {{dc: {dc}}}}}
sources: [{{name: p, url: 'http://127.0.0.1:{port}', external_url: '{link}'}}]
rule_files: [rules.yml]
route: {{receiver: r}}
receivers: [{{name: r}}]
"""


class Api(Exporter):
    """Prometheus' API as far as a rule asks it: one series with the label n, which the test changes."""

    def __init__(self):
        super().__init__()
        self.n = 0

        def answer():
            body = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {"n": str(self.n)}, "value": [time.time(), "1"]}]}}
            return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()
        self.pages["/api/v1/query"] = answer


def test_external_labels_and_links():
    with Api() as api, folder() as d:
        text = lambda dc, link: CONFIG.format(dc=dc, link=link, port=api.address.rsplit(":", 1)[1])
        with Tocsin(text("east", "http://one"), d, files={"rules.yml": RULES}) as t:
            def seen():  # an alert that fires already is sent again after a minute, one that begins to at once
                a = t.alerts(f"?filter=n%3D{api.n}")
                return a and (a[0]["annotations"]["where"], a[0]["generatorURL"].split("/graph")[0])
            until("it fires", lambda: seen() == ("east", "http://one"))
            for dc, link in (("west", "http://one"), ("west", "http://two"), ("north", "http://three")):
                write(t.config_file, text(dc, link))
                equal(t.post("/-/reload", b"").status, 200)
                api.n += 1
                until(f"{dc} and {link} are told", lambda: seen() == (dc, link))


NULLS = "- targets: ['127.0.0.1:1']\n  labels: {a: ~, b: 'x', c: null, d: }\n- targets: ~\n- targets: ['127.0.0.1:2']\n  labels: ~\n"
CASES = "{source_labels: [b], target_label: upper, action: uppercase}, {source_labels: [b], target_label: lower, action: lowercase}"


def test_nulls_and_case_beside_prometheus():
    text = "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: j, file_sd_configs: [{files: [sd.yml]}], relabel_configs: [%s]}]\n" % CASES
    nulls = NULLS.replace("'x'", "'Grün Ωmega ЖУК显卡ß'")
    with folder() as d, folder() as o, Tocsin("storage: {keep: all}\n" + text, d, files={"sd.yml": nulls}) as t:
        write(o + "/sd.yml", nulls)
        port = free_port()
        with Process([peer("prometheus"), "--config.file=" + write(o + "/p.yml", text), "--storage.tsdb.path=" + o + "/db",
                      f"--web.listen-address=127.0.0.1:{port}"]):
            def labels(url):
                try:
                    return sorted((a["labels"] for a in request("GET", url + "/api/v1/targets").json()["data"]["activeTargets"]), key=str)
                except (OSError, ValueError):
                    return []  # not yet
            urls = t.url, f"http://127.0.0.1:{port}"
            until("both have them", lambda: [len(labels(u)) for u in urls] == [2, 2], 25)
            equal(labels(urls[0]), labels(urls[1]))


if __name__ == "__main__":
    main()
