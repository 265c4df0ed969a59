/* Limits, definitions that replace each other, clones, and the functions of rules. */
#include "template_bench.h"

#include <time.h>
#include "notify/messages.h"

static void stops(struct template_bench *b, const char *text)
{
    struct err e = ERR_INIT;

    buf_clear(&b->out);
    buf_adds(&b->out, "kept");
    assert_false(template_exec_text(b->set, str_of(text), &b->run, &b->out, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    assert_str(buf_str(&b->out), "kept");
}

static void test_limits(void **state)
{
    struct template_bench b;

    (void)state;
    bench_init(&b, tmpl_alertmanager_funcs);
    b.run.limits = (struct template_limits){.steps = 100000, .output = 100000, .memory = 1000000};
    stops(&b, "{{ template \"r\" . }}");
    stops(&b, "{{ range 1000000000 }}{{ end }}");
    stops(&b, "{{ range 100000 }}0123456789abcdef{{ end }}");
    stops(&b, "{{ $x := \"0123456789\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}");
    stops(&b, "{{ printf \"%1000000d%1000000d\" 1 2 }}");
    stops(&b, "{{ $l := list 1 }}{{ range 100 }}{{ $l = list $l $l }}{{ end }}{{ toJson $l }}");
    bench_release(&b);
}

/* What a function reads and an empty body turns is work, whatever they return. */
static void test_counted_work(void **state)
{
    static const char *const texts[] = {
        "{{ regexReplaceAll \"x[^y]*y|x\" (repeat 100000 \"x\") \"\" }}",
        "{{ regexReplaceAll \"x\" (repeat 50000 \"x\") (repeat 100000 \"$9\") }}",
        "{{ $s := repeat 200000 \"x\" }}{{ range 30 }}{{ if regexMatch \"x[^y]*y|z\" $s }}{{ end "
        "}}{{ end }}",
        "{{ $s := repeat 250000 \"a\" }}{{ range 500 }}{{ if contains \"b\" $s }}{{ end }}{{ end "
        "}}",
        "{{ $s := repeat 250000 \" \" }}{{ range 500 }}{{ if trim $s }}{{ end }}{{ end }}",
        "{{ $s := repeat 250000 \" \" }}{{ $t := print $s }}{{ range 500 }}{{ if eq $s $t }}{{ end "
        "}}"
        "{{ end }}",
        "{{ $l := splitList \",\" (repeat 5000 \",\") }}{{ range 500 }}{{ range $l }}{{ end }}{{ "
        "end }}",
        "{{ $l := splitList \",\" (repeat 5000 \",\") }}{{ range 5000 }}{{ if join \"\" $l }}{{ "
        "end }}{{ end }}",
        "{{ range $i := 2000 }}{{ if regexMatch (print \"((a{9}){9}){9}\" $i) \"\" }}{{ end }}{{ "
        "end }}",
        "{{ range $i := 2000 }}{{ if dateInZone \"\" now (print \"no\" $i) }}{{ end }}{{ end }}",
    };
    struct template_bench b;

    (void)state;
    bench_init(&b, tmpl_sprig_funcs);
    b.run.limits = (struct template_limits){.steps = 100000, .memory = 2000000};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        print_message("%s\n", texts[i]);
        stops(&b, texts[i]);
    }
    bench_release(&b);
}

static bool third_time(const void *arg)
{
    unsigned *asked = (unsigned *)(uintptr_t)arg;

    return ++*asked == 3;
}

static void test_deadline(void **state)
{
    struct template_bench b;
    unsigned asked = 0;

    (void)state;
    bench_init(&b, tmpl_alertmanager_funcs);
    b.run.expired = third_time;
    b.run.expired_arg = &asked;
    stops(&b, "{{ range 1000000 }}{{ end }}");
    assert_int_equal(asked, 3);
    bench_release(&b);
}

/* Whatever step a limit ends at, the place is one of the template that is named: the message's is shorter than what it calls. */
static void test_places_of_limits(void **state)
{
    static const char file[] = "{{ define \"long\" }}0123456789{{ if . }}{{ 1 }}{{ end }}{{ end }}"
                               "{{ define \"s\" }}{{ template \"long\" 1 }}{{ end }}";
    static const char message[] = "{{ template \"s\" }}";
    struct template_bench b;
    unsigned failed = 0;
    bool ok = false;

    (void)state;
    for (unsigned steps = 1; !ok; steps++) {
        struct err e = ERR_INIT;

        bench_init(&b, tmpl_alertmanager_funcs);
        assert_true(template_set_parse(b.set, S("b.tmpl"), str_of(file), &e));
        b.run.limits.steps = steps;
        ok = template_exec_text(b.set, str_of(message), &b.run, &b.out, &e);
        failed += !ok;
        if (!ok && strstr(e.msg, "executing \"\"") != NULL)
            assert_in_range(e.col, 1, sizeof(message));
        else if (!ok)
            assert_in_range(e.col, sizeof(message) + 1, sizeof(file));
        bench_release(&b);
    }
    assert_in_range(failed, 5, 50);
}

static clock_t cpu_of(struct template_bench *b, const char *text)
{
    struct err e = ERR_INIT;
    clock_t start = clock();

    buf_clear(&b->out);
    if (!template_exec_text(b->set, str_of(text), &b->run, &b->out, &e))
        print_message("%s\n", e.msg);
    return clock() - start;
}

/* What used to take time by the square: tens of seconds each at this size. */
static void test_linear(void **state)
{
    static const char *const texts[] = {
        "{{ len (regexReplaceAll \"é\" (repeat 300000 \"é\") \"e\") }}",
        "{{ len (splitList (print (repeat 400000 \"a\") \"b\") (repeat 800000 \"a\")) }}",
        "{{ len (trimAll (repeat 400000 \"ab\") (repeat 800000 \"b\")) }}",
    };
    struct template_bench b;

    (void)state;
    bench_init(&b, tmpl_sprig_funcs);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        clock_t took = cpu_of(&b, texts[i]);

        print_message("%.3f s %s: %.*s\n", (double)took / CLOCKS_PER_SEC, texts[i],
                      STR(buf_str(&b.out)));
        assert_true(took < 5 * CLOCKS_PER_SEC);
    }
    bench_release(&b);
}

