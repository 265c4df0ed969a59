/* say.h - how a command prints: what moves a cursor or turns the order of letters reaches no terminal.
 *
 * A label, a comment or a server's error may hold an escape sequence, or U+202E, behind which text reads backwards. Such runes
 * are written as \u202e, which JSON reads as the rune it was; line ends and tabs stay. What is to be byte for byte (a rendered
 * template) is written as it is where out is no terminal.
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stdio.h>
#include "base/attr.h"
#include "base/str.h"

void say(FILE *out, const char *fmt, ...) printf_like(2, 3);
void say_exactly(FILE *out, str text);

#endif
