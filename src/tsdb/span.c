#include "tsdb/span.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/record_file.h"
#include "tsdb/log_record.h"

enum { HEADER = 8, PATH = 4096 };

struct spanning {
    uint64_t streams;
    ts_ms oldest, newest;
};

static bool span_look(void *arg, str bytes)
{
    struct spanning *s = arg;
    struct unpack u = unpack_of(bytes);
    struct log_head head;

    if (!log_read_head(&u, s->streams, &head, NULL))
        return false;
    s->streams += head.is_new;
    if (head.kind != LOG_BATCH)
        return true;
    s->oldest = head.t < s->oldest ? head.t : s->oldest;
    s->newest = head.t > s->newest ? head.t : s->newest;
    return true;
}

static void span_look_at(struct spanning *s, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct stat st;

    s->streams = 0;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > HEADER)
        (void)record_walk(fd, HEADER, (uint64_t)st.st_size, span_look, s);
    if (fd >= 0)
        close(fd);
}

void tsdb_log_span(str storage, ts_ms *oldest, ts_ms *newest)
{
    struct spanning s = {.oldest = INT64_MAX, .newest = INT64_MIN};
    char path[PATH];
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s/samples", STR(storage));
    d = opendir(path);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        char file[PATH + 260];
        str name = str_of(entry->d_name);

        if (!str_starts_with(name, S("samples-")) || !str_ends_with(name, S(".log")))
            continue;
        snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        span_look_at(&s, file);
    }
    if (d != NULL)
        closedir(d);
    *oldest = s.oldest;
    *newest = s.newest;
}
