/* Functions of histograms: native ones are samples, classic ones are series that differ in le only. */
#include "promql/eval.h"

#include <math.h>
#include "base/vec.h"
#include "codec/float.h"
#include "model/histogram_stats.h"
#include "promql/kernel_buckets.h"

/* -- one number of each native histogram; floats have none -- */

static bool of_each(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                    double (*f)(const struct histogram *h), struct promql_vector *out)
{
    const str name = S("__name__");
    struct promql_vector v;

    if (!promql_eval_vector(ev, x->call.args[0], t, &v))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        struct promql_sample s = {.v = 0, .labels = v.v[i].labels, .drops_name = true};

        if (v.v[i].h == NULL)
            continue;
        s.v = f(v.v[i].h);
        if (!ev->set.delayed_names) { /* Prometheus leaves type and unit then */
            s.labels = labels_without(ev->a, s.labels, &name, 1);
            s.drops_name = false;
        }
        promql_push(ev, out, s);
    }
    return true;
}

static double eval_histogram_count_of(const struct histogram *h)
{
    return h->count;
}

static double eval_histogram_sum_of(const struct histogram *h)
{
    return h->sum;
}

static double deviation_of(const struct histogram *h)
{
    return sqrt(histogram_variance(h));
}

bool promql_histogram_count(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                            struct promql_vector *out)
{
    return of_each(ev, x, t, eval_histogram_count_of, out);
}

bool promql_histogram_sum(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                          struct promql_vector *out)
{
    return of_each(ev, x, t, eval_histogram_sum_of, out);
}

bool promql_histogram_avg(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                          struct promql_vector *out)
{
    return of_each(ev, x, t, histogram_mean, out);
}

bool promql_histogram_stddev(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                             struct promql_vector *out)
{
    return of_each(ev, x, t, deviation_of, out);
}

bool promql_histogram_stdvar(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                             struct promql_vector *out)
{
    return of_each(ev, x, t, histogram_variance, out);
}

/* -- sorting out a vector: classic histograms by their labels without le, and native ones -- */

struct classic {
    struct labels labels;
    VEC(struct promql_bucket) buckets;
    bool is_mixed; /* a native histogram has the same labels */
};

struct sorted_out {
    struct label_sets by_labels;
    VEC(struct classic) classic;
    VEC(const struct promql_sample *) native;
};

static void add_bucket(struct promql_eval *ev, const struct promql_sample *s, uint32_t at,
                       struct sorted_out *out)
{
    str le = labels_get(s->labels, S("le")), name = S("le");
    struct labels key;
    double upper;
    uint32_t k;
    bool is_new;

    if (!float_parse(le, &upper, NULL)) {
        str metric = ev->set.delayed_names ? promql_metric(s->labels) : STR_NONE;

        promql_note(&ev->notes, true, at,
                    "bucket label \"le\" is missing or has a malformed value of \"%.*s\"%s%.*s%s",
                    STR(le), metric.n != 0 ? " for metric name \"" : "", STR(metric),
                    metric.n != 0 ? "\"" : "");
        return;
    }
    key = labels_without(ev->a, s->labels, &name, 1);
    k = *label_sets_add(&out->by_labels, key, (uint32_t)out->classic.n, &is_new);
    if (is_new)
        vec_push(&out->classic, (struct classic){.labels = key});
    assume(out->classic.v != NULL);
    vec_push(&out->classic.v[k].buckets, (struct promql_bucket){upper, s->v});
}

/* A native histogram beside a classic one of the same labels: neither counts. */
static void sort_out(struct promql_eval *ev, const struct promql_vector *v, uint32_t at,
                     struct sorted_out *out)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->v[i].h == NULL)
            add_bucket(ev, &v->v[i], at, out);
    for (size_t i = 0; i < v->n; i++) {
        uint32_t *k = v->v[i].h != NULL ? label_sets_get(&out->by_labels, v->v[i].labels) : NULL;

        if (k != NULL) {
            assume(out->classic.v != NULL);
            out->classic.v[*k].is_mixed = true;
            promql_notes_add(&ev->notes, NOTE_MIXED_CLASSIC,
                             ev->set.delayed_names ? promql_metric(v->v[i].labels) : STR_NONE, at);
        } else if (v->v[i].h != NULL)
            vec_push(&out->native, &v->v[i]);
    }
}

static void sorted_out_release(struct sorted_out *s)
{
    for (size_t i = 0; i < s->classic.n; i++)
        vec_release(&s->classic.v[i].buckets);
    vec_release(&s->classic);
    vec_release(&s->native);
    label_sets_release(&s->by_labels);
}

/* -- quantiles -- */

struct quantiles {
    struct promql_eval *ev;
    ts_ms t;
    uint32_t at; /* of the vector */
    str label;   /* that gets the quantile; empty: none */
};

static void note_levelled(const struct quantiles *qs, struct labels ls,
                          const struct promql_levelled *l)
{
    struct promql_extent x = {l->from, l->to, l->most, 1, qs->t, qs->t};

    promql_note_levelled(&qs->ev->notes, x,
                         qs->ev->set.delayed_names ? promql_metric(ls) : STR_NONE, qs->at);
}

static struct labels with_quantile(const struct quantiles *qs, struct labels ls, double q)
{
    struct label *l;
    struct buf b = BUF_INIT;

    if (qs->label.n == 0)
        return ls;
    l = arena_new(qs->ev->a, struct label);
    float_print_g(&b, q);
    if (isfinite(q) && str_find(buf_str(&b), '.') < 0 && str_find(buf_str(&b), 'e') < 0)
        buf_adds(&b, ".0");
    *l = (struct label){qs->label, arena_str(qs->ev->a, buf_str(&b))};
    buf_release(&b);
    return labels_merge(qs->ev->a, ls, (struct labels){l, 1});
}

