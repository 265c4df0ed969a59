/* The handle's options in the order in which a request needs them: where to, headers, who we are, TLS, proxy and
 * limits. Secrets and certificates are read here, and what cannot be read ends the attempt before it begins. */
#include "net/curl_setup.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include "base/mem.h"
#include "codec/url.h"
#include "net/http_conf.h"
#include "net/http_parse.h"
#include "net/secret.h"

enum {
    REDIRECTS_MAX = 10,
    SHORT_ANSWER = 1024, /* bytes at a time; curl allocates it for each request */
};

/* -- where to -- */

static str curl_setup_part(CURLU *u, CURLUPart which, unsigned flags, struct arena *a)
{
    char *text = NULL;
    str out = STR_NONE;

    if (curl_url_get(u, which, &text, flags) == CURLUE_OK)
        out = arena_str(a, str_of(text));
    curl_free(text);
    return out;
}

/* As Go reads it and writes it out, which is what receivers get from there. */
static CURLU *parse_url(str url, struct arena *a, struct err *e)
{
    struct url parts;
    CURLU *u;

    if (!url_parse_http(url, a, &parts, e)) {
        err_wrap(e, "the URL is malformed");
        return NULL;
    }
    u = curl_url();
    if (curl_url_set(u, CURLUPART_URL, arena_z(a, url_print(&parts, a)), CURLU_PATH_AS_IS) ==
        CURLUE_OK)
        return u;
    curl_url_cleanup(u);
    err_set(e, ERR_INVALID, "the URL is malformed");
    return NULL;
}

bool curl_aim(struct curl_handle *h, str url, struct arena *a, str *destination, struct err *e)
{
    str scheme, host, port;

    h->url = parse_url(url, a, e);
    if (h->url == NULL)
        return false;
    scheme = curl_setup_part(h->url, CURLUPART_SCHEME, 0, a);
    host = curl_setup_part(h->url, CURLUPART_HOST, 0, a);
    port = curl_setup_part(h->url, CURLUPART_PORT, CURLU_DEFAULT_PORT, a);
    *destination = arena_printf(a, "%.*s://%.*s:%.*s", STR(scheme), STR(host), STR(port));
    return true;
}

/* -- secrets -- */

static bool curl_setup_read(struct curl_handle *h, struct secret s, struct arena *a, str *out,
                            struct err *e)
{
    h->reads_files |= s.file.n != 0;
    return secret_read(s, a, out, e);
}

/* -- headers -- */

static bool add_line(struct curl_slist **list, str name, str value, struct arena *a, struct err *e)
{
    if (!http_is_token(name))
        return err_set(e, ERR_INVALID, "header name '%.*s' is malformed", STR(name));
    if (!http_is_field_value(value))
        return err_set(e, ERR_INVALID, "the value of header '%.*s' has control characters",
                       STR(name));
    /* curl: "Name;" sends an empty value, "Name:" would suppress the header. */
    *list = curl_slist_append(*list, value.n != 0
                                         ? arena_printf(a, "%.*s: %.*s", STR(name), STR(value)).p
                                         : arena_printf(a, "%.*s;", STR(name)).p);
    return true;
}

static bool add_configured(struct curl_handle *h, struct curl_slist **list,
                           const struct http_conf_header *v, size_t n, struct arena *a,
                           struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < v[i].n_values; k++)
            if (!add_line(list, v[i].name, v[i].values[k], a, e))
                return false;
        for (size_t k = 0; k < v[i].n_secrets; k++) {
            str value;

            if (!curl_setup_read(h, v[i].secrets[k], a, &value, e) ||
                !add_line(list, v[i].name, value, a, e))
                return false;
        }
    }
    return true;
}

static bool has_header(const struct curl_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->http.headers.n; i++)
        if (str_eq_nocase(rq->http.headers.v[i].name, str_of(name)))
            return true;
    return false;
}

/* What curl would add by itself and Go's client does not send. */
static void suppress(struct curl_handle *h, const struct curl_request *rq)
{
    static const char *const names[] = {"Accept", "Content-Type", "Expect"};
    char line[32];

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!has_header(rq, names[i])) {
            snprintf(line, sizeof(line), "%s:", names[i]);
            h->headers = curl_slist_append(h->headers, line);
        }
}

