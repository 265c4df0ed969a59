/* Alertmanager's names where it has one, our own beside them. Each row of the table below is written by the function that
 * follows its block, in the order of the table. */
#include "api/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "core/fallback.h"

enum m {
    M_ALERTS,
    M_RECEIVED,
    M_INVALID,
    M_NOTIFICATIONS,
    M_FAILED,
    M_REQUESTS,
    M_REQUESTS_FAILED,
    M_LATENCY,
    M_SUPPRESSED,
    M_GROUPS,
    M_HASH,
    M_RELOAD_OK,
    M_RELOAD_AT,
    M_RECEIVERS,
    M_INTEGRATIONS,
    M_INHIBITION_RULES,
    M_HTTP_SECONDS,
    M_SILENCES,
    M_SILENCES_STORED,
    M_SILENCES_VERSIONS,
    M_SILENCES_INDEX,
    M_SILENCES_QUERIES,
    M_SILENCES_SCANNED,
    M_NFLOG_QUERIES,
    M_NFLOG_MISSES,
    M_LIMIT_BY_NAME,
    M_LIMITED_BY_NAME,
    M_GROUP_LIMIT,
    M_IN_FLIGHT,
    M_REFUSED_GETS,
    M_REFUSED,
    M_SIZES,
    M_BUILD,
    M_OWN_BUILD,
    M_LIMITED,
    M_LAG,
    M_LAG_MAX,
    M_TURN,
    M_TURN_MAX,
    M_TURN_LAG,
    M_TURN_LONGEST,
    M_OUTBOX,
    M_OUTBOX_AGE,
    M_LAST_SUCCESS,
    M_LAST_FAILURE,
    M_RECEIVER_FAILING,
    M_DAY,
    M_DAY_SPENT,
    M_COMMITS,
    M_COMMITS_FAILED,
    M_COMMIT_SECONDS,
    M_STORE_SIZE,
    M_LOG_SIZE,
    M_DEGRADED,
    M_DAMAGED,
    M_STEPS,
    M_PAUSES,
    M_METRICS_REQUESTS,
    M_START,
    M_RSS,
    M_VIRTUAL,
    M_CPU,
    M_OPEN_FDS,
    M_BUDGET,
    M_BUDGET_USED,
    M_BUDGET_REFUSED,
    M_FDS,
};

enum { ALERTS_A_TURN = 1000 };

