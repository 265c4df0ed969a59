/* A diagnostic as text with the line and a caret under the place, as JSON, or as GitHub's lines; further reports:
 * lint/report.c. Source lines are read again from the files, a secret in them is hidden, and widths are those that a terminal
 * shows. */
#include "lint/render.h"

#include <locale.h>
#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>
#include "os/file.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/json.h"
#include "lint/report.h"
#include "schema/redact.h"

enum { FILE_MAX = 16 << 20, LINE_MAX_SHOWN = 200 };

const char *diag_severity_text(enum diag_severity s)
{
    return s == DIAG_ERROR ? "error" : s == DIAG_WARNING ? "warning" : "info";
}

bool diag_severity_parse(str name, enum diag_severity *out)
{
    for (int s = DIAG_INFO; s <= DIAG_ERROR; s++) {
        if (str_is(name, diag_severity_text((enum diag_severity)s))) {
            *out = (enum diag_severity)s;
            return true;
        }
    }
    return false;
}

bool render_format_parse(str name, enum render_format *out)
{
    str names = S(RENDER_FORMATS);

    for (int i = 0; names.n != 0; i++)
        if (str_eq(str_cut(&names, ' '), name)) {
            *out = (enum render_format)i;
            return true;
        }
    return false;
}

/* -- source lines -- */

struct render_file {
    struct buf text; /* empty: cannot be read */
    struct redact_text hiding;
    VEC(str) lines;
};

struct renderer {
    struct buf *out;
    const struct render_options *o;
    struct str_map texts; /* path -> struct render_file * */
    /* The line shown last, and what is hidden in it: a file may be one line, and all problems in it. */
    str line;
    struct redact_ranges hidden;
    locale_t utf8; /* for the width of characters; 0: there is none */
};

/* As much as can be shown: what is no file any more, or never was, has no lines. */
static struct render_file *slurp(str path)
{
    struct render_file *f = mem_new(struct render_file);

    if (!file_read(path, FILE_REGULAR, FILE_MAX, &f->text, NULL))
        buf_clear(&f->text);
    f->hiding.all = buf_str(&f->text);
    for (str rest = f->hiding.all; rest.n != 0;)
        vec_push(&f->lines, str_cut(&rest, '\n'));
    return f;
}

