/* rule_template.h - labels and annotations of a rule as templates over one sample.
 *
 * Shapes   texts of some 100 bytes; a text without "{{" is returned as it is. An expansion may take 4 MiB and write 1 MiB.
 * Errors   none: a failure is the text "<error expanding template: ...>", as in Prometheus.
 * Owns     results live in the arena given.
 * Cost     a text is parsed at each expansion.
 * Source   rules.md 3.1-3.3. The function query is an error: a group's queries are its expressions only.
 */
#ifndef RULER_RULE_TEMPLATE_H
#define RULER_RULE_TEMPLATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "tocsin/labels.h"

struct rule_template_vars {
    str alert;            /* names the template in errors */
    struct labels labels; /* of the sample */
    double value;
    struct labels external_labels;
    str external_url;
    ts_ns slot;
};

str rule_template_expand(struct arena *a, str text, const struct rule_template_vars *vars);

/* Whether the text parses. e->line is the line inside of the text. */
bool rule_template_check(str alert, str text, struct err *e) must_check;

#endif
