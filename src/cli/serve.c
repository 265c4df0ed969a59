/* Start-up: log, configuration, clock and loop, sandbox, workers, transport, store, shell with its backend, API, addresses,
 * ready. A stop: no new connections; requests, deliveries and what is forwarded get three seconds to end; then the turn's
 * stop (live/turn.h) brings home what is on workers, within five more, and all that was decided is on the disk; what is left
 * is freed. */
#include "cli/serve.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "os/descriptors.h"
#include "os/log.h"
#include "cli/say.h"
#include "cli/serve_priv.h"
#include "lint/render.h"
#include "live/turn.h"
#include "os/memory_limit.h"
#include "os/random.h"
#include "net/libraries.h"
#include "net/sd_notify.h"
#include "net/transport.h"
#include "net/web_conf.h"
#include "state/lock.h"
#include "state/restore.h"

/* -- the loop -- */

static void wait_for_more(void *arg)
{
    loop_wait(((struct serve *)arg)->loop);
}

static void serve_jumped(void *arg, const struct clock_jump *j)
{
    store_jumped(((struct serve *)arg)->store, j);
}

static void signalled_reload_done(void *arg, bool ok, str text)
{
    (void)arg;
    (void)ok;
    (void)text;
    sd_notify_ready(S("configuration read again"));
}

static void on_reload(struct serve *s)
{
    sd_notify_reloading();
    reloader_ask(s->reloader, (struct reload_wish){0}, signalled_reload_done, s);
}

static void ask_reload(void *arg, struct reload_wish wish,
                       void (*done)(void *ctx, bool ok, str text), void *ctx)
{
    reloader_ask(((struct serve *)arg)->reloader, wish, done, ctx);
}

static void stop_now(struct timer *t, struct now now)
{
    (void)now;
    loop_stop(container_of(t, struct serve, stop_by)->loop);
}

static void on_stop(struct serve *s)
{
    if (s->stopping) {
        loop_stop(s->loop);
        return;
    }
    s->stopping = true;
    log_info("shutting down");
    sd_notify_stopping();
    if (s->recorder != NULL)
        recorder_stops(s->recorder, s->clock.now.wall);
    api_drain(s->api);
    timer_arm(&s->clock, &s->stop_by, ts_add(s->clock.now.mono, 3 * NS_PER_S));
    timer_arm(&s->clock, &s->tick, s->clock.now.mono);
}

static void on_signal(int signo, void *arg)
{
    if (signo == SIGHUP)
        on_reload(arg);
    else
        on_stop(arg);
}

/* Twenty times a second while stopping: nothing is left to wait for? Otherwise the watchdog of systemd. A pause is noticed
 * by it, too: there is always a timer that is due within a second. */
static void serve_tick(struct timer *t, struct now now)
{
    struct serve *s = container_of(t, struct serve, tick);

    if (s->stopping && api_open(s->api) == 0 && notify_under_way(shell_notify(s->shell)) == 0 &&
        forward_waiting(s->forward) == 0 &&
        (s->recorder == NULL || recorder_waiting(s->recorder) == 0))
        loop_stop(s->loop);
    sd_notify_watchdog();
    log_close_windows(false);
    timer_arm(&s->clock, t, ts_add(now.mono, s->stopping ? NS_PER_S / 20 : NS_PER_S));
}

/* Without --web.external-url links name this host and the port that was bound, as Alertmanager's do. */
static void derive_external_url(struct serve *s)
{
    if (s->flags->external_url[0] == '\0' && s->bound.n != 0) {
        mem_str_free(s->external_url);
        s->external_url = serve_own_url(buf_str(&s->bound));
        shell_set_external_url(s->shell, s->external_url);
    }
    log_info("messages link to", LOG_STR("external_url", s->external_url));
}

static bool listen_all(struct serve *s)
{
    struct err e = ERR_INIT;

    if (s->flags->systemd_socket) {
        int fds[SD_LISTEN_MAX];
        size_t n = sd_listen_fds(fds);

        for (size_t i = 0; i < n; i++)
            if (!http_server_listen_fd(api_server(s->api), fds[i], &e)) {
                log_error("cannot listen", LOG_ERR(&e));
                return false;
            }
        log_info("Listening on", LOG_I64("systemd_sockets", n));
        return n > 0;
    }
    for (size_t i = 0; i < s->flags->listen.n; i++) {
        struct buf bound = BUF_INIT;

        if (!http_server_listen(api_server(s->api), str_of(s->flags->listen.v[i]), &bound, &e)) {
            log_error("cannot listen", LOG_Z("address", s->flags->listen.v[i]), LOG_ERR(&e));
            buf_release(&bound);
            return false;
        }
        log_info("Listening on", LOG_STR("address", buf_str(&bound)));
        if (i == 0)
            buf_add(&s->bound, buf_str(&bound));
        buf_release(&bound);
    }
    return true;
}

