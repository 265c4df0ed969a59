#include "unit.h"

#include "base/attr.h"
#include "base/rand.h"
#include "codec/timefmt.h"
#include "route/inhibitor.h"
#include "route/mute.h"
#include "route/route_conf.h"
#include "route/silencer.h"
#include "route/tree.h"
#include "os/zones.h"

#define SEC 1000000000ll

static struct arena arena;

static struct matchers matchers(const char *text)
{
    struct matchers ms;
    struct err e = ERR_INIT;
    str warning;

    if (!matchers_parse(str_of(text), MATCHER_FALLBACK, &arena, &ms, &warning, &e))
        fail_msg("%s: %s", text, e.msg);
    matchers_sort(&ms);
    return ms;
}

static struct labels labels(const char *text)
{
    struct matchers ms = matchers(text);
    struct label *v = arena_array(&arena, ms.n, sizeof(*v));
    str dup;

    for (size_t i = 0; i < ms.n; i++)
        v[i] = (struct label){ms.v[i].name, ms.v[i].value};
    return (struct labels){v, labels_sort(v, ms.n, &dup)};
}

/* -- tree -- */

static void match_is(const struct route_tree *t, const char *ls, const char *want)
{
    struct route_list out = {0}, of_set = {0};
    struct buf b = BUF_INIT;
    struct interner *in = interner_new();
    struct label_set *set = label_set_intern(in, labels(ls));

    route_tree_match(t, labels(ls), &out);
    route_tree_match_set(t, set, &of_set);
    assert_int_equal(of_set.n, out.n);
    for (size_t i = 0; i < out.n; i++)
        assert_ptr_equal(of_set.v[i], out.v[i]);
    for (size_t i = 0; i < out.n; i++)
        buf_addf(&b, "%s%.*s", i != 0 ? "," : "", STR(out.v[i]->receiver));
    assert_str(buf_str(&b), want);
    label_set_unref(set);
    interner_free(in);
    buf_release(&b);
    vec_release(&out);
    vec_release(&of_set);
}

static void tree_matches_depth_first(void **state)
{
    str by[] = {S("job"), S("alertname")};
    struct route_conf leaf = {.receiver = S("a-deep"), .matchers = matchers("{sev=\"1\"}")};
    struct route_conf children[] = {
        {.receiver = S("a"), .matchers = matchers("{team=\"a\"}"), .routes = &leaf, .n_routes = 1},
        {.receiver = S("b"), .matchers = matchers("{team=~\"a|b\",x!=\"y\"}"), .goes_on = true},
        {.receiver = S("c"), .matchers = matchers("{team=\"b\"}"), .group_by = {by, 2}}};
    struct route_conf root = {.receiver = S("root"), .routes = children, .n_routes = 3};
    struct buf b = BUF_INIT;
    struct route_tree t;

    (void)state;
    route_tree_init(&t, &root);
    match_is(&t, "{team=\"a\"}", "a");
    match_is(&t, "{team=\"a\",sev=\"1\"}", "a-deep");
    match_is(&t, "{team=\"b\"}", "b,c");
    match_is(&t, "{team=\"b\",x=\"y\"}", "c");
    match_is(&t, "{z=\"1\"}", "root");
    route_group_key(&b, t.root->children[2],
                    route_group_labels(t.root->children[2], &arena,
                                       labels("{job=\"n\",alertname=\"D\",z=\"1\"}")));
    assert_str(buf_str(&b), "{}/{team=\"b\"}:{alertname=\"D\", job=\"n\"}");
    assert_int_equal(t.root->index, t.n - 1); /* post-order */
    buf_clear(&b);
    route_group_key(&b, t.root->children[1], LABELS_NONE);
    assert_str(buf_str(&b), "{}/{team=~\"a|b\",x!=\"y\"}:{}");
    buf_release(&b);
    route_tree_release(&t);
    matchers_release(&leaf.matchers);
    for (size_t i = 0; i < 3; i++)
        matchers_release(&children[i].matchers);
}

/* -- silences -- */

static struct silence *silence(const char *ms, int64_t from, int64_t to)
{
    struct silence *s = silence_new();
    struct err e = ERR_INIT;
    str warning;

    s->sets = arena_new(&s->arena, struct matchers);
    s->n_sets = 1;
    assert_true(matchers_parse(arena_str(&s->arena, str_of(ms)), MATCHER_FALLBACK, &s->arena,
                               s->sets, &warning, &e));
    s->starts_at = from * SEC;
    s->ends_at = to * SEC;
    return s;
}

