#include "net/web.h"

#include <openssl/ssl.h>
#include <sys/stat.h>
#include "os/log.h"
#include "base/mem.h"
#include "net/web_auth.h"
#include "net/web_conf.h"
#include "net/web_tls.h"

/* How a file was when it was read. */
struct stamp {
    str path; /* arena; empty = none */
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

enum { STAMP_FILE, STAMP_CERT, STAMP_KEY, STAMP_CA, STAMPS };

struct web_state {
    struct arena arena;
    struct web_conf conf;
    struct stamp stamps[STAMPS];
};

struct web {
    struct http_server *server;
    struct clock *clock;
    struct web_auth *auth;
    str path;
    struct web_state *state;      /* in force */
    struct stamp refused[STAMPS]; /* of the last change that was no good: it is told once */
    struct arena refused_arena;
    struct timer look;
    double credit; /* requests that may come now */
    ts_ns credit_at;
};

/* -- files -- */

static void web_look_at(struct stamp *s, str path, struct arena *a)
{
    struct stat st;

    *s = (struct stamp){.path = path.n != 0 ? arena_str(a, path) : STR_NONE};
    if (path.n == 0 || stat(s->path.p, &st) != 0)
        return;
    s->dev = st.st_dev;
    s->ino = st.st_ino;
    s->size = st.st_size;
    s->changed = st.st_mtim;
}

static bool web_has_changed(const struct stamp *old, struct arena *scratch)
{
    for (size_t i = 0; i < STAMPS; i++) {
        struct stamp now;

        web_look_at(&now, old[i].path, scratch);
        if (now.dev != old[i].dev || now.ino != old[i].ino || now.size != old[i].size ||
            now.changed.tv_sec != old[i].changed.tv_sec ||
            now.changed.tv_nsec != old[i].changed.tv_nsec)
            return true;
    }
    return false;
}

static void state_free(struct web_state *st)
{
    if (st == NULL)
        return;
    arena_release(&st->arena);
    mem_free(st);
}

/* Stamps are taken before the reading: a change in between is seen at the next look. */
static bool read_state(struct web *w, struct web_state *st, struct diags *d, struct err *e)
{
    struct ssl_ctx_st *tls = NULL;

    arena_init(&st->arena, 0);
    web_look_at(&st->stamps[STAMP_FILE], w->path, &st->arena);
    if (!web_conf_load(w->path, &st->arena, &st->conf, d, e))
        return false;
    if (st->conf.tls != NULL) {
        web_look_at(&st->stamps[STAMP_CERT], st->conf.tls->cert.file, &st->arena);
        web_look_at(&st->stamps[STAMP_KEY], st->conf.tls->key.file, &st->arena);
        web_look_at(&st->stamps[STAMP_CA], st->conf.tls->client_ca.file, &st->arena);
        tls = web_tls_new(st->conf.tls, e);
        if (tls == NULL)
            return err_wrap(e, "%.*s", STR(w->path));
    }
    http_server_set_tls(w->server, tls);
    SSL_CTX_free(tls);
    return true;
}

static bool web_load(struct web *w, struct diags *d, struct err *e)
{
    struct web_state *st = mem_new(struct web_state);

    if (read_state(w, st, d, e)) {
        state_free(w->state);
        w->state = st;
        w->credit = (double)st->conf.rate_limit.burst;
        w->credit_at = w->clock->now.mono;
        arena_reset(&w->refused_arena);
        memset(w->refused, 0, sizeof(w->refused));
        return true;
    }
    arena_reset(&w->refused_arena);
    for (size_t i = 0; i < STAMPS; i++) {
        w->refused[i] = st->stamps[i];
        w->refused[i].path = arena_str(&w->refused_arena, st->stamps[i].path);
    }
    state_free(st);
    return false;
}

static void on_look(struct timer *t, struct now now)
{
    struct web *w = container_of(t, struct web, look);
    const struct stamp *last = w->refused[STAMP_FILE].path.n != 0 ? w->refused : w->state->stamps;
    struct err e = ERR_INIT;
    struct arena scratch;
    struct diags d;

    timer_arm(w->clock, t, ts_add(now.mono, NS_PER_S));
    arena_init(&scratch, 0);
    diags_init(&d);
    if (web_has_changed(last, &scratch)) {
        if (web_load(w, &d, &e))
            log_info("web configuration read again", LOG_STR("file", w->path));
        else
            log_error("web configuration refused, the old one stays", LOG_ERR(&e));
        for (size_t i = 0; i < d.n; i++)
            log_error("web configuration", LOG_STR("file", d.v[i].place.file),
                      LOG_I64("line", d.v[i].place.line), LOG_STR("problem", d.v[i].message));
    }
    diags_release(&d);
    arena_release(&scratch);
}

/* -- life -- */

struct web *web_new(str path, struct http_server *server, struct clock *clock, struct pool *pool,
                    struct refusals *count, struct diags *d, struct err *e)
{
    struct web *w = mem_new(struct web);

    w->server = server;
    w->clock = clock;
    w->path = mem_str_dup(path);
    w->auth = web_auth_new(pool, count);
    arena_init(&w->refused_arena, 0);
    if (!web_load(w, d, e)) {
        web_free(w);
        return NULL;
    }
    w->look.fire = on_look;
    timer_arm(clock, &w->look, ts_add(clock->now.mono, NS_PER_S));
    return w;
}

void web_free(struct web *w)
{
    if (w == NULL)
        return;
    timer_cancel(w->clock, &w->look);
    web_auth_free(w->auth);
    state_free(w->state);
    arena_release(&w->refused_arena);
    mem_str_free(w->path);
    mem_free(w);
}

/* -- requests -- */

/* A bucket that fills by one an interval, up to burst. */
static bool take_credit(struct web *w)
{
    const struct web_rate_conf *r = &w->state->conf.rate_limit;
    ts_ns now = w->clock->now.mono;

    if (r->interval == 0)
        return true;
    w->credit += (double)(now - w->credit_at) / (double)r->interval;
    w->credit_at = now;
    if (w->credit > (double)r->burst)
        w->credit = (double)r->burst;
    if (w->credit < 1)
        return false;
    w->credit -= 1;
    return true;
}

bool web_enter(struct web *w, struct http_req *rq)
{
    const struct conf_map *headers = &w->state->conf.http.headers;

    for (size_t i = 0; i < headers->n; i++)
        http_reply_header(rq, headers->v[i].name, headers->v[i].value);
    if (take_credit(w))
        return true;
    http_reply(rq, 429, S("text/plain; charset=utf-8"), S("Too Many Requests\n"));
    return false;
}

bool web_has_users(const struct web *w)
{
    return w->state->conf.basic_auth_users.n != 0;
}

bool web_admit(struct web *w, struct http_req *rq)
{
    return !web_has_users(w) || web_auth_admit(w->auth, rq, &w->state->conf.basic_auth_users);
}
