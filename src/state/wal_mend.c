#include "state/wal_mend.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/file.h"
#include "state/db_read.h"
#include "state/row_sum.h"

enum { PATH = 4096, HEADER = 32, HEAD = 24, PAGE_MIN = 512, PAGE_MAX = 65536, LOG_MAX = 1 << 30 };

struct sum {
    uint32_t a, b;
};

struct mending {
    str log;
    bool is_big; /* the order of bytes in the checksum */
    size_t page, n;
    bool *good; /* by frame */
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

static struct sum sum_up(const struct mending *m, struct sum s, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        s.a += (m->is_big ? big(p + i) : __builtin_bswap32(big(p + i))) + s.b;
        s.b += (m->is_big ? big(p + i + 4) : __builtin_bswap32(big(p + i + 4))) + s.a;
    }
    return s;
}

static const char *frame(const struct mending *m, size_t k)
{
    return m->log.p + HEADER + k * (HEAD + m->page);
}

static struct sum sum_of(const struct mending *m, struct sum before, const char *f)
{
    return sum_up(m, sum_up(m, before, f, 8), f + HEAD, m->page);
}

static bool stands_at(struct sum s, const char *p)
{
    return big(p) == s.a && big(p + 4) == s.b;
}

static struct sum read_sum(const char *p)
{
    return (struct sum){big(p), big(p + 4)};
}

static bool has_salt(const struct mending *m, const char *f)
{
    return memcmp(f + 8, m->log.p + 16, 8) == 0;
}

static bool read_header(struct mending *m)
{
    const char *p = m->log.p;

    if (m->log.n < HEADER || (big(p) & ~1u) != 0x377f0682)
        return false;
    m->is_big = (big(p) & 1) != 0;
    m->page = big(p + 8);
    return m->page >= PAGE_MIN && m->page <= PAGE_MAX && m->page % 8 == 0 &&
           stands_at(sum_up(m, (struct sum){0, 0}, p, 24), p + 24);
}

/* A frame that does not sum up from the checksum before it may do so from what that should have been: then only that was wrong. */
static void judge(struct mending *m)
{
    struct sum made = read_sum(m->log.p + 24); /* what the one before should say */

    for (size_t k = 0; k < m->n; k++) {
        const char *f = frame(m, k);
        struct sum stands = read_sum((k != 0 ? frame(m, k - 1) + 16 : m->log.p + 24));
        struct sum own = sum_of(m, stands, f), other = sum_of(m, made, f);

        m->good[k] = stands_at(own, f + 16);
        if (!m->good[k] && k != 0 && !m->good[k - 1] && stands_at(other, f + 16))
            m->good[k - 1] = m->good[k] = true;
        made = m->good[k] ? read_sum(f + 16) : own;
    }
}

/* Frames of this round; those behind the last that shows its salt are another's. */
static void count(struct mending *m)
{
    size_t all = (m->log.n - HEADER) / (HEAD + m->page);

    m->n = 0;
    for (size_t k = 0; k < all; k++)
        if (has_salt(m, frame(m, k)))
            m->n = k + 1;
}

/* Up to the last commit that is good. */
static void end_at_commit(struct mending *m)
{
    while (m->n != 0 && !(m->good[m->n - 1] && big(frame(m, m->n - 1) + 4) != 0))
        m->n--;
}

static bool is_written_again(const struct mending *m, size_t bad)
{
    for (size_t k = bad + 1; k < m->n; k++)
        if (m->good[k] && big(frame(m, k)) == big(frame(m, bad)))
            return true;
    return false;
}

static bool is_complete(const struct mending *m, size_t *pages)
{
    *pages = 0;
    for (size_t k = 0; k < m->n; k++) {
        if (m->good[k])
            continue;
        if (!is_written_again(m, k))
            return false;
        (*pages)++;
    }
    return true;
}

static void write_log(const struct mending *m, struct buf *out)
{
    struct sum s = read_sum(m->log.p + 24);

    buf_add(out, str_sub(m->log, 0, HEADER));
    for (size_t k = 0; k < m->n; k++) {
        size_t at = out->n;

        if (!m->good[k])
            continue;
        buf_add(out, (str){frame(m, k), HEAD + m->page});
        memcpy(out->p + at + 8, m->log.p + 16, 8);
        s = sum_of(m, s, out->p + at);
        put_big(out->p + at + 16, s.a);
        put_big(out->p + at + 20, s.b);
    }
}

static bool mend(str log, struct buf *out, struct wal_mended *done)
{
    struct mending m = {.log = log};
    bool ok;

    if (!read_header(&m))
        return false;
    count(&m);
    m.good = mem_array(m.n, sizeof(*m.good));
    judge(&m);
    done->end = m.n;
    end_at_commit(&m);
    done->end -= m.n;
    ok = is_complete(&m, &done->pages);
    if (ok)
        write_log(&m, out);
    mem_free(m.good);
    return ok;
}

/* -- beside the database -- */

static void path_of(char out[PATH], str dir, const char *suffix)
{
    snprintf(out, PATH, "%.*s/state.db%s", STR(dir), suffix);
}

static bool is_sound(const char *path)
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

static bool try(str dir, str log)
{
    char path[PATH], copy[PATH], copied_log[PATH];
    struct buf rows = BUF_INIT;
    bool ok;

    path_of(path, dir, "");
    path_of(copy, dir, ".mend");
    path_of(copied_log, dir, ".mend-wal");
    ok = file_read(str_of(path), FILE_REGULAR, SIZE_MAX - 1, &rows, NULL) &&
         file_replace(str_of(copy), buf_str(&rows), NULL) &&
         file_replace(str_of(copied_log), log, NULL) && is_sound(copy);
    (void)unlink(copy);
    (void)unlink(copied_log);
    buf_release(&rows);
    return ok;
}

bool state_wal_mend(str dir, struct wal_mended *out)
{
    char path[PATH];
    struct buf log = BUF_INIT, made = BUF_INIT;
    bool ok;

    path_of(path, dir, "-wal");
    ok = file_read(str_of(path), FILE_REGULAR, LOG_MAX, &log, NULL) &&
         mend(buf_str(&log), &made, out) && try(dir, buf_str(&made)) &&
         file_replace(str_of(path), buf_str(&made), NULL);
    buf_release(&log);
    buf_release(&made);
    return ok;
}
