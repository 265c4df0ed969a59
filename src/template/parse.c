/* Recursive descent. A fault sets failed and stops the lexer: every later token is the end of the text, so the functions
 * unwind without each asking. Variables live from their declaration to the end of the control that holds it: the parser
 * keeps a stack of names and cuts it back.
 *
 *     {{if $x := .A | len}}b{{end}}   gives   IF(pipe $x := [.A] [len], list(text b))
 */
#include "template/parse.h"

#include <limits.h>

#include "base/map.h"
#include "base/vec.h"
#include "codec/quote.h"
#include "template/constant.h"

enum { TREES_MAX = 10000, VARIABLES_MAX = 1000 };

struct parse_parser {
    struct arena *a;
    struct tmpl_lexer lex;
    str name, text;
    const struct tmpl_func *const *functions;
    VEC(str) vars;           /* those in sight, no name twice */
    struct str_map in_sight; /* the same by name */
    unsigned depth, range_depth;
    int action_line;
    struct tmpl_tree *trees;
    size_t n_trees;
    struct str_map named; /* the same by name */
    bool failed;
    struct err *e;
};

/* -- faults -- */

static int parse_column_of(str in, size_t pos)
{
    size_t begin = pos < in.n ? pos : in.n;

    while (begin > 0 && in.p[begin - 1] != '\n')
        begin--;
    return pos - begin < INT_MAX ? (int)(pos - begin) + 1 : 0;
}

static void parse_fail(struct parse_parser *p, const char *fmt, ...) printf_like(2, 3);
static void parse_fail(struct parse_parser *p, const char *fmt, ...)
{
    struct tmpl_token at = p->lex.token[0];
    int line = at.line;
    struct buf b = BUF_INIT;
    va_list ap;

    if (p->failed)
        return;
    p->failed = true;
    tmpl_lex_stop(&p->lex);
    va_start(ap, fmt);
    buf_vaddf(&b, fmt, ap);
    va_end(ap);
    err_at(p->e, line, parse_column_of(p->lex.in, at.pos), "template: %.*s:%d: %.*s", STR(p->name),
           line, STR(buf_str(&b)));
    buf_release(&b);
}

/* A token as messages show it: keywords in < >, long ones cut to ten runes. */
static str shown(struct parse_parser *p, struct tmpl_token t)
{
    struct buf b = BUF_INIT;
    str out;

    if (t.type == TOK_EOF)
        return S("EOF");
    if (t.type == TOK_ERROR)
        return t.text;
    if (t.type > TOK_KEYWORD)
        return arena_printf(p->a, "<%.*s>", STR(t.text));
    quote_go_cut(&b, t.text);
    out = arena_str(p->a, buf_str(&b));
    buf_release(&b);
    return out;
}

static void parse_unexpected(struct parse_parser *p, struct tmpl_token t, const char *context)
{
    str s = shown(p, t);

    if (t.type != TOK_ERROR)
        parse_fail(p, "unexpected %.*s in %s", STR(s), context);
    else if (p->action_line != 0 && p->action_line != t.line)
        parse_fail(p, "%.*s%s started at %.*s:%d", STR(s),
                   str_ends_with(s, S(" action")) ? "" : " in action", STR(p->name),
                   p->action_line);
    else
        parse_fail(p, "%.*s", STR(s));
}

static struct tmpl_token parse_expect(struct parse_parser *p, enum tmpl_token_type type,
                                      const char *context)
{
    struct tmpl_token t = tmpl_lex_next_solid(&p->lex);

    if (t.type != type)
        parse_unexpected(p, t, context);
    return t;
}

/* -- building -- */

static struct tmpl_node *node(struct parse_parser *p, enum tmpl_node_kind kind, struct tmpl_token t)
{
    struct tmpl_node *n = arena_new(p->a, struct tmpl_node);

    n->kind = kind;
    n->pos = t.pos;
    n->line = t.line;
    n->text = t.text;
    return n;
}

