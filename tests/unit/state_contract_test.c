/* One contract, every backend: what is reported is there after a reopen, in order, and trouble ends in a rewrite. */
#include "unit.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/clock.h"
#include "state/alert_log.h"
#include "state/backend.h"
#include "model/row.h"
#include "state/tables.h"

/* The disk of this program: fdatasync() and fsync() of everything in it, the libraries too, are these. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned syncs;
    bool holds, is_held; /* the next sync, until it is let go */
    ino_t of;            /* but only of this file; 0: of any */
    int fails;           /* errno of the next sync */
    struct stat lost;    /* the file whose sync failed */
    int lost_fd;
    unsigned lost_writes; /* what was written to it from then on */
    int reads_fail;       /* errno of all reads behind the first page of a file */
} disk_of_all = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int sync_file(int fd)
{
    struct stat st;
    int why;

    if (fstat(fd, &st) != 0)
        return -1;
    pthread_mutex_lock(&disk_of_all.lock);
    disk_of_all.syncs++;
    disk_of_all.is_held = disk_of_all.holds && (disk_of_all.of == 0 || disk_of_all.of == st.st_ino);
    pthread_cond_broadcast(&disk_of_all.changed);
    while (disk_of_all.is_held && disk_of_all.holds)
        pthread_cond_wait(&disk_of_all.changed, &disk_of_all.lock);
    disk_of_all.is_held = false;
    why = disk_of_all.of == 0 || disk_of_all.of == st.st_ino ? disk_of_all.fails : 0;
    if (why != 0) {
        disk_of_all.fails = 0;
        disk_of_all.lost_writes = 0;
        disk_of_all.lost = st;
        disk_of_all.lost_fd = dup(fd); /* so that no other file gets its number */
    }
    pthread_mutex_unlock(&disk_of_all.lock);
    if (why == 0)
        return (int)syscall(SYS_fdatasync, fd);
    errno = why;
    return -1;
}

int fdatasync(int fd)
{
    return sync_file(fd);
}

int fsync(int fd)
{
    return sync_file(fd);
}

static void note_write(int fd)
{
    struct stat st;

    pthread_mutex_lock(&disk_of_all.lock);
    disk_of_all.lost_writes += disk_of_all.lost.st_ino != 0 && fstat(fd, &st) == 0 &&
                               st.st_ino == disk_of_all.lost.st_ino &&
                               st.st_dev == disk_of_all.lost.st_dev;
    pthread_mutex_unlock(&disk_of_all.lock);
}

ssize_t write(int fd, const void *p, size_t n)
{
    note_write(fd);
    return syscall(SYS_write, fd, p, n);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    note_write(fd);
    return syscall(SYS_pwrite64, fd, p, n, at);
}

