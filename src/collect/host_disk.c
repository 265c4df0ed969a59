/* Block devices, file systems, and arrays of Linux' software RAID. */
#include "collect/host.h"

#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

/* -- /proc/diskstats -- */

enum { DISK_FIELDS = 17, SECTOR = 512 };

static const struct {
    const char *name;
    enum expo_type type;
    double times, per;
    const char *help;
} disk_rows[DISK_FIELDS] = {
    {"node_disk_reads_completed_total", EXPO_COUNTER, 1, 1,
     "The total number of reads completed successfully."},
    {"node_disk_reads_merged_total", EXPO_COUNTER, 1, 1, "The total number of reads merged."},
    {"node_disk_read_bytes_total", EXPO_COUNTER, SECTOR, 1,
     "The total number of bytes read successfully."},
    {"node_disk_read_time_seconds_total", EXPO_COUNTER, 1, 1000,
     "The total number of seconds spent by all reads."},
    {"node_disk_writes_completed_total", EXPO_COUNTER, 1, 1,
     "The total number of writes completed successfully."},
    {"node_disk_writes_merged_total", EXPO_COUNTER, 1, 1, "The number of writes merged."},
    {"node_disk_written_bytes_total", EXPO_COUNTER, SECTOR, 1,
     "The total number of bytes written successfully."},
    {"node_disk_write_time_seconds_total", EXPO_COUNTER, 1, 1000,
     "This is the total number of seconds spent by all writes."},
    {"node_disk_io_now", EXPO_GAUGE, 1, 1, "The number of I/Os currently in progress."},
    {"node_disk_io_time_seconds_total", EXPO_COUNTER, 1, 1000, "Total seconds spent doing I/Os."},
    {"node_disk_io_time_weighted_seconds_total", EXPO_COUNTER, 1, 1000,
     "The weighted # of seconds spent doing I/Os."},
    {"node_disk_discards_completed_total", EXPO_COUNTER, 1, 1,
     "The total number of discards completed successfully."},
    {"node_disk_discards_merged_total", EXPO_COUNTER, 1, 1, "The total number of discards merged."},
    {"node_disk_discarded_sectors_total", EXPO_COUNTER, 1, 1,
     "The total number of sectors discarded successfully."},
    {"node_disk_discard_time_seconds_total", EXPO_COUNTER, 1, 1000,
     "This is the total number of seconds spent by all discards."},
    {"node_disk_flush_requests_total", EXPO_COUNTER, 1, 1,
     "The total number of flush requests completed successfully"},
    {"node_disk_flush_requests_time_seconds_total", EXPO_COUNTER, 1, 1000,
     "This is the total number of seconds spent by all flush requests."},
};

/* "E:ID_MODEL=X" of what udev keeps. */
static str udev_value(str text, const char *key)
{
    while (text.n != 0) {
        str line = str_cut(&text, '\n');

        if (str_starts_with(line, S("E:")) &&
            str_starts_with(str_sub(line, 2, line.n), str_of(key)) && line.n > 2 + strlen(key) &&
            line.p[2 + strlen(key)] == '=')
            return str_sub(line, 3 + strlen(key), line.n);
    }
    return STR_NONE;
}

static void put_disk_info(struct host *h, struct sheet *s, str device, str major, str minor)
{
    char name[64];
    str udev = STR_NONE, serial;

    snprintf(name, sizeof(name), "b%.*s:%.*s", STR(major), STR(minor));
    if (pseudo_read(&h->b2, S("/run/udev/data"), name, PSEUDO_FILE_MAX))
        udev = buf_str(&h->b2);
    serial = udev_value(udev, "SCSI_IDENT_SERIAL");
    if (serial.n == 0)
        serial = udev_value(udev, "ID_SERIAL_SHORT");
    const struct expo_label l[] = {SHEET_LABEL("device", device),
                                   SHEET_LABEL("major", major),
                                   SHEET_LABEL("minor", minor),
                                   SHEET_LABEL("model", udev_value(udev, "ID_MODEL")),
                                   SHEET_LABEL("path", udev_value(udev, "ID_PATH")),
                                   SHEET_LABEL("revision", udev_value(udev, "ID_REVISION")),
                                   SHEET_LABEL("serial", serial),
                                   SHEET_LABEL("wwn", udev_value(udev, "ID_WWN"))};

    sheet_begin(s, S("node_disk_info"), EXPO_GAUGE, S("Info of /sys/block/<block_device>."));
    sheet_put(s, l, ARRAY_LEN(l), 1);
}

