/* Every part of an expression can be asked for by itself, so that nothing but questions is needed. */
#include "promql/why.h"

#include <math.h>
#include "base/vec.h"
#include "codec/float.h"
#include "codec/quote.h"
#include "promql/matching.h"

enum { CAUSES_MAX = 10, WHY_LABELLED_MAX = 1000 };

struct why_answer {
    str query;
    struct samples samples;
};

struct why_run {
    const struct why_asker *asker;
    struct arena *a;
    struct why *out;
    VEC(struct why_step) steps;
    VEC(struct why_cause) causes;
    struct err *e;
    VEC(struct why_answer) answers; /* parts are asked for more than once */
    bool failed;                    /* a question was not answered: nothing that follows counts */
};

const char *why_reason_text(enum why_reason r)
{
    static const char *const texts[WHY_REASONS] = {
        [WHY_NO_METRIC] = "no_metric",   [WHY_NO_LABEL] = "no_label",
        [WHY_NO_VALUE] = "no_value",     [WHY_NO_SERIES] = "no_series",
        [WHY_ENDED] = "ended",           [WHY_WINDOW] = "window",
        [WHY_COMPARISON] = "comparison", [WHY_JOIN] = "join",
        [WHY_PRESENT] = "present",       [WHY_EXCLUDED] = "excluded",
        [WHY_NO_BUCKETS] = "no_buckets", [WHY_FUNCTION] = "function",
    };

    return texts[r];
}

/* -- questions -- */

static struct samples ask_text(struct why_run *r, str query)
{
    struct samples out = {NULL, 0};

    if (r->failed)
        return out;
    VEC_EACH (const struct why_answer *, known, &r->answers)
        if (str_eq(known->query, query))
            return known->samples;
    r->out->questions++;
    r->failed = !r->asker->ask(r->asker->arg, query, &out, r->e);
    if (r->failed)
        return (struct samples){NULL, 0};
    vec_push(&r->answers, (struct why_answer){query, out});
    return out;
}

static struct samples why_ask(struct why_run *r, const struct promql_expr *x)
{
    return ask_text(r, promql_printed(r->a, x));
}

/* The same selector with other matchers: all but one, or none but the name's. NULL: nothing would be left of it. */
enum { WHY_ALL = -1 };
static const struct promql_expr *without_matcher(struct why_run *r, const struct promql_expr *x,
                                                 ptrdiff_t leave_out, bool only_name)
{
    const struct promql_selector *s = &x->selector;
    struct promql_expr *y = promql_copy_node(r->a, x);
    struct matcher *v = arena_array(r->a, s->matchers.n + 1, sizeof(*v));
    size_t n = 0;

    for (size_t i = 0; i < s->matchers.n; i++)
        if ((ptrdiff_t)i != leave_out && (!only_name || str_is(s->matchers.v[i].name, "__name__")))
            v[n++] = s->matchers.v[i];
    y->selector.matchers = (struct matchers){v, n};
    if (s->name.n != 0 && leave_out == (ptrdiff_t)s->matchers.n - 1)
        y->selector.name = STR_NONE;
    return n != 0 ? y : NULL;
}

/* -- causes -- */

static struct why_cause *add_cause(struct why_run *r, enum why_reason reason,
                                   const struct promql_expr *x)
{
    if (r->causes.n == CAUSES_MAX)
        return NULL;
    vec_push(&r->causes, (struct why_cause){.reason = reason,
                                            .at = x->at,
                                            .end = x->end,
                                            .part = promql_printed(r->a, x),
                                            .value = NAN,
                                            .threshold = NAN});
    return &r->causes.v[r->causes.n - 1];
}

static void why_add_number(struct buf *b, double v)
{
    float_print_g(b, v);
}

