/* The alerts of a large request are taken some a turn: what comes in between counts as what came later, who sent them is
 * answered when all are taken, and a stop leaves none of them out. */
#include "conf_text.h"

#include "config/config.h"
#include "live/taking.h"
#include "stage/stage.h"

enum { SLICE = 3, MANY = 20 };

static const struct now start = {1700000000 * NS_PER_S, 1000 * NS_PER_S};

struct fixture {
    struct stage stage;
    struct stage_instance it;
    struct taking large, small;
    struct alert_input v[MANY], one;
    struct label labels[MANY][2];
    char names[MANY][4];
    size_t done; /* alerts of the large request in the store when it was done; 0: it is not */
};

static struct config *load(void)
{
    return config_of_text("t.yml",
                          S("route: {receiver: r, group_wait: 1h}\nreceivers: [{name: r}]\n"));
}

static size_t known(const struct fixture *f)
{
    return shell_engine(f->it.shell)->alerts.n;
}

static bool fires(const struct fixture *f, int i)
{
    const struct alert *a =
        engine_alert(shell_engine(f->it.shell), labels_fingerprint(f->v[i].labels));

    return a != NULL && !alert_is_resolved(a, stage_now(&f->it));
}

static void large_done(struct taking *t)
{
    struct fixture *f = container_of(t, struct fixture, large);

    f->done = known(f);
    buf_release(&t->result.text);
}

static void small_done(struct taking *t)
{
    buf_release(&t->result.text);
}

static void post_large(void *arg)
{
    struct fixture *f = arg;

    f->large = (struct taking){.v = f->v, .n = MANY, .done = large_done, .drop = small_done};
    taking_begin(&f->large, f->it.shell);
}

static void post_small(void *arg)
{
    struct fixture *f = arg;

    f->small = (struct taking){.v = &f->one, .n = 1, .done = small_done};
    taking_begin(&f->small, f->it.shell);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.done = 0};
    stage_init(&f->stage, 7, start);
    stage_add(&f->stage, &f->it, &(struct stage_life){.arg = f, .host = S("h"), .slice = SLICE});
    f->it.pace.jobs = 2 * NS_PER_S;
    stage_begin(&f->it, load());
    for (int i = 0; i < MANY; i++) {
        snprintf(f->names[i], sizeof(f->names[i]), "%d", i);
        f->labels[i][0] = (struct label){S("alertname"), S("A")};
        f->labels[i][1] = (struct label){S("i"), str_of(f->names[i])};
        f->v[i] = (struct alert_input){
            .labels = {f->labels[i], 2}, .starts_at = start.wall, .ends_at = start.wall + NS_PER_H};
    }
}

static void end(struct fixture *f)
{
    stage_end(&f->it);
    stage_release(&f->stage);
}

static void next(struct fixture *f)
{
    stage_move(&f->stage, stage_next(&f->stage));
    stage_turn(&f->it, NULL, NULL);
}

static void what_comes_between_counts_as_later(void **state)
{
    struct fixture f;
    size_t before;

    (void)state;
    begin(&f);
    stage_turn(&f.it, post_large, &f);
    assert_true(known(&f) <= SLICE);
    while (known(&f) < SLICE)
        next(&f);
    /* the first that was taken, and the last, end; the next to last is told again, and so is one as it was */
    f.one = f.v[0];
    f.one.ends_at = stage_now(&f.it).wall;
    stage_turn(&f.it, post_small, &f);
    f.one = f.v[MANY - 1];
    f.one.ends_at = stage_now(&f.it).wall;
    stage_turn(&f.it, post_small, &f);
    assert_int_equal(f.done, 0);
    for (before = known(&f); f.done == 0; before = known(&f)) {
        next(&f);
        assert_true(known(&f) <= before + SLICE);
    }
    assert_int_equal(f.done, MANY);
    assert_false(fires(&f, 0));
    assert_false(fires(&f, MANY - 1));
    for (int i = 1; i < MANY - 1; i++)
        assert_true(fires(&f, i));
    assert_int_equal(f.large.result.accepted, MANY);
    end(&f);
}

/* Of one that stands in it twice the last is what it says. */
static void twice_in_one_request(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    f.v[MANY - 1] = f.v[0];
    f.v[MANY - 1].ends_at = start.wall;
    stage_turn(&f.it, post_large, &f);
    while (f.done == 0)
        next(&f);
    assert_false(fires(&f, 0));
    assert_int_equal(f.done, MANY - 1);
    end(&f);
}

static void a_stop_takes_all(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    stage_turn(&f.it, post_large, &f);
    assert_int_equal(f.done, 0);
    stage_end(&f.it);
    assert_int_equal(f.done, MANY);
    stage_begin(&f.it, load());
    assert_int_equal(known(&f), MANY);
    end(&f);
}

static void a_cut_forgets_the_rest(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    stage_turn(&f.it, post_large, &f);
    stage_cut(&f.it);
    stage_begin(&f.it, load());
    assert_true(known(&f) < MANY);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_between_counts_as_later),
        cmocka_unit_test(twice_in_one_request),
        cmocka_unit_test(a_stop_takes_all),
        cmocka_unit_test(a_cut_forgets_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
