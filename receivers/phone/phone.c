/* phone.c - the way through the numbers of an attempt, and what vendors need. */
#include <stdio.h>
#include <time.h>
#include "phone.h"
#include "tocsin/json.h"

const char *const phone_providers[] = {"aliyun", "tencent", "huawei", "twilio", NULL};

const struct phone_vendor *phone_vendor_of(const struct phone_conf *k)
{
    static const struct phone_vendor *const all[] = {&phone_aliyun, &phone_tencent, &phone_huawei,
                                                     &phone_twilio};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (str_is(k->provider, all[i]->name))
            return all[i];
    return all[0];
}

/* -- the check -- */

static void phone_check_parameters(struct conf_check *c, const struct phone_conf *k)
{
    for (size_t i = 0; i < k->parameters.n; i++) {
        char name[24];

        snprintf(name, sizeof(name), "%zu", i + 1);
        if (!str_is(k->parameters.v[i].name, name))
            conf_error(c, "parameters",
                       "of %.*s they have no names but their places: \"1\", \"2\", ... in turn",
                       STR(k->provider));
    }
}

/* Huawei's field for an address has 128 characters in base64; ours ends with "receipts/" and the token. */
enum { PHONE_TOKEN = 32, PHONE_RECEIPT_BASE_MAX = 96 - 9 - PHONE_TOKEN };

void phone_check(struct conf_check *c, const struct phone_conf *k, bool calls)
{
    const struct phone_vendor *v = phone_vendor_of(k);
    const struct {
        const char *key;
        bool is_given, is_needed, is_known;
    } rows[] = {
        {"template", k->template.n != 0, v->has_template, v->has_template},
        {"parameters", k->parameters.n != 0, false, v->has_template},
        {"sign_name", k->sign_name.n != 0, v == &phone_aliyun && !calls, v->has_template},
        {"app_id", k->app_id.n != 0, v->wants_app_id, v->wants_app_id},
        {"from", k->from.n != 0, v == &phone_huawei || v == &phone_twilio, v != &phone_tencent},
        {"text", k->text.n != 0, false, !v->has_template},
        {"language", k->language.n != 0, false, !v->has_template},
        {"region", k->region.n != 0, false, v == &phone_tencent},
    };

    if (!secret_is_set(k->secret_key))
        conf_error(c, NULL, "\"secret_key\" (or its file) is needed");
    if (k->numbers.n == 0)
        conf_error(c, NULL, "\"numbers\" are needed");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].is_needed && !rows[i].is_given)
            conf_error(c, NULL, "%.*s needs \"%s\"", STR(k->provider), rows[i].key);
        if (!rows[i].is_known && rows[i].is_given)
            conf_error(c, rows[i].key, "%.*s has no such thing", STR(k->provider));
    }
    if (!v->is_named)
        phone_check_parameters(c, k);
    if (v == &phone_huawei && k->receipt_url.n > PHONE_RECEIPT_BASE_MAX)
        conf_error(c, "receipt_url", "huawei takes addresses of %d characters and no more",
                   PHONE_RECEIPT_BASE_MAX);
}

/* -- for vendors -- */

str phone_url(const struct phone_conf *k, const struct phone_way *way)
{
    return k->api_url.n != 0 ? k->api_url : str_of(way->url);
}

bool phone_secret(struct delivery *d, str *out)
{
    return d->secret(d, ((const struct phone_conf *)d->conf)->secret_key, out);
}

static size_t phone_runes(str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}

/* What the text says of each group, as far as there is room, and of how many more there is something to say. */
static str phone_say_groups(struct delivery *d, str text, size_t max)
{
    str all = delivery_say(
            d, arena_printf(d->arena, "{{ range .Groups }}%.*s\x1e{{ end }}", STR(text)), false),
        out = S("");

    for (size_t left = d->n->n_groups; all.n != 0; left--) {
        str one = str_trim(str_cut(&all, '\x1e'));
        str longer = out.n != 0 ? arena_printf(d->arena, "%.*s, %.*s", STR(out), STR(one)) : one;
        size_t room = all.n != 0 ? max - (max > 5 ? 5 : max) : max; /* " +999" */

        if (one.n == 0)
            continue;
        if (out.n != 0 && phone_runes(longer) > room)
            return arena_printf(d->arena, "%.*s +%zu", STR(out), left);
        out = longer;
    }
    return out;
}

