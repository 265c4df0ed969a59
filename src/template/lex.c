/* Two states: text runs to the next "{{", actions to "}}". A trim marker is a minus next to the delimiter with a blank
 * on its other side, so that {{-3}} is still a number:
 *
 *     "a  {{- 1 -}}  b"   gives   text "a", "{{", number 1, "}}", text "b"
 */
#include "template/lex.h"

#include <stdio.h>
#include "base/buf.h"
#include "base/utf8.h"
#include "codec/quote.h"
#include "base/strcase.h"

static const char blanks[] = " \t\r\n";

static str lex_rest(const struct tmpl_lexer *l)
{
    return str_sub(l->in, l->pos, l->in.n);
}

/* The rune at the current place; -1 at the end. */
static int32_t template_lex_peek(const struct tmpl_lexer *l, size_t *bytes)
{
    uint32_t r;

    if (l->pos >= l->in.n) {
        *bytes = 0;
        return -1;
    }
    *bytes = utf8_decode(lex_rest(l), &r);
    return (int32_t)r;
}

static int32_t lex_next(struct tmpl_lexer *l)
{
    size_t k;
    int32_t r = template_lex_peek(l, &k);

    l->pos += k;
    return r;
}

/* Forgets what was read since the last token. */
static void ignore(struct tmpl_lexer *l)
{
    for (size_t i = l->start; i < l->pos; i++)
        l->line += l->in.p[i] == '\n';
    l->start = l->pos;
    l->start_line = l->line;
}

static struct tmpl_token template_lex_emit(struct tmpl_lexer *l, enum tmpl_token_type type)
{
    struct tmpl_token t = {type, l->start, str_sub(l->in, l->start, l->pos), l->start_line};

    ignore(l);
    return t;
}

static struct tmpl_token template_lex_fail(struct tmpl_lexer *l, str text)
{
    l->failed = (struct tmpl_token){TOK_ERROR, l->start, arena_str(l->a, text), l->start_line};
    l->has_failed = true;
    return l->failed;
}

/* "%#U": U+0021 '!' */
static struct tmpl_token template_lex_fail_rune(struct tmpl_lexer *l, const char *what, int32_t r)
{
    char utf[4];
    size_t k = r >= 0 ? utf8_encode(utf, (uint32_t)r) : 0;

    if (r < 0)
        return template_lex_fail(l, arena_printf(l->a, "%s U+FFFFFFFFFFFFFFFF", what));
    if (r < 0x20 || r == 0x7f)
        return template_lex_fail(l, arena_printf(l->a, "%s U+%04X", what, (unsigned)r));
    return template_lex_fail(l, arena_printf(l->a, "%s U+%04X '%.*s'", what, (unsigned)r, (int)k,
                                             utf));
}

static bool has_left_marker(str s)
{
    return s.n >= 2 && s.p[0] == '-' && char_is_space(s.p[1]);
}

static bool has_right_marker(str s)
{
    return s.n >= 2 && char_is_space(s.p[0]) && s.p[1] == '-';
}

static bool at_right_delim(const struct tmpl_lexer *l, bool *trims)
{
    str s = lex_rest(l);

    *trims = has_right_marker(s) && str_starts_with(str_sub(s, 2, s.n), S("}}"));
    return *trims || str_starts_with(s, S("}}"));
}

static void template_lex_skip_blanks(struct tmpl_lexer *l)
{
    while (l->pos < l->in.n && strchr(blanks, l->in.p[l->pos]) != NULL && l->in.p[l->pos] != '\0')
        l->pos++;
}

static bool lex_comment(struct tmpl_lexer *l, size_t after, struct tmpl_token *t)
{
    ptrdiff_t end;
    bool trims;

    l->pos += 2 + after;
    end = str_find_str(str_sub(l->in, l->pos + 2, l->in.n), S("*/"));
    if (end < 0) {
        *t = template_lex_fail(l, S("unclosed comment"));
        return false;
    }
    l->pos += 2 + (size_t)end + 2;
    if (!at_right_delim(l, &trims)) {
        *t = template_lex_fail(l, S("comment ends before closing delimiter"));
        return false;
    }
    l->pos += trims ? 4 : 2;
    if (trims)
        template_lex_skip_blanks(l);
    ignore(l);
    return true;
}

static struct tmpl_token lex_text(struct tmpl_lexer *l)
{
    for (;;) {
        ptrdiff_t x = str_find_str(lex_rest(l), S("{{"));
        size_t text_end = x < 0 ? l->in.n : l->pos + (size_t)x, end = text_end;
        str after = str_sub(l->in, text_end + 2, l->in.n);
        struct tmpl_token t;

        if (x >= 0 && has_left_marker(after))
            while (end > l->pos && char_is_space(l->in.p[end - 1]))
                end--;
        if (end > l->pos) {
            l->pos = end;
            t = template_lex_emit(l, TOK_TEXT);
            l->pos = text_end;
            ignore(l);
            return t;
        }
        l->pos = text_end;
        ignore(l);
        if (x < 0)
            return template_lex_emit(l, TOK_EOF);
        if (str_starts_with(str_sub(after, has_left_marker(after) ? 2 : 0, after.n), S("/*"))) {
            if (!lex_comment(l, has_left_marker(after) ? 2 : 0, &t))
                return t;
            continue;
        }
        l->pos += 2;
        t = template_lex_emit(l, TOK_LEFT_DELIM);
        l->pos += has_left_marker(after) ? 2 : 0;
        ignore(l);
        l->inside = true;
        l->parens = 0;
        return t;
    }
}

