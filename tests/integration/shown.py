"""What is shown to people: no secret of a configuration's line, and nothing of a peer's that a terminal would act on."""
import pty, select
from harness import *

BASE = "route: {receiver: r}\n"
RULES = "groups: [{name: g, rules: [{alert: A, expr: vector(1)}]}]\n"
SECRETS = {  # documents with one mistake each; the mistake, or its line, holds hunter2
    "a bad neighbour": "receivers: [{name: r, slack_configs: [{api_url: 'http://h/T/hunter2', chanel: x}]}]\n",
    "a token's scope": "receivers: [{name: r}]\nweb: {tokens: [{name: n, token: hunter2, scope: all}]}\n",
    "a misspelt key": "receivers: [{name: r}]\nglobal:\n  smtp_auth_pasword: hunter2\n",
    "a forgotten blank": "receivers: [{name: r}]\nglobal: {smtp_auth_password:hunter2}\n",
    "a missing scheme": "receivers:\n  - name: r\n    webhook_configs:\n      - url: hooks/hunter2\n",
    "a wrong type": "receivers: [{name: r, pagerduty_configs: [{routing_key: [hunter2]}]}]\n",
    "a syntax error": "receivers:\n  - name: r\n    pushover_configs:\n      - token: hunter2: x\n",
    "a key in PEM": "receivers: [{name: r}]\nglobal:\n  http_config:\n    tls_config:\n      key: |\n        hunter2\n       \tx: [\n",
    "a second place": "receivers:\n  - {name: r, telegram_configs: [{bot_token: hunter2, chat_id: 1}]}\n  - {name: r, telegram_configs: [{bot_token: hunter2, chat_id: 1}]}\n",
    "twice the same key": "receivers: [{name: r}]\nglobal:\n  slack_app_token: hunter2\n  slack_app_token: hunter2\n",
    "a tag": "receivers: [{name: r}]\nglobal:\n  slack_app_token: !vault hunter2\n",
    "both forms": "receivers: [{name: r, opsgenie_configs: [{api_key: hunter2, api_key_file: x}]}]\n",
    "a user in a URL": "receivers: [{name: r}]\nglobal: {pagerduty_url: 'ftp://me:hunter2@h'}\n",
    "a scalar for a mapping": "receivers: [{name: r}]\nglobal:\n  http_config:\n    basic_auth: hunter2\n",
    "a scalar for a token": "receivers: [{name: r}]\nweb:\n  tokens:\n    - hunter2\n",
    "a source": "receivers: [{name: r}]\nsources: [{name: s, url: 'http://x', authorization: {credentials: hunter2}, tiemout: 1s}]\n",
    "a scrape": "receivers: [{name: r}]\nscrape_configs: [{job_name: j, basic_auth: {username: u, password: hunter2}, scrape_intervall: 1s}]\n",
}


def run(*args, **more):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=20, **more)


def test_an_offending_line_keeps_its_secret():
    with folder() as d:
        for what, text in SECRETS.items():
            path = write(f"{d}/tocsin.yml", BASE + text)
            for form in ("text", "json", "github"):
                p = run("lint", "--output=" + form, path)
                equal(p.returncode, 1, f"{what}: {p.stdout}")
                assert "hunter2" not in p.stdout + p.stderr, f"{what}: {p.stdout}"
            p = run("--config.file=" + path, f"--storage.path={d}/data", "--web.listen-address=127.0.0.1:0")
            assert p.returncode == 1 and "hunter2" not in p.stdout + p.stderr and "tocsin.yml:" in p.stderr, f"{what}: {p.stderr}"
        p = run("lint", "-q", write(f"{d}/tocsin.yml", BASE + SECRETS["a token's scope"]))
        assert "{name: n, token: <secret>, scope: all}" in p.stdout, p.stdout
        line, carets = [p.stdout.splitlines()[i:i + 2] for i, x in enumerate(p.stdout.splitlines()) if "<secret>" in x][0]
        equal(line[carets.index("^"):].split("}")[0], "all", "the carets stay under their words")
        write(f"{d}/web.yml", "basic_auth_users:\n  me: hunter2\n")
        p = run("--config.file=" + write(f"{d}/tocsin.yml", BASE + "receivers: [{name: r}]\n"), f"--storage.path={d}/data",
                f"--web.config.file={d}/web.yml")
        assert p.returncode == 1 and "bcrypt" in p.stderr and "hunter2" not in p.stderr, p.stderr
        p = run("silence", "list", "--http.config.file=" + write(f"{d}/http.yml", "basic_auth: {password: hunter2, usr: x}\n"))
        assert p.returncode == 1 and "unknown key" in p.stderr and "hunter2" not in p.stderr, p.stderr


