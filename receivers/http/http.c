/* http.c - any service that takes a request: its method, address, headers and body are written in the configuration, and so is
 * what the answer to a taken message looks like.
 *
 * What labels bring stays where it was put: in a header and in the address a control character does nothing, form and JSON are
 * encoded. In an address a label is escaped by the template: {{ urlquery .CommonLabels.x }}.
 */
#include "tocsin/buf.h"
#include "tocsin/json.h"
#include "tocsin/receiver.h"

/* A text of the answer's JSON. */
struct http_answer_member {
    str path;
    struct conf_strings equals;
};

/* What an answer looks like. */
struct http_look {
    struct conf_strings status;
    struct http_answer_member *json; /* NULL: whatever */
    str matches, contains;
};

struct http_receiver_conf {
    struct secret url; /* may be a template */
    str method, body, content_type;
    struct conf_map headers, form;
    struct conf_value *json;
    struct http_look success, retry;
    int64_t max_bytes;
    dur_ns timeout;
};

/* -- the keys -- */

static void http_check_member(struct conf_check *c, void *obj)
{
    const struct http_answer_member *m = obj;
    str rest = m->path;

    while (rest.p != NULL)
        if (str_cut(&rest, '.').n == 0) {
            conf_error(c, "path", "members are parted by dots: data.code");
            break;
        }
    if (m->equals.n == 0)
        conf_error(c, "equals", "one value at least is needed");
}

/* "404" or "4xx". */
static bool http_is_status(str s)
{
    return s.n == 3 && s.p[0] >= '1' && s.p[0] <= '5' &&
           ((char_is_digit(s.p[1]) && char_is_digit(s.p[2])) || (s.p[1] == 'x' && s.p[2] == 'x'));
}

static void http_check_look(struct conf_check *c, void *obj)
{
    const struct http_look *k = obj;

    for (size_t i = 0; i < k->status.n; i++)
        if (!http_is_status(k->status.v[i]))
            conf_error(c, "status", "\"%.*s\" is no status: 404, or 4xx for all of them",
                       STR(k->status.v[i]));
    if (k->matches.n != 0 && k->contains.n != 0)
        conf_error(c, NULL, "at most one of \"matches\" and \"contains\" may be set");
    conf_check_regex(c, "matches", k->matches);
}

static const struct conf_key member_keys[] = {
    CONF_KEY(struct http_answer_member, path, CONF_STRING, "a member, or a way: data.code",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct http_answer_member, equals, CONF_STRINGS, "one of these",
             .flags = CONF_ONE_OR_LIST),
    CONF_KEYS_END,
};
static const struct conf_type member_type = {.name = "http_answer_member",
                                             .keys = member_keys,
                                             .size = sizeof(struct http_answer_member),
                                             .check = http_check_member};

#define LOOK_KEYS(status_doc)                                                                      \
    CONF_KEY(struct http_look, status, CONF_STRINGS, status_doc, .flags = CONF_ONE_OR_LIST),       \
        CONF_KEY(struct http_look, json, CONF_STRUCT_PTR, "a member of the body's JSON",           \
                 .sub = &member_type),                                                             \
        CONF_KEY(struct http_look, matches, CONF_STRING, "a regular expression for the body"),     \
        CONF_KEY(struct http_look, contains, CONF_STRING, "a text in the body"), CONF_KEYS_END

static const struct conf_key success_keys[] = {LOOK_KEYS("200, or 2xx for all of them; 2xx")};
static const struct conf_type success_type = {.name = "http_success",
                                              .doc = "A taken message: all of it.",
                                              .keys = success_keys,
                                              .size = sizeof(struct http_look),
                                              .check = http_check_look};

static const struct conf_key retry_keys[] = {LOOK_KEYS("429, or 5xx for all of them; 429 and 5xx")};
static const struct conf_type retry_type = {.name = "http_retry",
                                            .doc = "A message to send again: any of it.",
                                            .keys = retry_keys,
                                            .size = sizeof(struct http_look),
                                            .check = http_check_look};

