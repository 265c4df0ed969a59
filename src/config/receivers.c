/* Receivers: each with its entries, kind by kind, and what an entry says whatever its kind. One of one name in several
 * files is one.
 */
#include "config/config_priv.h"

#include <stdlib.h>

/* At most so many messages in any span. */
struct entry_pace {
    int64_t messages, burst;
    dur_ns per;
};

/* What every kind's entry may say besides its own keys. */
struct entry_common {
    enum conf_tristate send_resolved, digest;
    struct http_conf *http_config;
    CONF_LIST_OF(struct entry_pace) pace;
};

static const struct conf_key pace_keys[] = {
    CONF_KEY(struct entry_pace, messages, CONF_INT, "so many, 0 = no limit", .max = 1000000,
             .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct entry_pace, per, CONF_DURATION, "in any such span", .text = "1m",
             .flags = CONF_NOT_ZERO),
    CONF_KEY(
        struct entry_pace, burst, CONF_INT,
        "so many at once, and so many a span on average; 0 = never more than messages in a span",
        .max = 1000000),
    CONF_KEYS_END,
};
static const struct conf_type pace_type = {.name = "pace",
                                           .doc = "What the service takes.",
                                           .keys = pace_keys,
                                           .size = sizeof(struct entry_pace)};

#define SHAPE_KEYS                                                                                 \
    CONF_KEY(struct entry_common, pace, CONF_LIST,                                                 \
             "what the service takes, in place of what is known of it; all of them hold",          \
             .sub = &pace_type, .flags = CONF_NO_NULLS | CONF_UNPRINTED),                          \
        CONF_KEY(struct entry_common, digest, CONF_TRISTATE,                                       \
                 "what waits may go in one message; as the service can", .flags = CONF_UNPRINTED)

static const struct conf_key common_keys[] = {
    CONF_KEY(struct entry_common, send_resolved, CONF_TRISTATE,
             "also tell when alerts are resolved", .flags = CONF_EMPTY_IS_NO),
    CONF_KEY(struct entry_common, http_config, CONF_STRUCT_PTR, "HTTP client",
             .sub = &http_conf_type, CONF_GLOBAL(http_config)),
    SHAPE_KEYS,
    CONF_KEYS_END,
};
static const struct conf_type common_type = {
    .name = "integration", .keys = common_keys, .size = sizeof(struct entry_common)};

static const struct conf_key common_plain_keys[] = {
    CONF_KEY(struct entry_common, send_resolved, CONF_TRISTATE,
             "also tell when alerts are resolved", .flags = CONF_EMPTY_IS_NO),
    SHAPE_KEYS,
    CONF_KEYS_END,
};
static const struct conf_type common_plain_type = {.name = "integration_without_http",
                                                   .keys = common_plain_keys,
                                                   .size = sizeof(struct entry_common)};

const struct conf_type *receiver_common_type(const struct receiver_type *type)
{
    return type->uses_http ? &common_type : &common_plain_type;
}

/* -- decoding -- */

static bool receivers_accept(struct conf_in *in, const struct yaml_node *node, void *member)
{
    (void)in, (void)node, (void)member; /* decode_kinds() reads it */
    return true;
}

static const struct conf_key budget_keys[] = {
    CONF_KEY(struct receiver_budget, per_day, CONF_INT, "so many messages a day (UTC), 0 = any",
             .max = INT64_MAX),
    CONF_KEY(struct receiver_budget, then, CONF_STRING, "the receiver that gets what is more",
             .flags = CONF_REQUIRED),
    CONF_KEYS_END,
};
static const struct conf_type budget_type = {.name = "budget",
                                             .doc = "What a receiver may cost.",
                                             .keys = budget_keys,
                                             .size = sizeof(struct receiver_budget)};

