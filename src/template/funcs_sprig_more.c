/* funcs_sprig_more.c - sprig's other functions for text, numbers, times and patterns; and the names that are refused: what
 * reads the machine, the net or chance would make a message differ from one attempt to the next, or give away what a
 * template's author should not see. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/duration.h"
#include "regex/regex.h"
#include "template/funcs_priv.h"
#include "base/strcase.h"
#include "template/template.h"
#include "template/time.h"
#include "template/time_methods.h"

static bool text(struct tmpl_env *env, struct buf *b, struct tmpl_value *out)
{
    *out = tv_copy_buf(env->a, b);
    return true;
}

static bool too_long(const struct tmpl_env *env, size_t n)
{
    return env->a->limit != 0 && n > env->a->limit;
}

/* -- text -- */

/* As goutils: what stands before offset is let go too, when there is much of it. */
static void abbreviate(struct buf *b, str s, size_t offset, size_t width)
{
    if (s.n <= width) {
        buf_add(b, s);
        return;
    }
    if (offset > s.n)
        offset = s.n;
    if (s.n - offset < width - 3)
        offset = s.n - (width - 3);
    if (offset <= 4) {
        buf_add(b, str_sub(s, 0, width - 3));
        buf_adds(b, "...");
        return;
    }
    buf_adds(b, "...");
    if (offset + width - 3 >= s.n)
        buf_add(b, str_sub(s, s.n - (width - 3), s.n));
    else
        abbreviate(b, str_sub(s, offset, s.n), 0, width - 3);
}

FUNC(f_abbrev)
{
    struct buf b = BUF_INIT;

    if (args[0].i < 4)
        buf_add(&b, args[1].s);
    else
        abbreviate(&b, args[1].s, 0, (size_t)args[0].i);
    return text(env, &b, out);
}

FUNC(f_abbrev_both)
{
    int64_t left = args[0].i, right = args[1].i;
    struct buf b = BUF_INIT;

    if (right < 4 || (left > 0 && right < 7))
        buf_add(&b, args[2].s);
    else
        abbreviate(&b, args[2].s, left > 0 ? (size_t)left : 0, (size_t)right);
    return text(env, &b, out);
}

FUNC(f_initials)
{
    struct buf b = BUF_INIT;
    bool is_first = true;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);

        if (is_first && !rune_is_space(r))
            buf_add(&b, str_sub(s, 0, k));
        is_first = rune_is_space(r);
        s = str_sub(s, k, s.n);
    }
    return text(env, &b, out);
}

FUNC(f_untitle)
{
    struct buf b = BUF_INIT;
    bool is_first = true;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);

        utf8_add(&b, is_first ? rune_lower(r) : r);
        is_first = rune_is_space(r);
        s = str_sub(s, k, s.n);
    }
    return text(env, &b, out);
}

FUNC(f_swapcase)
{
    struct buf b = BUF_INIT;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);

        utf8_add(&b, rune_is_upper(r) ? rune_lower(r) : rune_upper(r));
        s = str_sub(s, k, s.n);
    }
    return text(env, &b, out);
}

FUNC(f_nospace)
{
    struct buf b = BUF_INIT;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);

        if (!rune_is_space(r))
            buf_add(&b, str_sub(s, 0, k));
        s = str_sub(s, k, s.n);
    }
    return text(env, &b, out);
}

static bool is_connector(uint32_t r)
{
    return r == '-' || r == '_' || rune_is_space(r);
}

FUNC(f_camelcase)
{
    struct buf b = BUF_INIT;
    bool starts = true, was_connector = true;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);
        str next = str_sub(s, k, s.n);
        uint32_t after = 0;

        if (next.n != 0)
            utf8_decode(next, &after);
        if (!is_connector(r)) {
            utf8_add(&b, was_connector ? rune_upper(r) : rune_lower(r));
            starts = false;
        } else if (starts || next.n == 0 || is_connector(after)) {
            utf8_add(&b, r);
        }
        was_connector = is_connector(r);
        s = next;
    }
    return text(env, &b, out);
}

/* A word is of one class; of capital letters before a small one the last begins the next word: HTTPServer. */
enum word { WORD_END, WORD_UPPER, WORD_LOWER, WORD_NUMBER, WORD_CONNECTOR, WORD_OTHER };

