#include "state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/record_file.h"

bool state_dir_make(str dir, struct err *e)
{
    char path[4096];

    if (dir.n == 0 || dir.n >= sizeof(path))
        return err_set(e, ERR_INVALID, "'%.*s' is no folder name", STR(dir));
    for (size_t i = 1; i <= dir.n; i++) {
        if (i != dir.n && dir.p[i] != '/')
            continue;
        snprintf(path, sizeof(path), "%.*s", (int)i, dir.p);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return err_errno(e, errno, "cannot create folder '%s'", path);
    }
    return true;
}

static bool is_ours(const char *path, int fd)
{
    struct stat ours, st;

    return fd >= 0 && fstat(fd, &ours) == 0 && stat(path, &st) == 0 && st.st_dev == ours.st_dev &&
           st.st_ino == ours.st_ino;
}

bool state_lock(str dir, int *out, struct err *e)
{
    char path[4096], pid[32] = "";
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%.*s/lock", STR(dir));
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, errno, "cannot open '%s'", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;

        n = read(fd, pid, sizeof(pid) - 1);
        close(fd);
        if (why != EWOULDBLOCK)
            return err_errno(e, why, "cannot lock '%s'", path);
        return err_set(e, ERR_CONFLICT, "state folder '%.*s' is in use by pid %ld", STR(dir),
                       n > 0 ? strtol(pid, NULL, 10) : 0L);
    }
    n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || !record_write(fd, (str){pid, (size_t)n}))
        (void)0; /* the lock holds; only the number in somebody's message is missing (a full disk) */
    *out = fd;
    return true;
}

bool state_lock_again(str dir, int *fd, struct err *e)
{
    char path[4096];
    int fresh = -1;

    snprintf(path, sizeof(path), "%.*s/lock", STR(dir));
    if (is_ours(path, *fd))
        return true;
    if (!state_lock(dir, &fresh, e))
        return false;
    if (*fd >= 0)
        close(*fd);
    *fd = fresh;
    return true;
}
