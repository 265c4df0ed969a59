#include "wild.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/rand.h"

enum { FAULTY_M = 30, REST_M = 25, RESOLVE_M = 5 };

/* What is broken is mended at some time. */
struct mend {
    ts_ns at; /* 0: nothing is broken */
    struct action action;
};

struct gen {
    struct rand r;
    struct wild *w;
    struct mend sink, source, source_slow, store;
    struct mend
        refresh; /* of what somebody has posted once: at the very instant at which it ends */
    bool refreshes;
    ts_ns at;
};

static unsigned pick(struct gen *g, unsigned n)
{
    return (unsigned)rand_below(&g->r, n);
}

static bool chance(struct gen *g, unsigned percent)
{
    return pick(g, 100) < percent;
}

static const char *word(struct gen *g, const char *const *v, unsigned n)
{
    return v[pick(g, n)];
}
#define WORD(g, ...)                                                                               \
    word(g, (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static dur_ns seconds(struct gen *g, unsigned most)
{
    return (dur_ns)pick(g, most + 1) * NS_PER_S + (chance(g, 50) ? 0 : 377 * NS_PER_MS);
}

/* -- the configuration -- */

static void put_timers(struct gen *g, struct buf *b, const char *indent)
{
    buf_addf(b, "%sgroup_wait: %s\n%sgroup_interval: %s\n%srepeat_interval: %s\n", indent,
             WORD(g, "0s", "10s", "30s"), indent, WORD(g, "30s", "1m"), indent,
             g->w->repeat_interval == NS_PER_H ? "1h" : "7m");
}

static void put_children(struct gen *g, struct buf *b)
{
    bool goes_on = chance(g, 50), is_muted = chance(g, 30);

    buf_addf(b,
             "  routes:\n    - matchers: ['sev=\"critical\"']\n      receiver: r1\n"
             "      continue: %s\n",
             goes_on ? "true" : "false");
    put_timers(g, b, "      ");
    if (is_muted || g->w->gathers)
        buf_addf(b, "      mute_time_intervals: [soon]\n");
    if (g->w->gathers)
        buf_addf(b, "      digest: {at: window_start, jitter: 30s}\n");
}

static bool has_back(const struct wild *w)
{
    return w->has_fallback || w->budget != 0;
}

/* Who stands in for the two works, whatever becomes of them. */
static void put_receivers(const struct gen *g, struct buf *b)
{
    const struct wild *w = g->w;

    buf_adds(b, "receivers:\n");
    for (int i = 0; i < 2; i++) {
        buf_addf(b, "  - {name: r%d, webhook_configs: [{url: 'http://sink', timeout: 15s", i);
        if (w->pace != 0)
            buf_addf(b, ", digest: true, pace: [{messages: %zu, per: 1m}]", w->pace);
        buf_addf(b, "%s}]", w->gathers ? ", digest: true" : "");
        if (w->has_fallback)
            buf_adds(b, ", fallback: back");
        if (w->budget != 0)
            buf_addf(b, ", budget: {per_day: %zu, then: back}", w->budget);
        buf_adds(b, "}\n");
    }
    if (has_back(w))
        buf_adds(b,
                 "  - {name: back, webhook_configs: [{url: 'http://sink/back', timeout: 15s}]}\n");
}

static void put_samples(struct gen *g, struct buf *b)
{
    if (g->w->has_store)
        buf_addf(b, "scrape_configs:\n  - {job_name: n, scrape_interval: 15s, scrape_timeout: 10s, "
                    "static_configs: [{targets: ['t:1']}]}\n");
    else
        buf_addf(b, "sources: [{name: prom, url: 'http://prom', down_after: 3m}]\n");
    buf_addf(b, "rule_files: ['@rules@']\n");
}

static void put_config(struct gen *g, struct buf *b)
{
    bool has_children = chance(g, 60) || g->w->gathers, inhibits = chance(g, 40),
         wakes = chance(g, 30);

    put_samples(g, b);
    buf_addf(b, "route:\n  receiver: r0\n  group_by: [%s]\n",
             WORD(g, "g", "'...'", "g, alertname"));
    put_timers(g, b, "  ");
    if (has_children)
        put_children(g, b);
    put_receivers(g, b);
    if (inhibits)
        buf_addf(b, "inhibit_rules:\n  - {source_matchers: ['sev=\"critical\"'], "
                    "target_matchers: ['sev=\"warning\"'], equal: [g]}\n");
    /* Whatever keeps an alert back, its end is told to who heard that it fires. */
    buf_addf(b, "notifications: {resolve_suppressed: true, flush_at_window_end: %s}\n",
             wakes ? "true" : "false");
    buf_addf(b, "time_intervals:\n  - {name: soon, time_intervals: [{times: [{start_time: '00:10', "
                "end_time: '00:25'}]}]}\n");
}

static void put_group(struct gen *g, struct buf *b, unsigned k, bool is_renamed, bool holds)
{
    buf_addf(b, "  - name: g%u%s\n    interval: %s\n    rules:\n", k, is_renamed ? "x" : "",
             WORD(g, "15s", "30s"));
    if (chance(g, 30))
        buf_addf(b, "      - {alert: B%u, expr: b%u}\n", k, k);
    buf_addf(b, "      - {alert: R%u, expr: m%u, for: %s, annotations: {v: '%u'}}\n", k, k,
             holds ? "30s" : "0s", pick(g, 2));
}

static void put_rules(struct gen *g)
{
    static const char *const names[WILD_RULES] = {"0", "1", "2", "3"};
    bool holds[WILD_GROUPS];

    for (unsigned k = 0; k < WILD_GROUPS; k++)
        holds[k] = chance(g, 50);
    for (unsigned v = 0; v < WILD_RULES; v++) {
        struct wild_rules *r = &g->w->rules[v];
        struct buf b = BUF_INIT;

        buf_adds(&b, "groups:\n");
        for (unsigned k = 0; k < WILD_GROUPS; k++) {
            r->is_named[k] = v == 0 || k == 0 || chance(g, 65);
            r->is_renamed[k] = v != 0 && chance(g, 15);
            if (r->is_named[k])
                put_group(g, &b, k, r->is_renamed[k], holds[k]);
        }
        vec_push(&g->w->scn.rules,
                 (struct named_rules){str_of(names[v]), arena_str(&g->w->scn.arena, buf_str(&b))});
        buf_release(&b);
    }
}

/* -- what happens -- */

static void push(struct gen *g, struct action a)
{
    a.at = g->at;
    a.line = (int)g->w->scn.actions.n;
    vec_push(&g->w->scn.actions, a);
}

/* Broken until a drawn time from now. */
static void breaks(struct gen *g, struct mend *m, struct action how, struct action mended,
                   unsigned most_s)
{
    push(g, how);
    m->action = mended;
    m->at = ts_add(g->at, NS_PER_S + seconds(g, most_s));
}

static struct labels some_labels(struct gen *g)
{
    struct label *v = arena_array(&g->w->scn.arena, 4, sizeof(*v));

    v[0] = (struct label){S("alertname"), S("P")};
    v[1] = (struct label){S("g"), str_of(WORD(g, "a", "b"))};
    v[2] = (struct label){S("i"), str_of(WORD(g, "0", "1"))};
    v[3] = (struct label){S("sev"), str_of(WORD(g, "critical", "warning"))};
    return (struct labels){v, 4};
}

static void add_sample(struct gen *g, bool is_there)
{
    struct arena *a = &g->w->scn.arena;
    unsigned k = pick(g, WILD_GROUPS);
    struct label *v = arena_array(a, 1, sizeof(*v));

    v[0] = (struct label){S("k"), arena_printf(a, "%u", k)};
    push(g, (struct action){.kind = ACT_SAMPLE,
                            .labels = {v, 1},
                            .text = arena_printf(a, "m%u", k),
                            .value = 7,
                            .on = is_there});
}

static void add_reload(struct gen *g)
{
    static const char *const names[WILD_RULES] = {"0", "1", "2", "3"};
    bool aside = chance(g, 40), changes = chance(g, 80), twice = chance(g, 30);

    for (int n = 0; n <= twice; n++)
        push(g, (struct action){.kind = ACT_RELOAD,
                                .on = aside,
                                .name = changes ? str_of(names[pick(g, WILD_RULES)]) : S("")});
}

static void add_wall(struct gen *g)
{
    static const dur_ns steps[] = {-NS_PER_H,     -5 * NS_PER_M, -20 * NS_PER_S,
                                   20 * NS_PER_S, 7 * NS_PER_M,  NS_PER_H};

    push(g, (struct action){.kind = ACT_WALL, .d = steps[pick(g, ARRAY_LEN(steps))]});
}

static void break_sink(struct gen *g)
{
    static const struct action works = {.kind = ACT_SINK, .status = 200};
    struct action a = works;

    switch (pick(g, 4)) {
    case 0:
        a.status = chance(g, 30) ? 400 : 503; /* for good, or until later */
        a.d = chance(g, 30) ? NS_PER_M : 0;
        break;
    case 1: a.status = 0; break;
    case 2: a.is_lost = true; break;
    default: a.takes = seconds(g, 30);
    }
    breaks(g, &g->sink, a, works, 180);
}

static void break_source(struct gen *g)
{
    if (chance(g, 50))
        breaks(g, &g->source, (struct action){.kind = ACT_SOURCE, .text = S_INIT("down")},
               (struct action){.kind = ACT_SOURCE, .text = S_INIT("up")}, 300);
    else
        breaks(g, &g->source_slow,
               (struct action){.kind = ACT_SOURCE, .text = S_INIT("takes"), .d = seconds(g, 60)},
               (struct action){.kind = ACT_SOURCE, .text = S_INIT("takes")}, 180);
}

static void break_store(struct gen *g)
{
    breaks(g, &g->store, (struct action){.kind = ACT_STORE, .is_late = chance(g, 40)},
           (struct action){.kind = ACT_STORE, .on = true}, 60);
}

static void add_pace(struct gen *g)
{
    static const char *const what[] = {"jobs", "commits", "answers"};
    unsigned k = pick(g, 3);
    static const unsigned most[] = {8, 7, 20};

    push(g, (struct action){.kind = ACT_PACE,
                            .text = str_of(what[k]),
                            .d = chance(g, 25) ? 0 : seconds(g, most[k])});
}

static void add_fault(struct gen *g)
{
    unsigned what = pick(g, 100);

    if (what < 9)
        push(g, (struct action){.kind = ACT_CRASH});
    else if (what < 18)
        push(g, (struct action){.kind = ACT_RESTART});
    else if (what < 45)
        add_reload(g);
    else if (what < 53)
        push(g, (struct action){.kind = ACT_SUSPEND, .d = NS_PER_S + seconds(g, 400)});
    else if (what < 61)
        add_wall(g);
    else if (what < 78)
        break_sink(g);
    else if (what < 91)
        break_source(g);
    else
        break_store(g);
}

static void add_silence(struct gen *g)
{
    struct arena *a = &g->w->scn.arena;

    push(g, (struct action){.kind = ACT_SILENCE,
                            .text = str_of(WORD(g, "{g=\"a\"}", "{sev=\"critical\"}", "{i=\"0\"}",
                                                "{alertname=~\"R0|R1\"}")),
                            .d = NS_PER_M + seconds(g, 900),
                            .name = arena_printf(a, "s%zu", g->w->scn.actions.n)});
}

static void add_expiry(struct gen *g)
{
    VEC_EACH (const struct action *, a, &g->w->scn.actions)
        if (a->kind == ACT_SILENCE && chance(g, 40)) {
            push(g, (struct action){.kind = ACT_EXPIRE, .name = a->name});
            return;
        }
}

/* What has come in time counts, however much else is due then. */
static void post_once(struct gen *g)
{
    struct action a = {.kind = ACT_POST_ONCE,
                       .labels = some_labels(g),
                       .has_start = g->refreshes,
                       .starts_at = g->at};

    if (g->refreshes)
        ((struct label *)(uintptr_t)a.labels.v)[1].value = S("c"); /* its group begins with it */
    push(g, a);
    if (g->refreshes && g->refresh.at == 0)
        g->refresh = (struct mend){ts_add(g->at, RESOLVE_M * NS_PER_M), a};
}

static void add_action(struct gen *g)
{
    unsigned what = pick(g, 100);

    if (what < 15)
        push(g, (struct action){.kind = ACT_POST, .labels = some_labels(g)});
    else if (what < 18)
        post_once(g);
    else if (what < 29)
        push(g, (struct action){.kind = ACT_RESOLVE, .labels = some_labels(g)});
    else if (what < 37)
        add_silence(g);
    else if (what < 41)
        add_expiry(g);
    else if (what < 54)
        add_sample(g, chance(g, 60));
    else if (what < 64)
        add_pace(g);
    else
        add_fault(g);
}

/* What is to be mended by now. */
static void mend(struct gen *g, ts_ns by)
{
    struct mend *all[] = {&g->sink, &g->source, &g->source_slow, &g->store, &g->refresh};

    for (;;) {
        struct mend *first = NULL;

        for (size_t i = 0; i < ARRAY_LEN(all); i++)
            if (all[i]->at != 0 && all[i]->at <= by && (first == NULL || all[i]->at < first->at))
                first = all[i];
        if (first == NULL)
            return;
        g->at = first->at;
        first->at = 0;
        push(g, first->action);
    }
}

static dur_ns pause(struct gen *g)
{
    return chance(g, 60) ? seconds(g, 3) : seconds(g, 120);
}

static void come_to_rest(struct gen *g)
{
    static const char *const what[] = {"jobs", "commits", "answers"};

    for (size_t i = 0; i < ARRAY_LEN(what); i++)
        push(g, (struct action){.kind = ACT_PACE, .text = str_of(what[i])});
    mend(g, TS_MAX);
}

/* The day may turn while it is spent. */
static void draw_budget(struct gen *g)
{
    static const size_t budgets[] = {2, 5, 12};

    g->w->budget = budgets[pick(g, ARRAY_LEN(budgets))];
    if (chance(g, 60))
        g->w->scn.begins = -(dur_ns)(5 + pick(g, 40)) * NS_PER_M;
}

void wild_make(struct wild *w, uint64_t seed)
{
    struct gen g = {.r = rand_of(seed), .w = w, .refreshes = seed % 16 == 14};
    struct buf b = BUF_INIT;
    ts_ns next;

    *w = (struct wild){.has_store = seed % 8 == 0,
                       .pace = seed % 4 == 1 ? 8 : 0,
                       .has_fallback = seed % 4 == 3,
                       .gathers = seed % 16 == 10};
    arena_init(&w->scn.arena, 0);
    w->scn.arrivals_first = g.refreshes;
    w->repeat_interval = chance(&g, 50) ? NS_PER_H : 7 * NS_PER_M;
    if (seed % 8 == 4 || seed % 16 == 5 || seed % 16 == 7)
        draw_budget(&g);
    put_config(&g, &b);
    w->scn.config = arena_str(&w->scn.arena, buf_str(&b));
    buf_release(&b);
    put_rules(&g);
    g.at = NS_PER_S;
    if (has_back(w))
        push(&g, (struct action){.kind = ACT_SINK, .name = S("/back"), .status = 200});
    while (g.at < FAULTY_M * NS_PER_M) {
        add_action(&g);
        next = ts_add(g.at, pause(&g));
        mend(&g, next);
        g.at = next;
    }
    come_to_rest(&g);
    w->scn.end = ts_add(g.at, REST_M * NS_PER_M);
}

void wild_release(struct wild *w)
{
    scenario_release(&w->scn);
}
