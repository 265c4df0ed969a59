#include "state/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/vec.h"
#include "codec/json.h"
#include "os/note.h"
#include "os/record_file.h"
#include "state/backup.h"
#include "state/db_read.h"
#include "state/info.h"
#include "state/row_sum.h"
#include "state/tables.h"
#include "state/wal.h"
#include "state/whole.h"

enum { MAGIC = 8 };

struct verifying {
    struct buf *out;
    size_t damaged;
    str db;          /* a copy to look at instead; empty: none */
    uint64_t alerts; /* how much of their log is no torn end */
    uint64_t samples[NOTE_NUMBERS];
    bool has_samples; /* samples has the number and the size of a segment */
    bool is_in_use, is_backup;
};

struct verify_counting {
    uint64_t records, bytes;
};

static bool verify_count(void *arg, str bytes)
{
    struct verify_counting *c = arg;

    c->records++;
    c->bytes += bytes.n;
    return true;
}

/* What stands there only ends early. */
static bool ends_torn(int fd, uint64_t from, uint64_t end)
{
    struct buf all = BUF_INIT;
    bool is_torn;

    buf_reserve(&all, (size_t)(end - from));
    all.n = (size_t)(end - from);
    is_torn = record_read(fd, from, all.p, all.n) && record_is_torn(buf_str(&all)) &&
              record_find(buf_str(&all), 0) == all.n;
    buf_release(&all);
    return is_torn;
}

/* Lines of what is missing count each. */
static void verify_count_lines(struct verifying *v, size_t from)
{
    for (size_t i = from; i < v->out->n; i++)
        v->damaged += v->out->p[i] == '\n';
}

/* A file of records behind `magic`, of which so many bytes are no torn end; without one it is a single record, which is there or not. */
static void verify_records(struct verifying *v, const char *path, const char *magic, uint64_t least)
{
    size_t head = strlen(magic);
    char found[MAGIC + 1] = "";
    struct verify_counting c = {0};
    struct stat st = {0};
    uint64_t end = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_ours = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                   (uint64_t)st.st_size >= head && record_read(fd, 0, found, head) &&
                   memcmp(found, magic, head) == 0;

    if (is_ours)
        end = record_walk(fd, head, (uint64_t)st.st_size, verify_count, &c);
    buf_addf(v->out, "%s: %lld bytes, %llu records", path, (long long)st.st_size,
             (unsigned long long)c.records);
    if (is_ours && end == (uint64_t)st.st_size && end >= least) {
        buf_adds(v->out, ", sound\n");
    } else if (is_ours && head != 0 && end >= least && ends_torn(fd, end, (uint64_t)st.st_size)) {
        buf_addf(v->out,
                 ", and a torn end of %lld bytes, as a power cut or a running program leaves it\n",
                 (long long)st.st_size - (long long)end);
    } else {
        v->damaged++;
        buf_addf(v->out, is_ours ? ", damaged at %llu\n" : ", not a file of ours\n",
                 (unsigned long long)end);
    }
    if (fd >= 0)
        close(fd);
}

struct counting_rows {
    sqlite3 *db;
    struct buf *out;
};

static void count_rows(void *arg, const char *table)
{
    const struct counting_rows *c = arg;
    char sql[128];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"", table);
    buf_addf(c->out, ", %s %lld", table, (long long)state_db_number(c->db, sql));
}

/* Frames that SQLite will not read. */
static void verify_wal(struct verifying *v, const char *path)
{
    uint64_t at, n = v->is_in_use ? 0 : state_wal_lost(str_of(path), &at);

    if (n == 0)
        return;
    buf_addf(v->out, "%s: damaged at %llu, %llu bytes of commits are lost\n", path,
             (unsigned long long)at, (unsigned long long)n);
    v->damaged++;
}

/* With its write-ahead log. */
static void verify_database(struct verifying *v, const char *path)
{
    str at = v->db.n != 0 ? v->db : str_of(path);
    enum db_rest rest = v->db.n != 0 || v->is_backup ? DB_LIES_STILL : DB_AS_LEFT;
    struct err e = ERR_INIT;
    sqlite3 *db = NULL;
    size_t bad;

    if (v->is_in_use && v->db.n == 0) {
        buf_addf(v->out, "%s: in use, and not looked at\n", path);
        return;
    }
    if (!state_db_read(at, rest, &db, &e) || !state_db_is_sound(db, at, &e)) {
        buf_addf(v->out, "%s: damaged: %s\n", path, e.msg);
        v->damaged++;
    } else {
        buf_addf(v->out, "%s: version %lld", path,
                 (long long)state_db_number(db, "PRAGMA user_version"));
        (void)state_db_each_table(db, count_rows, &(struct counting_rows){db, v->out});
        bad = state_rows_damaged(db, v->out);
        v->damaged += bad != 0;
        buf_add(v->out, bad == 0 ? S(", sound\n") : S("\n"));
    }
    sqlite3_close(db);
}

