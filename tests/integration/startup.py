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
    for args in (["--no-such-flag"], ["--log.level"], ["no-such-command"], ["--data.retention=soon"], ["--data.retention=3x"]):
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


# What is given beside the usual flags, and whether that starts. HOST is the host's name, which is a pod's.
PEERS_TABLE = [
    (["--cluster.peer=am-1.am:9094"], False),
    (["--cluster.peer=am-1.am:9094", "--cluster.ignore"], True),
    (["--cluster.listen-address=", "--cluster.peer=am-0.am:9094", "--cluster.peer=am-1.am:9094"], True),
    (["--cluster.peer=HOST.am.ns.svc:9094"], True),
    (["--cluster.peer=HOST:9094", "--cluster.peer="], True),
    (["--cluster.peer=HOST-1.am:9094"], False),
    (["--cluster.peer=HOST.am:9094", "--cluster.peer=HOST.am:9095"], False),
    (["--cluster.listen-address=:9099", "--cluster.peer=localhost:9099"], True),
    (["--cluster.listen-address=:9099", "--cluster.peer=localhost:9098"], False),
    (["--cluster.listen-address=[10.0.0.7]:9094", "--cluster.peer=10.0.0.7:9094"], True),
    (["--cluster.listen-address=[fd00::7]:9094", "--cluster.peer=[fd00::7]:9094"], True),
    (["--cluster.listen-address=[fd00::7]:9094", "--cluster.peer=[fd00::8]:9094"], False),
    (["--cluster.advertise-address=192.0.2.1:7000", "--cluster.peer=192.0.2.1:7000"], True),
]


def test_peers():
    """Replicas would send everything several times: another one is refused, if there is a cluster at all."""
    for flags, starts in PEERS_TABLE:
        flags = [f.replace("HOST", socket.gethostname()) for f in flags]
        with folder() as d:
            if starts:
                with Tocsin(GOOD, d, *flags) as t:
                    equal(t.get("/-/ready").status, 200, str(flags))
                continue
            code, text = start(d, GOOD, *flags)
            equal(code, 1, f"exit code of {flags}\n{text}")
            assert "--cluster.ignore" in text and "another replica" in text, text


OPERATOR = ["--config.file=CONFIG", "--storage.path=STORAGE", "--data.retention=RETENTION", "--cluster.listen-address=LISTEN",
            "--web.listen-address=127.0.0.1:0", "--web.external-url=http://alertmanager-main.monitoring:9093", "--web.route-prefix=/",
            "--cluster.label=monitoring/main", "--cluster.peer=HOST.alertmanager-operated:9094", "--cluster.reconnect-timeout=5m",
            "--log.level=info", "--log.format=logfmt", "--dispatch.start-delay=0s", "--silences.max-silences=100",
            "--silences.max-per-silence-bytes=10000", "--web.get-concurrency=4", "--web.timeout=30s"]


def operator_args(d, listen, retention="120h"):
    """The argument list of prometheus-operator, in a folder that stands for the container's root."""
    config = write(os.path.join(d, "alertmanager.env.yaml"), GOOD)
    os.chmod(config, 0o644)
    known = {"STORAGE": os.path.join(d, "alertmanager"), "CONFIG": config, "RETENTION": retention, "LISTEN": listen,
             "HOST": socket.gethostname()}
    args = []
    for a in OPERATOR:
        for k, v in known.items():
            a = a.replace(k, v)
        args.append(a)
    return args


def operator(d, listen, *more, retention="120h"):
    return Process([PROGRAM, *operator_args(d, listen, retention), *more])


def serves(p, seconds=20):
    address = until("tocsin listens", lambda: Tocsin._listening(p), seconds)
    equal(request("GET", f"http://{address}/-/ready").status, 200)
    return "http://" + address


def test_operator_with_one_replica():
    for retention in ("120h", "30d", "2w", "1w2d3h", "1.5h"):
        with folder() as d, operator(d, "", retention=retention) as p:
            url = serves(p)
            equal(request("GET", url + "/api/v2/status").json()["cluster"]["status"], "disabled")
    with folder() as d, operator(d, "[10.1.2.3]:9094") as p:  # forceEnableClusterMode
        serves(p)


