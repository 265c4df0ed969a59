/* shares.h - classes of work, and who of them may start: for workers (pool.h) and for transfers (net/transport.h).
 *
 * Each class has a share that is a reserve: while it runs less than that, it starts at once, whatever all others do. What
 * classes above do not use is lent to those below, as long as that does not overfill the whole; a class never takes what
 * is below it. Nobody gives a place back before its time, so what was lent does not count against the lender: for a moment
 * more may run than the whole.
 *
 *     shares 1 page, 1 rule, 1 query, whole 2:  query, query            the second on what rule does not use
 *                                               query, query, rule      rule has its own
 *                                               query, query, rule, page; the next query waits
 *
 * Shapes   eight classes, the most urgent first.
 */
#ifndef OS_SHARES_H
#define OS_SHARES_H

#include <stdbool.h>

enum work_class {
    WORK_PAGE,   /* telling people: notifications, the heartbeat, alerts that go on to others */
    WORK_SOURCE, /* what brings alerts and answers to rules */
    WORK_RULE,
    WORK_SCRAPE, /* and pushes: samples */
    WORK_QUERY,  /* whoever asks ad hoc; yields to all others */
    WORK_SLOW,   /* what may take its time: passwords, freeing of much */
    WORK_NAME,   /* what waits for a server of names, for a list of targets: seconds */
    WORK_WRITE,  /* what waits for the disk */
    WORK_CLASSES
};

extern const char *const work_class_names[WORK_CLASSES];

struct shares {
    unsigned share[WORK_CLASSES], running[WORK_CLASSES];
    unsigned whole;
};

bool shares_may_start(const struct shares *s, enum work_class c);
/* The most of a class that ever run at once. */
unsigned shares_most(const struct shares *s, enum work_class c);

#endif
