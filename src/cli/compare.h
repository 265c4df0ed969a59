/* compare.h - tocsin compare: where a running tocsin and a running Alertmanager see things differently. */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include "cli/client.h"

struct compare_flags {
    struct client_flags client;
    const char *alertmanager;
};

extern const struct flag compare_flag_table[];
int compare_run(const void *flags, char **args, int n_args);

#endif
