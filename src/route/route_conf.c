#include "route/route_conf.h"

#include "schema/schema.h"

/* -- matchers -- */

/* A matcher of match_re prints with the anchors that Alertmanager puts around it, also in a group's key. It matches what
 * the pattern alone does, which is compiled: it may be a set of words. */
static bool init_matcher(struct arena *a, struct matcher *m, enum match_op op,
                         const struct conf_pair *pair, struct err *e)
{
    if (!matcher_init(m, op, pair->name, pair->value, e))
        return false;
    if (op == MATCH_RE)
        m->value = arena_printf(a, MATCH_RE_ANCHORED, STR(pair->value));
    return true;
}

/* Adds what the deprecated maps say to ms, which stays sorted. */
static void add_map(struct conf_check *c, struct matchers *ms, const struct conf_map *map,
                    enum match_op op, const char *key)
{
    struct arena *a = conf_check_arena(c);
    struct matcher *v;

    if (map->n == 0)
        return;
    v = arena_array(a, ms->n + map->n, sizeof(*v));
    if (ms->n != 0)
        memcpy(v, ms->v, ms->n * sizeof(*v));
    ms->v = v;
    for (size_t i = 0; i < map->n; i++) {
        struct err e = ERR_INIT;

        if (!label_name_is_legacy(map->v[i].name))
            conf_error(c, key, "\"%.*s\" is not a label name", STR(map->v[i].name));
        else if (init_matcher(a, &ms->v[ms->n], op, &map->v[i], &e))
            ms->n++;
        else
            conf_error(c, key, "label \"%.*s\": %s", STR(map->v[i].name), e.msg);
    }
    matchers_sort(ms);
}

/* -- routes -- */

static void check_group_by(struct conf_check *c, struct route_conf *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_group_by; i++) {
        if (r->group_by[i].n == 0)
            conf_error(c, "group_by", "an empty name");
        if (str_is(r->group_by[i], "..."))
            r->group_by_all = true;
        else
            n++;
        for (size_t j = 0; j < i; j++)
            if (str_eq(r->group_by[i], r->group_by[j]))
                conf_error(c, "group_by", "\"%.*s\" stands twice", STR(r->group_by[i]));
    }
    if (r->group_by_all && n != 0)
        conf_error(c, "group_by", "\"...\" means all labels and cannot stand beside others");
    if (r->group_by_all)
        r->n_group_by = 0;
}

static void check_route(struct conf_check *c, void *obj)
{
    struct route_conf *r = obj;

    check_group_by(c, r);
    add_map(c, &r->matchers, &r->match, MATCH_EQ, "match");
    add_map(c, &r->matchers, &r->match_re, MATCH_RE, "match_re");
}

/* group_by is printed with its "..." again. */
static void print_group_by(struct conf_out *o, const void *member)
{
    const struct route_conf *r = container_of(member, struct route_conf, group_by);
    str all = S("...");
    struct conf_strings list = {r->group_by, r->n_group_by};

    if (r->group_by_all)
        list = (struct conf_strings){&all, 1};
    if (list.n == 0)
        return;
    conf_print_key(o, S("group_by"));
    conf_print_strings(o, &list);
}

static bool decode_group_by(struct conf_in *in, const struct yaml_node *node, void *member)
{
    const struct conf_key key = {.kind = CONF_LABEL_NAMES};

    return yaml_is_null(node) || conf_decode_scalar(in, &key, node, member);
}

static const struct conf_key route_keys[] = {
    CONF_KEY(struct route_conf, receiver, CONF_STRING, "receiver that gets what no child takes",
             .flags = CONF_INHERIT),
    CONF_KEY(struct route_conf, group_by, CONF_CUSTOM, "labels that make a group; '...' means all",
             .flags = CONF_INHERIT, .decode = decode_group_by, .print = print_group_by),
    CONF_KEY(struct route_conf, group_wait, CONF_DURATION,
             "wait before a new group's first message", .flags = CONF_INHERIT | CONF_PRINT_EMPTY),
    CONF_KEY(struct route_conf, group_interval, CONF_DURATION, "wait before a group's next message",
             .flags = CONF_INHERIT | CONF_NOT_ZERO),
    CONF_KEY(struct route_conf, repeat_interval, CONF_DURATION,
             "wait before an unchanged group is told again", .flags = CONF_INHERIT | CONF_NOT_ZERO),
    CONF_KEY(struct route_conf, match, CONF_STRING_MAP, "use \"matchers\"",
             .flags = CONF_DEPRECATED | CONF_UNPRINTED),
    CONF_KEY(struct route_conf, match_re, CONF_STRING_MAP, "use \"matchers\"",
             .flags = CONF_DEPRECATED | CONF_NO_NULLS | CONF_UNPRINTED),
    CONF_KEY(struct route_conf, matchers, CONF_MATCHERS, "what an alert must match"),
    CONF_KEY_AS("mute_time_intervals", struct route_conf, mute_intervals, CONF_STRINGS,
                "time intervals in which nothing is sent"),
    CONF_KEY_AS("active_time_intervals", struct route_conf, active_intervals, CONF_STRINGS,
                "time intervals outside of which nothing is sent"),
    CONF_KEY_AS("continue", struct route_conf, goes_on, CONF_BOOL,
                "also try the routes behind this one", .flags = CONF_PRINT_EMPTY),
    CONF_KEY(struct route_conf, labels, CONF_LABEL_MAP, "labels of the notification, templates",
             .flags = CONF_INHERIT | CONF_TEMPLATE_OK),
    CONF_KEY(struct route_conf, routes, CONF_LIST, "children, tried in order",
             .sub = &route_conf_type, .flags = CONF_NO_NULLS),
    CONF_KEYS_END,
};

