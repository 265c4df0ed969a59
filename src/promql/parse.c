/* A Pratt parser: an operand, then operators for as long as they bind tighter than the one to the left.
 *
 *     a + b * c ^ -d        parse_expr(0): a, then + (4) whose right side is parse_expr(5):
 *                           b, then * (5) whose right side is parse_expr(6):
 *                           c, then ^ (6, right) whose right side is parse_expr(6): -d
 *
 * The unary signs bind like a product, so their operand is parse_expr(6): -1^2 is -(1^2), -a*b is (-a)*b. What stands
 * behind an operand (offset, @, [...]) binds tightest. Recursion and the height of the tree have the same limit: a
 * long chain of operators makes a high tree without recursion.
 */
#include "promql/parse.h"

enum { LENGTH_MAX = 256 << 10, DEPTH_MAX = 400 };

const struct promql_options promql_defaults = {0};
const struct promql_options promql_everything = {
    .experimental_functions = true, .extended_ranges = true, .fill_modifiers = true};

/* -- failing -- */

static void set_place(struct promql_parser *p, uint32_t at, uint32_t end)
{
    p->place = (struct promql_place){at, end > at ? end - at : 0};
    if (p->e == NULL)
        return;
    p->e->line = p->e->col = 1;
    for (uint32_t i = 0; i < at && i < p->text.n; i++) {
        p->e->col++;
        if (p->text.p[i] == '\n') {
            p->e->line++;
            p->e->col = 1;
        }
    }
}

void *promql_fail(struct promql_parser *p, uint32_t at, uint32_t end, const char *fmt, ...)
{
    struct buf b = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&b, fmt, ap);
    va_end(ap);
    err_set(p->e, ERR_INVALID, "%.*s", STR(buf_str(&b)));
    buf_release(&b);
    set_place(p, at, end);
    return NULL;
}

void *promql_fail_deep(struct promql_parser *p)
{
    err_set(p->e, ERR_LIMIT, "expression is nested more than %u deep", p->max_depth);
    set_place(p, p->tok->at, p->tok->end);
    return NULL;
}

void *promql_unexpected(struct promql_parser *p, const char *context, const char *expected)
{
    struct buf b = BUF_INIT;

    if (context[0] == '\0' && p->aggregations != 0)
        context = "aggregation";
    if (p->tok->kind != TOK_ERROR)
        buf_adds(&b, "unexpected ");
    promql_token_describe(&b, p->tok, p->text);
    if (p->tok->kind != TOK_ERROR && context[0] != '\0')
        buf_addf(&b, " in %s", context);
    if (p->tok->kind != TOK_ERROR && expected[0] != '\0')
        buf_addf(&b, ", expected %s", expected);
    promql_fail(p, p->tok->at, p->tok->end, "%.*s", STR(buf_str(&b)));
    buf_release(&b);
    return NULL;
}

/* -- tokens and nodes -- */

str promql_token_text(const struct promql_parser *p, const struct promql_token *t)
{
    return str_sub(p->text, t->at, t->end);
}

bool promql_accept(struct promql_parser *p, enum promql_token_kind kind)
{
    if (p->tok->kind != kind)
        return false;
    p->tok++;
    return true;
}

struct promql_expr *promql_node(struct promql_parser *p, enum promql_kind kind, uint32_t at,
                                uint32_t end)
{
    struct promql_expr *x = arena_zalloc(p->a, promql_room(kind));

    x->kind = kind;
    x->id = p->n_nodes++;
    x->at = at;
    x->end = end;
    return x;
}

struct promql_expr *promql_close(struct promql_parser *p, struct promql_expr *x)
{
    const struct promql_expr *child;

    x->depth = 1;
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        if (child->depth >= x->depth)
            x->depth = child->depth + 1;
    return x->depth > p->max_depth ? promql_fail_deep(p) : x;
}

/* -- operands -- */

static struct promql_expr *parse_number(struct promql_parser *p)
{
    struct promql_expr *x = promql_node(p, PROMQL_NUMBER, p->tok->at, p->tok->end);

    x->number.is_duration = p->tok->kind == TOK_DURATION;
    if (!promql_parse_number(p, p->tok, &x->number.v))
        return NULL;
    p->tok++;
    return promql_close(p, x);
}

