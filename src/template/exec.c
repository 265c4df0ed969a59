/* The walk follows the tree; what stands between {{ and }} is evaluated in eval.c. A fault sets failed, and everything
 * unwinds from there with values that mean nothing.
 *
 *     {{range $i, $e := .L}}{{$i}}={{$e}} {{end}}   over L = [a b]   writes   0=a 1=b
 */
#include "template/exec.h"

#include "template/eval.h"
#include "template/printf.h"

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE, FLOW_FAILED };

static enum flow exec_walk(struct exec *x, const struct tmpl_value *dot, const struct tmpl_node *n);

static enum flow exec_walk_list(struct exec *x, const struct tmpl_value *dot,
                                const struct tmpl_node *list)
{
    enum flow flow = FLOW_ON;

    for (size_t i = 0; i < list->n_kids && flow == FLOW_ON; i++)
        flow = exec_walk(x, dot, list->kids[i]);
    return flow;
}

static enum tmpl_escaped escaped_by(const struct tmpl_node *pipe)
{
    const struct tmpl_node *last = pipe->kids[pipe->n_kids - 1]->kids[0];

    if (last->kind != TN_IDENTIFIER)
        return ESCAPED_NOT;
    return str_is(last->text, "html")       ? ESCAPED_HTML
           : str_is(last->text, "urlquery") ? ESCAPED_URL
                                            : ESCAPED_NOT;
}

static enum flow exec_walk_action(struct exec *x, const struct tmpl_value *dot,
                                  const struct tmpl_node *n)
{
    struct tmpl_value v = eval_pipeline(x, dot, n->pipe);

    if (x->failed)
        return FLOW_FAILED;
    if (n->pipe->n_idents != 0)
        return FLOW_ON;
    if (x->in->run->mode == TEMPLATE_HTML) {
        tmpl_escape_value(&x->escape, &x->env, x->out, &v, escaped_by(n->pipe));
    } else if (v.kind == TV_NONE) {
        buf_adds(x->out, "<no value>");
    } else {
        tmpl_print(&x->env, x->out, &v);
    }
    return x->failed ? FLOW_FAILED : FLOW_ON;
}

static enum flow walk_if_or_with(struct exec *x, const struct tmpl_value *dot,
                                 const struct tmpl_node *n)
{
    size_t mark = x->vars.n;
    struct tmpl_value v = eval_pipeline(x, dot, n->pipe);
    enum flow flow = FLOW_ON;

    if (x->failed)
        return FLOW_FAILED;
    if (tv_truth(&v))
        flow = exec_walk_list(x, n->kind == TN_WITH ? &v : dot, n->list);
    else if (n->else_list != NULL)
        flow = exec_walk_list(x, dot, n->else_list);
    x->vars.n = mark;
    return flow;
}

/* One turn of a range. False ends it; *flow says how. */
static bool exec_turn(struct exec *x, const struct tmpl_node *n, size_t mark,
                      const struct tmpl_value *index, const struct tmpl_value *elem,
                      enum flow *flow)
{
    const struct tmpl_node *pipe = n->pipe;

    *flow = FLOW_FAILED;
    if (!exec_step(x))
        return false;
    for (size_t i = 0; i < pipe->n_idents; i++) {
        const struct tmpl_value *v = pipe->n_idents == 2 && i == 0 ? index : elem;
        struct tmpl_value *old =
            pipe->is_assign ? exec_variable(x, pipe->idents[i]) : &x->vars.v[mark + i].value;

        if (old != NULL)
            *old = *v;
    }
    *flow = exec_walk_list(x, elem, n->list);
    x->vars.n = mark + (pipe->is_assign ? 0 : pipe->n_idents);
    if (*flow == FLOW_FAILED || x->failed) {
        *flow = FLOW_FAILED;
        return false;
    }
    if (*flow == FLOW_BREAK) {
        *flow = FLOW_ON;
        return false;
    }
    *flow = FLOW_ON;
    return true;
}

static void cannot_iterate(struct exec *x, const struct tmpl_value *v)
{
    struct buf b = BUF_INIT;

    tmpl_print(&x->env, &b, v);
    exec_fail(x, ERR_INVALID, "range can't iterate over %.*s", STR(buf_str(&b)));
    buf_release(&b);
}

static enum flow walk_range(struct exec *x, const struct tmpl_value *dot, const struct tmpl_node *n)
{
    size_t outer = x->vars.n, count = 0;
    struct tmpl_value v = eval_pipeline(x, dot, n->pipe);
    struct tmpl_map map;
    enum flow flow = FLOW_ON;

