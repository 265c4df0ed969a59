#include "cli/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "cli/say.h"
#include "lint/lint.h"
#include "lint/render.h"

#define F struct lint_flags
const struct flag lint_flag_table[] = {
    FLAG(F, output, "output", FLAG_TEXT, "text", "FORMAT", "text, json or github", .letter = 'o',
         .words = "text json github"),
    FLAG(F, fail_on, "fail-on", FLAG_TEXT, "error", "LEVEL",
         "the least severity that makes the exit code 1: error, warning or info",
         .words = "error warning info"),
    FLAG(F, as, "as", FLAG_TEXT, "", "KIND",
         "what the files are, whatever they look like: config, rules, test or dingtalk",
         .words = "config rules test"),
    FLAG(F, space_label, "enforced-namespace-label", FLAG_TEXT, "", "NAME",
         "check PrometheusRule files as rule_files with this enforced_namespace_label would"),
    FLAG(F, quiet, "quiet", FLAG_BOOL, NULL, NULL, "no summary, and no findings below warning",
         .letter = 'q'),
    FLAGS_END,
};
#undef F

static bool lint_read_all(FILE *f, struct buf *out)
{
    char piece[65536];
    size_t n;

    while ((n = fread(piece, 1, sizeof(piece), f)) != 0)
        buf_add(out, (str){piece, n});
    return !ferror(f);
}

static struct lint_result lint_check(char **args, int n, const struct lint_options *o,
                                     struct diags *d)
{
    struct lint_result r = {0};
    str *paths = mem_array((size_t)n, sizeof(*paths));
    size_t k = 0;

    for (int i = 0; i < n; i++) {
        struct buf text = BUF_INIT;

        if (strcmp(args[i], "-") != 0) {
            paths[k++] = str_of(args[i]);
            continue;
        }
        if (lint_read_all(stdin, &text))
            r = lint_text(buf_str(&text), S("<stdin>"), o, d);
        buf_release(&text);
    }
    if (k != 0) {
        struct lint_result more = lint_paths(paths, k, o, d);

        r.configs += more.configs;
        r.rule_files += more.rule_files;
        r.rules += more.rules;
        r.skipped += more.skipped;
    }
    mem_free(paths);
    return r;
}

int lint_run(const void *flags, char **args, int n_args)
{
    const struct lint_flags *f = flags;
    struct render_options ro = {.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
                                .least = f->quiet ? DIAG_WARNING : DIAG_INFO};
    struct lint_options o = {.mode = MATCHER_FALLBACK,
                             .is_known = f->as[0] != '\0',
                             .space_label = str_of(f->space_label)};
    enum diag_severity fail_on;
    struct lint_result r;
    struct diags d;
    struct buf out = BUF_INIT;
    bool fails;

    if (!render_format_parse(str_of(f->output), &ro.format)) {
        say(stderr, "tocsin: --output: '%s' is none of text, json, github\n", f->output);
        return EXIT_USAGE;
    }
    if (!diag_severity_parse(str_of(f->fail_on), &fail_on)) {
        say(stderr, "tocsin: --fail-on: '%s' is none of error, warning, info\n", f->fail_on);
        return EXIT_USAGE;
    }
    if (o.is_known && !lint_kind_parse(str_of(f->as), &o.kind)) {
        say(stderr, "tocsin: --as: '%s' is none of config, rules, test, dingtalk\n", f->as);
        return EXIT_USAGE;
    }
    if (n_args == 0) {
        say(stderr, "tocsin: lint needs files or folders ('-' is standard input)\n");
        return EXIT_USAGE;
    }
    diags_init(&d);
    r = lint_check(args, n_args, &o, &d);
    diags_render(&out, &d, &ro);
    fwrite(out.n != 0 ? out.p : "", 1, out.n, stdout); /* shown already */
    if (ro.format == RENDER_TEXT && !f->quiet)
        say(stdout, "%zu configurations, %zu rule files with %zu rules, %zu skipped\n", r.configs,
            r.rule_files, r.rules, r.skipped);
    fails = lint_fails(&d, fail_on);
    if (r.configs + r.rule_files + r.skipped == 0 && d.errors == 0) {
        say(stderr, "tocsin: there is nothing to check: no .yml or .yaml file is in there\n");
        fails = true;
    }
    diags_release(&d);
    buf_release(&out);
    return fails ? EXIT_FAILED : EXIT_OK;
}