/* Every decision of the engine, for --log.level=debug. */
static void log_decision(void *arg, const struct decision *d)
{
    char fingerprint[17] = "";

    (void)arg;
    if (d->fingerprint != 0)
        snprintf(fingerprint, sizeof(fingerprint), "%016llx", (unsigned long long)d->fingerprint);
    log_debug("decision", LOG_Z("kind", decision_kind_text(d->kind)),
              LOG_STR("group", d->group_key), LOG_Z("alert", fingerprint),
              LOG_STR("receiver", d->receiver), LOG_STR("integration", d->integration),
              LOG_I64("index", d->index), LOG_STR("why", d->why), LOG_STR("by", d->by));
}

static void forward_sent(void *arg, const struct alert_input *v, size_t n)
{
    forward_alerts(((struct serve *)arg)->forward, v, n);
}

static void serve_happened(void *arg, const struct recorded_event *v, size_t n)
{
    struct serve *s = arg;

    if (s->recorder != NULL)
        recorder_take(s->recorder, v, n, s->clock.now.wall);
}

static str storage_of(const struct serve *s, const struct config *conf)
{
    return conf->storage.path.n != 0 ? conf->storage.path : str_of(s->flags->storage_path);
}

static void store_damaged(void *arg, str state, str why)
{
    shell_tell_damage(((struct serve *)arg)->shell, state, why);
}

static void remote_failing(void *arg, str title, bool is_failing, str why)
{
    struct event ev = {.kind = EVENT_BUILTIN,
                       .builtin = {.kind = BUILTIN_REMOTE_WRITE_FAILING,
                                   .raised = is_failing,
                                   .subject = title,
                                   .why = why}};

    shell_event(((struct serve *)arg)->shell, &ev, NULL);
}

/* A line each of what was found when the state was opened. */
static void serve_tell_damage(struct serve *s, str notice, size_t unreadable)
{
    char rows[64];

    while (notice.n != 0)
        shell_tell_damage(s->shell, S("alerts and rows"), str_cut(&notice, '\n'));
    if (unreadable == 0)
        return;
    snprintf(rows, sizeof(rows), "%zu rows cannot be read", unreadable);
    shell_tell_damage(s->shell, S("rows"), str_of(rows));
}

/* -- what is pushed: rows of the shell's commits -- */

static void serve_put_push(void *arg, str path, str body)
{
    shell_put_row(((struct serve *)arg)->shell, STATE_PUSH, path, body);
}

static void drop_push(void *arg, str path)
{
    shell_delete_row(((struct serve *)arg)->shell, STATE_PUSH, path);
}

static void after_push(void *arg, void (*done)(void *of, bool ok, const struct err *e), void *of)
{
    shell_after_commit(((struct serve *)arg)->shell, done, of);
}

static bool restore_pushes(void *arg, const struct state_reader *from, struct err *e)
{
    struct serve *s = arg;
    const struct push_keeper keeper = {
        .put = serve_put_push, .drop = drop_push, .after = after_push, .arg = s};

    return store_restore(s->store, from, config_of(shell_engine(s->shell)->conf), &keeper, e);
}

static void snapshot_pushes(void *arg, struct state_commit *c)
{
    store_snapshot(((struct serve *)arg)->store, c);
}

