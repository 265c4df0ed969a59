/* What is expected against what came, in any order: what both have is taken away, and the rest is shown, "-" for what is
 * missing and "+" for what nobody expected. */
#include <math.h>
#include "base/map.h"
#include "codec/duration.h"
#include "codec/float.h"
#include "codec/quote.h"
#include "promql/engine.h"
#include "promql/series_histogram.h"
#include "ruletest/ruletest_priv.h"

struct labels ruletest_labels(struct arena *a, const struct conf_map *m)
{
    struct label *v = arena_array(a, m->n + 1, sizeof(*v));

    for (size_t i = 0; i < m->n; i++)
        v[i] = (struct label){m->v[i].name, m->v[i].value};
    return (struct labels){v, labels_sort_last(v, m->n)};
}

static void begin_failure(struct ruletest *t, const char *what, str subject, dur_ns at)
{
    buf_addf(&t->failure, "  %s ", what);
    quote_go(&t->failure, subject);
    buf_adds(&t->failure, ", time ");
    duration_print(&t->failure, at);
    buf_adds(&t->failure, ":\n");
}

/* -- alerts -- */

/* One that is expected, or that came. */
struct ruletest_shown {
    struct labels labels, annotations;
    bool is_pending, has_value, is_matched;
    double value;
};

static bool is_same_alert(const struct ruletest_shown *want, const struct ruletest_shown *got)
{
    return want->is_pending == got->is_pending && labels_eq(want->labels, got->labels) &&
           labels_eq(want->annotations, got->annotations) &&
           (!want->has_value || want->value == got->value);
}

static void ruletest_add_alert(struct ruletest *t, const char *sign, const struct ruletest_shown *x)
{
    buf_addf(&t->failure, "    %s %s", sign, x->is_pending ? "pending " : "");
    labels_print(&t->failure, x->labels);
    if (x->annotations.n != 0) {
        buf_addf(&t->failure, "\n    %s   ", sign);
        labels_print(&t->failure, x->annotations);
    }
    if (x->has_value) {
        buf_addf(&t->failure, "\n    %s   value ", sign);
        float_print_shortest(&t->failure, x->value);
    }
    buf_addc(&t->failure, '\n');
}

static struct labels with_name(struct ruletest *t, const struct conf_map *m, str alertname)
{
    const struct label name = {S("alertname"), alertname};

    return labels_merge(t->a, ruletest_labels(t->a, m), (struct labels){&name, 1});
}

/* False: a value that is none. */
static bool read_wanted(struct ruletest *t, const struct ruletest_alerts *x,
                        struct ruletest_shown *v, bool *has_pending, bool *has_values)
{
    for (size_t i = 0; i < x->expected.n; i++) {
        const struct ruletest_alert *e = &x->expected.v[i];

        v[i] = (struct ruletest_shown){.labels = with_name(t, &e->labels, x->alertname),
                                       .annotations = ruletest_labels(t->a, &e->annotations),
                                       .is_pending = str_is(e->state, "pending"),
                                       .has_value = e->value.n != 0};
        *has_pending |= v[i].is_pending;
        *has_values |= v[i].has_value;
        if (v[i].has_value && !float_parse(e->value, &v[i].value, NULL)) {
            buf_addf(&t->failure, "  alertname %.*s: exp_value \"%.*s\" is no number\n",
                     STR(x->alertname), STR(e->value));
            return false;
        }
    }
    return true;
}

typedef VEC(struct ruletest_shown) shown_list;

static void ruletest_read_rule(const struct rule *r, bool with_pending, bool with_values,
                               struct arena *arena, shown_list *out)
{
    MAP_EACH (struct u64_map_entry, it, &r->alerts) {
        const struct rule_alert *a = it->value;

        if (a->state == RULE_ALERT_FIRING || (with_pending && a->state == RULE_ALERT_PENDING))
            vec_push(out,
                     (struct ruletest_shown){.labels = label_set_view(arena, a->labels),
                                             .annotations = label_set_view(arena, a->annotations),
                                             .is_pending = a->state == RULE_ALERT_PENDING,
                                             .has_value = with_values,
                                             .value = a->value});
    }
}

static bool match_alerts(struct ruletest_shown *want, size_t n, shown_list *got)
{
    size_t matched = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < got->n && !want[i].is_matched; k++)
            if (!got->v[k].is_matched && is_same_alert(&want[i], &got->v[k])) {
                want[i].is_matched = got->v[k].is_matched = true;
                matched++;
            }
    return matched == n && matched == got->n;
}

