#include "ruler/rule_expr.h"

#include "promql/promql.h"
#include "ruler/rule_resolve.h"

/* What messages begin with. */
#define WHERE              "group \"%.*s\", rule %zu, \"%.*s\""
#define WHERE_OF(r, group) STR(group), (r)->number, STR((r)->name)

static void rule_expr_say_refused(const struct rule_conf *r, enum rule_dialect dialect, str group,
                                  struct promql_place place, const struct err *e, struct diags *d)
{
    size_t text_end = (size_t)(str_trim(r->expr).p - r->expr.p) + str_trim(r->expr).n;
    size_t from = place.at < text_end ? place.at : text_end; /* not below a block's last line */
    struct diag_place at = yaml_place_in(r->doc, r->expr_node, from, place.len);

    if (dialect == RULE_METRICSQL) {
        diag_help(d,
                  diags_add(d, DIAG_WARNING, "R071", at, WHERE ": not PromQL: %s",
                            WHERE_OF(r, group), e->msg),
                  "the source speaks MetricsQL, so it is asked as written");
        return;
    }
    diags_add(d, DIAG_ERROR, "R005", at, WHERE ": could not parse expression: %s",
              WHERE_OF(r, group), e->msg);
}

static void check_result(const struct rule_conf *r, str group, const struct promql_expr *x,
                         struct diags *d)
{
    struct diag *g;

    if (x->type != PROMQL_T_MATRIX && x->type != PROMQL_T_STRING)
        return;
    g = diags_add(d, DIAG_ERROR, "R006", yaml_place_in(r->doc, r->expr_node, x->at, x->end - x->at),
                  WHERE ": expression gives a %s, a rule needs an instant vector or a scalar",
                  WHERE_OF(r, group), promql_type_text(x->type));
    if (x->type == PROMQL_T_MATRIX)
        diag_help(d, g, "put a function around it, such as rate() or max_over_time()");
}

/* -- confinement -- */

struct confining {
    const struct rule_conf *r;
    const struct label *scope;
    str group;
    struct arena *a; /* the tree's */
    struct diags *d;
};

/* One more matcher, so that nothing of what the selector says is lost. One that asks for another namespace would select
 * nothing, and be an alert that never fires. */
static bool confine_selector(struct promql_expr *x, void *arg)
{
    struct confining *c = arg;
    struct matchers *ms = &x->selector.matchers;
    struct matcher own, *v;
    struct err e = ERR_INIT;

    if (x->kind != PROMQL_SELECTOR)
        return true;
    for (size_t i = 0; i < ms->n; i++)
        if (str_eq(ms->v[i].name, c->scope->name) && !matcher_matches(&ms->v[i], c->scope->value)) {
            diags_add(c->d, DIAG_ERROR, "R014",
                      yaml_place_in(c->r->doc, c->r->expr_node, x->at, x->end - x->at),
                      WHERE ": asks for another \"%.*s\" than its own, \"%.*s\"",
                      WHERE_OF(c->r, c->group), STR(c->scope->name), STR(c->scope->value));
            return true;
        }
    if (!matcher_init(&own, MATCH_EQ, c->scope->name, c->scope->value, &e))
        return true; /* an equality has nothing that could be wrong */
    v = arena_array(c->a, ms->n + 1, sizeof(*v));
    v[0] = own;
    if (ms->n != 0)
        memcpy(v + 1, ms->v, ms->n * sizeof(*v));
    *ms = (struct matchers){v, ms->n + 1};
    return true;
}

static void check_confinable(const struct rule_conf *r, const struct label *scope, str group,
                             struct diags *d)
{
    if (scope != NULL)
        diags_add(d, DIAG_ERROR, "R014", yaml_place_in(r->doc, r->expr_node, 0, 1),
                  WHERE ": what is not PromQL cannot be confined to a namespace",
                  WHERE_OF(r, group));
}

struct promql_expr *rule_expr_parse(const struct rule_conf *r, enum rule_dialect dialect, str group,
                                    struct arena *a, struct diags *d)
{
    struct promql_place place = {0};
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(r->expr, &promql_everything, a, &place, &e);

    if (x == NULL)
        rule_expr_say_refused(r, dialect, group, place, &e, d);
    else
        check_result(r, group, x, d);
    return x;
}

static str keep_printed(const struct promql_expr *x, struct arena *a)
{
    struct buf b = BUF_INIT;
    str text;

    promql_print(&b, x);
    text = arena_str(a, buf_str(&b));
    buf_release(&b);
    return text;
}

void rule_expr_check(struct rule_conf *r, enum rule_dialect dialect, const struct label *scope,
                     str group, struct arena *a, struct diags *d)
{
    struct arena scratch; /* a tree is many times its text: only the text is kept */
    const struct promql_expr *left;
    struct promql_expr *x;

    r->query = r->expr;
    arena_init(&scratch, 0);
    x = rule_expr_parse(r, dialect, group, &scratch, d);
    if (x == NULL)
        check_confinable(r, scope, group, d);
    else {
        if (scope != NULL)
            promql_walk(
                x, confine_selector,
                &(struct confining){.r = r, .scope = scope, .group = group, .a = &scratch, .d = d});
        r->query = keep_printed(x, a);
        if (scope != NULL)
            r->expr = r->query;
        left = r->is_alert ? rule_resolve_side(x) : NULL;
        if (left != NULL)
            r->left = keep_printed(left, a);
        promql_release(x);
    }
    arena_release(&scratch);
}
