/* Tables: what follows from the labels of the series alone. They are derived when the set of series has changed; until
 * then no label is looked at to compute a value.
 *
 * A node is static when its rows cannot clash: dropping names must not make two rows one, and a label that a join copies
 * must come from one possible partner. What is not static is left to the plain evaluator.
 */
#include "promql/plan_priv.h"

#include <stdlib.h>
#include "promql/eval_pair.h"

/* -- rows -- */

static struct plan_row plan_tables_drop(struct promql_plan *p, struct plan_row r, bool drops,
                                        struct arena *a)
{
    r.drops_name |= drops;
    if (!p->set.delayed_names && r.drops_name) {
        r.labels = promql_nameless(a, r.labels);
        r.drops_name = false;
    }
    return r;
}

static struct plan_row series_row(struct promql_plan *p, const struct plan_node *n, size_t row,
                                  struct arena *a)
{
    return (struct plan_row){storage_labels(p->storage, n->selector->ids.v[row], a), false};
}

/* The many side of a join; the right one with group_right. */
static bool is_swapped(const struct plan_node *n)
{
    return n->x->binary.matching->card == PROMQL_ONE_TO_MANY;
}

static struct plan_row join_row(struct promql_plan *p, const struct plan_node *n, size_t row,
                                struct arena *a)
{
    const struct plan_node *many = is_swapped(n) ? n->b : n->a, *one = is_swapped(n) ? n->a : n->b;
    const uint32_t *group_of = is_swapped(n) ? n->group_of_b : n->group_of;
    struct plan_row m = plan_row(p, many, row, a), o = {LABELS_NONE, false};
    bool is_filter = n->x->binary.op > PROMQL_ATAN2;

    if (n->x->binary.matching->n_include != 0 && n->partner[group_of[row]] != PLAN_NO_ROW)
        o = plan_row(p, one, n->partner[group_of[row]], a);
    m.labels = promql_join_labels(n->x, p->set.delayed_names, m.labels, o.labels, a);
    m.drops_name = n->x->binary.is_bool || (m.drops_name && is_filter);
    return plan_tables_drop(p, m, false, a);
}

static struct plan_row fold_row(struct promql_plan *p, const struct plan_node *n, size_t row,
                                struct arena *a)
{
    struct plan_row r = plan_row(p, n->a, n->first[row], a);

    r.labels = promql_pick(&n->names, r.labels, a);
    return r;
}

static struct plan_row relabelled_row(struct promql_plan *p, const struct plan_node *n, size_t row,
                                      struct arena *a)
{
    struct plan_row r = plan_row(p, n->a, row, a);

    if (n->values[row].p != NULL)
        r.labels = promql_relabelled(n->x, n->values[row], r.labels, &r.drops_name, a);
    return r;
}

struct plan_row plan_row(struct promql_plan *p, const struct plan_node *n, size_t row,
                         struct arena *a)
{
    switch (n->kind) {
    case PLAN_INSTANT: return series_row(p, n, row, a);
    case PLAN_TIMES:
    case PLAN_RANGE: return plan_tables_drop(p, series_row(p, n, row, a), n->drops_name, a);
    case PLAN_MATH:
    case PLAN_TUNED:
    case PLAN_SIGN:
    case PLAN_SCALAR: return plan_tables_drop(p, plan_row(p, n->a, row, a), n->drops_name, a);
    case PLAN_SET:
        return row < n->a->n ? plan_row(p, n->a, row, a) : plan_row(p, n->b, row - n->a->n, a);
    case PLAN_FOLD: return fold_row(p, n, row, a);
    case PLAN_RELABEL: return relabelled_row(p, n, row, a);
    case PLAN_QUANTILE: return plan_tables_drop(p, plan_bucket_row(p, n, row, a), n->drops_name, a);
    case PLAN_JOIN: break;
    }
    return join_row(p, n, row, a);
}

/* Whether no two rows have the same labels, by their hashes: that two label sets share 64 bits is taken for a clash, and
 * the plain evaluator finds that it is none. */
static bool are_distinct(struct promql_plan *p, const struct plan_node *n)
{
    size_t mask = 1, slot;
    uint64_t *seen, h;
    struct arena a;
    bool clash = false;

    while (mask < 2 * n->n)
        mask *= 2;
    seen = mem_array(mask--, sizeof(*seen));
    arena_init(&a, 0);
    for (size_t i = 0; !clash && i < n->n; i++) {
        arena_reset(&a);
        h = labels_hash(plan_row(p, n, i, &a).labels) | 1; /* 0 is an empty slot */
        for (slot = h & mask; seen[slot] != 0 && seen[slot] != h; slot = (slot + 1) & mask)
            ;
        clash = seen[slot] == h;
        seen[slot] = h;
    }
    mem_free(seen);
    arena_release(&a);
    return !clash;
}

struct labels plan_view(struct arena *a, struct labels ls)
{
    struct label *v = arena_alloc(a, ls.n * sizeof(*v));

