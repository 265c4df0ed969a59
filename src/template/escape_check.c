/* escape_check.c - a template is only as safe as the place of each value is known, so all branches are walked before any
 * is executed. Two branches that meet must end in the same context; a body that is repeated must end where it began:
 *
 *     {{if .X}}<a href="{{else}}<b>{{end}}     refused: the text behind is an address in one branch and text in the other
 *
 * Contexts that differ only in the part of a URL, or in what a slash means, meet in "unknown", which is refused where it
 * matters. A named template is walked once for each context that it is called in; while it is, a call of itself is
 * assumed to end where it begins, and the assumption is checked at its end.
 */
#include "base/vec.h"
#include "template/escape.h"

struct known {
    const struct tmpl_tree *tree;
    struct tmpl_escape in, out;
    bool is_used; /* the assumption about out was needed */
};

/* The contexts at a loop's break and continue. */
struct exit {
    struct tmpl_escape at;
    const struct tmpl_node *node;
};

struct escape_check_loop {
    VEC(struct exit) exits;
    struct escape_check_loop *outer;
};

struct escape_check_check {
    const struct tmpl_exec_input *in;
    const struct tmpl_tree *tree;
    struct escape_check_loop *loop;
    VEC(struct known) known;
    const struct tmpl_node *again; /* the loop whose second turn this is; NULL: none's */
    uint64_t steps;                /* that may still be taken */
    unsigned depth;
    struct err *e;
};

static const char second_turn[] = "on range loop re-entry: ";

static bool escape_check_walk_list(struct escape_check_check *k, struct tmpl_escape *x,
                                   const struct tmpl_node *list);

/* Work for n steps. False: there are not so many left. */
static bool escape_check_take(struct escape_check_check *k, uint64_t n)
{
    bool enough = n <= k->steps;

    k->steps -= enough ? n : k->steps;
    return enough;
}

/* "html/template:NAME:LINE:COL: " in front of the message. */
static bool escape_check_fail(struct escape_check_check *k, const struct tmpl_node *n,
                              const char *fmt, ...) printf_like(3, 4);
static bool escape_check_fail(struct escape_check_check *k, const struct tmpl_node *n,
                              const char *fmt, ...)
{
    struct buf why = BUF_INIT;
    size_t line, col;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&why, fmt, ap);
    va_end(ap);
    tmpl_node_place(k->tree, n->pipe != NULL && n->list != NULL ? n->pipe : n, &line, &col);
    err_at(k->e, (int)line, (int)col + 1, "html/template:%.*s:%zu:%zu: %s%.*s",
           STR(k->tree->parse_name), line, col, k->again != NULL ? second_turn : "",
           STR(buf_str(&why)));
    buf_release(&why);
    return false;
}

static bool escape_check_same(const struct tmpl_escape *a, const struct tmpl_escape *b)
{
    return a->state == b->state && a->delim == b->delim && a->url == b->url &&
           a->slash == b->slash && a->attr == b->attr && a->element == b->element &&
           a->n_braces == b->n_braces && memcmp(a->braces, b->braces, sizeof(a->braces)) == 0;
}

/* The context that stands for both, in *a. */
static bool escape_check_join(struct tmpl_escape *a, const struct tmpl_escape *b)
{
    struct tmpl_escape c = *a, d = *b;

    if (b->state == HS_DEAD || escape_check_same(a, b))
        return true;
    if (a->state == HS_DEAD) {
        *a = *b;
        return true;
    }
    c.url = b->url;
    if (escape_check_same(&c, b)) {
        a->url = URL_UNKNOWN;
        return true;
    }
    c = *a;
    c.slash = b->slash;
    if (escape_check_same(&c, b)) {
        a->slash = SLASH_UNKNOWN;
        return true;
    }
    /* <p title={{if .X}}{{.}}{{end}}: a value has begun in one branch and may begin in the other. */
    c = *a;
    tmpl_escape_enter(&c);
    tmpl_escape_enter(&d);
    if ((escape_check_same(&c, a) && escape_check_same(&d, b)) || !escape_check_join(&c, &d))
        return false;
    *a = c;
    return true;
}

static bool join_branches(struct escape_check_check *k, struct tmpl_escape *a,
                          const struct tmpl_escape *b, const struct tmpl_node *n, const char *word,
                          const char *when)
{
    struct tmpl_escape was = *a;
    struct buf both = BUF_INIT;

    if (escape_check_join(a, b))
        return true;
    tmpl_escape_print(&both, &was);
    buf_adds(&both, ", ");
    tmpl_escape_print(&both, b);
    (void)escape_check_fail(k, n, "%s{{%s}} branches end in different contexts: %.*s", when, word,
                            STR(buf_str(&both)));
    buf_release(&both);
    return false;
}

