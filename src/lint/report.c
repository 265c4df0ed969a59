#include "lint/report.h"

#include "codec/escape.h"
#include "codec/json.h"
#include "lint/checks.h"

/* -- SARIF -- */

static void sarif_text(struct json_writer *w, const char *key, str text)
{
    json_key(w, str_of(key));
    json_open(w, '{');
    json_put_text(w, "text", text);
    json_close(w, '}');
}

static const char *sarif_level(enum diag_severity s)
{
    return s == DIAG_ERROR ? "error" : s == DIAG_WARNING ? "warning" : "note";
}

static void sarif_rule(struct json_writer *w, const struct check_row *row)
{
    json_open(w, '{');
    json_put_text(w, "id", str_of(row->id));
    sarif_text(w, "shortDescription", str_of(row->title));
    sarif_text(w, "fullDescription", str_of(row->why));
    json_key(w, S("defaultConfiguration"));
    json_open(w, '{');
    json_put_text(w, "level", str_of(sarif_level(row->severity)));
    json_close(w, '}');
    json_close(w, '}');
}

/* A path as the URI that it is relative to nothing else than the folder of the run. */
static void sarif_artifact(struct json_writer *w, str file)
{
    struct buf uri = BUF_INIT;

    if (str_starts_with(file, S("/")))
        buf_adds(&uri, "file://");
    escape_path(&uri, file.n != 0 ? file : S("stdin"));
    json_key(w, S("artifactLocation"));
    json_open(w, '{');
    json_put_text(w, "uri", buf_str(&uri));
    json_close(w, '}');
    buf_release(&uri);
}

static void sarif_bytes(struct json_writer *w, const struct diag_place *p)
{
    json_key(w, S("byteOffset"));
    json_put_u64(w, p->at);
    json_key(w, S("byteLength"));
    json_put_u64(w, p->len);
}

static void sarif_location(struct json_writer *w, const struct diag_place *p, int col)
{
    json_open(w, '{');
    json_key(w, S("physicalLocation"));
    json_open(w, '{');
    sarif_artifact(w, p->file);
    if (p->line > 0) {
        json_key(w, S("region"));
        json_open(w, '{');
        json_key(w, S("startLine"));
        json_put_i64(w, p->line);
        json_key(w, S("startColumn"));
        json_put_i64(w, col > 0 ? col : 1);
        if (p->len != 0)
            sarif_bytes(w, p);
        json_close(w, '}');
    }
    json_close(w, '}');
    json_close(w, '}');
}

static void sarif_fix(struct json_writer *w, const struct diag *g)
{
    json_key(w, S("fixes"));
    json_open(w, '[');
    json_open(w, '{');
    sarif_text(w, "description", g->help.n != 0 ? g->help : S("what is meant"));
    json_key(w, S("artifactChanges"));
    json_open(w, '[');
    json_open(w, '{');
    sarif_artifact(w, g->place.file);
    json_key(w, S("replacements"));
    json_open(w, '[');
    json_open(w, '{');
    json_key(w, S("deletedRegion"));
    json_open(w, '{');
    sarif_bytes(w, &g->place);
    json_close(w, '}');
    sarif_text(w, "insertedContent", g->fix);
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, ']');
}

static void sarif_result(struct json_writer *w, const struct report_item *x)
{
    const struct diag *g = x->g;
    const struct check_row *row = check_of(str_of(g->id));
    struct buf text = BUF_INIT;

    buf_add(&text, g->message);
    if (g->help.n != 0)
        buf_addf(&text, "\n%.*s", STR(g->help));
    json_open(w, '{');
    json_put_text(w, "ruleId", str_of(g->id));
    if (row != NULL) {
        json_key(w, S("ruleIndex"));
        json_put_i64(w, row - check_rows);
    }
    json_put_text(w, "level", str_of(sarif_level(g->severity)));
    sarif_text(w, "message", buf_str(&text));
    json_key(w, S("locations"));
    json_open(w, '[');
    sarif_location(w, &g->place, x->col);
    json_close(w, ']');
    if (g->second.line != 0) {
        json_key(w, S("relatedLocations"));
        json_open(w, '[');
        sarif_location(w, &g->second, x->second_col);
        json_close(w, ']');
    }
    if (g->has_fix && g->place.len != 0)
        sarif_fix(w, g);
    json_close(w, '}');
    buf_release(&text);
}

