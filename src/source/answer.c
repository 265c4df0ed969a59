/* The body is pulled through once: data into samples in the arena, warnings and infos into notes, an error into a
 * class; last comes what a partial answer means (design.md 4 "partial answers"). */
#include "source/answer.h"

#include "base/buf.h"
#include "codec/float.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "model/labels.h"

enum { SAMPLES_MAX = 1000000 };

/* -- notes -- */

static str answer_note(str **v, size_t *n, struct arena *a, str text)
{
    text = arena_str(a, utf8_cut(text, ANSWER_NOTE_LENGTH_MAX));
    if (*v == NULL)
        *v = arena_array(a, ANSWER_NOTES_MAX, sizeof(**v));
    if (*n < ANSWER_NOTES_MAX)
        (*v)[(*n)++] = text;
    return text;
}

/* What is about the expression, or about a limit of the question, says nothing of the samples that are there. */
static bool is_about_samples(str warning)
{
    return !str_starts_with(warning, S("PromQL warning:")) &&
           !str_starts_with(warning, S("PromQL info:")) &&
           !str_starts_with(warning, S("results truncated due to limit"));
}

void answer_warn(struct answer_notes *n, struct arena *a, str text)
{
    text = answer_note(&n->warnings, &n->n_warnings, a, text);
    if (n->partial.n == 0 && is_about_samples(text))
        n->partial = text;
}

void answer_inform(struct answer_notes *n, struct arena *a, str text)
{
    (void)answer_note(&n->infos, &n->n_infos, a, text);
}

static void answer_judge(struct answer_notes *n, struct arena *a, bool is_partial, size_t valueless)
{
    if (n->partial.n == 0 && valueless != 0)
        n->partial = arena_printf(a, "samples without a value: %zu", valueless);
    if (n->partial.n == 0 && is_partial)
        n->partial = S("the source says that its answer is partial");
}

static struct labels read_metric(struct json_reader *r, struct arena *a)
{
    struct label first[64], *v = first;
    size_t n = 0, cap = ARRAY_LEN(first);
    struct label *copy;
    str key, dup;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (n == cap) {
            struct label *more = arena_array(a, cap * 2, sizeof(*more));

            memcpy(more, v, n * sizeof(*v));
            v = more;
            cap *= 2;
        }
        if (key.n == 0) {
            json_fail(r, "a label has no name");
            break;
        }
        v[n].name = key;
        if (!json_string(r, &v[n].value))
            break;
        n++;
    }
    copy = arena_array(a, n, sizeof(*copy));
    if (n != 0)
        memcpy(copy, v, n * sizeof(*copy));
    n = labels_sort_last(copy, n); /* of two the last counts */
    return (struct labels){copy, labels_sort(copy, n, &dup)};
}

static bool read_float_text(struct json_reader *r, double *out)
{
    struct err e = ERR_INIT;
    str text;

    if (!json_string(r, &text))
        return false;
    return float_parse(text, out, &e) || json_fail(r, "'%.*s' is not a number", STR(text));
}

/* Seconds with a fraction, as milliseconds; what no time can be becomes the nearest one. */
static ts_ms to_ms(double t)
{
    double ms = t * 1000 + (t < 0 ? -0.5 : 0.5);

    if (!(ms > -9e18))
        return INT64_MIN;
    return ms < 9e18 ? (ts_ms)ms : INT64_MAX;
}

/* [time, "value"] */
static bool answer_read_point(struct json_reader *r, struct sample *s)
{
    double t;

    if (!json_array_begin(r) || !json_array_next(r) || !json_double(r, &t) || !json_array_next(r) ||
        !read_float_text(r, &s->value))
        return json_fail(r, "a value is not [time, \"number\"]");
    s->t = to_ms(t);
    return !json_array_next(r) && !r->failed;
}

/* [time, {"count": "5", "sum": "1.5", "buckets": [...]}]: its sum stands for it where one number is wanted. */
static bool read_histogram(struct json_reader *r, struct sample *s)
{
    double t;
    str key;

    s->is_histogram = true;
    if (!json_array_begin(r) || !json_array_next(r) || !json_double(r, &t) || !json_array_next(r))
        return json_fail(r, "a histogram is not [time, object]");
    s->t = to_ms(t);
    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "sum") ? !read_float_text(r, &s->value) : !json_skip(r))
            return false;
    }
    return !json_array_next(r) && !r->failed;
}

static bool read_vector(struct json_reader *r, struct arena *a, struct samples *out,
                        size_t *valueless)
{
    size_t cap = 0;
    str key;

    for (json_array_begin(r); json_array_next(r);) {
        struct sample s = {0};
        bool has_value = false;

        for (json_object_begin(r); json_object_next(r, &key);) {
            if (str_is(key, "metric"))
                s.labels = read_metric(r, a);
            else if (str_is(key, "value"))
                has_value = answer_read_point(r, &s);
            else if (str_is(key, "histogram"))
                has_value = read_histogram(r, &s);
            else
                json_skip(r);
        }
        if (r->failed)
            return false;
        if (!has_value) {
            ++*valueless;
            continue;
        }
        if (out->n == SAMPLES_MAX)
            return json_fail(r, "more than %d samples", SAMPLES_MAX);
        if (out->n == cap) {
            struct sample *more = arena_array(a, cap != 0 ? cap * 2 : 16, sizeof(*more));

            if (out->n != 0)
                memcpy(more, out->v, out->n * sizeof(*more));
            out->v = more;
            cap = cap != 0 ? cap * 2 : 16;
        }
        out->v[out->n++] = s;
    }
    return !r->failed;
}

