#include "cli/schema.h"

#include <stdio.h>
#include "cli/manual.h"
#include "cli/say.h"
#include "collect/collect_conf.h"
#include "config/config.h"
#include "ruler/rule_file.h"
#include "ruletest/ruletest_file.h"
#include "schema/schema.h"
#include "slo/slo_file.h"

#define F struct schema_flags
const struct flag schema_flag_table[] = {
    FLAG(F, output, "output", FLAG_TEXT, "json", "FORMAT",
         "json (JSON Schema 2020-12, for editors) or markdown", .letter = 'o',
         .words = "json markdown"),
    FLAGS_END,
};
#undef F

/* Documents that have one form. */
static const struct {
    const char *kind;
    void (*print)(struct buf *out);
} manuals[] = {
    {"cli", manual_cli}, {"api", manual_api}, {"metrics", manual_metrics}, {"man", manual_page}};

static bool print_manual(const char *kind)
{
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(manuals); i++)
        if (strcmp(kind, manuals[i].kind) == 0)
            manuals[i].print(&out);
    if (out.n == 0)
        return false;
    say(stdout, "%.*s", STR(buf_str(&out)));
    buf_release(&out);
    return true;
}

int schema_run(const void *flags, char **args, int n_args)
{
    const struct schema_flags *f = flags;
    const char *kind = n_args == 0 ? "config" : args[0];
    bool as_markdown = strcmp(f->output, "markdown") == 0;
    const struct conf_type *type = strcmp(kind, "rules") == 0     ? &rule_file_type
                                   : strcmp(kind, "test") == 0    ? &ruletest_file_type
                                   : strcmp(kind, "slo") == 0     ? &slo_file_type
                                   : strcmp(kind, "collect") == 0 ? &collect_conf_type
                                                                  : NULL;
    struct buf out = BUF_INIT;

    if (n_args == 1 && print_manual(kind))
        return EXIT_OK;
    if (n_args > 1 || (type == NULL && strcmp(kind, "config") != 0)) {
        say(stderr,
            "tocsin: schema: config, rules, test, slo or collect; cli, api, metrics or man\n");
        return EXIT_USAGE;
    }
    if (!as_markdown && strcmp(f->output, "json") != 0) {
        say(stderr, "tocsin: --output: '%s' is none of json, markdown\n", f->output);
        return EXIT_USAGE;
    }
    if (type == NULL)
        (as_markdown ? config_print_markdown : config_print_json_schema)(&out);
    else
        (as_markdown ? conf_print_markdown : conf_print_json_schema)(&out, type);
    say(stdout, "%.*s%s", STR(buf_str(&out)), as_markdown ? "" : "\n");
    buf_release(&out);
    return EXIT_OK;
}
