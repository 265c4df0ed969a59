/* storage_contract.h - what holds for every struct storage. */
#ifndef TESTS_STORAGE_CONTRACT_H
#define TESTS_STORAGE_CONTRACT_H

#include <stdlib.h>
#include "base/vec.h"
#include "codec/float.h"
#include "promql/storage.h"

static inline void storage_contract_slot(struct storage st, const struct storage_series *s,
                                         size_t i, struct buf *out)
{
    static const char *const hints[] = {"", "reset", "not_reset", "gauge"};
    storage_slot slot = storage_at(s, i);
    struct histogram h;
    double v;

    buf_addf(out, " %.15g=", (double)s->times[i] / 1000);
    if (slot == STORAGE_STALE)
        buf_adds(out, "stale");
    else if (storage_is_histogram(slot)) {
        storage_histogram(st, s, slot, &h);
        histogram_print(out, &h);
        buf_addf(out, "%s", hints[h.hint]);
    } else {
        memcpy(&v, &slot, sizeof(v));
        float_print_shortest(out, v);
    }
    if (s->starts != NULL && s->starts[i] != 0)
        buf_addf(out, "@%lld", (long long)s->starts[i]);
}

static inline int storage_contract_by_text(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

/* All that the selector gives from a time on, a line a series that has some, in order of the labels' text: equal contents
 * are equal text. On the way it checks what the port promises. Between begin and end. */
static inline void storage_contract_dump(struct storage st, struct storage_selector *sel,
                                         ts_ms from, struct buf *out)
{
    struct storage_ids ids = storage_ids(st, sel);
    struct storage_series *v = mem_array(ids.n + 1, sizeof(*v));
    VEC(str) lines = VEC_INIT;
    struct arena a;

    arena_init(&a, 0);
    storage_read(st, ids.v, ids.n, v);
    assert_int_equal(storage_ids(st, sel).epoch, ids.epoch);
    for (size_t i = 0; i < ids.n; i++) {
        struct labels ls = storage_labels(st, ids.v[i], &a);
        struct buf line = BUF_INIT;
        size_t name;

        for (size_t k = 1; k < ls.n; k++)
            assert_true(str_cmp(ls.v[k - 1].name, ls.v[k].name) < 0);
        labels_print(&line, ls);
        name = line.n;
        for (size_t k = 0; k < v[i].n; k++) {
            assert_true(k == 0 || v[i].times[k - 1] < v[i].times[k]);
            if (storage_at(&v[i], k) != STORAGE_ABSENT && v[i].times[k] >= from)
                storage_contract_slot(st, &v[i], k, &line);
        }
        buf_addc(&line, '\n');
        if (line.n > name + 1)
            vec_push(&lines, arena_str(&a, buf_str(&line)));
        buf_release(&line);
    }
    if (lines.n != 0)
        qsort(lines.v, lines.n, sizeof(lines.v[0]), storage_contract_by_text);
    for (size_t i = 0; i < lines.n; i++)
        buf_add(out, lines.v[i]);
    vec_release(&lines);
    mem_free(v);
    arena_release(&a);
}

#endif
