/* What only the whole configuration shows: names that routes use, rules of the root, sources of rule files. */
#include "config/config_priv.h"

struct names {
    struct config *c;
    struct conf_run *run;
    struct str_map receivers, intervals; /* name -> index + 1 */
};

static struct diag *config_check_complain(struct conf_run *run, struct diag_place place,
                                          const char *id, const char *what, str name)
{
    return diags_add(run->d, DIAG_ERROR, id, place, "%s \"%.*s\" is not defined", what, STR(name));
}

static void check_suggest(struct conf_run *run, struct diag *g, const struct str_map *known,
                          str name)
{
    VEC(str) names = VEC_INIT;
    const str *hit;

    MAP_EACH (struct str_map_entry, e, known)
        vec_push(&names, e->key);
    hit = str_nearest(name, names.v, names.n);
    if (hit != NULL)
        diag_help(run->d, g, "did you mean \"%.*s\"?", STR(*hit));
    vec_release(&names);
}

/* -- routes -- */

static void check_intervals(struct names *n, const struct route_conf *r, const str *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_map_get(&n->intervals, v[i]) == NULL)
            check_suggest(n->run,
                          config_check_complain(n->run, r->place, "C006", "time interval", v[i]),
                          &n->intervals, v[i]);
}

/* Who is told in place of another one. */
static void check_instead(struct names *n, const struct receiver_conf *r, str name)
{
    void **hit = str_map_get(&n->receivers, name);

    if (name.n == 0)
        return;
    if (hit != NULL)
        n->c->receivers[(uintptr_t)*hit - 1].is_used = true;
    else
        check_suggest(n->run, config_check_complain(n->run, r->place, "C006", "receiver", name),
                      &n->receivers, name);
}

/* Adds whoever is told in place of that one, once each. reached: a mark a receiver. */
static void check_reach(const struct names *n, const struct receiver_conf *r, bool *reached)
{
    const str instead[] = {r->fallback, r->budget.then};

    for (size_t i = 0; i < ARRAY_LEN(instead); i++) {
        void **hit = str_map_get(&n->receivers, instead[i]);
        size_t at = hit != NULL ? (uintptr_t)*hit - 1 : 0;

        if (hit == NULL || reached[at])
            continue;
        reached[at] = true;
        check_reach(n, &n->c->receivers[at], reached);
    }
}

/* Falling back must come to an end. */
static void check_fallbacks(struct names *n)
{
    bool *reached = mem_array(n->c->n_receivers, sizeof(*reached));

    for (size_t i = 0; i < n->c->n_receivers; i++) {
        const struct receiver_conf *r = &n->c->receivers[i];

        check_instead(n, r, r->fallback);
        check_instead(n, r, r->budget.then);
        if (r->fallback.n + r->budget.then.n == 0)
            continue;
        memset(reached, 0, n->c->n_receivers * sizeof(*reached));
        check_reach(n, r, reached);
        if (reached[i])
            diags_add(n->run->d, DIAG_ERROR, "C009", r->place,
                      "receiver \"%.*s\": its fallbacks lead in a ring", STR(r->name));
    }
    mem_free(reached);
}

static void check_check_route(struct names *n, struct route_conf *r)
{
    void **hit = str_map_get(&n->receivers, r->receiver);

    if (hit != NULL)
        n->c->receivers[(uintptr_t)*hit - 1].is_used = true;
    else if (r->receiver.n != 0)
        check_suggest(n->run,
                      config_check_complain(n->run, r->place, "C006", "receiver", r->receiver),
                      &n->receivers, r->receiver);
    check_intervals(n, r, r->mute_intervals, r->n_mute_intervals);
    check_intervals(n, r, r->active_intervals, r->n_active_intervals);
    if (r->repeat_interval < r->group_interval)
        diags_add(n->run->d, DIAG_WARNING, "C009", r->place,
                  "\"repeat_interval\" is shorter than \"group_interval\": messages are not "
                  "repeated more often than that");
    for (size_t i = 0; i < r->n_routes; i++)
        check_check_route(n, &r->routes[i]);
}

static void check_root(struct conf_run *run, const struct route_conf *r)
{
    struct diags *d = run->d;

    if (r->receiver.n == 0)
        diags_add(d, DIAG_ERROR, "C003", r->place, "route: the root route needs a \"receiver\"");
    if (r->matchers.n != 0 || r->match.n != 0 || r->match_re.n != 0)
        diags_add(d, DIAG_ERROR, "C009", r->place,
                  "route: the root route takes every alert and cannot have matchers");
    if (r->n_mute_intervals != 0)
        diags_add(d, DIAG_ERROR, "C009", r->place,
                  "route: the root route cannot have \"mute_time_intervals\"");
    if (r->n_active_intervals != 0)
        diags_add(d, DIAG_ERROR, "C009", r->place,
                  "route: the root route cannot have \"active_time_intervals\"");
    if (r->goes_on)
        diags_add(d, DIAG_ERROR, "C009", r->place,
                  "route: the root route cannot have \"continue\"");
}

