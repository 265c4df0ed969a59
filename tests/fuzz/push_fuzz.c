/* push_fuzz.c - the path of a push: what is read from it is written and read back as the same group. */
#include "tests_fuzz.h"

#include "model/labels.h"
#include "push/push_path.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena a;
    struct err e = ERR_INIT;
    struct labels key, again;

    arena_init(&a, 0);
    if (push_path_parse((str){(const char *)data, size}, &a, &key, &e)) {
        str path = push_path_print(key, &a);

        if (!str_starts_with(path, S("/metrics/")) ||
            !push_path_parse(str_sub(path, 9, path.n), &a, &again, &e) || !labels_eq(key, again))
            __builtin_trap();
    } else if (e.code == ERR_NONE) {
        __builtin_trap();
    }
    arena_release(&a);
    return 0;
}
