/* funcs_prometheus.c - the functions of rule templates, rules.md 3.2. What needs the engine comes through
 * struct template_prometheus_host. */
#include <math.h>
#include <stdlib.h>
#include "codec/duration.h"
#include "codec/escape.h"
#include "codec/float.h"
#include "model/labels.h"
#include "template/escape.h"
#include "template/funcs_priv.h"
#include "template/humanize.h"
#include "base/strcase.h"
#include "template/template.h"

static const struct template_prometheus_host *host(const struct tmpl_env *env)
{
    static const struct template_prometheus_host none = {.query = NULL};

    return env->host != NULL ? env->host : &none;
}

/* -- samples -- */

static void sample_labels(struct tmpl_env *env, const void *object, struct tmpl_value *out)
{
    *out = tv_labels(env->a, NULL, ((const struct sample *)object)->labels);
}

static void sample_value(struct tmpl_env *env, const void *object, struct tmpl_value *out)
{
    (void)env;
    *out = tv_float(((const struct sample *)object)->value);
}

static const struct tmpl_field sample_fields[] = {
    {"Labels", NULL, sample_labels}, {"Value", NULL, sample_value}, {NULL, NULL, NULL}};
const struct tmpl_type tmpl_sample = {.name = "*template.sample", .fields = sample_fields};
const struct tmpl_type tmpl_samples = {.name = "template.queryResult"};

static str label_of(const struct tmpl_value *sample, str name)
{
    return labels_get(((const struct sample *)sample->object)->labels, name);
}

FUNC(f_query)
{
    const struct template_prometheus_host *h = host(env);
    struct samples samples = {NULL, 0};
    struct tmpl_value *v;

    if (h->query == NULL)
        return err_set(e, ERR_UNSUPPORTED, "queries are not available in this template");
    if (!h->query(h->arg, args[0].s, &samples, e))
        return false;
    v = arena_array(env->a, samples.n, sizeof(*v));
    for (size_t i = 0; i < samples.n; i++)
        v[i] = tv_object(&tmpl_sample, &samples.v[i]);
    *out = tv_list(&tmpl_samples, v, samples.n);
    return true;
}

FUNC(funcs_prometheus_f_first)
{
    if (args[0].list.n == 0)
        return err_set(e, ERR_INVALID, "first() called on vector with no elements");
    *out = args[0].list.v[0];
    return true;
}

FUNC(f_label)
{
    *out = tv_str(label_of(&args[1], args[0].s));
    return true;
}

FUNC(f_value)
{
    sample_value(env, args[0].object, out);
    return true;
}

FUNC(f_strvalue)
{
    *out = tv_str(label_of(&args[0], S("__value__")));
    return true;
}

struct funcs_prometheus_sort_key {
    str key;
    size_t place; /* of equal keys the first stays first */
};

static int funcs_prometheus_by_key(const void *a, const void *b)
{
    const struct funcs_prometheus_sort_key *x = a, *y = b;
    int c = str_cmp(x->key, y->key);

    return c != 0 ? c : (x->place > y->place) - (x->place < y->place);
}

FUNC(f_sort_by_label)
{
    size_t count = args[1].list.n;
    struct tmpl_value *v = arena_array(env->a, count, sizeof(*v));
    struct funcs_prometheus_sort_key *keys = arena_array(env->a, count, sizeof(*keys));

    for (size_t i = 0; i < count; i++)
        keys[i] = (struct funcs_prometheus_sort_key){label_of(&args[1].list.v[i], args[0].s), i};
    if (count > 1)
        qsort(keys, count, sizeof(*keys), funcs_prometheus_by_key);
    for (size_t i = 0; i < count; i++)
        v[i] = args[1].list.v[keys[i].place];
    *out = tv_list(&tmpl_samples, v, count);
    return true;
}

/* -- the rest -- */

FUNC(f_args)
{
    struct tmpl_pair *v = arena_array(env->a, n + 1, sizeof(*v));

    for (size_t i = 0; i < n; i++)
        v[i] = (struct tmpl_pair){arena_printf(env->a, "arg%zu", i), args[i]};
    *out = tv_map(NULL, v, n);
    return true;
}

