/* Operators between two vectors: samples find each other by a signature, the labels that on() names or that ignoring()
 * leaves.
 *
 * One side is "one": each signature stands there once. The other is "many" (with group_left the left one); for a
 * one-to-one match each signature may stand there once, too. group_right is group_left with the sides exchanged, values
 * not:
 *
 *     requests / on(status) group_left limits
 *     one:   200 -> limits{200}, 500 -> limits{500}
 *     many:  requests{GET, 200} meets limits{200}, requests{POST, 200} as well
 */
#include "promql/eval_pair.h"

#include "base/vec.h"
#include "promql/matching.h"

/* -- set operators -- */

static void eval_match_index_all(struct promql_eval *ev, const struct promql_names *s,
                                 const struct promql_vector *v, struct label_sets *out)
{
    bool is_new;

    for (size_t i = 0; i < v->n; i++)
        label_sets_add(out, promql_pick(s, v->v[i].labels, ev->a), (uint32_t)i, &is_new);
}

bool promql_eval_set(struct promql_eval *ev, const struct promql_expr *x,
                     const struct promql_vector *lhs, const struct promql_vector *rhs,
                     struct promql_vector *out)
{
    struct promql_names s = promql_signature_names(x->binary.matching, ev->a);
    bool is_or = x->binary.op == PROMQL_OR, wanted = x->binary.op == PROMQL_AND;
    const struct promql_vector *known = is_or ? lhs : rhs, *asked = is_or ? rhs : lhs;
    struct label_sets index = {0};

    eval_match_index_all(ev, &s, known, &index);
    for (size_t i = 0; is_or && i < lhs->n; i++)
        promql_push(ev, out, lhs->v[i]);
    for (size_t i = 0; i < asked->n; i++) {
        struct labels sig = promql_pick(&s, asked->v[i].labels, ev->a);

        if ((label_sets_get(&index, sig) != NULL) == wanted)
            promql_push(ev, out, asked->v[i]);
    }
    label_sets_release(&index);
    return true;
}

/* -- matching -- */

struct eval_match_group {
    const struct promql_sample *one; /* NULL: only seen on the many side */
    struct labels signature;
    bool is_matched;
};

struct match {
    struct promql_eval *ev;
    const struct promql_expr *x;
    const struct promql_matching *how;
    struct promql_names s;
    bool is_swapped; /* group_right: the left side is "one" */
    struct label_sets by_signature;
    VEC(struct eval_match_group) groups;
    struct label_sets results; /* of a many-to-one match: labels seen, with their group */
    struct promql_operand note_a, note_b;
    struct promql_outcome note; /* the last one of the step that had something to say */
    struct promql_vector *out;
};

static bool fail_duplicate(struct match *m, struct labels a, struct labels b, struct labels sig)
{
    struct buf x = BUF_INIT, y = BUF_INIT, g = BUF_INIT;
    bool in_order;

    labels_print(&x, a);
    labels_print(&y, b);
    labels_print(&g, sig);
    in_order = str_cmp(buf_str(&x), buf_str(&y)) <= 0;
    promql_fail_eval(m->ev,
                     "found duplicate series for the match group %.*s on the %s hand-side of the "
                     "operation: [%.*s, %.*s];many-to-many matching not allowed: matching labels "
                     "must be unique on one side",
                     STR(buf_str(&g)), m->is_swapped ? "left" : "right",
                     STR(buf_str(in_order ? &x : &y)), STR(buf_str(in_order ? &y : &x)));
    buf_release(&x);
    buf_release(&y);
    buf_release(&g);
    return false;
}

static struct eval_match_group *eval_match_group_of(struct match *m, struct labels sig)
{
    bool is_new;
    uint32_t at = *label_sets_add(&m->by_signature, sig, (uint32_t)m->groups.n, &is_new);

    if (is_new)
        vec_push(&m->groups, (struct eval_match_group){.signature = sig});
    return &m->groups.v[at];
}

static bool index_one(struct match *m, const struct promql_vector *one)
{
    for (size_t i = 0; i < one->n; i++) {
        struct eval_match_group *g =
            eval_match_group_of(m, promql_pick(&m->s, one->v[i].labels, m->ev->a));

        if (g->one != NULL)
            return fail_duplicate(m, g->one->labels, one->v[i].labels, g->signature);
        g->one = &one->v[i];
    }
    return true;
}

