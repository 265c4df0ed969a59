/* Each check reads the loaded configuration once and reports at the mapping concerned. Matchers are compared by what they say of
 * one label: a route is out of reach when each matcher of an earlier one is implied by its own. */
#include "lint/lint_config.h"

#include "base/map.h"
#include "codec/duration.h"
#include "schema/redact.h"

struct config_linter {
    const struct config *c;
    struct arena *a;
    struct diags *d;
};

/* -- matchers -- */

static bool is_same_matcher(const struct matcher *x, const struct matcher *y)
{
    return x->op == y->op && str_eq(x->name, y->name) && str_eq(x->value, y->value);
}

/* Whoever has this matcher's value of the label also satisfies the other. */
static bool matcher_implies(const struct matcher *x, const struct matcher *y)
{
    return str_eq(x->name, y->name) &&
           (is_same_matcher(x, y) || (x->op == MATCH_EQ && matcher_matches(y, x->value)));
}

static bool matchers_imply(const struct matchers *x, const struct matchers *y)
{
    for (size_t i = 0; i < y->n; i++) {
        bool implied = false;

        for (size_t k = 0; k < x->n && !implied; k++)
            implied = matcher_implies(&x->v[k], &y->v[i]);
        if (!implied)
            return false;
    }
    return true;
}

/* The first pair of which no value can satisfy both. */
static const struct matcher *matcher_against(const struct matcher *x, const struct matchers *ms)
{
    for (size_t i = 0; x->op == MATCH_EQ && i < ms->n; i++)
        if (str_eq(ms->v[i].name, x->name) && !matcher_matches(&ms->v[i], x->value))
            return &ms->v[i];
    return NULL;
}

static str matchers_text(struct config_linter *l, const struct matchers *ms)
{
    struct buf b = BUF_INIT;
    str text;

    matchers_print(&b, ms);
    text = arena_str(l->a, buf_str(&b));
    buf_release(&b);
    return text;
}

static str matcher_text(struct config_linter *l, const struct matcher *m)
{
    return matchers_text(l, &(struct matchers){(struct matcher *)(uintptr_t)m, 1});
}

/* -- C020: routes out of reach -- */

struct route_above {
    const struct route_above *up;
    const struct route_conf *route;
};

static bool check_contradiction(struct config_linter *l, const struct route_conf *r,
                                const struct route_above *up)
{
    for (size_t i = 0; i < r->matchers.n; i++) {
        const struct matcher *m = &r->matchers.v[i], *other = matcher_against(m, &r->matchers);
        const struct route_conf *where = r;
        struct diag *g;

        for (const struct route_above *p = up; other == NULL && p != NULL; p = p->up) {
            where = p->route;
            other = matcher_against(m, &where->matchers);
            for (size_t k = 0; other == NULL && k < where->matchers.n; k++)
                if (matcher_against(&where->matchers.v[k],
                                    &(struct matchers){(struct matcher *)(uintptr_t)m, 1}))
                    other = &where->matchers.v[k];
        }
        if (other == NULL)
            continue;
        g = diags_add(l->d, DIAG_WARNING, "C020", r->place,
                      "route: no alert comes here: %.*s and %.*s contradict each other",
                      STR(matcher_text(l, m)), STR(matcher_text(l, other)));
        if (where != r)
            diag_second(l->d, g, where->place);
        return true;
    }
    return false;
}

/* Earlier routes of one parent, so that each is compared with few: one that asks for a="b" takes all of a later one only if
 * that asks for a="b", too. It is found by the rarest of such pairs that it asks for. */
struct lint_siblings {
    struct config_linter *l;
    const struct route_conf *parent;
    struct str_map counts;        /* pair -> in how many routes */
    struct str_map by_pair;       /* pair -> struct lint_sibling *, the newest first */
    struct lint_sibling *without; /* those that ask for no pair */
    size_t n_without;
    struct str_map twins; /* receiver and matchers of those that go on -> the first of them */
};

struct lint_sibling {
    const struct route_conf *route;
    struct lint_sibling *before;
};

enum { WITHOUT_MAX = 500 };

