/* Tables of fields and methods for the objects that templates see, each with getters that build lists and maps when
 * asked; and the same data read from the JSON of a webhook, for rendering by hand. */
#include "notify/template_data.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/vec.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "model/labels.h"
#include "notify/readable.h"
#include "tocsin/conf.h"

#define FUNC(name)                                                                                 \
    static bool name(is_unused struct tmpl_env *env, is_unused const struct tmpl_value *args,      \
                     is_unused size_t n, struct tmpl_value *out, is_unused struct err *e)

/* -- KV and Pairs -- */

static const struct tmpl_type kv_type, pairs_type, pair_type, alert_type, alerts_type, data_type;

static void pair_name(struct tmpl_env *env, const void *object, struct tmpl_value *out)
{
    (void)env;
    *out = tv_str(((const struct tmpl_pair *)object)->key);
}

static void pair_value(struct tmpl_env *env, const void *object, struct tmpl_value *out)
{
    (void)env;
    *out = ((const struct tmpl_pair *)object)->value;
}

static const struct tmpl_field pair_fields[] = {
    {"Name", NULL, pair_name}, {"Value", NULL, pair_value}, {NULL, NULL, NULL}};
static const struct tmpl_type pair_type = {.name = "template.Pair", .fields = pair_fields};

static struct tmpl_value text_list(struct tmpl_env *env, const struct tmpl_pair *const *v, size_t n,
                                   bool values)
{
    str *all = arena_array(env->a, n, sizeof(*all));

    for (size_t i = 0; i < n; i++)
        all[i] = values ? v[i]->value.s : v[i]->key;
    return tv_strings(env->a, all, n);
}

/* The pairs of a map with alertname first. */
static const struct tmpl_pair **template_data_sorted(struct tmpl_env *env,
                                                     const struct tmpl_value *kv)
{
    const struct tmpl_pair **v = arena_array(env->a, kv->map.n, sizeof(*v));
    size_t k = 0;

    for (size_t i = 0; i < kv->map.n; i++)
        if (str_is(kv->map.v[i].key, "alertname"))
            v[k++] = &kv->map.v[i];
    for (size_t i = 0; i < kv->map.n; i++)
        if (!str_is(kv->map.v[i].key, "alertname"))
            v[k++] = &kv->map.v[i];
    return v;
}

static const struct tmpl_pair **pairs_of(struct tmpl_env *env, const struct tmpl_value *list)
{
    const struct tmpl_pair **v = arena_array(env->a, list->list.n, sizeof(*v));

    for (size_t i = 0; i < list->list.n; i++)
        v[i] = list->list.v[i].object;
    return v;
}

static void join_pairs(struct buf *out, const struct tmpl_pair *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "%s%.*s=%.*s", i != 0 ? ", " : "", STR(v[i]->key), STR(v[i]->value.s));
}

FUNC(kv_sorted_pairs)
{
    const struct tmpl_pair **v = template_data_sorted(env, &args[0]);
    struct tmpl_value *all = arena_array(env->a, args[0].map.n, sizeof(*all));

    for (size_t i = 0; i < args[0].map.n; i++)
        all[i] = tv_object(&pair_type, v[i]);
    *out = tv_list(&pairs_type, all, args[0].map.n);
    return true;
}

FUNC(kv_remove)
{
    const struct tmpl_value *map = &args[0];
    bool *drop = arena_array(env->a, map->map.n, sizeof(*drop));
    struct tmpl_pair *v = arena_array(env->a, map->map.n, sizeof(*v));
    size_t k = 0;

    for (size_t j = 0; j < args[1].list.n; j++) {
        const struct tmpl_pair *hit = tv_map_pair(map, args[1].list.v[j].s);

        if (hit != NULL)
            drop[hit - map->map.v] = true;
    }
    for (size_t i = 0; i < map->map.n; i++)
        if (!drop[i])
            v[k++] = map->map.v[i];
    *out = (struct tmpl_value){.kind = TV_MAP, .type = &kv_type, .map = {v, k, NULL}};
    return true;
}

FUNC(kv_names)
{
    *out = text_list(env, template_data_sorted(env, &args[0]), args[0].map.n, false);
    return true;
}

FUNC(kv_values)
{
    *out = text_list(env, template_data_sorted(env, &args[0]), args[0].map.n, true);
    return true;
}

FUNC(kv_string)
{
    struct buf b = BUF_INIT;

    join_pairs(&b, template_data_sorted(env, &args[0]), args[0].map.n);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

static void kv_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    join_pairs(out, template_data_sorted(env, v), v->map.n);
}

