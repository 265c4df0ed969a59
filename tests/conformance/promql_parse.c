/* promql_parse.c - expressions of other projects parse, or are refused where Prometheus refuses them, and what is
 * printed reads back as itself: the 539 queries of the compliance suite, every eval of the .test files, every expr of
 * the rule corpora.
 */
#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "codec/yaml.h"
#include "promql/promql.h"
#include "promql/series.h"

struct run {
    unsigned checked, failed, refused, parsed;
};

static str read_file(const char *path, struct arena *a)
{
    FILE *f = fopen(path, "rb");
    struct buf b = BUF_INIT;
    char block[16384];
    size_t k;
    str s;

    if (f == NULL)
        return STR_NONE;
    while ((k = fread(block, 1, sizeof(block), f)) != 0)
        buf_add(&b, (str){block, k});
    fclose(f);
    s = arena_str(a, buf_str(&b));
    buf_release(&b);
    return s;
}

static bool round_trip(struct promql_expr *x, struct arena *a)
{
    struct buf b = BUF_INIT, c = BUF_INIT;
    struct promql_expr *again;
    bool ok;

    promql_print(&b, x);
    again = promql_parse(buf_str(&b), &promql_everything, a, NULL, NULL);
    if (again != NULL)
        promql_print(&c, again);
    ok = again != NULL && str_eq(buf_str(&b), buf_str(&c));
    if (!ok)
        printf("printed as \"%.*s\", which reads back as \"%.*s\"\n", STR(buf_str(&b)),
               STR(buf_str(&c)));
    promql_release(again);
    buf_release(&b);
    buf_release(&c);
    return ok;
}

enum wanted { GOOD, BAD, EITHER };

static void check(struct run *r, str text, enum wanted wanted, const char *where, unsigned line)
{
    struct arena a;
    struct err e = ERR_INIT;
    struct promql_expr *x;
    bool ok;

    arena_init(&a, 0);
    x = promql_parse(text, &promql_everything, &a, NULL, &e);
    ok = wanted == EITHER || (x != NULL) == (wanted == GOOD);
    if (!ok)
        printf("%s:%u: %.*s\n  %s %d:%d: %s\n", where, line, STR(text),
               x != NULL ? "parses" : "refused", e.line, e.col, e.msg);
    if (x != NULL)
        ok = round_trip(x, &a) && ok;
    r->checked++;
    r->failed += !ok;
    r->parsed += x != NULL;
    r->refused += x == NULL;
    promql_release(x);
    arena_release(&a);
}

/* -- the compliance suite: OK or FAIL, a tab, the query -- */

/* Bad names and patterns in strings are found when the query runs: four of the five that must fail. */
static enum wanted wanted_of_row(str verdict, str query)
{
    if (!str_is(verdict, "FAIL"))
        return GOOD;
    return str_starts_with(query, S("label_")) ? GOOD : BAD;
}

static void check_compliance(struct run *r, struct arena *a)
{
    const char *path = TOCSIN_SHARED "/conformance/compliance/promql-queries-expanded.tsv";
    str rest = read_file(path, a);
    unsigned line = 0;

    while (rest.n != 0) {
        str row = str_cut(&rest, '\n'), verdict = str_cut(&row, '\t');

        line++;
        check(r, row, wanted_of_row(verdict, row), "promql-queries-expanded.tsv", line);
    }
}

/* -- .test files: eval instant [at T] QUERY, eval range from T to T step D QUERY -- */

static str word(str *rest)
{
    *rest = str_trim(*rest);
    return str_cut(rest, ' ');
}

static str query_of(str line)
{
    str rest = line, kind;

    word(&rest);
    kind = word(&rest);
    rest = str_trim(rest);
    if (str_is(kind, "instant") && str_starts_with(rest, S("at "))) {
        word(&rest);
        word(&rest);
    } else if (str_is(kind, "range"))
        for (int i = 0; i < 6; i++)
            word(&rest);
    return str_trim(rest);
}

/* An eval that must fail may do so when it runs: then it parses. */
static enum wanted wanted_of(str line, str below)
{
    if (str_starts_with(line, S("eval_fail")))
        return EITHER;
    while (below.n != 0) {
        str next = str_trim(str_cut(&below, '\n'));

        if (!str_starts_with(next, S("expect")))
            break;
        if (str_starts_with(next, S("expect fail")))
            return EITHER;
    }
    return GOOD;
}

static void check_series(struct run *r, str row, const char *path, unsigned line)
{
    struct arena a;
    struct err e = ERR_INIT;
    struct series_line series;
    bool ok;

    arena_init(&a, 0);
    ok = series_parse(row, &a, &series, &e) && series.n != 0;
    if (!ok)
        printf("%s:%u: %.*s\n  %d: %s\n", path, line, STR(row), e.col, e.msg);
    r->checked++;
    r->parsed += ok;
    r->failed += !ok;
    arena_release(&a);
}

