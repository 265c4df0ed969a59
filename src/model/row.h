/* row.h - what lasts, as a turn collects it: puts and deletes of rows, and records of the alert log.
 *
 * A row is (table, key) -> body, both opaque bytes here; the nouns have the encoders. What else a table has is written by
 * whoever keeps it (state/tables.h). The alert log is an append-only file beside the rows, one record an alert.
 *
 * Shapes   up to 100,000 rows a table; values of 0.1-20 kB; keys up to 1 kB.
 * Owns     a commit is a flat buffer, freed by whoever takes it. What is read is borrowed during the callback.
 * Source   design.md 1.3, 2.4.
 */
#ifndef MODEL_ROW_H
#define MODEL_ROW_H

#include "base/buf.h"
#include "base/err.h"
#include "codec/pack.h"

enum state_table {
    STATE_SILENCE,
    STATE_TOLD, /* the notification log */
    STATE_OUTBOX,
    STATE_RULE,
    STATE_DECISION,
    STATE_META,
    STATE_PUSH,
    STATE_ALERT, /* records of the alert log: their keys are empty, the newest of a fingerprint counts */
    STATE_TABLES
};

struct state_commit {
    struct buf ops;    /* encoded puts and deletes, state_put()/state_delete() append */
    struct buf alerts; /* alert-log records of this turn, framed (base/record.h); empty = none */
    size_t rows;
    bool is_awaited; /* somebody is answered when it is on disk */
};

void state_put(struct state_commit *c, enum state_table t, str key, str value);
/* The same for a value that is packed in place: what is added to c->ops between the two. */
size_t state_put_begin(struct state_commit *c, enum state_table t, str key) must_check;
void state_put_end(struct state_commit *c, size_t begun);
void state_delete(struct state_commit *c, enum state_table t, str key);
bool state_commit_is_empty(const struct state_commit *c);
void state_commit_release(struct state_commit *c);

struct state_op {
    enum state_table table;
    bool put; /* else delete */
    str key, value;
};

/* The next operation of a commit's ops; false at the end. The encoding is ours, so a malformed one is a bug. */
bool state_op_next(struct unpack *u, struct state_op *out);

/* How what lasted is read back, at the start. */
struct state_reader {
    /* All rows of a table in key order, the alert log's oldest first. A row that returns false ends it. */
    bool (*scan)(void *self, enum state_table t, bool (*row)(void *arg, str key, str value),
                 void *arg, struct err *e);
    void *self;
};

#endif
