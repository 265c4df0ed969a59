/* What is compared are lines: the configuration as Alertmanager shows it, with defaults filled in and secrets hidden, then
 * a line a rule. */
#include "cli/config.h"

#include <stdlib.h>
#include "base/vec.h"
#include "cli/config_paths.h"
#include "cli/say.h"
#include "cli/table.h"
#include "codec/duration.h"
#include "config/config.h"
#include "lint/render.h"
#include "os/file.h"
#include "schema/redact.h"
#include "schema/schema.h"

#define F struct config_flags
const struct flag config_show_flags[] = {
    CLIENT_ASK_ROWS(F),
    FLAG(F, config_files, "config.file", FLAG_LIST, NULL, "FILE",
         "configuration to read, repeated; without one the server is asked"),
    FLAG(F, origin, "origin", FLAG_BOOL, NULL, NULL,
         "each key that the files set, with its file and line"),
    FLAGS_END,
};
const struct flag config_diff_flags[] = {
    CLIENT_ASK_ROWS(F),
    FLAG(F, config_files, "config.file", FLAG_LIST, NULL, "FILE",
         "configuration that is compared with what the server runs, repeated"),
    FLAGS_END,
};
#undef F

struct config_lines {
    str *v;
    size_t n, cap;
};

static struct config *cli_config_load(const struct config_flags *f)
{
    struct config_options o = {.mode = MATCHER_FALLBACK};
    str *paths = config_paths(f->config_files, &o.n_paths);
    struct config *c;
    struct diags d;

    diags_init(&d);
    o.paths = paths;
    c = config_load(&o, &d);
    if (c == NULL)
        diags_print(stderr, &d);
    diags_release(&d);
    mem_free(paths);
    return c;
}

/* -- show -- */

static void config_add_key(struct table *t, const struct yaml_doc *doc, const struct yaml_node *at,
                           str path)
{
    str line = doc->source, end;
    struct redact_ranges hidden;
    struct buf shown = BUF_INIT;
    size_t from = at->start.at;

    while (from != 0 && line.p[from - 1] != '\n')
        from--;
    end = str_sub(line, from, line.n);
    line = str_cut(&end, '\n');
    redact_line(&(struct redact_text){.all = doc->source}, line, &hidden);
    redact_print(&shown, line, &hidden);
    table_add(t, path);
    table_add(t, arena_printf(&t->arena, "%.*s:%d", STR(doc->file), at->start.line));
    table_add(t, str_trim(buf_str(&shown)));
    buf_release(&shown);
}

static bool is_leaf(const struct yaml_node *n)
{
    if (n->kind == YAML_SCALAR || n->n == 0)
        return true;
    return n->kind == YAML_LIST && n->items[0]->kind == YAML_SCALAR;
}

static void add_keys(struct table *t, const struct yaml_doc *doc, const struct yaml_node *n,
                     str path)
{
    for (size_t i = 0; n->kind == YAML_MAP && i < n->n; i++) {
        const struct yaml_pair *p = &n->pairs[i];
        str below = arena_printf(&t->arena, "%.*s%s%.*s", STR(path), path.n != 0 ? "." : "",
                                 STR(p->key->text));

        if (is_leaf(p->value))
            config_add_key(t, doc, p->key, below);
        else
            add_keys(t, doc, p->value, below);
    }
    for (size_t i = 0; n->kind == YAML_LIST && i < n->n; i++)
        add_keys(t, doc, n->items[i], arena_printf(&t->arena, "%.*s[%zu]", STR(path), i));
}

static bool config_add_file(struct table *t, str path)
{
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;
    struct yaml_doc doc;
    struct diags d;
    bool ok = file_read(path, FILE_OR_PIPE, YAML_MAX, &text, &e);

    diags_init(&d);
    if (!ok)
        say(stderr, "tocsin: %s\n", e.msg);
    else if (!yaml_parse(buf_str(&text), path, &t->arena, &doc, &d))
        ok = (diags_print(stderr, &d), false);
    else if (doc.root != NULL)
        add_keys(t, &doc, doc.root, STR_NONE);
    diags_release(&d);
    buf_release(&text);
    return ok;
}

static int show_origin(const struct config_flags *f)
{
    struct table t;
    size_t n;
    str *paths = config_paths(f->config_files, &n);
    bool ok = true;

    table_init(&t, 3);
    for (size_t i = 0; i < n; i++)
        ok &= config_add_file(&t, paths[i]);
    table_print(&t, stdout);
    mem_free(paths);
    return ok ? EXIT_OK : EXIT_FAILED;
}

