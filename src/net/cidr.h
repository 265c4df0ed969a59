/* cidr.h - whether an address is one of those that somebody named.
 *
 * Shapes   "10.0.0.0/8", "192.0.2.7", "fd00::/8", "unix": whoever comes by a Unix socket.
 * Errors   ERR_INVALID: text that is none of these, bits beyond the prefix that are set.
 */
#ifndef NET_CIDR_H
#define NET_CIDR_H

#include "base/err.h"
#include "base/str.h"

bool cidr_check(str text, struct err *e) must_check;
/* peer: as http_peer() prints it. cidr has been checked. */
bool cidr_has(str cidr, str peer);

#endif
