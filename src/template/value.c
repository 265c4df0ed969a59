/* Making and asking values: lists, maps, dictionaries, their zero, what is true, what fits a parameter; tables
 * searched by name; and what an execution keeps, compiled patterns and zones. */
#include "template/value.h"

#include "base/mem.h"
#include "regex/regex.h"
#include "codec/tz.h"

enum { COMPILE_STEPS = 100, LOAD_STEPS = 1000 };

struct tmpl_cached_zone {
    struct tmpl_cached_zone *next;
    str name;
    struct tz *zone;
};

struct tmpl_cached {
    struct regex *patterns[TMPL_PATTERNS];
    size_t next_pattern;
    struct tmpl_cached_zone *zones;
};

const struct tmpl_type tmpl_bytes = {.name = "[]uint8", .elem = TV_UINT};
const struct tmpl_type tmpl_string_map = {.name = "map[string]string", .elem = TV_STRING};
const struct tmpl_type tmpl_safe_html = {.name = "template.HTML", .safe = TMPL_SAFE_HTML};
const struct tmpl_type tmpl_safe_url = {.name = "template.URL", .safe = TMPL_SAFE_URL};

static bool join_strings(struct tmpl_env *env, const struct tmpl_value *args, size_t n,
                         struct tmpl_value *out, struct err *e)
{
    struct buf b = BUF_INIT;

    (void)e;
    (void)n;
    for (size_t i = 0; i < args[0].list.n && b.n <= env->a->limit - env->a->used; i++) {
        if (i != 0)
            buf_add(&b, args[1].s);
        buf_add(&b, args[0].list.v[i].s);
    }
    *out = tv_copy_buf(env->a, &b);
    return true;
}

static const struct tmpl_func strings_methods[] = {
    {"Join", "s", join_strings, "the elements with a separator between them"},
    {NULL, NULL, NULL, NULL},
};
const struct tmpl_type tmpl_strings = {
    .name = "[]string", .methods = strings_methods, .elem = TV_STRING};

struct tmpl_value tv_labels(struct arena *a, const struct tmpl_type *type, struct labels ls)
{
    struct tmpl_pair *v = arena_array(a, ls.n, sizeof(*v));

    for (size_t i = 0; i < ls.n; i++)
        v[i] = (struct tmpl_pair){ls.v[i].name, tv_str(ls.v[i].value)};
    return (struct tmpl_value){
        .kind = TV_MAP, .type = type != NULL ? type : &tmpl_string_map, .map = {v, ls.n, NULL}};
}

struct tmpl_value tv_strings(struct arena *a, const str *v, size_t n)
{
    struct tmpl_value *all = arena_array(a, n, sizeof(*all));

    for (size_t i = 0; i < n; i++)
        all[i] = tv_str(v[i]);
    return tv_list(&tmpl_strings, all, n);
}

/* By insertion: functions have at most 256 arguments. */
struct tmpl_value tv_map(const struct tmpl_type *type, struct tmpl_pair *v, size_t n)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        struct tmpl_pair pair = v[i];
        size_t at = k;

        while (at > 0 && str_cmp(v[at - 1].key, pair.key) > 0)
            at--;
        if (at > 0 && str_eq(v[at - 1].key, pair.key)) {
            v[at - 1] = pair;
            continue;
        }
        memmove(&v[at + 1], &v[at], (k - at) * sizeof(*v));
        v[at] = pair;
        k++;
    }
    return (struct tmpl_value){.kind = TV_MAP, .type = type, .map = {v, k, NULL}};
}

struct tmpl_value tv_dict(struct arena *a, struct tmpl_pair *v, size_t n)
{
    struct tmpl_value out = tv_map(NULL, v, n);
    struct tmpl_map *shared = arena_new(a, struct tmpl_map);

    *shared = out.map;
    out.map.shared = shared;
    return out;
}

struct tmpl_value tv_copy_buf(struct arena *a, struct buf *b)
{
    struct tmpl_value v = tv_str(arena_str(a, buf_str(b)));

    buf_release(b);
    return v;
}

struct tmpl_value tv_bytes(struct arena *a, struct buf *b)
{
    struct tmpl_value *v = arena_array(a, b->n, sizeof(*v));
    size_t n = b->n;

    for (size_t i = 0; i < n; i++)
        v[i] = (struct tmpl_value){.kind = TV_UINT, .u = (unsigned char)b->p[i]};
    buf_release(b);
    return tv_list(&tmpl_bytes, v, n);
}

void tv_bytes_text(struct buf *out, const struct tmpl_value *bytes)
{
    for (size_t i = 0; i < bytes->list.n; i++)
        buf_addc(out, (char)bytes->list.v[i].u);
}

