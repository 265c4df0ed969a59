/* Files on a disk that is full, or does not sync: what is replaced is the old or the new, what grows ends where it was. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/file.h"

static char dir[] = "/tmp/tocsin-file-XXXXXX", path[64];
static int sync_fails; /* errno of each sync */

static int sync_file(int fd)
{
    if (sync_fails == 0)
        return (int)syscall(SYS_fdatasync, fd);
    errno = sync_fails;
    return -1;
}

int fsync(int fd)
{
    return sync_file(fd);
}

int fdatasync(int fd)
{
    return sync_file(fd);
}

/* A file of more bytes cannot be written. */
static void room(rlim_t bytes)
{
    struct rlimit r;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void holds(const char *file, const char *text)
{
    struct buf b = BUF_INIT;

    assert_true(file_read(str_of(file), FILE_REGULAR, 1000, &b, NULL));
    assert_str(buf_str(&b), text);
    buf_release(&b);
}

static void a_file_is_replaced_or_stays(void **state)
{
    char fresh[80];
    struct err e = ERR_INIT;
    struct stat st;

    (void)state;
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    assert_true(file_replace(str_of(path), S("old"), &e));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    room(2);
    assert_false(file_replace(str_of(path), S("longer"), &e));
    room(RLIM_INFINITY);
    holds(path, "old");
    assert_int_equal(access(fresh, F_OK), -1);
    sync_fails = EIO;
    assert_false(file_replace(str_of(path), S("unsynced"), &e));
    sync_fails = 0;
    assert_non_null(strstr(e.msg, strerror(EIO)));
    holds(path, "old");
    assert_int_equal(access(fresh, F_OK), -1);
    assert_true(file_replace(str_of(path), S("new"), &e));
    holds(path, "new");
    assert_int_equal(unlink(path), 0);
}

static struct file_tail open_tail(void)
{
    struct file_tail t = {
        .fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0600)};

    assert_true(t.fd >= 0);
    return t;
}

static void what_does_not_go_in_is_cut_off(void **state)
{
    struct file_tail t = open_tail();
    struct err e = ERR_INIT;

    (void)state;
    assert_true(file_append(&t, S("one "), &e) && file_sync(&t, &e));
    assert_true(file_append(&t, S("two "), &e));
    room(10);
    assert_false(file_append(&t, S("three "), &e)); /* two bytes of it go in */
    room(RLIM_INFINITY);
    holds(path, "one two ");
    assert_true(file_append(&t, S("four"), &e) && file_sync(&t, &e));
    holds(path, "one two four");
    assert_int_equal(t.size, 12);
    assert_int_equal(t.unsynced, 0);
    file_close(&t);
    assert_int_equal(unlink(path), 0);
}

static void a_file_whose_sync_failed_is_not_written(void **state)
{
    struct file_tail t = open_tail();
    struct err e = ERR_INIT;

    (void)state;
    assert_true(file_append(&t, S("one"), &e));
    sync_fails = EIO;
    assert_false(file_sync(&t, &e));
    sync_fails = 0;
    assert_false(file_append(&t, S("two"), &e));
    assert_false(file_sync(&t, &e)); /* though the disk would say that all is well */
    holds(path, "one");
    assert_int_equal(t.size, 0);
    file_close(&t);
    assert_int_equal(unlink(path), 0);
}

static void a_probe_leaves_nothing(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    assert_true(file_probe(str_of(dir), S("some"), &e));
    room(3);
    assert_false(file_probe(str_of(dir), S("some"), &e));
    room(RLIM_INFINITY);
    sync_fails = EIO;
    assert_false(file_probe(str_of(dir), S("some"), &e));
    sync_fails = 0;
    assert_int_equal(rmdir(dir), 0); /* it is empty */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_replaced_or_stays),
        cmocka_unit_test(what_does_not_go_in_is_cut_off),
        cmocka_unit_test(a_file_whose_sync_failed_is_not_written),
        cmocka_unit_test(a_probe_leaves_nothing),
    };

    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/file", dir);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
