/* Over a page of metrics only its values are known; over a Prometheus those of some hours. */
#include "lint/lint_now.h"

#include <math.h>
#include "lint/lint.h"
#include "lint/lint_online.h"
#include "promql/promql.h"

enum { FAR_TIMES = 100 };

/* -- R083: what would fire -- */

void lint_firing(struct lint_expr_check *c)
{
    const struct lint_source *source = c->set->source;
    struct lint_answer now;
    str text = c->rule->expr_node->text;

    if (source != NULL /* it has what was before, too */
            ? !source->ask(source->arg, text, &now)
            : !lint_samples_ask(c->set->samples, c->root, text, c->a, &now))
        return;
    if (now.n != 0)
        lint_expr_report(c, c->root,
                         arena_printf(c->a, "holds now, for %zu series of %.*s%s", now.n,
                                      STR(lint_samples_from(c->set->samples)),
                                      c->rule->hold_for != 0 ? "; it fires after \"for\"" : "")
                             .p);
}

/* -- R086: thresholds that nothing comes near -- */

/* The most that it was. */
static bool most_of(struct lint_expr_check *c, const struct promql_expr *x, struct lint_answer *out)
{
    const struct lint_source *source = c->set->source;
    str text = promql_printed(c->a, x);

    if (source == NULL)
        return lint_samples_ask(c->set->samples, x, text, c->a, out);
    text = arena_printf(c->a, "max(max_over_time((%.*s)[6h:15m]))", STR(text));
    return source->ask(source->arg, text, out);
}

/* What is compared was found to be of another unit: that says more. */
static bool is_told_of_unit(const struct lint_expr_check *c, const struct promql_expr *x)
{
    struct diag_place at = yaml_place_in(c->rule->doc, c->rule->expr_node, x->at, x->end - x->at);

    for (size_t i = c->d->n; i-- > 0;)
        if ((strcmp(c->d->v[i].id, "R069") == 0 || strcmp(c->d->v[i].id, "R058") == 0) &&
            c->d->v[i].place.line == at.line && c->d->v[i].place.col == at.col)
            return true;
    return false;
}

static bool see_threshold(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const bool has_past = c->set->source != NULL;
    struct lint_answer most;
    double v;

    if (x->kind != PROMQL_BINARY || !promql_op_info(x->binary.op)->is_comparison ||
        !promql_is_constant(x->binary.rhs, &v) || x->binary.lhs->type != PROMQL_T_VECTOR ||
        v <= 0 || v > 1e15 || is_told_of_unit(c, x) || !most_of(c, x->binary.lhs, &most) ||
        most.n == 0 || !(most.most > 0) || v < FAR_TIMES * most.most)
        return true;
    diag_help(c->d,
              lint_expr_report(c, x,
                               arena_printf(c->a,
                                            "the most that this %s in %.*s is %.6g: %g is %.0f "
                                            "times that",
                                            has_past ? "was within 6 hours" : "is",
                                            STR(lint_samples_from(c->set->samples)), most.most, v,
                                            v / most.most)
                                   .p),
              "is the threshold in another unit?");
    return true;
}

void lint_far_thresholds(struct lint_expr_check *c)
{
    promql_walk(c->root, see_threshold, c);
}

/* -- R087: what comes and goes -- */

bool lint_comes_and_goes(struct lint_expr_check *c, const struct promql_expr *x)
{
    static const struct lint_expr_row row = {"R087", false, NULL};
    const struct lint_source *source = c->set->source;
    struct lint_answer before;
    str text =
        arena_printf(c->a, "count(present_over_time(%.*s[1d]))", STR(promql_printed(c->a, x)));

    if (!source->ask(source->arg, text, &before) || before.n == 0)
        return false;
    c->row = &row;
    diag_help(c->d,
              lint_expr_report(c, x,
                               arena_printf(c->a,
                                            "it selects nothing now, and %.0f series within the "
                                            "last day: they come and go",
                                            before.most)
                                   .p),
              "while they are away nothing of it is compared, and the alert ends; absent(...) "
              "tells of that");
    return true;
}
