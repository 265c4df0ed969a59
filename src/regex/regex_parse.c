/* regex_parse.c - RE2 syntax into a tree, by recursive descent.
 *
 *     alternation = concatenation { "|" concatenation }
 *     concatenation = { atom [ "*" | "+" | "?" | "{n,m}" ] [ "?" ] }
 *     atom = rune | escape | class | "." | "^" | "$" | "(" alternation ")"
 *
 * Example: "(?i)a|b+" becomes ALT(CLASS[Aa], REPEAT{1,inf}(CLASS[Bb])). (?i) is not an atom: it
 * changes the flags until the end of its group and what follows it still repeats the atom before
 * it, as in Go.
 *
 * Whatever a backtracking engine offers beyond regular languages (lookaround, backreferences,
 * possessive and atomic groups, verbs) has no rule here and falls out as the error that Go reports.
 */
#include "regex/regex_ast.h"

#include "base/utf8.h"
#include "regex/regex_syntax.h"

enum flag { FLAG_FOLD = 1, FLAG_MULTILINE = 2, FLAG_DOTALL = 4, FLAG_UNGREEDY = 8 };

struct regex_parse_parser {
    str all, rest;
    unsigned flags;
    unsigned depth;
    struct arena *a;
    VEC(str) names;
    struct err *e;
};

static struct re_node *parse_alt(struct regex_parse_parser *p);

static bool regex_parse_fail(struct regex_parse_parser *p, const char *what, str subject)
{
    return err_set(p->e, ERR_INVALID, "error parsing regexp: %s: `%.*s`", what, STR(subject));
}

static struct re_node *fail_node(struct regex_parse_parser *p, const char *what, str subject)
{
    (void)!regex_parse_fail(p, what, subject);
    return NULL;
}

struct re_node *re_node_new(struct arena *a, enum re_op op)
{
    struct re_node *n = arena_new(a, struct re_node);

    n->op = op;
    return n;
}

