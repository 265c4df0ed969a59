/* escape_code.c - scripts, styles and URLs inside of a page, as far as a value's place depends on them: strings, comments,
 * patterns, and in JavaScript what a slash means.
 *
 *     f(a / {{.}})      behind an operand it divides
 *     return /{{.}}/    behind a word that wants one it begins a pattern
 */
#include "base/utf8.h"
#include "codec/quote.h"
#include "template/escape_priv.h"

size_t escape_fault(struct err *e, const char *what, str text)
{
    struct buf b = BUF_INIT;

    quote_go(&b, text);
    err_set(e, ERR_INVALID, "%s%.*s", what, STR(buf_str(&b)));
    buf_release(&b);
    return SIZE_MAX;
}

size_t escape_fault_char(struct err *e, str at, const char *what, str text)
{
    struct buf b = BUF_INIT;

    quote_go(&b, str_sub(at, 0, 1));
    buf_add(&b, str_of(what));
    quote_go(&b, text);
    err_set(e, ERR_INVALID, "%.*s", STR(buf_str(&b)));
    buf_release(&b);
    return SIZE_MAX;
}

str escape_shortened(str s)
{
    size_t n = 0;
    uint32_t r;

    for (int i = 0; i < 32 && n < s.n; i++)
        n += utf8_decode(escape_priv_rest(s, n), &r);
    return str_sub(s, 0, n);
}

size_t escape_in_url(struct tmpl_escape *x, str s, struct err *e)
{
    (void)e;
    if (find_any(s, 0, "#?") < s.n)
        x->url = URL_QUERY;
    else if (x->url == URL_START && escape_priv_skip_blanks(s, 0) < s.n)
        x->url = URL_PATH;
    return s.n;
}

/* -- JavaScript -- */

static bool is_identifier(char c)
{
    return escape_priv_is_alpha(c) || char_is_digit(c) || c == '_' || c == '$';
}

/* What a slash behind s begins, by its last token. */
static enum tmpl_slash slash_after(str s, enum tmpl_slash before)
{
    static const char *const words[] = {"break", "case",    "continue", "delete",     "do",
                                        "else",  "finally", "in",       "instanceof", "return",
                                        "throw", "try",     "typeof",   "void"};
    size_t n, start;
    char c;

    while (s.n != 0 && (char_is_white(s.p[s.n - 1]) || str_ends_with(s, S("\u2028")) ||
                        str_ends_with(s, S("\u2029"))))
        s.n -= char_is_white(s.p[s.n - 1]) ? 1 : 3;
    if (s.n == 0)
        return before;
    n = s.n;
    c = s.p[n - 1];
    if (c == '+' || c == '-') { /* a++ is an operand, a+ wants one */
        for (start = n - 1; start > 0 && s.p[start - 1] == c;)
            start--;
        return (n - start) % 2 == 1 ? SLASH_REGEXP : SLASH_DIVIDES;
    }
    if (c == '.')
        return n != 1 && char_is_digit(s.p[n - 2]) ? SLASH_DIVIDES : SLASH_REGEXP;
    if (c != '\0' && strchr(",<>=*%&|^?!~([:;{}", c) != NULL)
        return SLASH_REGEXP;
    for (start = n; start > 0 && is_identifier(s.p[start - 1]);)
        start--;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(escape_priv_rest(s, start), words[i]))
            return SLASH_REGEXP;
    return SLASH_DIVIDES;
}

/* Only the braces inside of ${...} are counted: the last one leads back into the template literal. */
static size_t at_brace(struct tmpl_escape *x, char c, size_t next)
{
    x->slash = SLASH_REGEXP;
    if (x->n_braces == 0)
        return next;
    if (c == '{') {
        x->braces[x->n_braces - 1]++;
    } else if (x->braces[x->n_braces - 1]-- == 0) {
        x->braces[--x->n_braces] = 0;
        x->state = HS_JS_TEMPLATE;
    }
    return next;
}

size_t escape_in_js(struct tmpl_escape *x, str s, struct err *e)
{
    size_t i = find_any(s, 0, "\"'`/{}");
    char next = i + 1 < s.n ? s.p[i + 1] : '\0';

    x->slash = slash_after(str_sub(s, 0, i), x->slash);
    if (i == s.n)
        return i;
    if (s.p[i] == '{' || s.p[i] == '}')
        return at_brace(x, s.p[i], i + 1);
    if (s.p[i] != '/') {
        x->state = s.p[i] == '"' ? HS_JS_DQ : s.p[i] == '\'' ? HS_JS_SQ : HS_JS_TEMPLATE;
        x->slash = SLASH_REGEXP;
        return i + 1;
    }
    if (next == '/' || next == '*') {
        x->state = next == '/' ? HS_JS_LINE_COMMENT : HS_JS_BLOCK_COMMENT;
        return i + 2;
    }
    if (x->slash == SLASH_UNKNOWN)
        return escape_fault(
            e, "'/' could start a division or regexp: ", escape_shortened(escape_priv_rest(s, i)));
    if (x->slash == SLASH_REGEXP)
        x->state = HS_JS_REGEXP;
    x->slash = SLASH_REGEXP;
    return i + 1;
}

