#!/usr/bin/env python3
"""A DingTalk robot that runs on your own machine: to try a configuration and to test without the network.

    contrib/fakes/dingtalk.py --port 8060 --token t0 --secret SECabc --keyword alarm

and in the configuration

    dingtalk_configs:
      - url: http://127.0.0.1:8060/robot/send?access_token=t0
        secret: SECabc
        keywords: [alarm]

It prints every message it takes as one line of JSON and answers as DingTalk does: always 200, with errcode and errmsg.

    errcode  when
    0        taken
    310000   the signature, its time (an hour at most from now) or the keyword is wrong
    130101   more than --rate messages within --window seconds, a minute (--rate 0 = no limit); refused for --block seconds
    300001   another access_token than --token
    400105   another msgtype than text, markdown, actionCard, link, feedCard
    460101   more than 20000 bytes
    43004    Content-Type is not application/json
    40035    a member is missing

--fail CODE answers every message with that errcode: to see what the sender makes of it. With --port 0 the system picks a
port; the first line printed is the address.
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import sys
import time
import urllib.parse

NEEDED = {  # msgtype: members that DingTalk wants
    "text": ["content"],
    "markdown": ["title", "text"],
    "actionCard": ["title", "text"],
    "link": ["title", "text", "messageUrl"],
    "feedCard": ["links"],
}
MAX_BODY = 20000
MAX_SKEW_MS = 3600 * 1000


def sign(secret, timestamp):
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def check_signature(secret, query):
    """Returns errmsg, or None when the request is signed well."""
    timestamp, given = query.get("timestamp", [""])[0], query.get("sign", [""])[0]
    if not timestamp.isdigit() or not given:
        return "sign not match"
    if abs(int(timestamp) - time.time() * 1000) > MAX_SKEW_MS:
        return "invalid timestamp"
    if not hmac.compare_digest(sign(secret, timestamp), given):
        return "sign not match"
    return None


def check_message(message, keywords):
    """Returns (errcode, errmsg); (0, "ok") when the message can be taken."""
    kind = message.get("msgtype") if isinstance(message, dict) else None
    if kind not in NEEDED:
        return 400105, "unsupported msgtype"
    body = message.get(kind)
    for name in NEEDED[kind]:
        if not isinstance(body, dict) or not body.get(name):
            return 40035, f"param error: {kind}.{name} is missing"
    if kind == "actionCard" and not body.get("btns") and not (body.get("singleTitle") and body.get("singleURL")):
        return 40035, "param error: actionCard without buttons"
    text = json.dumps(body, ensure_ascii=False)
    if keywords and not any(word in text for word in keywords):
        return 310000, "keywords not in content"
    return 0, "ok"


class Robot(http.server.BaseHTTPRequestHandler):
    def judge(self, raw):
        options, server = self.server.options, self.server
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path != "/robot/send" or query.get("access_token", [""])[0] != options.token:
            return 300001, "token is not exist"
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            return 43004, "invalid Content-Type"
        now = time.monotonic()
        server.taken = [t for t in server.taken if now - t < options.window]
        if now < server.blocked_until or (options.rate and len(server.taken) >= options.rate):
            server.blocked_until = max(server.blocked_until, now + options.block)
            return 130101, "send too fast, exceed 20 times per minute"
        server.taken.append(now)
        if options.fail:
            return options.fail, "as asked by --fail"
        if len(raw) > MAX_BODY:
            return 460101, "message too long, exceed 20000 bytes"
        if options.secret:
            fault = check_signature(options.secret, query)
            if fault:
                return 310000, fault
        try:
            message = json.loads(raw)
        except ValueError:
            return 40035, "param error: not JSON"
        return check_message(message, options.keyword)

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        code, text = self.judge(raw)
        answer = json.dumps({"errcode": code, "errmsg": text}).encode()
        if code == 0:
            print(json.dumps(json.loads(raw), ensure_ascii=False), flush=True)
        else:
            print(f"refused: {code} {text}", file=sys.stderr, flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8060)
    parser.add_argument("--token", default="t0")
    parser.add_argument("--secret", default="", help="check signatures with it")
    parser.add_argument("--keyword", action="append", default=[], help="may be given several times")
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--window", type=float, default=60)
    parser.add_argument("--block", type=float, default=600)
    parser.add_argument("--fail", type=int, default=0, metavar="CODE")
    options = parser.parse_args()
    server = http.server.HTTPServer((options.host, options.port), Robot)
    server.options, server.taken, server.blocked_until = options, [], 0.0
    print(f"http://{options.host}:{server.server_address[1]}/robot/send?access_token={options.token}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
