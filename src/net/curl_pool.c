/* curl never waits: it tells us which sockets to watch (on_socket_wanted) and when to wake it (on_timer_wanted), and we
 * tell it what happened (curl_multi_socket_action). */
#include "net/curl_pool.h"

#include <event2/event.h>
#include <openssl/crypto.h>
#include "base/mem.h"
#include "os/loop.h"

void curl_made_with_add(struct curl_made_with *m, char what, str value)
{
    if (value.n == 0)
        return;
    /* with its length, so that no two sets read the same */
    buf_addf(&m->said, "%c%zu:", what, value.n);
    buf_add(&m->said, value);
}

void curl_made_with_release(struct curl_made_with *m)
{
    if (m->said.n != 0)
        OPENSSL_cleanse(m->said.p, m->said.n);
    buf_release(&m->said);
}

/* -- the multi handle on the loop -- */

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct curl_pool *p = arg;
    int mask = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    int running;

    struct curl_pools *in = p->in;

    clock_touch(in->clock);
    curl_multi_socket_action(p->multi, fd, mask, &running);
    in->turned(in, p);
    loop_yield(in->base, in->clock);
}

static void curl_pool_on_timer(struct timer *timer, struct now now)
{
    struct curl_pool *p = container_of(timer, struct curl_pool, timer);
    int running;

    (void)now;
    curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    p->in->turned(p->in, p);
}

static int on_timer_wanted(CURLM *multi, long ms, void *arg)
{
    struct curl_pool *p = arg;
    struct clock *clock = p->in->clock;

    (void)multi;
    if (ms < 0)
        timer_cancel(clock, &p->timer);
    else
        timer_arm(clock, &p->timer, clock->now.mono + ms * NS_PER_MS);
    return 0;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *watched)
{
    struct curl_pool *p = arg;
    struct event *ev = watched;
    short events = EV_PERSIST;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (ev != NULL)
            event_free(ev);
        curl_multi_assign(p->multi, fd, NULL);
        return 0;
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= EV_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= EV_WRITE;
    if (ev != NULL)
        event_free(ev);
    ev = event_new(p->in->base, fd, events, on_socket, p);
    BUG_ON(ev == NULL || event_add(ev, NULL) != 0);
    curl_multi_assign(p->multi, fd, ev);
    return 0;
}

/* -- pools -- */

static void curl_pool_free(struct curl_pool *p)
{
    struct curl_pool **at = &p->in->first;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    curl_multi_cleanup(p->multi);
    timer_cancel(p->in->clock, &p->timer);
    timer_cancel(p->in->clock, &p->idle);
    mem_free(p);
}

static void on_idle(struct timer *timer, struct now now)
{
    (void)now;
    curl_pool_free(container_of(timer, struct curl_pool, idle));
}

static struct curl_pool *curl_pool_new(struct curl_pools *ps, enum work_class c,
                                       const unsigned char *key)
{
    struct curl_pool *p = mem_new(struct curl_pool);

    p->in = ps;
    p->next = ps->first;
    ps->first = p;
    p->class = c;
    memcpy(p->key, key, sizeof(p->key));
    p->timer.fire = curl_pool_on_timer;
    p->idle.fire = on_idle;
    p->multi = curl_multi_init();
    BUG_ON(p->multi == NULL);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)ps->connections_max);
    return p;
}

static bool is_for(const struct curl_pool *p, enum work_class c, const unsigned char *key)
{
    return p->class == c && memcmp(p->key, key, sizeof(p->key)) == 0;
}

static void complete(struct curl_pools *ps, struct curl_made_with *m)
{
    if (ps->sha256 == NULL)
        ps->sha256 =
            EVP_MD_fetch(NULL, "SHA256", NULL); /* each EVP_sha256() would look for it anew */
    if (m->said.n != 0)
        BUG_ON(EVP_Digest(m->said.p, m->said.n, m->key, NULL, ps->sha256, NULL) != 1);
    curl_made_with_release(m);
    m->is_complete = true;
}

struct curl_pool *curl_pool_enter(struct curl_pools *ps, enum work_class c,
                                  struct curl_made_with *m)
{
    struct curl_pool *p;

    if (!m->is_complete)
        complete(ps, m);
    for (p = ps->first; p != NULL && !is_for(p, c, m->key); p = p->next)
        ;
    if (p == NULL)
        p = curl_pool_new(ps, c, m->key);
    timer_cancel(ps->clock, &p->idle);
    p->users++;
    return p;
}

void curl_pool_leave(struct curl_pool *p)
{
    struct clock *clock = p->in->clock;

    if (--p->users == 0)
        timer_arm(clock, &p->idle, clock->now.mono + CURL_IDLE_S * NS_PER_S);
}

void curl_pools_release(struct curl_pools *ps)
{
    while (ps->first != NULL)
        curl_pool_free(ps->first);
    EVP_MD_free(ps->sha256);
}
