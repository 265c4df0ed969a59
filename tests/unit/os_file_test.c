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
#include "base/record.h"
#include "os/file.h"
#include "os/note.h"
#include "os/record_file.h"

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

/* -- records -- */

static bool note_record(void *arg, str bytes)
{
    record_frame(arg, bytes);
    return true;
}

/* What is found in the first n bytes, which begin with 3 of something else, against what reading them in memory finds. */
static void walked_as_in_memory(int fd, str all, size_t n)
{
    struct buf found = BUF_INIT, want = BUF_INIT;
    str rest = str_sub(all, 3, n), bytes;
    uint64_t end = record_walk(fd, 3, n, note_record, &found);

    while (record_next(&rest, &bytes))
        record_frame(&want, bytes);
    assert_int_equal(end, 3 + want.n);
    assert_int_equal(found.n, want.n);
    assert_true(str_eq(buf_str(&found), buf_str(&want)));
    buf_release(&found);
    buf_release(&want);
}

/* Records that are shorter and longer than what is read ahead, one that begins or ends about there, and none at all. */
static void records_are_walked_wherever_they_end(void **state)
{
    static const size_t sizes[] = {1,   0, 131053, 5,     9,      131072, 131064, 131065, 400000,
                                   300, 3, 131063, 70000, 131073, 0,      8,      200000, 2};
    struct buf all = BUF_INIT, text = BUF_INIT;
    size_t ends[sizeof(sizes) / sizeof(*sizes)];
    int fd;

    (void)state;
    buf_adds(&all, "new");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        buf_clear(&text);
        buf_pad(&text, (char)('a' + i), sizes[i]);
        record_frame(&all, buf_str(&text));
        ends[i] = all.n;
    }
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    room(1 << 30);
    assert_true(record_write(fd, buf_str(&all)));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (size_t n = ends[i] - (i == 0 ? 9 : 10); n <= all.n && n < ends[i] + 10; n++)
            walked_as_in_memory(fd, buf_str(&all), n);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t at = ends[i] - 1;

        all.p[at] ^= 4;
        assert_int_equal(pwrite(fd, all.p + at, 1, (off_t)at), 1);
        walked_as_in_memory(fd, buf_str(&all), all.n);
        all.p[at] ^= 4;
        assert_int_equal(pwrite(fd, all.p + at, 1, (off_t)at), 1);
    }
    /* it has become shorter than was said: what is there is read */
    assert_int_equal(ftruncate(fd, (off_t)ends[7] - 1), 0);
    assert_int_equal(record_walk(fd, 3, all.n, NULL, NULL), ends[6]);
    assert_int_equal(record_walk(fd, all.n, all.n, NULL, NULL), all.n);
    close(fd);
    unlink(path);
    buf_release(&all);
    buf_release(&text);
}

static bool take_two(void *arg, str bytes)
{
    (void)bytes;
    return ++*(size_t *)arg < 2;
}

static void a_walk_ends_when_nobody_wants_more(void **state)
{
    struct buf all = BUF_INIT;
    size_t taken = 0;
    int fd;

    (void)state;
    for (int i = 0; i < 3; i++)
        record_frame(&all, S("abc"));
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    room(1 << 30);
    assert_true(record_write(fd, buf_str(&all)));
    assert_int_equal(record_walk(fd, 0, all.n, take_two, &taken), 2 * (RECORD_HEAD + 3));
    assert_int_equal(taken, 2);
    close(fd);
    unlink(path);
    buf_release(&all);
}

static void a_note_tells_its_numbers(void **state)
{
    static const uint64_t all[][NOTE_NUMBERS] = {
        {0, 9, 10, 99, 100},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
        {1234567890, 7, UINT64_MAX / 10, UINT64_MAX / 10 + 1, 0}};
    uint64_t read[NOTE_NUMBERS];
    int fd = -1;

    (void)state;
    room(1 << 30);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        note_write(path, &fd, all[i]);
        assert_true(note_read(path, read));
        assert_memory_equal(read, all[i], sizeof(read));
    }
    note_remove(path, &fd);
    assert_false(note_read(path, read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_replaced_or_stays),
        cmocka_unit_test(what_does_not_go_in_is_cut_off),
        cmocka_unit_test(a_file_whose_sync_failed_is_not_written),
        cmocka_unit_test(records_are_walked_wherever_they_end),
        cmocka_unit_test(a_walk_ends_when_nobody_wants_more),
        cmocka_unit_test(a_note_tells_its_numbers),
        cmocka_unit_test(a_probe_leaves_nothing),
    };

    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/file", dir);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