/* Of a digest whose groups have nothing in common that the text asks for: of each. */
static str phone_say(struct delivery *d, str text, size_t max)
{
    str s = delivery_say(d, text, false);

    return d->n->act == ACT_DIGEST && str_trim(s).n == 0 ? phone_say_groups(d, text, max) : s;
}

/* One line, without what the vendor takes for a variable, an address or a signature. */
str phone_parameter(struct delivery *d, size_t i)
{
    static const char *const never[] = {"{", "(", "}", ")", "【", "[", "】", "]", "$", " ", NULL};
    const struct phone_conf *k = d->conf;
    const struct phone_vendor *v = phone_vendor_of(k);
    size_t max = (size_t)(k->max_length != 0 ? k->max_length : v->max_length);
    str s = phone_say(d, k->parameters.v[i].value, max);
    struct buf b = BUF_INIT;

    s = delivery_truncate_bytes(d, s, 16 * max + 64); /* whatever is left out, enough is kept */
    for (size_t at = 0; at < s.n; at++)
        buf_addc(&b, (unsigned char)s.p[at] < ' ' || s.p[at] == 0x7f ? ' ' : s.p[at]);
    s = arena_take(d->arena, &b);
    for (const char *const *p = never; *p != NULL; p += 2)
        s = delivery_replace(d, s, str_of(p[0]), str_of(p[1]));
    for (const char *const *p = v->not_in_parameters; p != NULL && *p != NULL; p += 2)
        s = delivery_replace(d, s, str_of(p[0]), str_of(p[1]));
    s = str_trim(delivery_truncate_runes(d, str_trim(s), max));
    return s.n != 0 ? s : S("-");
}

str phone_parameters(struct delivery *d)
{
    const struct phone_conf *k = d->conf;
    bool is_named = phone_vendor_of(k)->is_named;
    struct json_writer w;
    struct buf b = BUF_INIT;

    json_writer_init(&w, &b, false);
    json_open(&w, is_named ? '{' : '[');
    for (size_t i = 0; i < k->parameters.n; i++) {
        if (is_named)
            json_key(&w, k->parameters.v[i].name);
        json_put_str(&w, phone_parameter(d, i));
    }
    json_close(&w, is_named ? '}' : ']');
    return arena_take(d->arena, &b);
}

str phone_nonce(struct delivery *d, str to)
{
    str of =
        arena_printf(d->arena, "%.*s\n%llu\n%lld\n%u\n%.*s", STR(d->n->group_key),
                     (unsigned long long)d->n->flush_id, (long long)d->now, d->attempt, STR(to));

    return str_sub(delivery_hash(d, of), 0, 32);
}

str phone_time(struct delivery *d, const char *format)
{
    time_t s = (time_t)(d->now / NS_PER_S);
    char text[64] = "";
    struct tm tm;

    gmtime_r(&s, &tm);
    (void)strftime(text, sizeof(text), format, &tm);
    return arena_str(d->arena, str_of(text));
}

str phone_with_country(struct delivery *d, str to)
{
    if (to.p[0] == '+')
        return to;
    return arena_printf(d->arena, "+%s%.*s", to.n == 11 && to.p[0] == '1' ? "86" : "", STR(to));
}

static bool phone_code_fits(const struct phone_code *row, str code)
{
    str known = str_of(row->code);

    if (known.n != 0 && known.p[known.n - 1] == '*')
        return str_starts_with(code, str_sub(known, 0, known.n - 1));
    return str_eq(code, known);
}

