/* huawei.c - Huawei Cloud: messages (MSGSMS) and calls (VoiceCall) of a template that was approved beforehand. How a call went it
 * tells by callback only, at the address that each call names.
 *
 * Source   https://support.huaweicloud.com/api-msgsms/sms_05_0001.html (X-WSSE), https://support.huaweicloud.com/api-VoiceCall
 *          (X-AKSK; rtc_05_0014 and rtc_05_0014_1: what it posts), and their codes.
 */
#include <string.h>
#include "phone.h"
#include "tocsin/json.h"

enum { HUAWEI_HEADERS = 3 };

/* Authorization, and the header that proves it: name is "X-WSSE" or "X-AKSK". */
static void huawei_headers(struct delivery *d, str type, const char *scheme, str digest, str nonce,
                           str at)
{
    const struct phone_conf *k = d->conf;
    struct http_header *h = arena_array(d->arena, HUAWEI_HEADERS, sizeof(*h));

    h[0] = (struct http_header){S("Content-Type"), type};
    h[1] = (struct http_header){
        S("Authorization"),
        arena_printf(d->arena, "%s realm=\"SDP\",profile=\"UsernameToken\",type=\"Appkey\"",
                     scheme)};
    h[2] = (struct http_header){
        arena_printf(d->arena, "X-%s", scheme),
        arena_printf(
            d->arena,
            "UsernameToken Username=\"%.*s\",PasswordDigest=\"%.*s\",Nonce=\"%.*s\",Created="
            "\"%.*s\"",
            STR(k->key_id), STR(delivery_base64(d, digest)), STR(nonce), STR(at))};
    d->request.headers = (struct http_headers){h, HUAWEI_HEADERS};
}

static void huawei_add(struct delivery *d, struct buf *b, const char *name, str value)
{
    buf_addf(b, "%s%s=%.*s", b->n != 0 ? "&" : "", name, STR(delivery_escape_form(d, value)));
}

static bool huawei_send(struct delivery *d, str to)
{
    const struct phone_conf *k = d->conf;
    str nonce = phone_nonce(d, to), at = phone_time(d, "%Y-%m-%dT%H:%M:%SZ"), secret;
    struct buf b = BUF_INIT;

    if (!phone_secret(d, &secret))
        return false;
    huawei_add(d, &b, "from", k->from);
    huawei_add(d, &b, "to", phone_with_country(d, to));
    huawei_add(d, &b, "templateId", k->template);
    if (k->parameters.n != 0)
        huawei_add(d, &b, "templateParas", phone_parameters(d));
    if (k->sign_name.n != 0)
        huawei_add(d, &b, "signature", k->sign_name);
    d->request.body = arena_take(d->arena, &b);
    d->request.url =
        arena_printf(d->arena, "%.*ssms/batchSendSms/v1", STR(phone_url(k, &phone_huawei.sms)));
    huawei_headers(d, S("application/x-www-form-urlencoded"), "WSSE",
                   delivery_digest(d, arena_printf(d->arena, "%.*s%.*s%.*s", STR(nonce), STR(at),
                                                   STR(secret))),
                   nonce, at);
    return true;
}

