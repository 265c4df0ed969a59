/* Segments are named by the number of their first request. The last one is appended to until it is full; it is read from a
 * descriptor of its own, behind what was given last. A step's requests have its place in the sample log in their last one: at
 * the start what stands behind the last such is cut off, and is heard anew. */
#include "remote_write/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/vec.h"
#include "codec/pack.h"
#include "os/file.h"
#include "os/log.h"
#include "os/note.h"
#include "os/record_file.h"

enum {
    VERSION = 1,
    IS_LAST = 1,
    HEADER = 8,
    PATH = 4096,
    SHARE = 8, /* of what there may be, a segment */
    SEGMENT_MAX = 32 << 20,
    KEEP_MAX = 4 << 20
};
static const char magic[HEADER] = {'t', 'o', 'c', 's', 'i', 'n', 'W', '1'};

struct spool_segment {
    uint64_t first;          /* number of its first request: its name */
    uint64_t bytes, samples; /* samples: not answered yet */
};

struct spool_waiting { /* in memory */
    struct spool_record record;
    struct buf body;
};

struct spool {
    atomic_uint refs;
    pthread_mutex_t lock; /* held while the disk works */
    str dir;
    uint64_t max_bytes;
    VEC(struct spool_segment) segments; /* oldest first */
    VEC(struct spool_waiting) waiting;  /* behind all of them */
    size_t waiting_bytes;
    struct file_tail file; /* the last segment, while it is appended to */
    struct buf out;
    int note_fd;
    uint64_t made, answered;     /* numbers */
    struct tsdb_log_place heard; /* by the last step whose requests are all here */
    bool is_new, is_removed, is_full, is_note_safe;

    uint64_t given; /* the last number that was, */
    size_t given_samples;
    uint64_t given_from; /* and its segment; 0: it was in memory */
    uint64_t read;       /* the segment that is read from, and where */
    uint64_t read_at;
    int read_fd;

    pthread_mutex_t figures_lock;
    struct spool_figures figures;
};

/* -- records -- */

void spool_write_record(struct buf *out, const struct spool_record *r)
{
    pack_u64(out, VERSION);
    pack_u64(out, r->is_last ? IS_LAST : 0);
    pack_u64(out, r->item.id);
    pack_u64(out, r->item.samples);
    pack_i64(out, r->item.oldest);
    pack_i64(out, r->item.newest);
    pack_u64(out, r->place.segment);
    pack_u64(out, r->place.end);
    pack_str(out, r->item.body);
}

bool spool_read_record(str bytes, struct spool_record *out, struct err *e)
{
    struct unpack u = unpack_of(bytes);

    if (unpack_u64(&u) != VERSION)
        return err_set(e, ERR_CORRUPT, "request of an unknown version");
    *out = (struct spool_record){.is_last = (unpack_u64(&u) & IS_LAST) != 0};
    out->item.id = unpack_u64(&u);
    out->item.samples = (size_t)unpack_u64(&u);
    out->item.oldest = unpack_i64(&u);
    out->item.newest = unpack_i64(&u);
    out->place.segment = unpack_u64(&u);
    out->place.end = unpack_u64(&u);
    out->item.body = unpack_str(&u);
    return !u.failed || err_set(e, ERR_CORRUPT, "request is cut");
}

/* -- figures -- */

static void spool_show(struct spool *s)
{
    struct spool_figures f = {.bytes = s->waiting_bytes, .is_in_memory = s->waiting.n != 0};

    VEC_EACH (const struct spool_segment *, g, &s->segments) {
        f.samples += g->samples;
        f.bytes += g->bytes;
    }
    VEC_EACH (const struct spool_waiting *, w, &s->waiting)
        f.samples += w->record.item.samples;
    pthread_mutex_lock(&s->figures_lock);
    f.dropped = s->figures.dropped;
    f.damaged = s->figures.damaged;
    f.oldest = f.samples != 0 ? s->figures.oldest : 0;
    s->figures = f;
    pthread_mutex_unlock(&s->figures_lock);
}

static void spool_show_oldest(struct spool *s, ts_ms oldest)
{
    pthread_mutex_lock(&s->figures_lock);
    s->figures.oldest = oldest;
    pthread_mutex_unlock(&s->figures_lock);
}

static void spool_count(struct spool *s, uint64_t dropped, uint64_t damaged)
{
    pthread_mutex_lock(&s->figures_lock);
    s->figures.dropped += dropped;
    s->figures.damaged += damaged;
    pthread_mutex_unlock(&s->figures_lock);
}

struct spool_figures spool_figures(struct spool *s)
{
    struct spool_figures f;

