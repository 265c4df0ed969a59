#include "ruler/rule_persist.h"

/* -- a restart: alerts as rows -- */

enum { IDENTITY_DIGITS = 16 };
static const char digits[] = "0123456789abcdef";

static str row_key(struct arena *a, const struct rule *r, uint64_t fp)
{
    return arena_printf(a, "%016llx/%016llx", (unsigned long long)r->identity,
                        (unsigned long long)fp);
}

void rule_group_collect_rows(struct rule_group *g, struct rule *r)
{
    MAP_EACH (struct u64_map_entry, it, &r->alerts) {
        struct rule_alert *a = it->value;
        struct buf b = BUF_INIT;

        if (!a->changed)
            continue;
        a->changed = false;
        rule_alert_pack(&b, a);
        vec_push(&g->rows, (struct rule_row){row_key(&g->arena, r, it->key),
                                             arena_str(&g->arena, buf_str(&b))});
        buf_release(&b);
    }
    VEC_EACH (uint64_t *, fp, &r->gone)
        if (u64_map_get(&r->alerts, *fp) == NULL)
            vec_push(&g->rows, (struct rule_row){row_key(&g->arena, r, *fp), STR_NONE});
    vec_clear(&r->gone);
}

bool rule_row_identity(str key, uint64_t *identity)
{
    uint64_t v = 0;

    if (key.n <= IDENTITY_DIGITS || key.p[IDENTITY_DIGITS] != '/')
        return false;
    for (size_t i = 0; i < IDENTITY_DIGITS; i++) {
        const char *digit = memchr(digits, key.p[i], 16);

        if (digit == NULL)
            return false;
        v = v << 4 | (uint64_t)(digit - digits);
    }
    *identity = v;
    return true;
}

static struct rule_alert *unpack(struct rule_group *g, str value)
{
    struct arena scratch;
    struct rule_alert *a;

    arena_init(&scratch, 0);
    a = rule_alert_unpack(value, g->names, &scratch);
    arena_release(&scratch);
    return a;
}

bool rule_group_restore(struct rule_group *g, struct rule *r, str value, ts_ns down_at,
                        struct now now)
{
    struct rule_alert *a = unpack(g, value);

    if (a == NULL)
        return false;
    g->down_at = down_at;
    rule_restore(r, a, down_at, now, g->conf->interval);
    return true;
}

struct rule_past *rule_past_new(ts_ns down_at)
{
    struct rule_past *p = mem_new(struct rule_past);

    arena_init(&p->arena, 0);
    p->down_at = down_at;
    return p;
}

void rule_past_free(struct rule_past *p)
{
    if (p == NULL)
        return;
    vec_release(&p->rows);
    arena_release(&p->arena);
    mem_free(p);
}

void rule_past_add(struct rule_past *p, size_t rule, str key, str value)
{
    vec_push(&p->rows,
             (struct rule_past_row){rule, arena_str(&p->arena, key), arena_str(&p->arena, value)});
}

static void rule_persist_put(struct rule_group *g, str key, str value)
{
    vec_push(&g->rows, (struct rule_row){arena_str(&g->arena, key), arena_str(&g->arena, value)});
}

static bool is_of(const struct rule *r, str key)
{
    uint64_t identity;

    return rule_row_identity(key, &identity) && identity == r->identity;
}

/* The row of an older version is taken under its name of now, unless there is one. */
static bool take_renamed(struct rule_group *g, struct rule *r, str value, ts_ns down_at,
                         struct now now)
{
    struct rule_alert *a = unpack(g, value);
    uint64_t fingerprint = a != NULL ? label_set_fingerprint(a->labels) : 0;
    bool is_known = a != NULL && u64_map_get(&r->alerts, fingerprint) != NULL;

    if (a != NULL && !is_known)
        rule_persist_put(g, row_key(&g->arena, r, fingerprint), value);
    rule_alert_free(a);
    return is_known || rule_group_restore(g, r, value, down_at, now);
}

size_t rule_group_take_past(struct rule_group *g, const struct rule_past *p, struct now now)
{
    size_t unreadable = 0;

    VEC_EACH (const struct rule_past_row *, row, &p->rows) {
        struct rule *r = &g->rules[row->rule];

        if (!is_of(r, row->key) || rule_group_restore(g, r, row->value, p->down_at, now))
            continue;
        rule_persist_put(g, row->key, STR_NONE);
        unreadable++;
    }
    VEC_EACH (const struct rule_past_row *, row, &p->rows) {
        struct rule *r = &g->rules[row->rule];

        if (is_of(r, row->key))
            continue;
        rule_persist_put(g, row->key, STR_NONE);
        unreadable += !take_renamed(g, r, row->value, p->down_at, now);
    }
    return unreadable;
}

void rule_group_forget(struct rule_group *to, const struct rule_group *from)
{
    for (size_t i = 0; i < from->n_rules; i++) {
        const struct rule *r = &from->rules[i];

        MAP_EACH (const struct u64_map_entry, it, &r->alerts)
            rule_persist_put(to, row_key(&to->arena, r, it->key), STR_NONE);
        VEC_EACH (const uint64_t *, fp, &r->gone) /* no run has said so yet */
            rule_persist_put(to, row_key(&to->arena, r, *fp), STR_NONE);
    }
}