/* Values of a label and how many series have each, as `count by (label) (...)` answers: "a has 3 series, b has 1". */
static void add_values(struct buf *b, str label, const struct samples *s)
{
    for (size_t i = 0; i < s->n && i < WHY_VALUES_MAX; i++) {
        str value = labels_get(s->v[i].labels, label);

        buf_addf(b, "%s%.*s=%.*s has %.0f", i != 0 ? ", " : "", STR(label),
                 STR(value.n != 0 ? value : S("\"\"")), s->v[i].value);
        if (i == 0)
            buf_adds(b, " series");
    }
    if (s->n > WHY_VALUES_MAX)
        buf_addf(b, ", and %zu more values", s->n - WHY_VALUES_MAX);
}

static str take_text(struct why_run *r, struct buf *b)
{
    str s = arena_str(r->a, buf_str(b));

    buf_release(b);
    return s;
}

/* The value that may have been meant, brought to the front. */
static str nearest_value(struct why_run *r, str wanted, str label, struct samples *s)
{
    str *v = arena_array(r->a, s->n + 1, sizeof(*v));
    const str *near;

    for (size_t i = 0; i < s->n; i++)
        v[i] = labels_get(s->v[i].labels, label);
    near = str_nearest(wanted, v, s->n);
    if (near == NULL)
        return STR_NONE;
    {
        struct sample *copy = arena_array(r->a, s->n, sizeof(*copy));

        memcpy(copy, s->v, s->n * sizeof(*copy));
        copy[0] = s->v[near - v];
        copy[near - v] = s->v[0];
        s->v = copy;
    }
    return *near;
}

/* -- a selector -- */

/* The name with one word more at its end, or one less: "requests" beside "requests_total". */
static str name_with_other_end(str name, const struct samples *s)
{
    for (size_t i = 0; i < s->n; i++) {
        str other = labels_get(s->v[i].labels, S("__name__"));
        str shorter = other.n < name.n ? other : name, longer = other.n < name.n ? name : other;

        if (str_starts_with(longer, shorter) && longer.n > shorter.n + 1 &&
            longer.p[shorter.n] == '_' &&
            memchr(longer.p + shorter.n + 1, '_', longer.n - shorter.n - 1) == NULL)
            return other;
    }
    return STR_NONE;
}

/* The name that may have been meant: among those that begin alike, or all. */
static str nearest_name(struct why_run *r, str name)
{
    static const size_t begins[] = {2, 0};
    str near = STR_NONE;

    for (size_t i = 0; i < ARRAY_LEN(begins) && near.n == 0 && !r->failed; i++) {
        str query = arena_printf(r->a, "group by (__name__) ({__name__=~\"%.*s.+\"})",
                                 STR(str_sub(name, 0, begins[i])));
        struct samples s = ask_text(r, query);

        near = nearest_value(r, name, S("__name__"), &s);
        if (near.n == 0)
            near = name_with_other_end(name, &s);
    }
    return near;
}

static void name_is_unknown(struct why_run *r, const struct promql_expr *x, str name)
{
    str near = nearest_name(r, name);
    struct why_cause *c = add_cause(r, WHY_NO_METRIC, x);

    if (c == NULL)
        return;
    c->wanted = name;
    c->selector = c->part;
    c->label = S("__name__");
    c->nearest = near;
    c->text = near.n != 0 ? arena_printf(r->a, "nothing is called %.*s; there is %.*s", STR(name),
                                         STR(near))
                          : arena_printf(r->a, "nothing is called %.*s", STR(name));
}

/* The name of a label of these that may have been meant. */
static str nearest_label(struct why_run *r, str label, const struct samples *s)
{
    VEC(str) names = VEC_INIT;
    const str *near;
    str out;

    for (size_t i = 0; i < s->n && i < WHY_LABELLED_MAX; i++)
        LABELS_EACH (l, s->v[i].labels)
            if (!str_is(l->name, "__name__"))
                vec_push(&names, l->name);
    near = str_nearest(label, names.v, names.n);
    out = near != NULL ? arena_str(r->a, *near) : STR_NONE;
    vec_release(&names);
    return out;
}

static void say_nearest_label(struct buf *b, str near)
{
    if (near.n != 0)
        buf_addf(b, "; there is %.*s", STR(near));
}

