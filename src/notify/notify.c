/* A step is pure, so it may be tried: most of them render nothing and end on the loop, in microseconds. One that asks for
 * a template or a file, or has a large notification before it, is run on a worker instead, where it may take its time.
 *
 * An attempt is at any time in one place: it waits for the loop's next batch (ready), a worker has it (batch), the network
 * has it (transfer), or its result is due (later). A worker sees nothing but the attempt, its configuration and its row. */
#include "notify/notify.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include "os/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "net/peer_clock.h"
#include "net/secret.h"
#include "notify/compose.h"
#include "notify/messages.h"
#include "notify/recall.h"
#include "tocsin/receiver.h"

enum { SPARES = 16, SPARE_SIZE = 16 << 10 };
enum { ATTEMPT_ARENA = 16 << 20, BATCH_MAX = 16, STEP_S = 10, HERE_MAX = 16 << 10 };

struct attempt;

/* Attempts by one integration, on their way through a worker. */
struct notify_batch {
    struct job job;
    atomic_bool stop; /* nobody waits for it any more */
    struct attempt *v[BATCH_MAX];
    size_t n;
};

/* What attempts by one integration have in common, while there are any. */
struct way {
    const struct integration_conf *ic;
    struct notify_batch *batch; /* that is being filled */
    bool needs_worker;          /* its steps render: none is tried on the loop any more */
    size_t users;
};

struct attempt {
    struct notify *owner;
    struct way *way;              /* NULL: its integration is gone */
    const struct outbox_row *row; /* the first */
    const struct outbox_row **rows;
    size_t n_rows, n_told;     /* the first n_told are in n */
    struct notification *each; /* of each row; NULL: not unpacked */
    unsigned n_parts;          /* of the one row; 0: it goes whole */
    const struct integration_conf *ic;
    void *hold;
    struct arena arena; /* this attempt stands in it */
    struct notification n;
    const struct delivery_pair *kept; /* of the first row */
    size_t n_kept;
    bool kept_of_digest;
    bool is_tried; /* the step runs on the loop */
    bool needs_worker;
    const struct messages *messages;
    struct notify_batch *batch;
    ts_ns step_by; /* mono: when the step that runs must be done */
    struct transfer *transfer;
    int status;
    unsigned requests;
    bool may_have_arrived;
    bool has_date; /* an answer told the time of whoever gave it */
    dur_ns skew;
    ts_ns since;
    struct timer later; /* gives the result from the loop, never from inside notify_send() */
    enum delivery_verdict verdict;
    struct attempt *next, *prev;
    struct delivery d; /* last: whoever makes an attempt fills it whole */
};

struct notify {
    struct transport *transport;
    struct clock *clock;
    struct pool *pool;
    struct notify_shell shell;
    str external_url;
    struct u64_map ways; /* address of an integration -> struct way * */
    size_t under_way;
    struct attempt *attempts;
    VEC(struct attempt *) ready; /* for the next batches */
    struct timer render;
    struct recall *recall;
    struct arena spare[SPARES]; /* of attempts that are over: empty, with a piece of memory each */
    size_t n_spare;
};

static void render_ready(struct timer *t, struct now now);

struct notify *notify_new(struct transport *t, struct clock *clock, struct pool *pool,
                          const struct notify_shell *shell)
{
    struct notify *n = mem_new(struct notify);

    n->transport = t;
    n->clock = clock;
    n->pool = pool;
    n->render.fire = render_ready;
    n->recall = recall_new();
    n->shell = *shell;
    n->external_url = mem_str_dup(shell->external_url);
    return n;
}

void notify_set_external_url(struct notify *n, str url)
{
    mem_str_free(n->external_url);
    n->external_url = mem_str_dup(url);
}

/* The configuration that it is of is held by the attempt. */
static struct way *way_enter(struct notify *n, const struct integration_conf *ic)
{
    bool is_new;
    void **slot = u64_map_add(&n->ways, (uintptr_t)ic, NULL, &is_new);
    struct way *w = is_new ? mem_new(struct way) : *slot;

    *slot = w;
    w->ic = ic;
    w->users++;
    return w;
}

static void way_leave(struct notify *n, struct way *w)
{
    if (w == NULL || --w->users != 0)
        return;
    u64_map_del(&n->ways, (uintptr_t)w->ic);
    mem_free(w);
}