static const struct metric rows[] = {
    [M_ALERTS] = {"alertmanager_alerts", EXPO_GAUGE, "Alerts by state."},
    [M_RECEIVED] = {"alertmanager_alerts_received_total", EXPO_COUNTER, "Alerts that were posted."},
    [M_INVALID] = {"alertmanager_alerts_invalid_total", EXPO_COUNTER,
                   "Posted alerts that were refused."},
    [M_NOTIFICATIONS] = {"alertmanager_notifications_total", EXPO_COUNTER,
                         "Notifications, sent or given up."},
    [M_FAILED] = {"alertmanager_notifications_failed_total", EXPO_COUNTER,
                  "Notifications that were given up."},
    [M_REQUESTS] = {"alertmanager_notification_requests_total", EXPO_COUNTER,
                    "Attempts, with retries."},
    [M_REQUESTS_FAILED] = {"alertmanager_notification_requests_failed_total", EXPO_COUNTER,
                           "Attempts that failed."},
    [M_LATENCY] = {"alertmanager_notification_latency_seconds", EXPO_HISTOGRAM,
                   "How long an attempt takes."},
    [M_SUPPRESSED] = {"alertmanager_notifications_suppressed_total", EXPO_COUNTER,
                      "Alerts kept from a notification."},
    [M_GROUPS] = {"alertmanager_dispatcher_aggregation_groups", EXPO_GAUGE,
                  "Groups that hold alerts."},
    [M_HASH] = {"alertmanager_config_hash", EXPO_GAUGE, "Hash of the configuration in force."},
    [M_RELOAD_OK] = {"alertmanager_config_last_reload_successful", EXPO_GAUGE,
                     "Whether the last reload was accepted."},
    [M_RELOAD_AT] = {"alertmanager_config_last_reload_success_timestamp_seconds", EXPO_GAUGE,
                     "When a reload was last accepted."},
    [M_RECEIVERS] = {"alertmanager_receivers", EXPO_GAUGE, "Configured receivers."},
    [M_INTEGRATIONS] = {"alertmanager_integrations", EXPO_GAUGE, "Configured integrations."},
    [M_INHIBITION_RULES] = {"alertmanager_inhibition_rules", EXPO_GAUGE,
                            "Configured inhibition rules."},
    [M_HTTP_SECONDS] = {"alertmanager_http_request_duration_seconds", EXPO_HISTOGRAM,
                        "How long requests take."},
    [M_SILENCES] = {"alertmanager_silences", EXPO_GAUGE, "Silences by state."},
    [M_SILENCES_STORED] = {"alertmanager_silences_state_size", EXPO_GAUGE,
                           "Silences kept, with ended ones."},
    [M_SILENCES_VERSIONS] = {"alertmanager_silences_version_index_size", EXPO_GAUGE,
                             "The same: each is filed once."},
    [M_SILENCES_INDEX] = {"alertmanager_silences_matcher_index_size", EXPO_GAUGE,
                          "Label values that silences are filed under."},
    [M_SILENCES_QUERIES] = {"alertmanager_silences_queries_total", EXPO_COUNTER,
                            "How often it was asked which silences hold for an alert."},
    [M_SILENCES_SCANNED] = {"alertmanager_silences_query_silences_scanned_total", EXPO_COUNTER,
                            "Silences that were looked at for an answer."},
    [M_NFLOG_QUERIES] = {"alertmanager_nflog_queries_total", EXPO_COUNTER,
                         "How often a flush asked what was told last."},
    [M_NFLOG_MISSES] = {"alertmanager_nflog_query_errors_total", EXPO_COUNTER,
                        "Flushes of groups of which nothing was told."},
    [M_LIMIT_BY_NAME] = {"alertmanager_alerts_per_alert_limit", EXPO_GAUGE,
                         "Limit on alerts of one name, 0 = none."},
    [M_LIMITED_BY_NAME] = {"alertmanager_alerts_limited_total", EXPO_COUNTER,
                           "Alerts dropped by it."},
    [M_GROUP_LIMIT] = {"alertmanager_dispatcher_aggregation_group_limit_reached_total",
                       EXPO_COUNTER, "Groups that were not made because of the limit."},
    [M_IN_FLIGHT] = {"alertmanager_http_requests_in_flight", EXPO_GAUGE, "GETs under way."},
    [M_REFUSED_GETS] = {"alertmanager_http_concurrency_limit_exceeded_total", EXPO_COUNTER,
                        "GETs refused by --web.get-concurrency."},
    [M_REFUSED] = {"tocsin_http_refused_total", EXPO_COUNTER,
                   "Requests that were not let in, by what was wrong with what they showed."},
    [M_SIZES] = {"alertmanager_http_response_size_bytes", EXPO_HISTOGRAM,
                 "Sizes of answers before compression."},
    [M_LIMITED] = {"tocsin_alerts_limited_total", EXPO_COUNTER, "Alerts dropped by --alerts.max."},
    [M_BUILD] = {"alertmanager_build_info", EXPO_GAUGE,
                 "The Alertmanager version whose interface is spoken."},
    [M_OWN_BUILD] = {"tocsin_build_info", EXPO_GAUGE, "Our own version."},
    [M_LAG] = {"tocsin_loop_lag_seconds", EXPO_HISTOGRAM, "How late timers fire."},
    [M_LAG_MAX] = {"tocsin_loop_lag_max_seconds", EXPO_GAUGE,
                   "The longest that a timer was late since the start."},
    [M_TURN] = {"tocsin_turn_seconds", EXPO_HISTOGRAM, "CPU that the loop spends in a turn."},
    [M_TURN_MAX] = {"tocsin_turn_max_seconds", EXPO_GAUGE, "The most of it since the start."},
    [M_TURN_LAG] = {"tocsin_turn_lag_seconds", EXPO_HISTOGRAM,
                    "How long the loop does not look at its sockets, by the wall."},
    [M_TURN_LONGEST] = {"tocsin_turn_longest_seconds", EXPO_GAUGE,
                        "The longest that a kind of work took in one turn since the start."},
    [M_OUTBOX] = {"tocsin_outbox_entries", EXPO_GAUGE,
                  "Notifications decided and not yet answered."},
    [M_OUTBOX_AGE] = {"tocsin_outbox_oldest_seconds", EXPO_GAUGE, "Age of the oldest of them."},
    [M_LAST_SUCCESS] = {"tocsin_receiver_last_success_timestamp_seconds", EXPO_GAUGE,
                        "When a receiver last accepted."},
    [M_LAST_FAILURE] = {"tocsin_receiver_last_failure_timestamp_seconds", EXPO_GAUGE,
                        "When a receiver last failed."},
    [M_DAY] = {"tocsin_receiver_budget_messages", EXPO_GAUGE,
               "Messages a day that a receiver with a budget may send."},
    [M_DAY_SPENT] = {"tocsin_receiver_budget_spent_messages", EXPO_GAUGE,
                     "Those that it has sent today (UTC)."},
    [M_RECEIVER_FAILING] = {"tocsin_receiver_failing", EXPO_GAUGE,
                            "Whether TocsinReceiverFailing fires for a receiver."},
    [M_COMMITS] = {"tocsin_store_commits_total", EXPO_COUNTER, "Commits of the state."},
    [M_COMMITS_FAILED] = {"tocsin_store_commits_failed_total", EXPO_COUNTER,
                          "Commits that failed."},
    [M_COMMIT_SECONDS] = {"tocsin_store_commit_seconds_total", EXPO_COUNTER,
                          "Time spent in commits."},
    [M_STORE_SIZE] = {"tocsin_store_size_bytes", EXPO_GAUGE, "Size of the database."},
    [M_LOG_SIZE] = {"tocsin_store_alert_log_size_bytes", EXPO_GAUGE, "Size of the alert log."},
    [M_DEGRADED] = {"tocsin_store_degraded", EXPO_GAUGE, "1 while the state cannot be written."},
    [M_DAMAGED] = {"tocsin_store_damaged_total", EXPO_COUNTER,
                   "Parts of what was stored that could not be read."},
    [M_STEPS] = {"tocsin_clock_steps_total", EXPO_COUNTER, "Jumps of the wall clock."},
    [M_PAUSES] = {"tocsin_pauses_total", EXPO_COUNTER, "Times during which nothing ran."},
    [M_METRICS_REQUESTS] = {"promhttp_metric_handler_requests_total", EXPO_COUNTER,
                            "Answers of this page, by status."},
    [M_START] = {"process_start_time_seconds", EXPO_GAUGE, "Start of the process."},
    [M_RSS] = {"process_resident_memory_bytes", EXPO_GAUGE, "Resident memory."},
    [M_VIRTUAL] = {"process_virtual_memory_bytes", EXPO_GAUGE, "Address space."},
    [M_BUDGET] = {"tocsin_memory_budget_bytes", EXPO_GAUGE,
                  "What request bodies and scrapes under way may take."},
    [M_BUDGET_USED] = {"tocsin_memory_budget_used_bytes", EXPO_GAUGE, "What they take."},
    [M_BUDGET_REFUSED] = {"tocsin_memory_budget_refused_total", EXPO_COUNTER,
                          "Bodies and scrapes that would have taken too much."},
    [M_OPEN_FDS] = {"process_open_fds", EXPO_GAUGE, "Open files."},
    [M_CPU] = {"process_cpu_seconds_total", EXPO_COUNTER, "CPU time."},
    [M_FDS] = {"process_max_fds", EXPO_GAUGE, "Limit on open files."},
};