static struct promql_expr *parse_text(struct promql_parser *p)
{
    struct promql_expr *x = promql_node(p, PROMQL_TEXT, p->tok->at, p->tok->end);

    if (!promql_unquote_bytes(p, p->tok, &x->text))
        return NULL;
    p->tok++;
    return promql_close(p, x);
}

static struct promql_expr *parse_paren(struct promql_parser *p)
{
    struct promql_expr *x = promql_node(p, PROMQL_PAREN, p->tok->at, 0);

    p->tok++;
    x->inner = promql_parse_expr(p, 0);
    if (x->inner == NULL)
        return NULL;
    if (p->tok->kind != TOK_RPAREN)
        return promql_unexpected(p, "", "");
    x->end = p->tok++->end;
    return promql_close(p, x);
}

static struct promql_expr *parse_unary(struct promql_parser *p)
{
    const struct promql_token *sign = p->tok++;
    bool is_minus = sign->sub == PROMQL_SUB;
    struct promql_expr *operand = promql_parse_expr(p, PROMQL_PREC_POWER), *x;

    if (operand == NULL)
        return NULL;
    if (operand->kind == PROMQL_NUMBER) {
        operand->at = sign->at;
        if (is_minus)
            operand->number.v = -operand->number.v;
        return operand;
    }
    x = promql_node(p, PROMQL_UNARY, sign->at, operand->end);
    x->unary.is_minus = is_minus;
    x->unary.expr = operand;
    return promql_close(p, x);
}

static bool is_by(const struct promql_token *t)
{
    return t->kind == TOK_BY || t->kind == TOK_WITHOUT;
}

/* A keyword that may stand for a metric, when nothing behind it says otherwise. */
static bool is_metric_word(const struct promql_token *t)
{
    if (t->kind == TOK_OP)
        return t->sub == PROMQL_AND || t->sub == PROMQL_OR || t->sub == PROMQL_UNLESS;
    return t->kind == TOK_IDENT || t->kind == TOK_METRIC || t->kind == TOK_AGG ||
           t->kind == TOK_OFFSET || is_by(t) ||
           (t->kind >= TOK_FILL && t->kind <= TOK_FILL_RIGHT) ||
           (t->kind >= TOK_START && t->kind <= TOK_MIN_OF);
}

static bool is_call(const struct promql_token *t)
{
    bool is_name = t->kind == TOK_IDENT || t->kind == TOK_MAX_OF || t->kind == TOK_MIN_OF ||
                   (t->kind >= TOK_START && t->kind <= TOK_RANGE);

    return is_name && t[1].kind == TOK_LPAREN;
}

/* Whether an operand can begin here. An error is left to whoever tries. */
static bool starts_operand(const struct promql_token *t)
{
    bool is_sign = t->kind == TOK_OP && (t->sub == PROMQL_ADD || t->sub == PROMQL_SUB);

    return is_sign || is_metric_word(t) || is_call(t) || t->kind == TOK_NUMBER ||
           t->kind == TOK_DURATION || t->kind == TOK_STRING || t->kind == TOK_LPAREN ||
           t->kind == TOK_LBRACE || t->kind == TOK_ERROR;
}

struct args {
    struct promql_expr **v;
    size_t n, cap;
};

/* From the opening parenthesis on; *end: behind the closing one. */
static bool parse_args(struct promql_parser *p, struct args *args, uint32_t *end)
{
    p->tok++;
    while (p->tok->kind != TOK_RPAREN) {
        struct promql_expr *x = promql_parse_expr(p, 0);

        if (x == NULL)
            return false;
        vec_push(args, x);
        if (p->tok->kind == TOK_RPAREN)
            break;
        if (!promql_accept(p, TOK_COMMA))
            return promql_unexpected(p, "", "") != NULL;
        if (!starts_operand(p->tok))
            return promql_fail(p, p->tok[-1].at, p->tok[-1].end,
                               "trailing commas not allowed in function call args") != NULL;
    }
    *end = p->tok->end;
    p->tok++;
    return true;
}

