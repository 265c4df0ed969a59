/* Taking apart is done on the text, by the places of the parsed nodes: what is asked is what was written. Evaluating is done
 * by a storage that has a selector's series from our own store, or, if it asks for a part, from the answer to that. */
#include "ruler/rule_split.h"

#include <stdlib.h>
#include "base/map.h"
#include "base/vec.h"
#include "model/labels.h"
#include "ruler/own.h"

#define PART_LABEL "__part__"

/* -- taking apart -- */

struct split_place {
    const struct promql_expr *x;
    size_t at, end;
};

struct splitting {
    str text;
    const str *recorded;
    size_t n;
    VEC(struct split_place) parts;
};

/* Whether the text is all of the node, what modifies it too. */
static bool split_is_whole(const struct promql_expr *x, str text, struct arena *a)
{
    struct buf was = BUF_INIT, is = BUF_INIT;
    struct promql_expr *again = promql_parse(text, &promql_everything, a, NULL, NULL);
    bool ok = again != NULL;

    promql_print(&was, x);
    if (ok)
        promql_print(&is, again);
    ok = ok && str_eq(buf_str(&was), buf_str(&is));
    promql_release(again);
    buf_release(&was);
    buf_release(&is);
    return ok;
}

/* Parts are found from left to right or not: they are put in order later. */
static bool split_at(struct splitting *s, const struct promql_expr *x)
{
    enum own_share share = own_share(x, s->recorded, s->n);

    if (share == OWN_NOTHING || share == OWN_ALL)
        return true;
    if (share == OWN_NONE && x->type == PROMQL_T_VECTOR &&
        !(x->kind == PROMQL_SELECTOR && x->selector.may_match_all)) {
        vec_push(&s->parts, (struct split_place){x, x->at, x->end});
        return true;
    }
    if (x->kind == PROMQL_SUBQUERY || x->kind == PROMQL_RANGE || x->kind == PROMQL_SELECTOR)
        return false;
    for (size_t i = 0; promql_child(x, i) != NULL; i++)
        if (!split_at(s, promql_child(x, i)))
            return false;
    return true;
}