int ftruncate(int fd, off_t n)
{
    note_write(fd);
    return (int)syscall(SYS_ftruncate, fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    note_write(fd);
    return (int)syscall(SYS_ftruncate, fd, n);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    if (disk_of_all.reads_fail != 0 && at >= 4096) {
        errno = disk_of_all.reads_fail;
        return -1;
    }
    return syscall(SYS_pread64, fd, p, n, at);
}

/* The next one of this file; 0: of any. */
static void fail_sync_of(ino_t of, int why)
{
    pthread_mutex_lock(&disk_of_all.lock);
    disk_of_all.fails = why;
    disk_of_all.of = of;
    pthread_mutex_unlock(&disk_of_all.lock);
}

static void hold_syncs_of(ino_t of, bool on)
{
    pthread_mutex_lock(&disk_of_all.lock);
    disk_of_all.holds = on;
    disk_of_all.of = of;
    pthread_cond_broadcast(&disk_of_all.changed);
    pthread_mutex_unlock(&disk_of_all.lock);
}

static void hold_syncs(bool on)
{
    hold_syncs_of(0, on);
}

static bool is_held(void)
{
    bool is;

    pthread_mutex_lock(&disk_of_all.lock);
    is = disk_of_all.is_held;
    pthread_mutex_unlock(&disk_of_all.lock);
    return is;
}

static void await_held(void)
{
    pthread_mutex_lock(&disk_of_all.lock);
    while (!disk_of_all.is_held)
        pthread_cond_wait(&disk_of_all.changed, &disk_of_all.lock);
    pthread_mutex_unlock(&disk_of_all.lock);
}

static unsigned syncs(void)
{
    unsigned n;

    pthread_mutex_lock(&disk_of_all.lock);
    n = disk_of_all.syncs;
    pthread_mutex_unlock(&disk_of_all.lock);
    return n;
}

struct fixture {
    bool sqlite;
    char dir[64];
    struct clock clock;
    struct state_shell shell;
    struct state_backend *b;
    struct buf notice, dump;
    VEC(uint64_t) ok, failed;
    char why[256];
    struct state_commit all; /* what snapshot() will give */
    unsigned snapshots;
};

static void committed(void *arg, uint64_t n, bool ok, const struct err *e)
{
    struct fixture *f = arg;

    if (ok)
        vec_push(&f->ok, n);
    else
        vec_push(&f->failed, n);
    if (!ok)
        snprintf(f->why, sizeof(f->why), "%.200s", e->msg);
}

static void snapshot(void *arg, struct state_commit *c)
{
    struct fixture *f = arg;

    f->snapshots++;
    buf_add(&c->ops, buf_str(&f->all.ops));
    buf_add(&c->alerts, buf_str(&f->all.alerts));
}

static void open_backend(struct fixture *f)
{
    struct err e = ERR_INIT;

    if (f->sqlite)
        f->b = state_sqlite_open(str_of(f->dir), &f->shell, &f->clock, &f->notice, &e);
    else
        f->b = state_memory_new(&f->shell);
    if (f->b == NULL)
        fail_msg("%s", e.msg);
}

static int set_up(void **state, bool sqlite)
{
    struct fixture *f = mem_new(struct fixture);

    f->sqlite = sqlite;
    snprintf(f->dir, sizeof(f->dir), "/tmp/tocsin-state-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        return -1;
    clock_init_stepped(&f->clock, (struct now){NS_PER_D, NS_PER_H});
    f->shell = (struct state_shell){.committed = committed, .snapshot = snapshot, .arg = f};
    open_backend(f);
    *state = f;
    return 0;
}

static int set_up_memory(void **state)
{
    return set_up(state, false);
}

static int set_up_sqlite(void **state)
{
    return set_up(state, true);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    state_backend_free(f->b);
    snprintf(command, sizeof(command), "rm -rf %s %s-copy", f->dir, f->dir);
    if (system(command) != 0)
        return -1;
    clock_release(&f->clock);
    buf_release(&f->notice);
    buf_release(&f->dump);
    vec_release(&f->ok);
    vec_release(&f->failed);
    state_commit_release(&f->all);
    mem_free(f);
    return 0;
}

static void flush(struct fixture *f)
{
    f->b->ops->sync(f->b->self);
}

static uint64_t put(struct fixture *f, enum state_table t, const char *key, const char *value)
{
    struct state_commit c = {0};
    uint64_t n;

    state_put(&c, t, str_of(key), str_of(value));
    n = f->b->ops->commit(f->b->self, &c);
    assert_true(state_commit_is_empty(&c));
    return n;
}

static uint64_t log_alert(struct fixture *f, const char *record)
{
    struct state_commit c = {0};

    record_frame(&c.alerts, str_of(record));
    return f->b->ops->commit(f->b->self, &c);
}

static uint64_t slice(struct fixture *f, const char *record, enum state_slice which)
{
    struct buf b = BUF_INIT;
    uint64_t n;

    if (record != NULL)
        record_frame(&b, str_of(record));
    n = f->b->ops->alerts_slice(f->b->self, &b, which);
    assert_int_equal(b.n, 0);
    return n;
}

/* Power is cut: what was not reported is gone. A copy of the files is what the disk would hold. */
static void crash(struct fixture *f)
{
    char command[256];

    if (!f->sqlite) {
        f->b = state_memory_crash(f->b, &f->shell);
        return;
    }
    snprintf(command, sizeof(command), "cp -a %s %s-copy", f->dir, f->dir);
    assert_int_equal(system(command), 0);
    state_backend_free(f->b);
    snprintf(command, sizeof(command), "rm -rf %s && mv %s-copy %s", f->dir, f->dir, f->dir);
    assert_int_equal(system(command), 0);
    open_backend(f);
}

static void reopen(struct fixture *f)
{
    flush(f);
    if (!f->sqlite) {
        crash(f);
        return;
    }
    state_backend_free(f->b);
    open_backend(f);
}

static bool dump_row(void *arg, str key, str value)
{
    buf_addf(arg, "%.*s=%.*s ", STR(key), STR(value));
    return true;
}

static bool dump_record(void *arg, str key, str bytes)
{
    assert_int_equal(key.n, 0);
    buf_addf(arg, "[%.*s]", STR(bytes));
    return true;
}

static str rows(struct fixture *f, enum state_table t)
{
    buf_clear(&f->dump);
    assert_true(f->b->ops->scan(f->b->self, t, dump_row, &f->dump, NULL));
    return buf_str(&f->dump);
}

static str alerts(struct fixture *f)
{
    buf_clear(&f->dump);
    assert_true(f->b->ops->scan(f->b->self, STATE_ALERT, dump_record, &f->dump, NULL));
    return buf_str(&f->dump);
}

/* -- both backends -- */

static void rows_come_back_in_key_order(void **state)
{
    struct fixture *f = *state;
    struct state_commit c = {0};

    put(f, STATE_SILENCE, "b", "1");
    put(f, STATE_SILENCE, "a", "2");
    put(f, STATE_TOLD, "a", "other table");
    put(f, STATE_SILENCE, "c", "3");
    put(f, STATE_SILENCE, "a", "4");
    state_delete(&c, STATE_SILENCE, S("c"));
    state_delete(&c, STATE_SILENCE, S("never there"));
    state_put(&c, STATE_SILENCE, S("\0x"), STR_NONE);
    state_put(&c, STATE_SILENCE, S("aa"), S("5"));
    f->b->ops->commit(f->b->self, &c);
    reopen(f);
    assert_true(str_eq(rows(f, STATE_SILENCE), S("= a=4 aa=5 b=1 ")));
    assert_str(rows(f, STATE_TOLD), "a=other table ");
    assert_str(rows(f, STATE_META), "");
}

/* In one commit, of more rows than are written together; a row is deleted right after it was put. */
static void the_last_of_a_row_counts(void **state)
{
    static const enum state_table tables[] = {STATE_TOLD, STATE_OUTBOX};
    struct fixture *f = *state;
    struct state_commit c = {0};
    char key[16], value[16];

    for (int i = 0; i < 200; i++) {
        bool is_deleted = i % 50 == 49;

        snprintf(key, sizeof(key), "k%d", (i - is_deleted) % 7);
        snprintf(value, sizeof(value), "v%d", i);
        for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
            if (is_deleted)
                state_delete(&c, tables[t], str_of(key));
            else
                state_put(&c, tables[t], str_of(key), str_of(value));
        }
    }
    f->b->ops->commit(f->b->self, &c);
    reopen(f);
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        assert_str(rows(f, tables[t]), "k0=v196 k1=v197 k3=v192 k4=v193 k5=v194 k6=v195 ");
}

static void numbers_come_back_in_order(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 1; i <= 100; i++)
        assert_int_equal(put(f, STATE_META, "k", "v"), i);
    assert_int_equal(slice(f, NULL, STATE_SLICE_FIRST | STATE_SLICE_LAST), 101);
    assert_int_equal(put(f, STATE_META, "k", "v"), 102);
    flush(f);
    assert_int_equal(f->ok.n, 102);
    assert_int_equal(f->failed.n, 0);
    for (uint64_t i = 0; i < 102; i++)
        assert_int_equal(f->ok.v[i], i + 1);
}

