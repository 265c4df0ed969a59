"""A FIFO, a device or a folder where a configuration names a file is an error, and nobody waits for it; a command's own file may be a pipe."""
from harness import *

CONFIG = "route: {receiver: hook, group_by: [alertname], group_wait: 0s}\nreceivers: [{name: hook%s}]\n%s"


def odd(d):
    """One path of each kind that is no regular file."""
    os.mkfifo(f"{d}/fifo.yml")
    os.mkdir(f"{d}/folder.yml")
    os.symlink("/dev/zero", f"{d}/device.yml")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{d}/socket.yml")
    return [f"{d}/{kind}.yml" for kind in ("fifo", "folder", "device", "socket")], listener


def refused(*args):
    """What it says; it must not wait."""
    p = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=10)
    assert p.returncode in (1, 2), f"{args}: {p.returncode} {p.stderr}"
    return p.stdout + p.stderr


def test_what_a_configuration_names():
    with folder() as d:
        paths, listener = odd(d)
        for path in paths:
            serve = ("--config.file=" + f"{d}/tocsin.yml", f"--storage.path={d}/data", "--web.listen-address=127.0.0.1:0")
            for more in (f"templates: ['{path}']\n", f"rule_files: ['{path}']\n", f"scrape_config_files: ['{path}']\n"):
                write(f"{d}/tocsin.yml", CONFIG % ("", more))
                for said in (refused(*serve), refused("lint", f"{d}/tocsin.yml")):
                    assert os.path.basename(path) in said and ("not a regular file" in said or "No such device" in said), said
            write(f"{d}/tocsin.yml", CONFIG % ("", ""))
            assert os.path.basename(path) in refused(*serve, "--web.config.file=" + path)
            write(f"{d}/web.yml", f"tls_server_config: {{cert_file: '{path}', key_file: '{path}'}}\n")
            assert os.path.basename(path) in refused(*serve, f"--web.config.file={d}/web.yml")
            assert os.path.basename(path) in refused("silence", "list", "--token-file=" + path)
        write(f"{d}/rules.yml", "groups: [{name: g, rules: [{alert: A, exp: x}]}]\n")
        p = subprocess.run([PROGRAM, "lint", d], capture_output=True, text=True, timeout=10)
        assert p.returncode == 1 and "rules.yml:1" in p.stdout, f"the rest of a folder is looked at: {p.stdout}"
        listener.close()


def test_what_is_read_while_it_runs():
    with folder() as d:
        paths, listener = odd(d)
        with Sink() as sink:
            for path in paths:
                hook = f", webhook_configs: [{{url: '{sink.url}', http_config: {{authorization: {{credentials_file: '{path}'}}}}}}]"
                more = (f"rule_files: [up.yml]\nscrape_configs: [{{job_name: j, file_sd_configs: [{{files: ['{path}']}}]}}]\n"
                        f"web: {{tokens: [{{name: t, token_file: '{path}'}}, {{name: root, token: x, scope: admin}}]}}\n")
                with Tocsin(CONFIG % (hook, more), d, storage=f"{d}/data-{os.path.basename(path)}",
                            files={"up.yml": "groups: [{name: g, rules: [{alert: B, expr: up == 0}]}]\n"}) as t:
                    me = {"Authorization": "Bearer x"}
                    equal(t.post("/api/v2/alerts", [{"labels": {"alertname": "A"}}], headers=me).status, 200)
                    name = os.path.basename(path)
                    for what in ("a token cannot be read", "notification attempt failed", "targets could not be looked up"):
                        until(f"{what} of {name} is told", lambda: any(what in x and name in x for x in list(t.log)))
                    equal(t.get("/-/ready", headers=me).status, 200)
            equal(sink.count(), 0)
        listener.close()


def test_a_commands_own_file_may_be_a_pipe():
    def piped(text, *args):
        r, w = os.pipe()
        os.write(w, text.encode())
        os.close(w)
        try:
            return subprocess.run([PROGRAM, *[a.replace("%s", f"/dev/fd/{r}") for a in args]], capture_output=True, text=True, timeout=10, pass_fds=[r])
        finally:
            os.close(r)

    p = piped("groups: [{name: g, rules: [{alert: A, exp: x}]}]\n", "lint", "%s")
    assert p.returncode == 1 and "unknown" in p.stdout, p.stdout + p.stderr
    p = piped("a 7\n", "query", "a", "--file=%s")
    assert p.returncode == 0 and "7" in p.stdout, p.stdout + p.stderr
    p = piped(CONFIG % ("", ""), "route", "show", "--config.file=%s")
    assert p.returncode == 0 and "hook" in p.stdout, p.stdout + p.stderr
    p = piped("basic_auth: {username: u, pass: x}\n", "silence", "list", "--http.config.file=%s")
    assert p.returncode == 1 and "unknown key" in p.stderr, p.stdout + p.stderr


main()
