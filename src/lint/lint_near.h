/* lint_near.h - labels and their values in routes and inhibit rules that are nearly others: what is misspelt matches nothing, and
 * nobody is told.
 *
 * What others there are say the rules of the same configuration, the rest of the file, and custom: alertname, severity and what
 * values it has.
 *
 * Errors   C035, C036 of lint/checks.h.
 * Owns     nothing after it returns.
 */
#ifndef LINT_LINT_NEAR_H
#define LINT_LINT_NEAR_H

#include "config/config.h"

void lint_near(const struct config *c, struct arena *a, struct diags *d);

/* One letter more, less or another, or two that have changed places; plurals, another case, and words of less than least letters
 * are other words. */
bool lint_is_misspelt(str name, str word, size_t least);

#endif
