/* tree.h - the routing tree: which routes take an alert.
 *
 * Depth first: a node that does not match takes nothing; children are tried in order and the first matching child
 * without `continue` ends the scan; a node none of whose children matched takes the alert itself.
 *
 * Shapes   1-10,000 nodes, numbered in post-order.
 * Owns     the tree owns its nodes and matchers; text is copied from the configuration.
 * Cost     O(nodes tried x matchers).
 * Source   alertmanager.md 3.4, 3.5 (group keys, byte for byte).
 */
#ifndef ROUTE_TREE_H
#define ROUTE_TREE_H

#include "base/arena.h"
#include "base/time.h"
#include "base/vec.h"
#include "model/matcher.h"

struct route_conf;

struct route {
    const struct route *parent;
    struct route **children;
    size_t n_children;
    size_t index;             /* post-order */
    struct matchers matchers; /* sorted by name, value, operator */
    bool goes_on;             /* `continue` */
    str receiver;
    str key; /* {}/{severity="critical"} */
    bool group_by_all;
    const str *group_by; /* sorted */
    size_t n_group_by;
    const str *mute_intervals, *active_intervals; /* names */
    size_t n_mute_intervals, n_active_intervals;
    /* borrowed from the configuration that the tree was built from */
    const struct route_conf *conf;
};

struct route_list {
    const struct route **v;
    size_t n, cap;
};

struct route_tree {
    struct arena arena;
    struct route *root; /* NULL: nothing is routed */
    struct route **by_index;
    size_t n;
};

void route_tree_init(struct route_tree *t, const struct route_conf *root); /* root: NULL is fine */
void route_tree_release(struct route_tree *t);
void route_tree_match(const struct route_tree *t, struct labels ls,
                      struct route_list *out); /* appends, tree order */
void route_tree_match_set(const struct route_tree *t, const struct label_set *set,
                          struct route_list *out); /* the same */

/* What the tree says to ls, node by node, a parent before its children; below a node that fails nothing is shown. */
enum route_trace_kind {
    ROUTE_PASSES, /* matches, and a child takes it */
    ROUTE_TAKES,
    ROUTE_FAILS,    /* by the matcher `failed` */
    ROUTE_NOT_TRIED /* an earlier sibling without `continue` took it */
};

struct route_trace {
    const struct route *route;
    unsigned depth;
    enum route_trace_kind kind;
    const struct matcher *failed;
};

struct route_trace_list {
    struct route_trace *v;
    size_t n, cap;
};
void route_tree_trace(const struct route_tree *t, struct labels ls, struct route_trace_list *out);

/* The labels that make ls's group in this route. */
struct labels route_group_labels(const struct route *r, struct arena *a, struct labels ls);
void route_group_key(struct buf *out, const struct route *r, struct labels group_labels);

#endif
