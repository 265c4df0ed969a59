/* One function a state, as the grammar has three: statements, braces, brackets. Each reads one token and returns.
 *
 *     sum by (le) (rate(x{job="a"}[5m]))
 *     TOK_AGG TOK_BY ( TOK_IDENT ) ( TOK_IDENT ( TOK_IDENT { TOK_IDENT = TOK_STRING } [ TOK_DURATION ] ) )
 */
#include "promql/lex.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "codec/quote.h"

struct lex_lexer {
    str text;
    struct arena *a;
    size_t start, at;
    int parens;
    bool in_braces, in_brackets, got_colon, got_duration, failed;
    VEC(struct promql_token) out;
};

struct keyword {
    const char *word;
    enum promql_token_kind kind;
    int sub;
};

static const struct keyword keywords[] = {
    {"and", TOK_OP, PROMQL_AND},
    {"or", TOK_OP, PROMQL_OR},
    {"unless", TOK_OP, PROMQL_UNLESS},
    {"atan2", TOK_OP, PROMQL_ATAN2},
    {"offset", TOK_OFFSET, 0},
    {"by", TOK_BY, 0},
    {"without", TOK_WITHOUT, 0},
    {"on", TOK_ON, 0},
    {"ignoring", TOK_IGNORING, 0},
    {"group_left", TOK_GROUP_LEFT, 0},
    {"group_right", TOK_GROUP_RIGHT, 0},
    {"fill", TOK_FILL, 0},
    {"fill_left", TOK_FILL_LEFT, 0},
    {"fill_right", TOK_FILL_RIGHT, 0},
    {"bool", TOK_BOOL, 0},
    {"start", TOK_START, 0},
    {"end", TOK_END, 0},
    {"step", TOK_STEP, 0},
    {"range", TOK_RANGE, 0},
    {"anchored", TOK_ANCHORED, 0},
    {"smoothed", TOK_SMOOTHED, 0},
    {"max_of", TOK_MAX_OF, 0},
    {"min_of", TOK_MIN_OF, 0},
    {"inf", TOK_NUMBER, 0},
    {"nan", TOK_NUMBER, 0},
};

static const struct keyword bracket_words[] = {
    {"step", TOK_STEP, 0},
    {"range", TOK_RANGE, 0},
    {"max_of", TOK_MAX_OF, 0},
    {"min_of", TOK_MIN_OF, 0},
};

/* -- characters -- */

