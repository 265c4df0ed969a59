/* Lengths say how many samples a row keeps; sliding moves what is left to the front of all rows of a table at once; a
 * series moves to another table when its reach or the width of its values changes. */
#include "tsdb/stream.h"

#include "tsdb/tsdb_priv.h"

/* What stays beyond the reach, so that an evaluation that is late by a few scrapes still finds all its samples. */
enum { LATE_SLOTS = 4, SLACK_MIN = 4, TIMES_MIN = 8 };
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

/* Only slots can be histograms. */
static void drop_histograms(struct tsdb_stream *s, const struct stream_table *t,
                            const struct stream_block *b, uint32_t r, size_t n)
{
    const storage_slot *v = block_row(b, t->length, r);

    for (size_t i = 0; b->bytes == sizeof(*v) && i < n; i++)
        if (is_unlikely(storage_is_histogram(v[i])))
            slab_drop(s->slab, v[i]);
}

void stream_release(struct tsdb_stream *s)
{
    VEC_EACH (struct stream_table *, t, &s->tables) {
        for (size_t i = 0; i < t->blocks.n; i++) {
            struct stream_block *b = t->blocks.v[i];

            for (uint32_t r = 0; r < b->rows; r++)
                if ((b->used & 1u << r) != 0)
                    drop_histograms(s, t, b, r, s->end - t->first);
            *s->bytes -= table_block_bytes(t, b);
            block_free(b);
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

        for (unsigned w = 0; w < TABLE_WIDTHS; w++)
            bytes += table->of[w].room * (to - table->length) * ((size_t)2 << w);
    }
    return bytes;
}

static uint32_t first_length(const struct tsdb_stream *s, int64_t reach_ms)
{
    int64_t n = s->interval_ms > 0 ? reach_ms / s->interval_ms : 0;

    return length_for((size_t)(n < HINT_MAX ? n : HINT_MAX) + LATE_SLOTS);
}

size_t stream_row_cost(const struct tsdb_stream *s, int64_t reach_ms, storage_slot first)
{
    unsigned bytes = codes_for(&first, 1, 2).bytes, w = table_width(bytes);

    for (size_t i = 0; i < s->tables.n; i++) {
        const struct stream_table *t = &s->tables.v[i];

        if (t->reach_ms == reach_ms)
            return t->of[w].n < t->of[w].room ? 0 : block_size(t->length, TABLE_MORE_ROWS, bytes);
    }
    return block_size(first_length(s, reach_ms), TABLE_MORE_ROWS, bytes);
}

/* -- sliding -- */

static void stream_make_room(struct tsdb_stream *s, struct stream_table *t, ts_ms at)
{
    size_t n = (size_t)(s->end - t->first), keep;
    uint32_t length = length_at(s, t, at, &keep);

    if (n < t->length)
        return;
    for (size_t i = 0; i < t->blocks.n; i++) {
        struct stream_block **b = &t->blocks.v[i];

        for (uint32_t r = 0; r < (*b)->rows; r++)
            if (((*b)->used & 1u << r) != 0)
                drop_histograms(s, t, *b, r, n - keep);
        *s->bytes -= table_block_bytes(t, *b);
        *b = block_slide(*b, t->length, length, n, keep);
    }
    t->length = length;
    t->first += n - keep;
    for (size_t i = 0; i < t->blocks.n; i++)
        *s->bytes += table_block_bytes(t, t->blocks.v[i]);
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

void stream_advance(struct tsdb_stream *s, ts_ms t)
{
    VEC_EACH (struct stream_table *, table, &s->tables)
        stream_make_room(s, table, t);
    make_room_for_time(s);
    s->times[s->end++ - s->first] = t;
    VEC_EACH (struct stream_table *, table, &s->tables)
        for (size_t i = 0; i < table->blocks.n; i++)
            block_open(table->blocks.v[i], table->length, (size_t)(s->end - 1 - table->first));
}

void stream_settle(struct tsdb_stream *s, bool marks_stale)
{
    VEC_EACH (struct stream_table *, t, &s->tables)
        for (size_t i = 0; i < t->blocks.n; i++)
            block_settle(t->blocks.v[i], t->length, (size_t)(s->end - 1 - t->first), marks_stale);
}

void stream_shift(struct tsdb_stream *s, int64_t by_ms)
{
    size_t n = (size_t)(s->end - s->first);

    if (n == 0 || !tsdb_time_is_valid(s->times[0] + by_ms) ||
        !tsdb_time_is_valid(s->times[n - 1] + by_ms))
        return;
    for (size_t i = 0; i < n; i++)
        s->times[i] += by_ms;
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

/* A row with these values at the front. */
static void tsdb_stream_add_row(struct tsdb_stream *s, uint32_t column, uint32_t id,
                                const struct storage_codes *c, const storage_slot *v, size_t n,
                                struct series_place *p)
{
    struct stream_table *t = &s->tables.v[column];
    size_t at = table_block_with_room(t, c->bytes, s->bytes);
    struct stream_block *b = t->blocks.v[at];
    uint32_t r = (uint32_t)__builtin_ctz(block_free_rows(b));

    b->used |= 1u << r;
    b->put &= ~(1u << r);
    b->ids[r] = id;
    b->rising[r] = (uint32_t)s->end;
    t->of[table_width(c->bytes)].n++;
    block_write(b, t->length, r, c, v, n);
    if (b->starts != NULL)
        memset(b->starts + (size_t)r * t->length, 0, t->length * sizeof(ts_ms));
    p->stream = s;
    p->column = column & 0xff;
    p->row = (uint32_t)at * BLOCK_ROWS + r;
}

static storage_slot *blank_values(size_t n)
{
    storage_slot *v = mem_array(n + 1, sizeof(*v));

    for (size_t i = 0; i < n; i++)
        v[i] = STORAGE_ABSENT;
    return v;
}

void stream_add_row(struct tsdb_stream *s, int64_t reach_ms, uint32_t id, storage_slot first,
                    struct series_place *p)
{
    uint32_t column = table_for(s, reach_ms);
    struct storage_codes c = codes_for(&first, 1, 2);
    size_t n = (size_t)(s->end - s->tables.v[column].first);
    storage_slot *v = blank_values(n);

    tsdb_stream_add_row(s, column, id, &c, v, n, p);
    mem_free(v);
}

static struct stream_block *block_of(const struct series_place *p, struct stream_table **t,
                                     uint32_t *r)
{
    *t = &p->stream->tables.v[p->column];
    *r = p->row % BLOCK_ROWS;
    return (*t)->blocks.v[p->row / BLOCK_ROWS];
}

/* The row is another's; its histograms have been dropped, or have moved. */
static void free_row(struct tsdb_stream *s, const struct series_place *p)
{
    struct stream_table *t;
    uint32_t r;
    struct stream_block *b = block_of(p, &t, &r);

    b->used &= ~(1u << r);
    table_drop_row(t, p->row, s->bytes);
}

void stream_del_row(struct tsdb_stream *s, const struct series_place *p)
{
    struct stream_table *t;
    uint32_t r;
    const struct stream_block *b = block_of(p, &t, &r);

    drop_histograms(s, t, b, r, (size_t)(s->end - t->first));
    free_row(s, p);
}

/* Numbers of samples, which wrap. */
static uint32_t stream_later(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0 ? a : b;
}

/* The start time of a sample, that another row of the series has. */
static void copy_start(struct tsdb_stream *to, const struct series_place *p, size_t at,
                       const struct series_place *old, size_t from)
{
    struct stream_table *t;
    uint32_t r;
    const struct stream_block *old_block = block_of(old, &t, &r);
    ts_ms start = old_block->starts != NULL ? old_block->starts[(size_t)r * t->length + from] : 0;
    struct stream_block *b = block_of(p, &t, &r);

    if (start != 0)
        block_starts(b, t->length, r, to->bytes)[at] = start;
}

/* All the row's values, and room for one more. */
static storage_slot *values_of(const struct series_place *p, size_t *n)
{
    struct storage_series x;
    storage_slot *v;

    stream_read(p, &x);
    *n = x.n;
    v = mem_array(x.n + 1, sizeof(*v));
    storage_row_slots(x.row, &x.codes, 0, x.n, v);
    return v;
}

/* Moves the series to a row of another table or width of its stream, where these are its values. */
static void move_row(struct tsdb_stream *s, uint32_t column, const struct storage_codes *c,
                     const storage_slot *v, size_t n, struct series_place *p)
{
    struct series_place old = *p;
    struct stream_table *t;
    uint32_t r, rising;
    const struct stream_block *b = block_of(p, &t, &r);
    uint64_t first = t->first, to = s->tables.v[column].first;

    rising = stream_later(b->rising[r], (uint32_t)(to > first ? to : first));
    tsdb_stream_add_row(s, column, b->ids[r], c, v, n, p);
    for (uint64_t i = to > first ? to : first; i < s->end; i++)
        copy_start(s, p, (size_t)(i - to), &old, (size_t)(i - first));
    block_of(p, &t, &r)->rising[r] = rising;
    free_row(s, &old);
}

void stream_widen(struct tsdb_stream *s, int64_t reach_ms, struct series_place *p)
{
    uint64_t first = s->tables.v[p->column].first, to;
    struct storage_codes c;
    storage_slot *v, *wide;
    uint32_t column;
    size_t n;

    if (s->tables.v[p->column].reach_ms >= reach_ms)
        return;
    column = table_for(s, reach_ms);
    to = s->tables.v[column].first;
    v = values_of(p, &n);
    wide = blank_values((size_t)(s->end - to));
    for (uint64_t i = first; i < s->end; i++)
        if (i >= to)
            wide[i - to] = v[i - first];
        else if (storage_is_histogram(v[i - first]))
            slab_drop(s->slab, v[i - first]);
    n = (size_t)(s->end - to);
    c = codes_for(wide, n, 2);
    move_row(s, column, &c, wide, n, p);
    mem_free(wide);
    mem_free(v);
}

/* Where the time is among ascending ones, from `at` on; n: it is not there, and *at is behind it. */
static size_t find_time(const ts_ms *times, size_t n, size_t *at, ts_ms t)
{
    while (*at < n && times[*at] < t)
        ++*at;
    return *at < n && times[*at] == t ? *at : n;
}

void stream_move(struct tsdb_stream *to, struct series_place *p)
{
    struct series_place old = *p;
    struct tsdb_stream *s = p->stream;
    struct stream_table *t;
    uint32_t r, id = block_of(&old, &t, &r)->ids[r], column = table_for(to, t->reach_ms);
    const ts_ms *times = s->times + (t->first - s->first);
    const ts_ms *to_times = to->times + (to->tables.v[column].first - to->first);
    size_t n = (size_t)(to->end - to->tables.v[column].first), n_old, k = 0, at;
    storage_slot *v = values_of(&old, &n_old), *moved = blank_values(n);
    struct storage_codes c;

    for (size_t i = 0; i < n_old; i++)
        if ((at = find_time(to_times, n, &k, times[i])) != n)
            moved[at] = v[i];
        else if (storage_is_histogram(v[i]))
            slab_drop(s->slab, v[i]);
    c = codes_for(moved, n, 2);
    tsdb_stream_add_row(to, column, id, &c, moved, n, p);
    k = 0;
    for (size_t i = 0; i < n_old; i++)
        if ((at = find_time(to_times, n, &k, times[i])) != n)
            copy_start(to, p, at, &old, i);
    s->n_series--;
    to->n_series++;
    free_row(s, &old);
    mem_free(moved);
    mem_free(v);
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

/* Writes the row anew, in a form that has a code for its last value, too. False: it needs more than so many bytes. */
static bool refit(struct tsdb_stream *s, struct series_place *p, storage_slot slot, size_t room)
{
    struct stream_table *t;
    uint32_t r;
    struct stream_block *b = block_of(p, &t, &r);
    struct storage_codes c;
    size_t n;
    storage_slot *v = values_of(p, &n);
    bool ok = true;

    v[n - 1] = slot;
    c = codes_for(v, n, b->bytes);
    if (c.bytes == b->bytes)
        block_write(b, t->length, r, &c, v, n);
    else if (t->of[table_width(c.bytes)].n == t->of[table_width(c.bytes)].room &&
             block_size(t->length, TABLE_MORE_ROWS, c.bytes) > room)
        ok = false;
    else
        move_row(s, p->column, &c, v, n, p);
    mem_free(v);
    return ok;
}

bool stream_has(const struct series_place *p)
{
    struct stream_table *t;
    uint32_t r;
    const struct stream_block *b = block_of(p, &t, &r);

    return block_has(b, r);
}

enum stream_answer stream_put(struct tsdb_stream *s, const struct series_place *p,
                              storage_slot slot)
{
    struct stream_table *t;
    uint32_t r;
    struct stream_block *b = block_of(p, &t, &r);

    if (is_unlikely(block_has(b, r)))
        return STREAM_HAS_ONE;
    return block_put(b, t->length, r, (size_t)(s->end - 1 - t->first), (uint32_t)(s->end - 1), slot)
               ? STREAM_PUT
               : STREAM_NEEDS_ROOM;
}

bool stream_put_wider(struct tsdb_stream *s, struct series_place *p, storage_slot slot, size_t room)
{
    struct stream_table *t;
    uint32_t r;
    struct stream_block *b;

    if (!refit(s, p, slot, room))
        return false;
    b = block_of(p, &t, &r);
    block_note_put(b, t->length, r, (size_t)(s->end - 1 - t->first), (uint32_t)(s->end - 1), slot);
    return true;
}

storage_slot stream_before(struct tsdb_stream *s, const struct series_place *p)
{
    struct stream_table *t;
    uint32_t r;
    const struct stream_block *b = block_of(p, &t, &r);

    for (uint64_t n = s->end - 1 - t->first; n != 0; n--)
        if (block_slot(b, t->length, r, n - 1) != STORAGE_ABSENT)
            return block_slot(b, t->length, r, n - 1);
    return STORAGE_ABSENT;
}

void stream_set_start(struct tsdb_stream *s, const struct series_place *p, ts_ms start)
{
    struct stream_table *t;
    uint32_t r;
    struct stream_block *b = block_of(p, &t, &r);

    block_starts(b, t->length, r, s->bytes)[s->end - 1 - t->first] = start;
}

/* -- reading -- */

void stream_read(const struct series_place *p, struct storage_series *out)
{
    const struct tsdb_stream *s = p->stream;
    struct stream_table *t;
    uint32_t r;
    const struct stream_block *b = block_of(p, &t, &r);
    size_t n = (size_t)(s->end - t->first), rising = (uint32_t)s->end - b->rising[r];

    *out = (struct storage_series){.times = s->times + (t->first - s->first),
                                   .row = block_row(b, t->length, r),
                                   .codes = block_codes(b, r),
                                   .starts =
                                       b->starts != NULL ? b->starts + (size_t)r * t->length : NULL,
                                   .n = n,
                                   .rising = rising < n ? rising : n,
                                   .last = b->last[r]};
}

ts_ms stream_newest(const struct series_place *p)
{
    struct storage_series v;

    stream_read(p, &v);
    while (v.n != 0 && !block_is_value(storage_at(&v, v.n - 1)))
        v.n--;
    return v.n != 0 ? v.times[v.n - 1] : INT64_MIN;
}

ts_ms stream_newest_slot(const struct series_place *p, storage_slot *slot)
{
    struct storage_series v;

    stream_read(p, &v);
    *slot = STORAGE_ABSENT;
    while (v.n != 0 && (*slot = storage_at(&v, v.n - 1)) == STORAGE_ABSENT)
        v.n--;
    return v.n != 0 ? v.times[v.n - 1] : INT64_MIN;
}
