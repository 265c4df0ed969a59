/* aliyun.c - Alibaba Cloud: messages (dysmsapi) and calls (dyvmsapi) of a template that was approved beforehand.
 *
 * Source   https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature (ACS3-HMAC-SHA256); SendSms,
 *          SingleCallByTts, QueryCallDetailByCallId of version 2017-05-25 and their error codes;
 *          https://help.aliyun.com/zh/vms/developer-reference/voicereport-4 (what it pushes).
 */
#include "phone.h"

enum { ALIYUN_PAIRS = 8, ALIYUN_HEADERS = 6 };

static str aliyun_query(struct delivery *d, struct delivery_pair *v, size_t n)
{
    struct buf b = BUF_INIT;

    delivery_sort_pairs(v, n);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%s%.*s=%.*s", i != 0 ? "&" : "", STR(v[i].key),
                 STR(delivery_escape_query(d, v[i].value)));
    return arena_take(d->arena, &b);
}

/* Everything is in the query, the body is empty. */
static bool aliyun_request(struct delivery *d, const struct phone_way *way, const char *action,
                           str nonce, struct delivery_pair *v, size_t n)
{
    static const char names[] = "host;x-acs-action;x-acs-content-sha256;x-acs-date;"
                                "x-acs-signature-nonce;x-acs-version";
    const struct phone_conf *k = d->conf;
    struct http_header *h = arena_array(d->arena, ALIYUN_HEADERS, sizeof(*h));
    struct delivery_place at = delivery_place_of(phone_url(k, way));
    str query = aliyun_query(d, v, n), hash = delivery_hash(d, STR_NONE), secret, text;

    if (!phone_secret(d, &secret))
        return false;
    h[0] = (struct http_header){S("x-acs-action"), str_of(action)};
    h[1] = (struct http_header){S("x-acs-content-sha256"), hash};
    h[2] = (struct http_header){S("x-acs-date"), phone_time(d, "%Y-%m-%dT%H:%M:%SZ")};
    h[3] = (struct http_header){S("x-acs-signature-nonce"), nonce};
    h[4] = (struct http_header){S("x-acs-version"), S("2017-05-25")};
    text =
        arena_printf(d->arena,
                     "POST\n%.*s\n%.*s\nhost:%.*s\nx-acs-action:%.*s\nx-acs-content-sha256:%.*s\n"
                     "x-acs-date:%.*s\nx-acs-signature-nonce:%.*s\nx-acs-version:%.*s\n\n%s\n%.*s",
                     STR(at.path), STR(query), STR(at.host), STR(h[0].value), STR(h[1].value),
                     STR(h[2].value), STR(h[3].value), STR(h[4].value), names, STR(hash));
    text = arena_printf(d->arena, "ACS3-HMAC-SHA256\n%.*s", STR(delivery_hash(d, text)));
    h[5] = (struct http_header){
        S("Authorization"),
        arena_printf(d->arena, "ACS3-HMAC-SHA256 Credential=%.*s,SignedHeaders=%s,Signature=%.*s",
                     STR(k->key_id), names, STR(delivery_hex(d, delivery_hmac(d, secret, text))))};
    d->request.headers = (struct http_headers){h, ALIYUN_HEADERS};
    d->request.url = arena_printf(d->arena, "%.*s?%.*s", STR(phone_url(k, way)), STR(query));
    return true;
}

/* Of China without the country, of others with it and without the plus sign. */
static str aliyun_number(str to)
{
    if (str_starts_with(to, S("+86")))
        return str_sub(to, 3, to.n);
    return to.p[0] == '+' ? str_sub(to, 1, to.n) : to;
}

static bool aliyun_send(struct delivery *d, str to)
{
    const struct phone_conf *k = d->conf;
    struct delivery_pair v[ALIYUN_PAIRS];
    size_t n = 0;

    v[n++] = (struct delivery_pair){S("PhoneNumbers"), aliyun_number(to)};
    v[n++] = (struct delivery_pair){S("SignName"), k->sign_name};
    v[n++] = (struct delivery_pair){S("TemplateCode"), k->template};
    if (k->parameters.n != 0)
        v[n++] = (struct delivery_pair){S("TemplateParam"), phone_parameters(d)};
    return aliyun_request(d, &phone_aliyun.sms, "SendSms", phone_nonce(d, to), v, n);
}

