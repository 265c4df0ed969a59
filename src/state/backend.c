#include "state/backend.h"

struct state_reader state_reader_of(const struct state_backend *b)
{
    return (struct state_reader){b->ops->scan, b->ops->scan_alerts, b->self};
}

void state_backend_free(struct state_backend *b)
{
    if (b != NULL)
        b->ops->free(b->self);
}
