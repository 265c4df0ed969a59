/* What findings say is meant, put into the files. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "lint/lint.h"
#include "os/file.h"

enum { FIXED_MAX = 16 << 20 };

static int fix_order(const void *a, const void *b)
{
    const struct diag *x = a, *y = b;
    int c = str_cmp(x->place.file, y->place.file);

    return c != 0 ? c : (x->place.at > y->place.at) - (x->place.at < y->place.at);
}

/* The n fixes are of one file, in its order. Of two that overlap the first is taken. */
static size_t fix_text(str text, const struct diag *v, size_t n, struct buf *out)
{
    size_t done = 0, at = 0;

    for (size_t i = 0; i < n; i++) {
        const struct diag_place *p = &v[i].place;

        if (p->at < at || p->len > text.n || p->at > text.n - p->len)
            continue;
        buf_add(out, str_sub(text, at, p->at));
        buf_add(out, v[i].fix);
        at = p->at + p->len;
        done++;
    }
    buf_add(out, str_sub(text, at, text.n));
    return done;
}

/* A link stays one, and the file keeps its mode. */
static bool write_back(const char *path, str text, struct err *e)
{
    char *real = realpath(path, NULL);
    struct stat st;
    bool ok;

    if (real == NULL || stat(real, &st) != 0) {
        free(real);
        return err_set(e, ERR_IO, "%s", strerror(errno));
    }
    ok = file_replace(str_of(real), text, e);
    if (ok && chmod(real, st.st_mode & 07777) != 0)
        ok = err_set(e, ERR_IO, "its mode: %s", strerror(errno));
    free(real);
    return ok;
}

static size_t fix_file(struct diags *d, const struct diag *v, size_t n)
{
    str path = v[0].place.file;
    struct buf text = BUF_INIT, out = BUF_INIT;
    struct err e = ERR_INIT;
    size_t done = 0;
    bool ok = file_read(path, FILE_REGULAR, FIXED_MAX, &text, &e);

    if (ok) {
        done = fix_text(buf_str(&text), v, n, &out);
        ok = done == 0 || write_back(path.p, buf_str(&out), &e);
    }
    if (!ok)
        diags_add(d, DIAG_ERROR, "C000", (struct diag_place){.file = path}, "cannot be mended: %s",
                  e.msg);
    buf_release(&text);
    buf_release(&out);
    return ok ? done : 0;
}

size_t lint_fix(struct diags *d, size_t *files)
{
    struct diag *v = mem_array(d->n, sizeof(*v)); /* copies: more may be added meanwhile */
    size_t n = 0, done = 0;

    *files = 0;
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].has_fix && d->v[i].place.len != 0 && d->v[i].place.file.n != 0)
            v[n++] = d->v[i];
    if (n != 0)
        qsort(v, n, sizeof(*v), fix_order);
    for (size_t i = 0, k; i < n; i = k) {
        size_t here;

        for (k = i; k < n && str_eq(v[k].place.file, v[i].place.file); k++)
            ;
        here = fix_file(d, &v[i], k - i);
        done += here;
        *files += here != 0;
    }
    mem_free(v);
    return done;
}
