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


def test_a_client_that_half_closes_is_answered():
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d) as t:
        host, port = t.address.split(":")
        body = json.dumps([{"labels": {"alertname": "A"}}]).encode()
        c = socket.create_connection((host, int(port)))
        c.sendall(b"POST /api/v2/alerts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        c.shutdown(socket.SHUT_WR)
        assert c.makefile("rb").read().startswith(b"HTTP/1.1 200 ")


main()
