#include "core/rule_slot.h"

#include "base/mem.h"

static enum rule_slot_next rule_slot_inherit(struct rule_slot *s)
{
    s->state = SLOT_RUNNING;
    s->running = s->generation;
    return SLOT_INHERITS;
}

void rule_slot_run(struct rule_slot *s)
{
    BUG_ON(s->state != SLOT_IDLE);
    s->state = SLOT_RUNNING;
    s->running = s->generation;
}

enum rule_slot_next rule_slot_begin(struct rule_slot *s, bool inherits)
{
    s->has = s->generation;
    return inherits ? rule_slot_inherit(s) : SLOT_WAITS;
}

enum rule_slot_next rule_slot_name(struct rule_slot *s, uint64_t generation)
{
    bool is_newer = generation > s->generation;

    if (!is_newer)
        return SLOT_NOTHING;
    s->generation = generation;
    if (s->state == SLOT_IDLE)
        return rule_slot_inherit(s);
    s->state = SLOT_RUNNING_REPLACED;
    return SLOT_NOTHING;
}

enum rule_slot_next rule_slot_drop(struct rule_slot *s)
{
    bool was_idle = s->state == SLOT_IDLE;

    s->state = SLOT_RUNNING_REMOVED;
    if (!was_idle)
        return SLOT_NOTHING;
    s->running = s->generation;
    return SLOT_RETIRES;
}

bool rule_slot_waits_for(const struct rule_slot *s, uint64_t epoch,
                         const struct rule_ticket *ticket)
{
    return s->state != SLOT_IDLE && ticket->epoch == epoch && ticket->generation == s->running;
}

enum rule_slot_next rule_slot_answer(struct rule_slot *s, uint64_t epoch,
                                     const struct rule_ticket *ticket, enum rules_job job)
{
    if (!rule_slot_waits_for(s, epoch, ticket))
        return SLOT_STALE;
    s->has = s->running;
    if (s->state == SLOT_RUNNING_REPLACED)
        return rule_slot_inherit(s);
    if (s->state == SLOT_RUNNING_REMOVED)
        return job == RULES_RETIRE ? SLOT_GOES : SLOT_RETIRES;
    s->state = SLOT_IDLE;
    return SLOT_WAITS;
}