void rule_group_forget_past(struct rule_group *to, const struct rule_past *p)
{
    VEC_EACH (const struct rule_past_row *, row, &p->rows)
        rule_persist_put(to, row->key, STR_NONE);
}

void rule_group_rows(struct rule_group *g, struct arena *a,
                     void (*row)(void *arg, str key, str value), void *arg)
{
    for (size_t i = 0; i < g->n_rules; i++)
        MAP_EACH (struct u64_map_entry, it, &g->rules[i].alerts) {
            struct buf b = BUF_INIT;

            rule_alert_pack(&b, it->value);
            row(arg, row_key(a, &g->rules[i], it->key), buf_str(&b));
            buf_release(&b);
        }
}

static void shown_row(const struct rule_alert_view *v, const struct rule *r, struct arena *a,
                      void (*row)(void *arg, str key, str value), void *arg)
{
    struct rule_alert al = {.state = v->state,
                            .value = v->value,
                            .active_at = v->active_at,
                            .fired_at = v->fired_at,
                            .resolved_at = TS_NONE,
                            .last_sent_at = TS_NONE, /* it is sent again */
                            .valid_until = TS_NONE,
                            .keep_firing_since = v->keep_firing_since};
    struct buf b = BUF_INIT;

    rule_alert_pack_as(&b, v->labels, v->annotations, &al);
    row(arg, row_key(a, r, labels_fingerprint(v->labels)), buf_str(&b));
    buf_release(&b);
}

void rule_view_rows(const struct rule_group_view *v, const struct rule_group *of, struct arena *a,
                    void (*row)(void *arg, str key, str value), void *arg)
{
    for (size_t i = 0; i < v->n_rules; i++)
        for (size_t k = 0; k < v->rules[i].n_alerts; k++)
            shown_row(&v->rules[i].alerts[k], &of->rules[i], a, row, arg);
}

/* -- a reload: alerts from the old group to the new one -- */

static bool same_map(const struct conf_map *a, const struct conf_map *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->v[i].name, b->v[i].name) || !str_eq(a->v[i].value, b->v[i].value))
            return false;
    return true;
}

static str rule_here(const struct rule_conf *r)
{
    return r->split != NULL ? r->split->here : STR_NONE;
}

bool rule_group_same(const struct rule_group_conf *a, const struct rule_group_conf *b)
{
    if (!str_eq(a->file, b->file) || !str_eq(a->name, b->name) || !str_eq(a->source, b->source) ||
        a->interval != b->interval || a->limit != b->limit || a->query_offset != b->query_offset ||
        a->n_rules != b->n_rules || a->value_at_resolve != b->value_at_resolve)
        return false;
    for (size_t i = 0; i < a->n_rules; i++) {
        const struct rule_conf *x = &a->rules[i], *y = &b->rules[i];

        if (x->is_alert != y->is_alert || x->is_own != y->is_own ||
            !str_eq(rule_here(x), rule_here(y)) || !str_eq(x->name, y->name) ||
            x->is_trial != y->is_trial || !str_eq(x->expr, y->expr) || x->hold_for != y->hold_for ||
            x->keep_firing_for != y->keep_firing_for || !same_map(&x->all_labels, &y->all_labels) ||
            !same_map(&x->annotations, &y->annotations))
            return false;
    }
    return true;
}

static void move_alerts(struct rule_group *to, struct rule *dst, struct rule *src)
{
    MAP_EACH (struct u64_map_entry, it, &src->alerts) {
        struct rule_alert *a = it->value;
        struct label_set *labels =
            label_set_intern(to->names, label_set_view(&to->arena, a->labels));
        struct label_set *annotations =
            label_set_intern(to->names, label_set_view(&to->arena, a->annotations));

        label_set_unref(a->labels);
        label_set_unref(a->annotations);
        a->labels = labels;
        a->annotations = annotations;
        a->changed = true;
        u64_map_put(&dst->alerts, it->key, a);
        u64_map_del_entry(&src->alerts, it);
    }
    dst->health = src->health;
    dst->last_eval = src->last_eval;
    dst->cost = src->cost;
    rule_take_notes(dst, rule_notes_of(src), rule_notes_of(src)->held_since);
    dst->notes_news = false;
    rule_note_error(dst, src->last_error);
}

void rule_group_move_state(struct rule_group *to, struct rule_group *from)
{
    bool *taken = mem_array(from->n_rules, sizeof(*taken));

    for (size_t i = 0; i < to->n_rules; i++)
        for (size_t k = 0; k < from->n_rules; k++) {
            size_t j = (i + k) % from->n_rules; /* most rules stay where they were */

            if (taken[j] || to->rules[i].identity != from->rules[j].identity)
                continue;
            taken[j] = true;
            move_alerts(to, &to->rules[i], &from->rules[j]);
            break;
        }
    mem_free(taken);
    if (to->own != NULL && from->own != NULL)
        own_move_streams(to->own, from->own);
    to->now = from->now;
    to->down_at = from->down_at;
    to->iterations = from->iterations;
    to->evaluations = from->evaluations;
    to->failures = from->failures;
    to->last_slot = from->last_slot;
    to->took = from->took;
    to->rules_took = from->rules_took;
    rule_group_update_view(to);
}