static bool curl_setup_goes_direct(const struct http_conf *c)
{
    return c == NULL || (c->proxy_url.n == 0 && !c->proxy_from_environment);
}

/* curl prints what it knows by an option twice, and a line of the list once. But a proxy that is asked to connect is told
 * the option alone. */
static bool say_user_agent(struct curl_handle *h, const struct curl_request *rq, struct arena *a,
                           struct err *e)
{
    if (!curl_setup_goes_direct(rq->conf)) {
        curl_easy_setopt(h->easy, CURLOPT_USERAGENT, arena_z(a, rq->user_agent));
        return true;
    }
    return has_header(rq, "User-Agent") ||
           add_line(&h->headers, S("User-Agent"), rq->user_agent, a, e);
}

static bool curl_setup_set_headers(struct curl_handle *h, const struct curl_request *rq,
                                   struct arena *a, struct err *e)
{
    const struct http_conf *c = rq->conf;

    if (!say_user_agent(h, rq, a, e))
        return false;
    for (size_t i = 0; i < rq->http.headers.n; i++)
        if (!add_line(&h->headers, rq->http.headers.v[i].name, rq->http.headers.v[i].value, a, e))
            return false;
    suppress(h, rq);
    if (c != NULL && !add_configured(h, &h->headers, c->headers, c->n_headers, a, e))
        return false;
    if (c != NULL && !add_configured(h, &h->proxy_headers, c->proxy_connect_headers,
                                     c->n_proxy_connect_headers, a, e))
        return false;
    return true;
}

/* -- who we are -- */

static bool set_authorization(struct curl_handle *h, str scheme, str credentials, struct arena *a,
                              struct err *e)
{
    str value = arena_printf(a, "%.*s %.*s", STR(scheme), STR(credentials));

    curl_made_with_add(&h->made_with, 'a', value);
    return add_line(&h->headers, S("Authorization"), value, a, e);
}

/* Some proxies and servers let in a connection, not a request: those of another user are not for us. */
static bool set_auth(struct curl_handle *h, const struct curl_request *rq, struct arena *a,
                     struct err *e)
{
    const struct http_conf *c = rq->conf;
    str name, password, value;

    if (c == NULL || has_header(rq, "Authorization")) { /* the request's own wins */
        curl_made_with_add(&h->made_with, 'a',
                           http_header_get(&rq->http.headers, S("Authorization")));
        return true;
    }
    if (c->has_basic_auth) {
        if (!curl_setup_read(h, c->username, a, &name, e) ||
            !curl_setup_read(h, c->password, a, &password, e))
            return false;
        curl_url_set(h->url, CURLUPART_USER, NULL, 0);
        curl_url_set(h->url, CURLUPART_PASSWORD, NULL, 0);
        curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(h->easy, CURLOPT_USERNAME, arena_z(a, name));
        curl_easy_setopt(h->easy, CURLOPT_PASSWORD, arena_z(a, password));
        curl_made_with_add(&h->made_with, 'u', name);
        curl_made_with_add(&h->made_with, 'w', password);
    } else if (c->has_authorization) {
        if (!curl_setup_read(h, c->credentials, a, &value, e))
            return false;
        return set_authorization(h, c->auth_type.n != 0 ? c->auth_type : S("Bearer"), value, a, e);
    } else if (rq->token.n != 0) {
        return set_authorization(h, S("Bearer"), rq->token, a, e);
    }
    return true;
}

/* -- TLS -- */

static bool set_blob(struct curl_handle *h, CURLoption option, char what, struct secret s,
                     struct arena *a, struct err *e)
{
    struct curl_blob blob = {.flags = CURL_BLOB_COPY};
    str text = STR_NONE;

    if (!secret_is_set(s))
        return true;
    h->reads_files |= s.file.n != 0;
    if (!(what == 'A' ? secret_read_certificates : secret_read)(s, a, &text, e))
        return false;
    blob.data = (void *)(uintptr_t)text.p;
    blob.len = text.n;
    curl_easy_setopt(h->easy, option, &blob);
    curl_made_with_add(&h->made_with, what, text);
    return true;
}

