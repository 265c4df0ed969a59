#include "unit.h"

#include <stdio.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/diags.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/keyed.h"
#include "os/log.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "base/vec.h"

static void slices(void **state)
{
    str s = S("a,b,,c");
    const str keys[] = {S("group_wait"), S("group_interval"), S("receiver")};
    const str longer = S("store_blocks_last_successful_sync_of_all_the_blocks_timestamp_seconds");
    uint64_t v;

    (void)state;
    assert_str(str_cut(&s, ','), "a");
    assert_str(str_cut(&s, ','), "b");
    assert_str(str_cut(&s, ','), "");
    assert_str(str_cut(&s, ','), "c");
    assert_null(s.p);
    assert_ptr_equal(str_nearest(S("group_wiat"), keys, 3), &keys[0]);
    assert_ptr_equal(str_nearest(S("reciever"), keys, 3), &keys[2]);
    assert_null(str_nearest(S("zebra"), keys, 3));
    assert_ptr_equal(
        str_nearest(S("store_blocks_las_tsuccessful_sync_of_all_the_blocks_timestamp_seconds"),
                    &longer, 1),
        &longer);
    assert_true(str_to_u64(S("18446744073709551615"), &v));
    assert_false(str_to_u64(S("18446744073709551616"), &v));
    assert_false(str_to_u64(S("+1"), &v));
    assert_false(str_to_u64(S(""), &v));
    assert_int_equal(str_find_str(S("hello"), S("llo")), 2);
}

static void arena_serves_past_its_limit_and_says_so(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 1000);
    for (int i = 0; i < 100; i++) {
        char *p = arena_alloc(&a, 100);

        memset(p, 1, 100);
        assert_int_equal((uintptr_t)p % 16, 0);
    }
    assert_true(arena_is_full(&a));
    arena_reset(&a);
    assert_false(arena_is_full(&a));
    assert_str(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    arena_release(&a);
}

/* Of what a small one has taken at most a fifth is unused, but for its first chunks; an empty array takes nothing. */
static void a_small_arena_is_nearly_full(void **state)
{
    struct arena a;

    (void)state;
    arena_init_small(&a, 0);
    for (int i = 0; i < 10000; i++) {
        assert_non_null(arena_array(&a, 0, 8));
        memset(arena_alloc(&a, 48), i, 48);
        assert_true((size_t)(a.end - a.at) <= 256 + a.used / 4);
    }
    assert_int_equal(a.used, 10000 * 48);
    arena_release(&a);
}

/* The second turn like the first asks the allocator once, any later one not at all; a smaller one gives nothing back. */
static void an_arena_keeps_room_for_the_next_turn(void **state)
{
    struct arena_chunk *room = NULL;
    struct arena a;

    (void)state;
    arena_init(&a, 1000);
    for (int turn = 0; turn < 5; turn++) {
        arena_rewind(&a);
        assert_false(arena_is_full(&a));
        assert_true(turn < 2 || a.head == room);
        if (turn == 1)
            room = a.head;
        memset(arena_alloc(&a, 700), turn, 700);
        if (turn == 3)
            continue;
        memset(arena_alloc(&a, 700000), turn, 700000);
        for (int i = 0; i < 300; i++)
            memset(arena_alloc(&a, 1000), turn, 1000);
        assert_true(turn == 0 || a.head == room);
        assert_true(arena_is_full(&a));
    }
    arena_release(&a);
}

static void arena_frees_what_it_takes(void **state)
{
    struct arena a;
    str taken;

    (void)state;
    arena_init(&a, 0);
    for (int i = 0; i < 3; i++) {
        struct buf b = BUF_INIT;
        const char *before;

        buf_pad(&b, 'x', 1000);
        before = b.p;
        taken = arena_take(&a, &b);
        assert_ptr_equal(taken.p, before);
        assert_int_equal(taken.n, 1000);
        assert_null(b.p);
        assert_true(a.used >= (size_t)(i + 1) * 1000);
    }
    arena_reset(&a);
    assert_null(a.taken);
    arena_release(&a);
}

