/* The list of files, and what becomes of each: made, written, left when its day is over or it has its share of the room,
 * removed, set aside. */
#include "history/history_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/file.h"
#include "os/log.h"
#include "tsdb/tsdb.h"

enum {
    GRACE_MS = 10 * 1000, /* what comes at the end of a span is there by then */
    RETRY_MS = 30 * 1000,
    SHARE = 4,      /* files that the room is for, at least */
    FREE_PART = 10, /* of the volume */
    FORGET_MS = 60 * 60 * 1000,
    DAY_SPANS = 24 * 60 * 60 * 1000 / HISTORY_SPAN_MS
};

const char *const history_state_names[] = {
    [HISTORY_OFF] = "off",
    [HISTORY_WRITES] = "writes",
    [HISTORY_NO_ROOM] = "no_room",
    [HISTORY_FAILS] = "fails",
};

struct history *history_new(struct tsdb *db)
{
    struct history *h = mem_new(struct history);

    h->db = db;
    h->written = INT64_MIN;
    pthread_mutex_init(&h->lock, NULL);
    history_writer_init(&h->writer, tsdb_storage(db));
    return h;
}

static void history_release_selectors(struct history *h)
{
    VEC_EACH (struct storage_selector **, s, &h->selectors)
        storage_release(tsdb_storage(h->db), *s);
    vec_release(&h->selectors);
}

void history_free(struct history *h)
{
    if (h == NULL)
        return;
    history_writer_release(&h->writer);
    history_release_selectors(h);
    vec_release(&h->files);
    mem_str_free(h->dir);
    pthread_mutex_destroy(&h->lock);
    mem_free(h);
}

/* The new ones first, so that what both want is kept. A span that is being written is begun again. */
bool history_select(struct history *h, const struct matchers *ms, size_t n, struct err *e)
{
    VEC(struct storage_selector *) made = VEC_INIT;
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++) {
        struct storage_selector *s =
            storage_select(tsdb_storage(h->db), &ms[i], HISTORY_REACH_MS, e);

        ok = s != NULL;
        if (ok)
            vec_push(&made, s);
    }
    if (ok) {
        history_writer_close(&h->writer);
        vec_swap(&h->selectors, &made);
    }
    VEC_EACH (struct storage_selector **, s, &made)
        storage_release(tsdb_storage(h->db), *s);
    vec_release(&made);
    return ok;
}

void history_keep(struct history *h, int64_t keep_ms, int64_t max_bytes)
{
    h->keep_ms = keep_ms;
    h->max_bytes = max_bytes;
}

/* -- the list -- */

void history_path(const struct history *h, const char *name, char out[HISTORY_PATH])
{
    snprintf(out, HISTORY_PATH, "%.*s/%s", STR(h->dir), name);
}

static uint64_t history_file_bytes(const struct history *h, const char *name)
{
    char path[HISTORY_PATH], wal[HISTORY_PATH + 8];
    struct stat st;
    uint64_t n = 0;

    history_path(h, name, path);
    snprintf(wal, sizeof(wal), "%s-wal", path);
    n += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    return n + (stat(wal, &st) == 0 ? (uint64_t)st.st_size : 0);
}

static void history_count_files(struct history *h)
{
    struct history_figures *f = &h->figures;
    int64_t first = INT64_MAX, last = INT64_MIN;

    f->files = h->files.n;
    f->bytes = 0;
    VEC_EACH (struct history_entry *, x, &h->files) {
        f->bytes += x->bytes;
        if (x->first <= x->last) {
            first = x->first < first ? x->first : first;
            last = x->last > last ? x->last : last;
        }
    }
    f->oldest = first <= last ? first * HISTORY_SPAN_MS : 0;
    f->newest = first <= last ? (last + 1) * HISTORY_SPAN_MS : 0;
}

struct history_figures history_figures(struct history *h)
{
    struct history_figures f;

    pthread_mutex_lock(&h->lock);
    f = h->figures;
    pthread_mutex_unlock(&h->lock);
    return f;
}

void history_note_damage(struct history *h, const char *name, const struct err *why)
{
    pthread_mutex_lock(&h->lock);
    VEC_EACH (struct history_entry *, x, &h->files)
        if (strcmp(x->name, name) == 0 && !x->is_damaged) {
            x->is_damaged = true;
            snprintf(x->why, sizeof(x->why), "%s", why->msg);
        }
    pthread_mutex_unlock(&h->lock);
}

