#include "base/budget.h"

/* Shares of the memory, and what is more than enough of it. */
enum {
    BODIES_SHARE = 8,
    BODIES_MAX = 256 << 20,
    SCRAPES_SHARE = 4,
    SCRAPES_MAX = 1 << 30,
    QUERY_SHARE = 16,
    QUERY_MAX = 512 << 20
};

static size_t budget_share(size_t memory, size_t part, size_t most)
{
    return memory != 0 && memory / part < most ? memory / part : most;
}

void budgets_init(struct budgets *b, size_t memory)
{
    *b = (struct budgets){.bodies.limit = budget_share(memory, BODIES_SHARE, BODIES_MAX),
                          .scrapes.limit = budget_share(memory, SCRAPES_SHARE, SCRAPES_MAX),
                          .query = budget_share(memory, QUERY_SHARE, QUERY_MAX)};
}

bool budget_hold(struct budget *b, size_t *held, size_t bytes)
{
    size_t want = bytes > BUDGET_FREE ? bytes - BUDGET_FREE : 0, more;

    if (b == NULL)
        return true;
    if (want <= *held) {
        atomic_fetch_sub_explicit(&b->used, *held - want, memory_order_relaxed);
        *held = want;
        return true;
    }
    more = want - *held;
    if (atomic_fetch_add_explicit(&b->used, more, memory_order_relaxed) + more > b->limit) {
        atomic_fetch_sub_explicit(&b->used, more, memory_order_relaxed);
        atomic_fetch_add_explicit(&b->refused, 1, memory_order_relaxed);
        return false;
    }
    *held = want;
    return true;
}

size_t budget_used(const struct budget *b)
{
    return atomic_load_explicit(&b->used, memory_order_relaxed);
}

size_t budget_refused(const struct budget *b)
{
    return atomic_load_explicit(&b->refused, memory_order_relaxed);
}
