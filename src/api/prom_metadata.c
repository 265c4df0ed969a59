/* What targets say of their metrics: /api/v1/metadata and /api/v1/targets/metadata. The loop takes references and copies
 * labels; a worker reads and writes. */
#include "api/prom_job.h"

#include <stdlib.h>
#include "base/vec.h"
#include "scrape/metadata.h"

struct metadata_source {
    struct metadata *metadata;
    struct labels labels; /* of the target; none for all that say the same */
};

struct metadata_job {
    struct http_later later;
    str metric; /* empty: all */
    int64_t limit, limit_per_metric;
    struct matchers targets; /* that are asked for */
    VEC(struct metadata_source) v;
    struct u64_map seen; /* metadata, while sources are collected */
    struct buf body;
};

/* -- a job's life -- */

static void prom_metadata_answer(struct http_later *l)
{
    struct metadata_job *j = container_of(l, struct metadata_job, later);

    prom_answer(l->request, buf_str(&j->body));
}

static void prom_metadata_release(struct http_later *l)
{
    struct metadata_job *j = container_of(l, struct metadata_job, later);

    VEC_EACH (struct metadata_source *, s, &j->v)
        metadata_unref(s->metadata);
    vec_release(&j->v);
    u64_map_release(&j->seen);
    matchers_release(&j->targets);
    buf_release(&j->body);
    mem_free(j);
}