static bool lex_is_alpha(int c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool lex_is_word(int c)
{
    return lex_is_alpha(c) || char_is_digit(c);
}

static bool lex_is_hex(int c)
{
    return char_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The byte k places ahead, -1 behind the end. */
static int peek_at(const struct lex_lexer *l, size_t k)
{
    return l->at + k < l->text.n ? (unsigned char)l->text.p[l->at + k] : -1;
}

static int lex_peek(const struct lex_lexer *l)
{
    return peek_at(l, 0);
}

/* -- tokens -- */

static void lex_emit(struct lex_lexer *l, enum promql_token_kind kind, int sub)
{
    vec_push(&l->out,
             (struct promql_token){
                 .kind = kind, .sub = sub, .at = (uint32_t)l->start, .end = (uint32_t)l->at});
}

static void lex_fail(struct lex_lexer *l, str message)
{
    l->failed = true;
    vec_push(&l->out, (struct promql_token){.kind = TOK_ERROR,
                                            .at = (uint32_t)l->start,
                                            .end = (uint32_t)l->text.n,
                                            .message = message});
}

/* The rune at the given place in single quotes, as Go prints it. */
static void lex_fail_rune(struct lex_lexer *l, const char *what, size_t at)
{
    str rest = str_sub(l->text, at, l->text.n);
    struct buf b = BUF_INIT;
    uint32_t rune;
    size_t k = rest.n != 0 ? utf8_decode(rest, &rune) : 0;

    buf_addf(&b, "%s ", what);
    if (k == 0)
        buf_adds(&b, "'\xef\xbf\xbd'");
    else
        quote_go_rune(&b, str_sub(rest, 0, k));
    lex_fail(l, arena_str(l->a, buf_str(&b)));
    buf_release(&b);
}

/* The token so far is k bytes long. */
static void lex_take(struct lex_lexer *l, size_t k, enum promql_token_kind kind, int sub)
{
    l->at += k;
    lex_emit(l, kind, sub);
}

/* -- numbers and durations -- */

static size_t lex_count_digits(const struct lex_lexer *l, size_t k, bool (*is)(int))
{
    size_t from = k;

    for (;; k++) {
        int c = peek_at(l, k);

        if (is(c))
            continue;
        /* One underscore between two digits. */
        if (c == '_' && k > from && is(peek_at(l, k + 1)) && peek_at(l, k - 1) != '_')
            continue;
        return k - from;
    }
}

/* Length of the number at l->at, 0 when what stands here is none. */
static size_t lex_scan_number(const struct lex_lexer *l)
{
    size_t k, digits;

    if (lex_peek(l) == '0' && (peek_at(l, 1) | 32) == 'x') {
        k = 2;
        if (peek_at(l, k) == '_')
            k++;
        digits = lex_count_digits(l, k, lex_is_hex);
        return digits != 0 && !lex_is_word(peek_at(l, k + digits)) ? k + digits : 0;
    }
    k = digits = lex_count_digits(l, 0, char_is_digit);
    if (peek_at(l, k) == '.') {
        size_t fraction = lex_count_digits(l, k + 1, char_is_digit);

        digits += fraction;
        k += 1 + fraction;
    }
    if (digits == 0)
        return 0;
    if ((peek_at(l, k) | 32) == 'e') {
        size_t sign = peek_at(l, k + 1) == '+' || peek_at(l, k + 1) == '-' ? 1 : 0;
        size_t power = lex_count_digits(l, k + 1 + sign, char_is_digit);

        if (power == 0)
            return 0;
        k += 1 + sign + power;
    }
    return lex_is_word(peek_at(l, k)) ? 0 : k;
}

static size_t scan_unit(const struct lex_lexer *l, size_t k)
{
    int c = peek_at(l, k);

    if (c == 'm' && peek_at(l, k + 1) == 's')
        return 2;
    return c == 's' || c == 'm' || c == 'h' || c == 'd' || c == 'w' || c == 'y' ? 1 : 0;
}

static size_t scan_duration(const struct lex_lexer *l)
{
    size_t k = 0;

    for (;;) {
        size_t digits = 0, unit;

        while (char_is_digit(peek_at(l, k + digits)))
            digits++;
        unit = digits != 0 ? scan_unit(l, k + digits) : 0;
        if (unit == 0)
            return k != 0 && !lex_is_word(peek_at(l, k)) ? k : 0;
        k += digits + unit;
    }
}

static void lex_lex_number(struct lex_lexer *l)
{
    size_t k = lex_scan_number(l);
    struct buf q = BUF_INIT;

    if (k != 0) {
        lex_take(l, k, TOK_NUMBER, 0);
        return;
    }
    k = scan_duration(l);
    if (k != 0) {
        lex_take(l, k, TOK_DURATION, 0);
        return;
    }
    while (lex_is_word(peek_at(l, k)) || peek_at(l, k) == '.')
        k++;
    quote_go(&q, str_sub(l->text, l->at, l->at + k));
    lex_fail(l, arena_printf(l->a, "bad number or duration syntax: %.*s", STR(buf_str(&q))));
    buf_release(&q);
}

/* -- strings -- */

static unsigned digit_of(int c)
{
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
           : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                  : 16;
}

/* The rune at k as Go's %#U has it. Returns 0. */
static size_t fail_escape(struct lex_lexer *l, const char *before, size_t k, const char *after)
{
    str rest = str_sub(l->text, l->at + k, l->text.n);
    struct buf b = BUF_INIT;
    uint32_t rune;
    size_t n = rest.n != 0 ? utf8_decode(rest, &rune) : 0;

    if (n == 0) {
        lex_fail(l, S("escape sequence not terminated"));
        return 0;
    }
    buf_addf(&b, "%sU+%04X ", before, rune);
    quote_go_rune(&b, str_sub(rest, 0, n));
    buf_addf(&b, "%s", after);
    lex_fail(l, arena_str(l->a, buf_str(&b)));
    buf_release(&b);
    return 0;
}

/* Bytes of what stands behind a backslash at k; 0: it has complained. */
static size_t lex_escape(struct lex_lexer *l, size_t k, char quote)
{
    int c = peek_at(l, k);
    bool is_octal = c >= '0' && c <= '7';
    size_t digits = is_octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0, i = !is_octal;
    uint32_t v = 0;

    if (c == quote || (c > 0 && strchr("abfnrtv\\", c) != NULL))
        return 1;
    if (digits == 0)
        return fail_escape(l, "unknown escape sequence ", k, "");
    for (digits += i; i < digits; i++) {
        unsigned d = digit_of(peek_at(l, k + i));

        if (d >= (is_octal ? 8 : 16))
            return fail_escape(l, "illegal character ", k + i, " in escape sequence");
        v = v * (is_octal ? 8 : 16) + d;
    }
    if (v > (is_octal ? 255 : 0x10FFFF) || (v >= 0xD800 && v < 0xE000)) {
        lex_fail(l, S("escape sequence is an invalid Unicode code point"));
        return 0;
    }
    return digits;
}

static void lex_string(struct lex_lexer *l)
{
    char quote = l->text.p[l->at];
    size_t k = 1;

    for (;;) {
        int c = peek_at(l, k);

        if (c == quote) {
            lex_take(l, k + 1, TOK_STRING, 0);
            return;
        }
        if (c < 0 || c == '\n') {
            lex_fail(l, S("unterminated quoted string"));
            return;
        }
        k++;
        if (c == '\\') {
            size_t n = lex_escape(l, k, quote);

            if (n == 0)
                return;
            k += n;
        }
    }
}

static void lex_raw_string(struct lex_lexer *l)
{
    ptrdiff_t k = str_find(str_sub(l->text, l->at + 1, l->text.n), '`');

    if (k < 0)
        lex_fail(l, S("unterminated raw string"));
    else
        lex_take(l, (size_t)k + 2, TOK_STRING, 0);
}

/* -- words -- */

/* fill is an ordinary name unless a parenthesis follows. */
static bool has_paren_behind(const struct lex_lexer *l, size_t k)
{
    while (char_is_space(peek_at(l, k)))
        k++;
    return peek_at(l, k) == '(';
}

static const struct keyword *lex_find_word(const struct keyword *v, size_t n, str word)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(str_of(v[i].word), word))
            return &v[i];
    return NULL;
}

