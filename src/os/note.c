#include "os/note.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include "base/crc32c.h"
#include "os/record_file.h"

enum { TEXT = 112, SUM = 10, ALL = TEXT + SUM }; /* the numbers, blanks; " 8a9136aa\n" */

static void add_sum(char line[ALL + 1])
{
    snprintf(line + TEXT, SUM + 1, " %08" PRIx32 "\n", crc32c((str){line, TEXT}));
}

/* The number and a blank; returns how many bytes. */
static size_t note_number(char *out, uint64_t v)
{
    size_t n = 1;

    for (uint64_t rest = v; rest >= 10; rest /= 10)
        n++;
    out[n] = ' ';
    for (size_t i = n; i-- != 0; v /= 10)
        out[i] = (char)('0' + v % 10);
    return n + 1;
}

void note_write(const char *path, int *fd, const uint64_t v[NOTE_NUMBERS])
{
    char line[ALL + 1];
    size_t n = 0;

    if (*fd < 0)
        *fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return;
    for (int i = 0; i < NOTE_NUMBERS; i++)
        n += note_number(line + n, v[i]);
    memset(line + n, ' ', TEXT - n);
    add_sum(line);
    (void)!pwrite(*fd, line, ALL, 0);
}

bool note_read(const char *path, uint64_t v[NOTE_NUMBERS])
{
    char line[ALL + 1], sum[SUM + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = fd >= 0 && record_read(fd, 0, line, ALL);
    str rest = {line, TEXT};

    if (fd >= 0)
        close(fd);
    if (!ok)
        return false;
    memcpy(sum, line + TEXT, SUM);
    add_sum(line);
    ok = memcmp(sum, line + TEXT, SUM) == 0;
    for (int i = 0; ok && i < NOTE_NUMBERS; i++)
        ok = str_to_u64(str_cut(&rest, ' '), &v[i]);
    return ok;
}

void note_remove(const char *path, int *fd)
{
    (void)unlink(path);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
