/* regex_print.h - a parsed pattern as PCRE2 reads it, without any option but UTF. */
#ifndef REGEX_REGEX_PRINT_H
#define REGEX_REGEX_PRINT_H

#include "base/buf.h"
#include "regex/regex_ast.h"

void re_print(struct buf *out, const struct re_node *n);

#endif