static void map_keeps_the_order_of_insertion(void **state)
{
    struct u64_map m = {0};
    uint64_t expect = 0;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        u64_map_put(&m, i, (void *)(uintptr_t)(i + 1));
    for (uint64_t i = 0; i < 1000; i += 2)
        assert_true(u64_map_del(&m, i));
    assert_false(u64_map_del(&m, 0));
    assert_null(u64_map_get(&m, 2));
    for (uint64_t i = 1000; i < 3000; i++)
        u64_map_put(&m, i, NULL);
    MAP_EACH (struct u64_map_entry, e, &m) {
        if (e->key < 1000)
            assert_int_equal(e->key, 2 * expect + 1);
        else
            assert_int_equal(e->key, 1000 + expect - 500);
        expect++;
    }
    assert_int_equal(expect, 2500);
    assert_int_equal(m.n, 2500);
    u64_map_release(&m);
}

struct item {
    struct heap_node node;
    int id;
};

static void heap_is_ordered_and_stable(void **state)
{
    enum { N = 500 };
    static struct item items[N];
    struct heap h = {0};
    struct rand r = {42};
    int64_t last = INT64_MIN;
    uint64_t order = 0;
    size_t seen = 0;

    (void)state;
    for (int i = 0; i < N; i++)
        heap_push(&h, &items[i].node, (int64_t)rand_below(&r, 50));
    for (int i = 0; i < N; i += 3)
        heap_remove(&h, &items[i].node);
    for (int i = 1; i < N; i += 3)
        heap_push(&h, &items[i].node, (int64_t)rand_below(&r, 50));
    for (struct heap_node *n; (n = heap_pop(&h)) != NULL; seen++) {
        assert_true(n->key > last || (n->key == last && n->order > order));
        last = n->key;
        order = n->order;
    }
    assert_int_equal(seen, N - (N + 2) / 3);
    heap_release(&h);
}

static void keyed_is_sorted_and_stable(void **state)
{
    enum { N = 3000 };
    static const uint64_t masks[] = {UINT64_MAX, 0xff00, 0x7, (uint64_t)0xffff << 48, 0};
    static struct keyed v[N];
    struct rand r = {42};

    (void)state;
    for (size_t m = 0; m < ARRAY_LEN(masks); m++) {
        for (size_t i = 0; i < N; i++)
            v[i] = (struct keyed){rand_next(&r) & masks[m], &v[i]};
        keyed_sort(v, N);
        for (size_t i = 1; i < N; i++)
            assert_true(v[i - 1].key < v[i].key ||
                        (v[i - 1].key == v[i].key && v[i - 1].value < v[i].value));
    }
    keyed_sort(v, 1);
    keyed_sort(NULL, 0);
}