static const struct metric *api_own_metric_rows(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}

struct states {
    uint64_t active, suppressed;
};

/* The page under way: alerts are counted some in a turn, by fingerprint, then all is written. */
struct metrics_page {
    struct api *api;
    enum expo_format format;
    VEC(uint64_t) todo;
    size_t at;
    struct verdict verdict;
    struct states all;
    struct alert_status status; /* with group keys: of the alert that is counted */
    struct str_map groups;      /* key -> struct states *, of a */
    struct arena a;
};

static void metrics_count(struct states *st, bool is_active)
{
    if (is_active)
        st->active++;
    else
        st->suppressed++;
}

/* In each of its groups. */
static void count_in_groups(struct metrics_page *p, const struct audience *any, struct alert *al)
{
    struct arena scratch;
    struct labels ls;

    audience_status(any, al, &p->status);
    arena_init(&scratch, 0);
    ls = label_set_view(&scratch, al->labels);
    for (size_t i = 0; i < p->status.routes.n; i++) {
        const struct group *g =
            engine_group_of(p->api->engine, p->status.routes.v[i], ls, &scratch);
        void **at;

        if (g == NULL)
            continue;
        at = str_map_get(&p->groups, g->key);
        if (at == NULL)
            at = str_map_put(&p->groups, arena_str(&p->a, g->key), arena_new(&p->a, struct states));
        metrics_count(*at, p->status.verdict.held_by == HELD_BY_NOTHING);
    }
    arena_release(&scratch);
}

