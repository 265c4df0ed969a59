#include "net/web_conf.h"

#include "schema/schema.h"
#include "os/yaml_file.h"

/* -- TLS -- */

static const char *const client_auth_types[] = {"NoClientCert",
                                                "RequestClientCert",
                                                "RequireClientCert",
                                                "RequireAnyClientCert",
                                                "VerifyClientCertIfGiven",
                                                "RequireAndVerifyClientCert",
                                                NULL};

static const char *const versions[] = {"TLS10", "TLS11", "TLS12", "TLS13", NULL};

static bool verifies(str client_auth_type)
{
    return str_is(client_auth_type, "VerifyClientCertIfGiven") ||
           str_is(client_auth_type, "RequireAndVerifyClientCert");
}

/* They are words of the file all the same: whoever asks for them is told why not. */
static void check_version(struct conf_check *c, const char *key, str version)
{
    if (str_is(version, "TLS10") || str_is(version, "TLS11"))
        conf_error(c, key, "%.*s is broken and not served: TLS12 or TLS13", STR(version));
}

static bool says_something(const struct web_tls_conf *t)
{
    return (t->given.rows[0] | t->given.rows[1]) != 0;
}

static void web_conf_check_tls(struct conf_check *c, void *obj)
{
    const struct web_tls_conf *t = obj;

    if (!says_something(t))
        return; /* an empty section is none */
    if (!secret_is_set(t->cert))
        conf_error(c, NULL, "\"cert_file\" or \"cert\" is missing");
    if (!secret_is_set(t->key))
        conf_error(c, NULL, "\"key_file\" or \"key\" is missing");
    if (secret_is_set(t->client_ca) &&
        (t->client_auth_type.n == 0 || str_is(t->client_auth_type, "NoClientCert")))
        conf_error(c, "client_auth_type", "\"client_ca\" needs a type that asks for certificates");
    if (verifies(t->client_auth_type) && !secret_is_set(t->client_ca))
        conf_error(c, "client_auth_type", "%.*s needs \"client_ca_file\" or \"client_ca\"",
                   STR(t->client_auth_type));
    if (t->client_allowed_sans.n != 0 && !verifies(t->client_auth_type))
        conf_error(c, "client_allowed_sans", "needs a \"client_auth_type\" that verifies");
    check_version(c, "min_version", t->min_version);
    check_version(c, "max_version", t->max_version);
    if (t->min_version.n != 0 && t->max_version.n != 0 &&
        str_cmp(t->min_version, t->max_version) > 0)
        conf_error(c, "max_version", "lower than \"min_version\"");
}

static const struct conf_key tls_keys[] = {
    CONF_KEY(struct web_tls_conf, cert, CONF_SECRET,
             "certificate of the server and its chain, PEM"),
    CONF_KEY(struct web_tls_conf, key, CONF_SECRET, "its key, PEM"),
    CONF_KEY(struct web_tls_conf, client_ca, CONF_SECRET,
             "authorities of client certificates, PEM"),
    CONF_KEY(struct web_tls_conf, client_auth_type, CONF_WORD, "whether clients need a certificate",
             .words = client_auth_types),
    CONF_KEY(struct web_tls_conf, client_allowed_sans, CONF_STRINGS,
             "names of which a client's certificate must have one"),
    CONF_KEY(struct web_tls_conf, min_version, CONF_WORD, "TLS12 or TLS13", .words = versions),
    CONF_KEY(struct web_tls_conf, max_version, CONF_WORD, "TLS12 or TLS13", .words = versions),
    CONF_KEY(struct web_tls_conf, cipher_suites, CONF_STRINGS,
             "suites for TLS 1.2, by RFC names; when not given, those with forward "
             "secrecy that authenticate what they encrypt"),
    CONF_KEY(struct web_tls_conf, curve_preferences, CONF_STRINGS,
             "CurveP256, CurveP384, CurveP521, X25519"),
    CONF_KEY(struct web_tls_conf, prefer_server_cipher_suites, CONF_BOOL,
             "our order of suites rules", .text = "true"),
    CONF_KEYS_END,
};

static const struct conf_type tls_type = {
    .name = "tls_server_config",
    .doc = "TLS of the server.",
    .keys = tls_keys,
    .size = sizeof(struct web_tls_conf),
    .given = CONF_AT(struct web_tls_conf, given),
    .check = web_conf_check_tls,
};

/* -- HTTP -- */

struct allowed_header {
    const char *name;
    const char *const *values; /* NULL = any */
};

