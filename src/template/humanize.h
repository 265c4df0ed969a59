/* humanize.h - numbers for people, shared by the function tables.
 *
 * Errors   what is no number: "invalid type for conversion", or Go's strconv text.
 * Source   rules.md 3.2, alertmanager.md 5.3.
 */
#ifndef TEMPLATE_HUMANIZE_H
#define TEMPLATE_HUMANIZE_H

#include "template/value.h"

/* Float, integer, duration (seconds) or text that parses. */
bool tmpl_number(const struct tmpl_value *v, double *out, struct err *e) must_check;
void humanize(struct buf *out, double v);
void humanize_1024(struct buf *out, double v);
void humanize_duration(struct buf *out, double seconds);
void humanize_percentage(struct buf *out, double ratio);

#endif
