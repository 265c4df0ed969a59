/* alert.h - tocsin alert add|list. */
#ifndef CLI_ALERT_H
#define CLI_ALERT_H

#include "cli/client.h"

struct alert_flags {
    struct client_flags client;
    struct flag_list annotations;
    const char *generator_url, *start, *end, *state, *receiver;
    bool silenced;
};

extern const struct flag alert_add_flags[], alert_list_flags[];
int alert_add_run(const void *flags, char **args, int n_args);
int alert_list_run(const void *flags, char **args, int n_args);

#endif
