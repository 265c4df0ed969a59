#include "cover.h"

#include <stdio.h>

enum feature {
    BY,
    WITHOUT,
    UNARY,
    BOOL,
    ON,
    IGNORING,
    GROUP_LEFT,
    GROUP_RIGHT,
    FILL_LEFT,
    FILL_RIGHT,
    INCLUDED,
    OFFSET,
    OFFSET_BEHIND,
    AT_TIME,
    AT_START,
    AT_END,
    ANCHORED,
    SMOOTHED,
    SUBQUERY,
    SUBQUERY_WITHOUT_STEP,
    SUBQUERY_SHIFTED,
    RANGE_SHIFTED,
    SELECTOR_WITHOUT_NAME,
    SELECTOR_OF_QUOTED_NAME,
    EQUAL,
    NOT_EQUAL,
    LIKE,
    NOT_LIKE,
    EMPTY_VALUE,
    NUMBER,
    DURATION,
    STRING,
    PARENTHESES,
    FEATURES
};

static const char *const features[FEATURES] = {
    [BY] = "by",
    [WITHOUT] = "without",
    [UNARY] = "a sign",
    [BOOL] = "bool",
    [ON] = "on",
    [IGNORING] = "ignoring",
    [GROUP_LEFT] = "group_left",
    [GROUP_RIGHT] = "group_right",
    [FILL_LEFT] = "fill_left",
    [FILL_RIGHT] = "fill_right",
    [INCLUDED] = "labels of group_left",
    [OFFSET] = "offset",
    [OFFSET_BEHIND] = "a negative offset",
    [AT_TIME] = "@ time",
    [AT_START] = "@ start()",
    [AT_END] = "@ end()",
    [ANCHORED] = "anchored",
    [SMOOTHED] = "smoothed",
    [SUBQUERY] = "a subquery",
    [SUBQUERY_WITHOUT_STEP] = "a subquery without a step",
    [SUBQUERY_SHIFTED] = "a subquery with offset or @",
    [RANGE_SHIFTED] = "a range with offset or @",
    [SELECTOR_WITHOUT_NAME] = "a selector without a name",
    [SELECTOR_OF_QUOTED_NAME] = "a quoted name",
    [EQUAL] = "=",
    [NOT_EQUAL] = "matcher !=",
    [LIKE] = "=~",
    [NOT_LIKE] = "!~",
    [EMPTY_VALUE] = "a matcher of nothing",
    [NUMBER] = "a number",
    [DURATION] = "a duration as a number",
    [STRING] = "a string",
    [PARENTHESES] = "parentheses",
};

enum { FUNCTIONS_MAX = 256, DURATION_KINDS = PROMQL_DUR_BINARY + 1 };

static struct {
    bool functions[FUNCTIONS_MAX], ops[PROMQL_OPS], aggs[PROMQL_AGGS];
    bool duration_ops[PROMQL_OPS], durations[DURATION_KINDS];
    bool features[FEATURES];
} asked;

static void has(enum feature f, bool is_there)
{
    asked.features[f] |= is_there;
}

static void mark_duration(const struct promql_dur *d)
{
    if (d == NULL)
        return;
    asked.durations[d->kind] = true;
    if (d->kind == PROMQL_DUR_BINARY)
        asked.duration_ops[d->op] = true;
    mark_duration(d->a);
    mark_duration(d->b);
}

static void mark_shift(const struct promql_shift *s)
{
    has(OFFSET, s->has_offset);
    has(OFFSET_BEHIND, s->has_offset && s->offset.ns < 0);
    has(AT_TIME, s->at == PROMQL_AT_TIME);
    has(AT_START, s->at == PROMQL_AT_START);
    has(AT_END, s->at == PROMQL_AT_END);
    has(ANCHORED, s->is_anchored);
    has(SMOOTHED, s->is_smoothed);
    mark_duration(s->offset.expr);
}

static bool is_shifted(const struct promql_shift *s)
{
    return s->has_offset || s->at != PROMQL_AT_NONE;
}

static void mark_selector(const struct promql_selector *s)
{
    bool has_name = s->name.n != 0;

    mark_shift(&s->shift);
    for (size_t i = 0; i < s->matchers.n; i++) {
        const struct matcher *m = &s->matchers.v[i];
        bool is_name = str_is(m->name, "__name__");

        has(SELECTOR_OF_QUOTED_NAME, is_name && s->name.n == 0 && m->op == MATCH_EQ);
        has_name |= is_name && m->op == MATCH_EQ;
        has(EMPTY_VALUE, m->value.n == 0);
        if (!is_name)
            has((enum feature)(EQUAL + (int)m->op), true);
    }
    has(SELECTOR_WITHOUT_NAME, !has_name);
}

