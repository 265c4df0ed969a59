/* What a query takes at once: the steps of a subquery do not add up, its samples do. */
#include "unit.h"

#include "promql/engine.h"
#include "promql/mem_storage.h"
#include "promql/parse.h"

enum { SERIES = 100, STEPS = 2000, STEP_MS = 1000, MEMORY = 8 << 20, TOO_LITTLE = 3 << 20 };

static void test_steps_of_a_subquery_end_with_the_step(void **state)
{
    const char *const texts[] = {
        "sum(sum_over_time(m[2000s:1s]))", "max(max_over_time(abs(m)[2000s:1s]))",
        "sum(sum_over_time((m * 2)[2000s:1s]))",
        "sum(count_over_time(label_replace(m, \"j\", \"$1\", \"i\", \"(.*)\")[2000s:1s]))"};
    struct mem_storage *m = mem_storage_new();

    (void)state;
    for (int i = 0; i < SERIES; i++) {
        char text[8];
        struct label l[] = {{S("__name__"), S("m")},
                            {S("i"), (str){text, (size_t)snprintf(text, sizeof(text), "%d", i)}}};

        for (int k = 0; k <= STEPS; k += 100)
            mem_storage_append(m, (struct labels){l, 2}, (ts_ms)k * STEP_MS, 1, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct promql_settings set = {.lookback = 300000, .max_bytes = MEMORY};
        struct err e = ERR_INIT;
        struct promql_result r;
        struct arena a;

        arena_init(&a, 0);
        struct promql_query q = {
            .text = str_of(texts[i]), .storage = mem_storage_port(m), .settings = &set};
        q.expr = promql_parse(q.text, &promql_everything, &a, NULL, &e);
        assert_non_null(q.expr);
        if (!promql_instant(&q, STEPS * STEP_MS, &a, &r, &e))
            fail_msg("%s: %s", texts[i], e.msg);
        assert_int_equal(r.n, 1);
        set.max_bytes = TOO_LITTLE;
        assert_false(promql_instant(&q, STEPS * STEP_MS, &a, &r, &e));
        assert_int_equal(e.code, ERR_LIMIT);
        arena_release(&a);
    }
    mem_storage_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_of_a_subquery_end_with_the_step)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