static void what_was_reported_survives_a_crash(void **state)
{
    struct fixture *f = *state;

    put(f, STATE_OUTBOX, "kept", "1");
    log_alert(f, "one");
    flush(f);
    if (!f->sqlite) { /* only here can "not yet on disk" be arranged */
        put(f, STATE_OUTBOX, "lost", "1");
        log_alert(f, "lost");
    }
    crash(f);
    assert_str(rows(f, STATE_OUTBOX), "kept=1 ");
    assert_str(alerts(f), "[one]");
}

static void the_alert_log_grows_and_is_replaced(void **state)
{
    struct fixture *f = *state;

    log_alert(f, "one");
    log_alert(f, "two");
    reopen(f);
    assert_str(alerts(f), "[one][two]");
    log_alert(f, "three");
    slice(f, "everything", STATE_SLICE_FIRST | STATE_SLICE_LAST);
    log_alert(f, "four");
    reopen(f);
    assert_str(alerts(f), "[everything][four]");
}

/* The old log holds all until the last slice, and the new one what came meanwhile. */
static void a_new_alert_log_comes_in_slices(void **state)
{
    struct fixture *f = *state;

    log_alert(f, "a1");
    log_alert(f, "b1");
    slice(f, "a1", STATE_SLICE_FIRST);
    log_alert(f, "b2");
    slice(f, "c1", STATE_SLICE_NEXT);
    log_alert(f, "d1");
    flush(f);
    crash(f);
    assert_str(alerts(f), "[a1][b1][b2][d1]");
    slice(f, "begun anew", STATE_SLICE_FIRST);
    slice(f, "a1", STATE_SLICE_FIRST);
    log_alert(f, "b3");
    slice(f, NULL, STATE_SLICE_NEXT);
    slice(f, "d1", STATE_SLICE_LAST);
    log_alert(f, "e1");
    flush(f);
    crash(f);
    assert_str(alerts(f), "[a1][b3][d1][e1]");
    slice(f, "left over", STATE_SLICE_NEXT);
    reopen(f);
    assert_str(alerts(f), "[a1][b3][d1][e1]");
}

