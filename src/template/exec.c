/* The walk follows the tree. "Current node" is what an error names: it is set where Go sets it, so that the column of a
 * message agrees. A fault sets failed, and everything unwinds from there with values that mean nothing.
 *
 *     {{range $i, $e := .L}}{{$i}}={{$e}} {{end}}   over L = [a b]   writes   0=a 1=b
 *
 * An argument is checked against the type of its parameter: a constant of the wrong kind is "expected string; found 3",
 * a computed value "wrong type for value; expected string; got int".
 */
#include "template/exec.h"

#include <math.h>
#include "base/vec.h"
#include "codec/quote.h"
#include "template/escape.h"
#include "template/printf.h"
#include "template/time_methods.h"

enum { ARGUMENTS_MAX = 256 };

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE, FLOW_FAILED };

struct variable {
    str name;
    struct tmpl_value value;
};

struct exec {
    const struct tmpl_exec_input *in;
    struct tmpl_env env;
    const struct tmpl_tree *tree;
    const struct tmpl_node *node;
    VEC(struct variable) vars;
    struct buf *out;
    size_t out_start;
    struct tmpl_escape escape;
    uint64_t steps;
    unsigned depth;
    bool failed;
    struct err *e;
};

typedef struct tmpl_value value_; /* short inside of this file */

static const struct tmpl_value missing = {.kind =
                                              TV_NONE}; /* its address means: no final argument */
#define MISSING (&missing)

/* -- faults and limits -- */

static void fail(struct exec *x, enum err_code code, const char *fmt, ...) printf_like(3, 4);
static void fail(struct exec *x, enum err_code code, const char *fmt, ...)
{
    struct buf why = BUF_INIT, at = BUF_INIT;
    size_t line, col;
    va_list ap;

    if (x->failed)
        return;
    x->failed = true;
    va_start(ap, fmt);
    buf_vaddf(&why, fmt, ap);
    va_end(ap);
    if (x->node == NULL) {
        err_set(x->e, code, "template: %.*s: %.*s", STR(x->tree->name), STR(buf_str(&why)));
        buf_release(&why);
        return;
    }
    tmpl_node_place(x->tree, x->node, &line, &col);
    tmpl_node_print(&at, x->node);
    err_at(x->e, (int)line, (int)col + 1,
           "template: %.*s:%zu:%zu: executing \"%.*s\" at <%.*s>: %.*s", STR(x->tree->parse_name),
           line, col, STR(x->tree->name), STR(buf_str(&at)), STR(buf_str(&why)));
    if (x->e != NULL)
        x->e->code = code;
    buf_release(&why);
    buf_release(&at);
}

static bool step(struct exec *x)
{
    if (x->failed)
        return false;
    if (++x->steps > x->in->limits.steps)
        fail(x, ERR_LIMIT, "the template takes more than %llu steps",
             (unsigned long long)x->in->limits.steps);
    else if (x->out->n - x->out_start > x->in->limits.output)
        fail(x, ERR_LIMIT, "the output is longer than %zu bytes", x->in->limits.output);
    else if (arena_is_full(x->env.a))
        fail(x, ERR_LIMIT, "the template needs more than %zu bytes of memory",
             x->in->limits.memory);
    return !x->failed;
}

static bool deeper(struct exec *x)
{
    if (++x->depth <= x->in->limits.depth)
        return true;
    fail(x, ERR_LIMIT, "exceeded maximum template depth (%u)", x->in->limits.depth);
    return false;
}

static void at(struct exec *x, const struct tmpl_node *n)
{
    if (!x->failed)
        x->node = n;
}

/* The node's text, in the arena. */
static str node_text(struct exec *x, const struct tmpl_node *n)
{
    struct buf b = BUF_INIT;

    tmpl_node_print(&b, n);
    return tv_copy_buf(x->env.a, &b).s;
}

/* -- evaluation -- */

