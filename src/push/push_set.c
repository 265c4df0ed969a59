#include "push/push_set.h"

#include "base/map.h"
#include "model/labels.h"

/* New series: how many are collected before the store takes them and their labels are let go. */
enum { RESOLVE_AT = 1024 };

MAP_DECLARE(series_map, struct labels, uint32_t);
MAP_DEFINE(series_map, struct labels, uint32_t, labels_hash, labels_eq);

static const char *const own_names[PUSH_OWN] = {
    [PUSH_TIME] = "push_time_seconds", [PUSH_FAILURE_TIME] = "push_failure_time_seconds"};

struct push_set *push_set_new(struct labels key)
{
    struct push_set *s = mem_new(struct push_set);

    arena_init(&s->a, 0);
    for (size_t i = 0; i < PUSH_OWN; i++) {
        struct label name = {S("__name__"), str_of(own_names[i])};
        struct labels ls = labels_merge(&s->a, (struct labels){&name, 1}, key);

        vec_push(&s->series, (struct push_series){.labels = labels_copy(&s->a, ls),
                                                  .family = str_of(own_names[i]),
                                                  .ref = TSDB_REF_NEW});
    }
    return s;
}

void push_set_free(struct push_set *s)
{
    if (s == NULL)
        return;
    vec_release(&s->series);
    arena_release(&s->a);
    mem_free(s);
}

/* -- reading -- */

struct push_set_reading {
    struct push_set *set;
    const struct push_conf *conf;
    struct labels key;
    struct expo_reader r;
    struct arena scratch;
    str family, type; /* as the last TYPE says */
    struct series_map seen;
};

static bool is_own(str name)
{
    for (size_t i = 0; i < PUSH_OWN; i++)
        if (str_is(name, own_names[i]))
            return true;
    return false;
}

/* foo_bucket belongs to foo when foo was said to be a family. */
static str family_of(const struct push_set_reading *g, str name)
{
    bool is_part = g->family.n != 0 && str_starts_with(name, g->family) &&
                   (name.n == g->family.n || name.p[g->family.n] == '_');

    return is_part ? g->family : name;
}

static bool push_set_within_limits(const struct push_set_reading *g, struct labels ls,
                                   struct err *e)
{
    const struct push_conf *c = g->conf;

    if (c->label_limit > 0 && ls.n > (size_t)c->label_limit)
        return err_at(e, g->r.line, 0, "%zu labels are more than \"label_limit\" %lld", ls.n,
                      (long long)c->label_limit);
    LABELS_EACH (l, ls) {
        if (c->label_name_length_limit > 0 && l->name.n > (size_t)c->label_name_length_limit)
            return err_at(e, g->r.line, 0,
                          "the name of label \"%.*s\" is longer than \"label_name_length_limit\"",
                          STR(l->name));
        if (c->label_value_length_limit > 0 && l->value.n > (size_t)c->label_value_length_limit)
            return err_at(e, g->r.line, 0,
                          "label \"%.*s\" is longer than \"label_value_length_limit\"",
                          STR(l->name));
    }
    return true;
}

static bool push_set_is_room(const struct push_set *s, const struct push_conf *conf, struct err *e)
{
    return s->series.n - PUSH_OWN <= (size_t)conf->max_series ||
           err_set(e, ERR_LIMIT, "more series than \"max_series\" %lld",
                   (long long)conf->max_series);
}

static bool add_sample(struct push_set_reading *g, const struct expo_item *x, struct err *e)
{
    struct push_set *s = g->set;
    struct push_series one = {.value = x->value, .ref = TSDB_REF_NEW};
    bool is_new;

    if (x->has_time)
        return err_at(e, g->r.line, 0, "a pushed sample must not have a time");
    arena_reset(&g->scratch);
    if (!expo_read_labels(&g->r, x->series, &one.labels, e))
        return false;
    if (is_own(labels_get(one.labels, S("__name__"))))
        return true;
    one.labels =
        labels_merge(&g->scratch, expo_canonical_labels(&g->scratch, g->type, one.labels), g->key);
    if (!push_set_within_limits(g, one.labels, e))
        return false;
    one.labels = labels_copy(&s->a, one.labels);
    one.family = family_of(g, labels_get(one.labels, S("__name__")));
    series_map_add(&g->seen, one.labels, 0, &is_new);
    if (!is_new)
        return err_at(e, g->r.line, 0, "the series stands twice");
    vec_push(&s->series, one);
    return push_set_is_room(s, g->conf, e);
}

