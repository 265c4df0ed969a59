/* answer.h - what a source said to a query: samples, or why not.
 *
 * Shapes   up to 1,000,000 samples; the whole body is parsed on a worker, into the arena of the run.
 * Errors   classes are told apart, because they mean different things: a rule that is wrong fails for ever, a source
 *          that is away comes back.
 *
 * An answer is partial when it says so (isPartial), when it warns of anything that is not about the expression itself ("PromQL
 * warning:", "PromQL info:", a truncation by a limit that was asked for), or when a sample has no value.
 *
 * Source   rules.md 7.2; design.md 4 "partial answers".
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

enum { ANSWER_NOTES_MAX = 10 }; /* texts of a kind that are kept, and the length of one: */
#define ANSWER_NOTE_LENGTH_MAX 500

/* What an evaluation said beside its samples. */
struct answer_notes {
    str *warnings, *infos;
    size_t n_warnings, n_infos;
    str partial; /* why something is missing from the samples; empty: they are whole */
};

/* Text is copied. Of too many the first are kept. */
void answer_warn(struct answer_notes *n, struct arena *a, str text);
void answer_inform(struct answer_notes *n, struct arena *a, str text);

/* Samples of a vector; a scalar is one sample without labels. Anything else is an error. Text is sliced from body. A
 * sample without a value is left out, and makes the answer a partial one. notes: NULL is fine. */
bool prom_answer_parse(str body, struct arena *a, struct samples *out, struct answer_notes *notes,
                       struct err *e) must_check;
/* What a failed HTTP answer means, with the server's own words. */
enum source_error prom_answer_error(int status, str body, struct err *e);

#endif
