/* Columns: the values of all rows of a node at one instant, in loops that look at no label.
 *
 * Series are read in batches that stay in the cache. Those of one target share their times, so where a window begins and
 * ends in them is searched for once. The next batch's samples are fetched while this one's are computed.
 */
#include "promql/plan_priv.h"

#include <math.h>

enum { BATCH = 64 };

/* -- where a time stands among times -- */

struct plan_column_place {
    const ts_ms *times;
    size_t n, begin, end; /* samples in (from, to] */
};

static size_t plan_column_first_after(const ts_ms *times, size_t n, ts_ms t)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (times[mid] > t)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static inline void find_place(struct plan_column_place *p, const struct storage_series *s,
                              ts_ms from, ts_ms to)
{
    if (is_likely(p->times == s->times && p->n == s->n && s->n != 0))
        return;
    *p = (struct plan_column_place){s->times, s->n, plan_column_first_after(s->times, s->n, from),
                                    plan_column_first_after(s->times, s->n, to)};
}

/* -- selectors -- */

struct plan_column_batch {
    struct promql_plan *p;
    struct promql_eval *ev;
    struct plan_node *n;
    const struct promql_node *selector;
    ts_ms from, to;
    bool reads_edges; /* the function looks only at the outermost samples of what rises */
    struct storage_series series[2][BATCH]; /* the current batch and the next */
    struct plan_column_place place;
    storage_slot *slots; /* of one window */
    size_t n_slots;
    size_t read, most; /* samples of these windows; of the one that has most */
};

static void set_histogram(struct plan_column_batch *b, size_t row, const struct histogram *h)
{
    struct plan_column *c = b->n->col;

    if (c->h == NULL)
        c->h = arena_array(b->ev->a, b->n->n, sizeof(c->h[0]));
    c->h[row] = h;
    c->has[row] = PLAN_HISTOGRAM;
    c->present++;
}

/* NaNs are many things: stale, absent, histograms, and NaNs. */
static void read_nan(struct plan_column_batch *b, const struct storage_series *s, size_t i,
                     size_t row)
{
    struct plan_column *c = b->n->col;
    storage_slot slot;

    while ((slot = storage_at(s, i)) == STORAGE_ABSENT && i != 0)
        i--;
    c->has[row] = PLAN_NONE;
    if (slot == STORAGE_ABSENT || slot == STORAGE_STALE || s->times[i] <= b->from)
        return;
    if (storage_is_histogram(slot)) {
        set_histogram(b, row, promql_read_histogram(b->ev, b->selector, s, slot));
        return;
    }
    c->v[row] = promql_float(slot);
    c->has[row] = PLAN_FLOAT;
    c->present++;
}

static void instant_rows(struct plan_column_batch *b, const struct storage_series *series,
                         size_t at, size_t n)
{
    struct plan_column *c = b->n->col;

    for (size_t i = 0; i < n; i++) {
        const struct storage_series *s = &series[i];
        double v;

        find_place(&b->place, s, b->from, b->to);
        c->has[at + i] = PLAN_NONE;
        if (b->place.end == b->place.begin)
            continue;
        v = promql_float(b->place.end == s->n && s->rising != 0 ? s->last
                                                                : storage_at(s, b->place.end - 1));
        if (is_unlikely(isnan(v))) {
            read_nan(b, s, b->place.end - 1, at + i);
            continue;
        }
        c->v[at + i] = v;
        c->has[at + i] = PLAN_FLOAT;
        c->present++;
    }
}

/* Of each the time of what an instant takes, be it a histogram. */
static void times_rows(struct plan_column_batch *b, const struct storage_series *series, size_t at,
                       size_t n)
{
    struct plan_column *c = b->n->col;

    for (size_t i = 0; i < n; i++) {
        const struct storage_series *s = &series[i];
        storage_slot slot = STORAGE_ABSENT;
        size_t k;

        find_place(&b->place, s, b->from, b->to);
        for (k = b->place.end; k != b->place.begin && slot == STORAGE_ABSENT; k--)
            slot = storage_at(s, k - 1);
        c->has[at + i] = slot != STORAGE_ABSENT && slot != STORAGE_STALE ? PLAN_FLOAT : PLAN_NONE;
        c->present += c->has[at + i];
        if (c->has[at + i] != PLAN_NONE)
            c->v[at + i] = (double)s->times[k] / 1000;
    }
}

