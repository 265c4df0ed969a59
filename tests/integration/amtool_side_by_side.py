"""Debian's amtool against Debian's Alertmanager and against tocsin: the same commands, the same output. What may differ
is named below, each with its reason."""
import subprocess
from harness import *

CONFIG = """global: {resolve_timeout: 5m}
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  routes:
    - {receiver: gpu, matchers: ['team="gpu"'], continue: true}
    - {receiver: night, matchers: ['severity=~"info|warning"']}
inhibit_rules:
  - {source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [node]}
receivers: [{name: hook}, {name: gpu}, {name: night}]
"""

# Keys that 0.34 shows; Debian's amtool refuses a configuration that has them.
NEWER = {"slack_app_url", "rocketchat_api_url"}

IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?")


def amtool(url, d, *args, stdin=None):
    p = subprocess.run([peer("amtool"), "--alertmanager.url=" + url, "--no-version-check", *args], input=stdin,
                       capture_output=True, text=True, timeout=20, env={"HOME": d, "PATH": "/usr/bin:/bin", "TZ": "UTC"})
    return p.returncode, p.stdout, p.stderr


class Both:
    def __init__(self, d, am, t):
        self.d, self.servers, self.tried, self.different = d, (am.url, t.url), 0, []

    def run(self, *args, stdin=None, ids=(None, None)):
        """The outputs of both, each with the ids that its own silences have put in place of "ID"."""
        self.tried += 1
        return [amtool(url, self.d, *[id if a == "ID" else a for a in args], stdin=stdin)
                for url, id in zip(self.servers, ids)]

    def same(self, *args, plain=lambda s: TIMES.sub("TIME", IDS.sub("ID", s)), tries=1, **kw):
        """tries: amtool counts the failures of an import while its workers still fail, so that the code that it exits with is
        0 at times, whoever refused."""
        for _ in range(tries):
            theirs, ours = [(code, plain(out), plain(re.sub(r"127.0.0.1:\d+", "HOST", err)))
                            for code, out, err in self.run(*args, **kw)]
            if ours == theirs:
                return
        else:
            self.different.append("amtool %s\n  tocsin       %r\n  Alertmanager %r" % (" ".join(args), ours, theirs))


def sorted_json(text):
    """Objects in any order of members, without what the moment decides."""
    def clean(o):
        if isinstance(o, list):
            return [clean(x) for x in o]
        if isinstance(o, dict):
            return {k: "TIME" if k in ("updatedAt", "endsAt", "startsAt") else "ID" if k == "id" else clean(v)
                    for k, v in o.items()}
        return IDS.sub("ID", o) if isinstance(o, str) else o
    return json.dumps(clean(json.loads(text)), sort_keys=True) if text.strip().startswith(("[", "{")) else text