static void count_alert(struct metrics_page *p, struct alert *al, struct now now)
{
    struct audience any = audience_at(p->api->engine, NULL, now);

    if (alert_is_resolved(al, now))
        return;
    if (p->api->conf.has_group_keys)
        count_in_groups(p, &any, al);
    else
        metrics_count(&p->all, audience_tells_alert(&any, al, &al->cleared, &p->verdict));
}

static void put_states(struct expo *x, const struct states *st, const struct expo_label *more)
{
    const uint64_t counts[] = {st->active, st->suppressed, 0};
    static const char *const names[] = {"active", "suppressed", "unprocessed"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct expo_label labels[2] = {L("state", str_of(names[i]))};

        if (more != NULL)
            labels[1] = *more;
        expo_u64(x, labels, more != NULL ? 2 : 1, counts[i]);
    }
}

static void put_alerts(const struct metrics_page *p, struct expo *x)
{
    const struct engine *e = p->api->engine;
    static const char *const reasons[HELD_BYS] = {[HELD_BY_SILENCE] = "silence",
                                                  [HELD_BY_INHIBITION] = "inhibition",
                                                  [HELD_BY_MUTE_TIME] = "mute_time_interval",
                                                  [HELD_BY_ACTIVE_TIME] = "active_time_interval"};
    uint64_t groups = 0;

    for (size_t i = 0; i < e->tree.n; i++)
        groups += e->groups[i].n;
    metric_begin(x, &rows[M_ALERTS]);
    MAP_EACH (const struct str_map_entry, it, &p->groups)
        put_states(x, it->value, &L("group_key", it->key));
    if (!p->api->conf.has_group_keys)
        put_states(x, &p->all, NULL);
    metric_begin(x, &rows[M_RECEIVED]);
    expo_u64(x, (struct expo_label[]){L("status", S("firing")), L("version", S("v2"))}, 2,
             e->stats.received_firing);
    expo_u64(x, (struct expo_label[]){L("status", S("resolved")), L("version", S("v2"))}, 2,
             e->stats.received_resolved);
    metric_begin(x, &rows[M_INVALID]);
    expo_u64(x, &L("version", S("v2")), 1, e->stats.invalid);
    metric_begin(x, &rows[M_SUPPRESSED]);
    for (size_t i = HELD_BY_NOTHING + 1; i < HELD_BYS; i++)
        expo_u64(x, &L("reason", str_of(reasons[i])), 1, e->stats.suppressed[i]);
    metric_put(x, &rows[M_GROUPS], (double)groups);
}

/* What is counted of one kind of integration: of all receivers, or of one that has it. */
struct metrics_line {
    const struct integration_stats *st;
    struct expo_label labels[3]; /* one is free */
    size_t n;
};

struct metrics_lines {
    VEC(struct metrics_line) v;
};

static bool has_kind(const struct core_receiver *rc, str kind)
{
    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++)
        if (str_eq(rc->integrations[i].kind, kind))
            return true;
    return false;
}

static void collect_lines(const struct api *a, struct metrics_lines *out)
{
    const struct engine *e = a->engine;

    for (size_t k = 0; receiver_types[k] != NULL; k++) {
        struct expo_label kind = L("integration", str_of(receiver_types[k]->name));

        if (!a->conf.has_receiver_names)
            vec_push(&out->v, (struct metrics_line){&e->stats.integration[k], {kind}, 1});
        else
            VEC_EACH (const struct receiver_stats *, r, &e->receivers)
                if (has_kind(engine_receiver(e, r->name), kind.value))
                    vec_push(&out->v, (struct metrics_line){&r->integration[k],
                                                            {kind, L("receiver_name", r->name)},
                                                            2});
    }
}

