/* yaml.h - a YAML document as a tree that remembers where everything stood.
 *
 * libyaml's events are built into an arena tree; types are decided by whoever decodes it (schema), so `severity: 1`
 * is the text "1" until a key says otherwise.
 *
 * Shapes   depth at most 256 (two a nested route), at most 10 MB of text, at most 1,000,000 nodes after alias expansion; duplicate keys and
 *          custom tags are errors; merge keys (<<) are resolved here, own keys win.
 * Units    line and col 1-based (col in bytes), at = byte offset. For a block scalar `text_line` is the line of the
 *          first line of text and `text_col` its column (behind the indentation), so that a position inside the text
 *          can be mapped to the file: yaml_place_in().
 * Owns     nodes and text live in the arena given; the source text is kept there too.
 * Errors   all problems go to diags: ids Y001 (syntax), Y002 (duplicate key), Y003 (limit), Y004 (tag), Y005 (UTF-8).
 * Source   YAML 1.1 as libyaml 0.2.5 reads it.
 */
#ifndef CODEC_YAML_H
#define CODEC_YAML_H

#include "base/arena.h"
#include "base/diags.h"
#include "base/err.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };
enum yaml_style { YAML_PLAIN, YAML_QUOTED, YAML_LITERAL, YAML_FOLDED };

struct yaml_mark {
    int line, col;
    size_t at;
};

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_style style; /* of a scalar */
    struct yaml_mark start, end;
    int text_line, text_col;
    str text;                 /* of a scalar, decoded */
    struct yaml_node **items; /* of a list */
    struct yaml_pair *pairs;  /* of a map, in the order of the file */
    size_t n;                 /* items or pairs */
};

struct yaml_pair {
    struct yaml_node *key, *value;
};

/* A merge key ("<<") that does not override what stands before it, by the standard; for Go's yaml.v2 the last one holds. */
struct yaml_clash {
    const struct yaml_node *merge, *key; /* key: what it does not override */
};

enum { YAML_CLASHES_MAX = 16 };

struct yaml_doc {
    str file;               /* as given; empty for standard input and request bodies */
    str source;             /* the whole text */
    struct yaml_node *root; /* NULL for an empty document */
    bool more;              /* further documents follow and were not read */
    struct yaml_clash clashes[YAML_CLASHES_MAX]; /* the first ones */
    size_t n_clashes;
};

enum { YAML_MAX = 10 << 20 }; /* bytes of a document */

/* False when d got an error. */
bool yaml_parse(str text, str file, struct arena *a, struct yaml_doc *out,
                struct diags *d) must_check;

struct yaml_docs {
    struct yaml_doc *v; /* without those that say nothing; all share file and source */
    size_t n;
};
/* All documents of a text. */
bool yaml_parse_all(str text, str file, struct arena *a, struct yaml_docs *out,
                    struct diags *d) must_check;

struct yaml_node *yaml_get(const struct yaml_node *map, str key); /* NULL when absent */
bool yaml_is_null(const struct yaml_node *n); /* NULL, plain empty, ~, null, Null, NULL */
struct diag_place yaml_place(const struct yaml_doc *doc, const struct yaml_node *n);
/* The place of [offset, offset + len) of a scalar's decoded text, whatever its style. The scalar's own start where it has a tag or
 * an anchor before a quote, or an escape by number. */
struct diag_place yaml_place_in(const struct yaml_doc *doc, const struct yaml_node *n,
                                size_t offset, size_t len);

#endif
