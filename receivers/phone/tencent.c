/* tencent.c - Tencent Cloud: messages (SMS) and calls (VMS) of a template that was approved beforehand. How a call went it tells
 * by callback only, at the address that its console has been given; it signs nothing there.
 *
 * Source   https://cloud.tencent.com/document/product/1128/51534, 51536 (what it posts);   https://cloud.tencent.com/document/api/382/52072 (TC3-HMAC-SHA256), SendSms of version 2021-01-11, SendTts of 2020-09-02
 *          and their error codes.
 */
#include "phone.h"
#include "tocsin/json.h"

enum { TENCENT_HEADERS = 6 };

static str tencent_signature(struct delivery *d, str secret, str service, str host, str path,
                             str day)
{
    str scope = arena_printf(d->arena, "%.*s/%.*s/tc3_request", STR(day), STR(service)), key, text;

    text = arena_printf(
        d->arena,
        "POST\n%.*s\n\ncontent-type:application/json\nhost:%.*s\n\ncontent-type;host\n%.*s",
        STR(path), STR(host), STR(delivery_hash(d, d->request.body)));
    text = arena_printf(d->arena, "TC3-HMAC-SHA256\n%lld\n%.*s\n%.*s",
                        (long long)(d->now / NS_PER_S), STR(scope), STR(delivery_hash(d, text)));
    key = delivery_hmac(d, arena_printf(d->arena, "TC3%.*s", STR(secret)), day);
    key = delivery_hmac(d, delivery_hmac(d, key, service), S("tc3_request"));
    return delivery_hex(d, delivery_hmac(d, key, text));
}

static bool tencent_request(struct delivery *d, const struct phone_way *way, const char *action,
                            const char *version, str service, struct buf *body)
{
    const struct phone_conf *k = d->conf;
    struct delivery_place at = delivery_place_of(phone_url(k, way));
    struct http_header *h = arena_array(d->arena, TENCENT_HEADERS, sizeof(*h));
    str day = phone_time(d, "%Y-%m-%d"), secret;

    d->request.body = arena_take(d->arena, body);
    if (!phone_secret(d, &secret))
        return false;
    d->request.url = phone_url(k, way);
    h[0] = (struct http_header){S("Content-Type"), S("application/json")};
    h[1] = (struct http_header){S("X-TC-Action"), str_of(action)};
    h[2] = (struct http_header){S("X-TC-Region"), k->region.n != 0 ? k->region : S("ap-guangzhou")};
    h[3] = (struct http_header){S("X-TC-Timestamp"),
                                arena_printf(d->arena, "%lld", (long long)(d->now / NS_PER_S))};
    h[4] = (struct http_header){S("X-TC-Version"), str_of(version)};
    h[5] = (struct http_header){
        S("Authorization"),
        arena_printf(d->arena,
                     "TC3-HMAC-SHA256 Credential=%.*s/%.*s/%.*s/tc3_request, "
                     "SignedHeaders=content-type;host, Signature=%.*s",
                     STR(k->key_id), STR(day), STR(service),
                     STR(tencent_signature(d, secret, service, at.host, at.path, day)))};
    d->request.headers = (struct http_headers){h, TENCENT_HEADERS};
    return true;
}

static bool tencent_send(struct delivery *d, str to)
{
    const struct phone_conf *k = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_key(&w, S("PhoneNumberSet"));
    json_open(&w, '[');
    json_put_str(&w, phone_with_country(d, to));
    json_close(&w, ']');
    json_put_text(&w, "SmsSdkAppId", k->app_id);
    json_put_text(&w, "TemplateId", k->template);
    if (k->sign_name.n != 0)
        json_put_text(&w, "SignName", k->sign_name);
    json_key(&w, S("TemplateParamSet"));
    json_put_raw(&w, phone_parameters(d));
    json_close(&w, '}');
    return tencent_request(d, &phone_tencent.sms, "SendSms", "2021-01-11", S("sms"), &b);
}

static bool tencent_call(struct delivery *d, str to)
{
    const struct phone_conf *k = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "TemplateId", k->template);
    json_put_text(&w, "CalledNumber", phone_with_country(d, to));
    json_put_text(&w, "VoiceSdkAppid", k->app_id);
    json_key(&w, S("TemplateParamSet"));
    json_put_raw(&w, phone_parameters(d));
    json_key(&w, S("PlayTimes"));
    json_put_i64(&w, k->play_times);
    json_close(&w, '}');
    return tencent_request(d, &phone_tencent.call, "SendTts", "2020-09-02", S("vms"), &b);
}

