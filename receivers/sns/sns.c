/* sns.c - Amazon SNS. */
#include "tocsin/receiver.h"

struct sns_sigv4 {
    str region, access_key, profile, role_arn, external_id, service_name;
    struct secret secret_key;
    bool use_fips_sts_endpoint;
};

struct sns_conf {
    str api_url, topic_arn, phone_number, target_arn, subject, message;
    struct sns_sigv4 sigv4;
    struct conf_map attributes;
    bool use_aws_http_client;
};

static void check_sigv4(struct conf_check *c, void *obj)
{
    const struct sns_sigv4 *s = obj;

    if ((s->access_key.n != 0) != secret_is_set(s->secret_key))
        conf_error(c, NULL, "\"access_key\" and \"secret_key\" must be given together");
    if (s->external_id.n != 0 && s->role_arn.n == 0)
        conf_error(c, "external_id", "needs \"role_arn\"");
}

static const struct conf_key sigv4_keys[] = {
    CONF_KEY(struct sns_sigv4, region, CONF_STRING, "AWS region"),
    CONF_KEY(struct sns_sigv4, access_key, CONF_STRING, "access key"),
    CONF_KEY(struct sns_sigv4, secret_key, CONF_SECRET, "secret key", .flags = CONF_NO_FILE),
    CONF_KEY(struct sns_sigv4, profile, CONF_STRING, "profile of the AWS configuration"),
    CONF_KEY(struct sns_sigv4, role_arn, CONF_STRING, "role to assume"),
    CONF_KEY(struct sns_sigv4, external_id, CONF_STRING, "external id for that"),
    CONF_KEY(struct sns_sigv4, use_fips_sts_endpoint, CONF_BOOL, "assume it at a FIPS endpoint"),
    CONF_KEY(struct sns_sigv4, service_name, CONF_STRING, "service to sign for"),
    CONF_KEYS_END,
};
static const struct conf_type sigv4_type = {.name = "sigv4",
                                            .doc = "AWS credentials.",
                                            .keys = sigv4_keys,
                                            .size = sizeof(struct sns_sigv4),
                                            .check = check_sigv4};

static const struct conf_key keys[] = {
    CONF_KEY(struct sns_conf, api_url, CONF_TEMPLATE,
             "endpoint; that of the region when not given"),
    CONF_KEY(struct sns_conf, sigv4, CONF_STRUCT, "AWS credentials", .sub = &sigv4_type),
    CONF_KEY(struct sns_conf, topic_arn, CONF_TEMPLATE, "topic"),
    CONF_KEY(struct sns_conf, phone_number, CONF_TEMPLATE, "telephone number"),
    CONF_KEY(struct sns_conf, target_arn, CONF_TEMPLATE, "mobile endpoint"),
    CONF_KEY(struct sns_conf, subject, CONF_TEMPLATE, "subject",
             .text = "{{ template \"sns.default.subject\" . }}"),
    CONF_KEY(struct sns_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"sns.default.message\" . }}"),
    CONF_KEY(struct sns_conf, attributes, CONF_STRING_MAP, "message attributes, templates"),
    CONF_KEY(struct sns_conf, use_aws_http_client, CONF_BOOL, "accepted for compatibility"),
    CONF_KEYS_END,
};

static void sns_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct sns_conf *s = conf;

    (void)view;
    if (((s->topic_arn.n == 0) ^ (s->target_arn.n == 0) ^ (s->phone_number.n == 0)) != 0 ||
        s->topic_arn.n + s->target_arn.n + s->phone_number.n == 0)
        conf_error(c, NULL,
                   "exactly one of \"target_arn\", \"topic_arn\" and \"phone_number\" is needed");
}

static const struct conf_type sns_conf_type = {
    .name = "sns_config",
    .doc = "Amazon SNS",
    .keys = keys,
    .size = sizeof(struct sns_conf),
};

const struct receiver_type sns_receiver = {
    .name = "sns",
    .config_key = "sns_configs",
    .doc = "Amazon SNS",
    .conf = &sns_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = sns_check,
};
