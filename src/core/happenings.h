/* happenings.h - what Alertmanager's event recorder tells of: alerts that come, join a group and leave it, notifications,
 * silences, and whom these and inhibitions keep back. Each as the text of its event's `data`, in protobuf's JSON: members in
 * the order of their numbers, 64-bit numbers as text, nothing that is zero or empty.
 *
 * They are made only when the configuration in force records events; the texts are the turn's arena's.
 *
 * Cost     O(alerts named) of an event; nothing otherwise.
 * Source   alertmanager.md 2.10.
 */
#ifndef CORE_HAPPENINGS_H
#define CORE_HAPPENINGS_H

#include "core/engine.h"

struct verdict;

void happened_alert(struct engine *e, const struct alert *a, struct now now, struct effects *fx);
void happened_grouped(struct engine *e, const struct group *g, const struct alert *a,
                      struct now now, struct effects *fx);
/* Every alert that was told as resolved and is in the group is about to leave it. */
void happened_told(struct engine *e, const struct group *g, struct now now, struct effects *fx);
void happened_delivered(struct engine *e, const struct outbox_row *r, struct now now,
                        struct effects *fx);
void happened_silence(struct engine *e, const struct silence *s, bool is_new, struct effects *fx);
void happened_held(struct engine *e, uint64_t fingerprint, const struct verdict *v,
                   struct effects *fx);

/* As protobuf's JSON has it: 0, 3, 6 or 9 digits behind the second. */
void happening_time(struct buf *out, ts_ns t);

#endif
