#include "model/matcher.h"

#include <stdlib.h>
#include "base/utf8.h"
#include "codec/json.h"
#include "codec/quote.h"
#include "model/matcher_syntax.h"

bool matcher_init(struct matcher *m, enum match_op op, str name, str value, struct err *e)
{
    struct regex *re = NULL;

    if (op == MATCH_RE || op == MATCH_NRE) {
        re = regex_compile(value, REGEX_ANCHORED, e);
        if (re == NULL)
            return false;
    }
    *m = (struct matcher){.op = op, .name = name, .value = value, .re = re};
    return true;
}

struct matchers matchers_copy(struct arena *a, const struct matchers *ms)
{
    struct matchers c = {arena_array(a, ms->n, sizeof(*c.v)), ms->n};

    for (size_t i = 0; i < ms->n; i++) {
        c.v[i] = ms->v[i];
        c.v[i].name = arena_str(a, ms->v[i].name);
        c.v[i].value = arena_str(a, ms->v[i].value);
        if (c.v[i].re != NULL)
            regex_ref(c.v[i].re);
    }
    return c;
}

void matchers_release(struct matchers *ms)
{
    for (size_t i = 0; i < ms->n; i++) {
        regex_unref(ms->v[i].re);
        ms->v[i].re = NULL;
    }
}

bool matcher_matches(const struct matcher *m, str value)
{
    switch (m->op) {
    case MATCH_EQ: return str_eq(m->value, value);
    case MATCH_NE: return !str_eq(m->value, value);
    case MATCH_RE: return regex_matches(m->re, value);
    default: return !regex_matches(m->re, value);
    }
}

bool matchers_match(const struct matchers *ms, struct labels ls)
{
    for (size_t i = 0; i < ms->n; i++)
        if (!matcher_matches(&ms->v[i], labels_get(ls, ms->v[i].name)))
            return false;
    return true;
}

bool matchers_match_set(const struct matchers *ms, const struct label_set *set)
{
    for (size_t i = 0; i < ms->n; i++)
        if (!matcher_matches(&ms->v[i], label_set_get(set, ms->v[i].name)))
            return false;
    return true;
}

bool matcher_is_negative(const struct matcher *m)
{
    return m->op == MATCH_NE || m->op == MATCH_NRE;
}

bool matcher_matches_empty(const struct matcher *m)
{
    return matcher_matches(m, STR_NONE);
}

const char *match_op_text(enum match_op op)
{
    static const char *const texts[] = {
        [MATCH_EQ] = "=", [MATCH_NE] = "!=", [MATCH_RE] = "=~", [MATCH_NRE] = "!~"};

    return texts[op];
}

static bool name_needs_quotes(str name)
{
    uint32_t rune;

    for (size_t i = 0; i < name.n; i += utf8_decode(str_sub(name, i, name.n), &rune)) {
        (void)utf8_decode(str_sub(name, i, name.n), &rune);
        if (matcher_rune_is_reserved(rune))
            return true;
    }
    return false;
}

void matcher_print(struct buf *out, const struct matcher *m)
{
    bool quoted = name_needs_quotes(m->name);

    if (quoted)
        quote_go(out, m->name);
    else
        buf_add(out, m->name);
    buf_add(out, str_of(match_op_text(m->op)));
    if (quoted) {
        quote_go(out, m->value);
        return;
    }
    buf_addc(out, '"');
    for (size_t i = 0; i < m->value.n; i++) {
        char c = m->value.p[i];

        if (c == '\\' || c == '"')
            buf_addc(out, '\\');
        if (c == '\n')
            buf_adds(out, "\\n");
        else
            buf_addc(out, c);
    }
    buf_addc(out, '"');
}

void matchers_print(struct buf *out, const struct matchers *ms)
{
    buf_addc(out, '{');
    for (size_t i = 0; i < ms->n; i++) {
        if (i != 0)
            buf_addc(out, ',');
        matcher_print(out, &ms->v[i]);
    }
    buf_addc(out, '}');
}

static int matcher_compare(const void *a, const void *b)
{
    const struct matcher *x = a, *y = b;
    int c = str_cmp(x->name, y->name);

    if (c == 0)
        c = str_cmp(x->value, y->value);
    return c != 0 ? c : (int)x->op - (int)y->op;
}