void report_sarif(struct buf *out, const struct report_item *v, size_t n)
{
    struct json_writer w;

    json_writer_init(&w, out, false);
    json_open(&w, '{');
    json_put_text(&w, "$schema", S("https://json.schemastore.org/sarif-2.1.0.json"));
    json_put_text(&w, "version", S("2.1.0"));
    json_key(&w, S("runs"));
    json_open(&w, '[');
    json_open(&w, '{');
    json_key(&w, S("tool"));
    json_open(&w, '{');
    json_key(&w, S("driver"));
    json_open(&w, '{');
    json_put_text(&w, "name", S("tocsin"));
    json_put_text(&w, "version", S(TOCSIN_VERSION));
    json_key(&w, S("rules"));
    json_open(&w, '[');
    for (const struct check_row *row = check_rows; row->id != NULL; row++)
        sarif_rule(&w, row);
    json_close(&w, ']');
    json_close(&w, '}');
    json_close(&w, '}');
    json_put_text(&w, "columnKind", S("unicodeCodePoints"));
    json_key(&w, S("results"));
    json_open(&w, '[');
    for (size_t i = 0; i < n; i++)
        sarif_result(&w, &v[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    json_close(&w, ']');
    json_close(&w, '}');
    buf_addc(out, '\n');
}

/* -- XML -- */

void report_add_xml(struct buf *out, str s)
{
    struct buf shown = BUF_INIT;

    buf_add_shown(&shown, s);
    for (size_t i = 0; i < shown.n; i++)
        switch (shown.p[i]) {
        case '&': buf_adds(out, "&amp;"); break;
        case '<': buf_adds(out, "&lt;"); break;
        case '>': buf_adds(out, "&gt;"); break;
        case '"': buf_adds(out, "&quot;"); break;
        case '\n': buf_adds(out, "&#10;"); break;
        case '\t': buf_adds(out, "&#9;"); break;
        default: buf_addc(out, shown.p[i]);
        }
    buf_release(&shown);
}

void report_add_attribute(struct buf *out, const char *name, str value)
{
    buf_addf(out, " %s=\"", name);
    report_add_xml(out, value);
    buf_addc(out, '"');
}

static str file_of(const struct report_item *x)
{
    return x->g->place.file.n != 0 ? x->g->place.file : S("<input>");
}

void report_junit(struct buf *out, const struct report_item *v, size_t n)
{
    size_t failures = 0;

    for (size_t i = 0; i < n; i++)
        failures += v[i].g->severity > DIAG_INFO;
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    buf_addf(out, "<testsuites><testsuite name=\"tocsin lint\" tests=\"%zu\" failures=\"%zu\">\n",
             n != 0 ? n : 1, failures);
    for (size_t i = 0; i < n; i++) {
        const struct diag *g = v[i].g;
        const char *as = g->severity > DIAG_INFO ? "failure" : "skipped";

        buf_adds(out, "<testcase");
        report_add_attribute(out, "classname", file_of(&v[i]));
        buf_addf(out, " name=\"%s at %d:%d\"><%s", g->id, g->place.line, v[i].col, as);
        report_add_attribute(out, "message", g->message);
        if (g->severity > DIAG_INFO)
            report_add_attribute(out, "type",
                                 str_of(g->severity == DIAG_ERROR ? "error" : "warning"));
        buf_addc(out, '>');
        report_add_xml(out, g->help);
        buf_addf(out, "</%s></testcase>\n", as);
    }
    if (n == 0)
        buf_adds(out, "<testcase classname=\"tocsin\" name=\"lint\"/>\n");
    buf_adds(out, "</testsuite></testsuites>\n");
}

void report_checkstyle(struct buf *out, const struct report_item *v, size_t n)
{
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n");
    for (size_t i = 0; i < n; i++) {
        const struct diag *g = v[i].g;
        struct buf text = BUF_INIT;

        buf_add(&text, g->message);
        if (g->help.n != 0)
            buf_addf(&text, "; %.*s", STR(g->help));
        if (i == 0 || !str_eq(file_of(&v[i]), file_of(&v[i - 1]))) {
            buf_add(out, i == 0 ? S("<file") : S("</file>\n<file"));
            report_add_attribute(out, "name", file_of(&v[i]));
            buf_adds(out, ">\n");
        }
        buf_addf(out, "<error line=\"%d\" column=\"%d\" severity=\"%s\"",
                 g->place.line > 0 ? g->place.line : 1, v[i].col > 0 ? v[i].col : 1,
                 g->severity == DIAG_ERROR     ? "error"
                 : g->severity == DIAG_WARNING ? "warning"
                                               : "info");
        report_add_attribute(out, "message", buf_str(&text));
        buf_addf(out, " source=\"tocsin.%s\"/>\n", g->id);
        buf_release(&text);
    }
    buf_add(out, n != 0 ? S("</file>\n</checkstyle>\n") : S("</checkstyle>\n"));
}
