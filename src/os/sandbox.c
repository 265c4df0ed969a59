/* Paths are collected first; entering makes one Landlock ruleset of them, by what the kernel knows, and one seccomp
 * filter of the runs of numbers that are allowed. */
#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/buf.h"
#include "os/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/sandbox_calls.h"

/* -- Landlock, as the kernel has it: older headers know less -- */

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,

    FS_FILE = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE, /* what a file can have */
    FS_READ = FS_READ_FILE | FS_READ_DIR,
    FS_WRITE = FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
               FS_MAKE_REG | FS_REFER | FS_TRUNCATE,
};

enum {
    CREATE_RULESET = 444,
    ADD_RULE = 445,
    RESTRICT_SELF = 446,
    GIVE_VERSION = 1,
    PATH_BENEATH = 1
};

struct ruleset_attr {
    uint64_t handled;
};

struct beneath_attr {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

struct sandbox {
    int fd;      /* of the rule set; -1: there is no Landlock */
    str why_not; /* static, or strerror's of the loop's thread */
    uint64_t handled;
    VEC(str) folders; /* that can be read, real paths; owned */
};

/* What the versions of Landlock know, from 1 on. */
static uint64_t rights_of(long version)
{
    return version >= 3 ? 0x7fff : version == 2 ? 0x3fff : 0x1fff;
}

static void allow(struct sandbox *s, const char *path, uint64_t rights)
{
    struct beneath_attr rule = {.fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat st;

    if (rule.fd < 0)
        return;
    if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= FS_FILE;
    rule.allowed = rights & s->handled;
    if (s->fd >= 0)
        (void)syscall(ADD_RULE, s->fd, PATH_BENEATH, &rule, 0);
    close(rule.fd);
}

/* -- paths -- */

static bool sandbox_is_below(str path, str folder)
{
    if (str_is(folder, "/"))
        return true;
    return str_starts_with(path, folder) && (path.n == folder.n || path.p[folder.n] == '/');
}

/* The folder of a path or pattern that exists, or the nearest above it, as it really is. */
static void real_folder(str path, char out[PATH_MAX])
{
    size_t end = 0;
    char z[PATH_MAX], real[PATH_MAX];

    for (size_t i = 0; i < path.n && strchr("*?[", path.p[i]) == NULL; i++)
        end = i + 1;
    snprintf(z, sizeof(z), "%s%.*s", path.n != 0 && path.p[0] == '/' ? "" : "./", (int)end, path.p);
    for (;;) {
        struct stat st;
        char *slash;

        if (z[0] != '\0' && realpath(z, real) != NULL && stat(real, &st) == 0 &&
            S_ISDIR(st.st_mode)) {
            memcpy(out, real, strlen(real) + 1);
            return;
        }
        slash = strrchr(z, '/');
        if (slash == NULL || slash == z) {
            memcpy(out, "/", 2);
            return;
        }
        *slash = '\0';
    }
}

static bool covers(const struct sandbox *s, str real)
{
    VEC_EACH (const str *, folder, &s->folders)
        if (sandbox_is_below(real, *folder))
            return true;
    return false;
}

/* A link is followed, too: a secret may be one to where it is really kept. */
static bool real_file(str path, char out[PATH_MAX])
{
    char z[PATH_MAX];

    return snprintf(z, sizeof(z), "%.*s", STR(path)) < (int)sizeof(z) && realpath(z, out) != NULL;
}

static void read_folder(struct sandbox *s, str path)
{
    char real[PATH_MAX];

    real_folder(path, real);
    if (covers(s, str_of(real)))
        return;
    if (strcmp(real, "/") == 0)
        log_warn("sandbox: all files can be read, as this one is not in a folder of its own",
                 LOG_STR("path", path));
    vec_push(&s->folders, mem_str_dup(str_of(real)));
    allow(s, real, FS_READ);
}

void sandbox_read(struct sandbox *s, str path)
{
    char real[PATH_MAX];

    if (path.n == 0)
        return;
    read_folder(s, path);
    if (real_file(path, real))
        read_folder(s, str_of(real));
}

bool sandbox_may_read(const struct sandbox *s, str path)
{
    char real[PATH_MAX];

    if (s == NULL || s->fd < 0 || path.n == 0)
        return true;
    real_folder(path, real);
    return covers(s, str_of(real)) && (!real_file(path, real) || covers(s, str_of(real)));
}

void sandbox_write(struct sandbox *s, str folder)
{
    char z[PATH_MAX];

    if (snprintf(z, sizeof(z), "%.*s", STR(folder)) < (int)sizeof(z))
        allow(s, z, FS_WRITE);
}

void sandbox_listen(struct sandbox *s, str path)
{
    char real[PATH_MAX];

    real_folder(path, real);
    allow(s, real, FS_MAKE_SOCK | FS_REMOVE_FILE);
}

/* -- life -- */

/* No folder above takes its place. */
static void read_if_there(struct sandbox *s, const char *path)
{
    if (path != NULL && access(path, F_OK) == 0)
        sandbox_read(s, str_of(path));
}

static void read_home(struct sandbox *s, const char *name)
{
    const char *home = getenv("HOME");
    char path[PATH_MAX];

    if (home != NULL && snprintf(path, sizeof(path), "%s/%s", home, name) < (int)sizeof(path))
        read_if_there(s, path);
}

struct sandbox *sandbox_new(void)
{
    /* Names, zones, certificates, modules of libraries; secrets that a manager puts there; what the kernel says. The
     * files may be links to elsewhere. */
    static const char *const system[] = {"/etc",          "/usr",  "/lib", "/lib64",
                                         "/run",          "/proc", "/sys", "/etc/resolv.conf",
                                         "/etc/localtime"};
    static const char *const variables[] = {"ZONEINFO",       "SSL_CERT_FILE",
                                            "SSL_CERT_DIR",   "CURL_CA_BUNDLE",
                                            "AWS_CA_BUNDLE",  "AWS_SHARED_CREDENTIALS_FILE",
                                            "AWS_CONFIG_FILE"};
    struct sandbox *s = mem_new(struct sandbox);
    /* What is preloaded has files of its own, of which nobody knows. */
    const char *preloaded = getenv("LD_PRELOAD");
    bool is_ours = preloaded == NULL || preloaded[0] == '\0';
    long version = is_ours ? syscall(CREATE_RULESET, NULL, 0, GIVE_VERSION) : 0;
    struct ruleset_attr attr = {.handled = rights_of(version)};

    s->handled = attr.handled;
    s->fd = version > 0 ? (int)syscall(CREATE_RULESET, &attr, sizeof(attr), 0) : -1;
    s->why_not = is_ours ? str_of(strerror(errno)) : S("LD_PRELOAD is set");
    for (size_t i = 0; i < ARRAY_LEN(system); i++)
        read_if_there(s, system[i]);
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        read_if_there(s, getenv(variables[i]));
    read_home(s, ".aws");
    allow(s, "/dev/null", FS_READ_FILE | FS_WRITE_FILE);
    allow(s, "/dev/urandom", FS_READ_FILE);
    return s;
}

void sandbox_free(struct sandbox *s)
{
    if (s == NULL)
        return;
    if (s->fd >= 0)
        close(s->fd);
    VEC_EACH (str *, folder, &s->folders)
        mem_str_free(*folder);
    vec_release(&s->folders);
    mem_free(s);
}

/* -- seccomp: runs of numbers that are allowed, lowest first -- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

enum { NEWEST = 450 }; /* what came later is not there, so that libraries take the old way */

static void sandbox_emit(struct sock_filter *v, size_t *n, unsigned code, unsigned k, unsigned yes,
                         unsigned no)
{
    v[(*n)++] = (struct sock_filter){(uint16_t)code, (uint8_t)yes, (uint8_t)no, k};
}

static int sandbox_by_number(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

static size_t write_filter(struct sock_filter *v)
{
    unsigned calls[ARRAY_LEN(sandbox_calls)];
    size_t n = 0;

    memcpy(calls, sandbox_calls, sizeof(calls));
    qsort(calls, ARRAY_LEN(calls), sizeof(calls[0]), sandbox_by_number);
    sandbox_emit(v, &n, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    sandbox_emit(v, &n, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    sandbox_emit(v, &n, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
    sandbox_emit(v, &n, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    for (size_t i = 0, end; i < ARRAY_LEN(calls); i = end) {
        end = i + 1;
        while (end < ARRAY_LEN(calls) && calls[end] - calls[end - 1] <= 1)
            end++;
        sandbox_emit(v, &n, BPF_JMP | BPF_JGT | BPF_K, calls[end - 1], 3,
                     0); /* above: the next run */
        sandbox_emit(v, &n, BPF_JMP | BPF_JGE | BPF_K, calls[i], 0, 1);
        sandbox_emit(v, &n, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        sandbox_emit(v, &n, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0,
                     0); /* in the gap below */
    }
    sandbox_emit(v, &n, BPF_JMP | BPF_JGT | BPF_K, NEWEST, 0, 1);
    sandbox_emit(v, &n, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
    sandbox_emit(v, &n, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
    return n;
}

static bool enter_seccomp(void)
{
    struct sock_filter v[ARRAY_LEN(sandbox_calls) * 4 + 8];
    struct sock_fprog program = {.filter = v};

    program.len = (unsigned short)write_filter(v);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

void sandbox_enter(struct sandbox *s)
{
    bool confined = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && s->fd >= 0 &&
                    syscall(RESTRICT_SELF, s->fd, 0) == 0;
    str why = s->fd >= 0 ? str_of(strerror(errno)) : s->why_not;
    bool filtered = enter_seccomp();
    int why_not_filtered = errno;

    if (!confined) {
        log_info("sandbox: files are not confined (Landlock)", LOG_STR("err", why));
        if (s->fd >= 0)
            close(s->fd);
        s->fd = -1;
    }
    if (!filtered)
        log_info("sandbox: system calls are not filtered (seccomp)",
                 LOG_Z("err", strerror(why_not_filtered)));
    log_info("sandbox", LOG_BOOL("files", confined), LOG_BOOL("system_calls", filtered),
             LOG_I64("folders", s->folders.n));
}
