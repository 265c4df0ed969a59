/* GET /api/v1/targets, as Prometheus answers it: who is scraped or pushes, how it went, what relabeling dropped, and the
 * lists that all of them come from. */
#include "api/api_priv.h"

#include "codec/duration.h"

struct targets_list {
    struct json_writer *w;
    str pool;               /* empty: all */
    struct str_map dropped; /* by pool: how many */
};

static void put_active(void *arg, const struct target_status *t)
{
    const struct targets_list *l = arg;
    struct json_writer *w = l->w;

    if (l->pool.n != 0 && !str_eq(l->pool, t->job))
        return;
    json_open(w, '{');
    json_key(w, S("discoveredLabels"));
    labels_put_json(w, t->discovered);
    json_key(w, S("labels"));
    labels_put_json(w, t->labels);
    json_put_text(w, "scrapePool", t->job);
    json_put_text(w, "scrapeUrl", t->url);
    json_put_text(w, "globalUrl", t->url);
    json_put_text(w, "lastError", t->last_error);
    json_key(w, S("lastScrape"));
    json_put_rfc3339_ms(w, t->last_scrape);
    json_key(w, S("lastScrapeDuration"));
    json_put_double(w, (double)t->took / NS_PER_S);
    json_put_text(w, "health", str_of(target_health_names[t->health]));
    api_put_duration(w, "scrapeInterval", t->interval);
    api_put_duration(w, "scrapeTimeout", t->timeout);
    json_close(w, '}');
}

/* A pushed group is a target of the pool "push": up as long as pushes go well. */
static void targets_put_group(void *arg, const struct push_status *s)
{
    struct target_status t = {.job = S("push"),
                              .url = s->path,
                              .discovered = s->key,
                              .labels = s->key,
                              .health = s->last_error.n != 0      ? TARGET_DOWN
                                        : s->pushed_at != TS_NONE ? TARGET_UP
                                                                  : TARGET_UNKNOWN,
                              .last_error = s->last_error,
                              .last_scrape = s->pushed_at,
                              .interval = s->interval,
                              .timeout = s->interval};

    put_active(arg, &t);
}

static void put_dropped(void *arg, const struct target_status *t)
{
    struct targets_list *l = arg;

    if (l->pool.n != 0 && !str_eq(l->pool, t->job))
        return;
    json_open(l->w, '{');
    json_key(l->w, S("discoveredLabels"));
    labels_put_json(l->w, t->discovered);
    json_put_text(l->w, "scrapePool", t->job);
    if (t->last_error.n != 0)
        json_put_text(l->w, "lastError", t->last_error);
    json_close(l->w, '}');
}

static void targets_count_dropped(void *arg, const struct target_status *t)
{
    struct targets_list *l = arg;
    bool is_new;
    void **n = str_map_add(&l->dropped, t->job, NULL, &is_new);

    *n = (void *)((uintptr_t)*n + 1);
}

static void put_counts(const struct scraper *s, struct targets_list *l)
{
    scraper_each_dropped(s, targets_count_dropped, l);
    json_key(l->w, S("droppedTargetCounts"));
    json_open(l->w, '{');
    MAP_EACH (struct str_map_entry, e, &l->dropped) {
        json_key(l->w, e->key);
        json_put_u64(l->w, (uintptr_t)e->value);
    }
    json_close(l->w, '}');
    str_map_release(&l->dropped);
}

/* Beyond Prometheus: a list that is refused is shown where its targets are. */
static void targets_put_list(void *arg, str job, const struct discovery_status *s)
{
    const struct targets_list *l = arg;
    struct json_writer *w = l->w;

    if (l->pool.n != 0 && !str_eq(l->pool, job))
        return;
    json_open(w, '{');
    json_put_text(w, "scrapePool", job);
    json_put_text(w, "kind", str_of(s->kind));
    json_put_text(w, "subject", s->subject);
    json_put_text(w, "lastError", s->last_error);
    json_key(w, S("lastFound"));
    if (s->last_found == TS_NONE)
        json_put_null(w);
    else
        json_put_rfc3339_ms(w, s->last_found);
    json_key(w, S("targets"));
    json_put_u64(w, s->targets);
    json_close(w, '}');
}

void api_get_targets(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    const struct scraper *s = store_scraper(a->conf.store);
    str state = api_param(rq, S("state"));
    bool all = !str_is(state, "active") && !str_is(state, "dropped") && !str_is(state, "lists");
    struct buf b = BUF_INIT;
    struct json_writer w;
    struct targets_list l = {.w = &w, .pool = api_param(rq, S("scrapePool"))};

    buf_adds(&b, "{\"status\":\"success\",\"data\":");
    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_key(&w, S("activeTargets"));
    json_open(&w, '[');
    if (all || str_is(state, "active"))
        scraper_each(s, put_active, &l);
    if (all || str_is(state, "active"))
        push_each(store_push(a->conf.store), targets_put_group, &l);
    json_close(&w, ']');
    json_key(&w, S("droppedTargets"));
    json_open(&w, '[');
    if (all || str_is(state, "dropped"))
        scraper_each_dropped(s, put_dropped, &l);
    json_close(&w, ']');
    if (!str_is(state, "lists"))
        put_counts(s, &l);
    json_key(&w, S("targetLists"));
    json_open(&w, '[');
    scraper_each_list(s, targets_put_list, &l);
    json_close(&w, ']');
    json_close(&w, '}');
    buf_adds(&b, "}");
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}