void matcher_put_json(struct json_writer *w, const struct matcher *m)
{
    json_open(w, '{');
    json_key_of(w, "isEqual");
    json_put_bool(w, !matcher_is_negative(m));
    json_key_of(w, "isRegex");
    json_put_bool(w, m->op == MATCH_RE || m->op == MATCH_NRE);
    json_key_of(w, "name");
    json_put_str(w, m->name);
    json_key_of(w, "value");
    json_put_str(w, m->value);
    json_close(w, '}');
}

void matchers_sort(struct matchers *ms)
{
    if (ms->n > 1)
        qsort(ms->v, ms->n, sizeof(ms->v[0]), matcher_compare);
}

bool label_name_is_valid(str name, enum matcher_mode mode)
{
    return mode == MATCHER_CLASSIC ? label_name_is_legacy(name) : label_name_is_utf8(name);
}

/* -- modes -- */

static bool matcher_same(const struct matchers *a, const struct matchers *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].op != b->v[i].op || !str_eq(a->v[i].name, b->v[i].name) ||
            !str_eq(a->v[i].value, b->v[i].value))
            return false;
    return true;
}

static str printed(struct arena *a, const struct matchers *ms, bool list)
{
    struct buf b = BUF_INIT;
    str s;

    if (list)
        matchers_print(&b, ms);
    else
        matcher_print(&b, &ms->v[0]);
    s = arena_str(a, buf_str(&b));
    buf_release(&b);
    return s;
}

/* Both parsers run; where they disagree the classic reading holds and the warning says how to write
 * it for both. */
static bool parse_both(str s, bool list, struct arena *a, struct matchers *out, str *warning,
                       struct err *e)
{
    struct err utf8_err = ERR_INIT, classic_err = ERR_INIT;
    struct matchers modern = {0}, classic = {0};
    bool modern_ok = matchers_parse_utf8(s, list, a, &modern, &utf8_err);
    bool classic_ok = list ? matchers_parse_classic(s, a, &classic, &classic_err)
                           : matcher_parse_classic(s, a, &classic, &classic_err);

    if (!modern_ok && !classic_ok) {
        if (e != NULL)
            *e = classic_err;
        return false;
    }
    if (modern_ok && (!classic_ok || matcher_same(&modern, &classic))) {
        matchers_release(&classic);
        *out = modern;
        return true;
    }
    if (!modern_ok) {
        *warning = arena_printf(
            a,
            "matchers '%.*s' are read by the classic parser only (%s); quote values and escape "
            "backslashes, or write them as %.*s",
            STR(s), utf8_err.msg, STR(printed(a, &classic, list)));
    } else {
        *warning = arena_printf(
            a,
            "matchers '%.*s' have a disagreement: the classic parser reads %.*s, which is used, "
            "the UTF-8 parser %.*s",
            STR(s), STR(printed(a, &classic, list)), STR(printed(a, &modern, list)));
    }
    matchers_release(&modern);
    *out = classic;
    return true;
}

static bool model_matcher_parse(str s, bool list, enum matcher_mode mode, struct arena *a,
                                struct matchers *out, str *warning, struct err *e)
{
    str text = STR_NONE;
    bool ok;

    if (mode == MATCHER_CLASSIC)
        ok = list ? matchers_parse_classic(s, a, out, e) : matcher_parse_classic(s, a, out, e);
    else if (mode == MATCHER_UTF8)
        ok = matchers_parse_utf8(s, list, a, out, e);
    else
        ok = parse_both(s, list, a, out, &text, e);
    if (warning != NULL)
        *warning = text;
    return ok;
}

bool matcher_parse(str s, enum matcher_mode mode, struct arena *a, struct matcher *out,
                   str *warning, struct err *e)
{
    struct matchers ms;

    if (mode != MATCHER_CLASSIC && (str_starts_with(s, S("{")) || str_ends_with(s, S("}"))))
        return err_set(e, ERR_INVALID, "unexpected open or close brace: %.*s", STR(s));
    if (!model_matcher_parse(s, false, mode, a, &ms, warning, e))
        return false;
    *out = ms.v[0];
    return true;
}

bool matchers_parse(str s, enum matcher_mode mode, struct arena *a, struct matchers *out,
                    str *warning, struct err *e)
{
    return model_matcher_parse(s, true, mode, a, out, warning, e);
}
