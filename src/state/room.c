#include "state/room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/attr.h"
#include "base/err.h"
#include "os/record_file.h"
#include "state/lock.h"

enum { PATH = 4096, PROBE = 64 << 10 };

static const char *const files[] = {"state.db", "state.db-wal", "state.db-journal", "state.db.new",
                                    "alerts.log"};

static void path_of(char out[PATH], str dir, const char *name)
{
    snprintf(out, PATH, "%.*s/%s", STR(dir), name);
}

bool state_is_first(str dir)
{
    char path[PATH];
    struct stat st;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        path_of(path, dir, files[i]);
        if (stat(path, &st) == 0 ? st.st_size != 0 : errno != ENOENT && errno != ENOTDIR)
            return false;
    }
    return true;
}

void state_clear_attempt(str dir)
{
    char path[PATH];

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        path_of(path, dir, files[i]);
        (void)unlink(path);
    }
}

/* errno of what fails; 0. */
static int probe(str dir)
{
    static const char zeros[PROBE];
    char path[PATH];
    int fd, why = 0;

    errno = 0;
    if (!state_dir_make(dir, NULL))
        return errno;
    path_of(path, dir, "probe.tmp");
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    if (!record_write(fd, (str){zeros, PROBE}) || fsync(fd) != 0)
        why = errno;
    close(fd);
    (void)unlink(path);
    return why;
}

bool state_has_no_room(str dir)
{
    int why = probe(dir);

    return why == ENOSPC || why == EDQUOT || why == EROFS || why == EIO;
}
