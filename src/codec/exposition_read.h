/* exposition_read.h - metrics from text: the Prometheus format 0.0.4 and OpenMetrics 1.0, one item at a time.
 *
 *     expo_reader_init(&r, body, EXPO_OPENMETRICS);
 *     while (expo_read(&r, &item, &e))
 *         switch (item.kind) case EXPO_SAMPLE: ... item.series, item.value ...
 *     if (e.code != ERR_NONE) ...   e.line says where
 *     expo_reader_release(&r);
 *
 * A body may come in pieces: init with an empty one, then for each piece expo_reader_more() and expo_read() until it
 * returns false. A piece ends with a line, but for the last.
 *
 * item.series is the text of name and labels as written. Who has seen those bytes before knows the series; only who has
 * not calls expo_read_labels(), which decodes and checks them.
 *
 * Shapes   bodies of megabytes, lines of some hundred bytes; at most 1000 labels a line.
 * Units    ts_ms; text writes milliseconds, OpenMetrics seconds.
 * Errors   ERR_INVALID with the line, the reason and the first 64 bytes of what it is about. What was read before it stands.
 * Owns     texts are slices of the body, or of the reader's own buffers until its next call.
 * Cost     one pass, about 1 ns a byte; no allocation once the buffers have grown.
 * Source   prometheus.io/docs/instrumenting/exposition_formats; the OpenMetrics 1.0 specification.
 */
#ifndef CODEC_EXPOSITION_READ_H
#define CODEC_EXPOSITION_READ_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "base/vec.h"
#include "codec/exposition.h"
#include "tocsin/labels.h"

enum expo_kind { EXPO_SAMPLE, EXPO_TYPE, EXPO_HELP, EXPO_UNIT };

struct expo_item {
    enum expo_kind kind;
    str name;   /* of TYPE, HELP, UNIT: the family */
    str text;   /* of TYPE, HELP, UNIT: what it says; escapes of HELP are left in */
    str series; /* of a sample */
    double value;
    bool has_time, is_expected;
    ts_ms t;
};

struct expo_reader {
    str rest;
    enum expo_format format;
    int line;
    bool has_ended;  /* # EOF has come */
    bool has_more;   /* pieces */
    size_t expected; /* bytes of a series that may come next, 0: none */
    uint64_t expected_hash;
    struct buf text; /* decoded values */
    VEC(struct label) labels;
};

void expo_reader_init(struct expo_reader *r, str body, enum expo_format format);
void expo_reader_release(struct expo_reader *r);
void expo_reader_more(struct expo_reader *r, str piece, bool is_last);

/* The next sample may be of the series that took n bytes and whose text has this hash (hash.h): then its end need not be
 * looked for, and the item says so. */
static inline void expo_reader_expect(struct expo_reader *r, size_t n, uint64_t hash)
{
    r->expected = n;
    r->expected_hash = hash;
}

/* False at the end, with e->code ERR_NONE, and after an error. */
bool expo_read(struct expo_reader *r, struct expo_item *out, struct err *e) must_check;

/* The labels of a sample, __name__ included, sorted by name, without empty ones. */
bool expo_read_labels(struct expo_reader *r, str series, struct labels *out,
                      struct err *e) must_check;

/* "1" and "1.0" are one bound: in a family of that TYPE, le and quantile are written as Go's OpenMetrics library writes
 * floats. What differs lives in the arena, the rest is shared. */
struct labels expo_canonical_labels(struct arena *a, str type, struct labels ls);

/* What a body without a content type is: OpenMetrics ends in "# EOF". */
enum expo_format expo_guess(str body);

#endif
