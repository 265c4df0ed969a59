/* From argv to a command's struct of flags: which row of the table is meant, what its flags say, and help where
 * nothing runs. Everything that prints help reads the rows that the parser reads. */
#include "cli/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli/manual.h"
#include "cli/say.h"
#include "codec/duration.h"

enum { NO_PREFIX = 0x10000, HELP = 0x20000, VERSION };

static size_t flag_count(const struct flag *flags)
{
    size_t n = 0;

    while (flags != NULL && flags[n].name != NULL)
        n++;
    return n;
}

static bool command_is_word(const struct flag *f, const char *text)
{
    str rest = str_of(f->words);

    while (rest.n != 0)
        if (str_eq(str_cut(&rest, ' '), str_of(text)))
            return true;
    say(stderr, "tocsin: --%s: '%s' is none of", f->name, text);
    for (rest = str_of(f->words); rest.n != 0;) {
        str word = str_cut(&rest, ' ');

        fprintf(stderr, " %.*s%s", STR(word), rest.n != 0 ? "," : "\n");
    }
    return false;
}

static bool set_flag(const struct flag *f, void *values, const char *text)
{
    void *at = (char *)values + f->offset;
    struct err e = ERR_INIT;
    char *end;

    if (f->accepted_only)
        return true;
    switch (f->kind) {
    case FLAG_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            fprintf(stderr, "tocsin: --%s: '%s' is neither true nor false\n", f->name, text);
            return false;
        }
        *(bool *)at = strcmp(text, "true") == 0;
        return true;
    case FLAG_TEXT:
        *(const char **)at = text;
        return f->words == NULL || *text == '\0' || command_is_word(f, text);
    case FLAG_DURATION:
        if (go_duration_parse(str_of(text), at, &e) || duration_parse(str_of(text), at, NULL))
            return true;
        fprintf(stderr, "tocsin: --%s: %s\n", f->name, e.msg);
        return false;
    case FLAG_INT:
        *(int64_t *)at = strtoll(text, &end, 10);
        if (*text != '\0' && *end == '\0')
            return true;
        fprintf(stderr, "tocsin: --%s: '%s' is not a whole number\n", f->name, text);
        return false;
    case FLAG_LIST: vec_push((struct flag_list *)at, text); return true;
    }
    return false;
}

static void print_value(struct buf *b, const struct flag *f, const void *values)
{
    const void *at = (const char *)values + f->offset;
    const struct flag_list *list = at;

    if (f->accepted_only || f->kind == FLAG_TEXT) {
        const char *text = f->accepted_only ? f->text : *(const char *const *)at;

        buf_add(b, str_of(text != NULL ? text : f->kind == FLAG_BOOL ? "false" : ""));
        return;
    }
    switch (f->kind) {
    case FLAG_BOOL: buf_add(b, str_of(*(const bool *)at ? "true" : "false")); return;
    case FLAG_DURATION: go_duration_print(b, *(const dur_ns *)at); return;
    case FLAG_INT: buf_addf(b, "%lld", (long long)*(const int64_t *)at); return;
    case FLAG_LIST:
        for (size_t i = 0; i < list->n; i++)
            buf_addf(b, "%s%s", i != 0 ? "," : "", list->v[i]);
        return;
    case FLAG_TEXT: return;
    }
}

void command_each_flag(const struct flag *flags, const void *values,
                       void (*each)(void *arg, str name, str value), void *arg)
{
    struct buf b = BUF_INIT;

    for (const struct flag *f = flags; f->name != NULL; f++) {
        buf_clear(&b);
        print_value(&b, f, values);
        each(arg, str_of(f->name), buf_str(&b));
    }
    buf_release(&b);
}

static void release_values(const struct flag *flags, void *values)
{
    for (const struct flag *f = flags; f != NULL && f->name != NULL; f++)
        if (f->kind == FLAG_LIST && !f->accepted_only)
            vec_release((struct flag_list *)(void *)((char *)values + f->offset));
    mem_free(values);
}

/* The option table for getopt_long; negations of booleans are rows of their own. */
static struct option *make_options(const struct flag *flags, char *letters)
{
    size_t n = flag_count(flags), k = 0;
    struct option *o = mem_array(2 * n + 3, sizeof(*o));
    char *at = letters;

