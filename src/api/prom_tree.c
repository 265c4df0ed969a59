/* /api/v1/parse_query: an expression as a tree, with the names that Prometheus gives to its nodes. A duration that is
 * computed (5m + step()) stands as 0. */
#include "api/prom.h"

#include "codec/float.h"

static void prom_tree_put_list(struct json_writer *w, const char *key, const str *v, size_t n)
{
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < n; i++)
        json_put_str(w, v[i]);
    json_close(w, ']');
}

static void put_child(struct json_writer *w, const char *key, const struct promql_expr *x)
{
    json_key(w, str_of(key));
    if (x != NULL)
        prom_put_expr(w, x);
    else
        json_put_null(w);
}

static void put_ms(struct json_writer *w, const char *key, dur_ns d)
{
    json_key(w, str_of(key));
    json_put_i64(w, d / NS_PER_MS);
}

static void put_shift(struct json_writer *w, const struct promql_shift *s)
{
    put_ms(w, "offset", s->offset.ns);
    json_key(w, S("timestamp"));
    if (s->at == PROMQL_AT_TIME)
        json_put_i64(w, s->at_time);
    else
        json_put_null(w);
    json_key(w, S("startOrEnd"));
    if (s->at == PROMQL_AT_START || s->at == PROMQL_AT_END)
        json_put_str(w, s->at == PROMQL_AT_START ? S("start") : S("end"));
    else
        json_put_null(w);
}

static void put_selector(struct json_writer *w, const struct promql_selector *s)
{
    static const char *const ops[] = {
        [MATCH_EQ] = "=", [MATCH_NE] = "!=", [MATCH_RE] = "=~", [MATCH_NRE] = "!~"};

    json_put_text(w, "name", s->name);
    json_key(w, S("matchers"));
    json_open(w, '[');
    for (size_t i = 0; i < s->matchers.n; i++) {
        const struct matcher *m = &s->matchers.v[i];

        json_open(w, '{');
        json_put_text(w, "name", m->name);
        json_put_text(w, "value", m->value);
        json_put_text(w, "type", str_of(ops[m->op]));
        json_close(w, '}');
    }
    json_close(w, ']');
    put_shift(w, &s->shift);
}

static void put_function(struct json_writer *w, const struct promql_function *fn)
{
    json_open(w, '{');
    json_put_text(w, "name", str_of(fn->name));
    json_key(w, S("argTypes"));
    json_open(w, '[');
    for (int i = 0; i < fn->n_args; i++)
        json_put_str(w, str_of(promql_type_short(fn->args[i])));
    json_close(w, ']');
    json_key(w, S("variadic"));
    json_put_i64(w, fn->variadic);
    json_put_text(w, "returnType", str_of(promql_type_short(fn->type)));
    json_close(w, '}');
}

static void put_call(struct json_writer *w, const struct promql_expr *x)
{
    json_key(w, S("func"));
    put_function(w, x->call.fn);
    json_key(w, S("args"));
    json_open(w, '[');
    for (size_t i = 0; i < x->call.n_args; i++)
        prom_put_expr(w, x->call.args[i]);
    json_close(w, ']');
}

static void put_aggregate(struct json_writer *w, const struct promql_expr *x)
{
    json_put_text(w, "op", str_of(promql_agg_info(x->aggregate.op)->name));
    put_child(w, "expr", x->aggregate.expr);
    put_child(w, "param", x->aggregate.param);
    prom_tree_put_list(w, "grouping", x->aggregate.labels, x->aggregate.n_labels);
    json_key(w, S("without"));
    json_put_bool(w, x->aggregate.is_without);
}

/* Only between two vectors does anything match. */
static void put_matching(struct json_writer *w, const struct promql_expr *x)
{
    static const char *const cards[] = {[PROMQL_ONE_TO_ONE] = "one-to-one",
                                        [PROMQL_MANY_TO_ONE] = "many-to-one",
                                        [PROMQL_ONE_TO_MANY] = "one-to-many",
                                        [PROMQL_MANY_TO_MANY] = "many-to-many"};
    const struct promql_matching *m = x->binary.matching;

    json_key(w, S("matching"));
    if (x->binary.lhs->type != PROMQL_T_VECTOR || x->binary.rhs->type != PROMQL_T_VECTOR) {
        json_put_null(w);
        return;
    }
    json_open(w, '{');
    json_put_text(w, "card", str_of(cards[m->card]));
    prom_tree_put_list(w, "labels", m->labels, m->n_labels);
    json_key(w, S("on"));
    json_put_bool(w, m->is_on);
    prom_tree_put_list(w, "include", m->include, m->n_include);
    json_close(w, '}');
}

static void put_binary(struct json_writer *w, const struct promql_expr *x)
{
    json_put_text(w, "op", str_of(promql_op_info(x->binary.op)->text));
    put_child(w, "lhs", x->binary.lhs);
    put_child(w, "rhs", x->binary.rhs);
    put_matching(w, x);
    json_key(w, S("bool"));
    json_put_bool(w, x->binary.is_bool);
}

static void prom_tree_put_number(struct json_writer *w, double v)
{
    struct buf b = BUF_INIT;

    float_print_shortest(&b, v);
    json_put_text(w, "val", buf_str(&b));
    buf_release(&b);
}

static void put_members(struct json_writer *w, const struct promql_expr *x)
{
    switch (x->kind) {
    case PROMQL_NUMBER: prom_tree_put_number(w, x->number.v); break;
    case PROMQL_TEXT: json_put_text(w, "val", x->text); break;
    case PROMQL_SELECTOR: put_selector(w, &x->selector); break;
    case PROMQL_RANGE:
        put_ms(w, "range", x->range.length.ns);
        put_selector(w, &x->range.selector->selector);
        break;
    case PROMQL_SUBQUERY:
        put_child(w, "expr", x->subquery.expr);
        put_ms(w, "range", x->subquery.length.ns);
        put_ms(w, "step", x->subquery.step.ns);
        put_shift(w, &x->subquery.shift);
        break;
    case PROMQL_CALL: put_call(w, x); break;
    case PROMQL_AGGREGATE: put_aggregate(w, x); break;
    case PROMQL_UNARY:
        json_put_text(w, "op", x->unary.is_minus ? S("-") : S("+"));
        put_child(w, "expr", x->unary.expr);
        break;
    case PROMQL_BINARY: put_binary(w, x); break;
    case PROMQL_PAREN: put_child(w, "expr", x->inner); break;
    }
}

void prom_put_expr(struct json_writer *w, const struct promql_expr *x)
{
    static const char *const types[] = {
        [PROMQL_NUMBER] = "numberLiteral",    [PROMQL_TEXT] = "stringLiteral",
        [PROMQL_SELECTOR] = "vectorSelector", [PROMQL_RANGE] = "matrixSelector",
        [PROMQL_SUBQUERY] = "subquery",       [PROMQL_CALL] = "call",
        [PROMQL_AGGREGATE] = "aggregation",   [PROMQL_UNARY] = "unaryExpr",
        [PROMQL_BINARY] = "binaryExpr",       [PROMQL_PAREN] = "parenExpr",
    };

    json_open(w, '{');
    json_put_text(w, "type", str_of(types[x->kind]));
    put_members(w, x);
    json_close(w, '}');
}