static void lex_lex_word(struct lex_lexer *l)
{
    const struct keyword *hit;
    size_t k = 0;
    bool has_colon = false;
    str word;

    for (; lex_is_word(peek_at(l, k)) || peek_at(l, k) == ':'; k++)
        has_colon |= peek_at(l, k) == ':';
    word = str_sub(l->text, l->at, l->at + k);
    hit = lex_find_word(keywords, ARRAY_LEN(keywords), word);
    if (hit != NULL && hit->kind >= TOK_FILL && hit->kind <= TOK_FILL_RIGHT &&
        !has_paren_behind(l, k))
        hit = NULL;
    if (hit != NULL) {
        lex_take(l, k, hit->kind, hit->sub);
        return;
    }
    for (int i = 0; i < PROMQL_AGGS; i++) {
        if (str_eq_nocase(str_of(promql_agg_info((enum promql_agg)i)->name), word)) {
            lex_take(l, k, TOK_AGG, i);
            return;
        }
    }
    lex_take(l, k, has_colon ? TOK_METRIC : TOK_IDENT, 0);
}

/* -- states -- */

static bool lex_arithmetic(struct lex_lexer *l, int c)
{
    enum promql_op op;

    switch (c) {
    case '+': op = PROMQL_ADD; break;
    case '-': op = PROMQL_SUB; break;
    case '*': op = PROMQL_MUL; break;
    case '/': op = PROMQL_DIV; break;
    case '%': op = PROMQL_MOD; break;
    case '^': op = PROMQL_POW; break;
    default: return false;
    }
    lex_take(l, 1, TOK_OP, (int)op);
    return true;
}

