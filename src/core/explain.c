/* What holds an alert back is audience.c's word, when it is told next foresee.c's; here both are put together with what the log
 * and the outbox have, route by route, and said in words. */
#include "core/explain.h"

#include "codec/duration.h"
#include "core/bucket.h"
#include "core/engine_priv.h"
#include "core/foresee.h"
#include "core/receiver_health.h"
#include "route/route_conf.h"

const char *explain_verdict_text(enum explain_verdict v)
{
    static const char *const texts[] = {[EXPLAIN_INHIBITED] = "inhibited",
                                        [EXPLAIN_OUTSIDE_ACTIVE] = "outside active time",
                                        [EXPLAIN_MUTED] = "muted",
                                        [EXPLAIN_SILENCED] = "silenced",
                                        [EXPLAIN_SENDING] = "sending",
                                        [EXPLAIN_RETRYING] = "retrying",
                                        [EXPLAIN_TOLD] = "told",
                                        [EXPLAIN_WAITING] = "waiting",
                                        [EXPLAIN_UNSENT_RESOLVE] = "unsent resolve",
                                        [EXPLAIN_GONE] = "gone"};

    return texts[v];
}

static bool explain_has(struct hash_list firing, struct hash_list resolved, uint64_t hash)
{
    return hash_list_has(firing, hash) || hash_list_has(resolved, hash);
}

/* Whether the row tells the alert; one that waits asks again when it is sent. */
static bool explain_row_tells(const struct engine *e, const struct outbox_row *r,
                              const struct nflog_entry *known, bool is_in_flight, uint64_t hash,
                              struct now now, struct arena *a)
{
    ts_ns sent;
    struct now at;
    struct row_audience x;

    if (r == NULL || !explain_has(r->firing, r->resolved, hash))
        return false;
    sent = r->not_before > now.mono ? r->not_before : now.mono;
    at = (struct now){.wall = ts_add(now.wall, sent - now.mono), .mono = now.mono};
    if (is_in_flight || audience_is_settled(e, r, sent) || !audience_of_row(e, r, known, at, a, &x))
        return true;
    return !row_is_withdrawn(&x, r, known, sent) && explain_has(x.firing, x.resolved, hash);
}

static enum explain_verdict explain_held(enum held_by by)
{
    static const enum explain_verdict verdicts[] = {
        [HELD_BY_INHIBITION] = EXPLAIN_INHIBITED,
        [HELD_BY_ACTIVE_TIME] = EXPLAIN_OUTSIDE_ACTIVE,
        [HELD_BY_MUTE_TIME] = EXPLAIN_MUTED,
        [HELD_BY_SILENCE] = EXPLAIN_SILENCED,
    };

    return verdicts[by];
}

/* The first thing on the way from the group to the integration that keeps it silent about the alert. */
static enum explain_verdict explain_judge(const struct engine *e, const struct explanation *x,
                                          const struct explain_route *r,
                                          const struct explain_integration *in, struct now now,
                                          struct arena *a)
{
    uint64_t hash = labels_dedup_hash(x->labels);
    const struct outbox_slot *s = in->slot;

    if (s != NULL && (explain_row_tells(e, s->row, in->last, outbox_in_flight(s), hash, now, a) ||
                      explain_row_tells(e, s->next, in->last, false, hash, now, a)))
        return outbox_in_flight(s) || s->row->attempt == 0 ? EXPLAIN_SENDING : EXPLAIN_RETRYING;
    if (r->held_by != HELD_BY_NOTHING && !audience_hears_end(e, in->last, hash, x->is_resolved))
        return explain_held(r->held_by);
    if (r->group == NULL)
        return x->alert == NULL ? EXPLAIN_WAITING : EXPLAIN_GONE;
    if (x->is_resolved && !in->conf->send_resolved)
        return EXPLAIN_UNSENT_RESOLVE;
    if (in->last != NULL && !in->last->is_unsure &&
        hash_list_has(x->is_resolved ? in->last->resolved : in->last->firing, hash))
        return EXPLAIN_TOLD;
    return EXPLAIN_WAITING;
}

