#include "cli/import_dingtalk.h"

#include <stdio.h>
#include <string.h>
#include "bridge/dingtalk_config.h"
#include "cli/say.h"
#include "lint/render.h"
#include "os/file.h"

#define F struct import_dingtalk_flags
const struct flag import_dingtalk_flag_table[] = {
    FLAG(F, to_file, "to-file", FLAG_TEXT, "-", "FILE",
         "write it there, for its owner alone; \"-\" is standard output"),
    FLAGS_END,
};
#undef F

static bool put_out(const char *path, str text)
{
    struct err e = ERR_INIT;

    if (strcmp(path, "-") == 0) {
        fwrite(text.p, 1, text.n, stdout);
        return fflush(stdout) == 0;
    }
    if (file_replace(str_of(path), text, &e))
        return true;
    say(stderr, "tocsin: %s\n", e.msg);
    return false;
}

int import_dingtalk_run(const void *flags, char **args, int n_args)
{
    const struct import_dingtalk_flags *f = flags;
    struct buf text = BUF_INIT;
    struct diags d;
    bool ok;

    if (n_args != 1) {
        say(stderr, "tocsin: import dingtalk needs one file, the bridge's config.yml\n");
        return EXIT_USAGE;
    }
    diags_init(&d);
    ok = dingtalk_config_print(str_of(args[0]), &text, &d);
    if (d.n != 0)
        diags_print(stderr, &d);
    ok = ok && put_out(f->to_file, buf_str(&text));
    diags_release(&d);
    buf_release(&text);
    return ok ? EXIT_OK : EXIT_FAILED;
}
