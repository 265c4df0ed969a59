"""Pages, sources and rules have roads of their own: nothing of less weight keeps them."""
from harness import *

JSON = {"Content-Type": "application/json"}
ADDRESSES, JOBS = 40, 30


@contextlib.contextmanager
def silent():
    """Addresses where somebody listens and never answers: each is a destination of its own."""
    with contextlib.ExitStack() as stack:
        yield ["%s:%d" % stack.enter_context(socket.create_server((f"127.0.0.{i + 2}", 0), backlog=512)).getsockname()
               for i in range(ADDRESSES)]


class Source(Exporter):
    """A Prometheus that answers every query with one sample, at once."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.pages["/api/v1/query"] = self.answer

    def answer(self):
        self.asked.append(time.monotonic())
        body = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [time.time(), "1"]}]}}
        return 200, JSON, json.dumps(body).encode()


def told(sink, name):
    return any(a["labels"]["alertname"] == name for r in list(sink.got) for a in r.json()["alerts"])


def test_dead_targets_keep_no_source_and_no_page():
    """1,200 targets that hang for 15 s each fill all places for scrapes; the group's next query leaves within its second."""
    with folder() as d, silent() as hosts, Source() as source, Sink() as sink:
        jobs = ["{job_name: j%d, metrics_path: /%d, static_configs: [{targets: [%s]}]}" % (i, i, ", ".join("'%s'" % h for h in hosts))
                for i in range(JOBS)]
        text = simple(sink, more="global: {scrape_interval: 15s, scrape_timeout: 15s}\nstorage: {keep: all}\n"
                      "sources: [{name: p, url: 'http://%s'}]\nrule_files: [{files: [r.yml], source: p}]\n"
                      "scrape_configs: [%s]\n" % (source.address, ", ".join(jobs)))
        rules = "groups: [{name: g, interval: 1s, rules: [{alert: FromSource, expr: up == 1}]}]"
        with Tocsin(text, d, files={"r.yml": rules}) as t:
            time.sleep(5)  # all places are taken
            seen = len(source.asked)
            t.alert(alertname="Posted")
            until("the page is told", lambda: told(sink, "Posted"), 5)
            until("the source is asked again and again", lambda: len(source.asked) >= seen + 4, 8)
            until("what it says is told", lambda: told(sink, "FromSource"), 8)


def test_hanging_receivers_keep_no_other():
    """Ten receivers that take and never answer, each with more groups than it may have under way."""
    with folder() as d, contextlib.ExitStack() as stack:
        held = [stack.enter_context(Sink(otherwise=NOTHING)) for i in range(10)]
        well = stack.enter_context(Sink())
        routes = ["{receiver: h%d, matchers: ['to=\"h%d\"']}" % (i, i) for i in range(10)]
        text = "route: {receiver: well, group_by: [...], group_wait: 0s, group_interval: 1s, routes: [%s]}\nreceivers:\n%s" % (
            ", ".join(routes), "".join([receiver("well", well)] + [receiver(f"h{i}", s) for i, s in enumerate(held)]))
        with Tocsin(text, d) as t:
            equal(t.post("/api/v2/alerts", [{"labels": {"alertname": "A", "to": f"h{i}", "n": str(n)}} for n in range(40) for i in range(10)]).status, 200)
            until("all hang", lambda: all(s.count() >= 20 for s in held), 15)
            t.alert(alertname="Well")
            until("the healthy one is told", lambda: told(well, "Well"), 5)


# Thirteen million steps of nothing, and the same for each of many: far longer than the test.
SLOW = "sum_over_time(sum_over_time(vector(1)[4h:1s])[4h:1s])"
READS = "sum_over_time(sum_over_time(m[4h:1s])[4h:1s])"


def ask(t, query):
    """Sends a query and leaves the answer to whoever wants it."""
    host, port = t.address.rsplit(":", 1)
    c = socket.create_connection((host, int(port)), timeout=30)
    c.sendall(f"GET /api/v1/query?query={urllib.parse.quote(query)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return c


def quick(t):
    """Status and headers, None when it has to wait."""
    try:
        return t.get("/api/v1/query?query=m", timeout=2)
    except OSError:
        return None


def test_slow_queries_keep_no_rule():
    """Twenty that run or wait: samples come, rules see them, pages go. One more is sent away; when the clients have gone, so have they."""
    with folder() as d, Exporter() as e, Sink() as sink, contextlib.ExitStack() as stack:
        e.text("/metrics", "m 0\n")
        text = simple(sink, more="rule_files: [r.yml]\nscrape_configs: [{job_name: j, scrape_interval: 500ms, scrape_timeout: 500ms, "
                      "static_configs: [{targets: ['%s']}]}]\n" % e.address)
        rules = "groups: [{name: g, interval: 500ms, rules: [{alert: Own, expr: m > 0}]}]"
        with Tocsin(text, d, files={"r.yml": rules}) as t:
            until("there are samples", lambda: t.get("/api/v1/query?query=m").json()["data"]["result"], 20)
            asked = [stack.enter_context(ask(t, query)) for query in (SLOW, READS)]
            time.sleep(0.5)  # they run
            e.text("/metrics", "m 1\n")
            t.alert(alertname="Posted")
            until("the rule sees it and tells", lambda: told(sink, "Own"), 15)
            until("the page is told", lambda: told(sink, "Posted"), 5)
            asked += [stack.enter_context(ask(t, SLOW)) for i in range(19)]
            refused = until("no more are taken", lambda: (lambda r: r is not None and r.status == 503 and r)(quick(t)), 20)
            equal(refused.headers.get("Retry-After"), "1")
            for c in asked:
                c.close()
            until("others may ask", lambda: (lambda r: r is not None and r.status == 200)(quick(t)), 5)


if __name__ == "__main__":
    main()
