/* schema.h - tocsin schema: what files may say, from the tables that read them. */
#ifndef CLI_SCHEMA_H
#define CLI_SCHEMA_H

#include "cli/command.h"

struct schema_flags {
    const char *output;
};

extern const struct flag schema_flag_table[];
int schema_run(const void *flags, char **args, int n_args);

#endif
