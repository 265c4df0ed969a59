/* storage.h - tocsin storage verify: what lies in a storage folder, and is it sound? */
#ifndef CLI_STORAGE_H
#define CLI_STORAGE_H

#include "cli/command.h"

extern const struct flag storage_verify_flags[];
int storage_verify_run(const void *flags, char **args, int n_args);

#endif