static value_ eval_pipeline(struct exec *x, const value_ *dot, const struct tmpl_node *pipe);
static value_ eval_arg(struct exec *x, const value_ *dot, char type, const struct tmpl_node *n);
static enum flow walk(struct exec *x, const value_ *dot, const struct tmpl_node *n);

static bool is_list(char type)
{
    return type == 'l' || type == 'q';
}

static const struct tmpl_type *list_type(char type)
{
    return type == 'l' ? &tmpl_strings : &tmpl_samples;
}

static value_ validate(struct exec *x, value_ v, char type)
{
    if (v.kind == TV_NONE || v.kind == TV_NIL) {
        if (type == 'a')
            return v.kind == TV_NIL ? v : (value_){.kind = TV_NIL};
        if (is_list(type))
            return tv_list(list_type(type), NULL, 0);
        fail(x, ERR_INVALID, "invalid value; expected %s", tv_param_name(type));
        return v;
    }
    if (!tv_fits(type, &v))
        fail(x, ERR_INVALID, "wrong type for value; expected %s; got %s", tv_param_name(type),
             tv_type_name(&v));
    return v;
}

static char param_at(const char *params, size_t i)
{
    size_t n = strlen(params);

    if (n >= 2 && params[n - 1] == '*')
        return i < n - 2 ? params[i] : params[n - 2];
    return params[i];
}

struct call {
    const struct tmpl_func *f;
    const value_ *receiver; /* of a method, or NULL */
    const struct tmpl_node *node;
    str name;
    const struct tmpl_node *const *args; /* without the function itself */
    size_t n_args;
    const value_ *final;
};

static bool check_count(struct exec *x, const struct call *c)
{
    size_t n = strlen(c->f->params), given = c->n_args + (c->final != MISSING);
    bool is_variadic = n >= 2 && c->f->params[n - 1] == '*';

    if (is_variadic ? given < n - 2 : given != n) {
        fail(x, ERR_INVALID, "wrong number of args for %.*s: want %s%zu got %zu", STR(c->name),
             is_variadic ? "at least " : "", is_variadic ? n - 2 : n,
             is_variadic ? c->n_args : given);
        return false;
    }
    if (given > ARGUMENTS_MAX) {
        fail(x, ERR_LIMIT, "more than %d arguments for %.*s", ARGUMENTS_MAX, STR(c->name));
        return false;
    }
    return true;
}

/* and, or: the first argument that decides, the others are not looked at. */
static value_ short_circuit(struct exec *x, const value_ *dot, const struct call *c)
{
    bool stops_at = str_is(c->name, "or");
    value_ v = TV_ZERO;

    for (size_t i = 0; i < c->n_args; i++) {
        v = eval_arg(x, dot, 'a', c->args[i]);
        if (x->failed || tv_truth(&v) == stops_at)
            return v;
    }
    if (c->final != MISSING)
        v = validate(x, *c->final, 'a');
    return v;
}

static value_ eval_call(struct exec *x, const value_ *dot, const struct call *c)
{
    size_t n = 0;
    value_ *args, out = TV_ZERO;
    struct err why = ERR_INIT;

    if (!step(x) || !check_count(x, c))
        return out;
    if (c->receiver == NULL && c->f->fn == NULL)
        return short_circuit(x, dot, c);
    args = arena_array(x->env.a, c->n_args + 2, sizeof(*args));
    if (c->receiver != NULL)
        args[n++] = *c->receiver;
    for (size_t i = 0; i < c->n_args && !x->failed; i++)
        args[n++] = eval_arg(x, dot, param_at(c->f->params, i), c->args[i]);
    if (c->final != MISSING && !x->failed)
        args[n++] = validate(x, *c->final, param_at(c->f->params, c->n_args));
    if (!step(x))
        return out;
    if (!c->f->fn(&x->env, args, n, &out, &why)) {
        at(x, c->node);
        fail(x, why.code == ERR_LIMIT ? ERR_LIMIT : ERR_INVALID, "error calling %.*s: %s",
             STR(c->name), why.msg);
    }
    return out;
}

