/* lint.h - tocsin lint. */
#ifndef CLI_LINT_H
#define CLI_LINT_H

#include "cli/command.h"

struct lint_flags {
    const char *output, *fail_on, *as, *space_label, *explain, *color, *metrics;
    struct flag_list disable, severity;
    bool quiet, fix, list;
};

extern const struct flag lint_flag_table[];
int lint_run(const void *flags, char **args, int n_args);

#endif
