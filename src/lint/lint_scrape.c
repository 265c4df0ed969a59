/* Nothing is said where the configuration does not know it: a label "job" that relabeling writes, or that comes with the
 * samples; a source that is asked, whose jobs it does not name. */
#include "lint/lint_scrape.h"

#include "base/vec.h"
#include "codec/duration.h"
#include "promql/promql.h"

struct scrape_linter {
    const struct config *c;
    const struct rule_conf *rule;
    struct diags *d;
    bool knows_jobs; /* the label "job" is what the configuration calls it */
    bool is_all;     /* no series come from elsewhere */
    dur_ns shortest; /* interval */
};

/* -- what is known -- */

static bool may_write_job(const struct relabel_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        if (str_is(rules->v[i].target_label, "job") || rules->v[i].action == RELABEL_LABELMAP)
            return true;
    return false;
}

static void know_jobs(struct scrape_linter *l)
{
    const struct config *c = l->c;

    l->knows_jobs = true;
    l->is_all = c->n_sources == 0 && c->push == NULL;
    for (size_t i = 0; i < c->n_scrapes; i++) {
        const struct scrape_conf *s = &c->scrapes[i];

        if (s->honor_labels || may_write_job(&s->relabel_configs) ||
            may_write_job(&s->metric_relabel_configs))
            l->knows_jobs = false;
        if (l->shortest == 0 || s->common.interval < l->shortest)
            l->shortest = s->common.interval;
    }
}

static struct diag *scrape_report(struct scrape_linter *l, const struct promql_expr *x,
                                  const char *id, const char *text)
{
    struct diag_place at = yaml_place_in(l->rule->doc, l->rule->expr_node, x->at, x->end - x->at);

    return diags_add(l->d, DIAG_WARNING, id, at, "%s \"%.*s\": %s",
                     l->rule->is_alert ? "alert" : "series", STR(l->rule->name), text);
}

/* -- R075: jobs -- */

static const str *nearest_job(const struct scrape_linter *l, str job)
{
    VEC(str) names = VEC_INIT;
    const str *hit;

    for (size_t i = 0; i < l->c->n_scrapes; i++)
        vec_push(&names, l->c->scrapes[i].job_name);
    hit = str_nearest(job, names.v, names.n);
    for (size_t i = 0; hit != NULL && i < l->c->n_scrapes; i++)
        if (str_eq(l->c->scrapes[i].job_name, *hit)) {
            hit = &l->c->scrapes[i].job_name;
            break;
        }
    vec_release(&names);
    return hit;
}

static void see_job(struct scrape_linter *l, const struct promql_expr *x, const struct matcher *m)
{
    const str *near;
    struct buf b = BUF_INIT;
    struct diag *g;

    for (size_t i = 0; i < l->c->n_scrapes; i++)
        if (matcher_matches(m, l->c->scrapes[i].job_name))
            return;
    near = nearest_job(l, m->value);
    if (near == NULL && !l->is_all)
        return;
    buf_addf(&b, "no scrape config has the job \"%.*s\"", STR(m->value));
    g = scrape_report(l, x, "R075", buf_z(&b));
    if (near != NULL)
        diag_help(l->d, g, "did you mean \"%.*s\"?", STR(*near));
    else
        diag_help(l->d, g, "add a job to scrape_configs, or name one that is there");
    buf_release(&b);
}

/* -- R042: windows -- */

static dur_ns interval_of(const struct scrape_linter *l, const struct promql_expr *x)
{
    for (size_t i = 0; l->knows_jobs && i < x->selector.matchers.n; i++) {
        const struct matcher *m = &x->selector.matchers.v[i];

        for (size_t k = 0; k < l->c->n_scrapes; k++)
            if (str_is(m->name, "job") && m->op == MATCH_EQ &&
                str_eq(m->value, l->c->scrapes[k].job_name))
                return l->c->scrapes[k].common.interval;
    }
    return l->shortest;
}

