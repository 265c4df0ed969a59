#include "forward/forward.h"

#include "base/mem.h"
#include "codec/json.h"
#include "model/labels.h"

struct forward *forward_new(struct transport *t, struct clock *clock, str instance)
{
    struct forward *f = mem_new(struct forward);

    f->transport = t;
    f->clock = clock;
    f->instance = instance;
    return f;
}

static void forget_dropped(struct forward *f)
{
    VEC_EACH (str *, url, &f->dropped)
        mem_str_free(*url);
    vec_release(&f->dropped);
}

void forward_free(struct forward *f)
{
    if (f == NULL)
        return;
    VEC_EACH (struct forward_queue **, q, &f->queues)
        forward_queue_free(*q);
    vec_release(&f->queues);
    forget_dropped(f);
    mem_free(f);
}

/* -- targets -- */

static str url_of(struct labels ls, struct arena *a)
{
    return arena_printf(a, "%.*s://%.*s%.*s", STR(labels_get(ls, S("__scheme__"))),
                        STR(labels_get(ls, S("__address__"))),
                        STR(labels_get(ls, S("__alerts_path__"))));
}

/* Where a target of an entry is reached. False: its relabeling drops it, which would have been reached there. */
static bool target_url(const struct alertmanagers_conf *c, const struct static_sd_conf *s,
                       str address, struct arena *a, str *url)
{
    struct label *v = arena_array(a, s->labels.n + 3, sizeof(*v));
    struct label own[] = {{S("__address__"), address}, /* sorted */
                          {S("__alerts_path__"), STR_NONE},
                          {S("__scheme__"), c->scheme}};
    str prefix = c->path_prefix, dup;
    struct labels ls = {v, 0};

    while (prefix.n != 0 && prefix.p[prefix.n - 1] == '/')
        prefix.n--;
    own[1].value = arena_printf(a, "%s%.*s/api/v2/alerts",
                                prefix.n != 0 && prefix.p[0] != '/' ? "/" : "", STR(prefix));
    for (size_t i = 0; i < s->labels.n; i++)
        v[i] = (struct label){s->labels.v[i].name, s->labels.v[i].value};
    ls.n = labels_sort(v, s->labels.n, &dup);
    if (ls.n == SIZE_MAX)
        ls.n = 0;
    ls = labels_merge(a, ls, (struct labels){own, ARRAY_LEN(own)});
    *url = url_of(ls, a);
    if (!relabel(&c->relabel_configs, ls, a, &ls))
        return false;
    *url = url_of(ls, a);
    return true;
}

static struct forward_queue *take_queue(struct forward_queue **v, size_t n, str url)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] != NULL && str_eq(forward_queue_url(v[i]), url)) {
            struct forward_queue *q = v[i];

            v[i] = NULL;
            return q;
        }
    return NULL;
}

struct fresh {
    struct forward_queue **old;
    size_t n_old;
    size_t entry; /* of f->queues: where the queues of this entry begin */
};

static void add_target(struct forward *f, struct fresh *fresh, const struct alertmanagers_conf *c,
                       str url)
{
    struct forward_queue *q;

    for (size_t i = fresh->entry; i < f->queues.n; i++)
        if (str_eq(forward_queue_url(f->queues.v[i]), url))
            return;
    q = take_queue(fresh->old, fresh->n_old, url);
    if (q != NULL)
        forward_queue_configure(q, c);
    else
        q = forward_queue_new(url, c, f->instance, f->transport, f->clock);
    vec_push(&f->queues, q);
}

static void add_entry(struct forward *f, struct fresh *fresh, const struct alertmanagers_conf *c)
{
    struct arena a;

    arena_init(&a, 0);
    fresh->entry = f->queues.n;
    for (size_t i = 0; i < c->statics.n; i++)
        for (size_t j = 0; j < c->statics.v[i].targets.n; j++) {
            str url;

            if (target_url(c, &c->statics.v[i], c->statics.v[i].targets.v[j], &a, &url))
                add_target(f, fresh, c, url);
            else
                vec_push(&f->dropped, mem_str_dup(url));
        }
    arena_release(&a);
}

void forward_configure(struct forward *f, const struct alerting_conf *c)
{
    struct fresh fresh = {.old = f->queues.v, .n_old = f->queues.n};

    f->queues.v = NULL;
    f->queues.n = f->queues.cap = 0;
    forget_dropped(f);
    for (size_t i = 0; i < c->alertmanagers.n; i++)
        add_entry(f, &fresh, &c->alertmanagers.v[i]);
    for (size_t i = 0; i < fresh.n_old; i++)
        if (fresh.old[i] != NULL)
            forward_queue_free(fresh.old[i]);
    mem_free(fresh.old);
}

/* -- alerts -- */

static void forward_put_alert(struct buf *out, const struct alert_input *in, struct labels labels)
{
    struct json_writer w;

    json_writer_init(&w, out, false);
    json_open(&w, '{');
    json_key(&w, S("annotations"));
    labels_put_json(&w, in->annotations);
    json_key(&w, S("startsAt"));
    json_put_rfc3339_ms(&w, in->starts_at);
    json_key(&w, S("endsAt"));
    json_put_rfc3339_ms(&w, in->ends_at);
    json_key(&w, S("labels"));
    labels_put_json(&w, labels);
    json_key(&w, S("generatorURL"));
    json_put_str(&w, in->generator_url);
    json_close(&w, '}');
}

void forward_alerts(struct forward *f, const struct alert_input *v, size_t n)
{
    struct buf json = BUF_INIT;
    struct arena a;

    arena_init(&a, 0);
    VEC_EACH (struct forward_queue **, q, &f->queues)
        for (size_t i = 0; i < n; i++) {
            struct labels ls;

            if (relabel(&forward_queue_conf(*q)->alert_relabel_configs, v[i].labels, &a, &ls)) {
                buf_clear(&json);
                forward_put_alert(&json, &v[i], ls);
                forward_queue_put(*q, labels_fingerprint(ls), buf_str(&json));
            }
            arena_reset(&a);
        }
    arena_release(&a);
    buf_release(&json);
}

size_t forward_waiting(const struct forward *f)
{
    size_t n = 0;

    VEC_EACH (struct forward_queue *const *, q, &f->queues)
        n += forward_queue_length(*q);
    return n;
}