static void put_failed(struct expo *x, const struct metrics_line *l)
{
    static const char *const reasons[] = {[FAILURE_OTHER] = "other",
                                          [FAILURE_CLIENT] = "clientError",
                                          [FAILURE_SERVER] = "serverError",
                                          [FAILURE_AUTH] = "authError",
                                          [FAILURE_RATE_LIMITED] = "rateLimited",
                                          [FAILURE_CANCELED] = "contextCanceled",
                                          [FAILURE_DEADLINE] = "contextDeadlineExceeded"};
    struct metrics_line with = *l;

    for (size_t r = 0; r < ARRAY_LEN(reasons); r++) {
        with.labels[l->n] = L("reason", str_of(reasons[r]));
        expo_u64(x, with.labels, l->n + 1, l->st->failed[r]);
    }
}

static void put_integrations(struct api *a, struct expo *x)
{
    struct metrics_lines lines = {0};

    collect_lines(a, &lines);
    metric_begin(x, &rows[M_NOTIFICATIONS]);
    VEC_EACH (const struct metrics_line *, l, &lines.v)
        expo_u64(x, l->labels, l->n, l->st->notifications);
    metric_begin(x, &rows[M_FAILED]);
    VEC_EACH (const struct metrics_line *, l, &lines.v)
        put_failed(x, l);
    metric_begin(x, &rows[M_REQUESTS]);
    VEC_EACH (const struct metrics_line *, l, &lines.v)
        expo_u64(x, l->labels, l->n, l->st->requests);
    metric_begin(x, &rows[M_REQUESTS_FAILED]);
    VEC_EACH (const struct metrics_line *, l, &lines.v)
        expo_u64(x, l->labels, l->n, l->st->requests_failed);
    metric_begin(x, &rows[M_LATENCY]);
    VEC_EACH (const struct metrics_line *, l, &lines.v)
        metric_put_histogram(x, l->labels, l->n, &l->st->latency);
    vec_release(&lines.v);
}

static void put_config(struct api *a, struct expo *x)
{
    const struct config *c = config_of(a->engine->conf);
    size_t integrations = 0;

    for (size_t i = 0; i < c->n_receivers; i++)
        integrations += c->receivers[i].n_integrations;
    metric_put(x, &rows[M_HASH], (double)c->hash);
    metric_put(x, &rows[M_RELOAD_OK], a->reload_ok);
    metric_put(x, &rows[M_RELOAD_AT], api_seconds(a->reload_at));
    metric_put(x, &rows[M_RECEIVERS], (double)c->n_receivers);
    metric_put(x, &rows[M_INTEGRATIONS], (double)integrations);
    metric_put(x, &rows[M_INHIBITION_RULES], (double)inhibitor_rules(a->engine->inhibitor));
    metric_begin(x, &rows[M_BUILD]);
    expo_u64(x,
             (struct expo_label[]){L("version", S("0.34.0")), L("revision", S(TOCSIN_VERSION)),
                                   L("branch", S("tocsin")), L("goversion", S("none")),
                                   L("goos", S("linux")), L("goarch", S("none")),
                                   L("tags", S("none"))},
             7, 1);
    metric_begin(x, &rows[M_OWN_BUILD]);
    expo_u64(x, &L("version", S(TOCSIN_VERSION)), 1, 1);
}

static void put_silences(struct api *a, struct expo *x, struct now now)
{
    uint64_t count[SILENCE_EXPIRED + 1] = {0};
    struct silencer_stats st = silencer_stats(a->engine->silencer);
    struct silence_list all = {0};

    silencer_all(a->engine->silencer, &all);
    for (size_t i = 0; i < all.n; i++)
        count[silence_state(all.v[i], now.wall)]++;
    vec_release(&all);
    metric_begin(x, &rows[M_SILENCES]);
    for (size_t i = 0; i < ARRAY_LEN(count); i++)
        expo_u64(x, &L("state", str_of(silence_state_text((enum silence_state)i))), 1, count[i]);
    metric_put(x, &rows[M_SILENCES_STORED], (double)silencer_count(a->engine->silencer));
    metric_put(x, &rows[M_SILENCES_VERSIONS], (double)silencer_count(a->engine->silencer));
    metric_put(x, &rows[M_SILENCES_INDEX], (double)st.index_size);
    metric_put(x, &rows[M_SILENCES_QUERIES], (double)st.questions);
    metric_put(x, &rows[M_SILENCES_SCANNED], (double)st.scanned);
    metric_put(x, &rows[M_NFLOG_QUERIES], (double)a->engine->stats.nflog_queries);
    metric_put(x, &rows[M_NFLOG_MISSES], (double)a->engine->stats.nflog_misses);
}