static size_t rows_of_batch(const struct plan_column_batch *b, size_t at)
{
    return b->n->n - at < BATCH ? b->n->n - at : BATCH;
}

/* Reads the batch at `at`, and asks for the samples that it will be about. */
static void read_batch(struct plan_column_batch *b, size_t at, struct storage_series *out)
{
    size_t n = rows_of_batch(b, at);

    storage_read(b->p->storage, b->n->selector->ids.v + at, n, out);
    for (size_t i = 0; i < n; i++) {
        size_t begin, end;

        find_place(&b->place, &out[i], b->from, b->to);
        end = b->place.end;
        begin = b->place.begin;
        if (begin == end)
            continue;
        if (b->n->kind != PLAN_RANGE) {
            if (end != out[i].n || out[i].rising == 0)
                __builtin_prefetch(storage_address(&out[i], end - 1));
            continue;
        }
        if (b->reads_edges && out[i].n - begin <= out[i].rising) {
            __builtin_prefetch(storage_address(&out[i], begin));
            __builtin_prefetch(storage_address(&out[i], end - 1));
            continue;
        }
        for (size_t k = begin; k < end; k += (size_t)MEM_LINE / out[i].codes.bytes)
            __builtin_prefetch(storage_address(&out[i], k));
    }
}

/* The series of the batch at `at`; the next one is read, too, while there is one. */
static const struct storage_series *next_batch(struct plan_column_batch *b, size_t at)
{
    size_t k = at / BATCH;

    if (at == 0)
        read_batch(b, 0, b->series[0]);
    if (at + BATCH < b->n->n)
        read_batch(b, at + BATCH, b->series[(k + 1) % 2]);
    return b->series[k % 2];
}

static size_t column_weight(const struct plan_node *n)
{
    size_t total = n->col->present;

    for (size_t i = 0; n->col->h != NULL && i < n->n; i++)
        if (n->col->has[i] == PLAN_HISTOGRAM)
            total += promql_weight(n->col->h[i]) - 1;
    return total;
}

static bool plan_column_instant(struct plan_column_batch *b, const struct promql_expr *x, ts_ms t)
{
    b->selector = promql_node_of(b->ev, x);
    b->to = promql_reference(b->selector, t);
    b->from = b->to - b->ev->set.lookback;
    for (size_t at = 0; at < b->n->n; at += BATCH) {
        (b->n->kind == PLAN_TIMES ? times_rows : instant_rows)(b, next_batch(b, at), at,
                                                               rows_of_batch(b, at));
        if (!promql_charge(b->ev, 0))
            return false;
    }
    b->ev->read += column_weight(b->n);
    return true;
}

/* -- functions over ranges -- */

/* Whether no slot is a NaN, which may be many things. Without the sign, NaNs are the greatest bit patterns. */
static bool plan_column_is_plain(const storage_slot *slots, size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++)
        any |= slots[i] << 1 > UINT64_C(0xffe0000000000000);
    return !any;
}

/* Whether the samples [begin, end) are known, without a look at them, to be floats that do not fall. */
static bool is_rising(const struct storage_series *s, size_t begin, size_t end)
{
    return s->n - begin <= s->rising &&
           !isnan(promql_float(end == s->n ? s->last : storage_at(s, end - 1)));
}

/* The samples [begin, end) as slots, where codes stand for them in the batch's own. A rising window whose edges are all that is
 * read has nothing in between. */
static const storage_slot *plan_column_slots_of(struct plan_column_batch *b,
                                                const struct storage_series *s, size_t begin,
                                                size_t end, bool is_rising)
{
    if (s->codes.bytes == sizeof(storage_slot))
        return (const storage_slot *)s->row + begin;
    if (end - begin > b->n_slots) {
        b->n_slots = 2 * (end - begin);
        b->slots = arena_array(b->ev->a, b->n_slots, sizeof(storage_slot));
    }
    if (is_rising && b->reads_edges && s->starts == NULL) {
        b->slots[0] = storage_at(s, begin);
        b->slots[end - begin - 1] = storage_at(s, end - 1);
    } else
        storage_row_slots(s->row, &s->codes, begin, end, b->slots);
    return b->slots;
}

