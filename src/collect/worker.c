#include "collect/worker.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { WORKER_STACK = 512 << 10 };
#define WORKER_GRACE                                                                               \
    (250 * NS_PER_MS) /* for a part that keeps its deadline to say that it did not suffice */

struct worker {
    struct part *part;
    pthread_t thread;
    int stop_fd, done_fd;
    /* the loop's */
    struct worker_result last;
    uint64_t asked; /* number of the run */
    ts_ns deadline; /* of the run asked last */
    /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_wanted, has_ended, is_stopping;
    ts_ns wanted_deadline;
    struct worker_result fresh;
};

static void result_release(struct worker_result *r)
{
    sheet_release(&r->sheet);
    buf_release(&r->note);
}

static void run_part(struct worker *w, ts_ns deadline, struct worker_result *out)
{
    struct part_run r = {.deadline = deadline, .stop_fd = w->stop_fd};
    ts_ns begin = part_mono();

    *out = (struct worker_result){.err = ERR_INIT};
    sheet_init(&out->sheet);
    r.out = &out->sheet;
    out->ok = w->part->run(w->part, &r, &out->err);
    out->note = r.note;
    out->took = (double)(part_mono() - begin) / 1e9;
}

static void tell(const struct worker *w)
{
    const uint64_t one = 1;

    (void)!write(w->done_fd, &one, sizeof(one)); /* it can only be full: then it can be read, too */
}

static void *work(void *arg)
{
    struct worker *w = arg;

    pthread_mutex_lock(&w->lock);
    while (!w->is_stopping) {
        struct worker_result r;
        ts_ns deadline = w->wanted_deadline;

        if (!w->is_wanted) {
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        run_part(w, deadline, &r);
        pthread_mutex_lock(&w->lock);
        w->fresh = r;
        w->is_wanted = false;
        w->has_ended = true;
        tell(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct worker *worker_new(struct part *part, int stop_fd, int done_fd)
{
    struct worker *w = mem_new(struct worker);
    pthread_attr_t attr;
    sigset_t all, before;

    w->part = part;
    w->stop_fd = stop_fd;
    w->done_fd = done_fd;
    sheet_init(&w->last.sheet);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    BUG_ON(pthread_create(&w->thread, &attr, work, w) != 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return w;
}

/* The run that is under way, or has ended and was not taken yet, is joined: what it says is as fresh as can be had. */
uint64_t worker_ask(struct worker *w, ts_ns deadline)
{
    if (w->asked != w->last.run)
        return w->asked;
    w->asked++;
    w->deadline = deadline;
    pthread_mutex_lock(&w->lock);
    w->is_wanted = true;
    w->wanted_deadline = deadline;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return w->asked;
}

bool worker_take(struct worker *w)
{
    struct worker_result fresh = {0};
    bool has;

    pthread_mutex_lock(&w->lock);
    has = w->has_ended;
    if (has)
        fresh = w->fresh;
    w->has_ended = false;
    pthread_mutex_unlock(&w->lock);
    if (!has)
        return false;
    result_release(&w->last);
    w->last = fresh;
    w->last.run = w->asked;
    return true;
}

const struct worker_result *worker_last(const struct worker *w)
{
    return &w->last;
}

const struct part *worker_part(const struct worker *w)
{
    return w->part;
}

bool worker_is_overdue(const struct worker *w)
{
    return w->asked != w->last.run && part_mono() > ts_add(w->deadline, WORKER_GRACE);
}

void worker_stop(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

bool worker_join(struct worker *w, ts_ns by)
{
    dur_ns left = ts_sub(by, part_mono());
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    if (left > 0) {
        until.tv_sec += left / NS_PER_S;
        until.tv_nsec += left % NS_PER_S;
        until.tv_sec += until.tv_nsec / NS_PER_S;
        until.tv_nsec %= NS_PER_S;
    }
    if (pthread_timedjoin_np(w->thread, NULL, &until) != 0)
        return false;
    if (w->has_ended)
        result_release(&w->fresh);
    result_release(&w->last);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    w->part->free(w->part);
    mem_free(w);
    return true;
}
