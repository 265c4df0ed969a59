#include "promql/promql.h"

#define ROOM_WITH(member)                                                                          \
    (offsetof(struct promql_expr, member) + sizeof(((struct promql_expr *)NULL)->member))

size_t promql_room(enum promql_kind kind)
{
    switch (kind) {
    case PROMQL_NUMBER: return ROOM_WITH(number);
    case PROMQL_TEXT: return ROOM_WITH(text);
    case PROMQL_SELECTOR: return ROOM_WITH(selector);
    case PROMQL_RANGE: return ROOM_WITH(range);
    case PROMQL_SUBQUERY: return ROOM_WITH(subquery);
    case PROMQL_CALL: return ROOM_WITH(call);
    case PROMQL_AGGREGATE: return ROOM_WITH(aggregate);
    case PROMQL_UNARY: return ROOM_WITH(unary);
    case PROMQL_PAREN: return ROOM_WITH(inner);
    case PROMQL_BINARY: break;
    }
    return ROOM_WITH(binary);
}

struct promql_expr *promql_copy_node(struct arena *a, const struct promql_expr *x)
{
    size_t room = promql_room(x->kind);

    return memcpy(arena_alloc(a, room), x, room);
}

struct promql_expr *promql_child(const struct promql_expr *x, size_t i)
{
    struct promql_expr *two[2] = {NULL, NULL};

    switch (x->kind) {
    case PROMQL_RANGE: two[0] = x->range.selector; break;
    case PROMQL_SUBQUERY: two[0] = x->subquery.expr; break;
    case PROMQL_CALL: return i < x->call.n_args ? x->call.args[i] : NULL;
    case PROMQL_AGGREGATE:
        two[0] = x->aggregate.param != NULL ? x->aggregate.param : x->aggregate.expr;
        two[1] = x->aggregate.param != NULL ? x->aggregate.expr : NULL;
        break;
    case PROMQL_UNARY: two[0] = x->unary.expr; break;
    case PROMQL_BINARY:
        two[0] = x->binary.lhs;
        two[1] = x->binary.rhs;
        break;
    case PROMQL_PAREN: two[0] = x->inner; break;
    default: break;
    }
    return i < 2 ? two[i] : NULL;
}

void promql_walk(struct promql_expr *x, promql_visit *visit, void *arg)
{
    struct promql_expr *child;

    if (!visit(x, arg))
        return;
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        promql_walk(child, visit, arg);
}

str promql_selector_metric(const struct promql_selector *s)
{
    for (size_t i = 0; i < s->matchers.n; i++)
        if (s->matchers.v[i].op == MATCH_EQ && str_is(s->matchers.v[i].name, "__name__"))
            return s->matchers.v[i].value;
    return STR_NONE;
}

static bool release_one(struct promql_expr *x, void *arg)
{
    (void)arg;
    if (x->kind == PROMQL_SELECTOR)
        matchers_release(&x->selector.matchers);
    return true;
}

void promql_release(struct promql_expr *x)
{
    if (x != NULL)
        promql_walk(x, release_one, NULL);
}

struct promql_expr *promql_unwrap(const struct promql_expr *x)
{
    while (x->kind == PROMQL_PAREN)
        x = x->inner;
    return (struct promql_expr *)x;
}
