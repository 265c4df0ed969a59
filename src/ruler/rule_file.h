/* rule_file.h - Prometheus rule files: read, checked, with every problem reported.
 *
 * Expressions and templates are parsed, expressions are type-checked; then only their text is kept.
 *
 * Errors   R001 YAML, wrong type; R002 unknown key; R003 group name; R004 record and alert; R005 no expression, or one
 *          that does not parse; R006 its type; R007 duration; R008 key not allowed on a recording rule; R009 names;
 *          R010 template; R011 (info) a scalar that YAML does not take for a string; R012 (warning) several documents;
 *          R013 (reload) it would cost a rule that runs; R014 what is wrong with a Kubernetes object (rule_object.h).
 *          One fault hides no other: of what cannot be decoded (R001, R002, R007) the rest is checked, too.
 * Owns     everything lives in the arena given.
 * Source   rules.md 1.1-1.3, 9.3.
 */
#ifndef RULER_RULE_FILE_H
#define RULER_RULE_FILE_H

#include "base/vec.h"
#include "model/matcher.h"
#include "os/file_set.h"
#include "ruler/rule_conf.h"
#include "ruler/rule_template.h"
#include "tocsin/global.h"

/* What a tolerant load left out; empty names: all of that level. Its problems are warnings then. */
struct rule_skipped {
    str file, group, rule;
};

struct rule_file {
    struct yaml_doc *doc;
    struct rule_group_conf *groups;
    size_t n_groups;
    VEC(struct rule_skipped) skipped; /* the caller releases it */
};

struct rule_file_options {
    enum matcher_mode mode;
    enum rule_dialect dialect; /* of the source that the rules ask */
    str space_label; /* set on all that a rule gives and reads, to its object's namespace; empty: none */
    const struct files *files;        /* where it is read from; NULL: the disk */
    const struct global_conf *global; /* what groups inherit; NULL: nothing, they are as written */
    bool
        keeps_broken; /* to look at: what is wrong is in *out, too; the result is false all the same */
    bool leaves_templates; /* they are looked at by rule_check_templates() */
    bool
        leaves_expressions; /* by rule_expr_parse(), those without a query; not where there is a space_label */
    bool tolerates; /* a bad rule, group or file is left out, the others are taken */
};

/* False when d got an error, or when there was nothing to take. Sources are as written: empty. */
bool rule_file_parse(str text, str path, const struct rule_file_options *o, struct arena *a,
                     struct rule_file *out, struct diags *d) must_check;
/* The same of a text that has been read as YAML already; doc lives as long as the result. */
bool rule_file_of(struct yaml_doc *doc, const struct rule_file_options *o, struct arena *a,
                  struct rule_file *out, struct diags *d) must_check;
bool rule_file_load(str path, const struct rule_file_options *o, struct arena *a,
                    struct rule_file *out, struct diags *d) must_check;

/* R010: the templates of an alert of this group; what parses is kept in t. */
void rule_check_templates(const struct rule_conf *r, str group, struct rule_templates *t,
                          struct diags *d);

extern const struct conf_type rule_file_type;

#endif
