#include "remote_write/remote_write_conf.h"

#include "codec/url.h"
#include "net/http_parse.h"
#include "schema/relabel_conf.h"
#include "schema/schema.h"

/* Ours to say. */
static const char *const reserved[] = {"authorization",
                                       "host",
                                       "content-encoding",
                                       "content-length",
                                       "content-type",
                                       "user-agent",
                                       "connection",
                                       "keep-alive",
                                       "proxy-authenticate",
                                       "www-authenticate",
                                       "proxy-authorization",
                                       "accept-encoding",
                                       "x-prometheus-remote-write-version"};

#define Q struct remote_queue_conf
static const struct conf_key queue_keys[] = {
    CONF_KEY(Q, max_samples_per_send, CONF_INT, "samples of a request", .text = "2000", .min = 1,
             .max = 1000000),
    CONF_KEY(Q, batch_send_deadline, CONF_DURATION,
             "how long samples wait for more, so that requests are full", .text = "5s",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(Q, min_backoff, CONF_DURATION,
             "wait before a request is sent again; it doubles each time", .text = "30ms",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(Q, max_backoff, CONF_DURATION, "up to this", .text = "5s", .flags = CONF_NOT_ZERO),
    CONF_KEY(Q, retry_on_http_429, CONF_BOOL,
             "a request that is answered 429 is sent again; else it is dropped, as with any other "
             "4xx"),
    CONF_KEY(Q, sample_age_limit, CONF_DURATION,
             "what is older is not sent any more, 0 = however old it is"),
    CONF_KEY(Q, max_size, CONF_SIZE,
             "disk that what waits may take: the oldest is dropped for what is new",
             .text = "256MiB", .min = 1 << 20, .max = INT64_C(1) << 40),
    CONF_KEY_IGNORED("capacity", 0, "what waits is on the disk: max_size says how much"),
    CONF_KEY_IGNORED("max_shards", 0, "one request at a time, so that samples arrive in order"),
    CONF_KEY_IGNORED("min_shards", 0, "one request at a time, so that samples arrive in order"),
    CONF_KEYS_END,
};
#undef Q

static void check_queue(struct conf_check *c, void *obj)
{
    const struct remote_queue_conf *q = obj;

    if (q->min_backoff > q->max_backoff)
        conf_error(c, "min_backoff", "it is longer than \"max_backoff\"");
}

static const struct conf_type queue_type = {
    .name = "remote_write_queue",
    .doc = "What waits to be written, and how it is sent.",
    .keys = queue_keys,
    .size = sizeof(struct remote_queue_conf),
    .check = check_queue,
};

#define M struct remote_metadata_conf
static const struct conf_key metadata_keys[] = {
    CONF_KEY(M, send, CONF_BOOL, "types and helps of metrics are sent, too", .text = "true"),
    CONF_KEY(M, send_interval, CONF_DURATION, "how often", .text = "1m", .flags = CONF_NOT_ZERO),
    CONF_KEY(M, max_samples_per_send, CONF_INT, "metrics of a request", .text = "2000", .min = 1,
             .max = 1000000),
    CONF_KEYS_END,
};
#undef M

static const struct conf_type metadata_type = {
    .name = "remote_write_metadata",
    .doc = "What is told of metrics beside their samples.",
    .keys = metadata_keys,
    .size = sizeof(struct remote_metadata_conf),
};

static const char *const whats[] = {"rules", "all", NULL};
static const char *const messages[] = {"prometheus.WriteRequest", NULL};

#define R struct remote_write_conf
static const struct conf_key keys[] = {
    CONF_KEY(R, url, CONF_SECRET_URL, "where samples are posted",
             .flags = CONF_REQUIRED | CONF_NO_FILE),
    CONF_KEY(R, name, CONF_STRING,
             "for metrics and messages; what waits goes by it, so that the URL may change"),
    CONF_KEY(R, what, CONF_WORD,
             "rules: what our rules record, ALERTS and ALERTS_FOR_STATE; all: what is scraped and "
             "pushed, too, all of which is kept in memory then",
             .text = "rules", .words = whats),
    CONF_KEY(R, remote_timeout, CONF_DURATION, "limit for a request", .text = "30s",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(R, headers, CONF_STRING_MAP, "more headers of a request"),
    CONF_KEY(R, write_relabel_configs, CONF_LIST, "rules for the labels of what is written",
             .sub = &relabel_conf_type, .flags = CONF_NO_NULLS),
    CONF_KEY(R, send_native_histograms, CONF_BOOL,
             "native histograms are written; else they are left out"),
    CONF_KEY(R, queue_config, CONF_STRUCT, "what waits, and how it is sent", .sub = &queue_type),
    CONF_KEY(R, metadata_config, CONF_STRUCT, "types and helps of metrics", .sub = &metadata_type),
    CONF_KEY(R, protobuf_message, CONF_WORD, "the message that is sent: remote write 1.0",
             .text = "prometheus.WriteRequest", .words = messages),
    CONF_KEY_IGNORED("send_exemplars", 0, "exemplars are not kept here"),
    CONF_KEY_IGNORED("round_robin_dns", CONF_LATER, "a connection to each address of a name"),
    CONF_KEY_IGNORED("sigv4", CONF_LATER, "signatures of AWS: let a proxy sign"),
    CONF_KEY_IGNORED("azuread", CONF_LATER, "tokens of Azure: use oauth2"),
    CONF_KEY_IGNORED("google_iam", CONF_LATER, "tokens of Google: let a proxy add them"),
    CONF_KEYS_END,
};
#undef R

static void remote_write_conf_check(struct conf_check *c, void *obj)
{
    const struct remote_write_conf *r = obj;

    for (size_t i = 0; i < r->headers.n; i++) {
        str name = r->headers.v[i].name;

        if (!http_is_token(name))
            conf_error(c, "headers", "\"%.*s\" is no name of a header", STR(name));
        for (size_t k = 0; k < ARRAY_LEN(reserved); k++)
            if (str_eq_nocase(name, str_of(reserved[k])))
                conf_error(c, "headers", "%.*s is not to be set here", STR(name));
    }
}

const struct conf_type remote_write_conf_type = {
    .name = "remote_write",
    .doc = "Somebody who gets samples by Prometheus' remote write. The keys of http_config stand "
           "beside these.",
    .keys = keys,
    .size = sizeof(struct remote_write_conf),
    .place = CONF_AT(struct remote_write_conf, place),
    .check = remote_write_conf_check,
};

/* Two that share a queue would take each other's samples. */
static bool remotes_are_distinct(struct conf_in *in, const struct remote_write_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(remote_write_key(&l->v[i]), remote_write_key(&l->v[k]))) {
                diag_second(in->run->d,
                            diags_add(in->run->d, DIAG_ERROR, "C009", l->v[i].place,
                                      l->v[i].name.n != 0
                                          ? "remote_write \"%.*s\" stands twice"
                                          : "two of remote_write have the same URL: each needs a "
                                            "\"name\"",
                                      STR(l->v[i].name)),
                            l->v[k].place);
                return false;
            }
    return true;
}

bool remote_write_conf_decode(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return http_conf_decode_list(in, node, &remote_write_conf_type,
                                 offsetof(struct remote_write_conf, http), member) &&
           remotes_are_distinct(in, member);
}

void remote_write_conf_release(struct remote_write_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        relabel_rules_release(&l->v[i].write_relabel_configs);
}

bool remote_write_wants_all(const struct remote_write_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_is(l->v[i].what, "all"))
            return true;
    return false;
}

str remote_write_key(const struct remote_write_conf *c)
{
    return c->name.n != 0 ? c->name : c->url.hidden;
}

str remote_write_title(const struct remote_write_conf *c, struct arena *a)
{
    struct err e = ERR_INIT;
    struct url u;

    if (c->name.n != 0 || !url_parse_http(c->url.hidden, a, &u, &e))
        return c->name;
    return arena_printf(a, "%.*s://%.*s%.*s", STR(u.scheme), STR(u.host), STR(u.path));
}