static void check_no_route(struct conf_run *run, const struct config_top *top,
                           const struct config *c, struct diag_place place)
{
    size_t bridged = c->bridge != NULL ? c->bridge->n_targets : 0; /* told without a route */

    if (c->n_receivers - bridged + c->n_inhibit_rules + c->n_time_intervals + top->templates.n != 0)
        diags_add(run->d, DIAG_ERROR, "C003", place,
                  "no \"route\": receivers, inhibit rules, templates and time intervals are of no "
                  "use without one");
    else if (c->bridge == NULL)
        diags_add(run->d, DIAG_WARNING, "C003", place,
                  "no \"route\": alerts are shown, none is delivered");
}

/* -- intervals, sources, rule files -- */

static void join_intervals(struct names *n, const struct config_top *top)
{
    struct config *c = n->c;
    size_t total = top->mute_time_intervals.n + top->time_intervals.n;

    c->time_intervals = arena_array(n->run->a, total, sizeof(c->time_intervals[0]));
    for (size_t i = 0; i < total; i++) {
        size_t first = top->mute_time_intervals.n;
        const struct time_interval_conf *t =
            i < first ? &top->mute_time_intervals.v[i] : &top->time_intervals.v[i - first];
        void **hit = str_map_get(&n->intervals, t->name);

        if (hit != NULL) {
            struct diag *g = diags_add(n->run->d, DIAG_ERROR, "C009", t->place,
                                       "time interval \"%.*s\" stands twice", STR(t->name));

            diag_second(n->run->d, g, c->time_intervals[(uintptr_t)*hit - 1].place);
        }
        c->time_intervals[c->n_time_intervals++] = *t;
        str_map_put(&n->intervals, t->name, (void *)(uintptr_t)c->n_time_intervals);
    }
}

static void check_sources(struct conf_run *run, struct config *c)
{
    for (size_t i = 0; i < c->n_sources; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!str_eq(c->sources[i].name, c->sources[j].name))
                continue;
            diag_second(run->d,
                        diags_add(run->d, DIAG_ERROR, "C009", c->sources[i].place,
                                  "source \"%.*s\" stands twice", STR(c->sources[i].name)),
                        c->sources[j].place);
        }
    }
    for (size_t i = 0; i < c->n_rule_files; i++) {
        struct rule_files_conf *f = &c->rule_files[i];

        if (f->source.n == 0)
            f->source = c->n_sources == 1 ? c->sources[0].name : S("own");
        else if (!str_is(f->source, "own") && config_source(c, f->source) == NULL)
            config_check_complain(run, f->place, "C006", "source", f->source);
    }
}

static void fill_external_labels(struct conf_run *run, struct config *c)
{
    const struct conf_map *map = &c->global.external_labels;
    struct label *v = arena_array(run->a, map->n, sizeof(*v));
    str twice;

    for (size_t i = 0; i < map->n; i++)
        v[i] = (struct label){map->v[i].name, map->v[i].value};
    c->external_labels =
        (struct labels){v, labels_sort(v, map->n, &twice)}; /* YAML has no key twice */
}

/* -- all -- */

static void check_routes(struct names *n, const struct config_top *top,
                         const struct conf_part *parts, size_t n_parts)
{
    struct config *c = n->c;
    struct diag_place place = {.line = 1, .col = 1};

    if (n_parts != 0)
        place.file = parts[0].doc->file;
    for (size_t i = 0; i < c->n_receivers; i++)
        str_map_put(&n->receivers, c->receivers[i].name, (void *)(uintptr_t)(i + 1));
    if (c->route != NULL) {
        check_check_route(n, c->route);
        check_root(n->run, c->route);
    } else {
        check_no_route(n->run, top, c, place);
    }
    check_fallbacks(n);
}

void config_check(struct conf_run *run, struct config_top *top, struct config *c,
                  const struct conf_part *parts, size_t n_parts, const struct config_options *o)
{
    struct names n = {.c = c, .run = run};

    join_intervals(&n, top);
    if (!o->is_part)
        check_routes(&n, top, parts, n_parts);
    check_sources(run, c);
    fill_external_labels(run, c);
    str_map_release(&n.receivers);
    str_map_release(&n.intervals);
}
