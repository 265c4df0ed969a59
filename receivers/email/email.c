/* email.c - sends mail by SMTP. */
#include <stdio.h>
#include "tocsin/buf.h"
#include "tocsin/mime.h"
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

#define EMAIL_HTML "{{ template \"email.default.html\" . }}"

static const struct conf_key keys[] = {
    CONF_KEY(struct email_conf, to, CONF_TEMPLATE, "recipients", .flags = CONF_REQUIRED),
    CONF_KEY(struct email_conf, from, CONF_TEMPLATE, "sender", CONF_GLOBAL(smtp_from)),
    CONF_KEY(struct email_conf, hello, CONF_STRING, "name to greet the server with",
             CONF_GLOBAL(smtp_hello)),
    CONF_KEY(struct email_conf, smarthost, CONF_STRING, "host:port of the mail server",
             CONF_GLOBAL(smtp_smarthost), .flags = CONF_ADDRESS),
    CONF_KEY(struct email_conf, auth_username, CONF_STRING, "user",
             CONF_GLOBAL(smtp_auth_username)),
    CONF_KEY(struct email_conf, auth_password, CONF_SECRET, "password, for LOGIN and PLAIN",
             CONF_GLOBAL(smtp_auth_password), .flags = CONF_BOTH_OK | CONF_PATH_FIXED),
    CONF_KEY(struct email_conf, auth_secret, CONF_SECRET, "secret, for CRAM-MD5",
             CONF_GLOBAL(smtp_auth_secret), .flags = CONF_BOTH_OK | CONF_PATH_FIXED),
    CONF_KEY(struct email_conf, auth_identity, CONF_STRING, "identity, for PLAIN",
             CONF_GLOBAL(smtp_auth_identity)),
    CONF_KEY(struct email_conf, headers, CONF_STRING_MAP, "headers of the mail, templates"),
    CONF_KEY(struct email_conf, html, CONF_TEMPLATE, "HTML part", .text = EMAIL_HTML),
    CONF_KEY(struct email_conf, text, CONF_TEMPLATE, "text part"),
    CONF_KEY(struct email_conf, require_tls, CONF_TRISTATE, "refuse to send in clear",
             CONF_GLOBAL(smtp_require_tls)),
    CONF_KEY(struct email_conf, force_implicit_tls, CONF_TRISTATE,
             "TLS from the first byte; unset: iff the port is 465",
             CONF_GLOBAL(smtp_force_implicit_tls)),
    CONF_KEY(struct email_conf, tls_config, CONF_STRUCT_PTR, "TLS to the mail server",
             CONF_GLOBAL(smtp_tls_config), .sub = &smtp_tls_conf_type),
    CONF_KEY(struct email_conf, threading, CONF_STRUCT, "how mails are threaded",
             .sub = &threading_type),
    CONF_KEYS_END,
};

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

static bool port_is_465(str smarthost)
{
    return str_ends_with(smarthost, S(":465"));
}

static struct smtp_request server(const struct email_conf *m)
{
    bool implicit = m->force_implicit_tls == CONF_UNSET ? port_is_465(m->smarthost)
                                                        : m->force_implicit_tls == CONF_YES;

    return (struct smtp_request){.smarthost = m->smarthost,
                                 .hello = m->hello,
                                 .implicit_tls = implicit,
                                 .require_tls = m->require_tls == CONF_YES && !implicit,
                                 .tls = m->tls_config,
                                 .username = m->auth_username,
                                 .identity = m->auth_identity,
                                 .password = m->auth_password,
                                 .secret = m->auth_secret};
}

/* What would only come out when the server is talked to. */
static void check_login(const struct email_conf *m, struct conf_check *c)
{
    struct smtp_request rq = server(m);

    if (m->auth_username.n == 0)
        return;
    if (!secret_is_set(m->auth_password) && !secret_is_set(m->auth_secret))
        conf_warn(c, "auth_username",
                  "no mail is sent where the server offers a login: \"auth_password\" and "
                  "\"auth_secret\" are missing");
    else if (secret_is_set(m->auth_password) && !smtp_is_covered(&rq))
        conf_warn(c, "require_tls",
                  "without TLS the password goes out in clear by LOGIN, and no mail is sent where "
                  "the server prefers PLAIN");
}

static void email_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct email_conf *m = conf;

    (void)view;
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
    check_login(m, c);
}

