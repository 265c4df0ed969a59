/* Labels are read by the selector's parser; values by a scanner of their own, because `x` means repetition here.
 *
 *     1+2x3    a value, a step and a count: 1 3 5 7, by repeated addition
 *     5x2      5 5 5
 *     _x2      two times without a sample
 */
#include "promql/series.h"

#include <math.h>
#include "codec/duration.h"
#include "codec/float.h"
#include "promql/parse.h"

enum { VALUES_MAX = 1000000 };

struct scanner {
    str text;
    size_t at;
    struct arena *a;
    struct err *e;
    VEC(struct series_value) out;
};

static int series_peek(const struct scanner *s)
{
    return s->at < s->text.n ? (unsigned char)s->text.p[s->at] : -1;
}

static void series_skip_blanks(struct scanner *s)
{
    while (char_is_blank(series_peek(s)))
        s->at++;
}

static bool series_take(struct scanner *s, const char *word)
{
    if (!str_starts_with(str_sub(s->text, s->at, s->text.n), str_of(word)))
        return false;
    s->at += strlen(word);
    return true;
}

static bool series_fail(struct scanner *s, const char *what)
{
    int c = series_peek(s);

    if (c < 0)
        return err_at(s->e, 1, (int)s->at + 1, "%s: unexpected end of input", what);
    return err_at(s->e, 1, (int)s->at + 1, "%s: unexpected character '%c'", what,
                  c < 0x20 || c > 0x7E ? '?' : c);
}

/* -- numbers -- */

static size_t series_count_digits(const struct scanner *s, size_t k)
{
    size_t from = k;

    while (s->at + k < s->text.n && s->text.p[s->at + k] >= '0' && s->text.p[s->at + k] <= '9')
        k++;
    return k - from;
}

static int series_char_at(const struct scanner *s, size_t k)
{
    return s->at + k < s->text.n ? (unsigned char)s->text.p[s->at + k] : -1;
}

/* Length of digits, fraction and exponent, or of a duration; 0 when there is none. */
static size_t series_scan_number(const struct scanner *s, bool *is_duration)
{
    size_t k = series_count_digits(s, 0), digits = k;

    *is_duration = false;
    if (digits != 0 && series_char_at(s, k) > 0 && strchr("smhdwy", series_char_at(s, k)) != NULL) {
        *is_duration = true;
        while (series_char_at(s, k) > 0 && strchr("0123456789smhdwy", series_char_at(s, k)) != NULL)
            k++;
        return k;
    }
    if (series_char_at(s, k) == '.') {
        size_t fraction = series_count_digits(s, k + 1);

        digits += fraction;
        k += 1 + fraction;
    }
    if (digits != 0 && (series_char_at(s, k) | 32) == 'e') {
        size_t sign = series_char_at(s, k + 1) == '+' || series_char_at(s, k + 1) == '-' ? 1 : 0;
        size_t power = series_count_digits(s, k + 1 + sign);

        k += power != 0 ? 1 + sign + power : 0;
    }
    return digits != 0 ? k : 0;
}

/* "NaNx3" is another word to promtool, which refuses it. */
static bool take_word(struct scanner *s, const char *word)
{
    size_t n = strlen(word);

    if (!str_eq_nocase(str_sub(s->text, s->at, s->at + n), str_of(word)) ||
        (series_char_at(s, n) | 32) == 'x')
        return false;
    s->at += n;
    return true;
}

static bool scan_unsigned(struct scanner *s, double *out, const char *what)
{
    bool is_duration;
    size_t k = series_scan_number(s, &is_duration);
    str number = str_sub(s->text, s->at, s->at + k);
    struct err why = ERR_INIT;
    dur_ns d;

    if (take_word(s, "inf")) {
        *out = INFINITY;
        return true;
    }
    if (take_word(s, "nan")) {
        *out = NAN;
        return true;
    }
    if (k == 0)
        return series_fail(s, what);
    if (is_duration) {
        if (!duration_parse(number, &d, &why))
            return err_at(s->e, 1, (int)s->at + 1, "%s: %s", what, why.msg);
        *out = (double)d / 1e9;
    } else if (!float_parse(number, out, &why))
        return err_at(s->e, 1, (int)s->at + 1, "%s: %s", what, why.msg);
    s->at += k;
    return true;
}