    if (ls.n != 0)
        memcpy(v, ls.v, ls.n * sizeof(*v));
    return (struct labels){v, ls.n};
}

uint32_t plan_number(struct label_sets *seen, struct labels key, struct arena *views)
{
    uint32_t *at = label_sets_get(seen, key);

    return at != NULL ? *at : *label_sets_put(seen, plan_view(views, key), (uint32_t)seen->n);
}

/* -- groups -- */

/* Groups are numbered as their first rows come. False: members disagree about dropping the name. */
static bool make_groups(struct promql_plan *p, struct plan_node *n)
{
    VEC(uint32_t) first = VEC_INIT;
    VEC(bool) drops = VEC_INIT;
    struct label_sets seen = {0};
    struct arena a, views;
    bool agree = true;

    n->fold_of = mem_resize(n->fold_of, n->a->n, sizeof(n->fold_of[0]));
    n->is_in_turn = true;
    arena_init(&a, 0);
    arena_init(&views, 0);
    for (size_t i = 0; i < n->a->n; i++) {
        struct plan_row row;
        uint32_t at;

        arena_reset(&a);
        row = plan_row(p, n->a, i, &a);
        at = plan_number(&seen, promql_pick(&n->names, row.labels, &a), &views);
        if (at == first.n) {
            vec_push(&first, (uint32_t)i);
            vec_push(&drops, row.drops_name);
        }
        assume(drops.v != NULL);
        agree &= drops.v[at] == row.drops_name;
        n->fold_of[i] = at;
        n->is_in_turn &= at + 1 == first.n;
    }
    n->n = first.n;
    n->fold_of = mem_resize(n->fold_of, n->a->n + n->n, sizeof(n->fold_of[0]));
    n->first = n->fold_of + n->a->n;
    if (n->n != 0)
        memcpy(n->first, first.v, n->n * sizeof(n->first[0]));
    vec_release(&first);
    vec_release(&drops);
    label_sets_release(&seen);
    arena_release(&a);
    arena_release(&views);
    return agree;
}

/* -- joins -- */

static void sign_rows(struct promql_plan *p, const struct plan_node *side,
                      const struct promql_names *names, uint32_t *out, struct label_sets *seen,
                      struct arena *views)
{
    struct arena a;

    arena_init(&a, 0);
    for (size_t i = 0; i < side->n; i++) {
        arena_reset(&a);
        out[i] = plan_number(seen, promql_pick(names, plan_row(p, side, i, &a).labels, &a), views);
    }
    arena_release(&a);
}

/* Fills partner with the only row of the one side; false: there may be several. */
static bool one_partner(struct plan_node *n)
{
    const struct plan_node *one = is_swapped(n) ? n->a : n->b;
    const uint32_t *group_of = is_swapped(n) ? n->group_of : n->group_of_b;

    for (size_t i = 0; i < n->n_groups; i++)
        n->partner[i] = PLAN_NO_ROW;
    for (size_t i = 0; i < one->n; i++) {
        if (n->partner[group_of[i]] != PLAN_NO_ROW)
            return false;
        n->partner[group_of[i]] = (uint32_t)i;
    }
    return true;
}

static void sign_sides(struct promql_plan *p, struct plan_node *n)
{
    size_t rows = n->a->n + n->b->n;
    struct label_sets seen = {0};
    struct promql_names names;
    struct arena views;

    arena_init(&views, 0);
    names = promql_signature_names(n->x->binary.matching, &views);
    n->group_of = mem_resize(n->group_of, rows, sizeof(n->group_of[0]));
    sign_rows(p, n->a, &names, n->group_of, &seen, &views);
    sign_rows(p, n->b, &names, n->group_of + n->a->n, &seen, &views);
    n->n_groups = seen.n;
    label_sets_release(&seen);
    arena_release(&views);
    n->group_of =
        mem_resize(n->group_of, rows + n->n_groups + (n->n_groups + 3) / 4, sizeof(n->group_of[0]));
    n->group_of_b = n->group_of + n->a->n;
    n->partner = n->group_of + rows;
    n->is_taken = (uint8_t *)(n->partner + n->n_groups);
}

static bool make_join(struct promql_plan *p, struct plan_node *n)
{
    const struct promql_matching *m = n->x->binary.matching;

    sign_sides(p, n);
    if (n->kind == PLAN_SET) {
        /* rows of both sides that have the same labels have the same signature, too: one of them has a value */
        n->n = n->a->n + (n->x->binary.op == PROMQL_OR ? n->b->n : 0);
        return true;
    }
    n->n = is_swapped(n) ? n->b->n : n->a->n;
    if (m->n_include != 0 && !one_partner(n))
        return false;
    return m->card == PROMQL_ONE_TO_ONE || are_distinct(p, n);
}

/* -- label_replace, label_join -- */

