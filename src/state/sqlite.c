/* sqlite.c - the backend that lasts: a database for rows, a log for alerts, one thread that writes both.
 *
 * The loop hands commits over in a queue and goes on. The writer takes all that wait, appends their alerts to the log,
 * writes their rows in one transaction, and posts every number back through an eventfd: one sync for many turns when
 * the disk is slow, one each when it is fast. What comes soon after it has written is let gather for 10 ms, unless somebody is
 * answered when it is on disk.
 *
 * However many commits wait, they are one transaction and one sync of the alert log, if they have alerts, one of the
 * database, if they have rows. What the database owes its write-ahead log is paid when they are answered.
 *
 * When anything fails the store is broken: nothing more is written to the old files, because after a failed sync
 * nobody knows what the page cache holds. Every commit is answered with the reason at once. After five seconds, and then
 * after pauses that grow to a minute, the disk is asked whether it takes 64 KiB; only then is the loop asked for a snapshot
 * of everything, which replaces both files. Commits handed over after the snapshot wait behind it in the queue, so the
 * order of numbers stays the order of writing.
 *
 * Every half minute the writer looks whether the files that it has open are still those of the folder. Somebody may have
 * removed or replaced it: what is written then would be lost. That is a failure like any other; what stands in the folder
 * by then is kept under another name.
 *
 * A copy of everything (copy.h) is made between commits, a piece at a time.
 *
 * Example: commit 7 meets a full disk: committed(7, false). Commit 8: committed(8, false). Five seconds later snapshot()
 * gives all rows of memory, with what 7 and 8 changed; it is written: committed(8, true). Commit 9 is written as usual. Had
 * the disk still been full, nothing would have been packed, and it would have been asked again ten seconds later.
 */
#include "state/backend.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/vec.h"
#include "os/clock.h"
#include "os/file.h"
#include "state/alert_log.h"
#include "state/copy.h"
#include "state/lock.h"
#include "state/room.h"
#include "state/sqlite_db.h"
#include "state/whole.h"

#define RETRY_FIRST (5 * NS_PER_S)
#define RETRY_MAX   (60 * NS_PER_S)
#define LOOK_EVERY  (30 * NS_PER_S)

enum { PROBE_BYTES = 64 << 10, GATHER_MS = 10 };

enum task_kind { TASK_COMMIT, TASK_SLICE, TASK_READ, TASK_PROBE, TASK_EVERYTHING, TASK_LOOK };

struct task {
    enum task_kind kind;
    enum state_slice which;
    uint64_t n;
    ts_ns since; /* mono */
    struct state_commit commit;
    struct state_read *read;
};

struct sqlite_answer {
    enum task_kind kind;
    uint64_t n;
    bool ok;
    struct err *why; /* owned; NULL when ok */
    struct state_read *read;
};

typedef VEC(struct task) tasks;
typedef VEC(struct sqlite_answer) answers;

struct sqlite {
    struct state_backend backend;
    struct state_shell shell;
    struct clock *clock;
    str dir;
    int lock_fd, wake_fd;
    int note_fd; /* writer */
    struct event *wake;
    /* the loop's */
    struct timer retry, look;
    dur_ns pause; /* before the next retry */
    uint64_t handed;
    bool retrying; /* a probe or a snapshot is under way */

    struct sqlite_db db; /* the loop's until the first commit, then the writer's */
    struct alert_log log;
    bool broken;                  /* writer */
    struct err why;               /* writer: of broken */
    struct state_copy *copying;   /* writer: copy, once it has begun */
    struct timespec gather_until; /* writer: mono */

    pthread_t writer;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work, idle;
    tasks queue;
    answers answers;
    struct state_stats stats;
    struct state_copy *copy, *copied; /* under way; over, and not told */
    size_t pressing;                  /* how many in the queue are not to wait for more */
    bool busy, ending, gathering;
};

/* -- writer -- */

/* Under the lock. */
static void wake_loop(struct sqlite *q)
{
    if (q->answers.n == 0 && q->copied == NULL && q->wake_fd >= 0)
        (void)!eventfd_write(q->wake_fd, 1);
}

