/* A crew of threads a class, hired when there is work; jobs that have run wait in one list for the loop, which an
 * eventfd wakes. Inline and stepped pools have no threads: they run what is queued when told, the stepped one at times
 * that are drawn. */
#include "os/pool.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/role.h"

enum { NICE_OF_QUERIES = 10 };

/* Only what is touched of it is memory. Sanitizers put more into a frame. */
#ifdef __SANITIZE_ADDRESS__
enum { STACK_BYTES = 16 << 20 };
#else
enum { STACK_BYTES = 2 << 20 };
#endif

/* A queue of jobs linked through job.next, in order of arrival. */
struct jobs {
    struct job *head, **tail;
    size_t n;
};

/* The workers of a class. */
struct crew {
    struct pool *pool;
    enum work_class class;
    pthread_cond_t wake; /* a job may be taken, or the pool ends */
    struct jobs todo;
    pthread_t *threads;
    unsigned n_threads, most, idle;
};

/* What would be a thread of these classes. */
struct stepped {
    struct timer timer; /* its job ends */
    struct pool *pool;
    enum work_class first, last;
    struct job *job; /* NULL: it rests */
    bool has_run;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t rest; /* a job has run */
    struct crew crews[WORK_CLASSES];
    struct shares shares;
    struct jobs finished;
    struct jobs arrived; /* finished ones whose done() comes next; the loop's alone */
    bool is_inline, ending;
    struct stepped *stepped; /* NULL: not stepped */
    unsigned n_stepped;
    struct clock *clock;
    struct job_pace (*pace)(void *arg);
    void *arg;
    int fd; /* written once for each non-empty batch in finished */
    struct event *arrivals;
};

static void jobs_init(struct jobs *q)
{
    q->head = NULL;
    q->tail = &q->head;
    q->n = 0;
}

static void jobs_push(struct jobs *q, struct job *j)
{
    j->next = NULL;
    *q->tail = j;
    q->tail = &j->next;
    q->n++;
}

static struct job *jobs_pop(struct jobs *q)
{
    struct job *j = q->head;

    if (j == NULL)
        return NULL;
    q->head = j->next;
    if (q->head == NULL)
        q->tail = &q->head;
    q->n--;
    return j;
}

static bool jobs_drop(struct jobs *q, const struct job *j)
{
    for (struct job **at = &q->head; *at != NULL; at = &(*at)->next) {
        if (*at != j)
            continue;
        *at = j->next;
        if (j->next == NULL)
            q->tail = at;
        q->n--;
        return true;
    }
    return false;
}

/* What is lent goes to the most urgent of those who want it. */
static bool may_take(const struct pool *p, enum work_class c)
{
    if (p->crews[c].todo.n == 0 || !shares_may_start(&p->shares, c))
        return false;
    for (unsigned above = 0; p->shares.running[c] >= p->shares.share[c] && above < c; above++)
        if (p->crews[above].todo.n != 0 && shares_may_start(&p->shares, above))
            return false;
    return true;
}

static void pool_wake(struct pool *p)
{
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        if (may_take(p, c))
            pthread_cond_signal(&p->crews[c].wake);
}

static void os_pool_run(struct crew *w)
{
    struct pool *p = w->pool;
    struct job *j = jobs_pop(&w->todo);

    p->shares.running[w->class]++;
    pool_wake(p);
    pthread_mutex_unlock(&p->lock);
    j->run(j);
    pthread_mutex_lock(&p->lock);
    p->shares.running[w->class]--;
    if (p->finished.head == NULL)
        BUG_ON(eventfd_write(p->fd, 1) != 0);
    jobs_push(&p->finished, j);
    pthread_cond_signal(&p->rest);
    pool_wake(p);
}

/* Of this thread alone: on Linux priorities are threads'. */
static void be_nice(void)
{
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), NICE_OF_QUERIES) != 0)
        log_info("queries run at the priority of rules: the system refuses another",
                 LOG_Z("why", strerrorname_np(errno)));
}

