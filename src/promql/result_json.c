#include "promql/result_json.h"

#include "codec/json.h"
#include "model/histogram_walk.h"

/* How a bucket holds its bounds: 0 (lower, upper], 1 [lower, upper), 2 neither, 3 both. */
static int bounds_rule(const struct histogram_bucket *b)
{
    if (b->lower_inclusive)
        return b->upper_inclusive ? 3 : 1;
    return b->upper_inclusive ? 0 : 2;
}

static void result_json_put_histogram(struct json_writer *w, const struct histogram *h)
{
    struct histogram_walk walk;
    struct histogram_bucket b;

    json_open(w, '{');
    json_key(w, S("count"));
    json_put_double_text(w, h->count);
    json_key(w, S("sum"));
    json_put_double_text(w, h->sum);
    json_key(w, S("buckets"));
    json_open(w, '[');
    histogram_walk_up(&walk, h);
    while (histogram_walk_next(&walk, &b)) {
        if (b.count == 0)
            continue;
        json_open(w, '[');
        json_put_i64(w, bounds_rule(&b));
        json_put_double_text(w, b.lower);
        json_put_double_text(w, b.upper);
        json_put_double_text(w, b.count);
        json_close(w, ']');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void put_point(struct json_writer *w, const struct promql_point *p)
{
    json_open(w, '[');
    json_put_seconds_of_ms(w, p->t);
    if (p->h != NULL)
        result_json_put_histogram(w, p->h);
    else
        json_put_double_text(w, p->v);
    json_close(w, ']');
}

/* "values" or "histograms" of a matrix: whichever there are. */
static void put_points(struct json_writer *w, const struct promql_series *s, bool histograms)
{
    bool any = false;

    for (size_t i = 0; i < s->n; i++) {
        if ((s->points[i].h != NULL) != histograms)
            continue;
        if (!any) {
            json_key(w, histograms ? S("histograms") : S("values"));
            json_open(w, '[');
        }
        any = true;
        put_point(w, &s->points[i]);
    }
    if (any)
        json_close(w, ']');
}

static void result_json_put_series(struct json_writer *w, const struct promql_series *s,
                                   bool is_matrix)
{
    json_open(w, '{');
    json_key(w, S("metric"));
    labels_put_json(w, s->labels);
    if (is_matrix) {
        put_points(w, s, false);
        put_points(w, s, true);
    } else {
        json_key(w, s->points[0].h != NULL ? S("histogram") : S("value"));
        put_point(w, &s->points[0]);
    }
    json_close(w, '}');
}

static void result_json_put_string(struct json_writer *w, str text, ts_ms t)
{
    json_open(w, '[');
    json_put_seconds_of_ms(w, t);
    json_put_str(w, text);
    json_close(w, ']');
}

void promql_result_members(struct json_writer *w, const struct promql_result *r, ts_ms t)
{
    json_key(w, S("resultType"));
    json_put_str(w, str_of(promql_type_short(r->type)));
    json_key(w, S("result"));
    if (r->type == PROMQL_T_SCALAR)
        put_point(w, &r->series[0].points[0]);
    else if (r->type == PROMQL_T_STRING)
        result_json_put_string(w, r->text, t);
    else {
        json_open(w, '[');
        for (size_t i = 0; i < r->n; i++)
            result_json_put_series(w, &r->series[i], r->type == PROMQL_T_MATRIX);
        json_close(w, ']');
    }
}

void promql_result_json(struct json_writer *w, const struct promql_result *r, ts_ms t)
{
    json_open(w, '{');
    promql_result_members(w, r, t);
    json_close(w, '}');
}
