/* Each check walks the tree once and reports at the node concerned:
 *
 *     alert: A, expr: topk(5, x) > 1      R038 at topk(5, x): which series alert changes from run to run
 */
#include "lint/lint_expr.h"

#include <math.h>
#include "lint/checks.h"
#include "lint/lint_labels.h"
#include "lint/lint_metric.h"
#include "lint/lint_online.h"
#include "promql/promql.h"

struct diag *lint_expr_report(struct lint_expr_check *c, const struct promql_expr *x,
                              const char *text)
{
    struct diag_place at = yaml_place_in(c->rule->doc, c->rule->expr_node, x->at, x->end - x->at);

    return diags_add(c->d, check_of(str_of(c->row->id))->severity, c->row->id, at,
                     "%s \"%.*s\": %s", c->rule->is_alert ? "alert" : "series", STR(c->rule->name),
                     text);
}

bool promql_is_call_of(const struct promql_expr *x, const char *name)
{
    return x->kind == PROMQL_CALL && strcmp(x->call.fn->name, name) == 0;
}

/* -- R030: no condition -- */

static bool see_condition(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_op_info *op =
        x->kind == PROMQL_BINARY ? promql_op_info(x->binary.op) : NULL;

    if (op != NULL && (op->is_set || (op->is_comparison && !x->binary.is_bool)))
        c->found |= x->binary.op != PROMQL_OR;
    if (promql_is_call_of(x, "absent") || promql_is_call_of(x, "absent_over_time"))
        c->found = true;
    if (x->kind == PROMQL_SELECTOR && str_starts_with(x->selector.name, S("ALERTS")))
        c->found = true;
    return !c->found;
}

static void check_condition(struct lint_expr_check *c)
{
    promql_walk(c->root, see_condition, c);
    if (!c->found)
        diag_help(c->d,
                  lint_expr_report(c, c->root,
                                   "fires for every series that exists, whatever its value"),
                  "compare with a threshold, for example \"> 0\"");
}

/* -- R031: absent() without for -- */

static bool see_absent(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;

    if (promql_is_call_of(x, "absent"))
        diag_help(c->d,
                  lint_expr_report(
                      c, x, "absent() without \"for\" fires at every gap, and after a restart"),
                  "add \"for\", or use absent_over_time()");
    return true;
}

static void check_absent(struct lint_expr_check *c)
{
    if (c->rule->hold_for == 0)
        promql_walk(c->root, see_absent, c);
}

/* -- R038: choosing aggregations -- */

static bool see_choice(struct promql_expr *x, void *arg)
{
    if (x->kind == PROMQL_AGGREGATE &&
        (x->aggregate.op == PROMQL_TOPK || x->aggregate.op == PROMQL_BOTTOMK ||
         x->aggregate.op == PROMQL_LIMITK || x->aggregate.op == PROMQL_LIMIT_RATIO))
        lint_expr_report(arg, x,
                         "which series are chosen changes from run to run, so the alert flaps");
    return true;
}

static void check_choice(struct lint_expr_check *c)
{
    promql_walk(c->root, see_choice, c);
}

/* -- R044, R045: functions on what they are not made for -- */

bool promql_is_rate(const struct promql_expr *x)
{
    return promql_is_call_of(x, "rate") || promql_is_call_of(x, "increase") ||
           promql_is_call_of(x, "irate");
}

static bool see_rate_of_sum(struct promql_expr *x, void *arg)
{
    const struct promql_expr *in = promql_is_rate(x) ? x->call.args[0] : NULL;

    if (in != NULL && in->kind == PROMQL_SUBQUERY) {
        const struct promql_expr *inner = promql_unwrap(in->subquery.expr);

        if (inner->kind == PROMQL_AGGREGATE)
            diag_help(((struct lint_expr_check *)arg)->d,
                      lint_expr_report(arg, x, "a counter's restart is invisible in an aggregate"),
                      "aggregate the rate: sum(rate(...)), not rate(sum(...))");
    }
    return true;
}

static void check_rate_of_sum(struct lint_expr_check *c)
{
    promql_walk(c->root, see_rate_of_sum, c);
}

