/* regex_test.h - the Pike VM by itself, the oracle of the tests and fuzz targets. */
#ifndef REGEX_REGEX_TEST_H
#define REGEX_REGEX_TEST_H

#include "regex/regex.h"

bool regex_pike_captures(const struct regex *re, str subject, size_t from, size_t *groups,
                         size_t n_groups);

#endif