static const struct conf_type email_conf_type = {
    .name = "email_config",
    .doc = "Mail by SMTP",
    .keys = keys,
    .size = sizeof(struct email_conf),
};

/* -- delivery -- */

static bool email_is_configured(const struct email_conf *m, const char *name)
{
    for (size_t i = 0; i < m->headers.n; i++)
        if (str_eq_nocase(m->headers.v[i].name, str_of(name)))
            return true;
    return false;
}

static bool add_header(struct delivery *d, struct buf *b, str name, str text)
{
    str value;

    value = delivery_say(d, text, false);
    mime_header(b, mime_canonical_name(d->arena, name), value);
    return true;
}

/* A root that no mail has: all mails of a group answer to it, and so form a thread. Of who was told in a digest the end answers to
 * what that answered to. */
static str email_root(struct delivery *d, const struct email_conf *m)
{
    struct buf day = BUF_INIT;
    str root = delivery_kept_thread(d, S("root"));

    if (root.n != 0)
        return root;
    if (str_is(m->threading.thread_by_date, "daily"))
        mime_day(&day, d->now);
    root = arena_printf(d->arena, "<alert-%.*s-%.*s@alertmanager>",
                        STR(str_sub(delivery_group_hash(d), 0, 16)), STR(buf_str(&day)));
    buf_release(&day);
    return root;
}

static void add_threading(struct delivery *d, const struct email_conf *m, struct buf *b)
{
    str root = email_root(d, m);

    mime_header(b, S("References"), root);
    mime_header(b, S("In-Reply-To"), root);
}

static void email_keep(struct delivery *d, const struct email_conf *m)
{
    struct delivery_pair *p = arena_new(d->arena, struct delivery_pair);

    *p = (struct delivery_pair){S("root"), email_root(d, m)};
    d->kept = p;
    d->n_kept = m->threading.enabled && d->n->act == ACT_DIGEST;
}

/* The same for every attempt of a flush, so that a server may drop the second of two equal mails. */
static void add_identity(struct delivery *d, const struct email_conf *m, str from, struct buf *b)
{
    size_t at = from.n; /* behind the last @: a quoted local part may have others */
    struct buf value = BUF_INIT;

    while (at != 0 && from.p[at - 1] != '@')
        at--;
    if (!email_is_configured(m, "Message-Id")) {
        buf_addf(&value, "<%lld.%016llx@%.*s>", (long long)d->n->decided_at,
                 (unsigned long long)d->n->flush_id, STR(str_sub(from, at, from.n)));
        mime_header(b, S("Message-Id"), buf_str(&value));
        buf_clear(&value);
    }
    mime_date(&value, d->now);
    mime_header(b, S("Date"), buf_str(&value));
    mime_header(b, S("Auto-Submitted"), S("auto-generated")); /* no holiday answers, please */
    buf_release(&value);
}

/* Beside our own page its text, which is empty unless it is a readable one. */
static str text_beside(const struct email_conf *m)
{
    return m->text.n == 0 && str_is(m->html, EMAIL_HTML)
               ? S("{{ template \"email.default.text\" . }}")
               : m->text;
}

static bool add_part(struct delivery *d, struct buf *b, const char *boundary, const char *type,
                     str text)
{
    str body;

    if (text.n == 0)
        return true;
    body = delivery_say(d, text, str_is(str_of(type), "text/html"));
    if (body.n == 0 && !str_is(str_of(type), "text/html"))
        return true;
    buf_addf(b,
             "--%s\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: %s; "
             "charset=UTF-8\r\n\r\n",
             boundary, type);
    mime_quoted_printable(b, body);
    buf_adds(b, "\r\n");
    return true;
}

static bool compose(struct delivery *d, const struct email_conf *m,
                    const struct mime_addresses *from, const struct mime_addresses *to,
                    struct buf *b)
{
    char boundary[32];
    bool ok = true;

    snprintf(boundary, sizeof(boundary), "tocsin%016llx", (unsigned long long)d->n->flush_id);
    if (!email_is_configured(m, "Subject"))
        ok = add_header(d, b, S("Subject"), S("{{ template \"email.default.subject\" . }}"));
    if (!email_is_configured(m, "To"))
        buf_addf(b, "To: %.*s\r\n", STR(to->header));
    if (!email_is_configured(m, "From"))
        buf_addf(b, "From: %.*s\r\n", STR(from->header));
    for (size_t i = 0; i < m->headers.n && ok; i++)
        ok = add_header(d, b, m->headers.v[i].name, m->headers.v[i].value);
    add_identity(d, m, from->v[0], b);
    if (m->threading.enabled)
        add_threading(d, m, b);
    buf_addf(b, "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=%s\r\n\r\n",
             boundary);
    ok = ok && add_part(d, b, boundary, "text/plain", text_beside(m)) &&
         add_part(d, b, boundary, "text/html", m->html);
    buf_addf(b, "--%s--\r\n", boundary);
    return ok;
}

