"""The alert log stays about as long as what lives, whatever changes, and a flipped bit in it costs one alert."""
from harness import *

ALERTS, BATCH, TEXT = 1000, 100, 400
START = stamp(0)


def names(n):
    return [f"A{i:04}" for i in range(n)]


def tell(t, round, text=TEXT, alerts=ALERTS):
    """All alerts once, with annotations that no round before had."""
    all = names(alerts)
    for at in range(0, alerts, BATCH):
        body = [{"labels": {"alertname": n}, "endsAt": stamp(3600),
                 "annotations": {"round": str(round), "text": f"{round:04}" + "x" * text}} for n in all[at:at + BATCH]]
        equal(t.post("/api/v2/alerts", body).status, 200)


def log_size(t):
    return os.path.getsize(os.path.join(t.storage, "alerts.log"))


def rounds(t):
    return {a["labels"]["alertname"]: int(a["annotations"]["round"]) for a in t.alerts() if "round" in a["annotations"]}


def test_changing_annotations():
    with folder() as d, Sink() as s:
        config, sizes = simple(s, group_wait="10m"), []
        with Tocsin(config, d) as t:
            for r in range(30):
                tell(t, r)
                sizes.append(log_size(t))
            live = ALERTS * (TEXT + 100)
            assert max(sizes) < 3 * live + (2 << 20), f"the log of {live} live bytes grows: {sizes}"
            assert any(b < a for a, b in zip(sizes, sizes[1:])), sizes
            equal(os.path.exists(os.path.join(t.storage, "alerts.log.damaged")), False)
            t.kill()
        with Tocsin(config, d) as t:
            equal(rounds(t), {n: 29 for n in names(ALERTS)}, "what was told last")
            print(f"{sizes[-1]} bytes after {sum(1 for _ in sizes)} rounds, {max(sizes)} at most")


def post(t, all, text, ends_in=3600):
    for at in range(0, len(all), BATCH):
        equal(t.post("/api/v2/alerts", [{"labels": {"alertname": n}, "startsAt": START, "endsAt": stamp(ends_in),
                                         "annotations": {"text": text}} for n in all[at:at + BATCH]]).status, 200)


def memory(t, what):
    with open(f"/proc/{t.p.pid}/status") as f:
        return int(re.search(what + r":\s+(\d+) kB", f.read())[1]) << 10


def test_a_refresh_writes_nothing():
    """That an alert goes on is no news: it is not written, so that what fires for days costs the disk nothing."""
    with folder() as d, Sink() as s:
        with Tocsin(simple(s, group_wait="10m"), d) as t:
            post(t, names(ALERTS), "x" * TEXT)
            before = log_size(t)
            for r in range(1, 4):
                post(t, names(ALERTS), "x" * TEXT, 3600 + 60 * r)
            equal(log_size(t) - before, 0, "bytes of 3,000 refreshes")
            post(t, names(1), "changed")
            assert log_size(t) > before, "a changed alert is written"


def test_what_comes_once_is_written_once():
    """A log without a record that another replaces is not written anew: not when it came, and not after a start."""
    which = lambda t: os.stat(os.path.join(t.storage, "alerts.log")).st_ino
    with folder() as d, Sink() as s:
        config = simple(s, group_wait="10m")
        with Tocsin(config, d) as t:
            first = which(t)
            post(t, names(5000), "x" * 1000)
            assert log_size(t) > 5 << 20
            time.sleep(0.3)
            equal(which(t), first, "the file")
            t.kill()
        with Tocsin(config, d) as t:
            post(t, names(1), "a commit, at the end of which it would begin")
            time.sleep(0.3)
            equal(which(t), first, "the file after a start")


def test_a_start_needs_no_more_than_it_leaves():
    """What is read back goes where it stays, record by record."""
    with folder() as d, Sink() as s:
        config = simple(s, group_wait="10m")
        with Tocsin(config, d) as t:
            post(t, names(20000), "x" * 200)
            t.kill()
        with Tocsin(config, d) as t:
            peak, stays = memory(t, "VmHWM"), memory(t, "VmRSS")
            print(f"20,000 alerts: {stays >> 20} MB, {peak >> 20} at most")
            assert peak < 1.1 * stays, f"{peak} bytes at most, {stays} stay"


def test_a_flipped_bit():
    """In a log that was written anew, and in what was appended to it since."""
    with folder() as d, Sink() as s:
        config = simple(s, group_wait="10m")
        with Tocsin(config, d) as t:
            for r in range(8):
                tell(t, r)
            size = log_size(t)
            t.kill()
        path = os.path.join(d, "data", "alerts.log")
        for share in [0.001, 0.3, 0.6]:
            shutil.copy(path, path + ".sound")
            with open(path, "r+b") as f:
                f.seek(int(size * share))
                byte = f.read(1)[0]
                f.seek(-1, os.SEEK_CUR)
                f.write(bytes([byte ^ 4]))
            with Tocsin(config, d) as t:
                there = rounds(t)
                assert len(there) >= ALERTS - 1, f"{ALERTS - len(there)} alerts are lost by one bit at {share}"
                assert sum(r != 7 for r in there.values()) <= 1, "old news of more than one alert"
                t.says("is damaged", "alerts.log.damaged")
                t.kill()
            assert os.path.exists(path + ".damaged")
            with Tocsin(config, d) as t:
                assert "is damaged" not in t.text(), "told twice"
                equal(len(rounds(t)), len(there))
                t.kill()
            os.replace(path + ".sound", path)


def test_kills_while_it_is_written_anew():
    """What was answered is there, with the annotations that were answered last."""
    with folder() as d, Sink() as s:
        config, r, answered = simple(s, group_wait="10m"), 0, -1
        for cut in range(6):
            with Tocsin(config, d) as t:
                got = rounds(t)
                if answered >= 0:
                    equal(sorted(got), names(2000), "alerts after a kill")
                    assert min(got.values()) >= answered, f"{answered} was answered, {min(got.values())} is there"

                def send():
                    nonlocal r, answered
                    with contextlib.suppress(OSError):
                        while True:
                            r += 1
                            tell(t, r, alerts=2000)
                            answered = r
                sender = threading.Thread(target=send, daemon=True)
                sender.start()
                until("some rounds", lambda: answered >= 0 and r > 3 * (cut + 1), 30)
                time.sleep(0.05 * cut)
                t.kill()
                sender.join(20)


main()
