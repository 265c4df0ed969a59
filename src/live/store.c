/* The life of the store beside the loop: replay on a worker, a job each second that writes the log and looks at what
 * has grown, and the figures that are shown without asking for its lock. */
#include "live/store.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "base/hash.h"
#include "os/log.h"
#include "codec/escape.h"
#include "core/engine.h"
#include "live/history_scope.h"
#include "promql/engine.h"
#include "promql/gather.h"

enum { SYNC_EVERY = 5 };

enum { ASK_BYTES_MAX = 1 << 30, WATCHES_MAX = 50, WATCH_REACH_MS = 5 * 60 * 1000 };
#define WATCH_FOR (10 * NS_PER_M)

/* A name whose series are kept because somebody has asked. */
struct store_watch {
    str name; /* owned */
    ts_ns until;
    struct storage_selector *selector;
};

struct store {
    struct store_parts parts;
    struct tsdb *db;
    struct history *history;
    struct remote_write *remote_write;
    struct config *wanted; /* of which history has not heard; a reference, or NULL */
    struct history_figures history_seen;
    struct scraper *scraper;
    struct push *push;
    struct engine *engine;
    struct timer tick;
    unsigned ticks;
    bool has_log;
    struct tsdb_stats stats; /* as of the last job */
    struct tsdb_log_stats log_stats;
    struct store_sync *waiting; /* for the next job, which is to sync */
    struct store_sync *served;  /* for the one that runs */
    bool is_stopped;            /* on the way out: nothing begins any more */

    /* the disk's */
    struct job job;
    bool is_busy;
    str dir, history_dir, remote_dir; /* owned */
    struct now at;                    /* when the job was made */
    _Atomic ts_ms now_ms;             /* the same, for workers */
    bool sync, ok, begins, remote_ok, remote_was_ok;
    struct config *heard; /* by history, now */
    struct err history_err, remote_err;
    struct tsdb_replay replay;
    struct figures {
        struct tsdb_stats store;
        struct tsdb_log_stats log;
    } seen;
    struct err err;

    pthread_mutex_t watch_lock; /* of what workers watch */
    VEC(struct store_watch) watches;
    bool keeps_all;                  /* whoever selects it */
    struct storage_selector *always; /* up, scrape_*: kept whoever asks */
    struct storage_selector *all;    /* for remote write; NULL: it does not want all */
};

static void *store_hold(void *conf)
{
    return config_ref(conf);
}

static void store_let_go(void *conf)
{
    config_unref(conf);
}

static void store_tick(struct timer *t, struct now now);

static struct storage_selector *select_names(struct store *s, enum match_op op, str name)
{
    struct matcher m;
    struct matchers ms = {&m, 1};
    struct storage_selector *selector = NULL;
    struct err e = ERR_INIT;

    if (!matcher_init(&m, op, S("__name__"), name, &e))
        return NULL;
    selector = storage_select(tsdb_storage(s->db), &ms, WATCH_REACH_MS, &e);
    matchers_release(&ms);
    return selector;
}

struct store *store_new(const struct store_parts *parts, const struct config *conf)
{
    struct store *s = mem_new(struct store);
    const struct tsdb_options o = {.keep_all = conf->storage.keep_all,
                                   .max_series = (size_t)conf->storage.max_series,
                                   .max_bytes = (size_t)conf->storage.max_memory};
    struct scraper_parts sp = {.clock = parts->clock,
                               .pool = parts->pool,
                               .transport = parts->transport,
                               .budget = parts->budgets != NULL ? &parts->budgets->scrapes : NULL,
                               .hold = store_hold,
                               .let_go = store_let_go};

    s->parts = *parts;
    s->keeps_all = o.keep_all;
    sp.db = s->db = tsdb_new(&o);
    s->history = history_new(s->db);
    s->scraper = scraper_new(&sp);
    s->push = push_new(parts->clock, parts->pool, s->db);
    s->remote_write =
        remote_write_new(&(struct remote_write_parts){.clock = parts->clock,
                                                      .pool = parts->pool,
                                                      .transport = parts->transport,
                                                      .db = s->db,
                                                      .scraper = s->scraper,
                                                      .hold = store_hold,
                                                      .let_go = store_let_go,
                                                      .failing = parts->remote_failing,
                                                      .arg = parts->arg});
    s->tick.fire = store_tick;
    s->remote_was_ok = true;
    pthread_mutex_init(&s->watch_lock, NULL);
    s->always = select_names(s, MATCH_RE, S("up|scrape_.+"));
    return s;
}

