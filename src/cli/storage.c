/* Info and verify have two ways, a server over HTTP or a folder straight from its files, and print the same; a backup
 * comes as a tar and is checked while it is written. */
#include "cli/storage.h"

#include <stdio.h>
#include "base/mem.h"
#include "cli/say.h"
#include "cli/table.h"
#include "codec/tar.h"
#include "state/backup.h"
#include "state/downgrade.h"
#include "state/info.h"
#include "state/restore.h"
#include "state/verify.h"
#include "tsdb/span.h"

const struct flag storage_ask_flags[] = {CLIENT_FLAG_ROWS(struct storage_flags), FLAGS_END};
const struct flag storage_backup_flags[] = {
    CLIENT_ASK_ROWS(struct storage_flags),
    FLAG(struct storage_flags, folder, "storage.path", FLAG_TEXT, "", "FOLDER",
         "of a server that is stopped, instead of asking one that runs"),
    FLAGS_END,
};
const struct flag storage_restore_flags[] = {
    FLAG(struct storage_flags, force, "force", FLAG_BOOL, NULL, NULL,
         "move what is in the folder aside, within the folder"),
    FLAGS_END,
};

static int failed(const struct err *e)
{
    say(stderr, "tocsin: %s\n", e->msg);
    return EXIT_FAILED;
}

static int usage(const char *what)
{
    fprintf(stderr, "tocsin: storage %s\n", what);
    return EXIT_USAGE;
}

/* -- info -- */

static bool info_of_folder(str dir, struct buf *out, struct err *e)
{
    struct state_span span;
    struct json_writer w;
    bool ok;

    tsdb_log_span(dir, &span.oldest, &span.newest);
    json_writer_init(&w, out, false);
    json_open(&w, '{');
    ok = state_info(dir, STR_NONE, span, &w, e);
    json_close(&w, '}');
    return ok;
}

/* Rows of an array of objects, a column a key. */
static void print_rows(struct json_reader *r, const char *const *keys, size_t n)
{
    struct table t;
    str key;

    table_init(&t, n);
    for (size_t i = 0; i < n; i++)
        table_add(&t, str_of(keys[i]));
    for (json_array_begin(r); json_array_next(r);) {
        str cells[4] = {STR_NONE, STR_NONE, STR_NONE, STR_NONE};

        for (json_object_begin(r); json_object_next(r, &key);) {
            str value = STR_NONE;

            if (json_peek(r) == JSON_STRING)
                json_string(r, &value);
            else
                json_raw(r, &value);
            for (size_t i = 0; i < n; i++)
                if (str_is(key, keys[i]))
                    cells[i] = value;
        }
        for (size_t i = 0; i < n; i++)
            table_add(&t, cells[i]);
    }
    table_print(&t, stdout);
}

static void print_one(struct json_reader *r, str key)
{
    str value = STR_NONE;

    if (json_peek(r) == JSON_STRING)
        json_string(r, &value);
    else
        json_raw(r, &value);
    say(stdout, "%.*s: %.*s\n", STR(key), STR(value));
}

static int print_info(str json)
{
    static const char *const files[] = {"name", "kind", "bytes"};
    static const char *const tables[] = {"name", "rows", "bytes"};
    struct json_reader r;
    struct arena a;
    bool has_rows = false;
    str key;
    int code;

    arena_init(&a, 0);
    json_reader_init(&r, json, &a, 8);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (str_is(key, "files"))
            print_rows(&r, files, ARRAY_LEN(files));
        else if (str_is(key, "tables"))
            print_rows(&r, tables, ARRAY_LEN(tables));
        else
            print_one(&r, key);
        has_rows |= str_is(key, "tables");
    }
    code = json_end(&r) ? EXIT_OK : failed(&r.err);
    arena_release(&a);
    if (code == EXIT_OK && !has_rows)
        say(stderr, "tocsin: the folder is in use: --url asks who uses it for its tables\n");
    return code;
}

static bool is_json(const struct storage_flags *f)
{
    return strcmp(f->client.output, "json") == 0;
}

int storage_info_run(const void *flags, char **args, int n_args)
{
    const struct storage_flags *f = flags;
    struct buf json = BUF_INIT;
    struct err e = ERR_INIT;
    int code = EXIT_OK;

    if (n_args > 1)
        return usage("info takes one folder, or none to ask a server");
    if (n_args == 0)
        code = client_call(&f->client, "POST", "/api/tocsin/storage/info", S(""), &json);
    else if (!info_of_folder(str_of(args[0]), &json, &e))
        code = failed(&e);
    if (code == EXIT_OK && is_json(f))
        say(stdout, "%.*s\n", STR(buf_str(&json)));
    else if (code == EXIT_OK)
        code = print_info(buf_str(&json));
    buf_release(&json);
    return code;
}

/* -- verify -- */

static int say_verified(const struct storage_flags *f, str text, uint64_t damaged)
{
    struct buf b = BUF_INIT;

    if (is_json(f)) {
        state_verify_json(&b, text, damaged);
        say(stdout, "%.*s\n", STR(buf_str(&b)));
        buf_release(&b);
    } else {
        say(stdout, "%.*s", STR(text));
    }
    if (damaged == 0)
        return EXIT_OK;
    say(stderr, "tocsin: %llu files are damaged\n", (unsigned long long)damaged);
    return EXIT_FAILED;
}