static struct uuid put(struct silencer *s, struct silence *in, int64_t now, const char *error)
{
    const struct silence *gone;
    struct err e = ERR_INIT;
    struct uuid id = {""};
    static uint64_t made;
    bool ok = silencer_put(s, in, uuid_of(1, ++made), now * SEC, MATCHER_FALLBACK, &id, &gone, &e);

    if (ok != (error == NULL) || (error != NULL && strstr(e.msg, error) == NULL))
        fail_msg("%s, wanted %s", ok ? "accepted" : e.msg, error != NULL ? error : "acceptance");
    return id;
}

static size_t hits(struct silencer *s, const char *ls, int64_t now)
{
    struct silence_list out = {0};
    bool later = false;
    size_t n = silencer_match(s, labels(ls), now * SEC, &out, &later);

    vec_release(&out);
    return n;
}

static void silences_hold_in_their_time(void **state)
{
    struct silencer *s = silencer_new();
    bool changed;
    struct err e = ERR_INIT;
    struct uuid id;

    (void)state;
    put(s, silence("{a=\"1\"}", 150, 200), 100, NULL);
    put(s, silence("{a=~\"1|2\",b!=\"x\"}", 100, 300), 100, NULL);
    assert_int_equal(hits(s, "{a=\"1\"}", 100), 1);
    assert_int_equal(hits(s, "{a=\"1\"}", 150), 2);
    assert_int_equal(hits(s, "{a=\"1\"}", 200), 2);
    assert_int_equal(hits(s, "{a=\"1\"}", 201), 1);
    assert_int_equal(hits(s, "{a=\"2\",b=\"x\"}", 150), 0);
    assert_int_equal(hits(s, "{a=\"2\",b=\"y\"}", 301), 0);
    put(s, silence("{a=~\".*\"}", 100, 300), 100, "empty string");
    put(s, silence("{a=\"1\"}", 100, 90), 100, "end time");
    put(s, silence("{a!=\"\"}", 50, 300), 100, NULL); /* a negative matcher counts as selective */
    id = put(s, silence("{c=\"1\"}", 100, 300), 100, NULL);
    assert_true(silencer_expire(s, uuid_str(&id), 150 * SEC, &changed, &e) && changed);
    assert_int_equal(hits(s, "{c=\"1\"}", 151), 0);
    assert_true(silencer_expire(s, uuid_str(&id), 160 * SEC, &changed, &e) && !changed);
    assert_false(
        silencer_expire(s, S("00000000-0000-0000-0000-000000000000"), 160 * SEC, &changed, &e));
    assert_int_equal(silencer_gc(s, 199 * SEC, NULL, NULL), 1);
    assert_int_equal(silencer_count(s), 3);
    silencer_free(s);
}

/* alertmanager.md 3.12, "Update with id". */
static void edits_keep_or_change_the_id(void **state)
{
    struct silencer *s = silencer_new();
    struct uuid id = put(s, silence("{a=\"1\"}", 100, 300), 100, NULL), other;
    struct silence *in = silence("{a=\"1\"}", 100, 900);

    (void)state;
    in->id = id;
    other = put(s, in, 150, NULL); /* only the end moved */
    assert_string_equal(other.text, id.text);
    in = silence("{a=\"2\"}", 100, 900);
    in->id = id;
    other = put(s, in, 150, NULL);
    assert_string_not_equal(other.text, id.text);
    assert_int_equal(silence_state(silencer_get(s, uuid_str(&id)), 151 * SEC), SILENCE_EXPIRED);
    in = silence("{a=\"1\"}", 100, 900);
    in->id = id; /* expired: comes back under a new id */
    other = put(s, in, 160, NULL);
    assert_string_not_equal(other.text, id.text);
    in = silence("{a=\"1\"}", 100, 900);
    assert_true(uuid_parse(S("00000000-0000-0000-0000-00000000000A"), &in->id));
    put(s, in, 160, "not found");
    silencer_free(s);
}