static bool read_item(struct push_set_reading *g, const struct expo_item *x, struct err *e)
{
    if (x->kind == EXPO_SAMPLE)
        return add_sample(g, x, e);
    if (x->kind == EXPO_TYPE) {
        g->family = arena_str(&g->set->a, x->name);
        g->type = x->text;
    }
    return true;
}

bool push_set_read(struct push_set *s, const struct push_conf *conf, struct labels key, str body,
                   enum expo_format format, struct err *e)
{
    struct push_set_reading g = {.set = s, .conf = conf, .key = key};
    struct expo_item x;
    bool ok = true;

    arena_init(&g.scratch, 0);
    expo_reader_init(&g.r, body, format);
    while (ok && expo_read(&g.r, &x, e))
        ok = read_item(&g, &x, e);
    ok = ok && e->code == ERR_NONE;
    if (!ok && e->line != 0)
        err_wrap(e, "line %d", e->line);
    expo_reader_release(&g.r);
    arena_release(&g.scratch);
    series_map_release(&g.seen);
    return ok;
}

/* -- what was there before -- */

/* What the push names: families, and metrics, because a family may have been pushed without its TYPE before. */
static struct str_map names_of(const struct push_set *s)
{
    struct str_map names = {0};

    VEC_EACH (const struct push_series *, x, &s->series) {
        str_map_put(&names, x->family, NULL);
        str_map_put(&names, labels_get(x->labels, S("__name__")), NULL);
    }
    return names;
}

static bool is_pushed(const struct str_map *names, const struct push_series *x)
{
    return str_map_get(names, x->family) != NULL ||
           str_map_get(names, labels_get(x->labels, S("__name__"))) != NULL;
}

bool push_set_join(struct push_set *s, const struct push_set *before, bool keeps,
                   const struct push_conf *conf, struct err *e)
{
    struct str_map names = keeps ? names_of(s) : (struct str_map){0};
    struct series_map at = {0};

    for (size_t i = 0; i < s->series.n; i++)
        series_map_put(&at, s->series.v[i].labels, (uint32_t)i);
    s->epoch = before->epoch;
    VEC_EACH (const struct push_series *, x, &before->series) {
        const uint32_t *same = series_map_get(&at, x->labels);

        if (same != NULL) {
            s->series.v[*same].ref = x->ref;
        } else if (keeps && !is_pushed(&names, x)) {
            struct push_series own = *x;

            own.labels = labels_copy(&s->a, x->labels);
            own.family = arena_str(&s->a, x->family);
            vec_push(&s->series, own);
        }
    }
    series_map_release(&at);
    str_map_release(&names);
    return push_set_is_room(s, conf, e);
}

/* -- sampling -- */

static void push_set_fill(struct push_set *s, struct tsdb_batch *b)
{
    VEC_EACH (const struct push_series *, x, &s->series) {
        tsdb_batch_add(b, x->ref, x->labels, x->value);
        if (b->news.n == RESOLVE_AT)
            tsdb_batch_resolve(b);
    }
}

bool push_set_sample(struct push_set *s, struct tsdb *db, struct tsdb_stream *stream, ts_ms t,
                     struct now at, size_t *refused, enum tsdb_refusal *why, struct err *e)
{
    struct tsdb_batch b;
    uint64_t epoch;
    bool ok;

    tsdb_batch_init(&b);
    tsdb_follow(db, at);
    epoch = tsdb_batch_begin(&b, db, stream, t);
    b.stepped = at.stepped;
    if (epoch != s->epoch)
        VEC_EACH (struct push_series *, x, &s->series)
            x->ref = TSDB_REF_NEW;
    s->epoch = epoch;
    push_set_fill(s, &b);
    ok = tsdb_commit(&b, e);
    for (size_t i = 0; i < s->series.n; i++)
        s->series.v[i].ref = ok ? b.items.v[i].ref : TSDB_REF_NEW;
    *refused = b.refused;
    *why = b.why;
    tsdb_batch_release(&b);
    return ok;
}