enum host_end host_diskstats(struct host *h, struct sheet *s)
{
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "diskstats", PSEUDO_FILE_MAX))
        return HOST_NONE;
    for (rest = buf_str(&h->b); rest.n != 0;) {
        str line = str_cut(&rest, '\n'), major = pseudo_cut_word(&line),
            minor = pseudo_cut_word(&line), device = pseudo_cut_word(&line);
        struct expo_label l = SHEET_LABEL("device", device);
        uint64_t v;

        if (device.n == 0 || host_leaves_out(h->no_disk, device))
            continue;
        put_disk_info(h, s, device, major, minor);
        for (int i = 0; i < DISK_FIELDS && pseudo_cut_u64(&line, &v); i++) {
            sheet_begin(s, str_of(disk_rows[i].name), disk_rows[i].type, str_of(disk_rows[i].help));
            sheet_put(s, &l, 1, (double)v * disk_rows[i].times / disk_rows[i].per);
        }
    }
    return HOST_OK;
}

/* -- file systems -- */

/* "\040" is a blank. */
static str unescape_mount(str s, char *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n && n < max; i++) {
        if (s.p[i] == '\\' && i + 3 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '3') {
            out[n++] =
                (char)((s.p[i + 1] - '0') << 6 | (s.p[i + 2] - '0') << 3 | (s.p[i + 3] - '0'));
            i += 3;
        } else {
            out[n++] = s.p[i];
        }
    }
    return (str){out, n};
}

static bool has_option(str options, const char *word)
{
    while (options.n != 0)
        if (str_is(str_cut(&options, ','), word))
            return true;
    return false;
}

static void put_filesystem_value(struct sheet *s, const struct expo_label *l, const char *name,
                                 const char *help, double v)
{
    sheet_begin(s, str_of(name), EXPO_GAUGE, str_of(help));
    sheet_put(s, l, 3, v);
}

static void put_filesystem(struct sheet *s, const struct expo_label *l, const char *path,
                           bool is_readonly)
{
    struct statfs f;
    bool ok = statfs(path, &f) == 0;

    put_filesystem_value(s, l, "node_filesystem_device_error",
                         "Whether an error occurred while getting statistics for the given device.",
                         !ok);
    if (!ok)
        return;
    put_filesystem_value(s, l, "node_filesystem_avail_bytes",
                         "Filesystem space available to non-root users in bytes.",
                         (double)f.f_bavail * (double)f.f_bsize);
    put_filesystem_value(s, l, "node_filesystem_free_bytes", "Filesystem free space in bytes.",
                         (double)f.f_bfree * (double)f.f_bsize);
    put_filesystem_value(s, l, "node_filesystem_size_bytes", "Filesystem size in bytes.",
                         (double)f.f_blocks * (double)f.f_bsize);
    put_filesystem_value(s, l, "node_filesystem_files", "Filesystem total file nodes.",
                         (double)f.f_files);
    put_filesystem_value(s, l, "node_filesystem_files_free", "Filesystem total free file nodes.",
                         (double)f.f_ffree);
    put_filesystem_value(s, l, "node_filesystem_readonly", "Filesystem read-only status.",
                         is_readonly);
}

/* Mounted twice at one place, only the later one can be asked: the first of equal lines is told. */
static void put_mount(struct host *h, struct sheet *s, str line, struct str_map *seen,
                      struct arena *a)
{
    char text[3][PSEUDO_PATH_MAX];
    str device = unescape_mount(pseudo_cut_word(&line), text[0], sizeof(text[0])),
        mount = unescape_mount(pseudo_cut_word(&line), text[1], sizeof(text[1])),
        type = unescape_mount(pseudo_cut_word(&line), text[2], sizeof(text[2])),
        options = pseudo_cut_word(&line);
    const struct expo_label l[] = {SHEET_LABEL("device", device), SHEET_LABEL("fstype", type),
                                   SHEET_LABEL("mountpoint", mount)};
    str root = h->conf->rootfs;
    bool is_new;

    if (mount.n == 0 || host_leaves_out(h->no_mount, mount) || host_leaves_out(h->no_fs, type))
        return;
    (void)str_map_add(seen, arena_printf(a, "%.*s\n%.*s\n%.*s", STR(device), STR(mount), STR(type)),
                      NULL, &is_new);
    if (!is_new)
        return;
    if (root.n != 0 && root.p[root.n - 1] == '/')
        root.n--;
    put_filesystem(s, l, arena_printf(a, "%.*s%.*s", STR(root), STR(mount)).p,
                   has_option(options, "ro"));
}

enum host_end host_filesystem(struct host *h, struct sheet *s)
{
    struct str_map seen = {0};
    struct arena a;
    str rest;

