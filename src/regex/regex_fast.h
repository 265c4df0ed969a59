/* regex_fast.h - anchored patterns that need no engine, and what every match must begin and end
 * with.
 *
 * Shapes   a set of literals; a list of names with classes and dots (regex_trie.h); prefix, wild, suffix; wild, text,
 *          wild.
 * Owns     text lives in the arena given; re_fast_release() gives table and trie back.
 */
#ifndef REGEX_REGEX_FAST_H
#define REGEX_REGEX_FAST_H

#include "base/map.h"
#include "regex/regex_trie.h"

enum { RE_SET_MAX = 256 * 1024, RE_PRODUCT_MAX = 128 };

enum re_fast_kind {
    RE_SLOW, /* prefix and suffix only say no */
    RE_SET,
    RE_TRIE,
    RE_AROUND,   /* prefix .* suffix */
    RE_CONTAINS, /* .* prefix .* */
};

struct re_fast {
    enum re_fast_kind kind;
    const str *set;
    size_t n_set;
    struct str_map table; /* of the set, when it is long */
    struct re_trie *trie;
    str prefix, suffix;
    bool newline;   /* the wild part takes newlines */
    bool not_empty; /* the wild part is at least one rune */
};

/* The tree of the pattern loses the ^ and $ that say what being anchored says. */
void re_fast_init(struct re_fast *f, struct re_node *root, str pattern, struct arena *a);
void re_fast_release(struct re_fast *f);

enum re_answer { RE_NO, RE_YES, RE_ASK };
enum re_answer re_fast_match(const struct re_fast *f, str subject);

#endif
