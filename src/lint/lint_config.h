/* lint_config.h - what a whole configuration shows that loads: routes that nothing reaches, names that nobody uses, values that
 * are nearly others, timers that contradict each other.
 *
 * Errors   C020-C029, C031 and C033 of lint/checks.h; none is an error.
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_CONFIG_H
#define LINT_LINT_CONFIG_H

#include "base/diags.h"
#include "config/config.h"

void lint_config_checks(const struct config *c, struct arena *a, struct diags *d);
/* Of the text alone: what stands in it in clear, or was to be filled in. */
void lint_config_text(const struct yaml_doc *doc, struct diags *d);

#endif
