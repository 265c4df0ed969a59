"""What is taken from a target and what is said of one that is down, beside Prometheus over the same targets."""
from harness import *

TARGETS = {  # path: (headers, body, is it up)
    "/encoded": ({"Content-Encoding": "br"}, b"a 1\n", True),
    "/comma": ({}, b'a{x="1"y="2"} 1\nb{x="1" y="2",} 1\n', True),
    "/commas": ({}, b'a{x="1",,y="2"} 1\n', False),
    "/open": ({"Content-Type": "application/openmetrics-text"}, b'a{x="1"y="2"} 1\n# EOF\n', False),
    "/fallback": ({"Content-Type": "text/html"}, b"a 1\n", True),
    "/value": ({}, b"a 1\nb " + b"9" * 60 + b"\xe6\x98\xbe\xe5\x8d\xa1 1\n", False),
    "/quote": ({}, b'a{x="' + b"v" * 100 + b"} 1\n", False),
    "/name": ({}, b'a{1x="2"} 1\n', False),
    "/large": ({}, b"a 1\n" * 100, False),
    "/many": ({}, b"a 1\nb 1\n", False),
    "/labels": ({}, b'a{x="1",y="2",z="3"} 1\n', False),
}
LIMITS = {"/large": "body_size_limit: 100B", "/many": "sample_limit: 1", "/labels": "label_limit: 3", "/fallback": "fallback_scrape_protocol: PrometheusText0.0.4"}
WORDS = {
    "/value": '"' + "9" * 60 + '显"...', "/quote": '"a{x=\\"' + "v" * 59 + '"...', "/name": '"1x=\\"2\\"}"', "/commas": '",y=\\"2\\"}"', "/open": '"y=\\"2\\"}"',
    "/large": "body_size_limit exceeded: 100 bytes", "/many": "sample_limit exceeded: more than 1 samples", "/labels": "label_limit exceeded: ",
}


def config(address, redirect, more=""):
    jobs = "".join(f"- {{job_name: '{p}', metrics_path: '{p}', static_configs: [{{targets: ['{address}']}}]{', ' + LIMITS[p] if p in LIMITS else ''}}}\n"
                   for p in TARGETS)
    return f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{jobs}{more}"


def health(get):
    return {t["scrapePool"]: (t["health"], t["lastError"]) for t in get("/api/v1/targets").json()["data"]["activeTargets"]}


def serve(e):
    for path, (headers, body, _) in TARGETS.items():
        e.text(path, body, **headers)


def test_what_is_up():
    text = lambda e: config(e.address, "")
    with Exporter() as e, folder() as d, Tocsin("storage: {keep: all}\n" + text(e), d) as t, folder() as o:
        serve(e)
        port = free_port()
        theirs = text(e) if IS_NEWER else text(e).replace(", fallback_scrape_protocol: PrometheusText0.0.4", "")
        with Process([peer("prometheus"), "--config.file=" + write(o + "/p.yml", theirs), "--storage.tsdb.path=" + o + "/db",
                      f"--web.listen-address=127.0.0.1:{port}"]):
            def get(path):
                try:
                    return request("GET", f"http://127.0.0.1:{port}" + path)
                except OSError:
                    return Reply(503, {}, b'{"data": {"activeTargets": []}}')
            known = lambda g: len(v := health(g)) == len(TARGETS) and all(x[0] != "unknown" for x in v.values())
            until("both have scraped all", lambda: known(t.get) and known(get), 25)
            ours, other = health(t.get), health(get)
        for path, (_, _, up) in TARGETS.items():
            equal((ours[path][0], other[path][0]), ("up" if up else "down",) * 2, f"{path}: {ours[path][1]} | {other[path][1]}")
            assert WORDS.get(path, "") in ours[path][1], (path, ours[path][1])
        agent = {h["User-Agent"] for _, h in e.requests if "tocsin" in h["User-Agent"]}
        assert len(agent) == 1 and re.fullmatch(r"tocsin/\d+\.\d+\.\d+", agent.pop()), "who asks says so"


def test_who_was_reached():
    dead = free_port()
    with Exporter() as e, Sink(otherwise=NOTHING) as silent, Sink(otherwise=HALF) as half, folder() as d:
        e.pages["/away"] = (302, {"Location": f"http://127.0.0.1:{dead}/metrics"}, b"")
        more = f"""- {{job_name: away, metrics_path: /away, static_configs: [{{targets: ['{e.address}']}}]}}
- {{job_name: dead, static_configs: [{{targets: ['127.0.0.1:{dead}']}}]}}
- {{job_name: silent, static_configs: [{{targets: ['127.0.0.1:{silent.port}']}}]}}
- {{job_name: half, static_configs: [{{targets: ['127.0.0.1:{half.port}']}}]}}
"""
        with Tocsin("storage: {keep: all}\nglobal: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n" + more, d) as t:
            until("all are down", lambda: {h for h, _ in health(t.get).values()} == {"down"}, 15)
            said = {k: e for k, (_, e) in health(t.get).items()}
        for job, words in (("away", f"cannot reach 'http://127.0.0.1:{dead}'"), ("dead", f"cannot reach 'http://127.0.0.1:{dead}'"),
                           ("silent", f"no answer from 'http://127.0.0.1:{silent.port}': time is up"),
                           ("half", f"no answer from 'http://127.0.0.1:{half.port}'")):
            assert words in said[job], said


if __name__ == "__main__":
    main()
