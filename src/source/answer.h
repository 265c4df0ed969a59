/* answer.h - what a source said to a query: samples, or why not.
 *
 * Shapes   up to 1,000,000 samples; the whole body is parsed on a worker, into the arena of the run.
 * Errors   classes are told apart, because they mean different things: a rule that is wrong fails for ever, a source
 *          that is away comes back.
 * Source   rules.md 7.2.
 */
#ifndef SOURCE_ANSWER_H
#define SOURCE_ANSWER_H

#include "base/arena.h"
#include "base/err.h"
#include "model/sample.h"

enum source_error {
    SOURCE_OK,
    SOURCE_BAD_DATA,  /* 400: the expression is refused */
    SOURCE_EXECUTION, /* 422: it cannot be evaluated */
    SOURCE_TIMEOUT,   /* the server or our deadline gave up */
    SOURCE_THROTTLED, /* 429 */
    SOURCE_DOWN,      /* no connection, 5xx, not a Prometheus answer */
};

struct source_answer {
    enum source_error error;
    struct err err;
    str body; /* of a 200 answer, not parsed yet; borrowed */
};

/* Whether the source itself is the trouble, not the rule. */
static inline bool source_error_is_outage(enum source_error e)
{
    return e == SOURCE_TIMEOUT || e == SOURCE_THROTTLED || e == SOURCE_DOWN;
}

/* Samples of a vector; a scalar is one sample without labels. Anything else is an error. Text is sliced from body. */
bool prom_answer_parse(str body, struct arena *a, struct samples *out, struct err *e) must_check;
/* What a failed HTTP answer means, with the server's own words. */
enum source_error prom_answer_error(int status, str body, struct err *e);

#endif
