/* config.h - a whole configuration: read, merged, decoded, checked, immutable.
 *
 * --config.file repeats: an alertmanager.yml, a prometheus.yml and a tocsin.yml together, or one file with everything.
 * Top-level keys are disjoint but for `global`, `storage` (merged key by key) and `receivers` (a receiver of the same name
 * in another file gets more integrations). The same key twice is an error that names both places.
 *
 * Shapes   up to 10,000 routes and receivers, 10,000 rule groups.
 * Errors   every problem of every file goes to diags: Y001-Y005 (YAML), C001-C009 (conf.h), R001-R020 (rule files).
 * Owns     the config owns one arena with all of it. It is immutable and shared: counted atomically, freed at the last
 *          config_unref() by any thread.
 * Cost     63 MB/s of YAML plus the regexes.
 * Source   alertmanager.md 2, rules.md 1; design.md 4 "configuration", "no route".
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdatomic.h>
#include "base/arena.h"
#include "base/diags.h"
#include "base/err.h"
#include "base/map.h"
#include "codec/yaml.h"
#include "core/core_conf.h"
#include "forward/forward_conf.h"
#include "model/labels.h"
#include "net/http_conf.h"
#include "net/token_conf.h"
#include "notify/messages.h"
#include "notify/notify_conf.h"
#include "os/file_set.h"
#include "push/push_conf.h"
#include "recorder/recorder_conf.h"
#include "remote_write/remote_write_conf.h"
#include "route/route_conf.h"
#include "ruler/rule_file.h"
#include "scrape/scrape_conf.h"
#include "source/source_conf.h"
#include "tocsin/global.h"

struct heartbeat_conf {
    struct secret url; /* not set: no heartbeat */
    dur_ns interval;
    bool withhold_when_receivers_fail;
    struct http_conf *http;
};

/* What of the samples outlives memory (history/history.h). */
struct history_conf {
    dur_ns keep;      /* 0 = off */
    int64_t max_size; /* bytes; 0 = no limit */
    str what;         /* "essentials", "selected" or "all" */
};

struct storage_conf {
    str path;         /* folder of the state; empty = from the flag */
    str keep;         /* "selected" or "all" */
    bool keep_all;    /* every series is kept, not only those that rules select */
    dur_ns retention; /* 0 = from the flag */
    dur_ns journal_age;
    int64_t journal_size;           /* bytes */
    int64_t max_series, max_memory; /* of samples; 0 = no limit */
    struct history_conf history;
    struct remote_write_list remote_write;
};

/* DingTalk's bridge, prometheus-webhook-dingtalk, whose place we take: where its senders post, and its config.yml as it is.
 * Each of its targets is a receiver "dingtalk/NAME", which routes may name, too. */
struct bridge_conf {
    str listen_address, config_file;
    bool enable_lifecycle;
    struct diag_place place;
    str *targets, *receivers; /* names, in the order of the file */
    size_t n_targets;
    struct conf_strings templates; /* patterns, resolved */
    struct messages *messages;     /* built-in ones, and what these found */
};

/* One entry of rule_files. */
struct rule_files_conf {
    struct conf_strings files; /* patterns, resolved against the file's folder */
    str source;                /* name; empty = the default */
    str space_label;           /* enforced_namespace_label; empty = none */
    struct diag_place place;
};

/* What lint leaves out, or takes for graver or less grave (lint/lint_levels.h); a server reads past it. */
struct lint_conf {
    struct conf_strings disable; /* ids of checks */
    struct conf_map severity;    /* id: error, warning, info or off */
    CONF_LIST_OF(struct lint_path_conf) paths;
    struct diag_place place;
};

struct lint_path_conf {
    struct conf_strings files; /* patterns, resolved */
    struct conf_strings disable;
    struct conf_map severity;
};

/* When a rule itself is worth an alert (live/rule_watch.h). */
struct rules_conf {
    dur_ns dead_after, always_firing_after; /* 0 = never */
};

