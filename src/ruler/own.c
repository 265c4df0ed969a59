/* Who reads whom is found out when the group is made; from that follow which expressions share a plan, what may be
 * written at the end of the group's turn, and which stream each rule writes. */
#include "ruler/own.h"

#include <stdio.h>
#include <stdlib.h>
#include "os/log.h"
#include "codec/quote.h"
#include "promql/plan.h"
#include "ruler/rule_group.h"

struct output {
    struct labels labels;
    double v;
    const struct histogram *h; /* NULL: a float */
};

struct own_rule {
    struct promql_expr *expr; /* NULL: not ours to evaluate */
    struct promql_expr *here; /* of one that is taken apart; NULL: it is not */
    size_t number;            /* in the plan */
    uint64_t identity;
    unsigned twin; /* how many rules before it have the same identity */
    bool is_read;  /* by a later rule of the group: its output is written at once */
    struct storage_selector *kept[2]; /* what it records is kept, read by a rule or not */
    struct tsdb_stream *stream;
    VEC(struct output) output; /* what is not in the store yet */
    bool has_output;
    ts_ms t;
    struct err *unwritten; /* why the store refused some of the last output; NULL: it did not */
};

struct own {
    struct tsdb *db;
    const struct rule_group_conf *conf;
    struct arena arena;   /* of the expressions */
    struct arena waiting; /* of output that is not in the store yet */
    struct tsdb_batch batch;
    struct promql_plan *plan;
    VEC(struct promql_expr *) queried; /* by templates */
    struct own_rule *rules;
    size_t n, recording;
    struct now now; /* of the run */
    bool is_open;   /* the plan holds the store */
    bool is_left;
};

static const struct promql_settings settings = {.lookback = 0};

/* -- who reads whom -- */

struct reads {
    const struct rule_conf *writer;
    bool found;
};

static bool name_matches(const struct matchers *ms, str name)
{
    static const str metric = S_INIT("__name__");

    for (size_t i = 0; i < ms->n; i++)
        if (str_eq(ms->v[i].name, metric) && !matcher_matches(&ms->v[i], name))
            return false;
    return true;
}

static bool look_at_selector(struct promql_expr *x, void *arg)
{
    struct reads *r = arg;

    if (x->kind != PROMQL_SELECTOR)
        return true;
    if (!r->writer->is_alert)
        r->found |= name_matches(&x->selector.matchers, r->writer->name);
    else
        r->found |= name_matches(&x->selector.matchers, S("ALERTS")) ||
                    name_matches(&x->selector.matchers, S("ALERTS_FOR_STATE"));
    return true;
}

static void find_readers(struct own *o)
{
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = i + 1; j < o->n && !o->rules[i].is_read; j++) {
            struct reads r = {.writer = &o->conf->rules[i]};

            if (o->rules[j].expr != NULL)
                promql_walk(o->rules[j].expr, look_at_selector, &r);
            o->rules[i].is_read = r.found;
        }
}

struct share {
    const str *recorded;
    size_t n, ours, theirs;
};

static bool count_selector(struct promql_expr *x, void *arg)
{
    struct share *s = arg;
    str name;

    if (x->kind != PROMQL_SELECTOR)
        return true;
    name = promql_selector_metric(&x->selector);
    if (str_is(name, "ALERTS") || str_is(name, "ALERTS_FOR_STATE") ||
        (name.n != 0 && s->n != 0 &&
         bsearch(&name, s->recorded, s->n, sizeof(*s->recorded), str_order) != NULL))
        s->ours++;
    else
        s->theirs++;
    return true;
}

enum own_share own_share(const struct promql_expr *x, const str *recorded, size_t n)
{
    struct share s = {.recorded = recorded, .n = n};

    promql_walk((struct promql_expr *)(uintptr_t)x, count_selector, &s);
    if (s.ours == 0)
        return s.theirs == 0 ? OWN_NOTHING : OWN_NONE;
    return s.theirs == 0 ? OWN_ALL : OWN_SOME;
}

/* -- making -- */

/* Who asks for what rules record, a dashboard say, finds the last few minutes of it. Of ALERTS all is kept, by one selector of
 * all rules: one for each of thousands would be tried for every alert. */
static void own_keep(struct own *o, struct own_rule *r, const struct rule_conf *c)
{
    static const str alerts[] = {S_INIT("ALERTS"), S_INIT("ALERTS_FOR_STATE")};
    enum { KEPT_MS = 5 * 60 * 1000 };

    for (size_t i = 0; i < (c->is_alert ? 2 : 1); i++) {
        struct matcher m;
        struct err e = ERR_INIT;

        if (matcher_init(&m, MATCH_EQ, S("__name__"), c->is_alert ? alerts[i] : c->name, &e))
            r->kept[i] =
                storage_select(tsdb_storage(o->db), &(struct matchers){&m, 1}, KEPT_MS, &e);
    }
}

