#include "net/secret.h"

#include <string.h>
#include "os/file.h"

static bool secret_read_up_to(struct secret s, size_t max, struct arena *a, str *out, struct err *e)
{
    struct buf text = BUF_INIT;
    bool ok;

    if (s.file.n == 0) {
        *out = s.hidden;
        return true;
    }
    ok = file_read(s.file, FILE_REGULAR, max, &text, e);
    if (ok)
        *out = arena_str(a, str_trim(buf_str(&text)));
    if (text.n != 0)
        explicit_bzero(text.p, text.n);
    buf_release(&text);
    return ok;
}

bool secret_read(struct secret s, struct arena *a, str *out, struct err *e)
{
    return secret_read_up_to(s, SECRET_FILE_MAX, a, out, e);
}

bool secret_read_certificates(struct secret s, struct arena *a, str *out, struct err *e)
{
    return secret_read_up_to(s, CERTIFICATES_MAX, a, out, e);
}
