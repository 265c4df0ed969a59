"""A stop in the middle of everything: in order, and what was taken is there afterwards."""
from harness import *

SERIES = 3000
SLOW = "/api/v1/query_range?" + urllib.parse.urlencode(
    {"query": "sum(sum_over_time(m[1m:1s])) + sum(sum_over_time(m[1m:1s]))", "start": "%d", "end": "%d", "step": "1"})


def ask(t, query):
    return t.get("/api/v1/query?query=" + urllib.parse.quote(query)).json()["data"]["result"]


def test_while_queries_are_queued():
    with folder() as d, Sink() as s, Exporter() as x:
        x.text("/metrics", "".join(f'm{{i="{i}"}} {i}\n' for i in range(SERIES)))
        config = ("global: {scrape_interval: 500ms}\nstorage: {keep: all}\npush: {}\n"
                  f"scrape_configs: [{{job_name: x, static_configs: [{{targets: ['{x.address}']}}]}}]\n" + simple(s))
        with Tocsin(config, d) as t:
            until("samples are there", lambda: ask(t, "count(m)"), 20)
            equal(t.post("/metrics/job/night", b"pushed 7\n").status // 100, 2)
            until("the push is there", lambda: ask(t, "pushed"), 10)
            end = int(time.time())
            url = t.url + SLOW.replace("%25d", str(end - 3000), 1).replace("%25d", str(end), 1)
            for _ in range(30):
                threading.Thread(target=lambda: give_up(url), daemon=True).start()
            time.sleep(0.5)
            t.stop()
            assert t.took < 8, t.took
        with Tocsin(config.replace(x.address, "127.0.0.1:1"), d) as t:
            until("samples outlived it", lambda: ask(t, "count(count_over_time(m[5m]))"), 10)
            until("the push outlived it", lambda: ask(t, "pushed"), 10)


def test_idle_connections_are_not_waited_for():
    took = []
    while not took or (min(took) >= 1.5 and len(took) < 3):  # a busy machine may take long for the rest
        with folder() as d, Sink() as s, Tocsin(simple(s), d) as t:
            host, port = t.address.split(":")
            kept = http.client.HTTPConnection(host, int(port))
            kept.request("GET", "/-/healthy")
            equal(kept.getresponse().read() != b"", True)
            with socket.create_connection((host, int(port))) as unused:
                t.stop()
                equal((unused.recv(1), kept.sock.recv(1)), (b"", b""))
        took.append(t.took)
    assert min(took) < 1.5, took


def give_up(url):
    try:
        request("GET", url, timeout=20)
    except OSError:
        pass


main()