/* rest: what is selected without the matcher; left: the same, by values of the label. */
static void matcher_is_cause(struct why_run *r, const struct promql_expr *x,
                             const struct matcher *m, const struct promql_expr *rest,
                             struct samples left)
{
    bool has_none = left.n == 1 && labels_get(left.v[0].labels, m->name).n == 0;
    struct samples all = has_none ? why_ask(r, rest) : left;
    struct why_cause *c = add_cause(r, WHY_NO_VALUE, x);
    struct buf b = BUF_INIT;
    size_t series = 0;

    if (c == NULL)
        return;
    for (size_t i = 0; i < left.n; i++)
        series += (size_t)left.v[i].value;
    c->selector = c->part;
    c->label = m->name;
    c->wanted = m->value;
    c->left = series;
    matcher_print(&b, m);
    if (has_none) {
        c->reason = WHY_NO_LABEL;
        c->nearest = nearest_label(r, m->name, &all);
        buf_addf(&b, " selects nothing: none of the %zu series has the label", series);
        say_nearest_label(&b, c->nearest);
    } else {
        c->nearest = nearest_value(r, m->value, m->name, &left);
        if (c->nearest.n == 0 && left.n == 1)
            c->nearest = labels_get(left.v[0].labels, m->name);
        buf_adds(&b, " selects nothing: ");
        add_values(&b, m->name, &left);
    }
    c->text = take_text(r, &b);
}

/* Which of the matchers alone leave nothing of what the others select. */
static void find_matcher(struct why_run *r, const struct promql_expr *x)
{
    const struct matchers *ms = &x->selector.matchers;
    size_t before = r->causes.n;
    struct why_cause *c;

    for (size_t i = 0; i < ms->n && !r->failed; i++) {
        const struct promql_expr *rest = without_matcher(r, x, (ptrdiff_t)i, false);
        struct samples left;

        if (str_is(ms->v[i].name, "__name__") || rest == NULL)
            continue;
        left = ask_text(r, arena_printf(r->a, "count by (%.*s) (%.*s)", STR(ms->v[i].name),
                                        STR(promql_printed(r->a, rest))));
        if (left.n != 0)
            matcher_is_cause(r, x, &ms->v[i], rest, left);
    }
    if (r->causes.n != before || r->failed)
        return;
    c = add_cause(r, WHY_NO_SERIES, x);
    if (c != NULL) {
        c->selector = c->part;
        c->text = S("the metric is there, and no series passes two of these matchers together");
    }
}

static bool why_has_ended(struct why_run *r, const struct promql_expr *x)
{
    struct promql_expr *at_all = promql_copy_node(r->a, x);
    struct samples s;
    struct why_cause *c;

    at_all->selector.shift = (struct promql_shift){.has_offset = false};
    s = ask_text(r, arena_printf(r->a, "count(last_over_time(%.*s[1h]))",
                                 STR(promql_printed(r->a, at_all))));
    if (s.n == 0)
        return false;
    c = add_cause(r, WHY_ENDED, x);
    if (c != NULL) {
        c->selector = c->part;
        c->left = (size_t)s.v[0].value;
        c->text = arena_printf(r->a,
                               "%zu series had samples within the last hour, and none has one now: "
                               "their target is gone, or does not show them any more",
                               c->left);
    }
    return true;
}

static void why_selector(struct why_run *r, const struct promql_expr *x)
{
    const struct promql_selector *s = &x->selector;
    const struct promql_expr *only = without_matcher(r, x, WHY_ALL, true);
    str name = promql_selector_metric(s);

    if (why_has_ended(r, x) || r->failed)
        return;
    if (only != NULL && name.n != 0 && why_ask(r, only).n == 0) {
        if (!r->failed)
            name_is_unknown(r, x, name);
        return;
    }
    find_matcher(r, x);
}

/* -- ranges -- */

