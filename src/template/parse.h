/* parse.h - a template as a tree.
 *
 * Shapes   a node is one struct; which members hold depends on its kind. Nesting is limited to TMPL_NESTING.
 * Units    pos: byte offset into the text of the tree.
 * Errors   Go's texts, "template: NAME:LINE: ...", in e->msg with e->line; ERR_LIMIT for nesting.
 * Owns     everything lives in the arena given; token text borrows the input, which must live as long.
 * Source   Go text/template/parse, in behaviour.
 */
#ifndef TEMPLATE_PARSE_H
#define TEMPLATE_PARSE_H

#include "template/value.h"

enum { TMPL_NESTING = 200 };

enum tmpl_node_kind {
    TN_LIST,
    TN_TEXT,
    TN_ACTION, /* pipe */
    TN_PIPE,
    TN_COMMAND,
    TN_IDENTIFIER,
    TN_VARIABLE,
    TN_DOT,
    TN_NIL,
    TN_FIELD,
    TN_CHAIN, /* pipe: what stands before the fields */
    TN_BOOL,
    TN_NUMBER,
    TN_STRING,
    TN_IF,
    TN_WITH,
    TN_RANGE,
    TN_TEMPLATE,
    TN_BREAK,
    TN_CONTINUE,
    TN_END,
    TN_ELSE,
};

struct tmpl_node {
    enum tmpl_node_kind kind;
    size_t pos;
    int line;
    str text;    /* as written: text, name, number, quoted string */
    str value;   /* of a string; name of a template */
    str *idents; /* fields, variable and its fields, declared variables of a pipe */
    size_t n_idents;
    struct tmpl_node **kids; /* of lists, pipes (commands), commands (arguments) */
    size_t n_kids;
    struct tmpl_node *pipe, *list, *else_list;
    bool is_assign; /* of a pipe: = instead of := */
    bool b, is_int, is_uint, is_float, is_ideal_float;
    int64_t i;
    uint64_t u;
    double f;
};

struct tmpl_tree {
    struct tmpl_tree *next;
    str name;       /* as called */
    str parse_name; /* of the text it was found in */
    str text;
    struct tmpl_node *root;
};

/* Parses text and puts its definitions, the main one last, in front of *out. A name that is already in *out among the
 * trees of this text is an error as in Go. functions: tables, NULL-terminated. before: what the text begins
 * with, parsed: it is not parsed again, and its tree is part of this one; NULL: nothing. */
bool tmpl_parse(struct arena *a, str name, str text, const struct tmpl_tree *before,
                const struct tmpl_func *const *functions, struct tmpl_tree **out,
                struct err *e) must_check;

bool tmpl_node_is_empty(const struct tmpl_node *list); /* only blanks and definitions */
/* Line from 1 and byte of the line from 0, as Go counts. */
void tmpl_node_place(const struct tmpl_tree *tree, const struct tmpl_node *n, size_t *line,
                     size_t *col);
void tmpl_node_print(struct buf *out, const struct tmpl_node *n); /* as Go's Node.String */

#endif