static bool see_gauge_function(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in =
        x->kind == PROMQL_CALL && x->call.n_args != 0 ? x->call.args[0] : NULL;

    if (promql_is_call_of(x, "irate") && c->rule->is_alert)
        diag_help(c->d, lint_expr_report(c, x, "irate() sees two samples only, so the alert flaps"),
                  "use rate()");
    if (in != NULL && in->kind == PROMQL_RANGE &&
        (promql_is_call_of(x, "deriv") || promql_is_call_of(x, "delta")) &&
        str_ends_with(in->range.selector->selector.name, S("_total")))
        diag_help(c->d, lint_expr_report(c, x, "a counter's restart counts as a fall here"),
                  "use rate() or increase()");
    return true;
}

static void check_gauge_function(struct lint_expr_check *c)
{
    promql_walk(c->root, see_gauge_function, c);
}

/* -- R046: matchers -- */

static bool has_meta(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\0' && strchr("\\.+*?()|[]{}^$", s.p[i]) != NULL)
            return true;
    return false;
}

static const char *regex_fault(const struct matcher *m)
{
    str v = m->value;

    if (m->op != MATCH_RE && m->op != MATCH_NRE)
        return NULL;
    if (!has_meta(v))
        return "a regular expression without a pattern: use = or !=";
    if (m->op == MATCH_RE && str_is(v, ".*"))
        return "this matcher matches everything";
    if (v.p[0] == '^' || (str_ends_with(v, S("$")) && !str_ends_with(v, S("\\$"))))
        return "regular expressions are anchored anyway: leave ^ and $ away";
    return NULL;
}

static bool see_matchers(struct promql_expr *x, void *arg)
{
    bool has_name = false;

    for (size_t i = 0; x->kind == PROMQL_SELECTOR && i < x->selector.matchers.n; i++) {
        const struct matcher *m = &x->selector.matchers.v[i];
        const char *fault = regex_fault(m);

        has_name |= str_is(m->name, "__name__");
        if (fault != NULL) {
            struct buf b = BUF_INIT;

            matcher_print(&b, m);
            buf_addf(&b, ": %s", fault);
            lint_expr_report(arg, x, buf_z(&b));
            buf_release(&b);
        }
    }
    if (x->kind == PROMQL_SELECTOR && !has_name && !x->selector.may_match_all)
        lint_expr_report(arg, x,
                         "a selector without a metric's name reads every series with these labels");
    return true;
}

static void check_matchers(struct lint_expr_check *c)
{
    promql_walk(c->root, see_matchers, c);
}

/* -- R048: histogram_quantile() needs le -- */

bool promql_has_label(const struct promql_expr *x, const char *name)
{
    for (size_t i = 0; i < x->aggregate.n_labels; i++)
        if (str_is(x->aggregate.labels[i], name))
            return true;
    return false;
}

static bool see_bucket(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;

    c->found |= x->kind == PROMQL_SELECTOR && str_ends_with(x->selector.name, S("_bucket"));
    return true;
}

static bool see_quantile(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    struct promql_expr *in =
        promql_is_call_of(x, "histogram_quantile") ? promql_unwrap(x->call.args[1]) : NULL;

    if (in == NULL || in->kind != PROMQL_AGGREGATE ||
        promql_has_label(in, "le") != in->aggregate.is_without)
        return true;
    c->found = false;
    promql_walk(in, see_bucket, c);
    if (c->found)
        diag_help(c->d,
                  lint_expr_report(c, in, "the aggregation drops \"le\", no quantile is left"),
                  "keep it: by (le, ...)");
    return true;
}

static void check_quantile(struct lint_expr_check *c)
{
    promql_walk(c->root, see_quantile, c);
}

/* -- R049: equality of floats -- */

static bool is_fraction(const struct promql_expr *x)
{
    return x->kind == PROMQL_NUMBER && isfinite(x->number.v) && x->number.v != floor(x->number.v);
}

static bool see_equality(struct promql_expr *x, void *arg)
{
    if (x->kind == PROMQL_BINARY && (x->binary.op == PROMQL_EQ || x->binary.op == PROMQL_NE) &&
        (is_fraction(promql_unwrap(x->binary.lhs)) || is_fraction(promql_unwrap(x->binary.rhs))))
        lint_expr_report(arg, x, "a computed value is rarely exactly this fraction");
    return true;
}

static void check_equality(struct lint_expr_check *c)
{
    promql_walk(c->root, see_equality, c);
}

/* -- R070: what Prometheus has behind a flag -- */

