/* bridge.h - the config.yml of prometheus-webhook-dingtalk, decoded.
 *
 * Errors   everything wrong goes to diags, with file, line and column: the file is read as strictly as the bridge reads it.
 * Owns     the arena of the run owns all of it; text is the document's.
 * Source   ecosystem.md 2.
 */
#ifndef CONFIG_BRIDGE_H
#define CONFIG_BRIDGE_H

#include "os/file_set.h"
#include "schema/schema.h"

struct bridge_mention {
    bool all;
    struct conf_strings mobiles;
};

struct bridge_message {
    str title, text;
};

struct bridge_target {
    str name;
    struct secret url, secret;
    struct bridge_mention mention;
    struct bridge_message message; /* what counts: its own, default_message, built in */
    struct diag_place place;
};

struct bridge_targets {
    struct bridge_target *v;
    size_t n;
};

struct bridge_file {
    dur_ns timeout;
    bool no_builtin_template;
    str old_template;
    struct conf_strings templates; /* patterns, resolved; with the old one */
    struct bridge_message default_message;
    struct bridge_targets targets;
};

/* False: run->d got an error. */
bool bridge_file_read(struct conf_run *run, const struct yaml_doc *doc,
                      struct bridge_file *out) must_check;
bool bridge_file_load(struct conf_run *run, str path, const struct files *files,
                      struct yaml_doc *doc, struct bridge_file *out) must_check;

#endif
