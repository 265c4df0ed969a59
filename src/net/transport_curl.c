/* The transport on libcurl: HTTP on multi handles (curl_pool.h), mail on threads (curl_mail.h). After each turn of a pool
 * transport_curl_finish() collects what is done and calls back; no handle is added or removed inside one of curl's own callbacks.
 *
 * A request goes   send -> [WAITING for a token] -> QUEUED at its destination -> RUNNING -> answered.
 * Each destination has a queue; a heap holds the destinations that have both a waiting request and room, by the age of
 * their oldest, so that the order of arrival decides who gets a free place. What waits is data, not a handle.
 */
#include <curl/curl.h>
#include "base/mem.h"
#include "net/curl_smtp.h"
#include "net/curl_transport.h"
#include "net/curl_verdict.h"

/* -- lists -- */

void transfer_list_add(struct transfer_list *l, struct transfer *x)
{
    BUG_ON(x->in != NULL);
    x->in = l;
    x->next = NULL;
    x->prev = l->tail;
    if (l->tail != NULL)
        l->tail->next = x;
    else
        l->head = x;
    l->tail = x;
}

static void transport_curl_list_remove(struct transfer *x)
{
    struct transfer_list *l = x->in;

    if (l == NULL)
        return;
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        l->head = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    else
        l->tail = x->prev;
    x->in = NULL;
}

/* -- destinations -- */

static struct destination *destination_get(struct curl_transport *t, struct transfer *x)
{
    struct str_map *map = &t->destinations[x->class];
    void **hit = str_map_get(map, x->rq.destination);
    struct destination *d;

    if (hit != NULL) {
        d = *hit;
    } else {
        d = mem_new(struct destination);
        d->class = x->class;
        d->name = mem_str_dup(x->rq.destination);
        str_map_put(map, d->name, d);
    }
    d->users++;
    return d;
}

static void destination_drop(struct curl_transport *t, struct destination *d)
{
    if (--d->users != 0)
        return;
    heap_remove(&t->ready[d->class], &d->node);
    str_map_del(&t->destinations[d->class], d->name);
    mem_str_free(d->name);
    mem_free(d);
}

static void destination_settle(struct curl_transport *t, struct destination *d)
{
    if (d->waiting.head != NULL && d->running < PER_DESTINATION)
        heap_push(&t->ready[d->class], &d->node, d->waiting.head->order);
    else
        heap_remove(&t->ready[d->class], &d->node);
}

/* -- the end of a request -- */

static void stop_running(struct transfer *x)
{
    struct curl_transport *t = x->transport;

    if (x->state != RUNNING)
        return;
    if (x->pool != NULL) {
        curl_multi_remove_handle(x->pool->multi, x->kept->handle.easy);
        curl_pool_leave(x->pool);
        x->pool = NULL;
    }
    if (x->mail != NULL)
        mail_cancel(x->mail);
    x->mail = NULL;
    if (x->class != WORK_PAGE) {
        t->shares.running[x->class]--;
        x->destination->running--;
    }
    x->state = FAILED;
}

/* Takes x out of everything; its memory stays. */
static void detach(struct transfer *x)
{
    struct curl_transport *t = x->transport;

    stop_running(x);
    if (x->kept != NULL)
        curl_kept_give(&t->keeper, x->kept, &x->rq, x->is_answered);
    x->kept = NULL;
    transport_curl_list_remove(x);
    timer_cancel(t->clock, &x->timer);
    if (x->destination != NULL) {
        destination_settle(t, x->destination);
        destination_drop(t, x->destination);
    }
    x->destination = NULL;
}

static void transfer_free(struct transfer *x)
{
    struct arena memory;

    if (x->all_next != NULL)
        x->all_next->all_prev = x->all_prev;
    if (x->all_prev != NULL)
        x->all_prev->all_next = x->all_next;
    else
        x->transport->all = x->all_next;
    buf_release(&x->body);
    memory = x->memory;
    arena_release(&memory);
}

static void start_ready(struct curl_transport *t);

void transfer_drop(struct transfer *x)
{
    struct token *k = x->token;

    detach(x);
    transfer_free(x);
    if (k != NULL)
        token_left(k);
}

static void cancel(void *self, struct transfer *x)
{
    transfer_drop(x);
    start_ready(self);
}

