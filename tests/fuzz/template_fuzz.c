/* template_fuzz.c - input: a template. It is parsed and executed as text and as a page, under small limits, with all
 * functions; queries find two samples. */
#include "tests_fuzz.h"

#include "notify/template_data.h"
#include "template/template.h"
#include "os/zones.h"

static bool query(void *arg, str expr, struct samples *out, struct err *e)
{
    static const struct label labels[] = {{S_INIT("a"), S_INIT("<x>")}};
    static struct sample v[] = {{.labels = {labels, 1}, .value = 1.5}, {.value = -1}};

    (void)arg;
    if (expr.n == 0)
        return err_set(e, ERR_INVALID, "no expression");
    *out = (struct samples){v, ARRAY_LEN(v)};
    return true;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct tmpl_func *const tables[] = {tmpl_alertmanager_funcs, tmpl_prometheus_funcs,
                                                     TMPL_SPRIG, NULL};
    static const struct label labels[] = {{S_INIT("alertname"), S_INIT("<Slow>")},
                                          {S_INIT("job"), S_INIT("a'b\"c")}};
    const struct notified_alert alert = {.labels = {labels, 2}, .ends_at = TS_NONE};
    const struct template_data d = {.receiver = S("r"),
                                    .status = S("firing"),
                                    .alerts = &alert,
                                    .n_alerts = 1,
                                    .common_labels = {labels, 2}};
    static const struct template_prometheus_host host = {.query = query};
    struct template_run run = {
        .data = template_data_value(&d),
        .host = &host,
        .load_zone = zone_load,
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