static void *pool_work(void *arg)
{
    struct crew *w = arg;
    struct pool *p = w->pool;

    /* Another's name is a file, which a sandbox shuts. */
    pthread_setname_np(pthread_self(), work_class_names[w->class]);
    role_set(ROLE_WORKER);
    if (w->class == WORK_QUERY)
        be_nice();
    pthread_mutex_lock(&p->lock);
    while (!p->ending || w->todo.n != 0) {
        if (may_take(p, w->class)) {
            os_pool_run(w);
            continue;
        }
        w->idle++;
        pthread_cond_wait(&w->wake, &p->lock);
        w->idle--;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* With the lock held. One more that cannot be had is done without. */
static void hire(struct crew *w)
{
    pthread_attr_t attr;
    sigset_t all, old;

    pthread_attr_init(&attr);
    BUG_ON(pthread_attr_setstacksize(&attr, STACK_BYTES) != 0);
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&w->threads[w->n_threads], &attr, pool_work, w) == 0)
        w->n_threads++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    BUG_ON(w->n_threads == 0);
}

/* Takes all that is finished in one go, so that the lock is not held while done() runs. */
static size_t pool_deliver(struct pool *p)
{
    struct job *j;
    size_t n = 0;

    pthread_mutex_lock(&p->lock);
    while ((j = jobs_pop(&p->finished)) != NULL)
        jobs_push(&p->arrived, j);
    pthread_mutex_unlock(&p->lock);
    for (; (j = jobs_pop(&p->arrived)) != NULL; n++)
        j->done(j); /* it may free j, or queue it again */
    return n;
}

static void pool_on_arrivals(evutil_socket_t fd, short what, void *arg)
{
    eventfd_t ignored;

    (void)what;
    (void)eventfd_read(fd, &ignored);
    pool_deliver(arg);
}

static struct pool *pool_make(void)
{
    struct pool *p = mem_new(struct pool);
    pthread_condattr_t attr;

    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->rest, &attr);
    pthread_condattr_destroy(&attr);
    for (unsigned c = 0; c < WORK_CLASSES; c++) {
        p->crews[c].pool = p;
        p->crews[c].class = c;
        pthread_cond_init(&p->crews[c].wake, NULL);
        jobs_init(&p->crews[c].todo);
    }
    jobs_init(&p->finished);
    jobs_init(&p->arrived);
    p->fd = -1;
    return p;
}

struct shares pool_shares(unsigned cores)
{
    unsigned most = cores > 2 ? cores - 1 : 1, some = cores > 3 ? cores / 2 : 1;

    return (struct shares){.share = {[WORK_PAGE] = 1,
                                     [WORK_SOURCE] = most,
                                     [WORK_RULE] = most,
                                     [WORK_SCRAPE] = some,
                                     [WORK_QUERY] = 1,
                                     [WORK_SLOW] = 1,
                                     [WORK_NAME] = 1,
                                     [WORK_WRITE] = 1},
                           .whole = cores > 1 ? cores : 1};
}

struct pool *pool_new(struct event_base *base, unsigned cores)
{
    struct pool *p = pool_make();

    p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    BUG_ON(p->fd < 0);
    p->arrivals = event_new(base, p->fd, EV_READ | EV_PERSIST, pool_on_arrivals, p);
    BUG_ON(p->arrivals == NULL || event_add(p->arrivals, NULL) != 0);
    p->shares = pool_shares(cores);
    pthread_mutex_lock(&p->lock);
    for (unsigned c = 0; c < WORK_CLASSES; c++) {
        struct crew *w = &p->crews[c];

        w->most = shares_most(&p->shares, c);
        w->threads = mem_array(w->most, sizeof(w->threads[0]));
        hire(w);
    }
    pthread_mutex_unlock(&p->lock);
    return p;
}

struct pool *pool_new_inline(void)
{
    struct pool *p = pool_make();

