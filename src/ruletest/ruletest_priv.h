/* ruletest_priv.h - a case under way: what run.c and compare.c share. */
#ifndef RULETEST_RULETEST_PRIV_H
#define RULETEST_RULETEST_PRIV_H

#include "config/config.h"
#include "promql/label_sets.h"
#include "route/tree.h"
#include "ruler/rule_group.h"
#include "ruletest/ruletest.h"
#include "ruletest/ruletest_file.h"
#include "tsdb/tsdb.h"

struct ruletest_input;
struct told;

struct ruletest {
    const struct ruletest_file *file;
    const struct ruletest_case *test;
    struct rule_group_conf *confs; /* of all rule files */
    size_t n_confs;
    struct config *config;           /* NULL: the same */
    const struct route_tree *routes; /* NULL: there are none */
    struct ruletest_report *report;
    struct arena *a;

    struct tsdb *db;
    struct tsdb_stream *stream;
    struct tsdb_batch batch;
    VEC(struct ruletest_input) inputs;
    VEC(struct rule_group *) groups; /* in the order of their evaluation */
    size_t loaded;                   /* rows of the inputs */
    struct told *told;               /* NULL: the router is not asked */
    struct buf failure;
};

void ruletest_run_case(struct ruletest *t);
struct labels ruletest_labels(struct arena *a, const struct conf_map *m);
void ruletest_reach(struct ruletest *t, const struct rule_conf *r);
/* The rules that such an alert can be of. */
void ruletest_reach_alert(struct ruletest *t, struct labels ls);
/* Those that take such an alert to the receiver, and what is above them. Empty: to any. */
void ruletest_reach_routes(struct ruletest *t, struct labels ls, str receiver);

/* A definition of a template file. */
void ruletest_reach_text(struct ruletest *t, str file, str name);

/* Each says what differs, in lines of t->failure. */
void ruletest_compare_alerts(struct ruletest *t, const struct ruletest_alerts *x);
void ruletest_compare_expr(struct ruletest *t, const struct ruletest_expr *x);
void ruletest_compare_route(struct ruletest *t, const struct ruletest_route *x);

#endif
