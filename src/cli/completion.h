/* completion.h - what a shell offers at Tab.
 *
 * The scripts of bash, zsh and fish only ask: "tocsin completion words -- WORD...", where the last word is the one at the
 * cursor, and each line of the answer is a candidate, a tab and its meaning, or ":files" for names of files. Of a word
 * "--flag=value" candidates are values. So one reader of the tables serves all three, and knows what a script cannot.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli/command.h"

int completion_run(const void *flags, char **args, int n_args);

#endif
