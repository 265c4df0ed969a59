/* The part `process`: processes by their command lines, under the names of process-exporter.
 *
 * The CPU time of a group is a counter, and must not go back when one of its processes ends: what each has used since it was
 * last seen is added up. A process is its number and its start, for numbers come again.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "collect/collect_conf.h"
#include "collect/part.h"
#include "collect/pseudo_file.h"
#include "regex/regex.h"

enum { COMMAND_MAX = 16 << 10, STAT_WORDS = 22 };

struct process_group {
    const struct collect_process *conf;
    struct regex *command; /* NULL: the name, as it is, somewhere in the command line */
    double cpu[2];         /* user, system; seconds since we look */
    double count, threads, rss, vsize, fds, oldest;
    bool has_fds; /* all could be counted */
};

struct process_last {
    uint64_t seen; /* the run */
    double cpu[2];
};

MAP_DECLARE(process_map, str, struct process_last);
MAP_DEFINE(process_map, str, struct process_last, hash_str, str_eq);

struct process_part {
    struct part part;
    str procfs;
    struct process_group *groups;
    size_t n_groups;
    struct process_map last; /* by "group pid start" */
    uint64_t runs;
    double boot; /* seconds since 1970 */
    struct buf b;
};

/* What /proc/PID/stat says. */
struct process_stat {
    double cpu[2], threads, rss, vsize, start; /* start: since boot */
    uint64_t start_ticks;
};

/* "42 (a name) S 1 ...": the name may hold anything, the last bracket ends it. */
static bool parse_stat(str text, struct process_stat *out)
{
    double tick = (double)sysconf(_SC_CLK_TCK);
    uint64_t words[STAT_WORDS + 2] = {0};
    size_t at = text.n;

    while (at > 0 && text.p[at - 1] != ')')
        at--;
    if (at == 0)
        return false;
    text = str_sub(text, at, text.n);
    (void)pseudo_cut_word(&text); /* the state, which is word 3 */
    for (size_t i = 4; i <= STAT_WORDS + 1; i++) {
        str word = pseudo_cut_word(&text);

        if (word.n == 0)
            return false;
        (void)str_to_u64(word, &words[i]);
    }
    *out = (struct process_stat){.cpu = {(double)words[14] / tick, (double)words[15] / tick},
                                 .threads = (double)words[20],
                                 .start_ticks = words[22],
                                 .start = (double)words[22] / tick,
                                 .vsize = (double)words[23]};
    return true;
}

static bool read_process(struct process_part *t, const char *pid, struct process_stat *out)
{
    char name[64];
    uint64_t size, resident;
    str rest;

    snprintf(name, sizeof(name), "%s/stat", pid);
    if (!pseudo_read(&t->b, t->procfs, name, 4096) || !parse_stat(buf_str(&t->b), out))
        return false;
    snprintf(name, sizeof(name), "%s/statm", pid);
    if (!pseudo_read(&t->b, t->procfs, name, 4096))
        return false;
    rest = buf_str(&t->b);
    if (pseudo_cut_u64(&rest, &size) && pseudo_cut_u64(&rest, &resident))
        out->rss = (double)resident * (double)getpagesize();
    return true;
}

