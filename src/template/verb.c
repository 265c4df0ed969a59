/* A verb's text is made without width first, then padded: only the zero flag has to look inside, to keep the sign in
 * front of the zeros. Lists and maps apply the verb to each element, with the flags repeated:
 *
 *     %05.1f of [3.14159 -2]   gives   [003.1 -02.0]
 */
#include "template/verb.h"

#include <math.h>
#include <stdio.h>
#include "base/utf8.h"
#include "codec/duration.h"
#include "codec/float.h"
#include "codec/quote.h"
#include "template/time.h"

static void pad(struct tmpl_printer *p, const struct tmpl_spec *s, str text)
{
    size_t runes = utf8_count(text);
    size_t fill = s->has_width && (size_t)s->width > runes ? (size_t)s->width - runes : 0;

    if (!s->minus)
        buf_pad(p->out, s->zero ? '0' : ' ', fill);
    buf_add(p->out, text);
    if (s->minus)
        buf_pad(p->out, ' ', fill);
}

/* As pad(), but zeros go between the sign and the digits. */
static void pad_number(struct tmpl_printer *p, const struct tmpl_spec *s, str text)
{
    if (s->zero && !s->minus && s->has_width && text.n != 0 &&
        (text.p[0] == '-' || text.p[0] == '+' || text.p[0] == ' ')) {
        struct tmpl_spec rest = *s;

        buf_addc(p->out, text.p[0]);
        rest.width = s->width > 0 ? s->width - 1 : 0;
        pad(p, &rest, str_sub(text, 1, text.n));
        return;
    }
    pad(p, s, text);
}

static void bad_verb(struct tmpl_printer *p, const struct tmpl_spec *s, const struct tmpl_value *v)
{
    struct tmpl_spec plain = *s;

    plain.verb = 'v';
    buf_adds(p->out, "%!");
    utf8_add(p->out, s->verb);
    buf_addc(p->out, '(');
    if (v->kind == TV_NONE || v->kind == TV_NIL) {
        buf_adds(p->out, "<nil>");
    } else {
        buf_add(p->out, str_of(tv_type_name(v)));
        buf_addc(p->out, '=');
        tmpl_verb_put(p, &plain, v);
    }
    buf_addc(p->out, ')');
}

/* -- integers -- */

static void put_digits(struct buf *b, uint64_t v, unsigned base, bool upper)
{
    char digits[65];
    size_t i = sizeof(digits);

    do {
        digits[--i] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[v % base];
        v /= base;
    } while (v != 0);
    buf_add(b, (str){digits + i, sizeof(digits) - i});
}

static void put_integer(struct tmpl_printer *p, const struct tmpl_spec *s, uint64_t v,
                        bool negative)
{
    static const struct {
        char verb;
        unsigned base;
        const char *sharp;
    } bases[] = {{'v', 10, ""},  {'d', 10, ""},   {'b', 2, "0b"}, {'o', 8, "0"},
                 {'O', 8, "0o"}, {'x', 16, "0x"}, {'X', 16, "0X"}};
    struct buf digits = BUF_INIT, b = BUF_INIT;
    struct tmpl_spec padded = *s;
    size_t k = 0, want;

    while (k < ARRAY_LEN(bases) - 1 && (uint32_t)bases[k].verb != s->verb)
        k++;
    put_digits(&digits, v, bases[k].base, s->verb == 'X');
    if (s->has_precision && s->precision == 0 && v == 0)
        buf_clear(&digits);
    if (negative)
        buf_addc(&b, '-');
    else if (s->plus)
        buf_addc(&b, '+');
    else if (s->space)
        buf_addc(&b, ' ');
    want = s->has_precision ? (size_t)s->precision : 0;
    if (!s->has_precision && s->zero && !s->minus && s->has_width)
        want = (size_t)s->width > b.n ? (size_t)s->width - b.n : 0;
    if ((s->sharp || s->verb == 'O') && bases[k].sharp[0] != '\0' &&
        (s->verb != 'o' || (digits.n != 0 && digits.p[0] != '0')))
        buf_add(&b, str_of(bases[k].sharp));
    if (want > digits.n)
        buf_pad(&b, '0', want - digits.n);
    buf_add(&b, buf_str(&digits));
    padded.zero = false;
    pad(p, &padded, buf_str(&b));
    buf_release(&digits);
    buf_release(&b);
}

