/* Any bytes as a configuration: loaded or refused with a reason; what is printed of a loaded one loads again. */
#include "config/config.h"
#include "tests_fuzz.h"

static struct config *load(str text, struct diags *d)
{
    struct config_text t = {S("f.yml"), text};
    struct config_options o = {.mode = MATCHER_FALLBACK, .without_rules = true};

    return config_load_texts(&t, 1, &o, d);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct diags d;
    struct config *c;

    diags_init(&d);
    c = load((str){(const char *)data, size}, &d);
    if ((c == NULL) != (d.errors != 0))
        __builtin_trap();
    if (c != NULL && c->route != NULL) {
        struct diags again;
        struct config *copy;

        diags_init(&again);
        copy = load(c->original, &again);
        config_unref(copy);
        diags_release(&again);
    }
    config_unref(c);
    diags_release(&d);
    return 0;
}
