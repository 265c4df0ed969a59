/* The flags, what they make of lint (lint/lint.h), and the printing of what it finds. */
#include "cli/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "cli/client.h"
#include "cli/say.h"
#include "codec/escape.h"
#include "codec/float.h"
#include "codec/json.h"
#include "lint/lint.h"
#include "lint/render.h"
#include "os/spread.h"
#include "os/file.h"

#define F struct lint_flags
const struct flag lint_flag_table[] = {
    FLAG(F, output, "output", FLAG_TEXT, "text", "FORMAT",
         "text, json, github, sarif, junit or checkstyle", .letter = 'o', .words = RENDER_FORMATS),
    FLAG(F, fail_on, "fail-on", FLAG_TEXT, "error", "LEVEL",
         "the least severity that makes the exit code 1: error, warning or info",
         .words = "error warning info"),
    FLAG(F, disable, "disable", FLAG_LIST, NULL, "ID[,ID...]", "checks that are left out"),
    FLAG(F, severity, "severity", FLAG_LIST, NULL, "ID=LEVEL",
         "how grave what a check finds is: error, warning, info or off"),
    FLAG(F, fix, "fix", FLAG_BOOL, NULL, NULL,
         "put what is meant into the files, where there is no doubt about it, and show the rest"),
    FLAG(F, list, "list", FLAG_BOOL, NULL, NULL,
         "print all checks (-o json: with all of their texts)"),
    FLAG(F, explain, "explain", FLAG_TEXT, "", "ID",
         "say what a check finds and why, with a bad and a good example"),
    FLAG(F, as, "as", FLAG_TEXT, "", "KIND",
         "what the files are, whatever they look like: config, rules, test, dingtalk, collect or "
         "slo",
         .words = "config rules test dingtalk collect slo"),
    FLAG(F, space_label, "enforced-namespace-label", FLAG_TEXT, "", "NAME",
         "check PrometheusRule files as rule_files with this enforced_namespace_label would"),
    FLAG(F, metrics, "metrics", FLAG_TEXT, "", "FILE|URL",
         "what an exporter exports, a file or its /metrics: rules are held against it, and it is "
         "looked at itself; a URL is read twice. A URL that ends in its host or in a slash is a "
         "Prometheus that is asked of what the rules select, and which alerts would fire"),
    FLAG(F, color, "color", FLAG_TEXT, "auto", "WHEN", "auto (a terminal), always or never",
         .words = "auto always never"),
    FLAG(F, quiet, "quiet", FLAG_BOOL, NULL, NULL, "no summary, and no findings below warning",
         .letter = 'q'),
    FLAGS_END,
};
#undef F

static bool lint_read_all(FILE *f, struct buf *out)
{
    char piece[65536];
    size_t n;

    while ((n = fread(piece, 1, sizeof(piece), f)) != 0)
        buf_add(out, (str){piece, n});
    return !ferror(f);
}

static struct lint_result lint_check(char **args, int n, const struct lint_options *o,
                                     struct diags *d)
{
    struct lint_result r = {0};
    str *paths = mem_array((size_t)n, sizeof(*paths));
    size_t k = 0;

    for (int i = 0; i < n; i++) {
        struct buf text = BUF_INIT;

        if (strcmp(args[i], "-") != 0) {
            paths[k++] = str_of(args[i]);
            continue;
        }
        if (lint_read_all(stdin, &text))
            r = lint_text(buf_str(&text), S("<stdin>"), o, d);
        buf_release(&text);
    }
    if (k != 0) {
        struct lint_result more = lint_paths(paths, k, o, d);

        lint_result_add(&r, &more);
    }
    mem_free(paths);
    return r;
}

/* -- what the flags say -- */

struct lint_wishes {
    struct render_options render;
    struct lint_options lint;
    enum diag_severity fail_on;
    VEC(struct lint_level) levels;
};