/* whole: what a fault inside of the function points to. */
static value_ eval_function(struct exec *x, const value_ *dot, const struct tmpl_node *n,
                            const struct tmpl_node *whole, const struct tmpl_node *const *args,
                            size_t n_args, const value_ *final)
{
    struct call c = {
        .node = whole, .name = n->text, .args = args, .n_args = n_args, .final = final};

    at(x, n);
    for (const struct tmpl_func *const *t = x->in->functions; *t != NULL && c.f == NULL; t++)
        c.f = tmpl_func_find(*t, n->text);
    if (c.f == NULL) {
        fail(x, ERR_INVALID, "\"%.*s\" is not a defined function", STR(n->text));
        return TV_ZERO;
    }
    return eval_call(x, dot, &c);
}

static const struct tmpl_func *find_method(const value_ *v, str name)
{
    const struct tmpl_func *f = v->type != NULL ? tmpl_func_find(v->type->methods, name) : NULL;

    if (f == NULL && v->kind == TV_TIME)
        f = tmpl_func_find(tmpl_time_methods, name);
    if (f == NULL && v->kind == TV_DURATION)
        f = tmpl_func_find(tmpl_duration_methods, name);
    return f;
}

static value_ eval_field(struct exec *x, const value_ *dot, str name, const struct tmpl_node *node,
                         const struct tmpl_node *const *args, size_t n_args, const value_ *final,
                         const value_ *receiver)
{
    bool has_args = n_args > 0 || final != MISSING;
    const struct tmpl_func *method;
    const struct tmpl_field *field;

    if (x->failed || receiver->kind == TV_NONE)
        return TV_ZERO;
    if (receiver->kind == TV_NIL) {
        fail(x, ERR_INVALID, "nil pointer evaluating %s.%.*s", tv_type_name(receiver), STR(name));
        return TV_ZERO;
    }
    method = find_method(receiver, name);
    if (method != NULL) {
        struct call c = {method, receiver, node, name, args, n_args, final};

        return eval_call(x, dot, &c);
    }
    field = receiver->kind == TV_OBJECT ? tmpl_field_find(receiver->type, name) : NULL;
    if (field != NULL) {
        value_ v = TV_ZERO;

        if (has_args)
            fail(x, ERR_INVALID, "%.*s has arguments but cannot be invoked as function", STR(name));
        else if (step(x))
            field->get(&x->env, receiver->object, &v);
        return v;
    }
    if (receiver->kind == TV_MAP) {
        const value_ *hit = tv_map_get(receiver, name);

        if (has_args)
            fail(x, ERR_INVALID, "%.*s is not a method but has arguments", STR(name));
        return hit != NULL ? *hit : tv_map_zero(receiver);
    }
    fail(x, ERR_INVALID, "can't evaluate field %.*s in type %s", STR(name), tv_type_name(receiver));
    return TV_ZERO;
}

/* The fields idents[from..] of receiver; the last one takes the arguments. */
static value_ eval_chain(struct exec *x, const value_ *dot, value_ receiver,
                         const struct tmpl_node *node, size_t from,
                         const struct tmpl_node *const *args, size_t n_args, const value_ *final)
{
    for (size_t i = from; i < node->n_idents && !x->failed; i++) {
        bool last = i + 1 == node->n_idents;

        receiver = eval_field(x, dot, node->idents[i], node, last ? args : NULL, last ? n_args : 0,
                              last ? final : MISSING, &receiver);
    }
    return receiver;
}

static void not_a_function(struct exec *x, const struct tmpl_node *first, size_t n_args,
                           const value_ *final)
{
    if (n_args != 0 || final != MISSING)
        fail(x, ERR_INVALID, "can't give argument to non-function %.*s", STR(node_text(x, first)));
}

static value_ *find_variable(struct exec *x, str name)
{
    for (size_t i = x->vars.n; i-- != 0;)
        if (str_eq(x->vars.v[i].name, name))
            return &x->vars.v[i].value;
    fail(x, ERR_INVALID, "undefined variable: %.*s", STR(name));
    return NULL;
}