static struct arena arena_of_attempt(struct notify *n)
{
    struct arena a;

    if (n->n_spare != 0)
        return n->spare[--n->n_spare];
    arena_init(&a, ATTEMPT_ARENA);
    return a;
}

static void give_back_arena(struct notify *n, struct arena *a)
{
    arena_reset(a);
    if (n->n_spare < SPARES && a->end - a->at <= SPARE_SIZE)
        n->spare[n->n_spare++] = *a;
    else
        arena_release(a);
}

static void attempt_free(struct attempt *a)
{
    struct notify *n = a->owner;
    struct arena arena;

    timer_cancel(n->clock, &a->later);
    if (a->prev != NULL)
        a->prev->next = a->next;
    else
        n->attempts = a->next;
    if (a->next != NULL)
        a->next->prev = a->prev;
    way_leave(n, a->way);
    if (a->hold != NULL)
        n->shell.put_back(n->shell.arg, a->hold);
    arena = a->arena; /* it stands in it itself */
    give_back_arena(n, &arena);
}

static void drop_batch(struct notify *n, struct notify_batch *b)
{
    atomic_store(&b->stop, true);
    pool_take_back(n->pool, &b->job);
    for (size_t i = 0; i < b->n; i++)
        b->v[i]->batch = NULL;
    mem_free(b);
}

void notify_free(struct notify *n)
{
    if (n == NULL)
        return;
    timer_cancel(n->clock, &n->render);
    vec_release(&n->ready);
    while (n->attempts != NULL) {
        struct attempt *a = n->attempts;

        if (a->transfer != NULL)
            transport_cancel(n->transport, a->transfer);
        if (a->batch != NULL)
            drop_batch(n, a->batch);
        attempt_free(a);
    }
    while (n->n_spare != 0)
        arena_release(&n->spare[--n->n_spare]);
    u64_map_release(&n->ways);
    recall_free(n->recall);
    mem_str_free(n->external_url);
    mem_free(n);
}

size_t notify_under_way(const struct notify *n)
{
    return n->under_way;
}

/* The attempt is over. */
static void notify_finish(struct attempt *a)
{
    struct notify *n = a->owner;
    struct delivery *d = &a->d;
    struct notify_result r = {.rows = a->rows,
                              .n_rows = a->n_rows,
                              .n_told = a->n_told,
                              .verdict = a->verdict,
                              .failure = d->failure,
                              .retry_after = d->retry_after,
                              .took = n->clock->now.mono - a->since,
                              .status = a->status,
                              .requests = a->requests,
                              .may_have_arrived = a->may_have_arrived,
                              .in_part = a->verdict == DELIVERY_OK && d->err.msg[0] != '\0',
                              .under_way = a->verdict == DELIVERY_RETRY_AFTER && d->under_way,
                              .has_date = a->has_date,
                              .skew = a->skew,
                              .error = str_of(d->err.msg),
                              .kept = d->kept,
                              .n_kept = d->n_kept,
                              .had = d->had};

    if (a->verdict == DELIVERY_OK && a->n_parts > 1) {
        r.had = part_told(&a->arena, d->had, a->n.part, a->n_parts);
        r.is_part = part_next(r.had, a->n_parts) != 0;
    }
    if (r.in_part)
        log_warn("notification delivered in part", LOG_STR("receiver", a->row->receiver),
                 LOG_STR("integration", a->row->integration), LOG_ERR(&d->err));
    if (r.under_way)
        log_info("notification under way", LOG_STR("receiver", a->row->receiver),
                 LOG_STR("integration", a->row->integration), LOG_ERR(&d->err));
    else if (a->verdict != DELIVERY_OK)
        log_warn(a->verdict == DELIVERY_FAILED ? "notification refused"
                                               : "notification attempt failed",
                 LOG_STR("receiver", a->row->receiver), LOG_STR("integration", a->row->integration),
                 LOG_I64("attempt", a->row->attempt + 1), LOG_ERR(&d->err));
    if (a->verdict == DELIVERY_OK && n->shell.shadow)
        r.error = S("shadow: not sent");
    n->under_way--;
    n->shell.result(n->shell.arg, &r);
    attempt_free(a);
}

static void finish_later(struct timer *t, struct now now)
{
    (void)now;
    notify_finish(container_of(t, struct attempt, later));
}