/* *hiding: of its file, where there is a line. */
static str line_of(struct renderer *r, const struct diag_place *p, struct redact_text **hiding)
{
    void **hit = p->file.n != 0 ? str_map_get(&r->texts, p->file) : NULL;
    struct render_file *f;
    str line = STR_NONE;

    if (p->file.n == 0 || r->o->without_lines)
        return STR_NONE;
    if (hit == NULL)
        hit = str_map_put(&r->texts, p->file, slurp(p->file));
    f = *hit;
    *hiding = &f->hiding;
    if (p->line > 0 && (size_t)p->line <= f->lines.n)
        line = f->lines.v[p->line - 1];
    if (line.n != 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* In characters, as editors count. */
static int column_of(struct renderer *r, const struct diag_place *p)
{
    struct redact_text *hiding;
    str line = line_of(r, p, &hiding);

    if (p->col <= 1 || line.n < (size_t)p->col - 1)
        return p->col;
    return (int)utf8_count(str_sub(line, 0, (size_t)p->col - 1)) + 1;
}

static void release_texts(struct renderer *r)
{
    MAP_EACH (struct str_map_entry, e, &r->texts) {
        struct render_file *f = e->value;

        buf_release(&f->text);
        vec_release(&f->lines);
        mem_free(f);
    }
    str_map_release(&r->texts);
}

/* -- text -- */

static void colour(const struct renderer *r, const char *code)
{
    if (r->o->colour)
        buf_addf(r->out, "\033[%sm", code);
}

/* In cells. */
static size_t width_shown(const struct renderer *r, str s)
{
    locale_t before = r->utf8 != (locale_t)0 ? uselocale(r->utf8) : (locale_t)0;
    struct buf b = BUF_INIT;
    size_t n = 0;

    buf_add_shown_line(&b, s);
    for (str rest = buf_str(&b); rest.n != 0;) {
        uint32_t rune;
        int width;

        rest = str_sub(rest, utf8_decode(rest, &rune), rest.n);
        width = r->utf8 != (locale_t)0 ? wcwidth((wchar_t)rune) : 1;
        n += width >= 0 ? (size_t)width : 1;
    }
    if (before != (locale_t)0)
        uselocale(before);
    buf_release(&b);
    return n;
}

static void render_add_place(struct renderer *r, const struct diag_place *p)
{
    buf_add_shown_line(r->out, p->file.n != 0 ? p->file : S("<input>"));
    if (p->line > 0)
        buf_addf(r->out, ":%d:%d", p->line, column_of(r, p));
}

/* line: with what is hidden hidden. */
static void add_carets(struct renderer *r, str line, size_t from, size_t to, const char *code)
{
    size_t cells;

    from = from < line.n ? from : line.n;
    cells = width_shown(r, str_sub(line, from, to > from ? to : from));
    buf_pad(r->out, ' ', width_shown(r, str_sub(line, 0, from)));
    colour(r, code);
    buf_pad(r->out, '^', cells != 0 ? cells : 1);
    colour(r, "0");
    buf_addc(r->out, '\n');
}

static void add_source(struct renderer *r, const struct diag_place *p, const char *code)
{
    size_t from = p->col > 0 ? (size_t)p->col - 1 : 0;
    const struct redact_ranges *hidden = &r->hidden;
    struct buf shown = BUF_INIT;
    struct redact_text *hiding;
    str line = line_of(r, p, &hiding);

    if (line.n == 0)
        return;
    if (line.p != r->line.p) {
        redact_line(hiding, line, &r->hidden);
        r->line = line;
    }
    redact_print(&shown, line, hidden);
    line = str_sub(buf_str(&shown), 0, LINE_MAX_SHOWN);
    buf_addf(r->out, "      |\n%5d | ", p->line);
    buf_add_shown_line(r->out, line);
    buf_adds(r->out, "\n      | ");
    add_carets(r, line, redact_moved(hidden, from), redact_moved(hidden, from + p->len), code);
    buf_release(&shown);
}

static void render_text(struct renderer *r, const struct diag *g)
{
    const char *code = g->severity == DIAG_ERROR     ? "1;31"
                       : g->severity == DIAG_WARNING ? "1;33"
                                                     : "1;36";

    colour(r, code);
    buf_addf(r->out, "%s[%s]", diag_severity_text(g->severity), g->id);
    colour(r, "0");
    buf_adds(r->out, ": ");
    buf_add_shown_line(r->out, g->message);
    buf_adds(r->out, "\n  --> ");
    render_add_place(r, &g->place);
    buf_addc(r->out, '\n');
    add_source(r, &g->place, code);
    if (g->second.line != 0) {
        buf_adds(r->out, "  ::: ");
        render_add_place(r, &g->second);
        buf_addc(r->out, '\n');
        add_source(r, &g->second, "1;34");
    }
    if (g->help.n != 0) {
        buf_adds(r->out, "      = help: ");
        buf_add_shown_line(r->out, g->help);
        buf_addc(r->out, '\n');
    }
    buf_addc(r->out, '\n');
}

static void render_summary(struct renderer *r, const struct diags *d)
{
    buf_addf(r->out, "%zu error%s, %zu warning%s", d->errors, d->errors == 1 ? "" : "s",
             d->warnings, d->warnings == 1 ? "" : "s");
    if (d->dropped != 0)
        buf_addf(r->out, " (%zu problems are not shown)", d->dropped);
    buf_addc(r->out, '\n');
}

/* -- for machines -- */

static void put_place(struct renderer *r, struct json_writer *w, const struct diag_place *p)
{
    json_key(w, S("file"));
    json_put_str(w, p->file);
    json_key(w, S("line"));
    json_put_i64(w, p->line);
    json_key(w, S("column"));
    json_put_i64(w, column_of(r, p));
    json_key(w, S("offset"));
    json_put_u64(w, p->at);
    json_key(w, S("length"));
    json_put_u64(w, p->len);
}

static void put_diag(struct renderer *r, struct json_writer *w, const struct diag *g)
{
    json_open(w, '{');
    json_key(w, S("severity"));
    json_put_str(w, str_of(diag_severity_text(g->severity)));
    json_key(w, S("id"));
    json_put_str(w, str_of(g->id));
    json_key(w, S("message"));
    json_put_str(w, g->message);
    put_place(r, w, &g->place);
    if (g->help.n != 0) {
        json_key(w, S("help"));
        json_put_str(w, g->help);
    }
    if (g->second.line != 0) {
        json_key(w, S("first"));
        json_open(w, '{');
        put_place(r, w, &g->second);
        json_close(w, '}');
    }
    if (g->has_fix) {
        json_key(w, S("fix"));
        json_open(w, '{');
        json_key(w, S("offset"));
        json_put_u64(w, g->place.at);
        json_key(w, S("length"));
        json_put_u64(w, g->place.len);
        json_put_text(w, "text", g->fix);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void render_json(struct renderer *r, const struct diags *d, const struct diag **v, size_t n)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, false);
    json_open(&w, '{');
    json_key(&w, S("problems"));
    json_open(&w, '[');
    for (size_t i = 0; i < n; i++)
        put_diag(r, &w, v[i]);
    json_close(&w, ']');
    json_key(&w, S("errors"));
    json_put_u64(&w, d->errors);
    json_key(&w, S("warnings"));
    json_put_u64(&w, d->warnings);
    json_key(&w, S("dropped"));
    json_put_u64(&w, d->dropped);
    json_close(&w, '}');
    buf_add_shown(r->out, buf_str(&b)); /* all of it is in strings, where \u202e is what it was */
    buf_addc(r->out, '\n');
    buf_release(&b);
}

static void render_add_escaped(struct buf *out, str s, const char *special)
{
    struct buf shown = BUF_INIT;

    buf_add_shown(&shown, s);
    for (size_t i = 0; i < shown.n; i++) {
        if (shown.p[i] != '\0' && strchr(special, shown.p[i]) != NULL)
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)shown.p[i]);
        else
            buf_addc(out, shown.p[i]);
    }
    buf_release(&shown);
}