static void count_window(struct plan_column_batch *b, const struct promql_window *w)
{
    size_t n = w->n_h == 0 ? w->n : promql_window_weight(w);

    b->read += n;
    b->most = n > b->most ? n : b->most;
}

/* False: given up, there are notes. */
static bool range_row(struct plan_column_batch *b, const struct promql_kernel *k,
                      const struct promql_range *r, const struct storage_series *s, size_t row)
{
    struct plan_node *n = b->n;
    struct plan_column *c = n->col;
    struct promql_value v = {.v = 0};
    struct promql_window w;
    size_t begin, end;

    find_place(&b->place, s, r->from, r->to);
    begin = b->place.begin;
    end = b->place.end;
    c->has[row] = PLAN_NONE;
    if (begin == end)
        return true;
    w = (struct promql_window){.times = s->times + begin,
                               .starts = s->starts != NULL ? s->starts + begin : NULL,
                               .n = end - begin,
                               .is_rising = is_rising(s, begin, end)};
    w.slots = plan_column_slots_of(b, s, begin, end, w.is_rising);
    if (is_unlikely(!w.is_rising && !plan_column_is_plain(w.slots, w.n)))
        promql_read_window(b->ev, b->selector, s, r->from, r->to, &w);
    if (w.n + w.n_h == 0)
        return true;
    count_window(b, &w);
    if (!promql_run_kernel(k, &w, r, &v))
        return v.notes == 0;
    if (v.notes != 0)
        return false;
    if (v.h != NULL) {
        set_histogram(b, row, v.h);
        return true;
    }
    if (n->odds != NULL && n->odds->of[row] != PLAN_NO_ROW)
        n->odds->odd.v[n->odds->of[row]].is_seen = true;
    c->v[row] = v.v;
    c->has[row] = PLAN_FLOAT;
    c->present++;
    return true;
}

/* Parameters that somebody has to say something about. */
static bool has_odd_params(const struct promql_kernel *k, const struct promql_range *r)
{
    if (k->floats == promql_smoothing)
        return !(r->p[0] > 0 && r->p[0] < 1 && r->p[1] > 0 && r->p[1] < 1);
    return k->floats == promql_quantile_over_time && !(r->p[0] >= 0 && r->p[0] <= 1);
}

static const struct promql_expr *plan_column_range_of(const struct promql_expr *x)
{
    const struct promql_expr *arg;

    for (size_t i = 0;; i++) {
        arg = promql_unwrap(x->call.args[i]);
        if (arg->kind == PROMQL_RANGE)
            return arg;
    }
}

/* False: given up. */
static bool range_rows(struct plan_column_batch *b, const struct promql_kernel *k,
                       const struct promql_range *r, size_t at)
{
    const struct storage_series *series = next_batch(b, at);

    for (size_t i = 0; i < rows_of_batch(b, at); i++)
        if (!range_row(b, k, r, &series[i], at + i))
            return false;
    return true;
}

static bool range(struct plan_column_batch *b, const struct promql_expr *x, ts_ms t, bool *given_up)
{
    const struct promql_expr *selected = plan_column_range_of(x);
    const struct promql_node *window = promql_node_of(b->ev, selected);
    const struct promql_kernel *k = promql_node_of(b->ev, x)->kernel;
    struct promql_range r = {.now = t,
                             .seconds = (double)window->length / 1000,
                             .uses_starts = b->ev->set.start_times,
                             .a = b->ev->a};
    size_t alive = b->ev->samples;

    b->selector = promql_node_of(b->ev, selected->range.selector);
    b->reads_edges = k->wants_counter;
    b->to = r.to = promql_reference(window, t);
    b->from = r.from = r.to - window->length;
    if (!promql_params(b->ev, x, t, r.p))
        return false;
    b->ev->samples = alive; /* the parameters come after the windows */
    *given_up = has_odd_params(k, &r);
    for (size_t i = 0; b->n->odds != NULL && i < b->n->odds->odd.n; i++)
        b->n->odds->odd.v[i].is_seen = false;
    for (size_t at = 0; at < b->n->n && !*given_up; at += BATCH) {
        b->read = b->most = 0;
        *given_up = !range_rows(b, k, &r, at);
        if (!promql_spend(b->ev, b->most, b->read))
            return false;
    }
    return true;
}

/* -- one operand -- */

