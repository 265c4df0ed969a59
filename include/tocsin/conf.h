/* conf.h - key tables: what a configuration mapping may say, one const row a key.
 *
 * The decoder, its error texts, the default values, GET /api/v2/status, the JSON schema and the documentation all read
 * the same row, so adding a key is one row and one struct member:
 *
 *     static const struct conf_key keys[] = {
 *         CONF_KEY(struct discord_conf, webhook_url, CONF_SECRET_URL, "where to post"),
 *         CONF_KEY(struct discord_conf, title, CONF_TEMPLATE, "title of the embed",
 *                  .text = "{{ template \"discord.default.title\" . }}"),
 *         CONF_KEYS_END,
 *     };
 *     const struct conf_type discord_conf_type = {.name = "discord_config", .keys = keys,
 *                                                 .size = sizeof(struct discord_conf)};
 *
 * A mapping is decoded, then inherits, then gets its defaults, then is checked. A key that is absent or null takes what
 * the mapping above has (CONF_INHERIT), or its default. What is above must be complete before: so a mapping's own values
 * are decoded before what stands below it, whatever the order of rows. Scalars are taken as text and read by the type of
 * their key, so `severity: 1` is the string "1" where a string is wanted.
 *
 * Shapes   the member's C type follows from the kind, see enum conf_kind.
 * Errors   all problems of a document are collected as diags: C001 wrong type or value, C002 unknown key, C003 missing
 *          key, C004 keys that exclude each other, C005 the same key in two files, C006 no such name, C007 (warning) a
 *          feature that comes later, C008 (info) deprecated, C009 other rules of the section, C012 (info) a key without
 *          a value, which does not mean its default, C013 (warning) a merge key that the originals read otherwise, C014
 *          (rollback) nothing else has run since the start.
 * Owns     everything decoded lives in the arena of the configuration.
 */
#ifndef TOCSIN_CONF_H
#define TOCSIN_CONF_H

#include "tocsin/arena.h"
#include "tocsin/diags.h"
#include "tocsin/secret.h"
#include "tocsin/time.h"

struct yaml_node;
struct conf_in;    /* the decoder at some node */
struct conf_check; /* a decoded mapping, to complain about */
struct conf_out;   /* the printer */

/* -- decoded shapes -- */

struct conf_strings {
    str *v;
    size_t n;
};

struct conf_pair {
    str name, value;
};

struct conf_map { /* in the order of the file */
    struct conf_pair *v;
    size_t n;
};

/* A member that holds a list of sub-mappings, inline. */
#define CONF_LIST_OF(type)                                                                         \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n;                                                                                  \
    }

enum conf_tristate { CONF_UNSET, CONF_NO, CONF_YES };

/* Any YAML, with types resolved by the rules of YAML 1.1: for payloads and custom fields. */
enum conf_value_kind {
    CONF_VALUE_NULL,
    CONF_VALUE_BOOL,
    CONF_VALUE_INT,
    CONF_VALUE_FLOAT,
    CONF_VALUE_STRING,
    CONF_VALUE_LIST,
    CONF_VALUE_MAP,
};

struct conf_value {
    enum conf_value_kind kind;
    bool b;
    int64_t i;
    double f;
    str s;                    /* a scalar as written */
    struct conf_value *items; /* of a list; of a map: the values */
    str *names;               /* of a map */
    size_t n;
};

enum conf_kind {
    CONF_END,
    CONF_BOOL,        /* bool: true false yes no on off y n, as YAML 1.1 */
    CONF_TRISTATE,    /* enum conf_tristate */
    CONF_INT,         /* int64_t, within min..max when these differ */
    CONF_FLOAT,       /* double */
    CONF_STRING,      /* str */
    CONF_TEMPLATE,    /* str: Go template text */
    CONF_WORD,        /* str: one of words[] */
    CONF_SECRET,      /* struct secret; the key with _file behind it names a file instead */
    CONF_SECRET_URL,  /* the same, an http or https URL */
    CONF_URL,         /* str: http or https, with a host */
    CONF_DURATION,    /* dur_ns: 1h30m */
    CONF_GO_DURATION, /* dur_ns: 1.5h, 500ms; a bare integer is nanoseconds */
    CONF_SIZE,        /* int64_t bytes: 512KB, 1GiB, 4096; within min..max likewise */
    CONF_PATH,        /* str: a file, relative to the folder of the configuration */
    CONF_STRINGS,     /* struct conf_strings */
    CONF_PATHS,       /* struct conf_strings of paths or globs */
    CONF_LABEL_NAMES, /* struct conf_strings of label names */
    CONF_MATCHERS,    /* struct matchers (model/matcher.h): list of strings, each one or several
                          matchers */
    CONF_STRING_MAP,  /* struct conf_map */
    CONF_LABEL_MAP,   /* struct conf_map whose names are label names */
    CONF_ANY,         /* struct conf_value *, NULL = absent */
    CONF_ANY_MAP,     /* struct conf_value * that is a map */
    CONF_STRUCT,      /* struct of .sub, inline; absent = all defaults */
    CONF_STRUCT_PTR,  /* pointer to a struct of .sub, NULL = absent; default "{}": never NULL */
    CONF_LIST,        /* CONF_LIST_OF(struct of .sub) */
    CONF_CUSTOM,      /* what .decode writes */
    CONF_IGNORED,     /* accepted, not looked into */
};

