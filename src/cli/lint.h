/* lint.h - tocsin lint. */
#ifndef CLI_LINT_H
#define CLI_LINT_H

#include "base/buf.h"
#include "cli/command.h"

struct lint_flags {
    const char *output, *fail_on, *as, *space_label, *explain, *color, *metrics;
    struct flag_list disable, severity;
    bool quiet, fix, list;
};

extern const struct flag lint_flag_table[];
int lint_run(const void *flags, char **args, int n_args);

/* What an exporter exports, of a file, "-" or a URL; that is read twice, a second apart. False: it has complained. */
bool lint_read_metrics(const char *from, struct buf *first, struct buf *second);
bool lint_wants_color(const char *when); /* the words have been checked */

#endif
