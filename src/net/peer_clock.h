/* peer_clock.h - the clock of whoever answers, by the Date of an answer.
 *
 * A Date is when the answer was made, to the second: some time between the request and its arrival. What lies outside of that
 * is a difference of clocks.
 *
 *     sent 10:00:00, arrived 10:00:02    Date 10:00:01: 0    10:00:50: 47 s ahead    09:59:00: -59 s
 *
 * Source   RFC 9110 5.6.7, 6.6.1: the preferred form alone. An answer with an Age comes from a cache and says nothing.
 */
#ifndef NET_PEER_CLOCK_H
#define NET_PEER_CLOCK_H

#include "net/transport.h"

/* False: the answer does not tell. at: wall, when it came. */
bool peer_clock_skew(const struct transport_answer *a, ts_ns at, dur_ns *skew);

#endif
