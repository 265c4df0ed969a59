#include "cli/completion.h"

#include <stdio.h>

/* -- the scripts -- */

/* A word with "=" or ":" is several for bash, and what is offered replaces the last of them. */
static const char bash[] =
    "_tocsin() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} cur value word meaning\n"
    "    local -a words\n"
    "    read -ra words <<< \"$line\"\n"
    "    case $line in *[[:space:]]) words+=('') ;; esac\n"
    "    cur=${words[${#words[@]}-1]}\n"
    "    value=$cur\n"
    "    case $cur in --*=*) value=${cur#*=} ;; esac\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r word meaning; do\n"
    "        if [ \"$word\" = :files ]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            while IFS= read -r word; do COMPREPLY+=(\"$word\"); done < <(compgen -f -- "
    "\"$value\")\n"
    "        else\n"
    "            case $word in \"$value\"*) COMPREPLY+=(\"$word\") ;; esac\n"
    "        fi\n"
    "    done < <(\"${words[0]}\" completion words -- \"${words[@]:1}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _tocsin tocsin\n";

static const char zsh[] =
    "#compdef tocsin\n"
    "_tocsin() {\n"
    "    local word meaning files=\n"
    "    local -a found\n"
    "    while IFS=$'\\t' read -r word meaning; do\n"
    "        if [[ $word == :files ]]; then files=1; else found+=(\"${word//:/\\\\:}:$meaning\"); "
    "fi\n"
    "    done < <(${(Q)words[1]} completion words -- \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    [[ $PREFIX == --*=* ]] && compset -P '--*='\n"
    "    if (( ${#found} )); then _describe -V 'tocsin' found; fi\n"
    "    if [[ -n $files ]]; then _files; fi\n"
    "}\n"
    "if [[ ${funcstack[1]} == _tocsin ]]; then _tocsin \"$@\"; else compdef _tocsin tocsin; fi\n";

static const char fish[] =
    "function __tocsin_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l cur (commandline -ct)\n"
    "    set -l program $words[1]\n"
    "    set -e words[1]\n"
    "    set -l prefix (string match -r -- '^--[^=]+=' \"$cur\")\n"
    "    for line in ($program completion words -- $words \"$cur\" 2>/dev/null)\n"
    "        if test \"$line\" = :files\n"
    "            for path in (__fish_complete_path (string replace -- \"$prefix\" '' \"$cur\"))\n"
    "                echo -- \"$prefix$path\"\n"
    "            end\n"
    "        else\n"
    "            echo -- \"$prefix$line\"\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c tocsin -f -a '(__tocsin_complete)'\n";

/* -- what is offered -- */

static void offer(str cur, const char *before, str word, const char *meaning)
{
    char text[128];

    snprintf(text, sizeof(text), "%s%.*s", before, STR(word));
    if (str_starts_with(str_of(text), cur))
        printf("%s\t%s\n", text, meaning);
}

static void offer_files(void)
{
    printf(":files\n");
}

static bool is_path(const char *name)
{
    static const char *const names[] = {"FILE", "DIR", "FOLDER", "PATH", "GLOB", "BACKUP"};

    for (size_t i = 0; name != NULL && i < ARRAY_LEN(names); i++)
        if (str_find_str(str_of(name), str_of(names[i])) >= 0)
            return true;
    return false;
}

static void offer_words(str cur, const char *words, char between)
{
    str rest = str_of(words);

    while (rest.n != 0)
        offer(cur, "", str_cut(&rest, between), "");
}

static void offer_value(str cur, const struct flag *f)
{
    if (f->words != NULL)
        offer_words(cur, f->words, ' ');
    else if (f->kind == FLAG_BOOL)
        offer_words(cur, "true false", ' ');
    else if (is_path(f->value_name))
        offer_files();
}

static void offer_flags(str cur, const struct command *c)
{
    for (const struct flag *f = c->flags; f != NULL && f->name != NULL; f++) {
        offer(cur, "--", str_of(f->name), f->doc);
        if (f->kind == FLAG_BOOL && str_starts_with(cur, S("--no")))
            offer(cur, "--no-", str_of(f->name), f->doc);
    }
    offer(cur, "--", S("help"), "show what it takes");
}

static const struct flag *flag_of(const struct command *c, const char *word)
{
    str name = str_of(word);

    if (name.n == 2 && name.p[0] == '-')
        for (const struct flag *f = c->flags; f != NULL && f->name != NULL; f++)
            if (f->letter == name.p[1])
                return f;
    if (!str_starts_with(name, S("--")))
        return NULL;
    name = str_sub(name, 2, name.n);
    name = str_cut(&name, '=');
    for (const struct flag *f = c->flags; f != NULL && f->name != NULL; f++)
        if (str_eq(str_of(f->name), name))
            return f;
    return NULL;
}

/* before: the words of the command, without its name. */
static void offer_for(const struct command *c, char **before, int n, const char *word)
{
    const struct flag *last = n != 0 ? flag_of(c, before[n - 1]) : NULL, *own = flag_of(c, word);
    str cur = str_of(word);

    if (own != NULL && strchr(word, '=') != NULL) {
        str_cut(&cur, '=');
        offer_value(cur, own);
    } else if (last != NULL && last->kind != FLAG_BOOL && strchr(before[n - 1], '=') == NULL) {
        offer_value(cur, last);
    } else if (cur.n != 0 && cur.p[0] == '-') {
        offer_flags(cur, c);
    } else if (c->args != NULL && is_path(c->args)) {
        offer_files();
    } else if (c->args != NULL && strchr(c->args, '|') != NULL && strchr(c->args, '.') == NULL) {
        offer_words(cur, c->args, '|');
    }
}

static void offer_names(str cur, const char *group)
{
    for (const struct command *c = commands; c->name != NULL; c++) {
        bool is_first = c == commands || strcmp(c->name, c[-1].name) != 0;

        if (group != NULL && strcmp(c->name, group) == 0 && c->sub != NULL)
            offer(cur, "", str_of(c->sub), c->doc);
        else if (group == NULL && is_first)
            offer(cur, "", str_of(c->name), c->sub == NULL ? c->doc : "");
    }
}

static void offer_at(char **words, int n)
{
    const char *cur = words[n - 1];

    if (n == 1 || words[0][0] == '-') { /* without a command tocsin serves */
        if (n == 1 && cur[0] != '-')
            offer_names(str_of(cur), NULL);
        else
            offer_for(&commands[0], words, n - 1, cur);
        return;
    }
    for (const struct command *c = commands; c->name != NULL; c++) {
        int k = c->sub != NULL ? 2 : 1;

        if (strcmp(c->name, words[0]) != 0)
            continue;
        if (c->sub != NULL && n == 2) {
            offer_names(str_of(cur), c->name);
            return;
        }
        if (c->sub == NULL || strcmp(c->sub, words[1]) == 0) {
            offer_for(c, words + k, n - 1 - k, cur);
            return;
        }
    }
}

int completion_run(const void *flags, char **args, int n_args)
{
    static const struct {
        const char *name, *script;
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    (void)flags;
    if (n_args > 1 && strcmp(args[0], "words") == 0) {
        offer_at(args + 1, n_args - 1);
        return EXIT_OK;
    }
    for (size_t i = 0; n_args == 1 && i < ARRAY_LEN(shells); i++)
        if (strcmp(args[0], shells[i].name) == 0) {
            fputs(shells[i].script, stdout);
            return EXIT_OK;
        }
    fprintf(stderr, "tocsin: completion needs one of bash, zsh, fish\n");
    return EXIT_USAGE;
}