static enum word class_of(uint32_t r)
{
    return is_connector(r)     ? WORD_CONNECTOR
           : rune_is_upper(r)  ? WORD_UPPER
           : rune_is_digit(r)  ? WORD_NUMBER
           : rune_is_letter(r) ? WORD_LOWER
                               : WORD_OTHER;
}

static enum word next_word(str *s, str *word)
{
    enum word class = WORD_END;
    size_t at = 0, last = 0, n = 0;
    uint32_t r;

    while (at < s->n) {
        size_t k = utf8_decode(str_sub(*s, at, s->n), &r);
        enum word next = class_of(r);

        if (class == WORD_UPPER && n == 1 && next == WORD_LOWER)
            class = WORD_LOWER, n++; /* Server: the rest of it is small */
        if (class == WORD_UPPER && next == WORD_LOWER) {
            at = last;
            break;
        }
        if (class != WORD_END && next != class)
            break;
        class = next;
        last = at;
        at += k;
        n++;
    }
    *word = str_sub(*s, 0, at);
    *s = str_sub(*s, at, s->n);
    if (class == WORD_LOWER && word->n != 0) {
        utf8_decode(*word, &r);
        class = rune_is_upper(r) ? WORD_UPPER : WORD_LOWER;
    }
    return class;
}

static void put_word(struct buf *b, enum word class, str word, char connector)
{
    struct buf lower = BUF_INIT;

    if (class == WORD_CONNECTOR) {
        buf_pad(b, connector, utf8_count(word));
        return;
    }
    str_lower(&lower, word);
    buf_add(b, buf_str(&lower));
    buf_release(&lower);
}

static bool parts(enum word class)
{
    return class == WORD_CONNECTOR || class == WORD_OTHER || class == WORD_END;
}

/* A number goes with the word before it, Bld4Floor is bld4_floor; but with small letters behind it, HTTP2xx is http_2xx. */
static void lower_case(struct buf *b, str s, char connector)
{
    str word, number;
    enum word class = next_word(&s, &word), before;

    while (class != WORD_END) {
        put_word(b, class, word, connector);
        before = class;
        class = next_word(&s, &word);
        if (before == WORD_CONNECTOR || before == WORD_OTHER)
            continue;
        if (before != WORD_NUMBER) {
            if (class != WORD_NUMBER) {
                if (!parts(class))
                    buf_addc(b, connector);
                continue;
            }
            number = word;
            class = next_word(&s, &word);
            if (class == WORD_LOWER)
                buf_addc(b, connector);
            put_word(b, WORD_NUMBER, number, connector);
        }
        for (; class == WORD_LOWER || class == WORD_NUMBER; class = next_word(&s, &word))
            put_word(b, class, word, connector);
        if (!parts(class))
            buf_addc(b, connector);
    }
}

FUNC(f_snakecase)
{
    struct buf b = BUF_INIT;

    lower_case(&b, args[0].s, '_');
    return text(env, &b, out);
}

FUNC(f_kebabcase)
{
    struct buf b = BUF_INIT;

    lower_case(&b, args[0].s, '-');
    return text(env, &b, out);
}

static ptrdiff_t last_blank(str s)
{
    for (size_t i = s.n; i-- != 0;)
        if (s.p[i] == ' ')
            return (ptrdiff_t)i;
    return -1;
}

static void wrap(const struct tmpl_env *env, struct buf *b, str s, int64_t width, str line,
                 bool cuts_words)
{
    size_t most = width < 1 ? 1 : (size_t)width;

    if (line.n == 0)
        line = S("\n");
    while (s.n > most && !too_long(env, b->n)) {
        ptrdiff_t blank;

        if (s.p[0] == ' ') {
            s = str_sub(s, 1, s.n);
            continue;
        }
        blank = last_blank(str_sub(s, 0, most + 1));
        if (blank < 0 && !cuts_words) {
            blank = str_find(str_sub(s, most, s.n), ' ');
            if (blank < 0)
                break;
            blank += (ptrdiff_t)most;
        }
        buf_add(b, str_sub(s, 0, blank < 0 ? most : (size_t)blank));
        buf_add(b, line);
        s = str_sub(s, blank < 0 ? most : (size_t)blank + 1, s.n);
    }
    buf_add(b, s);
}

