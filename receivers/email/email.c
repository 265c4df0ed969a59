/* email.c - sends mail by SMTP. */
#include "tocsin/receiver.h"

struct email_threading {
    bool enabled;
    str thread_by_date;
};

struct email_conf {
    str to, from, hello, smarthost, auth_username, auth_identity;
    struct secret auth_password, auth_secret;
    struct conf_map headers;
    str html, text;
    enum conf_tristate require_tls, force_implicit_tls;
    struct tls_conf *tls_config; /* NULL = none */
    struct email_threading threading;
};

static const char *const thread_by_date[] = {"", "none", "daily", NULL};

static const struct conf_key threading_keys[] = {
    CONF_KEY(struct email_threading, enabled, CONF_BOOL,
             "put the mails of a group into one thread"),
    CONF_KEY(struct email_threading, thread_by_date, CONF_WORD, "one thread, or one a day",
             .words = thread_by_date),
    CONF_KEYS_END,
};

static const struct conf_type threading_type = {
    .name = "email_threading",
    .doc = "How mails are threaded.",
    .keys = threading_keys,
    .size = sizeof(struct email_threading),
};

static const struct conf_key keys[] = {
    CONF_KEY(struct email_conf, to, CONF_TEMPLATE, "recipients", .flags = CONF_REQUIRED),
    CONF_KEY(struct email_conf, from, CONF_TEMPLATE, "sender", .flags = CONF_INHERIT),
    CONF_KEY(struct email_conf, hello, CONF_STRING, "name to greet the server with",
             .flags = CONF_INHERIT),
    CONF_KEY(struct email_conf, smarthost, CONF_STRING, "host:port of the mail server",
             .flags = CONF_INHERIT),
    CONF_KEY(struct email_conf, auth_username, CONF_STRING, "user", .flags = CONF_INHERIT),
    CONF_KEY(struct email_conf, auth_password, CONF_SECRET, "password, for LOGIN and PLAIN",
             .flags = CONF_INHERIT | CONF_BOTH_OK | CONF_PATH_FIXED),
    CONF_KEY(struct email_conf, auth_secret, CONF_SECRET, "secret, for CRAM-MD5",
             .flags = CONF_INHERIT | CONF_BOTH_OK | CONF_PATH_FIXED),
    CONF_KEY(struct email_conf, auth_identity, CONF_STRING, "identity, for PLAIN",
             .flags = CONF_INHERIT),
    CONF_KEY(struct email_conf, headers, CONF_STRING_MAP, "headers of the mail, templates"),
    CONF_KEY(struct email_conf, html, CONF_TEMPLATE, "HTML part",
             .text = "{{ template \"email.default.html\" . }}"),
    CONF_KEY(struct email_conf, text, CONF_TEMPLATE, "text part"),
    CONF_KEY(struct email_conf, require_tls, CONF_TRISTATE, "refuse to send in clear",
             .flags = CONF_INHERIT),
    CONF_KEY(struct email_conf, force_implicit_tls, CONF_TRISTATE,
             "TLS from the first byte; unset: iff the port is 465", .flags = CONF_INHERIT),
    CONF_KEY(struct email_conf, tls_config, CONF_STRUCT_PTR, "TLS to the mail server",
             .flags = CONF_INHERIT, .sub = &smtp_tls_conf_type),
    CONF_KEY(struct email_conf, threading, CONF_STRUCT, "how mails are threaded",
             .sub = &threading_type),
    CONF_KEYS_END,
};

static void inherit(str *own, str global)
{
    if (own->n == 0)
        *own = global;
}

static void inherit_secret(struct secret *own, struct secret global)
{
    if (!secret_is_set(*own))
        *own = global;
}

/* The port is mandatory; an IPv6 address stands in brackets. */
static bool has_port(str smarthost)
{
    const char *colon = smarthost.n != 0 ? memrchr(smarthost.p, ':', smarthost.n) : NULL;
    uint64_t port;

    return colon != NULL &&
           str_to_u64(str_sub(smarthost, (size_t)(colon - smarthost.p) + 1, smarthost.n), &port) &&
           port <= 65535;
}

static void check_headers(const struct email_conf *m, struct conf_check *c)
{
    for (size_t i = 0; i < m->headers.n; i++) {
        str name = m->headers.v[i].name;

        for (size_t j = 0; j < i; j++)
            if (str_eq_nocase(name, m->headers.v[j].name))
                conf_error(c, "headers", "header \"%.*s\" stands twice", STR(name));
        if (m->threading.enabled &&
            (str_eq_nocase(name, S("References")) || str_eq_nocase(name, S("In-Reply-To"))))
            conf_error(c, "headers", "threading sets \"%.*s\" itself", STR(name));
    }
}

static void check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct global_conf *g = view->global;
    struct email_conf *m = conf;

    inherit(&m->smarthost, g->smtp_smarthost);
    inherit(&m->from, g->smtp_from);
    inherit(&m->hello, g->smtp_hello);
    inherit(&m->auth_username, g->smtp_auth_username);
    inherit(&m->auth_identity, g->smtp_auth_identity);
    inherit_secret(&m->auth_password, g->smtp_auth_password);
    inherit_secret(&m->auth_secret, g->smtp_auth_secret);
    if (m->require_tls == CONF_UNSET)
        m->require_tls = g->smtp_require_tls ? CONF_YES : CONF_NO;
    if (m->force_implicit_tls == CONF_UNSET)
        m->force_implicit_tls = g->smtp_force_implicit_tls;
    if (m->tls_config == NULL)
        m->tls_config = g->smtp_tls_config;
    if (m->smarthost.n == 0)
        conf_error(
            c, "smarthost",
            "no mail server: \"smarthost\" is missing here and \"smtp_smarthost\" in global");
    else if (!has_port(m->smarthost))
        conf_error(c, "smarthost", "host:port expected, not \"%.*s\"", STR(m->smarthost));
    if (m->from.n == 0)
        conf_error(c, "from", "no sender: \"from\" is missing here and \"smtp_from\" in global");
    if (m->threading.enabled && m->threading.thread_by_date.n == 0)
        conf_error(c, "threading", "\"thread_by_date\" must be none or daily");
    check_headers(m, c);
}

static const struct conf_type email_conf_type = {
    .name = "email_config",
    .doc = "Mail by SMTP",
    .keys = keys,
    .size = sizeof(struct email_conf),
};

const struct receiver_type email_receiver = {
    .name = "email",
    .config_key = "email_configs",
    .doc = "Mail by SMTP",
    .conf = &email_conf_type,
    .send_resolved_default = false,
    .uses_http = false,
    .check = check,
};
