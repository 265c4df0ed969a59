#!/usr/bin/env python3
"""A mail server that keeps what it gets on your own machine: to try a configuration and to test without the network.

    contrib/fakes/smtp.py --port 8025 --user alerts:secret --cert cert.pem --cert-key key.pem

and in the configuration

    email_configs:
      - {smarthost: "127.0.0.1:8025", from: tocsin@example.com, to: ops@example.com, auth_username: alerts, auth_password: secret}

It needs aiosmtpd of Python (python3-aiosmtpd). It prints every mail it takes as one line of JSON: from, to, the headers that are read,
text and html. It checks what a server checks: STARTTLS when it has a certificate, the login with --user, lines of at most 998 bytes,
that the message has a From, a Date and a Message-ID, and --size bytes at most. --refuse ADDRESS=CODE answers the recipient with that
code, 450 for now and 550 for good. With --port 0 the system picks a port; the first line printed is the address.
"""
import argparse
import asyncio
import email
import email.policy
import json
import ssl
import sys


def fault_of(data, size):
    message = email.message_from_bytes(data, policy=email.policy.default)
    if len(data) > size:
        return "552 5.3.4 message too big"
    if any(len(line) > 998 for line in data.split(b"\r\n")):
        return "500 5.6.0 line too long"
    missing = [h for h in ("From", "Date", "Message-ID") if not message[h]]
    return f"550 5.6.0 no {', '.join(missing)}" if missing else None


class Box:
    def __init__(self, options):
        self.size, self.refused = options.size, dict(r.split("=", 1) for r in options.refuse)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return f"{self.refused[address]} {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        fault = fault_of(envelope.original_content, self.size)
        if fault:
            print(f"refused: {fault}", file=sys.stderr, flush=True)
            return fault
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "subject": message["Subject"], "headers": dict(message.items()),
                          "tls": session.ssl is not None, "text": text.get_content() if text else "", "html": html.get_content() if html else ""},
                         ensure_ascii=False), flush=True)
        return "250 OK"


async def serve(options):
    from aiosmtpd.smtp import SMTP, AuthResult

    user, _, password = options.user.partition(":")
    context = None
    if options.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.cert_key)

    def login(server, session, envelope, mechanism, data):
        return AuthResult(success=data.login.decode() == user and data.password.decode() == password)

    def connection():
        return SMTP(Box(options), hostname="fake", data_size_limit=options.size, tls_context=context, require_starttls=context is not None,
                    authenticator=login, auth_required=bool(user), auth_require_tls=context is not None)

    server = await asyncio.get_running_loop().create_server(connection, options.host, options.port)
    print(f"{options.host}:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8025)
    parser.add_argument("--user", default="", metavar="NAME:PASSWORD")
    parser.add_argument("--cert", help="certificate: STARTTLS is offered and needed")
    parser.add_argument("--cert-key")
    parser.add_argument("--size", type=int, default=10 << 20, metavar="BYTES")
    parser.add_argument("--refuse", action="append", default=[], metavar="ADDRESS=CODE", help="may be given several times")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        pass
    except ImportError:
        sys.exit("there is no aiosmtpd: apt-get install python3-aiosmtpd")


if __name__ == "__main__":
    main()
