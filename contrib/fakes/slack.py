#!/usr/bin/env python3
"""Slack that runs on your own machine, webhook and bot: to try a configuration and to test without the network.

    contrib/fakes/slack.py --port 8065 --token xoxb-1

and in the configuration

    slack_configs:
      - api_url: http://127.0.0.1:8065/services/T0/B0/x        # a webhook
        channel: '#ops'
      - api_url: http://127.0.0.1:8065/api/chat.postMessage    # a bot: with an id that chat.update takes
        http_config: {authorization: {credentials: xoxb-1}}
        channel: '#ops'

It prints every message it takes as one line of JSON and answers as Slack does: a webhook with "ok" or a word, the API with 200 and JSON.

    webhook  API                        when
    404      200 not_authed             another address or token
    400      200 no_text                neither text, attachments nor blocks
    400      200 invalid_blocks         more than 50 blocks, a section of more than 3000 characters
    400      200 msg_too_long           text of more than 40,000 characters
    404      200 channel_not_found      a channel that begins neither with # nor with C, G, D, U; or one of --no-channel
    -        200 message_not_found      chat.update of a message that is not there
    429      429                        more than one a second and --burst at once to a channel; Retry-After says how long

--fail WORD answers every message with that word. With --port 0 the system picks a port; the first line printed is the address.
"""
import argparse
import http.server
import json
import sys
import time


class Slack(http.server.BaseHTTPRequestHandler):
    def wait(self, channel):
        """Seconds until the channel takes another one: a bucket of --burst that fills by one a second."""
        full, at = self.server.buckets.get(channel, (self.server.options.burst, time.monotonic()))
        now = time.monotonic()
        full = min(self.server.options.burst, full + now - at)
        taken = full >= 1
        self.server.buckets[channel] = full - taken, now
        return 0 if taken else 1

    def judge(self, message, is_update):
        """A word of Slack's, or None."""
        options = self.server.options
        if options.fail:
            return options.fail
        if not any(message.get(k) for k in ("text", "attachments", "blocks")):
            return "no_text"
        blocks = list(message.get("blocks") or [])
        for attachment in message.get("attachments") or []:
            blocks += attachment.get("blocks") or []
        if len(blocks) > 50 or any(len((b.get("text") or {}).get("text", "")) > 3000 for b in blocks if b.get("type") == "section"):
            return "invalid_blocks"
        if len(message.get("text") or "") > 40000:
            return "msg_too_long"
        channel = message.get("channel", "#")
        if channel in options.no_channel or channel[:1] not in ("#", "C", "G", "D", "U", "@"):
            return "channel_not_found"
        if is_update and message.get("ts") not in self.server.messages:
            return "message_not_found"
        if message.get("thread_ts") and message["thread_ts"] not in self.server.messages:
            return "thread_not_found"
        return None

    def send(self, status, body, kind, headers=()):
        data = body.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, word, is_api):
        print(f"refused: {word}", file=sys.stderr, flush=True)
        if is_api:
            self.send(200, json.dumps({"ok": False, "error": word}), "application/json; charset=utf-8")
        else:
            self.send({"channel_not_found": 404, "no_service": 404, "channel_is_archived": 410, "rollup_error": 500}.get(word, 400), word, "text/html")

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server, is_api = self.server, self.path.startswith("/api/")
        is_update = self.path == "/api/chat.update"
        if is_api and self.headers.get("Authorization") != "Bearer " + server.options.token:
            return self.refuse("not_authed", True)
        if self.path not in ("/api/chat.postMessage", "/api/chat.update", server.options.hook):
            return self.refuse("unknown_method" if is_api else "no_service", is_api)
        try:
            message = json.loads(raw)
            assert isinstance(message, dict)
        except (ValueError, AssertionError):
            return self.refuse("invalid_json" if is_api else "invalid_payload", is_api)
        if is_api and not message.get("channel"):
            return self.refuse("channel_not_found", True)
        wait = self.wait(message.get("channel", ""))
        if wait:
            print("refused: rate limited", file=sys.stderr, flush=True)
            return self.send(429, json.dumps({"ok": False, "error": "ratelimited"}), "application/json", [("Retry-After", str(wait))])
        word = self.judge(message, is_update)
        if word:
            return self.refuse(word, is_api)
        print(json.dumps(message, ensure_ascii=False), flush=True)
        if not is_api:
            return self.send(200, "ok", "text/html")
        ts = message["ts"] if is_update else f"1700000000.{len(server.messages):06d}"
        server.messages[ts] = message
        return self.send(200, json.dumps({"ok": True, "channel": "C0FAKE", "ts": ts}), "application/json; charset=utf-8")

    def log_message(self, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8065)
    parser.add_argument("--hook", default="/services/T0/B0/x")
    parser.add_argument("--token", default="xoxb-1")
    parser.add_argument("--burst", type=int, default=25)
    parser.add_argument("--no-channel", action="append", default=[], help="may be given several times")
    parser.add_argument("--fail", default="", metavar="WORD")
    options = parser.parse_args()
    server = http.server.HTTPServer((options.host, options.port), Slack)
    server.options, server.buckets, server.messages = options, {}, {}
    print(f"http://{options.host}:{server.server_address[1]}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
