/* Two passes: the first sees that all is well, the second puts it on the sheet. */
#include "collect/text_file.h"

#include "codec/exposition_read.h"

struct text_family {
    str help;
    enum expo_type type;
};

struct text_reader {
    struct expo_reader r;
    struct arena a;
    struct str_map families; /* of TYPE and HELP, until then: struct text_family */
    struct str_map series;   /* of this file */
    const struct text_seen *seen;
    struct sheet *out;
    str path;
};

static bool text_type(str word, enum expo_type *type)
{
    static const struct {
        const char *word;
        enum expo_type type;
    } rows[] = {{"counter", EXPO_COUNTER}, {"gauge", EXPO_GAUGE},     {"histogram", EXPO_HISTOGRAM},
                {"summary", EXPO_SUMMARY}, {"untyped", EXPO_UNTYPED}, {"unknown", EXPO_UNTYPED}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_is(word, rows[i].word)) {
            *type = rows[i].type;
            return true;
        }
    return false;
}

static str unescape_help(str s, struct arena *a)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        bool is_escape = s.p[i] == '\\' && i + 1 < s.n && (s.p[i + 1] == 'n' || s.p[i + 1] == '\\');

        if (is_escape)
            i++;
        out[n++] = is_escape && s.p[i] == 'n' ? '\n' : s.p[i];
    }
    return (str){out, n};
}

static struct text_family *text_family_of(struct text_reader *t, str name)
{
    void **hit = str_map_get(&t->families, name);
    struct text_family *f;

    if (hit != NULL)
        return *hit;
    f = arena_new(&t->a, struct text_family);
    f->type = EXPO_UNTYPED;
    f->help = arena_printf(&t->a, "Metric read from %.*s", STR(t->path));
    (void)str_map_put(&t->families, arena_str(&t->a, name), f);
    return f;
}

/* "x_bucket" is of the histogram "x". */
static str family_name(struct text_reader *t, str name)
{
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};

    if (str_map_get(&t->families, name) != NULL)
        return name;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        str suffix = str_of(suffixes[i]), base = str_sub(name, 0, name.n - suffix.n);
        void **hit;

        if (name.n <= suffix.n || !str_ends_with(name, suffix))
            continue;
        hit = str_map_get(&t->families, base);
        if (hit != NULL && (((struct text_family *)*hit)->type == EXPO_HISTOGRAM ||
                            ((struct text_family *)*hit)->type == EXPO_SUMMARY))
            return base;
    }
    return name;
}

static bool take_family(struct text_reader *t, const struct expo_item *item, struct err *e)
{
    struct text_family *f = text_family_of(t, item->name);

    if (item->kind == EXPO_HELP)
        f->help = unescape_help(item->text, &t->a);
    if (item->kind == EXPO_TYPE && !text_type(item->text, &f->type))
        return err_at(e, t->r.line, 1, "no such type: '%.*s'", STR(item->text));
    return true;
}

static str series_key(struct text_reader *t, struct labels ls)
{
    struct buf b = BUF_INIT;

    LABELS_EACH (l, ls)
        buf_addf(&b, "%.*s\xff%.*s\xff", STR(l->name), STR(l->value));
    return arena_take(&t->a, &b);
}

/* Names in quotes are new in the format: not every scraper reads them. */
static bool names_are_bare(struct labels ls)
{
    LABELS_EACH (l, ls)
        if (!expo_is_bare(l->name, false) ||
            (str_is(l->name, "__name__") && !expo_is_bare(l->value, true)))
            return false;
    return true;
}

/* Of the first pass. */
static bool check_sample(struct text_reader *t, const struct expo_item *item, struct labels ls,
                         struct err *e)
{
    str name = labels_get(ls, S("__name__")), key = series_key(t, ls),
        family = family_name(t, name);
    const struct sheet_family *there = sheet_find(t->out, family);
    bool is_new;

    if (!names_are_bare(ls))
        return err_at(e, t->r.line, 1, "'%.*s' has a name that needs quotes", STR(item->series));
    if (item->has_time)
        return err_at(e, t->r.line, 1, "a sample has a time: '%.*s'", STR(name));
    if (str_starts_with(family, S("node_textfile_")))
        return err_at(e, t->r.line, 1, "'%.*s' is a name of the exporter's own", STR(name));
    if (there != NULL && there->type != text_family_of(t, family)->type)
        return err_at(e, t->r.line, 1, "'%.*s' is of another type in a file before", STR(family));
    (void)str_map_add(&t->series, key, NULL, &is_new);
    if (!is_new || str_map_get(&t->seen->series, key) != NULL)
        return err_at(e, t->r.line, 1, "series '%.*s' is there already", STR(item->series));
    return true;
}

static void put_sample(struct text_reader *t, const struct expo_item *item, struct labels ls)
{
    str name = labels_get(ls, S("__name__")), family = family_name(t, name);
    const struct text_family *f = text_family_of(t, family);

    sheet_begin(t->out, family, f->type, f->help);
    sheet_put_named(t->out, name, ls, item->value);
}

static bool text_pass(struct text_reader *t, str text, bool puts, struct err *e)
{
    struct expo_item item;
    struct labels ls;
    struct err why = ERR_INIT;
    bool ok = true;

    expo_reader_init(&t->r, text, EXPO_TEXT);
    while (ok && expo_read(&t->r, &item, &why)) {
        if (item.kind != EXPO_SAMPLE)
            ok = take_family(t, &item, &why);
        else if (!expo_read_labels(&t->r, item.series, &ls, &why))
            ok = false;
        else if (puts)
            put_sample(t, &item, ls);
        else
            ok = check_sample(t, &item, ls, &why);
    }
    expo_reader_release(&t->r);
    if (why.code == ERR_NONE)
        return true;
    if (e != NULL)
        *e = why;
    return false;
}

bool text_file_put(str text, str path, struct sheet *out, struct text_seen *seen, struct err *e)
{
    struct text_reader t = {.seen = seen, .out = out, .path = path};
    bool ok;

    if (text.n != 0 && text.p[text.n - 1] != '\n')
        return err_set(e, ERR_INVALID, "it ends within a line");
    arena_init(&t.a, 0);
    ok = text_pass(&t, text, false, e);
    if (ok) {
        BUG_ON(!text_pass(&t, text, true, e));
        MAP_EACH (struct str_map_entry, s, &t.series)
            (void)str_map_put(&seen->series, arena_str(&out->a, s->key), NULL);
    }
    str_map_release(&t.families);
    str_map_release(&t.series);
    arena_release(&t.a);
    return ok;
}
