/* memory_limit.c - reads what the kernel says.
 *
 * /proc/self/cgroup has a line a hierarchy: "0::/system.slice/tocsin.service" (v2), "9:memory:/docker/1a2b" (v1). A group's
 * limit stands below /sys/fs/cgroup, and so do those of the groups above it. In a container the path is often "/", or one
 * of the host that is not there: then only the root says something.
 */
#include "os/memory_limit.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t smaller(size_t a, size_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* A file with one number; "max" and what is larger than any machine has are none. */
static size_t memory_limit_read_limit(const char *path)
{
    FILE *f = fopen(path, "r");
    uint64_t n = 0;

    if (f == NULL)
        return 0;
    if (fscanf(f, "%" SCNu64, &n) != 1 || n >= (uint64_t)INT64_MAX / 2) // NOLINT(cert-err34-c)
        n = 0;
    fclose(f);
    return (size_t)n;
}

/* The group's and those of the groups above; shortens path. */
static size_t of_group(const char *root, const char *base, char *path, const char *file)
{
    size_t least = 0;
    char name[PATH_MAX];

    for (;;) {
        char *slash = strrchr(path, '/');

        if (snprintf(name, sizeof(name), "%s%s%s/%s", root, base, path, file) < (int)sizeof(name))
            least = smaller(least, memory_limit_read_limit(name));
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

static size_t of_line(const char *root, char *line)
{
    char *controllers = strchr(line, ':'), *path;

    line[strcspn(line, "\n")] = '\0';
    path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return 0;
    *path++ = '\0';
    controllers++;
    if (*controllers == '\0')
        return of_group(root, "/sys/fs/cgroup", path, "memory.max");
    if (strstr(controllers, "memory") == NULL)
        return 0;
    return of_group(root, "/sys/fs/cgroup/memory", path, "memory.limit_in_bytes");
}

size_t memory_limit_of_groups(const char *root)
{
    char name[PATH_MAX], line[PATH_MAX];
    size_t least = 0;
    FILE *f;

    snprintf(name, sizeof(name), "%s/proc/self/cgroup", root);
    f = fopen(name, "r");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof(line), f) != NULL)
        least = smaller(least, of_line(root, line));
    fclose(f);
    return least;
}

static size_t of_machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0;
}

size_t memory_limit(void)
{
    return smaller(memory_limit_of_groups(""), of_machine());
}