static const struct tmpl_func kv_methods[] = {
    {"SortedPairs", "", kv_sorted_pairs, "the pairs, alertname first"},
    {"Remove", "l", kv_remove, "without the given names"},
    {"Names", "", kv_names, "the names"},
    {"Values", "", kv_values, "the values"},
    {"String", "", kv_string, "k=v, k=v"},
    {NULL, NULL, NULL, NULL},
};
static const struct tmpl_type kv_type = {
    .name = "template.KV", .methods = kv_methods, .text = kv_text, .elem = TV_STRING};

FUNC(pairs_names)
{
    *out = text_list(env, pairs_of(env, &args[0]), args[0].list.n, false);
    return true;
}

FUNC(pairs_values)
{
    *out = text_list(env, pairs_of(env, &args[0]), args[0].list.n, true);
    return true;
}

FUNC(pairs_string)
{
    struct buf b = BUF_INIT;

    join_pairs(&b, pairs_of(env, &args[0]), args[0].list.n);
    *out = tv_copy_buf(env->a, &b);
    return true;
}

static void pairs_text(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    join_pairs(out, pairs_of(env, v), v->list.n);
}

static const struct tmpl_func pairs_methods[] = {
    {"Names", "", pairs_names, "the names"},
    {"Values", "", pairs_values, "the values"},
    {"String", "", pairs_string, "k=v, k=v"},
    {NULL, NULL, NULL, NULL},
};
static const struct tmpl_type pairs_type = {
    .name = "template.Pairs", .methods = pairs_methods, .text = pairs_text};

/* -- alerts -- */

#define FIELD(name, type, expr)                                                                    \
    static void name(is_unused struct tmpl_env *env, const void *object, struct tmpl_value *out)   \
    {                                                                                              \
        const struct type *o = object;                                                             \
                                                                                                   \
        *out = expr;                                                                               \
    }
FIELD(a_status, notified_alert, tv_str(o->is_resolved ? S("resolved") : S("firing")))
FIELD(a_labels, notified_alert, tv_labels(env->a, &kv_type, o->labels))
FIELD(a_annotations, notified_alert, tv_labels(env->a, &kv_type, o->annotations))
FIELD(a_starts_at, notified_alert, tv_local_time(env, o->starts_at))
FIELD(a_ends_at, notified_alert, tv_local_time(env, o->ends_at))
FIELD(a_generator_url, notified_alert, tv_str(o->generator_url))
FIELD(a_fingerprint, notified_alert,
      tv_str(arena_printf(env->a, "%016llx", (unsigned long long)o->fingerprint)))

static const struct tmpl_field alert_fields[] = {
    {"Status", "status", a_status},
    {"Labels", "labels", a_labels},
    {"Annotations", "annotations", a_annotations},
    {"StartsAt", "startsAt", a_starts_at},
    {"EndsAt", "endsAt", a_ends_at},
    {"GeneratorURL", "generatorURL", a_generator_url},
    {"Fingerprint", "fingerprint", a_fingerprint},
    {NULL, NULL, NULL},
};

/* A method: an alert that is printed or becomes JSON looks like Alertmanager's. */
FUNC(alert_change)
{
    const struct notified_alert *a = args[0].object;

    *out = tv_str(str_of(a != NULL ? alert_change_text(a->change) : ""));
    return true;
}

static const struct tmpl_func alert_methods[] = {
    {"Change", "", alert_change, "added, unchanged or resolved, against the last message"},
    {NULL, NULL, NULL, NULL},
};
static const struct tmpl_type alert_type = {
    .name = "template.Alert", .fields = alert_fields, .methods = alert_methods};

static struct tmpl_value alerts_where(struct tmpl_env *env, const struct tmpl_value *list,
                                      bool is_resolved)
{
    struct tmpl_value *v = arena_array(env->a, list->list.n, sizeof(*v));
    size_t k = 0;

    for (size_t i = 0; i < list->list.n; i++)
        if (((const struct notified_alert *)list->list.v[i].object)->is_resolved == is_resolved)
            v[k++] = list->list.v[i];
    return tv_list(&alerts_type, v, k);
}

FUNC(alerts_firing)
{
    *out = alerts_where(env, &args[0], false);
    return true;
}

FUNC(alerts_resolved)
{
    *out = alerts_where(env, &args[0], true);
    return true;
}

static const struct tmpl_func alerts_methods[] = {
    {"Firing", "", alerts_firing, "the alerts that fire"},
    {"Resolved", "", alerts_resolved, "the alerts that are resolved"},
    {NULL, NULL, NULL, NULL},
};
static const struct tmpl_type alerts_type = {.name = "template.Alerts", .methods = alerts_methods};

