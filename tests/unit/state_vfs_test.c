/* Writes of SQLite's log wait for the sync, and are read before; one that fails late is told. */
#include "unit.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "state/vfs.h"

struct fixture {
    char path[64];
    sqlite3_file *f;
};

static int set_up(void **state)
{
    static struct fixture x;
    sqlite3_vfs *v = sqlite3_vfs_find(vfs_name());
    int fd;

    assert_non_null(v);
    snprintf(x.path, sizeof(x.path), "/tmp/tocsin-vfs-XXXXXX");
    fd = mkstemp(x.path);
    assert_true(fd >= 0);
    close(fd);
    x.f = calloc(1, (size_t)v->szOsFile);
    assert_int_equal(v->xOpen(v, x.path, x.f, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB, NULL),
                     SQLITE_OK);
    *state = &x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;

    if (x->f->pMethods != NULL)
        (void)x->f->pMethods->xClose(x->f);
    free(x->f);
    unlink(x->path);
    return 0;
}

static int put(struct fixture *x, const char *text, sqlite3_int64 at)
{
    return x->f->pMethods->xWrite(x->f, text, (int)strlen(text), at);
}

static int sync_it(struct fixture *x)
{
    return x->f->pMethods->xSync(x->f, SQLITE_SYNC_NORMAL);
}

static size_t size_of(const struct fixture *x)
{
    struct stat st;

    assert_int_equal(stat(x->path, &st), 0);
    return (size_t)st.st_size;
}

static void assert_reads(struct fixture *x, const char *text, sqlite3_int64 at)
{
    char got[32] = "";

    assert_int_equal(x->f->pMethods->xRead(x->f, got, (int)strlen(text), at), SQLITE_OK);
    assert_string_equal(got, text);
}

static void what_follows_waits_for_the_sync(void **state)
{
    struct fixture *x = *state;

    assert_int_equal(put(x, "head", 0), SQLITE_OK);
    assert_int_equal(put(x, "page", 4), SQLITE_OK);
    assert_int_equal(size_of(x), 0);
    assert_int_equal(sync_it(x), SQLITE_OK);
    assert_int_equal(size_of(x), 8);
    assert_reads(x, "headpage", 0);
}

static void what_waits_is_read(void **state)
{
    struct fixture *x = *state;
    sqlite3_int64 size;

    assert_int_equal(put(x, "head", 0), SQLITE_OK);
    assert_int_equal(put(x, "page", 4), SQLITE_OK);
    assert_reads(x, "dpag", 3);
    assert_int_equal(put(x, "more", 8), SQLITE_OK);
    assert_int_equal(x->f->pMethods->xFileSize(x->f, &size), SQLITE_OK);
    assert_int_equal(size, 12);
}

static void the_last_of_two_in_a_place_counts(void **state)
{
    struct fixture *x = *state;

    assert_int_equal(put(x, "one, two, three", 0), SQLITE_OK);
    assert_int_equal(put(x, "six", 0), SQLITE_OK);
    assert_int_equal(put(x, "ten", 5), SQLITE_OK);
    assert_int_equal(sync_it(x), SQLITE_OK);
    assert_reads(x, "six, ten, three", 0);
}

static void much_is_not_kept_back(void **state)
{
    struct fixture *x = *state;
    char page[4096];

    memset(page, 'p', sizeof(page));
    for (int i = 0; i < 100; i++)
        assert_int_equal(x->f->pMethods->xWrite(x->f, page, (int)sizeof(page),
                                                i * (int)sizeof(page)),
                         SQLITE_OK);
    assert_true(size_of(x) >= 300 * 1024);
    assert_int_equal(sync_it(x), SQLITE_OK);
    assert_int_equal(size_of(x), 100 * 4096);
}

static void a_write_that_fails_late_is_told(void **state)
{
    struct fixture *x = *state;
    struct rlimit was, none;
    sqlite3_int64 size;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    none = was;
    none.rlim_cur = 0;
    assert_int_equal(put(x, "page", 0), SQLITE_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    (void)x->f->pMethods->xFileSize(x->f, &size); /* where it fails, and nobody asks for a write */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_not_equal(sync_it(x), SQLITE_OK);
    assert_int_equal(put(x, "page", 0), SQLITE_OK);
    assert_int_equal(sync_it(x), SQLITE_OK);
    assert_reads(x, "page", 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_follows_waits_for_the_sync),   TEST(what_waits_is_read),
        TEST(the_last_of_two_in_a_place_counts), TEST(much_is_not_kept_back),
        TEST(a_write_that_fails_late_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
