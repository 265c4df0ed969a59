#include "tsdb/stream.h"

/* What stays beyond the reach, so that an evaluation that is late by a few scrapes still finds all its samples. */
enum { LATE_SLOTS = 4, SLACK_MIN = 4, TIMES_MIN = 8 };
enum { MORE_ROWS = 8 };
enum { HINT_MAX = 1024 }; /* slots that are made for what is only announced */

void stream_init(struct tsdb_stream *s, const struct tsdb_stream_conf *c, struct slab *slab,
                 size_t *bytes)
{
    *s = (struct tsdb_stream){.name = mem_str_dup(c->name),
                              .interval_ms = c->interval_ms,
                              .marks_stale = c->marks_stale,
                              .is_open = true,
                              .times = mem_array(TIMES_MIN, sizeof(ts_ms)),
                              .length = TIMES_MIN,
                              .slab = slab,
                              .bytes = bytes,
                              .root = s};
    *bytes += TIMES_MIN * sizeof(ts_ms);
}

static size_t block_size(uint32_t length, uint32_t rows)
{
    return sizeof(struct stream_block) + (size_t)rows * length * sizeof(storage_slot);
}

static size_t starts_size(uint32_t length, uint32_t rows)
{
    return (size_t)rows * length * sizeof(ts_ms);
}

static void drop_slots(struct tsdb_stream *s, const storage_slot *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_unlikely(storage_is_histogram(v[i])))
            slab_drop(s->slab, v[i]);
}

static void free_block(struct tsdb_stream *s, struct stream_table *t, struct stream_block *b)
{
    *s->bytes -= block_size(t->length, b->rows);
    *s->bytes -= b->starts != NULL ? starts_size(t->length, b->rows) : 0;
    mem_free(b->starts);
    mem_free(b);
}

void stream_release(struct tsdb_stream *s)
{
    VEC_EACH (struct stream_table *, t, &s->tables) {
        for (size_t i = 0; i < t->blocks.n; i++) {
            struct stream_block *b = t->blocks.v[i];

            for (uint32_t r = 0; r < b->rows; r++)
                if ((b->used & 1u << r) != 0)
                    drop_slots(s, b->slots + (size_t)r * t->length, s->end - t->first);
            free_block(s, t, b);
        }
        vec_release(&t->blocks);
    }
    vec_release(&s->tables);
    vec_release(&s->lanes);
    *s->bytes -= s->length * sizeof(ts_ms);
    mem_free(s->times);
    mem_str_free(s->name);
}

/* -- lengths -- */

static uint32_t length_for(size_t keep)
{
    return (uint32_t)(keep + 1 + (keep / 8 > SLACK_MIN ? keep / 8 : SLACK_MIN));
}

/* How many of the table's samples stay when one at t comes. */
static size_t keep_at(const struct tsdb_stream *s, const struct stream_table *t, ts_ms at)
{
    const ts_ms *times = s->times + (t->first - s->first);
    size_t n = (size_t)(s->end - t->first), lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (times[mid] > at - t->reach_ms)
            hi = mid;
        else
            lo = mid + 1;
    }
    return n - lo + LATE_SLOTS < n ? n - lo + LATE_SLOTS : n;
}

/* The length that the table needs to take a sample at t; its own when it fits. */
static uint32_t length_at(const struct tsdb_stream *s, const struct stream_table *t, ts_ms at,
                          size_t *keep)
{
    uint32_t length;

    *keep = (size_t)(s->end - t->first);
    if (*keep < t->length)
        return t->length;
    *keep = keep_at(s, t, at);
    length = length_for(*keep);
    return length > t->length ? length : t->length;
}

size_t stream_growth(const struct tsdb_stream *s, ts_ms t)
{
    size_t bytes = 0, keep;

    for (size_t i = 0; i < s->tables.n; i++) {
        const struct stream_table *table = &s->tables.v[i];
        uint32_t to = length_at(s, table, t, &keep);

        bytes += table->room * (to - table->length) * sizeof(storage_slot);
    }
    return bytes;
}

static uint32_t first_length(const struct tsdb_stream *s, int64_t reach_ms)
{
    int64_t n = s->interval_ms > 0 ? reach_ms / s->interval_ms : 0;

    return length_for((size_t)(n < HINT_MAX ? n : HINT_MAX) + LATE_SLOTS);
}

