/* exposition_fuzz.c - metrics as text, in both formats; the labels of every sample are decoded. */
#include "tests_fuzz.h"

#include "codec/exposition_read.h"

static void once(str in, enum expo_format format)
{
    struct expo_reader r;
    struct expo_item item;
    struct err e = ERR_INIT;
    struct labels ls;

    expo_reader_init(&r, in, format);
    while (e.code == ERR_NONE && expo_read(&r, &item, &e))
        if (item.kind == EXPO_SAMPLE && expo_read_labels(&r, item.series, &ls, &e) && ls.n == 0)
            __builtin_trap();
    if (e.code != ERR_NONE && e.line < 1)
        __builtin_trap();
    expo_reader_release(&r);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str in = {(const char *)data, size};

    once(in, EXPO_TEXT);
    once(in, EXPO_OPENMETRICS);
    return 0;
}
