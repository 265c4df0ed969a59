/* exposition_protobuf.h - metrics from protobuf, made text.
 *
 * The body is io.prometheus.client.MetricFamily messages, each behind its length: what Go's push client sends unless told
 * otherwise. The text says the same in the Prometheus format 0.0.4; what that cannot say (exemplars, units, created
 * timestamps, the buckets of native histograms) is left out.
 *
 * Shapes   megabytes; text is some times as long, so it has a limit of its own.
 * Errors   ERR_INVALID, with the family where one is known; ERR_LIMIT when the text would be longer than limit.
 * Owns     nothing; out is the caller's.
 * Source   prometheus/client_model metrics.proto; prometheus/common expfmt for the text.
 */
#ifndef CODEC_EXPOSITION_PROTOBUF_H
#define CODEC_EXPOSITION_PROTOBUF_H

#include "base/buf.h"
#include "base/err.h"

bool expo_from_protobuf(str body, size_t limit, struct buf *out, struct err *e) must_check;

#endif
