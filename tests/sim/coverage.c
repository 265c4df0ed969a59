#include "coverage.h"

#include <stdio.h>
#include "live/shell_priv.h"

static const char *const fault_names[FAULTS] = {
    [FAULT_CUT] = "power cut",
    [FAULT_RESTART] = "restart",
    [FAULT_RELOAD] = "reload",
    [FAULT_RELOAD_RULES] = "reload, other rules",
    [FAULT_RELOAD_ASIDE] = "reload by a worker",
    [FAULT_PAUSE] = "pause",
    [FAULT_WALL_AHEAD] = "wall clock ahead",
    [FAULT_WALL_BACK] = "wall clock back",
    [FAULT_SOURCE_SLOW] = "source slow",
    [FAULT_SOURCE_DOWN] = "source down",
    [FAULT_SINK_DOWN] = "receiver down",
    [FAULT_SINK_SILENT] = "receiver silent",
    [FAULT_SINK_SLOW] = "receiver slow",
    [FAULT_SINK_CUTS] = "answer lost",
    [FAULT_DISK_FULL] = "disk full",
    [FAULT_DISK_LATE] = "written, said not",
};

static const char *const state_names[HIT_STATES] = {
    [HIT_RUNNING] = "running", [HIT_REPLACED] = "replaced",   [HIT_REMOVED] = "removed",
    [HIT_WAITING] = "waiting", [HIT_IN_FLIGHT] = "in flight", [HIT_RETRYING] = "retrying",
    [HIT_COMMIT] = "commit",   [HIT_REPLAY] = "replay",
};

/* -- what it is -- */

static enum fault sink_fault(const struct action *a)
{
    if (a->is_lost)
        return FAULT_SINK_CUTS;
    if (a->status == 0)
        return FAULT_SINK_SILENT;
    return a->status / 100 != 2 ? FAULT_SINK_DOWN : a->takes != 0 ? FAULT_SINK_SLOW : FAULTS;
}

/* FAULTS: none. */
static enum fault fault_of(const struct action *a)
{
    switch (a->kind) {
    case ACT_CRASH: return FAULT_CUT;
    case ACT_RESTART: return FAULT_RESTART;
    case ACT_RELOAD:
        return a->on ? FAULT_RELOAD_ASIDE : a->name.n != 0 ? FAULT_RELOAD_RULES : FAULT_RELOAD;
    case ACT_SUSPEND: return FAULT_PAUSE;
    case ACT_WALL: return a->d > 0 ? FAULT_WALL_AHEAD : FAULT_WALL_BACK;
    case ACT_SINK: return sink_fault(a);
    case ACT_SOURCE:
        return str_is(a->text, "down")                 ? FAULT_SOURCE_DOWN
               : str_is(a->text, "takes") && a->d != 0 ? FAULT_SOURCE_SLOW
                                                       : FAULTS;
    case ACT_STORE: return a->on ? FAULTS : a->is_late ? FAULT_DISK_LATE : FAULT_DISK_FULL;
    default: return FAULTS;
    }
}

/* -- what it hits -- */

static unsigned groups(const struct engine *e)
{
    unsigned hit = 0;

    MAP_EACH (const struct u64_map_entry, it, &e->rule_slots) {
        const struct rule_slot *s = it->value;

        hit |= s->state == SLOT_RUNNING            ? 1u << HIT_RUNNING
               : s->state == SLOT_RUNNING_REPLACED ? 1u << HIT_REPLACED
               : s->state == SLOT_RUNNING_REMOVED  ? 1u << HIT_REMOVED
                                                   : 0;
    }
    return hit;
}

/* What is in flight to the engine and does not wait for its commit is rendered or transferred. */
static unsigned rows(const struct shell *s)
{
    size_t in_flight = 0, waiting = 0;
    unsigned hit = 0;

    for (size_t i = s->first_waiting; i < s->waiting.n; i++)
        waiting += s->waiting.v[i].row != NULL;
    MAP_EACH (const struct outbox_map_entry, it, &s->engine->outbox) {
        in_flight += outbox_in_flight(it->value);
        if (it->value->next != NULL)
            hit |= 1u << HIT_WAITING;
        if (!outbox_in_flight(it->value) && it->value->row->attempt != 0)
            hit |= 1u << HIT_RETRYING;
    }
    return hit | (waiting != 0 ? 1u << HIT_WAITING : 0) |
           (in_flight > waiting ? 1u << HIT_IN_FLIGHT : 0);
}

void coverage_note(struct coverage *c, struct sim *s, const struct action *a)
{
    const struct engine *e = shell_engine(s->it.shell);
    enum fault f = fault_of(a);
    unsigned hit = groups(e) | rows(s->it.shell);

    if (f == FAULTS)
        return;
    if (state_memory_queued(s->it.disk) != 0)
        hit |= 1u << HIT_COMMIT;
    if (e->rules_wait == RULES_WAIT_FOR_REPLAY)
        hit |= 1u << HIT_REPLAY;
    for (unsigned i = 0; i < HIT_STATES; i++)
        c->hits[f][i] += hit >> i & 1;
}

/* -- the table -- */

void coverage_print(const struct coverage *c)
{
    printf("%-20s", "fault");
    for (unsigned i = 0; i < HIT_STATES; i++)
        printf(" %9s", state_names[i]);
    for (unsigned f = 0; f < FAULTS; f++) {
        printf("\n%-20s", fault_names[f]);
        for (unsigned i = 0; i < HIT_STATES; i++)
            printf(" %9zu", c->hits[f][i]);
    }
    printf("\n");
}

bool coverage_has_gap(const struct coverage *c)
{
    for (unsigned f = 0; f < FAULTS; f++)
        for (unsigned i = 0; i < HIT_STATES; i++)
            if (c->hits[f][i] == 0)
                return true;
    return false;
}
