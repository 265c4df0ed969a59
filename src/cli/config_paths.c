#include "cli/config_paths.h"

#include <stdlib.h>
#include "base/mem.h"

str *config_paths(struct flag_list files, size_t *n)
{
    const char *more = getenv("TOCSIN_CONFIG_FILES");
    str rest = str_of(more), *v;
    size_t room = files.n + 1, k = 0;

    for (size_t i = 0; i < rest.n; i++)
        room += rest.p[i] == ':';
    v = mem_array(room, sizeof(*v));
    for (size_t i = 0; i < files.n; i++)
        v[k++] = str_of(files.v[i]);
    while (rest.n != 0) {
        str path = str_cut(&rest, ':');

        if (path.n != 0)
            v[k++] = path;
    }
    *n = k;
    return v;
}