static void native_quantile(const struct quantiles *qs, const struct promql_sample *s, double q,
                            struct promql_vector *out)
{
    struct promql_eval *ev = qs->ev;
    enum histogram_nan nan;
    double v = histogram_quantile(s->h, q, &nan);

    if (nan != HISTOGRAM_NAN_NONE)
        promql_notes_add(&ev->notes,
                         nan == HISTOGRAM_NAN_RESULT ? NOTE_QUANTILE_NAN : NOTE_QUANTILE_SKEWED,
                         ev->set.delayed_names ? promql_metric(s->labels) : STR_NONE, qs->at);
    promql_push(ev, out,
                (struct promql_sample){
                    .labels = with_quantile(qs, s->labels, q), .v = v, .drops_name = true});
}

static void classic_quantile(const struct quantiles *qs, const struct classic *c, double q,
                             struct promql_vector *out)
{
    struct promql_buckets b = {arena_array(qs->ev->a, c->buckets.n, sizeof(*b.v)), c->buckets.n};
    struct promql_levelled levelled;
    double v;

    memcpy(b.v, c->buckets.v, b.n * sizeof(*b.v));
    v = promql_bucket_quantile(q, &b, &levelled);
    if (levelled.any)
        note_levelled(qs, c->labels, &levelled);
    promql_push(qs->ev, out,
                (struct promql_sample){
                    .labels = with_quantile(qs, c->labels, q), .v = v, .drops_name = true});
}

static void push_quantiles(const struct quantiles *qs, const struct sorted_out *s, double q,
                           uint32_t q_at, struct promql_vector *out)
{
    if (!(q >= 0 && q <= 1))
        promql_note_quantile(&qs->ev->notes, q, q_at);
    for (size_t i = 0; i < s->native.n; i++)
        native_quantile(qs, s->native.v[i], q, out);
    for (size_t i = 0; i < s->classic.n; i++)
        if (!s->classic.v[i].is_mixed)
            classic_quantile(qs, &s->classic.v[i], q, out);
}

bool promql_histogram_quantile(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                               struct promql_vector *out)
{
    struct quantiles qs = {ev, t, promql_place_of(x->call.args[1]), STR_NONE};
    struct sorted_out s = {.classic = VEC_INIT};
    struct promql_vector v;
    double q;

    if (!promql_eval_scalar(ev, x->call.args[0], t, &q) ||
        !promql_eval_vector(ev, x->call.args[1], t, &v))
        return false;
    sort_out(ev, &v, qs.at, &s);
    push_quantiles(&qs, &s, q, promql_place_of(x->call.args[0]), out);
    sorted_out_release(&s);
    return true;
}

bool promql_histogram_quantiles(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                                struct promql_vector *out)
{
    struct quantiles qs = {ev, t, promql_place_of(x->call.args[0]),
                           promql_unwrap(x->call.args[1])->text};
    struct sorted_out s = {.classic = VEC_INIT};
    struct promql_vector v;
    bool ok = true;

    if (!label_name_is_utf8(qs.label))
        return promql_fail_eval(ev, "invalid label name in histogram_quantiles(): %.*s",
                                STR(qs.label));
    if (!promql_eval_vector(ev, x->call.args[0], t, &v))
        return false;
    sort_out(ev, &v, qs.at, &s);
    for (size_t i = 2; ok && i < x->call.n_args; i++) {
        double q;

        ok = promql_eval_scalar(ev, x->call.args[i], t, &q);
        if (ok)
            push_quantiles(&qs, &s, q, promql_place_of(x->call.args[i]), out);
    }
    sorted_out_release(&s);
    return ok;
}

/* -- fractions -- */

static void push_fractions(struct promql_eval *ev, const struct sorted_out *s, double lower,
                           double upper, uint32_t at, struct promql_vector *out)
{
    for (size_t i = 0; i < s->native.n; i++) {
        struct labels ls = s->native.v[i]->labels;
        enum histogram_nan nan;
        double v = histogram_fraction(s->native.v[i]->h, lower, upper, &nan);

        if (nan != HISTOGRAM_NAN_NONE)
            promql_notes_add(&ev->notes, NOTE_FRACTION_NAN,
                             ev->set.delayed_names ? promql_metric(ls) : STR_NONE, at);
        promql_push(ev, out, (struct promql_sample){.labels = ls, .v = v, .drops_name = true});
    }
    for (size_t i = 0; i < s->classic.n; i++) {
        const struct classic *c = &s->classic.v[i];
        struct promql_buckets b = {c->buckets.v, c->buckets.n};

        if (!c->is_mixed)
            promql_push(ev, out,
                        (struct promql_sample){.labels = c->labels,
                                               .v = promql_bucket_fraction(lower, upper, &b),
                                               .drops_name = true});
    }
}

bool promql_histogram_fraction(struct promql_eval *ev, const struct promql_expr *x, ts_ms t,
                               struct promql_vector *out)
{
    uint32_t at = promql_place_of(x->call.args[2]);
    struct sorted_out s = {.classic = VEC_INIT};
    struct promql_vector v;
    double lower, upper;

    if (!promql_eval_scalar(ev, x->call.args[0], t, &lower) ||
        !promql_eval_scalar(ev, x->call.args[1], t, &upper) ||
        !promql_eval_vector(ev, x->call.args[2], t, &v))
        return false;
    sort_out(ev, &v, at, &s);
    push_fractions(ev, &s, lower, upper, at, out);
    sorted_out_release(&s);
    return true;
}
