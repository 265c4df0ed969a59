/* receipts.h - tocsin receiver receipts. */
#ifndef CLI_RECEIPTS_H
#define CLI_RECEIPTS_H

#include "cli/command.h"

struct receipts_flags {
    struct flag_list config_files;
};

extern const struct flag receipts_flag_table[];
int receipts_run(const void *flags, char **args, int n_args);

#endif
