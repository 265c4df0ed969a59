/* A query that a source answers: the one that it names, or the only one that there is, where our own store has nothing but what our
 * rules leave there. What the source says goes on as it is. */
#include "api/prom_job.h"

#include "live/rule_driver.h"
#include "ruler/own.h"

enum { ASKED_MAX = 64 };

struct source_asked {
    struct http_later later;
    struct api *api;
    struct rule_question *question;
    struct source_asked *next, *prev;
};

static void source_asked_free(struct http_later *l)
{
    struct source_asked *x = container_of(l, struct source_asked, later);

    if (x->question != NULL)
        rule_driver_forget(x->question);
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        x->api->asked = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    x->api->n_asked--;
    mem_free(x);
}

void prom_stop_asking(struct api *a)
{
    while (a->asked != NULL)
        http_later_free(&a->asked->later);
}

static void source_has_said(void *arg, const struct source_answer *a)
{
    static const enum prom_error errors[] = {[SOURCE_BAD_DATA] = PROM_BAD_DATA,
                                             [SOURCE_EXECUTION] = PROM_EXECUTION,
                                             [SOURCE_TIMEOUT] = PROM_TIMEOUT,
                                             [SOURCE_THROTTLED] = PROM_UNAVAILABLE,
                                             [SOURCE_DOWN] = PROM_UNAVAILABLE};
    struct source_asked *x = arg;
    struct http_req *rq = http_later_take(&x->later);

    x->question = NULL;
    if (rq != NULL && a->error == SOURCE_OK) {
        api_headers(rq);
        http_reply(rq, 200, S("application/json"), a->body);
    } else if (rq != NULL) {
        prom_fail(rq, errors[a->error], "%s", a->err.msg);
    }
    http_later_free(&x->later);
}

/* -- whom to ask -- */

/* Empty: our own store. */
static str source_of_query(const struct query_job *q, str wanted)
{
    const struct config *conf = config_of(q->api->engine->conf);
    enum own_share share;

    if (wanted.n != 0)
        return str_is(wanted, "own") ? STR_NONE : wanted;
    if (conf->n_sources != 1 || config_reads_own(conf))
        return STR_NONE;
    share = own_share(q->expr, conf->recorded, conf->n_recorded);
    return share == OWN_NONE || share == OWN_SOME ? conf->sources[0].name : STR_NONE;
}

bool prom_ask_source(struct http_req *rq, struct query_job *q, const struct prom_params *p)
{
    struct api *a = q->api;
    str source = source_of_query(q, prom_param(p, "source"));
    const struct source_range range = {q->start, q->end, q->step};
    struct source_asked *x;

    if (source.n == 0)
        return false;
    if (config_source(config_of(a->engine->conf), source) == NULL) {
        prom_fail(rq, PROM_BAD_DATA, "invalid parameter \"source\": there is no source \"%.*s\"",
                  STR(source));
        return true;
    }
    if (a->n_asked >= ASKED_MAX) {
        prom_fail(rq, PROM_UNAVAILABLE, "%d queries are at sources", ASKED_MAX);
        return true;
    }
    x = mem_new(struct source_asked);
    http_later_begin(&x->later, &a->laters, 0);
    x->later.free = source_asked_free;
    x->api = a;
    x->next = a->asked;
    if (x->next != NULL)
        x->next->prev = x;
    a->asked = x;
    a->n_asked++;
    http_later_wait(&x->later, rq);
    x->question = rule_driver_ask_range(shell_rules(a->conf.shell), source, q->text, &range,
                                        source_has_said, x);
    if (x->question != NULL)
        return true;
    (void)http_later_take(&x->later);
    prom_fail(rq, PROM_UNAVAILABLE, "source \"%.*s\" is not asked yet", STR(source));
    http_later_free(&x->later);
    return true;
}