static bool aliyun_call(struct delivery *d, str to)
{
    const struct phone_conf *k = d->conf;
    struct delivery_pair v[ALIYUN_PAIRS];
    size_t n = 0;

    v[n++] = (struct delivery_pair){S("CalledNumber"), aliyun_number(to)};
    if (k->from.n != 0)
        v[n++] = (struct delivery_pair){S("CalledShowNumber"), k->from};
    if (k->play_times != 0)
        v[n++] = (struct delivery_pair){S("PlayTimes"),
                                        arena_printf(d->arena, "%lld", (long long)k->play_times)};
    v[n++] = (struct delivery_pair){S("TtsCode"), k->template};
    if (k->parameters.n != 0)
        v[n++] = (struct delivery_pair){S("TtsParam"), phone_parameters(d)};
    return aliyun_request(d, &phone_aliyun.call, "SingleCallByTts", phone_nonce(d, to), v, n);
}

static bool aliyun_ask(struct delivery *d, str call, ts_ns at)
{
    struct delivery_pair v[ALIYUN_PAIRS];
    size_t n = 0;

    v[n++] = (struct delivery_pair){S("CallId"), call};
    v[n++] = (struct delivery_pair){S("ProdId"), S("11000000300006")}; /* voice notifications */
    v[n++] = (struct delivery_pair){S("QueryDate"),
                                    arena_printf(d->arena, "%lld", (long long)(at / NS_PER_MS))};
    return aliyun_request(d, &phone_aliyun.call, "QueryCallDetailByCallId", phone_nonce(d, call), v,
                          n);
}

/* -- the answers -- */

static const struct phone_code aliyun_codes[] = {
    {"Throttling*", PHONE_LATER, 2 * NS_PER_S, FAILURE_RATE_LIMITED, "Aliyun is asked too often"},
    {"ServiceUnavailable*", PHONE_LATER, 0, FAILURE_SERVER, "Aliyun is busy"},
    {"InternalError*", PHONE_LATER, 0, FAILURE_SERVER, "Aliyun has a fault"},
    {"isp.SYSTEM_ERROR", PHONE_LATER, 0, FAILURE_SERVER, "Aliyun has a fault"},
    {"isp.UNKNOWN_ERR_CODE", PHONE_LATER, 0, FAILURE_SERVER, "Aliyun has a fault"},
    {"isp.GATEWAY_ERROR", PHONE_LATER, 0, FAILURE_SERVER, "Aliyun has a fault"},
    {"SignatureNonceUsed", PHONE_LATER, 0, FAILURE_OTHER, "sent twice"},
    {"isv.DAY_LIMIT_CONTROL", PHONE_NEVER, 0, FAILURE_RATE_LIMITED,
     "the limit of a day that is set for the account is reached: raise it in its console"},
    {"isv.MONTH_LIMIT_CONTROL", PHONE_NEVER, 0, FAILURE_RATE_LIMITED,
     "the limit of a month that is set for the account is reached: raise it in its console"},
    {"isv.AMOUNT_NOT_ENOUGH", PHONE_NEVER, 0, FAILURE_CLIENT, "the account has no money left"},
    {"isv.OUT_OF_SERVICE", PHONE_NEVER, 0, FAILURE_CLIENT,
     "the account is stopped, as it has no money left"},
    {"isv.PRODUCT_UN*", PHONE_NEVER, 0, FAILURE_AUTH,
     "the account has not ordered this product: activate it in the console"},
    {"isv.ACCOUNT_*", PHONE_NEVER, 0, FAILURE_AUTH, "the account is unknown or blocked"},
    {"isv.DENY_IP_RANGE", PHONE_NEVER, 0, FAILURE_AUTH,
     "this machine's address is not allowed: add it in the console"},
    {"isp.RAM_PERMISSION_DENY", PHONE_NEVER, 0, FAILURE_AUTH,
     "the user of \"key_id\" lacks the right to do this: give it in RAM"},
    {"Forbidden*", PHONE_NEVER, 0, FAILURE_AUTH,
     "the user of \"key_id\" lacks the right to do this: give it in RAM"},
    {"NoPermission*", PHONE_NEVER, 0, FAILURE_AUTH,
     "the user of \"key_id\" lacks the right to do this: give it in RAM"},
    {"InvalidAccessKeyId*", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" is wrong"},
    {"SignatureDoesNotMatch", PHONE_NEVER, 0, FAILURE_AUTH,
     "\"secret_key\" is not that of \"key_id\""},
    {"isv.SMS_TEMPLATE_ILLEGAL", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"template\" is no approved template of the account"},
    {"isv.TTS_TEMPLATE_ILLEGAL", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"template\" is no approved template of the account"},
    {"isv.SMS_SIGN*", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"sign_name\" is no approved signature of the account"},
    {"isv.DISPLAY_NUMBER_ILLEGAL", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"from\" is no number that the account has bought"},
    {"isv.TEMPLATE_MISSING_PARAMETERS", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"parameters\" lacks a variable of the template"},
    {"isv.TEMPLATE_PARAMS_ILLEGAL", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable is not of the kind that the template wants: see \"parameters\""},
    {"isv.PARAM_LENGTH_LIMIT", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable is too long: set \"max_length\""},
    {"isv.PARAM_NOT_SUPPORT_URL", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable has an address in it: see \"parameters\""},
    {"isv.BLACK_KEY_CONTROL_LIMIT", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable has a word that is not allowed: see \"parameters\""},
    {"isv.MOBILE_NUMBER_ILLEGAL", PHONE_NEVER, 0, FAILURE_CLIENT, "no telephone number"},
    {"isv.CALLED_NUMBER_ILLEGAL", PHONE_NEVER, 0, FAILURE_CLIENT, "no telephone number"},
    {"isv.DOMESTIC_NUMBER_NOT_SUPPORTED", PHONE_NEVER, 0, FAILURE_CLIENT,
     "the template is for numbers outside of China"},
    {NULL, PHONE_NEVER, 0, FAILURE_CLIENT, NULL},
};

