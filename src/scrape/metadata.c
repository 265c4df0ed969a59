#include "scrape/metadata.h"

#include <stddef.h>
#include "base/mem.h"

/* Before name and text of a record. */
struct head {
    uint32_t kind, is_open, name, text;
};

/* -- one scrape -- */

void metadata_begin(struct metadata_seen *m, str known)
{
    buf_clear(&m->records);
    m->known = known;
    m->at = 0;
    m->differs = false;
}

/* Whether the next of what is known is these bytes; then it is behind them. */
static bool is_next(const struct metadata_seen *m, size_t *at, const void *p, size_t n)
{
    if (m->known.n - *at < n || (n != 0 && memcmp(m->known.p + *at, p, n) != 0))
        return false;
    *at += n;
    return true;
}

static void differ(struct metadata_seen *m)
{
    if (!m->differs)
        buf_add(&m->records, str_sub(m->known, 0, m->at));
    m->differs = true;
}

void metadata_see(struct metadata_seen *m, const struct expo_item *x, enum expo_format format)
{
    struct head h = {x->kind, format == EXPO_OPENMETRICS, (uint32_t)x->name.n, (uint32_t)x->text.n};
    size_t n = sizeof(h) + x->name.n + x->text.n, at = m->at;

    if (!m->differs && is_next(m, &at, &h, sizeof(h)) && is_next(m, &at, x->name.p, x->name.n) &&
        is_next(m, &at, x->text.p, x->text.n)) {
        m->at = at;
        return;
    }
    if ((m->differs ? m->records.n : m->at) + n > METADATA_MAX)
        return;
    differ(m);
    buf_add(&m->records, (str){(const char *)&h, sizeof(h)});
    buf_add(&m->records, x->name);
    buf_add(&m->records, x->text);
}

void metadata_end(struct metadata_seen *m)
{
    if (m->at != m->known.n)
        differ(m);
    m->known = STR_NONE;
}

void metadata_release(struct metadata_seen *m)
{
    buf_release(&m->records);
}

/* -- shared -- */

struct metadata *metadata_share(struct u64_map *pool, str records)
{
    uint64_t hash = hash_str(records);
    void **hit = u64_map_get(pool, hash);
    struct metadata *m = hit != NULL ? *hit : NULL;

    if (m != NULL && str_eq((str){m->records, m->n}, records))
        return metadata_ref(m);
    m = mem_alloc(sizeof(*m) + records.n);
    *m = (struct metadata){
        .users = 1, .pool = hit == NULL ? pool : NULL, .hash = hash, .n = records.n};
    if (records.n != 0)
        memcpy(m->records, records.p, records.n);
    if (m->pool != NULL)
        (void)u64_map_put(pool, hash, m);
    return m;
}

struct metadata *metadata_ref(struct metadata *m)
{
    m->users++;
    return m;
}

void metadata_unref(struct metadata *m)
{
    if (m == NULL || --m->users != 0)
        return;
    if (m->pool != NULL)
        u64_map_del(m->pool, m->hash);
    mem_free(m);
}

void metadata_pool_release(struct u64_map *pool)
{
    MAP_EACH (struct u64_map_entry, e, pool)
        ((struct metadata *)e->value)->pool = NULL;
    u64_map_release(pool);
}

/* -- read -- */

static str metadata_unescape(str text, bool is_open, struct arena *a)
{
    char *out;
    size_t n = 0;

    if (str_find(text, '\\') < 0)
        return text;
    out = arena_array(a, text.n, 1);
    for (size_t i = 0; i < text.n; i++) {
        char next = i + 1 < text.n ? text.p[i + 1] : '\0';
        bool is_pair =
            text.p[i] == '\\' && (next == '\\' || next == 'n' || (is_open && next == '"'));

        out[n++] = is_pair && next == 'n' ? '\n' : is_pair ? next : text.p[i];
        i += is_pair;
    }
    return (str){out, n};
}

static void metadata_take(struct metadata_item *m, const struct head *h, str text, struct arena *a)
{
    if (h->kind == EXPO_HELP)
        m->help = metadata_unescape(text, h->is_open, a);
    else if (h->kind == EXPO_UNIT)
        m->unit = text;
    else
        m->type = str_is(text, "untyped") ? S("unknown") : text;
}

const struct metadata_item *metadata_items(str records, struct arena *a, size_t *n)
{
    struct str_map at = {0};
    VEC(struct metadata_item) items = {0};
    struct metadata_item *out;
    struct head h;

    while (records.n >= sizeof(h)) {
        bool is_new;
        void **i;
        str name;

        memcpy(&h, records.p, sizeof(h));
        records = str_sub(records, sizeof(h), records.n);
        name = str_sub(records, 0, h.name);
        i = str_map_add(&at, name, (void *)(uintptr_t)items.n, &is_new);
        if (is_new)
            vec_push(&items, (struct metadata_item){.metric = name, .type = S("unknown")});
        assume(items.v != NULL); /* the name's place is one of it */
        metadata_take(&items.v[(uintptr_t)*i], &h,
                      str_sub(records, h.name, (size_t)h.name + h.text), a);
        records = str_sub(records, (size_t)h.name + h.text, records.n);
    }
    *n = items.n;
    out = arena_array(a, items.n + 1, sizeof(*out));
    if (items.n != 0)
        memcpy(out, items.v, items.n * sizeof(*out));
    vec_release(&items);
    str_map_release(&at);
    return out;
}