/* name, labels, and one key a kind, so that a wrong one gets the nearest as help. */
const struct conf_type *receiver_type_table(struct arena *a)
{
    const struct conf_key fixed[] = {
        CONF_KEY(struct receiver_conf, name, CONF_STRING, "name, for routes",
                 .flags = CONF_REQUIRED),
        CONF_KEY(struct receiver_conf, labels, CONF_LABEL_MAP, "labels of the receiver"),
        CONF_KEY(struct receiver_conf, fallback, CONF_STRING,
                 "the receiver that is told when this one cannot be"),
        CONF_KEY(struct receiver_conf, budget, CONF_STRUCT, "for what costs", .sub = &budget_type),
    };
    struct conf_type *type = arena_new(a, struct conf_type);
    struct conf_key *keys;
    size_t n = 0;

    while (receiver_types[n] != NULL)
        n++;
    keys = arena_array(a, ARRAY_LEN(fixed) + n + 1, sizeof(*keys));
    memcpy(keys, fixed, sizeof(fixed));
    for (size_t i = 0; i < n; i++) {
        const struct conf_key row = {.name = receiver_types[i]->config_key,
                                     .kind = CONF_CUSTOM,
                                     .decode = receivers_accept,
                                     .sub = receiver_types[i]->conf,
                                     .beside = receiver_common_type(receiver_types[i]),
                                     .json = CONF_JSON_LIST,
                                     .doc = receiver_types[i]->doc};

        memcpy(&keys[ARRAY_LEN(fixed) + i], &row, sizeof(row));
    }
    *type = (struct conf_type){.name = "receiver",
                               .doc = "Who is told, and how.",
                               .keys = keys,
                               .size = sizeof(struct receiver_conf),
                               .place = CONF_AT(struct receiver_conf, place)};
    return type;
}

static void receivers_check_entry(const struct conf_in *in, const struct yaml_node *node,
                                  struct integration_conf *ic)
{
    const struct global_conf *global = in->above;
    const struct conf_part part = {in->doc, node};
    struct conf_check c = conf_check_of(in, &part, 1);
    struct receiver_view view = {.global = global, .has_http_config = ic->has_own_http};

    if (ic->has_own_http && ic->type->inherits_proxy && ic->http->proxy_url.n == 0 &&
        !ic->http->proxy_from_environment)
        ic->http->proxy_url = global->http_config->proxy_url;
    view.has_http_authorization = ic->http->has_authorization;
    if (ic->type->check != NULL)
        ic->type->check(ic->conf, &view, &c);
}

static void receivers_shape(const struct conf_in *in, const struct yaml_node *node,
                            const struct entry_common *common, struct integration_conf *ic)
{
    ic->digests = common->digest == CONF_UNSET ? (ic->type->can & CAN_DIGEST) != 0
                                               : common->digest == CONF_YES;
    /* a kind of Alertmanager's shortens as it does, unless it is asked for more */
    ic->splits =
        (ic->type->can & CAN_SPLIT) != 0 && (ic->type->is_ours || common->digest == CONF_YES);
    ic->pace = ic->type->pace;
    if (common->pace.n == 0)
        return;
    if (common->pace.n > PACE_LIMITS)
        conf_complain(in, yaml_get(node, S("pace")), DIAG_ERROR, "C009", "at most %d limits",
                      PACE_LIMITS);
    memset(ic->pace.limits, 0, sizeof(ic->pace.limits));
    for (size_t i = 0, k = 0; i < common->pace.n && k < PACE_LIMITS; i++)
        if (common->pace.v[i].messages != 0)
            ic->pace.limits[k++] =
                (struct pace_limit){(unsigned)common->pace.v[i].messages, common->pace.v[i].per,
                                    (unsigned)common->pace.v[i].burst};
}

/* in->above: the struct global_conf. */
bool receivers_decode_entry(const struct conf_in *in, const struct yaml_node *node,
                            const struct receiver_type *type, struct integration_conf *ic)
{
    const struct global_conf *global = in->above;
    struct entry_common common;
    struct conf_layer layers[2];

    *ic = (struct integration_conf){.type = type, .place = yaml_place(in->doc, node)};
    ic->conf = arena_zalloc(in->run->a, type->conf->size);
    layers[0] = (struct conf_layer){receiver_common_type(type), &common, global};
    layers[1] = (struct conf_layer){type->conf, ic->conf, global};
    if (yaml_is_null(node)) {
        conf_complain(in, node, DIAG_ERROR, "C001", "empty entry");
        conf_defaults(in->run, type->conf, ic->conf);
        return false;
    }
    if (!conf_decode_node(in, node, layers, 2))
        return false;
    ic->send_resolved = common.send_resolved == CONF_UNSET ? type->send_resolved_default
                                                           : common.send_resolved == CONF_YES;
    ic->http = type->uses_http ? common.http_config : global->http_config;
    ic->has_own_http = ic->http != global->http_config;
    receivers_shape(in, node, &common, ic);
    receivers_check_entry(in, node, ic);
    return true;
}