enum phone_outcome phone_by_code(struct delivery *d, const struct phone_code *codes, str code,
                                 str msg)
{
    const struct phone_vendor *v = phone_vendor_of(d->conf);
    const struct phone_code *row = codes;

    while (row->code != NULL && !phone_code_fits(row, code))
        row++;
    d->failure = row->failure;
    d->retry_after = row->wait;
    err_set(&d->err, ERR_IO, "%s%s (%.*s: %.*s)", row->advice != NULL ? row->advice : v->title,
            row->advice != NULL ? "" : " refuses it", STR(str_sub(code, 0, 80)),
            STR(str_sub(msg, 0, 200)));
    return row->outcome;
}

enum phone_outcome phone_by_status(struct delivery *d)
{
    enum delivery_verdict v = delivery_judge_whole(d);

    if (v == DELIVERY_OK)
        err_set(&d->err, ERR_IO, "not an answer of %s: %.*s", phone_vendor_of(d->conf)->title,
                STR(str_sub(d->answer->body, 0, 200)));
    if (v != DELIVERY_RETRY_AFTER)
        d->retry_after = 0;
    return v == DELIVERY_FAILED ? PHONE_NEVER : PHONE_LATER;
}

/* -- what vendors say by themselves -- */

bool phone_receipt_url(struct delivery *d, str *out)
{
    const struct phone_conf *k = d->conf;
    str secret, token;

    if (k->receipt_url.n == 0 || !phone_secret(d, &secret))
        return false;
    token = delivery_hex(d, delivery_hmac(d, secret,
                                          arena_printf(d->arena, "tocsin receipts %.*s %.*s",
                                                       STR(k->provider), STR(k->key_id))));
    *out = arena_printf(d->arena, "%.*sreceipts/%.*s", STR(k->receipt_url),
                        STR(str_sub(token, 0, PHONE_TOKEN)));
    return true;
}

enum receipts_verdict phone_receipts(struct delivery *d, struct receipts *out)
{
    str url;

    if (!phone_receipt_url(d, &url))
        return RECEIPTS_REFUSED;
    return phone_vendor_of(d->conf)->call.receipts(d, url, out);
}

/* What can stand in a line, so that it can be asked for. */
static bool phone_is_id(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ')
            return false;
    return s.n != 0 && s.n <= 200;
}

void phone_receipt(struct receipts *out, str call, bool is_answered, str why)
{
    if (out->n < RECEIPTS_MAX && phone_is_id(call))
        out->v[out->n++] = (struct receipt){call, is_answered, why};
}

/* NULL: it has said nothing of it. */
static const struct receipt *phone_receipt_of(const struct delivery *d, str call)
{
    for (size_t i = 0; i < d->n_receipts; i++)
        if (str_eq(d->receipts[i].id, call))
            return &d->receipts[i];
    return NULL;
}

/* -- the numbers -- */

/* Digits with their country, or of China without; what people write between them goes. Empty: it is none. */
static str phone_number(struct delivery *d, str s)
{
    struct buf b = BUF_INIT;
    bool ok = true;
    str out;

    for (size_t i = 0; i < s.n && ok; i++) {
        char c = s.p[i];

        if ((c >= '0' && c <= '9') || (c == '+' && b.n == 0))
            buf_addc(&b, c);
        else
            ok = c == ' ' || c == '-' || c == '(' || c == ')';
    }
    out = arena_take(d->arena, &b);
    if (str_starts_with(out, S("00")))
        out = arena_printf(d->arena, "+%.*s", STR(str_sub(out, 2, out.n)));
    return ok && out.n >= 4 && out.n <= 20 ? out : STR_NONE;
}

/* *wrong: what is none, for whoever reads why somebody was not told. */
static struct conf_strings phone_numbers(struct delivery *d, str *wrong)
{
    const struct phone_conf *k = d->conf;
    struct conf_strings names, out;
    struct err before = d->err;

