/* tsdb_log_fuzz.c - records of the sample log, as if their checksums were right: each behind its length in a byte. */
#include "tests_fuzz.h"

#include "tsdb/log.h"
#include "tsdb/tsdb.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct tsdb *db = tsdb_new(&(struct tsdb_options){.keep_all = true, .max_bytes = 1 << 22});
    struct tsdb_replayer *r = tsdb_replayer_new(db);

    while (size != 0) {
        size_t n = data[0] < size - 1 ? data[0] : size - 1;
        struct err e = ERR_INIT;

        if (!tsdb_replay_record(r, (str){(const char *)data + 1, n}, &e) && e.code == ERR_NONE)
            __builtin_trap();
        data += n + 1;
        size -= n + 1;
    }
    (void)tsdb_collect(db, 0);
    tsdb_replayer_free(r);
    tsdb_free(db);
    return 0;
}
