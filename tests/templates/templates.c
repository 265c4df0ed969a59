/* templates [--language] FILE... - runs cases of template functions and says where an answer is not the expected one.
 *
 *     messages: {{ toUpper "abc" }}
 *         ABC
 *     rules: {{ parseDuration "x" }}
 *         ! error calling parseDuration
 *
 * A case is a line with the name of a set of functions and a template; below it, indented, what comes out, line by line, or
 * behind "! " a part of the text that it fails with. messages: Alertmanager's and sprig's functions; rules: Prometheus';
 * page: the same in HTML. It is 2026-01-02T03:04:05Z. The query "up" gives two samples, "none" none, any other an error.
 *
 * With --language it says which functions no case calls, which is a failure, and "said: " what templates failed with.
 */
#include <stdio.h>
#include <string.h>
#include "base/map.h"
#include "codec/timefmt.h"
#include "model/labels.h"
#include "os/zones.h"
#include "template/template.h"

struct set {
    const char *name;
    const struct tmpl_func *const *tables;
    enum template_mode mode;
    struct str_map called;
};

struct runner {
    const char *path;
    unsigned line, passed, failed;
    bool is_language;
    ts_ns now;
    struct arena texts; /* of all files: names of functions that are called point into it */
};

static const struct tmpl_func *const of_messages[] = {tmpl_alertmanager_funcs, TMPL_SPRIG, NULL};
static const struct tmpl_func *const of_rules[] = {tmpl_prometheus_funcs, NULL};
static struct set sets[] = {{"messages", of_messages, TEMPLATE_TEXT, {0}},
                            {"rules", of_rules, TEMPLATE_TEXT, {0}},
                            {"page", of_rules, TEMPLATE_HTML, {0}}};

static bool query(void *arg, str expr, struct samples *out, struct err *e)
{
    static const struct label one[] = {{S_INIT("__name__"), S_INIT("up")},
                                       {S_INIT("__value__"), S_INIT("text")},
                                       {S_INIT("i"), S_INIT("2")}},
                              two[] = {{S_INIT("__name__"), S_INIT("up")},
                                       {S_INIT("i"), S_INIT("1")}};
    static struct sample both[] = {{.labels = {one, 3}, .value = 0.5},
                                   {.labels = {two, 2}, .value = 2}};

    (void)arg;
    if (!str_is(expr, "up") && !str_is(expr, "none"))
        return err_set(e, ERR_INVALID, "no such query");
    *out = (struct samples){both, str_is(expr, "up") ? 2 : 0};
    return true;
}

/* -- which functions are called -- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Words of actions that are neither in strings nor fields nor variables. */
static void mark_called(struct set *s, str text)
{
    char quote = '\0', before = ' ';

    for (size_t i = 0; i < text.n; i++) {
        size_t begin = i;

        if (quote != '\0') {
            if (quote != '`' && text.p[i] == '\\')
                i++;
            else if (text.p[i] == quote)
                quote = '\0';
            continue;
        }
        if (text.p[i] == '"' || text.p[i] == '`')
            quote = text.p[i];
        while (i < text.n && is_word(text.p[i]))
            i++;
        if (i != begin && before != '.' && before != '$')
            str_map_put(&s->called, str_sub(text, begin, i), s);
        before = text.p[i < text.n ? i : text.n - 1];
        if (i != begin)
            i--;
    }
}

static unsigned report_table(const struct set *s, const struct tmpl_func *f)
{
    unsigned n = 0;

    for (; f->name != NULL; f++)
        if (str_map_get(&s->called, str_of(f->name)) == NULL) {
            printf("no case of %s calls %s\n", s->name, f->name);
            n++;
        }
    return n;
}

static unsigned report(void)
{
    unsigned n = report_table(&sets[0], tmpl_builtin_funcs);

    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; sets[i].tables[k] != NULL; k++)
            n += report_table(&sets[i], sets[i].tables[k]);
    return n;
}

/* -- cases -- */

