"""--sandbox: what the program gave up at its start, that it still does its work, and that it does without where the kernel cannot."""
import ctypes, struct
from harness import *
from web_config import make_ca, make_cert, tls_get

CONFIG = """route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: 'http://localhost:%d/', http_config: {authorization: {credentials_file: secret}}}]}]
rule_files: ['rules/*.yml']
templates: ['tmpl/*.tmpl']
scrape_configs: [{job_name: j, scrape_interval: 1s, file_sd_configs: [{files: ['sd/*.yml'], refresh_interval: 1s}]}]
"""
RULES = "groups: [{name: g, interval: 1s, rules: [{alert: A, expr: up == 0}]}]\n"


def status(t):
    return dict(line.split(":\t") for line in open(f"/proc/{t.p.pid}/status").read().splitlines() if ":\t" in line)


def threads(t, field):
    out = set()
    for task in os.listdir(f"/proc/{t.p.pid}/task"):
        m = re.search(rf"^{field}:\t(\d+)", open(f"/proc/{t.p.pid}/task/{task}/status").read(), re.M)
        out.add(m.group(1))
    return out


def lay_out(d, port):
    for name in ("rules", "tmpl", "sd", "elsewhere"):
        os.makedirs(f"{d}/etc/{name}", exist_ok=True)
    os.rename(f"{d}/etc/elsewhere", f"{d}/elsewhere")
    write(f"{d}/etc/secret", "one")
    write(f"{d}/etc/rules/a.yml", RULES)
    write(f"{d}/etc/tmpl/a.tmpl", '{{ define "x" }}1{{ end }}')
    write(f"{d}/elsewhere/b.yml", RULES.replace("name: g", "name: elsewhere").replace("alert: A", "alert: B"))
    write(f"{d}/elsewhere/list.yml", "- targets: ['127.0.0.1:2']\n")
    return CONFIG % port


def has_landlock():
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1) > 0


def nice(pid):
    """Threads by name, how nice each is."""
    out = {}
    for i in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{i}/stat") as f:
            name, rest = re.match(r"\d+ \((.*)\) (.*)", f.read()).groups()
        out[name] = int(rest.split()[16])
    return out


def test_the_work_goes_on():
    """Names, secrets that change, new lists, rules, certificates, a Unix socket; reloads; the state on the disk."""
    with folder() as d, Sink() as sink:
        config = lay_out(d, sink.port)
        make_ca(d)
        os.makedirs(f"{d}/tls")
        for name in ("ca.key", "ca.pem"):
            os.rename(f"{d}/{name}", f"{d}/tls/{name}")
        make_cert(f"{d}/tls", "server")
        web = write(f"{d}/web.yml", "tls_server_config: {cert_file: tls/server.pem, key_file: tls/server.key}\n")
        for start in range(2):
            with Tocsin(config, f"{d}/etc", "--web.config.file=" + web, f"--web.listen-address=unix:{d}/sock", storage=f"{d}/var/state") as t:
                equal((status(t)["NoNewPrivs"], threads(t, "Seccomp"), threads(t, "NoNewPrivs")), ("1", {"2"}, {"1"}))
                until("each has its name", lambda: {"page", "rule", "query", "writer"} <= set(nice(t.p.pid)))
                until("queries yield", lambda: {k: v for k, v in nice(t.p.pid).items() if v != 0} == {"query": 10})
                line, = [x for x in t.log if "msg=sandbox" in x]
                assert "system_calls=true" in line and (not has_landlock() or "files=true" in line), line
                seen = sink.count()
                write(f"{d}/etc/sd/new{start}.yml", f"- targets: ['127.0.0.1:{start + 3}']\n")
                until("a new list is found, its target is down, and it is told", lambda: any(
                    f"127.0.0.1:{start + 3}" in str(r.json()) for r in sink.got[seen:]), 15)
                equal(sink.got[-1].headers["authorization"], "Bearer " + ("one", "two")[start])
                write(f"{d}/etc/secret", "two")
                before = tls_get(t, f"{d}/tls")
                make_cert(f"{d}/tls", "server")
                until("the certificate is read again", lambda: (tls_get(t, f"{d}/tls") or before)[1] != before[1])
                write(f"{d}/etc/rules/b.yml", RULES.replace("name: g", "name: h").replace("alert: A", "alert: C"))
                t.p.send_signal(signal.SIGHUP)
                until("a reload finds a new file", lambda: t.text().count("configuration loaded") == 2)
                assert os.path.exists(f"{d}/sock")
                t.stop()
                assert "ermission denied" not in t.text() and "not permitted" not in t.text(), t.text()
                assert not os.path.exists(f"{d}/sock")


