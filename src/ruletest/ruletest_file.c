/* The keys of a file of tests, and what can be seen of it without running it. */
#include "ruletest/ruletest_file.h"

#include <math.h>
#include <stdlib.h>
#include "codec/float.h"
#include "codec/timefmt.h"
#include "promql/promql.h"
#include "promql/series.h"
#include "schema/schema.h"

/* Seconds since 1970, or RFC 3339. */
static bool ruletest_read_start(struct conf_in *in, const struct yaml_node *node, void *member)
{
    ts_ns t = 0;
    double seconds;

    if (node->kind == YAML_SCALAR && float_parse(node->text, &seconds, NULL) && fabs(seconds) < 9e9)
        t = (ts_ns)llround(seconds * 1e9);
    else if (node->kind != YAML_SCALAR || !rfc3339_parse(node->text, &t, NULL)) {
        conf_complain(in, node, DIAG_ERROR, "C001", "Unix seconds or RFC 3339 expected");
        return false;
    }
    memcpy(member, &t, sizeof(t));
    return true;
}

static const struct conf_key series_keys[] = {
    CONF_KEY(struct ruletest_series, series, CONF_STRING, "name and labels: up{job=\"api\"}",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct ruletest_series, values, CONF_STRING,
             "values, an interval apart: 1 2 _ stale 0+10x5"),
    CONF_KEYS_END,
};
static const struct conf_type series_type = {.name = "input_series",
                                             .doc = "A series that the rules see.",
                                             .keys = series_keys,
                                             .size = sizeof(struct ruletest_series)};

static const char *const alert_states[] = {"firing", "pending", NULL};

static const struct conf_key alert_keys[] = {
    CONF_KEY_AS("exp_labels", struct ruletest_alert, labels, CONF_STRING_MAP,
                "all labels but alertname"),
    CONF_KEY_AS("exp_annotations", struct ruletest_alert, annotations, CONF_STRING_MAP,
                "all annotations"),
    CONF_KEY_AS("exp_state", struct ruletest_alert, state, CONF_WORD, "pending alerts count, too",
                .text = "firing", .words = alert_states),
    CONF_KEY_AS("exp_value", struct ruletest_alert, value, CONF_STRING, "the value of the alert"),
    CONF_KEYS_END,
};
static const struct conf_type alert_type = {.name = "exp_alert",
                                            .doc = "An alert that is expected.",
                                            .keys = alert_keys,
                                            .size = sizeof(struct ruletest_alert)};

static const struct conf_key alerts_keys[] = {
    CONF_KEY(struct ruletest_alerts, eval_time, CONF_DURATION, "since the start", .text = "0s"),
    CONF_KEY(struct ruletest_alerts, alertname, CONF_STRING, "of the alerting rule",
             .flags = CONF_REQUIRED),
    CONF_KEY_AS("exp_alerts", struct ruletest_alerts, expected, CONF_LIST,
                "what fires; nothing: none", .sub = &alert_type),
    CONF_KEYS_END,
};
static const struct conf_type alerts_type = {.name = "alert_rule_test",
                                             .doc = "What fires at a time.",
                                             .keys = alerts_keys,
                                             .size = sizeof(struct ruletest_alerts)};

static const struct conf_key sample_keys[] = {
    CONF_KEY(struct ruletest_sample, labels, CONF_STRING, "as in input_series; empty: none"),
    CONF_KEY(struct ruletest_sample, value, CONF_FLOAT, "the value", .text = "0"),
    CONF_KEY(struct ruletest_sample, histogram, CONF_STRING, "the histogram, in place of a value"),
    CONF_KEYS_END,
};
static const struct conf_type sample_type = {.name = "exp_sample",
                                             .doc = "A sample that is expected.",
                                             .keys = sample_keys,
                                             .size = sizeof(struct ruletest_sample)};

static const struct conf_key expr_keys[] = {
    CONF_KEY(struct ruletest_expr, expr, CONF_STRING, "PromQL", .flags = CONF_REQUIRED),
    CONF_KEY(struct ruletest_expr, eval_time, CONF_DURATION, "since the start", .text = "0s"),
    CONF_KEY_AS("exp_samples", struct ruletest_expr, expected, CONF_LIST,
                "the result, in any order", .sub = &sample_type),
    CONF_KEYS_END,
};
static const struct conf_type expr_type = {.name = "promql_expr_test",
                                           .doc = "What an expression gives at a time.",
                                           .keys = expr_keys,
                                           .size = sizeof(struct ruletest_expr)};

