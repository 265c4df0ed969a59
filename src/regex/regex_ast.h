/* regex_ast.h - what a parsed pattern is: the tree that every engine reads.
 *
 * Flags are gone after parsing: a folded letter is a class, "." is RE_ANY or RE_ANY_NL, "^" and "$"
 * are one of four assertions. So the printer for PCRE2, the Pike VM and the fast paths cannot
 * disagree about a flag.
 *
 * Owns     nodes and text live in the arena given to re_parse().
 * Source   Go's regexp/syntax with the Perl flags; libraries.md 5.
 */
#ifndef REGEX_REGEX_AST_H
#define REGEX_REGEX_AST_H

#include "base/err.h"
#include "regex/regex_class.h"

enum re_op {
    RE_NEVER, /* matches nothing: an empty class, a surrogate */
    RE_EMPTY,
    RE_RUNE,
    RE_CLASS,
    RE_ANY, /* but newline */
    RE_ANY_NL,
    RE_LINE_START, /* (?m)^ */
    RE_LINE_END,   /* (?m)$ */
    RE_TEXT_START,
    RE_TEXT_END,
    RE_WORD,     /* \b */
    RE_NOT_WORD, /* \B */
    RE_CAT,
    RE_ALT,
    RE_REPEAT,
    RE_CAPTURE,
};

enum { RE_INFINITE = -1, RE_REPEAT_MAX = 1000, RE_DEPTH_MAX = 1000 };
/* Text and instructions of a pattern that needs an engine; text of a list of names; what is counted at all. */
enum { RE_TEXT_MAX = 64 * 1024, RE_INSTRUCTIONS_MAX = 10 * 1000 };
enum { RE_LIST_MAX = 1 << 20, RE_PROGRAM_MAX = 200 * 1000 };

struct re_node {
    enum re_op op;
    bool lazy;        /* RE_REPEAT */
    int min, max;     /* RE_REPEAT; max RE_INFINITE */
    uint32_t rune;    /* RE_RUNE */
    uint32_t capture; /* RE_CAPTURE, from 1 */
    struct re_class cls;
    struct re_node *first, *last; /* children */
    struct re_node *next;         /* sibling */
};

struct re_tree {
    struct re_node *root;
    str *names;    /* of the captures, [0] and unnamed ones empty */
    size_t groups; /* with group 0 */
};

/* The arena may have a limit: "expression too large" is where it is full. */
bool re_parse(str pattern, bool dotall, struct arena *a, struct re_tree *out,
              struct err *e) must_check;

struct re_node *re_node_new(struct arena *a, enum re_op op);
void re_node_add(struct re_node *parent, struct re_node *child);
bool re_node_is_nullable(const struct re_node *n); /* may match the empty string */

#endif