def test_amtool_says_the_same():
    with folder() as d, folder() as e, Alertmanager(CONFIG, e) as am, Tocsin(CONFIG, d) as t:
        b = Both(d, am, t)
        times = ["--start=2026-01-01T00:00:00Z", "--end=2099-01-01T00:00:00Z"]
        # alerts
        b.same("alert", "add", "Slow", "node=a", "severity=warning", "--annotation=summary=it is slow", *times)
        b.same("alert", "add", "alertname=Down", "node=a", "severity=critical", "team=gpu",
               "--generator-url=http://p.example/g", *times)
        b.same("alert", "add", "Ended", "--start=2026-01-01T00:00:00Z", "--end=2026-01-02T00:00:00Z")
        b.same("alert", "add", "node=b", *times)
        b.same("alert", "add", "bad name=x", *times)
        b.same("alert", "add")
        for flags in ([], ["Slow"], ["alertname=Down"], ["node=~a|b"], ["node!=a"], ["--inhibited"], ["--silenced"], ["--active"],
                      ["--unprocessed"], ["--receiver=gpu"], ["--receiver=n.*"], ["--receiver=("], ["node=~("],
                      ["nothing=here"]):
            for form in ("simple", "extended"):
                b.same("-o", form, "alert", "query", *flags)
            b.same("-o", "json", "alert", "query", *flags, plain=sorted_json)
        # silences
        b.same("silence", "add", "alertname=Slow")  # a comment is needed
        b.same("silence", "add", "-c", "none")
        b.same("silence", "add", "alertname=~(", "-c", "bad", "-d", "5h")
        b.same("silence", "add", "alertname=", "-c", "matches the empty value",
               plain=lambda s: TIMES.sub("TIME", s).replace("silence invalid", "invalid silence").replace("matcher set 0: ", ""))  # reworded in 0.28, 0.32
        b.same("silence", "add", "alertname=Slow", "-c", "past", "--start=2020-01-01T00:00:00Z", "--end=2020-01-02T00:00:00Z")
        # (bare words become alertname="...", so "alertname=~(" is a value here; ends apart, or the order is anybody's)
        made = b.run("silence", "add", "alertname=Slow", "node=~a|b", "-a", "me", "-c", "known", *times)
        ids = [IDS.search(out).group(0) for _, out, _ in made]
        b.same("silence", "add", "Down", "-a", "you", "-c", "soon over", "-d", "2h")
        for flags in ([], ["-q"], ["alertname=Slow"], ["Down"], ["--created-by=me"], ["--expired"], ["--within=3h"],
                      ["--expired", "--within=1h"], ["nothing=here"]):
            b.same("silence", "query", *flags)
            b.same("-o", "extended", "silence", "query", *flags)
        b.same("-o", "json", "silence", "query", "alertname=Slow", plain=sorted_json)
        b.same("alert", "query")
        b.same("alert", "query", "--silenced")
        b.same("silence", "update", "-c", "still known", "ID", ids=ids)
        b.same("silence", "update", "--end=2098-01-01T00:00:00Z", "ID", ids=ids)
        b.same("silence", "update", "-d", "3h", "00000000-0000-4000-8000-000000000000")
        b.same("silence", "update", "-d", "3h", "no-uuid")
        b.same("-o", "json", "silence", "query", "--id=ID", ids=ids, plain=sorted_json)
        exported = [out for _, out, _ in b.run("-o", "json", "silence", "query")]
        b.same("silence", "expire", "ID", ids=ids)
        b.same("silence", "expire", "ID", ids=ids)  # ended already: no error
        b.same("silence", "expire")
        b.same("silence", "expire", "no-uuid")
        b.same("silence", "query", "--expired")
        again = json.dumps([{**s, "endsAt": f"209{i}-01-01T00:00:00.000Z"} for i, s in enumerate(json.loads(exported[0]))])
        b.same("silence", "import", "--force", stdin=again)
        b.same("silence", "import", "--force", stdin="[{]")
        b.same("silence", "import", "--force", stdin='[{"comment": "x"}]', tries=5)
        b.same("silence", "query")
        # configuration
        shown = t.get("/api/v2/status").json()["config"]["original"]
        shown = shown if IS_NEWER else re.sub(r"  labels:\n(    .*\n)+", "", shown)
        shown = write(f"{d}/shown.yml", "".join(x for x in shown.splitlines(True) if x.split(":")[0].strip() not in NEWER))
        for args in (["show"], ["test", "team=gpu"], ["test", "team=gpu", "severity=info"], ["test", "x=y"], ["test", "{a=b}"],
                     ["test", "--tree", "team=gpu", "severity=info"],
                     ["test", "--verify.receivers=gpu,night", "team=gpu", "severity=info"],
                     ["test", "--verify.receivers=hook", "team=gpu"]):
            b.tried += 1
            equal(amtool(t.url, d, "config", "routes", *args, "--config.file=" + shown)[:2],
                  amtool(am.url, d, "config", "routes", *args)[:2], f"config routes {args}")
        b.same("check-config", t.config_file)
        b.same("cluster", "show")
        assert not b.different, "\n".join(b.different)
        print(f"  {b.tried} commands, the same output")


# Not compared above, because they must differ.
def test_named_differences():
    with folder() as d, folder() as e, Alertmanager(CONFIG, e) as am, Tocsin(CONFIG, d) as t:
        b = Both(d, am, t)
        # The end of an unknown silence is 404 since 0.26, 500 in Debian's 0.25.
        (_, _, theirs), (_, _, ours) = b.run("silence", "expire", "00000000-0000-4000-8000-000000000000")
        assert ("404" if IS_NEWER else "500") in theirs or "InternalServerError" in theirs, theirs
        assert "404" in ours or "NotFound" in ours, ours
        # 0.34 takes no braces in a filter, 0.25 does; the newer amtool takes them off.
        (theirs, _, _), (ours, _, _) = b.run("alert", "query", "{node=a}")
        equal((theirs, ours), (0, 0 if IS_NEWER else 1))
        # The shown configuration has 0.34's defaults: keys that 0.25 does not know.
        (_, theirs, _), (_, ours, _) = b.run("config", "show")
        lines = [set(x.replace("\\", "").replace('"', "").split(":")[0].strip() for x in out.splitlines())
                 for out in (theirs, ours)]
        missing = lines[0] - lines[1] - {"smtp_tls_config"}  # 0.33 shows it when it is empty, and no empty one elsewhere
        equal(missing, set(), "what Alertmanager shows and tocsin does not")
        print("  shown by tocsin only:", ", ".join(sorted(lines[1] - lines[0])))


main()
