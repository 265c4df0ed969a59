/* The type check: every node gets its type from below, the first node whose parts do not fit is the error.
 *
 *     sum(rate(x[5m])) > bool 1      selector: vector, range: matrix, rate(): vector, sum(): vector, 1: scalar
 */
#include "promql/parse.h"

#include <stdio.h>
#include "codec/quote.h"

static bool type_expect(struct promql_parser *p, struct promql_expr *x, enum promql_type wanted,
                        const char *context, const char *function)
{
    char quoted[80] = "";

    if (!promql_check_types(p, x))
        return false;
    if (x->type == wanted)
        return true;
    if (function != NULL)
        snprintf(quoted, sizeof(quoted), " \"%s\"", function);
    return promql_fail(p, x->at, x->end, "expected type %s in %s%s, got %s",
                       promql_type_text(wanted), context, quoted,
                       promql_type_text(x->type)) != NULL;
}

static bool type_is_plain(const struct promql_expr *x)
{
    return x->type == PROMQL_T_SCALAR || x->type == PROMQL_T_VECTOR;
}

/* -- selectors -- */

static bool name_is_twice(struct promql_parser *p, const struct promql_expr *x, str a, str b)
{
    struct buf q = BUF_INIT;

    quote_go(&q, a);
    buf_adds(&q, " or ");
    quote_go(&q, b);
    promql_fail(p, x->at, x->end, "metric name must not be set twice: %.*s", STR(buf_str(&q)));
    buf_release(&q);
    return false;
}

static bool check_selector(struct promql_parser *p, struct promql_expr *x)
{
    const struct matchers *ms = &x->selector.matchers;
    const struct matcher *named = NULL;
    bool is_selective = x->selector.may_match_all;

    x->type = PROMQL_T_VECTOR;
    for (size_t i = 0; i < ms->n; i++) {
        const struct matcher *m = &ms->v[i];
        bool is_outside = x->selector.name.n != 0 && i + 1 == ms->n;

        is_selective |= is_outside || !matcher_matches_empty(m);
        if (!str_is(m->name, "__name__"))
            continue;
        /* A name before the braces stands alone; several inside only when they are no equalities. */
        if (is_outside && named != NULL)
            return name_is_twice(p, x, m->value, ms->v[named - ms->v].value);
        if (m->op == MATCH_EQ && named != NULL && named->op == MATCH_EQ)
            return name_is_twice(p, x, named->value, m->value);
        if (named == NULL || named->op != MATCH_EQ)
            named = m;
    }
    if (is_selective)
        return true;
    return promql_fail(p, x->at, x->end,
                       "vector selector must contain at least one non-empty matcher") != NULL;
}

/* -- calls -- */

static bool type_check_count(struct promql_parser *p, const struct promql_expr *x)
{
    const struct promql_function *f = x->call.fn;
    size_t wanted = (size_t)f->n_args, got = x->call.n_args;
    const char *how = "";

    if (f->variadic == 0) {
        if (got == wanted)
            return true;
    } else {
        size_t least = wanted - 1, most = least + (f->variadic > 0 ? (size_t)f->variadic : got);

        if (got >= least && got <= most)
            return true;
        how = got < least ? "at least " : "at most ";
        wanted = got < least ? least : most;
    }
    return promql_fail(p, x->at, x->end, "expected %s%zu argument(s) in call to \"%s\", got %zu",
                       how, wanted, f->name, got) != NULL;
}

static bool check_call(struct promql_parser *p, struct promql_expr *x)
{
    const struct promql_function *f = x->call.fn;

    x->type = f->type;
    if (!type_check_count(p, x))
        return false;
    for (size_t i = 0; i < x->call.n_args; i++) {
        size_t k = i < (size_t)f->n_args ? i : (size_t)f->n_args - 1;

        if (!type_expect(p, x->call.args[i], f->args[k], "call to function", f->name))
            return false;
    }
    return true;
}

static bool check_aggregate(struct promql_parser *p, struct promql_expr *x)
{
    x->type = PROMQL_T_VECTOR;
    return type_expect(p, x->aggregate.expr, PROMQL_T_VECTOR, "aggregation expression", NULL) &&
           (x->aggregate.param == NULL ||
            type_expect(p, x->aggregate.param, promql_agg_info(x->aggregate.op)->param,
                        "aggregation parameter", NULL));
}

/* -- operators -- */

static bool check_labels(struct promql_parser *p, struct promql_expr *x)
{
    const struct promql_matching *m = x->binary.matching;

    for (size_t i = 0; m->is_on && i < m->n_labels; i++)
        for (size_t j = 0; j < m->n_include; j++)
            if (str_eq(m->labels[i], m->include[j]))
                return promql_fail(p, x->binary.op_at, x->binary.op_end,
                                   "label \"%.*s\" must not occur in ON and GROUP clause at once",
                                   STR(m->labels[i])) != NULL;
    return true;
}

