/* lint_object.h - routes and inhibition inside of Kubernetes objects: kind AlertmanagerConfig, v1alpha1 and v1beta1, as the
 * Prometheus operator takes them.
 *
 * Its keys are those of a configuration in camelCase, its matchers mappings. What is checked are routes, time intervals by
 * name, inhibit rules, and that receivers are there; what a receiver says is the operator's to check.
 *
 * Errors   those of a configuration: C001, C002, C006, C020 and so on of lint/checks.h.
 * Owns     nothing after it returns; the documents are changed.
 * Source   monitoring.coreos.com/v1alpha1 and v1beta1, AlertmanagerConfig.
 */
#ifndef LINT_LINT_OBJECT_H
#define LINT_LINT_OBJECT_H

#include "base/diags.h"
#include "codec/yaml.h"

bool lint_object_is(const struct yaml_node *root); /* an AlertmanagerConfig */
void lint_object(const struct yaml_doc *doc, struct arena *a, struct diags *d);

#endif
