#include "cli/storage.h"

#include <stdio.h>
#include "cli/say.h"
#include "state/verify.h"

const struct flag storage_verify_flags[] = {FLAGS_END};

int storage_verify_run(const void *flags, char **args, int n_args)
{
    struct buf out = BUF_INIT;
    struct err e = ERR_INIT;
    size_t damaged = 0;
    bool ok;

    (void)flags;
    if (n_args != 1) {
        fprintf(stderr, "tocsin: storage verify takes one folder\n");
        return EXIT_USAGE;
    }
    ok = state_verify(str_of(args[0]), &out, &damaged, &e);
    say(stdout, "%.*s", STR(buf_str(&out)));
    buf_release(&out);
    if (!ok)
        say(stderr, "tocsin: %s\n", e.msg);
    else if (damaged != 0)
        say(stderr, "tocsin: %zu files are damaged\n", damaged);
    return ok && damaged == 0 ? EXIT_OK : EXIT_FAILED;
}
