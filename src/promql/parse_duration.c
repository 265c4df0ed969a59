/* Numbers, durations, and arithmetic with them in [...] and behind offset.
 *
 * A number is also a duration in seconds, and a duration is also a number. An expression that is only a literal
 * becomes a constant; everything else stays a tree, because step() and range() are known when a query runs:
 *
 *     [5m]            ns = 300 s
 *     [1m + step()]   tree: + of 60 and step()
 *
 * Arithmetic binds as elsewhere; behind offset only one literal, one call or one pair of parentheses is taken, so
 * that `foo offset -2 ^ 2` is (foo offset -2) ^ 2.
 */
#include "promql/parse.h"

#include <math.h>
#include "codec/duration.h"
#include "codec/float.h"
#include "codec/quote.h"

/* -- literals -- */

/* As Go reads integers with base 0: 0x hexadecimal, a leading 0 octal. False: no integer, or too large. */
static bool parse_integer(str s, double *out)
{
    unsigned base = 10;
    uint64_t v = 0;
    size_t i = 0;

    if (s.n > 2 && s.p[0] == '0' && (s.p[1] | 32) == 'x') {
        base = 16;
        i = 2;
    } else if (s.n > 1 && s.p[0] == '0')
        base = 8;
    for (; i < s.n; i++) {
        char c = s.p[i] >= 'A' && s.p[i] <= 'F' ? (char)(s.p[i] | 32) : s.p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 99;

        if (digit >= base || v > ((uint64_t)INT64_MAX - digit) / base)
            return false;
        v = v * base + digit;
    }
    *out = (double)v;
    return true;
}

static bool fail_quoted(struct promql_parser *p, const struct promql_token *t, const char *what,
                        str s)
{
    struct buf q = BUF_INIT;

    quote_go(&q, s);
    promql_fail(p, t->at, t->end, "%s%.*s", what, STR(buf_str(&q)));
    buf_release(&q);
    return false;
}

bool promql_parse_number(struct promql_parser *p, const struct promql_token *t, double *out)
{
    str s = promql_token_text(p, t);
    struct err why = ERR_INIT;
    struct buf digits = BUF_INIT;
    bool ok;

    if (t->kind == TOK_DURATION) {
        dur_ns d;

        if (duration_parse(s, &d, &why)) {
            *out = (double)d / 1e9;
            return true;
        }
        if (str_find_str(str_of(why.msg), S("out of range")) >= 0)
            return promql_fail(p, t->at, t->end, "duration out of range") != NULL;
        return fail_quoted(p, t, "not a valid duration string: ", s);
    }
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_')
            buf_addc(&digits, s.p[i]);
    ok = parse_integer(buf_str(&digits), out) || float_parse(buf_str(&digits), out, &why);
    buf_release(&digits);
    return ok || fail_quoted(p, t, "error parsing number: ", s);
}

/* -- trees -- */

static struct promql_dur *new_dur(struct promql_parser *p, enum promql_dur_kind kind,
                                  const struct promql_token *t)
{
    struct promql_dur *d = arena_new(p->scratch, struct promql_dur);

    d->kind = kind;
    d->at = t->at;
    d->end = t->end;
    d->depth = 1;
    return d;
}

static struct promql_dur *close_dur(struct promql_parser *p, struct promql_dur *d)
{
    if (d->a != NULL && d->a->depth >= d->depth)
        d->depth = d->a->depth + 1;
    if (d->b != NULL && d->b->depth >= d->depth)
        d->depth = d->b->depth + 1;
    d->end = p->tok[-1].end;
    return d->depth > p->max_depth ? promql_fail_deep(p) : d;
}

static struct promql_dur *parse_dur(struct promql_parser *p, int min_precedence);

static struct promql_dur *parse_dur_call(struct promql_parser *p)
{
    const struct promql_token *t = p->tok++;
    bool is_pair = t->kind == TOK_MIN_OF || t->kind == TOK_MAX_OF;
    struct promql_dur *d = new_dur(p,
                                   t->kind == TOK_STEP     ? PROMQL_DUR_STEP
                                   : t->kind == TOK_RANGE  ? PROMQL_DUR_RANGE
                                   : t->kind == TOK_MIN_OF ? PROMQL_DUR_MIN
                                                           : PROMQL_DUR_MAX,
                                   t);

    if (!promql_accept(p, TOK_LPAREN))
        return promql_unexpected(p, "", "");
    if (is_pair) {
        d->a = parse_dur(p, 0);
        if (d->a == NULL)
            return NULL;
        if (!promql_accept(p, TOK_COMMA))
            return promql_unexpected(p, "", "");
        d->b = parse_dur(p, 0);
        if (d->b == NULL)
            return NULL;
    }
    if (!promql_accept(p, TOK_RPAREN))
        return promql_unexpected(p, "", "");
    return close_dur(p, d);
}

static struct promql_dur *parse_dur_literal(struct promql_parser *p)
{
    struct promql_dur *d = new_dur(p, PROMQL_DUR_LITERAL, p->tok);

    d->has_unit = p->tok->kind == TOK_DURATION;
    if (!promql_parse_number(p, p->tok, &d->seconds))
        return NULL;
    if (!(fabs(d->seconds) < 9223372036.0))
        return promql_fail(p, d->at, d->end, "duration out of range");
    p->tok++;
    return d;
}

static struct promql_dur *parse_dur_paren(struct promql_parser *p)
{
    struct promql_dur *d;
    uint32_t at = p->tok->at;

