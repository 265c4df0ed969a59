/* schema.h - reads and prints configuration by key tables (tocsin/conf.h).
 *
 * A mapping may come in parts from several files, and be written into several structs at once (an integration's entry
 * fills its own struct and the one that all kinds share): layers.
 *
 * Errors   the decoder never stops at the first problem; what could not be read keeps its default.
 * Owns     decoded values live in the arena of the run. Strings share the YAML tree's text, which therefore must live as
 *          long: the loader puts both into one arena.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "base/buf.h"
#include "base/diags.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "model/matcher.h"
#include "tocsin/conf.h"

/* A file that is read whenever it is needed, and need not be there while the configuration is decoded. */
struct conf_file {
    struct conf_file *next;
    str key, path; /* "receivers[0].webhook_configs[0].url_file" */
    struct diag_place place;
};

/* A template of messages, as it stands in the file. */
struct conf_template {
    struct conf_template *next;
    str text;
    bool is_html, is_secret; /* of a secret nothing may be shown */
    struct diag_place place;
};

struct conf_run {
    struct arena *a;
    struct diags *d;
    enum matcher_mode mode;
    /* A time zone by its name, borrowed from the loader; NULL with e set: there is none. */
    const struct tz *(*zone)(void *arg, str name, struct err *e);
    /* Whether text that may be a template can be read as one. NULL: nobody looks. */
    bool (*template_reads)(str text, struct err *e);
    void *arg;
    struct {
        str *v; /* files and patterns that were named, in the arena; some stand twice */
        size_t n, cap;
    } named;
    struct conf_file *files, *last_file; /* in the order of decoding: for who can look */
    struct conf_template *templates, *last_template; /* the same, those that can be read */
};

struct conf_part {
    const struct yaml_doc *doc;
    const struct yaml_node *node; /* NULL or null: empty */
};

struct conf_layer {
    const struct conf_type *type;
    void *obj;
    const void *
        above; /* what its rows inherit from (CONF_INHERIT), complete; NULL: nothing, they have their defaults */
};

/* Where the decoder stands; a chain of frames on its stack makes the path in messages. */
struct conf_in {
    struct conf_run *run;
    const struct yaml_doc *doc;
    const struct conf_in *up;
    const void *above; /* the layer's, for decode functions */
    str key;           /* empty in a list element */
    ptrdiff_t index;   /* of a list element, else -1 */
};

struct conf_check {
    struct conf_in in;
    const struct conf_part *parts;
    size_t n_parts;
    struct diag *last;
};

/* Fills the layer's obj with what the parts say, what is above and the defaults, and runs the checks. False when d got an
 * error. */
bool conf_decode(struct conf_run *run, const struct conf_part *parts, size_t n,
                 struct conf_layer layer);
void conf_defaults(struct conf_run *run, const struct conf_type *type, void *obj);

/* -- for custom decode functions -- */

struct conf_in conf_enter(const struct conf_in *in, str key);
struct conf_in conf_enter_item(const struct conf_in *in, size_t index);
/* The node into the layers' structs, likewise. */
bool conf_decode_node(const struct conf_in *in, const struct yaml_node *node,
                      const struct conf_layer *layers, size_t n);
/* Complains about node; returns the diag for diag_help(). */
struct diag *conf_complain(const struct conf_in *in, const struct yaml_node *node,
                           enum diag_severity severity, const char *id, const char *fmt, ...)
    printf_like(5, 6);
bool conf_want_list(const struct conf_in *in, const struct yaml_node *node);
bool conf_want_scalar(const struct conf_in *in, const struct yaml_node *node);
str conf_path(const struct conf_in *in); /* "route.routes[2].matchers", in the run's arena */
struct conf_check conf_check_of(const struct conf_in *in, const struct conf_part *parts, size_t n);

/* -- internal: one value by its row's kind -- */

bool conf_decode_scalar(const struct conf_in *in, const struct conf_key *key,
                        const struct yaml_node *node, void *member);
/* A key without a value has what Go's zero value is, as in the originals; a key that inherits does so. False: it is as if
 * the key were not there. */
bool conf_decode_empty(const struct conf_in *in, const struct conf_key *key,
                       const struct yaml_node *node, void *member);
struct conf_value *conf_decode_any(const struct conf_in *in, const struct yaml_node *node);
bool conf_decode_matchers(const struct conf_in *in, const struct yaml_node *node,
                          struct matchers *out);
/* Against the folder of the file; it is noted in run->named. */
str conf_resolve(const struct conf_in *in, str path);
void conf_note_named(const struct conf_in *in, str path); /* one that is not resolved */
void conf_note_file(const struct conf_in *in, const struct yaml_node *node, str path);
void conf_value_add_json(struct json_writer *w, const struct conf_value *v);

/* Zero, NULL, or nothing in it. */
bool conf_is_empty(const struct conf_key *key, const void *member);
/* By rows, for printing; see conf_is_given(). */
bool conf_row_is_given(const struct conf_layer *l, size_t row);

int conf_pair_order(const void *a, const void *b); /* by name, for qsort() */
/* What a part inherits: under with own over it; the text is shared. */
struct conf_map conf_map_merge(struct arena *a, const struct conf_map *under,
                               const struct conf_map *own);

/* -- printing -- */

struct conf_out {
    struct buf *out;
    int indent;
    bool fresh; /* behind "- ": the first key stands on this line */
};

/* YAML with defaults filled in; what is empty is left away, secrets are <secret>. */
void conf_print_yaml(struct buf *out, const struct conf_type *type, const void *obj);
/* For custom print functions: each prints a value behind "key:". */
void conf_print_layers(struct conf_out *o, const struct conf_layer *layers, size_t n);
void conf_print_key(struct conf_out *o, str key); /* "key:" on a line of its own indentation */
void conf_print_text(struct conf_out *o, str text);
void conf_print_strings(struct conf_out *o, const struct conf_strings *list);
/* "- ": begins a list element of mappings; conf_print_item_end() ends it */
void conf_print_item(struct conf_out *o);
void conf_print_item_end(struct conf_out *o);

void conf_print_json_schema(struct buf *out, const struct conf_type *type);
void conf_print_markdown(struct buf *out, const struct conf_type *type);
/* What the keys of this name mean, "group_wait" or "route.group_wait". False: there is none; near: what may be meant. */
bool conf_describe_key(struct buf *out, const struct conf_type *type, str key, str *near);
bool conf_kind_is_list(enum conf_kind kind);
const char *conf_kind_text(enum conf_kind kind); /* "duration", for messages and documentation */

#endif
