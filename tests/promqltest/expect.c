#include "expect.h"

#include "codec/duration.h"
#include "codec/float.h"
#include "codec/quote.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

str cut_word(str *rest)
{
    str s = str_trim(*rest);
    size_t k = 0;

    while (k < s.n && !is_blank(s.p[k]))
        k++;
    *rest = str_trim(str_sub(s, k, s.n));
    return str_sub(s, 0, k);
}

bool parse_moment(str s, ts_ms *out, struct err *e)
{
    bool is_minus = s.n != 0 && s.p[0] == '-';
    dur_ns d;

    if (!duration_parse(is_minus ? str_sub(s, 1, s.n) : s, &d, e))
        return false;
    *out = (is_minus ? -d : d) / NS_PER_MS;
    return true;
}

/* -- the header -- */

static bool take_keyword(str *rest, const char *word)
{
    str copy = *rest;

    if (!str_is(cut_word(&copy), word))
        return false;
    *rest = copy;
    return true;
}

static bool take_moment(str *rest, const char *word, ts_ms *out, struct err *e)
{
    if (!take_keyword(rest, word))
        return err_set(e, ERR_INVALID, "'%s' expected before '%.*s'", word, STR(*rest));
    return parse_moment(cut_word(rest), out, e);
}

static bool take_grid(str *rest, ts_ms *start, ts_ms *end, ts_ms *step, struct err *e)
{
    if (!take_moment(rest, "from", start, e) || !take_moment(rest, "to", end, e) ||
        !take_moment(rest, "step", step, e))
        return false;
    return (*end >= *start && *step > 0) ||
           err_set(e, ERR_INVALID, "the range ends before it starts");
}

/* eval, eval_fail, eval_warn, eval_info, eval_ordered */
static bool parse_kind(str word, struct expected *x, struct err *e)
{
    str suffix = str_sub(word, 4, word.n);

    if (str_eq_nocase(suffix, S("_fail")))
        x->fails = true;
    else if (str_eq_nocase(suffix, S("_warn")))
        vec_push(&x->warns, (struct said){.re = NULL});
    else if (str_eq_nocase(suffix, S("_info")))
        vec_push(&x->infos, (struct said){.re = NULL});
    else if (str_eq_nocase(suffix, S("_ordered")))
        x->ordered = true;
    else if (suffix.n != 0)
        return err_set(e, ERR_INVALID, "unknown command '%.*s'", STR(word));
    return true;
}

static bool parse_header(str header, struct expected *x, struct err *e)
{
    str rest = header;

    if (!parse_kind(cut_word(&rest), x, e))
        return false;
    if (take_keyword(&rest, "instant")) {
        if (take_keyword(&rest, "at") && !parse_moment(cut_word(&rest), &x->start, e))
            return false;
        x->end = x->start;
    } else if (take_keyword(&rest, "range")) {
        x->is_range = true;
        if (!take_grid(&rest, &x->start, &x->end, &x->step, e))
            return false;
    } else
        return err_set(e, ERR_INVALID, "eval needs 'instant' or 'range'");
    x->query = rest;
    return true;
}

/* -- the lines -- */

static bool parse_pattern(str text, struct said *out, struct err *e)
{
    out->re = regex_compile(text, 0, e);
    return out->re != NULL;
}

/* What stands behind "expect warn": nothing, msg: TEXT or regex: RE. */
static bool parse_said(str rest, struct said *out, struct err *e)
{
    *out = (struct said){.re = NULL};
    rest = str_trim(rest);
    if (rest.n == 0)
        return true;
    if (str_starts_with(rest, S("msg:"))) {
        out->text = str_trim(str_sub(rest, 4, rest.n));
        return true;
    }
    if (str_starts_with(rest, S("regex:")))
        return parse_pattern(str_trim(str_sub(rest, 6, rest.n)), out, e);
    return err_set(e, ERR_INVALID, "'msg:' or 'regex:' expected, not '%.*s'", STR(rest));
}

static bool parse_text(str rest, struct arena *a, struct expected *x, struct err *e)
{
    x->is_string = true;
    if (rest.n < 2 || rest.p[rest.n - 1] != rest.p[0] || (rest.p[0] != '"' && rest.p[0] != '`'))
        return err_set(e, ERR_INVALID, "a quoted string expected, not '%.*s'", STR(rest));
    if (rest.p[0] == '`') {
        x->text = str_sub(rest, 1, rest.n - 1);
        return true;
    }
    return unquote_go(a, str_sub(rest, 1, rest.n - 1), &x->text, e);
}

