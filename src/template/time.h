/* time.h - times as text inside of templates, by Go's layouts. What a template calls on them: time_methods.h.
 *
 * Shapes   layouts are Go's reference time, Mon Jan 2 15:04:05 2006 -0700 MST, with its variants.
 * Source   Go time.Time.Format and time.Parse, in behaviour.
 */
#ifndef TEMPLATE_TIME_H
#define TEMPLATE_TIME_H

#include "template/value.h"

#define TMPL_RFC3339_NANO S("2006-01-02T15:04:05.999999999Z07:00")

void tmpl_time_format(struct buf *out, struct tmpl_time t, str layout);
void tmpl_time_print(struct buf *out, struct tmpl_time t); /* Time.String */
bool tmpl_time_parse(str layout, str text, const struct tz *zone, struct tmpl_time *out,
                     struct err *e) must_check;

/* The instant of civil time in a zone; NULL = UTC. */
struct civil;
struct tmpl_time tmpl_time_of(const struct civil *c, const struct tz *zone);
/* RFC 3339 in quotes. Errors: years that it has no room for. */
bool tmpl_time_json(struct buf *out, struct tmpl_time t, struct err *e) must_check;
dur_ns tmpl_time_sub(struct tmpl_time a, struct tmpl_time b);    /* saturates, as there */
int64_t tmpl_time_offset(struct tmpl_time t, const char **zone); /* seconds east of UTC */
extern const char *const tmpl_month_names[12];                   /* from 0 = January */
extern const char *const tmpl_weekday_names[7];                  /* from 0 = Sunday */

#endif