static void lint_siblings_count(struct lint_siblings *s)
{
    for (size_t i = 0; i < s->parent->n_routes; i++) {
        const struct matchers *ms = &s->parent->routes[i].matchers;

        for (size_t k = 0; k < ms->n; k++)
            if (ms->v[k].op == MATCH_EQ) {
                bool is_new;
                void **n = str_map_add(&s->counts, matcher_text(s->l, &ms->v[k]), NULL, &is_new);

                *n = (void *)((uintptr_t)*n + 1);
            }
    }
}

/* Empty: it asks for no pair. */
static str lint_siblings_rarest(const struct lint_siblings *s, const struct route_conf *r)
{
    uintptr_t least = UINTPTR_MAX;
    str out = STR_NONE;

    for (size_t k = 0; k < r->matchers.n; k++) {
        str pair;
        uintptr_t n;

        if (r->matchers.v[k].op != MATCH_EQ)
            continue;
        pair = matcher_text(s->l, &r->matchers.v[k]);
        n = (uintptr_t)*str_map_get(&s->counts, pair);
        if (n < least) {
            least = n;
            out = pair;
        }
    }
    return out;
}

static void lint_siblings_add(struct lint_siblings *s, const struct route_conf *r)
{
    struct lint_sibling *x, **list = &s->without;
    str pair;

    if (r->goes_on)
        return;
    pair = lint_siblings_rarest(s, r);
    if (pair.n == 0 && s->n_without++ >= WITHOUT_MAX)
        return;
    if (pair.n != 0)
        list = (struct lint_sibling **)str_map_add(&s->by_pair, pair, NULL, &(bool){false});
    x = arena_new(s->l->a, struct lint_sibling);
    *x = (struct lint_sibling){r, *list};
    *list = x;
}

/* The first of the list and of what was found before. */
static const struct route_conf *first_that_takes(const struct lint_sibling *x,
                                                 const struct route_conf *r,
                                                 const struct route_conf *found)
{
    for (; x != NULL; x = x->before)
        if ((found == NULL || x->route < found) &&
            matchers_imply(&r->matchers, &x->route->matchers))
            found = x->route;
    return found;
}

static void check_shadows(struct lint_siblings *s, const struct route_conf *r)
{
    const struct route_conf *before = first_that_takes(s->without, r, NULL);
    struct config_linter *l = s->l;
    struct diag *g;

    for (size_t k = 0; k < r->matchers.n; k++)
        if (r->matchers.v[k].op == MATCH_EQ) {
            void **list = str_map_get(&s->by_pair, matcher_text(l, &r->matchers.v[k]));

            before = first_that_takes(list != NULL ? *list : NULL, r, before);
        }
    if (before == NULL)
        return;
    g = diags_add(l->d, DIAG_WARNING, "C020", r->place,
                  "route: no alert comes here: an earlier route takes all with %.*s",
                  STR(matchers_text(l, &before->matchers)));
    diag_second(l->d, g, before->place);
    diag_help(l->d, g, "give the earlier one \"continue: true\", or put this one first");
}

/* -- C025: routes that share a log entry -- */

static void check_twins(struct lint_siblings *s, const struct route_conf *r)
{
    struct config_linter *l = s->l;
    str key =
        arena_printf(l->a, "%.*s\n%.*s", STR(r->receiver), STR(matchers_text(l, &r->matchers)));
    void **hit = str_map_get(&s->twins, key);

    if (hit != NULL)
        diag_second(
            l->d,
            diags_add(l->d, DIAG_WARNING, "C025", r->place,
                      "route: it and an earlier one have the same matchers and receiver, and so "
                      "one entry of the notification log: what one tells the other takes for told"),
            ((const struct route_conf *)*hit)->place);
    else if (r->goes_on)
        (void)str_map_put(&s->twins, key, (void *)(uintptr_t)r);
}

/* -- C027: timers -- */

