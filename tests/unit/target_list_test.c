/* Lists of targets in both forms, and where they are wrong. */
#include "unit.h"

#include "discovery/target_list.h"
#include "model/labels.h"

static const struct label meta = {S_INIT("__meta_url"), S_INIT("u")};

typedef bool reader(struct target_list *l, str text, struct label m, struct err *e);

/* One line a target, or the error. */
static const char *read_list(reader *read, const char *text)
{
    static char out[512];
    struct target_list l;
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    target_list_init(&l);
    if (read(&l, str_of(text), meta, &e))
        VEC_EACH (const struct labels *, ls, &l.v)
            labels_print(&b, *ls);
    else
        buf_addf(&b, "%s", e.msg);
    snprintf(out, sizeof(out), "%.*s", STR(buf_str(&b)));
    buf_release(&b);
    target_list_release(&l);
    return out;
}

static void test_json(void **state)
{
    (void)state;
    assert_string_equal(read_list(target_list_read_json,
                                  "[{\"targets\": [\"a:1\", \"b:1\"], \"labels\": {\"z\": \"1\", "
                                  "\"__meta_url\": \"mine\", \"__address__\": \"x\"}}]"),
                        "{__address__=\"a:1\", __meta_url=\"u\", z=\"1\"}"
                        "{__address__=\"b:1\", __meta_url=\"u\", z=\"1\"}");
    assert_string_equal(
        read_list(target_list_read_json,
                  "[{\"targets\": [\"a:1\"], \"labels\": {\"y\": \"1\"}, \"targets\": [\"b:1\"], "
                  "\"labels\": {\"z\": \"1\", \"z\": \"2\"}}]"),
        "{__address__=\"b:1\", __meta_url=\"u\", z=\"2\"}");
    assert_string_equal(read_list(target_list_read_json, "[]"), "");
    assert_string_equal(read_list(target_list_read_json, "[{\"labels\": null}]"), "");
    assert_non_null(strstr(read_list(target_list_read_json, "[{\"targets\":\n 1}]"), "line 2"));
    assert_non_null(strstr(read_list(target_list_read_json, "{}"), "line 1"));
}

static void test_yaml(void **state)
{
    (void)state;
    assert_string_equal(read_list(target_list_read_yaml,
                                  "- targets: [a:1]\n  labels: {z: 1}\n- targets: [b:1]\n"),
                        "{__address__=\"a:1\", __meta_url=\"u\", z=\"1\"}{__address__=\"b:1\", "
                        "__meta_url=\"u\"}");
    assert_string_equal(read_list(target_list_read_yaml, "[]"), "");
    assert_string_equal(read_list(target_list_read_yaml, "a: b\n"),
                        "line 1: a list of groups expected");
    assert_string_equal(read_list(target_list_read_yaml, "- targets: [a:1]\n- targets: x\n"),
                        "line 2: \"targets\" is a list of addresses");
}

/* What a list does not have refuses it, in both forms: nothing is left out in silence. */
static void test_refused(void **state)
{
    static const struct {
        const char *json, *yaml, *why;
    } rows[] = {
        {"[{\"targets\": [\"a:1\"], \"metrics_path\": \"/m\"}]",
         "- {targets: ['a:1'], metrics_path: /m}",
         "line 1: \"metrics_path\" belongs in the job of the configuration, or here in \"labels\" "
         "as \"__metrics_path__\""},
        {"[{\"targets\": [\"a:1\"], \"scheme\": \"https\"}]", "- {targets: ['a:1'], scheme: https}",
         "line 1: \"scheme\" belongs in the job of the configuration, or here in \"labels\" as "
         "\"__scheme__\""},
        {"[{\"target\": [\"a:1\"]}]", "- {target: ['a:1']}",
         "line 1: unknown key \"target\", a group has \"targets\" and \"labels\""},
        {"[{\"targets\": \"a:1\"}]", "- {targets: 'a:1'}", "line 1: "},
        {"[{\"targets\": [{\"a\": 1}]}]", "- {targets: [{a: 1}]}", "line 1: "},
        {"[{\"targets\": [null]}]", "- {targets: [null]}", "line 1: "},
        {"[{\"targets\": [\"a:1\"], \"labels\": [\"a\"]}]", "- {targets: ['a:1'], labels: [a]}",
         "line 1: "},
        {"[{\"targets\": [\"a:1\"], \"labels\": {\"a\": [\"b\"]}}]",
         "- {targets: ['a:1'], labels: {a: [b]}}", "line 1: "},
        {"[null]", "- null", "line 1: "},
        {"[\"a:1\"]", "- a:1", "line 1: "},
        {"{\"targets\": [\"a:1\"]}", "targets: ['a:1']", "line 1: "},
        {"", "", ""},
        {"null", "# all of them\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *said = read_list(target_list_read_json, rows[i].json);

        if (said[0] == '\0' || said[0] == '{' ||
            strncmp(said, rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("%s: \"%s\"", rows[i].json, said);
        said = read_list(target_list_read_yaml, rows[i].yaml);
        if (said[0] == '\0' || said[0] == '{' ||
            strncmp(said, rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("%s: \"%s\"", rows[i].yaml, said);
    }
}

/* Of two members of one name the last counts, and names are found as Go finds them. */
static void test_doubled(void **state)
{
    (void)state;
    assert_string_equal(read_list(target_list_read_json,
                                  "[{\"targets\": [\"a:1\"], \"Targets\": [\"b:1\"], \"labels\": "
                                  "{\"x\": \"1\"}, \"labels\": {\"y\": \"2\"}}]"),
                        "{__address__=\"b:1\", __meta_url=\"u\", y=\"2\"}");
    assert_non_null(
        strstr(read_list(target_list_read_yaml, "- targets: [a:1]\n  targets: [b:1]\n"), "line 2"));
}

/* One bad name refuses the list: the last good one stays. */
static void test_names(void **state)
{
    (void)state;
    assert_string_equal(
        read_list(target_list_read_json,
                  "[{\"targets\": [\"a:1\"]},\n{\"targets\": [\"b:1\"], \"labels\": "
                  "{\"\": \"x\"}}]"),
        "line 2: \"\" is not a label name");
    assert_string_equal(read_list(target_list_read_json,
                                  "[{\"labels\": {\"\": \"x\"}, \"targets\": [\"b:1\"]}]"),
                        "line 1: \"\" is not a label name");
    assert_string_equal(read_list(target_list_read_yaml,
                                  "- targets: [a:1]\n- targets: [b:1]\n  labels: {'': x}\n"),
                        "line 3: \"\" is not a label name");
    assert_string_equal(read_list(target_list_read_yaml,
                                  "- targets: [a:1]\n  labels: {\"a.b\": x}\n"),
                        "{__address__=\"a:1\", __meta_url=\"u\", a.b=\"x\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),    cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_doubled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
