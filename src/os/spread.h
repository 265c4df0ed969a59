/* spread.h - the same work on each of many things, by several threads, for who waits for all of it.
 *
 * For a command that has nothing else to do meanwhile; the server has pool.h.
 *
 * Cost     a thread each but for the caller's own; each takes the next thing when it is done with one.
 */
#ifndef OS_SPREAD_H
#define OS_SPREAD_H

#include <stddef.h>

unsigned spread_cores(void); /* that this process may use */

/* work(arg, i) for each i < n, in any order, on at most so many threads, this one among them; returns when all are done. */
void spread(unsigned threads, size_t n, void (*work)(void *arg, size_t i), void *arg);

#endif
