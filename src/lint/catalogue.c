/* The file is read line by line into one table. Slips are looked for where a name is not in it: among the names that begin as
 * it does. */
#include "lint/catalogue.h"

#include "codec/float.h"
#include "base/vec.h"

extern const char lint_catalogue_txt[], lint_catalogue_txt_end[];

enum prefix_kind { PREFIX_ALL, PREFIX_NEAR, PREFIX_OPEN };

struct catalogue_prefix {
    str text, source;
    enum prefix_kind kind;
};

struct catalogue_reader {
    struct catalogue *c;
    struct arena *a;
    str source, enable;
};

/* -- reading -- */

static str *cut_list(str text, struct arena *a, size_t *n)
{
    str *v;
    size_t k = 1;

    for (size_t i = 0; i < text.n; i++)
        k += text.p[i] == ',';
    v = arena_array(a, k, sizeof(*v));
    for (*n = 0; text.n != 0; (*n)++)
        v[*n] = str_cut(&text, ',');
    return v;
}

static enum metric_type type_of(str word)
{
    static const char *const words[] = {[METRIC_ANY] = "any",
                                        [METRIC_COUNTER] = "counter",
                                        [METRIC_GAUGE] = "gauge",
                                        [METRIC_HISTOGRAM] = "histogram",
                                        [METRIC_SUMMARY] = "summary"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(word, words[i]))
            return (enum metric_type)i;
    return METRIC_ANY;
}

static void read_bounds(struct known_metric *m, str text, struct arena *a)
{
    struct err e = ERR_INIT;
    str *v = cut_list(text, a, &m->n_bounds);

    m->bounds = arena_array(a, m->n_bounds, sizeof(double));
    for (size_t i = 0; i < m->n_bounds; i++)
        if (!float_parse(v[i], &m->bounds[i], &e))
            m->bounds[i] = 0;
}

static void read_extra(struct known_metric *m, str word, struct arena *a)
{
    str value = word, key = str_cut(&value, '=');

    if (str_is(key, "off"))
        m->is_off = true;
    else if (str_is(key, "le"))
        read_bounds(m, value, a);
    else if (str_is(key, "now"))
        m->now = value;
    else if (str_is(key, "sparse"))
        m->sparse = value;
}

static void catalogue_metric(struct catalogue_reader *r, str name, str rest)
{
    struct known_metric *m = arena_new(r->a, struct known_metric);
    str labels;

    *m = (struct known_metric){.name = name, .source = r->source, .enable = r->enable};
    m->type = type_of(str_cut(&rest, ' '));
    m->unit = str_cut(&rest, ' ');
    if (str_is(m->unit, "-"))
        m->unit = S("");
    labels = str_cut(&rest, ' ');
    m->knows_labels = !str_is(labels, "*");
    if (m->knows_labels && !str_is(labels, "-"))
        m->labels = cut_list(labels, r->a, &m->n_labels);
    while (rest.n != 0)
        read_extra(m, str_cut(&rest, ' '), r->a);
    str_map_put(&r->c->names, name, m);
}

static void read_prefixes(struct catalogue_reader *r, str rest, enum prefix_kind kind)
{
    struct catalogue *c = r->c;

    while (rest.n != 0) {
        c->prefixes =
            arena_copy(r->a, c->prefixes, c->n_prefixes, c->n_prefixes + 1, sizeof(*c->prefixes));
        c->prefixes[c->n_prefixes++] =
            (struct catalogue_prefix){str_cut(&rest, ' '), r->source, kind};
    }
}

