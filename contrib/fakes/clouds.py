"""What sms.py and voice.py share: the signatures of Aliyun, Tencent, Huawei and Twilio, as each of them checks it, and a server.

A request is read into {"vendor", "action", "to", "from", "sign_name", "template", "values", "text"}, or refused in the words and with
the codes of its vendor.
"""
import argparse
import base64
import collections
import datetime
import hashlib
import hmac
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

MAX_SKEW_S = {"aliyun": 900, "tencent": 300, "huawei": 86400}


class Refused(Exception):
    """An answer of the vendor's: status and body."""

    def __init__(self, status, body, headers=()):
        super().__init__(body)
        self.status, self.body, self.headers = status, body, headers


def refuse(vendor, code, message, status=None):
    """An error in the form of the vendor."""
    body = {"aliyun": {"Code": code, "Message": message, "RequestId": "fake"},
            "tencent": {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "fake"}},
            "huawei": {"code": code, "description": message, "result": []},
            "huawei voice": {"resultcode": code, "resultdesc": message},
            "twilio": {"code": int(code) if str(code).isdigit() else code, "message": message, "status": status or 400}}[vendor]
    raise Refused(status or {"aliyun": 400, "tencent": 200}.get(vendor, 400), body)


def sha256(text):
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


def mac(key, text):
    return hmac.new(key if isinstance(key, bytes) else key.encode(), text.encode(), hashlib.sha256).digest()


def same(a, b):
    return hmac.compare_digest(a.encode(), b.encode())


def encode(text):
    return urllib.parse.quote(text, safe="-_.~")


def age(text, format_):
    at = datetime.datetime.strptime(text, format_).replace(tzinfo=datetime.timezone.utc).timestamp()
    return abs(time.time() - at)


# -- Aliyun: ACS3-HMAC-SHA256 --

