/* ingest.h - one scrape's bytes into the store: what workers do with an answer.
 *
 *     ingest_begin(&g, &in, &result);
 *     ingest_feed(&g, piece);              each piece of the body as it comes, compressed or not
 *     ingest_end(&g);                      in.failed and in.took are known by now
 *
 * Neither the body nor its inflated form is ever there as a whole, only the line that is torn by the end of a piece.
 *
 * All samples of a body go in, or none: a body that is broken or over a limit leaves only `up` 0 and the other report
 * series. The series of the last scrape that are not in this one end, as the stream's batches do it.
 *
 * A line that the last scrape had costs a hash and a ref; only a new one is decoded, gets the target's labels and is
 * relabeled. What nobody selects is remembered as such and skipped.
 *
 * All scrapes under way have one budget, for what they hold and for the series that they have made: one that would pass it
 * fails, says so, and its new series go.
 *
 * Shapes   bodies up to SCRAPE_BODY_MAX, a line up to SCRAPE_LINE_MAX.
 * Units    ts_ms; samples get the scrape's time, or with honor_timestamps the one that they bring. Those have no staleness
 *          marker. One in the future is left out.
 * Errors   result.why, with the line when there is one.
 * Owns     an ingest owns what it remembers of the target. One thread at a time.
 * Cost     about 40 ns a known line, and as much again with the commit; 2,000 ns a new one.
 * Source   rules.md 8.2-8.7.
 */
#ifndef SCRAPE_INGEST_H
#define SCRAPE_INGEST_H

#include "base/budget.h"
#include "codec/exposition_read.h"
#include "net/inflate.h"
#include "scrape/line_cache.h"
#include "scrape/metadata.h"
#include "scrape/scrape_conf.h"
#include "tsdb/tsdb.h"

enum { SCRAPE_BODY_MAX = 256 << 20, SCRAPE_LINE_MAX = 1 << 20 };

/* The series that a scrape says of itself. */
enum scrape_report {
    REPORT_UP,
    REPORT_DURATION,
    REPORT_SCRAPED,
    REPORT_KEPT,
    REPORT_ADDED,
    SCRAPE_REPORTS
};

struct ingest_input {
    const struct scrape_conf *conf;
    struct labels labels; /* the target's */
    ts_ms t;
    struct now at; /* what t was taken from */
    bool is_gzip;
    enum expo_format format;
    dur_ns took;
    str metadata;      /* records of the scrape before; borrowed */
    struct err failed; /* the request did not bring a body, or not all of it */
};

struct ingest_result {
    bool is_up;
    size_t scraped, kept, added, bytes;
    struct err why;
};

/* A line that was not in the last scrape, and its item in the batch. */
struct ingest_fresh {
    uint32_t line;
    uint32_t item : 31; /* of batch.items, or of batch.timed */
    uint32_t is_timed : 1;
};

struct ingest {
    struct tsdb *db;
    struct tsdb_stream *stream;
    struct budget *budget; /* of all scrapes under way; NULL: no limit */
    size_t held;           /* of it */
    struct line_cache lines;
    uint64_t epoch; /* that the refs belong to */
    uint32_t reports[SCRAPE_REPORTS];

    /* one scrape, from begin to end */
    bool is_open;
    const struct ingest_input *in;
    struct ingest_result *out;
    struct tsdb_batch batch;
    VEC(struct ingest_fresh) fresh; /* their refs come with the commit */
    struct arena scratch;
    str family_type;
    struct inflater *inflater; /* NULL: the body is plain */
    struct expo_reader reader;
    struct buf torn, inflated;     /* a line without its end; the last slice, decompressed */
    struct metadata_seen metadata; /* also after the end: what it says that is new */
};

void ingest_release(struct ingest *g);
/* What is remembered does not hold any more: the job's rules have changed. */
void ingest_forget(struct ingest *g);
void ingest_begin(struct ingest *g, const struct ingest_input *in, struct ingest_result *out);
void ingest_feed(struct ingest *g, str piece); /* after a fault: nothing */
void ingest_end(struct ingest *g);
void ingest_cancel(struct ingest *g); /* nobody wants to know any more; not begun is fine */

#endif
