#include "api/prom.h"

#include <math.h>
#include <stdarg.h>
#include "codec/duration.h"
#include "codec/float.h"
#include "codec/timefmt.h"

void prom_fail(struct http_req *rq, enum prom_error type, const char *fmt, ...)
{
    static const struct {
        const char *name;
        int status;
    } types[] = {[PROM_BAD_DATA] = {"bad_data", 400},   [PROM_EXECUTION] = {"execution", 422},
                 [PROM_TIMEOUT] = {"timeout", 503},     [PROM_CANCELED] = {"canceled", 503},
                 [PROM_NOT_FOUND] = {"not_found", 404}, [PROM_UNAVAILABLE] = {"unavailable", 503}};
    struct buf b = BUF_INIT, text = BUF_INIT;
    struct json_writer w;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_key(&w, S("status"));
    json_put_str(&w, S("error"));
    json_key(&w, S("errorType"));
    json_put_str(&w, str_of(types[type].name));
    json_key(&w, S("error"));
    json_put_str(&w, buf_str(&text));
    json_close(&w, '}');
    api_json(rq, types[type].status, buf_str(&b));
    buf_release(&b);
    buf_release(&text);
}

void prom_answer(struct http_req *rq, str data)
{
    struct buf b = BUF_INIT;

    buf_addf(&b, "{\"status\":\"success\",\"data\":%.*s}", STR(data));
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}

struct prom_params prom_params(struct http_req *rq)
{
    struct prom_params p = {.n_form = 0};
    str type = http_header_get(&rq->headers, S("Content-Type"));

    p.n_url = http_params(&rq->arena, rq->query, &p.url);
    if (str_starts_with(type, S("application/x-www-form-urlencoded")))
        p.n_form = http_params(&rq->arena, rq->body, &p.form);
    return p;
}

str prom_param(const struct prom_params *p, const char *name)
{
    for (size_t i = 0; i < p->n_form; i++)
        if (str_is(p->form[i].name, name))
            return p->form[i].value;
    for (size_t i = 0; i < p->n_url; i++)
        if (str_is(p->url[i].name, name))
            return p->url[i].value;
    return STR_NONE;
}

size_t prom_param_list(const struct prom_params *p, const char *name, struct arena *a, str **out)
{
    str *v = arena_array(a, p->n_form + p->n_url, sizeof(*v));
    size_t n = 0;

    for (size_t i = 0; i < p->n_form; i++)
        if (str_is(p->form[i].name, name))
            v[n++] = p->form[i].value;
    for (size_t i = 0; i < p->n_url; i++)
        if (str_is(p->url[i].name, name))
            v[n++] = p->url[i].value;
    *out = v;
    return n;
}

/* The most that a time and a duration may be: 64 bits of milliseconds, and of nanoseconds as there. */
#define TIME_MAX_S     9.2e15
#define DURATION_MAX_S 9.2e9

static bool prom_seconds(str text, double most, ts_ms *out)
{
    struct err e = ERR_INIT;
    double v;

    if (!float_parse(text, &v, &e) || !isfinite(v) || fabs(v) > most)
        return false;
    *out = (ts_ms)llround(v * 1000);
    return true;
}

bool prom_time(str text, ts_ms *out)
{
    struct err e = ERR_INIT;
    ts_ns t;

    if (prom_seconds(text, TIME_MAX_S, out))
        return true;
    if (!rfc3339_parse(text, &t, &e))
        return false;
    *out = t / NS_PER_MS;
    return true;
}

bool prom_duration(str text, ts_ms *out)
{
    struct err e = ERR_INIT;
    dur_ns d;

    if (prom_seconds(text, DURATION_MAX_S, out))
        return true;
    if (!duration_parse(text, &d, &e))
        return false;
    *out = d / NS_PER_MS;
    return true;
}

void prom_buildinfo(struct http_req *rq, void *arg)
{
    (void)arg;
    prom_answer(rq,
                S("{\"version\":\"3.14.0\",\"revision\":\"tocsin-" TOCSIN_VERSION
                  "\",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\",\"goVersion\":\"\"}"));
}

void prom_runtimeinfo(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_key(&w, S("startTime"));
    json_put_rfc3339_ms(&w, a->started);
    json_key(&w, S("reloadConfigSuccess"));
    json_put_bool(&w, a->reload_ok);
    json_key(&w, S("lastConfigTime"));
    json_put_rfc3339_ms(&w, a->reload_at);
    json_close(&w, '}');
    prom_answer(rq, buf_str(&b));
    buf_release(&b);
}

static void put_flag(void *arg, str name, str value)
{
    struct json_writer *w = arg;

    json_key(w, name);
    json_put_str(w, value);
}

void prom_flags(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    a->conf.each_flag(a->conf.arg, put_flag, &w);
    json_close(&w, '}');
    prom_answer(rq, buf_str(&b));
    buf_release(&b);
}

void prom_config(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    struct buf b = BUF_INIT;

    buf_adds(&b, "{\"yaml\":");
    quote_json(&b, config_of(a->engine->conf)->original, false);
    buf_addc(&b, '}');
    prom_answer(rq, buf_str(&b));
    buf_release(&b);
}
