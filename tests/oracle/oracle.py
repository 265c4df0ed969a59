#!/usr/bin/env python3
"""Requests of receivers beside those of the vendors' own clients: method, address, headers with the signature and body are equal.

What we send is what receivers/*/cases say, which their own test holds byte for byte; this gives a client the same credentials,
values, clock and nonce (vendors.js) and compares. The clients are those of package-lock.json, which `npm ci` brings into the build
folder: without npm, or where it reaches no registry, the test is skipped. Usage: oracle.py SOURCE BUILD
"""
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse

SOURCE, BUILD = sys.argv[1], sys.argv[2]
sys.path.insert(0, os.path.join(SOURCE, "build", "peers", "usr", "lib", "python3", "dist-packages"))
try:
    import yaml
except ImportError:
    print("there is no yaml of Python: ./dev deps")
    sys.exit(77)

# What the templates of the cases give.
VALUES = {"{{ .GroupLabels.alertname }}": "GpuDown", "{{ .CommonLabels.host }}": "gpu-07", "{{ len .Alerts.Firing }}": "1"}
SAID = {"sms/twilio": "Critical: gpu-07 is gone", "voice/twilio": "Alert, 1 firing. Critical: gpu-07 is gone. "}
# What a client adds that says who it is, or how it wants its answer.
ITS_OWN = {"user-agent", "accept", "accept-charset", "accept-encoding", "content-length", "connection", "host", "transfer-encoding",
           "x-tc-traceid", "x-tc-requestclient", "x-tc-language"}


def case(name):
    with open(os.path.join(SOURCE, "receivers", *name.split("/", 1)[:1], "cases", name.split("/", 1)[1] + ".yml")) as f:
        return yaml.load(f, yaml.BaseLoader)


def phone(client, name, **more):
    """Of receivers/sms and receivers/voice."""
    c = case(name)
    request = c["steps"][0]["request"]
    given = dict(c["config"], **more)
    given["values"] = {k: VALUES[v] for k, v in given.get("parameters", {}).items()}
    given["access_key"] = given["key_id"]
    given["nonce"] = request.get("headers", {}).get("x-acs-signature-nonce")
    given.setdefault("to", given["numbers"][0])
    given["text"] = SAID.get(name)
    return client, given, request


def sns():
    c = case("sns/firing")
    request = c["steps"][0]["request"]
    form = dict(urllib.parse.parse_qsl(request["body"]))
    sigv4 = c["config"]["sigv4"]
    return "sns", dict(sigv4, message=form["Message"], subject=form["Subject"], topic=form["TopicArn"], body=request["body"]), request


def feishu(name, step, call, type_="chat_id"):
    c = case("feishu_app/" + name)
    request = c["steps"][step]["request"]
    return "feishu", dict(c["config"], call=call, type=type_, message="om_1", token="t-1", body=json.loads(request["body"])), request


def dingtalk(step, call):
    request = case("dingtalk_app/first")["steps"][step]["request"]
    return "dingtalk", {"call": call, "token": "t-1", "body": json.loads(request["body"])}, request


def slack():
    """The client sends a form, we JSON, as Alertmanager does: the members are the same. The token is http_config's business."""
    c = case("slack/blocks")
    request = {"url": "https://slack.com/api/chat.postMessage", "body": c["steps"][0]["request"]["body"],
               "headers": {"Authorization": "Bearer xoxb-1", "Content-Type": "application/x-www-form-urlencoded"}}
    return "slack", {"token": "xoxb-1", "message": json.loads(request["body"])}, request