static bool lex_paren(struct lex_lexer *l, int c)
{
    if (c == '(') {
        l->parens++;
        lex_take(l, 1, TOK_LPAREN, 0);
        return true;
    }
    if (c != ')')
        return false;
    if (--l->parens < 0) {
        l->start++; /* Prometheus points behind it */
        lex_fail_rune(l, "unexpected right parenthesis", l->at);
    } else
        lex_take(l, 1, TOK_RPAREN, 0);
    return true;
}

static void lex_comparison(struct lex_lexer *l, int c)
{
    int next = peek_at(l, 1);

    if (c == '<' && next == '/')
        lex_take(l, 2, TOK_OP, PROMQL_TRIM_UPPER);
    else if (c == '>' && next == '/')
        lex_take(l, 2, TOK_OP, PROMQL_TRIM_LOWER);
    else if (c == '<')
        lex_take(l, next == '=' ? 2 : 1, TOK_OP, next == '=' ? PROMQL_LE : PROMQL_LT);
    else if (c == '>')
        lex_take(l, next == '=' ? 2 : 1, TOK_OP, next == '=' ? PROMQL_GE : PROMQL_GT);
    else if (next == '=')
        lex_take(l, 2, TOK_OP, c == '=' ? PROMQL_EQ : PROMQL_NE);
    else if (c == '=' && next != '~')
        lex_take(l, 1, TOK_ASSIGN, 0);
    else
        lex_fail_rune(
            l, c == '=' ? "unexpected character after '=':" : "unexpected character after '!':",
            l->at + 1);
}

static void lex_end(struct lex_lexer *l)
{
    if (l->parens != 0)
        lex_fail(l, S("unclosed left parenthesis"));
    else
        lex_emit(l, TOK_EOF, 0);
}

static void open_bracket(struct lex_lexer *l)
{
    l->in_brackets = true;
    l->got_colon = l->got_duration = false;
    lex_take(l, 1, TOK_LBRACKET, 0);
}

static void lex_statement(struct lex_lexer *l)
{
    int c = lex_peek(l);

    if (c < 0)
        lex_end(l);
    else if (lex_arithmetic(l, c) || lex_paren(l, c))
        ;
    else if (c == ',')
        lex_take(l, 1, TOK_COMMA, 0);
    else if (c > 0 && strchr("=!<>", c) != NULL)
        lex_comparison(l, c);
    else if (char_is_digit(c) || (c == '.' && char_is_digit(peek_at(l, 1))))
        lex_lex_number(l);
    else if (c == '"' || c == '\'')
        lex_string(l);
    else if (c == '`')
        lex_raw_string(l);
    else if (lex_is_alpha(c) || c == ':')
        lex_lex_word(l);
    else if (c == '{') {
        l->in_braces = true;
        lex_take(l, 1, TOK_LBRACE, 0);
    } else if (c == '[')
        open_bracket(l);
    else if (c == '@')
        lex_take(l, 1, TOK_AT, 0);
    else if (c == ']')
        lex_fail_rune(l, "unexpected right bracket", l->at);
    else
        lex_fail_rune(l, "unexpected character:", l->at);
}

