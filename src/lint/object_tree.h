/* object_tree.h - the spec of an AlertmanagerConfig, written into the tree of a configuration.
 *
 * Each node keeps its place. The object's keys become Alertmanager's, matchers, days and pairs are written as it writes them, and
 * whatever a Secret or a ConfigMap holds, which is not known here, is a URL that leads nowhere. `global` has what an object need
 * not say, because the operator's own configuration does.
 *
 * Errors   C001, C002, C003 and C009 of what only the object has: keys, and the names of secrets. A misspelt key is read as the one
 *          that it is near to.
 * Owns     the new tree lives in the run's arena and shares the text of the old one, which is left as it is.
 * Source   monitoring.coreos.com/v1alpha1 and v1beta1, AlertmanagerConfigSpec.
 */
#ifndef LINT_OBJECT_TREE_H
#define LINT_OBJECT_TREE_H

#include "codec/yaml.h"
#include "schema/schema.h"

struct yaml_node *object_tree(struct conf_run *run, const struct yaml_doc *doc,
                              const struct yaml_node *spec, bool is_beta);
/* What the tables say of a key, in the object's words: it has the place of the key in front, as conf_path() prints it. */
str object_words(str text, bool is_beta, struct arena *a);

#endif
