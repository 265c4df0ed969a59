#!/usr/bin/env python3
"""Text messages of Aliyun, Tencent, Huawei and Twilio that go nowhere: to try a configuration and to test without the network.

    contrib/fakes/sms.py --port 8063 --key LTAI5tExample --secret s

and in the configuration

    sms_configs:
      - provider: aliyun            # or another: it sees which
        api_url: http://127.0.0.1:8063
        access_key: LTAI5tExample
        secret_key: s
        ...

It checks what the vendors check: the signature and its time, names, templates (--template) and their variables (length, addresses,
dots), numbers, and how many go to one number (--per-minute, --per-hour, --per-day; 0 = no limit). It prints every message it takes as
one line of JSON, and answers with each vendor's own codes. --fail CODE answers everything with that one. With --port 0 the system
picks a port; the first line printed is the address.
"""
from clouds import Limits, parser_of, record, refuse, serve


def main():
    parser = parser_of(__doc__, 8063)
    parser.add_argument("--sign-name", help="take no other")
    parser.add_argument("--per-minute", type=int, default=0)
    parser.add_argument("--per-hour", type=int, default=0)
    parser.add_argument("--per-day", type=int, default=50, help="to a number by a template")
    options = parser.parse_args()
    limits = Limits(("minute", 60, options.per_minute), ("hour", 3600, options.per_hour), ("day", 86400, options.per_day))
    words = {"minute": "分钟级", "hour": "小时级", "day": "天级"}

    def status_of_tencent(code, message, to):
        return 200, {"Response": {"SendStatusSet": [{"SerialNo": "fake", "PhoneNumber": to, "Fee": 1, "Code": code, "Message": message,
                                                     "IsoCode": "CN"}], "RequestId": "fake"}}

    def take(told):
        vendor, to = told["vendor"], told["to"]
        if told["action"] != "SendSms":
            refuse(vendor, "InvalidAction.NotFound", told["action"])
        if options.fail:
            refuse(vendor, options.fail, "as asked by --fail")
        if options.template and vendor != "twilio" and told["template"] != options.template:
            refuse(vendor, {"aliyun": "isv.SMS_TEMPLATE_ILLEGAL", "tencent": "FailedOperation.TemplateIncorrectOrUnapproved",
                            "huawei": "E200030"}[vendor], "template")
        if options.sign_name and vendor != "twilio" and told["sign_name"] != options.sign_name:
            refuse(vendor, {"aliyun": "isv.SMS_SIGNATURE_ILLEGAL", "tencent": "FailedOperation.SignatureIncorrectOrUnapproved",
                            "huawei": "E200033"}[vendor], "sign_name")
        if not to.lstrip("+").isdigit():
            refuse(vendor, {"aliyun": "isv.MOBILE_NUMBER_ILLEGAL", "tencent": "InvalidParameterValue.IncorrectPhoneNumber"}.get(vendor, "E000510"),
                   to)
        reached = limits.reached((to, told.get("template")))
        if reached and vendor == "aliyun":
            refuse(vendor, "isv.BUSINESS_LIMIT_CONTROL", f"触发{words[reached[0]]}流控Permits:{reached[1]}", 200)
        if reached and vendor == "tencent":
            code = {"minute": "PhoneNumberThirtySecondLimit", "hour": "PhoneNumberOneHourLimit", "day": "PhoneNumberDailyLimit"}[reached[0]]
            return status_of_tencent("LimitExceeded." + code, "limit", to)
        if reached:
            refuse(vendor, 20429 if vendor == "twilio" else "E200048", "limit", 429 if vendor == "twilio" else 400)
        record(told)
        return {"aliyun": (200, {"Code": "OK", "Message": "OK", "BizId": "fake^0", "RequestId": "fake"}),
                "tencent": status_of_tencent("Ok", "send success", to),
                "huawei": (200, {"code": "000000", "description": "Success",
                                 "result": [{"originTo": to, "from": told.get("from"), "smsMsgId": "fake", "status": "000000"}]}),
                "twilio": (201, {"sid": "SMfake", "status": "queued", "to": to, "error_code": None})}[vendor]

    serve(options, take)


if __name__ == "__main__":
    main()
