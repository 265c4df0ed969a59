/* notes.h - what an evaluation has to say beside its result: Prometheus' warnings and infos.
 *
 * Kernels are pure and report a set of bits; whoever called them knows the metric and the place in the expression, and
 * turns the bits into text here. A text stands once for a query, with the last place that it was about.
 *
 * Owns     texts live in the arena.
 * Cost     nothing while nothing is said; a look-up by text for each note.
 * Source   promql.md 14.
 */
#ifndef PROMQL_NOTES_H
#define PROMQL_NOTES_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/time.h"

enum promql_note {
    NOTE_MIXED_TYPES = 1 << 0, /* floats and histograms */
    NOTE_MIXED_AGGREGATION = 1 << 1,
    NOTE_MIXED_SCHEMAS = 1 << 2, /* exponential and custom buckets */
    NOTE_MIXED_CLASSIC = 1 << 3, /* classic and native histograms */
    NOTE_NOT_COUNTER = 1 << 4,
    NOTE_NOT_GAUGE = 1 << 5,
    NOTE_OVERLAP = 1 << 6, /* start timestamps */
    NOTE_IGNORED = 1 << 7, /* histograms between floats */
    NOTE_COLLISION_ADD = 1 << 8,
    NOTE_COLLISION_SUB = 1 << 9,
    NOTE_COLLISION_AGG = 1 << 10,
    NOTE_RECONCILED_ADD = 1 << 11,
    NOTE_RECONCILED_SUB = 1 << 12,
    NOTE_RECONCILED_AGG = 1 << 13,
    NOTE_QUANTILE_NAN = 1 << 14,
    NOTE_QUANTILE_SKEWED = 1 << 15,
    NOTE_FRACTION_NAN = 1 << 16,
    NOTE_MAYBE_NO_COUNTER = 1 << 17,
    NOTE_SORT = 1 << 18,
};

/* How much of classic histograms had to be levelled, over all steps of a query. */
struct promql_extent {
    double from, to, most; /* buckets, the greatest fall */
    size_t n;              /* histograms; 0: the annotation is about something else */
    ts_ms first, last;
};

#define PROMQL_NO_EXTENT ((struct promql_extent){.n = 0})
void promql_extent_add(struct promql_extent *all, struct promql_extent x);

struct promql_annotation {
    bool is_warning;
    str text;    /* without the place */
    uint32_t at; /* byte of the expression */
    struct promql_extent extent;
};

struct promql_notes {
    struct arena *a;
    struct str_map by_text; /* struct promql_annotation * */
    size_t said;            /* how often something was */
};

void promql_notes_init(struct promql_notes *n, struct arena *a);
void promql_notes_release(struct promql_notes *n);

/* bits: enum promql_note. metric may be empty: some texts then leave its mention away. */
void promql_notes_add(struct promql_notes *n, unsigned bits, str metric, uint32_t at);
void promql_note(struct promql_notes *n, bool is_warning, uint32_t at, const char *fmt, ...)
    printf_like(4, 5);

/* "input to histogram_quantile needed to be fixed for monotonicity"; extents of the same metric add up.
 * PROMQL_NO_EXTENT: moves what has been said before to another place. */
void promql_note_levelled(struct promql_notes *n, struct promql_extent x, str metric, uint32_t at);
/* "quantile value should be between 0 and 1, got q" */
void promql_note_quantile(struct promql_notes *n, double q, uint32_t at);

/* The text with what belongs behind it, and the place in the expression's text: ... (1:5) */
void promql_annotation_print(struct buf *out, const struct promql_annotation *x, str text);

#endif