/* The rules for how the two sides find each other. */
static bool check_matching(struct promql_parser *p, struct promql_expr *x)
{
    const struct promql_matching *m = x->binary.matching;
    const struct promql_op_info *op = promql_op_info(x->binary.op);
    bool both = x->binary.lhs->type == PROMQL_T_VECTOR && x->binary.rhs->type == PROMQL_T_VECTOR;
    const char *why = NULL;

    if (!both && m->n_labels != 0)
        why = "vector matching only allowed between instant vectors";
    else if (!both && (m->fills_left || m->fills_right))
        why = "filling in missing series only allowed between instant vectors";
    else if (op->is_set && (m->fills_left || m->fills_right))
        why = "filling in missing series not allowed for set operators";
    if (why != NULL)
        return promql_fail(p, x->at, x->end, "%s", why) != NULL;
    if (!both && op->is_set)
        return promql_fail(p, x->at, x->end,
                           "set operator \"%s\" not allowed in binary scalar expression",
                           op->text) != NULL;
    if (op->is_set && m->card != PROMQL_ONE_TO_ONE)
        return promql_fail(p, x->at, x->end, "no grouping allowed for \"%s\" operation",
                           op->text) != NULL;
    if (op->is_set) {
        struct promql_matching *many = arena_copy(p->a, m, 1, 1, sizeof(*m));

        many->card = PROMQL_MANY_TO_MANY;
        x->binary.matching = many;
    }
    if (!both)
        x->binary.matching = &promql_matching_any;
    return true;
}

static bool check_binary(struct promql_parser *p, struct promql_expr *x)
{
    struct promql_expr *lhs = x->binary.lhs, *rhs = x->binary.rhs;
    const struct promql_op_info *op = promql_op_info(x->binary.op);
    const char *why = NULL;

    if (!promql_check_types(p, lhs) || !promql_check_types(p, rhs))
        return false;
    x->type = lhs->type == PROMQL_T_SCALAR && rhs->type == PROMQL_T_SCALAR ? PROMQL_T_SCALAR
                                                                           : PROMQL_T_VECTOR;
    if (x->binary.is_bool && !op->is_comparison)
        why = "bool modifier can only be used on comparison operators";
    else if (op->is_comparison && !x->binary.is_bool && x->type == PROMQL_T_SCALAR)
        why = "comparisons between scalars must use BOOL modifier";
    if (why != NULL)
        return promql_fail(p, x->binary.op_at, x->binary.op_end, "%s", why) != NULL;
    if (!check_labels(p, x))
        return false;
    if (!type_is_plain(lhs) || !type_is_plain(rhs)) {
        const struct promql_expr *bad = type_is_plain(lhs) ? rhs : lhs;

        return promql_fail(p, bad->at, bad->end,
                           "binary expression must contain only scalar and instant vector types") !=
               NULL;
    }
    return check_matching(p, x);
}

static bool check_unary(struct promql_parser *p, struct promql_expr *x)
{
    struct promql_expr *operand = x->unary.expr;

    if (!promql_check_types(p, operand))
        return false;
    x->type = operand->type;
    return type_is_plain(operand) ||
           promql_fail(p, x->at, x->end,
                       "unary expression only allowed on expressions of type scalar or instant "
                       "vector, got \"%s\"",
                       promql_type_text(operand->type)) != NULL;
}

static bool check_subquery(struct promql_parser *p, struct promql_expr *x)
{
    x->type = PROMQL_T_MATRIX;
    if (!promql_check_types(p, x->subquery.expr))
        return false;
    return x->subquery.expr->type == PROMQL_T_VECTOR ||
           promql_fail(p, x->at, x->end,
                       "subquery is only allowed on instant vector, got %s instead",
                       promql_type_short(x->subquery.expr->type)) != NULL;
}

bool promql_check_types(struct promql_parser *p, struct promql_expr *x)
{
    switch (x->kind) {
    case PROMQL_NUMBER: x->type = PROMQL_T_SCALAR; return true;
    case PROMQL_TEXT: x->type = PROMQL_T_STRING; return true;
    case PROMQL_SELECTOR: return check_selector(p, x);
    case PROMQL_RANGE: x->type = PROMQL_T_MATRIX; return check_selector(p, x->range.selector);
    case PROMQL_SUBQUERY: return check_subquery(p, x);
    case PROMQL_CALL: return check_call(p, x);
    case PROMQL_AGGREGATE: return check_aggregate(p, x);
    case PROMQL_UNARY: return check_unary(p, x);
    case PROMQL_BINARY: return check_binary(p, x);
    case PROMQL_PAREN: break;
    }
    if (!promql_check_types(p, x->inner))
        return false;
    x->type = x->inner->type;
    return true;
}
