/* How a window gets its answer: a walk of phases, of which each piece does what fits into two milliseconds. */
#include "board/window.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/keyed.h"
#include "codec/json.h"
#include "core/receiver_health.h"
#include "net/deflate.h"

enum { PAGE_MAX = 1 << 20, RING_BYTES = 1 << 20, LOOK = 64, BY_MAX = 1000 };
#define PIECE_TIME (2 * NS_PER_MS)
#define RULES_AGE  (5 * NS_PER_S) /* values alone change: so often that is news */
#define TIMED_AGE  (15 * NS_PER_S)
#define INTERVAL   (250 * NS_PER_MS)

enum walk_phase { WALK_ALERTS, WALK_GROUPS, WALK_STRIPS, WALK_NAMES, WALK_RULES, WALK_ROWS };

/* A group that has something to list. */
struct walk_group {
    size_t route; /* SIZE_MAX: of no route: fingerprint is that of the name */
    uint64_t fingerprint, key;
};

/* Alerts of one name where nothing is routed. */
struct walk_loose {
    VEC(uint64_t) alerts;
};

struct walk_severity {
    str name;
    size_t n;
    unsigned rank;
};

struct board_walk {
    uint64_t conf; /* revision of the configuration */
    enum walk_phase phase;
    size_t at;
    struct arena arena;
    struct arena room; /* for the labels of one alert */
    uint64_t revision, rules;
    VEC(uint64_t) alerts; /* fingerprints: of all */
    VEC(struct walk_group) groups;
    VEC(struct walk_group) listed;
    VEC(struct keyed) order; /* -> a place in listed, by how bad it is */
    size_t n_alerts, states[BOARD_STATES], pending;
    VEC(struct walk_severity) severities; /* of those that fire */
    struct str_map by;                    /* value -> how many, as a pointer */
    struct u64_map loose;                 /* -> struct walk_loose * */
    struct str_map names;                 /* of alerts on the page */
    struct u64_map values;                /* fingerprint -> struct board_value * */
    struct verdict scratch;
    VEC(struct board_row) rows;
    size_t bytes;
};

/* -- frames -- */

struct board_frame *board_frame_ref(struct board_frame *f)
{
    f->refs++;
    return f;
}

void board_frame_unref(struct board_frame *f)
{
    if (f == NULL || --f->refs != 0)
        return;
    buf_release(&f->text);
    buf_release(&f->packed);
    mem_free(f);
}

str board_frame_bytes(struct board_frame *f, bool packed)
{
    if (packed && f->packed.n == 0)
        deflate_block(buf_str(&f->text), &f->packed);
    return buf_str(packed ? &f->packed : &f->text);
}

/* -- a walk begins and ends -- */

static void walk_free(struct board_walk *k)
{
    if (k == NULL)
        return;
    MAP_EACH (struct u64_map_entry, it, &k->loose) {
        struct walk_loose *l = it->value;

        vec_release(&l->alerts);
        mem_free(l);
    }
    u64_map_release(&k->loose);
    u64_map_release(&k->values);
    str_map_release(&k->by);
    str_map_release(&k->names);
    VEC_EACH (struct board_row *, r, &k->rows)
        mem_str_free(r->json);
    vec_release(&k->rows);
    vec_release(&k->alerts);
    vec_release(&k->groups);
    vec_release(&k->listed);
    vec_release(&k->order);
    vec_release(&k->severities);
    verdict_release(&k->scratch);
    arena_release(&k->arena);
    arena_release(&k->room);
    mem_free(k);
}

enum { FAST = ((1U << CHANGE_KINDS) - 1) & ~CHANGES_OF(CHANGED_RULES) };

static struct board_walk *board_walk_begin(struct board_world *b)
{
    struct board_walk *k = mem_new(struct board_walk);
    struct engine *e = b->engine;

