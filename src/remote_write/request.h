/* request.h - the body of a remote write: prometheus.WriteRequest, in protobuf, in a block of snappy.
 *
 * A sample is a series of its own in the message, as Prometheus writes it. Labels come encoded (request_put_label()), since a
 * series says them again and again.
 *
 * Units    ts_ms.
 * Owns     the body is the caller's.
 * Source   Prometheus Remote-Write 1.0; prometheus/prompb remote.proto, types.proto.
 */
#ifndef REMOTE_WRITE_REQUEST_H
#define REMOTE_WRITE_REQUEST_H

#include "base/buf.h"
#include "model/histogram.h"
#include "promql/storage.h"
#include "tocsin/labels.h"

/* One of the labels of a series, which are put in the order of their names. */
void request_put_label(struct buf *labels, str name, str value);
/* What they say: borrowed from the bytes, the array is the arena's. */
struct labels request_labels(str labels, struct arena *a);

/* h: instead of the slot; NULL: a float, or the mark of a series' end. */
void request_put_sample(struct buf *body, str labels, ts_ms t, storage_slot slot,
                        const struct histogram *h);
/* type: as an exposition says it, "counter". */
void request_put_metadata(struct buf *body, str metric, str type, str help, str unit);

#endif
