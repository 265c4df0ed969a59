#include "discovery/discovery_conf.h"

#include "schema/schema.h"

/* -- static -- */

static const struct conf_key static_keys[] = {
    CONF_KEY(struct static_sd_conf, targets, CONF_STRINGS, "host:port each"),
    CONF_KEY(struct static_sd_conf, labels, CONF_LABEL_MAP, "labels that all of them get"),
    CONF_KEYS_END,
};

const struct conf_type static_sd_conf_type = {
    .name = "static_config",
    .doc = "Targets, written down.",
    .keys = static_keys,
    .size = sizeof(struct static_sd_conf),
};

/* -- files -- */

static bool is_pattern(str path)
{
    const char *slash = path.n != 0 ? memrchr(path.p, '/', path.n) : NULL;
    str last = slash != NULL ? str_sub(path, (size_t)(slash - path.p) + 1, path.n) : path;
    ptrdiff_t star = str_find(path, '*');

    if (!str_ends_with(last, S(".json")) && !str_ends_with(last, S(".yml")) &&
        !str_ends_with(last, S(".yaml")))
        return false;
    return star < 0 || (star >= (ptrdiff_t)(path.n - last.n) &&
                        str_find(str_sub(path, (size_t)star + 1, path.n), '*') < 0);
}

static void discovery_conf_check_file(struct conf_check *c, void *obj)
{
    const struct file_sd_conf *f = obj;

    if (f->files.n == 0)
        conf_error(c, NULL, "\"files\" is missing");
    for (size_t i = 0; i < f->files.n; i++)
        if (!is_pattern(f->files.v[i])) {
            conf_error(c, "files", "path \"%.*s\" is not valid for file discovery",
                       STR(f->files.v[i]));
            conf_help(c, "it must end in .json, .yml or .yaml and may have one * behind its last "
                         "slash");
        }
}

static const struct conf_key file_keys[] = {
    CONF_KEY(struct file_sd_conf, files, CONF_PATHS, "files, or patterns of files"),
    CONF_KEY(struct file_sd_conf, refresh_interval, CONF_DURATION,
             "files are read again when they change, and so often", .text = "5m",
             .flags = CONF_NOT_ZERO),
    CONF_KEYS_END,
};

const struct conf_type file_sd_conf_type = {
    .name = "file_sd_config",
    .doc = "Files that list targets.",
    .keys = file_keys,
    .size = sizeof(struct file_sd_conf),
    .check = discovery_conf_check_file,
};

/* -- HTTP -- */

static const struct conf_key http_keys[] = {
    CONF_KEY(struct http_sd_conf, url, CONF_URL, "asked for a JSON list of targets",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct http_sd_conf, refresh_interval, CONF_DURATION, "how often", .text = "1m",
             .flags = CONF_NOT_ZERO),
    CONF_KEYS_END,
};

const struct conf_type http_sd_conf_type = {
    .name = "http_sd_config",
    .doc = "A URL that lists targets. The keys of http_config stand beside these.",
    .keys = http_keys,
    .size = sizeof(struct http_sd_conf),
};

bool discovery_decode_http(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return http_conf_decode_list(in, node, &http_sd_conf_type, offsetof(struct http_sd_conf, http),
                                 member);
}

/* -- DNS -- */

static const char *const dns_types[] = {"SRV", "A", "AAAA", "MX", "NS", NULL};

static void check_dns(struct conf_check *c, void *obj)
{
    struct dns_sd_conf *d = obj;

    d->type = str_is(d->type_name, "A")      ? DNS_SD_A
              : str_is(d->type_name, "AAAA") ? DNS_SD_AAAA
                                             : DNS_SD_SRV;
    if (d->names.n == 0)
        conf_error(c, NULL, "\"names\" is missing");
    if (str_is(d->type_name, "MX") || str_is(d->type_name, "NS")) {
        conf_error(c, "type", "records of type %.*s are not looked up here", STR(d->type_name));
        conf_help(c, "use \"http_sd_configs\"");
    }
    if (d->type != DNS_SD_SRV && d->port == 0)
        conf_error(c, NULL, "\"port\" is missing: records of type %.*s have none",
                   STR(d->type_name));
}

static const struct conf_key dns_keys[] = {
    CONF_KEY(struct dns_sd_conf, names, CONF_STRINGS, "names to look up"),
    CONF_KEY_AS("type", struct dns_sd_conf, type_name, CONF_WORD, "SRV, A or AAAA", .text = "SRV",
                .words = dns_types),
    CONF_KEY(struct dns_sd_conf, port, CONF_INT, "port of the targets; SRV records have their own",
             .min = 0, .max = 65535),
    CONF_KEY(struct dns_sd_conf, refresh_interval, CONF_DURATION, "how often", .text = "30s",
             .flags = CONF_NOT_ZERO),
    CONF_KEYS_END,
};

const struct conf_type dns_sd_conf_type = {
    .name = "dns_sd_config",
    .doc = "Names that stand for targets.",
    .keys = dns_keys,
    .size = sizeof(struct dns_sd_conf),
    .check = check_dns,
};

/* -- the others -- */

bool discovery_decode_unknown(struct conf_in *in, const struct yaml_node *node, void *member)
{
    struct discovery_conf *d = member;

    if (yaml_is_null(node) || (node->kind == YAML_LIST && node->n == 0) || d->unknown.n != 0)
        return true;
    d->unknown = in->key;
    d->unknown_place = yaml_place(in->doc, node);
    return true;
}