static bool scan_signed(struct scanner *s, double *out, const char *what)
{
    bool is_minus = series_peek(s) == '-';

    if (is_minus || series_peek(s) == '+')
        s->at++;
    if (!scan_unsigned(s, out, what))
        return false;
    *out = is_minus ? -*out : *out;
    return true;
}

/* xN behind an item: *times is N; absent: stays. */
static bool scan_times(struct scanner *s, uint64_t *times, bool *has)
{
    size_t k;

    *has = series_peek(s) == 'x';
    if (!*has)
        return true;
    s->at++;
    k = series_count_digits(s, 0);
    if (k == 0)
        return series_fail(s, "series values: repetition");
    if (!str_to_u64(str_sub(s->text, s->at, s->at + k), times) || *times > VALUES_MAX)
        return err_set(s->e, ERR_LIMIT, "series values: more than %d", VALUES_MAX);
    s->at += k;
    return true;
}

/* -- histograms -- */

static bool scan_list(struct scanner *s, struct series_numbers *out)
{
    VEC(double) v = VEC_INIT;
    bool ok = series_take(s, "[") || series_fail(s, "histogram description: list");

    while (ok) {
        double x = 0;

        series_skip_blanks(s);
        if (series_take(s, "]"))
            break;
        ok = scan_signed(s, &x, "histogram description: list");
        if (ok)
            vec_push(&v, x);
    }
    if (ok) {
        out->v = arena_copy(s->a, v.v, v.n, v.n + 1, sizeof(double));
        out->n = v.n;
    }
    vec_release(&v);
    return ok;
}

static bool scan_int(struct scanner *s, int *out)
{
    size_t at = s->at;
    double v;

    if (!scan_signed(s, &v, "histogram description: whole number"))
        return false;
    if (!(fabs(v) < 1e9) || v != floor(v)) {
        s->at = at;
        return series_fail(s, "histogram description: whole number");
    }
    *out = (int)v;
    return true;
}

static bool scan_hint(struct scanner *s, enum series_hint *out)
{
    static const struct {
        const char *word;
        enum series_hint hint;
    } hints[] = {{"unknown", SERIES_HINT_UNKNOWN},
                 {"not_reset", SERIES_HINT_NOT_RESET},
                 {"reset", SERIES_HINT_RESET},
                 {"gauge", SERIES_HINT_GAUGE}};

    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        if (series_take(s, hints[i].word)) {
            *out = hints[i].hint;
            return true;
        }
    }
    return series_fail(s, "histogram description: counter_reset_hint");
}

enum histogram_key { KEY_INT, KEY_NUMBER, KEY_LIST, KEY_HINT };

static const struct {
    const char *name;
    enum histogram_key kind;
    size_t offset;
} histogram_keys[] = {
    {"schema:", KEY_INT, offsetof(struct series_histogram, schema)},
    {"count:", KEY_NUMBER, offsetof(struct series_histogram, count)},
    {"sum:", KEY_NUMBER, offsetof(struct series_histogram, sum)},
    {"z_bucket:", KEY_NUMBER, offsetof(struct series_histogram, zero_count)},
    {"z_bucket_w:", KEY_NUMBER, offsetof(struct series_histogram, zero_threshold)},
    {"buckets:", KEY_LIST, offsetof(struct series_histogram, buckets)},
    {"n_buckets:", KEY_LIST, offsetof(struct series_histogram, n_buckets)},
    {"custom_values:", KEY_LIST, offsetof(struct series_histogram, custom_values)},
    {"offset:", KEY_INT, offsetof(struct series_histogram, offset)},
    {"n_offset:", KEY_INT, offsetof(struct series_histogram, n_offset)},
    {"counter_reset_hint:", KEY_HINT, offsetof(struct series_histogram, hint)},
};