/* Nothing can be written any more, and again. */
static void disk(struct fixture *f, bool full)
{
    struct rlimit r;

    if (!f->sqlite) {
        state_memory_fail(f->b, full);
        return;
    }
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = full ? 0 : r.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void next_retry(struct fixture *f)
{
    clock_step_to(&f->clock, f->clock.now.mono + 10 * NS_PER_S);
    flush(f); /* the disk is asked, */
    flush(f); /* and what it is then given is written */
}

static void a_failing_store_is_rewritten_from_memory(void **state)
{
    struct fixture *f = *state;
    struct state_stats st;

    put(f, STATE_RULE, "a", "old");
    log_alert(f, "old");
    flush(f);
    disk(f, true);
    put(f, STATE_RULE, "b", "lost on its way");
    flush(f);
    put(f, STATE_RULE, "c", "answered at once");
    flush(f);
    f->b->ops->stats(f->b->self, &st);
    assert_true(st.degraded);
    assert_int_equal(f->failed.n, 2);
    assert_int_equal(f->failed.v[1], 4);
    assert_true(f->why[0] != '\0');
    if (f->sqlite) { /* the first retry fails too, and nothing is packed for it */
        next_retry(f);
        assert_int_equal(f->snapshots, 0);
    }
    disk(f, false);
    state_put(&f->all, STATE_RULE, S("a"), S("new"));
    state_put(&f->all, STATE_RULE, S("b"), S("kept in memory"));
    record_frame(&f->all.alerts, S("live"));
    next_retry(f);
    f->b->ops->stats(f->b->self, &st);
    assert_false(st.degraded);
    assert_int_equal(*vec_last(&f->ok), 4);
    put(f, STATE_RULE, "d", "after");
    log_alert(f, "after");
    reopen(f);
    assert_str(rows(f, STATE_RULE), "a=new b=kept in memory d=after ");
    assert_str(alerts(f), "[live][after]");
}

struct asked {
    struct state_read read;
    struct buf dump;
    unsigned answers;
    bool failed;
};

static void answered(struct state_read *r, const struct err *e)
{
    struct asked *a = container_of(r, struct asked, read);
    struct unpack u = unpack_of(buf_str(&r->rows));
    str key, body;

    a->answers++;
    a->failed = e != NULL;
    buf_clear(&a->dump);
    while (state_row_next(&u, &key, &body))
        dump_row(&a->dump, key, body);
    buf_release(&r->rows);
}

/* What is asked for is what was handed over before, whether it was written by then or not. */
static str ask_rows(struct fixture *f, struct asked *a, const char *prefix, str from, size_t max)
{
    unsigned before = a->answers;

    a->read = (struct state_read){.table = STATE_TOLD,
                                  .prefix = str_of(prefix),
                                  .from = from,
                                  .max_bytes = max,
                                  .done = answered};
    f->b->ops->read(f->b->self, &a->read);
    flush(f);
    assert_int_equal(a->answers, before + 1);
    return buf_str(&a->dump);
}

static void rows_are_read_by_prefix_at_any_time(void **state)
{
    struct fixture *f = *state;
    struct state_commit c = {0};
    struct asked a = {.answers = 0};

    assert_str(ask_rows(f, &a, "", STR_NONE, SIZE_MAX), "");
    put(f, STATE_TOLD, "b/2", "2");
    put(f, STATE_TOLD, "b", "no");
    put(f, STATE_TOLD, "b/1", "1");
    put(f, STATE_TOLD, "b0", "no");
    put(f, STATE_TOLD, "b/10", "10");
    put(f, STATE_SILENCE, "b/", "no");
    assert_str(ask_rows(f, &a, "b/", STR_NONE, SIZE_MAX), "b/1=1 b/10=10 b/2=2 ");
    assert_str(ask_rows(f, &a, "b/", S("b/10"), SIZE_MAX), "b/10=10 b/2=2 ");
    assert_str(ask_rows(f, &a, "b/", S("a"), SIZE_MAX), "b/1=1 b/10=10 b/2=2 ");
    assert_str(ask_rows(f, &a, "b/", S("c"), SIZE_MAX), "");
    assert_str(ask_rows(f, &a, "b/", STR_NONE, 1), "b/1=1 ");
    assert_true(a.read.is_cut);
    assert_str(ask_rows(f, &a, "b/", S("b/1\0"), 1000), "b/10=10 b/2=2 ");
    assert_false(a.read.is_cut);
    assert_str(ask_rows(f, &a, "", STR_NONE, SIZE_MAX), "b=no b/1=1 b/10=10 b/2=2 b0=no ");
    state_delete(&c, STATE_TOLD, S("b/10"));
    state_put(&c, STATE_TOLD, S("b/1"), S("changed"));
    f->b->ops->commit(f->b->self, &c);
    assert_str(ask_rows(f, &a, "b/", STR_NONE, SIZE_MAX), "b/1=changed b/2=2 ");
    assert_false(a.failed);
    disk(f, true);
    put(f, STATE_TOLD, "b/3", "3");
    (void)ask_rows(f, &a, "b/", STR_NONE, SIZE_MAX);
    disk(f, false);
    assert_true(a.failed);
    /* the last answer comes with the end */
    a.read = (struct state_read){.table = STATE_TOLD, .max_bytes = 1, .done = answered};
    f->b->ops->read(f->b->self, &a.read);
    state_backend_free(f->b);
    assert_int_equal(a.read.rows.n, 0);
    open_backend(f);
    buf_release(&a.dump);
}

/* -- sqlite -- */

/* While the disk takes nothing, nothing is packed for it; and it is asked ever less often. */
static void a_full_disk_is_asked_first(void **state)
{
    static const int pauses[] = {5, 10, 20, 40, 60, 60, 60};
    struct fixture *f = *state;

    for (int trouble = 0; trouble < 2; trouble++) {
        disk(f, true);
        put(f, STATE_RULE, "a", trouble == 0 ? "1" : "2");
        flush(f);
        for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
            ts_ns at = clock_next(&f->clock);

            assert_int_equal(at - f->clock.now.mono, pauses[i] * NS_PER_S);
            clock_step_to(&f->clock, at);
            flush(f);
            assert_int_equal(f->snapshots, trouble);
        }
        disk(f, false);
        clock_step_to(&f->clock, clock_next(&f->clock));
        flush(f);
        flush(f);
        assert_int_equal(f->snapshots, trouble + 1);
    }
    put(f, STATE_RULE, "b", "after");
    reopen(f);
    assert_str(rows(f, STATE_RULE), "b=after ");
}

static void nothing_was_written_to_it(void)
{
    assert_int_equal(disk_of_all.lost_writes, 0);
    disk_of_all.lost = (struct stat){.st_ino = 0};
    close(disk_of_all.lost_fd);
}

/* After a failed sync nobody knows what the disk has of a file: it is not written again, by nobody, until another one has
 * its place; not even when the program goes. */
static void a_file_whose_sync_failed_is_left(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 4;
         i++) { /* of the alert log, of the database's log; answered again, or closed before */
        bool is_log = i % 2 == 0, is_closed = i >= 2;
        char name[64];
        struct stat st;

        put(f, STATE_RULE, "a", i % 2 == 0 ? "old" : "older");
        log_alert(f, "old");
        flush(f);
        fail_sync_of(0, EIO);
        if (is_log)
            log_alert(f, "lost");
        else
            put(f, STATE_RULE, "b", "lost");
        flush(f);
        snprintf(name, sizeof(name), "%s/%s", f->dir, is_log ? "alerts.log" : "state.db-wal");
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_ino, disk_of_all.lost.st_ino);
        put(f, STATE_RULE, "c", "answered at once");
        log_alert(f, "answered at once");
        flush(f);
        if (is_closed) {
            state_backend_free(f->b);
            nothing_was_written_to_it();
            open_backend(f);
            continue;
        }
        state_commit_release(&f->all);
        state_put(&f->all, STATE_RULE, S("a"), S("new"));
        record_frame(&f->all.alerts, S("live"));
        next_retry(f);
        put(f, STATE_RULE, "d", "after");
        log_alert(f, "after");
        flush(f);
        nothing_was_written_to_it();
        reopen(f);
        assert_str(rows(f, STATE_RULE), "a=new d=after ");
        assert_str(alerts(f), "[live][after]");
    }
}

