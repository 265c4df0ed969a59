/* What may stand behind an operand: a range or subquery in brackets, offset, @, anchored, smoothed. */
#include "promql/parse.h"

#include <math.h>

/* The modifiers of x, NULL when it can have none. */
static struct promql_shift *shift_of(struct promql_expr *x)
{
    switch (x->kind) {
    case PROMQL_SELECTOR: return &x->selector.shift;
    case PROMQL_RANGE: return &x->range.selector->selector.shift;
    case PROMQL_SUBQUERY: return &x->subquery.shift;
    default: return NULL;
    }
}

/* x ends where its last modifier does. */
static struct promql_expr *parse_modifier_extend(struct promql_parser *p, struct promql_expr *x)
{
    x->end = p->tok[-1].end;
    return x;
}

/* -- offset and @ -- */

static struct promql_expr *parse_offset(struct promql_parser *p, struct promql_expr *x)
{
    struct promql_shift *s = shift_of(x);
    struct promql_span offset;

    p->tok++;
    if (!promql_parse_offset(p, &offset))
        return NULL;
    if (s == NULL)
        return promql_fail(
            p, x->at, x->end,
            "offset modifier must be preceded by an instant vector selector or range "
            "vector selector or a subquery");
    if (s->has_offset)
        return promql_fail(p, x->at, x->end, "offset may not be set multiple times");
    s->has_offset = true;
    s->offset = offset;
    return parse_modifier_extend(p, x);
}

static bool fail_at_bounds(struct promql_parser *p, double seconds)
{
    const char *word = isnan(seconds) ? "NaN" : seconds > 0 ? "+Inf" : "-Inf";

    if (isfinite(seconds))
        promql_fail(p, p->tok->at, p->tok->end, "timestamp out of bounds for @ modifier: %f",
                    seconds);
    else
        promql_fail(p, p->tok->at, p->tok->end, "timestamp out of bounds for @ modifier: %s", word);
    return false;
}

/* number, duration, start() or end() */
static bool parse_at_time(struct promql_parser *p, struct promql_shift *out)
{
    bool is_minus = p->tok->kind == TOK_OP && p->tok->sub == PROMQL_SUB;
    double seconds;

    if (p->tok->kind == TOK_START || p->tok->kind == TOK_END) {
        out->at = p->tok->kind == TOK_START ? PROMQL_AT_START : PROMQL_AT_END;
        p->tok++;
        if (!promql_accept(p, TOK_LPAREN) || !promql_accept(p, TOK_RPAREN))
            return promql_unexpected(p, "@", "timestamp") != NULL;
        return true;
    }
    if (is_minus || (p->tok->kind == TOK_OP && p->tok->sub == PROMQL_ADD))
        p->tok++;
    if (p->tok->kind != TOK_NUMBER && p->tok->kind != TOK_DURATION)
        return promql_unexpected(p, "@", "timestamp") != NULL;
    if (!promql_parse_number(p, p->tok, &seconds))
        return false;
    seconds = is_minus ? -seconds : seconds;
    if (!(fabs(seconds) < 9223372036854775.0))
        return fail_at_bounds(p, seconds);
    out->at = PROMQL_AT_TIME;
    out->at_time = (ts_ms)llround(seconds * 1000);
    p->tok++;
    return true;
}

static struct promql_expr *parse_at(struct promql_parser *p, struct promql_expr *x)
{
    struct promql_shift *s = shift_of(x), got = {0};

    p->tok++;
    if (!parse_at_time(p, &got))
        return NULL;
    if (s == NULL)
        return promql_fail(
            p, x->at, x->end,
            "@ modifier must be preceded by an instant vector selector or range vector "
            "selector or a subquery");
    if (s->at != PROMQL_AT_NONE)
        return promql_fail(p, x->at, x->end, "@ <timestamp> may not be set multiple times");
    s->at = got.at;
    s->at_time = got.at_time;
    return parse_modifier_extend(p, x);
}

static struct promql_expr *parse_extended(struct promql_parser *p, struct promql_expr *x)
{
    const struct promql_token *t = p->tok++;
    struct promql_shift *s = shift_of(x);
    str word = promql_token_text(p, t);
    const char *name = t->kind == TOK_ANCHORED ? "anchored" : "smoothed";