    /* Of the first process: the host's, not those of a container. */
    if (!pseudo_read(&h->b, h->conf->procfs, "1/mounts", PSEUDO_FILE_MAX) &&
        !pseudo_read(&h->b, h->conf->procfs, "self/mounts", PSEUDO_FILE_MAX))
        return HOST_FAILED;
    arena_init(&a, 0);
    for (rest = buf_str(&h->b); rest.n != 0;)
        put_mount(h, s, str_cut(&rest, '\n'), &seen, &a);
    str_map_release(&seen);
    arena_release(&a);
    return HOST_OK;
}

/* -- /proc/mdstat -- */

struct md {
    str device;
    const char *state;
    uint64_t total, required, failed, spare, active;
    bool is_known;
};

static void put_md_disks(struct sheet *s, str device, const char *state, uint64_t n)
{
    const struct expo_label l[] = {SHEET_LABEL("device", device),
                                   SHEET_LABEL("state", str_of(state))};

    sheet_begin(s, S("node_md_disks"), EXPO_GAUGE,
                S("Number of active/failed/spare disks of device."));
    sheet_put(s, l, ARRAY_LEN(l), (double)n);
}

static void put_md(struct sheet *s, const struct md *m)
{
    static const char *const states[] = {"active", "inactive", "recovering", "resync", "check"};
    struct expo_label l[] = {SHEET_LABEL("device", m->device), SHEET_LABEL("state", S(""))};

    put_md_disks(s, m->device, "active", m->active);
    put_md_disks(s, m->device, "failed", m->failed);
    put_md_disks(s, m->device, "spare", m->spare);
    sheet_begin(s, S("node_md_disks_required"), EXPO_GAUGE, S("Total number of disks of device."));
    sheet_put(s, l, 1, (double)m->required);
    sheet_begin(s, S("node_md_state"), EXPO_GAUGE, S("Indicates the state of md-device."));
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        l[1].value = str_of(states[i]);
        sheet_put(s, l, 2, strcmp(states[i], m->state) == 0);
    }
}

/* "md0 : active raid1 sdb1[1] sda1[0](F)" */
static bool md_head(str line, struct md *m)
{
    str word = pseudo_cut_word(&line);

    if (!str_starts_with(word, S("md")) || !str_is(pseudo_cut_word(&line), ":"))
        return false;
    *m = (struct md){.device = word, .state = "inactive", .is_known = true};
    if (str_is(pseudo_cut_word(&line), "active"))
        m->state = "active";
    while ((word = pseudo_cut_word(&line)).n != 0) {
        m->total += str_find(word, '[') >= 0;
        m->failed += str_ends_with(word, S("(F)"));
        m->spare += str_ends_with(word, S("(S)"));
    }
    m->required = m->active = m->total - m->failed - m->spare;
    return true;
}

/* "976630464 blocks super 1.2 [2/1] [U_]", "[=>...]  recovery = 8.5% ..." */
static void md_line(str line, struct md *m)
{
    ptrdiff_t slash = str_find(line, '/'), at = slash;
    str required, active;
    uint64_t r, n;

    if (str_find_str(line, S("recovery")) >= 0)
        m->state = "recovering";
    else if (str_find_str(line, S("resync")) >= 0)
        m->state = "resync";
    else if (str_find_str(line, S("check")) >= 0)
        m->state = "check";
    if (str_find_str(line, S("blocks")) < 0 || slash < 0)
        return;
    while (at > 0 && line.p[at - 1] != '[')
        at--;
    required = str_sub(line, (size_t)at, (size_t)slash);
    active = str_sub(line, (size_t)slash + 1, line.n);
    active = str_cut(&active, ']');
    if (str_to_u64(required, &r) && str_to_u64(active, &n)) {
        m->required = r;
        m->active = n;
    }
}

enum host_end host_mdadm(struct host *h, struct sheet *s)
{
    struct md m = {.is_known = false};
    bool any = false;
    str rest;

    if (!pseudo_read(&h->b, h->conf->procfs, "mdstat", PSEUDO_FILE_MAX))
        return HOST_NONE;
    for (rest = buf_str(&h->b); rest.n != 0;) {
        str line = str_cut(&rest, '\n');
        struct md next;

        if (md_head(line, &next)) {
            if (m.is_known)
                put_md(s, &m);
            m = next;
            any = true;
        } else if (str_starts_with(line, S("unused"))) {
            break;
        } else if (m.is_known) {
            md_line(line, &m);
        }
    }
    if (m.is_known)
        put_md(s, &m);
    return any ? HOST_OK : HOST_NONE;
}
