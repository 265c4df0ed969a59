#include "unit.h"

#include <time.h>
#include "base/buf.h"
#include "codec/yaml.h"

struct fixture {
    struct arena a;
    struct diags d;
    struct yaml_doc doc;
};

static struct fixture parse(str text, bool want)
{
    struct fixture f = {0};
    bool ok;

    arena_init(&f.a, 0);
    diags_init(&f.d);
    ok = yaml_parse(text, S("t.yml"), &f.a, &f.doc, &f.d);
    if (!ok && want)
        print_error("%d:%d %.*s\n", f.d.v[0].place.line, f.d.v[0].place.col, STR(f.d.v[0].message));
    assert_int_equal(ok, want);
    assert_int_equal(!ok, f.d.errors != 0);
    return f;
}

static void drop(struct fixture *f)
{
    diags_release(&f->d);
    arena_release(&f->a);
}

static void tree_and_marks(void **state)
{
    struct fixture f = parse(S("# caf\xc3\xa9\n"
                               "a: {\xc3\xa9: 'x', b: [1, two]}\n"
                               "k: \"q\\n\"\n"
                               "empty:\n"),
                             true);
    const struct yaml_node *a = yaml_get(f.doc.root, S("a")), *b = yaml_get(a, S("b"));

    (void)state;
    assert_int_equal(f.doc.root->n, 3);
    assert_int_equal(a->kind, YAML_MAP);
    assert_int_equal(a->start.line, 2);
    assert_int_equal(a->start.col, 4);
    assert_int_equal(b->items[1]->start.col, 21); /* bytes: the e with accent counts two */
    assert_int_equal(f.doc.source.p[b->items[1]->start.at], 't');
    assert_str(b->items[0]->text, "1");
    assert_int_equal(yaml_get(f.doc.root, S("k"))->style, YAML_QUOTED);
    assert_true(yaml_is_null(yaml_get(f.doc.root, S("empty"))));
    assert_false(f.doc.more);
    drop(&f);
}

static void places_inside_scalars(void **state)
{
    struct fixture f = parse(S("a:\n"
                               "  lit: |\n"
                               "    sum(x)\n"
                               "      > 1\n"
                               "  led: &x |2\n"
                               "\n"
                               "     three\n"
                               "  fold: >\n"
                               "    one\n"
                               "    two\n"
                               "  plain: up == 0\n"
                               "  tagged: !!str \"up == 0\"\n"
                               "  escaped: \"a\\tb\\\"c\"\n"
                               "  single: 'it''s up'\n"
                               "  long: up\n"
                               "    == 0\n"
                               "  joined: \"up \\\n"
                               "    == 1\"\n"
                               "  coded: \"a\\x41b\"\n"),
                             true);
    const struct yaml_node *a = yaml_get(f.doc.root, S("a"));
    struct diag_place p;

    (void)state;
    p = yaml_place_in(&f.doc, yaml_get(a, S("lit")), 9, 1); /* the > */
    assert_int_equal(p.line, 4);
    assert_int_equal(p.col, 7);
    assert_int_equal(f.doc.source.p[p.at], '>');
    p = yaml_place_in(&f.doc, yaml_get(a, S("led")), 2, 5);
    assert_str(yaml_get(a, S("led"))->text, "\n three\n");
    assert_int_equal(p.line, 7);
    assert_int_equal(p.col, 6);
    assert_int_equal(f.doc.source.p[p.at], 't');
    p = yaml_place_in(&f.doc, yaml_get(a, S("fold")), 4, 1);
    assert_int_equal(p.line, 10);
    assert_int_equal(p.col, 5);
    p = yaml_place_in(&f.doc, yaml_get(a, S("fold")), 0, 7); /* over both lines */
    assert_int_equal(p.line, 9);
    assert_int_equal(p.len, 11);
    p = yaml_place_in(&f.doc, yaml_get(a, S("plain")), 3, 2);
    assert_int_equal(p.line, 11);
    assert_int_equal(p.col, 13);
    assert_int_equal(f.doc.source.p[p.at], '=');
    p = yaml_place_in(&f.doc, yaml_get(a, S("tagged")), 3, 2);
    assert_int_equal(f.doc.source.p[p.at], '=');
    assert_int_equal(p.col, 21);
    p = yaml_place_in(&f.doc, yaml_get(a, S("escaped")), 2, 1);
    assert_int_equal(p.col, 16);
    p = yaml_place_in(&f.doc, yaml_get(a, S("escaped")), 4, 1);
    assert_int_equal(f.doc.source.p[p.at], 'c');
    p = yaml_place_in(&f.doc, yaml_get(a, S("single")), 5, 2);
    assert_int_equal(f.doc.source.p[p.at], 'u');
    assert_int_equal(p.col, 18);
    p = yaml_place_in(&f.doc, yaml_get(a, S("long")), 3, 2);
    assert_int_equal(f.doc.source.p[p.at], '=');
    assert_int_equal(p.line, 16);
    assert_int_equal(p.col, 5);
    p = yaml_place_in(&f.doc, yaml_get(a, S("joined")), 6, 1);
    assert_int_equal(f.doc.source.p[p.at], '1');
    assert_int_equal(p.line, 18);
    p = yaml_place_in(&f.doc, yaml_get(a, S("coded")), 2,
                      1); /* by number: the scalar's own start */
    assert_int_equal(p.col, 10);
    drop(&f);
}

