/* An argument is checked against the type of its parameter: a constant of the wrong kind is "expected string; found 3",
 * a computed value "wrong type for value; expected string; got int".
 *
 *     .A | printf "%s=%d" "x"   evaluates .A, then calls printf with "%s=%d", "x" and what .A gave
 */
#include "template/eval.h"

#include "template/time_methods.h"

enum { ARGUMENTS_MAX = 256, POLL_STEPS = 64 };

typedef struct tmpl_value value_; /* short inside of this file */

static const struct tmpl_value missing = {.kind =
                                              TV_NONE}; /* its address means: no final argument */
#define MISSING (&missing)

/* -- faults and limits -- */

void exec_fail(struct exec *x, enum err_code code, const char *fmt, ...)
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

bool exec_step(struct exec *x)
{
    if (x->failed)
        return false;
    if (!tmpl_work(&x->env, 0))
        exec_fail(x, ERR_LIMIT, "the template takes more than %llu steps",
                  (unsigned long long)x->in->limits.steps);
    else if (x->out->n - x->out_start > x->in->limits.output)
        exec_fail(x, ERR_LIMIT, "the output is longer than %zu bytes", x->in->limits.output);
    else if (arena_is_full(x->env.a))
        exec_fail(x, ERR_LIMIT, "the template needs more than %zu bytes of memory",
                  x->in->limits.memory);
    else if (x->in->run->expired != NULL && ++x->polls % POLL_STEPS == 0 &&
             x->in->run->expired(x->in->run->expired_arg))
        exec_fail(x, ERR_LIMIT, "the template takes too long");
    else
        x->env.steps--;
    return !x->failed;
}

bool exec_deeper(struct exec *x)
{
    if (++x->depth <= x->in->limits.depth)
        return true;
    exec_fail(x, ERR_LIMIT, "exceeded maximum template depth (%u)", x->in->limits.depth);
    return false;
}

void exec_at(struct exec *x, const struct tmpl_node *n)
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

static value_ eval_arg(struct exec *x, const value_ *dot, char type, const struct tmpl_node *n);

static bool eval_is_list(char type)
{
    return type == 'l' || type == 'L' || type == 'q' || type == 'y';
}

static const struct tmpl_type *list_type(char type)
{
    return type == 'l' || type == 'L' ? &tmpl_strings : type == 'y' ? &tmpl_bytes : &tmpl_samples;
}

