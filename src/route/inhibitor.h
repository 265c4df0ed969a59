/* inhibitor.h - which alerts are kept back because another one fires.
 *
 * A rule says: while a source fires, targets with the same values of the `equal` labels stay quiet. Each rule files its
 * firing sources under a hash of those values, so that asking about a target looks only at sources that can matter. One
 * source decides; as many as the asker wants are reported, the one that decides first: who posts thousands of them makes
 * neither an answer of thousands for each target nor as many looks. None is shadowed by another.
 *
 * Shapes   100 rules, 100,000 alerts.
 * Owns     the inhibitor borrows alerts: inhibitor_drop() before one goes away.
 * Cost     an alert that changes: O(rules); a question: O(rules + what is reported), whatever has ended.
 * Source   alertmanager.md 3.10. An alert that matches both sides of a rule is inhibited only by sources that do not
 *          match the target side.
 */
#ifndef ROUTE_INHIBITOR_H
#define ROUTE_INHIBITOR_H

#include "base/map.h"
#include "base/vec.h"
#include "model/alert.h"
#include "model/matcher.h"

struct inhibit_conf;

enum { INHIBITIONS_MAX = 10 }; /* that are listed of one alert */

struct inhibition {
    uint64_t fingerprint; /* of the source */
    str rule;             /* its name; may be empty */
    size_t index;         /* of the rule, in their order */
};

struct inhibition_list {
    struct inhibition *v;
    size_t n, cap;
    /* that may inhibit it, too, and were not looked at, of the rules that were asked */
    size_t more;
};

struct inhibitor;

struct inhibitor *inhibitor_new(const struct inhibit_conf *rules, size_t n);
void inhibitor_free(struct inhibitor *in);
size_t inhibitor_rules(const struct inhibitor *in);

/* New, or changed: files it where it is a source; returns whether it is one. */
bool inhibitor_add(struct inhibitor *in, const struct alert *a);
void inhibitor_drop(struct inhibitor *in, const struct alert *a); /* leaves the store */

/* Fills out, which is empty, with firing sources that inhibit ls at now, `most` of them at most; returns whether there is one.
 * *later is set when another one would if it fired again. */
bool inhibitor_match(const struct inhibitor *in, struct labels ls, struct now now, size_t most,
                     struct inhibition_list *out, bool *later);

#endif
