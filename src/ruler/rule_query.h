/* rule_query.h - the queries that a rule's templates make, and what was answered to them.
 *
 * A template cannot wait. While an answer is missing, `query` notes what is wanted and fails; when all that one pass over
 * the templates wanted has been answered, they are expanded again, and this time it succeeds. Queries that depend on the
 * answers of others take one more pass each.
 *
 *     pass 1   {{ query "up" | len }}      fails: "up" is wanted
 *     answer   up = [...]
 *     pass 2   {{ query "up" | len }}      "3"
 *
 * Shapes   a few a rule; at most RULE_QUERIES_MAX, then `query` fails for good. The same text is asked once.
 * Errors   what a source refuses is the error of `query`, in the template's text. A source that is away is no answer at
 *          all: rule_queries_answer() fails, and with it the evaluation.
 * Owns     everything lives in the arena of the run, but for the map.
 */
#ifndef RULER_RULE_QUERY_H
#define RULER_RULE_QUERY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"
#include "source/answer.h"

enum { RULE_QUERIES_MAX = 10000 };

struct rule_query {
    str text;
    bool is_answered;
    struct samples samples;
    str error; /* of a refused query */
};

MAP_DECLARE(rule_query_map, str, struct rule_query *);

struct rule_queries {
    struct arena *arena;
    struct rule_query_map map;
    VEC(struct rule_query *) wanted; /* in the order of asking; the first `asked` are answered */
    size_t asked;
    struct answer_notes *said; /* notes of the answers go here, too; the arena's */
    bool is_missing;           /* a query since this was last cleared had no answer yet */
};

/* Forgets all. arena: of the run, borrowed. said: what answers say is added there; it is no reason to hold anything, for the
 * samples that alerts are made of are not theirs. */
void rule_queries_begin(struct rule_queries *q, struct arena *arena, struct answer_notes *said);
void rule_queries_release(struct rule_queries *q);

/* For struct template_prometheus_host: arg is the struct rule_queries. */
bool rule_queries_ask(void *arg, str text, struct samples *out, struct err *e) must_check;

/* The query that is to be asked next; NULL: all are answered. */
const struct rule_query *rule_queries_next(const struct rule_queries *q);
/* Takes the answer to it. */
bool rule_queries_answer(struct rule_queries *q, const struct source_answer *a,
                         struct err *e) must_check;
/* The same from our own store (notes: what it said, or NULL): why is NULL, or what refused the query. samples live in the arena of the run. */
void rule_queries_take(struct rule_queries *q, struct samples samples,
                       const struct answer_notes *notes, const struct err *why);

#endif
