/* voice.c - telephone calls that read a text, through Alibaba Cloud, Tencent Cloud, Huawei Cloud or Twilio.
 *
 * A call is told when it was answered, where the vendor can be asked or says so by itself; else when the vendor has taken it.
 *
 * Source   ecosystem.md 1.8; receivers/phone has the vendors.
 */
#include "phone.h"

static const struct conf_key keys[] = {
    CONF_KEY(struct phone_conf, provider, CONF_WORD, "who calls", .words = phone_providers,
             .flags = CONF_REQUIRED),
    CONF_KEY(struct phone_conf, api_url, CONF_URL,
             "address of the API; the vendor's when not given", .flags = CONF_SLASH),
    CONF_KEY(struct phone_conf, receipt_url, CONF_URL,
             "where the vendor reaches this server, to tell how calls went; see `tocsin receiver "
             "receipts`",
             .flags = CONF_SLASH | CONF_NOT_ADDRESS),
    CONF_KEY(struct phone_conf, key_id, CONF_STRING,
             "AccessKey ID, SecretId, app key or account SID", .flags = CONF_REQUIRED),
    CONF_KEY(struct phone_conf, secret_key, CONF_SECRET, "the secret that goes with it",
             .flags = CONF_PATH_FIXED),
    CONF_KEY(struct phone_conf, region, CONF_STRING, "tencent: region; ap-guangzhou"),
    CONF_KEY(struct phone_conf, app_id, CONF_STRING, "tencent: VoiceSdkAppid"),
    CONF_KEY(struct phone_conf, from, CONF_STRING,
             "number that is shown; of aliyun one of several, when not given"),
    CONF_KEY(struct phone_conf, template, CONF_STRING, "approved template; not of twilio"),
    CONF_KEY(struct phone_conf, parameters, CONF_STRING_MAP,
             "its variables by name, or by place from \"1\" on; templates"),
    CONF_KEY(struct phone_conf, max_length, CONF_INT,
             "characters of a variable; 0 = as many as the vendor takes", .min = 0, .max = 500),
    CONF_KEY(struct phone_conf, text, CONF_TEMPLATE,
             "twilio: what is said; unset: {{ template \"voice.default.text\" . }}"),
    CONF_KEY(struct phone_conf, language, CONF_STRING, "twilio: of what is said: zh-CN, en-US"),
    CONF_KEY(struct phone_conf, play_times, CONF_INT, "how often it is said, 1 to 3", .text = "2",
             .min = 1, .max = 3),
    CONF_KEY(struct phone_conf, numbers, CONF_STRINGS,
             "telephones, +CC-number abroad; templates, commas part several",
             .flags = CONF_ADDRESS),
    CONF_KEY(struct phone_conf, calls, CONF_INT,
             "calls to a number that nobody answers, a minute apart; 0 = until somebody does",
             .text = "3", .min = 0, .max = 100),
    CONF_KEY(struct phone_conf, answer_within, CONF_DURATION,
             "after it a call of which nothing is known counts as unanswered", .text = "2m",
             .flags = CONF_NOT_NEGATIVE),
    CONF_KEY(struct phone_conf, timeout, CONF_GO_DURATION, "limit for one request, 0 = a minute"),
    CONF_KEYS_END,
};

static const struct conf_type voice_conf_type = {
    .name = "voice_config",
    .doc = "Telephone calls",
    .keys = keys,
    .size = sizeof(struct phone_conf),
};

static void voice_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    (void)view;
    phone_check(c, conf, true);
}

static enum delivery_verdict voice_step(struct delivery *d)
{
    return phone_step(d, true);
}

static bool voice_costs(const void *conf)
{
    (void)conf;
    return true;
}

const struct receiver_type voice_receiver = {
    .name = "voice",
    .config_key = "voice_configs",
    .doc = "Telephone calls",
    .conf = &voice_conf_type,
    .send_resolved_default = false,
    .is_ours = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_PERSON,
    /* of Aliyun: to a number */
    .pace = {.limits = {{1, NS_PER_M}, {5, NS_PER_H}, {20, 24 * NS_PER_H}}},
    .check = voice_check,
    .costs = voice_costs,
    .step = voice_step,
    .receipt_url = phone_receipt_url,
    .receipts = phone_receipts,
};
