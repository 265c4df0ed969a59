/* Any bytes: the reader ends, and what it accepts, a writer can repeat and the reader accepts again. */
#include "codec/json.h"
#include "tests_fuzz.h"

/* An object that is read is passed over to the same place. */
static void pass_over(const struct json_reader *of)
{
    struct json_reader r = *of, over = *of;
    str read, passed;

    if (!json_raw(&r, &read))
        return;
    if (!json_object_span(&over, &passed) || over.at != r.at || !str_eq(read, passed))
        __builtin_trap();
}

static void copy(struct json_reader *r, struct json_writer *w)
{
    str s;
    bool b;

    switch (json_peek(r)) {
    case JSON_FAILED: return;
    case JSON_NULL:
        json_null(r);
        json_put_null(w);
        return;
    case JSON_BOOL:
        if (json_bool(r, &b))
            json_put_bool(w, b);
        return;
    case JSON_NUMBER:
        if (json_number(r, &s))
            json_put_raw(w, s);
        return;
    case JSON_STRING:
        if (json_string(r, &s))
            json_put_str(w, s);
        return;
    case JSON_ARRAY:
        json_open(w, '[');
        for (json_array_begin(r); json_array_next(r);)
            copy(r, w);
        json_close(w, ']');
        return;
    case JSON_OBJECT:
        if (r->depth < 3)
            pass_over(r);
        json_open(w, '{');
        for (json_object_begin(r); json_object_next(r, &s);) {
            json_key(w, s);
            copy(r, w);
        }
        json_close(w, '}');
        return;
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct buf out = BUF_INIT;
    struct json_reader r;
    struct json_writer w;
    struct arena a;

    arena_init(&a, 0);
    json_reader_init(&r, (str){(const char *)data, size}, &a, 64);
    json_writer_init(&w, &out, true);
    copy(&r, &w);
    if (json_end(&r)) {
        json_reader_init(&r, buf_str(&out), &a, 64);
        json_skip(&r);
        if (!json_end(&r))
            __builtin_trap();
    }
    buf_release(&out);
    arena_release(&a);
    return 0;
}
