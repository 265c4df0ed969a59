/* twilio.c - Twilio: messages, and calls that say a text.
 *
 * Source   https://www.twilio.com/docs/api/errors, https://www.twilio.com/docs/usage/security (X-Twilio-Signature); ecosystem.md 1.8.
 */
#include "phone.h"

enum { TWILIO_HEADERS = 2, TWILIO_TEXT_MAX = 1600 /* runes */, TWILIO_SAID_MAX = 1200 };

static bool twilio_request(struct delivery *d, const struct phone_way *way, str path, str body)
{
    const struct phone_conf *k = d->conf;
    struct http_header *h = arena_array(d->arena, TWILIO_HEADERS, sizeof(*h));
    str secret, both;

    if (!phone_secret(d, &secret))
        return false;
    both = arena_printf(d->arena, "%.*s:%.*s", STR(k->key_id), STR(secret));
    h[0] = (struct http_header){S("Authorization"), arena_printf(d->arena, "Basic %.*s",
                                                                 STR(delivery_base64(d, both)))};
    h[1] = (struct http_header){S("Content-Type"), S("application/x-www-form-urlencoded")};
    d->request.headers = (struct http_headers){h, body.n != 0 ? 2 : 1};
    d->request.url =
        arena_printf(d->arena, "%.*s2010-04-01/Accounts/%.*s/%.*s.json", STR(phone_url(k, way)),
                     STR(delivery_escape_query(d, k->key_id)), STR(path));
    d->request.body = body;
    return true;
}

static void twilio_add(struct delivery *d, struct buf *b, const char *name, str value)
{
    buf_addf(b, "%s%s=%.*s", b->n != 0 ? "&" : "", name, STR(delivery_escape_query(d, value)));
}

/* The country is part of it, with or without the plus sign. */
static str twilio_number(struct delivery *d, str to)
{
    return to.p[0] == '+' ? to : arena_printf(d->arena, "+%.*s", STR(to));
}

static bool twilio_send(struct delivery *d, str to)
{
    const struct phone_conf *k = d->conf;
    str text =
        delivery_say(d, k->text.n != 0 ? k->text : S("{{ template \"sms.default.text\" . }}"),
                     false);
    struct buf b = BUF_INIT;

    twilio_add(d, &b, "To", twilio_number(d, to));
    twilio_add(d, &b, str_starts_with(k->from, S("MG")) ? "MessagingServiceSid" : "From", k->from);
    twilio_add(d, &b, "Body", delivery_truncate_runes(d, text, TWILIO_TEXT_MAX));
    return twilio_request(d, &phone_twilio.sms, S("Messages"), arena_take(d->arena, &b));
}

/* Text of XML 1.0, and of an attribute. */
static void twilio_add_xml(struct buf *b, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '<': buf_adds(b, "&lt;"); break;
        case '>': buf_adds(b, "&gt;"); break;
        case '&': buf_adds(b, "&amp;"); break;
        case '"': buf_adds(b, "&quot;"); break;
        default: buf_addc(b, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i]); break;
        }
    }
}

static str twilio_said(struct delivery *d)
{
    const struct phone_conf *k = d->conf;
    str text =
        delivery_say(d, k->text.n != 0 ? k->text : S("{{ template \"voice.default.text\" . }}"),
                     false);
    struct buf b = BUF_INIT;

    buf_adds(&b, "<Response><Say");
    if (k->language.n != 0) {
        buf_adds(&b, " language=\"");
        twilio_add_xml(&b, k->language);
        buf_addc(&b, '"');
    }
    buf_addf(&b, " loop=\"%lld\">", (long long)k->play_times);
    text = delivery_truncate_runes(d, text, TWILIO_SAID_MAX);
    twilio_add_xml(&b, text);
    buf_adds(&b, "</Say></Response>");
    return arena_take(d->arena, &b);
}

static bool twilio_call(struct delivery *d, str to)
{
    const struct phone_conf *k = d->conf;
    struct buf b = BUF_INIT;
    str url;

    twilio_add(d, &b, "To", twilio_number(d, to));
    twilio_add(d, &b, "From", k->from);
    twilio_add(d, &b, "Twiml", twilio_said(d));
    if (phone_receipt_url(d, &url))
        twilio_add(d, &b, "StatusCallback", url);
    return twilio_request(d, &phone_twilio.call, S("Calls"), arena_take(d->arena, &b));
}

