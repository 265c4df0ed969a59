/* Series selectors, and the lists of labels behind by, on, ignoring, group_left. */
#include "promql/parse.h"

#include "base/utf8.h"
#include "codec/quote.h"

/* -- strings -- */

static bool fail_unquoting(struct promql_parser *p, const struct promql_token *t, const char *why)
{
    return promql_fail(p, t->at, t->end, "error unquoting string: %s", why) != NULL;
}

bool promql_unquote_bytes(struct promql_parser *p, const struct promql_token *t, str *out)
{
    str s = promql_token_text(p, t), body = str_sub(s, 1, s.n - 1);
    struct err why = ERR_INIT;

    if (!utf8_is_valid(body))
        return fail_unquoting(p, t, "invalid UTF-8");
    if (str_starts_with(s, S("`"))) {
        *out = body;
        return true;
    }
    return unquote_go_bytes(p->a, body, out, &why) || fail_unquoting(p, t, why.msg);
}

bool promql_unquote(struct promql_parser *p, const struct promql_token *t, str *out)
{
    return promql_unquote_bytes(p, t, out) &&
           (utf8_is_valid(*out) || fail_unquoting(p, t, "string is not valid UTF-8"));
}

/* -- lists of labels -- */

static bool is_label_word(const struct promql_token *t)
{
    return t->kind == TOK_IDENT || t->kind == TOK_METRIC || t->kind == TOK_AGG ||
           t->kind >= TOK_OFFSET || (t->kind == TOK_OP && t->sub >= PROMQL_AND) ||
           (t->kind == TOK_OP && t->sub == PROMQL_ATAN2);
}

static bool parse_label(struct promql_parser *p, str *out)
{
    if (p->tok->kind == TOK_STRING) {
        if (!promql_unquote(p, p->tok, out))
            return false;
        if (!label_name_is_utf8(*out)) {
            struct buf q = BUF_INIT;

            quote_go(&q, *out);
            promql_fail(p, p->tok->at, p->tok->end, "invalid label name for grouping: %.*s",
                        STR(buf_str(&q)));
            buf_release(&q);
            return false;
        }
        return true;
    }
    *out = promql_token_text(p, p->tok);
    if (!is_label_word(p->tok) || !label_name_is_legacy(*out))
        return promql_unexpected(p, "grouping opts", "label") != NULL;
    return true;
}

bool promql_parse_grouping(struct promql_parser *p, str **labels, size_t *n)
{
    VEC(str) v = VEC_INIT;
    bool ok = true;

    if (!promql_accept(p, TOK_LPAREN))
        return promql_unexpected(p, "grouping opts", "\"(\"") != NULL;
    while (ok && p->tok->kind != TOK_RPAREN) {
        str label = STR_NONE;

        ok = parse_label(p, &label);
        if (!ok)
            break;
        vec_push(&v, label);
        p->tok++;
        if (!promql_accept(p, TOK_COMMA) && p->tok->kind != TOK_RPAREN)
            ok = promql_unexpected(p, "grouping opts", "\",\" or \")\"") != NULL;
    }
    if (ok) {
        p->tok++;
        *labels = arena_copy(p->a, v.v, v.n, v.n + 1, sizeof(str));
        *n = v.n;
    }
    vec_release(&v);
    return ok;
}

/* -- matching of a binary operator -- */

static bool parse_signed_number(struct promql_parser *p, double *out)
{
    bool is_minus = p->tok->kind == TOK_OP && p->tok->sub == PROMQL_SUB;

    if (is_minus || (p->tok->kind == TOK_OP && p->tok->sub == PROMQL_ADD))
        p->tok++;
    if (p->tok->kind != TOK_NUMBER && p->tok->kind != TOK_DURATION)
        return promql_unexpected(p, "", "") != NULL;
    if (!promql_parse_number(p, p->tok, out))
        return false;
    p->tok++;
    if (is_minus)
        *out = -*out;
    return true;
}

static bool parse_fill(struct promql_parser *p, struct promql_matching *m)
{
    while (p->tok->kind >= TOK_FILL && p->tok->kind <= TOK_FILL_RIGHT) {
        const struct promql_token *t = p->tok;
        bool is_left = t->kind != TOK_FILL_RIGHT, is_right = t->kind != TOK_FILL_LEFT;
        double v;

        if (!p->o->fill_modifiers)
            return promql_fail(p, t->at, t->end,
                               "binop fill modifiers are experimental and not enabled") != NULL;
        if ((is_left && m->fills_left) || (is_right && m->fills_right))
            return promql_unexpected(p, "", "") != NULL;
        p->tok += 2; /* the lexer makes it a keyword only before a parenthesis */
        if (!parse_signed_number(p, &v))
            return false;
        if (!promql_accept(p, TOK_RPAREN))
            return promql_unexpected(p, "", "") != NULL;
        if (is_left)
            m->fill_left = v;
        if (is_right)
            m->fill_right = v;
        m->fills_left |= is_left;
        m->fills_right |= is_right;
    }
    return true;
}

const struct promql_matching promql_matching_any = {.card = PROMQL_ONE_TO_ONE};

