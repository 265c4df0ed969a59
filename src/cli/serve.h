/* serve.h - the live program: flags, and everything put together in the order in which it must stand.
 *
 * Source   alertmanager.md 7.1 (flags, names and defaults), 4.1 (listening, draining).
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "cli/command.h"

struct serve_flags {
    struct flag_list config_files, listen;
    const char *storage_path, *external_url, *route_prefix, *web_config, *log_level, *log_format,
        *features;
    const char *cluster_listen;
    struct flag_list cluster_peers;
    bool tolerate_rules, cluster_ignore, systemd_socket, log_silences, shadow;
    dur_ns answer_timeout;
    dur_ns retention, start_delay, gc_interval, maintenance_interval;
    int64_t max_silences, max_silence_size, per_alertname_limit, max_alerts, max_groups, max_gets;
};

extern const struct flag serve_flag_table[];
int serve_run(const void *flags, char **args, int n_args);

#endif