const struct conf_type route_conf_type = {
    .name = "route",
    .doc = "Which receiver gets which alerts, and how they are grouped.",
    .keys = route_keys,
    .size = sizeof(struct route_conf),
    .place = CONF_AT(struct route_conf, place),
    .given = CONF_AT(struct route_conf, given),
    .check = check_route,
};

void route_conf_inherit(struct route_conf *r, struct arena *a)
{
    for (size_t i = 0; i < r->n_routes; i++) {
        struct route_conf *child = &r->routes[i];

        if (child->receiver.n == 0)
            child->receiver = r->receiver;
        if ((child->given & ROUTE_GROUP_BY) == 0) {
            child->group_by = r->group_by;
            child->n_group_by = r->n_group_by;
            child->group_by_all = r->group_by_all;
        }
        if ((child->given & ROUTE_GROUP_WAIT) == 0)
            child->group_wait = r->group_wait;
        if ((child->given & ROUTE_GROUP_INTERVAL) == 0)
            child->group_interval = r->group_interval;
        if ((child->given & ROUTE_REPEAT_INTERVAL) == 0)
            child->repeat_interval = r->repeat_interval;
        if (r->labels.n != 0)
            child->labels = conf_map_merge(a, &r->labels, &child->labels);
        route_conf_inherit(child, a);
    }
}

void route_conf_release(struct route_conf *r)
{
    matchers_release(&r->matchers);
    for (size_t i = 0; i < r->n_routes; i++)
        route_conf_release(&r->routes[i]);
}

/* -- inhibit rules -- */

static void check_inhibit(struct conf_check *c, void *obj)
{
    struct inhibit_conf *r = obj;

    add_map(c, &r->source, &r->source_match, MATCH_EQ, "source_match");
    add_map(c, &r->source, &r->source_match_re, MATCH_RE, "source_match_re");
    add_map(c, &r->target, &r->target_match, MATCH_EQ, "target_match");
    add_map(c, &r->target, &r->target_match_re, MATCH_RE, "target_match_re");
}

static const struct conf_key inhibit_keys[] = {
    CONF_KEY(struct inhibit_conf, name, CONF_STRING, "name, for messages"),
    CONF_KEY(struct inhibit_conf, source_match, CONF_STRING_MAP, "use \"source_matchers\"",
             .flags = CONF_DEPRECATED | CONF_UNPRINTED),
    CONF_KEY(struct inhibit_conf, source_match_re, CONF_STRING_MAP, "use \"source_matchers\"",
             .flags = CONF_DEPRECATED | CONF_NO_NULLS | CONF_UNPRINTED),
    CONF_KEY_AS("source_matchers", struct inhibit_conf, source, CONF_MATCHERS,
                "alerts that inhibit"),
    CONF_KEY(struct inhibit_conf, target_match, CONF_STRING_MAP, "use \"target_matchers\"",
             .flags = CONF_DEPRECATED | CONF_UNPRINTED),
    CONF_KEY(struct inhibit_conf, target_match_re, CONF_STRING_MAP, "use \"target_matchers\"",
             .flags = CONF_DEPRECATED | CONF_NO_NULLS | CONF_UNPRINTED),
    CONF_KEY_AS("target_matchers", struct inhibit_conf, target, CONF_MATCHERS,
                "alerts that are inhibited"),
    CONF_KEY(struct inhibit_conf, equal, CONF_LABEL_NAMES,
             "labels that must have the same value on both sides", .flags = CONF_NO_NULLS),
    CONF_KEYS_END,
};

const struct conf_type inhibit_conf_type = {
    .name = "inhibit_rule",
    .doc = "While a source fires, the targets with the same `equal` labels are not told about.",
    .keys = inhibit_keys,
    .size = sizeof(struct inhibit_conf),
    .place = CONF_AT(struct inhibit_conf, place),
    .given = CONF_AT(struct inhibit_conf, given),
    .check = check_inhibit,
};

void inhibit_conf_release(struct inhibit_conf *r)
{
    matchers_release(&r->source);
    matchers_release(&r->target);
}

struct labels route_conf_templates(const struct conf_map *m, struct arena *a)
{
    struct label *v = arena_array(a, m->n, sizeof(*v));
    size_t n;
    str dup;

    for (size_t i = 0; i < m->n; i++)
        v[i] = (struct label){m->v[i].name, m->v[i].value};
    n = labels_sort_keep(v, m->n, &dup);
    return (struct labels){v, n != SIZE_MAX ? n : 0};
}
