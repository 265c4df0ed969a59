"""The command line at a terminal: what is wrong is refused with the right hint, times are said as people say them, and a silence
says what it silences before anybody relies on it."""
from harness import *

CONFIG = """
route: {receiver: slack, group_by: [alertname], routes: [{receiver: gpu, matchers: [team=gpu]}]}
receivers: [{name: slack}, {name: gpu}]
"""


def run(*args, code=0, env=None, stdin=None):
    p = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=20, input=stdin,
                       env={**{k: v for k, v in os.environ.items() if k != "TOCSIN_URL"}, **(env or {})})
    equal(p.returncode, code, f"tocsin {' '.join(args)}: {p.stdout}{p.stderr}")
    return p.stdout, p.stderr


def commands():
    """[("alert", "list"), ("reload",), ...]"""
    lines = run("--help")[0].split("Commands:\n")[1].split("\n\n")[0].splitlines()
    names = [line[2:22].split() if len(line[2:22].strip()) < 20 else line.split()[:2] for line in lines]
    return [tuple(n) for n in names]


def test_help_of_all():
    groups = {c[0] for c in commands() if len(c) == 2}
    assert {"alert", "silence", "explain", "storage"} <= groups, groups
    for group in groups:
        for args in ([group, "--help"], [group, "-h"], ["help", group], ["--help", group], [group, "help"]):
            out, err = run(*args)
            assert f"usage: tocsin {group}" in out and err == "", (args, out, err)
        assert "needs one of its commands" in run(group, code=2)[1]
        first = [c for c in commands() if c[0] == group][0][1]
        out, err = run(group, first[:-1] + "zz", code=2)
        assert f"did you mean '{first}'" in err or "There are" in err, err
    for c in commands():
        assert "usage: tocsin" in run(*c, "--help")[0]
        assert "usage: tocsin" in run("help", *c)[0]
    run("help", "nothing", code=2)


def test_every_word_of_output_is_checked():
    seen = 0
    for c in commands():
        text = run(*c, "--help")[0]
        if "--output" not in text:
            assert "unknown flag" in run(*c, "--output=json", code=2)[1], c
            continue
        seen += 1
        for form in (["-o", "yaml"], ["--output=yaml"], ["--output", "Json"], ["-oyaml"]):
            err = run(*c, *form, code=2)[1]
            assert "--output: '" in err and "is none of" in err, (c, form, err)
    assert seen > 8, seen


def test_hints():
    hints = {("-config.file=x",): "--config.file=x", ("-config.file", "x"): "--config.file", ("alert", "list", "-url=http://x"): "--url=http://x",
             ("silence", "add", "a=b", "-comment", "x"): "--comment", ("lint", "-fail-on=info", "."): "--fail-on=info",
             ("silence", "add", "--coment=x", "a=b"): "--comment", ("alert", "list", "-help"): "--help"}
    for args, hint in hints.items():
        err = run(*args, code=2)[1]
        assert f"did you mean {hint}?" in err, (args, err)
    # a value may look like one
    assert "cannot reach" in run("silence", "add", "a=b", "--comment", "-url", "--url=http://127.0.0.1:1", code=3)[1]


def test_url_of_the_environment():
    with folder() as d, Tocsin(CONFIG, d) as t:
        env = {"TOCSIN_URL": t.url}
        t.alert(alertname="Slow", team="gpu")
        assert "Slow" in run("alert", "list", env=env)[0]
        assert "Slow" in run("explain", "alert", "Slow", env=env)[0]
        equal(run("query", "vector(1)", env=env)[0].split()[-1], "1")
        run("alert", "list", "--url=http://127.0.0.1:1", env=env, code=3)
        run("alert", "list", env={"TOCSIN_URL": "http://127.0.0.1:1"}, code=3)


