/* nvidia-smi, run once a scrape. Fields that a driver does not know are asked for by their older name, then no more.
 *
 * One table, three families of names: those of nvidia_gpu_exporter, a metric a field; gpu_utilization and its kin, which a
 * script of many pushes; and two that LLM services export of their cards.
 */
#include <stdio.h>
#include "collect/child.h"
#include "collect/collect_conf.h"
#include "collect/nvidia_table.h"
#include "collect/part.h"

enum { NVIDIA_PRINTS_MAX = 1 << 20, NVIDIA_FIELD_MAX = 128 };

/* Those of text are labels of nvidia_smi_gpu_info. */
static const char *const usual_fields[] = {
    "timestamp",
    "name",
    "index",
    "uuid",
    "serial",
    "pci.bus_id",
    "driver_version",
    "pstate",
    "temperature.gpu",
    "temperature.memory",
    "utilization.gpu",
    "utilization.memory",
    "memory.total",
    "memory.used",
    "memory.free",
    "power.draw",
    "power.draw.instant",
    "power.limit",
    "enforced.power.limit",
    "clocks.current.sm",
    "clocks.current.memory",
    "clocks.max.sm",
    "fan.speed",
    "clocks_event_reasons.active",
    "clocks_event_reasons.sw_power_cap",
    "clocks_event_reasons.hw_slowdown",
    "clocks_event_reasons.hw_thermal_slowdown",
    "clocks_event_reasons.hw_power_brake_slowdown",
    "clocks_event_reasons.sw_thermal_slowdown",
    "ecc.errors.corrected.volatile.total",
    "ecc.errors.uncorrected.volatile.total",
    "retired_pages.pending",
    "mig.mode.current",
    "compute_mode",
    "clocks_event_reasons.gpu_idle",
    "remapped_rows.correctable",
    "remapped_rows.uncorrectable",
    "remapped_rows.pending",
    "remapped_rows.failure",
    "gpu_recovery_action",
    "power.default_limit",
    "pcie.link.gen.current",
    "pcie.link.gen.max",
    "pcie.link.width.current",
    "pcie.link.width.max",
    "utilization.encoder",
    "utilization.decoder",
    "vbios_version",
};
static const char *const text_fields[] = {"timestamp",  "name",           "uuid",         "serial",
                                          "pci.bus_id", "driver_version", "vbios_version"};

/* What a unit in brackets becomes of a name and a value. */
static const struct smi_unit {
    const char *unit, *suffix;
    double times, per;
} units[] = {{"%", "_ratio", 1, 100},
             {"MiB", "_bytes", 1 << 20, 1},
             {"W", "_watts", 1, 1},
             {"MHz", "_clock_hz", 1e6, 1},
             {"us", "_seconds", 1, 1e6}};

struct nvidia {
    struct part part;
    const struct collect_nvidia *conf;
    struct arena a; /* of fields */
    VEC(str) fields;
    struct child child;
    bool has_smi, has_gpu, has_llm; /* families of names */
    uint64_t failures;
    ts_ns last_success; /* wall; 0: never */
    double last_duration;
};

/* -- asking -- */

static bool starts_older(str field)
{
    return str_starts_with(field, S("clocks_event_reasons."));
}

/* The older name of a field that is not known takes its place; where there is none it is not asked for any more. */
static bool drop_field(struct nvidia *n, str field)
{
    for (size_t i = 0; i < n->fields.n; i++) {
        if (!str_eq(n->fields.v[i], field))
            continue;
        if (starts_older(field))
            n->fields.v[i] = arena_printf(&n->a, "clocks_throttle_reasons.%.*s",
                                          STR(str_sub(field, 21, field.n)));
        else
            vec_remove(&n->fields, i);
        return n->fields.n != 0;
    }
    return false;
}

