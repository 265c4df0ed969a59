/* One pass gathers the families, a second one looks at each: a word of each kind is said once a family. */
#include "lint/lint_page.h"

#include <stdlib.h>
#include "base/map.h"
#include "codec/exposition_read.h"
#include "lint/lint_online.h"

enum page_type { PAGE_UNTYPED, PAGE_COUNTER, PAGE_GAUGE, PAGE_HISTOGRAM, PAGE_SUMMARY };

struct page_family {
    str name;
    enum page_type type;
    const char *type_text;
    bool has_help, has_samples, has_le, has_quantile, has_camel_label;
    int line; /* the first that is about it */
};

struct metric_page {
    struct arena a;
    str from;
    enum expo_format format;
    struct str_map families; /* struct page_family * */
    struct str_map series;   /* those seen */
    struct diags *d;
};

static struct diag *page_report(struct metric_page *p, const char *id, enum diag_severity severity,
                                int line, const char *text)
{
    struct diag_place at = {.file = p->from, .line = line, .col = 1};

    return diags_add(p->d, severity, id, at, "%s", text);
}

/* -- gathering -- */

static struct page_family *page_family(struct metric_page *p, str name, int line)
{
    void **hit = str_map_get(&p->families, name);
    struct page_family *f;

    if (hit != NULL)
        return *hit;
    f = arena_new(&p->a, struct page_family);
    *f = (struct page_family){.name = arena_str(&p->a, name), .line = line};
    str_map_put(&p->families, f->name, f);
    return f;
}

static void page_set_type(struct page_family *f, str type)
{
    static const char *const words[] = {[PAGE_UNTYPED] = "untyped",
                                        [PAGE_COUNTER] = "counter",
                                        [PAGE_GAUGE] = "gauge",
                                        [PAGE_HISTOGRAM] = "histogram",
                                        [PAGE_SUMMARY] = "summary"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(type, words[i])) {
            f->type = (enum page_type)i;
            f->type_text = words[i];
        }
}

static struct page_family *typed_family(struct metric_page *p, str name, const char *suffix)
{
    void **hit;

    if (!str_ends_with(name, str_of(suffix)))
        return NULL;
    hit = str_map_get(&p->families, str_sub(name, 0, name.n - strlen(suffix)));
    return hit != NULL ? *hit : NULL;
}

/* Of which family a sample is. */
static struct page_family *family_of_sample(struct metric_page *p, str name, int line)
{
    struct page_family *f;

    f = typed_family(p, name, "_bucket");
    if (f != NULL && f->type == PAGE_HISTOGRAM)
        return f;
    for (int i = 0; i < 2; i++) {
        f = typed_family(p, name, i == 0 ? "_sum" : "_count");
        if (f != NULL && (f->type == PAGE_HISTOGRAM || f->type == PAGE_SUMMARY))
            return f;
    }
    f = typed_family(p, name, "_total");
    if (p->format == EXPO_OPENMETRICS && f != NULL && f->type == PAGE_COUNTER)
        return f;
    return page_family(p, name, line);
}

static bool is_camel_case(str s)
{
    for (size_t i = 0; i + 1 < s.n; i++)
        if (s.p[i] >= 'a' && s.p[i] <= 'z' && s.p[i + 1] >= 'A' && s.p[i + 1] <= 'Z')
            return true;
    return false;
}

static void page_series(struct metric_page *p, const struct expo_item *item, struct labels ls,
                        int line)
{
    struct buf b = BUF_INIT;
    bool is_new = false;
    str text;

    labels_print(&b, ls);
    text = arena_str(&p->a, buf_str(&b));
    (void)str_map_add(&p->series, text, p, &is_new);
    if (!is_new && !item->has_time)
        page_report(p, "M008", DIAG_ERROR, line,
                    arena_printf(&p->a, "%.*s stands twice", STR(item->series)).p);
    buf_release(&b);
}

static void page_sample(struct metric_page *p, struct expo_reader *r, const struct expo_item *item,
                        struct err *e)
{
    struct page_family *f;
    struct labels ls;

    if (!expo_read_labels(r, item->series, &ls, e))
        return;
    f = family_of_sample(p, labels_get(ls, S("__name__")), r->line);
    f->has_samples = true;
    LABELS_EACH (l, ls) {
        f->has_le |= str_is(l->name, "le");
        f->has_quantile |= str_is(l->name, "quantile");
        f->has_camel_label |= is_camel_case(l->name);
    }
    page_series(p, item, ls, r->line);
}

/* What cannot be read has been said already. */
static void page_read(struct metric_page *p, str text)
{
    struct expo_reader r;
    struct expo_item item;
    struct err e = ERR_INIT;

    p->format = expo_guess(text);
    expo_reader_init(&r, text, p->format);
    while (e.code == ERR_NONE && expo_read(&r, &item, &e)) {
        if (item.kind == EXPO_SAMPLE)
            page_sample(p, &r, &item, &e);
        else if (item.kind == EXPO_TYPE)
            page_set_type(page_family(p, item.name, r.line), item.text);
        else if (item.kind == EXPO_HELP)
            page_family(p, item.name, r.line)->has_help = true;
    }
    expo_reader_release(&r);
}

/* -- M005: units -- */

/* The unit that a word of a name is, and what should stand in its place; NULL: it is none. */
static const char *base_unit(str word)
{
    static const struct {
        const char *unit, *base;
    } units[] = {{"amperes", "amperes"}, {"bytes", "bytes"},        {"celsius", "celsius"},
                 {"grams", "grams"},     {"joules", "joules"},      {"kelvin", "kelvin"},
                 {"meters", "meters"},   {"metres", "metres"},      {"moles", "moles"},
                 {"seconds", "seconds"}, {"volts", "volts"},        {"minutes", "seconds"},
                 {"hours", "seconds"},   {"days", "seconds"},       {"weeks", "seconds"},
                 {"kelvins", "kelvin"},  {"fahrenheit", "celsius"}, {"rankine", "celsius"},
                 {"inches", "meters"},   {"yards", "meters"},       {"miles", "meters"},
                 {"bits", "bytes"},      {"calories", "joules"},    {"pounds", "grams"},
                 {"ounces", "grams"}};

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(word, units[i].unit))
            return units[i].base;
    return NULL;
}

