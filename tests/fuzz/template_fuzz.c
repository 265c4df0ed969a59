/* template_fuzz.c - input: a template. It is parsed and executed as text and as a page, under small limits. */
#include "tests_fuzz.h"

#include "notify/template_data.h"
#include "template/template.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct tmpl_func *const tables[] = {tmpl_alertmanager_funcs, tmpl_prometheus_funcs,
                                                     NULL};
    static const struct label labels[] = {{S_INIT("alertname"), S_INIT("<Slow>")},
                                          {S_INIT("job"), S_INIT("a'b\"c")}};
    const struct notified_alert alert = {.labels = {labels, 2}, .ends_at = TS_NONE};
    const struct template_data d = {.receiver = S("r"),
                                    .status = S("firing"),
                                    .alerts = &alert,
                                    .n_alerts = 1,
                                    .common_labels = {labels, 2}};
    struct template_run run = {
        .data = template_data_value(&d),
        .limits = {.steps = 20000, .output = 100000, .memory = 1000000, .depth = 100}};
    struct template_set *set;
    struct buf out = BUF_INIT;

    if (size > 5000)
        return 0;
    set = template_set_new(tables);
    for (run.mode = TEMPLATE_TEXT; run.mode <= TEMPLATE_HTML; run.mode++) {
        struct err e = ERR_INIT;

        if (!template_exec_text(set, (str){(const char *)data, size}, &run, &out, &e) &&
            e.msg[0] == '\0')
            __builtin_trap();
    }
    template_set_free(set);
    buf_release(&out);
    return 0;
}
