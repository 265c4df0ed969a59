/* The dialogue is overheard through curl's debug callback, as nothing else tells which recipient was refused or which
 * logins are offered. A mail is up to two performs: one to hear the offer, one to send. */
#include "net/curl_smtp.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include "base/mem.h"
#include "net/curl_verdict.h"
#include "net/http_conf.h"
#include "net/secret.h"

struct smtp_request *smtp_request_copy(const struct smtp_request *rq, struct arena *a)
{
    struct smtp_request *c = arena_new(a, struct smtp_request);
    str *to = arena_array(a, rq->n_to, sizeof(*to));

    *c = *rq;
    c->smarthost = arena_str(a, rq->smarthost);
    c->hello = arena_str(a, rq->hello);
    c->username = arena_str(a, rq->username);
    c->identity = arena_str(a, rq->identity);
    c->from = arena_str(a, rq->from);
    c->message = arena_str(a, rq->message);
    for (size_t i = 0; i < rq->n_to; i++)
        to[i] = arena_str(a, rq->to[i]);
    c->to = to;
    return c;
}

/* -- the dialogue, overheard -- */

/* One line of a reply: its first is kept whole, of the others the text. */
static void hear_reply(struct smtp_dialogue *d, str line)
{
    size_t used = d->in_reply ? strlen(d->reply) : 0;

    snprintf(d->reply + used, sizeof(d->reply) - used, "%s%.*s", used != 0 ? " " : "",
             STR(used != 0 ? str_sub(line, 4, line.n) : line));
    d->in_reply = line.p[3] == '-';
    if (!d->in_reply)
        d->status = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + line.p[2] - '0';
}

static bool is_reply(str line)
{
    for (size_t i = 0; i < 3; i++)
        if (line.n < 4 || line.p[i] < '0' || line.p[i] > '9')
            return false;
    return true;
}

static void heard(struct smtp_dialogue *d, str line)
{
    line = str_trim(line);
    if (line.n == 3)
        line = arena_printf(&d->arena, "%.*s ", STR(line)); /* a bare code */
    if (!is_reply(line) || d->is_leaving)
        return;
    if (str_starts_with(line, S("250")) && str_starts_with(str_sub(line, 4, line.n), S("AUTH ")))
        snprintf(d->offer, sizeof(d->offer), "%.*s", STR(str_sub(line, 9, line.n)));
    hear_reply(d, line);
    if (d->in_reply || !d->in_rcpt)
        return;
    d->in_rcpt = false;
    if (d->status >= 300 && d->asked <= d->rq->n_to)
        d->refused.v[d->refused.n++] =
            (struct http_header){d->rq->to[d->asked - 1], arena_str(&d->arena, str_of(d->reply))};
}

static void said(struct smtp_dialogue *d, str text)
{
    d->is_leaving |= str_starts_with(text, S("QUIT"));
    if (d->is_leaving)
        return;
    d->status = 0;
    d->in_rcpt = str_starts_with(text, S("RCPT TO:"));
    d->asked += d->in_rcpt;
    if (str_starts_with(text, S("EHLO")))
        d->offer[0] = '\0'; /* what was offered in clear counts no more */
}

static int overhear(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        said(arg, (str){p, n});
    else if (type == CURLINFO_HEADER_IN)
        heard(arg, (str){p, n});
    return 0;
}

static size_t feed(char *out, size_t size, size_t n, void *arg)
{
    struct smtp_dialogue *d = arg;
    size_t room = size * n, k = d->unread < room ? d->unread : room;

    memcpy(out, d->rq->message.p + d->rq->message.n - d->unread, k);
    d->unread -= k;
    return k;
}

/* Asked about once a second while curl waits. What the server says to QUIT is of no interest. */
static int curl_smtp_goes_on(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t e)
{
    struct smtp_dialogue *d = arg;

    (void)a, (void)b, (void)c, (void)e;
    return d->is_leaving || atomic_load(d->given_up);
}

/* -- the login -- */

