/* The top level: one row a key, whoever's it is. Alertmanager's rows are printed for the status page; the rest is not,
 * because clients read that text as Alertmanager's configuration. */
#include "config/config_priv.h"

/* -- rule_files -- */

static const struct conf_key rule_files_keys[] = {
    CONF_KEY(struct rule_files_conf, files, CONF_PATHS, "patterns of files",
             .flags = CONF_REQUIRED | CONF_ONE_OR_LIST),
    CONF_KEY(struct rule_files_conf, source, CONF_STRING,
             "name of the source that their rules ask"),
    CONF_KEY_AS("enforced_namespace_label", struct rule_files_conf, space_label, CONF_STRING,
                "label that all that their rules read and give must have, with the namespace of "
                "their PrometheusRule as its value; a file without a namespace is refused"),
    CONF_KEYS_END,
};

static const struct conf_type rule_files_type = {
    .name = "rule_files_entry",
    .doc = "A pattern of rule files, or patterns with the source that their rules ask.",
    .keys = rule_files_keys,
    .size = sizeof(struct rule_files_conf),
    .place = CONF_AT(struct rule_files_conf, place),
};

struct rule_files_list {
    struct rule_files_conf *v;
    size_t n;
};

static bool decode_rule_files(struct conf_in *in, const struct yaml_node *node, void *member)
{
    struct rule_files_list *list = member;
    bool ok = true;

    if (yaml_is_null(node))
        return true;
    if (!conf_want_list(in, node))
        return false;
    list->v = arena_array(in->run->a, node->n, sizeof(list->v[0]));
    for (size_t i = 0; i < node->n; i++) {
        struct conf_in item = conf_enter_item(in, i);
        struct rule_files_conf *f = &list->v[list->n++];
        struct conf_layer layer = {&rule_files_type, f, NULL};

        if (node->items[i]->kind == YAML_SCALAR) {
            f->files.v = arena_array(in->run->a, 1, sizeof(str));
            f->files.v[0] = conf_resolve(&item, node->items[i]->text);
            f->files.n = 1;
            f->place = yaml_place(in->doc, node->items[i]);
        } else {
            ok &= conf_decode_node(&item, node->items[i], &layer, 1);
        }
    }
    return ok;
}

/* -- sources -- */

struct source_list {
    struct source_conf *v;
    size_t n;
};

/* A source's own keys and those of an HTTP client stand in one mapping. */
static bool decode_sources(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return http_conf_decode_list(in, node, &source_conf_type, offsetof(struct source_conf, http),
                                 member);
}

/* -- scrape_configs -- */

static bool decode_scrapes(struct conf_in *in, const struct yaml_node *node, void *member)
{
    in->above = &container_of(member, struct config_top, scrapes)->global.scrape;
    return scrape_decode_list(in, node, member);
}

/* -- heartbeat, storage -- */

static void check_heartbeat(struct conf_check *c, void *obj)
{
    const struct heartbeat_conf *h = obj;

    if (!secret_is_set(h->url))
        conf_error(c, NULL, "\"url\" is missing");
}

