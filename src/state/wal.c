/* Frames are summed up along the log as SQLite does it, each from the sum before; where that breaks, later frames of
 * the same round are looked for, and the log is mended in a copy beside the database. */
#include "state/wal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/file.h"
#include "state/db_read.h"
#include "state/folder.h"
#include "state/row_sum.h"

enum {
    HEADER = 32,
    HEAD = 24,
    PAGE_MIN = 512,
    PAGE_MAX = 65536,
    LOG_MAX = 1 << 30,
    BAD_MAX = 1000
};

struct sum {
    uint32_t a, b;
};

struct wal {
    str log;
    bool is_big;    /* the order of bytes in the checksum */
    size_t page, n; /* bytes of a page; frames of this round */
    bool *good;     /* by frame */
};

static uint32_t big(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put_big(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (24 - 8 * i));
}

static struct sum wal_sum_up(const struct wal *w, struct sum s, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        s.a += (w->is_big ? big(p + i) : __builtin_bswap32(big(p + i))) + s.b;
        s.b += (w->is_big ? big(p + i + 4) : __builtin_bswap32(big(p + i + 4))) + s.a;
    }
    return s;
}

static const char *frame(const struct wal *w, size_t k)
{
    return w->log.p + HEADER + k * (HEAD + w->page);
}

static struct sum wal_sum_of(const struct wal *w, struct sum before, const char *f)
{
    return wal_sum_up(w, wal_sum_up(w, before, f, 8), f + HEAD, w->page);
}

static bool stands_at(struct sum s, const char *p)
{
    return big(p) == s.a && big(p + 4) == s.b;
}

static struct sum read_sum(const char *p)
{
    return (struct sum){big(p), big(p + 4)};
}

static bool has_salt(const struct wal *w, const char *f)
{
    return memcmp(f + 8, w->log.p + 16, 8) == 0;
}

static bool read_header(struct wal *w)
{
    const char *p = w->log.p;

    if (w->log.n < HEADER || (big(p) & ~1u) != 0x377f0682)
        return false;
    w->is_big = (big(p) & 1) != 0;
    w->page = big(p + 8);
    return w->page >= PAGE_MIN && w->page <= PAGE_MAX && w->page % 8 == 0 &&
           stands_at(wal_sum_up(w, (struct sum){0, 0}, p, 24), p + 24);
}

static struct sum wal_stands_before(const struct wal *w, size_t k)
{
    return read_sum(k != 0 ? frame(w, k - 1) + 16 : w->log.p + 24);
}

static bool sums_up(const struct wal *w, size_t k)
{
    return stands_at(wal_sum_of(w, wal_stands_before(w, k), frame(w, k)), frame(w, k) + 16);
}

/* A frame that does not sum up from the checksum before it may do so from what that should have been: then only that was wrong. */
static void wal_judge(struct wal *w)
{
    struct sum made = read_sum(w->log.p + 24); /* what the one before should say */

    for (size_t k = 0; k < w->n; k++) {
        const char *f = frame(w, k);
        struct sum own = wal_sum_of(w, wal_stands_before(w, k), f);

        w->good[k] = stands_at(own, f + 16);
        if (!w->good[k] && k != 0 && !w->good[k - 1] && stands_at(wal_sum_of(w, made, f), f + 16))
            w->good[k - 1] = w->good[k] = true;
        made = w->good[k] ? read_sum(f + 16) : own;
    }
}

/* Frames of this round: up to the last that shows its salt, or one behind that only follows from it. */
static void wal_count(struct wal *w)
{
    size_t all = (w->log.n - HEADER) / (HEAD + w->page);

    w->n = 0;
    for (size_t k = 0; k < all; k++)
        if (has_salt(w, frame(w, k)))
            w->n = k + 1;
    if (w->n < all && sums_up(w, w->n))
        w->n++;
}

/* Up to the last commit that is good. */
static void end_at_commit(struct wal *w)
{
    while (w->n != 0 && !(w->good[w->n - 1] && big(frame(w, w->n - 1) + 4) != 0))
        w->n--;
}

static bool is_written_again(const struct wal *w, size_t bad)
{
    for (size_t k = bad + 1; k < w->n; k++)
        if (w->good[k] && big(frame(w, k)) == big(frame(w, bad)))
            return true;
    return false;
}

static bool is_complete(const struct wal *w, size_t *pages)
{
    *pages = 0;
    for (size_t k = 0; k < w->n; k++) {
        if (w->good[k])
            continue;
        if (++*pages > BAD_MAX || !is_written_again(w, k))
            return false;
    }
    return true;
}

