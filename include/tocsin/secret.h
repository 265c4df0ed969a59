/* secret.h - a value that is never logged, never stored and printed as <secret>.
 *
 * A secret is given inline or as the name of a file that is read at each use. It has its own type so that it cannot
 * be formatted by accident.
 */
#ifndef TOCSIN_SECRET_H
#define TOCSIN_SECRET_H

#include "tocsin/str.h"

struct secret {
    str hidden; /* the inline value; empty when it comes from a file */
    str file;   /* path as configured; empty when inline */
};

static inline bool secret_is_set(struct secret s)
{
    return s.hidden.n != 0 || s.file.n != 0;
}

#endif
