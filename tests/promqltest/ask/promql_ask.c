/* promql_ask.c - evaluates many expressions over one file of samples, for scripts that compare us with others.
 *
 *     promql_ask [--reference] DATA.om <questions
 *
 * A question is a line "START END STEP EXPR" in whole milliseconds; STEP 0 asks for the instant START. Each is answered
 * by a line of JSON: the API's "data" member, or {"error": "..."}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "codec/exposition_read.h"
#include "promql/mem_storage.h"
#include "promql/plan.h"
#include "promql/result_json.h"

static const struct promql_settings settings = {.lookback = 0};

static bool read_all(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char piece[65536];
    size_t n;

    if (f == NULL)
        return false;
    while ((n = fread(piece, 1, sizeof(piece), f)) != 0)
        buf_add(out, (str){piece, n});
    fclose(f);
    return true;
}

static bool load(struct mem_storage *m, str text, struct err *e)
{
    struct expo_reader r;
    struct expo_item item;
    bool ok = true;

    expo_reader_init(&r, text, expo_guess(text));
    while (ok && expo_read(&r, &item, e)) {
        struct labels ls;

        if (item.kind != EXPO_SAMPLE)
            continue;
        ok = expo_read_labels(&r, item.series, &ls, e);
        if (ok)
            mem_storage_append(m, ls, item.t, item.value, 0);
    }
    expo_reader_release(&r);
    return ok && e->code == ERR_NONE;
}

static bool plan(const struct promql_query *q, ts_ms start, ts_ms end, ts_ms step, struct arena *a,
                 struct promql_result *out, struct err *e)
{
    struct promql_plan *p = promql_plan_new(q->storage, &settings);
    size_t number;
    bool ok = promql_plan_add(p, q->expr, q->text, &number, e);

    if (ok) {
        promql_plan_begin(p);
        ok = step == 0 ? promql_plan_instant(p, number, start, a, out, e)
                       : promql_plan_range(p, number, start, end, step, a, out, e);
        promql_plan_end(p);
    }
    promql_plan_free(p);
    return ok;
}

static bool refer(const struct promql_query *q, ts_ms start, ts_ms end, ts_ms step, struct arena *a,
                  struct promql_result *out, struct err *e)
{
    return step == 0 ? promql_instant(q, start, a, out, e)
                     : promql_range(q, start, end, step, a, out, e);
}

static void answer(struct mem_storage *m, char *line, bool is_reference)
{
    ts_ms start = strtoll(line, &line, 10), end = strtoll(line, &line, 10),
          step = strtoll(line, &line, 10);
    struct promql_query q = {
        .text = str_trim(str_of(line)), .storage = mem_storage_port(m), .settings = &settings};
    struct promql_result r;
    struct buf b = BUF_INIT;
    struct json_writer w;
    struct arena a;
    struct err e = ERR_INIT;
    struct promql_expr *x;

    arena_init(&a, 0);
    x = promql_parse(q.text, &promql_everything, &a, NULL, &e);
    q.expr = x;
    json_writer_init(&w, &b, false);
    if (x != NULL && (is_reference ? refer : plan)(&q, start, end, step, &a, &r, &e)) {
        promql_result_json(&w, &r, start);
    } else {
        json_open(&w, '{');
        json_key(&w, S("error"));
        json_put_str(&w, str_of(e.msg));
        json_close(&w, '}');
    }
    printf("%.*s\n", STR(buf_str(&b)));
    promql_release(x);
    buf_release(&b);
    arena_release(&a);
}

int main(int argc, char **argv)
{
    bool is_reference = argc > 1 && strcmp(argv[1], "--reference") == 0;
    struct mem_storage *m = mem_storage_new();
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;
    char *line = NULL;
    size_t room = 0;

    if (argc != 2 + is_reference || !read_all(argv[argc - 1], &text)) {
        fprintf(stderr, "usage: promql_ask [--reference] DATA.om <questions\n");
        return 2;
    }
    if (!load(m, buf_str(&text), &e)) {
        fprintf(stderr, "%s:%d: %s\n", argv[argc - 1], e.line, e.msg);
        return 1;
    }
    while (getline(&line, &room, stdin) > 0)
        answer(m, line, is_reference);
    free(line);
    buf_release(&text);
    mem_storage_free(m);
    return 0;
}