/* The first that we have the password for, as Alertmanager picks; SMTP_LOGIN_ASK: none. */
static enum smtp_login choose(const struct smtp_dialogue *d, str offer)
{
    while (offer.n != 0) {
        str mechanism = str_cut(&offer, ' ');

        if (str_is(mechanism, "CRAM-MD5") && d->secret.n != 0)
            return SMTP_LOGIN_CRAM_MD5;
        if (str_is(mechanism, "PLAIN") && d->password.n != 0)
            return SMTP_LOGIN_PLAIN;
        if (str_is(mechanism, "LOGIN") && d->password.n != 0)
            return SMTP_LOGIN_LOGIN;
    }
    return SMTP_LOGIN_ASK;
}

static bool is_refused(const struct smtp_dialogue *d, enum smtp_login login)
{
    return login == SMTP_LOGIN_PLAIN && !smtp_is_covered(d->rq);
}

static void set_login(struct smtp_dialogue *d, enum smtp_login login)
{
    /* To ask: curl knows EXTERNAL, but not with a password, and so ends when the server offers any login. */
    static const char *const options[] = {"AUTH=EXTERNAL", "AUTH=CRAM-MD5", "AUTH=PLAIN",
                                          "AUTH=LOGIN"};
    str password = login == SMTP_LOGIN_ASK        ? S("none")
                   : login == SMTP_LOGIN_CRAM_MD5 ? d->secret
                                                  : d->password;
    CURL *easy = d->handle.easy;

    d->login = login;
    curl_easy_setopt(easy, CURLOPT_USERNAME, arena_z(&d->arena, d->rq->username));
    curl_easy_setopt(easy, CURLOPT_PASSWORD, arena_z(&d->arena, password));
    curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, options[login]);
    if (d->rq->identity.n != 0 && login == SMTP_LOGIN_PLAIN)
        curl_easy_setopt(easy, CURLOPT_SASL_AUTHZID, arena_z(&d->arena, d->rq->identity));
}

static bool read_login(struct smtp_dialogue *d, const struct smtp_request *rq, str offer,
                       struct err *e)
{
    enum smtp_login login;

    if (rq->username.n == 0)
        return true;
    if ((secret_is_set(rq->password) && !secret_read(rq->password, &d->arena, &d->password, e)) ||
        (secret_is_set(rq->secret) && !secret_read(rq->secret, &d->arena, &d->secret, e)))
        return false;
    d->password = arena_str(&d->arena, d->password); /* an inline one is the configuration's */
    d->secret = arena_str(&d->arena, d->secret);
    login = choose(d, offer);
    set_login(d, is_refused(d, login) ? SMTP_LOGIN_ASK : login);
    return true;
}

static void say_no_login(struct smtp_dialogue *d, struct err *e)
{
    bool plain = is_refused(d, choose(d, str_of(d->offer)));

    d->status = plain ? SMTP_NEEDS_TLS : SMTP_NO_LOGIN;
    if (plain)
        err_set(e, ERR_INVALID,
                "mail server '%.*s' offers AUTH %s, and PLAIN would send the password in clear: "
                "set require_tls",
                STR(d->rq->smarthost), d->offer);
    else
        err_set(e, ERR_INVALID,
                "mail server '%.*s' offers AUTH %s: CRAM-MD5 needs auth_secret, PLAIN and LOGIN "
                "need auth_password, others are not known",
                STR(d->rq->smarthost), d->offer);
}

/* -- setting up -- */

static void set_envelope(struct smtp_dialogue *d)
{
    struct curl_handle *h = &d->handle;
    struct arena *a = &d->arena;

    for (size_t i = 0; i < d->rq->n_to; i++)
        h->headers = curl_slist_append(h->headers, arena_printf(a, "<%.*s>", STR(d->rq->to[i])).p);
    curl_easy_setopt(h->easy, CURLOPT_MAIL_FROM, arena_printf(a, "<%.*s>", STR(d->rq->from)).p);
    curl_easy_setopt(h->easy, CURLOPT_MAIL_RCPT, h->headers); /* freed with the handle */
    curl_easy_setopt(h->easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1l);
    curl_easy_setopt(h->easy, CURLOPT_UPLOAD, 1l);
    curl_easy_setopt(h->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)d->rq->message.n);
    curl_easy_setopt(h->easy, CURLOPT_READFUNCTION, feed);
    curl_easy_setopt(h->easy, CURLOPT_READDATA, d);
}

