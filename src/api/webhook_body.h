/* webhook_body.h - what Alertmanager's webhook_configs post, version 4, read back into a notification.
 *
 * Shapes   up to 100,000 alerts; a value of more than 64 KiB is cut there: no message shows more.
 * Errors   ERR_INVALID with line and column: no JSON, or no object of that kind. Unknown members, and null, are let be.
 * Owns     text is sliced from the body, or lives in the arena.
 * Cost     one pass; sorting of labels. Runs on any thread.
 * Source   alertmanager.md 5.2; ecosystem.md 2.
 */
#ifndef API_WEBHOOK_BODY_H
#define API_WEBHOOK_BODY_H

#include "tocsin/arena.h"
#include "tocsin/err.h"
#include "tocsin/notification.h"

/* out->receiver stays empty: what the body calls so is from_receiver; out->group_key is the body's, maybe empty. */
bool webhook_body_read(str body, struct arena *a, struct notification *out,
                       struct err *e) must_check;

#endif
