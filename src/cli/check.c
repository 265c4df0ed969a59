/* What promtool's commands of these names say yes and no to; the words are lint's. */
#include "cli/check.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "cli/lint.h"
#include "cli/say.h"
#include "lint/lint.h"
#include "lint/lint_page.h"
#include "lint/render.h"
#include "net/web_conf.h"
#include "net/web_tls.h"

#define F struct check_flags
const struct flag check_metrics_flags[] = {
    FLAG(F, output, "output", FLAG_TEXT, "text", "FORMAT",
         "text, json, github, sarif, junit or checkstyle", .letter = 'o', .words = RENDER_FORMATS),
    FLAG(F, fail_on, "fail-on", FLAG_TEXT, "warning", "LEVEL",
         "the least severity that makes the exit code 1: error, warning or info",
         .words = "error warning info"),
    FLAG(F, color, "color", FLAG_TEXT, "auto", "WHEN", "auto (a terminal), always or never",
         .words = "auto always never"),
    FLAGS_END,
};
#undef F

static int check_print(const struct check_flags *f, const struct diags *d)
{
    struct render_options o = {.colour = lint_wants_color(f->color), .least = DIAG_INFO};
    enum diag_severity fail_on = DIAG_WARNING;
    struct buf out = BUF_INIT;

    if (!render_format_parse(str_of(f->output), &o.format) ||
        !diag_severity_parse(str_of(f->fail_on), &fail_on)) {
        say(stderr,
            "tocsin: --output is one of " RENDER_FORMATS ", --fail-on of error, warning, info\n");
        return EXIT_USAGE;
    }
    diags_render(&out, d, &o);
    fwrite(out.n != 0 ? out.p : "", 1, out.n, stdout);
    buf_release(&out);
    return lint_fails(d, fail_on) ? EXIT_FAILED : EXIT_OK;
}

int check_metrics_run(const void *flags, char **args, int n_args)
{
    const char *from = n_args != 0 ? args[0] : "-";
    struct buf first = BUF_INIT, second = BUF_INIT;
    struct timespec now;
    struct diags d;
    int code = EXIT_FAILED;

    if (n_args > 1) {
        say(stderr, "tocsin: check metrics takes one file or URL, or standard input\n");
        return EXIT_USAGE;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    diags_init(&d);
    if (lint_read_metrics(from, &first, &second)) {
        lint_page(strcmp(from, "-") == 0 ? S("<stdin>") : str_of(from), buf_str(&first),
                  buf_str(&second), (ts_ms)now.tv_sec * 1000, &d);
        code = check_print(flags, &d);
    }
    diags_release(&d);
    buf_release(&first);
    buf_release(&second);
    return code;
}

/* Keys and certificates are read, too: that is where it fails at the start of a server. */
static bool check_web_file(const char *path, struct diags *d)
{
    struct web_conf conf;
    struct err e = ERR_INIT;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = web_conf_load(str_of(path), &a, &conf, d, &e);
    if (ok && conf.tls != NULL) {
        SSL_CTX *tls = web_tls_new(conf.tls, &e);

        ok = tls != NULL;
        SSL_CTX_free(tls);
    }
    if (!ok && d->n == 0)
        say(stderr, "tocsin: %s: %s\n", path, e.msg);
    arena_release(&a);
    return ok;
}

int check_web_config_run(const void *flags, char **args, int n_args)
{
    int code = EXIT_OK;

    (void)flags;
    if (n_args == 0) {
        say(stderr, "tocsin: check web-config needs a file, or several\n");
        return EXIT_USAGE;
    }
    for (int i = 0; i < n_args; i++) {
        struct diags d;
        bool ok;

        diags_init(&d);
        ok = check_web_file(args[i], &d);
        if (d.n != 0)
            diags_print(stderr, &d);
        diags_release(&d);
        say(stdout, "%s: %s\n", args[i], ok ? "ok" : "refused");
        if (!ok)
            code = EXIT_FAILED;
    }
    return code;
}
