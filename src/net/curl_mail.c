#include "net/curl_mail.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/map.h"
#include "base/mem.h"
#include "net/curl_smtp.h"

enum { STACK = 1 << 20, OFFERS_MAX = 64 };

struct mail {
    struct mails *owner;
    struct mail *next, *prev; /* of all that are under way */
    struct mail *next_ended;
    mail_cb *cb; /* NULL: cancelled */
    void *arg;
    atomic_bool given_up;
    /* the thread's, until it has ended */
    struct smtp_dialogue dialogue;
    struct mail_answer answer;
};

struct mails {
    struct mail *all;
    struct str_map offers; /* offer_key() -> what the server offers; both owned */
    struct event *arrivals;
    int fd; /* written for each that has ended */
    pthread_mutex_t lock;
    pthread_cond_t rest;
    struct mail *ended;
    size_t running;
};

static str offer_key(struct arena *a, const struct smtp_request *rq)
{
    return arena_printf(a, "%s:%.*s",
                        rq->implicit_tls  ? "tls"
                        : rq->require_tls ? "starttls"
                                          : "",
                        STR(rq->smarthost));
}

static void offers_forget(struct mails *ms)
{
    MAP_EACH (struct str_map_entry, it, &ms->offers) {
        mem_str_free(it->key);
        mem_free(it->value);
    }
    str_map_release(&ms->offers);
}

static void offer_learn(struct mails *ms, struct smtp_dialogue *d)
{
    str key = offer_key(&d->arena, d->rq);
    void **known = str_map_get(&ms->offers, key);

    if (d->offer[0] == '\0' || (known != NULL && strcmp(*known, d->offer) == 0))
        return;
    if (known != NULL) {
        mem_free(*known);
        *known = mem_zdup(str_of(d->offer));
        return;
    }
    if (ms->offers.n == OFFERS_MAX)
        offers_forget(ms);
    str_map_put(&ms->offers, mem_str_dup(key), mem_zdup(str_of(d->offer)));
}

static void mail_free(struct mail *m)
{
    if (m->prev != NULL)
        m->prev->next = m->next;
    else
        m->owner->all = m->next;
    if (m->next != NULL)
        m->next->prev = m->prev;
    curl_smtp_release(&m->dialogue);
    mem_free(m);
}

/* -- the thread -- */

static void *curl_mail_run(void *arg)
{
    struct mail *m = arg;
    struct mails *ms = m->owner;
    struct smtp_dialogue *d = &m->dialogue;

    m->answer.failure = curl_smtp_perform(d, &m->answer.err);
    m->answer.status = d->status;
    m->answer.has_sent = d->unread < d->rq->message.n && d->status < 400;
    m->answer.refused = d->refused;
    pthread_mutex_lock(&ms->lock);
    m->next_ended = ms->ended;
    ms->ended = m;
    ms->running--;
    BUG_ON(eventfd_write(ms->fd, 1) != 0);
    pthread_cond_signal(&ms->rest);
    pthread_mutex_unlock(&ms->lock);
    return NULL;
}

static bool curl_mail_start_thread(struct mail *m)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_t thread;
    int r;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_mutex_lock(&m->owner->lock);
    r = pthread_create(&thread, &attr, curl_mail_run, m);
    m->owner->running += r == 0;
    pthread_mutex_unlock(&m->owner->lock);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return r == 0;
}

/* -- the loop -- */

static void curl_mail_on_arrivals(evutil_socket_t fd, short what, void *arg)
{
    struct mails *ms = arg;
    struct mail *m, *next;
    eventfd_t ignored;

    (void)what;
    (void)eventfd_read(fd, &ignored);
    pthread_mutex_lock(&ms->lock);
    m = ms->ended;
    ms->ended = NULL;
    pthread_mutex_unlock(&ms->lock);
    for (; m != NULL; m = next) {
        next = m->next_ended;
        offer_learn(ms, &m->dialogue);
        if (m->cb != NULL)
            m->cb(m->arg, &m->answer);
        mail_free(m);
    }
}

struct mail *mail_send(struct mails *ms, const struct smtp_request *rq, dur_ns within, mail_cb *cb,
                       void *arg, struct err *e)
{
    struct mail *m = mem_new(struct mail);
    struct arena scratch;
    void **offer;

    arena_init(&scratch, 0);
    offer = str_map_get(&ms->offers, offer_key(&scratch, rq));
    arena_release(&scratch);
    m->owner = ms;
    m->cb = cb;
    m->arg = arg;
    m->dialogue.given_up = &m->given_up;
    if (!curl_smtp_init(&m->dialogue, rq, offer != NULL ? str_of(*offer) : STR_NONE, within, e)) {
        mem_free(m);
        return NULL;
    }
    m->next = ms->all;
    if (m->next != NULL)
        m->next->prev = m;
    ms->all = m;
    if (curl_mail_start_thread(m))
        return m;
    mail_free(m);
    err_set(e, ERR_LIMIT, "cannot start a thread for a mail");
    return NULL;
}

void mail_cancel(struct mail *m)
{
    m->cb = NULL;
    atomic_store(&m->given_up, true);
}

struct mails *mails_new(struct event_base *base)
{
    struct mails *ms = mem_new(struct mails);

    pthread_mutex_init(&ms->lock, NULL);
    pthread_cond_init(&ms->rest, NULL);
    ms->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    BUG_ON(ms->fd < 0);
    ms->arrivals = event_new(base, ms->fd, EV_READ | EV_PERSIST, curl_mail_on_arrivals, ms);
    BUG_ON(ms->arrivals == NULL || event_add(ms->arrivals, NULL) != 0);
    return ms;
}

void mails_free(struct mails *ms)
{
    if (ms == NULL)
        return;
    for (struct mail *m = ms->all; m != NULL; m = m->next)
        mail_cancel(m);
    pthread_mutex_lock(&ms->lock);
    while (ms->running != 0)
        pthread_cond_wait(&ms->rest, &ms->lock);
    pthread_mutex_unlock(&ms->lock);
    while (ms->all != NULL)
        mail_free(ms->all);
    offers_forget(ms);
    event_free(ms->arrivals);
    close(ms->fd);
    pthread_cond_destroy(&ms->rest);
    pthread_mutex_destroy(&ms->lock);
    mem_free(ms);
}