static struct tmpl_value all_alerts(struct tmpl_env *env, const struct template_data *d)
{
    struct tmpl_value *v = arena_array(env->a, d->n_alerts, sizeof(*v));

    for (size_t i = 0; i < d->n_alerts; i++)
        v[i] = tv_object(&alert_type, &d->alerts[i]);
    return tv_list(&alerts_type, v, d->n_alerts);
}

/* -- the root -- */

FIELD(d_receiver, template_data, tv_str(o->receiver))
FIELD(d_status, template_data, tv_str(o->status))
FIELD(d_alerts, template_data, all_alerts(env, o))
FIELD(d_reason, template_data, tv_str(o->reason))
FIELD(d_group_labels, template_data, tv_labels(env->a, &kv_type, o->group_labels))
FIELD(d_common_labels, template_data, tv_labels(env->a, &kv_type, o->common_labels))
FIELD(d_common_annotations, template_data, tv_labels(env->a, &kv_type, o->common_annotations))
FIELD(d_route_labels, template_data, tv_labels(env->a, &kv_type, o->route_labels))
FIELD(d_external_url, template_data, tv_str(o->external_url))

static const struct tmpl_field data_fields[] = {
    {"Receiver", "receiver", d_receiver},
    {"Status", "status", d_status},
    {"Alerts", "alerts", d_alerts},
    {"NotificationReason", "notification_reason", d_reason},
    {"GroupLabels", "groupLabels", d_group_labels},
    {"CommonLabels", "commonLabels", d_common_labels},
    {"CommonAnnotations", "commonAnnotations", d_common_annotations},
    {"RouteLabels", "routeLabels", d_route_labels},
    {"ExternalURL", "externalURL", d_external_url},
    {NULL, NULL, NULL},
};
FIELD(d_at_mobiles, template_data, tv_strings(env->a, o->at_mobiles->v, o->at_mobiles->n))

/* With what the DingTalk bridge has besides. */
static const struct tmpl_field robot_fields[] = {
    {"Receiver", "receiver", d_receiver},
    {"Status", "status", d_status},
    {"Alerts", "alerts", d_alerts},
    {"GroupLabels", "groupLabels", d_group_labels},
    {"CommonLabels", "commonLabels", d_common_labels},
    {"CommonAnnotations", "commonAnnotations", d_common_annotations},
    {"ExternalURL", "externalURL", d_external_url},
    {"AtMobiles", "atMobiles", d_at_mobiles},
    {"NotificationReason", "notification_reason", d_reason},
    {"RouteLabels", "routeLabels", d_route_labels},
    {NULL, NULL, NULL},
};

/* Methods, as with an alert's: the data look like Alertmanager's. Those from elsewhere tell of alerts, in one part. */
FUNC(data_act)
{
    const struct template_data *d = args[0].object;

    *out = d->n != NULL ? tv_str(str_of(notify_act_text(d->n->act))) : tv_str(d->status);
    return true;
}

FUNC(data_actors)
{
    const struct template_data *d = args[0].object;

    *out =
        tv_strings(env->a, d->n != NULL ? d->n->actors : NULL, d->n != NULL ? d->n->n_actors : 0);
    return true;
}

FUNC(data_part)
{
    const struct template_data *d = args[0].object;

    *out = tv_int(d->n != NULL && d->n->n_parts > 1 ? d->n->part : 1);
    return true;
}

FUNC(data_parts)
{
    const struct template_data *d = args[0].object;

    *out = tv_int(d->n != NULL && d->n->n_parts > 1 ? d->n->n_parts : 1);
    return true;
}

FUNC(data_late)
{
    const struct template_data *d = args[0].object;

    *out = tv_bool(d->n != NULL && d->n->is_late);
    return true;
}

/* The part of a digest that is one group's. */
static const struct notification *group_part(struct arena *a, const struct notification *n,
                                             const struct notified_group *g)
{
    struct notification *one = arena_new(a, struct notification);

    *one = *n;
    one->act = ACT_FIRING;
    one->groups = NULL;
    one->n_groups = 0;
    one->group_key = g->group_key;
    one->group_labels = g->group_labels;
    one->alerts = n->alerts + g->first;
    one->n_alerts = g->n_alerts;
    one->n_firing = 0;
    for (size_t i = 0; i < g->n_alerts; i++)
        one->n_firing += !one->alerts[i].is_resolved;
    notification_set_act(one);
    if (n->as_it_was != NULL)
        one->as_it_was = group_part(a, n->as_it_was, g);
    return one;
}

