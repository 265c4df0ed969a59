/* regex_pike.c - Pike's virtual machine: a nondeterministic automaton run breadth first, with captures.
 *
 * The tree becomes instructions. A thread is a program counter and the captures on its way there. For each rune of the
 * subject the threads of the current list are advanced in order of preference into the next list; an instruction that
 * is already in that list is not entered twice, because the earlier thread is preferred and their futures are equal. So
 * a list never holds more threads than there are instructions and the time is linear. When a thread reaches MATCH, the
 * less preferred ones behind it are cut and the others go on: what they find, if anything, wins over it.
 *
 * Example: "(?:a|ab)(c|bcd)" is
 *     0 split 1,3   1 rune a   2 jump 5   3 rune a   4 rune b   5 save 2   6 split 7,9   7 rune c   8 jump 12
 *     9 rune b   10 rune c   11 rune d   12 save 3   13 match
 *
 * On "abcd" the list after "a" is {6: 7, 9} from the first branch, then {4} from the second; "b" moves 9 to 10 and 4 to
 * 5..9; the first reaches MATCH behind "d" with group 1 = "bcd". The second reached it behind "c", but stands behind
 * the first in preference: its match at "abc" is overwritten.
 *
 * A loop whose body may be empty, x*, is compiled as (x+)?: that is what Go does and decides which captures an empty
 * iteration leaves.
 */
#include "regex/regex_pike.h"

#include "base/mem.h"
#include "base/utf8.h"

enum op {
    OP_RUNE,
    OP_CLASS,
    OP_ANY,
    OP_ANY_NL,
    OP_SPLIT,
    OP_JUMP,
    OP_SAVE,
    OP_ASSERT,
    OP_MATCH,
    OP_FAIL
};

struct inst {
    uint8_t op;
    uint32_t x; /* rune, target, slot, assertion */
    union {
        uint32_t y; /* second target, less preferred */
        const struct re_class *cls;
    };
};

struct pike {
    VEC(struct inst) code;
    struct arena syntax; /* has the classes */
    size_t groups;
    bool from_start; /* begins with \A: one try is enough */
};

static size_t add_sat(size_t a, size_t b)
{
    return a + b > RE_PROGRAM_MAX ? (size_t)RE_PROGRAM_MAX + 1 : a + b;
}

static size_t repeat_size(const struct re_node *n)
{
    size_t one = add_sat(pike_size(n->first), 2);
    size_t times = n->max == RE_INFINITE ? (size_t)n->min + 1 : (size_t)n->max;

    return one * times > RE_PROGRAM_MAX ? (size_t)RE_PROGRAM_MAX + 1 : one * times;
}

size_t pike_size(const struct re_node *n)
{
    size_t sum = 0;

    switch (n->op) {
    case RE_REPEAT: return repeat_size(n);
    case RE_CAPTURE: return add_sat(pike_size(n->first), 2);
    case RE_ALT:
    case RE_CAT:
        for (const struct re_node *c = n->first; c != NULL; c = c->next)
            sum = add_sat(sum, add_sat(pike_size(c), n->op == RE_ALT && c->next != NULL ? 2 : 0));
        return sum;
    case RE_EMPTY: return 0;
    default: return 1;
    }
}

static uint32_t regex_pike_emit(struct pike *p, enum op op, uint32_t x, uint32_t y)
{
    vec_push(&p->code, (struct inst){.op = (uint8_t)op, .x = x, .y = y});
    return (uint32_t)p->code.n - 1;
}

static uint32_t regex_pike_here(const struct pike *p)
{
    return (uint32_t)p->code.n;
}

static void emit_node(struct pike *p, const struct re_node *n);

/* A split that prefers what follows it (or, when lazy, the other way); returns it, to be given its
 * way out. */
static uint32_t emit_try(struct pike *p, bool lazy)
{
    uint32_t at = regex_pike_emit(p, OP_SPLIT, 0, 0);

    if (lazy)
        p->code.v[at].y = at + 1;
    else
        p->code.v[at].x = at + 1;
    return at;
}

