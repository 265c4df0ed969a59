/* redact.h - the parts of a YAML document's line that are nobody's business but its owner's.
 *
 * Lint, the start and a reload show the line of a problem. The line may hold a password, or lie inside of a key in PEM; and
 * where a document is wrong, no decoder can say which part of it was meant to be secret: `pasword: x` is an unknown key. So
 * lines are read by the names in them: a value is secret when the name before it, on the line or above it by indentation,
 * is a secret's, looks like one, or nearly is one. Of a URL the scheme and the host are kept. Labels, annotations and
 * expressions hold no secrets and are shown as they are.
 *
 *     - {name: ops, token: s3cret, scope: all}    ->    - {name: ops, token: <secret>, scope: all}
 *     url: https://hooks.example/T0/B0/x          ->    url: https://hooks.example<secret>
 *
 * Errors   none: too much may be hidden, a secret under a name that tells nothing is shown.
 * Cost     the lines between the line and its outermost parent; of a list at the left margin those that were not looked at before.
 */
#ifndef SCHEMA_REDACT_H
#define SCHEMA_REDACT_H

#include "base/buf.h"

enum { REDACT_RANGES_MAX = 32 };

/* Parts of a line, in order, none empty. What does not fit is one with the last. */
struct redact_ranges {
    struct {
        size_t from, to;
    } v[REDACT_RANGES_MAX];
    size_t n;
};

/* A text of which lines are asked for, one after the other: {.all = text}. It remembers the line that the last list at the
 * left margin is below. */
struct redact_text {
    str all;
    str margin;       /* that line; p NULL: none is known */
    const char *from; /* the line that it was looked for from, upwards */
};

/* line: a slice of the text, without its line end. */
void redact_line(struct redact_text *of, str line, struct redact_ranges *out);
/* Appends the line with <secret> in place of the ranges. */
void redact_print(struct buf *out, str line, const struct redact_ranges *r);
/* Where byte at of the line stands in what redact_print() appended. */
size_t redact_moved(const struct redact_ranges *r, size_t at);

/* Appends the words of a message about a document: what is quoted in it may be `password:x`, or a URL with a password. */
void redact_message(struct buf *out, str message);

bool redact_is_secret_name(str name);

#endif
