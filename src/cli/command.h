/* command.h - the command line as a table: one row a command, one row a flag.
 *
 * Parsing (getopt_long), --help, and the completions of bash, zsh and fish all read the same rows. Boolean flags have a
 * --no- form; a flag may be given as --flag=value or --flag value.
 *
 * Shapes   values land in the struct that the command's flags point into, by offset: bool, const char *, dur_ns (Go
 *          durations, as Alertmanager's flags, or Prometheus', which have days and weeks), int64_t, struct flag_list for repeatable ones.
 * Owns     values borrow from argv and from the table.
 * Errors   usage errors are printed to standard error and end in exit code 2.
 * Source   design.md 4 "subcommands", "exit codes"; alertmanager.md 7.1.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/time.h"
#include "base/vec.h"

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1, /* failed tests, findings, a bad config, flag or bind */
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3, /* no server */
};

enum flag_kind { FLAG_BOOL, FLAG_TEXT, FLAG_DURATION, FLAG_INT, FLAG_LIST };

struct flag_list {
    const char **v;
    size_t n, cap;
};

struct flag {
    const char *name; /* NULL ends the table */
    const char *text; /* default, as it would be written; NULL = none */
    const char *value_name;
    const char *doc;
    size_t offset;
    enum flag_kind kind;
    const char *words;  /* the only values, with a blank between two; NULL: any */
    const char *env;    /* variable whose value is the default when it is set; NULL: none */
    char letter;        /* 0 = none */
    bool accepted_only; /* taken for compatibility, without effect */
};

struct command {
    const char *name, *sub; /* "silence", "add"; sub NULL for one-word commands */
    const char *args;       /* "MATCHER..." for the usage line */
    const char *doc;
    const struct flag *flags;
    size_t size; /* of the struct that flags fill */
    int (*run)(const void *flags, char **args, int n_args);
};

extern const struct command
    commands[]; /* ends with name NULL; the first is what runs without a name */
extern const struct flag client_flags[]; /* shared by all commands that talk to a server */

int command_main(int argc, char **argv);

/* Each flag with its value as it would be written; of a flag without effect: its default. */
void command_each_flag(const struct flag *flags, const void *values,
                       void (*each)(void *arg, str name, str value), void *arg);

void command_print_help(const struct command *c); /* NULL: the overview */

#define FLAG(type, member, name_, kind_, text_, value_, doc_, ...)                                 \
    {                                                                                              \
        .name = (name_), .kind = (kind_), .offset = offsetof(type, member), .text = (text_),       \
        .value_name = (value_), .doc = (doc_), ##__VA_ARGS__                                       \
    }
#define FLAG_ACCEPTED(name_, kind_, value_, doc_)                                                  \
    {                                                                                              \
        .name = (name_), .kind = (kind_), .value_name = (value_), .doc = (doc_),                   \
        .accepted_only = true                                                                      \
    }
#define FLAGS_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

#endif
