/* listen.h - listening sockets from addresses as flags write them.
 *
 * Shapes   "host:port", ":port" (both families), "[::1]:port", "unix:/path" (mode 0660; a socket
 *          that nobody serves is replaced).
 * Errors   ERR_INVALID for the text, ERR_IO for the system's refusal, ERR_CONFLICT when the address
 *          is in use.
 * Owns     the caller owns the descriptor: non-blocking, close-on-exec, listening.
 * Cost     may block on a name: for start-up only.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "base/buf.h"
#include "base/err.h"

bool listen_open(str address, int *fd, struct err *e) must_check;
void listen_name(int fd, struct buf *out); /* "127.0.0.1:9093", "[::]:9093", "unix:/path" */

#endif