static void check_timers(struct config_linter *l, const struct route_conf *r)
{
    struct buf repeat = BUF_INIT, interval = BUF_INIT;

    if (r->repeat_interval >= r->group_interval)
        return;
    duration_print(&repeat, r->repeat_interval);
    duration_print(&interval, r->group_interval);
    diag_help(l->d,
              diags_add(l->d, DIAG_WARNING, "C027", r->place,
                        "route: repeat_interval %.*s is shorter than group_interval %.*s",
                        STR(buf_str(&repeat)), STR(buf_str(&interval))),
              "a group is looked at each group_interval: it is told again no sooner");
    buf_release(&repeat);
    buf_release(&interval);
}

/* -- C031: what is critical waits -- */

static const struct matcher *critical_matcher(const struct route_conf *r)
{
    static const char *const values[] = {"critical", "page", "emergency", "disaster", "p1", "p0"};

    for (size_t i = 0; i < r->matchers.n; i++) {
        const struct matcher *m = &r->matchers.v[i];

        for (size_t k = 0; k < ARRAY_LEN(values); k++)
            if (m->op == MATCH_EQ && str_eq_nocase(m->value, str_of(values[k])) &&
                (str_is(m->name, "severity") || str_is(m->name, "priority")))
                return m;
    }
    return NULL;
}

/* Nothing is said of the default, which nobody has chosen. */
static void check_wait(struct config_linter *l, const struct route_conf *r,
                       const struct route_above *up)
{
    const struct matcher *m = critical_matcher(r);
    struct buf wait = BUF_INIT;
    bool is_chosen = false;

    for (; up != NULL; up = up->up)
        is_chosen |= CONF_GIVEN(route_conf_type, up->route, group_wait);

    if (m == NULL || !is_chosen || r->group_wait < 30 * NS_PER_S ||
        CONF_GIVEN(route_conf_type, r, group_wait))
        return;
    duration_print(&wait, r->group_wait);
    diag_help(l->d,
              diags_add(l->d, DIAG_INFO, "C031", r->place,
                        "route: %.*s waits %.*s, which it inherits, before anybody is told",
                        STR(matcher_text(l, m)), STR(buf_str(&wait))),
              "give it a group_wait of its own: 0s tells at once");
    buf_release(&wait);
}

static void check_route(struct config_linter *l, const struct route_conf *r,
                        const struct route_above *up)
{
    const struct route_above here = {up, r};
    struct lint_siblings s = {.l = l, .parent = r};

    check_timers(l, r);
    check_wait(l, r, up);
    lint_siblings_count(&s);
    for (size_t i = 0; i < r->n_routes; i++) {
        const struct route_conf *child = &r->routes[i];

        if (!check_contradiction(l, child, &here))
            check_shadows(&s, child);
        check_twins(&s, child);
        lint_siblings_add(&s, child);
        check_route(l, child, &here);
    }
    str_map_release(&s.counts);
    str_map_release(&s.by_pair);
    str_map_release(&s.twins);
}

/* -- C021: what nobody uses -- */

static void note_intervals(struct str_map *used, const struct route_conf *r)
{
    for (size_t i = 0; i < r->n_mute_intervals; i++)
        (void)str_map_add(used, r->mute_intervals[i], used, &(bool){false});
    for (size_t i = 0; i < r->n_active_intervals; i++)
        (void)str_map_add(used, r->active_intervals[i], used, &(bool){false});
    for (size_t i = 0; i < r->n_routes; i++)
        note_intervals(used, &r->routes[i]);
}

static void check_unused(struct config_linter *l)
{
    struct str_map used = {0};

    note_intervals(&used, l->c->route);
    for (size_t i = 0; i < l->c->n_time_intervals; i++) {
        const struct time_interval_conf *t = &l->c->time_intervals[i];

        if (str_map_get(&used, t->name) == NULL)
            diags_add(l->d, DIAG_WARNING, "C021", t->place, "no route names time interval \"%.*s\"",
                      STR(t->name));
    }
    for (size_t i = 0; i < l->c->n_receivers; i++) {
        const struct receiver_conf *r = &l->c->receivers[i];

        if (!r->is_used)
            diags_add(l->d, DIAG_WARNING, "C021", r->place, "no route names receiver \"%.*s\"",
                      STR(r->name));
    }
    str_map_release(&used);
}

/* -- C022, C023: what rules say, and where it goes -- */

