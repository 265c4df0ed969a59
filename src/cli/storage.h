/* storage.h - tocsin storage: what lasts, looked at, copied and put back; of a running server over HTTP, of a stopped one straight
 * from its folder.
 *
 * Errors   EXIT_FAILED: something is damaged, in use or in the way; EXIT_UNREACHABLE.
 */
#ifndef CLI_STORAGE_H
#define CLI_STORAGE_H

#include "cli/client.h"
#include "cli/command.h"

struct storage_flags {
    struct client_flags client;
    const char *folder;
    bool force;
};

extern const struct flag storage_ask_flags[], storage_backup_flags[], storage_restore_flags[];
int storage_info_run(const void *flags, char **args, int n_args);
int storage_verify_run(const void *flags, char **args, int n_args);
int storage_backup_run(const void *flags, char **args, int n_args);
int storage_restore_run(const void *flags, char **args, int n_args);
int storage_downgrade_run(const void *flags, char **args, int n_args);

#endif