size_t stream_row_cost(const struct tsdb_stream *s, int64_t reach_ms)
{
    for (size_t i = 0; i < s->tables.n; i++) {
        const struct stream_table *t = &s->tables.v[i];

        if (t->reach_ms == reach_ms)
            return t->n < t->room ? 0 : block_size(t->length, MORE_ROWS);
    }
    return block_size(first_length(s, reach_ms), MORE_ROWS);
}

/* -- sliding -- */

/* Moves the last keep of n values of every used row to the front of rows of the new length. */
static struct stream_block *resize_block(struct tsdb_stream *s, struct stream_table *t,
                                         struct stream_block *old, uint32_t length, size_t n,
                                         size_t keep)
{
    struct stream_block *b = old;

    if (length != t->length) {
        b = mem_alloc(block_size(length, old->rows));
        *b = *old;
        b->starts = old->starts != NULL ? mem_alloc(starts_size(length, b->rows)) : NULL;
        *s->bytes += block_size(length, b->rows);
        *s->bytes += b->starts != NULL ? starts_size(length, b->rows) : 0;
    }
    for (uint32_t r = 0; r < old->rows; r++) {
        storage_slot *from = old->slots + (size_t)r * t->length;

        if ((old->used & 1u << r) == 0)
            continue;
        drop_slots(s, from, n - keep);
        memmove(b->slots + (size_t)r * length, from + (n - keep), keep * sizeof(*from));
        if (b->starts != NULL)
            memmove(b->starts + (size_t)r * length,
                    old->starts + (size_t)r * t->length + (n - keep), keep * sizeof(*b->starts));
    }
    if (b != old)
        free_block(s, t, old);
    return b;
}

static void make_room(struct tsdb_stream *s, struct stream_table *t, ts_ms at)
{
    size_t n = (size_t)(s->end - t->first), keep;
    uint32_t length = length_at(s, t, at, &keep);

    if (n < t->length)
        return;
    for (size_t i = 0; i < t->blocks.n; i++)
        t->blocks.v[i] = resize_block(s, t, t->blocks.v[i], length, n, keep);
    t->length = length;
    t->first += n - keep;
}

static void make_room_for_time(struct tsdb_stream *s)
{
    size_t n = (size_t)(s->end - s->first);
    uint64_t first = n != 0 ? s->end - 1 : s->end; /* the last is the stream's last time */
    uint32_t length;

    if (n < s->length)
        return;
    VEC_EACH (struct stream_table *, t, &s->tables)
        first = t->first < first ? t->first : first;
    n = (size_t)(s->end - first);
    if (n != 0 && first != s->first)
        memmove(s->times, s->times + (first - s->first), n * sizeof(ts_ms));
    s->first = first;
    if (n + SLACK_MIN <= s->length)
        return;
    length = length_for(n);
    s->times = mem_resize(s->times, length, sizeof(ts_ms));
    *s->bytes += (length - s->length) * sizeof(ts_ms);
    s->length = length;
}

static void blank_last(struct tsdb_stream *s, struct stream_table *t)
{
    size_t at = (size_t)(s->end - 1 - t->first);

    for (size_t i = 0; i < t->blocks.n; i++) {
        struct stream_block *b = t->blocks.v[i];

        for (size_t r = 0; r < b->rows; r++) {
            b->slots[r * t->length + at] = STORAGE_ABSENT;
            b->last[r] = STORAGE_ABSENT;
        }
        for (size_t r = 0; b->starts != NULL && r < b->rows; r++)
            b->starts[r * t->length + at] = 0;
    }
}

void stream_advance(struct tsdb_stream *s, ts_ms t)
{
    VEC_EACH (struct stream_table *, table, &s->tables)
        make_room(s, table, t);
    make_room_for_time(s);
    s->times[s->end++ - s->first] = t;
    VEC_EACH (struct stream_table *, table, &s->tables)
        blank_last(s, table);
}

/* -- rows -- */