static void end_soon(struct attempt *a, enum delivery_verdict v)
{
    a->verdict = v;
    a->later.fire = finish_later;
    timer_arm(a->owner->clock, &a->later, a->owner->clock->now.mono);
}

static void notify_answered(void *arg, const struct transport_answer *answer);

static void notify_print_text(struct notify *n, str text)
{
    if (n->shell.print != NULL) {
        n->shell.print(n->shell.arg, text);
        return;
    }
    fwrite(text.p, 1, text.n, stdout);
    fflush(stdout);
}

/* The last step, which a shadow does not take: whoever looks says how it ends. */
static void show_instead(struct attempt *a, struct notify_shown x)
{
    const struct notify_shell *s = &a->owner->shell;

    x.rows = a->rows;
    x.n_rows = a->n_told;
    x.integration = a->ic;
    if (s->shown == NULL || s->shown(s->arg, &x)) {
        end_soon(a, DELIVERY_OK);
        return;
    }
    a->d.failure = FAILURE_SERVER;
    (void)err_set(&a->d.err, ERR_IO, "the service is out of order");
    end_soon(a, DELIVERY_RETRY);
}

static void transmit(struct attempt *a, const struct transport_request *rq)
{
    struct notify *n = a->owner;

    if (n->shell.shadow) {
        show_instead(a, (struct notify_shown){.http = rq->smtp == NULL ? &rq->http : NULL,
                                              .mail = rq->smtp});
        return;
    }
    a->requests++;
    a->transfer = transport_send(n->transport, rq, notify_answered, a);
}

/* Carries out what a step said. */
static void obey(struct attempt *a, enum delivery_verdict said)
{
    struct notify *n = a->owner;
    struct delivery *d = &a->d;
    struct transport_request rq = {.conf = a->ic->http, .class = WORK_PAGE};

    d->answer = NULL;
    switch (said) {
    case DELIVERY_SEND_HTTP:
        rq.http = d->request;
        rq.keeps_body = true; /* the attempt's arena lives longer than the transfer */
        rq.deadline = ts_add(n->clock->now.mono, d->timeout > 0 ? d->timeout : NS_PER_M);
        transmit(a, &rq);
        return;
    case DELIVERY_SEND_SMTP:
        rq.smtp = &d->mail;
        rq.deadline = ts_add(n->clock->now.mono, d->timeout > 0 ? d->timeout : NS_PER_M);
        transmit(a, &rq);
        return;
    case DELIVERY_SEND_TEXT:
        if (n->shell.shadow) {
            show_instead(a, (struct notify_shown){.text = d->text});
            return;
        }
        a->requests++;
        notify_print_text(n, d->text);
        end_soon(a, DELIVERY_OK);
        return;
    case DELIVERY_OK: end_soon(a, DELIVERY_OK); return;
    case DELIVERY_RETRY: end_soon(a, DELIVERY_RETRY); return;
    case DELIVERY_RETRY_AFTER: end_soon(a, DELIVERY_RETRY_AFTER); return;
    case DELIVERY_FAILED: end_soon(a, DELIVERY_FAILED); return;
    }
}

/* -- steps on workers -- */

/* What the next step tells: a part of the row, all of it, or the first n_told of them. */
static void fill_notification(struct attempt *a)
{
    struct notification whole = a->each[0];

    if (a->n_told > 1)
        whole = digest_compose(&a->arena, a->each, a->n_told);
    a->n = a->n_parts > 1 ? part_of(&whole, part_next(a->d.had, a->n_parts), a->n_parts) : whole;
    for (size_t i = 0; i < a->n_told; i++)
        a->n.is_late |= a->rows[i]->is_late;
    a->d.kept = a->n_told == 1 ? a->kept : NULL;
    a->d.n_kept = a->n_told == 1 ? a->n_kept : 0;
    a->d.kept_of_digest = a->n_told == 1 && a->kept_of_digest;
}

static bool unpack_rows(struct attempt *a)
{
    struct notification *v;

    if (a->each != NULL)
        return true;
    v = arena_array(&a->arena, a->n_rows, sizeof(*v));
    for (size_t i = 0; i < a->n_rows; i++)
        if (!outbox_tells(a->rows[i], &a->arena, &v[i]))
            return err_set(&a->d.err, ERR_CORRUPT, "the stored notification is damaged");
    a->each = v;
    a->n_parts = part_count(a->row->had);
    if (v[0].is_relayed) /* its templates see what its sender would have them see */
        a->d.external_url = v[0].from_url;
    for (size_t i = 0; i < a->n_rows; i++)
        if (v[i].is_relayed)
            v[i].receiver = v[i].from_receiver;
    fill_notification(a);
    return true;
}

