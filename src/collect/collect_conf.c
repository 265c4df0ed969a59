#include "collect/collect_conf.h"

#include <string.h>
#include "codec/exposition.h"
#include "codec/float.h"
#include "regex/regex.h"
#include "schema/schema.h"

#define MOUNT_POINTS                                                                               \
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
#define FS_TYPES                                                                                   \
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|"        \
    "iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|"     \
    "erofs|sysfs|tracefs)$"
#define DISKS "^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$"

/* -- the host -- */

static const struct conf_key host_keys[] = {
    CONF_KEY(struct collect_host, enabled, CONF_BOOL,
             "whether it is collected: node exporter's metrics", .text = "true"),
    CONF_KEY(struct collect_host, procfs, CONF_STRING, "where proc is mounted", .text = "/proc"),
    CONF_KEY(struct collect_host, sysfs, CONF_STRING, "where sysfs is mounted", .text = "/sys"),
    CONF_KEY(struct collect_host, rootfs, CONF_STRING,
             "what is before mount points: the host's root as a container sees it", .text = "/"),
    CONF_KEY(struct collect_host, mount_points_exclude, CONF_STRING,
             "regular expression of mount points that are left out", .text = MOUNT_POINTS),
    CONF_KEY(struct collect_host, fs_types_exclude, CONF_STRING,
             "regular expression of types of file systems that are left out", .text = FS_TYPES),
    CONF_KEY(struct collect_host, disks_exclude, CONF_STRING,
             "regular expression of block devices that are left out", .text = DISKS),
    CONF_KEY(struct collect_host, interfaces_exclude, CONF_STRING,
             "regular expression of network devices that are left out; empty: none"),
    CONF_KEYS_END,
};

static void check_host(struct conf_check *c, void *obj)
{
    const struct collect_host *h = obj;

    conf_check_regex(c, "mount_points_exclude", h->mount_points_exclude);
    conf_check_regex(c, "fs_types_exclude", h->fs_types_exclude);
    conf_check_regex(c, "disks_exclude", h->disks_exclude);
    conf_check_regex(c, "interfaces_exclude", h->interfaces_exclude);
}

static const struct conf_type host_type = {.name = "collect_host",
                                           .doc = "What the kernel says of this host.",
                                           .keys = host_keys,
                                           .size = sizeof(struct collect_host),
                                           .check = check_host};

/* -- NVIDIA -- */

static const struct conf_key nvidia_keys[] = {
    CONF_KEY(struct collect_nvidia, command, CONF_STRINGS,
             "the program and its first arguments; found in PATH", .text = "nvidia-smi",
             .flags = CONF_ONE_OR_LIST),
    CONF_KEY(struct collect_nvidia, fields, CONF_STRINGS,
             "fields to ask for, as nvidia-smi --help-query-gpu has them; default: what the packs "
             "of rules need; what a driver does not know is left out"),
    CONF_KEY(struct collect_nvidia, names, CONF_STRINGS,
             "families of names: nvidia_smi (nvidia_gpu_exporter's), gpu (gpu_utilization...), llm "
             "(llm_gpu_utilization_percent, llm_gpu_memory_used_gb); default: all"),
    CONF_KEY(struct collect_nvidia, timeout, CONF_DURATION,
             "then it is killed; default: that of all parts"),
    CONF_KEYS_END,
};

static void check_nvidia(struct conf_check *c, void *obj)
{
    const struct collect_nvidia *n = obj;

    if (n->command.n == 0)
        conf_error(c, "command", "a program expected");
    for (size_t i = 0; i < n->names.n; i++)
        if (!str_is(n->names.v[i], "nvidia_smi") && !str_is(n->names.v[i], "gpu") &&
            !str_is(n->names.v[i], "llm"))
            conf_error(c, "names", "'%.*s' is none of nvidia_smi, gpu, llm", STR(n->names.v[i]));
    for (size_t i = 0; i < n->fields.n; i++)
        if (n->fields.v[i].n == 0 || str_find(n->fields.v[i], ',') >= 0)
            conf_error(c, "fields", "'%.*s' is no field's name", STR(n->fields.v[i]));
}

