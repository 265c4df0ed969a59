#!/usr/bin/env python3
"""WeCom (企业微信) that runs on your own machine, robot and application: to try a configuration and to test without the network.

    contrib/fakes/wecom.py --port 8066 --key k0 --corp ww1 --secret s0 --agent 1000002

and in the configuration

    wecom_configs:
      - {api_url: "http://127.0.0.1:8066", key: k0}
    wechat_configs:
      - {api_url: "http://127.0.0.1:8066/cgi-bin/", corp_id: ww1, api_secret: s0, agent_id: "1000002", to_user: zhangsan}

It prints every message it takes as one line of JSON and answers as WeCom does: 200, with errcode and errmsg.

    errcode  when
    0        taken; of the application's with the names in --unknown as invaliduser
    93000    another key
    45009    more than --rate messages of the robot within a minute (0 = no limit)
    40008    another msgtype
    44004    an empty text
    45002    a text of more than 2048 bytes, Markdown of more than 4096 (robot) or 2048 (application)
    40001    another secret
    40013    another company
    40014    another access_token than the last one; 42001 when it is older than --token-life seconds
    40056    another agentid
    82001    neither touser, toparty nor totag
    81013    nobody but the names in --unknown
    60020    with --refuse-ip

--fail CODE answers every message with that errcode. With --port 0 the system picks a port; the first line printed is the address.
"""
import argparse
import http.server
import json
import sys
import time
import urllib.parse


class Wecom(http.server.BaseHTTPRequestHandler):
    def judge_content(self, message, most):
        kind = message.get("msgtype")
        if kind not in most:
            return 40008, "invalid message type"
        body = message.get(kind) or {}
        text = body.get("content") or body.get("description") or ""
        if not text:
            return 44004, "empty content"
        if len(text.encode()) > most[kind]:
            return 45002, "content size out of limit"
        return 0, "ok"

    def judge_robot(self, query, message):
        options, server = self.server.options, self.server
        if query.get("key") != options.key:
            return 93000, "invalid webhook url"
        now = time.monotonic()
        server.taken = [t for t in server.taken if now - t < 60]
        if options.rate and len(server.taken) >= options.rate:
            return 45009, "api freq out of limit"
        server.taken.append(now)
        return self.judge_content(message, {"text": 2048, "markdown": 4096, "markdown_v2": 4096})

    def judge_app(self, query, message):
        options, server = self.server.options, self.server
        if query.get("access_token") != server.token:
            return 40014, "invalid access_token"
        if time.monotonic() - server.token_at > options.token_life:
            return 42001, "access_token expired"
        if str(message.get("agentid")) != options.agent:
            return 40056, "invalid agentid"
        users = [u for u in message.get("touser", "").split("|") if u]
        if not users and not message.get("toparty") and not message.get("totag"):
            return 82001, "touser & toparty & totag are all empty"
        if users and not message.get("toparty") and not message.get("totag") and all(u in options.unknown for u in users):
            return 81013, "user & party & tag all invalid"
        return self.judge_content(message, {"text": 2048, "markdown": 2048, "textcard": 512})

    def token(self, query):
        options, server = self.server.options, self.server
        if query.get("corpid") != options.corp:
            return {"errcode": 40013, "errmsg": "invalid corpid"}
        if query.get("corpsecret") != options.secret:
            return {"errcode": 40001, "errmsg": "invalid credential"}
        server.token, server.token_at = f"token{int(server.token[5:]) + 1}", time.monotonic()
        return {"errcode": 0, "errmsg": "ok", "access_token": server.token, "expires_in": options.token_life}

    def send(self, answer):
        if answer["errcode"] != 0:
            print(f"refused: {answer['errcode']} {answer['errmsg']}", file=sys.stderr, flush=True)
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        is_token = url.path == "/cgi-bin/gettoken"
        self.send(self.token(dict(urllib.parse.parse_qsl(url.query))) if is_token else {"errcode": 404, "errmsg": "no such address"})

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url, options = urllib.parse.urlsplit(self.path), self.server.options
        query = dict(urllib.parse.parse_qsl(url.query))
        judge = {"/cgi-bin/webhook/send": self.judge_robot, "/cgi-bin/message/send": self.judge_app}.get(url.path)
        try:
            message = json.loads(raw)
        except ValueError:
            return self.send({"errcode": 47001, "errmsg": "data format error"})
        if judge is None:
            return self.send({"errcode": 404, "errmsg": "no such address"})
        if options.refuse_ip:
            return self.send({"errcode": 60020, "errmsg": "not allow to access from your ip, hint: [1], from ip: 127.0.0.1"})
        code, text = (options.fail, "as asked by --fail") if options.fail else judge(query, message)
        answer = {"errcode": code, "errmsg": text}
        if code == 0:
            print(json.dumps(message, ensure_ascii=False), flush=True)
            unknown = [u for u in str(message.get("touser", "")).split("|") if u in options.unknown]
            if unknown:
                answer["invaliduser"] = "|".join(unknown)
        return self.send(answer)

    def log_message(self, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8066)
    parser.add_argument("--key", default="k0")
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--corp", default="ww1")
    parser.add_argument("--secret", default="s0")
    parser.add_argument("--agent", default="1000002")
    parser.add_argument("--token-life", type=float, default=7200, metavar="SECONDS")
    parser.add_argument("--unknown", action="append", default=[], metavar="USER", help="may be given several times")
    parser.add_argument("--refuse-ip", action="store_true")
    parser.add_argument("--fail", type=int, default=0, metavar="CODE")
    options = parser.parse_args()
    server = http.server.HTTPServer((options.host, options.port), Wecom)
    server.options, server.taken, server.token, server.token_at = options, [], "token0", 0.0
    print(f"http://{options.host}:{server.server_address[1]}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