struct answer_parsed {
    str type, result, status, error;
    bool is_partial;
    struct answer_notes notes;
};

/* Texts; what stands there in another form is no note. */
static void answer_read_notes(struct json_reader *r, struct arena *a, struct answer_notes *n,
                              void (*add)(struct answer_notes *n, struct arena *a, str text))
{
    str text;

    if (json_peek(r) != JSON_ARRAY) {
        json_skip(r);
        return;
    }
    for (json_array_begin(r); json_array_next(r);) {
        if (json_peek(r) == JSON_STRING && json_string(r, &text))
            add(n, a, text);
        else
            json_skip(r);
    }
}

/* The result may stand before its type, so it is noted as written first. */
static void answer_read_data(struct json_reader *r, struct answer_parsed *p)
{
    str key;

    if (json_peek(r) != JSON_OBJECT) {
        json_skip(r);
        return;
    }
    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "resultType"))
            json_string(r, &p->type);
        else if (str_is(key, "result"))
            json_raw(r, &p->result);
        else
            json_skip(r);
    }
}

static bool read_envelope(str body, struct arena *a, struct answer_parsed *p, struct err *e)
{
    struct json_reader r;
    str key;

    json_reader_init(&r, body, a, 64);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (str_is(key, "status"))
            json_string(&r, &p->status);
        else if (str_is(key, "error"))
            json_string(&r, &p->error);
        else if (str_is(key, "data"))
            answer_read_data(&r, p);
        else if (str_is(key, "warnings"))
            answer_read_notes(&r, a, &p->notes, answer_warn);
        else if (str_is(key, "infos"))
            answer_read_notes(&r, a, &p->notes, answer_inform);
        else if (str_is(key, "isPartial") && json_peek(&r) == JSON_BOOL)
            json_bool(&r, &p->is_partial);
        else
            json_skip(&r);
    }
    if (json_end(&r))
        return true;
    return err_set(e, ERR_INVALID, "the answer is not JSON: line %d, column %d: %s", r.err.line,
                   r.err.col, r.err.msg);
}

bool prom_answer_parse(str body, struct arena *a, struct samples *out, struct answer_notes *notes,
                       struct err *e)
{
    struct samples s = {0};
    size_t valueless = 0;
    struct answer_parsed p = {0};
    struct json_reader r;

    if (!read_envelope(body, a, &p, e))
        return false;
    if (!str_is(p.status, "success"))
        return err_set(e, ERR_INVALID, "the source answered '%.*s'",
                       STR(p.error.n != 0 ? p.error : p.status));
    json_reader_init(&r, p.result, a, 64);
    if (str_is(p.type, "vector")) {
        read_vector(&r, a, &s, &valueless);
    } else if (str_is(p.type, "scalar")) {
        s.v = arena_new(a, struct sample);
        s.n = 1;
        answer_read_point(&r, s.v);
    } else {
        return err_set(e, ERR_INVALID, "rule result is not a vector or scalar");
    }
    if (!json_end(&r))
        return err_set(e, ERR_INVALID, "the answer's result: %s", r.err.msg);
    *out = s;
    answer_judge(&p.notes, a, p.is_partial, valueless);
    if (notes != NULL)
        *notes = p.notes;
    return true;
}

/* What Prometheus itself says of a rule's expression does not name the parameter that only we sent. */
static str without_parameter(str error)
{
    static const str prefix = S_INIT("invalid parameter \"query\": ");

    return str_sub(error, str_starts_with(error, prefix) ? prefix.n : 0, error.n);
}

enum source_error prom_answer_error(int status, str body, struct err *e)
{
    struct arena a;
    struct answer_parsed p = {0};
    enum source_error kind = status == 400                                     ? SOURCE_BAD_DATA
                             : status == 422                                   ? SOURCE_EXECUTION
                             : status == 429                                   ? SOURCE_THROTTLED
                             : status == 503 || status == 504 || status == 499 ? SOURCE_TIMEOUT
                                                                               : SOURCE_DOWN;

    arena_init(&a, 1 << 20);
    if (body.n < 65536 && read_envelope(body, &a, &p, NULL) && p.error.n != 0)
        err_set(e, ERR_INVALID, "%.*s", STR(without_parameter(p.error)));
    else
        err_set(e, ERR_IO, "status %d, and the body is not an answer of Prometheus", status);
    /* a proxy's own 400 or 422 says nothing about the rule */
    if (p.error.n == 0 && (kind == SOURCE_BAD_DATA || kind == SOURCE_EXECUTION))
        kind = SOURCE_DOWN;
    arena_release(&a);
    return kind;
}