static uint32_t table_for(struct tsdb_stream *s, int64_t reach_ms)
{
    size_t n = (size_t)(s->end - s->first);
    struct stream_table t = {.reach_ms = reach_ms};

    for (uint32_t i = 0; i < s->tables.n; i++)
        if (s->tables.v[i].reach_ms == reach_ms)
            return i;
    if (s->tables.n == STREAM_TABLES_MAX) { /* the last one serves all further reaches */
        if (vec_last(&s->tables)->reach_ms < reach_ms)
            vec_last(&s->tables)->reach_ms = reach_ms;
        return STREAM_TABLES_MAX - 1;
    }
    t.length = first_length(s, reach_ms);
    n = n < t.length ? n : t.length;
    t.first = s->end - n;
    vec_push(&s->tables, t);
    return (uint32_t)s->tables.n - 1;
}

static uint32_t free_rows(const struct stream_block *b) /* a bit a row */
{
    return ~b->used & (UINT32_MAX >> (BLOCK_ROWS - b->rows));
}

/* The last block, with more rows. */
static void grow_block(struct tsdb_stream *s, struct stream_table *t)
{
    struct stream_block **last, *b;

    if (t->blocks.n == 0 || (*vec_last(&t->blocks))->rows == BLOCK_ROWS) {
        b = mem_alloc(sizeof(*b));
        *b = (struct stream_block){0};
        *s->bytes += sizeof(*b);
        vec_push(&t->blocks, b);
    }
    last = vec_last(&t->blocks);
    b = mem_resize(*last, block_size(t->length, (*last)->rows + MORE_ROWS), 1);
    *last = b;
    if (b->starts != NULL) {
        b->starts = mem_resize(b->starts, starts_size(t->length, b->rows + MORE_ROWS), 1);
        *s->bytes += starts_size(t->length, MORE_ROWS);
    }
    *s->bytes += (size_t)MORE_ROWS * t->length * sizeof(storage_slot);
    b->rows += MORE_ROWS;
    t->room += MORE_ROWS;
}

static struct stream_block *block_with_room(struct tsdb_stream *s, struct stream_table *t,
                                            uint32_t *at)
{
    for (size_t i = t->blocks.n; i-- != 0 && t->n != t->room;) {
        *at = (uint32_t)i;
        if (free_rows(t->blocks.v[i]) != 0)
            return t->blocks.v[i];
    }
    grow_block(s, t);
    *at = (uint32_t)t->blocks.n - 1;
    return *vec_last(&t->blocks);
}

void stream_add_row(struct tsdb_stream *s, int64_t reach_ms, uint32_t id, struct series_place *p)
{
    uint32_t column = table_for(s, reach_ms), at, r;
    struct stream_table *t = &s->tables.v[column];
    struct stream_block *b = block_with_room(s, t, &at);

    r = (uint32_t)__builtin_ctz(free_rows(b));
    b->used |= 1u << r;
    b->ids[r] = id;
    b->rising[r] = (uint32_t)s->end;
    b->last[r] = STORAGE_ABSENT;
    t->n++;
    for (size_t i = 0; i < s->end - t->first; i++)
        b->slots[(size_t)r * t->length + i] = STORAGE_ABSENT;
    if (b->starts != NULL)
        memset(b->starts + (size_t)r * t->length, 0, t->length * sizeof(ts_ms));
    p->stream = s;
    p->column = column & 0xff;
    p->row = at * BLOCK_ROWS + r;
}

static storage_slot *row_of(const struct series_place *p, struct stream_table **t,
                            struct stream_block **b)
{
    *t = &p->stream->tables.v[p->column];
    *b = (*t)->blocks.v[p->row / BLOCK_ROWS];
    return (*b)->slots + (size_t)(p->row % BLOCK_ROWS) * (*t)->length;
}

void stream_del_row(struct tsdb_stream *s, const struct series_place *p)
{
    struct stream_table *t;
    struct stream_block *b;
    storage_slot *row = row_of(p, &t, &b);

    drop_slots(s, row, (size_t)(s->end - t->first));
    b->used &= ~(1u << p->row % BLOCK_ROWS);
    t->n--;
    while (t->blocks.n != 0 && (*vec_last(&t->blocks))->used == 0) { /* others keep their numbers */
        t->room -= (*vec_last(&t->blocks))->rows;
        free_block(s, t, vec_pop(&t->blocks));
    }
}