static const struct conf_key keys[] = {
    CONF_KEY(struct http_receiver_conf, url, CONF_SECRET_URL, "where to; may be a template",
             .flags = CONF_TEMPLATE_OK | CONF_PATH_FIXED),
    CONF_KEY(struct http_receiver_conf, method, CONF_TEMPLATE, "GET, POST, PUT, PATCH or DELETE",
             .text = "POST"),
    CONF_KEY(struct http_receiver_conf, headers, CONF_STRING_MAP, "headers, templates",
             .flags = CONF_HIDDEN),
    CONF_KEY(struct http_receiver_conf, json, CONF_ANY,
             "a body of JSON; its strings are templates"),
    CONF_KEY(struct http_receiver_conf, form, CONF_STRING_MAP,
             "a body as of an HTML form; its values are templates"),
    CONF_KEY(struct http_receiver_conf, body, CONF_TEMPLATE, "a body of text"),
    CONF_KEY(struct http_receiver_conf, content_type, CONF_TEMPLATE,
             "of body; text/plain; charset=utf-8"),
    CONF_KEY(struct http_receiver_conf, success, CONF_STRUCT, "what a taken message looks like",
             .sub = &success_type),
    CONF_KEY(struct http_receiver_conf, retry, CONF_STRUCT, "which refused one is sent again",
             .sub = &retry_type),
    CONF_KEY(struct http_receiver_conf, max_bytes, CONF_SIZE,
             "of the body: the longest texts in it are cut, 0 = whole"),
    CONF_KEY(struct http_receiver_conf, timeout, CONF_GO_DURATION,
             "limit for one request, 0 = none"),
    CONF_KEYS_END,
};

static const struct conf_type http_receiver_conf_type = {
    .name = "http_receiver_config", /* not that of the HTTP client */
    .doc = "Any service with a request of your own",
    .keys = keys,
    .size = sizeof(struct http_receiver_conf),
};

/* -- the checks -- */

static bool http_is_method(str s)
{
    static const char *const known[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_is(s, known[i]))
            return true;
    return false;
}

static bool http_is_header_name(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 127 || strchr("\"(),/:;<=>?@[\\]{}", s.p[i]) != NULL)
            return false;
    return s.n != 0;
}

static bool http_has_header(const struct http_receiver_conf *k, const char *name)
{
    for (size_t i = 0; i < k->headers.n; i++)
        if (str_eq_nocase(k->headers.v[i].name, str_of(name)))
            return true;
    return false;
}

static void http_check_headers(const struct http_receiver_conf *k, const struct receiver_view *view,
                               struct conf_check *c)
{
    static const char *const ours[] = {"Connection", "Content-Length", "Expect", "Host",
                                       "Transfer-Encoding"};

    for (size_t i = 0; i < k->headers.n; i++)
        if (!http_is_header_name(k->headers.v[i].name))
            conf_error(c, "headers", "\"%.*s\" is no name of a header", STR(k->headers.v[i].name));
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (http_has_header(k, ours[i]))
            conf_error(c, "headers", "%s is set by whoever sends", ours[i]);
    if (http_has_header(k, "Authorization") && view->has_http_authorization)
        conf_error(c, "headers", "http_config has credentials, too");
    if (k->content_type.n != 0 && http_has_header(k, "Content-Type"))
        conf_error(c, "content_type", "\"headers\" has one, too");
}

static void http_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct http_receiver_conf *k = conf;
    int forms = (k->json != NULL) + (k->form.n != 0) + (k->body.n != 0);

    if (!secret_is_set(k->url))
        conf_error(c, NULL, "one of \"url\" and \"url_file\" is needed");
    if (str_find_str(k->method, S("{{")) < 0 && !http_is_method(k->method))
        conf_error(c, "method", "\"%.*s\" is none of GET, POST, PUT, PATCH and DELETE",
                   STR(k->method));
    if (forms > 1)
        conf_error(c, NULL, "at most one of \"json\", \"form\" and \"body\" may be set");
    if (forms != 0 && str_is(k->method, "GET"))
        conf_error(c, "method", "a GET has no body");
    if (k->content_type.n != 0 && k->body.n == 0)
        conf_error(c, "content_type", "it is that of \"body\"");
    http_check_headers(k, view, c);
}

/* -- the request -- */

