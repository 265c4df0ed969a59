/* Pages that wait are a list; each knows which run of each worker it waits for. What a worker has done wakes the loop by an
 * eventfd. */
#include "collect/collector.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include "codec/float.h"
#include "collect/pseudo_file.h"
#include "collect/worker.h"
#include "net/web.h"
#include "net/web_auth.h"
#include "os/log.h"
#include "os/loop.h"

enum { CONNECTIONS_MAX = 64, PAGES_MAX = 32 };
#define SCRAPE_MARGIN (500 * NS_PER_MS) /* of the scraper's timeout, for the way */
#define WAIT_MARGIN   (300 * NS_PER_MS) /* a part's deadline is so long before the page's */
#define STOP_PATIENCE (2 * NS_PER_S)
#define REASONS_N     7

static const char *const reasons[REASONS_N] = {"timeout", "absent", "too_large", "malformed",
                                               "stuck",   "failed", "late"};

/* A worker, and what was told of it. */
struct slot {
    struct worker *w;
    uint64_t failures[REASONS_N];
    uint64_t late_run;  /* the last one that a page did not wait for */
    enum err_code said; /* what the log has of it; ERR_NONE: it is well */
    bool said_failing;  /* the same of a probe's result */
};

struct page {
    struct page *next;
    struct exporter *c;
    struct http_req *rq;
    struct timer timer;
    uint64_t *runs; /* of each worker, by which it has what it wants; 0: it does not wait */
};

struct exporter {
    const struct collect_conf *conf;
    struct loop *loop;
    struct clock *clock;
    struct http_server *server;
    struct web *web;
    struct refusals refusals;
    struct slot *slots;
    size_t n;
    struct page *pages;
    size_t n_pages;
    uint64_t scrapes;
    dur_ns scrape_timeout;
    int stop_fd, done_fd;
    struct event *done;
};

/* -- what is told of a part -- */

/* The log has each change once: what a program or a server says differs from one time to the next. */
static void say_part(struct slot *s, enum err_code code, const char *why)
{
    str name = worker_part(s->w)->name;

    if (s->said == code)
        return;
    s->said = code;
    if (code == ERR_NONE)
        log_info("part is collected again", LOG_STR("part", name));
    else
        log_warn_each("part cannot be collected", LOG_STR("part", name),
                      LOG_Z("reason", part_reason(code)), LOG_Z("err", why));
}

static void say_note(struct slot *s, str text)
{
    str name = worker_part(s->w)->name;
    bool fails = text.n != 0;

    if (s->said_failing == fails)
        return;
    s->said_failing = fails;
    if (fails)
        log_warn_each("probe fails", LOG_STR("part", name), LOG_STR("err", text));
    else
        log_info("probe succeeds again", LOG_STR("part", name));
}

static void count_failure(struct slot *s, const char *reason)
{
    for (size_t i = 0; i < REASONS_N; i++)
        if (str_eq(str_of(reasons[i]), str_of(reason)))
            s->failures[i]++;
}

static void note_ended(struct slot *s)
{
    const struct worker_result *r = worker_last(s->w);

    if (r->ok) {
        say_part(s, ERR_NONE, "");
        say_note(s, buf_str(&r->note));
        return;
    }
    count_failure(s, part_reason(r->err.code));
    say_part(s, r->err.code != ERR_NONE ? r->err.code : ERR_IO, r->err.msg);
}

/* Once a run: it may be late for many pages. */
static void note_late(struct slot *s, uint64_t run)
{
    if (s->late_run == run)
        return;
    s->late_run = run;
    count_failure(s, "late");
    say_part(s, ERR_TIMEOUT, "it has not ended when the scrape had to be answered");
}

/* -- printing -- */

static bool page_has(const struct page *p, size_t i)
{
    return p->runs[i] != 0 && worker_last(p->c->slots[i].w)->run >= p->runs[i];
}

static struct expo_label part_label(const struct slot *s)
{
    return SHEET_LABEL("part", worker_part(s->w)->name);
}