static bool see_experimental(struct promql_expr *x, void *arg)
{
    const char *flag = NULL;

    if (x->kind == PROMQL_CALL && x->call.fn->is_experimental)
        flag = "needs Prometheus' --enable-feature=promql-experimental-functions";
    if (x->kind == PROMQL_AGGREGATE && promql_agg_info(x->aggregate.op)->is_experimental)
        flag = "needs Prometheus' --enable-feature=promql-experimental-functions";
    if (x->kind == PROMQL_SELECTOR &&
        (x->selector.shift.is_anchored || x->selector.shift.is_smoothed))
        flag = "needs Prometheus' --enable-feature=promql-extended-range-selectors";
    if (x->kind == PROMQL_BINARY &&
        (x->binary.matching->fills_left || x->binary.matching->fills_right))
        flag = "needs Prometheus' --enable-feature=promql-binop-fill-modifiers";
    if (flag != NULL)
        lint_expr_report(arg, x, flag);
    return true;
}

static void check_experimental(struct lint_expr_check *c)
{
    promql_walk(c->root, see_experimental, c);
}

/* -- R072: reasons that differ from Alertmanager's -- */

static bool see_reason(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;

    if (x->kind != PROMQL_SELECTOR ||
        !str_is(x->selector.name, "alertmanager_notifications_failed_total"))
        return true;
    for (size_t i = 0; i < x->selector.matchers.n; i++) {
        const struct matcher *m = &x->selector.matchers.v[i];

        if (!str_is(m->name, "reason") || !matcher_matches(m, S("clientError")) ||
            (matcher_matches(m, S("authError")) && matcher_matches(m, S("rateLimited"))))
            continue;
        diag_help(
            c->d,
            lint_expr_report(c, x,
                             "Alertmanager counts 401, 403 and 429 as \"clientError\", tocsin as "
                             "\"authError\" and \"rateLimited\""),
            "select all three: reason=~\"clientError|authError|rateLimited\"");
    }
    return true;
}

static void check_reason(struct lint_expr_check *c)
{
    promql_walk(c->root, see_reason, c);
}

/* -- R041: what can give nothing -- */

static str trait_text(const struct label_trait *t, struct arena *a)
{
    if (t->is == LABEL_KNOWN)
        return arena_printf(a, "\"%.*s\"", STR(t->value));
    return t->is == LABEL_THERE ? S("there") : S("not there");
}

static bool see_recorded(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;

    c->found |= x->kind == PROMQL_SELECTOR &&
                (x->selector.name.n == 0 || str_find(x->selector.name, ':') >= 0 ||
                 str_map_get(&c->set->records, x->selector.name));
    return !c->found;
}

/* What no scrape has given has the labels that somebody else gave it. */
static bool has_recorded(struct lint_expr_check *c, struct promql_expr *x)
{
    c->found = false;
    promql_walk(x, see_recorded, c);
    return c->found;
}

/* A label that is there by a scrape alone is no more than likely. */
static bool is_doubtful(struct lint_expr_check *c, const struct promql_expr *x,
                        const struct label_clash *why)
{
    return (why->left.is == LABEL_THERE && has_recorded(c, x->binary.lhs)) ||
           (why->right.is == LABEL_THERE && has_recorded(c, x->binary.rhs));
}

static void see_join(struct lint_expr_check *c, const struct promql_expr *x)
{
    struct label_shape left = label_shape_of(x->binary.lhs, c->a),
                       right = label_shape_of(x->binary.rhs, c->a);
    struct label_clash why;

    if (x->binary.op == PROMQL_OR || x->binary.op == PROMQL_UNLESS ||
        x->binary.lhs->type != PROMQL_T_VECTOR || x->binary.rhs->type != PROMQL_T_VECTOR ||
        x->binary.matching->fills_left || x->binary.matching->fills_right ||
        !label_shapes_clash(x->binary.matching, &left, &right, &why) || is_doubtful(c, x, &why))
        return;
    diag_help(
        c->d,
        lint_expr_report(
            c, x,
            arena_printf(c->a,
                         "no series of the one side has a partner on the other: label \"%.*s\" is "
                         "%.*s on the left and %.*s on the right",
                         STR(why.name), STR(trait_text(&why.left, c->a)),
                         STR(trait_text(&why.right, c->a)))
                .p),
        "say which labels count: on (...), or ignoring (%.*s)", STR(why.name));
}

/* The selector whose labels the operand has as they are; NULL: it has not. */
static const struct promql_expr *bare_selector(const struct promql_expr *x)
{
    x = promql_unwrap((struct promql_expr *)(uintptr_t)x);
    if (promql_is_rate(x))
        x = promql_unwrap(x->call.args[0]);
    if (x->kind == PROMQL_RANGE)
        x = x->range.selector;
    return x->kind == PROMQL_SELECTOR ? x : NULL;
}

