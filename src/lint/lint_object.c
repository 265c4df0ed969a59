/* The object's tree is written into that of a configuration, each node at its place, and read by the same tables. */
#include "lint/lint_object.h"

#include "config/config.h"
#include "lint/lint_config.h"
#include "lint/lint_near.h"
#include "route/route_conf.h"
#include "schema/schema.h"

struct object_conf {
    struct route_conf *route;
    CONF_LIST_OF(struct inhibit_conf) inhibit_rules;
};

static const struct conf_key object_keys[] = {
    CONF_KEY(struct object_conf, route, CONF_STRUCT_PTR, "the routing tree",
             .sub = &route_conf_type),
    CONF_KEY(struct object_conf, inhibit_rules, CONF_LIST, "which alerts keep others back",
             .sub = &inhibit_conf_type),
    CONF_KEYS_END,
};

static const struct conf_type object_type = {.name = "alertmanager_config",
                                             .doc = "The spec of an AlertmanagerConfig.",
                                             .keys = object_keys,
                                             .size = sizeof(struct object_conf)};

bool lint_object_is(const struct yaml_node *root)
{
    const struct yaml_node *kind = yaml_get(root, S("kind")),
                           *version = yaml_get(root, S("apiVersion"));

    return kind != NULL && kind->kind == YAML_SCALAR && str_is(kind->text, "AlertmanagerConfig") &&
           version != NULL && version->kind == YAML_SCALAR &&
           str_starts_with(version->text, S("monitoring.coreos.com/"));
}

/* -- the tree -- */

static void rename_key(struct yaml_node *map, const char *from, const char *to)
{
    for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++)
        if (str_is(map->pairs[i].key->text, from))
            map->pairs[i].key->text = str_of(to);
}

static str text_of(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *n = yaml_get(map, str_of(key));

    return n != NULL && n->kind == YAML_SCALAR ? n->text : S("");
}

/* {name: a, value: b, matchType: "=~"} is a=~"b"; of v1alpha1 also regex: true. */
static void write_matcher(struct yaml_node *n, struct arena *a)
{
    str op = text_of(n, "matchType");
    struct buf b = BUF_INIT;

    if (n->kind != YAML_MAP)
        return;
    if (op.n == 0)
        op = str_is(text_of(n, "regex"), "true") ? S("=~") : S("=");
    buf_addf(&b, "%.*s%.*s\"", STR(text_of(n, "name")), STR(op));
    for (str v = text_of(n, "value"); v.n != 0; v = str_sub(v, 1, v.n)) {
        if (*v.p == '"' || *v.p == '\\')
            buf_adds(&b, "\\");
        buf_add(&b, str_sub(v, 0, 1));
    }
    buf_adds(&b, "\"");
    n->kind = YAML_SCALAR;
    n->style = YAML_QUOTED;
    n->text = arena_str(a, buf_str(&b));
    buf_release(&b);
}

static void write_matchers(const struct yaml_node *map, const char *key, struct arena *a)
{
    struct yaml_node *list = yaml_get(map, str_of(key));

    for (size_t i = 0; list != NULL && list->kind == YAML_LIST && i < list->n; i++)
        write_matcher(list->items[i], a);
}

static void write_route(struct yaml_node *n, struct arena *a)
{
    static const char *const names[][2] = {{"groupBy", "group_by"},
                                           {"groupWait", "group_wait"},
                                           {"groupInterval", "group_interval"},
                                           {"repeatInterval", "repeat_interval"},
                                           {"muteTimeIntervals", "mute_time_intervals"},
                                           {"activeTimeIntervals", "active_time_intervals"}};
    struct yaml_node *routes;

    if (n->kind != YAML_MAP)
        return;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        rename_key(n, names[i][0], names[i][1]);
    write_matchers(n, "matchers", a);
    routes = yaml_get(n, S("routes"));
    for (size_t i = 0; routes != NULL && routes->kind == YAML_LIST && i < routes->n; i++)
        write_route(routes->items[i], a);
}

static void write_inhibition(struct yaml_node *n, struct arena *a)
{
    rename_key(n, "sourceMatch", "source_matchers");
    rename_key(n, "targetMatch", "target_matchers");
    write_matchers(n, "source_matchers", a);
    write_matchers(n, "target_matchers", a);
}

/* What the tables read: routes and inhibition. */
static struct yaml_node *written_spec(struct yaml_node *spec, struct arena *a)
{
    struct yaml_node *out = arena_copy(a, spec, 1, 1, sizeof(*spec));
    size_t n = 0;

    rename_key(spec, "inhibitRules", "inhibit_rules");
    out->pairs = arena_array(a, spec->n, sizeof(*out->pairs));
    for (size_t i = 0; i < spec->n; i++) {
        const struct yaml_pair *p = &spec->pairs[i];

        if (str_is(p->key->text, "route"))
            write_route(p->value, a);
        else if (str_is(p->key->text, "inhibit_rules"))
            for (size_t k = 0; p->value->kind == YAML_LIST && k < p->value->n; k++)
                write_inhibition(p->value->items[k], a);
        else
            continue;
        out->pairs[n++] = *p;
    }
    out->n = n;
    return out;
}

/* -- names -- */

