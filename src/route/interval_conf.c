/* Time intervals as configured: lists of texts such as "monday:friday", "-3:-1" or "10:00" become ranges of integers. */
#include "codec/tz.h"
#include "route/route_conf.h"
#include "schema/schema.h"

static const char *const weekdays[] = {"sunday",   "monday", "tuesday",  "wednesday",
                                       "thursday", "friday", "saturday", NULL};
static const char *const months[] = {"",        "january",  "february", "march",  "april",
                                     "may",     "june",     "july",     "august", "september",
                                     "october", "november", "december", NULL};

static bool interval_conf_complain(struct conf_in *in, const struct yaml_node *node,
                                   const char *what)
{
    conf_complain(in, node, DIAG_ERROR, "C001", "%s: \"%.*s\"", what, STR(node->text));
    return false;
}

static bool interval_conf_find_word(str s, const char *const *words, int *out)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (s.n != 0 && str_eq_nocase(s, str_of(words[i]))) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool to_number(str s, int *out)
{
    bool negative = s.n != 0 && s.p[0] == '-';
    uint64_t v;

    if (!str_to_u64(str_sub(s, negative, s.n), &v) || v > 1000000)
        return false;
    *out = negative ? -(int)v : (int)v;
    return true;
}

/* -- one element of each list -- */

static bool read_weekday(str s, int *out)
{
    return interval_conf_find_word(s, weekdays, out);
}

static bool read_month(str s, int *out)
{
    return interval_conf_find_word(s, months, out) || (to_number(s, out) && *out > 0);
}

static bool read_year(str s, int *out)
{
    return to_number(s, out) && *out >= 0;
}

static bool read_day(str s, int *out)
{
    return to_number(s, out) && *out != 0 && *out >= -31 && *out <= 31;
}

static bool interval_conf_read_range(str text, bool (*read)(str, int *), struct interval_range *r)
{
    str rest = text, first = str_cut(&rest, ':');

    if (!read(str_trim(first), &r->begin))
        return false;
    r->end = r->begin;
    return rest.p == NULL || read(str_trim(rest), &r->end);
}

/* Days count from either end of the month; a month of 28 days decides whether a mixed range runs backwards. */
static bool days_are_ordered(const struct interval_range *r)
{
    int begin = r->begin < 0 ? 28 + r->begin + 1 : r->begin,
        end = r->end < 0 ? 28 + r->end + 1 : r->end;

    if (r->begin < 0 && r->end > 0)
        return false;
    return r->begin > 0 && r->end < 0 ? begin <= end : r->begin <= r->end;
}

static bool is_ordered(const struct interval_range *r)
{
    return r->begin <= r->end;
}

static bool decode_ranges(struct conf_in *in, const struct yaml_node *node,
                          struct interval_field *f, bool (*read)(str, int *),
                          bool (*ordered)(const struct interval_range *), const char *wanted)
{
    bool ok = true;

    if (yaml_is_null(node))
        return true;
    if (!conf_want_list(in, node))
        return false;
    f->given = true;
    f->v = arena_array(in->run->a, node->n, sizeof(f->v[0]));
    for (size_t i = 0; i < node->n; i++) {
        struct conf_in item = conf_enter_item(in, i);
        struct interval_range r;

        if (!conf_want_scalar(&item, node->items[i]))
            ok = false;
        else if (!interval_conf_read_range(node->items[i]->text, read, &r))
            ok = interval_conf_complain(&item, node->items[i], wanted);
        else if (!ordered(&r))
            ok = interval_conf_complain(&item, node->items[i], "the range ends before it begins");
        else
            f->v[f->n++] = r;
    }
    return ok;
}

static bool decode_weekdays(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return decode_ranges(in, node, member, read_weekday, is_ordered,
                         "not a day of the week or a range of them");
}

static bool decode_days(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return decode_ranges(in, node, member, read_day, days_are_ordered,
                         "not a day of the month (1 to 31, -31 to -1)");
}

static bool decode_months(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return decode_ranges(in, node, member, read_month, is_ordered,
                         "not a month or a range of months");
}

static bool decode_years(struct conf_in *in, const struct yaml_node *node, void *member)
{
    return decode_ranges(in, node, member, read_year, is_ordered, "not a year or a range of years");
}

/* -- times of day -- */

static bool interval_conf_read_clock(str s, int *minutes)
{
    uint64_t h, m;
    str rest = s, hours = str_cut(&rest, ':');

    if (hours.n != 2 || rest.n != 2 || !str_to_u64(hours, &h) || !str_to_u64(rest, &m))
        return false;
    *minutes = (int)(h * 60 + m);
    return m <= 59 && (h <= 23 || (h == 24 && m == 0));
}

struct time_range_raw {
    str start_time, end_time;
};

static const struct conf_key time_range_keys[] = {
    CONF_KEY(struct time_range_raw, start_time, CONF_STRING, "HH:MM", .flags = CONF_REQUIRED),
    CONF_KEY(struct time_range_raw, end_time, CONF_STRING,
             "HH:MM, up to 24:00; does not belong to the range", .flags = CONF_REQUIRED),
    CONF_KEYS_END,
};

static const struct conf_type time_range_type = {
    .name = "time_range", .keys = time_range_keys, .size = sizeof(struct time_range_raw)};

