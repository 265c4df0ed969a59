/* backup_fuzz.c - what comes as a backup: an archive, in pieces of any length, and a manifest. Names that are taken lead nowhere
 * else, and of a manifest that is read every file has a name of ours. */
#include "tests_fuzz.h"

#include "codec/tar.h"
#include "state/manifest.h"

struct taking {
    uint64_t left;
    bool is_open;
    struct buf manifest;
};

static bool file(void *arg, str name, uint64_t size, struct err *e)
{
    struct taking *t = arg;

    if (t->is_open)
        __builtin_trap();
    if (!manifest_is_name(name) && !str_is(name, MANIFEST))
        return err_set(e, ERR_CORRUPT, "no name of ours");
    if (str_find_str(name, S("..")) >= 0 || name.p[0] == '/')
        __builtin_trap();
    t->left = size;
    t->is_open = true;
    buf_clear(&t->manifest);
    return true;
}

static bool bytes(void *arg, str piece, struct err *e)
{
    struct taking *t = arg;

    (void)e;
    if (!t->is_open || piece.n > t->left)
        __builtin_trap();
    t->left -= piece.n;
    buf_add(&t->manifest, piece);
    return true;
}

static bool end(void *arg, struct err *e)
{
    struct taking *t = arg;

    (void)e;
    if (!t->is_open || t->left != 0)
        __builtin_trap();
    t->is_open = false;
    return true;
}

static void read_manifest(str text)
{
    struct manifest m;
    struct err e = ERR_INIT;
    struct arena a;

    arena_init(&a, 0);
    if (!manifest_read(text, &a, &m, &e) && e.code == ERR_NONE)
        __builtin_trap();
    for (size_t i = 0; e.code == ERR_NONE && i < m.n; i++)
        if (!manifest_is_name(m.files[i].name))
            __builtin_trap();
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str all = {(const char *)data, size};
    struct taking t = {0};
    struct tar_reader r = {.file = file, .bytes = bytes, .end = end, .arg = &t};
    struct err e = ERR_INIT;
    size_t step = size != 0 ? 1 + data[0] * 7u : 1;
    bool ok = true;

    read_manifest(all);
    for (size_t at = 0; ok && at < size; at += step)
        ok = tar_feed(&r, str_sub(all, at, at + step), &e);
    if (ok && tar_end(&r, &e))
        read_manifest(buf_str(&t.manifest));
    if (!ok && e.code == ERR_NONE)
        __builtin_trap();
    buf_release(&t.manifest);
    return 0;
}
