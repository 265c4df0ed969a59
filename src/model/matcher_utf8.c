/* matcher_utf8.c - matchers whose names and values may be any text.
 *
 *     matchers = [ "{" ] [ matcher { "," matcher } [ "," ] ] [ "}" ]     the brace closes iff it
 * was opened matcher = text operator text text = '"' Go string literal '"' | runes that are not
 * reserved
 */
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/quote.h"
#include "model/matcher_syntax.h"

enum token_kind {
    TOKEN_END,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_OP,
    TOKEN_QUOTED,
    TOKEN_UNQUOTED
};

struct matcher_utf8_token {
    enum token_kind kind;
    enum match_op op;
    str text;
    size_t start, end; /* rune columns */
};

struct matcher_utf8_lexer {
    str rest;
    size_t col;
    struct matcher_utf8_token t; /* the one to be looked at */
    struct err *e;
};

static bool matcher_utf8_is_space(uint32_t r)
{
    return (r >= '\t' && r <= '\r') || r == ' ' || r == 0x85 || r == 0xA0 || r == 0x1680 ||
           (r >= 0x2000 && r <= 0x200A) || r == 0x2028 || r == 0x2029 || r == 0x202F ||
           r == 0x205F || r == 0x3000;
}

bool matcher_rune_is_reserved(uint32_t r)
{
    return matcher_utf8_is_space(r) ||
           (r != 0 && r < 0x80 && strchr("{}!=~,\\\"'`", (int)r) != NULL);
}

static bool matcher_utf8_complain(struct matcher_utf8_lexer *x, size_t start, size_t end,
                                  const char *what, str subject)
{
    return err_set(x->e, ERR_INVALID, "%zu:%zu: %s: %.*s", start, end, what, STR(subject));
}

static bool matcher_utf8_unexpected(struct matcher_utf8_lexer *x, const char *wanted)
{
    const struct matcher_utf8_token *t = &x->t;

    if (t->kind == TOKEN_END)
        return err_set(x->e, ERR_INVALID, "%zu:%zu: unexpected end of input: expected %s", t->start,
                       t->end, wanted);
    return err_set(x->e, ERR_INVALID, "%zu:%zu: unexpected %.*s: expected %s", t->start, t->end,
                   STR(t->text), wanted);
}

static bool matcher_utf8_take(struct matcher_utf8_lexer *x, enum token_kind kind, size_t bytes)
{
    x->t.kind = kind;
    x->t.start = x->col;
    x->t.text = str_sub(x->rest, 0, bytes);
    x->col += utf8_count(x->t.text);
    x->t.end = x->col;
    x->rest = str_sub(x->rest, bytes, x->rest.n);
    return true;
}

static bool matcher_utf8_lex_quoted(struct matcher_utf8_lexer *x)
{
    for (size_t i = 1; i < x->rest.n; i++) {
        if (x->rest.p[i] == '\\')
            i++;
        else if (x->rest.p[i] == '"')
            return matcher_utf8_take(x, TOKEN_QUOTED, i + 1);
    }
    return matcher_utf8_complain(x, x->col, x->col + utf8_count(x->rest), "missing end \"",
                                 x->rest);
}

static bool lex_unquoted(struct matcher_utf8_lexer *x)
{
    size_t i = 0;

    while (i < x->rest.n) {
        uint32_t rune;
        size_t k = utf8_decode(str_sub(x->rest, i, x->rest.n), &rune);

        if (matcher_rune_is_reserved(rune))
            break;
        i += k;
    }
    if (i == 0)
        return matcher_utf8_complain(x, x->col, x->col + 1, "unexpected character",
                                     str_sub(x->rest, 0, 1));
    return matcher_utf8_take(x, TOKEN_UNQUOTED, i);
}

static bool lex_op(struct matcher_utf8_lexer *x)
{
    char second = x->rest.n > 1 ? x->rest.p[1] : '\0';
    bool negative = x->rest.p[0] == '!', regex = second == '~';

    if (negative && second != '=' && second != '~')
        return matcher_utf8_complain(x, x->col, x->col + 1, "expected one of '=~'", S("!"));
    x->t.op = negative ? (regex ? MATCH_NRE : MATCH_NE) : (regex ? MATCH_RE : MATCH_EQ);
    return matcher_utf8_take(x, TOKEN_OP, negative || regex ? 2 : 1);
}

