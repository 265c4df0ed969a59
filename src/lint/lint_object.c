/* The object's tree is written into that of a configuration, each node at its place, and read by the same tables. What its routes
 * name is looked up here, so that a wrong name hides nothing else.
 */
#include "lint/lint_object.h"

#include "config/config.h"
#include "lint/lint_config.h"
#include "lint/lint_messages.h"
#include "lint/lint_near.h"
#include "lint/object_tree.h"

static bool object_says(const struct yaml_node *root, const char *key, str *out)
{
    const struct yaml_node *n = yaml_get(root, str_of(key));

    *out = n != NULL && n->kind == YAML_SCALAR ? n->text : STR_NONE;
    return out->n != 0;
}

bool lint_object_is(const struct yaml_node *root)
{
    str kind, version;

    return object_says(root, "kind", &kind) && str_is(kind, "AlertmanagerConfig") &&
           object_says(root, "apiVersion", &version) &&
           str_starts_with(version, S("monitoring.coreos.com/"));
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

/* -- all -- */

static void object_checks(const struct config *c, struct arena *a, struct diags *d)
{
    if (c->route != NULL) {
        if (c->route->receiver.n == 0)
            diags_add(d, DIAG_ERROR, "C003", c->route->place,
                      "route: the first route needs a \"receiver\"");
        see_receiver(c, d, c->route);
        see_intervals(c, d, c->route);
    }
    lint_config_checks(c, a, d);
    lint_near(c, a, d);
    lint_messages(c, false, d);
}

static void lint_spec(const struct yaml_doc *doc, const struct yaml_node *spec, bool is_beta,
                      struct arena *a, struct diags *d)
{
    const struct config_options o = {.mode = MATCHER_FALLBACK, .is_part = true};
    struct conf_run run = {.a = a, .d = d};
    size_t errors = d->errors;
    const struct yaml_node *root = object_tree(&run, doc, spec, is_beta);
    size_t said = d->n;
    struct config *c = config_load_tree(doc, root, &o, d);

    if (c != NULL && d->errors == errors)
        object_checks(c, a, d);
    config_unref(c);
    for (size_t i = said; i < d->n; i++) {
        d->v[i].message = object_words(d->v[i].message, is_beta, &d->text);
        d->v[i].help = object_words(d->v[i].help, is_beta, &d->text);
    }
}

void lint_object(const struct yaml_doc *doc, struct arena *a, struct diags *d)
{
    const struct yaml_node *spec = yaml_get(doc->root, S("spec"));
    str version;

    (void)object_says(doc->root, "apiVersion", &version);
    if (spec != NULL && spec->kind == YAML_MAP)
        lint_spec(doc, spec, str_ends_with(version, S("/v1beta1")), a, d);
    else
        diags_add(d, DIAG_ERROR, "C003", yaml_place(doc, doc->root),
                  "an AlertmanagerConfig without \"spec\"");
}