#define NUMBER_FUNC(name, print)                                                                   \
    FUNC(name)                                                                                     \
    {                                                                                              \
        struct buf b = BUF_INIT;                                                                   \
        double v;                                                                                  \
                                                                                                   \
        if (!tmpl_number(&args[0], &v, e))                                                         \
            return false;                                                                          \
        print(&b, v);                                                                              \
        return func_text(env, &b, out);                                                            \
    }
NUMBER_FUNC(f_humanize, humanize)
NUMBER_FUNC(f_humanize_1024, humanize_1024)
NUMBER_FUNC(f_humanize_percentage, humanize_percentage)

/* Unix seconds to a time of millisecond precision. */
static bool to_time(double v, ts_ns *out, struct err *e)
{
    double ns = v * 1e9;

    if (isnan(v) || isinf(v) || ns >= 9223372036854775807.0 || ns <= -9223372036854775807.0) {
        struct buf b = BUF_INIT;

        float_print_g(&b, v);
        err_set(e, ERR_INVALID,
                "%.*s cannot be represented as a nanoseconds timestamp since it overflows int64",
                STR(buf_str(&b)));
        buf_release(&b);
        return false;
    }
    *out = (ts_ns)floor(v * 1000) * NS_PER_MS;
    return true;
}

FUNC(f_to_time)
{
    double v;
    ts_ns t;

    if (!tmpl_number(&args[0], &v, e) || !to_time(v, &t, e))
        return false;
    *out = tv_time(t);
    return true;
}

FUNC(f_humanize_timestamp)
{
    struct buf b = BUF_INIT;
    struct tmpl_value t;
    double v;
    ts_ns at;

    if (!tmpl_number(&args[0], &v, e))
        return false;
    if (!isfinite(v)) {
        float_print_g(&b, v);
        return func_text(env, &b, out);
    }
    if (!to_time(v, &at, e))
        return false;
    t = tv_time(at);
    return tmpl_func_find(tmpl_builtin_funcs, S("print"))->fn(env, &t, 1, out, e);
}

FUNC(f_to_duration)
{
    double v;

    if (!tmpl_number(&args[0], &v, e))
        return false;
    if (!isfinite(v) || fabs(v) > 9.2e9)
        return err_set(e, ERR_INVALID, "%g cannot be represented as a nanoseconds duration", v);
    *out = tv_duration((dur_ns)(v * 1e9));
    return true;
}

FUNC(funcs_prometheus_f_now)
{
    /* NOLINTNEXTLINE(bugprone-integer-division): whole milliseconds, as there */
    *out = tv_float((double)(env->now / NS_PER_MS) / 1000);
    return true;
}

FUNC(funcs_prometheus_f_title)
{
    struct buf b = BUF_INIT;

    str_title(&b, args[0].s, false);
    return func_text(env, &b, out);
}

/* Go's net.SplitHostPort; host and port are slices of s. */
static bool split_host_port(str s, str *host_part, str *port)
{
    ptrdiff_t colon = -1;

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ':')
            colon = (ptrdiff_t)i;
    if (colon < 0)
        return false;
    *port = str_sub(s, (size_t)colon + 1, s.n);
    *host_part = str_sub(s, 0, (size_t)colon);
    if (s.p[0] == '[') {
        if (host_part->n < 2 || host_part->p[host_part->n - 1] != ']')
            return false;
        *host_part = str_sub(*host_part, 1, host_part->n - 1);
    } else if (str_find(*host_part, ':') >= 0) {
        return false;
    }
    return str_find(*host_part, '[') < 0 && str_find(*host_part, ']') < 0 &&
           str_find(*port, '[') < 0 && str_find(*port, ']') < 0;
}

FUNC(f_strip_port)
{
    str name, port;

    *out = tv_str(split_host_port(args[0].s, &name, &port) ? name : args[0].s);
    return true;
}

static bool is_ip(str s)
{
    int dots = 0;

    if (str_find(s, ':') >= 0)
        return true;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.')
            dots++;
        else if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return dots == 3;
}

