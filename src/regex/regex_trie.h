/* regex_trie.h - anchored patterns that take one rune after another and never go back: lists of names.
 *
 * "node-1.example.com|node-2.example.com|..." is no set of literals, because of the dots that nobody escaped, and a
 * backtracking engine tries one name after the other. Here names share their beginnings and a subject walks down
 * once.
 *
 * Shapes   no loops, no assertions but at both ends; up to RE_TRIE_DEPTH runes a name, RE_TRIE_WIDE classes that may
 *          follow one beginning; as many nodes as the pattern has bytes, twice.
 * Owns     the trie owns all that it has; nothing of the tree is kept.
 * Cost     build: O(pattern). match: O(subject) for names; at worst each node once.
 */
#ifndef REGEX_REGEX_TRIE_H
#define REGEX_REGEX_TRIE_H

#include "regex/regex_ast.h"

enum { RE_TRIE_DEPTH = 1000, RE_TRIE_WIDE = 64 };

struct re_trie;

/* NULL: the pattern of that many bytes is no such list, or becomes too large as one. */
struct re_trie *re_trie_new(const struct re_node *root, size_t pattern_bytes);
void re_trie_free(struct re_trie *t);
bool re_trie_has(const struct re_trie *t, str subject);

#endif