static void put_parts(const struct page *p, struct sheet *s)
{
    const struct exporter *c = p->c;

    sheet_begin(s, S("tocsin_collect_success"), EXPO_GAUGE,
                S("Whether a part was collected for this scrape."));
    for (size_t i = 0; i < c->n; i++) {
        const struct expo_label l = part_label(&c->slots[i]);

        sheet_put(s, &l, 1, page_has(p, i) && worker_last(c->slots[i].w)->ok);
    }
    sheet_begin(s, S("tocsin_collect_duration_seconds"), EXPO_GAUGE,
                S("How long the last run of a part took."));
    for (size_t i = 0; i < c->n; i++) {
        const struct expo_label l = part_label(&c->slots[i]);

        if (worker_last(c->slots[i].w)->run != 0)
            sheet_put(s, &l, 1, worker_last(c->slots[i].w)->took);
    }
    sheet_begin(s, S("tocsin_collect_failures_total"), EXPO_COUNTER,
                S("Runs of a part that failed, and that were late, by reason."));
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < REASONS_N; k++) {
            const struct expo_label l[] = {part_label(&c->slots[i]),
                                           SHEET_LABEL("reason", str_of(reasons[k]))};

            sheet_put_u64(s, l, ARRAY_LEN(l), c->slots[i].failures[k]);
        }
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void put_self(struct exporter *c, struct sheet *s)
{
    const struct expo_label version = SHEET_LABEL("version", S(TOCSIN_VERSION));
    struct buf b = BUF_INIT;
    struct rusage u;
    uint64_t pages, resident;
    str rest;

    sheet_begin(s, S("tocsin_build_info"), EXPO_GAUGE, S("Version of tocsin."));
    sheet_put(s, &version, 1, 1);
    sheet_one(s, S("tocsin_collect_scrapes_total"), EXPO_COUNTER, S("Scrapes that were answered."),
              (double)c->scrapes);
    if (getrusage(RUSAGE_SELF, &u) == 0)
        sheet_one(s, S("process_cpu_seconds_total"), EXPO_COUNTER,
                  S("Total user and system CPU time spent in seconds."),
                  seconds_of(u.ru_utime) + seconds_of(u.ru_stime));
    if (pseudo_read(&b, S("/proc/self"), "statm", 4096)) {
        rest = buf_str(&b);
        if (pseudo_cut_u64(&rest, &pages) && pseudo_cut_u64(&rest, &resident))
            sheet_one(s, S("process_resident_memory_bytes"), EXPO_GAUGE,
                      S("Resident memory size in bytes."),
                      (double)resident * (double)getpagesize());
    }
    buf_release(&b);
}

static void print_page(const struct page *p, struct buf *out)
{
    struct exporter *c = p->c;
    const struct sheet **v = mem_array(c->n + 1, sizeof(*v));
    struct sheet own;

    sheet_init(&own);
    put_parts(p, &own);
    put_self(c, &own);
    v[0] = &own;
    for (size_t i = 0; i < c->n; i++)
        v[i + 1] = page_has(p, i) ? &worker_last(c->slots[i].w)->sheet : NULL;
    sheets_print(v, c->n + 1, out);
    sheet_release(&own);
    mem_free(v);
}

/* -- pages -- */

static void page_free(struct page *p)
{
    struct page **at = &p->c->pages;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->c->n_pages--;
    timer_cancel(p->c->clock, &p->timer);
    mem_free(p->runs);
    mem_free(p);
}

static void page_answer(struct page *p)
{
    struct exporter *c = p->c;
    struct buf out = BUF_INIT, type = BUF_INIT;
    struct http_req *rq = p->rq;
    struct expo_wish wish = expo_negotiate(http_header_get(&rq->headers, S("Accept")), false);

    for (size_t i = 0; i < c->n; i++)
        if (p->runs[i] != 0 && !page_has(p, i))
            note_late(&c->slots[i], p->runs[i]);
    c->scrapes++;
    print_page(p, &out);
    expo_put_content_type(&type, &wish);
    page_free(p);
    rq->on_gone = NULL;
    http_reply(rq, 200, buf_str(&type), buf_str(&out));
    buf_release(&out);
    buf_release(&type);
}

static void page_timer(struct timer *t, struct now now)
{
    (void)now;
    page_answer(container_of(t, struct page, timer));
}

static void page_gone(struct http_req *rq, void *ctx)
{
    (void)rq;
    page_free(ctx);
}

/* What one that is overdue will say is not waited for. */
static bool page_is_ready(const struct page *p)
{
    for (size_t i = 0; i < p->c->n; i++)
        if (!page_has(p, i) && !worker_is_overdue(p->c->slots[i].w))
            return false;
    return true;
}

static void answer_ready(struct exporter *c)
{
    struct page *next;

    for (struct page *p = c->pages; p != NULL; p = next) {
        next = p->next;
        if (page_is_ready(p))
            page_answer(p);
    }
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
    struct exporter *c = arg;
    uint64_t n;

    (void)what;
    (void)!read((int)fd, &n, sizeof(n));
    clock_touch(c->clock);
    for (size_t i = 0; i < c->n; i++)
        if (worker_take(c->slots[i].w))
            note_ended(&c->slots[i]);
    answer_ready(c);
}

static dur_ns scrape_patience(const struct exporter *c, const struct http_req *rq)
{
    str text = http_header_get(&rq->headers, S("X-Prometheus-Scrape-Timeout-Seconds"));
    dur_ns patience = c->scrape_timeout;
    double seconds;

    if (float_parse(text, &seconds, NULL) && seconds > 0 && seconds < 3600) {
        dur_ns wanted = (dur_ns)(seconds * 1e9);

        wanted -= wanted > 2 * SCRAPE_MARGIN ? SCRAPE_MARGIN : wanted / 4;
        patience = wanted < patience ? wanted : patience;
    }
    return patience;
}

