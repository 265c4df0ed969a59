#include "live/heartbeat.h"

#include "core/receiver_health.h"
#include "os/log.h"
#include "net/secret.h"

struct heartbeat {
    struct shell *shell;
    struct transport *transport;
    struct clock *clock;
    struct config *conf;
    struct timer timer;
    struct transfer *transfer;
    bool was_held;
};

static void beat(struct timer *t, struct now now);

struct heartbeat *heartbeat_new(struct shell *s, struct transport *t, struct clock *clock)
{
    struct heartbeat *h = mem_new(struct heartbeat);

    h->shell = s;
    h->transport = t;
    h->clock = clock;
    h->timer.fire = beat;
    return h;
}

static void heartbeat_halt(struct heartbeat *h)
{
    timer_cancel(h->clock, &h->timer);
    if (h->transfer != NULL)
        transport_cancel(h->transport, h->transfer);
    h->transfer = NULL;
    config_unref(h->conf);
    h->conf = NULL;
}

void heartbeat_free(struct heartbeat *h)
{
    if (h == NULL)
        return;
    heartbeat_halt(h);
    mem_free(h);
}

void heartbeat_configure(struct heartbeat *h, struct config *conf)
{
    heartbeat_halt(h);
    if (!secret_is_set(conf->heartbeat.url))
        return;
    h->conf = config_ref(conf);
    timer_arm(h->clock, &h->timer, h->clock->now.mono);
}

static void heartbeat_answered(void *arg, const struct transport_answer *a)
{
    struct heartbeat *h = arg;

    h->transfer = NULL;
    if (a->http.status == 0)
        log_warn("heartbeat failed", LOG_ERR(&a->err));
    else if (a->http.status >= 300)
        log_warn("heartbeat refused", LOG_I64("status", a->http.status));
}

static bool may_beat(const struct heartbeat *h, str *why)
{
    const struct engine *e = shell_engine(h->shell);

    if (!shell_is_well(h->shell, why))
        return false;
    if (h->conf->heartbeat.withhold_when_receivers_fail)
        VEC_EACH (const struct receiver_stats *, rs, &e->receivers) {
            *why = receiver_failing(rs);
            if (why->n != 0)
                return false;
        }
    return true;
}

static void beat(struct timer *t, struct now now)
{
    struct heartbeat *h = container_of(t, struct heartbeat, timer);
    const struct heartbeat_conf *hc = &h->conf->heartbeat;
    struct transport_request rq = {.conf = hc->http, .class = WORK_PAGE};
    struct arena a;
    struct err e = ERR_INIT;
    str why;

    timer_arm(h->clock, t, ts_add(now.mono, hc->interval));
    if (!may_beat(h, &why)) {
        if (!h->was_held)
            log_error("heartbeat held back", LOG_STR("why", why));
        h->was_held = true;
        return;
    }
    h->was_held = false;
    if (h->transfer != NULL)
        return; /* the last call is still on its way */
    arena_init(&a, 0);
    rq.http.method = S("GET");
    rq.deadline = ts_add(now.mono, hc->interval < 10 * NS_PER_S ? hc->interval : 10 * NS_PER_S);
    if (secret_read(hc->url, &a, &rq.http.url, &e))
        h->transfer = transport_send(h->transport, &rq, heartbeat_answered, h);
    else
        log_warn("heartbeat failed", LOG_ERR(&e));
    arena_release(&a);
}
