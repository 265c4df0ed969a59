/* old_keys.h - group keys as version 0.1.0 wrote them, and as they are now.
 *
 * Version 0.1.0 left the anchors away that Alertmanager puts around a pattern of match_re. What it told stands in the
 * notification log, and what it could not tell in the outbox, under those keys: rows are renamed when they are read.
 *
 * Example: {}/{team=~"db|storage"}:{a="b"}:good/webhook/0 becomes {}/{team=~"^(?:db|storage)$"}:{a="b"}:good/webhook/0.
 *
 * Owns     the keys of routes, text and all.
 * Cost     making: O(routes); a key: O(its length x how often "}:{" stands in it).
 * Source   alertmanager.md 3.5.
 */
#ifndef ROUTE_OLD_KEYS_H
#define ROUTE_OLD_KEYS_H

#include "base/arena.h"
#include "base/map.h"
#include "route/tree.h"

struct old_keys {
    struct arena arena;
    struct str_map now; /* a route's key as it was -> as it is; both str *, for those that differ */
};

void old_keys_init(struct old_keys *k, const struct route_tree *t);
void old_keys_release(struct old_keys *k);
/* Appends to out what a row's key (nflog_key()) is now. False: nothing, it is the same. */
bool old_keys_rename(const struct old_keys *k, str key, struct buf *out);

#endif
