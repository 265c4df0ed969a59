/* render.h - problems of documents for people and for machines.
 *
 *     error[C002]: route: unknown key "group_wiat"
 *       --> alertmanager.yml:3:3
 *        |
 *      3 |   group_wiat: 30s
 *        |   ^^^^^^^^^^
 *        = help: did you mean "group_wait"?
 *
 * What is secret in a line is shown as <secret> (schema/redact.h).
 *
 * Units    columns shown and given count characters, where the file can be read; offset and length are bytes. The caret is
 *          put by what a terminal makes of the text: a wide character has two cells.
 * Owns     nothing; source lines are read from the files again, a file that is gone is shown without its line.
 */
#ifndef LINT_RENDER_H
#define LINT_RENDER_H

#include <stdio.h>
#include "base/buf.h"
#include "base/diags.h"

enum render_format {
    RENDER_TEXT,
    RENDER_JSON,
    RENDER_GITHUB,     /* commands of its workflows */
    RENDER_SARIF,      /* 2.1.0 */
    RENDER_JUNIT,      /* a test case a finding */
    RENDER_CHECKSTYLE, /* what many editors and reviewers read */
};

#define RENDER_FORMATS "text json github sarif junit checkstyle"

struct render_options {
    enum render_format format;
    bool colour;              /* RENDER_TEXT only */
    enum diag_severity least; /* what is below is left away */
    bool without_lines;       /* no source lines */
};

void diags_render(struct buf *out, const struct diags *d, const struct render_options *o);
/* One line a problem, "file:line:col: error: message [C002]", without infos: for API answers and logs. */
void diags_render_plain(struct buf *out, const struct diags *d);
void diags_print(
    FILE *out,
    const struct diags *d); /* as text, in colour when out is a terminal, without infos */

const char *diag_severity_text(enum diag_severity s); /* "error", "warning", "info" */
bool render_format_parse(str name, enum render_format *out);
bool diag_severity_parse(str name, enum diag_severity *out);

#endif
