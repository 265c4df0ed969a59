/* nvidia_table_fuzz.c - what a program prints that should be nvidia-smi; a table that is read has all its cells. */
#include "tests_fuzz.h"

#include "collect/nvidia_table.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const str asked[] = {S_INIT("index"), S_INIT("uuid"), S_INIT("memory.used"),
                                S_INIT("pstate")};
    str in = {(const char *)data, size};
    struct err e = ERR_INIT;
    struct nvidia_table t;
    struct arena a;
    double v;

    arena_init(&a, 0);
    (void)nvidia_unknown_field(in);
    if (nvidia_table_parse(in, asked, 4, &a, &t, &e)) {
        if (t.rows == 0 || t.columns == 0)
            __builtin_trap();
        for (size_t i = 0; i < t.rows; i++)
            for (size_t k = 0; k < t.columns; k++)
                (void)nvidia_number(t.cells[i][k], &v);
        (void)nvidia_table_cell(&t, 0, "uuid");
    } else if (e.code != ERR_INVALID) {
        __builtin_trap();
    }
    arena_release(&a);
    return 0;
}
