/* bridge.h - tocsin import|export alertmanager: moving over, and back. */
#ifndef CLI_BRIDGE_H
#define CLI_BRIDGE_H

#include "cli/client.h"

struct bridge_flags {
    const char *storage_path;
    dur_ns retention;
};

extern const struct flag bridge_flag_table[];
int import_alertmanager_run(const void *flags, char **args, int n_args);
int export_alertmanager_run(const void *flags, char **args, int n_args);

#endif