static void reach_alerts(struct ruletest *t, str name)
{
    for (size_t i = 0; i < t->groups.n; i++)
        for (size_t k = 0; k < t->groups.v[i]->n_rules; k++) {
            const struct rule *r = &t->groups.v[i]->rules[k];

            if (r->conf->is_alert && str_eq(r->conf->name, name) && r->alerts.n != 0)
                ruletest_reach(t, r->conf);
        }
}

void ruletest_compare_alerts(struct ruletest *t, const struct ruletest_alerts *x)
{
    struct ruletest_shown *want = arena_array(t->a, x->expected.n + 1, sizeof(*want));
    bool pending = false, values = false, found = false;
    shown_list got = VEC_INIT;

    if (!read_wanted(t, x, want, &pending, &values))
        return;
    for (size_t i = 0; i < t->groups.n; i++)
        for (size_t k = 0; k < t->groups.v[i]->n_rules; k++) {
            const struct rule *r = &t->groups.v[i]->rules[k];

            if (!r->conf->is_alert || !str_eq(r->conf->name, x->alertname))
                continue;
            found = true;
            ruletest_read_rule(r, pending, values, t->a, &got);
        }
    if (match_alerts(want, x->expected.n, &got)) {
        if (x->expected.n != 0)
            reach_alerts(t, x->alertname);
    } else {
        begin_failure(t, "alertname", x->alertname, x->eval_time);
        if (!found)
            buf_adds(&t->failure, "    no rule has this name\n");
        for (size_t i = 0; i < x->expected.n; i++)
            if (!want[i].is_matched)
                ruletest_add_alert(t, "-", &want[i]);
        VEC_EACH (struct ruletest_shown *, g, &got)
            if (!g->is_matched)
                ruletest_add_alert(t, "+", g);
    }
    vec_release(&got);
}

/* -- expressions -- */

struct ruletest_point {
    struct labels labels;
    double value;
    const struct histogram *h; /* NULL: a float */
    bool is_matched;
};

static void print_histogram(struct buf *out, const struct histogram *h)
{
    static const char *const hints[] = {[HISTOGRAM_UNKNOWN] = "",
                                        [HISTOGRAM_RESET] = " reset",
                                        [HISTOGRAM_NOT_RESET] = " not_reset",
                                        [HISTOGRAM_GAUGE] = " gauge"};

    buf_addf(out, "schema:%d ", h->schema);
    histogram_print(out, h);
    buf_addf(out, "%s", hints[h->hint]);
}

static bool is_same_value(const struct ruletest *t, double a, double b)
{
    return a == b || (t->file->is_fuzzy && (nextafter(a, b) == b));
}

static bool is_same_histogram(const struct histogram *a, const struct histogram *b)
{
    struct buf x = BUF_INIT, y = BUF_INIT;
    bool same;

    print_histogram(&x, a);
    print_histogram(&y, b);
    same = str_eq(buf_str(&x), buf_str(&y)) && a->zero_threshold == b->zero_threshold;
    buf_release(&x);
    buf_release(&y);
    return same;
}

static bool is_same_point(const struct ruletest *t, const struct ruletest_point *want,
                          const struct ruletest_point *got)
{
    if (!labels_eq(want->labels, got->labels) || (want->h != NULL) != (got->h != NULL))
        return false;
    return want->h != NULL ? is_same_histogram(want->h, got->h)
                           : is_same_value(t, want->value, got->value);
}

static void add_point(struct ruletest *t, const char *sign, const struct ruletest_point *x)
{
    buf_addf(&t->failure, "    %s ", sign);
    labels_print(&t->failure, x->labels);
    buf_addc(&t->failure, ' ');
    if (x->h != NULL)
        print_histogram(&t->failure, x->h);
    else
        float_print_shortest(&t->failure, x->value);
    buf_addc(&t->failure, '\n');
}

static bool ruletest_read_histogram(struct ruletest *t, str text, struct ruletest_point *out,
                                    struct err *e)
{
    struct series_before before = {.v = NULL};
    struct histogram *h = arena_new(t->a, struct histogram);
    struct series_value *v;
    size_t n;

    if (!series_parse_values(text, t->a, &v, &n, e))
        return false;
    if (n != 1 || v->kind != SERIES_HISTOGRAM)
        return err_set(e, ERR_INVALID, "one histogram expected, not \"%.*s\"", STR(text));
    out->h = h;
    return series_to_histogram(v, &before, t->a, h, e);
}