/* -- the answers -- */

static const struct phone_code tencent_codes[] = {
    {"LimitExceeded.PhoneNumberThirtySecondLimit", PHONE_LATER, 30 * NS_PER_S, FAILURE_RATE_LIMITED,
     "one goes to a number in 30 seconds"},
    {"LimitExceeded.PhoneNumberOneHourLimit", PHONE_LATER, 5 * NS_PER_M, FAILURE_RATE_LIMITED,
     "no more go to this number in an hour: its limit is set in the console"},
    {"LimitExceeded.PhoneNumberDailyLimit", PHONE_NEVER, 0, FAILURE_RATE_LIMITED,
     "no more go to this number today: its limit is set in the console"},
    {"LimitExceeded.PhoneNumberSameContentDailyLimit", PHONE_NEVER, 0, FAILURE_RATE_LIMITED,
     "the same text goes to this number no more today: its limit is set in the console"},
    {"LimitExceeded.DailyLimit", PHONE_NEVER, 0, FAILURE_RATE_LIMITED,
     "the limit of a day is reached: raise it in the console"},
    {"LimitExceeded.AppDailyLimit", PHONE_NEVER, 0, FAILURE_RATE_LIMITED,
     "the limit of a day of \"app_id\" is reached: raise it in the console"},
    {"LimitExceeded.AppMainlandChinaDailyLimit", PHONE_NEVER, 0, FAILURE_RATE_LIMITED,
     "the limit of a day of \"app_id\" is reached: raise it in the console"},
    {"LimitExceeded*", PHONE_LATER, 30 * NS_PER_S, FAILURE_RATE_LIMITED,
     "Tencent takes no more for a while"},
    {"RequestLimitExceeded*", PHONE_LATER, 2 * NS_PER_S, FAILURE_RATE_LIMITED,
     "Tencent is asked too often"},
    {"InternalError*", PHONE_LATER, 0, FAILURE_SERVER, "Tencent has a fault"},
    {"ResourceUnavailable*", PHONE_LATER, 0, FAILURE_SERVER, "Tencent is busy"},
    {"FailedOperation.FailResolvePacket", PHONE_LATER, 0, FAILURE_SERVER, "Tencent has a fault"},
    {"AuthFailure.SecretIdNotFound", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" is wrong"},
    {"AuthFailure.SignatureFailure", PHONE_NEVER, 0, FAILURE_AUTH,
     "\"secret_key\" is not that of \"key_id\""},
    {"AuthFailure.SignatureExpire", PHONE_NEVER, 0, FAILURE_AUTH,
     "set this machine's clock (NTP): it is more than five minutes away from Tencent's"},
    {"AuthFailure*", PHONE_NEVER, 0, FAILURE_AUTH,
     "the user of \"key_id\" lacks the right to do this: give it in CAM"},
    {"UnauthorizedOperation.RequestIpNotInWhitelist", PHONE_NEVER, 0, FAILURE_AUTH,
     "this machine's address is not allowed: add it in the console"},
    {"UnauthorizedOperation.SdkAppIdIsDisabled", PHONE_NEVER, 0, FAILURE_AUTH,
     "\"app_id\" is disabled"},
    {"UnauthorizedOperation*", PHONE_NEVER, 0, FAILURE_AUTH,
     "the account may not do this: see its console"},
    {"InvalidParameterValue.SdkAppIdNotExist", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"app_id\" is wrong"},
    {"UnsupportedRegion", PHONE_NEVER, 0, FAILURE_CLIENT, "\"region\" is wrong"},
    {"FailedOperation.SignatureIncorrectOrUnapproved", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"sign_name\" is no approved signature of the account"},
    {"FailedOperation.Template*", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"template\" is no approved template of the account, or \"parameters\" do not fit it"},
    {"InvalidParameterValue.TemplateParameterLengthLimit", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable is too long: set \"max_length\"; 12 for an account that is no company's"},
    {"InvalidParameterValue.TemplateParameterFormatError", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable is not of the kind that the template wants: see \"parameters\""},
    {"InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable has an address in it: see \"parameters\""},
    {"FailedOperation.ContainSensitiveWord", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable has a word that is not allowed: see \"parameters\""},
    {"FailedOperation.InsufficientBalance*", PHONE_NEVER, 0, FAILURE_CLIENT,
     "what was bought is used up: buy more"},
    {"FailedOperation.PhoneNumberInBlacklist", PHONE_NEVER, 0, FAILURE_CLIENT,
     "whoever has this number wants to hear nothing from you"},
    {"InvalidParameterValue.IncorrectPhoneNumber", PHONE_NEVER, 0, FAILURE_CLIENT,
     "no telephone number"},
    {"InvalidParameterValue.CalledNumber*", PHONE_NEVER, 0, FAILURE_CLIENT, "no telephone number"},
    {NULL, PHONE_NEVER, 0, FAILURE_CLIENT, NULL},
};

