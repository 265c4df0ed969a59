/* Paths by their text: what rule files are known by. */
#include "unit.h"

#include <unistd.h>
#include "config/paths.h"

static void absolute(void **state)
{
    static const char *const rows[][2] = {
        {"/etc/t/r.yml", "/etc/t/r.yml"},
        {"//etc/./t//r.yml", "/etc/t/r.yml"},
        {"/etc/t/../u/r.yml", "/etc/u/r.yml"},
        {"/../../r.yml", "/r.yml"},
        {"/etc/t/.../r.yml", "/etc/t/.../r.yml"},
        {"/", ""},
        {"r.yml", "/tmp/r.yml"},
        {"./x/../r.yml", "/tmp/r.yml"},
        {"../etc/r.yml", "/etc/r.yml"},
        {"", "/tmp"},
    };
    char cwd[4096];
    struct arena a;

    (void)state;
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_int_equal(chdir("/tmp"), 0);
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_str(path_absolute(str_of(rows[i][0]), &a), rows[i][1]);
    arena_release(&a);
    assert_int_equal(chdir(cwd), 0);
}

static void clean(void **state)
{
    static const char *const rows[][2] = {
        {"rules/a/tests/../alerts.yml", "rules/a/alerts.yml"},
        {"./x/.././r.yml", "r.yml"},
        {"../r.yml", "../r.yml"},
        {"x/../../r.yml", "../r.yml"},
        {"x//r.yml", "x/r.yml"},
        {"/etc/t/../r.yml", "/etc/r.yml"},
        {"x/../*/[a-b]*.yml", "*/[a-b]*.yml"},
    };
    char cwd[4096];
    struct arena a;

    (void)state;
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_int_equal(chdir("/tmp"), 0);
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_str(path_clean(str_of(rows[i][0]), &a), rows[i][1]);
    arena_release(&a);
    assert_int_equal(chdir(cwd), 0);
}

static void from_one_file_to_another(void **state)
{
    static const char *const rows[][3] = {
        {"/etc/t/t.yml", "/etc/t/r.yml", "r.yml"},
        {"/etc/t/t.yml", "/etc/t/rules/r.yml", "rules/r.yml"},
        {"/etc/t/t.yml", "/etc/tt/r.yml", "../tt/r.yml"},
        {"/etc/t/conf/t.yml", "/etc/t/rules/r.yml", "../rules/r.yml"},
        {"/etc/t/t.yml", "/var/r.yml", "../../var/r.yml"},
        {"/t.yml", "/r.yml", "r.yml"},
        {"/etc/t.yml", "/etc/t.yml", "t.yml"},
    };
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_str(path_from(str_of(rows[i][0]), str_of(rows[i][1]), &a), rows[i][2]);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absolute),
        cmocka_unit_test(clean),
        cmocka_unit_test(from_one_file_to_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
