"""Requests that lenient servers accept, and that let a proxy and a server disagree, are refused and end the connection."""
from harness import *

CONFIG = "route: {receiver: r}\nreceivers: [{name: r}]\n"
GET = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

REFUSED = [
    ("empty header name", GET + b": v\r\n\r\n"),
    ("space before the colon", GET + b"A : v\r\n\r\n"),
    ("bare LF lines", GET.replace(b"\r\n", b"\n") + b"\n"),
    ("bare LF after a header", GET + b"A: v\n\r\n"),
    ("missing Host", b"GET /-/healthy HTTP/1.1\r\n\r\n"),
    ("two Hosts", GET + b"Host: y\r\n\r\n"),
    ("two different Content-Length", POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[] "),
    ("list of Content-Length", POST + b"Content-Length: 2, 3\r\n\r\n[] "),
    ("signed Content-Length", POST + b"Content-Length: +2\r\n\r\n[]"),
    ("negative Content-Length", POST + b"Content-Length: -2\r\n\r\n[]"),
    ("hexadecimal Content-Length", POST + b"Content-Length: 0x2\r\n\r\n[]"),
    ("overflowing Content-Length", POST + b"Content-Length: 18446744073709551618\r\n\r\n[]"),
    ("NUL in a header value", GET + b"A: v\0w\r\n\r\n"),
    ("CR in a header value", GET + b"A: v\rB: w\r\n\r\n"),
    ("Content-Length and chunked",
     POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"),
    ("gzip, chunked", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"),
    ("chunked twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunk size that overflows", POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n[]\r\n0\r\n\r\n"),
    ("chunk without its end of line", POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]0\r\n\r\n"),
    ("folded header", GET + b"A: v\r\n  w\r\n\r\n"),
    ("space in the target", b"GET /-/hea lthy HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("version that is none", b"GET / HTTP/9.x\r\nHost: x\r\n\r\n"),
    ("2 MB header", GET + b"A: " + b"v" * 2000000 + b"\r\n\r\n"),
    ("20,000 header fields", GET + b"A: v\r\n" * 20000 + b"\r\n"),
    ("header without an end", GET + b"A: " + b"v" * 200000),
    ("body over the limit", POST + b"Content-Length: 99999999999\r\n\r\n"),
]


def exchange(t, data, seconds=10):
    """What comes back, and whether the server closed the connection."""
    with socket.create_connection(("127.0.0.1", int(t.address.split(":")[1])), timeout=seconds) as s:
        got = b""
        try:
            with contextlib.suppress(ConnectionError):  # it has answered and closed before it had all
                s.sendall(data)
            while True:
                part = s.recv(65536)
                if not part:
                    return got, True
                got += part
        except socket.timeout:
            return got, False
        except ConnectionError:
            return got, True


def test_refused():
    with folder() as d, Tocsin(CONFIG, d) as t:
        wrong = []
        for name, data in REFUSED:
            got, closed = exchange(t, data + GET + b"\r\n")
            code = got[9:12]
            if not code.startswith(b"4") and code not in (b"501", b"505") or got.count(b"\r\nDate: ") != 1 or not closed:
                wrong.append((name, got[:60], "closed" if closed else "still open"))
        assert not wrong, "\n".join(map(str, wrong))
        equal(t.get("/-/healthy").status, 200)


def test_pipelined():
    with folder() as d, Tocsin(CONFIG, d) as t:
        got, closed = exchange(t, (GET + b"\r\n") * 2 + GET + b"Connection: close\r\n\r\n")
        equal(got.count(b"HTTP/1.1 200"), 3, f"answers in {got!r}")
        assert closed


def test_slow_header_is_bounded():
    with folder() as d, Tocsin(CONFIG, d) as t:
        idle = [socket.create_connection(("127.0.0.1", int(t.address.split(":")[1]))) for _ in range(200)]
        for s in idle:
            s.sendall(b"GET /-/hea")
        equal(t.get("/-/healthy", timeout=5).status, 200, "others are served meanwhile")
        for s in idle:
            s.close()


main()
