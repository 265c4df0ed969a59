/* Metrics of the way of a sample: scraped or pushed, kept in our own store, evaluated by rules. */
#include "api/metrics.h"

enum m {
    M_GROUPS_LATE,
    M_RULES_STALE,
    M_GROUP_RULES,
    M_GROUP_INTERVAL,
    M_GROUP_LAST,
    M_GROUP_SECONDS,
    M_GROUP_RULE_SECONDS,
    M_GROUP_SAMPLES,
    M_GROUP_ITERATIONS,
    M_GROUP_MISSED,
    M_EVALUATIONS,
    M_EVALUATION_FAILURES,
    M_HELD,
    M_EVALUATION_SECONDS,
    M_GROUPS_SECONDS,
    M_TARGETS,
    M_TARGET_LIMIT,
    M_LIMIT_EXCEEDED,
    M_LISTS_FAILING,
    M_LIST_FAILURES,
    M_SCRAPES,
    M_SCRAPES_FAILED,
    M_SCRAPED_SAMPLES,
    M_SCRAPED_BYTES,
    M_PUSH_GROUPS,
    M_PUSH_SERIES,
    M_PUSHES,
    M_PUSHES_FAILED,
    M_PUSH_EXPIRED,
    M_PUSH_SAMPLES,
    M_PUSH_REFUSED,
    M_TSDB_SERIES,
    M_TSDB_BYTES,
    M_TSDB_STREAMS,
    M_TSDB_SELECTORS,
    M_TSDB_APPENDED,
    M_TSDB_REFUSED,
    M_TSDB_REACH,
    M_TSDB_LOG_SEGMENTS,
    M_TSDB_LOG_LOST,
    M_TSDB_REPLAYING,
    M_HISTORY_STATE,
    M_HISTORY_FILES,
    M_HISTORY_BYTES,
    M_HISTORY_OLDEST,
    M_HISTORY_SPANS,
    M_HISTORY_SAMPLES,
    M_HISTORY_FAILURES,
    M_HISTORY_DAMAGED,
};

