/* POST /api/v2/receivers/NAME/test and /api/v2/drill: what a receiver's services say to a message that is none, and what the
 * whole way of a rule's alert comes to. Nothing of it is kept, counted or deduplicated (live/trial.h).
 *
 *     {"labels": {...}, "annotations": {...}, "resolved": false, "confirm": false}         a test; all may be left out
 *     {"alertname": "X", "labels": {...}, "confirm": false}                                a drill
 *
 * What costs money or rings is sent when "confirm" says so, else the answer is 409 and names it, and nothing is sent. "ask": true
 * sends nothing: the answer is {"costs": [...]}. */
#include "api/api_priv.h"

#include "live/drill.h"
#include "notify/advice.h"

enum { TRIAL_DEPTH = 8, TRIALS_MAX = 8, TRIAL_LABELS_MAX = 128 };

struct api_trial {
    struct http_later later;
    struct api *api;
    struct trial *trial; /* NULL: not begun */
    str receiver;        /* of a test; a drill has many */
    struct drill drill;
    bool is_drill;
    struct api_trial *next, *prev;
};

/* -- the request -- */

struct trial_wish {
    str alertname;
    struct labels labels, annotations;
    bool is_resolved, is_confirmed;
    bool only_asks; /* what it would cost */
};

static void trial_read_labels(struct json_reader *r, struct labels *out)
{
    struct label *v = arena_array(r->a, TRIAL_LABELS_MAX, sizeof(*v));
    struct label l;
    size_t n = 0;

    for (json_object_begin(r); json_object_next(r, &l.name);) {
        if (!json_string(r, &l.value))
            return;
        if (n == TRIAL_LABELS_MAX || !label_name_is_utf8(l.name) || l.value.n > 4096) {
            json_fail(r,
                      "too many labels, a name that is none, or a value of more than 4096 bytes");
            return;
        }
        v[n++] = l;
    }
    *out = (struct labels){v, labels_sort_last(v, n)};
}

/* False: it has answered 400. */
static bool trial_read(struct http_req *rq, struct arena *a, struct trial_wish *w)
{
    struct json_reader r;
    struct err e = ERR_INIT;
    str key;

    *w = (struct trial_wish){.is_confirmed = false};
    if (str_trim(rq->body).n == 0)
        return true;
    json_reader_init(&r, arena_str(a, rq->body), a, TRIAL_DEPTH);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (str_is(key, "alertname"))
            json_string(&r, &w->alertname);
        else if (str_is(key, "labels"))
            trial_read_labels(&r, &w->labels);
        else if (str_is(key, "annotations"))
            trial_read_labels(&r, &w->annotations);
        else if (str_is(key, "resolved"))
            json_bool(&r, &w->is_resolved);
        else if (str_is(key, "confirm"))
            json_bool(&r, &w->is_confirmed);
        else if (str_is(key, "ask"))
            json_bool(&r, &w->only_asks);
        else
            json_fail(&r, "there is no key \"%.*s\"", STR(str_sub(key, 0, 100)));
    }
    if (json_end(&r))
        return true;
    err_set(&e, ERR_INVALID, "request: line %d, column %d: %s", r.err.line, r.err.col, r.err.msg);
    api_fail(rq, 400, str_of(e.msg));
    return false;
}

/* -- the answer -- */

static const char *trial_verdict(const struct trial_answer *t)
{
    return t->verdict == DELIVERY_OK       ? "delivered"
           : t->verdict == DELIVERY_FAILED ? "refused"
                                           : "failed";
}

void api_put_advice(struct json_writer *w, str error, int status)
{
    struct advice ad = advice_of(error, status);

    json_key(w, S("advice"));
    if (ad.en == NULL) {
        json_put_null(w);
        return;
    }
    json_open(w, '{');
    json_put_text(w, "en", str_of(ad.en));
    json_put_text(w, "zh", str_of(ad.zh));
    json_close(w, '}');
}

