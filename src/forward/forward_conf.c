#include "forward/forward_conf.h"

#include "schema/relabel_conf.h"
#include "schema/schema.h"

static const char *const schemes[] = {"http", "https", NULL};

static void forward_conf_check_entry(struct conf_check *c, void *obj)
{
    const struct alertmanagers_conf *a = obj;

    for (size_t i = 0; a->relabel_configs.n == 0 && i < a->statics.n; i++)
        for (size_t j = 0; j < a->statics.v[i].targets.n; j++)
            if (str_find(a->statics.v[i].targets.v[j], '/') >= 0)
                conf_error(c, "static_configs", "\"%.*s\" is not a valid hostname",
                           STR(a->statics.v[i].targets.v[j]));
    if (!str_is(a->api_version, "v2"))
        conf_error(c, "api_version",
                   "expected Alertmanager api version to be one of [v2] but got %.*s",
                   STR(a->api_version));
}

#define A struct alertmanagers_conf
/* A kind of discovery whose targets are not found: the entry gets nobody by it. */
#define NOT_HERE(key)                                                                              \
    CONF_KEY_IGNORED(key, CONF_LATER, "discovery of Alertmanagers: use static_configs")

static const struct conf_key entry_keys[] = {
    CONF_KEY(A, scheme, CONF_WORD, "http or https", .text = "http", .words = schemes),
    CONF_KEY(A, path_prefix, CONF_STRING, "what stands before /api/v2/alerts"),
    CONF_KEY(A, timeout, CONF_DURATION, "limit for a request", .text = "10s",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(A, api_version, CONF_STRING, "v2", .text = "v2"),
    CONF_KEY_AS("static_configs", A, statics, CONF_LIST, "targets, written down",
                .sub = &static_sd_conf_type, .flags = CONF_NO_NULLS),
    CONF_KEY(A, relabel_configs, CONF_LIST, "rules for the labels of targets",
             .sub = &relabel_conf_type, .flags = CONF_NO_NULLS),
    CONF_KEY(A, alert_relabel_configs, CONF_LIST, "rules for the labels of alerts sent to them",
             .sub = &relabel_conf_type, .flags = CONF_NO_NULLS),
    NOT_HERE("file_sd_configs"),
    NOT_HERE("http_sd_configs"),
    NOT_HERE("dns_sd_configs"),
    NOT_HERE("azure_sd_configs"),
    NOT_HERE("aws_sd_configs"),
    NOT_HERE("consul_sd_configs"),
    NOT_HERE("digitalocean_sd_configs"),
    NOT_HERE("docker_sd_configs"),
    NOT_HERE("dockerswarm_sd_configs"),
    NOT_HERE("ec2_sd_configs"),
    NOT_HERE("eureka_sd_configs"),
    NOT_HERE("gce_sd_configs"),
    NOT_HERE("hetzner_sd_configs"),
    NOT_HERE("ionos_sd_configs"),
    NOT_HERE("kubernetes_sd_configs"),
    NOT_HERE("kuma_sd_configs"),
    NOT_HERE("lightsail_sd_configs"),
    NOT_HERE("linode_sd_configs"),
    NOT_HERE("marathon_sd_configs"),
    NOT_HERE("nerve_sd_configs"),
    NOT_HERE("nomad_sd_configs"),
    NOT_HERE("openstack_sd_configs"),
    NOT_HERE("outscale_sd_configs"),
    NOT_HERE("ovhcloud_sd_configs"),
    NOT_HERE("puppetdb_sd_configs"),
    NOT_HERE("scaleway_sd_configs"),
    NOT_HERE("serverset_sd_configs"),
    NOT_HERE("stackit_sd_configs"),
    NOT_HERE("triton_sd_configs"),
    NOT_HERE("uyuni_sd_configs"),
    NOT_HERE("vultr_sd_configs"),
    CONF_KEYS_END,
};
#undef NOT_HERE
#undef A

static const struct conf_type entry_type = {
    .name = "alertmanagers_entry",
    .doc = "Alertmanagers that are reached alike. The keys of http_config stand beside these.",
    .keys = entry_keys,
    .size = sizeof(struct alertmanagers_conf),
    .check = forward_conf_check_entry,
};

static bool decode_entries(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return http_conf_decode_list(in, node, &entry_type, offsetof(struct alertmanagers_conf, http),
                                 member);
}

static const struct conf_key keys[] = {
    CONF_KEY(struct alerting_conf, alert_relabel_configs, CONF_LIST,
             "rules for the labels of alerts that our rules send", .sub = &relabel_conf_type,
             .flags = CONF_NO_NULLS),
    CONF_KEY(struct alerting_conf, alertmanagers, CONF_CUSTOM,
             "Alertmanagers that get them, beside our own routes", .decode = decode_entries,
             .sub = &entry_type, .beside = &http_conf_type, .json = CONF_JSON_LIST,
             .flags = CONF_UNPRINTED),
    CONF_KEYS_END,
};

const struct conf_type alerting_conf_type = {
    .name = "alerting",
    .doc =
        "What becomes of the alerts of our rules before they are routed, and who else gets them.",
    .keys = keys,
    .size = sizeof(struct alerting_conf),
};

void alerting_conf_release(struct alerting_conf *c)
{
    relabel_rules_release(&c->alert_relabel_configs);
    for (size_t i = 0; i < c->alertmanagers.n; i++) {
        relabel_rules_release(&c->alertmanagers.v[i].relabel_configs);
        relabel_rules_release(&c->alertmanagers.v[i].alert_relabel_configs);
    }
}
