/* alert_table.h - alerts by their fingerprint, in the order in which they came.
 *
 *     alert_table_put(&t, a);                     adds or replaces
 *     struct alert *a = alert_table_get(&t, fp);  NULL when absent
 *     ALERT_TABLE_EACH (a, &t) use(a);
 *
 * A map (base/map.h) that keeps no keys, as an alert knows its own: a list of pointers, and a table of their places. Removal
 * leaves a hole, which ALERT_TABLE_EACH passes over and the next growth closes. Removing the current one while iterating is
 * allowed; adding is not.
 *
 * Shapes   up to 2^31 alerts; up to ALERT_TABLE_FEW have no table of places.
 * Owns     its arrays, not the alerts: who puts one in has a reference for it.
 * Cost     O(1); 8 to 16 bytes an alert, and as many for its place.
 */
#ifndef MODEL_ALERT_TABLE_H
#define MODEL_ALERT_TABLE_H

#include "model/alert.h"

enum { ALERT_TABLE_FEW = 8 };

struct alert_table {
    struct alert **v; /* NULL: a hole */
    /* place + 1 under the mask, bits of the fingerprint's hash above it; 0: never used */
    uint32_t *slots;
    size_t n, used, cap, mask;
};

#define ALERT_TABLE_EACH(a, t)                                                                     \
    for (struct alert **at_##a = (t)->v, *a; (t)->used != 0 && at_##a < (t)->v + (t)->used;        \
         at_##a++)                                                                                 \
        if ((a = *at_##a) != NULL)

/* Where it stands, until the next one is put in; NULL: it is not there. */
struct alert **alert_table_find(const struct alert_table *t, uint64_t fingerprint);
struct alert *alert_table_get(const struct alert_table *t, uint64_t fingerprint);
/* Returns the one of its fingerprint whose place it takes; NULL: there was none. */
struct alert *alert_table_put(struct alert_table *t, struct alert *a);
void alert_table_del(struct alert_table *t, struct alert **at); /* where it stands */
void alert_table_release(struct alert_table *t);

#endif
