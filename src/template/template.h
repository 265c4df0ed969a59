/* template.h - Go's text/template and html/template: definitions by name, and their execution over typed data.
 *
 *     struct template_set *set = template_set_new(tables);
 *     template_set_parse(set, S("page.tmpl"), text, &e) ... template_exec_text(set, S("{{ template \"t\" . }}"), &run, &out, &e)
 *
 * Shapes   tens of definitions of up to 100 kB, at most 10,000 a text with 1,000 variables each; a value chain of some
 *          hundred nodes an execution.
 * Units    now: wall clock. Limits: steps are nodes walked and work inside of functions (value.h), memory and output
 *          are bytes; 0 takes the default.
 * Errors   ERR_INVALID with Go's texts: "template: NAME:LINE: ..." when parsing, "template: NAME:LINE:COL: executing
 *          "NAME" at <EXPR>: ..." when executing; ERR_LIMIT when a limit was reached. Output is untouched on failure.
 * Owns     a set owns its trees. A clone borrows its origin, which must live longer. Data are borrowed while executing.
 * Cost     parsing O(text); executing allocates from one arena that is given back at its end. Sets are read only while
 *          executing, so threads may share them.
 * Source   Go text/template, html/template with missingkey=zero; alertmanager.md 5, rules.md 3.
 */
#ifndef TEMPLATE_TEMPLATE_H
#define TEMPLATE_TEMPLATE_H

#include "model/sample.h"
#include "template/value.h"
#include "codec/tz.h"

struct template_set;

enum template_mode { TEMPLATE_TEXT, TEMPLATE_HTML };

struct template_limits {
    uint64_t steps;
    size_t output, memory;
    unsigned depth; /* nested actions and calls together */
};

#define TEMPLATE_LIMITS                                                                            \
    ((struct template_limits){                                                                     \
        .steps = 10000000, .output = 16 << 20, .memory = 64 << 20, .depth = 500})

struct template_run {
    enum template_mode mode;
    struct tmpl_value data;
    const void *host; /* for the functions of the host */
    ts_ns now;
    const struct tz *zone;  /* of now and of the data's times; NULL = UTC */
    const struct tz *local; /* of Time.Local; NULL: the process', loaded when it is asked for */
    tz_loader *load_zone;   /* NULL: there are no zones but UTC and local */
    struct template_limits limits;
    /* Asked now and then; true ends the execution with ERR_LIMIT. NULL: its steps alone bound it. */
    bool (*expired)(const void *arg);
    const void *expired_arg;
};

/* functions: tables, NULL-terminated, borrowed; an earlier table hides a later one, all hide Go's built-in ones. */
struct template_set *template_set_new(const struct tmpl_func *const *functions) must_check;
struct template_set *template_set_clone(const struct template_set *set) must_check;
void template_set_free(struct template_set *set);

/* Adds text under name with all that it defines; a definition that is empty does not replace one that is not. */
bool template_set_parse(struct template_set *set, str name, str text, struct err *e) must_check;
/* What name stands for now; another pointer once it has been defined anew. NULL: nothing. */
const void *template_set_definition(const struct template_set *set, str name);

/* For tests of templates. file: the name under which the text was added; line: where its first line of content stands. */
struct template_definition {
    str name, file;
    size_t line;
};
/* Of the set itself, not of its origin; the texts' own main ones are not among them. */
void template_set_each(const struct template_set *set,
                       void (*fn)(void *arg, const struct template_definition *d), void *arg);
/* Tells of each definition that an execution enters. To be set before the first one. */
void template_set_watch(struct template_set *set,
                        void (*entered)(void *arg, const struct template_definition *d), void *arg);

/* Text that belongs to no file, to be executed again and again: parsed into the arena, which must outlive it. before: what it
 * begins with, if that has been parsed, which must outlive it, too. */
struct template_text;
bool template_text_parse(const struct template_set *set, struct arena *a, str name, str text,
                         const struct template_text *before, const struct template_text **out,
                         struct err *e) must_check;
bool template_text_exec(const struct template_set *set, const struct template_text *t,
                        const struct template_run *run, struct buf *out, struct err *e) must_check;

bool template_exec(const struct template_set *set, str name, const struct template_run *run,
                   struct buf *out, struct err *e) must_check;
/* The same for one execution. Its definitions hold for it only. Empty text gives empty output. */
bool template_exec_text(const struct template_set *set, str text, const struct template_run *run,
                        struct buf *out, struct err *e) must_check;

/* Function tables. Their hosts' data are named in the headers of the tables' users. */
extern const struct tmpl_func tmpl_builtin_funcs[];
extern const struct tmpl_func tmpl_alertmanager_funcs[];
extern const struct tmpl_func tmpl_prometheus_funcs[];
extern const struct tmpl_func tmpl_sprig_funcs[], tmpl_sprig_text_funcs[],
    tmpl_sprig_number_funcs[], tmpl_sprig_time_funcs[], tmpl_sprig_regex_funcs[],
    tmpl_sprig_list_funcs[], tmpl_sprig_map_funcs[], tmpl_sprig_json_funcs[], tmpl_sprig_refused[];
/* All of sprig's, for a list of tables. */
#define TMPL_SPRIG                                                                                 \
    tmpl_sprig_funcs, tmpl_sprig_text_funcs, tmpl_sprig_number_funcs, tmpl_sprig_time_funcs,       \
        tmpl_sprig_regex_funcs, tmpl_sprig_list_funcs, tmpl_sprig_map_funcs,                       \
        tmpl_sprig_json_funcs, tmpl_sprig_refused

/* What the functions of tmpl_prometheus_funcs ask of their host (template_run.host); NULL: none of it is there. */
struct template_prometheus_host {
    str external_url, path_prefix;
    /* The samples must live until the execution ends. */
    bool (*query)(void *arg, str expr, struct samples *out, struct err *e);
    void *arg;
};

#endif
