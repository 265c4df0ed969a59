/* What keeps a state: copies of one instant while commits go on, archives and manifests, and what is told of damage. */
#include "unit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/tar.h"
#include "os/clock.h"
#include "state/backend.h"
#include "state/backup.h"
#include "state/copy.h"
#include "state/db_read.h"
#include "state/restore.h"
#include "state/row_sum.h"
#include "state/tables.h"
#include "state/wal.h"
#include "state/whole.h"

struct fixture {
    char dir[64];
    struct clock clock;
    struct state_shell shell;
    struct state_backend *b;
    struct buf notice;
};

static void committed(void *arg, uint64_t n, bool ok, const struct err *e)
{
    (void)arg, (void)n, (void)ok, (void)e;
}

static void snapshot(void *arg, struct state_commit *c)
{
    (void)arg, (void)c;
}

static void open_backend(struct fixture *f)
{
    struct err e = ERR_INIT;

    f->b = state_sqlite_open(str_of(f->dir), &f->shell, &f->clock, &f->notice, &e);
    if (f->b == NULL)
        fail_msg("%s", e.msg);
}

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);

    snprintf(f->dir, sizeof(f->dir), "/tmp/tocsin-keep-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    clock_init_stepped(&f->clock, (struct now){NS_PER_D, NS_PER_H});
    f->shell = (struct state_shell){.committed = committed, .snapshot = snapshot, .arg = f};
    open_backend(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    if (f->b != NULL)
        state_backend_free(f->b);
    snprintf(command, sizeof(command), "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    buf_release(&f->notice);
    clock_release(&f->clock);
    mem_free(f);
    return 0;
}

static void put(struct fixture *f, enum state_table t, str key, size_t size)
{
    struct state_commit c = {0};
    char *body = mem_array(size, 1);

    memset(body, 'x', size);
    state_put(&c, t, key, (str){body, size});
    (void)f->b->ops->commit(f->b->self, &c);
    mem_free(body);
}

static void put_number(struct fixture *f, int i, size_t size)
{
    char key[32];

    snprintf(key, sizeof(key), "%08d", i);
    put(f, STATE_OUTBOX, str_of(key), size);
}

static void stop(struct fixture *f)
{
    state_backend_free(f->b);
    f->b = NULL;
}

static void path_of(const struct fixture *f, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", f->dir, name);
}

/* -- copies -- */

static void done(struct state_copy *c)
{
    (void)c;
}

/* Rows from 0 on without a gap; returns how many. */
static int rows_of(const char *path)
{
    struct err e = ERR_INIT;
    sqlite3_stmt *s = NULL;
    sqlite3 *db;
    int n = 0;

    assert_true(state_db_read(str_of(path), DB_LIES_STILL, &db, &e));
    assert_true(state_db_is_sound(db, str_of(path), &e));
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT key FROM outbox ORDER BY key", -1, &s, NULL),
                     SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW)
        assert_int_equal(atoi((const char *)sqlite3_column_blob(s, 0)), n++);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

/* The database has many times the pages of a step, and commits come all the while: a copy ends where one of them does. */
static void a_copy_is_one_instant(void **state)
{
    struct fixture *f = *state;
    struct state_copy c = {.done = done};
    int before = 2000, n = before, copied;

    for (int i = 0; i < before; i++)
        put_number(f, i, 4000);
    f->b->ops->sync(f->b->self);
    f->b->ops->copy(f->b->self, &c);
    while (n < before + 400)
        put_number(f, n++, 4000);
    f->b->ops->sync(f->b->self);
    assert_true(c.ok);
    copied = rows_of(c.path);
    assert_in_range(copied, before, n);
    assert_int_equal(c.files.v.n, 2); /* the alert log, the copy */
    state_copy_release(&c);
    assert_int_not_equal(access(c.path, F_OK), 0);
    f->b->ops->sync(f->b->self);
    stop(f);
}

static void a_copy_that_nobody_wants_ends(void **state)
{
    struct fixture *f = *state;
    const atomic_bool gone = true;
    struct state_copy c = {.done = done, .gone = &gone};

    f->b->ops->copy(f->b->self, &c);
    f->b->ops->sync(f->b->self);
    assert_false(c.ok);
    state_copy_release(&c);
}

/* -- archives -- */

struct unpacked {
    struct buf text;
};

static bool file(void *arg, str name, uint64_t size, struct err *e)
{
    (void)e;
    buf_addf(&((struct unpacked *)arg)->text, "[%.*s %d ", STR(name), (int)size);
    return true;
}

static bool bytes(void *arg, str piece, struct err *e)
{
    (void)e;
    buf_add(&((struct unpacked *)arg)->text, piece);
    return true;
}

static bool end(void *arg, struct err *e)
{
    (void)e;
    buf_addc(&((struct unpacked *)arg)->text, ']');
    return true;
}

static void add(struct buf *out, const char *name, str text)
{
    tar_head(out, str_of(name), text.n, 0);
    buf_add(out, text);
    tar_pad(out, text.n);
}

static void an_archive_comes_in_pieces(void **state)
{
    struct buf all = BUF_INIT;

    (void)state;
    add(&all, "a", S("one"));
    add(&all, "b/c", S(""));
    add(&all, "d", S("three"));
    tar_finish(&all);
    for (size_t step = 1; step < all.n; step = step * 3 + 1) {
        struct unpacked u = {BUF_INIT};
        struct tar_reader r = {.file = file, .bytes = bytes, .end = end, .arg = &u};
        struct err e = ERR_INIT;

        for (size_t at = 0; at < all.n; at += step)
            assert_true(tar_feed(&r, str_sub(buf_str(&all), at, at + step), &e));
        assert_true(tar_end(&r, &e));
        assert_str(buf_str(&u.text), "[a 3 one][b/c 0 ][d 5 three]");
        buf_release(&u.text);
    }
    for (size_t n = 0; n < all.n - 2 * TAR_BLOCK; n += 100) { /* cut anywhere, it is not whole */
        struct unpacked u = {BUF_INIT};
        struct tar_reader r = {.file = file, .bytes = bytes, .end = end, .arg = &u};
        struct err e = ERR_INIT;

        assert_true(tar_feed(&r, str_sub(buf_str(&all), 0, n), &e));
        assert_false(tar_end(&r, &e));
        buf_release(&u.text);
    }
    buf_release(&all);
}

static void names_lead_nowhere_else(void **state)
{
    static const char *const good[] = {"state.db", "alerts.log", "samples/samples-0000000001.log",
                                       "pushed/0123456789abcdef"};
    static const char *const bad[] = {"",
                                      "..",
                                      "../state.db",
                                      "/state.db",
                                      "state.db-wal",
                                      "lock",
                                      "samples/",
                                      "samples/samples-.log",
                                      "samples/samples-1/2.log",
                                      "samples/../x",
                                      "pushed/0123456789abcdeg",
                                      "pushed/0123456789abcdef0",
                                      "pushed/../0123456789ab"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(manifest_is_name(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(manifest_is_name(str_of(bad[i])));
}

/* -- damage -- */

static uint64_t lost(const struct fixture *f)
{
    char path[128];
    uint64_t at;

    path_of(f, "copy-wal", path);
    return state_wal_lost(str_of(path), &at);
}

static void read_file(const struct fixture *f, const char *name, struct buf *out)
{
    char path[128];
    FILE *in;

    path_of(f, name, path);
    in = fopen(path, "r");
    assert_non_null(in);
    buf_reserve(out, 1 << 22);
    out->n = fread(out->p, 1, 1 << 22, in);
    fclose(in);
}

static void write_file(const struct fixture *f, const char *name, str text)
{
    char path[128];
    FILE *out;

    path_of(f, name, path);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text.p, 1, text.n, out), text.n);
    fclose(out);
}

/* Whatever byte of a log changes, in a header, a frame's head or its page: it is told, unless nothing of it is read. */
static void a_log_with_a_changed_byte_is_told(void **state)
{
    struct fixture *f = *state;
    struct buf wal = BUF_INIT;
    size_t frame = 24 + 4096;

    for (int i = 0; i < 6; i++)
        put_number(f, i, 10);
    f->b->ops->sync(f->b->self);
    read_file(f, "state.db-wal", &wal);
    assert_int_equal((wal.n - 32) % frame, 0);
    write_file(f, "copy-wal", buf_str(&wal));
    assert_int_equal(lost(f), 0);
    for (size_t at = 0; at < wal.n; at += at < 32 ? 1 : at % frame < 60 ? 3 : 401) {
        wal.p[at] = (char)(wal.p[at] ^ 4);
        write_file(f, "copy-wal", buf_str(&wal));
        if (lost(f) == 0)
            fail_msg("a changed byte at %zu of %zu", at, wal.n);
        wal.p[at] = (char)(wal.p[at] ^ 4);
    }
    buf_release(&wal);
}

/* Frames of an earlier round behind the end of this one are none of it. */
static void an_earlier_round_is_no_damage(void **state)
{
    struct fixture *f = *state;
    struct buf wal = BUF_INIT;

    for (int i = 0; i < 3000; i++)
        put_number(f, i, 4000);
    f->b->ops->sync(f->b->self); /* with checkpoints */
    for (int i = 0; i < 3; i++)
        put_number(f, i, 10);
    f->b->ops->sync(f->b->self);
    read_file(f, "state.db-wal", &wal);
    write_file(f, "copy-wal", buf_str(&wal));
    assert_int_equal(lost(f), 0);
    buf_release(&wal);
}

static bool count_row(void *arg, str key, str body)
{
    (void)key, (void)body;
    (*(int *)arg)++;
    return true;
}

/* As after a kill, with a changed byte in the log; returns how many rows a start finds. */
static int rows_after(struct fixture *f, str rows, str wal, size_t at)
{
    struct err e = ERR_INIT;
    int n = 0;
    char *p = mem_array(wal.n, 1);

    memcpy(p, wal.p, wal.n);
    p[at] = (char)(p[at] ^ 8);
    write_file(f, "state.db", rows);
    write_file(f, "state.db-wal", (str){p, wal.n});
    mem_free(p);
    buf_clear(&f->notice);
    open_backend(f);
    assert_true(f->b->ops->scan(f->b->self, STATE_OUTBOX, count_row, &n, &e));
    assert_true(str_find_str(buf_str(&f->notice), S("state.db-wal' is damaged")) >= 0);
    stop(f);
    return n;
}

/* Each commit writes the same few pages again, so of a bad frame in the middle nothing is missing; without the last one only what
 * it had is. */
static void a_log_is_read_on_behind_a_bad_frame(void **state)
{
    struct fixture *f = *state;
    struct buf rows = BUF_INIT, wal = BUF_INIT;
    size_t frame = 24 + 4096;

    for (int i = 0; i < 20; i++) {
        put_number(f, i, 10);
        f->b->ops->sync(f->b->self);
    }
    read_file(f, "state.db", &rows);
    read_file(f, "state.db-wal", &wal);
    assert_true(wal.n > 32 + 30 * frame);
    stop(f);
    for (size_t k = wal.n / frame - 20; k < wal.n / frame - 4; k++) {
        assert_int_equal(rows_after(f, buf_str(&rows), buf_str(&wal), 32 + k * frame + 24 + 4000),
                         20);
        assert_int_equal(rows_after(f, buf_str(&rows), buf_str(&wal), 32 + k * frame + 17), 20);
        assert_int_equal(rows_after(f, buf_str(&rows), buf_str(&wal), 32 + k * frame + 9), 20);
    }
    assert_in_range(rows_after(f, buf_str(&rows), buf_str(&wal), wal.n - 100), 18, 19);
    buf_release(&rows);
    buf_release(&wal);
}

static void change_byte(const struct fixture *f, const char *what)
{
    struct buf all = BUF_INIT;
    ptrdiff_t at;

    read_file(f, "state.db", &all);
    at = str_find_str(buf_str(&all), str_of(what));
    assert_true(at >= 0);
    all.p[at]++;
    write_file(f, "state.db", buf_str(&all));
    buf_release(&all);
}

static void a_row_with_a_changed_byte_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct state_commit c = {0};

    state_put(&c, STATE_SILENCE, S("one"), S("first body"));
    state_put(&c, STATE_SILENCE, S("two"), S("second body"));
    (void)f->b->ops->commit(f->b->self, &c);
    stop(f);
    change_byte(f, "first body");
    open_backend(f);
    assert_true(str_find_str(buf_str(&f->notice), S("1 rows of table 'silence' are damaged")) >= 0);
    buf_clear(&f->notice);
    stop(f);
    open_backend(f); /* it was told once */
    assert_int_equal(f->notice.n, 0);
}

static void what_is_gone_is_told(void **state)
{
    static const char *const names[] = {"state.db", "alerts.log"};
    struct fixture *f = *state;
    char path[128];

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (int cut = 0; cut < 2; cut++) {
            put_number(f, 1, 10);
            f->b->ops->sync(f->b->self);
            stop(f);
            path_of(f, names[i], path);
            assert_int_equal(cut != 0 ? truncate(path, 0) : unlink(path), 0);
            buf_clear(&f->notice);
            open_backend(f);
            if (str_find_str(buf_str(&f->notice), str_of(names[i])) < 0)
                fail_msg("%s, cut %d: nothing is told", names[i], cut);
        }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_copy_is_one_instant),
        TEST(a_copy_that_nobody_wants_ends),
        cmocka_unit_test(an_archive_comes_in_pieces),
        cmocka_unit_test(names_lead_nowhere_else),
        TEST(a_log_with_a_changed_byte_is_told),
        TEST(an_earlier_round_is_no_damage),
        TEST(a_log_is_read_on_behind_a_bad_frame),
        TEST(a_row_with_a_changed_byte_is_left_out),
        TEST(what_is_gone_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