    if (x->failed)
        return FLOW_FAILED;
    switch (v.kind) {
    case TV_LIST:
        for (; count < v.list.n; count++) {
            struct tmpl_value index = tv_int((int64_t)count);

            if (!exec_turn(x, n, outer, &index, &v.list.v[count], &flow))
                break;
        }
        count = v.list.n;
        break;
    case TV_MAP:
        map = tv_map_of(&v);
        for (; count < map.n; count++) {
            struct tmpl_value key = tv_str(map.v[count].key);

            if (!exec_turn(x, n, outer, &key, &map.v[count].value, &flow))
                break;
        }
        count = map.n;
        break;
    case TV_INT:
        for (int64_t i = 0; i < v.i; i++) {
            struct tmpl_value index = tv_int(i);

            if (!exec_turn(x, n, outer, &index, &index, &flow))
                break;
        }
        count = v.i > 0;
        break;
    case TV_NONE: break;
    default: cannot_iterate(x, &v);
    }
    if (count == 0 && n->else_list != NULL && !x->failed)
        flow = exec_walk_list(x, dot, n->else_list);
    x->vars.n = outer;
    return x->failed ? FLOW_FAILED : flow;
}

static enum flow exec_walk_template(struct exec *x, const struct tmpl_value *dot,
                                    const struct tmpl_node *n)
{
    const struct tmpl_tree *callee = tmpl_lookup(x->in, n->value, &x->env.steps), *caller = x->tree;
    size_t mark = x->vars.n;
    struct tmpl_value v = TV_ZERO;
    enum flow flow;

    exec_at(x, n);
    if (callee == NULL) {
        exec_fail(x, ERR_NOT_FOUND, "template \"%.*s\" not defined", STR(n->value));
        return FLOW_FAILED;
    }
    if (n->pipe != NULL)
        v = eval_pipeline(x, dot, n->pipe);
    if (x->failed)
        return FLOW_FAILED;
    tmpl_entered(x->in, callee);
    /* The callee sees none of our variables: names are resolved by the parser, only $ is shadowed. */
    x->tree = callee;
    exec_push(x, S("$"), v);
    flow = exec_walk_list(x, &v, callee->root);
    x->vars.n = mark;
    if (!x->failed)
        x->tree = caller;
    exec_at(x, n);
    return flow == FLOW_FAILED ? FLOW_FAILED : FLOW_ON;
}

/* The check before has walked all text, so a fault here is one of the check. */
static void walk_text(struct exec *x, str text)
{
    struct err why = ERR_INIT;

    if (x->in->run->mode != TEMPLATE_HTML)
        buf_add(x->out, text);
    else if (!tmpl_escape_text(&x->escape, x->out, text, &why))
        exec_fail(x, why.code, "%s", why.msg);
}

static enum flow exec_walk(struct exec *x, const struct tmpl_value *dot, const struct tmpl_node *n)
{
    enum flow flow = FLOW_ON;

    exec_at(x, n); /* which is of x->tree, and so may fail */
    if (!exec_step(x) || !exec_deeper(x))
        return FLOW_FAILED;
    switch (n->kind) {
    case TN_TEXT: walk_text(x, n->text); break;
    case TN_ACTION: flow = exec_walk_action(x, dot, n); break;
    case TN_IF:
    case TN_WITH: flow = walk_if_or_with(x, dot, n); break;
    case TN_RANGE: flow = walk_range(x, dot, n); break;
    case TN_TEMPLATE: flow = exec_walk_template(x, dot, n); break;
    case TN_BREAK: flow = FLOW_BREAK; break;
    case TN_CONTINUE: flow = FLOW_CONTINUE; break;
    default: flow = exec_walk_list(x, dot, n);
    }
    x->depth--;
    return flow;
}

bool tmpl_exec(const struct tmpl_exec_input *in, const struct tmpl_tree *tree, struct buf *out,
               struct err *e)
{
    struct arena a;
    struct exec x = {.in = in, .tree = tree, .out = out, .out_start = out->n, .e = e};
    struct tmpl_value dot = in->run->data;

    if (in->run->mode == TEMPLATE_HTML && !tmpl_escape_check(in, tree, e))
        return false;
    arena_init(&a, in->limits.memory);
    x.env = (struct tmpl_env){.a = &a,
                              .now = in->run->now,
                              .zone = in->run->zone,
                              .local = in->run->local,
                              .load_zone = in->run->load_zone,
                              .host = in->run->host,
                              .root = &in->run->data,
                              .steps = in->limits.steps};
    tmpl_entered(in, tree);
    exec_push(&x, S("$"), dot);
    exec_walk_list(&x, &dot, tree->root);
    (void)exec_step(&x);
    if (x.failed)
        out->n = x.out_start;
    tmpl_env_release(&x.env);
    vec_release(&x.vars);
    arena_release(&a);
    return !x.failed;
}
