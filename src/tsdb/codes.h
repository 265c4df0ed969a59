/* codes.h - writing the samples of a series as whole numbers of 2 or 4 bytes, where that loses nothing.
 *
 * Counts, percentages and sizes are k / 10^e with a small k that moves little within a few minutes; so the samples of one
 * series are written as k - base, at a base and an exponent of its own. What cannot be written so, to the bit, takes slots.
 *
 * Shapes   a row of some tens to thousands of samples.
 * Cost     a put is a multiplication, a division and two comparisons; codes_for() two passes over the row.
 */
#ifndef TSDB_CODES_H
#define TSDB_CODES_H

#include "promql/storage.h"

/* The narrowest form, of at least so many bytes, for all of v and for some more that are a little less or greater. */
struct storage_codes codes_for(const storage_slot *v, size_t n, unsigned min_bytes);

/* Writes one of STORAGE_CODE_ABSENT and the others. */
static inline void codes_mark(unsigned bytes, void *row, size_t at, int what)
{
    static const storage_slot special[] = {STORAGE_ABSENT, STORAGE_STALE, STORAGE_NAN};

    switch (bytes) {
    case 2: ((int16_t *)row)[at] = (int16_t)(INT16_MIN + what); break;
    case 4: ((int32_t *)row)[at] = INT32_MIN + what; break;
    default: ((storage_slot *)row)[at] = special[what];
    }
}

/* Writes the slot; false: this form has no code for it, nothing is written. */
bool codes_put(const struct storage_codes *c, void *row, size_t at, storage_slot slot);

#endif
