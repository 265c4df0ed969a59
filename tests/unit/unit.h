/* unit.h - what every unit test includes first: cmocka and assertions on our own types. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/str.h"

static inline void assert_str_(str got, const char *want, const char *file, int line)
{
    if (str_is(got, want))
        return;
    print_error("got  \"%.*s\"\nwant \"%s\"\n", STR(got), want);
    _fail(file, line);
}
#define assert_str(got, want) assert_str_((got), (want), __FILE__, __LINE__)

#endif