void re_node_add(struct re_node *parent, struct re_node *child)
{
    if (parent->last != NULL)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

bool re_node_is_nullable(const struct re_node *n)
{
    switch (n->op) {
    case RE_NEVER:
    case RE_RUNE:
    case RE_CLASS:
    case RE_ANY:
    case RE_ANY_NL: return false;
    case RE_REPEAT: return n->min == 0 || re_node_is_nullable(n->first);
    case RE_CAPTURE: return re_node_is_nullable(n->first);
    case RE_CAT:
        for (const struct re_node *c = n->first; c != NULL; c = c->next)
            if (!re_node_is_nullable(c))
                return false;
        return true;
    case RE_ALT:
        for (const struct re_node *c = n->first; c != NULL; c = c->next)
            if (re_node_is_nullable(c))
                return true;
        return false;
    default: return true;
    }
}

static bool at(const struct regex_parse_parser *p, char c)
{
    return p->rest.n != 0 && p->rest.p[0] == c;
}

static void regex_parse_skip(struct regex_parse_parser *p, size_t n)
{
    p->rest = str_sub(p->rest, n, p->rest.n);
}

/* The text from one place up to where the parser stands. */
static str since(const struct regex_parse_parser *p, str from)
{
    return str_sub(from, 0, from.n - p->rest.n);
}

static struct re_node *class_node(struct regex_parse_parser *p, re_set *set, bool negate)
{
    struct re_class c = re_set_finish(set, negate, p->a);
    struct re_node *n = re_node_new(p->a, c.n == 0 ? RE_NEVER : RE_CLASS);

    n->cls = c;
    return n;
}

static struct re_node *rune_node(struct regex_parse_parser *p, uint32_t rune)
{
    struct re_node *n;

    if ((p->flags & FLAG_FOLD) != 0 && re_fold_next(rune) != rune) {
        re_set set = VEC_INIT;

        re_set_add_folded(&set, rune, rune);
        return class_node(p, &set, false);
    }
    n = re_node_new(p->a, rune >= 0xD800 && rune <= 0xDFFF ? RE_NEVER : RE_RUNE);
    n->rune = rune;
    return n;
}

static struct re_node *parse_class(struct regex_parse_parser *p)
{
    re_set set = VEC_INIT;
    bool negate;

    if (!re_syntax_class(&p->rest, (p->flags & FLAG_FOLD) != 0, &set, &negate, p->e)) {
        vec_release(&set);
        return NULL;
    }
    return class_node(p, &set, negate);
}

/* \d, \pL and the like, or NULL without an error when the escape is none of them. */
static bool parse_escaped_class(struct regex_parse_parser *p, struct re_node **out)
{
    re_set set = VEC_INIT;
    bool is_class;

    *out = NULL;
    if (!re_syntax_escaped_class(&p->rest, (p->flags & FLAG_FOLD) != 0, &set, &is_class, p->e)) {
        vec_release(&set);
        return false;
    }
    if (is_class)
        *out = class_node(p, &set, false);
    return true;
}

static struct re_node *parse_escape(struct regex_parse_parser *p)
{
    struct re_node *n;
    enum re_op op;
    uint32_t rune;

    if (p->rest.n >= 2) {
        switch (p->rest.p[1]) {
        case 'A': op = RE_TEXT_START; break;
        case 'b': op = RE_WORD; break;
        case 'B': op = RE_NOT_WORD; break;
        case 'z': op = RE_TEXT_END; break;
        default: op = RE_NEVER;
        }
        if (op != RE_NEVER) {
            regex_parse_skip(p, 2);
            return re_node_new(p->a, op);
        }
        if (!parse_escaped_class(p, &n) || n != NULL)
            return n;
    }
    if (!re_syntax_escape(&p->rest, &rune, p->e))
        return NULL;
    return rune_node(p, rune);
}

static bool is_capture_name(str s)
{
    for (str rest = s; rest.n != 0;) {
        uint32_t r;
        size_t k = utf8_decode(rest, &r);

        if (r != '_' && !re_is_name_rune(r))
            return false;
        rest = str_sub(rest, k, rest.n);
    }
    return s.n != 0;
}

static bool open_named(struct regex_parse_parser *p, size_t lead, str *name)
{
    ptrdiff_t end = str_find(p->rest, '>');

    if (end < 0)
        return regex_parse_fail(p, "invalid named capture", p->rest);
    *name = str_sub(p->rest, lead, (size_t)end);
    if (!is_capture_name(*name))
        return regex_parse_fail(p, "invalid named capture", str_sub(p->rest, 0, (size_t)end + 1));
    VEC_EACH (str *, other, &p->names)
        if (str_eq(*other, *name))
            return regex_parse_fail(p, "invalid named capture", *name);
    regex_parse_skip(p, (size_t)end + 1);
    return true;
}

/* Behind "(?": flags up to ':' (a group begins, *group) or ')' (they hold from here on). */
static bool parse_flags(struct regex_parse_parser *p, bool *group)
{
    static const char letters[] = "imsU";
    str from = p->rest;
    unsigned flags = p->flags;
    bool negative = false, any = false;

    regex_parse_skip(p, 2);
    while (p->rest.n != 0) {
        char c = p->rest.p[0];
        const char *hit = c != '\0' ? strchr(letters, c) : NULL;
        uint32_t r;

        regex_parse_skip(p, utf8_decode(p->rest, &r));
        if (hit != NULL) {
            unsigned bit = 1u << (hit - letters);

            flags = negative ? flags & ~bit : flags | bit;
            any = true;
        } else if (c == '-' && !negative) {
            negative = true;
            any = false; /* "(?i-)" names nothing behind the minus */
        } else if ((c == ':' || c == ')') && (!negative || any)) {
            *group = c == ':';
            p->flags = flags;
            return true;
        } else {
            return regex_parse_fail(p, "invalid or unsupported Perl syntax", since(p, from));
        }
    }
    return regex_parse_fail(p, "missing closing )", p->all);
}

/* A group, or a change of flags (*out NULL). */
static bool parse_group(struct regex_parse_parser *p, struct re_node **out)
{
    unsigned saved = p->flags;
    struct re_node *n = NULL, *body;
    str name = STR_NONE;
    bool captures = true;

    *out = NULL;
    if (str_starts_with(p->rest, S("(?P<")) || str_starts_with(p->rest, S("(?<"))) {
        if (!open_named(p, p->rest.p[2] == 'P' ? 4 : 3, &name))
            return false;
    } else if (str_starts_with(p->rest, S("(?"))) {
        if (!parse_flags(p, &captures))
            return false;
        if (!captures)
            return true; /* flags only: they stay */
        captures = false;
    } else {
        regex_parse_skip(p, 1);
    }
    if (captures) {
        n = re_node_new(p->a, RE_CAPTURE);
        n->capture = (uint32_t)p->names.n;
        vec_push(&p->names, name);
    }
    if (++p->depth > RE_DEPTH_MAX)
        return regex_parse_fail(p, "expression nests too deeply", p->all);
    body = parse_alt(p);
    p->depth--;
    if (body == NULL)
        return false;
    if (!at(p, ')'))
        return regex_parse_fail(p, "missing closing )", p->all);
    regex_parse_skip(p, 1);
    p->flags = saved;
    if (n != NULL)
        re_node_add(n, body);
    *out = n != NULL ? n : body;
    return true;
}

/* False when a product of nested repeats exceeds the limit: x{100}{100} as (x{100}){100}. */
static bool repeat_is_within(const struct re_node *n, int limit)
{
    if (n->op == RE_REPEAT) {
        int m = n->max == RE_INFINITE ? n->min : n->max;

        if (n->max == 0)
            return true;
        if (m > limit)
            return false;
        if (m > 0)
            limit /= m;
    }
    for (const struct re_node *c = n->first; c != NULL; c = c->next)
        if (!repeat_is_within(c, limit))
            return false;
    return true;
}

static bool read_count(str *rest, int *out)
{
    int v = 0;
    size_t i = 0;

    for (; i < rest->n && rest->p[i] >= '0' && rest->p[i] <= '9'; i++)
        if (v <= RE_REPEAT_MAX) /* larger is as good as any other too large */
            v = v * 10 + (rest->p[i] - '0');
    if (i == 0 || (i > 1 && rest->p[0] == '0'))
        return false;
    *rest = str_sub(*rest, i, rest->n);
    *out = v;
    return true;
}

/* Reads a repetition operator; false when there is none ("{" that is no count is a literal). */
static bool read_repeat(struct regex_parse_parser *p, int *min, int *max)
{
    str rest = str_sub(p->rest, 1, p->rest.n);

    switch (p->rest.n != 0 ? p->rest.p[0] : '\0') {
    case '*': *min = 0, *max = RE_INFINITE; break;
    case '+': *min = 1, *max = RE_INFINITE; break;
    case '?': *min = 0, *max = 1; break;
    case '{':
        if (!read_count(&rest, min))
            return false;
        *max = *min;
        if (rest.n != 0 && rest.p[0] == ',') {
            rest = str_sub(rest, 1, rest.n);
            *max = RE_INFINITE;
            if (rest.n != 0 && rest.p[0] != '}' && !read_count(&rest, max))
                return false;
        }
        if (rest.n == 0 || rest.p[0] != '}')
            return false;
        rest = str_sub(rest, 1, rest.n);
        break;
    default: return false;
    }
    p->rest = rest;
    return true;
}

/* Wraps *atom into the repetition that stands here. *op: the operator before, if one has just ended
 * here. */
static bool apply_repeat(struct regex_parse_parser *p, struct re_node *cat, str from, int min,
                         int max, str *op)
{
    struct re_node *atom = cat->last, *inner;
    bool lazy = (p->flags & FLAG_UNGREEDY) != 0;

    if (min > RE_REPEAT_MAX || max > RE_REPEAT_MAX || (max != RE_INFINITE && min > max))
        return regex_parse_fail(p, "invalid repeat count", since(p, from));
    if (at(p, '?')) {
        regex_parse_skip(p, 1);
        lazy = !lazy;
    }
    if (op->n != 0)
        return regex_parse_fail(p, "invalid nested repetition operator",
                                str_sub(*op, 0, op->n - p->rest.n));
    if (atom == NULL)
        return regex_parse_fail(p, "missing argument to repetition operator", since(p, from));
    /* The node keeps its place in the list and becomes the repetition of a copy of itself. */
    inner = arena_new(p->a, struct re_node);
    *inner = *atom;
    *atom = (struct re_node){
        .op = RE_REPEAT, .min = min, .max = max, .lazy = lazy, .first = inner, .last = inner};
    if ((min >= 2 || max >= 2) && !repeat_is_within(atom, RE_REPEAT_MAX))
        return regex_parse_fail(p, "invalid repeat count", since(p, from));
    *op = from;
    return true;
}

static void regex_parse_add_quoted(struct regex_parse_parser *p, struct re_node *cat)
{
    ptrdiff_t end;
    str text;

    regex_parse_skip(p, 2);
    end = str_find_str(p->rest, S("\\E"));
    text = end >= 0 ? str_sub(p->rest, 0, (size_t)end) : p->rest;
    regex_parse_skip(p, text.n + (end >= 0 ? 2 : 0));
    while (text.n != 0) {
        uint32_t r;
        size_t k = utf8_decode(text, &r);

        re_node_add(cat, rune_node(p, r));
        text = str_sub(text, k, text.n);
    }
}

static struct re_node *parse_plain(struct regex_parse_parser *p)
{
    uint32_t r;

    switch (p->rest.p[0]) {
    case '.':
        regex_parse_skip(p, 1);
        return re_node_new(p->a, (p->flags & FLAG_DOTALL) ? RE_ANY_NL : RE_ANY);
    case '^':
        regex_parse_skip(p, 1);
        return re_node_new(p->a, (p->flags & FLAG_MULTILINE) ? RE_LINE_START : RE_TEXT_START);
    case '$':
        regex_parse_skip(p, 1);
        return re_node_new(p->a, (p->flags & FLAG_MULTILINE) ? RE_LINE_END : RE_TEXT_END);
    case '[': return parse_class(p);
    case '\\': return parse_escape(p);
    default: regex_parse_skip(p, utf8_decode(p->rest, &r)); return rune_node(p, r);
    }
}

static struct re_node *parse_cat(struct regex_parse_parser *p)
{
    struct re_node *cat = re_node_new(p->a, RE_CAT), *n;
    str op = STR_NONE; /* the repetition operator that ended just here, with all that follows */

    while (p->rest.n != 0 && !at(p, '|') && !at(p, ')')) {
        str from = p->rest;
        int min, max;

        if (read_repeat(p, &min, &max)) {
            if (!apply_repeat(p, cat, from, min, max, &op))
                return NULL;
            continue;
        }
        op = STR_NONE;
        if (arena_is_full(p->a)) {
            (void)!err_set(p->e, ERR_INVALID,
                           "error parsing regexp: expression too large: %zu bytes take %zu",
                           p->all.n, p->a->used);
            return NULL;
        }
        if (str_starts_with(p->rest, S("\\Q"))) {
            regex_parse_add_quoted(p, cat);
            continue;
        }
        if (at(p, '(')) {
            if (!parse_group(p, &n))
                return NULL;
        } else {
            n = parse_plain(p);
            if (n == NULL)
                return NULL;
        }
        if (n != NULL)
            re_node_add(cat, n);
    }
    if (cat->first == NULL)
        cat->op = RE_EMPTY;
    return cat->first != NULL && cat->first == cat->last ? cat->first : cat;
}

static struct re_node *parse_alt(struct regex_parse_parser *p)
{
    struct re_node *first = parse_cat(p), *alt;

    if (first == NULL || !at(p, '|'))
        return first;
    alt = re_node_new(p->a, RE_ALT);
    re_node_add(alt, first);
    while (at(p, '|')) {
        struct re_node *n;

        regex_parse_skip(p, 1);
        n = parse_cat(p);
        if (n == NULL)
            return NULL;
        re_node_add(alt, n);
    }
    return alt;
}

static void take_names(struct regex_parse_parser *p, struct re_tree *out)
{
    out->groups = p->names.n;
    out->names = arena_array(p->a, p->names.n, sizeof(str));
    for (size_t i = 0; i < p->names.n; i++)
        out->names[i] = arena_str(p->a, p->names.v[i]);
}

bool re_parse(str pattern, bool dotall, struct arena *a, struct re_tree *out, struct err *e)
{
    struct regex_parse_parser p = {.all = pattern, .rest = pattern, .a = a, .e = e};
    struct re_node *root;

    if (pattern.n > RE_LIST_MAX)
        return err_set(e, ERR_INVALID,
                       "error parsing regexp: expression too large: %zu bytes, at most %d",
                       pattern.n, RE_LIST_MAX);
    if (!utf8_is_valid(pattern))
        return regex_parse_fail(&p, "invalid UTF-8", pattern);
    p.flags = dotall ? FLAG_DOTALL : 0;
    vec_push(&p.names, STR_NONE);
    root = parse_alt(&p);
    if (root != NULL && at(&p, ')'))
        root = fail_node(&p, "unexpected )", pattern);
    if (root != NULL) {
        out->root = root;
        take_names(&p, out);
    }
    vec_release(&p.names);
    return root != NULL;
}
