/* A target goes through slot, request, pieces on a worker, end; it may be replaced or gone in between, and what is
 * under way ends by itself. Lists of targets come from discovery and are compared with what there is. */
#include "scrape/scraper.h"

#include <stdio.h>
#include "base/hash.h"
#include "os/log.h"
#include "base/map.h"
#include "discovery/discovery.h"
#include "model/labels.h"
#include "scrape/ingest.h"
#include "scrape/target.h"

const char *const target_health_names[] = {
    [TARGET_UNKNOWN] = "unknown", [TARGET_UP] = "up", [TARGET_DOWN] = "down"};

struct target {
    struct scraper *scraper;
    const struct scrape_conf *conf; /* lives as long as hold */
    void *hold;
    struct arena a;
    struct target_plan plan;
    struct timer timer;
    ts_ns slot;                     /* of the scrape under way, or the next */
    dur_ns in_interval, opened_for; /* of the scrape under way; the stream's, a worker's */
    ts_ms ended;
    ts_ns since; /* mono, of the scrape under way */
    struct transfer *transfer;
    bool is_working;          /* a worker has it */
    bool is_last;             /* the answer has come: the next job, or this one, ends the scrape */
    bool has_head;            /* of the answer */
    struct buf body, waiting; /* the piece that the worker has, and what has come meanwhile */
    bool is_gone;             /* the worker's end frees it */
    bool is_marked;           /* found again by the sync under way */
    bool has_answered;        /* a scrape that began after scraper_unsettle() */
    size_t over;              /* targets of a job that has more than target_limit; 0: it has not */
    struct job job;
    struct ingest ingest;
    struct ingest_input in;
    void *in_hold; /* of in.conf, during a scrape */
    struct ingest_result result;
    struct metadata *metadata;
    enum target_health health;
    char last_error[512];
    ts_ns last_scrape;
    dur_ns took;
};

MAP_DECLARE(target_map, uint64_t, struct target *);
MAP_DEFINE(target_map, uint64_t, struct target *, hash_u64, eq_u64);

/* A job of the configuration in force. */
struct scrape_job {
    struct scraper *scraper;
    const struct scrape_conf *conf;
    struct discovery *discovery;
    struct arena a; /* of dropped */
    VEC(struct target_status) dropped;
    size_t over;  /* as targets have it */
    size_t found; /* different targets */
    uint64_t exceeded;
};

struct scraper {
    struct scraper_parts parts;
    void *conf; /* held */
    uint64_t seed;
    struct scrape_job *jobs;
    size_t n_jobs;
    struct target_map targets;
    struct u64_map metadata; /* what targets share */
    bool has_started, is_settled;
    ts_ns unsettled;   /* mono */
    struct timer sync; /* after discovery has said something */
    struct scraper_stats stats;
};

/* What is worth a job, and how much waits for a worker before the exporter has to. */
enum { PIECE = 64 << 10, WAITING_MAX = 256 << 10 };

static void scraper_due(struct timer *t, struct now now);
static void scraper_work(struct job *j);
static void worked(struct job *j);
static void sync_due(struct timer *t, struct now now);

struct scraper *scraper_new(const struct scraper_parts *parts)
{
    struct scraper *s = mem_new(struct scraper);

    s->parts = *parts;
    s->sync.fire = sync_due;
    return s;
}

/* -- slots -- */

static void scraper_arm(struct target *t, ts_ns slot)
{
    struct now now = t->scraper->parts.clock->now;

    t->slot = slot;
    timer_arm(t->scraper->parts.clock, &t->timer,
              slot > now.wall ? ts_add(now.mono, slot - now.wall) : now.mono);
}

static void arm_next(struct target *t)
{
    if (t->scraper->has_started)
        scraper_arm(t, ts_slot_after(t->scraper->parts.clock->now.wall, t->plan.interval,
                                     t->plan.key ^ t->scraper->seed));
}

/* -- a target's life -- */