struct config {
    atomic_uint refs;
    struct arena arena;
    struct global_conf global;
    dur_ns resolve_timeout;
    struct route_conf *route; /* NULL: alerts are evaluated and shown, none is delivered */
    struct inhibit_conf *inhibit_rules;
    size_t n_inhibit_rules;
    struct receiver_conf *receivers;
    size_t n_receivers;
    struct time_interval_conf *time_intervals; /* with mute_time_intervals */
    size_t n_time_intervals;
    struct str_map zones;          /* name -> struct tz *, of the intervals */
    struct conf_strings templates; /* patterns, resolved */
    struct messages *messages;     /* the built-in templates and what the patterns found */
    bool reads_well;               /* notifications.style: readable */
    struct labels external_labels;
    struct source_conf *sources;
    size_t n_sources;
    struct rule_files_conf *rule_files;
    size_t n_rule_files;
    struct rule_group_conf *groups; /* of all rule files, in the order of loading */
    size_t n_groups;
    struct rule_texts *rule_texts; /* theirs, a reference; NULL: they have kept their documents */
    const str *recorded;           /* names of what rules record, sorted */
    size_t n_recorded;
    struct rule_skipped *skipped; /* what a tolerant load left out */
    size_t n_skipped;
    struct conf_strings scrape_files; /* patterns, resolved */
    struct scrape_conf *scrapes;      /* jobs, of scrape_config_files too */
    size_t n_scrapes;
    struct push_conf *push; /* NULL: pushes are not taken */
    struct alerting_conf alerting;
    struct bridge_conf *bridge;     /* NULL: off */
    struct recorder_conf *recorder; /* NULL: no events are recorded */
    struct heartbeat_conf heartbeat;
    struct storage_conf storage;
    struct web_tokens_conf web;
    struct rules_conf rules;
    struct lint_conf lint;
    struct core_conf core; /* of all this, what the core reads */
    str original; /* marshalled again from what was decoded, secrets as <secret>: GET /api/v2/status
                   */
    uint64_t hash; /* of the text of all files: alertmanager_config_hash */
    str *files;    /* that were read, configuration and rule files */
    size_t n_files;
    const struct conf_template *templates_given; /* of receivers and routes, as they stand */
    str *named; /* files and patterns that the configuration names, whether they are there or not */
    size_t n_named;
};

struct config_options {
    const str *paths;
    size_t n_paths;
    enum matcher_mode mode;
    bool without_rules;   /* rule files are not loaded */
    bool without_secrets; /* nothing is sent: files of secrets need not be there */
    bool records_events;  /* event_recorder counts; otherwise it is checked, and that is all */
    bool tolerates_rules; /* bad rules are left out, with warnings */
    bool keeps_documents; /* of rules, for who looks for places in them */
    bool
        is_part; /* of a larger one, which has the root above its route: what its routes name is not looked up */
    const struct files *files; /* where they are read from, or kept; NULL: the disk alone */
    bool (*may_read)(const void *arg, str path); /* NULL: all that is named can be read */
    const void *arg;
};

/* Returns one reference, or NULL when d got an error. Warnings alone do not fail. */
struct config *config_load(const struct config_options *o, struct diags *d) must_check;
/* The same from texts in memory (tests, fuzzing, API); rule files are still read from disk. */
struct config_text {
    str path, text;
};
struct config *config_load_texts(const struct config_text *texts, size_t n,
                                 const struct config_options *o, struct diags *d) must_check;

/* The same from the tree of a document that has been read; both must live as long as the configuration. It has no hash. */
struct config *config_load_tree(const struct yaml_doc *doc, const struct yaml_node *root,
                                const struct config_options *o, struct diags *d) must_check;

/* Of all files that a loading would read now, by what c names (file_set_sum). False: a configuration file cannot be read. */
bool config_files_sum(const struct config *c, const str *paths, size_t n, uint64_t *sum);

struct config *config_ref(struct config *c);
/* Whose part it is. */
static inline struct config *config_of(const struct core_conf *c)
{
    return container_of(c, struct config, core);
}
void config_unref(struct config *c); /* NULL is fine */

const struct receiver_conf *config_receiver(const struct config *c,
                                            str name);                     /* NULL when unknown */
const struct source_conf *config_source(const struct config *c, str name); /* NULL when unknown */
/* The receiver of a target of the bridge's. */
bool config_bridge_receiver(const struct config *c, str target, str *receiver);
/* A rule of running that fresh left out for its problems; NULL: nothing is lost. */
const struct rule_skipped *config_lost_rule(const struct config *fresh,
                                            const struct config *running);
/* Whether anybody reads what is scraped: a rule group that asks the own store, or whoever has everything kept. */
bool config_writes_all(const struct config *c); /* history has all that is scraped */
bool config_keeps_all(const struct config *c);  /* memory has it */
bool config_reads_own(const struct config *c);

/* What GET /metrics and reload messages call the hash: the first six bytes of the MD5, little
 * endian. */
uint64_t config_hash(const struct config_text *texts, size_t n);

/* All keys, from the tables that read them: a JSON schema for editors, and the reference documentation. */
void config_print_json_schema(struct buf *out);
void config_print_markdown(struct buf *out);
/* schema.h: conf_describe_key(). */
bool config_describe_key(struct buf *out, str key, str *near);

#endif