static bool add_level(struct lint_wishes *w, str id, str level, const char *flag)
{
    struct lint_level x = {.row = check_of(id), .is_off = str_is(level, "off")};

    if (x.row == NULL) {
        say(stderr, "tocsin: --%s: no check is called '%.*s' (tocsin lint --list)\n", flag,
            STR(id));
        return false;
    }
    if (!x.is_off && !diag_severity_parse(level, &x.severity)) {
        say(stderr, "tocsin: --%s: '%.*s' is none of error, warning, info, off\n", flag,
            STR(level));
        return false;
    }
    vec_push(&w->levels, x);
    return true;
}

static bool read_levels(const struct lint_flags *f, struct lint_wishes *w)
{
    for (size_t i = 0; i < f->severity.n; i++) {
        str level = str_of(f->severity.v[i]), id = str_cut(&level, '=');

        if (!add_level(w, id, level, "severity"))
            return false;
    }
    for (size_t i = 0; i < f->disable.n; i++)
        for (str rest = str_of(f->disable.v[i]); rest.n != 0;)
            if (!add_level(w, str_trim(str_cut(&rest, ',')), S("off"), "disable"))
                return false;
    w->lint.levels = w->levels.v;
    w->lint.n_levels = w->levels.n;
    return true;
}

bool lint_wants_color(const char *when)
{
    return strcmp(when, "always") == 0 ||
           (strcmp(when, "auto") == 0 && isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL);
}

static bool read_wishes(const struct lint_flags *f, struct lint_wishes *w)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    *w = (struct lint_wishes){.render = {.colour = lint_wants_color(f->color),
                                         .least = f->quiet ? DIAG_WARNING : DIAG_INFO},
                              .lint = {.mode = MATCHER_FALLBACK,
                                       .is_known = f->as[0] != '\0',
                                       .space_label = str_of(f->space_label),
                                       .now = now.tv_sec * NS_PER_S,
                                       .threads = spread_cores()}};
    if (!render_format_parse(str_of(f->output), &w->render.format))
        say(stderr, "tocsin: --output: '%s' is none of " RENDER_FORMATS "\n", f->output);
    else if (!diag_severity_parse(str_of(f->fail_on), &w->fail_on))
        say(stderr, "tocsin: --fail-on: '%s' is none of error, warning, info\n", f->fail_on);
    else if (w->lint.is_known && !lint_kind_parse(str_of(f->as), &w->lint.kind))
        say(stderr, "tocsin: --as: '%s' is none of config, rules, test, dingtalk, collect, slo\n",
            f->as);
    else
        return read_levels(f, w);
    return false;
}

/* -- metrics -- */

static struct client_flags asked_of(const char *url)
{
    return (struct client_flags){.url = url,
                                 .output = "text",
                                 .http_config = "",
                                 .user = "",
                                 .password_file = "",
                                 .token_file = "",
                                 .ca_file = "",
                                 .timeout = 30 * NS_PER_S};
}

enum { METRICS_APART = 1 }; /* seconds between two reads of a URL */

bool lint_read_metrics(const char *from, struct buf *first, struct buf *second)
{
    const struct client_flags c = asked_of(from);
    struct err e = ERR_INIT;

    if (strcmp(from, "-") == 0 && lint_read_all(stdin, first))
        return true;
    if (strstr(from, "://") == NULL) {
        if (file_read(str_of(from), FILE_OR_PIPE, SIZE_MAX, first, &e))
            return true;
        say(stderr, "tocsin: %s\n", e.msg);
        return false;
    }
    if (client_call(&c, "GET", "", STR_NONE, first) != EXIT_OK)
        return false;
    sleep(METRICS_APART);
    return client_call(&c, "GET", "", STR_NONE, second) == EXIT_OK;
}

/* -- a Prometheus -- */

enum { NAMES_AT_ONCE = 40 };

/* A URL that ends in its host or in a slash is no page of metrics: it is a Prometheus. */
static bool is_prometheus(const char *from)
{
    const char *host = strstr(from, "://"), *path = host != NULL ? strchr(host + 3, '/') : NULL;

    return host != NULL && (path == NULL || path[strlen(path) - 1] == '/');
}