/* On a worker: the store's lock may be held for long. */
static void scraper_open_stream(struct target *t)
{
    char name[64];
    struct tsdb_stream_conf conf = {.interval_ms = t->in_interval / NS_PER_MS, .marks_stale = true};

    if (t->ingest.stream != NULL && t->opened_for == t->in_interval)
        return;
    t->opened_for = t->in_interval;

    snprintf(name, sizeof(name), "scrape/%016llx", (unsigned long long)t->plan.key);
    conf.name = str_of(name);
    t->ingest.db = t->scraper->parts.db;
    t->ingest.budget = t->scraper->parts.budget;
    t->ingest.stream = tsdb_stream_open(t->scraper->parts.db, &conf, t->ingest.stream);
}

/* The plan's texts may be the configuration's, which a target outlives. */
static struct target *target_new(struct scrape_job *job, const struct target_plan *plan)
{
    struct scraper *s = job->scraper;
    struct target *t = mem_new(struct target);

    t->scraper = s;
    t->conf = job->conf;
    t->hold = s->parts.hold(s->conf);
    arena_init(&t->a, 0);
    t->plan = *plan;
    t->plan.discovered = labels_copy(&t->a, plan->discovered);
    t->plan.labels = labels_copy(&t->a, plan->labels);
    t->plan.url = arena_str(&t->a, plan->url);
    t->timer.fire = scraper_due;
    t->job.run = scraper_work;
    t->job.done = worked;
    t->last_scrape = TS_NONE;
    return t;
}

static void target_free(struct target *t)
{
    ingest_release(&t->ingest);
    metadata_unref(t->metadata);
    buf_release(&t->body);
    buf_release(&t->waiting);
    if (t->in_hold != NULL)
        t->scraper->parts.let_go(t->in_hold);
    arena_release(&t->a);
    t->scraper->parts.let_go(t->hold);
    mem_free(t);
}

static void end_series(struct job *j)
{
    struct target *t = container_of(j, struct target, job);

    ingest_cancel(&t->ingest);
    if (t->ingest.stream != NULL)
        tsdb_stream_close_left(t->scraper->parts.db, t->ingest.stream, t->ended);
}

static void series_ended(struct job *j)
{
    target_free(container_of(j, struct target, job));
}

static void end_on_worker(struct target *t)
{
    if (t->ingest.stream != NULL)
        tsdb_stream_leave(t->ingest.stream); /* who takes its series over need not wait */
    t->ended = t->scraper->parts.clock->now.wall / NS_PER_MS;
    t->job = (struct job){.run = end_series, .done = series_ended};
    pool_run(t->scraper->parts.pool, WORK_SCRAPE, &t->job);
}

/* Nobody names the target any more: its series end. */
static void target_end(struct target *t)
{
    struct scraper *s = t->scraper;

    timer_cancel(s->parts.clock, &t->timer);
    if (t->transfer != NULL)
        transport_cancel(s->parts.transport, t->transfer);
    t->transfer = NULL;
    t->is_gone = true;
    if (!t->is_working)
        end_on_worker(t);
}

/* What the configuration in force says of a target that stays. The job's rules may have changed: what was learnt by the
 * old ones is forgotten. */
static void target_adopt(struct target *t, struct scrape_job *job, const struct target_plan *plan)
{
    struct scraper *s = job->scraper;

    if (t->conf == job->conf)
        return;
    s->parts.let_go(t->hold);
    t->hold = s->parts.hold(s->conf);
    t->conf = job->conf;
    t->over = 0;
    if (!t->is_working && !t->ingest.is_open) /* else when the scrape is done */
        ingest_forget(&t->ingest);
    t->plan.timeout = plan->timeout;
    if (t->plan.interval == plan->interval)
        return;
    t->plan.interval = plan->interval;
    if (!s->has_started)
        return;
    if (timer_is_armed(&t->timer))
        arm_next(t);
}

/* -- a scrape -- */