static struct history_entry *history_entry_of(struct history *h, const char *name)
{
    VEC_EACH (struct history_entry *, x, &h->files)
        if (strcmp(x->name, name) == 0)
            return x;
    return NULL;
}

static bool history_is_current(const struct history *h, const struct history_entry *x)
{
    return strcmp(x->name, h->current) == 0;
}

static const char *const suffixes[] = {"-wal", "-shm", ""};

static void history_remove_file(struct history *h, const char *name)
{
    char path[HISTORY_PATH], each[HISTORY_PATH + 8];

    history_path(h, name, path);
    for (size_t i = ARRAY_LEN(suffixes);
         i-- != 0;) { /* the file first: nobody finds it by halves */
        snprintf(each, sizeof(each), "%s%s", path, suffixes[i]);
        (void)unlink(each);
    }
}

static void history_drop_entry(struct history *h, size_t i)
{
    pthread_mutex_lock(&h->lock);
    vec_remove(&h->files, i);
    history_count_files(h);
    pthread_mutex_unlock(&h->lock);
}

static void history_set_aside(struct history *h, const char *name, const char *why)
{
    char path[HISTORY_PATH], from[HISTORY_PATH + 8], to[HISTORY_PATH + 24];

    if (strcmp(name, h->current) == 0)
        history_writer_close(&h->writer);
    history_path(h, name, path);
    for (size_t k = ARRAY_LEN(suffixes); k-- != 0;) {
        snprintf(from, sizeof(from), "%s%s", path, suffixes[k]);
        snprintf(to, sizeof(to), "%s.damaged%s", path, suffixes[k]);
        (void)rename(from, to);
    }
    log_error("a file of history is damaged: it is set aside, and what it has is not shown",
              LOG_STR("path", str_of(path)), LOG_STR("why", str_of(why)));
    pthread_mutex_lock(&h->lock);
    vec_remove(&h->files, (size_t)(history_entry_of(h, name) - h->files.v));
    history_count_files(h);
    h->figures.damaged++;
    snprintf(h->figures.why, sizeof(h->figures.why), "%s: %s", name, why);
    pthread_mutex_unlock(&h->lock);
}

static void history_set_aside_damaged(struct history *h)
{
    struct history_entry x;

    for (bool found = true; found;) {
        found = false;
        pthread_mutex_lock(&h->lock); /* others note damage */
        for (size_t i = 0; i < h->files.n && !found; i++) {
            x = h->files.v[i];
            found = x.is_damaged;
        }
        pthread_mutex_unlock(&h->lock);
        if (found)
            history_set_aside(h, x.name, x.why);
    }
}

/* -- opening -- */

static int history_by_name(const void *a, const void *b)
{
    return strcmp(((const struct history_entry *)a)->name, ((const struct history_entry *)b)->name);
}

/* One that is empty was begun when a power cut came: the next writer makes it. */
static void history_look_at_file(struct history *h, struct history_entry *x)
{
    char path[HISTORY_PATH];
    struct history_file f;
    struct err e = ERR_INIT;
    bool ok;

    history_path(h, x->name, path);
    x->bytes = history_file_bytes(h, x->name);
    ok = history_file_look(&f, path, &e);
    if (ok) {
        ok = history_file_spans(&f, &x->first, &x->last, &e);
        history_file_close(&f);
    }
    x->is_damaged = !ok && e.code == ERR_CORRUPT;
    if (!ok) {
        x->first = 1;
        x->last = 0;
        snprintf(x->why, sizeof(x->why), "%s", e.msg);
    }
    if (!ok && !x->is_damaged && e.code != ERR_NOT_FOUND)
        log_warn("a file of history cannot be read", LOG_STR("path", str_of(path)), LOG_ERR(&e));
}

static bool history_find_files(struct history *h, struct err *e)
{
    char path[HISTORY_PATH];
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s", STR(h->dir));
    if (!folder_make(path, e))
        return false;
    d = opendir(path);
    if (d == NULL)
        return err_errno(e, errno, "cannot read '%s'", path);
    while ((entry = readdir(d)) != NULL) {
        str name = str_of(entry->d_name);
        struct history_entry x = {.first = 1};

        if (!str_starts_with(name, S("history-")) || !str_ends_with(name, S(".db")) ||
            name.n >= sizeof(x.name))
            continue;
        memcpy(x.name, name.p, name.n);
        vec_push(&h->files, x);
    }
    closedir(d);
    if (h->files.n > 1)
        qsort(h->files.v, h->files.n, sizeof(h->files.v[0]), history_by_name);
    return true;
}

