#include "net/scripted.h"

#include "base/vec.h"

struct transfer {
    struct timer timer;
    struct clock *clock; /* of the timer */
    struct transfer *next, *prev;
    struct scripted *script;
    transport_cb *cb;
    transport_piece_cb *piece;
    size_t given; /* of the body, in pieces */
    void *arg;
    struct scripted_answer answer;
    ts_ns since;
};

struct scripted {
    struct transport transport;
    struct clock *clock, *outside;
    scripted_handler *handler;
    void *arg;
    struct arena memory;
    VEC(struct scripted_request *) requests;
    VEC(struct scripted_answer) queue;
    size_t answered, n_in_flight;
    struct transfer *in_flight;
};

static struct http_request scripted_copy(struct arena *a, const struct http_request *rq)
{
    struct http_request c = {.url = arena_str(a, rq->url), .body = arena_str(a, rq->body)};

    c.method = rq->method.n != 0 ? arena_str(a, rq->method)
               : rq->body.n != 0 ? S("POST")
                                 : S("GET");
    c.headers.n = rq->headers.n;
    c.headers.v = arena_array(a, rq->headers.n, sizeof(c.headers.v[0]));
    for (size_t i = 0; i < rq->headers.n; i++)
        c.headers.v[i] = (struct http_header){arena_str(a, rq->headers.v[i].name),
                                              arena_str(a, rq->headers.v[i].value)};
    return c;
}

static void scripted_end(struct scripted *s, struct transfer *x)
{
    timer_cancel(x->clock, &x->timer);
    if (x->next != NULL)
        x->next->prev = x->prev;
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        s->in_flight = x->next;
    s->n_in_flight--;
    mem_free(x);
}

/* Pieces so small that every line is torn. False: the rest is given later. */
static bool give_pieces(struct transfer *x)
{
    enum { PIECE = 5 };
    const struct scripted_answer *a = &x->answer;
    const struct http_answer head = {.status = a->status != 0 ? a->status : 200,
                                     .headers = a->headers};

    while (x->piece != NULL && a->failure == TRANSPORT_OK && x->given < a->body.n) {
        str piece = str_sub(a->body, x->given, x->given + PIECE);

        if (!x->piece(x->arg, &head, piece))
            return false;
        x->given += piece.n;
    }
    return true;
}

static void resume_scripted(void *self, struct transfer *x)
{
    (void)self;
    if (x->given != 0 && !timer_is_armed(&x->timer))
        timer_arm(x->clock, &x->timer, x->clock->now.mono);
}

static void net_scripted_answer(struct timer *t, struct now ignored)
{
    struct transfer *x = container_of(t, struct transfer, timer);
    struct now now = clock_touch(x->script->clock); /* as the first of a turn */
    struct scripted_answer a = x->answer;
    struct transport_answer out = {.failure = a.failure,
                                   .took = now.mono - x->since,
                                   .sent = a.failure == TRANSPORT_OK ||
                                           a.failure == TRANSPORT_TIMEOUT || a.sent};
    transport_cb *cb = x->cb;
    void *arg = x->arg;
    bool is_given = x->piece != NULL;

    (void)ignored;
    if (!give_pieces(x))
        return;
    scripted_end(x->script, x);
    if (a.failure == TRANSPORT_OK)
        out.http = (struct http_answer){a.status != 0 ? a.status : 200, a.headers,
                                        is_given ? STR_NONE : a.body};
    else
        out.http = (struct http_answer){a.status, a.headers, STR_NONE},
        err_set(&out.err, a.failure == TRANSPORT_TIMEOUT ? ERR_TIMEOUT : ERR_IO, "%.*s",
                STR(a.error.n != 0 ? a.error : str_of(transport_failure_name(a.failure))));
    cb(arg, &out);
}

static struct transfer *send_scripted(void *self, const struct transport_request *rq,
                                      transport_cb *cb, void *arg)
{
    struct scripted *s = self;
    struct scripted_request *r = arena_new(&s->memory, struct scripted_request);
    struct transfer *x = mem_new(struct transfer);
    ts_ns due;

    r->http = scripted_copy(&s->memory, &rq->http);
    r->conf = rq->conf;
    r->at = clock_touch(s->clock);
    r->deadline = rq->deadline;
    vec_push(&s->requests, r);
    x->script = s;
    x->cb = cb;
    x->arg = arg;
    x->piece = rq->piece;
    x->timer.fire = net_scripted_answer;
    x->since = r->at.mono;
    x->next = s->in_flight;
    if (s->in_flight != NULL)
        s->in_flight->prev = x;
    s->in_flight = x;
    s->n_in_flight++;
    if (s->answered < s->queue.n)
        x->answer = s->queue.v[s->answered++];
    else if (s->handler != NULL)
        x->answer = s->handler(s->arg, r);
    due = x->answer.never ? TS_MAX : ts_add(r->at.mono, x->answer.delay);
    x->clock = s->outside;
    if (due > rq->deadline) {
        due = rq->deadline;
        x->clock = s->clock;
        x->answer = (struct scripted_answer){.failure = TRANSPORT_TIMEOUT};
    }
    if (due != TS_MAX)
        timer_arm(x->clock, &x->timer, due);
    return x;
}

static void cancel_scripted(void *self, struct transfer *x)
{
    scripted_end(self, x);
}

static void free_scripted(void *self)
{
    scripted_free(self);
}

static const struct transport_ops ops = {send_scripted, cancel_scripted, resume_scripted,
                                         free_scripted};

struct scripted *scripted_new(struct clock *clock, scripted_handler *handler, void *arg)
{
    struct scripted *s = mem_new(struct scripted);

    s->transport = (struct transport){&ops, s};
    s->clock = s->outside = clock;
    s->handler = handler;
    s->arg = arg;
    arena_init(&s->memory, 0);
    return s;
}

void scripted_free(struct scripted *s)
{
    if (s == NULL)
        return;
    while (s->in_flight != NULL)
        scripted_end(s, s->in_flight);
    vec_release(&s->requests);
    vec_release(&s->queue);
    arena_release(&s->memory);
    mem_free(s);
}

struct transport *scripted_transport(struct scripted *s)
{
    return &s->transport;
}

void scripted_arrive_by(struct scripted *s, struct clock *outside)
{
    s->outside = outside;
}

void scripted_push(struct scripted *s, struct scripted_answer a)
{
    vec_push(&s->queue, a);
}

size_t scripted_count(const struct scripted *s)
{
    return s->requests.n;
}

const struct scripted_request *scripted_at(const struct scripted *s, size_t i)
{
    return i < s->requests.n ? s->requests.v[i] : NULL;
}

size_t scripted_in_flight(const struct scripted *s)
{
    return s->n_in_flight;
}
