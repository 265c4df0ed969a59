/* check.h - tocsin check metrics, tocsin check web-config. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/command.h"

struct check_flags {
    const char *output, *fail_on, *color;
};

extern const struct flag check_metrics_flags[];
int check_metrics_run(const void *flags, char **args, int n_args);
int check_web_config_run(const void *flags, char **args, int n_args);

#endif