FUNC(f_wrap)
{
    struct buf b = BUF_INIT;

    wrap(env, &b, args[1].s, args[0].i, S("\n"), false);
    return text(env, &b, out);
}

FUNC(f_wrap_with)
{
    struct buf b = BUF_INIT;

    wrap(env, &b, args[2].s, args[0].i, args[1].s, true);
    return text(env, &b, out);
}

FUNC(f_plural)
{
    *out = args[2].i == 1 ? args[0] : args[1];
    return true;
}

FUNC(f_substr)
{
    int64_t start = args[0].i, end = args[1].i;
    str s = args[2].s;
    int64_t n_s = (int64_t)s.n;

    if (start > n_s || (start < 0 && end < 0) ||
        (start >= 0 && end >= 0 && end <= n_s && end < start))
        return err_set(e, ERR_INVALID, "slice bounds out of range");
    if (start < 0)
        s = str_sub(s, 0, end < n_s ? (size_t)end : s.n);
    else
        s = str_sub(s, (size_t)start, end < 0 || end > n_s ? s.n : (size_t)end);
    *out = tv_str(s);
    return true;
}

FUNC(f_cat)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        if (args[i].kind == TV_NIL)
            continue;
        buf_add(&b, func_shown(env, &args[i]));
        buf_addc(&b, ' ');
    }
    *out = tv_str(str_trim_space(arena_str(env->a, buf_str(&b))));
    buf_release(&b);
    return true;
}

FUNC(f_squote)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        str s = func_shown(env, &args[i]);

        if (args[i].kind != TV_NIL)
            buf_addf(&b, "%s'%.*s'", b.n != 0 ? " " : "", STR(s));
    }
    return text(env, &b, out);
}

FUNC(f_nindent)
{
    struct buf b = BUF_INIT;
    struct tmpl_value indented;

    if (!tmpl_func_find(tmpl_sprig_funcs, S("indent"))->fn(env, args, 2, &indented, e))
        return false;
    buf_addc(&b, '\n');
    buf_add(&b, indented.s);
    return text(env, &b, out);
}

static struct tmpl_value split(struct tmpl_env *env, str sep, str s, size_t most)
{
    VEC(struct tmpl_pair) v = VEC_INIT;
    struct tmpl_value out;
    ptrdiff_t at = 0;

    while (at >= 0 && v.n < most && !too_long(env, v.n * sizeof(v.v[0]))) {
        str piece = s, key;
        uint32_t r;

        at = v.n + 1 == most            ? -1
             : sep.n != 0               ? str_find_str(s, sep)
             : s.n > utf8_decode(s, &r) ? (ptrdiff_t)utf8_decode(s, &r)
                                        : -1;
        if (at >= 0) {
            piece = str_sub(s, 0, (size_t)at);
            s = str_sub(s, (size_t)at + sep.n, s.n);
        }
        key = arena_printf(env->a, "_%zu", v.n);
        vec_push(&v, (struct tmpl_pair){key, tv_str(piece)});
    }
    (void)tmpl_work(env, v.n * v.n / TMPL_STEP_ITEMS);
    out = tv_map(&tmpl_string_map, arena_copy(env->a, v.v, v.n, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return out;
}

FUNC(f_split)
{
    *out = split(env, args[0].s, args[1].s, SIZE_MAX);
    return true;
}

FUNC(f_splitn)
{
    *out = split(env, args[0].s, args[2].s, args[1].i < 0 ? SIZE_MAX : (size_t)args[1].i);
    return true;
}

static const char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

FUNC(f_b32enc)
{
    struct buf b = BUF_INIT;
    str s = args[0].s;

    for (size_t i = 0; i < s.n; i += 5) {
        uint64_t v = 0;
        size_t left = s.n - i < 5 ? s.n - i : 5, digits = (left * 8 + 4) / 5;

        for (size_t k = 0; k < 5; k++)
            v = v << 8 | (k < left ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 8; k++)
            buf_addc(&b, k < digits ? base32_digits[v >> (35 - 5 * k) & 31] : '=');
    }
    return text(env, &b, out);
}

FUNC(f_b32dec)
{
    str s = args[0].s;
    struct buf b = BUF_INIT;
    uint32_t v = 0;
    unsigned bits = 0;
    size_t pads = 0;

    while (s.n != 0 && s.p[s.n - 1] == '=') {
        s.n--;
        pads++;
    }
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] != '\0' ? strchr(base32_digits, s.p[i]) : NULL;

        if (at == NULL)
            break;
        v = v << 5 | (uint32_t)(at - base32_digits);
        bits += 5;
        if (bits >= 8)
            buf_addc(&b, (char)(v >> (bits -= 8) & 0xff));
        s.n -= i + 1 == s.n ? i + 1 : 0;
    }
    if (s.n == 0 && pads < 7 && args[0].s.n % 8 == 0)
        return text(env, &b, out);
    buf_release(&b);
    return err_set(e, ERR_INVALID, "illegal base32 data");
}

