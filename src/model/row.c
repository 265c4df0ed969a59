#include "model/row.h"

#include "base/mem.h"

/* Table and kind in one number, then the key, then the value of a put. */
static void row_add(struct state_commit *c, enum state_table t, bool put, str key)
{
    pack_u64(&c->ops, (uint64_t)t * 2 + (put ? 1 : 0));
    pack_str(&c->ops, key);
    c->rows++;
}

void state_put(struct state_commit *c, enum state_table t, str key, str value)
{
    row_add(c, t, true, key);
    pack_str(&c->ops, value);
}

size_t state_put_begin(struct state_commit *c, enum state_table t, str key)
{
    row_add(c, t, true, key);
    return c->ops.n;
}

void state_put_end(struct state_commit *c, size_t begun)
{
    pack_str_end(&c->ops, begun);
}

void state_delete(struct state_commit *c, enum state_table t, str key)
{
    row_add(c, t, false, key);
}

bool state_commit_is_empty(const struct state_commit *c)
{
    return c->ops.n == 0 && c->alerts.n == 0;
}

void state_commit_release(struct state_commit *c)
{
    buf_release(&c->ops);
    buf_release(&c->alerts);
    c->rows = 0;
}

bool state_op_next(struct unpack *u, struct state_op *out)
{
    uint64_t head;

    if (unpack_at_end(u))
        return false;
    head = unpack_u64(u);
    BUG_ON(head / 2 >= STATE_TABLES);
    *out = (struct state_op){.table = (enum state_table)(head / 2), .put = (head & 1) != 0};
    out->key = unpack_str(u);
    if (out->put)
        out->value = unpack_str(u);
    BUG_ON(u->failed);
    return true;
}
