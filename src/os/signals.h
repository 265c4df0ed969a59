/* signals.h - the signals that mean something, as calls on the loop.
 *
 * SIGHUP, SIGTERM and SIGINT are reported; SIGPIPE is ignored, a write to a closed socket is an
 * error like any other.
 *
 * Owns     the watcher owns its events; at most one watcher a process, as signals are the
 *          process's.
 */
#ifndef OS_SIGNALS_H
#define OS_SIGNALS_H

#include "base/attr.h"

struct event_base;
struct signals;

struct signals *signals_new(struct event_base *base, void (*on_signal)(int signo, void *arg),
                            void *arg);
void signals_free(struct signals *s);

#endif
