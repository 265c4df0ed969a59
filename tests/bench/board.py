"""The board's stream at 1,000 changes a second over 20,000 alerts in 5,000 groups: 0, 1, 20 and 200 readers. Prints, judges nothing.
Usage: board.py [SECONDS]; TOCSIN names the program."""
import os, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../integration"))
from harness import *

QUIET = "route: {receiver: r, group_by: [alertname], group_wait: 1h, group_interval: 1h}\nreceivers: [{name: r}]\n"
WINDOW = urllib.parse.quote("limit=50&filter=" + urllib.parse.quote('alertname=~"A[0-9]{1,2}"'), safe="")
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 8


def batch(first, n, **extra):
    return [{"labels": {"alertname": f"A{i // 4}", "i": str(i % 4), "severity": ("critical", "warning", "info")[i % 3], "job": "node", **extra},
             "annotations": {"summary": f"alert {i}"}} for i in range(first, first + n)]


def cpu(t):
    f = open(f"/proc/{t.p.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def read(s):
    try:
        while s.recv(1 << 16):
            pass
    except OSError:
        pass


with folder() as d, Tocsin(QUIET, d) as t:
    for i in range(0, 20000, 2000):
        equal(t.post("/api/v2/alerts", batch(i, 2000), timeout=30).status, 200)
    host, port = t.address.rsplit(":", 1)
    for readers in (0, 1, 20, 200):
        sockets = []
        for _ in range(readers):
            s = socket.create_connection((host, int(port)))
            s.sendall(b"GET /api/tocsin/stream?window=" + WINDOW.encode() + b" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            threading.Thread(target=read, args=(s,), daemon=True).start()
            sockets.append(s)
        until("they follow", lambda: t.metric("tocsin_board_streams") == readers)
        value = lambda: (cpu(t), t.metric("tocsin_board_bytes_total"), t.metric("tocsin_board_frames_total", kind="change") + t.metric("tocsin_board_frames_total", kind="page"))
        before, begun, k = value(), time.monotonic(), 0
        while time.monotonic() - begun < SECONDS:
            next_at = time.monotonic() + 0.25
            # a fifth of them on the page that is followed
            for alert in (b := batch(0, 50) + batch(50 + k * 200 % 19000, 200)):
                alert["annotations"]["summary"] += f" {time.monotonic()}"
            t.post("/api/v2/alerts", b)
            k += 1
            time.sleep(max(0, next_at - time.monotonic()))
        took, after = time.monotonic() - begun, value()
        longest = t.get("/api/tocsin/overview?loop=true").json()["loop"]["longestTurnSeconds"]
        print(f"{readers:4} readers, {k * 250 / took:5.0f} changes a second: {(after[0] - before[0]) / took * 100:5.1f} % of a core, "
              f"{(after[1] - before[1]) / took / 1024:7.1f} KB and {(after[2] - before[2]) / took:6.1f} frames a second to all, longest turn {longest * 1000:.1f} ms", flush=True)
        for s in sockets:
            s.shutdown(socket.SHUT_RDWR)
            s.close()
        until("they have gone", lambda: t.metric("tocsin_board_streams") == 0, 30)
