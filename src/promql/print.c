/* The canonical form: one blank around operators and behind commas, matchers as written without the name that stands
 * before the braces, durations in their short form, strings as Go quotes them.
 *
 *     sum  by(a,b)( rate( x{__name__="x" ,a!=''} [300s] ) )  ->  sum by (a, b) (rate(x{a!=""}[5m]))
 */
#include "promql/promql.h"

#include <math.h>
#include <stdlib.h>
#include "codec/duration.h"
#include "codec/float.h"
#include "codec/quote.h"

/* -- durations -- */

/* Whole milliseconds, all that counts when a query runs; what is smaller than one, in seconds. */
static void print_ns(struct buf *out, dur_ns ns)
{
    if (ns == 0 || ns >= NS_PER_MS || ns <= -NS_PER_MS)
        duration_print(out, ns);
    else
        float_print_shortest(out, (double)ns / 1e9);
}

static void print_dur(struct buf *out, const struct promql_dur *d);

static void print_dur_call(struct buf *out, const struct promql_dur *d, const char *name)
{
    buf_addf(out, "%s(", name);
    if (d->a != NULL) {
        print_dur(out, d->a);
        buf_adds(out, ", ");
        print_dur(out, d->b);
    }
    buf_addc(out, ')');
}

static void print_literal(struct buf *out, double v, bool has_unit)
{
    if (has_unit && fabs(v) < 9.2e9)
        print_ns(out, (dur_ns)llround(v * 1e3) * NS_PER_MS);
    else
        float_print_g(out, v);
}

static void print_dur(struct buf *out, const struct promql_dur *d)
{
    if (d->is_wrapped)
        buf_addc(out, '(');
    switch (d->kind) {
    case PROMQL_DUR_LITERAL: print_literal(out, d->seconds, d->has_unit); break;
    case PROMQL_DUR_STEP: print_dur_call(out, d, "step"); break;
    case PROMQL_DUR_RANGE: print_dur_call(out, d, "range"); break;
    case PROMQL_DUR_MIN: print_dur_call(out, d, "min_of"); break;
    case PROMQL_DUR_MAX: print_dur_call(out, d, "max_of"); break;
    case PROMQL_DUR_PLUS:
    case PROMQL_DUR_MINUS:
        buf_addc(out, d->kind == PROMQL_DUR_PLUS ? '+' : '-');
        print_dur(out, d->a);
        break;
    case PROMQL_DUR_BINARY:
        print_dur(out, d->a);
        buf_addf(out, " %s ", promql_op_info(d->op)->text);
        print_dur(out, d->b);
        break;
    }
    if (d->is_wrapped)
        buf_addc(out, ')');
}

static void print_span(struct buf *out, struct promql_span s)
{
    if (s.expr != NULL)
        print_dur(out, s.expr);
    else
        print_ns(out, s.ns);
}

/* -- selectors -- */

static void print_name(struct buf *out, str name)
{
    if (label_name_is_legacy(name))
        buf_add(out, name);
    else
        quote_go(out, name);
}

void promql_print_selector(struct buf *out, const struct promql_selector *s)
{
    size_t n = s->matchers.n - (s->name.n != 0 ? 1 : 0);

    buf_add(out, s->name);
    if (n == 0 && s->name.n != 0)
        return;
    buf_addc(out, '{');
    for (size_t i = 0; i < n; i++) {
        const struct matcher *m = &s->matchers.v[i];

        if (i != 0)
            buf_addc(out, ',');
        print_name(out, m->name);
        buf_add(out, str_of(match_op_text(m->op)));
        quote_go(out, m->value);
    }
    buf_addc(out, '}');
}

static void print_at(struct buf *out, const struct promql_shift *s)
{
    if (s->at == PROMQL_AT_START)
        buf_adds(out, " @ start()");
    else if (s->at == PROMQL_AT_END)
        buf_adds(out, " @ end()");
    else if (s->at == PROMQL_AT_TIME)
        buf_addf(out, " @ %s%llu.%03llu", s->at_time < 0 ? "-" : "",
                 (unsigned long long)llabs(s->at_time) / 1000,
                 (unsigned long long)llabs(s->at_time) % 1000);
}

static void print_shift(struct buf *out, const struct promql_shift *s)
{
    if (s->is_anchored)
        buf_adds(out, " anchored");
    if (s->is_smoothed)
        buf_adds(out, " smoothed");
    print_at(out, s);
    if (s->has_offset && (s->offset.expr != NULL || s->offset.ns != 0)) {
        buf_adds(out, " offset ");
        print_span(out, s->offset);
    }
}

static void print_print_range(struct buf *out, const struct promql_expr *x)
{
    promql_print_selector(out, &x->range.selector->selector);
    buf_addc(out, '[');
    print_span(out, x->range.length);
    buf_addc(out, ']');
    print_shift(out, &x->range.selector->selector.shift);
}

