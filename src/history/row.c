/* Tokens one way and the other, and what guards them. */
#include "history/row.h"

#include "base/crc32c.h"
#include "tsdb/codes.h"
#include "tsdb/log_record.h"

enum {
    ROW_EXPONENT = 15,
    ROW_SLOTS = 16, /* instead of whole numbers */
    ROW_STARTS = 32,
    ROW_TIMES_MAX = 1 << 20
};

static const storage_slot specials[] = {[STORAGE_CODE_ABSENT] = STORAGE_ABSENT,
                                        [STORAGE_CODE_STALE] = STORAGE_STALE,
                                        [STORAGE_CODE_NAN] = STORAGE_NAN};

static void histogram_in(void *arg, storage_slot slot, struct histogram *out)
{
    *out = ((struct history_histograms *)arg)->v.v[slot & ~STORAGE_HISTOGRAM];
}

struct history_lookup history_lookup_in(struct history_histograms *h)
{
    return (struct history_lookup){histogram_in, h};
}

struct history_samples history_samples_join(struct arena *a, const struct history_samples *old,
                                            const struct history_samples *new)
{
    size_t n = old->n + new->n, k = 0;
    ts_ms *times = arena_alloc(a, n * sizeof(*times)),
          *starts = arena_alloc(a, n * sizeof(*starts));
    storage_slot *slots = arena_alloc(a, n * sizeof(*slots));
    const struct history_samples *from[] = {old, new, old};

    for (size_t part = 0; part < ARRAY_LEN(from); part++)
        for (size_t i = 0; i < from[part]->n; i++) {
            ts_ms t = from[part]->times[i];

            if ((part == 0 && t >= new->times[0]) || (part == 2 && t <= new->times[new->n - 1]))
                continue;
            times[k] = t;
            slots[k] = from[part]->slots[i];
            starts[k++] = from[part]->starts != NULL ? from[part]->starts[i] : 0;
        }
    return (struct history_samples){times, slots, starts, k};
}

/* -- writing -- */

struct row_writer {
    struct buf *b;
    struct storage_codes codes;
    int64_t last; /* whole number */
    const struct history_lookup *lookup;
};

/* The whole number of a slot that the codes have one for. */
static int64_t row_whole(const struct storage_codes *c, storage_slot slot)
{
    int32_t code = 0;
    bool is_put = codes_put(c, &code, 0, slot);

    assume(is_put);
    return (int64_t)c->base + code;
}

static void row_put_value(struct row_writer *w, storage_slot slot)
{
    if (w->codes.bytes != sizeof(storage_slot)) {
        int64_t whole = row_whole(&w->codes, slot);

        pack_u64(w->b, pack_zigzag(whole - w->last) << 1);
        w->last = whole;
    } else if (storage_is_histogram(slot)) {
        struct histogram h;

        w->lookup->histogram(w->lookup->arg, slot, &h);
        pack_u64(w->b, 1 << 1);
        log_write_histogram(w->b, &h);
    } else {
        pack_u64(w->b, 0);
        pack_fixed64(w->b, slot);
    }
}

static void row_put_slot(struct row_writer *w, storage_slot slot)
{
    for (uint64_t i = 0; i < ARRAY_LEN(specials); i++)
        if (slot == specials[i]) {
            pack_u64(w->b, i << 2 | 3);
            return;
        }
    row_put_value(w, slot);
}

static void row_put_starts(struct buf *b, const ts_ms *starts, size_t n)
{
    ts_ms last = 0;

    for (size_t i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && starts[i + run] == starts[i];)
            run++;
        pack_u64(b, run);
        pack_i64(b, starts[i] - last);
        last = starts[i];
    }
}

static bool row_has_starts(const struct history_samples *s)
{
    for (size_t i = 0; s->starts != NULL && i < s->n; i++)
        if (s->starts[i] != 0)
            return true;
    return false;
}

void history_row_write(struct buf *b, uint64_t times, const struct history_samples *s,
                       const struct history_lookup *lookup)
{
    struct row_writer w = {.b = b, .codes = codes_for(s->slots, s->n, 4), .lookup = lookup};
    bool has_starts = row_has_starts(s);

    pack_u64(b, times);
    pack_u64(b, w.codes.exponent | (w.codes.bytes == sizeof(storage_slot) ? ROW_SLOTS : 0u) |
                    (has_starts ? ROW_STARTS : 0u));
    for (size_t i = 0, run; i < s->n; i += run) {
        row_put_slot(&w, s->slots[i]);
        run = 1;
        while (i + run < s->n && s->slots[i + run] == s->slots[i] &&
               !storage_is_histogram(s->slots[i]))
            run++;
        if (run != 1)
            pack_u64(b, (run - 2) << 2 | 1);
    }
    if (has_starts)
        row_put_starts(b, s->starts, s->n);
}

void history_times_write(struct buf *b, const ts_ms *times, size_t n)
{
    int64_t distance = 0;

    pack_u64(b, n);
    for (size_t i = 0; i < n; i++) {
        int64_t d = i != 0 ? times[i] - times[i - 1] : times[0];

        pack_i64(b, i > 1 ? d - distance : d);
        distance = d;
    }
}

/* -- reading -- */

static bool row_is_corrupt(struct err *e)
{
    return err_set(e, ERR_CORRUPT, "a row of samples is damaged");
}

struct row_reader {
    struct unpack *u;
    unsigned exponent;
    bool has_slots;
    int64_t last;
    struct history_histograms *h;
};