    arena_init(&k->arena, 0);
    arena_init(&k->room, 0);
    k->conf = changes_last(&e->changes, CHANGES_OF(CHANGED_CONFIG));
    k->revision = board_window_revision(b, b->clock->now);
    k->rules = changes_last(&e->changes, CHANGES_OF(CHANGED_RULES));
    vec_reserve(&k->alerts, e->alerts.n);
    ALERT_TABLE_EACH (a, &e->alerts)
        vec_push(&k->alerts, alert_fingerprint(a));
    for (size_t i = 0; i < e->tree.n; i++)
        MAP_EACH (struct u64_map_entry, it, &e->groups[i])
            vec_push(&k->groups, (struct walk_group){i, it->key, 0});
    return k;
}

static void walk_next_phase(struct board_walk *k)
{
    k->phase++;
    k->at = 0;
}

/* -- alerts are counted -- */

static void walk_count_by(struct board_walk *k, str value)
{
    void **n = str_map_get(&k->by, value);

    if (n != NULL)
        *n = (void *)((uintptr_t)*n + 1);
    else if (k->by.n < BY_MAX)
        (void)str_map_put(&k->by, arena_str(&k->arena, value), (void *)(uintptr_t)1);
}

static void walk_count_severity(struct board_window *w, str severity)
{
    struct board_walk *k = w->walk;

    VEC_EACH (struct walk_severity *, s, &k->severities) {
        if (str_eq(s->name, severity)) {
            s->n++;
            return;
        }
    }
    if (k->severities.n < BY_MAX)
        vec_push(&k->severities, (struct walk_severity){arena_str(&k->arena, severity), 1,
                                                        board_rank(&w->ask, severity)});
}

static void walk_loosen(struct board_walk *k, const struct alert *a)
{
    uint64_t name = fnv1a_str(FNV1A_INIT, label_set_get(a->labels, S("alertname")));
    void **at = u64_map_get(&k->loose, name);
    struct walk_loose *l;

    if (at == NULL) {
        at = u64_map_put(&k->loose, name, mem_new(struct walk_loose));
        vec_push(&k->groups, (struct walk_group){SIZE_MAX, name, 0});
    }
    l = *at;
    vec_push(&l->alerts, alert_fingerprint(a));
}

/* Whether the asker wants it. Its labels stand in the walk's room then. */
static bool walk_takes(struct board_window *w, const struct alert *a, struct now now,
                       struct labels *ls)
{
    struct arena *room = &w->walk->room;

    if (alert_is_resolved(a, now))
        return false;
    arena_reset(room);
    *ls = label_set_view(room, a->labels);
    return board_ask_takes(&w->ask, *ls, label_set_view(room, a->annotations));
}

static void walk_alert(struct board_window *w, struct board_world *b, uint64_t fingerprint)
{
    struct alert *a = engine_alert(b->engine, fingerprint);
    struct audience any = audience_at(b->engine, NULL, b->clock->now);
    struct board_walk *k = w->walk;
    enum board_state state;
    struct labels ls;

    if (a == NULL || !walk_takes(w, a, any.at, &ls))
        return;
    state = board_state_of(&any, a, &k->scratch);
    k->n_alerts++;
    k->states[state]++;
    if (state == BOARD_FIRING)
        walk_count_severity(w, board_severity(ls));
    if (w->ask.by.n != 0)
        walk_count_by(k, labels_get(ls, w->ask.by));
    if (b->engine->tree.root == NULL)
        walk_loosen(k, a);
}

/* -- groups are weighed -- */

