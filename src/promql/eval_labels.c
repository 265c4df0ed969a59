/* Functions of labels: absent, label_replace, label_join, and the sorts. */
#include "promql/eval.h"

#include <math.h>
#include <stdlib.h>
#include "base/utf8.h"

/* -- absent -- */

/* What a series would have to look like: the labels that one equality, and nothing else, asks for. */
static struct labels wanted_labels(struct promql_eval *ev, const struct promql_expr *x)
{
    const struct promql_expr *s = x->kind == PROMQL_RANGE ? x->range.selector : x;
    const struct matchers *ms = &s->selector.matchers;
    struct label *v;
    size_t n = 0;
    str dup;

    if (s->kind != PROMQL_SELECTOR)
        return LABELS_NONE;
    v = arena_array(ev->a, ms->n + 1, sizeof(*v));
    for (size_t i = 0; i < ms->n; i++) {
        size_t uses = 0;

        for (size_t j = 0; j < ms->n; j++)
            uses += str_eq(ms->v[i].name, ms->v[j].name);
        if (uses == 1 && ms->v[i].op == MATCH_EQ && !str_is(ms->v[i].name, "__name__"))
            v[n++] = (struct label){ms->v[i].name, ms->v[i].value};
    }
    return (struct labels){v, labels_sort(v, n, &dup)};
}

static void push_absent(struct promql_eval *ev, const struct promql_expr *arg,
                        struct promql_vector *out)
{
    promql_push(ev, out, (struct promql_sample){.labels = wanted_labels(ev, arg), .v = 1});
}

bool promql_absent(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                   struct promql_vector *out)
{
    const struct promql_expr *arg = promql_unwrap(x->call.args[0]);
    struct promql_vector v;

    if (!promql_eval_vector(ev, arg, t, &v))
        return false;
    if (v.n == 0)
        push_absent(ev, arg, out);
    return true;
}

bool promql_absent_over_time(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                             struct promql_vector *out)
{
    const struct promql_expr *arg = promql_unwrap(x->call.args[0]);
    struct promql_matrix m;

    if (!promql_eval_matrix(ev, arg, t, &m))
        return false;
    if (m.n == 0)
        push_absent(ev, arg, out);
    return true;
}

/* -- label_replace, label_join -- */

static str eval_labels_text_of(const struct promql_expr *x, size_t i)
{
    return promql_unwrap(x->call.args[i])->text;
}

/* Labels are UTF-8 (regular expressions rely on it), string literals need not be. */
static bool check_texts(const struct promql_expr *x, struct err *e)
{
    const char *function = x->call.fn->name;
    str dst = eval_labels_text_of(x, 1);

    if (!label_name_is_utf8(dst))
        return err_set(e, ERR_INVALID, "invalid destination label name in %s(): %.*s", function,
                       STR(dst));
    for (size_t i = 2; i < x->call.n_args; i++)
        if (!utf8_is_valid(eval_labels_text_of(x, i)))
            return err_set(e, ERR_INVALID, "invalid UTF-8 in argument %zu of %s()", i + 1,
                           function);
    return true;
}

static bool is_join(const struct promql_expr *x)
{
    return strcmp(x->call.fn->name, "label_join") == 0;
}

static bool check_join_sources(const struct promql_expr *x, struct err *e)
{
    for (size_t k = 3; k < x->call.n_args; k++)
        if (!label_name_is_utf8(eval_labels_text_of(x, k)))
            return err_set(e, ERR_INVALID, "invalid source label name in label_join(): %.*s",
                           STR(eval_labels_text_of(x, k)));
    return true;
}

static bool compile_pattern(const struct promql_expr *x, struct promql_node *n, struct err *e)
{
    str pattern = eval_labels_text_of(x, 4);
    struct err why = ERR_INIT;

    if (n->re == NULL)
        n->re = regex_compile(pattern, REGEX_ANCHORED | REGEX_DOTALL, &why);
    return n->re != NULL ||
           err_set(e, ERR_INVALID, "invalid regular expression in label_replace(): %.*s",
                   STR(pattern));
}

bool promql_relabel_ready(const struct promql_expr *x, struct promql_node *n, struct err *e)
{
    return (is_join(x) ? check_join_sources(x, e) : compile_pattern(x, n, e)) && check_texts(x, e);
}

void promql_relabel_begin(struct promql_relabel *r, const struct promql_expr *x,
                          const struct regex *re, struct arena *a)
{
    *r = (struct promql_relabel){.x = x, .re = re, .value = BUF_INIT};
    if (re != NULL)
        r->groups = arena_array(a, 2 * regex_group_count(re), sizeof(r->groups[0]));
}

void promql_relabel_end(struct promql_relabel *r)
{
    buf_release(&r->value);
}

static bool replace_value(struct promql_relabel *r, struct labels ls)
{
    str subject = labels_get(ls, eval_labels_text_of(r->x, 3));

    if (!regex_captures(r->re, subject, 0, r->groups, regex_group_count(r->re)))
        return false;
    regex_expand(r->re, &r->value, eval_labels_text_of(r->x, 2), subject, r->groups);
    return true;
}

static void join_value(struct promql_relabel *r, struct labels ls)
{
    for (size_t k = 3; k < r->x->call.n_args; k++) {
        if (k != 3)
            buf_add(&r->value, eval_labels_text_of(r->x, 2));
        buf_add(&r->value, labels_get(ls, eval_labels_text_of(r->x, k)));
    }
}