static const char *base_of_prefixed(str word)
{
    static const char *const prefixes[] = {"pico", "nano",  "micro", "milli", "centi", "deci",
                                           "deca", "hecto", "kilo",  "kibi",  "mega",  "mibi",
                                           "giga", "gibi",  "tera",  "tebi",  "peta",  "pebi"};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        const char *base = str_starts_with(word, str_of(prefixes[i]))
                               ? base_unit(str_sub(word, strlen(prefixes[i]), word.n))
                               : NULL;

        if (base != NULL)
            return base;
    }
    return NULL;
}

static void page_unit(struct metric_page *p, const struct page_family *f)
{
    for (str rest = f->name; rest.n != 0;) {
        str word = str_cut(&rest, '_');
        const char *base = base_unit(word);

        if (base == NULL)
            base = base_of_prefixed(word);
        if (base == NULL)
            continue;
        if (!str_is(word, base))
            page_report(p, "M005", DIAG_WARNING, f->line,
                        arena_printf(&p->a, "%.*s: use base unit \"%s\" instead of \"%.*s\"",
                                     STR(f->name), base, STR(word))
                            .p);
        return;
    }
}

static void page_abbreviation(struct metric_page *p, const struct page_family *f)
{
    static const char *const short_units[] = {"s",  "ms", "us", "ns", "sec", "b", "kb",
                                              "mb", "gb", "tb", "pb", "m",   "h", "d"};

    str rest = f->name;

    (void)str_cut(&rest, '_'); /* the first word is whose it is */
    while (rest.n != 0) {
        str word = str_cut(&rest, '_');

        for (size_t i = 0; i < ARRAY_LEN(short_units); i++)
            if (str_eq_nocase(word, str_of(short_units[i]))) {
                page_report(p, "M005", DIAG_WARNING, f->line,
                            arena_printf(&p->a, "%.*s: \"%.*s\" is an abbreviated unit",
                                         STR(f->name), STR(word))
                                .p);
                return;
            }
    }
}

/* -- M006, M007: names -- */

static void page_says(struct metric_page *p, const struct page_family *f, const char *id,
                      const char *text)
{
    page_report(p, id, DIAG_WARNING, f->line,
                arena_printf(&p->a, "%.*s: %s", STR(f->name), text).p);
}

static void page_endings(struct metric_page *p, const struct page_family *f)
{
    bool is_total = str_ends_with(f->name, S("_total"));

    if (f->type == PAGE_COUNTER && !is_total && p->format != EXPO_OPENMETRICS)
        page_says(p, f, "M006", "a counter's name ends in \"_total\"");
    if (f->type == PAGE_UNTYPED)
        return;
    if (f->type != PAGE_COUNTER && is_total)
        page_says(p, f, "M006", "only a counter's name ends in \"_total\"");
    if (f->type != PAGE_HISTOGRAM && str_ends_with(f->name, S("_bucket")))
        page_says(p, f, "M006", "only a histogram has \"_bucket\"");
    if (f->type != PAGE_HISTOGRAM && f->type != PAGE_SUMMARY &&
        (str_ends_with(f->name, S("_count")) || str_ends_with(f->name, S("_sum"))))
        page_says(p, f, "M006", "only a histogram or a summary has \"_count\" and \"_sum\"");
    if (f->type != PAGE_HISTOGRAM && f->has_le)
        page_says(p, f, "M006", "only a histogram has the label \"le\"");
    if (f->type != PAGE_SUMMARY && f->has_quantile)
        page_says(p, f, "M006", "only a summary has the label \"quantile\"");
}

static void page_type_in_name(struct metric_page *p, const struct page_family *f)
{
    str rest = f->name;

    if (f->type == PAGE_UNTYPED)
        return;
    (void)str_cut(&rest, '_'); /* the first word is nobody's type */
    while (rest.n != 0)
        if (str_eq_nocase(str_cut(&rest, '_'), str_of(f->type_text))) {
            page_says(p, f, "M006", "the type need not stand in the name");
            return;
        }
}

static void page_form(struct metric_page *p, const struct page_family *f)
{
    if (str_find(f->name, ':') >= 0)
        page_says(p, f, "M007", "a colon is for what rules record");
    if (is_camel_case(f->name))
        page_says(p, f, "M007", "names are written in snake_case, not in camelCase");
    if (f->has_camel_label)
        page_says(p, f, "M007", "labels are written in snake_case, not in camelCase");
}

static void page_judge(struct metric_page *p, const struct page_family *f)
{
    if (!f->has_samples)
        return;
    if (!f->has_help)
        page_says(p, f, "M004", "it has no help text");
    page_unit(p, f);
    page_abbreviation(p, f);
    page_endings(p, f);
    page_type_in_name(p, f);
    page_form(p, f);
}

void lint_page(str from, str text, str again, ts_ms now, struct diags *d)
{
    struct metric_page p = {.from = from, .d = d};

    lint_samples_free(lint_samples_read(from, text, again, now, d));
    arena_init(&p.a, 0);
    page_read(&p, text);
    MAP_EACH (struct str_map_entry, e, &p.families)
        page_judge(&p, e->value);
    str_map_release(&p.families);
    str_map_release(&p.series);
    arena_release(&p.a);
}
