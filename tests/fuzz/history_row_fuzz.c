/* history_row_fuzz.c - a row of history and its times, as if their checks were right: the times behind their length in a byte,
 * then the row. What was read is written and read again: it must be the same. */
#include "tests_fuzz.h"

#include "history/row.h"

static bool read_row(str body, size_t n, struct arena *a, struct history_histograms *h,
                     struct history_samples *out)
{
    struct unpack u = unpack_of(body);
    struct err e = ERR_INIT;
    uint64_t times;

    if (history_row_read_times(&u, &times, &e) && history_row_read(&u, n, a, h, out, &e))
        return true;
    if (e.code == ERR_NONE)
        __builtin_trap();
    return false;
}

static void must_be_equal(const struct history_samples *x, const struct history_samples *y)
{
    for (size_t i = 0; i < x->n; i++)
        if (storage_is_histogram(x->slots[i]) != storage_is_histogram(y->slots[i]) ||
            (!storage_is_histogram(x->slots[i]) && x->slots[i] != y->slots[i]) ||
            (x->starts != NULL ? x->starts[i] : 0) != (y->starts != NULL ? y->starts[i] : 0))
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena a;
    struct history_histograms h = {.a = &a};
    const struct history_lookup lookup = history_lookup_in(&h);
    struct history_samples s, again;
    struct buf b = BUF_INIT;
    const ts_ms *times;
    size_t n, head;
    struct err e = ERR_INIT;

    arena_init(&a, 0);
    head = size != 0 && data[0] < size - 1 ? data[0] : 0;
    if (head != 0 && history_times_read((str){(const char *)data + 1, head}, &a, &times, &n, &e) &&
        read_row((str){(const char *)data + 1 + head, size - 1 - head}, n, &a, &h, &s)) {
        history_row_write(&b, 7, &s, &lookup);
        if (!read_row(buf_str(&b), n, &a, &h, &again))
            __builtin_trap();
        must_be_equal(&s, &again);
    }
    buf_release(&b);
    vec_release(&h.v);
    arena_release(&a);
    return 0;
}
