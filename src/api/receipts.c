/* POST /receipts/TOKEN: a service says by itself how what it took before ended, as a call. Who knows the token is let in; where
 * the service signs what it posts, that is looked at, too. A post is read on a worker, and answered when what it changed is on the
 * disk, so that a service that has heard 200 need not say it again. Of what nobody waits for nothing is kept, and the answer is
 * the same. */
#include "api/api_priv.h"

#include "notify/receipts.h"
#include "os/log.h"

enum { RECEIPTS_UNDER_WAY = 64 };

struct receipts_whose {
    str receiver;
    const struct integration_conf *ic;
};

struct receipts_job {
    struct http_later later;
    struct api *api;
    struct config *conf; /* a reference */
    struct receipts_post post;
    VEC(struct receipts_whose) whose;
    struct receipts told;
    enum receipts_verdict verdict;
    struct err err;
};

static void receipts_job_free(struct http_later *l)
{
    struct receipts_job *j = container_of(l, struct receipts_job, later);

    config_unref(j->conf);
    vec_release(&j->whose);
    mem_free(j);
}

/* All of an account have one token, so what one reads all would. */
static void receipts_job_run(struct http_later *l)
{
    struct receipts_job *j = container_of(l, struct receipts_job, later);
    const struct config *c = j->conf;

    for (size_t i = 0; i < c->n_receivers; i++)
        for (size_t k = 0; k < c->receivers[i].n_integrations; k++)
            if (receipts_is_for(&c->receivers[i].integrations[k], &j->post, &l->arena))
                vec_push(&j->whose, (struct receipts_whose){c->receivers[i].name,
                                                            &c->receivers[i].integrations[k]});
    if (j->whose.n != 0)
        j->verdict = receipts_read(j->whose.v[0].ic, &j->post, &l->arena, &j->told, &j->err);
}

static void receipts_unknown(struct http_req *rq)
{
    http_reply(rq, 404, S("text/plain; charset=utf-8"), S("404 page not found\n"));
}

static void receipts_tell(struct receipts_job *j)
{
    VEC_EACH (const struct receipts_whose *, w, &j->whose) {
        struct event ev = {.kind = EVENT_RECEIPTS,
                           .receipts = {.receiver = w->receiver,
                                        .integration = str_of(w->ic->type->name),
                                        .index = w->ic->index,
                                        .v = j->told.v,
                                        .n = j->told.n}};

        shell_event(j->api->conf.shell, &ev, NULL);
    }
}

static void receipts_job_answer(struct http_later *l)
{
    struct receipts_job *j = container_of(l, struct receipts_job, later);
    struct http_req *rq = http_later_take(l);

    if (j->whose.n == 0) {
        receipts_unknown(rq);
        return;
    }
    if (j->verdict != RECEIPTS_READ) {
        log_warn("what a service says about its calls is not taken",
                 LOG_STR("receiver", j->whose.v[0].receiver), LOG_ERR(&j->err));
        http_reply(rq, j->verdict == RECEIPTS_REFUSED ? 403 : 400, S("text/plain; charset=utf-8"),
                   j->verdict == RECEIPTS_REFUSED ? S("not signed as it should be\n")
                                                  : S("cannot be read\n"));
        return;
    }
    receipts_tell(j);
    api_reply_after_commit(j->api, rq, 200, S("application/json"), j->told.reply);
}

static struct http_headers receipts_headers(struct arena *a, const struct http_req *rq)
{
    struct http_header *v = arena_array(a, rq->headers.n, sizeof(*v));

    for (size_t i = 0; i < rq->headers.n; i++)
        v[i] = (struct http_header){arena_str(a, rq->headers.v[i].name),
                                    arena_str(a, rq->headers.v[i].value)};
    return (struct http_headers){v, rq->headers.n};
}

void api_post_receipts(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct receipts_job *j;

    if (!receipts_is_token(rq->wildcard)) {
        receipts_unknown(rq);
        return;
    }
    if (a->laters.under_way[WORK_SLOW] >= RECEIPTS_UNDER_WAY) {
        http_reply(rq, 503, S("text/plain; charset=utf-8"), S("too many at once\n"));
        return;
    }
    j = mem_new(struct receipts_job);
    http_later_begin(&j->later, &a->laters, 0);
    j->api = a;
    j->conf = config_ref(config_of(a->engine->conf));
    j->post = (struct receipts_post){.headers = receipts_headers(&j->later.arena, rq),
                                     .body = arena_str(&j->later.arena, rq->body),
                                     .token = arena_str(&j->later.arena, rq->wildcard),
                                     .now = shell_clock(a->conf.shell)->now.wall};
    j->later.run = receipts_job_run;
    j->later.answer = receipts_job_answer;
    j->later.free = receipts_job_free;
    http_later_run(&j->later, rq, WORK_SLOW);
}