static size_t count_entries(const struct yaml_node *node)
{
    size_t n = 0;

    for (size_t i = 0; receiver_types[i] != NULL; i++) {
        const struct yaml_node *list = yaml_get(node, str_of(receiver_types[i]->config_key));

        n += list != NULL && list->kind == YAML_LIST ? list->n : 0;
    }
    return n;
}

static bool decode_kinds(const struct conf_in *in, const struct yaml_node *node,
                         struct receiver_conf *r)
{
    bool ok = true;

    r->integrations = arena_array(in->run->a, count_entries(node), sizeof(r->integrations[0]));
    for (size_t i = 0; receiver_types[i] != NULL; i++) {
        const struct yaml_node *list = yaml_get(node, str_of(receiver_types[i]->config_key));
        struct conf_in at = conf_enter(in, str_of(receiver_types[i]->config_key));

        if (yaml_is_null(list))
            continue;
        if (!conf_want_list(&at, list)) {
            ok = false;
            continue;
        }
        for (size_t j = 0; j < list->n; j++) {
            struct conf_in item = conf_enter_item(&at, j);

            if (receivers_decode_entry(&item, list->items[j], receiver_types[i],
                                       &r->integrations[r->n_integrations]))
                r->n_integrations++;
            else
                ok = false;
        }
    }
    return ok;
}

/* Each receiver has the label "name", which is its own. */
static bool complete_labels(const struct conf_in *in, const struct yaml_node *node,
                            struct receiver_conf *r)
{
    struct conf_pair *v = arena_array(in->run->a, r->labels.n + 1, sizeof(*v));
    size_t n = 0;
    bool ok = true;

    v[n++] = (struct conf_pair){S("name"), r->name};
    for (size_t i = 0; i < r->labels.n; i++) {
        if (!str_is(r->labels.v[i].name, "name")) {
            v[n++] = r->labels.v[i];
        } else if (!str_eq(r->labels.v[i].value, r->name)) {
            conf_complain(in, yaml_get(node, S("labels")), DIAG_ERROR, "C009",
                          "label \"name\" is the receiver's name and cannot be \"%.*s\"",
                          STR(r->labels.v[i].value));
            ok = false;
        }
    }
    qsort(v, n, sizeof(*v), conf_pair_order);
    r->labels = (struct conf_map){v, n};
    return ok;
}

bool receivers_decode(struct conf_in *in, const struct yaml_node *node, void *member)
{
    struct receiver_parts *all = member;
    struct arena *a = in->run->a;
    const struct conf_type *type;
    bool ok = true;

    if (yaml_is_null(node))
        return true;
    if (!conf_want_list(in, node))
        return false;
    in->above = &container_of(all, struct config_top, receivers)->global.receivers;
    type = receiver_type_table(a);
    all->v = arena_copy(a, all->v, all->n, all->n + node->n, sizeof(all->v[0]));
    for (size_t i = 0; i < node->n; i++) {
        struct conf_in item = conf_enter_item(in, i);
        struct receiver_part *r = &all->v[all->n++];
        struct conf_layer layer = {type, &r->conf, NULL};

        r->doc = in->doc;
        ok &= conf_decode_node(&item, node->items[i], &layer, 1);
        ok &= complete_labels(&item, node->items[i], &r->conf);
        ok &= decode_kinds(&item, node->items[i], &r->conf);
    }
    return ok;
}

/* -- finishing -- */