/* The alerts of a group as it stands: an array of the arena given. group: NULL: of no route. */
static struct alert_list walk_alerts_of(const struct board_walk *k, const struct engine *e,
                                        struct walk_group g, struct arena *arena,
                                        const struct group **group)
{
    struct alert_list l = {NULL, 0};
    void **slot;

    *group = NULL;
    if (g.route == SIZE_MAX) {
        slot = u64_map_get(&k->loose, g.fingerprint);
        const struct walk_loose *loose = slot != NULL ? *slot : NULL;

        l.v = arena_array(arena, loose != NULL ? loose->alerts.n : 0, sizeof(struct alert *));
        for (size_t i = 0; loose != NULL && i < loose->alerts.n; i++) {
            struct alert *a = engine_alert(e, loose->alerts.v[i]);

            if (a != NULL)
                l.v[l.n++] = a;
        }
        return l;
    }
    slot = u64_map_get(&e->groups[g.route], g.fingerprint);
    if (slot == NULL)
        return l;
    *group = *slot;
    l.v = arena_array(arena, (*group)->alerts.n, sizeof(struct alert *));
    ALERT_TABLE_EACH (a, &(*group)->alerts)
        l.v[l.n++] = a;
    return l;
}

static bool walk_lists(const struct board_ask *q, enum board_state state, str severity)
{
    if (!q->states[state])
        return false;
    for (size_t i = 0; i < q->n_severities; i++)
        if (str_eq(q->severities[i], severity))
            return true;
    return q->n_severities == 0;
}

/* Small is bad: what fires before what is held, then by rank, then the newest. */
static uint64_t walk_weight(enum board_state state, unsigned rank, ts_ns newest)
{
    const uint64_t most = (1ULL << 59) - 1;
    uint64_t ms = newest > 0 ? (uint64_t)newest / NS_PER_MS : 0;

    return (uint64_t)state << 62 | (uint64_t)rank << 59 | (most - (ms < most ? ms : most));
}

static void walk_weigh(struct board_window *w, struct board_world *b, struct walk_group g)
{
    struct audience any = audience_at(b->engine, NULL, b->clock->now);
    struct board_walk *k = w->walk;
    uint64_t weight = UINT64_MAX;
    enum board_state worst = BOARD_STATES;
    unsigned rank = 0;
    ts_ns newest = 0;
    const struct group *group;
    struct alert_list l;
    struct arena arena;

    arena_init(&arena, 0);
    l = walk_alerts_of(k, b->engine, g, &arena, &group);
    g.key = group != NULL ? strip_key(group->key, group->route->receiver) : g.fingerprint;
    for (size_t i = 0; i < l.n; i++) {
        enum board_state state;
        struct labels ls;
        str severity;
        unsigned r;

        if (!walk_takes(w, l.v[i], any.at, &ls))
            continue;
        severity = board_severity(ls);
        r = board_rank(&w->ask, severity);
        state = board_state_of(&any, l.v[i], &k->scratch);
        if (!walk_lists(&w->ask, state, severity))
            continue;
        if (state < worst || (state == worst && r < rank)) {
            worst = state;
            rank = r;
        }
        if (l.v[i]->starts_at > newest)
            newest = l.v[i]->starts_at;
    }
    if (worst != BOARD_STATES) {
        weight = walk_weight(worst, rank, newest);
        vec_push(&k->order, (struct keyed){weight, (void *)(uintptr_t)k->listed.n});
        vec_push(&k->listed, g);
    }
    arena_release(&arena);
}

static bool walk_is_asked(const struct board_window *w, const struct board_world *b,
                          struct walk_group g)
{
    const struct group *group;
    char key[17];
    void **slot;

    if (g.route == SIZE_MAX)
        return w->ask.receiver.n == 0 && w->ask.group.n == 0;
    slot = u64_map_get(&b->engine->groups[g.route], g.fingerprint);
    if (slot == NULL)
        return false;
    group = *slot;
    if (w->ask.receiver.n != 0 && !str_eq(group->route->receiver, w->ask.receiver))
        return false;
    if (w->ask.group.n == 0)
        return true;
    snprintf(key, sizeof(key), "%016" PRIx64, strip_key(group->key, group->route->receiver));
    return str_is(w->ask.group, key);
}

static size_t walk_page_end(const struct board_window *w)
{
    size_t n = w->walk->order.n, end = w->ask.offset + w->ask.limit;

    return end < n ? end : n;
}

