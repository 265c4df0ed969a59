/* mime.h - mail messages: headers that survive any text, and a body of text and HTML.
 *
 * Header values lose CR, LF and other control bytes: a label value cannot add a header. What is not ASCII is written as
 * RFC 2047 encoded-words in UTF-8 (Q), at most 75 characters each, cut between runes. Bodies are quoted-printable.
 *
 * Shapes   lines end in CR LF and are at most 76 characters in bodies, 78 in headers that can be folded.
 * Owns     everything is appended to the caller's buffer.
 * Source   RFC 5322, 2045-2047; alertmanager.md 6.3.
 */
#ifndef TOCSIN_MIME_H
#define TOCSIN_MIME_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/err.h"
#include "tocsin/time.h"

void mime_header(struct buf *out, str name, str value);
void mime_date(struct buf *out, ts_ns now);         /* Mon, 23 Nov 2026 05:30:00 +0000 */
void mime_day(struct buf *out, ts_ns now);          /* 2026-11-23, UTC */
void mime_quoted_printable(struct buf *out, str s); /* LF and CR LF become CR LF */

/* Header name as textproto's canonical form: "message-id" is "Message-Id". */
str mime_canonical_name(struct arena *a, str name);

struct mime_addresses {
    str *v; /* addr-specs, without display names and brackets; quoted where they need it */
    size_t n;
    str header; /* the list as it goes into a header, display names encoded */
};

/* "a@x, Müller <b@y>, c@z (night shift), team: d@x, \"e f\"@y;": a list as Go's net/mail reads it. */
bool mime_addresses_parse(str list, struct arena *a, struct mime_addresses *out,
                          struct err *e) must_check;

#endif
