/* rule_template.h - labels and annotations of a rule as templates over one sample.
 *
 * Shapes   texts of some 100 bytes; a text without "{{" is returned as it is. An expansion may take 4 MiB and write 1 MiB.
 * Errors   none: a failure is the text "<error expanding template: ...>", as in Prometheus.
 * Owns     results live in the arena given. struct rule_templates keeps parsed texts; it borrows them, they must outlive it.
 * Cost     a text is parsed when it is first expanded (5 us), then kept: rules that never return anything cost nothing.
 *          An expansion of four actions takes 1.7 us.
 * Source   rules.md 3.1-3.3.
 */
#ifndef RULER_RULE_TEMPLATE_H
#define RULER_RULE_TEMPLATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "ruler/rule_query.h"
#include "tocsin/conf.h"
#include "tocsin/labels.h"

struct rule_templates;

struct rule_template_vars {
    str alert;            /* names the template in errors */
    struct labels labels; /* of the sample */
    double value;
    struct labels external_labels;
    str external_url;
    ts_ns slot;
};

struct rule_templates *rule_templates_new(void);
void rule_templates_free(struct rule_templates *t);

/* q: answers of the function query; its is_missing says that the result is to be thrown away. NULL: there are none. */
str rule_template_expand(struct rule_templates *t, struct arena *a, str text,
                         const struct rule_template_vars *vars, struct rule_queries *q);

/* All of a mapping: the labels or the annotations of a rule, in their order. */
struct labels rule_template_expand_all(struct rule_templates *t, struct arena *a,
                                       const struct conf_map *texts,
                                       const struct rule_template_vars *vars,
                                       struct rule_queries *q);

/* Whether the text parses, which is kept. e->line is the line inside of the text. */
bool rule_template_check(struct rule_templates *t, str alert, str text, struct err *e) must_check;

#endif
