/* route.h - tocsin route show|test: the routing tree of a configuration, from files or from a running server. */
#ifndef CLI_ROUTE_H
#define CLI_ROUTE_H

#include "cli/client.h"

struct route_flags {
    struct client_flags client;
    struct flag_list config_files;
    const char *verify;
};

extern const struct flag route_show_flags[], route_test_flags[];
int route_show_run(const void *flags, char **args, int n_args);
int route_test_run(const void *flags, char **args, int n_args);

#endif