static void see_window(struct scrape_linter *l, const struct promql_expr *x)
{
    static const char *const two[] = {"rate", "irate", "increase", "deriv", "delta", "idelta"};
    const struct promql_expr *in = x->call.n_args != 0 ? promql_unwrap(x->call.args[0]) : NULL;
    struct buf b = BUF_INIT, window = BUF_INIT, every = BUF_INIT;
    dur_ns interval;
    bool needs_two = false;

    for (size_t i = 0; i < ARRAY_LEN(two); i++)
        needs_two |= strcmp(x->call.fn->name, two[i]) == 0;
    if (!needs_two || !l->is_all || in->kind != PROMQL_RANGE || in->range.length.expr != NULL)
        return;
    interval = interval_of(l, in->range.selector);
    if (in->range.length.ns >= 2 * interval)
        return;
    duration_print(&window, in->range.length.ns);
    duration_print(&every, interval);
    buf_addf(&b, "a window of %.*s holds no two samples for sure: they come every %.*s",
             STR(buf_str(&window)), STR(buf_str(&every)));
    buf_clear(&window);
    duration_print(&window, 4 * interval);
    diag_help(l->d, scrape_report(l, in, "R042", buf_z(&b)), "four intervals are safe: [%.*s]",
              STR(buf_str(&window)));
    buf_release(&window);
    buf_release(&every);
    buf_release(&b);
}

/* -- rules -- */

static bool see_scraped(struct promql_expr *x, void *arg)
{
    struct scrape_linter *l = arg;

    if (x->kind == PROMQL_CALL)
        see_window(l, x);
    for (size_t i = 0; x->kind == PROMQL_SELECTOR && i < x->selector.matchers.n; i++) {
        const struct matcher *m = &x->selector.matchers.v[i];

        if (l->knows_jobs && str_is(m->name, "job") && !matcher_is_negative(m) && m->value.n != 0 &&
            str_find(x->selector.name, ':') < 0)
            see_job(l, x, m);
    }
    return true;
}

static void scrape_rule(struct scrape_linter *l, const struct rule_conf *r)
{
    struct arena a;
    struct promql_expr *x;

    if (r->expr_node == NULL || r->expr_node->kind != YAML_SCALAR)
        return;
    arena_init(&a, 0);
    l->rule = r;
    x = promql_parse(r->expr_node->text, &promql_everything, &a, NULL, NULL);
    if (x != NULL)
        promql_walk(x, see_scraped, l);
    promql_release(x);
    arena_release(&a);
}

void lint_scrape_rules(const struct config *c, const struct rule_group_conf *groups, size_t n,
                       struct diags *d)
{
    struct scrape_linter l = {.c = c, .d = d};

    if (c->n_scrapes == 0)
        return;
    know_jobs(&l);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < groups[i].n_rules; k++)
            scrape_rule(&l, &groups[i].rules[k]);
}

/* -- C030: paths -- */

void lint_scrape_jobs(const struct config *c, struct diags *d)
{
    static const char *const paths[] = {"/health",    "/healthz",        "/-/healthy",
                                        "/-/ready",   "/ready",          "/readyz",
                                        "/livez",     "/live",           "/liveness",
                                        "/ping",      "/status",         "/api/health",
                                        "/readiness", "/actuator/health"};

    for (size_t i = 0; i < c->n_scrapes; i++)
        for (size_t k = 0; k < ARRAY_LEN(paths); k++)
            if (str_is(c->scrapes[i].metrics_path, paths[k]))
                diag_help(d,
                          diags_add(d, DIAG_WARNING, "C030", c->scrapes[i].place,
                                    "job \"%.*s\": \"%s\" is a health check and answers no "
                                    "metrics: \"up\" is 0 for ever",
                                    STR(c->scrapes[i].job_name), paths[k]),
                          "scrape the path that has metrics; a health check is asked by the "
                          "blackbox exporter (/probe)");
}