static void trial_put_answer(struct json_writer *w, const struct trial_answer *t)
{
    json_open(w, '{');
    json_put_text(w, "receiver", t->receiver);
    json_put_text(w, "integration", t->integration);
    json_key(w, S("index"));
    json_put_u64(w, t->index);
    json_put_text(w, "told", t->is_resolved ? S("resolved") : S("firing"));
    json_key(w, S("closes"));
    json_put_bool(w, t->closes);
    json_put_text(w, "verdict", str_of(trial_verdict(t)));
    json_key(w, S("status"));
    json_put_i64(w, t->status);
    api_put_seconds(w, "seconds", t->took);
    json_put_text(w, "error", t->error);
    api_put_advice(w, t->verdict != DELIVERY_OK ? t->error : STR_NONE, t->status);
    json_close(w, '}');
}

static void trial_put_drill(struct json_writer *w, const struct drill *d)
{
    json_put_text(w, "rule", d->rule->name);
    json_put_text(w, "group", d->group->name);
    json_put_text(w, "file", d->group->file);
    json_put_text(w, "expr", rule_canonical(d->rule));
    json_put_text(w, "ruleError", d->rule_error);
    json_key(w, S("madeUp"));
    json_put_bool(w, d->is_made_up);
    json_key(w, S("dropped"));
    json_put_bool(w, d->is_dropped);
    json_key(w, S("labels"));
    labels_put_json(w, d->labels);
    json_key(w, S("annotations"));
    labels_put_json(w, d->annotations);
    json_key(w, S("routes"));
    json_open(w, '[');
    for (size_t i = 0; i < d->n; i++) {
        json_open(w, '{');
        json_put_text(w, "receiver", d->ways[i].receiver);
        json_put_text(w, "groupKey", d->ways[i].group_key);
        json_put_text(w, "heldBy", d->ways[i].held);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void trial_answer_all(const struct api_trial *x, struct http_req *rq)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    if (x->is_drill)
        trial_put_drill(&w, &x->drill);
    else
        json_put_text(&w, "receiver", x->receiver);
    json_key(&w, S("results"));
    json_open(&w, '[');
    VEC_EACH (const struct trial_answer *, t, &x->trial->answers)
        trial_put_answer(&w, t);
    json_close(&w, ']');
    json_close(&w, '}');
    buf_addc(&b, '\n');
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}

/* -- its life -- */

static void api_trial_free(struct http_later *l)
{
    struct api_trial *x = container_of(l, struct api_trial, later);
    struct api *a = x->api;

    trial_free(x->trial);
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        a->trials = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    a->n_trials--;
    mem_free(x);
}

static void api_trial_done(void *arg, struct trial *t)
{
    struct api_trial *x = arg;
    struct http_req *rq = http_later_take(&x->later);

    (void)t;
    if (rq != NULL)
        trial_answer_all(x, rq);
    http_later_free(&x->later);
}

static struct api_trial *api_trial_new(struct api *a)
{
    struct api_trial *x = mem_new(struct api_trial);

    http_later_begin(&x->later, &a->laters, 0);
    x->later.free = api_trial_free;
    x->api = a;
    x->next = a->trials;
    if (x->next != NULL)
        x->next->prev = x;
    a->trials = x;
    a->n_trials++;
    return x;
}

void api_stop_trials(struct api *a)
{
    while (a->trials != NULL)
        http_later_free(&a->trials->later);
}

static struct trial *api_trial_of(struct api *a)
{
    const struct trial_parts p = {.transport = a->conf.transport,
                                  .clock = shell_clock(a->conf.shell),
                                  .pool = a->conf.pool,
                                  .external_url = a->engine->external_url,
                                  .shadow = a->conf.is_shadow};

    return trial_new(&p, config_of(a->engine->conf));
}

static void api_trial_go(struct api_trial *x, struct http_req *rq)
{
    http_later_wait(&x->later, rq);
    trial_go(x->trial, api_trial_done, x);
}

static bool trial_has_room(const struct api *a, struct http_req *rq)
{
    if (a->n_trials < TRIALS_MAX)
        return true;
    api_fail(rq, 503, S("other tests and drills are under way"));
    return false;
}

static void add_costs(struct buf *b, const struct receiver_conf *rc)
{
    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++)
        if (trial_costs(&rc->integrations[i]))
            buf_addf(b, "%.*s/%s[%u]\n", STR(rc->name), rc->integrations[i].type->name,
                     rc->integrations[i].index);
}