/* The literal behind the word `query`: its length with the quotes, 0 when there is none. */
static size_t literal_length(str s)
{
    char quote = s.n != 0 ? s.p[0] : '\0';

    if (quote != '"' && quote != '`')
        return 0;
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == quote)
            return i + 1;
        if (quote == '"' && s.p[i] == '\\')
            i++;
    }
    return 0;
}

/* What a rule's templates query is to be kept, too: as an expression of the plan that is never evaluated. Only literals
 * can be foreseen. */
static void keep_queries(struct own *o, str template)
{
    ptrdiff_t at;

    while ((at = str_find_str(template, S("query "))) >= 0) {
        struct promql_expr *x = NULL;
        struct err e = ERR_INIT;
        str text, literal;
        size_t n, number;

        template = str_trim(str_sub(template, (size_t)at + 6, template.n));
        n = literal_length(template);
        literal = str_sub(template, 1, n > 2 ? n - 1 : 1);
        if (literal.n == 0)
            continue;
        text = literal;
        if (template.p[0] == '`' || unquote_go(&o->arena, literal, &text, &e))
            x = promql_parse(text, &promql_everything, &o->arena, NULL, &e);
        if (x == NULL)
            continue;
        vec_push(&o->queried, x);
        if (!promql_plan_add(o->plan, x, text, &number, &e))
            continue; /* asked all the same when the template asks */
    }
}

static void keep_template_queries(struct own *o, const struct conf_map *m)
{
    for (size_t i = 0; i < m->n; i++)
        keep_queries(o, m->v[i].value);
}

/* What it reads of ours is kept as an expression of the plan that is never evaluated. */
static void own_add_split(struct own *o, struct own_rule *r, const struct rule_conf *c)
{
    struct err e = ERR_INIT;

    if (c->is_own || c->split == NULL)
        return;
    r->here = promql_parse(c->split->here, &promql_everything, &o->arena, NULL, &e);
    if (r->here != NULL && !promql_plan_add(o->plan, r->here, c->split->here, &r->number, &e))
        log_warn("what a rule reads of our own store may not be kept for as long as it looks back",
                 LOG_STR("rule", c->name), LOG_ERR(&e));
}

static void own_add_rule(struct own *o, size_t i, uint64_t identity)
{
    struct promql_options borrowing = promql_everything; /* the configuration's text */
    struct own_rule *r = &o->rules[i];
    const struct rule_conf *c = &o->conf->rules[i];
    struct err e = ERR_INIT;

    borrowing.borrows_text = true;

    r->identity = identity;
    for (size_t j = 0; j < i; j++)
        r->twin += o->rules[j].identity == identity;
    own_keep(o, r, c);
    if (c->is_alert && c->is_own) {
        keep_template_queries(o, &c->all_labels);
        keep_template_queries(o, &c->annotations);
    }
    own_add_split(o, r, c);
    r->expr = promql_parse(c->expr, &borrowing, &o->arena, NULL, &e);
    if (r->expr == NULL || !c->is_own)
        return;
    if (!promql_plan_add(o->plan, r->expr, c->expr, &r->number, &e)) {
        promql_release(r->expr);
        r->expr = NULL;
    }
}

struct own *own_new(struct tsdb *db, const struct rule_group_conf *g, const uint64_t *identities)
{
    struct own *o = mem_new(struct own);

    o->db = db;
    o->conf = g;
    o->n = g->n_rules;
    o->rules = mem_array(g->n_rules, sizeof(*o->rules));
    arena_init_small(&o->arena, 0);
    arena_init_small(&o->waiting, 0);
    tsdb_batch_init(&o->batch);
    o->plan = promql_plan_new(tsdb_storage(db), &settings);
    for (size_t i = 0; i < o->n; i++)
        own_add_rule(o, i, identities[i]);
    promql_plan_seal(o->plan);
    find_readers(o);
    return o;
}

void own_leave(struct own *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->rules[i].stream != NULL)
            tsdb_stream_leave(o->rules[i].stream);
    o->is_left = true;
}

