/* api.h - the HTTP interface: Alertmanager's v2 API, health, reload, metrics.
 *
 * Shapes   answers of any size are streamed; request bodies are limited per route (api.c has the table).
 * Errors   two families, as Alertmanager's: handlers answer a JSON string (400, 404, 500), the frame an object
 *          {"code": n, "message": "..."} (404, 405, 406, 415, 422).
 * Owns     the api owns its server; shell, pool and clock are borrowed.
 * Cost     GET answers hold references on what they list, not copies.
 * Source   alertmanager.md 4; openapi of 0.34.
 */
#ifndef API_API_H
#define API_API_H

#include "live/shell.h"
#include "live/rule_watch.h"
#include "live/store.h"
#include "forward/forward.h"
#include "recorder/recorder.h"
#include "os/loop.h"
#include "os/pool.h"
#include "net/http_server.h"

struct api;

/* What is asked for beside reading the configuration again. */
struct reload_wish {
    bool is_dry_run;      /* nothing is put in force */
    bool allows_no_route; /* although the running one has one */
    bool is_rollback;     /* to what ran before, as it was read then */
};

struct api_conf {
    struct shell *shell;
    struct loop *loop;
    struct transport *transport; /* borrowed: what tests and drills are sent by */
    bool is_shadow;              /* and they are not: --notify.shadow */
    struct pool *pool;
    struct budgets *budgets;       /* borrowed; NULL: no limits */
    struct rule_watch *rule_watch; /* NULL: nobody watches */
    struct store *store;           /* our own samples */
    str prefix;                    /* "" or "/x" */
    size_t max_body;               /* of a POST of alerts; 0 = 64 MiB */
    unsigned max_connections;      /* 0 = 1,024 */
    unsigned max_gets;             /* 0 = no limit */
    unsigned max_queries;          /* under way; 0 = no limit */
    dur_ns answer_timeout;         /* 0 = none */
    struct forward *forward;       /* to other Alertmanagers, borrowed; NULL: nothing is */
    struct recorder *recorder;     /* borrowed; NULL: no events are recorded */
    str storage;                   /* the folder of what lasts */
    str instance;                  /* what forward says that it is */
    bool log_silences;
    bool has_receiver_names, has_group_keys; /* as labels of metrics */
    /* Calls each(arg, name, value) for every flag, as /api/v1/status/flags shows them. */
    void (*each_flag)(void *arg, void (*each)(void *each_arg, str name, str value), void *each_arg);
    /* Reads the configuration again and tells later, from the loop: text holds all problems when it fails. */
    void (*reload)(void *arg, struct reload_wish wish, void (*done)(void *ctx, bool ok, str text),
                   void *ctx);
    void *arg;
};

struct api *api_new(const struct api_conf *conf);
/* Listens, or does not any more, for Alertmanagers that think of us as the DingTalk bridge. False: what was there stays. */
bool api_use_bridge(struct api *a, const struct config *c, struct err *e) must_check;
void api_drain(struct api *a);        /* no new connections */
size_t api_open(const struct api *a); /* connections */
void api_stop(struct api *a); /* nobody is answered any more; jobs under way come back to it */
void api_free(struct api *a);
struct http_server *api_server(struct api *a);

/* Puts --web.config.file in force. False: the problems are in d, or in e. */
bool api_use_web_config(struct api *a, str path, struct diags *d, struct err *e) must_check;

/* What serve tells about reloads, for status and metrics. */
void api_note_reload(struct api *a, bool ok, ts_ns at);

/* For documents: the rows of the table of routes, and of all metrics of our own. */
struct buf;
struct metric;
void api_print_markdown(struct buf *out);
void api_each_metric(void (*each)(void *arg, const struct metric *m), void *arg);

#endif
