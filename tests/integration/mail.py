"""Mail to aiosmtpd: text and HTML, Chinese, one refused recipient of three, retries and refusals, nothing injected, TLS in both
ways, all three logins. Mail to a relay of our own, which offers and refuses as told: no two receivers share a connection, logins
as Alertmanager picks them, the server's words."""
import base64, hashlib, hmac, ssl
from harness import *

def config(smarthost, to="a@x.example, b@y.example, c@z.example", more=""):
    return f"""
global: {{smtp_smarthost: '{smarthost}', smtp_from: 'Tocsin <alerts@tocsin.example>', smtp_require_tls: false}}
route: {{receiver: mail, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: mail
    email_configs:
      - to: '{to}'
        send_resolved: true
        text: '{{{{ range .Alerts }}}}{{{{ .Annotations.summary }}}} on {{{{ .Labels.gpu }}}}{{{{ end }}}}'
{more}
"""


def test_one_refused_of_three():
    box = Mailbox({"b@y.example": "550 no such user here"})
    with folder() as d, MailServer(box) as smtp:
        with Tocsin(config(smtp), d) as t:
            t.alert(alertname="显存不足", gpu="七", annotations={"summary": "显存使用率超过 95%"})
            until("the mail", lambda: box.mails)
            until("the refusal is logged", lambda: "b@y.example" in t.text() and "550" in t.text())
            equal(t.metric("alertmanager_notifications_total", integration="email"), 1)
            time.sleep(2.5)
            equal(len(box.mails), 1, "mails: a refused recipient is no reason to send again")
        to, m, _ = box.mails[0]
        equal(to, ["a@x.example", "c@z.example"])
        assert "显存不足" in m["Subject"], m["Subject"]
        equal(m["From"], '"Tocsin" <alerts@tocsin.example>' if '"' in m["From"] else "Tocsin <alerts@tocsin.example>")
        equal(m["To"], "a@x.example, b@y.example, c@z.example")
        parts = [p.get_content_type() for p in m.iter_parts()]
        equal(parts, ["text/plain", "text/html"])
        equal(m.get_body(("plain",)).get_content().strip(), "显存使用率超过 95% on 七")
        assert "显存使用率" in m.get_body(("html",)).get_content()
        assert m["Message-Id"] and m["Date"] and m["MIME-Version"] == "1.0"


def test_one_of_three_for_now():
    """4yz for one: he gets it later, and nobody gets it twice; 550 meanwhile is final; not over a restart either."""
    for restarts in (False, True):
        answers = {"b@y.example": "450 try again later", "c@z.example": "550 no such user here"}
        box = Mailbox(answers)
        with folder() as d, MailServer(box) as smtp:
            with Tocsin(config(smtp), d) as t:
                t.alert(alertname="A", gpu="7", annotations={"summary": "hot"})
                until("the mail", lambda: box.mails)
                until("the refusal is logged", lambda: "b@y.example: 450" in t.text() and "c@z.example: 550" in t.text())
                equal([to for to, _, _ in box.mails], [["a@x.example"]])
                if not restarts:
                    del answers["b@y.example"]
                    until("the second mail", lambda: len(box.mails) == 2)
                    until("delivered", lambda: t.metric("alertmanager_notifications_total", integration="email") >= 1)
            if restarts:
                del answers["b@y.example"]
                with Tocsin(config(smtp), d) as t:
                    until("the second mail", lambda: len(box.mails) == 2)
        equal([to for to, _, _ in box.mails], [["a@x.example"], ["b@y.example"]])
        equal(box.mails[0][1]["To"], box.mails[1][1]["To"])
        assert restarts or box.mails[0][1]["Message-Id"] == box.mails[1][1]["Message-Id"], "another Message-Id"


