#include "push/push_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "os/log.h"
#include "os/record_file.h"
#include "codec/pack.h"
#include "push/push_path.h"

enum { VERSION = 1 };

/* -- as bytes -- */

void push_file_encode(struct buf *out, const struct push_saved *g, const struct push_set *set)
{
    pack_u64(out, VERSION);
    pack_str(out, g->path);
    pack_i64(out, g->pushed);
    pack_i64(out, g->failed);
    pack_u64(out, set->series.n - PUSH_OWN);
    for (size_t i = PUSH_OWN; i < set->series.n; i++) {
        const struct push_series *x = &set->series.v[i];
        uint64_t value;

        memcpy(&value, &x->value, sizeof(value));
        pack_fixed64(out, value);
        pack_str(out, x->family);
        pack_u64(out, x->labels.n);
        LABELS_EACH (l, x->labels) {
            pack_str(out, l->name);
            pack_str(out, l->value);
        }
    }
}

/* False: these are no labels. */
static bool decode_labels(struct unpack *u, struct arena *a, struct labels *out)
{
    size_t n = unpack_count(u, 2);
    struct label *v = arena_array(a, n, sizeof(*v));

    for (size_t i = 0; i < n; i++) {
        v[i].name = unpack_str(u);
        v[i].value = unpack_str(u);
        if (u->failed || !label_name_is_utf8(v[i].name) || v[i].value.n == 0 ||
            (i != 0 && str_cmp(v[i - 1].name, v[i].name) >= 0))
            return false;
    }
    *out = (struct labels){v, n};
    return true;
}

static bool decode_series(struct unpack *u, struct push_set *set)
{
    struct push_series x = {.ref = TSDB_REF_NEW};
    uint64_t value = unpack_fixed64(u);

    memcpy(&x.value, &value, sizeof(value));
    x.family = arena_str(&set->a, unpack_str(u));
    if (!decode_labels(u, &set->a, &x.labels))
        return false;
    x.labels = labels_copy(&set->a, x.labels);
    vec_push(&set->series, x);
    return true;
}

struct push_set *push_file_decode(str bytes, struct push_saved *g, struct labels *key,
                                  struct arena *a, struct err *e)
{
    struct unpack u = unpack_of(bytes);
    struct push_set *set;
    size_t n;

    if (unpack_u64(&u) != VERSION) {
        err_set(e, ERR_INVALID, "not a pushed group of this version");
        return NULL;
    }
    *g = (struct push_saved){.path = unpack_str(&u)};
    g->pushed = unpack_i64(&u);
    g->failed = unpack_i64(&u);
    n = unpack_count(&u, 10);
    if (u.failed || !str_starts_with(g->path, S("/metrics/")) ||
        !push_path_parse(str_sub(g->path, 9, g->path.n), a, key, e)) {
        err_set(e, ERR_INVALID, "not a pushed group");
        return NULL;
    }
    set = push_set_new(*key);
    for (size_t i = 0; i < n; i++) {
        if (decode_series(&u, set))
            continue;
        err_set(e, ERR_INVALID, "series %zu is damaged", i + 1);
        push_set_free(set);
        return NULL;
    }
    return set;
}

/* -- as files -- */

static void name_of(struct buf *out, str dir, str path)
{
    buf_addf(out, "%.*s/%016llx", STR(dir), (unsigned long long)hash_xxh64(path));
}

static bool write_to(const char *file, str bytes)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && record_append(fd, bytes);

    return (fd < 0 || close(fd) == 0) && ok;
}

bool push_file_write(str dir, const struct push_saved *g, const struct push_set *set, struct err *e)
{
    struct buf name = BUF_INIT, fresh = BUF_INIT, bytes = BUF_INIT, folder = BUF_INIT;
    bool ok;

    buf_add(&folder, dir);
    (void)mkdir(buf_z(&folder), 0700); /* else the open says why */
    name_of(&name, dir, g->path);
    buf_addf(&fresh, "%.*s.new", STR(buf_str(&name)));
    push_file_encode(&bytes, g, set);
    ok = write_to(buf_z(&fresh), buf_str(&bytes)) && rename(buf_z(&fresh), buf_z(&name)) == 0;
    if (!ok)
        err_set(e, ERR_IO, "'%s': %s", buf_z(&fresh), strerror(errno));
    buf_release(&folder);
    buf_release(&bytes);
    buf_release(&fresh);
    buf_release(&name);
    return ok;
}

void push_file_remove(str dir, str path)
{
    struct buf name = BUF_INIT;

    name_of(&name, dir, path);
    (void)unlink(buf_z(&name));
    buf_release(&name);
}

struct reading {
    void (*found)(void *arg, const struct push_saved *g, struct labels key, struct push_set *set);
    void *arg;
    bool is_read;
    struct err err;
};

static bool read_record(void *arg, str bytes)
{
    struct reading *r = arg;
    struct push_saved g;
    struct labels key;
    struct arena a;
    struct push_set *set;

    arena_init(&a, 0);
    set = push_file_decode(bytes, &g, &key, &a, &r->err);
    if (set != NULL)
        r->found(r->arg, &g, key, set);
    r->is_read = set != NULL;
    arena_release(&a);
    return false;
}

static void read_file(struct reading *r, const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;

    r->is_read = false;
    r->err = (struct err)ERR_INIT;
    if (size >= 0)
        (void)record_walk(fd, 0, (uint64_t)size, read_record, r);
    if (!r->is_read)
        log_warn("a pushed group cannot be read", LOG_STR("file", str_of(file)),
                 LOG_STR("err", size < 0                  ? str_of(strerror(errno))
                                : r->err.code != ERR_NONE ? str_of(r->err.msg)
                                                          : S("damaged")));
    if (fd >= 0)
        close(fd);
}

size_t push_file_each(str dir,
                      void (*found)(void *arg, const struct push_saved *g, struct labels key,
                                    struct push_set *set),
                      void *arg)
{
    struct reading r = {.found = found, .arg = arg};
    struct buf name = BUF_INIT;
    struct dirent *entry;
    size_t unreadable = 0;
    DIR *d;

    buf_add(&name, dir);
    d = opendir(buf_z(&name));
    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (strspn(entry->d_name, "0123456789abcdef") != 16 || entry->d_name[16] != '\0')
            continue;
        buf_clear(&name);
        buf_addf(&name, "%.*s/%s", STR(dir), entry->d_name);
        read_file(&r, buf_z(&name));
        unreadable += !r.is_read;
    }
    if (d != NULL)
        closedir(d);
    buf_release(&name);
    return unreadable;
}