    p->is_inline = true;
    return p;
}

static bool drop_queued(struct pool *p, const struct job *j)
{
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        if (jobs_drop(&p->crews[c].todo, j))
            return true;
    return false;
}

/* -- stepped -- */

static void run_as_worker(struct job *j)
{
    enum role was = role_set(ROLE_WORKER);

    j->run(j);
    role_set(was);
}

static struct job *pool_most_urgent(struct pool *p, const struct stepped *t)
{
    struct job *j = NULL;

    for (unsigned c = t->first; c <= t->last && j == NULL; c++)
        j = jobs_pop(&p->crews[c].todo);
    return j;
}

static void stepped_begin(struct pool *p)
{
    for (unsigned i = 0; i < p->n_stepped; i++) {
        struct stepped *t = &p->stepped[i];
        struct job_pace pace;

        if (t->job != NULL || (t->job = pool_most_urgent(p, t)) == NULL)
            continue;
        pace = p->pace(p->arg);
        t->has_run = pace.runs_first;
        if (t->has_run)
            run_as_worker(t->job);
        timer_arm(p->clock, &t->timer, ts_add(p->clock->now.mono, pace.takes));
    }
}

/* It rests from now on. */
static struct job *stepped_end(struct stepped *t)
{
    struct job *j = t->job;

    timer_cancel(t->pool->clock, &t->timer);
    if (!t->has_run)
        run_as_worker(j);
    t->job = NULL;
    return j;
}

static void stepped_done(struct stepped *t)
{
    struct job *j = stepped_end(t);

    stepped_begin(t->pool);
    j->done(j);
}

static void on_stepped(struct timer *timer, struct now now)
{
    (void)now;
    stepped_done(container_of(timer, struct stepped, timer));
}

static struct stepped *stepped_of(const struct pool *p, const struct job *j)
{
    for (unsigned i = 0; p->stepped != NULL && i < p->n_stepped; i++)
        if (j == NULL ? p->stepped[i].job != NULL : p->stepped[i].job == j)
            return &p->stepped[i];
    return NULL;
}

static size_t stepped_settle(struct pool *p)
{
    struct stepped *t;
    size_t n = 0;

    for (; (t = stepped_of(p, NULL)) != NULL; n++)
        stepped_done(t);
    return n;
}

/* A thread that is at it is waited for. */
static void stepped_take_back(struct pool *p, struct job *j)
{
    struct stepped *t = stepped_of(p, j);

    if (t != NULL)
        stepped_end(t);
    else
        BUG_ON(!drop_queued(p, j));
    stepped_begin(p);
}

struct pool *pool_new_stepped(struct clock *clock, unsigned threads,
                              struct job_pace (*pace)(void *arg), void *arg)
{
    struct pool *p = pool_make();

    p->clock = clock;
    p->pace = pace;
    p->arg = arg;
    p->n_stepped = threads + 2;
    p->stepped = mem_array(p->n_stepped, sizeof(p->stepped[0]));
    for (unsigned i = 0; i < threads; i++)
        p->stepped[i] = (struct stepped){.first = 0, .last = WORK_QUERY};
    p->stepped[threads] = (struct stepped){.first = WORK_SLOW, .last = WORK_NAME};
    p->stepped[threads + 1] = (struct stepped){.first = WORK_WRITE, .last = WORK_WRITE};
    for (unsigned i = 0; i < p->n_stepped; i++) {
        p->stepped[i].timer.fire = on_stepped;
        p->stepped[i].pool = p;
    }
    return p;
}

/* -- all -- */

/* All that an inline pool has is in one queue, in order. */
static struct crew *crew_of(struct pool *p, enum work_class c)
{
    return &p->crews[p->is_inline ? 0 : c];
}

