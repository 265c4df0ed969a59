/* Compiling turns an expression into nodes, of which equal ones are shared, and leaves to the plain evaluator what a
 * node cannot say; evaluating runs the nodes that are asked for, once an instant (plan_column.c, over the tables of
 * plan_tables.c, plan_join.c and plan_buckets.c). */
#include "promql/plan_priv.h"

struct promql_plan *promql_plan_new(struct storage s, const struct promql_settings *set)
{
    struct promql_plan *p = mem_new(struct promql_plan);

    p->storage = s;
    p->set = *set;
    promql_set_defaults(&p->set);
    arena_init_small(&p->a, 0);
    arena_init(&p->scratch, p->set.max_bytes);
    arena_init(&p->keep, 0);
    p->ev = (struct promql_eval){
        .storage = s, .set = p->set, .is_kept = true, .a = &p->scratch, .keep = &p->keep};
    return p;
}

static void free_node(struct plan_node *n)
{
    if (n->keeps_column)
        mem_free(n->col);
    switch (n->kind) {
    case PLAN_RANGE: plan_free_odds(n->odds); break;
    case PLAN_FOLD: mem_free(n->fold_of); break;
    case PLAN_JOIN:
    case PLAN_SET: mem_free(n->group_of); break;
    case PLAN_QUANTILE: mem_free(n->upper); break;
    case PLAN_RELABEL:
        mem_free(n->values);
        arena_release(&n->texts);
        break;
    case PLAN_INSTANT:
    case PLAN_TIMES:
    case PLAN_MATH:
    case PLAN_TUNED:
    case PLAN_SIGN:
    case PLAN_SCALAR: break;
    }
}

void promql_plan_seal(struct promql_plan *p)
{
    vec_fit(&p->nodes);
    vec_fit(&p->exprs);
    vec_fit(&p->selectors);
    u64_map_release(&p->selectors_by_hash);
    u64_map_release(&p->nodes_by_hash);
}

static struct promql_eval *plan_turn_to(struct promql_plan *p, const struct plan_expr *expr)
{
    p->ev.nodes = expr->nodes;
    p->ev.n_nodes = expr->n_nodes;
    return &p->ev;
}

void promql_plan_free(struct promql_plan *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->nodes.n; i++)
        free_node(p->nodes.v[i]);
    for (size_t i = 0; i < p->exprs.n; i++)
        promql_unprepare(plan_turn_to(p, p->exprs.v[i]), p->exprs.v[i]->x);
    vec_release(&p->nodes);
    vec_release(&p->exprs);
    vec_release(&p->selectors);
    promql_plan_seal(p);
    arena_release(&p->keep);
    arena_release(&p->scratch);
    arena_release(&p->a);
    mem_free(p);
}

/* -- compiling -- */

struct compiler {
    struct promql_plan *p;
    struct plan_expr *expr;
    bool *is_tried; /* by id */
};

/* Whether something below reads differently from what its text says. */
static bool shows_resets(const struct compiler *c, const struct promql_expr *x)
{
    const struct promql_expr *child;
    bool shows = x->kind == PROMQL_SELECTOR && promql_node_of(&c->p->ev, x)->shows_resets;

    for (size_t i = 0; !shows && (child = promql_child(x, i)) != NULL; i++)
        shows = shows_resets(c, child);
    return shows;
}

/* Equal parts are found by the hash of their text, which is not kept: where one is found, both are written out. */
static uint64_t plan_hash_of(const struct promql_expr *x, struct buf *text)
{
    promql_print(text, x);
    return hash_xxh64(buf_str(text));
}

static bool plan_is_same(const struct promql_expr *x, const struct buf *text)
{
    struct buf b = BUF_INIT;
    bool same;

    promql_print(&b, x);
    same = str_eq(buf_str(&b), buf_str(text));
    buf_release(&b);
    return same;
}

static bool selector_is_same(const struct plan_selector *s, const struct buf *text)
{
    struct buf b = BUF_INIT;
    bool same;

    promql_print_selector(&b, s->of);
    same = str_eq(buf_str(&b), buf_str(text));
    buf_release(&b);
    return same;
}

