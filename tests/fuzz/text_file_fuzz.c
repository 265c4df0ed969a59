/* text_file_fuzz.c - a text file that somebody wrote: what is taken of it is a page that can be read. */
#include "tests_fuzz.h"

#include "codec/exposition_read.h"
#include "collect/text_file.h"

/* Every line of a page that is exported must be one to scrapers, too. */
static void read_page(str page)
{
    struct expo_reader r;
    struct expo_item item;
    struct err e = ERR_INIT;
    struct labels ls;

    expo_reader_init(&r, page, EXPO_TEXT);
    while (expo_read(&r, &item, &e))
        if (item.kind == EXPO_SAMPLE && !expo_read_labels(&r, item.series, &ls, &e))
            break;
    if (e.code != ERR_NONE)
        __builtin_trap();
    expo_reader_release(&r);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str in = {(const char *)data, size};
    struct text_seen seen = {0};
    struct buf page = BUF_INIT;
    const struct sheet *sheets[1];
    struct err e = ERR_INIT;
    struct sheet s;

    sheet_init(&s);
    sheets[0] = &s;
    if (text_file_put(in, S("a.prom"), &s, &seen, &e) && s.families.n != 0 &&
        text_file_put(in, S("b.prom"), &s, &seen, &e))
        __builtin_trap(); /* its series are there already */
    sheets_print(sheets, 1, &page);
    read_page(buf_str(&page));
    buf_release(&page);
    str_map_release(&seen.series);
    sheet_release(&s);
    return 0;
}
