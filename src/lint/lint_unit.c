/* What a value is measured in, by the catalogue, by the ending of a name, or by the form of the expression: a quotient of like
 * things is a share. A threshold that is not of that size is told. */
#include "lint/lint_unit.h"

#include <math.h>
#include "lint/lint_metric.h"
#include "promql/promql.h"

/* -- what is measured -- */

struct measured {
    str unit, name;
    bool is_listed; /* in the catalogue; else the name alone says it */
    bool is_gauge;  /* of seconds: an age, which may well be minutes */
};

/* How many words between underscores of the name are among these, which end with a NULL. */
static int words_of(str name, const char *const *words)
{
    int n = 0;

    while (name.n != 0) {
        str one = str_cut(&name, '_');

        for (size_t i = 0; words[i] != NULL; i++)
            n += str_eq_nocase(one, str_of(words[i]));
    }
    return n;
}

static bool has_word(str name, const char *const *words)
{
    return words_of(name, words) != 0;
}

/* The first two words are the same. */
static bool are_of_one_thing(str a, str b)
{
    return str_eq(str_cut(&a, '_'), str_cut(&b, '_')) && str_eq(str_cut(&a, '_'), str_cut(&b, '_'));
}

static struct measured measured_selector(const struct lint_expr_check *c,
                                         const struct promql_expr *x, const char *suffix)
{
    static const struct {
        const char *ending, *unit;
    } names[] = {
        {"_seconds", "seconds"},  {"_ratio", "ratio"}, {"_success", "state"},
        {"_successful", "state"}, {"_up", "state"},    {"_healthy", "state"},
    };
    static const char *const percents[] = {"percent", "percentage", "pct", NULL};
    struct known_series k = metric_known_of(c, x);
    struct measured out = {S(""), S(""), false, false};
    str base;

    if (x->kind == PROMQL_RANGE)
        x = x->range.selector;
    if (x->kind != PROMQL_SELECTOR)
        return out;
    out.name = x->selector.name;
    base = str_ends_with(out.name, str_of(suffix))
               ? str_sub(out.name, 0, out.name.n - strlen(suffix))
               : S("");
    if (k.m != NULL && str_is(k.suffix, suffix)) {
        out.unit = k.m->unit;
        out.is_listed = true;
        out.is_gauge = k.m->type == METRIC_GAUGE;
    }
    if (k.m == NULL && str_is(out.name, "up"))
        out.unit = S("bool");
    for (size_t i = 0; k.m == NULL && i < ARRAY_LEN(names); i++)
        if (str_ends_with(base, str_of(names[i].ending)))
            out.unit = str_of(names[i].unit);
    if (k.m == NULL && out.unit.n == 0 && has_word(base, percents))
        out.unit = S("percent");
    return out;
}

static bool keeps_unit(const struct promql_expr *x)
{
    static const char *const calls[] = {"avg_over_time",  "max_over_time", "min_over_time",
                                        "last_over_time", "abs",           "clamp_max",
                                        "clamp_min",      "clamp"};

    if (x->kind == PROMQL_AGGREGATE)
        return x->aggregate.op == PROMQL_AVG || x->aggregate.op == PROMQL_MAX ||
               x->aggregate.op == PROMQL_MIN || x->aggregate.op == PROMQL_QUANTILE;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (promql_is_call_of(x, calls[i]))
            return true;
    return false;
}

/* X_sum / X_count. */
static bool is_mean(const struct promql_expr *l, const struct promql_expr *r)
{
    return l != NULL && r != NULL && str_ends_with(l->selector.name, S("_sum")) &&
           str_ends_with(r->selector.name, S("_count")) &&
           str_eq(str_sub(l->selector.name, 0, l->selector.name.n - 4),
                  str_sub(r->selector.name, 0, r->selector.name.n - 6));
}

static bool is_term_of(const struct promql_expr *l, const struct promql_expr *sum);

static bool is_addend(const struct promql_expr *l, const struct promql_expr *x)
{
    const struct promql_expr *r = metric_summed_below(x);

    return (l != NULL && r != NULL && str_eq(l->selector.name, r->selector.name)) ||
           is_term_of(l, x);
}