static bool ask_once(struct nvidia *n, struct part_run *r, struct err *e)
{
    size_t n_args = n->conf->command.n;
    char **argv = mem_array(n_args + 3, sizeof(*argv));
    struct buf query = BUF_INIT;
    bool ok;

    for (size_t i = 0; i < n_args; i++)
        argv[i] = mem_zdup(n->conf->command.v[i]);
    buf_adds(&query, "--query-gpu=");
    for (size_t i = 0; i < n->fields.n; i++)
        buf_addf(&query, "%s%.*s", i == 0 ? "" : ",", STR(n->fields.v[i]));
    argv[n_args] = mem_zdup(buf_str(&query));
    argv[n_args + 1] = mem_zdup(S("--format=csv"));
    ok = child_run(&n->child, argv, r->deadline, r->stop_fd, NVIDIA_PRINTS_MAX, e);
    for (size_t i = 0; argv[i] != NULL; i++)
        mem_free(argv[i]);
    mem_free(argv);
    buf_release(&query);
    return ok;
}

/* What it says for itself: mostly on standard output. */
static bool told_why(struct nvidia *n, struct err *e)
{
    str text = str_trim(buf_str(n->child.out.n != 0 ? &n->child.out : &n->child.said));
    struct buf shown = BUF_INIT;

    buf_add_shown_line(&shown, str_sub(str_cut(&text, '\n'), 0, 200));
    err_set(e, ERR_IO, "'%.*s' ends with status %d: '%.*s'", STR(n->conf->command.v[0]),
            n->child.exit_status, STR(buf_str(&shown)));
    buf_release(&shown);
    return false;
}

static bool ask_card_fields(struct nvidia *n, struct part_run *r, struct arena *a,
                            struct nvidia_table *t, struct err *e)
{
    for (;;) {
        str text;

        if (!ask_once(n, r, e))
            return false;
        text = buf_str(&n->child.out);
        if (n->child.exit_status == 0)
            return nvidia_table_parse(text, n->fields.v, n->fields.n, a, t, e) ||
                   err_wrap(e, "'%.*s'", STR(n->conf->command.v[0]));
        if (!drop_field(n, nvidia_unknown_field(text)))
            return told_why(n, e);
    }
}

/* -- printing -- */

static bool is_text_field(str field)
{
    for (size_t i = 0; i < ARRAY_LEN(text_fields); i++)
        if (str_is(field, text_fields[i]))
            return true;
    return false;
}

/* Without a head the cell itself says its unit: "35 %". */
static str unit_of(const struct nvidia_table *t, size_t column, size_t row)
{
    str cell = t->cells[row][column], unit = t->units[column];

    if (unit.n == 0 && cell.n != 0 && char_is_digit(cell.p[0])) {
        (void)str_cut(&cell, ' ');
        unit = cell;
    }
    return unit;
}

/* Rows without a head and units: a field has one all the same. */
static str usual_unit(str field)
{
    if (str_starts_with(field, S("utilization.")) || str_is(field, "fan.speed"))
        return S("%");
    if (str_starts_with(field, S("memory.")))
        return S("MiB");
    if (str_starts_with(field, S("power.")) || str_is(field, "enforced.power.limit"))
        return S("W");
    return str_starts_with(field, S("clocks.")) ? S("MHz") : STR_NONE;
}

static const struct smi_unit *find_unit(str unit)
{
    static const struct smi_unit none = {"", "", 1, 1};

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(unit, units[i].unit))
            return &units[i];
    return &none;
}

/* GPU-00000001-...: as nvidia_gpu_exporter has it. A card without one is known by its index. */
static str card_id(const struct nvidia_table *t, size_t row, struct arena *a)
{
    str uuid = nvidia_table_cell(t, row, "uuid");
    char *out;

    if (uuid.n == 0)
        return nvidia_table_cell(t, row, "index");
    if (str_starts_with(uuid, S("GPU-")))
        uuid = str_sub(uuid, 4, uuid.n);
    out = arena_alloc(a, uuid.n + 1);
    for (size_t i = 0; i < uuid.n; i++)
        out[i] = (char)(uuid.p[i] >= 'A' && uuid.p[i] <= 'Z' ? uuid.p[i] | 0x20 : uuid.p[i]);
    return (str){out, uuid.n};
}

