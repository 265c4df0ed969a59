"""A proxy in front says who somebody is: it is believed when it is trusted, its person signs and is bound by its scope, and nobody
else becomes anybody by a header, however it is spelled."""
import http.client
from harness import *

BASE = "route: {receiver: r}\nreceivers: [{name: r}]\n"


def config(trusted, scope="admin", tokens=""):
    return BASE + f"web: {{proxy_auth: {{user_header: X-Remote-User, groups_header: X-Remote-Groups, trusted: {trusted}, scope: {scope}}}{tokens}}}\n"


def raw(t, head, path="/api/tocsin/whoami", unix=None):
    """A request of exactly these header lines: status and body."""
    if unix:
        s = socket.socket(socket.AF_UNIX)
        s.connect(unix)
    else:
        host, port = t.address.rsplit(":", 1)
        s = socket.create_connection((host, int(port)), timeout=10)
    with s:
        s.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + head + b"\r\n")
        r = http.client.HTTPResponse(s)
        r.begin()
        return r.status, r.read()


def name(answer):
    status, body = answer
    return json.loads(body)["name"] if status == 200 else None


SPELLINGS = [b"X-Remote-User", b"x-remote-user", b"X-REMOTE-USER", b"X_Remote_User", b"X-Remote_User", b"X_Remote-User", b"X.Remote.User", b"X-RemoteUser", b"X-Forwarded-User",
             b"Remote-User"]
VALUES = [b"root", b" root ", b"\troot", b"root, li", b"root\xc3\xa9"]


def spoofs():
    """200 of them: each spelling and value alone, twice, beside another spelling, beside an empty one."""
    for h in SPELLINGS:
        for v in VALUES:
            one = h + b": " + v + b"\r\n"
            yield one
            yield one + one
            yield one + b"X_Remote_User: other\r\n"
            yield b"X-Forwarded-For: 127.0.0.1\r\n" + b"Forwarded: for=127.0.0.1\r\n" + one


def test_who_is_trusted_is_believed():
    with folder() as d, Tocsin(config("['127.0.0.0/8']", "silence"), d) as t:
        who = json.loads(raw(t, b"X-Remote-User: li\r\nX-Remote-Groups: gpu,ops\r\n")[1])
        equal((who["name"], who["scope"], who["groups"], who["may"]), ("li", "silence", "gpu,ops", {"silence": True, "change": False}))
        as_li = {"X-Remote-User": "li"}
        s = {"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": stamp(), "endsAt": stamp(3600), "createdBy": "somebody", "comment": "x"}
        id = t.post("/api/v2/silences", s, headers=as_li).json()["silenceID"]
        made = t.get("/api/v2/silence/" + id).json()
        equal((made["createdBy"], made["annotations"]), ("li", {"createdBy": "somebody"}))
        r = t.post("/-/reload", b"", headers=as_li)
        equal((r.status, 'user "li" may not' in r.json()), (403, True), r.body)
        # it names nobody: as everybody was before; twice: refused; with an underscore: another header
        equal([name(raw(t, h)) for h in (b"", b"X-Remote-User:\r\n", b"X_Remote_User: root\r\n", b"X-Remote-User: li\r\nX_Remote_User: root\r\n")], ["", "", "", "li"])
        for h in (b"X-Remote-User: li\r\nX-Remote-User: root\r\n", b"x-remote-user: root\r\nX-Remote-User: li\r\n"):
            equal(raw(t, h)[0], 401, h)


def test_nobody_else_is():
    assert len(list(spoofs())) == 200
    tokens = ", tokens: [{name: eyes, token: r, scope: read}]"
    with folder() as d, Tocsin(config("['10.0.0.0/8', '::2', unix]", tokens=tokens), d) as t:
        passed = [h for h in spoofs() if raw(t, h)[0] != 401]
        equal(passed, [], "0 of 200")
        equal(name(raw(t, b"Authorization: Bearer r\r\nX-Remote-User: root\r\n")), "eyes", "a token is a token")
    with folder() as d, Tocsin(config("['10.0.0.0/8']"), d) as t:
        equal({name(raw(t, h)) for h in spoofs()}, {""}, "where nobody is asked nobody becomes somebody")


def test_by_a_unix_socket_and_beside_tokens():
    tokens = ", tokens: [{name: eyes, token: r, scope: read}, {name: root, token: a, scope: admin}]"
    with folder() as d, Tocsin(config("[unix]", "read", tokens), d, f"--web.listen-address=unix:{d}/s") as t:
        by = lambda h: raw(t, h, unix=f"{d}/s")
        until("it listens there", lambda: os.path.exists(f"{d}/s"))
        equal((name(by(b"X-Remote-User: li\r\n")), by(b"")[0], raw(t, b"X-Remote-User: li\r\n")[0]), ("li", 401, 401))
        equal(json.loads(by(b"X-Remote-User: li\r\nAuthorization: Bearer a\r\n")[1])["scope"], "admin", "his token goes before")
        equal(raw(t, b"", path="/")[0], 200, "the page asks for a token")


def test_what_cannot_be_is_said():
    for text, why in (("{user_header: X-U}", "trusted"), ("{trusted: ['10.0.0.1']}", "user_header"), ("{user_header: X-U, trusted: ['10.0.0.1/8']}", "behind its prefix"),
                      ("{user_header: X-U, trusted: [localhost]}", "neither an address"), ("{user_header: 'X U', trusted: [unix]}", "no name of a header")):
        with folder() as d:
            path = write(os.path.join(d, "c.yml"), BASE + f"web: {{proxy_auth: {text}}}\n")
            p = subprocess.run([PROGRAM, "lint", path], capture_output=True, text=True, timeout=20)
            assert p.returncode == 1 and why in p.stdout + p.stderr, (text, p.stdout, p.stderr)


main()