static void math(struct plan_node *n, promql_math *f)
{
    const struct plan_column *in = n->a->col;
    struct plan_column *c = n->col;

    for (size_t i = 0; i < n->n; i++) {
        c->has[i] = in->has[i] == PLAN_FLOAT ? PLAN_FLOAT : PLAN_NONE;
        c->present += c->has[i];
        if (c->has[i] == PLAN_FLOAT)
            c->v[i] = f(in->v[i]);
    }
}

static void plan_column_tune(struct plan_node *n, promql_tuned_math *f)
{
    const struct plan_column *in = n->a->col;
    struct plan_column *c = n->col;

    for (size_t i = 0; i < n->n; i++) {
        c->has[i] =
            in->has[i] == PLAN_FLOAT && f(in->v[i], c->p, &c->v[i]) ? PLAN_FLOAT : PLAN_NONE;
        c->present += c->has[i];
    }
}

static void plan_column_relabel(struct plan_node *n)
{
    const struct plan_column *in = n->a->col;

    memcpy(n->col->has, in->has, n->n);
    memcpy(n->col->v, in->v, n->n * sizeof(in->v[0]));
    n->col->h = in->h;
    n->col->present = in->present;
}

static void sign(struct plan_node *n)
{
    const struct plan_column *in = n->a->col;
    struct plan_column *c = n->col;

    memcpy(c->has, in->has, n->n);
    c->present = in->present;
    for (size_t i = 0; i < n->n; i++)
        c->v[i] = -in->v[i];
}

/* Comparisons of a column with a number, without a branch: most of what alerting rules do. */
#define FILTER(holds)                                                                              \
    for (size_t i = 0; i < n->n; i++) {                                                            \
        double v = in->v[i];                                                                       \
                                                                                                   \
        c->v[i] = v;                                                                               \
        c->has[i] = in->has[i] & (uint8_t)(holds);                                                 \
        c->present += c->has[i];                                                                   \
    }                                                                                              \
    return

static void plan_column_filter(struct plan_node *n, enum promql_op op, double by)
{
    const struct plan_column *in = n->a->col;
    struct plan_column *c = n->col;

    switch (op) {
    case PROMQL_EQ: FILTER(v == by);
    case PROMQL_NE: FILTER(v != by);
    case PROMQL_LT: FILTER(v < by);
    case PROMQL_LE: FILTER(v <= by);
    case PROMQL_GT: FILTER(v > by);
    case PROMQL_GE: FILTER(v >= by);
    default: return;
    }
}

static enum promql_op mirrored(enum promql_op op)
{
    switch (op) {
    case PROMQL_LT: return PROMQL_GT;
    case PROMQL_LE: return PROMQL_GE;
    case PROMQL_GT: return PROMQL_LT;
    case PROMQL_GE: return PROMQL_LE;
    default: return op;
    }
}

static void with_number(struct plan_node *n, double number, bool is_left)
{
    const struct plan_column *in = n->a->col;
    struct plan_column *c = n->col;
    enum promql_op op = n->x->binary.op;
    bool keep;

    for (size_t i = 0; i < n->n; i++) {
        double v = in->v[i];

        c->has[i] = in->has[i];
        c->present += in->has[i] != PLAN_NONE;
        if (in->has[i] == PLAN_NONE)
            continue;
        v = is_left ? promql_binary(op, number, v, &keep) : promql_binary(op, v, number, &keep);
        c->v[i] = n->x->binary.is_bool ? (keep ? 1 : 0) : v;
    }
}

static bool scalar(struct promql_eval *ev, struct plan_node *n, const struct promql_expr *x,
                   ts_ms t)
{
    bool is_left = x->binary.lhs->type == PROMQL_T_SCALAR;
    double number;

    if (!promql_eval_scalar(ev, is_left ? x->binary.lhs : x->binary.rhs, t, &number))
        return false;
    if (promql_op_info(x->binary.op)->is_comparison && !x->binary.is_bool)
        plan_column_filter(n, is_left ? mirrored(x->binary.op) : x->binary.op, number);
    else
        with_number(n, number, is_left);
    return true;
}

/* False: given up. */
static bool fold_in(struct promql_eval *ev, const struct plan_node *n, size_t row,
                    struct promql_acc *acc)
{
    const struct plan_column *in = n->a->col;

