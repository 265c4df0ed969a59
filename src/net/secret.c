#include "net/secret.h"

#include <string.h>
#include "os/file.h"

bool secret_read(struct secret s, struct arena *a, str *out, struct err *e)
{
    struct buf text = BUF_INIT;
    bool ok;

    if (s.file.n == 0) {
        *out = s.hidden;
        return true;
    }
    ok = file_read(s.file, FILE_REGULAR, SECRET_FILE_MAX, &text, e);
    if (ok)
        *out = arena_str(a, str_trim(buf_str(&text)));
    if (text.n != 0)
        explicit_bzero(text.p, text.n);
    buf_release(&text);
    return ok;
}