enum { HTTP_HEADER_MAX = 4096 /* bytes of one: more makes a server refuse all of them */ };

/* What cannot stand in a header is a blank: a label must neither end the header nor lose the page. */
static str http_header_value(struct delivery *d, str text)
{
    const struct delivery_member m = {.text = text, .instead = ""};
    struct buf b = BUF_INIT;

    buf_add(&b, delivery_truncate_bytes(d, delivery_member_text(d, &m), HTTP_HEADER_MAX));
    for (size_t i = 0; i < b.n; i++)
        if ((unsigned char)b.p[i] < ' ' || b.p[i] == 127)
            b.p[i] = ' ';
    return str_trim(arena_take(d->arena, &b));
}

/* Blanks, controls and what is not ASCII as %XX: a label that has them must not lose the page. */
static str http_clean_url(struct delivery *d, str url)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < url.n; i++) {
        if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] >= 127)
            buf_addf(&b, "%%%02X", (unsigned char)url.p[i]);
        else
            buf_addc(&b, url.p[i]);
    }
    return arena_take(d->arena, &b);
}

/* What is no method is POST: a page is not lost in a fault of a template. */
static str http_method(struct delivery *d, str text)
{
    const struct delivery_member m = {.text = text, .instead = "POST"};
    str said = str_trim(delivery_member_text(d, &m));

    if (http_is_method(said))
        return said;
    err_set(&d->err, ERR_INVALID, "\"method\" gives \"%.*s\", which is none: POST was used",
            STR(delivery_truncate_bytes(d, said, 40)));
    return S("POST");
}

static void http_fill_headers(struct delivery *d, const char *content_type)
{
    const struct http_receiver_conf *k = d->conf;
    struct http_header *h = arena_array(d->arena, k->headers.n + 1, sizeof(*h));
    size_t n = 0;

    if (content_type != NULL && !http_has_header(k, "Content-Type"))
        h[n++] = (struct http_header){S("Content-Type"), str_of(content_type)};
    for (size_t i = 0; i < k->headers.n; i++)
        h[n++] =
            (struct http_header){k->headers.v[i].name, http_header_value(d, k->headers.v[i].value)};
    d->request.headers = (struct http_headers){h, n};
}

static str http_json(struct delivery *d, const struct conf_value *v, size_t max)
{
    struct json_writer w;
    struct buf b = BUF_INIT;
    str all;

    json_writer_init(&w, &b, false);
    delivery_put_value(d, &w, v);
    all = arena_take(d->arena, &b);
    return all.n > max ? delivery_cut_json(d, all, max) : all;
}

/* With at most so many bytes of each value. */
static str http_form_of(struct delivery *d, const struct conf_map *form, const str *values,
                        size_t most)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < form->n; i++)
        buf_addf(&b, "%s%.*s=%.*s", i != 0 ? "&" : "",
                 STR(delivery_escape_query(d, form->v[i].name)),
                 STR(delivery_escape_query(d, delivery_truncate_bytes(d, values[i], most))));
    return arena_take(d->arena, &b);
}

static str http_form(struct delivery *d, const struct conf_map *form, size_t max)
{
    str *values = arena_array(d->arena, form->n, sizeof(*values));
    size_t fits = 0, over = max;
    str all;

    for (size_t i = 0; i < form->n; i++)
        values[i] = delivery_say(d, form->v[i].value, false);
    all = http_form_of(d, form, values, SIZE_MAX);
    if (all.n <= max)
        return all;
    while (over - fits > 1) {
        size_t most = fits + (over - fits) / 2;

        if (http_form_of(d, form, values, most).n <= max)
            fits = most;
        else
            over = most;
    }
    return http_form_of(d, form, values, fits);
}

static const char *http_fill_body(struct delivery *d)
{
    const struct http_receiver_conf *k = d->conf;
    size_t max = k->max_bytes != 0 ? (size_t)k->max_bytes : SIZE_MAX;

    if (k->json != NULL) {
        d->request.body = http_json(d, k->json, max);
        return "application/json";
    }
    if (k->form.n != 0) {
        d->request.body = http_form(d, &k->form, max);
        return "application/x-www-form-urlencoded";
    }
    if (k->body.n == 0)
        return NULL;
    d->request.body = delivery_truncate_bytes(d, delivery_say(d, k->body, false), max);
    return k->content_type.n != 0
               ? arena_printf(d->arena, "%.*s", STR(http_header_value(d, k->content_type))).p
               : "text/plain; charset=utf-8";
}