static void print_subquery(struct buf *out, const struct promql_expr *x)
{
    promql_print(out, x->subquery.expr);
    buf_addc(out, '[');
    print_span(out, x->subquery.length);
    buf_addc(out, ':');
    if (x->subquery.has_step)
        print_span(out, x->subquery.step);
    buf_addc(out, ']');
    print_shift(out, &x->subquery.shift);
}

/* -- the rest -- */

static void print_labels(struct buf *out, const str *v, size_t n)
{
    buf_addc(out, '(');
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            buf_adds(out, ", ");
        print_name(out, v[i]);
    }
    buf_addc(out, ')');
}

static void print_aggregate(struct buf *out, const struct promql_expr *x)
{
    buf_add(out, str_of(promql_agg_info(x->aggregate.op)->name));
    if (x->aggregate.is_without || x->aggregate.n_labels != 0) {
        buf_add(out, x->aggregate.is_without ? S(" without ") : S(" by "));
        print_labels(out, x->aggregate.labels, x->aggregate.n_labels);
        buf_addc(out, ' ');
    }
    buf_addc(out, '(');
    if (x->aggregate.param != NULL) {
        promql_print(out, x->aggregate.param);
        buf_adds(out, ", ");
    }
    promql_print(out, x->aggregate.expr);
    buf_addc(out, ')');
}

static void print_fill(struct buf *out, const char *name, double v)
{
    buf_addf(out, " %s (", name);
    float_print_g(out, v);
    buf_addc(out, ')');
}

static void print_fills(struct buf *out, const struct promql_matching *m)
{
    bool is_same = m->fill_left == m->fill_right || (isnan(m->fill_left) && isnan(m->fill_right));

    if (m->fills_left && m->fills_right && is_same) {
        print_fill(out, "fill", m->fill_left);
        return;
    }
    if (m->fills_left)
        print_fill(out, "fill_left", m->fill_left);
    if (m->fills_right)
        print_fill(out, "fill_right", m->fill_right);
}

/* The sign of +Inf, as Go prints it, would take a power as its operand. */
static void print_lhs(struct buf *out, const struct promql_expr *x)
{
    const struct promql_expr *lhs = x->binary.lhs;

    if (x->binary.op == PROMQL_POW && lhs->kind == PROMQL_NUMBER && isinf(lhs->number.v))
        buf_adds(out, "Inf");
    else
        promql_print(out, lhs);
}

static void print_binary(struct buf *out, const struct promql_expr *x)
{
    const struct promql_matching *m = x->binary.matching;
    bool has_group = m->card == PROMQL_MANY_TO_ONE || m->card == PROMQL_ONE_TO_MANY;

    print_lhs(out, x);
    buf_addf(out, " %s%s", promql_op_info(x->binary.op)->text, x->binary.is_bool ? " bool" : "");
    if (m->is_on || m->n_labels != 0 || has_group) {
        buf_add(out, m->is_on ? S(" on ") : S(" ignoring "));
        print_labels(out, m->labels, m->n_labels);
    }
    if (has_group) {
        buf_add(out, m->card == PROMQL_MANY_TO_ONE ? S(" group_left ") : S(" group_right "));
        print_labels(out, m->include, m->n_include);
    }
    print_fills(out, m);
    buf_addc(out, ' ');
    promql_print(out, x->binary.rhs);
}

static void print_call(struct buf *out, const struct promql_expr *x)
{
    buf_addf(out, "%s(", x->call.fn->name);
    for (size_t i = 0; i < x->call.n_args; i++) {
        if (i != 0)
            buf_adds(out, ", ");
        promql_print(out, x->call.args[i]);
    }
    buf_addc(out, ')');
}

void promql_print(struct buf *out, const struct promql_expr *x)
{
    switch (x->kind) {
    case PROMQL_NUMBER: print_literal(out, x->number.v, x->number.is_duration); break;
    case PROMQL_TEXT: quote_go(out, x->text); break;
    case PROMQL_SELECTOR:
        promql_print_selector(out, &x->selector);
        print_shift(out, &x->selector.shift);
        break;
    case PROMQL_RANGE: print_print_range(out, x); break;
    case PROMQL_SUBQUERY: print_subquery(out, x); break;
    case PROMQL_CALL: print_call(out, x); break;
    case PROMQL_AGGREGATE: print_aggregate(out, x); break;
    case PROMQL_UNARY:
        buf_addc(out, x->unary.is_minus ? '-' : '+');
        promql_print(out, x->unary.expr);
        break;
    case PROMQL_BINARY: print_binary(out, x); break;
    case PROMQL_PAREN:
        buf_addc(out, '(');
        promql_print(out, x->inner);
        buf_addc(out, ')');
        break;
    }
}

str promql_printed(struct arena *a, const struct promql_expr *x)
{
    struct buf b = BUF_INIT;
    str text;

    promql_print(&b, x);
    text = arena_str(a, buf_str(&b));
    buf_release(&b);
    return text;
}