static const struct metric rows[] = {
    [M_GROUP_RULES] = {"prometheus_rule_group_rules", EXPO_GAUGE, "Rules of a group."},
    [M_GROUP_INTERVAL] = {"prometheus_rule_group_interval_seconds", EXPO_GAUGE,
                          "Interval of a group."},
    [M_GROUP_LAST] = {"prometheus_rule_group_last_evaluation_timestamp_seconds", EXPO_GAUGE,
                      "Slot of the last run."},
    [M_GROUP_RULE_SECONDS] = {"prometheus_rule_group_last_rule_duration_sum_seconds", EXPO_GAUGE,
                              "The same, without waiting between rules."},
    [M_GROUP_SAMPLES] = {"prometheus_rule_group_last_evaluation_samples", EXPO_GAUGE,
                         "Samples that the rules of the last run returned."},
    [M_GROUP_SECONDS] = {"prometheus_rule_group_last_duration_seconds", EXPO_GAUGE,
                         "How long the last run took."},
    [M_GROUP_ITERATIONS] = {"prometheus_rule_group_iterations_total", EXPO_COUNTER,
                            "Runs of a group."},
    [M_GROUP_MISSED] = {"prometheus_rule_group_iterations_missed_total", EXPO_COUNTER,
                        "Slots that a slow run skipped."},
    [M_GROUPS_LATE] = {"tocsin_rule_groups_late", EXPO_GAUGE,
                       "Groups whose run takes longer than their interval."},
    [M_RULES_STALE] = {"tocsin_rule_answers_dropped_total", EXPO_COUNTER,
                       "Ends of runs that nobody waited for any more."},
    [M_EVALUATIONS] = {"prometheus_rule_evaluations_total", EXPO_COUNTER, "Evaluations of rules."},
    [M_EVALUATION_FAILURES] = {"prometheus_rule_evaluation_failures_total", EXPO_COUNTER,
                               "Evaluations that failed."},
    [M_HELD] =
        {"tocsin_rule_held_seconds", EXPO_GAUGE,
         "For how long a rule's alerts have held their state, because its answers are partial; "
         "rules whose answers are whole have no series."},
    [M_EVALUATION_SECONDS] = {"prometheus_rule_evaluation_duration_seconds", EXPO_SUMMARY,
                              "How long evaluations of rules took."},
    [M_GROUPS_SECONDS] = {"prometheus_rule_group_duration_seconds", EXPO_SUMMARY,
                          "How long runs of groups took."},
    [M_TARGETS] = {"prometheus_target_scrape_pool_targets", EXPO_GAUGE, "Targets of a job."},
    [M_TARGET_LIMIT] = {"prometheus_target_scrape_pool_target_limit", EXPO_GAUGE,
                        "target_limit of a job; 0 is none."},
    [M_LIMIT_EXCEEDED] = {"prometheus_target_scrape_pool_exceeded_target_limit_total", EXPO_COUNTER,
                          "Times that a job had more targets than its limit."},
    [M_LISTS_FAILING] = {"tocsin_target_list_failing", EXPO_GAUGE,
                         "Whether a list of targets is the last good one, and not what is there."},
    [M_LIST_FAILURES] = {"tocsin_target_list_failures_total", EXPO_COUNTER,
                         "Lists of targets that were refused or could not be had."},
    [M_SCRAPES] = {"tocsin_scrapes_total", EXPO_COUNTER, "Scrapes, failed ones too."},
    [M_SCRAPES_FAILED] = {"tocsin_scrapes_failed_total", EXPO_COUNTER, "Scrapes that failed."},
    [M_SCRAPED_SAMPLES] = {"tocsin_scrape_samples_total", EXPO_COUNTER,
                           "Samples of scrapes, after relabeling."},
    [M_SCRAPED_BYTES] = {"tocsin_scrape_body_bytes_total", EXPO_COUNTER,
                         "Bytes of scrapes, inflated."},
    [M_PUSH_GROUPS] = {"tocsin_push_groups", EXPO_GAUGE,
                       "Groups that were pushed and have not ended."},
    [M_PUSH_SERIES] = {"tocsin_push_series", EXPO_GAUGE, "Series of these groups."},
    [M_PUSHES] = {"tocsin_pushes_total", EXPO_COUNTER, "Pushes of known or new groups."},
    [M_PUSHES_FAILED] = {"tocsin_pushes_failed_total", EXPO_COUNTER, "Pushes that were refused."},
    [M_PUSH_EXPIRED] = {"tocsin_push_groups_expired_total", EXPO_COUNTER,
                        "Groups that ended because nobody pushed them for max_age."},
    [M_PUSH_SAMPLES] = {"tocsin_push_samples_total", EXPO_COUNTER,
                        "Samples of pushed series that were offered to the store."},
    [M_PUSH_REFUSED] = {"tocsin_push_samples_refused_total", EXPO_COUNTER,
                        "Samples of pushed series that the store did not take."},
    [M_TSDB_SERIES] = {"tocsin_tsdb_series", EXPO_GAUGE, "Series in our own store."},
    [M_TSDB_BYTES] = {"tocsin_tsdb_size_bytes", EXPO_GAUGE, "Memory that it takes."},
    [M_TSDB_STREAMS] = {"tocsin_tsdb_streams", EXPO_GAUGE, "Targets and rules that write there."},
    [M_TSDB_SELECTORS] = {"tocsin_tsdb_selectors", EXPO_GAUGE,
                          "Selectors that decide what is kept."},
    [M_TSDB_APPENDED] = {"tocsin_tsdb_samples_appended_total", EXPO_COUNTER, "Samples taken."},
    [M_TSDB_REFUSED] = {"tocsin_tsdb_samples_refused_total", EXPO_COUNTER, "Samples refused."},
    [M_TSDB_REACH] = {"tocsin_tsdb_reach_seconds", EXPO_GAUGE,
                      "The widest look back of a selector."},
    [M_TSDB_LOG_SEGMENTS] = {"tocsin_tsdb_log_segments", EXPO_GAUGE, "Files of the sample log."},
    [M_TSDB_LOG_LOST] = {"tocsin_tsdb_log_records_lost_total", EXPO_COUNTER,
                         "Records that were never written to the log."},
    [M_TSDB_REPLAYING] = {"tocsin_tsdb_replaying", EXPO_GAUGE,
                          "1 while the log is replayed after the start."},
    [M_HISTORY_STATE] = {"tocsin_history_state", EXPO_GAUGE,
                         "1 for what history does: off, writes, no_room (less than a tenth of the "
                         "volume is free: nothing is written), fails."},
    [M_HISTORY_FILES] = {"tocsin_history_files", EXPO_GAUGE, "Files of history."},
    [M_HISTORY_BYTES] = {"tocsin_history_size_bytes", EXPO_GAUGE, "Disk that they take."},
    [M_HISTORY_OLDEST] = {"tocsin_history_oldest_timestamp_seconds", EXPO_GAUGE,
                          "Since when there is history; 0: there is none."},
    [M_HISTORY_SPANS] = {"tocsin_history_spans_written_total", EXPO_COUNTER,
                         "Spans of five minutes that were written."},
    [M_HISTORY_SAMPLES] = {"tocsin_history_samples_written_total", EXPO_COUNTER,
                           "Samples in them."},
    [M_HISTORY_FAILURES] = {"tocsin_history_failures_total", EXPO_COUNTER,
                            "Times that a span could not be written; it is tried again."},
    [M_HISTORY_DAMAGED] = {"tocsin_history_damaged_total", EXPO_COUNTER,
                           "Files of history that were damaged and set aside."},
};

