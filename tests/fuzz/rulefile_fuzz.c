/* Any bytes as a rule file: loaded or refused with a reason. */
#include "ruler/rule_file.h"
#include "tests_fuzz.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct rule_file file;
    struct arena a;
    struct diags d;
    bool ok;

    arena_init(&a, 0);
    diags_init(&d);
    ok = rule_file_parse((str){(const char *)data, size}, S("f.yml"),
                         &(struct rule_file_options){0}, &a, &file, &d);
    if (ok == (d.errors != 0))
        __builtin_trap();
    diags_release(&d);
    arena_release(&a);
    return 0;
}
