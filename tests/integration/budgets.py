"""Memory of what is under way: bodies that never end, exporters that never end, a line that never ends. What is small goes on
beside them, and the memory stays within what the program may have."""
from harness import *
from scraping import TEXT, answered, config, job, targets

MEMORY = 64 << 20
with open(PROGRAM, "rb") as program:
    code = program.read()
    SANITIZED = b"__asan_init" in code or b"__tsan_init" in code  # it keeps for a while what is freed


def resident(t):
    with open("/proc/%d/statm" % t.p.pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Body:
    """A POST of alerts of which all but the end is sent."""

    def __init__(self, t, length, encoding=None):
        host, port = t.address.rsplit(":", 1)
        self.left = length - 1
        self.s = socket.create_connection((host, int(port)))
        head = "POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head += "Transfer-Encoding: chunked\r\n" if encoding == "chunked" else "Content-Length: %d\r\n" % length
        self.s.sendall(head.encode() + b"\r\n")
        self.chunked = encoding == "chunked"
        self.answer = b""

    def push(self):
        """Sends a piece; False at the end, or when there is an answer."""
        piece = b" " * min(self.left, 64 << 10)
        if not piece or self.answer:
            return False
        try:
            self.s.settimeout(1)
            self.s.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece)
        except OSError:
            self.read()
            return False
        self.left -= len(piece)
        self.s.setblocking(False)
        self.read()
        return not self.answer

    def read(self):
        with contextlib.suppress(OSError):
            self.answer += self.s.recv(65536)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.s.close()


def test_bodies_under_way_have_one_budget():
    with folder() as d, Sink() as sink, Tocsin(simple(sink), d, "--memory.max-bytes=%d" % MEMORY) as t:
        before = resident(t)
        equal(t.metric("tocsin_memory_budget_bytes", **{"class": "request_bodies"}), MEMORY / 8)
        with contextlib.ExitStack() as stack:
            bodies = [stack.enter_context(Body(t, 6 << 20, "chunked" if i % 2 else None)) for i in range(20)]
            going = bodies
            while going:
                going = [b for b in going if b.push()]
                assert SANITIZED or resident(t) - before < MEMORY / 2, resident(t) - before
            time.sleep(0.3)
            for b in bodies:
                b.s.setblocking(False)
                b.read()
            refused = [b for b in bodies if b.answer]
            for b in refused:
                assert b.answer.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: " in b.answer, b.answer
            assert 0 < len(refused) < 20, len(refused)
            # A small one is taken all the same, and its page goes out.
            t.alert(alertname="Small")
            until("the page goes out", lambda: sink.count() == 1)
            assert t.metric("tocsin_memory_budget_used_bytes", **{"class": "request_bodies"}) > 4 << 20
            # Who was still sending may have lost his answer.
            assert len(refused) <= t.metric("tocsin_memory_budget_refused_total", **{"class": "request_bodies"}) < 20
        until("all is given back",
              lambda: t.metric("tocsin_memory_budget_used_bytes", **{"class": "request_bodies"}) == 0)
        equal(t.post("/api/v2/alerts", b"[" + b" " * (6 << 20) + b"]", headers={"Content-Type": "application/json"}).status, 200)
        with Body(t, 9 << 20) as b:  # larger than all may be together
            until("an answer", lambda: b.read() or b.answer)
            assert b.answer.startswith(b"HTTP/1.1 413 "), b.answer


class Endless:
    """An exporter that sends as long as it is listened to. page: what is sent first, and the i-th piece."""

    def __init__(self, first, piece):
        self.first, self.piece, self.is_over = first, piece, False
        self.s = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.s.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.s.accept()
                threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        with contextlib.suppress(OSError), c:
            c.recv(65536)
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: " + TEXT.encode() + b"\r\n\r\n" + self.first)
            i = 0
            while not self.is_over:
                c.sendall(self.piece(i))
                i += 1

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.s.close()


def series(i):
    return b"".join(b"x{n=\"%d\"} 1\n" % n for n in range(i * 5000, i * 5000 + 5000))


def test_scrapes_under_way_have_one_budget():
    with folder() as d, contextlib.ExitStack() as stack, Exporter() as e:
        e.text("/good", "good 1\n")
        endless = [stack.enter_context(Endless(b"", series)) for _ in range(3)]
        line = stack.enter_context(Endless(b"x{n=\"", lambda i: b"y" * (256 << 10)))
        jobs = [job("endless%d" % i, x.address) for i, x in enumerate(endless)]
        jobs += [job("line", line.address), job("good", e.address, "/good")]
        text = config(*jobs, keep="selected", interval="8s") + "rule_files: [rules.yml]\n"
        rules = "groups: [{name: g, rules: [{alert: A, expr: good > 1}]}]\n"
        with Tocsin(text, d, "--memory.max-bytes=%d" % MEMORY, files={"rules.yml": rules}) as t:
            before, most = resident(t), 0
            end = time.monotonic() + 60
            while time.monotonic() < end:
                most = max(most, resident(t))
                now = targets(t)
                if len(now) == 5 and all(x["health"] != "unknown" for x in now.values()):
                    break
                time.sleep(0.1)
            equal({j for j, x in now.items() if x["health"] == "up"}, {"good"}, str(now))
            assert "line 1 is longer than 1048576 bytes" in now["line"]["lastError"], now["line"]
            whys = [now["endless%d" % i]["lastError"] for i in range(3)]
            assert any("take too much memory together (limit %d bytes)" % (MEMORY // 4) in w for w in whys), whys
            assert SANITIZED or most - before < MEMORY, most - before
            for x in [*endless, line]:
                x.is_over = True
                x.s.close()
            until("all is given back", lambda: t.metric("tocsin_memory_budget_used_bytes", **{"class": "scrapes"}) == 0, 30)


if __name__ == "__main__":
    main()