FUNC(f_fail)
{
    *out = TV_ZERO;
    return err_set(e, ERR_INVALID, "%.*s", STR(args[0].s));
}

/* -- numbers -- */

FUNC(f_atoi)
{
    str s = args[0].s,
        digits = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+') ? str_sub(s, 1, s.n) : s;
    uint64_t v = 0;

    *out = tv_int(0);
    for (size_t i = 0; i < digits.n; i++)
        if (digits.p[i] < '0' || digits.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(digits.p[i] - '0'), &v) ||
            v > (uint64_t)INT64_MAX + (s.p[0] == '-'))
            return true;
    *out = tv_int(s.n != 0 && s.p[0] == '-' ? (int64_t)(0 - v) : (int64_t)v);
    return true;
}

FUNC(f_to_decimal)
{
    str s = func_shown(env, &args[0]);
    int64_t v = 0;

    *out = tv_int(0);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '7' || __builtin_mul_overflow(v, 8, &v) ||
            __builtin_add_overflow(v, s.p[i] - '0', &v))
            return true;
    *out = tv_int(v);
    return true;
}

FUNC(f_add1)
{
    *out = tv_int((int64_t)((uint64_t)func_integer(&args[0]) + 1));
    return true;
}

FUNC(f_max)
{
    *out = tv_int(func_integer(&args[0]));
    for (size_t i = 1; i < n; i++)
        if (func_integer(&args[i]) > out->i)
            out->i = func_integer(&args[i]);
    return true;
}

FUNC(f_min)
{
    *out = tv_int(func_integer(&args[0]));
    for (size_t i = 1; i < n; i++)
        if (func_integer(&args[i]) < out->i)
            out->i = func_integer(&args[i]);
    return true;
}

FUNC(f_maxf)
{
    *out = tv_float(func_number(&args[0]));
    for (size_t i = 1; i < n; i++)
        out->f = fmax(out->f, func_number(&args[i]));
    return true;
}

FUNC(f_minf)
{
    *out = tv_float(func_number(&args[0]));
    for (size_t i = 1; i < n; i++)
        out->f = fmin(out->f, func_number(&args[i]));
    return true;
}

FUNC(f_ceil)
{
    *out = tv_float(ceil(func_number(&args[0])));
    return true;
}

FUNC(f_floor)
{
    *out = tv_float(floor(func_number(&args[0])));
    return true;
}

/* The digits of 1.25e+00 as a whole number. */
static uint64_t mantissa(const char *text)
{
    uint64_t m = 0;

    for (; *text != 'e'; text++)
        if (*text >= '0' && *text <= '9')
            m = m * 10 + (uint64_t)(*text - '0');
    return m;
}

/* To 16 places, as sprig's quotients. */
static long double rounded(long double q)
{
    if (!(q > -500 && q < 500))
        return q;
    return (long double)(int64_t)(q * 1e16L + (q < 0 ? -0.5L : 0.5L)) / 1e16L;
}

/* sprig computes these in decimals: 1.1 and 2.2 are 3.3. The digits that stand for the float, in more bits than it has, and
 * rounded once. */