/* Room for one more of n elements: grows by doubling inside the arena. */
static void *one_more(struct parse_parser *p, const void *v, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0) /* full at 0, 1, 2, 4, 8 ... */
        return (void *)(uintptr_t)v;
    return arena_copy(p->a, v, n, n != 0 ? n * 2 : 1, size);
}

static void add_kid(struct parse_parser *p, struct tmpl_node *n, struct tmpl_node *kid)
{
    n->kids = one_more(p, n->kids, n->n_kids, sizeof(n->kids[0]));
    n->kids[n->n_kids++] = kid;
}

static void add_ident(struct parse_parser *p, struct tmpl_node *n, str ident)
{
    n->idents = one_more(p, n->idents, n->n_idents, sizeof(n->idents[0]));
    n->idents[n->n_idents++] = ident;
}

static bool deeper(struct parse_parser *p)
{
    if (++p->depth <= TMPL_NESTING)
        return true;
    parse_fail(p, "nested deeper than %d", TMPL_NESTING);
    if (p->e != NULL)
        p->e->code = ERR_LIMIT;
    return false;
}

static bool unquote(struct parse_parser *p, struct tmpl_token t, str *out)
{
    struct err why = ERR_INIT;

    if (tmpl_constant_text(p->a, t, out, &why))
        return true;
    parse_fail(p, "%s", why.msg);
    return false;
}

static struct tmpl_node *template_parse_number(struct parse_parser *p, struct tmpl_token t)
{
    struct tmpl_node *n = node(p, TN_NUMBER, t);
    struct err why = ERR_INIT;

    if (!tmpl_constant_number(p->a, t, n, &why))
        parse_fail(p, "%s", why.msg);
    return n;
}

static struct tmpl_node *pipeline(struct parse_parser *p, const char *context,
                                  enum tmpl_token_type end);
static struct tmpl_node *item_list(struct parse_parser *p, struct tmpl_node **end);

static bool is_in_sight(const struct parse_parser *p, str name)
{
    return str_map_find(&p->in_sight, name) != NULL;
}

static void see(struct parse_parser *p, str name)
{
    vec_push(&p->vars, name);
    (void)str_map_put(&p->in_sight, name, NULL);
}

static void see_no_more(struct parse_parser *p, size_t mark)
{
    while (p->vars.n > mark)
        str_map_del(&p->in_sight, p->vars.v[--p->vars.n]);
}

static struct tmpl_node *variable(struct parse_parser *p, struct tmpl_token t)
{
    struct tmpl_node *n = node(p, TN_VARIABLE, t);

    add_ident(p, n, t.text);
    if (!is_in_sight(p, t.text))
        parse_fail(p, "undefined variable \"%.*s\"", STR(t.text));
    return n;
}

static struct tmpl_node *identifier(struct parse_parser *p, struct tmpl_token t)
{
    for (const struct tmpl_func *const *table = p->functions; *table != NULL; table++) {
        const struct tmpl_func *f = tmpl_func_find(*table, t.text);

        if (f != NULL && f->params == NULL)
            parse_fail(p, "function \"%.*s\" is not available: %s", STR(t.text), f->doc);
        if (f != NULL)
            return node(p, TN_IDENTIFIER, t);
    }
    parse_fail(p, "function \"%.*s\" not defined", STR(t.text));
    return node(p, TN_IDENTIFIER, t);
}

static struct tmpl_node *term(struct parse_parser *p)
{
    struct tmpl_token t = tmpl_lex_next_solid(&p->lex);
    struct tmpl_node *n;

    switch (t.type) {
    case TOK_IDENTIFIER: return identifier(p, t);
    case TOK_DOT: return node(p, TN_DOT, t);
    case TOK_NIL: return node(p, TN_NIL, t);
    case TOK_VARIABLE: return variable(p, t);
    case TOK_FIELD:
        n = node(p, TN_FIELD, t);
        add_ident(p, n, str_sub(t.text, 1, t.text.n));
        return n;
    case TOK_BOOL:
        n = node(p, TN_BOOL, t);
        n->b = str_is(t.text, "true");
        return n;
    case TOK_CHAR_CONSTANT:
    case TOK_NUMBER: return template_parse_number(p, t);
    case TOK_LEFT_PAREN: return pipeline(p, "parenthesized pipeline", TOK_RIGHT_PAREN);
    case TOK_STRING:
    case TOK_RAW_STRING:
        n = node(p, TN_STRING, t);
        unquote(p, t, &n->value);
        return n;
    default: break;
    }
    tmpl_lex_backup(&p->lex);
    return NULL;
}

