#include "scrape/scrape_conf.h"

#include "schema/relabel_conf.h"
#include "schema/schema.h"

/* -- words -- */

static const char *const protocols[] = {
    "PrometheusProto",     "OpenMetricsText0.0.1", "OpenMetricsText1.0.0",
    "PrometheusText0.0.4", "PrometheusText1.0.0",  NULL,
};
static const char *const validations[] = {"", "utf8", "legacy", NULL};
static const char *const escapings[] = {"", "allow-utf-8", "underscores", "dots", "values", NULL};
static const char *const schemes[] = {"http", "https", NULL};

static bool scrape_conf_is_one_of(str s, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_is(s, *words))
            return true;
    return false;
}

static void check_protocol(struct conf_check *c, const char *key, str name)
{
    if (!scrape_conf_is_one_of(name, protocols))
        conf_error(c, key,
                   "unknown protocol \"%.*s\", supported: OpenMetricsText0.0.1, "
                   "OpenMetricsText1.0.0, PrometheusText0.0.4, PrometheusText1.0.0",
                   STR(name));
}

static void check_words(struct conf_check *c, const struct scrape_common *s)
{
    if (conf_has(c, "scrape_protocols") && s->protocols.n == 0)
        conf_error(c, "scrape_protocols", "must not be empty");
    for (size_t i = 0; i < s->protocols.n; i++) {
        check_protocol(c, "scrape_protocols", s->protocols.v[i]);
        for (size_t j = 0; j < i; j++)
            if (str_eq(s->protocols.v[i], s->protocols.v[j]))
                conf_error(c, "scrape_protocols", "\"%.*s\" stands twice", STR(s->protocols.v[i]));
    }
    if (!scrape_conf_is_one_of(s->name_validation, validations))
        conf_error(c, "metric_name_validation_scheme", "utf8 or legacy expected, not \"%.*s\"",
                   STR(s->name_validation));
    if (!scrape_conf_is_one_of(s->name_escaping, escapings))
        conf_error(c, "metric_name_escaping_scheme",
                   "allow-utf-8, underscores, dots or values expected, not \"%.*s\"",
                   STR(s->name_escaping));
    if (str_is(s->name_validation, "legacy") && str_is(s->name_escaping, "allow-utf-8"))
        conf_error(c, "metric_name_escaping_scheme",
                   "allow-utf-8 cannot stand beside legacy validation of names");
}

void scrape_common_check(struct conf_check *c, struct scrape_common *s, bool has_timeout,
                         const char *interval_of)
{
    check_words(c, s);
    if (s->timeout <= s->interval)
        return;
    if (has_timeout)
        conf_error(c, "scrape_timeout", "longer than %s", interval_of);
    s->timeout = s->interval;
}

/* -- params -- */

static bool decode_params(struct conf_in *in, const struct yaml_node *node, void *member)
{
    static const struct conf_key values = {.kind = CONF_STRINGS};
    struct {
        struct scrape_param *v;
        size_t n;
    } list = {0};
    bool ok = true;

    if (yaml_is_null(node))
        return true;
    if (node->kind != YAML_MAP) {
        conf_complain(in, node, DIAG_ERROR, "C001", "a mapping of parameters expected");
        return false;
    }
    list.v = arena_array(in->run->a, node->n, sizeof(list.v[0]));
    for (; list.n < node->n; list.n++) {
        const struct yaml_pair *p = &node->pairs[list.n];
        struct conf_in item = conf_enter(in, p->key->text);

        list.v[list.n].name = p->key->text;
        ok &= yaml_is_null(p->value) ||
              conf_decode_scalar(&item, &values, p->value, &list.v[list.n].values);
    }
    memcpy(member, &list, sizeof(list));
    return ok;
}

/* -- a job -- */

/* A URL where host:port belongs; rules may still make an address of it. */
static void check_targets(struct conf_check *c, const struct static_sd_conf *t)
{
    for (size_t i = 0; i < t->targets.n; i++)
        if (str_find(t->targets.v[i], '/') >= 0) {
            conf_error(c, "static_configs", "\"%.*s\" is not a valid hostname",
                       STR(t->targets.v[i]));
            conf_help(c, "host:port expected; a path goes into \"metrics_path\"");
        }
}