FUNC(f_strip_domain)
{
    str name, port = STR_NONE;
    bool has_port = split_host_port(args[0].s, &name, &port);
    ptrdiff_t dot;

    if (!has_port)
        name = args[0].s;
    dot = str_find(name, '.');
    *out = args[0];
    if (is_ip(name) || dot < 0)
        return true;
    *out = tv_str(has_port ? arena_printf(env->a, "%.*s:%.*s", (int)dot, name.p, STR(port))
                           : str_sub(name, 0, (size_t)dot));
    return true;
}

FUNC(f_parse_duration)
{
    bool negative = str_starts_with(args[0].s, S("-"));
    dur_ns d;

    if (!duration_parse(str_sub(args[0].s, negative, args[0].s.n), &d, e))
        return false;
    *out = tv_float((negative ? -1 : 1) * (double)d / 1e9);
    return true;
}

static bool link_to(struct tmpl_env *env, str expr, int tab, struct tmpl_value *out)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "/graph?g0.expr=");
    escape_query(&b, expr);
    buf_addf(&b, "&g0.tab=%d", tab);
    return func_text(env, &b, out);
}

FUNC(f_graph_link)
{
    return link_to(env, args[0].s, 0, out);
}

FUNC(f_table_link)
{
    return link_to(env, args[0].s, 1, out);
}

FUNC(f_external_url)
{
    *out = tv_str(host(env)->external_url);
    return true;
}

FUNC(f_path_prefix)
{
    *out = tv_str(host(env)->path_prefix);
    return true;
}

FUNC(f_url_query_escape)
{
    struct buf b = BUF_INIT;

    escape_query(&b, args[0].s);
    return func_text(env, &b, out);
}

const struct tmpl_func tmpl_prometheus_funcs[] = {
    {"query", "s", f_query, "the samples of an instant query"},
    {"first", "q", funcs_prometheus_f_first, "the first element of a list"},
    {"label", "sv", f_label, "a label of a sample"},
    {"value", "v", f_value, "the value of a sample"},
    {"strvalue", "v", f_strvalue, "the label __value__ of a sample"},
    {"sortByLabel", "sq", f_sort_by_label, "samples in the order of a label"},
    {"args", "a*", f_args, "a map of the arguments: arg0, arg1, ..."},
    {"safeHtml", "s", func_safe_html, "trusted as HTML"},
    {"humanize", "a", f_humanize, "a number with k, M, G or m, u, n"},
    {"humanize1024", "a", f_humanize_1024, "a number with ki, Mi, Gi"},
    {"humanizeDuration", "a", func_humanize_duration, "seconds as 1h 2m 3s"},
    {"humanizePercentage", "a", f_humanize_percentage, "a ratio in percent"},
    {"humanizeTimestamp", "a", f_humanize_timestamp, "Unix seconds as a date"},
    {"toTime", "a", f_to_time, "Unix seconds as a time"},
    {"toDuration", "a", f_to_duration, "seconds as a duration"},
    {"now", "", funcs_prometheus_f_now, "the time of the evaluation in Unix seconds"},
    {"title", "s", funcs_prometheus_f_title, "each word with a capital letter"},
    {"toUpper", "s", func_to_upper, "text in capital letters"},
    {"toLower", "s", func_to_lower, "text in small letters"},
    {"match", "ss", func_match, "whether a pattern is found in text"},
    {"reReplaceAll", "sss", func_re_replace_all, "text with all matches of a pattern replaced"},
    {"stripPort", "s", f_strip_port, "a host without its port"},
    {"stripDomain", "s", f_strip_domain, "a host without its domain"},
    {"parseDuration", "s", f_parse_duration, "a Prometheus duration in seconds"},
    {"graphLink", "s", f_graph_link, "path of the graph of an expression"},
    {"tableLink", "s", f_table_link, "path of the table of an expression"},
    {"externalURL", "", f_external_url, "the external URL"},
    {"pathPrefix", "", f_path_prefix, "the path of the external URL"},
    {"urlQueryEscape", "s", f_url_query_escape, "escaped for a URL query"},
    {NULL, NULL, NULL, NULL},
};
