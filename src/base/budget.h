/* budget.h - one limit on the memory of all that is under way of a kind: bodies of requests, scrapes.
 *
 *     if (!budget_hold(b, &held, bytes)) ...refuse, with the reason
 *     budget_hold(b, &held, 0);                    at the end
 *
 * Each holder says how much it has, again and again; what it gives back is always taken. The first BUDGET_FREE bytes of
 * each are not counted, so that who needs little never hears of others who want much.
 *
 * Shapes   tens of thousands of holders, from any thread.
 * Owns     nothing: it counts.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdatomic.h>
#include "base/attr.h"
#include "base/str.h"

enum { BUDGET_FREE = 64 << 10 };

struct budget {
    size_t limit;
    atomic_size_t used;
    atomic_size_t refused; /* times */
};

/* What one process has. */
struct budgets {
    struct budget bodies, scrapes;
    /* what one query may have for a step, and for its result; as many run as there are workers for them */
    size_t query;
};

/* memory: what the process may have in all; 0 = not known. */
void budgets_init(struct budgets *b, size_t memory);

/* Makes *held, which begins as 0, what `bytes` count as. False: it would be too much, *held is what it was. b NULL: no
 * limit. */
bool budget_hold(struct budget *b, size_t *held, size_t bytes);
size_t budget_used(const struct budget *b);
size_t budget_refused(const struct budget *b);

#endif
