/* Decoders, printers and checks of keys that are no plain values: TLS versions, headers, OAuth 2; at the end the
 * tables. */
#include "net/http_conf.h"
#include "codec/url.h"
#include "schema/schema.h"
#include "tocsin/global.h"

/* -- TLS -- */

static const char *const tls_versions[] = {
    [TLS_ANY] = "", [TLS_10] = "TLS10", [TLS_11] = "TLS11", [TLS_12] = "TLS12", [TLS_13] = "TLS13"};

static bool decode_tls_version(struct conf_in *in, const struct yaml_node *node, void *member)
{
    enum tls_version *out = member;

    if (yaml_is_null(node))
        return true;
    if (!conf_want_scalar(in, node))
        return false;
    for (size_t i = 1; i < ARRAY_LEN(tls_versions); i++) {
        if (str_is(node->text, tls_versions[i])) {
            *out = (enum tls_version)i;
            return true;
        }
    }
    conf_complain(in, node, DIAG_ERROR, "C001",
                  "TLS10, TLS11, TLS12 or TLS13 expected, not \"%.*s\"", STR(node->text));
    return false;
}

static void print_tls_version(struct conf_out *o, const char *key, enum tls_version v)
{
    if (v == TLS_ANY)
        return;
    conf_print_key(o, str_of(key));
    buf_addf(o->out, " %s\n", tls_versions[v]);
}

static void print_min_version(struct conf_out *o, const void *member)
{
    print_tls_version(o, "min_version", *(const enum tls_version *)member);
}

static void print_max_version(struct conf_out *o, const void *member)
{
    print_tls_version(o, "max_version", *(const enum tls_version *)member);
}

static void http_conf_check_tls(struct conf_check *c, void *obj)
{
    const struct tls_conf *t = obj;

    if (secret_is_set(t->cert) != secret_is_set(t->key))
        conf_error(c, NULL, "a client certificate and its key must be given together");
    if (t->min_version != TLS_ANY && t->max_version != TLS_ANY && t->min_version > t->max_version)
        conf_error(c, "max_version", "lower than \"min_version\"");
}

#define TLS_KEYS(more)                                                                             \
    CONF_KEY(struct tls_conf, ca, CONF_SECRET, "certificate authorities, PEM", .flags = (more)),   \
        CONF_KEY(struct tls_conf, cert, CONF_SECRET, "client certificate, PEM", .flags = (more)),  \
        CONF_KEY(struct tls_conf, key, CONF_SECRET, "its key, PEM", .flags = (more)),              \
        CONF_KEY(struct tls_conf, server_name, CONF_STRING,                                        \
                 "name that the server's certificate must have"),                                  \
        CONF_KEY(struct tls_conf, insecure_skip_verify, CONF_BOOL,                                 \
                 "do not check the server's certificate", .flags = CONF_PRINT_EMPTY),              \
        CONF_KEY(struct tls_conf, min_version, CONF_CUSTOM, "TLS10, TLS11, TLS12 or TLS13",        \
                 .json = CONF_JSON_TEXT, .decode = decode_tls_version,                             \
                 .print = print_min_version),                                                      \
        CONF_KEY(struct tls_conf, max_version, CONF_CUSTOM, "TLS10, TLS11, TLS12 or TLS13",        \
                 .json = CONF_JSON_TEXT, .decode = decode_tls_version,                             \
                 .print = print_max_version),                                                      \
        CONF_KEYS_END

static const struct conf_key tls_keys[] = {TLS_KEYS(0)};
static const struct conf_key smtp_tls_keys[] = {TLS_KEYS(CONF_PATH_FIXED)};

const struct conf_type tls_conf_type = {
    .name = "tls_config",
    .doc = "How TLS connections are made.",
    .keys = tls_keys,
    .size = sizeof(struct tls_conf),
    .check = http_conf_check_tls,
};

