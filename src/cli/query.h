/* query.h - tocsin query: one PromQL expression, over a file of metrics or asked of a server. */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "cli/client.h"

struct query_flags {
    struct client_flags client; /* url: NULL without --url */
    const char *file, *time, *start, *end;
    dur_ns step;
};

extern const struct flag query_flag_table[];
int query_run(const void *flags, char **args, int n_args);

#endif