static const struct conf_key heartbeat_keys[] = {
    CONF_KEY(struct heartbeat_conf, url, CONF_SECRET_URL, "posted to as long as tocsin works"),
    CONF_KEY(struct heartbeat_conf, interval, CONF_DURATION, "how often", .text = "60s",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(struct heartbeat_conf, withhold_when_receivers_fail, CONF_BOOL,
             "not posted while TocsinReceiverFailing fires: the switch outside pages then"),
    CONF_KEY_AS("http_config", struct heartbeat_conf, http, CONF_STRUCT_PTR, "HTTP client",
                .sub = &http_conf_type, CONF_GLOBAL(http_config)),
    CONF_KEYS_END,
};

const struct conf_type heartbeat_conf_type = {
    .name = "heartbeat",
    .doc = "Feeds a dead man's switch outside.",
    .keys = heartbeat_keys,
    .size = sizeof(struct heartbeat_conf),
};

static bool decode_heartbeat(struct conf_in *in, const struct yaml_node *node, void *member)
{
    const struct config_top *top = container_of(member, struct config_top, heartbeat);
    struct conf_layer layer = {&heartbeat_conf_type, member, &top->global.receivers};
    struct conf_part part = {in->doc, node};
    struct conf_check c = conf_check_of(in, &part, 1);

    if (yaml_is_null(node))
        return true;
    if (!conf_decode_node(in, node, &layer, 1))
        return false;
    check_heartbeat(&c, member);
    return true;
}

/* A prometheus.yml that both read must not have both write the same series to one place. */
static bool see_foreign_remote_write(struct conf_in *in, const struct yaml_node *node, void *member)
{
    bool *is_there = member;

    if (*is_there || yaml_is_null(node))
        return true;
    *is_there = true;
    diag_help(in->run->d,
              conf_complain(in, node, DIAG_WARNING, "C007",
                            "is left to Prometheus: nothing is written there"),
              "tocsin writes samples to what \"storage.remote_write\" names, by the same keys");
    return true;
}

static const char *const keeps[] = {"selected", "all", NULL};

static const char *const histories[] = {"essentials", "selected", "all", NULL};

static const struct conf_key history_keys[] = {
    CONF_KEY(struct history_conf, keep, CONF_DURATION, "how long, 0 = nothing is written",
             .text = "24h"),
    CONF_KEY(struct history_conf, max_size, CONF_SIZE,
             "disk that it takes at most: the oldest goes first; 0 = no limit", .text = "256MiB"),
    CONF_KEY(
        struct history_conf, what, CONF_WORD,
        "essentials: ALERTS, ALERTS_FOR_STATE, up, scrape_*, times of pushes, recorded series; "
        "selected: what rules select, too; all: all that is scraped and pushed",
        .text = "essentials", .words = histories),
    CONF_KEYS_END,
};

static const struct conf_type history_type = {
    .name = "history",
    .doc = "Samples on disk, for queries that look back further than memory does.",
    .keys = history_keys,
    .size = sizeof(struct history_conf),
};

static const struct conf_key storage_keys[] = {
    CONF_KEY(struct storage_conf, path, CONF_PATH, "folder of tocsin's state"),
    CONF_KEY(struct storage_conf, keep, CONF_WORD,
             "series to keep: those that rules select, or all", .text = "selected", .words = keeps),
    CONF_KEY(struct storage_conf, retention, CONF_DURATION,
             "how long silences and notifications are remembered"),
    CONF_KEY(struct storage_conf, max_series, CONF_INT, "limit for the series in memory, 0 = none",
             .min = 0, .max = INT64_C(1) << 31),
    CONF_KEY(struct storage_conf, max_memory, CONF_SIZE,
             "limit for the memory that samples take, 0 = none"),
    CONF_KEY(struct storage_conf, journal_age, CONF_DURATION,
             "how long decisions are remembered for explain", .text = "7d"),
    CONF_KEY(struct storage_conf, journal_size, CONF_SIZE,
             "memory and disk that these decisions take at most", .text = "16MiB"),
    CONF_KEY(struct storage_conf, history, CONF_STRUCT, "samples on disk", .sub = &history_type),
    CONF_KEY(struct storage_conf, remote_write, CONF_CUSTOM,
             "who gets samples by Prometheus' remote write", .decode = remote_write_conf_decode,
             .sub = &remote_write_conf_type, .beside = &http_conf_type, .json = CONF_JSON_LIST,
             .flags = CONF_UNPRINTED),
    CONF_KEY_IGNORED("tsdb", 0, "Prometheus' local storage"),
    CONF_KEY_IGNORED("exemplars", 0, "Prometheus' exemplars"),
    CONF_KEYS_END,
};

static const struct conf_type storage_type = {
    .name = "storage",
    .doc = "What is kept where.",
    .keys = storage_keys,
    .size = sizeof(struct storage_conf),
};

/* -- silences, notifications -- */

static const struct conf_key silence_policy_keys[] = {
    CONF_KEY(struct silence_policy, required_matchers, CONF_LABEL_NAMES,
             "labels of which each silence must name a value"),
    CONF_KEY(struct silence_policy, max_duration, CONF_DURATION, "how long a silence may hold"),
    CONF_KEYS_END,
};

static const struct conf_type silence_policy_type = {
    .name = "silences",
    .doc = "What a silence must be like to be taken.",
    .keys = silence_policy_keys,
    .size = sizeof(struct silence_policy),
};

static const char *const styles[] = {"alertmanager", "readable", NULL};

static const struct conf_key notifications_keys[] = {
    CONF_KEY(
        struct notifications_conf, resolve_suppressed, CONF_BOOL,
        "tell the end of an alert although it is silenced, inhibited or muted, if its receiver "
        "was last told that it fires"),
    CONF_KEY(struct notifications_conf, flush_at_window_end, CONF_BOOL,
             "look at a group when a silence or mute time over it ends, not at the next interval"),
    CONF_KEY(struct notifications_conf, value_at_resolve, CONF_BOOL,
             "an alert of our rules that ends gets the annotation value_at_resolve: what the left "
             "side of its comparison then was"),
    CONF_KEY(struct notifications_conf, max_age, CONF_DURATION,
             "what has waited for longer goes as one message a receiver, marked late, 0 = never",
             .text = "1h"),
    CONF_KEY(struct config_notifications, style, CONF_WORD,
             "what the messages of Alertmanager's kinds of receivers say unless their own keys do: "
             "as there, or what is wrong "
             "first, as those of our kinds",
             .text = "alertmanager", .words = styles),
    CONF_KEYS_END,
};

static const struct conf_type notifications_type = {
    .name = "notifications",
    .doc = "When to tell more, or sooner, than Alertmanager does, and in which words.",
    .keys = notifications_keys,
    .size = sizeof(struct config_notifications),
};

static const struct conf_key rules_keys[] = {
    CONF_KEY(struct rules_conf, dead_after, CONF_DURATION,
             "TocsinRuleDead: a rule matched series once, and none for so long; 0 = never",
             .text = "24h"),
    CONF_KEY(struct rules_conf, always_firing_after, CONF_DURATION,
             "TocsinRuleAlwaysFiring: an alert of a rule has fired for so long; 0 = never",
             .text = "7d"),
    CONF_KEYS_END,
};

static const struct conf_type rules_type = {
    .name = "rules",
    .doc = "When a rule itself is worth an alert.",
    .keys = rules_keys,
    .size = sizeof(struct rules_conf),
};

#define LINT_SEVERITIES                                                                            \
    "{\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"enum\":[\"error\",\"warning\","   \
    "\"info\",\"off\"]}}"

static void check_severities(struct conf_check *c, const struct conf_map *m)
{
    for (size_t i = 0; i < m->n; i++) {
        str level = m->v[i].value;

        if (!str_is(level, "error") && !str_is(level, "warning") && !str_is(level, "info") &&
            !str_is(level, "off"))
            conf_error(c, "severity", "%.*s: \"%.*s\" is none of error, warning, info, off",
                       STR(m->v[i].name), STR(level));
    }
}

static void check_lint(struct conf_check *c, void *obj)
{
    check_severities(c, &((struct lint_conf *)obj)->severity);
}

static void check_lint_path(struct conf_check *c, void *obj)
{
    check_severities(c, &((struct lint_path_conf *)obj)->severity);
}

static const struct conf_key lint_path_keys[] = {
    CONF_KEY(struct lint_path_conf, files, CONF_PATHS, "patterns of files", .flags = CONF_REQUIRED),
    CONF_KEY(struct lint_path_conf, disable, CONF_STRINGS, "checks that are left out, by id"),
    CONF_KEY(struct lint_path_conf, severity, CONF_STRING_MAP,
             "how grave what a check finds is, by id: error, warning, info or off",
             .json = LINT_SEVERITIES),
    CONF_KEYS_END,
};

static const struct conf_type lint_path_type = {
    .name = "lint_path",
    .doc = "What lint says of some files.",
    .keys = lint_path_keys,
    .size = sizeof(struct lint_path_conf),
    .check = check_lint_path,
};

static const struct conf_key lint_keys[] = {
    CONF_KEY(struct lint_conf, disable, CONF_STRINGS, "checks that are left out, by id"),
    CONF_KEY(struct lint_conf, severity, CONF_STRING_MAP,
             "how grave what a check finds is, by id: error, warning, info or off",
             .json = LINT_SEVERITIES),
    CONF_KEY(struct lint_conf, paths, CONF_LIST, "the same for some files, which holds against it",
             .sub = &lint_path_type),
    CONF_KEYS_END,
};

static const struct conf_type lint_type = {
    .name = "lint",
    .doc =
        "What `tocsin lint` says of this file's folder and what is below; flags hold against it.",
    .keys = lint_keys,
    .size = sizeof(struct lint_conf),
    .place = CONF_AT(struct lint_conf, place),
    .check = check_lint,
};

/* -- the table -- */

static const struct conf_key keys[] = {
    CONF_KEY(struct config_top, global, CONF_STRUCT, "defaults", .sub = &global_conf_type,
             .flags = CONF_MERGE),
    CONF_KEY(struct config_top, templates, CONF_PATHS, "patterns of template files",
             .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct config_top, route, CONF_STRUCT_PTR, "the routing tree",
             .sub = &route_conf_type),
    CONF_KEY(struct config_top, inhibit_rules, CONF_LIST, "which alerts keep others back",
             .sub = &inhibit_conf_type),
    CONF_KEY(struct config_top, receivers, CONF_CUSTOM, "who is told, and how", .flags = CONF_MERGE,
             .decode = receivers_decode, .print = receivers_print),
    CONF_KEY(struct config_top, mute_time_intervals, CONF_LIST, "use \"time_intervals\"",
             .sub = &time_interval_conf_type, .flags = CONF_DEPRECATED),
    CONF_KEY(struct config_top, time_intervals, CONF_LIST, "named times",
             .sub = &time_interval_conf_type),
    CONF_KEY_IGNORED("tracing", CONF_LATER, "export of traces"),
    CONF_KEY_AS("event_recorder", struct config_top, recorder, CONF_STRUCT_PTR,
                "where events go, with --enable-feature=event-recorder",
                .sub = &recorder_conf_type),
    /* Prometheus */
    CONF_KEY(struct config_top, rule_files, CONF_CUSTOM, "rule files", .decode = decode_rule_files,
             .sub = &rule_files_type,
             .json =
                 "{\"type\":[\"array\",\"null\"],\"items\":{\"anyOf\":[{\"type\":\"string\"},@]}}"),
    CONF_KEY_AS("scrape_configs", struct config_top, scrapes, CONF_CUSTOM, "targets to scrape",
                .decode = decode_scrapes, .sub = &scrape_conf_type, .beside = &http_conf_type,
                .json = CONF_JSON_LIST, .flags = CONF_MERGE),
    CONF_KEY_AS("scrape_config_files", struct config_top, scrape_files, CONF_PATHS,
                "patterns of files with more of them", .flags = CONF_UNPRINTED),
    CONF_KEY(struct config_top, alerting, CONF_STRUCT, "who else gets the alerts of our rules",
             .sub = &alerting_conf_type, .flags = CONF_UNPRINTED),
    CONF_KEY_AS("remote_write", struct config_top, has_foreign_remote_write, CONF_CUSTOM,
                "where Prometheus writes samples; where tocsin does: storage.remote_write",
                .decode = see_foreign_remote_write, .flags = CONF_UNPRINTED),
    CONF_KEY_IGNORED("remote_read", 0, "where to read samples"),
    CONF_KEY_IGNORED("otlp", 0, "OTLP receiver"),
    CONF_KEY_IGNORED("runtime", 0, "Go runtime"),
    /* tocsin */
    CONF_KEY(struct config_top, storage, CONF_STRUCT, "what is kept where", .sub = &storage_type,
             .flags = CONF_MERGE | CONF_UNPRINTED),
    CONF_KEY(struct config_top, push, CONF_STRUCT_PTR, "takes metrics as a Pushgateway does",
             .sub = &push_conf_type, .flags = CONF_UNPRINTED),
    CONF_KEY(struct config_top, web, CONF_STRUCT, "access to the API", .sub = &web_tokens_type,
             .flags = CONF_UNPRINTED),
    CONF_KEY(struct config_top, silences, CONF_STRUCT, "what silences must be like",
             .sub = &silence_policy_type, .flags = CONF_UNPRINTED),
    CONF_KEY(struct config_top, notifications, CONF_STRUCT, "when to tell more than Alertmanager",
             .sub = &notifications_type, .flags = CONF_UNPRINTED),
    CONF_KEY(struct config_top, rules, CONF_STRUCT, "when a rule itself is worth an alert",
             .sub = &rules_type, .flags = CONF_UNPRINTED),
    CONF_KEY(struct config_top, lint, CONF_STRUCT, "what `tocsin lint` says, and how gravely",
             .sub = &lint_type, .flags = CONF_UNPRINTED),
    CONF_KEY_AS("dingtalk_bridge", struct config_top, bridge, CONF_STRUCT_PTR,
                "takes the place of prometheus-webhook-dingtalk", .sub = &bridge_conf_type,
                .flags = CONF_UNPRINTED),
    CONF_KEY(struct config_top, sources, CONF_CUSTOM, "query APIs that rules ask",
             .decode = decode_sources, .sub = &source_conf_type, .beside = &http_conf_type,
             .json = CONF_JSON_LIST),
    CONF_KEY(struct config_top, heartbeat, CONF_CUSTOM, "feeds a dead man's switch outside",
             .decode = decode_heartbeat, .sub = &heartbeat_conf_type),
    CONF_KEYS_END,
};

const struct conf_type config_top_type = {
    .name = "tocsin",
    .doc = "The configuration: Alertmanager's keys, Prometheus' and tocsin's own.",
    .keys = keys,
    .size = sizeof(struct config_top),
};