const struct conf_type smtp_tls_conf_type = {
    .name = "smtp_tls_config",
    .doc = "How TLS connections to a mail server are made; files are relative to the working "
           "directory.",
    .keys = smtp_tls_keys,
    .size = sizeof(struct tls_conf),
    .check = http_conf_check_tls,
};

/* -- OAuth 2 -- */

static void check_oauth2(struct conf_check *c, void *obj)
{
    const struct oauth2_conf *o = obj;

    if (o->client_id.n == 0)
        conf_error(c, NULL, "\"client_id\" is missing");
    if (o->token_url.n == 0)
        conf_error(c, NULL, "\"token_url\" is missing");
}

static const char *const signature_algorithms[] = {"RS256", "RS384", "RS512", NULL};

static const struct conf_key oauth2_keys[] = {
    CONF_KEY(struct oauth2_conf, client_id, CONF_STRING, "name of this client"),
    CONF_KEY(struct oauth2_conf, client_secret, CONF_SECRET, "its secret"),
    CONF_KEY(struct oauth2_conf, grant_type, CONF_STRING,
             "client_credentials, or the JWT bearer grant"),
    CONF_KEY(struct oauth2_conf, client_certificate_key, CONF_SECRET, "key that signs the JWT",
             .flags = CONF_LATER),
    CONF_KEY(struct oauth2_conf, client_certificate_key_id, CONF_STRING, "id of that key"),
    CONF_KEY(struct oauth2_conf, signature_algorithm, CONF_WORD, "how the JWT is signed",
             .words = signature_algorithms),
    CONF_KEY(struct oauth2_conf, iss, CONF_STRING, "issuer of the JWT"),
    CONF_KEY(struct oauth2_conf, audience, CONF_STRING, "audience of the JWT"),
    CONF_KEY_IGNORED("claims", 0, "further claims of the JWT"),
    CONF_KEY(struct oauth2_conf, scopes, CONF_STRINGS, "scopes to ask for"),
    CONF_KEY(struct oauth2_conf, token_url, CONF_STRING, "where tokens are fetched"),
    CONF_KEY(struct oauth2_conf, endpoint_params, CONF_STRING_MAP,
             "further parameters of that request"),
    CONF_KEY_AS("tls_config", struct oauth2_conf, tls, CONF_STRUCT, "TLS for the token endpoint",
                .sub = &tls_conf_type),
    CONF_KEY(struct oauth2_conf, proxy_url, CONF_STRING, "proxy for the token endpoint"),
    CONF_KEY_IGNORED("no_proxy", 0, "hosts to reach without the proxy"),
    CONF_KEY_IGNORED("proxy_from_environment", 0, "take the proxy from the environment"),
    CONF_KEY_IGNORED("proxy_connect_header", 0, "headers for the proxy"),
    CONF_KEYS_END,
};

static const struct conf_type oauth2_conf_type = {
    .name = "oauth2",
    .doc = "Tokens by OAuth 2.",
    .keys = oauth2_keys,
    .size = sizeof(struct oauth2_conf),
    .check = check_oauth2,
};

/* -- headers -- */

struct header_raw {
    struct conf_strings values, secrets, files;
};

static const struct conf_key header_keys[] = {
    CONF_KEY(struct header_raw, values, CONF_STRINGS, "values"),
    CONF_KEY(struct header_raw, secrets, CONF_STRINGS, "values that are secret",
             .flags = CONF_HIDDEN),
    CONF_KEY(struct header_raw, files, CONF_PATHS, "files that hold a value",
             .flags = CONF_READ_LATER),
    CONF_KEYS_END,
};

static const struct conf_type header_type = {.name = "http_header",
                                             .doc = "One header.",
                                             .keys = header_keys,
                                             .size = sizeof(struct header_raw)};

/* Where http_config keeps a list of headers. */
struct header_list {
    struct http_conf_header *v;
    size_t n;
};