const char *explain_wait_text(enum explain_wait w)
{
    static const char *const texts[] = {[EXPLAIN_WAITS_ATTEMPT] = "attempt",
                                        [EXPLAIN_WAITS_PACE] = "pace",
                                        [EXPLAIN_WAITS_ASKED] = "asked",
                                        [EXPLAIN_WAITS_PLACE] = "place"};

    return texts[w];
}

static void explain_find_wait(const struct engine *e, struct explain_integration *in,
                              struct now now)
{
    const struct outbox_slot *s = in->slot;
    const struct pace_bucket *b;
    ts_ns opens, until = TS_NONE;

    in->waits_until = TS_NONE;
    if (s == NULL || outbox_in_flight(s) || s->stands_by)
        return;
    b = bucket_of(e, s->destination);
    opens = queue_opens(&e->queue, s->destination);
    if (s->row->not_before > now.mono) {
        in->wait = EXPLAIN_WAITS_ATTEMPT;
        until = s->row->not_before;
    } else if (opens != TS_NONE && opens > now.mono) {
        in->wait = b != NULL && bucket_opens(b) >= opens ? EXPLAIN_WAITS_PACE : EXPLAIN_WAITS_ASKED;
        until = opens;
    } else {
        in->wait = EXPLAIN_WAITS_PLACE;
    }
    if (until != TS_NONE)
        in->waits_until = ts_add(now.wall, until - now.mono);
}

static void explain_integration(const struct engine *e, const struct explanation *x,
                                const struct explain_route *r, struct explain_integration *in,
                                const struct core_integration *ic, struct now now, struct arena *a)
{
    struct buf key = BUF_INIT;
    struct nflog_entry **last;

    nflog_key(&key, r->group_key, r->route->receiver, ic->kind, ic->index);
    last = nflog_map_get(&e->nflog, buf_str(&key));
    *in = (struct explain_integration){.conf = ic,
                                       .last = last != NULL ? *last : NULL,
                                       .slot = outbox_slot_of(e, buf_str(&key)),
                                       .next_at = TS_NONE};
    buf_release(&key);
    explain_find_wait(e, in, now);
    in->verdict = explain_judge(e, x, r, in, now, a);
    if (r->group != NULL && x->alert != NULL) {
        struct foreseen f = foresee(e, r->group, ic, alert_fingerprint(x->alert), now, a);

        in->next_at = f.at;
        in->next_reason = f.reason;
        in->is_cut = f.is_cut;
    }
}

static str names(struct arena *a, struct buf *b)
{
    str s = arena_str(a, buf_str(b));

    buf_release(b);
    return s;
}

static void explain_route(const struct engine *e, const struct explanation *x,
                          struct explain_route *r, const struct route *route, struct now now,
                          struct arena *a)
{
    const struct core_receiver *rc = engine_receiver(e, route->receiver);
    struct audience au = audience_at(e, route, now);
    struct verdict v = {HELD_BY_NOTHING};
    struct buf b = BUF_INIT;
    const struct group *g = engine_group_of(e, route, x->labels, a);

    *r = (struct explain_route){.route = route, .next_flush = TS_NONE};
    r->group_labels = route_group_labels(route, a, x->labels);
    route_group_key(&b, route, r->group_labels);
    r->group_key = names(a, &b);
    if (g != NULL) {
        r->next_flush = ts_add(now.wall, g->timer.key - now.mono);
        if (x->alert == NULL || alert_table_get(&g->alerts, alert_fingerprint(x->alert)) != NULL)
            r->group = g;
    }
    (void)audience_tells(&au, x->labels, &v);
    r->held_by = v.held_by;
    verdict_release(&v);
    audience_names(&au, HELD_BY_ACTIVE_TIME, &b);
    r->outside_active = names(a, &b);
    audience_names(&au, HELD_BY_MUTE_TIME, &b);
    r->muted = names(a, &b);
    r->n = rc != NULL ? rc->n_integrations : 0;
    r->integrations = arena_array(a, r->n, sizeof(*r->integrations));
    for (size_t i = 0; i < r->n; i++)
        explain_integration(e, x, r, &r->integrations[i], &rc->integrations[i], now, a);
}

