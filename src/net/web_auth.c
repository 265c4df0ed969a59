#include "net/web_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "os/log.h"
#include "base/mem.h"
#include "os/random.h"
#include "codec/base64.h"

enum { DIGEST = 32, REMEMBERED = 64, WAITING_MAX = 64 };

struct web_auth_check {
    struct job job;
    struct web_auth *auth; /* NULL: it is gone */
    struct http_req *rq;   /* NULL: the client is gone */
    struct web_auth_check *next;
    char *hash, *password, *name;
    unsigned char digest[DIGEST];
    bool is_known; /* there is such a user */
    bool ok;
};

struct web_auth {
    struct pool *pool;
    struct refusals *count;
    unsigned char key[DIGEST];
    unsigned char right[REMEMBERED][DIGEST]; /* zeroes: none */
    size_t at;                               /* the one that gives way next */
    struct web_auth_check *running, *first, **last;
    size_t waiting;
};

struct web_auth *web_auth_new(struct pool *pool, struct refusals *count)
{
    struct web_auth *w = mem_new(struct web_auth);

    w->pool = pool;
    w->count = count;
    w->last = &w->first;
    random_bytes(w->key, sizeof(w->key));
    return w;
}

static void check_free(struct web_auth_check *c)
{
    OPENSSL_cleanse(c->password, strlen(c->password));
    mem_free(c->password);
    mem_free(c->hash);
    mem_free(c->name);
    mem_free(c);
}

void web_auth_free(struct web_auth *w)
{
    if (w == NULL)
        return;
    if (w->running != NULL)
        w->running->auth = NULL;
    for (struct web_auth_check *c = w->first, *next; c != NULL; c = next) {
        next = c->next;
        check_free(c);
    }
    OPENSSL_cleanse(w, sizeof(*w));
    mem_free(w);
}

/* -- who is refused -- */

static const char *const refusal_texts[REFUSALS] = {[REFUSED_NO_CREDENTIALS] = "no_credentials",
                                                    [REFUSED_PASSWORD] = "password",
                                                    [REFUSED_TOKEN] = "token",
                                                    [REFUSED_SCOPE] = "scope"};

const char *refusal_text(enum refusal why)
{
    return refusal_texts[why];
}

void refusal_note(struct refusals *count, const struct http_req *rq, enum refusal why, str name)
{
    struct buf address = BUF_INIT;

    count->n[why]++;
    if (why == REFUSED_NO_CREDENTIALS)
        return;
    http_peer(rq, &address);
    log_warn("request refused", LOG_Z("reason", refusal_texts[why]), LOG_STR("name", name),
             LOG_STR("address", buf_str(&address)),
             LOG_Z("route", rq->route != NULL ? rq->route->path : "other"));
    buf_release(&address);
}

/* By what it shows. */
static enum refusal why_refused(const struct http_req *rq)
{
    str value = http_header_get(&rq->headers, S("Authorization"));

    if (value.n == 0)
        return REFUSED_NO_CREDENTIALS;
    return str_eq_nocase(str_cut(&value, ' '), S("Basic")) ? REFUSED_PASSWORD : REFUSED_TOKEN;
}

void web_auth_refuse(struct refusals *count, struct http_req *rq, const char *scheme, str name)
{
    refusal_note(count, rq, why_refused(rq), name);
    http_reply_header(rq, S("WWW-Authenticate"), str_of(scheme));
    http_reply(rq, 401, S("text/plain; charset=utf-8"), S("Unauthorized\n"));
}

/* -- remembered pairs -- */

static void web_auth_digest_of(const struct web_auth *w, str user, str hash, str password,
                               unsigned char *out)
{
    struct buf b = BUF_INIT;
    unsigned n = 0;

    buf_add(&b, user);
    buf_addc(&b, '\0');
    buf_add(&b, hash);
    buf_addc(&b, '\0');
    buf_add(&b, password);
    BUG_ON(HMAC(EVP_sha256(), w->key, sizeof(w->key), (const unsigned char *)b.p, b.n, out, &n) ==
           NULL);
    OPENSSL_cleanse(b.p, b.n);
    buf_release(&b);
}

/* Looks at all of them, so that the time taken says nothing. */
static bool is_remembered(const struct web_auth *w, const unsigned char *digest)
{
    bool found = false;

    for (size_t i = 0; i < REMEMBERED; i++)
        found |= CRYPTO_memcmp(w->right[i], digest, DIGEST) == 0;
    return found;
}

