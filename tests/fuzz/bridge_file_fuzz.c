/* The DingTalk bridge's config.yml: what is refused is said, and what is taken has texts and robots. */
#include "tests_fuzz.h"

#include "config/bridge.h"
#include "notify/messages.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct bridge_file f = {.timeout = 0};
    struct yaml_doc doc;
    struct arena a;
    struct diags d;
    struct conf_run run = {.a = &a, .d = &d, .template_reads = messages_reads};

    arena_init(&a, 64 << 20);
    diags_init(&d);
    if (yaml_parse(arena_str(&a, (str){(const char *)data, size}), S("config.yml"), &a, &doc, &d) &&
        bridge_file_read(&run, &doc, &f)) {
        for (size_t i = 0; i < f.targets.n; i++)
            if (f.targets.v[i].name.n == 0 || f.targets.v[i].message.title.n == 0 ||
                f.targets.v[i].message.text.n == 0 || !secret_is_set(f.targets.v[i].url))
                __builtin_trap();
    } else if (d.errors == 0) {
        __builtin_trap();
    }
    diags_release(&d);
    arena_release(&a);
    return 0;
}
