/* json_field_fuzz.c - a field of what a server answers: the path up to the first line end, then the document. */
#include "tests_fuzz.h"

#include "collect/json_field.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str in = {(const char *)data, size}, field = str_cut(&in, '\n'), text = STR_NONE;
    struct err e = ERR_INIT;
    enum json_type type;
    struct arena a;

    arena_init(&a, 0);
    if (json_field(in, field, &a, &type, &text, &e) == (e.code != ERR_NONE))
        __builtin_trap();
    arena_release(&a);
    return 0;
}
