/* The answers of GET /api/v2/explain and /notifications in words, for format=text: what the command line prints. */
#include "api/api_priv.h"

#include <inttypes.h>
#include "codec/duration.h"
#include "notify/advice.h"
#include "route/route_conf.h"

void explain_text_decision(struct buf *b, const struct decision *d, const struct tz *zone)
{
    buf_adds(b, "    ");
    tz_print(b, zone, d->at);
    buf_addf(b, "  %-14s %.*s", decision_kind_text(d->kind), STR(d->receiver));
    if (d->integration.n != 0)
        buf_addf(b, "/%.*s[%u]", STR(d->integration), d->index);
    if (d->kind == DECISION_NOTIFY)
        buf_addf(b, "  %zu firing, %zu resolved", d->n_firing, d->n_alerts - d->n_firing);
    if (d->status != 0)
        buf_addf(b, "  status %d", d->status);
    if (d->attempt > 1)
        buf_addf(b, "  attempt %u", d->attempt);
    if (d->took != 0)
        buf_addf(b, "  %.0f ms", (double)d->took / NS_PER_MS);
    if (d->why.n != 0)
        buf_addf(b, "  %.*s", STR(d->why));
    if (d->by.n != 0)
        buf_addf(b, "  by %.*s", STR(d->by));
    if (d->until != TS_NONE) {
        buf_addf(b, "  %s ", d->kind == DECISION_RETRY ? "again at" : "until");
        tz_print(b, zone, d->until);
    }
    buf_addf(b, "  %.*s\n", STR(d->group_key));
}

static void explain_text_put_trace(struct buf *b, const struct route_trace_list *trace)
{
    buf_adds(b, "  routes\n");
    VEC_EACH (const struct route_trace *, t, trace) {
        buf_addf(b, "    %*s", (int)(2 * t->depth), "");
        matchers_print(b, &t->route->matchers);
        buf_addf(b, "  receiver %.*s%s", STR(t->route->receiver),
                 t->route->goes_on ? ", continue" : "");
        switch (t->kind) {
        case ROUTE_PASSES: buf_adds(b, ": matches\n"); break;
        case ROUTE_TAKES: buf_adds(b, ": takes it\n"); break;
        case ROUTE_NOT_TRIED: buf_adds(b, ": not tried, a route before it took it\n"); break;
        case ROUTE_FAILS:
            buf_adds(b, ": fails at ");
            matcher_print(b, t->failed);
            buf_addc(b, '\n');
            break;
        }
    }
}

static void explain_text_put_route(struct buf *b, const struct api *a, const struct explanation *x,
                                   const struct explain_route *r, const struct local_now *l)
{
    buf_addf(b, "  to %.*s in group %.*s", STR(r->route->receiver), STR(r->group_key));
    if (r->next_flush != TS_NONE) {
        buf_adds(b, ", next look ");
        explain_say_time(b, r->next_flush, l);
    }
    buf_adds(b, "\n    group_wait ");
    duration_print(b, r->route->conf->group_wait);
    buf_adds(b, ", group_interval ");
    duration_print(b, r->route->conf->group_interval);
    buf_adds(b, ", repeat_interval ");
    duration_print(b, r->route->conf->repeat_interval);
    buf_addc(b, '\n');
    if (r->n == 0)
        buf_adds(b, "    this receiver has no integration: nobody is told\n");
    for (size_t i = 0; i < r->n; i++) {
        const struct explain_integration *in = &r->integrations[i];

        buf_addf(b, "    %.*s[%u]: ", STR(in->conf->kind), in->conf->index);
        explain_say(b, a->engine, x, r, in, l);
        buf_addc(b, '\n');
    }
}

static void explain_text_put_notes(struct buf *b, const struct rule_view *r,
                                   const struct local_now *l)
{
    const struct rule_notes *n = r->notes;

    if (n->held.n != 0) {
        buf_adds(b, "  holds its state since ");
        explain_say_time(b, n->held_since, l);
        buf_addf(b, ": the answer to its rule is partial: %.*s\n", STR(n->held));
    }
    for (size_t i = 0; i < n->n_warnings; i++)
        buf_addf(b, "  its rule warns: %.*s\n", STR(n->warnings[i]));
    for (size_t i = 0; i < n->n_infos; i++)
        buf_addf(b, "  its rule informs: %.*s\n", STR(n->infos[i]));
}

void explain_text_alert(struct buf *b, const struct api *a, const struct explanation *x,
                        const struct local_now *l)
{
    labels_print(b, x->labels);
    if (x->alert == NULL) {
        buf_adds(b, "\n  no such alert is known; this is what would become of it\n");
    } else {
        buf_addf(b, "  %016" PRIx64 "\n  %s since ", alert_fingerprint(x->alert),
                 x->is_resolved ? "resolved, had fired" : "firing");
        explain_say_time(b, x->alert->starts_at, l);
        buf_addc(b, '\n');
    }
    if (x->rule != NULL)
        explain_text_put_notes(b, x->rule, l);
    explain_text_put_trace(b, &x->trace);
    if (x->n == 0)
        buf_adds(b, "  there are no routes: nobody is told\n");
    for (size_t i = 0; i < x->n; i++)
        explain_text_put_route(b, a, x, &x->routes[i], l);
}

void explain_text_silence(struct buf *b, const struct silence *s, size_t matching,
                          const struct local_now *l)
{
    str given = labels_get(s->annotations, S("createdBy"));

    buf_addf(b, "silence %s of %.*s", s->id.text, STR(s->created_by));
    if (given.n != 0)
        buf_addf(b, " (given as %.*s)", STR(given));
    buf_addf(b, ": %.*s\n  %s", STR(s->comment), silence_state_text(silence_state(s, l->now.wall)));
    buf_adds(b, ", from ");
    explain_say_time(b, s->starts_at, l);
    buf_adds(b, " until ");
    explain_say_time(b, s->ends_at, l);
    buf_addc(b, '\n');
    for (size_t i = 0; i < s->n_sets; i++) {
        buf_addf(b, "  %s", i == 0 ? "" : "or ");
        matchers_print(b, &s->sets[i]);
        buf_addc(b, '\n');
    }
    buf_addf(b, "  matches %zu alerts that fire now\n", matching);
}

static void explain_text_advice(struct buf *b, struct advice ad)
{
    if (ad.en != NULL)
        buf_addf(b, "\n  what to do: %s\n  怎么办：%s", ad.en, ad.zh);
}

void explain_text_receiver(struct buf *b, const struct receiver_stats *rs, size_t queued,
                           size_t in_flight, const struct local_now *l)
{
    buf_addf(b, "receiver %.*s\n  last success ", STR(rs->name));
    if (rs->last_success == TS_NONE)
        buf_adds(b, "never since the start");
    else
        explain_say_time(b, rs->last_success, l);
    buf_adds(b, "\n  last failure ");
    if (rs->last_failure == TS_NONE) {
        buf_adds(b, "none since the start");
    } else {
        explain_say_time(b, rs->last_failure, l);
        buf_addf(b, ": %s", rs->last_error);
        explain_text_advice(b, advice_of(str_of(rs->last_error), rs->last_status));
    }
    if (receiver_failing(rs).n != 0) {
        buf_adds(b, "\n  fails since ");
        explain_say_time(b, receiver_failing_since(rs), l);
        buf_addf(b, ": %.*s", STR(receiver_failing(rs)));
    }
    buf_addf(b, "\n  %zu notifications wait, %zu of them under way\n", queued, in_flight);
}