/* Of a mail that is still under way nobody knows. */
static bool has_sent(const struct transfer *x)
{
    long bytes = 0;

    if (x->state != RUNNING)
        return false;
    if (x->smtp != NULL)
        return x->has_sent || x->mail != NULL;
    curl_easy_getinfo(x->kept->handle.easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes != 0;
}

/* The status of an answer whose head came whole, whatever became of the rest. Not a redirect's: it was not the answer. */
static int transport_curl_status_of(const struct transfer *x)
{
    long status = 0;

    if (x->pool != NULL && x->head_ended)
        curl_easy_getinfo(x->kept->handle.easy, CURLINFO_RESPONSE_CODE, &status);
    return x->failure != TRANSPORT_OK && status / 100 == 3 ? 0 : (int)status;
}

static void transport_curl_deliver(struct transfer *x)
{
    struct curl_transport *t = x->transport;
    struct transport_answer a = {.failure = x->failure,
                                 .took = clock_touch(t->clock).mono - x->since};

    a.http.status = x->smtp != NULL ? x->status : transport_curl_status_of(x);
    if (a.http.status != 0)
        a.http.headers = x->headers;
    if (x->failure == TRANSPORT_OK)
        a.http.body = buf_str(&x->body), a.body = &x->body;
    else
        a.err = x->err;
    if (a.http.status == 401 && x->rq.token.n != 0)
        token_refused(t, x->rq.token);
    a.sent = x->failure == TRANSPORT_OK || has_sent(x);
    detach(x);
    x->cb(x->arg, &a);
    transfer_free(x);
}

void transfer_fail_later(struct transfer *x, enum transport_failure failure)
{
    struct curl_transport *t = x->transport;

    x->failure = failure;
    x->state = FAILED;
    transport_curl_list_remove(x);
    transfer_list_add(&t->failed, x);
    timer_arm(t->clock, &x->timer, t->clock->now.mono);
}

static void on_deadline(struct timer *timer, struct now now)
{
    struct transfer *x = container_of(timer, struct transfer, timer);
    struct curl_transport *t = x->transport;
    struct token *k = x->token;

    (void)now;
    if (x->state != FAILED) {
        static const char *const where[] = {[QUEUED] = "waiting for a free connection",
                                            [WAITING] = "waiting for an oauth2 token",
                                            [RUNNING] = "connecting",
                                            [FAILED] = ""};

        x->failure = TRANSPORT_TIMEOUT;
        if (has_sent(x))
            err_set(&x->err, ERR_TIMEOUT, "no answer from '%.*s': time is up",
                    STR(x->kept != NULL
                            ? curl_last_asked(&x->kept->handle, x->rq.destination, &x->memory)
                            : x->rq.destination));
        else
            err_set(&x->err, ERR_TIMEOUT, "%s '%.*s': time is up while %s",
                    x->state == RUNNING ? "cannot reach" : "not sent to", STR(x->rq.destination),
                    where[x->state]);
    }
    transport_curl_list_remove(x);
    if (k != NULL)
        token_left(k);
    transport_curl_deliver(x);
    start_ready(t);
}

/* -- what curl brings -- */

static size_t give_piece(struct transfer *x, str bytes)
{
    struct http_answer head = {.headers = x->headers};
    long status = 0;

    if (x->given + bytes.n > x->max_answer)
        return 0;
    curl_easy_getinfo(x->kept->handle.easy, CURLINFO_RESPONSE_CODE, &status);
    head.status = (int)status;
    x->is_paused = !x->piece(x->arg, &head, bytes);
    if (x->is_paused)
        return CURL_WRITEFUNC_PAUSE;
    x->given += bytes.n;
    return bytes.n;
}

/* The piece comes at once, from within. */
static void resume(void *self, struct transfer *x)
{
    (void)self;
    if (x->is_paused)
        curl_easy_pause(x->kept->handle.easy, CURLPAUSE_CONT);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *x = ((struct curl_kept *)arg)->user;

    n *= size;
    if (x->piece != NULL)
        return give_piece(x, (str){p, n});
    if (x->body.n + n > x->max_answer)
        return 0; /* CURLE_WRITE_ERROR */
    buf_add(&x->body, (str){p, n});
    return n;
}

/* Whether the head says by itself that the body will be refused. curl would tell before the head has ended, and so before
 * the status counts. */
static bool announces_too_much(const struct transfer *x)
{
    long status = 0;
    uint64_t n;

    curl_easy_getinfo(x->kept->handle.easy, CURLINFO_RESPONSE_CODE, &status);
    return status / 100 != 3 && !str_is(x->rq.http.method, "HEAD") &&
           str_to_u64(http_header_get(&x->headers, S("Content-Length")), &n) && n > x->max_answer;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *x = ((struct curl_kept *)arg)->user;
    str value = {p, curl_hear(p, size, n, &x->kept->handle)}, name;

    x->head_bytes += value.n;
    if (x->head_bytes > ANSWER_HEAD_MAX)
        return 0;
    if (str_starts_with(value, S("HTTP/"))) {
        x->headers.n = 0; /* the answer behind a redirect or an interim answer */
        x->head_bytes = value.n;
        x->head_ended = false;
        return value.n;
    }
    if (str_trim(value).n == 0) {
        x->head_ended = true;
        return announces_too_much(x) ? 0 : value.n;
    }
    if (str_find(value, ':') < 0)
        return size * n;
    if (x->headers.n == x->headers_cap) {
        x->headers_cap = x->headers_cap != 0 ? x->headers_cap * 2 : 16;
        x->headers.v = arena_copy(&x->memory, x->headers.v, x->headers.n, x->headers_cap,
                                  sizeof(x->headers.v[0]));
    }
    name = str_cut(&value, ':');
    x->headers.v[x->headers.n++] = (struct http_header){arena_str(&x->memory, str_trim(name)),
                                                        arena_str(&x->memory, str_trim(value))};
    return size * n;
}

/* -- starting -- */

/* Once for all transfers that it will have. */
static void listen_to(struct curl_kept *k)
{
    CURL *easy = k->handle.easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, k);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, k);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, k);
}