static value_ validate(struct exec *x, value_ v, char type)
{
    if (v.kind == TV_NONE || v.kind == TV_NIL) {
        if (type == 'a')
            return v.kind == TV_NIL ? v : (value_){.kind = TV_NIL};
        if (eval_is_list(type))
            return tv_list(list_type(type), NULL, 0);
        exec_fail(x, ERR_INVALID, "invalid value; expected %s", tv_param_name(type));
        return v;
    }
    if (!tv_fits(type, &v))
        exec_fail(x, ERR_INVALID, "wrong type for value; expected %s; got %s", tv_param_name(type),
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

static bool eval_check_count(struct exec *x, const struct call *c)
{
    size_t n = strlen(c->f->params), given = c->n_args + (c->final != MISSING);
    bool is_variadic = n >= 2 && c->f->params[n - 1] == '*';

    if (is_variadic ? given < n - 2 : given != n) {
        exec_fail(x, ERR_INVALID, "wrong number of args for %.*s: want %s%zu got %zu", STR(c->name),
                  is_variadic ? "at least " : "", is_variadic ? n - 2 : n,
                  is_variadic ? c->n_args : given);
        return false;
    }
    if (given > ARGUMENTS_MAX) {
        exec_fail(x, ERR_LIMIT, "more than %d arguments for %.*s", ARGUMENTS_MAX, STR(c->name));
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

/* What a function has to read before it can return anything. */
static uint64_t reading(const value_ *args, size_t n)
{
    uint64_t steps = 0;

    for (size_t i = 0; i < n; i++)
        steps += args[i].kind == TV_STRING ? args[i].s.n / TMPL_STEP_BYTES
                 : args[i].kind == TV_LIST ? args[i].list.n / TMPL_STEP_ITEMS
                 : args[i].kind == TV_MAP  ? tv_map_of(&args[i]).n / TMPL_STEP_ITEMS
                                           : 0;
    return steps;
}

static value_ eval_call(struct exec *x, const value_ *dot, const struct call *c)
{
    size_t n = 0;
    value_ *args, out = TV_ZERO;
    struct err why = ERR_INIT;

    if (!exec_step(x) || !eval_check_count(x, c))
        return out;
    if (c->f->fn == NULL && c->receiver != NULL)
        exec_fail(x, ERR_INVALID, "%s", c->f->doc);
    if (c->f->fn == NULL)
        return c->receiver == NULL ? short_circuit(x, dot, c) : out;
    args = arena_array(x->env.a, c->n_args + 2, sizeof(*args));
    if (c->receiver != NULL)
        args[n++] = *c->receiver;
    for (size_t i = 0; i < c->n_args && !x->failed; i++)
        args[n++] = eval_arg(x, dot, param_at(c->f->params, i), c->args[i]);
    if (c->final != MISSING && !x->failed)
        args[n++] = validate(x, *c->final, param_at(c->f->params, c->n_args));
    if (!exec_step(x) || !tmpl_work(&x->env, reading(args, n)))
        return out;
    if (!c->f->fn(&x->env, args, n, &out, &why)) {
        exec_at(x, c->node);
        exec_fail(x, why.code == ERR_LIMIT ? ERR_LIMIT : ERR_INVALID, "error calling %.*s: %s",
                  STR(c->name), why.msg);
    } else if (!tmpl_work(&x->env, 0)) {
        exec_at(x, c->node);
        (void)exec_step(x);
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

    exec_at(x, n);
    for (const struct tmpl_func *const *t = x->in->functions; *t != NULL && c.f == NULL; t++)
        c.f = tmpl_func_find(*t, n->text);
    if (c.f == NULL) {
        exec_fail(x, ERR_INVALID, "\"%.*s\" is not a defined function", STR(n->text));
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
        exec_fail(x, ERR_INVALID, "nil pointer evaluating %s.%.*s", tv_type_name(receiver),
                  STR(name));
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
            exec_fail(x, ERR_INVALID, "%.*s has arguments but cannot be invoked as function",
                      STR(name));
        else if (exec_step(x))
            field->get(&x->env, receiver->object, &v);
        return v;
    }
    if (receiver->kind == TV_MAP) {
        const value_ *hit = tv_map_get(receiver, name);

        if (has_args)
            exec_fail(x, ERR_INVALID, "%.*s is not a method but has arguments", STR(name));
        return hit != NULL ? *hit : tv_map_zero(receiver);
    }
    exec_fail(x, ERR_INVALID, "can't evaluate field %.*s in type %s", STR(name),
              tv_type_name(receiver));
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
        exec_fail(x, ERR_INVALID, "can't give argument to non-function %.*s",
                  STR(node_text(x, first)));
}

value_ *exec_variable(struct exec *x, str name)
{
    for (size_t i = x->vars.n; i-- != 0;)
        if (str_eq(x->vars.v[i].name, name)) {
            (void)tmpl_work(&x->env, (x->vars.n - i) / TMPL_STEP_ITEMS);
            return &x->vars.v[i].value;
        }
    exec_fail(x, ERR_INVALID, "undefined variable: %.*s", STR(name));
    return NULL;
}

static value_ constant(struct exec *x, const struct tmpl_node *n)
{
    exec_at(x, n);
    if (n->kind == TN_STRING)
        return tv_str(n->value);
    if (n->kind == TN_BOOL)
        return tv_bool(n->b);
    if (n->is_ideal_float)
        return tv_float(n->f);
    if (n->is_int)
        return tv_int(n->i);
    exec_fail(x, ERR_INVALID, "%.*s overflows int", STR(n->text));
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
    case TN_FIELD:
        exec_at(x, first);
        return eval_chain(x, dot, *dot, first, 0, args, n_args, final);
    case TN_CHAIN:
        exec_at(x, first);
        if (first->pipe->kind == TN_NIL) {
            exec_fail(x, ERR_INVALID, "indirection through explicit nil in %.*s",
                      STR(node_text(x, first)));
            return TV_ZERO;
        }
        piped = eval_arg(x, dot, 'a', first->pipe);
        return eval_chain(x, dot, piped, first, 0, args, n_args, final);
    case TN_VARIABLE:
        exec_at(x, first);
        v = exec_variable(x, first->idents[0]);
        if (v == NULL)
            return TV_ZERO;
        if (first->n_idents == 1)
            not_a_function(x, first, n_args, final);
        return eval_chain(x, dot, *v, first, 1, args, n_args, final);
    case TN_IDENTIFIER: return eval_function(x, dot, first, whole, args, n_args, final);
    case TN_PIPE: not_a_function(x, first, n_args, final); return eval_pipeline(x, dot, first);
    default: break;
    }
    exec_at(x, first);
    not_a_function(x, first, n_args, final);
    if (first->kind == TN_DOT)
        return *dot;
    if (first->kind == TN_NIL) {
        exec_fail(x, ERR_INVALID, "nil is not a command");
        return TV_ZERO;
    }
    return constant(x, first);
}

static value_ eval_arg(struct exec *x, const value_ *dot, char type, const struct tmpl_node *n)
{
    static const char *const found[] = {
        ['b'] = "bool", ['f'] = "float", ['i'] = "integer", ['d'] = "integer", ['s'] = "string"};
    value_ v;

    if (!exec_step(x))
        return TV_ZERO;
    exec_at(x, n);
    switch (n->kind) {
    case TN_NIL:
        if (type != 'a' && !eval_is_list(type))
            exec_fail(x, ERR_INVALID, "cannot assign nil to %s", tv_param_name(type));
        return eval_is_list(type) ? tv_list(list_type(type), NULL, 0) : (value_){.kind = TV_NIL};
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
    if (type == 't' || type == 'v' || type == 'o' || eval_is_list(type))
        exec_fail(x, ERR_INVALID, "can't handle %.*s for arg of type %s", STR(node_text(x, n)),
                  tv_param_name(type));
    else
        exec_fail(x, ERR_INVALID, "expected %s; found %.*s", found[(unsigned char)type],
                  STR(node_text(x, n)));
    return TV_ZERO;
}

void exec_push(struct exec *x, str name, value_ v)
{
    assume(x->vars.cap != 0 ? x->vars.v != NULL : x->vars.n == 0);
    vec_push(&x->vars, (struct variable){name, v});
}

value_ eval_pipeline(struct exec *x, const value_ *dot, const struct tmpl_node *pipe)
{
    value_ v = TV_ZERO;

    if (!exec_step(x))
        return v;
    exec_at(x, pipe);
    if (!exec_deeper(x))
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
        value_ *old = pipe->is_assign ? exec_variable(x, pipe->idents[i]) : NULL;

        if (old != NULL)
            *old = v;
        else
            exec_push(x, pipe->idents[i], v);
    }
    return v;
}
