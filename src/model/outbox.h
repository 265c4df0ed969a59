/* outbox.h - a notification that was decided and not yet answered, as it lies on disk.
 *
 * Shapes   one row a key (`groupkey:receiver/integration/idx`, nflog_key()). The row says what to tell, never how: URLs,
 *          tokens and signatures come from the configuration at each attempt. On disk it has all of its text; in memory one
 *          that was decided in this life names its alerts' label sets, which the table of alerts has, too.
 * Units    wall clock on disk, monotonic in memory (not_before).
 * Owns     a row is one owned object; key and data are its own, it holds references on label sets. A worker may read a row
 *          that is in flight.
 * Source   design.md 2.12.
 */
#ifndef MODEL_OUTBOX_H
#define MODEL_OUTBOX_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/alert.h"
#include "model/nflog.h"
#include "tocsin/delivery.h"

/* An alert as it was when it was decided to tell of it. */
struct outbox_alert {
    struct label_set *labels, *annotations; /* a reference each */
    struct shared_text *generator_url;      /* the same */
    uint64_t fingerprint;
    ts_ns starts_at, ends_at;
    enum alert_change change;
    bool is_resolved, has_value;
    double value;
};

struct outbox_row {
    str key, receiver, integration; /* one piece of memory, the key's */
    unsigned index;
    unsigned attempt;                  /* how many have failed */
    enum delivery_failure failure;     /* why the last one did, if one has */
    str error;                         /* the same in words, some 250 bytes at most */
    struct hash_list firing, resolved; /* go to the notification log when it is delivered */
    dur_ns repeat_interval;
    ts_ns decided_at, decided_mono;
    ts_ns since; /* mono: when the first was decided of those that it took the place of, unsent */
    ts_ns not_before; /* mono */
    uint64_t flush_id;
    uint64_t asked;    /* revision of the audience when it was decided or asked last; not on disk */
    uint64_t revision; /* of its last change; not on disk */
    uint64_t written; /* the turn in whose commit it stands, counted from 1; 0: an earlier life's */
    bool may_have_arrived; /* an attempt ended without an answer, or may have been under way when we
                              went down */
    bool
        asks; /* what was sent is under way: the next attempt only asks how it went, and costs nothing */
    str had;      /* of several people, those who need it no more: a line each */
    str receipts; /* of what stands there, what its service has said since: a line each, an id and, unless it is told, why not */
    bool was_heard;        /* such a one came while an attempt was under way; not on disk */
    unsigned char urgency; /* 0: one of those that fire is critical; not on disk */
    bool gathers;          /* it goes in one message with what was decided beside it; not on disk */
    bool is_late;          /* it is sent after notifications.max_age; not on disk */
    bool is_restored;      /* an earlier life decided it; not on disk */
    bool is_relayed;       /* the notification's; not on disk beside it */
    str data; /* packed struct notification; without its alerts where the row names them */
    struct interner *names; /* of what it names; NULL: none is named */
    str whole;    /* the packed notification with all that is named, until outbox_row_written() */
    size_t bytes; /* of it */
    size_t n_named;
    struct outbox_alert named[];
};

struct outbox_row *outbox_row_new(str key, const struct notification *n, str integration,
                                  unsigned index, struct hash_list firing,
                                  struct hash_list resolved, dur_ns repeat_interval,
                                  struct now now);
/* The same, naming the alerts that n tells of, which stand in `of` in the same order, instead of copying their text. */
struct outbox_row *outbox_row_naming(str key, const struct notification *n,
                                     const struct alert *const *of, str integration, unsigned index,
                                     struct hash_list firing, struct hash_list resolved,
                                     dur_ns repeat_interval, struct now now);
/* It has been packed for the disk: what it names is held once from now on. */
void outbox_row_written(struct outbox_row *r);
void outbox_row_free(struct outbox_row *r);
/* What it tells. Text is the row's. False: what the disk had is damaged. */
bool outbox_tells(const struct outbox_row *r, struct arena *a, struct notification *n) must_check;
/* What an attempt ended with. */
void outbox_row_failed(struct outbox_row *r, enum delivery_failure why, str error);
/* What takes the place of `old` goes on with its attempts. */
void outbox_row_follow(struct outbox_row *r, const struct outbox_row *old);
/* It tells what `old` told, and who has heard that has heard this. */
void outbox_row_inherit(struct outbox_row *r, const struct outbox_row *old);
/* What an attempt left; receipts of what does not stand there any more go. */
void outbox_row_had(struct outbox_row *r, str had);
/* Whether it waits for that receipt, and has it now. */
bool outbox_row_hears(struct outbox_row *r, const struct receipt *x);
/* The receipts that it has. Text is the row's. Returns how many. */
size_t outbox_receipts(const struct outbox_row *r, struct arena *a, const struct receipt **out);
/* The group key that it is told under, if that is not the one in its key; otherwise empty. Borrowed from the row. */
str outbox_told_as(const struct outbox_row *r);
/* The group key in its key: what stands before ":receiver/integration/index". Borrowed from the row. */
str outbox_group_key(const struct outbox_row *r);
void outbox_pack(struct buf *out, const struct outbox_row *r, struct now now);
struct outbox_row *outbox_unpack(str key, str bytes, struct now now); /* NULL when malformed */

void notification_pack(struct buf *out, const struct notification *n);
/* Whether an alert says that it is critical, by its label severity or priority. */
bool labels_are_urgent(struct labels ls);
/* 0: a firing alert of it does; 1. */
unsigned char notification_urgency(const struct notification *n);
/* Text is sliced from bytes. */
bool notification_unpack(str bytes, struct arena *a, struct notification *n) must_check;

#endif