    d->err.msg[0] = '\0';
    delivery_addresses(d, &k->numbers, &names);
    *wrong = arena_str(d->arena, str_of(d->err.msg));
    d->err = before;
    out = (struct conf_strings){arena_array(d->arena, names.n, sizeof(str)), 0};
    for (size_t i = 0; i < names.n; i++) {
        str number = phone_number(d, names.v[i]);
        size_t at = 0;

        while (at < out.n && !str_eq(out.v[at], number))
            at++;
        if (number.n == 0)
            *wrong = arena_printf(d->arena, "%.*s%s\"%.*s\" is no telephone number", STR(*wrong),
                                  wrong->n != 0 ? "; " : "", STR(str_sub(names.v[i], 0, 40)));
        else if (at == out.n)
            out.v[out.n++] = number;
    }
    return out;
}

/* -- what has become of each -- */

struct phone_state {
    bool is_told, is_refused;
    uint64_t calls, ms;
    str id; /* of a call that was taken; empty: none */
};

static struct phone_state phone_state_of(str had, str number)
{
    while (had.n != 0) {
        struct phone_state s = {0};
        str line = str_cut(&had, '\n');

        if (!str_eq(str_cut(&line, ' '), number))
            continue;
        s.is_told = line.n == 0;
        (void)str_to_u64(str_cut(&line, ' '), &s.calls);
        (void)str_to_u64(str_cut(&line, ' '), &s.ms);
        s.is_refused = str_is(line, "!");
        s.id = s.is_refused || str_is(line, "-") ? STR_NONE : line;
        return s;
    }
    return (struct phone_state){0};
}

/* Between the requests of an attempt. */
struct phone_progress {
    size_t at; /* of the numbers: the one that was told or asked about */
    bool asks; /* how its call went */
    bool is_later, stops;
    bool has_failed; /* what is tried later */
    dur_ns wait;     /* until then; 0 = by backoff */
    enum delivery_failure failure;
    str had, why;
};

/* The line of a number; "": it is told. */
static void phone_mark(struct delivery *d, struct phone_progress *p, str number, str rest)
{
    struct buf b = BUF_INIT;
    str had = p->had;

    while (had.n != 0) {
        str line = str_cut(&had, '\n'), whole = line;

        if (!str_eq(str_cut(&line, ' '), number))
            buf_addf(&b, "%.*s\n", STR(whole));
    }
    buf_addf(&b, "%.*s%s%.*s\n", STR(number), rest.n != 0 ? " " : "", STR(rest));
    p->had = arena_take(d->arena, &b);
}

static void phone_later(struct phone_progress *p, dur_ns wait)
{
    if (wait == 0)
        wait = p->is_later ? p->wait : 0; /* backoff counts only where nothing else is said */
    else if (p->is_later && p->wait != 0 && p->wait < wait)
        wait = p->wait;
    p->is_later = true;
    p->wait = wait;
}

static void phone_note(struct delivery *d, struct phone_progress *p, str number, str why)
{
    p->why = arena_printf(d->arena, "%.*s%s%.*s: %.*s", STR(p->why), p->why.n != 0 ? "; " : "",
                          STR(number), STR(why));
    p->failure = d->failure;
}

enum { PHONE_ASK_S = 10, PHONE_AGAIN_S = 60 };

/* A call that nobody took: a minute after it the next, as long as there are any. */
static void phone_unanswered(struct delivery *d, struct phone_progress *p, str number,
                             const struct phone_state *s)
{
    const struct phone_conf *k = d->conf;
    uint64_t now = (uint64_t)(d->now / NS_PER_MS), next = s->ms + PHONE_AGAIN_S * 1000;

    d->failure = FAILURE_OTHER;
    if (k->calls != 0 && s->calls >= (uint64_t)k->calls) {
        phone_note(d, p, number,
                   arena_printf(d->arena, "%llu calls, none answered (the last: %s)",
                                (unsigned long long)s->calls, d->err.msg));
        phone_mark(d, p, number, S("0 0 !"));
        return;
    }
    p->has_failed = true;
    phone_note(d, p, number, arena_printf(d->arena, "unanswered: %s", d->err.msg));
    phone_mark(d, p, number,
               arena_printf(d->arena, "%llu %llu -", (unsigned long long)s->calls,
                            (unsigned long long)next));
    phone_later(p, next > now ? (dur_ns)(next - now) * NS_PER_MS : NS_PER_MS);
}