static struct tmpl_node *template_parse_operand(struct parse_parser *p)
{
    struct tmpl_node *n = term(p), *chain;

    if (n == NULL || tmpl_lex_peek(&p->lex).type != TOK_FIELD)
        return n;
    chain = n;
    if (n->kind != TN_FIELD && n->kind != TN_VARIABLE) {
        chain = node(p, TN_CHAIN, tmpl_lex_peek(&p->lex));
        chain->pipe = n;
    } else {
        n->pos = tmpl_lex_peek(&p->lex).pos;
    }
    while (tmpl_lex_peek(&p->lex).type == TOK_FIELD) {
        str name = tmpl_lex_next(&p->lex).text;

        add_ident(p, chain, str_sub(name, 1, name.n));
    }
    if (n->kind == TN_BOOL || n->kind == TN_STRING || n->kind == TN_NUMBER || n->kind == TN_NIL ||
        n->kind == TN_DOT) {
        struct buf b = BUF_INIT, q = BUF_INIT;

        tmpl_node_print(&b, n);
        quote_go(&q, buf_str(&b));
        parse_fail(p, "unexpected . after term %.*s", STR(buf_str(&q)));
        buf_release(&b);
        buf_release(&q);
    }
    return chain;
}

static struct tmpl_node *command(struct parse_parser *p)
{
    struct tmpl_node *c = node(p, TN_COMMAND, tmpl_lex_peek_solid(&p->lex));

    while (!p->failed) {
        struct tmpl_node *n;
        struct tmpl_token t;

        tmpl_lex_peek_solid(&p->lex);
        n = template_parse_operand(p);
        if (n != NULL)
            add_kid(p, c, n);
        t = tmpl_lex_next(&p->lex);
        if (t.type == TOK_SPACE)
            continue;
        if (t.type == TOK_RIGHT_DELIM || t.type == TOK_RIGHT_PAREN)
            tmpl_lex_backup(&p->lex);
        else if (t.type != TOK_PIPE)
            parse_unexpected(p, t, "operand");
        break;
    }
    if (c->n_kids == 0)
        parse_fail(p, "empty command");
    return c;
}

static void parse_check_pipeline(struct parse_parser *p, const struct tmpl_node *pipe,
                                 const char *context)
{
    if (pipe->n_kids == 0)
        parse_fail(p, "missing value for %s", context);
    for (size_t i = 1; i < pipe->n_kids && !p->failed; i++) {
        enum tmpl_node_kind kind = pipe->kids[i]->kids[0]->kind;

        if (kind == TN_BOOL || kind == TN_DOT || kind == TN_NIL || kind == TN_NUMBER ||
            kind == TN_STRING)
            parse_fail(p, "non executable command in pipeline stage %zu", i + 1);
    }
}

static void declare(struct parse_parser *p, struct tmpl_node *pipe, str name)
{
    add_ident(p, pipe, name);
    if (is_in_sight(p, name))
        return;
    see(p, name);
    if (p->vars.n > VARIABLES_MAX)
        parse_fail(p, "more than %d variables", VARIABLES_MAX);
}