static bool huawei_call(struct delivery *d, str to)
{
    const struct phone_conf *k = d->conf;
    str nonce = phone_nonce(d, to), at = phone_time(d, "%Y-%m-%dT%H:%M:%SZ"), secret, url;
    struct json_writer w;
    struct buf b = BUF_INIT;

    if (!phone_secret(d, &secret))
        return false;
    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_put_text(&w, "displayNbr", phone_with_country(d, k->from));
    json_put_text(&w, "calleeNbr", phone_with_country(d, to));
    json_key(&w, S("playInfoList"));
    json_open(&w, '[');
    for (int64_t i = 0; i < k->play_times; i++) {
        json_open(&w, '{');
        json_put_text(&w, "templateId", k->template);
        json_key(&w, S("templateParas"));
        json_put_raw(&w, phone_parameters(d));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    if (phone_receipt_url(d, &url)) {
        json_put_text(&w, "statusUrl", delivery_base64(d, url));
        json_put_text(&w, "feeUrl", delivery_base64(d, url));
    }
    json_close(&w, '}');
    d->request.body = arena_take(d->arena, &b);
    d->request.url = arena_printf(d->arena, "%.*srest/httpsessions/callnotify/v2.0",
                                  STR(phone_url(k, &phone_huawei.call)));
    huawei_headers(d, S("application/json;charset=UTF-8"), "AKSK",
                   delivery_hmac(d, secret,
                                 arena_printf(d->arena, "%.*s%.*s", STR(nonce), STR(at))),
                   nonce, at);
    return true;
}

/* -- the answers -- */

static const struct phone_code huawei_codes[] = {
    {"E000000", PHONE_LATER, 0, FAILURE_SERVER,
     "Huawei has a fault, or cannot read \"parameters\""},
    {"E200015", PHONE_LATER, NS_PER_M, FAILURE_RATE_LIMITED, "too many messages wait at Huawei"},
    {"E200048", PHONE_LATER, NS_PER_M, FAILURE_RATE_LIMITED, "so many go in a while, and no more"},
    {"E200041", PHONE_NEVER, 0, FAILURE_CLIENT, "the number has this text already"},
    {"E000101", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" or \"secret_key\" is wrong"},
    {"E000102", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" is wrong"},
    {"E000103", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" is not in use any more"},
    {"E000104", PHONE_NEVER, 0, FAILURE_AUTH, "\"secret_key\" is wrong"},
    {"E000105", PHONE_NEVER, 0, FAILURE_AUTH, "\"secret_key\" is not that of \"key_id\""},
    {"E000106", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" has no right to send messages"},
    {"E000110", PHONE_NEVER, 0, FAILURE_AUTH, "set this machine's clock (NTP)"},
    {"E000109", PHONE_NEVER, 0, FAILURE_AUTH, "the account is not in use, or has no money left"},
    {"E000112", PHONE_NEVER, 0, FAILURE_AUTH, "the account is frozen, perhaps without money"},
    {"E0001*", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" and \"secret_key\" are not taken"},
    {"E000620", PHONE_NEVER, 0, FAILURE_AUTH,
     "this machine's address is not allowed: add it to the application in the console"},
    {"E000503", PHONE_NEVER, 0, FAILURE_CLIENT, "something in the request is wrong"},
    {"E200018", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no channel of \"key_id\""},
    {"E200031", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"from\" and \"template\" are not of the same application"},
    {"E200028", PHONE_NEVER, 0, FAILURE_CLIENT,
     "a variable is too long, or not of the kind that the template wants: see \"parameters\" and "
     "\"max_length\""},
    {"E200029", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"from\", \"template\" and \"sign_name\" are not of one kind"},
    {"E200033", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"from\", \"template\" and \"sign_name\" are not of one kind"},
    {"E200030", PHONE_NEVER, 0, FAILURE_CLIENT,
     "\"template\" is no approved template of the account"},
    /* of calls */
    {"1010001", PHONE_LATER, 0, FAILURE_SERVER, "Huawei has a fault"},
    {"1010010", PHONE_LATER, NS_PER_M, FAILURE_RATE_LIMITED, "Huawei takes no more for a minute"},
    {"1020165", PHONE_LATER, NS_PER_M, FAILURE_RATE_LIMITED,
     "\"key_id\" has as many calls as it may: ask Huawei for more ports"},
    {"1010002", PHONE_NEVER, 0, FAILURE_CLIENT, "something in the request is wrong"},
    {"1010008", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" is not in use any more"},
    {"1010023", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no number of the account"},
    {"1012001", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no number of \"key_id\""},
    {"1012006", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no number of the account"},
    {"1012005", PHONE_NEVER, 0, FAILURE_CLIENT, "\"parameters\" are not what the template wants"},
    {"1010040", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" has no right to call"},
    {"1020166", PHONE_NEVER, 0, FAILURE_AUTH,
     "this machine's address is not allowed: add it to the application in the console"},
    {"10100*", PHONE_NEVER, 0, FAILURE_AUTH,
     "\"key_id\", \"secret_key\" or this machine's clock is wrong, or the account is not in "
     "use"},
    {NULL, PHONE_NEVER, 0, FAILURE_CLIENT, NULL},
};

/* {"code": "000000", "description", "result": [{"status": "000000"}]}: what is wrong with the one number is its status. */
static enum phone_outcome huawei_sent(struct delivery *d, str *call)
{
    static const char *const names[] = {"code", "description"}, *const inner[] = {"status"};
    str v[ARRAY_LEN(names)], result[1], status;

    (void)call;
    if (d->lost || !delivery_answer_read(d, names, v, ARRAY_LEN(names)) || v[0].n == 0)
        return phone_by_status(d);
    if (delivery_answer_list(d, "result", result, 1) != 0 &&
        delivery_json_read(d, result[0], inner, &status, 1) && status.n != 0)
        v[0] = status;
    return str_is(v[0], "000000") ? PHONE_TOLD : phone_by_code(d, huawei_codes, v[0], v[1]);
}

static enum phone_outcome huawei_called(struct delivery *d, str *call)
{
    static const char *const names[] = {"resultcode", "resultdesc", "sessionId"};
    str v[ARRAY_LEN(names)];

    if (d->lost || !delivery_answer_read(d, names, v, ARRAY_LEN(names)) || v[0].n == 0)
        return phone_by_status(d);
    *call = v[2];
    return str_is(v[0], "0") ? PHONE_CALLED : phone_by_code(d, huawei_codes, v[0], v[1]);
}

/* -- what it posts -- */

static str huawei_part(str header, const char *name)
{
    ptrdiff_t at = str_find_str(header, str_of(name));
    str rest = at >= 0 ? str_sub(header, (size_t)at + strlen(name), header.n) : STR_NONE;

    return str_cut(&rest, '"');
}

/* What signs itself must be signed with the secret: by the address, a nonce and a time, a line each, or, as it was before, one
 * behind the other. What does not, the address is enough for. */
static bool huawei_is_signed(struct delivery *d, str url, str secret)
{
    str header = http_header_get(&d->answer->headers, S("X-AKSK"));
    str digest = huawei_part(header, "PasswordDigest=\""), nonce = huawei_part(header, "Nonce=\""),
        at = huawei_part(header, "Created=\"");
    str lines = arena_printf(d->arena, "%.*s\n%.*s\n%.*s", STR(url), STR(nonce), STR(at));
    str whole = arena_printf(d->arena, "%.*s%.*s%.*s", STR(url), STR(nonce), STR(at));

    return header.n == 0 || delivery_is_same(digest, delivery_sign(d, secret, lines)) ||
           delivery_is_same(digest, delivery_sign(d, secret, whole));
}

/* An event of a call: "answer", or "disconnect" with what it came to, 0: it was talked. */
static void huawei_event(struct delivery *d, str type, str status, struct receipts *out)
{
    static const char *const names[] = {"sessionId", "stateCode", "stateDesc"};
    str v[ARRAY_LEN(names)];

    if (!delivery_json_read(d, status, names, v, ARRAY_LEN(names)))
        return;
    if (str_is(type, "answer"))
        phone_receipt(out, v[0], true, STR_NONE);
    else if (str_is(type, "disconnect"))
        phone_receipt(out, v[0], str_is(v[1], "0"),
                      arena_printf(d->arena, "%.*s (%.*s)", STR(v[2]), STR(v[1])));
}

/* A bill: one of a call that somebody took has a time for that. */
static void huawei_bill(struct delivery *d, str bill, struct receipts *out)
{
    static const char *const names[] = {"sessionId", "callOutAnswerTime", "fwdAnswerTime",
                                        "ulFailReason", "sipStatusCode"};
    str v[ARRAY_LEN(names)];

    if (delivery_json_read(d, bill, names, v, ARRAY_LEN(names)))
        phone_receipt(out, v[0], v[1].n + v[2].n != 0,
                      arena_printf(d->arena, "nobody took it (%.*s, SIP %.*s)", STR(v[3]),
                                   STR(v[4])));
}

/* {"eventType": "answer", "statusInfo": {...}} or {"eventType": "fee", "feeLst": [{...}]} */
static enum receipts_verdict huawei_receipts(struct delivery *d, str url, struct receipts *out)
{
    static const char *const names[] = {"eventType", "statusInfo"};
    str v[ARRAY_LEN(names)], bills[RECEIPTS_MAX], secret;
    size_t n;

    out->reply = S("{\"resultcode\":\"0\",\"resultdesc\":\"Success\"}");
    if (!phone_secret(d, &secret))
        return RECEIPTS_REFUSED;
    if (!huawei_is_signed(d, url, secret)) {
        err_set(&d->err, ERR_INVALID, "X-AKSK is not signed with \"secret_key\"");
        return RECEIPTS_REFUSED;
    }
    if (!delivery_answer_read(d, names, v, ARRAY_LEN(names))) {
        err_set(&d->err, ERR_INVALID, "no JSON object");
        return RECEIPTS_UNREADABLE;
    }
    if (v[1].n != 0)
        huawei_event(d, v[0], v[1], out);
    n = delivery_answer_list(d, "feeLst", bills, RECEIPTS_MAX);
    for (size_t i = 0; i < n && i < RECEIPTS_MAX; i++)
        huawei_bill(d, bills[i], out);
    return RECEIPTS_READ;
}

/* A dot makes an address of a text; 0.95 stays a number that can be read. */
static const char *const huawei_not[] = {"http://", "", "https://", "", ".", "·", NULL};

const struct phone_vendor phone_huawei = {
    .name = "huawei",
    .title = "Huawei",
    .has_template = true,
    .max_length = 20,
    .not_in_parameters = huawei_not,
    .sms = {.url = "https://smsapi.cn-north-4.myhuaweicloud.com:443/",
            .send = huawei_send,
            .sent = huawei_sent},
    .call = {.url = "https://rtccall.cn-north-1.myhuaweicloud.cn:443/",
             .send = huawei_call,
             .sent = huawei_called,
             .receipts = huawei_receipts},
};