static const struct conf_type nvidia_type = {.name = "collect_nvidia",
                                             .doc = "NVIDIA's cards, by nvidia-smi.",
                                             .keys = nvidia_keys,
                                             .size = sizeof(struct collect_nvidia),
                                             .check = check_nvidia};

/* -- probes -- */

static const struct conf_key value_keys[] = {
    CONF_KEY(struct collect_value, field, CONF_STRING, "where in the answer: data.queues[0].length",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct collect_value, metric, CONF_STRING, "the metric's name",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct collect_value, help, CONF_STRING, "its text"),
    CONF_KEY(struct collect_value, words, CONF_STRING_MAP,
             "numbers of texts: {ok: 1, degraded: 0.5}; true and false are 1 and 0"),
    CONF_KEYS_END,
};

static void collect_check_value(struct conf_check *c, void *obj)
{
    const struct collect_value *v = obj;
    double number;

    if (v->metric.n != 0 && !expo_is_bare(v->metric, true))
        conf_error(c, "metric", "'%.*s' is no name of a metric", STR(v->metric));
    for (size_t i = 0; i < v->words.n; i++)
        if (!float_parse(v->words.v[i].value, &number, NULL))
            conf_error(c, "words", "'%.*s' is no number", STR(v->words.v[i].value));
}

static const struct conf_type value_type = {.name = "collect_value",
                                            .doc = "A field of an answer in JSON as a metric.",
                                            .keys = value_keys,
                                            .size = sizeof(struct collect_value),
                                            .check = collect_check_value};

static const struct conf_key probe_keys[] = {
    CONF_KEY(struct collect_probe, name, CONF_STRING, "the label probe", .flags = CONF_REQUIRED),
    CONF_KEY(struct collect_probe, url, CONF_URL, "what is asked", .flags = CONF_REQUIRED),
    CONF_KEY(struct collect_probe, method, CONF_STRING, "default: GET, with a body POST"),
    CONF_KEY(struct collect_probe, body, CONF_STRING, "what is sent"),
    CONF_KEY(struct collect_probe, status, CONF_STRINGS,
             "what is well: [200, 4xx]; default: [2xx]"),
    CONF_KEY(struct collect_probe, body_matches, CONF_STRING,
             "regular expression that must be in the answer"),
    CONF_KEY(struct collect_probe, body_not_matches, CONF_STRING,
             "regular expression that must not be in the answer"),
    CONF_KEY(struct collect_probe, values, CONF_LIST,
             "fields of an answer in JSON that are metrics; the probe fails where one is missing",
             .sub = &value_type, .flags = CONF_NO_NULLS),
    CONF_KEY(struct collect_probe, http_config, CONF_STRUCT_PTR, "how the client connects",
             .sub = &http_conf_type, .text = "{}"),
    CONF_KEY(struct collect_probe, timeout, CONF_DURATION, "default: that of all parts"),
    CONF_KEYS_END,
};

static bool is_status(str s)
{
    if (s.n != 3 || s.p[0] < '1' || s.p[0] > '5')
        return false;
    return str_is(str_sub(s, 1, 3), "xx") || (char_is_digit(s.p[1]) && char_is_digit(s.p[2]));
}

static void check_probe(struct conf_check *c, void *obj)
{
    const struct collect_probe *p = obj;

    for (size_t i = 0; i < p->status.n; i++)
        if (!is_status(p->status.v[i]))
            conf_error(c, "status", "'%.*s' is no status code: 200 or 2xx expected",
                       STR(p->status.v[i]));
    conf_check_regex(c, "body_matches", p->body_matches);
    conf_check_regex(c, "body_not_matches", p->body_not_matches);
    if (p->http_config != NULL && p->http_config->oauth2 != NULL)
        conf_error(c, "http_config", "a probe cannot log in by oauth2");
}

static const struct conf_type probe_type = {.name = "collect_probe",
                                            .doc = "An HTTP server that is asked.",
                                            .keys = probe_keys,
                                            .size = sizeof(struct collect_probe),
                                            .check = check_probe};