bool history_open(struct history *h, str dir, struct err *e)
{
    bool ok;

    pthread_mutex_lock(&h->lock);
    mem_str_free(h->dir);
    h->dir = mem_str_dup(dir);
    vec_clear(&h->files);
    ok = history_find_files(h, e);
    VEC_EACH (struct history_entry *, x, &h->files)
        history_look_at_file(h, x);
    history_count_files(h);
    pthread_mutex_unlock(&h->lock);
    history_set_aside_damaged(h);
    if (h->files.n != 0)
        memcpy(h->current, vec_last(&h->files)->name, sizeof(h->current));
    return ok;
}

/* -- what goes -- */

static void history_remove_oldest(struct history *h)
{
    if (history_is_current(h, &h->files.v[0]))
        history_writer_close(&h->writer);
    history_remove_file(h, h->files.v[0].name);
    history_drop_entry(h, 0);
}

static bool history_is_too_old(const struct history *h, ts_ms now)
{
    const struct history_entry *x = &h->files.v[0];

    return x->first <= x->last && (x->last + 1) * HISTORY_SPAN_MS <= now - h->keep_ms;
}

static void history_retire(struct history *h, ts_ms now)
{
    while (h->files.n != 0 &&
           (h->keep_ms == 0 || history_is_too_old(h, now) ||
            (h->files.n > 1 && h->max_bytes != 0 && h->figures.bytes > (uint64_t)h->max_bytes)))
        history_remove_oldest(h);
}

/* -- what comes -- */

static bool history_has_room(const struct history *h)
{
    char path[HISTORY_PATH];
    struct statvfs st;

    history_path(h, "", path);
    return statvfs(path, &st) != 0 || st.f_bavail >= st.f_blocks / FREE_PART;
}

static void history_show_state(struct history *h, enum history_state state)
{
    pthread_mutex_lock(&h->lock);
    h->figures.state = state;
    h->figures.series = h->writer.series;
    h->figures.samples = h->writer.samples;
    pthread_mutex_unlock(&h->lock);
}

/* history-20261129: what names of files of the day begin with. */
static void history_name_day(int64_t span, char out[HISTORY_NAME])
{
    time_t t = (time_t)(span * (HISTORY_SPAN_MS / 1000));
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, HISTORY_NAME, "history-%Y%m%d", &tm);
}

static bool history_name_is_taken(const struct history *h, const char *name)
{
    char path[HISTORY_PATH], aside[HISTORY_PATH + 16];

    history_path(h, name, path);
    snprintf(aside, sizeof(aside), "%s.damaged", path);
    return access(path, F_OK) == 0 || access(aside, F_OK) == 0;
}

/* The next name of the day, behind all that are there. */
static void history_name_file(const struct history *h, int64_t span, char out[HISTORY_NAME])
{
    char day[HISTORY_NAME];
    uint64_t next = 0, n;

    history_name_day(span, day);
    VEC_EACH (const struct history_entry *, x, &h->files) {
        str name = str_of(x->name);

        if (str_starts_with(name, str_of(day)) && name.n > strlen(day) + 4 &&
            str_to_u64(str_sub(name, strlen(day) + 1, name.n - 3), &n) && n >= next)
            next = n + 1;
    }
    do
        snprintf(out, HISTORY_NAME, "%.20s-%05llu.db", day, (unsigned long long)next++);
    while (history_name_is_taken(h, out));
}

static bool history_is_over(const struct history *h, const struct history_entry *x, int64_t span)
{
    char day[HISTORY_NAME];

    history_name_day(span, day);
    return strncmp(x->name, day, strlen(day)) != 0 ||
           (h->max_bytes != 0 && x->bytes > (uint64_t)h->max_bytes / SHARE);
}

static void history_add_file(struct history *h, int64_t span)
{
    struct history_entry x = {.first = 1};

    history_name_file(h, span, x.name);
    pthread_mutex_lock(&h->lock);
    memcpy(h->current, x.name, sizeof(h->current));
    vec_push(&h->files, x);
    qsort(h->files.v, h->files.n, sizeof(h->files.v[0]), history_by_name);
    pthread_mutex_unlock(&h->lock);
    history_writer_forget(&h->writer, span * HISTORY_SPAN_MS - FORGET_MS);
}

