/* recorder.h - Alertmanager's event recorder: what happens to alerts, notifications and silences, as lines of JSON for files,
 * standard output and services.
 *
 * Nothing here is waited for. Each output has a queue of its own; what does not fit is dropped and counted, so that a disk
 * that is full or a service that hangs costs events and never a page. Files and standard output have a thread each, since a
 * write may take as long as it likes; services are asked through the transport, in the lowest class.
 *
 * Shapes   8,192 events or 64 MiB wait for a file, 1,024 or 64 MiB for a service.
 * Errors   logged, and counted by output; the next event is another try.
 * Owns     transport and clock are borrowed; a configuration's strings until the next recorder_configure().
 * Cost     an event: its text once, and a copy an output.
 * Source   alertmanager.md 2.10, 8.
 */
#ifndef RECORDER_RECORDER_H
#define RECORDER_RECORDER_H

#include "core/engine.h"
#include "net/transport.h"
#include "os/clock.h"
#include "recorder/recorder_conf.h"

struct recorder;

struct recorder *recorder_new(struct transport *t, struct clock *clock, str instance);
/* Waits a second at most for what is being written. NULL is fine. */
void recorder_free(struct recorder *r);
/* NULL: nothing is recorded any more. Outputs that are the same go on. */
void recorder_configure(struct recorder *r, const struct recorder_conf *conf);
void recorder_take(struct recorder *r, const struct recorded_event *v, size_t n, ts_ns at);
void recorder_started(struct recorder *r, str version, str build, ts_ns at);
void recorder_stops(struct recorder *r, ts_ns at);
size_t recorder_waiting(const struct recorder *r); /* events for services */

enum { RECORDER_TYPES = 10 };
extern const char *const recorder_types[RECORDER_TYPES];

struct recorder_stats {
    uint64_t recorded[RECORDER_TYPES]; /* as recorder_types[] */
    uint64_t bytes, dropped;           /* dropped: for files and standard output */
    size_t waiting;
};
struct recorder_stats recorder_stats(const struct recorder *r);
/* The outputs, and what each has dropped; name is borrowed. False: there is no i-th. */
bool recorder_output(const struct recorder *r, size_t i, str *name, uint64_t *drops);

#endif
