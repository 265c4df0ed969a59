/* sd_notify.h - telling systemd how we are, and taking the sockets it gives. Without systemd all of it does nothing.
 *
 * Shapes   one datagram a message to $NOTIFY_SOCKET (a path, or '@' for an abstract name).
 * Errors   none: who cannot be told is not told; the service goes on.
 * Owns     the caller owns the descriptors of sd_listen_fds().
 * Cost     one non-blocking sendto.
 * Source   sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3).
 */
#ifndef NET_SD_NOTIFY_H
#define NET_SD_NOTIFY_H

#include "base/str.h"
#include "base/time.h"

void sd_notify_ready(str status);
void sd_notify_reloading(void); /* followed by sd_notify_ready() */
void sd_notify_stopping(void);
void sd_notify_watchdog(void);

enum { SD_LISTEN_MAX = 16 };

/* The passed sockets, set close-on-exec; clears the variables so that children do not take them for theirs. */
size_t sd_listen_fds(int fds[SD_LISTEN_MAX]);

#endif
