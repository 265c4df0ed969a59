#include "cli/route.h"

#include <stdio.h>
#include "cli/config_paths.h"
#include "cli/say.h"
#include "codec/duration.h"
#include "codec/json.h"
#include "config/config.h"
#include "lint/render.h"
#include "route/tree.h"

#define F struct route_flags
#define ROUTE_ROWS                                                                                 \
    CLIENT_ASK_ROWS(F), FLAG(F, config_files, "config.file", FLAG_LIST, NULL, "FILE",              \
                             "configuration to read, repeated; without one the server is asked")
const struct flag route_show_flags[] = {ROUTE_ROWS, FLAGS_END};
const struct flag route_test_flags[] = {
    ROUTE_ROWS,
    FLAG(F, verify, "verify.receivers", FLAG_TEXT, "", "A,B",
         "exit with 1 unless these are the receivers"),
    FLAGS_END,
};
#undef F

/* -- the configuration -- */

static struct config *route_load(const struct route_flags *f)
{
    struct config_options o = {.mode = MATCHER_FALLBACK, .without_rules = true};
    struct render_options ro = {.least = DIAG_ERROR};
    struct config *c = NULL;
    struct buf out = BUF_INIT;
    struct arena a;
    struct diags d;

    arena_init(&a, 0);
    diags_init(&d);
    if (f->config_files.n != 0) {
        str *paths = config_paths(f->config_files, &o.n_paths);

        o.paths = paths;
        c = config_load(&o, &d);
        mem_free(paths);
    } else {
        struct config_text text = {.path = S("the server's configuration")};

        if (client_configuration(&f->client, &a, &text.text) == EXIT_OK)
            c = config_load_texts(&text, 1, &o, &d);
    }
    if (c == NULL) {
        diags_render(&out, &d, &ro);
        say(stderr, "%.*s", STR(buf_str(&out)));
    } else if (c->route == NULL) {
        say(stderr, "tocsin: this configuration has no routes\n");
        config_unref(c);
        c = NULL;
    }
    buf_release(&out);
    diags_release(&d);
    arena_release(&a);
    return c;
}

/* -- show -- */

static void print_timers(const struct route *r)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "  group_by: [");
    for (size_t i = 0; i < r->n_group_by; i++)
        buf_addf(&b, "%s%.*s", i != 0 ? ", " : "", STR(r->group_by[i]));
    buf_addf(&b, "%s]  ", r->group_by_all ? "..." : "");
    duration_print(&b, r->conf->group_wait);
    buf_adds(&b, " / ");
    duration_print(&b, r->conf->group_interval);
    buf_adds(&b, " / ");
    duration_print(&b, r->conf->repeat_interval);
    for (size_t i = 0; i < r->n_mute_intervals; i++)
        buf_addf(&b, "  mute: %.*s", STR(r->mute_intervals[i]));
    for (size_t i = 0; i < r->n_active_intervals; i++)
        buf_addf(&b, "  active: %.*s", STR(r->active_intervals[i]));
    say(stdout, "%.*s\n", STR(buf_str(&b)));
    buf_release(&b);
}

static void print_tree(const struct route *r, struct buf *indent, bool is_last)
{
    struct buf matchers = BUF_INIT;
    size_t before = indent->n;

    if (r->parent != NULL) {
        say(stdout, "%.*s%s", STR(buf_str(indent)), is_last ? "└── " : "├── ");
        matchers_print(&matchers, &r->matchers);
        say(stdout, "%.*s  ", STR(buf_str(&matchers)));
        buf_addf(indent, "%s", is_last ? "    " : "│   ");
    }
    say(stdout, "%sreceiver: %.*s", r->goes_on ? "continue: true  " : "", STR(r->receiver));
    print_timers(r);
    for (size_t i = 0; i < r->n_children; i++)
        print_tree(r->children[i], indent, i + 1 == r->n_children);
    indent->n = before;
    buf_release(&matchers);
}