/* What a function over a window had to do with. */
static bool why_range(struct why_run *r, const struct promql_expr *x,
                      const struct promql_expr *range)
{
    struct samples counts = ask_text(r, arena_printf(r->a, "max(count_over_time(%.*s))",
                                                     STR(promql_printed(r->a, range))));
    struct why_cause *c;

    if (r->failed)
        return true;
    if (counts.n == 0 && why_ask(r, range->range.selector).n == 0) {
        if (!r->failed)
            why_selector(r, range->range.selector);
        return true;
    }
    if (r->failed || (counts.n != 0 && counts.v[0].value > 1))
        return r->failed;
    c = add_cause(r, WHY_WINDOW, x);
    if (c != NULL) {
        c->selector = promql_printed(r->a, range);
        c->value = counts.n != 0 ? counts.v[0].value : 0;
        c->text = counts.n == 0
                      ? S("the window has no sample of series that are there: it is shorter than "
                          "the time between two scrapes")
                      : S("the window has one sample a series, and two are needed: it is shorter "
                          "than two scrapes");
    }
    return true;
}

static const struct promql_expr *vector_arg(const struct promql_expr *x)
{
    for (size_t i = 0; i < x->call.n_args; i++)
        if (x->call.args[i]->type == PROMQL_T_VECTOR || x->call.args[i]->type == PROMQL_T_MATRIX)
            return x->call.args[i];
    return NULL;
}

static void why_part(struct why_run *r, const struct promql_expr *x);

static void function_gives_nothing(struct why_run *r, const struct promql_expr *x, size_t in)
{
    struct why_cause *c = add_cause(r, WHY_FUNCTION, x);

    if (c == NULL)
        return;
    c->left = in;
    c->text = x->kind == PROMQL_CALL
                  ? arena_printf(r->a, "%s() gives nothing for the %zu series that it gets",
                                 x->call.fn->name, in)
                  : arena_printf(r->a, "nothing is left of the %zu series that come in", in);
}

static void why_is_there(struct why_run *r, const struct promql_expr *x,
                         const struct promql_expr *arg)
{
    struct why_cause *c = add_cause(r, WHY_PRESENT, x);

    if (c == NULL)
        return;
    c->selector = promql_printed(r->a, arg);
    c->text = S("it has a result only when there is nothing, and there is something");
}

static void no_buckets(struct why_run *r, const struct promql_expr *x, const struct samples *in)
{
    struct why_cause *c = add_cause(r, WHY_NO_BUCKETS, x);

    if (c == NULL)
        return;
    c->label = S("le");
    c->left = in->n;
    c->text =
        arena_printf(r->a,
                     "none of the %zu series that come in has the label le: they are no buckets, "
                     "or an aggregation has dropped it (sum by (le, ...))",
                     in->n);
}

static bool have_label(const struct samples *s, str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (labels_has(s->v[i].labels, name) || s->v[i].is_histogram)
            return true;
    return false;
}

static void why_call(struct why_run *r, const struct promql_expr *x)
{
    const struct promql_expr *arg = vector_arg(x), *inner = arg != NULL ? promql_unwrap(arg) : NULL;
    struct samples in;

    if (inner == NULL) {
        function_gives_nothing(r, x, 0);
        return;
    }
    if (strncmp(x->call.fn->name, "absent", 6) == 0) {
        why_is_there(r, x, inner);
        return;
    }
    if (inner->kind == PROMQL_RANGE) {
        if (!why_range(r, x, inner))
            function_gives_nothing(r, x, 0);
        return;
    }
    if (inner->kind == PROMQL_SUBQUERY) {
        why_part(r, inner->subquery.expr);
        if (r->causes.n == 0 && !r->failed)
            function_gives_nothing(r, x, 0);
        return;
    }
    in = why_ask(r, inner);
    if (in.n == 0)
        why_part(r, inner);
    else if (strcmp(x->call.fn->name, "histogram_quantile") == 0 && !have_label(&in, S("le")))
        no_buckets(r, x, &in);
    else
        function_gives_nothing(r, x, in.n);
}

/* -- groupings -- */

static bool have_name(const struct samples *s, str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (labels_has(s->v[i].labels, name))
            return true;
    return false;
}