ROWS = {
    "Aliyun SendSms": lambda: phone("aliyun_sms", "sms/aliyun"),
    "Aliyun SingleCallByTts": lambda: phone("aliyun_voice", "voice/aliyun", to="13800138000"),
    "Aliyun QueryCallDetailByCallId": lambda: phone("aliyun_ask", "voice/aliyun_answered", call="116012854210^10281427", at=1767225570000),
    "Tencent SendSms": lambda: phone("tencent_sms", "sms/tencent", to="+8613800138000"),
    "Tencent SendTts": lambda: phone("tencent_voice", "voice/tencent"),
    "Twilio Messages": lambda: phone("twilio_sms", "sms/twilio"),
    "Twilio Calls": lambda: phone("twilio_voice", "voice/twilio"),
    "Twilio Calls/SID": lambda: phone("twilio_ask", "voice/twilio_answered", call="CA1"),
    "Amazon SNS Publish": sns,
    "Feishu tenant_access_token": lambda: feishu("first", 0, "token"),
    "Feishu im/v1/messages": lambda: feishu("first", 1, "create"),
    "Feishu im/v1/messages, changed": lambda: feishu("change", 0, "patch"),
    "Feishu im/v1/messages, reply": lambda: feishu("change", 1, "reply"),
    "Feishu urgent_phone": lambda: feishu("change", 2, "urgent_phone", "open_id"),
    "DingTalk oauth2/accessToken": lambda: dingtalk(0, "getAccessToken"),
    "DingTalk robot/groupMessages/send": lambda: dingtalk(1, "orgGroupSend"),
    "DingTalk robot/oToMessages/batchSend": lambda: dingtalk(2, "batchSendOTO"),
    "DingTalk robot/ding/send": lambda: dingtalk(3, "robotSendDing"),
    "Slack chat.postMessage": slack,
}


def read_json(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def readable_body(text):
    """A form as its fields, JSON as what it says; what else there is as it is."""
    value = read_json(text)
    if isinstance(value, str) and re.fullmatch(r"[^{\s]+=\S*", text):
        value = {k: read_json(v) for k, v in urllib.parse.parse_qsl(text, keep_blank_values=True)}
    if isinstance(value, dict):
        value = {k: read_json(v) if isinstance(v, str) else v for k, v in value.items()}
    return value


def readable_url(url):
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or 443, parts.path, sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))


def differences(ours, theirs):
    if ours.get("method", "POST") != theirs["method"]:
        yield "method", ours.get("method", "POST"), theirs["method"]
    if "url" in ours and readable_url(ours["url"]) != readable_url(theirs["url"]):
        yield "url", readable_url(ours["url"]), readable_url(theirs["url"])
    if "body" in ours and readable_body(ours["body"]) != readable_body(theirs["body"]):
        yield "body", readable_body(ours["body"]), readable_body(theirs["body"])
    headers = {k.lower(): v for k, v in ours.get("headers", {}).items()}
    for name in sorted(set(headers) | set(theirs["headers"]) - ITS_OWN):
        ours_is, theirs_is = headers.get(name), theirs["headers"].get(name)
        if name == "content-type" and theirs_is and ours_is:
            ours_is, theirs_is = (x.lower().replace(" ", "").replace(";charset=utf-8", "") for x in (ours_is, theirs_is))
        if ours_is != theirs_is:
            yield name, ours_is, theirs_is


def install():
    """The folder with the clients in it, or None."""
    folder = os.path.join(BUILD, "oracle")
    os.makedirs(folder, exist_ok=True)
    here = os.path.join(SOURCE, "tests", "oracle")
    with open(os.path.join(here, "package-lock.json")) as f:
        lock = f.read()
    stamp = os.path.join(folder, "installed")
    if not os.path.exists(stamp) or open(stamp).read() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(here, name), folder)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout[-2000:])
            return None
        with open(stamp, "w") as f:
            f.write(lock)
    shutil.copy(os.path.join(here, "vendors.js"), folder)
    return folder


def main():
    if not shutil.which("npm") or not shutil.which("node"):
        print("there is no npm: vendors' own clients are not to be had")
        return 77
    folder = install()
    if folder is None:
        print("npm cannot bring vendors' own clients")
        return 77
    rows = {name: row() for name, row in ROWS.items()}
    asked = {name: [client, given] for name, (client, given, _) in rows.items()}
    told = subprocess.run(["node", "--no-warnings", "vendors.js"], cwd=folder, input=json.dumps(asked), stdout=subprocess.PIPE, text=True)
    if told.returncode != 0 or not told.stdout:
        print("vendors.js has failed")
        return 1
    theirs, failed = json.loads(told.stdout), 0
    for name, (_, _, ours) in rows.items():
        found = list(differences(ours, theirs[name]))
        print(("ok    " if not found else "FAILS ") + name)
        for what, a, b in found:
            print(f"  {what}\n    ours   {a}\n    theirs {b}")
        failed += bool(found)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
