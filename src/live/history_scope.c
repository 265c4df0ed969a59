#include "live/history_scope.h"

#include "base/vec.h"
#include "promql/promql.h"

static const str essentials[] = {S_INIT("ALERTS"), S_INIT("ALERTS_FOR_STATE"), S_INIT("up"),
                                 S_INIT("push_time_seconds"), S_INIT("push_failure_time_seconds")};

struct scoping {
    struct arena *a;
    VEC(struct matchers) v;
    struct str_map seen; /* as they are written */
};

static void scope_add(struct scoping *s, const struct matchers *ms)
{
    struct buf b = BUF_INIT;
    bool is_new = false;

    matchers_print(&b, ms);
    if (str_map_get(&s->seen, buf_str(&b)) == NULL) {
        (void)str_map_add(&s->seen, arena_str(s->a, buf_str(&b)), s, &is_new);
        vec_push(&s->v, matchers_copy(s->a, ms));
    }
    buf_release(&b);
}

static void scope_add_name(struct scoping *s, enum match_op op, str name)
{
    struct matcher m;
    struct matchers ms = {&m, 1};

    if (!matcher_init(&m, op, S("__name__"), name, NULL))
        return;
    scope_add(s, &ms);
    matchers_release(&ms);
}

static bool scope_see(struct promql_expr *x, void *arg)
{
    if (x->kind == PROMQL_SELECTOR && !x->selector.may_match_all)
        scope_add(arg, &x->selector.matchers);
    return true;
}

static void scope_add_rule(struct scoping *s, const struct rule_conf *r)
{
    struct arena scratch;
    struct promql_expr *x;

    arena_init(&scratch, 0);
    x = promql_parse(r->expr, &promql_everything, &scratch, NULL, NULL);
    if (x != NULL)
        promql_walk(x, scope_see, s);
    promql_release(x);
    arena_release(&scratch);
}

static void scope_add_rules(struct scoping *s, const struct config *c, bool is_selected)
{
    for (size_t i = 0; i < c->n_groups; i++)
        for (size_t k = 0; k < c->groups[i].n_rules; k++) {
            const struct rule_conf *r = &c->groups[i].rules[k];

            if (!r->is_alert)
                scope_add_name(s, MATCH_EQ, r->name);
            if (is_selected && r->is_own)
                scope_add_rule(s, r);
        }
}

struct history_scope history_scope_of(const struct config *conf, struct arena *a)
{
    const struct history_conf *h = &conf->storage.history;
    struct scoping s = {.a = a};
    struct history_scope out;

    if (config_writes_all(conf)) {
        scope_add_name(&s, MATCH_NE, STR_NONE);
    } else if (h->keep != 0) {
        for (size_t i = 0; i < ARRAY_LEN(essentials); i++)
            scope_add_name(&s, MATCH_EQ, essentials[i]);
        scope_add_name(&s, MATCH_RE, S("scrape_.+"));
        scope_add_rules(&s, conf, str_is(h->what, "selected"));
    }
    out = (struct history_scope){arena_copy(a, s.v.v, s.v.n, s.v.n, sizeof(*s.v.v)), s.v.n};
    vec_release(&s.v);
    str_map_release(&s.seen);
    return out;
}

void history_scope_release(struct history_scope *s)
{
    for (size_t i = 0; i < s->n; i++)
        matchers_release(&s->v[i]);
}

bool history_scope_has(const struct config *conf, str name)
{
    if (conf->storage.history.keep == 0)
        return false;
    if (!str_is(conf->storage.history.what, "essentials") || str_starts_with(name, S("scrape_")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(essentials); i++)
        if (str_eq(name, essentials[i]))
            return true;
    for (size_t i = 0; i < conf->n_groups; i++)
        for (size_t k = 0; k < conf->groups[i].n_rules; k++)
            if (!conf->groups[i].rules[k].is_alert && str_eq(conf->groups[i].rules[k].name, name))
                return true;
    return false;
}
