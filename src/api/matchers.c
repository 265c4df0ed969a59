/* GET /api/tocsin/matchers?text=: the one parser of matchers, for whoever has a text that somebody typed. */
#include "api/api_priv.h"
#include "codec/json.h"

/* A line is a list with or without braces, so one matcher a line and several on one are the same. */
void api_get_matchers(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    str text = api_param(rq, S("text"));
    struct buf b = BUF_INIT;
    struct json_writer w;
    struct err e = ERR_INIT;
    bool ok = true;

    json_writer_init(&w, &b, true);
    json_open(&w, '[');
    for (int line = 1; ok && text.n != 0; line++) {
        str one = str_trim(str_cut(&text, '\n')), warning;
        struct matchers ms = {0};

        if (one.n == 0)
            continue;
        ok = matchers_parse(one, a->engine->mode, &rq->arena, &ms, &warning, &e) ||
             err_wrap(&e, "line %d", line);
        for (size_t i = 0; i < ms.n; i++)
            matcher_put_json(&w, &ms.v[i]);
        matchers_release(&ms);
    }
    json_close(&w, ']');
    if (ok)
        api_json(rq, 200, buf_str(&b));
    else
        api_fail(rq, 400, str_of(e.msg));
    buf_release(&b);
}
