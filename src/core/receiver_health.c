#include "core/receiver_health.h"

#include <stdio.h>
#include "core/engine_priv.h"
#include "core/relay.h"
#include "route/route_conf.h"

#define FORGOTTEN_AFTER NS_PER_H

static void health_free(struct integration_health *h)
{
    mem_str_free(h->integration);
    mem_str_free(h->why);
}

void receiver_stats_release(struct receiver_stats *rs, size_t n_kinds)
{
    integration_stats_free(rs->integration, n_kinds);
    VEC_EACH (struct integration_health *, h, &rs->health)
        health_free(h);
    vec_release(&rs->health);
    mem_str_free(rs->name);
}

str receiver_failing(const struct receiver_stats *rs)
{
    VEC_EACH (const struct integration_health *, h, &rs->health)
        if (h->is_failing)
            return h->why;
    return STR_NONE;
}

ts_ns receiver_failing_since(const struct receiver_stats *rs)
{
    ts_ns since = TS_NONE;

    VEC_EACH (const struct integration_health *, h, &rs->health)
        if (h->is_failing && (since == TS_NONE || h->failing_since_wall < since))
            since = h->failing_since_wall;
    return since;
}

static void receiver_health_tell(struct engine *e, const struct receiver_stats *rs, struct now now,
                                 struct effects *fx)
{
    str why = receiver_failing(rs);

    builtin_set(e, BUILTIN_RECEIVER_FAILING, why.n != 0, rs->name, why, now, fx);
}

/* -- one integration -- */

static bool receiver_health_is_configured(const struct engine *e, str receiver, str integration,
                                          unsigned index)
{
    const struct core_receiver *rc = engine_receiver(e, receiver);

    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++)
        if (rc->integrations[i].index == index && str_eq(integration, rc->integrations[i].kind))
            return true;
    return false;
}

/* The shortest of the routes that name the receiver. */
dur_ns receiver_patience(const struct engine *e, str receiver)
{
    dur_ns least = INT64_MAX;

    for (size_t i = 0; i < e->tree.n; i++)
        if (str_eq(e->tree.by_index[i]->receiver, receiver) &&
            e->tree.by_index[i]->conf->group_interval < least)
            least = e->tree.by_index[i]->conf->group_interval;
    return least;
}

static struct integration_health *health_of(struct receiver_stats *rs, str integration,
                                            unsigned index)
{
    VEC_EACH (struct integration_health *, h, &rs->health)
        if (h->index == index && str_eq(integration, h->integration))
            return h;
    return NULL;
}

static struct integration_health *health_begin(struct engine *e, struct receiver_stats *rs,
                                               const struct outbox_row *r, struct now now)
{
    struct integration_health *h;

    vec_push(&rs->health, (struct integration_health){.index = r->index});
    h = vec_last(&rs->health);
    h->integration = mem_str_dup(r->integration);
    h->failing_since = now.mono;
    h->failing_since_wall = now.wall;
    h->group_interval = r->is_relayed ? RELAY_PATIENCE : receiver_patience(e, rs->name);
    return h;
}

static void health_end(struct receiver_stats *rs, struct integration_health *h)
{
    health_free(h);
    vec_remove(&rs->health, (size_t)(h - rs->health.v));
}

static void receiver_health_note_failure(struct engine *e, struct receiver_stats *rs,
                                         const struct outbox_row *r,
                                         const struct delivery_result *d, struct now now)
{
    struct integration_health *h = health_of(rs, r->integration, r->index);
    char why[400];

    if (h == NULL)
        h = health_begin(e, rs, r, now);
    h->last_failure = now.mono;
    snprintf(why, sizeof(why), "%.*s[%u]: %.*s", STR(r->integration), r->index, STR(d->error));
    if (!str_is(h->why, why)) {
        mem_str_free(h->why);
        h->why = mem_str_dup(str_of(why));
    }
    h->is_failing |= d->verdict == DELIVERY_FAILED || d->verdict == DELIVERY_OK ||
                     now.mono - h->failing_since > h->group_interval;
}

static bool waits(const struct engine *e, str receiver, const struct integration_health *h)
{
    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        const struct outbox_row *r = it->value->row;

        if (r->attempt != 0 && r->index == h->index && str_eq(r->receiver, receiver) &&
            str_eq(r->integration, h->integration))
            return true;
    }
    return false;
}

void receivers_check(struct engine *e, struct now now, struct effects *fx)
{
    VEC_EACH (struct receiver_stats *, rs, &e->receivers) {
        bool any = rs->health.n != 0;

        for (size_t i = rs->health.n; i-- > 0;) {
            struct integration_health *h = &rs->health.v[i];

            if (now.mono - h->last_failure > FORGOTTEN_AFTER && !waits(e, rs->name, h))
                health_end(rs, h);
            else if (!h->is_failing && now.mono - h->failing_since > h->group_interval)
                h->is_failing = waits(e, rs->name, h);
        }
        if (any)
            receiver_health_tell(e, rs, now, fx);
    }
}

void receivers_paused(struct engine *e, dur_ns lost, struct now now, struct effects *fx)
{
    (void)now;
    (void)fx;
    VEC_EACH (struct receiver_stats *, rs, &e->receivers)
        VEC_EACH (struct integration_health *, h, &rs->health) {
            h->failing_since = ts_add(h->failing_since, lost);
            h->last_failure = ts_add(h->last_failure, lost);
        }
}

