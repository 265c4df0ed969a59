/* GET /api/v2/explain: why was this (not) sent, to whom, when is it next. Asked by alert (fingerprint= or filter=), by
 * label set (label=NAME=VALUE, known or not), by rule=, by silence= or by receiver=. GET /api/v2/notifications: what was sent, and
 * what became of it. The past comes from the journal. format=text answers in words (explain_text.c). */
#include "api/api_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include "codec/duration.h"
#include "codec/timefmt.h"
#include "core/explain.h"

enum {
    ALERTS_MAX = 50,
    ALERTS_A_TURN = 100,
    PIECE = 32 << 10,
    HISTORY_DEFAULT = 100,
    HISTORY_MAX = 10000,
    LABELS_MAX = 128
};

static void put_when(struct json_writer *w, const char *key, ts_ns t)
{
    json_key(w, str_of(key));
    if (t == TS_NONE)
        json_put_null(w);
    else
        json_put_rfc3339_ms(w, t);
}

static void explain_put_list(struct json_writer *w, const char *key, str names)
{
    json_key(w, str_of(key));
    json_open(w, '[');
    while (names.n != 0)
        json_put_str(w, str_cut(&names, ','));
    json_close(w, ']');
}

/* -- the past -- */

/* The members of an object that the caller writes around them. */
void api_put_decision(struct json_writer *w, const struct decision *d)
{
    put_when(w, "at", d->at);
    json_put_text(w, "verdict", str_of(decision_kind_text(d->kind)));
    json_put_text(w, "receiver", d->receiver);
    if (d->integration.n != 0) {
        json_put_text(w, "integration", d->integration);
        json_key(w, S("index"));
        json_put_u64(w, d->index);
    }
    json_put_text(w, "groupKey", d->group_key);
    if (d->fingerprint != 0) {
        json_key(w, S("fingerprint"));
        json_put_hex64(w, d->fingerprint);
    }
    if (d->why.n != 0)
        json_put_text(w, d->kind == DECISION_NOTIFY ? "reason" : "why", d->why);
    if (d->by.n != 0)
        explain_put_list(w, "by", d->by);
    if (d->until != TS_NONE)
        put_when(w, "until", d->until);
    if (d->kind == DECISION_NOTIFY) {
        json_key(w, S("firing"));
        json_put_u64(w, d->n_firing);
        json_key(w, S("resolved"));
        json_put_u64(w, d->n_alerts - d->n_firing);
    }
    if (d->attempt != 0) {
        json_key(w, S("attempt"));
        json_put_u64(w, d->attempt);
        json_key(w, S("status"));
        json_put_i64(w, d->status);
        json_key(w, S("seconds"));
        json_put_double(w, (double)d->took / NS_PER_S);
    }
}

/* An answer that grows: JSON, or words. */
struct explain_answer {
    struct buf b;
    struct json_writer w;
    bool is_text;
    struct tz *zone; /* of the times in words; NULL: UTC */
};

static struct local_now local_now(const struct explain_answer *an, const struct api *a)
{
    return (struct local_now){shell_clock(a->conf.shell)->now, an->zone};
}

static void answer_begin(struct explain_answer *an, struct http_req *rq)
{
    *an = (struct explain_answer){.is_text = str_is(api_param(rq, S("format")), "text")};
    json_writer_init(&an->w, &an->b, true);
    if (an->is_text)
        an->zone = tz_of_rule(api_param(rq, S("zone")));
}

static void explain_answer_release(struct explain_answer *an)
{
    buf_release(&an->b);
    tz_free(an->zone);
}

/* What has grown so far, to out: words are for eyes. */
static void answer_take(struct explain_answer *an, struct buf *out)
{
    if (an->is_text)
        buf_add_shown(out, buf_str(&an->b));
    else
        buf_add(out, buf_str(&an->b));
    buf_clear(&an->b);
}

static void answer_send(struct explain_answer *an, struct http_req *rq)
{
    struct buf out = BUF_INIT;

    if (!an->is_text)
        buf_addc(&an->b, '\n');
    answer_take(an, &out);
    api_headers(rq);
    http_reply(rq, 200, an->is_text ? S("text/plain; charset=utf-8") : S("application/json"),
               buf_str(&out));
    buf_release(&out);
    explain_answer_release(an);
}