static bool aliyun_says(str text, const char *zh, const char *en)
{
    return str_find_str(text, str_of(zh)) >= 0 || str_find_str(text, str_of(en)) >= 0;
}

/* The limit of a number, which is one for a minute, an hour and a day each; only the words tell which. What they do not tell
 * is for good of a message, while a call waits for its minute. */
static enum phone_outcome aliyun_limit(struct delivery *d, str code, str msg, bool calls)
{
    bool minute = aliyun_says(msg, "分钟", "minute"), hour = aliyun_says(msg, "小时", "hour"),
         day = aliyun_says(msg, "天级", "day");
    const struct phone_code row[] = {
        {NULL, PHONE_LATER, hour ? 5 * NS_PER_M : NS_PER_M, FAILURE_RATE_LIMITED,
         "so many go to a number in a minute and an hour, and no more"},
        {NULL, PHONE_NEVER, 0, FAILURE_RATE_LIMITED,
         "no more go to this number today: its limit is set in the console"}};

    return phone_by_code(d, row + !(minute || hour || (calls && !day)), code, msg);
}

/* Code, Message and one more; false: the outcome is *o. */
static bool aliyun_read(struct delivery *d, bool calls, const char *more, str *value,
                        enum phone_outcome *o)
{
    const char *const names[] = {"Code", "Message", more};
    str v[ARRAY_LEN(names)];

    if (d->lost || !delivery_answer_read(d, names, v, ARRAY_LEN(names)) || v[0].n == 0) {
        *o = phone_by_status(d);
        return false;
    }
    *value = v[2];
    if (str_is(v[0], "OK"))
        return true;
    if (str_is(v[0], "isv.BUSINESS_LIMIT_CONTROL"))
        *o = aliyun_limit(d, v[0], v[1], calls);
    else
        *o = phone_by_code(d, aliyun_codes, v[0], v[1]);
    if (str_starts_with(v[0], S("InvalidTimeStamp")))
        err_set(&d->err, ERR_IO,
                "set this machine's clock (NTP): Aliyun's says \"%.*s\" (%.*s: %.*s)",
                STR(http_header_get(&d->answer->headers, S("Date"))), STR(v[0]),
                STR(str_sub(v[1], 0, 200)));
    return false;
}