def test_nothing_is_injected():
    box = Mailbox()
    evil = "x\r\nBcc: evil@e.example\r\n\r\n<script>alert(1)</script>"
    with folder() as d, MailServer(box) as smtp:
        with Tocsin(config(smtp, "a@x.example"), d) as t:
            t.alert(alertname=evil, gpu="<b>", annotations={"summary": evil})
            until("the mail", lambda: box.mails)
        to, m, _ = box.mails[0]
        equal(to, ["a@x.example"])
        assert "Bcc" not in m, m.as_string()
        html = m.get_body(("html",)).get_content()
        assert "<script>alert" not in html and "&lt;script&gt;" in html, html


def test_later_and_never():
    box = Mailbox(data=["451 try again later", "250 taken", "554 go away"])
    with folder() as d, MailServer(box) as smtp:
        with Tocsin(config(smtp, "a@x.example"), d) as t:
            t.alert(alertname="A", gpu="1")
            until("the second attempt", lambda: len(box.mails) == 1)
            t.alert(alertname="B", gpu="1")
            until("the refusal is counted", lambda: t.metric(
                "alertmanager_notifications_failed_total", integration="email", reason="clientError") == 1)


def test_login():
    box = Mailbox()
    with folder() as d, MailServer(box, {"me": "secret word"}) as smtp:
        more = "        auth_username: me\n        auth_password: 'secret word'\n"
        with Tocsin(config(smtp, "a@x.example", more), d) as t:
            t.alert(alertname="A", gpu="1")
            until("the mail", lambda: box.mails)
            assert "secret word" not in t.text()
        equal(box.mails[0][2], "LOGIN")  # aiosmtpd offers LOGIN PLAIN


def test_thread():
    box = Mailbox()
    with folder() as d, MailServer(box) as smtp:
        more = "        threading: {enabled: true, thread_by_date: none}\n"
        with Tocsin(config(smtp, "a@x.example", more), d) as t:
            t.alert(alertname="A", gpu="1")
            until("firing", lambda: len(box.mails) == 1)
            t.alert(alertname="A", gpu="1", ends=-1)
            until("resolved", lambda: len(box.mails) == 2, 15)
        first, second = box.mails[0][1], box.mails[1][1]
        equal(first["References"], second["References"])
        assert first["In-Reply-To"].startswith("<alert-") and first["Message-Id"] != second["Message-Id"]
        assert "FIRING" in first["Subject"] and "RESOLVED" in second["Subject"]


def secure(smtp, cert):
    return config(smtp, "a@x.example", f"        tls_config: {{ca_file: '{cert}'}}\n").replace("smtp_require_tls: false", "smtp_require_tls: true")


def test_starttls():
    box = Mailbox()
    with folder() as d:
        cert, context = certificate(d)
        with MailServer(box, tls_context=context, require_starttls=True) as smtp, Tocsin(secure(smtp, cert), d) as t:
            t.alert(alertname="A", gpu="1")
            until("the mail", lambda: box.mails)
            assert box.sessions[0].ssl is not None


def test_starttls_is_missing():
    """Somebody on the way took it out of the greeting: no mail goes out in clear."""
    box = Mailbox()
    with folder() as d, MailServer(box) as smtp, Tocsin(secure(smtp, certificate(d)[0]), d) as t:
        t.alert(alertname="A", gpu="1")
        until("the failure", lambda: t.metric("alertmanager_notification_requests_failed_total", integration="email"))
        equal(box.mails, [])
        until("the reason is told", lambda: f"mail server '{smtp}': the server offers no STARTTLS, and require_tls is set" in t.text())


def test_implicit_tls():
    box = Mailbox()
    with folder() as d:
        cert, context = certificate(d)
        with MailServer(box, ssl_context=context) as smtp:
            more = f"        force_implicit_tls: true\n        tls_config: {{ca_file: '{cert}'}}\n"
            with Tocsin(config(smtp, "a@x.example", more), d) as t:
                t.alert(alertname="A", gpu="1")
                until("the mail", lambda: box.mails)


