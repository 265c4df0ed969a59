/* Line by line: comments that say something, samples, the end. A sample's series is left as it stands; its labels are
 * read by who has not seen these bytes before (expo_read_labels()). */
#include "codec/exposition_read.h"

#include <math.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/utf8.h"
#include "codec/float.h"
#include "codec/quote.h"

enum { LABELS_MAX = 1000, NEAR_MAX = 64 };
#define TIME_MAX (INT64_C(1) << 60) /* so that nobody's arithmetic with times overflows */

void expo_reader_init(struct expo_reader *r, str body, enum expo_format format)
{
    *r = (struct expo_reader){.rest = body, .format = format};
}

void expo_reader_more(struct expo_reader *r, str piece, bool is_last)
{
    r->rest = piece;
    r->has_more = !is_last;
}

void expo_reader_release(struct expo_reader *r)
{
    buf_release(&r->text);
    vec_release(&r->labels);
}

enum expo_format expo_guess(str body)
{
    return str_ends_with(str_trim(body), S("# EOF")) ? EXPO_OPENMETRICS : EXPO_TEXT;
}

/* near: what it is about, of which NEAR_MAX bytes are shown. */
static bool exposition_read_fail(const struct expo_reader *r, struct err *e, const char *why,
                                 str near)
{
    struct buf b = BUF_INIT;
    str shown = utf8_cut(near, NEAR_MAX);

    if (near.n == 0)
        return err_at(e, r->line, 0, "%s", why);
    quote_go(&b, shown);
    err_at(e, r->line, 0, "%s: %s%s", why, buf_z(&b), shown.n < near.n ? "..." : "");
    buf_release(&b);
    return false;
}

/* Blanks between tokens: any number in text, exactly one in OpenMetrics. */
static bool exposition_read_skip_blanks(const struct expo_reader *r, str *line)
{
    size_t k = 0;

    if (r->format == EXPO_OPENMETRICS) {
        if (line->n == 0 || line->p[0] != ' ')
            return false;
        *line = str_sub(*line, 1, line->n);
        return line->n != 0 && !char_is_blank(line->p[0]);
    }
    while (k < line->n && char_is_blank(line->p[k]))
        k++;
    *line = str_sub(*line, k, line->n);
    return k != 0;
}

static str cut_word(str *line)
{
    size_t k = 0;
    str word;

    while (k < line->n && !char_is_blank(line->p[k]))
        k++;
    word = str_sub(*line, 0, k);
    *line = str_sub(*line, k, line->n);
    return word;
}

/* -- comments that say something -- */

static bool read_family(struct expo_reader *r, str line, enum expo_kind kind, struct expo_item *out,
                        struct err *e)
{
    *out = (struct expo_item){.kind = kind};
    if (!exposition_read_skip_blanks(r, &line))
        return exposition_read_fail(r, e, "a metric name is missing behind TYPE, HELP or UNIT",
                                    line);
    out->name = cut_word(&line);
    if (out->name.n > 1 && out->name.p[0] == '"' && out->name.p[out->name.n - 1] == '"')
        out->name = str_sub(out->name, 1, out->name.n - 1);
    out->text = line.n != 0 ? str_sub(line, 1, line.n) : line;
    if (kind == EXPO_TYPE && out->text.n == 0)
        return exposition_read_fail(r, e, "a type is missing", out->name);
    if (!utf8_is_valid(out->name) || !utf8_is_valid(out->text))
        return exposition_read_fail(r, e, "invalid UTF-8",
                                    out->name.n != 0 && !utf8_is_valid(out->name) ? out->name
                                                                                  : out->text);
    return true;
}

/* line: behind the #. *is_item: whether it says anything. */
static bool read_comment(struct expo_reader *r, str line, bool *is_item, struct expo_item *out,
                         struct err *e)
{
    static const struct {
        const char *word;
        enum expo_kind kind;
    } words[] = {{"HELP", EXPO_HELP}, {"TYPE", EXPO_TYPE}, {"UNIT", EXPO_UNIT}};
    bool has_blank = exposition_read_skip_blanks(r, &line);
    str word = cut_word(&line);

    for (size_t i = 0; has_blank && i < ARRAY_LEN(words); i++)
        if (str_is(word, words[i].word) &&
            (words[i].kind != EXPO_UNIT || r->format == EXPO_OPENMETRICS)) {
            *is_item = true;
            return read_family(r, line, words[i].kind, out, e);
        }
    if (r->format == EXPO_TEXT)
        return true;
    if (!has_blank || !str_is(word, "EOF") || line.n != 0)
        return exposition_read_fail(r, e, "a comment must be HELP, TYPE, UNIT or EOF", word);
    r->has_ended = true;
    return r->rest.n == 0 || exposition_read_fail(r, e, "something follows # EOF", r->rest);
}