/* why: NULL when it is done. */
static void sqlite_post(struct sqlite *q, const struct task *t, size_t n, const struct err *why)
{
    pthread_mutex_lock(&q->lock);
    wake_loop(q);
    for (size_t i = 0; i < n; i++) {
        struct sqlite_answer a = {
            .kind = t[i].kind, .n = t[i].n, .ok = why == NULL, .read = t[i].read};

        if (why != NULL) {
            a.why = mem_new(struct err);
            *a.why = *why;
        }
        if (t[i].kind != TASK_READ && t[i].kind != TASK_PROBE) {
            q->stats.commits += a.ok;
            q->stats.failed += !a.ok;
        }
        vec_push(&q->answers, a);
    }
    q->stats.degraded = q->broken;
    pthread_mutex_unlock(&q->lock);
}

static void copy_is_over(struct sqlite *q)
{
    pthread_mutex_lock(&q->lock);
    wake_loop(q);
    q->copied = q->copying;
    q->copy = NULL;
    pthread_mutex_unlock(&q->lock);
    q->copying = NULL;
}

static void fail_copy(struct sqlite *q)
{
    if (q->copying == NULL)
        return;
    state_copy_fail(q->copying, &q->why);
    copy_is_over(q);
}

static void break_down(struct sqlite *q, const struct err *e)
{
    q->broken = true;
    q->why = *e;
    fail_copy(q);
}

static void go_on_copying(struct sqlite *q)
{
    if (q->copying == NULL)
        return;
    if (q->broken)
        fail_copy(q);
    else if (state_copy_step(q->copying, q->db.db, q->dir, q->log.file.size))
        copy_is_over(q);
}

static bool append_alerts(struct sqlite *q, const struct task *t, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        str records = buf_str(&t[i].commit.alerts);

        if (t[i].kind == TASK_SLICE ? !alert_log_slice(&q->log, records, t[i].which, e)
                                    : records.n != 0 && !alert_log_append(&q->log, records, e))
            return false;
    }
    return alert_log_sync(&q->log, e);
}

static bool sqlite_write_rows(struct sqlite *q, const struct task *t, size_t n, struct err *e)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += t[i].commit.ops.n;
    if (bytes == 0)
        return true;
    if (!sqlite_db_begin(&q->db, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (sqlite_db_apply(&q->db, buf_str(&t[i].commit.ops), e))
            continue;
        sqlite_db_undo(&q->db);
        return false;
    }
    if (sqlite_db_end(&q->db, e))
        return true;
    sqlite_db_undo(&q->db);
    return false;
}

/* One transaction for n tasks: commits, and slices of a new alert log. */
static void write_batch(struct sqlite *q, const struct task *t, size_t n)
{
    struct err e = ERR_INIT;

    if (!q->broken && (!append_alerts(q, t, n, &e) || !sqlite_write_rows(q, t, n, &e)))
        break_down(q, &e);
    if (!q->broken)
        state_note_write(q->dir, &q->note_fd, q->log.file.fd, q->log.file.size,
                         sqlite_db_log_size(&q->db));
    sqlite_post(q, t, n, q->broken ? &q->why : NULL);
}

/* Only trouble is answered: n has been. */
static void sqlite_look(struct sqlite *q, const struct task *t)
{
    struct err e = ERR_INIT;

    if (q->broken || (sqlite_db_is_there(&q->db, &e) && alert_log_is_there(&q->log, &e)))
        return;
    break_down(q, &e);
    sqlite_post(q, t, 1, &e);
}

/* What was written is answered; n: the last of it. */
static void checkpoint(struct sqlite *q, uint64_t n, bool is_busy)
{
    const struct task t = {.kind = TASK_LOOK, .n = n};
    struct err e = ERR_INIT;

    if (q->broken || sqlite_db_checkpoint(&q->db, is_busy, &e))
        return;
    break_down(q, &e);
    sqlite_post(q, &t, 1, &e);
}

