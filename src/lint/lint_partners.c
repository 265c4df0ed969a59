/* Each part of the tree is given the label sets that it can have over the series that were read, from the leaves up; a part of
 * which that is not known (what rules record, label_replace(), or) makes all above it unknown, and nothing is said there. */
#include "lint/lint_partners.h"

#include <stdlib.h>
#include "lint/lint_labels.h"
#include "lint/lint_online.h"
#include "promql/promql.h"

enum { SETS_MAX = 20000 };

struct label_sets {
    bool is_known;
    struct labels *v; /* distinct, without the name */
    size_t n;
};

static const struct label_sets unknown_sets = {false, NULL, 0};

static const str *names_in_order(const str *names, size_t n, struct arena *a)
{
    str *v = arena_copy(a, names, n, n, sizeof(*v));

    if (n != 0)
        qsort(v, n, sizeof(*v), str_order);
    return v;
}

static str set_text(struct labels ls, struct arena *a)
{
    struct buf b = BUF_INIT;
    str text;

    labels_print(&b, ls);
    text = arena_str(a, buf_str(&b));
    buf_release(&b);
    return text;
}

static struct label_sets distinct_sets(struct label_sets s, struct arena *a)
{
    struct str_map seen = {0};
    size_t k = 0;

    for (size_t i = 0; i < s.n; i++) {
        bool is_new = false;

        (void)str_map_add(&seen, set_text(s.v[i], a), a, &is_new);
        if (is_new)
            s.v[k++] = s.v[i];
    }
    s.n = k;
    str_map_release(&seen);
    return s;
}

/* -- leaves -- */

/* An exporter knows nothing of its target: job and instance are then what the matcher asks for. */
static struct labels with_target(const struct lint_expr_check *c, const struct promql_selector *x,
                                 struct labels ls)
{
    struct label target[2] = {{S("instance"), S("instance")}, {S("job"), S("job")}};

    if (lint_samples_have_targets(c->set->samples))
        return ls;
    for (size_t i = 0; i < x->matchers.n; i++)
        for (size_t k = 0; k < ARRAY_LEN(target); k++)
            if (x->matchers.v[i].op == MATCH_EQ && str_eq(x->matchers.v[i].name, target[k].name))
                target[k].value = x->matchers.v[i].value;
    return labels_merge(c->a, (struct labels){target, ARRAY_LEN(target)}, ls);
}

static bool matches_set(const struct promql_selector *x, struct labels ls)
{
    for (size_t i = 0; i < x->matchers.n; i++)
        if (!str_is(x->matchers.v[i].name, "__name__") &&
            !matcher_matches(&x->matchers.v[i], labels_get(ls, x->matchers.v[i].name)))
            return false;
    return true;
}

static struct label_sets sets_of_selector(const struct lint_expr_check *c,
                                          const struct promql_selector *x)
{
    static const str name[] = {{"__name__", 8}};
    const struct online_name *all = lint_samples_find(c->set->samples, x->name);
    struct label_sets out = {.is_known = true};

    if (x->name.n == 0 || all == NULL || all->n > SETS_MAX ||
        str_map_get(&c->set->records, x->name) != NULL)
        return unknown_sets;
    out.v = arena_array(c->a, all->n, sizeof(*out.v));
    for (size_t i = 0; i < all->n; i++) {
        struct labels ls = with_target(c, x, labels_without(c->a, all->v[i].labels, name, 1));

        if (matches_set(x, ls))
            out.v[out.n++] = ls;
    }
    return out;
}

/* -- calls and aggregations -- */

static struct label_sets sets_of(const struct lint_expr_check *c, const struct promql_expr *x);

static struct label_sets sets_without(struct label_sets s, const str *names, size_t n,
                                      struct arena *a)
{
    for (size_t i = 0; i < s.n; i++)
        s.v[i] = labels_without(a, s.v[i], names, n);
    return distinct_sets(s, a);
}

static struct label_sets sets_with(struct label_sets s, const str *names, size_t n, struct arena *a)
{
    for (size_t i = 0; i < s.n; i++)
        s.v[i] = labels_only(a, s.v[i], names, n);
    return distinct_sets(s, a);
}