static void set_out(struct pike *p, uint32_t split, bool lazy, uint32_t to)
{
    if (lazy)
        p->code.v[split].x = to;
    else
        p->code.v[split].y = to;
}

static void emit_plus(struct pike *p, const struct re_node *body, bool lazy)
{
    uint32_t top = regex_pike_here(p), split;

    emit_node(p, body);
    split = regex_pike_emit(p, OP_SPLIT, top, regex_pike_here(p) + 1);
    if (lazy)
        p->code.v[split] = (struct inst){.op = OP_SPLIT, .x = split + 1, .y = top};
}

static void emit_star(struct pike *p, const struct re_node *body, bool lazy)
{
    uint32_t split = emit_try(p, lazy);

    if (re_node_is_nullable(body)) {
        emit_plus(p, body, lazy);
    } else {
        emit_node(p, body);
        (void)regex_pike_emit(p, OP_JUMP, split, 0);
    }
    set_out(p, split, lazy, regex_pike_here(p));
}

static void emit_repeat(struct pike *p, const struct re_node *n)
{
    int optional = n->max - n->min;
    VEC(uint32_t) splits = VEC_INIT;

    if (n->max == RE_INFINITE) {
        for (int i = 1; i < n->min; i++)
            emit_node(p, n->first);
        if (n->min == 0)
            emit_star(p, n->first, n->lazy);
        else
            emit_plus(p, n->first, n->lazy);
        return;
    }
    for (int i = 0; i < n->min; i++)
        emit_node(p, n->first);
    for (int i = 0; i < optional;
         i++) { /* x{0,3} is (x(x(x)?)?)?: every way out leads to the end */
        vec_push(&splits, emit_try(p, n->lazy));
        emit_node(p, n->first);
    }
    VEC_EACH (uint32_t *, s, &splits)
        set_out(p, *s, n->lazy, regex_pike_here(p));
    vec_release(&splits);
}

static void emit_alt(struct pike *p, const struct re_node *n)
{
    VEC(uint32_t) jumps = VEC_INIT;

    for (const struct re_node *c = n->first; c != NULL; c = c->next) {
        uint32_t split = c->next != NULL ? emit_try(p, false) : 0;

        emit_node(p, c);
        if (c->next == NULL)
            break;
        vec_push(&jumps, regex_pike_emit(p, OP_JUMP, 0, 0));
        set_out(p, split, false, regex_pike_here(p));
    }
    VEC_EACH (uint32_t *, j, &jumps)
        p->code.v[*j].x = regex_pike_here(p);
    vec_release(&jumps);
}

static void emit_node(struct pike *p, const struct re_node *n)
{
    switch (n->op) {
    case RE_NEVER: (void)regex_pike_emit(p, OP_FAIL, 0, 0); break;
    case RE_EMPTY: break;
    case RE_RUNE: (void)regex_pike_emit(p, OP_RUNE, n->rune, 0); break;
    case RE_CLASS:
        (void)regex_pike_emit(p, OP_CLASS, 0, 0);
        vec_last(&p->code)->cls = &n->cls;
        break;
    case RE_ANY: (void)regex_pike_emit(p, OP_ANY, 0, 0); break;
    case RE_ANY_NL: (void)regex_pike_emit(p, OP_ANY_NL, 0, 0); break;
    case RE_LINE_START:
    case RE_LINE_END:
    case RE_TEXT_START:
    case RE_TEXT_END:
    case RE_WORD:
    case RE_NOT_WORD: (void)regex_pike_emit(p, OP_ASSERT, n->op, 0); break;
    case RE_CAT:
        for (const struct re_node *c = n->first; c != NULL; c = c->next)
            emit_node(p, c);
        break;
    case RE_ALT: emit_alt(p, n); break;
    case RE_REPEAT: emit_repeat(p, n); break;
    case RE_CAPTURE:
        (void)regex_pike_emit(p, OP_SAVE, 2 * n->capture, 0);
        emit_node(p, n->first);
        (void)regex_pike_emit(p, OP_SAVE, 2 * n->capture + 1, 0);
        break;
    }
}

struct pike *pike_new(const struct re_tree *tree, struct arena *syntax)
{
    struct pike *p = mem_new(struct pike);

