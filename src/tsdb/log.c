/* Commits write records into memory, under the store's lock; a step takes them, and writes and syncs without it.
 * Streams and series have numbers within a segment, which name them once. Opening reads segments in order, keeps a
 * copy of a damaged one, and begins a new one. */
#include "tsdb/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/file.h"
#include "os/note.h"
#include "os/record_file.h"
#include "tsdb/log_record.h"
#include "tsdb/tsdb_priv.h"

enum {
    HEADER = 8,
    PATH = 4096,
    PENDING_MAX = 256 << 20,
    SEGMENT_MAX = 512 << 20,
    KEEP_MAX = 256 << 10,
    EXPECT_EVERY = 1024, /* items */
    EXPECT_MAX = 32 << 20
};
static const char magic[HEADER] = {'t', 'o', 'c', 's', 'i', 'n', 'S', '1'};

struct segment {
    uint64_t number;
    ts_ms newest;   /* time of its last sample */
    uint64_t least; /* bytes that were safe, once; 0: it is not known */
};

struct tsdb_log {
    str dir;
    VEC(struct segment) segments; /* oldest first; the last one is being written */

    /* under the store's lock */
    struct buf pending;
    size_t record;    /* where in it the one being written begins */
    uint64_t epoch;   /* grows with every segment: what was numbered in another has no number */
    uint64_t streams; /* numbers given */
    uint64_t series;
    VEC(uint32_t) number; /* by id: of the series + 1 */
    ts_ms newest;
    struct tsdb_log_stats stats;
    bool has_lost;  /* the segment misses records: it is over */
    bool is_to_end; /* it is over with the next step */

    /* of the thread that writes */
    struct file_tail file;
    struct tsdb_log_place written; /* up to there */
    int note_fd; /* of "noted": which segment is written, and how much of it is safe */
    ts_ms begun;
    struct buf out;
};

/* What a large scrape needed is not kept for the next one. */
static void shrink(struct buf *b)
{
    if (b->cap > KEEP_MAX)
        buf_release(b);
}

static void log_path_of(const struct tsdb_log *l, uint64_t number, char out[PATH])
{
    snprintf(out, PATH, "%.*s/samples-%010llu.log", STR(l->dir), (unsigned long long)number);
}

void tsdb_log_free(struct tsdb_log *l)
{
    if (l == NULL)
        return;
    file_close(&l->file);
    if (l->note_fd >= 0)
        close(l->note_fd);
    mem_str_free(l->dir);
    vec_release(&l->segments);
    vec_release(&l->number);
    buf_release(&l->pending);
    buf_release(&l->out);
    mem_free(l);
}

/* -- what commits leave -- */

static bool has_room(struct tsdb_log *l)
{
    if (l->pending.n < PENDING_MAX && !l->has_lost)
        return true;
    l->has_lost = true;
    l->stats.lost++;
    return false;
}

static void tsdb_log_write_head(struct tsdb_log *l, enum log_kind kind, struct tsdb_stream *s,
                                ts_ms t, size_t items)
{
    bool is_new = s->log_segment != l->epoch;

    if (is_new) {
        s->log_segment = l->epoch;
        s->log_id = l->streams++;
    }
    l->record = record_begin(&l->pending);
    log_write_head(&l->pending,
                   &(struct log_head){.kind = kind,
                                      .stream = s->log_id,
                                      .is_new = is_new,
                                      .conf = {s->name, s->interval_ms, s->marks_stale},
                                      .is_lane = s->root != s,
                                      .t = t,
                                      .items = items});
    l->newest = t > l->newest ? t : l->newest;
}

static uint64_t number_of(struct tsdb_log *l, uint32_t id, bool *is_new)
{
    while (l->number.n <= id)
        vec_push(&l->number, 0);
    *is_new = l->number.v[id] == 0;
    if (*is_new)
        l->number.v[id] = (uint32_t)++l->series;
    return l->number.v[id] - 1;
}

