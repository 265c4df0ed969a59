/* ruletest_fuzz.c - any bytes as a file of unit tests of rules: refused with a reason, or its cases run over two groups, where
 * they are short. */
#include "tests_fuzz.h"

#include "ruler/rule_file.h"
#include "ruletest/ruletest_priv.h"

enum { TICKS = 50, BYTES_MAX = 16 << 20 };

static const str rules = S_INIT("groups:\n"
                                "- name: first\n"
                                "  rules:\n"
                                "  - {record: a, expr: 'sum by (l) (x) + 1'}\n"
                                "  - {record: h, expr: 'rate(y[5m])'}\n"
                                "- name: second\n"
                                "  rules:\n"
                                "  - alert: X\n"
                                "    expr: a > 1\n"
                                "    for: 1m\n"
                                "    keep_firing_for: 2m\n"
                                "    labels: {severity: s}\n"
                                "    annotations: {text: '{{ $value }} of {{ $labels.l }} at "
                                "{{ $externalLabels.site }}, {{ $externalURL }}'}\n");

static bool is_short(const struct ruletest_file *f, const struct ruletest_case *c)
{
    dur_ns most = f->evaluation_interval < NS_PER_D ? TICKS * f->evaluation_interval : NS_PER_D;

    for (size_t i = 0; i < c->alerts.n; i++)
        if (c->alerts.v[i].eval_time > most)
            return false;
    for (size_t i = 0; i < c->exprs.n; i++)
        if (c->exprs.v[i].eval_time > most)
            return false;
    return true;
}

static void run(const struct ruletest_file *f, const struct ruletest_case *c)
{
    struct ruletest_report report;
    struct rule_file file;
    struct arena a;
    struct diags d;
    struct ruletest t = {.file = f, .test = c, .report = &report, .a = &a};

    arena_init(&a, 0);
    diags_init(&d);
    ruletest_report_init(&report);
    if (!rule_file_parse(rules, S("rules.yml"), &(struct rule_file_options){0}, &a, &file, &d))
        __builtin_trap();
    for (size_t i = 0; i < file.n_groups; i++) {
        file.groups[i].interval = f->evaluation_interval;
        for (size_t k = 0; k < file.groups[i].n_rules; k++)
            file.groups[i].rules[k].is_own = true;
    }
    t.confs = file.groups;
    t.n_confs = file.n_groups;
    ruletest_run_case(&t);
    buf_release(&t.failure);
    ruletest_report_release(&report);
    diags_release(&d);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct ruletest_file f;
    struct arena a;
    struct diags d;
    bool ok;

    arena_init(&a, 0);
    diags_init(&d);
    ok = ruletest_file_parse((str){(const char *)data, size}, S("tests.yml"), &a, &f, &d);
    if (ok != (d.errors == 0))
        __builtin_trap();
    for (size_t i = 0; ok && i < f.tests.n && a.used < BYTES_MAX; i++)
        if (is_short(&f, &f.tests.v[i]))
            run(&f, &f.tests.v[i]);
    diags_release(&d);
    arena_release(&a);
    return 0;
}