static bool start_shell(struct serve *s, struct config *conf)
{
    struct shell_parts parts = {.clock = &s->clock,
                                .seed = random_u64(),
                                .pool = s->pool,
                                .transport = s->transport,
                                .conf = conf,
                                .db = store_db(s->store),
                                .mode = s->features.mode,
                                .retention = conf->storage.retention > 0 ? conf->storage.retention
                                                                         : s->flags->retention,
                                .start_delay = s->flags->start_delay,
                                .shadow = s->flags->shadow,
                                .external_url = s->external_url,
                                .decided = log_decision,
                                .forward = forward_sent,
                                .happened = serve_happened,
                                .restore = restore_pushes,
                                .snapshot = snapshot_pushes,
                                .jumped = serve_jumped,
                                .arg = s,
                                .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL};
    struct state_shell cb;
    struct state_backend *b;
    struct buf notice = BUF_INIT;
    struct err e = ERR_INIT;
    size_t unreadable = 0;
    str dir = storage_of(s, conf);
    bool ok;

    if (parts.shadow)
        log_warn("shadow: notifications are decided and rendered, none is sent");
    s->shell = shell_new(&parts);
    cb = shell_state_callbacks(s->shell);
    cb.base = loop_base(s->loop);
    b = state_is_restored(dir, &e) ? state_sqlite_open(dir, &cb, &s->clock, &notice, &e) : NULL;
    if (b == NULL) {
        log_error("cannot open the state", LOG_STR("path", dir), LOG_ERR(&e));
        buf_release(&notice);
        return false;
    }
    silencer_set_limits(shell_engine(s->shell)->silencer,
                        (struct silencer_limits){(size_t)s->flags->max_silences,
                                                 (size_t)s->flags->max_silence_size});
    shell_engine(s->shell)->limits =
        (struct alert_limits){.per_alertname = (size_t)s->flags->per_alertname_limit,
                              .alerts = (size_t)s->flags->max_alerts,
                              .groups = (size_t)s->flags->max_groups};
    if (s->features.alert_names)
        limits_count_names(&shell_engine(s->shell)->limits);
    ok = shell_start(s->shell, b, &unreadable, &e);
    if (!ok)
        log_error("cannot read the state", LOG_ERR(&e));
    if (ok)
        serve_tell_damage(s, buf_str(&notice), unreadable);
    buf_release(&notice);
    if (ok)
        store_start(s->store, shell_engine(s->shell), dir, conf);
    return ok;
}

static bool use_web_config(struct serve *s)
{
    struct diags d;
    struct err e = ERR_INIT;
    bool ok = true;

    if (s->flags->web_config[0] == '\0')
        return true;
    diags_init(&d);
    ok = api_use_web_config(s->api, str_of(s->flags->web_config), &d, &e);
    if (!ok) {
        diags_print(stderr, &d);
        say(stderr, "tocsin: --web.config.file: %s\n", e.msg);
    }
    diags_release(&d);
    return ok;
}

static void each_flag(void *arg, void (*each)(void *each_arg, str name, str value), void *each_arg)
{
    const struct serve *s = arg;

    command_each_flag(serve_flag_table, s->flags, each, each_arg);
}

static void share_descriptors(struct descriptors *d)
{
    enum { ENOUGH = 4096 };

    descriptors_share(d);
    if (d->limit < ENOUGH)
        log_warn(
            "few file descriptors: pages keep theirs, fewer clients and scrapes are served at once",
            LOG_I64("limit", d->limit), LOG_I64("clients", d->clients),
            LOG_I64("transfers", d->transfers));
}

static void init_budgets(struct serve *s)
{
    size_t has = memory_limit(), wanted = (size_t)s->flags->memory;

    budgets_init(&s->budgets, wanted != 0 && (has == 0 || wanted < has) ? wanted : has);
    log_info("memory for what is under way", LOG_I64("request_bodies", s->budgets.bodies.limit),
             LOG_I64("scrapes", s->budgets.scrapes.limit));
}

static void read_web_files(struct sandbox *b, const char *path)
{
    struct web_conf web = {0};
    struct err e = ERR_INIT;
    struct arena a;
    struct diags d;

    sandbox_read(b, str_of(path));
    arena_init(&a, 0);
    diags_init(&d);
    if (web_conf_load(str_of(path), &a, &web, &d, &e) && web.tls != NULL) {
        sandbox_read(b, web.tls->cert.file);
        sandbox_read(b, web.tls->key.file);
        sandbox_read(b, web.tls->client_ca.file);
    } /* else whoever uses it says what is wrong */
    diags_release(&d);
    arena_release(&a);
}

/* Files that others move away and make anew. */
static void write_beside(struct sandbox *b, str path)
{
    size_t n = path.n;

    while (n != 0 && path.p[n - 1] != '/')
        n--;
    sandbox_write(b, n > 1 ? str_sub(path, 0, n - 1) : n == 1 ? S("/") : S("."));
}