/* Values that routes ask for by equality, or as an alternative of a pattern. */
static void note_values(const struct route_conf *r, str name, struct str_map *out)
{
    for (size_t i = 0; i < r->matchers.n; i++) {
        const struct matcher *m = &r->matchers.v[i];
        str rest = m->value;

        if (!str_eq(m->name, name) || matcher_is_negative(m))
            continue;
        while (rest.n != 0) {
            str one = m->op == MATCH_EQ ? rest : str_cut(&rest, '|');

            (void)str_map_add(out, one, out, &(bool){false});
            if (m->op == MATCH_EQ)
                break;
        }
    }
    for (size_t i = 0; i < r->n_routes; i++)
        note_values(&r->routes[i], name, out);
}

/* Whether some route asks for the value of the label. */
static bool is_asked_for(const struct route_conf *r, str name, str value)
{
    for (size_t i = 0; i < r->matchers.n; i++)
        if (str_eq(r->matchers.v[i].name, name) && matcher_matches(&r->matchers.v[i], value))
            return true;
    for (size_t i = 0; i < r->n_routes; i++)
        if (is_asked_for(&r->routes[i], name, value))
            return true;
    return false;
}

/* A label of a rule that no route asks for, and whose value is nearly one that some do. */
static void check_value(struct config_linter *l, const struct rule_conf *r,
                        const struct conf_pair *p)
{
    struct str_map values = {0};
    VEC(str) names = VEC_INIT;
    const str *hit;

    if (str_find_str(p->value, S("{{")) >= 0 || is_asked_for(l->c->route, p->name, p->value))
        return;
    note_values(l->c->route, p->name, &values);
    MAP_EACH (struct str_map_entry, e, &values)
        vec_push(&names, e->key);
    hit = str_nearest(p->value, names.v, names.n);
    if (hit != NULL)
        diag_help(l->d,
                  diags_add(l->d, DIAG_WARNING, "C022", rule_place(r),
                            "alert \"%.*s\": no route asks for %.*s=\"%.*s\"", STR(r->name),
                            STR(p->name), STR(p->value)),
                  "did you mean \"%.*s\"?", STR(*hit));
    else if (str_is(p->name, "severity") && names.n != 0)
        diags_add(l->d, DIAG_INFO, "C023", rule_place(r),
                  "alert \"%.*s\": no route asks for severity=\"%.*s\": it goes where all go that "
                  "nobody asks for, to \"%.*s\"",
                  STR(r->name), STR(p->value), STR(l->c->route->receiver));
    vec_release(&names);
    str_map_release(&values);
}

/* Each value once, at its first rule. */
static void check_values(struct config_linter *l)
{
    struct str_map seen = {0};

    for (size_t i = 0; i < l->c->n_groups; i++)
        for (size_t k = 0; k < l->c->groups[i].n_rules; k++) {
            const struct rule_conf *r = &l->c->groups[i].rules[k];

            for (size_t j = 0; r->is_alert && j < r->all_labels.n; j++) {
                const struct conf_pair *p = &r->all_labels.v[j];
                bool is_new = false;

                (void)str_map_add(&seen,
                                  arena_printf(l->a, "%.*s=%.*s", STR(p->name), STR(p->value)), l,
                                  &is_new);
                if (is_new)
                    check_value(l, r, p);
            }
        }
    str_map_release(&seen);
}

/* -- C024: inhibition that cannot be -- */

static const struct matcher *against_itself(const struct matchers *ms, const struct matcher **x)
{
    for (size_t i = 0; i < ms->n; i++) {
        const struct matcher *other = matcher_against(&ms->v[i], ms);

        if (other != NULL) {
            *x = &ms->v[i];
            return other;
        }
    }
    return NULL;
}

/* Of a label that must be equal: the pair that cannot be. */
static const struct matcher *against_equal(const struct inhibit_conf *r, const struct matcher **x)
{
    for (size_t i = 0; i < r->n_equal; i++)
        for (size_t k = 0; k < r->source.n; k++) {
            const struct matcher *m = &r->source.v[k];
            const struct matcher *other =
                str_eq(m->name, r->equal[i]) ? matcher_against(m, &r->target) : NULL;

            if (other != NULL) {
                *x = m;
                return other;
            }
        }
    return NULL;
}

