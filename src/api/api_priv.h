/* api_priv.h - what the api's own files share. */
#ifndef API_API_PRIV_H
#define API_API_PRIV_H

#include "api/access.h"
#include "api/api.h"
#include "base/map.h"
#include "codec/json.h"
#include "codec/quote.h"
#include "core/explain.h"
#include "core/receiver_health.h"
#include "live/http_later.h"
#include "model/metric.h"
#include "source/source.h"

/* Bytes of a streamed answer that are written in one go: a third of a millisecond, and a chunk that is cheap to read. */
enum { API_PIECE = 64 << 10 };
/* What a service posts about calls: fifty of them at once. */
enum { RECEIPTS_BODY_MAX = 256 << 10 };

struct http_stat {
    const char *handler; /* static, of the route */
    unsigned method;
    int status;
    struct metric_histogram seconds;
};

struct http_size {
    const char *handler;
    unsigned method;
    struct metric_histogram bytes;
};

struct api {
    struct api_conf conf;
    struct engine *engine;
    struct http_server *server;
    struct http_server *bridge; /* NULL: DingTalk's is not asked for */
    str bridge_address;         /* as configured; owned */
    struct access *access;
    struct refusals refusals;
    struct web *web; /* NULL without --web.config.file */
    ts_ns started;   /* wall */
    bool reload_ok;
    ts_ns reload_at; /* wall; the last that succeeded */
    ts_ns reload_failed_at;
    VEC(struct http_stat) http_stats;
    VEC(struct http_size) http_sizes;
    VEC(uint64_t) twice; /* rules that run elsewhere, too, and were told of: hashes */
    struct http_laters laters;
    struct explain_rule *explaining; /* rules that are asked for */
    size_t n_explaining;
    struct source_asked *asked; /* queries that are at sources */
    size_t n_asked;
    struct board *board;
    struct api_trial *trials; /* tests and drills under way */
    size_t n_trials;
    bool is_storing; /* a backup, or the like, is under way */
};

/* -- answers -- */
void api_json(struct http_req *rq, int status, str body);
void api_fail(struct http_req *rq, int status, str message); /* a JSON string */
void api_refuse(struct http_req *rq, int status, int code, const char *fmt, ...)
    printf_like(4, 5); /* the frame's object */
void api_headers(struct http_req *rq);
/* Whether a query more may be under way; else it has said in the headers when to come again. */
bool api_has_room(const struct api *a, struct http_req *rq);
bool api_expects_json(struct http_req *rq); /* false: it has answered 415 or 422 */
/* Tags the answer by what it is made from. True: the client has it, 304 is sent. */
bool api_is_known(struct http_req *rq, uint64_t version);
/* The same of what is made of the engine's alerts, silences ... alone: CHANGES_OF() them. */
bool api_is_unchanged(struct api *a, struct http_req *rq, unsigned kinds);

/* -- parameters -- */
bool api_param_bool(struct http_req *rq, str name, bool def);
str api_param(struct http_req *rq, str name); /* the last of that name; empty when absent */

/* Text is the request's; what api_filter_release() looks at outlives the answer. */
struct api_filter {
    struct arena arena;
    struct matchers filters;   /* filter= */
    struct matchers receivers; /* receiver_matchers= */
    struct regex *receiver;    /* receiver=, anchored; NULL = any */
};
/* False: it has answered 400. */
bool api_filter_init(struct api *a, struct http_req *rq, struct api_filter *f);
void api_filter_release(struct api_filter *f);
bool api_filter_labels(const struct api_filter *f, struct labels ls);
bool api_filter_set(const struct api_filter *f, const struct label_set *set);
bool api_filter_receiver(const struct api *a, const struct api_filter *f, str name);

/* -- alerts -- */
struct gettable {
    const struct alert *alert;
    const struct alert_status *status;
    const str *receivers;
    size_t n_receivers;
    str muted_by; /* comma-separated */
};
void api_put_alert(struct json_writer *w, const struct gettable *g);