static const struct conf_key route_keys[] = {
    CONF_KEY(struct ruletest_route, labels, CONF_STRING_MAP, "of an alert"),
    CONF_KEY_AS("exp_receivers", struct ruletest_route, receivers, CONF_STRINGS,
                "who is told, in the order of the tree"),
    CONF_KEYS_END,
};
static const struct conf_type route_type = {.name = "route_test",
                                            .doc = "Where the routes of config_files take labels.",
                                            .keys = route_keys,
                                            .size = sizeof(struct ruletest_route)};

static const char *const told_states[] = {"firing", "resolved", NULL};

static const struct conf_key posted_keys[] = {
    CONF_KEY(struct ruletest_posted, labels, CONF_STRING_MAP, "with alertname"),
    CONF_KEY(struct ruletest_posted, annotations, CONF_STRING_MAP, "of the alert"),
    CONF_KEY(struct ruletest_posted, at, CONF_DURATION, "since the start", .text = "0s"),
    CONF_KEY_AS("for", struct ruletest_posted, lasts, CONF_DURATION, "then it ends",
                .text = "365d"),
    CONF_KEYS_END,
};
static const struct conf_type posted_type = {.name = "input_alert",
                                             .doc = "An alert that no rule of the test makes.",
                                             .keys = posted_keys,
                                             .size = sizeof(struct ruletest_posted)};

static const struct conf_key silence_keys[] = {
    CONF_KEY(struct ruletest_silence, matchers, CONF_STRING, "alertname=\"X\", job=~\"a|b\"",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct ruletest_silence, at, CONF_DURATION, "since the start", .text = "0s"),
    CONF_KEY_AS("for", struct ruletest_silence, lasts, CONF_DURATION, "how long it holds",
                .text = "365d"),
    CONF_KEYS_END,
};
static const struct conf_type silence_type = {.name = "input_silence",
                                              .doc = "A silence.",
                                              .keys = silence_keys,
                                              .size = sizeof(struct ruletest_silence)};

static const struct conf_key outage_keys[] = {
    CONF_KEY(struct ruletest_outage, receiver, CONF_STRING, "its name", .flags = CONF_REQUIRED),
    CONF_KEY(struct ruletest_outage, integrations, CONF_STRINGS,
             "sms, webhook[1], ...; none: all of the receiver's"),
    CONF_KEY(struct ruletest_outage, at, CONF_DURATION, "since the start", .text = "0s"),
    CONF_KEY_AS("for", struct ruletest_outage, lasts, CONF_DURATION, "then it works again",
                .text = "365d"),
    CONF_KEYS_END,
};
static const struct conf_type outage_type = {.name = "input_outage",
                                             .doc = "A service that refuses what it is sent.",
                                             .keys = outage_keys,
                                             .size = sizeof(struct ruletest_outage)};

static const struct conf_key told_keys[] = {
    CONF_KEY(struct ruletest_told, receiver, CONF_STRING, "its name", .flags = CONF_REQUIRED),
    CONF_KEY(struct ruletest_told, integrations, CONF_STRINGS,
             "sms, webhook[1], ...; none: each of the receiver's tells it once"),
    CONF_KEY(struct ruletest_told, at, CONF_DURATION, "since the start, to the second",
             .text = "0s"),
    CONF_KEY(struct ruletest_told, until, CONF_DURATION, "it may come as late; none: at `at`",
             .text = "0s"),
    CONF_KEY(struct ruletest_told, status, CONF_WORD, "whether some alert of it fires",
             .text = "firing", .words = told_states),
    CONF_KEY(struct ruletest_told, alerts, CONF_STRINGS,
             "names of its alerts, each once; none: any"),
    CONF_KEY(struct ruletest_told, group_labels, CONF_STRING_MAP, "of the group, or some of them"),
    CONF_KEY(struct ruletest_told, text, CONF_STRINGS,
             "what stands in the message, as its reader sees it"),
    CONF_KEYS_END,
};
static const struct conf_type told_type = {.name = "notification_test",
                                           .doc = "A message that a receiver of config_files gets.",
                                           .keys = told_keys,
                                           .size = sizeof(struct ruletest_told)};

