/* relabel.h - rewriting label sets by rules: relabel_configs, metric_relabel_configs, alert_relabel_configs.
 *
 * Rules are applied in order, each to what the one before left; a rule may drop the whole set. A label whose value
 * becomes empty is removed.
 *
 * Shapes   up to some dozen rules, 3-50 labels.
 * Errors   relabel_rule_check(): ERR_INVALID with Prometheus' conditions.
 * Owns     a rule borrows its texts (the configuration's arena) and owns its regex: relabel_rules_release(). A result lives
 *          in the arena given, and shares text with its input. Rules are immutable, any thread may apply them.
 * Cost     linear in labels and rules; one copy of the array.
 * Source   Prometheus model/relabel; rules.md 8.6. Case is changed for ASCII letters only.
 */
#ifndef MODEL_RELABEL_H
#define MODEL_RELABEL_H

#include "base/arena.h"
#include "base/err.h"
#include "regex/regex.h"
#include "tocsin/conf.h"
#include "tocsin/labels.h"

enum relabel_action {
    RELABEL_REPLACE,
    RELABEL_KEEP,
    RELABEL_DROP,
    RELABEL_KEEP_EQUAL,
    RELABEL_DROP_EQUAL,
    RELABEL_HASHMOD,
    RELABEL_LABELMAP,
    RELABEL_LABELDROP,
    RELABEL_LABELKEEP,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE,
    RELABEL_ACTIONS
};

/* What a rule says in the file; the defaults are separator ";", regex "(.*)", replacement "$1". */
struct relabel_rule {
    enum relabel_action action;
    struct conf_strings source_labels;
    str separator, target_label, replacement;
    struct regex *regex; /* anchored */
    int64_t modulus;
};

struct relabel_rules {
    struct relabel_rule *v;
    size_t n;
};

extern const char *const relabel_action_names[RELABEL_ACTIONS];
bool relabel_action_parse(str name, enum relabel_action *out); /* any case */
struct regex *relabel_regex(str pattern, struct err *e) must_check;
/* Whether the fields suit the action. */
bool relabel_rule_check(const struct relabel_rule *r, struct err *e) must_check;
/* Whatever its groups match, the name that the rule writes to is empty: it names a group that the regex has not. */
bool relabel_names_nothing(const struct relabel_rule *r);
void relabel_rules_release(struct relabel_rules *rules);

/* False: the set is dropped. */
bool relabel(const struct relabel_rules *rules, struct labels in, struct arena *a,
             struct labels *out) must_check;

#endif
