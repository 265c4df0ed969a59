/* ask.h - what a page asks of the board: the parameters of a query, read once.
 *
 *     filter=MATCHER...   labels that an alert must have; repeated
 *     q=TEXT              text that a label or annotation must have, whatever the case
 *     receiver=NAME       groups of this receiver only
 *     group=KEY           this group only
 *     state=a,b           of firing, silenced, inhibited: which alerts are listed [all]; all are counted
 *     severity=a,b        the values of the severity label that are listed [all]; all are counted
 *     order=a,b           which severity is worse than which, the worst first [the usual names]
 *     by=LABEL            counts the values of this label, too
 *     offset=N limit=N    the groups of the page, worst first [0, 50; at most 500]
 *     alerts=N            alerts that are listed of each [10; at most 500]
 *
 * Errors   ERR_INVALID: a matcher that cannot be read, a state that there is not.
 * Owns     an ask owns its arena and the regexes of its matchers.
 */
#ifndef BOARD_ASK_H
#define BOARD_ASK_H

#include "base/arena.h"
#include "model/matcher.h"

enum board_state { BOARD_FIRING, BOARD_SILENCED, BOARD_INHIBITED, BOARD_STATES };
const char *board_state_text(enum board_state s); /* "firing" */

struct board_ask {
    struct arena arena;
    str text; /* the query as it came: what it is known by */
    struct matchers filter;
    str search; /* lower case; empty: any */
    str receiver, group, by;
    bool states[BOARD_STATES];
    const str *severities, *order;
    size_t n_severities, n_order; /* 0: any; the usual */
    size_t offset, limit, alerts;
};

bool board_ask_init(struct board_ask *q, str query, enum matcher_mode mode,
                    struct err *e) must_check;
void board_ask_release(struct board_ask *q);
/* Whether an alert is counted: everything but its state and severity. */
bool board_ask_takes(const struct board_ask *q, struct labels labels, struct labels annotations);

/* The value that says how bad it is: of "severity", else of "priority". */
str board_severity(struct labels ls);
/* 0 (pages somebody) to 4. By the usual names what has none of them is 3, by an order of the asker's own it comes last. */
unsigned board_rank(const struct board_ask *q, str severity);

#endif