/* a / (a + b) */
static bool is_term_of(const struct promql_expr *l, const struct promql_expr *sum)
{
    sum = promql_unwrap((struct promql_expr *)(uintptr_t)sum);
    while (sum->kind == PROMQL_AGGREGATE && sum->aggregate.op == PROMQL_SUM)
        sum = promql_unwrap(sum->aggregate.expr);
    if (sum->kind == PROMQL_BINARY)
        return sum->binary.op == PROMQL_ADD &&
               (is_addend(l, sum->binary.lhs) || is_addend(l, sum->binary.rhs));
    return false;
}

/* The same series above and below, above fewer of them. */
static bool is_share(const struct promql_expr *l, const struct promql_expr *r)
{
    return l != NULL && r != NULL && str_eq(l->selector.name, r->selector.name) &&
           l->selector.matchers.n > r->selector.matchers.n;
}

/* a / b, 1 - a / b: what is multiplied by 100 to be a percentage. */
static bool is_quotient(const struct promql_expr *x)
{
    double v;

    x = promql_unwrap(x);
    if (x->kind == PROMQL_BINARY && x->binary.op == PROMQL_SUB &&
        promql_is_constant(x->binary.lhs, &v) && v == 1)
        x = promql_unwrap(x->binary.rhs);
    return x->kind == PROMQL_BINARY && x->binary.op == PROMQL_DIV &&
           x->binary.lhs->type == PROMQL_T_VECTOR && !promql_is_constant(x->binary.rhs, &v);
}

/* 100 * a / b, 100 * (a / b), a * 100 / b */
static bool is_percentage(const struct promql_expr *x)
{
    const struct promql_expr *l;
    double v;

    if (x->binary.op == PROMQL_MUL && promql_is_constant(x->binary.lhs, &v))
        return v == 100 && is_quotient(x->binary.rhs);
    l = promql_unwrap(x->binary.lhs);
    while (l->kind == PROMQL_AGGREGATE && l->aggregate.param == NULL)
        l = promql_unwrap(l->aggregate.expr);
    return x->binary.op == PROMQL_DIV && !promql_is_constant(x->binary.rhs, &v) &&
           l->kind == PROMQL_BINARY && l->binary.op == PROMQL_MUL &&
           ((promql_is_constant(l->binary.lhs, &v) && v == 100) ||
            (promql_is_constant(l->binary.rhs, &v) && v == 100));
}

/* -- quotients of like things -- */

/* "bytes" of x_bytes and of x_bytes_total. */
static str unit_word(str name)
{
    static const char *const units[] = {"bytes",   "seconds", "celsius", "watts", "volts",
                                        "amperes", "joules",  "gb",      "mb",    NULL};
    str unit = S("");

    while (name.n != 0) {
        str word = str_cut(&name, '_');

        if (has_word(word, units))
            unit = word;
    }
    return unit;
}

/* What failed by all there is, what is used by the most that may be: 1 is the whole. */
static bool is_part_of_whole(str part, str whole)
{
    static const char *const failures[] = {"failed",   "failures", "failure", "errors",  "errs",
                                           "error",    "err",      "dropped", "drops",   "drop",
                                           "rejected", "rejects",  "denied",  "refused", "rollback",
                                           "timeouts", "misses",   NULL};
    static const char *const limits[] = {"max",   "limit",   "limits",      "capacity",
                                         "quota", "nominal", "allocatable", NULL};
    static const char *const sizes[] = {"size", NULL};
    static const char *const uses[] = {"used",     "usage",  "free",   "current",     "available",
                                       "running",  "open",   "active", "connections", "alloc",
                                       "resident", "volume", "charge", "volts",       NULL};

    return (has_word(part, failures) && !has_word(whole, failures) && unit_word(part).n == 0) ||
           ((words_of(whole, limits) > words_of(part, limits) ||
             words_of(whole, sizes) > words_of(part, sizes)) &&
            (has_word(part, uses) || are_of_one_thing(part, whole)));
}