/* "power.draw" in W: nvidia_smi_power_draw_watts. */
static str metric_name(str field, const struct smi_unit *u, struct arena *a)
{
    char name[NVIDIA_FIELD_MAX];
    size_t n = 0;

    for (size_t i = 0; i < field.n && n < sizeof(name); i++) {
        char c = field.p[i];

        if (c >= 'A' && c <= 'Z' && n + 1 < sizeof(name))
            name[n++] = '_';
        name[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c == '.' ? '_' : c);
    }
    return arena_printf(a, "nvidia_smi_%.*s%s", (int)n, name, u->suffix);
}

static void put_column(struct sheet *s, const struct nvidia_table *t, size_t column,
                       struct arena *a)
{
    for (size_t i = 0; i < column; i++)
        if (str_eq(t->fields[i], t->fields[column]))
            return; /* asked for twice */
    for (size_t row = 0; row < t->rows; row++) {
        struct expo_label l = SHEET_LABEL("uuid", card_id(t, row, a));
        str name = unit_of(t, column, row);
        const struct smi_unit *u = find_unit(name.n != 0 ? name : usual_unit(t->fields[column]));
        double v;

        if (!nvidia_number(t->cells[row][column], &v))
            continue;
        sheet_begin(s, metric_name(t->fields[column], u, a),
                    str_starts_with(t->fields[column], S("ecc.errors.")) ? EXPO_COUNTER
                                                                         : EXPO_GAUGE,
                    arena_printf(a, "%.*s of nvidia-smi.", STR(t->fields[column])));
        sheet_put(s, &l, 1, v * u->times / u->per);
    }
}

static void put_info(struct sheet *s, const struct nvidia_table *t, struct arena *a)
{
    sheet_begin(s, S("nvidia_smi_gpu_info"), EXPO_GAUGE, S("A card, with what does not change."));
    for (size_t row = 0; row < t->rows; row++) {
        const struct expo_label l[] = {
            SHEET_LABEL("uuid", card_id(t, row, a)),
            SHEET_LABEL("name", nvidia_table_cell(t, row, "name")),
            SHEET_LABEL("driver_version", nvidia_table_cell(t, row, "driver_version")),
            SHEET_LABEL("vbios_version", nvidia_table_cell(t, row, "vbios_version")),
            SHEET_LABEL("pci_bus_id", nvidia_table_cell(t, row, "pci.bus_id")),
            SHEET_LABEL("serial", nvidia_table_cell(t, row, "serial")),
            SHEET_LABEL("index", nvidia_table_cell(t, row, "index")),
        };

        sheet_put(s, l, ARRAY_LEN(l), 1);
    }
}

/* A metric of the other families, of a field as nvidia-smi has it: percent, MiB, W, C. */
static void put_gpu_value(struct sheet *s, const struct nvidia_table *t, const char *name,
                          const char *field, double per, const char *help)
{
    for (size_t row = 0; row < t->rows; row++) {
        str index = nvidia_table_cell(t, row, "index");
        const struct expo_label l[] = {SHEET_LABEL("gpu", index), SHEET_LABEL("index", index)};
        double v;

        if (!nvidia_number(nvidia_table_cell(t, row, field), &v))
            continue;
        sheet_begin(s, str_of(name), EXPO_GAUGE, str_of(help));
        sheet_put(s, l, ARRAY_LEN(l), v / per);
    }
}

static void put_memory_share(struct sheet *s, const struct nvidia_table *t)
{
    for (size_t row = 0; row < t->rows; row++) {
        str index = nvidia_table_cell(t, row, "index");
        const struct expo_label l[] = {SHEET_LABEL("gpu", index), SHEET_LABEL("index", index)};
        double used, total;

        if (!nvidia_number(nvidia_table_cell(t, row, "memory.used"), &used) ||
            !nvidia_number(nvidia_table_cell(t, row, "memory.total"), &total) || total <= 0)
            continue;
        sheet_begin(s, S("gpu_memory_utilization"), EXPO_GAUGE, S("Memory in use, in percent."));
        sheet_put(s, l, ARRAY_LEN(l), used / total * 100);
    }
}

