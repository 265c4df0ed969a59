/* memory.c - the backend of tests and of runs that keep nothing: what was flushed survives state_memory_crash(). */
#include "state/backend.h"

#include "base/mem.h"
#include "base/record.h"
#include "base/vec.h"
#include "model/row.h"

struct memory_row {
    str key, value;
};

typedef VEC(struct memory_row) rows; /* sorted by key */

struct waiting {
    uint64_t n;
    struct state_commit commit;
    bool is_slice;
    enum state_slice which;  /* of a new alert log */
    struct state_read *read; /* or this, without a number */
};

typedef VEC(str) records;

struct disk {
    rows tables[STATE_TABLES];
    records alerts, next; /* the log; what is to take its place */
    bool has_next;
};

struct memory {
    struct state_backend backend;
    struct state_shell shell;
    struct disk disk;
    VEC(struct waiting) queue;
    uint64_t handed;
    struct state_stats stats;
    bool fails, fails_late;
};

static size_t memory_find(const rows *r, str key, bool *found)
{
    size_t lo = 0, hi = r->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (str_cmp(r->v[mid].key, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < r->n && str_eq(r->v[lo].key, key);
    return lo;
}

static void row_release(struct memory_row *r)
{
    mem_str_free(r->key);
    mem_str_free(r->value);
}

static void memory_put(rows *r, str key, str value)
{
    bool found;
    size_t i = memory_find(r, key, &found);
    struct memory_row made = {mem_str_dup(key), mem_str_dup(value)};

    if (found) {
        row_release(&r->v[i]);
        r->v[i] = made;
        return;
    }
    vec_push(r, made);
    memmove(&r->v[i + 1], &r->v[i], (r->n - 1 - i) * sizeof(r->v[0]));
    r->v[i] = made;
}

static void memory_drop(rows *r, str key)
{
    bool found;
    size_t i = memory_find(r, key, &found);

    if (!found)
        return;
    row_release(&r->v[i]);
    vec_remove(r, i);
}

static void records_clear(records *v)
{
    VEC_EACH (str *, s, v)
        mem_str_free(*s);
    vec_clear(v);
}

static void records_add(records *v, str framed)
{
    str record;

    while (record_next(&framed, &record))
        vec_push(v, mem_str_dup(record));
    BUG_ON(framed.n != 0);
}

static void disk_clear(struct disk *d)
{
    for (size_t t = 0; t < STATE_TABLES; t++) {
        VEC_EACH (struct memory_row *, r, &d->tables[t])
            row_release(r);
        vec_release(&d->tables[t]);
    }
    records_clear(&d->alerts);
    vec_release(&d->alerts);
    records_clear(&d->next);
    vec_release(&d->next);
    d->has_next = false;
}

static void memory_apply(struct disk *d, const struct state_commit *c)
{
    struct unpack u = unpack_of(buf_str(&c->ops));
    struct state_op op;

    while (state_op_next(&u, &op)) {
        if (op.put)
            memory_put(&d->tables[op.table], op.key, op.value);
        else
            memory_drop(&d->tables[op.table], op.key);
    }
    records_add(&d->alerts, buf_str(&c->alerts));
    if (d->has_next)
        records_add(&d->next, buf_str(&c->alerts));
}

static void apply_slice(struct disk *d, const struct state_commit *c, enum state_slice which)
{
    if (which & STATE_SLICE_FIRST) {
        records_clear(&d->next);
        d->has_next = true;
    }
    records_add(&d->next, buf_str(&c->alerts));
    if (!(which & STATE_SLICE_LAST))
        return;
    records_clear(&d->alerts);
    vec_release(&d->alerts);
    d->alerts = d->next;
    d->next = (records)VEC_INIT;
    d->has_next = false;
}

static uint64_t memory_commit(void *self, struct state_commit *c)
{
    struct memory *m = self;

    vec_push(&m->queue, (struct waiting){.n = ++m->handed, .commit = *c});
    *c = (struct state_commit){0};
    return m->handed;
}

static uint64_t memory_alerts_slice(void *self, struct buf *framed, enum state_slice which)
{
    struct memory *m = self;

    vec_push(&m->queue, (struct waiting){.n = ++m->handed,
                                         .commit = {.alerts = *framed},
                                         .is_slice = true,
                                         .which = which});
    *framed = (struct buf)BUF_INIT;
    return m->handed;
}

static bool memory_scan(void *self, enum state_table t, bool (*row)(void *arg, str key, str value),
                        void *arg, struct err *e)
{
    const struct disk *d = &((struct memory *)self)->disk;

    (void)e;
    VEC_EACH (const struct memory_row *, it, &d->tables[t])
        if (!row(arg, it->key, it->value))
            return true;
    if (t == STATE_ALERT)
        VEC_EACH (const str *, it, &d->alerts)
            if (!row(arg, STR_NONE, *it))
                return true;
    return true;
}

static void memory_answer(struct memory *m, struct state_read *r)
{
    const struct err down = {.code = ERR_IO, .msg = "the store is degraded"};
    const rows *all = &m->disk.tables[r->table];
    bool ignored;

    for (size_t i =
             memory_find(all, str_cmp(r->from, r->prefix) > 0 ? r->from : r->prefix, &ignored);
         i < all->n && !m->stats.degraded && state_read_add(r, all->v[i].key, all->v[i].value); i++)
        continue;
    r->done(r, m->stats.degraded ? &down : NULL);
}

static void memory_read_rows(void *self, struct state_read *r)
{
    struct memory *m = self;

    BUG_ON(r->table == STATE_ALERT);
    if (m->queue.n == 0)
        memory_answer(m, r);
    else
        vec_push(&m->queue, (struct waiting){.n = m->handed, .read = r});
}

static void memory_stats(void *self, struct state_stats *out)
{
    const struct memory *m = self;

    *out = m->stats;
    VEC_EACH (const str *, s, &m->disk.alerts)
        out->alert_log_bytes += RECORD_HEAD + s->n;
}

static void memory_sync_all(void *self)
{
    state_memory_flush(&((struct memory *)self)->backend);
}

static void memory_free(void *self)
{
    struct memory *m = self;

    VEC_EACH (struct waiting *, w, &m->queue) {
        if (w->read != NULL)
            memory_answer(m, w->read);
        state_commit_release(&w->commit);
    }
    vec_release(&m->queue);
    disk_clear(&m->disk);
    mem_free(m);
}

static const struct state_backend_ops memory_ops = {
    .name = "memory",
    .commit = memory_commit,
    .scan = memory_scan,
    .read = memory_read_rows,
    .alerts_slice = memory_alerts_slice,
    .stats = memory_stats,
    .sync = memory_sync_all,
    .free = memory_free,
};

struct state_backend *state_memory_new(const struct state_shell *shell)
{
    struct memory *m = mem_new(struct memory);

    m->shell = *shell;
    m->backend = (struct state_backend){&memory_ops, m};
    return &m->backend;
}

static void write_one(struct memory *m, const struct waiting *w)
{
    if (w->is_slice)
        apply_slice(&m->disk, &w->commit, w->which);
    else
        memory_apply(&m->disk, &w->commit);
}

/* One commit of the queue; the callbacks may hand over more. */
static void flush_one(struct memory *m, struct waiting *w)
{
    const struct err e = {.code = ERR_IO, .msg = "memory backend told to fail"};
    bool written = !m->fails && !m->stats.degraded, ok = written && !m->fails_late;

    if (w->read != NULL) {
        memory_answer(m, w->read);
        return;
    }
    if (written)
        write_one(m, w);
    if (ok) {
        m->stats.commits++;
    } else {
        m->stats.failed++;
        m->stats.degraded = true;
    }
    state_commit_release(&w->commit);
    m->shell.committed(m->shell.arg, w->n, ok, ok ? NULL : &e);
}

static void recover(struct memory *m)
{
    struct state_commit all = {0};

    m->shell.snapshot(m->shell.arg, &all);
    disk_clear(&m->disk);
    memory_apply(&m->disk, &all);
    state_commit_release(&all);
    m->stats.degraded = false;
    m->shell.committed(m->shell.arg, m->handed, true, NULL);
}

size_t state_memory_queued(const struct state_backend *b)
{
    return ((const struct memory *)b->self)->queue.n;
}

void state_memory_report(struct state_backend *b, size_t n)
{
    struct memory *m = b->self;

    for (; n != 0 && m->queue.n != 0; n--) {
        struct waiting w = m->queue.v[0];

        vec_remove(&m->queue, 0);
        flush_one(m, &w);
    }
    if (m->stats.degraded && !m->fails && !m->fails_late && m->queue.n == 0)
        recover(m);
}

void state_memory_flush(struct state_backend *b)
{
    state_memory_report(b, SIZE_MAX);
}

void state_memory_fail(struct state_backend *b, bool fail)
{
    ((struct memory *)b->self)->fails = fail;
}

void state_memory_fail_late(struct state_backend *b, bool fail)
{
    ((struct memory *)b->self)->fails_late = fail;
}

static struct state_backend *take_disk(struct memory *m, const struct state_shell *shell)
{
    struct state_backend *next = state_memory_new(shell);

    records_clear(&m->disk.next);
    vec_release(&m->disk.next);
    m->disk.has_next = false;
    ((struct memory *)next->self)->disk = m->disk;
    m->disk = (struct disk){0};
    return next;
}

struct state_backend *state_memory_cut(struct state_backend *b, size_t n)
{
    struct memory *m = b->self;

    for (size_t i = 0; i < n && i < m->queue.n && !m->fails && !m->stats.degraded; i++)
        if (m->queue.v[i].read == NULL)
            write_one(m, &m->queue.v[i]);
    return take_disk(m, &(struct state_shell){0});
}

void state_memory_attach(struct state_backend *b, const struct state_shell *shell)
{
    ((struct memory *)b->self)->shell = *shell;
}

void state_memory_each(const struct state_backend *b, enum state_table t,
                       void (*row)(void *arg, str key, str value), void *arg)
{
    const rows *r = &((const struct memory *)b->self)->disk.tables[t];

    VEC_EACH (const struct memory_row *, it, r)
        row(arg, it->key, it->value);
}

struct state_backend *state_memory_crash(struct state_backend *b, const struct state_shell *shell)
{
    struct memory *m = b->self;
    struct state_backend *next = take_disk(m, shell);

    memory_free(m);
    return next;
}