static const struct conf_key case_keys[] = {
    CONF_KEY(struct ruletest_case, name, CONF_STRING, "for --run and reports"),
    CONF_KEY(struct ruletest_case, interval, CONF_DURATION,
             "between values of input_series; default: evaluation_interval", .text = "0s"),
    CONF_KEY_AS("start_timestamp", struct ruletest_case, start, CONF_CUSTOM,
                "Unix seconds or RFC 3339; default: 0", .json = CONF_JSON_TEXT,
                .decode = ruletest_read_start),
    CONF_KEY_AS("input_series", struct ruletest_case, series, CONF_LIST, "what the rules see",
                .sub = &series_type),
    CONF_KEY_AS("alert_rule_test", struct ruletest_case, alerts, CONF_LIST, "what fires when",
                .sub = &alerts_type),
    CONF_KEY_AS("promql_expr_test", struct ruletest_case, exprs, CONF_LIST, "what expressions give",
                .sub = &expr_type),
    CONF_KEY_AS("route_test", struct ruletest_case, routes, CONF_LIST, "who would be told",
                .sub = &route_type),
    CONF_KEY_AS("notification_test", struct ruletest_case, notifications, CONF_LIST,
                "who is told what when: these messages and no others", .sub = &told_type),
    CONF_KEY(struct ruletest_case, run_for, CONF_DURATION,
             "how long the router runs; default: up to the last of notification_test",
             .text = "0s"),
    CONF_KEY_AS("input_alerts", struct ruletest_case, posted, CONF_LIST,
                "alerts that come from elsewhere", .sub = &posted_type),
    CONF_KEY_AS("input_silences", struct ruletest_case, silences, CONF_LIST, "silences",
                .sub = &silence_type),
    CONF_KEY_AS("input_outages", struct ruletest_case, outages, CONF_LIST, "services out of order",
                .sub = &outage_type),
    CONF_KEY(struct ruletest_case, external_labels, CONF_STRING_MAP,
             "$externalLabels of templates"),
    CONF_KEY(struct ruletest_case, external_url, CONF_STRING, "$externalURL of templates"),
    CONF_KEYS_END,
};
static const struct conf_type case_type = {.name = "test",
                                           .doc = "Series, and what becomes of them.",
                                           .keys = case_keys,
                                           .size = sizeof(struct ruletest_case),
                                           .place = CONF_AT(struct ruletest_case, place)};

static const struct conf_key ruletest_file_keys[] = {
    CONF_KEY(struct ruletest_file, rule_files, CONF_STRINGS,
             "rule files and patterns, from the folder of this file"),
    CONF_KEY(struct ruletest_file, config_files, CONF_STRINGS,
             "configurations with the routes of route_test and notification_test"),
    CONF_KEY(struct ruletest_file, evaluation_interval, CONF_DURATION,
             "how often all groups are evaluated", .text = "1m"),
    CONF_KEY_AS("group_eval_order", struct ruletest_file, group_order, CONF_STRINGS,
                "groups in the order of their evaluation"),
    CONF_KEY_AS("fuzzy_compare", struct ruletest_file, is_fuzzy, CONF_BOOL,
                "floats may differ in the last place", .text = "false"),
    CONF_KEY(struct ruletest_file, tests, CONF_LIST, "the tests", .sub = &case_type),
    CONF_KEYS_END,
};
const struct conf_type ruletest_file_type = {.name = "rule_test",
                                             .doc = "Unit tests of rules.",
                                             .keys = ruletest_file_keys,
                                             .size = sizeof(struct ruletest_file)};

/* -- what can be seen without running -- */

static void ruletest_file_complain(const struct ruletest_file *f, const struct yaml_node *n,
                                   size_t at, size_t len, struct diags *d, const char *text)
{
    at = at < n->text.n ? at : n->text.n;
    diags_add(d, DIAG_ERROR, "T001", yaml_place_in(f->doc, n, at, len), "%s", text);
}

static const struct yaml_node *ruletest_item(const struct yaml_node *map, const char *list,
                                             size_t i)
{
    return yaml_get(map, str_of(list))->items[i];
}

