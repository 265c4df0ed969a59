"""`./dev run`, with stand-ins for the package manager and the compiler: it keeps what it invites to edit, two at once do not share
a folder, it fetches what it runs and no more, and what it cannot fetch it says before the build."""
from harness import *

STUBS = {
    "cmake": 'echo "cmake $*" >>"$STUB_LOG"',
    "dpkg-query": "echo installed",
    "apt-get": 'case "$*" in *download*) for p; do :; done; echo "fetch $p" >>"$STUB_LOG"; [ -z "${NO_NETWORK:-}" ] && touch "$p.deb" ;; *) [ -z "${NO_NETWORK:-}" ] ;; esac',
    "dpkg-deb": 'mkdir -p "$3/usr/bin"; cp "$STUB_EXPORTER" "$3/usr/bin/prometheus-node-exporter"',
    "nproc": "echo 1",
}
EXPORTER = """#!/usr/bin/env python3
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Type", "text/plain"); self.end_headers(); self.wfile.write(b"x 1\\n")
    def log_message(self, *a): pass
host, port = sys.argv[1].split("=")[1].split(":")
http.server.ThreadingHTTPServer((host, int(port)), H).serve_forever()
"""


@contextlib.contextmanager
def project():
    with folder() as d:
        shutil.copy(os.path.join(SOURCE, "dev"), d)
        shutil.copytree(os.path.join(SOURCE, "examples"), os.path.join(d, "examples"))
        os.makedirs(os.path.join(d, "build/release")), os.mkdir(os.path.join(d, "bin"))
        os.symlink(PROGRAM, os.path.join(d, "build/release/tocsin"))
        for name, text in STUBS.items():
            os.chmod(write(os.path.join(d, "bin", name), "#!/bin/sh\n" + text + "\n"), 0o755)
        os.chmod(write(os.path.join(d, "exporter"), EXPORTER), 0o755)
        write(os.path.join(d, "stub.log"), "")
        yield d


def env(d, **more):
    return {**os.environ, "PATH": os.path.join(d, "bin") + ":" + os.environ["PATH"], "STUB_LOG": os.path.join(d, "stub.log"),
            "STUB_EXPORTER": os.path.join(d, "exporter"), **more}


class Run:
    def __init__(self, d):
        self.out = open(os.path.join(d, f"out{time.monotonic_ns()}"), "w+")
        self.p = subprocess.Popen(["./dev", "run"], cwd=d, env=env(d), stdout=self.out, stderr=self.out, start_new_session=True)
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise

    def begin(self):
        banner = until("the banner", lambda: re.search(r"http://(\S+)/ .*http://(\S+)/metrics\)\n.*configuration(.*) (\S+)/tocsin.yml", self.text())
                       or (self.p.poll() is not None and self.text()), 30)
        assert not isinstance(banner, str), banner
        self.listen, self.node, self.kept, self.dir = banner.groups()
        until("it serves", self.serves, 20)

    def serves(self):
        try:
            return request("GET", f"http://{self.listen}/-/healthy").status == 200
        except OSError:
            return False

    def text(self):
        with open(self.out.name) as f:
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.p.terminate()
        try:
            self.p.wait(15)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.p.pid, signal.SIGKILL)
        self.out.close()


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


def test_what_was_edited_stays():
    with project() as d:
        with Run(d) as a:
            equal((a.dir, a.kept), ("build/run", ""))
            config, rules = os.path.join(d, a.dir, "tocsin.yml"), os.path.join(d, a.dir, "quickstart.rules.yml")
            assert a.node in read(config)
            for path in (config, rules):
                write(path, read(path) + "# mine\n")
            with Run(d) as b:
                assert b.dir != a.dir and b.listen != a.listen and b.node != a.node, (a.dir, b.dir)
                assert "# mine" not in read(d, b.dir, "tocsin.yml")
                assert a.serves() and b.serves()
        with Run(d) as c:
            assert c.dir == "build/run" and "kept" in c.kept, (c.dir, c.kept)
            assert read(config).endswith("# mine\n") and read(rules).endswith("# mine\n")
            assert c.node in read(config), read(config)
        fetched = [line for line in read(d, "stub.log").splitlines() if line.startswith("fetch")]
        equal(fetched, ["fetch prometheus-node-exporter"])


def test_without_network():
    with project() as d:
        p = subprocess.run(["./dev", "run"], cwd=d, env=env(d, NO_NETWORK="1"), capture_output=True, text=True, timeout=30)
        assert p.returncode != 0 and "no network" in p.stderr, p.stderr
        assert "cmake" not in read(d, "stub.log"), read(d, "stub.log")


main()