static struct label_sets sets_of_call(const struct lint_expr_check *c, const struct promql_expr *x)
{
    static const char *const others[] = {
        "absent", "absent_over_time", "label_replace", "label_join", "info", "vector"};
    static const str le[] = {{"le", 2}};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (promql_is_call_of(x, others[i]))
            return unknown_sets;
    for (size_t i = 0; i < x->call.n_args; i++)
        if (x->call.args[i]->type == PROMQL_T_VECTOR || x->call.args[i]->type == PROMQL_T_MATRIX) {
            struct label_sets s = sets_of(c, x->call.args[i]);

            return promql_is_call_of(x, "histogram_quantile") && s.is_known
                       ? sets_without(s, le, 1, c->a)
                       : s;
        }
    return unknown_sets;
}

static struct label_sets sets_of_aggregate(const struct lint_expr_check *c,
                                           const struct promql_expr *x)
{
    struct label_sets s = sets_of(c, x->aggregate.expr);
    size_t n = x->aggregate.n_labels;
    const str *names = names_in_order(x->aggregate.labels, n, c->a);

    switch (x->aggregate.op) {
    case PROMQL_COUNT_VALUES: return unknown_sets;
    case PROMQL_TOPK:
    case PROMQL_BOTTOMK:
    case PROMQL_LIMITK:
    case PROMQL_LIMIT_RATIO: return s;
    default: break;
    }
    if (!s.is_known)
        return s;
    return x->aggregate.is_without ? sets_without(s, names, n, c->a) : sets_with(s, names, n, c->a);
}

/* -- joins -- */

/* By what labels the sides are matched: text of the labels to the number of sets that have them. */
struct partner_side {
    struct label_sets sets;
    str *keys;
    struct str_map all;
};

static struct labels key_of_set(const struct promql_matching *m, struct labels ls, struct arena *a)
{
    const str *names = names_in_order(m->labels, m->n_labels, a);

    return m->is_on ? labels_only(a, ls, names, m->n_labels)
                    : labels_without(a, ls, names, m->n_labels);
}

static struct partner_side partners_of(const struct promql_matching *m, struct label_sets s,
                                       struct arena *a)
{
    struct partner_side out = {.sets = s, .keys = arena_array(a, s.n, sizeof(str))};

    for (size_t i = 0; i < s.n; i++) {
        void **hit;

        out.keys[i] = set_text(key_of_set(m, s.v[i], a), a);
        hit = str_map_get(&out.all, out.keys[i]);
        str_map_put(&out.all, out.keys[i],
                    (void *)((hit != NULL ? (uintptr_t)*hit : 0) + (uintptr_t)1));
    }
    return out;
}

static struct label_sets paired_sets(const struct partner_side *many,
                                     const struct partner_side *one,
                                     const struct promql_matching *m, struct arena *a)
{
    struct label_sets out = {.is_known = m->n_include == 0,
                             .v = arena_array(a, many->sets.n, sizeof(*out.v))};

    for (size_t i = 0; i < many->sets.n; i++)
        if (str_map_get(&one->all, many->keys[i]) != NULL)
            out.v[out.n++] =
                m->card == PROMQL_ONE_TO_ONE ? key_of_set(m, many->sets.v[i], a) : many->sets.v[i];
    return out.is_known ? distinct_sets(out, a) : unknown_sets;
}

static bool is_vector_join(const struct promql_expr *x)
{
    return x->kind == PROMQL_BINARY && x->binary.lhs->type == PROMQL_T_VECTOR &&
           x->binary.rhs->type == PROMQL_T_VECTOR && !x->binary.matching->fills_left &&
           !x->binary.matching->fills_right;
}

