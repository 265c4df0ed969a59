/* part.h - one part of what is collected: a worker runs it, again and again, never two runs of one at once.
 *
 * A run puts samples on a sheet until its deadline, and fails with a reason: what it has put until then stands, so that it can
 * say in its own metrics that it failed. A run that hangs beyond its deadline costs its own part (worker.h).
 *
 * Units    deadlines are of CLOCK_BOOTTIME, as the loop's.
 * Errors   the code is the label `reason` of tocsin_collect_failures_total: part_reason().
 * Owns     a part owns its state, which only its runs touch; text of the configuration is borrowed.
 */
#ifndef COLLECT_PART_H
#define COLLECT_PART_H

#include "base/err.h"
#include "base/time.h"
#include "collect/sheet.h"

struct part_run {
    struct sheet *out;
    ts_ns deadline;
    int stop_fd;     /* can be read once the program ends */
    struct buf note; /* what the samples alone do not say, for the log: why a probe failed */
};

struct part {
    str name; /* the label `part`: "host", "http/api" */
    dur_ns timeout;
    bool (*run)(struct part *p, struct part_run *r, struct err *e);
    void (*free)(struct part *p);
};

/* timeout, absent, too_large, malformed, stuck, failed */
const char *part_reason(enum err_code code);

/* The clock of deadlines, from any thread, and what is left of one in ms: 0 when it has passed. */
ts_ns part_mono(void);
ts_ns part_wall(void);
int part_left_ms(ts_ns deadline);

struct collect_conf;
struct collect_probe;

struct part *host_part_new(const struct collect_conf *c);
struct part *filesystem_part_new(const struct collect_conf *c);
struct part *nvidia_part_new(const struct collect_conf *c);
struct part *probe_part_new(const struct collect_conf *c, const struct collect_probe *p);
struct part *process_part_new(const struct collect_conf *c);
struct part *text_part_new(const struct collect_conf *c);

#endif
