/* Operators with a scalar on one side or both. */
#include "promql/eval_pair.h"

void promql_note_outcome(struct promql_eval *ev, const struct promql_expr *x,
                         struct promql_operand a, struct promql_operand b,
                         const struct promql_outcome *o)
{
    const char *op = promql_op_info(x->binary.op)->text;

    promql_notes_add(&ev->notes, o->notes, STR_NONE, x->at);
    if (o->mismatch == PROMQL_WRONG_TYPES)
        promql_note(&ev->notes, false, x->at,
                    "incompatible sample types encountered for binary operator \"%s\": %s %s %s",
                    op, a.h != NULL ? "histogram" : "float", op,
                    b.h != NULL ? "histogram" : "float");
    if (o->mismatch == PROMQL_WRONG_BUCKETS)
        promql_note(&ev->notes, true, x->at,
                    "incompatible bucket layout encountered for binary operator %s", op);
}

bool promql_apply_bool(const struct promql_expr *x, struct promql_outcome *o)
{
    if (x->binary.is_bool && o->mismatch == PROMQL_FITS)
        *o = (struct promql_outcome){.v = o->keep ? 1 : 0, .keep = true, .notes = o->notes};
    return o->keep;
}

bool promql_drops_name(const struct promql_expr *x)
{
    return x->binary.is_bool || x->binary.op <= PROMQL_ATAN2;
}

static bool two_scalars(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out)
{
    enum promql_op op = x->binary.op;
    double a, b;
    bool keep;

    if (op == PROMQL_TRIM_UPPER || op == PROMQL_TRIM_LOWER)
        return promql_fail_eval(ev, "operator \"%s\" not allowed for Scalar operations",
                                promql_op_info(op)->text);
    if (!promql_eval_scalar(ev, x->binary.lhs, t, &a) ||
        !promql_eval_scalar(ev, x->binary.rhs, t, &b))
        return false;
    a = promql_binary(op, a, b, &keep);
    promql_push(ev, out, (struct promql_sample){.v = !x->binary.is_bool ? a : keep ? 1 : 0});
    return true;
}

/* A comparison keeps the vector's value, on whichever side the scalar is. */
static bool scalar_and_vector(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                              struct promql_vector *out)
{
    bool is_left = x->binary.lhs->type == PROMQL_T_SCALAR;
    bool is_filter = promql_op_info(x->binary.op)->is_comparison;
    const struct promql_expr *vector = is_left ? x->binary.rhs : x->binary.lhs;
    const struct promql_expr *scalar = is_left ? x->binary.lhs : x->binary.rhs;
    struct promql_vector v;
    double number;

    if (!promql_eval_vector(ev, vector, t, &v) || !promql_eval_scalar(ev, scalar, t, &number))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        struct promql_sample s = v.v[i];
        struct promql_operand own = {s.v, s.h}, other = {number, NULL};
        struct promql_operand a = is_left ? other : own, b = is_left ? own : other;
        struct promql_outcome o = promql_pair(x->binary.op, a, b, ev->a);

        promql_note_outcome(ev, x, a, b, &o);
        if (!promql_apply_bool(x, &o))
            continue;
        if (!is_filter || x->binary.is_bool) {
            s.v = o.v;
            s.h = o.h;
        }
        s.drops_name |= promql_drops_name(x);
        promql_push(ev, out, s);
    }
    return true;
}

static bool two_vectors(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out)
{
    struct promql_vector lhs, rhs;

    if (!promql_eval_vector(ev, x->binary.lhs, t, &lhs) ||
        !promql_eval_vector(ev, x->binary.rhs, t, &rhs))
        return false;
    return promql_op_info(x->binary.op)->is_set ? promql_eval_set(ev, x, &lhs, &rhs, out)
                                                : promql_eval_match(ev, x, &lhs, &rhs, out);
}

bool promql_eval_binary(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out)
{
    bool is_left = x->binary.lhs->type == PROMQL_T_SCALAR,
         is_right = x->binary.rhs->type == PROMQL_T_SCALAR;

    if (is_left && is_right)
        return two_scalars(ev, x, t, out);
    return is_left || is_right ? scalar_and_vector(ev, x, t, out) : two_vectors(ev, x, t, out);
}