const struct metric *api_sample_metric_rows(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}

static size_t samples_of(const struct rule_group_view *v)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_rules; i++)
        n += v->rules[i].samples;
    return n;
}

static double group_value(enum m m, const struct rule_slot *s)
{
    const struct rule_group_view *v = s->shown;

    switch (m) {
    case M_GROUP_RULES: return (double)v->n_rules;
    case M_GROUP_INTERVAL: return api_seconds(v->interval);
    case M_GROUP_LAST: return api_seconds(v->last_eval);
    case M_GROUP_SECONDS: return api_seconds(v->took);
    case M_GROUP_RULE_SECONDS: return api_seconds(v->rules_took);
    case M_GROUP_SAMPLES: return (double)samples_of(v);
    case M_GROUP_ITERATIONS: return (double)v->iterations;
    case M_GROUP_MISSED: return (double)s->missed;
    case M_EVALUATIONS: return (double)v->evaluations;
    default: return (double)v->failures;
    }
}

/* Of rules of one name the one that has been held longest. */
static bool is_held_longest(const struct rule_group_view *v, size_t i)
{
    const struct rule_view *r = &v->rules[i];

    for (size_t j = 0; j < v->n_rules; j++) {
        const struct rule_view *o = &v->rules[j];

        if (o->notes->held.n != 0 && str_eq(o->name, r->name) &&
            (o->notes->held_since < r->notes->held_since ||
             (o->notes->held_since == r->notes->held_since && j < i)))
            return false;
    }
    return r->notes->held.n != 0;
}

static void metrics_samples_put_held(const struct engine *e, struct expo *x, struct now now)
{
    struct buf id = BUF_INIT;

    metric_begin(x, &rows[M_HELD]);
    for (size_t i = 0; i < e->rules.n; i++) {
        const struct rule_group_view *v = e->rules.v[i]->shown;

        buf_clear(&id);
        buf_addf(&id, "%.*s;%.*s", STR(v->file), STR(v->name));
        for (size_t j = 0; j < v->n_rules; j++) {
            const struct expo_label labels[] = {{S("rule"), v->rules[j].name},
                                                {S("rule_group"), buf_str(&id)}};

            if (v->rules[j].notes->held.n != 0 && is_held_longest(v, j))
                expo_value(x, labels, ARRAY_LEN(labels),
                           api_seconds(now.wall - v->rules[j].notes->held_since));
        }
    }
    buf_release(&id);
}

static void put_rules(struct api *a, struct expo *x)
{
    struct engine *e = a->engine;
    struct now now = shell_clock(a->conf.shell)->now;
    struct buf id = BUF_INIT;
    size_t late = 0;

    for (size_t i = 0; i < e->rules.n; i++)
        late += rule_slot_is_late(e->rules.v[i], now);
    metric_put(x, &rows[M_GROUPS_LATE], (double)late);
    metric_put(x, &rows[M_RULES_STALE], (double)e->stats.rule_stale);
    for (int m = M_GROUP_RULES; m <= M_EVALUATION_FAILURES; m++) {
        metric_begin(x, &rows[m]);
        for (size_t i = 0; i < e->rules.n; i++) {
            const struct rule_group_view *v = e->rules.v[i]->shown;

            buf_clear(&id);
            buf_addf(&id, "%.*s;%.*s", STR(v->file), STR(v->name));
            expo_value(x, &L("rule_group", buf_str(&id)), 1, group_value((enum m)m, e->rules.v[i]));
        }
    }
    metrics_samples_put_held(e, x, now);
    metric_begin(x, &rows[M_EVALUATION_SECONDS]);
    expo_summary(x, NULL, 0, api_seconds(e->stats.rule_took), e->stats.rule_evaluations);
    metric_begin(x, &rows[M_GROUPS_SECONDS]);
    expo_summary(x, NULL, 0, api_seconds(e->stats.group_took), e->stats.group_runs);
    buf_release(&id);
}

struct list_metric {
    struct expo *x;
    enum m m;
};

static void metrics_samples_put_list(void *arg, str job, const struct discovery_status *s)
{
    const struct list_metric *l = arg;
    const struct expo_label labels[] = {
        {S("kind"), str_of(s->kind)}, {S("scrape_job"), job}, {S("subject"), s->subject}};

    expo_u64(l->x, labels, ARRAY_LEN(labels),
             l->m == M_LISTS_FAILING ? s->last_error.n != 0 : s->failures);
}

