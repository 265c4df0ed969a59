/* readable.h - a notification as people want to read it, in the markup of one service and in their language: what
 * {{ .In "feishu" }} gives to a template.
 *
 * Severity and summary stand first, then since when, value, what changed, what to do, and where to look. Firing before resolved,
 * critical first, at most ten alerts and no more than the service takes; how many are left out is said. Every text that it gives is
 * one line and escaped for its markup: what labels and annotations say is text and nothing else. The layouts are in readable.tmpl,
 * the words in words.c, the kinds of markup in markup.c.
 *
 * Shapes   one view an execution; ten alerts, or the groups of a digest.
 * Owns     everything is in the arena of the execution, or borrowed from the data.
 * Cost     O(alerts log alerts).
 */
#ifndef NOTIFY_READABLE_H
#define NOTIFY_READABLE_H

#include "notify/template_data.h"

/* False: there is no such markup. */
bool readable_in(struct tmpl_env *env, const struct template_data *d, str markup,
                 struct tmpl_value *out, struct err *e) must_check;

#endif
