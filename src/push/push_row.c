#include "push/push_row.h"

#include "codec/pack.h"
#include "push/push_path.h"

enum { VERSION = 1 };

void push_row_encode(struct buf *out, const struct push_saved *g, const struct push_set *set)
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

struct push_set *push_row_decode(str bytes, struct push_saved *g, struct labels *key,
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
