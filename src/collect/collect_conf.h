/* collect_conf.h - what `tocsin collect` collects: its configuration file.
 *
 * Without a file it collects what the host says of itself; flags add the simple cases of the other parts.
 *
 * Errors   all problems are told with their places: schema.h.
 * Owns     everything decoded lives in the arena given.
 */
#ifndef COLLECT_COLLECT_CONF_H
#define COLLECT_COLLECT_CONF_H

#include "base/diags.h"
#include "net/http_conf.h"

enum { COLLECT_PROBES_MAX = 100, COLLECT_PROCESSES_MAX = 1000 };

struct collect_host {
    bool enabled;
    str procfs, sysfs, rootfs;
    str mount_points_exclude, fs_types_exclude, disks_exclude, interfaces_exclude;
};

struct collect_nvidia {
    struct conf_strings command, fields, names;
    dur_ns timeout;
};

struct collect_value {
    str field, metric, help;
    struct conf_map words; /* a text that is a number */
};

struct collect_probe {
    str name, url, method, body;
    struct conf_strings status; /* "200", "2xx"; none: 2xx */
    str body_matches, body_not_matches;
    CONF_LIST_OF(struct collect_value) values;
    struct http_conf *http_config;
    dur_ns timeout;
};

struct collect_process {
    str name, command;
};

struct collect_text {
    str folder;
};

struct collect_conf {
    dur_ns timeout; /* of each part that has none of its own */
    struct collect_host host;
    struct collect_nvidia *nvidia; /* NULL: not collected */
    CONF_LIST_OF(struct collect_probe) probes;
    CONF_LIST_OF(struct collect_process) processes;
    struct collect_text *text;
};

extern const struct conf_type collect_conf_type;

/* A file, or flags written as one. Lists of several are joined. */
struct collect_source {
    str text, path;
};

bool collect_conf_parse(const struct collect_source *v, size_t n, struct arena *a,
                        struct collect_conf *out, struct diags *d) must_check;

#endif
