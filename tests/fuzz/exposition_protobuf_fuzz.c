/* exposition_protobuf_fuzz.c - pushed protobuf: the text made of it is read to its end, or refused where the text format
 * says less than protobuf (names and values that are not UTF-8, a label twice). */
#include "tests_fuzz.h"

#include "codec/exposition_protobuf.h"
#include "codec/exposition_read.h"

enum { LIMIT = 1 << 16 };

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;

    if (expo_from_protobuf((str){(const char *)data, size}, LIMIT, &text, &e)) {
        struct expo_reader r;
        struct expo_item x;
        struct labels ls;

        if (e.code != ERR_NONE || text.n > LIMIT)
            __builtin_trap();
        expo_reader_init(&r, buf_str(&text), EXPO_TEXT);
        while (expo_read(&r, &x, &e))
            if (x.kind == EXPO_SAMPLE && !expo_read_labels(&r, x.series, &ls, &e))
                break;
        expo_reader_release(&r);
    } else if (e.code == ERR_NONE) {
        __builtin_trap();
    }
    buf_release(&text);
    return 0;
}
