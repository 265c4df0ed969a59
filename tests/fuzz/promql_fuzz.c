/* promql_fuzz.c - an expression is parsed, printed and parsed again: what is printed must read back as itself. */
#include "tests_fuzz.h"

#include "promql/promql.h"

static void once(str in, const struct promql_options *o)
{
    struct arena a;
    struct buf b = BUF_INIT, c = BUF_INIT;
    struct promql_place place;
    struct err e = ERR_INIT;
    struct promql_expr *x, *again;

    arena_init(&a, 0);
    x = promql_parse(in, o, &a, &place, &e);
    if (x == NULL) {
        if (e.line < 1 || e.col < 1 || place.at + place.len > in.n)
            __builtin_trap();
    } else {
        promql_print(&b, x);
        again = promql_parse(buf_str(&b), o, &a, NULL, &e);
        if (again == NULL && e.code != ERR_LIMIT)
            __builtin_trap();
        if (again != NULL)
            promql_print(&c, again);
        if (again != NULL && (again->type != x->type || !str_eq(buf_str(&b), buf_str(&c))))
            __builtin_trap();
        promql_release(x);
        promql_release(again);
    }
    buf_release(&b);
    buf_release(&c);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str in = {(const char *)data, size};
    static const struct promql_options shallow = {.max_length = 1000, .max_depth = 10};

    if (size > 4000)
        return 0;
    once(in, &promql_everything);
    once(in, &promql_defaults);
    once(in, &shallow);
    return 0;
}
