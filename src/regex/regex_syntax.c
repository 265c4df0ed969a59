#include "regex/regex_syntax.h"

#include "base/utf8.h"

static bool regex_syntax_fail(struct err *e, const char *what, str subject)
{
    return err_set(e, ERR_INVALID, "error parsing regexp: %s: `%.*s`", what, STR(subject));
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool regex_syntax_is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Behind "\x": two digits, or any number of them in braces. Moves i to where it stopped. */
static bool read_hex(str s, size_t *i, uint32_t *rune)
{
    uint32_t r = 0;
    size_t digits = 0;

    if (*i < s.n && s.p[*i] == '{') {
        for (++*i; *i < s.n && s.p[*i] != '}'; ++*i, digits++) {
            int h = hex_value(s.p[*i]);

            if (h < 0)
                return false;
            r = r * 16 + (uint32_t)h;
            if (r > RUNE_MAX)
                return false;
        }
        if (*i >= s.n || digits == 0)
            return false;
        ++*i;
        *rune = r;
        return true;
    }
    for (; digits < 2; digits++, ++*i) {
        int h = *i < s.n ? hex_value(s.p[*i]) : -1;

        if (h < 0)
            return false;
        r = r * 16 + (uint32_t)h;
    }
    *rune = r;
    return true;
}

bool re_syntax_escape(str *rest, uint32_t *rune, struct err *e)
{
    static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
    str s = *rest;
    size_t i = 2;
    const char *hit;
    char c;
    uint32_t r;

    if (s.n < 2)
        return regex_syntax_fail(e, "trailing backslash at end of expression", STR_NONE);
    c = s.p[1];
    if (c >= '0' && c <= '7') {
        /* A lone digit but 0 would be a backreference. */
        if (c != '0' && (s.n < 3 || s.p[2] < '0' || s.p[2] > '7'))
            return regex_syntax_fail(e, "invalid escape sequence", str_sub(s, 0, 2));
        r = (uint32_t)(c - '0');
        for (; i < 4 && i < s.n && s.p[i] >= '0' && s.p[i] <= '7'; i++)
            r = r * 8 + (uint32_t)(s.p[i] - '0');
    } else if (c == 'x') {
        if (!read_hex(s, &i, &r))
            return regex_syntax_fail(e, "invalid escape sequence",
                                     str_sub(s, 0, i < s.n ? i + 1 : s.n));
    } else if ((hit = c != '\0' ? strchr(from, c) : NULL) != NULL) {
        r = (uint32_t)to[hit - from];
    } else if ((unsigned char)c < 0x80 && !regex_syntax_is_alnum(c)) {
        r = (uint32_t)c;
    } else {
        return regex_syntax_fail(e, "invalid escape sequence",
                                 str_sub(s, 0, 1 + utf8_decode(str_sub(s, 1, s.n), &r)));
    }
    *rune = r;
    *rest = str_sub(s, i, s.n);
    return true;
}

static const struct re_range digit[] = {{'0', '9'}};
static const struct re_range space[] = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
static const struct re_range word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct re_range alpha[] = {{'A', 'Z'}, {'a', 'z'}};
static const struct re_range alnum[] = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
static const struct re_range ascii[] = {{0, 0x7F}};
static const struct re_range blank[] = {{'\t', '\t'}, {' ', ' '}};
static const struct re_range cntrl[] = {{0, 0x1F}, {0x7F, 0x7F}};
static const struct re_range graph[] = {{'!', '~'}};
static const struct re_range lower[] = {{'a', 'z'}};
static const struct re_range print[] = {{' ', '~'}};
static const struct re_range punct[] = {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}};
static const struct re_range posix_space[] = {{'\t', '\r'}, {' ', ' '}};
static const struct re_range upper[] = {{'A', 'Z'}};
static const struct re_range xdigit[] = {{'0', '9'}, {'A', 'F'}, {'a', 'f'}};
static const struct re_range anything[] = {{0, RUNE_MAX}};

#define NAMED(text, set)                                                                           \
    {                                                                                              \
        S_INIT(text), set, ARRAY_LEN(set)                                                          \
    }
static const struct re_named_class posix[] = {
    NAMED("alnum", alnum), NAMED("alpha", alpha),       NAMED("ascii", ascii),
    NAMED("blank", blank), NAMED("cntrl", cntrl),       NAMED("digit", digit),
    NAMED("graph", graph), NAMED("lower", lower),       NAMED("print", print),
    NAMED("punct", punct), NAMED("space", posix_space), NAMED("upper", upper),
    NAMED("word", word),   NAMED("xdigit", xdigit),
};
static const struct re_named_class any = NAMED("Any", anything);

