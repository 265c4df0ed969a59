/* push_row_fuzz.c - a saved group: what is read from it is written and read back as the same bytes. */
#include "tests_fuzz.h"

#include "push/push_row.h"

/* Decoded and encoded again; false: it is none. */
static bool again(str bytes, struct buf *out)
{
    struct push_saved g;
    struct labels key;
    struct err e = ERR_INIT;
    struct arena a;
    struct push_set *set;

    arena_init(&a, 0);
    set = push_row_decode(bytes, &g, &key, &a, &e);
    if ((set == NULL) != (e.code != ERR_NONE))
        __builtin_trap();
    if (set != NULL)
        push_row_encode(out, &g, set);
    push_set_free(set);
    arena_release(&a);
    return set != NULL;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct buf first = BUF_INIT, second = BUF_INIT;

    if (again((str){(const char *)data, size}, &first) &&
        (!again(buf_str(&first), &second) || !str_eq(buf_str(&first), buf_str(&second))))
        __builtin_trap();
    buf_release(&first);
    buf_release(&second);
    return 0;
}