static bool expired(const void *arg)
{
    const struct attempt *a = arg;

    return atomic_load(&a->batch->stop) || clock_mono(a->owner->clock) > a->step_by;
}

static struct messages_context notify_context(const struct attempt *a)
{
    return (struct messages_context){.messages =
                                         a->ic->messages != NULL ? a->ic->messages : a->messages,
                                     .n = a->d.n, /* a receiver may have put another in its place */
                                     .external_url = a->d.external_url,
                                     .now = a->d.now,
                                     .at_mobiles = a->d.at_mobiles,
                                     .expired = expired,
                                     .expired_arg = a};
}

static void expand_route_labels(struct attempt *a)
{
    struct messages_context c = notify_context(a);

    if (a->n.route_templates.n == 0)
        return;
    a->n.route_labels = messages_route_labels(&c, a->n.route_templates, &a->arena);
    a->n.route_templates = LABELS_NONE;
}

/* Nothing has gone yet that a step with less would tell again. */
static bool is_sending(enum delivery_verdict v)
{
    return v == DELIVERY_SEND_HTTP || v == DELIVERY_SEND_SMTP || v == DELIVERY_SEND_TEXT;
}

/* One step over what is to be told now. Returns whether it was cut. */
static bool step_cuts(struct attempt *a, const struct delivery *before)
{
    str had = a->d.had;

    a->d = *before;
    a->d.had = had;
    fill_notification(a);
    expand_route_labels(a);
    a->verdict = a->ic->type->step(&a->d);
    return is_sending(a->verdict) && a->d.too_long.n > a->d.too_long.max;
}

/* Fewer rows, by how much it is too long. */
static size_t fewer_rows(const struct attempt *a)
{
    size_t n = a->n_told * a->d.too_long.max / a->d.too_long.n;

    n = n < a->n_told ? n : a->n_told - 1;
    return n != 0 ? n : 1;
}

/* Into how many parts the row goes, so that none is cut, or each is one alert. */
static void find_parts(struct attempt *a, const struct delivery *before)
{
    size_t most = a->each[0].n_alerts, n = a->d.too_long.n / a->d.too_long.max + 1;
    str had = a->d.had;
    bool fits = false;

    for (n = n < most ? n : most; !fits && !expired(a); n += !fits) {
        a->n_parts = (unsigned)n;
        a->d.had = had;
        fits = n == most;
        for (unsigned i = 1; !fits && i <= n; i++) {
            if (step_cuts(a, before))
                break;
            a->d.had = part_told(&a->arena, a->d.had, i, a->n_parts);
            fits = i == n;
        }
    }
    a->d.had = had;
    (void)step_cuts(a, before);
}

static void notify_run_step(struct attempt *a)
{
    struct delivery before;

    a->step_by = ts_add(clock_mono(a->owner->clock), STEP_S * NS_PER_S);
    if (!unpack_rows(a)) {
        a->verdict = DELIVERY_FAILED;
        return;
    }
    before = a->d;
    while (step_cuts(a, &before) && a->n_told > 1)
        a->n_told = fewer_rows(a);
    if (is_sending(a->verdict) && a->d.too_long.n > a->d.too_long.max && a->n_parts <= 1 &&
        a->each[0].n_alerts > 1 && a->ic->splits)
        find_parts(a, &before);
}

static void run_batch(struct job *j)
{
    struct notify_batch *b = container_of(j, struct notify_batch, job);

    for (size_t i = 0; i < b->n && !atomic_load(&b->stop); i++)
        notify_run_step(b->v[i]);
}

static void batch_done(struct job *j)
{
    struct notify_batch *b = container_of(j, struct notify_batch, job);

    for (size_t i = 0; i < b->n; i++)
        b->v[i]->batch = NULL;
    for (size_t i = 0; i < b->n; i++)
        obey(b->v[i], b->v[i]->verdict);
    mem_free(b);
}