static bool scan_field(struct scanner *s, struct series_histogram *h, unsigned *seen)
{
    for (size_t i = 0; i < ARRAY_LEN(histogram_keys); i++) {
        void *member = (char *)h + histogram_keys[i].offset;

        if (!series_take(s, histogram_keys[i].name))
            continue;
        if ((*seen & 1u << i) != 0)
            return err_at(s->e, 1, (int)s->at + 1, "histogram description: \"%s\" stands twice",
                          histogram_keys[i].name);
        *seen |= 1u << i;
        switch (histogram_keys[i].kind) {
        case KEY_INT: return scan_int(s, member);
        case KEY_NUMBER: return scan_signed(s, member, "histogram description");
        case KEY_LIST: return scan_list(s, member);
        case KEY_HINT: return scan_hint(s, member);
        }
    }
    return series_fail(s, "histogram description");
}

/* Behind the opening braces. */
static bool scan_histogram(struct scanner *s, const struct series_histogram **out)
{
    struct series_histogram *h = arena_new(s->a, struct series_histogram);
    unsigned seen = 0;

    for (;;) {
        size_t before = s->at;

        series_skip_blanks(s);
        if (series_take(s, "}}"))
            break;
        if (seen != 0 && s->at == before) /* fields are set apart by blanks */
            return series_fail(s, "histogram description");
        if (!scan_field(s, h, &seen))
            return false;
    }
    *out = h;
    return true;
}

/* -- items -- */

static bool promql_series_add(struct scanner *s, struct series_value v)
{
    if (s->out.n >= VALUES_MAX)
        return err_set(s->e, ERR_LIMIT, "series values: more than %d", VALUES_MAX);
    vec_push(&s->out, v);
    return true;
}

/* The sign before a step, 0 when there is none. */
static int scan_step(struct scanner *s)
{
    int c = series_peek(s);

    if (c != '+' && c != '-')
        return 0;
    s->at++;
    return c == '+' ? 1 : -1;
}

static bool scan_histograms(struct scanner *s)
{
    struct series_value v = {.kind = SERIES_HISTOGRAM};
    uint64_t times = 0;
    bool has = false;

    if (!scan_histogram(s, &v.base))
        return false;
    v.sign = scan_step(s);
    if (v.sign != 0) {
        if (!series_take(s, "{{"))
            return series_fail(s, "series values: histogram");
        if (!scan_histogram(s, &v.step))
            return false;
    }
    if (!scan_times(s, &times, &has))
        return false;
    if (v.sign != 0 && !has)
        return series_fail(s, "series values: repetition");
    for (uint64_t i = 0; i <= times; i++) {
        v.times = (unsigned)i;
        if (!promql_series_add(s, v))
            return false;
    }
    return true;
}

static bool scan_floats(struct scanner *s)
{
    struct series_value v = {.kind = SERIES_FLOAT};
    uint64_t times = 0;
    double step = 0;
    bool has = false;
    int sign;

    if (!scan_signed(s, &v.v, "series values"))
        return false;
    sign = scan_step(s);
    if (sign != 0 && !scan_unsigned(s, &step, "series values"))
        return false;
    if (!scan_times(s, &times, &has))
        return false;
    if (sign != 0 && !has)
        return series_fail(s, "series values: repetition");
    for (uint64_t i = 0; i <= times; i++) {
        if (!promql_series_add(s, v))
            return false;
        if (sign != 0)
            v.v += sign * step;
    }
    return true;
}

static bool scan_omitted(struct scanner *s)
{
    uint64_t times = 1;
    bool has;

    if (!scan_times(s, &times, &has))
        return false;
    for (uint64_t i = 0; i < times; i++)
        if (!promql_series_add(s, (struct series_value){.kind = SERIES_OMITTED}))
            return false;
    return true;
}

static bool scan_item(struct scanner *s)
{
    if (series_take(s, "{{"))
        return scan_histograms(s);
    if (series_take(s, "_"))
        return scan_omitted(s);
    if (series_take(s, "stale"))
        return promql_series_add(s, (struct series_value){.kind = SERIES_STALE});
    return scan_floats(s);
}