static void check_inhibition(struct config_linter *l, const struct inhibit_conf *r)
{
    const struct matcher *x = NULL, *y = against_itself(&r->source, &x);

    if (y == NULL)
        y = against_itself(&r->target, &x);
    if (y != NULL) {
        diags_add(l->d, DIAG_WARNING, "C024", r->place,
                  "inhibit rule: it can never hold: %.*s and %.*s contradict each other",
                  STR(matcher_text(l, x)), STR(matcher_text(l, y)));
        return;
    }
    y = against_equal(r, &x);
    if (y != NULL)
        diags_add(l->d, DIAG_WARNING, "C024", r->place,
                  "inhibit rule: it can never hold: \"%.*s\" is to be equal, and the source has "
                  "%.*s, the target %.*s",
                  STR(x->name), STR(matcher_text(l, x)), STR(matcher_text(l, y)));
}

/* -- C029: targets -- */

static bool ends_with_port(str target, str port)
{
    return str_ends_with(target, port) && target.n > port.n &&
           target.p[target.n - port.n - 1] == ':';
}

static void check_own_port(struct config_linter *l, const struct scrape_conf *s)
{
    if (str_find_str(s->job_name, S("prometheus")) >= 0 || !str_is(s->metrics_path, "/metrics"))
        return;
    for (size_t i = 0; i < s->discovery.statics.n; i++) {
        const struct static_sd_conf *t = &s->discovery.statics.v[i];

        for (size_t k = 0; k < t->targets.n; k++)
            if (ends_with_port(t->targets.v[k], S("9090"))) {
                diag_help(l->d,
                          diags_add(l->d, DIAG_WARNING, "C029", s->place,
                                    "job \"%.*s\": target \"%.*s\" has Prometheus' own port",
                                    STR(s->job_name), STR(t->targets.v[k])),
                          "9090 is Prometheus itself: which port has the exporter?");
                return;
            }
    }
}

/* -- all -- */

void lint_config_checks(const struct config *c, struct arena *a, struct diags *d)
{
    struct config_linter l = {c, a, d};

    if (c->route != NULL) {
        check_route(&l, c->route, NULL);
        check_unused(&l);
        check_values(&l);
    }
    for (size_t i = 0; i < c->n_inhibit_rules; i++)
        check_inhibition(&l, &c->inhibit_rules[i]);
    for (size_t i = 0; i < c->n_scrapes; i++)
        check_own_port(&l, &c->scrapes[i]);
}

/* -- C026, C028: the text -- */

/* "${NAME}": a shell would have filled it in. Numbers and patterns' groups are no variables. */
static bool find_variable(str text, size_t *at, size_t *len)
{
    for (size_t i = 0; i + 3 < text.n; i++) {
        size_t k = i + 2;

        if (text.p[i] != '$' || text.p[i + 1] != '{' || !(text.p[k] >= 'A' && text.p[k] <= 'Z'))
            continue;
        while (k < text.n && ((text.p[k] >= 'A' && text.p[k] <= 'Z') || text.p[k] == '_' ||
                              (text.p[k] >= '0' && text.p[k] <= '9')))
            k++;
        if (k < text.n && text.p[k] == '}') {
            *at = i;
            *len = k + 1 - i;
            return true;
        }
    }
    return false;
}

/* -- C033: keys that are none -- */

static const struct foreign_key {
    const char *section,
        *key; /* section: above it; "": at the top. A key that ends in a dot: whatever begins so */
    const char *belongs;
} foreign_keys[] = {
    {"tsdb", "path", "it is a flag of Prometheus: --storage.tsdb.path"},
    {"tsdb", "retention.", "it is a flag of Prometheus: --storage.tsdb.retention.time or .size"},
    {"tsdb", "wal-", "it is a flag of Prometheus: --storage.tsdb.wal-compression and the like"},
    {"tsdb", "no-lockfile", "it is a flag of Prometheus: --storage.tsdb.no-lockfile"},
    {"tsdb", "min-block-duration", "it is a flag of Prometheus: --storage.tsdb.min-block-duration"},
    {"tsdb", "max-block-duration", "it is a flag of Prometheus: --storage.tsdb.max-block-duration"},
    {"", "service_monitor",
     "a ServiceMonitor is an object of Kubernetes, read by Prometheus' operator: here write a job "
     "of scrape_configs"},
    {"", "pod_monitor",
     "a PodMonitor is an object of Kubernetes, read by Prometheus' operator: here write a job of "
     "scrape_configs"},
};