/* What a checkpoint wrote is on the disk or not; all of it is in memory, and goes into a new file. */
static void a_failed_checkpoint_is_trouble(void **state)
{
    struct fixture *f = *state;
    char path[128], text[3000];
    struct state_stats st;
    struct stat file;

    snprintf(path, sizeof(path), "%s/state.db", f->dir);
    assert_int_equal(stat(path, &file), 0);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    fail_sync_of(file.st_ino, EIO);
    for (int i = 0; i < 3000 && f->failed.n == 0; i++) {
        char key[16];

        snprintf(key, sizeof(key), "%d", i);
        put(f, STATE_DECISION, key, text);
        flush(f);
    }
    f->b->ops->stats(f->b->self, &st);
    assert_true(st.degraded);
    assert_int_equal(f->failed.n, 1);
    state_put(&f->all, STATE_DECISION, S("1"), S("new"));
    next_retry(f);
    put(f, STATE_DECISION, "2", "after");
    flush(f);
    nothing_was_written_to_it();
    reopen(f);
    assert_str(rows(f, STATE_DECISION), "1=new 2=after ");
}

/* A disk that does not read, or memory that is short, is no damage of what stands there: nothing is set aside. */
static void a_check_that_fails_is_no_damage(void **state)
{
    static const int causes[] = {EIO, ENOMEM, EBUSY};
    struct fixture *f = *state;
    char key[16], text[1000] = "long";

    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "%03d", i);
        put(f, STATE_SILENCE, key, memset(text, 'x', sizeof(text) - 1));
    }
    flush(f);
    state_backend_free(f->b);
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        struct err e = ERR_INIT;

        disk_of_all.reads_fail = causes[i];
        assert_null(state_sqlite_open(str_of(f->dir), &f->shell, &f->clock, &f->notice, &e));
        disk_of_all.reads_fail = 0;
        assert_int_equal(e.code, ERR_IO);
        assert_int_equal(f->notice.n, 0);
    }
    open_backend(f);
    assert_int_equal(rows(f, STATE_SILENCE).n, 100 * (3 + 1 + 999 + 1));
}

static void write_file(const char *dir, const char *name, int flags, str bytes)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    close(fd);
}

static void torn_tails_are_cut(void **state)
{
    static const str tails[] = {S_INIT("\x03"), S_INIT("\xff\xff\xff\xff....more"),
                                S_INIT("\x04\0\0\0\x01\x02\x03\x04"
                                       "ab")};
    struct fixture *f = *state;

    log_alert(f, "one");
    flush(f);
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        state_backend_free(f->b);
        write_file(f->dir, "alerts.log", O_APPEND, tails[i]);
        open_backend(f);
        assert_str(alerts(f), "[one]");
    }
    log_alert(f, "two");
    reopen(f);
    assert_str(alerts(f), "[one][two]");
    assert_int_equal(f->notice.n, 0);
}

static void flip(struct fixture *f, off_t at)
{
    char path[128], c;
    int fd;

    snprintf(path, sizeof(path), "%s/alerts.log", f->dir);
    fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x40;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

/* Records are 8 bytes of head and 8 of text, behind 8 of magic; wherever a bit flips, one of them is lost at most. */
static void a_flipped_bit_costs_one_record(void **state)
{
    static const char *const texts[] = {"[alert002][alert003]", "[alert001][alert003]",
                                        "[alert001][alert002]"};
    struct fixture *f = *state;

    for (int at = 0; at < 8 + 3 * 16; at++) {
        flush(f);
        state_backend_free(f->b);
        write_file(f->dir, "alerts.log", O_TRUNC, STR_NONE);
        open_backend(f);
        log_alert(f, "alert001");
        log_alert(f, "alert002");
        log_alert(f, "alert003");
        flush(f);
        state_backend_free(f->b);
        flip(f, at);
        buf_clear(&f->notice);
        open_backend(f);
        assert_str(alerts(f), at < 8 ? "[alert001][alert002][alert003]" : texts[(at - 8) / 16]);
        /* of the last one a length that is too long looks torn; but it was whole at the stop */
        assert_int_equal(str_find_str(buf_str(&f->notice), S("alerts.log.damaged")) >= 0,
                         at < 8 + 2 * 16 || at >= 8 + 2 * 16 + 4);
        assert_true(f->notice.n != 0);
        log_alert(f, "after");
        buf_clear(&f->notice);
        reopen(f);
        assert_true(str_find_str(alerts(f), S("[after]")) >= 0);
        assert_int_equal(f->notice.n, 0);
    }
}

static void the_damaged_log_is_kept(void **state)
{
    struct fixture *f = *state;
    char path[128], all[128];
    int fd;

    log_alert(f, "alert001");
    log_alert(f, "alert002");
    flush(f);
    state_backend_free(f->b);
    flip(f, 20);
    open_backend(f);
    snprintf(path, sizeof(path), "%s/alerts.log.damaged", f->dir);
    fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, all, sizeof(all)), 8 + 2 * 16);
    close(fd);
    assert_true(str_find_str(buf_str(&f->notice), S("16 bytes of alerts are lost")) >= 0);
}

/* What a peer may have written to look like heads of records does not take for ever. */
static void a_search_ends(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    for (int i = 0; i < 1 << 18; i++)
        buf_add(&b, (str){"\0\0\x0f\0", 4});
    assert_int_equal(record_find(buf_str(&b), 0), b.n);
    record_frame(&b, S("here"));
    assert_int_equal(record_find(buf_str(&b), b.n - 20), b.n - 12);
    buf_release(&b);
}

static void no_room_for_a_new_log_keeps_the_old(void **state)
{
    struct fixture *f = *state;
    char path[128];

    log_alert(f, "one");
    snprintf(path, sizeof(path), "%s/alerts.log.tmp", f->dir);
    flush(f);
    assert_int_equal(mkdir(path, 0700), 0);
    slice(f, "new", STATE_SLICE_FIRST);
    log_alert(f, "two");
    slice(f, "new", STATE_SLICE_LAST);
    flush(f);
    assert_int_equal(f->failed.n, 0);
    assert_int_equal(rmdir(path), 0);
    reopen(f);
    assert_str(alerts(f), "[one][two]");
}