static void put_limits(struct api *a, struct expo *x)
{
    const struct alert_limits *l = &a->engine->limits;

    metric_put(x, &rows[M_LIMIT_BY_NAME], (double)l->per_alertname);
    metric_begin(x, &rows[M_LIMITED_BY_NAME]);
    if (l->names == NULL)
        expo_u64(x, NULL, 0, l->dropped_by_name);
    else
        MAP_EACH (const struct str_map_entry, it, l->names)
            expo_u64(x, &L("alertname", it->key), 1, (uintptr_t)it->value);
    metric_put(x, &rows[M_GROUP_LIMIT], (double)l->dropped_groups);
    metric_put(x, &rows[M_LIMITED], (double)l->dropped_alerts);
}

static void put_days(const struct engine *e, struct expo *x, struct now now)
{
    metric_begin(x, &rows[M_DAY]);
    for (size_t i = 0; i < e->conf->n_receivers; i++)
        if (e->conf->receivers[i].budget_per_day != 0)
            expo_u64(x, &L("receiver", e->conf->receivers[i].name), 1,
                     e->conf->receivers[i].budget_per_day);
    metric_begin(x, &rows[M_DAY_SPENT]);
    for (size_t i = 0; i < e->conf->n_receivers; i++)
        if (e->conf->receivers[i].budget_per_day != 0)
            expo_u64(x, &L("receiver", e->conf->receivers[i].name), 1,
                     budget_spent(e, e->conf->receivers[i].name, now.wall));
}

static void put_outbox(struct api *a, struct expo *x, struct now now)
{
    struct engine *e = a->engine;
    uint64_t *count = mem_array(e->receivers.n, sizeof(*count));
    ts_ns *oldest = mem_array(e->receivers.n, sizeof(*oldest));

    MAP_EACH (struct outbox_map_entry, it, &e->outbox)
        for (size_t i = 0; i < e->receivers.n; i++) {
            const struct outbox_row *r = it->value->row;

            if (!str_eq(e->receivers.v[i].name, r->receiver))
                continue;
            count[i]++;
            if (now.mono - r->since > oldest[i])
                oldest[i] = now.mono - r->since;
            break;
        }
    metric_begin(x, &rows[M_OUTBOX]);
    for (size_t i = 0; i < e->receivers.n; i++)
        expo_u64(x, &L("receiver", e->receivers.v[i].name), 1, count[i]);
    metric_begin(x, &rows[M_OUTBOX_AGE]);
    for (size_t i = 0; i < e->receivers.n; i++)
        expo_value(x, &L("receiver", e->receivers.v[i].name), 1, api_seconds(oldest[i]));
    metric_begin(x, &rows[M_LAST_SUCCESS]);
    for (size_t i = 0; i < e->receivers.n; i++)
        expo_value(x, &L("receiver", e->receivers.v[i].name), 1,
                   api_seconds(e->receivers.v[i].last_success));
    metric_begin(x, &rows[M_LAST_FAILURE]);
    for (size_t i = 0; i < e->receivers.n; i++)
        expo_value(x, &L("receiver", e->receivers.v[i].name), 1,
                   api_seconds(e->receivers.v[i].last_failure));
    metric_begin(x, &rows[M_RECEIVER_FAILING]);
    for (size_t i = 0; i < e->receivers.n; i++)
        expo_u64(x, &L("receiver", e->receivers.v[i].name), 1,
                 receiver_failing(&e->receivers.v[i]).n != 0);
    put_days(e, x, now);
    mem_free(count);
    mem_free(oldest);
}

static void put_store(struct api *a, struct expo *x)
{
    struct state_backend *b = shell_backend(a->conf.shell);
    struct state_stats st = {0};

    b->ops->stats(b->self, &st);
    metric_put(x, &rows[M_COMMITS], (double)st.commits);
    metric_put(x, &rows[M_COMMITS_FAILED], (double)st.failed);
    metric_put(x, &rows[M_COMMIT_SECONDS], st.commit_seconds_sum);
    metric_put(x, &rows[M_STORE_SIZE], (double)st.size_bytes);
    metric_put(x, &rows[M_LOG_SIZE], (double)st.alert_log_bytes);
    metric_put(x, &rows[M_DEGRADED], shell_is_degraded(a->conf.shell));
    metric_put(x, &rows[M_DAMAGED], (double)shell_damaged(a->conf.shell));
    metric_put(x, &rows[M_STEPS], (double)a->engine->stats.wall_steps);
    metric_put(x, &rows[M_PAUSES], (double)a->engine->stats.pauses);
}

