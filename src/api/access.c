#include "api/access.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "os/log.h"
#include "base/mem.h"
#include "os/random.h"
#include "codec/quote.h"
#include "net/cidr.h"
#include "net/secret.h"

enum { DIGEST = 32 };

struct access {
    struct refusals *count;
    unsigned char key[DIGEST];
    struct config *conf;              /* whose tokens these are; one reference */
    unsigned char (*digests)[DIGEST]; /* parallel to conf->web.tokens; zeroes: unreadable */
};

struct access *access_new(struct refusals *count)
{
    struct access *x = mem_new(struct access);

    x->count = count;
    random_bytes(x->key, sizeof(x->key));
    return x;
}

void access_free(struct access *x)
{
    if (x == NULL)
        return;
    config_unref(x->conf);
    mem_free(x->digests);
    mem_free(x);
}

static void access_digest_of(const struct access *x, str token, unsigned char *out)
{
    unsigned n = 0;

    BUG_ON(HMAC(EVP_sha256(), x->key, DIGEST, (const unsigned char *)token.p, token.n, out, &n) ==
           NULL);
}

/* Tokens are read when a configuration is first asked about. */
static void access_use(struct access *x, struct config *conf)
{
    const struct token_conf *v = conf->web.tokens.v;
    struct arena a;

    if (x->conf == conf)
        return;
    config_unref(x->conf);
    x->conf = config_ref(conf);
    mem_free(x->digests);
    x->digests = mem_array(conf->web.tokens.n, sizeof(*x->digests));
    arena_init(&a, 0);
    for (size_t i = 0; i < conf->web.tokens.n; i++) {
        struct err e = ERR_INIT;
        str token = STR_NONE;

        if (secret_read(v[i].token, &a, &token, &e) && token.n != 0)
            access_digest_of(x, token, x->digests[i]);
        else
            log_error("a token cannot be read, nobody has it", LOG_STR("name", v[i].name),
                      LOG_ERR(&e));
    }
    arena_release(&a);
}

static bool has_bearer(const struct http_req *rq, str *token)
{
    str value = http_header_get(&rq->headers, S("Authorization")), scheme = str_cut(&value, ' ');

    *token = str_trim(value);
    return str_eq_nocase(scheme, S("Bearer")) && token->n != 0;
}

/* The header of that name, if it stands there once; *twice: it does several times. */
static str access_header(const struct http_req *rq, str name, bool *twice)
{
    str found = STR_NONE;
    size_t n = 0;

    for (size_t i = 0; i < rq->headers.n; i++)
        if (str_eq_nocase(rq->headers.v[i].name, name)) {
            found = rq->headers.v[i].value;
            n++;
        }
    *twice = n > 1;
    return n == 1 ? str_trim(found) : STR_NONE;
}

static bool access_trusts(const struct proxy_auth_conf *p, const struct http_req *rq)
{
    struct buf peer = BUF_INIT;
    bool trusted = false;

    http_peer(rq, &peer);
    for (size_t i = 0; i < p->trusted.n; i++)
        trusted |= cidr_has(p->trusted.v[i], buf_str(&peer));
    buf_release(&peer);
    return trusted;
}

/* Who it is by the word of a proxy: as a token's holder, in the request's memory; NULL: none says so. *twice: it says two
 * things, one of which may be the client's own. */
static const struct token_conf *access_proxied(const struct config *conf, struct http_req *rq,
                                               bool *twice)
{
    const struct proxy_auth_conf *p = &conf->web.proxy_auth;
    struct token_conf *t;
    str name;

    *twice = false;
    if (p->user_header.n == 0 || !access_trusts(p, rq))
        return NULL;
    name = access_header(rq, p->user_header, twice);
    if (name.n == 0)
        return NULL;
    t = arena_new(&rq->arena, struct token_conf);
    t->name = name;
    t->scope = p->scope;
    return t;
}

/* Whose token rq shows; NULL: nobody's. */
static const struct token_conf *access_token(const struct access *x, const struct http_req *rq)
{
    const struct token_conf *found = NULL;
    unsigned char digest[DIGEST];
    str token;

    if (!has_bearer(rq, &token))
        return NULL;
    access_digest_of(x, token, digest);
    for (size_t i = 0; i < x->conf->web.tokens.n; i++)
        if (CRYPTO_memcmp(x->digests[i], digest, DIGEST) == 0)
            found = &x->conf->web.tokens.v[i];
    return found;
}

/* Who he is: by his token, else by a proxy's word. NULL: nobody knows. */
static const struct token_conf *access_find(struct access *x, struct config *conf,
                                            struct http_req *rq)
{
    const struct token_conf *t = NULL;
    bool twice;

    if (conf->web.tokens.n != 0) {
        access_use(x, conf);
        t = access_token(x, rq);
    }
    return t != NULL ? t : access_proxied(conf, rq, &twice);
}

