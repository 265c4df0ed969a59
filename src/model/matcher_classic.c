/* matcher_classic.c - the grammar that Alertmanager had before UTF-8 names.
 *
 * One matcher is: blanks, name, blanks, operator, blanks, anything, blanks. The "anything" is the
 * value; a quote at its begin asks for one at its end. A list is cut at commas outside quotes
 * before any matcher is looked at, so a value may hold braces and equal signs: "{foo=bar}}" is
 * foo="bar}".
 */
#include "base/utf8.h"
#include "base/vec.h"
#include "model/matcher_syntax.h"

static str trim_left(str s)
{
    while (s.n != 0 && char_is_white(s.p[0]))
        s = str_sub(s, 1, s.n);
    return s;
}

static str matcher_classic_trim(str s)
{
    s = trim_left(s);
    while (s.n != 0 && char_is_white(s.p[s.n - 1]))
        s.n--;
    return s;
}

static size_t name_length(str s)
{
    size_t i = 0;

    for (; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
                  (i != 0 && c >= '0' && c <= '9');

        if (!ok)
            break;
    }
    return i;
}

static bool read_op(str *s, enum match_op *op)
{
    static const struct {
        str text;
        enum match_op op;
    } ops[] = {{S_INIT("=~"), MATCH_RE},
               {S_INIT("="), MATCH_EQ},
               {S_INIT("!="), MATCH_NE},
               {S_INIT("!~"), MATCH_NRE}};

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (!str_starts_with(*s, ops[i].text))
            continue;
        *op = ops[i].op;
        *s = str_sub(*s, ops[i].text.n, s->n);
        return true;
    }
    return false;
}

static bool matcher_classic_read_value(str raw, struct arena *a, str *out, struct err *e)
{
    bool quoted = raw.n != 0 && raw.p[0] == '"', closed = !quoted;
    str s = quoted ? str_sub(raw, 1, raw.n) : raw;
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;

    if (!utf8_is_valid(raw))
        return err_set(e, ERR_INVALID, "matcher value not valid UTF-8: %.*s", STR(raw));
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '\\' && i + 1 < s.n) {
            char next = s.p[++i];

            if (next != 'n' && next != '"' && next != '\\')
                p[n++] = '\\';
            p[n++] = next == 'n' ? '\n' : next;
        } else if (c == '"') {
            if (closed || i + 1 < s.n)
                return err_set(e, ERR_INVALID,
                               "matcher value contains unescaped double quote: %.*s", STR(raw));
            closed = true;
        } else {
            p[n++] = c;
        }
    }
    if (!closed)
        return err_set(e, ERR_INVALID, "matcher value contains unescaped double quote: %.*s",
                       STR(raw));
    p[n] = '\0';
    *out = (str){p, n};
    return true;
}

static bool parse_one(str s, struct arena *a, struct matcher *out, struct err *e)
{
    str rest = trim_left(s), name, value = STR_NONE;
    enum match_op op;

    name = str_sub(rest, 0, name_length(rest));
    rest = trim_left(str_sub(rest, name.n, rest.n));
    if (name.n == 0 || !read_op(&rest, &op))
        return err_set(e, ERR_INVALID, "bad matcher format: %.*s", STR(s));
    if (!matcher_classic_read_value(matcher_classic_trim(rest), a, &value, e))
        return false;
    return matcher_init(out, op, arena_str(a, name), value, e);
}

bool matcher_parse_classic(str s, struct arena *a, struct matchers *out, struct err *e)
{
    struct matcher *m = arena_new(a, struct matcher);

    if (!parse_one(s, a, m, e))
        return false;
    *out = (struct matchers){m, 1};
    return true;
}

typedef VEC(str) tokens;

static void matcher_classic_split(str s, tokens *out)
{
    bool inside = false, escaped = false;
    size_t from = 0;
    str last;

    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case ',':
            if (!inside) {
                vec_push(out, str_sub(s, from, i));
                from = i + 1;
            }
            break;
        case '"':
            if (!escaped)
                inside = !inside;
            escaped = false;
            break;
        case '\\': escaped = !escaped; break;
        default: escaped = false;
        }
    }
    last = matcher_classic_trim(str_sub(s, from, s.n));
    if (last.n != 0)
        vec_push(out, last);
}

bool matchers_parse_classic(str s, struct arena *a, struct matchers *out, struct err *e)
{
    tokens t = VEC_INIT;
    struct matchers ms = {0};

    if (str_starts_with(s, S("{")))
        s = str_sub(s, 1, s.n);
    if (str_ends_with(s, S("}")))
        s.n--;
    matcher_classic_split(s, &t);
    ms.v = arena_array(a, t.n, sizeof(*ms.v));
    while (ms.n < t.n && parse_one(t.v[ms.n], a, &ms.v[ms.n], e))
        ms.n++;
    if (ms.n < t.n) {
        matchers_release(&ms);
        vec_release(&t);
        return false;
    }
    vec_release(&t);
    *out = ms;
    return true;
}
