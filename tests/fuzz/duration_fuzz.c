/* Any text as a duration or a time: what is read, prints and reads back as the same value. */
#include "codec/duration.h"
#include "codec/timefmt.h"
#include "tests_fuzz.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str s = {(const char *)data, size};
    struct buf b = BUF_INIT;
    int64_t v, back;

    if (duration_parse(s, &v, NULL)) {
        duration_print(&b, v);
        if (!duration_parse(buf_str(&b), &back, NULL) || back != v)
            __builtin_trap();
    }
    buf_clear(&b);
    if (go_duration_parse(s, &v, NULL)) {
        go_duration_print(&b, v);
        if (!go_duration_parse(buf_str(&b), &back, NULL) || back != v)
            __builtin_trap();
    }
    buf_clear(&b);
    if (api_time_parse(s, &v, NULL)) {
        rfc3339_nano(&b, v);
        if (!rfc3339_parse(buf_str(&b), &back, NULL) || back != v)
            __builtin_trap();
    }
    buf_release(&b);
    return 0;
}