static void put_integer_verb(struct tmpl_printer *p, const struct tmpl_spec *s,
                             const struct tmpl_value *v)
{
    bool is_signed = v->kind != TV_UINT, negative = is_signed && v->i < 0;
    uint64_t magnitude = !is_signed ? v->u : negative ? 0 - (uint64_t)v->i : (uint64_t)v->i;
    uint32_t rune = negative || magnitude > 0x10ffff ? 0xfffd : (uint32_t)magnitude;
    char utf[4];
    struct buf b = BUF_INIT;

    switch (s->verb) {
    case 'v':
    case 'd':
    case 'b':
    case 'o':
    case 'O':
    case 'x':
    case 'X': put_integer(p, s, magnitude, negative); return;
    case 'c': pad(p, s, (str){utf, utf8_encode(utf, rune)}); return;
    case 'q':
        quote_go_rune(&b, (str){utf, utf8_encode(utf, rune)});
        pad(p, s, buf_str(&b));
        break;
    case 'U':
        buf_addf(&b, "U+%04llX", (unsigned long long)v->u);
        if (s->sharp)
            buf_addf(&b, " '%.*s'", (int)utf8_encode(utf, rune), utf);
        pad(p, s, buf_str(&b));
        break;
    default: bad_verb(p, s, v);
    }
    buf_release(&b);
}

/* -- floats -- */

static void float_exp(struct buf *b, double v, int precision, char verb)
{
    char text[64];

    if (precision < 0) { /* shortest digits, with an exponent */
        for (precision = 0; precision < 17; precision++) {
            double back;

            snprintf(text, sizeof(text), "%.*e", precision, v);
            if (float_parse(str_of(text), &back, NULL) && back == v)
                break;
        }
    }
    buf_addf(b, verb == 'E' ? "%.*E" : "%.*e", precision, v);
}

static void float_text(struct buf *b, const struct tmpl_spec *s, double v)
{
    int precision = s->has_precision ? (s->precision > 1000 ? 1000 : s->precision) : -1;

    switch (s->verb) {
    case 'v':
    case 'g':
    case 'G':
        if (precision < 0 && !s->sharp)
            float_print_g(b, v);
        else
            buf_addf(b, s->sharp ? "%#.*g" : "%.*g", precision < 0 ? 6 : precision, v);
        if (s->verb == 'G')
            for (size_t i = 0; i < b->n; i++)
                if (b->p[i] == 'e')
                    b->p[i] = 'E';
        return;
    case 'e':
    case 'E': float_exp(b, v, precision < 0 ? 6 : precision, (char)s->verb); return;
    case 'x':
    case 'X':
        if (precision < 0)
            buf_addf(b, s->verb == 'x' ? "%a" : "%A", v);
        else
            buf_addf(b, s->verb == 'x' ? "%.*a" : "%.*A", precision, v);
        /* Go writes at least two digits of exponent. */
        for (size_t i = 0; i < b->n; i++)
            if ((b->p[i] | 0x20) == 'p' && b->n - i == 3) {
                char last = b->p[b->n - 1];

                b->p[b->n - 1] = '0';
                buf_addc(b, last);
                return;
            }
        return;
    case 'b': {
        int exponent;
        double m = frexp(v, &exponent);

        buf_addf(b, "%lldp%+d", (long long)ldexp(m, 53), v == 0 ? -1074 : exponent - 53);
        return;
    }
    default: buf_addf(b, "%.*f", precision < 0 ? 6 : precision, v);
    }
}