static void catalogue_line(struct catalogue_reader *r, str line)
{
    str word = str_cut(&line, ' ');

    if (word.n == 0 || word.p[0] == '#')
        return;
    if (str_is(word, "source")) {
        r->source = line;
        for (size_t i = 0; i + 1 < line.n;
             i++) /* what it was taken from is for who reads the file */
            if (line.p[i] == ' ' && line.p[i + 1] == '(')
                r->source = str_sub(line, 0, i);
        r->enable = S("");
    } else if (str_is(word, "enable")) {
        r->enable = line;
    } else if (str_is(word, "all")) {
        read_prefixes(r, line, PREFIX_ALL);
    } else if (str_is(word, "near")) {
        read_prefixes(r, line, PREFIX_NEAR);
    } else if (str_is(word, "open")) {
        read_prefixes(r, line, PREFIX_OPEN);
    } else {
        catalogue_metric(r, word, line);
    }
}

void catalogue_read(struct catalogue *c, struct arena *a)
{
    struct catalogue_reader r = {.c = c, .a = a};
    str text = {lint_catalogue_txt, (size_t)(lint_catalogue_txt_end - lint_catalogue_txt)};

    *c = (struct catalogue){0};
    while (text.n != 0)
        catalogue_line(&r, str_cut(&text, '\n'));
}

void catalogue_release(struct catalogue *c)
{
    str_map_release(&c->names);
}

/* -- finding -- */

static const struct known_metric *metric_named(const struct catalogue *c, str name)
{
    void **hit = str_map_get(&c->names, name);

    return hit != NULL ? *hit : NULL;
}

static bool has_series(const struct known_metric *m, size_t suffix)
{
    static const bool has[][4] = {/* _bucket, _sum, _count, _created */
                                  [METRIC_ANY] = {true, true, true, true},
                                  [METRIC_COUNTER] = {false, false, false, true},
                                  [METRIC_GAUGE] = {false, false, false, false},
                                  [METRIC_HISTOGRAM] = {true, true, true, true},
                                  [METRIC_SUMMARY] = {false, true, true, true}};

    return has[m->type][suffix];
}

static const char *const suffixes[] = {"_bucket", "_sum", "_count", "_created"};

const struct known_metric *catalogue_find(const struct catalogue *c, str name, str *suffix)
{
    const struct known_metric *m = metric_named(c, name);

    *suffix = S("");
    for (size_t i = 0; m == NULL && i < ARRAY_LEN(suffixes); i++) {
        str s = str_of(suffixes[i]);

        if (!str_ends_with(name, s))
            continue;
        m = metric_named(c, str_sub(name, 0, name.n - s.n));
        if (m == NULL || !has_series(m, i))
            return NULL;
        *suffix = str_sub(name, name.n - s.n, name.n);
    }
    return m;
}

/* -- slips -- */

static bool is_one_edit(str a, str b)
{
    size_t head = 0, tail = 0, n = a.n < b.n ? a.n : b.n, la, lb;

    while (head < n && a.p[head] == b.p[head])
        head++;
    while (tail < n - head && a.p[a.n - 1 - tail] == b.p[b.n - 1 - tail])
        tail++;
    la = a.n - head - tail;
    lb = b.n - head - tail;
    return (la <= 1 && lb <= 1) ||
           (la == 2 && lb == 2 && a.p[head] == b.p[head + 1] && a.p[head + 1] == b.p[head]);
}

/* Case and underscores say nothing. */
static bool is_same_word(str a, str b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.n && a.p[i] == '_')
            i++;
        while (k < b.n && b.p[k] == '_')
            k++;
        if (i == a.n || k == b.n)
            return i == a.n && k == b.n;
        if (!str_eq_nocase(str_sub(a, i, i + 1), str_sub(b, k, k + 1)))
            return false;
        i++;
        k++;
    }
}

bool catalogue_is_slip(str a, str b)
{
    size_t apart = a.n > b.n ? a.n - b.n : b.n - a.n;

    return !str_eq(a, b) && ((apart <= 1 && is_one_edit(a, b)) || is_same_word(a, b));
}

static const struct catalogue_prefix *prefix_of(const struct catalogue *c, str name)
{
    const struct catalogue_prefix *hit = NULL;

    for (size_t i = 0; i < c->n_prefixes; i++) /* an "open" one comes after its "all" */
        if (str_starts_with(name, c->prefixes[i].text))
            hit = &c->prefixes[i];
    return hit;
}

