#!/usr/bin/env python3
"""A robot and an application of Feishu or Lark that run on your own machine: to try a configuration and to test without the network.

    contrib/fakes/feishu.py --port 8061 --token t0 --secret SECabc --keyword alarm

and in the configuration

    feishu_configs:
      - url: http://127.0.0.1:8061/open-apis/bot/v2/hook/t0
        secret: SECabc
        keywords: [alarm]

or, with --app-id cli_a1 --app-secret s1,

    feishu_app_configs:
      - {api_url: "http://127.0.0.1:8061", app_id: cli_a1, app_secret: s1, chats: [oc_1], emails: [ops@example.com]}

It prints every message it takes as one line of JSON (of the application with "path" beside it) and answers as Feishu does: 200, with
code and msg; 400 of the application.

    code   when
    0      taken
    19021  the signature or its time (an hour at most from now) is wrong
    19024  none of the keywords is in the message
    11232  more than --rate messages within a minute (0 = no limit); with HTTP status 400
    19001  another token than --token
    9499   not JSON, more than 20,000 bytes, a member is missing
    10003  another --app-id; 10014: another --app-secret
    99991663  no token of the application, or one that is older than --token-life seconds
    230002 a chat of --no-chat; 230034: an id that is none of a chat (oc_), a person (ou_) or mail
    230025 more than 30,000 bytes; 230099: no card, or one that cannot be changed
    230020 more than five messages a second to one address
    230011 a change, an answer or an urgent message of what was not sent

--fail CODE answers every message with that code: to see what the sender makes of it. With --port 0 the system picks a port; the
first line printed is the address.
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import re
import sys
import time
import urllib.parse

NEEDED = {  # msg_type: where its text is
    "text": ("content", "text"),
    "post": ("content", "post"),
    "interactive": ("card", "elements"),
}
MAX_BODY = 20000
MAX_SKEW_S = 3600


def sign(secret, timestamp):
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signature_is_good(secret, message):
    timestamp, given = str(message.get("timestamp", "")), str(message.get("sign", ""))
    return timestamp.isdigit() and abs(int(timestamp) - time.time()) <= MAX_SKEW_S and hmac.compare_digest(sign(secret, timestamp), given)


class Robot(http.server.BaseHTTPRequestHandler):
    def judge(self, raw):
        options, server = self.server.options, self.server
        if self.path != "/open-apis/bot/v2/hook/" + options.token:
            return 19001, "param invalid: incoming webhook access token invalid"
        now = time.monotonic()
        server.taken = [t for t in server.taken if now - t < 60]
        if options.rate and len(server.taken) >= options.rate:
            return 11232, "frequency limited"
        server.taken.append(now)
        if options.fail:
            return options.fail, "as asked by --fail"
        try:
            message = json.loads(raw)
            outer, inner = NEEDED[message["msg_type"]]
            said = json.dumps(message[outer], ensure_ascii=False)
            assert message[outer][inner] and len(raw) <= MAX_BODY
        except (ValueError, KeyError, TypeError, AssertionError):
            return 9499, "Bad Request"
        if options.secret and not signature_is_good(options.secret, message):
            return 19021, "sign match fail or timestamp is not within one hour from current time"
        if options.keyword and not any(word in said for word in options.keyword):
            return 19024, "Key Words Not Found"
        return 0, "success"

    # -- the application --

    def token(self, message):
        options, server = self.server.options, self.server
        if message.get("app_id") != options.app_id:
            return 10003, "invalid app_id", {}
        if message.get("app_secret") != options.app_secret:
            return 10014, "app secret invalid", {}
        server.tokens += 1
        server.token_at = time.monotonic()
        return 0, "ok", {"tenant_access_token": f"t-{server.tokens}", "expire": options.token_life}

    def judge_card(self, content):
        try:
            card = json.loads(content)
            assert card["elements"] and card["config"]["update_multi"] is True
        except (ValueError, KeyError, TypeError, AssertionError):
            return 230099, "Failed to create card content"
        return 0, "success"

    def judge_new(self, query, message):
        options, server = self.server.options, self.server
        kind, to = query.get("receive_id_type"), message["receive_id"]
        wanted = {"chat_id": r"oc_\w+", "open_id": r"ou_\w+", "user_id": r"\w+", "union_id": r"on_\w+", "email": r"[^@\s]+@[^@\s]+"}
        if kind not in wanted or not re.fullmatch(wanted[kind], to):
            return 230034, "The receive_id is invalid"
        if to in options.no_chat:
            return 230002, "The bot can not be outside the group."
        now = time.monotonic()
        server.told[to] = [t for t in server.told.get(to, []) if now - t < 1]
        if len(server.told[to]) >= 5:
            return 230020, "This operation triggers the frequency limit."
        server.told[to].append(now)
        return self.judge_card(message["content"])

    def judge_app(self, method, url, raw):
        """code, msg, and what stands beside or in data."""
        options, server = self.server.options, self.server
        message = json.loads(raw)
        if url.path.endswith("/tenant_access_token/internal"):
            return self.token(message)
        if self.headers.get("Authorization") != f"Bearer t-{server.tokens}" or time.monotonic() - server.token_at > options.token_life:
            return 99991663, "Invalid access token for authorization", {}
        if options.fail:
            return options.fail, "as asked by --fail", {}
        if len(raw) > 30000:
            return 230025, "The length of the message content reaches its limit", {}
        part = url.path.split("/open-apis/im/v1/messages", 1)[1].strip("/").split("/")
        if part == [""]:
            code, text = self.judge_new(dict(urllib.parse.parse_qsl(url.query)), message)
        elif part[0] not in server.messages:
            code, text = 230011, "The message was recalled"
        elif part[1:] == ["reply"]:
            code, text = (0, "success") if json.loads(message["content"]) and message["msg_type"] else (230001, "invalid content")
        elif part[1:] and part[1] in ("urgent_app", "urgent_sms", "urgent_phone"):
            code, text = (0, "success") if message["user_id_list"] else (230001, "invalid user_id_list")
        else:
            code, text = self.judge_card(message["content"])
        if code:
            return code, text, {}
        ident = part[0] or f"om_{len(server.messages) + 1}"
        server.messages.add(ident)
        print(json.dumps({"path": f"{method} {url.path}", **message}, ensure_ascii=False), flush=True)
        return 0, text, {"data": {"message_id": ident}}

    def answer_app(self, method, raw):
        try:
            code, text, more = self.judge_app(method, urllib.parse.urlsplit(self.path), raw)
        except (ValueError, KeyError, TypeError, IndexError) as e:
            code, text, more = 230001, f"Your request contains an invalid request parameter: {e!r}", {}
        if code:
            print(f"refused: {code} {text}", file=sys.stderr, flush=True)
        self.send(400 if code else 200, {"code": code, "msg": text, **more})

    # -- both --

    def send(self, status, answer):
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_PATCH(self):
        self.answer_app("PATCH", self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith("/open-apis/bot/"):
            self.answer_app("POST", raw)
            return
        code, text = self.judge(raw)
        if code == 0:
            print(json.dumps(json.loads(raw), ensure_ascii=False), flush=True)
        else:
            print(f"refused: {code} {text}", file=sys.stderr, flush=True)
        self.send(400 if code == 11232 else 200, {"code": code, "data": {}, "msg": text})

    def log_message(self, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8061)
    parser.add_argument("--token", default="t0")
    parser.add_argument("--secret", default="", help="check signatures with it")
    parser.add_argument("--keyword", action="append", default=[], help="may be given several times")
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--app-id", default="cli_a1")
    parser.add_argument("--app-secret", default="s1")
    parser.add_argument("--token-life", type=int, default=7200, metavar="SECONDS")
    parser.add_argument("--no-chat", action="append", default=[], help="may be given several times")
    parser.add_argument("--fail", type=int, default=0, metavar="CODE")
    options = parser.parse_args()
    server = http.server.HTTPServer((options.host, options.port), Robot)
    server.options, server.taken = options, []
    server.tokens, server.token_at, server.messages, server.told = 0, 0.0, set(), {}
    print(f"http://{options.host}:{server.server_address[1]}/open-apis/bot/v2/hook/{options.token}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