static void write_log(const struct wal *w, struct buf *out)
{
    struct sum s = read_sum(w->log.p + 24);

    buf_add(out, str_sub(w->log, 0, HEADER));
    for (size_t k = 0; k < w->n; k++) {
        size_t at = out->n;

        if (!w->good[k])
            continue;
        buf_add(out, (str){frame(w, k), HEAD + w->page});
        memcpy(out->p + at + 8, w->log.p + 16, 8);
        s = wal_sum_of(w, s, out->p + at);
        put_big(out->p + at + 16, s.a);
        put_big(out->p + at + 20, s.b);
    }
}

struct mended {
    size_t pages; /* frames that are left out: their pages were written again */
    size_t end;   /* frames behind the last commit that is whole */
};

static bool wal_mend(str log, struct buf *out, struct mended *done)
{
    struct wal w = {.log = log};
    bool ok;

    if (!read_header(&w))
        return false;
    wal_count(&w);
    w.good = mem_array(w.n, sizeof(*w.good));
    wal_judge(&w);
    done->end = w.n;
    end_at_commit(&w);
    done->end -= w.n;
    ok = is_complete(&w, &done->pages);
    if (ok)
        write_log(&w, out);
    mem_free(w.good);
    return ok;
}

/* -- beside the database -- */

static bool wal_is_sound(const char *path)
{
    struct buf why = BUF_INIT;
    sqlite3 *db;
    bool ok;

    if (!state_db_read(str_of(path), DB_AS_LEFT, &db, NULL))
        return false;
    ok = state_db_is_sound(db, str_of(path), NULL) && state_rows_damaged(db, &why) == 0;
    sqlite3_close(db);
    buf_release(&why);
    return ok;
}

static bool wal_try(str dir, str log)
{
    char copy[STATE_PATH], copied_log[STATE_PATH];
    bool ok;

    state_path(copy, dir, "state.db.mend");
    state_path(copied_log, dir, "state.db.mend-wal");
    (void)unlink(copy); /* of an attempt that a crash has ended */
    ok = state_copy_plain(dir, S("state.db"), copy, NULL, NULL) &&
         file_replace(str_of(copied_log), log, NULL) && wal_is_sound(copy);
    (void)unlink(copy);
    (void)unlink(copied_log);
    return ok;
}

/* The log took the place of the one that is there. */
static bool wal_replace(str dir, str log, struct mended *m)
{
    char path[STATE_PATH];
    struct buf made = BUF_INIT;
    bool ok;

    state_path(path, dir, "state.db-wal");
    ok = wal_mend(log, &made, m) && wal_try(dir, buf_str(&made)) &&
         file_replace(str_of(path), buf_str(&made), NULL);
    buf_release(&made);
    return ok;
}

/* -- what SQLite would read -- */

static uint64_t lost(str log, uint64_t *at)
{
    struct wal w = {.log = log};
    size_t k = 0;

    *at = 0;
    if (log.n <= HEADER)
        return 0;
    if (!read_header(&w))
        return log.n;
    wal_count(&w);
    while (k < w.n && has_salt(&w, frame(&w, k)) && sums_up(&w, k))
        k++;
    *at = HEADER + k * (HEAD + w.page);
    return (w.n - k) * (HEAD + w.page);
}

uint64_t state_wal_lost(str path, uint64_t *at)
{
    struct buf log = BUF_INIT;
    uint64_t n = 0;

    if (file_read(path, FILE_REGULAR, LOG_MAX, &log, NULL))
        n = lost(buf_str(&log), at);
    buf_release(&log);
    return n;
}

static void wal_tell(str dir, str log, uint64_t at, uint64_t n, struct buf *notice)
{
    char path[STATE_PATH], aside[STATE_PATH + 64];
    struct mended m;
    bool is_kept;

    state_path(path, dir, "state.db-wal");
    snprintf(aside, sizeof(aside), "%s.damaged-%lld", path, (long long)time(NULL));
    is_kept = file_replace(str_of(aside), log, NULL);
    buf_addf(notice, "'%s' is damaged at %llu: ", path, (unsigned long long)at);
    if (is_kept && wal_replace(dir, log, &m))
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

void state_wal_check(str dir, struct buf *notice)
{
    char path[STATE_PATH];
    struct buf log = BUF_INIT;
    uint64_t at, n;

    state_path(path, dir, "state.db-wal");
    if (file_read(str_of(path), FILE_REGULAR, LOG_MAX, &log, NULL) &&
        (n = lost(buf_str(&log), &at)) != 0)
        wal_tell(dir, buf_str(&log), at, n, notice);
    buf_release(&log);
}