static bool ask_federate(void *arg, const str *names, size_t n, struct buf *out)
{
    const struct client_flags c = asked_of(arg);
    struct buf path = BUF_INIT;
    bool ok = true;

    for (size_t i = 0; i < n && ok; i += NAMES_AT_ONCE) {
        buf_clear(&path);
        buf_adds(&path, "/federate?");
        for (size_t k = i; k < n && k < i + NAMES_AT_ONCE; k++) {
            buf_addf(&path, "%smatch[]=", k == i ? "" : "&");
            escape_percent(&path, names[k]);
        }
        ok = client_call(&c, "GET", buf_z(&path), STR_NONE, out) == EXIT_OK;
    }
    buf_release(&path);
    return ok;
}

/* {"metric":{},"value":[1435781451.781,"1"]} */
static void read_answer_row(struct json_reader *r, struct lint_answer *out)
{
    struct err e = ERR_INIT;
    str key, text;
    double v = 0;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (!str_is(key, "value")) {
            json_skip(r);
            continue;
        }
        json_array_begin(r);
        if (json_array_next(r))
            json_skip(r);
        for (; json_array_next(r);)
            if (!json_string(r, &text) || !float_parse(text, &v, &e))
                return;
    }
    if (out->n++ == 0 || v > out->most)
        out->most = v;
}

/* {"status":"success","data":{"resultType":"vector","result":[...]}}; a scalar's two parts are none. */
static bool read_vector_answer(str body, struct lint_answer *out)
{
    struct json_reader r;
    struct arena a;
    bool is_vector = false;
    str key, text;

    arena_init(&a, 0);
    json_reader_init(&r, body, &a, 32);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (!str_is(key, "data")) {
            json_skip(&r);
            continue;
        }
        for (json_object_begin(&r); json_object_next(&r, &key);) {
            if (str_is(key, "resultType"))
                is_vector = json_string(&r, &text) && str_is(text, "vector");
            else if (str_is(key, "result") && is_vector)
                for (json_array_begin(&r); json_array_next(&r);)
                    read_answer_row(&r, out);
            else
                json_skip(&r);
        }
    }
    is_vector &= json_end(&r);
    arena_release(&a);
    return is_vector;
}

static bool ask_now(void *arg, str expr, struct lint_answer *out)
{
    const struct client_flags c = asked_of(arg);
    struct buf path = BUF_INIT, answer = BUF_INIT;
    bool ok;

    *out = (struct lint_answer){0, 0};
    buf_adds(&path, "/api/v1/query?query=");
    escape_percent(&path, expr);
    ok = client_call(&c, "GET", buf_z(&path), STR_NONE, &answer) == EXIT_OK &&
         read_vector_answer(buf_str(&answer), out);
    buf_release(&path);
    buf_release(&answer);
    return ok;
}

/* -- the table of checks -- */

static void put_check(struct json_writer *w, const struct check_row *row)
{
    json_open(w, '{');
    json_put_text(w, "id", str_of(row->id));
    json_put_text(w, "severity", str_of(diag_severity_text(row->severity)));
    json_put_text(w, "title", str_of(row->title));
    json_put_text(w, "why", str_of(row->why));
    if (row->bad != NULL) {
        json_put_text(w, "bad", str_of(row->bad));
        json_put_text(w, "good", str_of(row->good));
    }
    if (row->pint != NULL)
        json_put_text(w, "pint", str_of(row->pint));
    json_key(w, S("fixable"));
    json_put_bool(w, row->is_fixable);
    json_key(w, S("online"));
    json_put_bool(w, row->is_online);
    json_close(w, '}');
}

static void list_checks(enum render_format format)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, false);
    json_open(&w, '[');
    for (const struct check_row *row = check_rows; row->id != NULL; row++)
        if (format == RENDER_JSON)
            put_check(&w, row);
        else
            say(stdout, "%s  %-7s  %s%s\n", row->id, diag_severity_text(row->severity), row->title,
                row->is_fixable ? " (--fix)" : "");
    json_close(&w, ']');
    if (format == RENDER_JSON)
        say(stdout, "%.*s\n", STR(buf_str(&b)));
    buf_release(&b);
}