void store_stop(struct store *s)
{
    if (s == NULL || s->is_stopped)
        return;
    s->is_stopped = true;
    timer_cancel(s->parts.clock, &s->tick);
    remote_write_stop(s->remote_write);
}

void store_save(struct store *s)
{
    struct err e = ERR_INIT;

    if (s == NULL || !s->has_log)
        return;
    if (!tsdb_log_step(s->db, s->parts.clock->now.wall / NS_PER_MS, true, &e))
        log_error("the last samples were not written", LOG_ERR(&e));
    e = (struct err)ERR_INIT;
    if (!remote_write_step(s->remote_write, s->parts.clock->now, true, true, &e))
        log_error("the last samples for remotes were not written", LOG_ERR(&e));
    s->has_log = false;
}

/* -- questions of our own -- */

struct store_question {
    bool (*goes_on)(void *arg);
    void *arg;
};

static enum promql_go question_goes_on(void *arg, uint64_t read)
{
    const struct store_question *q = arg;

    (void)read;
    return q->goes_on(q->arg) ? PROMQL_GO_ON : PROMQL_TIMED_OUT;
}

static struct samples samples_of_instant(struct arena *a, const struct promql_result *r)
{
    struct samples s = {arena_array(a, r->n + 1, sizeof(*s.v)), 0};

    for (size_t i = 0; i < r->n; i++)
        if (r->series[i].n != 0)
            s.v[s.n++] = (struct sample){.labels = r->series[i].labels,
                                         .t = r->series[i].points[0].t,
                                         .value = r->series[i].points[0].v,
                                         .is_histogram = r->series[i].points[0].h != NULL};
    return s;
}

/* split NULL: all of it is asked here. */
static bool store_ask_any(struct store *s, str query, const struct rule_split *split,
                          const struct samples *answers, ts_ms t, struct store_question *asked,
                          struct arena *a, struct samples *out, struct err *e)
{
    struct promql_settings settings = {.ask = question_goes_on, .ask_arg = asked};
    struct promql_expr *x = promql_parse(query, &promql_everything, a, NULL, e);
    struct gather *g;
    struct promql_query q;
    struct promql_result r;
    struct past *past;
    bool ok;

    if (x == NULL)
        return false;
    g = gather_new(tsdb_storage(s->db), ASK_BYTES_MAX, asked->goes_on, asked->arg);
    past = store_past(s, atomic_load(&s->now_ms), promql_reads(x, t, t, 0), ASK_BYTES_MAX,
                      asked->goes_on, asked->arg);
    if (past != NULL)
        gather_past(g, past_storage(past));
    q = (struct promql_query){
        .expr = x, .text = query, .storage = gather_storage(g), .settings = &settings};
    ok = split != NULL ? rule_split_instant(&q, answers, split->n, t, a, &r, e)
                       : promql_instant(&q, t, a, &r, e);
    if (ok && (!gather_is_whole(g) || (past != NULL && !past_is_whole(past))))
        ok = err_set(e, ERR_TIMEOUT, "there is no time for it");
    if (ok)
        *out = samples_of_instant(a, &r);
    gather_free(g);
    past_free(past);
    promql_release(x);
    return ok;
}

bool store_ask(struct store *s, str query, ts_ms t, bool (*goes_on)(void *arg), void *arg,
               struct arena *a, struct samples *out, struct err *e)
{
    struct store_question asked = {goes_on, arg};

    return store_ask_any(s, query, NULL, NULL, t, &asked, a, out, e);
}

bool store_ask_split(struct store *s, const struct rule_split *split, const struct samples *answers,
                     ts_ms t, bool (*goes_on)(void *arg), void *arg, struct arena *a,
                     struct samples *out, struct err *e)
{
    struct store_question asked = {goes_on, arg};

    return store_ask_any(s, split->here, split, answers, t, &asked, a, out, e);
}

/* -- what is kept though no rule reads it -- */

static void unwatch(struct store *s, size_t i)
{
    storage_release(tsdb_storage(s->db), s->watches.v[i].selector);
    mem_str_free(s->watches.v[i].name);
    vec_remove(&s->watches, i);
}

bool store_watch(struct store *s, str metric)
{
    ts_ns now = clock_mono(s->parts.clock);
    struct storage_selector *selector;
    bool is_new = true, is_watched = false;

    if (s->keeps_all)
        return false;
    pthread_mutex_lock(&s->watch_lock);
    for (size_t i = 0; i < s->watches.n; i++) {
        if (str_eq(s->watches.v[i].name, metric)) {
            s->watches.v[i].until = ts_add(now, WATCH_FOR);
            is_new = false;
        } else if (s->watches.v[i].until <= now) {
            unwatch(s, i--);
        }
    }
    if (is_new && s->watches.n < WATCHES_MAX) {
        selector = select_names(s, MATCH_EQ, metric);
        is_watched = selector != NULL;
        if (is_watched)
            vec_push(&s->watches,
                     (struct store_watch){mem_str_dup(metric), ts_add(now, WATCH_FOR), selector});
    }
    pthread_mutex_unlock(&s->watch_lock);
    return is_watched;
}

