#include "state/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "os/record_file.h"

enum { PIECE = 256 << 10 };

void state_path(char out[STATE_PATH], str dir, const char *name)
{
    snprintf(out, STATE_PATH, "%.*s/%s", STR(dir), name);
}

/* -- reading -- */

static int open_in(int folder, str name, int flags)
{
    char z[STATE_PATH];

    if (name.n == 0 || name.n >= sizeof(z)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(z, sizeof(z), "%.*s", STR(name));
    return openat(folder, z, flags | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Through the folder that the name says, if any: it may be a link no more than the file. */
static int open_below(int folder, str name)
{
    str file = name, inner = str_cut(&file, '/');
    int fd, saved;

    if (file.p == NULL)
        return open_in(folder, name, O_NONBLOCK | O_NOCTTY);
    folder = open_in(folder, inner, O_DIRECTORY);
    if (folder < 0)
        return -1;
    fd = open_in(folder, file, O_NONBLOCK | O_NOCTTY);
    saved = errno;
    close(folder);
    errno = saved;
    return fd;
}

int state_open_plain(str dir, str name, uint64_t *size, struct err *e)
{
    char path[STATE_PATH];
    struct stat st;
    int folder, fd, why;

    state_path(path, dir, ".");
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = folder >= 0 ? open_below(folder, name) : -1;
    why = errno;
    if (folder >= 0)
        close(folder);
    if (fd < 0 && (why == ELOOP || why == ENOTDIR))
        err_set(e, ERR_CORRUPT, "'%.*s/%.*s' is a link, or no file", STR(dir), STR(name));
    else if (fd < 0)
        err_errno(e, why, "cannot open '%.*s/%.*s'", STR(dir), STR(name));
    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))) {
        *size = fd >= 0 ? (uint64_t)st.st_size : 0;
        return fd;
    }
    close(fd);
    err_set(e, ERR_CORRUPT, "'%.*s/%.*s' is not a regular file", STR(dir), STR(name));
    return -1;
}

bool state_read_pieces(int fd, uint64_t size, bool (*piece)(void *arg, str bytes, struct err *e),
                       void *arg, struct err *e)
{
    char *bytes = mem_alloc(PIECE);
    uint64_t at = 0;
    bool ok = true;

    while (ok && at < size) {
        size_t n = size - at < PIECE ? (size_t)(size - at) : PIECE;

        ok = record_read(fd, at, bytes, n) || err_set(e, ERR_IO, "cannot read it to its end");
        ok = ok && piece(arg, (str){bytes, n}, e);
        at += n;
    }
    mem_free(bytes);
    return ok;
}

/* -- copying -- */

struct copying {
    int fd;
    uint32_t crc;
    const char *to;
};

static bool copy_piece(void *arg, str bytes, struct err *e)
{
    struct copying *c = arg;

    c->crc = crc32c_more(c->crc, bytes);
    return record_write(c->fd, bytes) || err_errno(e, errno, "cannot write '%s'", c->to);
}

static bool copy_fd(int from, uint64_t size, struct copying *c, struct err *e)
{
    bool ok;

    c->fd = open(c->to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (c->fd < 0)
        return err_errno(e, errno, "cannot create '%s'", c->to);
    (void)!fchmod(c->fd, 0600);
    ok = state_read_pieces(from, size, copy_piece, c, e) &&
         (fsync(c->fd) == 0 || err_errno(e, errno, "cannot sync '%s'", c->to));
    close(c->fd);
    return ok;
}

bool state_copy_plain(str dir, str name, const char *to, uint32_t *crc, struct err *e)
{
    struct copying c = {.to = to};
    uint64_t size;
    int from = state_open_plain(dir, name, &size, e);
    bool ok = from >= 0 && copy_fd(from, size, &c, e);

    if (from >= 0)
        close(from);
    if (ok && crc != NULL)
        *crc = c.crc;
    return ok;
}

/* -- the whole of it -- */

bool state_sync_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        err_errno(e, errno, "cannot sync '%s'", path);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool state_sync_folders(str dir, struct err *e)
{
    static const char *const inner[] = {"samples", "pushed", ""};
    char path[STATE_PATH];

    for (size_t i = 0; i < ARRAY_LEN(inner); i++) {
        state_path(path, dir, inner[i]);
        if (access(path, F_OK) == 0 && !sync_dir(str_of(path), e))
            return false;
    }
    return true;
}

bool state_is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

bool state_remove_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;

    while (d != NULL && (entry = readdir(d)) != NULL) {
        char inner[STATE_PATH + 256];
        struct stat st;

        if (state_is_dot(entry->d_name) ||
            snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name) >= STATE_PATH)
            continue;
        if (lstat(inner, &st) == 0 && S_ISDIR(st.st_mode))
            (void)state_remove_folder(inner);
        else
            (void)unlink(inner);
    }
    if (d != NULL)
        closedir(d);
    return rmdir(path) == 0;
}
