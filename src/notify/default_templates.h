/* default_templates.h - the definitions that every configuration has before its own templates.
 *
 * Same names and same effect as Alertmanager's; the texts are ours. email.default.html is a plainer page.
 *
 * Source   alertmanager.md 5.4.
 */
#ifndef NOTIFY_DEFAULT_TEMPLATES_H
#define NOTIFY_DEFAULT_TEMPLATES_H

#include "template/template.h"

/* Parses them into a set that has the functions of notifications. */
bool default_templates_load(struct template_set *set, struct err *e) must_check;

#endif