static void show_example(const char *what, const char *text)
{
    say(stdout, "\n%s:\n\n", what);
    for (str rest = str_of(text); rest.n != 0;)
        say(stdout, "    %.*s\n", STR(str_cut(&rest, '\n')));
}

static int explain_check(const char *id)
{
    const struct check_row *row = check_of(str_of(id));

    if (row == NULL) {
        say(stderr, "tocsin: no check is called '%s' (tocsin lint --list)\n", id);
        return EXIT_USAGE;
    }
    say(stdout, "%s (%s): %s\n\n%s\n", row->id, diag_severity_text(row->severity), row->title,
        row->why);
    if (row->bad != NULL) {
        show_example("Bad", row->bad);
        show_example("Good", row->good);
    }
    say(stdout, "\nTo leave it out: --disable=%s, or a comment \"# tocsin: ignore %s\"%s%s.\n",
        row->id, row->id, row->pint != NULL ? "; pint calls it " : "",
        row->pint != NULL ? row->pint : "");
    return EXIT_OK;
}

/* -- the command -- */

static struct lint_result lint_and_fix(const struct lint_flags *f, char **args, int n_args,
                                       const struct lint_wishes *w, struct diags *d)
{
    struct lint_result r = lint_check(args, n_args, &w->lint, d);
    size_t done, files;

    if (!f->fix)
        return r;
    done = lint_fix(d, &files);
    if (done == 0)
        return r;
    if (!f->quiet)
        say(stderr, "%zu mended in %zu files\n", done, files);
    diags_release(d);
    diags_init(d);
    return lint_check(args, n_args, &w->lint, d);
}

static int lint_print(const struct lint_flags *f, const struct lint_wishes *w,
                      const struct lint_result *r, const struct diags *d)
{
    struct buf out = BUF_INIT;

    diags_render(&out, d, &w->render);
    fwrite(out.n != 0 ? out.p : "", 1, out.n, stdout); /* shown already */
    buf_release(&out);
    if (w->render.format == RENDER_TEXT && !f->quiet)
        say(stdout, "%zu configurations, %zu rule files with %zu rules, %zu tests, %zu skipped\n",
            r->configs, r->rule_files, r->rules, r->tests, r->skipped);
    if (r->configs + r->rule_files + r->tests + r->skipped == 0 && d->errors == 0) {
        say(stderr, "tocsin: there is nothing to check: no .yml or .yaml file is in there\n");
        return EXIT_FAILED;
    }
    return lint_fails(d, w->fail_on) || r->unanswered ? EXIT_FAILED : EXIT_OK;
}

int lint_run(const void *flags, char **args, int n_args)
{
    const struct lint_flags *f = flags;
    struct lint_wishes w;
    const struct lint_source source = {ask_federate, ask_now, (void *)(uintptr_t)f->metrics};
    struct buf first = BUF_INIT, second = BUF_INIT;
    struct lint_result r;
    struct diags d;
    int code = EXIT_USAGE;

    if (!read_wishes(f, &w)) {
        ;
    } else if (f->list) {
        list_checks(w.render.format);
        code = EXIT_OK;
    } else if (f->explain[0] != '\0') {
        code = explain_check(f->explain);
    } else if (n_args == 0) {
        say(stderr, "tocsin: lint needs files or folders ('-' is standard input)\n");
    } else if (f->metrics[0] != '\0' && !is_prometheus(f->metrics) &&
               !lint_read_metrics(f->metrics, &first, &second)) {
        code = EXIT_FAILED;
    } else {
        if (is_prometheus(f->metrics))
            w.lint.metrics = (struct lint_metrics){.from = str_of(f->metrics), .source = &source};
        else if (f->metrics[0] != '\0')
            w.lint.metrics =
                (struct lint_metrics){str_of(f->metrics), first.n != 0 ? buf_str(&first) : S(""),
                                      buf_str(&second), NULL};
        diags_init(&d);
        r = lint_and_fix(f, args, n_args, &w, &d);
        code = lint_print(f, &w, &r, &d);
        diags_release(&d);
    }
    buf_release(&first);
    buf_release(&second);
    vec_release(&w.levels);
    return code;
}
