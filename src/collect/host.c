/* The parts `host` and `filesystem`, and the collectors of a line or two. A file system that does not answer (a server of NFS
 * that is gone) hangs whoever asks: so those have a worker of their own, and the rest of the host is told all the same. */
#include "collect/host.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include "codec/float.h"

/* -- load, pressure, files, time -- */

static enum host_end host_loadavg(struct host *h, struct sheet *s)
{
    static const struct {
        const char *name, *help;
    } rows[] = {{"node_load1", "1m load average."},
                {"node_load5", "5m load average."},
                {"node_load15", "15m load average."}};
    str rest;
    double v;

    if (!pseudo_read(&h->b, h->conf->procfs, "loadavg", 4096))
        return HOST_FAILED;
    rest = buf_str(&h->b);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!float_parse(pseudo_cut_word(&rest), &v, NULL))
            return HOST_FAILED;
        sheet_one(s, str_of(rows[i].name), EXPO_GAUGE, str_of(rows[i].help), v);
    }
    return HOST_OK;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123": seconds; false when there is no such line. */
static bool pressure_total(str text, const char *line, double *v)
{
    while (text.n != 0) {
        str l = str_cut(&text, '\n');
        ptrdiff_t at;
        uint64_t us;

        if (!str_starts_with(l, str_of(line)))
            continue;
        at = str_find_str(l, S("total="));
        if (at < 0 || !str_to_u64(str_trim(str_sub(l, (size_t)at + 6, l.n)), &us))
            return false;
        *v = (double)us / 1000 / 1000;
        return true;
    }
    return false;
}

static enum host_end host_pressure(struct host *h, struct sheet *s)
{
    static const struct {
        const char *file, *line, *name, *help;
    } rows[] = {{"pressure/cpu", "some", "node_pressure_cpu_waiting_seconds_total",
                 "Total time in seconds that processes have waited for CPU time"},
                {"pressure/io", "some", "node_pressure_io_waiting_seconds_total",
                 "Total time in seconds that processes have waited due to IO congestion"},
                {"pressure/io", "full", "node_pressure_io_stalled_seconds_total",
                 "Total time in seconds no process could make progress due to IO congestion"},
                {"pressure/memory", "some", "node_pressure_memory_waiting_seconds_total",
                 "Total time in seconds that processes have waited for memory"},
                {"pressure/memory", "full", "node_pressure_memory_stalled_seconds_total",
                 "Total time in seconds no process could make progress due to memory congestion"}};
    bool any = false;
    double v;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!pseudo_read(&h->b, h->conf->procfs, rows[i].file, 4096) ||
            !pressure_total(buf_str(&h->b), rows[i].line, &v))
            continue;
        sheet_one(s, str_of(rows[i].name), EXPO_COUNTER, str_of(rows[i].help), v);
        any = true;
    }
    return any ? HOST_OK : HOST_NONE;
}

static enum host_end host_filefd(struct host *h, struct sheet *s)
{
    uint64_t used, free_, max;
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "sys/fs/file-nr", 4096))
        return HOST_FAILED;
    rest = buf_str(&h->b);
    if (!pseudo_cut_u64(&rest, &used) || !pseudo_cut_u64(&rest, &free_) ||
        !pseudo_cut_u64(&rest, &max))
        return HOST_FAILED;
    sheet_one(s, S("node_filefd_allocated"), EXPO_GAUGE,
              S("File descriptor statistics: allocated."), (double)used);
    sheet_one(s, S("node_filefd_maximum"), EXPO_GAUGE, S("File descriptor statistics: maximum."),
              (double)max);
    return HOST_OK;
}

struct number_file {
    const char *file, *name, *help;
};

static enum host_end put_numbers(struct host *h, struct sheet *s, const struct number_file *rows,
                                 size_t n)
{
    double v;

    for (size_t i = 0; i < n; i++) {
        if (!pseudo_number(&h->b, h->conf->procfs, rows[i].file, &v))
            return HOST_NONE;
        sheet_one(s, str_of(rows[i].name), EXPO_GAUGE, str_of(rows[i].help), v);
    }
    return HOST_OK;
}

static enum host_end host_conntrack(struct host *h, struct sheet *s)
{
    static const struct number_file rows[] = {
        {"sys/net/netfilter/nf_conntrack_count", "node_nf_conntrack_entries",
         "Number of currently allocated flow entries for connection tracking."},
        {"sys/net/netfilter/nf_conntrack_max", "node_nf_conntrack_entries_limit",
         "Maximum size of connection tracking table."}};

    return put_numbers(h, s, rows, ARRAY_LEN(rows));
}