static bool make_values(struct promql_plan *p, struct plan_node *n)
{
    struct promql_relabel r;
    struct arena a, groups;
    str value = STR_NONE;

    n->n = n->a->n;
    n->values = mem_resize(n->values, n->n, sizeof(n->values[0]));
    arena_release(&n->texts);
    arena_init_small(&n->texts, 0);
    arena_init(&groups, 0);
    arena_init(&a, 0);
    promql_relabel_begin(&r, n->x, n->re, &groups);
    for (size_t i = 0; i < n->n; i++) {
        arena_reset(&a);
        n->values[i] = STR_NONE;
        if (promql_relabel_value(&r, plan_row(p, n->a, i, &a).labels, &value))
            n->values[i] = i != 0 && n->values[i - 1].p != NULL && str_eq(n->values[i - 1], value)
                               ? n->values[i - 1]
                               : arena_str(&n->texts, value);
    }
    promql_relabel_end(&r);
    arena_release(&a);
    arena_release(&groups);
    return are_distinct(p, n);
}

/* -- counters that do not look like any -- */

static void odd_rows(struct plan_node *n)
{
    n->odds = mem_new(struct plan_odds);
    arena_init_small(&n->odds->a, 0);
    n->odds->of = mem_array(n->n, sizeof(n->odds->of[0]));
    memset(n->odds->of, 0xff, n->n * sizeof(n->odds->of[0])); /* PLAN_NO_ROW */
}

void plan_free_odds(struct plan_odds *o)
{
    if (o == NULL)
        return;
    mem_free(o->of);
    vec_release(&o->odd);
    arena_release(&o->a);
    mem_free(o);
}

static void find_odd(struct promql_plan *p, struct plan_node *n)
{
    static const str names[] = {S_INIT("__name__"), S_INIT("__type__")};
    struct label_sets seen = {0};
    struct arena a;

    plan_free_odds(n->odds);
    n->odds = NULL;
    if (!promql_kernel_of(n->x->call.fn)->wants_counter)
        return;
    arena_init(&a, 0);
    for (size_t i = 0; i < n->n; i++) {
        struct labels ls, key;
        uint32_t at;

        arena_reset(&a);
        ls = series_row(p, n, i, &a).labels;
        if (!promql_is_odd_counter(&p->set, ls))
            continue;
        key = labels_only(&a, ls, names, ARRAY_LEN(names));
        if (n->odds == NULL)
            odd_rows(n);
        at = plan_number(&seen, key, &n->odds->a);
        if (at == n->odds->odd.n)
            vec_push(&n->odds->odd, (struct plan_odd){labels_copy(&n->odds->a, key), false});
        n->odds->of[i] = at;
    }
    arena_release(&a);
    label_sets_release(&seen);
}

/* -- all of a node -- */

static bool drops_names(const struct plan_node *n)
{
    switch (n->kind) {
    case PLAN_RANGE: return !promql_kernel_of(n->x->call.fn)->keeps_name;
    case PLAN_TIMES:
    case PLAN_MATH:
    case PLAN_TUNED:
    case PLAN_SIGN:
    case PLAN_QUANTILE: return true;
    case PLAN_SCALAR: return promql_drops_name(n->x);
    default: return false;
    }
}

/* Of thousands of rules with a few series only those of one group have columns at a time; the pages of a long one would be
 * faulted in anew each span. */
static void drop_column(struct plan_node *n)
{
    enum { FEW_ROWS = 64 };

    if (n->keeps_column)
        mem_free(n->col);
    n->col = NULL;
    n->keeps_column = n->n > FEW_ROWS;
}

static bool make_tables(struct promql_plan *p, struct plan_node *n)
{
    n->drops_name = drops_names(n);
    switch (n->kind) {
    case PLAN_INSTANT:
    case PLAN_TIMES: n->n = n->selector->ids.n; break;
    case PLAN_RANGE:
        n->n = n->selector->ids.n;
        find_odd(p, n);
        break;
    case PLAN_MATH:
    case PLAN_TUNED:
    case PLAN_SIGN:
    case PLAN_SCALAR: n->n = n->a->n; break;
    case PLAN_FOLD:
        if (!make_groups(p, n))
            return false;
        break;
    case PLAN_QUANTILE: plan_make_buckets(p, n); break;
    case PLAN_RELABEL:
        if (!make_values(p, n))
            return false;
        break;
    case PLAN_JOIN:
    case PLAN_SET:
        if (!make_join(p, n))
            return false;
        break;
    }
    return p->set.delayed_names || !n->drops_name || are_distinct(p, n);
}

bool plan_tables(struct promql_plan *p, struct plan_node *n)
{
    uint32_t a, b;

    if ((n->a != NULL && !plan_tables(p, n->a)) || (n->b != NULL && !plan_tables(p, n->b)))
        return false;
    a = n->a != NULL ? n->a->version : n->selector->version;
    b = n->b != NULL ? n->b->version : 1;
    if (n->seen_a == a && n->seen_b == b)
        return n->is_static;
    n->seen_a = a;
    n->seen_b = b;
    n->version++;
    n->is_static = make_tables(p, n);
    drop_column(n);
    return n->is_static;
}
