/* The same rows that are parsed, routed and served, printed: nothing in these documents can be out of date. */
#include "cli/manual.h"

#include <stdio.h>
#include "api/api.h"
#include "cli/command.h"
#include "cli/say.h"
#include "config/config.h"
#include "model/metric.h"

/* -- Markdown -- */

static void manual_add_cell(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_addc(out, '\\');
        buf_addc(out, *text);
    }
}

static void add_flag_name(struct buf *out, const struct flag *f)
{
    buf_addf(out, "--%s%s%s%s", f->kind == FLAG_BOOL ? "[no-]" : "", f->name,
             f->value_name != NULL && f->kind != FLAG_BOOL ? "=" : "",
             f->value_name != NULL && f->kind != FLAG_BOOL ? f->value_name : "");
}

static void add_flag_row(struct buf *out, const struct flag *f)
{
    buf_adds(out, "| `");
    if (f->letter != 0)
        buf_addf(out, "-%c, ", f->letter);
    add_flag_name(out, f);
    buf_adds(out, "` | ");
    if (f->text != NULL && f->text[0] != '\0' && f->kind != FLAG_BOOL)
        buf_addf(out, "`%s`", f->text);
    if (f->env != NULL)
        buf_addf(out, " `$%s`", f->env);
    buf_adds(out, " | ");
    manual_add_cell(out, f->doc);
    buf_addf(out, "%s%s |\n", f->kind == FLAG_LIST ? " (repeatable)" : "",
             f->accepted_only ? " (accepted, without effect)" : "");
}

static void add_usage(struct buf *out, const struct command *c)
{
    buf_addf(out, "tocsin %s%s%s [FLAGS]%s%s", c->name, c->sub != NULL ? " " : "",
             c->sub != NULL ? c->sub : "", c->args != NULL ? " " : "",
             c->args != NULL ? c->args : "");
}

void manual_cli(struct buf *out)
{
    buf_adds(out,
             "# Commands and flags\n\nPrinted from the tables that read them: `tocsin schema cli`. "
             "Without a command, tocsin serves. Exit codes: 0 ok, 1 failed or findings, 2 usage, 3 "
             "server unreachable. Completions: `tocsin completion bash|zsh|fish`.\n");
    for (const struct command *c = commands; c->name != NULL; c++) {
        buf_addf(out, "\n## `tocsin %s%s%s`\n\n%s.\n\n    ", c->name, c->sub != NULL ? " " : "",
                 c->sub != NULL ? c->sub : "", c->doc);
        add_usage(out, c);
        buf_addc(out, '\n');
        if (c->flags == NULL || c->flags[0].name == NULL)
            continue;
        buf_adds(out, "\n| flag | default | meaning |\n|---|---|---|\n");
        for (const struct flag *f = c->flags; f->name != NULL; f++)
            add_flag_row(out, f);
    }
}

void manual_api(struct buf *out)
{
    buf_adds(out,
             "# The HTTP interface\n\nPrinted from the table that serves it: `tocsin schema api`. "
             "All paths are "
             "below `--web.route-prefix`. The scope is what a token needs (`api_tokens`); without "
             "users and "
             "tokens everything is open.\n\n| method | path | scope | what |\n|---|---|---|---|\n");
    api_print_markdown(out);
}

static const char *const metric_types[] = {[EXPO_COUNTER] = "counter",
                                           [EXPO_GAUGE] = "gauge",
                                           [EXPO_HISTOGRAM] = "histogram",
                                           [EXPO_SUMMARY] = "summary"};

static void add_metric(void *arg, const struct metric *m)
{
    struct buf *out = arg;

    buf_addf(out, "| `%s` | %s | ", m->name,
             m->type < ARRAY_LEN(metric_types) && metric_types[m->type] != NULL
                 ? metric_types[m->type]
                 : "untyped");
    manual_add_cell(out, m->help);
    buf_adds(out, " |\n");
}

void manual_metrics(struct buf *out)
{
    buf_adds(
        out,
        "# Metrics\n\nWhat `/metrics` has of tocsin itself, printed from the tables that write it: "
        "`tocsin schema "
        "metrics`. Names and meanings are Alertmanager's and Prometheus' where these have them.\n\n"
        "| metric | type | meaning |\n|---|---|---|\n");
    api_each_metric(add_metric, out);
}

/* -- man -- */

static void add_roff(struct buf *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        buf_adds(out, "\\&");
    for (; *text != '\0'; text++)
        switch (*text) {
        case '\\': buf_adds(out, "\\e"); break;
        case '-': buf_adds(out, "\\-"); break;
        default: buf_addc(out, *text); break;
        }
}

static void add_roff_flag(struct buf *out, const struct flag *f)
{
    struct buf name = BUF_INIT;

    add_flag_name(&name, f);
    buf_adds(out, ".TP\n.B ");
    if (f->letter != 0)
        buf_addf(out, "\\-%c, ", f->letter);
    add_roff(out, buf_z(&name));
    buf_addc(out, '\n');
    add_roff(out, f->doc);
    if (f->text != NULL && f->text[0] != '\0' && f->kind != FLAG_BOOL) {
        buf_adds(out, " [");
        add_roff(out, f->text);
        buf_addc(out, ']');
    }
    buf_addf(out, "%s\n", f->accepted_only ? " (accepted, without effect)" : "");
    buf_release(&name);
}

static void add_roff_command(struct buf *out, const struct command *c)
{
    struct buf usage = BUF_INIT;

    add_usage(&usage, c);
    buf_adds(out, ".SS ");
    add_roff(out, buf_z(&usage));
    buf_addc(out, '\n');
    add_roff(out, c->doc);
    buf_adds(out, ".\n");
    for (const struct flag *f = c->flags; f != NULL && f->name != NULL; f++)
        add_roff_flag(out, f);
    buf_release(&usage);
}

void manual_page(struct buf *out)
{
    buf_adds(out, ".\\\" Printed from the tables: tocsin schema man\n"
                  ".TH TOCSIN 1\n.SH NAME\n"
                  "tocsin \\- evaluates Prometheus rules, and routes, groups, silences and "
                  "delivers the alerts\n"
                  ".SH SYNOPSIS\n.B tocsin\n[COMMAND] [FLAGS] [ARGS]\n.SH DESCRIPTION\n"
                  "tocsin loads Prometheus rule files, gets samples from a Prometheus or from "
                  "exporters, evaluates the "
                  "rules, and tells receivers by an Alertmanager's configuration. Without a "
                  "command it serves.\n"
                  ".SH COMMANDS\n");
    for (const struct command *c = commands; c->name != NULL; c++)
        add_roff_command(out, c);
    buf_adds(out, ".SH EXIT STATUS\n0 ok, 1 failed or findings, 2 usage, 3 server unreachable.\n"
                  ".SH ENVIRONMENT\n.TP\n.B TOCSIN_URL\nthe server that commands talk to\n"
                  ".TP\n.B TOCSIN_CONFIG_FILES\nfurther configuration files, parted by colons\n"
                  ".SH SEE ALSO\n.BR promtool (1),\n.BR amtool (1)\n");
}

/* -- keys -- */

bool manual_key(const char *key)
{
    struct buf out = BUF_INIT;
    str near = STR_NONE;
    bool found = config_describe_key(&out, str_of(key), &near);

    if (found) {
        say(stdout, "%.*s", STR(buf_str(&out)));
    } else {
        say(stderr, "tocsin: no configuration has a key '%s'", key);
        if (near.n != 0)
            fprintf(stderr, ", did you mean '%.*s'?", STR(near));
        fputc('\n', stderr);
    }
    buf_release(&out);
    return found;
}
