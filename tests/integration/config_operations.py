"""Files that change by themselves are loaded once they stand still; a start with refused files runs the last good ones and says so;
a reload can be taken back."""
import stat
from harness import *

CONFIG = "rule_files: [rules/*.yml]\ntemplates: [t/*.tmpl]\nroute: {receiver: %s}\nreceivers: [{name: %s}]\n"
RULES = "groups: [{name: g, interval: 1s, rules: [{alert: %s, expr: vector(1)}]}]\n"
LOOK = "--config.auto-reload-interval=200ms"


def receivers(t):
    return [r["name"] for r in t.get("/api/v2/receivers").json()]


def rules(t):
    return [r["name"] for g in t.get("/api/v1/rules").json()["data"]["groups"] for r in g["rules"]]


def failing(t):
    return "TocsinReloadFailed" in [a["labels"]["alertname"] for a in t.alerts()]


def files(name="a", rule="A"):
    return {"rules/r.yml": RULES % rule, "t/x.tmpl": "{{ define \"x\" }}1{{ end }}"}


@contextlib.contextmanager
def place():
    with folder() as d:
        for sub in ("rules", "t"):
            os.mkdir(os.path.join(d, sub))
        yield d


def replace(path, text):
    os.replace(write(path + ".new", text), path)


def test_changes_are_loaded():
    with place() as d, Tocsin(CONFIG % ("a", "a"), d, LOOK, files=files()) as t:
        until("it runs", lambda: rules(t) == ["A"])
        replace(t.config_file, CONFIG % ("b", "b"))
        until("the configuration is loaded", lambda: receivers(t) == ["b"])
        replace(os.path.join(d, "rules/r.yml"), RULES % "B")
        until("a rule file is", lambda: rules(t) == ["B"])
        write(os.path.join(d, "rules/new.yml"), RULES % "C")
        until("a new file is", lambda: sorted(rules(t)) == ["B", "C"])
        os.remove(os.path.join(d, "rules/new.yml"))
        until("one that is gone, too", lambda: rules(t) == ["B"])
        loads = lambda: t.text().count("files have changed")
        until("each of the four is said", lambda: loads() == 4)
        replace(os.path.join(d, "t/x.tmpl"), "{{ define \"x\" }}2{{ end }}")
        until("a template is", lambda: loads() == 5 and t.text().count("configuration loaded") == 6)  # what follows is read by the next
        # a bad one is refused once, until it changes
        replace(t.config_file, "route: {receiver: nobody}\nreceivers: [{name: b}]\n")
        until("it is refused", lambda: failing(t))
        t.says("reload refused")
        refused = t.text().count("reload refused")
        time.sleep(1)
        equal((t.text().count("reload refused"), receivers(t)), (refused, ["b"]))
        replace(t.config_file, CONFIG % ("c", "c"))
        until("the cure is loaded", lambda: receivers(t) == ["c"] and not failing(t))


def test_what_is_half_written_is_not():
    with place() as d, Tocsin(CONFIG % ("a", "a"), d, "--config.auto-reload-interval=1s", files=files()) as t:
        until("it runs", lambda: rules(t) == ["A"])
        end = time.monotonic() + 4
        n = 0
        while time.monotonic() < end:  # never the same at two looks
            n += 1
            write(t.config_file, (CONFIG % ("b", "b") + f"# {n}\n") if n % 2 else "route: {rec # %d" % n)
            time.sleep(0.05)
        equal((receivers(t), t.text().count("files have changed")), (["a"], 0))
        write(t.config_file, CONFIG % ("b", "b"))
        until("it is loaded at last", lambda: receivers(t) == ["b"])
        assert "reload refused" not in t.text()


def test_links_that_are_swapped():
    """As Kubernetes does with a ConfigMap: files are links into ..data, which is replaced as a whole."""
    with folder() as d:
        def version(n, name):
            v = os.path.join(d, f"..v{n}")
            os.mkdir(v)
            write(os.path.join(v, "tocsin.yml"), CONFIG % (name, name))
            os.symlink(f"..v{n}", os.path.join(d, "..new"))
            os.rename(os.path.join(d, "..new"), os.path.join(d, "..data"))
        version(1, "a")
        os.symlink("..data/tocsin.yml", os.path.join(d, "linked.yml"))

        class Linked(Tocsin):
            def __init__(self):
                Process.__init__(self, [PROGRAM, "--config.file=" + os.path.join(d, "linked.yml"), "--storage.path=" + os.path.join(d, "data"),
                                        "--web.listen-address=127.0.0.1:0", LOOK])
                self.address = until("tocsin listens", self._listening, 20)
                self.url = "http://" + self.address
        with Linked() as t:
            equal(receivers(t), ["a"])
            version(2, "b")
            until("the other folder is loaded", lambda: receivers(t) == ["b"])