/* The file that is written from now on is open. */
static bool history_open_current(struct history *h, int64_t span, struct err *e)
{
    const struct history_entry *x = history_entry_of(h, h->current);
    char path[HISTORY_PATH];
    bool is_new = x == NULL || history_is_over(h, x, span);

    if (h->writer.is_open && !is_new)
        return true;
    history_writer_close(&h->writer);
    if (is_new)
        history_add_file(h, span);
    history_path(h, h->current, path);
    return history_writer_open(&h->writer, path, span, e);
}

/* What the file has now. */
static void history_show_current(struct history *h)
{
    struct history_entry *x = history_entry_of(h, h->current);
    int64_t first = 1, last = 0;
    bool ok = history_file_spans(&h->writer.file, &first, &last, NULL);

    pthread_mutex_lock(&h->lock);
    if (ok) {
        x->first = first;
        x->last = last;
    }
    x->bytes = history_file_bytes(h, x->name);
    h->figures.spans++;
    history_count_files(h);
    pthread_mutex_unlock(&h->lock);
}

static bool history_step_failed(struct history *h, ts_ms now, struct err *why, struct err *e)
{
    struct history_entry *x = history_entry_of(h, h->current);

    if (why->code == ERR_CORRUPT && x != NULL)
        history_note_damage(h, x->name, why);
    history_writer_close(&h->writer);
    history_known_map_release(&h->writer.known);
    h->retry = now + RETRY_MS;
    pthread_mutex_lock(&h->lock);
    h->figures.failures++;
    h->figures.state = HISTORY_FAILS;
    if (x != NULL)
        x->bytes = history_file_bytes(h, x->name);
    history_count_files(h);
    pthread_mutex_unlock(&h->lock);
    if (e != NULL)
        *e = *why;
    return err_wrap(e, "history");
}

/* A span is over, and what was there of it is written: a piece of that. */
static bool history_write_some(struct history *h, int64_t span, bool *more, struct err *e)
{
    struct history_writer *w = &h->writer;

    if (!w->is_busy &&
        (!history_open_current(h, span - 1, e) ||
         !history_writer_begin(w, h->selectors.v, h->selectors.n, span * HISTORY_SPAN_MS, e)))
        return false;
    *more = history_writer_more(w, e);
    if (*more)
        return true;
    if (e->code != ERR_NONE || !history_writer_commit(w, e))
        return false;
    h->written = history_span_of(w->end);
    history_show_current(h);
    return true;
}

static bool history_has_series(const struct history *h)
{
    struct storage st = tsdb_storage(h->db);
    size_t n = 0;

    storage_begin(st);
    VEC_EACH (struct storage_selector *const *, s, &h->selectors)
        n += storage_ids(st, *s).n;
    storage_end(st);
    return n != 0;
}

static void history_follow_clock(struct history *h, struct now now)
{
    int64_t moved = tsdb_moved_ms(h->db, h->stepped);

    if (moved == 0)
        return;
    history_writer_shift(&h->writer, moved);
    h->stepped = now.stepped;
}

static void history_tell_room(struct history *h, bool is_there)
{
    if (is_there == (h->figures.state != HISTORY_NO_ROOM))
        return;
    if (is_there)
        log_info("history is written again: there is room", LOG_STR("path", h->dir));
    else
        log_warn("history is not written: less than a tenth of the volume is free",
                 LOG_STR("path", h->dir));
}

bool history_step(struct history *h, struct now now, bool *more, struct err *e)
{
    ts_ms t = now.wall / NS_PER_MS;
    int64_t span = history_span_of(t - GRACE_MS);
    struct err why = ERR_INIT;
    bool is_there;

    *more = false;
    if (h->dir.n == 0)
        return true;
    history_set_aside_damaged(h);
    history_follow_clock(h, now);
    history_retire(h, t);
    if (h->keep_ms == 0 || h->selectors.n == 0) {
        history_writer_close(&h->writer);
        history_show_state(h, HISTORY_OFF);
        return true;
    }
    if (!h->writer.is_busy && (h->written == span || (t < h->retry && t > h->retry - RETRY_MS)))
        return true;
    if (!h->writer.is_busy && !history_has_series(h)) {
        h->written = span;
        return true;
    }
    is_there = history_has_room(h);
    history_tell_room(h, is_there);
    if (!is_there) {
        history_writer_close(&h->writer);
        history_show_state(h, HISTORY_NO_ROOM);
        h->retry = t + RETRY_MS;
        return true;
    }
    if (!history_write_some(h, span, more, &why))
        return history_step_failed(h, t, &why, e);
    history_show_state(h, HISTORY_WRITES);
    return true;
}