/* -- samples -- */

/* Bytes of the name and the braces: up to the first blank or the closing brace outside of quotes. */
static size_t series_length(str line)
{
    bool in_braces = false;

    for (size_t i = 0; i < line.n; i++) {
        switch (line.p[i]) {
        case '{': in_braces = true; break;
        case '}': return in_braces ? i + 1 : 0;
        case ' ':
        case '\t':
            if (!in_braces && !(i + 1 < line.n && line.p[i + 1] == '{'))
                return i;
            break;
        case '"':
            for (i++; i < line.n && line.p[i] != '"'; i++)
                if (line.p[i] == '\\')
                    i++;
            break;
        default: break;
        }
    }
    return 0;
}

/* Braces end a series wherever they stand; a bare name goes on to a blank. */
static bool is_as_expected(const struct expo_reader *r, str line)
{
    size_t n = r->expected;

    if (n == 0 || n >= line.n)
        return false;
    if (line.p[n - 1] != '}' && (line.p[n] != ' ' || (n + 1 < line.n && line.p[n + 1] == '{')))
        return false;
    return hash_str(str_sub(line, 0, n)) == r->expected_hash;
}

/* The line that is expected, a blank, and a number that ends it: nothing is looked for twice. False: read it as another. */
static bool read_known(struct expo_reader *r, struct expo_item *out)
{
    str series = {r->rest.p, r->expected};
    const char *p, *end;
    double v;

    if (series.n == 0 || series.n >= r->rest.n || series.p[series.n] != ' ' || r->has_ended ||
        hash_str(series) != r->expected_hash)
        return false;
    p = series.p + series.n + 1;
    end = r->rest.p + r->rest.n;
    if (!float_read_exact(&p, end, &v) || p == end || *p != '\n')
        return false;
    *out =
        (struct expo_item){.kind = EXPO_SAMPLE, .series = series, .value = v, .is_expected = true};
    r->rest = (str){p + 1, (size_t)(end - p) - 1};
    r->line++;
    return true;
}

static bool read_number(const struct expo_reader *r, str word, double *out, struct err *e)
{
    struct err why = ERR_INIT;
    size_t sign = word.n != 0 && (word.p[0] == '-' || word.p[0] == '+');

    if (word.n > sign + 1 && (word.p[sign + 1] | 32) == 'x') /* hexadecimal is Go's alone */
        return exposition_read_fail(r, e, "a value is not a number", word);
    return float_parse(word, out, &why) ||
           exposition_read_fail(r, e, "a value is not a number", word);
}

static bool exposition_read_time(const struct expo_reader *r, str word, struct expo_item *out,
                                 struct err *e)
{
    bool is_minus = word.n != 0 && word.p[0] == '-';
    double seconds = 0;
    uint64_t ms;

    out->has_time = true;
    if (r->format == EXPO_OPENMETRICS) {
        if (!read_number(r, word, &seconds, e))
            return false;
        if (!(fabs(seconds) < (double)TIME_MAX / 1000))
            return exposition_read_fail(r, e, "a timestamp is out of range", word);
        out->t = (ts_ms)(seconds * 1000);
        return true;
    }
    if (!str_to_u64(is_minus ? str_sub(word, 1, word.n) : word, &ms))
        return exposition_read_fail(r, e, "a timestamp is not a whole number of milliseconds",
                                    word);
    if (ms > TIME_MAX)
        return exposition_read_fail(r, e, "a timestamp is out of range", word);
    out->t = is_minus ? -(ts_ms)ms : (ts_ms)ms;
    return true;
}

/* Exemplars are checked for their form only as far as their braces go. */
static bool skip_exemplar(const struct expo_reader *r, str line, struct err *e)
{
    line = str_sub(line, 1, line.n);
    if (!exposition_read_skip_blanks(r, &line) || line.p[0] != '{' || series_length(line) == 0)
        return exposition_read_fail(r, e, "an exemplar has no labels", line);
    return true;
}

static bool read_sample(struct expo_reader *r, str line, struct expo_item *out, struct err *e)
{
    bool is_expected = is_as_expected(r, line);
    size_t k = is_expected ? r->expected : series_length(line);

    *out = (struct expo_item){
        .kind = EXPO_SAMPLE, .series = str_sub(line, 0, k), .is_expected = is_expected};
    line = str_sub(line, k, line.n);
    if (k == 0)
        return exposition_read_fail(r, e, "a name, labels and a value expected", line);
    if (!exposition_read_skip_blanks(r, &line) && (r->format == EXPO_OPENMETRICS || line.n == 0))
        return exposition_read_fail(r, e, "a blank and a value expected", out->series);
    if (!read_number(r, cut_word(&line), &out->value, e))
        return false;
    if (line.n == 0)
        return true;
    if (!exposition_read_skip_blanks(r, &line))
        return exposition_read_fail(r, e, "a timestamp expected", line);
    if (line.n != 0 && line.p[0] != '#' && !exposition_read_time(r, cut_word(&line), out, e))
        return false;
    if (line.n != 0 && line.p[0] != '#' && !exposition_read_skip_blanks(r, &line))
        return exposition_read_fail(r, e, "one blank expected", line);
    if (line.n == 0)
        return true;
    if (r->format == EXPO_TEXT || line.p[0] != '#')
        return exposition_read_fail(r, e, "something follows the value", line);
    return skip_exemplar(r, line, e);
}

