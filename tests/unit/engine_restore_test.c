/* What an engine takes back at its start, and that it takes no longer than there is of it. */
#include "unit.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "engine/engine.h"
#include "ruler/rule_persist.h"

static const struct now start = {1700000000 * NS_PER_S, 1000 * NS_PER_S};

struct fixture {
    char path[64];
    struct engine *e;
    struct state_backend *b;
    struct effects fx;
};

static void committed(void *arg, uint64_t n, bool ok, const struct err *e)
{
    (void)arg, (void)n, (void)e;
    assert_true(ok);
}

static struct config *load(const char *rules)
{
    struct buf text = BUF_INIT;
    struct config_text file = {.path = S("t.yml")};
    struct config_options o = {.mode = MATCHER_FALLBACK};
    struct diags d;
    struct config *c;

    buf_addf(&text, "rule_files: ['%s']\n", rules);
    file.text = buf_str(&text);
    diags_init(&d);
    c = config_load_texts(&file, 1, &o, &d);
    for (size_t i = 0; c == NULL && i < d.n; i++)
        print_error("%.*s\n", STR(d.v[i].message));
    assert_non_null(c);
    diags_release(&d);
    buf_release(&text);
    return c;
}

/* Two groups of two rules each. */
static int set_up(void **state)
{
    static const char text[] =
        "groups:\n"
        "- {name: a, rules: [{alert: A, expr: x}, {record: 'r:x', expr: x}]}\n"
        "- {name: b, rules: [{alert: B, expr: x}, {alert: C, expr: x}]}\n";
    struct state_shell shell = {.committed = committed};
    struct fixture *f = mem_new(struct fixture);
    int fd;

    strcpy(f->path, "/tmp/tocsin-restore-XXXXXX");
    fd = mkstemp(f->path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return -1;
    close(fd);
    f->b = state_memory_new(&shell);
    effects_init(&f->fx);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    engine_free(f->e);
    effects_release(&f->fx);
    state_backend_free(f->b);
    unlink(f->path);
    mem_free(f);
    return 0;
}

static void new_engine(struct fixture *f)
{
    engine_free(f->e);
    f->e = engine_new(load(f->path), MATCHER_FALLBACK, NS_PER_H, NULL, start);
}

static struct rule *rule_of(struct fixture *f, size_t group, size_t rule)
{
    return &f->e->rules.v[group]->group->rules[rule];
}

/* Rows of n firing alerts of the rule, as a run writes them. */
static void store(struct fixture *f, const struct rule *r, size_t n)
{
    struct interner *names = interner_new();
    struct state_commit c = {0};
    char key[40], value[16];
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        struct label l = {S("n"), {value, (size_t)snprintf(value, sizeof(value), "%zu", i)}};
        struct rule_alert a = {.labels = label_set_intern(names, (struct labels){&l, 1}),
                               .annotations = label_set_intern(names, LABELS_NONE),
                               .state = RULE_ALERT_FIRING,
                               .active_at = start.wall,
                               .fired_at = start.wall,
                               .resolved_at = TS_NONE,
                               .last_sent_at = start.wall,
                               .valid_until = TS_NONE,
                               .keep_firing_since = TS_NONE};

        buf_clear(&b);
        rule_alert_pack(&b, &a);
        snprintf(key, sizeof(key), "%016llx/%016zx", (unsigned long long)r->identity, i);
        state_put(&c, STATE_RULE, str_of(key), buf_str(&b));
        label_set_unref(a.labels);
        label_set_unref(a.annotations);
    }
    f->b->ops->commit(f->b->self, &c);
    f->b->ops->sync(f->b->self);
    buf_release(&b);
    interner_free(names);
}

static size_t restore(struct fixture *f)
{
    struct err e = ERR_INIT;
    size_t unreadable = 0;

    if (!engine_restore(f->e, f->b, start, &f->fx, &unreadable, &e))
        fail_msg("%s", e.msg);
    return unreadable;
}

static void rows_find_their_rules(void **state)
{
    struct fixture *f = *state;
    struct state_commit c = {0};

    new_engine(f);
    store(f, rule_of(f, 0, 0), 3);
    store(f, rule_of(f, 1, 1), 5);
    state_put(&c, STATE_RULE, S("00000000deadbeef/0000000000000001"), S("of a rule that is gone"));
    state_put(&c, STATE_RULE, S("no key"), S("x"));
    f->b->ops->commit(f->b->self, &c);
    f->b->ops->sync(f->b->self);
    assert_int_equal(restore(f), 0);
    assert_int_equal(rule_of(f, 0, 0)->alerts.n, 3);
    assert_int_equal(rule_of(f, 1, 0)->alerts.n, 0);
    assert_int_equal(rule_of(f, 1, 1)->alerts.n, 5);
    assert_int_equal(f->e->stale_rows.n, 2);
    /* what the API reads shows them */
    assert_int_equal(f->e->rules.v[0]->shown->rules[0].n_alerts, 3);
    assert_int_equal(f->e->rules.v[1]->shown->rules[1].n_alerts, 5);
}

static void a_damaged_row_is_told(void **state)
{
    struct fixture *f = *state;
    struct state_commit c = {0};
    char key[40];

    new_engine(f);
    snprintf(key, sizeof(key), "%016llx/%016x", (unsigned long long)rule_of(f, 0, 0)->identity, 1);
    state_put(&c, STATE_RULE, str_of(key), S("\x01\xff"));
    f->b->ops->commit(f->b->self, &c);
    f->b->ops->sync(f->b->self);
    assert_int_equal(restore(f), 1);
    assert_int_equal(f->e->stale_rows.n, 1);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of the CPU; the least of three, because others run beside it. */
static double time_of(struct fixture *f, size_t n)
{
    double best = 1e9;

    new_engine(f);
    store(f, rule_of(f, 0, 0), n);
    for (int i = 0; i < 3; i++) {
        double began, took;

        new_engine(f);
        began = seconds();
        assert_int_equal(restore(f), 0);
        took = seconds() - began;
        assert_int_equal(rule_of(f, 0, 0)->alerts.n, n);
        best = took < best ? took : best;
    }
    return best;
}

/* Sixteen times as many may take 64 times as long; quadratic is 256 times. */
static void ten_thousand_alerts_of_one_rule(void **state)
{
    struct fixture *f = *state;
    double few = time_of(f, 500), many = time_of(f, 8000);

    print_message("500: %.1f ms, 8000: %.1f ms\n", few * 1e3, many * 1e3);
    assert_true(many < 64 * few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_find_their_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_row_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ten_thousand_alerts_of_one_rule, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