static void say(struct runner *r, str text, const char *wanted, str want, const char *got, str what)
{
    printf("%s:%u: %.*s: %s%.*s, %s%.*s\n", r->path, r->line, STR(text), wanted, STR(want), got,
           STR(what));
    r->failed++;
}

static void judge(struct runner *r, str text, str want, bool ok, str out, const struct err *e)
{
    bool fails = str_starts_with(want, S("! "));
    str why = str_of(e->msg);

    if (!ok && r->is_language)
        printf("said: %.*s\n", STR(why));
    if (!ok && !fails)
        say(r, text, "wanted ", want, "failed: ", why);
    else if (!ok && str_find_str(why, str_sub(want, 2, want.n)) < 0)
        say(r, text, "wanted a failure with ", str_sub(want, 2, want.n), "failed: ", why);
    else if (ok && (fails || !str_eq(out, want)))
        say(r, text, "wanted ", want, "got ", out);
    else
        r->passed++;
}

static void run(struct runner *r, struct set *s, str text, str want)
{
    static const struct template_prometheus_host host = {
        .external_url = S_INIT("http://h/p"), .path_prefix = S_INIT("/p"), .query = query};
    struct template_run how = {.mode = s->mode,
                               .data = {.kind = TV_NIL},
                               .host = s->tables == of_rules ? &host : NULL,
                               .now = r->now,
                               .load_zone = zone_load,
                               .limits = TEMPLATE_LIMITS};
    struct template_set *set = template_set_new(s->tables);
    struct buf out = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok;

    mark_called(s, text);
    ok = template_exec_text(set, text, &how, &out, &e);
    judge(r, text, want, ok, buf_str(&out), &e);
    buf_release(&out);
    template_set_free(set);
}

static struct set *set_of(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        if (str_is(name, sets[i].name))
            return &sets[i];
    return NULL;
}

static void run_case(struct runner *r, str line, str *rest)
{
    str name = str_cut(&line, ':'), text = str_trim(line);
    struct set *s = set_of(name);
    struct buf want = BUF_INIT;
    unsigned at = r->line;

    while (str_starts_with(*rest, S("    "))) {
        str l = str_cut(rest, '\n');

        buf_addf(&want, "%s%.*s", want.n != 0 ? "\n" : "", STR(str_sub(l, 4, l.n)));
        at++;
    }
    if (s == NULL)
        say(r, name, "a set of functions expected", STR_NONE, "", STR_NONE);
    else
        run(r, s, text, buf_str(&want));
    r->line = at;
    buf_release(&want);
}

static void run_file(struct runner *r, const char *path)
{
    FILE *f = fopen(path, "rb");
    enum { FILE_MAX = 1 << 20 };
    char *bytes = arena_alloc(&r->texts, FILE_MAX);
    str rest;

    r->path = path;
    r->line = 0;
    if (f == NULL) {
        printf("%s: cannot be read\n", path);
        r->failed++;
        return;
    }
    rest = (str){bytes, fread(bytes, 1, FILE_MAX, f)};
    fclose(f);
    while (rest.n != 0) {
        str line = str_cut(&rest, '\n');

        r->line++;
        if (line.n != 0 && line.p[0] != '#')
            run_case(r, line, &rest);
    }
}

int main(int argc, char **argv)
{
    struct runner r = {.path = NULL};
    int first = 1;

    if (!rfc3339_parse(S("2026-01-02T03:04:05Z"), &r.now, NULL))
        return 2;
    if (argc > 1 && strcmp(argv[1], "--language") == 0) {
        r.is_language = true;
        first++;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: templates [--language] FILE...\n");
        return 2;
    }
    arena_init(&r.texts, 0);
    for (int i = first; i < argc; i++)
        run_file(&r, argv[i]);
    if (r.is_language)
        r.failed += report();
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        str_map_release(&sets[i].called);
    arena_release(&r.texts);
    printf("%u passed, %u failed\n", r.passed, r.failed);
    return r.failed != 0;
}