static void a_foreign_alert_log_is_set_aside(void **state)
{
    struct fixture *f = *state;

    state_backend_free(f->b);
    write_file(f->dir, "alerts.log", O_TRUNC, S("this is no log of ours"));
    open_backend(f);
    assert_str(alerts(f), "");
    assert_true(str_find_str(buf_str(&f->notice), S("alerts.log.damaged")) >= 0);
}

static void a_damaged_database_is_set_aside(void **state)
{
    struct fixture *f = *state;
    char path[128], junk[2000];

    put(f, STATE_META, "a", "1");
    flush(f);
    state_backend_free(f->b);
    memset(junk, 'x', sizeof(junk));
    snprintf(path, sizeof(path), "%s/state.db", f->dir);
    write_file(f->dir, "state.db", 0, (str){junk, sizeof(junk)});
    open_backend(f);
    assert_str(rows(f, STATE_META), "");
    assert_true(str_find_str(buf_str(&f->notice), S("is damaged: kept as")) >= 0);
    put(f, STATE_META, "b", "2");
    reopen(f);
    assert_str(rows(f, STATE_META), "b=2 ");
}

static void set_version(const char *dir, int version)
{
    char path[128], sql[64];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/state.db", dir);
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_newer_database_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char why[64], backup[64];

    snprintf(why, sizeof(why), "has version 7, this program knows %d", STATE_VERSION);
    snprintf(backup, sizeof(backup), "state.db.v%d", STATE_VERSION);
    state_backend_free(f->b);
    set_version(f->dir, 7);
    assert_null(state_sqlite_open(str_of(f->dir), &f->shell, &f->clock, &f->notice, &e));
    assert_int_equal(e.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(e.msg, why));
    write_file(f->dir, backup, 0, S("backup"));
    assert_null(state_sqlite_open(str_of(f->dir), &f->shell, &f->clock, &f->notice, &e));
    assert_non_null(strstr(e.msg, "put back"));
    assert_non_null(strstr(e.msg, backup));
    set_version(f->dir, STATE_VERSION);
    open_backend(f);
}