static void put_turns(const struct meter *m, struct expo *x)
{
    metric_begin(x, &rows[M_TURN]);
    expo_histogram(x, NULL, 0, turn_bounds, m->cpu.buckets, TURN_BOUNDS, api_seconds(m->cpu.sum));
    metric_put(x, &rows[M_TURN_MAX], api_seconds(m->cpu.max));
    metric_begin(x, &rows[M_TURN_LAG]);
    expo_histogram(x, NULL, 0, turn_bounds, m->lag.buckets, TURN_BOUNDS, api_seconds(m->lag.sum));
    metric_begin(x, &rows[M_TURN_LONGEST]);
    for (int i = 0; i < PIECES; i++)
        expo_value(x, &L("work", str_of(piece_names[i])), 1, api_seconds(m->longest[i]));
}

static void metrics_put_loop(struct api *a, struct expo *x)
{
    const struct loop_lag *lag = loop_lag(a->conf.loop);
    const struct meter *m = shell_clock(a->conf.shell)->meter;

    metric_begin(x, &rows[M_LAG]);
    expo_histogram(x, NULL, 0, loop_lag_bounds, lag->buckets, LOOP_LAG_BUCKETS - 1,
                   api_seconds(lag->sum));
    metric_put(x, &rows[M_LAG_MAX], api_seconds(lag->max));
    if (m != NULL)
        put_turns(m, x);
}

static str method_name(unsigned method)
{
    return method == HTTP_GET      ? S("get")
           : method == HTTP_POST   ? S("post")
           : method == HTTP_DELETE ? S("delete")
                                   : S("other");
}

static void put_http(struct api *a, struct expo *x)
{
    const struct expo_label get = L("method", S("get"));

    metric_begin(x, &rows[M_HTTP_SECONDS]);
    VEC_EACH (const struct http_stat *, st, &a->http_stats) {
        char code[8];

        snprintf(code, sizeof(code), "%d", st->status);
        metric_put_histogram(x,
                             (struct expo_label[]){L("handler", str_of(st->handler)),
                                                   L("method", method_name(st->method)),
                                                   L("code", str_of(code))},
                             3, &st->seconds);
    }
    metric_begin(x, &rows[M_SIZES]);
    VEC_EACH (const struct http_size *, sz, &a->http_sizes)
        metric_put_histogram(x,
                             (struct expo_label[]){L("handler", str_of(sz->handler)),
                                                   L("method", method_name(sz->method))},
                             2, &sz->bytes);
    metric_begin(x, &rows[M_IN_FLIGHT]);
    expo_u64(x, &get, 1, http_server_gets(a->server));
    metric_begin(x, &rows[M_REFUSED_GETS]);
    expo_u64(x, &get, 1, http_server_refused_gets(a->server));
    metric_begin(x, &rows[M_REFUSED]);
    for (int why = 0; why < REFUSALS; why++)
        expo_u64(x, &L("reason", str_of(refusal_text((enum refusal)why))), 1, a->refusals.n[why]);
}

/* How often this page was asked for; the answer under way is not yet counted. */
static void put_metrics_requests(struct api *a, struct expo *x)
{
    static const int codes[] = {200, 500, 503};

    metric_begin(x, &rows[M_METRICS_REQUESTS]);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        uint64_t count = 0;
        char code[8];

        VEC_EACH (const struct http_stat *, st, &a->http_stats)
            if (st->status == codes[i] && strcmp(st->handler, "/metrics") == 0)
                count += st->seconds.count;
        snprintf(code, sizeof(code), "%d", codes[i]);
        expo_u64(x, &L("code", str_of(code)), 1, count);
    }
}