static void scraper_work(struct job *j)
{
    struct target *t = container_of(j, struct target, job);

    if (!t->ingest.is_open) {
        scraper_open_stream(t);
        ingest_begin(&t->ingest, &t->in, &t->result);
    }
    ingest_feed(&t->ingest, buf_str(&t->body));
    if (t->is_last)
        ingest_end(&t->ingest);
}

static void scraper_run(struct target *t)
{
    struct buf b = t->body;

    buf_clear(&b);
    t->body = t->waiting;
    t->waiting = b;
    t->is_working = true;
    pool_run(t->scraper->parts.pool, WORK_SCRAPE, &t->job);
}

static void note_metadata(struct target *t)
{
    struct metadata_seen *seen = &t->ingest.metadata;
    struct metadata *old = t->metadata;

    if (t->result.is_up && seen->differs) {
        t->metadata = metadata_share(&t->scraper->metadata, buf_str(&seen->records));
        metadata_unref(old);
    }
    metadata_release(seen);
}

static void scraper_note(struct target *t)
{
    struct scraper_stats *st = &t->scraper->stats;
    const struct ingest_result *r = &t->result;
    bool was_down = t->health == TARGET_DOWN;

    t->health = r->is_up ? TARGET_UP : TARGET_DOWN;
    t->has_answered |= t->since >= t->scraper->unsettled;
    t->took = t->in.took;
    snprintf(t->last_error, sizeof(t->last_error), "%s", r->why.msg);
    st->scrapes++;
    st->failed += !r->is_up;
    st->samples += r->is_up ? r->kept : 0;
    st->bytes += r->bytes;
    if (!r->is_up && !was_down)
        log_warn("scrape failed", LOG_STR("job", t->conf->job_name), LOG_STR("target", t->plan.url),
                 LOG_ERR(&r->why));
    else if (r->is_up && was_down)
        log_info("target is back", LOG_STR("job", t->conf->job_name),
                 LOG_STR("target", t->plan.url));
}

/* More of the body may be there, and more may come. */
static void scraper_go_on(struct target *t)
{
    t->is_last = t->transfer == NULL;
    if (t->is_last || t->waiting.n >= PIECE)
        scraper_run(t);
    if (t->transfer != NULL)
        transport_resume(t->scraper->parts.transport, t->transfer);
}

static void worked(struct job *j)
{
    struct target *t = container_of(j, struct target, job);
    bool is_stale = t->in.conf != t->conf;

    t->is_working = false;
    if (t->is_gone) {
        end_on_worker(t);
        return;
    }
    if (t->ingest.is_open) {
        scraper_go_on(t);
        return;
    }
    buf_release(&t->body);
    buf_release(&t->waiting);
    t->scraper->parts.let_go(t->in_hold);
    t->in_hold = NULL;
    if (is_stale)
        ingest_forget(&t->ingest);
    note_metadata(t);
    scraper_note(t);
    arm_next(t);
}

/* Whether there is a body to read; in.failed says why not. */
static bool scraper_read_head(struct target *t, const struct http_answer *head)
{
    struct err *e = &t->in.failed;

    if (t->has_head)
        return e->code == ERR_NONE;
    t->has_head = true;
    if (head->status != 200)
        return err_set(e, ERR_IO, "server returned HTTP status %d", head->status);
    /* As there, another encoding is not looked at. */
    t->in.is_gzip =
        str_eq_nocase(http_header_get(&head->headers, S("Content-Encoding")), S("gzip"));
    return target_format(t->in.conf, http_header_get(&head->headers, S("Content-Type")),
                         &t->in.format, e);
}

static bool take_piece(void *arg, const struct http_answer *head, str piece)
{
    struct target *t = arg;

    if (!scraper_read_head(t, head))
        return true;
    if (t->is_working && t->waiting.n >= WAITING_MAX)
        return false;
    buf_add(&t->waiting, piece);
    if (!t->is_working && t->waiting.n >= PIECE)
        scraper_run(t);
    return true;
}

