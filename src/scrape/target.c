#include "scrape/target.h"

#include "base/hash.h"
#include "base/vec.h"
#include "codec/duration.h"
#include "codec/escape.h"
#include "model/labels.h"

/* -- labels -- */

struct target_draft {
    struct arena *a;
    VEC(struct label) v;
};

static bool target_has(const struct target_draft *d, str name)
{
    VEC_EACH (const struct label *, l, &d->v)
        if (str_eq(l->name, name))
            return l->value.n != 0;
    return false;
}

static void target_set_default(struct target_draft *d, str name, str value)
{
    if (!target_has(d, name))
        vec_push(&d->v, (struct label){name, value});
}

static str duration_text(struct arena *a, dur_ns d)
{
    struct buf b = BUF_INIT;
    str text;

    duration_print(&b, d);
    text = arena_str(a, buf_str(&b));
    buf_release(&b);
    return text;
}

static struct labels target_finish(struct target_draft *d)
{
    struct label *v = arena_array(d->a, d->v.n, sizeof(*v));
    struct labels ls = {v, 0};
    str dup;

    for (size_t i = 0; i < d->v.n; i++)
        if (d->v.v[i].value.n != 0)
            v[ls.n++] = d->v.v[i];
    ls.n = labels_sort(v, ls.n, &dup);
    vec_release(&d->v);
    return ls;
}

static struct labels with_defaults(const struct scrape_conf *c, struct labels found,
                                   struct arena *a)
{
    struct target_draft d = {.a = a};

    LABELS_EACH (l, found)
        vec_push(&d.v, *l);
    target_set_default(&d, S("job"), c->job_name);
    target_set_default(&d, S("__scrape_interval__"), duration_text(a, c->common.interval));
    target_set_default(&d, S("__scrape_timeout__"), duration_text(a, c->common.timeout));
    target_set_default(&d, S("__metrics_path__"), c->metrics_path);
    target_set_default(&d, S("__scheme__"), c->scheme);
    for (size_t i = 0; i < c->params.n; i++)
        if (c->params.v[i].values.n != 0)
            target_set_default(&d, arena_printf(a, "__param_%.*s", STR(c->params.v[i].name)),
                               c->params.v[i].values.v[0]);
    return target_finish(&d);
}

/* What samples get: names that begin with __ are for the scraper only. */
static struct labels public_labels(struct labels ls, str address, struct arena *a)
{
    struct target_draft d = {.a = a};

    LABELS_EACH (l, ls)
        if (!str_starts_with(l->name, S("__")))
            vec_push(&d.v, *l);
    target_set_default(&d, S("instance"), address);
    return target_finish(&d);
}

/* -- the URL -- */

/* Parameters sorted by name; the first value of each comes from the label when there is one. */
static void add_params(struct buf *url, const struct scrape_conf *c, struct labels ls,
                       struct arena *a)
{
    static const str prefix = S_INIT("__param_");
    VEC(struct label) v = VEC_INIT;

    LABELS_EACH (l, ls)
        if (str_starts_with(l->name, prefix))
            vec_push(&v, (struct label){str_sub(l->name, prefix.n, l->name.n), l->value});
    for (size_t i = 0; i < c->params.n; i++) {
        const struct scrape_param *p = &c->params.v[i];
        str label = arena_printf(a, "__param_%.*s", STR(p->name));

        for (size_t j = labels_has(ls, label) ? 1 : 0; j < p->values.n; j++)
            vec_push(&v, (struct label){p->name, p->values.v[j]});
    }
    /* values of one name keep their order: sorting is by insertion, lists are short */
    for (size_t i = 1; i < v.n; i++)
        for (size_t j = i; j != 0 && label_order(&v.v[j - 1], &v.v[j]) > 0; j--) {
            struct label x = v.v[j];

            v.v[j] = v.v[j - 1];
            v.v[j - 1] = x;
        }
    for (size_t i = 0; i < v.n; i++) {
        buf_addc(url, i == 0 ? '?' : '&');
        escape_query(url, v.v[i].name);
        buf_addc(url, '=');
        escape_query(url, v.v[i].value);
    }
    vec_release(&v);
}

/* A path is a path: what would begin a query or a fragment is escaped. */
static void target_add_path(struct buf *url, str path)
{
    if (path.n == 0 || path.p[0] != '/')
        buf_addc(url, '/');
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];

        if (c <= ' ' || c == '?' || c == '#' || c >= 127)
            buf_addf(url, "%%%02X", c);
        else
            buf_addc(url, path.p[i]);
    }
}

static str make_url(const struct scrape_conf *c, struct labels ls, struct arena *a)
{
    struct buf url = BUF_INIT;
    str text;

    buf_add(&url, labels_get(ls, S("__scheme__")));
    buf_adds(&url, "://");
    buf_add(&url, labels_get(ls, S("__address__")));
    target_add_path(&url, labels_get(ls, S("__metrics_path__")));
    add_params(&url, c, ls, a);
    text = arena_str(a, buf_str(&url));
    buf_release(&url);
    return text;
}