static int verify_server(const struct storage_flags *f)
{
    struct buf json = BUF_INIT;
    struct json_reader r;
    struct arena a;
    uint64_t damaged = 0;
    str key, text = STR_NONE, number = STR_NONE;
    int code = client_call(&f->client, "POST", "/api/tocsin/storage/verify", S(""), &json);

    arena_init(&a, 0);
    json_reader_init(&r, buf_str(&json), &a, 8);
    if (code == EXIT_OK) {
        for (json_object_begin(&r); json_object_next(&r, &key);) {
            if (str_is(key, "damaged"))
                json_raw(&r, &number);
            else if (str_is(key, "text"))
                json_string(&r, &text);
            else
                json_skip(&r);
        }
        code = json_end(&r) && str_to_u64(number, &damaged) ? say_verified(f, text, damaged)
                                                            : failed(&r.err);
    }
    arena_release(&a);
    buf_release(&json);
    return code;
}

int storage_verify_run(const void *flags, char **args, int n_args)
{
    const struct storage_flags *f = flags;
    struct buf out = BUF_INIT;
    struct err e = ERR_INIT;
    size_t damaged = 0;
    int code;

    if (n_args > 1)
        return usage("verify takes one folder, or none to ask a server");
    if (n_args == 0)
        return verify_server(f);
    if (state_verify(str_of(args[0]), STR_NONE, &out, &damaged, &e))
        code = say_verified(f, buf_str(&out), damaged);
    else
        code = failed(&e);
    buf_release(&out);
    return code;
}

/* -- backup -- */

/* What a server sends, on its way into a folder. */
struct unpacking {
    struct tar_reader tar;
    struct backup *to;
    bool is_manifest; /* what comes now */
    struct buf manifest;
    struct err err;
};

static bool begin_file(void *arg, str name, uint64_t size, struct err *e)
{
    struct unpacking *u = arg;

    if (u->is_manifest)
        return err_set(e, ERR_CORRUPT, "something stands behind the manifest");
    u->is_manifest = str_is(name, MANIFEST);
    if (u->is_manifest)
        return size <= MANIFEST_MAX || err_set(e, ERR_LIMIT, "the manifest is too large");
    return backup_file(u->to, name, e);
}

static bool storage_take_bytes(void *arg, str bytes, struct err *e)
{
    struct unpacking *u = arg;

    if (!u->is_manifest)
        return backup_bytes(u->to, bytes, e);
    buf_add(&u->manifest, bytes);
    return true;
}

static bool cli_storage_end_file(void *arg, struct err *e)
{
    struct unpacking *u = arg;

    return u->is_manifest || backup_file_end(u->to, e);
}

static bool sink(void *arg, str bytes)
{
    struct unpacking *u = arg;

    return tar_feed(&u->tar, bytes, &u->err);
}

/* The server summed up what it read, we what came: both say the same. */
static bool storage_finish(struct unpacking *u, struct err *e)
{
    struct manifest m;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = tar_end(&u->tar, e) && manifest_read(buf_str(&u->manifest), &a, &m, e) &&
         backup_end(u->to, m.version, m.taken, buf_str(&u->manifest), e);
    arena_release(&a);
    return ok;
}

static int backup_server(const struct storage_flags *f, str dir)
{
    struct unpacking u = {.tar = {.file = begin_file,
                                  .bytes = storage_take_bytes,
                                  .end = cli_storage_end_file,
                                  .arg = &u},
                          .err = ERR_INIT};
    int code;

    u.to = backup_begin(dir, &u.err);
    if (u.to == NULL)
        return failed(&u.err);
    code = client_stream(&f->client, "POST", "/api/tocsin/storage/backup", sink, &u);
    if (code == EXIT_OK && !storage_finish(&u, &u.err))
        code = EXIT_FAILED;
    if (u.err.code != ERR_NONE)
        say(stderr, "tocsin: %s\n", u.err.msg);
    backup_free(u.to);
    buf_release(&u.manifest);
    return code;
}

int storage_backup_run(const void *flags, char **args, int n_args)
{
    const struct storage_flags *f = flags;
    struct err e = ERR_INIT;
    int code = EXIT_OK;

    if (n_args != 1)
        return usage("backup takes one folder, which it makes");
    if (f->folder[0] == '\0')
        code = backup_server(f, str_of(args[0]));
    else if (!backup_folder(str_of(f->folder), str_of(args[0]), S(TOCSIN_VERSION), client_now(),
                            &e))
        code = failed(&e);
    if (code == EXIT_OK)
        say(stdout, "a backup is in %s\n", args[0]);
    return code;
}

/* -- restore -- */

int storage_restore_run(const void *flags, char **args, int n_args)
{
    const struct storage_flags *f = flags;
    struct buf aside = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok;

    if (n_args != 2)
        return usage("restore takes a backup and the folder that it becomes");
    ok = state_restore(str_of(args[0]), str_of(args[1]), f->force, client_now(), &aside, &e);
    if (aside.n != 0)
        say(ok ? stdout : stderr, "what was there is in %.*s\n", STR(buf_str(&aside)));
    if (ok)
        say(stdout, "%s is restored\n", args[1]);
    buf_release(&aside);
    return ok ? EXIT_OK : failed(&e);
}

/* -- downgrade -- */

int storage_downgrade_run(const void *flags, char **args, int n_args)
{
    struct buf said = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok;

    (void)flags;
    if (n_args != 1)
        return usage("downgrade takes one folder");
    ok = state_downgrade(str_of(args[0]), client_now(), &said, &e);
    say(stdout, "%.*s", STR(buf_str(&said)));
    buf_release(&said);
    return ok ? EXIT_OK : failed(&e);
}