struct explain_history {
    struct explain_answer *an;
    size_t left;
    ts_ns since; /* TS_NONE = all */
    bool only_notifications;
    uint64_t fingerprint;        /* 0 = any */
    str group_key, receiver, by; /* empty = any */
};

/* Whether the group of the alert had it when this was decided: notifications say so, answers belong to one. */
static bool is_about(const struct explain_history *h, const struct decision *d)
{
    if (h->only_notifications &&
        (d->kind == DECISION_INHIBITED || d->kind == DECISION_SILENCED ||
         d->kind == DECISION_MUTED_TIME || d->kind == DECISION_OUTSIDE_ACTIVE))
        return false;
    if ((h->receiver.n != 0 && !str_eq(d->receiver, h->receiver)) ||
        (h->group_key.n != 0 && !str_eq(d->group_key, h->group_key)))
        return false;
    if (h->by.n != 0 && str_find_str(d->by, h->by) < 0)
        return false;
    if (h->fingerprint == 0 || d->fingerprint == h->fingerprint)
        return true;
    if (d->fingerprint != 0)
        return false;
    for (size_t i = 0; i < d->n_alerts; i++)
        if (d->alerts[i] == h->fingerprint)
            return true;
    return d->kind != DECISION_NOTIFY;
}

static bool add_history(void *arg, const struct decision *d)
{
    struct explain_history *h = arg;

    if (h->since != TS_NONE && d->at < h->since)
        return false;
    if (is_about(h, d)) {
        if (h->an->is_text) {
            explain_text_decision(&h->an->b, d, h->an->zone);
        } else {
            json_open(&h->an->w, '{');
            api_put_decision(&h->an->w, d);
            json_close(&h->an->w, '}');
        }
        h->left--;
    }
    return h->left != 0;
}

static void explain_put_history(const struct api *a, struct explain_history *h)
{
    if (h->left == 0)
        return;
    if (h->an->is_text) {
        buf_adds(&h->an->b, "  history, newest first\n");
        journal_scan(&a->engine->journal, add_history, h);
        return;
    }
    json_key(&h->an->w, S("history"));
    json_open(&h->an->w, '[');
    journal_scan(&a->engine->journal, add_history, h);
    json_close(&h->an->w, ']');
}

static size_t history_limit(struct http_req *rq)
{
    uint64_t n;

    if (!str_to_u64(api_param(rq, S("limit")), &n))
        n = HISTORY_DEFAULT;
    return n < HISTORY_MAX ? (size_t)n : HISTORY_MAX;
}

/* -- an alert -- */

static void explain_put_trace(struct json_writer *w, const struct route_trace_list *trace)
{
    static const char *const kinds[] = {[ROUTE_PASSES] = "passes",
                                        [ROUTE_TAKES] = "takes",
                                        [ROUTE_FAILS] = "fails",
                                        [ROUTE_NOT_TRIED] = "not tried"};
    struct buf b = BUF_INIT;

    json_key(w, S("path"));
    json_open(w, '[');
    VEC_EACH (const struct route_trace *, t, trace) {
        json_open(w, '{');
        json_key(w, S("depth"));
        json_put_u64(w, t->depth);
        buf_clear(&b);
        matchers_print(&b, &t->route->matchers);
        json_put_text(w, "matchers", buf_str(&b));
        json_put_text(w, "receiver", t->route->receiver);
        json_key(w, S("continue"));
        json_put_bool(w, t->route->goes_on);
        json_put_text(w, "verdict", str_of(kinds[t->kind]));
        if (t->failed != NULL) {
            buf_clear(&b);
            matcher_print(&b, t->failed);
            json_put_text(w, "failed", buf_str(&b));
        }
        json_close(w, '}');
    }
    json_close(w, ']');
    buf_release(&b);
}

static void put_integration(const struct api *a, struct json_writer *w, const struct explanation *x,
                            const struct explain_route *r, const struct explain_integration *in,
                            struct now now)
{
    struct buf text = BUF_INIT;

