"""Mail to aiosmtpd: text and HTML, Chinese, one refused recipient of three, retries and refusals, nothing injected, TLS in both
ways, all three logins."""
import hashlib, hmac, ssl
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
        equal(box.mails[0][2], "PLAIN")


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


def certificate(dir):
    """A server's certificate that signs itself, and the context of a server that shows it."""
    if shutil.which("openssl") is None:
        raise Skip("openssl is not there")
    key, cert = os.path.join(dir, "key.pem"), os.path.join(dir, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return cert, context


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
    with folder() as d, MailServer(box) as smtp, Tocsin(secure(smtp, "/dev/null"), d) as t:
        t.alert(alertname="A", gpu="1")
        until("the failure", lambda: t.metric("alertmanager_notification_requests_failed_total", integration="email"))
        equal(box.mails, [])


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


main()
