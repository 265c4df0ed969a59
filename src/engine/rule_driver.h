/* rule_driver.h - carries out runs of rule groups: worker, source, worker, until the run is done.
 *
 * Owns     the driver owns the sources of the configuration in force. A group is lent to it from rule_driver_run() until
 *          EVENT_RULES_DONE.
 * Source   DESIGN.md 4 "rules".
 */
#ifndef ENGINE_RULE_DRIVER_H
#define ENGINE_RULE_DRIVER_H

#include "engine/engine.h"
#include "loop/pool.h"
#include "net/transport.h"
#include "source/source.h"

struct rule_driver;
struct shell;

struct rule_driver *rule_driver_new(struct shell *s, struct pool *pool, struct transport *t,
                                    struct clock *clock);
void rule_driver_free(struct rule_driver *d); /* the pool must have been drained */
void rule_driver_configure(struct rule_driver *d, struct config *conf);
void rule_driver_run(struct rule_driver *d, struct rule_group *g, ts_ns slot);
bool rule_driver_is_on_time(const struct rule_driver *d, str *why);
size_t rule_driver_sources(const struct rule_driver *d, const struct source *const **out);

#endif
