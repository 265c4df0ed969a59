#include "collect/pseudo_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "codec/float.h"

enum { PSEUDO_PIECE = 16 << 10 };

static bool pseudo_read_fd(int fd, struct buf *out, size_t max)
{
    while (out->n < max) {
        ssize_t k;

        if (out->cap - out->n < PSEUDO_PIECE / 4)
            buf_reserve(out, PSEUDO_PIECE);
        k = read(fd, out->p + out->n, out->cap - out->n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return false;
        if (k == 0)
            break;
        out->n += (size_t)k;
    }
    if (out->n > max)
        out->n = max;
    return true;
}

bool pseudo_read(struct buf *out, str root, const char *name, size_t max)
{
    char path[PSEUDO_PATH_MAX];
    int fd, was;
    bool ok;

    buf_clear(out);
    if ((size_t)snprintf(path, sizeof(path), "%.*s/%s", STR(root), name) >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    ok = pseudo_read_fd(fd, out, max);
    was = errno;
    close(fd);
    errno = was;
    return ok;
}

str pseudo_line(struct buf *out, str root, const char *name)
{
    str text;

    if (!pseudo_read(out, root, name, 4096))
        return STR_NONE;
    text = buf_str(out);
    return str_trim(str_cut(&text, '\n'));
}

str pseudo_cut_word(str *rest)
{
    size_t from = 0, to;

    while (from < rest->n && char_is_space(rest->p[from]))
        from++;
    for (to = from; to < rest->n && !char_is_space(rest->p[to]);)
        to++;
    str word = str_sub(*rest, from, to);

    *rest = str_sub(*rest, to, rest->n);
    return word;
}

bool pseudo_cut_u64(str *rest, uint64_t *v)
{
    return str_to_u64(pseudo_cut_word(rest), v);
}

bool pseudo_number(struct buf *out, str root, const char *name, double *v)
{
    str line = pseudo_line(out, root, name);
    uint64_t hex = 0;

    if (!str_starts_with(line, S("0x")))
        return float_parse(line, v, NULL);
    for (size_t i = 2; i < line.n; i++) {
        if (char_hex(line.p[i]) < 0)
            return false;
        hex = hex << 4 | (uint64_t)char_hex(line.p[i]);
    }
    *v = (double)hex;
    return true;
}
