/* err.h - why an operation failed, in the caller's own memory.
 *
 * A fallible function returns bool (true = done), takes struct err *e last, leaves its outputs untouched on failure,
 * and is must_check. Callers add context on the way up with err_wrap(). Documents with many faults use diags.h.
 *
 * Messages are lower case, say what failed first, and put the subject in quotes: "cannot open 'x': no such file".
 *
 * Shapes   one kilobyte of text, truncated with "..."; code for callers that act on it.
 * Owns     nothing; lives on a stack.
 */
#ifndef TOCSIN_ERR_H
#define TOCSIN_ERR_H

#include "tocsin/attr.h"
#include "tocsin/str.h"

enum err_code {
    ERR_NONE,
    ERR_INVALID, /* the input is wrong */
    ERR_LIMIT,   /* the input is larger than allowed */
    ERR_NOT_FOUND,
    ERR_CONFLICT, /* the input is right but not now */
    ERR_IO,       /* file, socket or peer */
    ERR_TIMEOUT,
    ERR_CORRUPT, /* what was stored is damaged */
    ERR_UNSUPPORTED,
};

struct err {
    enum err_code code;
    int line, col; /* 1-based place in the input, 0 = none */
    char msg[1024];
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        ERR_NONE, 0, 0, ""                                                                         \
    }

/* Each fills *e (NULL is fine) and returns false, so that "return err_set(e, ...)" reads as the failure it is. */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...) printf_like(3, 4);
bool err_at(struct err *e, int line, int col, const char *fmt, ...)
    printf_like(4, 5); /* ERR_INVALID with a place */
bool err_errno(struct err *e, int errnum, const char *fmt, ...)
    printf_like(3, 4);                                                /* ERR_IO, ": <strerror>" */
bool err_wrap(struct err *e, const char *fmt, ...) printf_like(2, 3); /* "<context>: <message>" */

#endif
