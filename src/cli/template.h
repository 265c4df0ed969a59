/* template.h - tocsin template: renders templates without a server. */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "cli/command.h"

struct template_flags {
    struct flag_list globs;
    const char *text, *data, *type, *language, *style, *timezone;
};

extern const struct flag template_render_flags[];
int template_render_run(const void *flags, char **args, int n_args);

#endif
