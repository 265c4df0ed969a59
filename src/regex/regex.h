/* regex.h - regular expressions with the syntax and meaning of RE2 (Go's regexp), run by PCRE2.
 *
 * A front end parses RE2 syntax into an AST, refuses what RE2 refuses with its wording, and rewrites the rest for PCRE2
 * with JIT. From the same AST come the fast paths (literal, set of literals, list of names with dots and classes,
 * prefix, suffix, contains, .*, .+) and the Pike VM, which runs when PCRE2 hits its match limit: the answer is always
 * exact and the time linear. Subjects must be valid UTF-8: labels are checked when they come in.
 *
 * Shapes   patterns up to 64 KiB and 10,000 instructions, anchored lists of names up to 1 MiB; {n,m} up to 1000 also as
 *          a nested product; the program of a list times its groups up to 64 MiB.
 * Errors   ERR_INVALID with the texts of Go: error parsing regexp: missing closing ): `a(b`
 * Owns     struct regex is shared and immutable: one of each pattern (regex_shared.h), counted atomically, freed at the last regex_unref(). Matching is
 *          thread-safe.
 * Cost     literal and set: one comparison or one hash; others tens of ns.
 * Source   libraries.md 5.
 */
#ifndef REGEX_REGEX_H
#define REGEX_REGEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct regex;

enum regex_flags {
    REGEX_ANCHORED = 1, /* as ^(?:...)$ */
    REGEX_DOTALL = 2,   /* . matches newline, as (?s) */
    REGEX_COUNTED = 4,  /* run by the Pike VM alone, whose work can be counted; any subject */
};

/* What calls on behalf of somebody else may cost: what is left of it. */
struct regex_budget {
    uint64_t work; /* instructions of the Pike VM, bytes of replacements read */
    size_t output; /* bytes */
};

struct regex *regex_compile(str pattern, enum regex_flags flags,
                            struct err *e) must_check; /* NULL on failure */
struct regex *regex_ref(struct regex *re);
void regex_unref(struct regex *re);
str regex_pattern(const struct regex *re); /* as given */

size_t regex_size(const struct regex *re); /* instructions: what compiling it has cost */

bool regex_matches(const struct regex *re, str subject);
/* The same by the Pike VM, within *work instructions. False and *work 0: it was given up. */
bool regex_matches_within(const struct regex *re, str subject, uint64_t *work);

/* The bounds of the leftmost match that begins at from or later; the rest as above. */
bool regex_find_within(const struct regex *re, str subject, size_t from, size_t bounds[2],
                       uint64_t *work);

/* For an anchored pattern that only matches a few literal strings: their list (borrowed), else 0.
 */
size_t regex_literals(const struct regex *re, const str **out);

/* Captures: groups[2 * i], groups[2 * i + 1] are the bounds of group i, or SIZE_MAX.
 * Leftmost-first. False: no match. */
bool regex_captures(const struct regex *re, str subject, size_t from, size_t *groups,
                    size_t n_groups);
size_t regex_group_count(const struct regex *re);           /* with group 0 */
size_t regex_group_named(const struct regex *re, str name); /* SIZE_MAX when there is none */
/* Appends template with $1, ${1}, ${name}, $$ expanded, by Go's Regexp.Expand rules. */
void regex_expand(const struct regex *re, struct buf *out, str tmpl, str subject,
                  const size_t *groups);
/* Go's ReplaceAllString, by the Pike VM. False: what b allows is spent, out has a part. b NULL: no bounds. */
bool regex_replace_all(const struct regex *re, struct buf *out, str subject, str tmpl,
                       struct regex_budget *b);

#endif