def test_a_refused_reload_keeps_its_secret():
    with folder() as d, Tocsin(BASE + "receivers: [{name: r}]\n", d) as t:
        for what, text in SECRETS.items():
            write(t.config_file, BASE + text)
            r = t.post("/-/reload", b"")
            equal(r.status, 500, what)
            assert b"hunter2" not in r.body, f"{what}: {r.body}"
        assert "hunter2" not in t.text() and "reload refused" in t.text()
        write(t.config_file, BASE + "receivers: [{name: r}]\n")
        equal(t.post("/-/reload", b"").status, 200)


# Escape sequences, C1 as UTF-8 and as a bare byte, and all that turns the order of reading.
BAD = "\x1b[31m \x9b2J \x85 \x7f \u061c \u200e \u200f \u2028 \u2029 \u202a \u202b \u202c \u202d \u202e \u2066 \u2067 \u2068 \u2069"


def on_terminal(*args):
    """What a command writes when both of its outputs are a terminal."""
    leader, follower = pty.openpty()
    p = subprocess.Popen([PROGRAM, *args], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, env={**os.environ, "NO_COLOR": "1"})
    os.close(follower)
    out = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(leader)
    p.wait(10)
    return out.replace(b"\r\n", b"\n")


def harmless(what, out):
    text = out.decode()  # it must be UTF-8
    found = [c for c in text if c in BAD and c != " " and not c.isalnum() and c not in "["]
    assert not found, f"{what}: {found!r} in {text!r}"
    return text


def test_what_peers_say_does_nothing_to_a_terminal():
    with folder() as d, Tocsin(BASE.replace("}", ", group_by: [alertname], group_wait: 0s}") + "receivers: [{name: r, console_configs: [{}]}]\n", d, "--log.silences") as t:
        t.alert(alertname="A" + BAD, team=BAD, annotations={"summary": BAD})
        until("the console has it", lambda: "FIRING" in t.text())
        r = t.post("/api/v2/silences", {"matchers": [{"name": "alertname", "value": "A" + BAD, "isRegex": False}], "startsAt": stamp(),
                                        "endsAt": stamp(600), "createdBy": BAD, "comment": BAD})
        equal(r.status, 200, r.body)
        silence = r.json()["silenceID"]
        alert = t.alerts()[0]["fingerprint"]
        url = "--url=" + t.url
        for args in (("alert", "list"), ("alert", "list", "--output=json"), ("silence", "list"), ("silence", "list", "--output=json"),
                     ("explain", "alert", alert), ("explain", "alert", alert, "--output=json"), ("explain", "silence", silence),
                     ("explain", "receiver", "r"), ("explain", "route", "alertname=A" + BAD), ("notification", "list"),
                     ("notification", "list", "--output=json"), ("alert", "add", "B" + BAD), ("silence", "list", BAD + "=x"),
                     ("silence", "expire", BAD), ("alert", "list", BAD)):
            out = on_terminal(*args, url)
            text = harmless(args, out)
            if "--output=json" in args:
                assert BAD in json.dumps(json.loads(text), ensure_ascii=False).replace("\\u001b", "\x1b") or args[0] == "notification", args
        p = subprocess.run([PROGRAM, "silence", "list", url], capture_output=True, timeout=20)
        assert b"\\u202e" in p.stdout and b"\\u009b" in p.stdout, p.stdout
        harmless("a page for curl", t.get("/api/v2/explain?format=text&fingerprint=" + alert).body)
        bad = write(f"{d}/bad.yml", f"'route{BAD[8]}\u202e': x\nroute: {{receiver: '{BAD[8]}\u202e'}}\n")
        for args in (("lint", bad), ("lint", "--output=json", bad), ("lint", "--output=github", bad), ("--config.file=" + bad,),
                     ("route", "show", "--config.file=" + bad), ("query", f"x{{a='{BAD}'", "--file=" + bad),
                     ("template", "render", "--template.text=" + BAD, "--template.glob=" + d + "/*.tmpl")):
            harmless(args, on_terminal(*args))
        write(t.config_file, open(bad).read())
        equal(t.post("/-/reload", b"").status, 500)
        harmless("a reload", on_terminal("reload", url))
        t.stop()
        harmless("the log and the console", t.text().encode())


main()
