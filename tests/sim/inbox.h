/* inbox.h - what receivers got in a scenario, and whether that is what it expects.
 *
 * A webhook's URL is http://sink or http://sink/PATH; its messages arrive under the receiver's name followed by /PATH,
 * which tells the integrations of one receiver apart.
 *
 * Units    `at` and the times of alerts are since the scenario's start.
 * Owns     text is in the arena given; the inbox owns its lists.
 */
#ifndef SIM_INBOX_H
#define SIM_INBOX_H

#include "net/scripted.h"
#include "scenario.h"

struct arrived_alert {
    struct labels labels, annotations;
    ts_ns starts_at, ends_at; /* TS_NONE: none */
    bool resolved;
    bool matched;
};

struct arrived {
    bool is_first; /* of the receiver's integrations: its path is none, or the receiver's name */
    ts_ns at;
    str receiver, reason, key; /* key: of the group */
    struct labels group, route;
    VEC(struct arrived_alert) alerts;
    size_t in_digest; /* of so many groups, each of which arrives by itself; 0 */
    bool is_late;
    bool matched;
};

struct inbox {
    VEC(struct arrived) v;
};

/* "/b" of http://sink/b, empty for http://sink. */
str inbox_path(str url);
/* A webhook's message; origin is the scenario's start on the wall. Returns how many have arrived, the last of in->v: each
 * group of a digest. */
size_t inbox_take(struct inbox *in, const struct scripted_request *rq, ts_ns at, ts_ns origin,
                  struct arena *a);
/* All that was expected came, and nothing else; says on stderr what did not. */
bool inbox_judge(struct inbox *in, const struct scenario *scn, const char *path);
void arrived_print(const struct arrived *a);
void inbox_release(struct inbox *in);

#endif