static bool ruletest_read_points(struct ruletest *t, const struct ruletest_expr *x,
                                 struct ruletest_point *v, struct err *e)
{
    for (size_t i = 0; i < x->expected.n; i++) {
        const struct ruletest_sample *s = &x->expected.v[i];

        v[i] = (struct ruletest_point){.value = s->value};
        if (str_trim(s->labels).n != 0 && !series_parse_labels(s->labels, t->a, &v[i].labels, e))
            return err_wrap(e, "labels \"%.*s\"", STR(s->labels));
        if (s->histogram.n != 0 && !ruletest_read_histogram(t, s->histogram, &v[i], e))
            return false;
    }
    return true;
}

static bool ask(struct ruletest *t, const struct ruletest_expr *x, struct promql_result *out,
                struct err *e)
{
    const struct promql_settings settings = {.subquery_step =
                                                 t->file->evaluation_interval / NS_PER_MS};
    struct promql_expr *expr = promql_parse(x->expr, &promql_everything, t->a, NULL, e);
    struct promql_query q = {
        .expr = expr, .text = x->expr, .storage = tsdb_storage(t->db), .settings = &settings};
    bool ok = expr != NULL &&
              promql_instant(&q, (t->test->start + x->eval_time) / NS_PER_MS, t->a, out, e);

    promql_release(expr);
    if (ok && out->type != PROMQL_T_VECTOR && out->type != PROMQL_T_SCALAR)
        ok = err_set(e, ERR_INVALID, "rule result is not a vector or scalar");
    return ok;
}

static void compare_points(struct ruletest *t, const struct ruletest_expr *x,
                           struct ruletest_point *want, const struct promql_result *r)
{
    struct ruletest_point *got = arena_array(t->a, r->n + 1, sizeof(*got));
    size_t matched = 0;

    for (size_t i = 0; i < r->n; i++) {
        const struct promql_point *p = &r->series[i].points[0];

        got[i] = (struct ruletest_point){r->series[i].labels, p->v, p->h, false};
        for (size_t k = 0; k < x->expected.n && !got[i].is_matched; k++)
            if (!want[k].is_matched && is_same_point(t, &want[k], &got[i])) {
                want[k].is_matched = got[i].is_matched = true;
                matched++;
            }
    }
    if (matched == r->n && matched == x->expected.n)
        return;
    begin_failure(t, "expr", x->expr, x->eval_time);
    for (size_t k = 0; k < x->expected.n; k++)
        if (!want[k].is_matched)
            add_point(t, "-", &want[k]);
    for (size_t i = 0; i < r->n; i++)
        if (!got[i].is_matched)
            add_point(t, "+", &got[i]);
}

void ruletest_compare_expr(struct ruletest *t, const struct ruletest_expr *x)
{
    struct ruletest_point *want = arena_array(t->a, x->expected.n + 1, sizeof(*want));
    struct promql_result r = {.n = 0};
    struct err e = ERR_INIT;

    if (ruletest_read_points(t, x, want, &e) && ask(t, x, &r, &e)) {
        compare_points(t, x, want, &r);
        return;
    }
    begin_failure(t, "expr", x->expr, x->eval_time);
    buf_addf(&t->failure, "    %s\n", e.msg);
}

/* -- routes -- */

static void add_receivers(struct buf *out, const struct route_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        buf_addf(out, "%s%.*s", i != 0 ? ", " : "", STR(l->v[i]->receiver));
}

void ruletest_compare_route(struct ruletest *t, const struct ruletest_route *x)
{
    struct labels ls = ruletest_labels(t->a, &x->labels);
    struct route_list takers = {0};
    struct buf got = BUF_INIT, want = BUF_INIT;

    if (t->routes == NULL) {
        buf_adds(&t->failure, "  route_test: no file of config_files has routes\n");
        return;
    }
    route_tree_match(t->routes, ls, &takers);
    add_receivers(&got, &takers);
    for (size_t i = 0; i < x->receivers.n; i++)
        buf_addf(&want, "%s%.*s", i != 0 ? ", " : "", STR(x->receivers.v[i]));
    if (str_eq(buf_str(&got), buf_str(&want))) {
        ruletest_reach_routes(t, ls, STR_NONE);
    } else {
        buf_adds(&t->failure, "  route of ");
        labels_print(&t->failure, ls);
        buf_addf(&t->failure, ":\n    - %.*s\n    + %.*s\n", STR(buf_str(&want)),
                 STR(buf_str(&got)));
    }
    vec_release(&takers);
    buf_release(&got);
    buf_release(&want);
}
