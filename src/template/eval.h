/* eval.h - what a pipeline of a template comes to, and the state of the execution that it is part of.
 *
 * Inside of src/template only. The walk (exec.c) evaluates one pipeline after the other. "Current node" is what an error
 * names: it is set where Go sets it, so that the column of a message agrees.
 *
 * Shapes   up to 256 arguments a call; steps, depth, output and memory by template_limits.
 * Errors   the first fault sets failed and fills e with Go's text; from then on values mean nothing.
 * Owns     values live in env.a or in the host's data; the list of variables is the execution's.
 * Source   Go text/template/exec.go, in behaviour.
 */
#ifndef TEMPLATE_EVAL_H
#define TEMPLATE_EVAL_H

#include "base/vec.h"
#include "template/escape.h"
#include "template/exec.h"

struct variable {
    str name;
    struct tmpl_value value;
};

struct exec {
    const struct tmpl_exec_input *in;
    struct tmpl_env env;
    const struct tmpl_tree *tree;
    const struct tmpl_node *node; /* the current one */
    VEC(struct variable) vars;    /* those in sight, the innermost last */
    struct buf *out;
    size_t out_start;
    struct tmpl_escape escape;
    unsigned depth, polls;
    bool failed;
    struct err *e;
};

void exec_fail(struct exec *x, enum err_code code, const char *fmt, ...) printf_like(3, 4);
/* Before each piece of work. False: it has failed, now by a limit or before. */
bool exec_step(struct exec *x);
bool exec_deeper(struct exec *x); /* true: the caller counts x->depth down again */
void exec_at(struct exec *x, const struct tmpl_node *n); /* n is the current node */

void exec_push(struct exec *x, str name, struct tmpl_value v);
struct tmpl_value *exec_variable(struct exec *x, str name); /* NULL: it has failed */

/* Declares or assigns the variables of the pipeline, too. */
struct tmpl_value eval_pipeline(struct exec *x, const struct tmpl_value *dot,
                                const struct tmpl_node *pipe);

#endif