static struct template_data *data_group(struct arena *a, const struct template_data *d,
                                        const struct notified_group *g)
{
    struct template_data *data = arena_new(a, struct template_data);

    template_data_of(a, group_part(a, d->n, g), d->external_url, data);
    data->at_mobiles = d->at_mobiles;
    data->is_chinese = d->is_chinese;
    return data;
}

struct tmpl_value template_data_groups(struct tmpl_env *env, const struct template_data *d)
{
    size_t count = d->n != NULL ? d->n->n_groups : 0;
    struct tmpl_value *all = arena_array(env->a, count + 1, sizeof(*all));

    all[0] = template_data_value(d);
    for (size_t i = 0; i < count; i++)
        all[i] = template_data_value(data_group(env->a, d, &d->n->groups[i]));
    return tv_list(NULL, all, count != 0 ? count : 1);
}

FUNC(data_groups)
{
    *out = template_data_groups(env, args[0].object);
    return true;
}

FUNC(data_in)
{
    return readable_in(env, args[0].object, args[1].s, out, e);
}

static const struct tmpl_func data_methods[] = {
    {"Act", "", data_act, "firing, resolved, acked, update, digest, test or drill"},
    {"Actors", "", data_actors, "who acked or changed it"},
    {"Part", "", data_part, "which of several messages this is, from 1"},
    {"Parts", "", data_parts, "how many there are, mostly 1"},
    {"Late", "", data_late, "whether it has waited for longer than notifications.max_age"},
    {"Groups", "", data_groups, "of a digest, each group as data of its own"},
    {"In", "s", data_in, "as people want to read it, in the markup of one service"},
    {NULL, NULL, NULL, NULL},
};
static const struct tmpl_type robot_data_type = {
    .name = "*template.Data", .fields = robot_fields, .methods = data_methods};
static const struct tmpl_type data_type = {
    .name = "*template.Data", .fields = data_fields, .methods = data_methods};
static const struct tmpl_type plain_data_type = {
    .name = "template.Data", .fields = data_fields, .methods = data_methods};

struct tmpl_value template_data_value(const struct template_data *d)
{
    return tv_object(d->at_mobiles != NULL ? &robot_data_type
                     : d->is_plain         ? &plain_data_type
                                           : &data_type,
                     d);
}

struct labels template_data_route_labels(const struct tmpl_value *v)
{
    if (v->kind != TV_OBJECT ||
        (v->type != &data_type && v->type != &plain_data_type && v->type != &robot_data_type))
        return LABELS_NONE;
    return ((const struct template_data *)v->object)->route_labels;
}

static struct labels template_data_common(struct arena *a, const struct notification *n,
                                          bool annotations)
{
    struct labels first = n->n_alerts == 0 ? LABELS_NONE
                          : annotations    ? n->alerts[0].annotations
                                           : n->alerts[0].labels;
    struct label *v = arena_array(a, first.n, sizeof(*v));
    size_t k = 0;

    LABELS_EACH (l, first) {
        bool same = true;

        for (size_t i = 1; i < n->n_alerts && same; i++) {
            struct labels ls = annotations ? n->alerts[i].annotations : n->alerts[i].labels;

            same = labels_has(ls, l->name) && str_eq(labels_get(ls, l->name), l->value);
        }
        if (same)
            v[k++] = *l;
    }
    return (struct labels){v, k};
}

void template_data_of(struct arena *a, const struct notification *n, str external_url,
                      struct template_data *out)
{
    struct buf name = BUF_INIT;

    for (size_t i = 0; i < n->receiver.n; i++) {
        if (str_find(S("\\.+*?()|[]{}^$"), n->receiver.p[i]) >= 0)
            buf_addc(&name, '\\');
        buf_addc(&name, n->receiver.p[i]);
    }
    *out = (struct template_data){
        .receiver = arena_str(a, buf_str(&name)),
        .status = n->n_firing != 0 ? S("firing") : S("resolved"),
        .external_url = external_url,
        .reason = str_of(notification_why(n)),
        .alerts = n->alerts,
        .n_alerts = n->n_alerts,
        .group_labels = n->group_labels,
        .common_labels = template_data_common(a, n, false),
        .common_annotations = template_data_common(a, n, true),
        .route_labels = n->route_labels,
        .n = n,
    };
    buf_release(&name);
}

/* -- from JSON -- */

static struct labels template_data_read_labels(struct json_reader *r)
{
    VEC(struct label) v = VEC_INIT;
    struct label *kept, l;
    size_t n;

    if (json_peek(r) == JSON_NULL) {
        json_null(r);
        return LABELS_NONE;
    }
    for (json_object_begin(r); json_object_next(r, &l.name);)
        if (json_string(r, &l.value))
            vec_push(&v, l);
    v.n = labels_sort_last(v.v, v.n);
    kept = arena_copy(r->a, v.v, v.n, v.n, sizeof(*kept));
    n = v.n;
    vec_release(&v);
    return (struct labels){kept, n};
}

