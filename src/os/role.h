/* role.h - what the current thread is for, so that what may not be done there can say so.
 *
 * The loop answers everybody: nothing may block it. Where a lock may be held for long, its functions assert that they are
 * not called there.
 */
#ifndef OS_ROLE_H
#define OS_ROLE_H

#include "base/attr.h"
#include "base/mem.h"

enum role {
    ROLE_NONE, /* a command, the start, the end, a test */
    ROLE_LOOP,
    ROLE_WORKER,
};

/* Returns what it was before, for whoever plays two: the inline pool. */
enum role role_set(enum role r);
enum role role_get(void);

#define ROLE_NOT_LOOP() BUG_ON(role_get() == ROLE_LOOP)

#endif