static void remember(struct web_auth *w, const unsigned char *digest)
{
    memcpy(w->right[w->at], digest, DIGEST);
    w->at = (w->at + 1) % REMEMBERED;
}

/* -- checks -- */

static void check_run(struct job *j)
{
    struct web_auth_check *c = container_of(j, struct web_auth_check, job);
    struct crypt_data *data = mem_new(struct crypt_data);
    const char *made = crypt_r(c->password, c->hash, data);

    c->ok = made != NULL && strlen(made) == strlen(c->hash) &&
            CRYPTO_memcmp(made, c->hash, strlen(c->hash)) == 0 && c->is_known;
    OPENSSL_cleanse(data, sizeof(*data));
    mem_free(data);
}

static struct web_auth_check *take_first(struct web_auth *w)
{
    struct web_auth_check *c = w->first;

    if (c == NULL)
        return NULL;
    w->first = c->next;
    if (w->first == NULL)
        w->last = &w->first;
    w->waiting--;
    return c;
}

/* Nobody waits for the password of a client that has gone. */
static void run_next(struct web_auth *w)
{
    struct web_auth_check *c;

    if (w->running != NULL)
        return;
    while ((c = take_first(w)) != NULL && c->rq == NULL)
        check_free(c);
    if (c == NULL)
        return;
    w->running = c;
    pool_run(w->pool, WORK_SLOW, &c->job);
}

static void check_done(struct job *j)
{
    struct web_auth_check *c = container_of(j, struct web_auth_check, job);
    struct web_auth *w = c->auth;

    if (w != NULL) {
        w->running = NULL;
        if (c->ok)
            remember(w, c->digest);
        if (c->rq != NULL && c->ok) {
            http_admit(c->rq);
        } else if (c->rq != NULL) {
            c->rq->on_gone = NULL;
            web_auth_refuse(w->count, c->rq, "Basic", str_of(c->name));
        }
        run_next(w);
    }
    check_free(c);
}

static void check_gone(struct http_req *rq, void *ctx)
{
    (void)rq;
    ((struct web_auth_check *)ctx)->rq = NULL;
}

/* Name and password of the Authorization header; false without one of that kind. */
static bool read_basic(struct http_req *rq, str *user, str *password)
{
    str value = http_header_get(&rq->headers, S("Authorization")), scheme = str_cut(&value, ' ');
    struct buf b = BUF_INIT;
    bool ok = str_eq_nocase(scheme, S("Basic")) && base64_decode(&b, str_trim(value), BASE64_STD) &&
              str_find(buf_str(&b), ':') >= 0 && memchr(b.p, '\0', b.n) == NULL;

    if (ok) {
        *password = arena_str(&rq->arena, buf_str(&b));
        *user = str_cut(password, ':');
    }
    if (b.n != 0)
        OPENSSL_cleanse(b.p, b.n);
    buf_release(&b);
    return ok;
}

bool web_auth_admit(struct web_auth *w, struct http_req *rq, const struct conf_map *users)
{
    const struct conf_pair *known = NULL;
    unsigned char digest[DIGEST];
    str user, password;
    struct web_auth_check *c;

    if (!read_basic(rq, &user, &password)) {
        web_auth_refuse(w->count, rq, "Basic", STR_NONE);
        return false;
    }
    for (size_t i = 0; i < users->n; i++)
        if (str_eq(users->v[i].name, user))
            known = &users->v[i];
    web_auth_digest_of(w, user, known != NULL ? known->value : STR_NONE, password, digest);
    if (is_remembered(w, digest))
        return true;
    if (w->waiting == WAITING_MAX) {
        http_reply(rq, 429, S("text/plain; charset=utf-8"), S("Too many passwords to check\n"));
        return false;
    }
    c = mem_new(struct web_auth_check);
    *c = (struct web_auth_check){.job = {.run = check_run, .done = check_done},
                                 .auth = w,
                                 .rq = rq,
                                 .hash = mem_zdup(known != NULL ? known->value : users->v[0].value),
                                 .password = mem_zdup(password),
                                 .name = mem_zdup(known != NULL ? known->name : STR_NONE),
                                 .is_known = known != NULL};
    memcpy(c->digest, digest, DIGEST);
    rq->ctx = c;
    rq->on_gone = check_gone;
    *w->last = c;
    w->last = &c->next;
    w->waiting++;
    run_next(w);
    return false;
}