static bool row_get_whole(struct row_reader *r, uint64_t token, storage_slot *out)
{
    double v;

    if (__builtin_add_overflow(r->last, unpack_zigzag(token >> 1), &r->last))
        return false;
    v = (double)r->last;
    if (r->exponent != 0)
        v /= storage_powers[r->exponent];
    *out = storage_float(v);
    return true;
}

static bool row_get_slot(struct row_reader *r, uint64_t token, storage_slot *out, struct err *e)
{
    const struct histogram *h;
    double v;

    if (token == 0) {
        uint64_t bits = unpack_fixed64(r->u);

        memcpy(&v, &bits, sizeof(v));
        *out = storage_float(v);
        return true;
    }
    if (token != 1 << 1 || (h = log_read_histogram(r->u, r->h->a, e)) == NULL)
        return false;
    *out = STORAGE_HISTOGRAM | r->h->v.n;
    vec_push(&r->h->v, *h);
    return true;
}

/* How many samples the next token is; 0: it is none. */
static size_t row_get(struct row_reader *r, storage_slot *last, size_t room, struct err *e)
{
    uint64_t token = unpack_u64(r->u);

    if (r->u->failed)
        return 0;
    if ((token & 1) == 0)
        return (r->has_slots ? row_get_slot(r, token, last, e) : row_get_whole(r, token, last)) ? 1
                                                                                                : 0;
    if ((token & 3) == 3) {
        if (token >> 2 >= ARRAY_LEN(specials))
            return 0;
        *last = specials[token >> 2];
        return 1;
    }
    return token >> 2 < room ? (size_t)(token >> 2) + 1 : 0;
}

static bool row_get_starts(struct unpack *u, ts_ms *starts, size_t n)
{
    ts_ms t = 0;

    for (size_t i = 0; i < n;) {
        uint64_t run = unpack_u64(u);

        if (u->failed || run == 0 || run > n - i || __builtin_add_overflow(t, unpack_i64(u), &t))
            return false;
        for (; run != 0; run--)
            starts[i++] = t;
    }
    return !u->failed;
}

bool history_row_read_times(struct unpack *u, uint64_t *times, struct err *e)
{
    *times = unpack_u64(u);
    return !u->failed || row_is_corrupt(e);
}

bool history_row_read(struct unpack *u, size_t n, struct arena *a, struct history_histograms *h,
                      struct history_samples *out, struct err *e)
{
    uint64_t head = unpack_u64(u);
    struct row_reader r = {
        .u = u, .exponent = head & ROW_EXPONENT, .has_slots = (head & ROW_SLOTS) != 0, .h = h};
    storage_slot *slots, last = STORAGE_ABSENT;
    ts_ms *starts = NULL;

    if (u->failed || r.exponent >= STORAGE_POWERS || head > (ROW_EXPONENT | ROW_SLOTS | ROW_STARTS))
        return row_is_corrupt(e);
    slots = arena_alloc(a, (n + 1) * sizeof(*slots));
    for (size_t i = 0, run; i < n; i += run) {
        run = row_get(&r, &last, n - i, e);
        if (run == 0 || u->failed)
            return row_is_corrupt(e);
        for (size_t k = 0; k < run; k++)
            slots[i + k] = last;
    }
    if ((head & ROW_STARTS) != 0) {
        starts = arena_alloc(a, (n + 1) * sizeof(*starts));
        if (!row_get_starts(u, starts, n))
            return row_is_corrupt(e);
    }
    *out = (struct history_samples){.slots = slots, .starts = starts, .n = n};
    return unpack_at_end(u) || row_is_corrupt(e);
}

bool history_times_read(str body, struct arena *a, const ts_ms **times, size_t *n, struct err *e)
{
    struct unpack u = unpack_of(body);
    size_t count = unpack_count(&u, 1);
    int64_t distance = 0, t = 0;
    ts_ms *v;

    if (u.failed || count == 0 || count > ROW_TIMES_MAX)
        return row_is_corrupt(e);
    v = arena_alloc(a, count * sizeof(*v));
    for (size_t i = 0; i < count; i++) {
        int64_t d = unpack_i64(&u);

        if (u.failed || __builtin_add_overflow(i > 1 ? distance : 0, d, &distance) ||
            __builtin_add_overflow(t, distance, &t) || (i != 0 && distance <= 0))
            return row_is_corrupt(e);
        v[i] = t;
    }
    *times = v;
    *n = count;
    return unpack_at_end(&u) || row_is_corrupt(e);
}

/* -- checks -- */

static uint16_t row_sum_of(str body, uint64_t key)
{
    char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(key >> 8 * i & 0xff);
    return (uint16_t)(crc32c_more(crc32c((str){bytes, 8}), body) & 0xffff);
}

void history_seal(struct buf *b, size_t from, uint64_t key)
{
    uint16_t sum = row_sum_of(str_sub(buf_str(b), from, b->n), key);

    buf_addc(b, (char)(sum & 0xff));
    buf_addc(b, (char)(sum >> 8));
}

bool history_unseal(str *body, uint64_t key, struct err *e)
{
    str inner;
    uint16_t sum;

    if (body->n < HISTORY_SEAL)
        return row_is_corrupt(e);
    inner = str_sub(*body, 0, body->n - HISTORY_SEAL);
    sum = (uint16_t)((unsigned char)body->p[inner.n] | (unsigned char)body->p[inner.n + 1] << 8);
    *body = inner;
    return sum == row_sum_of(inner, key) || row_is_corrupt(e);
}
