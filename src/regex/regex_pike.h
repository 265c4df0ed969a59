/* regex_pike.h - the engine that cannot explode: all alternatives at once, one pass over the
 * subject.
 *
 * Shapes   at most RE_PROGRAM_MAX instructions; a bad byte of the subject counts as U+FFFD.
 * Owns     the program is the caller's, immutable, usable by several threads at once.
 * Cost     O(instructions * subject), memory O(instructions * groups) a call.
 */
#ifndef REGEX_REGEX_PIKE_H
#define REGEX_REGEX_PIKE_H

#include "regex/regex_ast.h"
#include "regex/regex_fast.h"

struct pike;

/* Instructions that it would take, or a few more, saturating above RE_PROGRAM_MAX. */
size_t pike_size(const struct re_node *node);
/* Takes the arena of the tree. */
struct pike *pike_new(const struct re_tree *tree, struct arena *syntax) returns_owned;
void pike_free(struct pike *p);

/* groups[2 * i] and [2 * i + 1] as regex_captures() has them; n_groups 0: yes or no only. Each instruction that is run
 * is taken from *left; RE_ASK: nothing is left, the answer is not known. left NULL: it never ends so. */
enum re_answer pike_match(const struct pike *p, str subject, size_t from, size_t *groups,
                          size_t n_groups, uint64_t *left);

#endif
