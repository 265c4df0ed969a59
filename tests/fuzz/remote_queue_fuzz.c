/* remote_queue_fuzz.c - a request that waits on the disk: what is read is written and read back as the same; its bytes, in a
 * block of snappy, come out as they went in. */
#include "tests_fuzz.h"

#include "../unit/unsnap.h"
#include "codec/snappy.h"
#include "remote_write/spool.h"

static void check_record(str bytes)
{
    struct spool_record first, second;
    struct buf again = BUF_INIT, twice = BUF_INIT;
    struct err e = ERR_INIT;

    if (!spool_read_record(bytes, &first, &e)) {
        if (e.code == ERR_NONE)
            __builtin_trap();
        return;
    }
    spool_write_record(&again, &first);
    if (!spool_read_record(buf_str(&again), &second, &e))
        __builtin_trap();
    spool_write_record(&twice, &second);
    if (!str_eq(buf_str(&again), buf_str(&twice)) || !str_eq(first.item.body, second.item.body) ||
        first.item.id != second.item.id)
        __builtin_trap();
    buf_release(&again);
    buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str bytes = {(const char *)data, size};
    struct buf small = BUF_INIT, back = BUF_INIT, any = BUF_INIT;

    check_record(bytes);
    snappy_compress(&small, bytes);
    if (!unsnap(buf_str(&small), &back) || !str_eq(buf_str(&back), bytes))
        __builtin_trap();
    if (size < 4096)
        (void)!unsnap(bytes, &any);
    buf_release(&small);
    buf_release(&back);
    buf_release(&any);
    return 0;
}
