/* POST /api/v2/templates/render: what a template gives, before anybody gets it as a message. The request says what amtool's
 * flags say:
 *
 *     {"text": "{{ template \"slack.default.title\" . }}", "type": "text", "data": {"status": "firing", ...},
 *      "files": {"mine.tmpl": "{{ define ... }}"}}
 *
 * The templates are those in force, with `files` read over them; no file of the machine is read. It runs on a worker, by
 * tighter limits than a delivery. */
#include "api/api_priv.h"

#include <stdio.h>
#include "config/config.h"
#include "notify/template_data.h"
#include "os/zones.h"

enum { DEPTH_MAX = 16, FILES_MAX = 100, RENDER_MEMORY = 64 << 20 };

struct file {
    str name, text;
};

struct render_job {
    struct http_later later;
    struct config *conf; /* one reference */
    str body;
    ts_ns now;
    /* the request */
    str text, type, data;
    struct file files[FILES_MAX];
    size_t n_files;
    /* the answer */
    bool ok;
    struct buf output;
    struct err err;
};

static bool read_files(struct render_job *r, struct json_reader *j)
{
    struct file f;

    for (json_object_begin(j); json_object_next(j, &f.name);) {
        size_t i = 0;

        if (!json_string(j, &f.text))
            return false;
        while (i < r->n_files && !str_eq(r->files[i].name, f.name))
            i++;
        if (i == FILES_MAX)
            return json_fail(j, "more than %d files", FILES_MAX);
        r->files[i] = f; /* of two of one name the last counts */
        r->n_files += i == r->n_files;
    }
    return !j->failed;
}

static bool read_request(struct render_job *r)
{
    struct json_reader j;
    str key;

    r->type = S("text");
    json_reader_init(&j, r->body, &r->later.arena, DEPTH_MAX);
    for (json_object_begin(&j); json_object_next(&j, &key);) {
        if (json_key_is(key, "text"))
            json_string(&j, &r->text);
        else if (json_key_is(key, "type"))
            json_string(&j, &r->type);
        else if (json_key_is(key, "data"))
            json_raw(&j, &r->data);
        else if (json_key_is(key, "files"))
            read_files(r, &j);
        else
            json_fail(&j, "there is no key \"%.*s\"", STR(key));
    }
    if (!json_end_of_value(&j))
        return err_set(&r->err, ERR_INVALID, "request: line %d, column %d: %s", j.err.line,
                       j.err.col, j.err.msg);
    if (r->text.p == NULL)
        return err_set(&r->err, ERR_INVALID, "request: \"text\" is missing");
    if (!str_is(r->type, "text") && !str_is(r->type, "html"))
        return err_set(&r->err, ERR_INVALID, "request: \"type\" is text or html");
    return true;
}

static bool is_gone(const void *arg)
{
    return http_later_is_gone(arg);
}

static bool render(struct render_job *r, struct template_set *set)
{
    struct template_data data;
    struct template_run run = {.mode = str_is(r->type, "html") ? TEMPLATE_HTML : TEMPLATE_TEXT,
                               .now = r->now,
                               .zone = r->conf->messages->zone,
                               .local = r->conf->messages->local,
                               .load_zone = zone_load,
                               .limits = {.steps = 1000000, .output = 1 << 20, .memory = 16 << 20},
                               .expired = is_gone,
                               .expired_arg = &r->later};

    for (size_t i = 0; i < r->n_files; i++)
        if (!template_set_parse(set, r->files[i].name, r->files[i].text, &r->err))
            return false;
    if (r->data.n == 0)
        data = template_data_example(&r->later.arena);
    else if (!template_data_from_json(&r->later.arena, r->data, &data, &r->err))
        return err_wrap(&r->err, "request: \"data\"");
    data.is_chinese = r->conf->messages->is_chinese;
    run.data = template_data_value(&data);
    return template_exec_text(set, r->text, &run, &r->output, &r->err);
}

static void templates_job_run(struct http_later *l)
{
    struct render_job *r = container_of(l, struct render_job, later);
    struct template_set *set;

    if (!read_request(r))
        return;
    set = template_set_clone(r->conf->messages->set);
    r->ok = render(r, set);
    template_set_free(set);
}

/* The template that a message names: "template: NAME:LINE: ...", "html/template:NAME:LINE:COL: ...". */
static str fault_name(const struct err *e)
{
    str msg = str_of(e->msg), name;
    ptrdiff_t colon = str_find(msg, ':'), end;
    char line[16];

    if (e->line == 0 || colon < 0)
        return STR_NONE;
    snprintf(line, sizeof(line), ":%d:", e->line);
    name = str_trim(str_sub(msg, (size_t)colon + 1, msg.n));
    end = str_find_str(name, str_of(line));
    return end >= 0 ? str_sub(name, 0, (size_t)end) : STR_NONE;
}

static void put_answer(const struct render_job *r, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out, false);
    json_open(&w, '{');
    json_key(&w, r->ok ? S("output") : S("error"));
    json_put_str(&w, r->ok ? buf_str(&r->output) : str_of(r->err.msg));
    if (!r->ok && r->err.line != 0) {
        json_key(&w, S("name"));
        json_put_str(&w, fault_name(&r->err));
        json_key(&w, S("line"));
        json_put_i64(&w, r->err.line);
    }
    if (!r->ok && r->err.col != 0) {
        json_key(&w, S("column"));
        json_put_i64(&w, r->err.col);
    }
    json_close(&w, '}');
    buf_addc(out, '\n');
}

static void templates_job_answer(struct http_later *l)
{
    struct render_job *r = container_of(l, struct render_job, later);
    struct buf answer = BUF_INIT;

    put_answer(r, &answer);
    api_json(l->request, r->ok ? 200 : 400, buf_str(&answer));
    buf_release(&answer);
}

static void templates_job_free(struct http_later *l)
{
    struct render_job *r = container_of(l, struct render_job, later);

    buf_release(&r->output);
    config_unref(r->conf);
    mem_free(r);
}

void api_post_render(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct render_job *r;

    if (!api_expects_json(rq))
        return;
    if (!api_has_room(a, rq)) {
        api_fail(rq, 503, S("too many queries are under way"));
        return;
    }
    r = mem_new(struct render_job);
    http_later_begin(&r->later, &a->laters, RENDER_MEMORY);
    r->later.run = templates_job_run;
    r->later.answer = templates_job_answer;
    r->later.free = templates_job_free;
    r->conf = config_ref(config_of(a->engine->conf));
    r->now = shell_clock(a->conf.shell)->now.wall;
    r->body = arena_str(&r->later.arena, rq->body);
    rq->ends_with_client = true;
    http_later_run(&r->later, rq, WORK_QUERY);
}
