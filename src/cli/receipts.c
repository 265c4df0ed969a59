/* tocsin receiver receipts [NAME...]: at which addresses services are to tell how calls went. Where a call does not name the
 * address itself it is to be entered in the service's console. It lets in whoever knows it, so it is shown nowhere else. */
#include "cli/receipts.h"

#include <unistd.h>
#include "base/mem.h"
#include "cli/config_paths.h"
#include "cli/say.h"
#include "config/config.h"
#include "lint/render.h"
#include "notify/receipts.h"
#include "os/log.h"

const struct flag receipts_flag_table[] = {
    FLAG(struct receipts_flags, config_files, "config.file", FLAG_LIST, NULL, "FILE",
         "configuration, repeated; alertmanager.yml when not given"),
    FLAGS_END,
};

struct receipts_shown {
    size_t n;
    bool failed;
};

static void receipts_show(const struct receiver_conf *rc, struct arena *a, struct receipts_shown *x)
{
    for (size_t i = 0; i < rc->n_integrations; i++) {
        const struct integration_conf *ic = &rc->integrations[i];
        struct err e = ERR_INIT;
        str url;

        if (receipts_url(ic, a, &url, &e)) {
            say(stdout, "%.*s/%s[%u] %.*s\n", STR(rc->name), ic->type->name, ic->index, STR(url));
            x->n++;
        } else if (e.msg[0] != '\0') {
            say(stderr, "tocsin: %.*s/%s[%u]: %s\n", STR(rc->name), ic->type->name, ic->index,
                e.msg);
            x->failed = true;
        }
    }
}

static bool receipts_is_named(char **args, int n_args, str name)
{
    for (int i = 0; i < n_args; i++)
        if (str_is(name, args[i]))
            return true;
    return n_args == 0;
}

static int receipts_of(const struct config *c, char **args, int n_args)
{
    struct receipts_shown x = {0};
    struct arena a;

    for (int i = 0; i < n_args; i++)
        if (config_receiver(c, str_of(args[i])) == NULL) {
            say(stderr, "tocsin: there is no receiver '%s'\n", args[i]);
            return EXIT_FAILED;
        }
    arena_init(&a, 0);
    for (size_t i = 0; i < c->n_receivers; i++)
        if (receipts_is_named(args, n_args, c->receivers[i].name))
            receipts_show(&c->receivers[i], &a, &x);
    arena_release(&a);
    if (x.n == 0 && !x.failed)
        say(stderr, "tocsin: no service tells how calls went: \"receipt_url\" is not set\n");
    return x.n == 0 || x.failed ? EXIT_FAILED : EXIT_OK;
}

int receipts_run(const void *flags, char **args, int n_args)
{
    static const char *usual[] = {"alertmanager.yml"};
    const struct receipts_flags *f = flags;
    struct config_options o = {.without_rules = true};
    str *paths =
        config_paths(f->config_files.n != 0 ? f->config_files : (struct flag_list){usual, 1, 1},
                     &o.n_paths);
    struct config *c;
    struct diags d;
    int code = EXIT_FAILED;

    log_setup(LOG_ERROR, LOG_LOGFMT, STDERR_FILENO);
    diags_init(&d);
    o.paths = paths;
    c = config_load(&o, &d);
    if (c == NULL)
        diags_print(stderr, &d);
    else
        code = receipts_of(c, args, n_args);
    config_unref(c);
    diags_release(&d);
    mem_free(paths);
    return code;
}
