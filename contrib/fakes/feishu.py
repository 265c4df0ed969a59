#!/usr/bin/env python3
"""A robot of Feishu or Lark that runs on your own machine: to try a configuration and to test without the network.

    contrib/fakes/feishu.py --port 8061 --token t0 --secret SECabc --keyword alarm

and in the configuration

    feishu_configs:
      - url: http://127.0.0.1:8061/open-apis/bot/v2/hook/t0
        secret: SECabc
        keywords: [alarm]

It prints every message it takes as one line of JSON and answers as Feishu does: 200, with code and msg.

    code   when
    0      taken
    19021  the signature or its time (an hour at most from now) is wrong
    19024  none of the keywords is in the message
    11232  more than --rate messages within a minute (0 = no limit); with HTTP status 400
    19001  another token than --token
    9499   not JSON, more than 20,000 bytes, a member is missing

--fail CODE answers every message with that code: to see what the sender makes of it. With --port 0 the system picks a port; the
first line printed is the address.
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

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

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        code, text = self.judge(raw)
        answer = json.dumps({"code": code, "data": {}, "msg": text}).encode()
        if code == 0:
            print(json.dumps(json.loads(raw), ensure_ascii=False), flush=True)
        else:
            print(f"refused: {code} {text}", file=sys.stderr, flush=True)
        self.send_response(400 if code == 11232 else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

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
    parser.add_argument("--fail", type=int, default=0, metavar="CODE")
    options = parser.parse_args()
    server = http.server.HTTPServer((options.host, options.port), Robot)
    server.options, server.taken = options, []
    print(f"http://{options.host}:{server.server_address[1]}/open-apis/bot/v2/hook/{options.token}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
