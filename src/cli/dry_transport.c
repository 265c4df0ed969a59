#include "cli/dry_transport.h"

#include "base/mem.h"

struct transfer {
    struct dry *owner;
    struct timer timer;
    int status;
    transport_cb *cb;
    void *arg;
};

struct dry {
    struct transport transport;
    struct clock *clock;
    const str *secrets;
    size_t n;
    struct buf *out;
};

static void dry_put(struct dry *d, str text)
{
    for (size_t at = 0; at < text.n;) {
        size_t i = 0;

        while (i < d->n &&
               (d->secrets[i].n == 0 || !str_starts_with(str_sub(text, at, text.n), d->secrets[i])))
            i++;
        if (i < d->n) {
            buf_adds(d->out, "<secret>");
            at += d->secrets[i].n;
        } else {
            buf_addc(d->out, text.p[at++]);
        }
    }
}

static void dry_put_line(struct dry *d, str name, str value)
{
    buf_add(d->out, name);
    dry_put(d, value);
    buf_addc(d->out, '\n');
}

static void dry_put_mail(struct dry *d, const struct smtp_request *m)
{
    dry_put_line(d, S("MAIL FROM "), m->from);
    for (size_t i = 0; i < m->n_to; i++)
        dry_put_line(d, S("RCPT TO "), m->to[i]);
    buf_addc(d->out, '\n');
    dry_put(d, m->message);
}

static void dry_put_http(struct dry *d, const struct http_request *rq)
{
    buf_add(d->out, rq->method.n != 0 ? rq->method : rq->body.n != 0 ? S("POST") : S("GET"));
    dry_put_line(d, S(" "), rq->url);
    for (size_t i = 0; i < rq->headers.n; i++) {
        buf_add(d->out, rq->headers.v[i].name);
        dry_put_line(d, S(": "), rq->headers.v[i].value);
    }
    buf_addc(d->out, '\n');
    dry_put(d, rq->body);
}

static void dry_answer(struct timer *t, struct now now)
{
    struct transfer *x = container_of(t, struct transfer, timer);
    struct transport_answer a = {.http = {.status = x->status}};

    (void)now;
    x->cb(x->arg, &a);
    mem_free(x);
}

static struct transfer *dry_send(void *self, const struct transport_request *rq, transport_cb *cb,
                                 void *arg)
{
    struct dry *d = self;
    struct transfer *x = mem_new(struct transfer);

    if (rq->smtp != NULL)
        dry_put_mail(d, rq->smtp);
    else
        dry_put_http(d, &rq->http);
    buf_adds(d->out, "\n\n");
    *x =
        (struct transfer){.owner = d, .status = rq->smtp != NULL ? 250 : 200, .cb = cb, .arg = arg};
    x->timer.fire = dry_answer;
    timer_arm(d->clock, &x->timer, d->clock->now.mono);
    return x;
}

static void dry_cancel(void *self, struct transfer *x)
{
    timer_cancel(((struct dry *)self)->clock, &x->timer);
    mem_free(x);
}

static void dry_free(void *self)
{
    mem_free(self);
}

static const struct transport_ops dry_ops = {
    .send = dry_send, .cancel = dry_cancel, .free = dry_free};

struct transport *dry_transport_new(struct clock *clock, const str *secrets, size_t n,
                                    struct buf *out)
{
    struct dry *d = mem_new(struct dry);

    *d = (struct dry){{&dry_ops, d}, clock, secrets, n, out};
    return &d->transport;
}
