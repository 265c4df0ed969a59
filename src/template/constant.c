/* A number is integer, unsigned and floating-point number at once, as far as it has a value of that type: which one is
 * meant shows where it is used.
 *
 *     0x1F   int 31, uint 31, float 31        -1   int -1, float -1        1e3   float 1000, int 1000, uint 1000
 */
#include "template/constant.h"

#include "base/utf8.h"
#include "codec/float.h"
#include "codec/quote.h"

bool tmpl_constant_text(struct arena *a, struct tmpl_token t, str *out, struct err *e)
{
    str body = str_sub(t.text, 1, t.text.n - 1);

    if (t.type == TOK_RAW_STRING) {
        char *z = arena_alloc(a, body.n + 1);
        size_t k = 0;

        for (size_t i = 0; i < body.n; i++)
            if (body.p[i] != '\r')
                z[k++] = body.p[i];
        *out = (str){z, k};
        return true;
    }
    return unquote_go_bytes(a, body, out, NULL) || err_set(e, ERR_INVALID, "invalid syntax");
}

static bool char_value(struct arena *a, str text, int64_t *out)
{
    str s, body = str_sub(text, 1, text.n - 1);
    uint32_t r;

    if (body.n == 0 || (body.p[0] == '"' && body.n != 1))
        return false;
    if (body.n == 1 && body.p[0] == '"')
        s = body;
    else if (!unquote_go_bytes(a, body, &s, NULL))
        return false;
    if (s.n == 0 || utf8_decode(s, &r) != s.n)
        return false;
    *out = (int64_t)r;
    return true;
}

/* strconv.ParseInt with base 0: prefixes, and underscores where Go allows them. */
bool tmpl_constant_integer(str text, bool *negative, uint64_t *out)
{
    uint64_t v = 0;
    unsigned base = 10;
    size_t i = 0;
    bool any = false;

    *negative = text.n != 0 && text.p[0] == '-';
    if (text.n != 0 && (text.p[0] == '-' || text.p[0] == '+'))
        i++;
    if (i + 1 < text.n && text.p[i] == '0') {
        char c = (char)(text.p[i + 1] | 0x20);

        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        i += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
    }
    for (; i < text.n; i++) {
        char c = text.p[i];
        unsigned d = c >= '0' && c <= '9'                     ? (unsigned)(c - '0')
                     : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (unsigned)((c | 0x20) - 'a') + 10
                                                              : 99;
        if (c == '_')
            continue;
        if (d >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
            return false;
        any = true;
    }
    *out = v;
    return any;
}

static bool char_number(struct arena *a, str text, struct tmpl_node *n, struct err *e)
{
    if (text.n == 2)
        return err_set(e, ERR_INVALID, "invalid syntax");
    if (!char_value(a, text, &n->i))
        return err_set(e, ERR_INVALID, "malformed character constant: %.*s", STR(text));
    n->is_int = n->is_uint = n->is_float = true;
    n->u = (uint64_t)n->i;
    n->f = (double)n->i;
    return true;
}

#define TWO_TO_63 9223372036854775808.0

static bool float_number(str text, struct tmpl_node *n, struct err *e)
{
    bool is_hex = text.n > 2 && (text.p[1] | 0x20) == 'x', has_mark = false, ok;
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < text.n; i++) {
        has_mark = has_mark || strchr(is_hex ? ".pP" : ".eE", text.p[i]) != NULL;
        if (text.p[i] != '_')
            buf_addc(&b, text.p[i]);
    }
    ok = float_parse(buf_str(&b), &n->f, NULL);
    buf_release(&b);
    if (!ok)
        return err_set(e, ERR_INVALID, "illegal number syntax: \"%.*s\"", STR(text));
    if (!has_mark)
        return err_set(e, ERR_INVALID, "integer overflow: \"%.*s\"", STR(text));
    n->is_float = n->is_ideal_float = true;
    n->is_int = n->f >= -TWO_TO_63 && n->f < TWO_TO_63 && n->f == (double)(int64_t)n->f;
    n->is_uint = n->f >= 0 && n->f < 2 * TWO_TO_63 && n->f == (double)(uint64_t)n->f;
    n->i = n->is_int ? (int64_t)n->f : 0;
    n->u = n->is_uint ? (uint64_t)n->f : 0;
    return true;
}

bool tmpl_constant_number(struct arena *a, struct tmpl_token t, struct tmpl_node *n, struct err *e)
{
    bool negative;
    uint64_t v;

    if (t.type == TOK_CHAR_CONSTANT)
        return char_number(a, t.text, n, e);
    if (!tmpl_constant_integer(t.text, &negative, &v))
        return float_number(t.text, n, e);
    n->is_uint = v == 0 || (!negative && t.text.p[0] != '+');
    n->u = v;
    n->is_int = negative ? v <= (uint64_t)INT64_MAX + 1 : v <= INT64_MAX;
    if (!n->is_int && !n->is_uint)
        return err_set(e, ERR_INVALID, "integer overflow: \"%.*s\"", STR(t.text));
    n->i = negative ? (int64_t)(0 - v) : (int64_t)v;
    n->is_float = true;
    n->f = negative ? -(double)v : (double)v;
    return true;
}
