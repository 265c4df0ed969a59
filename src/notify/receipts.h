/* receipts.h - what services post by themselves about what they took before: whose it is, and what it says.
 *
 * Where an integration is told its receiver says (tocsin/receiver.h); what stands behind the last slash of that address is its
 * token, made of a secret of the configuration, so that nothing of it is stored and a restart changes nothing.
 *
 * Errors   ERR_IO: the file of a secret cannot be read.
 * Owns     everything is in the arena.
 * Cost     a hash or two; reads a secret's file, so it is for a worker.
 */
#ifndef NOTIFY_RECEIPTS_H
#define NOTIFY_RECEIPTS_H

#include "notify/notify_conf.h"

/* A post: its headers and its body. */
struct receipts_post {
    struct http_headers headers;
    str body, token; /* what stood behind the last slash */
    ts_ns now;       /* wall */
};

/* Where it is told; false: nowhere, or e says why it cannot be said. */
bool receipts_url(const struct integration_conf *ic, struct arena *a, str *out,
                  struct err *e) must_check;
bool receipts_is_token(str token); /* what may be one */
/* Whether the post is for it. */
bool receipts_is_for(const struct integration_conf *ic, const struct receipts_post *post,
                     struct arena *a);
enum receipts_verdict receipts_read(const struct integration_conf *ic,
                                    const struct receipts_post *post, struct arena *a,
                                    struct receipts *out, struct err *e);

#endif