/* Before any thread is there, which would not be confined. */
static void enter_sandbox(struct serve *s, const struct config *conf)
{
    str dir = storage_of(s, conf);
    struct sandbox *b;

    if (strcmp(s->flags->sandbox, "off") == 0)
        return;
    b = sandbox_new();
    for (size_t i = 0; i < conf->n_files; i++)
        sandbox_read(b, conf->files[i]);
    for (size_t i = 0; i < conf->n_named; i++)
        sandbox_read(b, conf->named[i]);
    if (s->flags->web_config[0] != '\0')
        read_web_files(b, s->flags->web_config);
    VEC_EACH (const char *const *, address, &s->flags->listen)
        if (str_starts_with(str_of(*address), S("unix:")))
            sandbox_listen(b, str_sub(str_of(*address), 5, strlen(*address)));
    for (size_t i = 0; conf->recorder != NULL && i < conf->recorder->files.n; i++)
        write_beside(b, conf->recorder->files.v[i].path);
    (void)!state_dir_make(dir, NULL); /* else its opening says why */
    sandbox_write(b, dir);
    if (s->flags->keep_last_good[0] != '\0') {
        (void)!state_dir_make(str_of(s->flags->keep_last_good),
                              NULL); /* else the keeping says why */
        sandbox_write(b, str_of(s->flags->keep_last_good));
    }
    sandbox_enter(b);
    s->sandbox = b;
}

/* refused: of the files as they are, when the last good ones run instead; else without an error. */
static int cli_serve_run(struct serve *s, struct config *conf, const struct diags *refused)
{
    struct api_conf ac = {
        .prefix = s->prefix, .reload = ask_reload, .each_flag = each_flag, .arg = s};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct descriptors descriptors;

    share_descriptors(&descriptors);
    clock_init(&s->clock);
    clock_update(&s->clock);
    s->loop = loop_new(&s->clock);
    enter_sandbox(s, conf);
    s->pool = pool_new(loop_base(s->loop), (unsigned)(cores < 1 ? 1 : cores > 8 ? 8 : cores));
    s->transport = transport_new_curl(loop_base(s->loop), &s->clock, descriptors.transfers);
    init_budgets(s);
    gethostname(s->host, sizeof(s->host) - 1);
    s->store = store_new(&(struct store_parts){.budgets = &s->budgets,
                                               .clock = &s->clock,
                                               .pool = s->pool,
                                               .host = str_of(s->host),
                                               .transport = s->transport,
                                               .damaged = store_damaged,
                                               .remote_failing = remote_failing,
                                               .arg = s},
                         conf);
    s->instance = uuid_of(random_u64(), random_u64());
    s->forward = forward_new(s->transport, &s->clock, uuid_str(&s->instance));
    if (s->features.event_recorder)
        s->recorder = recorder_new(s->transport, &s->clock, str_of(s->host));
    if (!start_shell(s, conf))
        return EXIT_FAILED;
    s->heartbeat = heartbeat_new(s->shell, s->transport, &s->clock);
    s->rule_watch = rule_watch_new(s->shell, s->store, &s->clock, s->pool);
    s->parts = (struct configure){.shell = s->shell,
                                  .heartbeat = s->heartbeat,
                                  .store = s->store,
                                  .forward = s->flags->shadow ? NULL : s->forward,
                                  .recorder = s->recorder};
    ac.shell = s->shell;
    ac.loop = s->loop;
    ac.transport = s->transport;
    ac.is_shadow = s->flags->shadow;
    ac.pool = s->pool;
    ac.budgets = &s->budgets;
    ac.has_receiver_names = s->features.receiver_names;
    ac.has_group_keys = s->features.group_keys;
    ac.log_silences = s->flags->log_silences;
    ac.max_body = (size_t)s->flags->max_body;
    ac.max_connections = descriptors.clients;
    ac.max_gets = s->flags->max_gets > 0 ? (unsigned)s->flags->max_gets : 0;
    ac.max_queries = s->flags->max_queries > 0 ? (unsigned)s->flags->max_queries : 0;
    ac.answer_timeout = s->flags->answer_timeout > 0 ? s->flags->answer_timeout : 0;
    ac.store = s->store;
    ac.rule_watch = s->rule_watch;
    ac.storage = storage_of(s, conf);
    ac.forward = s->forward;
    ac.recorder = s->recorder;
    ac.instance = uuid_str(&s->instance);
    s->api = api_new(&ac);
    if (!use_web_config(s))
        return EXIT_FAILED;
    s->reloader = reloader_new(&(struct reloader_parts){.pool = s->pool,
                                                        .db = store_db(s->store),
                                                        .running = serve_running,
                                                        .load = serve_load,
                                                        .prepare = serve_prepare_reload,
                                                        .settles = serve_settles,
                                                        .clock = &s->clock,
                                                        .slices = shell_slices(s->shell),
                                                        .finish = serve_finish_reload,
                                                        .arg = s});
    s->signals = signals_new(loop_base(s->loop), on_signal, s);
    if (!listen_all(s) || !serve_use_bridge(s, conf))
        return EXIT_FAILED;
    derive_external_url(s);
    configure_begin(&s->parts, conf);
    if (s->recorder != NULL)
        recorder_started(s->recorder, S("0.34.0"), S("(tocsin " TOCSIN_VERSION ")"),
                         s->clock.now.wall);
    serve_begin_files(s, refused);
    s->stop_by.fire = stop_now;
    s->tick.fire = serve_tick;
    timer_arm(&s->clock, &s->tick, ts_add(s->clock.now.mono, NS_PER_S));
    sd_notify_ready(S("serving"));
    meter_begin(&s->meter);
    s->clock.meter = &s->meter;
    while (!loop_is_stopping(s->loop))
        turn(s->shell, wait_for_more, s);
    return EXIT_OK;
}

