/* Alerts about tocsin itself. A condition is raised and cleared by whoever sees it; while it is raised its alert is
 * renewed every half minute with an end five minutes ahead, so that it takes the same road as any other alert and ends
 * by itself if we do. */
#include "core/engine_priv.h"

#include <stdio.h>

struct builtin_type {
    const char *name, *severity, *subject_label, *summary;
};

static const struct builtin_type types[BUILTIN_KINDS] = {
    [BUILTIN_SOURCE_DOWN] = {"TocsinSourceDown", "critical", "source",
                             "tocsin cannot query its source"},
    [BUILTIN_RULE_FAILING] = {"TocsinRuleFailing", "warning", "rule_group",
                              "rules cannot be evaluated"},
    [BUILTIN_RELOAD_FAILED] = {"TocsinReloadFailed", "warning", NULL,
                               "the new configuration was refused, the old one is in force"},
    [BUILTIN_STORE_DEGRADED] = {"TocsinStoreDegraded", "critical", NULL,
                                "tocsin cannot write its state, notifications go out from memory"},
    [BUILTIN_STORE_DAMAGED] = {"TocsinStoreDegraded", "critical", "state",
                               "a part of what tocsin had stored is damaged"},
    [BUILTIN_ALERT_LIMIT] = {"TocsinAlertLimit", "critical", NULL,
                             "new alerts are dropped: there are more than tocsin may hold"},
    [BUILTIN_CLOCK_STEPPED] = {"TocsinClockStepped", "warning", NULL,
                               "the wall clock of tocsin's machine was set"},
    [BUILTIN_SOURCE_DEGRADED] = {"TocsinSourceDegraded", "warning", "source",
                                 "a source answers in part, alerts of its rules hold their state"},
    [BUILTIN_CLOCK_SKEW] = {"TocsinClockSkew", "warning", "peer",
                            "the clock of a peer and that of tocsin's machine differ"},
    [BUILTIN_RECEIVER_FAILING] = {"TocsinReceiverFailing", "critical", "receiver",
                                  "a receiver is not told"},
    [BUILTIN_RULE_DEAD] = {"TocsinRuleDead", "warning", "rule", "a rule selects nothing any more"},
    [BUILTIN_RULE_ALWAYS_FIRING] = {"TocsinRuleAlwaysFiring", "warning", "rule",
                                    "a rule fires without an end"},
    [BUILTIN_REMOTE_WRITE_FAILING] = {"TocsinRemoteWriteFailing", "warning", "remote",
                                      "a remote does not get the samples that are written to it"},
};

enum { AHEAD_M = 5, CLOCK_TOLD_M = 15, CLOCK_STEP_MIN_S = 10 };

static void builtin_post(struct engine *e, const struct builtin *b, bool raised, struct now now,
                         struct effects *fx)
{
    const struct builtin_type *t = &types[b->kind];
    struct label labels[] = {{S("alertname"), str_of(t->name)},
                             {S("severity"), str_of(t->severity)},
                             {t->subject_label != NULL ? str_of(t->subject_label) : S("~"),
                              b->subject}};
    struct label annotations[] = {{S("description"), str_of(b->why)},
                                  {S("summary"), str_of(t->summary)}};
    struct alert_input in = {.annotations = {annotations, ARRAY_LEN(annotations)},
                             .starts_at = b->since};
    struct event_result ignored = {.ok = true};
    str dup;

    in.labels.v = labels;
    in.labels.n = labels_sort(labels, ARRAY_LEN(labels), &dup);
    in.ends_at = raised ? ts_add(now.wall, AHEAD_M * NS_PER_M) : now.wall;
    if (in.ends_at < in.starts_at)
        in.starts_at = in.ends_at;
    alerts_take(e, &in, 1, ALERTS_OWN, 0, now, fx, &ignored);
    buf_release(&ignored.text);
}

static struct builtin *builtin_find(const struct engine *e, enum builtin_kind kind, str subject)
{
    for (size_t i = 0; i < e->builtins.n; i++)
        if (e->builtins.v[i].kind == kind && str_eq(subject, e->builtins.v[i].subject))
            return &e->builtins.v[i];
    return NULL;
}

bool engine_tells(const struct engine *e, enum builtin_kind kind, str subject)
{
    return builtin_find(e, kind, subject) != NULL;
}

static void builtin_end(struct engine *e, size_t i, struct now now, struct effects *fx)
{
    struct builtin ended = e->builtins.v[i];

    vec_remove(&e->builtins, i);
    builtin_post(e, &ended, false, now, fx);
    mem_str_free(ended.subject);
}

void builtin_set(struct engine *e, enum builtin_kind kind, bool raised, str subject, str why,
                 struct now now, struct effects *fx)
{
    struct builtin *b = builtin_find(e, kind, subject);

    if (raised == (b != NULL))
        return;
    if (!raised) {
        builtin_end(e, (size_t)(b - e->builtins.v), now, fx);
        return;
    }
    vec_push(&e->builtins, (struct builtin){.kind = kind, .since = now.wall, .until = TS_MAX});
    b = vec_last(&e->builtins);
    b->subject = mem_str_dup(subject);
    snprintf(b->why, sizeof(b->why), "%.*s", STR(why));
    builtin_post(e, b, true, now, fx);
}

void builtin_tell(struct engine *e, enum builtin_kind kind, str subject, str why, dur_ns lasts,
                  struct now now, struct effects *fx)
{
    builtin_set(e, kind, true, subject, why, now, fx);
    builtin_find(e, kind, subject)->until = ts_add(now.mono, lasts);
}

void builtins_release(struct engine *e)
{
    VEC_EACH (struct builtin *, b, &e->builtins)
        mem_str_free(b->subject);
    vec_release(&e->builtins);
}

bool builtin_is(str alertname, enum builtin_kind kind)
{
    return str_is(alertname, types[kind].name);
}

bool builtin_is_name(str alertname)
{
    for (size_t i = 0; i < BUILTIN_KINDS; i++)
        if (str_is(alertname, types[i].name))
            return true;
    return false;
}

void builtin_clock_stepped(struct engine *e, dur_ns by, struct now now, struct effects *fx)
{
    char why[128];

    if (by > -CLOCK_STEP_MIN_S * NS_PER_S && by < CLOCK_STEP_MIN_S * NS_PER_S)
        return;
    snprintf(why, sizeof(why), "the wall clock was set %s by %.0f s", by > 0 ? "ahead" : "back",
             (double)(by > 0 ? by : -by) / NS_PER_S);
    builtin_tell(e, BUILTIN_CLOCK_STEPPED, STR_NONE, str_of(why), CLOCK_TOLD_M * NS_PER_M, now, fx);
}

ts_ns builtins_due(const struct engine *e)
{
    return e->next_refresh;
}

void builtins_refresh(struct engine *e, struct now now, struct effects *fx)
{
    e->next_refresh = ts_add(now.mono, BUILTIN_REFRESH);
    for (size_t i = e->builtins.n; i-- != 0;)
        if (e->builtins.v[i].until <= now.mono)
            builtin_end(e, i, now, fx);
    VEC_EACH (const struct builtin *, b, &e->builtins)
        builtin_post(e, b, true, now, fx);
}