    *at++ =
        '+'; /* options stand before arguments only until the first argument that is none: see below */
    *at++ = ':';
    for (size_t i = 0; i < n; i++) {
        bool is_bool = flags[i].kind == FLAG_BOOL;

        o[k++] = (struct option){flags[i].name, is_bool ? optional_argument : required_argument,
                                 NULL, (int)i + 256};
        if (is_bool) {
            char *no = mem_alloc(strlen(flags[i].name) + 4);

            sprintf(no, "no-%s", flags[i].name);
            o[k++] = (struct option){no, no_argument, NULL, (int)i + NO_PREFIX};
        }
        if (flags[i].letter != 0) {
            *at++ = flags[i].letter;
            if (!is_bool)
                *at++ = ':';
        }
    }
    o[k++] = (struct option){"help", no_argument, NULL, HELP};
    o[k++] = (struct option){"version", no_argument, NULL, VERSION};
    *at++ = 'h';
    *at = '\0';
    letters[0] =
        '-'; /* arguments in between are given back as option 1: flags may stand anywhere */
    return o;
}

static void free_options(struct option *options)
{
    for (struct option *o = options; o->name != NULL; o++)
        if (o->val >= NO_PREFIX && o->val < HELP)
            mem_free((char *)(uintptr_t)o->name);
    mem_free(options);
}

static str name_in(const char *word)
{
    str given = str_of(word);

    while (given.n != 0 && given.p[0] == '-')
        given = str_sub(given, 1, given.n);
    return str_cut(&given, '=');
}

static void say_unknown(const struct command *c, const char *word)
{
    size_t n = flag_count(c->flags);
    str *names = mem_array(n, sizeof(*names));
    const str *near;

    for (size_t i = 0; i < n; i++)
        names[i] = str_of(c->flags[i].name);
    near = str_nearest(name_in(word), names, n);
    say(stderr, "tocsin: unknown flag '%s'", word);
    if (near != NULL)
        fprintf(stderr, ", did you mean --%.*s?", STR(*near));
    fputc('\n', stderr);
    mem_free(names);
}

static const struct flag *flag_by_name(const struct command *c, str name)
{
    for (const struct flag *f = c->flags; f != NULL && f->name != NULL; f++)
        if (str_eq(str_of(f->name), name))
            return f;
    return NULL;
}

static bool takes_next(const struct command *c, const char *word)
{
    const struct flag *f = flag_by_name(c, name_in(word));

    return str_starts_with(str_of(word), S("--")) && strchr(word, '=') == NULL && f != NULL &&
           f->kind != FLAG_BOOL;
}

/* "-url=x", as Go's flags were once written, would be read as letters: -u, -r, ... */
static bool has_one_dash(const struct command *c, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const struct flag *f;

        if (takes_next(c, argv[i])) {
            i++;
            continue;
        }
        if (argv[i][0] != '-' || argv[i][1] == '-' || argv[i][1] == '\0' || argv[i][2] == '\0')
            continue;
        f = flag_by_name(c, name_in(argv[i]));
        if (f == NULL && strcmp(argv[i], "-help") != 0)
            continue;
        say(stderr, "tocsin: unknown flag '%s', did you mean -%s?\n", argv[i], argv[i]);
        return true;
    }
    return false;
}

static const struct flag *flag_by_letter(const struct command *c, int letter)
{
    for (const struct flag *f = c->flags; f != NULL && f->name != NULL; f++)
        if (f->letter == letter)
            return f;
    return NULL;
}

static const char *default_of(const struct flag *f)
{
    const char *said = f->env != NULL ? getenv(f->env) : NULL;

    return said != NULL && *said != '\0' ? said : f->text;
}

static const struct command *command_find(const char *name, const char *sub);

