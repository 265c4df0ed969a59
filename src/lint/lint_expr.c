/* Each check walks the tree once and reports at the node concerned:
 *
 *     alert: A, expr: topk(5, x) > 1      R038 at topk(5, x): which series alert changes from run to run
 */
#include "lint/lint_expr.h"

#include <math.h>
#include "lint/checks.h"
#include "promql/promql.h"

struct lint_expr_check {
    const struct lint_expr_row *row;
    const struct rule_conf *rule;
    struct promql_expr *root;
    struct diags *d;
    bool found; /* scratch of a check */
};

static struct diag *lint_expr_report(struct lint_expr_check *c, const struct promql_expr *x,
                                     const char *text)
{
    struct diag_place at = yaml_place_in(c->rule->doc, c->rule->expr_node, x->at, x->end - x->at);

    return diags_add(c->d, check_of(str_of(c->row->id))->severity, c->row->id, at,
                     "%s \"%.*s\": %s", c->rule->is_alert ? "alert" : "series", STR(c->rule->name),
                     text);
}

static bool is_call_of(const struct promql_expr *x, const char *name)
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
    if (is_call_of(x, "absent") || is_call_of(x, "absent_over_time"))
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

    if (is_call_of(x, "absent"))
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

static bool is_counter_function(const struct promql_expr *x)
{
    return is_call_of(x, "rate") || is_call_of(x, "increase") || is_call_of(x, "irate");
}

static bool see_rate_of_sum(struct promql_expr *x, void *arg)
{
    const struct promql_expr *in = is_counter_function(x) ? x->call.args[0] : NULL;

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

    if (is_call_of(x, "irate") && c->rule->is_alert)
        diag_help(c->d, lint_expr_report(c, x, "irate() sees two samples only, so the alert flaps"),
                  "use rate()");
    if (in != NULL && in->kind == PROMQL_RANGE &&
        (is_call_of(x, "deriv") || is_call_of(x, "delta")) &&
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

static bool has_label(const struct promql_expr *x, const char *name)
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
        is_call_of(x, "histogram_quantile") ? promql_unwrap(x->call.args[1]) : NULL;

    if (in == NULL || in->kind != PROMQL_AGGREGATE ||
        has_label(in, "le") != in->aggregate.is_without)
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
        (x->binary.matching.fills_left || x->binary.matching.fills_right))
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

/* -- the table -- */

static const struct lint_expr_row rows[] = {
    {"R030", true, check_condition},       {"R031", true, check_absent},
    {"R038", true, check_choice},          {"R044", false, check_rate_of_sum},
    {"R045", false, check_gauge_function}, {"R046", false, check_matchers},
    {"R048", false, check_quantile},       {"R049", false, check_equality},
    {"R070", false, check_experimental},   {"R072", false, check_reason},
};

void lint_expr(const struct rule_conf *r, struct diags *d)
{
    struct arena a;
    struct promql_expr *x;

    if (r->expr_node == NULL || r->expr_node->kind != YAML_SCALAR)
        return;
    arena_init(&a, 0);
    x = promql_parse(r->expr_node->text, &promql_everything, &a, NULL,
                     NULL); /* as written: places are in it */
    for (size_t i = 0; x != NULL && i < ARRAY_LEN(rows); i++) {
        struct lint_expr_check c = {.row = &rows[i], .rule = r, .root = x, .d = d};

        if (r->is_alert || !rows[i].alerts_only)
            rows[i].run(&c);
    }
    promql_release(x);
    arena_release(&a);
}