static long double decimal(const struct tmpl_value *v)
{
    double d = func_number(v);
    char digits[32];
    int places;
    long double x, power = 1;

    if (!isfinite(d) || d == 0 || fabs(d) > 1e15 || fabs(d) < 1e-10)
        return d;
    for (places = 0; places < 17; places++) { /* the fewest that say which float it is */
        snprintf(digits, sizeof(digits), "%.*e", places, d);
        if (strtod(digits, NULL) == d)
            break;
    }
    x = (long double)mantissa(digits);
    places -= atoi(strchr(digits, 'e') + 1);
    for (int i = 0; i < abs(places); i++)
        power *= 10; /* up to 10^27 nothing is lost */
    x = places > 0 ? x / power : x * power;
    return d < 0 ? -x : x;
}

static struct tmpl_value folded(const struct tmpl_value *args, size_t n, char op)
{
    long double x = decimal(&args[0]);

    for (size_t i = 1; i < n; i++) {
        long double y = decimal(&args[i]);

        switch (op) {
        case '+': x += y; break;
        case '-': x -= y; break;
        case '*': x *= y; break;
        default: x = rounded(x / y);
        }
    }
    return tv_float((double)x);
}

FUNC(f_addf)
{
    *out = folded(args, n, '+');
    return true;
}

FUNC(f_add1f)
{
    *out = tv_float((double)(decimal(&args[0]) + 1));
    return true;
}

FUNC(f_subf)
{
    *out = folded(args, n, '-');
    return true;
}

FUNC(f_mulf)
{
    *out = folded(args, n, '*');
    return true;
}

FUNC(f_divf)
{
    for (size_t i = 1; i < n; i++)
        if (func_number(&args[i]) == 0)
            return err_set(e, ERR_INVALID, "decimal division by 0");
    *out = folded(args, n, '/');
    return true;
}

static const struct tmpl_type ints = {.name = "[]int", .elem = TV_INT};

/* start, start + step, ... before stop; none when step leads away from it. */
static bool count_to(struct tmpl_env *env, int64_t start, int64_t stop, int64_t step,
                     struct tmpl_value *out, struct err *e)
{
    VEC(struct tmpl_value) v = VEC_INIT;
    bool fits = true;

    for (int64_t i = start; fits && step != 0 && (step > 0 ? i < stop : i > stop);) {
        vec_push(&v, tv_int(i));
        fits = tmpl_work(env, 1) && !too_long(env, v.n * sizeof(v.v[0]));
        if (__builtin_add_overflow(i, step, &i))
            break;
    }
    *out = tv_list(&ints, arena_copy(env->a, v.v, fits ? v.n : 0, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return fits || err_set(e, ERR_LIMIT, "the list is too long");
}

FUNC(f_until)
{
    return count_to(env, 0, args[0].i, args[0].i < 0 ? -1 : 1, out, e);
}

FUNC(f_until_step)
{
    return count_to(env, args[0].i, args[1].i, args[2].i, out, e);
}

FUNC(f_seq)
{
    int64_t start = n > 1 ? func_integer(&args[0]) : 1, end, away, step;
    struct tmpl_value list, call[2] = {tv_str(S(" "))};

    *out = tv_str(S(""));
    if (n == 0 || n > 3)
        return true;
    end = func_integer(&args[n - 1]);
    away = end < start ? -1 : 1;
    step = n == 3 ? func_integer(&args[1]) : away;
    if (n == 3 && away < 0 && step > 0)
        return true;
    if (__builtin_add_overflow(end, away, &end))
        return err_set(e, ERR_LIMIT, "the list is too long");
    if (!count_to(env, start, end, step, &list, e))
        return false;
    call[1] = list;
    return func_join_any(env, call, 2, out, e);
}

/* -- times -- */

/* later by text that is no duration is as it was; must...: an error. */
static bool modify(const struct tmpl_value *args, struct tmpl_value *out, struct err *e)
{
    struct tmpl_value call[2] = {args[1]};
    dur_ns d;

    *out = args[1];
    if (!go_duration_parse(args[0].s, &d, e))
        return err_wrap(e, "time");
    call[1] = tv_duration(d);
    return tmpl_func_find(tmpl_time_methods, S("Add"))->fn(NULL, call, 2, out, e);
}

FUNC(f_date_modify)
{
    return modify(args, out, NULL) || true;
}

FUNC(f_must_date_modify)
{
    return modify(args, out, e);
}

/* The greatest unit of it alone. */
FUNC(f_duration_round)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{365 * 86400, "y"}, {30 * 86400, "mo"}, {86400, "d"},
                 {3600, "h"},        {60, "m"},          {1, "s"}};
    struct buf b = BUF_INIT;
    dur_ns d = 0;
    uint64_t u;