/* A load goes on to the first empty line or comment; lines of start timestamps are not values. */
static void check_test_file(struct run *r, struct run *series, const char *path, struct arena *a)
{
    str rest = read_file(path, a);
    bool in_load = false;

    for (unsigned line = 1; rest.n != 0; line++) {
        str row = str_trim(str_cut(&rest, '\n'));

        if (row.n == 0 || row.p[0] == '#')
            in_load = false;
        else if (in_load && str_find_str(row, S("@st")) < 0)
            check_series(series, row, path, line);
        else if (str_starts_with(row, S("load")))
            in_load = true;
        else if (str_starts_with(row, S("eval")))
            check(r, query_of(row), wanted_of(row, rest), path, line);
    }
}

static void check_test_files(struct run *r, struct run *series, struct arena *a)
{
    glob_t found;

    if (glob(TOCSIN_SHARED "/conformance/promql/*.test", 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_test_file(r, series, found.gl_pathv[i], a);
    globfree(&found);
}

/* -- rule files: every "expr" anywhere -- */

static void check_node(struct run *r, const struct yaml_node *n, const char *path)
{
    for (size_t i = 0; n->kind == YAML_LIST && i < n->n; i++)
        check_node(r, n->items[i], path);
    for (size_t i = 0; n->kind == YAML_MAP && i < n->n; i++) {
        const struct yaml_node *value = n->pairs[i].value;

        if (str_is(n->pairs[i].key->text, "expr") && value->kind == YAML_SCALAR)
            check(r, value->text, GOOD, path, (unsigned)value->start.line);
        else
            check_node(r, value, path);
    }
}

static bool is_bad_on_purpose(const char *path)
{
    static const char *const bad[] = {"bad_expr.bad.yaml", "noexpr.bad.yaml",
                                      "bad-rules-syntax.yml"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (str_ends_with(str_of(path), str_of(bad[i])))
            return true;
    return false;
}

static void check_rules(struct run *r, const char *path)
{
    struct arena a;
    struct diags d;
    struct yaml_doc doc;

    arena_init(&a, 0);
    diags_init(&d);
    if (yaml_parse(read_file(path, &a), str_of(path), &a, &doc, &d) && doc.root != NULL &&
        !is_bad_on_purpose(path))
        check_node(r, doc.root, path);
    diags_release(&d);
    arena_release(&a);
}

static void check_folder(struct run *r, const char *folder, int depth)
{
    DIR *dir = opendir(folder);
    struct dirent *e;

    while (dir != NULL && (e = readdir(dir)) != NULL) {
        struct buf path = BUF_INIT;
        struct stat st;
        str name = str_of(e->d_name);

        if (name.p[0] == '.')
            continue;
        buf_addf(&path, "%s/%s", folder, e->d_name);
        if (stat(buf_z(&path), &st) == 0 && S_ISDIR(st.st_mode) && depth < 8)
            check_folder(r, buf_z(&path), depth + 1);
        else if (str_ends_with(name, S(".yml")) || str_ends_with(name, S(".yaml")))
            check_rules(r, buf_z(&path));
        buf_release(&path);
    }
    if (dir != NULL)
        closedir(dir);
}

static void say(const char *what, const struct run *r)
{
    printf("%s: %u expressions, %u parse, %u refused, %u wrong\n", what, r->checked, r->parsed,
           r->refused, r->failed);
}

int main(void)
{
    struct run compliance = {0}, tests = {0}, series = {0}, rules = {0};
    FILE *probe = fopen(TOCSIN_SHARED "/conformance/INDEX.md", "r");
    struct arena a;

    if (probe == NULL) {
        printf("no conformance data in %s\n", TOCSIN_SHARED);
        return getenv("CI") != NULL && strcmp(getenv("CI"), "true") == 0 ? 1 : 77;
    }
    fclose(probe);
    arena_init(&a, 0);
    check_compliance(&compliance, &a);
    check_test_files(&tests, &series, &a);
    check_folder(&rules, TOCSIN_SHARED "/conformance/rules", 0);
    check_folder(&rules, TOCSIN_SHARED "/conformance/ai-rules", 0);
    arena_release(&a);
    say("compliance suite", &compliance);
    say(".test files", &tests);
    say("series lines", &series);
    say("rule files", &rules);
    return compliance.failed + tests.failed + series.failed + rules.failed != 0 ||
           compliance.checked != 539 || compliance.refused != 1;
}