    explain_say(&text, a->engine, x, r, in, &(struct local_now){.now = now});
    json_open(w, '{');
    json_put_text(w, "integration", in->conf->kind);
    json_key(w, S("index"));
    json_put_u64(w, in->conf->index);
    json_put_text(w, "verdict", str_of(explain_verdict_text(in->verdict)));
    json_put_text(w, "text", buf_str(&text));
    put_when(w, "lastSentAt", in->last != NULL ? in->last->timestamp : TS_NONE);
    put_when(w, "nextAt", in->next_at);
    if (in->next_at != TS_NONE && in->next_reason != REASON_NONE)
        json_put_text(w, "nextReason", str_of(notify_reason_text(in->next_reason)));
    if (in->slot != NULL) {
        json_key(w, S("attempts"));
        json_put_u64(w, in->slot->row->attempt);
        json_key(w, S("inFlight"));
        json_put_bool(w, outbox_in_flight(in->slot));
        if (in->wait != EXPLAIN_WAITS_NOT) {
            json_put_text(w, "waitsFor", str_of(explain_wait_text(in->wait)));
            put_when(w, "waitsUntil", in->waits_until);
        }
    }
    json_close(w, '}');
    buf_release(&text);
}

static void explain_put_route(const struct api *a, struct json_writer *w,
                              const struct explanation *x, const struct explain_route *r,
                              struct now now)
{
    json_open(w, '{');
    json_put_text(w, "receiver", r->route->receiver);
    json_put_text(w, "route", r->route->key);
    json_put_text(w, "groupKey", r->group_key);
    json_key(w, S("groupLabels"));
    labels_put_json(w, r->group_labels);
    api_put_duration(w, "groupWait", r->route->conf->group_wait);
    api_put_duration(w, "groupInterval", r->route->conf->group_interval);
    api_put_duration(w, "repeatInterval", r->route->conf->repeat_interval);
    put_when(w, "nextFlush", r->next_flush);
    explain_put_list(w, "outsideActive", r->outside_active);
    explain_put_list(w, "mutedBy", r->muted);
    json_key(w, S("integrations"));
    json_open(w, '[');
    for (size_t i = 0; i < r->n; i++)
        put_integration(a, w, x, r, &r->integrations[i], now);
    json_close(w, ']');
    json_close(w, '}');
}

static void explain_put_silence(struct json_writer *w, const struct silence *s, struct now now)
{
    struct buf b = BUF_INIT;

    json_open(w, '{');
    json_put_text(w, "id", uuid_str(&s->id));
    json_put_text(w, "state", str_of(silence_state_text(silence_state(s, now.wall))));
    for (size_t i = 0; i < s->n_sets; i++) {
        buf_addf(&b, "%s", i != 0 ? " or " : "");
        matchers_print(&b, &s->sets[i]);
    }
    json_put_text(w, "matchers", buf_str(&b));
    json_put_text(w, "createdBy", s->created_by);
    json_put_text(w, "comment", s->comment);
    put_when(w, "startsAt", s->starts_at);
    put_when(w, "endsAt", s->ends_at);
    json_close(w, '}');
    buf_release(&b);
}

static void put_inhibition(const struct api *a, struct json_writer *w, const struct inhibition *by)
{
    const struct alert *source = engine_alert(a->engine, by->fingerprint);

    json_open(w, '{');
    json_key(w, S("fingerprint"));
    json_put_hex64(w, by->fingerprint);
    json_put_text(w, "rule", by->rule);
    json_key(w, S("labels"));
    if (source != NULL)
        label_set_put_json(w, source->labels);
    else
        labels_put_json(w, LABELS_NONE);
    json_close(w, '}');
}

static void explain_put_alert(const struct api *a, struct json_writer *w,
                              const struct explanation *x, struct now now)
{
    json_key(w, S("labels"));
    labels_put_json(w, x->labels);
    json_key(w, S("fingerprint"));
    json_put_hex64(w, labels_fingerprint(x->labels));
    json_put_text(w, "state",
                  x->alert == NULL ? S("unknown")
                  : x->is_resolved ? S("resolved")
                                   : S("firing"));
    if (x->alert != NULL) {
        put_when(w, "startsAt", x->alert->starts_at);
        put_when(w, "endsAt", x->alert->ends_at);
        put_when(w, "updatedAt", x->alert->updated_at);
    }
    if (x->rule != NULL)
        api_put_rule_notes(w, x->rule->notes);
    json_key(w, S("silencedBy"));
    json_open(w, '[');
    for (size_t i = 0; i < x->verdict.silenced_by.n; i++)
        explain_put_silence(w, x->verdict.silenced_by.v[i], now);
    json_close(w, ']');
    json_key(w, S("inhibitedBy"));
    json_open(w, '[');
    for (size_t i = 0; i < x->verdict.inhibited_by.n; i++)
        put_inhibition(a, w, &x->verdict.inhibited_by.v[i]);
    json_close(w, ']');
    if (x->verdict.inhibited_by.more != 0) {
        json_key(w, S("inhibitedByMore"));
        json_put_u64(w, x->verdict.inhibited_by.more);
    }
    json_key(w, S("routes"));
    json_open(w, '[');
    for (size_t i = 0; i < x->n; i++)
        explain_put_route(a, w, x, &x->routes[i], now);
    json_close(w, ']');
    explain_put_trace(w, &x->trace);
}

