/* alert_generator.c - the cases of prometheus/compliance's alert_generator, on stepped slots over our own store.
 *
 * Samples come every 15 s, the groups run every 30 s, as there. After each run the state of every rule must be that of
 * the last edge, what is sent must be due, and annotations must read as listed. The tolerance is one interval: an edge
 * between two slots shows at the second.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "codec/duration.h"
#include "os/yaml_file.h"
#include "model/labels.h"
#include "ruler/rule_file.h"
#include "ruler/rule_group.h"

#define T0       (1700000000ll * NS_PER_S)
#define STEP     (15 * NS_PER_S)
#define INTERVAL (30 * NS_PER_S)

static int failed, passed;

static void check(bool ok, const char *rule, ts_ns at, const char *fmt, const char *detail)
{
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("%s at %llds: ", rule, (long long)(at / NS_PER_S));
    printf(fmt, detail);
    printf("\n");
}

struct edge {
    ts_ns t;
    enum rule_alert_state state;
    double value; /* NAN: not listed */
};

struct stream {
    struct labels labels;
    VEC(double) v;
    bool is_helper;
    VEC(struct edge) edges; /* of its alert */
    size_t rule;
};

struct suite {
    struct arena a;
    struct tsdb *db;
    struct tsdb_stream *input;
    struct rule_group *g;
    VEC(struct stream) streams;
    ts_ns *last_sent; /* a rule, of its first alert */
};

/* -- reading the cases -- */

static double number(str text)
{
    char z[32];

    snprintf(z, sizeof(z), "%.*s", STR(text));
    return strtod(z, NULL);
}

static void add_samples(struct stream *s, const struct yaml_node *list)
{
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        str text = list->items[i]->text, count = text, step = str_cut(&count, 'x');
        double d = number(step);

        if (count.p == NULL) {
            vec_push(&s->v, d);
            continue;
        }
        for (long n = strtol(count.p, NULL, 10); n > 0; n--) {
            double last = s->v.v[s->v.n - 1];

            vec_push(&s->v, last + d);
        }
    }
}

static struct labels labels_of(struct suite *s, str group, str alertname,
                               const struct yaml_node *more)
{
    struct label *v = arena_array(&s->a, 8, sizeof(*v));
    size_t n = 0;
    str dup;

    v[n++] = (struct label){S("__name__"), S("alert_generator_test_suite")};
    v[n++] = (struct label){S("rulegroup"), group};
    if (alertname.n != 0)
        v[n++] = (struct label){S("alertname"), alertname};
    for (size_t i = 0; more != NULL && i < more->n && n < 8; i++)
        v[n++] = (struct label){more->pairs[i].key->text, more->pairs[i].value->text};
    n = labels_sort(v, n, &dup);
    return (struct labels){v, n};
}

static struct edge edge_of(const struct yaml_node *n)
{
    const struct yaml_node *t = yaml_get(n, S("t")), *value = yaml_get(n, S("value"));
    str state = yaml_get(n, S("state"))->text;
    struct edge e = {.value = value != NULL ? number(value->text) : (double)NAN};
    struct err why = ERR_INIT;

    if (!duration_parse(t->text, &e.t, &why))
        e.t = 2 * NS_PER_M + INTERVAL; /* "second evaluation after 2m" */
    e.state = str_is(state, "firing")    ? RULE_ALERT_FIRING
              : str_is(state, "pending") ? RULE_ALERT_PENDING
                                         : RULE_ALERT_INACTIVE;
    return e;
}

static void add_edge(struct stream *s, const struct yaml_node *n, const char *key,
                     enum rule_alert_state state)
{
    const struct yaml_node *t = yaml_get(n, str_of(key));
    struct edge e = {.state = state, .value = (double)NAN};
    struct err why = ERR_INIT;

    if (t != NULL && duration_parse(t->text, &e.t, &why))
        vec_push(&s->edges, e);
}

static size_t rule_index(const struct suite *s, str name)
{
    for (size_t i = 0; i < s->g->n_rules; i++)
        if (str_eq(s->g->rules[i].conf->name, name))
            return i;
    return SIZE_MAX;
}

static void read_rule(struct suite *s, str group, const struct yaml_node *rules, size_t i)
{
    const struct yaml_node *n = rules->items[i], *series = yaml_get(n, S("series")),
                           *samples = yaml_get(n, S("samples")), *edges = yaml_get(n, S("edges"));
    str name = yaml_get(n, S("name"))->text;

    for (size_t j = 0; series != NULL && j < series->n; j++) {
        const struct yaml_node *one = series->items[j];
        struct stream st = {.labels = labels_of(s, group, name, yaml_get(one, S("labels"))),
                            .rule = rule_index(s, name)};

        add_samples(&st, yaml_get(one, S("samples")));
        add_edge(&st, one, "pending", RULE_ALERT_PENDING);
        add_edge(&st, one, "firing", RULE_ALERT_FIRING);
        add_edge(&st, one, "inactive", RULE_ALERT_INACTIVE);
        vec_push(&s->streams, st);
    }
    if (series == NULL) {
        struct stream st = {.labels = labels_of(s, group, name, NULL), .rule = rule_index(s, name)};

        if (samples != NULL && samples->kind == YAML_SCALAR) /* "same as above" */
            samples = yaml_get(rules->items[0], S("samples"));
        add_samples(&st, samples);
        for (size_t j = 0; edges != NULL && j < edges->n; j++)
            vec_push(&st.edges, edge_of(edges->items[j]));
        vec_push(&s->streams, st);
    }
}

