/* receiver.h - tocsin receiver test. */
#ifndef CLI_RECEIVER_H
#define CLI_RECEIVER_H

#include "cli/command.h"

struct receiver_flags {
    struct flag_list config_files;
    const char *external_url;
    bool resolved;
};

extern const struct flag receiver_test_flags[];
int receiver_test_run(const void *flags, char **args, int n_args);

#endif