/* A text of megabytes is refused before it is searched for names again and again, and a chain costs what it is long. */
static void test_large_texts(void **state)
{
    struct template_bench b;
    const struct template_text *parsed;
    struct arena a;
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;

    (void)state;
    bench_init(&b, tmpl_sprig_funcs);
    for (int i = 0; i < 100000; i++)
        buf_addf(&text, "{{define \"%d\"}}x{{end}}", i);
    assert_false(template_exec_text(b.set, buf_str(&text), &b.run, &b.out, &e));
    assert_non_null(strstr(e.msg, "more than 10000 templates"));
    buf_clear(&text);
    for (int i = 0; i < 100000; i++)
        buf_addf(&text, "{{$v%d := 1}}", i);
    assert_false(template_exec_text(b.set, buf_str(&text), &b.run, &b.out, &e));
    assert_non_null(strstr(e.msg, "more than 1000 variables"));
    buf_clear(&text);
    buf_adds(&text, "{{");
    for (int i = 0; i < 5000; i++)
        buf_adds(&text, ".a");
    buf_adds(&text, "}}");
    arena_init(&a, 0);
    assert_true(template_text_parse(b.set, &a, S(""), buf_str(&text), NULL, &parsed, &e));
    print_message("a chain of 5000 takes %zu bytes\n", a.used);
    assert_true(a.used < 5000 * 100);
    arena_release(&a);
    buf_release(&text);
    bench_release(&b);
}

/* Text that is no UTF-8 is matched as Go does: a bad byte is U+FFFD, and stays what it is. */
static void test_bad_utf8(void **state)
{
    static const struct template_case cases[] = {
        {"{{ match \"a\" \"\\xffa\" }} {{ match \"^.a$\" \"\\xffa\" }}", "true true"},
        {"{{ reReplaceAll \"a\" \"b\" \"a\\xffa\" }}", "b\xff"
                                                       "b"},
    };

    (void)state;
    bench_cases(tmpl_alertmanager_funcs, TEMPLATE_TEXT, cases, ARRAY_LEN(cases));
}