class Cram(Mailbox):
    async def auth_CRAM__MD5(self, server, args):
        from aiosmtpd.smtp import AuthResult
        said = await server.challenge_auth("<1.2@mx.example>")
        user, digest = said.decode().rsplit(" ", 1)
        ok = user == "me" and digest == hmac.new(b"secret word", b"<1.2@mx.example>", hashlib.md5).hexdigest()
        server.session.login = "CRAM-MD5" if ok else None
        return AuthResult(success=ok, handled=False)


def test_other_logins():
    for box, key, more in ((Mailbox(), "auth_password", {"auth_exclude_mechanism": ["PLAIN"]}), (Cram(), "auth_secret", {})):
        with folder() as d, MailServer(box, {"me": "secret word"}, **more) as smtp:
            with Tocsin(config(smtp, "a@x.example", f"        auth_username: me\n        {key}: 'secret word'\n"), d) as t:
                t.alert(alertname="A", gpu="1")
                until("the mail", lambda: box.mails)
        equal(box.mails[0][2], "LOGIN" if key == "auth_password" else "CRAM-MD5")


class Relay(Listener):
    """A mail server. offers: mechanisms, None: AUTH is not offered. context: TLS by STARTTLS, or from the first byte. replies: first
    word of a command ("." for the end of a mail) -> reply, or a function that gives it. mails: (is TLS, login, first recipient)."""

    def __init__(self, offers=None, context=None, implicit=False, replies=None, host="127.0.0.1"):
        self.offers, self.context, self.implicit, self.replies = offers, context, implicit, replies or {}
        self.mails, self.commands = [], []
        self.listen(host)
        self.address = "%s:%d" % self.s.getsockname()

    def _serve(self, c):
        try:
            c.settimeout(30)
            if self.implicit:
                c = self.context.wrap_socket(c, server_side=True)
            self._talk(c)
        except (OSError, ValueError, AssertionError):
            pass
        finally:
            c.close()

    def _talk(self, c):
        f, tls, login, to = c.makefile("rb"), self.implicit, None, None
        say = lambda text: c.sendall(text.encode() + b"\r\n")

        def ask(text):
            say(text)
            return base64.b64decode(f.readline()).decode()

        say("220 mx.example")
        while True:
            line = f.readline().decode().strip()
            if not line:
                return
            word = line.split(None, 1)[0].upper()
            self.commands.append(word)
            reply = self.replies.get(word)
            reply = reply() if callable(reply) else reply
            if reply is not None:
                say(reply)
            elif word == "EHLO":
                say("250-mx.example")
                if self.context is not None and not tls:
                    say("250-STARTTLS")
                if self.offers is not None:
                    say("250-AUTH " + self.offers)
                say("250 8BITMIME")
            elif word == "STARTTLS":
                say("220 go on")
                c = self.context.wrap_socket(c, server_side=True)
                f, tls = c.makefile("rb"), True
            elif word == "AUTH":
                login, rest = (line.split() + [None])[1], line.split()[2:]
                if login == "PLAIN":
                    said = base64.b64decode(rest[0]).decode() if rest else ask("334 ")
                    login = "PLAIN " + said.split("\0", 1)[1].replace("\0", ":")
                elif login == "LOGIN":
                    user = base64.b64decode(rest[0]).decode() if rest else ask("334 VXNlcm5hbWU6")
                    login = f"LOGIN {user}:" + ask("334 UGFzc3dvcmQ6")
                elif login == "CRAM-MD5":
                    user, digest = ask("334 " + base64.b64encode(b"<1@mx>").decode()).split()
                    good = hmac.new(b"hush key", b"<1@mx>", hashlib.md5).hexdigest() == digest
                    login = f"CRAM-MD5 {user}:" + ("hush key" if good else "?")
                say("235 come in")
            elif word == "RCPT":
                to = to or line.split("<")[1].split(">")[0]
                say("250 fine")
            elif word == "DATA":
                say("354 go on")
                while f.readline() != b".\r\n":
                    pass
                reply = self.replies.get(".", "250 taken")
                reply = reply() if callable(reply) else reply
                if reply.startswith("2"):
                    self.mails.append((tls, login, to))
                say(reply)
                to = None
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 fine")

    def to(self, recipient):
        return [m for m in self.mails if m[2] == recipient]

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.s.close()


