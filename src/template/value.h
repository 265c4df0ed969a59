/* value.h - what a template computes with: typed values, and the tables that describe objects and functions.
 *
 * A host describes its data by const tables: a field is a name and a getter, a method or a function is a name, the types
 * of its parameters and a C function. Nothing is converted before a template asks for it.
 *
 * Shapes   a value is 40 bytes, passed by copy. Maps have text keys and are sorted bytewise.
 * Units    the host's times are ts_ns, a template's any second of any year, as Go's; durations dur_ns.
 * Owns     nothing: text, lists, maps and objects live in the arena of the execution or in the host's data.
 * Errors   functions fail through struct err; the interpreter adds Go's "error calling NAME: ".
 * Source   Go text/template, reflect and fmt; rules.md 3, alertmanager.md 5.
 */
#ifndef TEMPLATE_VALUE_H
#define TEMPLATE_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "tocsin/labels.h"
#include "codec/tz.h"

enum tmpl_kind {
    TV_NONE, /* no value at all; prints as <no value> */
    TV_NIL,  /* an empty interface */
    TV_BOOL,
    TV_INT,
    TV_UINT,
    TV_FLOAT,
    TV_STRING,
    TV_LIST,
    TV_MAP,
    TV_TIME,
    TV_DURATION,
    TV_OBJECT,
};

struct tmpl_env;
struct tmpl_value;
struct tz;
struct regex;

struct tmpl_func {
    const char *name;
    /* One letter a parameter: s string, b bool, i int, d duration, t time, f float, a anything, l list of strings, L any list,
     * v sample of a query, q all of them, y bytes, o time zone. '*' behind the last one: any number of it. A method's receiver is args[0] and not listed. */
    const char *params; /* NULL: a name that is refused when the template is read, doc is why */
    /* NULL: a method that Go refuses to call, doc is why. */
    bool (*fn)(struct tmpl_env *env, const struct tmpl_value *args, size_t n,
               struct tmpl_value *out, struct err *e);
    const char *doc;
};

struct tmpl_field {
    const char *name, *json;
    void (*get)(struct tmpl_env *env, const void *object, struct tmpl_value *out);
};

/* A type with a name of its own. Tables end with a row whose name is NULL; either may be absent. */
struct tmpl_type {
    const char *name;                /* as Go prints it: template.KV */
    const struct tmpl_field *fields; /* of an object */
    const struct tmpl_func *methods;
    void (*text)(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v); /* Stringer */
    enum tmpl_kind elem; /* of a map or list: what a missing key gives */
    enum tmpl_safe {
        TMPL_PLAIN,
        TMPL_SAFE_HTML,
        TMPL_SAFE_URL,
        TMPL_SAFE_CSS,
        TMPL_SAFE_JS,
        TMPL_SAFE_ATTR,
    } safe; /* of text: what html mode trusts it as */
};

struct tmpl_list {
    const struct tmpl_value *v;
    size_t n;
};

struct tmpl_map {
    const struct tmpl_pair *v; /* sorted by key, keys distinct */
    size_t n;
    /* what all copies of the value see, and set and unset change; NULL: v and n, for good */
    struct tmpl_map *shared;
};

struct tmpl_time {
    int64_t s;             /* since 1970; TMPL_YEAR_ONE is Go's zero time */
    int32_t ns;            /* 0 to 999,999,999 */
    const struct tz *zone; /* NULL = UTC */
};

struct tmpl_value {
    enum tmpl_kind kind;
    const struct tmpl_type *type; /* NULL: the kind's own Go type */
    union {
        bool b;
        int64_t i; /* TV_INT, TV_DURATION */
        uint64_t u;
        double f;
        str s;
        struct tmpl_list list;
        struct tmpl_map map;
        struct tmpl_time time;
        const void *object;
    };
};

struct tmpl_pair {
    str key;
    struct tmpl_value value;
};

/* What a function may use besides its arguments. */
struct tmpl_env {
    struct arena *a;
    ts_ns now;
    const struct tz *zone;  /* of now and of the data's times; NULL = UTC */
    const struct tz *local; /* of Time.Local; NULL: the process', loaded when it is asked for */
    tz_loader *load_zone;
    const void *host;              /* the host's, as given to template_exec() */
    const struct tmpl_value *root; /* the data of the execution */
    struct tmpl_cached *cached;
    uint64_t steps;      /* that may still be taken */
    unsigned json_depth; /* of the value being written as JSON */
};

/* Work inside of a function, beyond what it returns, is counted in steps: a step is a node walked, 256 bytes read,
 * 16 elements looked at or 16 instructions of a pattern. When none is left the execution ends behind the function. */
enum { TMPL_STEP_BYTES = 256, TMPL_STEP_ITEMS = 16 };

/* Takes n steps away. False: none is left, the function may stop with whatever it has. */
static inline bool tmpl_work(struct tmpl_env *env, uint64_t n)
{
    env->steps -= n < env->steps ? n : env->steps;
    return env->steps != 0;
}

#define TMPL_YEAR_ONE INT64_C(-62135596800)

