/* receiver.h - tocsin receiver test, tocsin drill. */
#ifndef CLI_RECEIVER_H
#define CLI_RECEIVER_H

#include "cli/client.h"
#include "cli/command.h"

struct receiver_flags {
    struct client_flags client;
    struct flag_list config_files, labels;
    const char *external_url, *to_file;
    bool resolved, is_confirmed;
};

extern const struct flag receiver_test_flags[], drill_flag_table[];
int receiver_test_run(const void *flags, char **args, int n_args);
int drill_run(const void *flags, char **args, int n_args);

#endif
