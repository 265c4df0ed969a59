/* Reloads at any moment of a group's life: before a job begins, before it ends, while a source is asked. State is never
 * lost while the configuration goes on naming a group, and nothing is left of one that it names no more. */
#include "conf_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/rand.h"
#include "live/turn.h"
#include "net/scripted.h"

enum { GROUPS = 3, STEPS = 60, SEEDS = 200 };

static const struct now start = {1700000000 * NS_PER_S, 1000 * NS_PER_S};

struct fixture {
    char folder[64];
    uint64_t
        seed; /* in the groups' names, too: where in the interval a group runs follows from its name */
    struct rand rand;
    struct clock clock;
    struct pool *pool;
    struct scripted *net;
    struct shell *shell;
    struct state_backend *b;
    unsigned named; /* groups of the configuration in force, as bits */
    ts_ns active_at
        [GROUPS]; /* as seen, since when the group has been named all the time; TS_NONE: not seen yet */
    size_t checked;
    int at;
};

static struct scripted_answer answer(void *arg, const struct scripted_request *rq)
{
    struct fixture *f = arg;

    (void)rq;
    return (struct scripted_answer){
        .status = 200,
        .delay = (dur_ns)rand_below(&f->rand, 3) * 20 * NS_PER_S,
        .body = S("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
                  "{\"metric\":{\"gpu\":\"0\"},\"value\":[1,\"7\"]}]}}")};
}

static struct config *load(struct fixture *f)
{
    struct buf rules = BUF_INIT, text = BUF_INIT;
    char path[128], rules_path[128];
    struct config *c;
    FILE *out;

    snprintf(path, sizeof(path), "%s/t.yml", f->folder);
    snprintf(rules_path, sizeof(rules_path), "%s/r.yml", f->folder);
    out = fopen(rules_path, "w");
    buf_adds(&rules, "groups:\n");
    for (int i = 0; i < GROUPS; i++)
        if (f->named >> i & 1)
            buf_addf(&rules,
                     "- {name: g%d-%" PRIu64
                     ", interval: 30s, rules: [{alert: A, expr: x > %d}%s]}\n",
                     i, f->seed, (int)rand_below(&f->rand, 3),
                     rand_below(&f->rand, 2) == 0 ? ", {alert: B, expr: y}" : "");
    assert_true(fwrite(rules.p, 1, rules.n, out) == rules.n);
    fclose(out);
    buf_adds(&text, "sources: [{name: p, url: 'http://p'}]\nrule_files: [r.yml]\n");
    c = config_of_text(path, buf_str(&text));
    buf_release(&rules);
    buf_release(&text);
    return c;
}

static void begin(struct fixture *f)
{
    struct shell_parts parts = {.external_url = S("http://tocsin"), .retention = NS_PER_H};
    struct state_shell callbacks;
    struct err e = ERR_INIT;
    size_t unreadable = 0;

    parts.clock = &f->clock;
    parts.pool = f->pool = pool_new_inline();
    f->net = scripted_new(&f->clock, answer, f);
    parts.transport = scripted_transport(f->net);
    parts.conf = load(f);
    parts.seed = rand_next(&f->rand);
    f->shell = shell_new(&parts);
    callbacks = shell_state_callbacks(f->shell);
    f->b = f->b != NULL ? state_memory_crash(f->b, &callbacks) : state_memory_new(&callbacks);
    assert_true(shell_start(f->shell, f->b, &unreadable, &e));
    assert_int_equal(unreadable, 0);
}

/* -- what a turn brings -- */