static bool sqlite_read_row(void *arg, str key, str body)
{
    return state_read_add(arg, key, body);
}

static void sqlite_read_rows(struct sqlite *q, const struct task *t)
{
    struct state_read *r = t->read;
    str from = str_cmp(r->from, r->prefix) > 0 ? r->from : r->prefix;
    struct err e = ERR_INIT;

    if (q->broken)
        sqlite_post(q, t, 1, &q->why);
    else
        sqlite_post(q, t, 1,
                    sqlite_db_scan(&q->db, r->table, from, sqlite_read_row, r, &e) ? NULL : &e);
}

/* Before everything is packed: whether the disk takes anything. */
static void probe(struct sqlite *q, const struct task *t)
{
    static const char zeros[PROBE_BYTES];
    struct err e = ERR_INIT;
    bool ok = state_dir_make(q->dir, &e) && file_probe(q->dir, (str){zeros, PROBE_BYTES}, &e);

    sqlite_post(q, t, 1, ok ? NULL : &e);
}

static void write_everything(struct sqlite *q, const struct task *t)
{
    struct err e = ERR_INIT;
    bool ok;

    state_note_forget(q->dir, &q->note_fd);
    ok = state_dir_make(q->dir, &e) && state_lock_again(q->dir, &q->lock_fd, &e) &&
         sqlite_db_rebuild(&q->db, buf_str(&t->commit.ops), &e) &&
         alert_log_rewrite(&q->log, buf_str(&t->commit.alerts), &e);

    q->broken = !ok;
    if (!ok)
        q->why = e;
    sqlite_post(q, t, 1, ok ? NULL : &e);
}

static double sqlite_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_tasks(struct sqlite *q, const tasks *t)
{
    double start = sqlite_seconds(), took;
    bool is_busy;

    for (size_t i = 0, n; i < t->n; i += n) {
        n = 1;
        switch (t->v[i].kind) {
        case TASK_COMMIT:
        case TASK_SLICE:
            while (i + n < t->n && t->v[i + n].kind <= TASK_SLICE)
                n++;
            write_batch(q, &t->v[i], n);
            break;
        case TASK_READ: sqlite_read_rows(q, &t->v[i]); break;
        case TASK_PROBE: probe(q, &t->v[i]); break;
        case TASK_EVERYTHING: write_everything(q, &t->v[i]); break;
        case TASK_LOOK: sqlite_look(q, &t->v[i]); break;
        }
    }
    took = sqlite_seconds() - start;
    pthread_mutex_lock(&q->lock);
    q->stats.commit_seconds_sum += took;
    q->stats.last_commit_seconds = took;
    q->stats.alert_log_bytes = q->log.file.size;
    q->stats.size_bytes = sqlite_db_size(&q->db);
    is_busy = q->queue.n != 0;
    pthread_mutex_unlock(&q->lock);
    checkpoint(q, vec_last(t)->n, is_busy);
}

static void tasks_release(tasks *t)
{
    VEC_EACH (struct task *, it, t)
        state_commit_release(&it->commit);
    vec_release(t);
}

static bool is_pressing(const struct task *t)
{
    return t->kind != TASK_COMMIT || t->commit.is_awaited;
}

static bool has_no_work(const struct sqlite *q)
{
    return q->queue.n == 0 && q->copy == NULL;
}

/* Under the lock. A transaction for many commits costs little more than one for one, so what comes soon after the last is
 * joined by what comes next. Where somebody waits for an answer nobody waits here, nor after a batch that somebody waited for:
 * who asks one thing after the other would pay for the clock each time. */
static void sqlite_gather(struct sqlite *q)
{
    while (q->gathering && q->pressing == 0 && !q->ending && q->copy == NULL)
        q->gathering = pthread_cond_timedwait(&q->work, &q->lock, &q->gather_until) == 0;
    q->gathering = false;
}