static void put_explanation(const struct api *a, size_t limit, struct explain_answer *an,
                            struct labels ls)
{
    struct local_now l = local_now(an, a);
    struct explain_history h = {
        .an = an, .left = limit, .since = TS_NONE, .fingerprint = labels_fingerprint(ls)};
    struct explanation x;
    struct arena scratch;

    arena_init(&scratch, 0);
    engine_explain(a->engine, ls, l.now, &scratch, &x);
    if (x.n == 1)
        h.group_key = x.routes[0].group_key;
    if (an->is_text) {
        explain_text_alert(&an->b, a, &x, &l);
        explain_put_history(a, &h);
    } else {
        json_open(&an->w, '{');
        explain_put_alert(a, &an->w, &x, l.now);
        explain_put_history(a, &h);
        json_close(&an->w, '}');
    }
    explanation_release(&x);
    arena_release(&scratch);
}

/* -- the questions -- */

static void count_queue(const struct engine *e, str receiver, size_t *queued, size_t *in_flight)
{
    *queued = *in_flight = 0;
    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        if (!str_eq(it->value->row->receiver, receiver))
            continue;
        ++*queued;
        *in_flight += outbox_in_flight(it->value);
    }
}

static void put_receiver(struct json_writer *w, const struct receiver_stats *rs, size_t queued,
                         size_t in_flight)
{
    json_put_text(w, "receiver", rs->name);
    put_when(w, "lastSuccess", rs->last_success);
    put_when(w, "lastFailure", rs->last_failure);
    json_put_text(w, "lastError", str_of(rs->last_error));
    api_put_advice(w, str_of(rs->last_error), rs->last_status);
    json_put_text(w, "failing", receiver_failing(rs));
    put_when(w, "failingSince", receiver_failing_since(rs));
    json_key(w, S("queued"));
    json_put_u64(w, queued);
    json_key(w, S("inFlight"));
    json_put_u64(w, in_flight);
}

static void explain_receiver(const struct api *a, struct http_req *rq, struct explain_answer *an,
                             const struct receiver_stats *rs)
{
    struct local_now l = local_now(an, a);
    struct explain_history h = {.an = an,
                                .left = history_limit(rq),
                                .since = TS_NONE,
                                .only_notifications = true,
                                .receiver = rs->name};
    size_t queued, in_flight;

    count_queue(a->engine, rs->name, &queued, &in_flight);
    if (an->is_text) {
        explain_text_receiver(&an->b, rs, queued, in_flight, &l);
        explain_put_history(a, &h);
        return;
    }
    json_open(&an->w, '{');
    put_receiver(&an->w, rs, queued, in_flight);
    explain_put_history(a, &h);
    json_close(&an->w, '}');
}

static const struct receiver_stats *receiver_asked(const struct api *a, str name)
{
    if (engine_receiver(a->engine, name) != NULL)
        VEC_EACH (const struct receiver_stats *, rs, &a->engine->receivers)
            if (str_eq(rs->name, name))
                return rs;
    return NULL;
}

/* label=NAME=VALUE, repeated: a label set that need not be an alert's. False: it has answered 400. */
static bool labels_asked(struct http_req *rq, struct labels *out)
{
    const struct http_param *p;
    size_t n = http_params(&rq->arena, rq->query, &p), k = 0;
    struct label *v = arena_array(&rq->arena, LABELS_MAX, sizeof(*v));
    str dup;

    for (size_t i = 0; i < n; i++) {
        if (!str_eq(p[i].name, S("label")))
            continue;
        if (k == LABELS_MAX) {
            api_fail(rq, 400, S("too many labels"));
            return false;
        }
        v[k].value = p[i].value;
        v[k].name = str_cut(&v[k].value, '=');
        if (v[k].name.n == 0 || v[k].value.p == NULL) {
            api_fail(rq, 400, S("label: NAME=VALUE is wanted"));
            return false;
        }
        k++;
    }
    k = labels_sort(v, k, &dup);
    if (k == SIZE_MAX) {
        api_fail(rq, 400, S("label: a name is given twice"));
        return false;
    }
    *out = (struct labels){v, k};
    return true;
}