static void release_watches(struct store *s)
{
    while (s->watches.n != 0)
        unwatch(s, s->watches.n - 1);
    vec_release(&s->watches);
    storage_release(tsdb_storage(s->db), s->always);
    if (s->all != NULL)
        storage_release(tsdb_storage(s->db), s->all);
    pthread_mutex_destroy(&s->watch_lock);
}

void store_free(struct store *s)
{
    if (s == NULL)
        return;
    store_stop(s);
    scraper_free(s->scraper);
    push_free(s->push);
    store_save(s);
    remote_write_free(s->remote_write);
    release_watches(s);
    history_free(s->history);
    config_unref(s->wanted);
    tsdb_free(s->db);
    mem_str_free(s->dir);
    mem_str_free(s->history_dir);
    mem_str_free(s->remote_dir);
    mem_free(s);
}

/* -- the log -- */

static bool history_hear(struct store *s, struct err *e)
{
    struct arena a;
    struct history_scope scope;
    bool ok;

    if (s->heard == NULL)
        return true;
    arena_init(&a, 0);
    scope = history_scope_of(s->heard, &a);
    history_keep(s->history, s->heard->storage.history.keep / NS_PER_MS,
                 s->heard->storage.history.max_size);
    ok = history_select(s->history, scope.v, scope.n, e);
    history_scope_release(&scope);
    arena_release(&a);
    return ok;
}

/* Who gets samples, and what is kept for them. */
static bool remote_write_take(struct store *s)
{
    struct storage_selector *old = s->all;

    if (s->heard != NULL) {
        s->all = remote_write_wants_all(&s->heard->storage.remote_write)
                     ? select_names(s, MATCH_NE, STR_NONE)
                     : NULL;
        if (old != NULL)
            storage_release(tsdb_storage(s->db), old);
    }
    return remote_write_begin(s->remote_write, s->remote_dir, &s->remote_err);
}

/* What the last life has left in memory is written before anything else may take its place there. */
static void begin_history(struct store *s)
{
    bool more = history_open(s->history, s->history_dir, &s->history_err);

    while (more && history_step(s->history, s->at, &more, &s->history_err))
        ;
}

static void replay(struct job *j)
{
    struct store *s = container_of(j, struct store, job);
    bool hears = history_hear(s, &s->history_err);

    s->remote_ok = remote_write_take(s);
    s->ok = tsdb_log_open(s->db, s->dir, &s->replay, &s->err);
    tsdb_pull_back(s->db, s->at.wall / NS_PER_MS);
    s->remote_ok &= remote_write_step(s->remote_write, s->at, true, true, &s->remote_err);
    if (hears)
        begin_history(s);
}

static void store_tell_damage(struct store *s)
{
    char why[160];

    snprintf(why, sizeof(why),
             "%zu of %zu segments of samples: %" PRIu64 " bytes are lost, the rest is read; copies "
             "are kept as samples-*.damaged",
             s->replay.damaged, s->replay.segments, s->replay.lost_bytes);
    if (s->parts.damaged != NULL)
        s->parts.damaged(s->parts.arg, S("samples"), str_of(why));
}

static void tell_unread_pushes(struct store *s)
{
    size_t n = push_stats(s->push).unreadable;
    char why[80];

    if (n == 0 || s->parts.damaged == NULL)
        return;
    snprintf(why, sizeof(why), "%zu rows of pushed groups cannot be read, and stay", n);
    s->parts.damaged(s->parts.arg, S("pushes"), str_of(why));
}

/* What has gone wrong with history since the last job. */
static void tell_history(struct store *s)
{
    struct history_figures f = history_figures(s->history);

    if (f.damaged != s->history_seen.damaged && s->parts.damaged != NULL)
        s->parts.damaged(s->parts.arg, S("history"), str_of(f.why));
    if (s->history_err.code != ERR_NONE && s->history_seen.state != HISTORY_FAILS)
        log_error("history is not written, and tried again", LOG_STR("path", s->history_dir),
                  LOG_ERR(&s->history_err));
    s->history_seen = f;
    config_unref(s->heard);
    s->heard = NULL;
}