static void scraper_answered(void *arg, const struct transport_answer *a)
{
    struct target *t = arg;

    t->transfer = NULL;
    t->in.took = t->scraper->parts.clock->now.mono - t->since;
    if (a->failure == TRANSPORT_LIMIT && t->conf->common.limits.body_size > 0)
        err_set(&t->in.failed, ERR_LIMIT, "body_size_limit exceeded: %lld bytes",
                (long long)t->conf->common.limits.body_size);
    else if (a->failure != TRANSPORT_OK)
        t->in.failed = a->err;
    else
        (void)scraper_read_head(t, &a->http);
    if (!t->is_working) {
        t->is_last = true;
        scraper_run(t);
    }
}

/* Nobody is asked: the target is down, and says why. */
static void scraper_refuse(struct target *t)
{
    err_set(&t->in.failed, ERR_LIMIT, "target_limit exceeded (number of targets: %zu, limit: %lld)",
            t->over, (long long)t->conf->common.limits.targets);
    t->is_last = true;
    scraper_run(t);
}

static void scraper_ask(struct target *t, struct now now)
{
    int64_t limit = t->conf->common.limits.body_size;
    struct arena a;
    char seconds[32];
    struct http_header headers[3];
    struct transport_request rq = {
        .http = {.url = t->plan.url, .headers = {headers, ARRAY_LEN(headers)}},
        .conf = t->conf->http,
        .class = WORK_SCRAPE,
        .deadline = ts_add(now.mono, t->plan.timeout),
        .piece = take_piece,
        .max_answer = limit > 0 && limit < SCRAPE_BODY_MAX ? (size_t)limit : SCRAPE_BODY_MAX};

    arena_init(&a, 0);
    snprintf(seconds, sizeof(seconds), "%.15g", (double)t->plan.timeout / NS_PER_S);
    headers[0] = (struct http_header){S("Accept"), target_accept(t->conf, &a)};
    headers[1] = (struct http_header){S("Accept-Encoding"),
                                      t->conf->enable_compression ? S("gzip") : S("identity")};
    headers[2] = (struct http_header){S("X-Prometheus-Scrape-Timeout-Seconds"), str_of(seconds)};
    t->transfer = transport_send(t->scraper->parts.transport, &rq, scraper_answered, t);
    arena_release(&a);
}

static void scraper_due(struct timer *timer, struct now now)
{
    struct target *t = container_of(timer, struct target, timer);

    t->last_scrape = now.wall;
    t->since = now.mono;
    t->is_last = t->has_head = false;
    t->in = (struct ingest_input){
        .conf = t->conf,
        .labels = t->plan.labels,
        .at = now,
        .metadata = t->metadata != NULL ? (str){t->metadata->records, t->metadata->n} : STR_NONE,
        .t = clock_snap(t->slot, t->last_scrape, t->plan.interval) / NS_PER_MS};
    t->in_interval = t->plan.interval;
    t->in_hold = t->scraper->parts.hold(t->hold);
    if (t->over != 0)
        scraper_refuse(t);
    else
        scraper_ask(t, now);
}

/* -- who there is -- */

static void scraper_note_dropped(struct scrape_job *job, struct labels discovered, const char *why)
{
    vec_push(&job->dropped, (struct target_status){.job = job->conf->job_name,
                                                   .discovered = labels_copy(&job->a, discovered),
                                                   .last_error = arena_str(&job->a, str_of(why))});
}

static void take_found(void *arg, struct labels found)
{
    struct scrape_job *job = arg;
    struct scraper *s = job->scraper;
    struct target_plan plan;
    struct target **hit;
    struct arena a;
    struct err e = ERR_INIT;

    arena_init(&a, 0);
    if (target_plan(job->conf, found, &a, &plan, &e)) {
        hit = target_map_get(&s->targets, plan.key);
        if (hit != NULL) {
            target_adopt(*hit, job, &plan);
        } else {
            hit = target_map_put(&s->targets, plan.key, target_new(job, &plan));
            arm_next(*hit);
        }
        job->found += !(*hit)->is_marked;
        (*hit)->is_marked = true;
    } else {
        scraper_note_dropped(job, plan.discovered, e.msg);
    }
    arena_release(&a);
}