static bool join_exits(struct escape_check_check *k, struct tmpl_escape *x,
                       const struct escape_check_loop *loop)
{
    VEC_EACH (const struct exit *, it, &loop->exits)
        if (!join_branches(k, x, &it->at, it->node, "range",
                           it->node->kind == TN_BREAK ? "at range loop break: "
                                                      : "at range loop continue: "))
            return false;
    return true;
}

/* One walk over the body of a loop, from *x. */
static bool walk_body(struct escape_check_check *k, struct tmpl_escape *x,
                      const struct tmpl_node *n)
{
    struct escape_check_loop loop = {.exits = VEC_INIT, .outer = k->loop};
    bool ok;

    k->loop = &loop;
    ok = escape_check_walk_list(k, x, n->list);
    k->loop = loop.outer;
    ok = ok && join_exits(k, x, &loop);
    vec_release(&loop.exits);
    return ok;
}

/* Once more from where the body ended: what it would be escaped for in the second turn. */
static bool walk_again(struct escape_check_check *k, struct tmpl_escape *x,
                       const struct tmpl_node *n)
{
    struct tmpl_escape again = *x;
    const struct tmpl_node *before = k->again;
    bool ok;

    k->again = n;
    ok = walk_body(k, &again, n) && join_branches(k, x, &again, n, "range", "");
    k->again = before;
    return ok;
}

static bool walk_branches(struct escape_check_check *k, struct tmpl_escape *x,
                          const struct tmpl_node *n)
{
    const char *word = n->kind == TN_IF ? "if" : n->kind == TN_WITH ? "with" : "range";
    struct tmpl_escape other = *x, before = *x;

    if (n->kind == TN_RANGE) {
        if (!walk_body(k, x, n))
            return false;
        if (!escape_check_same(x, &before) && x->state != HS_DEAD && !walk_again(k, x, n))
            return false;
    } else if (!escape_check_walk_list(k, x, n->list)) {
        return false;
    }
    if (n->else_list != NULL && !escape_check_walk_list(k, &other, n->else_list))
        return false;
    return join_branches(k, x, &other, n, word, "");
}

/* Where the body ends when it begins in *x, if a call of itself there ends in assumed. *ok: it does. */
static bool walk_assuming(struct escape_check_check *k, struct tmpl_escape *x,
                          const struct tmpl_tree *tree, struct tmpl_escape assumed, bool *ok)
{
    size_t at = k->known.n;

    vec_push(&k->known, (struct known){.tree = tree, .in = *x, .out = assumed});
    if (!escape_check_walk_list(k, x, tree->root))
        return false;
    *ok = !k->known.v[at].is_used || escape_check_same(x, &assumed);
    if (*ok)
        k->known.v[at].out = *x;
    else
        k->known.n = at; /* and what was learned under a wrong assumption */
    return true;
}

static bool walk_tree(struct escape_check_check *k, struct tmpl_escape *x,
                      const struct tmpl_tree *tree)
{
    const struct tmpl_tree *caller = k->tree;
    struct escape_check_loop *loop = k->loop;
    struct tmpl_escape end = *x;
    bool ok;

    k->tree = tree;
    k->loop = NULL;
    if (!walk_assuming(k, &end, tree, *x, &ok))
        return false;
    if (!ok) {
        struct tmpl_escape assumed = end;

        end = *x;
        if (!walk_assuming(k, &end, tree, assumed, &ok))
            return false;
    }
    if (!ok)
        return escape_check_fail(k, tree->root, "cannot compute output context for template %.*s",
                                 STR(tree->name));
    k->tree = caller;
    k->loop = loop;
    *x = end;
    return true;
}

static bool escape_check_walk_template(struct escape_check_check *k, struct tmpl_escape *x,
                                       const struct tmpl_node *n)
{
    const struct tmpl_tree *callee = tmpl_lookup(k->in, n->value, &k->steps);

    if (callee == NULL) {
        (void)escape_check_fail(k, n, "no such template \"%.*s\"", STR(n->value));
        if (k->e != NULL)
            k->e->code = ERR_NOT_FOUND;
        return false;
    }
    escape_check_take(k, k->known.n / TMPL_STEP_ITEMS);
    VEC_EACH (struct known *, it, &k->known) {
        if (it->tree == callee && escape_check_same(&it->in, x)) {
            it->is_used = true;
            *x = it->out;
            return true;
        }
    }
    return walk_tree(k, x, callee);
}