static struct plan_selector *selector_of(struct compiler *c, const struct promql_expr *x)
{
    struct plan_selector *s;
    struct buf text = BUF_INIT;
    uint64_t hash;
    void **slot;
    bool is_new;

    promql_print_selector(&text, &x->selector);
    hash = hash_xxh64(buf_str(&text));
    slot = u64_map_add(&c->p->selectors_by_hash, hash, NULL, &is_new);
    if (!is_new && selector_is_same(*slot, &text)) {
        buf_release(&text);
        return *slot;
    }
    buf_release(&text);
    s = arena_new(&c->p->a, struct plan_selector);
    s->of = &x->selector;
    s->handle = promql_node_of(&c->p->ev, x)->selector;
    vec_push(&c->p->selectors, s);
    *slot = s;
    return s;
}

static bool asks_for_query(const struct promql_shift *s)
{
    return s->at == PROMQL_AT_START || s->at == PROMQL_AT_END || s->offset.expr != NULL;
}

/* What scalar() has to say about its vector, it has to say in each query. */
static bool depends_on_query(const struct promql_expr *x)
{
    static const char *const names[] = {"start", "end", "step", "range", "scalar"};
    const struct promql_expr *child;

    if ((x->kind == PROMQL_SELECTOR && asks_for_query(&x->selector.shift)) ||
        (x->kind == PROMQL_RANGE && x->range.length.expr != NULL) ||
        (x->kind == PROMQL_SUBQUERY &&
         (asks_for_query(&x->subquery.shift) || x->subquery.length.expr != NULL ||
          x->subquery.step.expr != NULL)))
        return true;
    for (size_t i = 0; x->kind == PROMQL_CALL && i < ARRAY_LEN(names); i++)
        if (strcmp(x->call.fn->name, names[i]) == 0)
            return true;
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        if (depends_on_query(child))
            return true;
    return false;
}

#define PLAN_ROOM_WITH(member)                                                                     \
    (offsetof(struct plan_node, member) + sizeof(((struct plan_node *)NULL)->member))

static size_t plan_room(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_INSTANT:
    case PLAN_TIMES:
    case PLAN_MATH:
    case PLAN_TUNED:
    case PLAN_SIGN:
    case PLAN_SCALAR: return PLAN_ROOM_WITH(col);
    case PLAN_RANGE: return PLAN_ROOM_WITH(odds);
    case PLAN_FOLD: return PLAN_ROOM_WITH(first);
    case PLAN_JOIN:
    case PLAN_SET: return PLAN_ROOM_WITH(is_taken);
    case PLAN_QUANTILE: return PLAN_ROOM_WITH(widest);
    case PLAN_RELABEL: return PLAN_ROOM_WITH(texts);
    }
    return sizeof(struct plan_node);
}

static struct plan_node *new_node(struct compiler *c, const struct promql_expr *x,
                                  enum plan_kind kind)
{
    struct plan_node *n = arena_zalloc(&c->p->a, plan_room(kind));

    n->kind = kind;
    n->x = x;
    n->shows_resets = shows_resets(c, x);
    n->depends_on_query = depends_on_query(x);
    if (kind == PLAN_FOLD)
        n->names = promql_group_names(x, STR_NONE, &c->p->a);
    vec_push(&c->p->nodes, n);
    return n;
}

/* The node for x: the one that an equal part of some expression has, or a new one. */
static struct plan_node *node_of(struct compiler *c, const struct promql_expr *x,
                                 enum plan_kind kind)
{
    struct buf text = BUF_INIT;
    uint64_t hash = plan_hash_of(x, &text) + shows_resets(c, x);
    struct plan_node *n;
    void **slot;
    bool is_new;

    slot = u64_map_add(&c->p->nodes_by_hash, hash, NULL, &is_new);
    n = *slot;
    if (is_new || n->shows_resets != shows_resets(c, x) || !plan_is_same(n->x, &text))
        *slot = n = new_node(c, x, kind);
    buf_release(&text);
    return n;
}

