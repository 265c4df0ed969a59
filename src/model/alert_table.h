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
 * Beside it stands, for who notes it, from which bytes each was read (struct alert_input, `source`), so that an alert that comes again
 * as it was is found without being read.
 *
 * Shapes   up to 2^31 alerts; up to ALERT_TABLE_FEW have no table of places.
 * Owns     its arrays, not the alerts: who puts one in has a reference for it.
 * Cost     O(1); 8 to 16 bytes an alert, as many for its place, and as many for its source.
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
    /* the same by source; NULL: none was noted. What is not its alert's source any more stays until there are too many. */
    uint32_t *sources;
    size_t n_sources, source_mask;
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
/* The alert that was read last from bytes of this source; NULL: nobody knows. */
struct alert *alert_table_of_source(const struct alert_table *t, struct hash_wide source);
/* The alert, which is in the table, was. It is in one table with sources in its life. */
void alert_table_note_source(struct alert_table *t, struct alert *a, struct hash_wide source);
void alert_table_release(struct alert_table *t);

#endif