static void check_job(struct conf_check *c, void *obj)
{
    struct scrape_conf *s = obj;

    for (size_t i = 0; s->relabel_configs.n == 0 && i < s->discovery.statics.n; i++)
        check_targets(c, &s->discovery.statics.v[i]);

    scrape_common_check(c, &s->common, CONF_GIVEN(scrape_conf_type, s, common.timeout),
                        CONF_GIVEN(scrape_conf_type, s, common.interval)
                            ? "\"scrape_interval\""
                            : "the global \"scrape_interval\"");
    if (s->fallback_protocol.n != 0)
        check_protocol(c, "fallback_scrape_protocol", s->fallback_protocol);
}

#define J struct scrape_conf

static const struct conf_key keys[] = {
    CONF_KEY(J, job_name, CONF_STRING, "value of the label \"job\"", .flags = CONF_REQUIRED),
    SCRAPE_COMMON_KEYS(J, common, 0),
    CONF_KEY(J, metrics_path, CONF_STRING, "path of the URL", .text = "/metrics"),
    CONF_KEY(J, scheme, CONF_WORD, "http or https", .text = "http", .words = schemes),
    CONF_KEY(J, params, CONF_CUSTOM, "parameters of the URL",
             .json = "{\"type\":[\"object\",\"null\"]}", .decode = decode_params),
    CONF_KEY(J, honor_labels, CONF_BOOL,
             "labels of samples win over the target's; else they are renamed to exported_"),
    CONF_KEY(J, honor_timestamps, CONF_BOOL, "times of samples count", .text = "true"),
    CONF_KEY(J, enable_compression, CONF_BOOL, "ask for gzip", .text = "true"),
    CONF_KEY_AS("fallback_scrape_protocol", J, fallback_protocol, CONF_STRING,
                "what an answer without a usable content type is"),
    CONF_KEY(J, relabel_configs, CONF_LIST, "rules for the labels of targets",
             .sub = &relabel_conf_type, .flags = CONF_NO_NULLS),
    CONF_KEY(J, metric_relabel_configs, CONF_LIST, "rules for the labels of samples",
             .sub = &relabel_conf_type, .flags = CONF_NO_NULLS),
    DISCOVERY_KEYS(J, discovery),
    CONF_KEY_IGNORED("track_timestamps_staleness", 0, "series with times of their own end, too"),
    CONF_KEY_IGNORED("keep_dropped_targets", 0, "how many dropped targets are kept"),
    CONF_KEY_IGNORED("scrape_native_histograms", 0, "store native histograms"),
    CONF_KEY_IGNORED("scrape_classic_histograms", 0, "also store classic histograms"),
    CONF_KEY_IGNORED("always_scrape_classic_histograms", 0, "also store classic histograms"),
    CONF_KEY_IGNORED("convert_classic_histograms_to_nhcb", 0,
                     "store classic histograms as native ones"),
    CONF_KEY_IGNORED("native_histogram_bucket_limit", 0, "limit for native histograms"),
    CONF_KEY_IGNORED("native_histogram_min_bucket_factor", 0, "resolution of native histograms"),
    CONF_KEY_IGNORED("scrape_failure_log_file", 0, "log of failed scrapes"),
    CONF_KEY_IGNORED("extra_scrape_metrics", 0, "more report series"),
    DISCOVERY_KEY_UNKNOWN("azure_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("aws_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("consul_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("digitalocean_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("docker_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("dockerswarm_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("ec2_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("eureka_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("gce_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("hetzner_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("ionos_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("kubernetes_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("kuma_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("lightsail_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("linode_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("marathon_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("nerve_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("nomad_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("openstack_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("outscale_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("ovhcloud_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("puppetdb_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("scaleway_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("serverset_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("stackit_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("triton_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("uyuni_sd_configs", J, discovery),
    DISCOVERY_KEY_UNKNOWN("vultr_sd_configs", J, discovery),
    CONF_KEYS_END,
};
#undef J

const struct conf_type scrape_conf_type = {
    .name = "scrape_config",
    .doc = "Targets to scrape. The keys of http_config stand beside these.",
    .keys = keys,
    .size = sizeof(struct scrape_conf),
    .place = CONF_AT(struct scrape_conf, place),
    .given = CONF_AT(struct scrape_conf, given),
    .check = check_job,
};

/* Appends, because several files may have jobs. */
bool scrape_decode_list(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return http_conf_decode_list(in, node, &scrape_conf_type, offsetof(struct scrape_conf, http),
                                 member);
}

void scrape_conf_release(struct scrape_conf *s)
{
    relabel_rules_release(&s->relabel_configs);
    relabel_rules_release(&s->metric_relabel_configs);
}