static bool twilio_ask(struct delivery *d, str call, ts_ns at)
{
    (void)at;
    d->request.method = S("GET");
    return twilio_request(d, &phone_twilio.call,
                          arena_printf(d->arena, "Calls/%.*s", STR(delivery_escape_query(d, call))),
                          STR_NONE);
}

/* -- the answers -- */

static const struct phone_code twilio_codes[] = {
    {"20429", PHONE_LATER, 2 * NS_PER_S, FAILURE_RATE_LIMITED, "Twilio is asked too often"},
    {"14107", PHONE_LATER, NS_PER_M, FAILURE_RATE_LIMITED, "too many go to this number"},
    {"20500", PHONE_LATER, 0, FAILURE_SERVER, "Twilio has a fault"},
    {"20503", PHONE_LATER, 0, FAILURE_SERVER, "Twilio is busy"},
    {"21611", PHONE_LATER, NS_PER_M, FAILURE_RATE_LIMITED,
     "\"from\" has too many messages waiting"},
    {"20003", PHONE_NEVER, 0, FAILURE_AUTH,
     "\"key_id\" (account SID) or \"secret_key\" (auth token) is wrong"},
    {"20005", PHONE_NEVER, 0, FAILURE_AUTH, "the account is not in use: see its console"},
    {"20404", PHONE_NEVER, 0, FAILURE_AUTH, "\"key_id\" (account SID) or \"api_url\" is wrong"},
    {"21211", PHONE_NEVER, 0, FAILURE_CLIENT, "no telephone number"},
    {"21217", PHONE_NEVER, 0, FAILURE_CLIENT, "no telephone number"},
    {"21214", PHONE_NEVER, 0, FAILURE_CLIENT, "this number cannot be reached"},
    {"21215", PHONE_NEVER, 0, FAILURE_CLIENT,
     "calls to this country are not allowed: allow them in the console (geo permissions)"},
    {"21216", PHONE_NEVER, 0, FAILURE_CLIENT, "calls to this number are not allowed"},
    {"21219", PHONE_NEVER, 0, FAILURE_CLIENT, "a trial account reaches verified numbers only"},
    {"21608", PHONE_NEVER, 0, FAILURE_CLIENT, "a trial account reaches verified numbers only"},
    {"21408", PHONE_NEVER, 0, FAILURE_CLIENT,
     "messages to this country are not allowed: allow them in the console (geo permissions)"},
    {"21610", PHONE_NEVER, 0, FAILURE_CLIENT,
     "whoever has this number has answered STOP: START as an answer undoes it"},
    {"21612", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" cannot reach this number"},
    {"21614", PHONE_NEVER, 0, FAILURE_CLIENT, "this number takes no messages"},
    {"21210", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no number of the account"},
    {"21212", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no number of the account"},
    {"21606", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no number of the account"},
    {"21659", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no number of the account"},
    {"21660", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no number of the account"},
    {"21705", PHONE_NEVER, 0, FAILURE_CLIENT, "\"from\" is no messaging service of the account"},
    {"21602", PHONE_NEVER, 0, FAILURE_CLIENT, "\"text\" gives no text"},
    {"21617", PHONE_NEVER, 0, FAILURE_CLIENT, "the text is too long"},
    {"30002", PHONE_NEVER, 0, FAILURE_CLIENT, "the account is suspended"},
    {"63038", PHONE_NEVER, 0, FAILURE_RATE_LIMITED, "the account's limit of a day is reached"},
    {NULL, PHONE_NEVER, 0, FAILURE_CLIENT, NULL},
};

/* sid and status of what was taken. */
static enum phone_outcome twilio_read(struct delivery *d, str *sid, str *status)
{
    static const char *const names[] = {"code", "message", "sid", "status"};
    enum delivery_verdict v = delivery_judge_whole(d);
    struct err said = d->err;
    dur_ns after = v == DELIVERY_RETRY_AFTER ? d->retry_after : 0;
    str m[ARRAY_LEN(names)];
    enum phone_outcome o;

    if (d->lost || d->answer->status / 100 == 5 ||
        !delivery_answer_read(d, names, m, ARRAY_LEN(names)) || (m[0].n == 0 && m[2].n == 0))
        return phone_by_status(d);
    *sid = m[2];
    *status = m[3];
    if (v == DELIVERY_OK) {
        d->err = said;
        return PHONE_TOLD;
    }
    o = phone_by_code(d, twilio_codes, m[0], m[1]);
    if (d->answer->status == 429 && o == PHONE_NEVER)
        o = PHONE_LATER;
    if (after != 0)
        d->retry_after = after;
    return o;
}

static enum phone_outcome twilio_sent(struct delivery *d, str *call)
{
    str status;

    return twilio_read(d, call, &status);
}

static enum phone_outcome twilio_called(struct delivery *d, str *call)
{
    str status;
    enum phone_outcome o = twilio_read(d, call, &status);

    return o == PHONE_TOLD ? PHONE_CALLED : o;
}

static enum phone_outcome twilio_status(str status)
{
    if (str_is(status, "completed") || str_is(status, "in-progress"))
        return PHONE_TOLD;
    if (str_is(status, "queued") || str_is(status, "initiated") || str_is(status, "ringing"))
        return PHONE_RINGS;
    return PHONE_UNANSWERED;
}

static enum phone_outcome twilio_asked(struct delivery *d)
{
    str sid, status = STR_NONE;
    enum phone_outcome o = twilio_read(d, &sid, &status);

    if (o != PHONE_TOLD)
        return o;
    o = twilio_status(status);
    if (o != PHONE_UNANSWERED)
        return o;
    err_set(&d->err, ERR_IO, "%.*s", STR(str_sub(status, 0, 40)));
    return PHONE_UNANSWERED;
}

/* The address, and behind it name and value of each field, by name. */
static str twilio_signature(struct delivery *d, str secret, str url, const struct delivery_pair *v,
                            size_t n)
{
    struct buf b = BUF_INIT;

    buf_add(&b, url);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%.*s%.*s", STR(v[i].key), STR(v[i].value));
    return delivery_base64(d, delivery_hmac_sha1(d, secret, arena_take(d->arena, &b)));
}

/* A form: CallSid, CallStatus, and more. It signs each. */
static enum receipts_verdict twilio_receipts(struct delivery *d, str url, struct receipts *out)
{
    struct delivery_pair *v;
    size_t n = delivery_read_form(d, d->answer->body, &v);
    str call = STR_NONE, status = STR_NONE, secret;

    out->reply = S("{}");
    if (!phone_secret(d, &secret))
        return RECEIPTS_REFUSED;
    if (!delivery_is_same(http_header_get(&d->answer->headers, S("X-Twilio-Signature")),
                          twilio_signature(d, secret, url, v, n))) {
        err_set(&d->err, ERR_INVALID, "X-Twilio-Signature is not of \"secret_key\" and \"%.*s\"",
                STR(((const struct phone_conf *)d->conf)->receipt_url));
        return RECEIPTS_REFUSED;
    }
    for (size_t i = 0; i < n; i++)
        if (str_is(v[i].key, "CallSid"))
            call = v[i].value;
        else if (str_is(v[i].key, "CallStatus"))
            status = v[i].value;
    if (status.n != 0 && twilio_status(status) != PHONE_RINGS)
        phone_receipt(out, call, twilio_status(status) == PHONE_TOLD, str_sub(status, 0, 40));
    return RECEIPTS_READ;
}

const struct phone_vendor phone_twilio = {
    .name = "twilio",
    .title = "Twilio",
    .max_length = 35,
    .sms = {.url = "https://api.twilio.com/", .send = twilio_send, .sent = twilio_sent},
    .call = {.url = "https://api.twilio.com/",
             .send = twilio_call,
             .sent = twilio_called,
             .ask = twilio_ask,
             .asked = twilio_asked,
             .receipts = twilio_receipts},
};
