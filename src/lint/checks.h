/* checks.h - every check of lint, one row each: what --list, --explain, the pages of docs/lint, reports and comments that
 * switch one off know of it. Whoever finds something names the row by its id (diags_add()).
 *
 * Ids      Y: YAML, C: configurations, R: rules and templates, T: tests of rules. An id keeps its meaning for ever.
 * Owns     rows are static.
 * Source   rules.md 9.
 */
#ifndef LINT_CHECKS_H
#define LINT_CHECKS_H

#include "base/diags.h"

struct check_row {
    const char *id;
    enum diag_severity severity; /* the gravest that it has by itself */
    const char *title;
    const char *why; /* what comes of it, and what to do */
    const char *bad,
        *good;        /* a file that shows it, and one that does not; NULL: no file alone does */
    const char *pint; /* pint's names of the same, blanks between; NULL: it has none */
    bool is_fixable;  /* --fix can write what is meant */
    bool is_online;   /* only beside a running server, or with --metrics */
};

extern const struct check_row check_rows[]; /* by id; ends with an id of NULL */

const struct check_row *check_of(str id); /* NULL: there is none */

#endif
