/* Compiling asks the fast paths first (regex_fast.c), PCRE2 for the rest; matching asks in the same order, and the
 * Pike VM when PCRE2 comes to its limit. */
#include "regex/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdatomic.h>
#include "base/utf8.h"
#include "regex/regex_fast.h"
#include "regex/regex_pike.h"
#include "regex/regex_print.h"
#include "regex/regex_priv.h"
#include "regex/regex_shared.h"
#include "regex/regex_test.h"

enum { MATCH_LIMIT = 100 * 1000, CAPTURES_MAX = 64 << 20 };
enum {
    SYNTAX_AT_LEAST = 16 << 20,
    SYNTAX_A_BYTE = 96
}; /* bytes of a tree; each \pL has its ranges */

struct regex {
    atomic_uint refs;
    struct arena arena;
    str pattern;
    const str *names; /* of the groups, [0] and unnamed ones empty */
    size_t groups;    /* with group 0 */
    size_t size;      /* of the Pike program */
    bool anchored, counted, dotall;
    unsigned flags;
    bool empty_loops; /* a repeated part may be empty: engines differ in the captures that leaves */
    struct re_fast fast;
    pcre2_general_context *memory;
    pcre2_code *code; /* NULL: PCRE2 is not needed, or would not take it (size, nesting) */
    pcre2_match_context *context;
    bool jit;
    _Atomic(pcre2_match_data *) spare; /* of the last call: most calls need no allocation */
    _Atomic(struct pike *) pike;       /* made at the first need */
};

static void *pcre_alloc(PCRE2_SIZE n, void *arg)
{
    (void)arg;
    return mem_alloc(n);
}

static void pcre_free(void *p, void *arg)
{
    (void)arg;
    mem_free(p);
}

static void compile_pcre2(struct regex *re, const struct re_node *root)
{
    struct buf text = BUF_INIT;
    pcre2_compile_context *cc;
    int code;
    PCRE2_SIZE at;

    re->memory = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
    cc = pcre2_compile_context_create(re->memory);
    re_print(&text, root);
    re->code = pcre2_compile((PCRE2_SPTR)buf_z(&text), text.n,
                             PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C |
                                 PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UCP,
                             &code, &at, cc);
    pcre2_compile_context_free(cc);
    buf_release(&text);
    if (re->code == NULL)
        return; /* the front end has accepted it, so the Pike VM takes it alone */
    re->jit = pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0;
    re->context = pcre2_match_context_create(re->memory);
    pcre2_set_match_limit(re->context, MATCH_LIMIT);
    pcre2_set_heap_limit(re->context, 1024); /* KiB */
}

static bool has_empty_loop(const struct re_node *n)
{
    if (n->op == RE_REPEAT && re_node_is_nullable(n->first))
        return true;
    for (const struct re_node *c = n->first; c != NULL; c = c->next)
        if (has_empty_loop(c))
            return true;
    return false;
}

/* ^(?:root)$ */
static struct re_node *anchor(struct arena *a, struct re_node *root)
{
    struct re_node *cat = re_node_new(a, RE_CAT);

    re_node_add(cat, re_node_new(a, RE_TEXT_START));
    re_node_add(cat, root);
    re_node_add(cat, re_node_new(a, RE_TEXT_END));
    return cat;
}

static bool is_within_limits(const struct regex *re, str pattern, struct err *e)
{
    bool is_list = re->fast.kind == RE_SET || re->fast.kind == RE_TRIE, one = re->groups == 1;
    bool fits = is_list ? one || re->size <= RE_PROGRAM_MAX
                        : pattern.n <= RE_TEXT_MAX && re->size <= RE_INSTRUCTIONS_MAX;

    if (fits && (one || re->size * re->groups <= CAPTURES_MAX / (4 * sizeof(size_t))))
        return true;
    return err_set(e, ERR_INVALID,
                   "error parsing regexp: expression too large (%zu bytes, %zu instructions; at "
                   "most %d and %d, but for a list of names without groups): `%.*s`",
                   pattern.n, re->size, RE_TEXT_MAX, RE_INSTRUCTIONS_MAX, STR(pattern));
}

static void keep_names(struct regex *re, const struct re_tree *t)
{
    str *names = arena_array(&re->arena, t->groups, sizeof(str));

    for (size_t i = 0; i < t->groups; i++)
        names[i] = arena_str(&re->arena, t->names[i]);
    re->names = names;
    re->groups = t->groups;
}