/* x{status=~"5.."} / on (zone) y: of a zone there is one series for each status. */
static void see_several_values(struct lint_expr_check *c, const struct promql_expr *x,
                               const struct promql_expr *side)
{
    const struct promql_matching *on = x->binary.matching;
    const struct promql_expr *in = bare_selector(side);

    for (size_t i = 0; in != NULL && i < in->selector.matchers.n; i++) {
        const struct matcher *m = &in->selector.matchers.v[i];
        bool is_listed = str_is(m->name, "__name__");

        for (size_t k = 0; k < on->n_labels; k++)
            is_listed |= str_eq(on->labels[k], m->name);
        if (m->op != MATCH_RE || is_listed || !has_meta(m->value) || matcher_matches(m, S("")))
            continue;
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   arena_printf(c->a,
                                                "\"%.*s\" can have several values, and what is "
                                                "matched leaves it out: two series of one side for "
                                                "one of the other are an error",
                                                STR(m->name))
                                       .p),
                  "add up first: sum by (...) (...), or match on (%.*s) as well", STR(m->name));
        return;
    }
}

/* sum by (a) (sum by (b) (x)) */
static void see_lost_labels(struct lint_expr_check *c, const struct promql_expr *x)
{
    struct label_shape in = label_shape_of(x->aggregate.expr, c->a);

    for (size_t i = 0; i < x->aggregate.n_labels && !x->aggregate.is_without; i++)
        if (!in.is_open && label_shape_get(&in, x->aggregate.labels[i]).is == LABEL_GONE)
            lint_expr_report(c, x,
                             arena_printf(c->a, "label \"%.*s\" is gone before this aggregation",
                                          STR(x->aggregate.labels[i]))
                                 .p);
}

/* x{a="b",a="c"} */
static void see_impossible_selector(struct lint_expr_check *c, const struct promql_expr *x)
{
    const struct matchers *ms = &x->selector.matchers;

    for (size_t i = 0; i < ms->n; i++)
        for (size_t k = 0; k < ms->n; k++)
            if (ms->v[i].op == MATCH_EQ && i != k && str_eq(ms->v[i].name, ms->v[k].name) &&
                !matcher_matches(&ms->v[k], ms->v[i].value)) {
                lint_expr_report(
                    c, x,
                    arena_printf(
                        c->a, "no series has this: the matchers of \"%.*s\" contradict each other",
                        STR(ms->v[i].name))
                        .p);
                return;
            }
}

static bool see_impossible(struct promql_expr *x, void *arg)
{
    if (x->kind == PROMQL_BINARY) {
        see_join(arg, x);
        if (x->binary.matching->is_on && x->binary.matching->card == PROMQL_ONE_TO_ONE &&
            !promql_op_info(x->binary.op)->is_set) {
            see_several_values(arg, x, x->binary.lhs);
            see_several_values(arg, x, x->binary.rhs);
        }
    } else if (x->kind == PROMQL_AGGREGATE)
        see_lost_labels(arg, x);
    else if (x->kind == PROMQL_SELECTOR)
        see_impossible_selector(arg, x);
    return true;
}

static void check_impossible(struct lint_expr_check *c)
{
    promql_walk(c->root, see_impossible, c);
}

/* -- R043: a counter's own value -- */

static bool has_counter_name(str name)
{
    return str_ends_with(name, S("_total"));
}

/* The counter whose raw value the operand is, or a sum of such. */
static const struct promql_expr *raw_counter(const struct promql_expr *x)
{
    x = promql_unwrap((struct promql_expr *)(uintptr_t)x);
    while (x->kind == PROMQL_AGGREGATE &&
           (x->aggregate.op == PROMQL_SUM || x->aggregate.op == PROMQL_MAX))
        x = promql_unwrap(x->aggregate.expr);
    return x->kind == PROMQL_SELECTOR && has_counter_name(x->selector.name) ? x : NULL;
}

static bool see_raw_counter(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in = NULL, *limit = NULL;

    if (x->kind == PROMQL_BINARY && promql_op_info(x->binary.op)->is_comparison &&
        x->binary.op != PROMQL_EQ && x->binary.op != PROMQL_NE) {
        in = raw_counter(x->binary.lhs);
        limit = promql_unwrap(x->binary.rhs);
    }
    if (in != NULL && limit->kind == PROMQL_NUMBER && limit->number.v != 0)
        diag_help(c->d,
                  lint_expr_report(c, in,
                                   "a counter only grows: this compares all since its start"),
                  "compare rate() or increase() over a window");
    return true;
}