/* $x := and $i, $e := in front of a pipeline. */
static void declarations(struct parse_parser *p, struct tmpl_node *pipe, const char *context)
{
    while (!p->failed && tmpl_lex_peek_solid(&p->lex).type == TOK_VARIABLE) {
        struct tmpl_token v = tmpl_lex_next_solid(&p->lex);
        struct tmpl_token after = tmpl_lex_peek(&p->lex), t = tmpl_lex_peek_solid(&p->lex);

        if (t.type == TOK_ASSIGN || t.type == TOK_DECLARE) {
            pipe->is_assign = t.type == TOK_ASSIGN;
            tmpl_lex_next_solid(&p->lex);
            declare(p, pipe, v.text);
        } else if (t.type == TOK_CHAR && str_is(t.text, ",")) {
            tmpl_lex_next_solid(&p->lex);
            declare(p, pipe, v.text);
            if (strcmp(context, "range") == 0 && pipe->n_idents < 2) {
                enum tmpl_token_type type = tmpl_lex_peek_solid(&p->lex).type;

                if (type == TOK_VARIABLE || type == TOK_RIGHT_DELIM || type == TOK_RIGHT_PAREN)
                    continue;
                parse_fail(p, "range can only initialize variables");
            }
            parse_fail(p, "too many declarations in %s", context);
        } else if (after.type == TOK_SPACE) {
            tmpl_lex_backup3(&p->lex, v, after);
        } else {
            tmpl_lex_backup2(&p->lex, v);
        }
        return;
    }
}

static struct tmpl_node *pipeline(struct parse_parser *p, const char *context,
                                  enum tmpl_token_type end)
{
    struct tmpl_node *pipe = node(p, TN_PIPE, tmpl_lex_peek_solid(&p->lex));

    if (!deeper(p))
        return pipe;
    declarations(p, pipe, context);
    while (!p->failed) {
        struct tmpl_token t = tmpl_lex_next_solid(&p->lex);

        if (t.type == end) {
            parse_check_pipeline(p, pipe, context);
            break;
        }
        switch (t.type) {
        case TOK_BOOL:
        case TOK_CHAR_CONSTANT:
        case TOK_DOT:
        case TOK_FIELD:
        case TOK_IDENTIFIER:
        case TOK_NUMBER:
        case TOK_NIL:
        case TOK_RAW_STRING:
        case TOK_STRING:
        case TOK_VARIABLE:
        case TOK_LEFT_PAREN:
            tmpl_lex_backup(&p->lex);
            add_kid(p, pipe, command(p));
            break;
        default: parse_unexpected(p, t, context);
        }
    }
    p->depth--;
    return pipe;
}

/* -- actions -- */

static struct tmpl_node *control(struct parse_parser *p, enum tmpl_node_kind kind,
                                 struct tmpl_token t)
{
    static const char *const words[] = {[TN_IF] = "if", [TN_WITH] = "with", [TN_RANGE] = "range"};
    struct tmpl_node *n = node(p, kind, t), *end = NULL;
    size_t vars = p->vars.n;
    enum tmpl_token_type chained = kind == TN_IF ? TOK_IF : kind == TN_WITH ? TOK_WITH : TOK_ERROR;

    if (!deeper(p))
        return n;
    n->pipe = pipeline(p, words[kind], TOK_RIGHT_DELIM);
    p->range_depth += kind == TN_RANGE;
    n->list = item_list(p, &end);
    p->range_depth -= kind == TN_RANGE;
    if (end != NULL && end->kind == TN_ELSE && tmpl_lex_peek(&p->lex).type == chained) {
        n->else_list = node(p, TN_LIST, tmpl_lex_next(&p->lex));
        add_kid(p, n->else_list, control(p, kind, tmpl_lex_peek(&p->lex)));
    } else if (end != NULL && end->kind == TN_ELSE) {
        n->else_list = item_list(p, &end);
        if (end != NULL && end->kind != TN_END)
            parse_fail(p, "expected end; found {{else}}");
    }
    see_no_more(p, vars);
    p->depth--;
    return n;
}

static void add_tree(struct parse_parser *p, str name, struct tmpl_node *root)
{
    struct tmpl_tree *t = arena_new(p->a, struct tmpl_tree), *o;
    bool is_new;

    if (p->failed)
        return;
    if (++p->n_trees > TREES_MAX) {
        parse_fail(p, "more than %d templates", TREES_MAX);
        return;
    }
    o = *str_map_add(&p->named, name, t, &is_new);
    if (is_new) {
        *t = (struct tmpl_tree){p->trees, name, p->name, p->text, root};
        p->trees = t;
    } else if (tmpl_node_is_empty(o->root)) {
        o->root = root;
    } else if (!tmpl_node_is_empty(root)) {
        parse_fail(p, "template: multiple definition of template \"%.*s\"", STR(name));
    }
}

