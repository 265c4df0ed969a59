/* json.h - writing JSON, member after member, straight into a buffer.
 *
 *     json_writer_init(&w, &out, true);
 *     json_open(&w, '{'); json_key(&w, S("text")); json_put_str(&w, text); json_close(&w, '}');
 *
 * Shapes   commas are the writer's business; nesting is the caller's.
 * Owns     the buffer is borrowed.
 * Source   RFC 8259; with html set as Go's encoder: < > & U+2028 U+2029 are escaped.
 */
#ifndef TOCSIN_JSON_H
#define TOCSIN_JSON_H

#include "tocsin/buf.h"

struct json_writer {
    struct buf *out;
    bool html;  /* escape < > & as Go's encoder does */
    bool comma; /* one is due before the next value */
};

void json_writer_init(struct json_writer *w, struct buf *out, bool html);
void json_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_key(struct json_writer *w, str key);
/* A key that is written in the program, and needs no escape. */
#define json_key_of(w, literal) json_key_raw((w), S("\"" literal "\":"))
void json_key_raw(struct json_writer *w, str text);
void json_put_str(struct json_writer *w, str s);
void json_put_text(struct json_writer *w, const char *key, str value); /* a member */
void json_put_i64(struct json_writer *w, int64_t v);
void json_put_u64(struct json_writer *w, uint64_t v);
void json_put_hex64(struct json_writer *w, uint64_t v); /* a text of 16 digits: a fingerprint */
void json_put_double(struct json_writer *w,
                     double v); /* as Go: shortest, exponent outside 1e-6..1e21 */
void json_put_bool(struct json_writer *w, bool v);
void json_put_null(struct json_writer *w);
void json_put_raw(struct json_writer *w, str json); /* a complete value */

#endif
