/* collect.h - `tocsin collect`: an exporter of this host, for who has none (src/collect/collector.h). */
#ifndef CLI_COLLECT_H
#define CLI_COLLECT_H

#include "cli/command.h"

struct collect_flags {
    const char *config_file, *web_config, *log_level, *log_format;
    struct flag_list listen, nvidia_command, probes, processes;
    const char *text_folder;
    bool host, nvidia;
    dur_ns timeout, scrape_timeout;
};

extern const struct flag collect_flag_table[];

int collect_run(const void *flags, char **args, int n_args);

#endif