/* As Prometheus does: too many targets are all of them down, for the job was not meant so. They stay, and what is known of
 * them ends as that of any target that is down. */
static void scraper_check_limit(struct scrape_job *job)
{
    int64_t limit = job->conf->common.limits.targets;
    size_t over = limit > 0 && job->found > (size_t)limit ? job->found : 0;

    if (over == 0 && job->over == 0)
        return;
    job->exceeded += over != 0;
    if (over != 0 && job->over == 0)
        log_error("target_limit exceeded: all targets of the job are down",
                  LOG_STR("job", job->conf->job_name), LOG_I64("targets", over),
                  LOG_I64("limit", limit));
    else if (over == 0)
        log_info("the job's targets are within target_limit again",
                 LOG_STR("job", job->conf->job_name));
    job->over = over;
    MAP_EACH (struct target_map_entry, e, &job->scraper->targets)
        if (e->value->conf == job->conf)
            e->value->over = over;
}

/* Discovery has not found everything yet: what runs may still be found. */
static bool may_be_found(const struct scraper *s, const struct target *t)
{
    for (size_t i = 0; i < s->n_jobs; i++)
        if (str_eq(s->jobs[i].conf->job_name, t->conf->job_name))
            return !discovery_is_complete(s->jobs[i].discovery);
    return false;
}

/* Compares what discovery has found with what there is. */
static void sync(struct scraper *s)
{
    MAP_EACH (struct target_map_entry, e, &s->targets)
        e->value->is_marked = false;
    for (size_t i = 0; i < s->n_jobs; i++) {
        struct scrape_job *job = &s->jobs[i];

        job->found = 0;
        vec_clear(&job->dropped);
        arena_reset(&job->a);
        discovery_each(job->discovery, take_found, job);
        scraper_check_limit(job);
    }
    MAP_EACH (struct target_map_entry, e, &s->targets) {
        struct target *t = e->value;

        if (t->is_marked || may_be_found(s, t))
            continue;
        target_map_del_entry(&s->targets, e);
        target_end(t);
    }
}

static void sync_due(struct timer *t, struct now now)
{
    (void)now;
    sync(container_of(t, struct scraper, sync));
}

/* Lists of one moment are taken together. */
static void discovery_changed(void *arg)
{
    struct scraper *s = arg;

    timer_arm(s->parts.clock, &s->sync, s->parts.clock->now.mono);
}

static void jobs_free(struct scraper *s)
{
    for (size_t i = 0; i < s->n_jobs; i++) {
        discovery_free(s->jobs[i].discovery);
        vec_release(&s->jobs[i].dropped);
        arena_release(&s->jobs[i].a);
    }
    mem_free(s->jobs);
    s->jobs = NULL;
    s->n_jobs = 0;
}

void scraper_configure(struct scraper *s, void *conf, const struct scrape_conf *jobs, size_t n,
                       uint64_t seed)
{
    const struct discovery_parts parts = {.clock = s->parts.clock,
                                          .pool = s->parts.pool,
                                          .transport = s->parts.transport,
                                          .changed = discovery_changed,
                                          .arg = s};
    void *old = s->conf;

    jobs_free(s);
    s->conf = s->parts.hold(conf);
    s->seed = seed;
    s->jobs = mem_array(n, sizeof(*s->jobs));
    s->n_jobs = n;
    for (size_t i = 0; i < n; i++) {
        struct scrape_job *job = &s->jobs[i];

        job->scraper = s;
        job->conf = &jobs[i];
        arena_init(&job->a, 0);
        job->discovery = discovery_new(&jobs[i].discovery, &parts);
    }
    sync(s);
    if (old != NULL)
        s->parts.let_go(old);
}

