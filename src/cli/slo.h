/* slo.h - tocsin slo: rules for service level objectives. */
#ifndef CLI_SLO_H
#define CLI_SLO_H

#include "cli/command.h"

int slo_run(const void *flags, char **args, int n_args);

#endif