/* How much of the segment that was written last was safe; 0: it is another one. */
static uint64_t noted_samples(const struct verifying *v, str name)
{
    uint64_t number;

    return v->has_samples && str_to_u64(str_sub(name, 8, name.n - 4), &number) &&
                   number == v->samples[0]
               ? v->samples[1]
               : 0;
}

static void verify_file(struct verifying *v, const char *path, str name)
{
    if (str_is(name, "alerts.log"))
        verify_records(v, path, "tocsinA1", v->alerts);
    else if (str_starts_with(name, S("samples-")) && str_ends_with(name, S(".log")))
        verify_records(v, path, "tocsinS1", noted_samples(v, name));
    else if (state_is_hash(name.p))
        verify_records(v, path, "", 0);
    else if (str_is(name, "state.db"))
        verify_database(v, path);
    else if (str_is(name, "state.db-wal"))
        verify_wal(v, path);
    else if (!str_is(name, "lock") && !str_is(name, MANIFEST) && !str_is(name, "stopped") &&
             !str_is(name, "noted") && !str_is(name, "state.db.copy") &&
             !str_is(name, "state.db-shm"))
        buf_addf(v->out, "%s: %s\n", path,
                 str_find_str(name, S("damaged")) >= 0 || str_find_str(name, S("replaced")) >= 0
                     ? "kept for people, not read"
                     : "not read");
}

static bool verify_folder(struct verifying *v, const char *dir, bool must_be, struct err *e)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, NULL, alphasort);

    if (n < 0)
        return !must_be || err_errno(e, errno, "cannot read folder '%s'", dir);
    for (int i = 0; i < n; i++) {
        char path[STATE_PATH + 257];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            verify_file(v, path, str_of(entries[i]->d_name));
        free(entries[i]); /* scandir's */
    }
    free(entries);
    return true;
}

/* Sizes and checksums of all its files. */
static void verify_manifest(struct verifying *v, str dir)
{
    struct manifest m;
    struct arena a;
    struct err e = ERR_INIT;

    arena_init(&a, 0);
    if (backup_check(dir, &a, &m, &e)) {
        buf_addf(v->out, "%.*s/" MANIFEST ": a backup of version %.*s, %zu files, sound\n",
                 STR(dir), STR(m.version), m.n);
    } else {
        buf_addf(v->out, "%.*s/" MANIFEST ": %s\n", STR(dir), e.msg);
        v->damaged++;
    }
    arena_release(&a);
}

static void verify_whole(struct verifying *v, str dir)
{
    size_t from = v->out->n;

    v->alerts = state_whole_look(dir, v->out);
    verify_count_lines(v, from);
}

/* That it is there: what is in it is seen with the others. */
static void verify_last_segment(struct verifying *v, const char *dir)
{
    char path[STATE_PATH + 64];

    snprintf(path, sizeof(path), "%s/samples/samples-%010llu.log", dir,
             (unsigned long long)v->samples[0]);
    if (!v->has_samples || access(path, F_OK) == 0)
        return;
    buf_addf(v->out, "'%s' is gone: it had %llu bytes\n", path, (unsigned long long)v->samples[1]);
    v->damaged++;
}

bool state_verify(str dir, str db, struct buf *out, size_t *damaged, struct err *e)
{
    static const char *const inner[] = {"samples", "pushed"};
    struct verifying v = {.out = out, .db = db, .is_backup = backup_is_one(dir)};
    char path[STATE_PATH], sub[STATE_PATH + 16];

    if (dir.n >= sizeof(path))
        return err_set(e, ERR_INVALID, "'%.*s' is no folder name", STR(dir));
    snprintf(path, sizeof(path), "%.*s", STR(dir));
    v.is_in_use = state_is_in_use(dir);
    if (v.is_backup)
        verify_manifest(&v, dir);
    else if (!v.is_in_use)
        verify_whole(&v, dir);
    if (!verify_folder(&v, path, true, e))
        return false;
    snprintf(sub, sizeof(sub), "%s/samples/noted", path);
    v.has_samples = !v.is_in_use && note_read(sub, v.samples);
    verify_last_segment(&v, path);
    for (size_t i = 0; i < ARRAY_LEN(inner); i++) {
        snprintf(sub, sizeof(sub), "%s/%s", path, inner[i]);
        (void)verify_folder(&v, sub, false, NULL);
    }
    *damaged = v.damaged;
    return true;
}

void state_verify_json(struct buf *out, str text, size_t damaged)
{
    struct json_writer w;

    json_writer_init(&w, out, false);
    json_open(&w, '{');
    json_key(&w, S("damaged"));
    json_put_u64(&w, damaged);
    json_key(&w, S("text"));
    json_put_str(&w, text);
    json_close(&w, '}');
}