static bool is_foreign(const struct foreign_key *f, str section, str key)
{
    str name = str_of(f->key);

    return str_is(section, f->section) &&
           (str_eq(key, name) || (f->key[name.n - 1] == '.' && str_starts_with(key, name)) ||
            (f->key[name.n - 1] == '-' && str_starts_with(key, name)));
}

static void look_at_key(const struct yaml_doc *doc, struct diags *d, str section,
                        const struct yaml_node *key)
{
    for (size_t i = 0; i < ARRAY_LEN(foreign_keys); i++)
        if (is_foreign(&foreign_keys[i], section, key->text))
            diag_help(d,
                      diags_add(d, DIAG_WARNING, "C033", yaml_place(doc, key),
                                "\"%.*s\" is no key of a configuration", STR(key->text)),
                      "%s", foreign_keys[i].belongs);
}

static void look_at_keys(const struct yaml_doc *doc, struct diags *d)
{
    const struct yaml_node *tsdb = yaml_get(doc->root, S("storage"));

    tsdb = tsdb != NULL ? yaml_get(tsdb, S("tsdb")) : NULL;
    for (size_t i = 0; doc->root->kind == YAML_MAP && i < doc->root->n; i++)
        look_at_key(doc, d, S(""), doc->root->pairs[i].key);
    for (size_t i = 0; tsdb != NULL && tsdb->kind == YAML_MAP && i < tsdb->n; i++)
        look_at_key(doc, d, S("tsdb"), tsdb->pairs[i].key);
}

struct lint_texts {
    const struct yaml_doc *doc;
    struct diags *d;
    size_t secrets;
    const struct yaml_node *first;
};

/* Lines hide more than what must not be read. */
static bool is_secret_key(str key)
{
    static const char *const others[] = {"username", "ca", "cert", "client_ca", "topic", "headers"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (str_is(key, others[i]))
            return false;
    return redact_is_secret_name(key);
}

static void look_at_text(struct lint_texts *t, str key, const struct yaml_node *n)
{
    size_t at, len;

    if (n->kind == YAML_SCALAR && n->text.n != 0 && is_secret_key(key)) {
        t->first = t->secrets == 0 ? n : t->first;
        t->secrets++;
    }
    if (n->kind == YAML_SCALAR && find_variable(n->text, &at, &len))
        diag_help(t->d,
                  diags_add(t->d, DIAG_WARNING, "C028", yaml_place_in(t->doc, n, at, len),
                            "\"%.*s\" is taken as it stands", STR(str_sub(n->text, at, at + len))),
                  "variables are not filled in: a secret can stand in a file (NAME_file)");
    for (size_t i = 0; n->kind == YAML_LIST && i < n->n; i++)
        look_at_text(t, key, n->items[i]);
    for (size_t i = 0; n->kind == YAML_MAP && i < n->n; i++)
        if (!str_is(n->pairs[i].key->text, "replacement"))
            look_at_text(t, n->pairs[i].key->text, n->pairs[i].value);
}

void lint_config_text(const struct yaml_doc *doc, struct diags *d)
{
    struct lint_texts t = {doc, d, 0, NULL};

    if (doc->root != NULL) {
        look_at_text(&t, STR_NONE, doc->root);
        look_at_keys(doc, d);
    }
    if (t.secrets != 0)
        diag_help(d,
                  diags_add(d, DIAG_INFO, "C026", yaml_place(doc, t.first),
                            "%zu secret%s in this file in clear", t.secrets,
                            t.secrets == 1 ? " stands" : "s stand"),
                  "each may stand in a file of its own: password_file, api_url_file and so on");
}