size_t escape_in_js_quoted(struct tmpl_escape *x, str s, struct err *e)
{
    const char *specials = x->state == HS_JS_DQ       ? "\\\""
                           : x->state == HS_JS_SQ     ? "\\'"
                           : x->state == HS_JS_REGEXP ? "\\/[]"
                                                      : "\\`$";
    bool in_set = false;

    for (size_t i = find_any(s, 0, specials); i < s.n; i = find_any(s, i + 1, specials)) {
        if (s.p[i] == '\\') {
            if (++i == s.n)
                return escape_fault(e, "unfinished escape sequence in JS string: ", s);
        } else if (s.p[i] == '[' || s.p[i] == ']') {
            in_set = s.p[i] == '[';
        } else if (s.p[i] == '$') {
            if (i + 1 == s.n || s.p[i + 1] != '{')
                continue;
            if (x->n_braces == TMPL_JS_NESTING)
                return escape_fault(
                    e, "too many template literals inside of another: ", escape_shortened(s));
            x->n_braces++;
            x->state = HS_JS;
            x->slash = SLASH_REGEXP;
            return i + 2;
        } else if (!in_set) {
            x->state = HS_JS;
            x->slash = SLASH_DIVIDES;
            return i + 1;
        }
    }
    if (in_set)
        return escape_fault(e, "unfinished JS regexp charset: ", s);
    return s.n;
}

size_t escape_in_block_comment(struct tmpl_escape *x, str s, struct err *e)
{
    ptrdiff_t end = str_find_str(s, S("*/"));

    (void)e;
    if (end < 0)
        return s.n;
    x->state = x->state == HS_JS_BLOCK_COMMENT ? HS_JS : HS_CSS;
    return (size_t)end + 2;
}

/* The line's end is no part of the comment. */
size_t escape_in_line_comment(struct tmpl_escape *x, str s, struct err *e)
{
    bool is_js = x->state == HS_JS_LINE_COMMENT;
    size_t end = find_any(s, 0, is_js ? "\n\r" : "\n\f\r");

    (void)e;
    for (size_t i = 0; is_js && i + 2 < end; i++)
        if (str_starts_with(escape_priv_rest(s, i), S("\u2028")) ||
            str_starts_with(escape_priv_rest(s, i), S("\u2029")))
            end = i;
    if (end < s.n)
        x->state = is_js ? HS_JS : HS_CSS;
    return end;
}

/* -- CSS -- */

/* Whether s ends in the word url, and not in a longer one. */
static bool ends_in_url(str s)
{
    char before;

    while (s.n != 0 && char_is_white(s.p[s.n - 1]))
        s.n--;
    if (s.n < 3 || !str_eq_nocase(escape_priv_rest(s, s.n - 3), S("url")))
        return false;
    before = s.n > 3 ? s.p[s.n - 4] : ' ';
    return !escape_priv_is_alpha(before) && !char_is_digit(before) && before != '-' &&
           before != '_' && (unsigned char)before < 0x80;
}

size_t escape_in_css(struct tmpl_escape *x, str s, struct err *e)
{
    (void)e;
    for (size_t i = find_any(s, 0, "(\"'/"); i < s.n; i = find_any(s, i + 1, "(\"'/")) {
        char next = i + 1 < s.n ? s.p[i + 1] : '\0';

        if (s.p[i] == '"' || s.p[i] == '\'') {
            x->state = s.p[i] == '"' ? HS_CSS_DQ : HS_CSS_SQ;
            return i + 1;
        }
        if (s.p[i] == '/' && (next == '/' || next == '*')) {
            x->state = next == '/' ? HS_CSS_LINE_COMMENT : HS_CSS_BLOCK_COMMENT;
            return i + 2;
        }
        if (s.p[i] == '(' && ends_in_url(str_sub(s, 0, i))) {
            i = escape_priv_skip_blanks(s, i + 1);
            next = i < s.n ? s.p[i] : '\0';
            x->state = next == '"' ? HS_CSS_DQ_URL : next == '\'' ? HS_CSS_SQ_URL : HS_CSS_URL;
            return i + (x->state != HS_CSS_URL);
        }
    }
    return s.n;
}

size_t escape_in_css_quoted(struct tmpl_escape *x, str s, struct err *e)
{
    const char *ends = x->state == HS_CSS_URL                               ? "\\\t\n\f\r )"
                       : x->state == HS_CSS_DQ || x->state == HS_CSS_DQ_URL ? "\\\""
                                                                            : "\\'";

    for (size_t i = find_any(s, 0, ends), from = 0;; i = find_any(s, i + 1, ends)) {
        if (i < s.n && s.p[i] != '\\') {
            x->state = HS_CSS;
            return i + 1;
        }
        if (i + 1 == s.n)
            return escape_fault(e, "unfinished escape sequence in CSS string: ", s);
        (void)escape_in_url(x, str_sub(s, from, i), e);
        if (i >= s.n)
            return s.n;
        if (x->url == URL_START) /* an escape stands for some byte of a path */
            x->url = URL_PATH;
        from = ++i + 1;
    }
}
