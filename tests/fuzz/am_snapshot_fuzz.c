/* am_snapshot_fuzz.c - files that claim to be Alertmanager's: silences (first byte even) or a notification log. */
#include "tests_fuzz.h"

#include "bridge/am_snapshot.h"

static void got_silence(void *arg, struct silence *s)
{
    am_silence_write(arg, s, s->ends_at);
    silence_free(s);
}

static void got_entry(void *arg, str key, struct nflog_entry *e)
{
    struct now now = {.wall = 1767225600ll * NS_PER_S, .mono = NS_PER_H};

    (void)!am_nflog_write(arg, key, e, now);
    nflog_entry_free(e);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct now now = {.wall = 1767225600ll * NS_PER_S, .mono = NS_PER_H};
    struct buf out = BUF_INIT;
    struct err e = ERR_INIT;
    str in;

    if (size == 0 || size > 65536)
        return 0;
    in = (str){(const char *)data + 1, size - 1};
    if (data[0] % 2 == 0)
        (void)!am_silences_read(in, got_silence, &out, &e);
    else
        (void)!am_nflog_read(in, now, got_entry, &out, &e);
    buf_release(&out);
    return 0;
}