static bool decode_time(struct conf_in *in, const struct yaml_node *node, struct interval_range *r)
{
    struct time_range_raw raw;
    struct conf_layer layer = {&time_range_type, &raw, NULL};

    if (!conf_decode_node(in, node, &layer, 1))
        return false;
    if (!interval_conf_read_clock(raw.start_time, &r->begin) ||
        !interval_conf_read_clock(raw.end_time, &r->end)) {
        conf_complain(in, node, DIAG_ERROR, "C001", "times are written HH:MM, 00:00 to 24:00");
        return false;
    }
    if (r->begin >= r->end) {
        conf_complain(in, node, DIAG_ERROR, "C001", "\"start_time\" must be before \"end_time\"");
        return false;
    }
    return true;
}

static bool decode_times(struct conf_in *in, const struct yaml_node *node, void *member)
{
    struct interval_field *f = member;
    bool ok = true;

    if (yaml_is_null(node))
        return true;
    if (!conf_want_list(in, node))
        return false;
    f->given = true;
    f->v = arena_array(in->run->a, node->n, sizeof(f->v[0]));
    for (size_t i = 0; i < node->n; i++) {
        struct conf_in item = conf_enter_item(in, i);

        if (decode_time(&item, node->items[i], &f->v[f->n]))
            f->n++;
        else
            ok = false;
    }
    return ok;
}

/* -- printing -- */

static void add_number(struct buf *b, int v)
{
    buf_add_i64(b, v);
}

static void add_weekday(struct buf *b, int v)
{
    buf_add(b, str_of(weekdays[v]));
}

static void add_month(struct buf *b, int v)
{
    if (v <= 12)
        buf_add(b, str_of(months[v]));
    else
        buf_add_i64(b, v);
}

static void print_ranges(struct conf_out *o, const char *key, const struct interval_field *f,
                         void (*add)(struct buf *, int))
{
    if (!f->given)
        return;
    conf_print_key(o, str_of(key));
    buf_adds(o->out, " [");
    for (size_t i = 0; i < f->n; i++) {
        buf_add(o->out, i != 0 ? S(", '") : S("'"));
        add(o->out, f->v[i].begin);
        if (f->v[i].end != f->v[i].begin) {
            buf_addc(o->out, ':');
            add(o->out, f->v[i].end);
        }
        buf_addc(o->out, '\'');
    }
    buf_adds(o->out, "]\n");
}

static void print_weekdays(struct conf_out *o, const void *member)
{
    print_ranges(o, "weekdays", member, add_weekday);
}

static void print_days(struct conf_out *o, const void *member)
{
    print_ranges(o, "days_of_month", member, add_number);
}

static void print_months(struct conf_out *o, const void *member)
{
    print_ranges(o, "months", member, add_month);
}

static void print_years(struct conf_out *o, const void *member)
{
    print_ranges(o, "years", member, add_number);
}

static void print_times(struct conf_out *o, const void *member)
{
    const struct interval_field *f = member;

    if (!f->given)
        return;
    conf_print_key(o, S("times"));
    buf_adds(o->out, " [");
    for (size_t i = 0; i < f->n; i++)
        buf_addf(o->out, "%s{start_time: \"%02d:%02d\", end_time: \"%02d:%02d\"}",
                 i != 0 ? ", " : "", f->v[i].begin / 60, f->v[i].begin % 60, f->v[i].end / 60,
                 f->v[i].end % 60);
    buf_adds(o->out, "]\n");
}

/* -- tables -- */

static void check_spec(struct conf_check *c, void *obj)
{
    const struct conf_run *run = c->in.run;
    struct time_interval_spec *s = obj;
    struct err e = ERR_INIT;

    if (s->location.n == 0)
        return;
    s->zone = run->zone(run->arg, s->location, &e);
    if (s->zone == NULL)
        conf_error(c, "location", "unknown time zone \"%.*s\": %s", STR(s->location), e.msg);
}

#define RANGES(member, json_, doc_)                                                                \
    CONF_KEY(struct time_interval_spec, member, CONF_CUSTOM, doc_, .json = (json_),                \
             .decode = decode_##member, .print = print_##member)
#define decode_days_of_month decode_days
#define print_days_of_month  print_days

static const struct conf_key spec_keys[] = {
    RANGES(times, "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"object\"}}",
           "ranges of the day, {start_time, end_time}"),
    RANGES(weekdays, CONF_JSON_TEXTS, "days of the week, monday or monday:friday"),
    RANGES(days_of_month, CONF_JSON_TEXTS, "days of the month, 1 or 1:7, -1 is the last"),
    RANGES(months, CONF_JSON_TEXTS, "months, by name or number, single or first:last"),
    RANGES(years, CONF_JSON_TEXTS, "years, 2030 or 2030:2035"),
    CONF_KEY(struct time_interval_spec, location, CONF_STRING,
             "time zone; UTC when not given, Local is the host's"),
    CONF_KEYS_END,
};

static const struct conf_type spec_type = {
    .name = "time_interval_spec",
    .doc = "An instant belongs to it when every field that is given holds.",
    .keys = spec_keys,
    .size = sizeof(struct time_interval_spec),
    .check = check_spec,
};

static const struct conf_key interval_keys[] = {
    CONF_KEY(struct time_interval_conf, name, CONF_STRING, "name, for routes",
             .flags = CONF_REQUIRED),
    CONF_KEY_AS("time_intervals", struct time_interval_conf, intervals, CONF_LIST, "any of these",
                .sub = &spec_type),
    CONF_KEYS_END,
};

const struct conf_type time_interval_conf_type = {
    .name = "time_interval",
    .doc = "A named set of times.",
    .keys = interval_keys,
    .size = sizeof(struct time_interval_conf),
    .place = CONF_AT(struct time_interval_conf, place),
};
