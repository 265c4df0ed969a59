#include "random.h"

#include "base/rand.h"
#include "base/buf.h"
#include "codec/duration.h"

struct gen {
    struct rand r;
    struct scenario *s;
    unsigned parts;
    bool is_paced;   /* the receivers' address takes little, and digests */
    bool has_budget; /* each receiver sends so few messages a day, "back" is told what is more */
    dur_ns length;
    ts_ns sink_works, store_works; /* again, from then on; 0: it does */
};

static unsigned pick(struct gen *g, unsigned n)
{
    return (unsigned)(rand_unit(&g->r) * n);
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

static void put_action(struct gen *g, struct action a)
{
    a.line = (int)g->s->actions.n;
    vec_push(&g->s->actions, a);
}

/* -- the configuration -- */

static void put_timers(struct gen *g, struct buf *b, const char *indent)
{
    buf_addf(b, "%sgroup_wait: %s\n", indent, WORD(g, "0s", "10s", "30s", "2m"));
    buf_addf(b, "%sgroup_interval: %s\n", indent, WORD(g, "30s", "1m", "5m"));
    buf_addf(b, "%srepeat_interval: %s\n", indent, WORD(g, "7m", "1h", "4h"));
}

static void put_child(struct gen *g, struct buf *b, unsigned i)
{
    const char *mute = WORD(g, "night", "busy", "never");
    bool is_muted = chance(g, 40), is_active = chance(g, 20);
    static const char *const each[] = {"critical", "warning", "info"};

    /* who stands in is told under the groups' keys, which only the routes' matchers keep apart */
    buf_addf(b, "    - matchers: ['sev=\"%s\"']\n      receiver: r%u\n      continue: %s\n",
             g->has_budget ? each[i] : WORD(g, "critical", "warning", "info"), i + 1,
             chance(g, 50) ? "true" : "false");
    put_timers(g, b, "      ");
    if (chance(g, 30))
        buf_addf(b, "      group_by: [%s]\n", WORD(g, "'...'", "i", ""));
    if (!(g->parts & RANDOM_MUTING))
        return;
    if (is_muted)
        buf_addf(b, "      mute_time_intervals: [%s]\n", mute);
    else if (is_active)
        buf_addf(b, "      active_time_intervals: [busy]\n");
}

/* Each cure on in some of the worlds: what is foreseen must hold with them, too. */
static void put_cures(struct gen *g, struct buf *b)
{
    bool resolves = chance(g, 30), wakes = chance(g, 30);

    buf_addf(b, "notifications: {resolve_suppressed: %s, flush_at_window_end: %s}\n",
             resolves ? "true" : "false", wakes ? "true" : "false");
}

static void put_config(struct gen *g, struct buf *b)
{
    unsigned children = pick(g, 4);
    bool inhibits = chance(g, 60);

    buf_addf(b, "route:\n  receiver: r0\n  group_by: [g]\n");
    put_timers(g, b, "  ");
    if (children != 0)
        buf_addf(b, "  routes:\n");
    for (unsigned i = 0; i < children; i++)
        put_child(g, b, i);
    buf_addf(b, "receivers:\n");
    for (unsigned i = 0; i <= children; i++) {
        buf_addf(b, "  - {name: r%u, webhook_configs: [{url: http://sink, send_resolved: %s%s}]", i,
                 chance(g, 70) ? "true" : "false",
                 g->is_paced ? ", digest: true, pace: [{messages: 4, per: 2m}]" : "");
        if (g->has_budget)
            buf_addf(b, ", budget: {per_day: %s, then: back}", WORD(g, "2", "5", "12"));
        buf_addf(b, "}\n");
    }
    if (g->has_budget)
        buf_addf(b, "  - {name: back, webhook_configs: [{url: http://sink/back}]}\n");
    if (inhibits && (g->parts & RANDOM_INHIBITION))
        buf_addf(b, "inhibit_rules:\n  - {source_matchers: ['sev=\"critical\"'], "
                    "target_matchers: ['sev=~\"warning|info\"'], equal: [g]}\n");
    buf_addf(
        b,
        "time_intervals:\n"
        "  - {name: night, time_intervals: [{times: [{start_time: '00:30', end_time: '01:10'}]}]}\n"
        "  - {name: busy, time_intervals: [{times: [{start_time: '00:20', end_time: '02:00'}, "
        "{start_time: '03:00', end_time: '05:00'}]}]}\n"
        "  - {name: never, time_intervals: [{months: ['july']}]}\n");
    put_cures(g, b);
}

/* -- what happens -- */

static struct labels some_labels(struct gen *g)
{
    struct label *v = arena_array(&g->s->arena, 3, sizeof(*v));

    v[0] = (struct label){S("g"), str_of(WORD(g, "a", "b"))};
    v[1] = (struct label){S("i"), str_of(WORD(g, "0", "1", "2", "3"))};
    v[2] = (struct label){S("sev"), str_of(WORD(g, "critical", "warning", "info"))};
    return (struct labels){v, 3};
}

/* A fault of what is around: of the clocks, the process, the disk; or a reload. */
static void add_fault(struct gen *g, ts_ns at)
{
    static const dur_ns steps[] = {-NS_PER_H,     -5 * NS_PER_M, -20 * NS_PER_S,
                                   20 * NS_PER_S, 7 * NS_PER_M,  NS_PER_H};
    struct action a = {.at = at, .line = (int)g->s->actions.n, .text = S(""), .name = S("")};

    switch (pick(g, 5)) {
    case 0: a.kind = ACT_RESTART; break;
    case 1: a.kind = ACT_RELOAD; break;
    case 2:
        a.kind = ACT_WALL;
        a.d = steps[pick(g, ARRAY_LEN(steps))];
        break;
    case 3:
        a.kind = ACT_SUSPEND;
        a.d = (dur_ns)(2 + pick(g, 900)) * NS_PER_S;
        break;
    default: /* never over a restart: what is told twice then is meant to be */
        a.kind = ACT_STORE;
        g->store_works = ts_add(at, (dur_ns)(1 + pick(g, 600)) * NS_PER_S);
    }
    vec_push(&g->s->actions, a);
}

static void add_action(struct gen *g, ts_ns at)
{
    struct action a = {.at = at, .labels = some_labels(g), .line = (int)g->s->actions.n};
    unsigned what = pick(g, 100);
    const char *matcher = WORD(g, "g=\"a\"", "sev=\"critical\"", "i=~\"0|1\"", "sev!=\"info\"");
    dur_ns d = (dur_ns)(1 + pick(g, 90)) * NS_PER_M / (chance(g, 50) ? 1 : 3);

    if (what < 40) {
        a.kind = ACT_POST;
    } else if (what < 65) {
        a.kind = ACT_RESOLVE;
    } else if (what < 90) {
        if (!(g->parts & RANDOM_SILENCES))
            return;
        a.kind = ACT_SILENCE;
        a.text = arena_str(&g->s->arena, str_of(matcher));
        a.d = d;
        a.name = S("s");
    } else if (what < 94) {
        if (!(g->parts & RANDOM_CRASHES))
            return;
        a.kind = ACT_CRASH;
    } else if (what < 97) {
        a.kind = ACT_SINK;
        a.name = S("");
        a.status = chance(g, 50) ? 503 : 0;
        a.d = chance(g, 50) ? 4 * NS_PER_M : 0;
        g->sink_works = ts_add(at, (dur_ns)(1 + pick(g, 900)) * NS_PER_S);
        if (!(g->parts & RANDOM_SINKS))
            return;
    } else {
        a.kind = ACT_POST_ONCE;
    }
    vec_push(&g->s->actions, a);
}

static void mend(struct gen *g, enum action_kind kind, ts_ns *works, ts_ns at)
{
    struct action a = {.kind = kind,
                       .at = *works < at ? *works : at,
                       .status = 200,
                       .on = true,
                       .name = S_INIT("")};

    if (*works == 0 || (kind == ACT_SINK && *works > at))
        return;
    *works = 0;
    vec_push(&g->s->actions, a);
}

/* The next thing happens at `at`: by then the store is back, and the receiver may be. */
static void mend_all(struct gen *g, ts_ns at)
{
    bool store_first = g->store_works < g->sink_works;

    mend(g, store_first ? ACT_STORE : ACT_SINK, store_first ? &g->store_works : &g->sink_works, at);
    mend(g, store_first ? ACT_SINK : ACT_STORE, store_first ? &g->sink_works : &g->store_works, at);
}

static struct labels held_labels(struct gen *g, const char *i, const char *sev)
{
    struct label *v = arena_array(&g->s->arena, 3, sizeof(*v));

    v[0] = (struct label){S("g"), S("c")};
    v[1] = (struct label){S("i"), str_of(i)};
    v[2] = (struct label){S("sev"), str_of(sev)};
    return (struct labels){v, 3};
}

static dur_ns some(struct gen *g, unsigned most)
{
    return (dur_ns)(1 + pick(g, most)) * NS_PER_S;
}

/* What chance alone brings about too rarely: two of a group fire while their receiver asks to be left alone, both are silenced
 * for a while, and one is over before the row that waits is sent. Returns when it is over. */
static ts_ns add_story(struct gen *g, ts_ns at)
{
    const char *sev = WORD(g, "critical", "warning", "info");
    struct action post = {.kind = ACT_POST, .at = at, .labels = held_labels(g, "4", sev)};
    struct action sink = {.kind = ACT_SINK, .at = at, .status = 503, .d = 4 * NS_PER_M};
    struct action silence = {.kind = ACT_SILENCE};

    sink.name = S("");
    if (g->parts & RANDOM_SINKS)
        put_action(g, sink);
    put_action(g, post);
    post.labels = held_labels(g, "5", sev);
    put_action(g, post);
    sink.at = silence.at = ts_add(at, some(g, 150));
    sink.status = 200;
    sink.d = 0;
    sink.on = true;
    put_action(g, sink);
    silence.text = S("i=~\"4|5\"");
    silence.d = some(g, 200);
    silence.name = S("s");
    if (g->parts & RANDOM_SILENCES)
        put_action(g, silence);
    post.kind = ACT_RESOLVE;
    post.at = ts_add(silence.at, some(g, 30));
    put_action(g, post);
    return ts_add(post.at, 15 * NS_PER_M);
}

void random_scenario(struct scenario *out, uint64_t seed, unsigned parts, dur_ns length)
{
    struct gen g = {.r = rand_of(seed),
                    .s = out,
                    .parts = parts,
                    .is_paced = seed % 4 == 1,
                    .has_budget = seed % 8 == 2 || seed % 8 == 7};
    struct buf b = BUF_INIT;
    ts_ns at = 0;

    *out = (struct scenario){.end = length};
    arena_init(&out->arena, 0);
    if (g.has_budget) { /* the day turns */
        out->begins = -(dur_ns)(1 + pick(&g, 100)) * NS_PER_M;
        put_action(&g, (struct action){.kind = ACT_SINK, .name = S("/back"), .status = 200});
    }
    put_config(&g, &b);
    out->config = arena_str(&out->arena, buf_str(&b));
    buf_release(&b);
    while (at < length) {
        if ((parts & RANDOM_FAULTS) && chance(&g, 15))
            add_fault(&g, at);
        else
            add_action(&g, at);
        at += (dur_ns)(1 + pick(&g, 900)) * NS_PER_S + (chance(&g, 50) ? 0 : 123 * NS_PER_MS);
        mend_all(&g, at);
    }
    if (chance(&g, 25))
        out->end = add_story(&g, at);
}
