/* explain.h - tocsin explain alert|route|rule|silence|receiver, notification list, trial report, rule list: the server's answers, in words. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/client.h"

struct explain_flags {
    struct client_flags client;
    int64_t limit;
    const char *receiver, *since, *at;
};

struct rule_list_flags {
    struct client_flags client;
    const char *condition;
};

extern const struct flag explain_flag_table[], explain_rule_flags[], notification_list_flags[],
    rule_list_flag_table[];
int rule_list_run(const void *flags, char **args, int n_args);
int explain_alert_run(const void *flags, char **args, int n_args);
int explain_route_run(const void *flags, char **args, int n_args);
int trial_report_run(const void *flags, char **args, int n_args);
int explain_rule_run(const void *flags, char **args, int n_args);
int explain_silence_run(const void *flags, char **args, int n_args);
int explain_receiver_run(const void *flags, char **args, int n_args);
int notification_list_run(const void *flags, char **args, int n_args);

#endif
