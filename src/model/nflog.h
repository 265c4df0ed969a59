/* nflog.h - the notification log: what each integration was last told about each group.
 *
 * Shapes   one entry a (group key, receiver, integration, index); the key text is `groupkey:receiver/integration/idx`.
 * Units    timestamp is wall clock (when the flush decided); sent_mono is the same instant on the monotonic clock, and
 *          what repeat_interval is measured by, so that a step of the wall clock repeats nothing.
 * Owns     an entry is one allocation of its own (nflog_entry_free).
 * Source   alertmanager.md 3.7, 3.8.
 */
#ifndef MODEL_NFLOG_H
#define MODEL_NFLOG_H

#include "base/buf.h"
#include "base/time.h"
#include "tocsin/delivery.h"
#include "tocsin/notification.h"

/* The name of a kept pair that says: what was kept is of a digest. */
#define KEPT_OF_DIGEST "digest"

struct hash_list {
    uint64_t *v; /* sorted */
    size_t n;
};

struct nflog_entry {
    ts_ns timestamp, sent_mono, expires_mono;
    struct hash_list firing, resolved; /* dedup hashes */
    struct delivery_pair *kept;
    size_t n_kept;
    str opened_as; /* the group key that what fires was told under, when it is not the group's; owned */
    /* that these fire may have been heard: requests went out, none was answered, the last was refused */
    bool is_unsure;
};

struct nflog_entry *nflog_entry_new(ts_ns timestamp, ts_ns sent_mono, ts_ns expires_mono,
                                    struct hash_list firing, struct hash_list resolved,
                                    const struct delivery_pair *kept, size_t n_kept);
void nflog_entry_free(struct nflog_entry *e);
void nflog_pack(struct buf *out, const struct nflog_entry *e, struct now now);
struct nflog_entry *nflog_unpack(str bytes, struct now now); /* NULL when malformed */

void nflog_key(struct buf *out, str group_key, str receiver, str integration, unsigned index);
/* The parts of such a key, sliced from it. */
bool nflog_key_split(str key, str *group_key, str *receiver, str *integration, uint64_t *index);

void hash_list_sort(struct hash_list *h);
bool hash_list_has(struct hash_list h, uint64_t v);
bool hash_list_is_subset(struct hash_list sub, struct hash_list of);
struct hash_list hash_list_dup(struct hash_list h); /* owned: mem_free(.v) */
void hash_list_pack(struct buf *out, struct hash_list h);
struct unpack;
struct hash_list hash_list_unpack(struct unpack *u); /* owned */

/* The table of alertmanager.md 3.7. e: NULL when there is no entry. REASON_NONE = nothing to say. */
enum notify_reason nflog_decide(const struct nflog_entry *e, struct hash_list firing,
                                struct hash_list resolved, bool send_resolved,
                                dur_ns repeat_interval, struct now now);

#endif