static void see_receiver(const struct config *c, struct diags *d, const struct route_conf *r)
{
    const str *hit;
    str *names = mem_array(c->n_receivers + 1, sizeof(*names));
    bool is_there = r->receiver.n == 0;

    for (size_t i = 0; i < c->n_receivers; i++) {
        names[i] = c->receivers[i].name;
        if (str_eq(names[i], r->receiver))
            is_there = c->receivers[i].is_used = true;
    }
    hit = str_nearest(r->receiver, names, c->n_receivers);
    if (!is_there) {
        struct diag *g = diags_add(d, DIAG_ERROR, "C006", r->place,
                                   "route: receiver \"%.*s\" is not defined", STR(r->receiver));

        if (hit != NULL)
            diag_help(d, g, "did you mean \"%.*s\"?", STR(*hit));
    }
    mem_free(names);
    for (size_t i = 0; i < r->n_routes; i++)
        see_receiver(c, d, &r->routes[i]);
}

static bool has_interval(const struct config *c, str name)
{
    for (size_t i = 0; i < c->n_time_intervals; i++)
        if (str_eq(c->time_intervals[i].name, name))
            return true;
    return false;
}

static void see_intervals(const struct config *c, struct diags *d, const struct route_conf *r)
{
    for (size_t i = 0; i < r->n_mute_intervals + r->n_active_intervals; i++) {
        str name = i < r->n_mute_intervals ? r->mute_intervals[i]
                                           : r->active_intervals[i - r->n_mute_intervals];

        if (!has_interval(c, name))
            diags_add(d, DIAG_ERROR, "C006", r->place,
                      "route: time interval \"%.*s\" is not defined", STR(name));
    }
    for (size_t i = 0; i < r->n_routes; i++)
        see_intervals(c, d, &r->routes[i]);
}

/* -- words -- */

/* "group_wait" as the object has it: "groupWait". */
static str in_camel_case(str text, struct arena *a)
{
    char *out = arena_array(a, text.n + 1, 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '_' && i + 1 < text.n && text.p[i + 1] >= 'a' && text.p[i + 1] <= 'z')
            out[n++] = (char)(text.p[++i] - 'a' + 'A');
        else
            out[n++] = text.p[i];
    return (str){out, n};
}

/* What the tables say of their keys is said of the object's. */
static void say_in_camel_case(struct diags *d, size_t from)
{
    for (size_t i = from; i < d->n; i++) {
        struct diag *g = &d->v[i];

        g->message = in_camel_case(g->message, &d->text);
        g->help = in_camel_case(g->help, &d->text);
        g->fix = in_camel_case(g->fix, &d->text);
    }
}

/* -- all -- */

static void object_names(struct config *c, const struct yaml_doc *doc, const struct yaml_node *spec,
                         struct arena *a)
{
    const struct yaml_node *receivers = yaml_get(spec, S("receivers")),
                           *times = yaml_get(spec, S("muteTimeIntervals"));

    if (times == NULL)
        times = yaml_get(spec, S("timeIntervals"));
    if (receivers != NULL && receivers->kind == YAML_LIST) {
        c->receivers = arena_array(a, receivers->n, sizeof(*c->receivers));
        for (size_t i = 0; i < receivers->n; i++)
            c->receivers[c->n_receivers++] =
                (struct receiver_conf){.name = text_of(receivers->items[i], "name"),
                                       .place = yaml_place(doc, receivers->items[i])};
    }
    if (times != NULL && times->kind == YAML_LIST) {
        c->time_intervals = arena_array(a, times->n, sizeof(*c->time_intervals));
        for (size_t i = 0; i < times->n; i++)
            c->time_intervals[c->n_time_intervals++] =
                (struct time_interval_conf){.name = text_of(times->items[i], "name"),
                                            .place = yaml_place(doc, times->items[i])};
    }
}

static void object_checks(const struct config *c, struct arena *a, struct diags *d)
{
    if (c->route != NULL) {
        see_receiver(c, d, c->route);
        see_intervals(c, d, c->route);
    }
    lint_config_checks(c, a, d);
    lint_near(c, a, d);
}

static void lint_spec(const struct yaml_doc *doc, struct yaml_node *spec, struct arena *a,
                      struct diags *d)
{
    struct conf_run run = {.a = a, .d = d, .mode = MATCHER_FALLBACK};
    struct config *c = arena_new(a, struct config);
    struct object_conf o = {0};
    struct conf_part part = {doc, written_spec(spec, a)};
    size_t said = d->n;
    bool is_read;

    *c = (struct config){0};
    object_names(c, doc, spec, a);
    is_read = conf_decode(&run, &part, 1, (struct conf_layer){&object_type, &o, NULL});
    say_in_camel_case(d, said);
    c->route = o.route;
    c->inhibit_rules = o.inhibit_rules.v;
    c->n_inhibit_rules = o.inhibit_rules.n;
    if (is_read)
        object_checks(c, a, d);
    if (c->route != NULL)
        route_conf_release(c->route);
    for (size_t i = 0; i < c->n_inhibit_rules; i++) {
        matchers_release(&c->inhibit_rules[i].source);
        matchers_release(&c->inhibit_rules[i].target);
    }
}

void lint_object(const struct yaml_doc *doc, struct arena *a, struct diags *d)
{
    struct yaml_node *spec = yaml_get(doc->root, S("spec"));

    if (spec != NULL && spec->kind == YAML_MAP)
        lint_spec(doc, spec, a, d);
    else
        diags_add(d, DIAG_ERROR, "C003", yaml_place(doc, doc->root),
                  "an AlertmanagerConfig without \"spec\"");
}