/* -1: go on and run; otherwise an exit code. */
static int command_parse(const struct command *c, int argc, char **argv, void *values, char **args,
                         int *n_args)
{
    char letters[256];
    struct option *options = make_options(c->flags, letters);
    int code = -1, at, o; /* at: the argument that is being read */

    for (const struct flag *f = c->flags; f != NULL && f->name != NULL; f++)
        if (default_of(f) != NULL && f->kind != FLAG_LIST && !set_flag(f, values, default_of(f)))
            code = EXIT_USAGE;
    if (has_one_dash(c, argc, argv))
        code = EXIT_USAGE;
    optind = 0;
    opterr = 0;
    while (at = optind == 0 ? 1 : optind,
           code < 0 && (o = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        const struct flag *f =
            o >= 256 && o < HELP ? &c->flags[(o >= NO_PREFIX ? o - NO_PREFIX : o - 256)] : NULL;

        if (o == HELP || o == 'h') {
            command_print_help(c);
            code = EXIT_OK;
        } else if (o == VERSION) {
            code = command_find("version", NULL)->run(NULL, NULL, 0);
        } else if (o == 1) {
            args[(*n_args)++] = optarg;
        } else if (o == '?') {
            say_unknown(c, argv[at]);
            code = EXIT_USAGE;
        } else if (o == ':') {
            say(stderr, "tocsin: flag '%s' needs a value\n", argv[at]);
            code = EXIT_USAGE;
        } else {
            if (f == NULL)
                f = flag_by_letter(c, o);
            assume(f != NULL); /* getopt gives only letters that a flag has */
            if (!set_flag(f, values, o >= NO_PREFIX ? "false" : optarg != NULL ? optarg : "true"))
                code = EXIT_USAGE;
        }
    }
    for (; code < 0 && optind < argc; optind++)
        args[(*n_args)++] = argv[optind];
    free_options(options);
    for (const struct flag *f = c->flags; code < 0 && f != NULL && f->name != NULL; f++) {
        struct flag_list *l = (void *)((char *)values + f->offset);

        if (f->kind == FLAG_LIST && !f->accepted_only && l->n == 0 && f->text != NULL)
            vec_push(l, f->text);
    }
    return code;
}

static int command_run(const struct command *c, int argc, char **argv)
{
    void *values = mem_zalloc(c->size);
    char **args = mem_array((size_t)argc + 1, sizeof(*args));
    int n_args = 0, code = command_parse(c, argc, argv, values, args, &n_args);

    if (code < 0)
        code = c->run(values, args, n_args);
    release_values(c->flags, values);
    mem_free(args);
    return code;
}

static const struct command *command_find(const char *name, const char *sub)
{
    for (const struct command *c = commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0 &&
            (c->sub == NULL || (sub != NULL && strcmp(c->sub, sub) == 0)))
            return c;
    return NULL;
}

static bool is_group(const char *name)
{
    for (const struct command *c = commands; c->name != NULL; c++)
        if (c->sub != NULL && strcmp(c->name, name) == 0)
            return true;
    return false;
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static void list_group(FILE *out, const char *name)
{
    for (const struct command *c = commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            fprintf(out, "  tocsin %s %-8s %s\n", c->name, c->sub, c->doc);
}

static void print_group_help(const char *name)
{
    printf("usage: tocsin %s COMMAND [FLAGS] [ARGS]\n\nCommands:\n", name);
    list_group(stdout, name);
    printf("\n'tocsin %s COMMAND --help' shows its flags.\n", name);
}

/* Of a group's commands; group NULL: of the first words. */
static const str *nearest_command(const char *word, const char *group, str *names, size_t room)
{
    size_t n = 0;

    for (const struct command *c = commands; c->name != NULL && n < room; c++)
        if (group == NULL || strcmp(c->name, group) == 0)
            names[n++] = str_of(group == NULL ? c->name : c->sub);
    return str_nearest(str_of(word), names, n);
}

static int in_group(const char *name, const char *sub)
{
    str names[64];
    const str *near;

    if (sub != NULL && asks_for_help(sub)) {
        print_group_help(name);
        return EXIT_OK;
    }
    if (sub == NULL || sub[0] == '-') {
        fprintf(stderr, "tocsin: '%s' needs one of its commands:\n", name);
    } else {
        near = nearest_command(sub, name, names, ARRAY_LEN(names));
        say(stderr, "tocsin: unknown command '%s %s'", name, sub);
        if (near != NULL)
            fprintf(stderr, ", did you mean '%.*s'?", STR(*near));
        fprintf(stderr, "\nThere are:\n");
    }
    list_group(stderr, name);
    return EXIT_USAGE;
}

static int unknown_command(const char *name)
{
    str names[64];
    const str *near = nearest_command(name, NULL, names, ARRAY_LEN(names));

    say(stderr, "tocsin: unknown command '%s'", name);
    if (near != NULL)
        fprintf(stderr, ", did you mean '%.*s'?", STR(*near));
    fprintf(stderr, "\nRun 'tocsin --help' for the list.\n");
    return EXIT_USAGE;
}

static int help(const char *name, const char *sub)
{
    const struct command *c = name != NULL ? command_find(name, sub) : NULL;

    if (c == NULL && sub != NULL && strcmp(name, "config") == 0)
        return manual_key(sub) ? EXIT_OK : EXIT_FAILED;
    if (name != NULL && c == NULL)
        return is_group(name) ? in_group(name, sub != NULL ? sub : "help") : unknown_command(name);
    command_print_help(c);
    return EXIT_OK;
}

int command_main(int argc, char **argv)
{
    const struct command *c;
    const char *sub = argc > 2 && argv[2][0] != '-' ? argv[2] : NULL;
    int words;

    if (argc > 1 && asks_for_help(argv[1]))
        return help(argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
    if (argc < 2 || argv[1][0] == '-')
        return command_run(&commands[0], argc, argv);
    c = command_find(argv[1], sub);
    if (c == NULL)
        return is_group(argv[1]) ? in_group(argv[1], argc > 2 ? argv[2] : NULL)
                                 : unknown_command(argv[1]);
    words = c->sub != NULL ? 2 : 1;
    return command_run(c, argc - words, argv + words);
}

/* -- help, from the same rows -- */

static void print_flag(const struct flag *f)
{
    char left[96];
    int n = 0;

    if (f->letter != 0)
        n = snprintf(left, sizeof(left), "-%c, ", f->letter);
    else
        n = snprintf(left, sizeof(left), "    ");
    snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s%s", f->kind == FLAG_BOOL ? "[no-]" : "",
             f->name, f->value_name != NULL && f->kind != FLAG_BOOL ? "=" : "",
             f->value_name != NULL && f->kind != FLAG_BOOL ? f->value_name : "");
    printf("  %-44s %s", left, f->doc);
    if (f->accepted_only)
        printf(" (accepted, without effect)");
    else if (f->text != NULL && f->text[0] != '\0' && f->kind != FLAG_BOOL)
        printf(" [%s]", f->text);
    if (f->env != NULL)
        printf(" (default: $%s)", f->env);
    if (f->kind == FLAG_LIST)
        printf(" (repeatable)");
    putchar('\n');
}

void command_print_help(const struct command *c)
{
    if (c != NULL) {
        printf("usage: tocsin %s%s%s [FLAGS]%s%s\n\n%s.\n", c->name, c->sub != NULL ? " " : "",
               c->sub != NULL ? c->sub : "", c->args != NULL ? " " : "",
               c->args != NULL ? c->args : "", c->doc);
        if (flag_count(c->flags) != 0)
            printf("\nFlags:\n");
        for (const struct flag *f = c->flags; f != NULL && f->name != NULL; f++)
            print_flag(f);
        return;
    }
    printf("tocsin evaluates Prometheus rules, and routes, groups, silences and delivers the "
           "alerts.\n\n"
           "usage: tocsin [COMMAND] [FLAGS] [ARGS]\n\nCommands:\n");
    for (c = commands; c->name != NULL; c++) {
        char name[48];

        snprintf(name, sizeof(name), "%s%s%s", c->name, c->sub != NULL ? " " : "",
                 c->sub != NULL ? c->sub : "");
        printf("  %-20s %s\n", name, c->doc);
    }
    printf("\n'tocsin COMMAND --help' shows its flags. Without a command, tocsin serves.\n"
           "Exit codes: 0 ok, 1 failed or findings, 2 usage, 3 server unreachable.\n");
}
