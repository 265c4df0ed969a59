#include "cli/say.h"

#include <stdarg.h>
#include <unistd.h>
#include "base/buf.h"

static void say_put(FILE *out, str text)
{
    fwrite(text.n != 0 ? text.p : "", 1, text.n, out);
}

static void put_shown(FILE *out, str text)
{
    struct buf shown = BUF_INIT;

    buf_add_shown(&shown, text);
    say_put(out, buf_str(&shown));
    buf_release(&shown);
}

void say(FILE *out, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    put_shown(out, buf_str(&text));
    buf_release(&text);
}

void say_exactly(FILE *out, str text)
{
    if (isatty(fileno(out)))
        put_shown(out, text);
    else
        say_put(out, text);
}
