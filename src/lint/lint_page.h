/* lint_page.h - a page of metrics by itself: whether its names, types and help texts are as Prometheus' guidelines have them, as
 * `promtool check metrics` looks at it, and whether what it says can be true (lint/lint_online.h).
 *
 * Errors   M001 to M008 of lint/checks.h.
 * Owns     nothing after it returns.
 * Source   client_golang's promlint; promtool 3.5 check metrics.
 */
#ifndef LINT_LINT_PAGE_H
#define LINT_LINT_PAGE_H

#include "base/diags.h"
#include "base/time.h"

/* from: for messages. again: the same read a moment later, or empty. */
void lint_page(str from, str text, str again, ts_ms now, struct diags *d);

#endif