def test_what_is_outside_stays_outside():
    if not has_landlock():
        raise Skip("this kernel has no Landlock")
    with folder() as d, Sink() as sink:
        config = lay_out(d, sink.port)
        for flag in ("on", "off"):
            with Tocsin(config, f"{d}/etc", "--sandbox=" + flag, storage=f"{d}/state-{flag}") as t:
                equal(status(t)["Seccomp"], "2" if flag == "on" else "0")
                os.symlink("../../elsewhere/list.yml", f"{d}/etc/sd/link.yml")
                if flag == "on":
                    until("a link out of its folder leads nowhere", lambda: any("link.yml" in x and "ermission denied" in x for x in t.log))
                else:
                    until("it is followed", lambda: "127.0.0.1:2" in t.get("/api/v1/targets").body.decode())
                os.unlink(f"{d}/etc/sd/link.yml")
                for more in (f"rule_files: ['{d}/elsewhere/b.yml']", f"rule_files: ['{d}/elsewhere/b*.yml']", f"templates: ['{d}/elsewhere/*.tmpl']",
                             f"scrape_config_files: ['{d}/elsewhere/c*.yml']",
                             f"global: {{http_config: {{basic_auth: {{username: u, password_file: '{d}/elsewhere/p'}}}}}}"):
                    key = more.split(":")[0]
                    text = "".join(x for x in config.splitlines(True) if not x.startswith(key)) + more + "\n"
                    write(f"{d}/etc/tocsin.yml", text)
                    r = t.post("/-/reload", b"")
                    if flag == "on":
                        assert r.status == 500 and b"outside of the folders that can be read" in r.body, r.body
                    else:
                        equal(r.status, 200, r.body)
                write(f"{d}/etc/tocsin.yml", config)
                equal(t.post("/-/reload", b"").status, 200)
                os.rename(f"{d}/etc/tocsin.yml", f"{d}/elsewhere/tocsin.yml")
                os.symlink("../elsewhere/tocsin.yml", f"{d}/etc/tocsin.yml")
                r = t.post("/-/reload", b"")
                assert r.status == 200 if flag == "off" else b"outside of the folders" in r.body, r.body
                os.unlink(f"{d}/etc/tocsin.yml")
    p = subprocess.run([PROGRAM, "--sandbox=maybe"], capture_output=True, text=True, timeout=10)
    assert p.returncode == 1 and "neither on nor off" in p.stderr, p.stderr


def without(*calls):
    """A filter for this process and its children: these calls are not there."""
    code = struct.pack("HBBI", 0x20, 0, 0, 0)  # the number
    for n in calls:
        code += struct.pack("HBBI", 0x15, 0, 1, n) + struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | 38)  # ENOSYS
    code += struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000)
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code)

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    def install():
        libc.prctl(38, 1, 0, 0, 0)
        libc.prctl(22, 2, ctypes.byref(Program(len(code) // 8, ctypes.addressof(buffer))), 0, 0)

    return install


def test_a_kernel_without():
    if os.uname().machine != "x86_64":
        raise Skip("numbers of x86-64")
    with folder() as d:
        with Tocsin("route: {receiver: r}\nreceivers: [{name: r}]\n", d, preexec_fn=without(444, 445, 446)) as t:
            t.says("files are not confined", "files=false system_calls=true")
            t.alert(alertname="A")
            equal(t.post("/-/reload", b"").status, 200)


if __name__ == "__main__":
    main()
