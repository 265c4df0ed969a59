/* Names are counted over the whole configuration first; then each that stands there less often than one that it is nearly is told.
 * Values are held against those of the rules, and where these have none, against what severities are usually called. */
#include "lint/lint_near.h"

#include "base/map.h"
#include "lint/catalogue.h"

enum { USUAL = 1000 }; /* as often as a word of custom is taken to stand somewhere */

struct near_linter {
    const struct config *c;
    struct arena *a;
    struct diags *d;
    struct str_map names;  /* of labels: how often */
    struct str_map values; /* NAME=VALUE of rules */
};

bool lint_is_misspelt(str name, str word, size_t least)
{
    return word.n >= least && name.n + 1 >= least && catalogue_is_slip(name, word) &&
           !str_eq_nocase(name, word) && str_find(name, '_') == str_find(word, '_') &&
           !(name.n == word.n + 1 && str_starts_with(name, word) && name.p[word.n] == 's') &&
           !(word.n == name.n + 1 && str_starts_with(word, name) && word.p[name.n] == 's');
}

/* -- what there is -- */

static uintptr_t near_count(const struct near_linter *l, str name)
{
    void **hit = str_map_get(&l->names, name);

    return hit != NULL ? (uintptr_t)*hit : 0;
}

static void near_note(struct near_linter *l, str name, uintptr_t times)
{
    (void)str_map_put(&l->names, name, (void *)(near_count(l, name) + times));
}

static void near_note_all(struct near_linter *l, const struct matchers *ms)
{
    for (size_t i = 0; i < ms->n; i++)
        near_note(l, ms->v[i].name, 1);
}

static void near_note_route(struct near_linter *l, const struct route_conf *r)
{
    near_note_all(l, &r->matchers);
    for (size_t i = 0; CONF_GIVEN(route_conf_type, r, group_by) && i < r->group_by.n; i++)
        near_note(l, r->group_by.v[i], 1);
    for (size_t i = 0; i < r->n_routes; i++)
        near_note_route(l, &r->routes[i]);
}

static void note_rule(struct near_linter *l, const struct rule_conf *r)
{
    for (size_t i = 0; i < r->all_labels.n; i++) {
        const struct conf_pair *p = &r->all_labels.v[i];

        near_note(l, p->name, USUAL);
        if (str_find_str(p->value, S("{{")) < 0)
            (void)str_map_put(&l->values,
                              arena_printf(l->a, "%.*s=%.*s", STR(p->name), STR(p->value)), l);
    }
}

static void note_all(struct near_linter *l)
{
    static const char *const usual[] = {"alertname", "severity",  "instance",
                                        "namespace", "container", "priority"};

    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        near_note(l, str_of(usual[i]), USUAL);
    if (l->c->route != NULL)
        near_note_route(l, l->c->route);
    for (size_t i = 0; i < l->c->n_inhibit_rules; i++) {
        const struct inhibit_conf *r = &l->c->inhibit_rules[i];

        near_note_all(l, &r->source);
        near_note_all(l, &r->target);
        for (size_t k = 0; k < r->n_equal; k++)
            near_note(l, r->equal[k], 1);
    }
    for (size_t i = 0; i < l->c->n_groups; i++)
        for (size_t k = 0; k < l->c->groups[i].n_rules; k++)
            if (l->c->groups[i].rules[k].is_alert)
                note_rule(l, &l->c->groups[i].rules[k]);
}

/* -- C035: names -- */

static const str *near_name(const struct near_linter *l, str name)
{
    uintptr_t own = near_count(l, name);
    const str *hit = NULL;

    MAP_EACH (struct str_map_entry, e, &l->names) {
        uintptr_t other = (uintptr_t)e->value;

        if (other > own && lint_is_misspelt(name, e->key, other >= USUAL ? 5 : 6)) {
            own = other;
            hit = &e->key;
        }
    }
    return hit;
}

static void see_near_name(struct near_linter *l, str name, struct diag_place at, const char *what)
{
    const str *hit = near_name(l, name);

    if (hit != NULL)
        diag_help(l->d,
                  diags_add(l->d, DIAG_WARNING, "C035", at,
                            "%s: label \"%.*s\" is nearly \"%.*s\", which stands elsewhere", what,
                            STR(name), STR(*hit)),
                  "did you mean \"%.*s\"?", STR(*hit));
}