/* The walk over all branches counts too, also those that are never taken. */
static void test_check_limits(void **state)
{
    struct template_bench b;
    struct buf text = BUF_INIT;

    (void)state;
    bench_init(&b, tmpl_alertmanager_funcs);
    b.run.mode = TEMPLATE_HTML;
    b.run.limits = (struct template_limits){.steps = 1000};
    buf_adds(&text, "{{ if 0 }}");
    buf_pad(&text, 'x', 100000);
    buf_adds(&text, "{{ end }}");
    buf_addc(&text, '\0');
    stops(&b, text.p);
    buf_release(&text);
    bench_release(&b);
}

static void test_nesting(void **state)
{
    struct template_bench b;
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;

    (void)state;
    bench_init(&b, tmpl_alertmanager_funcs);
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, "{{if 1}}");
    assert_false(template_exec_text(b.set, buf_str(&text), &b.run, &b.out, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    buf_clear(&text);
    buf_adds(&text, "{{");
    buf_pad(&text, '(', 100000);
    assert_false(template_exec_text(b.set, buf_str(&text), &b.run, &b.out, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    buf_release(&text);
    bench_release(&b);
}

static void test_replacing(void **state)
{
    struct template_bench b;
    struct template_set *clone;
    struct err e = ERR_INIT;

    (void)state;
    bench_init(&b, tmpl_alertmanager_funcs);
    assert_true(template_set_parse(b.set, S("b.tmpl"), S("{{ define \"t\" }}new{{ end }}"), &e));
    assert_true(template_exec(b.set, S("t"), &b.run, &b.out, &e));
    assert_str(buf_str(&b.out), "new");
    clone = template_set_clone(b.set);
    assert_true(template_set_parse(clone, S("c"), S("{{ define \"t\" }}clone{{ end }}"), &e));
    assert_true(template_exec(clone, S("t"), &b.run, &b.out, &e));
    assert_true(template_exec(b.set, S("t"), &b.run, &b.out, &e));
    assert_str(buf_str(&b.out), "newclonenew");
    assert_false(template_exec(clone, S("nope"), &b.run, &b.out, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    template_set_free(clone);
    bench_release(&b);
}

static void test_rule_functions(void **state)
{
    static const struct template_case cases[] = {
        {"{{ humanize 1234567.0 }} {{ humanize 0.0123 }} {{ humanize 0 }}", "1.235M 12.3m 0"},
        {"{{ humanize \"1e28\" }}", "1e+04Y"},
        {"{{ humanize1024 2048 }} {{ humanize1024 1 }}", "2ki 1"},
        {"{{ humanizeDuration 86400 }} {{ humanizeDuration 60 }}", "1d 0h 0m 0s 1m 0s"},
        {"{{ humanizeDuration 1.2341 }} {{ humanizeDuration 0.1235 }} {{ humanizeDuration -90 }}",
         "1.234s 123.5ms -1m 30s"},
        {"{{ humanizePercentage 0.12345 }}", "12.35%"},
        {"{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"},
        {"{{ (toTime 1435065584).Year }} {{ toDuration 3723 }}", "2015 1h2m3s"},
        {"{{ now }}", "1.7356896e+09"},
        {"{{ title \"aa bB\" }} {{ toLower \"AB\" }}", "Aa BB ab"},
        {"{{ stripPort \"a:1\" }} {{ stripPort \"[::1]:80\" }} {{ stripPort \"a\" }}", "a ::1 a"},
        {"{{ stripDomain \"h.x.org:80\" }} {{ stripDomain \"10.0.0.1:80\" }}", "h:80 10.0.0.1:80"},
        {"{{ parseDuration \"1h30m\" }} {{ parseDuration \"-5s\" }}", "5400 -5"},
        {"{{ graphLink \"a b\" }} {{ tableLink \"x\" }}",
         "/graph?g0.expr=a+b&g0.tab=0 /graph?g0.expr=x&g0.tab=1"},
        {"{{ (args 1 \"b\").arg1 }}", "b"},
        {"{{ query \"up\" }}", "!template: :1:3: executing \"\" at <query \"up\">: error calling "
                               "query: queries are not available in this template"},
        {"{{ first (args 1) }}",
         "!template: :1:15: executing \"\" at <1>: wrong type for "
         "value; expected template.queryResult; got map[string]interface {}"},
    };

    (void)state;
    bench_cases(tmpl_prometheus_funcs, TEMPLATE_TEXT, cases, ARRAY_LEN(cases));
}

static void test_newer_functions(void **state)
{
    static const struct template_case cases[] = {
        {"{{ now | date \"2006-01-02\" }} {{ now | tz \"Asia/Shanghai\" | date \"15:04 MST\" }}",
         "2025-01-01 08:00 CST"},
        {"{{ (toDate \"2006-01-02\" \"2024-12-31\" | since).Hours }}", "24"},
        {"{{ (toDate \"2006 __2\" \"2024  60\").Format \"01-02 __2 002\" }}", "02-29  60 060"},
        {"{{ (toDate \"2006-002\" \"2023-365\").Format \"Jan 2\" }}", "Dec 31"},
        {"{{ mustToDate \"2006 002\" \"2023 366\" }}",
         "!template: :1:3: executing \"\" at <mustToDate \"2006 002\" \"2023 366\">: error calling "
         "mustToDate: parsing time \"2023 366\": day-of-year out of range"},
        {"{{ mustToDate \"2006 01 002\" \"2023 02 001\" }}",
         "!template: :1:3: executing \"\" at <mustToDate \"2006 01 002\" \"2023 02 001\">: error "
         "calling mustToDate: parsing time \"2023 02 001\": day-of-year does not match month"},
        {"{{ toDate \"2006-01-02\" \"x\" }}", "0001-01-01 00:00:00 +0000 UTC"},
        {"{{ toJson (dict \"b\" 1 \"a\" (list \"<\" nil 1.5 true)) }}",
         "{\"a\":[\"\\u003c\",null,1.5,true],\"b\":1}"},
        {"{{ \"hi?\" | base64encode }} {{ \"aGk_\" | base64decode }}", "aGk_ hi?"},
        {"{{ urlUnescape \"a%20b+c\" }} {{ trimSpace \" x \\n\" }}", "a b c x"},
        {"{{ append (list 1) 2 3 | len }}", "3"},
        {"{{ humanizeDuration 90 }} {{ range 3 }}{{ . }}{{ end }}", "1m 30s 012"},
        {"{{ with \"\" }}{{ else with 2 }}{{ . }}{{ end }}", "2"},
        {"{{ .CommonLabels }}", "alertname=Slow, job=api"},
        {"{{ now | tz \"No/Where\" }}", "!template: :1:9: executing \"\" at <tz \"No/Where\">: "
                                        "error calling tz: unknown time zone No/Where"},
    };

    (void)state;
    bench_cases(tmpl_alertmanager_funcs, TEMPLATE_TEXT, cases, ARRAY_LEN(cases));
}

/* Years that nanoseconds in 64 bits have no room for: seconds and nanoseconds apart, as Go's. */
static void test_far_times(void **state)
{
    static const struct template_case cases[] = {
        {"{{ (toDate \"x\" \"y\").Add 90000000000 }}", "0001-01-01 00:01:30 +0000 UTC"},
        {"{{ (toDate \"x\" \"y\").Add -1 }}", "0000-12-31 23:59:59.999999999 +0000 UTC"},
        {"{{ (toDate \"x\" \"y\").AddDate 1 1 1 }}", "0002-02-02 00:00:00 +0000 UTC"},
        {"{{ (toDate \"x\" \"y\").AddDate -2 0 0 }}", "-0001-01-01 00:00:00 +0000 UTC"},
        {"{{ (toDate \"x\" \"y\").IsZero }} {{ ((toDate \"x\" \"y\").Add 1).IsZero }}",
         "true false"},
        {"{{ (toDate \"2006\" \"0000\").Year }} {{ (toDate \"2006\" \"1000\").Unix }}",
         "0 -30610224000"},
        {"{{ toDate \"2006-01-02 15:04:05.9\" \"9999-12-31 23:59:59.5\" }}",
         "9999-12-31 23:59:59.5 +0000 UTC"},
        {"{{ (toDate \"2006\" \"1500\").Before (toDate \"2006\" \"1501\") }}", "true"},
        {"{{ ((toDate \"2006\" \"1501\").Sub (toDate \"2006\" \"1500\")).Hours }}", "8760"},
        {"{{ (toDate \"2006\" \"9000\").Sub (toDate \"2006\" \"1500\") }}",
         "2562047h47m16.854775807s"},
        {"{{ (toDate \"2006\" \"1500\").Sub (toDate \"2006\" \"9000\") }}",
         "-2562047h47m16.854775808s"},
        {"{{ (toDate \"2006-01-02 15:04\" \"1500-06-01 12:34\").Truncate 3600000000000 }}",
         "1500-06-01 12:00:00 +0000 UTC"},
        {"{{ (toDate \"2006-01-02 15:04\" \"1500-06-01 12:34\").Round 3600000000000 }}",
         "1500-06-01 13:00:00 +0000 UTC"},
        {"{{ toJson ((toDate \"x\" \"y\").Add 1) }}", "\"0001-01-01T00:00:00.000000001Z\""},
        {"{{ toJson ((toDate \"x\" \"y\").AddDate 10000 0 0) }}",
         "!template: :1:3: executing \"\" at <toJson ((toDate \"x\" \"y\").AddDate 10000 0 0)>: "
         "error "
         "calling toJson: Time.MarshalJSON: year outside of range [0,9999]"},
        {"{{ (toDate \"2006\" \"9999\").AddDate 20000 0 0 }}", "29999-01-01 00:00:00 +0000 UTC"},
    };

    (void)state;
    bench_cases(tmpl_alertmanager_funcs, TEMPLATE_TEXT, cases, ARRAY_LEN(cases));
}

static void test_sprig(void **state)
{
    static const struct template_case cases[] = {
        {"{{ upper \"ab\" }}{{ lower \"CD\" }} {{ title \"a b\" }}{{ trim \" x \" }}", "ABcd A Bx"},
        {"{{ \"a-b-c\" | replace \"-\" \"+\" }} {{ splitList \",\" \"a,b\" | join \"|\" }}",
         "a+b+c a|b"},
        {"{{ \"\" | default \"d\" }}{{ coalesce \"\" 0 3 }}{{ ternary 1 2 false }}", "d32"},
        {"{{ trimPrefix \"a\" \"abc\" }} {{ trimSuffix \"c\" \"abc\" }} {{ trimAll \"$\" \"$5$\" "
         "}}",
         "bc ab 5"},
        {"{{ contains \"b\" \"abc\" }} {{ hasPrefix \"a\" \"abc\" }} {{ hasSuffix \"x\" \"abc\" }}",
         "true true false"},
        {"{{ add 1 2 3 }} {{ sub 5 2 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }}", "6 3 6 3 1"},
        {"{{ round 3.14159 2 }} {{ int \"3.7\" }} {{ float64 \"1.5\" }}", "3.14 0 1.5"},
        {"{{ div 1 0 }}", "!template: :1:3: executing \"\" at <div 1 0>: error calling div: "
                          "runtime error: integer divide by zero"},
        {"{{ first (list 1 2) }}{{ last (list 1 2) }} {{ quote \"a\\\"\" 1 }}",
         "12 \"a\\\"\" \"1\""},
        {"{{ indent 2 \"a\\nb\" }}", "  a\n  b"},
        {"{{ regexMatch \"^a\" \"abc\" }} {{ regexReplaceAll \"b(.)\" \"abc\" \"<$1>\" }}",
         "true a<c>"},
        {"{{ dateInZone \"15:04\" (index .Alerts 0).StartsAt \"Asia/Shanghai\" }} {{ now | date "
         "\"2006\" }}",
         "21:04 2025"},
        {"{{ duration 95 }} {{ b64enc \"hi\" }} {{ b64dec \"aGk=\" }}", "1m35s aGk= hi"},
        {"{{ repeat 3 \"x\" }} {{ trunc 2 \"abc\" }} {{ trunc -2 \"abc\" }} {{ toString 3 }}",
         "xxx ab bc 3"},
    };

    (void)state;
    bench_cases(tmpl_sprig_funcs, TEMPLATE_TEXT, cases, ARRAY_LEN(cases));
}

static void test_sprig_data(void **state)
{
    static const struct template_case cases[] = {
        {"{{ $d := dict \"a\" 1 }}{{ $e := $d }}{{ $_ := set $d \"b\" 2 }}{{ $e }} {{ $e.b }} {{ "
         "len "
         "$e }}",
         "map[a:1 b:2] 2 2"},
        {"{{ $d := dict \"a\" 1 \"b\" 2 }}{{ range $k, $v := $d }}{{ $_ := unset $d $k }}{{ $k "
         "}}{{ $v "
         "}}{{ end }} {{ len $d }}",
         "a1b2 0"},
        {"{{ $d := dict \"in\" (dict \"x\" 1) }}{{ $_ := set $d.in \"y\" 2 }}{{ $d }}",
         "map[in:map[x:1 y:2]]"},
        {"{{ $d := dict }}{{ set $d \"d\" $d }}", "!template: :1:19: executing \"\" at <set $d "
                                                  "\"d\" $d>: error calling set: a map cannot hold "
                                                  "itself, nor more than 500 levels"},
        {"{{ set .CommonLabels \"a\" 1 }}",
         "!template: :1:3: executing \"\" at <set .CommonLabels \"a\" 1>: error calling set: wrong "
         "type "
         "for value; expected map[string]interface {}; got template.KV"},
        {"{{ $d := dict \"a\" 1 }}{{ get $d \"a\" }}{{ get $d \"x\" }} {{ hasKey $d \"a\" }} {{ "
         "hasKey $d "
         "\"x\" }}",
         "1 true false"},
        {"{{ keys (dict \"b\" 1 \"a\" 2) }} {{ values (dict \"b\" 1 \"a\" 2) }} {{ pluck \"a\" "
         "(dict "
         "\"a\" 1) (dict \"a\" 2) (dict) }}",
         "[a b] [2 1] [1 2]"},
        {"{{ pick (dict \"a\" 1 \"b\" 2) \"a\" }} {{ omit (dict \"a\" 1 \"b\" 2) \"a\" }}",
         "map[a:1] map[b:2]"},
        {"{{ $d := dict \"a\" 1 \"m\" (dict \"x\" 1) }}{{ $_ := merge $d (dict \"a\" 9 \"b\" 2 "
         "\"m\" (dict "
         "\"y\" 2)) }}{{ $d }}",
         "map[a:1 b:2 m:map[x:1 y:2]]"},
        {"{{ mergeOverwrite (dict \"a\" 1) (dict \"a\" 9 \"b\" 2) }}", "map[a:9 b:2]"},
        {"{{ $d := dict \"m\" (dict \"x\" 1) }}{{ $c := deepCopy $d }}{{ $_ := set $d.m \"x\" 2 "
         "}}{{ $c "
         "}}{{ $d }}",
         "map[m:map[x:1]]map[m:map[x:2]]"},
        {"{{ dig \"a\" \"b\" 5 (dict \"a\" (dict \"b\" 3)) }} {{ dig \"a\" \"c\" 5 (dict \"a\" "
         "(dict)) }}",
         "3 5"},
        {"{{ rest (list 1 2 3) }} {{ initial (list 1 2 3) }} {{ append (list 1) 2 }} {{ prepend "
         "(list 1) 0 "
         "}} {{ concat (list 1) (list 2 3) }}",
         "[2 3] [1 2] [1 2] [0 1] [1 2 3]"},
        {"{{ reverse (list 1 2 3) }} {{ uniq (list 1 2 1) }} {{ without (list 1 2 3) 1 3 }} {{ has "
         "2 (list 1 "
         "2) }} {{ compact (list 0 1 \"\" 2) }} {{ chunk 2 (list 1 2 3) }}",
         "[3 2 1] [1 2] [2] true [1 2] [[1 2] [3]]"},
        {"{{ rest \"x\" }}",
         "!template: :1:3: executing \"\" at <rest \"x\">: error calling rest: cannot "
         "find rest on type string"},
        {"{{ sortAlpha (list \"b\" \"a\" 3) }} {{ toStrings (list 1 2) }} {{ all 1 0 }} {{ any 1 0 "
         "}}",
         "[3 a b] [1 2] false true"},
        {"{{ (fromJson \"{\\\"a\\\":[1,{\\\"b\\\":null}]}\").a }} {{ fromJson \"{\" }} {{ "
         "toRawJson (dict "
         "\"a\" \"<&\") }}",
         "[1 map[b:<nil>]] <no value> {\"a\":\"<&\"}"},
        {"{{ toPrettyJson (dict \"a\" (list 1 2) \"b\" (dict) \"c\" \"x:,{\") }}",
         "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": \"x:,{\"\n}"},
        {"{{ $l := list 1 }}{{ range 300000 }}{{ $l = list $l }}{{ end }}{{ toJson $l }}",
         "!template: :1:66: executing \"\" at <toJson $l>: error calling toJson: json: more than "
         "1000 "
         "levels"},
        {"{{ typeOf 1 }} {{ typeOf (list) }} {{ kindOf (dict) }} {{ kindIs \"string\" \"a\" }} {{ "
         "typeIs "
         "\"float64\" 1.5 }} {{ deepEqual (list 1 (dict \"a\" 2)) (list 1 (dict \"a\" 2)) }}",
         "int []interface {} map true true true"},
    };

    (void)state;
    bench_cases(tmpl_sprig_funcs, TEMPLATE_TEXT, cases, ARRAY_LEN(cases));
}

static void test_sprig_more(void **state)
{
    static const struct template_case cases[] = {
        {"{{ abbrev 5 \"hello world\" }} {{ abbrevboth 5 10 \"1234 5678 9123\" }} {{ initials "
         "\"First "
         "Try\" }} {{ untitle \"First Try\" }} {{ swapcase \"Hello\" }} {{ nospace \"a b c\" }}",
         "he... ...5678... FT first try hELLO abc"},
        {"{{ snakecase \"FirstName\" }} {{ snakecase \"HTTPServer\" }} {{ snakecase \"NoHTTPS\" }} "
         "{{ "
         "snakecase \"GO_PATH\" }} {{ snakecase \"GO PATH\" }} {{ snakecase \"http2xx\" }} {{ "
         "snakecase "
         "\"HTTP20xOK\" }} {{ snakecase \"Duration2m3s\" }} {{ snakecase \"Bld4Floor3rd\" }}",
         "first_name http_server no_https go_path go_path http_2xx http_20x_ok duration_2m3s "
         "bld4_floor_3rd"},
        {"{{ kebabcase \"FirstName\" }} {{ camelcase \"http_server\" }} {{ camelcase \"no_https\" "
         "}} {{ "
         "camelcase \"_complex__case_\" }} {{ camelcase \"some words\" }}",
         "first-name HttpServer NoHttps _Complex_Case_ SomeWords"},
        {"{{ wrap 5 \"one two three\" }}|{{ wrapWith 3 \"+\" \"abcdef gh\" }}",
         "one\ntwo\nthree|abc+def+gh"},
        {"{{ plural \"one\" \"many\" 1 }} {{ plural \"one\" \"many\" 0 }} {{ substr 0 5 \"hello "
         "world\" }} "
         "{{ substr 6 -1 \"hello world\" }} {{ cat \"a\" 1 nil \"b\" }} {{ squote \"a\" 1 }}{{ "
         "nindent 1 "
         "\"x\" }}",
         "one many hello world a 1 b 'a' '1'\n x"},
        {"{{ (split \"$\" \"foo$bar$baz\")._1 }} {{ (splitn \"$\" 2 \"foo$bar$baz\")._1 }} {{ "
         "b32enc \"hi\" "
         "}} {{ b32dec \"NBUQ====\" }}",
         "bar bar$baz NBUQ==== hi"},
        {"{{ atoi \"12\" }} {{ atoi \"x\" }} {{ toDecimal \"777\" }} {{ add1 1 }} {{ max 1 3 2 }} "
         "{{ min 1 3 "
         "2 }} {{ maxf 1 2.5 }} {{ ceil 1.1 }} {{ floor -1.1 }}",
         "12 0 511 2 3 1 2.5 2 -2"},
        {"{{ addf 1.1 2.2 }} {{ subf 7.5 2 3 }} {{ mulf 1.1 1.1 }} {{ divf 1 3 }} {{ add1f 1.5 }}",
         "3.3 2.5 1.21 0.3333333333333333 2.5"},
        {"{{ until 3 }} {{ untilStep 3 6 2 }} {{ untilStep 3 0 1 }} {{ seq 5 }} {{ seq -3 }} {{ "
         "seq 0 2 10 "
         "}} {{ seq 0 -2 -5 }}",
         "[0 1 2] [3 5] [] 1 2 3 4 5 1 0 -1 -2 -3 0 2 4 6 8 10 0 -2 -4"},
        {"{{ (dateModify \"-1h\" (index .Alerts 0).StartsAt).Hour }} {{ htmlDate (index .Alerts "
         "0).StartsAt "
         "}} {{ unixEpoch (index .Alerts 0).StartsAt }} {{ durationRound \"2h10m5s\" }} {{ "
         "durationRound "
         "\"2400h10m5s\" }} {{ htmlDateInZone 1e9 \"UTC\" }}",
         "12 2024-02-29 1709211845 2h 3mo 2025-01-01"},
        {"{{ mustDateModify \"x\" (index .Alerts 0).StartsAt }}",
         "!template: :1:3: executing \"\" at <mustDateModify \"x\" (index .Alerts 0).StartsAt>: "
         "error "
         "calling mustDateModify: time: invalid duration \"x\""},
        {"{{ regexFind \"[a-z][0-9]\" \"ab1c2\" }} {{ regexFindAll \"[2,4,6,8]\" \"123456789\" -1 "
         "}} {{ "
         "regexFindAll \"\\\\d\" \"123\" 2 }} {{ regexFindAll \"a*\" \"baac\" -1 }}",
         "b1 [2 4 6 8] [1 2] [ aa ]"},
        {"{{ regexSplit \"z+\" \"pizza\" -1 }} {{ regexSplit \",\" \"a,b,c\" 2 }} {{ regexSplit "
         "\"\" \"abc\" "
         "-1 }} {{ len (regexSplit \"a\" \"\" -1) }}",
         "[pi a] [a b,c] [a b c] 1"},
        {"{{ regexReplaceAllLiteral \"a(x*)b\" \"-ab-axxb-\" \"${1}\" }} {{ regexQuoteMeta "
         "\"1.2$\" }}",
         "-${1}-${1}- 1\\.2\\$"},
        {"{{ fail \"no\" }}",
         "!template: :1:3: executing \"\" at <fail \"no\">: error calling fail: no"},
        {"{{ env \"HOME\" }}",
         "!template: :1: function \"env\" is not available: templates do not read "
         "the environment"},
        {"{{ sha256sum \"a\" }}",
         "!template: :1: function \"sha256sum\" is not available: templates have no cryptography"},
        {"{{ noSuch }}", "!template: :1: function \"noSuch\" not defined"},
    };

    (void)state;
    bench_cases(tmpl_sprig_funcs, TEMPLATE_TEXT, cases, ARRAY_LEN(cases));
}

static void test_defaults(void **state)
{
    struct template_bench b;
    struct err e = ERR_INIT;
    struct messages *m = messages_new(S("en"), STR_NONE, false, &e);

    (void)state;
    bench_init(&b, tmpl_alertmanager_funcs);
    assert_true(template_exec(m->set, S("slack.default.fallback"), &b.run, &b.out, &e));
    assert_str(buf_str(&b.out), "[FIRING:1] Slow (api) | "
                                "http://am.example:9093/#/alerts?receiver=team-x");
    buf_clear(&b.out);
    b.run.mode = TEMPLATE_HTML;
    assert_true(template_exec(m->set, S("email.default.html"), &b.run, &b.out, &e));
    assert_true(str_find_str(buf_str(&b.out), S("2 alerts for")) > 0);
    assert_true(str_find_str(buf_str(&b.out), S("a &lt;b&gt; &amp;")) > 0);
    assert_true(str_find_str(buf_str(&b.out), S("href=\"#ZgotmplZ\"")) > 0);
    bench_release(&b);
    messages_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_counted_work),
        cmocka_unit_test(test_deadline),       cmocka_unit_test(test_places_of_limits),
        cmocka_unit_test(test_linear),         cmocka_unit_test(test_large_texts),
        cmocka_unit_test(test_bad_utf8),       cmocka_unit_test(test_check_limits),
        cmocka_unit_test(test_nesting),        cmocka_unit_test(test_replacing),
        cmocka_unit_test(test_rule_functions), cmocka_unit_test(test_newer_functions),
        cmocka_unit_test(test_far_times),      cmocka_unit_test(test_sprig),
        cmocka_unit_test(test_sprig_data),     cmocka_unit_test(test_sprig_more),
        cmocka_unit_test(test_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
