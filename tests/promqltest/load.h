/* load.h - the load and load_with_nhcb blocks of a .test file into a store.
 *
 * Source   promql.md 2.1, 2.3.
 */
#ifndef TESTS_PROMQLTEST_LOAD_H
#define TESTS_PROMQLTEST_LOAD_H

#include "base/err.h"
#include "promql/mem_storage.h"

/* lines: of the block, below its command. A start-timestamp line stands before the line of its series. */
bool load_block(struct mem_storage *m, const str *lines, size_t n, ts_ms step, bool with_nhcb,
                struct err *e) must_check;

/* NHCB: classic histograms among the lines become native ones with custom buckets, under their base name. */
struct nhcb;

struct nhcb *nhcb_new(void);
void nhcb_free(struct nhcb *n);
void nhcb_add(struct nhcb *n, struct labels ls, ts_ms t,
              double v); /* anything; takes what belongs */
bool nhcb_store(struct nhcb *n, struct mem_storage *m, struct err *e) must_check;

#endif
