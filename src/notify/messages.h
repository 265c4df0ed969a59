/* messages.h - the templates of messages: the built-in ones, then the user's, which replace by name.
 *
 * Shapes   some 70 built-in definitions (default.tmpl), parsed once a configuration: a few ms.
 * Owns     messages_new() gives an owned set (template_set_free).
 * Errors   messages_load(): every file that cannot be read or parsed, as diags C010 with file and line.
 * Cost     a set is read only afterwards; attempts share it.
 * Source   alertmanager.md 5.1, 5.4.
 */
#ifndef NOTIFY_MESSAGES_H
#define NOTIFY_MESSAGES_H

#include "base/diags.h"
#include "template/template.h"
#include "tocsin/notification.h"

struct template_set *messages_new(void) must_check;
/* patterns: globs; one without a match is fine. False when d got an error. */
bool messages_load(struct template_set *set, const str *patterns, size_t n,
                   struct diags *d) must_check;

/* Expands text over a notification, as Alertmanager does. The result lives in a. */
bool messages_render(const struct template_set *set, str text, bool html,
                     const struct notification *n, str external_url, ts_ns now, struct arena *a,
                     str *out, struct err *e) must_check;

#endif
