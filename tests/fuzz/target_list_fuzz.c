/* target_list_fuzz.c - a list of targets, as JSON by the first byte's bit and else as YAML: what is taken has
 * its meta label and valid names, sorted, and a list that is taken is taken again. An address may be empty: relabeling may give one. */
#include "tests_fuzz.h"

#include "discovery/target_list.h"
#include "model/labels.h"

static bool read_list(struct target_list *l, bool is_json, str text, struct err *e)
{
    const struct label meta = {S("__meta_url"), S("u")};

    return is_json ? target_list_read_json(l, text, meta, e)
                   : target_list_read_yaml(l, text, meta, e);
}

static void check(const struct labels *ls)
{
    if (!str_is(labels_get(*ls, S("__meta_url")), "u"))
        __builtin_trap();
    for (size_t i = 0; i < ls->n; i++)
        if (!label_name_is_utf8(ls->v[i].name) ||
            (i != 0 && str_cmp(ls->v[i - 1].name, ls->v[i].name) >= 0))
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct target_list once, twice;
    struct err e = ERR_INIT;
    str text = {(const char *)data + 1, size - 1};
    bool is_json, ok;

    if (size == 0)
        return 0;
    is_json = (data[0] & 1) != 0;
    target_list_init(&once);
    target_list_init(&twice);
    ok = read_list(&once, is_json, text, &e);
    if (ok != (e.code == ERR_NONE) || (!ok && e.msg[0] == '\0'))
        __builtin_trap();
    VEC_EACH (const struct labels *, ls, &once.v)
        check(ls);
    e = (struct err)ERR_INIT;
    if (read_list(&twice, is_json, text, &e) != ok || once.v.n != twice.v.n)
        __builtin_trap();
    target_list_release(&once);
    target_list_release(&twice);
    return 0;
}