    return in->has[row] == PLAN_NONE ||
           promql_acc_add(n->x->aggregate.op, acc, in->v[row],
                          in->has[row] == PLAN_HISTOGRAM ? in->h[row] : NULL, ev->a) == 0;
}

/* False: given up. */
static bool fold_out(struct promql_eval *ev, struct plan_node *n, size_t group,
                     const struct promql_acc *acc)
{
    struct plan_column *c = n->col;
    struct promql_value v;
    bool has = promql_acc_result(n->x->aggregate.op, acc, ev->a, &v);

    if (v.notes != 0)
        return false;
    c->v[group] = v.v;
    c->has[group] = !has ? PLAN_NONE : v.h != NULL ? PLAN_HISTOGRAM : PLAN_FLOAT;
    c->present += has;
    if (has && v.h != NULL) {
        if (c->h == NULL)
            c->h = arena_array(ev->a, n->n, sizeof(c->h[0]));
        c->h[group] = v.h;
    }
    return true;
}

/* With one accumulator: where there are many groups, each has a few rows that follow one another. */
static bool fold_in_turn(struct promql_eval *ev, struct plan_node *n)
{
    for (size_t i = 0; i < n->a->n;) {
        uint32_t group = n->fold_of[i];
        struct promql_acc acc = {.v = 0};

        for (; i < n->a->n && n->fold_of[i] == group; i++)
            if (!fold_in(ev, n, i, &acc))
                return false;
        if (!fold_out(ev, n, group, &acc))
            return false;
    }
    return true;
}

static bool fold_mixed(struct promql_eval *ev, struct plan_node *n, struct promql_acc *accs)
{
    for (size_t i = 0; i < n->a->n; i++)
        if (!fold_in(ev, n, i, &accs[n->fold_of[i]]))
            return false;
    for (size_t i = 0; i < n->n; i++)
        if (!fold_out(ev, n, i, &accs[i]))
            return false;
    return true;
}

static bool plan_column_fold(struct promql_eval *ev, struct plan_node *n)
{
    struct promql_acc *accs;
    bool ok;

    if (n->is_in_turn)
        return fold_in_turn(ev, n);
    accs = mem_array(n->n, sizeof(*accs));
    ok = fold_mixed(ev, n, accs);
    mem_free(accs);
    return ok;
}

/* -- any node -- */

static struct plan_column *new_column(struct promql_plan *p, const struct plan_node *n)
{
    size_t room = sizeof(*n->col) + n->n * (sizeof(n->col->v[0]) + sizeof(n->col->has[0]));
    struct plan_column *c = n->keeps_column ? mem_alloc(room) : arena_alloc(&p->keep, room);
    double *v = (double *)(c + 1);

    *c = (struct plan_column){.v = v, .has = (uint8_t *)(v + n->n)};
    return c;
}

void plan_column_forget(struct plan_node *n)
{
    if (n->keeps_column && n->col != NULL)
        *n->col = (struct plan_column){.v = n->col->v, .has = n->col->has};
    else
        n->col = NULL;
}

/* What was made for the same instant in this span, or for any in this query if it is fixed, is used again, unless it holds
 * what lived in another step's arena. */
static bool is_made(const struct promql_plan *p, const struct promql_eval *ev,
                    const struct plan_node *n, ts_ms t)
{
    const struct plan_column *c = n->col;

    if (c == NULL || c->run == 0)
        return false;
    if (c->run == p->run ? c->at != t && !n->is_fixed : c->at != t || n->depends_on_query)
        return false;
    return c->h == NULL || (c->run == p->run && c->step == ev->steps);
}

static const struct promql_expr *plan_column_operand(const struct plan_node *n,
                                                     const struct promql_expr *x, bool second)
{
    switch (n->kind) {
    case PLAN_MATH:
    case PLAN_TUNED:
    case PLAN_RELABEL: return promql_unwrap(x->call.args[0]);
    case PLAN_QUANTILE: return promql_unwrap(x->call.args[1]);
    case PLAN_SIGN: return promql_unwrap(x->unary.expr);
    case PLAN_FOLD: return promql_unwrap(x->aggregate.expr);
    case PLAN_SCALAR:
        return promql_unwrap(x->binary.lhs->type == PROMQL_T_VECTOR ? x->binary.lhs
                                                                    : x->binary.rhs);
    default: return promql_unwrap(second ? x->binary.rhs : x->binary.lhs);
    }
}