/* a_bytes / b_bytes, a_failed_total / a_total; the operators before and behind are the same. */
static bool are_alike(const struct promql_expr *l, const struct promql_expr *r)
{
    static const char *const means[] = {"sum", "count", NULL};
    str a, b;

    if (l == NULL || r == NULL)
        return false;
    a = l->selector.name;
    b = r->selector.name;
    return is_part_of_whole(a, b) ||
           (unit_word(a).n != 0 && str_eq(unit_word(a), unit_word(b)) && !has_word(b, means));
}

/* The one selector of a side that may be of several: an operand of + or the like. */
static const struct promql_expr *side_selector(const struct promql_expr *x)
{
    x = promql_unwrap(x);
    while (x->kind == PROMQL_AGGREGATE && x->aggregate.param == NULL &&
           x->aggregate.op != PROMQL_COUNT)
        x = promql_unwrap(x->aggregate.expr);
    while (x->kind == PROMQL_BINARY && x->binary.op == PROMQL_ADD)
        x = promql_unwrap(x->binary.lhs);
    return metric_summed_below(x);
}

/* 1 - a, 100 - a: "whole" is 1 or 100. */
static bool is_rest_of(const struct promql_expr *x, double whole)
{
    double v;

    return x->binary.op == PROMQL_SUB && promql_is_constant(x->binary.lhs, &v) && v == whole &&
           x->binary.rhs->type == PROMQL_T_VECTOR;
}

/* 100 * a / b, where a is of b. */
static bool is_percentage_of_whole(const struct promql_expr *x)
{
    const struct promql_expr *l = promql_unwrap(x->binary.lhs);

    if (x->binary.op != PROMQL_DIV || l->kind != PROMQL_BINARY)
        return false;
    return are_alike(side_selector(l->binary.rhs), side_selector(x->binary.rhs));
}

static struct measured measured_binary(const struct lint_expr_check *c,
                                       const struct promql_expr *x);

static struct measured measured_of(const struct lint_expr_check *c, const struct promql_expr *x)
{
    const struct promql_expr *l;

    x = promql_unwrap(x);
    while (keeps_unit(x))
        x = promql_unwrap(x->kind == PROMQL_AGGREGATE ? x->aggregate.expr : x->call.args[0]);
    if (x->kind == PROMQL_SELECTOR || x->kind == PROMQL_RANGE)
        return measured_selector(c, x, "");
    if (promql_is_call_of(x, "histogram_quantile") &&
        (l = metric_summed_below(x->call.args[1])) != NULL)
        return measured_selector(c, l, "_bucket");
    return x->kind == PROMQL_BINARY ? measured_binary(c, x) : (struct measured){.unit = S("")};
}

static struct measured measured_binary(const struct lint_expr_check *c, const struct promql_expr *x)
{
    struct measured out = {.unit = S("")};
    const struct promql_expr *l, *r;
    double v;

    if (is_rest_of(x, 100) || is_rest_of(x, 1)) {
        out.unit = is_rest_of(x, 100) ? S("hundredths") : S("share");
    } else if (x->binary.op == PROMQL_MUL && promql_is_constant(x->binary.rhs, &v) && v == 100) {
        out = measured_of(c, x->binary.lhs);
        if (str_is(out.unit, "ratio"))
            out.unit = S("percent");
        else
            out = (struct measured){.unit = is_quotient(x->binary.lhs) ? S("percent") : S("")};
    } else if (is_percentage(x)) {
        out.unit = is_percentage_of_whole(x) ? S("hundredths") : S("percent");
    } else if (x->binary.op == PROMQL_DIV) {
        l = metric_summed_below(x->binary.lhs);
        r = metric_summed_below(x->binary.rhs);
        if (is_mean(l, r))
            return measured_selector(c, l, "_sum");
        if (is_share(l, r) || is_term_of(l, x->binary.rhs))
            out.unit = S("share");
        else if (are_alike(side_selector(x->binary.lhs), side_selector(x->binary.rhs)))
            out.unit = S("quotient");
    }
    return out;
}

/* -- what is no size of it -- */