static bool regex_prepare(struct regex *re, str pattern, struct re_tree *t, struct arena *a,
                          struct err *e)
{
    keep_names(re, t);
    if (re->anchored)
        re_fast_init(&re->fast, t->root, pattern, &re->arena);
    re->size = pike_size(t->root);
    if (!is_within_limits(re, pattern, e))
        return false;
    if (re->anchored)
        t->root = anchor(a, t->root);
    re->empty_loops = has_empty_loop(t->root);
    if (!re->counted && (re->fast.kind == RE_SLOW || re->groups > 1))
        compile_pcre2(re, t->root);
    return true;
}

/* The tree is seventy times the text and gone at the end: most patterns need no engine of ours, ever. */
static void regex_free(struct regex *re);

static struct regex *compile_anew(str pattern, enum regex_flags flags, struct err *e)
{
    struct regex *re = mem_new(struct regex);
    struct arena syntax;
    struct re_tree tree;
    bool ok;

    atomic_init(&re->refs, 1);
    arena_init_small(&re->arena, 0);
    re->anchored = (flags & REGEX_ANCHORED) != 0;
    re->counted = (flags & REGEX_COUNTED) != 0;
    re->dotall = (flags & REGEX_DOTALL) != 0;
    re->flags = (unsigned)flags;
    arena_init_small(&syntax, SYNTAX_AT_LEAST + SYNTAX_A_BYTE * pattern.n);
    ok = re_parse(pattern, re->dotall, &syntax, &tree, e) &&
         regex_prepare(re, pattern, &tree, &syntax, e);
    arena_release(&syntax);
    if (ok) {
        re->pattern = arena_str(&re->arena, pattern);
        return re;
    }
    regex_free(re);
    return NULL;
}

struct regex *regex_compile(str pattern, enum regex_flags flags, struct err *e)
{
    struct regex *re = regex_shared_find(pattern, (unsigned)flags), *one;

    if (re != NULL)
        return re;
    re = compile_anew(pattern, flags, e);
    if (re == NULL)
        return NULL;
    one = regex_shared_put(re, re->pattern, re->flags);
    if (one != re) /* somebody else was faster */
        regex_free(re);
    return one;
}

atomic_uint *regex_refs(struct regex *re)
{
    return &re->refs;
}

struct regex *regex_ref(struct regex *re)
{
    atomic_fetch_add_explicit(&re->refs, 1, memory_order_relaxed);
    return re;
}

void regex_unref(struct regex *re)
{
    if (re != NULL && regex_shared_drop(&re->refs, re->pattern, re->flags))
        regex_free(re);
}

static void regex_free(struct regex *re)
{
    pcre2_match_data_free(atomic_load(&re->spare));
    pcre2_match_context_free(re->context);
    pcre2_code_free(re->code);
    pcre2_general_context_free(re->memory);
    pike_free(atomic_load(&re->pike));
    re_fast_release(&re->fast);
    arena_release(&re->arena);
    mem_free(re);
}

str regex_pattern(const struct regex *re)
{
    return re->pattern;
}

size_t regex_size(const struct regex *re)
{
    return re->size;
}

/* The caches are filled behind a const pointer: a regex is immutable to its users. */
static struct regex *inside(const struct regex *re)
{
    return (struct regex *)(uintptr_t)re;
}

static struct pike *program_of(const struct regex *re)
{
    struct arena syntax;
    struct re_tree tree;
    struct err e = ERR_INIT;

    arena_init_small(&syntax, SYNTAX_AT_LEAST + SYNTAX_A_BYTE * re->pattern.n);
    BUG_ON(!re_parse(re->pattern, re->dotall, &syntax, &tree, &e)); /* as it was once */
    if (re->anchored)
        tree.root = anchor(&syntax, tree.root);
    return pike_new(&tree, &syntax);
}

static const struct pike *pike_of(const struct regex *re)
{
    struct pike *p = atomic_load_explicit(&inside(re)->pike, memory_order_acquire), *none = NULL;

    if (p != NULL)
        return p;
    p = program_of(re);
    if (atomic_compare_exchange_strong(&inside(re)->pike, &none, p))
        return p;
    pike_free(p); /* another thread was first */
    return none;
}

bool regex_pike_captures(const struct regex *re, str subject, size_t from, size_t *groups,
                         size_t n_groups)
{
    return pike_match(pike_of(re), subject, from, groups, n_groups, NULL) == RE_YES;
}