static struct walk_group walk_of_page(const struct board_walk *k, size_t i)
{
    return k->listed.v[(uintptr_t)k->order.v[i].value];
}

/* -- rules: what is pending, and values of what is on the page -- */

static void walk_names(struct board_window *w, struct board_world *b, size_t i)
{
    struct board_walk *k = w->walk;
    const struct group *group;
    struct alert_list l;
    struct arena arena;

    arena_init(&arena, 0);
    l = walk_alerts_of(k, b->engine, walk_of_page(k, i), &arena, &group);
    for (size_t n = 0; n < l.n && n < LOOK; n++) {
        str name = label_set_get(l.v[n]->labels, S("alertname"));

        if (l.v[n]->is_ours && str_map_get(&k->names, name) == NULL)
            (void)str_map_put(&k->names, arena_str(&k->arena, name), k);
    }
    arena_release(&arena);
}

/* As the router knows it: with the labels that all have outside. */
static uint64_t walk_sent_as(struct board_walk *k, struct labels external, struct labels ls)
{
    return labels_fingerprint(external.n != 0 ? labels_merge(&k->arena, external, ls) : ls);
}

static void walk_rule(struct board_window *w, const struct rule_view *r, struct labels external)
{
    struct board_walk *k = w->walk;
    bool is_shown = str_map_get(&k->names, r->name) != NULL;

    for (size_t i = 0; i < r->n_alerts; i++) {
        const struct rule_alert_view *a = &r->alerts[i];

        if (a->state == RULE_ALERT_PENDING) {
            k->pending += board_ask_takes(&w->ask, a->labels, a->annotations);
        } else if (is_shown) {
            struct board_value *v = arena_new(&k->arena, struct board_value);

            v->value = a->value;
            (void)u64_map_put(&k->values, walk_sent_as(k, external, a->labels), v);
        }
    }
}

static void walk_rules(struct board_window *w, struct board_world *b, size_t i)
{
    const struct rule_group_view *g = b->engine->rules.v[i]->shown;

    for (size_t j = 0; j < g->n_rules; j++)
        walk_rule(w, &g->rules[j], b->engine->conf->external_labels);
}

/* -- the page is written -- */

static void walk_row(struct board_window *w, struct board_world *b, size_t i)
{
    struct board_walk *k = w->walk;
    struct walk_group g = walk_of_page(k, i);
    struct board_row_of of = {.e = b->engine,
                              .ask = &w->ask,
                              .strips = &b->strips,
                              .values = &k->values,
                              .now = b->clock->now};
    struct buf out = BUF_INIT;
    const struct group *group;
    struct alert_list l;
    struct arena arena;

    if (k->bytes > PAGE_MAX)
        return;
    arena_init(&arena, 0);
    l = walk_alerts_of(k, b->engine, g, &arena, &group);
    if (board_put_row(&of, g.key, group, l.v, l.n, &out) != 0) {
        vec_push(&k->rows, (struct board_row){g.key, mem_str_dup(buf_str(&out))});
        k->bytes += out.n;
    }
    buf_release(&out);
    arena_release(&arena);
}

static int walk_by_rank(const void *a, const void *b)
{
    const struct walk_severity *x = a, *y = b;

    return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : str_cmp(x->name, y->name);
}