static void ensure_starts(struct tsdb_stream *s, const struct stream_table *t,
                          struct stream_block *b)
{
    if (b->starts != NULL)
        return;
    b->starts = mem_array((size_t)b->rows * t->length, sizeof(ts_ms));
    *s->bytes += starts_size(t->length, b->rows);
}

static ts_ms *starts_of(const struct series_place *p, const struct stream_table *t,
                        const struct stream_block *b)
{
    return b->starts + (size_t)(p->row % BLOCK_ROWS) * t->length;
}

/* Numbers of samples, which wrap. */
static uint32_t later(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0 ? a : b;
}

void stream_widen(struct tsdb_stream *s, int64_t reach_ms, struct series_place *p)
{
    struct stream_table *from_table, *to_table;
    struct stream_block *from_block, *to_block;
    struct series_place old = *p;
    uint32_t id;
    size_t n, skip, at;
    storage_slot *from, *to;

    if (s->tables.v[p->column].reach_ms >= reach_ms)
        return;
    (void)row_of(&old, &from_table, &from_block);
    id = from_block->ids[old.row % BLOCK_ROWS];
    stream_add_row(s, reach_ms, id, p);
    from = row_of(&old, &from_table, &from_block); /* tables may have moved */
    to = row_of(p, &to_table, &to_block);
    n = (size_t)(s->end - from_table->first);
    skip = from_table->first < to_table->first ? (size_t)(to_table->first - from_table->first) : 0;
    at = (size_t)(from_table->first + skip - to_table->first);
    for (size_t i = skip; i < n; i++) {
        to[at + i - skip] = from[i];
        from[i] = STORAGE_ABSENT; /* its histogram has moved */
    }
    to_block->last[p->row % BLOCK_ROWS] = from_block->last[old.row % BLOCK_ROWS];
    to_block->rising[p->row % BLOCK_ROWS] =
        later(from_block->rising[old.row % BLOCK_ROWS], (uint32_t)(from_table->first + skip));
    if (from_block->starts != NULL) {
        ensure_starts(s, to_table, to_block);
        memcpy(starts_of(p, to_table, to_block) + at,
               starts_of(&old, from_table, from_block) + skip, (n - skip) * sizeof(ts_ms));
    }
    stream_del_row(s, &old);
}

/* One value from one row to another; its histogram moves with it. */
static void move_value(struct tsdb_stream *to, const struct series_place *p, size_t at,
                       const struct series_place *old, size_t from)
{
    struct stream_table *from_table, *to_table;
    struct stream_block *from_block, *to_block;
    storage_slot *x = row_of(old, &from_table, &from_block) + from;

    row_of(p, &to_table, &to_block)[at] = *x;
    *x = STORAGE_ABSENT;
    if (from_block->starts != NULL && starts_of(old, from_table, from_block)[from] != 0) {
        ensure_starts(to, to_table, to_block);
        starts_of(p, to_table, to_block)[at] = starts_of(old, from_table, from_block)[from];
    }
}

void stream_move(struct tsdb_stream *to, struct series_place *p)
{
    struct series_place old = *p;
    struct stream_table *t;
    struct stream_block *b;
    struct storage_series from, into;
    size_t at = 0;

    (void)row_of(&old, &t, &b);
    stream_add_row(to, t->reach_ms, b->ids[old.row % BLOCK_ROWS], p);
    stream_read(&old, &from);
    stream_read(p, &into);
    for (size_t i = 0; i < from.n; i++) {
        while (at < into.n && into.times[at] < from.times[i])
            at++;
        if (at < into.n && into.times[at] == from.times[i])
            move_value(to, p, at, &old, i);
    }
    if (into.n != 0) {
        storage_slot *row = row_of(p, &t, &b);

        b->last[p->row % BLOCK_ROWS] = row[into.n - 1];
    }
    old.stream->n_series--;
    to->n_series++;
    stream_del_row(old.stream, &old);
}

void stream_take_times(struct tsdb_stream *s, const struct tsdb_stream *from, ts_ms t)
{
    size_t n = (size_t)(from->end - from->first);
    uint32_t length;

    while (n != 0 && from->times[n - 1] >= t)
        n--;
    if (n == 0)
        return;
    length = length_for(n);
    if (length > s->length) {
        s->times = mem_resize(s->times, length, sizeof(ts_ms));
        *s->bytes += (length - s->length) * sizeof(ts_ms);
        s->length = length;
    }
    memcpy(s->times, from->times, n * sizeof(ts_ms));
    s->end = s->first + n;
}