/* False: there is none, or it is wrong. */
static bool exposition_read_next_line(struct expo_reader *r, str *out, struct err *e)
{
    const char *newline = r->rest.n != 0 ? memchr(r->rest.p, '\n', r->rest.n) : NULL;
    size_t n = newline != NULL ? (size_t)(newline - r->rest.p) : r->rest.n;

    if (r->rest.n == 0 && r->has_more)
        return false;
    r->line++;
    if (r->rest.n != 0 && r->has_ended) /* it ended a piece */
        return exposition_read_fail(r, e, "something follows # EOF", r->rest);
    *out = str_sub(r->rest, 0, n);
    if (r->rest.n == 0)
        return r->format == EXPO_TEXT || r->has_ended
                   ? false
                   : exposition_read_fail(r, e, "# EOF is missing", STR_NONE);
    if (newline == NULL && !(r->format == EXPO_OPENMETRICS && str_is(*out, "# EOF")))
        return exposition_read_fail(r, e, "the last line has no end", *out);
    r->rest = str_sub(r->rest, n + 1, r->rest.n);
    if (r->format == EXPO_TEXT)
        *out = str_trim(*out);
    return r->format == EXPO_TEXT || n != 0 ||
           exposition_read_fail(r, e, "an empty line", STR_NONE);
}

bool expo_read(struct expo_reader *r, struct expo_item *out, struct err *e)
{
    str line = STR_NONE;

    if (read_known(r, out))
        return true;
    while (exposition_read_next_line(r, &line, e)) {
        bool is_item = false;

        if (line.n != 0 && line.p[0] != '#')
            return read_sample(r, line, out, e);
        if (line.n != 0 && !read_comment(r, str_sub(line, 1, line.n), &is_item, out, e))
            return false;
        if (is_item)
            return true;
    }
    return false;
}

/* -- labels -- */

struct exposition_read_scan {
    const struct expo_reader *r;
    str rest;
    struct err *e;
};

static void exposition_read_skip(struct exposition_read_scan *s)
{
    while (s->rest.n != 0 && char_is_blank(s->rest.p[0]))
        s->rest = str_sub(s->rest, 1, s->rest.n);
}

static bool exposition_read_take(struct exposition_read_scan *s, char c)
{
    exposition_read_skip(s);
    if (s->rest.n == 0 || s->rest.p[0] != c)
        return false;
    s->rest = str_sub(s->rest, 1, s->rest.n);
    return true;
}

static bool is_name_byte(char c, bool first, bool with_colon)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c == ':' && with_colon) || (!first && c >= '0' && c <= '9');
}

static str exposition_read_take_name(struct exposition_read_scan *s, bool with_colon)
{
    size_t k = 0;
    str name;

    exposition_read_skip(s);
    while (k < s->rest.n && is_name_byte(s->rest.p[k], k == 0, with_colon))
        k++;
    name = str_sub(s->rest, 0, k);
    s->rest = str_sub(s->rest, k, s->rest.n);
    return name;
}

/* A string with its quotes; text has room for all of it. One without escapes stays where it is. */
static bool take_string(struct exposition_read_scan *s, struct buf *text, str *out)
{
    size_t at = text->n, i = 0;

    if (!exposition_read_take(s, '"'))
        return exposition_read_fail(s->r, s->e, "a quoted string expected", s->rest);
    while (i < s->rest.n && s->rest.p[i] != '"' && s->rest.p[i] != '\\')
        i++;
    if (i < s->rest.n && s->rest.p[i] == '"') {
        *out = str_sub(s->rest, 0, i);
        s->rest = str_sub(s->rest, i + 1, s->rest.n);
        return utf8_is_valid(*out) || exposition_read_fail(s->r, s->e, "invalid UTF-8", *out);
    }
    for (i = 0; i < s->rest.n && s->rest.p[i] != '"'; i++) {
        char c = s->rest.p[i];

        if (c == '\\' && i + 1 < s->rest.n) {
            c = s->rest.p[++i];
            if (c != 'n' && c != '\\' && c != '"')
                buf_addc(text, '\\');
            c = c == 'n' ? '\n' : c;
        }
        buf_addc(text, c);
    }
    if (i == s->rest.n)
        return exposition_read_fail(s->r, s->e, "a quoted string has no end", s->rest);
    s->rest = str_sub(s->rest, i + 1, s->rest.n);
    *out = (str){text->p + at, text->n - at};
    return utf8_is_valid(*out) || exposition_read_fail(s->r, s->e, "invalid UTF-8", *out);
}

