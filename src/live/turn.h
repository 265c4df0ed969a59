/* turn.h - one turn of the program: what happens, in which order, and why. The same code runs in serve and in a simulation;
 * nothing in it knows who drives it.
 *
 *     while (!stopping)
 *         turn(shell, wait, arg);      wait() brings what has arrived, and may sleep
 *     turn_stop(shell, leave, arg);
 *
 * Everything that steps the engine happens inside of a turn: shell_event() elsewhere is a bug.
 *
 * Units    a turn has one time, that of its clock's first touch.
 * Cost     what wait() brings, and 5 ms (clock_turn_is_long()): what the turn itself makes due is worked through in at most 8
 *          rounds, of which none begins later than that.
 * Source   design.md 2.2.
 */
#ifndef LIVE_TURN_H
#define LIVE_TURN_H

#include "live/shell.h"

void turn(struct shell *s, void (*wait)(void *arg), void *arg);

/* The order of a stop. leave(): whoever waits for an answer goes without one, which ends queries early; what waits for what
 * jobs have may be cancelled, but nothing is freed. Then all that is under way on workers comes home, each with its turn, and
 * what it changed is on the disk when this returns. Afterwards nothing steps the engine any more. False: something has not
 * come home in five seconds, and what it touches must stay. */
bool turn_stop(struct shell *s, void (*leave)(void *arg), void *arg);

#endif