static void put_budgets(struct api *a, struct expo *x)
{
    const struct budgets *all = a->conf.budgets;
    const struct {
        str name;
        const struct budget *b;
    } v[] = {{S("request_bodies"), &all->bodies}, {S("scrapes"), &all->scrapes}};

    metric_begin(x, &rows[M_BUDGET]);
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        expo_u64(x, &L("class", v[i].name), 1, v[i].b->limit);
    metric_begin(x, &rows[M_BUDGET_USED]);
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        expo_u64(x, &L("class", v[i].name), 1, budget_used(v[i].b));
    metric_begin(x, &rows[M_BUDGET_REFUSED]);
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        expo_u64(x, &L("class", v[i].name), 1, budget_refused(v[i].b));
}

static size_t metrics_open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    if (d == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static void put_process(struct api *a, struct expo *x)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long total = 0, resident = 0;
    struct timespec cpu;

    if (f != NULL) {
        /* NOLINTNEXTLINE(cert-err34-c): the kernel's own figures */
        if (fscanf(f, "%lu %lu", &total, &resident) != 2)
            total = resident = 0;
        fclose(f);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    metric_put(x, &rows[M_START], api_seconds(a->started));
    metric_put(x, &rows[M_RSS], (double)resident * (double)sysconf(_SC_PAGESIZE));
    metric_put(x, &rows[M_VIRTUAL], (double)total * (double)sysconf(_SC_PAGESIZE));
    metric_put(x, &rows[M_CPU], (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
    metric_put(x, &rows[M_OPEN_FDS], (double)metrics_open_files());
    metric_put(x, &rows[M_FDS], (double)sysconf(_SC_OPEN_MAX));
}

static void metrics_put_all(const struct metrics_page *p, struct buf *out, struct now now)
{
    struct api *a = p->api;
    struct expo x;

    expo_init(&x, out, p->format);
    put_alerts(p, &x);
    put_integrations(a, &x);
    put_config(a, &x);
    put_silences(a, &x, now);
    put_limits(a, &x);
    put_outbox(a, &x, now);
    put_store(a, &x);
    metrics_put_loop(a, &x);
    api_put_sample_metrics(a, &x);
    api_put_outlet_metrics(a, &x);
    api_put_remote_metrics(a, &x, now);
    api_put_peer_metrics(a, &x);
    put_http(a, &x);
    put_metrics_requests(a, &x);
    put_budgets(a, &x);
    put_process(a, &x);
    api_put_idle_metrics(&x);
    expo_end(&x);
}

static bool page_next(void *ctx, struct buf *out)
{
    struct metrics_page *p = ctx;
    struct now now = shell_clock(p->api->conf.shell)->now;

    for (size_t end = p->at + ALERTS_A_TURN; p->at < p->todo.n && p->at < end;) {
        struct alert *al = engine_alert(p->api->engine, p->todo.v[p->at++]);

        if (al != NULL)
            count_alert(p, al, now);
    }
    if (p->at < p->todo.n)
        return true;
    metrics_put_all(p, out, now);
    return false;
}

static void page_done(void *ctx)
{
    struct metrics_page *p = ctx;

    verdict_release(&p->verdict);
    alert_status_release(&p->status);
    str_map_release(&p->groups);
    arena_release(&p->a);
    vec_release(&p->todo);
    mem_free(p);
}

void api_get_metrics(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct metrics_page *p = mem_new(struct metrics_page);
    struct expo_wish wish = expo_negotiate(http_header_get(&rq->headers, S("Accept")), true);
    struct buf type = BUF_INIT;

    p->api = a;
    arena_init(&p->a, 0);
    p->format = wish.format;
    expo_put_content_type(&type, &wish);
    vec_reserve(&p->todo, a->engine->alerts.n);
    ALERT_TABLE_EACH (al, &a->engine->alerts)
        vec_push(&p->todo, alert_fingerprint(al));
    http_reply_stream(rq, 200, buf_str(&type), page_next, page_done, p);
    buf_release(&type);
}

/* -- for documents -- */

void api_each_metric(void (*each)(void *arg, const struct metric *m), void *arg)
{
    static const struct metric *(*const tables[])(
        size_t * n) = {api_own_metric_rows, api_sample_metric_rows, api_peer_metric_rows,
                       api_outlet_metric_rows, api_remote_metric_rows};
    const struct metric *m;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        size_t n;
        const struct metric *v = tables[i](&n);

        for (size_t k = 0; k < n; k++)
            if (v[k].name != NULL)
                each(arg, &v[k]);
    }
    for (size_t i = 0; (m = api_idle_metric(i)) != NULL; i++)
        each(arg, m);
}
