/* remote_metadata.h - what one remote is told of metrics beside their samples: their types, helps and units, now and then.
 *
 * Of ALERTS and ALERTS_FOR_STATE, and with `what: all` of what targets say of theirs; of what rules record nobody says anything.
 * What cannot be told now is told the next time.
 *
 * Owns     what is to be told. On the loop; requests are made on a worker.
 * Source   Prometheus' metadata_config.
 */
#ifndef REMOTE_WRITE_REMOTE_METADATA_H
#define REMOTE_WRITE_REMOTE_METADATA_H

#include "remote_write/sender.h"
#include "scrape/scraper.h"

struct remote_metadata;

struct remote_metadata *remote_metadata_new(const struct sender_parts *parts);
void remote_metadata_free(
    struct remote_metadata *t); /* at once, or when its worker is home; NULL is fine */
/* Every second or so. */
void remote_metadata_go_on(struct remote_metadata *t, struct sender *s,
                           const struct scraper *scraper);

#endif
