/* regex_shared.h - one of each: who compiles a pattern that somebody has already gets that.
 *
 * Silences, routes and rules say the same few patterns thousands of times; a compiled one takes 4 KiB and 25 us.
 *
 * Owns     the table holds no reference: the last regex_unref() takes its entry out.
 * Cost     a lock that spins, held for a look-up; nobody compiles or frees inside of it.
 */
#ifndef REGEX_REGEX_SHARED_H
#define REGEX_REGEX_SHARED_H

#include <stdatomic.h>
#include "regex/regex.h"

/* A reference to the one of this pattern; NULL: there is none yet. */
struct regex *regex_shared_find(str pattern, unsigned flags);
/* Lets others find it. Another one may have come meanwhile: then that, with a reference, and re is the caller's to free. */
struct regex *regex_shared_put(struct regex *re, str pattern, unsigned flags);
/* Gives a reference back. True: it was the last, nobody finds it any more, and it is to be freed. */
bool regex_shared_drop(atomic_uint *refs, str pattern, unsigned flags);
/* The count of a regex, for who finds it. */
atomic_uint *regex_refs(struct regex *re);

#endif
