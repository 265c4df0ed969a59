/* why.h - why an expression has no result: the parts of it are asked one after the other, down to the one that is empty
 * though nothing below it is.
 *
 *     struct why_asker asker = {ask, arg};
 *
 *     if (why_empty(x, &asker, &arena, &out)) ...   out.causes[0].text: "job="llm-service" selects nothing: job=llm_service has 1 series"
 *
 * Who asks a program that answers later lets ask() fail, gets the answer, and begins again: what was answered is then at
 * hand, and each pass goes further.
 *
 * Shapes   some ten questions; parts with values are at most WHY_STEPS_MAX.
 * Units    values as the expression has them.
 * Errors   false: a question was not answered, e says why.
 * Owns     all that comes out lives in the arena, or is the asker's.
 * Cost     an evaluation of each part, and for a selector without series one of what is left of it without each of its matchers.
 */
#ifndef PROMQL_WHY_H
#define PROMQL_WHY_H

#include "model/sample.h"
#include "promql/promql.h"

enum { WHY_STEPS_MAX = 100, WHY_VALUES_MAX = 5 };

struct why_asker {
    bool (*ask)(void *arg, str query, struct samples *out, struct err *e);
    void *arg;
};

enum why_reason {
    WHY_NO_METRIC, /* nobody has a series of this name: nearest is a name */
    WHY_NO_LABEL,  /* of what is selected or comes in no series has the label: nearest is a label */
    WHY_NO_VALUE,  /* nor one with a value that the matcher takes: nearest is a value */
    WHY_NO_SERIES, /* each matcher takes some, all together take none */
    WHY_ENDED,     /* there were series within the last hour, and none has a sample now */
    WHY_WINDOW,    /* the range is too short for what is done with it */
    WHY_COMPARISON, /* no value passes, or none of which the other side has a pair: value is the nearest, threshold the limit */
    WHY_JOIN, /* both sides have series, and none finds its other half: label is one that differs */
    WHY_PRESENT,    /* absent() of what is there */
    WHY_EXCLUDED,   /* unless has taken everything away: label is one of on() that nothing has */
    WHY_NO_BUCKETS, /* no bucket of a histogram: le is gone */
    WHY_FUNCTION,   /* another operator that gives nothing for what it got */
    WHY_REASONS,
};

struct why_cause {
    enum why_reason reason;
    uint32_t at, end; /* of the part, in the text */
    str part;         /* in its canonical form */
    str selector;     /* without series, or what the part is about; may be empty */
    str label;        /* that decides; may be empty */
    str wanted, nearest;
    double value, threshold;
    size_t left, right;   /* series: in; of a join on both sides */
    struct labels series; /* of a comparison: those of the nearest value */
    str text;             /* in words */
};

struct why_step { /* a part that has a value, parents first */
    unsigned depth;
    uint32_t at, end;
    str part;
    size_t n; /* series */
};

struct why {
    struct why_step *steps;
    size_t n_steps;
    struct why_cause *causes; /* none: the expression has a result */
    size_t n_causes;
    size_t questions;
};

bool why_empty(const struct promql_expr *x, const struct why_asker *asker, struct arena *a,
               struct why *out, struct err *e) must_check;

const char *why_reason_text(enum why_reason r); /* "no_metric" */

#endif