/* Room for the items that are left, going by those since from: growing a large record step by step copies it. */
static void expect_more(struct buf *b, size_t from, size_t done, size_t left)
{
    size_t more = (b->n - from) / done * left;

    more += more / 16;
    buf_reserve(b, more < EXPECT_MAX ? more : EXPECT_MAX);
}

static void write_items(struct tsdb_log *l, const struct tsdb_batch *batch)
{
    size_t begin = l->pending.n;
    uint64_t last = UINT64_MAX;
    struct arena a;

    arena_init(&a, 0);
    VEC_EACH (const struct tsdb_item *, from, &batch->items) {
        size_t done = (size_t)(from - batch->items.v);
        struct tsdb_rest rest = tsdb_rest_of(batch, from);
        struct log_item item = {
            .start = rest.start, .slot = from->slot, .histogram = rest.histogram};

        if (done != 0 && done % EXPECT_EVERY == 0)
            expect_more(&l->pending, begin, done, batch->items.n - done);
        if (from->ref == TSDB_REF_DROPPED)
            continue;
        item.series = number_of(l, from->ref, &item.is_new);
        if (item.is_new) {
            arena_reset(&a);
            item.labels = tsdb_labels(batch->db, from->ref, &a);
        }
        log_write_item(&l->pending, &item, last);
        last = item.series;
    }
    arena_release(&a);
}

void tsdb_log_batch(struct tsdb_log *l, const struct tsdb_batch *batch)
{
    size_t n = 0;

    if (!has_room(l))
        return;
    VEC_EACH (const struct tsdb_item *, item, &batch->items)
        n += item->ref != TSDB_REF_DROPPED;
    tsdb_log_write_head(l, LOG_BATCH, batch->stream, batch->t, n);
    write_items(l, batch);
    record_end(&l->pending, l->record);
}

void tsdb_log_stream_end(struct tsdb_log *l, struct tsdb_stream *s, ts_ms t)
{
    if (!has_room(l))
        return;
    tsdb_log_write_head(l, LOG_CLOSE, s, t, 0);
    record_end(&l->pending, l->record);
}

void tsdb_log_shift(struct tsdb_log *l, int64_t by_ms)
{
    if (!has_room(l))
        return;
    l->record = record_begin(&l->pending);
    log_write_head(&l->pending, &(struct log_head){.kind = LOG_STEP, .t = by_ms});
    record_end(&l->pending, l->record);
}

void tsdb_log_forget(struct tsdb_log *l, uint32_t id)
{
    if (id < l->number.n)
        l->number.v[id] = 0;
}

/* -- segments -- */

static bool begin_segment(struct tsdb_log *l, ts_ms now, struct err *e)
{
    uint64_t number = l->segments.n != 0 ? vec_last(&l->segments)->number + 1 : 1;
    char path[PATH];

    log_path_of(l, number, path);
    l->file.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (l->file.fd < 0)
        return err_errno(e, errno, "cannot create '%s'", path);
    vec_push(&l->segments, (struct segment){.number = number, .newest = INT64_MIN});
    l->begun = now;
    if (!file_append(&l->file, (str){magic, HEADER}, e))
        return err_wrap(e, "'%s'", path);
    return sync_dir(l->dir, e);
}

static void remove_old(struct tsdb_log *l, ts_ms oldest)
{
    while (l->segments.n > 1 && l->segments.v[0].newest <= oldest) {
        char path[PATH];

        log_path_of(l, l->segments.v[0].number, path);
        if (unlink(path) != 0 && errno != ENOENT)
            return; /* tried again with the next step */
        vec_remove(&l->segments, 0);
    }
}

/* From here on everything is numbered anew, for another segment. */
static void renumber(struct tsdb_log *l)
{
    l->epoch++;
    l->streams = l->series = 0;
    vec_clear(&l->number);
    l->has_lost = l->is_to_end = false;
}

static uint64_t log_bytes_of(const struct tsdb_log *l)
{
    return l->file.size + l->file.unsynced;
}