static bool claim(struct match *m, struct eval_match_group *g, struct labels ls)
{
    uint32_t at = (uint32_t)(g - m->groups.v);
    bool is_new;

    if (m->how->card == PROMQL_ONE_TO_ONE) {
        if (g->is_matched)
            return promql_fail_eval(m->ev, "multiple matches for labels: many-to-one matching must "
                                           "be explicit (group_left/group_right)");
        g->is_matched = true;
        return true;
    }
    g->is_matched = true;
    if (*label_sets_add(&m->results, ls, at, &is_new) == at && !is_new)
        return promql_fail_eval(m->ev, "multiple matches for labels: grouping labels must ensure "
                                       "unique matches");
    return true;
}

static bool eval_match_join(struct match *m, struct eval_match_group *g,
                            const struct promql_sample *many, const struct promql_sample *one)
{
    struct labels ls =
        promql_join_labels(m->x, m->ev->set.delayed_names, many->labels, one->labels, m->ev->a);
    struct promql_operand x = {many->v, many->h}, y = {one->v, one->h};
    struct promql_operand a = m->is_swapped ? y : x, b = m->is_swapped ? x : y;
    struct promql_outcome o = promql_pair(m->x->binary.op, a, b, m->ev->a);

    if (!claim(m, g, ls))
        return false;
    if (o.notes != 0 || o.mismatch != PROMQL_FITS) {
        m->note = o;
        m->note_a = a;
        m->note_b = b;
    }
    if (!promql_apply_bool(m->x, &o))
        return true;
    promql_push(m->ev, m->out,
                (struct promql_sample){.labels = ls,
                                       .v = o.v,
                                       .h = o.h,
                                       .drops_name =
                                           m->x->binary.is_bool ||
                                           (many->drops_name && m->x->binary.op > PROMQL_ATAN2)});
    return true;
}

/* fill_right() makes up for a missing right side: with group_right, which exchanges the sides but not these values, for
 * a missing left one. */
static bool join_many(struct match *m, const struct promql_vector *many)
{
    for (size_t i = 0; i < many->n; i++) {
        struct eval_match_group *g;
        struct promql_sample filled;
        struct labels sig = promql_pick(&m->s, many->v[i].labels, m->ev->a);
        uint32_t *at = label_sets_get(&m->by_signature, sig);

        if (at == NULL && !m->how->fills_right)
            continue;
        g = eval_match_group_of(m, sig);
        filled = (struct promql_sample){.labels = g->signature, .v = m->how->fill_right};
        if (!eval_match_join(m, g, &many->v[i], g->one != NULL ? g->one : &filled))
            return false;
    }
    return true;
}

static bool join_unmatched(struct match *m)
{
    for (size_t i = 0; m->how->fills_left && i < m->groups.n; i++) {
        struct eval_match_group *g = &m->groups.v[i];
        struct promql_sample filled = {.labels = g->signature, .v = m->how->fill_left};

        if (!g->is_matched && !eval_match_join(m, g, &filled, g->one))
            return false;
    }
    return true;
}

bool promql_eval_match(struct promql_eval *ev, const struct promql_expr *x,
                       const struct promql_vector *lhs, const struct promql_vector *rhs,
                       struct promql_vector *out)
{
    struct match m = {.ev = ev, .x = x, .how = x->binary.matching, .out = out};
    bool fills = m.how->fills_left || m.how->fills_right, ok;

    if ((lhs->n == 0 && rhs->n == 0) || ((lhs->n == 0 || rhs->n == 0) && !fills))
        return true;
    m.is_swapped = m.how->card == PROMQL_ONE_TO_MANY;
    m.s = promql_signature_names(m.how, ev->a);
    ok = index_one(&m, m.is_swapped ? lhs : rhs) && join_many(&m, m.is_swapped ? rhs : lhs) &&
         join_unmatched(&m);
    if (ok)
        promql_note_outcome(ev, x, m.note_a, m.note_b, &m.note);
    label_sets_release(&m.by_signature);
    label_sets_release(&m.results);
    vec_release(&m.groups);
    return ok;
}