    if (args[0].kind == TV_STRING)
        d = go_duration_parse(args[0].s, &d, NULL) ? d : 0;
    else if (args[0].kind == TV_TIME)
        d = tmpl_time_sub(tmpl_time_at(env->now, NULL), args[0].time);
    else if (args[0].kind == TV_INT || args[0].kind == TV_DURATION)
        d = args[0].i;
    u = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    for (size_t i = 0; i < ARRAY_LEN(units) && b.n == 0; i++)
        if (u > units[i].seconds * NS_PER_S)
            buf_addf(&b, "%s%llu%s", d < 0 ? "-" : "",
                     (unsigned long long)(u / NS_PER_S / units[i].seconds), units[i].name);
    if (b.n == 0)
        buf_adds(&b, "0s");
    return text(env, &b, out);
}

FUNC(f_html_date)
{
    struct tmpl_value call[2] = {tv_str(S("2006-01-02")), args[0]};

    return func_date_any(env, call, 2, out, e);
}

FUNC(f_html_date_in_zone)
{
    struct tmpl_value call[3] = {tv_str(S("2006-01-02")), args[0], args[1]};

    return tmpl_func_find(tmpl_sprig_funcs, S("dateInZone"))->fn(env, call, 3, out, e);
}

FUNC(f_unix_epoch)
{
    *out = tv_str(arena_printf(env->a, "%lld", (long long)func_time_of(env, &args[0]).s));
    return true;
}

/* -- patterns -- */

/* The next match from *at on, by what steps are left. False: none, or a bad pattern. */
static bool find(struct tmpl_env *env, const struct regex *re, str s, size_t from, size_t bounds[2])
{
    uint64_t work =
        env->steps < UINT64_MAX / TMPL_STEP_ITEMS ? env->steps * TMPL_STEP_ITEMS : UINT64_MAX;
    bool found = from <= s.n && regex_find_within(re, s, from, bounds, &work);

    if (work / TMPL_STEP_ITEMS < env->steps)
        env->steps = work / TMPL_STEP_ITEMS;
    return found;
}

/* As Go's FindAll: an empty match right behind another one is none. */
static bool find_next(struct tmpl_env *env, const struct regex *re, str s, size_t *at,
                      size_t *after, size_t bounds[2])
{
    uint32_t r;

    while (find(env, re, s, *at, bounds)) {
        bool is_empty = bounds[0] == bounds[1];
        bool counts = !is_empty || bounds[0] != *after;

        *at = !is_empty         ? bounds[1]
              : bounds[1] < s.n ? bounds[1] + utf8_decode(str_sub(s, bounds[1], s.n), &r)
                                : s.n + 1;
        if (counts)
            *after = bounds[1];
        if (counts || *at > s.n)
            return counts;
    }
    return false;
}

FUNC(f_regex_find)
{
    const struct regex *re = tmpl_regex(env, args[0].s, e);
    size_t at[2];

    if (re == NULL)
        return false;
    *out = tv_str(find(env, re, args[1].s, 0, at) ? str_sub(args[1].s, at[0], at[1]) : S(""));
    return true;
}

typedef VEC(struct tmpl_value) values;

static bool list_of(struct tmpl_env *env, values *v, struct tmpl_value *out)
{
    *out = tv_list(&tmpl_strings, arena_copy(env->a, v->v, v->n, v->n, sizeof(v->v[0])), v->n);
    vec_release(v);
    return true;
}

FUNC(f_regex_find_all)
{
    const struct regex *re = tmpl_regex(env, args[0].s, e);
    size_t most = args[2].i < 0 ? SIZE_MAX : (size_t)args[2].i, at = 0, after = SIZE_MAX, m[2];
    values v = VEC_INIT;
    str s = args[1].s;

    if (re == NULL)
        return false;
    while (v.n < most && !too_long(env, v.n * sizeof(v.v[0])) &&
           find_next(env, re, s, &at, &after, m))
        vec_push(&v, tv_str(str_sub(s, m[0], m[1])));
    return list_of(env, &v, out);
}