    if (!p->o->extended_ranges)
        return promql_fail(p, t->at, t->end, "%s modifier is experimental and not enabled", name);
    if (x->kind == PROMQL_SUBQUERY)
        return promql_fail(p, t->at, t->end, "%s modifier is not supported for subqueries", name);
    if (s == NULL || (t->kind == TOK_ANCHORED && x->kind != PROMQL_RANGE))
        return promql_fail(p, t->at, t->end, "%s modifier must be preceded by %s", name,
                           t->kind == TOK_ANCHORED ? "a range vector selector"
                                                   : "an instant or range vector selector");
    if (s->is_anchored || s->is_smoothed) {
        if ((t->kind == TOK_ANCHORED) == s->is_anchored)
            return promql_fail(p, t->at, t->end, "unexpected <%.*s>", STR(word));
        return promql_fail(p, t->at, t->end,
                           "anchored and smoothed modifiers cannot be used together");
    }
    s->is_anchored = t->kind == TOK_ANCHORED;
    s->is_smoothed = t->kind == TOK_SMOOTHED;
    return parse_modifier_extend(p, x);
}

/* -- brackets -- */

static struct promql_expr *make_range(struct promql_parser *p, struct promql_expr *x,
                                      struct promql_span length, uint32_t at)
{
    const char *why = NULL;
    struct promql_expr *r;

    if (x->kind != PROMQL_SELECTOR)
        why = "ranges only allowed for vector selectors";
    else if (x->selector.shift.has_offset)
        why = "no offset modifiers allowed before range";
    else if (x->selector.shift.at != PROMQL_AT_NONE)
        why = "no @ modifiers allowed before range";
    else if (x->selector.shift.is_smoothed)
        why = "no smoothed modifiers allowed before range";
    if (why != NULL)
        return promql_fail(p, at, p->tok[-1].end, "%s", why);
    r = promql_node(p, PROMQL_RANGE, x->at, p->tok[-1].end);
    r->range.selector = x;
    r->range.length = length;
    return promql_close(p, r);
}

static struct promql_expr *parse_subquery(struct promql_parser *p, struct promql_expr *x,
                                          struct promql_span length)
{
    struct promql_expr *q = promql_node(p, PROMQL_SUBQUERY, x->at, 0);
    const char *wanted = "\"]\"";

    p->tok++;
    q->subquery.expr = x;
    q->subquery.length = length;
    if (p->tok->kind != TOK_RBRACKET) {
        if (p->tok->kind == TOK_COMMA || p->tok->kind == TOK_EOF)
            return promql_unexpected(p, "subquery selector",
                                     "number, duration, step(), range(), or \"]\"");
        q->subquery.has_step = true;
        if (!promql_parse_bracket(p, &q->subquery.step))
            return NULL;
    }
    if (!promql_accept(p, TOK_RBRACKET))
        return promql_unexpected(p, "subquery selector", wanted);
    q->end = p->tok[-1].end;
    return promql_close(p, q);
}

static struct promql_expr *parse_bracket(struct promql_parser *p, struct promql_expr *x)
{
    uint32_t at = p->tok->at;
    struct promql_span length;

    p->tok++;
    if (p->tok->kind == TOK_RBRACKET || p->tok->kind == TOK_COLON || p->tok->kind == TOK_COMMA)
        return promql_unexpected(p, "subquery or range selector",
                                 "number, duration, step(), or range()");
    if (!promql_parse_bracket(p, &length))
        return NULL;
    if (p->tok->kind == TOK_COLON)
        return parse_subquery(p, x, length);
    if (!promql_accept(p, TOK_RBRACKET))
        return promql_unexpected(p, "subquery or range", "\":\" or \"]\"");
    return make_range(p, x, length, at);
}

struct promql_expr *promql_parse_modifier(struct promql_parser *p, struct promql_expr *x,
                                          bool *done)
{
    *done = false;
    switch (p->tok->kind) {
    case TOK_LBRACKET: return parse_bracket(p, x);
    case TOK_OFFSET: return parse_offset(p, x);
    case TOK_AT: return parse_at(p, x);
    case TOK_ANCHORED:
    case TOK_SMOOTHED: return parse_extended(p, x);
    default: *done = true; return x;
    }
}