static bool set_url(struct smtp_dialogue *d, struct err *e)
{
    struct curl_handle *h = &d->handle;
    /* the path of the URL is the name to greet with */
    str url = arena_printf(&d->arena, "%s://%.*s/%.*s", d->rq->implicit_tls ? "smtps" : "smtp",
                           STR(d->rq->smarthost), STR(d->rq->hello));

    h->url = curl_url();
    if (curl_url_set(h->url, CURLUPART_URL, url.p, 0) != CURLUE_OK)
        return err_set(e, ERR_INVALID, "the address is malformed");
    curl_easy_setopt(h->easy, CURLOPT_CURLU, h->url);
    return true;
}

static void set_way(struct smtp_dialogue *d, dur_ns within)
{
    CURL *easy = d->handle.easy;
    long ms = within / NS_PER_MS < INT32_MAX ? (long)(within / NS_PER_MS) : INT32_MAX;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     d->rq->require_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1l);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1l);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1l);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1l);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1l);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, overhear);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, d);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1l);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, curl_smtp_goes_on);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, d);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0l);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, d->handle.error);
}

bool curl_smtp_init(struct smtp_dialogue *d, const struct smtp_request *rq, str offer,
                    dur_ns within, struct err *e)
{
    struct curl_request tls = {.http = {.url = S("")}};
    struct http_conf conf = {.follow_redirects = false};

    arena_init(&d->arena, 0);
    d->rq = smtp_request_copy(rq, &d->arena);
    d->rq->tls = NULL;
    d->rq->password = d->rq->secret = (struct secret){.hidden = STR_NONE};
    d->handle.easy = curl_easy_init();
    BUG_ON(d->handle.easy == NULL);
    if (rq->tls != NULL)
        conf.tls = *rq->tls;
    tls.conf = &conf;
    d->refused.v = arena_array(&d->arena, 2 * rq->n_to, sizeof(*d->refused.v)); /* both tries */
    if (!set_url(d, e) || !curl_setup_tls(&d->handle, &tls, &d->arena, e) ||
        !read_login(d, rq, offer, e)) {
        curl_smtp_release(d);
        return err_wrap(e, "cannot send to '%.*s'", STR(rq->smarthost));
    }
    set_way(d, within);
    set_envelope(d);
    return true;
}

void curl_smtp_release(struct smtp_dialogue *d)
{
    if (d->password.n != 0)
        OPENSSL_cleanse((void *)(uintptr_t)d->password.p, d->password.n);
    if (d->secret.n != 0)
        OPENSSL_cleanse((void *)(uintptr_t)d->secret.p, d->secret.n);
    curl_handle_release(&d->handle);
    arena_release(&d->arena);
}

/* -- sending -- */

static CURLcode net_curl_smtp_perform(struct smtp_dialogue *d)
{
    d->unread = d->rq->message.n;
    d->asked = d->refused.n = 0;
    d->status = 0;
    d->in_rcpt = d->in_reply = d->is_leaving = false;
    return curl_easy_perform(d->handle.easy);
}

/* curl found no login that it may use, and none was tried. */
static bool lacks_login(const struct smtp_dialogue *d, CURLcode code)
{
    return code == CURLE_LOGIN_DENIED && d->status < 400 && d->offer[0] != '\0';
}

enum transport_failure curl_smtp_perform(struct smtp_dialogue *d, struct err *e)
{
    CURLcode code = net_curl_smtp_perform(d);

    if (lacks_login(d, code)) {
        enum smtp_login login = choose(d, str_of(d->offer));

        if (login != SMTP_LOGIN_ASK && !is_refused(d, login)) {
            set_login(d, login);
            code = net_curl_smtp_perform(d);
        }
    }
    if (code == CURLE_OK)
        return TRANSPORT_OK;
    if (lacks_login(d, code))
        say_no_login(d, e);
    else if (d->status >= 400)
        err_set(e, ERR_IO, "mail server '%.*s' answered: %s", STR(d->rq->smarthost), d->reply);
    else
        err_set(e, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_IO,
                "mail server '%.*s': %s", STR(d->rq->smarthost),
                curl_failure_reason(&d->handle, code, &d->arena));
    return curl_failure(&d->handle, code);
}