static bool phone_can_ask(const struct phone_conf *k)
{
    return phone_vendor_of(k)->call.ask != NULL;
}

static void phone_rings(struct delivery *d, struct phone_progress *p, str number,
                        const struct phone_state *s)
{
    const struct phone_conf *k = d->conf;

    if (d->now > (ts_ns)s->ms * NS_PER_MS + k->answer_within) {
        err_set(&d->err, ERR_IO, "no answer is known");
        phone_unanswered(d, p, number, s);
        return;
    }
    d->failure = FAILURE_OTHER;
    phone_note(d, p, number, S("called, not answered yet"));
    phone_later(p, phone_can_ask(k)
                       ? PHONE_ASK_S * NS_PER_S
                       : (ts_ns)s->ms * NS_PER_MS + k->answer_within + NS_PER_MS - d->now);
}

/* Not before: the vendor has said how long; else with the backoff. */
static void phone_put_off(struct delivery *d, struct phone_progress *p, str number,
                          const struct phone_state *s)
{
    p->has_failed = true;
    phone_note(d, p, number, str_of(d->err.msg));
    if (d->retry_after > 0 && s->id.n == 0)
        phone_mark(d, p, number,
                   arena_printf(d->arena, "%llu %llu -", (unsigned long long)s->calls,
                                (unsigned long long)((d->now + d->retry_after) / NS_PER_MS)));
    phone_later(p, d->retry_after);
}

/* Whether anybody will say how a call went. */
static bool phone_will_know(const struct delivery *d)
{
    const struct phone_conf *k = d->conf;

    return k->receipt_url.n != 0 || phone_can_ask(k);
}

/* What is known so far is written down before anything else is done: the attempt ends here, and the next one goes on. */
static void phone_stop(struct phone_progress *p)
{
    p->stops = true;
    phone_later(p, NS_PER_MS);
}

static void phone_take(struct delivery *d, struct phone_progress *p, const struct phone_way *way,
                       str number)
{
    const struct phone_conf *k = d->conf;
    struct phone_state s = phone_state_of(p->had, number);
    str call = STR_NONE;
    enum phone_outcome o;

    if (!d->lost)
        d->err.msg[0] = '\0';
    d->retry_after = 0;
    o = p->asks ? way->asked(d) : way->sent(d, &call);
    if (o == PHONE_CALLED && (!phone_will_know(d) || !phone_is_id(call)))
        o = PHONE_TOLD;
    switch (o) {
    case PHONE_TOLD: phone_mark(d, p, number, STR_NONE); break;
    case PHONE_CALLED:
        s = (struct phone_state){.calls = s.calls + 1, .ms = (uint64_t)(d->now / NS_PER_MS)};
        phone_mark(d, p, number,
                   arena_printf(d->arena, "%llu %llu %.*s", (unsigned long long)s.calls,
                                (unsigned long long)s.ms, STR(call)));
        phone_rings(d, p, number, &s);
        if (k->receipt_url.n != 0) /* which may come before the next call is taken */
            phone_stop(p);
        break;
    case PHONE_RINGS: phone_rings(d, p, number, &s); break;
    case PHONE_UNANSWERED: phone_unanswered(d, p, number, &s); break;
    case PHONE_LATER:
        if (s.id.n != 0 && d->now > (ts_ns)s.ms * NS_PER_MS + k->answer_within)
            phone_unanswered(d, p, number, &s); /* nothing will be known of it */
        else
            phone_put_off(d, p, number, &s);
        break;
    case PHONE_NEVER:
        phone_note(d, p, number, str_of(d->err.msg));
        phone_mark(d, p, number, S("0 0 !"));
        break;
    }
}

static enum delivery_verdict phone_end(struct delivery *d, const struct phone_progress *p,
                                       struct conf_strings numbers)
{
    size_t told = 0;

