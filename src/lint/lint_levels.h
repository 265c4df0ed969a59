/* lint_levels.h - what a configuration's "lint" says of checks: that they are another matter to its people, or none.
 *
 *     lint:
 *       disable: [C026]
 *       severity: {R031: error}
 *       paths: [{files: [vendor/a.yml], severity: {R046: off}}]
 *
 * It holds for what was found in the folder of the configuration and below; flags hold against it, paths against the rest, the
 * last of several. Comments have been heard before (lint/ignore.h).
 *
 * Errors   C006 an id that is none.
 */
#ifndef LINT_LINT_LEVELS_H
#define LINT_LINT_LEVELS_H

#include "config/config.h"
#include "lint/lint.h"

void lint_levels_apply(const struct config *c, const struct lint_options *o, struct diags *d);

#endif
