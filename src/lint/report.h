/* report.h - findings for other programs: SARIF 2.1.0, JUnit's XML and checkstyle's.
 *
 * Shapes   items stand in the order of files and lines.
 * Units    columns count characters; offsets of SARIF's regions bytes.
 * Source   OASIS SARIF 2.1.0; JUnit as Jenkins and GitLab read it; checkstyle's report.
 */
#ifndef LINT_REPORT_H
#define LINT_REPORT_H

#include "base/buf.h"
#include "base/diags.h"

struct report_item {
    const struct diag *g;
    int col, second_col;
};

void report_sarif(struct buf *out, const struct report_item *v, size_t n);
void report_junit(struct buf *out, const struct report_item *v, size_t n);
void report_checkstyle(struct buf *out, const struct report_item *v, size_t n);

/* Pieces of XML: text, and an attribute behind a blank. */
void report_add_xml(struct buf *out, str s);
void report_add_attribute(struct buf *out, const char *name, str value);

#endif
