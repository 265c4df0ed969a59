/* ruletest.h - unit tests of rules: series come in, rules run over them, and what comes of it is compared.
 *
 *     for t = start, start + evaluation_interval, ... up to the last eval_time
 *         samples up to t come in, all groups run in order, alerts are compared with the tests of this tick
 *         the router of config_files gets what they send
 *     then notifications are compared, and expressions are asked, at start + eval_time
 *
 * A group's own interval is not asked, its query_offset and limit are.
 *
 * Errors   what is wrong with the files goes to diags; what fails is a failure of its case.
 * Owns     the caller releases the report.
 * Source   rules.md 6.3. What differs: promtool ends a query at 10,000 samples.
 */
#ifndef RULETEST_RULETEST_H
#define RULETEST_RULETEST_H

#include "base/diags.h"
#include "base/time.h"
#include "base/vec.h"
#include "regex/regex.h"

struct ruletest_verdict { /* of a case */
    str file, name;       /* name: as given, or "unnamed#2" */
    str failure;          /* lines; empty: it passed */
    dur_ns took;
};

struct ruletest_rule { /* for --coverage */
    str file, name;
    int line;
    bool is_alert,
        is_reached; /* an alert that a passing test expects, a record that gave a sample */
};

struct ruletest_way {        /* a route, for --coverage */
    str file, receiver, key; /* key: of its matchers and those above it */
    int line;
    bool
        is_reached; /* a passing test of routes or notifications has an alert that goes there, or below */
};

struct ruletest_text { /* a definition of a template file, for --coverage */
    str file, name;
    int line;
    bool is_reached; /* a notification that a passing test expects was made with it */
};

struct ruletest_report {
    struct arena a;
    VEC(struct ruletest_verdict) cases;
    VEC(struct ruletest_rule) rules; /* each once */
    VEC(struct ruletest_way) ways;   /* the same, in the order of the configuration */
    VEC(struct ruletest_text) texts; /* the same, in the order of files and lines */
    size_t failed;                   /* cases, and files that cannot be run */
};

struct ruletest_options {
    const struct regex *const *run; /* cases that one of them is found in; n_run 0: all */
    size_t n_run;
    ts_ns (*mono)(void); /* for took */
};

void ruletest_report_init(struct ruletest_report *r);
void ruletest_report_release(struct ruletest_report *r);
/* Runs a file's tests. False: it cannot be run, d says why. */
bool ruletest_run(str path, const struct ruletest_options *o, struct ruletest_report *r,
                  struct diags *d);

#endif
