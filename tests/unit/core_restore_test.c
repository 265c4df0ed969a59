/* What a start takes back of rules, and that it takes no longer than there is of it. */
#include "conf_text.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "live/turn.h"
#include "net/scripted.h"
#include "ruler/rule_persist.h"

static const struct now start = {1700000000 * NS_PER_S, 1000 * NS_PER_S};

struct fixture {
    char path[64];
    struct clock clock;
    struct pool *pool;
    struct scripted *net;
    struct shell *shell;
    struct state_backend *b;
    struct config *conf; /* what the file says: one reference */
};

static void committed(void *arg, uint64_t n, bool ok, const struct err *e)
{
    (void)arg, (void)n, (void)e;
    assert_true(ok);
}

static const struct state_shell nobody = {.committed = committed};

static struct scripted_answer never(void *arg, const struct scripted_request *rq)
{
    (void)arg, (void)rq;
    return (struct scripted_answer){.never = true};
}

static struct config *load(const char *rules)
{
    struct buf text = BUF_INIT;
    struct config *c;

    buf_addf(&text, "rule_files: ['%s']\n", rules);
    c = config_of_text("t.yml", buf_str(&text));
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
    struct fixture *f = mem_new(struct fixture);
    int fd;

    strcpy(f->path, "/tmp/tocsin-restore-XXXXXX");
    fd = mkstemp(f->path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return -1;
    close(fd);
    f->conf = load(f->path);
    f->b = state_memory_new(&nobody);
    *state = f;
    return 0;
}

static void stop(struct fixture *f)
{
    if (f->shell == NULL)
        return;
    shell_keep_backend(f->shell);
    shell_free(f->shell);
    scripted_free(f->net);
    pool_free(f->pool);
    clock_release(&f->clock);
    f->shell = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    stop(f);
    state_backend_free(f->b);
    config_unref(f->conf);
    unlink(f->path);
    mem_free(f);
    return 0;
}

static void come_home(void *arg)
{
    struct fixture *f = arg;

    pool_drain(f->pool);
    state_memory_flush(f->b);
}

static void settle(struct fixture *f)
{
    do
        turn(f->shell, come_home, f);
    while (pool_queued(f->pool) != 0);
    state_memory_flush(f->b);
}

/* A start: all that is there is taken back when it returns. */
static void restart(struct fixture *f)
{
    struct shell_parts parts = {.external_url = S("http://tocsin"), .retention = NS_PER_H};
    struct state_shell callbacks;
    struct err e = ERR_INIT;
    size_t unreadable = 0;

    stop(f);
    clock_init_stepped(&f->clock, start);
    parts.clock = &f->clock;
    parts.pool = f->pool = pool_new_inline();
    f->net = scripted_new(&f->clock, never, f);
    parts.transport = scripted_transport(f->net);
    parts.conf = load(f->path);
    f->shell = shell_new(&parts);
    callbacks = shell_state_callbacks(f->shell);
    f->b = state_memory_crash(f->b, &callbacks);
    if (!shell_start(f->shell, f->b, &unreadable, &e))
        fail_msg("%s", e.msg);
    assert_int_equal(unreadable, 0);
    settle(f);
}

static const struct rule_view *rule_of(const struct fixture *f, size_t group, size_t rule)
{
    return &shell_engine(f->shell)->rules.v[group]->shown->rules[rule];
}

static uint64_t identity_of(const struct fixture *f, size_t group, size_t rule)
{
    struct rule_group *g = rule_group_new(&f->conf->groups[group], STR_NONE, NULL);
    uint64_t identity = g->rules[rule].identity;

    rule_group_free(g);
    return identity;
}

static void put(struct fixture *f, struct state_commit *c)
{
    f->b->ops->commit(f->b->self, c);
    state_memory_flush(f->b);
}

/* Rows of n firing alerts of the rule, as a run writes them. */
static void store(struct fixture *f, uint64_t identity, size_t n)
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
        snprintf(key, sizeof(key), "%016llx/%016llx", (unsigned long long)identity,
                 (unsigned long long)label_set_fingerprint(a.labels));
        state_put(&c, STATE_RULE, str_of(key), buf_str(&b));
        label_set_unref(a.labels);
        label_set_unref(a.annotations);
    }
    put(f, &c);
    buf_release(&b);
    interner_free(names);
}

struct rows {
    uint64_t identity; /* of those that are counted; 0: all */
    size_t n;
};

static bool count_row(void *arg, str key, str value)
{
    struct rows *r = arg;
    uint64_t identity;

    (void)value;
    r->n += r->identity == 0 || (rule_row_identity(key, &identity) && identity == r->identity);
    return true;
}

static size_t rows_in(const struct state_backend *b, uint64_t identity)
{
    struct rows r = {.identity = identity};
    struct err e = ERR_INIT;

    assert_true(b->ops->scan(b->self, STATE_RULE, count_row, &r, &e));
    return r.n;
}

