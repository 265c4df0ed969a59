/* query.h - tocsin query: one PromQL expression, over a file of metrics or asked of a server. */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "cli/command.h"

struct query_flags {
    const char *file, *url, *time, *start, *end, *output;
    dur_ns step, timeout;
};

extern const struct flag query_flag_table[];
int query_run(const void *flags, char **args, int n_args);

#endif
