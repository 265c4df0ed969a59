#include "codec/exposition.h"

#include "codec/float.h"

static const char *const type_names[][2] = {
    [EXPO_COUNTER] = {"counter", "counter"},       [EXPO_GAUGE] = {"gauge", "gauge"},
    [EXPO_HISTOGRAM] = {"histogram", "histogram"}, [EXPO_SUMMARY] = {"summary", "summary"},
    [EXPO_UNTYPED] = {"untyped", "unknown"},
};

void expo_init(struct expo *x, struct buf *out, enum expo_format format)
{
    *x = (struct expo){.out = out, .format = format};
}

bool expo_is_bare(str s, bool with_colon)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                  (with_colon && c == ':') || (i != 0 && c >= '0' && c <= '9');

        if (!ok)
            return false;
    }
    return s.n != 0;
}

void expo_escape(struct buf *out, str s, bool quotes)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n')
            buf_adds(out, "\\n");
        else if (s.p[i] == '\\')
            buf_adds(out, "\\\\");
        else if (s.p[i] == '"' && quotes)
            buf_adds(out, "\\\"");
        else
            buf_addc(out, s.p[i]);
    }
}

static void exposition_put_quoted(struct buf *out, str s, const char *suffix)
{
    buf_addc(out, '"');
    expo_escape(out, s, true);
    buf_addf(out, "%s\"", suffix);
}

void expo_put_name(struct buf *out, str name, const char *suffix)
{
    if (expo_is_bare(name, true))
        buf_addf(out, "%.*s%s", STR(name), suffix);
    else
        exposition_put_quoted(out, name, suffix);
}

bool expo_open_series(struct buf *out, str name, const char *suffix)
{
    bool bare = expo_is_bare(name, true);

    if (!bare)
        buf_addc(out, '{');
    expo_put_name(out, name, suffix);
    if (bare)
        buf_addc(out, '{');
    return !bare;
}

void expo_put_label(struct buf *out, bool *any, str name, str value)
{
    if (*any)
        buf_addc(out, ',');
    *any = true;
    if (expo_is_bare(name, false))
        buf_add(out, name);
    else
        exposition_put_quoted(out, name, "");
    buf_addc(out, '=');
    exposition_put_quoted(out, value, "");
}

void expo_family(struct expo *x, str name, enum expo_type type, str help)
{
    bool open = x->format == EXPO_OPENMETRICS;
    str family = name;

    if (open && type == EXPO_COUNTER && str_ends_with(name, S("_total")))
        family.n -= 6;
    x->name = name;
    buf_addf(x->out, "# HELP %.*s ", STR(family));
    expo_escape(x->out, help, open);
    buf_addf(x->out, "\n# TYPE %.*s %s\n", STR(family), type_names[type][open]);
}

static void exposition_add_float(struct expo *x, double v)
{
    size_t from = x->out->n;

    float_print_g(x->out, v);
    if (x->format != EXPO_OPENMETRICS)
        return;
    for (size_t i = from; i < x->out->n; i++)
        if (strchr(".eIN", x->out->p[i]) != NULL)
            return;
    buf_adds(x->out, ".0"); /* OpenMetrics spells floats so that they look like floats */
}

/* le: the bound of a bucket, or NULL for another sample. */
static void exposition_add_series(struct expo *x, const char *suffix,
                                  const struct expo_label *labels, size_t n, const double *le)
{
    buf_add(x->out, x->name);
    buf_add(x->out, str_of(suffix));
    for (size_t i = 0; i < n; i++) {
        buf_addc(x->out, i == 0 ? '{' : ',');
        buf_add(x->out, labels[i].name);
        buf_adds(x->out, "=\"");
        expo_escape(x->out, labels[i].value, true);
        buf_addc(x->out, '"');
    }
    if (le != NULL) {
        buf_addf(x->out, "%cle=\"", n == 0 ? '{' : ',');
        exposition_add_float(x, *le);
        buf_addc(x->out, '"');
    }
    if (n != 0 || le != NULL)
        buf_addc(x->out, '}');
    buf_addc(x->out, ' ');
}

void expo_value(struct expo *x, const struct expo_label *labels, size_t n, double v)
{
    exposition_add_series(x, "", labels, n, NULL);
    exposition_add_float(x, v);
    buf_addc(x->out, '\n');
}

static void add_count(struct expo *x, uint64_t v)
{
    buf_add_u64(x->out, v);
    buf_addc(x->out, '\n');
}

void expo_u64(struct expo *x, const struct expo_label *labels, size_t n, uint64_t v)
{
    exposition_add_series(x, "", labels, n, NULL);
    add_count(x, v);
}

void expo_summary(struct expo *x, const struct expo_label *labels, size_t n, double sum,
                  uint64_t count)
{
    exposition_add_series(x, "_sum", labels, n, NULL);
    exposition_add_float(x, sum);
    buf_addc(x->out, '\n');
    exposition_add_series(x, "_count", labels, n, NULL);
    add_count(x, count);
}

void expo_histogram(struct expo *x, const struct expo_label *labels, size_t n_labels,
                    const double *bounds, const uint64_t *counts, size_t n, double sum)
{
    const double infinite = __builtin_inf();
    uint64_t total = 0;

    for (size_t i = 0; i <= n; i++) {
        total += counts[i];
        exposition_add_series(x, "_bucket", labels, n_labels, i < n ? &bounds[i] : &infinite);
        add_count(x, total);
    }
    expo_summary(x, labels, n_labels, sum, total);
}

void expo_end(struct expo *x)
{
    if (x->format == EXPO_OPENMETRICS)
        buf_adds(x->out, "# EOF\n");
}
