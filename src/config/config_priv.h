/* config_priv.h - what the files of config/ share. */
#ifndef CONFIG_CONFIG_PRIV_H
#define CONFIG_CONFIG_PRIV_H

#include "base/map.h"
#include "base/vec.h"
#include "config/config.h"
#include "schema/schema.h"

/* A receiver of one file: those of one name are joined. */
struct receiver_part {
    struct receiver_conf conf;
    const struct yaml_doc *doc;
};

struct receiver_parts {
    struct receiver_part *v; /* arena */
    size_t n;
};

/* `global` is read by receivers and by jobs. The rows of receivers have offsets in the first member, which is the struct's
 * own beginning. */
struct config_global {
    struct global_conf receivers;
    struct scrape_common scrape;
    struct conf_given given;
};

/* What the core decides by, and how it is said. The rows of the first have offsets in the struct's own beginning. */
struct config_notifications {
    struct notifications_conf core;
    str style;
};

/* The top level, as decoded. */
struct config_top {
    struct config_global global;
    struct route_conf *route;
    CONF_LIST_OF(struct inhibit_conf) inhibit_rules;
    struct receiver_parts receivers;
    struct conf_strings templates;
    CONF_LIST_OF(struct time_interval_conf) mute_time_intervals;
    CONF_LIST_OF(struct time_interval_conf) time_intervals;
    CONF_LIST_OF(struct source_conf) sources;
    CONF_LIST_OF(struct rule_files_conf) rule_files;
    struct scrape_conf_list scrapes;
    struct conf_strings scrape_files;
    struct push_conf *push;
    struct alerting_conf alerting;
    struct bridge_conf *bridge;
    struct recorder_conf *recorder;
    struct heartbeat_conf heartbeat;
    struct storage_conf storage;
    bool has_foreign_remote_write;
    struct web_tokens_conf web;
    struct silence_policy silences;
    struct config_notifications notifications;
    struct rules_conf rules;
    struct lint_conf lint;
};

extern const struct conf_type config_top_type, global_conf_type, heartbeat_conf_type,
    bridge_conf_type;

bool smarthost_is_valid(str s);

/* receivers.c */
const struct conf_type *receiver_type_table(struct arena *a); /* name, labels and a key a kind */
/* the keys that all kinds share */
const struct conf_type *receiver_common_type(const struct receiver_type *type);
bool receivers_decode(struct conf_in *in, const struct yaml_node *node, void *member);
void receivers_print(struct conf_out *o, const void *member);
/* Joins receivers of one name in different files. */
void receivers_finish(struct conf_run *run, struct config_top *top, struct config *c);

/* One entry of a kind; in->above: the struct global_conf. False: it has complained. */
bool receivers_decode_entry(const struct conf_in *in, const struct yaml_node *node,
                            const struct receiver_type *type, struct integration_conf *ic);

/* bridge.c: reads the bridge's config.yml, and adds its targets to c's receivers. */
void config_load_bridge(struct conf_run *run, struct config *c, const struct files *files);

/* check.c: what only the whole shows. */
void config_check(struct conf_run *run, struct config_top *top, struct config *c,
                  const struct conf_part *parts, size_t n_parts, const struct config_options *o);

/* rules.c: loads the rule files; their problems go to run->d. */
void config_load_rules(struct conf_run *run, struct config *c, const struct config_options *o);

/* scrapes.c: the jobs of scrape_config_files, what global gives to all, and what only the whole shows. After the rules. */
void config_load_scrapes(struct conf_run *run, struct config_top *top, struct config *c,
                         const struct files *files);

/* core.c */
void config_fill_core(struct config *c);

#endif