static long tls_versions(const struct tls_conf *t)
{
    static const long min[] = {[TLS_ANY] = CURL_SSLVERSION_TLSv1_2,
                               [TLS_10] = CURL_SSLVERSION_TLSv1_0,
                               [TLS_11] = CURL_SSLVERSION_TLSv1_1,
                               [TLS_12] = CURL_SSLVERSION_TLSv1_2,
                               [TLS_13] = CURL_SSLVERSION_TLSv1_3};
    static const long max[] = {[TLS_ANY] = CURL_SSLVERSION_MAX_DEFAULT,
                               [TLS_10] = CURL_SSLVERSION_MAX_TLSv1_0,
                               [TLS_11] = CURL_SSLVERSION_MAX_TLSv1_1,
                               [TLS_12] = CURL_SSLVERSION_MAX_TLSv1_2,
                               [TLS_13] = CURL_SSLVERSION_MAX_TLSv1_3};
    enum tls_version low =
        t->min_version; /* Go's default minimum is 1.2, unless the maximum is below */

    if (low == TLS_ANY && (t->max_version == TLS_10 || t->max_version == TLS_11))
        low = t->max_version;
    return min[low] | max[t->max_version];
}

static void show_host(struct curl_handle *h, const struct curl_request *rq, str host, str port,
                      struct arena *a)
{
    str line = port.n != 0 ? arena_printf(a, "Host: %.*s:%.*s", STR(host), STR(port))
                           : arena_printf(a, "Host: %.*s", STR(host));

    if (!has_header(rq, "Host"))
        h->headers = curl_slist_append(h->headers, line.p);
}

/* curl verifies the name in the URL. So the URL gets the name to verify, and the connection goes where it went. */
static bool set_server_name(struct curl_handle *h, const struct curl_request *rq, struct arena *a,
                            struct err *e)
{
    str name = rq->conf->tls.server_name, scheme = curl_setup_part(h->url, CURLUPART_SCHEME, 0, a);
    str host = curl_setup_part(h->url, CURLUPART_HOST, 0, a),
        port = curl_setup_part(h->url, CURLUPART_PORT, 0, a);
    str real = curl_setup_part(h->url, CURLUPART_PORT, CURLU_DEFAULT_PORT, a);

    if (name.n == 0 || str_is(scheme, "http"))
        return true;
    if (curl_url_set(h->url, CURLUPART_HOST, arena_z(a, name), 0) != CURLUE_OK)
        return err_set(e, ERR_INVALID, "server_name '%.*s' is not a host name", STR(name));
    h->connect_to = curl_slist_append(
        NULL, arena_printf(a, "%.*s:%.*s:%.*s:%.*s", STR(name), STR(real), STR(host), STR(real)).p);
    curl_easy_setopt(h->easy, CURLOPT_CONNECT_TO, h->connect_to);
    curl_made_with_add(&h->made_with, 'n', name);
    if (str_is(scheme, "https"))
        show_host(h, rq, host, port, a);
    return true;
}

bool curl_setup_tls(struct curl_handle *h, const struct curl_request *rq, struct arena *a,
                    struct err *e)
{
    static const struct tls_conf none;
    const struct tls_conf *t = rq->conf != NULL ? &rq->conf->tls : &none;
    struct secret ca = t->ca;

    if (rq->http.ca_file.n != 0)
        ca = (struct secret){.file = rq->http.ca_file};
    curl_easy_setopt(h->easy, CURLOPT_SSLVERSION, tls_versions(t));
    curl_easy_setopt(h->easy, CURLOPT_CERTINFO, 1l); /* the names, should they not match */
    if (rq->conf == NULL)
        return true;
    if (!set_blob(h, CURLOPT_CAINFO_BLOB, 'A', ca, a, e) ||
        !set_blob(h, CURLOPT_SSLCERT_BLOB, 'C', t->cert, a, e) ||
        !set_blob(h, CURLOPT_SSLKEY_BLOB, 'K', t->key, a, e))
        return false;
    h->has_certificate = secret_is_set(t->cert);
    if (t->min_version == TLS_10 || t->min_version == TLS_11)
        curl_easy_setopt(h->easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0"); /* asked for */
    curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, t->insecure_skip_verify ? 0l : 1l);
    curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, t->insecure_skip_verify ? 0l : 2l);
    curl_made_with_add(&h->made_with, 'i', t->insecure_skip_verify ? S("1") : STR_NONE);
    if (t->min_version != TLS_ANY || t->max_version != TLS_ANY)
        curl_made_with_add(&h->made_with, 'v',
                           arena_printf(a, "%d-%d", (int)t->min_version, (int)t->max_version));
    return set_server_name(h, rq, a, e);
}

