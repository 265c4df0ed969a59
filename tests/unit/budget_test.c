#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/budget.h"
#include "base/mem.h"
#include "os/memory_limit.h"

static void holders_share_a_limit(void **state)
{
    struct budget b = {.limit = 1 << 20};
    size_t big = 0, other = 0, small = 0;

    (void)state;
    assert_true(budget_hold(&b, &big, 900 << 10));
    assert_true(budget_hold(&b, &big, 1 << 20)); /* its first 64 KiB are not counted */
    assert_false(budget_hold(&b, &other, 200 << 10));
    assert_int_equal(other, 0);
    assert_true(budget_hold(&b, &small, BUDGET_FREE));
    assert_int_equal(budget_refused(&b), 1);
    assert_true(budget_hold(&b, &big, 100 << 10));
    assert_true(budget_hold(&b, &other, 200 << 10));
    assert_true(budget_hold(&b, &big, 0));
    assert_true(budget_hold(&b, &other, 0));
    assert_int_equal(budget_used(&b), 0);
    assert_true(budget_hold(NULL, &big, SIZE_MAX));
}

/* -- what the kernel says, in a folder instead of / -- */

struct file {
    const char *path, *text;
};

static void make(const char *root, const struct file *f)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", root, f->path);
    for (char *p = path + strlen(root) + 1; *p != '\0'; p++)
        if (*p == '/') {
            *p = '\0';
            (void)mkdir(path, 0700);
            *p = '/';
        }
    {
        FILE *out = fopen(path, "w");

        assert_non_null(out);
        fputs(f->text, out);
        fclose(out);
    }
}

static void the_least_limit_holds(void **state)
{
    static const struct {
        const char *what;
        struct file files[4];
        size_t limit;
    } t[] = {
        {"nothing to read", {{"x", ""}}, 0},
        {"a service",
         {{"proc/self/cgroup", "0::/system.slice/t.service\n"},
          {"sys/fs/cgroup/system.slice/t.service/memory.max", "1000000\n"}},
         1000000},
        {"a slice",
         {{"proc/self/cgroup", "0::/system.slice/t.service\n"},
          {"sys/fs/cgroup/system.slice/t.service/memory.max", "max\n"},
          {"sys/fs/cgroup/system.slice/memory.max", "5000000\n"}},
         5000000},
        {"a container", {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/memory.max", "7\n"}}, 7},
        {"version 1",
         {{"proc/self/cgroup", "12:cpu,cpuacct:/a\n9:memory:/docker/1a\n0::/\n"},
          {"sys/fs/cgroup/memory/docker/1a/memory.limit_in_bytes", "9000000\n"},
          {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"}},
         9000000},
        {"version 1 in a container",
         {{"proc/self/cgroup", "9:memory:/docker/1a\n"},
          {"sys/fs/cgroup/memory/memory.limit_in_bytes", "8000000\n"}},
         8000000},
        {"nonsense", {{"proc/self/cgroup", "x\n:\n::\n"}}, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        char root[] = "/tmp/tocsin-limit-XXXXXX", command[64];

        assert_non_null(mkdtemp(root));
        for (size_t k = 0; k < ARRAY_LEN(t[i].files) && t[i].files[k].path != NULL; k++)
            make(root, &t[i].files[k]);
        if (memory_limit_of_groups(root) != t[i].limit)
            fail_msg("%s: %zu", t[i].what, memory_limit_of_groups(root));
        snprintf(command, sizeof(command), "rm -r %s", root);
        assert_int_equal(system(command), 0);
    }
}

static void shares_follow_the_memory(void **state)
{
    struct budgets b;

    (void)state;
    budgets_init(&b, 256 << 20);
    assert_int_equal(b.bodies.limit, 32 << 20);
    assert_int_equal(b.scrapes.limit, 64 << 20);
    budgets_init(&b, 0);
    assert_int_equal(b.bodies.limit, 256 << 20);
    budgets_init(&b, (size_t)64 << 30);
    assert_int_equal(b.scrapes.limit, 1 << 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holders_share_a_limit),
        cmocka_unit_test(the_least_limit_holds),
        cmocka_unit_test(shares_follow_the_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