def relayed(receivers):
    """receivers: name -> keys of its email_config. An alert r="name" goes there."""
    routes = "".join(f"    - {{receiver: {n}, matchers: ['r=\"{n}\"']}}\n" for n in receivers)
    return ("global: {smtp_from: a@t.example, smtp_hello: t.example}\n"
            "route:\n  receiver: none\n  group_by: [r, alertname]\n  group_wait: 0s\n  group_interval: 5m\n  repeat_interval: 1h\n"
            f"  routes:\n{routes}receivers:\n  - name: none\n" +
            "".join(f"  - name: {n}\n    email_configs: [{{to: {n}@x.example, {keys}}}]\n" for n, keys in receivers.items()))


def told(t, relay, name, sent):
    """Fires at the receiver; whether a mail came through, and how."""
    before = len(relay.to(name + "@x.example"))
    t.alert(alertname=f"A{time.monotonic_ns()}", r=name)
    until(f"{name}: {'a mail' if sent else 'a failure'}",
          lambda: len(relay.to(name + "@x.example")) > before if sent else {"retry", "failed"} & set(became(t, name)))
    equal(len(relay.to(name + "@x.example")), before + sent, f"mails to {name}")
    return relay.to(name + "@x.example")[-1][0] if sent else None


CLEAR, TLS, REFUSED = False, True, None


def test_no_pair_shares_a_connection():
    """Each pair in one run, the first just before the second, to one relay."""
    with folder() as d:
        cert, context = certificate(d)
        os.mkdir(d + "/other")
        other, _ = certificate(d + "/other")
        names, more = "127.0.0.1", f"tls_config: {{ca_file: '{cert}'"
        clear = ("require_tls: false", CLEAR)
        tls = (f"require_tls: true, {more}}}", TLS)
        skips = ("require_tls: true, tls_config: {insecure_skip_verify: true}", TLS)
        verifies = ("require_tls: true", REFUSED)
        wrong_ca = (f"require_tls: true, tls_config: {{ca_file: '{other}'}}", REFUSED)
        wrong_name = (f"require_tls: true, {more}, server_name: other.example}}", REFUSED)
        too_new = (f"require_tls: true, {more}, min_version: TLS13}}", REFUSED)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        pairs = [(clear, tls), (tls, clear), (skips, verifies), (skips, wrong_ca), (tls, wrong_ca), (tls, wrong_name), (skips, tls),
                 (tls, too_new), (clear, verifies)]
        for implicit in (False, True):
            with Relay(context=context, implicit=implicit) as relay:
                receivers, wanted = {}, {}
                for i, pair in enumerate(pairs):
                    if implicit and clear in pair:
                        continue
                    for (keys, how), who in zip(pair, "ab"):
                        receivers[f"{who}{i}"], wanted[f"{who}{i}"] = f"{keys}, smarthost: '{relay.address}', force_implicit_tls: {str(implicit).lower()}", how
                with Tocsin(relayed(receivers), d) as t:
                    for name, how in wanted.items():
                        equal(told(t, relay, name, how is not REFUSED), how, f"{name}: {receivers[name]}")


def test_no_connection_survives_a_reload():
    with folder() as d:
        cert, context = certificate(d)
        with Relay(context=context) as relay:
            keys = lambda k: relayed({"a": f"smarthost: '{relay.address}', {k}"})
            with Tocsin(keys("require_tls: false"), d) as t:
                equal(told(t, relay, "a", True), CLEAR)
                for k, how in (("require_tls: true, tls_config: {insecure_skip_verify: true}", TLS), ("require_tls: true", REFUSED)):
                    write(t.config_file, keys(k))
                    equal(t.post("/-/reload", b"").status, 200)
                    equal(told(t, relay, "a", how is not REFUSED), how, k)


