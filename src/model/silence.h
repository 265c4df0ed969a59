/* silence.h - a silence as a record: who does not want to hear about what, until when.
 *
 * Shapes   1-20 matchers in each of 1 or more sets; an alert is silenced when all matchers of one set match.
 * Units    wall clock; pending before starts_at, expired after ends_at, active between, both ends included.
 * Owns     a silence owns its arena; its matchers hold regex references, given back by silence_free().
 * Source   alertmanager.md 3.12.
 */
#ifndef MODEL_SILENCE_H
#define MODEL_SILENCE_H

#include "base/arena.h"
#include "base/time.h"
#include "model/matcher.h"

struct uuid {
    char text[37]; /* lower case, NUL-terminated; empty = none */
};

struct uuid uuid_of(uint64_t high, uint64_t low);    /* of random bits: version 4 */
bool uuid_parse(str s, struct uuid *out) must_check; /* 8-4-4-4-12 hex digits, any case */

/* Its 128 bits. */
struct uuid_bits {
    uint64_t high, low;
};
struct uuid_bits silence_key(struct uuid id);

static inline str uuid_str(const struct uuid *u)
{
    return str_of(u->text);
}

enum silence_state { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_EXPIRED };

struct silence {
    struct uuid id;
    struct matchers *sets;
    size_t n_sets;
    ts_ns starts_at, ends_at, updated_at;
    str created_by, comment;
    struct labels annotations;
    struct arena arena; /* everything above lives here */
};

struct silence *silence_new(void);
void silence_free(struct silence *s); /* NULL is fine */

enum silence_state silence_state(const struct silence *s, ts_ns now);
const char *silence_state_text(enum silence_state state); /* "pending" */
/* Whatever its state. */
bool silence_matches(const struct silence *s, struct labels ls);
bool silence_matches_set(const struct silence *s, const struct label_set *set);
bool silence_sets_equal(const struct silence *a,
                        const struct silence *b); /* same matchers in the same order */

/* What a silence must fulfil to be stored (3.12). Does not look at the clock. */
bool silence_validate(const struct silence *s, enum matcher_mode mode, struct err *e) must_check;

void silence_pack(struct buf *out, const struct silence *s);
struct silence *silence_unpack(str bytes, struct err *e) must_check; /* NULL when malformed */
/* The same in as little memory as it needs, in the place of s. */
struct silence *silence_compact(struct silence *s) must_check;

#endif
