#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

/* vsnprintf that shows where text was cut. Returns the bytes in out. */
static size_t format(char *out, size_t cap, const char *fmt, va_list ap)
{
    int n = vsnprintf(out, cap, fmt, ap);

    if (n < 0) {
        out[0] = '\0';
        return 0;
    }
    if ((size_t)n < cap)
        return (size_t)n;
    memcpy(out + cap - 4, "...", 4);
    return cap - 1;
}

static void err_fill(struct err *e, enum err_code code, int line, int col, const char *fmt,
                     va_list ap)
{
    if (e == NULL)
        return;
    e->code = code;
    e->line = line;
    e->col = col;
    format(e->msg, sizeof(e->msg), fmt, ap);
}

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_fill(e, code, 0, 0, fmt, ap);
    va_end(ap);
    return false;
}

bool err_at(struct err *e, int line, int col, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_fill(e, ERR_INVALID, line, col, fmt, ap);
    va_end(ap);
    return false;
}

bool err_errno(struct err *e, int errnum, const char *fmt, ...)
{
    char reason[128];
    const char *why = strerror_r(errnum, reason, sizeof(reason));
    va_list ap;
    size_t n;

    if (e == NULL)
        return false;
    va_start(ap, fmt);
    err_fill(e, ERR_IO, 0, 0, fmt, ap);
    va_end(ap);
    n = strlen(e->msg);
    snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", why);
    return false;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
    char old[sizeof(e->msg)];
    va_list ap;
    size_t n;

    if (e == NULL)
        return false;
    memcpy(old, e->msg, sizeof(old));
    va_start(ap, fmt);
    n = format(e->msg, sizeof(e->msg), fmt, ap);
    va_end(ap);
    snprintf(e->msg + n, sizeof(e->msg) - n, ": %.*s", (int)(sizeof(old) - 1), old);
    return false;
}