static size_t rows_of(const struct fixture *f, uint64_t identity)
{
    return rows_in(f->b, identity);
}

static void rows_find_their_rules(void **state)
{
    struct fixture *f = *state;
    struct state_commit c = {0};

    store(f, identity_of(f, 0, 0), 3);
    store(f, identity_of(f, 1, 1), 5);
    state_put(&c, STATE_RULE, S("00000000deadbeef/0000000000000001"), S("of a rule that is gone"));
    state_put(&c, STATE_RULE, S("no key"), S("x"));
    put(f, &c);
    restart(f);
    /* what the API reads shows them */
    assert_int_equal(rule_of(f, 0, 0)->n_alerts, 3);
    assert_int_equal(rule_of(f, 1, 0)->n_alerts, 0);
    assert_int_equal(rule_of(f, 1, 1)->n_alerts, 5);
    assert_int_equal(rows_of(f, 0), 8);
}

static void a_row_that_cannot_be_read_goes(void **state)
{
    struct fixture *f = *state;
    struct state_commit c = {0};
    char key[40];

    store(f, identity_of(f, 0, 0), 1);
    snprintf(key, sizeof(key), "%016llx/%016x", (unsigned long long)identity_of(f, 0, 0), 1);
    state_put(&c, STATE_RULE, str_of(key), S("\x01\xff"));
    put(f, &c);
    restart(f);
    assert_int_equal(rule_of(f, 0, 0)->n_alerts, 1);
    assert_int_equal(rows_of(f, 0), 1);
}

/* As version 0.1.0 wrote them, by the path as it was given: in one commit they are those of now. */
static void rows_of_an_older_version_are_taken_once(void **state)
{
    struct fixture *f = *state;
    const struct rule_group_conf *g = &f->conf->groups[0];
    uint64_t then[RULE_OLD_IDENTITIES], now = identity_of(f, 0, 0);

    rule_old_identities(g, &g->rules[0], then);
    assert_int_not_equal(then[0], now); /* the file lies elsewhere than the configuration */
    store(f, then[0], 3);
    for (int i = 0; i < 2; i++) {
        restart(f);
        assert_int_equal(rule_of(f, 0, 0)->n_alerts, 3);
        assert_int_equal(rows_of(f, now), 3);
        assert_int_equal(rows_of(f, then[0]), 0);
    }
}

static void reload_file(void *arg)
{
    struct fixture *f = arg;
    struct event ev = {.kind = EVENT_CONFIG, .config = &load(f->path)->core};

    shell_event(f->shell, &ev, NULL);
}

static void reload(struct fixture *f)
{
    turn(f->shell, reload_file, f);
    settle(f);
}

/* State goes along when a group changes, and its rows go when it goes. */
static void a_reload_moves_and_retires(void **state)
{
    static const char changed[] = "groups:\n"
                                  "- {name: a, rules: [{alert: A, expr: y}]}\n";
    struct fixture *f = *state;
    uint64_t generation;
    FILE *file;

    store(f, identity_of(f, 0, 0), 3);
    store(f, identity_of(f, 1, 1), 5);
    restart(f);
    generation = shell_engine(f->shell)->rules.v[1]->generation;
    reload(f);
    assert_int_equal(shell_engine(f->shell)->rules.v[1]->generation, generation); /* left alone */
    file = fopen(f->path, "w");
    assert_true(fwrite(changed, 1, strlen(changed), file) == strlen(changed));
    fclose(file);
    reload(f);
    assert_int_equal(shell_engine(f->shell)->rules.n, 1);
    assert_int_equal(shell_engine(f->shell)->rule_slots.n, 1);
    assert_str(rule_of(f, 0, 0)->query, "y");
    assert_int_equal(rule_of(f, 0, 0)->n_alerts, 3);
    assert_int_equal(rows_of(f, 0), 3);
}

/* A store that is written anew has what groups hold. */
static void a_snapshot_has_the_rows(void **state)
{
    struct fixture *f = *state;
    struct state_backend *anew = state_memory_new(&nobody);
    struct state_shell callbacks;
    struct state_commit c = {0};

    store(f, identity_of(f, 0, 0), 3);
    restart(f);
    callbacks = shell_state_callbacks(f->shell);
    callbacks.snapshot(callbacks.arg, &c);
    anew->ops->commit(anew->self, &c);
    state_memory_flush(anew);
    assert_int_equal(rows_in(anew, identity_of(f, 0, 0)), 3);
    state_backend_free(anew);
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

    store(f, identity_of(f, 0, 0), n);
    for (int i = 0; i < 3; i++) {
        double began = seconds(), took;

        restart(f);
        took = seconds() - began;
        assert_int_equal(rule_of(f, 0, 0)->n_alerts, n);
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
        cmocka_unit_test_setup_teardown(a_row_that_cannot_be_read_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_of_an_older_version_are_taken_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_moves_and_retires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_has_the_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ten_thousand_alerts_of_one_rule, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
