/* result_json.h - results as Prometheus' API writes them: {"resultType":"vector","result":[...]}.
 *
 * Source   Prometheus HTTP API: times in seconds, values as strings, native histograms with their populated buckets.
 */
#ifndef PROMQL_RESULT_JSON_H
#define PROMQL_RESULT_JSON_H

#include "promql/engine.h"
#include "tocsin/json.h"

/* The members of that object, which the caller opens and closes. t: of the query; that of a string. */
void promql_result_members(struct json_writer *w, const struct promql_result *r, ts_ms t);
void promql_result_json(struct json_writer *w, const struct promql_result *r, ts_ms t);

#endif