int config_show_run(const void *flags, char **args, int n_args)
{
    const struct config_flags *f = flags;
    struct config *c = NULL;
    struct arena a;
    str text = STR_NONE;
    int code;

    (void)args;
    if (n_args != 0 || (f->origin && f->config_files.n == 0)) {
        say(stderr, "tocsin: config show takes no argument, and --origin is of files: give them "
                    "with --config.file\n");
        return EXIT_USAGE;
    }
    if (f->origin)
        return show_origin(f);
    arena_init(&a, 0);
    if (f->config_files.n != 0) {
        c = cli_config_load(f);
        code = c != NULL ? EXIT_OK : EXIT_FAILED;
        text = c != NULL ? c->original : text;
    } else {
        code = client_configuration(&f->client, &a, &text);
    }
    say(stdout, "%.*s", STR(text));
    config_unref(c);
    arena_release(&a);
    return code;
}

/* -- diff -- */

static void config_add_text(struct config_lines *out, str text)
{
    while (text.n != 0)
        vec_push(out, str_cut(&text, '\n'));
}

static void print_pairs(struct buf *b, const char *what, const struct conf_map *m, struct arena *a)
{
    struct conf_pair *v = arena_copy(a, m->v, m->n, m->n, sizeof(*v));

    if (m->n == 0)
        return;
    qsort(v, m->n, sizeof(*v), conf_pair_order);
    buf_addf(b, " %s", what);
    for (size_t i = 0; i < m->n; i++)
        buf_addf(b, "%s%.*s=%.*s", i == 0 ? " " : ", ", STR(v[i].name), STR(v[i].value));
}

struct rule_said {
    str group, type, name, query;
    dur_ns hold_for, keep_firing_for;
    struct conf_map labels, annotations;
};

static void config_add_rule(struct config_lines *out, const struct rule_said *r, struct arena *a)
{
    struct buf b = BUF_INIT;

    buf_addf(&b, "%s rule %.*s of group %.*s: %.*s",
             str_is(r->type, "alerting") ? "alerting" : "recording", STR(r->name), STR(r->group),
             STR(r->query));
    if (r->hold_for != 0) {
        buf_add(&b, S(" for "));
        duration_print(&b, r->hold_for);
    }
    if (r->keep_firing_for != 0) {
        buf_add(&b, S(" keep_firing_for "));
        duration_print(&b, r->keep_firing_for);
    }
    print_pairs(&b, "labels", &r->labels, a);
    print_pairs(&b, "annotations", &r->annotations, a);
    vec_push(out, arena_str(a, buf_str(&b)));
    buf_release(&b);
}

static void sort_from(struct config_lines *l, size_t from)
{
    if (l->n > from + 1)
        qsort(l->v + from, l->n - from, sizeof(str), str_order);
}

static void lines_of_config(const struct config *c, struct arena *a, struct config_lines *out)
{
    size_t from;

    config_add_text(out, c->original);
    from = out->n;
    for (size_t i = 0; i < c->n_groups; i++)
        for (size_t j = 0; j < c->groups[i].n_rules; j++) {
            const struct rule_conf *r = &c->groups[i].rules[j];
            struct rule_said said = {.group = c->groups[i].name,
                                     .type = r->is_alert ? S("alerting") : S("recording"),
                                     .name = r->name,
                                     .query = rule_canonical(r),
                                     .hold_for = r->hold_for,
                                     .keep_firing_for = r->keep_firing_for,
                                     .labels = r->all_labels,
                                     .annotations = r->annotations};

            config_add_rule(out, &said, a);
        }
    sort_from(out, from);
}

static void read_pairs(struct json_reader *r, struct conf_map *out)
{
    VEC(struct conf_pair) v = VEC_INIT;
    str key, value;

    for (json_object_begin(r); json_object_next(r, &key);)
        if (json_string(r, &value))
            vec_push(&v, (struct conf_pair){.name = key, .value = value});
    *out = (struct conf_map){.v = arena_copy(r->a, v.v, v.n, v.n, sizeof(*v.v)), .n = v.n};
    vec_release(&v);
}

static dur_ns config_read_seconds(struct json_reader *r)
{
    double s = 0;

    json_double(r, &s);
    return (dur_ns)(s * 1e9 + 0.5);
}

static void read_rule(struct json_reader *r, struct rule_said *said)
{
    str key;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "name"))
            json_string(r, &said->name);
        else if (str_is(key, "query"))
            json_string(r, &said->query);
        else if (str_is(key, "type"))
            json_string(r, &said->type);
        else if (str_is(key, "duration"))
            said->hold_for = config_read_seconds(r);
        else if (str_is(key, "keepFiringFor"))
            said->keep_firing_for = config_read_seconds(r);
        else if (str_is(key, "labels"))
            read_pairs(r, &said->labels);
        else if (str_is(key, "annotations"))
            read_pairs(r, &said->annotations);
        else
            json_skip(r);
    }
}

