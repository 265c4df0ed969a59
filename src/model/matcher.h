/* matcher.h - label matchers: name, operator, value.
 *
 * Shapes   a list of matchers is a conjunction. A missing label matches as the empty string.
 * Errors   ERR_INVALID; texts name the input and, for the UTF-8 parser, start:end rune columns.
 * Owns     a matcher in an arena borrows its text from there; its regex (for =~ and !~) holds one reference that
 *          matchers_release() gives back.
 * Cost     = and != one comparison; =~ and !~ one regex_matches().
 * Source   alertmanager.md 2.11.
 */
#ifndef MODEL_MATCHER_H
#define MODEL_MATCHER_H

#include "base/diags.h"
#include "regex/regex.h"
#include "model/labels.h"

enum match_op { MATCH_EQ, MATCH_NE, MATCH_RE, MATCH_NRE }; /* ordered as = != =~ !~ */

struct matcher {
    enum match_op op;
    str name, value;
    struct regex *re; /* for MATCH_RE and MATCH_NRE */
};

struct matchers {
    struct matcher *v;
    size_t n;
};

enum matcher_mode { MATCHER_FALLBACK, MATCHER_CLASSIC, MATCHER_UTF8 }; /* 2.11, "Modes" */

bool matcher_init(struct matcher *m, enum match_op op, str name, str value,
                  struct err *e) must_check;
struct matchers
matchers_copy(struct arena *a,
              const struct matchers *ms);   /* deep, with regex references of its own */
void matchers_release(struct matchers *ms); /* the regexes only; the arrays are the arena's */

bool matcher_matches(const struct matcher *m, str value);
bool matchers_match(const struct matchers *ms, struct labels ls);
bool matchers_match_set(const struct matchers *ms, const struct label_set *set);
bool matcher_is_negative(const struct matcher *m);
bool matcher_matches_empty(const struct matcher *m);

/* One matcher (API filters, arguments): braces are refused but in classic mode. warning: set to a
 * text in a, or left empty, when fallback mode disagreed (2.11). */
bool matcher_parse(str s, enum matcher_mode mode, struct arena *a, struct matcher *out,
                   str *warning, struct err *e) must_check;
/* A list, with or without braces (route and silence configuration). */
bool matchers_parse(str s, enum matcher_mode mode, struct arena *a, struct matchers *out,
                    str *warning, struct err *e) must_check;

const char *match_op_text(enum match_op op);
void matcher_print(struct buf *out, const struct matcher *m);    /* foo="bar" */
void matchers_print(struct buf *out, const struct matchers *ms); /* {a="b",c=~"d"} */
void matcher_put_json(struct json_writer *w,
                      const struct matcher *m); /* {"isEqual": ..} as in the API */
void matchers_sort(struct matchers *ms);        /* by name, value, op */
bool label_name_is_valid(str name, enum matcher_mode mode);

#endif
