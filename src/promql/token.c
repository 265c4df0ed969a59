#include "promql/token.h"

#include "codec/quote.h"

/* Words that Prometheus does not count among its keywords. */
static bool is_quoted_word(enum promql_token_kind kind)
{
    return (kind >= TOK_START && kind <= TOK_RANGE) || kind == TOK_MAX_OF || kind == TOK_MIN_OF;
}

void promql_token_describe(struct buf *out, const struct promql_token *t, str text)
{
    str s = str_sub(text, t->at, t->end);

    switch (t->kind) {
    case TOK_EOF: buf_adds(out, "end of input"); return;
    case TOK_ERROR: buf_add(out, t->message); return;
    case TOK_IDENT: buf_adds(out, "identifier "); break;
    case TOK_METRIC: buf_adds(out, "metric identifier "); break;
    case TOK_NUMBER: buf_adds(out, "number "); break;
    case TOK_DURATION: buf_adds(out, "duration "); break;
    case TOK_STRING: buf_adds(out, "string "); break;
    case TOK_MATCHES:
    case TOK_MATCHES_NO:
    case TOK_OP: buf_addf(out, "<op:%.*s>", STR(s)); return;
    case TOK_AGG: buf_addf(out, "<aggr:%.*s>", STR(s)); return;
    default:
        if (t->kind >= TOK_OFFSET && !is_quoted_word(t->kind)) {
            buf_addf(out, "<%.*s>", STR(s));
            return;
        }
        break;
    }
    if (t->kind == TOK_IDENT || t->kind == TOK_METRIC)
        quote_go(out, s);
    else
        quote_go_cut(out, s);
}