FUNC(f_regex_split)
{
    const struct regex *re = tmpl_regex(env, args[0].s, e);
    size_t most = args[2].i < 0 ? SIZE_MAX : (size_t)args[2].i, at = 0, after = SIZE_MAX, m[2];
    size_t begin = 0, end = 0;
    values v = VEC_INIT;
    str s = args[1].s;

    if (re == NULL)
        return false;
    if (most != 0 && s.n == 0 && args[0].s.n != 0) {
        vec_push(&v, tv_str(S("")));
        return list_of(env, &v, out);
    }
    while (most != 0 && v.n + 1 < most && !too_long(env, v.n * sizeof(v.v[0])) &&
           find_next(env, re, s, &at, &after, m)) {
        end = m[0];
        if (m[1] != 0)
            vec_push(&v, tv_str(str_sub(s, begin, end)));
        begin = m[1];
    }
    if (most != 0 && end != s.n)
        vec_push(&v, tv_str(str_sub(s, begin, s.n)));
    return list_of(env, &v, out);
}

FUNC(f_regex_replace_literal)
{
    struct tmpl_value call[3] = {args[0], args[2], args[1]};
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < args[2].s.n; i++)
        buf_addf(&b, args[2].s.p[i] == '$' ? "$%c" : "%c", args[2].s.p[i]);
    call[1] = tv_copy_buf(env->a, &b);
    return func_re_replace_all(env, call, 3, out, e);
}

FUNC(f_regex_quote_meta)
{
    struct buf b = BUF_INIT;
    str s = args[0].s;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\0' && strchr("\\.+*?()|[]{}^$", s.p[i]) != NULL)
            buf_addc(&b, '\\');
        buf_addc(&b, s.p[i]);
    }
    return text(env, &b, out);
}

/* -- the tables -- */

#define BOTH(name, must, params, fn, doc)                                                          \
    {name, params, fn, doc},                                                                       \
    {                                                                                              \
        must, params, fn, doc                                                                      \
    }
#define REFUSED(name, why)                                                                         \
    {                                                                                              \
        name, NULL, NULL, why                                                                      \
    }
#define MACHINE "templates do not read the environment"
#define FILES   "templates know no files"
#define CHANCE  "a message has to come out the same each time that it is rendered"
#define CRYPTO  "templates have no cryptography"
#define NETWORK "templates do not use the network"
#define URLS    "URLs are not taken apart in templates; urlquery escapes text for one"
#define VERSION "versions are not compared in templates"

