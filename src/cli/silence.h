/* silence.h - tocsin silence add|list|update|import|expire. */
#ifndef CLI_SILENCE_H
#define CLI_SILENCE_H

#include "cli/client.h"

struct silence_flags {
    struct client_flags client;
    const char *author, *comment, *duration, *start, *end;
    bool require_comment, expired, quiet, dry_run;
};

extern const struct flag silence_add_flags[], silence_list_flags[], silence_expire_flags[],
    silence_update_flags[], silence_import_flags[];
int silence_add_run(const void *flags, char **args, int n_args);
int silence_list_run(const void *flags, char **args, int n_args);
int silence_update_run(const void *flags, char **args, int n_args);
int silence_import_run(const void *flags, char **args, int n_args);
int silence_expire_run(const void *flags, char **args, int n_args);

#endif
