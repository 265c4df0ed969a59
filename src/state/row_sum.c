#include "state/row_sum.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include "base/crc32c.h"
#include "state/migrate.h"
#include "state/tables.h"

int64_t state_row_sum(str key, str body)
{
    return crc32c_more(crc32c(key), body);
}

static str row_sum_bytes(sqlite3_value *v)
{
    const char *p = sqlite3_value_blob(v);

    return (str){p, (size_t)sqlite3_value_bytes(v)};
}

static void row_sum(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    sqlite3_result_int64(c, state_row_sum(row_sum_bytes(v[0]), row_sum_bytes(v[1])));
}

bool state_row_sum_add(sqlite3 *db, struct err *e)
{
    return sqlite3_create_function(db, "row_sum", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                   row_sum, NULL, NULL) == SQLITE_OK ||
           state_sqlite_failed(db, e, "read");
}

#define IS_BAD "sum IS NOT row_sum(key, body)"

/* -1: it cannot be told. */
static int64_t count_bad(sqlite3 *db, const char *table)
{
    char sql[128];
    sqlite3_stmt *s = NULL;
    int64_t n = -1;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s NOT INDEXED WHERE " IS_BAD, table);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

size_t state_rows_damaged(sqlite3 *db, struct buf *out)
{
    size_t sum = 0;

    if (!state_row_sum_add(db, NULL))
        return 0;
    for (int t = 0; t < STATE_TABLES; t++) {
        int64_t n = state_tables[t].kind == STATE_LOG ? 0 : count_bad(db, state_tables[t].name);

        if (n <= 0)
            continue;
        buf_addf(out, ", %lld rows of %s damaged", (long long)n, state_tables[t].name);
        sum += (size_t)n;
    }
    return sum;
}

static bool row_sum_keep(sqlite3 *db, str dir, char aside[4096], struct err *e)
{
    sqlite3_stmt *s = NULL;
    bool ok;

    snprintf(aside, 4096, "%.*s/state.db.damaged-%lld", STR(dir), (long long)time(NULL));
    ok = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &s, NULL) == SQLITE_OK &&
         sqlite3_bind_text(s, 1, aside, -1, SQLITE_STATIC) == SQLITE_OK &&
         sqlite3_step(s) == SQLITE_DONE;
    if (!ok)
        state_sqlite_failed(db, e, "keep a copy of");
    else
        (void)!chmod(aside, 0600);
    sqlite3_finalize(s);
    return ok;
}

bool state_rows_mend(sqlite3 *db, str dir, struct buf *notice, struct err *e)
{
    char aside[4096] = "", sql[128];

    for (int t = 0; t < STATE_TABLES; t++) {
        const char *table = state_tables[t].name;
        int64_t n = state_tables[t].kind == STATE_LOG ? 0 : count_bad(db, table);

        if (n == 0)
            continue;
        if (n < 0)
            return state_sqlite_failed(db, e, "read");
        snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE " IS_BAD, table);
        if ((aside[0] == '\0' && !row_sum_keep(db, dir, aside, e)) ||
            (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK &&
             !state_sqlite_failed(db, e, "mend")))
            return false;
        buf_addf(notice, "%lld rows of table '%s' are damaged and left out; all is kept as '%s'\n",
                 (long long)n, table, aside);
    }
    return true;
}