/* {"Response": {"Error": {"Code", "Message"}, "SendStatusSet": [{"Code", "Message"}], "SendStatus": {"CallId"}}} */
static enum phone_outcome tencent_read(struct delivery *d, const char *member, str *value)
{
    static const char *const error[] = {"Code", "Message"};
    const char *const names[] = {"Error", member};
    str response, v[ARRAY_LEN(names)], e[ARRAY_LEN(error)];

    if (d->lost || !delivery_answer_member(d, S("Response"), &response) ||
        !delivery_json_read(d, response, names, v, ARRAY_LEN(names)) || v[0].n + v[1].n == 0)
        return phone_by_status(d);
    *value = v[1];
    if (v[0].n == 0)
        return PHONE_TOLD;
    if (!delivery_json_read(d, v[0], error, e, ARRAY_LEN(error)))
        return phone_by_status(d);
    return phone_by_code(d, tencent_codes, e[0], e[1]);
}

static enum phone_outcome tencent_sent(struct delivery *d, str *call)
{
    static const char *const names[] = {"Code", "Message"};
    str list = STR_NONE, v[ARRAY_LEN(names)];
    enum phone_outcome o = tencent_read(d, "SendStatusSet", &list);

    (void)call;
    if (o != PHONE_TOLD)
        return o;
    /* one number, so the list is the one that it has */
    if (!delivery_json_read(d, list, names, v, ARRAY_LEN(names)))
        return phone_by_status(d);
    return str_is(v[0], "Ok") ? PHONE_TOLD : phone_by_code(d, tencent_codes, v[0], v[1]);
}

static enum phone_outcome tencent_called(struct delivery *d, str *call)
{
    static const char *const names[] = {"CallId"};
    str status = STR_NONE;
    enum phone_outcome o = tencent_read(d, "SendStatus", &status);

    if (o != PHONE_TOLD)
        return o;
    (void)delivery_json_read(d, status, names, call, 1);
    return PHONE_CALLED;
}

/* {"voiceprompt_callback": {"callid", "result": "0"}}: answered, "1": not, "2": it went wrong; of those "voice_failure_callback"
 * says before or after why. Of keys that were pressed nobody asked. */
static enum receipts_verdict tencent_receipts(struct delivery *d, str url, struct receipts *out)
{
    static const char *const members[] = {"voiceprompt_callback", "voice_failure_callback"};
    static const char *const names[] = {"callid", "result", "failure_reason"};
    str of[ARRAY_LEN(members)], v[ARRAY_LEN(names)];

    (void)url;
    out->reply = S("{\"result\":0,\"errmsg\":\"OK\"}");
    if (!delivery_answer_read(d, members, of, ARRAY_LEN(members))) {
        err_set(&d->err, ERR_INVALID, "no JSON object");
        return RECEIPTS_UNREADABLE;
    }
    if (of[0].n != 0 && delivery_json_read(d, of[0], names, v, ARRAY_LEN(names)) && v[1].n != 0)
        phone_receipt(out, v[0], str_is(v[1], "0"),
                      str_is(v[1], "1") ? S("nobody took it") : S("it did not get through"));
    if (of[1].n != 0 && delivery_json_read(d, of[1], names, v, ARRAY_LEN(names)))
        phone_receipt(out, v[0], false, v[2].n != 0 ? v[2] : S("it did not get through"));
    return RECEIPTS_READ;
}

static const char *const tencent_not[] = {"http://", "", "https://", "", NULL};

const struct phone_vendor phone_tencent = {
    .name = "tencent",
    .title = "Tencent",
    .has_template = true,
    .wants_app_id = true,
    .max_length = 35,
    .not_in_parameters = tencent_not,
    .sms = {.url = "https://sms.tencentcloudapi.com/", .send = tencent_send, .sent = tencent_sent},
    .call = {.url = "https://vms.tencentcloudapi.com/",
             .send = tencent_call,
             .sent = tencent_called,
             .receipts = tencent_receipts},
};
