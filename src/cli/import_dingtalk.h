/* import_dingtalk.h - tocsin import dingtalk: from the bridge's config.yml to receivers of ours. */
#ifndef CLI_IMPORT_DINGTALK_H
#define CLI_IMPORT_DINGTALK_H

#include "cli/command.h"

struct import_dingtalk_flags {
    const char *to_file;
};

extern const struct flag import_dingtalk_flag_table[];
int import_dingtalk_run(const void *flags, char **args, int n_args);

#endif