static const char *const frame_options[] = {"deny", "sameorigin", NULL}, *const type_options[] = {
                                                                             "nosniff", NULL};
static const struct allowed_header allowed_headers[] = {
    {"Content-Security-Policy", NULL},        {"X-Frame-Options", frame_options},
    {"X-Content-Type-Options", type_options}, {"X-XSS-Protection", NULL},
    {"Strict-Transport-Security", NULL},
};

static bool is_allowed(const struct allowed_header *h, str value)
{
    for (size_t i = 0; h->values != NULL && h->values[i] != NULL; i++)
        if (str_eq_nocase(value, str_of(h->values[i])))
            return true;
    return h->values == NULL;
}

static void web_conf_check_http(struct conf_check *c, void *obj)
{
    const struct web_http_conf *http = obj;

    for (size_t i = 0; i < http->headers.n; i++) {
        const struct conf_pair *p = &http->headers.v[i];
        const struct allowed_header *h = NULL;

        for (size_t k = 0; k < ARRAY_LEN(allowed_headers) && h == NULL; k++)
            if (str_is(p->name, allowed_headers[k].name))
                h = &allowed_headers[k];
        if (h == NULL)
            conf_error(c, "headers", "header \"%.*s\" cannot be set", STR(p->name));
        else if (!is_allowed(h, p->value))
            conf_error(c, "headers", "invalid value of %s: \"%.*s\"", h->name, STR(p->value));
    }
}

static const struct conf_key http_keys[] = {
    CONF_KEY(struct web_http_conf, headers, CONF_STRING_MAP, "headers of every answer"),
    CONF_KEY(struct web_http_conf, http2, CONF_BOOL, "accepted; HTTP/1.1 is spoken",
             .text = "true"),
    CONF_KEYS_END,
};

static const struct conf_type http_type = {
    .name = "http_server_config",
    .doc = "HTTP of the server.",
    .keys = http_keys,
    .size = sizeof(struct web_http_conf),
    .check = web_conf_check_http,
};

static const struct conf_key rate_keys[] = {
    CONF_KEY(struct web_rate_conf, interval, CONF_DURATION, "a request each, on average"),
    CONF_KEY(struct web_rate_conf, burst, CONF_INT, "requests that may come at once", .min = 0,
             .max = 1000000),
    CONF_KEYS_END,
};

static const struct conf_type rate_type = {
    .name = "rate_limit",
    .doc = "How often requests are answered.",
    .keys = rate_keys,
    .size = sizeof(struct web_rate_conf),
};

/* -- the file -- */

static void check_web(struct conf_check *c, void *obj)
{
    const struct conf_map *users = &((const struct web_conf *)obj)->basic_auth_users;

    for (size_t i = 0; i < users->n; i++)
        if (users->v[i].value.n != 60 || !str_starts_with(users->v[i].value, S("$2")))
            conf_error(c, "basic_auth_users", "the password of \"%.*s\" is not a bcrypt hash",
                       STR(users->v[i].name));
}

static const struct conf_key web_keys[] = {
    CONF_KEY_AS("tls_server_config", struct web_conf, tls, CONF_STRUCT_PTR, "TLS",
                .sub = &tls_type),
    CONF_KEY_AS("http_server_config", struct web_conf, http, CONF_STRUCT, "HTTP",
                .sub = &http_type),
    CONF_KEY(struct web_conf, basic_auth_users, CONF_STRING_MAP,
             "names and bcrypt hashes of passwords"),
    CONF_KEY(struct web_conf, rate_limit, CONF_STRUCT, "rate limit", .sub = &rate_type),
    CONF_KEYS_END,
};

static const struct conf_type web_type = {
    .name = "web_config",
    .doc = "Who may talk to the server, and how.",
    .keys = web_keys,
    .size = sizeof(struct web_conf),
    .check = check_web,
};

bool web_conf_load(str path, struct arena *a, struct web_conf *out, struct diags *d, struct err *e)
{
    struct conf_run run = {.a = a, .d = d};
    struct conf_part part;
    struct yaml_doc doc;

    if (!yaml_read_file(path, a, &doc, d, e))
        return false;
    part = (struct conf_part){&doc, doc.root};
    if (!conf_decode(&run, &part, 1, (struct conf_layer){&web_type, out, NULL}))
        return err_set(e, ERR_INVALID, "'%.*s' has %zu problems", STR(path), d->errors);
    if (out->tls != NULL && !says_something(out->tls))
        out->tls = NULL;
    return true;
}