/* -- all of it -- */

static bool target_read_time(struct labels ls, str name, dur_ns *out, struct err *e)
{
    str text = labels_get(ls, name);

    if (!duration_parse(text, out, e))
        return err_wrap(e, "label \"%.*s\"", STR(name));
    return *out > 0 || err_set(e, ERR_INVALID, "label \"%.*s\" must not be 0", STR(name));
}

bool target_plan(const struct scrape_conf *conf, struct labels found, struct arena *a,
                 struct target_plan *out, struct err *e)
{
    struct labels ls;
    str address, scheme;

    out->discovered = with_defaults(conf, found, a);
    if (!relabel(&conf->relabel_configs, out->discovered, a, &ls))
        return false;
    address = labels_get(ls, S("__address__"));
    scheme = labels_get(ls, S("__scheme__"));
    if (address.n == 0)
        return err_set(e, ERR_INVALID, "no address");
    if (str_find(address, '/') >= 0)
        return err_set(e, ERR_INVALID, "\"%.*s\" is not a valid hostname", STR(address));
    if (!str_is(scheme, "http") && !str_is(scheme, "https"))
        return err_set(e, ERR_INVALID, "scheme \"%.*s\" is neither http nor https", STR(scheme));
    if (!target_read_time(ls, S("__scrape_interval__"), &out->interval, e) ||
        !target_read_time(ls, S("__scrape_timeout__"), &out->timeout, e))
        return false;
    if (out->timeout > out->interval)
        return err_set(e, ERR_INVALID, "the scrape timeout is longer than the interval");
    out->labels = public_labels(ls, address, a);
    out->url = make_url(conf, ls, a);
    out->key = fnv1a_str(labels_fingerprint(out->labels), out->url);
    out->key = fnv1a_str(fnv1a_byte(out->key, 0), conf->job_name);
    return true;
}

/* -- formats -- */

static const struct protocol {
    const char *name, *type;
    bool has_escaping;
    enum expo_format format;
} protocols[] = {
    {"OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0", true, EXPO_OPENMETRICS},
    {"OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1", false, EXPO_OPENMETRICS},
    {"PrometheusText1.0.0", "text/plain;version=1.0.0", true, EXPO_TEXT},
    {"PrometheusText0.0.4", "text/plain;version=0.0.4", false, EXPO_TEXT},
};

static const struct protocol *protocol(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (str_is(name, protocols[i].name))
            return &protocols[i];
    return NULL; /* protobuf: not read here, so not asked for */
}

static void add_protocol(struct buf *out, const struct scrape_conf *c, const struct protocol *p,
                         int *weight)
{
    str escaping = c->common.name_escaping;

    if (p == NULL)
        return;
    if (escaping.n == 0)
        escaping =
            str_is(c->common.name_validation, "legacy") ? S("underscores") : S("allow-utf-8");
    buf_addf(out, "%s", p->type);
    if (p->has_escaping)
        buf_addf(out, ";escaping=%.*s", STR(escaping));
    buf_addf(out, ";q=0.%d,", (*weight)--);
}

str target_accept(const struct scrape_conf *conf, struct arena *a)
{
    struct buf b = BUF_INIT;
    int weight = 6; /* Prometheus counts down from the number of protocols that it knows, and one */
    str text;

    for (size_t i = 0; i < conf->common.protocols.n; i++)
        add_protocol(&b, conf, protocol(conf->common.protocols.v[i]), &weight);
    for (size_t i = 0; conf->common.protocols.n == 0 && i < ARRAY_LEN(protocols); i++)
        add_protocol(&b, conf, &protocols[i], &weight);
    buf_addf(&b, "*/*;q=0.%d", weight);
    text = arena_str(a, buf_str(&b));
    buf_release(&b);
    return text;
}

bool target_format(const struct scrape_conf *conf, str content_type, enum expo_format *out,
                   struct err *e)
{
    const struct protocol *fallback = protocol(conf->fallback_protocol);
    str rest = content_type, type = str_trim(str_cut(&rest, ';'));

    if (str_eq_nocase(type, S("text/plain")))
        *out = EXPO_TEXT;
    else if (str_eq_nocase(type, S("application/openmetrics-text")))
        *out = EXPO_OPENMETRICS;
    else if (fallback != NULL)
        *out = fallback->format;
    else
        return err_set(e, ERR_INVALID,
                       content_type.n == 0
                           ? "the answer has no Content-Type and fallback_scrape_protocol is not "
                             "set"
                           : "the answer's Content-Type \"%.*s\" is not known and "
                             "fallback_scrape_protocol is not set",
                       STR(content_type));
    return true;
}