static void tell_remote_write(struct store *s)
{
    if (!s->remote_ok && s->remote_was_ok)
        log_error("samples for remotes wait in memory: the disk does not take them",
                  LOG_STR("path", s->remote_dir), LOG_ERR(&s->remote_err));
    else if (s->remote_ok && !s->remote_was_ok)
        log_info("samples for remotes wait on the disk again", LOG_STR("path", s->remote_dir));
    s->remote_was_ok = s->remote_ok;
    remote_write_settled(s->remote_write);
}

static void replayed(struct job *j)
{
    struct store *s = container_of(j, struct store, job);

    s->is_busy = false;
    s->has_log = s->ok;
    tell_history(s);
    tell_remote_write(s);
    if (!s->ok)
        log_error("samples will not outlive a restart", LOG_STR("path", s->dir), LOG_ERR(&s->err));
    else if (s->replay.damaged != 0)
        store_tell_damage(s);
    if (s->ok && s->replay.torn_bytes != 0)
        log_warn("the torn end of a file is cut off, as a power cut leaves it",
                 LOG_STR("folder", s->dir), LOG_I64("bytes", s->replay.torn_bytes));
    if (s->ok && s->replay.samples != 0)
        log_info("samples are back", LOG_I64("samples", s->replay.samples),
                 LOG_I64("segments", s->replay.segments), LOG_I64("damaged", s->replay.damaged));
    if (s->is_stopped)
        return;
    tell_unread_pushes(s);
    engine_hold_rules(s->engine, RULES_WAIT_FOR_TARGETS);
    scraper_start(s->scraper);
    push_start(s->push);
    store_tick(&s->tick, s->parts.clock->now);
}

/* The loop does not wait for the lock, so it is told. */
static void take_figures(struct store *s, bool has_log)
{
    s->seen = (struct figures){.store = tsdb_stats(s->db)};
    if (has_log)
        s->seen.log = tsdb_log_stats(s->db);
}

static void show_figures(struct store *s)
{
    s->stats = s->seen.store;
    s->log_stats = s->seen.log;
}

/* Both wait for the store's lock, which an evaluation may hold for long, and the second for the disk. */
static void maintain(struct job *j)
{
    struct store *s = container_of(j, struct store, job);

    ts_ms now = s->at.wall / NS_PER_MS;
    bool more;

    s->remote_ok = remote_write_take(s);
    s->begins = !s->has_log && s->sync && tsdb_log_begin(s->db, s->dir, NULL);
    tsdb_follow(s->db, s->at);
    if (history_hear(s, &s->history_err) &&
        !history_step(s->history, s->at, &more, &s->history_err))
        more = false; /* it is told, and tried again */
    tsdb_collect(s->db, now);
    s->ok = !s->has_log || tsdb_log_step(s->db, now, s->sync, &s->err);
    s->remote_ok &= remote_write_step(s->remote_write, s->at, false, s->sync, &s->remote_err);
    take_figures(s, s->has_log);
}

static void sync_now(struct store *s);

static void maintained(struct job *j)
{
    struct store *s = container_of(j, struct store, job);
    struct store_sync *w = s->served, *next;

    s->is_busy = false;
    s->served = NULL;
    tell_history(s);
    tell_remote_write(s);
    if (s->begins) {
        s->has_log = true;
        log_info("samples outlive a restart from now on", LOG_STR("path", s->dir));
    }
    show_figures(s);
    for (; w != NULL; w = next) {
        next = w->next;
        w->done(w);
    }
    if (s->waiting != NULL && !s->is_busy)
        sync_now(s);
    if (!s->ok)
        log_error("samples were not written to the log", LOG_STR("path", s->dir), LOG_ERR(&s->err));
}

static void run_disk(struct store *s, void (*run)(struct job *j), void (*done)(struct job *j))
{
    s->is_busy = true;
    s->at = s->parts.clock->now;
    atomic_store(&s->now_ms, s->at.wall / NS_PER_MS);
    s->err = s->history_err = s->remote_err = (struct err)ERR_INIT;
    s->heard = s->wanted;
    s->wanted = NULL;
    remote_write_lend(s->remote_write);
    s->job.run = run;
    s->job.done = done;
    pool_run(s->parts.pool, WORK_WRITE, &s->job);
}

static void sync_now(struct store *s)
{
    s->served = s->waiting;
    s->waiting = NULL;
    s->sync = true;
    run_disk(s, maintain, maintained);
}

void store_sync(struct store *s, struct store_sync *w)
{
    if (!s->has_log) {
        w->done(w);
        return;
    }
    w->next = s->waiting;
    s->waiting = w;
    if (!s->is_busy)
        sync_now(s);
}