int route_show_run(const void *flags, char **args, int n_args)
{
    struct config *c;
    struct route_tree tree;
    struct buf indent = BUF_INIT;

    (void)args;
    if (n_args != 0) {
        say(stderr, "tocsin: route show takes no argument\n");
        return EXIT_USAGE;
    }
    c = route_load(flags);
    if (c == NULL)
        return EXIT_FAILED;
    route_tree_init(&tree, c->route);
    say(stdout, "receiver, group_by, group_wait / group_interval / repeat_interval\n");
    print_tree(tree.root, &indent, true);
    route_tree_release(&tree);
    buf_release(&indent);
    config_unref(c);
    return EXIT_OK;
}

/* -- test -- */

static bool parse_labels(char **args, int n, struct arena *a, struct labels *out)
{
    struct label *v = arena_array(a, (size_t)n, sizeof(*v));
    size_t k;
    str dup;

    for (int i = 0; i < n; i++) {
        v[i].value = str_of(args[i]);
        v[i].name = str_cut(&v[i].value, '=');
        if (v[i].name.n == 0 || v[i].value.p == NULL || str_find(v[i].name, '{') >= 0) {
            say(stderr, "tocsin: '%s' is not LABEL=VALUE (no braces)\n", args[i]);
            return false;
        }
    }
    k = labels_sort(v, (size_t)n, &dup);
    if (k == SIZE_MAX) {
        say(stderr, "tocsin: label '%.*s' is given twice\n", STR(dup));
        return false;
    }
    *out = (struct labels){v, k};
    return true;
}

static void print_step(const struct route_trace *t)
{
    static const char *const verdicts[] = {[ROUTE_PASSES] = "matches",
                                           [ROUTE_TAKES] = "takes it",
                                           [ROUTE_FAILS] = "fails at ",
                                           [ROUTE_NOT_TRIED] =
                                               "not tried: a route before it took it"};
    struct buf b = BUF_INIT;

    matchers_print(&b, &t->route->matchers);
    say(stdout, "%*s%.*s  %s", (int)(2 * t->depth), "", STR(buf_str(&b)), verdicts[t->kind]);
    buf_clear(&b);
    if (t->failed != NULL)
        matcher_print(&b, t->failed);
    say(stdout, "%.*s\n", STR(buf_str(&b)));
    buf_release(&b);
}

static void print_taker(const struct route *r, struct labels ls, struct arena *a)
{
    struct buf key = BUF_INIT;

    route_group_key(&key, r, route_group_labels(r, a, ls));
    say(stdout, "%.*s  group %.*s", STR(r->receiver), STR(buf_str(&key)));
    print_timers(r);
    buf_release(&key);
}

static int verify(const struct route_list *takers, const char *wanted)
{
    struct buf got = BUF_INIT;
    bool same;

    for (size_t i = 0; i < takers->n; i++)
        buf_addf(&got, "%s%.*s", i != 0 ? "," : "", STR(takers->v[i]->receiver));
    same = wanted[0] == '\0' || str_is(buf_str(&got), wanted);
    if (!same)
        say(stderr, "tocsin: expected receivers are %s, the tree gives %.*s\n", wanted,
            STR(buf_str(&got)));
    buf_release(&got);
    return same ? EXIT_OK : EXIT_FAILED;
}

static int test(const struct route_flags *f, const struct config *c, struct labels ls,
                struct arena *a)
{
    struct route_list takers = {0};
    struct route_trace_list trace = {0};
    struct route_tree tree;
    int code;

    route_tree_init(&tree, c->route);
    route_tree_match(&tree, ls, &takers);
    route_tree_trace(&tree, ls, &trace);
    for (size_t i = 0; i < trace.n; i++)
        print_step(&trace.v[i]);
    for (size_t i = 0; i < takers.n; i++)
        print_taker(takers.v[i], ls, a);
    code = verify(&takers, f->verify);
    vec_release(&takers);
    vec_release(&trace);
    route_tree_release(&tree);
    return code;
}

int route_test_run(const void *flags, char **args, int n_args)
{
    struct config *c = NULL;
    struct labels ls;
    struct arena a;
    int code = EXIT_USAGE;

    arena_init(&a, 0);
    if (n_args == 0)
        say(stderr, "tocsin: route test needs labels: severity=critical team=gpu\n");
    else if (parse_labels(args, n_args, &a, &ls)) {
        c = route_load(flags);
        code = c != NULL ? test(flags, c, ls, &a) : EXIT_FAILED;
    }
    config_unref(c);
    arena_release(&a);
    return code;
}