static void no_label_to_group_by(struct why_run *r, const struct promql_expr *x, str label,
                                 str near, size_t n)
{
    struct why_cause *c = add_cause(r, WHY_NO_LABEL, x);
    struct buf b = BUF_INIT;

    if (c == NULL)
        return;
    c->label = label;
    c->nearest = near;
    c->left = n;
    buf_addf(&b, "by (%.*s) puts all into one: none of the %zu series that come in has the label",
             STR(label), n);
    say_nearest_label(&b, near);
    c->text = take_text(r, &b);
}

/* Beside what is wrong with the values or labels of x: what is grouped by a label that nothing has, where one has nearly the
 * same name. */
static void why_grouped(struct why_run *r, const struct promql_expr *x)
{
    struct promql_expr *child;

    if (x->kind == PROMQL_AGGREGATE && !x->aggregate.is_without && x->aggregate.n_labels != 0) {
        struct samples in = why_ask(r, x->aggregate.expr);

        for (size_t i = 0; i < x->aggregate.n_labels; i++) {
            str label = x->aggregate.labels[i];
            str near = have_name(&in, label) ? STR_NONE : nearest_label(r, label, &in);

            if (near.n != 0)
                no_label_to_group_by(r, x, label, near, in.n);
        }
    }
    for (size_t i = 0; (child = promql_child(x, i)) != NULL && !r->failed; i++)
        why_grouped(r, child);
}

/* -- comparisons -- */

static bool wants_large(enum promql_op op)
{
    return op == PROMQL_GT || op == PROMQL_GE;
}

/* How far a is from what the operator wants of it beside b; less is nearer. */
static double distance(enum promql_op op, double a, double b)
{
    if (op == PROMQL_EQ)
        return fabs(a - b);
    return wants_large(op) ? b - a : a - b;
}

static enum promql_op turned(enum promql_op op)
{
    switch (op) {
    case PROMQL_GT: return PROMQL_LT;
    case PROMQL_GE: return PROMQL_LE;
    case PROMQL_LT: return PROMQL_GT;
    case PROMQL_LE: return PROMQL_GE;
    default: return op;
    }
}

static void no_value_passes(struct why_run *r, const struct promql_expr *x, enum promql_op op,
                            const struct sample *nearest, double threshold, size_t n)
{
    struct why_cause *c = add_cause(r, WHY_COMPARISON, x);
    struct buf b = BUF_INIT;

    if (c == NULL)
        return;
    c->value = nearest->value;
    c->series = nearest->labels;
    c->threshold = threshold;
    c->left = n;
    buf_addf(&b, "%s ",
             op == PROMQL_EQ || op == PROMQL_NE ? "nearest"
             : wants_large(op)                  ? "max"
                                                : "min");
    why_add_number(&b, nearest->value);
    buf_adds(&b, ", threshold ");
    why_add_number(&b, threshold);
    buf_addf(&b, ": none of %zu series passes; the nearest is ", n);
    labels_print(&b, nearest->labels);
    c->text = take_text(r, &b);
}

/* Beside a number: what is compared, and how, as if it were on the left. */
struct why_limit {
    const struct promql_expr *side, *number;
    enum promql_op op;
};

static struct why_limit why_limit_of(const struct promql_expr *x)
{
    bool is_left = x->binary.lhs->type == PROMQL_T_VECTOR;

    return is_left ? (struct why_limit){x->binary.lhs, x->binary.rhs, x->binary.op}
                   : (struct why_limit){x->binary.rhs, x->binary.lhs, turned(x->binary.op)};
}

/* s: some of the values that are compared; none passes. */
static void no_value_reaches(struct why_run *r, const struct promql_expr *x, struct samples s)
{
    struct why_limit l = why_limit_of(x);
    struct samples limit = why_ask(r, l.number);
    const struct sample *near = NULL;

    if (r->failed)
        return;
    for (size_t i = 0; i < s.n && limit.n != 0; i++)
        if (near == NULL || isnan(near->value) ||
            distance(l.op, s.v[i].value, limit.v[0].value) <
                distance(l.op, near->value, limit.v[0].value))
            near = &s.v[i];
    if (near != NULL)
        no_value_passes(r, x, l.op, near, limit.v[0].value, s.n);
    else
        function_gives_nothing(r, x, s.n);
}

