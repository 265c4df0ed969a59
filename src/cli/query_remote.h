/* query_remote.h - a query's answer from the HTTP API of Prometheus, in the form that our own evaluator gives. */
#ifndef CLI_QUERY_REMOTE_H
#define CLI_QUERY_REMOTE_H

#include "cli/query.h"
#include "promql/engine.h"

struct query_times {
    bool is_range;
    ts_ms start, end, step; /* instant: start */
};

/* An exit code; the reason of a failure has been printed. */
int query_remote(const struct query_flags *f, str expr, const struct query_times *t,
                 struct arena *a, struct promql_result *out);

#endif
