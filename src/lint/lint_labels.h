/* lint_labels.h - which labels an expression's result can have, as far as its text tells.
 *
 *     sum by (job, le) (rate(x_bucket{env="prod"}[5m]))     job and le; nothing else
 *     x{env="prod"} / on (job) group_left (team) y          whatever x has but its name; env is "prod", team perhaps
 *
 * Nothing is guessed: what is said to be gone is gone whatever the series are.
 *
 * Owns     shapes live in the arena; names and values are the expression's text.
 */
#ifndef LINT_LINT_LABELS_H
#define LINT_LINT_LABELS_H

#include "promql/promql.h"

/* LABEL_THERE: job and instance, which each scrape adds, and what an aggregation keeps by name. A recorded or pushed series may
 * have it not all the same: whoever uses it asks what is below (lint_expr.c). */
enum label_certainty { LABEL_GONE, LABEL_MAYBE, LABEL_THERE, LABEL_KNOWN };

struct label_trait {
    str name;
    enum label_certainty is;
    str value; /* LABEL_KNOWN */
};

struct label_shape {
    bool is_open; /* others than those listed may be there */
    struct label_trait *v;
    size_t n;
};

struct label_shape label_shape_of(const struct promql_expr *x, struct arena *a);
struct label_trait label_shape_get(const struct label_shape *s, str name);

/* Whether a label of this name is often added on the way to a Prometheus, so that the exporter knows nothing of it. */
bool label_may_be_added(str name);

/* Whether no series of the one side can have a partner on the other; *why: the label that stands in the way, and what of it. */
struct label_clash {
    str name;
    struct label_trait left, right;
};
bool label_shapes_clash(const struct promql_matching *m, const struct label_shape *left,
                        const struct label_shape *right, struct label_clash *why);

#endif
