#include "net/curl_smtp.h"

#include <stdio.h>
#include "base/buf.h"
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

static void heard(struct smtp_dialogue *d, str line)
{
    struct http_header *v = d->refused.v;

    line = str_trim(line);
    snprintf(d->last, sizeof(d->last), "%.*s", STR(line));
    if (!d->in_rcpt || line.n < 4 || line.p[3] == '-')
        return;
    d->in_rcpt = false;
    if (line.p[0] != '2' && d->asked != 0 && d->asked <= d->rq->n_to)
        v[d->refused.n++] =
            (struct http_header){d->rq->to[d->asked - 1], arena_str(d->arena, line)};
}

static int overhear(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
    struct smtp_dialogue *d = arg;
    str text = {p, n};

    (void)easy;
    if (type == CURLINFO_HEADER_OUT) {
        d->in_rcpt = str_starts_with(text, S("RCPT TO:"));
        d->asked += d->in_rcpt;
    } else if (type == CURLINFO_HEADER_IN) {
        heard(d, text);
    }
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

/* -- setting up -- */

static const char *z(struct arena *a, str s)
{
    return arena_str(a, s).p;
}

static bool is_local(str smarthost)
{
    return str_starts_with(smarthost, S("localhost:")) ||
           str_starts_with(smarthost, S("127.0.0.1:")) || str_starts_with(smarthost, S("[::1]:"));
}

static bool set_auth(CURL *easy, struct smtp_dialogue *d, struct err *e)
{
    const struct smtp_request *rq = d->rq;
    bool cram = secret_is_set(rq->secret), plain = secret_is_set(rq->password);
    bool covered = rq->implicit_tls || rq->require_tls || is_local(rq->smarthost);
    str password;

    if (rq->username.n == 0 || (!cram && !plain))
        return true;
    if (!cram && !covered)
        return err_set(e, ERR_INVALID, "a password is not sent without TLS: set require_tls");
    if (!secret_read(cram ? rq->secret : rq->password, d->arena, &password, e))
        return false;
    curl_easy_setopt(easy, CURLOPT_USERNAME, z(d->arena, rq->username));
    curl_easy_setopt(easy, CURLOPT_PASSWORD, z(d->arena, password));
    curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, cram ? "AUTH=CRAM-MD5" : "AUTH=PLAIN;AUTH=LOGIN");
    if (rq->identity.n != 0)
        curl_easy_setopt(easy, CURLOPT_SASL_AUTHZID, z(d->arena, rq->identity));
    return true;
}

static void set_envelope(struct curl_handle *h, struct smtp_dialogue *d)
{
    struct curl_slist *to = NULL;
    struct arena *a = d->arena;

    for (size_t i = 0; i < d->rq->n_to; i++)
        to = curl_slist_append(to, arena_printf(a, "<%.*s>", STR(d->rq->to[i])).p);
    h->headers = to; /* freed with the handle */
    curl_easy_setopt(h->easy, CURLOPT_MAIL_FROM, arena_printf(a, "<%.*s>", STR(d->rq->from)).p);
    curl_easy_setopt(h->easy, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(h->easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1l);
    curl_easy_setopt(h->easy, CURLOPT_UPLOAD, 1l);
    curl_easy_setopt(h->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)d->rq->message.n);
    curl_easy_setopt(h->easy, CURLOPT_READFUNCTION, feed);
    curl_easy_setopt(h->easy, CURLOPT_READDATA, d);
}

bool curl_smtp_setup(struct curl_handle *h, struct smtp_dialogue *d, struct err *e)
{
    const struct smtp_request *rq = d->rq;
    struct curl_handle made = {.easy = curl_easy_init()};
    struct curl_request tls = {.http = {.url = S("")}};
    struct http_conf conf = {.follow_redirects = false};

    if (rq->tls != NULL)
        conf.tls = *rq->tls;
    tls.conf = &conf;
    d->unread = rq->message.n;
    d->refused.v = arena_array(d->arena, rq->n_to, sizeof(*d->refused.v));
    if (!curl_setup_tls(&made, &tls, d->arena, e) || !set_auth(made.easy, d, e)) {
        curl_handle_release(&made);
        return err_wrap(e, "cannot send to '%.*s'", STR(rq->smarthost));
    }
    /* the path of the URL is the name to greet with */
    curl_easy_setopt(made.easy, CURLOPT_URL,
                     arena_printf(d->arena, "%s://%.*s/%.*s", rq->implicit_tls ? "smtps" : "smtp",
                                  STR(rq->smarthost), STR(rq->hello))
                         .p);
    curl_easy_setopt(made.easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(made.easy, CURLOPT_USE_SSL,
                     rq->require_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
    curl_easy_setopt(made.easy, CURLOPT_NOSIGNAL, 1l);
    curl_easy_setopt(made.easy, CURLOPT_QUICK_EXIT, 1l);
    curl_easy_setopt(made.easy, CURLOPT_PROXY, "");
    curl_easy_setopt(made.easy, CURLOPT_DEBUGFUNCTION, overhear);
    curl_easy_setopt(made.easy, CURLOPT_DEBUGDATA, d);
    curl_easy_setopt(made.easy, CURLOPT_VERBOSE, 1l);
    set_envelope(&made, d);
    *h = made;
    curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
    return true;
}

void curl_smtp_failure_text(const struct smtp_dialogue *d, long status, CURLcode code,
                            struct err *e)
{
    if (status >= 400 && d->last[0] != '\0')
        err_set(e, ERR_IO, "mail server '%.*s' answered: %s", STR(d->rq->smarthost), d->last);
    else
        err_set(e, ERR_IO, "mail server '%.*s': %s", STR(d->rq->smarthost),
                curl_easy_strerror(code));
}