/* A workflow command of GitHub Actions. */
static void render_github(struct renderer *r, const struct diag *g)
{
    buf_addf(r->out,
             "::%s file=", g->severity == DIAG_INFO ? "notice" : diag_severity_text(g->severity));
    render_add_escaped(r->out, g->place.file, "%\r\n:,");
    buf_addf(r->out, ",line=%d,col=%d,title=%s::", g->place.line, column_of(r, &g->place), g->id);
    render_add_escaped(r->out, g->message, "%\r\n");
    if (g->help.n != 0) {
        buf_adds(r->out, "%0A");
        render_add_escaped(r->out, g->help, "%\r\n");
    }
    buf_addc(r->out, '\n');
}

/* -- order -- */

static int render_by_place(const void *a, const void *b)
{
    const struct diag *x = *(const struct diag *const *)a, *y = *(const struct diag *const *)b;
    int c = str_cmp(x->place.file, y->place.file);

    if (c == 0)
        c = (x->place.line > y->place.line) - (x->place.line < y->place.line);
    if (c == 0)
        c = (x->place.col > y->place.col) - (x->place.col < y->place.col);
    return c != 0 ? c : (x > y) - (x < y);
}

/* By file and line, whatever step found them; the caller frees the array. */
static const struct diag **in_order(const struct diags *d)
{
    const struct diag **v = mem_array(d->n, sizeof(*v));

    for (size_t i = 0; i < d->n; i++)
        v[i] = &d->v[i];
    if (d->n != 0)
        qsort(v, d->n, sizeof(*v), render_by_place);
    return v;
}

/* -- reports -- */

static void render_report(struct renderer *r, const struct diag **v, size_t n)
{
    struct report_item *items = mem_array(n, sizeof(*items));
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < n; i++)
        items[i] = (struct report_item){v[i], column_of(r, &v[i]->place),
                                        v[i]->second.line != 0 ? column_of(r, &v[i]->second) : 0};
    if (r->o->format == RENDER_SARIF)
        report_sarif(&b, items, n);
    else if (r->o->format == RENDER_JUNIT)
        report_junit(&b, items, n);
    else
        report_checkstyle(&b, items, n);
    buf_add_shown(r->out, buf_str(&b));
    buf_release(&b);
    mem_free(items);
}

/* -- all -- */

void diags_render(struct buf *out, const struct diags *d, const struct render_options *o)
{
    struct renderer r = {
        .out = out, .o = o, .utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};
    const struct diag **v = in_order(d);
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        if (v[i]->severity >= o->least)
            v[n++] = v[i];
    switch (o->format) {
    case RENDER_TEXT:
        for (size_t i = 0; i < n; i++)
            render_text(&r, v[i]);
        render_summary(&r, d);
        break;
    case RENDER_JSON: render_json(&r, d, v, n); break;
    case RENDER_GITHUB:
        for (size_t i = 0; i < n; i++)
            render_github(&r, v[i]);
        break;
    case RENDER_SARIF:
    case RENDER_JUNIT:
    case RENDER_CHECKSTYLE: render_report(&r, v, n); break;
    }
    release_texts(&r);
    if (r.utf8 != (locale_t)0)
        freelocale(r.utf8);
    mem_free(v);
}

void diags_render_plain(struct buf *out, const struct diags *d)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct diag *g = &d->v[i];

        if (g->severity == DIAG_INFO)
            continue;
        buf_add_shown_line(out, g->place.file);
        buf_addf(out, ":%d:%d: %s: ", g->place.line, g->place.col, diag_severity_text(g->severity));
        buf_add_shown_line(out, g->message);
        buf_addf(out, " [%s]\n", g->id);
    }
}

void diags_print(FILE *out, const struct diags *d)
{
    const struct render_options o = {.colour = isatty(fileno(out)) && getenv("NO_COLOR") == NULL,
                                     .least = DIAG_WARNING};
    struct buf text = BUF_INIT;

    diags_render(&text, d, &o);
    fwrite(text.p != NULL ? text.p : "", 1, text.n, out);
    buf_release(&text);
}
