#include "cli/query_remote.h"

#include <stdio.h>
#include "cli/client.h"
#include "cli/say.h"
#include "codec/escape.h"
#include "codec/float.h"
#include "codec/json.h"
#include "model/labels.h"

/* -- reading -- */

struct reader {
    struct json_reader j;
    struct arena *a;
};

static bool query_remote_read_value(struct reader *r, double *out)
{
    str text;

    return json_string(&r->j, &text) &&
           (float_parse(text, out, NULL) || json_fail(&r->j, "a value is not a number"));
}

/* [time, "value"] */
static void query_remote_read_point(struct reader *r, struct promql_point *out)
{
    double seconds = 0;

    if (json_array_begin(&r->j) && json_array_next(&r->j) && json_double(&r->j, &seconds) &&
        json_array_next(&r->j) && query_remote_read_value(r, &out->v) && json_array_next(&r->j))
        json_fail(&r->j, "a point has more than two parts");
    out->t = (ts_ms)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
}

static void query_remote_read_labels(struct reader *r, struct labels *out)
{
    VEC(struct label) v = VEC_INIT;
    struct label *own;
    str key, dup;

    for (json_object_begin(&r->j); json_object_next(&r->j, &key);) {
        struct label l = {key, STR_NONE};

        if (json_string(&r->j, &l.value))
            vec_push(&v, l);
    }
    own = arena_array(r->a, v.n + 1, sizeof(*own));
    if (v.n != 0)
        memcpy(own, v.v, v.n * sizeof(*own));
    v.n = labels_sort_last(own, v.n);
    *out = (struct labels){own, labels_sort(own, v.n, &dup)};
    vec_release(&v);
}

static void read_points(struct reader *r, bool is_list, struct promql_series *out)
{
    VEC(struct promql_point) v = VEC_INIT;
    struct promql_point p = {.h = NULL};

    if (!is_list) {
        query_remote_read_point(r, &p);
        vec_push(&v, p);
    } else
        for (json_array_begin(&r->j); json_array_next(&r->j);) {
            query_remote_read_point(r, &p);
            vec_push(&v, p);
        }
    out->n = v.n;
    out->points = arena_array(r->a, v.n + 1, sizeof(*out->points));
    if (v.n != 0)
        memcpy(out->points, v.v, v.n * sizeof(*out->points));
    vec_release(&v);
}

/* Native histograms are left out: the table has one number a point. */
static void query_remote_read_series(struct reader *r, struct promql_series *out)
{
    str key;

    for (json_object_begin(&r->j); json_object_next(&r->j, &key);) {
        if (str_is(key, "metric"))
            query_remote_read_labels(r, &out->labels);
        else if (str_is(key, "value") || str_is(key, "values"))
            read_points(r, str_is(key, "values"), out);
        else
            json_skip(&r->j);
    }
}

static void read_all_series(struct reader *r, struct promql_result *out)
{
    VEC(struct promql_series) v = VEC_INIT;

    for (json_array_begin(&r->j); json_array_next(&r->j);) {
        struct promql_series s = {.n = 0};

        query_remote_read_series(r, &s);
        if (s.n != 0)
            vec_push(&v, s);
    }
    out->n = v.n;
    out->series = arena_array(r->a, v.n + 1, sizeof(*out->series));
    if (v.n != 0)
        memcpy(out->series, v.v, v.n * sizeof(*out->series));
    vec_release(&v);
}

static void read_string(struct reader *r, str *out)
{
    double seconds;

    if (json_array_begin(&r->j) && json_array_next(&r->j) && json_double(&r->j, &seconds) &&
        json_array_next(&r->j) && json_string(&r->j, out) && json_array_next(&r->j))
        json_fail(&r->j, "a string has more than two parts");
}

static bool set_type(str name, struct promql_result *out)
{
    for (int t = PROMQL_T_SCALAR; t <= PROMQL_T_STRING; t++)
        if (str_is(name, promql_type_short((enum promql_type)t))) {
            out->type = (enum promql_type)t;
            return true;
        }
    return false;
}

/* Prometheus writes resultType before result. */
static void query_remote_read_data(struct reader *r, struct promql_result *out)
{
    str key, type = STR_NONE;

    for (json_object_begin(&r->j); json_object_next(&r->j, &key);) {
        if (str_is(key, "resultType")) {
            if (json_string(&r->j, &type) && !set_type(type, out))
                json_fail(&r->j, "unknown type of result");
        } else if (!str_is(key, "result"))
            json_skip(&r->j);
        else if (type.n == 0)
            json_fail(&r->j, "a result without its type");
        else if (out->type == PROMQL_T_STRING)
            read_string(r, &out->text);
        else if (out->type == PROMQL_T_SCALAR) {
            out->series = arena_new(r->a, struct promql_series);
            out->n = 1;
            read_points(r, false, out->series);
        } else
            read_all_series(r, out);
    }
}

static void query_remote_read_notes(struct reader *r, str **notes, size_t *n)
{
    VEC(str) v = VEC_INIT;
    str text;

    for (json_array_begin(&r->j); json_array_next(&r->j);)
        if (json_string(&r->j, &text))
            vec_push(&v, text);
    *n = v.n;
    *notes = arena_array(r->a, v.n + 1, sizeof(str));
    if (v.n != 0)
        memcpy(*notes, v.v, v.n * sizeof(str));
    vec_release(&v);
}

static bool query_remote_read_answer(str body, struct arena *a, struct promql_result *out,
                                     struct err *e)
{
    struct reader r = {.a = a};
    str key;

    *out = (struct promql_result){.type = PROMQL_T_VECTOR};
    json_reader_init(&r.j, body, a, 64);
    for (json_object_begin(&r.j); json_object_next(&r.j, &key);) {
        if (str_is(key, "data"))
            query_remote_read_data(&r, out);
        else if (str_is(key, "warnings"))
            query_remote_read_notes(&r, &out->warnings, &out->n_warnings);
        else if (str_is(key, "infos"))
            query_remote_read_notes(&r, &out->infos, &out->n_infos);
        else
            json_skip(&r.j);
    }
    if (json_end(&r.j))
        return true;
    *e = r.j.err;
    return err_wrap(e, "the answer is not Prometheus'");
}

/* -- asking -- */

static void query_remote_add_time(struct buf *out, const char *name, ts_ms t)
{
    buf_addf(out, "&%s=%.3f", name, (double)t / 1000);
}

int query_remote(const struct query_flags *f, str expr, const struct query_times *t,
                 struct arena *a, struct promql_result *out)
{
    struct buf path = BUF_INIT, body = BUF_INIT;
    struct err e = ERR_INIT;
    int code;

    buf_addf(&path, "/api/v1/%s?query=", t->is_range ? "query_range" : "query");
    escape_percent(&path, expr);
    if (t->is_range) {
        query_remote_add_time(&path, "start", t->start);
        query_remote_add_time(&path, "end", t->end);
        query_remote_add_time(&path, "step", t->step);
    } else
        query_remote_add_time(&path, "time", t->start);
    code = client_call(&f->client, "GET", buf_z(&path), STR_NONE, &body);
    if (code == EXIT_OK && !query_remote_read_answer(arena_str(a, buf_str(&body)), a, out, &e)) {
        say(stderr, "tocsin: %s\n", e.msg);
        code = EXIT_FAILED;
    }
    buf_release(&path);
    buf_release(&body);
    return code;
}
