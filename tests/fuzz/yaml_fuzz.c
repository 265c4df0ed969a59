/* Any bytes: the tree is built or refused, and every place lies within the text. */
#include "codec/yaml.h"
#include "tests_fuzz.h"

static unsigned visits;

static void visit(const struct yaml_doc *doc, const struct yaml_node *n)
{
    struct diag_place p = yaml_place(doc, n);

    if (++visits > 20000)
        return;
    if (p.at > doc->source.n || p.line < 1 || p.col < 1)
        __builtin_trap();
    for (size_t i = 0; n->kind == YAML_SCALAR && i <= n->text.n; i += 1 + i / 8)
        if (yaml_place_in(doc, n, i, 1).line < 1)
            __builtin_trap();
    for (size_t i = 0; i < n->n; i++) {
        if (n->kind == YAML_MAP)
            visit(doc, n->pairs[i].key);
        visit(doc, n->kind == YAML_MAP ? n->pairs[i].value : n->items[i]);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct yaml_doc doc;
    struct arena a;
    struct diags d;

    arena_init(&a, 0);
    diags_init(&d);
    visits = 0;
    if (yaml_parse((str){(const char *)data, size}, S("f.yml"), &a, &doc, &d)) {
        if (doc.root != NULL)
            visit(&doc, doc.root);
    } else if (d.errors == 0) {
        __builtin_trap();
    }
    diags_release(&d);
    arena_release(&a);
    return 0;
}
