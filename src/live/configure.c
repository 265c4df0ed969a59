#include "live/configure.h"

/* A reload that would leave out, for its problems, a rule that runs is none. */
static bool keeps_what_runs(const struct config *now, const struct config *next, struct diags *d)
{
    const struct rule_skipped *lost = config_lost_rule(next, now);

    if (lost == NULL)
        return true;
    diags_add(d, DIAG_ERROR, "R013", (struct diag_place){.file = lost->file, .line = 1, .col = 1},
              "\"%.*s\" runs, and would be left out for its problems",
              STR(lost->rule.n != 0    ? lost->rule
                  : lost->group.n != 0 ? lost->group
                                       : lost->file));
    return false;
}

/* A file that was cut short, or came out of a broken template, would have every alert told to nobody. */
static bool keeps_the_route(const struct config *now, const struct config *next, struct diags *d)
{
    struct diag_place place = {.line = 1, .col = 1};

    if (now->route == NULL || next->route != NULL)
        return true;
    if (next->n_files != 0)
        place.file = next->files[0];
    diags_add(d, DIAG_ERROR, "C003", place,
              "the running configuration has a \"route\", this one has none: every alert would be "
              "told to nobody ('tocsin reload --allow-no-route' takes it all the same)");
    return false;
}

bool configure_check(const struct configure *p, const struct config *next, bool allows_no_route,
                     struct diags *d)
{
    const struct config *now = config_of(shell_engine(p->shell)->conf);

    return keeps_what_runs(now, next, d) && (allows_no_route || keeps_the_route(now, next, d));
}

static void configure_put_outlets(struct configure *p, struct config *c)
{
    struct config *old = p->lent;

    p->lent = config_ref(c);
    if (p->forward != NULL)
        forward_configure(p->forward, &c->alerting);
    if (p->recorder != NULL)
        recorder_configure(p->recorder, c->recorder);
    config_unref(old);
}

void configure_begin(struct configure *p, struct config *conf)
{
    heartbeat_configure(p->heartbeat, conf);
    configure_put_outlets(p, conf);
}

bool configure_prepare(const struct configure *p, const struct config *next)
{
    struct event ev = {.kind = EVENT_AHEAD, .config = next != NULL ? &next->core : NULL};
    struct event_result r = {0};

    shell_event(p->shell, &ev, &r);
    return !r.ok;
}

void configure_put(struct configure *p, struct config *next, struct rules_ahead *ahead)
{
    struct event swap = {.kind = EVENT_CONFIG, .config = &next->core, .ahead = ahead};

    /* It only looks at the others. */
    heartbeat_configure(p->heartbeat, next);
    /* The store before the rules: what they select is kept before one of them asks. */
    if (p->store != NULL)
        store_configure(p->store, next);
    /* Whom rules are forwarded to before the rules: the first step sends to whom the new configuration names. */
    configure_put_outlets(p, next);
    /* The engine and, behind it, the sources: a run that is under way ends with those that it began with. */
    shell_event(p->shell, &swap, NULL);
}

void configure_release(struct configure *p)
{
    config_unref(p->lent);
    p->lent = NULL;
}