static int split_by_place(const void *a, const void *b)
{
    const struct split_place *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

static bool split_write(const struct splitting *s, struct arena *a, struct rule_split *out)
{
    struct buf here = BUF_INIT;
    struct arena scratch;
    struct promql_expr *x;
    size_t done = 0;
    bool ok = true;

    arena_init(&scratch, 0);
    *out = (struct rule_split){.asked = arena_array(a, s->parts.n, sizeof(str))};
    for (size_t i = 0; i < s->parts.n; i++) {
        str part = str_sub(s->text, s->parts.v[i].at, s->parts.v[i].end);

        ok &= split_is_whole(s->parts.v[i].x, part, &scratch);
        out->asked[out->n++] = arena_str(a, part);
        buf_add(&here, str_sub(s->text, done, s->parts.v[i].at));
        buf_addf(&here, "{" PART_LABEL "=\"%zu\"}", i);
        done = s->parts.v[i].end;
    }
    buf_add(&here, str_sub(s->text, done, s->text.n));
    out->here = arena_str(a, buf_str(&here));
    x = promql_parse(out->here, &promql_everything, &scratch, NULL, NULL);
    ok &= x != NULL && own_share(x, s->recorded, s->n) == OWN_SOME;
    promql_release(x);
    buf_release(&here);
    arena_release(&scratch);
    return ok;
}

bool rule_split_make(str expr, const str *recorded, size_t n, struct arena *a,
                     struct rule_split *out)
{
    struct splitting s = {.text = expr, .recorded = recorded, .n = n};
    struct rule_split made = {0};
    struct arena scratch;
    struct promql_expr *x;
    bool ok;

    arena_init(&scratch, 0);
    x = promql_parse(expr, &promql_everything, &scratch, NULL, NULL);
    ok = x != NULL && str_find_str(expr, S(PART_LABEL)) < 0 && split_at(&s, x) && s.parts.n != 0;
    if (ok)
        qsort(s.parts.v, s.parts.n, sizeof(s.parts.v[0]), split_by_place);
    ok = ok && split_write(&s, a, &made);
    promql_release(x);
    arena_release(&scratch);
    vec_release(&s.parts);
    if (ok)
        *out = made;
    return ok;
}

/* -- evaluating -- */

#define IS_PART (UINT32_C(1) << 31)

/* One of the evaluation: of our own store, or a part. */
struct storage_selector {
    struct storage_selector *own; /* NULL: a part */
    uint32_t *ids;
    size_t n;
};

struct split_storage {
    struct storage own;
    const struct samples *answers;
    size_t n;
    ts_ms t;
    const struct sample **all; /* of all parts, in a row: an id is the place in it */
    storage_slot *slots;
    size_t *first; /* of each part */
    struct arena *a;
};

static void split_begin(void *impl)
{
    storage_begin(((struct split_storage *)impl)->own);
}

static void split_end(void *impl)
{
    storage_end(((struct split_storage *)impl)->own);
}

static bool split_part_of(const struct matchers *m, size_t *part)
{
    uint64_t n;

    for (size_t i = 0; i < m->n; i++)
        if (str_is(m->v[i].name, PART_LABEL) && str_to_u64(m->v[i].value, &n)) {
            *part = (size_t)n;
            return true;
        }
    return false;
}

static struct storage_selector *split_select(void *impl, const struct matchers *m, int64_t reach_ms,
                                             struct err *e)
{
    struct split_storage *s = impl;
    struct storage_selector *sel = arena_new(s->a, struct storage_selector);
    size_t part = 0;

    *sel = (struct storage_selector){0};
    if (!split_part_of(m, &part)) {
        sel->own = storage_select(s->own, m, reach_ms, e);
        return sel->own != NULL ? sel : NULL;
    }
    if (part >= s->n) {
        (void)!err_set(e, ERR_INVALID, "there is no part %zu", part);
        return NULL;
    }
    sel->n = s->answers[part].n;
    sel->ids = arena_array(s->a, sel->n, sizeof(uint32_t));
    for (size_t i = 0; i < sel->n; i++)
        sel->ids[i] = (uint32_t)(s->first[part] + i) | IS_PART;
    return sel;
}

static void split_release(void *impl, struct storage_selector *sel)
{
    if (sel->own != NULL)
        storage_release(((struct split_storage *)impl)->own, sel->own);
}

static struct storage_ids split_ids(void *impl, struct storage_selector *sel)
{
    if (sel->own != NULL)
        return storage_ids(((struct split_storage *)impl)->own, sel->own);
    return (struct storage_ids){sel->ids, sel->n, 1};
}

static void split_read(void *impl, const uint32_t *ids, size_t n, struct storage_series *out)
{
    struct split_storage *s = impl;

    for (size_t i = 0; i < n; i++) {
        size_t at = ids[i] & ~IS_PART;

        if ((ids[i] & IS_PART) == 0)
            storage_read(s->own, &ids[i], 1, &out[i]);
        else
            out[i] = (struct storage_series){.times = &s->t,
                                             .row = &s->slots[at],
                                             .codes = STORAGE_PLAIN,
                                             .n = 1,
                                             .last = s->slots[at]};
    }
}

static struct labels split_labels(void *impl, uint32_t id, struct arena *a)
{
    struct split_storage *s = impl;

    return (id & IS_PART) != 0 ? s->all[id & ~IS_PART]->labels : storage_labels(s->own, id, a);
}

static void split_histogram(void *impl, const struct storage_series *x, storage_slot slot,
                            struct histogram *out)
{
    storage_histogram(((struct split_storage *)impl)->own, x, slot, out);
}

static bool split_lay_out(struct split_storage *s, struct err *e)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += s->answers[i].n;
    s->all = arena_array(s->a, n, sizeof(*s->all));
    s->slots = arena_array(s->a, n, sizeof(*s->slots));
    s->first = arena_array(s->a, s->n, sizeof(*s->first));
    n = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->first[i] = n;
        for (size_t k = 0; k < s->answers[i].n; k++) {
            const struct sample *x = &s->answers[i].v[k];

            if (x->is_histogram)
                return err_set(e, ERR_UNSUPPORTED,
                               "a native histogram that a source answers cannot be read together "
                               "with series that rules record here");
            s->all[n] = x;
            s->slots[n++] = storage_float(x->value);
        }
    }
    return true;
}

bool rule_split_instant(const struct promql_query *here, const struct samples *answers, size_t n,
                        ts_ms t, struct arena *a, struct promql_result *out, struct err *e)
{
    static const struct storage_ops ops = {.begin = split_begin,
                                           .end = split_end,
                                           .select = split_select,
                                           .release = split_release,
                                           .ids = split_ids,
                                           .read = split_read,
                                           .labels = split_labels,
                                           .histogram = split_histogram};
    struct split_storage s = {.own = here->storage, .answers = answers, .n = n, .t = t, .a = a};
    struct promql_query q = *here;

    q.storage = (struct storage){&ops, &s};
    return split_lay_out(&s, e) && promql_instant(&q, t, a, out, e);
}
