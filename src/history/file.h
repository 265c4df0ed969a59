/* file.h - one file of history: a SQLite database of sealed rows (row.h), written by one, read by any number meanwhile.
 *
 *     base     the number of a span, from which the others are counted; spans are five minutes since 1970
 *     symbol   number, text: label names and values
 *     series   number, symbol of the metric's name, labels: pairs of symbols
 *     times    span, number: the times that series of a stream share
 *     sample   (span - base) << 24 | series: a row of samples
 *
 * Shapes   16 million series, some hundred spans.
 * Units    spans as numbers since 1970, everywhere but in the file.
 * Errors   ERR_CORRUPT: the file is damaged; ERR_NOT_FOUND: it is empty, as when its first writer ended at once;
 *          ERR_UNSUPPORTED: a newer version's; ERR_IO, ERR_LIMIT (no space).
 * Owns     the struct owns its connection; what rows are given is borrowed for the call. One thread at a time.
 * Source   formats.md; libraries.md 6.
 */
#ifndef HISTORY_FILE_H
#define HISTORY_FILE_H

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

enum { HISTORY_SPAN_MS = 5 * 60 * 1000, HISTORY_SERIES_MAX = (1 << 24) - 1 };

/* The span that a time lies in. */
static inline int64_t history_span_of(ts_ms t)
{
    return t / HISTORY_SPAN_MS - (t % HISTORY_SPAN_MS < 0);
}

enum history_table {
    HISTORY_SYMBOL,
    HISTORY_SERIES,
    HISTORY_TIMES,
    HISTORY_SAMPLE,
    HISTORY_TABLES
};

/* Statements: to put, to replace, to read a range. */
enum { HISTORY_PUT, HISTORY_REPLACE, HISTORY_READ, HISTORY_STATEMENTS };

struct sqlite3;
struct sqlite3_stmt;

struct history_file {
    struct sqlite3 *db;
    struct sqlite3_stmt *of[HISTORY_TABLES][HISTORY_STATEMENTS], *by_metric, *keys;
    int64_t base;
};

/* To be written: made, with this base, when it is not there. */
bool history_file_open(struct history_file *f, const char *path, int64_t base,
                       struct err *e) must_check;
/* To be read, as it is now: what is committed later is not seen. */
bool history_file_look(struct history_file *f, const char *path, struct err *e) must_check;
void history_file_close(struct history_file *f);

bool history_file_begin(struct history_file *f, struct err *e) must_check;
/* On the disk when it is true. */
bool history_file_commit(struct history_file *f, struct err *e) must_check;

static inline int64_t history_sample_key(const struct history_file *f, int64_t span,
                                         uint32_t series)
{
    return (span - f->base) * ((int64_t)HISTORY_SERIES_MAX + 1) + series;
}

static inline int64_t history_sample_span(const struct history_file *f, int64_t key)
{
    return (key >> 24) + f->base;
}

/* A times' key: 2^20 of a span. */
static inline int64_t history_times_key(int64_t span, uint64_t number)
{
    return span * (1 << 20) + (int64_t)number;
}

/* body is sealed for the table and the key. *is_new: false when there is one of that key, which stays. metric: of a series. */
bool history_file_put(struct history_file *f, enum history_table t, int64_t key, int64_t metric,
                      str body, bool *is_new, struct err *e) must_check;
bool history_file_replace(struct history_file *f, enum history_table t, int64_t key, str body,
                          struct err *e) must_check;
/* What a body is sealed with. */
uint64_t history_seal_key(enum history_table t, int64_t key);

/* Rows from one key to another, in order, without their seals, until row() returns false, which is no failure unless e is set. */
typedef bool history_row_fn(void *arg, int64_t key, str body, struct err *e);
bool history_file_read(struct history_file *f, enum history_table t, int64_t from, int64_t to,
                       history_row_fn *row, void *arg, struct err *e) must_check;
/* The same of series: of a metric, or all (-1), whose bodies have each of these bytes somewhere. Others are not looked at. */
struct history_needles {
    const str *v;
    size_t n;
};
bool history_file_read_series(struct history_file *f, int64_t metric,
                              const struct history_needles *needles, history_row_fn *row, void *arg,
                              struct err *e) must_check;
/* The same of samples, without their bodies. */
bool history_file_read_keys(struct history_file *f, int64_t from, int64_t to, history_row_fn *row,
                            void *arg, struct err *e) must_check;
/* The first number below `most` that no times of the span have, nor any behind; how many times there are. */
bool history_file_next_times(struct history_file *f, int64_t span, uint64_t most, uint64_t *out,
                             struct err *e) must_check;
bool history_file_count_times(struct history_file *f, uint64_t *out, struct err *e) must_check;
/* first > last: there are none. */
bool history_file_spans(struct history_file *f, int64_t *first, int64_t *last,
                        struct err *e) must_check;

#endif