static bool lex_is_alnum(int32_t r)
{
    return r == '_' || (r >= 0 && (rune_is_letter((uint32_t)r) || rune_is_digit((uint32_t)r)));
}

static bool at_terminator(const struct tmpl_lexer *l, int32_t *r)
{
    size_t k;

    *r = template_lex_peek(l, &k);
    return *r < 0 || char_is_space(*r) || strchr(".,|:)(", *r < 128 ? *r : 'x') != NULL ||
           str_starts_with(lex_rest(l), S("}}"));
}

static void take_alnum(struct tmpl_lexer *l)
{
    size_t k;

    while (l->pos < l->in.n && char_is_word(l->in.p[l->pos]))
        l->pos++;
    while (lex_is_alnum(template_lex_peek(l, &k)))
        l->pos += k;
}

static struct tmpl_token template_lex_lex_word(struct tmpl_lexer *l)
{
    static const struct {
        const char *word;
        enum tmpl_token_type type;
    } words[] = {{"block", TOK_BLOCK},   {"break", TOK_BREAK},       {"continue", TOK_CONTINUE},
                 {"define", TOK_DEFINE}, {"else", TOK_ELSE},         {"end", TOK_END},
                 {"if", TOK_IF},         {"nil", TOK_NIL},           {"range", TOK_RANGE},
                 {"with", TOK_WITH},     {"template", TOK_TEMPLATE}, {"true", TOK_BOOL},
                 {"false", TOK_BOOL}};
    str word;
    int32_t r;

    take_alnum(l);
    if (!at_terminator(l, &r))
        return template_lex_fail_rune(l, "bad character", r);
    word = str_sub(l->in, l->start, l->pos);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(word, words[i].word))
            return template_lex_emit(l, words[i].type);
    return template_lex_emit(l, TOK_IDENTIFIER);
}

/* After the dot or dollar. */
static struct tmpl_token lex_field(struct tmpl_lexer *l, enum tmpl_token_type type)
{
    int32_t r;

    if (at_terminator(l, &r))
        return template_lex_emit(l, type == TOK_FIELD ? TOK_DOT : TOK_VARIABLE);
    take_alnum(l);
    if (!at_terminator(l, &r))
        return template_lex_fail_rune(l, "bad character", r);
    return template_lex_emit(l, type);
}

static struct tmpl_token lex_lex_quoted(struct tmpl_lexer *l, char quote)
{
    for (;;) {
        int32_t r = lex_next(l);

        if (r == '\\') {
            r = lex_next(l);
            if (r >= 0 && r != '\n')
                continue;
        }
        if (r < 0 || (r == '\n'))
            return template_lex_fail(l, quote == '"' ? S("unterminated quoted string")
                                                     : S("unterminated character constant"));
        if (r == quote)
            return template_lex_emit(l, quote == '"' ? TOK_STRING : TOK_CHAR_CONSTANT);
    }
}

static struct tmpl_token lex_raw(struct tmpl_lexer *l)
{
    ptrdiff_t end = str_find(lex_rest(l), '`');

    if (end < 0)
        return template_lex_fail(l, S("unterminated raw quoted string"));
    l->pos += (size_t)end + 1;
    return template_lex_emit(l, TOK_RAW_STRING);
}

static bool lex_accept(struct tmpl_lexer *l, const char *set)
{
    if (l->pos < l->in.n && l->in.p[l->pos] != '\0' && strchr(set, l->in.p[l->pos]) != NULL) {
        l->pos++;
        return true;
    }
    return false;
}

static struct tmpl_token template_lex_lex_number(struct tmpl_lexer *l)
{
    const char *digits = "0123456789_";
    struct buf b = BUF_INIT;
    struct tmpl_token t;
    size_t k;
    bool decimal = true;

    lex_accept(l, "+-");
    if (lex_accept(l, "0")) {
        if (lex_accept(l, "xX")) {
            digits = "0123456789abcdefABCDEF_";
            decimal = false;
        } else if (lex_accept(l, "oO")) {
            digits = "01234567_";
        } else if (lex_accept(l, "bB")) {
            digits = "01_";
        }
    }
    while (lex_accept(l, digits))
        ;
    if (lex_accept(l, "."))
        while (lex_accept(l, digits))
            ;
    if (lex_accept(l, decimal ? "eE" : "pP")) {
        lex_accept(l, "+-");
        while (lex_accept(l, "0123456789_"))
            ;
    }
    if (!lex_is_alnum(template_lex_peek(l, &k)))
        return template_lex_emit(l, TOK_NUMBER);
    l->pos += k;
    buf_adds(&b, "bad number syntax: ");
    quote_go(&b, str_sub(l->in, l->start, l->pos));
    t = template_lex_fail(l, buf_str(&b));
    buf_release(&b);
    return t;
}

