"""The writer thread alone is stopped: replies say so after five seconds, pages go out from memory, the heartbeat stops."""
import ctypes, os
from harness import *

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17


def writer_of(pid):
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm") as f:
            if f.read().strip() == "writer":
                return int(tid)
    raise AssertionError("there is no thread named writer")


def test_stalled_writer():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    with folder() as d, Sink() as hook, Sink() as switch:
        with Tocsin(simple(hook, more=f"heartbeat: {{url: '{switch.url}', interval: 1s}}\n"), d) as t:
            until("beats", lambda: switch.count() >= 2)
            tid = writer_of(t.p.pid)
            if libc.ptrace(PTRACE_SEIZE, tid, None, None) != 0:
                raise Skip("ptrace is not allowed here")
            libc.ptrace(PTRACE_INTERRUPT, tid, None, None)
            os.waitpid(tid, 0x40000000)  # __WALL: it has stopped
            try:
                started = time.time()
                r = t.post("/api/v2/alerts", [{"labels": {"alertname": "Paged"}}], timeout=20)
                equal(r.status, 503, "answer while the writer is stopped")
                assert 4.5 < time.time() - started < 15, time.time() - started
                until("the page goes out from memory", lambda: any(
                    a["labels"]["alertname"] == "Paged" for x in hook.got for a in x.json()["alerts"]), 10)
                equal(t.metric("tocsin_store_degraded"), 1)
                time.sleep(1.5)
                held = switch.count()
                time.sleep(3)
                equal(switch.count(), held, "heartbeats while the writer is stopped")
            finally:
                libc.ptrace(PTRACE_DETACH, tid, None, None)
            until("healed", lambda: t.metric("tocsin_store_degraded") == 0, 15)
            until("beats again", lambda: switch.count() > held)


main()