static void why_threshold(struct why_run *r, const struct promql_expr *x)
{
    const struct promql_expr *side = why_limit_of(x).side;
    struct samples s = why_ask(r, side);

    if (s.n == 0) {
        why_part(r, side);
    } else {
        no_value_reaches(r, x, s);
        why_grouped(r, side);
    }
}

/* -- two sides -- */

struct why_side {
    struct samples s;
    struct labels *keys; /* of each: what is matched */
};

static struct why_side why_side_of(struct why_run *r, const struct promql_matching *m,
                                   const struct promql_expr *x)
{
    struct promql_names names = promql_signature_names(m, r->a);
    struct why_side out = {.s = why_ask(r, x)};

    out.keys = arena_array(r->a, out.s.n + 1, sizeof(*out.keys));
    for (size_t i = 0; i < out.s.n; i++)
        out.keys[i] = promql_pick(&names, out.s.v[i].labels, r->a);
    return out;
}

enum { PAIRS_MAX = 2000 }; /* so many of each side are looked at */

static size_t looked_at(const struct why_side *s)
{
    return s->s.n < PAIRS_MAX ? s->s.n : PAIRS_MAX;
}

static bool has_value_of(const struct why_side *s, str name, str value)
{
    for (size_t i = 0; i < looked_at(s); i++)
        if (str_eq(labels_get(s->keys[i], name), value))
            return true;
    return false;
}

/* A label of the keys whose values the other side has none of. */
static bool find_differing(const struct why_side *a, const struct why_side *b, str *name)
{
    for (size_t k = 0; k < looked_at(a); k++)
        LABELS_EACH (l, a->keys[k]) {
            bool is_shared = false;

            for (size_t i = 0; i < looked_at(a) && !is_shared; i++)
                is_shared = has_value_of(b, l->name, labels_get(a->keys[i], l->name));
            if (!is_shared) {
                *name = l->name;
                return true;
            }
        }
    return false;
}

static void add_side(struct buf *b, const char *side, const struct why_side *s, str label)
{
    str value = labels_get(s->keys[0], label);

    if (value.n == 0)
        buf_addf(b, "%s has none", side);
    else
        buf_addf(b, "%s has %.*s", side, STR(value));
}

static void no_pair(struct why_run *r, const struct promql_expr *x, const struct why_side *left,
                    const struct why_side *right)
{
    struct why_cause *c = add_cause(r, WHY_JOIN, x);
    struct buf b = BUF_INIT;
    str label = STR_NONE;

    if (c == NULL)
        return;
    c->left = left->s.n;
    c->right = right->s.n;
    buf_addf(&b,
             "%zu series on the left and %zu on the right, and no pair of them has the same labels",
             left->s.n, right->s.n);
    if (find_differing(left, right, &label) || find_differing(right, left, &label)) {
        c->label = label;
        c->wanted = labels_get(left->keys[0], label);
        c->nearest = labels_get(right->keys[0], label);
        buf_addf(&b, ": %.*s differs: ", STR(label));
        add_side(&b, "the left", left, label);
        add_side(&b, ", the right", right, label);
        if (labels_has(left->keys[0], label) != labels_has(right->keys[0], label))
            buf_addf(&b, "; on(...) or ignoring(%.*s) says what is meant", STR(label));
    }
    c->text = take_text(r, &b);
}

/* The pair whose values come nearest to what the comparison wants. */
static bool nearest_pair(enum promql_op op, const struct why_side *left,
                         const struct why_side *right, size_t *at, size_t *with)
{
    double best = INFINITY;
    bool found = false;

    for (size_t i = 0; i < looked_at(left); i++)
        for (size_t k = 0; k < looked_at(right); k++) {
            double d;

            if (!labels_eq(left->keys[i], right->keys[k]))
                continue;
            d = distance(op, left->s.v[i].value, right->s.v[k].value);
            if (!found || d < best) {
                best = d;
                *at = i;
                *with = k;
            }
            found = true;
        }
    return found;
}

