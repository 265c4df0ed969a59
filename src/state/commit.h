/* commit.h - the encoding of a commit's rows, shared by the backends. */
#ifndef STATE_COMMIT_H
#define STATE_COMMIT_H

#include "codec/pack.h"
#include "state/backend.h"

extern const char *const state_table_names[STATE_TABLES];

struct state_op {
    enum state_table table;
    bool put; /* else delete */
    str key, value;
};

/* The next operation of c->ops; false at the end. The encoding is ours, so a malformed one is a bug. */
bool state_op_next(struct unpack *u, struct state_op *out);

#endif