static inline struct tmpl_time tmpl_time_at(ts_ns t, const struct tz *zone)
{
    int64_t ns = t % NS_PER_S;

    if (t == TS_NONE)
        return (struct tmpl_time){TMPL_YEAR_ONE, 0, zone};
    return (struct tmpl_time){t / NS_PER_S - (ns < 0), (int32_t)(ns < 0 ? ns + NS_PER_S : ns),
                              zone};
}

/* In the zone of the execution; the zero time stays what it is known by. */
static inline struct tmpl_value tv_local_time(const struct tmpl_env *env, ts_ns t)
{
    return (struct tmpl_value){.kind = TV_TIME,
                               .time = tmpl_time_at(t, t != TS_NONE ? env->zone : NULL)};
}

#define TV_ZERO ((struct tmpl_value){.kind = TV_NONE})

static inline struct tmpl_value tv_nil(void)
{
    return (struct tmpl_value){.kind = TV_NIL};
}

static inline struct tmpl_value tv_bool(bool b)
{
    return (struct tmpl_value){.kind = TV_BOOL, .b = b};
}

static inline struct tmpl_value tv_int(int64_t i)
{
    return (struct tmpl_value){.kind = TV_INT, .i = i};
}

static inline struct tmpl_value tv_float(double f)
{
    return (struct tmpl_value){.kind = TV_FLOAT, .f = f};
}

static inline struct tmpl_value tv_str(str s)
{
    return (struct tmpl_value){.kind = TV_STRING, .s = s};
}

static inline struct tmpl_value tv_time(ts_ns t)
{
    return (struct tmpl_value){.kind = TV_TIME, .time = tmpl_time_at(t, NULL)};
}

static inline struct tmpl_value tv_duration(dur_ns d)
{
    return (struct tmpl_value){.kind = TV_DURATION, .i = d};
}

static inline struct tmpl_value tv_object(const struct tmpl_type *type, const void *object)
{
    return (struct tmpl_value){.kind = TV_OBJECT, .type = type, .object = object};
}

static inline struct tmpl_value tv_list(const struct tmpl_type *type, const struct tmpl_value *v,
                                        size_t n)
{
    return (struct tmpl_value){.kind = TV_LIST, .type = type, .list = {v, n}};
}

struct tmpl_value tv_labels(struct arena *a, const struct tmpl_type *type, struct labels ls);
struct tmpl_value tv_strings(struct arena *a, const str *v, size_t n); /* []string */
/* A map of n pairs in any order, sorted here; of equal keys the last one holds. Takes the array. */
struct tmpl_value tv_map(const struct tmpl_type *type, struct tmpl_pair *v, size_t n);
struct tmpl_value tv_copy_buf(struct arena *a, struct buf *b); /* text; releases b */
struct tmpl_value tv_bytes(struct arena *a, struct buf *b);    /* the same as []uint8 */
void tv_bytes_text(struct buf *out, const struct tmpl_value *bytes);

/* The map as it is now; what is changed later has another array. */
static inline struct tmpl_map tv_map_of(const struct tmpl_value *v)
{
    return v->map.shared != NULL ? *v->map.shared : v->map;
}

/* A map that can be changed. */
struct tmpl_value tv_dict(struct arena *a, struct tmpl_pair *v, size_t n);
const struct tmpl_pair *tv_map_pair(const struct tmpl_value *map, str key); /* NULL: missing */
const struct tmpl_value *tv_map_get(const struct tmpl_value *map, str key); /* NULL: missing */
struct tmpl_value tv_map_zero(const struct tmpl_value *map); /* what a missing key gives */
bool tv_truth(const struct tmpl_value *v);
const char *tv_type_name(const struct tmpl_value *v); /* as Go prints it */
const char *tv_param_name(char param);
bool tv_fits(char param, const struct tmpl_value *v);
const struct tmpl_func *tmpl_func_find(const struct tmpl_func *table, str name);
const struct tmpl_field *tmpl_field_find(const struct tmpl_type *type, str name);

/* Compiled patterns and loaded zones. Zones are kept until the execution ends, the last TMPL_PATTERNS patterns until the
 * next call. NULL on failure. */
enum { TMPL_PATTERNS = 16 };
const struct regex *tmpl_regex(struct tmpl_env *env, str pattern, struct err *e) must_check;
const struct tz *tmpl_zone(struct tmpl_env *env, str name, struct err *e) must_check;
void tmpl_env_release(struct tmpl_env *env);

extern const struct tmpl_type tmpl_strings;  /* []string */
extern const struct tmpl_type tmpl_bytes;    /* []uint8: a list, and text for verbs of text */
extern const struct tmpl_type tmpl_location; /* of a time; object: struct tz, or tmpl_utc */
extern const char tmpl_utc[];
extern const struct tmpl_type tmpl_string_map; /* map[string]string */
extern const struct tmpl_type tmpl_safe_html, tmpl_safe_url;
extern const struct tmpl_type tmpl_sample, tmpl_samples; /* struct sample; a list of them */

#endif
