/* diags.h - the faults of a document: all of them, each with its place.
 *
 * YAML, rule files, PromQL and templates report here, so that a user sees every problem of every file in one run.
 * Rendering (source line, caret, colour, JSON, SARIF) is the reader's business: lint/render.h, lint/report.h.
 *
 * Shapes   a list in the order of discovery; at most DIAGS_MAX are kept, the rest is counted. A graver one always has
 *          room: the latest of the least ones makes way.
 * Units    line and col are 1-based; col counts bytes; [at, at + len) are byte offsets into the file, len 0 = unknown.
 * Owns     the diags own copies of all text.
 */
#ifndef TOCSIN_DIAGS_H
#define TOCSIN_DIAGS_H

#include "tocsin/arena.h"

enum diag_severity { DIAG_INFO, DIAG_WARNING, DIAG_ERROR };

enum { DIAGS_MAX = 1000 };

struct diag_place {
    str file; /* empty = no file (standard input, request body) */
    int line, col;
    size_t at, len;
};

struct diag {
    enum diag_severity severity;
    const char *id; /* static: "R004", "C012"; never NULL */
    struct diag_place place;
    str message; /* lower case, subject in quotes */
    str help;    /* what to do about it; may be empty */
    str fix;     /* has_fix: what is meant in place of what stands at the place */
    bool has_fix;
    struct diag_place second; /* "first defined here"; line 0 = none */
};

struct diags {
    struct arena text;
    /* Asked of each before it is kept: false = not wanted. It may change the severity. NULL: all are kept as they are. */
    bool (*wants)(void *arg, const char *id, const struct diag_place *at,
                  enum diag_severity *severity);
    void *wants_arg;
    struct diag *v;
    size_t n, cap;
    size_t errors, warnings, dropped;
    size_t kept[DIAG_ERROR + 1]; /* of those in v, by severity */
};

void diags_init(struct diags *d);
void diags_release(struct diags *d);
/* All of more behind what d has, as if they had been found there; more is released. What wants() does not want has gone. */
void diags_join(struct diags *d, struct diags *more);

/* Appends one; returns it, until the next is added, for diag_help() and the others, or NULL when it was only counted or is
 * not wanted. */
struct diag *diags_add(struct diags *d, enum diag_severity severity, const char *id,
                       struct diag_place place, const char *fmt, ...) printf_like(5, 6);
void diag_help(struct diags *d, struct diag *g, const char *fmt, ...)
    printf_like(3, 4); /* g: NULL is fine */
void diag_second(struct diags *d, struct diag *g, struct diag_place place);
void diag_fix(struct diags *d, struct diag *g, str text);

#endif
