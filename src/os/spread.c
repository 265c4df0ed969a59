/* Threads that take numbers from one counter. One that cannot be had is done without. */
#include "os/spread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { SPREAD_MAX = 8 };

struct spread_work {
    void (*work)(void *arg, size_t i);
    void *arg;
    size_t n;
    atomic_size_t next;
};

unsigned spread_cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return n > 1 ? (unsigned)n : 1;
}

static void *spread_run(void *arg)
{
    struct spread_work *w = arg;

    for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->n;)
        w->work(w->arg, i);
    return NULL;
}

void spread(unsigned threads, size_t n, void (*work)(void *arg, size_t i), void *arg)
{
    struct spread_work w = {.work = work, .arg = arg, .n = n};
    pthread_t others[SPREAD_MAX];
    size_t n_others = 0;

    if (threads > SPREAD_MAX)
        threads = SPREAD_MAX;
    while (n_others + 1 < threads && n_others + 1 < n &&
           pthread_create(&others[n_others], NULL, spread_run, &w) == 0)
        n_others++;
    spread_run(&w);
    while (n_others != 0)
        pthread_join(others[--n_others], NULL);
}