    p->tok++;
    d = parse_dur(p, 0);
    if (d == NULL)
        return NULL;
    if (!promql_accept(p, TOK_RPAREN))
        return promql_unexpected(p, "", "");
    d->is_wrapped = true;
    d->at = at;
    d->end = p->tok[-1].end;
    return d;
}

static bool is_sign(const struct promql_token *t)
{
    return t->kind == TOK_OP && (t->sub == PROMQL_ADD || t->sub == PROMQL_SUB);
}

static struct promql_dur *sign_dur(struct promql_parser *p, const struct promql_token *sign,
                                   struct promql_dur *d)
{
    bool is_minus = sign->sub == PROMQL_SUB;
    struct promql_dur *x;

    if (d == NULL)
        return NULL;
    if (d->kind == PROMQL_DUR_LITERAL && !d->is_wrapped) {
        d->seconds = is_minus ? -d->seconds : d->seconds;
        d->at = sign->at;
        return d;
    }
    x = new_dur(p, is_minus ? PROMQL_DUR_MINUS : PROMQL_DUR_PLUS, sign);
    x->a = d;
    return close_dur(p, x);
}

static bool is_dur_start(const struct promql_token *t)
{
    return t->kind == TOK_NUMBER || t->kind == TOK_DURATION || t->kind == TOK_LPAREN ||
           t->kind == TOK_STEP || t->kind == TOK_RANGE || t->kind == TOK_MIN_OF ||
           t->kind == TOK_MAX_OF;
}

static struct promql_dur *parse_dur_operand(struct promql_parser *p)
{
    const struct promql_token *t = p->tok;

    if (is_sign(t)) {
        p->tok++;
        return sign_dur(p, t, parse_dur(p, PROMQL_PREC_POWER));
    }
    if (!is_dur_start(t))
        return promql_unexpected(p, "", "");
    if (t->kind == TOK_LPAREN)
        return parse_dur_paren(p);
    return t->kind == TOK_NUMBER || t->kind == TOK_DURATION ? parse_dur_literal(p)
                                                            : parse_dur_call(p);
}

static struct promql_dur *parse_dur_binary(struct promql_parser *p, struct promql_dur *lhs)
{
    const struct promql_token *t = p->tok++;
    const struct promql_op_info *op = promql_op_info((enum promql_op)t->sub);
    struct promql_dur *d = new_dur(p, PROMQL_DUR_BINARY, t);

    d->at = lhs->at;
    d->op = (enum promql_op)t->sub;
    d->a = lhs;
    d->b = parse_dur(p, op->is_right ? op->precedence : op->precedence + 1);
    if (d->b == NULL)
        return NULL;
    if (d->b->kind == PROMQL_DUR_LITERAL && d->b->seconds == 0 &&
        (d->op == PROMQL_DIV || d->op == PROMQL_MOD))
        return promql_fail(p, t->at, t->end,
                           d->op == PROMQL_DIV ? "division by zero" : "modulo by zero");
    return close_dur(p, d);
}

/* The arithmetic operators: those that a duration knows. */
static bool is_dur_op(const struct promql_token *t, int min_precedence)
{
    return t->kind == TOK_OP && t->sub <= PROMQL_POW &&
           promql_op_info((enum promql_op)t->sub)->precedence >= min_precedence;
}

static struct promql_dur *parse_dur(struct promql_parser *p, int min_precedence)
{
    struct promql_dur *d;

    if (p->depth >= p->max_depth)
        return promql_fail_deep(p);
    p->depth++;
    d = parse_dur_operand(p);
    while (d != NULL && is_dur_op(p->tok, min_precedence))
        d = parse_dur_binary(p, d);
    p->depth--;
    return d;
}

/* -- what nodes keep -- */

static struct promql_dur *keep_dur(struct promql_parser *p, const struct promql_dur *d)
{
    struct promql_dur *kept;

    if (d == NULL)
        return NULL;
    kept = arena_new(p->a, struct promql_dur);
    *kept = *d;
    kept->a = keep_dur(p, d->a);
    kept->b = keep_dur(p, d->b);
    return kept;
}

static void make_span(struct promql_parser *p, const struct promql_dur *d, struct promql_span *out)
{
    bool is_constant = d->kind == PROMQL_DUR_LITERAL && !d->is_wrapped;

    *out = (struct promql_span){.expr = is_constant ? NULL : keep_dur(p, d)};
    if (is_constant)
        out->ns = d->has_unit ? (dur_ns)llround(d->seconds * 1e3) * NS_PER_MS
                              : (dur_ns)llround(d->seconds * 1e9);
}

bool promql_parse_bracket(struct promql_parser *p, struct promql_span *out)
{
    struct promql_dur *d = parse_dur(p, 0);

    if (d == NULL)
        return false;
    if (d->kind == PROMQL_DUR_LITERAL && d->seconds < 1e-9)
        return promql_fail(p, d->at, d->end, "duration must be greater than 0") != NULL;
    make_span(p, d, out);
    return true;
}

bool promql_parse_offset(struct promql_parser *p, struct promql_span *out)
{
    const struct promql_token *sign = p->tok;
    struct promql_dur *d;

    if (is_sign(sign))
        p->tok++;
    if (!is_dur_start(p->tok))
        return promql_unexpected(p, "offset", "number, duration, step(), or range()") != NULL;
    if (p->tok->kind == TOK_NUMBER || p->tok->kind == TOK_DURATION)
        d = parse_dur_literal(p);
    else
        d = p->tok->kind == TOK_LPAREN ? parse_dur_paren(p) : parse_dur_call(p);
    if (is_sign(sign))
        d = sign_dur(p, sign, d);
    if (d == NULL)
        return false;
    make_span(p, d, out);
    return true;
}
