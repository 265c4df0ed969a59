#include "promql/kernel_pair.h"

#include "model/histogram_math.h"
#include "model/histogram_trim.h"

static struct promql_outcome kernel_pair_kept(struct arena *a, struct histogram h)
{
    struct histogram *copy = arena_new(a, struct histogram);

    *copy = h;
    return (struct promql_outcome){.h = copy, .keep = true};
}

static const struct promql_outcome wrong_types = {.mismatch = PROMQL_WRONG_TYPES};

static struct promql_outcome histogram_and_float(enum promql_op op, const struct histogram *h,
                                                 double v, struct arena *a)
{
    struct histogram result;

    switch (op) {
    case PROMQL_MUL: result = histogram_mul(a, h, v); break;
    case PROMQL_DIV: result = histogram_div(a, h, v); break;
    case PROMQL_TRIM_UPPER: return kernel_pair_kept(a, histogram_below(a, h, v));
    case PROMQL_TRIM_LOWER: return kernel_pair_kept(a, histogram_above(a, h, v));
    default: return wrong_types;
    }
    return kernel_pair_kept(a, histogram_compact(a, &result, 0));
}

static struct promql_outcome combined(bool is_sub, const struct histogram *x,
                                      const struct histogram *y, struct arena *a)
{
    struct promql_outcome out;
    struct histogram result;
    unsigned got = is_sub ? histogram_sub(a, x, y, &result) : histogram_add(a, x, y, &result);

    if (got & HISTOGRAM_INCOMPATIBLE)
        return (struct promql_outcome){.mismatch = PROMQL_WRONG_BUCKETS};
    out = kernel_pair_kept(a, histogram_compact(a, &result, 0));
    if (got & HISTOGRAM_COLLISION)
        out.notes |= is_sub ? NOTE_COLLISION_SUB : NOTE_COLLISION_ADD;
    if (got & HISTOGRAM_RECONCILED)
        out.notes |= is_sub ? NOTE_RECONCILED_SUB : NOTE_RECONCILED_ADD;
    return out;
}

static struct promql_outcome two_histograms(enum promql_op op, const struct histogram *x,
                                            const struct histogram *y, struct arena *a)
{
    switch (op) {
    case PROMQL_ADD: return combined(false, x, y, a);
    case PROMQL_SUB: return combined(true, x, y, a);
    case PROMQL_EQ: return (struct promql_outcome){.h = x, .keep = histogram_eq(x, y)};
    case PROMQL_NE: return (struct promql_outcome){.h = x, .keep = !histogram_eq(x, y)};
    default: return wrong_types;
    }
}

struct promql_outcome promql_pair(enum promql_op op, struct promql_operand a,
                                  struct promql_operand b, struct arena *arena)
{
    struct promql_outcome out = {.mismatch = PROMQL_FITS};

    if (a.h != NULL && b.h != NULL)
        return two_histograms(op, a.h, b.h, arena);
    if (a.h != NULL)
        return histogram_and_float(op, a.h, b.v, arena);
    if (b.h != NULL)
        return op == PROMQL_MUL ? histogram_and_float(op, b.h, a.v, arena) : wrong_types;
    out.v = promql_binary(op, a.v, b.v, &out.keep);
    if (op == PROMQL_TRIM_UPPER || op == PROMQL_TRIM_LOWER)
        return wrong_types;
    return out;
}
