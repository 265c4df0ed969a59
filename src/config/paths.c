#include "config/paths.h"

#include <limits.h>
#include <unistd.h>
#include "base/buf.h"

/* Appends the parts of path to what is in b, which has no slash at its end. */
static void paths_append(struct buf *b, str path)
{
    while (path.n != 0) {
        str part = str_cut(&path, '/');

        if (str_is(part, "..")) {
            while (b->n != 0 && b->p[--b->n] != '/')
                ;
        } else if (part.n != 0 && !str_is(part, ".")) {
            buf_addc(b, '/');
            buf_add(b, part);
        }
    }
}

str path_absolute(str path, struct arena *a)
{
    char cwd[PATH_MAX];
    struct buf b = BUF_INIT;
    str out;

    if ((path.n == 0 || path.p[0] != '/') && getcwd(cwd, sizeof(cwd)) != NULL)
        paths_append(&b, str_of(cwd));
    paths_append(&b, path);
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}

str path_clean(str path, struct arena *a)
{
    str whole = path_absolute(path, a);

    if (str_starts_with(path, S("/")))
        return whole;
    return path_from(arena_printf(a, "%.*s/", STR(path_absolute(S(""), a))), whole, a);
}

str path_from(str from, str to, struct arena *a)
{
    size_t same = 0; /* bytes of the folders that both are in, with the slash */
    struct buf b = BUF_INIT;
    str out;

    for (size_t i = 0; i < from.n && i < to.n && from.p[i] == to.p[i]; i++)
        if (from.p[i] == '/')
            same = i + 1;
    for (size_t i = same; i < from.n; i++)
        if (from.p[i] == '/')
            buf_adds(&b, "../");
    buf_add(&b, str_sub(to, same, to.n));
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}
