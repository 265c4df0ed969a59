/* One request over the program's own transport, on a loop of its own; then what the commands have in common: refusals
 * in words, matchers as arguments, names that the server lacks with what it has. */
#include "cli/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <time.h>
#include "base/vec.h"
#include "os/file.h"
#include "cli/say.h"
#include "codec/escape.h"
#include "os/yaml_file.h"
#include "lint/render.h"
#include "net/curl_setup.h"
#include "net/http_conf.h"
#include "schema/schema.h"

enum { CONF_MAX = 1 << 20 };

/* Where an answer goes: what is refused, and what no sink wants, to the text. */
struct receiving {
    CURL *easy;
    struct buf *text;
    bool (*sink)(void *arg, str bytes);
    void *arg;
    bool is_given_up;
};

static size_t receive(char *p, size_t size, size_t n, void *arg)
{
    struct receiving *r = arg;
    long status = 0;

    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    if (r->sink == NULL || status / 100 != 2)
        buf_add(r->text, (str){p, size * n});
    else if (!r->sink(r->arg, (str){p, size * n}))
        r->is_given_up = true;
    return r->is_given_up ? 0 : size * n;
}

/* The server's reason: a JSON string, an object with message, or text. Printed as it is. */
static void client_say_refused(long status, str body)
{
    body = str_trim(body);
    say(stderr, "tocsin: the server answered %ld%s%.*s\n", status, body.n != 0 ? ": " : "",
        STR(body));
}

/* What the flags say over what the file says. */
static bool read_conf(const struct client_flags *f, struct arena *a, struct http_conf *conf)
{
    struct diags d;
    struct conf_run run = {.a = a, .d = &d};
    struct conf_part part = {NULL, NULL};
    struct err e = ERR_INIT;
    struct buf text = BUF_INIT;
    struct yaml_doc doc;
    bool has_file = f->http_config[0] != '\0', ok = true;

    diags_init(&d);
    if (has_file)
        ok = file_read(str_of(f->http_config), FILE_OR_PIPE, CONF_MAX, &text, &e) &&
             yaml_parse(buf_str(&text), str_of(f->http_config), a, &doc, &d);
    if (has_file && ok)
        part = (struct conf_part){&doc, doc.root};
    ok = ok && conf_decode(&run, &part, part.doc != NULL,
                           (struct conf_layer){&http_conf_type, conf, NULL});
    if (!ok && d.n == 0)
        say(stderr, "tocsin: --http.config.file: %s\n", e.msg);
    if (d.n != 0)
        diags_print(stderr, &d);
    diags_release(&d);
    buf_release(&text);
    if (ok && conf->oauth2 != NULL) {
        say(stderr, "tocsin: --http.config.file: oauth2 is not for the command line\n");
        return false;
    }
    if (!has_file)
        conf->proxy_from_environment = true;
    if (f->user[0] != '\0') {
        conf->has_basic_auth = true;
        conf->username = (struct secret){.hidden = str_of(f->user)};
        conf->password = (struct secret){.file = str_of(f->password_file)};
    }
    if (f->token_file[0] != '\0') {
        conf->has_authorization = true;
        conf->credentials = (struct secret){.file = str_of(f->token_file)};
    }
    if (f->ca_file[0] != '\0')
        conf->tls.ca = (struct secret){.file = str_of(f->ca_file)};
    return ok;
}

static void set_patience(const struct client_flags *f, struct curl_handle *h, bool is_stream)
{
    long ms = (long)(f->timeout / NS_PER_MS);

    curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, is_stream ? 0L : ms);
    if (!is_stream)
        return;
    curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, ms);
    curl_easy_setopt(h->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(h->easy, CURLOPT_LOW_SPEED_TIME, ms > 1000 ? ms / 1000 : 1L);
}

static int client_perform(const struct client_flags *f, struct curl_handle *h, struct receiving *r)
{
    struct buf *answer = r->text;
    long status = 0;
    CURLcode rc;

    r->easy = h->easy;
    set_patience(f, h, r->sink != NULL);
    curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, r);
    rc = curl_easy_perform(h->easy);
    if (r->is_given_up)
        return EXIT_FAILED;
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK) {
        say(stderr, "tocsin: cannot reach %s: %s\n", f->url,
            h->error[0] != '\0' ? h->error : curl_easy_strerror(rc));
        return EXIT_UNREACHABLE;
    }
    if (status / 100 == 2)
        return EXIT_OK;
    client_say_refused(status, buf_str(answer));
    return EXIT_FAILED;
}

static int cli_client_call(const struct client_flags *f, const char *method, const char *path,
                           str body, struct receiving *r)
{
    struct http_header type = {S("Content-Type"), S("application/json")};
    struct http_conf conf;
    struct curl_request rq = {
        .http = {.method = str_of(method), .body = body, .headers = {&type, 1}},
        .conf = &conf,
        .user_agent = S("tocsin/" TOCSIN_VERSION)};
    str base = url_trim_slash(str_of(f->url));
    struct curl_handle h = {.easy = NULL};
    struct err e = ERR_INIT;
    struct arena a;
    int code = EXIT_FAILED;

    arena_init(&a, 0);
    rq.http.url = arena_printf(&a, "%s%.*s%s", str_find_str(base, S("://")) < 0 ? "http://" : "",
                               STR(base), path);
    if (read_conf(f, &a, &conf)) {
        if (curl_aim(&h, rq.http.url, &a, &rq.destination, &e) && curl_setup(&h, &rq, &a, &e))
            code = client_perform(f, &h, r);
        else
            say(stderr, "tocsin: %s\n", e.msg);
        curl_handle_release(&h);
    }
    arena_release(&a);
    return code;
}