static bool start_http(struct transfer *x)
{
    struct curl_transport *t = x->transport;
    struct curl_handle *h = &x->kept->handle;

    if (x->kept->destination.n != 0) {
        curl_setup_again(h, x->rq.http.body);
    } else {
        if (!curl_setup(h, &x->rq, &x->memory, &x->err))
            return false;
        listen_to(x->kept);
    }
    x->kept->user = x;
    x->pool = curl_pool_enter(&t->pools, x->class, &h->made_with);
    BUG_ON(curl_multi_add_handle(x->pool->multi, h->easy) != CURLM_OK);
    return true;
}

static void on_mail(void *arg, const struct mail_answer *a)
{
    struct transfer *x = arg;
    struct curl_transport *t = x->transport;

    x->mail = NULL;
    x->failure = a->failure;
    x->status = a->status;
    x->has_sent = a->has_sent;
    x->headers = a->refused;
    x->err = a->err;
    transport_curl_deliver(x);
    start_ready(t);
}

static bool start_mail(struct transfer *x)
{
    struct curl_transport *t = x->transport;
    if (t->mails == NULL)
        t->mails = mails_new(t->pools.base);
    x->mail = mail_send(t->mails, x->smtp, x->deadline - t->clock->now.mono, on_mail, x, &x->err);
    return x->mail != NULL;
}

static void transport_curl_start(struct transfer *x)
{
    struct curl_transport *t = x->transport;

    transport_curl_list_remove(x);
    if (!(x->smtp != NULL ? start_mail(x) : start_http(x))) {
        transfer_fail_later(x, TRANSPORT_CONFIG);
        return;
    }
    x->state = RUNNING;
    if (x->class != WORK_PAGE) {
        x->destination->running++;
        t->shares.running[x->class]++;
    }
    transfer_list_add(&t->running, x);
}

static void start_ready(struct curl_transport *t)
{
    struct heap_node *node;

    for (unsigned c = 0; c < WORK_CLASSES; c++)
        while (shares_may_start(&t->shares, c) && (node = heap_min(&t->ready[c])) != NULL) {
            struct destination *d = container_of(node, struct destination, node);

            transport_curl_start(d->waiting.head);
            destination_settle(t, d);
        }
}

void transfer_enqueue(struct transfer *x)
{
    struct curl_transport *t = x->transport;

    x->state = QUEUED;
    if (x->class == WORK_PAGE) {
        transport_curl_start(x);
        return;
    }
    transport_curl_list_remove(x);
    transfer_list_add(&x->destination->waiting, x);
    destination_settle(t, x->destination);
    start_ready(t);
}

/* -- what curl has done -- */

static void transport_curl_finish(struct curl_pools *ps, struct curl_pool *p)
{
    struct curl_transport *t = container_of(ps, struct curl_transport, pools);
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(p->multi, &left)) != NULL) {
        struct curl_kept *k = NULL;
        struct transfer *x;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&k);
        x = k->user;
        if (code == CURLE_OK && !x->head_ended)
            code = CURLE_PARTIAL_FILE; /* curl takes a head that was cut off for a whole one */
        x->is_answered = code == CURLE_OK;
        x->failure = curl_failure(&x->kept->handle, code);
        if (code != CURLE_OK)
            curl_failure_text(&x->kept->handle, x->rq.destination, code, &x->memory, &x->err);
        transport_curl_deliver(x);
    }
    start_ready(t);
}

/* -- the transport -- */

