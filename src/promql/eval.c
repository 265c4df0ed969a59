/* One node at one instant: numbers, selectors, signs here, the rest by kind in eval_*.c. */
#include "promql/eval.h"

#include "model/histogram_math.h"

/* -- what all nodes need -- */

void promql_push(struct promql_eval *ev, struct promql_vector *out, struct promql_sample s)
{
    if (out->n == out->cap) {
        struct promql_sample *old = out->v;

        out->cap = out->cap != 0 ? out->cap * 2 : 16;
        out->v = arena_alloc(ev->a, out->cap * sizeof(out->v[0]));
        assume(out->n == 0 || old != NULL);
        if (out->n != 0)
            memcpy(out->v, old, out->n * sizeof(out->v[0]));
    }
    out->v[out->n++] = s;
}

bool promql_fail_eval(struct promql_eval *ev, const char *fmt, ...)
{
    struct buf b = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&b, fmt, ap);
    va_end(ap);
    err_set(ev->e, ERR_INVALID, "%.*s", STR(buf_str(&b)));
    buf_release(&b);
    return false;
}

/* Who is asked looks at a clock, which takes as long as a window of some samples. */
enum { ASK_EVERY = 1024, ASK_SAMPLES = 16 };

static enum promql_go eval_ask(struct promql_eval *ev, size_t samples)
{
    size_t work = 1 + samples / ASK_SAMPLES;

    if (ev->patience >= work) {
        ev->patience -= work;
        return PROMQL_GO_ON;
    }
    ev->patience = ASK_EVERY;
    return ev->set.ask != NULL ? ev->set.ask(ev->set.ask_arg, ev->read) : PROMQL_GO_ON;
}

static bool eval_count(struct promql_eval *ev, size_t samples, size_t work)
{
    enum promql_go go = eval_ask(ev, work);

    ev->samples += samples;
    if (ev->samples + ev->results > ev->peak)
        ev->peak = ev->samples + ev->results;
    if (ev->samples + ev->results > ev->set.max_samples)
        return err_set(
            ev->e, ERR_LIMIT,
            "query processing would load too many samples into memory in query execution");
    if (arena_is_full(ev->a))
        return err_set(ev->e, ERR_LIMIT, "query needs more than %zu bytes of memory",
                       ev->set.max_bytes);
    if (go == PROMQL_TIMED_OUT)
        return err_set(ev->e, ERR_TIMEOUT, "query timed out in expression evaluation");
    if (go == PROMQL_TOO_MUCH)
        return err_set(ev->e, ERR_LIMIT, "query reads too many samples in query execution");
    if (go == PROMQL_CANCELED)
        return err_set(ev->e, ERR_CONFLICT, "query was canceled in expression evaluation");
    return true;
}

bool promql_charge(struct promql_eval *ev, size_t samples)
{
    return eval_count(ev, samples, samples);
}

bool promql_spend(struct promql_eval *ev, size_t most, size_t total)
{
    size_t before = ev->samples;
    bool ok;

    ev->read += total;
    ok = eval_count(ev, most, total);
    ev->samples = before;
    return ok;
}

size_t promql_weight(const struct histogram *h)
{
    size_t words = 0;

    if (h == NULL)
        return 1;
    words +=
        h->positive.n + h->positive.n_spans + h->negative.n + h->negative.n_spans + h->n_bounds;
    return 1 + (sizeof(*h) + words * sizeof(double)) / 16;
}

size_t promql_vector_weight(const struct promql_vector *v)
{
    size_t total = 0;

    for (size_t i = 0; i < v->n; i++)
        total += promql_weight(v->v[i].h);
    return total;
}

struct labels promql_nameless(struct arena *a, struct labels ls)
{
    static const str names[] = {S_INIT("__name__"), S_INIT("__type__"), S_INIT("__unit__")};

    return labels_without(a, ls, names, ARRAY_LEN(names));
}

str promql_metric(struct labels ls)
{
    return labels_get(ls, S("__name__"));
}