/* Without what only some have at the end: a unit, or what a counter ends in. */
static str with_ending(const struct catalogue *c, str name, struct arena *a)
{
    static const char *const endings[] = {"_total", "_bytes", "_seconds", "_bytes_total",
                                          "_seconds_total"};

    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        str longer = arena_printf(a, "%.*s%s", STR(name), endings[i]);

        if (metric_named(c, longer) != NULL)
            return longer;
        if (str_ends_with(name, str_of(endings[i])) &&
            metric_named(c, str_sub(name, 0, name.n - strlen(endings[i]))) != NULL)
            return str_sub(name, 0, name.n - strlen(endings[i]));
    }
    return S("");
}

static str histogram_name(str name, str *suffix)
{
    *suffix = S("");
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (str_ends_with(name, str_of(suffixes[i])))
            *suffix = str_of(suffixes[i]);
    return str_sub(name, 0, name.n - suffix->n);
}

static str slip_of(const struct catalogue *c, const struct catalogue_prefix *p, str name,
                   struct arena *a)
{
    str suffix, base = histogram_name(name, &suffix), hit = with_ending(c, name, a);

    if (hit.n != 0)
        return hit;
    MAP_EACH (struct str_map_entry, e, &c->names) {
        const struct known_metric *m = e->value;

        if (!str_starts_with(e->key, p->text) || m->now.n != 0)
            continue;
        if (catalogue_is_slip(name, e->key))
            return e->key;
        if (suffix.n != 0 && (m->type == METRIC_HISTOGRAM || m->type == METRIC_SUMMARY) &&
            catalogue_is_slip(base, e->key))
            return arena_printf(a, "%.*s%.*s", STR(e->key), STR(suffix));
    }
    return S("");
}

/* "vllm_num_requests_waiting": what begins with "vllm:" is written with an underscore. */
static bool has_lost_colon(const struct catalogue *c, str name, struct arena *a, str *near,
                           str *source)
{
    ptrdiff_t at = str_find(name, '_');
    const struct known_metric *m;
    str suffix;

    if (at < 0)
        return false;
    *near = arena_printf(a, "%.*s:%.*s", STR(str_sub(name, 0, (size_t)at)),
                         STR(str_sub(name, (size_t)at + 1, name.n)));
    if (prefix_of(c, *near) == NULL)
        return false;
    m = catalogue_find(c, *near, &suffix);
    if (m == NULL) {
        *near = with_ending(c, *near, a);
        m = near->n != 0 ? catalogue_find(c, *near, &suffix) : NULL;
    }
    if (m != NULL)
        *source = m->source;
    return m != NULL;
}

static str nearest_of(const struct catalogue *c, const struct catalogue_prefix *p, str name)
{
    VEC(str) names = VEC_INIT;
    const str *hit;
    str out;

    MAP_EACH (struct str_map_entry, e, &c->names)
        if (str_starts_with(e->key, p->text) && ((struct known_metric *)e->value)->now.n == 0)
            vec_push(&names, e->key);
    hit = str_nearest(name, names.v, names.n);
    out = hit != NULL ? *hit : S("");
    vec_release(&names);
    return out;
}

bool catalogue_denies(const struct catalogue *c, str name, struct arena *a, str *near, str *source)
{
    const struct catalogue_prefix *p;
    str suffix;

    suffix = name;
    (void)str_cut(&suffix, ':');
    if (str_find(suffix, ':') >= 0 || /* two colons: what a rule records */
        catalogue_find(c, name, &suffix) != NULL)
        return false;
    p = prefix_of(c, name);
    if (p == NULL)
        return has_lost_colon(c, name, a, near, source);
    *source = p->source;
    *near = slip_of(c, p, name, a);
    if (near->n != 0)
        return true;
    if (p->kind != PREFIX_ALL)
        return false;
    *near = nearest_of(c, p, name);
    return true;
}