static bool addresses(struct delivery *d, str text, const char *what, struct mime_addresses *out)
{
    str list;

    return d->render(d, text, false, &list) &&
           (mime_addresses_parse(list, d->arena, out, &d->err) ||
            err_wrap(&d->err, "\"%s\"", what));
}

/* Without those who were told, or refused for good, by an attempt before. */
static void leave_out_had(struct delivery *d, struct mime_addresses *to)
{
    size_t k = 0;

    for (size_t i = 0; i < to->n; i++)
        if (!delivery_had(d, to->v[i]))
            to->v[k++] = to->v[i];
    to->n = k;
}

static enum delivery_verdict email_begin(struct delivery *d)
{
    const struct email_conf *m = d->conf;
    struct mime_addresses from, to;
    struct buf b = BUF_INIT;
    bool ok =
        addresses(d, m->from, "from", &from) && addresses(d, delivery_address(d, m->to), "to", &to);

    if (ok && from.n != 1)
        ok = err_set(&d->err, ERR_INVALID, "\"from\" must be one address, not %zu", from.n);
    if (ok && compose(d, m, &from, &to, &b)) {
        d->mail = server(m);
        d->mail.from = from.v[0];
        d->mail.to = to.v;
        d->mail.message = arena_str(d->arena, buf_str(&b));
        buf_release(&b);
        leave_out_had(d, &to);
        d->mail.n_to = to.n;
        if (to.n == 0)
            return DELIVERY_OK;
        return DELIVERY_SEND_SMTP;
    }
    buf_release(&b);
    return DELIVERY_FAILED;
}

static bool is_for_now(str reply)
{
    return str_starts_with(reply, S("4"));
}

/* Notes who of this attempt needs no other one. Whether somebody is refused for now, and so needs one. */
static bool some_are_due(struct delivery *d)
{
    const struct http_headers *refused = &d->answer->headers;
    str *told = arena_array(d->arena, d->mail.n_to, sizeof(*told));
    size_t n = 0;

    for (size_t i = 0; i < d->mail.n_to; i++) {
        bool for_now = false;

        for (size_t k = 0; k < refused->n; k++)
            for_now |= str_eq(refused->v[k].name, d->mail.to[i]) && is_for_now(refused->v[k].value);
        if (!for_now)
            told[n++] = d->mail.to[i];
    }
    delivery_note_had(d, told, n);
    return n < d->mail.n_to;
}

/* The mail went out; who did not get it is said, but not a reason to send it to the others again. */
static void name_refused(struct delivery *d)
{
    const struct http_headers *refused = &d->answer->headers;
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < refused->n; i++)
        buf_addf(&b, "%s%.*s: %.*s", i != 0 ? "; " : "", STR(refused->v[i].name),
                 STR(refused->v[i].value));
    if (refused->n != 0)
        err_set(&d->err, ERR_IO, "delivered, but not to %.*s", STR(buf_str(&b)));
    buf_release(&b);
}

static enum delivery_verdict email_step(struct delivery *d)
{
    if (d->answer == NULL)
        return email_begin(d);
    email_keep(d, d->conf);
    if (!d->lost) {
        name_refused(d);
        return some_are_due(d) ? DELIVERY_RETRY : DELIVERY_OK;
    }
    if (d->answer->status < 500)
        return DELIVERY_RETRY; /* 4yz, or nobody answered */
    if (d->had.n != 0) {       /* the others have it */
        err_wrap(&d->err, "delivered, but not to all");
        return DELIVERY_OK;
    }
    d->failure = FAILURE_CLIENT;
    return DELIVERY_FAILED;
}

const struct receiver_type email_receiver = {
    .name = "email",
    .config_key = "email_configs",
    .doc = "Mail by SMTP",
    .conf = &email_conf_type,
    .send_resolved_default = false,
    .uses_http = false,
    .can = CAN_THREAD | CAN_DIGEST | CAN_PERSON,
    .check = email_check,
    .step = email_step,
};
