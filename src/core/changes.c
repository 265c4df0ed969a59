#include "core/changes.h"

#include "base/mem.h"

struct kept_change {
    enum change_kind kind;
    uint64_t id[2];
};

void changes_init(struct changes *c)
{
    *c = (struct changes){.revision = 1, .ring = mem_array(CHANGES_KEPT, sizeof(*c->ring))};
    for (int i = 0; i < CHANGE_KINDS; i++)
        c->last[i] = 1;
}

void changes_release(struct changes *c)
{
    mem_free(c->ring);
}

uint64_t changes_note(struct changes *c, enum change_kind kind, uint64_t id, uint64_t more)
{
    c->revision++;
    c->last[kind] = c->revision;
    c->ring[c->revision % CHANGES_KEPT] = (struct kept_change){kind, {id, more}};
    return c->revision;
}

bool changes_next(const struct changes *c, uint64_t *seen, struct change *out, bool *lost)
{
    const struct kept_change *k;

    if (*seen == 0)
        *seen = 1; /* before it there was nothing to change */
    if (*seen >= c->revision)
        return false;
    if (c->revision - *seen > CHANGES_KEPT) {
        *seen = c->revision - CHANGES_KEPT;
        *lost = true;
    }
    ++*seen;
    k = &c->ring[*seen % CHANGES_KEPT];
    *out = (struct change){*seen, k->kind, {k->id[0], k->id[1]}};
    return true;
}

uint64_t changes_last(const struct changes *c, unsigned kinds)
{
    uint64_t last = 0;

    for (int i = 0; i < CHANGE_KINDS; i++)
        if ((kinds & CHANGES_OF(i)) != 0 && c->last[i] > last)
            last = c->last[i];
    return last;
}
