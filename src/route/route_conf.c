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

static void check_group_by(struct conf_check *c, const struct conf_strings *by)
{
    bool has_all = false;

    for (size_t i = 0; i < by->n; i++) {
        if (by->v[i].n == 0)
            conf_error(c, "group_by", "an empty name");
        has_all |= str_is(by->v[i], "...");
        for (size_t j = 0; j < i; j++)
            if (str_eq(by->v[i], by->v[j]))
                conf_error(c, "group_by", "\"%.*s\" stands twice", STR(by->v[i]));
    }
    if (has_all && by->n != 1)
        conf_error(c, "group_by", "\"...\" means all labels and cannot stand beside others");
}

static void route_conf_check_route(struct conf_check *c, void *obj)
{
    struct route_conf *r = obj;

    if (CONF_GIVEN(route_conf_type, r, group_by))
        check_group_by(c, &r->group_by);
    r->group_by_all = r->group_by.n == 1 && str_is(r->group_by.v[0], "...");
    add_map(c, &r->matchers, &r->match, MATCH_EQ, "match");
    add_map(c, &r->matchers, &r->match_re, MATCH_RE, "match_re");
}

static const char *const digest_instants[] = {"window_start", NULL};
static const struct conf_key digest_keys[] = {
    CONF_KEY(struct route_digest, at, CONF_WORD,
             "window_start: when its time intervals let it speak", .words = digest_instants,
             .flags = CONF_REQUIRED),
    CONF_KEY(struct route_digest, jitter, CONF_DURATION,
             "up to so much later, in whole minutes, by receiver"),
    CONF_KEYS_END,
};
static const struct conf_type digest_type = {.name = "route_digest",
                                             .doc = "One message of what happened meanwhile.",
                                             .keys = digest_keys,
                                             .size = sizeof(struct route_digest)};

/* A key that children inherit. */
#define INHERITED(member, kind, flags_, doc, ...)                                                  \
    CONF_KEY(struct route_conf, member, kind, doc, CONF_INHERIT(struct route_conf, member),        \
             .flags = (flags_) | CONF_PRINT_GIVEN, ##__VA_ARGS__)

static const struct conf_key route_keys[] = {
    INHERITED(receiver, CONF_STRING, 0, "receiver that gets what no child takes"),
    INHERITED(group_by, CONF_LABEL_NAMES, 0, "labels that make a group; '...' means all"),
    INHERITED(group_wait, CONF_DURATION, CONF_PRINT_EMPTY,
              "wait before a new group's first message", .text = "30s"),
    INHERITED(group_interval, CONF_DURATION, CONF_NOT_ZERO, "wait before a group's next message",
              .text = "5m"),
    INHERITED(repeat_interval, CONF_DURATION, CONF_NOT_ZERO,
              "wait before an unchanged group is told again", .text = "4h"),
    CONF_KEY(struct route_conf, match, CONF_STRING_MAP, "use \"matchers\"",
             .flags = CONF_DEPRECATED | CONF_UNPRINTED),
    CONF_KEY(struct route_conf, match_re, CONF_STRING_MAP, "use \"matchers\"",
             .flags = CONF_DEPRECATED | CONF_NO_NULLS | CONF_UNPRINTED),
    CONF_KEY(struct route_conf, matchers, CONF_MATCHERS, "what an alert must match"),
    CONF_KEY_AS("mute_time_intervals", struct route_conf, mute_intervals, CONF_STRINGS,
                "time intervals in which nothing is sent"),
    CONF_KEY_AS("active_time_intervals", struct route_conf, active_intervals, CONF_STRINGS,
                "time intervals outside of which nothing is sent"),
    CONF_KEY(
        struct route_conf, digest, CONF_STRUCT,
        "when time intervals let the route speak again: one message of what fires and what ended",
        .sub = &digest_type, .flags = CONF_UNPRINTED),
    CONF_KEY_AS("continue", struct route_conf, goes_on, CONF_BOOL,
                "also try the routes behind this one", .flags = CONF_PRINT_EMPTY),
    INHERITED(labels, CONF_LABEL_MAP, CONF_TEMPLATE_OK, "labels of the notification, templates"),
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
    .check = route_conf_check_route,
};

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
    .check = check_inhibit,
};

void inhibit_conf_release(struct inhibit_conf *r)
{
    matchers_release(&r->source);
    matchers_release(&r->target);
}

struct labels route_conf_templates(const struct conf_map *labels, struct arena *a)
{
    struct label *v = arena_array(a, labels->n, sizeof(*v));
    size_t n;
    str dup;

    for (size_t i = 0; i < labels->n; i++)
        v[i] = (struct label){labels->v[i].name, labels->v[i].value};
    n = labels_sort_keep(v, labels->n, &dup);
    return (struct labels){v, n != SIZE_MAX ? n : 0};
}
