/* GET /api/tocsin/trial_rules: rules on trial ("# tocsin: trial"), and what they would have done to whom since the start: how often
 * they fired, for how long, and who would have been told. From the history of our rules' alerts. format=text: a table. */
#include "api/api_priv.h"

#include "codec/duration.h"
#include "core/rule_history.h"

struct trial_rule {
    size_t fired, firing; /* times; now */
    dur_ns lasted;        /* all times together */
    ts_ns last;           /* that it fired; TS_NONE: never */
    struct labels labels; /* of an alert of it, or as far as they are known */
};

/* What a template makes may be anything. */
static bool is_of_rule(const struct rule_group_view *g, const struct rule_view *r,
                       const struct alert_history *h)
{
    if (!str_eq(shared_text_str(h->file), g->file) || !str_eq(shared_text_str(h->group), g->name) ||
        !str_eq(label_set_get(h->labels, S("alertname")), r->name))
        return false;
    LABELS_EACH (l, r->labels)
        if (str_find_str(l->value, S("{{")) < 0 &&
            !str_eq(label_set_get(h->labels, l->name), l->value))
            return false;
    return true;
}

static void count_events(const struct alert_history *h, ts_ns now, struct arena *a,
                         struct trial_rule *t)
{
    ts_ns since = TS_NONE;

    VEC_EACH (const struct rule_event *, e, &h->events) {
        if (e->state == RULE_ALERT_FIRING && since == TS_NONE) {
            since = e->at;
            t->fired++;
            t->last = t->last == TS_NONE || e->at > t->last ? e->at : t->last;
        } else if (e->state != RULE_ALERT_FIRING && since != TS_NONE) {
            t->lasted += e->at - since;
            since = TS_NONE;
        }
    }
    if (since != TS_NONE) {
        t->firing++;
        t->lasted += now - since;
    }
    t->labels = label_set_view(a, h->labels);
}

static struct trial_rule trial_rule_of(const struct api *a, const struct rule_group_view *g,
                                       const struct rule_view *r, struct arena *scratch)
{
    struct label *name = arena_new(scratch, struct label);
    struct trial_rule t = {.last = TS_NONE};

    *name = (struct label){S("alertname"), r->name};
    t.labels = labels_merge(scratch, r->labels, (struct labels){name, 1});
    MAP_EACH (struct u64_map_entry, it, &a->engine->rule_history.alerts)
        if (is_of_rule(g, r, it->value))
            count_events(it->value, shell_clock(a->conf.shell)->now.wall, scratch, &t);
    return t;
}

static void put_trial_rule(const struct api *a, struct json_writer *w,
                           const struct rule_group_view *g, const struct rule_view *r,
                           const struct trial_rule *t)
{
    struct route_list to = {0};

    route_tree_match(&a->engine->tree, t->labels, &to);
    json_open(w, '{');
    json_put_text(w, "alert", r->name);
    json_put_text(w, "group", g->name);
    json_put_text(w, "file", g->file);
    json_key(w, S("fired"));
    json_put_u64(w, t->fired);
    json_key(w, S("firing"));
    json_put_u64(w, t->firing);
    api_put_seconds(w, "seconds", t->lasted);
    json_key(w, S("lastFired"));
    if (t->last == TS_NONE)
        json_put_null(w);
    else
        json_put_rfc3339_ms(w, t->last);
    json_key(w, S("receivers"));
    json_open(w, '[');
    VEC_EACH (const struct route *const *, x, &to)
        json_put_str(w, (*x)->receiver);
    json_close(w, ']');
    json_close(w, '}');
    vec_release(&to);
}

static void say_trial_rule(const struct api *a, struct buf *b, const struct rule_view *r,
                           const struct trial_rule *t, const struct local_now *l)
{
    struct route_list to = {0};

    buf_addf(b, "%.*s: ", STR(r->name));
    if (t->fired == 0) {
        buf_adds(b, "has not fired");
    } else {
        buf_addf(b, "fired %zu time%s, ", t->fired, t->fired == 1 ? "" : "s");
        duration_print(b, t->lasted / NS_PER_S * NS_PER_S);
        buf_adds(b, " in all, last ");
        explain_say_time(b, t->last, l);
        if (t->firing != 0)
            buf_addf(b, ", %zu fire now", t->firing);
    }
    buf_adds(b, "; would tell");
    route_tree_match(&a->engine->tree, t->labels, &to);
    VEC_EACH (const struct route *const *, x, &to)
        buf_addf(b, "%s %.*s", x != to.v ? "," : "", STR((*x)->receiver));
    buf_addf(b, "%s\n", to.n == 0 ? " nobody" : "");
    vec_release(&to);
}

void api_get_trial_rules(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    bool is_text = str_is(api_param(rq, S("format")), "text");
    struct tz *zone = is_text ? tz_of_rule(api_param(rq, S("zone"))) : NULL;
    struct local_now l = {shell_clock(a->conf.shell)->now, zone};
    struct buf b = BUF_INIT, shown = BUF_INIT;
    struct json_writer w;
    size_t n = 0;

    json_writer_init(&w, &shown, true);
    if (is_text) {
        buf_adds(&b, "since ");
        explain_say_time(&b, a->started, &l);
        buf_addc(&b, '\n');
    } else {
        json_open(&w, '{');
        json_key(&w, S("since"));
        json_put_rfc3339_ms(&w, a->started);
        json_key(&w, S("rules"));
        json_open(&w, '[');
    }
    for (size_t i = 0; i < a->engine->rules.n; i++) {
        const struct rule_group_view *g = a->engine->rules.v[i]->shown;

        for (size_t k = 0; k < g->n_rules; k++) {
            struct trial_rule t;

            if (!g->rules[k].is_trial)
                continue;
            n++;
            t = trial_rule_of(a, g, &g->rules[k], &rq->arena);
            if (is_text)
                say_trial_rule(a, &b, &g->rules[k], &t, &l);
            else
                put_trial_rule(a, &w, g, &g->rules[k], &t);
        }
    }
    if (is_text) {
        if (n == 0)
            buf_adds(&b, "no rule is on trial: # tocsin: trial above a rule or a group\n");
        buf_add_shown(&shown, buf_str(&b));
    } else {
        json_close(&w, ']');
        json_close(&w, '}');
        buf_addc(&shown, '\n');
    }
    api_headers(rq);
    http_reply(rq, 200, is_text ? S("text/plain; charset=utf-8") : S("application/json"),
               buf_str(&shown));
    buf_release(&b);
    buf_release(&shown);
    tz_free(zone);
}