def aliyun(options, method, url, headers, raw, seen):
    query = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
    authorization = headers.get("Authorization", "")
    found = re.fullmatch(r"ACS3-HMAC-SHA256 Credential=([^,]*),SignedHeaders=([^,]*),Signature=([0-9a-f]*)", authorization)
    if not found:
        refuse("aliyun", "MissingAuthorization", "Authorization is missing")
    key, names, signature = found.groups()
    wanted = {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}
    missing = wanted - set(names.split(";"))
    if missing:
        refuse("aliyun", "SignatureDoesNotMatch", f"not signed: {sorted(missing)}")
    if key != options.key:
        refuse("aliyun", "InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
    if headers["x-acs-content-sha256"] != sha256(raw):
        refuse("aliyun", "SignatureDoesNotMatch", "x-acs-content-sha256 is not that of the body")
    canonical = "\n".join([method, url.path or "/", "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(query)),
                           "".join(f"{n}:{headers[n].strip()}\n" for n in names.split(";")), names, headers["x-acs-content-sha256"]])
    if not same(mac(options.secret, "ACS3-HMAC-SHA256\n" + sha256(canonical)).hex(), signature):
        refuse("aliyun", "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
    if age(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ") > MAX_SKEW_S["aliyun"]:
        refuse("aliyun", "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
    if headers["x-acs-signature-nonce"] in seen:
        refuse("aliyun", "SignatureNonceUsed", "Specified signature nonce was used already.")
    seen.add(headers["x-acs-signature-nonce"])
    if headers["x-acs-version"] != "2017-05-25":
        refuse("aliyun", "InvalidVersion", "Specified version is not valid.")
    p = dict(query + urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True))
    return dict(vendor="aliyun", action=headers["x-acs-action"], parameters=p, to=p.get("PhoneNumbers") or p.get("CalledNumber", ""),
                **{"from": p.get("CalledShowNumber")}, sign_name=p.get("SignName"), template=p.get("TemplateCode") or p.get("TtsCode"),
                values=aliyun_values(p.get("TemplateParam") or p.get("TtsParam")))


def aliyun_values(text):
    try:
        values = json.loads(text or "{}")
    except ValueError:
        refuse("aliyun", "isv.INVALID_JSON_PARAM", "not JSON", 200)
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        refuse("aliyun", "isv.INVALID_JSON_PARAM", "texts only", 200)
    for v in values.values():
        if len(v) > 35:
            refuse("aliyun", "isv.PARAM_LENGTH_LIMIT", v, 200)
        if "://" in v:
            refuse("aliyun", "isv.PARAM_NOT_SUPPORT_URL", v, 200)
        if "${" in v or "\n" in v or "【" in v:
            refuse("aliyun", "isv.TEMPLATE_PARAMS_ILLEGAL", v, 200)
    return values


# -- Tencent: TC3-HMAC-SHA256 --

def tencent(options, method, url, headers, raw, seen):
    found = re.fullmatch(r"TC3-HMAC-SHA256 Credential=([^/]*)/([^/]*)/([^/]*)/tc3_request, SignedHeaders=([^,]*), Signature=([0-9a-f]*)",
                         headers.get("Authorization", ""))
    if not found:
        refuse("tencent", "AuthFailure.InvalidAuthorization", "Authorization")
    key, day, service, names, signature = found.groups()
    at = headers.get("X-TC-Timestamp", "0")
    if key != options.key:
        refuse("tencent", "AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    if abs(time.time() - int(at)) > MAX_SKEW_S["tencent"]:
        refuse("tencent", "AuthFailure.SignatureExpire", "The signature is expired.")
    if day != datetime.datetime.fromtimestamp(int(at), datetime.timezone.utc).strftime("%Y-%m-%d") or \
            not {"host", "content-type"} <= set(names.split(";")):
        refuse("tencent", "AuthFailure.SignatureFailure", "day or headers")
    canonical = "\n".join([method, url.path, url.query, "".join(f"{n}:{headers[n].strip().lower()}\n" for n in names.split(";")), names,
                           sha256(raw)])
    text = f"TC3-HMAC-SHA256\n{at}\n{day}/{service}/tc3_request\n{sha256(canonical)}"
    if not same(mac(mac(mac(mac("TC3" + options.secret, day), service), "tc3_request"), text).hex(), signature):
        refuse("tencent", "AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
    if headers.get("X-TC-Version") != {"sms": "2021-01-11", "vms": "2020-09-02"}.get(service):
        refuse("tencent", "InvalidParameter", "X-TC-Version")
    try:
        p = json.loads(raw)
    except ValueError:
        refuse("tencent", "InvalidParameter", "not JSON")
    values = p.get("TemplateParamSet", [])
    if not all(isinstance(v, str) for v in values):
        refuse("tencent", "InvalidParameterValue.TemplateParameterFormatError", "texts only")
    if any("://" in v for v in values):
        refuse("tencent", "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", "an address")
    if not (p.get("SmsSdkAppId") or p.get("VoiceSdkAppid")):
        refuse("tencent", "MissingParameter", "the application")
    to = p["PhoneNumberSet"][0] if "PhoneNumberSet" in p else p.get("CalledNumber", "")
    return dict(vendor="tencent", action=headers.get("X-TC-Action"), to=to, sign_name=p.get("SignName"), template=p.get("TemplateId"),
                values={str(i + 1): v for i, v in enumerate(values)})


# -- Huawei: X-WSSE of messages, X-AKSK of calls --

def huawei(options, method, url, headers, raw, seen):
    calls = url.path.endswith("/callnotify/v2.0")
    vendor, scheme, wrong = ("huawei voice", "AKSK", "1010003") if calls else ("huawei", "WSSE", "E000105")
    token = dict(re.findall(r'(\w+)="([^"]*)"', headers.get("X-" + scheme, "")))
    if not headers.get("Authorization", "").startswith(scheme + " ") or not {"Username", "PasswordDigest", "Nonce", "Created"} <= set(token):
        refuse(vendor, wrong, "Authorization", 401)
    if token["Username"] != options.key:
        refuse(vendor, "1010003" if calls else "E000102", "app_key", 401)
    told = token["Nonce"] + token["Created"]
    digest = mac(options.secret, told) if calls else hashlib.sha256((told + options.secret).encode()).digest()
    if not same(base64.b64encode(digest).decode(), token["PasswordDigest"]) or \
            age(token["Created"], "%Y-%m-%dT%H:%M:%SZ") > MAX_SKEW_S["huawei"]:
        refuse(vendor, wrong, "PasswordDigest", 401)
    if calls:
        p = json.loads(raw)
        values, template, to = p["playInfoList"][0].get("templateParas", []), p["playInfoList"][0].get("templateId"), p["calleeNbr"]
    else:
        p = dict(urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True))
        values, template, to = json.loads(p.get("templateParas") or "[]"), p.get("templateId"), p.get("to", "")
    if any(len(v) > 20 or "." in v or not v for v in values):
        refuse(vendor, "1012005" if calls else "E200028", "a variable: 20 characters, no dot")
    return dict(vendor=vendor, receipts=base64.b64decode(p.get("statusUrl") or "").decode(), action="call" if calls else "SendSms", to=to, **{"from": p.get("from") or p.get("displayNbr")},
                sign_name=p.get("signature"), template=template, values={str(i + 1): v for i, v in enumerate(values)})


def sign_huawei(key, secret, url):
    """The headers of what Huawei posts."""
    nonce, at = sha256(str(time.time())), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8 * 3600))
    digest = base64.b64encode(mac(secret, "\n".join([url, nonce, at]))).decode()
    return {"Content-Type": "application/json;charset=UTF-8", "Authorization": 'AKSK realm="SDP",profile="UsernameToken",type="Appkey"',
            "X-AKSK": f'UsernameToken Username="{key}", PasswordDigest="{digest}", Nonce="{nonce}", Created="{at}"'}


# -- Twilio: basic --

def sha1_of_form(secret, url, fields):
    """X-Twilio-Signature."""
    text = url + "".join(k + fields[k] for k in sorted(fields))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def twilio(options, method, url, headers, raw, seen):
    if headers.get("Authorization") != "Basic " + base64.b64encode(f"{options.key}:{options.secret}".encode()).decode():
        refuse("twilio", 20003, "Authenticate", 401)
    if f"/Accounts/{options.key}/" not in url.path:
        refuse("twilio", 20404, "The requested resource was not found", 404)
    p = dict(urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True))
    action = "ask" if method == "GET" else "call" if url.path.endswith("/Calls.json") else "SendSms"
    if action != "ask":
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", p.get("To", "")):
            refuse("twilio", 21211, "The 'To' number is not a valid phone number.")
        if not (p.get("From") or p.get("MessagingServiceSid")):
            refuse("twilio", 21603, "A 'From' phone number is required.")
    if action == "SendSms" and not 0 < len(p.get("Body", "")) <= 1600:
        refuse("twilio", 21617 if p.get("Body") else 21602, "Body")
    return dict(vendor="twilio", action=action, to=p.get("To", ""), **{"from": p.get("From")}, text=p.get("Body") or p.get("Twiml"),
                receipts=p.get("StatusCallback"), sid=url.path.rsplit("/", 1)[-1].removesuffix(".json"))


# -- the server --

def reader_of(url, headers):
    if headers.get("x-acs-action"):
        return aliyun
    if headers.get("X-TC-Action"):
        return tencent
    return twilio if url.path.startswith("/2010-04-01/") else huawei


class Limits:
    """At most so many for a key in a span, by (words, seconds, number)."""

    def __init__(self, *rows):
        self.rows, self.taken = rows, collections.defaultdict(list)

    def reached(self, key):
        now = time.monotonic()
        for words, seconds, most in self.rows:
            if most and sum(now - t < seconds for t in self.taken[key]) >= most:
                return words, most
        self.taken[key].append(now)
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, method):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        server = self.server
        try:
            with server.lock:
                told = reader_of(url, self.headers)(server.options, method, url, self.headers, raw, server.nonces)
                status, body = server.take(told)
        except Refused as r:
            status, body = r.status, r.body
            print(f"refused: {json.dumps(body, ensure_ascii=False)}", file=sys.stderr, flush=True)
        except (KeyError, ValueError, TypeError, IndexError) as e:
            status, body = 400, {"Code": "InvalidParameter", "Message": repr(e)}
            print(f"refused: {e!r}", file=sys.stderr, flush=True)
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        self.answer("POST")

    def do_GET(self):
        self.answer("GET")

    def log_message(self, *args):
        pass


def parser_of(doc, port):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--key", default="key0", help="AccessKey ID, SecretId, app key or account SID")
    parser.add_argument("--secret", default="secret0")
    parser.add_argument("--template", help="take no other")
    parser.add_argument("--fail", metavar="CODE", help="answer everything with it")
    return parser


def serve(options, take):
    server = http.server.ThreadingHTTPServer((options.host, options.port), Handler)
    server.daemon_threads = True
    server.options, server.take, server.nonces, server.lock = options, take, set(), threading.Lock()
    print(f"http://{options.host}:{server.server_address[1]}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


def record(told):
    print(json.dumps({k: v for k, v in told.items() if v and k not in ("parameters", "sid", "receipts")}, ensure_ascii=False), flush=True)
