/* template_bench.h - one notification, and tables of templates over it with their output or error. */
#ifndef TESTS_TEMPLATE_BENCH_H
#define TESTS_TEMPLATE_BENCH_H

#include "unit.h"

#include "notify/template_data.h"
#include "template/template.h"
#include "os/zones.h"

struct template_case {
    const char *text, *want; /* want: the output, or with '!' in front the error */
};

struct template_bench {
    struct template_set *set;
    struct template_data data;
    struct template_run run;
    struct arena arena;
    struct buf out;
};

static const char bench_json[] =
    "{\"receiver\":\"team-x\",\"status\":\"firing\",\"externalURL\":\"http://am.example:9093\","
    "\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"Slow\",\"severity\":"
    "\"critical\",\"gpu\":\"0\"},\"annotations\":{\"summary\":\"a <b> & 'c' \\\"d\\\"\",\"n\":"
    "\"12.5\"},\"startsAt\":\"2024-02-29T13:04:05.678Z\",\"endsAt\":\"0001-01-01T00:00:00Z\","
    "\"generatorURL\":\"http://p/graph?a=1&b=2\",\"fingerprint\":\"00000000deadbeef\"},"
    "{\"status\":\"resolved\",\"labels\":{\"alertname\":\"Slow\",\"severity\":\"warning\",\"gpu\":"
    "\"1\"},\"annotations\":{\"summary\":\"caf\\u00e9 \\u4f60\\u597d\"},\"startsAt\":"
    "\"2024-12-01T03:04:05Z\",\"endsAt\":\"2024-12-01T04:00:00Z\",\"generatorURL\":"
    "\"javascript:alert(1)\",\"fingerprint\":\"0123456789abcdef\"}],\"groupLabels\":{"
    "\"alertname\":\"Slow\"},\"commonLabels\":{\"alertname\":\"Slow\",\"job\":\"api\"},"
    "\"commonAnnotations\":{\"x\":\"1\"}}";

static inline void bench_init(struct template_bench *b, const struct tmpl_func *functions)
{
    static const struct tmpl_func *const sprig[] = {TMPL_SPRIG, NULL};
    const struct tmpl_func *const others[] = {functions, NULL};
    struct err e = ERR_INIT;

    *b = (struct template_bench){
        .set = template_set_new(functions == tmpl_sprig_funcs ? sprig : others)};
    arena_init(&b->arena, 0);
    assert_true(template_data_from_json(&b->arena, str_of(bench_json), &b->data, &e));
    b->run.data = template_data_value(&b->data);
    b->run.load_zone = zone_load;
    b->run.now = 1735689600 * NS_PER_S;
    assert_true(template_set_parse(
        b->set, S("a.tmpl"),
        S("{{ define \"t\" }}[{{ . }}]{{ end }}{{ define \"list\" }}{{ range . }}<{{ .Labels.gpu "
          "}}>{{ end }}{{ end }}{{ define \"r\" }}{{ template \"r\" . }}{{ end }}"),
        &e));
}

static inline void bench_release(struct template_bench *b)
{
    buf_release(&b->out);
    arena_release(&b->arena);
    template_set_free(b->set);
}

static inline void bench_cases(const struct tmpl_func *functions, enum template_mode mode,
                               const struct template_case *cases, size_t n)
{
    struct template_bench b;
    size_t wrong = 0;

    bench_init(&b, functions);
    b.run.mode = mode;
    for (size_t i = 0; i < n; i++) {
        struct err e = ERR_INIT;
        struct buf got = BUF_INIT;

        buf_clear(&b.out);
        if (template_exec_text(b.set, str_of(cases[i].text), &b.run, &b.out, &e))
            buf_add(&got, buf_str(&b.out));
        else
            buf_addf(&got, "!%s", e.msg);
        if (!str_is(buf_str(&got), cases[i].want)) {
            print_error("%s\n  got  %.*s\n  want %s\n", cases[i].text, STR(buf_str(&got)),
                        cases[i].want);
            wrong++;
        }
        buf_release(&got);
    }
    bench_release(&b);
    assert_int_equal(wrong, 0);
}

#endif