static value_ constant(struct exec *x, const struct tmpl_node *n)
{
    at(x, n);
    if (n->kind == TN_STRING)
        return tv_str(n->value);
    if (n->kind == TN_BOOL)
        return tv_bool(n->b);
    if (n->is_ideal_float)
        return tv_float(n->f);
    if (n->is_int)
        return tv_int(n->i);
    fail(x, ERR_INVALID, "%.*s overflows int", STR(n->text));
    return TV_ZERO;
}

/* A node in the place of a function, with its arguments; also an argument alone. */
static value_ eval_first(struct exec *x, const value_ *dot, const struct tmpl_node *first,
                         const struct tmpl_node *whole, const struct tmpl_node *const *args,
                         size_t n_args, const value_ *final)
{
    const value_ *v;
    value_ piped;

    switch (first->kind) {
    case TN_FIELD: at(x, first); return eval_chain(x, dot, *dot, first, 0, args, n_args, final);
    case TN_CHAIN:
        at(x, first);
        if (first->pipe->kind == TN_NIL) {
            fail(x, ERR_INVALID, "indirection through explicit nil in %.*s",
                 STR(node_text(x, first)));
            return TV_ZERO;
        }
        piped = eval_arg(x, dot, 'a', first->pipe);
        return eval_chain(x, dot, piped, first, 0, args, n_args, final);
    case TN_VARIABLE:
        at(x, first);
        v = find_variable(x, first->idents[0]);
        if (v == NULL)
            return TV_ZERO;
        if (first->n_idents == 1)
            not_a_function(x, first, n_args, final);
        return eval_chain(x, dot, *v, first, 1, args, n_args, final);
    case TN_IDENTIFIER: return eval_function(x, dot, first, whole, args, n_args, final);
    case TN_PIPE: not_a_function(x, first, n_args, final); return eval_pipeline(x, dot, first);
    default: break;
    }
    at(x, first);
    not_a_function(x, first, n_args, final);
    if (first->kind == TN_DOT)
        return *dot;
    if (first->kind == TN_NIL) {
        fail(x, ERR_INVALID, "nil is not a command");
        return TV_ZERO;
    }
    return constant(x, first);
}

static value_ eval_arg(struct exec *x, const value_ *dot, char type, const struct tmpl_node *n)
{
    static const char *const found[] = {
        ['b'] = "bool", ['f'] = "float", ['i'] = "integer", ['d'] = "integer", ['s'] = "string"};
    value_ v;

    if (!step(x))
        return TV_ZERO;
    at(x, n);
    switch (n->kind) {
    case TN_NIL:
        if (type != 'a' && !is_list(type))
            fail(x, ERR_INVALID, "cannot assign nil to %s", tv_param_name(type));
        return is_list(type) ? tv_list(list_type(type), NULL, 0) : (value_){.kind = TV_NIL};
    case TN_STRING:
    case TN_BOOL:
    case TN_NUMBER: break;
    default:
        v = eval_first(x, dot, n, n, NULL, 0, MISSING);
        return x->failed ? v : validate(x, v, type);
    }
    if (type == 'a')
        return constant(x, n);
    if (type == 's' && n->kind == TN_STRING)
        return tv_str(n->value);
    if (type == 'b' && n->kind == TN_BOOL)
        return tv_bool(n->b);
    if (type == 'f' && n->kind == TN_NUMBER && n->is_float)
        return tv_float(n->f);
    if (type == 'i' && n->kind == TN_NUMBER && n->is_int)
        return tv_int(n->i);
    if (type == 'd' && n->kind == TN_NUMBER && n->is_int)
        return tv_duration(n->i);
    if (type == 't' || type == 'v' || is_list(type))
        fail(x, ERR_INVALID, "can't handle %.*s for arg of type %s", STR(node_text(x, n)),
             tv_param_name(type));
    else
        fail(x, ERR_INVALID, "expected %s; found %.*s", found[(unsigned char)type],
             STR(node_text(x, n)));
    return TV_ZERO;
}