static struct plan_node *compile(struct compiler *c, const struct promql_expr *x);

static struct plan_node *compile_selector(struct compiler *c, const struct promql_expr *x,
                                          const struct promql_expr *whole, enum plan_kind kind)
{
    struct plan_selector *s = selector_of(c, x);
    struct plan_node *n = node_of(c, whole, kind);

    n->selector = s;
    n->is_fixed =
        x->selector.shift.at != PROMQL_AT_NONE && (kind != PLAN_RANGE || whole->call.n_args == 1);
    return n;
}

static struct plan_node *compile_over(struct compiler *c, const struct promql_expr *x,
                                      enum plan_kind kind, const struct promql_expr *a,
                                      const struct promql_expr *b)
{
    struct plan_node *left = compile(c, a), *right = b != NULL ? compile(c, b) : NULL, *n;

    if (left == NULL || (b != NULL && right == NULL))
        return NULL;
    n = node_of(c, x, kind);
    n->a = left;
    n->b = right;
    /* the others have a number that an instant may change */
    n->is_fixed = kind != PLAN_TUNED && kind != PLAN_SCALAR && left->is_fixed &&
                  (right == NULL || right->is_fixed);
    return n;
}

/* A number that nobody has to say anything about. */
static bool is_quantile(const struct promql_expr *x)
{
    return x->kind == PROMQL_NUMBER && x->number.v >= 0 && x->number.v <= 1;
}

static bool is_plain_selector(const struct promql_expr *x)
{
    return x->kind == PROMQL_SELECTOR && !x->selector.may_match_all &&
           !x->selector.shift.is_smoothed;
}

/* Of anything but a selector it is the time of the evaluation. */
static struct plan_node *compile_times(struct compiler *c, const struct promql_expr *x)
{
    const struct promql_expr *arg = promql_unwrap(x->call.args[0]);

    return is_plain_selector(arg) ? compile_selector(c, arg, x, PLAN_TIMES) : NULL;
}

/* With wrong texts it fails whenever it is evaluated. */
static struct plan_node *compile_relabel(struct compiler *c, const struct promql_expr *x)
{
    struct promql_node *own = promql_node_of(&c->p->ev, x);
    struct err ignored = ERR_INIT;
    struct plan_node *n;

    if (!promql_relabel_ready(x, own, &ignored))
        return NULL;
    n = compile_over(c, x, PLAN_RELABEL, x->call.args[0], NULL);
    if (n != NULL && n->re == NULL)
        n->re = own->re;
    return n;
}

static struct plan_node *compile_call(struct compiler *c, const struct promql_expr *x)
{
    const struct promql_kernel *k = promql_node_of(&c->p->ev, x)->kernel;

    for (size_t i = 0; i < x->call.n_args; i++) {
        const struct promql_expr *arg = promql_unwrap(x->call.args[i]);

        compile(c, arg);
        if (arg->kind == PROMQL_RANGE && (k->floats != NULL || k->window != NULL) &&
            !arg->range.selector->selector.shift.is_anchored &&
            !arg->range.selector->selector.shift.is_smoothed)
            return compile_selector(c, arg->range.selector, x, PLAN_RANGE);
    }
    if (k->math != NULL && x->call.n_args == 1)
        return compile_over(c, x, PLAN_MATH, x->call.args[0], NULL);
    if (k->tuned != NULL)
        return compile_over(c, x, PLAN_TUNED, x->call.args[0], NULL);
    if (k->call == promql_timestamp)
        return compile_times(c, x);
    if (k->call == promql_call_relabel)
        return compile_relabel(c, x);
    if (k->call == promql_histogram_quantile && is_quantile(promql_unwrap(x->call.args[0])))
        return compile_over(c, x, PLAN_QUANTILE, x->call.args[1], NULL);
    return NULL;
}

static struct plan_node *compile_binary(struct compiler *c, const struct promql_expr *x)
{
    const struct promql_expr *lhs = x->binary.lhs, *rhs = x->binary.rhs;
    const struct promql_matching *m = x->binary.matching;
    enum promql_op op = x->binary.op;