static bool is_reserved(str name)
{
    static const char *const names[] = {"authorization",
                                        "host",
                                        "content-encoding",
                                        "content-length",
                                        "content-type",
                                        "user-agent",
                                        "connection",
                                        "keep-alive",
                                        "proxy-authenticate",
                                        "proxy-authorization",
                                        "www-authenticate",
                                        "accept-encoding",
                                        "x-prometheus-remote-write-version",
                                        "x-prometheus-remote-read-version",
                                        "x-prometheus-scrape-timeout-seconds",
                                        "x-amz-date",
                                        "x-amz-security-token",
                                        "x-amz-content-sha256"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

static void fill_header(struct arena *a, struct http_conf_header *h, const struct header_raw *raw)
{
    h->values = raw->values.v;
    h->n_values = raw->values.n;
    h->n_secrets = raw->secrets.n + raw->files.n;
    h->secrets = arena_array(a, h->n_secrets, sizeof(h->secrets[0]));
    for (size_t i = 0; i < raw->secrets.n; i++)
        h->secrets[i].hidden = raw->secrets.v[i];
    for (size_t i = 0; i < raw->files.n; i++)
        h->secrets[raw->secrets.n + i].file = raw->files.v[i];
}

static bool start_headers(struct conf_in *in, const struct yaml_node *node,
                          struct header_list *list)
{
    if (yaml_is_null(node))
        return false;
    if (node->kind != YAML_MAP) {
        conf_complain(in, node, DIAG_ERROR, "C001", "a mapping of header names expected");
        return false;
    }
    list->v = arena_array(in->run->a, node->n, sizeof(list->v[0]));
    list->n = node->n;
    for (size_t i = 0; i < node->n; i++)
        list->v[i].name = node->pairs[i].key->text;
    return true;
}

static bool decode_headers(struct conf_in *in, const struct yaml_node *node, void *member)
{
    struct header_list *list = member;
    bool ok = true;

    if (!start_headers(in, node, list))
        return yaml_is_null(node);
    for (size_t i = 0; i < list->n; i++) {
        struct conf_in item = conf_enter(in, list->v[i].name);
        struct header_raw raw;
        struct conf_layer layer = {&header_type, &raw, NULL};

        if (is_reserved(list->v[i].name)) {
            conf_complain(in, node->pairs[i].key, DIAG_ERROR, "C009",
                          "header \"%.*s\" cannot be set here", STR(list->v[i].name));
            ok = false;
        }
        ok &= conf_decode_node(&item, node->pairs[i].value, &layer, 1);
        fill_header(in->run->a, &list->v[i], &raw);
    }
    return ok;
}

static bool decode_proxy_headers(struct conf_in *in, const struct yaml_node *node, void *member)
{
    struct header_list *list = member;
    bool ok = true;

    if (!start_headers(in, node, list))
        return yaml_is_null(node);
    for (size_t i = 0; i < list->n; i++) {
        struct conf_in item = conf_enter(in, list->v[i].name);
        const struct conf_key key = {.kind = CONF_STRINGS};
        struct header_raw raw = {0};

        ok &= yaml_is_null(node->pairs[i].value) ||
              conf_decode_scalar(&item, &key, node->pairs[i].value, &raw.secrets);
        fill_header(in->run->a, &list->v[i], &raw);
    }
    return ok;
}

static void print_list_of(struct conf_out *o, const char *key, size_t n, bool hidden,
                          const str *text, const struct secret *secrets, bool files)
{
    size_t printed = 0;

    for (size_t i = 0; i < n; i++) {
        if (secrets != NULL && (secrets[i].file.n != 0) != files)
            continue;
        if (printed++ == 0) {
            conf_print_key(o, str_of(key));
            buf_addc(o->out, '\n');
        }
        buf_pad(o->out, ' ', (size_t)o->indent);
        buf_adds(o->out, "- ");
        conf_print_text(o, hidden ? S("<secret>") : secrets != NULL ? secrets[i].file : text[i]);
        buf_addc(o->out, '\n');
    }
}

static void print_headers(struct conf_out *o, const void *member)
{
    const struct header_list *list = member;

    if (list->n == 0)
        return;
    conf_print_key(o, S("http_headers"));
    buf_addc(o->out, '\n');
    o->indent += 2;
    for (size_t i = 0; i < list->n; i++) {
        const struct http_conf_header *h = &list->v[i];

        conf_print_key(o, h->name);
        buf_addc(o->out, '\n');
        o->indent += 2;
        print_list_of(o, "values", h->n_values, false, h->values, NULL, false);
        print_list_of(o, "secrets", h->n_secrets, true, NULL, h->secrets, false);
        print_list_of(o, "files", h->n_secrets, false, NULL, h->secrets, true);
        o->indent -= 2;
    }
    o->indent -= 2;
}

static void print_proxy_headers(struct conf_out *o, const void *member)
{
    const struct header_list *list = member;

    if (list->n == 0)
        return;
    conf_print_key(o, S("proxy_connect_header"));
    buf_addc(o->out, '\n');
    o->indent += 2;
    for (size_t i = 0; i < list->n; i++) {
        conf_print_key(o, list->v[i].name);
        buf_adds(o->out, " [<secret>]\n");
    }
    o->indent -= 2;
}

/* -- http_config -- */

/* These two write into the struct http_conf around them: size 0. */
static const struct conf_key basic_auth_keys[] = {
    CONF_KEY(struct http_conf, username, CONF_SECRET, "user"),
    CONF_KEY(struct http_conf, password, CONF_SECRET, "password"),
    CONF_KEY_IGNORED("username_ref", 0, "name in a secret manager"),
    CONF_KEY_IGNORED("password_ref", 0, "name in a secret manager"),
    CONF_KEYS_END,
};
static const struct conf_type basic_auth_type = {
    .name = "basic_auth", .doc = "A user and a password.", .keys = basic_auth_keys};

static const struct conf_key authorization_keys[] = {
    CONF_KEY_AS("type", struct http_conf, auth_type, CONF_STRING, "scheme; Bearer when not given"),
    CONF_KEY(struct http_conf, credentials, CONF_SECRET, "what stands behind the scheme"),
    CONF_KEY_IGNORED("credentials_ref", 0, "name in a secret manager"),
    CONF_KEYS_END,
};
static const struct conf_type authorization_type = {
    .name = "authorization", .doc = "The Authorization header.", .keys = authorization_keys};

static void check_auth(struct conf_check *c, struct http_conf *h)
{
    bool bearer = conf_has(c, "bearer_token") || conf_has(c, "bearer_token_file");

    h->has_basic_auth = conf_has(c, "basic_auth");
    h->has_authorization = conf_has(c, "authorization") || bearer;
    if (h->has_basic_auth + conf_has(c, "authorization") + bearer + (h->oauth2 != NULL) > 1)
        conf_error(c, NULL,
                   "at most one of \"basic_auth\", \"authorization\", \"oauth2\" and "
                   "\"bearer_token\" may be set");
    if (h->has_authorization && h->auth_type.n == 0)
        h->auth_type = S("Bearer");
    if (str_eq_nocase(h->auth_type, S("basic"))) {
        conf_error(c, "authorization", "type cannot be \"basic\"");
        conf_help(c, "use \"basic_auth\"");
    }
}

/* As Go parses it: HOST:PORT alone is none where HOST begins with a digit. */
static void check_proxy_url(struct conf_check *c, str text)
{
    struct arena a;
    struct url url;
    struct err e = ERR_INIT;

    if (text.n == 0)
        return;
    arena_init(&a, 0);
    if (!url_parse(text, &a, &url, &e)) {
        conf_error(c, "proxy_url", "is no URL: %s", e.msg);
        conf_help(c, "write it with its scheme: http://HOST:PORT");
    }
    arena_release(&a);
}

static void http_conf_check_http(struct conf_check *c, void *obj)
{
    struct http_conf *h = obj;

    check_auth(c, h);
    check_proxy_url(c, h->proxy_url);
    if (h->proxy_from_environment && h->proxy_url.n != 0)
        conf_error(c, "proxy_url", "cannot stand beside \"proxy_from_environment\"");
    if (h->no_proxy.n != 0 && h->proxy_from_environment)
        conf_error(c, "no_proxy", "cannot stand beside \"proxy_from_environment\"");
    if (h->no_proxy.n != 0 && h->proxy_url.n == 0 && !h->proxy_from_environment)
        conf_error(c, "no_proxy", "needs \"proxy_url\"");
    if (h->n_proxy_connect_headers != 0 && h->proxy_url.n == 0 && !h->proxy_from_environment)
        conf_error(c, "proxy_connect_header", "needs \"proxy_url\" or \"proxy_from_environment\"");
}

static const struct conf_key http_keys[] = {
    {.name = "basic_auth",
     .kind = CONF_STRUCT,
     .doc = "a user and a password",
     .sub = &basic_auth_type},
    {.name = "authorization",
     .kind = CONF_STRUCT,
     .doc = "the Authorization header",
     .sub = &authorization_type},
    CONF_KEY(struct http_conf, oauth2, CONF_STRUCT_PTR, "tokens by OAuth 2",
             .sub = &oauth2_conf_type),
    CONF_KEY_AS("bearer_token", struct http_conf, credentials, CONF_SECRET, "use \"authorization\"",
                .flags = CONF_DEPRECATED | CONF_UNPRINTED),
    CONF_KEY_AS("tls_config", struct http_conf, tls, CONF_STRUCT, "how TLS connections are made",
                .sub = &tls_conf_type),
    CONF_KEY(struct http_conf, follow_redirects, CONF_BOOL, "follow redirects", .text = "true",
             .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct http_conf, enable_http2, CONF_BOOL, "use HTTP/2 where the server offers it",
             .text = "true", .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct http_conf, proxy_url, CONF_STRING, "proxy"),
    CONF_KEY(struct http_conf, no_proxy, CONF_STRING, "comma-separated hosts to reach without it"),
    CONF_KEY(struct http_conf, proxy_from_environment, CONF_BOOL,
             "take the proxy from the environment"),
    CONF_KEY_AS("proxy_connect_header", struct http_conf, proxy_connect_headers, CONF_CUSTOM,
                "headers for the proxy", .decode = decode_proxy_headers,
                .print = print_proxy_headers),
    CONF_KEY_AS("http_headers", struct http_conf, headers, CONF_CUSTOM, "headers of each request",
                .decode = decode_headers, .print = print_headers),
    CONF_KEYS_END,
};

const struct conf_type http_conf_type = {
    .name = "http_config",
    .doc = "How HTTP requests are made.",
    .keys = http_keys,
    .size = sizeof(struct http_conf),
    .number = CONF_AT(struct http_conf, number),
    .check = http_conf_check_http,
};

bool http_conf_decode_list(struct conf_in *in, const struct yaml_node *node,
                           const struct conf_type *type, size_t http_at, void *member)
{
    struct {
        char *v;
        size_t n;
    } list;
    bool ok = true;

    if (yaml_is_null(node))
        return true;
    if (!conf_want_list(in, node))
        return false;
    memcpy(&list, member, sizeof(list));
    list.v = arena_copy(in->run->a, list.v, list.n, list.n + node->n, type->size);
    for (size_t i = 0; i < node->n; i++) {
        struct conf_in item = conf_enter_item(in, i);
        char *obj = list.v + list.n++ * type->size;
        struct http_conf *http = arena_new(in->run->a, struct http_conf);
        struct conf_layer layers[] = {{type, obj, in->above}, {&http_conf_type, http, NULL}};

        ok &= conf_decode_node(&item, node->items[i], layers, 2);
        memcpy(obj + http_at, &http, sizeof(http));
    }
    memcpy(member, &list, sizeof(list));
    return ok;
}