static enum delivery_verdict http_send(struct delivery *d)
{
    const struct http_receiver_conf *k = d->conf;
    str url;

    if (!d->secret(d, k->url, &url))
        return DELIVERY_RETRY; /* the file may come back */
    if (!delivery_expand(d, url, &url))
        return DELIVERY_FAILED;
    d->request.url = http_clean_url(d, url);
    d->request.method = http_method(d, k->method);
    http_fill_headers(d, http_fill_body(d));
    d->timeout = k->timeout;
    return DELIVERY_SEND_HTTP;
}

/* -- the answer -- */

static bool http_status_is_one(int status, const struct conf_strings *of)
{
    for (size_t i = 0; i < of->n; i++) {
        str s = of->v[i];
        int first = s.p[0] - '0';

        if (s.p[1] == 'x' ? status / 100 == first
                          : status == first * 100 + (s.p[1] - '0') * 10 + s.p[2] - '0')
            return true;
    }
    return false;
}

static bool http_member_is_one(struct delivery *d, const struct http_answer_member *m)
{
    str said;

    if (!delivery_answer_member(d, m->path, &said))
        return false;
    for (size_t i = 0; i < m->equals.n; i++)
        if (str_eq(said, m->equals.v[i]))
            return true;
    return false;
}

static bool http_looks_at_body(const struct http_look *k)
{
    return k->json != NULL || k->matches.n != 0 || k->contains.n != 0;
}

static bool http_is_taken(struct delivery *d, const struct http_look *k)
{
    int status = d->answer->status;

    return (k->status.n != 0 ? http_status_is_one(status, &k->status) : status / 100 == 2) &&
           (k->json == NULL || http_member_is_one(d, k->json)) &&
           (k->matches.n == 0 || delivery_matches(d, k->matches, d->answer->body)) &&
           (k->contains.n == 0 || str_find_str(d->answer->body, k->contains) >= 0);
}

static bool http_comes_again(struct delivery *d, const struct http_look *k)
{
    int status = d->answer->status;

    return (k->status.n != 0 ? http_status_is_one(status, &k->status)
                             : status == 429 || status / 100 == 5) ||
           (k->json != NULL && http_member_is_one(d, k->json)) ||
           (k->matches.n != 0 && delivery_matches(d, k->matches, d->answer->body)) ||
           (k->contains.n != 0 && str_find_str(d->answer->body, k->contains) >= 0);
}

static enum delivery_verdict http_judge(struct delivery *d)
{
    const struct http_receiver_conf *k = d->conf;
    str body;

    if (d->lost && (d->answer->status == 0 || http_looks_at_body(&k->success)))
        return DELIVERY_RETRY;
    if (d->lost) /* its status has said it all */
        d->err = (struct err)ERR_INIT;
    if (http_is_taken(d, &k->success))
        return DELIVERY_OK;
    d->failure = FAILURE_CLIENT;
    (void)delivery_judge_http(d); /* whose fault it is */
    body = delivery_truncate_bytes(d, str_trim(d->answer->body), 200);
    err_set(&d->err, ERR_IO, "not taken, by \"success\": status code %d%s%.*s", d->answer->status,
            body.n != 0 ? ": " : "", STR(body));
    if (!http_comes_again(d, &k->retry))
        return DELIVERY_FAILED;
    return delivery_wait(d, http_header_get(&d->answer->headers, S("Retry-After")))
               ? DELIVERY_RETRY_AFTER
               : DELIVERY_RETRY;
}

static enum delivery_verdict http_receiver_step(struct delivery *d)
{
    return d->answer != NULL ? http_judge(d) : http_send(d);
}

const struct receiver_type http_receiver = {
    .name = "http",
    .config_key = "http_configs",
    .doc = "Any service with a request of your own",
    .conf = &http_receiver_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = true,
    .check = http_check,
    .step = http_receiver_step,
};