bool api_fingerprint(str text, uint64_t *fp)
{
    char z[17], *end;

    if (text.n != 16)
        return false;
    memcpy(z, text.p, 16);
    z[16] = '\0';
    *fp = strtoull(z, &end, 16);
    return *end == '\0';
}

/* -- all alerts, some in a turn -- */

/* What goes through the alerts keeps fingerprints: between two turns an alert or a silence may go. */
struct explain_walk {
    struct api *api;
    struct explain_answer an;
    VEC(uint64_t) todo;
    size_t at, found;
    size_t limit; /* of history */
    struct api_filter filter;
    bool is_of_silence;
    struct uuid silence;
};

static void walk_done(void *ctx)
{
    struct explain_walk *k = ctx;

    api_filter_release(&k->filter);
    vec_release(&k->todo);
    explain_answer_release(&k->an);
    mem_free(k);
}

static const struct silence *silence_of(const struct explain_walk *k)
{
    return silencer_get(k->api->engine->silencer, uuid_str(&k->silence));
}

/* True: it was explained, which is work for one turn. */
static bool walk_one(struct explain_walk *k, const struct alert *al, struct now now)
{
    const struct silence *s = k->is_of_silence ? silence_of(k) : NULL;
    struct arena scratch;

    if (k->is_of_silence) {
        if (s != NULL && !alert_is_resolved(al, now) && silence_matches_set(s, al->labels) &&
            k->found++ < HISTORY_MAX && !k->an.is_text)
            label_set_put_json(&k->an.w, al->labels);
        return false;
    }
    if (!api_filter_set(&k->filter, al->labels) || k->found++ >= ALERTS_MAX)
        return false;
    arena_init(&scratch, 0);
    put_explanation(k->api, k->limit, &k->an, label_set_view(&scratch, al->labels));
    arena_release(&scratch);
    return true;
}

static void walk_begin(struct explain_walk *k, struct now now)
{
    struct json_writer *w = &k->an.w;

    if (k->an.is_text)
        return;
    json_open(w, '{');
    if (k->is_of_silence && silence_of(k) != NULL) {
        json_key(w, S("silence"));
        explain_put_silence(w, silence_of(k), now);
    }
    json_key(w, S("alerts"));
    json_open(w, '[');
}

static void end_silence(struct explain_walk *k)
{
    struct local_now l = local_now(&k->an, k->api);
    const struct silence *s = silence_of(k);
    struct explain_history h = {
        .an = &k->an, .left = k->limit, .since = TS_NONE, .by = uuid_str(&k->silence)};

    if (k->an.is_text) {
        if (s != NULL)
            explain_text_silence(&k->an.b, s, k->found, &l);
    } else {
        json_key(&k->an.w, S("matching"));
        json_put_u64(&k->an.w, k->found);
    }
    explain_put_history(k->api, &h);
}

static void walk_end(struct explain_walk *k)
{
    if (!k->an.is_text)
        json_close(&k->an.w, ']');
    if (k->is_of_silence)
        end_silence(k);
    else if (k->an.is_text && k->found == 0)
        buf_adds(&k->an.b, "no alert matches\n");
    else if (k->an.is_text && k->found > ALERTS_MAX)
        buf_addf(&k->an.b, "%zu more alerts match\n", k->found - ALERTS_MAX);
    if (k->an.is_text)
        return;
    json_close(&k->an.w, '}');
    buf_addc(&k->an.b, '\n');
}

static bool walk_next(void *ctx, struct buf *out)
{
    struct explain_walk *k = ctx;
    struct now now = shell_clock(k->api->conf.shell)->now;
    bool more;

    if (k->at == 0)
        walk_begin(k, now);
    for (size_t end = k->at + ALERTS_A_TURN; k->at < k->todo.n && k->at < end;) {
        const struct alert *al = engine_alert(k->api->engine, k->todo.v[k->at++]);

        if (al != NULL && walk_one(k, al, now))
            break;
    }
    if (!k->an.is_text && !k->is_of_silence && k->found >= ALERTS_MAX)
        k->at = k->todo.n; /* nobody is told how many more there are */
    more = k->at < k->todo.n;
    if (!more)
        walk_end(k);
    if (more && k->an.b.n < PIECE)
        return true; /* in another turn */
    answer_take(&k->an, out);
    return more;
}