static uint64_t job_value(enum m m, const struct scraper_job_stats *job)
{
    switch (m) {
    case M_TARGETS: return job->targets;
    case M_TARGET_LIMIT: return (uint64_t)job->limit;
    default: return job->exceeded;
    }
}

static void put_targets(struct api *a, struct expo *x)
{
    const struct scraper *s = store_scraper(a->conf.store);
    struct scraper_stats st = scraper_stats(s);

    for (int m = M_TARGETS; m <= M_LIMIT_EXCEEDED; m++) {
        metric_begin(x, &rows[m]);
        for (size_t i = 0; i < scraper_jobs(s); i++) {
            struct scraper_job_stats job = scraper_job_stats(s, i);

            expo_u64(x, &L("scrape_job", job.name), 1, job_value((enum m)m, &job));
        }
    }
    for (int m = M_LISTS_FAILING; m <= M_LIST_FAILURES; m++) {
        struct list_metric l = {x, (enum m)m};

        metric_begin(x, &rows[m]);
        scraper_each_list(s, metrics_samples_put_list, &l);
    }
    metric_put(x, &rows[M_SCRAPES], (double)st.scrapes);
    metric_put(x, &rows[M_SCRAPES_FAILED], (double)st.failed);
    metric_put(x, &rows[M_SCRAPED_SAMPLES], (double)st.samples);
    metric_put(x, &rows[M_SCRAPED_BYTES], (double)st.bytes);
}

static void put_pushes(struct api *a, struct expo *x)
{
    struct push_stats st = push_stats(store_push(a->conf.store));

    metric_put(x, &rows[M_PUSH_GROUPS], (double)st.groups);
    metric_put(x, &rows[M_PUSH_SERIES], (double)st.series);
    metric_put(x, &rows[M_PUSHES], (double)st.pushes);
    metric_put(x, &rows[M_PUSHES_FAILED], (double)st.failed);
    metric_put(x, &rows[M_PUSH_EXPIRED], (double)st.expired);
    metric_put(x, &rows[M_PUSH_SAMPLES], (double)st.samples);
    metric_put(x, &rows[M_PUSH_REFUSED], (double)st.refused);
}

static void put_tsdb(struct api *a, struct expo *x)
{
    struct tsdb_stats st = *store_stats(a->conf.store);
    struct tsdb_log_stats log = *store_log_stats(a->conf.store);

    metric_put(x, &rows[M_TSDB_SERIES], (double)st.series);
    metric_put(x, &rows[M_TSDB_BYTES], (double)st.bytes);
    metric_put(x, &rows[M_TSDB_STREAMS], (double)st.streams);
    metric_put(x, &rows[M_TSDB_SELECTORS], (double)st.selectors);
    metric_put(x, &rows[M_TSDB_APPENDED], (double)st.appended);
    metric_begin(x, &rows[M_TSDB_REFUSED]);
    for (size_t i = 0; i < TSDB_REFUSALS; i++)
        expo_u64(x, &L("reason", str_of(tsdb_refusal_names[i])), 1, st.refused[i]);
    metric_put(x, &rows[M_TSDB_REACH], (double)st.longest_reach_ms / 1000);
    metric_put(x, &rows[M_TSDB_LOG_SEGMENTS], (double)log.segments);
    metric_put(x, &rows[M_TSDB_LOG_LOST], (double)log.lost);
    metric_put(x, &rows[M_TSDB_REPLAYING], store_is_replaying(a->conf.store));
}

static void put_history_metrics(struct api *a, struct expo *x)
{
    const struct history_figures *f = store_history_figures(a->conf.store);

    metric_begin(x, &rows[M_HISTORY_STATE]);
    for (enum history_state i = HISTORY_OFF; i <= HISTORY_FAILS; i++)
        expo_u64(x, &L("state", str_of(history_state_names[i])), 1, f->state == i);
    metric_put(x, &rows[M_HISTORY_FILES], (double)f->files);
    metric_put(x, &rows[M_HISTORY_BYTES], (double)f->bytes);
    metric_put(x, &rows[M_HISTORY_OLDEST], (double)f->oldest / 1000);
    metric_put(x, &rows[M_HISTORY_SPANS], (double)f->spans);
    metric_put(x, &rows[M_HISTORY_SAMPLES], (double)f->samples);
    metric_put(x, &rows[M_HISTORY_FAILURES], (double)f->failures);
    metric_put(x, &rows[M_HISTORY_DAMAGED], (double)f->damaged);
}

void api_put_sample_metrics(struct api *a, struct expo *x)
{
    put_rules(a, x);
    put_targets(a, x);
    put_pushes(a, x);
    put_tsdb(a, x);
    put_history_metrics(a, x);
}
