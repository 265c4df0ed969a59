/* A format is read from its first % to its last; each verb takes the next argument, and verb.c writes it.
 *
 *     printf "%05.1f|%-4d|%q" 3.14159 7 "a\"b"   gives   003.1|7   |"a\"b"
 */
#include "template/printf.h"

#include "base/utf8.h"
#include "template/verb.h"

enum { WIDTH_MAX = 1000000 };

struct format {
    struct tmpl_printer p;
    str fmt;
    size_t at;
    const struct tmpl_value *args;
    size_t n, next;
    bool reordered, good_index;
};

static char printf_here(const struct format *f)
{
    return f->at < f->fmt.n ? f->fmt.p[f->at] : '\0';
}

static bool digits(struct format *f, int *out)
{
    bool any = false;

    *out = 0;
    for (; printf_here(f) >= '0' && printf_here(f) <= '9'; f->at++) {
        *out = *out > WIDTH_MAX ? *out : *out * 10 + (printf_here(f) - '0');
        any = true;
    }
    return any && *out <= WIDTH_MAX;
}

/* [3] chooses the argument. */
static void arg_index(struct format *f)
{
    ptrdiff_t close;
    uint64_t k;

    if (printf_here(f) != '[')
        return;
    f->reordered = true;
    close = str_find(str_sub(f->fmt, f->at, f->fmt.n), ']');
    if (close < 0) {
        f->good_index = false;
        f->at++;
        return;
    }
    if (str_to_u64(str_sub(f->fmt, f->at + 1, f->at + (size_t)close), &k) && k >= 1 && k <= f->n)
        f->next = (size_t)k - 1;
    else
        f->good_index = false;
    f->at += (size_t)close + 1;
}

static bool star(struct format *f, int *out)
{
    const struct tmpl_value *v = f->next < f->n ? &f->args[f->next++] : NULL;

    if (v == NULL || v->kind != TV_INT || v->i > WIDTH_MAX || v->i < -WIDTH_MAX)
        return false;
    *out = (int)v->i;
    return true;
}

static void flags(struct format *f, struct tmpl_spec *s)
{
    for (;; f->at++) {
        switch (printf_here(f)) {
        case '#': s->sharp = true; break;
        case '0': s->zero = true; break;
        case '+': s->plus = true; break;
        case '-': s->minus = true; break;
        case ' ': s->space = true; break;
        default: s->zero = s->zero && !s->minus; return;
        }
    }
}

static void width_and_precision(struct format *f, struct tmpl_spec *s)
{
    bool after_index;

    arg_index(f);
    after_index = f->reordered;
    if (printf_here(f) == '*') {
        f->at++;
        s->has_width = star(f, &s->width);
        if (!s->has_width)
            buf_adds(f->p.out, "%!(BADWIDTH)");
        if (s->width < 0) {
            s->width = -s->width;
            s->minus = true;
            s->zero = false;
        }
        after_index = false;
    } else {
        s->has_width = digits(f, &s->width);
        if (after_index && s->has_width)
            f->good_index = false;
    }
    if (printf_here(f) != '.' || f->at + 1 > f->fmt.n)
        return;
    f->at++;
    if (after_index)
        f->good_index = false;
    arg_index(f);
    if (printf_here(f) == '*') {
        f->at++;
        s->has_precision = star(f, &s->precision) && s->precision >= 0;
        if (!s->has_precision)
            buf_adds(f->p.out, "%!(BADPREC)");
    } else {
        s->has_precision = true;
        digits(f, &s->precision);
        if (s->precision > WIDTH_MAX)
            s->precision = 0;
    }
}

static void verb(struct format *f)
{
    struct tmpl_spec s = {0};
    struct buf *out = f->p.out;

    f->good_index = true;
    flags(f, &s);
    width_and_precision(f, &s);
    arg_index(f);
    if (f->at >= f->fmt.n) {
        buf_adds(out, "%!(NOVERB)");
        return;
    }
    f->at += utf8_decode(str_sub(f->fmt, f->at, f->fmt.n), &s.verb);
    if (s.verb == '%') {
        buf_addc(out, '%');
    } else if (!f->good_index || f->next >= f->n) {
        buf_adds(out, "%!");
        utf8_add(out, s.verb);
        buf_add(out, f->good_index ? S("(MISSING)") : S("(BADINDEX)"));
    } else {
        tmpl_verb_put(&f->p, &s, &f->args[f->next++]);
    }
}

void tmpl_printf(struct tmpl_env *env, struct buf *out, str fmt, const struct tmpl_value *args,
                 size_t n)
{
    struct format f = {.p = {env, out, 0}, .fmt = fmt, .args = args, .n = n};
    struct tmpl_spec plain = {.verb = 'v'};

    while (f.at < fmt.n && (env->a->limit == 0 || out->n <= env->a->limit)) {
        ptrdiff_t k = str_find(str_sub(fmt, f.at, fmt.n), '%');

        buf_add(out, str_sub(fmt, f.at, k < 0 ? fmt.n : f.at + (size_t)k));
        if (k < 0)
            break;
        f.at += (size_t)k + 1;
        verb(&f);
    }
    if (f.reordered || f.next >= n)
        return;
    buf_adds(out, "%!(EXTRA ");
    for (size_t i = f.next; i < n; i++) {
        if (i != f.next)
            buf_adds(out, ", ");
        if (args[i].kind == TV_NONE || args[i].kind == TV_NIL) {
            buf_adds(out, "<nil>");
            continue;
        }
        buf_add(out, str_of(tv_type_name(&args[i])));
        buf_addc(out, '=');
        tmpl_verb_put(&f.p, &plain, &args[i]);
    }
    buf_addc(out, ')');
}

void tmpl_print(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    struct tmpl_printer p = {env, out, 0};
    struct tmpl_spec plain = {.verb = 'v'};

    tmpl_verb_put(&p, &plain, v);
}

void tmpl_sprint(struct tmpl_env *env, struct buf *out, const struct tmpl_value *args, size_t n,
                 bool line)
{
    for (size_t i = 0; i < n; i++) {
        if (i != 0 && (line || (args[i].kind != TV_STRING && args[i - 1].kind != TV_STRING)))
            buf_addc(out, ' ');
        tmpl_print(env, out, &args[i]);
    }
    if (line)
        buf_addc(out, '\n');
}