void pool_run(struct pool *p, enum work_class c, struct job *j)
{
    struct crew *w = crew_of(p, c);

    if (p->stepped != NULL) {
        jobs_push(&w->todo, j);
        stepped_begin(p);
        return;
    }
    pthread_mutex_lock(&p->lock);
    jobs_push(&w->todo, j);
    if (!p->is_inline && w->todo.n > w->idle && w->n_threads < w->most)
        hire(w);
    pool_wake(p);
    pthread_mutex_unlock(&p->lock);
}

bool pool_drop(struct pool *p, struct job *j)
{
    bool was_queued;

    pthread_mutex_lock(&p->lock);
    was_queued = drop_queued(p, j);
    pthread_mutex_unlock(&p->lock);
    return was_queued;
}

void pool_take_back(struct pool *p, struct job *j)
{
    if (p->stepped != NULL) {
        stepped_take_back(p, j);
        return;
    }
    if (jobs_drop(&p->arrived, j))
        return;
    pthread_mutex_lock(&p->lock);
    if (!drop_queued(p, j))
        while (!jobs_drop(&p->finished, j))
            pthread_cond_wait(&p->rest, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

size_t pool_drain(struct pool *p)
{
    size_t n = 0;
    struct job *j;

    BUG_ON(!p->is_inline);
    while ((j = jobs_pop(&p->crews[0].todo)) != NULL) {
        enum role was = role_set(ROLE_WORKER);

        j->run(j);
        role_set(was);
        j->done(j);
        n++;
    }
    return n;
}

size_t pool_queued(const struct pool *p)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&p->lock; /* logically const */
    size_t n = 0;

    pthread_mutex_lock(lock);
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        n += p->crews[c].todo.n;
    for (unsigned i = 0; i < p->n_stepped; i++)
        n += p->stepped[i].job != NULL;
    pthread_mutex_unlock(lock);
    return n;
}

/* With the lock held. */
static bool is_busy(const struct pool *p)
{
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        if (p->crews[c].todo.n != 0 || p->shares.running[c] != 0)
            return true;
    return false;
}

static struct timespec after(dur_ns d)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    d += t.tv_nsec;
    t.tv_sec += d / NS_PER_S;
    t.tv_nsec = d % NS_PER_S;
    return t;
}

bool pool_settle_within(struct pool *p, dur_ns patience, size_t *n)
{
    struct timespec end = after(patience);

    *n = 0;
    if (p->is_inline) {
        *n = pool_drain(p);
        return true;
    }
    if (p->stepped != NULL) {
        *n = stepped_settle(p);
        return true;
    }
    for (;;) {
        bool is_over = false, has_more;

        pthread_mutex_lock(&p->lock);
        while (p->finished.head == NULL && is_busy(p) && !is_over)
            is_over = pthread_cond_timedwait(&p->rest, &p->lock, &end) == ETIMEDOUT;
        has_more = p->finished.head != NULL;
        pthread_mutex_unlock(&p->lock);
        if (!has_more)
            return !is_over;
        *n += pool_deliver(p);
    }
}

size_t pool_settle(struct pool *p)
{
    enum { PATIENCE_S = 3600 };
    size_t n, all = 0;

    while (!pool_settle_within(p, PATIENCE_S * NS_PER_S, &n))
        all += n;
    return all + n;
}

static void end_threads(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        pthread_cond_broadcast(&p->crews[c].wake);
    pthread_mutex_unlock(&p->lock);
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        for (unsigned i = 0; i < p->crews[c].n_threads; i++)
            pthread_join(p->crews[c].threads[i], NULL);
}

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    pool_settle(p);
    if (!p->is_inline && p->stepped == NULL) {
        end_threads(p);
        event_free(p->arrivals);
        close(p->fd);
    }
    for (unsigned c = 0; c < WORK_CLASSES; c++) {
        pthread_cond_destroy(&p->crews[c].wake);
        mem_free(p->crews[c].threads);
    }
    pthread_cond_destroy(&p->rest);
    pthread_mutex_destroy(&p->lock);
    mem_free(p->stepped);
    mem_free(p);
}