    pthread_mutex_lock(&s->figures_lock);
    f = s->figures;
    pthread_mutex_unlock(&s->figures_lock);
    return f;
}

/* -- making -- */

struct spool *spool_new(void)
{
    struct spool *s = mem_new(struct spool);

    s->refs = 1;
    s->file.fd = s->note_fd = s->read_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->figures_lock, NULL);
    return s;
}

struct spool *spool_ref(struct spool *s)
{
    s->refs++;
    return s;
}

static void spool_close_read(struct spool *s)
{
    if (s->read_fd >= 0)
        close(s->read_fd);
    s->read_fd = -1;
}

static void spool_forget_first_waiting(struct spool *s)
{
    s->waiting_bytes -= s->waiting.v[0].body.n;
    buf_release(&s->waiting.v[0].body);
    vec_remove(&s->waiting, 0);
}

void spool_unref(struct spool *s)
{
    if (s == NULL || --s->refs != 0)
        return;
    while (s->waiting.n != 0)
        spool_forget_first_waiting(s);
    vec_release(&s->waiting);
    vec_release(&s->segments);
    file_close(&s->file);
    spool_close_read(s);
    if (s->note_fd >= 0)
        close(s->note_fd);
    buf_release(&s->out);
    mem_str_free(s->dir);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->figures_lock);
    mem_free(s);
}

void spool_limit(struct spool *s, uint64_t max_bytes)
{
    pthread_mutex_lock(&s->lock);
    s->max_bytes = max_bytes;
    pthread_mutex_unlock(&s->lock);
}

/* -- files -- */

static void spool_path(const struct spool *s, uint64_t first, char out[PATH])
{
    snprintf(out, PATH, "%.*s/queue-%020" PRIu64 ".log", STR(s->dir), first);
}

static void spool_note_path(const struct spool *s, char out[PATH])
{
    snprintf(out, PATH, "%.*s/noted", STR(s->dir));
}

static void spool_note(struct spool *s)
{
    const uint64_t v[NOTE_NUMBERS] = {s->answered, s->made, s->heard.segment, s->heard.end};
    char path[PATH];

    spool_note_path(s, path);
    if (s->dir.n != 0 && !s->is_removed)
        note_write(path, &s->note_fd, v);
    s->is_note_safe = false;
}

static void spool_unlink_first(struct spool *s)
{
    char path[PATH];

    spool_path(s, s->segments.v[0].first, path);
    (void)unlink(path);
    vec_remove(&s->segments, 0);
}

static bool spool_begin_segment(struct spool *s, uint64_t first, struct err *e)
{
    char path[PATH];

    spool_path(s, first, path);
    s->file = (struct file_tail){
        .fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600)};
    if (s->file.fd < 0)
        return err_errno(e, errno, "cannot create '%s'", path);
    if (!file_append(&s->file, (str){magic, HEADER}, e) || !sync_dir(s->dir, e)) {
        file_close(&s->file);
        (void)unlink(path);
        return err_wrap(e, "'%s'", path);
    }
    vec_push(&s->segments, (struct spool_segment){.first = first, .bytes = HEADER});
    return true;
}

/* -- opening -- */

struct spool_opening {
    struct spool *s;
    struct spool_segment *segment;
    struct tsdb_log_place heard;
    uint64_t at, whole;     /* where its records end; those of whole steps */
    uint64_t last, pending; /* the number of the last one of whole steps; samples behind that */
    bool has_next;          /* what is to be given next stands before here */
};

static bool spool_look_at_record(void *arg, str bytes)
{
    struct spool_opening *o = arg;
    struct spool_record r;
    struct err e = ERR_INIT;

    if (!spool_read_record(bytes, &r, &e) || r.item.id < o->segment->first)
        return false;
    if (r.item.id > o->s->answered && !o->has_next) {
        o->has_next = true;
        o->s->read = o->segment->first;
        o->s->read_at = o->at;
    }
    o->at += RECORD_HEAD + bytes.n;
    if (r.item.id > o->s->answered)
        o->pending += r.item.samples;
    if (!r.is_last)
        return true;
    o->segment->samples += o->pending;
    o->pending = 0;
    o->whole = o->at;
    o->last = r.item.id;
    o->heard = r.place;
    return true;
}

static bool spool_look_at_segment(struct spool *s, struct spool_opening *o, bool is_last,
                                  struct err *e)
{
    char path[PATH], head[HEADER];
    struct stat st;
    bool is_cut;
    int fd;