/* info(v, {...}): the braces are no selector of their own, so they may match everything. */
static bool check_info(struct promql_parser *p, struct promql_expr *x)
{
    struct promql_expr *second = x->call.n_args == 2 ? x->call.args[1] : NULL;

    if (second == NULL || strcmp(x->call.fn->name, "info") != 0)
        return true;
    if (second->kind == PROMQL_NUMBER || second->kind == PROMQL_TEXT)
        return true; /* the type check has better words */
    if (second->kind != PROMQL_SELECTOR)
        return promql_fail(p, second->at, second->end, "expected label selectors only") != NULL;
    if (second->selector.name.n != 0)
        return promql_fail(p, second->at, second->end,
                           "expected label selectors only, got vector selector instead") != NULL;
    second->selector.may_match_all = true;
    return true;
}

static struct promql_expr *parse_call(struct promql_parser *p)
{
    const struct promql_token *name = p->tok++;
    str text = promql_token_text(p, name);
    struct promql_expr *x = promql_node(p, PROMQL_CALL, name->at, 0);
    struct args args = {0};
    bool ok = parse_args(p, &args, &x->end);

    if (ok) {
        x->call.fn = promql_function_find(text);
        x->call.args = arena_copy(p->a, args.v, args.n, args.n + 1, sizeof(args.v[0]));
        x->call.n_args = args.n;
    }
    vec_release(&args);
    if (!ok)
        return NULL;
    if (x->call.fn == NULL)
        return promql_fail(p, name->at, name->end, "unknown function with name \"%.*s\"",
                           STR(text));
    if (x->call.fn->is_experimental && !p->o->experimental_functions)
        return promql_fail(p, name->at, name->end, "function \"%.*s\" is not enabled", STR(text));
    return check_info(p, x) ? promql_close(p, x) : NULL;
}

static bool parse_by(struct promql_parser *p, struct promql_expr *x)
{
    x->aggregate.is_without = p->tok->kind == TOK_WITHOUT;
    p->tok++;
    return promql_parse_grouping(p, &x->aggregate.labels, &x->aggregate.n_labels);
}

static bool place_args(struct promql_parser *p, struct promql_expr *x, const struct args *args,
                       const struct promql_token *op)
{
    const struct promql_agg_info *info = promql_agg_info(x->aggregate.op);
    size_t wanted = info->has_param ? 2 : 1;

    if (args->n == 0)
        return promql_fail(p, x->at, x->end, "no arguments for aggregate expression provided") !=
               NULL;
    if (args->n != wanted)
        return promql_fail(p, x->at, x->end,
                           "wrong number of arguments for aggregate expression provided, "
                           "expected %zu, got %zu",
                           wanted, args->n) != NULL;
    if (info->is_experimental && !p->o->experimental_functions)
        return promql_fail(p, op->at, op->end,
                           "%s() is experimental and must be enabled with "
                           "--enable-feature=promql-experimental-functions",
                           info->name) != NULL;
    x->aggregate.param = wanted == 2 ? args->v[0] : NULL;
    x->aggregate.expr = args->v[args->n - 1];
    return true;
}

static struct promql_expr *parse_aggregate(struct promql_parser *p)
{
    const struct promql_token *op = p->tok++;
    struct promql_expr *x = promql_node(p, PROMQL_AGGREGATE, op->at, op->end);
    bool is_before = is_by(p->tok), ok;
    struct args args = {0};

    x->aggregate.op = (enum promql_agg)op->sub;
    p->aggregations++;
    if (is_before && !parse_by(p, x))
        return NULL;
    if (p->tok->kind != TOK_LPAREN)
        return promql_unexpected(p, "aggregation", "");
    ok = parse_args(p, &args, &x->end);
    p->aggregations--;
    if (ok && !is_before && is_by(p->tok)) {
        ok = parse_by(p, x);
        x->end = p->tok[-1].end;
    }
    ok = ok && place_args(p, x, &args, op);
    vec_release(&args);
    return ok ? promql_close(p, x) : NULL;
}

static struct promql_expr *parse_operand(struct promql_parser *p)
{
    const struct promql_token *t = p->tok;