static void anchors_and_merge_keys(void **state)
{
    struct fixture f = parse(S("base: &b {x: 1, y: 2}\n"
                               "other: &o {y: 3, z: 4}\n"
                               "one: {<<: *b, y: own}\n"
                               "two: {<<: [*b, *o]}\n"),
                             true);
    const struct yaml_node *one = yaml_get(f.doc.root, S("one")),
                           *two = yaml_get(f.doc.root, S("two"));

    (void)state;
    assert_int_equal(one->n, 2);
    assert_str(yaml_get(one, S("y"))->text, "own");
    assert_str(yaml_get(one, S("x"))->text, "1");
    assert_int_equal(two->n, 3);
    assert_str(yaml_get(two, S("y"))->text, "2");
    assert_str(yaml_get(two, S("z"))->text, "4");
    drop(&f);
}

static void refuses(const char *text, const char *id, int line)
{
    struct fixture f = parse(str_of(text), false);

    assert_string_equal(f.d.v[0].id, id);
    assert_int_equal(f.d.v[0].place.line, line);
    drop(&f);
}

static void bad_documents(void **state)
{
    (void)state;
    refuses("a: 1\nb: 2\na: 3\n", "Y002", 3);
    refuses("a: [1, 2\nb: 3\n", "Y001", 2);
    refuses("a: *nobody\n", "Y001", 1);
    refuses("a: &x [*x]\n", "Y003", 1);
    refuses("a: !custom 1\n", "Y004", 1);
    refuses("a: 1\nb: \xff\n", "Y005", 2);
    refuses("{[1]: 2}\n", "Y001", 1);
    refuses("a:\n\t- 1\n", "Y001", 2);
    refuses("a: {<<: 5}\n", "Y001", 1);
    refuses("a: 'open\n", "Y001", 2);
}

static void empty_and_several_documents(void **state)
{
    static const char *const empty[] = {"",      "\n",     "# only a comment\n",
                                        "---\n", "null\n", "\xef\xbb\xbf"};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        f = parse(str_of(empty[i]), true);
        assert_null(f.doc.root);
        drop(&f);
    }
    f = parse(S("a: 1\n---\nb: [\n"), true);
    assert_true(f.doc.more);
    assert_int_equal(f.doc.root->n, 1);
    drop(&f);
    f = parse(S("\xef\xbb\xbf"
                "abc: 1\n"),
              true);
    assert_str(f.doc.root->pairs[0].key->text, "abc");
    assert_int_equal(f.doc.root->pairs[0].key->start.col, 1);
    drop(&f);
}

static void bombs_are_cheap(void **state)
{
    struct buf b = BUF_INIT;
    struct fixture f;
    clock_t start = clock();

    (void)state;
    buf_pad(&b, '[', 200000);
    f = parse(buf_str(&b), false);
    assert_string_equal(f.d.v[0].id, "Y003");
    drop(&f);
    buf_clear(&b);
    buf_adds(&b, "a0: &a0 [1,1,1,1,1,1,1,1,1]\n");
    for (int i = 1; i < 12; i++) {
        buf_addf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_addf(&b, "%s*a%d", k ? "," : "", i - 1);
        buf_adds(&b, "]\n");
    }
    f = parse(buf_str(&b), false);
    assert_string_equal(f.d.v[0].id, "Y003");
    drop(&f);
    buf_clear(&b);
    for (int i = 0; i < 20000; i++)
        buf_addf(&b, "k%d: v\n", i);
    f = parse(buf_str(&b), true);
    assert_int_equal(f.doc.root->n, 20000);
    drop(&f);
    assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_and_marks),
        cmocka_unit_test(places_inside_scalars),
        cmocka_unit_test(anchors_and_merge_keys),
        cmocka_unit_test(bad_documents),
        cmocka_unit_test(empty_and_several_documents),
        cmocka_unit_test(bombs_are_cheap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