/* A hundred silences of one list of hosts, which a script makes, have it compiled once, however long they are remembered. */
static void silences_of_one_pattern_share_it(void **state)
{
    static const char *const both = "{a=~\"(x|y)\\\\d+\",b!~\"(x|y)\\\\d+\"}";
    struct silencer *s = silencer_new();
    struct silence_list all = {0};
    struct uuid id = put(s, silence(both, 100, 300), 100, NULL);
    struct silence *longer = silence(both, 100, 900);
    const struct regex *re;

    (void)state;
    put(s, silence("{b=~\"(x|y)\\\\d+\"}", 100, 300), 100, NULL);
    put(s, silence("{a=~\"z.*\"}", 100, 300), 100, NULL);
    longer->id = id;
    put(s, longer, 150, NULL); /* the last user of the first one goes */
    silencer_all(s, &all);
    assert_int_equal(all.n, 3);
    re = all.v[0]->sets[0].v[0].re;
    assert_ptr_equal(all.v[0]->sets[0].v[1].re, re);
    assert_ptr_equal(all.v[1]->sets[0].v[0].re, re);
    assert_ptr_not_equal(all.v[2]->sets[0].v[0].re, re);
    assert_int_equal(silencer_gc(s, 301 * SEC, NULL, NULL), 2);
    assert_int_equal(hits(s, "{a=\"x1\",b=\"z\"}", 400), 1);
    assert_int_equal(hits(s, "{a=\"x1\",b=\"y2\"}", 400), 0);
    vec_release(&all);
    silencer_free(s);
}

/* The index finds what a scan of all finds. */
static void the_index_agrees_with_a_scan(void **state)
{
    static const char *const sets[] = {"{a=\"1\"}", "{b=\"2\",a!=\"1\"}", "{a=~\"1|2\"}",
                                       "{c=\"\",a=\"2\"}", "{b!~\"2|3\"}"};
    struct silencer *s = silencer_new();
    struct rand r = {7};
    struct silence_list all = {0};

    (void)state;
    for (int i = 0; i < 60; i++)
        put(s,
            silence(sets[rand_below(&r, ARRAY_LEN(sets))], 100, 200 + (int64_t)rand_below(&r, 100)),
            100, NULL);
    silencer_all(s, &all);
    for (int i = 0; i < 500; i++) {
        char text[64];
        size_t want = 0;
        int64_t now = 100 + (int64_t)rand_below(&r, 250);
        struct labels ls;

        snprintf(text, sizeof(text), "{a=\"%d\",b=\"%d\",c=\"%d\"}", (int)rand_below(&r, 4),
                 (int)rand_below(&r, 4), (int)rand_below(&r, 2));
        ls = labels(text);
        for (size_t j = 0; j < all.n; j++)
            want += silence_state(all.v[j], now * SEC) == SILENCE_ACTIVE &&
                    silence_matches(all.v[j], ls);
        assert_int_equal(hits(s, text, now), want);
    }
    vec_release(&all);
    silencer_free(s);
}

static void silences_survive_packing(void **state)
{
    struct silence *s = silence("{a=~\"x.*\",b!=\"\"}", 100, 200), *back;
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    (void)state;
    s->id = uuid_of(1, 2);
    s->comment = S("why");
    silence_pack(&b, s);
    back = silence_unpack(buf_str(&b), &e);
    assert_non_null(back);
    assert_true(silence_sets_equal(s, back));
    assert_str(back->comment, "why");
    assert_true(silence_matches(back, labels("{a=\"xy\",b=\"1\"}")));
    for (size_t cut = 0; cut < b.n; cut++)
        assert_null(silence_unpack(str_sub(buf_str(&b), 0, cut), &e));
    silence_free(s);
    silence_free(back);
    buf_release(&b);
}

/* -- inhibition -- */

/* Of which some fire only later: -n - 1. */
static int inhibitors(const struct inhibitor *in, struct labels ls, struct now now,
                      struct inhibition_list *out)
{
    bool later = false;
    size_t n;

    vec_clear(out);
    n = inhibitor_match(in, ls, now, INHIBITIONS_MAX, out, &later) ? out->n : 0;
    assert_int_equal(n, out->n);
    return later ? -(int)n - 1 : (int)n;
}