static bool check_series(const struct ruletest_file *f, const struct yaml_node *node,
                         struct arena *a, struct diags *d)
{
    const struct yaml_node *name = yaml_get(node, S("series")),
                           *values = yaml_get(node, S("values"));
    struct series_value *v;
    struct labels ls;
    struct err e = ERR_INIT;
    size_t n;

    if (!series_parse_labels(name->text, a, &ls, &e)) {
        ruletest_file_complain(f, name, e.col > 0 ? (size_t)e.col - 1 : 0, 1, d, e.msg);
        return false;
    }
    if (values == NULL || series_parse_values(values->text, a, &v, &n, &e))
        return true;
    ruletest_file_complain(f, values, e.col > 0 ? (size_t)e.col - 1 : 0, 1, d, e.msg);
    return false;
}

static bool check_expr_text(const struct ruletest_file *f, const struct yaml_node *node,
                            struct arena *a, struct diags *d)
{
    const struct yaml_node *expr = yaml_get(node, S("expr"));
    struct promql_place at = {0};
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(expr->text, &promql_everything, a, &at, &e);

    if (x == NULL)
        ruletest_file_complain(f, expr, at.at, at.len, d, e.msg);
    promql_release(x);
    return x != NULL;
}

static bool check_case(const struct ruletest_file *f, const struct ruletest_case *c,
                       const struct yaml_node *node, struct arena *a, struct diags *d)
{
    bool ok = true;

    for (size_t i = 0; i < c->series.n; i++)
        ok &= check_series(f, ruletest_item(node, "input_series", i), a, d);
    for (size_t i = 0; i < c->exprs.n; i++)
        ok &= check_expr_text(f, ruletest_item(node, "promql_expr_test", i), a, d);
    return ok;
}

static bool ruletest_check_order(const struct ruletest_file *f, struct diags *d)
{
    const struct yaml_node *list = yaml_get(f->doc->root, S("group_eval_order"));

    for (size_t i = 0; i < f->group_order.n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(f->group_order.v[i], f->group_order.v[k])) {
                ruletest_file_complain(f, list->items[i], 0, f->group_order.v[i].n, d,
                                       "a group stands twice in the order of evaluation");
                return false;
            }
    return true;
}

static int by_time(dur_ns a, dur_ns b)
{
    return (a > b) - (a < b);
}

static int posted_order(const void *a, const void *b)
{
    return by_time(((const struct ruletest_posted *)a)->at,
                   ((const struct ruletest_posted *)b)->at);
}

static int silence_order(const void *a, const void *b)
{
    return by_time(((const struct ruletest_silence *)a)->at,
                   ((const struct ruletest_silence *)b)->at);
}

static void ruletest_settle_times(struct ruletest_case *c)
{
    if (c->posted.n != 0)
        qsort(c->posted.v, c->posted.n, sizeof(*c->posted.v), posted_order);
    if (c->silences.n != 0)
        qsort(c->silences.v, c->silences.n, sizeof(*c->silences.v), silence_order);
    for (size_t i = 0; i < c->notifications.n; i++) {
        struct ruletest_told *x = &c->notifications.v[i];

        x->until = x->until > x->at ? x->until : x->at;
    }
}

bool ruletest_file_parse(str text, str path, struct arena *a, struct ruletest_file *out,
                         struct diags *d)
{
    struct yaml_doc *doc = arena_new(a, struct yaml_doc);
    struct conf_run run = {.a = a, .d = d, .mode = MATCHER_FALLBACK};
    struct conf_part part;
    bool ok;

    *out = (struct ruletest_file){.doc = doc};
    if (!yaml_parse(text, path, a, doc, d))
        return false;
    part = (struct conf_part){doc, doc->root};
    ok = conf_decode(&run, &part, 1, (struct conf_layer){&ruletest_file_type, out, NULL});
    out->doc = doc;
    if (!ok)
        return false;
    ok = ruletest_check_order(out, d);
    if (out->evaluation_interval == 0)
        out->evaluation_interval = NS_PER_M;
    for (size_t i = 0; i < out->tests.n; i++) {
        struct ruletest_case *c = &out->tests.v[i];

        if (c->interval == 0)
            c->interval = out->evaluation_interval;
        ruletest_settle_times(c);
        ok &= check_case(out, c, ruletest_item(doc->root, "tests", i), a, d);
    }
    return ok;
}