const struct tmpl_func tmpl_sprig_more_funcs[] = {
    {"abbrev", "is", f_abbrev, "the beginning of text, with ... behind it"},
    {"abbrevboth", "iis", f_abbrev_both, "the middle of text, with ... around it"},
    {"initials", "s", f_initials, "the first letter of each word"},
    {"untitle", "s", f_untitle, "each word with a small letter first"},
    {"swapcase", "s", f_swapcase, "small letters for capital ones and the other way round"},
    {"nospace", "s", f_nospace, "text without white space"},
    {"snakecase", "s", f_snakecase, "words_like_these"},
    {"camelcase", "s", f_camelcase, "WordsLikeThese"},
    {"kebabcase", "s", f_kebabcase, "words-like-these"},
    {"wrap", "is", f_wrap, "text in lines"},
    {"wrapWith", "iss", f_wrap_with, "text with another one between its lines"},
    {"plural", "ssi", f_plural, "the first text for one, else the second"},
    {"substr", "iis", f_substr, "the bytes from one place up to another"},
    {"cat", "a*", f_cat, "the arguments with blanks between them"},
    {"squote", "a*", f_squote, "in single quotes"},
    {"nindent", "is", f_nindent, "a new line, then each line moved to the right"},
    {"split", "ss", f_split, "a map _0, _1, ... of the pieces between separators"},
    {"splitn", "sis", f_splitn, "the same, of so many pieces at most"},
    {"b32enc", "s", f_b32enc, "base32"},
    {"b32dec", "s", f_b32dec, "the text behind base32"},
    {"fail", "s", f_fail, "ends the rendering with a message"},
    {"atoi", "s", f_atoi, "a decimal integer, or 0"},
    {"toDecimal", "a", f_to_decimal, "the number that octal digits say"},
    {"add1", "a", f_add1, "one more"},
    {"max", "aa*", f_max, "the greatest integer"},
    {"biggest", "aa*", f_max, "the greatest integer"},
    {"min", "aa*", f_min, "the least integer"},
    {"maxf", "aa*", f_maxf, "the greatest number"},
    {"minf", "aa*", f_minf, "the least number"},
    {"ceil", "a", f_ceil, "the next whole number up"},
    {"floor", "a", f_floor, "the next whole number down"},
    {"addf", "aa*", f_addf, "the sum"},
    {"add1f", "a", f_add1f, "one more"},
    {"subf", "aa*", f_subf, "the difference"},
    {"mulf", "aa*", f_mulf, "the product"},
    {"divf", "aa*", f_divf, "the quotient"},
    {"until", "i", f_until, "0, 1, ... up to a number"},
    {"untilStep", "iii", f_until_step, "from a number up to another by steps"},
    {"seq", "a*", f_seq, "integers with blanks between them"},
    BOTH("dateModify", "date_modify", "st", f_date_modify, "a time moved by a duration"),
    BOTH("mustDateModify", "must_date_modify", "st", f_must_date_modify,
         "a time moved by a duration"),
    {"durationRound", "a", f_duration_round, "the greatest unit of a duration"},
    {"htmlDate", "a", f_html_date, "a time as 2006-01-02"},
    {"htmlDateInZone", "as", f_html_date_in_zone, "a time as 2006-01-02 in a zone"},
    {"unixEpoch", "a", f_unix_epoch, "seconds since 1970"},
    BOTH("regexFind", "mustRegexFind", "ss", f_regex_find, "the first match"),
    BOTH("regexFindAll", "mustRegexFindAll", "ssi", f_regex_find_all, "so many matches; -1: all"),
    BOTH("regexSplit", "mustRegexSplit", "ssi", f_regex_split, "the pieces between matches"),
    BOTH("regexReplaceAllLiteral", "mustRegexReplaceAllLiteral", "sss", f_regex_replace_literal,
         "pattern, text, replacement as it is"),
    {"regexQuoteMeta", "s", f_regex_quote_meta, "a pattern that matches the text itself"},

    REFUSED("env", MACHINE),
    REFUSED("expandenv", MACHINE),
    REFUSED("base", FILES),
    REFUSED("dir", FILES),
    REFUSED("clean", FILES),
    REFUSED("ext", FILES),
    REFUSED("isAbs", FILES),
    REFUSED("osBase", FILES),
    REFUSED("osDir", FILES),
    REFUSED("osClean", FILES),
    REFUSED("osExt", FILES),
    REFUSED("osIsAbs", FILES),
    REFUSED("getHostByName", NETWORK),
    REFUSED("urlParse", URLS),
    REFUSED("urlJoin", URLS),
    REFUSED("semver", VERSION),
    REFUSED("semverCompare", VERSION),
    REFUSED("randAlphaNum", CHANCE),
    REFUSED("randAlpha", CHANCE),
    REFUSED("randAscii", CHANCE),
    REFUSED("randNumeric", CHANCE),
    REFUSED("randInt", CHANCE),
    REFUSED("randBytes", CHANCE),
    REFUSED("shuffle", CHANCE),
    REFUSED("uuidv4", CHANCE),
    REFUSED("sha1sum", CRYPTO),
    REFUSED("sha256sum", CRYPTO),
    REFUSED("sha512sum", CRYPTO),
    REFUSED("adler32sum", CRYPTO),
    REFUSED("bcrypt", CRYPTO),
    REFUSED("htpasswd", CRYPTO),
    REFUSED("derivePassword", CRYPTO),
    REFUSED("genPrivateKey", CRYPTO),
    REFUSED("buildCustomCert", CRYPTO),
    REFUSED("genCA", CRYPTO),
    REFUSED("genCAWithKey", CRYPTO),
    REFUSED("genSelfSignedCert", CRYPTO),
    REFUSED("genSelfSignedCertWithKey", CRYPTO),
    REFUSED("genSignedCert", CRYPTO),
    REFUSED("genSignedCertWithKey", CRYPTO),
    REFUSED("encryptAES", CRYPTO),
    REFUSED("decryptAES", CRYPTO),
    {NULL, NULL, NULL, NULL},
};