/* Of a server that asked for a certificate there are algorithms that it could be signed with. */
static bool is_asked_for_certificate(const struct curl_handle *h)
{
    struct curl_tlssessioninfo *tls = NULL;

    return curl_easy_getinfo(h->easy, CURLINFO_TLS_SSL_PTR, &tls) == CURLE_OK && tls != NULL &&
           tls->backend == CURLSSLBACKEND_OPENSSL && tls->internals != NULL &&
           SSL_get_sigalgs(tls->internals, -1, NULL, NULL, NULL, NULL, NULL) > 0;
}

size_t curl_hear(char *line, size_t size, size_t n, void *handle)
{
    (void)line;
    ((struct curl_handle *)handle)->has_heard = true;
    return size * n;
}

/* The connection is there, before anything of a request is sent. When a connection that was kept is lost, curl goes on as
 * if it had been closed while idle: nothing was heard of the last request, and it begins the next. */
static int before_request(void *handle, char *ip, char *own_ip, int port, int own_port)
{
    struct curl_handle *h = handle;

    (void)ip, (void)own_ip, (void)port, (void)own_port;
    if (h->sends_once && h->has_asked && !h->has_heard)
        return CURL_PREREQFUNC_ABORT;
    h->was_asked = is_asked_for_certificate(h);
    h->has_asked = true;
    h->has_heard = h->goes_away = false;
    return CURL_PREREQFUNC_OK;
}

/* Nothing else tells of a GOAWAY: curl's verdict is that the connection was lost. */
static int overhear_goaway(CURL *easy, curl_infotype type, char *data, size_t n, void *handle)
{
    (void)easy;
    if (type == CURLINFO_TEXT && str_find_str((str){data, n}, S(" GOAWAY, ")) >= 0)
        ((struct curl_handle *)handle)->goes_away = true;
    return 0;
}

/* -- the way -- */

static void note_route(struct curl_handle *h, const struct http_conf *c)
{
    /* what most have is not written down, so that they need no digest */
    curl_made_with_add(&h->made_with, 'h', c != NULL && c->enable_http2 ? STR_NONE : S("1"));
    if (c == NULL)
        return;
    curl_made_with_add(&h->made_with, 'p', c->proxy_url);
    curl_made_with_add(&h->made_with, 'x', c->no_proxy);
    curl_made_with_add(&h->made_with, 'e', c->proxy_from_environment ? S("1") : STR_NONE);
    for (struct curl_slist *line = h->proxy_headers; line != NULL; line = line->next)
        curl_made_with_add(&h->made_with, 'c', str_of(line->data));
}

static void set_route(struct curl_handle *h, const struct http_conf *c, struct arena *a)
{
    note_route(h, c);
    if (curl_setup_goes_direct(c)) {
        curl_easy_setopt(h->easy, CURLOPT_NOPROXY, "*"); /* and the environment is not asked */
    } else if (c->proxy_url.n != 0) {
        curl_easy_setopt(h->easy, CURLOPT_PROXY, arena_z(a, c->proxy_url));
        curl_easy_setopt(h->easy, CURLOPT_NOPROXY, arena_z(a, c->no_proxy));
    }
    curl_easy_setopt(h->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    if (h->proxy_headers != NULL)
        curl_easy_setopt(h->easy, CURLOPT_PROXYHEADER, h->proxy_headers);
    curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, c != NULL && c->follow_redirects ? 1l : 0l);
    curl_easy_setopt(h->easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION,
                     c != NULL && c->enable_http2 ? (long)CURL_HTTP_VERSION_2TLS
                                                  : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h->easy, CURLOPT_MAXAGE_CONN, (long)CURL_IDLE_S);
    curl_easy_setopt(h->easy, CURLOPT_SSL_SESSIONID_CACHE,
                     0l); /* it would outlive a reset, and so its set */
    curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1l);
    curl_easy_setopt(h->easy, CURLOPT_QUICK_EXIT, 1l);
}