static void number_integrations(struct receiver_conf *r)
{
    for (size_t i = 0; i < r->n_integrations; i++)
        for (size_t j = 0; j < i; j++)
            r->integrations[i].index += r->integrations[j].type == r->integrations[i].type;
}

/* Appends from's integrations to into's. */
static void receivers_join(struct arena *a, struct receiver_conf *into,
                           const struct receiver_conf *from)
{
    size_t n = into->n_integrations, m = from->n_integrations;
    struct integration_conf *v = arena_copy(a, into->integrations, n, n + m, sizeof(*v));

    if (m != 0)
        memcpy(v + n, from->integrations, m * sizeof(*v));
    into->integrations = v;
    into->n_integrations = n + m;
}

static void join_names(struct conf_run *run, struct receiver_parts *all)
{
    struct str_map seen = {0};
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++) {
        struct receiver_part *r = &all->v[i], *first;
        void **hit = str_map_get(&seen, r->conf.name);
        struct diag *g;

        if (hit == NULL) {
            all->v[n] = *r;
            str_map_put(&seen, all->v[n].conf.name, (void *)(uintptr_t)(n + 1));
            n++;
            continue;
        }
        first = &all->v[(uintptr_t)*hit - 1];
        if (first->doc != r->doc) {
            receivers_join(run->a, &first->conf, &r->conf);
            if (r->conf.fallback.n != 0)
                first->conf.fallback = r->conf.fallback;
            if (r->conf.budget.then.n != 0)
                first->conf.budget = r->conf.budget;
            continue;
        }
        g = diags_add(run->d, DIAG_ERROR, "C009", r->conf.place, "receiver \"%.*s\" stands twice",
                      STR(r->conf.name));
        diag_second(run->d, g, first->conf.place);
    }
    all->n = n;
    str_map_release(&seen);
}

void receivers_finish(struct conf_run *run, struct config_top *top, struct config *c)
{
    struct receiver_parts *all = &top->receivers;

    join_names(run, all);
    c->receivers = arena_array(run->a, all->n, sizeof(c->receivers[0]));
    for (size_t i = 0; i < all->n; i++) {
        number_integrations(&all->v[i].conf);
        c->receivers[c->n_receivers++] = all->v[i].conf;
    }
}

/* -- printing -- */

static void print_integration(struct conf_out *o, const struct integration_conf *ic)
{
    struct entry_common common = {.send_resolved = ic->send_resolved ? CONF_YES : CONF_NO,
                                  .http_config = ic->http};
    struct conf_layer layers[] = {{receiver_common_type(ic->type), &common, NULL},
                                  {ic->type->conf, ic->conf, NULL}};

    conf_print_item(o);
    conf_print_layers(o, layers, 2);
    conf_print_item_end(o);
}

static void print_kind(struct conf_out *o, const struct receiver_conf *r,
                       const struct receiver_type *type)
{
    bool any = false;

    for (size_t i = 0; i < r->n_integrations && !type->is_ours; i++) {
        if (r->integrations[i].type != type)
            continue;
        if (!any) {
            conf_print_key(o, str_of(type->config_key));
            buf_addc(o->out, '\n');
        }
        any = true;
        print_integration(o, &r->integrations[i]);
    }
}

static const struct conf_key head_keys[] = {
    CONF_KEY(struct receiver_conf, name, CONF_STRING, "name"),
    CONF_KEY(struct receiver_conf, labels, CONF_LABEL_MAP, "labels"),
    CONF_KEYS_END,
};
static const struct conf_type head_type = {
    .name = "receiver", .keys = head_keys, .size = sizeof(struct receiver_conf)};

void receivers_print(struct conf_out *o, const void *member)
{
    const struct receiver_parts *all = member;

    if (all->n == 0)
        return;
    conf_print_key(o, S("receivers"));
    buf_addc(o->out, '\n');
    for (size_t i = 0; i < all->n; i++) {
        conf_print_item(o);
        conf_print_layers(o, &(struct conf_layer){&head_type, &all->v[i].conf, NULL}, 1);
        for (size_t t = 0; receiver_types[t] != NULL; t++)
            print_kind(o, &all->v[i].conf, receiver_types[t]);
        conf_print_item_end(o);
    }
}