/* Every second. */
static void store_tick(struct timer *t, struct now now)
{
    struct store *s = container_of(t, struct store, tick);

    if (scraper_is_settled(s->scraper))
        engine_hold_rules(s->engine, RULES_RUN);
    if (!s->is_busy) {
        s->sync = ++s->ticks % SYNC_EVERY == 0;
        run_disk(s, maintain, maintained);
    }
    timer_arm(s->parts.clock, t, ts_add(now.mono, NS_PER_S));
}

/* -- the configuration -- */

/* Two instances of one configuration ask a target at different moments, as long as something tells them apart. */
static uint64_t seed_of(const struct store *s, const struct config *conf)
{
    return fnv1a_str(labels_fingerprint(conf->external_labels), s->parts.host);
}

void store_configure(struct store *s, struct config *conf)
{
    bool is_read = config_reads_own(conf);

    if (!is_read && conf->n_scrapes != 0)
        log_info("no rule reads what is scraped here, and history does not have it: the jobs are "
                 "left alone",
                 LOG_I64("jobs", conf->n_scrapes));
    if (!is_read && conf->push != NULL)
        log_info("no rule reads what is pushed here: it is taken and shown, and not kept");
    scraper_configure(s->scraper, conf, conf->scrapes, is_read ? conf->n_scrapes : 0,
                      seed_of(s, conf));
    push_configure(s->push, conf->push, seed_of(s, conf));
    remote_write_configure(s->remote_write, conf, &conf->storage.remote_write,
                           conf->external_labels);
    config_unref(s->wanted);
    s->wanted = config_ref(conf);
}

static bool restore_push(void *arg, str key, str body)
{
    (void)key;
    push_restore(arg, body);
    return true;
}

bool store_restore(struct store *s, const struct state_reader *from, const struct config *conf,
                   const struct push_keeper *keeper, struct err *e)
{
    push_configure(s->push, conf->push, seed_of(s, conf));
    push_keep(s->push, keeper);
    return from->scan(from->self, STATE_PUSH, restore_push, s->push, e) ||
           err_wrap(e, "reading the rows of pushes");
}

static void store_put_push(void *arg, str path, str body)
{
    state_put(arg, STATE_PUSH, path, body);
}

void store_snapshot(const struct store *s, struct state_commit *c)
{
    push_snapshot(s->push, store_put_push, c);
}

void store_start(struct store *s, struct engine *engine, str dir, struct config *conf)
{
    struct buf path = BUF_INIT;

    buf_addf(&path, "%.*s/samples", STR(url_trim_slash(dir)));
    s->dir = mem_str_dup(buf_str(&path));
    buf_clear(&path);
    buf_addf(&path, "%.*s/history", STR(url_trim_slash(dir)));
    s->history_dir = mem_str_dup(buf_str(&path));
    buf_clear(&path);
    buf_addf(&path, "%.*s/remote_write", STR(url_trim_slash(dir)));
    s->remote_dir = mem_str_dup(buf_str(&path));
    buf_release(&path);
    s->engine = engine;
    store_configure(s, conf);
    run_disk(s, replay, replayed);
}

void store_jumped(struct store *s, const struct clock_jump *j)
{
    if (j->wall_step != 0) {
        scraper_rearm(s->scraper);
        push_rearm(s->push);
    }
    if (j->paused != 0 && s->engine != NULL && !store_is_replaying(s)) {
        scraper_unsettle(s->scraper);
        engine_hold_rules(s->engine, RULES_WAIT_FOR_TARGETS);
    }
}

/* -- for others -- */

struct tsdb *store_db(struct store *s)
{
    return s->db;
}

struct history *store_history(struct store *s)
{
    return s->history;
}

struct past *store_past(struct store *s, ts_ms now, struct promql_times reads, size_t max_bytes,
                        bool (*goes_on)(void *arg), void *arg)
{
    return reads.from <= reads.to && reads.from < now - STORE_MEMORY_MS
               ? past_new(s->history, reads.from, reads.to, max_bytes, goes_on, arg)
               : NULL;
}

struct remote_write *store_remote_write(struct store *s)
{
    return s->remote_write;
}

struct scraper *store_scraper(struct store *s)
{
    return s->scraper;
}

struct push *store_push(struct store *s)
{
    return s->push;
}

const struct tsdb_stats *store_stats(const struct store *s)
{
    return &s->stats;
}

const struct tsdb_log_stats *store_log_stats(const struct store *s)
{
    return &s->log_stats;
}

const struct history_figures *store_history_figures(const struct store *s)
{
    return &s->history_seen;
}

bool store_is_replaying(const struct store *s)
{
    return s->engine != NULL && s->engine->rules_wait == RULES_WAIT_FOR_REPLAY;
}
