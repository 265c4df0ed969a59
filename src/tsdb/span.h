/* span.h - from when to when the samples of a storage folder are, without a store.
 *
 * Cost     reads the heads of all records.
 */
#ifndef TSDB_SPAN_H
#define TSDB_SPAN_H

#include "tocsin/str.h"
#include "base/time.h"

/* oldest > newest: there are none. */
void tsdb_log_span(str storage, ts_ms *oldest, ts_ms *newest);

#endif
