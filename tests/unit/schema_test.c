#include "unit.h"

#include "schema/schema.h"

struct child {
    str name;
    int64_t n;
};

struct thing {
    bool on;
    enum conf_tristate maybe;
    int64_t count, size;
    double ratio;
    str text, word, url;
    struct secret key;
    dur_ns wait, go;
    struct conf_strings list;
    struct conf_map map;
    struct conf_value *any;
    struct child inline_child, *ptr;
    CONF_LIST_OF(struct child) kids;
    uint64_t given;
    struct diag_place place;
};

static const char *const words[] = {"red", "green", NULL};

static const struct conf_key child_keys[] = {
    CONF_KEY(struct child, name, CONF_STRING, "a name", .flags = CONF_REQUIRED),
    CONF_KEY(struct child, n, CONF_INT, "a number", .text = "7"),
    CONF_KEYS_END,
};
static const struct conf_type child_type = {
    .name = "child", .keys = child_keys, .size = sizeof(struct child)};

static const struct conf_key keys[] = {
    CONF_KEY(struct thing, on, CONF_BOOL, "a switch", .text = "true"),
    CONF_KEY(struct thing, maybe, CONF_TRISTATE, "a switch or nothing"),
    CONF_KEY(struct thing, count, CONF_INT, "a count", .min = 1, .max = 10, .text = "3"),
    CONF_KEY(struct thing, size, CONF_SIZE, "bytes", .max = 1 << 30),
    CONF_KEY(struct thing, ratio, CONF_FLOAT, "a share"),
    CONF_KEY(struct thing, text, CONF_STRING, "text"),
    CONF_KEY(struct thing, word, CONF_WORD, "a colour", .words = words, .text = "red"),
    CONF_KEY(struct thing, url, CONF_URL, "an address", .flags = CONF_SLASH),
    CONF_KEY(struct thing, key, CONF_SECRET, "a secret"),
    CONF_KEY(struct thing, wait, CONF_DURATION, "a wait", .text = "1m"),
    CONF_KEY(struct thing, go, CONF_GO_DURATION, "another"),
    CONF_KEY(struct thing, list, CONF_STRINGS, "texts", .flags = CONF_ONE_OR_LIST),
    CONF_KEY(struct thing, map, CONF_STRING_MAP, "a map"),
    CONF_KEY(struct thing, any, CONF_ANY, "anything"),
    CONF_KEY(struct thing, ptr, CONF_STRUCT_PTR, "a child or none", .sub = &child_type),
    CONF_KEY(struct thing, kids, CONF_LIST, "children", .sub = &child_type),
    CONF_KEY_IGNORED("later", CONF_LATER, "not yet"),
    CONF_KEYS_END,
};
static const struct conf_type thing_type = {.name = "thing",
                                            .keys = keys,
                                            .size = sizeof(struct thing),
                                            .given = CONF_AT(struct thing, given),
                                            .place = CONF_AT(struct thing, place)};

struct fixture {
    struct arena a;
    struct diags d;
    struct yaml_doc doc;
    struct thing t;
    bool ok;
};

static void decode(struct fixture *f, const char *text)
{
    struct conf_run run = {.a = &f->a, .d = &f->d};
    struct conf_part part = {&f->doc, NULL};

    arena_init(&f->a, 0);
    diags_init(&f->d);
    assert_true(yaml_parse(str_of(text), S("dir/t.yml"), &f->a, &f->doc, &f->d));
    part.node = f->doc.root;
    f->ok = conf_decode(&run, &part, 1, (struct conf_layer){&thing_type, &f->t, NULL});
}

static void drop(struct fixture *f)
{
    diags_release(&f->d);
    arena_release(&f->a);
}

