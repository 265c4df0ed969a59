#include "cli/slo.h"

#include <stdio.h>
#include <string.h>
#include "cli/say.h"
#include "codec/yaml.h"
#include "lint/render.h"
#include "os/file.h"
#include "slo/slo_rules.h"

static const char *slo_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static bool print_rules(const char *path, struct diags *d)
{
    struct buf text = BUF_INIT, out = BUF_INIT;
    struct err e = ERR_INIT;
    struct slo_file f;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = file_read(str_of(path), FILE_OR_PIPE, YAML_MAX, &text, &e);
    if (!ok)
        say(stderr, "tocsin: %s\n", e.msg);
    ok = ok && slo_file_parse(buf_str(&text), str_of(path), &a, &f, d);
    if (ok) {
        slo_rules_print(&out, &f, str_of(slo_file_name(path)));
        ok = fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
    }
    arena_release(&a);
    buf_release(&out);
    buf_release(&text);
    return ok;
}

int slo_run(const void *flags, char **args, int n_args)
{
    struct diags d;
    bool ok;

    (void)flags;
    if (n_args != 1) {
        say(stderr, "tocsin: slo needs one file of objectives\n");
        return EXIT_USAGE;
    }
    diags_init(&d);
    ok = print_rules(args[0], &d);
    if (d.n != 0)
        diags_print(stderr, &d);
    diags_release(&d);
    return ok ? EXIT_OK : EXIT_FAILED;
}