    compile(c, lhs);
    compile(c, rhs);
    if (op == PROMQL_TRIM_UPPER || op == PROMQL_TRIM_LOWER || m->fills_left || m->fills_right)
        return NULL;
    if (lhs->type == PROMQL_T_VECTOR && rhs->type == PROMQL_T_VECTOR)
        return compile_over(c, x, promql_op_info(op)->is_set ? PLAN_SET : PLAN_JOIN, lhs, rhs);
    if (lhs->type == PROMQL_T_VECTOR || rhs->type == PROMQL_T_VECTOR)
        return compile_over(c, x, PLAN_SCALAR, lhs->type == PROMQL_T_VECTOR ? lhs : rhs, NULL);
    return NULL;
}

static struct plan_node *compile_aggregate(struct compiler *c, const struct promql_expr *x)
{
    if (x->aggregate.param != NULL) {
        compile(c, x->aggregate.param);
        compile(c, x->aggregate.expr);
        return NULL;
    }
    return compile_over(c, x, PLAN_FOLD, x->aggregate.expr, NULL);
}

static struct plan_node *compile_kind(struct compiler *c, const struct promql_expr *x)
{
    switch (x->kind) {
    case PROMQL_SELECTOR:
        return is_plain_selector(x) ? compile_selector(c, x, x, PLAN_INSTANT) : NULL;
    case PROMQL_PAREN: return compile(c, x->inner);
    case PROMQL_SUBQUERY: compile(c, x->subquery.expr); return NULL;
    case PROMQL_UNARY:
        if (x->type != PROMQL_T_VECTOR || !x->unary.is_minus) {
            compile(c, x->unary.expr);
            return NULL;
        }
        return compile_over(c, x, PLAN_SIGN, x->unary.expr, NULL);
    case PROMQL_CALL: return compile_call(c, x);
    case PROMQL_BINARY: return compile_binary(c, x);
    case PROMQL_AGGREGATE: return compile_aggregate(c, x);
    default: return NULL;
    }
}

static struct plan_node *compile(struct compiler *c, const struct promql_expr *x)
{
    struct plan_node **n = &c->expr->by_id[x->id];
    bool *is_tried = &c->is_tried[x->id]; /* what has no node is asked for more than once */

    if (!*is_tried)
        *n = compile_kind(c, x);
    *is_tried = true;
    return *n;
}

bool promql_plan_add(struct promql_plan *p, const struct promql_expr *x, str text, size_t *number,
                     struct err *e)
{
    struct plan_expr *expr = arena_new(&p->a, struct plan_expr);
    struct compiler c = {.p = p, .expr = expr};

    *expr = (struct plan_expr){.x = x, .text = text};
    p->ev.e = e;
    p->ev.is_kept = !p->is_once;
    if (!promql_prepare(&p->ev, x, &p->a)) {
        promql_unprepare(&p->ev, x);
        return false;
    }
    expr->nodes = p->ev.nodes;
    expr->n_nodes = p->ev.n_nodes;
    expr->by_id = arena_array(&p->a, expr->n_nodes, sizeof(expr->by_id[0]));
    c.is_tried = mem_array(expr->n_nodes, sizeof(c.is_tried[0]));
    compile(&c, x);
    mem_free(c.is_tried);
    *number = p->exprs.n;
    vec_push(&p->exprs, expr);
    return true;
}

/* -- evaluating -- */

void promql_plan_begin(struct promql_plan *p)
{
    promql_plan_seal(p);
    storage_begin(p->storage);
    for (size_t i = 0; i < p->nodes.n; i++)
        plan_column_forget(p->nodes.v[i]);
    for (size_t i = 0; i < p->selectors.n; i++) {
        struct plan_selector *s = p->selectors.v[i];
        struct storage_ids ids = storage_ids(p->storage, s->handle);

        if (s->version == 0 || ids.epoch != s->ids.epoch)
            s->version++;
        s->ids = ids;
    }
    for (size_t i = 0; i < p->exprs.n; i++)
        for (size_t k = 0; k < p->exprs.v[i]->n_nodes; k++)
            if (p->exprs.v[i]->nodes[k] != NULL)
                p->exprs.v[i]->nodes[k]->found = NULL;
}