static void check_raw_counter(struct lint_expr_check *c)
{
    promql_walk(c->root, see_raw_counter, c);
}

/* -- R057: a ratio of series to themselves -- */

/* The selector below functions that keep one series one. */
static const struct promql_expr *selector_below(const struct promql_expr *x)
{
    x = promql_unwrap((struct promql_expr *)(uintptr_t)x);
    while (x->kind == PROMQL_CALL && x->call.n_args != 0)
        x = promql_unwrap(x->call.args[x->call.n_args - 1]);
    if (x->kind == PROMQL_RANGE)
        x = x->range.selector;
    return x->kind == PROMQL_SELECTOR ? x : NULL;
}

static bool is_subset(const struct matchers *x, const struct matchers *y)
{
    for (size_t i = 0; i < x->n; i++) {
        bool found = false;

        for (size_t k = 0; k < y->n && !found; k++)
            found = x->v[i].op == y->v[k].op && str_eq(x->v[i].name, y->v[k].name) &&
                    str_eq(x->v[i].value, y->v[k].value);
        if (!found)
            return false;
    }
    return true;
}

static bool see_own_ratio(struct promql_expr *x, void *arg)
{
    const struct promql_expr *l, *r;

    if (x->kind != PROMQL_BINARY || x->binary.op != PROMQL_DIV || x->binary.matching->is_on ||
        x->binary.matching->n_labels != 0)
        return true;
    l = selector_below(x->binary.lhs);
    r = selector_below(x->binary.rhs);
    if (l != NULL && r != NULL && l->selector.name.n != 0 &&
        str_eq(l->selector.name, r->selector.name) &&
        l->selector.shift.offset.ns == r->selector.shift.offset.ns &&
        l->selector.shift.at == r->selector.shift.at &&
        (is_subset(&l->selector.matchers, &r->selector.matchers) ||
         is_subset(&r->selector.matchers, &l->selector.matchers)))
        diag_help(((struct lint_expr_check *)arg)->d,
                  lint_expr_report(arg, x,
                                   "each series is divided by itself: the result is always 1"),
                  "aggregate both sides: sum by (...) (...) / sum by (...) (...)");
    return true;
}

static void check_own_ratio(struct lint_expr_check *c)
{
    promql_walk(c->root, see_own_ratio, c);
}

/* -- R058: what never holds -- */

bool promql_is_constant(const struct promql_expr *x, double *v)
{
    x = promql_unwrap((struct promql_expr *)(uintptr_t)x);
    if (promql_is_call_of(x, "vector"))
        return promql_is_constant(x->call.args[0], v);
    if (x->kind == PROMQL_UNARY && promql_is_constant(x->unary.expr, v)) {
        *v = x->unary.is_minus ? -*v : *v;
        return true;
    }
    if (x->kind == PROMQL_NUMBER)
        *v = x->number.v;
    return x->kind == PROMQL_NUMBER;
}

/* Below which no value of it lies: a count that is there is at least 1. */
static bool least_value(const struct promql_expr *x, double *least)
{
    x = promql_unwrap((struct promql_expr *)(uintptr_t)x);
    if ((x->kind == PROMQL_AGGREGATE &&
         (x->aggregate.op == PROMQL_COUNT || x->aggregate.op == PROMQL_GROUP)) ||
        promql_is_call_of(x, "absent") || promql_is_call_of(x, "absent_over_time") ||
        promql_is_call_of(x, "count_over_time") || promql_is_call_of(x, "present_over_time"))
        *least = 1;
    else if (promql_is_call_of(x, "rate") || promql_is_call_of(x, "increase") ||
             promql_is_call_of(x, "abs") || promql_is_call_of(x, "changes") ||
             promql_is_call_of(x, "resets"))
        *least = 0;
    else
        return false;
    return true;
}

/* Above which none lies. What changes within 5 minutes does so 300 times, scraped each second. */
static bool most_value(const struct promql_expr *x, double *most)
{
    x = promql_unwrap((struct promql_expr *)(uintptr_t)x);
    if ((x->kind == PROMQL_AGGREGATE && x->aggregate.op == PROMQL_GROUP) ||
        promql_is_call_of(x, "absent") || promql_is_call_of(x, "absent_over_time") ||
        promql_is_call_of(x, "present_over_time"))
        *most = 1;
    else if ((promql_is_call_of(x, "changes") || promql_is_call_of(x, "resets")) &&
             x->call.args[0]->kind == PROMQL_RANGE)
        *most = (double)x->call.args[0]->range.length.ns / 1e9;
    else if (x->kind == PROMQL_BINARY && x->binary.op == PROMQL_MOD &&
             promql_is_constant(x->binary.rhs, most))
        *most = fabs(*most);
    else
        return false;
    return true;
}