static void put_float(struct tmpl_printer *p, const struct tmpl_spec *s, const struct tmpl_value *v)
{
    struct buf b = BUF_INIT;
    struct tmpl_spec padded = *s;

    if (s->verb > 0x7f || s->verb == 0 || strchr("vbgGxXfFeE", (int)s->verb) == NULL) {
        bad_verb(p, s, v);
        return;
    }
    if (isnan(v->f)) {
        buf_add(&b, s->plus ? S("+NaN") : s->space ? S(" NaN") : S("NaN"));
        padded.zero = false;
    } else if (isinf(v->f)) {
        buf_add(&b, v->f < 0 ? S("-Inf") : s->space && !s->plus ? S(" Inf") : S("+Inf"));
        padded.zero = false;
    } else {
        if (!signbit(v->f) && (s->plus || s->space))
            buf_addc(&b, s->plus ? '+' : ' ');
        if (b.n != 0) {
            struct buf digits = BUF_INIT;

            float_text(&digits, s, v->f);
            buf_add(&b, buf_str(&digits));
            buf_release(&digits);
        } else {
            float_text(&b, s, v->f);
        }
    }
    pad_number(p, &padded, buf_str(&b));
    buf_release(&b);
}

/* -- text -- */

static str cut_runes(str s, size_t n)
{
    size_t at = 0;
    uint32_t r;

    while (n-- != 0 && at < s.n)
        at += utf8_decode(str_sub(s, at, s.n), &r);
    return str_sub(s, 0, at);
}

static void verb_put_quoted(struct tmpl_printer *p, const struct tmpl_spec *s, str text)
{
    struct buf b = BUF_INIT;

    if (s->sharp && str_find(text, '`') < 0 && utf8_is_valid(text)) {
        buf_addc(&b, '`');
        buf_add(&b, text);
        buf_addc(&b, '`');
    } else if (s->plus) {
        buf_addc(&b, '"');
        while (text.n != 0) {
            uint32_t r;
            size_t k = utf8_decode(text, &r);
            struct buf q = BUF_INIT;

            if (r >= 0x80 && k > 1) {
                buf_addf(&b, r < 0x10000 ? "\\u%04x" : "\\U%08x", r);
            } else {
                quote_go(&q, str_sub(text, 0, k));
                buf_add(&b, str_sub(buf_str(&q), 1, q.n - 1));
            }
            buf_release(&q);
            text = str_sub(text, k, text.n);
        }
        buf_addc(&b, '"');
    } else {
        quote_go(&b, text);
    }
    pad(p, s, buf_str(&b));
    buf_release(&b);
}

static void put_hex(struct tmpl_printer *p, const struct tmpl_spec *s, str text)
{
    struct buf b = BUF_INIT;

    if (s->has_precision)
        text = str_sub(text, 0, (size_t)s->precision);
    for (size_t i = 0; i < text.n; i++) {
        if (s->space && i != 0)
            buf_addc(&b, ' ');
        if (s->sharp && (s->space || i == 0))
            buf_add(&b, s->verb == 'x' ? S("0x") : S("0X"));
        buf_addf(&b, s->verb == 'x' ? "%02x" : "%02X", (unsigned char)text.p[i]);
    }
    pad(p, s, buf_str(&b));
    buf_release(&b);
}

static void verb_put_text(struct tmpl_printer *p, const struct tmpl_spec *s,
                          const struct tmpl_value *v, str text)
{
    str shown = s->has_precision ? cut_runes(text, (size_t)s->precision) : text;

    switch (s->verb) {
    case 'v':
        if (s->sharp)
            verb_put_quoted(p, s, text);
        else
            pad(p, s, shown);
        break;
    case 's': pad(p, s, shown); break;
    case 'q': verb_put_quoted(p, s, shown); break;
    case 'x':
    case 'X': put_hex(p, s, text); break;
    default: bad_verb(p, s, v);
    }
}

/* -- the rest -- */

static void verb_put_list(struct tmpl_printer *p, const struct tmpl_spec *s,
                          const struct tmpl_value *v)
{
    buf_addc(p->out, '[');
    for (size_t i = 0; i < v->list.n; i++) {
        if (i != 0)
            buf_addc(p->out, ' ');
        tmpl_verb_put(p, s, &v->list.v[i]);
    }
    buf_addc(p->out, ']');
}

