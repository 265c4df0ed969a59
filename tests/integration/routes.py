"""tocsin route show and test, from files and from a server, over the routing examples of amtool's own tests."""
import subprocess
from harness import *

DATA = os.path.join(os.environ.get("TOCSIN_SHARED", SOURCE + "/../shared"), "conformance/alertmanager/cli-testdata")


def route(*args, code=0):
    p = subprocess.run([PROGRAM, "route", *args], capture_output=True, text=True, timeout=20)
    equal(p.returncode, code, p.stdout + p.stderr)
    return p.stdout + p.stderr


def test_files():
    if not os.path.isdir(DATA):
        raise Skip("no conformance data")
    for file, label, receivers in [("conf.routing.yml", "test=1", "test1"), ("conf.routing.yml", "test=2", "test1,test2"),
                                   ("conf.routing.yml", "test=volovina", "default"),
                                   ("conf.routing-reverted.yml", "test=2", "test2,test1")]:
        route("test", "--config.file", f"{DATA}/{file}", "--verify.receivers", receivers, label)
        route("test", "--config.file", f"{DATA}/{file}", "--verify.receivers", "other", label, code=1)
    assert "braces" in route("test", "--config.file", f"{DATA}/conf.routing.yml", "{foo=bar}", code=2)
    out = route("test", "--config.file", f"{DATA}/conf.routing.yml", "test=1")
    assert 'fails at test="2"' in out and "group {}/{test=~" in out, out
    assert "└── " in route("show", "--config.file", f"{DATA}/conf.routing.yml")


def test_server_and_errors():
    with folder() as d, Tocsin(simple(Sink()), d) as t:
        assert "receiver: hook  group_by: [alertname]" in route("show", "--url", t.url)
        route("test", "--url", t.url, "--verify.receivers", "hook", "a=b")
    with folder() as d:
        assert "tocsin.yml:1" in route("show", "--config.file", write(d + "/tocsin.yml", "route: {x: 1}\n"), code=1)
        assert "no routes" in route("show", "--config.file", write(d + "/tocsin.yml", "rule_files: [none.yml]\n"), code=1)
    route("show", "--url", "http://127.0.0.1:1", code=1)
    route("test", code=2)


main()
