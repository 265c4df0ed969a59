/* web_conf.h - what --web.config.file says about the server: TLS, users, headers, rate.
 *
 * Errors   every problem of the file goes to diags with its line and key; what cannot be opened to e.
 * Owns     everything decoded lives in the caller's arena.
 * Source   alertmanager.md 4.1 (Prometheus' exporter-toolkit).
 */
#ifndef NET_WEB_CONF_H
#define NET_WEB_CONF_H

#include "base/diags.h"
#include "base/err.h"
#include "net/http_conf.h"

struct web_tls_conf {
    struct secret cert, key, client_ca; /* PEM inline or file */
    str client_auth_type;
    struct conf_strings client_allowed_sans, cipher_suites, curve_preferences;
    str min_version, max_version; /* "TLS12" or "TLS13"; empty: 1.2, no bound */
    bool prefer_server_cipher_suites;
    struct conf_given given;
};

struct web_http_conf {
    struct conf_map headers;
    bool http2;
};

struct web_rate_conf {
    dur_ns interval; /* 0 = no limit */
    int64_t burst;
};

struct web_conf {
    struct web_tls_conf *tls; /* NULL = clear text */
    struct web_http_conf http;
    struct conf_map basic_auth_users; /* name -> bcrypt hash */
    struct web_rate_conf rate_limit;
};

bool web_conf_load(str path, struct arena *a, struct web_conf *out, struct diags *d,
                   struct err *e) must_check;

#endif