/* -- processes and text files -- */

static const struct conf_key process_keys[] = {
    CONF_KEY(struct collect_process, name, CONF_STRING, "the label groupname",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct collect_process, command, CONF_STRING,
             "regular expression that is in the command line, words with a blank between two; "
             "default: the name as it is"),
    CONF_KEYS_END,
};

static void check_process(struct conf_check *c, void *obj)
{
    conf_check_regex(c, "command", ((const struct collect_process *)obj)->command);
}

static const struct conf_type process_type = {.name = "collect_process",
                                              .doc = "Processes that are counted together.",
                                              .keys = process_keys,
                                              .size = sizeof(struct collect_process),
                                              .check = check_process};

static const struct conf_key text_keys[] = {
    CONF_KEY(struct collect_text, folder, CONF_PATH, "where files *.prom are",
             .flags = CONF_REQUIRED),
    CONF_KEYS_END,
};
static const struct conf_type text_type = {.name = "collect_text",
                                           .doc = "Metrics that others write into files.",
                                           .keys = text_keys,
                                           .size = sizeof(struct collect_text)};

/* -- the file -- */

static const struct conf_key collect_keys[] = {
    CONF_KEY(struct collect_conf, timeout, CONF_DURATION, "how long a part may take", .text = "5s",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(struct collect_conf, host, CONF_STRUCT, "this host", .sub = &host_type),
    CONF_KEY(struct collect_conf, nvidia, CONF_STRUCT_PTR, "NVIDIA's cards; `nvidia: {}` is enough",
             .sub = &nvidia_type),
    CONF_KEY(struct collect_conf, probes, CONF_LIST, "HTTP servers", .sub = &probe_type,
             .flags = CONF_NO_NULLS | CONF_MERGE),
    CONF_KEY(struct collect_conf, processes, CONF_LIST, "processes by their command line",
             .sub = &process_type, .flags = CONF_NO_NULLS | CONF_MERGE),
    CONF_KEY(struct collect_conf, text, CONF_STRUCT_PTR, "metrics in files", .sub = &text_type),
    CONF_KEYS_END,
};

static void check_collect(struct conf_check *c, void *obj)
{
    const struct collect_conf *f = obj;

    if (f->probes.n > COLLECT_PROBES_MAX)
        conf_error(c, "probes", "more than %d", COLLECT_PROBES_MAX);
    if (f->processes.n > COLLECT_PROCESSES_MAX)
        conf_error(c, "processes", "more than %d", COLLECT_PROCESSES_MAX);
    for (size_t i = 0; i < f->probes.n && i < COLLECT_PROBES_MAX; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(f->probes.v[i].name, f->probes.v[k].name))
                conf_error(c, "probes", "two are called '%.*s'", STR(f->probes.v[i].name));
    for (size_t i = 0; i < f->processes.n && i < COLLECT_PROCESSES_MAX; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(f->processes.v[i].name, f->processes.v[k].name))
                conf_error(c, "processes", "two are called '%.*s'", STR(f->processes.v[i].name));
}

const struct conf_type collect_conf_type = {
    .name = "collect",
    .doc = "What `tocsin collect` collects and exports on this host.",
    .keys = collect_keys,
    .size = sizeof(struct collect_conf),
    .check = check_collect};

bool collect_conf_parse(const struct collect_source *v, size_t n, struct arena *a,
                        struct collect_conf *out, struct diags *d)
{
    struct yaml_doc *docs = arena_array(a, n, sizeof(*docs));
    struct conf_part *parts = arena_array(a, n, sizeof(*parts));
    struct conf_run run = {.a = a, .d = d, .mode = MATCHER_FALLBACK};

    *out = (struct collect_conf){0};
    for (size_t i = 0; i < n; i++) {
        if (!yaml_parse(arena_str(a, v[i].text), v[i].path, a, &docs[i], d))
            return false;
        parts[i] = (struct conf_part){&docs[i], docs[i].root};
    }
    return conf_decode(&run, parts, n, (struct conf_layer){&collect_conf_type, out, NULL});
}