static enum phone_outcome aliyun_sent(struct delivery *d, str *call)
{
    enum phone_outcome o = PHONE_TOLD;
    str id;

    (void)call;
    (void)aliyun_read(d, false, "BizId", &id, &o);
    return o;
}

static enum phone_outcome aliyun_called(struct delivery *d, str *call)
{
    enum phone_outcome o = PHONE_CALLED;

    (void)aliyun_read(d, true, "CallId", call, &o);
    return o;
}

/* Who has hung up before the end has taken it, too. */
static bool aliyun_is_answered(str state, uint64_t seconds)
{
    return seconds != 0 || str_is(state, "200000") || str_is(state, "200001");
}

/* A record has a state once the call is over; one that was answered has lasted. */
static enum phone_outcome aliyun_asked(struct delivery *d)
{
    static const char *const names[] = {"state", "stateDesc", "duration"};
    enum phone_outcome o = PHONE_RINGS;
    str data, v[ARRAY_LEN(names)];
    uint64_t seconds = 0;

    if (!aliyun_read(d, true, "Data", &data, &o))
        return o == PHONE_NEVER && d->failure != FAILURE_AUTH ? PHONE_RINGS : o; /* none yet */
    if (data.n == 0 || !delivery_json_read(d, data, names, v, ARRAY_LEN(names)))
        return PHONE_RINGS;
    (void)str_to_u64(v[2], &seconds);
    if (aliyun_is_answered(v[0], seconds))
        return PHONE_TOLD;
    if (v[0].n == 0)
        return PHONE_RINGS;
    err_set(&d->err, ERR_IO, "%.*s (%.*s)", STR(str_sub(v[1], 0, 80)), STR(str_sub(v[0], 0, 20)));
    return PHONE_UNANSWERED;
}

/* What its console has been told to push (VoiceReport): [{"call_id", "status_code", "status_msg", "duration"}]. What lies between
 * (VoiceCallReport) has no duration. It signs nothing. */
static enum receipts_verdict aliyun_receipts(struct delivery *d, str url, struct receipts *out)
{
    static const char *const names[] = {"call_id", "status_code", "status_msg", "duration"};
    str items[RECEIPTS_MAX], v[ARRAY_LEN(names)];
    size_t n = delivery_answer_items(d, items, RECEIPTS_MAX);

    (void)url;
    out->reply = S("{\"code\":0,\"msg\":\"OK\"}");
    if (n == 0) {
        err_set(&d->err, ERR_INVALID, "no JSON list");
        return RECEIPTS_UNREADABLE;
    }
    for (size_t i = 0; i < n && i < RECEIPTS_MAX; i++) {
        uint64_t seconds = 0;

        if (!delivery_json_read(d, items[i], names, v, ARRAY_LEN(names)) || v[3].n == 0)
            continue;
        (void)str_to_u64(v[3], &seconds);
        phone_receipt(out, v[0], aliyun_is_answered(v[1], seconds),
                      arena_printf(d->arena, "%.*s (%.*s)", STR(v[2]), STR(v[1])));
    }
    return RECEIPTS_READ;
}

static const char *const aliyun_not[] = {"http://", "", "https://", "", NULL};

const struct phone_vendor phone_aliyun = {
    .name = "aliyun",
    .title = "Aliyun",
    .has_template = true,
    .is_named = true,
    .max_length = 35,
    .not_in_parameters = aliyun_not,
    .sms = {.url = "https://dysmsapi.aliyuncs.com/", .send = aliyun_send, .sent = aliyun_sent},
    .call = {.url = "https://dyvmsapi.aliyuncs.com/",
             .send = aliyun_call,
             .sent = aliyun_called,
             .ask = aliyun_ask,
             .asked = aliyun_asked,
             .receipts = aliyun_receipts},
};
