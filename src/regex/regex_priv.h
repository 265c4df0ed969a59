/* regex_priv.h - what the files of regex share. */
#ifndef REGEX_REGEX_PRIV_H
#define REGEX_REGEX_PRIV_H

#include "regex/regex.h"
#include "regex/regex_fast.h"

/* All groups of the next match, by the Pike VM. RE_ASK: *work, which may be NULL, was spent before the answer. */
enum re_answer regex_captures_within(const struct regex *re, str subject, size_t from,
                                     size_t *groups, uint64_t *work);

#endif
