#include "state/room.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/file.h"
#include "state/folder.h"
#include "state/lock.h"

enum { PROBE = 64 << 10 };

static const char *const files[] = {"state.db", "state.db-wal", "state.db-journal", "state.db.new",
                                    "alerts.log"};

bool state_is_first(str dir)
{
    char path[STATE_PATH];
    struct stat st;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        state_path(path, dir, files[i]);
        if (stat(path, &st) == 0 ? st.st_size != 0 : errno != ENOENT && errno != ENOTDIR)
            return false;
    }
    return true;
}

void state_clear_attempt(str dir)
{
    char path[STATE_PATH];

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        state_path(path, dir, files[i]);
        (void)unlink(path);
    }
}

bool state_has_no_room(str dir)
{
    static const char zeros[PROBE];
    struct err e = ERR_INIT;

    if (state_dir_make(dir, &e) && file_probe(dir, (str){zeros, PROBE}, &e))
        return false;
    return errno == ENOSPC || errno == EDQUOT || errno == EROFS || errno == EIO;
}