enum conf_flags {
    CONF_REQUIRED = 1, /* absent or empty is an error */
    CONF_PRINT_GIVEN =
        2,          /* printed where it was given, not where it was inherited or is the default */
    CONF_LATER = 4, /* accepted with a warning: the feature comes with a later version */
    CONF_DEPRECATED = 8,
    CONF_NO_FILE = 16, /* a secret without the _file form */
    CONF_BOTH_OK = 32, /* a secret whose inline and _file form may stand together */
    CONF_PATH_FIXED =
        64, /* a secret's file or a path is not resolved against the configuration's folder */
    CONF_MERGE = 128, /* may stand in several files; mappings merge by key, lists are joined */
    CONF_PRINT_EMPTY = 256, /* printed although empty, zero or false */
    CONF_NO_NULLS = 512,    /* a null element or map value is an error that names it */
    CONF_NOT_NEGATIVE = 1024,
    CONF_NOT_ZERO = 2048, /* for durations */
    CONF_SLASH = 4096,    /* a URL gets a trailing slash if it has none */
    CONF_TEMPLATE_OK =
        8192, /* a URL that holds {{ is a template; so are the values of a map of labels */
    CONF_HIDDEN = 16384,      /* printed as <secret> whatever its type */
    CONF_ONE_OR_LIST = 32768, /* a list that may be written as one scalar */
    CONF_UNPRINTED = 65536,   /* not in the printed configuration */
    CONF_ADDRESS = 131072,    /* a string, or several, that says where messages go, as a URL does */
    CONF_EMPTY_IS_NO = 262144, /* for tristates: without a value it is false, not unset */
    CONF_READ_LATER = 262144,  /* a path whose file is read when it is needed, as a secret's is */
    CONF_EMPTY_IS_NONE =
        524288, /* what is empty, or 0, is as good as absent; so is each text that inherits */
    CONF_NOT_ADDRESS = 2097152, /* a URL that says nothing of where messages go: it points to us */
    CONF_HEIRS =
        1048576, /* a list whose elements inherit what this mapping does, and not from it */
};

struct conf_key {
    const char *name;
    enum conf_kind kind;
    unsigned flags;
    size_t offset, size; /* of the member */
    size_t above;        /* CONF_AT() of what it inherits in the object above; 0 = nothing */
    size_t above_size;
    const char *text; /* default, as it would be written in the file; NULL = zero value */
    int64_t min, max;
    const char *const *words; /* CONF_WORD: NULL-terminated */
    const struct conf_type *sub;
    const struct conf_type *beside; /* its keys stand in the mappings of sub, too */
    /* CONF_CUSTOM: what stands there, as a JSON schema; "@": a mapping of sub. NULL: a mapping of sub, or without one anything */
    const char *json;
    bool (*decode)(struct conf_in *in, const struct yaml_node *node,
                   void *member);                            /* false: it has complained */
    void (*print)(struct conf_out *out, const void *member); /* a value, behind its key */
    const char *doc;
};

/* Which members were given: the key stood in the file with a value, and not with an empty one where that is none. */
struct conf_given {
    uint64_t rows[2];
};

/* A mapping. Offsets with CONF_AT(); 0 = the struct has no such member. */
struct conf_type {
    const char *name, *doc;
    const struct conf_key *keys;
    size_t size;
    size_t place;  /* struct diag_place: where the mapping stood */
    size_t given;  /* struct conf_given, for CONF_GIVEN() and CONF_PRINT_GIVEN */
    size_t number; /* uint64_t: 1, 2 ..., of no other that this process decodes */
    void (*check)(struct conf_check *c,
                  void *obj); /* called when the mapping is decoded; NULL = nothing to check */
};

#define CONF_AT(type, member) (offsetof(type, member) + 1)
#define CONF_KEY_AS(key, type, member, kind_, doc_, ...)                                           \
    {                                                                                              \
        .name = (key), .kind = (kind_), .offset = offsetof(type, member),                          \
        .size = sizeof(((type *)0)->member), .doc = (doc_), ##__VA_ARGS__                          \
    }
#define CONF_KEY(type, member, kind_, doc_, ...)                                                   \
    CONF_KEY_AS(#member, type, member, kind_, doc_, ##__VA_ARGS__)
#define CONF_KEY_IGNORED(key, flags_, doc_)                                                        \
    {                                                                                              \
        .name = (key), .kind = CONF_IGNORED, .flags = (flags_), .doc = (doc_)                      \
    }
#define CONF_JSON_LIST "{\"type\":[\"array\",\"null\"],\"items\":@}"
#define CONF_JSON_TEXT "{\"type\":[\"string\",\"number\",\"null\"]}"
#define CONF_JSON_TEXTS                                                                            \
    "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":[\"string\",\"number\"]}}"
#define CONF_KEYS_END                                                                              \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* In a row: where absent, it is this member of the object above: of the parent of a route, of `global` for receivers and
 * jobs. Maps are merged, own names win. The default is for where nothing is above. */
#define CONF_INHERIT(type, member)                                                                 \
    .above = CONF_AT(type, member), .above_size = sizeof(((type *)0)->member)

/* Whether the member of obj, a struct of the conf_type, was given. */
#define CONF_GIVEN(type, obj, member)                                                              \
    conf_is_given(&(type), (obj), offsetof(__typeof__(*(obj)), member))
bool conf_is_given(const struct conf_type *type, const void *obj, size_t offset);

/* -- for check and decode functions -- */

/* Complains about the value of key in the mapping (NULL: about the mapping itself). */
void conf_error(struct conf_check *c, const char *key, const char *fmt, ...) printf_like(3, 4);
void conf_warn(struct conf_check *c, const char *key, const char *fmt, ...) printf_like(3, 4);
void conf_help(struct conf_check *c, const char *fmt, ...)
    printf_like(2, 3);                                      /* to the last complaint */
bool conf_has(const struct conf_check *c, const char *key); /* stood in the file and was not null */
void conf_check_regex(struct conf_check *c, const char *key,
                      str pattern); /* complains where it is none */
struct arena *conf_check_arena(struct conf_check *c);

#endif
