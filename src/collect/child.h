/* child.h - a program that is run for what it prints, and killed where it takes too long or prints too much.
 *
 * It runs in a process group of its own, with nothing on standard input and none of our descriptors; at its end, whichever,
 * the group is killed, so that nothing which it has started stays behind. What the kernel cannot kill (a process in a call of a
 * driver that hangs) is left, and looked at before the next run: there is never more than one such.
 *
 * Errors   ERR_NOT_FOUND there is no such program; ERR_TIMEOUT; ERR_LIMIT it prints more than max; ERR_CONFLICT the one before
 *          cannot be killed; ERR_IO it cannot be started, or the program ends. How it exited is no error.
 * Owns     out and said are the caller's; what it printed before a failure is in them.
 */
#ifndef COLLECT_CHILD_H
#define COLLECT_CHILD_H

#include <sys/types.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

enum { CHILD_SAID_MAX = 1024 };

struct child {
    struct buf out,
        said; /* standard output, and of standard error at most CHILD_SAID_MAX bytes, its last */
    int exit_status; /* 128 + the signal that ended it */
    pid_t left;      /* that could not be killed; 0: none */
};

/* argv ends with NULL. stop_fd: once it can be read the child is killed. */
bool child_run(struct child *c, char *const *argv, ts_ns deadline, int stop_fd, size_t max,
               struct err *e) must_check;
void child_release(struct child *c);

#endif