static void put_cards(const struct nvidia *n, struct sheet *s, const struct nvidia_table *t,
                      struct arena *a)
{
    if (n->has_smi) {
        put_info(s, t, a);
        for (size_t i = 0; i < t->columns; i++)
            if (!is_text_field(t->fields[i]))
                put_column(s, t, i, a);
    }
    if (n->has_gpu) {
        put_gpu_value(s, t, "gpu_utilization", "utilization.gpu", 1, "Time at work, in percent.");
        put_memory_share(s, t);
        put_gpu_value(s, t, "gpu_memory_used", "memory.used", 1, "Memory in use, in MiB.");
        put_gpu_value(s, t, "gpu_memory_total", "memory.total", 1, "Memory of the card, in MiB.");
        put_gpu_value(s, t, "gpu_temperature", "temperature.gpu", 1, "Temperature, in degrees.");
        put_gpu_value(s, t, "gpu_power_draw", "power.draw", 1, "Power, in watts.");
    }
    if (n->has_llm) {
        put_gpu_value(s, t, "llm_gpu_utilization_percent", "utilization.gpu", 1,
                      "Time at work, in percent.");
        put_gpu_value(s, t, "llm_gpu_memory_used_gb", "memory.used", 1024,
                      "Memory in use, in GiB.");
    }
}

static void put_state(const struct nvidia *n, struct sheet *s, bool ok)
{
    if (!n->has_smi)
        return;
    sheet_one(s, S("nvidia_smi_last_collect_success"), EXPO_GAUGE,
              S("Whether nvidia-smi was read."), ok);
    sheet_one(s, S("nvidia_smi_last_collect_duration_seconds"), EXPO_GAUGE,
              S("How long nvidia-smi took."), n->last_duration);
    if (n->last_success != 0)
        sheet_one(s, S("nvidia_smi_last_collect_success_timestamp_seconds"), EXPO_GAUGE,
                  S("When nvidia-smi was last read."), (double)n->last_success / 1e9);
    sheet_one(s, S("nvidia_smi_failed_scrapes_total"), EXPO_COUNTER,
              S("How often nvidia-smi could not be read."), (double)n->failures);
    sheet_one(s, S("nvidia_smi_command_exit_code"), EXPO_GAUGE,
              S("Exit status of nvidia-smi; 128 and a signal when it was killed."),
              n->child.exit_status);
}

/* -- the part -- */

static bool nvidia_run(struct part *p, struct part_run *r, struct err *e)
{
    struct nvidia *n = container_of(p, struct nvidia, part);
    struct nvidia_table t;
    ts_ns begin = part_mono();
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    ok = ask_card_fields(n, r, &a, &t, e);
    n->last_duration = (double)(part_mono() - begin) / 1e9;
    if (ok) {
        put_cards(n, r->out, &t, &a);
        n->last_success = part_wall();
    } else {
        n->failures++;
    }
    put_state(n, r->out, ok);
    arena_release(&a);
    return ok;
}

static void nvidia_free(struct part *p)
{
    struct nvidia *n = container_of(p, struct nvidia, part);

    child_release(&n->child);
    vec_release(&n->fields);
    arena_release(&n->a);
    mem_free(n);
}

static bool nvidia_wants(const struct collect_nvidia *c, const char *name)
{
    for (size_t i = 0; i < c->names.n; i++)
        if (str_is(c->names.v[i], name))
            return true;
    return c->names.n == 0;
}

struct part *nvidia_part_new(const struct collect_conf *c)
{
    struct nvidia *n = mem_new(struct nvidia);

    n->conf = c->nvidia;
    n->part = (struct part){S("nvidia"), c->nvidia->timeout != 0 ? c->nvidia->timeout : c->timeout,
                            nvidia_run, nvidia_free};
    n->has_smi = nvidia_wants(c->nvidia, "nvidia_smi");
    n->has_gpu = nvidia_wants(c->nvidia, "gpu");
    n->has_llm = nvidia_wants(c->nvidia, "llm");
    arena_init(&n->a, 0);
    for (size_t i = 0; i < c->nvidia->fields.n; i++)
        vec_push(&n->fields, c->nvidia->fields.v[i]);
    for (size_t i = 0; i < ARRAY_LEN(usual_fields) && c->nvidia->fields.n == 0; i++)
        vec_push(&n->fields, str_of(usual_fields[i]));
    return &n->part;
}