static void mark_matching(const struct promql_matching *m)
{
    has(ON, m->is_on);
    has(IGNORING, !m->is_on && m->n_labels != 0);
    has(GROUP_LEFT, m->card == PROMQL_MANY_TO_ONE);
    has(GROUP_RIGHT, m->card == PROMQL_ONE_TO_MANY);
    has(FILL_LEFT, m->fills_left);
    has(FILL_RIGHT, m->fills_right);
    has(INCLUDED, m->n_include != 0);
}

static void mark_function(const struct promql_function *fn)
{
    size_t n;
    const struct promql_function *v = promql_functions(&n);

    asked.functions[fn - v] = true;
}

static void mark_subquery(const struct promql_expr *x)
{
    has(SUBQUERY, true);
    has(SUBQUERY_WITHOUT_STEP, !x->subquery.has_step);
    has(SUBQUERY_SHIFTED, is_shifted(&x->subquery.shift));
    mark_shift(&x->subquery.shift);
    mark_duration(x->subquery.length.expr);
    mark_duration(x->subquery.step.expr);
}

static bool mark(struct promql_expr *x, void *arg)
{
    (void)arg;
    switch (x->kind) {
    case PROMQL_NUMBER:
        has(NUMBER, !x->number.is_duration);
        has(DURATION, x->number.is_duration);
        break;
    case PROMQL_TEXT: has(STRING, true); break;
    case PROMQL_SELECTOR: mark_selector(&x->selector); break;
    case PROMQL_RANGE:
        has(RANGE_SHIFTED, is_shifted(&x->range.selector->selector.shift));
        mark_duration(x->range.length.expr);
        break;
    case PROMQL_SUBQUERY: mark_subquery(x); break;
    case PROMQL_CALL: mark_function(x->call.fn); break;
    case PROMQL_AGGREGATE:
        asked.aggs[x->aggregate.op] = true;
        has(BY, !x->aggregate.is_without && x->aggregate.n_labels != 0);
        has(WITHOUT, x->aggregate.is_without);
        break;
    case PROMQL_UNARY: has(UNARY, true); break;
    case PROMQL_BINARY:
        asked.ops[x->binary.op] = true;
        has(BOOL, x->binary.is_bool);
        mark_matching(x->binary.matching);
        break;
    case PROMQL_PAREN: has(PARENTHESES, true); break;
    }
    return true;
}

void cover_mark(struct promql_expr *x)
{
    promql_walk(x, mark, NULL);
}

static unsigned lacks(bool is_there, const char *what, const char *name)
{
    if (!is_there)
        printf("no case has %s%s\n", what, name);
    return !is_there;
}

static unsigned report_durations(void)
{
    static const char *const kinds[DURATION_KINDS] = {
        [PROMQL_DUR_LITERAL] = "a literal", [PROMQL_DUR_STEP] = "step()",
        [PROMQL_DUR_RANGE] = "range()",     [PROMQL_DUR_MIN] = "min_of()",
        [PROMQL_DUR_MAX] = "max_of()",      [PROMQL_DUR_PLUS] = "a plus",
        [PROMQL_DUR_MINUS] = "a minus",     [PROMQL_DUR_BINARY] = "an operator"};
    static const enum promql_op ops[] = {PROMQL_ADD, PROMQL_SUB, PROMQL_MUL,
                                         PROMQL_DIV, PROMQL_MOD, PROMQL_POW};
    unsigned n = 0;

    for (size_t i = 0; i < DURATION_KINDS; i++)
        n += lacks(asked.durations[i], "in a duration ", kinds[i]);
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        n += lacks(asked.duration_ops[ops[i]], "in a duration ", promql_op_info(ops[i])->text);
    return n;
}

unsigned cover_report(void)
{
    size_t n_functions;
    const struct promql_function *v = promql_functions(&n_functions);
    unsigned n = report_durations();

    for (size_t i = 0; i < n_functions; i++)
        n += lacks(asked.functions[i], "the function ", v[i].name);
    for (size_t i = 0; i < PROMQL_OPS; i++)
        n += lacks(asked.ops[i], "the operator ", promql_op_info((enum promql_op)i)->text);
    for (size_t i = 0; i < PROMQL_AGGS; i++)
        n += lacks(asked.aggs[i], "the aggregation ", promql_agg_info((enum promql_agg)i)->name);
    for (size_t i = 0; i < FEATURES; i++)
        n += lacks(asked.features[i], "", features[i]);
    return n;
}