static void read_case(struct suite *s, const struct yaml_node *n)
{
    const struct yaml_node *rules = yaml_get(n, S("rules")),
                           *helpers = yaml_get(n, S("helper_series"));
    str group = yaml_get(n, S("group"))->text;

    for (size_t i = 0; i < rules->n; i++)
        read_rule(s, group, rules, i);
    for (size_t i = 0; helpers != NULL && i < helpers->n; i++) {
        struct stream st = {.labels = labels_of(s, group, STR_NONE,
                                                yaml_get(helpers->items[i], S("labels"))),
                            .is_helper = true};

        add_samples(&st, yaml_get(helpers->items[i], S("samples")));
        vec_push(&s->streams, st);
    }
}

/* -- running -- */

static void feed(struct suite *s, size_t i)
{
    struct tsdb_batch b;
    struct err e = ERR_INIT;

    tsdb_batch_init(&b);
    tsdb_batch_begin(&b, s->db, s->input, (T0 + (ts_ns)i * STEP) / NS_PER_MS);
    VEC_EACH (const struct stream *, st, &s->streams)
        if (i < st->v.n)
            tsdb_batch_add(&b, TSDB_REF_NEW, st->labels, st->v.v[i]);
    if (!tsdb_commit(&b, &e))
        check(false, "the store", (ts_ns)i * STEP, "%s", e.msg);
    tsdb_batch_release(&b);
}

static const struct edge *last_edge(const struct stream *st, ts_ns at)
{
    const struct edge *last = NULL;

    VEC_EACH (const struct edge *, e, &st->edges)
        if (e->t <= at)
            last = e;
    return last;
}

static const struct rule_alert *alert_of(const struct rule *r, const struct stream *st)
{
    str variant = labels_get(st->labels, S("variant"));

    MAP_EACH (struct u64_map_entry, it, &r->alerts) {
        const struct rule_alert *a = it->value;

        if (variant.n == 0 || str_eq(label_set_get(a->labels, S("variant")), variant))
            return a;
    }
    return NULL;
}

static void check_state(struct suite *s, const struct stream *st, ts_ns at)
{
    static const char *const names[] = {"inactive", "pending", "firing"};
    const struct rule *r = &s->g->rules[st->rule];
    const struct edge *e = last_edge(st, at);
    const struct rule_alert *a = alert_of(r, st);
    enum rule_alert_state wanted = e != NULL ? e->state : RULE_ALERT_INACTIVE,
                          got = a != NULL ? a->state : RULE_ALERT_INACTIVE;

    check(r->health == RULE_OK, r->conf->name.p, at, "health: %s", r->last_error);
    check(got == wanted, r->conf->name.p, at, "not %s", names[wanted]);
    if (e != NULL && !isnan(e->value) && e->t + INTERVAL > at)
        check(a != NULL && a->value == e->value, r->conf->name.p, at, "value%s", "");
    if (wanted == RULE_ALERT_FIRING && got == wanted)
        check(a->active_at + r->conf->hold_for <= T0 + at, r->conf->name.p, at, "activeAt%s", "");
}

/* What is sent: never a pending alert; a firing one at once and then each minute or the slot after, with an end four
 * minutes away; a resolved one for fifteen minutes. */
static void check_sent(struct suite *s, ts_ns at)
{
    for (size_t i = 0; i < s->g->n_rules; i++) {
        const struct rule *r = &s->g->rules[i];

        MAP_EACH (struct u64_map_entry, it, &r->alerts) {
            const struct rule_alert *a = it->value;
            bool sent = a->last_sent_at == T0 + at;

            if (a->state == RULE_ALERT_PENDING)
                check(!sent, r->conf->name.p, at, "a pending alert is sent%s", "");
            else if (a->state == RULE_ALERT_FIRING)
                check(a->last_sent_at >= T0 + at - 2 * INTERVAL, r->conf->name.p, at,
                      "not sent again%s", "");
            else if (a->resolved_at + 14 * NS_PER_M > T0 + at)
                check(a->last_sent_at >= T0 + at - 2 * INTERVAL, r->conf->name.p, at,
                      "resolved: not sent again%s", "");
            else if (a->resolved_at + 16 * NS_PER_M < T0 + at)
                check(!sent, r->conf->name.p, at, "still sent long after its end%s", "");
        }
    }
    VEC_EACH (const struct alert_input *, in, &s->g->send)
        check(in->ends_at <= T0 + at || in->ends_at == T0 + at + 4 * NS_PER_M, "sent", at,
              "endsAt%s", "");
}