/* Takes the filter. */
static void explain_all(struct api *a, struct http_req *rq, const struct api_filter *f,
                        const struct silence *s)
{
    struct explain_walk *k = mem_new(struct explain_walk);

    k->api = a;
    answer_begin(&k->an, rq);
    k->limit = history_limit(rq);
    k->filter = *f;
    k->is_of_silence = s != NULL;
    if (s != NULL)
        k->silence = s->id;
    vec_reserve(&k->todo, a->engine->alerts.n);
    ALERT_TABLE_EACH (al, &a->engine->alerts)
        vec_push(&k->todo, alert_fingerprint(al));
    api_headers(rq);
    http_reply_stream(rq, 200,
                      k->an.is_text ? S("text/plain; charset=utf-8") : S("application/json"),
                      walk_next, walk_done, k);
}

static void explain_one(struct api *a, struct http_req *rq, struct labels asked)
{
    const struct alert *al;
    struct explain_answer an;
    struct arena scratch;
    uint64_t fp;

    arena_init(&scratch, 0);
    answer_begin(&an, rq);
    if (!an.is_text) {
        json_open(&an.w, '{');
        json_key(&an.w, S("alerts"));
        json_open(&an.w, '[');
    }
    if (asked.n == 0) {
        al = api_fingerprint(api_param(rq, S("fingerprint")), &fp) ? engine_alert(a->engine, fp)
                                                                   : NULL;
        if (al != NULL)
            asked = label_set_view(&scratch, al->labels);
    }
    if (asked.n != 0)
        put_explanation(a, history_limit(rq), &an, asked);
    else if (an.is_text)
        buf_adds(&an.b, "there is no alert of this fingerprint\n");
    if (!an.is_text) {
        json_close(&an.w, ']');
        json_close(&an.w, '}');
    }
    answer_send(&an, rq);
    arena_release(&scratch);
}

static void explain_alerts(struct api *a, struct http_req *rq)
{
    struct labels asked;
    struct api_filter f;

    if (!labels_asked(rq, &asked) || !api_filter_init(a, rq, &f))
        return;
    if (asked.n == 0 && api_param(rq, S("fingerprint")).n == 0) {
        explain_all(a, rq, &f, NULL);
        return;
    }
    explain_one(a, rq, asked);
    api_filter_release(&f);
}

void api_get_explain(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    str silence = api_param(rq, S("silence")), receiver = api_param(rq, S("of_receiver")),
        rule = api_param(rq, S("rule"));
    const struct silence *s = silence.n != 0 ? silencer_get(a->engine->silencer, silence) : NULL;
    const struct receiver_stats *rs = receiver.n != 0 ? receiver_asked(a, receiver) : NULL;
    struct explain_answer an;

    if (rule.n != 0) {
        api_explain_rule(a, rq, rule);
        return;
    }
    if (silence.n == 0 && receiver.n == 0) {
        explain_alerts(a, rq);
        return;
    }
    if (s == NULL && rs == NULL) {
        api_fail(rq, 404,
                 silence.n != 0 ? S("there is no such silence") : S("there is no such receiver"));
        return;
    }
    if (s != NULL) {
        struct api_filter none = {.receiver = NULL};

        arena_init(&none.arena, 0);
        explain_all(a, rq, &none, s);
        return;
    }
    answer_begin(&an, rq);
    explain_receiver(a, rq, &an, rs);
    answer_send(&an, rq);
}

void api_get_notifications(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct explain_answer an;
    struct explain_history h = {.an = &an,
                                .left = history_limit(rq),
                                .since = TS_NONE,
                                .only_notifications = true,
                                .receiver = api_param(rq, S("receiver"))};
    str since = api_param(rq, S("since"));
    struct err e = ERR_INIT;

    if (since.n != 0 && !api_time_parse(since, &h.since, &e)) {
        api_fail(rq, 400, str_of(e.msg));
        return;
    }
    answer_begin(&an, rq);
    if (!an.is_text)
        json_open(&an.w, '{');
    explain_put_history(a, &h);
    if (!an.is_text)
        json_close(&an.w, '}');
    answer_send(&an, rq);
}