static void every_kind(void **state)
{
    struct fixture f;
    struct buf b = BUF_INIT;

    (void)state;
    decode(&f, "on: off\nmaybe: yes\ncount: 0x0a\nsize: 2MB\nratio: .5\ntext: 1.50\nword: "
               "green\nurl: http://x/y\n"
               "key_file: k\nwait: 1h30m\ngo: 1.5s\nlist: one\nmap: {a: 1, b: yes}\nany: [1, 0.5, "
               "yes, ~, 'x', {a: b}]\n"
               "ptr: {name: p}\nkids: [{name: a, n: 1}, {name: b}]\n");
    assert_true(f.ok);
    assert_true(!f.t.on && f.t.maybe == CONF_YES && f.t.count == 10 && f.t.size == 2 << 20 &&
                f.t.ratio == 0.5);
    assert_str(f.t.text, "1.50");
    assert_str(f.t.url, "http://x/y/");
    assert_str(f.t.key.file, "dir/k");
    assert_true(f.t.wait == 90 * NS_PER_M && f.t.go == 1500 * NS_PER_MS);
    assert_int_equal(f.t.list.n, 1);
    assert_str(f.t.map.v[1].value, "yes");
    assert_int_equal(f.t.any->items[2].kind, CONF_VALUE_BOOL);
    assert_int_equal(f.t.any->items[3].kind, CONF_VALUE_NULL);
    assert_int_equal(f.t.any->items[4].kind, CONF_VALUE_STRING);
    assert_true(f.t.ptr->n == 7 && f.t.kids.n == 2 && f.t.kids.v[0].n == 1 && f.t.kids.v[1].n == 7);
    assert_int_equal(f.t.place.line, 1);
    conf_print_yaml(&b, &thing_type, &f.t);
    assert_str(
        buf_str(&b),
        "\"on\": false\nmaybe: true\ncount: 10\nsize: 2097152\nratio: 0.5\ntext: \"1.50\"\nword: "
        "green\n"
        "url: http://x/y/\nkey_file: dir/k\nwait: 1h30m\ngo: 1.5s\nlist:\n- one\nmap:\n  a: \"1\"\n"
        "  b: \"yes\"\nany: [1,0.5,true,null,\"x\",{\"a\":\"b\"}]\nptr:\n  name: p\n  \"n\": "
        "7\nkids:\n"
        "- name: a\n  \"n\": 1\n- name: b\n  \"n\": 7\n");
    buf_release(&b);
    drop(&f);
    decode(&f, "text: ~\ncount: null\n");
    assert_true(f.ok && f.t.on && f.t.count == 3 && f.t.wait == NS_PER_M && f.t.ptr == NULL);
    assert_true(f.t.given == 0);
    drop(&f);
}

static void every_fault_is_told(void **state)
{
    struct fixture f;

    (void)state;
    decode(
        &f,
        "on: maybe\ncount: 11\nsize: 5 apples\nratio: x\nword: blue\nurl: ftp://x\nkey: "
        "a\nkey_file: b\n"
        "wait: 5\ngo: 1d\nlist: {a: b}\nmap: [1]\nptr: {}\nkids: [{nam: a}]\ntexd: 1\nlater: 1\n");
    assert_false(f.ok);
    assert_int_equal(f.d.errors, 15);
    assert_int_equal(f.d.warnings, 1);
    for (size_t i = 0; i < f.d.n; i++)
        if (strcmp(f.d.v[i].id, "C002") == 0 && str_find_str(f.d.v[i].message, S("texd")) >= 0)
            assert_str(f.d.v[i].help, "did you mean \"text\"?");
    drop(&f);
}

static void sizes_keep_to_their_range(void **state)
{
    struct fixture f;

    (void)state;
    decode(&f, "size: 1GiB\nkids: []\n");
    assert_true(f.ok);
    assert_int_equal(f.t.size, 1 << 30);
    drop(&f);
    decode(&f, "size: 1025MiB\nkids: []\n");
    assert_false(f.ok);
    assert_str(f.d.v[0].message, "size: 1074790400 is not between 0 and 1073741824");
    drop(&f);
}

static void tables_describe_themselves(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    conf_print_json_schema(&b, &thing_type);
    assert_true(str_find_str(buf_str(&b), S("\"key_file\":{\"type\":\"string\"")) >= 0);
    assert_true(str_find_str(buf_str(&b), S("\"enum\":[\"red\",\"green\",\"\",null]")) >= 0);
    assert_true(str_find_str(buf_str(&b), S("\"$ref\":\"#/$defs/child\"")) >= 0);
    buf_clear(&b);
    conf_print_markdown(&b, &thing_type);
    assert_true(str_find_str(buf_str(&b), S("| `wait` | duration | `1m` | a wait |")) >= 0);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(every_fault_is_told),
        cmocka_unit_test(sizes_keep_to_their_range),
        cmocka_unit_test(tables_describe_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