def test_a_start_with_refused_files():
    with place() as d:
        keep = os.path.join(d, "kept")
        flag = "--config.keep-last-good=" + keep
        with Tocsin(CONFIG % ("a", "a"), d, flag, files=files()) as t:
            until("it runs", lambda: rules(t) == ["A"])
            path = os.path.join(keep, "last-good")
            until("it is kept", lambda: os.path.exists(path))
            equal((stat.S_IMODE(os.stat(path).st_mode), stat.S_IMODE(os.stat(keep).st_mode)), (0o600, 0o700))
            write(os.path.join(d, "rules/r.yml"), RULES % "Newer")
            equal(t.post("/-/reload", b"").status, 200)
            until("the newer one runs", lambda: rules(t) == ["Newer"])
            until("and is kept", lambda: b"Newer" in open(path, "rb").read())
        bad = [(CONFIG % ("a", "nobody"), RULES % "Bad"), (CONFIG % ("x", "x"), "groups: [{name: g, rules: [{alert: A, expr: 'x('}]}]\n"),
               ("route: [", RULES % "Bad"), ("", RULES % "Bad")]
        for config, rule in bad:
            with Tocsin(config, d, flag, files={"rules/r.yml": rule}) as t:
                until("the last good rules run", lambda: rules(t) == ["Newer"])
                equal(receivers(t), ["a"])
                until("and it is said", lambda: failing(t))
                equal(t.metric("alertmanager_config_last_reload_successful"), 0.0)
                t.says("run instead")
        with Tocsin(CONFIG % ("a", "nobody"), d, flag, LOOK, files=files(rule="Cured")) as t:
            until("it fails", lambda: failing(t))
            write(t.config_file, CONFIG % ("c", "c"))
            until("the cure is loaded by itself", lambda: rules(t) == ["Cured"] and receivers(t) == ["c"] and not failing(t))
        # without the flag, or with what is no set, it does not start
        write(os.path.join(d, "tocsin.yml"), "route: [")
        args = [PROGRAM, "--config.file=" + os.path.join(d, "tocsin.yml"), "--storage.path=" + os.path.join(d, "data"), "--web.listen-address=127.0.0.1:0"]
        equal(subprocess.run(args, capture_output=True, timeout=20).returncode, 1)
        with open(path, "r+b") as f:
            f.seek(40), f.write(b"\xff\xff\xff")
        p = subprocess.run([*args, flag], capture_output=True, text=True, timeout=20)
        assert p.returncode == 1 and "damaged" in p.stderr, p.stderr


def test_rollback():
    with place() as d, Tocsin(CONFIG % ("a", "a"), d, LOOK, files=files()) as t:
        def reload(*args, code=0):
            p = subprocess.run([PROGRAM, "reload", *args, "--url=" + t.url], capture_output=True, text=True, timeout=20)
            equal(p.returncode, code, p.stdout + p.stderr)
            return p.stdout + p.stderr
        assert "no other configuration" in reload("--rollback", code=1)
        write(t.config_file, CONFIG % ("b", "b")), write(os.path.join(d, "rules/r.yml"), RULES % "B")
        reload()
        until("the newer one runs", lambda: rules(t) == ["B"] and receivers(t) == ["b"])
        reload()  # the same again is not what ran before
        reload("--rollback", "--dry-run")
        equal(receivers(t), ["b"])
        assert "runs again" in reload("--rollback")
        until("the older one runs", lambda: rules(t) == ["A"] and receivers(t) == ["a"])
        time.sleep(1)  # five looks: the files are as they were when they were given up
        equal(receivers(t), ["a"])
        reload("--rollback")
        until("and the newer one again", lambda: rules(t) == ["B"])


def test_show_and_diff():
    with place() as d, Tocsin(CONFIG % ("a", "a"), d, files=files()) as t:
        def config(*args, code=0):
            p = subprocess.run([PROGRAM, "config", *args], capture_output=True, text=True, timeout=20)
            equal(p.returncode, code, p.stdout + p.stderr)
            return p.stdout
        url, file = "--url=" + t.url, "--config.file=" + t.config_file
        until("it runs", lambda: rules(t) == ["A"])
        equal(config("show", url), config("show", file))
        assert "group_wait" in config("show", url) or "receiver: a" in config("show", url)
        equal(config("diff", url, file), "")
        write(t.config_file, CONFIG % ("b", "b")), write(os.path.join(d, "rules/r.yml"), RULES.replace("vector(1)", "vector(2)") % "A")
        out = config("diff", url, file, code=1)
        for line in ("-   receiver: a", "+   receiver: b", "- alerting rule A of group g: vector(1)", "+ alerting rule A of group g: vector(2)"):
            assert line + "\n" in out, out
        more = write(os.path.join(d, "more.yml"), "global:\n  smtp_auth_password: hunter2\n  resolve_timeout: 1m\ninhibit_rules:\n- source_matchers: [a=b]\n  equal: [x]\n")
        out = config("show", "--origin", file, "--config.file=" + more)
        rows = {line.split()[0]: line for line in out.splitlines()}
        assert "tocsin.yml:3" in rows["route.receiver"] and "more.yml:3" in rows["global.resolve_timeout"] and "more.yml:5" in rows["inhibit_rules[0].source_matchers"], out
        assert "hunter2" not in out and "<secret>" in rows["global.smtp_auth_password"], out
        config("show", "--origin", url, code=2)
        config("diff", url, code=2)
        config("diff", "--url=http://127.0.0.1:1", file, code=3)


main()