    spool_path(s, o->segment->first, path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        err_errno(e, errno, "cannot open '%s'", path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    o->at = o->whole = HEADER;
    o->pending = 0;
    if (st.st_size >= HEADER && record_read(fd, 0, head, HEADER) &&
        memcmp(head, magic, HEADER) == 0)
        (void)record_walk(fd, HEADER, (uint64_t)st.st_size, spool_look_at_record, o);
    is_cut = o->whole < (uint64_t)st.st_size;
    if (is_cut && !is_last) {
        log_error("a file of requests that wait is damaged: what stands behind that is lost",
                  LOG_Z("path", path), LOG_I64("bytes", (uint64_t)st.st_size - o->whole));
        spool_count(s, 0, 1);
    }
    if (is_cut && ftruncate(fd, (off_t)o->whole) != 0) {
        err_errno(e, errno, "cannot cut the torn end of '%s'", path);
        close(fd);
        return false;
    }
    o->segment->bytes = o->whole;
    close(fd);
    return true;
}

static int spool_by_first(const void *a, const void *b)
{
    const struct spool_segment *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static bool spool_find_segments(struct spool *s, struct err *e)
{
    char path[PATH];
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s", STR(s->dir));
    if (!folder_make(path, e))
        return false;
    d = opendir(path);
    if (d == NULL)
        return err_errno(e, errno, "cannot read '%s'", path);
    while ((entry = readdir(d)) != NULL) {
        str name = str_of(entry->d_name);
        uint64_t first;

        if (str_starts_with(name, S("queue-")) && str_ends_with(name, S(".log")) &&
            str_to_u64(str_sub(name, 6, name.n - 4), &first))
            vec_push(&s->segments, (struct spool_segment){.first = first});
    }
    closedir(d);
    if (s->segments.n != 0)
        qsort(s->segments.v, s->segments.n, sizeof(s->segments.v[0]), spool_by_first);
    return true;
}

static bool spool_is_before(struct tsdb_log_place a, struct tsdb_log_place b)
{
    return a.segment < b.segment || (a.segment == b.segment && a.end < b.end);
}

static bool spool_read_note(struct spool *s)
{
    uint64_t v[NOTE_NUMBERS];
    char path[PATH];

    spool_note_path(s, path);
    if (!note_read(path, v))
        return false;
    s->answered = v[0];
    s->made = v[1];
    s->heard = (struct tsdb_log_place){v[2], v[3]};
    return true;
}

/* A power cut may have left the note and not all that it speaks of: that is heard anew, if the log still has it. */
static void spool_settle_heard(struct spool *s, const struct spool_opening *o)
{
    if (o->last < s->made && s->answered < s->made && s->segments.n != 0) {
        log_error("requests that waited are lost: they are made anew of what the log has",
                  LOG_STR("path", s->dir), LOG_I64("requests", s->made - o->last));
        spool_count(s, 0, 1);
        s->heard = o->heard;
    } else if (spool_is_before(s->heard, o->heard)) {
        s->heard = o->heard;
    }
    s->made = o->last > s->made ? o->last : s->made;
}

static bool spool_open_locked(struct spool *s, struct err *e)
{
    struct spool_opening o = {.s = s};

    if (!spool_find_segments(s, e))
        return false;
    s->is_new = !spool_read_note(s) && s->segments.n == 0;
    for (size_t i = 0; i < s->segments.n; i++) {
        o.segment = &s->segments.v[i];
        if (!spool_look_at_segment(s, &o, i + 1 == s->segments.n, e))
            return false;
    }
    spool_settle_heard(s, &o);
    s->given = s->answered;
    while (s->segments.n != 0 && s->segments.v[0].samples == 0)
        spool_unlink_first(s);
    return true;
}

bool spool_open(struct spool *s, str dir, struct err *e)
{
    bool ok;

    pthread_mutex_lock(&s->lock);
    vec_clear(&s->segments);
    mem_str_free(s->dir);
    s->dir = mem_str_dup(dir);
    ok = spool_open_locked(s, e);
    if (!ok) {
        mem_str_free(s->dir);
        s->dir = STR_NONE;
    }
    spool_show(s);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

bool spool_has_heard(const struct spool *s, struct tsdb_log_place place)
{
    return s->is_new || !spool_is_before(s->heard, place);
}

/* -- room -- */

static void spool_tell_room(struct spool *s, bool is_full)
{
    if (is_full && !s->is_full)
        log_error("requests that wait take all the room that they may: the oldest are dropped",
                  LOG_STR("path", s->dir), LOG_I64("bytes", s->max_bytes));
    s->is_full = is_full;
}

/* The request that is under way may be in it, and is not dropped. */
static void spool_drop_first(struct spool *s)
{
    const struct spool_segment *g = &s->segments.v[0];

    spool_count(s, g->samples - (s->given_from == g->first ? s->given_samples : 0), 0);
    spool_unlink_first(s);
}

static void spool_make_room(struct spool *s, uint64_t more)
{
    uint64_t bytes = more;
    size_t kept = s->file.fd >= 0 ? 1 : 0; /* what is appended to */
    bool is_full = false;

    VEC_EACH (const struct spool_segment *, g, &s->segments)
        bytes += g->bytes;
    for (; s->segments.n > kept && bytes > s->max_bytes; is_full = true) {
        bytes -= s->segments.v[0].bytes;
        spool_drop_first(s);
    }
    if (is_full || bytes < s->max_bytes / 2)
        spool_tell_room(s, is_full);
}

/* -- appending -- */

static void spool_keep_in_memory(struct spool *s, const struct spool_record *r)
{
    struct spool_waiting w = {.record = *r, .body = BUF_INIT};

    buf_add(&w.body, r->item.body);
    w.record.item.body = buf_str(&w.body);
    vec_push(&s->waiting, w);
    s->waiting_bytes += w.body.n;
}

static void spool_bound_memory(struct spool *s)
{
    while (s->waiting_bytes > SPOOL_MEMORY && s->waiting.n > 1) {
        spool_count(s, s->waiting.v[0].record.item.samples, 0);
        spool_tell_room(s, true);
        spool_forget_first_waiting(s);
    }
}

static bool spool_write_out(struct spool *s, uint64_t first, struct err *e)
{
    uint64_t share = s->max_bytes / SHARE < SEGMENT_MAX ? s->max_bytes / SHARE : SEGMENT_MAX;

    if (s->dir.n == 0)
        return err_set(e, ERR_IO, "its folder could not be opened");
    if (s->file.fd >= 0 && vec_last(&s->segments)->bytes >= share) {
        bool ok = file_sync(&s->file, e);

        file_close(&s->file);
        if (!ok)
            return false;
    }
    spool_make_room(s, s->out.n);
    if (s->file.fd < 0 && !spool_begin_segment(s, first, e))
        return false;
    if (!file_append(&s->file, buf_str(&s->out), e)) {
        file_close(&s->file);
        return false;
    }
    vec_last(&s->segments)->bytes += s->out.n;
    return true;
}

/* All that waits in memory, in one go. */
static bool spool_write_waiting(struct spool *s, struct err *e)
{
    buf_clear(&s->out);
    for (size_t i = 0; i < s->waiting.n; i++) {
        struct spool_record r = s->waiting.v[i].record;
        size_t at = record_begin(&s->out);

        r.item.body = buf_str(&s->waiting.v[i].body);
        spool_write_record(&s->out, &r);
        record_end(&s->out, at);
    }
    if (!spool_write_out(s, s->waiting.v[0].record.item.id, e))
        return false;
    while (s->waiting.n != 0) {
        vec_last(&s->segments)->samples += s->waiting.v[0].record.item.samples;
        spool_forget_first_waiting(s);
    }
    if (s->out.cap > KEEP_MAX)
        buf_release(&s->out);
    return true;
}

bool spool_append(struct spool *s, const struct spool_item *v, size_t n,
                  struct tsdb_log_place place, struct err *e)
{
    bool ok = true;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < n && !s->is_removed; i++) {
        struct spool_record r = {v[i], i + 1 == n, place};

        r.item.id = ++s->made;
        spool_keep_in_memory(s, &r);
    }
    s->heard = place;
    s->is_new = false;
    if (s->waiting.n != 0)
        ok = spool_write_waiting(s, e);
    if (!ok)
        spool_bound_memory(s);
    spool_note(s);
    spool_show(s);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

bool spool_sync(struct spool *s, struct err *e)
{
    bool ok = true;

    pthread_mutex_lock(&s->lock);
    if (s->file.fd >= 0 && s->made != s->answered && !file_sync(&s->file, e)) {
        file_close(&s->file);
        ok = false;
    }
    if (ok && s->note_fd >= 0 && !s->is_note_safe) /* behind what it speaks of */
        s->is_note_safe = fdatasync(s->note_fd) == 0 && sync_dir(s->dir, e);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

/* -- reading -- */

static size_t spool_segment_to_read(const struct spool *s)
{
    size_t i = 0;

    while (i < s->segments.n && s->segments.v[i].first < s->read)
        i++;
    return i;
}

/* Where reading goes on: s->read is a segment that there is. */
static bool spool_find_read(struct spool *s)
{
    size_t i = spool_segment_to_read(s);
    char path[PATH];

    if (i == s->segments.n)
        return false;
    if (s->segments.v[i].first != s->read || s->read_at == 0) {
        spool_close_read(s);
        s->read = s->segments.v[i].first;
        s->read_at = HEADER;
    }
    if (s->read_fd < 0) {
        spool_path(s, s->read, path);
        s->read_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    return s->read_fd >= 0;
}

static bool spool_read_one(struct spool *s, uint64_t end, struct spool_record *r, struct buf *body)
{
    char head[RECORD_HEAD];
    struct err e = ERR_INIT;
    str rest, bytes;
    size_t n;

    if (!record_read(s->read_fd, s->read_at, head, RECORD_HEAD))
        return false;
    n = record_length(head);
    if (n > end - s->read_at)
        return false;
    buf_clear(body);
    buf_reserve(body, RECORD_HEAD + n);
    body->n = RECORD_HEAD + n;
    rest = buf_str(body);
    if (!record_read(s->read_fd, s->read_at, body->p, body->n) || !record_next(&rest, &bytes) ||
        !spool_read_record(bytes, r, &e))
        return false;
    s->read_at += body->n;
    return true;
}

/* The rest of the segment that is read cannot be: what it had is counted as dropped. */
static void spool_give_up_segment(struct spool *s, struct spool_segment *g)
{
    char path[PATH];

    spool_path(s, g->first, path);
    log_error("a file of requests that wait cannot be read: the rest of it is lost",
              LOG_Z("path", path), LOG_I64("samples", g->samples));
    spool_count(s, g->samples, 1);
    g->samples = 0;
}

static bool spool_next_on_disk(struct spool *s, struct spool_record *r, struct buf *body)
{
    while (spool_find_read(s)) {
        struct spool_segment *g = &s->segments.v[spool_segment_to_read(s)];
        bool is_last = g == vec_last(&s->segments);

        while (s->read_at < g->bytes && spool_read_one(s, g->bytes, r, body))
            if (r->item.id > s->given) {
                s->given_from = g->first;
                return true;
            }
        if (s->read_at < g->bytes) {
            spool_give_up_segment(s, g);
            s->read_at = g->bytes;
        }
        if (is_last)
            return false;
        spool_close_read(s);
        s->read = g->first + 1;
        s->read_at = 0;
    }
    return false;
}

static bool spool_next_in_memory(struct spool *s, struct spool_record *r, struct buf *body)
{
    if (s->waiting.n == 0)
        return false;
    *r = s->waiting.v[0].record;
    buf_clear(body);
    buf_add(body, buf_str(&s->waiting.v[0].body));
    r->item.body = buf_str(body);
    spool_forget_first_waiting(s);
    s->given_from = 0;
    return true;
}

bool spool_next(struct spool *s, struct spool_item *out, struct buf *body)
{
    struct spool_record r;
    bool ok;

    pthread_mutex_lock(&s->lock);
    ok = !s->is_removed && (spool_next_on_disk(s, &r, body) || spool_next_in_memory(s, &r, body));
    if (ok) {
        *out = r.item;
        s->given = r.item.id;
        s->given_samples = r.item.samples;
        spool_show_oldest(s, r.item.oldest);
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

void spool_answered(struct spool *s, uint64_t id)
{
    pthread_mutex_lock(&s->lock);
    VEC_EACH (struct spool_segment *, g, &s->segments)
        if (g->first == s->given_from && id == s->given)
            g->samples -= s->given_samples;
    s->given_samples = 0;
    s->answered = id > s->answered ? id : s->answered;
    while (s->segments.n > 1 && s->segments.v[1].first <= s->answered + 1)
        spool_unlink_first(s);
    spool_note(s);
    spool_show(s);
    pthread_mutex_unlock(&s->lock);
}

uint64_t spool_remove(struct spool *s)
{
    char path[PATH];
    uint64_t samples;

    pthread_mutex_lock(&s->lock);
    samples = spool_figures(s).samples;
    spool_note_path(s, path);
    note_remove(path, &s->note_fd);
    file_close(&s->file);
    while (s->segments.n != 0)
        spool_unlink_first(s);
    while (s->waiting.n != 0)
        spool_forget_first_waiting(s);
    spool_close_read(s);
    s->is_removed = true;
    snprintf(path, sizeof(path), "%.*s", STR(s->dir));
    (void)rmdir(path);
    spool_show(s);
    pthread_mutex_unlock(&s->lock);
    return samples;
}