void scraper_start(struct scraper *s)
{
    s->has_started = true;
    scraper_rearm(s);
}

void scraper_rearm(struct scraper *s)
{
    MAP_EACH (struct target_map_entry, e, &s->targets)
        if (e->value->transfer == NULL && !e->value->is_working)
            arm_next(e->value);
}

bool scraper_is_settled(struct scraper *s)
{
    if (s->is_settled || !s->has_started)
        return s->is_settled;
    for (size_t i = 0; i < s->n_jobs; i++)
        if (!discovery_is_settled(s->jobs[i].discovery))
            return false;
    MAP_EACH (struct target_map_entry, e, &s->targets)
        if (!e->value->has_answered)
            return false;
    s->is_settled = true;
    return true;
}

void scraper_unsettle(struct scraper *s)
{
    s->is_settled = false;
    s->unsettled = s->parts.clock->now.mono;
    MAP_EACH (struct target_map_entry, e, &s->targets)
        e->value->has_answered = false;
}

/* Streams stay open: the target is expected to go on after a restart. */
void scraper_free(struct scraper *s)
{
    if (s == NULL)
        return;
    timer_cancel(s->parts.clock, &s->sync);
    jobs_free(s);
    MAP_EACH (struct target_map_entry, e, &s->targets) {
        timer_cancel(s->parts.clock, &e->value->timer);
        if (e->value->transfer != NULL)
            transport_cancel(s->parts.transport, e->value->transfer);
        target_free(e->value);
    }
    target_map_release(&s->targets);
    metadata_pool_release(&s->metadata);
    if (s->conf != NULL)
        s->parts.let_go(s->conf);
    mem_free(s);
}

/* -- for the API -- */

void scraper_each(const struct scraper *s, void (*each)(void *arg, const struct target_status *t),
                  void *arg)
{
    MAP_EACH (struct target_map_entry, e, &s->targets) {
        const struct target *t = e->value;
        struct target_status status = {.job = t->conf->job_name,
                                       .url = t->plan.url,
                                       .discovered = t->plan.discovered,
                                       .labels = t->plan.labels,
                                       .health = t->health,
                                       .last_error = str_of(t->last_error),
                                       .last_scrape = t->last_scrape,
                                       .took = t->took,
                                       .interval = t->plan.interval,
                                       .timeout = t->plan.timeout,
                                       .metadata = t->metadata};

        each(arg, &status);
    }
}

void scraper_each_dropped(const struct scraper *s,
                          void (*each)(void *arg, const struct target_status *t), void *arg)
{
    for (size_t i = 0; i < s->n_jobs; i++)
        VEC_EACH (const struct target_status *, t, &s->jobs[i].dropped)
            each(arg, t);
}

struct scraper_stats scraper_stats(const struct scraper *s)
{
    return s->stats;
}

size_t scraper_jobs(const struct scraper *s)
{
    return s->n_jobs;
}

struct scraper_job_stats scraper_job_stats(const struct scraper *s, size_t i)
{
    const struct scrape_job *j = &s->jobs[i];

    return (struct scraper_job_stats){j->conf->job_name, j->found, j->conf->common.limits.targets,
                                      j->exceeded};
}

/* A list of a job, for who wants to know of all lists. */
struct list_asker {
    str job;
    void (*each)(void *arg, str job, const struct discovery_status *s);
    void *arg;
};

static void tell_list(void *arg, const struct discovery_status *s)
{
    const struct list_asker *l = arg;

    l->each(l->arg, l->job, s);
}

void scraper_each_list(const struct scraper *s,
                       void (*each)(void *arg, str job, const struct discovery_status *s),
                       void *arg)
{
    for (size_t i = 0; i < s->n_jobs; i++) {
        struct list_asker l = {s->jobs[i].conf->job_name, each, arg};

        discovery_each_list(s->jobs[i].discovery, tell_list, &l);
    }
}
