#include "os/pool.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/clock.h"

/* A queue of jobs linked through job.next, in order of arrival. */
struct jobs {
    struct job *head, **tail;
    size_t n;
};

/* What would be a thread. */
struct stepped {
    struct timer timer; /* its job ends */
    struct pool *pool;
    struct job *job; /* NULL: it rests */
    bool has_run;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* a job was queued, or the pool ends */
    pthread_cond_t rest; /* a job has run */
    struct jobs todo, finished;
    struct jobs arrived; /* finished ones whose done() comes next; the loop's alone */
    size_t running;
    bool ending;
    pthread_t *threads; /* NULL: without threads */
    unsigned n_threads;
    struct stepped *stepped; /* as many as threads; NULL: not stepped */
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

static void *work(void *arg)
{
    struct pool *p = arg;

    pthread_setname_np(pthread_self(),
                       "worker"); /* another's name is a file, which a sandbox shuts */
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct job *j = jobs_pop(&p->todo);

        if (j == NULL) {
            if (p->ending)
                break;
            pthread_cond_wait(&p->wake, &p->lock);
            continue;
        }
        p->running++;
        pthread_mutex_unlock(&p->lock);
        j->run(j);
        pthread_mutex_lock(&p->lock);
        p->running--;
        if (p->finished.head == NULL)
            BUG_ON(eventfd_write(p->fd, 1) != 0);
        jobs_push(&p->finished, j);
        pthread_cond_signal(&p->rest);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Takes all that is finished in one go, so that the lock is not held while done() runs. */
static size_t deliver(struct pool *p)
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

static void on_arrivals(evutil_socket_t fd, short what, void *arg)
{
    eventfd_t ignored;

    (void)what;
    (void)eventfd_read(fd, &ignored);
    deliver(arg);
}

static struct pool *make(void)
{
    struct pool *p = mem_new(struct pool);

    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->rest, NULL);
    jobs_init(&p->todo);
    jobs_init(&p->finished);
    jobs_init(&p->arrived);
    p->fd = -1;
    return p;
}

struct pool *pool_new(struct event_base *base, unsigned threads)
{
    struct pool *p = make();
    sigset_t all, old;

    p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    BUG_ON(p->fd < 0);
    p->arrivals = event_new(base, p->fd, EV_READ | EV_PERSIST, on_arrivals, p);
    BUG_ON(p->arrivals == NULL || event_add(p->arrivals, NULL) != 0);
    p->n_threads = threads != 0 ? threads : 1;
    p->threads = mem_array(p->n_threads, sizeof(p->threads[0]));
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (unsigned i = 0; i < p->n_threads; i++)
        BUG_ON(pthread_create(&p->threads[i], NULL, work, p) != 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return p;
}

struct pool *pool_new_inline(void)
{
    return make();
}

/* -- stepped -- */

static void stepped_begin(struct pool *p)
{
    for (unsigned i = 0; i < p->n_threads; i++) {
        struct stepped *t = &p->stepped[i];
        struct job_pace pace;

        if (t->job != NULL || (t->job = jobs_pop(&p->todo)) == NULL)
            continue;
        pace = p->pace(p->arg);
        t->has_run = pace.runs_first;
        if (t->has_run)
            t->job->run(t->job);
        timer_arm(p->clock, &t->timer, ts_add(p->clock->now.mono, pace.takes));
    }
}

/* It rests from now on. */
static struct job *stepped_end(struct stepped *t)
{
    struct job *j = t->job;

    timer_cancel(t->pool->clock, &t->timer);
    if (!t->has_run)
        j->run(j);
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
    for (unsigned i = 0; p->stepped != NULL && i < p->n_threads; i++)
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
        BUG_ON(!jobs_drop(&p->todo, j));
    stepped_begin(p);
}

struct pool *pool_new_stepped(struct clock *clock, unsigned threads,
                              struct job_pace (*pace)(void *arg), void *arg)
{
    struct pool *p = make();

    p->clock = clock;
    p->pace = pace;
    p->arg = arg;
    p->n_threads = threads;
    p->stepped = mem_array(threads, sizeof(p->stepped[0]));
    for (unsigned i = 0; i < threads; i++)
        p->stepped[i] = (struct stepped){.timer.fire = on_stepped, .pool = p};
    return p;
}

/* -- all -- */

void pool_run(struct pool *p, struct job *j)
{
    if (p->stepped != NULL) {
        jobs_push(&p->todo, j);
        stepped_begin(p);
        return;
    }
    pthread_mutex_lock(&p->lock);
    jobs_push(&p->todo, j);
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
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
    if (!jobs_drop(&p->todo, j))
        while (!jobs_drop(&p->finished, j))
            pthread_cond_wait(&p->rest, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

size_t pool_drain(struct pool *p)
{
    size_t n = 0;
    struct job *j;

    BUG_ON(p->threads != NULL || p->stepped != NULL);
    while ((j = jobs_pop(&p->todo)) != NULL) {
        j->run(j);
        j->done(j);
        n++;
    }
    return n;
}

size_t pool_queued(const struct pool *p)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&p->lock; /* logically const */
    size_t n;

    pthread_mutex_lock(lock);
    n = p->todo.n;
    for (unsigned i = 0; p->stepped != NULL && i < p->n_threads; i++)
        n += p->stepped[i].job != NULL;
    pthread_mutex_unlock(lock);
    return n;
}

size_t pool_settle(struct pool *p)
{
    size_t n = 0;

    if (p->stepped != NULL)
        return stepped_settle(p);
    if (p->threads == NULL)
        return pool_drain(p);
    for (;;) {
        bool idle;

        pthread_mutex_lock(&p->lock);
        while (p->finished.head == NULL && (p->todo.n != 0 || p->running != 0))
            pthread_cond_wait(&p->rest, &p->lock);
        idle = p->finished.head == NULL;
        pthread_mutex_unlock(&p->lock);
        if (idle)
            return n;
        n += deliver(p);
    }
}

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    pool_settle(p);
    if (p->threads != NULL) {
        pthread_mutex_lock(&p->lock);
        p->ending = true;
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
        for (unsigned i = 0; i < p->n_threads; i++)
            pthread_join(p->threads[i], NULL);
        event_free(p->arrivals);
        close(p->fd);
    }
    pthread_cond_destroy(&p->rest);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    mem_free(p->threads);
    mem_free(p->stepped);
    mem_free(p);
}