/* A comparison with a number: what it is held against others for is its filter. */
static bool is_filter(const struct promql_expr *x)
{
    return x->kind == PROMQL_BINARY && promql_op_info(x->binary.op)->is_comparison &&
           !x->binary.is_bool && x->type == PROMQL_T_VECTOR &&
           (x->binary.lhs->type != PROMQL_T_VECTOR || x->binary.rhs->type != PROMQL_T_VECTOR);
}

/* A side as it is without the comparison that it ends with. */
static struct why_side unfiltered_side(struct why_run *r, const struct promql_matching *m,
                                       const struct promql_expr *x)
{
    const struct promql_expr *inner = promql_unwrap(x);

    return why_side_of(r, m, is_filter(inner) ? why_limit_of(inner).side : x);
}

/* No pair is found, and without the comparison that x ends with there would be some: none of these passes. */
static bool pairs_are_filtered(struct why_run *r, const struct promql_expr *x,
                               const struct why_side *all, const struct why_side *other)
{
    struct samples pairs = {.v = arena_array(r->a, all->s.n + 1, sizeof(*pairs.v))};

    if (!is_filter(promql_unwrap(x)))
        return false;
    for (size_t i = 0; i < looked_at(all); i++)
        for (size_t k = 0; k < looked_at(other); k++)
            if (labels_eq(all->keys[i], other->keys[k])) {
                pairs.v[pairs.n++] = all->s.v[i];
                break;
            }
    if (pairs.n != 0)
        no_value_reaches(r, promql_unwrap(x), pairs);
    return pairs.n != 0;
}

/* Each of a has a label that is nowhere in b. */
static bool has_another_label(const struct why_side *a, const struct why_side *b)
{
    bool is_there;

    LABELS_EACH (l, a->keys[0]) {
        is_there = false;
        for (size_t k = 0; k < looked_at(b) && !is_there; k++)
            is_there = labels_has(b->keys[k], l->name);
        for (size_t i = 0; i < looked_at(a) && !is_there; i++)
            is_there = !labels_has(a->keys[i], l->name);
        if (!is_there)
            return true;
    }
    return false;
}

static void why_no_pair(struct why_run *r, const struct promql_expr *x, const struct why_side *left,
                        const struct why_side *right)
{
    const struct promql_matching *m = x->binary.matching;
    struct why_side all_left = unfiltered_side(r, m, x->binary.lhs),
                    all_right = unfiltered_side(r, m, x->binary.rhs);
    bool is_join, is_filtered;

    if (r->failed)
        return;
    is_join = has_another_label(left, &all_right) || has_another_label(right, &all_left);
    if (is_join)
        no_pair(r, x, left, right);
    is_filtered = pairs_are_filtered(r, x->binary.lhs, &all_left, right);
    if (!pairs_are_filtered(r, x->binary.rhs, &all_right, left) && !is_filtered && !is_join)
        no_pair(r, x, left, right);
    why_grouped(r, x);
}

/* A label that on() has and no series. */
static str unknown_on(const struct promql_matching *m, const struct why_side *left,
                      const struct why_side *right)
{
    for (size_t i = 0; m->is_on && i < m->n_labels; i++)
        if (!have_name(&left->s, m->labels[i]) && !have_name(&right->s, m->labels[i]))
            return m->labels[i];
    return STR_NONE;
}