/* The router may have added labels to those of the rule's alert. */
static bool has_all(struct labels ls, struct labels some)
{
    LABELS_EACH (l, some)
        if (!str_eq(labels_get(ls, l->name), l->value))
            return false;
    return true;
}

static const struct rule_view *rule_that_says(const struct engine *e, struct labels ls)
{
    VEC_EACH (struct rule_slot *const *, s, &e->rules) {
        const struct rule_group_view *g = (*s)->shown;

        for (size_t i = 0; i < g->n_rules; i++)
            for (size_t k = 0; rule_notes_any(g->rules[i].notes) && k < g->rules[i].n_alerts; k++)
                if (has_all(ls, g->rules[i].alerts[k].labels))
                    return &g->rules[i];
    }
    return NULL;
}

void engine_explain(const struct engine *e, struct labels ls, struct now now, struct arena *a,
                    struct explanation *out)
{
    struct audience any = audience_at(e, NULL, now);
    struct route_list routes = {0};

    *out = (struct explanation){.labels = ls, .alert = engine_alert(e, labels_fingerprint(ls))};
    out->is_resolved = out->alert != NULL && alert_is_resolved(out->alert, now);
    (void)audience_judge(&any, ls, &out->verdict);
    out->rule = rule_that_says(e, ls);
    route_tree_trace(&e->tree, ls, &out->trace);
    receiver_routes(e->conf, &e->tree, ls, &routes);
    out->n = routes.n;
    out->routes = arena_array(a, routes.n, sizeof(*out->routes));
    for (size_t i = 0; i < routes.n; i++)
        explain_route(e, out, &out->routes[i], routes.v[i], now, a);
    vec_release(&routes);
}

void explanation_release(struct explanation *x)
{
    verdict_release(&x->verdict);
    vec_release(&x->trace);
}

/* -- in words -- */

void explain_say_time(struct buf *out, ts_ns t, const struct local_now *l)
{
    dur_ns d = ts_sub(t, l->now.wall);
    bool is_past = d < 0;

    tz_print(out, l->zone, t);
    buf_addf(out, "%s", is_past ? " (" : " (in ");
    duration_print(out, (is_past ? -d : d) / NS_PER_S * NS_PER_S);
    buf_addf(out, "%s", is_past ? " ago)" : ")");
}

static void say_silences(struct buf *out, const struct explanation *x, const struct local_now *l)
{
    buf_adds(out, "silenced by ");
    for (size_t i = 0; i < x->verdict.silenced_by.n; i++) {
        const struct silence *s = x->verdict.silenced_by.v[i];

        buf_addf(out, "%s%s of %.*s (\"%.*s\") until ", i != 0 ? " and " : "", s->id.text,
                 STR(s->created_by), STR(s->comment));
        explain_say_time(out, s->ends_at, l);
    }
}

static void say_inhibitions(struct buf *out, const struct engine *e, const struct explanation *x)
{
    buf_adds(out, "inhibited by ");
    for (size_t i = 0; i < x->verdict.inhibited_by.n; i++) {
        const struct inhibition *by = &x->verdict.inhibited_by.v[i];
        const struct alert *source = engine_alert(e, by->fingerprint);

        buf_addf(out, "%s", i != 0 ? " and " : "");
        if (source != NULL)
            label_set_print(out, source->labels);
        if (by->rule.n != 0)
            buf_addf(out, " (rule \"%.*s\")", STR(by->rule));
    }
    if (x->verdict.inhibited_by.more != 0)
        buf_addf(out, " and up to %zu more", x->verdict.inhibited_by.more);
}

