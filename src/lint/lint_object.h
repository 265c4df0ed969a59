/* lint_object.h - Kubernetes objects of kind AlertmanagerConfig, v1alpha1 and v1beta1, as the Prometheus operator takes them.
 *
 * Their keys are those of a configuration in camelCase, their matchers mappings, their secrets names: lint/object_tree.h. All of it is
 * checked as a configuration is, and the templates are filled in; but one that calls a definition which is none of the built-in
 * ones is let be, because the files of templates belong to the operator.
 *
 * Errors   those of a configuration: C001, C002, C006, C020, C034 and so on of lint/checks.h.
 * Owns     nothing after it returns.
 * Source   monitoring.coreos.com/v1alpha1 and v1beta1, AlertmanagerConfig.
 */
#ifndef LINT_LINT_OBJECT_H
#define LINT_LINT_OBJECT_H

#include "base/diags.h"
#include "codec/yaml.h"

bool lint_object_is(const struct yaml_node *root); /* an AlertmanagerConfig */
void lint_object(const struct yaml_doc *doc, struct arena *a, struct diags *d);

#endif
