/* serve_priv.h - the parts of the running program, for the files that make it up: serve.c starts and stops them, serve_config.c
 * reads, accepts and keeps its configuration.
 */
#ifndef CLI_SERVE_PRIV_H
#define CLI_SERVE_PRIV_H

#include "api/api.h"
#include "cli/config_keep.h"
#include "cli/config_watch.h"
#include "cli/reload.h"
#include "cli/serve_flags.h"
#include "live/rule_watch.h"
#include "live/configure.h"
#include "os/sandbox.h"
#include "os/signals.h"

struct serve {
    struct store *store;
    const struct serve_flags *flags;
    struct serve_features features;
    str external_url, prefix; /* owned */
    struct budgets budgets;
    struct clock clock;
    struct meter meter;
    struct loop *loop;
    struct pool *pool;
    char host[256];
    struct transport *transport;
    struct shell *shell;
    struct api *api;
    struct heartbeat *heartbeat;
    struct rule_watch *rule_watch;
    struct reloader *reloader;
    struct config_watch *watch;
    struct file_set *good, *before; /* what runs, and what ran before it, as they were read */
    struct config_keep keep;
    const struct diags *refused; /* at the start, when the last good files run */
    struct timer tell_refused;
    struct forward *forward;
    struct recorder *recorder; /* NULL: no events are recorded */
    struct configure parts;
    struct uuid instance; /* tells this process from all others */
    struct signals *signals;
    struct sandbox *sandbox; /* NULL with --sandbox=off */
    struct buf bound;        /* first address as bound */
    struct timer stop_by, tick;
    bool stopping;
};

/* Reads the files as they are, or as they were (a rollback), on a worker when it is a reload. */
struct config *serve_load(void *arg, struct reload_wish wish, struct file_set **set,
                          struct diags *d);
/* What was accepted last, in place of files that were refused for d; NULL: there is none. old: what is said of it. */
struct config *serve_load_last_good(struct serve *s, const struct diags *d, struct diags *old);
void serve_say_loaded(struct serve *s, const struct config *c, const struct diags *d);
/* Keeps and watches the files from here on. refused: of the files as they are, when the last good ones run; else without an
 * error. */
void serve_begin_files(struct serve *s, const struct diags *refused);

/* False: it has said why. */
bool serve_use_bridge(struct serve *s, const struct config *c);

/* For the reloader (reload.h). */
struct config *serve_running(void *arg);
bool serve_settles(void *arg);
bool serve_prepare_reload(void *arg, const struct config *next);
bool serve_finish_reload(void *arg, struct reload_result *r, struct buf *problems);

#endif