    switch (t->kind) {
    case TOK_NUMBER:
    case TOK_DURATION: return parse_number(p);
    case TOK_STRING: return parse_text(p);
    case TOK_LPAREN: return parse_paren(p);
    case TOK_LBRACE: return promql_parse_selector(p, false);
    case TOK_AGG:
        if (t[1].kind == TOK_LPAREN || is_by(&t[1]))
            return parse_aggregate(p);
        break;
    case TOK_OP:
        if (t->sub == PROMQL_ADD || t->sub == PROMQL_SUB)
            return parse_unary(p);
        break;
    default: break;
    }
    if (is_call(t))
        return parse_call(p);
    if (is_metric_word(t))
        return promql_parse_selector(p, true);
    return promql_unexpected(p, "", "");
}

/* -- operators -- */

static struct promql_expr *parse_binary(struct promql_parser *p, struct promql_expr *lhs)
{
    const struct promql_token *t = p->tok++;
    const struct promql_op_info *op = promql_op_info((enum promql_op)t->sub);
    struct promql_expr *x = promql_node(p, PROMQL_BINARY, lhs->at, 0);

    x->binary.op = (enum promql_op)t->sub;
    x->binary.lhs = lhs;
    x->binary.op_at = t->at;
    if (!promql_parse_matching(p, x))
        return NULL;
    x->binary.op_end = p->tok[-1].end;
    x->binary.rhs = promql_parse_expr(p, op->is_right ? op->precedence : op->precedence + 1);
    if (x->binary.rhs == NULL)
        return NULL;
    x->end = x->binary.rhs->end;
    return promql_close(p, x);
}

static struct promql_expr *parse_chain(struct promql_parser *p, int min_precedence)
{
    struct promql_expr *x = parse_operand(p);
    bool done = false;

    while (x != NULL && !done)
        x = promql_parse_modifier(p, x, &done);
    while (x != NULL && p->tok->kind == TOK_OP &&
           promql_op_info((enum promql_op)p->tok->sub)->precedence >= min_precedence)
        x = parse_binary(p, x);
    return x;
}

struct promql_expr *promql_parse_expr(struct promql_parser *p, int min_precedence)
{
    struct promql_expr *x;

    if (p->depth >= p->max_depth)
        return promql_fail_deep(p);
    p->depth++;
    x = parse_chain(p, min_precedence);
    p->depth--;
    return x;
}

/* -- entry -- */

static struct promql_expr *parse_parse_all(struct promql_parser *p)
{
    struct promql_expr *x;

    if (p->tok->kind == TOK_EOF)
        return promql_fail(p, 0, 0, "no expression found in input");
    x = promql_parse_expr(p, 0);
    if (x == NULL)
        return NULL;
    if (p->tok->kind != TOK_EOF)
        return promql_unexpected(p, "", "");
    return promql_check_types(p, x) ? x : NULL;
}

struct promql_expr *promql_parse(str text, const struct promql_options *o, struct arena *a,
                                 struct promql_place *place, struct err *e)
{
    struct promql_parser p = {.o = o, .a = a, .e = e};
    size_t max = o->max_length != 0 ? o->max_length : LENGTH_MAX;
    struct arena tokens;
    struct promql_expr *x;

    p.max_depth = o->max_depth != 0 ? o->max_depth : DEPTH_MAX;
    if (text.n > max) {
        err_set(e, ERR_LIMIT, "expression of %zu bytes, at most %zu are allowed", text.n, max);
        set_place(&p, 0, 0);
        if (place != NULL)
            *place = p.place;
        return NULL;
    }
    p.text = o->borrows_text ? text : arena_str(a, text);
    arena_init(&tokens, 0);
    p.scratch = &tokens;
    p.tok = promql_lex(p.text, &tokens);
    x = parse_parse_all(&p);
    arena_release(&tokens);
    for (size_t i = 0; x == NULL && i < p.regexes.n; i++)
        regex_unref(p.regexes.v[i]);
    vec_release(&p.regexes);
    if (x == NULL && place != NULL)
        *place = p.place;
    return x;
}

void promql_error_text(struct buf *out, const struct err *e)
{
    buf_addf(out, "%d:%d: parse error: %s", e->line, e->col, e->msg);
}