/* The body of {{define}} and {{block}}: a tree of its own, with its own variables. */
static void body(struct parse_parser *p, str name, const char *context)
{
    size_t n = p->vars.n;
    str *saved = p->vars.v;
    struct str_map in_sight = p->in_sight;
    unsigned ranges = p->range_depth;
    struct tmpl_node *root, *end = NULL;

    p->vars.v = NULL;
    p->vars.n = p->vars.cap = 0;
    p->in_sight = (struct str_map){0};
    see(p, S("$"));
    p->range_depth = 0;
    root = item_list(p, &end);
    if (end != NULL && end->kind != TN_END)
        parse_fail(p, "unexpected {{else}} in %s", context);
    add_tree(p, name, root);
    vec_release(&p->vars);
    str_map_release(&p->in_sight);
    p->in_sight = in_sight;
    p->vars.v = saved;
    p->vars.n = p->vars.cap = n;
    p->range_depth = ranges;
}

static str template_name(struct parse_parser *p, struct tmpl_token t, const char *context)
{
    str name = STR_NONE;

    if (t.type == TOK_STRING || t.type == TOK_RAW_STRING)
        unquote(p, t, &name);
    else
        parse_unexpected(p, t, context);
    return name;
}

static struct tmpl_node *template_parse_call(struct parse_parser *p, bool is_block)
{
    const char *context = is_block ? "block clause" : "template clause";
    struct tmpl_token t = tmpl_lex_next_solid(&p->lex);
    struct tmpl_node *n = node(p, TN_TEMPLATE, t);

    n->value = template_name(p, t, context);
    if (is_block || tmpl_lex_peek_solid(&p->lex).type != TOK_RIGHT_DELIM)
        n->pipe = pipeline(p, context, TOK_RIGHT_DELIM);
    else
        tmpl_lex_next_solid(&p->lex);
    if (is_block && !p->failed)
        body(p, n->value, context);
    return n;
}

static struct tmpl_node *loop_control(struct parse_parser *p, struct tmpl_token t, bool is_break)
{
    const char *shown_as = is_break ? "{{break}}" : "{{continue}}";
    struct tmpl_token end = tmpl_lex_next_solid(&p->lex);

    if (end.type != TOK_RIGHT_DELIM)
        parse_unexpected(p, end, shown_as);
    if (p->range_depth == 0)
        parse_fail(p, "%s outside {{range}}", shown_as);
    return node(p, is_break ? TN_BREAK : TN_CONTINUE, t);
}

static struct tmpl_node *action(struct parse_parser *p)
{
    struct tmpl_token t = tmpl_lex_next_solid(&p->lex);
    struct tmpl_node *n;

    switch (t.type) {
    case TOK_BLOCK: return template_parse_call(p, true);
    case TOK_TEMPLATE: return template_parse_call(p, false);
    case TOK_BREAK: return loop_control(p, t, true);
    case TOK_CONTINUE: return loop_control(p, t, false);
    case TOK_IF: return control(p, TN_IF, tmpl_lex_peek(&p->lex));
    case TOK_WITH: return control(p, TN_WITH, tmpl_lex_peek(&p->lex));
    case TOK_RANGE: return control(p, TN_RANGE, tmpl_lex_peek(&p->lex));
    case TOK_END: return node(p, TN_END, parse_expect(p, TOK_RIGHT_DELIM, "end"));
    case TOK_ELSE: {
        struct tmpl_token ahead = tmpl_lex_peek_solid(&p->lex);

        if (ahead.type != TOK_IF && ahead.type != TOK_WITH)
            ahead = parse_expect(p, TOK_RIGHT_DELIM, "else");
        return node(p, TN_ELSE, ahead);
    }
    default: break;
    }
    tmpl_lex_backup(&p->lex);
    n = node(p, TN_ACTION, tmpl_lex_peek(&p->lex));
    n->pipe = pipeline(p, "command", TOK_RIGHT_DELIM);
    return n;
}