/* What holds an alert back does not make the receiver forget it. */
static void say_known(struct buf *out, const struct explanation *x,
                      const struct explain_integration *in, const struct local_now *l)
{
    if (in->last == NULL || !hash_list_has(in->last->firing, labels_dedup_hash(x->labels)))
        return;
    buf_addf(out, "; %s told that it fires ", in->last->is_unsure ? "may have been" : "was");
    explain_say_time(out, in->last->timestamp, l);
}

static void say_wait(struct buf *out, const struct explain_integration *in,
                     const struct local_now *l)
{
    switch (in->wait) {
    case EXPLAIN_WAITS_NOT:
        if (in->slot->stands_by)
            buf_adds(out, "the day's budget is spent: another receiver is told in its place");
        else
            buf_adds(out, "being sent");
        return;
    case EXPLAIN_WAITS_ATTEMPT:
        buf_addf(out, "%s ", in->slot->row->attempt != 0 ? "tried again" : "goes out");
        break;
    case EXPLAIN_WAITS_PACE:
        buf_adds(out, "waits for its turn: the service takes no more until ");
        break;
    case EXPLAIN_WAITS_ASKED:
        buf_adds(out, "waits: the service asked to be left alone until ");
        break;
    case EXPLAIN_WAITS_PLACE: buf_adds(out, "waits for its turn: others are being sent"); return;
    }
    explain_say_time(out, in->waits_until, l);
}

static void say_next(struct buf *out, const struct explain_integration *in,
                     const struct local_now *l)
{
    if (in->is_cut) {
        buf_adds(out, "; when it is told next is too far away to tell");
    } else if (in->next_at == TS_NONE) {
        buf_adds(out, "; nothing more will be said of it unless something changes");
    } else {
        buf_adds(out, "; next ");
        explain_say_time(out, in->next_at, l);
        if (in->next_reason != REASON_NONE)
            buf_addf(out, ", %s", notify_reason_text(in->next_reason));
    }
}

void explain_say(struct buf *out, const struct engine *e, const struct explanation *x,
                 const struct explain_route *r, const struct explain_integration *in,
                 const struct local_now *l)
{
    switch (in->verdict) {
    case EXPLAIN_INHIBITED: say_inhibitions(out, e, x); break;
    case EXPLAIN_OUTSIDE_ACTIVE:
        buf_addf(out, "not sent outside of %.*s", STR(r->outside_active));
        break;
    case EXPLAIN_MUTED: buf_addf(out, "muted by %.*s", STR(r->muted)); break;
    case EXPLAIN_SILENCED: say_silences(out, x, l); break;
    case EXPLAIN_SENDING: say_wait(out, in, l); break;
    case EXPLAIN_RETRYING:
        buf_addf(out, "%u attempts failed", in->slot->row->attempt);
        if (in->slot->row->error.n != 0)
            buf_addf(out, ": %.*s", STR(in->slot->row->error));
        buf_adds(out, "; ");
        say_wait(out, in, l);
        break;
    case EXPLAIN_TOLD:
        buf_addf(out, "%s", x->is_resolved ? "told of its end " : "told ");
        explain_say_time(out, in->last->timestamp, l);
        break;
    case EXPLAIN_WAITING:
        buf_addf(out, "%s",
                 r->next_flush == TS_NONE ? "would wait for " : "waits for the group's flush");
        if (r->next_flush == TS_NONE)
            duration_print(out, r->route->conf->group_wait);
        break;
    case EXPLAIN_UNSENT_RESOLVE: buf_adds(out, "it ended, and send_resolved is off"); break;
    case EXPLAIN_GONE: buf_adds(out, "it ended, and is no longer in the group"); break;
    }
    if (in->verdict <= EXPLAIN_SILENCED)
        say_known(out, x, in, l);
    if (r->group != NULL && x->alert != NULL)
        say_next(out, in, l);
}
