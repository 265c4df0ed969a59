"""More idle clients than the process has descriptors: pages go out, and a new client is answered."""
import resource

from harness import *


def few():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))


def test_idle_clients_leave_room():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d, preexec_fn=few) as t:
        host, port = t.address.split(":")
        idle = [socket.create_connection((host, int(port))) for _ in range(1100)]
        began = time.monotonic()
        t.alert(alertname="Slow")
        until("the page", sink.accepted, 5)
        assert time.monotonic() - began < 5
        equal(t.get("/-/healthy").status, 200)
        for c in idle:
            c.close()


def test_everything_hangs_at_once():
    """Targets, receivers and clients: each has its part, and none of them is what another needs."""
    with folder() as d, Sink() as sink, contextlib.ExitStack() as stack:
        target = stack.enter_context(contextlib.closing(socket.create_server(("0.0.0.0", 0), backlog=4096))).getsockname()[1]
        hang = [stack.enter_context(Sink(otherwise=NOTHING)) for _ in range(10)]
        targets = ", ".join(f"'127.2.{i // 250}.{i % 250 + 1}:{target}'" for i in range(1250))
        config = (f"storage: {{keep: all}}\nglobal: {{scrape_interval: 1s, scrape_timeout: 900ms}}\nscrape_configs: [{{job_name: j, static_configs: [{{targets: [{targets}]}}]}}]\n"
                  "route: {receiver: page, group_by: [...], group_wait: 0s, routes: [{matchers: [hang=yes], receiver: hang, group_wait: 0s}]}\n"
                  f"receivers:\n  - {{name: page, webhook_configs: [{{url: '{sink.url}'}}]}}\n"
                  "  - {name: hang, webhook_configs: [%s]}\n" % ", ".join(f"{{url: '{h.url}'}}" for h in hang))
        t = stack.enter_context(Tocsin(config, d, preexec_fn=few))
        t.says("few file descriptors")
        t.post("/api/v2/alerts", [{"labels": {"alertname": "Hang", "hang": "yes", "i": str(i)}} for i in range(64)])
        until("the receivers hang", lambda: sum(len(h.got) for h in hang) >= 200, 20)
        host, port = t.address.split(":")
        idle = [stack.enter_context(contextlib.closing(socket.create_connection((host, int(port))))) for _ in range(600)]
        for i in range(20):
            t.alert(alertname=f"Page{i}")
            until("the page", lambda: len(sink.got) > i, 5)
        assert "too many open files" not in t.text() and "Too many open files" not in t.text()
        del idle


def test_none_is_left_and_an_idle_client_gives_way():
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t, contextlib.ExitStack() as stack:
        host, port = t.address.split(":")
        idle = [stack.enter_context(contextlib.closing(socket.create_connection((host, int(port))))) for _ in range(50)]
        until("they are accepted", lambda: len(os.listdir(f"/proc/{t.p.pid}/fd")) > 50)
        before = resource.prlimit(t.p.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(t.p.pid, resource.RLIMIT_NOFILE, (1 + max(int(n) for n in os.listdir(f"/proc/{t.p.pid}/fd")), before[1]))
        for _ in range(10):
            equal(t.get("/-/healthy", timeout=5).status, 200)
        resource.prlimit(t.p.pid, resource.RLIMIT_NOFILE, before)
        del idle


def test_a_client_that_half_closes_is_answered():
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        host, port = t.address.split(":")
        body = json.dumps([{"labels": {"alertname": "A"}}]).encode()
        c = socket.create_connection((host, int(port)))
        c.sendall(b"POST /api/v2/alerts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        c.shutdown(socket.SHUT_WR)
        assert c.makefile("rb").read().startswith(b"HTTP/1.1 200 ")


main()