static void answer_costs(struct http_req *rq, str costs)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_key(&w, S("costs"));
    json_open(&w, '[');
    while (costs.n != 0)
        json_put_str(&w, str_trim(str_cut(&costs, '\n')));
    json_close(&w, ']');
    json_close(&w, '}');
    buf_addc(&b, '\n');
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}

/* False: it has answered, with what it costs. costs is taken. */
static bool trial_may_cost(struct http_req *rq, const struct trial_wish *w, struct buf *costs)
{
    struct buf b = BUF_INIT;
    bool ok = !w->only_asks && (w->is_confirmed || costs->n == 0);

    buf_adds(&b, "these cost money, or ring, and \"confirm\": true sends them:\n");
    buf_add(&b, buf_str(costs));
    if (w->only_asks)
        answer_costs(rq, buf_str(costs));
    else if (!ok)
        api_fail(rq, 409, str_trim(buf_str(&b)));
    buf_release(&b);
    buf_release(costs);
    return ok;
}

/* -- a receiver -- */

static void trial_test(struct api *a, struct http_req *rq, const struct receiver_conf *rc,
                       const struct trial_wish *w)
{
    struct api_trial *x = api_trial_new(a);
    const struct config *c = config_of(a->engine->conf);
    ts_ns at = shell_clock(a->conf.shell)->now.wall;
    struct notification n;
    struct notified_alert alert;

    x->receiver = arena_str(&x->later.arena, rc->name);
    x->trial = api_trial_of(a);
    n = trial_test_message(&x->trial->arena, c, rc->name, w->labels, w->annotations, w->is_resolved,
                           at, &alert);
    for (size_t i = 0; i < rc->n_integrations; i++)
        trial_add(x->trial, &rc->integrations[i], &n);
    api_trial_go(x, rq);
}

void api_post_receiver(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct buf costs = BUF_INIT;
    const struct receiver_conf *rc = NULL;
    struct trial_wish w;
    str name = rq->wildcard;

    if (str_ends_with(name, S("/test")))
        rc = config_receiver(config_of(a->engine->conf), str_sub(name, 0, name.n - 5));
    if (rc == NULL) {
        api_fail(rq, 404, S("there is no such receiver; POST .../receivers/NAME/test"));
        return;
    }
    if (!trial_has_room(a, rq) || !trial_read(rq, &rq->arena, &w))
        return;
    add_costs(&costs, rc);
    if (trial_may_cost(rq, &w, &costs))
        trial_test(a, rq, rc, &w);
}

/* -- a drill -- */

void api_post_drill(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct now now = shell_clock(a->conf.shell)->now;
    struct buf costs = BUF_INIT;
    struct err e = ERR_INIT;
    struct trial_wish w;
    struct api_trial *x;

    if (!trial_has_room(a, rq) || !trial_read(rq, &rq->arena, &w))
        return;
    x = api_trial_new(a);
    x->is_drill = true;
    x->trial = api_trial_of(a); /* holds the configuration that the plan borrows from */
    if (!drill_plan(a->engine, w.alertname, w.labels, now, &x->later.arena, &x->drill, &e)) {
        api_fail(rq, 404, str_of(e.msg));
        http_later_free(&x->later);
        return;
    }
    for (size_t i = 0; i < x->drill.n; i++)
        add_costs(&costs, x->drill.ways[i].conf);
    if (!trial_may_cost(rq, &w, &costs)) {
        http_later_free(&x->later);
        return;
    }
    drill_add(&x->drill, x->trial, now.wall);
    api_trial_go(x, rq);
}