static bool matcher_utf8_lex(struct matcher_utf8_lexer *x)
{
    uint32_t rune;

    while (x->rest.n != 0) {
        size_t k = utf8_decode(x->rest, &rune);

        if (!matcher_utf8_is_space(rune))
            break;
        x->rest = str_sub(x->rest, k, x->rest.n);
        x->col++;
    }
    if (x->rest.n == 0)
        return matcher_utf8_take(x, TOKEN_END, 0);
    switch (x->rest.p[0]) {
    case '{': return matcher_utf8_take(x, TOKEN_OPEN, 1);
    case '}': return matcher_utf8_take(x, TOKEN_CLOSE, 1);
    case ',': return matcher_utf8_take(x, TOKEN_COMMA, 1);
    case '=':
    case '!': return lex_op(x);
    case '"': return matcher_utf8_lex_quoted(x);
    default: return lex_unquoted(x);
    }
}

static bool matcher_utf8_is_text(const struct matcher_utf8_token *t)
{
    return t->kind == TOKEN_QUOTED || t->kind == TOKEN_UNQUOTED;
}

static bool decode(struct matcher_utf8_lexer *x, struct arena *a, str *out)
{
    const struct matcher_utf8_token *t = &x->t;
    struct err e = ERR_INIT;

    if (t->kind == TOKEN_UNQUOTED) {
        *out = arena_str(a, t->text);
        return true;
    }
    if (!unquote_go(a, str_sub(t->text, 1, t->text.n - 1), out, &e))
        return matcher_utf8_complain(x, t->start, t->end, e.msg, t->text);
    return true;
}

static bool matcher_utf8_parse_matcher(struct matcher_utf8_lexer *x, struct arena *a,
                                       struct matcher *out)
{
    str name, value;
    enum match_op op;

    if (!matcher_utf8_is_text(&x->t))
        return matcher_utf8_unexpected(x, "label name");
    if (!decode(x, a, &name) || !matcher_utf8_lex(x))
        return false;
    if (x->t.kind != TOKEN_OP)
        return matcher_utf8_unexpected(x, "an operator such as '=', '!=', '=~' or '!~'");
    op = x->t.op;
    if (!matcher_utf8_lex(x))
        return false;
    if (!matcher_utf8_is_text(&x->t))
        return matcher_utf8_unexpected(x, "label value");
    if (!decode(x, a, &value))
        return false;
    return matcher_init(out, op, name, value, x->e) &&
           (matcher_utf8_lex(x) || (regex_unref(out->re), false));
}

typedef VEC(struct matcher) matcher_vec;

/* Everything between the braces. */
static bool parse_list(struct matcher_utf8_lexer *x, struct arena *a, matcher_vec *out)
{
    while (x->t.kind != TOKEN_END && x->t.kind != TOKEN_CLOSE) {
        struct matcher m;

        if (!matcher_utf8_parse_matcher(x, a, &m))
            return false;
        vec_push(out, m);
        if (x->t.kind != TOKEN_COMMA)
            return true;
        if (!matcher_utf8_lex(x))
            return false;
    }
    return true;
}

static bool matcher_utf8_parse_all(struct matcher_utf8_lexer *x, struct arena *a, matcher_vec *out)
{
    bool open;

    if (!matcher_utf8_lex(x))
        return false;
    open = x->t.kind == TOKEN_OPEN;
    if (open && !matcher_utf8_lex(x))
        return false;
    if (!parse_list(x, a, out))
        return false;
    if (open) {
        if (x->t.kind != TOKEN_CLOSE)
            return matcher_utf8_unexpected(x, out->n == 0 ? "label name or close brace"
                                                          : "comma or close brace");
        if (!matcher_utf8_lex(x))
            return false;
    }
    if (x->t.kind != TOKEN_END)
        return matcher_utf8_unexpected(x, open || out->n == 0 ? "end of input"
                                                              : "a comma or end of input");
    return true;
}

bool matchers_parse_utf8(str s, bool list, struct arena *a, struct matchers *out, struct err *e)
{
    struct matcher_utf8_lexer x = {.rest = s, .e = e};
    matcher_vec v = VEC_INIT;
    struct matchers ms;
    bool ok;

    if (!utf8_is_valid(s))
        return err_set(e, ERR_INVALID, "0:%zu: input is not valid UTF-8", utf8_count(s));
    ok = matcher_utf8_parse_all(&x, a, &v);
    if (ok && !list && v.n != 1)
        ok = v.n == 0 ? err_set(e, ERR_INVALID, "no matchers")
                      : err_set(e, ERR_INVALID, "expected 1 matcher, found %zu", v.n);
    ms = (struct matchers){v.v, v.n};
    if (!ok) {
        matchers_release(&ms);
    } else {
        out->v = arena_array(a, v.n, sizeof(*out->v));
        out->n = v.n;
        for (size_t i = 0; i < v.n; i++)
            out->v[i] = v.v[i];
    }
    vec_release(&v);
    return ok;
}