static bool compares(enum promql_op op, double x, double y)
{
    switch (op) {
    case PROMQL_EQ: return x == y;
    case PROMQL_NE: return x != y;
    case PROMQL_LT: return x < y;
    case PROMQL_LE: return x <= y;
    case PROMQL_GT: return x > y;
    case PROMQL_GE: return x >= y;
    default: return true;
    }
}

static void see_comparison(struct lint_expr_check *c, const struct promql_expr *x)
{
    double l, r, least, most;

    if (!promql_is_constant(x->binary.rhs, &r))
        return;
    if (promql_is_constant(x->binary.lhs, &l) &&
        promql_unwrap(x->binary.lhs)->type == PROMQL_T_VECTOR && !compares(x->binary.op, l, r))
        diag_help(
            c->d, lint_expr_report(c, x, "a comparison of constants that never holds"),
            "comparisons bind tighter than \"or\": put parentheses around what is to be compared");
    else if (least_value(x->binary.lhs, &least) &&
             ((x->binary.op == PROMQL_LT && r <= least) ||
              (x->binary.op == PROMQL_LE && r < least) || (x->binary.op == PROMQL_EQ && r < least)))
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   "it is never so small: of nothing there is no result at all"),
                  "for nothing being there use absent(), or add \"or vector(0)\" in parentheses");
    else if (most_value(x->binary.lhs, &most) && r > most &&
             (x->binary.op == PROMQL_GT || x->binary.op == PROMQL_GE || x->binary.op == PROMQL_EQ))
        lint_expr_report(c, x, arena_printf(c->a, "it is never so large: the most is %g", most).p);
}

static bool see_never(struct promql_expr *x, void *arg)
{
    double q;

    if (x->kind == PROMQL_BINARY && promql_op_info(x->binary.op)->is_comparison &&
        !x->binary.is_bool)
        see_comparison(arg, x);
    if ((promql_is_call_of(x, "histogram_quantile") ||
         promql_is_call_of(x, "quantile_over_time")) &&
        promql_is_constant(x->call.args[0], &q) && (q < 0 || q > 1))
        diag_help(((struct lint_expr_check *)arg)->d,
                  lint_expr_report(arg, x, "a quantile is between 0 and 1: the result is infinite"),
                  "99 %% is 0.99");
    if (x->kind == PROMQL_AGGREGATE && x->aggregate.op == PROMQL_QUANTILE &&
        promql_is_constant(x->aggregate.param, &q) && (q < 0 || q > 1))
        diag_help(((struct lint_expr_check *)arg)->d,
                  lint_expr_report(arg, x, "a quantile is between 0 and 1: the result is infinite"),
                  "99 %% is 0.99");
    return true;
}

static void check_never(struct lint_expr_check *c)
{
    promql_walk(c->root, see_never, c);
}

/* -- the table -- */

static const struct lint_expr_row rows[] = {
    {"R030", true, check_condition},       {"R031", true, check_absent},
    {"R038", true, check_choice},          {"R041", false, check_impossible},
    {"R043", true, check_raw_counter},     {"R044", false, check_rate_of_sum},
    {"R045", false, check_gauge_function}, {"R046", false, check_matchers},
    {"R048", false, check_quantile},       {"R049", false, check_equality},
    {"R057", false, check_own_ratio},      {"R058", true, check_never},
    {"R070", false, check_experimental},   {"R072", false, check_reason},
};

static void run_rows(struct lint_expr_check *c, const struct lint_expr_row *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        c->row = &v[i];
        c->found = false;
        if (c->rule->is_alert || !v[i].alerts_only)
            v[i].run(c);
    }
}

void lint_expr(const struct rule_conf *r, struct promql_expr *x, const struct lint_set *set,
               struct arena *a, struct diags *d)
{
    struct lint_expr_check c = {.rule = r, .set = set, .root = x, .d = d, .a = a};

    run_rows(&c, rows, ARRAY_LEN(rows));
    run_rows(&c, lint_metric_rows, lint_metric_n_rows);
    if (set->samples != NULL)
        run_rows(&c, lint_online_rows, lint_online_n_rows);
}