void own_free(struct own *o, ts_ms now)
{
    if (o == NULL)
        return;
    if (!o->is_left)
        own_leave(o);
    own_pause(o);
    promql_plan_free(o->plan);
    for (size_t i = 0; i < o->n; i++) {
        promql_release(o->rules[i].expr);
        promql_release(o->rules[i].here);
        vec_release(&o->rules[i].output);
        mem_free(o->rules[i].unwritten);
        for (size_t j = 0; j < ARRAY_LEN(o->rules[i].kept); j++)
            if (o->rules[i].kept[j] != NULL)
                storage_release(tsdb_storage(o->db), o->rules[i].kept[j]);
        if (o->rules[i].stream != NULL)
            tsdb_stream_close_left(o->db, o->rules[i].stream, now);
    }
    VEC_EACH (struct promql_expr **, x, &o->queried)
        promql_release(*x);
    vec_release(&o->queried);
    mem_free(o->rules);
    tsdb_batch_release(&o->batch);
    arena_release(&o->waiting);
    arena_release(&o->arena);
    mem_free(o);
}

void own_move_streams(struct own *to, struct own *from)
{
    for (size_t i = 0; i < to->n; i++)
        for (size_t k = 0; k < from->n && to->rules[i].stream == NULL; k++) {
            size_t j = (i + k) % from->n;

            if (from->rules[j].identity == to->rules[i].identity &&
                from->rules[j].twin == to->rules[i].twin) {
                to->rules[i].stream = from->rules[j].stream;
                from->rules[j].stream = NULL;
            }
        }
}

/* -- asking -- */

void own_begin(struct own *o, struct now now)
{
    o->now = now;
    tsdb_follow(o->db, now);
}

bool own_query(struct own *o, size_t i, ts_ms t, struct arena *a, struct promql_result *out,
               struct err *e)
{
    struct own_rule *r = &o->rules[i];

    if (r->expr == NULL)
        return err_set(e, ERR_UNSUPPORTED, "the expression cannot be evaluated here");
    if (!o->is_open)
        promql_plan_begin(o->plan);
    o->is_open = true;
    return promql_plan_instant(o->plan, r->number, t + tsdb_moved_ms(o->db, o->now.stepped), a, out,
                               e);
}

bool own_query_split(struct own *o, size_t i, const struct samples *answers, ts_ms t,
                     struct arena *a, struct promql_result *out, struct err *e)
{
    const struct rule_split *split = o->conf->rules[i].split;
    struct promql_query q = {.expr = o->rules[i].here,
                             .text = split->here,
                             .storage = tsdb_storage(o->db),
                             .settings = &settings};
    int64_t moved;
    bool ok;

    if (q.expr == NULL)
        return err_set(e, ERR_UNSUPPORTED, "the expression cannot be evaluated here");
    own_pause(o);
    do { /* the store may move its samples before it is asked */
        moved = tsdb_moved_ms(o->db, o->now.stepped);
        ok = rule_split_instant(&q, answers, split->n, t + moved, a, out, e);
    } while (moved != tsdb_moved_ms(o->db, o->now.stepped));
    return ok;
}

bool own_ask(struct own *o, str text, ts_ms t, struct arena *a, struct promql_result *out,
             struct err *e)
{
    struct promql_expr *x = promql_parse(text, &promql_everything, a, NULL, e);
    struct promql_query q = {
        .expr = x, .text = text, .storage = tsdb_storage(o->db), .settings = &settings};
    int64_t moved;
    bool ok;

    if (x == NULL)
        return false;
    own_pause(o);
    do { /* the store may move its samples before it is asked */
        moved = tsdb_moved_ms(o->db, o->now.stepped);
        ok = promql_instant(&q, t + moved, a, out, e);
    } while (moved != tsdb_moved_ms(o->db, o->now.stepped));
    promql_release(x);
    return ok;
}

bool own_samples(const struct promql_result *r, struct arena *a, struct samples *out, struct err *e)
{
    struct sample *v = arena_array(a, r->n, sizeof(*v));

    if (r->type != PROMQL_T_VECTOR && r->type != PROMQL_T_SCALAR)
        return err_set(e, ERR_INVALID, "rule result is not a vector or scalar");
    for (size_t i = 0; i < r->n; i++) {
        const struct promql_point *p = &r->series[i].points[0];

        v[i] = (struct sample){.labels = r->series[i].labels,
                               .t = p->t,
                               .value = p->h != NULL ? p->h->sum : p->v,
                               .is_histogram = p->h != NULL};
    }
    *out = (struct samples){v, r->n};
    return true;
}

/* -- recording -- */

static str stream_name(uint64_t identity, unsigned twin, char out[static 48])
{
    snprintf(out, 48, "rule/%016llx/%u", (unsigned long long)identity, twin);
    return str_of(out);
}

