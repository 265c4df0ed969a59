/* A state database that is opened where memory is short is no damaged one: it stays where it is, and opens later. */
#include "unit.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdlib.h>
#include "state/row_sum.h"
#include "state/sqlite_db.h"

enum { ROWS = 3000, STEP = 4096, LIMIT_MAX = 4 << 20 };

static void fill(str dir)
{
    struct sqlite_db d;
    struct buf notice = BUF_INIT;
    struct err e = ERR_INIT;
    char key[32], value[200] = "a silence";

    assert_true(sqlite_db_open(&d, dir, &notice, &e));
    assert_true(sqlite_db_begin(&d, &e));
    for (int i = 0; i < ROWS; i++) {
        sqlite3_stmt *s = d.put[0];

        snprintf(key, sizeof(key), "key %d", i);
        sqlite3_bind_blob(s, 1, key, (int)strlen(key), SQLITE_STATIC);
        sqlite3_bind_blob(s, 2, value, (int)sizeof(value), SQLITE_STATIC);
        sqlite3_bind_int64(s, 3, state_row_sum(str_of(key), (str){value, sizeof(value)}));
        assert_int_equal(sqlite3_step(s), SQLITE_DONE);
        sqlite3_reset(s);
    }
    assert_true(sqlite_db_end(&d, &e));
    sqlite_db_close(&d, true);
    buf_release(&notice);
}

static void memory_that_is_short_damages_nothing(void **state)
{
    char folder[] = "/tmp/tocsin-memory-XXXXXX", command[64];
    size_t refused = 0, opened = 0;
    str dir;

    (void)state;
    assert_non_null(mkdtemp(folder));
    dir = str_of(folder);
    fill(dir);
    for (int limit = STEP; limit < LIMIT_MAX && opened < 3; limit += STEP) {
        struct buf notice = BUF_INIT;
        struct err e = ERR_INIT;
        struct sqlite_db d;

        sqlite3_hard_heap_limit64(limit);
        if (sqlite_db_open(&d, dir, &notice, &e)) {
            opened++;
            sqlite_db_close(&d, true);
        } else {
            refused++;
            assert_int_not_equal(e.code, ERR_NONE);
        }
        if (notice.n != 0)
            fail_msg("at %d bytes: %.*s", limit, STR(buf_str(&notice)));
        buf_release(&notice);
    }
    sqlite3_hard_heap_limit64(0);
    assert_true(refused > 3);
    assert_int_equal(opened, 3);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_is_short_damages_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
