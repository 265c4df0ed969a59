"""How the program starts, refuses to start, and ends."""
import os, signal, subprocess, time
from harness import *

GOOD = "route: {receiver: r}\nreceivers: [{name: r}]\n"


def run(*args):
    p = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=20)
    return p.returncode, p.stdout + p.stderr


def start(d, text, *flags):
    path = write(os.path.join(d, "tocsin.yml"), text)
    return run("--config.file=" + path, "--storage.path=" + os.path.join(d, "data"),
               "--web.listen-address=127.0.0.1:0", *flags)


def test_bad_config_shows_every_problem():
    with folder() as d:
        code, text = start(d, "route: {receiver: nobody, group_wait: soon}\nreceivers: [{nam: r}]\nroutes: []\n")
        equal(code, 1, "exit code\n" + text)
        for what in ("soon", "nam", "routes", "tocsin.yml:1", "tocsin.yml:2", "tocsin.yml:3"):
            assert what in text, f"{what!r} is not told:\n{text}"


def test_missing_config():
    with folder() as d:
        code, text = run("--config.file=" + os.path.join(d, "none.yml"), "--storage.path=" + d)
        equal(code, 1, "exit code\n" + text)
        assert "none.yml" in text, text


def test_usage():
    for args in (["--no-such-flag"], ["--log.level"], ["no-such-command"], ["--data.retention=soon"]):
        code, text = run(*args)
        equal(code, 2, f"exit code of {args}\n{text}")
        assert args[0].lstrip("-").split("=")[0] in text, text


def test_bad_values_of_flags():
    with folder() as d:
        for flag in ("--log.level=loud", "--enable-feature=teleport", "--enable-feature=classic-mode,utf8-strict-mode",
                     "--web.external-url=ftp://x", "--web.external-url=http://", "--web.external-url=http://h/%zz",
                     "--web.route-prefix=/%zz", "--web.route-prefix=/a%0ab"):
            code, text = start(d, GOOD, flag)
            equal(code, 1, f"exit code of {flag}\n{text}")


def test_cluster_peer_is_refused():
    with folder() as d:
        code, text = start(d, GOOD, "--cluster.peer=127.0.0.1:9094")
        equal(code, 1, "exit code\n" + text)
        assert "--cluster.ignore" in text, text
        with Tocsin(GOOD, d, "--cluster.peer=127.0.0.1:9094", "--cluster.ignore") as t:
            equal(t.get("/-/ready").status, 200)


def test_flags_of_alertmanager():
    with folder() as d:
        with Tocsin(GOOD, d, "--cluster.listen-address=127.0.0.1:0", "--cluster.settle-timeout=0s", "--log.level=debug",
                    "--data.maintenance-interval=1m", "--alerts.gc-interval", "1m", "--web.timeout=0",
                    "--auto-gomemlimit.ratio=0.5", "--dispatch.maintenance-interval=10s", "--web.get-concurrency=4",
                    "--web.route-prefix=/am", "--no-web.systemd-socket") as t:
            equal(t.get("/am/-/healthy").status, 200)
            equal(t.get("/am/api/v2/status").json()["versionInfo"]["version"], "0.34.0")


def test_prefixes_and_urls():
    """However they are written: the API answers below the prefix, / leads there, and links begin with the URL."""
    for flags, path, link in ((["--web.route-prefix=am"], "/am", None), (["--web.route-prefix=am/"], "/am", None),
                              (["--web.route-prefix=//am"], "/am", None), (["--web.route-prefix=/"], "", None),
                              (["--web.route-prefix=/a%20b"], "/a%20b", None), (["--web.route-prefix=/am?x"], "/am", None),
                              (["--web.external-url=http://h/am?x=1"], "/am", "http://h/am"),
                              (["--web.external-url=http://h/am#/alerts"], "/am", "http://h/am"),
                              (["--web.external-url=http://h/a%20b/"], "/a%20b", "http://h/a%20b"),
                              (["--web.external-url=http://h?x=1"], "", "http://h"),
                              (["--web.external-url=HTTP://h//am"], "/am", "http://h/am"),
                              (["--web.external-url=http://h/x", "--web.route-prefix=/"], "", "http://h/x")):
        with folder() as d, Sink() as sink, Tocsin(simple(sink), d, *flags) as t:
            equal(t.get(path + "/-/healthy").status, 200, flags)
            equal(t.get("/").status, 200, flags)  # led to the page
            equal(t.post(path + "/api/v2/alerts", [{"labels": {"alertname": "A"}}]).status, 200, flags)
            equal(t.get(path + "/api/v2/status", headers={"Accept": "text/html"}).status, 406, flags)
            until("told", sink.accepted)
            if link is not None:
                equal(sink.got[0].json()["externalURL"], link, flags)


def test_sigterm_is_prompt():
    with folder() as d, Sink(otherwise=NOTHING) as s, Tocsin(simple(s), d) as t:
        t.alert(alertname="A")
        until("a delivery hangs", s.count)
        with socket.create_connection(("127.0.0.1", int(t.address.split(":")[1]))) as idle:
            idle.sendall(b"GET / HT")
            t.stop()
        assert t.took < 5, f"{t.took:.1f} s"


def test_sigint():
    with folder() as d, Tocsin(GOOD, d) as t:
        t.p.send_signal(signal.SIGINT)
        equal(t.wait(10), 0, "exit code")


def test_second_instance_on_one_storage():
    with folder() as d, Tocsin(GOOD, d) as t:
        code, text = start(d, GOOD)
        equal(code, 1, "exit code\n" + text)
        assert f"in use by pid {t.p.pid}" in text, text
        equal(t.get("/-/healthy").status, 200)


def test_port_in_use():
    with folder() as d, folder() as other, Tocsin(GOOD, d) as t:
        code, text = start(other, GOOD, "--web.listen-address=" + t.address)
        equal(code, 1, "exit code\n" + text)
        assert t.address.split(":")[1] in text, text


def test_version_and_help():
    code, text = run("--version")
    equal(code, 0)
    assert "tocsin" in text, text
    code, text = run("--help")
    equal(code, 0)
    assert "--config.file" in text or "lint" in text, text

def test_service_manager():
    """Type=notify, WatchdogSec=, a reload and a stop as systemd sees them."""
    with folder() as d, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(os.path.join(d, "notify"))
        s.settimeout(20)

        def told(what):
            got = []
            while not any(what in m for m in got):
                got.append(s.recv(4096).decode())
            return got

        env = {**os.environ, "NOTIFY_SOCKET": os.path.join(d, "notify"), "WATCHDOG_USEC": "2000000"}
        with Tocsin(GOOD, d, env=env) as t:
            told("READY=1")
            told("WATCHDOG=1")
            t.p.send_signal(signal.SIGHUP)
            told("RELOADING=1")
            told("READY=1")
            t.stop()
            told("STOPPING=1")


def test_socket_activation():
    with folder() as d, socket.create_server(("127.0.0.1", 0)) as s:
        config = write(os.path.join(d, "tocsin.yml"), GOOD)
        script = 'exec 3<&%d; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"' % s.fileno()
        with Process(["bash", "-c", script, "bash", PROGRAM, "--web.systemd-socket", "--config.file=" + config,
                      "--storage.path=" + d], pass_fds=[s.fileno()]) as p:
            url = f"http://127.0.0.1:{s.getsockname()[1]}/-/healthy"
            equal(request("GET", url).status, 200, "answer on the socket that was passed")
            p.p.terminate()
            equal(p.wait(), 0, "exit code")


main()