static bool forbid(struct access *x, struct http_req *rq, const struct token_conf *t,
                   const char *what)
{
    struct buf text = BUF_INIT, b = BUF_INIT;

    refusal_note(x->count, rq, REFUSED_SCOPE, t->name);
    buf_addf(&text, "%s \"%.*s\" may not %s", secret_is_set(t->token) ? "token" : "user",
             STR(t->name), what);
    quote_json(&b, buf_str(&text), true);
    buf_addc(&b, '\n');
    http_reply(rq, 403, S("application/json"), buf_str(&b));
    buf_release(&text);
    buf_release(&b);
    return false;
}

/* A scope that lets in to one thing lets read, too; but who may post alerts may do nothing else. */
static bool within_scope(struct access *x, struct http_req *rq, const struct token_conf *t)
{
    static const char *const scopes[] = {
        [ACCESS_SILENCE] = "silence", [ACCESS_PUSH] = "push", [ACCESS_ALERTS] = "alerts"};
    bool is_poster = str_is(t->scope, scopes[ACCESS_ALERTS]);
    bool reads = rq->method == HTTP_GET || rq->method == HTTP_OPTIONS || rq->route == NULL;
    int need = reads ? ACCESS_READ : rq->route->need;

    if ((need == ACCESS_READ && !is_poster) || str_is(t->scope, "admin") ||
        (need != ACCESS_READ && need != ACCESS_CHANGE && str_is(t->scope, scopes[need])))
        return true;
    return forbid(x, rq, t, is_poster ? "do anything but post alerts" : "change this");
}

/* The page asks for a name and password itself: the browser's own question would stand in its way. */
static bool asks_by_form(const struct http_req *rq)
{
    return http_header_get(&rq->headers, S("X-Tocsin-Page")).n != 0 &&
           http_header_get(&rq->headers, S("Authorization")).n == 0;
}

bool access_admit(struct access *x, struct config *conf, struct web *web, struct http_req *rq)
{
    const struct token_conf *t;
    bool twice;
    str token;

    if (web != NULL && !web_enter(web, rq))
        return false;
    if (rq->route != NULL && rq->route->need == ACCESS_ADDRESS)
        return true;
    (void)access_proxied(conf, rq, &twice);
    if (twice) {
        web_auth_refuse(x->count, rq, "Bearer", STR_NONE);
        return false;
    }
    t = access_find(x, conf, rq);
    if (conf->web.tokens.n == 0 && t == NULL)
        return web == NULL || web_admit(web, rq);
    if (rq->route != NULL && rq->route->need == ACCESS_PAGE)
        return true;
    if (t != NULL)
        return within_scope(x, rq, t);
    if (web != NULL && web_has_users(web) && !has_bearer(rq, &token) && !asks_by_form(rq))
        return web_admit(web, rq);
    web_auth_refuse(x->count, rq, "Bearer", STR_NONE);
    return false;
}

/* Whether everything that set matches is matched by m: it has m itself, or a value that m matches. */
static bool set_is_within(const struct matchers *set, const struct matcher *m)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct matcher *own = &set->v[i];

        if (!str_eq(own->name, m->name))
            continue;
        if ((own->op == m->op && str_eq(own->value, m->value)) ||
            (own->op == MATCH_EQ && matcher_matches(m, own->value)))
            return true;
    }
    return false;
}

void access_who(struct access *x, struct config *conf, struct http_req *rq,
                struct access_person *out)
{
    const struct proxy_auth_conf *p = &conf->web.proxy_auth;
    const struct token_conf *t = access_find(x, conf, rq);
    bool twice;

    *out = (struct access_person){.scope = S("admin")};
    if (t == NULL)
        return;
    out->name = t->name;
    out->scope = t->scope;
    if (p->groups_header.n != 0 && access_trusts(p, rq))
        out->groups = access_header(rq, p->groups_header, &twice);
}

bool access_may_silence(struct access *x, struct config *conf, struct http_req *rq,
                        const struct silence *s)
{
    const struct token_conf *t;

    t = access_find(x, conf, rq);
    for (size_t i = 0; t != NULL && i < t->matchers.n; i++)
        for (size_t k = 0; k < s->n_sets; k++)
            if (!set_is_within(&s->sets[k], &t->matchers.v[i]))
                return forbid(x, rq, t, "silence beyond its matchers");
    return true;
}

void access_sign(struct access *x, struct config *conf, struct http_req *rq, struct silence *s)
{
    const struct token_conf *t = access_find(x, conf, rq);
    struct label given = {S("createdBy"), s->created_by};

    if (t == NULL || str_eq(s->created_by, t->name))
        return;
    s->created_by = arena_str(&s->arena, t->name);
    if (given.value.n != 0)
        s->annotations = labels_merge(&s->arena, s->annotations, (struct labels){&given, 1});
}
