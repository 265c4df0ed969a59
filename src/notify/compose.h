/* compose.h - the notification of one message: a digest of several rows, or a part of one.
 *
 * A part has some of the alerts, as many as the others or one less, and which have gone is written behind `had` as lines of
 * "part 1/3".
 *
 * Owns     everything is borrowed from what is given, or in the arena.
 * Cost     O(alerts).
 * Source   design.md 2.7.
 */
#ifndef NOTIFY_COMPOSE_H
#define NOTIFY_COMPOSE_H

#include "tocsin/arena.h"
#include "tocsin/notification.h"

/* Of v[0..n), of one integration, in their order. */
struct notification digest_compose(struct arena *a, const struct notification *v, size_t n);

/* Part i of n, from 1. */
struct notification part_of(const struct notification *whole, unsigned i, unsigned n);
/* How many parts the row goes in, as far as its `had` knows; 0. */
unsigned part_count(str had);
/* The first that has not gone; 0: all have. */
unsigned part_next(str had, unsigned n);
str part_told(struct arena *a, str had, unsigned i, unsigned n);

#endif