static void notify_submit(struct notify *n, struct way *w)
{
    struct notify_batch *b = w->batch;

    w->batch = NULL;
    if (b != NULL && n->pool != NULL) {
        pool_run(n->pool, WORK_PAGE, &b->job);
    } else if (b != NULL) {
        run_batch(&b->job);
        batch_done(&b->job);
    }
}

static void render_ready(struct timer *t, struct now now)
{
    struct notify *n = container_of(t, struct notify, render);
    struct attempt **v = n->ready.v;
    size_t count = n->ready.n;

    (void)now;
    n->ready.v = NULL;
    n->ready.n = n->ready.cap = 0;
    for (size_t i = 0; i < count; i++) {
        struct way *w = v[i]->way;

        if (w->batch == NULL) {
            w->batch = mem_new(struct notify_batch);
            w->batch->job.run = run_batch;
            w->batch->job.done = batch_done;
        }
        v[i]->batch = w->batch;
        w->batch->v[w->batch->n++] = v[i];
        if (w->batch->n == BATCH_MAX)
            notify_submit(n, w);
    }
    for (size_t i = 0; i < count; i++)
        notify_submit(n, v[i]->way);
    mem_free(v);
}

/* A step that may render goes to a worker with what else gets ready in this turn. */
static void step_soon(struct attempt *a)
{
    struct notify *n = a->owner;

    vec_push(&n->ready, a);
    if (!timer_is_armed(&n->render))
        timer_arm(n->clock, &n->render, n->clock->now.mono);
}

/* The transport's answer, for as long as the attempt lives. */
static const struct http_answer *keep_answer(struct attempt *a, const struct http_answer *from)
{
    struct http_answer *to = arena_new(&a->arena, struct http_answer);
    struct http_header *v = arena_array(&a->arena, from->headers.n, sizeof(*v));

    for (size_t i = 0; i < from->headers.n; i++)
        v[i] = (struct http_header){arena_str(&a->arena, from->headers.v[i].name),
                                    arena_str(&a->arena, from->headers.v[i].value)};
    *to =
        (struct http_answer){from->status, {v, from->headers.n}, arena_str(&a->arena, from->body)};
    return to;
}

/* A proxy's word: what is behind it may have taken the message. */
static bool is_from_between(int status)
{
    return status == 502 || status == 504;
}

/* Runs the step on the loop. False: it turned out to be one for a worker, nothing has happened. */
static bool try_step(struct attempt *a, enum delivery_verdict *said)
{
    struct delivery before = a->d;

    if (a->way->needs_worker)
        return false;
    a->is_tried = true;
    *said = a->ic->type->step(&a->d);
    a->is_tried = false;
    if (!a->needs_worker && a->d.too_long.n <= a->d.too_long.max)
        return true;
    a->way->needs_worker |= a->needs_worker;
    a->needs_worker = false;
    a->d = before;
    return false;
}

static void notify_answered(void *arg, const struct transport_answer *answer)
{
    struct attempt *a = arg;
    struct delivery *d = &a->d;
    enum delivery_verdict said;

    a->transfer = NULL;
    a->status = answer->http.status;
    a->has_date |= peer_clock_skew(answer, a->owner->clock->now.wall, &a->skew);
    a->may_have_arrived |=
        answer->failure != TRANSPORT_OK ? answer->sent : is_from_between(a->status);
    d->answer = &answer->http;
    d->lost = answer->failure != TRANSPORT_OK;
    d->failure = answer->failure == TRANSPORT_TIMEOUT ? FAILURE_DEADLINE : FAILURE_OTHER;
    if (d->lost)
        d->err = answer->err;
    if (answer->failure == TRANSPORT_URL) {
        d->failure = FAILURE_CLIENT;
        end_soon(a, DELIVERY_FAILED);
        return;
    }
    if (try_step(a, &said)) {
        obey(a, said);
        return;
    }
    d->answer = keep_answer(a, &answer->http);
    step_soon(a);
}

static bool delivery_secret(struct delivery *d, struct secret s, str *out)
{
    struct attempt *a = d->owner;

    if (s.file.n != 0 && a->owner->shell.shown != NULL) {
        *out = S("1"); /* an id as well as a token, should somebody look */
        return true;
    }
    if (a->is_tried && s.file.n != 0) {
        a->needs_worker = true;
        return false;
    }
    return secret_read(s, d->arena, out, &d->err);
}

