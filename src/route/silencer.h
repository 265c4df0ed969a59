/* silencer.h - which alerts nobody wants to hear about, and until when.
 *
 * Answers "by which silences is this label set silenced now" without looking at silences that cannot match: each
 * matcher set is filed under its first equality matcher with a value; the rest stands under "any".
 *
 * Shapes   up to 100,000 silences, 1-20 matchers each.
 * Units    wall clock.
 * Errors   ERR_INVALID, ERR_LIMIT, ERR_NOT_FOUND.
 * Owns     the silencer owns its silences; struct silence pointers are borrowed until it changes.
 * Cost     match: O(labels + candidates), no allocation but for hits. put: O(matchers).
 * Source   alertmanager.md 3.12.
 */
#ifndef ROUTE_SILENCER_H
#define ROUTE_SILENCER_H

#include "base/map.h"
#include "base/vec.h"
#include "model/silence.h"

struct silence_list {
    const struct silence **v;
    size_t n, cap;
};

struct silencer;

struct silencer_limits {
    size_t count, bytes; /* of stored silences with ended ones, of one packed; 0 = none */
};

struct silencer *silencer_new(void);
void silencer_set_limits(struct silencer *s, struct silencer_limits limits);
void silencer_free(struct silencer *s);

const struct silence *silencer_get(const struct silencer *s, str id); /* NULL when unknown */
size_t silencer_count(const struct silencer *s);                      /* with expired ones */

/* Whoever changed it says by which revision: they only grow. */
void silencer_stamp(struct silencer *s, str id, uint64_t revision);
/* Whether one that was stamped after since matches ls and has not ended, or so many were that silencer_match() tells
 * sooner. */
bool silencer_has_news(struct silencer *s, struct labels ls, uint64_t since, ts_ns now);

struct silencer_stats {
    uint64_t questions, scanned; /* asked of silencer_match(); silences looked at for it */
    size_t index_size;           /* label values that silences are filed under */
};
struct silencer_stats silencer_stats(const struct silencer *s);

/* Creates in, or edits the silence that has in's id, by the rules of 3.12. in is taken either way. A new one gets the id
 * fresh. On success *id is the silence that holds now, and expired is the silence that gave way to a new id, or NULL. */
bool silencer_put(struct silencer *s, struct silence *in, struct uuid fresh, ts_ns now,
                  enum matcher_mode mode, struct uuid *id, const struct silence **expired,
                  struct err *e) must_check;
/* Ends one now. *changed is false when it had ended already. */
bool silencer_expire(struct silencer *s, str id, ts_ns now, bool *changed,
                     struct err *e) must_check;
void silencer_restore(struct silencer *s,
                      struct silence *in); /* from disk: taken, no rules applied */
/* Removes silences that ended before `before` and appends their ids to gone (owned by the caller, may be NULL). */
size_t silencer_gc(struct silencer *s, ts_ns before, void (*gone)(void *arg, str id), void *arg);

/* Appends the silences that hold for ls at now, oldest first; returns how many. *later is set when one will that does not
 * yet. */
size_t silencer_match(const struct silencer *s, struct labels ls, ts_ns now,
                      struct silence_list *out, bool *later);
void silencer_all(const struct silencer *s, struct silence_list *out); /* in order of creation */

#endif
