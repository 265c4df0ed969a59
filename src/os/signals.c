#include "os/signals.h"

#include <event2/event.h>
#include <signal.h>
#include "base/mem.h"

static const int watched[] = {SIGHUP, SIGTERM, SIGINT};

struct signals {
    void (*on_signal)(int signo, void *arg);
    void *arg;
    struct event *events[ARRAY_LEN(watched)];
};

static void signals_on_event(evutil_socket_t signo, short what, void *arg)
{
    struct signals *s = arg;

    (void)what;
    s->on_signal((int)signo, s->arg);
}

struct signals *signals_new(struct event_base *base, void (*on_signal)(int signo, void *arg),
                            void *arg)
{
    struct signals *s = mem_new(struct signals);

    s->on_signal = on_signal;
    s->arg = arg;
    for (size_t i = 0; i < ARRAY_LEN(watched); i++) {
        s->events[i] = evsignal_new(base, watched[i], signals_on_event, s);
        BUG_ON(s->events[i] == NULL || event_add(s->events[i], NULL) != 0);
    }
    signal(SIGPIPE, SIG_IGN);
    return s;
}

void signals_free(struct signals *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(watched); i++)
        event_free(s->events[i]);
    mem_free(s);
}