static void inhibition(void **state)
{
    str equal[] = {S("node"), S("zone")};
    struct inhibit_conf rules[] = {
        {.name = S("down"),
         .source = matchers("{sev=\"crit\"}"),
         .target = matchers("{sev=~\"warn|crit\"}"),
         .equal = equal,
         .n_equal = 2},
        {.name = S("null")}}; /* a null rule matches everything on both sides: it never inhibits */
    struct inhibitor *in = inhibitor_new(rules, 2);
    struct interner *names = interner_new();
    struct now now = {1000 * SEC, 1000 * SEC}, later = {2000 * SEC, 2000 * SEC};
    struct alert_input a1 = {.labels = labels("{sev=\"crit\",node=\"1\",n=\"a\"}"),
                             .starts_at = 900 * SEC,
                             .ends_at = 1500 * SEC};
    struct alert_input a2 = {.labels = labels("{sev=\"crit\",node=\"1\",n=\"b\"}"),
                             .starts_at = 900 * SEC,
                             .ends_at = 3000 * SEC};
    struct alert *x = alert_new(names, &a1, SEC, now), *y = alert_new(names, &a2, SEC, now);
    struct inhibition_list out = {0};

    (void)state;
    assert_true(inhibitor_add(in, x));
    assert_true(inhibitor_add(in, x)); /* twice is once */
    assert_true(inhibitor_add(in, y));
    assert_int_equal(inhibitors(in, labels("{sev=\"warn\",node=\"1\"}"), now, &out),
                     2); /* all sources are named */
    assert_str(out.v[0].rule, "down");
    assert_int_equal(inhibitors(in, labels("{sev=\"warn\",node=\"1\",zone=\"z\"}"), now, &out), 0);
    assert_int_equal(inhibitors(in, labels("{sev=\"warn\",node=\"2\"}"), now, &out), 0);
    assert_int_equal(inhibitors(in, a1.labels, now, &out),
                     0); /* both sides match both: nobody inhibits */
    assert_int_equal(inhibitors(in, labels("{sev=\"warn\",node=\"1\"}"), later, &out), -2);
    assert_int_equal(out.v[0].fingerprint, alert_fingerprint(y));
    inhibitor_drop(in, y);
    assert_int_equal(inhibitors(in, labels("{sev=\"warn\",node=\"1\"}"), later, &out), -1);
    assert_int_equal(inhibitors(in, labels("{sev=\"warn\",node=\"1\"}"), now, &out), 1);
    inhibitor_drop(in, x);
    inhibitor_free(in);
    alert_unref(x);
    alert_unref(y);
    interner_free(names);
    vec_release(&out);
    matchers_release(&rules[0].source);
    matchers_release(&rules[0].target);
}

/* Many sources of one target come, end, fire again and go in any order: one of those that fire decides, ten are listed. */
static void inhibition_by_many(void **state)
{
    enum { N = 300 };
    struct inhibit_conf rule = {.source = matchers("{sev=\"crit\"}"),
                                .target = matchers("{sev=~\"warn|both\"}")};
    struct inhibitor *in = inhibitor_new(&rule, 1);
    struct interner *names = interner_new();
    struct alert *v[N];
    struct inhibition_list out = {0};
    bool later;

    (void)state;
    for (int i = 0; i < N; i++) {
        char text[40];
        struct alert_input a = {.starts_at = SEC};

        snprintf(text, sizeof(text), "{sev=\"crit\",i=\"%d\"}", i);
        a.labels = labels(text);
        a.ends_at = (1000 + i * 7 % N) * SEC;
        v[i] = alert_new(names, &a, SEC, (struct now){SEC, SEC});
        assert_true(inhibitor_add(in, v[i]));
        assert_true(inhibitor_add(in, v[i]));
    }
    for (int t = 990; t < 1000 + N; t += 13) {
        struct now now = {t * SEC, t * SEC};
        size_t fire = 0;

        for (int i = 0; i < N; i++)
            fire += !alert_is_resolved(v[i], now);
        vec_clear(&out);
        later = false;
        assert_true(inhibitor_match(in, labels("{sev=\"warn\"}"), now, 1, &out, &later) ==
                    (fire != 0));
        assert_int_equal(out.n, fire != 0);
        vec_clear(&out);
        inhibitor_match(in, labels("{sev=\"warn\"}"), now, INHIBITIONS_MAX, &out, &later);
        assert_int_equal(out.n, fire < INHIBITIONS_MAX ? fire : INHIBITIONS_MAX);
        assert_true(out.n + out.more >= fire);
        for (size_t k = 0; k < out.n; k++)
            for (int i = 0; i < N; i++)
                if (alert_fingerprint(v[i]) == out.v[k].fingerprint)
                    assert_false(alert_is_resolved(v[i], now));
    }
    vec_clear(&out);
    later = false;
    assert_false(inhibitor_match(in, labels("{sev=\"warn\"}"), (struct now){9000 * SEC, 9000 * SEC},
                                 1, &out, &later));
    assert_true(later);
    v[77]->expires_mono = TS_MAX; /* it fires again */
    inhibitor_add(in, v[77]);
    vec_clear(&out);
    assert_true(inhibitor_match(in, labels("{sev=\"warn\"}"), (struct now){9000 * SEC, 9000 * SEC},
                                1, &out, &later));
    assert_int_equal(out.v[0].fingerprint, alert_fingerprint(v[77]));
    for (int i = 0; i < N; i++)
        inhibitor_drop(in, v[i * 7 % N]);
    vec_clear(&out);
    later = false;
    assert_false(
        inhibitor_match(in, labels("{sev=\"warn\"}"), (struct now){SEC, SEC}, 1, &out, &later));
    assert_false(later);
    for (int i = 0; i < N; i++)
        alert_unref(v[i]);
    vec_release(&out);
    inhibitor_free(in);
    interner_free(names);
    matchers_release(&rule.source);
    matchers_release(&rule.target);
}

