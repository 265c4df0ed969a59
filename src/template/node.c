/* node.c - nodes back to text and place, for error messages. */
#include "codec/quote.h"
#include "template/lex.h"
#include "template/parse.h"

bool tmpl_node_is_empty(const struct tmpl_node *list)
{
    for (size_t i = 0; i < list->n_kids; i++)
        if (list->kids[i]->kind != TN_TEXT || str_trim(list->kids[i]->text).n != 0)
            return false;
    return true;
}

void tmpl_node_place(const struct tmpl_tree *tree, const struct tmpl_node *n, size_t *line,
                     size_t *col)
{
    *line = 1;
    *col = n->pos;
    for (size_t i = 0; i < n->pos; i++) {
        if (tree->text.p[i] == '\n') {
            ++*line;
            *col = n->pos - i - 1;
        }
    }
}

static void print_pipe(struct buf *out, const struct tmpl_node *n)
{
    for (size_t i = 0; i < n->n_idents; i++) {
        if (i != 0)
            buf_adds(out, ", ");
        buf_add(out, n->idents[i]);
    }
    if (n->n_idents != 0)
        buf_add(out, n->is_assign ? S(" = ") : S(" := "));
    for (size_t i = 0; i < n->n_kids; i++) {
        if (i != 0)
            buf_adds(out, " | ");
        tmpl_node_print(out, n->kids[i]);
    }
}

static void print_argument(struct buf *out, const struct tmpl_node *n)
{
    if (n->kind == TN_PIPE)
        buf_addc(out, '(');
    tmpl_node_print(out, n);
    if (n->kind == TN_PIPE)
        buf_addc(out, ')');
}

static void print_idents(struct buf *out, const struct tmpl_node *n)
{
    for (size_t i = 0; i < n->n_idents; i++) {
        buf_addc(out, '.');
        buf_add(out, n->idents[i]);
    }
}

static void print_control(struct buf *out, const struct tmpl_node *n, str word)
{
    buf_adds(out, "{{");
    buf_add(out, word);
    buf_addc(out, ' ');
    tmpl_node_print(out, n->pipe);
    buf_adds(out, "}}");
    tmpl_node_print(out, n->list);
    if (n->else_list != NULL) {
        buf_adds(out, "{{else}}");
        tmpl_node_print(out, n->else_list);
    }
    buf_adds(out, "{{end}}");
}

void tmpl_node_print(struct buf *out, const struct tmpl_node *n)
{
    switch (n->kind) {
    case TN_LIST:
        for (size_t i = 0; i < n->n_kids; i++)
            tmpl_node_print(out, n->kids[i]);
        break;
    case TN_COMMAND:
        for (size_t i = 0; i < n->n_kids; i++) {
            if (i != 0)
                buf_addc(out, ' ');
            print_argument(out, n->kids[i]);
        }
        break;
    case TN_TEXT:
    case TN_IDENTIFIER:
    case TN_NUMBER:
    case TN_STRING: buf_add(out, n->text); break;
    case TN_ACTION:
        buf_adds(out, "{{");
        tmpl_node_print(out, n->pipe);
        buf_adds(out, "}}");
        break;
    case TN_PIPE: print_pipe(out, n); break;
    case TN_VARIABLE:
        for (size_t i = 0; i < n->n_idents; i++) {
            if (i != 0)
                buf_addc(out, '.');
            buf_add(out, n->idents[i]);
        }
        break;
    case TN_DOT: buf_addc(out, '.'); break;
    case TN_NIL: buf_adds(out, "nil"); break;
    case TN_FIELD: print_idents(out, n); break;
    case TN_CHAIN:
        print_argument(out, n->pipe);
        print_idents(out, n);
        break;
    case TN_BOOL: buf_add(out, n->b ? S("true") : S("false")); break;
    case TN_IF: print_control(out, n, S("if")); break;
    case TN_WITH: print_control(out, n, S("with")); break;
    case TN_RANGE: print_control(out, n, S("range")); break;
    case TN_TEMPLATE:
        buf_adds(out, "{{template ");
        quote_go(out, n->value);
        if (n->pipe != NULL) {
            buf_addc(out, ' ');
            tmpl_node_print(out, n->pipe);
        }
        buf_adds(out, "}}");
        break;
    case TN_BREAK: buf_adds(out, "{{break}}"); break;
    case TN_CONTINUE: buf_adds(out, "{{continue}}"); break;
    case TN_END: buf_adds(out, "{{end}}"); break;
    case TN_ELSE: buf_adds(out, "{{else}}"); break;
    }
}