static void why_sides(struct why_run *r, const struct promql_expr *x)
{
    const struct promql_matching *m = x->binary.matching;
    struct why_side left = why_side_of(r, m, x->binary.lhs),
                    right = why_side_of(r, m, x->binary.rhs);
    bool is_set = promql_op_info(x->binary.op)->is_set;
    size_t i = 0, k = 0;

    if (r->failed)
        return;
    if (left.s.n == 0)
        why_part(r, x->binary.lhs);
    if (right.s.n == 0 && x->binary.op != PROMQL_UNLESS)
        why_part(r, x->binary.rhs);
    if (left.s.n == 0 || (right.s.n == 0 && x->binary.op != PROMQL_UNLESS))
        return;
    if (x->binary.op == PROMQL_UNLESS) {
        struct why_cause *c = add_cause(r, WHY_EXCLUDED, x);

        if (c != NULL) {
            c->left = left.s.n;
            c->right = right.s.n;
            c->label = unknown_on(m, &left, &right);
            c->text =
                arena_printf(r->a,
                             "the right side has the labels of each of the %zu series on the left",
                             left.s.n);
            if (c->label.n != 0)
                c->text = arena_printf(r->a, "%.*s: no series on either side has the label %.*s",
                                       STR(c->text), STR(c->label));
        }
    } else if (nearest_pair(x->binary.op, &left, &right, &i, &k) && !is_set &&
               promql_op_info(x->binary.op)->is_comparison) {
        no_value_passes(r, x, x->binary.op, &left.s.v[i], right.s.v[k].value, left.s.n);
        why_grouped(r, x);
    } else {
        why_no_pair(r, x, &left, &right);
    }
}

static void why_binary(struct why_run *r, const struct promql_expr *x)
{
    bool left = x->binary.lhs->type == PROMQL_T_VECTOR,
         right = x->binary.rhs->type == PROMQL_T_VECTOR;

    if (left && right)
        why_sides(r, x);
    else if (promql_op_info(x->binary.op)->is_comparison)
        why_threshold(r, x);
    else
        why_part(r, left ? x->binary.lhs : x->binary.rhs);
}

/* x, which is empty. */
static void why_part(struct why_run *r, const struct promql_expr *x)
{
    struct samples in;

    if (r->failed)
        return;
    switch (x->kind) {
    case PROMQL_SELECTOR: why_selector(r, x); return;
    case PROMQL_PAREN: why_part(r, x->inner); return;
    case PROMQL_UNARY: why_part(r, x->unary.expr); return;
    case PROMQL_CALL: why_call(r, x); return;
    case PROMQL_BINARY: why_binary(r, x); return;
    case PROMQL_AGGREGATE:
        in = why_ask(r, x->aggregate.expr);
        if (in.n == 0)
            why_part(r, x->aggregate.expr);
        else
            function_gives_nothing(r, x, in.n);
        return;
    default: function_gives_nothing(r, x, 0); return;
    }
}

/* -- sizes -- */

static void add_steps(struct why_run *r, const struct promql_expr *x, unsigned depth)
{
    struct promql_expr *child;

    if (r->failed || r->steps.n == WHY_STEPS_MAX)
        return;
    if (x->type == PROMQL_T_VECTOR && x->kind != PROMQL_PAREN) {
        struct samples s = why_ask(r, x);

        vec_push(&r->steps, (struct why_step){depth, x->at, x->end, promql_printed(r->a, x), s.n});
        depth++;
    }
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        add_steps(r, child, depth);
}

bool why_empty(const struct promql_expr *x, const struct why_asker *asker, struct arena *a,
               struct why *out, struct err *e)
{
    struct why_run r = {.asker = asker, .a = a, .out = out, .e = e};

    *out = (struct why){.n_steps = 0};
    add_steps(&r, x, 0);
    if (!r.failed && x->type == PROMQL_T_VECTOR && r.steps.n != 0 && r.steps.v[0].n == 0)
        why_part(&r, x);
    out->n_steps = r.steps.n;
    out->steps = arena_array(a, r.steps.n + 1, sizeof(*out->steps));
    if (r.steps.n != 0)
        memcpy(out->steps, r.steps.v, r.steps.n * sizeof(*out->steps));
    out->n_causes = r.causes.n;
    out->causes = arena_array(a, r.causes.n + 1, sizeof(*out->causes));
    if (r.causes.n != 0)
        memcpy(out->causes, r.causes.v, r.causes.n * sizeof(*out->causes));
    vec_release(&r.answers);
    vec_release(&r.steps);
    vec_release(&r.causes);
    return !r.failed;
}