/* -- time intervals -- */

static ts_ns when(const char *text)
{
    struct err e = ERR_INIT;
    ts_ns t;

    assert_true(rfc3339_parse(str_of(text), &t, &e));
    return t;
}

static bool holds(const struct time_interval_spec *sp, const char *t)
{
    struct time_interval_spec copy = *sp;
    struct time_interval_conf c = {.name = S("x"), .intervals = &copy, .n_intervals = 1};
    struct interval_set *set = interval_set_new(&c, 1);
    struct err e = ERR_INIT;
    struct tz *zone = sp->location.n != 0 ? zone_load(sp->location, &e) : NULL;
    bool h;

    copy.zone = zone;
    h = interval_set_holds(set, S("x"), when(t));
    interval_set_free(set);
    tz_free(zone);
    return h;
}

static void intervals(void **state)
{
    struct interval_range night = {0, 360}, last3 = {-3, -1}, feb = {2, 2}, weekend = {6, 6},
                          from31 = {31, 31}, late = {1380, 1440};
    struct time_interval_spec empty = {.times = {.given = true}}, any = {.location = STR_NONE};
    struct time_interval_spec t = {.times = {true, &night, 1}, .location = S("Asia/Shanghai")};
    struct time_interval_spec month_end = {.days_of_month = {true, &last3, 1},
                                           .months = {true, &feb, 1}};
    struct time_interval_spec sat = {.weekdays = {true, &weekend, 1}, .times = {true, &late, 1}};
    struct time_interval_spec d31 = {.days_of_month = {true, &from31, 1}};
    struct time_interval_spec dst = {.times = {true, &(struct interval_range){120, 180}, 1},
                                     .location = S("Europe/Berlin")};

    (void)state;
    assert_false(holds(&empty, "2026-01-01T00:00:00Z"));
    assert_true(holds(&any, "2026-01-01T00:00:00Z"));
    assert_true(holds(&t, "2026-01-01T16:00:00Z")); /* midnight in Shanghai */
    assert_false(holds(&t, "2026-01-01T15:59:59Z"));
    assert_false(holds(&t, "2026-01-01T22:00:00Z"));
    assert_true(holds(&month_end, "2024-02-27T00:00:00Z")); /* a leap year ends with the 29th */
    assert_false(holds(&month_end, "2024-02-26T23:59:59Z"));
    assert_true(holds(&month_end, "2026-02-26T00:00:00Z"));
    assert_false(holds(&month_end, "2026-03-31T00:00:00Z"));
    assert_true(holds(&sat, "2026-01-03T23:59:59Z"));
    assert_false(holds(&sat, "2026-01-04T00:00:00Z"));
    assert_false(holds(&d31, "2026-04-30T12:00:00Z")); /* a range beyond the month is skipped */
    assert_false(holds(&dst, "2026-03-29T01:30:00Z")); /* 02:30 does not occur on that day */
    assert_true(holds(&dst, "2026-10-25T00:30:00Z"));  /* and twice on this one */
    assert_true(holds(&dst, "2026-10-25T01:30:00Z"));
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_matches_depth_first),
        cmocka_unit_test(silences_hold_in_their_time),
        cmocka_unit_test(edits_keep_or_change_the_id),
        cmocka_unit_test(silences_of_one_pattern_share_it),
        cmocka_unit_test(the_index_agrees_with_a_scan),
        cmocka_unit_test(silences_survive_packing),
        cmocka_unit_test(inhibition),
        cmocka_unit_test(inhibition_by_many),
        cmocka_unit_test(intervals),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
