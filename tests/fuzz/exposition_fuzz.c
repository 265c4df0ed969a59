/* exposition_fuzz.c - metrics as text, in both formats; the labels of every sample are decoded; what is expected next changes
 * nothing. */
#include "tests_fuzz.h"

#include "base/hash.h"
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

static bool same_item(const struct expo_item *a, const struct expo_item *b)
{
    return a->kind == b->kind && a->series.p == b->series.p && a->series.n == b->series.n &&
           memcmp(&a->value, &b->value, sizeof(a->value)) == 0 && a->t == b->t;
}

/* One reader beside one that expects the sample that comes, or the one before it again. */
static void expecting(str in, enum expo_format format, bool is_right)
{
    struct expo_reader plain, guided;
    struct expo_item a = {.kind = EXPO_HELP}, b;
    struct err e = ERR_INIT, f = ERR_INIT;
    str before = STR_NONE;
    bool has;

    expo_reader_init(&plain, in, format);
    expo_reader_init(&guided, in, format);
    do {
        has = expo_read(&plain, &a, &e);
        if (has && is_right && a.kind == EXPO_SAMPLE)
            before = a.series;
        expo_reader_expect(&guided, before.n, hash_str(before));
        if (expo_read(&guided, &b, &f) != has || e.code != f.code || plain.line != guided.line ||
            (has && !same_item(&a, &b)))
            __builtin_trap();
        if (has && a.kind == EXPO_SAMPLE)
            before = a.series;
    } while (has);
    expo_reader_release(&plain);
    expo_reader_release(&guided);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str in = {(const char *)data, size};

    once(in, EXPO_TEXT);
    once(in, EXPO_OPENMETRICS);
    for (int i = 0; i < 4; i++)
        expecting(in, i < 2 ? EXPO_TEXT : EXPO_OPENMETRICS, i % 2 == 0);
    return 0;
}