static void a_second_instance_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char pid[32];

    assert_null(state_sqlite_open(str_of(f->dir), &f->shell, &f->clock, &f->notice, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    snprintf(pid, sizeof(pid), "in use by pid %ld", (long)getpid());
    assert_non_null(strstr(e.msg, pid));
}

/* As 0.1.0 (version 1) and 0.1.1 (version 2) made them. */
static void make_old(struct fixture *f, int version)
{
    static const struct {
        const char *name, *ends[2];
    } tables[] = {{"silence", {" WITHOUT ROWID", " WITHOUT ROWID"}},
                  {"nflog", {" WITHOUT ROWID", ""}},
                  {"outbox", {" WITHOUT ROWID", ""}},
                  {"rule", {" WITHOUT ROWID", " WITHOUT ROWID"}},
                  {"decision", {" WITHOUT ROWID", ""}},
                  {"meta", {" WITHOUT ROWID", " WITHOUT ROWID"}}};
    char path[128];
    struct buf sql = BUF_INIT;
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/stopped", f->dir); /* which that version does not leave */
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/state.db", f->dir);
    assert_int_equal(unlink(path), 0);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        buf_addf(&sql,
                 "CREATE TABLE %s (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL)%s;"
                 "INSERT INTO %s VALUES(x'62', x'76'), (x'61', x'77'), (x'00ff', x'');",
                 tables[i].name, tables[i].ends[version - 1], tables[i].name);
    buf_addf(&sql, "PRAGMA user_version = %d", version);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, buf_z(&sql), NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    buf_release(&sql);
}

static int64_t ask(struct fixture *f, const char *sql)
{
    char path[128];
    sqlite3_stmt *s;
    sqlite3 *db;
    int64_t n = -1;

    snprintf(path, sizeof(path), "%s/state.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static void rows_of_older_versions_come_along(void **state)
{
    static const enum state_table old[] = {STATE_SILENCE, STATE_TOLD,     STATE_OUTBOX,
                                           STATE_RULE,    STATE_DECISION, STATE_META};
    struct fixture *f = *state;
    char backup[128];
    struct stat st;

    for (int version = 1; version <= 2; version++) {
        state_backend_free(f->b);
        make_old(f, version);
        open_backend(f);
        for (size_t i = 0; i < ARRAY_LEN(old); i++)
            assert_true(str_eq(rows(f, old[i]), S("= a=w b=v ")));
        for (size_t i = 0; i < ARRAY_LEN(old); i++)
            put(f, old[i], "b", "over");
        reopen(f);
        for (size_t i = 0; i < ARRAY_LEN(old); i++)
            assert_true(str_eq(rows(f, old[i]), S("= a=w b=over ")));
        assert_str(rows(f, STATE_PUSH), "");
        snprintf(backup, sizeof(backup), "%s/state.db.v%d", f->dir, version);
        assert_int_equal(stat(backup, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    assert_int_equal(f->notice.n, 0);
}

/* Nobody has to say what no store of today needs, and it is there all the same. */
static void columns_of_the_replicas_stand_there(void **state)
{
    static const char *const asked[] = {
        "SELECT count(*) FROM outbox WHERE destination = 0 AND owner = x'' AND epoch = 0 AND "
        "lease_until = 0 AND version = 0 AND body = x'76'",
        "SELECT count(*) FROM told WHERE owner = x'' AND epoch = 0 AND lease_until = 0 AND version "
        "= 0",
        "SELECT count(*) FROM silence WHERE version = 0",
    };
    struct fixture *f = *state;

    state_backend_free(f->b);
    make_old(f, 2);
    open_backend(f);
    put(f, STATE_OUTBOX, "c", "v");
    put(f, STATE_TOLD, "c", "v");
    put(f, STATE_SILENCE, "c", "v");
    flush(f);
    state_backend_free(f->b);
    assert_int_equal(ask(f, asked[0]), 2);
    assert_int_equal(ask(f, asked[1]), 4);
    assert_int_equal(ask(f, asked[2]), 4);
    assert_int_equal(ask(f, "PRAGMA user_version"), STATE_VERSION);
    open_backend(f);
}

/* A migration that cannot be finished leaves everything as it was. */
static void a_migration_is_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct err e = ERR_INIT;

    state_backend_free(f->b);
    make_old(f, 2);
    assert_int_equal(ask(f, "CREATE TABLE push (a)"), -1);
    assert_int_equal(ask(f, "CREATE TABLE before (a)"), -1); /* in its way */
    assert_null(state_sqlite_open(str_of(f->dir), &f->shell, &f->clock, &f->notice, &e));
    assert_int_equal(ask(f, "PRAGMA user_version"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM nflog"), 3);
    snprintf(path, sizeof(path), "%s/state.db", f->dir);
    assert_int_equal(unlink(path), 0);
    open_backend(f);
}

static void write_pushed(struct fixture *f, const char *name, const char *path, bool is_sound)
{
    struct buf record = BUF_INIT, body = BUF_INIT;
    char file[64];

    snprintf(file, sizeof(file), "pushed/%s", name);
    pack_u64(&body, 1);
    pack_str(&body, str_of(path));
    record_frame(&record, buf_str(&body));
    if (!is_sound)
        record.p[10] ^= 0x40;
    write_file(f->dir, file, 0, buf_str(&record));
    buf_release(&record);
    buf_release(&body);
}

static bool note_key(void *arg, str key, str body)
{
    (void)body;
    buf_addf(arg, "%.*s ", STR(key));
    return true;
}

/* What versions 1 and 2 wrote as files are rows afterwards, once; what cannot be read is said, and stays in the copy. */
static void pushed_files_become_rows(void **state)
{
    struct fixture *f = *state;
    char path[128];

    for (int round = 1; round <= 2; round++) { /* the second time over the copy of the first one */
        state_backend_free(f->b);
        make_old(f, round);
        snprintf(path, sizeof(path), "%s/pushed", f->dir);
        assert_int_equal(mkdir(path, 0700), 0);
        write_pushed(f, "0123456789abcdef", "/metrics/job/a", true);
        write_pushed(f, "00000000000000ff", "/metrics/job/b/x/y", true);
        write_pushed(f, "00000000000000f0", "/metrics/job/c", false);
        write_file(f->dir, "pushed/0123456789abcdef.new", 0, S("of a crash"));
        buf_clear(&f->notice);
        open_backend(f);
        assert_int_equal(access(path, F_OK), -1);
        assert_true(str_find_str(buf_str(&f->notice), S("pushed/00000000000000f0' is damaged")) >=
                    0);
        buf_clear(&f->notice);
        buf_clear(&f->dump);
        assert_true(f->b->ops->scan(f->b->self, STATE_PUSH, note_key, &f->dump, NULL));
        assert_str(buf_str(&f->dump), "/metrics/job/a /metrics/job/b/x/y ");
        snprintf(path, sizeof(path), "%s/pushed.v2/00000000000000f0", f->dir);
        assert_int_equal(access(path, F_OK), 0);
        reopen(f);
        buf_clear(&f->dump);
        assert_true(f->b->ops->scan(f->b->self, STATE_PUSH, note_key, &f->dump, NULL));
        assert_str(buf_str(&f->dump), "/metrics/job/a /metrics/job/b/x/y ");
    }
    assert_int_equal(f->notice.n, 0);
}

static void files_are_private(void **state)
{
    static const char *const names[] = {"state.db", "state.db-wal", "alerts.log", "lock"};
    struct fixture *f = *state;
    struct state_backend *other;
    char path[160];
    struct stat st;

    put(f, STATE_META, "a", "1");
    flush(f);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    snprintf(path, sizeof(path), "%s/x/y", f->dir);
    other = state_sqlite_open(str_of(path), &f->shell, &f->clock, &f->notice, NULL);
    assert_non_null(other);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    state_backend_free(other);
}

static void an_interrupted_rebuild_is_finished(void **state)
{
    struct fixture *f = *state;
    char command[256];

    put(f, STATE_META, "a", "rebuilt");
    flush(f);
    state_backend_free(f->b);
    snprintf(command, sizeof(command), "mv %s/state.db %s/state.db.new", f->dir, f->dir);
    assert_int_equal(system(command), 0);
    write_file(f->dir, "state.db", 0, S("the old one"));
    write_file(f->dir, "state.db-wal", 0, S("and its log"));
    open_backend(f);
    assert_str(rows(f, STATE_META), "a=rebuilt ");
    assert_int_equal(f->notice.n, 0);
}

static void answers_reach_the_loop(void **state)
{
    struct fixture *f = *state;

    state_backend_free(f->b);
    f->shell.base = event_base_new();
    open_backend(f);
    put(f, STATE_META, "a", "1");
    put(f, STATE_META, "b", "1");
    while (f->ok.n < 2)
        event_base_loop(f->shell.base, EVLOOP_ONCE);
    assert_int_equal(f->ok.v[1], 2);
    state_backend_free(f->b);
    event_base_free(f->shell.base);
    f->shell.base = NULL;
    open_backend(f);
}

/* The disk is slow: however many commits wait for it, of rows, alerts and slices of a new log, they share their syncs. */
static void what_waits_is_written_at_once(void **state)
{
    struct fixture *f = *state;
    unsigned before;

    hold_syncs(true);
    put(f, STATE_META, "first", "1");
    await_held();
    for (int i = 0; i < 1000; i++) {
        struct state_commit c = {0};
        char key[16];

        if (i == 500)
            slice(f, "everything", STATE_SLICE_FIRST);
        snprintf(key, sizeof(key), "%d", i);
        state_put(&c, STATE_SILENCE, str_of(key), S("v"));
        record_frame(&c.alerts, str_of(key));
        f->b->ops->commit(f->b->self, &c);
    }
    before = syncs();
    hold_syncs(false);
    flush(f);
    assert_int_equal(f->ok.n, 1002);
    assert_in_range(syncs() - before, 1, 3);
}

/* Until the writer has nothing left to do, or is held; whether all is answered by then. */
static bool is_answered(struct fixture *f, uint64_t n)
{
    struct state_stats st;

    do {
        usleep(50);
        f->b->ops->stats(f->b->self, &st);
    } while (st.pending_since != 0 && !is_held());
    f->b->ops->stats(f->b->self, &st);
    return st.commits == n;
}

/* What the database owes its log is paid when the commit that made it due is answered. */
static void nobody_waits_for_a_checkpoint(void **state)
{
    struct fixture *f = *state;
    char path[128], text[3000];
    struct stat st;
    uint64_t n = 0;

    snprintf(path, sizeof(path), "%s/state.db", f->dir);
    assert_int_equal(stat(path, &st), 0);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    hold_syncs_of(st.st_ino, true);
    while (n < 3000 && !is_held()) {
        char key[16];

        snprintf(key, sizeof(key), "%llu", (unsigned long long)n);
        n = put(f, STATE_DECISION, key, text);
        if (is_answered(f, n))
            continue;
        hold_syncs(false);
        fail_msg("commit %llu waits for the file of the database", (unsigned long long)n);
    }
    assert_in_range(n, 100, 2999);
    hold_syncs(false);
    flush(f);
    snprintf(path, sizeof(path), "%s/state.db-wal", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(st.st_size, 1, 5 << 20);
}

/* One commit is one sync of what it has: its rows, or its alerts. */
static void a_commit_is_one_sync(void **state)
{
    struct fixture *f = *state;
    unsigned before;

    put(f, STATE_META, "first", "1"); /* begins the write-ahead log */
    flush(f);
    before = syncs();
    for (int i = 0; i < 100; i++) {
        put(f, STATE_SILENCE, "k", i % 2 == 0 ? "even" : "odd");
        flush(f);
    }
    assert_int_equal(syncs() - before, 100);
    for (int i = 0; i < 100; i++) {
        log_alert(f, "one");
        flush(f);
    }
    assert_int_equal(syncs() - before, 200);
}

static void a_slow_commit_can_be_seen(void **state)
{
    struct fixture *f = *state;
    struct state_stats st;

    put(f, STATE_META, "a", "1");
    flush(f);
    f->b->ops->stats(f->b->self, &st);
    assert_int_equal(st.pending_since, 0);
    assert_int_equal(st.commits, 1);
    assert_true(st.size_bytes > 0);
    assert_true(st.alert_log_bytes > 0);
}

static void checksum(void **state)
{
    static const char zeros[32];

    (void)state;
    assert_int_equal(crc32c((str){zeros, 32}), 0x8A9136AA);
    assert_int_equal(crc32c(S("123456789")), 0xE3069283);
}

#define BOTH(test)                                                                                 \
    {"memory: " #test, test, set_up_memory, tear_down, NULL},                                      \
    {                                                                                              \
        "sqlite: " #test, test, set_up_sqlite, tear_down, NULL                                     \
    }
#define SQLITE(test)                                                                               \
    {                                                                                              \
        "sqlite: " #test, test, set_up_sqlite, tear_down, NULL                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(rows_come_back_in_key_order),
        BOTH(the_last_of_a_row_counts),
        BOTH(numbers_come_back_in_order),
        BOTH(what_was_reported_survives_a_crash),
        BOTH(the_alert_log_grows_and_is_replaced),
        BOTH(a_new_alert_log_comes_in_slices),
        BOTH(a_failing_store_is_rewritten_from_memory),
        BOTH(rows_are_read_by_prefix_at_any_time),
        SQLITE(a_full_disk_is_asked_first),
        SQLITE(a_file_whose_sync_failed_is_left),
        SQLITE(a_failed_checkpoint_is_trouble),
        SQLITE(a_check_that_fails_is_no_damage),
        SQLITE(torn_tails_are_cut),
        SQLITE(a_flipped_bit_costs_one_record),
        SQLITE(the_damaged_log_is_kept),
        SQLITE(no_room_for_a_new_log_keeps_the_old),
        SQLITE(a_foreign_alert_log_is_set_aside),
        SQLITE(a_damaged_database_is_set_aside),
        SQLITE(a_newer_database_is_refused),
        SQLITE(a_second_instance_is_refused),
        SQLITE(rows_of_older_versions_come_along),
        SQLITE(columns_of_the_replicas_stand_there),
        SQLITE(pushed_files_become_rows),
        SQLITE(a_migration_is_whole_or_not_at_all),
        SQLITE(files_are_private),
        SQLITE(an_interrupted_rebuild_is_finished),
        SQLITE(answers_reach_the_loop),
        SQLITE(a_slow_commit_can_be_seen),
        SQLITE(what_waits_is_written_at_once),
        SQLITE(a_commit_is_one_sync),
        SQLITE(nobody_waits_for_a_checkpoint),
        cmocka_unit_test(checksum),
        cmocka_unit_test(a_search_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
