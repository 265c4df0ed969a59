/* powercut.c - a disk that keeps only what was synced, as a library to preload.
 *
 * The program writes to its folder as ever. When it syncs a file, the file's content of that moment becomes durable;
 * when it syncs the folder, the names in it do. Both are kept in a second folder, from which powercut.py lays the state
 * that a power cut at this instant would leave: every write since the last completed sync is gone.
 *
 *     POWERCUT_FOLDER   the folder of the state
 *     POWERCUT_DURABLE  where the durable content goes: INODE (content), names (lines "INODE NAME" or "INODE FOLDER/"),
 *                       names@FOLDER (the same of a folder below)
 *     POWERCUT_MODE     a file whose first byte changes the disk while it runs: 'f' full, 'r' read-only, 's' a sync takes
 *                       ten seconds, 'n' nearly full: there is little room, 'l' a sync only says that it was done
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define HIDDEN     static
#define PUBLIC     __attribute__((visibility("default")))

/* The path below an fd, when it lies in the watched folder. */
HIDDEN bool watched(int fd, char *path, size_t size)
{
    const char *folder = getenv("POWERCUT_FOLDER");
    char link[64];
    ssize_t n;

    if (folder == NULL)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, size - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0;
}

HIDDEN char mode(void)
{
    const char *file = getenv("POWERCUT_MODE");
    char c = 0;
    int fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        if (read(fd, &c, 1) != 1)
            c = 0;
        close(fd);
    }
    return c;
}

/* Puts what fd holds, or the text, under a durable name: whole or not at all. */
HIDDEN void keep(const char *name, int fd, const char *text)
{
    static __thread char buffer[1 << 16];
    char to[4400], temporary[4500];
    ssize_t n;
    off_t at = 0;
    int out;

    snprintf(to, sizeof(to), "%s/%s", getenv("POWERCUT_DURABLE"), name);
    snprintf(temporary, sizeof(temporary), "%s.%d.new", to, (int)gettid());
    out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0)
        abort();
    if (text != NULL && REAL(write)(out, text, strlen(text)) < 0)
        abort();
    while (text == NULL && (n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
        if (REAL(write)(out, buffer, (size_t)n) != n)
            abort();
        at += n;
    }
    close(out);
    if (rename(temporary, to) != 0)
        abort();
}

/* The names in one folder; those of a folder below the watched one stand under a name of its own. */
HIDDEN void keep_names(const char *folder)
{
    char *text = calloc(1, 1 << 20), path[4400], name[4400];
    size_t used = 0;
    DIR *d = opendir(folder);
    struct dirent *e;
    struct stat st;

    if (text == NULL || d == NULL)
        abort();
    while ((e = readdir(d)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.' && stat(path, &st) == 0 && used < (1 << 20) - 400)
            used += (size_t)sprintf(text + used, "%lu %s%s\n", (unsigned long)st.st_ino, e->d_name,
                                    S_ISDIR(st.st_mode) ? "/" : "");
    }
    closedir(d);
    snprintf(name, sizeof(name), "names%s", folder + strlen(getenv("POWERCUT_FOLDER")));
    for (char *c = name; *c != '\0'; c++)
        if (*c == '/')
            *c = '@';
    keep(name, -1, text);
    free(text);
}

HIDDEN int synced(int fd, int (*sync_for_real)(int))
{
    char path[4096], name[32];
    struct stat st;
    int rc;

    if (!watched(fd, path, sizeof(path)))
        return sync_for_real(fd);
    switch (mode()) {
    case 'l': return 0;
    case 's': sleep(10); break;
    case 'f': errno = ENOSPC; return -1;
    case 'r': errno = EROFS; return -1;
    }
    rc = sync_for_real(fd);
    if (rc != 0 || fstat(fd, &st) != 0)
        return rc;
    if (S_ISDIR(st.st_mode)) {
        keep_names(path);
    } else {
        char again[80];
        int own; /* the program's may be write-only */

        snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
        own = open(again, O_RDONLY | O_CLOEXEC);
        snprintf(name, sizeof(name), "%lu", (unsigned long)st.st_ino);
        if (own < 0)
            abort();
        keep(name, own, NULL);
        close(own);
    }
    return rc;
}

PUBLIC int fsync(int fd)
{
    return synced(fd, REAL(fsync));
}

PUBLIC int fdatasync(int fd)
{
    return synced(fd, REAL(fdatasync));
}

/* -- a disk that takes nothing more -- */

/* A twentieth is free. */
PUBLIC int statvfs(const char *path, struct statvfs *st)
{
    int rc = REAL(statvfs)(path, st);

    if (rc == 0 && mode() == 'n')
        st->f_bavail = st->f_blocks / 20;
    return rc;
}

HIDDEN bool is_shut(void)
{
    char c = mode();

    errno = c == 'f' ? ENOSPC : EROFS;
    return c == 'f' || c == 'r';
}

HIDDEN bool refuses(int fd)
{
    char path[4096];

    return getenv("POWERCUT_MODE") != NULL && watched(fd, path, sizeof(path)) && is_shut();
}

PUBLIC int mkdir(const char *path, mode_t m)
{
    const char *folder = getenv("POWERCUT_FOLDER");
    struct stat st;
    bool ours = getenv("POWERCUT_MODE") != NULL && folder != NULL &&
                strncmp(path, folder, strlen(folder)) == 0;

    return ours && stat(path, &st) != 0 && is_shut() ? -1 : REAL(mkdir)(path, m);
}

PUBLIC ssize_t write(int fd, const void *p, size_t n)
{
    return refuses(fd) ? -1 : REAL(write)(fd, p, n);
}

PUBLIC ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return refuses(fd) ? -1 : REAL(pwrite)(fd, p, n, at);
}

PUBLIC ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return refuses(fd) ? -1 : REAL(pwrite64)(fd, p, n, at);
}

PUBLIC int ftruncate(int fd, off_t n)
{
    return refuses(fd) ? -1 : REAL(ftruncate)(fd, n);
}

PUBLIC int ftruncate64(int fd, off64_t n)
{
    return refuses(fd) ? -1 : REAL(ftruncate64)(fd, n);
}