static void check_text(struct suite *s, const char *rule, const char *annotation,
                       const char *wanted, ts_ns at)
{
    size_t i = rule_index(s, str_of(rule));

    if (i == SIZE_MAX)
        return;
    MAP_EACH (struct u64_map_entry, it, &s->g->rules[i].alerts) {
        const struct rule_alert *a = it->value;

        if (a->state == RULE_ALERT_FIRING)
            check(str_is(label_set_get(a->annotations, str_of(annotation)), wanted), rule, at,
                  "annotation: %s", label_set_get(a->annotations, str_of(annotation)).p);
    }
}

/* expected_annotations of the case: NAME, or NAME_before_7m and NAME_after_7m. */
static void check_texts(struct suite *s, const struct yaml_node *n, ts_ns at)
{
    const struct yaml_node *rules = yaml_get(n, S("rules"));

    for (size_t i = 0; i < rules->n; i++) {
        const struct yaml_node *texts = yaml_get(rules->items[i], S("expected_annotations"));

        for (size_t j = 0; texts != NULL && j < texts->n; j++) {
            str key = texts->pairs[j].key->text;
            bool before = str_ends_with(key, S("_before_7m")),
                 after = str_ends_with(key, S("_after_7m"));

            if ((before && at >= 7 * NS_PER_M) || (after && at < 8 * NS_PER_M))
                continue;
            key = str_sub(key, 0, key.n - (before ? 10 : after ? 9 : 0));
            check_text(s, yaml_get(rules->items[i], S("name"))->text.p, arena_str(&s->a, key).p,
                       texts->pairs[j].value->text.p, at);
        }
    }
    check_text(s, "NewAlerts_OrderCheck_Rule2", "description",
               "Based on ALERTS. Old alertname was NewAlerts_OrderCheck_Rule1. foo was bar.", at);
}

static ts_ns read_mono(void *arg)
{
    return ((const struct now *)arg)->mono;
}

static void run_slot(struct suite *s, const struct yaml_node *n, ts_ns at)
{
    struct now now = {.wall = T0 + at, .mono = NS_PER_D + at};
    struct rule_want want;

    rule_group_begin(s->g, T0 + at, now);
    if (rule_group_advance(s->g, NULL, (struct rule_clock){read_mono, &now}, &want) !=
        RULE_GROUP_DONE)
        check(false, "the group", at, "asks a source: %s", want.query.p);
    VEC_EACH (const struct stream *, st, &s->streams)
        if (!st->is_helper && st->rule != SIZE_MAX)
            check_state(s, st, at);
    check_sent(s, at);
    check_texts(s, n, at);
}

static void run_case(const struct yaml_node *n, struct rule_group_conf *conf)
{
    struct suite s = {.streams = VEC_INIT};
    struct tsdb_options o = {.keep_all = false};
    struct tsdb_stream_conf input = {.name = S("input"), .interval_ms = 15000};
    size_t steps = 0;

    arena_init(&s.a, 0);
    s.db = tsdb_new(&o);
    for (size_t i = 0; i < conf->n_rules; i++)
        conf->rules[i].is_own = true;
    s.g = rule_group_new(conf, STR_NONE, s.db);
    s.input = tsdb_stream_open(s.db, &input, NULL);
    read_case(&s, n);
    VEC_EACH (const struct stream *, st, &s.streams)
        if (st->v.n > steps)
            steps = st->v.n;
    for (size_t i = 0; i < steps + 80; i++) {
        feed(&s, i);
        if (i % 2 == 0)
            run_slot(&s, n, (ts_ns)i * STEP);
    }
    rule_group_free(s.g);
    tsdb_free(s.db);
    VEC_EACH (struct stream *, st, &s.streams) {
        vec_release(&st->v);
        vec_release(&st->edges);
    }
    vec_release(&s.streams);
    arena_release(&s.a);
}

#define FOLDER TOCSIN_SHARED "/conformance/compliance/alert_generator-"

int main(void)
{
    struct rule_file_options o = {.mode = MATCHER_FALLBACK};
    struct rule_file file;
    struct yaml_doc doc;
    struct arena a;
    struct diags d;
    struct err e = ERR_INIT;
    const struct yaml_node *cases;

    arena_init(&a, 0);
    diags_init(&d);
    if (access(FOLDER "cases.yaml", R_OK) != 0)
        return getenv("CI") != NULL && strcmp(getenv("CI"), "true") == 0 ? 1 : 77;
    if (!rule_file_load(S(FOLDER "rules.yaml"), &o, &a, &file, &d) ||
        !yaml_read_file(S(FOLDER "cases.yaml"), &a, &doc, &d, &e)) {
        fprintf(stderr, "the cases cannot be read: %s\n", e.msg);
        return 1;
    }
    cases = yaml_get(doc.root, S("cases"));
    for (size_t i = 0; i < cases->n; i++) {
        str group = yaml_get(cases->items[i], S("group"))->text;

        for (size_t j = 0; j < file.n_groups; j++)
            if (str_eq(file.groups[j].name, group))
                run_case(cases->items[i], &file.groups[j]);
    }
    printf("%d passed, %d failed\n", passed, failed);
    diags_release(&d);
    arena_release(&a);
    return failed != 0 || passed == 0;
}
