/* POST /api/tocsin/lint: what `tocsin lint` finds in a rule file, before it is one. The body is its text; the answer is that of
 * `tocsin lint --output json`, columns in bytes. No file of the machine is read. It runs on a worker. */
#include "api/api_priv.h"

#include "lint/lint.h"
#include "lint/render.h"

struct lint_job {
    struct http_later later;
    struct lint_options options;
    str text;
    struct buf answer;
};

static void lint_job_run(struct http_later *l)
{
    struct lint_job *x = container_of(l, struct lint_job, later);
    struct render_options shown = {
        .format = RENDER_JSON, .least = DIAG_INFO, .without_lines = true};
    struct diags d;

    diags_init(&d);
    lint_text(x->text, S("<rules>"), &x->options, &d);
    diags_render(&x->answer, &d, &shown);
    diags_release(&d);
}

static void lint_job_answer(struct http_later *l)
{
    api_json(l->request, 200, buf_str(&container_of(l, struct lint_job, later)->answer));
}

static void lint_job_free(struct http_later *l)
{
    struct lint_job *x = container_of(l, struct lint_job, later);

    buf_release(&x->answer);
    mem_free(x);
}

void api_post_lint(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    struct lint_job *x;

    if (!api_has_room(a, rq)) {
        api_fail(rq, 503, S("too many queries are under way"));
        return;
    }
    x = mem_new(struct lint_job);
    http_later_begin(&x->later, &a->laters, 0);
    x->later.run = lint_job_run;
    x->later.answer = lint_job_answer;
    x->later.free = lint_job_free;
    x->options = (struct lint_options){
        .is_known = true, .kind = LINT_RULES, .now = shell_clock(a->conf.shell)->now.wall};
    x->text = arena_str(&x->later.arena, rq->body);
    rq->ends_with_client = true;
    http_later_run(&x->later, rq, WORK_QUERY);
}