static bool is_safe(str method)
{
    return str_is(method, "GET") || str_is(method, "HEAD") || str_is(method, "OPTIONS");
}

static void set_body(struct curl_handle *h, str body)
{
    h->has_body = true;
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, body.n != 0 ? body.p : "");
}

static bool set_method(struct curl_handle *h, const struct http_request *rq, struct arena *a,
                       struct err *e)
{
    if (!http_is_token(rq->method))
        return err_set(e, ERR_INVALID, "method '%.*s' is malformed", STR(rq->method));
    if (str_is(rq->method, "HEAD")) {
        curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1l);
        return true;
    }
    if (str_is(rq->method, "GET") && rq->body.n == 0) {
        curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1l);
        return true;
    }
    if (rq->body.n != 0 || str_is(rq->method, "POST")) {
        curl_easy_setopt(h->easy, CURLOPT_POST, 1l);
        set_body(h, rq->body);
    }
    /* Only where it is needed: a custom method would survive a redirect that turns POST into GET. */
    if (!str_is(rq->method, "POST"))
        curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, arena_z(a, rq->method));
    return true;
}

bool curl_setup(struct curl_handle *h, const struct curl_request *rq, struct arena *a,
                struct err *e)
{
    struct curl_handle made = {.easy = h->easy != NULL ? h->easy : curl_easy_init(), .url = h->url};

    h->easy = NULL;
    h->url = NULL;
    BUG_ON(made.easy == NULL);
    if (!curl_setup_set_headers(&made, rq, a, e) || !set_auth(&made, rq, a, e) ||
        !curl_setup_tls(&made, rq, a, e) || !set_method(&made, &rq->http, a, e)) {
        curl_handle_release(&made);
        return err_wrap(e, "cannot send to '%.*s'", STR(rq->destination));
    }
    set_route(&made, rq->conf, a);
    curl_easy_setopt(made.easy, CURLOPT_HTTPHEADER, made.headers);
    curl_easy_setopt(made.easy, CURLOPT_CURLU, made.url);
    curl_easy_setopt(made.easy, CURLOPT_PATH_AS_IS, 1l);
    *h = made;
    if (rq->is_short)
        curl_easy_setopt(h->easy, CURLOPT_BUFFERSIZE, (long)SHORT_ANSWER);
    curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
    h->sends_once = !rq->only_asks && !is_safe(rq->http.method);
    curl_easy_setopt(h->easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(h->easy, CURLOPT_PREREQDATA, h);
    if (rq->conf != NULL && rq->conf->enable_http2 &&
        str_starts_with(rq->destination, S("https:"))) { /* what it overhears costs */
        curl_easy_setopt(h->easy, CURLOPT_DEBUGFUNCTION, overhear_goaway);
        curl_easy_setopt(h->easy, CURLOPT_DEBUGDATA, h);
        curl_easy_setopt(h->easy, CURLOPT_VERBOSE, 1l);
    }
    curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, curl_hear);
    curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
    curl_easy_setopt(h->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1l); /* a proxy's answer is none */
    return true;
}

void curl_setup_again(struct curl_handle *h, str body)
{
    h->was_asked = h->has_asked = h->has_heard = h->goes_away = false;
    h->error[0] = '\0';
    if (h->has_body)
        set_body(h, body);
}

void curl_handle_release(struct curl_handle *h)
{
    curl_easy_cleanup(h->easy);
    curl_url_cleanup(h->url);
    curl_slist_free_all(h->headers);
    curl_slist_free_all(h->proxy_headers);
    curl_slist_free_all(h->connect_to);
    curl_made_with_release(&h->made_with);
    *h = (struct curl_handle){.easy = NULL};
}