static void handle_metrics(struct http_req *rq, void *arg)
{
    struct exporter *c = arg;
    ts_ns now = c->clock->now.mono;
    dur_ns patience = scrape_patience(c, rq),
           room = patience > 2 * WAIT_MARGIN ? patience - WAIT_MARGIN : patience / 2;
    struct page *p;

    if (c->n_pages >= PAGES_MAX) {
        http_reply(rq, 503, S("text/plain; charset=utf-8"), S("too many scrapes at once\n"));
        return;
    }
    p = mem_new(struct page);
    *p = (struct page){.next = c->pages, .c = c, .rq = rq, .timer = {.fire = page_timer}};
    p->runs = mem_array(c->n + 1, sizeof(*p->runs));
    c->pages = p;
    c->n_pages++;
    for (size_t i = 0; i < c->n; i++) {
        dur_ns takes = worker_part(c->slots[i].w)->timeout;

        p->runs[i] = worker_ask(c->slots[i].w, ts_add(now, takes < room ? takes : room));
    }
    rq->on_gone = page_gone;
    rq->ctx = p;
    timer_arm(c->clock, &p->timer, page_is_ready(p) ? now : ts_add(now, patience));
}

static void handle_healthy(struct http_req *rq, void *arg)
{
    (void)arg;
    http_reply(rq, 200, S("text/plain; charset=utf-8"), S("OK\n"));
}

static void handle_root(struct http_req *rq, void *arg)
{
    (void)arg;
    http_reply(rq, 200, S("text/html; charset=utf-8"),
               S("<!doctype html><title>tocsin collect</title><h1>tocsin collect</h1>"
                 "<p><a href=\"metrics\">Metrics</a></p>\n"));
}

static const struct http_route routes[] = {
    {HTTP_GET, "/metrics", 0, handle_metrics, "metrics", "what is collected", 0},
    {HTTP_GET, "/-/healthy", 0, handle_healthy, "healthy", "whether it answers", 0},
    {HTTP_GET, "/", 0, handle_root, "root", "a link", 0},
    {.path = NULL}};

static bool collector_admit(struct http_req *rq, void *arg)
{
    struct exporter *c = arg;

    return c->web == NULL || web_admit(c->web, rq);
}

static bool collector_accept(struct http_req *rq, void *arg)
{
    struct exporter *c = arg;

    return c->web == NULL || web_enter(c->web, rq);
}

/* -- beginning and end -- */

static void collector_add_part(struct exporter *c, struct part *p)
{
    c->slots[c->n++].w = worker_new(p, c->stop_fd, c->done_fd);
}

/* Text files come last: a name that another part has is that part's. */
static void add_parts(struct exporter *c)
{
    const struct collect_conf *f = c->conf;

    c->slots = mem_array(f->probes.n + 5, sizeof(*c->slots));
    if (f->host.enabled) {
        collector_add_part(c, host_part_new(f));
        collector_add_part(c, filesystem_part_new(f));
    }
    if (f->nvidia != NULL)
        collector_add_part(c, nvidia_part_new(f));
    for (size_t i = 0; i < f->probes.n; i++)
        collector_add_part(c, probe_part_new(f, &f->probes.v[i]));
    if (f->processes.n != 0)
        collector_add_part(c, process_part_new(f));
    if (f->text != NULL)
        collector_add_part(c, text_part_new(f));
}

struct exporter *collector_new(const struct collect_conf *conf, struct loop *loop,
                               dur_ns scrape_timeout)
{
    struct exporter *c = mem_new(struct exporter);
    struct http_server_conf sc = {.routes = routes,
                                  .arg = c,
                                  .max_connections = CONNECTIONS_MAX,
                                  .admit = collector_admit,
                                  .accept = collector_accept};

    c->conf = conf;
    c->loop = loop;
    c->clock = loop_clock(loop);
    c->scrape_timeout = scrape_timeout;
    c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    BUG_ON(c->stop_fd < 0 || c->done_fd < 0);
    c->done = event_new(loop_base(loop), c->done_fd, EV_READ | EV_PERSIST, on_done, c);
    BUG_ON(c->done == NULL || event_add(c->done, NULL) != 0);
    c->server = http_server_new(loop_base(loop), c->clock, &sc);
    add_parts(c);
    return c;
}

struct http_server *collector_server(struct exporter *c)
{
    return c->server;
}

bool collector_use_web(struct exporter *c, str path, struct pool *pool, struct diags *d,
                       struct err *e)
{
    c->web = web_new(path, c->server, c->clock, pool, &c->refusals, d, e);
    return c->web != NULL;
}

static bool join_workers(struct exporter *c)
{
    ts_ns by = ts_add(part_mono(), STOP_PATIENCE);
    const uint64_t one = 1;
    bool ok = true;

    (void)!write(c->stop_fd, &one, sizeof(one));
    for (size_t i = 0; i < c->n; i++)
        worker_stop(c->slots[i].w);
    for (size_t i = 0; i < c->n; i++)
        ok &= worker_join(c->slots[i].w, by);
    return ok;
}

bool collector_free(struct exporter *c)
{
    http_server_close(c->server);
    if (!join_workers(c))
        return false;
    http_server_free(c->server);
    web_free(c->web);
    event_free(c->done);
    close(c->stop_fd);
    close(c->done_fd);
    mem_free(c->slots);
    mem_free(c);
    return true;
}
