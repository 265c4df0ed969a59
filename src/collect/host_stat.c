#include "collect/host.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* -- /proc/stat -- */

enum { CPU_MODES = 8, CPU_TIMES = 10, CPU_IDLE = 3, CPU_IOWAIT = 4, CPUS_MAX = 65536 };
#define CPU_WENT_BACK 3.0 /* seconds of idle: more is a CPU that was taken out and put in again */

static const char *const cpu_modes[CPU_TIMES] = {"user", "nice",    "system", "idle", "iowait",
                                                 "irq",  "softirq", "steal",  "user", "nice"};

/* A counter that goes back looks like a restart: what was told before stands until it is passed. */
static void keep_forward(struct host_cpu *was, const double *now)
{
    bool is_new = now[CPU_IDLE] < was->v[CPU_IDLE] - CPU_WENT_BACK;

    for (int i = 0; i < CPU_TIMES; i++)
        was->v[i] = is_new ? now[i] : fmax(was->v[i], now[i]);
}

static bool read_cpu(struct host *h, str line, uint64_t *number)
{
    double tick = (double)sysconf(_SC_CLK_TCK), now[CPU_TIMES] = {0};
    str word = pseudo_cut_word(&line);
    uint64_t v;

    if (!str_to_u64(str_sub(word, 3, word.n), number) || *number >= CPUS_MAX)
        return false;
    for (int i = 0; i < CPU_TIMES && pseudo_cut_u64(&line, &v); i++)
        now[i] = (double)v / tick;
    while (h->cpus.n <= *number)
        vec_push(&h->cpus, (struct host_cpu){{0}});
    keep_forward(&h->cpus.v[*number], now);
    return true;
}

static void put_cpu(const struct host *h, struct sheet *s, uint64_t number)
{
    char cpu[24];
    struct expo_label l[2];

    snprintf(cpu, sizeof(cpu), "%llu", (unsigned long long)number);
    l[0] = SHEET_LABEL("cpu", str_of(cpu));
    for (int i = 0; i < CPU_TIMES; i++) {
        if (i < CPU_MODES)
            sheet_begin(s, S("node_cpu_seconds_total"), EXPO_COUNTER,
                        S("Seconds the CPUs spent in each mode."));
        else
            sheet_begin(s, S("node_cpu_guest_seconds_total"), EXPO_COUNTER,
                        S("Seconds the CPUs spent in guests (VMs) for each mode."));
        l[1] = SHEET_LABEL("mode", str_of(cpu_modes[i]));
        sheet_put(s, l, 2, h->cpus.v[number].v[i]);
    }
}

enum host_end host_cpu(struct host *h, struct sheet *s)
{
    bool any = false;
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "stat", PSEUDO_FILE_MAX))
        return HOST_FAILED;
    for (rest = buf_str(&h->b); rest.n != 0;) {
        str line = str_cut(&rest, '\n');
        uint64_t number;

        if (!str_starts_with(line, S("cpu")) || line.n < 4 || !char_is_digit(line.p[3]) ||
            !read_cpu(h, line, &number))
            continue;
        put_cpu(h, s, number);
        any = true;
    }
    return any ? HOST_OK : HOST_FAILED;
}

enum host_end host_stat(struct host *h, struct sheet *s)
{
    static const struct {
        const char *word, *name;
        enum expo_type type;
        const char *help;
    } rows[] = {{"intr", "node_intr_total", EXPO_COUNTER, "Total number of interrupts serviced."},
                {"ctxt", "node_context_switches_total", EXPO_COUNTER,
                 "Total number of context switches."},
                {"btime", "node_boot_time_seconds", EXPO_GAUGE, "Node boot time, in unixtime."},
                {"processes", "node_forks_total", EXPO_COUNTER, "Total number of forks."},
                {"procs_running", "node_procs_running", EXPO_GAUGE,
                 "Number of processes in runnable state."},
                {"procs_blocked", "node_procs_blocked", EXPO_GAUGE,
                 "Number of processes blocked waiting for I/O to complete."}};
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "stat", PSEUDO_FILE_MAX))
        return HOST_FAILED;
    for (rest = buf_str(&h->b); rest.n != 0;) {
        str line = str_cut(&rest, '\n'), word = pseudo_cut_word(&line);
        uint64_t v;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (str_is(word, rows[i].word) && pseudo_cut_u64(&line, &v))
                sheet_one(s, str_of(rows[i].name), rows[i].type, str_of(rows[i].help), (double)v);
    }
    return HOST_OK;
}

/* -- /proc/meminfo -- */

/* "Active(anon)": node_memory_Active_anon, with _bytes behind it where the kernel says kB. */
static size_t memory_name(str word, bool has_unit, char *out, size_t max)
{
    size_t n = (size_t)snprintf(out, max, "node_memory_");

    for (size_t i = 0; i < word.n && n + 8 < max; i++) {
        char c = word.p[i];

        if (c == '(')
            out[n++] = '_';
        else if (c != ')' && c != ':')
            out[n++] = c;
    }
    return n + (size_t)snprintf(out + n, max - n, "%s", has_unit ? "_bytes" : "");
}

enum host_end host_meminfo(struct host *h, struct sheet *s)
{
    char name[128], help[192];
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "meminfo", PSEUDO_FILE_MAX))
        return HOST_FAILED;
    for (rest = buf_str(&h->b); rest.n != 0;) {
        str line = str_cut(&rest, '\n'), word = pseudo_cut_word(&line);
        uint64_t v;
        bool has_unit;
        size_t n;

        if (!pseudo_cut_u64(&line, &v))
            continue;
        has_unit = str_is(pseudo_cut_word(&line), "kB");
        n = memory_name(word, has_unit, name, sizeof(name));
        if (!expo_is_bare((str){name, n}, false))
            continue;
        snprintf(help, sizeof(help), "Memory information field %s.", name + 12);
        sheet_one(s, (str){name, n}, EXPO_GAUGE, str_of(help), (double)v * (has_unit ? 1024 : 1));
    }
    return HOST_OK;
}

/* -- /proc/vmstat: oom_kill, pgpg*, pswp*, pg*fault* -- */

static bool is_vmstat_word(str w)
{
    if (str_starts_with(w, S("oom_kill")) || str_starts_with(w, S("pgpg")) ||
        str_starts_with(w, S("pswp")))
        return true;
    return str_starts_with(w, S("pg")) && str_find_str(w, S("fault")) >= 2;
}

enum host_end host_vmstat(struct host *h, struct sheet *s)
{
    char name[128], help[192];
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "vmstat", PSEUDO_FILE_MAX))
        return HOST_FAILED;
    for (rest = buf_str(&h->b); rest.n != 0;) {
        str line = str_cut(&rest, '\n'), word = pseudo_cut_word(&line);
        uint64_t v;

        if (!is_vmstat_word(word) || word.n > 64 || !expo_is_bare(word, false) ||
            !pseudo_cut_u64(&line, &v))
            continue;
        snprintf(name, sizeof(name), "node_vmstat_%.*s", STR(word));
        snprintf(help, sizeof(help), "/proc/vmstat information field %.*s.", STR(word));
        sheet_one(s, str_of(name), EXPO_UNTYPED, str_of(help), (double)v);
    }
    return HOST_OK;
}
