/* Objectives: what is refused is said, and of what is taken come rules that can be read. */
#include "tests_fuzz.h"

#include "ruler/rule_file.h"
#include "slo/slo_rules.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct rule_file_options options = {.mode = MATCHER_FALLBACK};
    struct buf out = BUF_INIT;
    struct rule_file rules;
    struct slo_file f;
    struct arena a;
    struct diags d;

    arena_init(&a, 64 << 20);
    diags_init(&d);
    if (slo_file_parse(arena_str(&a, (str){(const char *)data, size}), S("slo.yml"), &a, &f, &d)) {
        slo_rules_print(&out, &f, S("slo.yml"));
        if (!rule_file_parse(arena_str(&a, buf_str(&out)), S("rules.yml"), &options, &a, &rules,
                             &d))
            __builtin_trap();
    } else if (d.errors == 0) {
        __builtin_trap();
    }
    buf_release(&out);
    diags_release(&d);
    arena_release(&a);
    return 0;
}
