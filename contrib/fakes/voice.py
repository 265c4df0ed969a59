#!/usr/bin/env python3
"""Telephone calls of Aliyun, Tencent, Huawei and Twilio that ring nowhere: to try a configuration and to test without the network.

    contrib/fakes/voice.py --port 8064 --key LTAI5tExample --secret s --unanswered 1

and in the configuration

    voice_configs:
      - provider: aliyun            # or another: it sees which
        api_url: http://127.0.0.1:8064
        key_id: LTAI5tExample
        secret_key: s
        ...

It checks what the vendors check: the signature and its time, templates (--template) and their variables, numbers, and how many calls a
number gets: --per-minute 1, --per-hour 5, --per-day 20, as Aliyun has it (0 = no limit; --minute SECONDS makes all of that faster). It prints every call it takes as one line of
JSON, and answers with each vendor's own codes. A call rings for --rings seconds; then it was answered, but the first --unanswered
calls of each number, or all of --busy NUMBER: what Aliyun and Twilio say when they are asked. Whoever is given an address tells it there, too,
signed as the vendor does: Huawei and Twilio by the call itself (receipt_url), Aliyun and Tencent by --receipts URL, as their consoles are
("tocsin receiver receipts" shows it). --fail CODE answers everything with that
one. With --port 0 the system picks a port; the first line printed is the address.
"""
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from clouds import Limits, parser_of, record, refuse, sha1_of_form, sign_huawei, serve


def receipt(options, vendor, call, number, answered, url):
    """Headers and body of what the vendor posts when a call is over."""
    if vendor == "twilio":
        fields = {"CallSid": call, "AccountSid": options.key, "To": number, "CallStatus": "completed" if answered else "no-answer"}
        return ({"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": sha1_of_form(options.secret, url, fields)},
                urllib.parse.urlencode(fields))
    if vendor == "huawei voice":
        told = {"eventType": "disconnect", "statusInfo": {"sessionId": call, "called": number, "stateCode": 0 if answered else 8003,
                                                          "stateDesc": "released" if answered else "no answer"}}
        return sign_huawei(options.key, options.secret, url), json.dumps(told)
    told = {"tencent": {"voiceprompt_callback": {"callid": call, "mobile": number, "result": "0" if answered else "1"}},
            "aliyun": [{"call_id": call, "callee": number, "status_code": "200000" if answered else "200003",
                        "status_msg": "用户听完语音" if answered else "用户未应答", "duration": "11" if answered else "0"}]}[vendor]
    return {"Content-Type": "application/json"}, json.dumps(told, ensure_ascii=False)


def tell(options, seconds, *what):
    """Posts it when the call is over, and prints what came back."""
    def post():
        time.sleep(seconds)
        headers, body = receipt(options, *what)
        try:
            with urllib.request.urlopen(urllib.request.Request(what[-1], body.encode(), headers), timeout=10) as answer:
                said = answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            said = e.code, ""
        except OSError as e:
            said = 0, str(e)
        print(f"receipt of {what[1]}: {said[0]} {said[1]}", file=sys.stderr, flush=True)
    threading.Thread(target=post, daemon=True).start()


def main():
    parser = parser_of(__doc__, 8064)
    parser.add_argument("--per-minute", type=int, default=1)
    parser.add_argument("--per-hour", type=int, default=5)
    parser.add_argument("--per-day", type=int, default=20)
    parser.add_argument("--minute", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--rings", type=float, default=5, metavar="SECONDS")
    parser.add_argument("--unanswered", type=int, default=0, metavar="CALLS")
    parser.add_argument("--receipts", metavar="URL", help="of Aliyun and Tencent: where how calls went is told")
    parser.add_argument("--busy", action="append", default=[], metavar="NUMBER", help="may be given several times")
    options = parser.parse_args()
    limits = Limits(*((name, n * options.minute, most) for name, n, most in
                      (("minute", 1, options.per_minute), ("hour", 60, options.per_hour), ("day", 1440, options.per_day))))
    words = {"minute": "分钟级", "hour": "小时级", "day": "天级"}
    calls, made = {}, {}  # by id: (number, when, answered); by number: how many

    def asked(vendor, call):
        number, at, answered = calls.get(call, (None, 0, False))
        is_over = time.monotonic() - at >= options.rings
        if vendor == "twilio":
            if number is None:
                refuse(vendor, 20404, "no such call", 404)
            return 200, {"sid": call, "status": "ringing" if not is_over else "completed" if answered else "no-answer"}
        if number is None or not is_over:
            return 200, {"Code": "OK", "Message": "OK", "RequestId": "fake", "Data": ""}
        data = {"callId": call, "callee": number, "state": "200000" if answered else "200003",
                "stateDesc": "用户接听" if answered else "用户未应答", "duration": 11 if answered else 0}
        return 200, {"Code": "OK", "Message": "OK", "RequestId": "fake", "Data": json.dumps(data, ensure_ascii=False)}

    def take(told):
        vendor, to = told["vendor"], told["to"]
        if options.fail:
            refuse(vendor, options.fail, "as asked by --fail")
        if told["action"] == "ask":
            return asked(vendor, told["sid"])
        if told["action"] == "QueryCallDetailByCallId":
            if told["parameters"].get("ProdId") != "11000000300006" or not told["parameters"].get("QueryDate", "").isdigit():
                refuse(vendor, "isv.INVALID_PARAMETERS", "ProdId, QueryDate")
            return asked(vendor, told["parameters"].get("CallId"))
        if told["action"] not in ("SingleCallByTts", "SendTts", "call"):
            refuse(vendor, "InvalidAction.NotFound", told["action"])
        if options.template and vendor != "twilio" and told["template"] != options.template:
            refuse(vendor, {"aliyun": "isv.TTS_TEMPLATE_ILLEGAL", "tencent": "FailedOperation.TemplateIncorrectOrUnapproved"}.get(vendor, "1012005"),
                   "template")
        reached = limits.reached(to)
        if reached and vendor == "aliyun":
            refuse(vendor, "isv.BUSINESS_LIMIT_CONTROL", f"触发{words[reached[0]]}流控Permits:{reached[1]}", 200)
        if reached:
            refuse(vendor, {"tencent": "LimitExceeded.DeliveryFrequencyLimit", "twilio": 20429}.get(vendor, "1010010"), "limit",
                   429 if vendor == "twilio" else None)
        record(told)
        made[to] = made.get(to, 0) + 1
        call = f"fake^{len(calls) + 1}" if vendor == "aliyun" else f"CAfake{len(calls) + 1}"
        answered = to not in options.busy and made[to] > options.unanswered
        calls[call] = to, time.monotonic(), answered
        url = told.get("receipts") or (options.receipts if vendor in ("aliyun", "tencent") else None)
        if url:
            tell(options, options.rings, vendor, call, to, answered, url)
        return {"aliyun": (200, {"Code": "OK", "Message": "OK", "CallId": call, "RequestId": "fake"}),
                "tencent": (200, {"Response": {"SendStatus": {"CallId": call, "SessionContext": ""}, "RequestId": "fake"}}),
                "huawei voice": (200, {"resultcode": "0", "resultdesc": "Success", "sessionId": call}),
                "twilio": (201, {"sid": call, "status": "queued"})}[vendor]

    serve(options, take)


if __name__ == "__main__":
    main()