static void utf8(void **state)
{
    static const char *const bad[] = {
        "\x80",         "\xc0\x80", "\xe0\x80\x80",        "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "abcdefgh\xff", "\xe4\xb8", "\xf8\x88\x80\x80\x80"};
    char out[4];

    (void)state;
    assert_true(utf8_is_valid(S("告警 🙂 ascii and more of it")));
    assert_int_equal(utf8_count(S("告警🙂")), 3);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(utf8_is_valid(str_of(bad[i])));
    for (uint32_t r = 0; r <= 0x10FFFF; r += 7) {
        uint32_t back;
        size_t n = utf8_encode(out, r);

        assert_int_equal(utf8_decode((str){out, n}, &back), n);
        assert_int_equal(back, r >= 0xD800 && r <= 0xDFFF ? 0xFFFD : r);
    }
}

static void errors_wrap_and_truncate(void **state)
{
    struct err e = ERR_INIT;
    char big[3000];

    (void)state;
    assert_false(err_set(&e, ERR_LIMIT, "too %s", "big"));
    assert_false(err_wrap(&e, "rule group '%s'", "g"));
    assert_string_equal(e.msg, "rule group 'g': too big");
    assert_int_equal(e.code, ERR_LIMIT);
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    err_set(&e, ERR_INVALID, "%s", big);
    assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
    assert_string_equal(e.msg + strlen(e.msg) - 4, "x...");
}

/* A thousand infos left no room for the one error, which was not shown anywhere. */
static void graver_diags_have_room(void **state)
{
    const struct diag_place place = {.file = S("f"), .line = 1};
    struct diags d;

    (void)state;
    diags_init(&d);
    for (int i = 0; i < DIAGS_MAX + 10; i++)
        diags_add(&d, i < 3 ? DIAG_WARNING : DIAG_INFO, "X001", place, "less %d", i);
    assert_non_null(diags_add(&d, DIAG_ERROR, "X002", place, "error"));
    assert_non_null(diags_add(&d, DIAG_WARNING, "X003", place, "warning"));
    assert_null(diags_add(&d, DIAG_INFO, "X004", place, "info"));
    assert_int_equal(d.n, DIAGS_MAX);
    assert_int_equal(d.dropped, 13);
    assert_str(d.v[DIAGS_MAX - 2].message, "error");
    assert_str(d.v[DIAGS_MAX - 1].message, "warning");
    assert_str(d.v[DIAGS_MAX - 3].message, "less 997"); /* the latest infos made way */
    for (int i = 0; i < 2 * DIAGS_MAX; i++)
        diags_add(&d, DIAG_ERROR, "X005", place, "error %d", i);
    assert_str(d.v[0].message, "error");
    assert_str(d.v[DIAGS_MAX - 1].message, "error 998");
    assert_int_equal(d.errors, 2 * DIAGS_MAX + 1);
    assert_int_equal(d.warnings, 4);
    diags_release(&d);
}

static void add_random(struct diags *d, uint32_t *seed, int i)
{
    enum diag_severity severity;
    struct diag *g;

    *seed = *seed * 1664525 + 1013904223;
    severity = *seed >> 30 == 3 ? DIAG_ERROR : *seed >> 30 == 2 ? DIAG_WARNING : DIAG_INFO;
    g = diags_add(d, severity, "X001", (struct diag_place){.file = S("f"), .line = i}, "n %d", i);
    diag_help(d, g, "h %d", i);
    if (i % 3 == 0)
        diag_second(d, g, (struct diag_place){.file = S("other"), .line = 1});
    if (i % 5 == 0)
        diag_fix(d, g, S("fix"));
}

/* Found in parts or in one go: the same, room for all of them or not. */
static void joined_diags_are_those_of_one_go(void **state)
{
    (void)state;
    for (int each = 50; each < DIAGS_MAX * 2; each *= 3) {
        struct diags whole, joined;
        uint32_t one = 7, other = 7;

        diags_init(&whole);
        diags_init(&joined);
        for (int i = 0; i < each * 5; i++)
            add_random(&whole, &one, i);
        for (int part = 0; part < 5; part++) {
            struct diags d;

            diags_init(&d);
            for (int i = 0; i < each; i++)
                add_random(&d, &other, part * each + i);
            diags_join(&joined, &d);
            assert_int_equal(d.n, 0);
        }
        assert_int_equal(joined.n, whole.n);
        assert_int_equal(joined.errors, whole.errors);
        assert_int_equal(joined.warnings, whole.warnings);
        assert_int_equal(joined.dropped, whole.dropped);
        assert_memory_equal(joined.kept, whole.kept, sizeof(joined.kept));
        for (size_t i = 0; i < whole.n; i++) {
            assert_true(str_eq(joined.v[i].message, whole.v[i].message));
            assert_true(str_eq(joined.v[i].help, whole.v[i].help));
            assert_true(str_eq(joined.v[i].second.file, whole.v[i].second.file));
            assert_int_equal(joined.v[i].has_fix, whole.v[i].has_fix);
        }
        diags_release(&whole);
        diags_release(&joined);
    }
}

static void diags_are_capped(void **state)
{
    struct diags d;

    (void)state;
    diags_init(&d);
    for (int i = 0; i < DIAGS_MAX + 5; i++)
        diags_add(&d, DIAG_ERROR, "X001", (struct diag_place){.file = S("f"), .line = i + 1},
                  "n %d", i);
    assert_int_equal(d.n, DIAGS_MAX);
    assert_int_equal(d.dropped, 5);
    assert_int_equal(d.errors, DIAGS_MAX + 5);
    diag_help(&d, &d.v[3], "try %s", "y");
    assert_str(d.v[3].help, "try y");
    assert_str(d.v[3].message, "n 3");
    assert_str(d.v[3].place.file, "f");
    diags_release(&d);
}

/* What a flood of one message leaves out is counted on a line of its own; another message of the same line is another. */
static void log_counts_what_it_leaves_out(void **state)
{
    FILE *f = tmpfile();
    char text[8192];
    size_t n;
    unsigned lines = 0;

    (void)state;
    assert_non_null(f);
    log_setup(LOG_INFO, LOG_LOGFMT, fileno(f));
    for (int i = 0; i < 80; i++)
        log_warn(i % 2 == 0 ? "scrape failed" : "another", LOG_I64("target", i));
    log_close_windows(true);
    log_setup(LOG_INFO, LOG_LOGFMT, STDERR_FILENO);
    rewind(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    for (const char *at = text; (at = strstr(at, "msg=\"scrape failed")) != NULL; at++)
        lines++;
    assert_int_equal(lines, 11);
    assert_non_null(strstr(text, "level=WARN"));
    assert_non_null(
        strstr(text, "msg=\"scrape failed: more lines like this were left out\" left_out=30 "));
    assert_non_null(
        strstr(text, "msg=\"another: more lines like this were left out\" left_out=30 "));
    assert_null(strstr(text, "suppressed"));
}

/* However many write in turns, none ends another's window, wherever their texts may lie in memory. */
static void log_lines_in_turns_do_not_make_room_for_each_other(void **state)
{
    enum { KINDS = 200, EACH = 12, BURST = 10 };
    static char kinds[KINDS][16];
    FILE *f = tmpfile();
    unsigned lines = 0;

    (void)state;
    assert_non_null(f);
    log_setup(LOG_INFO, LOG_LOGFMT, fileno(f));
    for (int i = 0; i < KINDS; i++)
        snprintf(kinds[i], sizeof(kinds[i]), "kind %d", i);
    for (int i = 0; i < KINDS * EACH; i++)
        log_info(kinds[i % KINDS], LOG_I64("target", i));
    log_setup(LOG_INFO, LOG_LOGFMT, STDERR_FILENO);
    rewind(f);
    for (int c; (c = fgetc(f)) != EOF;)
        lines += c == '\n';
    fclose(f);
    assert_int_equal(lines, KINDS * BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices),
        cmocka_unit_test(log_counts_what_it_leaves_out),
        cmocka_unit_test(log_lines_in_turns_do_not_make_room_for_each_other),
        cmocka_unit_test(arena_serves_past_its_limit_and_says_so),
        cmocka_unit_test(an_arena_keeps_room_for_the_next_turn),
        cmocka_unit_test(arena_frees_what_it_takes),
        cmocka_unit_test(a_small_arena_is_nearly_full),
        cmocka_unit_test(map_keeps_the_order_of_insertion),
        cmocka_unit_test(heap_is_ordered_and_stable),
        cmocka_unit_test(keyed_is_sorted_and_stable),
        cmocka_unit_test(utf8),
        cmocka_unit_test(errors_wrap_and_truncate),
        cmocka_unit_test(graver_diags_have_room),
        cmocka_unit_test(diags_are_capped),
        cmocka_unit_test(joined_diags_are_those_of_one_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