static bool operands(struct promql_plan *p, struct promql_eval *ev, struct plan_node *n,
                     const struct promql_expr *x, ts_ms t, bool *given_up)
{
    if (n->kind == PLAN_QUANTILE && !promql_charge(ev, 1)) /* the number comes first */
        return false;
    if (n->kind == PLAN_TUNED) {
        n->col->p[0] = promql_kernel_of(x->call.fn)->p;
        if (!promql_params(ev, x, t, n->col->p))
            return false;
    }
    if (n->a != NULL && !plan_column(p, ev, n->a, plan_column_operand(n, x, false), t, given_up))
        return false;
    if (*given_up || n->b == NULL)
        return true;
    return plan_column(p, ev, n->b, plan_column_operand(n, x, true), t, given_up);
}

static bool plan_column_make(struct promql_plan *p, struct promql_eval *ev, struct plan_node *n,
                             const struct promql_expr *x, ts_ms t, bool *given_up)
{
    struct plan_column_batch b = {.p = p, .ev = ev, .n = n};
    bool is_plain_math = n->kind == PLAN_SIGN || n->kind == PLAN_SCALAR;

    if (is_plain_math && n->a->col->h != NULL) {
        *given_up = true;
        return true;
    }
    switch (n->kind) {
    case PLAN_INSTANT: return plan_column_instant(&b, x, t);
    case PLAN_TIMES: return plan_column_instant(&b, promql_unwrap(x->call.args[0]), t);
    case PLAN_RANGE: return range(&b, x, t, given_up);
    case PLAN_MATH: math(n, promql_kernel_of(x->call.fn)->math); break;
    case PLAN_TUNED: plan_column_tune(n, promql_kernel_of(x->call.fn)->tuned); break;
    case PLAN_RELABEL: plan_column_relabel(n); break;
    case PLAN_SIGN: sign(n); break;
    case PLAN_SCALAR: return scalar(ev, n, x, t);
    case PLAN_FOLD: *given_up = !plan_column_fold(ev, n); break;
    case PLAN_QUANTILE:
        *given_up = !plan_quantile(ev, n, promql_unwrap(x->call.args[0])->number.v, t);
        break;
    case PLAN_JOIN: *given_up = !plan_join(n); break;
    case PLAN_SET: *given_up = !plan_set(n); break;
    }
    return true;
}

/* What the plain evaluator would have counted, whoever made the column. */
static bool count_again(struct promql_eval *ev, const struct plan_node *n)
{
    return promql_spend(ev, n->col->peak, n->col->read) && promql_charge(ev, column_weight(n));
}

static bool make_column(struct promql_plan *p, struct promql_eval *ev, struct plan_node *n,
                        const struct promql_expr *x, ts_ms t, bool *given_up)
{
    struct plan_column *c = n->col != NULL ? n->col : new_column(p, n);

    n->col = c;
    c->run = 0;
    c->h = NULL;
    c->present = 0;
    if (!operands(p, ev, n, x, t, given_up) ||
        (!*given_up && !plan_column_make(p, ev, n, x, t, given_up)))
        return false;
    c->is_given_up = *given_up;
    c->run = p->run;
    c->step = ev->steps;
    c->at = t;
    return true;
}

bool plan_column(struct promql_plan *p, struct promql_eval *ev, struct plan_node *n,
                 const struct promql_expr *x, ts_ms t, bool *given_up)
{
    size_t samples = ev->samples, peak = ev->peak;
    uint64_t read = ev->read;

    x = promql_unwrap(x);
    *given_up = false;
    if (is_made(p, ev, n, t)) {
        *given_up = n->col->is_given_up;
        return *given_up || count_again(ev, n);
    }
    ev->peak = samples + ev->results;
    if (!make_column(p, ev, n, x, t, given_up))
        return false;
    n->col->peak = ev->peak - samples - ev->results;
    n->col->read = ev->read - read;
    ev->peak = ev->peak > peak ? ev->peak : peak;
    ev->samples = samples; /* of the operands */
    if (!*given_up)
        return promql_charge(ev, column_weight(n));
    ev->read = read; /* as if nobody had tried */
    return true;
}
