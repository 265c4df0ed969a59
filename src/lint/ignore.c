/* Comments are found in the text and not in the tree, so that a file that cannot be read as YAML has them too. What an entry
 * is shows the indentation: a list item, or a key with what is below it. */
#include "lint/ignore.h"

#include <limits.h>
#include "codec/timefmt.h"
#include "lint/checks.h"

struct ignore_line {
    str text; /* without its end */
    size_t indent;
    bool says; /* neither blank nor a comment alone */
};

struct ignore_reader {
    struct ignores *in;
    VEC(struct ignore_line) lines; /* by number, from 1 */
    str file;
    ts_ns now;
    struct arena *a;
    struct diags *d;
    int begun; /* pint's ignore/begin; 0: none is open */
};

/* -- lines -- */

static void split(struct ignore_reader *r, str text)
{
    vec_push(&r->lines, (struct ignore_line){.says = false});
    while (text.n != 0) {
        struct ignore_line l = {.text = str_cut(&text, '\n')};

        while (l.indent < l.text.n && l.text.p[l.indent] == ' ')
            l.indent++;
        l.says = str_trim(l.text).n != 0 && l.text.p[l.indent] != '#';
        vec_push(&r->lines, l);
    }
}

static bool is_item(const struct ignore_line *l)
{
    str s = str_sub(l->text, l->indent, l->text.n);

    return str_starts_with(s, S("- ")) || str_is(str_trim(s), "-");
}

/* The next line that says something; 0: none. */
static int next_line(const struct ignore_reader *r, int line)
{
    for (size_t i = (size_t)line + 1; i < r->lines.n; i++)
        if (r->lines.v[i].says)
            return (int)i;
    return 0;
}

/* The line before which something stands that is no deeper than indent. */
static int block_end(const struct ignore_reader *r, int first, size_t indent)
{
    int last = first;

    for (int i = first; (i = next_line(r, i)) != 0 && r->lines.v[i].indent > indent;)
        last = i;
    return last;
}

/* The list item whose keys stand at this indentation, above line; 0: they are no item's. */
static int item_above(const struct ignore_reader *r, int line, size_t indent)
{
    for (int i = line - 1; i > 0; i--) {
        const struct ignore_line *l = &r->lines.v[i];

        if (l->says && l->indent < indent)
            return is_item(l) && l->indent + 2 <= indent ? i : 0;
    }
    return 0;
}

/* What a comment alone in its line is about. */
static bool entry_of(const struct ignore_reader *r, int line, int *first, int *last)
{
    int next = next_line(r, line);
    size_t indent = r->lines.v[line].indent;
    int item = item_above(r, line, indent);

    if (next != 0 && r->lines.v[next].indent >= indent) {
        indent = r->lines.v[next].indent;
        item = is_item(&r->lines.v[next]) ? 0 : item_above(r, line, indent);
        *first = item != 0 ? item : next;
    } else if (item != 0) {
        *first = item; /* behind its last key */
    } else {
        return false;
    }
    *last = block_end(r, *first, r->lines.v[*first].indent);
    if (*last < line && item != 0)
        *last = line;
    return true;
}

/* -- words -- */

static void complain(struct ignore_reader *r, int line, const char *what, str word)
{
    struct diag_place at = {.file = r->file, .line = line, .col = 1};
    struct ignore_line *l = &r->lines.v[line];
    long hash = str_find(l->text, '#');

    at.col = hash >= 0 ? (int)hash + 1 : 1;
    at.at = (size_t)(l->text.p - r->lines.v[1].text.p) + (size_t)at.col - 1;
    at.len = l->text.n - (size_t)at.col + 1;
    diags_add(r->d, DIAG_WARNING, "R100", at, "this comment switches nothing off: %s%s%.*s%s", what,
              word.n != 0 ? " \"" : "", STR(word), word.n != 0 ? "\"" : "");
}

static str ignore_word(str *rest)
{
    str w;

    *rest = str_trim(*rest);
    w = str_cut(rest, ' ');
    *rest = str_trim(*rest);
    return w;
}

/* A day at whose beginning it ends. Says so when it has. */
static bool is_over(struct ignore_reader *r, int line, str day)
{
    ts_ns until;

    if (!api_time_parse(day, &until, NULL))
        complain(r, line, "not a date:", day);
    else if (until <= r->now)
        complain(r, line, "it has ended on", day);
    else
        return false;
    return true;
}

static void ignore_add(struct ignore_reader *r, const char *id, int first, int last)
{
    vec_push(&r->in->v, (struct ignored){r->file, id, first, last});
}

/* -- ours -- */