static void copy_request(struct transfer *x, const struct http_request *rq, bool keeps_body)
{
    struct arena *a = &x->memory;
    struct http_request *c = &x->rq.http;

    c->method = rq->method.n != 0 ? arena_str(a, rq->method)
                : rq->body.n != 0 ? S("POST")
                                  : S("GET");
    c->url = arena_str(a, rq->url);
    c->body = keeps_body ? rq->body : arena_str(a, rq->body);
    c->ca_file = arena_str(a, rq->ca_file);
    c->headers.n = rq->headers.n;
    c->headers.v = arena_array(a, rq->headers.n, sizeof(c->headers.v[0]));
    for (size_t i = 0; i < rq->headers.n; i++)
        c->headers.v[i] = (struct http_header){arena_str(a, rq->headers.v[i].name),
                                               arena_str(a, rq->headers.v[i].value)};
}

static bool transport_curl_aim(struct transfer *x)
{
    x->kept = curl_kept_take(&x->transport->keeper, &x->rq);
    if (x->kept->destination.n == 0)
        return curl_aim(&x->kept->handle, x->rq.http.url, &x->memory, &x->rq.destination, &x->err);
    x->rq.destination = arena_str(&x->memory, x->kept->destination);
    return true;
}

struct transfer *curl_send(void *self, const struct transport_request *rq, transport_cb *cb,
                           void *arg)
{
    struct curl_transport *t = self;
    struct arena memory;
    struct transfer *x;

    arena_init(&memory, 0);
    x = arena_new(&memory, struct transfer);
    x->memory = memory;
    x->transport = t;
    x->cb = cb;
    x->arg = arg;
    x->piece = rq->piece;
    x->class = rq->class;
    x->all_next = t->all;
    if (t->all != NULL)
        t->all->all_prev = x;
    t->all = x;
    x->order = t->sent++;
    x->since = clock_touch(t->clock).mono;
    x->deadline = rq->deadline;
    x->max_answer = rq->max_answer != 0 ? rq->max_answer : ANSWER_DEFAULT;
    x->timer.fire = on_deadline;
    copy_request(x, &rq->http, rq->keeps_body);
    x->rq.conf = rq->conf;
    x->rq.user_agent = S("tocsin/" TOCSIN_VERSION);
    x->rq.only_asks = rq->class == WORK_SOURCE;
    x->rq.is_short = rq->class == WORK_PAGE && rq->piece == NULL;
    if (rq->smtp != NULL) {
        x->smtp = smtp_request_copy(rq->smtp, &x->memory);
        x->rq.destination = arena_printf(&x->memory, "smtp://%.*s", STR(rq->smtp->smarthost));
    } else if (!transport_curl_aim(x)) {
        err_wrap(&x->err, "cannot send");
        transfer_fail_later(x, TRANSPORT_URL);
        return x;
    }
    if (rq->deadline != TS_MAX)
        timer_arm(t->clock, &x->timer, rq->deadline);
    x->destination = destination_get(t, x);
    if (rq->smtp == NULL && rq->conf != NULL && rq->conf->oauth2 != NULL &&
        http_header_get(&x->rq.http.headers, S("Authorization")).n == 0)
        token_ask(x);
    else
        transfer_enqueue(x);
    return x;
}

static void free_transport(void *self)
{
    struct curl_transport *t = self;

    for (struct token *k = t->tokens; k != NULL; k = k->next)
        k->fetch = NULL; /* one of all */
    while (t->all != NULL)
        transfer_drop(t->all);
    tokens_free(t);
    curl_keeper_release(&t->keeper);
    curl_pools_release(&t->pools);
    mails_free(t->mails);
    for (unsigned c = 0; c < WORK_CLASSES; c++) {
        str_map_release(&t->destinations[c]);
        heap_release(&t->ready[c]);
    }
    mem_free(t);
    curl_global_cleanup();
}

static const struct transport_ops ops = {curl_send, cancel, resume, free_transport};

struct transport *transport_new_curl(struct event_base *base, struct clock *clock, unsigned running)
{
    static const unsigned of_256[WORK_CLASSES] = {
        [WORK_SOURCE] = 64, [WORK_RULE] = 8, [WORK_SCRAPE] = 160,
        [WORK_QUERY] = 8,   [WORK_SLOW] = 8, [WORK_NAME] = 16};
    struct curl_transport *t = mem_new(struct curl_transport);

    BUG_ON(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK); /* counted by curl */
    t->transport = (struct transport){&ops, t};
    t->clock = clock;
    t->pools = (struct curl_pools){
        .base = base, .clock = clock, .turned = transport_curl_finish, .connections_max = running};
    t->shares.whole = running;
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        t->shares.share[c] = (of_256[c] * running + 255) / 256;
    return &t->transport;
}
