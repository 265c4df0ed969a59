/* PUT, POST and DELETE /metrics/job/...: Pushgateway's way in. What it answers is Pushgateway's, too: 200 when a push is
 * taken, 202 for a DELETE, 400 and the reason for a push that is wrong. */
#include "api/api_priv.h"

#include "push/push_path.h"

struct pending {
    struct http_later later; /* when the client has gone, what it has pushed counts */
    bool is_delete;
};

static void push_answer(struct http_req *rq, int status, const char *text)
{
    struct buf b = BUF_INIT;

    if (*text != '\0')
        buf_addf(&b, "%s\n", text);
    http_reply(rq, status, S("text/plain; charset=utf-8"), buf_str(&b));
    buf_release(&b);
}

static void push_pending_free(struct http_later *l)
{
    mem_free(container_of(l, struct pending, later));
}

static int push_status_of(const struct pending *p, enum err_code code)
{
    switch (code) {
    case ERR_NONE: return p->is_delete ? 202 : 200;
    case ERR_LIMIT: return 429;
    case ERR_CONFLICT: return 503;
    default: return 400;
    }
}

static void pushed(void *arg, const struct err *e)
{
    struct pending *p = arg;
    struct http_req *rq = http_later_take(&p->later);

    if (rq != NULL)
        push_answer(rq, push_status_of(p, e->code), e->code != ERR_NONE ? e->msg : "");
    http_later_free(&p->later);
}

/* Like Pushgateway, whatever is not said to be something else is text. */
static bool read_format(const struct http_req *rq, enum push_format *out)
{
    str rest = http_header_get(&rq->headers, S("Content-Type"));
    str type = str_trim(str_cut(&rest, ';'));
    bool delimited = false, families = false;

    *out = PUSH_TEXT;
    if (str_eq_nocase(type, S("application/openmetrics-text")))
        *out = PUSH_OPENMETRICS;
    if (!str_eq_nocase(type, S("application/vnd.google.protobuf")))
        return true;
    *out = PUSH_PROTOBUF;
    while (rest.n != 0) {
        str value = str_cut(&rest, ';'), name = str_trim(str_cut(&value, '='));

        value = str_trim(value);
        if (value.n > 1 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = str_sub(value, 1, value.n - 1);
        delimited |= str_eq_nocase(name, S("encoding")) && str_is(value, "delimited");
        families |=
            str_eq_nocase(name, S("proto")) && str_is(value, "io.prometheus.client.MetricFamily");
    }
    return delimited && families;
}

static void api_push_submit(struct api *a, struct push_request *rq, struct http_req *http)
{
    struct pending *pending = mem_new(struct pending);

    http_later_begin(&pending->later, &a->laters, 0);
    http_later_wait(&pending->later, http);
    pending->later.free = push_pending_free;
    pending->is_delete = rq->method == PUSH_DELETE;
    push_submit(store_push(a->conf.store), rq, pushed, pending);
}

void api_push(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct push_request push = {.body = rq->body};
    const struct push_conf *conf = push_conf(store_push(a->conf.store));
    struct err e = ERR_INIT;

    push.method = rq->method == HTTP_DELETE ? PUSH_DELETE
                  : rq->method == HTTP_PUT  ? PUSH_PUT
                                            : PUSH_POST;
    if (conf == NULL)
        push_answer(rq, 404, "pushes are not taken: the configuration has no \"push\"");
    else if (rq->body.n > (size_t)conf->body_size_limit)
        push_answer(rq, 413, "the body is larger than \"body_size_limit\"");
    else if (!read_format(rq, &push.format))
        push_answer(
            rq, 415,
            "of protobuf only proto=io.prometheus.client.MetricFamily with encoding=delimited "
            "is read");
    else if (!push_path_parse(str_sub(rq->path, 9, rq->path.n), &rq->arena, &push.key, &e))
        push_answer(rq, 400, e.msg);
    else
        api_push_submit(a, &push, rq);
}
