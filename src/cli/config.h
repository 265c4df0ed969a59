/* config.h - tocsin config show|diff: what a server runs, what files say, and where they differ. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "cli/client.h"

struct config_flags {
    struct client_flags client;
    struct flag_list config_files;
    bool origin;
};

extern const struct flag config_show_flags[], config_diff_flags[];
int config_show_run(const void *flags, char **args, int n_args);
int config_diff_run(const void *flags, char **args, int n_args);

#endif