    p->syntax = *syntax;
    p->groups = tree->groups;
    emit_node(p, tree->root);
    (void)regex_pike_emit(p, OP_MATCH, 0, 0);
    p->from_start = p->code.v[0].op == OP_ASSERT && p->code.v[0].x == RE_TEXT_START;
    return p;
}

void pike_free(struct pike *p)
{
    if (p == NULL)
        return;
    vec_release(&p->code);
    arena_release(&p->syntax);
    mem_free(p);
}

/* -- running -- */

struct regex_pike_list {
    uint32_t *pc; /* dense, in order of preference: instructions that eat a rune, or MATCH */
    size_t n;
    uint64_t *mark; /* by pc: the step in which it was entered */
};

struct frame { /* what is left to do while following empty transitions */
    uint32_t pc;
    uint32_t slot; /* when restoring */
    size_t old;
    bool restore;
};

struct regex_pike_run {
    const struct pike *p;
    str subject;
    size_t slots; /* 2 * groups wanted; 0 = none */
    struct regex_pike_list cur, next;
    size_t *caps;                 /* current captures while threads are added */
    size_t *cur_caps, *next_caps; /* by position in the list */
    VEC(struct frame) stack;
    uint64_t step;
    uint64_t work; /* instructions that were run */
};

static bool is_word_at(str s, size_t at)
{
    char c = at < s.n ? s.p[at] : '\0';

    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool regex_pike_holds(enum re_op what, str s, size_t at)
{
    bool edge = (at != 0 && is_word_at(s, at - 1)) != is_word_at(s, at);

    switch (what) {
    case RE_TEXT_START: return at == 0;
    case RE_TEXT_END: return at == s.n;
    case RE_LINE_START: return at == 0 || s.p[at - 1] == '\n';
    case RE_LINE_END: return at == s.n || s.p[at] == '\n';
    case RE_WORD: return edge;
    default: return !edge;
    }
}

static void push(struct regex_pike_run *r, uint32_t pc)
{
    vec_push(&r->stack, (struct frame){.pc = pc});
}

/* One instruction of regex_pike_add(): follows an empty transition or puts a thread into the list. */
static void regex_pike_enter(struct regex_pike_run *r, struct regex_pike_list *l, size_t *list_caps,
                             uint32_t pc, size_t at)
{
    const struct inst *i = &r->p->code.v[pc];

    r->work++;
    if (l->mark[pc] == r->step)
        return;
    l->mark[pc] = r->step;
    switch (i->op) {
    case OP_FAIL: break;
    case OP_JUMP: push(r, i->x); break;
    case OP_SPLIT:
        push(r, i->y);
        push(r, i->x);
        break;
    case OP_ASSERT:
        if (regex_pike_holds((enum re_op)i->x, r->subject, at))
            push(r, pc + 1);
        break;
    case OP_SAVE:
        if (i->x < r->slots) {
            vec_push(&r->stack,
                     (struct frame){.slot = i->x, .old = r->caps[i->x], .restore = true});
            r->caps[i->x] = at;
        }
        push(r, pc + 1);
        break;
    default:
        assume(r->slots == 0 || list_caps != NULL);
        r->work += r->slots / 8;
        if (r->slots != 0)
            memcpy(list_caps + l->n * r->slots, r->caps, r->slots * sizeof(size_t));
        l->pc[l->n++] = pc;
    }
}

static void regex_pike_add(struct regex_pike_run *r, struct regex_pike_list *l, size_t *list_caps,
                           uint32_t pc, size_t at)
{
    push(r, pc);
    while (r->stack.n != 0) {
        struct frame f = vec_pop(&r->stack);

        if (f.restore)
            r->caps[f.slot] = f.old;
        else
            regex_pike_enter(r, l, list_caps, f.pc, at);
    }
}

static bool eats(const struct inst *i, uint32_t rune)
{
    switch (i->op) {
    case OP_RUNE: return i->x == rune;
    case OP_CLASS: return re_class_has(i->cls, rune);
    case OP_ANY: return rune != '\n';
    default: return true;
    }
}

/* Advances every thread over one rune. Returns true when one of them was MATCH; groups then holds
 * its captures. */
static bool regex_pike_advance(struct regex_pike_run *r, size_t at, bool at_end, uint32_t rune,
                               size_t width, size_t *groups)
{
    r->work += r->cur.n + 1;
    for (size_t t = 0; t < r->cur.n; t++) {
        const struct inst *i = &r->p->code.v[r->cur.pc[t]];

        if (i->op == OP_MATCH) {
            if (r->slots != 0) {
                memcpy(groups, r->cur_caps + t * r->slots, r->slots * sizeof(size_t));
                groups[1] = at;
            }
            return true;
        }
        if (at_end || !eats(i, rune))
            continue;
        if (r->slots != 0)
            memcpy(r->caps, r->cur_caps + t * r->slots, r->slots * sizeof(size_t));
        regex_pike_add(r, &r->next, r->next_caps, r->cur.pc[t] + 1, at + width);
    }
    return false;
}

static void swap_lists(struct regex_pike_run *r)
{
    struct regex_pike_list l = r->cur;
    size_t *caps = r->cur_caps;

    r->cur = r->next;
    r->cur_caps = r->next_caps;
    r->next = l;
    r->next_caps = caps;
    r->next.n = 0;
}

static void regex_pike_start_thread(struct regex_pike_run *r, size_t at)
{
    for (size_t k = 0; k < r->slots; k++)
        r->caps[k] = SIZE_MAX;
    if (r->slots != 0)
        r->caps[0] = at;
    regex_pike_add(r, &r->cur, r->cur_caps, 0, at);
}

static enum re_answer run_all(struct regex_pike_run *r, size_t from, size_t *groups, uint64_t most)
{
    bool matched = false;

    for (size_t at = from;;) {
        bool at_end = at >= r->subject.n;
        uint32_t rune = 0;
        size_t width = at_end ? 0 : utf8_decode(str_sub(r->subject, at, r->subject.n), &rune);

        /* The threads in cur were added under mark r->step; a new start comes behind them in
         * preference. */
        if (!matched && (at == 0 || !r->p->from_start))
            regex_pike_start_thread(r, at);
        if (r->cur.n == 0 && (matched || r->p->from_start))
            return matched ? RE_YES : RE_NO;
        if (r->work > most)
            return RE_ASK;
        r->step++;
        if (regex_pike_advance(r, at, at_end, rune, width, groups)) {
            matched = true;
            if (r->slots == 0)
                return RE_YES;
        }
        if (at_end)
            return matched ? RE_YES : RE_NO;
        swap_lists(r);
        at += width;
    }
}

static void list_init(struct regex_pike_list *l, size_t n)
{
    l->pc = mem_alloc(n * sizeof(l->pc[0]));
    l->mark = mem_array(n, sizeof(l->mark[0]));
    l->n = 0;
}

static void list_release(struct regex_pike_list *l)
{
    mem_free(l->pc);
    mem_free(l->mark);
}

enum re_answer pike_match(const struct pike *p, str subject, size_t from, size_t *groups,
                          size_t n_groups, uint64_t *left)
{
    size_t wanted = n_groups < p->groups ? n_groups : p->groups;
    struct regex_pike_run r = {.p = p, .subject = subject, .slots = 2 * wanted, .step = 1};
    size_t caps = (p->code.n + 1) * r.slots;
    enum re_answer answer;

    for (size_t k = 0; k < 2 * n_groups; k++)
        groups[k] = SIZE_MAX;
    list_init(&r.cur, p->code.n);
    list_init(&r.next, p->code.n);
    if (r.slots != 0) {
        r.caps = mem_array(r.slots + 2 * caps, sizeof(size_t));
        r.cur_caps = r.caps + r.slots;
        r.next_caps = r.cur_caps + caps;
    }
    r.work = p->code.n + caps / 4; /* the lists are cleared for each call */
    answer = run_all(&r, from, groups, left != NULL ? *left : UINT64_MAX);
    if (left != NULL)
        *left -= r.work < *left ? r.work : *left;
    list_release(&r.cur);
    list_release(&r.next);
    mem_free(r.caps);
    vec_release(&r.stack);
    return answer;
}