/* -- clocks -- */

static str clock_name(str receiver, str integration, unsigned index, char out[static 256])
{
    snprintf(out, 256, "receiver %.*s/%.*s[%u]", STR(receiver), STR(integration), index);
    return str_of(out);
}

static void note_clock(struct engine *e, const struct outbox_row *r,
                       const struct delivery_result *d, struct now now, struct effects *fx)
{
    char name[256], why[400];

    if (!d->has_date)
        return;
    (void)clock_name(r->receiver, r->integration, r->index, name);
    snprintf(why, sizeof(why), "the clock of %s is %.0f s %s ours", name,
             (double)(d->skew < 0 ? -d->skew : d->skew) / NS_PER_S,
             d->skew < 0 ? "behind" : "ahead of");
    builtin_set(e, BUILTIN_CLOCK_SKEW, d->skew > CLOCK_SKEW_MAX || d->skew < -CLOCK_SKEW_MAX,
                str_of(name), str_of(why), now, fx);
}

/* -- all of them -- */

void receiver_answered(struct engine *e, const struct outbox_row *r,
                       const struct delivery_result *d, struct now now, struct effects *fx)
{
    struct receiver_stats *rs = receiver_stats_of(e, r->receiver);
    bool is_well = d->verdict == DELIVERY_OK && !d->in_part;
    struct integration_health *h;

    note_clock(e, r, d, now, fx);
    if (rs == NULL || d->under_way)
        return;
    h = health_of(rs, r->integration, r->index);
    if ((is_well && h == NULL) ||
        !receiver_health_is_configured(e, r->receiver, r->integration, r->index))
        return;
    if (is_well)
        health_end(rs, h);
    else
        receiver_health_note_failure(e, rs, r, d, now);
    receiver_health_tell(e, rs, now, fx);
}

static bool is_clock_of_receiver(const struct engine *e, str name)
{
    char known[256];

    for (size_t i = 0; i < e->conf->n_receivers; i++) {
        const struct core_receiver *rc = &e->conf->receivers[i];

        for (size_t k = 0; k < rc->n_integrations; k++)
            if (str_eq(name, clock_name(rc->name, rc->integrations[k].kind,
                                        rc->integrations[k].index, known)))
                return true;
    }
    return false;
}

void receivers_configured(struct engine *e, struct now now, struct effects *fx)
{
    VEC_EACH (struct receiver_stats *, rs, &e->receivers) {
        bool any = rs->health.n != 0;

        for (size_t i = rs->health.n; i-- > 0;) {
            struct integration_health *h = &rs->health.v[i];

            h->group_interval = receiver_patience(e, rs->name);
            if (!receiver_health_is_configured(e, rs->name, h->integration, h->index))
                health_end(rs, h);
        }
        if (any)
            receiver_health_tell(e, rs, now, fx);
    }
    for (size_t i = e->builtins.n; i-- > 0;) {
        const struct builtin *b = &e->builtins.v[i];

        if (b->kind == BUILTIN_CLOCK_SKEW && str_starts_with(b->subject, S("receiver ")) &&
            !is_clock_of_receiver(e, b->subject))
            builtin_set(e, BUILTIN_CLOCK_SKEW, false, b->subject, STR_NONE, now, fx);
    }
}

/* -- who is to know -- */

/* Of the receiver that fails the other integrations may be well. */
static bool tells_others(const struct core_conf *conf, str receiver, str failing)
{
    for (size_t i = 0; i < conf->n_receivers; i++)
        if (str_eq(conf->receivers[i].name, receiver))
            return conf->receivers[i].n_integrations > (str_eq(receiver, failing) ? 1 : 0);
    return false;
}

static void receiver_health_add_others(const struct core_conf *conf, const struct route *r,
                                       str failing, struct route_list *out)
{
    bool is_known = false;

    VEC_EACH (const struct route *const *, known, out)
        is_known |= str_eq((*known)->receiver, r->receiver);
    if (!is_known && tells_others(conf, r->receiver, failing))
        vec_push(out, r);
    for (size_t i = 0; i < r->n_children; i++)
        receiver_health_add_others(conf, r->children[i], failing, out);
}

static void add_all_others(const struct core_conf *conf, const struct route_tree *tree, str failing,
                           struct route_list *out)
{
    if (tree->root != NULL)
        receiver_health_add_others(conf, tree->root, failing, out);
}

void receiver_routes(const struct core_conf *conf, const struct route_tree *tree, struct labels ls,
                     struct route_list *out)
{
    if (builtin_is(labels_get(ls, S("alertname")), BUILTIN_RECEIVER_FAILING))
        add_all_others(conf, tree, labels_get(ls, S("receiver")), out);
    else
        route_tree_match(tree, ls, out);
}

void receiver_routes_of_set(const struct core_conf *conf, const struct route_tree *tree,
                            const struct label_set *set, struct route_list *out)
{
    if (builtin_is(label_set_get(set, S("alertname")), BUILTIN_RECEIVER_FAILING))
        add_all_others(conf, tree, label_set_get(set, S("receiver")), out);
    else
        route_tree_match_set(tree, set, out);
}