static struct label_sets sets_of_binary(const struct lint_expr_check *c,
                                        const struct promql_expr *x)
{
    struct label_sets out, l, r;
    struct partner_side left, right;

    if (!is_vector_join(x))
        return x->binary.matching->fills_left || x->binary.matching->fills_right
                   ? unknown_sets
                   : sets_of(c, x->binary.lhs->type == PROMQL_T_VECTOR ? x->binary.lhs
                                                                       : x->binary.rhs);
    if (promql_op_info(x->binary.op)->is_set)
        return x->binary.op == PROMQL_OR ? unknown_sets : sets_of(c, x->binary.lhs);
    l = sets_of(c, x->binary.lhs);
    r = sets_of(c, x->binary.rhs);
    if (!l.is_known || !r.is_known)
        return unknown_sets;
    left = partners_of(x->binary.matching, l, c->a);
    right = partners_of(x->binary.matching, r, c->a);
    out = x->binary.matching->card == PROMQL_ONE_TO_MANY
              ? paired_sets(&right, &left, x->binary.matching, c->a)
              : paired_sets(&left, &right, x->binary.matching, c->a);
    str_map_release(&left.all);
    str_map_release(&right.all);
    return out;
}

static struct label_sets sets_of(const struct lint_expr_check *c, const struct promql_expr *x)
{
    switch (x->kind) {
    case PROMQL_SELECTOR: return sets_of_selector(c, &x->selector);
    case PROMQL_RANGE: return sets_of(c, x->range.selector);
    case PROMQL_SUBQUERY: return sets_of(c, x->subquery.expr);
    case PROMQL_PAREN: return sets_of(c, x->inner);
    case PROMQL_UNARY: return sets_of(c, x->unary.expr);
    case PROMQL_CALL: return sets_of_call(c, x);
    case PROMQL_AGGREGATE: return sets_of_aggregate(c, x);
    case PROMQL_BINARY: return sets_of_binary(c, x);
    default: return unknown_sets;
    }
}

/* -- R041 -- */

static bool see_filter(struct promql_expr *x, void *arg)
{
    *(bool *)arg |= (x->kind == PROMQL_BINARY && (promql_op_info(x->binary.op)->is_comparison ||
                                                  promql_op_info(x->binary.op)->is_set)) ||
                    (x->kind == PROMQL_AGGREGATE && x->aggregate.param != NULL);
    return !*(bool *)arg;
}

/* Whether each of its sets is there at all times: nothing in it looks at values. */
static bool is_constant_set(struct promql_expr *x)
{
    bool filters = false;

    promql_walk(x, see_filter, &filters);
    return !filters;
}

/* The first key that several sets have. */
static const str *first_twice(const struct partner_side *s)
{
    for (size_t i = 0; i < s->sets.n; i++)
        if ((uintptr_t)*str_map_get(&s->all, s->keys[i]) > 1)
            return &s->keys[i];
    return NULL;
}

/* The expression alone has shown it. */
static bool is_said(const struct lint_expr_check *c, const struct promql_expr *x)
{
    struct diag_place at = yaml_place_in(c->rule->doc, c->rule->expr_node, x->at, x->end - x->at);

    for (size_t i = c->d->n; i-- != 0;)
        if (strcmp(c->d->v[i].id, "R041") == 0 && c->d->v[i].place.at == at.at &&
            c->d->v[i].place.len == at.len && str_eq(c->d->v[i].place.file, at.file))
            return true;
    return false;
}

static void see_no_partner(struct lint_expr_check *c, const struct promql_expr *x,
                           const struct partner_side *l, const struct partner_side *r)
{
    if (is_said(c, x))
        return;
    diag_help(c->d,
              lint_expr_report(c, x,
                               arena_printf(c->a,
                                            "no series of the one side has a partner on the other "
                                            "in %.*s: left as %.*s, right as %.*s",
                                            STR(lint_samples_from(c->set->samples)),
                                            STR(l->keys[0]), STR(r->keys[0]))
                                   .p),
              "say which labels count: on (...) or ignoring (...)");
}

static void see_several(struct lint_expr_check *c, const struct promql_expr *x, const char *side,
                        str key)
{
    diag_help(c->d,
              lint_expr_report(c, x,
                               arena_printf(c->a,
                                            "several series on the %s side in %.*s are matched "
                                            "as %.*s: the whole expression fails",
                                            side, STR(lint_samples_from(c->set->samples)), STR(key))
                                   .p),
              "match by more labels, aggregate that side, or use group_left");
}

