/* history_scope.h - what of the samples history is to have, as the configuration says.
 *
 * Shapes   a matcher a recorded name; with "selected" one a selector of a rule over our own store.
 * Owns     matchers are in the arena; their regexes are released by the caller, matchers_release().
 */
#ifndef LIVE_HISTORY_SCOPE_H
#define LIVE_HISTORY_SCOPE_H

#include "config/config.h"

struct history_scope {
    struct matchers *v;
    size_t n;
};

struct history_scope history_scope_of(const struct config *conf, struct arena *a);
void history_scope_release(struct history_scope *s);
/* Whether history has series of this name by that; "selected" and "all" have whatever memory keeps. */
bool history_scope_has(const struct config *conf, str name);

#endif