def test_server_name():
    """The certificate's name is not the address that is connected to."""
    with folder() as d:
        cert, context = certificate(d, "mx.example", "DNS:mx.example")
        for implicit in (False, True):
            with Relay(context=context, implicit=implicit) as relay:
                keys = lambda name: (f"smarthost: '{relay.address}', force_implicit_tls: {str(implicit).lower()}, require_tls: true, "
                                     f"tls_config: {{ca_file: '{cert}'{name}}}")
                with Tocsin(relayed({"named": keys(", server_name: mx.example"), "unnamed": keys(""),
                                     "other": keys(", server_name: my.example")}), d) as t:
                    equal(told(t, relay, "named", True), TLS)
                    told(t, relay, "unnamed", False)
                    told(t, relay, "other", False)


PASSWORD, SECRET = "auth_password: 'hush word'", "auth_secret: 'hush key'"
PLAIN, LOGIN, CRAM = "PLAIN me:hush word", "LOGIN me:hush word", "CRAM-MD5 me:hush key"
LOGINS = [  # what the server offers, what we have, is it this host, what we say; REFUSED: no mail
    (None, PASSWORD, False, None),
    (None, f"{PASSWORD}, {SECRET}", False, None),
    ("PLAIN", PASSWORD, True, PLAIN),
    ("LOGIN", PASSWORD, True, LOGIN),
    ("PLAIN LOGIN", PASSWORD, True, PLAIN),
    ("LOGIN PLAIN", PASSWORD, True, LOGIN),
    ("GSSAPI NTLM LOGIN", PASSWORD, True, LOGIN),
    ("LOGIN", PASSWORD, False, LOGIN),
    ("LOGIN PLAIN", PASSWORD, False, LOGIN),
    ("PLAIN LOGIN", PASSWORD, False, REFUSED),
    ("PLAIN", PASSWORD, False, REFUSED),
    ("CRAM-MD5", SECRET, False, CRAM),
    ("CRAM-MD5 PLAIN LOGIN", PASSWORD, True, PLAIN),
    ("CRAM-MD5 LOGIN", f"{PASSWORD}, {SECRET}", False, CRAM),
    ("LOGIN CRAM-MD5", f"{PASSWORD}, {SECRET}", False, LOGIN),
    ("PLAIN LOGIN", f"{PASSWORD}, {SECRET}", True, PLAIN),
    ("PLAIN LOGIN", SECRET, True, REFUSED),
    ("GSSAPI NTLM", PASSWORD, True, REFUSED),
    ("PLAIN", f"{PASSWORD}, auth_identity: us", True, PLAIN),
]


def logins(start):
    """Of each row: what was said, and whether a mail came."""
    with contextlib.ExitStack() as stack:
        relays = [stack.enter_context(Relay(offers, host="127.0.0.1" if here else "127.0.0.2")) for offers, _, here, _ in LOGINS]
        receivers = {f"r{i}": f"smarthost: '{relay.address}', require_tls: false, auth_username: me, {keys}"
                     for i, (relay, (_, keys, _, _)) in enumerate(zip(relays, LOGINS))}
        return start(relayed(receivers), relays)


def is_refused(i):
    return LOGINS[i][3] is None and LOGINS[i][0] is not None


def test_logins():
    def start(config, relays):
        with folder() as d, Tocsin(config, d) as t:
            # the others would be told of those that refuse
            r = t.post("/api/v2/silences", {"matchers": [{"name": "alertname", "value": "TocsinReceiverFailing", "isRegex": False}],
                                            "startsAt": stamp(), "endsAt": stamp(3600), "createdBy": "test", "comment": "-"})
            equal(r.status, 200, r.body)
            for name in range(len(relays)):
                for alert in "AB":
                    t.alert(alertname=alert, r=f"r{name}")
            until("mails", lambda: all(is_refused(i) or len(r.mails) == 2 for i, r in enumerate(relays)))
            for i, r in enumerate(relays):
                if is_refused(i):
                    until(f"the refusal of {LOGINS[i]} is final", lambda: became(t, f"r{i}") == ["failed"] * 2)
            assert "hush" not in t.text()
            t.says("without TLS the password goes out in clear by LOGIN")
        return [r.mails for r in relays]

    for row, mails in zip(LOGINS, logins(start)):
        equal(sorted({m[1] or "" for m in mails}), [] if row[3] is None and row[0] else [row[3] or ""], row)


