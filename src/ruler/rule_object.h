/* rule_object.h - rule groups inside of Kubernetes objects: kind PrometheusRule, as the Prometheus operator takes them.
 *
 * A file is either a plain rule file, or documents and lists of objects. Of the latter each PrometheusRule is a part with a
 * name of its own, NAMESPACE/NAME, within which a group's name stands once; other kinds are left out with a word.
 *
 * Errors   R014: no PrometheusRule among the objects, one without "spec" or "metadata.name", a document without "kind".
 * Owns     parts live in the arena given and borrow from the documents.
 * Source   monitoring.coreos.com/v1, PrometheusRule.
 */
#ifndef RULER_RULE_OBJECT_H
#define RULER_RULE_OBJECT_H

#include "base/diags.h"
#include "codec/yaml.h"

struct rule_part {
    const struct yaml_node *node; /* the mapping with "groups"; NULL: it says nothing */
    struct diag_place place;
    /* "team-a/slow", "team-a"; empty in a plain rule file, space where none is named */
    str object, space;
};

struct rule_parts {
    struct rule_part *v;
    size_t n;
    bool are_objects;
};

/* Of the document that was read first; the text's others are read when it may be one of objects. False when d got an error. */
bool rule_parts_find(const struct yaml_doc *first, struct arena *a, struct rule_parts *out,
                     struct diags *d) must_check;

/* Whether a text whose first document this is has a PrometheusRule somewhere. */
bool rule_object_is_in(const struct yaml_doc *first);

#endif
