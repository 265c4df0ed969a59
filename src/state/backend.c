#include "state/backend.h"

#include "base/mem.h"

struct state_reader state_reader_of(const struct state_backend *b)
{
    return (struct state_reader){b->ops->scan, b->self};
}

void state_backend_free(struct state_backend *b)
{
    if (b != NULL)
        b->ops->free(b->self);
}

bool state_row_next(struct unpack *u, str *key, str *body)
{
    if (unpack_at_end(u))
        return false;
    *key = unpack_str(u);
    *body = unpack_str(u);
    BUG_ON(u->failed);
    return true;
}

bool state_read_add(struct state_read *r, str key, str body)
{
    if (!str_starts_with(key, r->prefix))
        return false;
    if (r->rows.n >= r->max_bytes) {
        r->is_cut = true;
        return false;
    }
    pack_str(&r->rows, key);
    pack_str(&r->rows, body);
    return true;
}