bool series_parse_values(str text, struct arena *a, struct series_value **out, size_t *n,
                         struct err *e)
{
    struct scanner s = {.text = text, .a = a, .e = e};
    bool ok = true;

    for (;;) {
        series_skip_blanks(&s);
        if (series_peek(&s) < 0)
            break;
        ok = scan_item(&s);
        if (ok && series_peek(&s) >= 0 && !char_is_blank(series_peek(&s)))
            ok = series_fail(&s, "series values");
        if (!ok)
            break;
    }
    if (ok) {
        *out = arena_copy(a, s.out.v, s.out.n, s.out.n + 1, sizeof(s.out.v[0]));
        *n = s.out.n;
    }
    vec_release(&s.out);
    return ok;
}

/* -- labels -- */

/* Bytes of the name and the braces. */
static size_t labels_length(str text)
{
    size_t k = 0, at;
    char quote = '\0';

    while (k < text.n && !char_is_blank(text.p[k]) && text.p[k] != '{')
        k++;
    for (at = k; at < text.n && char_is_blank(text.p[at]); at++)
        ;
    if (at == text.n || text.p[at] != '{' || str_starts_with(str_sub(text, at, text.n), S("{{")))
        return k;
    k = at;
    for (; k < text.n; k++) {
        if (quote != '\0') {
            if (text.p[k] == '\\' && quote != '`')
                k++;
            else if (text.p[k] == quote)
                quote = '\0';
        } else if (text.p[k] == '"' || text.p[k] == '\'' || text.p[k] == '`')
            quote = text.p[k];
        else if (text.p[k] == '}')
            return k + 1;
    }
    return text.n;
}

static bool to_labels(const struct promql_expr *x, struct arena *a, struct labels *out,
                      struct err *e)
{
    const struct matchers *ms = &x->selector.matchers;
    struct label *v = arena_array(a, ms->n + 1, sizeof(*v));
    size_t n;
    str dup;

    for (size_t i = 0; i < ms->n; i++) {
        if (ms->v[i].op != MATCH_EQ)
            return err_at(e, 1, 1, "series labels: label \"%.*s\" needs =", STR(ms->v[i].name));
        v[i] = (struct label){ms->v[i].name, ms->v[i].value};
    }
    n = labels_sort(v, ms->n, &dup);
    if (n == SIZE_MAX)
        return err_at(e, 1, 1, "series labels: \"%.*s\" stands twice", STR(dup));
    *out = (struct labels){v, n};
    return true;
}

bool series_parse_labels(str text, struct arena *a, struct labels *out, struct err *e)
{
    str copy = arena_str(a, str_trim(text));
    struct promql_parser p = {
        .text = copy, .o = &promql_everything, .a = a, .e = e, .max_depth = 10};
    struct promql_expr *x;
    bool ok;

    p.tok = promql_lex(copy, a);
    if (p.tok->kind == TOK_EOF)
        return err_at(e, 1, 1, "series labels: nothing there");
    x = p.tok->kind == TOK_ERROR ? promql_unexpected(&p, "", "")
                                 : promql_parse_selector(&p, p.tok->kind != TOK_LBRACE);
    if (x != NULL && p.tok->kind != TOK_EOF)
        x = promql_unexpected(&p, "series labels", "");
    ok = x != NULL && to_labels(x, a, out, e);
    for (size_t i = 0; i < p.regexes.n; i++)
        regex_unref(p.regexes.v[i]);
    vec_release(&p.regexes);
    return ok;
}

bool series_parse(str line, struct arena *a, struct series_line *out, struct err *e)
{
    str text = str_trim(line);
    size_t k = labels_length(text);
    struct series_line got = {0};

    if (!series_parse_labels(str_sub(text, 0, k), a, &got.labels, e))
        return false;
    if (!series_parse_values(str_sub(text, k, text.n), a, &got.values, &got.n, e)) {
        if (e != NULL && e->col != 0)
            e->col += (int)k;
        return false;
    }
    *out = got;
    return true;
}
