/* http_conf.h - how a client connects: what http_config and tls_config say, decoded.
 *
 * Owns     all text lives in the arena of the configuration.
 * Source   alertmanager.md 2.8, rules.md 4.3. Paths are already resolved against the config file's folder.
 */
#ifndef NET_HTTP_CONF_H
#define NET_HTTP_CONF_H

#include "base/time.h"
#include "tocsin/conf.h"
#include "tocsin/secret.h"

enum tls_version { TLS_ANY, TLS_10, TLS_11, TLS_12, TLS_13 };

struct tls_conf {
    struct secret ca, cert, key; /* PEM inline or file */
    str server_name;
    bool insecure_skip_verify;
    enum tls_version min_version, max_version;
};

struct http_conf_header {
    str name;
    str *values;
    size_t n_values;
    struct secret *secrets; /* inline secrets and files, in that order */
    size_t n_secrets;
};

struct oauth2_conf {
    str client_id;
    struct secret client_secret;
    str grant_type;
    str *scopes;
    size_t n_scopes;
    str token_url;
    struct str_pair {
        str name, value;
    } * endpoint_params;
    size_t n_endpoint_params;
    struct tls_conf tls;
    str proxy_url;
    /* JWT bearer grant */
    struct secret client_certificate_key;
    str client_certificate_key_id, signature_algorithm, iss, audience;
};

struct http_conf {
    /* What is set up by this one is found again by it, whoever stands at its address later. 0: made by hand. */
    uint64_t number;
    bool has_basic_auth;
    struct secret username, password;
    bool has_authorization;
    str auth_type; /* "Bearer" */
    struct secret credentials;
    struct oauth2_conf *oauth2; /* NULL = none */
    struct tls_conf tls;
    bool follow_redirects, enable_http2;
    str proxy_url, no_proxy;
    bool proxy_from_environment;
    struct http_conf_header *proxy_connect_headers;
    size_t n_proxy_connect_headers;
    struct http_conf_header *headers;
    size_t n_headers;
};

/* tls_conf_type resolves files against the configuration's folder, smtp_tls_conf_type (tocsin/global.h) does not. */
extern const struct conf_type http_conf_type, tls_conf_type;

/* Appends the items of node to member, a CONF_LIST_OF(type's struct). In each item the keys of type and those of
 * http_config stand side by side; the latter go into the struct http_conf * at http_at in the item's struct. */
bool http_conf_decode_list(struct conf_in *in, const struct yaml_node *node,
                           const struct conf_type *type, size_t http_at, void *member);

#endif