def test_times():
    with folder() as d, Tocsin(CONFIG, d) as t:
        url = "--url=" + t.url
        zone = {"TZ": "Asia/Shanghai"}
        for end in ("+3h", "3h", "in 3h", time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600 + 3 * 3600)),
                    str(int(time.time()) + 3 * 3600), stamp(3 * 3600)):
            id = run("silence", "add", "--comment=c", "--end=" + end, "a=b", url, env=zone)[0].strip()
            got = [s for s in t.get("/api/v2/silences").json() if s["id"] == id][0]["endsAt"]
            assert abs(time.mktime(time.strptime(got[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - time.time() - 3 * 3600) < 30, (end, got)
        ends = run("silence", "list", url, env=zone)[0].splitlines()[1]
        local = time.strftime("%Y-%m-%dT%H:", time.gmtime(time.time() + 11 * 3600))
        assert "+08:00" in ends and local[:11] in ends, (local, ends)
        run("alert", "add", "Old", "--start=2h ago", "--end=+1h", url)
        equal([round(time.time() - time.mktime(time.strptime(a["startsAt"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone, -2)
               for a in t.alerts()], [7200])
        run("notification", "list", "--since=1h ago", url)
        run("notification", "list", "--since=1h", url)
        for args in (["alert", "add", "X", "--start=yesterdayish"], ["silence", "add", "a=b", "-c", "c", "--end=25:00"],
                     ["notification", "list", "--since=soon"], ["query", "--file=/dev/null", "1", "--time=soon"]):
            assert "is no time" in run(*args, *([] if args[0] == "query" else [url]), code=2)[1]


def test_near_names():
    with folder() as d, Tocsin(CONFIG, d) as t:
        url = "--url=" + t.url
        t.alert(alertname="HighLatency", team="gpu")
        assert "did you mean 'slack'" in run("receiver", "test", "slak", "--config.file=" + t.config_file, code=1)[1]
        for args in (["explain", "receiver", "slak"], ["notification", "list", "--receiver=slak"], ["alert", "list", "--receiver=slak"]):
            assert "did you mean 'slack'" in run(*args, url, code=1)[1], args
        for args, code in ((["explain", "alert", "HighLatenzy"], 1), (["alert", "list", "HighLatenzy"], 0)):
            assert "did you mean 'HighLatency'" in run(*args, url, code=code)[1], args


def test_silences():
    with folder() as d, Tocsin(CONFIG, d) as t:
        url = "--url=" + t.url
        for gpu in "01":
            t.alert(alertname="Slow", team="gpu", gpu=gpu)
        out, err = run("silence", "add", "--dry-run", "Slow", url)
        assert "would silence 2 alerts" in out and '"gpu":"1"' in out, out
        equal(t.get("/api/v2/silences").json(), [])
        id, err = run("silence", "add", "-c", "known", "Slow", "gpu=0", url)
        assert "silences 1 alert" in err and len(id.strip()) == 36, (id, err)
        assert "no alert" in run("silence", "add", "-c", "typo", "Slwo", url)[1]
        new = run("silence", "update", "-d", "3h", "-c", "longer", id.strip(), url)[0].strip()
        s = [s for s in t.get("/api/v2/silences").json() if s["id"] == new][0]
        equal((s["comment"], s["status"]["state"]), ("longer", "active"))
        assert s["endsAt"] > stamp(2.9 * 3600), s
        assert "what changes" in run("silence", "update", new, url, code=2)[1]
        run("silence", "update", "-c", "x", "00000000-0000-4000-8000-000000000000", url, code=1)
        # one value cannot pose as two matchers
        t.post("/api/v2/silences", {"matchers": [{"name": "x", "value": 'a" y="b', "isRegex": False}], "startsAt": stamp(),
                                    "endsAt": stamp(600), "createdBy": "me", "comment": "c"})
        assert 'x="a\\" y=\\"b"' in run("silence", "list", url)[0], run("silence", "list", url)[0]
        listed = run("silence", "list", "-o", "json", url)[0]
        with folder() as d2, Tocsin(CONFIG, d2) as u:
            out, err = run("silence", "import", "--url=" + u.url, stdin=listed)
            equal(len(out.split()), len(json.loads(listed)), err)
            key = lambda s: (json.dumps(s["matchers"]), s["endsAt"], s["comment"], s["createdBy"])
            equal(sorted(map(key, u.get("/api/v2/silences").json())), sorted(map(key, t.get("/api/v2/silences").json())))
            path = write(os.path.join(d2, "s.json"), '[{"comment": "c"}]')
            assert "without" in run("silence", "import", path, "--url=" + u.url, code=1)[1]
            run("silence", "import", os.path.join(d2, "none"), "--url=" + u.url, code=1)


def test_alert_list_filters():
    with folder() as d, Tocsin(CONFIG, d) as t:
        url = "--url=" + t.url
        t.alert(alertname="Slow", team="gpu", annotations={"summary": "it is slow"})
        t.alert(alertname="Down", annotations={"description": "it is down"})
        run("silence", "add", "-c", "c", "Down", url)
        names = lambda *args: sorted(line.split()[1] for line in run("alert", "list", *args, url)[0].splitlines()[1:])
        equal(names(), ["Down", "Slow"])
        equal(names("--state=silenced"), ["Down"])
        equal(names("--state=firing"), ["Slow"])
        equal(names("--no-silenced"), ["Slow"])
        equal(names("--receiver=gpu"), ["Slow"])
        equal(names("--receiver=slack", "--no-silenced"), [])
        text = run("alert", "list", url)[0]
        assert "SUMMARY" in text and "it is slow" in text and "it is down" in text, text
        got = json.loads(run("alert", "list", "-o", "json", "--state=silenced", url)[0])
        equal([a["labels"]["alertname"] for a in got["alerts"]], ["Down"])
        run("alert", "list", "--state=burning", url, code=2)


def test_nothing_is_no_success():
    with folder() as d:
        os.mkdir(os.path.join(d, "empty"))
        assert "neither 'silences' nor 'nflog'" in run("import", "alertmanager", os.path.join(d, "empty"),
                                                       "--storage.path=" + os.path.join(d, "data"), code=1)[1]
        assert "nothing to check" in run("lint", os.path.join(d, "empty"), code=1)[1]
        write(os.path.join(d, "empty", "x.yml"), "groups: []\n")
        run("lint", os.path.join(d, "empty"))


main()