/* Under the lock, when a batch is on the disk. */
static void gather_from_now(struct sqlite *q)
{
    q->gathering = true;
    clock_gettime(CLOCK_MONOTONIC, &q->gather_until);
    q->gather_until.tv_nsec += GATHER_MS * NS_PER_MS;
    if (q->gather_until.tv_nsec >= NS_PER_S) {
        q->gather_until.tv_nsec -= NS_PER_S;
        q->gather_until.tv_sec++;
    }
}

static void *writer(void *arg)
{
    struct sqlite *q = arg;

    pthread_setname_np(pthread_self(),
                       "writer"); /* its own: another's is a file, see os/sandbox.h */
    pthread_mutex_lock(&q->lock);
    for (;;) {
        tasks taken;
        bool pressed;

        if (has_no_work(q)) {
            q->busy = false;
            q->stats.pending_since = 0;
            pthread_cond_broadcast(&q->idle);
            if (q->ending)
                break;
        }
        sqlite_gather(q);
        if (has_no_work(q)) {
            if (!q->ending)
                pthread_cond_wait(&q->work, &q->lock);
            continue;
        }
        taken = q->queue;
        q->queue = (tasks)VEC_INIT;
        pressed = q->pressing != 0;
        q->pressing = 0;
        q->copying = q->copy;
        q->busy = true;
        q->stats.pending_since = taken.n != 0 ? taken.v[0].since : 0;
        pthread_mutex_unlock(&q->lock);
        if (taken.n != 0)
            write_tasks(q, &taken);
        tasks_release(&taken);
        go_on_copying(q);
        pthread_mutex_lock(&q->lock);
        if (!pressed)
            gather_from_now(q);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* -- loop thread -- */

static void sqlite_hand_over(struct sqlite *q, struct task t)
{
    bool wakes;

    t.since = q->clock->now.mono;
    pthread_mutex_lock(&q->lock);
    if (q->queue.n == 0 && !q->busy)
        q->stats.pending_since = t.since;
    vec_push(&q->queue, t);
    q->pressing += is_pressing(&t);
    wakes = !q->gathering || q->pressing != 0;
    pthread_mutex_unlock(&q->lock);
    if (wakes)
        pthread_cond_signal(&q->work);
}

static uint64_t sqlite_commit(void *self, struct state_commit *c)
{
    struct sqlite *q = self;
    struct task t = {.kind = TASK_COMMIT, .n = ++q->handed, .commit = *c};

    *c = (struct state_commit){0};
    sqlite_hand_over(q, t);
    return t.n;
}

static uint64_t sqlite_alerts_slice(void *self, struct buf *records, enum state_slice which)
{
    struct sqlite *q = self;
    struct task t = {
        .kind = TASK_SLICE, .which = which, .n = ++q->handed, .commit = {.alerts = *records}};

    *records = (struct buf)BUF_INIT;
    sqlite_hand_over(q, t);
    return t.n;
}

static void read_later(void *self, struct state_read *r)
{
    struct sqlite *q = self;

    BUG_ON(r->table == STATE_ALERT);
    sqlite_hand_over(q, (struct task){.kind = TASK_READ, .n = q->handed, .read = r});
}

static void sqlite_copy(void *self, struct state_copy *c)
{
    struct sqlite *q = self;

    pthread_mutex_lock(&q->lock);
    BUG_ON(q->copy != NULL || q->copied != NULL);
    q->copy = c;
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&q->lock);
}

static void retry_due(struct timer *timer, struct now now)
{
    struct sqlite *q = container_of(timer, struct sqlite, retry);

    (void)now;
    q->retrying = true;
    sqlite_hand_over(q, (struct task){.kind = TASK_PROBE, .n = q->handed});
}

static void ask_for_everything(struct sqlite *q)
{
    struct task t = {.kind = TASK_EVERYTHING, .n = q->handed};

    q->shell.snapshot(q->shell.arg, &t.commit);
    sqlite_hand_over(q, t);
}

/* The first pause of a trouble is short, the next ones grow. */
static void retry_later(struct sqlite *q)
{
    if (q->retrying || heap_holds(&q->retry.node))
        return;
    timer_arm(q->clock, &q->retry, ts_add(q->clock->now.mono, q->pause));
    q->pause = q->pause * 2 < RETRY_MAX ? q->pause * 2 : RETRY_MAX;
}

static void look_due(struct timer *timer, struct now now)
{
    struct sqlite *q = container_of(timer, struct sqlite, look);

    timer_arm(q->clock, timer, ts_add(now.mono, LOOK_EVERY));
    sqlite_hand_over(q, (struct task){.kind = TASK_LOOK, .n = q->handed});
}

static void sqlite_take_answer(struct sqlite *q, const struct sqlite_answer *a)
{
    if (a->kind == TASK_READ) {
        a->read->done(a->read, a->why);
        return;
    }
    if (a->kind == TASK_PROBE && a->ok) {
        ask_for_everything(q);
        return;
    }
    if (a->kind == TASK_PROBE || a->kind == TASK_EVERYTHING)
        q->retrying = false;
    if (a->kind == TASK_EVERYTHING && a->ok)
        q->pause = RETRY_FIRST;
    if (!a->ok)
        retry_later(q);
    if (a->kind != TASK_PROBE)
        q->shell.committed(q->shell.arg, a->n, a->ok, a->why);
}

static void sqlite_deliver(struct sqlite *q)
{
    answers taken;
    struct state_copy *copied;

    pthread_mutex_lock(&q->lock);
    taken = q->answers;
    copied = q->copied;
    q->answers = (answers)VEC_INIT;
    q->copied = NULL;
    pthread_mutex_unlock(&q->lock);
    VEC_EACH (struct sqlite_answer *, a, &taken) {
        sqlite_take_answer(q, a);
        mem_free(a->why);
    }
    vec_release(&taken);
    if (copied != NULL)
        copied->done(copied);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    eventfd_t ignored;

    (void)what;
    (void)eventfd_read(fd, &ignored);
    sqlite_deliver(arg);
}

static bool sqlite_scan(void *self, enum state_table t, bool (*row)(void *arg, str key, str value),
                        void *arg, struct err *e)
{
    struct sqlite *q = self;

    BUG_ON(q->handed != 0);
    if (q->broken)
        return true; /* from the start: there is nothing */
    return t == STATE_ALERT ? alert_log_scan(&q->log, row, arg, e)
                            : sqlite_db_scan(&q->db, t, STR_NONE, row, arg, e);
}

static void sqlite_stats(void *self, struct state_stats *out)
{
    struct sqlite *q = self;

    pthread_mutex_lock(&q->lock);
    *out = q->stats;
    pthread_mutex_unlock(&q->lock);
}

static void sqlite_sync_all(void *self)
{
    struct sqlite *q = self;

    pthread_mutex_lock(&q->lock);
    q->pressing++; /* who calls waits */
    pthread_cond_signal(&q->work);
    while (q->queue.n != 0 || q->busy || q->copy != NULL)
        pthread_cond_wait(&q->idle, &q->lock);
    pthread_mutex_unlock(&q->lock);
    sqlite_deliver(q);
}

static void close_files(struct sqlite *q)
{
    sqlite_db_close(&q->db, !q->broken);
    alert_log_close(&q->log);
    if (q->lock_fd >= 0)
        close(q->lock_fd);
    mem_str_free(q->dir);
    mem_free(q);
}

static void sqlite_free(void *self)
{
    struct sqlite *q = self;

    pthread_mutex_lock(&q->lock);
    q->ending = true;
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->writer, NULL);
    if (q->copied != NULL)
        q->copied->done(q->copied);
    timer_cancel(q->clock, &q->look);
    timer_cancel(q->clock, &q->retry);
    if (q->wake != NULL)
        event_free(q->wake);
    if (q->wake_fd >= 0)
        close(q->wake_fd);
    VEC_EACH (struct sqlite_answer *, a, &q->answers) {
        if (a->kind == TASK_READ)
            a->read->done(a->read, a->why);
        mem_free(a->why);
    }
    vec_release(&q->answers);
    vec_release(&q->queue);
    pthread_cond_destroy(&q->work);
    pthread_cond_destroy(&q->idle);
    pthread_mutex_destroy(&q->lock);
    state_note_forget(q->dir, &q->note_fd);
    sqlite_db_close(&q->db, !q->broken);
    if (!q->broken)
        state_whole_note(q->dir);
    close_files(q);
}