uint32_t promql_place_of(const struct promql_expr *x)
{
    return promql_unwrap(x)->at;
}

struct promql_node *promql_node_of(const struct promql_eval *ev, const struct promql_expr *x)
{
    return ev->nodes[x->id];
}

bool promql_check_distinct(struct promql_eval *ev, const struct promql_vector *v)
{
    struct label_sets seen = {0};
    bool ok = true, is_new;

    for (size_t i = 0; ok && v->n > 1 && i < v->n; i++) {
        label_sets_add(&seen, v->v[i].labels, 0, &is_new);
        ok = is_new;
    }
    label_sets_release(&seen);
    return ok ||
           err_set(ev->e, ERR_INVALID, "vector cannot contain metrics with the same labelset");
}

/* Without the flag a function's result loses the names at once, which may make two series one. */
static bool eval_drop_names(struct promql_eval *ev, struct promql_vector *v)
{
    if (ev->set.delayed_names)
        return true;
    for (size_t i = 0; i < v->n; i++) {
        if (v->v[i].drops_name)
            v->v[i].labels = promql_nameless(ev->a, v->v[i].labels);
        v->v[i].drops_name = false;
    }
    return promql_check_distinct(ev, v);
}

/* -- nodes -- */

static bool eval_number(struct promql_eval *ev, double v, struct promql_vector *out)
{
    promql_push(ev, out, (struct promql_sample){.v = v});
    return true;
}

static bool eval_unary(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                       struct promql_vector *out)
{
    if (!promql_eval_vector(ev, x->unary.expr, t, out))
        return false;
    if (!x->unary.is_minus)
        return true;
    for (size_t i = 0; i < out->n; i++) {
        struct promql_sample *s = &out->v[i];

        s->v = -s->v;
        s->drops_name = true;
        if (s->h != NULL) {
            struct histogram *h = arena_new(ev->a, struct histogram);

            *h = histogram_mul(ev->a, s->h, -1);
            s->h = h;
        }
    }
    return eval_drop_names(ev, out);
}

static bool eval_node(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      struct promql_vector *out)
{
    enum promql_answered planned =
        ev->plan != NULL ? promql_plan_vector(ev, x, t, out) : PROMQL_NOT_PLANNED;

    if (planned != PROMQL_NOT_PLANNED)
        return planned == PROMQL_ANSWERED;
    switch (x->kind) {
    case PROMQL_NUMBER: return eval_number(ev, x->number.v, out);
    case PROMQL_SELECTOR: return promql_eval_selector(ev, x, t, out);
    case PROMQL_PAREN: return promql_eval_vector(ev, x->inner, t, out);
    case PROMQL_UNARY: return eval_unary(ev, x, t, out);
    case PROMQL_BINARY: return promql_eval_binary(ev, x, t, out) && eval_drop_names(ev, out);
    case PROMQL_CALL: return promql_eval_call(ev, x, t, out) && eval_drop_names(ev, out);
    case PROMQL_AGGREGATE: return promql_eval_aggregate(ev, x, t, out);
    case PROMQL_TEXT:
    case PROMQL_RANGE:
    case PROMQL_SUBQUERY: break;
    }
    return promql_fail_eval(ev, "expression of type %s has no vector", promql_type_text(x->type));
}

/* What a node needed on the way is given back: only its result stays alive. */
bool promql_eval_vector(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct promql_vector *out)
{
    size_t before = ev->samples;

    *out = (struct promql_vector){NULL, 0, 0};
    if (!eval_node(ev, x, t, out))
        return false;
    ev->samples = before;
    return promql_charge(ev, promql_vector_weight(out));
}

bool promql_eval_scalar(struct promql_eval *ev, const struct promql_expr *x, ts_ms t, double *out)
{
    struct promql_vector v;

    if (!promql_eval_vector(ev, x, t, &v))
        return false;
    assume(v.v != NULL); /* a scalar is one sample */
    *out = v.v[0].v;
    return true;
}