static void reload(struct fixture *f)
{
    struct event ev = {.kind = EVENT_CONFIG};

    f->named = (unsigned)(rand_next(&f->rand) | rand_next(&f->rand)) % (1 << GROUPS);
    for (int i = 0; i < GROUPS; i++)
        if (!(f->named >> i & 1))
            f->active_at[i] = TS_NONE;
    ev.config = &load(f)->core;
    shell_event(f->shell, &ev, NULL);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void jobs_end(void *arg)
{
    struct fixture *f = arg;

    pool_drain(f->pool);
    state_memory_flush(f->b);
}

static void time_passes(void *arg)
{
    struct fixture *f = arg;

    clock_move_to(&f->clock,
                  ts_add(f->clock.now.mono, (dur_ns)rand_below(&f->rand, 40) * NS_PER_S));
}

/* Once, or twice before anything of it is carried out. */
static void reloads(void *arg)
{
    struct fixture *f = arg;

    reload(f);
    if (rand_below(&f->rand, 3) == 0)
        reload(f);
}

static void settle(struct fixture *f)
{
    do
        turn(f->shell, jobs_end, f);
    while (pool_queued(f->pool) != 0);
    state_memory_flush(f->b);
    turn(f->shell, nothing, f);
}

/* Whatever asks has its answer. */
static void settle_all(struct fixture *f)
{
    for (int i = 0; i < 10; i++) {
        settle(f);
        clock_move_to(&f->clock, ts_add(f->clock.now.mono, 20 * NS_PER_S));
        turn(f->shell, nothing, f);
    }
    settle(f);
}

static void end(struct fixture *f)
{
    settle(f);
    shell_keep_backend(f->shell);
    shell_free(f->shell);
    scripted_free(f->net);
    pool_free(f->pool);
}

static bool count_row(void *arg, str key, str value)
{
    (void)key, (void)value;
    (*(size_t *)arg)++;
    return true;
}

/* Nothing is under way. */
static void check(struct fixture *f)
{
    const struct engine *e = shell_engine(f->shell);
    struct err err = ERR_INIT;
    size_t n = 0, rows = 0;

    VEC_EACH (struct rule_slot *const *, s, &e->rules) {
        const struct rule_group_view *v = (*s)->shown;
        int i = v->name.p[1] - '0';

        assert_true(f->named >> i & 1);
        assert_int_not_equal((*s)->state, SLOT_RUNNING_REMOVED);
        for (size_t k = 0; k < v->n_rules; k++)
            n += v->rules[k].n_alerts;
        if (f->active_at[i] != TS_NONE) {
            if (v->rules[0].n_alerts != 1)
                fail_msg("seed %" PRIu64 ", step %d: group %d lost its alert", f->seed, f->at, i);
            assert_int_equal(v->rules[0].alerts[0].active_at, f->active_at[i]);
            f->checked++;
        } else if (v->rules[0].n_alerts != 0) {
            f->active_at[i] = v->rules[0].alerts[0].active_at;
        }
    }
    assert_int_equal(e->rules.n, (size_t)__builtin_popcount(f->named));
    if (scripted_in_flight(f->net) != 0) /* a run of a group that is gone may have a row yet */
        return;
    assert_int_equal(e->rule_slots.n, e->rules.n);
    assert_true(f->b->ops->scan(f->b->self, STATE_RULE, count_row, &rows, &err));
    assert_int_equal(rows, n);
    assert_int_equal(e->stats.rule_stale, 0);
}

static void step(struct fixture *f)
{
    switch (rand_below(&f->rand, 8)) {
    case 0:
    case 1: turn(f->shell, reloads, f); break;
    case 2: turn(f->shell, nothing, f); break;
    case 3: turn(f->shell, jobs_end, f); break;
    case 4:
    case 5: turn(f->shell, time_passes, f); break;
    case 6:
        settle(f);
        check(f);
        break;
    default:
        if (rand_below(&f->rand, 8) == 0) {
            end(f); /* a restart */
            begin(f);
        }
        break;
    }
}

static void run(uint64_t seed, struct fixture *f)
{
    f->seed = f->rand.state = seed;
    f->named = (1u << GROUPS) - 1;
    for (int i = 0; i < GROUPS; i++)
        f->active_at[i] = TS_NONE;
    clock_init_stepped(&f->clock, start);
    begin(f);
    for (f->at = 0; f->at < STEPS; f->at++)
        step(f);
    settle_all(f);
    check(f);
    end(f);
    state_backend_free(f->b);
    f->b = NULL;
    clock_release(&f->clock);
}

static void at_any_moment(void **state)
{
    struct fixture f = {.folder = "/tmp/tocsin-reload-XXXXXX"};
    char path[128];

    (void)state;
    assert_non_null(mkdtemp(f.folder));
    snprintf(path, sizeof(path), "%s/r.yml", f.folder);
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(seed, &f);
    unlink(path);
    rmdir(f.folder);
    print_message("%zu alerts kept\n", f.checked);
    assert_true(f.checked > SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_any_moment)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