static struct tmpl_node *text_or_action(struct parse_parser *p)
{
    struct tmpl_token t = tmpl_lex_next_solid(&p->lex);
    struct tmpl_node *n;

    if (t.type == TOK_TEXT)
        return node(p, TN_TEXT, t);
    if (t.type == TOK_LEFT_DELIM) {
        p->action_line = t.line;
        n = action(p);
        p->action_line = 0;
        return n;
    }
    parse_unexpected(p, t, "input");
    return node(p, TN_TEXT, t);
}

static struct tmpl_node *item_list(struct parse_parser *p, struct tmpl_node **end)
{
    struct tmpl_node *list = node(p, TN_LIST, tmpl_lex_peek_solid(&p->lex));

    *end = NULL;
    while (!p->failed && tmpl_lex_peek_solid(&p->lex).type != TOK_EOF) {
        struct tmpl_node *n = text_or_action(p);

        if (n->kind == TN_END || n->kind == TN_ELSE) {
            *end = n;
            return list;
        }
        add_kid(p, list, n);
    }
    parse_fail(p, "unexpected EOF");
    return list;
}

static void definition(struct parse_parser *p)
{
    struct tmpl_token t = tmpl_lex_next_solid(&p->lex);
    str name;

    if (t.type != TOK_STRING && t.type != TOK_RAW_STRING)
        parse_unexpected(p, t, "define clause");
    if (p->failed || !unquote(p, t, &name))
        return;
    parse_expect(p, TOK_RIGHT_DELIM, "define clause");
    if (!p->failed)
        body(p, name, "define clause");
}

/* What stands before the text, and the variables that are declared there. */
static void go_on_from(struct parse_parser *p, const struct tmpl_node *before,
                       struct tmpl_node *root)
{
    for (size_t i = 0; i < before->n_kids; i++) {
        const struct tmpl_node *pipe = before->kids[i]->pipe;

        for (size_t k = 0; pipe != NULL && !pipe->is_assign && k < pipe->n_idents; k++)
            see(p, pipe->idents[k]);
        add_kid(p, root, before->kids[i]);
    }
}

static void top(struct parse_parser *p, const struct tmpl_tree *before)
{
    struct tmpl_node *root = node(p, TN_LIST, tmpl_lex_peek(&p->lex));

    if (before != NULL)
        go_on_from(p, before->root, root);
    while (!p->failed && tmpl_lex_peek(&p->lex).type != TOK_EOF) {
        struct tmpl_node *n;

        if (tmpl_lex_peek(&p->lex).type == TOK_LEFT_DELIM) {
            struct tmpl_token delim = tmpl_lex_next(&p->lex);

            if (tmpl_lex_next_solid(&p->lex).type == TOK_DEFINE) {
                definition(p);
                continue;
            }
            tmpl_lex_backup2(&p->lex, delim);
        }
        n = text_or_action(p);
        if (n->kind == TN_END || n->kind == TN_ELSE)
            parse_fail(p, "unexpected %s", n->kind == TN_END ? "{{end}}" : "{{else}}");
        add_kid(p, root, n);
    }
    add_tree(p, p->name, root);
}

bool tmpl_parse(struct arena *a, str name, str text, const struct tmpl_tree *before,
                const struct tmpl_func *const *functions, struct tmpl_tree **out, struct err *e)
{
    struct parse_parser p = {.a = a, .name = name, .text = text, .functions = functions, .e = e};

    tmpl_lex_init(&p.lex, a, text, before != NULL ? before->text.n : 0);
    see(&p, S("$"));
    top(&p, before);
    vec_release(&p.vars);
    str_map_release(&p.in_sight);
    str_map_release(&p.named);
    if (p.failed)
        return false;
    *out = p.trees;
    return true;
}