static bool is_url_state(enum tmpl_html_state s)
{
    return s == HS_URL || (s >= HS_CSS_DQ && s <= HS_CSS_SQ_URL);
}

/* html and urlquery only make sense as the last word, and html not where a blank would end the value. */
static bool escape_check_pipeline(struct escape_check_check *k, const struct tmpl_escape *x,
                                  const struct tmpl_node *n)
{
    for (size_t i = 0; i < n->pipe->n_kids; i++) {
        const struct tmpl_node *f = n->pipe->kids[i]->kids[0];
        bool is_html = f->kind == TN_IDENTIFIER && str_is(f->text, "html");

        if (!is_html && !(f->kind == TN_IDENTIFIER && str_is(f->text, "urlquery")))
            continue;
        if (i + 1 < n->pipe->n_kids || (is_html && x->state == HS_ATTR && x->delim == DELIM_BLANK))
            return escape_check_fail(k, n, "predefined escaper \"%.*s\" disallowed in template",
                                     STR(f->text));
    }
    return true;
}

static bool escape_check_walk_action(struct escape_check_check *k, struct tmpl_escape *x,
                                     const struct tmpl_node *n)
{
    struct buf at = BUF_INIT;

    if (n->pipe->n_idents != 0)
        return true;
    tmpl_escape_enter(x);
    if (!escape_check_pipeline(k, x, n))
        return false;
    if (is_url_state(x->state) && x->url == URL_UNKNOWN) {
        tmpl_node_print(&at, n);
        (void)escape_check_fail(k, n, "%.*s appears in an ambiguous context within a URL",
                                STR(buf_str(&at)));
        buf_release(&at);
        return false;
    }
    tmpl_escape_leave(x);
    return true;
}

/* Go knows no line here, but for the loop's. */
static bool text_fault(struct escape_check_check *k, str name)
{
    struct err why = *k->e;

    if (k->again != NULL)
        return err_set(k->e, why.code, "html/template:%.*s:%d: %s%s", STR(name), k->again->line,
                       second_turn, why.msg);
    return err_set(k->e, why.code, "html/template%s%.*s: %s", name.n != 0 ? ":" : "", STR(name),
                   why.msg);
}

static bool escape_check_walk(struct escape_check_check *k, struct tmpl_escape *x,
                              const struct tmpl_node *n)
{
    if (!escape_check_take(k, 1 + n->text.n / 64))
        return err_set(k->e, ERR_LIMIT, "html/template: the template takes more than %llu steps",
                       (unsigned long long)k->in->limits.steps);
    switch (n->kind) {
    case TN_TEXT:
        return tmpl_escape_text(x, NULL, n->text, k->e) || text_fault(k, k->tree->parse_name);
    case TN_ACTION: return escape_check_walk_action(k, x, n);
    case TN_IF:
    case TN_WITH:
    case TN_RANGE: return walk_branches(k, x, n);
    case TN_TEMPLATE: return escape_check_walk_template(k, x, n);
    case TN_BREAK:
    case TN_CONTINUE:
        if (k->loop != NULL)
            vec_push(&k->loop->exits, (struct exit){*x, n});
        x->state = HS_DEAD;
        return true;
    default: return escape_check_walk_list(k, x, n);
    }
}

static bool escape_check_walk_list(struct escape_check_check *k, struct tmpl_escape *x,
                                   const struct tmpl_node *list)
{
    if (++k->depth > k->in->limits.depth)
        return err_set(k->e, ERR_LIMIT, "html/template: exceeded maximum template depth (%u)",
                       k->in->limits.depth);
    for (size_t i = 0; i < list->n_kids && x->state != HS_DEAD; i++)
        if (!escape_check_walk(k, x, list->kids[i]))
            return false;
    k->depth--;
    return true;
}

bool tmpl_escape_check(const struct tmpl_exec_input *in, const struct tmpl_tree *tree,
                       struct err *e)
{
    struct escape_check_check k = {
        .in = in, .tree = tree, .known = VEC_INIT, .steps = in->limits.steps, .e = e};
    struct tmpl_escape x = {.state = HS_TEXT};
    struct buf end = BUF_INIT;
    bool ok = walk_tree(&k, &x, tree);

    if (ok && x.state != HS_TEXT) {
        tmpl_escape_print(&end, &x);
        err_set(e, ERR_INVALID, "ends in a non-text context: %.*s", STR(buf_str(&end)));
        ok = text_fault(&k, tree->name);
    }
    buf_release(&end);
    vec_release(&k.known);
    return ok;
}