/* Takes what is pending; *is_over: it is the last of its segment. */
static void log_take(struct tsdb *db, ts_ms now, bool *is_over, ts_ms *newest, int64_t *reach)
{
    struct tsdb_log *l = db->log;
    struct buf empty = l->out;

    tsdb_lock_write(db);
    l->out = l->pending;
    l->pending = empty;
    *newest = l->newest;
    *reach = selectors_longest(db);
    *is_over = l->has_lost || l->is_to_end ||
               (l->file.fd >= 0 && (log_bytes_of(l) > SEGMENT_MAX || now - l->begun > *reach / 2));
    if (*is_over)
        renumber(l);
    l->stats.segments = l->segments.n;
    l->stats.bytes = log_bytes_of(l);
    tsdb_unlock(db);
}

/* -- who hears it -- */

void tsdb_log_listen(struct tsdb *db, const struct tsdb_log_ear *ear)
{
    db->ear = ear;
    if (ear == NULL || db->log == NULL)
        return;
    tsdb_lock_write(db);
    db->log->is_to_end = true;
    tsdb_unlock(db);
}

struct tsdb_log_place tsdb_log_place(const struct tsdb *db)
{
    return db->log != NULL ? db->log->written : (struct tsdb_log_place){0};
}

static void log_let_hear(struct tsdb *db, str records)
{
    struct tsdb_log_place place = tsdb_log_place(db);
    str bytes;

    while (db->ear != NULL && record_next(&records, &bytes))
        db->ear->record(db->ear->arg, place, false, bytes);
}

static void log_let_begin(struct tsdb *db)
{
    if (db->ear != NULL)
        db->ear->begin(db->ear->arg);
}

/* What is pending builds on what could not be written. */
static void log_give_up(struct tsdb *db)
{
    struct tsdb_log *l = db->log;
    struct buf empty = l->out;

    buf_clear(&empty);
    tsdb_lock_write(db);
    l->out = l->pending;
    l->pending = empty;
    renumber(l);
    l->stats.lost++;
    tsdb_unlock(db);
    log_let_hear(db, buf_str(&l->out));
    log_let_begin(db);
}

static void note_path(const struct tsdb_log *l, char out[PATH])
{
    snprintf(out, PATH, "%.*s/noted", STR(l->dir));
}

static void note_size(struct tsdb_log *l)
{
    const uint64_t v[NOTE_NUMBERS] = {vec_last(&l->segments)->number, l->file.size};
    char path[PATH];

    note_path(l, path);
    note_write(path, &l->note_fd, v);
}

static bool log_write_out(struct tsdb_log *l, ts_ms now, ts_ms newest, bool sync, struct err *e)
{
    if (l->out.n != 0) {
        if (l->file.fd < 0 && !begin_segment(l, now, e))
            return false;
        if (!file_append(&l->file, buf_str(&l->out), e))
            return err_wrap(e, "sample log");
        vec_last(&l->segments)->newest = newest;
        l->written = (struct tsdb_log_place){vec_last(&l->segments)->number, log_bytes_of(l)};
    }
    if (!sync || l->file.fd < 0)
        return true;
    if (!file_sync(&l->file, e))
        return err_wrap(e, "sample log");
    note_size(l);
    return true;
}

bool tsdb_log_step(struct tsdb *db, ts_ms now, bool sync, struct err *e)
{
    struct tsdb_log *l = db->log;
    ts_ms newest;
    int64_t reach;
    bool is_over, ok;

    buf_clear(&l->out);
    log_take(db, now, &is_over, &newest, &reach);
    ok = log_write_out(l, now, newest, sync || is_over, e);
    log_let_hear(db, buf_str(&l->out));
    if (is_over)
        log_let_begin(db);
    if (!ok)
        log_give_up(db);
    shrink(&l->out);
    if (is_over || !ok)
        file_close(&l->file);
    remove_old(l, now - reach);
    return ok;
}

struct tsdb_log_stats tsdb_log_stats(struct tsdb *db)
{
    struct tsdb_log_stats s;

    tsdb_lock_read(db);
    s = db->log->stats;
    tsdb_unlock(db);
    return s;
}

/* -- opening -- */

