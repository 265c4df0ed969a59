/* relabel_fuzz.c - relabel_configs as YAML, applied to a fixed set of labels: what comes out is a label set again. */
#include "tests_fuzz.h"

#include "model/labels.h"
#include "schema/relabel_conf.h"
#include "schema/schema.h"

struct holder {
    struct relabel_rules rules;
};

static const struct conf_key keys[] = {
    CONF_KEY(struct holder, rules, CONF_LIST, "rules", .sub = &relabel_conf_type,
             .flags = CONF_NO_NULLS),
    CONF_KEYS_END,
};
static const struct conf_type holder_type = {
    .name = "holder", .keys = keys, .size = sizeof(struct holder)};

static const struct label set[] = {
    {S_INIT("__address__"), S_INIT("10.0.0.1:9100")},
    {S_INIT("__meta_a"), S_INIT("x")},
    {S_INIT("a"), S_INIT("foo")},
    {S_INIT("b"), S_INIT("b\xc3\xa4r\n")},
    {S_INIT("job"), S_INIT("node")},
};

static void apply(const struct relabel_rules *rules, struct arena *a)
{
    struct labels out;

    if (!relabel(rules, (struct labels){set, ARRAY_LEN(set)}, a, &out))
        return;
    for (size_t i = 0; i < out.n; i++)
        if (out.v[i].value.n == 0 || (i != 0 && str_cmp(out.v[i - 1].name, out.v[i].name) >= 0))
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena a;
    struct diags d;
    struct yaml_doc doc;
    struct conf_run run = {.a = &a, .d = &d};
    struct holder h = {0};

    arena_init(&a, 0);
    diags_init(&d);
    if (yaml_parse((str){(const char *)data, size}, S("in"), &a, &doc, &d)) {
        struct conf_part part = {&doc, doc.root};

        if (conf_decode(&run, &part, 1, (struct conf_layer){&holder_type, &h, NULL}))
            apply(&h.rules, &a);
    }
    relabel_rules_release(&h.rules);
    diags_release(&d);
    arena_release(&a);
    return 0;
}