static bool delivery_render(struct delivery *d, str text, bool html, str *out)
{
    struct attempt *a = d->owner;
    struct messages_context c = notify_context(a);

    if (a->is_tried && str_find_str(text, S("{{")) >= 0) {
        a->needs_worker = true;
        return false;
    }
    return messages_render(&c, text, html, d->arena, out, &d->err);
}

static bool delivery_recall(struct delivery *d, str name, str *out)
{
    struct attempt *a = d->owner;

    return recall_get(a->owner->recall, name, d->now, d->arena, out);
}

static void delivery_remember(struct delivery *d, str name, str value, dur_ns valid)
{
    struct attempt *a = d->owner;

    recall_put(a->owner->recall, name, value, ts_add(d->now, valid));
}

static str delivery_env(struct delivery *d, const char *name)
{
    (void)d;
    return str_of(getenv(name));
}

/* Gives back what was kept. It is copied: another delivery may replace the entry while this one is under way. */
static void restore_kept(struct attempt *a)
{
    const struct notify_shell *shell = &a->owner->shell;
    const struct delivery_pair *from;
    struct delivery_pair *to;
    size_t n = 0;

    if (shell->kept == NULL)
        return;
    from = shell->kept(shell->arg, a->row->key, &n);
    to = arena_array(&a->arena, n, sizeof(*to));
    for (size_t i = 0; i < n; i++)
        if (str_is(from[i].key, KEPT_OF_DIGEST))
            a->kept_of_digest = true;
        else
            to[a->n_kept++] = (struct delivery_pair){arena_str(&a->arena, from[i].key),
                                                     arena_str(&a->arena, from[i].value)};
    a->kept = to;
}

static void notify_begin(struct attempt *a)
{
    bool is_large = a->n_rows > 1 || a->row->bytes > HERE_MAX;
    enum delivery_verdict said;

    if (!is_large && !unpack_rows(a))
        end_soon(a, DELIVERY_FAILED);
    else if (!is_large && a->n.route_templates.n == 0 && try_step(a, &said))
        obey(a, said);
    else
        step_soon(a);
}

/* The urgent first: who finds no room is one of the others. */
static const struct outbox_row **urgent_first(struct arena *a, const struct outbox_row *const *rows,
                                              size_t n)
{
    const struct outbox_row **v = arena_array(a, n, sizeof(*v));
    size_t k = 0;

    for (int urgent = 1; urgent >= 0; urgent--)
        for (size_t i = 0; i < n; i++)
            if ((rows[i]->urgency == 0) == (urgent != 0))
                v[k++] = rows[i];
    return v;
}

void notify_send(struct notify *n, const struct outbox_row *const *rows, size_t n_rows)
{
    struct arena arena = arena_of_attempt(n);
    struct attempt *a;
    const struct outbox_row *row;

    a = arena_alloc(&arena, sizeof(*a));
    memset(a, 0, offsetof(struct attempt, d));
    a->arena = arena;
    a->owner = n;
    a->n_rows = a->n_told = n_rows;
    a->since = n->clock->now.mono;
    a->next = n->attempts;
    if (a->next != NULL)
        a->next->prev = a;
    n->attempts = a;
    a->rows = urgent_first(&a->arena, rows, n_rows);
    a->row = row = a->rows[0];
    n->under_way++;

    a->d = (struct delivery){.n = &a->n,
                             .external_url = arena_str(&a->arena, n->external_url),
                             .colour = n->shell.colour,
                             .now = n->clock->now.wall,
                             .attempt = row->attempt,
                             .had = arena_str(&a->arena, row->had),
                             .owner = a,
                             .arena = &a->arena,
                             .secret = delivery_secret,
                             .recall = delivery_recall,
                             .remember = delivery_remember,
                             .env = delivery_env,
                             .render = delivery_render};
    a->ic = n->shell.find(n->shell.arg, row->receiver, row->integration, row->index, &a->hold);
    if (a->ic == NULL) {
        err_set(&a->d.err, ERR_UNSUPPORTED, "the receiver is no longer configured");
        end_soon(a, DELIVERY_FAILED);
        return;
    }
    a->way = way_enter(n, a->ic);
    a->messages = n->shell.messages(n->shell.arg, a->hold);
    a->d.conf = a->ic->conf;
    a->d.n_receipts = outbox_receipts(row, &a->arena, &a->d.receipts);
    restore_kept(a);
    notify_begin(a);
}