/* -- C036: values -- */

static const char *const severities[] = {
    "critical", "warning",   "info",        "error",        "page",   "none",  "high",
    "medium",   "low",       "minor",       "major",        "notice", "fatal", "debug",
    "disaster", "average",   "urgent",      "alert",        "ticket", "warn",  "crit",
    "emerg",    "emergency", "information", "informational"};

static bool is_severity(str value)
{
    for (size_t i = 0; i < ARRAY_LEN(severities); i++)
        if (str_eq_nocase(value, str_of(severities[i])))
            return true;
    return false;
}

static str near_severity(str value)
{
    for (size_t i = 0; i < ARRAY_LEN(severities) && !is_severity(value); i++) {
        str word = str_of(severities[i]);

        if (word.n >= 5 && value.n >= 4 && catalogue_is_slip(value, word))
            return word;
    }
    return S("");
}

/* A value of the label that rules give, nearly this one; empty where they give this one, too. */
static str near_value(const struct near_linter *l, str name, str value)
{
    str prefix = arena_printf(l->a, "%.*s=", STR(name)), hit = S("");

    if (str_map_get(&l->values, arena_printf(l->a, "%.*s%.*s", STR(prefix), STR(value))) != NULL)
        return hit;
    MAP_EACH (struct str_map_entry, e, &l->values)
        if (str_starts_with(e->key, prefix) && value.n >= 4 &&
            catalogue_is_slip(value, str_sub(e->key, prefix.n, e->key.n)))
            hit = str_sub(e->key, prefix.n, e->key.n);
    return hit;
}

static void see_near_value(struct near_linter *l, str name, str value, struct diag_place at,
                           const char *what)
{
    str hit = near_value(l, name, value);

    if (hit.n == 0 && (str_is(name, "severity") || str_is(name, "priority")))
        hit = near_severity(value);
    if (hit.n != 0)
        diag_help(l->d,
                  diags_add(l->d, DIAG_WARNING, "C036", at,
                            "%s: nothing has %.*s=\"%.*s\", which is nearly \"%.*s\"", what,
                            STR(name), STR(value), STR(hit)),
                  "did you mean \"%.*s\"?", STR(hit));
}

static bool is_plain_list(str pattern)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (pattern.p[i] != '\0' && strchr("\\.+*?()[]{}^$", pattern.p[i]) != NULL)
            return false;
    return true;
}

static void see_near_matchers(struct near_linter *l, const struct matchers *ms,
                              struct diag_place at, const char *what)
{
    for (size_t i = 0; i < ms->n; i++) {
        const struct matcher *m = &ms->v[i];

        see_near_name(l, m->name, at, what);
        if (m->op == MATCH_EQ)
            see_near_value(l, m->name, m->value, at, what);
        for (str rest = m->value; m->op == MATCH_RE && is_plain_list(m->value) && rest.n != 0;)
            see_near_value(l, m->name, str_cut(&rest, '|'), at, what);
    }
}

/* -- all -- */

static void see_near_route(struct near_linter *l, const struct route_conf *r)
{
    see_near_matchers(l, &r->matchers, r->place, "route");
    for (size_t i = 0; CONF_GIVEN(route_conf_type, r, group_by) && i < r->group_by.n; i++)
        see_near_name(l, r->group_by.v[i], r->place, "route: group_by");
    for (size_t i = 0; i < r->n_routes; i++)
        see_near_route(l, &r->routes[i]);
}

void lint_near(const struct config *c, struct arena *a, struct diags *d)
{
    struct near_linter l = {.c = c, .a = a, .d = d};

    note_all(&l);
    if (c->route != NULL)
        see_near_route(&l, c->route);
    for (size_t i = 0; i < c->n_inhibit_rules; i++) {
        const struct inhibit_conf *r = &c->inhibit_rules[i];

        see_near_matchers(&l, &r->source, r->place, "inhibit rule: source");
        see_near_matchers(&l, &r->target, r->place, "inhibit rule: target");
        for (size_t k = 0; k < r->n_equal; k++)
            see_near_name(&l, r->equal[k], r->place, "inhibit rule: equal");
    }
    str_map_release(&l.names);
    str_map_release(&l.values);
}
