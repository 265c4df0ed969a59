#include "base/diags.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/mem.h"

void diags_init(struct diags *d)
{
    *d = (struct diags){0};
    arena_init(&d->text, 0);
}

void diags_release(struct diags *d)
{
    arena_release(&d->text);
    mem_free(d->v);
    *d = (struct diags){0};
}

static str vprint(struct arena *a, const char *fmt, va_list ap)
{
    char line[2048];
    int n = vsnprintf(line, sizeof(line), fmt, ap);

    if (n < 0)
        n = 0;
    if ((size_t)n >= sizeof(line)) {
        n = sizeof(line) - 1;
        memset(line + n - 3, '.', 3);
    }
    return arena_str(a, (str){line, (size_t)n});
}

static struct diag_place diags_keep(struct diags *d, struct diag_place p)
{
    /* Most diags of a run name the file of their predecessor. */
    if (d->n != 0 && str_eq(d->v[d->n - 1].place.file, p.file))
        p.file = d->v[d->n - 1].place.file;
    else
        p.file = arena_str(&d->text, p.file);
    return p;
}

/* Makes room among DIAGS_MAX for one of this severity. */
static bool diags_make_room(struct diags *d, enum diag_severity severity)
{
    enum diag_severity least = DIAG_INFO;
    size_t at = d->n;

    d->dropped++;
    while (least < severity && d->kept[least] == 0)
        least++;
    if (least == severity)
        return false;
    do
        at--;
    while (d->v[at].severity != least);
    d->kept[least]--;
    d->n--;
    memmove(&d->v[at], &d->v[at + 1], (d->n - at) * sizeof(d->v[0]));
    return true;
}

static void diags_push(struct diags *d, struct diag g)
{
    if (d->n == d->cap) {
        d->cap = d->cap != 0 ? d->cap * 2 : 8;
        d->v = mem_resize(d->v, d->cap, sizeof(d->v[0]));
    }
    d->kept[g.severity]++;
    d->v[d->n++] = g;
}

static str diags_copy(struct diags *d, str s)
{
    return s.p != NULL ? arena_str(&d->text, s) : s;
}

void diags_join(struct diags *d, struct diags *more)
{
    d->errors += more->errors;
    d->warnings += more->warnings;
    d->dropped += more->dropped;
    for (size_t i = 0; i < more->n; i++) {
        struct diag g = more->v[i];

        if (d->n == DIAGS_MAX && !diags_make_room(d, g.severity))
            continue;
        g.message = diags_copy(d, g.message);
        g.help = diags_copy(d, g.help);
        g.fix = diags_copy(d, g.fix);
        g.second.file = diags_copy(d, g.second.file);
        g.place = diags_keep(d, g.place);
        diags_push(d, g);
    }
    diags_release(more);
}

struct diag *diags_add(struct diags *d, enum diag_severity severity, const char *id,
                       struct diag_place place, const char *fmt, ...)
{
    struct diag g = {.id = id};
    va_list ap;

    if (d->wants != NULL && !d->wants(d->wants_arg, id, &place, &severity))
        return NULL;
    g.severity = severity;
    d->errors += severity == DIAG_ERROR;
    d->warnings += severity == DIAG_WARNING;
    if (d->n == DIAGS_MAX && !diags_make_room(d, severity))
        return NULL;
    va_start(ap, fmt);
    g.message = vprint(&d->text, fmt, ap);
    va_end(ap);
    g.place = diags_keep(d, place);
    diags_push(d, g);
    return &d->v[d->n - 1];
}

void diag_help(struct diags *d, struct diag *g, const char *fmt, ...)
{
    va_list ap;

    if (g == NULL)
        return;
    va_start(ap, fmt);
    g->help = vprint(&d->text, fmt, ap);
    va_end(ap);
}

void diag_second(struct diags *d, struct diag *g, struct diag_place place)
{
    if (g == NULL)
        return;
    place.file = arena_str(&d->text, place.file);
    g->second = place;
}

void diag_fix(struct diags *d, struct diag *g, str text)
{
    if (g == NULL)
        return;
    g->fix = arena_str(&d->text, text);
    g->has_fix = true;
}