static const char *doubt_of(const struct measured *m, double v)
{
    if (str_is(m->unit, "ratio") && v > 1 && (m->is_listed || v > 10))
        return "a share between 0 and 1: 90 % is 0.9";
    if (str_is(m->unit, "share") && v > 1)
        return "a share between 0 and 1: 90 % is 0.9";
    if (str_is(m->unit, "hundredths") && v > 100)
        return "in percent, between 0 and 100";
    if (str_is(m->unit, "state") && v >= 10)
        return "mostly a small number, or 0 and 1";
    if (str_is(m->unit, "quotient") && v >= 10)
        return "a share between 0 and 1: 90 % is 0.9";
    if (str_is(m->unit, "percent") && !m->is_listed && v >= 1000)
        return "in percent, mostly between 0 and 100";
    if (str_is(m->unit, "bool") && v > 1)
        return "0 or 1";
    if (str_is(m->unit, "percent") && m->is_listed && v > 0 && v < 1)
        return "in percent, between 0 and 100: 90 % is 90";
    if (str_is(m->unit, "percent") && m->is_listed && v > 100)
        return "in percent, between 0 and 100";
    if (str_is(m->unit, "seconds") && v >= 500 && fmod(v, 100) == 0 &&
        ((m->is_listed && !m->is_gauge) || fmod(v, 60) != 0))
        return "in seconds: 2000 milliseconds are 2";
    if (str_is(m->unit, "MiB") && v >= 1e7)
        return "in MiB: 70 GiB are 71680";
    if (str_is(m->unit, "celsius") && v > 200)
        return "in degrees Celsius";
    return NULL;
}

/* Between what it lies is known, so that "below 10000" says nothing, either; what is beyond all size stands for no value. */
static bool may_say_below(const struct measured *m, double v)
{
    if (v <= 1 || v > 1e6)
        return false;
    return str_is(m->unit, "ratio") || str_is(m->unit, "percent") || str_is(m->unit, "share") ||
           str_is(m->unit, "bool") || str_is(m->unit, "hundredths") ||
           str_is(m->unit, "quotient") || str_is(m->unit, "state");
}

/* On one line, and not too long for one. */
static str side_text(const struct lint_expr_check *c, const struct promql_expr *x)
{
    str text = promql_printed(c->a, x);

    return text.n > 60 ? arena_printf(c->a, "%.*s...", STR(str_sub(text, 0, 57))) : text;
}

/* x == 3000: a state is a small number, and what is counted is seldom as much to the very thousand. */
static bool is_odd_state(const struct promql_expr *x, const struct measured *m, double v)
{
    static const char *const sizes[] = {"mtu",   "port", "speed",   "bytes", "limit", "size", "max",
                                        "hertz", "rate", "version", "id",    "code",  NULL};

    return (x->binary.op == PROMQL_EQ || x->binary.op == PROMQL_NE) && m->name.n != 0 &&
           m->unit.n == 0 && v >= 1000 && v <= 1e6 && fmod(v, 1000) == 0 &&
           !has_word(m->name, sizes);
}

static bool see_unit(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    struct measured m;
    const char *doubt;
    double v;

    if (x->kind != PROMQL_BINARY || !promql_op_info(x->binary.op)->is_comparison ||
        !promql_is_constant(x->binary.rhs, &v))
        return true;
    m = measured_of(c, x->binary.lhs);
    if (is_odd_state(x, &m, v))
        m.unit = S("state");
    if (x->binary.op != PROMQL_GT && x->binary.op != PROMQL_GE && !may_say_below(&m, v))
        return true;
    doubt = doubt_of(&m, v);
    if (m.name.n == 0)
        m.name = side_text(c, x->binary.lhs);
    if (doubt != NULL)
        diag_help(c->d,
                  lint_expr_report(
                      c, x,
                      arena_printf(c->a, "\"%.*s\" is not of the size of %g", STR(m.name), v).p),
                  "it is %s", doubt);
    return true;
}

void lint_units(struct lint_expr_check *c)
{
    promql_walk(c->root, see_unit, c);
}
