/* expect.h - an eval of a .test file: the query, and what is expected of it.
 *
 * Owns     everything lives in the arena given; regular expressions are given back by expect_release().
 * Source   promql.md 2.1, 2.2.
 */
#ifndef TESTS_PROMQLTEST_EXPECT_H
#define TESTS_PROMQLTEST_EXPECT_H

#include "base/vec.h"
#include "regex/regex.h"
#include "promql/series.h"
#include "promql/storage.h"

/* A message of an error or annotation: exact, a pattern, or any. */
struct said {
    str text;         /* empty with re NULL: any */
    struct regex *re; /* unanchored */
};

struct expected_series {
    struct series_line line;
    unsigned file_line;
};

struct expected {
    str query;
    bool is_range;
    ts_ms start, end, step; /* instant: start is the time */

    bool fails, ordered, no_warn, no_info;
    struct said failure;
    VEC(struct said) warns, infos;

    bool
        has_grid; /* expect range vector: the result of an instant query is a matrix on this grid */
    ts_ms grid_start, grid_end, grid_step;
    bool is_string, is_scalar;
    str text;
    double scalar;
    VEC(struct expected_series) series;
};

/* header: the eval line; lines: those below it, up to the first empty one, beginning at file line `at`. */
bool expect_parse(str header, const str *lines, size_t n, unsigned at, struct arena *a,
                  struct expected *out, struct err *e) must_check;
void expect_release(struct expected *x);

bool said_matches(const struct said *s, str text);

/* A duration of the format: from the epoch, with or without a sign. */
bool parse_moment(str s, ts_ms *out, struct err *e) must_check;
/* Cuts the next word off, at blanks and tabs. */
str cut_word(str *rest);

#endif
