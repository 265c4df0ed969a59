/* dry_transport.h - a transport that writes down what would be sent, and sends nothing.
 *
 * Every request counts as taken (200, or 250 of a mail) with an empty answer, so of a service that wants several requests only the
 * first is seen.
 *
 * Owns     the texts that are secrets are borrowed for as long as it lives; in their place stands <secret>.
 */
#ifndef CLI_DRY_TRANSPORT_H
#define CLI_DRY_TRANSPORT_H

#include "net/transport.h"
#include "os/clock.h"

/* out: where requests are appended. */
struct transport *dry_transport_new(struct clock *clock, const str *secrets, size_t n,
                                    struct buf *out);

#endif