/* As Go's strconv.Atoi; an absent one is no limit. */
static bool prom_metadata_read_limit(struct http_req *rq, const struct prom_params *p,
                                     const char *name, int64_t *out)
{
    str text = prom_param(p, name), digits = text;
    bool negative = text.n != 0 && text.p[0] == '-';
    uint64_t v;

    *out = -1;
    if (text.n == 0)
        return true;
    if (text.p[0] == '-' || text.p[0] == '+')
        digits = str_sub(text, 1, text.n);
    if (!str_to_u64(digits, &v) || v > INT64_MAX) {
        prom_fail(rq, PROM_BAD_DATA, "%s must be a number", name);
        return false;
    }
    *out = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static struct metadata_job *prom_metadata_begin(struct api *a, struct http_req *rq,
                                                void (*run)(struct http_later *l))
{
    struct metadata_job *j = mem_new(struct metadata_job);
    struct prom_params p = prom_params(rq);

    http_later_begin(&j->later, &a->laters, 0);
    j->later.run = run;
    j->later.answer = prom_metadata_answer;
    j->later.free = prom_metadata_release;
    j->metric = arena_str(&j->later.arena, prom_param(&p, "metric"));
    if (prom_metadata_read_limit(rq, &p, "limit", &j->limit) &&
        prom_metadata_read_limit(rq, &p, "limit_per_metric", &j->limit_per_metric))
        return j;
    http_later_free(&j->later);
    return NULL;
}

static void prom_metadata_put_item(struct json_writer *w, const struct metadata_item *m)
{
    json_put_text(w, "type", m->type);
    json_put_text(w, "help", m->help);
    json_put_text(w, "unit", m->unit);
}

/* -- /api/v1/metadata -- */

/* What is said of one metric, each thing once. */
struct said {
    struct metadata_item item;
    struct said *next;
};

static bool prom_metadata_is_same(const struct metadata_item *a, const struct metadata_item *b)
{
    return str_eq(a->type, b->type) && str_eq(a->help, b->help) && str_eq(a->unit, b->unit);
}

static void add_said(struct metadata_job *j, struct str_map *all, const struct metadata_item *m)
{
    struct said *fresh = arena_new(&j->later.arena, struct said);
    bool is_new;
    struct said *at = *str_map_add(all, m->metric, fresh, &is_new);
    int64_t n = 1;

    *fresh = (struct said){.item = *m};
    if (is_new)
        return;
    for (;; at = at->next, n++) {
        if (prom_metadata_is_same(&at->item, m))
            return;
        if (at->next == NULL)
            break;
    }
    if (j->limit_per_metric <= 0 || n < j->limit_per_metric)
        at->next = fresh;
}

static void put_said(struct json_writer *w, str metric, const struct said *s)
{
    json_key(w, metric);
    json_open(w, '[');
    for (; s != NULL; s = s->next) {
        json_open(w, '{');
        prom_metadata_put_item(w, &s->item);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static int prom_metadata_by_key(const void *a, const void *b)
{
    const struct str_map_entry *const *x = a, *const *y = b;

    return str_cmp((*x)->key, (*y)->key);
}

static void prom_metadata_put_all(struct metadata_job *j, const struct str_map *all)
{
    const struct str_map_entry **v = mem_array(all->n + 1, sizeof(struct str_map_entry *));
    struct json_writer w;
    size_t n = 0;

    MAP_EACH (const struct str_map_entry, e, all)
        v[n++] = e;
    qsort(v, n, sizeof(struct str_map_entry *), prom_metadata_by_key);
    json_writer_init(&w, &j->body, false);
    json_open(&w, '{');
    for (size_t i = 0; i < n && (j->limit < 0 || (int64_t)i < j->limit); i++)
        put_said(&w, v[i]->key, v[i]->value);
    json_close(&w, '}');
    mem_free(v);
}

static void list_metrics(struct http_later *l)
{
    struct metadata_job *j = container_of(l, struct metadata_job, later);
    struct str_map all = {0};

    for (size_t i = 0; i < j->v.n && !http_later_is_gone(l); i++) {
        const struct metadata *m = j->v.v[i].metadata;
        size_t n;
        const struct metadata_item *v =
            metadata_items((str){m->records, m->n}, &j->later.arena, &n);

        for (size_t k = 0; k < n; k++)
            if (j->metric.n == 0 || str_eq(j->metric, v[k].metric))
                add_said(j, &all, &v[k]);
    }
    prom_metadata_put_all(j, &all);
    str_map_release(&all);
}

static void see_metadata(void *arg, const struct target_status *t)
{
    struct metadata_job *j = arg;
    bool is_new = false;

    if (t->metadata != NULL)
        (void)u64_map_add(&j->seen, (uintptr_t)t->metadata, NULL, &is_new);
    if (is_new)
        vec_push(&j->v, (struct metadata_source){.metadata = metadata_ref(t->metadata)});
}

void prom_metadata(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct metadata_job *j = prom_metadata_begin(a, rq, list_metrics);

    if (j == NULL)
        return;
    scraper_each(store_scraper(a->conf.store), see_metadata, j);
    http_later_run(&j->later, rq, WORK_QUERY);
}

/* -- /api/v1/targets/metadata -- */

/* As there, limit is asked before each target. */
static void list_targets(struct http_later *l)
{
    struct metadata_job *j = container_of(l, struct metadata_job, later);
    int64_t listed = 0;
    struct json_writer w;
    struct arena scratch;

    arena_init(&scratch, 0);
    json_writer_init(&w, &j->body, false);
    json_open(&w, '[');
    for (size_t i = 0; i < j->v.n && (j->limit < 0 || listed < j->limit) && !http_later_is_gone(l);
         i++) {
        const struct metadata_source *s = &j->v.v[i];
        size_t n;
        const struct metadata_item *v =
            metadata_items((str){s->metadata->records, s->metadata->n}, &scratch, &n);

        for (size_t k = 0; k < n; k++) {
            if (j->metric.n != 0 && !str_eq(j->metric, v[k].metric))
                continue;
            listed++;
            json_open(&w, '{');
            json_key(&w, S("target"));
            labels_put_json(&w, s->labels);
            if (j->metric.n == 0)
                json_put_text(&w, "metric", v[k].metric);
            prom_metadata_put_item(&w, &v[k]);
            json_close(&w, '}');
        }
        arena_reset(&scratch);
    }
    json_close(&w, ']');
    arena_release(&scratch);
}

static void see_target(void *arg, const struct target_status *t)
{
    struct metadata_job *j = arg;

    if (t->metadata != NULL && matchers_match(&j->targets, t->labels))
        vec_push(&j->v, (struct metadata_source){metadata_ref(t->metadata),
                                                 labels_copy(&j->later.arena, t->labels)});
}

void prom_target_metadata(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct metadata_job *j = prom_metadata_begin(a, rq, list_targets);
    struct prom_params p = prom_params(rq);
    str match = prom_param(&p, "match_target");

    if (j == NULL)
        return;
    if (match.n != 0 && !prom_selector(rq, "match_target", match, &j->later.arena, &j->targets)) {
        http_later_free(&j->later);
        return;
    }
    scraper_each(store_scraper(a->conf.store), see_target, j);
    http_later_run(&j->later, rq, WORK_QUERY);
}