    for (size_t i = 0; i < numbers.n; i++)
        told += phone_state_of(p->had, numbers.v[i]).is_told;
    d->err.msg[0] = '\0';
    if (p->why.n != 0)
        err_set(&d->err, ERR_IO, "%.*s", STR(p->why));
    d->failure = p->failure;
    if (numbers.n == 0)
        err_set(&d->err, ERR_INVALID, "\"numbers\" gives no telephone number%s%.*s",
                p->why.n != 0 ? ": " : "", STR(p->why));
    if (!p->is_later)
        return told != 0 ? DELIVERY_OK : DELIVERY_FAILED;
    d->had = p->had;
    d->retry_after = p->wait;
    d->under_way = !p->has_failed && p->wait != 0;
    return p->wait != 0 ? DELIVERY_RETRY_AFTER : DELIVERY_RETRY;
}

/* Of a call: whether there is nothing to ask, as the vendor has said how it went, or says it by itself alone. */
static bool phone_hears(struct delivery *d, struct phone_progress *p, str number,
                        const struct phone_state *s)
{
    const struct receipt *r = s->id.n != 0 ? phone_receipt_of(d, s->id) : NULL;

    if (r == NULL && (s->id.n == 0 || phone_can_ask(d->conf)))
        return false;
    if (r == NULL) {
        phone_rings(d, p, number, s);
    } else if (r->is_told) {
        phone_mark(d, p, number, STR_NONE);
    } else {
        err_set(&d->err, ERR_IO, "%.*s", STR(str_sub(r->why, 0, 120)));
        phone_unanswered(d, p, number, s);
    }
    return true;
}

/* The next number that there is something to do for. */
static enum delivery_verdict phone_next(struct delivery *d, struct phone_progress *p,
                                        const struct phone_way *way, struct conf_strings numbers)
{
    const struct phone_conf *k = d->conf;

    for (; p->at < numbers.n && !p->stops; p->at++) {
        struct phone_state s = phone_state_of(p->had, numbers.v[p->at]);
        ts_ns at = (ts_ns)s.ms * NS_PER_MS;
        struct phone_progress *kept;

        if (s.is_told || s.is_refused || phone_hears(d, p, numbers.v[p->at], &s))
            continue;
        if (s.id.n == 0 && at > d->now) {
            phone_note(d, p, numbers.v[p->at], S("not to be told again yet"));
            phone_later(p, at - d->now);
            continue;
        }
        p->asks = s.id.n != 0;
        d->request = (struct http_request){.method = S("POST")};
        if (!(p->asks ? way->ask(d, s.id, at) : way->send(d, numbers.v[p->at]))) {
            d->had = p->had;
            return DELIVERY_RETRY; /* the file may come back */
        }
        d->timeout = k->timeout;
        kept = arena_new(d->arena, struct phone_progress);
        *kept = *p;
        d->progress = kept;
        return DELIVERY_SEND_HTTP;
    }
    return phone_end(d, p, numbers);
}

/* That somebody has taken an alert, or that some are over, wakes nobody; of an ack an approved text could not tell. */
static bool phone_is_quiet(const struct delivery *d, const struct phone_vendor *v, bool calls)
{
    if (calls)
        return d->n->n_firing != 0 && !notification_is_alarm(d->n);
    return v->has_template && (d->n->act == ACT_ACKED || d->n->act == ACT_UPDATE);
}

enum delivery_verdict phone_step(struct delivery *d, bool calls)
{
    const struct phone_vendor *v = phone_vendor_of(d->conf);
    const struct phone_way *way = calls ? &v->call : &v->sms;
    struct phone_progress p = {.had = d->had, .failure = FAILURE_CLIENT};
    struct conf_strings numbers = phone_numbers(d, &p.why);

    if (phone_is_quiet(d, v, calls))
        return DELIVERY_OK;
    if (d->progress != NULL)
        p = *(const struct phone_progress *)d->progress;
    if (d->answer != NULL)
        phone_take(d, &p, way, numbers.v[p.at++]);
    return phone_next(d, &p, way, numbers);
}
