/* configure.h - how a configuration that was loaded aside comes into force: it is checked against what runs, then everything
 * that reads it changes in one turn.
 *
 *     d = diags; c = loaded aside, with the rules it brings (rules_ahead_new(), on a worker)
 *     configure_check(parts, c, ..., &d)      false: the old one stays, nothing has happened
 *     configure_put(parts, c, ahead)          from here on there is only the new one
 *
 * Owns     the parts are borrowed; lent is a reference of configure's own.
 * Source   design.md 2.2, 4 "what an empty file is".
 */
#ifndef LIVE_CONFIGURE_H
#define LIVE_CONFIGURE_H

#include "base/diags.h"
#include "live/heartbeat.h"
#include "live/shell.h"
#include "live/store.h"
#include "forward/forward.h"
#include "recorder/recorder.h"

struct configure {
    struct shell *shell;
    struct heartbeat *heartbeat;
    struct store *store;       /* NULL: there is none */
    struct forward *forward;   /* NULL: nothing is forwarded */
    struct recorder *recorder; /* NULL: no events are recorded */
    struct config *lent;       /* that forward and recorder borrow from; NULL at the start */
};

/* A rule that runs must not be left out, and a route must not go unless that is meant. */
bool configure_check(const struct configure *p, const struct config *next, bool allows_no_route,
                     struct diags *d) must_check;
/* Before it is put in force: makes some of what it makes of the alerts, a step at a time (live/slices.h); returns whether there
 * is more to be made. Whoever does not put it in force then says so by NULL. */
bool configure_prepare(const struct configure *p, const struct config *next);
/* next: one reference, taken; ahead: taken. What was not prepared is made here. */
void configure_put(struct configure *p, struct config *next, struct rules_ahead *ahead);
/* At the start: the engine and the store have it already. */
void configure_begin(struct configure *p, struct config *conf);
void configure_release(struct configure *p);

#endif