const struct tmpl_pair *tv_map_pair(const struct tmpl_value *map, str key)
{
    struct tmpl_map m = tv_map_of(map);
    size_t low = 0, high = m.n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = str_cmp(m.v[mid].key, key);

        if (c == 0)
            return m.v + mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const struct tmpl_value *tv_map_get(const struct tmpl_value *map, str key)
{
    const struct tmpl_pair *hit = tv_map_pair(map, key);

    return hit != NULL ? &hit->value : NULL;
}

struct tmpl_value tv_map_zero(const struct tmpl_value *map)
{
    if (map->type != NULL && map->type->elem == TV_STRING)
        return tv_str(S(""));
    return tv_nil();
}

bool tv_truth(const struct tmpl_value *v)
{
    switch (v->kind) {
    case TV_NONE:
    case TV_NIL: return false;
    case TV_BOOL: return v->b;
    case TV_INT:
    case TV_DURATION: return v->i != 0;
    case TV_UINT: return v->u != 0;
    case TV_FLOAT: return v->f != 0;
    case TV_STRING: return v->s.n != 0;
    case TV_LIST: return v->list.n != 0;
    case TV_MAP: return tv_map_of(v).n != 0;
    case TV_TIME: return true;
    case TV_OBJECT: return v->object != NULL;
    }
    return false;
}

const char *tv_type_name(const struct tmpl_value *v)
{
    static const char *const names[] = {
        [TV_NONE] = "<nil>",
        [TV_NIL] = "interface {}",
        [TV_BOOL] = "bool",
        [TV_INT] = "int",
        [TV_UINT] = "uint64",
        [TV_FLOAT] = "float64",
        [TV_STRING] = "string",
        [TV_LIST] = "[]interface {}",
        [TV_MAP] = "map[string]interface {}",
        [TV_TIME] = "time.Time",
        [TV_DURATION] = "time.Duration",
        [TV_OBJECT] = "struct {}",
    };

    return v->type != NULL ? v->type->name : names[v->kind];
}

const char *tv_param_name(char param)
{
    switch (param) {
    case 's': return "string";
    case 'b': return "bool";
    case 'i': return "int";
    case 'd': return "time.Duration";
    case 't': return "time.Time";
    case 'f': return "float64";
    case 'L':
    case 'l': return "[]string";
    case 'v': return tmpl_sample.name;
    case 'q': return tmpl_samples.name;
    case 'y': return tmpl_bytes.name;
    case 'o': return tmpl_location.name;
    default: return "interface {}";
    }
}

bool tv_fits(char param, const struct tmpl_value *v)
{
    switch (param) {
    case 's': return v->kind == TV_STRING && v->type == NULL;
    case 'b': return v->kind == TV_BOOL;
    case 'i': return v->kind == TV_INT && v->type == NULL;
    case 'd': return v->kind == TV_DURATION;
    case 't': return v->kind == TV_TIME;
    case 'f': return v->kind == TV_FLOAT;
    case 'L': return v->kind == TV_LIST;
    case 'l': return v->kind == TV_LIST && v->type != NULL && v->type->elem == TV_STRING;
    case 'v': return v->kind == TV_OBJECT && v->type == &tmpl_sample;
    case 'q': return v->kind == TV_LIST && v->type == &tmpl_samples;
    case 'y': return v->kind == TV_LIST && v->type == &tmpl_bytes;
    case 'o': return v->kind == TV_OBJECT && v->type == &tmpl_location;
    default: return true;
    }
}

const struct tmpl_func *tmpl_func_find(const struct tmpl_func *table, str name)
{
    for (; table != NULL && table->name != NULL; table++)
        if (str_is(name, table->name))
            return table;
    return NULL;
}

const struct tmpl_field *tmpl_field_find(const struct tmpl_type *type, str name)
{
    if (type == NULL)
        return NULL;
    for (const struct tmpl_field *f = type->fields; f != NULL && f->name != NULL; f++)
        if (str_is(name, f->name))
            return f;
    return NULL;
}

static struct tmpl_cached *cache(struct tmpl_env *env)
{
    if (env->cached == NULL)
        env->cached = arena_new(env->a, struct tmpl_cached);
    return env->cached;
}

/* A pattern may be far larger than its text, so only some stay. */
const struct regex *tmpl_regex(struct tmpl_env *env, str pattern, struct err *e)
{
    struct tmpl_cached *c = cache(env);
    struct regex *re, **slot;

    for (size_t i = 0; i < TMPL_PATTERNS && c->patterns[i] != NULL; i++)
        if (str_eq(regex_pattern(c->patterns[i]), pattern))
            return c->patterns[i];
    (void)tmpl_work(env, COMPILE_STEPS + pattern.n);
    re = regex_compile(pattern, REGEX_COUNTED, e);
    if (re == NULL)
        return NULL;
    (void)tmpl_work(env, regex_size(re));
    slot = &c->patterns[c->next_pattern++ % TMPL_PATTERNS];
    regex_unref(*slot);
    *slot = re;
    return re;
}

const struct tz *tmpl_zone(struct tmpl_env *env, str name, struct err *e)
{
    struct tmpl_cached *c = cache(env);
    struct tmpl_cached_zone *z;
    struct tz *zone;

    for (z = c->zones; z != NULL; z = z->next)
        if (str_eq(z->name, name))
            return z->zone;
    (void)tmpl_work(env, LOAD_STEPS);
    zone = env->load_zone != NULL ? env->load_zone(name, e) : NULL;
    if (env->load_zone == NULL)
        err_set(e, ERR_NOT_FOUND, "unknown time zone '%.*s'", STR(name));
    if (zone == NULL)
        return NULL;
    z = arena_new(env->a, struct tmpl_cached_zone);
    *z = (struct tmpl_cached_zone){c->zones, arena_str(env->a, name), zone};
    c->zones = z;
    return zone;
}

void tmpl_env_release(struct tmpl_env *env)
{
    if (env->cached == NULL)
        return;
    for (size_t i = 0; i < TMPL_PATTERNS; i++)
        regex_unref(env->cached->patterns[i]);
    for (struct tmpl_cached_zone *z = env->cached->zones; z != NULL; z = z->next)
        tz_free(z->zone);
    env->cached = NULL;
}