def test_operator_with_three_replicas():
    others = [f"--cluster.peer=alertmanager-main-{n}.alertmanager-operated:9094" for n in (1, 2)]
    with folder() as d, operator(d, "[10.1.2.3]:9094", *others) as p:
        equal(p.wait(20), 1, p.text())
        assert "alertmanager-main-1.alertmanager-operated:9094" in p.text() and "--cluster.ignore" in p.text(), p.text()
    with folder() as d, operator(d, "[10.1.2.3]:9094", *others, "--cluster.ignore") as p:
        serves(p)


def test_operator_security_context():
    """runAsUser 1000, fsGroup 2000, readOnlyRootFilesystem: only the volume can be written."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        raise Skip("needs root, for a namespace of mounts")
    with folder() as d:
        os.chmod(d, 0o755)
        volume = os.path.join(d, "alertmanager")
        os.mkdir(volume)
        os.chown(volume, 0, 2000)
        os.chmod(volume, 0o2775)
        binary = shutil.copy(PROGRAM, os.path.join(d, "tocsin"))
        os.chmod(binary, 0o755)
        inside = ("mount --make-rprivate / && mount --bind {v} {v} && mount --bind / / 2>/dev/null; "
                  "mount -o remount,bind,ro / && cd / && exec setpriv --reuid=1000 --regid=1000 --groups=2000 --bounding-set=-all "
                  "--inh-caps=-all --no-new-privs {p} \"$@\"")
        args = operator_args(d, "")
        p = Process(["unshare", "-m", "sh", "-c", inside.format(v=volume, p=binary), "sh", *args], env={"PATH": os.environ["PATH"]})
        with p:
            if "remount" in p.text() or "permission denied" in p.text():
                raise Skip("no mounts here: " + p.text())
            url = serves(p)
            equal(request("POST", url + "/api/v2/alerts", [{"labels": {"alertname": "A"}}]).status, 200)
            equal(len(request("GET", url + "/api/v2/alerts").json()), 1)
        assert os.stat(os.path.join(volume, "state.db")).st_uid == 1000
        assert "level=ERROR" not in p.text() and "level=WARN" not in p.text(), p.text()


def test_further_files():
    """TOCSIN_CONFIG_FILES adds to --config.file, at the start and at a reload, for the other commands, too."""
    with folder() as d:
        one = write(os.path.join(d, "one.yml"), "inhibit_rules: [{source_matchers: [a=first], target_matchers: [b=c]}]\n")
        two = write(os.path.join(d, "two.yml"), "receivers: [{name: r2, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]\n")
        env = {**os.environ, "TOCSIN_CONFIG_FILES": f"{one}::{two}"}
        with Tocsin(GOOD, d, env=env) as t:
            shown = lambda: t.get("/api/v2/status").json()["config"]["original"]
            assert "first" in shown() and "webhook_configs" in shown(), shown()
            write(one, "inhibit_rules: [{source_matchers: [a=second], target_matchers: [b=c]}]\n")
            equal(t.post("/-/reload", b"").status, 200)
            assert "second" in shown(), shown()
            write(one, "inhibit_rules: soon\n")
            r = t.post("/-/reload", b"")
            equal(r.status, 500)
            assert b"one.yml:1" in r.body, r.body
        p = subprocess.run([PROGRAM, "route", "test", "--config.file=" + os.path.join(d, "tocsin.yml"), "a=b"], env=env,
                           capture_output=True, text=True)
        assert "one.yml" in p.stderr, p.stderr + p.stdout


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

def test_what_asks_nobody_loads_no_libcurl():
    """Two thirds of the libraries of a start are those of libcurl: it is loaded by who sends or asks."""
    def libraries(*args):
        p = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=20, env={**os.environ, "LD_DEBUG": "libs"})
        return p.returncode, "calling init: " in p.stderr, "libcurl" in p.stderr

    with folder() as d:
        path = write(os.path.join(d, "rules.yml"), "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]\n")
        equal(libraries("lint", path), (0, True, False), "lint: exit code, its libraries are told, libcurl is one of them")
        equal(libraries("alert", "list", "--url=http://127.0.0.1:1")[1:], (True, True), "what asks a server has it")


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
