/* forward.h - sends what our rules fire to the Alertmanagers of `alerting`, beside our own routes.
 *
 * Every target has its own queue; each gets every alert, rewritten by its entry's alert_relabel_configs. A reload keeps the
 * queue of a target that stays.
 *
 * Shapes   a few targets.
 * Owns     the queues. The configuration is borrowed until the next forward_configure().
 * Source   rules.md 2.4, 4.1.
 */
#ifndef FORWARD_FORWARD_H
#define FORWARD_FORWARD_H

#include "base/vec.h"
#include "forward/queue.h"
#include "model/alert.h"

struct forward {
    struct transport *transport;
    struct clock *clock;
    str instance;
    VEC(struct forward_queue *) queues;
    VEC(str) dropped; /* URLs of targets that relabel_configs leave out */
};

/* instance: a name that no other process has; borrowed. */
struct forward *forward_new(struct transport *t, struct clock *clock, str instance);
void forward_free(struct forward *f); /* NULL is fine; what waits is lost */
void forward_configure(struct forward *f, const struct alerting_conf *c);
void forward_alerts(struct forward *f, const struct alert_input *v, size_t n);
size_t forward_waiting(const struct forward *f); /* alerts, of all queues */

#endif
