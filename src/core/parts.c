#include "core/part.h"

#include "core/bucket.h"
#include "core/engine_priv.h"
#include "core/fallback.h"

static ts_ns first_of(const struct heap *h)
{
    const struct heap_node *n = heap_min(h);

    return n != NULL ? n->key : TS_MAX;
}

static ts_ns rules_due(const struct engine *e)
{
    return first_of(&e->rule_timers);
}

static ts_ns groups_due(const struct engine *e)
{
    ts_ns first = first_of(&e->group_timers);

    return first > e->groups_after ? first : e->groups_after;
}

const struct core_part core_parts[] = {
    /* what others ask first */
    {.name = "intervals", .table = STATE_TABLES, .configure = intervals_configure},
    {.name = "receivers", .table = STATE_TABLES, .configure = receivers_configure},
    {.name = "alerts",
     .table = STATE_ALERT,
     .due = alerts_due,
     .run = alerts_collect,
     .gc = alerts_gc,
     .paused = alerts_paused,
     .restore = alerts_restore,
     .snapshot = alerts_snapshot},
    {.name = "silences",
     .table = STATE_SILENCE,
     .gc = silences_gc,
     .restore = silences_restore,
     .snapshot = silences_snapshot},
    {.name = "told",
     .table = STATE_TOLD,
     .gc = nflog_gc,
     .restore = nflog_restore,
     .snapshot = nflog_snapshot},
    /* who decides; a rule's slots are instants of the wall clock */
    {.name = "rules",
     .table = STATE_TABLES, /* its alerts' rows are the rule driver's */
     .basis = CORE_WALL,
     .due = rules_due,
     .run = rules_run_due,
     .stepped = rules_stepped},
    {.name = "groups",
     .table = STATE_TABLES,
     .due = groups_due,
     .run = groups_run_due,
     .stepped = groups_stepped},
    {.name = "past", .table = STATE_TABLES, .due = past_due, .run = past_run}, /* groups that go */
    {.name = "buckets",
     .table = STATE_META,
     .gc = buckets_gc,
     .configure = buckets_configure,
     .stepped = buckets_stepped,
     .restore = buckets_restore,
     .snapshot = buckets_snapshot},
    {.name = "budgets",
     .table = STATE_META,
     .restore = budget_restore,
     .snapshot = budget_snapshot},
    {.name = "fallbacks", .table = STATE_TABLES, .gc = fallback_gc},
    {.name = "outbox",
     .table = STATE_OUTBOX,
     .due = outbox_due,
     .run = outbox_run_due,
     .configure = outbox_configure,
     .stepped = outbox_stepped,
     .restore = outbox_restore_row,
     .snapshot = outbox_snapshot},
    {.name = "health", /* of receivers */
     .table = STATE_TABLES,
     .gc = receivers_check,
     .configure = receivers_configured,
     .paused = receivers_paused},
    {.name = "builtin",
     .table = STATE_TABLES,
     .due = builtins_due,
     .run = builtins_refresh,
     .stepped = builtin_clock_stepped},
    {.name = "journal",
     .table = STATE_DECISION,
     .restore = decisions_restore,
     .snapshot = decisions_snapshot},
    {.name = "life",
     .table = STATE_META,
     .due = life_due,
     .run = life_run,
     .restore = life_restore},
    {.name = "gc", .table = STATE_TABLES, .due = gc_due, .run = gc_run}, /* of all of them */
    {.name = NULL},
};
