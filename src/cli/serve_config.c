/* The configuration of the running program: read, accepted or refused, told, kept for a start with files that are refused, and
 * watched. */
#include "cli/serve_priv.h"

#include <stdio.h>
#include "cli/config_paths.h"
#include "core/reroute.h"
#include "lint/render.h"
#include "os/log.h"

static bool may_read(const void *sandbox, str path)
{
    return sandbox_may_read(sandbox, path);
}

/* On a worker when it is a reload: reads only the flags, the environment and the sandbox, which nobody changes. */
static struct config *serve_config_load_files(const struct serve *s, const struct files *files,
                                              struct diags *d)
{
    struct config_options o = {.mode = s->features.mode,
                               .records_events = s->features.event_recorder,
                               .tolerates_rules = s->flags->tolerate_rules,
                               .files = files,
                               .may_read = may_read,
                               .arg = s->sandbox};
    str *paths = config_paths(s->flags->config_files, &o.n_paths);
    struct config *c;

    o.paths = paths;
    c = config_load(&o, d);
    mem_free(paths);
    return c;
}

/* What ran before stays as long as a reading goes on: only the end of one replaces it. */
struct config *serve_load(void *arg, struct reload_wish wish, struct file_set **set,
                          struct diags *d)
{
    const struct serve *s = arg;
    struct files files = {.into = *set = file_set_new()};

    if (!wish.is_rollback)
        return serve_config_load_files(s, &files, d);
    if (s->before == NULL) {
        diags_add(d, DIAG_ERROR, "C014", (struct diag_place){.line = 1, .col = 1},
                  "no other configuration has run since the start");
        return NULL;
    }
    files.from = s->before;
    return serve_config_load_files(s, &files, d);
}

enum { WARNINGS_SAID = 100 };

/* All of them, for each has a cure of its own; of very many the rest is counted. */
static void say_warnings(const struct diags *d)
{
    size_t said = 0, left = 0;

    for (size_t i = 0; i < d->n; i++) {
        const struct diag *g = &d->v[i];
        char place[512];

        if (g->severity == DIAG_INFO)
            continue;
        if (said == WARNINGS_SAID) {
            left++;
            continue;
        }
        said++;
        snprintf(place, sizeof(place), "%.*s:%d:%d", STR(g->place.file), g->place.line,
                 g->place.col);
        log_warn_each("configuration", LOG_Z("at", place), LOG_Z("id", g->id),
                      LOG_STR("problem", g->message));
    }
    if (left != 0)
        log_warn("configuration: more warnings were left out", LOG_I64("left_out", left));
}

void serve_say_loaded(struct serve *s, const struct config *c, const struct diags *d)
{
    size_t rules = 0, used = 0;

    for (size_t i = 0; i < c->n_groups; i++)
        rules += c->groups[i].n_rules;
    for (size_t i = 0; i < c->n_receivers; i++)
        used += c->receivers[i].is_used;
    say_warnings(d);
    if (c->n_skipped != 0)
        log_error("rules with errors were left out", LOG_I64("rules", c->n_skipped));
    log_info("configuration loaded", LOG_I64("files", c->n_files), LOG_I64("groups", c->n_groups),
             LOG_I64("rules", rules), LOG_I64("receivers", c->n_receivers),
             LOG_I64("receivers_used", used), LOG_I64("sources", c->n_sources),
             LOG_Z("storage", s->flags->storage_path));
    if (c->route == NULL)
        log_warn("there is no route: alerts are evaluated and shown, none is delivered");
}

/* A dry run answers with it, a reload logs it. */
static void tell_rerouted(struct serve *s, const struct config *next, bool dry_run,
                          struct buf *answer)
{
    struct buf lines = BUF_INIT;
    size_t n = engine_reroutes(shell_engine(s->shell), &next->core, s->clock.now, &lines);

    if (n != 0 && dry_run)
        buf_addf(answer, "%zu live alerts change receiver:\n%.*s", n, STR(buf_str(&lines)));
    else if (n != 0)
        log_warn("live alerts change receiver", LOG_I64("alerts", n),
                 LOG_STR("which", buf_str(&lines)));
    buf_release(&lines);
}

struct config *serve_running(void *arg)
{
    return config_of(shell_engine(((struct serve *)arg)->shell)->conf);
}

static void note_reload(struct serve *s, bool ok, const struct diags *d, str problems)
{
    struct event ev = {.kind = EVENT_BUILTIN,
                       .builtin = {.kind = BUILTIN_RELOAD_FAILED, .raised = !ok}};
    struct err why = ERR_INIT;

    if (!ok) {
        const struct diag *first = d->v;

        while (first->severity != DIAG_ERROR)
            first++;
        err_set(&why, ERR_INVALID, "%zu problems, the first: %.*s:%d: %.*s", d->errors,
                STR(first->place.file), first->place.line, STR(first->message));
        ev.builtin.why = str_of(why.msg);
        log_error("reload refused, the old configuration stays", LOG_I64("problems", d->errors),
                  LOG_STR("all", problems));
    }
    api_note_reload(s->api, ok, s->clock.now.wall);
    shell_event(s->shell, &ev, NULL);
}

