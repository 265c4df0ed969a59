/* lint_scrape.h - what a configuration that scrapes says of rules: jobs that it has not, windows that are too short for it; and
 * of its targets: paths that answer no metrics.
 *
 * Errors   R042, R075, C030 of lint/checks.h; none is an error.
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_SCRAPE_H
#define LINT_LINT_SCRAPE_H

#include "base/diags.h"
#include "config/config.h"

void lint_scrape_rules(const struct config *c, const struct rule_group_conf *groups, size_t n,
                       struct diags *d);
void lint_scrape_jobs(const struct config *c, struct diags *d);

#endif
