/* lint.h - checks files without running anything: what `tocsin lint` does.
 *
 * Each file is recognised by its top-level keys, unless its kind is given: configuration (Alertmanager's, Prometheus',
 * tocsin's), AlertmanagerConfig, rule file, tests of rules, the DingTalk bridge's config.yml, what `tocsin collect` and `tocsin slo` read, anything else that is YAML (skipped when found in
 * a folder, an error when named). An alertmanager.yml and a prometheus.yml beside a tocsin.yml are one configuration with it.
 *
 * Each check is a row of lint/checks.h; comments in a file may switch it off (lint/ignore.h).
 *
 * Errors   problems go to diags.
 * Owns     nothing after it returns.
 * Source   rules.md 9.3.
 */
#ifndef LINT_LINT_H
#define LINT_LINT_H

#include "base/buf.h"
#include "base/diags.h"
#include "base/time.h"
#include "lint/checks.h"
#include "model/matcher.h"

/* What a user says of one check: that it is another matter to him, or none. */
struct lint_level {
    const struct check_row *row;
    bool is_off;
    enum diag_severity severity;
};

enum lint_kind {
    LINT_CONFIG,
    LINT_RULES,
    LINT_TEST,
    LINT_BRIDGE,
    LINT_COLLECT,
    LINT_SLO,
    LINT_OBJECT,
    LINT_OTHER
};

/* Of an expression: of how many series it has a result, and the greatest value. */
struct lint_answer {
    size_t n;
    double most;
};

/* A Prometheus, which is asked of what rules select. False: it has been said why. */
struct lint_source {
    /* Appends the series of these names as text of an exposition, with all of their labels. */
    bool (*series)(void *arg, const str *names, size_t n, struct buf *out);
    /* What the expression gives now. */
    bool (*ask)(void *arg, str expr, struct lint_answer *out);
    void *arg;
};

struct lint_options {
    enum matcher_mode mode;
    bool is_known; /* every file is of this kind, whatever it looks like */
    enum lint_kind kind;
    str space_label;                 /* as in struct rule_file_options, for rule files */
    const struct lint_level *levels; /* the last of a check holds */
    size_t n_levels;
    ts_ns now;        /* for comments that end */
    unsigned threads; /* that may read files and look at rules; 0: the caller's */
    /* What an exporter exports, of a file or a URL, and the same a moment later; text with p NULL: nobody has asked. */
    struct lint_metrics {
        str from, text, again;
        const struct lint_source *source; /* asked in place of the text; NULL: none */
    } metrics;
};

struct lint_result {
    size_t configs, rule_files, rules, tests, skipped; /* tests: files */
    bool unanswered;                                   /* the source did not answer */
};

void lint_result_add(struct lint_result *r, const struct lint_result *more);

/* paths: files and folders; a folder stands for its .yml and .yaml files, at any depth. */
struct lint_result lint_paths(const str *paths, size_t n, const struct lint_options *o,
                              struct diags *d);
/* One document that is no file (standard input, an editor's buffer). */
struct lint_result lint_text(str text, str name, const struct lint_options *o, struct diags *d);

enum lint_kind lint_recognise(str text, str name);

/* Appends the .yml and .yaml files of a folder, at any depth, in the order of their paths; the text is the arena's, the caller
 * releases the list. */
struct lint_files {
    str *v;
    size_t n, cap;
};
void lint_files_of(str folder, struct arena *a, struct lint_files *out, struct diags *d);
bool lint_kind_parse(str word,
                     enum lint_kind *out); /* config, rules, test, dingtalk, collect, slo */
/* Puts in what findings say is meant (diag_fix()), file by file; a file that has changed meanwhile is left alone. Returns how
 * many; *files: in how many files. What cannot be written goes to d. */
size_t lint_fix(struct diags *d, size_t *files);
bool lint_fails(const struct diags *d,
                enum diag_severity fail_on); /* something is as bad as fail_on */

#endif