static struct tmpl_token lex_right_delim(struct tmpl_lexer *l, bool trims)
{
    struct tmpl_token t;

    if (trims) {
        l->pos += 2;
        ignore(l);
    }
    l->pos += 2;
    t = template_lex_emit(l, TOK_RIGHT_DELIM);
    if (trims) {
        template_lex_skip_blanks(l);
        ignore(l);
    }
    l->inside = false;
    return t;
}

/* A blank that belongs to a right trim marker is not part of the run. */
static struct tmpl_token lex_space(struct tmpl_lexer *l)
{
    bool trims;

    while (l->pos < l->in.n && char_is_space(l->in.p[l->pos])) {
        if (at_right_delim(l, &trims))
            break;
        l->pos++;
    }
    return template_lex_emit(l, TOK_SPACE);
}

static struct tmpl_token lex_inside(struct tmpl_lexer *l)
{
    bool trims;
    int32_t r;

    if (at_right_delim(l, &trims))
        return l->parens == 0 ? lex_right_delim(l, trims)
                              : template_lex_fail(l, S("unclosed left paren"));
    if (l->pos < l->in.n && char_is_space(l->in.p[l->pos]))
        return lex_space(l);
    r = lex_next(l);
    switch (r) {
    case -1: return template_lex_fail(l, S("unclosed action"));
    case '=': return template_lex_emit(l, TOK_ASSIGN);
    case ':':
        return lex_next(l) == '=' ? template_lex_emit(l, TOK_DECLARE)
                                  : template_lex_fail(l, S("expected :="));
    case '|': return template_lex_emit(l, TOK_PIPE);
    case '"': return lex_lex_quoted(l, '"');
    case '\'': return lex_lex_quoted(l, '\'');
    case '`': return lex_raw(l);
    case '$': return lex_field(l, TOK_VARIABLE);
    case '(': l->parens++; return template_lex_emit(l, TOK_LEFT_PAREN);
    case ')':
        l->parens -= l->parens > 0; /* one too many is the parser's to refuse */
        return template_lex_emit(l, TOK_RIGHT_PAREN);
    default: break;
    }
    if (r == '.' && l->pos < l->in.n && (l->in.p[l->pos] < '0' || l->in.p[l->pos] > '9'))
        return lex_field(l, TOK_FIELD);
    if (r == '.' || r == '+' || r == '-' || (r >= '0' && r <= '9')) {
        l->pos--;
        return template_lex_lex_number(l);
    }
    if (lex_is_alnum(r))
        return template_lex_lex_word(l);
    if (r >= 0x20 && r < 0x7f)
        return template_lex_emit(l, TOK_CHAR);
    return template_lex_fail_rune(l, "unrecognized character in action:", r);
}

static struct tmpl_token lex_lex(struct tmpl_lexer *l)
{
    if (l->has_failed)
        return l->failed;
    return l->inside ? lex_inside(l) : lex_text(l);
}

/* -- look-ahead -- */

void tmpl_lex_init(struct tmpl_lexer *l, struct arena *a, str in, size_t from)
{
    *l = (struct tmpl_lexer){.a = a, .in = in, .pos = from, .line = 1, .start_line = 1};
    ignore(l);
}

void tmpl_lex_stop(struct tmpl_lexer *l)
{
    l->is_stopped = true;
}

struct tmpl_token tmpl_lex_next(struct tmpl_lexer *l)
{
    if (l->is_stopped)
        return (struct tmpl_token){.type = TOK_EOF, .line = 1};
    if (l->ahead > 0)
        l->ahead--;
    else
        l->token[0] = lex_lex(l);
    return l->token[l->ahead];
}

struct tmpl_token tmpl_lex_peek(struct tmpl_lexer *l)
{
    struct tmpl_token t = tmpl_lex_next(l);

    tmpl_lex_backup(l);
    return t;
}

struct tmpl_token tmpl_lex_next_solid(struct tmpl_lexer *l)
{
    struct tmpl_token t;

    do
        t = tmpl_lex_next(l);
    while (t.type == TOK_SPACE);
    return t;
}

struct tmpl_token tmpl_lex_peek_solid(struct tmpl_lexer *l)
{
    struct tmpl_token t = tmpl_lex_next_solid(l);

    tmpl_lex_backup(l);
    return t;
}

void tmpl_lex_backup(struct tmpl_lexer *l)
{
    if (!l->is_stopped)
        l->ahead++;
}

void tmpl_lex_backup2(struct tmpl_lexer *l, struct tmpl_token t1)
{
    l->token[1] = t1;
    l->ahead = 2;
}

void tmpl_lex_backup3(struct tmpl_lexer *l, struct tmpl_token t2, struct tmpl_token t1)
{
    l->token[1] = t1;
    l->token[2] = t2;
    l->ahead = 3;
}