int client_call(const struct client_flags *f, const char *method, const char *path, str body,
                struct buf *answer)
{
    struct receiving r = {.text = answer};

    return cli_client_call(f, method, path, body, &r);
}

int client_stream(const struct client_flags *f, const char *method, const char *path,
                  bool (*sink)(void *arg, str bytes), void *arg)
{
    struct buf text = BUF_INIT;
    struct receiving r = {.text = &text, .sink = sink, .arg = arg};
    int code = cli_client_call(f, method, path, S(""), &r);

    buf_release(&text);
    return code;
}

ts_ns client_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

bool client_matcher(const char *arg, bool first, struct arena *a, struct matcher *out)
{
    bool bare = first && strpbrk(arg, "=~!") == NULL;
    struct err e = ERR_INIT;
    str warning;
    bool ok = bare ? matcher_init(out, MATCH_EQ, S("alertname"), str_of(arg), &e)
                   : matcher_parse(str_of(arg), MATCHER_FALLBACK, a, out, &warning, &e);

    if (!ok)
        say(stderr, "tocsin: '%s': %s\n", arg, e.msg);
    return ok;
}

void client_read_matchers(struct json_reader *r, struct buf *out)
{
    const char *space = "";
    str key;

    for (json_array_begin(r); json_array_next(r); space = " ") {
        str name = STR_NONE, value = STR_NONE;
        bool regex = false, equal = true;

        for (json_object_begin(r); json_object_next(r, &key);) {
            if (str_is(key, "name"))
                json_string(r, &name);
            else if (str_is(key, "value"))
                json_string(r, &value);
            else if (str_is(key, "isRegex"))
                json_bool(r, &regex);
            else if (str_is(key, "isEqual"))
                json_bool(r, &equal);
            else
                json_skip(r);
        }
        buf_add(out, str_of(space));
        matcher_print(out, &(struct matcher){.op = regex   ? (equal ? MATCH_RE : MATCH_NRE)
                                                   : equal ? MATCH_EQ
                                                           : MATCH_NE,
                                             .name = name,
                                             .value = value});
    }
}

int client_configuration(const struct client_flags *c, struct arena *a, str *text)
{
    struct buf answer = BUF_INIT;
    struct json_reader r;
    int code = client_call(c, "GET", "/api/v2/status", STR_NONE, &answer);
    str key;

    *text = STR_NONE;
    json_reader_init(&r, arena_str(a, buf_str(&answer)), a, 16);
    buf_release(&answer);
    if (code != EXIT_OK)
        return code;
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (!str_is(key, "config")) {
            json_skip(&r);
            continue;
        }
        for (json_object_begin(&r); json_object_next(&r, &key);) {
            if (str_is(key, "original"))
                json_string(&r, text);
            else
                json_skip(&r);
        }
    }
    if (json_end(&r))
        return EXIT_OK;
    say(stderr, "tocsin: the server's answer cannot be read: %s\n", r.err.msg);
    return EXIT_FAILED;
}

/* -- names -- */

struct client_names {
    const char *key; /* of each element, or of its labels */
    VEC(str) v;
};

static void client_read_name(struct json_reader *r, struct client_names *out)
{
    str key, value;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "labels"))
            client_read_name(r, out);
        else if (str_eq(key, str_of(out->key)) && json_peek(r) == JSON_STRING) {
            if (json_string(r, &value))
                vec_push(&out->v, value);
        } else
            json_skip(r);
    }
}

static void read_names(struct json_reader *r, struct client_names *out)
{
    for (json_array_begin(r); json_array_next(r);)
        client_read_name(r, out);
}

static bool is_named(const struct client_names *names, str wanted)
{
    for (size_t i = 0; i < names->v.n; i++)
        if (str_eq(names->v.v[i], wanted))
            return true;
    return false;
}

static void say_lacking(const struct client_names *names, str wanted, const char *what)
{
    const str *near = str_nearest(wanted, names->v.v, names->v.n);

    say(stderr, "tocsin: there is no %s '%.*s'", what, STR(wanted));
    if (near != NULL)
        say(stderr, ", did you mean '%.*s'?", STR(*near));
    say(stderr, "\n");
}

/* path: a list of objects, or an object of such lists. */
static bool lacks(const struct client_flags *f, const char *path, const char *key, str wanted,
                  const char *what)
{
    struct client_names names = {.key = key};
    struct buf answer = BUF_INIT;
    struct json_reader r;
    bool is_missing = false;
    struct arena a;
    str top;

    arena_init(&a, 0);
    if (client_call(f, "GET", path, STR_NONE, &answer) == EXIT_OK) {
        json_reader_init(&r, buf_str(&answer), &a, 32);
        if (json_peek(&r) == JSON_ARRAY)
            read_names(&r, &names);
        else
            for (json_object_begin(&r); json_object_next(&r, &top);)
                if (str_is(top, "alerts") || str_is(top, "rules"))
                    read_names(&r, &names);
                else
                    json_skip(&r);
        is_missing = !is_named(&names, wanted);
    }
    if (is_missing)
        say_lacking(&names, wanted, what);
    vec_release(&names.v);
    buf_release(&answer);
    arena_release(&a);
    return is_missing;
}

bool client_lacks_receiver(const struct client_flags *f, const char *name)
{
    return lacks(f, "/api/v2/receivers", "name", str_of(name), "receiver");
}

bool client_lacks_alert(const struct client_flags *f, const char *name)
{
    return lacks(f, "/api/tocsin/overview", "alertname", str_of(name), "alert");
}
