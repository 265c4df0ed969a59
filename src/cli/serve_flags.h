/* serve_flags.h - the flags of the live program, and what they must be to start with.
 *
 * Shapes   one row a flag; the struct has what of them has an effect.
 * Errors   said on stderr, one line that names the flag; false.
 * Owns     text is argv's or static; a URL or prefix that is given out is the caller's (mem_str_free).
 * Source   alertmanager.md 7.1 (flags, names and defaults).
 */
#ifndef CLI_SERVE_FLAGS_H
#define CLI_SERVE_FLAGS_H

#include "base/str.h"
#include "cli/command.h"
#include "model/matcher.h"

struct serve_flags {
    struct flag_list config_files, listen;
    const char *storage_path, *external_url, *route_prefix, *web_config, *log_level, *log_format,
        *features, *sandbox;
    const char *cluster_listen, *cluster_advertise;
    struct flag_list cluster_peers;
    bool tolerate_rules, allow_no_route, cluster_ignore, systemd_socket, log_silences, shadow;
    const char *keep_last_good;
    dur_ns answer_timeout, auto_reload;
    dur_ns retention, start_delay, gc_interval, maintenance_interval;
    int64_t max_silences, max_silence_size, per_alertname_limit, max_alerts, max_groups, max_gets,
        max_queries, max_body, memory;
};

extern const struct flag serve_flag_table[];

/* What --enable-feature asks for. */
struct serve_features {
    enum matcher_mode mode;
    bool receiver_names, alert_names, group_keys; /* in metrics */
    bool event_recorder;
};

/* Whether they can be followed, and what features they ask for. Sets the log up. */
bool serve_flags_check(const struct serve_flags *f, struct serve_features *features);
/* The external URL, and the prefix of all routes: the URL's path unless one is given. As web_url.h reads them. */
bool serve_flags_urls(const struct serve_flags *f, str *external_url, str *prefix);
/* http://HOST:PORT by this host's name and the port of an address; without a port when it has none. */
str serve_own_url(str address);

#endif
