/* What a process can no longer do in its sandbox, and what it still can. Each look is a child's: it is for good. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "os/log.h"
#include "os/sandbox.h"

struct places {
    char root[64], config[80], storage[80], other[80];
};

static const char *in(const char *folder, const char *name)
{
    static char path[160];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void make(struct places *p)
{
    strcpy(p->root, "/tmp/tocsin-sandbox-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    snprintf(p->config, sizeof(p->config), "%s/config", p->root);
    snprintf(p->storage, sizeof(p->storage), "%s/storage", p->root);
    snprintf(p->other, sizeof(p->other), "%s/other", p->root);
    assert_int_equal(mkdir(p->config, 0700) | mkdir(p->storage, 0700) | mkdir(p->other, 0700), 0);
    put(in(p->config, "c.yml"));
    put(in(p->other, "o.yml"));
    assert_int_equal(symlink("../other/o.yml", in(p->config, "link.yml")), 0);
}

static void clear(const struct places *p)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r '%s'", p->root);
    assert_int_equal(system(command), 0);
}

static struct sandbox *enter(const struct places *p)
{
    struct sandbox *s = sandbox_new();

    sandbox_read(s, str_of(in(p->config, "*.yml")));
    sandbox_write(s, str_of(p->storage));
    sandbox_enter(s);
    return s;
}

static bool has_landlock(void)
{
    return syscall(444, NULL, 0, 1) > 0;
}

/* 0 when it is as it should be, else the number of the look. */
static int can(int number, bool is, bool should)
{
    return is == should ? 0 : number;
}

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int files(const struct places *p)
{
    char from[160];
    int bad = 0;
    struct sandbox *s = enter(p);
    bool is = has_landlock(), free = !is;

    bad += can(1, opens(in(p->config, "c.yml"), O_RDONLY), true);
    bad += can(2, opens(in(p->config, "new.yml"), O_WRONLY | O_CREAT), free);
    bad += can(4, opens(in(p->other, "o.yml"), O_RDONLY), free);
    bad += can(8, opens(in(p->config, "link.yml"), O_RDONLY), free);
    bad += can(16, opens(in(p->storage, "a"), O_RDWR | O_CREAT), true);
    strcpy(from, in(p->storage, "a"));
    bad += can(32, rename(from, in(p->storage, "b")) == 0, true);
    bad += can(64, mkdir(in(p->storage, "d"), 0700) == 0, true);
    strcpy(from, in(p->storage, "b"));
    bad += can(128, rename(from, in(p->storage, "d/b")) == 0 && unlink(in(p->storage, "d/b")) == 0,
               true);
    bad += can(256, sandbox_may_read(s, str_of(in(p->config, "x/later.yml"))), true);
    bad += can(512, sandbox_may_read(s, str_of(in(p->other, "*.yml"))), free);
    bad += can(1024, sandbox_may_read(s, str_of(in(p->config, "link.yml"))), free);
    bad += can(2048, opens("/etc/passwd", O_RDONLY) && opens("/dev/null", O_WRONLY), true);
    sandbox_free(s);
    return bad;
}

static void *nothing(void *arg)
{
    return arg;
}

static int calls(const struct places *p)
{
    pthread_t thread;
    int bad = 0;
    char *argv[] = {"true", NULL};

    sandbox_free(enter(p));
    bad += can(1, mount("none", "/tmp", "tmpfs", 0, NULL) == 0 || errno != EPERM, false);
    bad += can(2, syscall(SYS_reboot, 0, 0, 0, NULL) == 0 || errno != EPERM, false);
    bad += can(4, syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM, false);
    bad += can(8, syscall(5000) >= 0 || errno != ENOSYS, false); /* of a kernel to come */
    bad += can(16,
               pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0,
               true);
    if (has_landlock())
        bad += can(32, execv("/bin/true", argv) == 0 || errno != EACCES, false);
    return bad;
}

static void in_a_child(int (*look)(const struct places *p))
{
    struct places p;
    int status;
    pid_t pid;

    make(&p);
    pid = fork();
    if (pid == 0) {
        int bad;

        log_setup(LOG_ERROR, LOG_LOGFMT, STDERR_FILENO);
        bad = look(&p);
        if (bad != 0)
            fprintf(stderr, "looks that failed: %#x\n", (unsigned)bad);
        _exit(bad != 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    clear(&p);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void files_of_others_are_out_of_reach(void **state)
{
    (void)state;
    in_a_child(files);
}

static void calls_that_are_not_needed_are_refused(void **state)
{
    (void)state;
    in_a_child(calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_others_are_out_of_reach),
        cmocka_unit_test(calls_that_are_not_needed_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
