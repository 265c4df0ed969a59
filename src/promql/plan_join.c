/* Two columns into one: rows find each other by the signatures that the tables hold. */
#include "promql/plan_priv.h"

/* -- set operators: values of any type pass as they are -- */

static void mark(struct plan_node *n, const struct plan_node *side, const uint32_t *group_of)
{
    memset(n->is_taken, 0, n->n_groups);
    for (size_t i = 0; i < side->n; i++)
        n->is_taken[group_of[i]] |= side->col->has[i] != PLAN_NONE;
}

/* Rows of side whose signature is taken, or is not, from row `at` on. */
static void plan_join_take_rows(struct plan_node *n, const struct plan_node *side,
                                const uint32_t *group_of, bool wanted, size_t at)
{
    const struct plan_column *in = side->col;
    struct plan_column *c = n->col;

    for (size_t i = 0; i < side->n; i++) {
        bool takes = in->has[i] != PLAN_NONE && (n->is_taken[group_of[i]] != 0) == wanted;

        c->has[at + i] = takes ? in->has[i] : PLAN_NONE;
        c->v[at + i] = in->v[i];
        c->present += takes;
    }
}

bool plan_set(struct plan_node *n)
{
    if (n->a->col->h != NULL || n->b->col->h != NULL)
        return false;
    n->col->present = 0;
    if (n->x->binary.op != PROMQL_OR) {
        mark(n, n->b, n->group_of_b);
        plan_join_take_rows(n, n->a, n->group_of, n->x->binary.op == PROMQL_AND, 0);
        return true;
    }
    memcpy(n->col->v, n->a->col->v, n->a->n * sizeof(n->col->v[0]));
    memcpy(n->col->has, n->a->col->has, n->a->n);
    n->col->present = n->a->col->present;
    mark(n, n->a, n->group_of);
    plan_join_take_rows(n, n->b, n->group_of_b, false, n->a->n);
    return true;
}

/* -- arithmetic and comparisons -- */

struct sides {
    const struct plan_node *many, *one;
    const uint32_t *many_of, *one_of;
    bool is_swapped; /* the left side is the one side */
};

static struct sides sides_of(const struct plan_node *n)
{
    if (n->x->binary.matching->card == PROMQL_ONE_TO_MANY)
        return (struct sides){n->b, n->a, n->group_of_b, n->group_of, true};
    return (struct sides){n->a, n->b, n->group_of, n->group_of_b, false};
}

static bool find_partners(struct plan_node *n, const struct sides *s)
{
    if (n->x->binary.matching->n_include != 0)
        return true; /* rows have the labels of the only possible one, whether it has a value or not */
    memset(n->partner, 0xff, n->n_groups * sizeof(n->partner[0])); /* PLAN_NO_ROW */
    for (size_t i = 0; i < s->one->n; i++) {
        uint32_t *at = &n->partner[s->one_of[i]];

        if (s->one->col->has[i] == PLAN_NONE)
            continue;
        if (*at != PLAN_NO_ROW)
            return false;
        *at = (uint32_t)i;
    }
    return true;
}

/* False: a signature stands twice on a side that must have it once. */
static bool pair_rows(struct plan_node *n, const struct sides *s)
{
    bool is_one_to_one = n->x->binary.matching->card == PROMQL_ONE_TO_ONE;
    bool is_bool = n->x->binary.is_bool;
    bool is_fixed = n->x->binary.matching->n_include != 0; /* the partner may have no value */
    const struct plan_column *many = s->many->col, *one = s->one->col;
    struct plan_column *c = n->col;

    for (size_t i = 0; i < s->many->n; i++) {
        uint32_t group = s->many_of[i], partner = n->partner[group];
        double own = many->v[i], other, v;
        bool keep;

        c->has[i] = PLAN_NONE;
        if (many->has[i] == PLAN_NONE || partner == PLAN_NO_ROW ||
            (is_fixed && one->has[partner] == PLAN_NONE))
            continue;
        if (is_one_to_one && n->is_taken[group]++ != 0)
            return false;
        other = one->v[partner];
        v = promql_binary(n->x->binary.op, s->is_swapped ? other : own, s->is_swapped ? own : other,
                          &keep);
        c->v[i] = is_bool ? (keep ? 1 : 0) : v;
        c->has[i] = keep || is_bool ? PLAN_FLOAT : PLAN_NONE;
        c->present += keep || is_bool;
    }
    return true;
}

bool plan_join(struct plan_node *n)
{
    struct sides s = sides_of(n);

    if (s.many->col->h != NULL || s.one->col->h != NULL)
        return false;
    n->col->present = 0;
    memset(n->is_taken, 0, n->n_groups);
    if (s.many->col->present != 0 && s.one->col->present != 0)
        return find_partners(n, &s) && pair_rows(n, &s);
    memset(n->col->has, PLAN_NONE, n->n);
    return true;
}
