/* exec.h - walks a parsed template over data. Inside of src/template only; the public side is template.h. */
#ifndef TEMPLATE_EXEC_H
#define TEMPLATE_EXEC_H

#include "template/parse.h"
#include "template/template.h"

struct tmpl_exec_input {
    const struct template_set *set;
    const struct tmpl_tree *local; /* definitions of an anonymous text, looked at first */
    const struct tmpl_func *const *functions;
    const struct template_run *run;
    struct template_limits limits;
};

/* The search is counted in *steps. */
const struct tmpl_tree *tmpl_lookup(const struct tmpl_exec_input *in, str name, uint64_t *steps);
void tmpl_entered(const struct tmpl_exec_input *in, const struct tmpl_tree *tree);
bool tmpl_exec(const struct tmpl_exec_input *in, const struct tmpl_tree *tree, struct buf *out,
               struct err *e) must_check;

#endif
