#include "remote_write/remote_metadata.h"

#include "base/map.h"
#include "base/vec.h"
#include "codec/snappy.h"
#include "remote_write/request.h"

struct remote_metadata_body {
    str body; /* owned */
    size_t metrics;
};

struct remote_metadata {
    struct sender_parts parts;
    ts_ns due; /* mono */
    VEC(struct remote_metadata_body) bodies;
    size_t at; /* those before have been told */

    struct job job;
    bool is_busy, is_over;
    size_t most; /* metrics of a request */
    struct u64_map seen;
    VEC(struct metadata *) said; /* references */
};

static void remote_metadata_make(struct job *j);
static void remote_metadata_made(struct job *j);

struct remote_metadata *remote_metadata_new(const struct sender_parts *parts)
{
    struct remote_metadata *t = mem_new(struct remote_metadata);

    t->parts = *parts;
    t->job = (struct job){.run = remote_metadata_make, .done = remote_metadata_made};
    return t;
}

static void remote_metadata_forget(struct remote_metadata *t)
{
    VEC_EACH (struct remote_metadata_body *, b, &t->bodies)
        mem_str_free(b->body);
    vec_clear(&t->bodies);
    t->at = 0;
}

static void remote_metadata_let_go(struct remote_metadata *t)
{
    VEC_EACH (struct metadata **, m, &t->said)
        metadata_unref(*m);
    vec_clear(&t->said);
    u64_map_release(&t->seen);
}

static void remote_metadata_destroy(struct remote_metadata *t)
{
    remote_metadata_forget(t);
    remote_metadata_let_go(t);
    vec_release(&t->bodies);
    vec_release(&t->said);
    mem_free(t);
}

void remote_metadata_free(struct remote_metadata *t)
{
    if (t == NULL)
        return;
    if (t->is_busy)
        t->is_over = true;
    else
        remote_metadata_destroy(t);
}

/* -- requests, on a worker -- */

struct remote_metadata_page {
    struct remote_metadata *of;
    struct buf body;
    size_t n;
    struct str_map named;
};

static void remote_metadata_close(struct remote_metadata_page *p)
{
    struct buf body = BUF_INIT;

    if (p->n == 0)
        return;
    snappy_compress(&body, buf_str(&p->body));
    vec_push(&p->of->bodies, (struct remote_metadata_body){buf_str(&body), p->n});
    buf_clear(&p->body);
    p->n = 0;
}

/* Of two targets that say different things of a metric the first is believed. */
static void remote_metadata_put(struct remote_metadata_page *p, const struct metadata_item *m)
{
    bool is_new;

    (void)str_map_add(&p->named, m->metric, p, &is_new);
    if (!is_new)
        return;
    request_put_metadata(&p->body, m->metric, m->type, m->help, m->unit);
    if (++p->n == p->of->most)
        remote_metadata_close(p);
}

static void remote_metadata_make(struct job *j)
{
    static const struct metadata_item ours[] = {
        {S_INIT("ALERTS"), S_INIT("gauge"), S_INIT("Alerts that are pending or fire."), {NULL, 0}},
        {S_INIT("ALERTS_FOR_STATE"),
         S_INIT("gauge"),
         S_INIT("Since when they are, in seconds since 1970."),
         {NULL, 0}},
    };
    struct remote_metadata *t = container_of(j, struct remote_metadata, job);
    struct remote_metadata_page p = {.of = t};
    struct arena a;

    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        remote_metadata_put(&p, &ours[i]);
    VEC_EACH (struct metadata *const *, m, &t->said) {
        size_t n;
        const struct metadata_item *v = metadata_items((str){(*m)->records, (*m)->n}, &a, &n);

        for (size_t i = 0; i < n; i++)
            remote_metadata_put(&p, &v[i]);
    }
    remote_metadata_close(&p);
    str_map_release(&p.named);
    buf_release(&p.body);
    arena_release(&a);
}

static void remote_metadata_made(struct job *j)
{
    struct remote_metadata *t = container_of(j, struct remote_metadata, job);

    t->is_busy = false;
    remote_metadata_let_go(t);
    if (t->is_over)
        remote_metadata_destroy(t);
}

/* -- on the loop -- */

static void remote_metadata_see(void *arg, const struct target_status *target)
{
    struct remote_metadata *t = arg;
    bool is_new = false;

    if (target->metadata != NULL)
        (void)u64_map_add(&t->seen, (uintptr_t)target->metadata, NULL, &is_new);
    if (is_new)
        vec_push(&t->said, metadata_ref(target->metadata));
}

static void remote_metadata_begin(struct remote_metadata *t, const struct remote_write_conf *c,
                                  const struct scraper *scraper)
{
    remote_metadata_forget(t);
    t->most = (size_t)c->metadata_config.max_samples_per_send;
    if (str_is(c->what, "all"))
        scraper_each(scraper, remote_metadata_see, t);
    t->is_busy = true;
    pool_run(t->parts.pool, WORK_SLOW, &t->job);
}

void remote_metadata_go_on(struct remote_metadata *t, struct sender *s,
                           const struct scraper *scraper)
{
    const struct remote_write_conf *c = sender_conf(s);
    ts_ns now = t->parts.clock->now.mono;

    if (c == NULL || !c->metadata_config.send || t->is_busy)
        return;
    if (t->at < t->bodies.n) {
        if (sender_tell(s, t->bodies.v[t->at].body, t->bodies.v[t->at].metrics))
            t->at++;
    } else if (now >= t->due) {
        t->due = ts_add(now, c->metadata_config.send_interval);
        remote_metadata_begin(t, c, scraper);
    }
}