/* rules.c: members of an object that the caller writes around them */
void api_put_rule_alerts(struct api *a, struct json_writer *w, const struct api_filter *f);
void api_put_rule_groups(struct api *a, struct json_writer *w);
/* Members: a duration as text, and as seconds. */
void api_put_duration(struct json_writer *w, const char *key, dur_ns d);
void api_put_seconds(struct json_writer *w, const char *key, dur_ns d);
void api_put_rule_notes(struct json_writer *w, const struct rule_notes *n);

/* -- handlers -- */
void api_get_alerts(struct http_req *rq, void *arg);
void api_post_alerts(struct http_req *rq, void *arg);
void api_get_groups(struct http_req *rq, void *arg);
void api_get_silences(struct http_req *rq, void *arg);
void api_post_silences(struct http_req *rq, void *arg);
void api_get_silence(struct http_req *rq, void *arg);
void api_delete_silence(struct http_req *rq, void *arg);
void api_get_status(struct http_req *rq, void *arg);
void api_get_receivers(struct http_req *rq, void *arg);
void api_get_metrics(struct http_req *rq, void *arg);
void api_get_targets(struct http_req *rq, void *arg);
void api_push(struct http_req *rq, void *arg);
void api_post_storage(struct http_req *rq, void *arg);
void api_get_matchers(struct http_req *rq, void *arg);
void api_get_overview(struct http_req *rq, void *arg);
void api_post_render(struct http_req *rq, void *arg);
void api_get_explain(struct http_req *rq, void *arg);
void api_post_lint(struct http_req *rq, void *arg);
void api_get_rules_health(struct http_req *rq, void *arg);
void api_get_trial_rules(struct http_req *rq, void *arg);
void api_get_notifications(struct http_req *rq, void *arg);
/* Whether rq are alerts that we sent to ourselves: they came in by another way before. */
bool api_is_own_sending(const struct api *a, const struct http_req *rq);

void api_get_page(struct http_req *rq, void *arg);
void api_get_asset(struct http_req *rq, void *arg);
void api_get_routes(struct http_req *rq, void *arg);
void api_get_remote_write(struct http_req *rq, void *arg);
void api_get_whoami(struct http_req *rq, void *arg);
void api_get_board(struct http_req *rq, void *arg);
void api_get_stream(struct http_req *rq, void *arg);
void api_get_labels(struct http_req *rq, void *arg);
void api_get_told(struct http_req *rq, void *arg);
void api_put_decision(struct json_writer *w, const struct decision *d); /* its members */
bool api_fingerprint(str text, uint64_t *fp);                           /* of 16 digits */
uint64_t api_life(const struct api *a);                                 /* of this process */

void api_post_reload(struct http_req *rq, void *arg);
void api_observe(const struct http_req *rq, int status, size_t bytes, dur_ns took, void *arg);
void api_close_bridge(struct api *a);
void api_post_receiver(struct http_req *rq, void *arg);
void api_post_drill(struct http_req *rq, void *arg);
void api_post_receipts(struct http_req *rq, void *arg);
void api_stop_trials(struct api *a);
/* What to do about it, as member "advice": two languages, or null. */
void api_put_advice(struct json_writer *w, str error, int status);

/* -- explain, in words -- */
void explain_text_decision(struct buf *b, const struct decision *d, const struct tz *zone);
void explain_text_alert(struct buf *b, const struct api *a, const struct explanation *x,
                        const struct local_now *l);
void explain_text_silence(struct buf *b, const struct silence *s, size_t matching,
                          const struct local_now *l);
void explain_text_receiver(struct buf *b, const struct receiver_stats *rs, size_t queued,
                           size_t in_flight, const struct local_now *l);

void api_explain_rule(struct api *a, struct http_req *rq, str name);
void api_stop_explaining(struct api *a);
void prom_stop_asking(struct api *a);

/* Answers when everything decided so far is on disk: body for success, 503 with the reason otherwise. Copies body. */
void api_reply_after_commit(struct api *a, struct http_req *rq, int status, str content_type,
                            str body);

#endif
