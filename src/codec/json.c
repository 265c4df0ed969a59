/* Reading: one position in the text and one level of nesting at a time; a string without escapes is a slice of the
 * text, another one a copy in the arena. Writing: a comma is put by whoever comes next. */
#include "codec/json.h"

#include <math.h>
#include <stdio.h>
#include "base/utf8.h"
#include "codec/bytes.h"
#include "codec/float.h"
#include "codec/quote.h"
#include "codec/timefmt.h"

void json_reader_init(struct json_reader *r, str in, struct arena *a, unsigned max_depth)
{
    *r = (struct json_reader){.in = in, .a = a, .max_depth = max_depth};
}

bool json_fail(struct json_reader *r, const char *fmt, ...)
{
    va_list ap;
    char msg[512];
    int line = 1;
    size_t line_start = 0;

    if (r->failed)
        return false;
    for (size_t i = 0; i < r->at && i < r->in.n; i++) {
        if (r->in.p[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    va_start(ap, fmt);
    vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    r->failed = true;
    return err_at(&r->err, line, (int)(r->at - line_start) + 1, "%s", msg);
}

static int peek_char(struct json_reader *r)
{
    while (r->at < r->in.n && char_is_space(r->in.p[r->at]))
        r->at++;
    return r->at < r->in.n ? (unsigned char)r->in.p[r->at] : -1;
}

static bool fail_unexpected(struct json_reader *r, const char *wanted)
{
    int c = peek_char(r);

    if (c < 0)
        return json_fail(r, "%s expected, but the text ends", wanted);
    if (c < 0x20 || c >= 0x7f)
        return json_fail(r, "%s expected, not byte 0x%02x", wanted, (unsigned)c);
    return json_fail(r, "%s expected, not '%c'", wanted, c);
}

enum json_type json_peek(struct json_reader *r)
{
    int c;

    if (r->failed)
        return JSON_FAILED;
    c = peek_char(r);
    switch (c) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't':
    case 'f': return JSON_BOOL;
    case 'n': return JSON_NULL;
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return JSON_NUMBER;
        fail_unexpected(r, "a value");
        return JSON_FAILED;
    }
}

/* -- objects and arrays -- */

static const char *const type_names[] = {
    [JSON_FAILED] = "nothing",  [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean",
    [JSON_NUMBER] = "a number", [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
    [JSON_OBJECT] = "an object"};

static bool expect_type(struct json_reader *r, enum json_type want)
{
    enum json_type got = json_peek(r);

    if (got == want)
        return true;
    return json_fail(r, "%s expected, not %s", type_names[want], type_names[got]);
}

static bool json_begin(struct json_reader *r, enum json_type type)
{
    if (!expect_type(r, type))
        return false;
    if (r->depth == r->max_depth)
        return json_fail(r, "nested deeper than %u levels", r->max_depth);
    r->depth++;
    r->at++;
    r->first = true;
    return true;
}

/* Steps to the next element: false at the closing bracket, which is consumed, or on failure. */
static bool json_next(struct json_reader *r, char close)
{
    int c;

    if (r->failed)
        return false;
    c = peek_char(r);
    if (c == close) {
        r->at++;
        r->depth--;
        r->first = false;
        return false;
    }
    if (r->first) {
        r->first = false;
        return true;
    }
    if (c != ',')
        return fail_unexpected(r, close == ']' ? "',' or ']'" : "',' or '}'");
    r->at++;
    return true;
}

bool json_object_begin(struct json_reader *r)
{
    return json_begin(r, JSON_OBJECT);
}

bool json_object_next(struct json_reader *r, str *key)
{
    if (!json_next(r, '}'))
        return false;
    if (peek_char(r) != '"')
        return fail_unexpected(r, "a key in quotes");
    if (!json_string(r, key))
        return false;
    if (peek_char(r) != ':')
        return fail_unexpected(r, "':'");
    r->at++;
    return true;
}

/* Letters that Unicode folds to small ASCII ones: the long s and the Kelvin sign besides the capitals. */
static size_t json_folded(str s, char *out)
{
    if (str_starts_with(s, S("\u017f")) || str_starts_with(s, S("\u212a"))) {
        *out = s.p[0] == '\xc5' ? 's' : 'k';
        return *out == 's' ? 2 : 3;
    }
    *out = s.p[0] >= 'A' && s.p[0] <= 'Z' ? (char)(s.p[0] | 0x20) : s.p[0];
    return 1;
}

bool json_key_is_folded(str key, const char *name)
{
    for (; key.n != 0 && *name != '\0'; name++) {
        char a, b;

        key = str_sub(key, json_folded(key, &a), key.n);
        (void)json_folded((str){name, 1}, &b);
        if (a != b)
            return false;
    }
    return key.n == 0 && *name == '\0';
}

bool json_array_begin(struct json_reader *r)
{
    return json_begin(r, JSON_ARRAY);
}

bool json_array_next(struct json_reader *r)
{
    return json_next(r, ']');
}

/* -- strings -- */

/* The four digits behind \u; r->at stands on the first of them. */
static bool read_hex4(struct json_reader *r, uint32_t *out)
{
    uint32_t v = 0;

    for (size_t i = 0; i < 4; i++) {
        int d = r->at < r->in.n ? char_hex(r->in.p[r->at]) : -1;

        if (d < 0)
            return json_fail(r, "four hexadecimal digits expected behind \\u");
        v = v * 16 + (uint32_t)d;
        r->at++;
    }
    *out = v;
    return true;
}

/* A surrogate alone becomes U+FFFD when it is written; what stands behind it is read by itself. */
static bool read_unicode_escape(struct json_reader *r, uint32_t *rune)
{
    uint32_t low = 0;
    size_t behind;

    if (!read_hex4(r, rune))
        return false;
    behind = r->at;
    if (*rune < 0xD800 || *rune > 0xDBFF ||
        !str_starts_with(str_sub(r->in, behind, r->in.n), S("\\u")))
        return true;
    r->at += 2;
    if (!read_hex4(r, &low))
        return false;
    if (low >= 0xDC00 && low <= 0xDFFF)
        *rune = 0x10000 + ((*rune - 0xD800) << 10) + (low - 0xDC00);
    else
        r->at = behind;
    return true;
}

/* Decodes one escape, r->at stands behind the backslash; appends to p + *n. */
static bool read_escape(struct json_reader *r, char *p, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->in.n ? r->in.p[r->at] : '\0';
    const char *hit = c != '\0' ? strchr(from, c) : NULL;
    uint32_t rune;

    if (hit != NULL) {
        p[(*n)++] = to[hit - from];
        r->at++;
        return true;
    }
    if (c != 'u')
        return json_fail(r, "unknown escape in a string");
    r->at++;
    if (!read_unicode_escape(r, &rune))
        return false;
    *n += utf8_encode(p + *n, rune);
    return true;
}

/* What ends a run of text: a quote, a backslash, a control byte, the end. *high: bits of bytes beyond ASCII. */
static size_t find_end(str s, size_t i, uint64_t *high)
{
    for (; s.n - i >= 8; i += 8) {
        uint64_t v = bytes_load(s.p + i), found;

        found = (bytes_below(v, ' ') | bytes_are(v, '"') | bytes_are(v, '\\')) & BYTES_HIGHS;
        if (found != 0) {
            *high |= v & (found ^ (found - 1));
            return i + bytes_first(found);
        }
        *high |= v;
    }
    for (; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"' || c == '\\' || c < ' ')
            break;
        *high |= c;
    }
    return i;
}

/* Moves to the closing quote; *escapes: there is a backslash on the way, *ascii: no other byte than such. */
static bool find_quote(struct json_reader *r, size_t *end, bool *escapes, bool *ascii)
{
    uint64_t high = 0;
    size_t i = r->at;

    *escapes = false;
    for (; (i = find_end(r->in, i, &high)) < r->in.n && r->in.p[i] != '"'; i += 2) {
        if (r->in.p[i] != '\\') {
            r->at = i;
            return json_fail(r, "control byte 0x%02x in a string", (unsigned char)r->in.p[i]);
        }
        *escapes = true;
        if (i + 1 < r->in.n)
            high |= (unsigned char)r->in.p[i + 1];
        else
            break;
    }
    *end = i;
    *ascii = (high & BYTES_HIGHS) == 0;
    if (i < r->in.n && r->in.p[i] == '"')
        return true;
    r->at = r->in.n;
    return json_fail(r, "string without a closing quote");
}

static size_t copy_rune(struct json_reader *r, size_t end, char *p)
{
    uint32_t rune;

    r->at += utf8_decode(str_sub(r->in, r->at, end), &rune);
    return utf8_encode(p, rune);
}

bool json_string(struct json_reader *r, str *out)
{
    size_t end = 0, n = 0;
    bool escapes = false, ascii = false, valid;
    str body;
    char *p;

    if (!expect_type(r, JSON_STRING))
        return false;
    r->at++;
    if (!find_quote(r, &end, &escapes, &ascii))
        return false;
    body = str_sub(r->in, r->at, end);
    valid = ascii || utf8_is_valid(body);
    if (!escapes && valid) {
        r->at = end + 1;
        *out = body;
        return true;
    }
    /* No escape is shorter than what it stands for; U+FFFD takes three bytes for a bad one. */
    p = arena_alloc(r->a, (valid ? 1 : 3) * body.n + 1);
    while (r->at < end) {
        char c = r->in.p[r->at];

        if (c == '\\') {
            r->at++;
            if (!read_escape(r, p, &n))
                return false;
        } else if (valid) {
            p[n++] = c;
            r->at++;
        } else {
            n += copy_rune(r, end, p + n);
        }
    }
    p[n] = '\0';
    r->at = end + 1;
    *out = (str){p, n};
    return true;
}

/* -- numbers and words -- */

static size_t json_count_digits(const struct json_reader *r, size_t at)
{
    size_t n = 0;

    while (at + n < r->in.n && r->in.p[at + n] >= '0' && r->in.p[at + n] <= '9')
        n++;
    return n;
}

static char json_char_at(const struct json_reader *r, size_t at)
{
    return at < r->in.n ? r->in.p[at] : '\0';
}

bool json_number(struct json_reader *r, str *text)
{
    size_t start, at, n;

    if (!expect_type(r, JSON_NUMBER))
        return false;
    start = at = r->at;
    at += json_char_at(r, at) == '-';
    n = json_count_digits(r, at);
    if (n == 0 || (n > 1 && r->in.p[at] == '0'))
        return json_fail(r, "malformed number");
    at += n;
    if (json_char_at(r, at) == '.') {
        n = json_count_digits(r, ++at);
        if (n == 0)
            return json_fail(r, "malformed number");
        at += n;
    }
    if ((json_char_at(r, at) | 0x20) == 'e') {
        at++;
        at += json_char_at(r, at) == '+' || json_char_at(r, at) == '-';
        n = json_count_digits(r, at);
        if (n == 0)
            return json_fail(r, "malformed number");
        at += n;
    }
    r->at = at;
    *text = str_sub(r->in, start, at);
    return true;
}

bool json_double(struct json_reader *r, double *out)
{
    size_t start = r->at;
    struct err e;
    str text = STR_NONE;

    if (!json_number(r, &text))
        return false;
    if (float_parse(text, out, &e))
        return true;
    r->at = start;
    return json_fail(r, "%s", e.msg);
}

bool json_i64(struct json_reader *r, int64_t *out)
{
    size_t start = r->at;
    bool negative;
    uint64_t v;
    str text = STR_NONE;

    if (!json_number(r, &text))
        return false;
    negative = str_starts_with(text, S("-"));
    if (str_to_u64(str_sub(text, negative, text.n), &v) && v <= (uint64_t)INT64_MAX + negative) {
        *out = negative ? (int64_t)(0 - v) : (int64_t)v;
        return true;
    }
    r->at = start;
    return json_fail(r, "\"%.*s\" is not an integer of 64 bits", STR(text));
}

static bool word(struct json_reader *r, str w)
{
    if (!str_starts_with(str_sub(r->in, r->at, r->in.n), w))
        return fail_unexpected(r, "a value");
    r->at += w.n;
    return true;
}

bool json_bool(struct json_reader *r, bool *out)
{
    bool v;

    if (!expect_type(r, JSON_BOOL))
        return false;
    v = r->in.p[r->at] == 't';
    if (!word(r, v ? S("true") : S("false")))
        return false;
    *out = v;
    return true;
}

bool json_null(struct json_reader *r)
{
    return expect_type(r, JSON_NULL) && word(r, S("null"));
}

/* -- any value -- */

bool json_skip(struct json_reader *r)
{
    str text;
    bool b;

    switch (json_peek(r)) {
    case JSON_FAILED: return false;
    case JSON_NULL: return json_null(r);
    case JSON_BOOL: return json_bool(r, &b);
    case JSON_NUMBER: return json_number(r, &text);
    case JSON_STRING: return json_string(r, &text);
    case JSON_ARRAY:
        for (json_array_begin(r); json_array_next(r);)
            json_skip(r);
        return !r->failed;
    case JSON_OBJECT:
        for (json_object_begin(r); json_object_next(r, &text);)
            json_skip(r);
        return !r->failed;
    }
    return false;
}

bool json_raw(struct json_reader *r, str *text)
{
    size_t start;

    if (r->failed)
        return false;
    peek_char(r);
    start = r->at;
    if (!json_skip(r))
        return false;
    *text = str_sub(r->in, start, r->at);
    return true;
}

/* The next quote or backslash from i on. */
static size_t quote_or_backslash(str s, size_t i)
{
    for (; s.n - i >= BYTES_WIDTH; i += BYTES_WIDTH) {
        bytes_halves found;
        bytes_vector v;

        memcpy(&v, s.p + i, sizeof(v));
        found = (bytes_halves)((v == '"') | (v == '\\'));
        if (bytes_has_any(found))
            return i + bytes_first_of(found);
    }
    while (i < s.n && s.p[i] != '"' && s.p[i] != '\\')
        i++;
    return i;
}

/* The place behind a string whose first byte is at i; 0: it does not end. */
static size_t behind_string(str s, size_t i)
{
    while ((i = quote_or_backslash(s, i)) < s.n && s.p[i] == '\\') {
        i += 2;
        if (i > s.n)
            return 0;
    }
    return i < s.n ? i + 1 : 0;
}

bool json_object_span(struct json_reader *r, str *text)
{
    size_t start, i, depth = 0;

    if (r->failed || peek_char(r) != '{')
        return false;
    for (start = i = r->at; i < r->in.n;) {
        char c = r->in.p[i++];

        if (c == '"') {
            i = behind_string(r->in, i);
            if (i == 0)
                return false;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            *text = str_sub(r->in, start, i);
            r->at = i;
            return true;
        }
    }
    return false;
}

struct json_mark json_mark(const struct json_reader *r)
{
    return (struct json_mark){r->at, r->depth, r->first};
}

void json_go_back(struct json_reader *r, struct json_mark m)
{
    r->at = m.at;
    r->depth = m.depth;
    r->first = m.first;
    r->failed = false;
}

bool json_end_of_value(const struct json_reader *r)
{
    return !r->failed;
}

bool json_end(struct json_reader *r)
{
    if (r->failed)
        return false;
    if (peek_char(r) >= 0)
        return json_fail(r, "text behind the end of the document");
    return true;
}

/* -- writing -- */

void json_writer_init(struct json_writer *w, struct buf *out, bool html)
{
    *w = (struct json_writer){.out = out, .html = html};
}

static void separate(struct json_writer *w)
{
    if (w->comma)
        buf_addc(w->out, ',');
    w->comma = true;
}

void json_open(struct json_writer *w, char bracket)
{
    separate(w);
    buf_addc(w->out, bracket);
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    buf_addc(w->out, bracket);
    w->comma = true;
}

void json_key(struct json_writer *w, str key)
{
    separate(w);
    quote_json(w->out, key, w->html);
    buf_addc(w->out, ':');
    w->comma = false;
}

void json_key_raw(struct json_writer *w, str text)
{
    separate(w);
    buf_add(w->out, text);
    w->comma = false;
}

void json_put_str(struct json_writer *w, str s)
{
    separate(w);
    quote_json(w->out, s, w->html);
}

void json_put_text(struct json_writer *w, const char *key, str value)
{
    json_key(w, str_of(key));
    json_put_str(w, value);
}

void json_put_i64(struct json_writer *w, int64_t v)
{
    separate(w);
    buf_add_i64(w->out, v);
}

void json_put_u64(struct json_writer *w, uint64_t v)
{
    separate(w);
    buf_add_u64(w->out, v);
}

void json_put_hex64(struct json_writer *w, uint64_t v)
{
    char text[16];

    for (size_t i = sizeof(text); i-- != 0; v >>= 4)
        text[i] = "0123456789abcdef"[v & 15];
    separate(w);
    buf_addc(w->out, '"');
    buf_add(w->out, (str){text, sizeof(text)});
    buf_addc(w->out, '"');
}

void json_put_double(struct json_writer *w, double v)
{
    separate(w);
    if (isfinite(v))
        float_print_go_json(w->out, v);
    else
        buf_adds(w->out, "null"); /* JSON has no such number */
}

void json_put_double_text(struct json_writer *w, double v)
{
    separate(w);
    buf_addc(w->out, '"');
    if (isfinite(v))
        float_print_go_json(w->out, v);
    else
        float_print_shortest(w->out, v);
    buf_addc(w->out, '"');
}

void json_put_seconds_of_ms(struct json_writer *w, int64_t ms)
{
    uint64_t v = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms, rest = v % 1000;
    const char digits[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                           (char)('0' + rest % 10)};

    separate(w);
    if (ms < 0)
        buf_addc(w->out, '-');
    buf_add_u64(w->out, v / 1000);
    if (rest != 0)
        buf_add(w->out, (str){digits, sizeof(digits)});
}

void json_put_bool(struct json_writer *w, bool v)
{
    separate(w);
    buf_add(w->out, v ? S("true") : S("false"));
}

void json_put_null(struct json_writer *w)
{
    separate(w);
    buf_adds(w->out, "null");
}

void json_put_raw(struct json_writer *w, str json)
{
    separate(w);
    buf_add(w->out, json);
}

void json_put_plain(struct json_writer *w, str s)
{
    separate(w);
    buf_reserve(w->out, s.n + 2);
    buf_addc(w->out, '"');
    buf_add(w->out, s);
    buf_addc(w->out, '"');
}

static void json_put_time(struct json_writer *w, void (*format)(struct buf *out, ts_ns t), ts_ns t)
{
    separate(w);
    buf_addc(w->out, '"');
    format(w->out, t); /* digits, and what needs no escape */
    buf_addc(w->out, '"');
}

void json_put_rfc3339_ms(struct json_writer *w, ts_ns t)
{
    json_put_time(w, rfc3339_ms, t);
}

void json_put_rfc3339_nano(struct json_writer *w, ts_ns t)
{
    json_put_time(w, rfc3339_nano, t);
}