static const struct state_backend_ops sqlite_ops = {
    .name = "sqlite",
    .commit = sqlite_commit,
    .scan = sqlite_scan,
    .read = read_later,
    .alerts_slice = sqlite_alerts_slice,
    .copy = sqlite_copy,
    .stats = sqlite_stats,
    .sync = sqlite_sync_all,
    .free = sqlite_free,
};

static void start_writer(struct sqlite *q)
{
    sigset_t all, old;
    pthread_condattr_t attr;

    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->work, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&q->idle, NULL);
    if (q->shell.base != NULL) {
        q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        BUG_ON(q->wake_fd < 0);
        q->wake = event_new(q->shell.base, q->wake_fd, EV_READ | EV_PERSIST, on_wake, q);
        BUG_ON(q->wake == NULL || event_add(q->wake, NULL) != 0);
    }
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    BUG_ON(pthread_create(&q->writer, NULL, writer, q) != 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* least: how much of it is known to have been whole. */
static bool open_alerts(struct sqlite *q, uint64_t least, struct buf *notice, struct err *e)
{
    size_t before = notice->n;

    if (!alert_log_open(&q->log, q->dir, notice, e))
        return false;
    if (q->log.file.size < least && notice->n == before)
        buf_addf(notice, "alert log '%.*s/alerts.log' is damaged: its last %llu bytes are lost\n",
                 STR(q->dir), (unsigned long long)(least - q->log.file.size));
    return true;
}

static bool sqlite_open_files(struct sqlite *q, struct buf *notice, struct err *e)
{
    uint64_t alerts;

    if (!state_dir_make(q->dir, e) || !state_lock(q->dir, &q->lock_fd, e))
        return false;
    state_copy_forget(q->dir);
    alerts = state_whole_check(q->dir, notice);
    return sqlite_db_open(&q->db, q->dir, notice, e) && open_alerts(q, alerts, notice, e);
}

/* A first start without room: as if the first commit had failed. */
static bool begin_without(struct sqlite *q, const struct err *e)
{
    if (e->code == ERR_CONFLICT || !state_has_no_room(q->dir))
        return false;
    sqlite_db_close(&q->db, false);
    alert_log_close(&q->log);
    state_clear_attempt(q->dir);
    q->broken = true;
    q->why = *e;
    return true;
}

struct state_backend *state_sqlite_open(str dir, const struct state_shell *shell,
                                        struct clock *clock, struct buf *notice, struct err *e)
{
    struct sqlite *q = mem_new(struct sqlite);
    bool is_first;

    q->dir = mem_str_dup(dir);
    q->shell = *shell;
    q->clock = clock;
    q->retry.fire = retry_due;
    q->pause = RETRY_FIRST;
    q->look.fire = look_due;
    q->lock_fd = q->wake_fd = q->note_fd = q->log.file.fd = q->log.next.fd = -1;
    q->db.dir = q->log.dir = q->dir;
    is_first = state_is_first(q->dir);
    if (!sqlite_open_files(q, notice, e) && !(is_first && begin_without(q, e))) {
        close_files(q);
        return NULL;
    }
    q->stats.size_bytes = sqlite_db_size(&q->db);
    q->stats.alert_log_bytes = q->log.file.size;
    start_writer(q);
    if (q->broken)
        sqlite_post(q, &(struct task){.kind = TASK_COMMIT}, 1, &q->why);
    if (q->shell.base != NULL)
        timer_arm(q->clock, &q->look, ts_add(clock->now.mono, LOOK_EVERY));
    q->backend = (struct state_backend){&sqlite_ops, q};
    return &q->backend;
}