/* Open files; below zero: they may not be counted. */
static double count_files(const struct process_part *t, const char *pid)
{
    char path[PSEUDO_PATH_MAX];
    struct dirent *e;
    double n = 0;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s/%s/fd", STR(t->procfs), pid);
    d = opendir(path);
    if (d == NULL)
        return errno == ENOENT ? 0 : -1;
    while ((e = readdir(d)) != NULL)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void count_cpu(struct process_part *t, size_t group, const char *pid,
                      const struct process_stat *p)
{
    char key[96];
    struct process_last *last;
    int n =
        snprintf(key, sizeof(key), "%zu %s %llu", group, pid, (unsigned long long)p->start_ticks);
    bool is_new;
    str k = {key, (size_t)n};

    if (process_map_get(&t->last, k) == NULL)
        k = mem_str_dup(k);
    last = process_map_add(&t->last, k, (struct process_last){0}, &is_new);
    for (int i = 0; i < 2; i++) {
        if (p->cpu[i] > last->cpu[i])
            t->groups[group].cpu[i] += p->cpu[i] - last->cpu[i];
        last->cpu[i] = p->cpu[i];
    }
    last->seen = t->runs;
}

static void add_process(struct process_part *t, size_t group, const char *pid,
                        const struct process_stat *p)
{
    struct process_group *g = &t->groups[group];
    double fds = count_files(t, pid), start = t->boot + p->start;

    count_cpu(t, group, pid, p);
    g->oldest = g->count == 0 || start < g->oldest ? start : g->oldest;
    g->count++;
    g->threads += p->threads;
    g->rss += p->rss;
    g->vsize += p->vsize;
    g->fds += fds > 0 ? fds : 0;
    g->has_fds &= fds >= 0;
}

static bool is_of_group(const struct process_group *g, str command)
{
    return g->command != NULL ? regex_matches(g->command, command)
                              : str_find_str(command, g->conf->name) >= 0;
}

/* Arguments end with a NUL each; a thread of the kernel has none and is of no group. */
static str command_line(struct process_part *t, const char *pid)
{
    char name[64];

    snprintf(name, sizeof(name), "%s/cmdline", pid);
    if (!pseudo_read(&t->b, t->procfs, name, COMMAND_MAX))
        return STR_NONE;
    for (size_t i = 0; i < t->b.n; i++)
        if (t->b.p[i] == '\0')
            t->b.p[i] = ' ';
    return str_trim(buf_str(&t->b));
}

static void look_at(struct process_part *t, const char *pid)
{
    str command = command_line(t, pid);
    struct process_stat stat;
    bool is_read = false, is_wanted[COLLECT_PROCESSES_MAX];

    for (size_t i = 0; i < t->n_groups; i++)
        is_wanted[i] = command.n != 0 && is_of_group(&t->groups[i], command);
    for (size_t i = 0; i < t->n_groups; i++) {
        if (!is_wanted[i])
            continue;
        if (!is_read && !read_process(t, pid, &stat))
            return; /* it has ended */
        is_read = true;
        add_process(t, i, pid, &stat);
    }
}

static void forget_ended(struct process_part *t)
{
    MAP_EACH (struct process_map_entry, e, &t->last)
        if (e->value.seen != t->runs) {
            str key = e->key;

            process_map_del_entry(&t->last, e);
            mem_str_free(key);
        }
}

static double boot_time(struct process_part *t)
{
    str rest, line;
    uint64_t v = 0;

    if (!pseudo_read(&t->b, t->procfs, "stat", PSEUDO_FILE_MAX))
        return 0;
    for (rest = buf_str(&t->b); rest.n != 0;) {
        line = str_cut(&rest, '\n');
        if (str_starts_with(line, S("btime "))) {
            (void)pseudo_cut_word(&line);
            (void)pseudo_cut_u64(&line, &v);
        }
    }
    return (double)v;
}

/* -- printing -- */

static void put_group_value(struct sheet *s, const struct process_group *g, const char *name,
                            const char *label, const char *value, enum expo_type type,
                            const char *help, double v)
{
    const struct expo_label l[] = {SHEET_LABEL("groupname", g->conf->name),
                                   {str_of(label), str_of(value)}};

    sheet_begin(s, str_of(name), type, str_of(help));
    sheet_put(s, l, label != NULL ? 2 : 1, v);
}

static void put_group(struct sheet *s, const struct process_group *g)
{
    put_group_value(s, g, "namedprocess_namegroup_num_procs", NULL, NULL, EXPO_GAUGE,
                    "number of processes in this group", g->count);
    put_group_value(s, g, "namedprocess_namegroup_num_threads", NULL, NULL, EXPO_GAUGE,
                    "number of threads in this group", g->threads);
    put_group_value(s, g, "namedprocess_namegroup_cpu_seconds_total", "mode", "user", EXPO_COUNTER,
                    "Cpu user usage in seconds", g->cpu[0]);
    put_group_value(s, g, "namedprocess_namegroup_cpu_seconds_total", "mode", "system",
                    EXPO_COUNTER, "Cpu user usage in seconds", g->cpu[1]);
    put_group_value(s, g, "namedprocess_namegroup_memory_bytes", "memtype", "resident", EXPO_GAUGE,
                    "number of bytes of memory in use", g->rss);
    put_group_value(s, g, "namedprocess_namegroup_memory_bytes", "memtype", "virtual", EXPO_GAUGE,
                    "number of bytes of memory in use", g->vsize);
    if (g->has_fds)
        put_group_value(s, g, "namedprocess_namegroup_open_filedesc", NULL, NULL, EXPO_GAUGE,
                        "number of open file descriptors for this group", g->fds);
    if (g->count != 0)
        put_group_value(s, g, "namedprocess_namegroup_oldest_start_time_seconds", NULL, NULL,
                        EXPO_GAUGE, "start time in seconds since 1970/01/01 of oldest process",
                        g->oldest);
}

/* -- the part -- */

static bool process_run(struct part *p, struct part_run *r, struct err *e)
{
    struct process_part *t = container_of(p, struct process_part, part);
    char path[PSEUDO_PATH_MAX];
    struct dirent *entry;
    bool ok = true;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s", STR(t->procfs));
    d = opendir(path);
    if (d == NULL)
        return err_errno(e, errno, "cannot open '%s'", path);
    t->runs++;
    t->boot = boot_time(t);
    for (size_t i = 0; i < t->n_groups; i++) {
        struct process_group *g = &t->groups[i];

        g->count = g->threads = g->rss = g->vsize = g->fds = g->oldest = 0;
        g->has_fds = true;
    }
    while (ok && (entry = readdir(d)) != NULL) {
        uint64_t pid;

        if (str_to_u64(str_of(entry->d_name), &pid) && pid != (uint64_t)getpid())
            look_at(t, entry->d_name);
        if (part_left_ms(r->deadline) == 0)
            ok = err_set(e, ERR_TIMEOUT, "there are too many processes to look at");
    }
    closedir(d);
    for (size_t i = 0; ok && i < t->n_groups; i++)
        put_group(r->out, &t->groups[i]);
    if (ok)
        forget_ended(t);
    return ok;
}

static void process_free(struct part *p)
{
    struct process_part *t = container_of(p, struct process_part, part);

    MAP_EACH (struct process_map_entry, e, &t->last)
        mem_str_free(e->key);
    process_map_release(&t->last);
    for (size_t i = 0; i < t->n_groups; i++)
        regex_unref(t->groups[i].command);
    mem_free(t->groups);
    buf_release(&t->b);
    mem_free(t);
}

struct part *process_part_new(const struct collect_conf *c)
{
    struct process_part *t = mem_new(struct process_part);

    t->part = (struct part){S("process"), c->timeout, process_run, process_free};
    t->procfs = c->host.procfs;
    t->n_groups = c->processes.n;
    t->groups = mem_array(t->n_groups, sizeof(*t->groups));
    for (size_t i = 0; i < t->n_groups; i++) {
        const struct collect_process *p = &c->processes.v[i];

        t->groups[i].conf = p;
        if (p->command.n != 0)
            t->groups[i].command = regex_compile(p->command, REGEX_DOTALL, NULL);
    }
    return &t->part;
}