/* \pN or \p{Name}, at the backslash. */
static bool read_unicode(str *rest, bool fold, re_set *set, struct err *e)
{
    str s = *rest, name;
    bool negate = s.p[1] == 'P';
    const struct re_named_class *c;
    uint32_t r;
    size_t end;

    if (s.n < 3)
        return regex_syntax_fail(e, "invalid character class range", s);
    if (s.p[2] == '{') {
        ptrdiff_t brace = str_find(s, '}');

        if (brace < 0)
            return regex_syntax_fail(e, "invalid character class range", s);
        name = str_sub(s, 3, (size_t)brace);
        end = (size_t)brace + 1;
    } else {
        end = 2 + utf8_decode(str_sub(s, 2, s.n), &r);
        name = str_sub(s, 2, end);
    }
    if (name.n != 0 && name.p[0] == '^') {
        negate = !negate;
        name = str_sub(name, 1, name.n);
    }
    c = str_is(name, "Any") ? &any : re_named_class_find(name);
    if (c == NULL)
        return regex_syntax_fail(e, "invalid character class range", str_sub(s, 0, end));
    re_set_add_class(set, c->v, c->n, fold, negate);
    *rest = str_sub(s, end, s.n);
    return true;
}

bool re_syntax_escaped_class(str *rest, bool fold, re_set *set, bool *is_class, struct err *e)
{
    char c = rest->n >= 2 ? rest->p[1] : '\0';

    *is_class = true;
    switch (c) {
    case 'd':
    case 'D': re_set_add_class(set, digit, ARRAY_LEN(digit), fold, c == 'D'); break;
    case 's':
    case 'S': re_set_add_class(set, space, ARRAY_LEN(space), fold, c == 'S'); break;
    case 'w':
    case 'W': re_set_add_class(set, word, ARRAY_LEN(word), fold, c == 'W'); break;
    case 'p':
    case 'P': return read_unicode(rest, fold, set, e);
    default: *is_class = false; return true;
    }
    *rest = str_sub(*rest, 2, rest->n);
    return true;
}

/* [:name:] or [:^name:]; not even closed means that '[' stands for itself. */
static bool read_posix(str *rest, bool fold, re_set *set, bool *is_class, struct err *e)
{
    ptrdiff_t end = str_find_str(str_sub(*rest, 2, rest->n), S(":]"));
    str name;
    bool negate;

    *is_class = end >= 0;
    if (end < 0)
        return true;
    name = str_sub(*rest, 2, 2 + (size_t)end);
    negate = name.n != 0 && name.p[0] == '^';
    if (negate)
        name = str_sub(name, 1, name.n);
    for (size_t i = 0; i < ARRAY_LEN(posix); i++) {
        if (!str_eq(posix[i].name, name))
            continue;
        re_set_add_class(set, posix[i].v, posix[i].n, fold, negate);
        *rest = str_sub(*rest, (size_t)end + 4, rest->n);
        return true;
    }
    return regex_syntax_fail(e, "invalid character class range",
                             str_sub(*rest, 0, (size_t)end + 4));
}

static bool read_class_rune(str *rest, str whole, uint32_t *rune, struct err *e)
{
    if (rest->n == 0)
        return regex_syntax_fail(e, "missing closing ]", whole);
    if (rest->p[0] == '\\')
        return re_syntax_escape(rest, rune, e);
    *rest = str_sub(*rest, utf8_decode(*rest, rune), rest->n);
    return true;
}

static bool regex_syntax_read_range(str *rest, str whole, bool fold, re_set *set, struct err *e)
{
    str from = *rest;
    uint32_t lo = 0, hi;

    if (!read_class_rune(rest, whole, &lo, e))
        return false;
    hi = lo;
    if (rest->n >= 2 && rest->p[0] == '-' && rest->p[1] != ']') {
        *rest = str_sub(*rest, 1, rest->n);
        if (!read_class_rune(rest, whole, &hi, e))
            return false;
        if (hi < lo)
            return regex_syntax_fail(e, "invalid character class range",
                                     str_sub(from, 0, from.n - rest->n));
    }
    if (fold)
        re_set_add_folded(set, lo, hi);
    else
        re_set_add(set, lo, hi);
    return true;
}

bool re_syntax_class(str *rest, bool fold, re_set *set, bool *negate, struct err *e)
{
    str whole = *rest, s = str_sub(*rest, 1, rest->n);
    bool first = true;

    *negate = s.n != 0 && s.p[0] == '^';
    if (*negate)
        s = str_sub(s, 1, s.n);
    for (; s.n == 0 || s.p[0] != ']' || first; first = false) {
        bool done = false;

        if (str_starts_with(s, S("[:")) && !read_posix(&s, fold, set, &done, e))
            return false;
        if (!done && s.n != 0 && s.p[0] == '\\' &&
            !re_syntax_escaped_class(&s, fold, set, &done, e))
            return false;
        if (!done && !regex_syntax_read_range(&s, whole, fold, set, e))
            return false;
    }
    *rest = str_sub(s, 1, s.n);
    return true;
}