def test_logins_are_those_of_alertmanager():
    def start(config, relays):
        with folder() as d, Alertmanager(config, d) as am:
            alerts = [{"labels": {"alertname": "A", "r": f"r{i}"}} for i in range(len(relays))]
            equal(request("POST", am.url + "/api/v2/alerts", alerts).status, 200)
            until("mails", lambda: all(is_refused(i) or r.mails for i, r in enumerate(relays)))
            time.sleep(1)
        return [r.mails for r in relays]

    for row, mails in zip(LOGINS, logins(start)):
        equal(sorted({m[1] or "" for m in mails}), [] if row[3] is None and row[0] else [row[3] or ""], row)


def test_a_login_that_changes():
    """The server offers another one than the last time, and a wrong password is final."""
    with folder() as d, Relay("LOGIN") as relay:
        with Tocsin(relayed({"a": f"smarthost: '{relay.address}', require_tls: false, auth_username: me, {PASSWORD}"}), d) as t:
            for offers in ("LOGIN", "LOGIN", "PLAIN", None, "LOGIN"):
                relay.offers = offers
                told(t, relay, "a", True)
                equal((relay.mails[-1][1] or "None").split()[0], offers or "None")
            equal(relay.commands.count("EHLO"), 8)  # asked once, and again after each change but that to nothing
            relay.replies["AUTH"] = "535 5.7.8 who are you"
            told(t, relay, "a", False)
            until("the reason", lambda: "answered: 535 5.7.8 who are you" in t.text())


def test_the_servers_words():
    """Whatever it refuses, its own line is shown and judges: 4yz for now, 5yz for good."""
    for word in ("MAIL", "RCPT", "DATA", ".", "EHLO"):
        for code, final in ((450, False), (550, True)):
            with folder() as d, Relay(replies={word: f"{code}-4.3.2 not you\r\n{code} really"}) as relay:
                if word == "EHLO":
                    relay.replies["HELO"] = relay.replies["EHLO"]
                with Tocsin(relayed({"a": f"smarthost: '{relay.address}', require_tls: false"}), d) as t:
                    t.alert(alertname="A", r="a")
                    until(f"{word} {code}", lambda: "integration=email" in t.text())
                    t.says(f"answered: {code}-4.3.2 not you really")
                    assert ("notification refused" in t.text()) == final, t.text()
                    assert not re.search(r"\b221\b", t.text().split("integration=email")[1]), t.text()


def test_nobody_waits_for_a_mail_server():
    """It thinks about a mail, and then does not say goodbye: everything else goes on meanwhile."""
    go = threading.Event()

    def think():
        go.wait(20)
        return "250 taken"

    with folder() as d, Relay(replies={".": think, "QUIT": lambda: time.sleep(20)}) as relay:
        with Tocsin(relayed({"a": f"smarthost: '{relay.address}', require_tls: false"}), d) as t:
            t.alert(alertname="A", r="a")
            until("the mail is read", lambda: "DATA" in relay.commands)
            time.sleep(0.3)
            for _ in range(3):
                equal(t.get("/-/healthy", timeout=5).status, 200)
            equal(relay.mails, [])
            go.set()
            until("delivered", lambda: t.metric("alertmanager_notifications_total", integration="email"))
            equal(len(relay.mails), 1)
            go.clear()
            t.alert(alertname="B", r="a")
            until("the next is read", lambda: relay.commands.count("DATA") == 2)
            # and it ends in time with one under way: Tocsin.stop()
        go.set()



main()