static void push(struct exec *x, str name, value_ v)
{
    vec_push(&x->vars, (struct variable){name, v});
}

static value_ eval_pipeline(struct exec *x, const value_ *dot, const struct tmpl_node *pipe)
{
    value_ v = TV_ZERO;

    if (!step(x))
        return v;
    at(x, pipe);
    if (!deeper(x))
        return v;
    for (size_t i = 0; i < pipe->n_kids && !x->failed; i++) {
        const struct tmpl_node *c = pipe->kids[i];
        value_ last = v;

        v = eval_first(x, dot, c->kids[0], c, (const struct tmpl_node *const *)c->kids + 1,
                       c->n_kids - 1, i == 0 ? MISSING : &last);
        if (v.kind == TV_NIL)
            v.kind = TV_NONE;
    }
    x->depth--;
    for (size_t i = 0; i < pipe->n_idents && !x->failed; i++) {
        value_ *old = pipe->is_assign ? find_variable(x, pipe->idents[i]) : NULL;

        if (old != NULL)
            *old = v;
        else
            push(x, pipe->idents[i], v);
    }
    return v;
}

/* -- walking -- */

static enum flow walk_list(struct exec *x, const value_ *dot, const struct tmpl_node *list)
{
    enum flow flow = FLOW_ON;

    for (size_t i = 0; i < list->n_kids && flow == FLOW_ON; i++)
        flow = walk(x, dot, list->kids[i]);
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

static enum flow walk_action(struct exec *x, const value_ *dot, const struct tmpl_node *n)
{
    value_ v = eval_pipeline(x, dot, n->pipe);

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

static enum flow walk_if_or_with(struct exec *x, const value_ *dot, const struct tmpl_node *n)
{
    size_t mark = x->vars.n;
    value_ v = eval_pipeline(x, dot, n->pipe);
    enum flow flow = FLOW_ON;