/* Nobody waits for an answer any more. */
static void serve_leave(void *arg)
{
    struct serve *s = arg;

    config_watch_stop(s->watch);
    rule_watch_stop(s->rule_watch);
    reloader_stop(s->reloader);
    api_stop(s->api);
    store_stop(s->store);
}

/* A name server that does not answer, say. All that was decided is on the disk; what runs touches what would be freed. */
static _Noreturn void leave_behind(int code)
{
    log_warn("some work does not end: it is left behind");
    log_close_windows(true);
    _exit(code);
}

/* What jobs touch outlives them: everything stops before anything goes. */
static void tear_down(struct serve *s, int code)
{
    if (s->signals != NULL)
        signals_free(s->signals);
    timer_cancel(&s->clock, &s->stop_by);
    timer_cancel(&s->clock, &s->tick);
    timer_cancel(&s->clock, &s->tell_refused);
    if (s->reloader != NULL && !turn_stop(s->shell, serve_leave, s))
        leave_behind(code);
    store_stop(s->store);
    if (s->pool != NULL)
        pool_settle(s->pool);
    store_save(s->store);
    api_free(s->api);
    rule_watch_free(s->rule_watch);
    heartbeat_free(s->heartbeat);
    config_watch_free(s->watch);
    config_keep_release(&s->keep);
    reloader_free(s->reloader);
    file_set_free(s->good);
    file_set_free(s->before);
    shell_free(s->shell);
    forward_free(s->forward);
    recorder_free(s->recorder);
    configure_release(&s->parts);
    store_free(s->store);
    pool_free(s->pool);
    if (s->transport != NULL)
        transport_free(s->transport);
    if (s->loop != NULL)
        loop_free(s->loop);
    clock_release(&s->clock);
    sandbox_free(s->sandbox);
    buf_release(&s->bound);
    mem_str_free(s->external_url);
    mem_str_free(s->prefix);
}

int serve_run(const void *flags, char **args, int n_args)
{
    struct serve s = {.flags = flags};
    struct diags d, old;
    struct config *conf;
    int code;

    if (n_args != 0) {
        say(stderr, "tocsin: serve takes no argument, got '%s'\n", args[0]);
        return EXIT_USAGE;
    }
    if (!serve_flags_check(s.flags, &s.features) ||
        !serve_flags_urls(s.flags, &s.external_url, &s.prefix))
        return EXIT_FAILED;
    libraries_set_up();
    signal(SIGPIPE, SIG_IGN);
    log_info("starting tocsin", LOG_Z("version", TOCSIN_VERSION));
    diags_init(&d);
    diags_init(&old);
    conf = serve_load(&s, (struct reload_wish){0}, &s.good, &d);
    if (conf == NULL)
        conf = serve_load_last_good(&s, &d, &old);
    if (conf == NULL) {
        diags_release(&d);
        diags_release(&old);
        file_set_free(s.good);
        mem_str_free(s.external_url);
        mem_str_free(s.prefix);
        curl_global_cleanup();
        return EXIT_FAILED;
    }
    serve_say_loaded(&s, conf, d.errors != 0 ? &old : &d);
    code = cli_serve_run(&s, conf, &d);
    diags_release(&d);
    diags_release(&old);
    tear_down(&s, code);
    log_close_windows(true);
    curl_global_cleanup();
    return code;
}