static enum host_end host_entropy(struct host *h, struct sheet *s)
{
    static const struct number_file rows[] = {
        {"sys/kernel/random/entropy_avail", "node_entropy_available_bits",
         "Bits of available entropy."},
        {"sys/kernel/random/poolsize", "node_entropy_pool_size_bits", "Bits of entropy pool."}};

    return put_numbers(h, s, rows, ARRAY_LEN(rows));
}

static enum host_end host_time(struct host *h, struct sheet *s)
{
    ts_ns now = part_wall();
    time_t t = (time_t)(now / NS_PER_S);
    struct tm local;

    (void)h;
    sheet_one(s, S("node_time_seconds"), EXPO_GAUGE,
              S("System time in seconds since epoch (1970)."), (double)now / 1e9);
    if (localtime_r(&t, &local) != NULL) {
        const struct expo_label l = SHEET_LABEL("time_zone", str_of(local.tm_zone));

        sheet_begin(s, S("node_time_zone_offset_seconds"), EXPO_GAUGE,
                    S("System time zone offset in seconds."));
        sheet_put(s, &l, 1, (double)local.tm_gmtoff);
    }
    return HOST_OK;
}

static enum host_end host_timex(struct host *h, struct sheet *s)
{
    struct timex t = {0};
    int state = adjtimex(&t);
    double unit = (t.status & STA_NANO) != 0 ? 1e9 : 1e6;

    (void)h;
    if (state < 0)
        return errno == EPERM || errno == ENOSYS ? HOST_NONE : HOST_FAILED;
    sheet_one(s, S("node_timex_sync_status"), EXPO_GAUGE,
              S("Is clock synchronized to a reliable server (1 = yes, 0 = no)."),
              state != TIME_ERROR);
    sheet_one(s, S("node_timex_offset_seconds"), EXPO_GAUGE,
              S("Time offset in between local system and reference clock."),
              (double)t.offset / unit);
    sheet_one(s, S("node_timex_frequency_adjustment_ratio"), EXPO_GAUGE,
              S("Local clock frequency adjustment."), 1 + (double)t.freq / 65536 / 1e6);
    sheet_one(s, S("node_timex_maxerror_seconds"), EXPO_GAUGE, S("Maximum error in seconds."),
              (double)t.maxerror / 1e6);
    sheet_one(s, S("node_timex_estimated_error_seconds"), EXPO_GAUGE,
              S("Estimated error in seconds."), (double)t.esterror / 1e6);
    sheet_one(s, S("node_timex_status"), EXPO_GAUGE, S("Value of the status array bits."),
              t.status);
    sheet_one(s, S("node_timex_tai_offset_seconds"), EXPO_GAUGE,
              S("International Atomic Time (TAI) offset."), t.tai);
    sheet_one(s, S("node_timex_tick_seconds"), EXPO_GAUGE, S("Seconds between clock ticks."),
              (double)t.tick / 1e6);
    return HOST_OK;
}

static enum host_end host_uname(struct host *h, struct sheet *s)
{
    struct utsname u;

    (void)h;
    if (uname(&u) != 0)
        return HOST_FAILED;
    const struct expo_label l[] = {
        SHEET_LABEL("domainname", str_of(u.domainname)), SHEET_LABEL("machine", str_of(u.machine)),
        SHEET_LABEL("nodename", str_of(u.nodename)),     SHEET_LABEL("release", str_of(u.release)),
        SHEET_LABEL("sysname", str_of(u.sysname)),       SHEET_LABEL("version", str_of(u.version))};

    sheet_begin(s, S("node_uname_info"), EXPO_GAUGE,
                S("Labeled system information as provided by the uname system call."));
    sheet_put(s, l, ARRAY_LEN(l), 1);
    return HOST_OK;
}

/* -- errors of memory -- */

static void put_edac(struct host *h, struct sheet *s, const char *file, const char *name,
                     const char *help, const char *controller)
{
    const struct expo_label l = SHEET_LABEL("controller", str_of(controller + 2));
    char path[128];
    double v;

    snprintf(path, sizeof(path), "devices/system/edac/mc/%.40s/%s", controller, file);
    if (!pseudo_number(&h->b, h->conf->sysfs, path, &v))
        return;
    sheet_begin(s, str_of(name), EXPO_COUNTER, str_of(help));
    sheet_put(s, &l, 1, v);
}

