/* rule_conf.h - rule groups as rule files say them.
 *
 * Shapes   up to 10,000 groups of 1-100 rules.
 * Owns     everything lives in the arena that the files were loaded into; doc and expr_node too, so that the place of
 *          anything inside an expression can be found: yaml_place_in(r->doc, r->expr_node, offset, length). Groups that have
 *          been kept (rule_groups_keep()) have neither.
 * Source   rules.md 1.
 */
#ifndef RULER_RULE_CONF_H
#define RULER_RULE_CONF_H

#include "base/diags.h"
#include "base/time.h"
#include "codec/yaml.h"
#include "model/rule_view.h"
#include "ruler/rule_split.h"
#include "tocsin/conf.h"

enum rule_dialect { RULE_PROMQL, RULE_METRICSQL };

struct rule_conf {
    bool is_alert;
    bool is_own;          /* evaluated over our own store, whatever the source of the group */
    bool is_trial;        /* "# tocsin: trial": it is evaluated, and nobody is told */
    bool expects_silence; /* "# tocsin: expect-silent": what it selects may be gone */
    int line;             /* where it begins in the group's file */
    const struct rule_split
        *split; /* else: it reads our own store and the source; NULL: the source alone */
    str name;   /* of the alert or of the recorded series */
    str expr;   /* as written, or confined to a namespace: what a source is asked */
    str query;  /* its canonical form, for links and the API */
    str left; /* of an alert: what it compares, asked for when the alert ends; empty: no comparison */
    dur_ns hold_for; /* `for` */
    dur_ns keep_firing_for;
    struct conf_map labels;      /* the rule's own; templates in an alert */
    struct conf_map all_labels;  /* with the group's below them */
    struct conf_map annotations; /* templates */
    struct labels shown_labels,
        shown_annotations; /* all_labels and annotations by name, of what is kept: views share them */
    const struct yaml_doc *doc; /* NULL: it is not kept */
    const struct yaml_node *node, *expr_node;
    size_t number; /* in its group as written, from 1 */
};

/* Of one whose document is there. */
static inline struct diag_place rule_place(const struct rule_conf *r)
{
    return yaml_place(r->doc, r->node);
}

static inline bool rule_reads_own(const struct rule_conf *r)
{
    return r->is_own || r->split != NULL;
}

/* What links and the API show. A rule that did not come from a file has no canonical text. */
static inline str rule_canonical(const struct rule_conf *r)
{
    return r->query.n != 0 ? r->query : r->expr;
}

struct rule_group_conf {
    str file;   /* path as loaded; of a PrometheusRule with "#NAMESPACE/NAME" */
    str object; /* that; empty in a plain rule file */
    /* What the group is known by: from the configuration file that names it, so that neither moving both nor another
     * spelling makes it another group. Empty: file. */
    str path;
    str absolute; /* the same from the root; empty: not known */
    str name;
    dur_ns interval; /* never 0 when loaded by a configuration */
    dur_ns query_offset;
    int64_t limit;         /* 0 = none */
    bool value_at_resolve; /* alerts that end are given the value that they ended with */
    struct conf_map labels;
    struct rule_conf *rules;
    size_t n_rules;
    str source; /* name of the source; "own" = our own store */
    struct diag_place place;
    struct rule_texts *texts; /* that has been kept in; NULL: text is of the document */
};

/* Copies all that n groups point to, but for their documents, which may go then: a document takes ten times the memory of what
 * it says. What holds the groups holds the reference. */
void rule_groups_keep(struct rule_texts *to, struct rule_group_conf *v, size_t n);
/* As the API shows it: by name. The text is shared. */
struct labels rule_shown(struct arena *a, const struct conf_map *m);

#endif