storage_slot stream_slot(const struct series_place *p)
{
    struct stream_table *t;
    struct stream_block *b;

    (void)row_of(p, &t, &b);
    return b->last[p->row % BLOCK_ROWS];
}

static double as_float(storage_slot slot)
{
    double v;

    memcpy(&v, &slot, sizeof(v));
    return v;
}

void stream_put(struct tsdb_stream *s, const struct series_place *p, storage_slot slot)
{
    struct stream_table *t;
    struct stream_block *b;
    storage_slot *row = row_of(p, &t, &b);
    size_t at = (size_t)(s->end - 1 - t->first);

    row[at] = slot;
    b->last[p->row % BLOCK_ROWS] = slot;
    if (at == 0 || !(as_float(slot) >= as_float(row[at - 1]))) /* so are all NaNs */
        b->rising[p->row % BLOCK_ROWS] = (uint32_t)(s->end - 1);
}

storage_slot stream_before(struct tsdb_stream *s, const struct series_place *p)
{
    struct stream_table *t;
    struct stream_block *b;
    const storage_slot *row = row_of(p, &t, &b);

    for (uint64_t n = s->end - 1 - t->first; n != 0; n--)
        if (row[n - 1] != STORAGE_ABSENT)
            return row[n - 1];
    return STORAGE_ABSENT;
}

void stream_set_start(struct tsdb_stream *s, const struct series_place *p, ts_ms start)
{
    struct stream_table *t;
    struct stream_block *b;

    (void)row_of(p, &t, &b);
    ensure_starts(s, t, b);
    starts_of(p, t, b)[s->end - 1 - t->first] = start;
}

static bool is_value(storage_slot slot)
{
    return slot != STORAGE_ABSENT && slot != STORAGE_STALE;
}

void stream_mark_stale(struct tsdb_stream *s)
{
    VEC_EACH (struct stream_table *, t, &s->tables) {
        size_t at = (size_t)(s->end - 1 - t->first);

        if (at == 0)
            continue;
        for (size_t i = 0; i < t->blocks.n; i++) {
            struct stream_block *b = t->blocks.v[i];

            for (uint32_t r = 0; r < b->rows; r++) {
                storage_slot *slot = b->slots + (size_t)r * t->length + at;

                if ((b->used & 1u << r) != 0 && slot[0] == STORAGE_ABSENT && is_value(slot[-1]))
                    slot[0] = b->last[r] = STORAGE_STALE;
            }
        }
    }
}

/* -- reading -- */

void stream_read(const struct series_place *p, struct storage_series *out)
{
    const struct tsdb_stream *s = p->stream;
    struct stream_table *t;
    struct stream_block *b;
    const storage_slot *row = row_of(p, &t, &b);
    size_t n = (size_t)(s->end - t->first);
    size_t rising = (uint32_t)s->end - b->rising[p->row % BLOCK_ROWS];

    *out = (struct storage_series){.times = s->times + (t->first - s->first),
                                   .slots = row,
                                   .starts = b->starts != NULL ? starts_of(p, t, b) : NULL,
                                   .n = n,
                                   .rising = rising < n ? rising : n,
                                   .last = b->last[p->row % BLOCK_ROWS]};
}

ts_ms stream_newest(const struct series_place *p)
{
    struct storage_series v;

    stream_read(p, &v);
    while (v.n != 0 && !is_value(v.slots[v.n - 1]))
        v.n--;
    return v.n != 0 ? v.times[v.n - 1] : INT64_MIN;
}

ts_ms stream_newest_slot(const struct series_place *p, storage_slot *slot)
{
    struct storage_series v;

    stream_read(p, &v);
    while (v.n != 0 && v.slots[v.n - 1] == STORAGE_ABSENT)
        v.n--;
    *slot = v.n != 0 ? v.slots[v.n - 1] : STORAGE_ABSENT;
    return v.n != 0 ? v.times[v.n - 1] : INT64_MIN;
}