/* What version 0.1.0 recorded goes on under its name: a series that changes streams begins anew. NULL: the rule has no output,
 * and had none before. */
static struct tsdb_stream *own_open_stream(struct own *o, const struct own_rule *r)
{
    uint64_t known_as[1 + RULE_OLD_IDENTITIES] = {r->identity};
    struct tsdb_stream_conf conf = {.interval_ms = o->conf->interval / NS_PER_MS,
                                    .marks_stale = true};
    size_t i = 0, n = ARRAY_LEN(known_as);
    char name[48];

    rule_old_identities(o->conf, &o->conf->rules[r - o->rules], &known_as[1]);
    while (i < n && !tsdb_stream_is_known(o->db, stream_name(known_as[i], r->twin, name)))
        i++;
    if (i == n && r->output.n == 0)
        return NULL;
    conf.name = stream_name(known_as[i < n ? i : 0], r->twin, name);
    return tsdb_stream_open(o->db, &conf, NULL);
}

/* Two alerts of the same labels write the same ALERTS: nothing is lost of a second one. */
static void note_refused(const struct rule_conf *c, const struct tsdb_batch *b, struct err *e)
{
    static const char *const texts[TSDB_REFUSALS] = {
        [TSDB_OUT_OF_ORDER] = "out of order sample",
        [TSDB_DUPLICATE] = "duplicate sample for timestamp",
        [TSDB_FOREIGN] = "another rule or target writes the same series",
        [TSDB_TOO_MANY_SERIES] = "the store holds as many series as it may",
        [TSDB_TOO_MUCH_MEMORY] = "the store takes as much memory as it may",
        [TSDB_LABELS_TOO_LONG] = "labels too long",
        [TSDB_LABELS_INVALID] = "a label without a valid name, or without a value",
    };

    if (b->refused != 0 && !(c->is_alert && b->why == TSDB_FOREIGN))
        err_set(e, ERR_CONFLICT, "%s (%zu of %zu samples not recorded)", texts[b->why], b->refused,
                b->items.n);
}

static void own_commit(struct own *o, struct own_rule *r)
{
    const struct rule_conf *c = &o->conf->rules[r - o->rules];
    struct err e = ERR_INIT;

    if (!r->has_output)
        return;
    r->has_output = false;
    mem_free(r->unwritten);
    r->unwritten = NULL;
    if (r->stream == NULL)
        r->stream = own_open_stream(o, r);
    if (r->stream == NULL)
        return;
    tsdb_batch_begin(&o->batch, o->db, r->stream, r->t);
    o->batch.stepped = o->now.stepped;
    VEC_EACH (const struct output *, x, &r->output) {
        if (x->h != NULL)
            tsdb_batch_add_histogram(&o->batch, TSDB_REF_NEW, x->labels, x->h);
        else
            tsdb_batch_add(&o->batch, TSDB_REF_NEW, x->labels, x->v);
    }
    vec_clear(&r->output);
    if (tsdb_commit(&o->batch, &e))
        note_refused(c, &o->batch, &e);
    if (e.code == ERR_NONE)
        return;
    r->unwritten = mem_new(struct err);
    *r->unwritten = e;
    log_warn("a rule's output was not stored", LOG_STR("group", o->conf->name),
             LOG_STR("rule", c->name), LOG_ERR(&e));
}

bool own_is_written(const struct own *o, size_t i, struct err *e)
{
    if (o->rules[i].unwritten == NULL)
        return true;
    *e = *o->rules[i].unwritten;
    return false;
}

void own_pause(struct own *o)
{
    if (o->is_open)
        promql_plan_end(o->plan);
    o->is_open = false;
    for (size_t i = 0; i < o->n; i++)
        own_commit(o, &o->rules[i]);
    arena_reset(&o->waiting);
}

void own_record_begin(struct own *o, size_t i, ts_ms t)
{
    o->recording = i;
    o->rules[i].t = t;
    o->rules[i].has_output = true;
}

void own_record(struct own *o, struct labels ls, double v, const struct histogram *h)
{
    struct output x = {labels_copy(&o->waiting, ls), v, NULL};

    if (h != NULL) {
        struct histogram *copy = arena_new(&o->waiting, struct histogram);

        *copy = histogram_copy(&o->waiting, h);
        x.h = copy;
    }
    vec_push(&o->rules[o->recording].output, x);
}

void own_record_end(struct own *o)
{
    if (o->rules[o->recording].is_read)
        own_pause(o);
}
