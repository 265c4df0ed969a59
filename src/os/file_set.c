#include "os/file_set.h"

#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/record.h"
#include "base/vec.h"
#include "codec/pack.h"

enum { VERSION = 1 };

struct file_set_kept {
    str path, text;
};

struct file_set {
    struct arena arena;
    VEC(struct file_set_kept) v;
    struct str_map at; /* path -> its place in v, and one */
};

struct file_set *file_set_new(void)
{
    struct file_set *s = mem_new(struct file_set);

    arena_init(&s->arena, 0);
    return s;
}

void file_set_free(struct file_set *s)
{
    if (s == NULL)
        return;
    vec_release(&s->v);
    str_map_release(&s->at);
    arena_release(&s->arena);
    mem_free(s);
}

static const struct file_set_kept *file_set_find(const struct file_set *s, str path)
{
    void **slot = str_map_get(&s->at, path);

    return slot != NULL ? &s->v.v[(uintptr_t)*slot - 1] : NULL;
}

static void file_set_keep(struct file_set *s, str path, str text)
{
    if (file_set_find(s, path) != NULL)
        return;
    path = arena_str(&s->arena, path);
    vec_push(&s->v, (struct file_set_kept){path, text.n != 0 ? arena_str(&s->arena, text) : S("")});
    str_map_put(&s->at, path, (void *)(uintptr_t)s->v.n);
}

/* A sum of sums knows no order; each one knows where a path ends. */
uint64_t file_set_sum(const struct file_set *s)
{
    uint64_t sum = s->v.n;

    for (size_t i = 0; i < s->v.n; i++) {
        uint64_t both[2] = {hash_xxh64(s->v.v[i].path), hash_xxh64(s->v.v[i].text)};

        sum += hash_xxh64((str){(const char *)both, sizeof(both)});
    }
    return sum != 0 ? sum : 1;
}

void file_set_pack(const struct file_set *s, struct buf *out)
{
    size_t at = record_begin(out);

    pack_u64(out, VERSION);
    pack_u64(out, s->v.n);
    for (size_t i = 0; i < s->v.n; i++) {
        pack_str(out, s->v.v[i].path);
        pack_str(out, s->v.v[i].text);
    }
    record_end(out, at);
}

struct file_set *file_set_unpack(str bytes, struct err *e)
{
    struct file_set *s = file_set_new();
    struct unpack u;
    str record;
    size_t n;

    if (record_next(&bytes, &record)) {
        u = unpack_of(record);
        if (unpack_u64(&u) == VERSION) {
            n = unpack_count(&u, 2);
            for (size_t i = 0; i < n && !u.failed; i++) {
                str path = unpack_str(&u), text = unpack_str(&u);

                if (!u.failed)
                    file_set_keep(s, path, text);
            }
            if (!u.failed)
                return s;
        }
    }
    (void)err_set(e, ERR_CORRUPT, "not a set of files, or a damaged one");
    file_set_free(s);
    return NULL;
}

bool files_read(const struct files *f, str path, enum file_kind kind, size_t max, struct buf *out,
                struct err *e)
{
    size_t before = out->n;
    const struct file_set_kept *k;

    if (f != NULL && f->from != NULL) {
        k = file_set_find(f->from, path);
        if (k == NULL)
            return err_set(e, ERR_NOT_FOUND, "'%.*s' is not among the files that were kept",
                           STR(path));
        buf_add(out, k->text);
        return true;
    }
    if (!file_read(path, kind, max, out, e))
        return false;
    if (f != NULL && f->into != NULL)
        file_set_keep(f->into, path, str_sub(buf_str(out), before, out->n));
    return true;
}

void files_glob(const struct files *f, str pattern, struct arena *a, str **names, size_t *n)
{
    const char *z = arena_str(a, pattern).p;
    VEC(str) v = VEC_INIT;
    glob_t found;

    if (f != NULL && f->from != NULL) {
        for (size_t i = 0; pattern.n != 0 && i < f->from->v.n; i++)
            if (fnmatch(z, f->from->v.v[i].path.p, FNM_PATHNAME | FNM_PERIOD) == 0)
                vec_push(&v, arena_str(a, f->from->v.v[i].path));
        if (v.n > 1)
            qsort(v.v, v.n, sizeof(str), str_order);
    } else if (pattern.n != 0 && glob(z, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            vec_push(&v, arena_str(a, str_of(found.gl_pathv[i])));
        globfree(&found);
    }
    *n = v.n;
    *names = arena_copy(a, v.v, v.n, v.n, sizeof(str));
    vec_release(&v);
}