static bool parse_matching(struct promql_parser *p, struct promql_matching *m)
{
    if (p->tok->kind == TOK_ON || p->tok->kind == TOK_IGNORING) {
        m->is_on = p->tok++->kind == TOK_ON;
        if (!promql_parse_grouping(p, &m->labels, &m->n_labels))
            return false;
        if (p->tok->kind == TOK_GROUP_LEFT || p->tok->kind == TOK_GROUP_RIGHT) {
            m->card = p->tok++->kind == TOK_GROUP_LEFT ? PROMQL_MANY_TO_ONE : PROMQL_ONE_TO_MANY;
            if (p->tok->kind == TOK_LPAREN && !promql_parse_grouping(p, &m->include, &m->n_include))
                return false;
        }
    }
    return parse_fill(p, m);
}

bool promql_parse_matching(struct promql_parser *p, struct promql_expr *x)
{
    const struct promql_token *begin;
    struct promql_matching m = promql_matching_any;

    x->binary.is_bool = promql_accept(p, TOK_BOOL);
    begin = p->tok;
    if (!parse_matching(p, &m))
        return false;
    x->binary.matching =
        p->tok != begin ? arena_copy(p->a, &m, 1, 1, sizeof(m)) : &promql_matching_any;
    return true;
}

/* -- selectors -- */

struct matcher_list {
    struct matcher *v;
    size_t n, cap;
};

static bool add_matcher(struct promql_parser *p, struct matcher_list *out, enum match_op op,
                        str name, str value, const struct promql_token *at)
{
    struct matcher m = {.op = op, .name = name, .value = value};
    struct err why = ERR_INIT;

    if (op == MATCH_RE || op == MATCH_NRE) {
        m.re = regex_compile(value, REGEX_ANCHORED | REGEX_DOTALL, &why);
        if (m.re == NULL)
            return promql_fail(p, at->at, at->end, "%s", why.msg) != NULL;
        vec_push(&p->regexes, m.re);
    }
    vec_push(out, m);
    return true;
}

static bool match_op_of(const struct promql_token *t, enum match_op *op)
{
    switch (t->kind) {
    case TOK_ASSIGN: *op = MATCH_EQ; return true;
    case TOK_MATCHES: *op = MATCH_RE; return true;
    case TOK_MATCHES_NO: *op = MATCH_NRE; return true;
    case TOK_OP: *op = MATCH_NE; return t->sub == PROMQL_NE;
    default: return false;
    }
}

/* a="b", "a b"="c", or the name of the metric in quotes. */
static bool selector_parse_matcher(struct promql_parser *p, struct matcher_list *out)
{
    const struct promql_token *first = p->tok;
    enum match_op op;
    str name = STR_NONE, value = STR_NONE;

    if (first->kind == TOK_STRING) {
        if (!promql_unquote(p, first, &name))
            return false;
    } else if (first->kind == TOK_IDENT)
        name = promql_token_text(p, first);
    else
        return promql_unexpected(p, "label matching", "identifier or \"}\"") != NULL;
    p->tok++;
    if (first->kind == TOK_STRING && (p->tok->kind == TOK_COMMA || p->tok->kind == TOK_RBRACE))
        return add_matcher(p, out, MATCH_EQ, S("__name__"), name, first);
    if (!match_op_of(p->tok, &op))
        return promql_unexpected(p, "label matching", "label matching operator") != NULL;
    p->tok++;
    if (p->tok->kind != TOK_STRING)
        return promql_unexpected(p, "label matching", "string") != NULL;
    if (!promql_unquote(p, p->tok, &value) || !add_matcher(p, out, op, name, value, first))
        return false;
    p->tok++;
    return true;
}

/* From the opening brace on; *end: behind the closing one. */
static bool selector_parse_matchers(struct promql_parser *p, struct matcher_list *out,
                                    uint32_t *end)
{
    p->tok++;
    while (p->tok->kind != TOK_RBRACE) {
        if (!selector_parse_matcher(p, out))
            return false;
        if (!promql_accept(p, TOK_COMMA) && p->tok->kind != TOK_RBRACE)
            return promql_unexpected(p, "label matching", "\",\" or \"}\"") != NULL;
    }
    *end = p->tok->end;
    p->tok++;
    return true;
}

struct promql_expr *promql_parse_selector(struct promql_parser *p, bool has_name)
{
    const struct promql_token *t = p->tok;
    struct promql_expr *x = promql_node(p, PROMQL_SELECTOR, t->at, t->end);
    struct promql_selector *s = &x->selector;
    struct matcher_list list = {0};
    bool ok = true;

    if (has_name) {
        s->name = promql_token_text(p, t);
        p->tok++;
    }
    if (p->tok->kind == TOK_LBRACE)
        ok = selector_parse_matchers(p, &list, &x->end);
    if (ok && has_name)
        ok = add_matcher(p, &list, MATCH_EQ, S("__name__"), s->name, t);
    if (ok) {
        s->matchers.v = arena_copy(p->a, list.v, list.n, list.n, sizeof(list.v[0]));
        s->matchers.n = list.n;
    }
    vec_release(&list);
    return ok ? promql_close(p, x) : NULL;
}