static void verb_put_map(struct tmpl_printer *p, const struct tmpl_spec *s,
                         const struct tmpl_value *v)
{
    struct tmpl_map m = tv_map_of(v);

    buf_adds(p->out, "map[");
    for (size_t i = 0; i < m.n; i++) {
        struct tmpl_value key = tv_str(m.v[i].key);

        if (i != 0)
            buf_addc(p->out, ' ');
        tmpl_verb_put(p, s, &key);
        buf_addc(p->out, ':');
        tmpl_verb_put(p, s, &m.v[i].value);
    }
    buf_addc(p->out, ']');
}

static void verb_put_object(struct tmpl_printer *p, const struct tmpl_spec *s,
                            const struct tmpl_value *v)
{
    bool first = true;

    buf_addc(p->out, '{');
    for (const struct tmpl_field *f = v->type != NULL ? v->type->fields : NULL;
         v->object != NULL && f != NULL && f->name != NULL; f++) {
        struct tmpl_value x = TV_ZERO;

        if (f->json != NULL && f->json[0] == '\0')
            continue; /* what Go's struct does not have is only there for who names it */
        if (!first)
            buf_addc(p->out, ' ');
        first = false;
        if (s->plus) {
            buf_add(p->out, str_of(f->name));
            buf_addc(p->out, ':');
        }
        f->get(p->env, v->object, &x);
        tmpl_verb_put(p, s, &x);
    }
    buf_addc(p->out, '}');
}

/* Whether the value speaks for itself: a Stringer under a verb for text. */
static bool own_text(struct tmpl_printer *p, const struct tmpl_spec *s, struct buf *b,
                     const struct tmpl_value *v)
{
    if (v->type != NULL && v->type->text != NULL)
        v->type->text(p->env, b, v);
    else if (v->kind == TV_TIME)
        tmpl_time_print(b, v->time);
    else if (v->kind == TV_DURATION)
        go_duration_print(b, v->i);
    else if (v->type == &tmpl_bytes && s->verb != 'v')
        tv_bytes_text(b, v);
    else
        return false;
    return true;
}

static void put_kind(struct tmpl_printer *p, const struct tmpl_spec *s, const struct tmpl_value *v)
{
    switch (v->kind) {
    case TV_NONE:
    case TV_NIL:
        if (s->verb == 'v')
            pad(p, s, S("<nil>"));
        else
            bad_verb(p, s, v);
        break;
    case TV_BOOL:
        if (s->verb == 't' || s->verb == 'v')
            pad(p, s, v->b ? S("true") : S("false"));
        else
            bad_verb(p, s, v);
        break;
    case TV_INT:
    case TV_UINT:
    case TV_DURATION: put_integer_verb(p, s, v); break;
    case TV_FLOAT: put_float(p, s, v); break;
    case TV_STRING: verb_put_text(p, s, v, v->s); break;
    case TV_LIST: verb_put_list(p, s, v); break;
    case TV_MAP: verb_put_map(p, s, v); break;
    case TV_OBJECT: verb_put_object(p, s, v); break;
    case TV_TIME: bad_verb(p, s, v); break;
    }
}

void tmpl_verb_put(struct tmpl_printer *p, const struct tmpl_spec *s, const struct tmpl_value *v)
{
    struct buf b = BUF_INIT;
    bool is_text =
        s->verb == 'v' || s->verb == 's' || s->verb == 'q' || s->verb == 'x' || s->verb == 'X';

    if (p->env->a->limit != 0 && p->out->n > p->env->a->limit)
        return;
    if (s->verb == 'T') {
        pad(p, s, v->kind == TV_NIL ? S("<nil>") : str_of(tv_type_name(v)));
        return;
    }
    if (p->depth > TMPL_PRINT_DEPTH) {
        buf_adds(p->out, "...");
        return;
    }
    p->depth++;
    if (is_text && own_text(p, s, &b, v))
        verb_put_text(p, s, v, buf_str(&b));
    else
        put_kind(p, s, v);
    p->depth--;
    buf_release(&b);
}
