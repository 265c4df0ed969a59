/* verb.h - one value under one verb of a format: %v, %-5d, %+.3q.
 *
 * Errors   none: a verb that does not fit the value is written as Go does: %!d(string=x).
 * Shapes   lists, maps and objects to a depth of TMPL_PRINT_DEPTH, then "..."; an output past the arena's limit is not
 *          continued.
 * Source   Go fmt/print.go and fmt/format.go, in behaviour.
 */
#ifndef TEMPLATE_VERB_H
#define TEMPLATE_VERB_H

#include "template/value.h"

enum { TMPL_PRINT_DEPTH = 50 };

struct tmpl_spec {
    bool plus, minus, sharp, space, zero;
    bool has_width, has_precision;
    int width, precision;
    uint32_t verb;
};

struct tmpl_printer {
    struct tmpl_env *env;
    struct buf *out;
    unsigned depth; /* of the list, map or object that is being written */
};

void tmpl_verb_put(struct tmpl_printer *p, const struct tmpl_spec *s, const struct tmpl_value *v);

#endif
