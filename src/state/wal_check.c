#include "state/wal_check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/record_file.h"
#include "state/wal_mend.h"

enum { HEADER = 32, FRAME_HEAD = 24, PAGE_MAX = 65536 };

struct wal {
    int fd;
    uint64_t size, at; /* of the file; of the frame that is next */
    bool is_big;       /* the order of bytes in the checksum */
    uint32_t page, sum[2];
    char salt[8];
    char *frame;
};

static uint32_t big(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t word(const struct wal *w, const char *p)
{
    uint32_t v = big(p);

    return w->is_big ? v : __builtin_bswap32(v);
}

static void sum_up(struct wal *w, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        w->sum[0] += word(w, p + i) + w->sum[1];
        w->sum[1] += word(w, p + i + 4) + w->sum[0];
    }
}

static bool is_sum(const struct wal *w, const char *p)
{
    return big(p) == w->sum[0] && big(p + 4) == w->sum[1];
}

static bool read_header(struct wal *w)
{
    char head[HEADER];

    if (!record_read(w->fd, 0, head, HEADER) || (big(head) & ~1u) != 0x377f0682)
        return false;
    w->is_big = (big(head) & 1) != 0;
    w->page = big(head + 8);
    memcpy(w->salt, head + 16, sizeof(w->salt));
    sum_up(w, head, 24);
    return w->page >= 512 && w->page <= PAGE_MAX && is_sum(w, head + 24);
}

/* The next frame; false: there is none. */
static bool read_frame(struct wal *w)
{
    size_t n = FRAME_HEAD + w->page;

    if (w->size - w->at < n || !record_read(w->fd, w->at, w->frame, n))
        return false;
    w->at += n;
    return true;
}

static bool has_salt(const struct wal *w)
{
    return memcmp(w->frame + 8, w->salt, sizeof(w->salt)) == 0;
}

static bool sums_up(struct wal *w)
{
    sum_up(w, w->frame, 8);
    sum_up(w, w->frame + FRAME_HEAD, w->page);
    return is_sum(w, w->frame + 16);
}

/* Behind the frame that ends the log for SQLite, which was just read: is it, or what follows, of this round? */
static uint64_t lost_from(struct wal *w, bool is_ours, uint64_t first)
{
    uint64_t end = is_ours ? w->at : first;

    while (read_frame(w))
        if (has_salt(w))
            end = w->at;
    return end - first;
}

static uint64_t lost(struct wal *w, uint64_t *at)
{
    *at = 0;
    if (!read_header(w))
        return w->size;
    w->frame = mem_alloc(FRAME_HEAD + (size_t)w->page);
    w->at = HEADER;
    while (read_frame(w)) {
        bool is_salted = has_salt(w), is_right = sums_up(w);

        if (is_salted && is_right)
            continue;
        *at = w->at - FRAME_HEAD - w->page;
        return lost_from(w, is_salted || is_right, *at);
    }
    return 0;
}

uint64_t state_wal_lost(str path, uint64_t *at)
{
    char z[4096];
    struct wal w = {.page = 0};
    struct stat st;
    uint64_t n = 0;

    snprintf(z, sizeof(z), "%.*s", STR(path));
    w.fd = open(z, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (w.fd >= 0 && fstat(w.fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > HEADER) {
        w.size = (uint64_t)st.st_size;
        n = lost(&w, at);
    }
    if (w.fd >= 0)
        close(w.fd);
    mem_free(w.frame);
    return n;
}

/* A copy: SQLite goes on with the file itself. */
static bool keep(const char *path, const char *aside)
{
    int from = open(path, O_RDONLY | O_CLOEXEC), to;
    char bytes[16384];
    uint64_t at = 0;
    ssize_t n = 0;
    bool ok;

    to = from >= 0 ? open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    ok = to >= 0;
    while (ok && (n = pread(from, bytes, sizeof(bytes), (off_t)at)) > 0) {
        ok = record_write(to, (str){bytes, (size_t)n});
        at += (uint64_t)n;
    }
    if (from >= 0)
        close(from);
    return to >= 0 && close(to) == 0 && ok && n == 0;
}

void state_wal_check(str dir, struct buf *notice)
{
    char path[4096], aside[4096 + 64];
    uint64_t at, n;
    struct wal_mended m;
    bool is_kept;

    snprintf(path, sizeof(path), "%.*s/state.db-wal", STR(dir));
    n = state_wal_lost(str_of(path), &at);
    if (n == 0)
        return;
    snprintf(aside, sizeof(aside), "%s.damaged-%lld", path, (long long)time(NULL));
    is_kept = keep(path, aside);
    buf_addf(notice, "'%s' is damaged at %llu: ", path, (unsigned long long)at);
    if (is_kept && state_wal_mend(dir, &m))
        buf_addf(
            notice,
            "%zu pages are lost that were written again later, and %zu at its end, the rest is "
            "read; ",
            m.pages, m.end);
    else
        buf_addf(notice, "%llu bytes of commits are lost, what is before is read; ",
                 (unsigned long long)n);
    buf_addf(notice, "%s '%s'\n", is_kept ? "kept as" : "it could not be kept as", aside);
}
