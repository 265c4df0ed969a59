#include "ruler/rule_query.h"

MAP_DEFINE(rule_query_map, str, struct rule_query *, hash_str, str_eq);

void rule_queries_begin(struct rule_queries *q, struct arena *arena, struct answer_notes *said)
{
    rule_query_map_release(&q->map);
    vec_clear(&q->wanted);
    q->arena = arena;
    q->said = said;
    q->asked = 0;
    q->is_missing = false;
}

void rule_queries_release(struct rule_queries *q)
{
    rule_query_map_release(&q->map);
    vec_release(&q->wanted);
}

bool rule_queries_ask(void *arg, str text, struct samples *out, struct err *e)
{
    struct rule_queries *q = arg;
    struct rule_query **hit = rule_query_map_get(&q->map, text);
    struct rule_query *wanted;

    if (hit != NULL && (*hit)->is_answered) {
        if ((*hit)->error.p != NULL)
            return err_set(e, ERR_INVALID, "%.*s", STR((*hit)->error));
        *out = (*hit)->samples;
        return true;
    }
    if (hit == NULL) {
        if (q->wanted.n == RULE_QUERIES_MAX)
            return err_set(e, ERR_LIMIT, "more than %d queries in one evaluation",
                           RULE_QUERIES_MAX);
        wanted = arena_new(q->arena, struct rule_query);
        wanted->text = arena_str(q->arena, text);
        rule_query_map_put(&q->map, wanted->text, wanted);
        vec_push(&q->wanted, wanted);
    }
    q->is_missing = true;
    return err_set(e, ERR_NOT_FOUND, "not answered yet");
}

const struct rule_query *rule_queries_next(const struct rule_queries *q)
{
    return q->asked < q->wanted.n ? q->wanted.v[q->asked] : NULL;
}

static void rule_query_note(struct rule_queries *q, const struct answer_notes *n)
{
    str partial = q->said->partial;

    for (size_t i = 0; i < n->n_warnings; i++)
        answer_warn(q->said, q->arena,
                    arena_printf(q->arena, "query of a template: %.*s", STR(n->warnings[i])));
    for (size_t i = 0; i < n->n_infos; i++)
        answer_inform(q->said, q->arena,
                      arena_printf(q->arena, "query of a template: %.*s", STR(n->infos[i])));
    if (n->partial.n != 0 && n->n_warnings == 0)
        answer_warn(q->said, q->arena,
                    arena_printf(q->arena, "query of a template: %.*s", STR(n->partial)));
    q->said->partial = partial;
}

bool rule_queries_answer(struct rule_queries *q, const struct source_answer *a, struct err *e)
{
    struct rule_query *query = q->wanted.v[q->asked];
    struct answer_notes notes = {0};
    struct err why = a->err;

    if (source_error_is_outage(a->error)) {
        *e = a->err;
        return err_wrap(e, "query of a template");
    }
    if (a->error != SOURCE_OK ||
        !prom_answer_parse(arena_str(q->arena, a->body), q->arena, &query->samples, &notes, &why))
        query->error = arena_str(q->arena, str_of(why.msg));
    rule_query_note(q, &notes);
    query->is_answered = true;
    q->asked++;
    return true;
}

void rule_queries_take(struct rule_queries *q, struct samples samples,
                       const struct answer_notes *notes, const struct err *why)
{
    struct rule_query *query = q->wanted.v[q->asked++];

    if (notes != NULL)
        rule_query_note(q, notes);
    query->samples = samples;
    if (why != NULL)
        query->error = arena_str(q->arena, str_of(why->msg));
    query->is_answered = true;
}