    if (x->failed)
        return FLOW_FAILED;
    if (tv_truth(&v))
        flow = walk_list(x, n->kind == TN_WITH ? &v : dot, n->list);
    else if (n->else_list != NULL)
        flow = walk_list(x, dot, n->else_list);
    x->vars.n = mark;
    return flow;
}

/* One turn of a range. False ends it; *flow says how. */
static bool turn(struct exec *x, const struct tmpl_node *n, size_t mark, const value_ *index,
                 const value_ *elem, enum flow *flow)
{
    const struct tmpl_node *pipe = n->pipe;

    for (size_t i = 0; i < pipe->n_idents; i++) {
        const value_ *v = pipe->n_idents == 2 && i == 0 ? index : elem;
        value_ *old =
            pipe->is_assign ? find_variable(x, pipe->idents[i]) : &x->vars.v[mark + i].value;

        if (old != NULL)
            *old = *v;
    }
    *flow = walk_list(x, elem, n->list);
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

static void cannot_iterate(struct exec *x, const value_ *v)
{
    struct buf b = BUF_INIT;

    tmpl_print(&x->env, &b, v);
    fail(x, ERR_INVALID, "range can't iterate over %.*s", STR(buf_str(&b)));
    buf_release(&b);
}

static enum flow walk_range(struct exec *x, const value_ *dot, const struct tmpl_node *n)
{
    size_t outer = x->vars.n, count = 0;
    value_ v = eval_pipeline(x, dot, n->pipe);
    enum flow flow = FLOW_ON;

    if (x->failed)
        return FLOW_FAILED;
    switch (v.kind) {
    case TV_LIST:
        for (; count < v.list.n; count++) {
            value_ index = tv_int((int64_t)count);

            if (!turn(x, n, outer, &index, &v.list.v[count], &flow))
                break;
        }
        count = v.list.n;
        break;
    case TV_MAP:
        for (; count < v.map.n; count++) {
            value_ key = tv_str(v.map.v[count].key);

            if (!turn(x, n, outer, &key, &v.map.v[count].value, &flow))
                break;
        }
        count = v.map.n;
        break;
    case TV_INT:
        for (int64_t i = 0; i < v.i; i++) {
            value_ index = tv_int(i);

            if (!step(x) || !turn(x, n, outer, &index, &index, &flow))
                break;
        }
        count = v.i > 0;
        break;
    case TV_NONE: break;
    default: cannot_iterate(x, &v);
    }
    if (count == 0 && n->else_list != NULL && !x->failed)
        flow = walk_list(x, dot, n->else_list);
    x->vars.n = outer;
    return x->failed ? FLOW_FAILED : flow;
}

static enum flow walk_template(struct exec *x, const value_ *dot, const struct tmpl_node *n)
{
    const struct tmpl_tree *callee = tmpl_lookup(x->in, n->value), *caller = x->tree;
    size_t mark = x->vars.n;
    value_ v = TV_ZERO;
    enum flow flow;

    at(x, n);
    if (callee == NULL) {
        fail(x, ERR_INVALID, "template \"%.*s\" not defined", STR(n->value));
        return FLOW_FAILED;
    }
    if (n->pipe != NULL)
        v = eval_pipeline(x, dot, n->pipe);
    if (x->failed)
        return FLOW_FAILED;
    /* The callee sees none of our variables: names are resolved by the parser, only $ is shadowed. */
    x->tree = callee;
    push(x, S("$"), v);
    flow = walk_list(x, &v, callee->root);
    x->vars.n = mark;
    if (!x->failed)
        x->tree = caller;
    return flow == FLOW_FAILED ? FLOW_FAILED : FLOW_ON;
}

/* The check before has walked all text, so a fault here is one of the check. */
static void walk_text(struct exec *x, str text)
{
    struct err why = ERR_INIT;

    if (x->in->run->mode != TEMPLATE_HTML)
        buf_add(x->out, text);
    else if (!tmpl_escape_text(&x->escape, x->out, text, &why))
        fail(x, why.code, "%s", why.msg);
}

static enum flow walk(struct exec *x, const value_ *dot, const struct tmpl_node *n)
{
    enum flow flow = FLOW_ON;

    if (!step(x))
        return FLOW_FAILED;
    at(x, n);
    if (!deeper(x))
        return FLOW_FAILED;
    switch (n->kind) {
    case TN_TEXT: walk_text(x, n->text); break;
    case TN_ACTION: flow = walk_action(x, dot, n); break;
    case TN_IF:
    case TN_WITH: flow = walk_if_or_with(x, dot, n); break;
    case TN_RANGE: flow = walk_range(x, dot, n); break;
    case TN_TEMPLATE: flow = walk_template(x, dot, n); break;
    case TN_BREAK: flow = FLOW_BREAK; break;
    case TN_CONTINUE: flow = FLOW_CONTINUE; break;
    default: flow = walk_list(x, dot, n);
    }
    x->depth--;
    return flow;
}

bool tmpl_exec(const struct tmpl_exec_input *in, const struct tmpl_tree *tree, struct buf *out,
               struct err *e)
{
    struct arena a;
    struct exec x = {.in = in, .tree = tree, .out = out, .out_start = out->n, .e = e};
    value_ dot = in->run->data;

    if (in->run->mode == TEMPLATE_HTML && !tmpl_escape_check(in, tree, e))
        return false;
    arena_init(&a, in->limits.memory);
    x.env = (struct tmpl_env){
        .a = &a, .now = in->run->now, .zone = in->run->zone, .host = in->run->host};
    push(&x, S("$"), dot);
    walk_list(&x, &dot, tree->root);
    (void)step(&x);
    if (x.failed)
        out->n = x.out_start;
    tmpl_env_release(&x.env);
    vec_release(&x.vars);
    arena_release(&a);
    return !x.failed;
}