static bool parse_level(str what, str rest, struct expected *x, struct err *e)
{
    struct said s;

    if (!parse_said(rest, &s, e))
        return false;
    if (str_is(what, "warn"))
        vec_push(&x->warns, s);
    else if (str_is(what, "info"))
        vec_push(&x->infos, s);
    else if (x->fails) {
        regex_unref(s.re);
        return err_set(e, ERR_INVALID, "'expect fail' stands twice");
    } else {
        x->fails = true;
        x->failure = s;
    }
    return true;
}

static bool parse_expect(str rest, struct arena *a, struct expected *x, struct err *e)
{
    str what = cut_word(&rest);

    if (str_is(what, "range") && take_keyword(&rest, "vector")) {
        x->has_grid = true;
        if (!take_grid(&rest, &x->grid_start, &x->grid_end, &x->grid_step, e))
            return false;
        if (!x->is_range)
            x->start = x->end = x->grid_end;
        return true;
    }
    if (str_is(what, "string"))
        return parse_text(rest, a, x, e);
    if (str_is(what, "warn") || str_is(what, "info") || str_is(what, "fail"))
        return parse_level(what, rest, x, e);
    x->ordered |= str_is(what, "ordered");
    x->no_warn |= str_is(what, "no_warn");
    x->no_info |= str_is(what, "no_info");
    if (!(str_is(what, "ordered") || str_is(what, "no_warn") || str_is(what, "no_info")) ||
        rest.n != 0)
        return err_set(e, ERR_INVALID, "expect what? '%.*s'", STR(what));
    return true;
}

static bool parse_legacy(str line, struct expected *x, struct err *e)
{
    str rest = line, word = cut_word(&rest);

    if (!x->fails)
        return err_set(e, ERR_INVALID, "%.*s needs eval_fail", STR(word));
    if (str_is(word, "expected_fail_regexp"))
        return parse_pattern(rest, &x->failure, e);
    x->failure.text = rest;
    return true;
}

/* As Go reads numbers; labels that could be one are written with braces. */
static bool is_scalar(str line, double *out)
{
    bool is_minus = line.n > 1 && line.p[0] == '-', is_hex;
    str digits = is_minus ? str_sub(line, 1, line.n) : line;
    uint64_t v = 0;

    is_hex = digits.n > 2 && digits.p[0] == '0' && (digits.p[1] | 32) == 'x' &&
             str_find(digits, 'p') < 0;
    if (!is_hex)
        return float_parse(line, out, NULL);
    for (size_t i = 2; i < digits.n; i++) {
        int c = digits.p[i] | 32;

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        v = v * 16 + (uint64_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
    }
    *out = is_minus ? -(double)v : (double)v;
    return true;
}

static bool parse_series(str line, unsigned at, struct arena *a, struct expected *x, struct err *e)
{
    struct expected_series s = {.file_line = at};

    if (!series_parse(line, a, &s.line, e))
        return false;
    if (!x->is_range && !x->has_grid && s.line.n > 1)
        return err_set(e, ERR_INVALID, "an instant query has one value a series");
    vec_push(&x->series, s);
    return true;
}

static bool parse_line(str line, unsigned at, struct arena *a, struct expected *x, struct err *e)
{
    str rest = line, word = cut_word(&rest);

    if (str_starts_with(line, S("expected_fail_")))
        return parse_legacy(line, x, e);
    if (str_is(word, "expect"))
        return parse_expect(rest, a, x, e);
    if (is_scalar(line, &x->scalar)) {
        x->is_scalar = true;
        return true;
    }
    return parse_series(line, at, a, x, e);
}

bool expect_parse(str header, const str *lines, size_t n, unsigned at, struct arena *a,
                  struct expected *out, struct err *e)
{
    struct expected x = {.warns = VEC_INIT};
    bool ok = parse_header(header, &x, e);

    for (size_t i = 0; ok && i < n && !x.is_scalar; i++)
        ok = parse_line(lines[i], at + (unsigned)i, a, &x, e);
    if (ok && ((x.no_warn && x.warns.n != 0) || (x.no_info && x.infos.n != 0)))
        ok = err_set(e, ERR_INVALID, "expects both an annotation and none");
    if (ok && x.ordered && (x.is_range || x.has_grid))
        ok = err_set(e, ERR_INVALID, "a matrix has no order of its own");
    if (ok)
        *out = x;
    else
        expect_release(&x);
    return ok;
}

void expect_release(struct expected *x)
{
    regex_unref(x->failure.re);
    VEC_EACH (struct said *, s, &x->warns)
        regex_unref(s->re);
    VEC_EACH (struct said *, s, &x->infos)
        regex_unref(s->re);
    vec_release(&x->warns);
    vec_release(&x->infos);
    vec_release(&x->series);
}

bool said_matches(const struct said *s, str text)
{
    size_t groups[2];

    if (s->re != NULL)
        return regex_captures(s->re, text, 0, groups, 1);
    return s->text.n == 0 || str_eq(s->text, text);
}