static void walk_put_severities(struct board_walk *k, struct json_writer *w)
{
    if (k->severities.n > 1)
        qsort(k->severities.v, k->severities.n, sizeof(k->severities.v[0]), walk_by_rank);
    json_key(w, S("severities"));
    json_open(w, '[');
    VEC_EACH (const struct walk_severity *, s, &k->severities) {
        json_open(w, '{');
        json_put_text(w, "severity", s->name);
        json_key(w, S("rank"));
        json_put_u64(w, s->rank);
        json_key(w, S("alerts"));
        json_put_u64(w, s->n);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void walk_put_by(const struct board_window *win, struct json_writer *w)
{
    if (win->ask.by.n == 0)
        return;
    json_key(w, S("by"));
    json_open(w, '{');
    json_put_text(w, "label", win->ask.by);
    json_key(w, S("values"));
    json_open(w, '[');
    MAP_EACH (struct str_map_entry, it, &win->walk->by) {
        json_open(w, '{');
        json_put_text(w, "value", it->key);
        json_key(w, S("alerts"));
        json_put_u64(w, (uintptr_t)it->value);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void walk_put_failing(const struct engine *e, struct json_writer *w)
{
    json_key(w, S("failingReceivers"));
    json_open(w, '[');
    VEC_EACH (const struct receiver_stats *, rs, &e->receivers) {
        str why = receiver_failing(rs);

        if (why.n == 0)
            continue;
        json_open(w, '{');
        json_put_text(w, "receiver", rs->name);
        json_put_text(w, "why", why);
        json_key(w, S("since"));
        json_put_rfc3339_ms(w, receiver_failing_since(rs));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static str walk_totals(const struct board_window *win, const struct engine *e)
{
    struct board_walk *k = win->walk;
    struct buf b = BUF_INIT;
    struct json_writer w;
    str text;

    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_key(&w, S("alerts"));
    json_put_u64(&w, k->n_alerts);
    json_key(&w, S("groups"));
    json_put_u64(&w, k->order.n);
    json_key(&w, S("states"));
    json_open(&w, '{');
    for (int i = 0; i < BOARD_STATES; i++) {
        json_key(&w, str_of(board_state_text((enum board_state)i)));
        json_put_u64(&w, k->states[i]);
    }
    json_key(&w, S("pending"));
    json_put_u64(&w, k->pending);
    json_close(&w, '}');
    walk_put_severities(k, &w);
    walk_put_by(win, &w);
    walk_put_failing(e, &w);
    json_close(&w, '}');
    text = mem_str_dup(buf_str(&b));
    buf_release(&b);
    return text;
}

/* -- what differs is a frame -- */

static str window_row_of(const struct board_window *w, uint64_t key, size_t guess)
{
    if (guess < w->rows.n && w->rows.v[guess].key == key)
        return w->rows.v[guess].json;
    VEC_EACH (const struct board_row *, r, &w->rows)
        if (r->key == key)
            return r->json;
    return STR_NONE;
}

static bool walk_same_order(const struct board_window *w)
{
    const struct board_walk *k = w->walk;
    bool same = k->rows.n == w->rows.n;

    for (size_t i = 0; same && i < k->rows.n; i++)
        same = k->rows.v[i].key == w->rows.v[i].key;
    return same;
}

static void frame_put_order(const struct board_walk *k, struct json_writer *w)
{
    json_key(w, S("order"));
    json_open(w, '[');
    VEC_EACH (const struct board_row *, r, &k->rows)
        json_put_hex64(w, r->key);
    json_close(w, ']');
}

/* The groups of the walk, or of them those that were other ones before. */
static size_t frame_put_rows(const struct board_window *win, bool all, struct json_writer *w)
{
    const struct board_walk *k = win->walk;
    size_t n = 0;
    char key[17];

    json_key(w, S("groups"));
    json_open(w, '{');
    for (size_t i = 0; i < k->rows.n; i++) {
        const struct board_row *r = &k->rows.v[i];

        if (!all && str_eq(window_row_of(win, r->key, i), r->json))
            continue;
        snprintf(key, sizeof(key), "%016" PRIx64, r->key);
        json_key(w, str_of(key));
        json_put_raw(w, r->json);
        n++;
    }
    json_close(w, '}');
    return n;
}

/* NULL: nothing differs. */
static struct board_frame *frame_new(const struct board_window *win, struct board_world *b,
                                     str totals, bool is_page)
{
    struct board_frame *f = mem_new(struct board_frame);
    bool same_order = !is_page && walk_same_order(win), same_totals;
    struct json_writer w;
    size_t n;

    f->refs = 1;
    f->to = b->revision + 1;
    f->from = is_page ? f->to : win->shown;
    buf_addf(&f->text, "id: %016" PRIx64 "-%" PRIu64 "\nevent: %s\ndata: ", b->life, f->to,
             is_page ? "page" : "change");
    f->data_at = f->text.n;
    json_writer_init(&w, &f->text, true);
    json_open(&w, '{');
    json_put_text(&w, "window", win->ask.text);
    json_key(&w, S("revision"));
    json_put_u64(&w, f->to);
    json_key(&w, S("at"));
    json_put_rfc3339_ms(&w, b->clock->now.wall);
    same_totals = !is_page && str_eq(totals, win->totals);
    if (!same_totals) {
        json_key(&w, S("totals"));
        json_put_raw(&w, totals);
    }
    if (!same_order)
        frame_put_order(win->walk, &w);
    if (is_page) {
        json_key(&w, S("offset"));
        json_put_u64(&w, win->ask.offset);
    }
    n = frame_put_rows(win, is_page, &w);
    json_close(&w, '}');
    f->data = f->text.n - f->data_at;
    buf_adds(&f->text, "\n\n");
    if (n != 0 || !same_order || !same_totals)
        return f;
    board_frame_unref(f);
    return NULL;
}

static void window_drop_ring(struct board_window *w, size_t keep)
{
    size_t drop = w->ring.n > keep ? w->ring.n - keep : 0;

    for (size_t i = 0; i < drop; i++)
        board_frame_unref(w->ring.v[i]);
    if (drop != 0 && drop < w->ring.n)
        memmove(w->ring.v, w->ring.v + drop, (w->ring.n - drop) * sizeof(w->ring.v[0]));
    w->ring.n -= drop;
}

static void window_keep(struct board_window *w, struct board_frame *change)
{
    size_t bytes = 0, keep = 0;

    vec_push(&w->ring, change);
    while (keep < w->ring.n && keep < BOARD_RING && bytes < RING_BYTES)
        bytes += w->ring.v[w->ring.n - ++keep]->text.n;
    window_drop_ring(w, keep);
}

static bool window_has_times(const struct engine *e)
{
    for (size_t i = 0; i < e->tree.n; i++) {
        const struct route *r = e->tree.by_index[i];

        if (r->n_active_intervals + r->n_mute_intervals != 0)
            return true;
    }
    return false;
}

/* The walk has seen everything. */
static void window_finish(struct board_window *w, struct board_world *b)
{
    struct board_walk *k = w->walk;
    str totals = walk_totals(w, b->engine);
    bool is_first = w->page == NULL;
    struct board_frame *change = is_first ? NULL : frame_new(w, b, totals, false);

    if (change != NULL || is_first) {
        board_frame_unref(w->page);
        w->page = frame_new(w, b, totals, true);
        w->shown = b->revision = w->page->to;
    }
    if (change != NULL)
        window_keep(w, change);
    VEC_EACH (struct board_row *, r, &w->rows)
        mem_str_free(r->json);
    vec_release(&w->rows);
    mem_str_free(w->totals);
    w->totals = totals;
    w->rows.v = k->rows.v;
    w->rows.n = k->rows.n;
    w->rows.cap = k->rows.cap;
    k->rows.v = NULL;
    k->rows.n = k->rows.cap = 0;
    w->revision = k->revision;
    w->rules = k->rules;
    w->is_timed = window_has_times(b->engine);
    w->made = b->clock->now.mono;
    w->not_before = ts_add(w->made, INTERVAL);
    w->is_wanted = false;
    walk_free(k);
    w->walk = NULL;
}

/* -- a piece -- */

/* One step of the phase; returns whether it has more. */
static bool walk_step(struct board_window *w, struct board_world *b)
{
    struct board_walk *k = w->walk;

    switch (k->phase) {
    case WALK_ALERTS:
        if (k->at < k->alerts.n)
            walk_alert(w, b, k->alerts.v[k->at]);
        return ++k->at < k->alerts.n;
    case WALK_GROUPS:
        if (k->at < k->groups.n && walk_is_asked(w, b, k->groups.v[k->at]))
            walk_weigh(w, b, k->groups.v[k->at]);
        if (++k->at < k->groups.n)
            return true;
        keyed_sort(k->order.v, k->order.n);
        return false;
    case WALK_STRIPS: return strips_read(&b->strips, &b->engine->journal, b->clock->now.wall);
    case WALK_NAMES:
        if (w->ask.offset + k->at < walk_page_end(w))
            walk_names(w, b, w->ask.offset + k->at);
        return w->ask.offset + ++k->at < walk_page_end(w);
    case WALK_RULES:
        if (k->at < b->engine->rules.n)
            walk_rules(w, b, k->at);
        return ++k->at < b->engine->rules.n;
    case WALK_ROWS:
        if (w->ask.offset + k->at < walk_page_end(w))
            walk_row(w, b, w->ask.offset + k->at);
        return w->ask.offset + ++k->at < walk_page_end(w);
    }
    return false;
}

bool board_window_walk(struct board_window *w, struct board_world *b)
{
    ts_ns began = clock_mono(b->clock);

    if (w->walk != NULL &&
        w->walk->conf != changes_last(&b->engine->changes, CHANGES_OF(CHANGED_CONFIG))) {
        walk_free(w->walk);
        w->walk = NULL;
    }
    if (w->walk == NULL)
        w->walk = board_walk_begin(b);
    for (size_t n = 1;; n++) {
        if (!walk_step(w, b)) {
            if (w->walk->phase == WALK_ROWS) {
                window_finish(w, b);
                return true;
            }
            walk_next_phase(w->walk);
        }
        if ((n % LOOK == 0 || w->walk->phase >= WALK_GROUPS) &&
            clock_mono(b->clock) - began > PIECE_TIME)
            return false;
    }
}

uint64_t board_window_revision(const struct board_world *b, struct now now)
{
    return engine_revision(b->engine, FAST, now);
}

bool board_window_is_current(const struct board_window *w, const struct board_world *b,
                             struct now now)
{
    if (w->page == NULL || board_window_revision(b, now) != w->revision)
        return false;
    if (w->is_timed && now.mono - w->made >= TIMED_AGE)
        return false;
    return changes_last(&b->engine->changes, CHANGES_OF(CHANGED_RULES)) == w->rules ||
           now.mono - w->made < RULES_AGE;
}

/* -- readers -- */

struct board_frame *board_window_next(const struct board_window *w, uint64_t seen)
{
    if (w->page == NULL || seen == w->shown)
        return NULL;
    for (size_t i = 0; i < w->ring.n; i++)
        if (w->ring.v[i]->from == seen)
            return w->ring.v[i];
    return w->page;
}

uint64_t board_window_resume(const struct board_window *w, uint64_t seen)
{
    if (w->page == NULL || seen == 0)
        return 0;
    if (w->shown <= seen)
        return w->shown;
    for (size_t i = 0; i < w->ring.n; i++)
        if (w->ring.v[i]->to > seen)
            return w->ring.v[i]->from <= seen ? w->ring.v[i]->from : 0;
    return 0;
}

struct board_window *board_window_new(struct board_ask *taken)
{
    struct board_window *w = mem_new(struct board_window);

    w->ask = *taken;
    w->made = TS_NONE;
    return w;
}

void board_window_free(struct board_window *w)
{
    walk_free(w->walk);
    VEC_EACH (struct board_row *, r, &w->rows)
        mem_str_free(r->json);
    vec_release(&w->rows);
    window_drop_ring(w, 0);
    vec_release(&w->ring);
    board_frame_unref(w->page);
    mem_str_free(w->totals);
    board_ask_release(&w->ask);
    mem_free(w);
}
