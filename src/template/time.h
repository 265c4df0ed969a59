/* time.h - times as text inside of templates, by Go's layouts. What a template calls on them: time_methods.h.
 *
 * Shapes   layouts are Go's reference time, Mon Jan 2 15:04:05 2006 -0700 MST, with its variants.
 * Source   Go time.Time.Format and time.Parse, in behaviour.
 */
#ifndef TEMPLATE_TIME_H
#define TEMPLATE_TIME_H

#include "template/value.h"

void tmpl_time_format(struct buf *out, struct tmpl_time t, str layout);
void tmpl_time_print(struct buf *out, struct tmpl_time t); /* Time.String */
bool tmpl_time_parse(str layout, str text, const struct tz *zone, ts_ns *out,
                     struct err *e) must_check;

/* The instant of civil time in a zone; NULL = UTC. */
struct civil;
ts_ns tmpl_time_of(const struct civil *c, const struct tz *zone);
int64_t tmpl_time_offset(struct tmpl_time t, const char **zone); /* seconds east of UTC */
extern const char *const tmpl_month_names[12];                   /* from 0 = January */
extern const char *const tmpl_weekday_names[7];                  /* from 0 = Sunday */

#endif