/* Prometheus writes a group's name before its rules. */
static void config_read_group(struct json_reader *r, struct config_lines *out)
{
    str key, group = STR_NONE;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "name"))
            json_string(r, &group);
        else if (!str_is(key, "rules"))
            json_skip(r);
        else
            for (json_array_begin(r); json_array_next(r);) {
                struct rule_said said = {.group = group};

                read_rule(r, &said);
                config_add_rule(out, &said, r->a);
            }
    }
}

static int lines_of_server(const struct client_flags *c, struct arena *a, struct config_lines *out)
{
    struct buf answer = BUF_INIT;
    struct json_reader r;
    str key, text;
    size_t from;
    int code = client_configuration(c, a, &text);

    if (code == EXIT_OK)
        code = client_call(c, "GET", "/api/v1/rules?exclude_alerts=true", STR_NONE, &answer);
    if (code != EXIT_OK) {
        buf_release(&answer);
        return code;
    }
    config_add_text(out, text);
    from = out->n;
    json_reader_init(&r, arena_str(a, buf_str(&answer)), a, 32);
    buf_release(&answer);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (!str_is(key, "data")) {
            json_skip(&r);
            continue;
        }
        for (json_object_begin(&r); json_object_next(&r, &key);)
            if (str_is(key, "groups"))
                for (json_array_begin(&r); json_array_next(&r);)
                    config_read_group(&r, out);
            else
                json_skip(&r);
    }
    sort_from(out, from);
    if (json_end(&r))
        return EXIT_OK;
    say(stderr, "tocsin: the server's answer cannot be read: %s\n", r.err.msg);
    return EXIT_FAILED;
}

static void config_print_range(char sign, const str *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        say(stdout, "%c %.*s\n", sign, STR(v[i]));
}

/* The longest common subsequence of what common ends leave over: left[i][j] is how long it is from there on. Of very much
 * all is told as replaced. */
static void print_middle(const str *a, size_t n, const str *b, size_t m)
{
    enum { CELLS_MAX = 16 << 20 };
    size_t i = 0, j = 0, row = m + 1;
    uint32_t *left;

    if (n == 0 || m == 0 || n > CELLS_MAX / row) {
        config_print_range('-', a, n);
        config_print_range('+', b, m);
        return;
    }
    left = mem_array((n + 1) * row, sizeof(*left));
    for (i = n; i-- > 0;)
        for (j = m; j-- > 0;) {
            uint32_t down = left[(i + 1) * row + j], right = left[i * row + j + 1];

            left[i * row + j] = str_eq(a[i], b[j]) ? left[(i + 1) * row + j + 1] + 1
                                : down > right     ? down
                                                   : right;
        }
    for (i = j = 0; i < n || j < m;) {
        if (i < n && j < m && str_eq(a[i], b[j])) {
            i++, j++;
        } else if (j == m || (i < n && left[(i + 1) * row + j] >= left[i * row + j + 1])) {
            config_print_range('-', &a[i++], 1);
        } else {
            config_print_range('+', &b[j++], 1);
        }
    }
    mem_free(left);
}

static bool print_diff(const struct config_lines *a, const struct config_lines *b)
{
    size_t head = 0, tail = 0;

    while (head < a->n && head < b->n && str_eq(a->v[head], b->v[head]))
        head++;
    while (tail < a->n - head && tail < b->n - head &&
           str_eq(a->v[a->n - 1 - tail], b->v[b->n - 1 - tail]))
        tail++;
    if (head + tail == a->n && head + tail == b->n)
        return false;
    print_middle(a->v + head, a->n - head - tail, b->v + head, b->n - head - tail);
    return true;
}

int config_diff_run(const void *flags, char **args, int n_args)
{
    const struct config_flags *f = flags;
    struct config_lines runs = {0}, says = {0};
    int code = EXIT_FAILED;
    struct config *c;
    struct arena a;

    (void)args;
    if (n_args != 0 || (f->config_files.n == 0 && getenv("TOCSIN_CONFIG_FILES") == NULL)) {
        say(stderr, "tocsin: config diff takes no argument, and needs --config.file\n");
        return EXIT_USAGE;
    }
    arena_init(&a, 0);
    c = cli_config_load(f);
    if (c != NULL)
        code = lines_of_server(&f->client, &a, &runs);
    if (c != NULL && code == EXIT_OK) {
        lines_of_config(c, &a, &says);
        code = print_diff(&runs, &says) ? EXIT_FAILED : EXIT_OK;
    }
    vec_release(&runs);
    vec_release(&says);
    config_unref(c);
    arena_release(&a);
    return code;
}
