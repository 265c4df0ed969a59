/* json.h - a pull reader and a writer for RFC 8259 JSON.
 *
 * The reader walks the text once and builds nothing: the caller asks for what it expects, so that 20,000 alerts never
 * exist as a tree. Failure is sticky: after the first error every call returns false and r->err says why and where, so
 * a caller checks once, at json_end().
 *
 *     json_reader_init(&r, body, &arena, 64);
 *     for (json_array_begin(&r); json_array_next(&r);)
 *         for (json_object_begin(&r); json_object_next(&r, &key);)
 *             if (str_is(key, "id")) json_string(&r, &id); else json_skip(&r);
 *     if (!json_end(&r)) ... r.err
 *
 * Shapes   a string without escapes is a slice of the input, else it lives in the arena. Numbers keep their text. What is
 *          in strings is read as Go does: a bad byte of UTF-8 and a lone surrogate are U+FFFD, \u0000 is a NUL.
 * Errors   r->err with 1-based line and column (bytes). Strict in everything else: control bytes, trailing text, depth.
 * Owns     the reader borrows the input and the arena.
 * Cost     one pass, no allocation but for escaped strings.
 * Source   RFC 8259, Go's encoding/json. Duplicate keys are the caller's to see. Oracle in tests: jansson.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "tocsin/json.h"

enum json_type {
    JSON_FAILED,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_reader {
    str in;
    size_t at;
    struct arena *a;
    unsigned depth, max_depth;
    bool first; /* no comma is due before the next element */
    bool failed;
    struct err err;
};

void json_reader_init(struct json_reader *r, str in, struct arena *a, unsigned max_depth);
enum json_type json_peek(struct json_reader *r); /* type of the next value, nothing is consumed */

bool json_object_begin(struct json_reader *r);
bool json_object_next(struct json_reader *r,
                      str *key); /* false at the end (consumed) or on failure */
bool json_array_begin(struct json_reader *r);
bool json_array_next(struct json_reader *r);

/* The long way, for keys that are not written as they should be. */
bool json_key_is_folded(str key, const char *name);
/* Whether a key names a member as Go finds it: any case will do. A reader with two members that differ in case alone asks
 * for the exact name first. */
static inline bool json_key_is(str key, const char *name)
{
    size_t n = strlen(name);

    if (key.n == n && memcmp(key.p, name, n) == 0)
        return true;
    /* a folded letter has as many bytes or more, and begins as the name does but for its case */
    return key.n >= n && n != 0 &&
           ((key.p[0] | 0x20) == (name[0] | 0x20) || (unsigned char)key.p[0] >= 0x80) &&
           json_key_is_folded(key, name);
}

bool json_string(struct json_reader *r, str *out);
bool json_number(struct json_reader *r, str *text); /* the digits as written */
bool json_double(struct json_reader *r, double *out);
bool json_i64(struct json_reader *r,
              int64_t *out); /* fails on a fraction, an exponent or overflow */
bool json_bool(struct json_reader *r, bool *out);
bool json_null(struct json_reader *r);
bool json_skip(struct json_reader *r);           /* any one value */
bool json_raw(struct json_reader *r, str *text); /* any one value, as written */
/* An object as written, up to the brace that closes it, for who knows these bytes already: what is between is not looked at. False,
 * and nothing is consumed or failed: what comes is none, or has no end. */
bool json_object_span(struct json_reader *r, str *text);
/* A place to go back to, and forget what failed since. */
struct json_mark {
    size_t at;
    unsigned depth;
    bool first;
};
struct json_mark json_mark(const struct json_reader *r);
void json_go_back(struct json_reader *r, struct json_mark m);
bool json_end(struct json_reader *r)
    must_check; /* nothing may follow; false when anything failed */
/* The end of a request: what follows the value is let be, as by Go's Decoder. */
bool json_end_of_value(const struct json_reader *r) must_check;
bool json_fail(struct json_reader *r, const char *fmt, ...)
    printf_like(2, 3); /* the caller's own complaint, here */

/* -- writing: tocsin/json.h, and times as strings (codec/timefmt.h) -- */

/* As Prometheus writes samples: a time in seconds, to the millisecond; a value as a text, so that NaN and infinities have
 * one. */
void json_put_seconds_of_ms(struct json_writer *w, int64_t ms);
void json_put_double_text(struct json_writer *w, double v);

void json_put_plain(struct json_writer *w, str s); /* a text that needs no escape */
void json_put_rfc3339_ms(struct json_writer *w, ts_ns t);
void json_put_rfc3339_nano(struct json_writer *w, ts_ns t);

#endif
