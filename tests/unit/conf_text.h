/* conf_text.h - a configuration of a text, for tests; a text with a problem fails the test and says which. */
#ifndef UNIT_CONF_TEXT_H
#define UNIT_CONF_TEXT_H

#include "unit.h"

#include "config/config.h"

static inline struct config *config_of_text(const char *path, str text)
{
    struct config_text file = {.path = str_of(path), .text = text};
    struct config_options o = {.mode = MATCHER_FALLBACK};
    struct config *c;
    struct diags d;

    diags_init(&d);
    c = config_load_texts(&file, 1, &o, &d);
    for (size_t i = 0; c == NULL && i < d.n; i++)
        print_error("%.*s\n", STR(d.v[i].message));
    assert_non_null(c);
    diags_release(&d);
    return c;
}

#endif
