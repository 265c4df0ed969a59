/* sms.c - text messages to telephones, through Alibaba Cloud, Tencent Cloud, Huawei Cloud or Twilio.
 *
 * Source   ecosystem.md 1.8; receivers/phone has the vendors.
 */
#include "phone.h"

static const struct conf_key keys[] = {
    CONF_KEY(struct phone_conf, provider, CONF_WORD, "who carries the message",
             .words = phone_providers, .flags = CONF_REQUIRED),
    CONF_KEY(struct phone_conf, api_url, CONF_URL,
             "address of the API; the vendor's when not given", .flags = CONF_SLASH),
    CONF_KEY(struct phone_conf, key_id, CONF_STRING,
             "AccessKey ID, SecretId, app key or account SID", .flags = CONF_REQUIRED),
    CONF_KEY(struct phone_conf, secret_key, CONF_SECRET, "the secret that goes with it",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct phone_conf, region, CONF_STRING, "tencent: region; ap-guangzhou"),
    CONF_KEY(struct phone_conf, app_id, CONF_STRING, "tencent: SmsSdkAppId"),
    CONF_KEY(struct phone_conf, sign_name, CONF_STRING, "approved signature; not of twilio"),
    CONF_KEY(struct phone_conf, from, CONF_STRING,
             "huawei: channel number; twilio: number, or MG... of a messaging service"),
    CONF_KEY(struct phone_conf, template, CONF_STRING, "approved template; not of twilio"),
    CONF_KEY(struct phone_conf, parameters, CONF_STRING_MAP,
             "its variables by name, or by place from \"1\" on; templates"),
    CONF_KEY(struct phone_conf, max_length, CONF_INT,
             "characters of a variable; 0 = as many as the vendor takes", .min = 0, .max = 500),
    CONF_KEY(struct phone_conf, text, CONF_TEMPLATE,
             "twilio: text; unset: {{ template \"sms.default.text\" . }}"),
    CONF_KEY(struct phone_conf, numbers, CONF_STRINGS,
             "telephones, +CC-number abroad; templates, commas part several",
             .flags = CONF_ADDRESS),
    CONF_KEY(struct phone_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = a minute"),
    CONF_KEYS_END,
};

static const struct conf_type sms_conf_type = {
    .name = "sms_config",
    .doc = "Text messages",
    .keys = keys,
    .size = sizeof(struct phone_conf),
};

static void sms_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    (void)view;
    phone_check(c, conf, false);
}

static enum delivery_verdict sms_step(struct delivery *d)
{
    return phone_step(d, false);
}

static bool sms_costs(const void *conf)
{
    (void)conf;
    return true;
}

/* Of a resolved alert it says nothing unless it is asked to: each message costs, and an approved text says that something is wrong. */
const struct receiver_type sms_receiver = {
    .name = "sms",
    .config_key = "sms_configs",
    .doc = "Text messages",
    .conf = &sms_conf_type,
    .send_resolved_default = false,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_PERSON,
    .pace = {.limits = {{50, 24 * NS_PER_H}}}, /* of Aliyun: to a number by a template */
    .check = sms_check,
    .costs = sms_costs,
    .step = sms_step,
};