enum re_answer regex_captures_within(const struct regex *re, str subject, size_t from,
                                     size_t *groups, uint64_t *work)
{
    return pike_match(pike_of(re), subject, from, groups, re->groups, work);
}

bool regex_matches_within(const struct regex *re, str subject, uint64_t *work)
{
    return pike_match(pike_of(re), subject, 0, NULL, 0, work) == RE_YES;
}

bool regex_find_within(const struct regex *re, str subject, size_t from, size_t bounds[2],
                       uint64_t *work)
{
    return pike_match(pike_of(re), subject, from, bounds, 1, work) == RE_YES;
}

static void read_groups(pcre2_match_data *md, int count, size_t *groups, size_t n_groups)
{
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(md);

    for (size_t i = 0; i < n_groups; i++) {
        bool set = i < (size_t)count && v[2 * i] != PCRE2_UNSET;

        groups[2 * i] = set ? v[2 * i] : SIZE_MAX;
        groups[2 * i + 1] = set ? v[2 * i + 1] : SIZE_MAX;
    }
}

/* RE_ASK: PCRE2 gave up (match limit, stack), or is not for this subject. */
static enum re_answer match_pcre2(const struct regex *re, str s, size_t from, size_t *groups,
                                  size_t n_groups)
{
    pcre2_match_data *md;
    PCRE2_SPTR p = (PCRE2_SPTR)(s.p != NULL ? s.p : "");
    int rc;

    if (re->code == NULL || !utf8_is_valid(s))
        return RE_ASK;
    md = atomic_exchange_explicit(&inside(re)->spare, NULL, memory_order_acq_rel);
    if (md == NULL)
        md = pcre2_match_data_create_from_pattern(re->code, re->memory);
    rc = re->jit ? pcre2_jit_match(re->code, p, s.n, from, 0, md, re->context)
                 : pcre2_match(re->code, p, s.n, from, PCRE2_NO_UTF_CHECK, md, re->context);
    if (rc > 0)
        read_groups(md, rc, groups, n_groups);
    md = atomic_exchange_explicit(&inside(re)->spare, md, memory_order_acq_rel);
    pcre2_match_data_free(md);
    if (rc > 0)
        return RE_YES;
    return rc == PCRE2_ERROR_NOMATCH ? RE_NO : RE_ASK;
}

bool regex_matches(const struct regex *re, str subject)
{
    enum re_answer answer = re->anchored ? re_fast_match(&re->fast, subject) : RE_ASK;

    if (answer == RE_ASK)
        answer = match_pcre2(re, subject, 0, NULL, 0);
    if (answer == RE_ASK)
        return pike_match(pike_of(re), subject, 0, NULL, 0, NULL) == RE_YES;
    return answer == RE_YES;
}

size_t regex_literals(const struct regex *re, const str **out)
{
    if (!re->anchored || re->fast.kind != RE_SET)
        return 0;
    *out = re->fast.set;
    return re->fast.n_set;
}

static void no_groups(size_t *groups, size_t n_groups)
{
    for (size_t i = 0; i < 2 * n_groups; i++)
        groups[i] = SIZE_MAX;
}

bool regex_captures(const struct regex *re, str subject, size_t from, size_t *groups,
                    size_t n_groups)
{
    enum re_answer answer = RE_ASK;

    no_groups(groups, n_groups);
    if (from > subject.n)
        return false;
    if (re->anchored) {
        answer = from == 0 ? re_fast_match(&re->fast, subject) : RE_NO;
        if (answer == RE_NO)
            return false;
        if (answer == RE_YES && (re->groups == 1 || n_groups <= 1)) {
            if (n_groups != 0) {
                groups[0] = 0;
                groups[1] = subject.n;
            }
            return true;
        }
    }
    answer = re->empty_loops ? RE_ASK : match_pcre2(re, subject, from, groups, n_groups);
    if (answer == RE_ASK)
        return pike_match(pike_of(re), subject, from, groups, n_groups, NULL) == RE_YES;
    return answer == RE_YES;
}

size_t regex_group_count(const struct regex *re)
{
    return re->groups;
}

size_t regex_group_named(const struct regex *re, str name)
{
    for (size_t i = 1; i < re->groups; i++)
        if (name.n != 0 && str_eq(re->names[i], name))
            return i;
    return SIZE_MAX;
}
