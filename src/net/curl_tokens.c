/* Tokens of oauth2: one entry a class of work and distinct set of credentials, so that no page waits for what scrapes
 * wait for; fetched once for all who wait for it, kept until shortly before it expires or until a server refuses it. */
#include "base/mem.h"
#include "net/curl_transport.h"
#include "net/oauth2.h"

enum { TOKENS_MAX = 64 };

#define TOKEN_PATIENCE (30 * NS_PER_S)
#define TOKEN_EARLY    (10 * NS_PER_S) /* a token that is about to expire is not used any more */

void token_left(struct token *k)
{
    struct transfer *x = k->fetch;

    if (k->waiting.head != NULL || x == NULL)
        return;
    k->fetch = NULL; /* nobody wants it, and its configuration may go away */
    transfer_drop(x);
}

void token_refused(struct curl_transport *t, str value)
{
    for (struct token *k = t->tokens; k != NULL; k = k->next)
        if (str_eq(k->value, value))
            k->expires = 0;
}

static void token_give(struct token *k)
{
    struct transfer *x;

    while ((x = k->waiting.head) != NULL) {
        x->rq.token = arena_str(&x->memory, k->value);
        x->token = NULL;
        transfer_enqueue(x);
    }
}

static void token_fail(struct token *k, enum transport_failure failure, const struct err *e)
{
    struct transfer *x;

    while ((x = k->waiting.head) != NULL) {
        x->err = *e;
        x->token = NULL;
        transfer_fail_later(x, failure);
    }
}

static void token_fetch(struct token *k);

/* Borrowed from the configuration of somebody who waits, for one attempt. */
static void curl_tokens_adopt(struct token *k, const struct oauth2_conf *c)
{
    k->oauth2 = *c;
    k->conf = (struct http_conf){
        .tls = c->tls, .proxy_url = c->proxy_url, .follow_redirects = true, .enable_http2 = true};
}

static void on_token(void *arg, const struct transport_answer *a)
{
    struct token *k = arg;
    struct err e = a->err;
    uint64_t seconds = 0;
    ts_ns now = k->transport->clock->now.mono;

    k->fetch = NULL;
    if (a->failure != TRANSPORT_OK) {
        err_wrap(&e, "cannot get an oauth2 token");
        token_fail(k, a->failure, &e);
        return;
    }
    if (a->http.status / 100 != 2) {
        if (!k->in_body && a->http.status / 100 == 4) {
            k->in_body = true;
            curl_tokens_adopt(k, k->waiting.head->rq.conf->oauth2);
            token_fetch(k);
            return;
        }
        k->in_body = false;
        err_set(&e, ERR_IO, "cannot get an oauth2 token: the server answered status %d",
                a->http.status);
        token_fail(k, TRANSPORT_CONNECT, &e);
        return;
    }
    arena_reset(&k->scratch);
    if (!oauth2_answer(a->http.body, &k->scratch, &k->value, &seconds, &e)) {
        k->value = STR_NONE;
        err_wrap(&e, "cannot get an oauth2 token");
        token_fail(k, TRANSPORT_CONNECT, &e);
        return;
    }
    k->expires = TS_MAX;
    if (seconds != 0 && seconds < INT64_MAX / NS_PER_S / 2)
        k->expires = ts_add(now, (dur_ns)seconds * NS_PER_S - TOKEN_EARLY);
    token_give(k);
}

static void token_fetch(struct token *k)
{
    struct transport_request rq = {.conf = &k->conf, .class = k->class};
    struct err e = ERR_INIT;
    struct arena a;

    arena_init(&a, 0);
    rq.deadline = k->transport->clock->now.mono + TOKEN_PATIENCE;
    if (oauth2_request(&k->oauth2, k->in_body, &a, &rq.http, &e)) {
        k->fetch = curl_send(k->transport, &rq, on_token, k);
    } else {
        err_wrap(&e, "cannot get an oauth2 token");
        token_fail(k, TRANSPORT_CONFIG, &e);
    }
    arena_release(&a);
}

static void token_free(struct token *k)
{
    arena_release(&k->memory);
    arena_release(&k->scratch);
    mem_free(k);
}

/* Keeps the list short: a rotated secret leaves a token behind that nobody asks for again. */
static void tokens_trim(struct curl_transport *t)
{
    for (struct token **at = &t->tokens; *at != NULL && t->n_tokens > TOKENS_MAX;) {
        struct token *k = *at;

        if (k->next != NULL || k->waiting.head != NULL || k->fetch != NULL) {
            at = &k->next;
            continue;
        }
        *at = NULL; /* the oldest, at the end */
        token_free(k);
        t->n_tokens--;
    }
}

static struct token *token_get(struct curl_transport *t, enum work_class class,
                               const struct oauth2_conf *c, str key)
{
    struct token *k;

    for (k = t->tokens; k != NULL && !(k->class == class && str_eq(k->key, key));)
        k = k->next;
    if (k == NULL) {
        k = mem_new(struct token);
        k->transport = t;
        k->class = class;
        arena_init(&k->memory, 0);
        arena_init(&k->scratch, 0);
        k->key = arena_str(&k->memory, key);
        k->next = t->tokens;
        t->tokens = k;
        t->n_tokens++;
        tokens_trim(t);
    }
    if (k->fetch == NULL)
        curl_tokens_adopt(k, c);
    return k;
}

void token_ask(struct transfer *x)
{
    struct curl_transport *t = x->transport;
    struct token *k;
    str key;

    if (!oauth2_key(x->rq.conf->oauth2, &x->memory, &key, &x->err)) {
        transfer_fail_later(x, TRANSPORT_CONFIG);
        return;
    }
    k = token_get(t, x->class, x->rq.conf->oauth2, key);
    if (k->value.n != 0 && k->expires > t->clock->now.mono) {
        x->rq.token = arena_str(&x->memory, k->value);
        transfer_enqueue(x);
        return;
    }
    x->state = WAITING;
    x->token = k;
    transfer_list_add(&k->waiting, x);
    if (k->fetch == NULL)
        token_fetch(k);
}

void tokens_free(struct curl_transport *t)
{
    struct token *next;

    for (struct token *k = t->tokens; k != NULL; k = next) {
        next = k->next;
        token_free(k);
    }
    t->tokens = NULL;
}