void promql_plan_end(struct promql_plan *p)
{
    storage_end(p->storage);
    arena_release(&p->scratch);
    arena_release(&p->keep);
}

static bool plan_run(struct promql_plan *p, size_t number, ts_ms start, ts_ms end, ts_ms step,
                     bool sorted, struct arena *a, struct promql_result *out, struct err *e)
{
    struct plan_expr *expr = p->exprs.v[number];
    struct promql_planned planned = {p, expr};
    struct promql_eval *ev = plan_turn_to(p, expr);
    bool ok;

    p->run++;
    ev->start = promql_clamp_time(start);
    ev->end = promql_clamp_time(end);
    ev->step = start == end ? 0 : step;
    ev->is_stepped = start != end;
    ev->samples = ev->results = ev->peak = 0;
    ev->read = 0;
    ev->e = e;
    ev->plan = &planned;
    promql_notes_init(&ev->notes, &p->keep);
    ok = promql_resolve(ev, expr->x) && promql_run(ev, expr->x, expr->text, step, sorted, a, out);
    promql_notes_release(&ev->notes);
    ev->plan = NULL;
    return ok;
}

bool promql_plan_instant(struct promql_plan *p, size_t number, ts_ms t, struct arena *a,
                         struct promql_result *out, struct err *e)
{
    return plan_run(p, number, t, t, 1, p->exprs.v[number]->x->type == PROMQL_T_MATRIX, a, out, e);
}

bool promql_plan_range(struct promql_plan *p, size_t number, ts_ms start, ts_ms end, ts_ms step,
                       struct arena *a, struct promql_result *out, struct err *e)
{
    if (!promql_check_range(p->exprs.v[number]->x, step, e) ||
        !plan_run(p, number, start, end, step, true, a, out, e))
        return false;
    out->type = PROMQL_T_MATRIX;
    return true;
}

/* -- what the plain evaluator asks for -- */

/* What came with the values: the annotation is about the place in this expression, the last one if several say the same.
 * What is not planned has spoken for itself, but before what comes in front of it; of that only the place counts. */
static void plan_note(struct promql_eval *ev, const struct promql_expr *x, bool is_planned)
{
    const struct plan_node *n = ev->plan->expr->by_id[x->id];
    const struct promql_expr *child;

    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        plan_note(ev, child, is_planned && child->type == PROMQL_T_VECTOR);
    if (n == NULL || x->kind != PROMQL_CALL)
        return;
    if (n->kind == PLAN_RANGE && n->odds != NULL)
        VEC_EACH (const struct plan_odd *, odd, &n->odds->odd)
            if (odd->is_seen)
                promql_note_odd_counter(ev, odd->labels, promql_place_of(x->call.args[0]));
    if (n->kind == PLAN_QUANTILE && n->col != NULL && n->col->levelled.n != 0)
        promql_note_levelled(&ev->notes, is_planned ? n->col->levelled : PROMQL_NO_EXTENT, STR_NONE,
                             promql_place_of(x->call.args[1]));
}

enum promql_answered promql_plan_rows(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                                      struct promql_rows *out)
{
    struct promql_plan *p = ev->plan->plan;
    struct plan_node *n = ev->plan->expr->by_id[x->id];
    bool given_up;

    if (n == NULL || !plan_tables(p, n))
        return PROMQL_NOT_PLANNED;
    if (!plan_column(p, ev, n, x, t, &given_up))
        return PROMQL_FAILED;
    if (given_up)
        return PROMQL_NOT_PLANNED;
    plan_note(ev, x, true);
    *out = (struct promql_rows){n, n->n, n->col->v, n->col->has, n->col->h};
    return PROMQL_ANSWERED;
}