/* name="value", "name"="value", or a quoted metric name. */
static bool take_label(struct exposition_read_scan *s, struct expo_reader *r)
{
    struct label l = {STR_NONE, STR_NONE};

    if (r->labels.n == LABELS_MAX)
        return exposition_read_fail(r, s->e, "more than 1000 labels", STR_NONE);
    exposition_read_skip(s);
    if (s->rest.n != 0 && s->rest.p[0] == '"') {
        if (!take_string(s, &r->text, &l.name))
            return false;
        exposition_read_skip(s);
        if (s->rest.n != 0 && (s->rest.p[0] == ',' || s->rest.p[0] == '}')) {
            vec_push(&r->labels, (struct label){S("__name__"), l.name});
            return true;
        }
    } else
        l.name = exposition_read_take_name(s, false);
    if (l.name.n == 0)
        return exposition_read_fail(r, s->e, "a label name expected", s->rest);
    if (!exposition_read_take(s, '='))
        return exposition_read_fail(r, s->e, "= expected behind a label name", s->rest);
    if (!take_string(s, &r->text, &l.value))
        return false;
    vec_push(&r->labels, l);
    return true;
}

static bool take_labels(struct exposition_read_scan *s, struct expo_reader *r)
{
    while (!exposition_read_take(s, '}')) {
        if (!take_label(s, r))
            return false;
        if (exposition_read_take(s, ','))
            continue;
        exposition_read_skip(s);
        if (r->format == EXPO_TEXT) /* Prometheus misses no comma there */
            continue;
        if (s->rest.n == 0 || s->rest.p[0] != '}')
            return exposition_read_fail(r, s->e, ", or } expected behind a label", s->rest);
    }
    return true;
}

static bool finish_labels(struct expo_reader *r, struct labels *out, struct err *e)
{
    size_t n = 0;
    bool is_named = false;

    label_sort(r->labels.v, r->labels.n);
    for (size_t i = 0; i < r->labels.n; i++) {
        struct label l = r->labels.v[i];

        if (i != 0 && str_eq(l.name, r->labels.v[i - 1].name))
            return err_at(e, r->line, 0, "label \"%.*s\" stands twice", STR(l.name));
        is_named |= str_is(l.name, "__name__") && l.value.n != 0;
    }
    for (size_t i = 0; i < r->labels.n; i++)
        if (r->labels.v[i].value.n != 0)
            r->labels.v[n++] = r->labels.v[i];
    *out = (struct labels){r->labels.v, n};
    return is_named || exposition_read_fail(r, e, "a metric name is missing", STR_NONE);
}

bool expo_read_labels(struct expo_reader *r, str series, struct labels *out, struct err *e)
{
    struct exposition_read_scan s = {r, series, e};
    str name = exposition_read_take_name(&s, true);

    vec_clear(&r->labels);
    buf_clear(&r->text);
    buf_reserve(&r->text, series.n); /* decoding never makes longer, so nothing moves */
    if (name.n != 0)
        vec_push(&r->labels, (struct label){S("__name__"), name});
    if (exposition_read_take(&s, '{') && !take_labels(&s, r))
        return false;
    if (s.rest.n != 0)
        return exposition_read_fail(r, e, "a name and labels in braces expected", s.rest);
    return finish_labels(r, out, e);
}

/* -- bounds -- */

static str canonical_bound(struct arena *a, str text)
{
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    double v;
    str out = text;

    if (!float_parse(text, &v, &e))
        return text;
    float_print_g(&b, v);
    if (v - v == 0 && str_find(buf_str(&b), '.') < 0 && str_find(buf_str(&b), 'e') < 0)
        buf_adds(&b, ".0");
    if (!str_eq(buf_str(&b), text))
        out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}

struct labels expo_canonical_labels(struct arena *a, str type, struct labels ls)
{
    const char *name = str_is(type, "histogram") ? "le" : str_is(type, "summary") ? "quantile" : "";
    struct label *v;
    size_t at = 0;

    while (at < ls.n && !str_is(ls.v[at].name, name))
        at++;
    if (at == ls.n)
        return ls;
    v = arena_copy(a, ls.v, ls.n, ls.n, sizeof(*v));
    v[at].value = canonical_bound(a, v[at].value);
    return (struct labels){v, ls.n};
}