bool serve_use_bridge(struct serve *s, const struct config *c)
{
    struct err e = ERR_INIT;
    bool ok = api_use_bridge(s->api, c, &e);

    if (!ok)
        log_error("cannot listen", LOG_ERR(&e));
    return ok;
}

/* A rollback does not touch the disk: what is refused there is not to be loaded again by itself. Reading the same again
 * leaves what ran before. */
static void take_files(struct serve *s, struct reload_result *r)
{
    struct file_set *now = r->wish.is_rollback ? s->before : r->set;

    if (!r->wish.is_rollback) {
        config_watch_loaded(s->watch, file_set_sum(now));
        if (file_set_sum(now) == file_set_sum(s->good))
            return;
        file_set_free(s->before);
        r->set = NULL;
    }
    s->before = s->good;
    s->good = now;
    config_keep_put(&s->keep, now);
}

/* The last thing that may fail. */
static bool moves_bridge(struct serve *s, const struct config *next, struct diags *d)
{
    struct err e = ERR_INIT;

    if (api_use_bridge(s->api, next, &e))
        return true;
    diags_add(d, DIAG_ERROR, "C009", next->bridge->place, "%s", e.msg);
    return false;
}

bool serve_finish_reload(void *arg, struct reload_result *r, struct buf *problems)
{
    struct serve *s = arg;
    bool allows_no_route = r->wish.allows_no_route || s->flags->allow_no_route;
    bool ok = r->config != NULL && configure_check(&s->parts, r->config, allows_no_route, &r->d) &&
              (r->wish.is_dry_run || moves_bridge(s, r->config, &r->d));

    diags_render_plain(problems, &r->d);
    if (!r->wish.is_dry_run)
        note_reload(s, ok, &r->d, buf_str(problems));
    if (!ok)
        return false;
    tell_rerouted(s, r->config, r->wish.is_dry_run, problems);
    if (r->wish.is_dry_run)
        return true;
    serve_say_loaded(s, r->config, &r->d);
    configure_put(&s->parts, r->config, r->ahead);
    take_files(s, r);
    r->config = NULL;
    r->ahead = NULL;
    return true;
}

bool serve_prepare_reload(void *arg, const struct config *next)
{
    return configure_prepare(&((struct serve *)arg)->parts, next);
}

bool serve_settles(void *arg)
{
    return engine_rules_inherit(shell_engine(((struct serve *)arg)->shell));
}

/* The files have changed and stand still. */
static void on_change(void *arg)
{
    struct serve *s = arg;

    log_info("the configuration's files have changed: they are read again");
    reloader_ask(s->reloader, (struct reload_wish){0}, NULL, NULL);
}

static struct config *watched(void *arg)
{
    return config_ref(serve_running(arg));
}

/* In the first turn: the alert is an event like any other. */
static void tell_refused(struct timer *t, struct now now)
{
    struct serve *s = container_of(t, struct serve, tell_refused);
    struct buf problems = BUF_INIT;

    (void)now;
    diags_render_plain(&problems, s->refused);
    note_reload(s, false, s->refused, buf_str(&problems));
    buf_release(&problems);
}

void serve_begin_files(struct serve *s, const struct diags *refused)
{
    config_keep_init(&s->keep, s->flags->keep_last_good, s->pool);
    if (refused->errors != 0) {
        s->refused = refused;
        s->tell_refused.fire = tell_refused;
        timer_arm(&s->clock, &s->tell_refused, s->clock.now.mono);
    } else {
        config_keep_put(&s->keep, s->good);
    }
    if (s->flags->auto_reload == 0)
        return;
    s->watch = config_watch_new(&(struct config_watch_parts){.clock = &s->clock,
                                                             .pool = s->pool,
                                                             .interval = s->flags->auto_reload,
                                                             .files = s->flags->config_files,
                                                             .running = watched,
                                                             .changed = on_change,
                                                             .arg = s});
    if (refused->errors == 0)
        config_watch_loaded(s->watch, file_set_sum(s->good));
}

/* A machine that comes up again at night, after an edit that nobody has tried, is worth more with yesterday's rules than with
 * none. d: why the files were refused. */
struct config *serve_load_last_good(struct serve *s, const struct diags *d, struct diags *old)
{
    struct config *c = NULL;
    struct files files = {NULL, NULL};
    struct file_set *kept;

    diags_print(stderr, d);
    log_error("the configuration was refused", LOG_I64("problems", d->errors));
    kept = config_keep_read(s->flags->keep_last_good);
    files.from = kept;
    if (kept != NULL)
        c = serve_config_load_files(s, &files, old);
    if (kept != NULL && c == NULL) {
        diags_print(stderr, old);
        log_error("the files that were accepted last are refused, too");
        file_set_free(kept);
    }
    if (c == NULL)
        return NULL;
    log_error("the files that were accepted last run instead",
              LOG_Z("kept_in", s->flags->keep_last_good));
    file_set_free(s->good);
    s->good = kept;
    return c;
}