static enum host_end host_edac(struct host *h, struct sheet *s)
{
    char path[PSEUDO_PATH_MAX];
    struct dirent *e;
    bool any = false;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s/devices/system/edac/mc", STR(h->conf->sysfs));
    d = opendir(path);
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strncmp(e->d_name, "mc", 2) != 0 || !char_is_digit(e->d_name[2]))
            continue;
        any = true;
        put_edac(h, s, "ce_count", "node_edac_correctable_errors_total",
                 "Total correctable memory errors.", e->d_name);
        put_edac(h, s, "ue_count", "node_edac_uncorrectable_errors_total",
                 "Total uncorrectable memory errors.", e->d_name);
    }
    if (d != NULL)
        closedir(d);
    return any ? HOST_OK : HOST_NONE;
}

/* -- the parts -- */

struct host_collector {
    const char *name;
    enum host_end (*put)(struct host *h, struct sheet *s);
};

static const struct host_collector host_collectors[] = {{"cpu", host_cpu},
                                                        {"stat", host_stat},
                                                        {"loadavg", host_loadavg},
                                                        {"meminfo", host_meminfo},
                                                        {"vmstat", host_vmstat},
                                                        {"pressure", host_pressure},
                                                        {"diskstats", host_diskstats},
                                                        {"mdadm", host_mdadm},
                                                        {"netdev", host_netdev},
                                                        {"netclass", host_netclass},
                                                        {"netstat", host_netstat},
                                                        {"sockstat", host_sockstat},
                                                        {"softnet", host_softnet},
                                                        {"arp", host_arp},
                                                        {"conntrack", host_conntrack},
                                                        {"filefd", host_filefd},
                                                        {"entropy", host_entropy},
                                                        {"edac", host_edac},
                                                        {"time", host_time},
                                                        {"timex", host_timex},
                                                        {"uname", host_uname}};
static const struct host_collector filesystem_collectors[] = {{"filesystem", host_filesystem}};

static void put_collector(struct sheet *s, const char *name, bool ok, double took)
{
    const struct expo_label l = SHEET_LABEL("collector", str_of(name));

    sheet_begin(s, S("node_scrape_collector_duration_seconds"), EXPO_GAUGE,
                S("node_exporter: Duration of a collector scrape."));
    sheet_put(s, &l, 1, took);
    sheet_begin(s, S("node_scrape_collector_success"), EXPO_GAUGE,
                S("node_exporter: Whether a collector succeeded."));
    sheet_put(s, &l, 1, ok);
}

static bool run_collectors(struct host *h, struct part_run *r, const struct host_collector *v,
                           size_t n, struct err *e)
{
    const char *failed = NULL;

    for (size_t i = 0; i < n; i++) {
        ts_ns begin = part_mono();
        enum host_end end = v[i].put(h, r->out);

        put_collector(r->out, v[i].name, end == HOST_OK, (double)(part_mono() - begin) / 1e9);
        if (end == HOST_FAILED && failed == NULL)
            failed = v[i].name;
    }
    return failed == NULL || err_set(e, ERR_IO, "collector '%s' cannot read what it needs", failed);
}

static bool host_run(struct part *p, struct part_run *r, struct err *e)
{
    return run_collectors(container_of(p, struct host, part), r, host_collectors,
                          ARRAY_LEN(host_collectors), e);
}

static bool filesystem_run(struct part *p, struct part_run *r, struct err *e)
{
    return run_collectors(container_of(p, struct host, part), r, filesystem_collectors,
                          ARRAY_LEN(filesystem_collectors), e);
}

struct regex *host_regex(str pattern)
{
    return pattern.n != 0 ? regex_compile(pattern, 0, NULL) : NULL;
}

bool host_leaves_out(const struct regex *re, str name)
{
    return re != NULL && regex_matches(re, name);
}

static void host_free(struct part *p)
{
    struct host *h = container_of(p, struct host, part);

    regex_unref(h->no_disk);
    regex_unref(h->no_interface);
    regex_unref(h->no_mount);
    regex_unref(h->no_fs);
    vec_release(&h->cpus);
    buf_release(&h->b);
    buf_release(&h->b2);
    mem_free(h);
}

static struct part *part_of_host(const struct collect_conf *c, str name,
                                 bool (*run)(struct part *p, struct part_run *r, struct err *e))
{
    struct host *h = mem_new(struct host);

    h->part = (struct part){name, c->timeout, run, host_free};
    h->conf = &c->host;
    h->no_disk = host_regex(c->host.disks_exclude);
    h->no_interface = host_regex(c->host.interfaces_exclude);
    h->no_mount = host_regex(c->host.mount_points_exclude);
    h->no_fs = host_regex(c->host.fs_types_exclude);
    return &h->part;
}

struct part *host_part_new(const struct collect_conf *c)
{
    return part_of_host(c, S("host"), host_run);
}

struct part *filesystem_part_new(const struct collect_conf *c)
{
    return part_of_host(c, S("filesystem"), filesystem_run);
}