static void template_data_read_time(struct json_reader *r, ts_ns *out)
{
    struct err e = ERR_INIT;
    str text;

    if (json_string(r, &text) && !rfc3339_parse(text, out, &e))
        json_fail(r, "%s", e.msg);
}

static void template_data_read_alert(struct json_reader *r, struct notified_alert *a)
{
    str key, text;

    *a = (struct notified_alert){.starts_at = TS_NONE, .ends_at = TS_NONE};
    for (json_object_begin(r); json_object_next(r, &key);) {
        if (json_key_is(key, "labels")) {
            a->labels = template_data_read_labels(r);
        } else if (json_key_is(key, "annotations")) {
            a->annotations = template_data_read_labels(r);
        } else if (json_key_is(key, "startsAt")) {
            template_data_read_time(r, &a->starts_at);
        } else if (json_key_is(key, "endsAt")) {
            template_data_read_time(r, &a->ends_at);
        } else if (json_key_is(key, "generatorURL")) {
            json_string(r, &a->generator_url);
        } else if (json_key_is(key, "status")) {
            if (json_string(r, &text))
                a->is_resolved = str_is(text, "resolved");
        } else if (json_key_is(key, "fingerprint")) {
            a->fingerprint = 0;
            if (json_string(r, &text))
                for (size_t i = 0; i < text.n; i++)
                    a->fingerprint = a->fingerprint << 4 |
                                     (uint64_t)(text.p[i] <= '9' ? text.p[i] - '0'
                                                                 : (text.p[i] | 0x20) - 'a' + 10);
        } else {
            json_skip(r);
        }
    }
}

static void read_alerts(struct json_reader *r, struct template_data *d)
{
    VEC(struct notified_alert) v = VEC_INIT;
    struct notified_alert *kept;

    for (json_array_begin(r); json_array_next(r);) {
        struct notified_alert a;

        template_data_read_alert(r, &a);
        vec_push(&v, a);
    }
    kept = arena_array(r->a, v.n, sizeof(*kept));
    if (v.n != 0)
        memcpy(kept, v.v, v.n * sizeof(*kept));
    d->alerts = kept;
    d->n_alerts = v.n;
    vec_release(&v);
}

bool template_data_from_json(struct arena *a, str text, struct template_data *out, struct err *e)
{
    struct template_data d = {.is_plain = true};
    const struct {
        const char *key;
        str *text;
        struct labels *labels;
    } keys[] = {
        {"receiver", &d.receiver, NULL},
        {"status", &d.status, NULL},
        {"externalURL", &d.external_url, NULL},
        {"notification_reason", &d.reason, NULL},
        {"groupLabels", NULL, &d.group_labels},
        {"commonLabels", NULL, &d.common_labels},
        {"commonAnnotations", NULL, &d.common_annotations},
        {"routeLabels", NULL, &d.route_labels},
    };
    struct json_reader r;
    str key;

    json_reader_init(&r, text, a, 64);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        size_t i = 0;

        while (i < ARRAY_LEN(keys) && !json_key_is(key, keys[i].key))
            i++;
        if (json_key_is(key, "alerts"))
            read_alerts(&r, &d);
        else if (i == ARRAY_LEN(keys))
            json_skip(&r);
        else if (keys[i].text != NULL)
            json_string(&r, keys[i].text);
        else
            *keys[i].labels = template_data_read_labels(&r);
    }
    if (!json_end(&r))
        return err_set(e, ERR_INVALID, "%d:%d: %s", r.err.line, r.err.col, r.err.msg);
    *out = d;
    return true;
}

struct template_data template_data_example(struct arena *a)
{
    static const struct label labels[] = {{S_INIT("alertname"), S_INIT("AlertNameExample")},
                                          {S_INIT("severity"), S_INIT("warning")}};
    struct notified_alert *alert = arena_new(a, struct notified_alert);

    *alert = (struct notified_alert){.labels = {labels, 2},
                                     .starts_at = 1735689600 * NS_PER_S,
                                     .ends_at = TS_NONE,
                                     .generator_url = S("http://localhost:9090"),
                                     .fingerprint = 0x1234abcd};
    return (struct template_data){.receiver = S("receiver"),
                                  .status = S("firing"),
                                  .external_url = S("http://localhost:9093"),
                                  .alerts = alert,
                                  .n_alerts = 1,
                                  .group_labels = {labels, 1},
                                  .common_labels = {labels, 2},
                                  .is_plain = true};
}
