/* test.h - tocsin test. */
#ifndef CLI_TEST_H
#define CLI_TEST_H

#include "cli/command.h"

struct test_flags {
    struct flag_list run;
    const char *junit, *output;
    bool coverage, quiet;
};

extern const struct flag test_flag_table[];
int test_run(const void *flags, char **args, int n_args);

#endif
