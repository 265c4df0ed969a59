#include "ruler/rule_expr.h"

#include "promql/promql.h"
#include "ruler/rule_resolve.h"

static void say_refused(const struct rule_conf *r, enum rule_dialect dialect, str where,
                        struct promql_place place, const struct err *e, struct diags *d)
{
    size_t text_end = (size_t)(str_trim(r->expr).p - r->expr.p) + str_trim(r->expr).n;
    size_t from = place.at < text_end ? place.at : text_end; /* not below a block's last line */
    struct diag_place at = yaml_place_in(r->doc, r->expr_node, from, place.len);

    if (dialect == RULE_METRICSQL) {
        diag_help(
            d, diags_add(d, DIAG_WARNING, "R071", at, "%.*s: not PromQL: %s", STR(where), e->msg),
            "the source speaks MetricsQL, so it is asked as written");
        return;
    }
    diags_add(d, DIAG_ERROR, "R005", at, "%.*s: could not parse expression: %s", STR(where),
              e->msg);
}

static void check_result(const struct rule_conf *r, str where, const struct promql_expr *x,
                         struct diags *d)
{
    struct diag *g;

    if (x->type != PROMQL_T_MATRIX && x->type != PROMQL_T_STRING)
        return;
    g = diags_add(d, DIAG_ERROR, "R006", yaml_place_in(r->doc, r->expr_node, x->at, x->end - x->at),
                  "%.*s: expression gives a %s, a rule needs an instant vector or a scalar",
                  STR(where), promql_type_text(x->type));
    if (x->type == PROMQL_T_MATRIX)
        diag_help(d, g, "put a function around it, such as rate() or max_over_time()");
}

void rule_expr_check(struct rule_conf *r, enum rule_dialect dialect, str where, struct arena *a,
                     struct diags *d)
{
    struct arena scratch; /* a tree is many times its text: only the text is kept */
    struct promql_place place = {0};
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT;
    const struct promql_expr *left;
    struct promql_expr *x;

    r->query = r->expr;
    arena_init(&scratch, 0);
    x = promql_parse(r->expr, &promql_everything, &scratch, &place, &e);
    if (x == NULL) {
        say_refused(r, dialect, where, place, &e, d);
    } else {
        check_result(r, where, x, d);
        promql_print(&b, x);
        r->query = arena_str(a, buf_str(&b));
        left = r->is_alert ? rule_resolve_side(x) : NULL;
        if (left != NULL) {
            buf_clear(&b);
            promql_print(&b, left);
            r->left = arena_str(a, buf_str(&b));
        }
        promql_release(x);
    }
    buf_release(&b);
    arena_release(&scratch);
}