static void read_ours(struct ignore_reader *r, int line, str rest, bool is_alone)
{
    str verb = ignore_word(&rest);
    bool is_file = str_is(verb, "ignore-file");
    int first = is_file ? 0 : line, last = is_file ? INT_MAX : line;
    size_t from = r->in->v.n, n = 0;

    if (!is_file && !str_is(verb, "ignore")) {
        complain(r, line, "unknown word", verb);
        return;
    }
    if (!is_file && is_alone && !entry_of(r, line, &first, &last)) {
        complain(r, line, "there is nothing below it", STR_NONE);
        return;
    }
    for (; rest.n != 0; n++) {
        str word = ignore_word(&rest);
        const struct check_row *row;

        if (str_is(word, "until")) {
            if (is_over(r, line, ignore_word(&rest)))
                r->in->v.n = from;
            break;
        }
        if (str_is(word, "--"))
            break; /* a reason */
        if (str_ends_with(word, S(",")))
            word.n--;
        row = check_of(word);
        if (row != NULL)
            ignore_add(r, row->id, first, last);
        else
            complain(r, line, "no check is called", word);
    }
    if (n == 0)
        complain(r, line, "which check? Its id follows, such as R046", STR_NONE);
}

/* -- pint's -- */

static bool has_pint_name(const struct check_row *row, str name)
{
    str all = row->pint != NULL ? str_of(row->pint) : STR_NONE;

    while (all.n != 0)
        if (str_eq(str_cut(&all, ' '), name))
            return true;
    return false;
}

/* "promql/regexp" or "promql/series(up)". One that has no equal here is none to switch off. */
static void ignore_pint(struct ignore_reader *r, str name, int first, int last)
{
    long bracket = str_find(name, '(');

    if (bracket >= 0)
        name.n = (size_t)bracket;
    for (const struct check_row *row = check_rows; row->id != NULL; row++)
        if (has_pint_name(row, name))
            ignore_add(r, row->id, first, last);
}

static void read_pint(struct ignore_reader *r, int line, str rest, bool is_alone)
{
    str verb = ignore_word(&rest);
    bool is_file = str_starts_with(verb, S("file/"));
    int first = 0, last = INT_MAX;

    if (str_is(verb, "ignore/file")) {
        ignore_add(r, NULL, 0, INT_MAX);
    } else if (str_is(verb, "ignore/line")) {
        ignore_add(r, NULL, line, line);
    } else if (str_is(verb, "ignore/next-line")) {
        ignore_add(r, NULL, line + 1, line + 1);
    } else if (str_is(verb, "ignore/begin")) {
        r->begun = line;
    } else if (str_is(verb, "ignore/end")) {
        if (r->begun != 0)
            ignore_add(r, NULL, r->begun, line);
        r->begun = 0;
    } else if (str_is(verb, "disable") || str_is(verb, "file/disable") || str_is(verb, "snooze") ||
               str_is(verb, "file/snooze")) {
        if (str_ends_with(verb, S("snooze")) && is_over(r, line, ignore_word(&rest)))
            return;
        if (!is_file && is_alone && !entry_of(r, line, &first, &last))
            complain(r, line, "there is nothing below it", STR_NONE);
        else
            ignore_pint(r, ignore_word(&rest), is_file || is_alone ? first : line,
                        is_file || is_alone ? last : line);
    }
}

/* -- the file -- */

static void read_line(struct ignore_reader *r, int line)
{
    const struct ignore_line *l = &r->lines.v[line];
    str rest = l->text;
    long hash;

    while ((hash = str_find(rest, '#')) >= 0) {
        bool begins = rest.p + hash == l->text.p || rest.p[hash - 1] == ' ';

        rest = str_sub(rest, (size_t)hash + 1, rest.n);
        if (!begins)
            continue;
        rest = str_trim(rest);
        if (str_starts_with(rest, S("tocsin:"))) {
            read_ours(r, line, str_sub(rest, 7, rest.n), !l->says);
            return;
        }
        if (str_starts_with(rest, S("pint "))) {
            read_pint(r, line, str_sub(rest, 5, rest.n), !l->says);
            return;
        }
    }
}

void ignores_read(struct ignores *in, str text, str file, ts_ns now, struct arena *a,
                  struct diags *d)
{
    struct ignore_reader r = {.in = in, .file = file, .now = now, .a = a, .d = d};

    if (str_find_str(text, S("tocsin:")) < 0 && str_find_str(text, S("pint ")) < 0)
        return;
    split(&r, text);
    for (size_t i = 1; i < r.lines.n; i++)
        read_line(&r, (int)i);
    if (r.begun != 0)
        ignore_add(&r, NULL, r.begun, INT_MAX);
    vec_release(&r.lines);
}

bool ignores_has(const struct ignores *in, const char *id, const struct diag_place *at)
{
    for (size_t i = 0; i < in->v.n; i++) {
        const struct ignored *x = &in->v.v[i];

        if ((x->id == NULL || strcmp(x->id, id) == 0) && at->line >= x->first &&
            at->line <= x->last && str_eq(x->file, at->file))
            return true;
    }
    return false;
}

void ignores_release(struct ignores *in)
{
    vec_release(&in->v);
}
