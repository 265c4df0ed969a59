#include "remote_write/hearing.h"

#include "base/map.h"
#include "base/vec.h"
#include "remote_write/request.h"
#include "tsdb/log_record.h"

struct heard_stream {
    str name; /* owned */
    bool is_rule, is_named, marks_stale;
    uint64_t records;
    VEC(struct heard_series *) had, has; /* by the last record; by this one */
};

struct hearing {
    heard_cb *each;
    void *arg;
    bool of_all, is_deaf;           /* deaf: what has numbers was named before anybody listened */
    struct str_map series, streams; /* by labels; by name */
    VEC(struct heard_series *) by_number; /* of the segment; NULL: nobody listens */
    VEC(struct heard_stream *) numbered;  /* likewise */
    struct arena a;
    struct buf labels;
};

struct hearing *hearing_new(heard_cb *each, void *arg)
{
    struct hearing *h = mem_new(struct hearing);

    h->each = each;
    h->arg = arg;
    h->is_deaf = true;
    arena_init(&h->a, 0);
    return h;
}

static void heard_forget_made(struct heard_series *s)
{
    for (size_t i = 0; i < s->n_made; i++)
        mem_str_free(s->made[i]);
    mem_free(s->made);
    s->made = NULL;
    s->n_made = 0;
}

static void heard_free_series(struct heard_series *s)
{
    heard_forget_made(s);
    mem_str_free(s->labels);
    mem_free(s);
}

static void heard_free_stream(struct heard_stream *s)
{
    vec_release(&s->had);
    vec_release(&s->has);
    mem_str_free(s->name);
    mem_free(s);
}

void hearing_free(struct hearing *h)
{
    if (h == NULL)
        return;
    MAP_EACH (struct str_map_entry, e, &h->series)
        heard_free_series(e->value);
    MAP_EACH (struct str_map_entry, e, &h->streams)
        heard_free_stream(e->value);
    str_map_release(&h->series);
    str_map_release(&h->streams);
    vec_release(&h->by_number);
    vec_release(&h->numbered);
    buf_release(&h->labels);
    arena_release(&h->a);
    mem_free(h);
}

void hearing_of_all(struct hearing *h, bool all)
{
    h->of_all = all;
}

void hearing_forget_made(struct hearing *h)
{
    MAP_EACH (struct str_map_entry, e, &h->series)
        heard_forget_made(e->value);
}

/* -- segments -- */

/* Of what its last record had, what no other stream has since. */
static void hearing_keep_own(struct heard_stream *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->had.n; i++)
        if (s->had.v[i]->of == s)
            s->had.v[n++] = s->had.v[i];
    s->had.n = n;
}

/* What was not named in the segment that is over, and is in no stream's last record, is forgotten. */
void hearing_begin(struct hearing *h)
{
    h->is_deaf = false;
    vec_clear(&h->by_number);
    vec_clear(&h->numbered);
    MAP_EACH (struct str_map_entry, e, &h->streams) {
        struct heard_stream *s = e->value;

        hearing_keep_own(s);
        if (!s->is_named && s->had.n == 0) {
            str_map_del_entry(&h->streams, e);
            heard_free_stream(s);
        } else {
            s->is_named = false;
        }
    }
    MAP_EACH (struct str_map_entry, e, &h->series) {
        struct heard_series *s = e->value;

        if (s->of == NULL) {
            str_map_del_entry(&h->series, e);
            heard_free_series(s);
        }
    }
}

static struct heard_stream *hear_stream(struct hearing *h, const struct tsdb_stream_conf *c)
{
    bool is_rule = str_starts_with(c->name, S("rule/")), is_new;
    struct heard_stream *s;
    void **at;

    if (!is_rule && !h->of_all)
        return NULL;
    at = str_map_get(&h->streams, c->name);
    s = at != NULL ? *at : mem_new(struct heard_stream);
    if (at == NULL) {
        s->name = mem_str_dup(c->name);
        (void)str_map_add(&h->streams, s->name, s, &is_new);
    }
    s->is_rule = is_rule;
    s->marks_stale = c->marks_stale;
    s->is_named = true;
    return s;
}

static struct heard_series *hear_series(struct hearing *h, struct labels ls)
{
    struct heard_series *s;
    bool is_new;
    void **at;

    buf_clear(&h->labels);
    LABELS_EACH (l, ls)
        request_put_label(&h->labels, l->name, l->value);
    at = str_map_get(&h->series, buf_str(&h->labels));
    if (at != NULL)
        return *at;
    s = mem_new(struct heard_series);
    s->labels = mem_str_dup(buf_str(&h->labels));
    (void)str_map_add(&h->series, s->labels, s, &is_new);
    return s;
}

/* -- records -- */

static void hear_end(struct hearing *h, struct heard_stream *from, struct heard_series *s, ts_ms t)
{
    const struct heard x = {.series = s, .t = t, .slot = STORAGE_STALE, .is_rule = from->is_rule};

    s->of = NULL;
    h->each(h->arg, &x);
}

/* As the store has it: of two of one series in a record the first counts. */
static void hear_sample(struct hearing *h, struct heard_stream *from, struct heard_series *s,
                        ts_ms t, const struct log_item *item)
{
    const struct heard x = {.series = s,
                            .t = t,
                            .slot = item->slot,
                            .histogram = item->histogram,
                            .is_rule = from->is_rule};

    if (s->of == from && s->seen == from->records)
        return;
    s->of = from;
    s->seen = from->records;
    if (x.histogram == NULL && x.slot == STORAGE_STALE)
        s->of = NULL;
    else
        vec_push(&from->has, s);
    h->each(h->arg, &x);
}

static void hear_items(struct hearing *h, struct unpack *u, const struct log_head *head,
                       struct heard_stream *from)
{
    uint64_t last = UINT64_MAX;
    struct err e = ERR_INIT;
    struct log_item item;

    for (size_t i = 0; i < head->items; i++) {
        arena_reset(&h->a);
        if (!log_read_item(u, last, h->by_number.n, &h->a, &item, &e))
            return;
        if (item.is_new)
            vec_push(&h->by_number, from != NULL ? hear_series(h, item.labels) : NULL);
        if (from != NULL && h->by_number.v[item.series] != NULL)
            hear_sample(h, from, h->by_number.v[item.series], head->t, &item);
        last = item.series;
    }
}

/* Those that are in the last record and not in this one: a series that another stream has now has not ended. */
static void hear_ends(struct hearing *h, struct heard_stream *s, ts_ms t, bool ends)
{
    VEC_EACH (struct heard_series **, x, &s->had)
        if ((*x)->of == s && (*x)->seen != s->records) {
            if (ends)
                hear_end(h, s, *x, t);
            else
                (*x)->of = NULL;
        }
    vec_clear(&s->had);
    vec_swap(&s->had, &s->has);
}

void hearing_record(struct hearing *h, str bytes)
{
    struct unpack u = unpack_of(bytes);
    struct err e = ERR_INIT;
    struct log_head head;
    struct heard_stream *s;

    if (h->is_deaf || !log_read_head(&u, h->numbered.n, &head, &e) || head.kind == LOG_STEP)
        return;
    if (head.is_new)
        vec_push(&h->numbered, hear_stream(h, &head.conf));
    s = h->numbered.v[head.stream];
    if (s != NULL)
        s->records++;
    if (head.kind == LOG_BATCH)
        hear_items(h, &u, &head, s);
    if (s != NULL)
        hear_ends(h, s, head.t, s->marks_stale || head.kind == LOG_CLOSE);
}
