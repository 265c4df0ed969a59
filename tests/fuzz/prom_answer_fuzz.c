/* prom_answer_fuzz.c - what a source may send: the body of a 200, and of a failure. */
#include "tests_fuzz.h"

#include "model/labels.h"
#include "source/answer.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str body = {(const char *)data, size};
    struct answer_notes notes;
    struct samples s;
    struct arena a;
    struct err e;
    struct buf b = BUF_INIT;

    if (size > 4000)
        return 0;
    arena_init(&a, 0);
    if (prom_answer_parse(body, &a, &s, &notes, &e)) {
        for (size_t i = 0; i < s.n; i++) /* every slice must be readable, every set sorted */
            labels_print(&b, s.v[i].labels);
        for (size_t i = 0; i < notes.n_warnings; i++)
            buf_add(&b, notes.warnings[i]);
        for (size_t i = 0; i < notes.n_infos; i++)
            buf_add(&b, notes.infos[i]);
        buf_add(&b, notes.partial);
    }
    (void)prom_answer_error(400, body, &e);
    buf_release(&b);
    arena_release(&a);
    return 0;
}