/* The sides where one series may have one partner only. */
static void see_one_sided(struct lint_expr_check *c, const struct promql_expr *x,
                          const struct partner_side *l, const struct partner_side *r)
{
    enum promql_card card = x->binary.matching->card;
    const str *key = NULL;
    const char *side = "right";

    if (promql_op_info(x->binary.op)->is_set)
        return;
    if (card != PROMQL_ONE_TO_MANY && is_constant_set(x->binary.rhs))
        key = first_twice(r);
    if (key == NULL && card != PROMQL_MANY_TO_ONE && is_constant_set(x->binary.lhs)) {
        key = first_twice(l);
        side = "left";
    }
    if (key != NULL)
        see_several(c, x, side, *key);
}

static bool have_partners(const struct partner_side *l, const struct partner_side *r)
{
    for (size_t i = 0; i < l->sets.n; i++)
        if (str_map_get(&r->all, l->keys[i]) != NULL)
            return true;
    return false;
}

static bool see_partners(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    struct label_sets l, r;
    struct partner_side left, right;

    if (!is_vector_join(x) || x->binary.op == PROMQL_OR || x->binary.op == PROMQL_UNLESS)
        return true;
    l = sets_of(c, x->binary.lhs);
    r = sets_of(c, x->binary.rhs);
    if (l.n == 0 || r.n == 0) /* R080 to R082 say why */
        return true;
    left = partners_of(x->binary.matching, l, c->a);
    right = partners_of(x->binary.matching, r, c->a);
    if (!have_partners(&left, &right))
        see_no_partner(c, x, &left, &right);
    else
        see_one_sided(c, x, &left, &right);
    str_map_release(&left.all);
    str_map_release(&right.all);
    return true;
}

void lint_partners(struct lint_expr_check *c)
{
    promql_walk(c->root, see_partners, c);
}

/* -- R081 -- */

static bool has_some(const struct label_sets *s, str label)
{
    for (size_t i = 0; i < s->n; i++)
        if (labels_has(s->v[i], label))
            return true;
    return false;
}

static void see_lost(struct lint_expr_check *c, const struct promql_expr *x,
                     const struct label_sets *s, str label, const char *where)
{
    struct str_map names = {0};
    struct diag *g;
    const str *hit;
    str *v;
    size_t n = 0;

    if (s->n == 0 || has_some(s, label) ||
        (label_may_be_added(label) && !lint_samples_have_targets(c->set->samples)))
        return;
    for (size_t i = 0; i < s->n; i++)
        LABELS_EACH (l, s->v[i])
            str_map_put(&names, l->name, c);
    v = arena_array(c->a, names.used, sizeof(*v));
    MAP_EACH (struct str_map_entry, e, &names)
        v[n++] = e->key;
    hit = str_nearest(label, v, n);
    g = lint_expr_report(c, x,
                         arena_printf(c->a, "no series %s has a label \"%.*s\" in %.*s", where,
                                      STR(label), STR(lint_samples_from(c->set->samples)))
                             .p);
    if (hit != NULL)
        diag_help(c->d, g, "did you mean \"%.*s\"?", STR(*hit));
    else
        diag_help(c->d, g, "unless the scrape adds it, it is empty for all");
    str_map_release(&names);
}

static bool see_lost_label(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    struct label_sets s;

    if (x->kind == PROMQL_AGGREGATE && !x->aggregate.is_without && x->aggregate.n_labels != 0) {
        s = sets_of(c, x->aggregate.expr);
        for (size_t i = 0; i < x->aggregate.n_labels; i++)
            see_lost(c, x, &s, x->aggregate.labels[i], "of this aggregation");
    }
    if (is_vector_join(x) && x->binary.matching->is_on)
        for (int side = 0; side < 2; side++) {
            s = sets_of(c, side == 0 ? x->binary.lhs : x->binary.rhs);
            for (size_t i = 0; i < x->binary.matching->n_labels; i++)
                see_lost(c, x, &s, x->binary.matching->labels[i],
                         side == 0 ? "on the left" : "on the right");
        }
    return true;
}

void lint_lost_labels(struct lint_expr_check *c)
{
    promql_walk(c->root, see_lost_label, c);
}