static void lex_brace(struct lex_lexer *l)
{
    int c = lex_peek(l), next = peek_at(l, 1);

    if (c < 0)
        lex_fail(l, S("unexpected end of input inside braces"));
    else if (lex_is_alpha(c)) {
        size_t k = 1;

        while (lex_is_word(peek_at(l, k)))
            k++;
        lex_take(l, k, TOK_IDENT, 0);
    } else if (c == ',')
        lex_take(l, 1, TOK_COMMA, 0);
    else if (c == '"' || c == '\'')
        lex_string(l);
    else if (c == '`')
        lex_raw_string(l);
    else if (c == '=')
        lex_take(l, next == '~' ? 2 : 1, next == '~' ? TOK_MATCHES : TOK_ASSIGN, 0);
    else if (c == '!' && next == '~')
        lex_take(l, 2, TOK_MATCHES_NO, 0);
    else if (c == '!' && next == '=')
        lex_take(l, 2, TOK_OP, PROMQL_NE);
    else if (c == '!')
        lex_fail_rune(l, "unexpected character after '!' inside braces:", l->at + 1);
    else if (c == '{')
        lex_fail_rune(l, "unexpected left brace", l->at);
    else if (c == '}') {
        l->in_braces = false;
        lex_take(l, 1, TOK_RBRACE, 0);
    } else
        lex_fail_rune(l, "unexpected character inside braces:", l->at);
}

static void lex_bracket_word(struct lex_lexer *l)
{
    size_t k = 0;
    const struct keyword *hit;

    while (lex_is_word(peek_at(l, k)))
        k++;
    hit =
        lex_find_word(bracket_words, ARRAY_LEN(bracket_words), str_sub(l->text, l->at, l->at + k));
    if (hit != NULL)
        lex_take(l, k, hit->kind, 0);
    else
        lex_fail_rune(l, "unexpected character in duration expression:", l->at);
}

static void lex_colon(struct lex_lexer *l)
{
    if (!l->got_duration)
        lex_fail(l, S("unexpected colon before duration in duration expression"));
    else if (l->got_colon)
        lex_fail(l, S("unexpected repeated colon in duration expression"));
    else
        lex_take(l, 1, TOK_COLON, 0);
    l->got_colon = true;
}

static void lex_bracket(struct lex_lexer *l)
{
    int c = lex_peek(l);

    if (c < 0)
        lex_fail(l, S("unclosed left bracket"));
    else if (lex_arithmetic(l, c) || lex_paren(l, c))
        ;
    else if (c == ']') {
        l->in_brackets = false;
        lex_take(l, 1, TOK_RBRACKET, 0);
    } else if (c == ':')
        lex_colon(l);
    else if (c == ',')
        lex_take(l, 1, TOK_COMMA, 0);
    else if (char_is_digit(c) || (c == '.' && char_is_digit(peek_at(l, 1))))
        lex_lex_number(l);
    else if (lex_is_alpha(c))
        lex_bracket_word(l);
    else if (c == '[')
        lex_fail_rune(l, "unexpected left bracket", l->at);
    else
        lex_fail_rune(l, "unexpected character in duration expression:", l->at);
    l->got_duration |= c != ':';
}

static void lex_skip_blanks(struct lex_lexer *l)
{
    for (;; l->at++) {
        if (lex_peek(l) == '#')
            while (lex_peek(l) >= 0 && lex_peek(l) != '\n')
                l->at++;
        if (!char_is_space(lex_peek(l)))
            return;
    }
}

struct promql_token *promql_lex(str text, struct arena *a)
{
    struct lex_lexer l = {.text = text, .a = a};
    struct promql_token *out;

    do {
        lex_skip_blanks(&l);
        l.start = l.at;
        if (l.in_braces)
            lex_brace(&l);
        else if (l.in_brackets)
            lex_bracket(&l);
        else
            lex_statement(&l);
    } while (!l.failed && vec_last(&l.out)->kind != TOK_EOF);
    out = arena_copy(a, l.out.v, l.out.n, l.out.n, sizeof(*out));
    vec_release(&l.out);
    return out;
}