bool promql_relabel_value(struct promql_relabel *r, struct labels ls, str *value)
{
    buf_clear(&r->value);
    if (r->re == NULL)
        join_value(r, ls);
    else if (!replace_value(r, ls))
        return false;
    *value = buf_str(&r->value);
    return true;
}

/* An empty value removes the label. A new __name__ is not to be dropped. */
struct labels promql_relabelled(const struct promql_expr *x, str value, struct labels ls,
                                bool *drops_name, struct arena *a)
{
    struct label *l = arena_new(a, struct label);

    *l = (struct label){eval_labels_text_of(x, 1), value};
    if (str_is(l->name, "__name__"))
        *drops_name = false;
    return labels_merge(a, ls, (struct labels){l, 1});
}

bool promql_call_relabel(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                         struct promql_vector *out)
{
    struct promql_node *n = promql_node_of(ev, x);
    struct promql_relabel r;
    str value = STR_NONE;

    if (!promql_relabel_ready(x, n, ev->e) || !promql_eval_vector(ev, x->call.args[0], t, out))
        return false;
    promql_relabel_begin(&r, x, n->re, ev->a);
    for (size_t i = 0; i < out->n; i++) {
        struct promql_sample *s = &out->v[i];

        if (promql_relabel_value(&r, s->labels, &value))
            s->labels =
                promql_relabelled(x, arena_str(ev->a, value), s->labels, &s->drops_name, ev->a);
    }
    promql_relabel_end(&r);
    return promql_check_distinct(ev, out);
}

/* -- sorting: stable, so that equal values stay in the order of the store -- */

struct eval_labels_sort_key {
    const struct promql_sample *s;
    size_t i;
};

struct sort_order {
    const struct promql_expr *x; /* by labels: the names are its arguments; NULL: by value */
    bool is_desc;
};

/* Cuts a run of digits or of anything else off the front. */
static str cut_run(str *rest)
{
    size_t n = 1;

    while (n < rest->n && char_is_digit(rest->p[n]) == char_is_digit(rest->p[0]))
        n++;
    *rest = str_sub(*rest, n, rest->n);
    return (str){rest->p - n, n};
}

static bool run_number(str run, uint64_t *out)
{
    assume(run.p != NULL);
    return char_is_digit(run.p[0]) && str_to_u64(run, out) && *out <= INT64_MAX;
}

/* Whether a comes before b in natural order: x2 before x10. a and b differ. */
static bool goes_before(str a, str b)
{
    while (a.n != 0) {
        str x, y;
        uint64_t m, n;
        bool numbers;

        if (b.n == 0)
            return false;
        x = cut_run(&a);
        y = cut_run(&b);
        numbers = run_number(x, &m) && run_number(y, &n);
        if (numbers ? m != n : !str_eq(x, y))
            return numbers ? m < n : str_cmp(x, y) < 0;
        if (a.n == 0 || b.n == 0)
            return a.n == 0;
    }
    return false;
}

static int cmp_labels(const struct sort_order *o, const struct promql_sample *a,
                      const struct promql_sample *b)
{
    for (size_t i = 1; i < o->x->call.n_args; i++) {
        str name = eval_labels_text_of(o->x, i);
        str x = labels_get(a->labels, name), y = labels_get(b->labels, name);

        if (!str_eq(x, y))
            return goes_before(x, y) ? -1 : 1;
    }
    return label_sets_order(a->labels, b->labels);
}

static int cmp_keys(const void *a, const void *b, void *arg)
{
    const struct eval_labels_sort_key *x = a, *y = b;
    const struct sort_order *o = arg;
    double v = x->s->v, w = y->s->v;
    int c;

    if (o->x == NULL && (isnan(v) || isnan(w)))
        c = isnan(v) - isnan(w);
    else {
        c = o->x != NULL ? cmp_labels(o, x->s, y->s) : (v > w) - (v < w);
        c = o->is_desc ? -c : c;
    }
    return c != 0 ? c : (x->i > y->i) - (x->i < y->i);
}

static bool sort_vector(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                        struct sort_order o, struct promql_vector *out)
{
    struct promql_vector v;
    struct eval_labels_sort_key *keys;
    size_t n = 0;

    if (ev->is_stepped)
        promql_notes_add(&ev->notes, NOTE_SORT, STR_NONE, x->at);
    if (!promql_eval_vector(ev, x->call.args[0], t, &v))
        return false;
    keys = arena_array(ev->a, v.n, sizeof(*keys));
    for (size_t i = 0; i < v.n; i++)
        if (o.x != NULL || v.v[i].h == NULL) {
            keys[n] = (struct eval_labels_sort_key){&v.v[i], n};
            n++;
        }
    if (n > 1)
        qsort_r(keys, n, sizeof(*keys), cmp_keys, &o);
    for (size_t i = 0; i < n; i++)
        promql_push(ev, out, *keys[i].s);
    return true;
}

bool promql_sort(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                 struct promql_vector *out)
{
    return sort_vector(ev, x, t, (struct sort_order){NULL, false}, out);
}

bool promql_sort_desc(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                      struct promql_vector *out)
{
    return sort_vector(ev, x, t, (struct sort_order){NULL, true}, out);
}

bool promql_sort_by_label(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                          struct promql_vector *out)
{
    return sort_vector(ev, x, t, (struct sort_order){x, false}, out);
}

bool promql_sort_by_label_desc(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                               struct promql_vector *out)
{
    return sort_vector(ev, x, t, (struct sort_order){x, true}, out);
}