static int log_by_number(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

static bool find_segments(struct tsdb_log *l, struct err *e)
{
    char path[PATH];
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s", STR(l->dir));
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_errno(e, errno, "cannot create '%s'", path);
    d = opendir(path);
    if (d == NULL)
        return err_errno(e, errno, "cannot read '%s'", path);
    while ((entry = readdir(d)) != NULL) {
        str name = str_of(entry->d_name);
        uint64_t number;

        if (str_starts_with(name, S("samples-")) && str_ends_with(name, S(".log")) &&
            str_to_u64(str_sub(name, 8, name.n - 4), &number))
            vec_push(&l->segments, (struct segment){.number = number, .newest = INT64_MIN});
    }
    closedir(d);
    if (l->segments.n != 0)
        qsort(l->segments.v, l->segments.n, sizeof(l->segments.v[0]), log_by_number);
    return true;
}

struct replaying {
    struct tsdb *db;
    struct tsdb_replayer *r;
    struct tsdb_log_place at; /* where the next record begins */
    size_t records;
    bool is_bad;
};

static bool replay_one(void *arg, str bytes)
{
    struct replaying *p = arg;
    struct err e = ERR_INIT;

    p->is_bad = !tsdb_replay_record(p->r, bytes, &e);
    p->records += !p->is_bad;
    p->at.end += RECORD_HEAD + bytes.n;
    if (!p->is_bad && p->db->ear != NULL)
        p->db->ear->record(p->db->ear->arg, p->at, true, bytes);
    return !p->is_bad;
}

/* Sound records behind a bad one are taken, too: what they say of streams and series that are not known any more is left
 * out. Returns how many bytes are lost; *found: whether there were any; *is_torn: what stands there only ends early. */
static uint64_t replay_rest(struct replaying *p, int fd, uint64_t from, uint64_t end, bool *found,
                            bool *is_torn)
{
    struct buf all = BUF_INIT;
    size_t n = (size_t)(end - from), at = 0;
    uint64_t lost = 0;

    *found = false;
    buf_reserve(&all, n);
    all.n = n;
    *is_torn = record_read(fd, from, all.p, n) && record_is_torn(buf_str(&all));
    while (record_read(fd, from, all.p, n) && at < n) {
        str rest = str_sub(buf_str(&all), record_find(buf_str(&all), at), n), bytes;

        lost += n - at - rest.n;
        while (record_next(&rest, &bytes)) {
            *found = true;
            p->at.end = end - rest.n - bytes.n - RECORD_HEAD;
            (void)replay_one(p, bytes);
        }
        at = n - rest.n;
        if (rest.n == 0 || record_find(buf_str(&all), at) == n)
            break;
    }
    buf_release(&all);
    return lost + (n - at);
}

enum segment_end { SEGMENT_WHOLE, SEGMENT_CUT, SEGMENT_DAMAGED };

/* *end: where its first sound records end. */
static enum segment_end replay_fd(struct tsdb *db, int fd, struct segment *s,
                                  struct tsdb_replay *out, uint64_t *end, uint64_t *lost)
{
    struct replaying p = {
        .db = db, .r = tsdb_replayer_new(db), .at = {.segment = s->number, .end = HEADER}};
    enum segment_end how = SEGMENT_CUT;
    char head[HEADER];
    struct stat st = {0};
    bool found = false, is_torn = true;

    *end = *lost = 0;
    log_let_begin(db);
    if (fstat(fd, &st) == 0 && st.st_size >= HEADER && record_read(fd, 0, head, HEADER) &&
        memcmp(head, magic, HEADER) == 0) {
        *end = record_walk(fd, HEADER, (uint64_t)st.st_size, replay_one, &p);
        how = !p.is_bad && *end == (uint64_t)st.st_size ? SEGMENT_WHOLE : SEGMENT_CUT;
    }
    if (how != SEGMENT_WHOLE && *end < (uint64_t)st.st_size) {
        *lost = replay_rest(&p, fd, *end, (uint64_t)st.st_size, &found, &is_torn);
        how = found || !is_torn ? SEGMENT_DAMAGED : SEGMENT_CUT;
    }
    s->newest = tsdb_replayer_newest(p.r);
    out->bytes += *end;
    out->records += p.records;
    out->samples += tsdb_replayer_samples(p.r);
    tsdb_replayer_free(p.r);
    return how;
}

static void log_keep_damaged(const char *path)
{
    char aside[PATH + 16];

    snprintf(aside, sizeof(aside), "%s.damaged", path);
    (void)!link(path, aside); /* of an earlier start one may be there */
}

static bool replay_segment(struct tsdb *db, struct tsdb_log *l, size_t i, struct tsdb_replay *out,
                           struct err *e)
{
    struct segment *s = &l->segments.v[i];
    bool is_last = i + 1 == l->segments.n, ok = true, is_short;
    enum segment_end how;
    char path[PATH];
    uint64_t end, lost;
    int fd;

    log_path_of(l, s->number, path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, errno, "cannot open '%s'", path);
    out->segments++;
    l->written = (struct tsdb_log_place){s->number, INT64_MAX}; /* nothing comes behind it */
    how = replay_fd(db, fd, s, out, &end, &lost);
    is_short = how != SEGMENT_DAMAGED && end < s->least;
    out->was_torn = is_last && how == SEGMENT_CUT && !is_short;
    if (out->was_torn)
        out->torn_bytes = lost;
    if (is_short || (how != SEGMENT_WHOLE && !out->was_torn)) {
        out->damaged++;
        out->lost_bytes += is_short ? s->least - end : lost;
        log_keep_damaged(path);
    }
    if ((out->was_torn || is_short) && how == SEGMENT_CUT)
        ok = ftruncate(fd, (off_t)end) == 0 ||
             err_errno(e, errno, "cannot cut the torn end of '%s'", path);
    close(fd);
    return ok;
}

static struct tsdb_log *log_new(str dir)
{
    struct tsdb_log *l = mem_new(struct tsdb_log);

    l->dir = mem_str_dup(dir);
    l->file.fd = l->note_fd = -1;
    l->epoch = 1;
    return l;
}

bool tsdb_log_begin(struct tsdb *db, str dir, struct err *e)
{
    struct tsdb_log *l = log_new(dir);
    bool ok = find_segments(l, e);

    if (ok && l->segments.n != 0)
        ok = err_set(e, ERR_CONFLICT, "there are samples in '%.*s'", STR(dir));
    if (!ok) {
        tsdb_log_free(l);
        return false;
    }
    log_let_begin(db);
    tsdb_lock_write(db);
    db->log = l;
    tsdb_unlock(db);
    return true;
}

/* What was safe when it was written last. A segment that has gone since is lost. */
static void take_note(struct tsdb_log *l, struct tsdb_replay *out)
{
    uint64_t v[NOTE_NUMBERS];
    char path[PATH];
    bool is_there = false;

    note_path(l, path);
    if (!note_read(path, v))
        return;
    VEC_EACH (struct segment *, s, &l->segments)
        if (s->number == v[0]) {
            s->least = v[1];
            is_there = true;
        }
    if (!is_there) {
        out->damaged++;
        out->lost_bytes += v[1];
    }
    note_remove(path, &l->note_fd); /* it has been told */
}

bool tsdb_log_open(struct tsdb *db, str dir, struct tsdb_replay *out, struct err *e)
{
    struct tsdb_log *l = log_new(dir);
    bool ok;

    *out = (struct tsdb_replay){0};
    ok = find_segments(l, e);
    if (ok)
        take_note(l, out);
    for (size_t i = 0; ok && i < l->segments.n; i++)
        ok = replay_segment(db, l, i, out, e);
    if (!ok) {
        tsdb_log_free(l);
        return false;
    }
    log_let_begin(db);
    tsdb_lock_write(db);
    MAP_EACH (struct stream_map_entry, at, &db->streams) /* the others until somebody opens them */
        at->value->is_open = at->value->holders != 0;
    db->log = l;
    tsdb_unlock(db);
    return true;
}