const struct histogram *promql_plan_histogram(const struct promql_rows *rows, size_t row)
{
    return rows->has[row] == PLAN_HISTOGRAM ? rows->h[row] : NULL;
}

struct labels promql_plan_labels(struct promql_eval *ev, const struct promql_rows *rows, size_t row,
                                 bool *drops_name)
{
    struct plan_row r = plan_row(ev->plan->plan, rows->node, row, ev->a);

    *drops_name = r.drops_name;
    return r.labels;
}

/* The rows' labels, put together once where more steps will ask for them. */
static struct plan_row plan_named(struct promql_plan *p, struct promql_eval *ev,
                                  struct plan_node *n, size_t row, struct arena *a)
{
    struct plan_row *kept = n->col->named != NULL ? &n->col->named[row] : NULL, made;

    if (kept != NULL && kept->labels.v != NULL)
        return *kept;
    arena_reset(a);
    made = plan_row(p, n, row, a);
    made.labels = plan_view(kept != NULL ? &p->keep : ev->a, made.labels);
    if (kept != NULL)
        *kept = made;
    return made;
}

static void push_rows(struct promql_eval *ev, struct plan_node *n, const struct promql_rows *rows,
                      struct promql_vector *out)
{
    struct promql_plan *p = ev->plan->plan;
    size_t left = n->col->present;
    struct plan_row row;
    struct arena a;

    if (left == 0)
        return;
    if (n->col->named == NULL && ev->is_stepped)
        n->col->named = arena_array(&p->keep, n->n, sizeof(n->col->named[0]));
    out->v = arena_alloc(ev->a, left * sizeof(out->v[0]));
    out->cap = left;
    arena_init(&a, 0);
    for (size_t i = 0; left != 0; i++) {
        if (rows->has[i] == PLAN_NONE)
            continue;
        left--;
        row = plan_named(p, ev, n, i, &a);
        promql_push(ev, out,
                    (struct promql_sample){.labels = row.labels,
                                           .v = rows->v[i],
                                           .h = promql_plan_histogram(rows, i),
                                           .drops_name = row.drops_name});
    }
    arena_release(&a);
}

enum promql_answered promql_plan_vector(struct promql_eval *ev, const struct promql_expr *x,
                                        ts_ms t, struct promql_vector *out)
{
    struct promql_rows rows;
    enum promql_answered answered = promql_plan_rows(ev, x, t, &rows);

    if (answered == PROMQL_ANSWERED)
        push_rows(ev, ev->plan->expr->by_id[x->id], &rows, out);
    return answered;
}

/* -- one query -- */

/* What the tables of a series cost, in steps. */
enum { TABLE_STEPS = 64 };

/* Whoever keeps others waiting hears how much it will be before it has begun. */
static bool plan_may_begin(struct promql_plan *p, ts_ms start, ts_ms end, ts_ms step, struct err *e)
{
    struct promql_eval *ev = plan_turn_to(p, p->exprs.v[0]);
    uint64_t series = 0, steps = (uint64_t)((end - start) / step) + 1 + TABLE_STEPS;

    for (size_t i = 0; i < p->selectors.n; i++)
        series += p->selectors.v[i]->ids.n;
    ev->e = e;
    ev->read = series * steps;
    return promql_charge(ev, 0);
}

bool promql_planned_range(const struct promql_query *q, ts_ms start, ts_ms end, ts_ms step,
                          struct arena *a, struct promql_result *out, struct err *e)
{
    struct promql_plan *p;
    size_t number;
    bool ok;

    if (!promql_check_range(q->expr, step, e))
        return false;
    p = promql_plan_new(q->storage, q->settings);
    p->is_once = true;
    ok = promql_plan_add(p, q->expr, q->text, &number, e);
    if (ok) {
        promql_plan_begin(p);
        ok = plan_may_begin(p, promql_clamp_time(start), promql_clamp_time(end), step, e) &&
             promql_plan_range(p, number, start, end, step, a, out, e);
        promql_plan_end(p);
    }
    promql_plan_free(p);
    return ok;
}
